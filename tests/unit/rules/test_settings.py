from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model import slurm_settings
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import (
    CGROUP,
    CLUSTER,
    NODE_GROUP,
    QUEUE,
    SCOPES,
    SLURMDBD,
    Scope,
)
from pcs_constructs.rules import (
    QueuesFacts,
    SettingsFacts,
    errors_in,
)
from tests.unit.rules.test_rules import advice, errors, row, table

V24_11 = SlurmVersion.of("24.11")
cluster = partial(
    replace,
    SettingsFacts(
        scope=CLUSTER,
        settings={},
        slurm=SlurmVersion.V26_05,
        accounting=True,
        qos=frozenset("abcd"),
    ),
)
queue = partial(replace, cluster(scope=QUEUE))


def said(scope: Scope = CLUSTER, /, **settings: object) -> SettingsFacts:
    return cluster(scope=scope, settings=settings)


def none(scope: Scope = CLUSTER, /, **settings: object) -> SettingsFacts:
    """In a cluster without accounting."""
    return cluster(scope=scope, settings=settings, accounting=False)


def old(version: str, scope: Scope = CLUSTER, /, **settings: object) -> SettingsFacts:
    """In a cluster with this version of Slurm."""
    return cluster(scope=scope, settings=settings, slurm=SlurmVersion.of(version))


def newer(**settings: object) -> SettingsFacts:
    """In a cluster whose Slurm is newer than the library's tables."""
    return old("27.05", **settings)


@table(
    row("none", cluster()),
    row("cluster", said(SchedulerParameters="bf_interval=30")),
    row("cluster, unknown", said(JobSubmitPlugins="lua"), "PCS807"),
    row("cluster, misspelled", said(ShedulerParameters="bf_interval=30"), "PCS807"),
    row("cluster, other letters", said(prolog="/p")),
    row("cluster, of queues", said(MaxTime="60"), "PCS807"),
    row("cluster, of slurmdbd", said(PurgeJobAfter="30d"), "PCS807"),
    row("node group", said(NODE_GROUP, Features="gpu,nvme")),
    row("node group, unknown", said(NODE_GROUP, CPUs="8"), "PCS807"),
    row("node group, of a record", said(NODE_GROUP, File="/dev/nvidia0"), "PCS807"),
    row("queue", said(QUEUE, PowerDownOnIdle="YES")),
    row("queue, unknown", said(QUEUE, Nodes="ALL"), "PCS807"),
    row("queue, as its page has it once", said(QUEUE, AllowQos="normal")),
    row("slurmdbd", said(SLURMDBD, PrivateData="jobs")),
    row("slurmdbd, unknown", said(SLURMDBD, StoragePass="x"), "PCS807"),
    row("cgroup", said(CGROUP, ConstrainRAMSpace="yes")),
    row("cgroup, unknown", said(CGROUP, CgroupPlugin="cgroup/v1"), "PCS807"),
    row("two wrong", said(A="1", B="2"), "PCS807", "PCS807"),
    row("token", said(SchedulerParameters=UNKNOWN)),
    row("wrong value of a name that is wrong", said(weight="-1", MAXTIME="x"), "PCS807", "PCS807"),
    row("nothing", said(**{"": "1"}), "PCS807"),
)
def test_parameters_are_ones_that_pcs_takes(facts, codes) -> None:
    assert errors(facts) == codes


@pytest.mark.parametrize(
    ("scope", "name", "fix"),
    [
        pytest.param(CLUSTER, "ShedulerParameters", "write 'SchedulerParameters'", id="alike"),
        pytest.param(CLUSTER, "MaxTime", "slurm_settings of queues", id="of queues"),
        pytest.param(QUEUE, "Weight", "slurm_settings of compute node groups", id="of nodes"),
        pytest.param(QUEUE, "CommitDelay", "slurmdbd_settings", id="of slurmdbd"),
        pytest.param(CLUSTER, "ConstrainCores", "cgroup_settings", id="of cgroups"),
        pytest.param(NODE_GROUP, "File", "gres", id="of a record"),
        pytest.param(CGROUP, "TrackWCKey", "slurm_settings of clusters, or to ", id="of two"),
        pytest.param(CLUSTER, "JobSubmitPlugins", "leave it out", id="of none"),
    ],
)
def test_the_name_that_was_meant_is_told(scope: Scope, name: str, fix: str) -> None:
    (problem,) = errors_in(said(scope, **{name: "1"}))
    assert fix in problem.fix


@pytest.mark.parametrize("name", ["SlurmctldPort", "PreemptParameter", "PriorityType"])
def test_what_slurm_has_is_no_slip_of_the_pen(name: str) -> None:
    (problem,) = errors_in(said(**{name: "1"}))
    is_slurms = name != "PreemptParameter"
    assert ("AWS PCS sets itself" in problem.message) is is_slurms
    assert problem.fix == (
        "leave it out" if is_slurms else "write 'PreemptParameters', or leave it out"
    )


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.noun)
def test_tables_name_what_is_taken_somewhere(scope: Scope) -> None:
    gated = {name.partition("=")[0] for name in scope.since}
    looked_up = {name.partition("=")[0] for name in scope.uses_accounting}
    assert gated | scope.needs_accounting | looked_up <= scope.names
    assert not scope.needs_accounting & looked_up
    everything = frozenset().union(*(s.names for s in SCOPES))
    assert everything.issuperset((*slurm_settings.FORMS, *slurm_settings.PATHS))


def test_a_problem_names_the_argument_that_a_parameter_came_with() -> None:
    facts = cluster(settings={"MinJobAge": "x"}, arguments={"MinJobAge": "min_job_age"})
    assert [problem.argument for problem in errors_in(facts)] == ["min_job_age"]
    assert [p.argument for p in errors_in(said(CGROUP, A="1"))] == ["cgroup_settings"]


@table(
    row("once", said(Prolog="/p", Epilog="/e")),
    row("twice", said(Prolog="/p", prolog="/p"), "PCS808"),
    row("twice, in other letters", said(QUEUE, maxtime="1", MAXTIME="1"), "PCS808"),
    row("tokens", said(Prolog=UNKNOWN, Epilog=UNKNOWN)),
)
def test_parameters_are_said_once(facts, codes) -> None:
    assert errors(facts) == codes


OPEN = {"MetricsType": "metrics/openmetrics", "CommunicationParameters": "NoAddrCache,enable_http"}


@table(
    row("metrics", old("25.11", **OPEN)),
    row("metrics, old", old("25.05", **OPEN), "PCS809", "PCS809"),
    row("HTTP, old", old("25.05", CommunicationParameters="enable_http"), "PCS809"),
    row("no HTTP, old", old("25.05", CommunicationParameters="NoAddrCache")),
    row("CLI filter", old("24.11", CliFilterPlugins="cli_filter/lua")),
    row("CLI filter, old", old("24.05", CliFilterPlugins="cli_filter/lua"), "PCS809"),
    row("its path", old("25.11", CliFilterParameters="cli_filter_lua_path=/etc/f.lua")),
    row("its path, old", old("25.05", CliFilterParameters="cli_filter_lua_path=/f"), "PCS809"),
    row("its parameters", old("24.11", CliFilterParameters="x")),
    row("its parameters, old", old("24.05", CliFilterParameters="x"), "PCS809"),
    row("health at start", old("25.11", HealthCheckNodeState="START_ONLY")),
    row("health at start, old", old("25.05", HealthCheckNodeState="START_ONLY"), "PCS809"),
    row("health of all, old", old("25.05", HealthCheckNodeState="ANY")),
    row("sockets of select", old("25.11", SelectTypeParameters="CR_Socket")),
    row("sockets of select, old", old("25.05", SelectTypeParameters="CR_Socket"), "PCS809"),
    row("and memory", old("25.11", SelectTypeParameters="CR_Socket_Memory")),
    row("and memory, old", old("25.05", SelectTypeParameters="CR_Socket_Memory"), "PCS809"),
    row("memory, old", old("25.05", SelectTypeParameters="CR_CPU_Memory")),
    row("nodes", old("25.11", NODE_GROUP, Sockets="2", Parameters="numa_node_as_socket")),
    row("sockets, old", old("25.05", NODE_GROUP, Sockets="2"), "PCS809"),
    row("parameters, old", old("25.05", NODE_GROUP, Parameters="x"), "PCS809"),
    row("parameters of slurmdbd, old", old("25.05", SLURMDBD, Parameters="x")),
    row("token, old", old("25.05", NODE_GROUP, Sockets=UNKNOWN), "PCS809"),
    row("token for a value, old", old("25.05", SelectTypeParameters=UNKNOWN)),
    row("version, token", cluster(settings=OPEN, slurm=UNKNOWN)),
)
def test_parameters_are_in_the_version_of_slurm(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("with", said(AccountingStorageEnforce="limits")),
    row("without", none(AccountingStorageEnforce="limits"), "PCS810"),
    row("QOS, with", said(QUEUE, QOS="normal")),
    row("denied QOS, without", none(QUEUE, DenyQoS="c"), "PCS810"),
    row("QOS, without", none(QUEUE, QOS="a", AllowQoS="b"), *["PCS810"] * 2),
    row("slurmdbd, with", said(SLURMDBD, CommitDelay="1")),
    row("slurmdbd, without", none(SLURMDBD, CommitDelay="1"), "PCS810"),
    row("slurmdbd, unknown name without", none(SLURMDBD, Nothing="1"), "PCS807"),
    row("others, without", none(Prolog="/p")),
    row("TrackWCKey, without", none(TrackWCKey="yes")),
    row("token, without", none(SLURMDBD, CommitDelay=UNKNOWN), "PCS810"),
    row("accounting, token", cluster(scope=QUEUE, settings={"QOS": "a"}, accounting=UNKNOWN)),
)
def test_parameters_have_the_accounting_they_need(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("with", said(TrackWCKey="yes", PriorityWeightFairshare="1")),
    row("without", none(TrackWCKey="yes", PriorityWeightFairshare="1"), "PCS811", "PCS811"),
    row("queue, with", said(QUEUE, AllowAccounts="a")),
    row("queue, without", none(QUEUE, AllowAccounts="a", DenyAccounts="b"), "PCS811", "PCS811"),
    row("age, without", none(PriorityWeightAge="1")),
    row("accounting, token", cluster(settings={"TrackWCKey": "yes"}, accounting=UNKNOWN)),
)
def test_parameters_that_do_nothing_without_accounting_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("all six", said(AccountingStorageEnforce="associations,limits,qos,safe,nosteps,nojobs")),
    row("with spaces, other letters", said(AccountingStorageEnforce="limits, QoS")),
    row("all", said(AccountingStorageEnforce="all"), "PCS812"),
    row("wckeys and others", said(AccountingStorageEnforce="limits,wckeys"), "PCS812"),
    row("two", said(AccountingStorageEnforce="0,wckeys"), "PCS812", "PCS812"),
    row("token", said(AccountingStorageEnforce=UNKNOWN)),
)
def test_accounting_enforces_what_pcs_supports(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("memory", said(SelectTypeParameters="CR_CPU_Memory")),
    row("sockets", said(SelectTypeParameters="CR_Socket_Memory")),
    row("cores", said(SelectTypeParameters="CR_Core_Memory"), "PCS813"),
    row("an option", said(SelectTypeParameters="CR_CPU,CR_LLN"), "PCS813"),
    row("other letters", said(SelectTypeParameters="cr_cpu")),
    row("one that is refused", said(SelectTypeParameters="CR_GPU")),
    row("of a queue", said(QUEUE, SelectTypeParameters="CR_Core")),
    row("token", said(SelectTypeParameters=UNKNOWN)),
)
def test_select_types_that_pcs_does_not_name_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("file", said(Prolog="/shared/prolog.sh", TaskProlog="/t")),
    row("directory", said(Epilog="/shared/epilog.d/")),
    row("relative", said(Prolog="prolog.sh", Epilog="./e"), "PCS814", "PCS814"),
    row("of a home", said(HealthCheckProgram="~/check"), "PCS814"),
    row("token", said(Prolog=UNKNOWN)),
)
def test_programs_have_absolute_paths(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("number", said(NODE_GROUP, Weight="0", RealMemory="1000", MemSpecLimit="1")),
    row("negative", said(NODE_GROUP, Weight="-1"), "PCS815"),
    row("fraction", said(NODE_GROUP, RealMemory="1.5"), "PCS815"),
    row("unit", said(NODE_GROUP, RealMemory="64GB"), "PCS815"),
    row("digits of another script", said(NODE_GROUP, Sockets="\u0662"), "PCS815"),
    row("another line", said(PriorityWeightAge="1\n"), "PCS815", "PCS838"),
    row("switches", said(QUEUE, Default="YES", ExclusiveUser="no", PowerDownOnIdle="true")),
    row("no switch", said(QUEUE, Default="DEFAULT"), "PCS815"),
    row("switch of cgroups", said(CGROUP, ConstrainCores="on"), "PCS815"),
    row("switch of slurmdbd", said(SLURMDBD, TrackWCKey="maybe"), "PCS815"),
    row("minutes", said(QUEUE, MaxTime="60", DefaultTime="1:30")),
    row("days", said(QUEUE, MaxTime="7-00:00:00", DefaultTime="1-12")),
    row("no end", said(QUEUE, MaxTime="UNLIMITED")),
    row("unit of time", said(QUEUE, MaxTime="24h"), "PCS815"),
    row("four parts", said(PriorityDecayHalfLife="1:2:3:4"), "PCS815"),
    row("text", said(Licenses="matlab:10")),
    row("seconds", said(QUEUE, GraceTime="10:00"), "PCS815"),
    row("memory", said(DefMemPerCPU="2048", OverTimeLimit="UNLIMITED")),
    row("memory with a unit", said(DefMemPerCPU="2G"), "PCS815"),
    row("limits", said(EnforcePartLimits="any", PriorityUsageResetPeriod="Weekly")),
    row("no limits", said(EnforcePartLimits="maybe"), "PCS815"),
    row("no period", said(PriorityUsageResetPeriod="SOMETIMES"), "PCS815"),
    row("preempt type", said(PreemptType="preempt/foo", PreemptMode="CANCEL"), "PCS815"),
    row("states", said(HealthCheckNodeState="IDLE,CYCLE")),
    row("no state", said(HealthCheckNodeState="IDLE,FOO"), "PCS815"),
    row("sharing", said(QUEUE, OverSubscribe="FORCE:2")),
    row("no sharing", said(QUEUE, OverSubscribe="SOME"), "PCS815"),
    row("name of another place", said(Weight="-1"), "PCS807"),
    row("token", said(NODE_GROUP, Weight=UNKNOWN)),
)
def test_values_have_the_form_of_their_parameter(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one that Slurm knows", said(SelectTypeParameters="CR_CPU,CR_LLN")),
    row("one that it does not", said(SelectTypeParameters="CR_GPU"), "PCS849"),
    row("of a newer Slurm", newer(SelectTypeParameters="CR_GPU")),
    row("token", said(SelectTypeParameters=UNKNOWN)),
)
def test_select_types_are_ones_that_slurm_knows(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("since 25.05", old("25.05", PreemptMode="REQUEUE,PRIORITY", PreemptType="preempt/qos")),
    row(
        "before",
        old("24.11", PreemptMode="REQUEUE,PRIORITY", PreemptType="preempt/qos"),
        "PCS809",
    ),
    row("since 26.05", old("26.05", HealthCheckNodeState="REBOOT_ONLY")),
    row("before that", old("25.11", HealthCheckNodeState="REBOOT_ONLY"), "PCS809"),
    row("of a newer Slurm", newer(HealthCheckNodeState="SOME")),
    row("token", old("24.11", PreemptMode=UNKNOWN)),
)
def test_words_are_known_of_the_version_that_has_them(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("a word that is known", newer(HealthCheckNodeState="ANY")),
    row("one that is not", newer(HealthCheckNodeState="SOME"), "PCS847"),
    row("as new as the tables", old("26.05", HealthCheckNodeState="SOME")),
    row("token", newer(HealthCheckNodeState=UNKNOWN)),
)
def test_words_of_a_newer_slurm_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("5", said(MinJobAge="5")),
    row("300", said(MinJobAge="300")),
    row("4", said(MinJobAge="4"), "PCS816"),
    row("04", said(MinJobAge="04"), "PCS816"),
    row("0", said(MinJobAge="0"), "PCS816"),
    row("no number, which is refused", said(MinJobAge="-4")),
    row("token", said(MinJobAge=UNKNOWN)),
)
def test_finished_jobs_are_kept_for_five_seconds(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("range", said(SrunPortRange="60001-63000")),
    row("widest", said(SrunPortRange="1024-65535")),
    row("one", said(SrunPortRange="1024-1024")),
    row("too low", said(SrunPortRange="1023-2000"), "PCS817"),
    row("too high", said(SrunPortRange="60000-65536"), "PCS817"),
    row("backwards", said(SrunPortRange="63000-60001"), "PCS817"),
    row("no range", said(SrunPortRange="60001"), "PCS817"),
    row("spaces", said(SrunPortRange="60001 - 63000"), "PCS817"),
    row("token", said(SrunPortRange=UNKNOWN)),
)
def test_srun_ports_are_a_range(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("those of AWS PCS", said(SrunPortRange="60001-63000")),
    row("around them", said(SrunPortRange="6810-6830"), "PCS846"),
    row("up to them", said(SrunPortRange="6000-6817"), "PCS846"),
    row("from them", said(SrunPortRange="6820-7000"), "PCS846"),
    row("below them", said(SrunPortRange="6000-6816")),
    row("above them", said(SrunPortRange="6821-7000")),
    row("backwards", said(SrunPortRange="6830-6810")),
    row("none", said()),
    row("token", said(SrunPortRange=UNKNOWN)),
)
def test_srun_leaves_the_ports_of_slurm_alone(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("both", said(**OPEN)),
    row("no endpoint", said(MetricsType="metrics/openmetrics"), "PCS818"),
    row("another", said(**OPEN | {"CommunicationParameters": "disable_http"}), "PCS818"),
    row("endpoint alone", said(CommunicationParameters="enable_http")),
    row("token", said(**OPEN | {"CommunicationParameters": UNKNOWN})),
    row("token for the type", said(MetricsType=UNKNOWN)),
)
def test_metrics_can_be_read(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("Lua", said(CliFilterPlugins="cli_filter/lua")),
    row("short", said(CliFilterPlugins="lua")),
    row("two", said(CliFilterPlugins="cli_filter/lua,cli_filter/user_defaults"), "PCS819"),
    row("token", said(CliFilterPlugins=UNKNOWN)),
)
def test_cli_filters_are_in_lua(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("in full", said(CliFilterPlugins="cli_filter/lua")),
    row("short", said(CliFilterPlugins="lua"), "PCS848"),
    row("token", said(CliFilterPlugins=UNKNOWN)),
)
def test_a_cli_filter_that_is_not_named_in_full_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def unsaid(**settings: object) -> SettingsFacts:
    """Of a queue, where nobody says which QOS there are."""
    return queue(settings=settings, qos=UNKNOWN)


@table(
    row("one", replace(unsaid(QOS="fast"), slurm=SlurmVersion.V25_11), "PCS821"),
    row("three", unsaid(QOS="a", AllowQoS="b,c"), *["PCS821"] * 2),
    row("denied", unsaid(DenyQoS="d"), "PCS821"),
    row("what is always there", unsaid(QOS="normal", AllowQoS="ALL")),
    row("said to be there", said(QUEUE, QOS="a")),
    row("older", replace(unsaid(QOS="fast"), slurm=SlurmVersion.V25_05), "PCS821"),
    row("older, allowed", replace(unsaid(AllowQoS="fast"), slurm=SlurmVersion.V25_05)),
    row("no accounting", replace(unsaid(QOS="fast"), accounting=False)),
    row("no QOS", unsaid()),
    row("token", unsaid(QOS=UNKNOWN)),
    row("version, token", replace(unsaid(AllowQoS="fast"), slurm=UNKNOWN)),
)
def test_a_qos_that_may_not_exist_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("as for IMEX", said(PrologFlags="Alloc,NoHold")),
    row("as PCS has it", said(PrologFlags="Alloc,Contain,X11")),
    row("alone, as Slurm adds Alloc", said(PrologFlags="NoHold")),
    row("with Contain", said(PrologFlags="Alloc,Contain,NoHold"), "PCS829"),
    row("with X11", said(PrologFlags="alloc,x11,nohold"), "PCS829"),
    row("token", said(PrologFlags=UNKNOWN)),
)
def test_prolog_flags_that_do_not_go_together_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def queues(cluster: object = None, /, **queues: dict[str, object]) -> QueuesFacts:
    return QueuesFacts(queues=queues, cluster={} if cluster is None else cluster)


YES = {"Default": "YES"}


@table(
    row("none", queues()),
    row("one", queues(a=YES, b={"Default": "NO"}, c={})),
    row("two", queues(a=YES, b={"Default": "true"}, c={"Default": "NO"}), "PCS822"),
    row("token", queues(a=YES, b={"Default": UNKNOWN})),
)
def test_two_queues_for_jobs_that_name_none_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


CANCEL = {"PreemptMode": "CANCEL"}
BY_QUEUE = {"PreemptType": "preempt/partition_prio"}


@table(
    row("different tiers", queues(BY_QUEUE, a={"PriorityTier": "10"}, b={})),
    row("the same tier", queues(BY_QUEUE, a={"PriorityTier": "1"}, b={}), "PCS833"),
    row("one queue", queues(BY_QUEUE, a={}), "PCS833"),
    row("token", queues(BY_QUEUE, a={"PriorityTier": UNKNOWN}, b={})),
    row("by QOS", queues({"PreemptType": "preempt/qos"}, a={}, b={})),
    row("by QOS, and a mode", queues({"PreemptType": "preempt/qos"}, a=CANCEL, b={}), "PCS833"),
    row("none, and no mode", queues(a={}, b={})),
    row("none, and a mode", queues(a={"PreemptMode": "CANCEL"}, b={}), "PCS833"),
    row("none, and no preemption", queues(a={"PreemptMode": "off"}, b={})),
    row("cluster that is not known", queues(UNKNOWN, a={"PreemptMode": "CANCEL"})),
    row("type, token", queues({"PreemptType": UNKNOWN}, a={"PreemptMode": "CANCEL"})),
)
def test_preemption_without_anything_to_go_by_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("one", said(QUEUE, AllowAccounts="a,b", AllowQoS="a")),
    row("accounts", said(QUEUE, AllowAccounts="a", DenyAccounts="b"), "PCS830"),
    row("QOS", said(QUEUE, AllowQoS="a", DenyQoS="b"), "PCS830"),
    row("all are allowed", said(QUEUE, AllowAccounts="ALL", DenyAccounts="b")),
    row("one of each", said(QUEUE, AllowAccounts="a", DenyQoS="b")),
    row("token", said(QUEUE, AllowAccounts=UNKNOWN, DenyAccounts="b")),
)
def test_who_is_denied_is_not_also_a_matter_of_who_is_allowed(facts, codes) -> None:
    assert errors(facts) == codes


def made(*qos: str, **settings: object) -> SettingsFacts:
    return queue(settings=settings, qos=frozenset(qos))


@table(
    row("one of them", made("high", "low", QOS="high")),
    row("in other letters", made("high", AllowQoS="High,low,normal"), "PCS831"),
    row("none", made(QOS="high"), "PCS831"),
    row("normal", made(QOS="normal")),
    row("old Slurm", replace(made(QOS="high"), slurm=V24_11), "PCS831"),
    row("old Slurm, denied", replace(made(DenyQoS="high"), slurm=V24_11)),
    row("token", made(QOS=UNKNOWN)),
    row("version, token", replace(made(AllowQoS="high"), slurm=UNKNOWN)),
    row("not said which there are", unsaid(QOS="high")),
)
def test_qos_of_queues_are_those_that_were_made(facts, codes) -> None:
    assert errors(facts) == codes


def test_qos_that_were_made_need_no_advice() -> None:
    assert advice(made("high", QOS="high")) == []


@table(
    row("less", said(QUEUE, DefaultTime="60", MaxTime="1-0")),
    row("the same", said(QUEUE, DefaultTime="24:00:00", MaxTime="1-00:00:00")),
    row("a second more", said(QUEUE, DefaultTime="24:00:01", MaxTime="1-0"), "PCS832"),
    row("minutes and seconds", said(QUEUE, DefaultTime="60:01", MaxTime="60"), "PCS832"),
    row("days, hours and minutes", said(QUEUE, DefaultTime="1-2:30", MaxTime="1589"), "PCS832"),
    row("no end", said(QUEUE, DefaultTime="60", MaxTime="UNLIMITED")),
    row("one of them", said(QUEUE, DefaultTime="60")),
    row("token", said(QUEUE, DefaultTime=UNKNOWN, MaxTime="1")),
)
def test_jobs_that_ask_for_no_time_fit_their_queue(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("some", said(Licenses="ansys:25,matlab,fluent@flex-1:3")),
    row("none of one, and other signs", said(Licenses="ansys:0,a=3,b|2")),
    row("an old sign", said(Licenses="b*2"), "PCS834"),
    row("two numbers", said(Licenses="ansys:1:2"), "PCS834"),
    row("negative", said(Licenses="ansys:-1"), "PCS834"),
    row("a blank", said(Licenses="ansys mechanical:3"), "PCS834"),
    row("no number", said(Licenses="ansys:many"), "PCS834"),
    row("two", said(Licenses="a b:1,c:-1,d:1"), "PCS834", "PCS834"),
    row("token", said(Licenses=UNKNOWN)),
)
def test_licenses_are_names_with_numbers(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("with it", said(PreemptType="preempt/qos", PreemptMode="SUSPEND,GANG")),
    row("without it", said(PreemptType="preempt/qos", PreemptMode="suspend"), "PCS835"),
    row("another", said(PreemptType="preempt/qos", PreemptMode="REQUEUE")),
    row("of a queue", said(QUEUE, PreemptMode="SUSPEND")),
    row("of a queue, with it", said(QUEUE, PreemptMode="SUSPEND,GANG"), "PCS835"),
    row("token", said(PreemptMode=UNKNOWN)),
)
def test_suspended_jobs_share_their_nodes(facts, codes) -> None:
    assert errors(facts) == codes


def preempt(kind: object = "", mode: object = "") -> SettingsFacts:
    said_ = {"PreemptType": kind, "PreemptMode": mode}
    return cluster(settings={name: value for name, value in said_.items() if value != ""})


@table(
    row("neither", preempt()),
    row("both", preempt("preempt/partition_prio", "REQUEUE")),
    row("no mode", preempt("preempt/partition_prio"), "PCS836"),
    row("mode off", preempt("preempt/qos", "OFF"), "PCS836"),
    row("no type", preempt("", "CANCEL"), "PCS836"),
    row("type none", preempt("preempt/none", "REQUEUE"), "PCS836"),
    row("type none, mode off", preempt("preempt/none", "OFF")),
    row("gang alone", preempt("", "GANG")),
    row("gang with a type", preempt("preempt/qos", "GANG"), "PCS836"),
    row("mode of a queue", said(QUEUE, PreemptMode="CANCEL")),
    row("type, token", preempt(UNKNOWN, "CANCEL")),
    row("mode, token", preempt("preempt/qos", UNKNOWN)),
)
def test_preemption_has_a_type_and_a_mode(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("the most", said(QUEUE, PriorityTier="65533", PriorityJobFactor="65533")),
    row("more", said(QUEUE, PriorityTier="65534", PriorityJobFactor="70000"), *["PCS837"] * 2),
    row("weight", said(NODE_GROUP, Weight="4294967295")),
    row("more weight", said(NODE_GROUP, Weight="4294967296"), "PCS837"),
    row("interval", said(HealthCheckInterval="65536"), "PCS837"),
    row("token", said(QUEUE, PriorityTier=UNKNOWN)),
)
def test_numbers_are_not_too_large(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("some", said(Prolog="/p", Licenses="a")),
    row("none", said(LaunchParameters=""), "PCS838"),
    row("none of a number", said(QUEUE, PriorityTier=""), "PCS838"),
    row("two lines", said(Prolog="/p\nFoo=bar"), "PCS838"),
    row("token", said(Prolog=UNKNOWN)),
)
def test_parameters_have_values(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as they are", said(Prolog="/p")),
    row("other letters", said(prolog="/p"), "PCS839"),
    row("no parameter", said(Nothing="/p")),
    row("token", said(prolog=UNKNOWN), "PCS839"),
    row("token, as it is", said(Prolog=UNKNOWN)),
)
def test_parameters_in_other_letters_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("a day", said(QUEUE, MaxTime="1-0")),
    row("nothing", said(QUEUE, MaxTime="0"), "PCS841"),
    row("nothing, at length", said(QUEUE, MaxTime="0-00:00:00"), "PCS841"),
    row("half a minute", said(QUEUE, MaxTime="00:00:30")),
    row("no end", said(QUEUE, MaxTime="-1")),
    row("token", said(QUEUE, MaxTime=UNKNOWN)),
)
def test_queues_let_jobs_run(facts, codes) -> None:
    assert errors(facts) == codes


MEMORY = {"DefMemPerCPU": "2048"}


@table(
    row("by memory", said(**MEMORY, SelectTypeParameters="cr_cpu_memory")),
    row("not by memory", said(**MEMORY, SelectTypeParameters="CR_CPU"), "PCS842"),
    row("not said", said(**MEMORY), "PCS842"),
    row("no default", said(SelectTypeParameters="CR_CPU")),
    row("token", said(**MEMORY, SelectTypeParameters=UNKNOWN)),
)
def test_a_default_of_memory_that_is_not_scheduled_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("with it", queues({"PreemptMode": "SUSPEND,GANG"}, a={"PreemptMode": "SUSPEND"})),
    row("without it", queues({"PreemptMode": "REQUEUE"}, a={"PreemptMode": "SUSPEND"}), "PCS843"),
    row("none", queues({"PreemptMode": "REQUEUE"}, a={"PreemptMode": "CANCEL"})),
    row("token", queues({"PreemptMode": UNKNOWN}, a={"PreemptMode": "SUSPEND"})),
    row("token of the queue", queues({}, a={"PreemptMode": UNKNOWN})),
    row("cluster that is not known", queues(UNKNOWN, a={"PreemptMode": "SUSPEND"})),
)
def test_queues_suspend_where_jobs_wake_again(facts, codes) -> None:
    assert errors(facts) == codes


def test_what_has_an_argument_is_not_said_by_name_too() -> None:
    facts = queue(settings={"MaxTime": "60"}, arguments={"MaxTime": "max_time"}, twice=("MaxTime",))
    (problem,) = errors_in(facts)
    assert (problem.code, problem.argument) == ("PCS808", "max_time")
