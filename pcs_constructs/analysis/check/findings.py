"""What is wrong in templates: the records, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model.file_systems import PARTS, RESOURCES
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.clusters import (
    address_evidence,
    cluster_evidence,
    environment_evidence,
    members_evidence,
    version_problems,
)
from pcs_constructs.templates.facts.evidence import Evidence, Location, written
from pcs_constructs.templates.facts.identity import identity_evidence, parameter_evidence
from pcs_constructs.templates.facts.mounts import mount_evidence
from pcs_constructs.templates.facts.networks import network_evidence
from pcs_constructs.templates.facts.node_groups import node_group_evidence
from pcs_constructs.templates.facts.queues import queue_evidence
from pcs_constructs.templates.facts.resources import code_evidence, resource_evidence
from pcs_constructs.templates.facts.storage import storage_evidence
from pcs_constructs.templates.members import Membership
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.scenarios import Scenario, Scenarios, scenarios
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pcs_constructs.model.errors import Problem
    from pcs_constructs.templates.template import Resource, Template

_WORK: Final = 6_000  # resources times combinations of all templates, for a second or so
_FEWEST: Final = 8

JUDGED: Final = frozenset(
    (
        "AWS::EC2::CapacityReservation",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::PlacementGroup",
        "AWS::EC2::Route",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::Lambda::Function",
        *RESOURCES,
        *PARTS,
        CLUSTER,
        NODE_GROUP,
        QUEUE,
    )
)
"""The types of resources that anything is read of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule in a template."""

    template: str
    """The file, or the name of the template where it was read from none."""

    resource: str
    """The logical id."""

    path: str | None
    """The path of the construct that made it, where the CDK wrote it down."""

    property: str
    """The property, such as `Networking.SubnetIds`; empty for the resource itself."""

    line: int | None
    """The line of the property in the file, or of what it would be in."""

    code: str
    """The code of the rule."""

    level: rules.Level
    """How bad it is."""

    message: str
    """What is wrong, with the value found."""

    fix: str
    """What to write instead."""

    condition: str | None = None
    """When it is so, where conditions decide: `IsLarge and not HasVpc`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check came to."""

    findings: tuple[Finding, ...]
    """Everything found, in the order of the templates and their lines."""

    templates: int = 0
    """How many templates were read."""

    resources: int = 0
    """How many resources they have."""

    notes: tuple[str, ...] = ()
    """What was not looked at."""

    unused: tuple[str, ...] = ()
    """Suppressions that suppress nothing."""

    suppressed: int = 0
    """How many findings are not among them because somebody gave a reason."""


_Key = tuple[int, str, Location, str, str]


@dataclass(slots=True)
class _Found:
    finding: Finding
    order: tuple[int, int, str]
    scenarios: set[int] = field(default_factory=set[int])


def check(together: list[Template], *, today: str = CATALOG_DATE) -> Result:
    """Find everything that is wrong in templates that belong together.

    Args:
        together: The templates.
        today: The day by which versions of Slurm are judged, as an ISO date. By default the one on
            which the library's table of them was made.
    """
    violations: list[_Found] = []
    notes: list[str] = []
    everything: list[Scenarios] = [
        scenarios(template, JUDGED, _given_parameters(template)) for template in together
    ]
    everything = _shared(everything, together)
    first = {i: each.scenarios[0] for i, each in enumerate(everything)}
    whole = ResolvedTemplates(together, first, today=today)
    by_template: dict[int, dict[tuple[object, ...], _Found]] = {}
    _collect(_judged(whole), 0, together, by_template)
    for number, (template, each) in enumerate(zip(together, everything, strict=True)):
        for i, scenario in enumerate(each.scenarios[1:], start=1):
            resolved = ResolvedTemplates(together, {**first, number: scenario}, today=today)
            only = (
                (location, p) for location, p in _judged(resolved) if _is_of(location, template)
            )
            _collect(only, i, together, by_template)
        if each.total > len(each.scenarios):
            notes.append(
                f"{_label(template)}: {len(each.scenarios)} of {each.total} combinations of "
                "conditions were looked at, those nearest to the defaults"
            )
        table = _table(template, together, first, number, each)
        for one in by_template.get(id(template), {}).values():
            when = _when(one.scenarios, table)
            violations.append(_Found(_under(one.finding, when), one.order))
    violations.sort(key=lambda one: one.order)
    return Result(
        findings=tuple(one.finding for one in violations),
        templates=len(together),
        resources=sum(len(template.resources) for template in together),
        notes=tuple(notes),
    )


def _shared(everything: list[Scenarios], together: list[Template]) -> list[Scenarios]:
    """As many combinations of each template as there is time for: in each all are looked at."""
    resources = sum(one.type in JUDGED for t in together for one in t.resources.values())
    undecided = sum(each.total > 1 for each in everything)
    bound = max(_FEWEST, _WORK // max(resources * undecided, 1))
    return [each._replace(scenarios=each.scenarios[:bound]) for each in everything]


def _given_parameters(template: Template) -> frozenset[str]:
    """The parameters that the stacks around a nested one give values."""
    stacks = template.stacks_around()
    return frozenset(name for stack in stacks for name in as_mapping(stack.get("Parameters")))


def _is_of(location: Location, template: Template) -> bool:
    return location.resource.declared.template is template


def evidence(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """Everything that the rules can judge in a scene."""
    membership = Membership(resolved)
    yield from resource_evidence(membership)
    for cluster in membership.clusters:
        yield from cluster_evidence(cluster)
    for group in membership.groups:
        yield from node_group_evidence(group, membership)
    for queue in membership.queues:
        yield from queue_evidence(queue, membership)
    for about_all in _ABOUT_ALL:
        yield from about_all(membership)
    yield from storage_evidence(resolved)
    yield from code_evidence(resolved)
    yield from parameter_evidence(list(resolved.resources.values()))


_ABOUT_ALL: Final[Sequence[Callable[[Membership], Iterator[Evidence]]]] = (
    members_evidence,
    environment_evidence,
    address_evidence,
    network_evidence,
    identity_evidence,
    mount_evidence,
)


def _judged(resolved: ResolvedTemplates) -> Iterator[tuple[Location, Problem]]:
    for each in evidence(resolved):
        for problem in (*rules.errors_in(each.facts), *rules.advice_on(each.facts)):
            yield each.location(problem.code, problem.argument), problem
    for cluster in resolved.of_type(CLUSTER):
        for problem in version_problems(cluster):
            yield Location(cluster, ("Scheduler", "Version")), problem


def _collect(
    judged: Iterator[tuple[Location, Problem]],
    scenario: int,
    together: list[Template],
    violations: dict[int, dict[tuple[object, ...], _Found]],
) -> None:
    for (resolved, path, outside), problem in judged:
        resource = resolved.declared
        key = (resource.logical_id, path, problem.code, problem.message)
        there = violations.setdefault(id(resource.template), {})
        if key not in there:
            finding = _finding(resource, path, problem, outside=outside)
            order = (together.index(resource.template), finding.line or 0, problem.code)
            there[key] = _Found(finding, order)
        there[key].scenarios.add(scenario)


def _finding(
    resource: Resource, path: tuple[str | int, ...], problem: Problem, *, outside: bool
) -> Finding:
    template = resource.template
    place = path if outside else ("Resources", resource.logical_id, "Properties", *path)
    if not path:
        place = ("Resources", resource.logical_id)
    return Finding(
        template=_label(template),
        resource=resource.logical_id,
        path=resource.path,
        property=written(path),
        line=template.document.line(place) if template.document else None,
        code=problem.code,
        level=rules.RULES[problem.code].level,
        message=problem.message,
        fix=problem.fix_in_template,
    )


def _label(template: Template) -> str:
    file: Path | None = template.file
    return template.name if file is None else file.as_posix()


def _under(finding: Finding, condition: str | None) -> Finding:
    return finding if condition is None else replace(finding, condition=condition)


def _table(
    template: Template,
    together: list[Template],
    first: dict[int, Scenario],
    number: int,
    each: Scenarios,
) -> list[dict[str, str]]:
    """For each scenario, how the conditions and the parameters that they look at come out."""
    if len(each.scenarios) == 1:
        return [{}]
    rows: list[dict[str, str]] = []
    for scenario in each.scenarios:
        evaluation = ResolvedTemplates(together, {**first, number: scenario}).evaluation(template)
        row = {
            name: name if evaluation.condition(name) else f"not {name}" for name in each.conditions
        }
        for name, value in scenario.parameters.items():
            row[f"={name}"] = (
                f"{name} is {value}" if isinstance(value, str) else f"{name} is another"
            )
        rows.append(row)
    return rows


def _when(where: set[int], table: list[dict[str, str]]) -> str | None:
    """The shortest words for the scenarios in which something is wrong; `None` for all."""
    if len(where) == len(table):
        return None
    own = [table[i] for i in sorted(where)]
    common = [word for name, word in own[0].items() if all(row.get(name) == word for row in own)]
    for size in (1, 2, 3):
        for words in combinations(common, size):
            there = {i for i, row in enumerate(table) if set(words) <= set(row.values())}
            if there == where:
                return " and ".join(words)
    if common:
        return " and ".join(common)
    return " or ".join(dict.fromkeys(" and ".join(row.values()) for row in own[:2]))
