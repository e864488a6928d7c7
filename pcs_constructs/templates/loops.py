"""What `Fn::ForEach` makes: one entry for each item of a collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.templates.document import as_list, as_mapping

if TYPE_CHECKING:
    from pcs_constructs.templates.document import Step

LOOP: Final = "Fn::ForEach::"
"""What the key of a loop begins with; its name follows."""

_MOST: Final = 5_000  # entries of all loops within each other: more than a template may have
_NO_LETTERS: Final = re.compile(r"[^A-Za-z0-9]")


def is_loop(name: str) -> bool:
    """Whether a key is that of a loop."""
    return name.startswith(LOOP)


def unrolled(
    entries: object, parameters: Mapping[str, Any], place: tuple[Step, ...] = ()
) -> Iterator[tuple[str, Any, tuple[Step, ...]]]:
    """Each entry of a mapping, those that loops make too, and where it is written.

    A loop over what only a deployment knows stays as it is. The default of a parameter counts for
    its value, as everywhere.

    Source: Fn::ForEach, in the template reference of AWS CloudFormation.
    """
    for count, entry in enumerate(_unrolled(entries, parameters, place)):
        if count >= _MOST:
            return
        yield entry


def _unrolled(
    entries: object, parameters: Mapping[str, Any], place: tuple[Step, ...]
) -> Iterator[tuple[str, Any, tuple[Step, ...]]]:
    for name, body in as_mapping(entries).items():
        if not is_loop(name):
            yield name, body, (*place, name)
            continue
        match body:
            case [str() as variable, collection, {} as made] if items := _items(
                collection, parameters
            ):
                for item in items:
                    filled = _filled(made, variable, item)
                    inner = (*place, name, 2)
                    for key, value, where in _unrolled(filled, parameters, inner):
                        # What is written there is the pattern of the key.
                        original = next(
                            (k for k in as_mapping(made) if _name(k, variable, item) == key), key
                        )
                        yield key, value, (*inner, original, *where[len(inner) + 1 :])
            case _:
                yield name, body, (*place, name)


def _items(collection: object, parameters: Mapping[str, Any]) -> list[str]:
    """The items of a collection; none where they are not known."""
    match collection:
        case {"Ref": str() as name}:
            default = as_mapping(parameters.get(name)).get("Default")
            return [part.strip() for part in str(default).split(",")] if default else []
        case list():
            items = cast("list[object]", collection)
            nested = [
                [str(item)] if isinstance(item, (str, int, float)) else _items(item, parameters)
                for item in items
            ]
            return [item for each in nested for item in each]
        case _:
            return []


def _name(text: str, variable: str, item: str) -> str:
    return text.replace(f"${{{variable}}}", item).replace(
        f"&{{{variable}}}", _NO_LETTERS.sub("", item)
    )


def _filled(value: Any, variable: str, item: str) -> Any:
    """The body of a loop for one item."""
    match value:
        case {"Ref": name} if name == variable and len(value) == 1:
            return item
        case dict():
            mapping = cast("dict[str, Any]", value)
            return {
                _name(name, variable, item): _filled(inner, variable, item)
                for name, inner in mapping.items()
            }
        case list():
            # A loop inside may have a variable of the same name; CloudFormation refuses that.
            return [_filled(inner, variable, item) for inner in as_list(cast("object", value))]
        case str():
            return _name(value, variable, item)
        case _:
            return value
