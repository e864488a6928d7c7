"""What the values in a template are, as far as that is known before it is deployed."""

from __future__ import annotations

import json
import re
from operator import is_
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.loops import is_loop, unrolled
from pcs_constructs.templates.scenarios import OTHER, Defaults, Other, Scenario, comparison
from pcs_constructs.templates.values import (
    NOTHING,
    as_text,
    blocks,
    calls,
    chosen,
    cut,
    every,
    is_function,
    joined,
    literal,
    some,
    whole,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pcs_constructs.templates.template import Resource, Template

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_OUTPUTS: Final = "Outputs."

STACK_NAME: Final = "AWS::StackName"

FOREIGN: Final = "Fn::ForeignValue"
"""A value of another stack, inside of what is computed here: the number of the stack, the value.

No template has it; it is what is left of a list that one stack passes to another.
"""

_WRITTEN: Final = frozenset(
    (
        ("AWS::EC2::VPC", "CidrBlock"),
        ("AWS::EC2::Subnet", "AvailabilityZone"),
        ("AWS::EC2::Subnet", "CidrBlock"),
        ("AWS::EC2::Subnet", "VpcId"),
    )
)
"""Attributes that are properties of the same name."""

Place = tuple["Template | str", ...]
"""Where a stack or a resource is, in every scenario: a template, and the logical ids inside."""


class Stacks(Protocol):
    """What a stack asks those that belong together with it."""

    deciding: bool
    """Whether a condition is computed at the moment."""

    relied: set[tuple[Template, str]]
    """The parameters whose defaults were taken for their values."""

    stacks: list[Stack]
    """All of them, by their numbers."""

    def nested(self, stack: Stack, logical_id: str) -> Stack | None:
        """The nested stack that a resource of a stack makes, where its template is known."""
        ...

    def exported(self, stack: Stack, name: Any) -> tuple[Stack, Any] | None:
        """The stack that exports something under a name, and what; as a stack would import it."""
        ...

    def stack_name(self, stack: Stack) -> str | None:
        """What a stack is taken to be called, where its name is put into that of an export."""
        ...

    def note(self, stack: Stack, other: Stack) -> None:
        """Remember that a value of one stack comes from another one."""
        ...


class Stack:
    """A stack that a template makes, in one scenario. A nested template makes one for each use.

    Its *reduced* values have no conditions, mappings, and parameters with a known value in them any
    more. What only CloudFormation can compute is left as it is.

    Args:
        template: The template.
        scenario: What is taken for true.
        resolved: All stacks that belong together.
        number: What tells it from the others.
        around: The stack that makes it, where it is a nested one.
        made_by: The resource of that one that makes it.
        certain: Whether it is made in any case.
        passed: Whether it is seen which parameters it is given.
    """

    def __init__(
        self,
        template: Template,
        scenario: Scenario,
        resolved: Stacks,
        number: int,
        *,
        around: Stack | None = None,
        made_by: Resource | None = None,
        certain: bool = True,
        passed: bool = True,
    ) -> None:
        self.template = template
        self.number = number
        self.around = around
        self.made_by = made_by
        self.certain = certain
        self._passed = passed
        self._scenario = scenario
        self._resolved = resolved
        self._conditions: dict[str, bool | Unknown] = {}
        self._parameters: dict[tuple[str, bool], Any] = {}
        self._outputs: dict[tuple[str, bool], Any] = {}
        self._following: set[str] = set()
        self._origins: dict[tuple[str, bool], tuple[Stack, Any]] = {}
        self._looked_up: set[tuple[str, str, str]] = set()
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Cidr": self._cidr,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._zones,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Length": self._length,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": self._json,
        }

    # What others ask.

    @property
    def place(self) -> Place:
        """Where it is, in every scenario: its outermost template, and the logical ids inside."""
        if self.around is None or self.made_by is None:
            return (self.template,)
        return (*self.around.place, self.made_by.logical_id)

    def reduced(self, value: Any) -> Any:
        """A value with everything computed that can be; `None` for `AWS::NoValue`."""
        reduced = self._reduced(value)
        return None if reduced is NOTHING else reduced

    def condition(self, name: str) -> bool | Unknown:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            self._conditions[name] = self._undecided  # of a circle, which CloudFormation refuses
            before, self._resolved.deciding = self._resolved.deciding, True
            try:
                self._conditions[name] = self.holds(self.template.conditions.get(name))
            finally:
                self._resolved.deciding = before
        return self._conditions[name]

    def exists(self, resource: Resource) -> bool | Unknown:
        """Whether a resource of the template is made."""
        return True if resource.condition is None else self.condition(resource.condition)

    def linked(self, value: Any) -> tuple[Stack, Any]:
        """Where a value comes from that another template passes, outputs or exports.

        Returns:
            The stack of that template, and the value there; or this one and the same value.
        """
        if not is_function(value):
            return self, value
        # What leads back to itself, as an export that imports itself, leads nowhere.
        key = repr(value)
        if key in self._following:
            return self, value
        self._following.add(key)
        try:
            there, target = self._linked(value)
        finally:
            self._following.discard(key)
        if there is not self:
            self._resolved.note(self, there)
        return there, target

    def output(self, name: str) -> Any:
        """The value of an output; UNKNOWN where there is none of that name."""
        key = (name, self._resolved.deciding)
        if key not in self._outputs:
            self._outputs[key] = UNKNOWN  # of a circle
            output = self.template.outputs.get(name)
            if output is not None:
                self._outputs[key] = self.reduced(output.get("Value"))
        return self._outputs[key]

    def output_exists(self, output: Mapping[str, Any]) -> bool:
        """Whether an output may be there."""
        condition = output.get("Condition")
        return not isinstance(condition, str) or self.condition(condition) is not False

    def exported_name(self, output: Mapping[str, Any]) -> Any:
        """The name of an export, with what the stack is called in it; `None` if it is none."""
        name = as_mapping(output.get("Export")).get("Name")
        return None if name is None else self._named(self.reduced(name))

    def imports(self, value: Any) -> Iterator[Any]:
        """The names of the exports that a value as it is written imports, at any depth."""
        for call in calls(value):
            if "Fn::ImportValue" in call:
                yield self._named(self.reduced(call["Fn::ImportValue"]))

    def parameters_in(self, value: Any) -> list[str]:
        """The parameters that a value as it is written goes by, at any depth."""
        names: list[str] = []
        for call in calls(value):
            match call:
                case {"Ref": str() as name}:
                    names.append(name)
                case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, *_]}:
                    names += [variable[2].strip() for variable in _VARIABLE.finditer(text)]
                case _:
                    pass
        return [name for name in dict.fromkeys(names) if name in self.template.parameters]

    def said(self, name: str) -> Any:
        """What a parameter is given, or else its default; also where that is only looked up by."""
        default = as_mapping(self.template.parameters.get(name)).get("Default")
        return default if self.around else self._scenario.parameters.get(name, default)

    def looked_up(self, value: Any) -> str | None:
        """The parameter whose value CloudFormation looks up in SSM, where a value is that."""
        there, target = self.linked(value)
        match target:
            case {"Ref": str() as name} if name in there.template.parameters:
                kind = str(as_mapping(there.template.parameters[name]).get("Type", ""))
                return name if _is_looked_up(kind) else None
            case _:
                return None

    def passes(self, name: str) -> Any:
        """What the stack around passes to a parameter, as it is there; `None` for nothing."""
        if self.around is None or self.made_by is None:
            return None
        given = self.made_by.properties.get("Parameters")
        if isinstance(given, dict) and name in given:
            return self.around.reduced(cast("dict[str, Any]", given)[name])
        return within(self.around.reduced(given), name)

    # What it comes from.

    def _linked(self, value: Any) -> tuple[Stack, Any]:
        here: tuple[Stack, Any] = (self, value)
        match value:
            case {"Ref": str() as name} if name in self.template.parameters:
                return self._origin(name, value)
            case {"Fn::GetAtt": [str() as logical_id, str() as attribute]}:
                inside = self._resolved.nested(self, logical_id)
                if inside is None or not attribute.startswith(_OUTPUTS):
                    return here
                name = attribute.removeprefix(_OUTPUTS)
                output = inside.output(name)
                if output is UNKNOWN or output is None:
                    return here
                return inside._output_origin(name, output)
            case {"Fn::ImportValue": name}:
                exported = self._resolved.exported(self, self._named(name))
                return here if exported is None else exported[0].linked(exported[1])
            case {"Fn::ForeignValue": [int() as number, inner]}:
                return self._resolved.stacks[number].linked(inner)
            case _:
                return here

    # Found once each: of a chain of stacks each has all of what the one before it has.

    def _origin(self, parameter: str, value: Any) -> tuple[Stack, Any]:
        """Where the value of a parameter comes from."""
        key = (parameter, self._resolved.deciding)
        if key not in self._origins:
            self._origins[key] = (self, value)  # of what is passed in a circle
            passed = self.passes(parameter)
            if self.around is not None and passed is not None and passed is not UNKNOWN:
                self._origins[key] = self.around.linked(passed)
        return self._origins[key]

    def _output_origin(self, name: str, output: Any) -> tuple[Stack, Any]:
        """Where the value of an output comes from."""
        key = (_OUTPUTS + name, self._resolved.deciding)
        if key not in self._origins:
            self._origins[key] = (self, output)
            self._origins[key] = self.linked(output)
        return self._origins[key]

    def _named(self, value: Any) -> Any:
        """A name with what this stack is called in the place of its own name."""
        match value:
            case {"Ref": "AWS::StackName"} if self.around is None:
                name = self._resolved.stack_name(self)
                return value if name is None else name
            case {"Fn::Join": [str() as between, [*parts]]}:
                return joined(between, map(self._named, parts))
            case _:
                return value

    def _known_elsewhere(self, value: Any) -> Any:
        """The value, where another template that was read tells it."""
        _, target = self.linked(value)
        return value if literal(target) is UNKNOWN else target

    def _foreign(self, there: Stack, value: Any) -> Any:
        """A value of another stack, to be used inside of one of this stack."""
        if there is self or not is_function(value):
            return value
        return {FOREIGN: [there.number, value]}

    # Functions.

    @property
    def _undecided(self) -> bool | Unknown:
        return False if self._scenario.decided else UNKNOWN

    def _reduced(self, value: Any) -> Any:
        # What has nothing to compute in it stays as it is, and is not copied.
        if isinstance(value, list):
            items = cast("list[Any]", value)
            reduced = [self._reduced(item) for item in items]
            if all(map(is_, reduced, items)):
                return items
            return [item for item in reduced if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        entries = cast("dict[str, Any]", value)
        if len(entries) == 1:
            name = next(iter(entries))
            function = self._functions.get(name)
            if function is not None:
                return function(entries[name])
        if any(map(is_loop, entries)):
            unrolled_entries = unrolled(entries, self.template.parameters)
            entries = {name: item for name, item, _ in unrolled_entries}
        reduced = [self._reduced(item) for item in entries.values()]
        if all(map(is_, reduced, entries.values())):
            return entries
        pairs = zip(entries, reduced, strict=True)
        return {name: item for name, item in pairs if item is not NOTHING}

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        value = {"Ref": name}
        if not isinstance(name, str):  # what CloudFormation refuses is for others to tell
            return value
        if name == STACK_NAME and self.around is None and self._scenario.stack_name:
            return self._scenario.stack_name
        if name not in self.template.parameters:
            return value
        key = (name, self._resolved.deciding)
        if key not in self._parameters:
            self._parameters[key] = value  # of what is passed in a circle
            self._parameters[key] = self._parameter(name, value)
        return self._parameters[key]

    def _parameter(self, name: str, value: Any) -> Any:
        declared = as_mapping(self.template.parameters[name])
        kind = str(declared.get("Type", ""))
        is_list = kind.startswith("List<") or kind == "CommaDelimitedList"
        if self.around is not None:
            passed = self.passes(name)
            if passed is not None:
                return self._given(value, passed, is_list=is_list, looked_up=_is_looked_up(kind))
        elif name in self._scenario.parameters:
            pinned = self._scenario.parameters[name]
            known = not isinstance(pinned, Other) and not _is_looked_up(kind)
            return _listed(pinned) if known and is_list else pinned if known else value
        # What SSM parameters are named by is not their value.
        if not self._passed or "Default" not in declared or _is_looked_up(kind):
            return value
        if self.around is None and not self._assumes(name):
            return value
        default = declared["Default"]
        return _listed(default) if is_list else default

    def _given(self, value: Any, passed: Any, *, is_list: bool, looked_up: bool) -> Any:
        """What a parameter is that the stack around passes."""
        if looked_up or passed is UNKNOWN or self.around is None:
            return value
        there, target = self.around.linked(passed)
        if not is_list:
            return value if literal(target) is UNKNOWN else target
        items = cut(target, ",")
        return value if items is None else [self._foreign(there, item) for item in items]

    def _assumes(self, name: str) -> bool:
        """Whether the default of a parameter counts, as nobody gave it a value."""
        defaults = self._scenario.defaults
        if defaults is Defaults.NOWHERE or name in self._scenario.open:
            return False
        if defaults is Defaults.IN_VALUES and self._resolved.deciding:
            return False
        self._resolved.relied.add((self.template, name))
        return True

    def _if(self, value: Any) -> Any:
        match value:
            case [str() as name, then, otherwise]:
                holds = self.condition(name)
                if holds is not UNKNOWN:
                    return self._reduced(then if holds else otherwise)
                branches = (self.reduced(then), self.reduced(otherwise))
                either = chosen(name, *branches)
                return NOTHING if either is None else either
            case _:
                return {"Fn::If": value}

    def _find_in_map(self, value: Any) -> Any:
        keys = self.reduced(value)
        match keys:
            case [str() as name, first, second, *default] if not (
                is_function(first) or is_function(second)
            ):
                row = as_mapping(as_mapping(self.template.mappings.get(name)).get(as_text(first)))
                place = (name, as_text(first), as_text(second))
                if place in self._looked_up:  # a mapping that looks itself up
                    return {"Fn::FindInMap": keys}
                if place[2] in row:
                    self._looked_up.add(place)
                    try:
                        return self._reduced(row[place[2]])
                    finally:
                        self._looked_up.discard(place)
                if default and "DefaultValue" in as_mapping(default[0]):
                    return as_mapping(default[0])["DefaultValue"]
            case _:
                pass
        return {"Fn::FindInMap": keys}

    def _get_att(self, value: Any) -> Any:
        parts: Any = list(value.partition(".")[::2]) if isinstance(value, str) else value
        match parts:
            case [str() as logical_id, str() as attribute]:
                resource = self.template.resources.get(logical_id)
                if resource and (resource.type, attribute) in _WRITTEN:
                    known = self.reduced(resource.properties.get(attribute))
                    if known is not None and literal(known) is not UNKNOWN:
                        return known
            case [str(), dict()]:  # the name of the attribute may be a function
                parts = [parts[0], self.reduced(parts[1])]
            case _:
                pass
        return self._known_elsewhere({"Fn::GetAtt": parts})

    def _import_value(self, value: Any) -> Any:
        return self._known_elsewhere({"Fn::ImportValue": self.reduced(value)})

    def _join(self, value: Any) -> Any:
        match self.reduced(value):
            case [str() as between, [*parts]]:
                return joined(between, parts)
            case reduced:
                return {"Fn::Join": reduced}

    def _select(self, value: Any) -> Any:
        reduced = self.reduced(value)
        match reduced:
            case [int() | str() as index, [*items]]:
                if re.fullmatch(r"[0-9]{1,9}", str(index)) and int(index) < len(items):
                    return items[int(index)]
            case _:
                pass
        return {"Fn::Select": reduced}

    def _split(self, value: Any) -> Any:
        reduced = self.reduced(value)
        match reduced:
            case [str() as between, text] if between:
                there, target = self.linked(text)
                items = cut(target, between)
                if items is not None:
                    return [self._foreign(there, item) for item in items]
            case _:
                pass
        return {"Fn::Split": reduced}

    def _sub(self, value: Any) -> Any:
        match value:
            case str() as pattern:
                own: Mapping[str, Any] = {}
            case [str() as pattern, {} as given]:
                own = cast("Mapping[str, Any]", given)
            case _:
                return {"Fn::Sub": value}
        parts: list[Any] = []
        end = 0
        for variable in _VARIABLE.finditer(pattern):
            parts.append(pattern[end : variable.start()])
            parts.append(
                f"${{{variable[2]}}}" if variable[1] else self._variable(variable[2].strip(), own)
            )
            end = variable.end()
        return joined("", [*parts, pattern[end:]])

    def _variable(self, name: str, own: Mapping[str, Any]) -> Any:
        if name in own:
            return self._reduced(own[name])
        return self._get_att(name) if "." in name else self._ref(name)

    def _cidr(self, value: Any) -> Any:
        reduced = self.reduced(value)
        match reduced:
            case [str() as block, count, *bits]:
                made = blocks(block, whole(count), whole(bits[0]) if bits else 8)
                if made is not None:
                    return made
            case _:
                pass
        return {"Fn::Cidr": reduced}

    def _zones(self, value: Any) -> Any:
        region = self.reduced(value)
        return {"Fn::GetAZs": "" if region == {"Ref": "AWS::Region"} else region}

    def _length(self, value: Any) -> Any:
        reduced = self.reduced(value)
        return len(cast("Any", reduced)) if isinstance(reduced, list) else {"Fn::Length": reduced}

    def _json(self, value: Any) -> Any:
        reduced = self.reduced(value)
        if literal(reduced) is UNKNOWN:
            return {"Fn::ToJsonString": reduced}
        return json.dumps(reduced, separators=(",", ":"))

    # Conditions.

    def holds(self, expression: Any) -> bool | Unknown:
        """Whether an expression holds, as conditions and the assertions of rules have them."""
        match expression:
            case {"Condition": str() as name}:
                return self.condition(name)
            case {"Fn::And": [*parts]}:
                return every(self.holds(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return some(self.holds(part) for part in parts)
            case {"Fn::Not": [part]}:
                inner = self.holds(part)
                return UNKNOWN if inner is UNKNOWN else not inner
            case {"Fn::Equals": [left, right]}:
                return self._equal(left, right)
            case _:
                return self._scenario.comparisons.get(comparison([expression]), self._undecided)

    def _equal(self, left: Any, right: Any) -> bool | Unknown:
        one, other = self.reduced(left), self.reduced(right)
        if literal(one) is not UNKNOWN and literal(other) is not UNKNOWN:
            return as_text(one) == as_text(other)
        # A parameter that has a value which no condition names is equal to none of them.
        sides = (as_mapping(side).get("Ref") for side in (left, right))
        if any(self._scenario.parameters.get(str(side)) is OTHER for side in sides):
            return False
        key = comparison([left, right])
        return True if one == other else self._scenario.comparisons.get(key, self._undecided)


def _is_looked_up(kind: str) -> bool:
    return kind.startswith("AWS::SSM::")


def _listed(value: Any) -> list[str]:
    return [part.strip() for part in as_text(value).split(",")]
