"""Whether the tables of the library say what their sources say, and what the sources have more.

    python -m tests.docs.facts [--write]

compares them with the packages that are installed; with `--write` it writes docs/facts.md. It ends
with 1 where a table has what its source has not: that is a contradiction. What a source has and a
table has not is listed, and may be new.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aws_cdk.aws_pcs as cfn
from botocore.loaders import Loader
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import pcs_constructs as pcs
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.model import instances
from pcs_constructs.model.slurm import CATALOG_DATE, RELEASES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from enum import Enum

PAGE = Path(__file__).parents[2] / "docs/facts.md"


class Table(NamedTuple):
    """A table of the library beside its source."""

    name: str
    where: str
    source: str
    ours: frozenset[str]
    theirs: frozenset[str]
    left: frozenset[str] = frozenset()
    """What the source has and the library leaves out on purpose."""

    @property
    def contradictions(self) -> list[str]:
        """What the library has and the source has not."""
        return sorted(self.ours - self.theirs)

    @property
    def missing(self) -> list[str]:
        """What the source has and the library has not."""
        return sorted(self.theirs - self.ours - self.left)


def tables() -> Iterator[Table]:
    """Every table that has a source which can be read here."""
    yield from _words("pcs", _PCS)
    yield from _words("fsx", _FSX)
    yield Table(
        "versions of Slurm that clusters are created with",
        "model/slurm.py",
        f"botocore {version('botocore')}, `SchedulerRequest` of pcs; compared on {CATALOG_DATE}",
        frozenset(value for value, release in RELEASES.items() if release.creatable),
        frozenset(_valid_values("pcs", "SchedulerRequest", "version")),
    )
    yield Table(
        "instance types",
        "model/_data/instances.json",
        f"botocore {version('botocore')}, `InstanceType` of ec2; recorded by {instances.source()}",
        frozenset(instances.names()),
        frozenset(_shapes("ec2")["InstanceType"]["enum"]),
        # No node can be one: they are bare-metal Macs.
        frozenset(n for n in _shapes("ec2")["InstanceType"]["enum"] if n.startswith("mac")),
    )
    for type_, names in CREATE_ONLY.items():
        yield Table(
            f"what replaces `{type_}`",
            "analysis/diff/replacement.py",
            f"cfn-lint {version('cfn-lint')}, its schemas",
            frozenset(names),
            frozenset(_create_only(type_)),
        )
    yield Table(
        "properties written by an override",
        "constructs/nodes/node_group.py, constructs/cluster/cluster.py",
        f"aws-cdk-lib {version('aws-cdk-lib')}, which has none of them",
        frozenset(_OVERRIDDEN),
        frozenset(name for name, has in _OVERRIDDEN.items() if not has()),
    )


_PCS: dict[str, tuple[str, Iterable[str] | type[Enum], Iterable[str]]] = {
    "Size": ("model/capacity.py", [size.name for size in pcs.ClusterSize], ()),
    "SpotAllocationStrategy": ("model/capacity.py", pcs.SpotAllocation, ()),
    "PurchaseOption": (
        "model/capacity.py",
        [
            way.purchase_option
            for way in (
                pcs.Capacity.on_demand(),
                pcs.Capacity.spot(),
                pcs.Capacity.block("cr-0123456789abcdef0"),
                pcs.Capacity.interruptible("cr-0123456789abcdef0"),
            )
        ],
        (),
    ),
    "NetworkType": ("model/network_type.py", pcs.NetworkType, ()),
    "HealthMonitoringRepairAction": ("model/health_checks.py", pcs.RepairAction, ()),
    "DeepHealthCheckOnStartRepairAction": ("model/health_checks.py", pcs.RepairAction, ()),
    "DeepHealthCheckOnStartProfile": ("model/health_checks.py", pcs.DeepHealthCheck, ("NONE",)),
    "OnError": ("constructs/nodes/lifecycle.py", pcs.OnError, ()),
    "ExecutionPolicy": ("constructs/nodes/lifecycle.py", pcs.ExecutionPolicy, ()),
    "ScriptCachingPolicy": ("constructs/nodes/lifecycle.py", pcs.ScriptCachingPolicy, ()),
}
_FSX: dict[str, tuple[str, Iterable[str] | type[Enum], Iterable[str]]] = {
    "OntapDeploymentType": ("constructs/storage/ontap.py", pcs.OntapDeploymentType, ()),
    "TieringPolicyName": ("constructs/storage/ontap.py", pcs.OntapTieringPolicy, ()),
    "OpenZFSDeploymentType": ("constructs/storage/openzfs.py", pcs.OpenZfsDeploymentType, ()),
    "OpenZFSDataCompressionType": ("constructs/storage/openzfs.py", pcs.OpenZfsCompression, ()),
    "StorageType": ("constructs/storage/lustre.py", pcs.LustreStorageType, ()),
    "EventType": ("constructs/storage/lustre.py", pcs.RepositoryEvent, ()),
}
_OVERRIDDEN: dict[str, Callable[[], bool]] = {
    "InstanceHealthChecks": lambda: hasattr(cfn.CfnComputeNodeGroup, "instance_health_checks"),
    "SlurmConfiguration.JobSubmitPlugins": lambda: hasattr(
        cfn.CfnCluster, "JobSubmitPluginProperty"
    ),
}


def _words(
    service: str, rows: dict[str, tuple[str, Iterable[str] | type[Enum], Iterable[str]]]
) -> Iterator[Table]:
    for shape, (where, words, left) in rows.items():
        yield Table(
            f"`{shape}`",
            where,
            f"botocore {version('botocore')}, {service}",
            frozenset(word if isinstance(word, str) else str(word.value) for word in words),
            frozenset(_shapes(service)[shape]["enum"]),
            frozenset(left),
        )


def _shapes(service: str) -> dict[str, Any]:
    return Loader().load_service_model(service, "service-2")["shapes"]


def _valid_values(service: str, shape: str, member: str) -> list[str]:
    text = _shapes(service)[shape]["members"][member]["documentation"]
    return re.findall(r"[\d.]+", re.sub("<[^>]+>", "", text).partition("Valid Values:")[2])


def _create_only(type_: str) -> set[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    pointers = {
        pointer.removeprefix("/properties/")
        for kind in ("createOnlyProperties", "conditionalCreateOnlyProperties")
        for pointer in schema.get(kind) or []
    }
    return {p for p in pointers if not any(p.startswith(f"{other}/") for other in pointers)}


def page() -> str:
    """What docs/facts.md says."""
    lines = [
        "<!-- Generated by `make facts`. -->",
        "",
        "# Tables and their sources",
        "",
        "What the library knows of services is in tables, each from a source of a certain day. A",
        "workflow compares them every week with the newest packages; here are the ones that it is",
        "tested with.",
        "",
        "| table | in | source | entries | in the source alone |",
        "|---|---|---|---|---|",
    ]
    for table in tables():
        new = ", ".join(f"`{name}`" for name in table.missing) or ""
        lines.append(
            f"| {table.name} | `{table.where}` | {table.source} | {len(table.ours)} | {new} |"
        )
    return "\n".join([*lines, ""])


def main(arguments: list[str] | None = None) -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/facts.md")
    given = parser.parse_args(arguments)
    if given.write:
        PAGE.write_text(page(), encoding="utf-8")
    failed = False
    for table in tables():
        for word, names in (("contradicts", table.contradictions), ("lacks", table.missing)):
            if names:
                print(f"{table.name} in {table.where} {word} {table.source}: {', '.join(names)}")
        failed |= bool(table.contradictions)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
