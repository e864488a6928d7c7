"""What is wrong in templates: the records, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from pcs_constructs import rules
from pcs_constructs.model.errors import fix_in_template
from pcs_constructs.model.file_systems import PARTS, RESOURCES
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.evidence import written
from pcs_constructs.templates.facts.judged import judged
from pcs_constructs.templates.nesting import Nesting
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.scenarios import Given, Scenarios, scenarios
from pcs_constructs.templates.template import followed
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE, STACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pcs_constructs.model.errors import Problem
    from pcs_constructs.templates.facts.evidence import Location
    from pcs_constructs.templates.scenarios import Scenario
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

    source: tuple[str, int] | None = None
    """The file and the line of the program that made the resource, where the CDK kept them."""

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


@dataclass(slots=True)
class _Found:
    finding: Finding
    order: tuple[int, int, str]
    variants: set[_Variant] = field(default_factory=set["_Variant"])


class _Variant(NamedTuple):
    """A combination of one template's conditions; that of all defaults where there is no number."""

    template: Template | None = None
    number: int = 0


_DEFAULTS: Final = _Variant()


def check(
    together: Sequence[Template], *, today: str = CATALOG_DATE, given: Given | None = None
) -> Result:
    """Find everything that is wrong in templates that belong together.

    Args:
        together: The templates.
        today: The day by which versions of Slurm are judged, as an ISO date. By default the one on
            which the library's table of them was made.
        given: What is said of the deployment: values of parameters, names of stacks. By default
            nothing is: then the defaults of parameters and the values that they allow are judged.

    Raises:
        TemplateError: They refer to each other in a longer chain than can be followed.
    """
    with followed(*together):
        return _Check(together, today, given or Given()).result()


class _Check:
    def __init__(self, together: Sequence[Template], today: str, given: Given) -> None:
        self._together = together
        self._today = today
        self._nesting = Nesting(together)
        self._places = {template: place for place, template in enumerate(together)}
        types = JUDGED | {STACK}
        self._combinations = _shared(
            {
                template: scenarios(template, types, self._passed(template), given)
                for template in together
            }
        )
        self._first = {t: each.scenarios[0] for t, each in self._combinations.items()}
        self._violations: dict[tuple[object, ...], _Found] = {}
        self._rows: dict[Template, list[dict[str, str]]] = {}

    def result(self) -> Result:
        defaults = self._resolved(self._together, self._first)
        self._collect(judged(defaults), _DEFAULTS)
        notes: list[str] = []
        for template, each in self._combinations.items():
            if defaults.stacks_of(template):
                self._vary(template, each, defaults)
            if each.total > len(each.scenarios):
                notes.append(
                    f"{_label(template)}: {len(each.scenarios)} of {each.total} combinations of "
                    "conditions were looked at, those nearest to the defaults"
                )
        found = sorted(self._violations.values(), key=lambda one: one.order)
        return Result(
            findings=tuple(_under(one.finding, self._when(one)) for one in found),
            templates=len(self._together),
            resources=sum(len(template.resources) for template in self._together),
            notes=tuple(notes),
        )

    def _vary(self, template: Template, each: Scenarios, defaults: ResolvedTemplates) -> None:
        """Judge a template, and what is nested in it, in its other combinations."""
        self._rows[template] = [_row(defaults, template, each, 0)]
        if len(each.scenarios) == 1:
            return
        near = defaults.neighbours(template)
        for i, scenario in enumerate(each.scenarios[1:], start=1):
            around = [*near, *self._nesting.inside(template).difference(near)]
            around.sort(key=self._places.__getitem__)
            resolved = self._resolved(around, {**self._first, template: scenario})
            own = {template, *resolved.inside(template)}
            self._collect(
                ((place, p) for place, p in judged(resolved) if place.resource.template in own),
                _Variant(template, i),
            )
            self._rows[template].append(_row(resolved, template, each, i))

    def _resolved(
        self, together: Sequence[Template], chosen: Mapping[Template, Scenario]
    ) -> ResolvedTemplates:
        own = {template: chosen[template] for template in together}
        return ResolvedTemplates(together, own, today=self._today, nesting=self._nesting)

    def _passed(self, template: Template) -> frozenset[str]:
        """The parameters that the stacks around a nested one give values."""
        return frozenset(
            name
            for stack in self._nesting.makers.get(template, ())
            for name in as_mapping(stack.properties.get("Parameters"))
        )

    def _collect(self, broken: Iterator[tuple[Location, Problem]], variant: _Variant) -> None:
        for location, problem in broken:
            resource = location.resource.declared
            key = (resource, location.path, problem.code, problem.message)
            if key not in self._violations:
                finding = _finding(resource, location, problem)
                place = self._places[resource.template]
                self._violations[key] = _Found(finding, (place, finding.line or 0, problem.code))
            self._violations[key].variants.add(variant)

    def _when(self, one: _Found) -> str | None:
        """When something is wrong: by its own template's conditions, or of one around it."""
        by_template: dict[Template, set[int]] = {}
        for variant in one.variants:
            if variant.template is not None:
                by_template.setdefault(variant.template, set()).add(variant.number)
        own = self._together[one.order[0]]
        always = _DEFAULTS in one.variants
        if always and own in self._rows:
            return _when({0, *by_template.get(own, ())}, self._rows[own])
        if always or not by_template:
            return None
        template = own if own in by_template else next(iter(by_template))
        return _when(by_template[template], self._rows[template])


def _shared(combinations: dict[Template, Scenarios]) -> dict[Template, Scenarios]:
    """As many combinations of each template as there is time for: in each some are looked at."""
    resources = sum(one.type in JUDGED for t in combinations for one in t.resources.values())
    undecided = sum(each.total > 1 for each in combinations.values())
    bound = max(_FEWEST, _WORK // max(resources * undecided, 1))
    return {
        template: each._replace(scenarios=each.scenarios[:bound])
        for template, each in combinations.items()
    }


def _finding(resource: Resource, location: Location, problem: Problem) -> Finding:
    template = resource.template
    path = location.path
    place = (
        path if location.outside else (*resource.place, *(("Properties", *path) if path else ()))
    )
    return Finding(
        template=_label(template),
        resource=resource.logical_id,
        path=resource.path,
        source=resource.source,
        property=written(path),
        line=template.document.line(place) if template.document else None,
        code=problem.code,
        level=rules.RULES[problem.code].level,
        message=problem.message,
        fix=fix_in_template(problem),
    )


def _label(template: Template) -> str:
    file: Path | None = template.file
    return template.name if file is None else file.as_posix()


def _under(finding: Finding, condition: str | None) -> Finding:
    return finding if condition is None else replace(finding, condition=condition)


def _row(
    resolved: ResolvedTemplates, template: Template, each: Scenarios, number: int
) -> dict[str, str]:
    """How the conditions and the parameters that they look at come out in a combination."""
    if len(each.scenarios) == 1:
        return {}
    stack = resolved.stacks_of(template)[0]
    row = {name: name if stack.condition(name) else f"not {name}" for name in each.conditions}
    for name, value in each.scenarios[number].parameters.items():
        row[f"={name}"] = f"{name} is {value}" if isinstance(value, str) else f"{name} is another"
    return row


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
