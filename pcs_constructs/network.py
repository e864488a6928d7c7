"""A VPC for a cluster: which subnet does what."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import _cdk, rules
from pcs_constructs._arguments import Arguments

if TYPE_CHECKING:
    from collections.abc import Sequence


class NetworkType(Enum):
    """The version of the Internet Protocol that a cluster talks. It cannot change later.

    Source: `NetworkType` of `AWS::PCS::Cluster`.
    """

    IPV4 = "IPV4"
    """What AWS PCS does unless told otherwise."""

    IPV6 = "IPV6"
    """Subnets have to assign IPv6 addresses, and the security group lets IPv6 out."""


class Network(Construct):
    """A VPC with public and private subnets that meets what AWS PCS asks of one.

    The address range is cut in two. The lower half holds up to eight public subnets, the upper half
    up to eight private ones, so a zone added later renumbers nothing. Nodes and controller are
    meant for the private subnets, which lead outside through NAT; Amazon S3 is reached through a
    gateway endpoint, free of charge.

    Nothing in this library asks for a `Network`: every construct takes the `vpc` of any app.

    Resources:
        A VPC with DNS hostnames and resolution, an internet gateway, a public and a private subnet
        in each zone with their route tables, NAT gateways, and an S3 gateway endpoint.

    Security:
        Instances in the public subnets get public IPv4 addresses. The VPC's default security group
        is left as EC2 makes it and nothing uses it.

    Args:
        cidr: The IPv4 range, a /16 to a /24. By default `10.0.0.0/16`.
        availability_zones: How many zones, or their names. A number takes the first ones that the
            account sees when the stack is deployed. By default 2.
        nat_gateways: How many NAT gateways. By default one, which all zones share; as many as zones
            keep a zone's failure to itself and cost as many times as much.

    Raises:
        PcsValidationError: PCS001 to PCS003, PCS410, PCS411, PCS412.

    Source: AWS PCS VPC and subnet requirements and considerations.
    """

    vpc: Final[ec2.Vpc]
    """The VPC."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cidr: str = "10.0.0.0/16",
        availability_zones: int | Sequence[str] = 2,
        nat_gateways: int = 1,
    ) -> None:
        given = Arguments()
        if isinstance(availability_zones, (int, float)):
            zones, count = None, given.number("availability_zones", availability_zones)
        else:
            zones = given.items("availability_zones", availability_zones, str)
            count = len(zones)
        cidr = given.literal("cidr", cidr, "10.0.0.0/16")
        nat_gateways = given.number("nat_gateways", nat_gateways)
        _cdk.refuse(scope, id, given.problems)
        facts = rules.NetworkFacts(cidr=cidr, availability_zones=count, nat_gateways=nat_gateways)
        _cdk.refuse(scope, id, rules.errors_in(facts))

        super().__init__(scope, id)
        # Asked of CloudFormation and not of the stack: an environment-agnostic stack knows two
        # zones only, and one with an environment would look them up in the account.
        every_zone = None if zones is not None else cdk.Fn.get_azs()
        self.vpc = ec2.Vpc(
            self,
            "Resource",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            availability_zones=list(zones)
            if zones is not None
            else [cdk.Fn.select(index, every_zone or []) for index in range(count)],
            reserved_azs=rules.MAX_AVAILABILITY_ZONES - count,
            nat_gateways=nat_gateways,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            default_instance_tenancy=ec2.DefaultInstanceTenancy.DEFAULT,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=_subnet_mask(cidr),
                    map_public_ip_on_launch=True,
                ),
                ec2.SubnetConfiguration(
                    name="Private",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=_subnet_mask(cidr),
                ),
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
        )
        _cdk.trust(self.vpc)

    @property
    def compute_subnet(self) -> ec2.ISubnet:
        """The first private subnet: one zone for controller, Lustre and nodes that use EFA."""
        return self.vpc.private_subnets[0]


def _subnet_mask(cidr: str) -> int:
    return int(cidr.rpartition("/")[2]) + 4
