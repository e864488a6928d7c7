"""How clusters, node groups and queues are written; and functions whose code is in a template."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.clusters import tags_of
from pcs_constructs.templates.facts.evidence import Evidence, written
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE
from pcs_constructs.templates.values import may_have_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource, ResolvedTemplates

_REQUIRED: Final[dict[str, tuple[Path, ...]]] = {
    CLUSTER: (
        ("Networking",),
        ("Networking", "SubnetIds"),
        ("Scheduler",),
        ("Scheduler", "Type"),
        ("Scheduler", "Version"),
        ("Size",),
    ),
    NODE_GROUP: (
        ("ClusterId",),
        ("IamInstanceProfileArn",),
        ("InstanceConfigs",),
        ("ScalingConfiguration",),
        ("ScalingConfiguration", "MinInstanceCount"),
        ("ScalingConfiguration", "MaxInstanceCount"),
        ("SubnetIds",),
    ),
    QUEUE: (("ClusterId",),),
}
_MODES: Final = ("STANDARD", "NONE")
_CHOICES: Final[dict[str, dict[Path, tuple[str, ...]]]] = {
    CLUSTER: {
        ("Size",): ("SMALL", "MEDIUM", "LARGE"),
        ("Scheduler", "Type"): ("SLURM",),
        ("Networking", "NetworkType"): ("IPV4", "IPV6"),
        ("SlurmConfiguration", "Accounting", "Mode"): _MODES,
        ("SlurmConfiguration", "SlurmRest", "Mode"): _MODES,
    },
    NODE_GROUP: {
        ("PurchaseOption",): (
            "ONDEMAND",
            "SPOT",
            "CAPACITY_BLOCK",
            "INTERRUPTIBLE_CAPACITY_RESERVATION",
        ),
        ("LaunchTemplateMode",): ("CUSTOM", "MANAGED"),
        ("SpotOptions", "AllocationStrategy"): (
            "lowest-price",
            "capacity-optimized",
            "price-capacity-optimized",
        ),
        ("NodeLifecycleActions", "ScriptCachingPolicy"): ("CACHE_ONCE", "REFRESH_ON_REBOOT"),
    },
    QUEUE: {},
}
_SCRIPT_CHOICES: Final = {
    "OnError": ("TERMINATE", "STOP_SEQUENCE", "CONTINUE"),
    "ExecutionPolicy": ("FIRST_BOOT_ONLY", "EVERY_BOOT"),
}
_LISTS: Final[tuple[Path, ...]] = (
    ("SlurmConfiguration", "SlurmCustomSettings"),
    ("SlurmConfiguration", "SlurmdbdCustomSettings"),
    ("SlurmConfiguration", "CgroupCustomSettings"),
    ("SlurmConfiguration", "GresCustomSettings"),
    ("NodeLifecycleActions", "Stages", "NodeBootstrapped"),
    ("NodeLifecycleActions", "Stages", "NodeReady"),
)
_NOUNS: Final = {CLUSTER: "cluster", NODE_GROUP: "node group", QUEUE: "queue"}


def resource_evidence(membership: Membership) -> Iterator[Evidence]:
    """How each cluster, node group and queue is written."""
    for resource in (*membership.clusters, *membership.groups, *membership.queues):
        missing = [path for path in _REQUIRED[resource.type] if _is_missing(resource, path)]
        yield Evidence(
            facts=rules.ResourceFacts(
                noun=_NOUNS[resource.type],
                missing=tuple(written(path) for path in missing),
                named=resource.has("Name") or may_have_more(resource.properties),
                choices=tuple(_choices(resource)),
                listed_tags=isinstance(resource.get("Tags"), list),
                # Those of the cluster are judged with its members.
                tags={} if resource.type == CLUSTER else tags_of(resource),
                empty=tuple(written(path) for path in _LISTS if resource.get(*path) == []),
                arns=tuple(_arns(resource)),
            ),
            resource=resource,
        )


def _is_missing(resource: ResolvedResource, path: Path) -> bool:
    """Whether it is not there, and what it would be in is there and known."""
    around = resource.get(*path[:-1])
    is_known = around is not None and not may_have_more(as_mapping(around))
    return is_known and resource.get(*path) is None


def _choices(resource: ResolvedResource) -> Iterator[rules.Choice]:
    for path, choices in _CHOICES[resource.type].items():
        yield from _choice(resource, path, choices)
    for stage in ("NodeBootstrapped", "NodeReady"):
        place = ("NodeLifecycleActions", "Stages", stage)
        for i in range(len(resource.each(*place))):
            for name, choices in _SCRIPT_CHOICES.items():
                yield from _choice(resource, (*place, i, name), choices)


def _choice(
    resource: ResolvedResource, path: Path, choices: tuple[str, ...]
) -> Iterator[rules.Choice]:
    value = resource.text(*path)
    if value is not None:
        yield rules.Choice(written(path), value, choices)


def _arns(resource: ResolvedResource) -> Iterator[str]:
    """Where `Ref` of one of these resources is, or its ARN, and an ID is due."""
    locations: list[Path] = [("ClusterId",)] if resource.type != CLUSTER else []
    count = len(resource.each("ComputeNodeGroupConfigurations"))
    locations += [("ComputeNodeGroupConfigurations", i, "ComputeNodeGroupId") for i in range(count)]
    for path in locations:
        target = resource.reference(resource.get(*path))
        if target is not None and target[0].type in _NOUNS and target[1] in {"", "Arn"}:
            yield written(path)


def code_evidence(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """Functions in Python whose code is in the template."""
    for function in resolved.of_type("AWS::Lambda::Function"):
        runtime = function.text("Runtime")
        code = function.text("Code", "ZipFile")
        if isinstance(runtime, str) and runtime.startswith("python") and code is not None:
            yield Evidence(
                facts=rules.InlineCodeFacts(error=_error_of(code, runtime)),
                resource=function,
                locations={"code": ("Code", "ZipFile")},
            )


def _error_of(code: str | Unknown, runtime: str) -> str | Unknown | None:
    if code is UNKNOWN or _is_newer(runtime):
        return UNKNOWN
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as error:
        return f"{error.msg} in line {error.lineno}"
    except ValueError:  # a null byte
        return "source code cannot contain null bytes"
    except (MemoryError, RecursionError):  # it is too deep for this parser
        return UNKNOWN
    return None


def _is_newer(runtime: str) -> bool:
    """Whether the function runs on a Python that may know more than this one."""
    match = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    version: tuple[Any, ...] = tuple(map(int, match.groups())) if match else (9, 9)
    return version > sys.version_info[:2]
