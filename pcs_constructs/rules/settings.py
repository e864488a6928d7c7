"""Rules for what Slurm is told: of clusters, nodes and queues, and of generic resources."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pcs_constructs.errors import UNKNOWN, Breach, Unknown
from pcs_constructs.rules.rule import advice, error
from pcs_constructs.slurm_settings import (
    ENFORCEMENTS,
    FORMS,
    GRES,
    PATHS,
    QUEUE,
    SCOPES,
    SELECT_TYPES,
    Scope,
    is_yes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.instances import InstanceFacts
    from pcs_constructs.slurm import SlurmVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettingsFacts:
    """The Slurm settings of a compute node group, and what is known of its nodes."""

    settings: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])
    instances: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    """What is known of the instance types, by name."""
    memory_aware: bool | Unknown = UNKNOWN
    """Whether the cluster schedules by memory."""
    login: bool = False
    gpu_type: str | Unknown | None = None
    """What jobs are to call the GPUs."""

    def number(self, name: str) -> int | None:
        """The value of a setting, where it is known and a whole number."""
        value = self.settings.get(name)
        return int(value) if isinstance(value, str) and value.isdecimal() else None


@error("PCS801", NodeSettingsFacts)
def real_memory_is_there(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """`RealMemory` is no more than the instance type has.

    Slurm puts a node that registers with less memory than that out of service. The operating system
    sees a little less than the type has, so leave some room: 95 % is what the library sets.

    Source: Custom Slurm settings for compute node groups; `RealMemory` of `slurm.conf`.
    """
    asked = facts.number("RealMemory")
    for name, found in facts.instances.items():
        if asked is not None and asked > found.memory_mib:
            yield Breach(
                "slurm_settings",
                f"asks for RealMemory={asked} MB, and {name} has {found.memory_mib}",
                f"write {found.memory_mib * 95 // 100} or less",
            )


@advice("PCS802", NodeSettingsFacts)
def real_memory_is_in_megabytes(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """`RealMemory` counts megabytes, as Slurm does.

    The 2024 user guide said gigabytes; the setting goes to `slurm.conf` as it is, and the newer
    guide refers to Slurm's manual. A number that fits the type's gigabytes is taken for a slip.

    Source: `RealMemory` of `slurm.conf`; Custom Slurm settings for compute node groups.
    """
    asked = facts.number("RealMemory")
    for name, found in facts.instances.items():
        if asked is not None and asked <= found.memory_mib / 1024:
            yield Breach(
                "slurm_settings",
                f"says RealMemory={asked} MB, less than a thousandth of what {name} has",
                f"write megabytes, such as {found.memory_mib * 95 // 100}",
            )
            return


@advice("PCS803", NodeSettingsFacts)
def memory_aware_nodes_say_their_memory(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """In a cluster that schedules by memory every node group says how much its nodes have.

    The library writes `RealMemory` for types that it knows. For others nothing is written, and
    Slurm may take a node to have 1 MB, on which no job that asks for memory starts.

    Source: `RealMemory` and `SelectTypeParameters` of `slurm.conf`.
    """
    if facts.memory_aware is True and not facts.login and "RealMemory" not in facts.settings:
        yield Breach(
            "slurm_settings",
            "the cluster schedules by memory, and nothing is known of these nodes' memory",
            'add {"RealMemory": "..."} in MB, or describe the type: '
            "pcs.InstanceFacts.from_description(...)",
        )


@error("PCS804", NodeSettingsFacts)
def sockets_divide_the_cores(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """`Sockets` divides the number of cores.

    AWS PCS sets the cores of each socket, and takes a core for a processor whatever the type's
    number of threads is.

    Source: Configuring hardware topology in AWS PCS.
    """
    sockets = facts.number("Sockets")
    for name, found in facts.instances.items():
        if sockets is not None and (sockets < 1 or found.cores % sockets):
            yield Breach(
                "slurm_settings",
                f"has Sockets={sockets}, which does not divide the {found.cores} cores of {name}",
                "write the number of NUMA or L3 cache domains of the type",
            )


@error("PCS805", NodeSettingsFacts)
def cache_domains_are_counted(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """`Parameters=l3cache_as_socket` comes with `Sockets`, the number of L3 cache domains.

    AWS PCS cannot know the layout of the caches, on any version of Slurm. An hpc7a.96xlarge has 24.

    Source: Configuring hardware topology in AWS PCS.
    """
    parameters = facts.settings.get("Parameters", "")
    if (
        parameters is not UNKNOWN
        and "l3cache_as_socket" in parameters.replace(" ", "").split(",")
        and "Sockets" not in facts.settings
    ):
        yield Breach(
            "slurm_settings",
            "has Parameters=l3cache_as_socket without Sockets",
            'add {"Sockets": "24"}, with the number of L3 cache domains of the type',
        )


@error("PCS806", NodeSettingsFacts)
def named_gpus_are_there(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """GPUs that jobs call by a name are there, are NVIDIA's, and are declared once.

    With `gpu_type` the library writes the two records that Slurm wants, `Gres` and the one for
    `gres.conf`, and for that counts the GPUs of the instance type. Without it AWS PCS declares them
    itself, and jobs ask for `gpu`.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    if facts.gpu_type is None:
        return
    if facts.gpu_type is not UNKNOWN and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", facts.gpu_type):
        yield Breach(
            "gpu_type",
            f"{facts.gpu_type!r} is no name",
            "write letters, digits and _, such as 'h100'",
        )
    if not facts.instances:
        yield Breach(
            "gpu_type",
            "the number of GPUs is not known",
            "describe the type: pcs.InstanceFacts.from_description(...)",
        )
    for name, found in facts.instances.items():
        if found.gpu_manufacturer != "NVIDIA":
            yield Breach(
                "gpu_type", f"{name} has no NVIDIA GPUs", "leave gpu_type out, or choose a GPU type"
            )
    if "Gres" in facts.settings:
        yield Breach("gpu_type", "slurm_settings has Gres as well", "leave one of the two out")


@advice("PCS820", NodeSettingsFacts)
def real_memory_is_scheduled(facts: NodeSettingsFacts) -> Iterator[Breach]:
    """`RealMemory` is set where the cluster schedules by memory.

    Otherwise Slurm still keeps a job that asks for more off the node, but jobs on one node can
    together ask for more than it has, and nothing is set aside for any of them.

    Source: `RealMemory` and `SelectTypeParameters` of `slurm.conf`.
    """
    if facts.memory_aware is False and "RealMemory" in facts.settings:
        yield Breach(
            "slurm_settings",
            "has RealMemory, and the cluster does not schedule by memory",
            'give the cluster {"SelectTypeParameters": "CR_CPU_Memory"}, or leave RealMemory out',
        )


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


def _unknown_name(scope: Scope, name: str) -> tuple[str, str] | None:
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


def _too_old(slurm: SlurmVersion | Unknown, since: str | None) -> SlurmVersion | None:
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
        if wrong := _unknown_name(facts.scope, name):
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
        slurm = _too_old(facts.slurm, since) if name in facts.settings and said else None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GresFacts:
    """The GRES records of a compute node group, with its Slurm settings."""

    records: tuple[Mapping[str, str | Unknown], ...]
    settings: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])
    slurm: SlurmVersion | Unknown = UNKNOWN

    @property
    def gpus(self) -> tuple[Mapping[str, str | Unknown], ...]:
        """The records that AWS PCS takes for a description of GPUs."""
        return tuple(r for r in self.records if r.get("Name") == "gpu" or "AutoDetect" in r)


def _detects(record: Mapping[str, str | Unknown]) -> bool | Unknown:
    """Whether Slurm finds the devices of a record itself."""
    value = record.get("AutoDetect", "off")
    return UNKNOWN if value is UNKNOWN else value.lower() != "off"


@error("PCS823", GresFacts)
def gres_attributes_are_ones_that_pcs_takes(facts: GresFacts) -> Iterator[Breach]:
    """AWS PCS takes the attributes of a GRES record, on this version of Slurm.

    These are AutoDetect, which needs Slurm 25.11, Name, Type, Count, Cores, Links, Flags, File and
    MultipleFiles. `NodeName` is added by AWS PCS.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.records:
        for name in record:
            if name.lower() == "nodename":
                yield Breach("gres", f"has {name!r}", "leave it out, AWS PCS adds it")
            elif wrong := _unknown_name(GRES, name):
                yield Breach("gres", *wrong)
            elif slurm := _too_old(facts.slurm, GRES.since.get(name)):
                yield Breach(
                    "gres",
                    f"has {name}, which needs Slurm {GRES.since[name]}, and the cluster has "
                    f"{slurm.value}",
                    "write File in its place, such as '/dev/nvidia[0-7]'",
                )


@error("PCS824", GresFacts)
def gres_records_say_what_they_are_of(facts: GresFacts) -> Iterator[Breach]:
    """A GRES record has a `Name`, or an `AutoDetect` that is not off.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.records:
        if "Name" not in record and _detects(record) is False:
            has = "only AutoDetect=off" if "AutoDetect" in record else "no Name"
            yield Breach(
                "gres",
                f"has a record with {has}",
                'add a name, such as {"Name": "gpu", "File": "/dev/nvidia[0-7]"}',
            )


@error("PCS825", GresFacts)
def gpus_are_described_once(facts: GresFacts) -> Iterator[Breach]:
    """At most one GRES record describes GPUs.

    A record with `Name=gpu` does, and one with `AutoDetect`. It takes the place of the one that AWS
    PCS writes.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    if len(facts.gpus) > 1:
        yield Breach(
            "gres",
            f"has {len(facts.gpus)} records of GPUs",
            "put them into one, such as "
            '{"Name": "gpu", "AutoDetect": "nvml", "File": "/dev/nvidia[0-7]"}',
        )


@error("PCS826", GresFacts)
def gpu_records_have_devices(facts: GresFacts) -> Iterator[Breach]:
    """A GRES record of GPUs has `File` or `MultipleFiles`, or an `AutoDetect` that finds them.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.records:
        if (
            record.get("Name") == "gpu"
            and _detects(record) is False
            and record.keys().isdisjoint(("File", "MultipleFiles"))
        ):
            yield Breach(
                "gres",
                "has a record of GPUs without their devices",
                'add "File": "/dev/nvidia[0-7]", or "AutoDetect": "nvml" on Slurm 25.11',
            )


@error("PCS827", GresFacts)
def detected_gpus_have_sockets(facts: GresFacts) -> Iterator[Breach]:
    """On Slurm 25.11, nodes that detect their GPUs have `Sockets`.

    What they find is told in sockets. AWS PCS says nothing of those on 25.11, Slurm takes each core
    for one, and the nodes are drained as `INVALID_REG`. From 26.05 AWS PCS sets them itself, for
    node groups whose types have the same number of NUMA domains.

    Source: Configuring hardware topology in AWS PCS.
    """
    if facts.slurm is UNKNOWN or facts.slurm.is_at_least("26.05") or "Sockets" in facts.settings:
        return
    if facts.slurm.is_at_least("25.11") and any(_detects(r) is True for r in facts.records):
        yield Breach(
            "gres",
            "has AutoDetect, and slurm_settings no Sockets",
            'add {"Sockets": "2"} to slurm_settings, with the number of NUMA domains of the type',
        )


@error("PCS828", GresFacts)
def schedulable_gres_are_there(facts: GresFacts) -> Iterator[Breach]:
    """What `Gres` lets jobs have, the GRES records declare, as many and of the same type.

    `Gres` of `slurm_settings` is what can be allocated, as in `gpu:h100:8`, and the records are
    what is there. AWS PCS refuses a name without a record, be it for 0 of it, more than the records
    have, and another type of GPU than theirs. It cannot count what Slurm detects, does not count
    `mps` and `shard`, and takes any type where the record has none. A record that no `Gres` names
    is legal: jobs cannot ask for it.

    Source: Configuring custom GRES settings in AWS PCS, "Constraints".
    """
    listed = facts.settings.get("Gres", "")
    unnamed = any(record.get("Name") is UNKNOWN for record in facts.records)
    for entry in () if listed is UNKNOWN or unnamed else filter(None, listed.split(",")):
        name, kind, count = _gres_entry(entry.strip())
        own = [r for r in facts.records if r.get("Name") == name] if name != "gpu" else facts.gpus
        if not own:
            yield Breach(
                "slurm_settings",
                f"has Gres={entry}, and no record declares {name}",
                f'pass gres=[{{"Name": "{name}", ...}}]',
            )
            continue
        counts = [_declared(record) for record in own]
        there = sum(c for c in counts if c is not None)
        if name not in {"mps", "shard"} and None not in counts and count > there:
            yield Breach(
                "slurm_settings",
                f"has Gres={entry}, and the records declare {there}",
                f"write {there} or less, or declare more in gres",
            )
        kinds = {record.get("Type", kind) for record in own}
        if name == "gpu" and kind and UNKNOWN not in kinds and kind not in kinds:
            yield Breach(
                "slurm_settings",
                f"has Gres={entry}, and the record of GPUs has Type={', '.join(map(str, kinds))}",
                "write the same type in both",
            )


_GRES_COUNT: Final = re.compile(r"(\d+)([kKmMgGtTpP]?)", re.ASCII)


def _gres_entry(entry: str) -> tuple[str, str, int]:
    """The name, the type and the count of `name[:type][:no_consume][:count]`."""
    name, *rest = entry.split(":")
    count = _gres_count(rest[-1]) if rest else None
    if count is not None:
        rest.pop()
    kinds = [part for part in rest if part != "no_consume"]
    return name, ":".join(kinds), 1 if count is None else count


def _gres_count(text: str) -> int | None:
    found = _GRES_COUNT.fullmatch(text)
    return int(found[1]) * 1024 ** " kmgtp".index(found[2].lower() or " ") if found else None


def _declared(record: Mapping[str, str | Unknown]) -> int | None:
    """How many devices a record says there are, where it can be told."""
    for name, counted in (("Count", _gres_count), ("File", _devices), ("MultipleFiles", _devices)):
        if name in record:
            value = record[name]
            return None if value is UNKNOWN else counted(value)
    return 1 if _detects(record) is False else None


def _devices(files: str) -> int | None:
    """How many files `/dev/nvidia[0-3,7],/dev/other` are."""
    total = 0
    for path in re.findall(r"(?:\[[^\]]*\]|[^,\[])+", files):
        number = 1
        for numbers in re.findall(r"\[([^\]]*)\]", path):
            ends = [re.fullmatch(r"(\d+)(?:-(\d+))?", n, re.ASCII) for n in numbers.split(",")]
            if None in ends:
                return None
            number *= sum(int(e[2] or e[1]) - int(e[1]) + 1 for e in ends if e)
        total += number
    return total
