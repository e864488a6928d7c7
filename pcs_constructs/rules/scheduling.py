"""Rules for the settings that say which job runs when: time, memory, licences, preemption."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Violation
from pcs_constructs.model.slurm_settings import (
    QUEUE,
)
from pcs_constructs.rules.rule import advice, error
from pcs_constructs.rules.settings import SettingsFacts

if TYPE_CHECKING:
    from collections.abc import Iterator


@error("PCS832", SettingsFacts)
def jobs_that_ask_for_no_time_fit_their_queue(facts: SettingsFacts) -> Iterator[Violation]:
    """The time that a job gets without asking is no longer than its queue allows.

    Slurm does not heed a `DefaultTime` above `MaxTime`, and says so in its log.

    Source: `DefaultTime` of `slurm.conf`.
    """
    default, most = (_minutes(facts.text(name) or "") for name in ("DefaultTime", "MaxTime"))
    if default is not None and most is not None and default > most:
        yield Violation(
            facts.argument("DefaultTime"),
            f"has DefaultTime={facts.text('DefaultTime')}, above MaxTime={facts.text('MaxTime')}",
            "lower the one or raise the other",
        )


_TIME: Final = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", re.ASCII)


def _minutes(text: str) -> float | None:
    """How long a time is that Slurm reads, in minutes; `None` for what is none or no end."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    days, *rest = match.groups()
    numbers = [int(number) for number in rest if number is not None]
    if days is not None:  # days-hours[:minutes[:seconds]]
        hours, minutes, seconds = [*numbers, 0, 0][:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:  # minutes[:seconds]
        hours, (minutes, seconds) = 0, [*numbers, 0][:2]
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


@error("PCS841", SettingsFacts)
def queues_let_jobs_run(facts: SettingsFacts) -> Iterator[Violation]:
    """`MaxTime` of a queue is more than nothing.

    With 0 Slurm starts, and refuses or ends what is submitted there.

    Source: `MaxTime` of `slurm.conf`.
    """
    if facts.scope is QUEUE and _minutes(facts.text("MaxTime") or "") == 0:
        yield Violation(
            facts.argument("MaxTime"),
            f"has MaxTime={facts.text('MaxTime')}, which lets no job run",
            "write a longer time, or leave it out for no limit",
        )


@advice("PCS842", SettingsFacts)
def memory_of_jobs_is_scheduled(facts: SettingsFacts) -> Iterator[Violation]:
    """A cluster that has `DefMemPerCPU` schedules by memory.

    Otherwise node groups are not told their memory, and Slurm then starts no job that asks for
    some, or gets some by this setting. Whether AWS PCS tells it unasked is not said.

    Source: `DefMemPerCPU`, `RealMemory` and `SelectTypeParameters` of `slurm.conf`.
    """
    selects = facts.settings.get("SelectTypeParameters", "")
    if (
        "DefMemPerCPU" in facts.settings
        and selects is not UNKNOWN
        and "_memory" not in selects.lower()
    ):
        yield Violation(
            facts.argument("DefMemPerCPU"),
            "gives jobs memory, and the cluster does not schedule by it",
            "write memory_aware=True",
        )


@error("PCS834", SettingsFacts)
def licenses_are_names_with_numbers(facts: SettingsFacts) -> Iterator[Violation]:
    """`Licenses` is a list of names, each with how many there are.

    A name without a number is one license. A name may have a server, as in `ansys@flex:25`. On a
    blank, a second colon or a number below 0 the controller does not start; an asterisk, which old
    manuals have for the colon, becomes part of the name.

    Source: `Licenses` of `slurm.conf`.
    """
    for entry in (facts.text("Licenses") or "").split(","):
        if entry and not re.fullmatch(r"[^\s:=*#]+([:=]\d+)?", entry, re.ASCII):
            yield Violation(
                facts.argument("Licenses"),
                f"has the license {entry!r}",
                "write a name and a number, such as 'ansys:25'",
            )


@error("PCS835", SettingsFacts)
def suspended_jobs_share_their_nodes(facts: SettingsFacts) -> Iterator[Violation]:
    """`SUSPEND` in `PreemptMode` of a cluster comes with `GANG`, which queues do not have.

    Only Slurm's gang scheduler wakes a suspended job again, so without it the controller does not
    start. `Preemption.by_queue(mode=PreemptMode.SUSPEND)` writes both. In the `PreemptMode` of a
    queue `GANG` is ignored.

    Source: `PreemptMode` of `slurm.conf`.
    """
    modes = [mode.upper() for mode in facts.items("PreemptMode")]
    if facts.scope is QUEUE and "GANG" in modes:
        yield Violation(
            facts.argument("PreemptMode"),
            "has GANG in the PreemptMode of a queue",
            "write it into the cluster's PreemptMode",
        )
    if facts.scope is not QUEUE and "SUSPEND" in modes and "GANG" not in modes:
        yield Violation(
            facts.argument("PreemptMode"),
            "has PreemptMode=SUSPEND without GANG",
            "write 'SUSPEND,GANG'",
        )


@error("PCS836", SettingsFacts)
def preemption_has_a_type_and_a_mode(facts: SettingsFacts) -> Iterator[Violation]:
    """A cluster has a `PreemptType` together with a `PreemptMode`.

    With the one alone, and with `OFF` for the other, the controller does not start: the type says
    who makes room, the mode how. `GANG` alone needs no type. `preemption=pcs.Preemption.by_queue()`
    writes both.

    Source: `PreemptMode` of `slurm.conf`.
    """
    kind, mode = (facts.settings.get(name, "") for name in ("PreemptType", "PreemptMode"))
    if facts.scope is QUEUE or kind is UNKNOWN or mode is UNKNOWN:
        return
    modes = {part.strip().upper() for part in mode.split(",")} - {"", "OFF", "GANG"}
    preempts = kind.lower() not in {"", "preempt/none"}
    if preempts and not modes:
        yield Violation(
            facts.argument("PreemptMode"),
            f"has PreemptType={kind} with {f'PreemptMode={mode}' if mode else 'no PreemptMode'}",
            "write a mode such as 'REQUEUE', or leave both out",
        )
    elif modes and not preempts:
        yield Violation(
            facts.argument("PreemptMode"),
            f"has PreemptMode={mode} with {f'PreemptType={kind}' if kind else 'no PreemptType'}",
            "write preemption=pcs.Preemption.by_queue(), or leave it out",
        )
