"""Rules for the parameters that Slurm is given: of clusters, node groups, queues and daemons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pcs_constructs.errors import UNKNOWN, Breach, Unknown
from pcs_constructs.rules.rule import advice, error
from pcs_constructs.slurm_settings import (
    ENFORCEMENTS,
    FORMS,
    PATHS,
    QUEUE,
    SCOPES,
    SELECT_TYPES,
    Scope,
    is_yes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.slurm import SlurmVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts:
    """The parameters that one resource sets in one of the places for them."""

    scope: Scope
    settings: Mapping[str, str | Unknown]
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    """By parameter, the argument that it was said with, where that is not the scope's mapping."""
    slurm: SlurmVersion | Unknown = UNKNOWN
    accounting: bool | Unknown = UNKNOWN

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


def _items(text: str) -> tuple[str, ...]:
    parts = (part.partition("=")[0].strip() for part in text.split(","))
    return tuple(part for part in parts if part)


def unknown_name(scope: Scope, name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a parameter, and how to write it."""
    if name in scope.names:
        return None
    found = f"has {name!r}"
    alike = [known for known in scope.names if known.lower() == name.lower()]
    if alike:
        return f"{found} in other letters than AWS PCS", f"write {alike[0]!r}"
    if others := [other for other in SCOPES if name in other.names]:
        return (
            f"{found}, which is a setting of {' and of '.join(o.noun for o in others)}",
            "move it to " + ", or to ".join(f"{o.argument} of {o.noun}" for o in others),
        )
    # Lazily: it is needed for mistakes only.
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(scope.names), 1)
    return (
        f"{found}, which is no setting of {scope.noun} that AWS PCS takes",
        f"write {close[0]!r}, or leave it out" if close else "leave it out",
    )


def too_old(slurm: SlurmVersion | Unknown, since: str | None) -> SlurmVersion | None:
    """The version, where it is known to be older than that of `since`."""
    if slurm is UNKNOWN or since is None or slurm.is_at_least(since):
        return None
    return slurm


@error("PCS807", SettingsFacts)
def settings_are_ones_that_pcs_takes(facts: SettingsFacts) -> Iterator[Breach]:
    """AWS PCS takes the parameter, in this place and in these letters.

    It has a list of what can be set for clusters, compute node groups, queues, `slurmdbd.conf` and
    `cgroup.conf`, and refuses everything else. Everything that Slurm has beside that is set by AWS
    PCS. Whether it would take other letters, as Slurm does, is not said.

    Source: Custom Slurm settings for AWS PCS clusters, for compute node groups and for queues;
    Configuring custom SlurmDBD settings; Configuring custom cgroup settings.
    """
    for name in facts.settings:
        if wrong := unknown_name(facts.scope, name):
            yield Breach(facts.argument(name), *wrong)


@error("PCS808", SettingsFacts)
def settings_are_said_once(facts: SettingsFacts) -> Iterator[Breach]:
    """A parameter is set once.

    Slurm reads names in any letters, so `MaxTime` and `maxtime` are one.

    Source: Configuring custom Slurm settings in AWS PCS, "Validation"; `slurm.conf`.
    """
    spellings: dict[str, list[str]] = {}
    for name in facts.settings:
        spellings.setdefault(name.lower(), []).append(name)
    for names in spellings.values():
        if len(names) > 1:
            yield Breach(
                facts.argument(names[0]),
                f"sets one parameter {len(names)} times: {', '.join(names)}",
                "leave one of them",
            )


@error("PCS809", SettingsFacts)
def settings_are_in_the_slurm_version(facts: SettingsFacts) -> Iterator[Breach]:
    """The cluster's Slurm is new enough for the parameter and its value.

    `MetricsType`, `enable_http`, `HealthCheckNodeState=START_ONLY`, `CR_Socket` and
    `CR_Socket_Memory`, and `Parameters` and `Sockets` of nodes need 25.11. CLI filters need 24.11:
    they were announced for 25.05, and the newer page says 24.11, with the installers 24.11.6-2 or
    25.05.4-1. To say where their script is takes 25.11.

    Source: the pages of custom Slurm settings; Slurm metrics in AWS PCS; Use Slurm CLI Filter
    Plugins to customize job submission; Release notes for Slurm versions in AWS PCS.
    """
    for what, since in facts.scope.since.items():
        name, _, value = what.partition("=")
        said = not value or value.lower() in map(str.lower, facts.items(name))
        slurm = too_old(facts.slurm, since) if name in facts.settings and said else None
        if slurm:
            yield Breach(
                facts.argument(name),
                f"has {what}, which needs Slurm {since}, and the cluster has {slurm.value}",
                f"leave it out, or use Slurm {since} or newer",
            )


@error("PCS810", SettingsFacts)
def settings_have_the_accounting_they_need(facts: SettingsFacts) -> Iterator[Breach]:
    """Parameters of accounting are set in a cluster that has it.

    These are `AccountingStorageEnforce`, everything of `slurmdbd_settings`, and the QOS of queues,
    which must be in the accounting database. The guide says that some settings are valid only with
    accounting and has no list; these are the ones that its pages on accounting and queues name.

    Source: Slurm accounting in AWS PCS; Custom Slurm settings for AWS PCS queues; Configuring
    custom SlurmDBD settings in AWS PCS.
    """
    for name in facts.settings if facts.accounting is False else ():
        if name in facts.scope.needs_accounting:
            yield Breach(
                facts.argument(name),
                f"has {name}, and the cluster has no accounting",
                "give the cluster accounting=pcs.Accounting(), or leave it out",
            )


@advice("PCS811", SettingsFacts)
def settings_have_the_accounting_they_use(facts: SettingsFacts) -> Iterator[Breach]:
    """Parameters that look something up in the accounting database are set where there is one.

    Without it Slurm has no accounts, associations, shares or workload keys, so `AllowAccounts`,
    `DenyAccounts`, `PriorityWeightAssoc`, `PriorityWeightFairshare`, `PriorityWeightQOS`,
    `TrackWCKey`, `AccountingStorageTRES` and `AccountingStoreFlags` have nothing to go by. Whether
    AWS PCS refuses them is not said.

    Source: `slurm.conf`; Configuring custom Slurm settings in AWS PCS, "Validation".
    """
    for name in facts.settings if facts.accounting is False else ():
        if name in facts.scope.uses_accounting:
            yield Breach(
                facts.argument(name),
                f"has {name}, which does nothing without accounting",
                "give the cluster accounting=pcs.Accounting(), or leave it out",
            )


@error("PCS812", SettingsFacts)
def accounting_enforces_what_pcs_can(facts: SettingsFacts) -> Iterator[Breach]:
    """`AccountingStorageEnforce` has only what AWS PCS supports.

    That is associations, limits, qos, safe, nosteps and nojobs, in any combination; Slurm's `all`
    and `wckeys` are not among them.

    Source: Slurm accounting in AWS PCS, "Accounting policy enforcement".
    """
    name = "AccountingStorageEnforce"
    for item in facts.items(name):
        if item.lower() not in ENFORCEMENTS:
            yield Breach(
                facts.argument(name),
                f"has {item!r} in {name}, which AWS PCS does not support",
                f"use some of {', '.join(ENFORCEMENTS)}",
            )


@advice("PCS813", SettingsFacts)
def select_types_are_ones_that_pcs_names(facts: SettingsFacts) -> Iterator[Breach]:
    """`SelectTypeParameters` is one of those that the user guide names.

    These are `CR_CPU`, which AWS PCS sets itself, `CR_CPU_Memory`, `CR_Socket` and
    `CR_Socket_Memory`. The guide of 2024 had the first two as the only ones, and the newer page
    adds the others without a list, so Slurm's other values are not refused here.

    Source: Custom Slurm settings for AWS PCS clusters; Select type parameters in the guide of 2024.
    """
    name = "SelectTypeParameters"
    for item in facts.items(name):
        if item not in SELECT_TYPES:
            yield Breach(
                facts.argument(name),
                f"has {item!r} in {name}, which AWS PCS may not support",
                f"use one of {', '.join(SELECT_TYPES)}",
            )


@error("PCS814", SettingsFacts)
def programs_have_absolute_paths(facts: SettingsFacts) -> Iterator[Breach]:
    """`Prolog`, `Epilog` and the other programs of nodes are absolute paths.

    `TaskProlog`, `TaskEpilog` and `HealthCheckProgram` are such programs too. The guide of 2024
    wanted a directory for the first two; the newer one sets them to files as well.

    Source: `slurm.conf`; Configuring custom Slurm settings in AWS PCS; Set up IMEX in AWS PCS.
    """
    for name in PATHS:
        path = facts.text(name)
        if path is not None and not path.startswith("/"):
            yield Breach(
                facts.argument(name),
                f"has {name}={path!r}, which is no absolute path",
                "write where it is on the nodes, such as '/shared/scripts/prolog.sh'",
            )


@error("PCS815", SettingsFacts)
def values_have_the_form_of_their_parameter(facts: SettingsFacts) -> Iterator[Breach]:
    """Numbers are whole numbers, switches are `YES` or `NO`, and times are as Slurm writes them.

    AWS PCS checks these forms before anything else. For switches Slurm takes `TRUE`, `UP` and `1`
    and their opposites as well, in any letters. A time is in minutes, or `hours:minutes:seconds`,
    `days-hours` and the like, or `UNLIMITED`. Parameters whose form is not plain are not judged.

    Source: Configuring custom Slurm settings in AWS PCS, "Validation"; `slurm.conf`.
    """
    for name in facts.settings:
        pattern, form = FORMS.get(name, ("", ""))
        value = facts.text(name)
        if pattern and value is not None and not re.fullmatch(pattern, value, re.ASCII):
            yield Breach(facts.argument(name), f"has {name}={value!r}", f"write {form}")


@error("PCS816", SettingsFacts)
def finished_jobs_are_kept_five_seconds(facts: SettingsFacts) -> Iterator[Breach]:
    """`MinJobAge` is 5 seconds or more.

    Source: Custom Slurm settings for AWS PCS clusters.
    """
    value = facts.text("MinJobAge")
    if value is not None and re.fullmatch("0*[0-4]", value):
        yield Breach(
            facts.argument("MinJobAge"),
            f"has MinJobAge={value}, less than 5 seconds",
            "write '5' or more",
        )


@error("PCS817", SettingsFacts)
def srun_ports_are_a_range(facts: SettingsFacts) -> Iterator[Breach]:
    """`SrunPortRange` is two ports from 1024 to 65535 with a hyphen, the lower one first.

    AWS PCS sets 60001-63000. Security groups have to let the range through between nodes.

    Source: `SrunPortRange` of `slurm.conf`; Requirements for security groups in AWS PCS.
    """
    value = facts.text("SrunPortRange")
    if value is None:
        return
    ports = re.fullmatch(r"(\d{4,5})-(\d{4,5})", value, re.ASCII)
    if not ports or not 1024 <= int(ports[1]) <= int(ports[2]) <= 65535:
        yield Breach(
            facts.argument("SrunPortRange"),
            f"has SrunPortRange={value!r}",
            "write two ports from 1024 to 65535, such as '60001-63000'",
        )


@error("PCS818", SettingsFacts)
def metrics_can_be_read(facts: SettingsFacts) -> Iterator[Breach]:
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
        yield Breach(
            facts.argument("MetricsType"),
            "has MetricsType, and nothing that metrics are read from",
            'add "enable_http" to CommunicationParameters',
        )


@error("PCS819", SettingsFacts)
def cli_filters_are_in_lua(facts: SettingsFacts) -> Iterator[Breach]:
    """`CliFilterPlugins` is `cli_filter/lua`.

    AWS PCS takes nothing else: filters written in C are not supported.

    Source: Configure Slurm CLI Filter Plugins on an AWS PCS cluster, "Troubleshooting".
    """
    value = facts.text("CliFilterPlugins")
    if value not in {None, "cli_filter/lua"}:
        yield Breach(
            facts.argument("CliFilterPlugins"),
            f"has CliFilterPlugins={value!r}",
            "write 'cli_filter/lua'",
        )


@advice("PCS821", SettingsFacts)
def qos_of_queues_exist(facts: SettingsFacts) -> Iterator[Breach]:
    """Every QOS that a queue names is in the accounting database before the queue is deployed.

    Slurm 25.11 looks, and its controller stops on one that is not there: the whole cluster is down
    until the queue is changed. A template cannot make a QOS: `sacctmgr` does, on a login node.
    `normal` is always there. The release notes say so of `AllowQoS` and `DenyQoS`; the page on
    queues counts `QOS` with them.

    Source: Release notes for Slurm versions in AWS PCS, "Known issues" of 25.11; Custom Slurm
    settings for AWS PCS queues.
    """
    if facts.scope is not QUEUE or facts.slurm is UNKNOWN or not facts.slurm.is_at_least("25.11"):
        return
    for name in ("AllowQoS", "DenyQoS", "QOS"):
        named = [item for item in facts.items(name) if item.lower() not in {"normal", "all"}]
        if named and facts.accounting is not False:
            yield Breach(
                facts.argument(name),
                f"names {', '.join(named)} in {name}, and Slurm {facts.slurm.value} stops when "
                "there is no such QOS",
                f"run sacctmgr add qos {','.join(named)} first, and acknowledge this",
            )


@advice("PCS829", SettingsFacts)
def prolog_flags_go_together(facts: SettingsFacts) -> Iterator[Breach]:
    """`NoHold` in `PrologFlags` comes with `Alloc`, and without `Contain` and `X11`.

    Slurm's manual wants it so. AWS PCS sets `Alloc,Contain` itself, and its page on IMEX replaces
    that by `Alloc,NoHold`. Its other pages do not say what it refuses.

    Source: `PrologFlags` of `slurm.conf`; Release notes for Slurm versions in AWS PCS.
    """
    flags = [flag.lower() for flag in facts.items("PrologFlags")]
    wrong = {"contain", "x11"}.intersection(flags) or "alloc" not in flags
    if "nohold" in flags and wrong:
        yield Breach(
            facts.argument("PrologFlags"),
            "has NoHold in PrologFlags without Alloc, or with Contain or X11",
            "write 'Alloc,NoHold', or leave NoHold out",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDefaultsFacts:
    """Which queues of one cluster want to be its default."""

    defaults: Mapping[str, str | Unknown]
    """By queue, what it says of `Default`."""


@advice("PCS822", QueueDefaultsFacts)
def one_queue_is_the_default(facts: QueueDefaultsFacts) -> Iterator[Breach]:
    """One queue of a cluster is its default at most.

    Jobs that name no queue go to it. Of several Slurm keeps one, and nobody says which.

    Source: `Default` of `slurm.conf`.
    """
    names = [n for n, value in facts.defaults.items() if value is not UNKNOWN and is_yes(value)]
    if len(names) > 1:
        yield Breach(
            "slurm_settings",
            f"{len(names)} queues have Default=YES: {', '.join(names)}",
            "leave it to one of them",
        )
