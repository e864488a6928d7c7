"""Text of templates, such that nothing in it does anything where it is printed.

A line break in a name would begin a line of its own, which a CI service may take for a command; an
escape would move the cursor of a terminal; a mark of direction would turn what follows it around.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACTIVE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, marks of direction, breaks of lines, and halves of characters."""

_COMMAND: Final = re.compile(r"^(\s*):(?=:)|##(?=\[)")
"""What begins a command of GitHub Actions: at the start of a line, or the older form anywhere."""


def printable(text: str) -> str:
    """One line of text, with an escape for each character that would do something."""
    return _ACTIVE.sub(_escape, text)


def inert(text: str) -> str:
    """One line of text that is no command of a CI service either."""
    return _COMMAND.sub(_apart, printable(text))


def in_lines(lines: Iterable[str]) -> str:
    """Lines in one text: each stays one, whatever is in it."""
    return "\n".join(map(inert, lines))


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or (
        f"\\x{ord(match[0]):02x}" if match[0] <= "\xff" else f"\\u{ord(match[0]):04x}"
    )


_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _apart(match: re.Match[str]) -> str:
    return "#\\x23" if match[0] == "##" else f"{match[1]}\\x3a"
