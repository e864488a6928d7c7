"""Rules for subnets: which they are, where, and whether they have room."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# The second form is what the CDK puts where a VPC has still to be looked up.
_SUBNET_ID: Final = r"subnet-\w{8,17}|[ps]-\d{5}"


_RESERVED_ADDRESSES: Final = 5  # EC2 keeps the first four and the last address of each subnet
FEWEST_ADDRESSES: Final = 16 - _RESERVED_ADDRESSES
"""How many addresses the smallest subnet has, a /28."""

_UNIONS: Final = 256


@facts_record
class NodeSubnetFacts:
    """What a subnet shows that a controller, nodes or file servers are to be put in."""

    argument: str
    name: str
    in_vpc: bool | Unknown
    public: bool | Unknown = UNKNOWN
    ipv6: bool | Unknown = UNKNOWN
    """Whether it assigns IPv6 addresses."""
    zone: str | Unknown = UNKNOWN
    """The name of its zone."""
    controller: bool = False
    needs_ipv6: bool = False
    """Whether the cluster talks by IPv6."""


@error("PCS420", NodeSubnetFacts)
def controller_is_in_an_availability_zone(facts: NodeSubnetFacts) -> Iterator[Violation]:
    """The controller's subnet is in an Availability Zone, not in a Local or Wavelength Zone.

    Neither may it be on an Outpost, which a subnet does not show. Seen where the name of the zone
    is known.

    Source: AWS PCS VPC and subnet requirements, "Subnet requirements for clusters".
    """
    # us-east-1a is an Availability Zone, us-east-1-bos-1a and us-east-1-wl1-bos-wlz-1 are not.
    if (
        facts.controller
        and facts.zone is not UNKNOWN
        and re.match(r"[a-z]+(-[a-z]+)+-\d+-", facts.zone)
    ):
        yield Violation(
            facts.argument,
            f"{facts.name} is in {facts.zone}, which is no Availability Zone",
            "put the controller into a subnet of an Availability Zone",
        )


@advice("PCS403", NodeSubnetFacts)
def controller_is_in_a_private_subnet(facts: NodeSubnetFacts) -> Iterator[Violation]:
    """The controller's network interface is in a private subnet.

    Source: AWS PCS VPC and subnet requirements, "We recommend that you specify a private subnet".
    """
    if facts.controller and facts.public is True:
        yield Violation(
            facts.argument,
            f"{facts.name} is public",
            "leave subnet out to use the first private subnet of the VPC",
            template_fix="use a subnet without a route to an internet gateway",
        )


@error("PCS404", NodeSubnetFacts)
def subnet_is_in_the_vpc(facts: NodeSubnetFacts) -> Iterator[Violation]:
    """Controller, nodes and file servers are in subnets of the VPC that is meant.

    That of a cluster is the cluster's, that of a file system is its own `vpc`.

    Source: AWS PCS VPC and subnet requirements; `SubnetIds` of the API.
    """
    if facts.in_vpc is False:
        yield Violation(
            facts.argument,
            f"{facts.name} belongs to another VPC",
            "pass a subnet of the VPC, such as vpc.private_subnets[0]",
            template_fix="use a subnet of the cluster's VPC",
        )


@error("PCS416", NodeSubnetFacts)
def subnets_of_ipv6_clusters_have_ipv6(facts: NodeSubnetFacts) -> Iterator[Violation]:
    """A cluster that talks by IPv6, and its nodes, are in subnets that assign IPv6 addresses.

    Looked at where the subnets are made in the same app.

    Source: AWS PCS VPC and subnet requirements; `NetworkType` of the API.
    """
    if facts.needs_ipv6 and facts.ipv6 is False:
        yield Violation(
            facts.argument,
            f"{facts.name} assigns no IPv6 addresses, and the cluster talks by IPv6",
            "make the VPC with ip_protocol=ec2.IpProtocol.DUAL_STACK",
            template_fix="give the subnet an IPv6 range, and set AssignIpv6AddressOnCreation",
        )


@facts_record
class PublicSubnetFacts:
    """How nodes in a subnet reach AWS PCS, where it is public."""

    name: str
    public: bool | Unknown
    assigns_public_addresses: bool | Unknown
    other_ways: bool = False
    """Whether some route may lead to AWS by another way than an internet gateway."""
    endpoints: frozenset[str] | Unknown
    """The endpoints in its VPC."""


@error("PCS406", PublicSubnetFacts)
def public_subnet_assigns_public_addresses(facts: PublicSubnetFacts) -> Iterator[Violation]:
    """A public subnet that nodes are put in assigns public IPv4 addresses at launch.

    A node there without such an address has no way to the AWS PCS endpoint, unless the VPC has an
    endpoint for it, with private DNS, or another route leads there. What the launch template says
    of its one network interface, `AssociatePublicIpAddress`, overrides the subnet.

    Source: AWS PCS VPC and subnet requirements, "Subnet requirements for nodes".
    """
    if facts.public is not True or facts.assigns_public_addresses is not False or facts.other_ways:
        return
    if facts.endpoints is not UNKNOWN and "pcs" not in facts.endpoints:
        yield Violation(
            "subnets",
            f"{facts.name} is public and assigns no public IPv4 addresses, and the VPC has no "
            "endpoint for pcs with private DNS",
            "give its SubnetConfiguration map_public_ip_on_launch=True, use a private subnet, or "
            "write cluster.add_endpoints('Endpoints')",
            template_fix="set MapPublicIpOnLaunch of the subnet, use a private one, or add an "
            "endpoint for pcs",
        )


@facts_record
class AddressFacts:
    """Which subnets exist, and how many addresses the node groups may take from them."""

    cidrs: Mapping[str, str | Unknown]
    """Address range by subnet."""
    demands: tuple[tuple[str, frozenset[str], int], ...]
    """For each node group its name, its subnets, and instances times interfaces at the most."""
    controller: str | Unknown = UNKNOWN
    """The controller's subnet."""
    others: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many addresses endpoints, mount targets and file servers take at least, by subnet."""


@error("PCS405", AddressFacts)
def subnets_have_room_for_all_nodes(facts: AddressFacts) -> Iterator[Violation]:
    """The subnets have an address for every network interface of every node.

    Each interface takes one: a node with 32 EFA interfaces takes 32. EC2 keeps five of each subnet,
    the controller takes one, and so do an endpoint, a mount target and a file server that are made
    here. What else lives in a subnet is not counted, so this catches the certain cases, also
    those of groups that share some of their subnets. Looked at where the subnets are made in the
    same app.

    Source: AWS PCS VPC and subnet requirements, "enough available IP addresses".
    """
    shortages: set[frozenset[str]] = set()
    alone = list(dict.fromkeys(subnets for _, subnets, _ in facts.demands))
    for subnets in (*alone, *_unions(alone)):
        if subnets not in alone and any(short <= subnets for short in shortages):
            continue
        ranges = [facts.cidrs.get(subnet, UNKNOWN) for subnet in subnets]
        if subnets in shortages or any(block is UNKNOWN for block in ranges):
            continue
        room = sum(
            ipaddress.ip_network(block, strict=False).num_addresses - _RESERVED_ADDRESSES
            for block in ranges
            if block is not UNKNOWN
        )
        room -= (facts.controller in subnets) + sum(facts.others.get(s, 0) for s in subnets)
        takers = {name: count for name, others, count in facts.demands if others <= subnets}
        if sum(takers.values()) > room:
            shortages.add(subnets)
            yield Violation(
                "subnets",
                f"{', '.join(takers)} may take {sum(takers.values())} addresses, and "
                f"{'their subnet has' if len(subnets) == 1 else 'their subnets have'} {room}",
                "lower the maximum, use larger subnets, or spread the groups over more subnets",
            )


def _unions(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The unions of sets that overlap, small ones first: as many as there are reasonably."""
    single = list(dict.fromkeys(sets))
    unions = dict.fromkeys(single)
    pending = list(single)
    # Of n sets that all overlap there are 2 to the n.
    while pending and len(unions) < _UNIONS:
        one = pending.pop(0)
        for other in single:
            both = one | other
            if one & other and both not in unions:
                unions[both] = None
                pending.append(both)
    return sorted(unions.keys() - set(single), key=lambda union: (len(union), sorted(union)))


@facts_record
class IdentifierFacts:
    """Literal identifiers of what is imported."""

    subnet_ids: tuple[str | Unknown, ...] = ()
    security_group_ids: tuple[str | Unknown, ...] = ()


@error("PCS409", IdentifierFacts)
def network_identifiers_are_ids(facts: IdentifierFacts) -> Iterator[Violation]:
    """Subnets and security groups are referred to by their IDs.

    Source: `SubnetId` and `SecurityGroupId` of the API.
    """
    for value in facts.subnet_ids:
        yield from identifier_violations("subnets", value, _SUBNET_ID, "subnet-0a1b2c3d")
    for value in facts.security_group_ids:
        yield from identifier_violations("security_groups", value, r"sg-\w{8,17}", "sg-0a1b2c3d")
