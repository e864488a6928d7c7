"""A comparison as people and as programs read it."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis.diff.change import Effect
from pcs_constructs.analysis.diff.storage import STORAGE
from pcs_constructs.templates.printable import in_lines
from pcs_constructs.templates.types import CLUSTER, NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pcs_constructs.analysis.diff.change import Change

_WORDS: Final = {
    Effect.NOTHING: "nothing",
    Effect.CREATED: "created",
    Effect.IN_PLACE: "updated in place",
    Effect.NODES_REPLACED: "nodes replaced as they go idle",
    Effect.SESSIONS_END: "nodes replaced, interactive sessions end",
    Effect.JOBS_FAIL: "nodes removed, their jobs fail and are queued again",
    Effect.REPLACED: "REPLACED",
    Effect.LEFT_BEHIND: "LEFT BEHIND with its data",
    Effect.RECORDS_LOST: "updated in place, ACCOUNTING RECORDS LOST",
    Effect.REMOVED: "REMOVED",
    Effect.DATA_LOST: "DELETED with its data",
    Effect.LOST: "LOST with its cluster",
}

_OF_CLUSTER: Final = "LOST, and all below it"

_NOUNS: Final = {**NOUNS, **STORAGE}

_GOES: Final = (Effect.REPLACED, Effect.REMOVED, Effect.LOST)

_SHORT: Final = {
    Effect.NODES_REPLACED: "nodes replaced in {}",
    Effect.SESSIONS_END: "sessions end in {}",
    Effect.JOBS_FAIL: "jobs fail in {}",
    Effect.REPLACED: "{} replaced",
    Effect.LEFT_BEHIND: "{} left behind",
    Effect.RECORDS_LOST: "accounting records lost in {}",
    Effect.REMOVED: "{} removed",
    Effect.DATA_LOST: "data lost in {}",
    Effect.LOST: "{} lost",
}
"""How many it happens to, as the last line has it."""


def as_text(changes: Sequence[Change]) -> str:
    """The comparison as a table, cluster by cluster, and a last line with its sum."""
    if not changes:
        return "no cluster, node group or queue in either template"
    width = max(len(_title(change)) for change in changes)
    lines: list[str] = []
    for cluster, below in groupby(changes, key=lambda change: change.cluster):
        lines.append(f"cluster {cluster}")
        for change in below:
            lines.append(f"  {_title(change):<{width}}  {_words(change)}")
            lines += [f"      {line}" for line in _details(change)]
        lines.append("")
    return in_lines([*lines, _sum(changes)])


def as_data(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The comparison for programs, as JSON has it."""
    return [
        {
            "template": change.template,
            "logicalId": change.logical_id,
            "path": change.path,
            "type": change.type,
            "name": change.name,
            "cluster": change.cluster,
            "effect": change.effect.word,
            "reasons": [
                {
                    "path": reason.path,
                    "before": reason.before,
                    "after": reason.after,
                    "because": reason.because,
                    "effect": reason.effect.word,
                }
                for reason in change.reasons
            ],
            "notes": list(change.notes),
            "refusals": [
                {"code": refusal.code, "message": refusal.message, "fix": refusal.fix}
                for refusal in change.refusals
            ],
        }
        for change in changes
    ]


def _title(change: Change) -> str:
    label = change.label
    same = change.name is None or change.name == label.rpartition("/")[2]
    title = f"{_NOUNS[change.type]} {label}" + ("" if same else f" ({change.name})")
    apart = " in " in change.cluster and not change.cluster.endswith(f" in {change.template}")
    return f"{title} in {change.template}" if apart else title


def _words(change: Change) -> str:
    if change.type == CLUSTER and change.effect is Effect.LOST:
        return _OF_CLUSTER
    return _WORDS[change.effect]


def _details(change: Change) -> list[str]:
    lines = [
        f"{reason}" + (f", {_WORDS[reason.effect]}" if reason.effect < change.effect else "")
        for reason in change.reasons
        # What would be updated of something that goes is of no interest.
        if reason.effect == change.effect or change.effect not in _GOES
    ]
    lines += [f"note: {note}" for note in change.notes]
    for refusal in change.refusals:
        code = f"{refusal.code} " if refusal.code else ""
        lines += [f"REFUSED: {code}{refusal.message}", f"    fix: {refusal.fix}"]
    return lines


def _sum(changes: Sequence[Change]) -> str:
    counts = [
        f"{count} {noun}{'s' if count > 1 else ''}"
        for noun in dict.fromkeys(_NOUNS.values())
        if (count := sum(_NOUNS[change.type] == noun for change in changes))
    ]
    effects = Counter(change.effect for change in changes)
    said = [
        _SHORT.get(effect, f"{{}} {_WORDS[effect]}").format(number)
        for effect, number in sorted(effects.items(), reverse=True)
        if effect is not Effect.NOTHING
    ]
    refused = sum(len(change.refusals) for change in changes)
    if refused:
        said.insert(0, f"{refused} would be REFUSED")
    return f"{', '.join(counts)}: {', '.join(said) or 'nothing changes'}"
