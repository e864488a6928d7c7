"""Values of templates in which everything is computed that can be, and what is left of the rest.

What only CloudFormation can compute stays as it is written: a `Ref` of a resource, for example, or
an `Fn::If` of which nobody knows the condition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from itertools import islice
from operator import methodcaller
from typing import Any, Final, NamedTuple, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown

NO_VALUE: Final = {"Ref": "AWS::NoValue"}
"""How a template says that a property is not there."""

HOLE: Final = "${?}"
"""What stands in a sketch for what is not known."""


class Nothing:
    """What `AWS::NoValue` is: the property is not there."""


NOTHING: Final = Nothing()


def is_function(value: object) -> bool:
    """Whether a value is left for CloudFormation to compute."""
    entries = _entries(value)
    if len(entries) != 1:
        return False
    (name,) = entries
    return name == "Ref" or name.startswith("Fn::")


def may_have_more(values: Mapping[str, Any]) -> bool:
    """Whether a mapping may have more than is seen: some of it is yet to be made."""
    return not _OPEN.isdisjoint(values) or any(map(_IS_LOOP, values))


_TRANSFORM: Final = "Fn::Transform"
_OPEN: Final = frozenset(("Ref", "Fn::GetAtt", _TRANSFORM))
_IS_LOOP: Final = methodcaller("startswith", "Fn::ForEach::")


def literal(value: Any) -> Any:
    """A value where all of it is known, else UNKNOWN."""
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


def within(value: Any, *path: str | int) -> Any:
    """A value inside of another; UNKNOWN inside of what is not known, `None` where there is none.

    Of an `Fn::If` of two mappings it is an `Fn::If` of what both have there. A macro may change all
    that is beside its `Fn::Transform`, so there, at any depth, what is missing is not known.
    """
    missing = None
    for place, step in enumerate(path):
        if _TRANSFORM in _entries(value):
            missing = UNKNOWN
        # What is asked most is asked first: no property is called like a function.
        if step in _entries(value):
            value = value[step]
            continue
        match value:
            case {"Fn::If": [name, one, other]}:
                rest = path[place:]
                branches = [within(_there(each), *rest) for each in (one, other)]
                return chosen(name, *(missing if each is None else each for each in branches))
            case _ if value is UNKNOWN or is_function(value):
                return UNKNOWN
            case dict():
                return UNKNOWN if may_have_more(cast("dict[str, Any]", value)) else missing
            case list():
                items = cast("list[Any]", value)
                if not isinstance(step, int) or step >= len(items):
                    return missing
                value = items[step]
            case _:
                return missing
    return value


def _entries(value: Any) -> dict[Any, Any]:
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else {}


def _there(value: Any) -> Any:
    return None if value == NO_VALUE else value


def chosen(condition: Any, one: Any, other: Any) -> Any:
    """What an `Fn::If` gives of which the condition is not known."""
    if UNKNOWN in (one, other):
        return UNKNOWN
    if one == other and type(one) is type(other):
        return one
    return {"Fn::If": [condition, *(NO_VALUE if v is None else v for v in (one, other))]}


class Choice(NamedTuple):
    """What an `Fn::If` chooses from."""

    condition: str
    """The name of the condition."""

    one: Any
    """The value if it holds; `None` for none."""

    other: Any
    """The value if it does not."""


def choice(value: Any) -> Choice | None:
    """What a value is chosen from, where it is by a condition of which nobody knows."""
    match value:
        case {"Fn::If": [str() as name, one, other]}:
            return Choice(name, _there(one), _there(other))
        case _:
            return None


def possible(value: Any) -> Iterator[Any]:
    """Every value that is possible, of those that an `Fn::If` chooses from; `None` for none."""
    match value:
        case {"Fn::If": [_, one, other]}:
            yield from possible(_there(one))
            yield from possible(_there(other))
        case _:
            yield value


def as_text(value: object) -> str:
    """A value as CloudFormation compares it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def sketch(value: Any, hole: str = HOLE) -> str | None:
    """A text with a mark for each part that is not known; `None` where it is no text at all."""
    match value:
        case str():
            return hole if hole != HOLE and "{{resolve:" in value else value
        case bool() | int() | float():
            return as_text(value)
        case {"Fn::Join": [str() as between, [*parts]]}:
            return between.join(sketch(part, hole) or "" for part in parts)
        case Unknown():
            return hole
        case _:
            return hole if is_function(value) else None


def texts(value: Any, hole: str = HOLE) -> Iterator[str]:
    """The texts in a value, also those that are encoded, or that a condition chooses from."""
    match value:
        case {"Fn::Base64": inner}:
            yield from texts(inner, hole)
        case {"Fn::If": [_, one, other]}:
            yield from texts(one, hole)
            yield from texts(other, hole)
        case _ if is_function(value):
            yield sketch(value, hole) or ""
        case dict():
            for item in cast("dict[str, Any]", value).values():
                yield from texts(item, hole)
        case list():
            for item in cast("list[Any]", value):
                yield from texts(item, hole)
        case str():
            yield value
        case _:
            pass


def shown(value: Any) -> str:
    """A value as text, with `<Name>` in the place of what only CloudFormation will know."""
    match value:
        case None:
            return ""
        case Unknown():
            return "<unknown>"
        case dict():
            return _placeholder(cast("dict[str, Any]", value))
        case list():
            return ",".join(map(shown, cast("list[object]", value)))
        case _:
            return as_text(value)


def _placeholder(call: Mapping[str, Any]) -> str:
    """What stands for the result of a function, such as `<Parameter>` or `<If:Condition>`."""
    function, of = next(iter(call.items()), ("", None))
    items = cast("list[Any]", of) if isinstance(of, list) else [of]
    last = items[-1] if items else None
    match function:
        case "Ref" | "Fn::GetAtt":
            return f"<{'.'.join(map(shown, items))}>"
        case "Fn::Join" if isinstance(last, list):
            return str(items[0]).join(map(shown, cast("list[object]", last)))
        case "Fn::Base64":
            return shown(of)
        case "Fn::ForeignValue":  # of another stack; which one is of no interest
            return shown(last)
        case _:
            return f"<{function.removeprefix('Fn::')}:{shown(items[0] if items else None)}>"


def parsed(document: Any) -> Mapping[str, Any] | None:
    """A document, which may be JSON in a text; `None` where it is not known."""
    if not isinstance(document, Mapping) or is_function(cast("object", document)):
        try:
            document = json.loads(sketch(document) or "")
        except (ValueError, RecursionError):
            return None
    return cast("Mapping[str, Any]", document) if isinstance(document, Mapping) else None


def joined(between: str, parts: Iterable[Any]) -> Any:
    """The parts in one text, or those that are known next to each other in one."""
    texts: list[Any] = []
    first = True
    for part in parts:
        if part is NOTHING:
            continue
        flat: list[Any] = [] if first or not between else [between]
        first = False
        match part:
            case {"Fn::Join": ["", [*inner]]}:
                flat += inner
            case dict() | list() | Unknown():
                flat.append(part)
            case _:
                flat.append(as_text(part))
        for piece in flat:
            if isinstance(piece, str) and texts and isinstance(texts[-1], str):
                texts[-1] += piece
            elif piece != "":
                texts.append(piece)
    if len(texts) == 1:
        return texts[0]
    return {"Fn::Join": ["", texts]} if texts else ""


def cut(value: Any, between: str) -> list[Any] | None:
    """The pieces of a text that a mark stands between, also where some are not known."""
    if isinstance(value, str):
        return None if "{{resolve:" in value else value.split(between)
    if isinstance(value, list):
        return cast("list[Any]", value)
    match value:
        case {"Fn::Join": ["", [*parts]]}:
            pieces: list[list[Any]] = [[]]
            for part in parts:
                if not isinstance(part, str):
                    pieces[-1].append(part)
                    continue
                first, *others = part.split(between)
                pieces[-1] += [first] if first else []
                pieces += [[each] if each else [] for each in others]
            # A piece that is not known alone may be several; between marks it is taken for one.
            return [joined("", piece) for piece in pieces] if len(pieces) > 1 else None
        case _:
            return None


def references(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every `Ref`, `Fn::GetAtt` and `Fn::ImportValue` in a value in which all else is computed."""
    pending: list[Any] = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, Mapping):
            mapping = cast("Mapping[str, Any]", inner)
            if is_function(mapping) and next(iter(mapping)) in _REFERENCES:
                yield mapping
            else:
                pending += reversed(list(mapping.values()))
        elif isinstance(inner, list):
            pending += reversed(cast("list[Any]", inner))


_REFERENCES: Final = {"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::ForeignValue"}


def calls(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every call of a function in a value, at any depth."""
    pending: list[Any] = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, Mapping):
            mapping = cast("Mapping[str, Any]", inner)
            if is_function(mapping):
                yield mapping
            pending += mapping.values()
        elif isinstance(inner, list):
            pending += cast("list[Any]", inner)


NUMBER: Final = re.compile(r"-?\d{1,15}", re.ASCII)
"""A whole number as it is written."""


def whole(value: object) -> int | Unknown:
    """A number without a fraction, also where it is written as text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = NUMBER.fullmatch(value) if isinstance(value, str) else None
    return int(match[0]) if match else UNKNOWN


_MOST_BLOCKS: Final = 256  # what `Fn::Cidr` makes at the most


def blocks(block: str, count: int | Unknown, bits: int | Unknown) -> list[str] | None:
    """What `Fn::Cidr` makes of a range: so many, each with so many bits for hosts."""
    if count is UNKNOWN or bits is UNKNOWN or not 0 < count <= _MOST_BLOCKS:
        return None
    try:
        network = ip_network(block)
        made = islice(network.subnets(new_prefix=network.max_prefixlen - bits), count)
        return [str(each) for each in made]
    except ValueError:
        return None


def every(answers: Any) -> bool | Unknown:
    """Whether all of some answers are yes."""
    distinct = set(answers)
    return False if False in distinct else UNKNOWN if UNKNOWN in distinct else True


def some(answers: Any) -> bool | Unknown:
    """Whether any of some answers is yes."""
    distinct = set(answers)
    return True if True in distinct else UNKNOWN if UNKNOWN in distinct else False
