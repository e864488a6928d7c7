"""What values in templates are, where that is sure: the default of a parameter is not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from pcs_constructs.templates.template import Reference, Resource, Template

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}

_DEEPEST: Final = 20  # nested stacks; a stack that is inside of itself is in no template that works


def key_of(template: Template) -> str:
    """The name of a template, with a number where one with that name was read before it."""
    before = 0
    for other in template.together:
        if other is template:
            break
        before += other.name == template.name
    return f"{template.name} ({before + 1})" if before else template.name


def within(value: object, *names: str) -> Any:
    """A value inside of another, as it stands; UNKNOWN inside of what only CloudFormation knows."""
    for name in names:
        if value is None or value == _NO_VALUE:
            return None
        if not isinstance(value, Mapping):
            return UNKNOWN
        inside = cast("Mapping[str, Any]", value)
        # `Fn::If` chooses the whole mapping, `Fn::Transform` adds to it.
        if name not in inside and any(k == "Ref" or k.startswith("Fn::") for k in inside):
            return UNKNOWN
        value = inside.get(name)
    return None if value == _NO_VALUE else value


def get(resource: Resource, *names: str) -> Any:
    """A property inside of others, as it stands; `None` where there is surely none."""
    return within(resource.properties, *names)


def literal(template: Template, value: object, depth: int = _DEEPEST) -> Any:
    """The value, where it is written here, or passed to this nested stack; else UNKNOWN."""
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": str() as name}:
            owner, passed = _passed(template, name)
            return literal(owner, passed, depth - 1) if depth and owner else UNKNOWN
        case Mapping():
            return UNKNOWN
        case list():
            items = [literal(template, item, depth) for item in cast("list[object]", value)]
            return UNKNOWN if any(item is UNKNOWN for item in items) else items
        case _:
            return template.literal(value)


def text(resource: Resource, *names: str) -> str | Unknown | None:
    """A property that is text or a number."""
    value = literal(resource.template, get(resource, *names))
    return value if value is None or value is UNKNOWN else str(value)


def whole(value: object) -> int | Unknown:
    """A number without a fraction, also where it is written as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value, re.ASCII)
    return int(match[0]) if match else UNKNOWN


def reference(template: Template, value: object, depth: int = _DEEPEST) -> Reference | None:
    """What a value leads to; nothing where two templates export what it imports."""
    match value:
        case {"Fn::ImportValue": str() as name} if _exporters(template, name) > 1:
            return None
        case {"Ref": str() as name} if name in template.parameters:
            owner, passed = _passed(template, name)
            return reference(owner, passed, depth - 1) if depth and owner else None
        case _:
            return template.reference(value)


def referred(template: Template, value: object) -> Resource | None:
    """The resource that a value leads to."""
    target = reference(template, value)
    return target.resource if target else None


def plain(template: Template, value: Any, hole: str = "*") -> str:
    """A text, with a mark in the place of what only CloudFormation knows."""
    match value:
        case {"Fn::Join": [str() as separator, [*parts]]}:
            return separator.join(plain(template, part, hole) for part in parts)
        case {"Fn::Sub": str() as said}:
            return _filled(template, said, {}, hole)
        case {"Fn::Sub": [str() as said, dict()]}:
            return _filled(template, said, value["Fn::Sub"][1], hole)
        case _:
            known = literal(template, value)
            return known if isinstance(known, str) else hole


def document(value: object) -> Mapping[str, Any] | Unknown:
    """A policy, also where it is written as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return UNKNOWN
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else UNKNOWN


def _filled(template: Template, said: str, values: Mapping[str, Any], hole: str) -> str:
    def fill(variable: re.Match[str]) -> str:
        name = variable[1]
        if name.startswith("!"):  # how a text says `${name}` itself
            return f"${{{name[1:]}}}"
        return hole if "." in name else plain(template, values.get(name, {"Ref": name}), hole)

    return re.sub(r"\$\{([^}]*)\}", fill, said)


def _passed(template: Template, parameter: str) -> tuple[Template | None, Any]:
    """What the stack around a nested one passes to a parameter, and the template of that stack."""
    declared = template.parameters.get(parameter)
    stack = template.stack_around() if declared is not None else None
    kind = str(declared.get("Type", "")) if declared is not None else ""
    # What SSM parameters are named by is not their value, and a text is not yet a list.
    if stack is None or kind.startswith("AWS::SSM::") or "List" in kind:
        return None, None
    return stack.template, within(get(stack, "Parameters"), parameter)


def _exporters(template: Template, name: str) -> int:
    return sum(
        output.get("Export", {}).get("Name") == name
        for other in template.together
        for output in other.outputs.values()
    )
