"""The patterns of names and identifiers that several rules share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNSAFE: Final = re.compile(r"""[^!-~]|['"\\`$]""")
"""What must not be in a word that a shell script and `/etc/fstab` are to hold."""

SPOILS_BOOT: Final = frozenset(("bg", "nofail", "x-systemd.automount"))
"""Mount options with which a node starts without the file system."""

_NAME: Final = re.compile(r"(?!pcs_)[A-Za-z][A-Za-z0-9-]+")


def name_violations(
    kind: str, name: str | Unknown, longest: int, argument: str = "name"
) -> Iterator[Violation]:
    """What AWS PCS would refuse in the name of a cluster, node group or queue."""
    if name is UNKNOWN:
        return
    if not 3 <= len(name) <= longest or not _NAME.fullmatch(name):
        yield Violation(
            argument,
            f"{name!r} is not a {kind} name",
            f"use 3 to {longest} letters, digits and hyphens, starting with a letter",
        )


def identifier_violations(
    argument: str, value: str | Unknown, pattern: str, example: str
) -> Iterator[Violation]:
    """What the API would refuse in a literal identifier."""
    if value is not UNKNOWN and not re.fullmatch(pattern, value, re.ASCII):
        yield Violation(argument, f"{value!r} is no such identifier", f"write one like {example!r}")


def tag_violations(argument: str, tags: Mapping[str, str], *, most: int) -> Iterator[Violation]:
    """What AWS would refuse in the tags of a resource that can have so many of them."""
    if len(tags) > most:
        yield Violation(
            argument, f"{len(tags)} known tags, and {most} is the most", "leave some out"
        )
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            yield Violation(argument, f"{key!r} begins with 'aws:'", "choose another key")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            yield Violation(
                argument,
                f"the tag {key[:40]!r} has a key of {len(key)} and a value of {len(value)} "
                "characters",
                "keep keys to 1 to 128 and values to 0 to 256 characters",
            )
