"""Reads files in JSON and YAML, and tells in which line something is. Never starts Node."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Step = str | int
"""A key of a mapping, or an index of a list."""

_SHORT_FORMS: Final = frozenset(
    (
        "And",
        "Base64",
        "Cidr",
        "Condition",
        "Equals",
        "FindInMap",
        "GetAtt",
        "GetAZs",
        "If",
        "ImportValue",
        "Join",
        "Length",
        "Not",
        "Or",
        "Ref",
        "Select",
        "Split",
        "Sub",
        "ToJsonString",
        "Transform",
    )
)
_WITHOUT_PREFIX: Final = ("Ref", "Condition")
_MOST: Final = 500_000  # values; CloudFormation takes a megabyte of text
_LARGE: Final = 10**18
_DEEP: Final = 1000  # levels; the parsers in C end the program at some tens of thousands


class DocumentError(ValueError):
    """The text is neither JSON nor YAML, or there is nothing to read YAML with."""


class Document(Protocol):
    """What is in a file, and where."""

    content: Any
    """What is in it."""

    repeated: list[str]
    """Keys that are in one mapping twice, of which the last one counts."""

    def line(self, path: Sequence[Step]) -> int:
        """The line of what is at a path, counted from 1; of what is around it if it is not there.

        Of an entry of a mapping it is the line of its key.
        """
        ...


def parse(text: str) -> Document:
    """Read JSON or YAML, whichever it is.

    Raises:
        DocumentError: It is neither, or it is YAML and PyYAML is not installed.
    """
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        try:
            return _Json(text.removeprefix("\ufeff"))
        except ValueError as reason:
            # YAML may begin with a brace too, but who writes it so means JSON.
            raise DocumentError(f"is no JSON: {reason}") from None
    return _Yaml(text)


class _Json:
    content: Any

    def __init__(self, text: str) -> None:
        self._text = text
        self.repeated: list[str] = []
        self.content = json.loads(text, object_pairs_hook=self._mapping)
        self._skip = json.JSONDecoder().raw_decode
        self._places: dict[tuple[Step, ...], tuple[int, int]] = {}

    def _mapping(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.repeated += [key for key, count in counts.items() if count > 1]
        return mapping

    def line(self, path: Sequence[Step]) -> int:
        return self._text.count("\n", 0, self._place(tuple(path))[0]) + 1

    def _place(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Where the key of something is, and where its value begins."""
        if not path:
            start = self._blank(0)
            return start, start
        if path not in self._places:
            around, begin = self._place(path[:-1])
            # All entries of a mapping at once, so that many problems cost as much as one.
            for step, key, value in self._entries(begin):
                self._places[(*path[:-1], step)] = (key, value)
            self._places.setdefault(path, (around, len(self._text)))
        return self._places[path]

    def _entries(self, at: int) -> Iterator[tuple[Step, int, int]]:
        """Each entry of the mapping or list there: its step, its key's place, its value's place."""
        opening = self._text[at : at + 1]
        if opening not in ("{", "["):
            return
        number = 0
        at = self._blank(at + 1)
        while self._text[at] not in "}]":
            step: Step = number
            key = at
            if opening == "{":
                step, end = self._skip(self._text, at)
                at = self._blank(self._blank(end) + 1)
            yield step, key, at
            _, at = self._skip(self._text, at)
            at = self._blank(at)
            if self._text[at] == ",":
                at = self._blank(at + 1)
            number += 1

    def _blank(self, at: int) -> int:
        while self._text[at : at + 1] in (" ", "\t", "\r", "\n"):
            at += 1
        return at


class _Yaml:
    def __init__(self, text: str) -> None:
        try:
            import yaml
        except ModuleNotFoundError:
            raise DocumentError(
                "is YAML, which takes PyYAML to read: pip install 'pcs-constructs[check]'"
            ) from None
        # The parser in C is ten times as fast, and is not in every build of PyYAML.
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.repeated: list[str] = []
        try:
            if _may_be_deep(text):
                _measure(cast("Iterator[object]", cast("Any", yaml).parse(text, loader)))
            self._loader: Any = loader(text)
            self._root: Any = self._loader.get_single_node()
            self._left = _MOST
            self.content: Any = self._value(self._root)
        except yaml.YAMLError as reason:
            raise DocumentError(f"is neither JSON nor YAML: {_on_one_line(reason)}") from None

    def line(self, path: Sequence[Step]) -> int:
        node: Any = self._root
        line = 0
        for step in path:
            entry = self._entry(node, step)
            if entry is None:
                break
            mark, node = entry
            line = mark.start_mark.line
        return line + 1

    def _entry(self, node: Any, step: Step) -> tuple[Any, Any] | None:
        """What the line is of, and the value."""
        if isinstance(step, str) and node.tag == f"!{step.removeprefix('Fn::')}":
            return node, node  # a short form stands for a mapping that is not written
        if node.id == "mapping":
            pairs = [(key, value) for key, value in node.value if key.value == step]
            return pairs[-1] if pairs else None
        if node.id == "sequence" and isinstance(step, int) and 0 <= step < len(node.value):
            return node.value[step], node.value[step]
        return None

    def _value(self, node: Any) -> Any:
        if node is None:
            return None
        self._left -= 1
        if self._left < 0:
            raise DocumentError(f"has more than {_MOST} values, with those that aliases repeat")
        value: Any
        match node.id:
            case "mapping":
                self._note_repeated(node)
                self._loader.flatten_mapping(node)
                value = {str(key.value): self._value(inner) for key, inner in node.value}
            case "sequence":
                value = [self._value(inner) for inner in node.value]
            case _:
                value = self._scalar(node)
        name = node.tag.removeprefix("!")
        if node.tag.startswith("!") and name in _SHORT_FORMS:
            return {name if name in _WITHOUT_PREFIX else f"Fn::{name}": value}
        return value

    def _note_repeated(self, node: Any) -> None:
        counts = Counter(str(key.value) for key, _ in node.value)
        if len(counts) < len(node.value):
            twice = {key for key, count in counts.items() if count > 1 and key != "<<"}
            for key, _ in node.value:
                if str(key.value) in twice:
                    twice.remove(str(key.value))
                    self.repeated.append(f"{key.value} (line {key.start_mark.line + 1})")

    def _scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in {"bool", "int", "null"}:
            return self._constructed(node)
        if kind == "float":
            # As CloudFormation passes it on: 25.11 is the text of a version.
            return node.value if "e" in node.value.lower() else _number(node.value)
        return node.value

    def _constructed(self, node: Any) -> Any:
        try:
            value = self._loader.construct_object(node)
        except (ValueError, LookupError):  # a tag that says what the text is not: `!!bool maybe`
            return node.value
        # No number is that large, and Python writes down none of thousands of digits.
        return node.value if isinstance(value, int) and abs(value) >= _LARGE else value


def _may_be_deep(text: str) -> bool:
    """Whether a text may be nested deeply: each level takes a bracket, or a column."""
    brackets = text.count("[") + text.count("{")
    return brackets > _DEEP or any(len(line) > _DEEP for line in text.splitlines())


def _measure(events: Iterator[object]) -> None:
    """Fail where a text is nested too deeply for the parser, which would end the program."""
    depth = 0
    for event in events:
        depth += _DEEPER.get(type(event).__name__, 0)
        if depth > _DEEP:
            raise DocumentError(f"is nested too deeply, in more than {_DEEP} levels")


_DEEPER: Final = {
    "MappingStartEvent": 1,
    "MappingEndEvent": -1,
    "SequenceStartEvent": 1,
    "SequenceEndEvent": -1,
}


def _number(text: str) -> float | str:
    try:
        value = float(text.replace("_", ""))
    except ValueError:  # .inf, or sexagesimal
        return text
    return value if str(value) == text else text


def _on_one_line(reason: object) -> str:
    return " ".join(str(reason).split())


def at(content: object, path: Sequence[Step]) -> Any:
    """What is at a path; `None` where there is nothing."""
    value: Any = content
    for step in path:
        if isinstance(value, dict):
            value = cast("Mapping[Step, Any]", value).get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(cast("Any", value)):
            value = cast("list[Any]", value)[step]
        else:
            return None
    return value


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    # What is read from files is of this type, and to ask for it is quicker.
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """The value where it is a list, else the one item that stands for a list of it."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]
