from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    AddressFacts,
    FlowFacts,
    IdentifierFacts,
    NetworkFacts,
    NodeSubnetFacts,
    PeersFacts,
    PublicSubnetFacts,
    SecurityGroupFacts,
    SrunPortsFacts,
    VpcFacts,
)
from tests.unit.rules.test_rules import advice, errors, row, table

network = partial(replace, NetworkFacts(cidr="10.0.0.0/16", availability_zones=2, nat_gateways=1))
vpc = partial(replace, VpcFacts(dns_hostnames=True, dns_support=True, tenancy="default"))
subnet = partial(
    replace,
    NodeSubnetFacts(
        argument="subnets",
        name="app/Vpc/Subnet1",
        in_vpc=True,
        public=False,
        ipv6=True,
        zone="us-east-1a",
    ),
)
public = partial(
    replace,
    PublicSubnetFacts(
        name="app/Vpc/Subnet1",
        public=True,
        assigns_public_addresses=True,
        endpoints=frozenset({"s3"}),
    ),
)
group = partial(
    replace, SecurityGroupFacts(argument="security_groups", name="app/Group", in_vpc=True)
)
ssh = partial(replace, PeersFacts(argument="ssh_from", service="SSH", sources=("203.0.113.0/24",)))
flow = partial(replace, FlowFacts(flow="login does not reach the controller", reached=True))
identifiers = partial(
    replace,
    IdentifierFacts(subnet_ids=("subnet-0a1b2c3d",), security_group_ids=("sg-0a1b2c3d",)),
)


# What `Network` is asked for.


@table(
    row("/16", network(cidr="10.0.0.0/16")),
    row("/24", network(cidr="192.168.7.0/24")),
    row("/15", network(cidr="10.0.0.0/15"), "PCS410"),
    row("/25", network(cidr="10.0.0.0/25"), "PCS410"),
    row("no mask", network(cidr="10.0.0.0"), "PCS410"),
    row("mask of 33", network(cidr="10.0.0.0/33"), "PCS410"),
    row("not its first address", network(cidr="10.0.0.1/16"), "PCS410"),
    row("IPv6", network(cidr="2001:db8::/56"), "PCS410"),
    row("nonsense", network(cidr="wide"), "PCS410"),
    row("nothing", network(cidr=""), "PCS410"),
    row(
        "mask with dots",
        network(cidr="10.0.0.0/255.255.0.0"),
        "PCS410",
    ),
    row("mask with a zero", network(cidr="10.0.0.0/016"), "PCS410"),
    row("this host", network(cidr="0.0.0.0/16"), "PCS410"),
    row("loopback", network(cidr="127.1.0.0/16"), "PCS410"),
    row("link-local", network(cidr="169.254.0.0/16"), "PCS410"),
    row("multicast", network(cidr="239.255.0.0/24"), "PCS410"),
    row("carrier-grade NAT", network(cidr="100.64.0.0/16")),
    row("token", network(cidr=UNKNOWN)),
)
def test_the_address_range_of_a_network_is_a_16_to_a_24(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("1", network(availability_zones=1)),
    row("8", network(availability_zones=8)),
    row("9", network(availability_zones=9), "PCS411"),
    row("0", network(availability_zones=0), "PCS411"),
    row("-1", network(availability_zones=-1), "PCS411"),
    row("named", network(zones=("eu-north-1a", "eu-north-1b"))),
    row("a Local Zone", network(zones=("us-east-1a", "us-east-1-bos-1a"))),
    row("GovCloud", network(zones=("us-gov-west-1a",))),
    row("one twice", network(zones=("eu-north-1a", "eu-north-1a")), "PCS411"),
    row("no name", network(zones=("", "eu-north-1a")), "PCS411"),
    row("a Region", network(zones=("eu-north-1",)), "PCS411"),
    row("two Regions", network(zones=("eu-north-1a", "us-east-1a")), "PCS411"),
    row("tokens", network(zones=(UNKNOWN, UNKNOWN, "eu-north-1a"))),
    row("token beside it", network(cidr=UNKNOWN, availability_zones=8)),
)
def test_a_network_spans_1_to_8_zones(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("1", network(nat_gateways=1)),
    row("one to a zone", network(availability_zones=3, nat_gateways=3)),
    row("more than zones", network(availability_zones=3, nat_gateways=4), "PCS412"),
    row("0", network(nat_gateways=0)),
    row("-1", network(nat_gateways=-1), "PCS412"),
    row("token beside it", network(cidr=UNKNOWN, nat_gateways=2)),
)
def test_a_network_has_no_nat_gateway_or_up_to_one_in_each_zone(facts, codes) -> None:
    assert errors(facts) == codes


isolated = partial(
    replace,
    NetworkFacts(
        cidr="10.0.0.0/16",
        availability_zones=2,
        nat_gateways=0,
        isolated=True,
        public_subnets=False,
    ),
)


@table(
    row("isolated", isolated()),
    row("private", isolated(isolated=False)),
    row("public, no NAT", network(nat_gateways=0)),
    row("isolated and public", isolated(public_subnets=True), "PCS417"),
    row("isolated with NAT", isolated(nat_gateways=1), "PCS417"),
    row("private with NAT", isolated(isolated=False, nat_gateways=1), "PCS417"),
    row("isolated and public with NAT", isolated(public_subnets=True, nat_gateways=1), "PCS417"),
    row("token beside it", isolated(cidr=UNKNOWN)),
)
def test_a_network_is_isolated_or_leads_outside(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("8 zones", network(availability_zones=8)),
    row("3 of /18", network(availability_zones=3, private_subnet_mask=18)),
    row("4 of /18", network(availability_zones=4, private_subnet_mask=18), "PCS418"),
    row("1 of /17", network(availability_zones=1, private_subnet_mask=17)),
    row("2 of /17", network(availability_zones=2, private_subnet_mask=17), "PCS418"),
    row("1 of all", isolated(availability_zones=1, private_subnet_mask=16)),
    row(
        "1 of all and public ones",
        network(availability_zones=1, private_subnet_mask=16),
        "PCS418",
    ),
    row("2 of /17 alone", isolated(private_subnet_mask=17)),
    row("larger than all", isolated(private_subnet_mask=15), "PCS418"),
    row("/28", network(private_subnet_mask=28)),
    row("/29", network(private_subnet_mask=29), "PCS418"),
    row("7 zones with endpoints", network(availability_zones=7, endpoint_subnets=True)),
    row("8 zones with endpoints", network(availability_zones=8, endpoint_subnets=True), "PCS418"),
    row(
        "5 zones with endpoints in a /24",
        network(cidr="10.0.0.0/24", availability_zones=5, endpoint_subnets=True),
    ),
    row(
        "6 zones with endpoints in a /24",
        network(cidr="10.0.0.0/24", availability_zones=6, endpoint_subnets=True),
        "PCS418",
    ),
    row("token", network(cidr=UNKNOWN, private_subnet_mask=1)),
)
def test_a_network_has_room_for_its_subnets(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("zone", subnet(controller=True, zone="us-east-1a")),
    row("zone of another partition", subnet(controller=True, zone="us-gov-west-1b")),
    row("local zone", subnet(controller=True, zone="us-west-2-lax-1a"), "PCS420"),
    row("wavelength zone", subnet(controller=True, zone="us-east-1-wl1-bos-wlz-1"), "PCS420"),
    row("local zone, nodes", subnet(zone="us-west-2-lax-1a")),
    row("placeholder", subnet(controller=True, zone="dummy1a")),
    row("token", subnet(controller=True, zone=UNKNOWN)),
)
def test_controllers_are_in_availability_zones(facts, codes) -> None:
    assert errors(facts) == codes


# VPCs and subnets made by others.


@table(
    row("both", vpc()),
    row("no hostnames", vpc(dns_hostnames=False), "PCS401"),
    row("no resolution", vpc(dns_support=False), "PCS401"),
    row("neither", vpc(dns_hostnames=False, dns_support=False), "PCS401", "PCS401"),
    row("tokens", vpc(dns_hostnames=UNKNOWN, dns_support=UNKNOWN)),
    row("token and no resolution", vpc(dns_hostnames=UNKNOWN, dns_support=False), "PCS401"),
)
def test_a_vpc_has_dns_hostnames_and_resolution(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("default", vpc(tenancy="default")),
    row("dedicated", vpc(tenancy="dedicated"), "PCS402"),
    row("token", vpc(tenancy=UNKNOWN)),
)
def test_a_vpc_has_default_tenancy(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("private, controller", subnet(controller=True)),
    row("public, controller", subnet(controller=True, public=True), "PCS403"),
    row("public, nodes", subnet(controller=False, public=True)),
    row("token, controller", subnet(controller=True, public=UNKNOWN)),
)
def test_a_controller_in_a_public_subnet_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("same vpc", subnet(in_vpc=True)),
    row("another vpc", subnet(in_vpc=False), "PCS404"),
    row("another vpc, controller", subnet(in_vpc=False, controller=True), "PCS404"),
    row("token", subnet(in_vpc=UNKNOWN)),
)
def test_subnets_are_in_the_vpc_of_the_cluster(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("public with", public()),
    row("public without", public(assigns_public_addresses=False), "PCS406"),
    row("private without", public(public=False, assigns_public_addresses=False)),
    row(
        "public without, an endpoint",
        public(assigns_public_addresses=False, endpoints=frozenset({"pcs"})),
    ),
    row("public without, another way", public(assigns_public_addresses=False, other_ways=True)),
    row("public, token", public(assigns_public_addresses=UNKNOWN)),
    row("token, without", public(public=UNKNOWN, assigns_public_addresses=False)),
    row("tokens for endpoints", public(assigns_public_addresses=False, endpoints=UNKNOWN)),
)
def test_a_public_subnet_of_nodes_assigns_public_addresses(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("same vpc", group(in_vpc=True)),
    row("another vpc", group(in_vpc=False), "PCS415"),
    row("token", group(in_vpc=UNKNOWN)),
)
def test_security_groups_are_in_the_vpc_of_the_cluster(facts, codes) -> None:
    assert errors(facts) == codes


# Addresses. A /28 has 16, of which EC2 keeps 5.

A, B, A_OR_B = frozenset("a"), frozenset("b"), frozenset("ab")
addresses = partial(
    replace,
    AddressFacts(
        cidrs={"a": "10.0.0.0/28", "b": "10.0.0.16/28"}, demands=(), controller="elsewhere"
    ),
)


def _each(sets: list[frozenset[str]], count: int) -> tuple[tuple[str, frozenset[str], int], ...]:
    return tuple((f"group-{n}", subnets, count) for n, subnets in enumerate(sets))


def demands(*pairs: tuple[frozenset[str], int]) -> AddressFacts:
    return addresses(demands=tuple((f"group-{n}", *pair) for n, pair in enumerate(pairs)))


@table(
    row("nobody", demands()),
    row("11 in one", demands((A, 11))),
    row("12 in one", demands((A, 12)), "PCS405"),
    row("11 in one by two", demands((A, 6), (A, 5))),
    row("12 in one by two", demands((A, 6), (A, 6)), "PCS405"),
    row("11 in each", demands((A, 11), (B, 11))),
    row("12 in each", demands((A, 12), (B, 12)), "PCS405", "PCS405"),
    row("22 in both", demands((A_OR_B, 22))),
    row("23 in both", demands((A_OR_B, 23)), "PCS405"),
    row("22 in both, 11 of them in one", demands((A, 11), (A_OR_B, 11))),
    row("23 in both, 11 of them in one", demands((A, 11), (A_OR_B, 12)), "PCS405"),
    row("10 beside the controller", addresses(controller="a", demands=(("g", A, 10),))),
    row("11 beside the controller", addresses(controller="a", demands=(("g", A, 11),)), "PCS405"),
    row("11 not beside it", addresses(controller="b", demands=(("g", A, 11),))),
    row("22 in both with it", addresses(controller="b", demands=(("g", A_OR_B, 22),)), "PCS405"),
    row("controller that is a token", addresses(controller=UNKNOWN, demands=(("g", A, 11),))),
    row("many in one that is a token", addresses(cidrs={"a": UNKNOWN}, demands=(("g", A, 99),))),
    row("many in one not made here", addresses(cidrs={}, demands=(("g", A, 99),))),
    row(
        "one not made here beside a full one",
        addresses(cidrs={"a": "10.0.0.0/28"}, demands=(("g", A_OR_B, 99), ("h", A, 12))),
        "PCS405",
    ),
    row(
        "range not written by its first address",
        addresses(cidrs={"a": "10.0.0.5/28"}, demands=(("g", A, 11),)),
    ),
)
def test_subnets_have_room_for_all_interfaces(facts, codes) -> None:
    assert errors(facts) == codes


_PAIRS = [frozenset(pair) for pair in ("ab", "bc", "ac")]
_THREE = {"a": "10.0.0.0/25", "b": "10.0.0.128/25", "c": "10.0.1.0/25"}  # 123 each


@table(
    row("as many as there are", addresses(cidrs=_THREE, demands=_each(_PAIRS, 123))),
    row("one more", addresses(cidrs=_THREE, demands=_each(_PAIRS, 124)), "PCS405"),
    row("far more", addresses(cidrs=_THREE, demands=_each(_PAIRS, 240)), "PCS405"),
    row("one that is a token", addresses(cidrs={"a": UNKNOWN}, demands=_each(_PAIRS, 240))),
    row(
        "told once where a part of them is short",
        addresses(cidrs=_THREE, demands=(*_each(_PAIRS, 120), ("own", frozenset("a"), 124))),
        "PCS405",
    ),
    row(
        "those of subnets that are not shared",
        addresses(cidrs=_THREE, demands=_each([frozenset(one) for one in "abc"], 123)),
    ),
    row(
        "thirty groups in a row",
        addresses(
            cidrs={str(n): f"10.0.{n}.0/24" for n in range(31)},
            demands=_each([frozenset({str(n), str(n + 1)}) for n in range(30)], 251),
        ),
    ),
)
def test_subnets_that_groups_share_in_part_have_room_for_all(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none, and none needed", subnet(ipv6=False)),
    row("none", subnet(ipv6=False, needs_ipv6=True), "PCS416"),
    row("some", subnet(needs_ipv6=True)),
    row("token", subnet(ipv6=UNKNOWN, needs_ipv6=True)),
)
def test_subnets_of_ipv6_clusters_have_ipv6(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("nobody", ssh(sources=())),
    row("a range", ssh(sources=("203.0.113.0/24",))),
    row("a security group", ssh(sources=("sg-0a1b2c3d",))),
    row("IPv4", ssh(sources=("0.0.0.0/0",)), "PCS408"),
    row("IPv6", ssh(sources=("::/0",)), "PCS408"),
    row("both", ssh(sources=("0.0.0.0/0", "::/0")), "PCS408", "PCS408"),
    row("token", ssh(sources=(UNKNOWN,))),
)
def test_ssh_for_everybody_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("8 characters", identifiers(subnet_ids=("subnet-12345678",))),
    row("17 characters", identifiers(subnet_ids=("subnet-0123456789abcdef0",))),
    row("7 characters", identifiers(subnet_ids=("subnet-1234567",)), "PCS409"),
    row("18 characters", identifiers(subnet_ids=("subnet-0123456789abcdef01",)), "PCS409"),
    row("group of 8 characters", identifiers(security_group_ids=("sg-12345678",))),
    row("group of 7 characters", identifiers(security_group_ids=("sg-1234567",)), "PCS409"),
    row("name of a group", identifiers(security_group_ids=("default",)), "PCS409"),
    row("crossed", IdentifierFacts(subnet_ids=("sg-12345678",)), "PCS409"),
    row("two wrong", identifiers(subnet_ids=("a", "b")), "PCS409", "PCS409"),
    row("none", IdentifierFacts()),
    row("tokens", identifiers(subnet_ids=(UNKNOWN,), security_group_ids=(UNKNOWN,))),
    row("token and a wrong one", identifiers(subnet_ids=(UNKNOWN, "a")), "PCS409"),
    row(
        "letters of another script",
        identifiers(security_group_ids=("sg-größegröße",)),
        "PCS409",
    ),
    row(
        "placeholder of Vpc.from_lookup",
        identifiers(subnet_ids=("p-12345", "s-67890")),
    ),
)
def test_subnets_and_security_groups_are_referred_to_by_their_ids(facts, codes) -> None:
    assert errors(facts) == codes


srun = partial(replace, SrunPortsFacts(ports="60001-63000", nodes=2048))


@table(
    row("default of PCS", srun(ports="")),
    row("3000 for all", srun()),
    row("4 for 48", srun(ports="60001-60004", nodes=48)),
    row("3 for 48", srun(ports="60001-60003", nodes=48), "PCS429"),
    row("6 for 49", srun(ports="60001-60006", nodes=49)),
    row("5 for 49", srun(ports="60001-60005", nodes=49), "PCS429"),
    row("no range", srun(ports="60001")),
    row("token", srun(ports=UNKNOWN)),
)
def test_srun_has_ports_for_all_nodes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("default of PCS", srun(ports="")),
    row("5 for 48", srun(ports="60001-60005", nodes=48)),
    row("4 for 48", srun(ports="60001-60004", nodes=48), "PCS434"),
    row("3 for 48, which is refused", srun(ports="60001-60003", nodes=48)),
    row("token", srun(ports=UNKNOWN)),
)
def test_a_range_without_a_port_for_a_terminal_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("reached", flow()),
    row("out of reach", flow(reached=False, missing=("no rule",), fixes=("add one",)), "PCS430"),
    row("nobody says how to mend it", flow(reached=False, missing=("no rule",)), "PCS430"),
    row("imported", flow(reached=UNKNOWN, missing=("sg-1 is not in these templates",))),
)
def test_everything_that_a_cluster_needs_is_reached(facts, codes) -> None:
    assert errors(facts) == codes
