"""What subnets, VPCs and security groups show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.casts import default_child
from pcs_constructs.constructs._cdk.once import (
    NETWORKS,
    node_of,
    path_below,
    private_subnets,
    stack_of,
    subnet_id,
    subnet_ids,
    zone_name,
    zone_number,
)
from pcs_constructs.constructs._cdk.problems import refuse
from pcs_constructs.constructs._cdk.tokens import is_token, known
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Problem, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from constructs import Construct


def first_private_subnet(vpc: ec2.IVpc) -> ec2.ISubnet | None:
    """The first subnet with a way out, else the first isolated one, else the first there is."""
    return next(iter(private_subnets(vpc)), None)


def subnet_for(
    scope: Construct, id: str, subnet: ec2.ISubnet | None, problems: Iterable[Problem]
) -> ec2.ISubnet:
    """The subnet that was found for a construct, unless there is none or another problem."""
    if subnet is not None:
        refuse(scope, id, problems)
        return subnet
    nowhere = Problem(
        code="PCS414",
        argument="vpc",
        message="no subnet of this VPC is known",
        fix="pass subnet=, or name the subnets where the VPC is imported",
    )
    raise PcsValidationError(path_below(scope, id), (*problems, nowhere))


def route_table_id(subnet: ec2.ISubnet) -> str | None:
    """The route table of a subnet; an imported one may have none to tell."""
    try:
        return subnet.route_table.route_table_id
    except RuntimeError:
        return None


def vpc_facts(vpc: ec2.IVpc) -> rules.VpcFacts:
    """What a VPC that is made in this app shows; nothing of an imported one."""
    if vpc in NETWORKS:
        return rules.VpcFacts(dns_hostnames=True, dns_support=True, tenancy="default")
    if not isinstance(vpc, ec2.Vpc):
        return rules.VpcFacts(dns_hostnames=UNKNOWN, dns_support=UNKNOWN, tenancy=UNKNOWN)
    resource = default_child(vpc, ec2.CfnVPC)
    return rules.VpcFacts(
        dns_hostnames=vpc.dns_hostnames_enabled,
        dns_support=vpc.dns_support_enabled,
        tenancy=known(resource.instance_tenancy or "default"),
    )


def is_public(subnet: ec2.ISubnet, vpc: ec2.IVpc | None = None) -> bool | Unknown:
    """Whether the subnet is public, where it is made in this app or the VPC names it."""
    if isinstance(subnet, ec2.Subnet):
        return isinstance(subnet, ec2.PublicSubnet)
    if vpc is not None and subnet_id(subnet) in map(subnet_id, vpc.public_subnets):
        return True
    return UNKNOWN


def subnet_facts(
    argument: str,
    subnet: ec2.ISubnet,
    vpc: ec2.IVpc,
    *,
    controller: bool = False,
    needs_ipv6: bool = False,
) -> rules.NodeSubnetFacts:
    """What a subnet shows, as far as it and the VPC are made in this app."""
    in_vpc = ipv6 = UNKNOWN
    if isinstance(subnet, ec2.Subnet):
        resource = subnet.node.default_child
        if isinstance(resource, ec2.CfnSubnet) and needs_ipv6:
            assigned = resource.assign_ipv6_address_on_creation or False
            ipv6 = assigned if isinstance(assigned, bool) else UNKNOWN
        owner = subnet.node.scope
        if isinstance(owner, ec2.Vpc) and isinstance(vpc, ec2.Vpc):
            # Not by `is`: jsii makes a new proxy each time for what was made in JavaScript.
            in_vpc = node_of(owner).addr == node_of(vpc).addr
    return rules.NodeSubnetFacts(
        argument=argument,
        name=subnet.node.path,
        in_vpc=in_vpc,
        zone=known(zone_name(subnet) or "") or UNKNOWN if controller else UNKNOWN,
        public=is_public(subnet, vpc),
        ipv6=ipv6,
        controller=controller,
        needs_ipv6=needs_ipv6,
    )


def assigns_public_addresses(subnet: ec2.ISubnet) -> bool | Unknown:
    """Whether nodes get public addresses in a subnet, where it is made in this app."""
    resource = subnet.node.default_child if isinstance(subnet, ec2.Subnet) else None
    if not isinstance(resource, ec2.CfnSubnet):
        return UNKNOWN
    assigned = resource.map_public_ip_on_launch
    return assigned if isinstance(assigned, bool) else UNKNOWN


def has_other_ways(subnet: ec2.ISubnet, constructs: Sequence[object]) -> bool:
    """Whether a route of a public subnet may lead out by something else than its gateway."""
    table = route_table_id(subnet)
    return any(
        construct.gateway_id is None
        for construct in constructs
        if isinstance(construct, ec2.CfnRoute) and construct.route_table_id == table
    )


def leads_nowhere(
    subnet: ec2.ISubnet, vpc: ec2.IVpc, constructs: Sequence[object]
) -> bool | Unknown:
    """Whether no route leads out of the VPC, where VPC and subnet are made in this app."""
    if not isinstance(vpc, ec2.Vpc):
        return UNKNOWN
    told = NETWORKS[vpc].leads_nowhere if vpc in NETWORKS else True
    if told is not True:
        return told
    isolated, others = subnet_ids(vpc)
    if subnet_id(subnet) not in isolated:
        return False if subnet_id(subnet) in others else UNKNOWN
    # The CDK calls it isolated, and somebody may have added a route, or have a gateway do so.
    table = route_table_id(subnet)
    for construct in constructs:
        if isinstance(construct, ec2.CfnVPNGatewayRoutePropagation) or (
            isinstance(construct, ec2.CfnRoute) and construct.route_table_id == table
        ):
            return UNKNOWN
    return True


def security_group_facts(
    argument: str, group: ec2.ISecurityGroup, vpc: ec2.IVpc
) -> rules.SecurityGroupFacts:
    """What a security group that was passed shows of the VPC it is in."""
    in_vpc = UNKNOWN
    if isinstance(group, ec2.SecurityGroup):
        resource = group.node.default_child
        if isinstance(resource, ec2.CfnSecurityGroup) and resource.vpc_id:
            in_vpc = same_vpc(resource.vpc_id, vpc.vpc_id)
    return rules.SecurityGroupFacts(argument=argument, name=group.node.path, in_vpc=in_vpc)


def same_vpc(one: str, other: str) -> bool | Unknown:
    """Whether two IDs are of one VPC."""
    if one == other:
        return True
    if not is_token(one) and not is_token(other):
        return False
    made = [_vpc_referred_to(vpc_id) for vpc_id in (one, other)]
    # Two VPCs that are made in this app are two; anything else may turn out to be the same.
    return UNKNOWN if None in made else made[0] == made[1]


def _vpc_referred_to(text: str) -> str | None:
    """The path of a VPC that is made in this app, of whose ID this is the token."""
    token = cdk.Tokenization.reverse_string(text).first_token
    vpc = token.target if isinstance(token, cdk.Reference) else None
    return vpc.node.path if isinstance(vpc, ec2.CfnVPC) else None


def zone_of(subnet: ec2.ISubnet) -> str | Unknown:
    """The zone of a subnet by its name, or by its number among those of the Region.

    The one cannot be compared with the other; see `zones_differ` of the rules.
    """
    name = zone_name(subnet)
    if name is None:
        return UNKNOWN
    return zone_number(stack_of(subnet), name) if is_token(name) else name


def subnet_cidrs(subnets: Iterable[ec2.ISubnet]) -> dict[str, str | Unknown]:
    """The address range of each subnet by its ID, where it is made in this app."""
    by_id = {subnet_id(subnet): subnet for subnet in subnets}
    return {
        key: known(subnet.ipv4_cidr_block) if isinstance(subnet, ec2.Subnet) else UNKNOWN
        for key, subnet in by_id.items()
    }
