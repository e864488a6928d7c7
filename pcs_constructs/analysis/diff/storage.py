"""What becomes of file systems, and so of the data on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pcs_constructs.analysis.diff.change import GONE, Effect, Reason
from pcs_constructs.analysis.diff.update import keeps
from pcs_constructs.model.file_systems import EFS, FSX, VOLUME
from pcs_constructs.templates.types import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.analysis.diff.differences import Differences
    from pcs_constructs.analysis.diff.update import Update
    from pcs_constructs.templates.resolved import ResolvedResource

STORAGE: Final[Mapping[str, str]] = {EFS: "file system", FSX: "file system", VOLUME: "volume"}
"""The types of resources that data is on, and what people call them. A cache has only copies."""


class Fate(NamedTuple):
    """A file system that nodes do not have any more."""

    resource: ResolvedResource
    """It, or what takes its place."""

    cluster: ResolvedResource | None
    """The cluster whose nodes mount it, where that is seen."""

    effect: Effect
    """Whether it stays in the account."""

    reasons: tuple[Reason, ...]
    """Why it goes."""

    note: str
    """What becomes of its data."""


def fates(update: Update, differences: Differences) -> Iterator[Fate]:
    """The old file systems that are replaced or go."""
    for old in update.old.values.of_type(*STORAGE):
        after = update.after(old)
        gone = (GONE,) if after is None else ()
        if after is not None and (leaves := differences.leaves(after)):
            gone = (leaves,)
        reasons = gone or (differences.replacement(after) if after else ())
        if not reasons or update.stays(old.stack):
            continue
        policy = "DeletionPolicy" if gone else "UpdateReplacePolicy"
        # What is removed is deleted as it was deployed, what is replaced as it is now written.
        kept = keeps(after if after and not gone else old, policy)
        taken = "nothing takes its place" if gone else "what takes its place is empty"
        data = f"it stays, since {policy} is Retain" if kept else "it is deleted with its data"
        yield Fate(
            after or old,
            _cluster(update, old),
            Effect.LEFT_BEHIND if kept else Effect.DATA_LOST,
            reasons,
            f"{taken}; {data}",
        )


def _cluster(update: Update, storage: ResolvedResource) -> ResolvedResource | None:
    """The cluster with nodes that refer to a file system, or the only one of its stack."""
    for group in update.old.members.groups:
        pending, seen = [group], {group}
        while pending:
            for one in (referring := pending.pop()).referred(referring.properties):
                if one is storage:
                    return update.cluster(group)
                if one not in seen and one.type != CLUSTER:
                    seen.add(one)
                    pending.append(one)
    beside = [one for one in update.old.members.clusters if one.stack is storage.stack]
    return beside[0] if len(beside) == 1 else None
