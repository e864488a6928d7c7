"""What happens to a resource, why, and what stands in the way: the records of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Effect(IntEnum):
    """What happens to a resource; the later, the worse."""

    NOTHING = 0
    """It stays as it is."""

    CREATED = 1
    """It is made, and nothing that runs is touched."""

    IN_PLACE = 2
    """It is updated and nothing that runs ends."""

    NODES_REPLACED = 3
    """AWS PCS replaces its nodes once they are idle: jobs finish first."""

    SESSIONS_END = 4
    """As NODES_REPLACED, but people may be on its nodes: what they run interactively ends."""

    JOBS_FAIL = 5
    """Nodes go although they are busy; their jobs fail and return to the queue."""

    REPLACED = 6
    """A new one is made, then the old one is deleted with the jobs on it."""

    LEFT_BEHIND = 7
    """A file system goes out of use and stays in the account, with its data."""

    RECORDS_LOST = 8
    """It is updated in place, and records of its accounting go."""

    REMOVED = 9
    """It is deleted, with the jobs on it."""

    DATA_LOST = 10
    """A file system is deleted with its data, whether a new one is made or not."""

    LOST = 11
    """The cluster is deleted and everything below it, whether a new one is made or not."""

    @property
    def word(self) -> str:
        """The name, as it is written on the command line."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A property whose value changes."""

    path: str
    """The property, such as `Networking.SubnetIds[0]`; empty where it is none."""

    before: str | None
    """The value as it was, shortly; `None` where there was none."""

    after: str | None
    """The value as it will be, shortly; `None` where there is none."""

    because: str | None = None
    """What makes the value change, where the property itself reads as before."""

    effect: Effect = Effect.IN_PLACE
    """What this change alone would do."""

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        if self.before is None and self.after is None:
            return f"{path}{self.because}"
        because = f" ({self.because})" if self.because else ""
        return f"{path}{self.before or 'nothing'} -> {self.after or 'nothing'}{because}"


GONE: Final = Reason(path="", before=None, after=None, because="not in the new template")
"""Why something is deleted that the new templates say nothing of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What CloudFormation or AWS PCS would refuse, and what to do about it."""

    message: str
    """What would be refused, and why."""

    fix: str
    """What to do instead."""

    code: str | None = None
    """The code of the rule, where `pcs-constructs explain` has a page on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a cluster, a node group or a queue, or to a file system that goes."""

    template: str
    """What people call the stack it is in: as `cdk ls` says, or as its template is named."""

    logical_id: str
    """Its logical id."""

    path: str | None
    """The path of its construct, where the CDK wrote it down."""

    type: str
    """Its resource type."""

    name: str | None
    """Its physical name, where the template says it."""

    cluster: str
    """Its cluster: the name, and the template it is in."""

    effect: Effect
    """What happens to it."""

    reasons: tuple[Reason, ...] = ()
    """Why: each property that changes, those with the worst effect first."""

    notes: tuple[str, ...] = ()
    """What else there is to know."""

    refusals: tuple[Refusal, ...] = ()
    """What would be refused; the deployment then fails and CloudFormation rolls it back."""

    @property
    def label(self) -> str:
        """What to call it: the path of its construct below the stack, or its logical id."""
        return label(self.path, self.logical_id)


def label(path: str | None, logical_id: str) -> str:
    """What to call a resource: the path of its construct below the stack, or its logical id."""
    if path is None:
        return logical_id
    return path.partition("/")[2].removesuffix("/Resource") or path


def is_below(path: str, names: Iterable[str]) -> bool:
    """Whether a property is one of some, or inside of one."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in names)
