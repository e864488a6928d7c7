from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs import instances, slurm_settings
from pcs_constructs.errors import UNKNOWN
from pcs_constructs.rules import (
    GresFacts,
    NodeSettingsFacts,
    QueueDefaultsFacts,
    SettingsFacts,
    errors_in,
)
from pcs_constructs.slurm import SlurmVersion
from pcs_constructs.slurm_settings import (
    CGROUP,
    CLUSTER,
    NODE_GROUP,
    QUEUE,
    SCOPES,
    SLURMDBD,
    Scope,
)
from tests.unit.test_rules import advice, errors, row, table

# c7i.4xlarge: 8 cores and 32,768 MiB; g5.4xlarge: 8 and 65,536, and an NVIDIA GPU; hpc7a.96xlarge:
# 192 and 786,432; trn1.2xlarge: an accelerator.
nodes = partial(
    replace,
    NodeSettingsFacts(instances=instances.known(["c7i.4xlarge"]), memory_aware=False),
)
gpus = partial(
    replace,
    NodeSettingsFacts(
        instances=instances.known(["g5.4xlarge"]), memory_aware=False, gpu_type="a10g"
    ),
)


def known(*names: str) -> dict[str, object]:
    return {"instances": instances.known(names)}


def memory(value: object, *names: str) -> NodeSettingsFacts:
    types = known(*names or ("c7i.4xlarge",))
    return nodes(settings={"RealMemory": value}, memory_aware=True, **types)


def sockets(value: object, *names: str) -> NodeSettingsFacts:
    return nodes(settings={"Sockets": value}, **known(*names or ("c7i.4xlarge",)))


@table(
    row("not said", nodes()),
    row("all", memory("32768")),
    row("more", memory("32769"), "PCS801"),
    row("more than the smaller", memory("32769", "c7i.4xlarge", "g5.4xlarge"), "PCS801"),
    row("more than both", memory("65537", "c7i.4xlarge", "g5.4xlarge"), "PCS801", "PCS801"),
    row("no number", memory("much")),
    row("a type that is not known", memory("32769", "c99x.large")),
    row("token", memory(UNKNOWN)),
)
def test_real_memory_is_no_more_than_there_is(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("not said", nodes()),
    row("one more than the gigabytes", memory("33")),
    row("the gigabytes", memory("32"), "PCS802"),
    row("nothing", memory("0"), "PCS802"),
    row("the gigabytes of the larger", memory("64", "c7i.4xlarge", "g5.4xlarge"), "PCS802"),
    row("less than those of both", memory("32", "c7i.4xlarge", "g5.4xlarge"), "PCS802"),
    row("a type that is not known", memory("32", "c99x.large")),
    row("token", memory(UNKNOWN)),
)
def test_real_memory_in_gigabytes_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("by memory", nodes(memory_aware=True), "PCS803"),
    row("by memory, said", memory("31129")),
    row("by memory, said by a token", memory(UNKNOWN)),
    row("by memory, login nodes", nodes(memory_aware=True, login=True)),
    row("not by memory", nodes(memory_aware=False)),
    row("token", nodes(memory_aware=UNKNOWN)),
)
def test_nodes_without_memory_where_jobs_ask_for_it_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("1", sockets("1")),
    row("as many as cores", sockets("8")),
    row("no divisor", sockets("3"), "PCS804"),
    row("as many as vCPUs", sockets("16"), "PCS804"),
    row("0", sockets("0"), "PCS804"),
    row("divisor of one of two", sockets("24", "c7i.4xlarge", "hpc7a.96xlarge"), "PCS804"),
    row("divisor of neither", sockets("5", "c7i.4xlarge", "hpc7a.96xlarge"), "PCS804", "PCS804"),
    row("no number", sockets("some")),
    row("a type that is not known", sockets("3", "c99x.large")),
    row("token", sockets(UNKNOWN)),
)
def test_sockets_divide_the_cores(facts, codes) -> None:
    assert errors(facts) == codes


def parameters(value: object, **others: object) -> NodeSettingsFacts:
    return nodes(settings={"Parameters": value, **others})


@table(
    row("with", parameters("l3cache_as_socket", Sockets="8")),
    row("without", parameters("l3cache_as_socket"), "PCS805"),
    row("without, among others", parameters("other,l3cache_as_socket"), "PCS805"),
    row("of NUMA nodes", parameters("numa_node_as_socket")),
    row("none", parameters("")),
    row("token", parameters(UNKNOWN)),
    row("token for the number", parameters("l3cache_as_socket", Sockets=UNKNOWN)),
)
def test_cache_domains_are_counted(facts, codes) -> None:
    assert errors(facts) == codes


AMD = {n: replace(f, gpu_manufacturer="AMD") for n, f in instances.known(["g5.4xlarge"]).items()}
GRES = {"Gres": "gpu:a10g:1"}


@table(
    row("named", gpus()),
    row("not named", gpus(gpu_type=None)),
    row("not named and none there", nodes()),
    row("not named, own Gres", gpus(gpu_type=None, settings=GRES)),
    row("letters, digits and _", gpus(gpu_type="A10G_24gb")),
    row("hyphen", gpus(gpu_type="a10-g"), "PCS806"),
    row("digit first", gpus(gpu_type="10g"), "PCS806"),
    row("with a number of them", gpus(gpu_type="a10g:1"), "PCS806"),
    row("another line", gpus(gpu_type="a10g\n"), "PCS806"),
    row("letter of another script", gpus(gpu_type="größe"), "PCS806"),
    row("nothing", gpus(gpu_type=""), "PCS806"),
    row("no GPU", nodes(gpu_type="a10g"), "PCS806"),
    row("accelerator", gpus(**known("trn1.2xlarge")), "PCS806"),
    row("of another maker", gpus(instances=AMD), "PCS806"),
    row("no GPU on two", gpus(**known("c7i.4xlarge", "c6i.4xlarge")), "PCS806", "PCS806"),
    row("a type that is not known", gpus(instances={}), "PCS806"),
    row("declared twice", gpus(settings=GRES), "PCS806"),
    row("declared twice by a token", gpus(settings={"Gres": UNKNOWN}), "PCS806"),
    row(
        "everything wrong",
        nodes(gpu_type="", settings=GRES),
        "PCS806",
        "PCS806",
        "PCS806",
    ),
    row("token", gpus(gpu_type=UNKNOWN)),
    row("token and no GPU", nodes(gpu_type=UNKNOWN), "PCS806"),
)
def test_gpus_with_a_name_are_there_and_declared_once(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("by memory", memory("31129")),
    row("not by memory", replace(memory("31129"), memory_aware=False), "PCS820"),
    row("not by memory, token", replace(memory(UNKNOWN), memory_aware=False), "PCS820"),
    row("not by memory, not said", nodes()),
    row("cluster that is not known", replace(memory("31129"), memory_aware=UNKNOWN)),
)
def test_real_memory_that_nothing_uses_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


# Parameters of clusters, nodes, queues, slurmdbd and cgroups.

V24_11 = SlurmVersion.of("24.11")
cluster = partial(
    replace, SettingsFacts(scope=CLUSTER, settings={}, slurm=SlurmVersion.V26_05, accounting=True)
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


@table(
    row("none", cluster()),
    row("cluster", said(SchedulerParameters="bf_interval=30")),
    row("cluster, unknown", said(JobSubmitPlugins="lua"), "PCS807"),
    row("cluster, misspelled", said(ShedulerParameters="bf_interval=30"), "PCS807"),
    row("cluster, other letters", said(prolog="/p"), "PCS807"),
    row("cluster, of queues", said(MaxTime="60"), "PCS807"),
    row("cluster, of slurmdbd", said(PurgeJobAfter="30d"), "PCS807"),
    row("node group", said(NODE_GROUP, Features="gpu,nvme")),
    row("node group, unknown", said(NODE_GROUP, CPUs="8"), "PCS807"),
    row("node group, of a record", said(NODE_GROUP, File="/dev/nvidia0"), "PCS807"),
    row("queue", said(QUEUE, PowerDownOnIdle="YES")),
    row("queue, unknown", said(QUEUE, Nodes="ALL"), "PCS807"),
    row("queue, as its page has it once", said(QUEUE, AllowQos="normal"), "PCS807"),
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
        pytest.param(CLUSTER, "prolog", "write 'Prolog'", id="letters"),
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


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.noun)
def test_tables_name_what_is_taken_somewhere(scope: Scope) -> None:
    gated = {name.partition("=")[0] for name in scope.since}
    assert gated | scope.needs_accounting | scope.uses_accounting <= scope.names
    assert not scope.needs_accounting & scope.uses_accounting
    everything = frozenset().union(*(s.names for s in SCOPES))
    assert everything.issuperset((*slurm_settings.FORMS, *slurm_settings.PATHS))


def test_a_problem_names_the_argument_that_a_parameter_came_with() -> None:
    facts = cluster(settings={"MinJobAge": "1"}, arguments={"MinJobAge": "min_job_age"})
    assert [problem.argument for problem in errors_in(facts)] == ["min_job_age"]
    assert [p.argument for p in errors_in(said(CGROUP, A="1"))] == ["cgroup_settings"]


@table(
    row("once", said(Prolog="/p", Epilog="/e")),
    row("twice", said(Prolog="/p", prolog="/p"), "PCS807", "PCS808"),
    row("twice, both wrong", said(QUEUE, maxtime="1", MAXTIME="1"), *["PCS807"] * 2, "PCS808"),
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
    row("QOS, without", none(QUEUE, QOS="a", AllowQoS="b", DenyQoS="c"), *["PCS810"] * 3),
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
    row("none", said(AccountingStorageEnforce="")),
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
    row("other letters", said(SelectTypeParameters="cr_cpu"), "PCS813"),
    row("of a queue", said(QUEUE, SelectTypeParameters="CR_Core")),
    row("token", said(SelectTypeParameters=UNKNOWN)),
)
def test_select_types_that_pcs_does_not_name_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("file", said(Prolog="/shared/prolog.sh", TaskProlog="/t")),
    row("directory", said(Epilog="/shared/epilog.d/")),
    row("relative", said(Prolog="prolog.sh", Epilog="./e"), "PCS814", "PCS814"),
    row("nothing", said(TaskEpilog=""), "PCS814"),
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
    row("nothing", said(QUEUE, PriorityTier=""), "PCS815"),
    row("another line", said(PriorityWeightAge="1\n"), "PCS815"),
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
    row("name of another place", said(Weight="-1"), "PCS807"),
    row("token", said(NODE_GROUP, Weight=UNKNOWN)),
)
def test_values_have_the_form_of_their_parameter(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("5", said(MinJobAge="5")),
    row("300", said(MinJobAge="300")),
    row("4", said(MinJobAge="4"), "PCS816"),
    row("04", said(MinJobAge="04"), "PCS816"),
    row("0", said(MinJobAge="0"), "PCS816"),
    row("no number", said(MinJobAge="-4"), "PCS815"),
    row("token", said(MinJobAge=UNKNOWN)),
)
def test_finished_jobs_are_kept_for_five_seconds(facts, codes) -> None:
    assert errors(facts) == codes


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
    row("short", said(CliFilterPlugins="lua"), "PCS819"),
    row("two", said(CliFilterPlugins="cli_filter/lua,cli_filter/user_defaults"), "PCS819"),
    row("token", said(CliFilterPlugins=UNKNOWN)),
)
def test_cli_filters_are_in_lua(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", old("25.11", QUEUE, QOS="fast"), "PCS821"),
    row("three", said(QUEUE, QOS="a", AllowQoS="b,c", DenyQoS="d"), *["PCS821"] * 3),
    row("what is there", said(QUEUE, QOS="normal", AllowQoS="ALL")),
    row("older", old("25.05", QUEUE, QOS="fast")),
    row("no accounting", none(QUEUE, QOS="fast")),
    row("no QOS", queue()),
    row("token", said(QUEUE, QOS=UNKNOWN)),
    row("version, token", queue(settings={"QOS": "fast"}, slurm=UNKNOWN)),
)
def test_a_qos_that_may_not_exist_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("as for IMEX", said(PrologFlags="Alloc,NoHold")),
    row("as PCS has it", said(PrologFlags="Alloc,Contain,X11")),
    row("alone", said(PrologFlags="NoHold"), "PCS829"),
    row("with Contain", said(PrologFlags="Alloc,Contain,NoHold"), "PCS829"),
    row("with X11", said(PrologFlags="alloc,x11,nohold"), "PCS829"),
    row("token", said(PrologFlags=UNKNOWN)),
)
def test_prolog_flags_that_do_not_go_together_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("none", QueueDefaultsFacts(defaults={})),
    row("one", QueueDefaultsFacts(defaults={"a": "YES", "b": "NO"})),
    row("two", QueueDefaultsFacts(defaults={"a": "YES", "b": "true", "c": "NO"}), "PCS822"),
    row("token", QueueDefaultsFacts(defaults={"a": "YES", "b": UNKNOWN})),
)
def test_two_queues_for_jobs_that_name_none_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


# GRES records.

FILE = {"Name": "gpu", "Type": "h100", "File": "/dev/nvidia[0-7]"}
AUTO = {"AutoDetect": "nvml"}
records = partial(
    replace, GresFacts(records=(FILE,), settings={"Gres": "gpu:h100:8"}, slurm=SlurmVersion.V26_05)
)


def only(*given: object, slurm: object = SlurmVersion.V26_05) -> GresFacts:
    """Records that no `Gres` names."""
    return GresFacts(records=given, slurm=slurm)


@table(
    row("none", only()),
    row("all", only({**FILE, "Count": "8", "Cores": "0-7", "Links": "-1,0", "Flags": "x"})),
    row("two kinds", only(FILE, {"Name": "mps", "Count": "800"}, {"Name": "fpga", "Count": "1"})),
    row("unknown", only({**FILE, "Devices": "8"}), "PCS823"),
    row("node name", only({**FILE, "NodeName": "n1"}), "PCS823"),
    row("other letters", only({"Name": "fpga", "count": "1"}), "PCS823"),
    row("of nodes", only({"Name": "fpga", "Weight": "1"}), "PCS823"),
    row("detected, 25.11", replace(records(), slurm=SlurmVersion.V25_11)),
    row("detected, old", only({**FILE, **AUTO}, slurm=V24_11), "PCS823"),
    row("version, token", only(AUTO, slurm=UNKNOWN)),
    row("tokens", only(dict.fromkeys(FILE, UNKNOWN))),
)
def test_gres_attributes_are_ones_that_pcs_takes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("name", only({"Name": "fpga"})),
    row("detected", only(AUTO)),
    row("neither", only({"File": "/dev/nvidia0"}), "PCS824"),
    row("nothing", only({}), "PCS824"),
    row("off alone", only({"AutoDetect": "OFF"}), "PCS824"),
    row("off and a name", only({**FILE, "AutoDetect": "off"})),
    row("name, token", only({"Name": UNKNOWN})),
    row("detected, token", only({"AutoDetect": UNKNOWN})),
)
def test_gres_records_say_what_they_are_of(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", only(FILE)),
    row("two", only(FILE, {**FILE, "Type": "a100"}), "PCS825"),
    row("one and detection", only(FILE, AUTO), "PCS825"),
    row("one and a token", only(FILE, {"Name": UNKNOWN, "File": "/dev/x"})),
)
def test_gpus_are_described_once(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("file", only({"Name": "gpu", "File": "/dev/nvidia0"})),
    row("files", only({"Name": "gpu", "MultipleFiles": "/dev/nvidia0"})),
    row("detected", only({"Name": "gpu", **AUTO})),
    row("neither", only({"Name": "gpu", "Count": "8"}), "PCS826"),
    row("not detected", only({"Name": "gpu", "AutoDetect": "off"}), "PCS826"),
    row("of something else", only({"Name": "fpga", "Count": "8"})),
    row("file, token", only({"Name": "gpu", "File": UNKNOWN})),
    row("detection, token", only({"Name": "gpu", "AutoDetect": UNKNOWN})),
)
def test_gpu_records_have_devices(facts, codes) -> None:
    assert errors(facts) == codes


on_25_11 = partial(
    replace, GresFacts(records=(AUTO,), settings={"Sockets": "2"}, slurm=SlurmVersion.V25_11)
)


@table(
    row("sockets", on_25_11()),
    row("none", on_25_11(settings={}), "PCS827"),
    row("none, 26.05", on_25_11(settings={}, slurm=SlurmVersion.V26_05)),
    row("none, older", on_25_11(settings={}, slurm=V24_11), "PCS823"),
    row("not detected", on_25_11(settings={}, records=(FILE,))),
    row("off", on_25_11(settings={}, records=({**FILE, "AutoDetect": "off"},))),
    row("sockets, token", on_25_11(settings={"Sockets": UNKNOWN})),
    row("version, token", on_25_11(settings={}, slurm=UNKNOWN)),
)
def test_gpus_that_are_detected_on_25_11_have_sockets(facts, codes) -> None:
    assert errors(facts) == codes


def gres(value: object, *given: object) -> GresFacts:
    return records(settings={"Gres": value}, records=given or (FILE,))


FPGA = {"Name": "fpga", "Count": "1k"}


@table(
    row("none", records(settings={})),
    row("nothing", gres("")),
    row("as many", gres("gpu:h100:8")),
    row("less", gres("gpu:h100:4")),
    row("0", gres("gpu:0")),
    row("one by default", gres("gpu")),
    row("without type", gres("gpu:8")),
    row("not consumed", gres("gpu:h100:no_consume:8")),
    row("more", gres("gpu:h100:9"), "PCS828"),
    row("another type", gres("gpu:a100:8"), "PCS828"),
    row("another type, and more", gres("gpu:a100:9"), "PCS828", "PCS828"),
    row("any type", gres("gpu:a100:2", {"Name": "gpu", "File": "/dev/nvidia0,/dev/nvidia1"})),
    row("no record", gres("gpu:8", FPGA), "PCS828"),
    row("no record, for 0", gres("gpu:0", FPGA), "PCS828"),
    row("no records", records(records=()), "PCS828"),
    row("two names", gres("gpu:8, fpga:1024", FILE, FPGA)),
    row("two names, one more", gres("gpu:8,fpga:1025", FILE, FPGA), "PCS828"),
    row("of two records", gres("fpga:2k", FPGA, FPGA)),
    row("shared", gres("mps:400", {"Name": "mps", "Count": "1"})),
    row("shared, no record", gres("shard:400"), "PCS828"),
    row("detected", gres("gpu:1g.10gb:14,gpu:7g.80gb:1", AUTO)),
    row("detected, with files", gres("gpu:9", {**FILE, **AUTO}), "PCS828"),
    row("one by record", gres("fpga:2", {"Name": "fpga"}), "PCS828"),
    row("some files", gres("gpu:6", {"Name": "gpu", "File": "/dev/nvidia[0-3,6],/dev/x"})),
    row("more files", gres("gpu:7", {"Name": "gpu", "File": "/dev/n[0-3,6],/dev/x"}), "PCS828"),
    row("files nobody can count", gres("gpu:7", {"Name": "gpu", "File": "/dev/n[a-b]"})),
    row("count nobody can read", gres("fpga:7", {"Name": "fpga", "Count": "all"})),
    row("token", gres(UNKNOWN)),
    row("name, token", gres("fpga:1", {"Name": UNKNOWN, "Count": "1"})),
    row("count, token", gres("fpga:7", {"Name": "fpga", "Count": UNKNOWN})),
    row("type, token", gres("gpu:a100:8", {**FILE, "Type": UNKNOWN})),
    row("detection, token", gres("gpu:8", {"Name": "gpu", "AutoDetect": UNKNOWN})),
)
def test_what_jobs_can_ask_for_is_there(facts, codes) -> None:
    assert errors(facts) == codes
