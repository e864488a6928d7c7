"""Whether the conditions of a template hold, as far as that can be seen without its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_list, as_mapping

if TYPE_CHECKING:
    from pcs_constructs.templates.template import Resource, Template


def is_there(resource: Resource) -> bool | Unknown:
    """Whether a resource is made: UNKNOWN where its condition depends on a deployment."""
    return True if resource.condition is None else holds(resource.template, resource.condition)


def holds(template: Template, name: str) -> bool | Unknown:
    """Whether a condition holds. A default is not known to be what a parameter is given."""
    return _holds(template, {"Condition": name}, {})


def definitions(template: Template, name: str) -> dict[str, Any]:
    """What a condition is, under no name, and all that it goes by, under theirs."""
    defined: dict[str, Any] = {}
    left = [name]
    while left:
        one = left.pop()
        key = "" if one == name else one
        if key not in defined:
            defined[key] = template.conditions.get(one, one)
            left += _named(defined[key])
    return defined


def _named(value: object) -> list[str]:
    """The conditions that a definition names."""
    match value:
        case {"Condition": str() as name}:
            return [name]
        case dict():
            items = list(cast("dict[str, object]", value).values())
        case list():
            items = cast("list[object]", value)
        case _:
            items = []
    return [name for item in items for name in _named(item)]


def _holds(template: Template, value: object, known: dict[str, bool | Unknown]) -> bool | Unknown:
    call = as_mapping(value)
    function, of = next(iter(call.items()), ("", None))
    parts = as_list(of)
    if function == "Condition" and isinstance(of, str):
        if of not in known:
            known[of] = UNKNOWN  # what goes by itself
            known[of] = _holds(template, template.conditions.get(of), known)
        return known[of]
    if function == "Fn::Equals" and len(parts) == 2 and all(map(_is_written, parts)):
        return template.shown(parts[0]) == template.shown(parts[1])
    if function in {"Fn::And", "Fn::Or", "Fn::Not"}:
        reduced = [_holds(template, part, known) for part in parts]
        decides = function == "Fn::Or"  # what one of them has to be to decide alone
        if function == "Fn::Not":
            return UNKNOWN if UNKNOWN in reduced else not any(reduced)
        return decides if decides in reduced else UNKNOWN if UNKNOWN in reduced else not decides
    return UNKNOWN


def _is_written(value: object) -> bool:
    if isinstance(value, str):
        return "{{resolve:" not in value
    return isinstance(value, bool | int | float)
