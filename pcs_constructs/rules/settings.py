"""Rules for the parameters that Slurm is given: of clusters, node groups, queues and daemons."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.ports import SLURMCTLD, SLURMRESTD, SRUN_PORT_RANGE
from pcs_constructs.model.slurm_settings import (
    AS_OF,
    ENFORCEMENTS,
    FORMS,
    PATHS,
    SCOPES,
    SELECT_TYPES,
    SLURM_SELECT_TYPES,
    WORDS,
    Scope,
    names_of_slurm,
)
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pcs_constructs.model.slurm import SlurmVersion


_ADD_ACCOUNTING: Final = "give the cluster Accounting with Mode STANDARD, or leave it out"


@facts_record
class SettingsFacts:
    """The parameters that one resource sets in one of the places for them."""

    scope: Scope
    settings: Mapping[str, str | Unknown]
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    """By parameter, the argument that it was said with, where that is not the scope's mapping."""
    twice: tuple[str, ...] = ()
    """Parameters that were said a second time, in the same letters."""
    slurm: SlurmVersion | Unknown = UNKNOWN
    accounting: bool | Unknown = UNKNOWN
    qos: frozenset[str] | Unknown = UNKNOWN
    """The QOS that are said to be in the accounting database."""

    def argument(self, name: str) -> str:
        """The argument that a parameter came with."""
        return self.arguments.get(name, self.scope.argument)

    def text(self, name: str) -> str | None:
        """The value of a parameter that the scope takes, where it is there and known."""
        value = self.settings.get(name) if name in self.scope.names else None
        return None if value is UNKNOWN else value

    def items(self, name: str) -> tuple[str, ...]:
        """The items of a value that is a list, of those before a `=` the names only."""
        return _items(self.text(name) or "")

    def said_of(self, table: Iterable[str]) -> Iterator[str]:
        """What of a table is set, in its order: parameters, or parameters with one value."""
        for what in table:
            name, _, value = what.partition("=")
            said = not value or value.lower() in map(str.lower, self.items(name))
            if name in self.settings and said:
                yield what


def _items(text: str) -> tuple[str, ...]:
    parts = (part.partition("=")[0].strip() for part in text.split(","))
    return tuple(part for part in parts if part)


def unknown_name(argument: str, scope: Scope, name: str) -> Violation | None:
    """What is wrong with the name of a parameter."""
    if name in scope.names:
        return None
    if official_name(scope, name):
        return None  # told by a rule of its own
    message = f"has {name!r}"
    if others := [other for other in SCOPES if name in other.names]:
        return Violation(
            argument,
            f"{message}, which is a setting of {' and of '.join(o.noun for o in others)}",
            "move it to " + ", or to ".join(f"{o.argument} of {o.noun}" for o in others),
            template_fix="move it to "
            + ", or to ".join(f"{o.property} of {o.noun}" for o in others),
        )
    if name.lower() in names_of_slurm():
        message += ", which AWS PCS sets itself or does not let anybody set"
        return Violation(argument, message, "leave it out")
    # Lazily: it is needed for mistakes only.
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(scope.names), 1)
    return Violation(
        argument,
        f"{message}, which is no setting of {scope.noun} that AWS PCS takes",
        f"write {close[0]!r}, or leave it out" if close else "leave it out",
    )


def official_name(scope: Scope, name: str) -> str | None:
    """How AWS PCS spells a parameter that is written in other letters."""
    alike = (known for known in scope.names if known.lower() == name.lower())
    return None if name in scope.names else next(alike, None)


def too_old(slurm: SlurmVersion | Unknown, since: str | None) -> SlurmVersion | None:
    """The version, where it is known to be older than that of `since`."""
    if slurm is UNKNOWN or since is None or slurm.is_at_least(since):
        return None
    return slurm


@error("PCS807", SettingsFacts)
def settings_are_ones_that_pcs_takes(facts: SettingsFacts) -> Iterator[Violation]:
    """AWS PCS takes the parameter, in this place.

    It has a list of what can be set for clusters, compute node groups, queues, `slurmdbd.conf` and
    `cgroup.conf`, and refuses everything else. What `slurm.conf` has beside that is set by AWS PCS,
    or not at all; a name that Slurm does not know is taken for a slip of the pen.

    Source: Custom Slurm settings for AWS PCS clusters, for compute node groups and for queues;
    Configuring custom SlurmDBD settings; Configuring custom cgroup settings.
    """
    for name in facts.settings:
        if wrong := unknown_name(facts.argument(name), facts.scope, name):
            yield wrong


@advice("PCS839", SettingsFacts)
def settings_are_spelled_as_pcs_does(facts: SettingsFacts) -> Iterator[Violation]:
    """Parameters are written in the letters in which AWS PCS lists them.

    Slurm reads names in any letters. Whether AWS PCS does is not said, and what is written in
    others is not checked here any further.

    Source: Custom Slurm settings for AWS PCS clusters, for compute node groups and for queues.
    """
    for name in facts.settings:
        if official := official_name(facts.scope, name):
            yield Violation(
                facts.argument(name),
                f"has {name!r} in other letters than AWS PCS",
                f"write {official!r}",
            )


@error("PCS808", SettingsFacts)
def settings_are_said_once(facts: SettingsFacts) -> Iterator[Violation]:
    """A parameter is set once.

    Slurm reads names in any letters, so `MaxTime` and `maxtime` are one. What an argument of its
    own says, such as `max_time`, is not said with the parameter's name as well.

    Source: Configuring custom Slurm settings in AWS PCS, "Validation"; `slurm.conf`.
    """
    spellings: dict[str, list[str]] = {}
    for name in (*facts.settings, *facts.twice):
        spellings.setdefault(name.lower(), []).append(name)
    for names in spellings.values():
        if len(names) > 1:
            yield Violation(
                facts.argument(names[0]),
                f"sets one parameter {len(names)} times: {', '.join(names)}",
                "leave one of them",
            )


@error("PCS809", SettingsFacts)
def settings_are_in_the_slurm_version(facts: SettingsFacts) -> Iterator[Violation]:
    """The cluster's Slurm is new enough for the parameter and its value.

    `MetricsType`, `enable_http`, `HealthCheckNodeState=START_ONLY`, `CR_Socket` and
    `CR_Socket_Memory`, and `Parameters` and `Sockets` of nodes need 25.11. CLI filters need 24.11:
    they were announced for 25.05, and the newer page says 24.11, with the installers 24.11.6-2 or
    25.05.4-1. To say where their script is takes 25.11.

    Source: the pages of custom Slurm settings; Slurm metrics in AWS PCS; Use Slurm CLI Filter
    Plugins to customize job submission; Release notes for Slurm versions in AWS PCS.
    """
    for what in facts.said_of(facts.scope.since):
        since = facts.scope.since[what]
        if slurm := too_old(facts.slurm, since):
            yield Violation(
                facts.argument(what.partition("=")[0]),
                f"has {what}, which needs Slurm {since}, and the cluster has {slurm.value}",
                f"leave it out, or use Slurm {since} or newer",
            )


@error("PCS810", SettingsFacts)
def settings_have_the_accounting_they_need(facts: SettingsFacts) -> Iterator[Violation]:
    """Parameters of accounting are set in a cluster that has it.

    These are `AccountingStorageEnforce`, everything of `slurmdbd_settings`, and the QOS of queues,
    which must be in the accounting database. The guide says that some settings are valid only with
    accounting and has no list; these are the ones that its pages on accounting and queues name.

    Source: Slurm accounting in AWS PCS; Custom Slurm settings for AWS PCS queues; Configuring
    custom SlurmDBD settings in AWS PCS.
    """
    for name in facts.settings if facts.accounting is False else ():
        if name in facts.scope.needs_accounting:
            yield Violation(
                facts.argument(name),
                f"has {name}, and the cluster has no accounting",
                "give the cluster accounting=pcs.Accounting(), or leave it out",
                template_fix=_ADD_ACCOUNTING,
            )


@advice("PCS811", SettingsFacts)
def settings_have_the_accounting_they_use(facts: SettingsFacts) -> Iterator[Violation]:
    """Parameters that look something up in the accounting database are set where there is one.

    Without it Slurm has no accounts, associations, QOS, shares or workload keys, so
    `AllowAccounts`, `DenyAccounts`, `PriorityWeightAssoc`, `PriorityWeightFairshare`,
    `PriorityWeightQOS`, `PreemptType=preempt/qos`, `TrackWCKey`, `AccountingStorageTRES` and
    `AccountingStoreFlags` have nothing to go by. Whether AWS PCS refuses them is not said.

    Source: `slurm.conf`; Configuring custom Slurm settings in AWS PCS, "Validation".
    """
    for what in facts.said_of(facts.scope.uses_accounting) if facts.accounting is False else ():
        yield Violation(
            facts.argument(what.partition("=")[0]),
            f"has {what}, which does nothing without accounting",
            "give the cluster accounting=pcs.Accounting(), or leave it out",
            template_fix=_ADD_ACCOUNTING,
        )


@error("PCS812", SettingsFacts)
def accounting_enforces_what_pcs_can(facts: SettingsFacts) -> Iterator[Violation]:
    """`AccountingStorageEnforce` has only what AWS PCS supports.

    That is associations, limits, qos, safe, nosteps and nojobs, in any combination; Slurm's `all`
    and `wckeys` are not among them.

    Source: Slurm accounting in AWS PCS, "Accounting policy enforcement".
    """
    name = "AccountingStorageEnforce"
    for item in facts.items(name):
        if item.lower() not in ENFORCEMENTS:
            yield Violation(
                facts.argument(name),
                f"has {item!r} in {name}, which AWS PCS does not support",
                f"use some of {', '.join(ENFORCEMENTS)}",
            )


@error("PCS849", SettingsFacts)
def select_types_are_ones_that_slurm_knows(facts: SettingsFacts) -> Iterator[Violation]:
    """`SelectTypeParameters` has what Slurm knows.

    On anything else its controller does not start.

    Source: `SelectTypeParameters` of `slurm.conf`; Slurm 24.11.5, tried.
    """
    name = "SelectTypeParameters"
    for item in facts.items(name):
        if item.lower() not in SLURM_SELECT_TYPES and not newer_than_the_tables(facts.slurm):
            yield Violation(
                facts.argument(name),
                f"has {item!r} in {name}, which Slurm does not know",
                f"use one of {', '.join(SELECT_TYPES)}",
            )


@advice("PCS813", SettingsFacts)
def select_types_are_ones_that_pcs_names(facts: SettingsFacts) -> Iterator[Violation]:
    """`SelectTypeParameters` is one of those that the user guide names.

    These are `CR_CPU`, which AWS PCS sets itself, `CR_CPU_Memory`, `CR_Socket` and
    `CR_Socket_Memory`. The guide of 2024 had the first two as the only ones, and the newer page
    adds the others without a list, so Slurm's other values are not refused here.

    Source: Custom Slurm settings for AWS PCS clusters; Select type parameters in the guide of 2024.
    """
    name = "SelectTypeParameters"
    for item in facts.items(name):
        known = item.lower() in SLURM_SELECT_TYPES or newer_than_the_tables(facts.slurm)
        if known and item.lower() not in map(str.lower, SELECT_TYPES):
            yield Violation(
                facts.argument(name),
                f"has {item!r} in {name}, which AWS PCS may not support",
                f"use one of {', '.join(SELECT_TYPES)}",
            )


@error("PCS814", SettingsFacts)
def programs_have_absolute_paths(facts: SettingsFacts) -> Iterator[Violation]:
    """`Prolog`, `Epilog` and the other programs of nodes are absolute paths.

    `TaskProlog`, `TaskEpilog` and `HealthCheckProgram` are such programs too. The guide of 2024
    wanted a directory for the first two; the newer one sets them to files as well.

    Source: `slurm.conf`; Configuring custom Slurm settings in AWS PCS; Set up IMEX in AWS PCS.
    """
    for name in PATHS:
        path = facts.text(name)
        if path and not path.startswith("/"):
            yield Violation(
                facts.argument(name),
                f"has {name}={path!r}, which is no absolute path",
                "write where it is on the nodes, such as '/shared/scripts/prolog.sh'",
            )


@error("PCS815", SettingsFacts)
def values_have_the_form_of_their_parameter(facts: SettingsFacts) -> Iterator[Violation]:
    """Numbers are whole numbers, switches are `YES` or `NO`, and times are as Slurm writes them.

    AWS PCS checks these forms before anything else. For switches Slurm takes `TRUE`, `UP` and `1`
    and their opposites as well, in any letters. A time is in minutes, or `hours:minutes:seconds`,
    `days-hours` and the like, or `UNLIMITED`. On most of what is refused here Slurm's daemons would
    not start: seen with Slurm 26.05.5. Parameters whose form is not plain are not judged.

    Source: Configuring custom Slurm settings in AWS PCS, "Validation"; `slurm.conf`.
    """
    for name in facts.settings:
        if name not in WORDS or not newer_than_the_tables(facts.slurm):
            yield from _of_another_form(facts, name)


@advice("PCS847", SettingsFacts)
def values_have_words_that_the_tables_know(facts: SettingsFacts) -> Iterator[Violation]:
    """Values that are words are ones that this library knows of Slurm.

    The cluster's Slurm is newer than the library's tables, so it may know more.

    Source: `slurm.conf` of Slurm 26.05.
    """
    for name in facts.settings:
        if name in WORDS and newer_than_the_tables(facts.slurm):
            yield from _of_another_form(facts, name)


def _of_another_form(facts: SettingsFacts, name: str) -> Iterator[Violation]:
    pattern, form = FORMS.get(name, ("", ""))
    value = facts.text(name)
    if pattern and value and not re.fullmatch(pattern, value, re.ASCII):
        yield Violation(facts.argument(name), f"has {name}={value!r}", f"write {form}")


def newer_than_the_tables(slurm: SlurmVersion | Unknown) -> bool:
    """Whether Slurm is known to be newer than the words that the tables have of it."""
    return slurm is not UNKNOWN and slurm.is_at_least(AS_OF) and slurm.value != AS_OF


@advice("PCS816", SettingsFacts)
def finished_jobs_are_kept_five_seconds(facts: SettingsFacts) -> Iterator[Violation]:
    """`MinJobAge` is 5 seconds or more.

    The user guide has it so. Slurm itself takes less.

    Source: Custom Slurm settings for AWS PCS clusters.
    """
    value = facts.text("MinJobAge")
    if value is not None and re.fullmatch("0*[0-4]", value):
        yield Violation(
            facts.argument("MinJobAge"),
            f"has MinJobAge={value}, less than 5 seconds",
            "write '5' or more",
        )


@error("PCS817", SettingsFacts)
def srun_ports_are_a_range(facts: SettingsFacts) -> Iterator[Violation]:
    """`SrunPortRange` is two ports from 1024 to 65535 with a hyphen, the lower one first.

    AWS PCS sets 60001-63000. Security groups have to let the range through between nodes.

    Source: `SrunPortRange` of `slurm.conf`; Requirements for security groups in AWS PCS.
    """
    value = facts.text("SrunPortRange")
    if value is None:
        return
    ports = re.fullmatch(r"(\d{4,5})-(\d{4,5})", value, re.ASCII)
    if not ports or not 1024 <= int(ports[1]) <= int(ports[2]) <= 65535:
        yield Violation(
            facts.argument("SrunPortRange"),
            f"has SrunPortRange={value!r}",
            f"write two ports from 1024 to 65535, such as '{SRUN_PORT_RANGE}'",
        )


@advice("PCS846", SettingsFacts)
def srun_leaves_the_ports_of_slurm_alone(facts: SettingsFacts) -> Iterator[Violation]:
    """`SrunPortRange` is beside the ports of Slurm itself, 6817 to 6820.

    An `srun` that took the port of slurmd, 6818, would keep one that starts later from listening,
    and security groups that open the range to nodes open those ports with it.

    Source: `SrunPortRange` of `slurm.conf`; Requirements for security groups in AWS PCS.
    """
    ports = re.fullmatch(r"(\d{4,5})-(\d{4,5})", facts.text("SrunPortRange") or "", re.ASCII)
    if ports and int(ports[1]) <= SLURMRESTD and int(ports[2]) >= SLURMCTLD:
        yield Violation(
            facts.argument("SrunPortRange"),
            f"has SrunPortRange={ports[0]!r}, in which the ports of Slurm itself are",
            f"write a range beside {SLURMCTLD} to {SLURMRESTD}, such as '{SRUN_PORT_RANGE}'",
        )


@error("PCS818", SettingsFacts)
def metrics_can_be_read(facts: SettingsFacts) -> Iterator[Violation]:
    """Slurm's metrics have the HTTP endpoint that they are read from.

    That takes `MetricsType=metrics/openmetrics` and `enable_http` in `CommunicationParameters`, as
    AWS PCS turns the endpoint off. Whoever reaches port 6817 of the controller can then read
    metrics without a password. The endpoint alone is of use: it answers health probes too.

    Source: Slurm metrics in AWS PCS; Release notes for Slurm versions in AWS PCS.
    """
    if (
        "metrics/openmetrics" in facts.items("MetricsType")
        and facts.settings.get("CommunicationParameters") is not UNKNOWN
        and "enable_http" not in map(str.lower, facts.items("CommunicationParameters"))
    ):
        yield Violation(
            facts.argument("MetricsType"),
            "has MetricsType, and nothing that metrics are read from",
            'add "enable_http" to CommunicationParameters',
        )


@error("PCS819", SettingsFacts)
def cli_filters_are_in_lua(facts: SettingsFacts) -> Iterator[Violation]:
    """`CliFilterPlugins` is `cli_filter/lua`.

    AWS PCS takes nothing else: filters written in C are not supported.

    Source: Configure Slurm CLI Filter Plugins on an AWS PCS cluster, "Troubleshooting".
    """
    value = facts.text("CliFilterPlugins")
    if value not in {None, "cli_filter/lua", "lua"}:
        yield Violation(
            facts.argument("CliFilterPlugins"),
            f"has CliFilterPlugins={value!r}",
            "write 'cli_filter/lua'",
        )


@advice("PCS848", SettingsFacts)
def cli_filters_are_named_in_full(facts: SettingsFacts) -> Iterator[Violation]:
    """`CliFilterPlugins` is written `cli_filter/lua`, as AWS PCS does.

    Slurm takes `lua` for the same. Whether AWS PCS does is not said.

    Source: Configure Slurm CLI Filter Plugins on an AWS PCS cluster; `slurm.conf`.
    """
    if facts.text("CliFilterPlugins") == "lua":
        yield Violation(
            facts.argument("CliFilterPlugins"),
            "has CliFilterPlugins='lua'",
            "write 'cli_filter/lua'",
        )


@error("PCS837", SettingsFacts)
def numbers_are_not_too_large(facts: SettingsFacts) -> Iterator[Violation]:
    """Numbers are not larger than Slurm can hold.

    `PriorityTier` and `PriorityJobFactor` of a queue are 65,533 at the most, as Slurm's manual
    says; above 65,535 the controller does not start, and neither does it with a larger
    `HealthCheckInterval` or a `Weight` above 4,294,967,295.

    Source: `slurm.conf`.
    """
    for name, most in (
        ("HealthCheckInterval", 65_535),
        ("PriorityJobFactor", 65_533),
        ("PriorityTier", 65_533),
        ("Weight", 2**32 - 1),
    ):
        value = facts.text(name) or ""
        if value.isdecimal() and int(value) > most:
            yield Violation(facts.argument(name), f"has {name}={value}", f"write {most} or less")


@error("PCS838", SettingsFacts)
def parameters_have_values(facts: SettingsFacts) -> Iterator[Violation]:
    """A parameter has a value, on one line.

    Slurm does not read a file with an empty one, and takes what follows a line break for another
    parameter, so its daemons do not start.

    Source: `slurm.conf`; Configuring custom Slurm settings in AWS PCS, "Validation".
    """
    for name in facts.settings:
        value = facts.text(name)
        if value == "":
            yield Violation(facts.argument(name), f"has {name} with no value", "leave it out")
        elif value is not None and re.search(r"[\x00-\x1f\x7f]", value):
            yield Violation(
                facts.argument(name),
                f"has a line break or another control character in {name}",
                "write it on one line",
            )


@advice("PCS829", SettingsFacts)
def prolog_flags_go_together(facts: SettingsFacts) -> Iterator[Violation]:
    """`NoHold` in `PrologFlags` comes without `Contain` and `X11`.

    Slurm's manual wants it so; `Alloc` it sets itself. AWS PCS sets `Alloc,Contain`, and its page
    on IMEX replaces that by `Alloc,NoHold`. Its other pages do not say what it refuses.

    Source: `PrologFlags` of `slurm.conf`; Release notes for Slurm versions in AWS PCS.
    """
    flags = [flag.lower() for flag in facts.items("PrologFlags")]
    if "nohold" in flags and {"contain", "x11"}.intersection(flags):
        yield Violation(
            facts.argument("PrologFlags"),
            "has NoHold in PrologFlags with Contain or X11",
            "write 'Alloc,NoHold', or leave NoHold out",
        )
