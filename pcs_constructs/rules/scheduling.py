"""Rules for the settings that say which job runs when: time, memory, licences, QOS, preemption."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Violation
from pcs_constructs.model.slurm_settings import QUEUE
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
            template_fix="set SelectTypeParameters to CR_CPU_Memory, or leave DefMemPerCPU out",
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
            template_fix="add a PreemptType such as preempt/partition_prio, or leave both out",
        )


@advice("PCS821", SettingsFacts)
def qos_of_queues_exist(facts: SettingsFacts) -> Iterator[Violation]:
    """Every QOS that a queue names is in the accounting database before the queue is deployed.

    Slurm's controller stops on a `QOS` of a queue that is not there, and from 25.11 on one in
    `AllowQoS` and `DenyQoS`, which older versions do not heed: the whole cluster is down until the
    queue is changed. A template cannot make a QOS: `sacctmgr` does, on a login node. `normal` is
    always there. Say which ones you have made with `Accounting(qos=[...])`, and others are refused.

    Source: Release notes for Slurm versions in AWS PCS, "Known issues" of 25.11; Custom Slurm
    settings for AWS PCS queues; Slurm 24.11.5 and 26.05.5, tried.
    """
    if facts.qos is not UNKNOWN:
        return
    for name, named in _qos_that_must_exist(facts):
        yield Violation(
            facts.argument(name),
            f"names {', '.join(named)} in {name}, and Slurm stops when there is no such QOS",
            f"run sacctmgr add qos {','.join(named)} first, then give the cluster "
            f"accounting=pcs.Accounting(qos={named!r})",
            template_fix=f"run sacctmgr add qos {','.join(named)} first, then list it in the "
            f"cluster's Metadata: pcs-constructs: {{qos: [{', '.join(named)}]}}",
        )


@error("PCS831", SettingsFacts)
def qos_of_queues_are_declared(facts: SettingsFacts) -> Iterator[Violation]:
    """A queue names no QOS beside those that `Accounting(qos=[...])` lists, and `normal`.

    Slurm stops its controller on a `QOS` that is not in the accounting database, and from 25.11 on
    one in `AllowQoS` and `DenyQoS` as well.

    Source: Release notes for Slurm versions in AWS PCS, "Known issues" of 25.11; Slurm 24.11.5 and
    26.05.5, tried.
    """
    if facts.qos is UNKNOWN:
        return
    there = {qos.lower() for qos in facts.qos}
    for name, named in _qos_that_must_exist(facts):
        missing = [qos for qos in named if qos.lower() not in there]
        if missing:
            yield Violation(
                facts.argument(name),
                f"names {', '.join(missing)} in {name}, and the cluster's accounting does not list "
                "it",
                f"run sacctmgr add qos {','.join(missing)}, then add it to Accounting(qos=[...])",
                template_fix=f"run sacctmgr add qos {','.join(missing)}, then add it to qos in the "
                "cluster's Metadata",
            )


def _qos_that_must_exist(facts: SettingsFacts) -> Iterator[tuple[str, list[str]]]:
    """By parameter of a queue, the QOS on which Slurm stops if it has to look for them in vain."""
    looks_at_all = facts.slurm is not UNKNOWN and facts.slurm.is_at_least("25.11")
    for name in ("AllowQoS", "DenyQoS", "QOS") if looks_at_all else ("QOS",):
        if facts.scope is not QUEUE:
            return
        named = [item for item in facts.items(name) if item.lower() not in {"normal", "all"}]
        if named and facts.accounting is not False:
            yield name, named


@error("PCS830", SettingsFacts)
def who_is_denied_is_not_also_a_matter_of_who_is_allowed(
    facts: SettingsFacts,
) -> Iterator[Violation]:
    """A queue says which accounts or QOS it takes, or which it does not, and not both.

    Slurm writes an error into its log and goes on: with `AllowAccounts` it does not heed
    `DenyAccounts`, and with `AllowQoS` not `DenyQoS`.

    Source: `AllowAccounts` and `AllowQos` of `slurm.conf`.
    """
    for allow, deny in (("AllowAccounts", "DenyAccounts"), ("AllowQoS", "DenyQoS")):
        if facts.scope is QUEUE and allow in facts.settings and deny in facts.settings:
            if facts.text(allow) is None or facts.items(allow) == ("ALL",):
                continue
            yield Violation(
                facts.argument(deny),
                f"sets {deny}, which Slurm does not heed beside {allow}",
                f"leave {allow} or {deny} out",
            )
