"""Which combinations of a template's conditions there can be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pcs_constructs.templates.document import as_list, as_mapping
from pcs_constructs.templates.values import as_text

if TYPE_CHECKING:
    from pcs_constructs.templates.template import Template

BOUND: Final = 64
"""How many combinations of conditions are looked at, those nearest to the defaults first."""

_WORK: Final = 6_000  # resources times combinations, for a second or so
_FEWEST: Final = 8


class Defaults(Enum):
    """Where a parameter that nobody gave a value has its default."""

    EVERYWHERE = "everywhere"
    """In values and in conditions."""

    IN_VALUES = "in values"
    """In values; what a condition says is not known, as people choose by it."""

    NOWHERE = "nowhere"
    """Nowhere: what is seen is sure whatever is deployed."""


class Other:
    """The value of a parameter of which only is known that a condition does not name it."""


OTHER: Final = Other()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is taken for true where a template leaves it open."""

    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The values of parameters that conditions look at."""

    comparisons: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """How comparisons end of which neither side is known, by what they compare."""

    decided: bool = True
    """Whether other comparisons are taken to be false; else it is not known what they are."""

    defaults: Defaults = Defaults.EVERYWHERE
    """Where parameters have their defaults."""

    open: frozenset[str] = frozenset()
    """Parameters that have no value nonetheless."""

    stack_name: str | None = None
    """What the stack is called, where somebody said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody says of a deployment."""

    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of parameters, in every template that has one of the name."""

    stack_names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What stacks are called, by the files of their templates or the names of those."""

    def parameters_of(self, template: Template) -> dict[str, str]:
        """The values of the parameters of a template."""
        values = {n: value for n, value in self.parameters.items() if n in template.parameters}
        for stack in _names(template):
            for name in template.parameters:
                if (own := f"{stack}:{name}") in self.parameters:
                    values[name] = self.parameters[own]
        return values

    def unknown(self, templates: Sequence[Template]) -> list[str]:
        """What is said that no template has, or that one does not allow."""
        problems: list[str] = []
        known = {
            name
            for template in templates
            for parameter in template.parameters
            for name in (parameter, *(f"{stack}:{parameter}" for stack in _names(template)))
        }
        problems += [
            f"{name}: no template has a parameter of this name"
            for name in self.parameters
            if name not in known
        ]
        stacks = {name for template in templates for name in _names(template)}
        problems += [
            f"{name}: no template is called so" for name in self.stack_names if name not in stacks
        ]
        for template in templates:
            for name, value in self.parameters_of(template).items():
                allowed = as_list(template.parameters[name].get("AllowedValues", []))
                if allowed and value not in (texts := [as_text(each) for each in allowed]):
                    words = f"{name}: {template.file_name} allows {', '.join(texts)}, not {value}"
                    problems.append(words)
        return problems

    def scenario(
        self,
        template: Template,
        *,
        decided: bool = False,
        defaults: Defaults = Defaults.EVERYWHERE,
        open_: frozenset[str] = frozenset(),
    ) -> Scenario:
        """What is taken for true of a template where no combinations are looked at."""
        return Scenario(
            parameters=self.parameters_of(template),
            decided=decided,
            defaults=defaults,
            open=open_,
            stack_name=self.stack_name(template),
        )

    def stack_name(self, template: Template) -> str | None:
        """What the stack of a template is called, if that is said."""
        said = (self.stack_names[n] for n in _names(template) if n in self.stack_names)
        return next(said, None)


def _names(template: Template) -> tuple[str, ...]:
    """What people call a template, or its stack."""
    file = template.file
    files = (file.as_posix(), file.name) if file else ()
    return tuple(dict.fromkeys((template.name, template.stack_name, template.title, *files)))


class Scenarios(NamedTuple):
    """The combinations that are looked at."""

    scenarios: tuple[Scenario, ...]
    """The one with all defaults first."""

    conditions: tuple[str, ...]
    """The names of the conditions that matter."""

    total: int
    """How many combinations there are."""


def scenarios(
    template: Template, types: frozenset[str], passed: frozenset[str], given: Given
) -> Scenarios:
    """The combinations of conditions that decide about resources of some types.

    Args:
        template: The template.
        types: The types of the resources.
        passed: Parameters whose values the stack around gives.
        given: What somebody says of the deployment.
    """
    own = given.parameters_of(template)
    fixed = passed | own.keys()
    named = sorted(_conditions_of(template, types))
    literals: dict[str, list[str]] = {}
    opaque: dict[str, None] = {}
    for name in named:
        for equals in _comparisons(template.conditions.get(name)):
            _sort(equals, literals, opaque, fixed)
    choices: list[tuple[str, list[Any]]] = [
        (name, _candidates(template, name, texts)) for name, texts in literals.items()
    ]
    first: list[Any] = [values[0] for _, values in choices] + [False for _ in opaque]
    others: list[list[Any]] = [values[1:] for _, values in choices] + [[True] for _ in opaque]
    total = 1
    for values in others:
        total *= 1 + len(values)
    chosen = [
        _scenario(given, template, [name for name, _ in choices], list(opaque), values)
        for values in islice(_nearest_first(first, others), _bound(template, types))
    ]
    kept = [each for each in chosen if not _is_refused(template, each)] or [chosen[0]]
    return Scenarios(tuple(kept), tuple(named), total - len(chosen) + len(kept))


def _is_refused(template: Template, scenario: Scenario) -> bool:
    """Whether the `Rules` of a template refuse a scenario, by the parameters that it has."""
    for rule in as_mapping(template.content.get("Rules")).values():
        condition = as_mapping(rule).get("RuleCondition")
        if condition is not None and _follows(condition, scenario) is not True:
            continue
        assertions = as_mapping(rule).get("Assertions")
        for each in cast("list[object]", assertions if isinstance(assertions, list) else []):
            if _follows(as_mapping(each).get("Assert"), scenario) is False:
                return True
    return False


def _follows(expression: Any, scenario: Scenario) -> bool | None:
    """Whether an expression of a rule is true; `None` where that is not known."""
    match expression:
        case {"Fn::Not": [inner]}:
            reduced = _follows(inner, scenario)
            return None if reduced is None else not reduced
        case {"Fn::And": [*parts]}:
            return _all(_follows(part, scenario) for part in parts)
        case {"Fn::Or": [*parts]}:
            return _any(_follows(part, scenario) for part in parts)
        case {"Fn::Equals": [one, other]}:
            return _is_same(_value(one, scenario), _value(other, scenario))
        case {"Fn::Contains": [[*items], one]}:
            value = _value(one, scenario)
            return _any(_is_same(_value(item, scenario), value) for item in items)
        case _:
            return None


def _all(answers: Iterable[bool | None]) -> bool | None:
    distinct = set(answers)
    return False if False in distinct else None if None in distinct else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    distinct = set(answers)
    return True if True in distinct else None if None in distinct else False


def _is_same(one: str | None, other: str | None) -> bool | None:
    return None if one is None or other is None else one == other


def _value(value: Any, scenario: Scenario) -> str | None:
    """A text, or what a parameter is in a scenario; `None` where that is not known."""
    match value:
        case {"Ref": str() as name}:
            assumed = scenario.parameters.get(name, OTHER)
            return None if isinstance(assumed, Other) else as_text(assumed)
        case dict() | list() | None:
            return None
        case _:
            return as_text(value)


def _bound(template: Template, types: frozenset[str]) -> int:
    """How many combinations of a template are looked at: fewer of a large one."""
    resources = sum(resource.type in types for resource in template.resources.values())
    return min(BOUND, max(_FEWEST, _WORK // max(resources, 1)))


def _scenario(
    given: Given, template: Template, parameters: list[str], opaque: list[str], values: list[Any]
) -> Scenario:
    return Scenario(
        parameters={
            **given.parameters_of(template),
            **dict(zip(parameters, values, strict=False)),
        },
        comparisons=dict(zip(opaque, values[len(parameters) :], strict=True)),
        stack_name=given.stack_name(template),
    )


def _nearest_first(first: list[Any], others: list[list[Any]]) -> Iterator[list[Any]]:
    """Every combination, those before that differ from the first in fewer places."""
    places = range(len(first))
    for changes in range(len(first) + 1):
        for chosen in combinations(places, changes):
            for values in product(*(others[place] for place in chosen)):
                combination = list(first)
                for place, value in zip(chosen, values, strict=True):
                    combination[place] = value
                yield combination


def _conditions_of(template: Template, types: frozenset[str]) -> set[str]:
    """The conditions that resources of these types depend on, through others as well."""
    there = template.conditions
    if not there:
        return set()
    pending: list[str] = []
    for resource in template.resources.values():
        if resource.type in types:
            whole = resource.whole
            pending += [str(whole["Condition"])] if "Condition" in whole else []
            pending += _ifs(resource.properties)
    names: set[str] = set()
    while pending:
        name = pending.pop()
        if name in there and name not in names:
            names.add(name)
            pending += conditions_in(there[name])
    return names


def _ifs(value: object) -> Iterator[str]:
    for inner in _walk(value):
        arguments = _arguments(inner, "Fn::If", 3)
        if arguments and isinstance(arguments[0], str):
            yield arguments[0]


def conditions_in(expression: object) -> Iterator[str]:
    """The conditions that an expression names."""
    for inner in _walk(expression):
        name = as_mapping(inner).get("Condition")
        if isinstance(name, str):
            yield name


def _comparisons(expression: object) -> Iterator[tuple[Any, Any]]:
    for inner in _walk(expression):
        arguments = _arguments(inner, "Fn::Equals", 2)
        if arguments:
            yield arguments[0], arguments[1]


def _arguments(value: object, function: str, count: int) -> list[Any]:
    mapping = as_mapping(value).get(function)
    items = cast("list[Any]", mapping) if isinstance(mapping, list) else []
    return items if len(items) == count else []


def _walk(value: object) -> Iterator[object]:
    pending = [value]
    while pending:
        inner = pending.pop()
        yield inner
        if isinstance(inner, Mapping):
            pending.extend(cast("Mapping[str, object]", inner).values())
        elif isinstance(inner, list):
            pending.extend(cast("list[object]", inner))


def _sort(
    equals: tuple[Any, Any],
    literals: dict[str, list[str]],
    opaque: dict[str, None],
    fixed: frozenset[str],
) -> None:
    """Keep what a parameter is compared with, or that a comparison has no known side."""
    for one, other in (equals, equals[::-1]):
        match one:
            case {"Ref": str() as name} if not isinstance(other, (dict, list)):
                if name not in fixed:
                    texts = literals.setdefault(name, [])
                    if as_text(other) not in texts:
                        texts.append(as_text(other))
                return
            case _:
                pass
    if any(isinstance(side, (dict, list)) for side in equals):
        opaque[comparison(equals)] = None


def comparison(equals: Sequence[Any]) -> str:
    """A name for a comparison, by what it compares, whichever side comes first."""
    return " ".join(sorted(json.dumps(side, sort_keys=True) for side in equals))


def _candidates(template: Template, name: str, literals: list[str]) -> list[Any]:
    """The values of a parameter that make a difference, the default first."""
    parameter = as_mapping(as_mapping(template.content.get("Parameters")).get(name))
    values = parameter.get("AllowedValues")
    allowed = [as_text(v) for v in cast("list[object]", values if isinstance(values, list) else [])]
    candidates: list[Any] = [as_text(parameter["Default"])] if "Default" in parameter else []
    candidates += [literal for literal in literals if not allowed or literal in allowed]
    rest = [value for value in allowed if value not in literals]
    if len(rest) == 1:
        candidates += rest
    elif rest or not allowed:
        # A default that no condition names stands for all other values.
        candidates += [] if candidates[:1] and candidates[0] not in literals else [OTHER]
    return list(dict.fromkeys(candidates))
