"""What the values in a template are, as far as that is known before it is deployed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.scenarios import OTHER, Other, Scenario, comparison, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pcs_constructs.templates.template import Resource, Template

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_PLACEHOLDER: Final = "${?}"


class _Nothing:
    """What `AWS::NoValue` is: the property is not there."""


_NOTHING: Final = _Nothing()


def is_function(value: object) -> bool:
    """Whether a reduced value is left for CloudFormation to compute."""
    if not isinstance(value, Mapping) or len(cast("Mapping[str, Any]", value)) != 1:
        return False
    name = next(iter(cast("Mapping[str, Any]", value)))
    return name == "Ref" or name.startswith("Fn::")


def literal(value: Any) -> Any:
    """A reduced value where all of it is known, else UNKNOWN."""
    if isinstance(value, str):
        return UNKNOWN if "{{resolve:" in value else value
    if isinstance(value, list):
        items = [literal(item) for item in cast("list[Any]", value)]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    if isinstance(value, Mapping):
        if is_function(cast("object", value)):
            return UNKNOWN
        inner = {name: literal(v) for name, v in cast("Mapping[str, Any]", value).items()}
        return UNKNOWN if any(item is UNKNOWN for item in inner.values()) else inner
    return value


def sketch(value: Any) -> str | None:
    """A text with `${?}` for each part that is not known; `None` where it is no text at all."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return text(value)
        case {"Fn::Join": [str() as between, [*parts]]}:
            return between.join(sketch(part) or "" for part in parts)
        case _:
            return _PLACEHOLDER if is_function(value) else None


class Evaluation:
    """The values of one template in one scenario.

    A *reduced* value has no conditions, mappings, and parameters with a known value in it any more.
    What only CloudFormation can compute is left as it is: a `Ref` of a resource, for example.

    Args:
        template: The template.
        scenario: What is taken for true.
        others: Gives the evaluation of a template that was read together with it.
    """

    def __init__(
        self,
        template: Template,
        scenario: Scenario,
        others: Callable[[Template], Evaluation],
    ) -> None:
        self.template = template
        self._scenario = scenario
        self._others = others
        self._conditions: dict[str, bool] = {}
        self._followed: set[str] = set()
        self._looked_up: set[tuple[str, str, str]] = set()
        self._parameters = as_mapping(template.content.get("Parameters"))
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }

    @cached_property
    def _stacks_around(self) -> list[Resource]:
        return self.template.stacks_around()

    def reduced(self, value: Any) -> Any:
        """A value with everything computed that can be; `None` for `AWS::NoValue`."""
        reduced = self._reduced(value)
        return None if reduced is _NOTHING else reduced

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            self._conditions[name] = False  # of a circle, which CloudFormation refuses
            expression = as_mapping(self.template.content.get("Conditions")).get(name)
            self._conditions[name] = self._holds(expression)
        return self._conditions[name]

    def exists(self, resource: Resource) -> bool:
        """Whether a resource of the template is made."""
        name = resource.whole.get("Condition")
        return not isinstance(name, str) or self.condition(name)

    def linked(self, value: Any) -> tuple[Evaluation, Any]:
        """Where a value comes from that another template passes, outputs or exports.

        Returns:
            The evaluation of that template, and the value there; or this one and the same value.
        """
        # What leads back to itself, as an export that imports itself, leads nowhere.
        key = repr(value) if is_function(value) else ""
        if not key or key in self._followed:
            return self, value
        self._followed.add(key)
        try:
            return self._linked(value)
        finally:
            self._followed.discard(key)

    def _linked(self, value: Any) -> tuple[Evaluation, Any]:
        here: tuple[Evaluation, Any] = (self, value)
        match value:
            case {"Ref": str() as name} if name in self._parameters:
                stack = self._stacks_around[0] if len(self._stacks_around) == 1 else None
                if stack is None or stack.get("Parameters", name) is None:
                    return here
                around = self._others(stack.template)
                return around.linked(around.reduced(stack.get("Parameters", name)))
            case {"Fn::GetAtt": [str() as logical_id, str() as attribute]}:
                stack = self.template.resources.get(logical_id)
                nested = stack and self.template.nested(stack)
                if nested is None or not attribute.startswith("Outputs."):
                    return here
                inside = self._others(nested)
                if len(inside._stacks_around) > 1:  # the outputs of one are not those of another
                    return here
                output = as_mapping(nested.content.get("Outputs")).get(attribute[8:])
                if output is None:
                    return here
                return inside.linked(inside.reduced(as_mapping(output).get("Value")))
            case {"Fn::ImportValue": name}:
                return self._exported(name) or here
            case _:
                return here

    def _exported(self, name: Any) -> tuple[Evaluation, Any] | None:
        exports: list[tuple[Evaluation, Any]] = []
        for other in self.template.together:
            there = self._others(other)
            for output in as_mapping(other.content.get("Outputs")).values():
                export = as_mapping(as_mapping(output).get("Export")).get("Name")
                if export is not None and there.reduced(export) == name:
                    exports.append((there, as_mapping(output).get("Value")))
        exported = self.template.nearest(exports, lambda one: one[0].template)
        if exported is None:
            return None
        there, value = exported
        return there.linked(there.reduced(value))

    def _reduced(self, value: Any) -> Any:
        if isinstance(value, list):
            reduced = [self._reduced(item) for item in cast("list[Any]", value)]
            return [item for item in reduced if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        items = cast("dict[str, Any]", value)
        if len(items) == 1:
            name = next(iter(items))
            function = self._functions.get(name)
            if function is not None:
                return function(items[name])
        reduced = {name: self._reduced(item) for name, item in items.items()}
        return {name: item for name, item in reduced.items() if item is not _NOTHING}

    def _known_elsewhere(self, value: Any) -> Any:
        """The value, where another template that was read tells it."""
        _, target = self.linked(value)
        return value if literal(target) is UNKNOWN else target

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        value = {"Ref": name}
        if not isinstance(name, str):  # what CloudFormation refuses is for others to tell
            return value
        if name in self._scenario.parameters:
            pinned = self._scenario.parameters[name]
            return value if isinstance(pinned, Other) else self._listed(name, pinned)
        if name not in self._parameters:
            return value
        passed = self._known_elsewhere(value)
        if passed is not value or self._stacks_around:
            return passed
        parameter = as_mapping(self._parameters[name])
        # What SSM parameters are named by is not their value.
        if str(parameter.get("Type", "")).startswith("AWS::SSM::") or "Default" not in parameter:
            return value
        return self._listed(name, parameter["Default"])

    def _listed(self, name: str, value: Any) -> Any:
        kind = str(as_mapping(self._parameters.get(name)).get("Type", ""))
        if kind.startswith("List<") or kind == "CommaDelimitedList":
            return [part.strip() for part in str(value).split(",")]
        return value

    def _if(self, value: Any) -> Any:
        match value:
            case [str() as name, then, otherwise]:
                return self._reduced(then if self.condition(name) else otherwise)
            case _:
                return {"Fn::If": value}

    def _find_in_map(self, value: Any) -> Any:
        keys = self._reduced(value)
        match keys:
            case [str() as name, first, second, *default] if not (
                is_function(first) or is_function(second)
            ):
                table = as_mapping(as_mapping(self.template.content.get("Mappings")).get(name))
                row = as_mapping(table.get(text(first)))
                place = (name, text(first), text(second))
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
        return self._known_elsewhere({"Fn::GetAtt": parts})

    def _import_value(self, value: Any) -> Any:
        return self._known_elsewhere({"Fn::ImportValue": self._reduced(value)})

    def _join(self, value: Any) -> Any:
        reduced = self._reduced(value)
        match reduced:
            case [str() as between, [*parts]]:
                return _joined(between, parts)
            case _:
                return {"Fn::Join": reduced}

    def _select(self, value: Any) -> Any:
        reduced = self._reduced(value)
        match reduced:
            case [int() | str() as index, [*items]]:
                if re.fullmatch(r"[0-9]{1,9}", str(index)) and int(index) < len(items):
                    return items[int(index)]
            case _:
                pass
        return {"Fn::Select": reduced}

    def _split(self, value: Any) -> Any:
        reduced = self._reduced(value)
        match reduced:
            case [str() as between, str() as whole] if between:
                return whole.split(between)
            case _:
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
        return _joined("", [*parts, pattern[end:]])

    def _variable(self, name: str, own: Mapping[str, Any]) -> Any:
        if name in own:
            return self._reduced(own[name])
        return self._get_att(name) if "." in name else self._ref(name)

    def _holds(self, expression: Any) -> bool:
        match expression:
            case {"Condition": str() as name}:
                return self.condition(name)
            case {"Fn::And": [*parts]}:
                return all(self._holds(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self._holds(part) for part in parts)
            case {"Fn::Not": [part]}:
                return not self._holds(part)
            case {"Fn::Equals": [left, right]}:
                return self._equal(left, right)
            case _:
                return self._scenario.comparisons.get(comparison([expression]), False)

    def _equal(self, left: Any, right: Any) -> bool:
        one, other = self.reduced(left), self.reduced(right)
        if literal(one) is not UNKNOWN and literal(other) is not UNKNOWN:
            return text(one) == text(other)
        # A parameter that has a value which no condition names is equal to none of them.
        sides = (as_mapping(side).get("Ref") for side in (left, right))
        if any(self._scenario.parameters.get(str(side)) is OTHER for side in sides):
            return False
        return one == other or self._scenario.comparisons.get(comparison([left, right]), False)


def _joined(between: str, parts: Iterable[Any]) -> Any:
    """The parts in one text, or those that are known next to each other in one."""
    texts: list[Any] = []
    for number, part in enumerate(parts):
        if part is _NOTHING:
            continue
        flat: list[Any] = [between] if number and between else []
        match part:
            case {"Fn::Join": ["", [*inner]]}:
                flat += inner
            case dict() | list():
                flat.append(part)
            case _:
                flat.append(text(part))
        for piece in flat:
            if isinstance(piece, str) and texts and isinstance(texts[-1], str):
                texts[-1] += piece
            elif piece != "":
                texts.append(piece)
    if len(texts) == 1:
        return texts[0]
    return {"Fn::Join": ["", texts]} if texts else ""
