"""What the rules are to judge, and where in a template it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pcs_constructs.templates.resolved import Path, ResolvedResource

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Location(NamedTuple):
    """A place in the properties of a resource."""

    resource: ResolvedResource
    """The resource."""

    path: Path
    """The place."""

    outside: bool = False
    """Whether the path starts at the top of the template and not at the resource's properties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A facts record that was made of a resource."""

    facts: object
    """What the rules judge."""

    resource: ResolvedResource
    """The resource."""

    locations: Mapping[str, Path | Location] = field(default_factory=dict[str, "Path | Location"])
    """Where each argument of the rules is, or each code. Others are paths already."""

    def location(self, code: str, argument: str) -> Location:
        """Where a problem is."""
        place = self.locations.get(code, self.locations.get(argument))
        if isinstance(place, Location):
            return place
        return Location(self.resource, path_of(argument) if place is None else place)


def path_of(text: str) -> Path:
    """The path that is written `Networking.SubnetIds[1]`."""
    return tuple(int(index) if index else name for name, index in _STEP.findall(text))


def written(path: Path) -> str:
    """The path as it is written in messages."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
