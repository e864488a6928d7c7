from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import NodeSettingsFacts, errors_in
from tests.unit.rules.test_rules import advice, errors, row, table

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
    row("almost all", memory("32767")),
    row("all", memory("32768"), "PCS801"),
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
    row("95 %", memory("31129")),
    row("97 %", memory("31784")),
    row("a little more", memory("31785"), "PCS850"),
    row("all, which is refused", memory("32768")),
    row("a type that is not known", memory("32767", "c99x.large")),
    row("token", memory(UNKNOWN)),
)
def test_real_memory_that_leaves_little_to_the_system_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


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
    row("hyphen", gpus(gpu_type="a10-g")),
    row("digit first", gpus(gpu_type="1g.5gb")),
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


def default(each: object, **others: object) -> NodeSettingsFacts:
    """Of a c7i.4xlarge with 8 cores, on which jobs get so much memory for each."""
    return replace(memory("8000"), default_memory_per_cpu=each, **others)


@table(
    row("fits", default(1000)),
    row("too much", default(1001), "PCS844"),
    row("none", default(None)),
    row("memory, token", replace(memory(UNKNOWN), default_memory_per_cpu=9999)),
    row("token", default(UNKNOWN)),
)
def test_a_default_of_memory_that_does_not_fit_a_whole_node_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def test_a_problem_names_the_argument_of_the_memory() -> None:
    facts = replace(memory("99999"), arguments={"RealMemory": "real_memory"})
    assert [problem.argument for problem in errors_in(facts)] == ["real_memory"]
