from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import AccessPointFacts, EfsFacts
from tests.unit.rules.test_rules import advice, errors, row, table

elastic = partial(replace, EfsFacts(file_system_id="fs-0123456789abcdef0", elastic=True))
provisioned = partial(elastic, elastic=False, provisioned=True, throughput_mib=128)


@table(
    row("elastic", elastic()),
    row("provisioned", provisioned()),
    row("least", provisioned(throughput_mib=1)),
    row("most", provisioned(throughput_mib=3414)),
    row("none", provisioned(throughput_mib=0), "PCS513"),
    row("above the quota", provisioned(throughput_mib=3415)),
    row("not said", provisioned(throughput_mib=None), "PCS513"),
    row("said in vain", elastic(throughput_mib=128), "PCS513"),
    row("token", provisioned(throughput_mib=UNKNOWN)),
    row("to Archive at once", elastic(archive=90)),
    row("to Archive later", elastic(infrequent_access=30, archive=90)),
    row("to Archive on the same day", elastic(infrequent_access=90, archive=90), "PCS513"),
    row("to Archive before", elastic(infrequent_access=90, archive=30), "PCS513"),
    row("to Archive and not elastic", provisioned(archive=90), "PCS513"),
    row("back", elastic(infrequent_access=30, returns=True)),
    row("back from nowhere", elastic(returns=True), "PCS513"),
    row("back from Archive", elastic(archive=90, returns=True)),
    row("half a MiB", provisioned(throughput_mib=1.5), "PCS513"),
)
def test_throughput_and_lifecycle_go_together(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("within", provisioned(throughput_mib=3414)),
    row("above", provisioned(throughput_mib=3415), "PCS525"),
    row("elastic", elastic()),
    row("token", provisioned(throughput_mib=UNKNOWN)),
)
def test_more_throughput_than_the_quota_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("all", AccessPointFacts(path="/")),
    row("one level", AccessPointFacts(path="/projects")),
    row("four levels", AccessPointFacts(path="/a/b/c/d")),
    row("five levels", AccessPointFacts(path="/a/b/c/d/e"), "PCS514"),
    row("relative", AccessPointFacts(path="projects"), "PCS514"),
    row("slash at the end", AccessPointFacts(path="/projects/"), "PCS514"),
    row("space", AccessPointFacts(path="/my projects")),
    row("hidden", AccessPointFacts(path="/.projects"), "PCS514"),
    row("long", AccessPointFacts(path="/" + "a" * 100), "PCS514"),
    row("nothing", AccessPointFacts(path=""), "PCS514"),
    row("token", AccessPointFacts(path=UNKNOWN)),
)
def test_an_access_point_opens_a_directory(facts, codes) -> None:
    assert errors(facts) == codes
