"""Which update of a cluster's Slurm version AWS PCS makes in place."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 3
"""How many major versions an update may go up."""

NODES_FOLLOW_FROM: Final = "24.05"
"""The oldest version whose nodes work with a newer controller, so that they can be replaced later.

Source: Updating the scheduler version of a cluster in AWS PCS.
"""


def hops(before: str, after: str) -> tuple[str, ...] | None:
    """The versions to update to, one after the other, to get from one version to another.

    Slurm has two major versions a year, of May and of November. Empty where there is no way, since
    AWS PCS only goes up; `None` where one of them is no such version and nobody can tell.
    """
    first, last = _ordinal(before), _ordinal(after)
    if first is None or last is None:
        return None
    return tuple(
        _version(min(step, last)) for step in range(first + MOST, last + MOST, MOST) if last > first
    )


def _ordinal(version: str) -> int | None:
    match = re.fullmatch(r"(\d\d)\.(05|11)", version)
    return 2 * int(match[1]) + (match[2] == "11") if match else None


def _version(ordinal: int) -> str:
    return f"{ordinal // 2}.{'11' if ordinal % 2 else '05'}"
