from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    EndpointFacts,
    EndpointNamesFacts,
    EndpointOrderFacts,
    EndpointPolicyFacts,
    WayOutFacts,
)
from tests.unit.rules.test_rules import advice, errors, row, table

endpoints = partial(
    replace, EndpointFacts(services=("logs",), zones=("eu-north-1a", "eu-north-1b"))
)
names = partial(
    replace, EndpointNamesFacts(services=("pcs", "ssm"), others=frozenset({"s3", "sts"}))
)
order = partial(replace, EndpointOrderFacts(refer=True))
isolated = partial(
    replace,
    WayOutFacts(
        name="compute",
        leads_nowhere=True,
        services=frozenset({"pcs", "ssm"}),
        endpoints=frozenset({"pcs", "ssm", "s3"}),
        derived=True,
    ),
)


@table(
    row("a subnet in each zone", endpoints()),
    row("one subnet", endpoints(zones=("eu-north-1a",))),
    row("no subnet", endpoints(zones=()), "PCS421"),
    row("two in a zone", endpoints(zones=("eu-north-1a", "eu-north-1a")), "PCS421"),
    row("two in each of two", endpoints(zones=("a", "b") * 2), "PCS421", "PCS421"),
    row("tokens", endpoints(zones=(UNKNOWN, UNKNOWN))),
    row("tokens beside two", endpoints(zones=(UNKNOWN, "a", "a")), "PCS421"),
)
def test_endpoints_have_one_subnet_in_each_zone(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", endpoints(services=())),
    row("with a dot", endpoints(services=("ecr.api",))),
    row("with a hyphen", endpoints(services=("git-codecommit",))),
    row("whole name", endpoints(services=("com.amazonaws.eu-north-1.logs",)), "PCS427"),
    row("capitals", endpoints(services=("EC2",)), "PCS427"),
    row("empty", endpoints(services=("",)), "PCS427"),
    row("two wrong", endpoints(services=("S3", "a b")), "PCS427", "PCS427"),
    row(
        "two with the same words",
        endpoints(services=("ecr-api",), made=("ecr-api", "ecr.api", "pcs")),
        "PCS427",
    ),
    row("one that is made anyway", endpoints(services=("ecr.api",), made=("ecr.api", "pcs"))),
    row(
        "a security group",
        endpoints(services=("security-group",), made=("pcs", "security-group")),
        "PCS427",
    ),
    row("token", endpoints(services=(UNKNOWN,))),
)
def test_services_are_called_as_in_endpoints(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("with another way out", endpoints(leads_nowhere=False)),
    row("without", endpoints(leads_nowhere=True), "PCS425"),
    row("token", endpoints(leads_nowhere=UNKNOWN)),
)
def test_the_name_that_nodes_call_is_worth_a_look(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("others for other services", names()),
    row("none", names(others=frozenset())),
    row("one for the same", names(others=frozenset({"ssm"})), "PCS426"),
    row("two for the same", names(others=frozenset({"ssm", "pcs"})), "PCS426"),
    row("token", names(others=UNKNOWN)),
)
def test_services_have_one_endpoint_with_private_dns(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("endpoint", isolated()),
    row("no endpoint", isolated(endpoints=frozenset()), "PCS422"),
    row("endpoint of another service", isolated(endpoints=frozenset({"s3"})), "PCS422"),
    row("way out", isolated(leads_nowhere=False, endpoints=frozenset())),
    row("subnets not made here", isolated(leads_nowhere=UNKNOWN, endpoints=frozenset())),
    row("endpoints that are tokens", isolated(endpoints=UNKNOWN)),
)
def test_isolated_nodes_reach_pcs(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("all", isolated()),
    row("one more", isolated(services=frozenset({"pcs", "logs"})), "PCS423"),
    row("pcs alone", isolated(services=frozenset({"pcs"}), endpoints=frozenset())),
    row("not derived", isolated(derived=False, endpoints=frozenset()), "PCS423"),
    row("way out", isolated(leads_nowhere=False, endpoints=frozenset())),
    row("not made here", isolated(leads_nowhere=UNKNOWN, endpoints=frozenset()), "PCS423"),
    row(
        "not made here nor derived",
        isolated(leads_nowhere=UNKNOWN, derived=False, endpoints=frozenset()),
    ),
    row("endpoints that are tokens", isolated(endpoints=UNKNOWN)),
)
def test_isolated_nodes_reach_what_they_call(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("nothing", isolated()),
    row("a script", isolated(urls=("https://example.com/a.sh",)), "PCS424"),
    row("two", isolated(urls=("https://a.example", "https://b.example")), "PCS424", "PCS424"),
    row("way out", isolated(leads_nowhere=False, urls=("https://example.com/a.sh",))),
    row("not made here", isolated(leads_nowhere=UNKNOWN, urls=("https://example.com/a.sh",))),
)
def test_isolated_nodes_download_nothing_from_the_internet(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("in the stack of the cluster", order()),
    row("beside it", order(inside=False), "PCS431"),
    row("beside it, with groups of another stack", order(inside=False, refer=False)),
    row("in a stack after it", order(inside=False, together=False)),
    row("before it", order(inside=False, together=False, before=True), "PCS431"),
    row(
        "before it, with groups that are there",
        order(inside=False, together=False, before=True, refer=False),
    ),
    row("a policy that names two node groups", order(named=("a", "b")), "PCS431", "PCS431"),
)
def test_endpoints_do_not_wait_for_who_waits_for_them(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", EndpointPolicyFacts(services=("pcs",))),
    row("for one that is made", EndpointPolicyFacts(services=("logs", "pcs"), policies=("logs",))),
    row(
        "misspelled",
        EndpointPolicyFacts(services=("logs", "pcs"), policies=("log", "pcs", "sts")),
        "PCS432",
        "PCS432",
    ),
    row(
        "beside a token",
        EndpointPolicyFacts(services=("pcs", UNKNOWN), policies=("log", UNKNOWN)),
    ),
)
def test_policies_are_for_endpoints_that_are_made(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", isolated()),
    row("two", isolated(unnamed=frozenset({"kinesis", "batch"})), "PCS433"),
    row("another way out", isolated(unnamed=frozenset({"batch"}), leads_nowhere=False)),
    row("perhaps", isolated(unnamed=frozenset({"batch"}), leads_nowhere=UNKNOWN), "PCS433"),
    row("endpoints unknown", isolated(unnamed=frozenset({"batch"}), endpoints=UNKNOWN)),
    row(
        "an endpoint that begins like it",
        isolated(
            unnamed=frozenset({"kinesis"}),
            endpoints=frozenset({"pcs", "ssm", "kinesis-streams"}),
        ),
    ),
)
def test_isolated_nodes_call_services_with_known_endpoints(facts, codes) -> None:
    assert advice(facts) == codes
