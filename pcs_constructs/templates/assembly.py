"""What the CDK writes beside templates: what stacks are called, what made their resources."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pcs_constructs.templates.document import as_list, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FRAME: Final = re.compile(r"\(?([^\s()]+?):(\d+)(?::\d+)?\)?$")
_NOT_OURS: Final = ("node_modules/", "node:", "internal/", "site-packages/")


class Made(NamedTuple):
    """What made a resource."""

    path: str
    """The path of the construct."""

    source: tuple[str, int] | None
    """The file and the line that made it, where the CDK kept them."""


class Assembly:
    """A `cdk.out` directory, or any other, of which nothing is known."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[str, Mapping[str, Made]] = {}

    def displayed(self, file: str) -> str | None:
        """What `cdk ls` calls the stack of a template."""
        name = self._stacks.get(file, {}).get("displayName")
        # The name of the stack follows, where it differs.
        return name.partition(" (")[0] if isinstance(name, str) else None

    def made(self, file: str) -> Mapping[str, Made]:
        """What made the resources of a template, by their logical ids."""
        if file not in self._made:
            self._made[file] = dict(self._read(self._stacks.get(file, {})))
        return self._made[file]

    @cached_property
    def _stacks(self) -> Mapping[str, Mapping[str, Any]]:
        artifacts = as_mapping(self._parsed("manifest.json").get("artifacts")).values()
        by_file: dict[str, Mapping[str, Any]] = {}
        for artifact in map(as_mapping, artifacts):
            file = as_mapping(artifact.get("properties")).get("templateFile")
            if isinstance(file, str):
                by_file[file] = artifact
        return by_file

    def _read(self, stack: Mapping[str, Any]) -> Iterator[tuple[str, Made]]:
        """What made each resource; of those of nested stacks nothing is said apart."""
        beside = stack.get("additionalMetadataFile")
        metadata = as_mapping(stack.get("metadata")) or (
            self._parsed(beside) if isinstance(beside, str) else {}
        )
        for path, entries in metadata.items():
            said = [as_mapping(entry) for entry in as_list(entries)]
            for entry in said:
                logical_id = entry.get("data")
                if entry.get("type") == "aws:cdk:logicalId" and isinstance(logical_id, str):
                    yield logical_id, Made(path.removeprefix("/"), _source(said))

    def _parsed(self, name: str) -> Mapping[str, Any]:
        try:
            return as_mapping(json.loads((self._directory / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return {}


def _source(entries: list[Mapping[str, Any]]) -> tuple[str, int] | None:
    """The first line of the program in what the CDK kept of the calls that made something."""
    for entry in entries:
        kept = entry.get("data") if entry.get("type") == "aws:cdk:creationStack" else None
        for frame in (*as_list(kept or []), *as_list(entry.get("trace") or [])):
            match = _FRAME.search(frame) if isinstance(frame, str) else None
            if match and not any(part in match[1] for part in _NOT_OURS):
                return match[1], int(match[2])
    return None
