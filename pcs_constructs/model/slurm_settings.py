"""Which of Slurm's parameters AWS PCS lets be set, where, and since which version of Slurm."""

from __future__ import annotations

from functools import cache
from pkgutil import get_data
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scope(NamedTuple):
    """One of the places that take parameters, and what AWS PCS lets be set there."""

    noun: str
    """Whose parameters they are, in the plural."""

    argument: str
    """The argument that takes them."""

    property: str
    """The property of a template that takes them."""

    names: frozenset[str]
    """Every parameter, as AWS PCS spells it."""

    since: Mapping[str, str]
    """The first Slurm version, for parameters and values that AWS PCS did not always take."""

    arguments: Mapping[str, str] = MappingProxyType({})
    """By parameter, the argument of its own that says it."""

    needs_accounting: frozenset[str] = frozenset()
    """What the user guide says of accounting or its database."""

    uses_accounting: tuple[str, ...] = ()
    """Parameters and values that Slurm looks up in the accounting database, and else ignores."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CLUSTER: Final = Scope(
    "clusters",
    "slurm_settings",
    "SlurmCustomSettings",
    _names(
        """
        AccountingStorageEnforce AccountingStorageTRES AccountingStoreFlags AuthAltParameters
        CliFilterParameters CliFilterPlugins CommunicationParameters DefMemPerCPU Epilog
        EnforcePartLimits FairShareDampeningFactor FirstJobId HealthCheckInterval
        HealthCheckNodeState HealthCheckProgram JobRequeue LaunchParameters Licenses MetricsType
        MinJobAge OverTimeLimit PreemptExemptTime PreemptMode PreemptParameters PreemptType
        PriorityCalcPeriod PriorityDecayHalfLife PriorityFavorSmall PriorityFlags PriorityMaxAge
        PriorityUsageResetPeriod PriorityWeightAge PriorityWeightAssoc PriorityWeightFairshare
        PriorityWeightJobSize PriorityWeightPartition PriorityWeightQOS PriorityWeightTRES Prolog
        PrologFlags RequeueExit RequeueExitHold SchedulerParameters SelectTypeParameters
        SrunPortRange TaskEpilog TaskPluginParam TaskProlog TrackWCKey UnkillableStepProgram
        UnkillableStepTimeout
        """
    ),
    {
        "CliFilterParameters": "24.11",
        "CliFilterParameters=cli_filter_lua_path": "25.11",
        "CliFilterPlugins": "24.11",
        "CommunicationParameters=enable_http": "25.11",
        "HealthCheckNodeState=REBOOT_ONLY": "26.05",
        "HealthCheckNodeState=START_ONLY": "25.11",
        "MetricsType": "25.11",
        "PreemptMode=PRIORITY": "25.05",
        "SelectTypeParameters=CR_Socket": "25.11",
        "SelectTypeParameters=CR_Socket_Memory": "25.11",
    },
    {
        "AccountingStorageEnforce": "accounting",
        "DefMemPerCPU": "default_memory_per_cpu",
        "Epilog": "epilog",
        "Licenses": "licenses",
        "PreemptExemptTime": "preemption",
        "PreemptMode": "preemption",
        "PreemptType": "preemption",
        "Prolog": "prolog",
        "SelectTypeParameters": "memory_aware",
    },
    needs_accounting=_names("AccountingStorageEnforce"),
    uses_accounting=(
        "AccountingStorageTRES",
        "AccountingStoreFlags",
        "PreemptType=preempt/qos",
        "PriorityWeightAssoc",
        "PriorityWeightFairshare",
        "PriorityWeightQOS",
        "TrackWCKey",
    ),
)

NODE_GROUP: Final = Scope(
    "compute node groups",
    "slurm_settings",
    "SlurmCustomSettings",
    _names("CpuSpecList Features Gres MemSpecLimit Parameters RealMemory Sockets Weight"),
    {"Parameters": "25.11", "Sockets": "25.11"},
    {"Features": "features", "RealMemory": "real_memory", "Weight": "weight"},
)

QUEUE: Final = Scope(
    "queues",
    "slurm_settings",
    "SlurmCustomSettings",
    _names(
        """
        AllowAccounts AllowQoS Default DefaultTime DenyAccounts DenyQoS ExclusiveUser GraceTime
        MaxTime OverSubscribe OverTimeLimit PowerDownOnIdle PreemptMode PriorityJobFactor
        PriorityTier QOS TRESBillingWeights
        """
    ),
    {"PreemptMode=PRIORITY": "25.05"},
    {
        "AllowAccounts": "allow_accounts",
        "AllowQoS": "allow_qos",
        "Default": "default",
        "DefaultTime": "default_time",
        "DenyAccounts": "deny_accounts",
        "DenyQoS": "deny_qos",
        "GraceTime": "grace_time",
        "MaxTime": "max_time",
        "PreemptMode": "preempt_mode",
        "PriorityJobFactor": "priority_job_factor",
        "PriorityTier": "priority_tier",
        "QOS": "qos",
    },
    needs_accounting=_names("AllowQoS DenyQoS QOS"),
    uses_accounting=("AllowAccounts", "DenyAccounts"),
)

_SLURMDBD: Final = _names(
    """
    AllowNoDefAcct AllResourcesAbsolute CommitDelay DefaultQOS MaxQueryTimeRange Parameters
    PrivateData PurgeEventAfter PurgeJobAfter PurgeResvAfter PurgeStepAfter PurgeSuspendAfter
    PurgeTXNAfter PurgeUsageAfter TrackWCKey
    """
)

SLURMDBD: Final = Scope(
    "the accounting database",
    "slurmdbd_settings",
    "SlurmdbdCustomSettings",
    _SLURMDBD,
    {},
    needs_accounting=_SLURMDBD,
)

CGROUP: Final = Scope(
    "cgroups",
    "cgroup_settings",
    "CgroupCustomSettings",
    _names(
        """
        AllowedRAMSpace AllowedSwapSpace ConstrainCores ConstrainDevices ConstrainRAMSpace
        ConstrainSwapSpace IgnoreSystemd MaxRAMPercent MaxSwapPercent MinRAMSpace
        SignalChildrenProcesses
        """
    ),
    {},
)

GRES: Final = Scope(
    "GRES records",
    "gres",
    "GresCustomSettings",
    _names("AutoDetect Name Type Count Cores Links Flags File MultipleFiles"),
    {"AutoDetect": "25.11"},
)

SCOPES: Final = (CLUSTER, NODE_GROUP, QUEUE, SLURMDBD, CGROUP, GRES)
"""Every place that takes parameters."""

SELECT_TYPES: Final = ("CR_CPU", "CR_CPU_Memory", "CR_Socket", "CR_Socket_Memory")
"""The values of `SelectTypeParameters` that the user guide names."""

SLURM_SELECT_TYPES: Final = _names(
    """
    cr_core cr_core_default_dist_block cr_core_memory cr_cpu cr_cpu_memory cr_lln cr_memory
    cr_no_dist_topo_block cr_one_task_per_core cr_pack_nodes cr_socket cr_socket_memory
    enforce_binding_gres ll_shared_gres multiple_sharing_gres_pj one_task_per_sharing_gres
    """
)
"""Those that Slurm knows, in small letters."""

ENFORCEMENTS: Final = ("associations", "limits", "qos", "safe", "nosteps", "nojobs")
"""The values of `AccountingStorageEnforce` that AWS PCS takes."""

PATHS: Final = ("Prolog", "Epilog", "TaskProlog", "TaskEpilog", "HealthCheckProgram")
"""The parameters that are programs on the nodes."""

# Slurm takes 1024 of something for a K, and no end for -1, where a number may be large enough.
_NUMBER: Final = (r"\d+|(?i:unlimited|infinite)", "a whole number, such as '10'")
_LARGE_NUMBER: Final = (r"\d+[kKmM]?|(?i:unlimited|infinite)", "a whole number, such as '10'")
_PERCENT: Final = (r"\d+(\.\d+)?", "a number of percent, such as '90'")
_BOOLEAN: Final = ("(?i:yes|no|up|down|true|false|1|0)", "'YES' or 'NO'")
_TIME: Final = (
    r"\d+-|(\d+-)?\d+(:\d+){0,2}|-1|(?i:unlimited|infinite)",
    "minutes, or something like '24:00:00' or '7-00:00:00'",
)


def _one_of(*values: str) -> tuple[str, str]:
    return f"(?i:{'|'.join(values)})", f"one of {', '.join(values)}"


FORMS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        _names("""
        FairShareDampeningFactor HealthCheckInterval JobRequeue PriorityJobFactor PriorityTier
        Sockets UnkillableStepTimeout
        """),
        _NUMBER,
    ),
    **dict.fromkeys(
        _names("""
        CommitDelay GraceTime MemSpecLimit MinJobAge MinRAMSpace PriorityWeightAge
        PriorityWeightAssoc PriorityWeightFairshare PriorityWeightJobSize PriorityWeightPartition
        PriorityWeightQOS RealMemory Weight
        """),
        _LARGE_NUMBER,
    ),
    **dict.fromkeys(
        _names("AllowedRAMSpace AllowedSwapSpace MaxRAMPercent MaxSwapPercent"), _PERCENT
    ),
    **dict.fromkeys(
        _names("""
        PurgeEventAfter PurgeJobAfter PurgeResvAfter PurgeStepAfter PurgeSuspendAfter PurgeTXNAfter
        PurgeUsageAfter
        """),
        (r"\d+(?i:hours?|days?|months?)?", "something like '90days' or '12months'"),
    ),
    "FirstJobId": (r"0*[1-9]\d*[kKmM]?", "a whole number from 1"),
    "MetricsType": (r"(?i:metrics/\w+)", "'metrics/openmetrics'"),
    **dict.fromkeys(
        _names("""
        AllResourcesAbsolute AllowNoDefAcct ConstrainCores ConstrainDevices ConstrainRAMSpace
        ConstrainSwapSpace Default ExclusiveUser IgnoreSystemd PowerDownOnIdle PriorityFavorSmall
        SignalChildrenProcesses TrackWCKey
        """),
        _BOOLEAN,
    ),
    **dict.fromkeys(
        _names("""
        DefaultTime MaxTime PreemptExemptTime PriorityCalcPeriod PriorityDecayHalfLife
        PriorityMaxAge
        """),
        _TIME,
    ),
    **dict.fromkeys(
        _names("DefMemPerCPU OverTimeLimit"),
        (r"\d+|(?i:unlimited|infinite)", "a whole number, such as '10', or 'UNLIMITED'"),
    ),
    "EnforcePartLimits": (
        "(?i:all|any|no|yes|up|down|true|false|1|0)",
        "one of ALL, ANY, NO, YES",
    ),
    "HealthCheckNodeState": (
        "(?i:(alloc|any|cycle|idle|mixed|nondrained_idle|reboot_only|start_only)(,|$))+",
        "some of ALLOC, ANY, CYCLE, IDLE, MIXED, NONDRAINED_IDLE, REBOOT_ONLY, START_ONLY",
    ),
    "OverSubscribe": (
        r"(?i:no|exclusive|(yes|force)(:\d+)?)",
        "'NO', 'EXCLUSIVE', 'YES:4' or 'FORCE:4'",
    ),
    "PreemptMode": (
        "(?i:(off|cancel|requeue|suspend|gang|priority|within|cluster)(,|$))+",
        "some of OFF, CANCEL, REQUEUE, SUSPEND, GANG, PRIORITY, WITHIN",
    ),
    "PreemptType": _one_of("preempt/none", "preempt/partition_prio", "preempt/qos"),
    "PriorityUsageResetPeriod": _one_of(
        "NONE", "NOW", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "YEARLY"
    ),
}
"""By parameter, the pattern of its values and what to write. The same wherever it is taken."""


AS_OF: Final = "26.05"
"""The version of Slurm whose words the tables have."""

WORDS: Final = _names(
    """
        EnforcePartLimits HealthCheckNodeState MetricsType OverSubscribe PreemptMode PreemptType
        PriorityUsageResetPeriod
        """
)
"""The parameters whose values are words, of which a newer Slurm may have more."""


@cache
def names_of_slurm() -> frozenset[str]:
    """The parameters that `slurm.conf` has, in small letters, those that AWS PCS takes or not."""
    text = (get_data("pcs_constructs.model._data", "slurm_conf.txt") or b"").decode()
    return frozenset(line.lower() for line in text.splitlines() if not line.startswith("#"))


def is_yes(value: str) -> bool:
    """Whether Slurm takes the value of a parameter that is `YES` or `NO` for `YES`."""
    return value.lower() in {"yes", "up", "true", "1"}


def time_text(seconds: int) -> str:
    """A time as Slurm writes it: `1-12:00:00` is a day and a half."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return (f"{days}-" if days else "") + f"{hour:02}:{minute:02}:{second:02}"
