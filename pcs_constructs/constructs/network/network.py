"""A VPC for a cluster: which subnet does what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.once import (
    NETWORKS,
    OwnVpc,
    path_below,
    private_subnets,
    stack_of,
    zone_name,
)
from pcs_constructs.constructs._cdk.problems import refuse
from pcs_constructs.constructs._cdk.tokens import is_token, known
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence


_ZONES_OF_ANY_STACK: Final = 2


class Network(Construct):
    """A VPC with public and private subnets that meets what AWS PCS asks of one.

    By default the address range is cut in two. The lower half holds up to eight public subnets, the
    upper half up to eight private ones, so a zone added later renumbers nothing. Nodes and
    controller are meant for the private subnets, which lead outside through NAT; Amazon S3 is
    reached through a gateway endpoint, free of charge.

    Nothing in this library asks for a `Network`: every construct takes the `vpc` of any app.

    Resources:
        A VPC with DNS hostnames and resolution, an internet gateway, a public and a private subnet
        in each zone with their route tables, NAT gateways, and an S3 gateway endpoint. Isolated:
        neither gateways nor public subnets. With IPv6 an egress-only internet gateway.

    Security:
        Instances in the public subnets get public IPv4 addresses; nothing in an isolated network
        has a way to the internet. The VPC's default security group is left as EC2 makes it and
        nothing uses it.

    Args:
        cidr: The IPv4 range, a /16 to a /24. By default `10.0.0.0/16`.
        availability_zones: How many zones, or their names. A number takes the first ones that the
            account sees when the stack is deployed. By default 2.
        nat_gateways: How many NAT gateways. By default one, which all zones share, and none where
            there are no public subnets; as many as zones keep a zone's failure to itself and cost
            as many times as much. With 0, nodes in private subnets need endpoints.
        isolated: Whether nothing leads to the internet, so that nodes reach AWS through endpoints
            alone: see `Cluster.add_endpoints`. By default there is a way out.
        public_subnets: Whether there are public subnets and an internet gateway. By default yes,
            unless isolated. Without them, the way out of the private subnets is yours to make, such
            as a transit gateway.
        private_subnet_mask: The prefix length of each private subnet, such as 18 for 16,379
            addresses: a node takes one for each of its network interfaces. By default a sixteenth
            of the range.
        endpoint_subnets: Whether each zone has a small subnet more, for interface endpoints, so
            that they take no addresses from nodes. By default not.
        ipv6: Whether all subnets have IPv6 beside IPv4, as a cluster with `NetworkType.IPV6` needs.
            By default not.
        flow_logs: Where VPC flow logs go, such as
            `ec2.FlowLogDestination.to_cloud_watch_logs()`. By default there are none.
        dynamodb_endpoint: Whether Amazon DynamoDB is reached through a gateway endpoint too. By
            default not.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

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
        nat_gateways: int | None = None,
        isolated: bool = False,
        public_subnets: bool | None = None,
        private_subnet_mask: int | None = None,
        endpoint_subnets: bool = False,
        ipv6: bool = False,
        flow_logs: ec2.FlowLogDestination | None = None,
        dynamodb_endpoint: bool = False,
    ) -> None:
        given = Arguments(Network.__init__, locals())
        if isinstance(availability_zones, (int, float)):
            zones, count = None, given.number("availability_zones", availability_zones)
        else:
            zones = given.items("availability_zones", availability_zones)
            count = len(zones)
        cidr = given.literal("cidr", cidr, "10.0.0.0/16")
        public = not isolated if public_subnets is None else public_subnets
        gateways = given.count("nat_gateways", nat_gateways)
        if gateways is None:
            gateways = 1 if public else 0
        mask = given.count("private_subnet_mask", private_subnet_mask)
        refuse(scope, id, given.problems)
        facts = rules.NetworkFacts(
            cidr=cidr,
            availability_zones=count,
            nat_gateways=gateways,
            isolated=isolated,
            public_subnets=public,
            endpoint_subnets=endpoint_subnets,
            private_subnet_mask=mask,
            zones=tuple(map(known, zones or ())),
        )
        refuse(scope, id, rules.errors_in(facts))

        super().__init__(scope, id)
        # Asked of CloudFormation and not of the stack, which would look them up in its account,
        # unless it has none: then it asks CloudFormation for two itself.
        if zones is None and (count > _ZONES_OF_ANY_STACK or not is_token(stack_of(scope).region)):
            zones = [
                cdk.Token.as_string({"Fn::Select": [number, {"Fn::GetAZs": ""}]})
                for number in range(count)
            ]
        # Without public subnets the way out is the user's, and we do not know of any.
        leads_nowhere = isolated or (public and not gateways and not ipv6)
        kinds = {
            "Public": ec2.SubnetType.PUBLIC,
            "Private": ec2.SubnetType.PRIVATE_ISOLATED
            if leads_nowhere
            else ec2.SubnetType.PRIVATE_WITH_EGRESS,
            # After the private ones, which are the first to be found where both are isolated.
            "Endpoints": ec2.SubnetType.PRIVATE_ISOLATED,
        }
        wanted = {"Public": public, "Private": True, "Endpoints": endpoint_subnets}
        names = [name for name, there in wanted.items() if there]
        gateway_endpoints = {
            "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
        }
        if dynamodb_endpoint:
            gateway_endpoints["DynamoDb"] = ec2.GatewayVpcEndpointOptions(
                service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
            )
        self.vpc = ec2.Vpc(
            self,
            "Resource",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            ip_protocol=ec2.IpProtocol.DUAL_STACK if ipv6 else None,
            availability_zones=list(zones) if zones else None,
            max_azs=None if zones else count,
            reserved_azs=facts.room - count,
            nat_gateways=gateways,
            create_internet_gateway=public,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            default_instance_tenancy=ec2.DefaultInstanceTenancy.DEFAULT,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name=name,
                    subnet_type=kinds[name],
                    cidr_mask=cidr_mask,
                    map_public_ip_on_launch=True if name == "Public" else None,
                )
                for name, cidr_mask in zip(names, facts.masks, strict=True)
            ],
            gateway_endpoints=gateway_endpoints,
            flow_logs={
                "FlowLog": ec2.FlowLogOptions(
                    destination=flow_logs, traffic_type=ec2.FlowLogTrafficType.ALL
                )
            }
            if flow_logs
            else None,
        )
        told = leads_nowhere or (False if gateways or ipv6 else UNKNOWN)
        NETWORKS[self.vpc] = OwnVpc(f"{path_below(scope, id)}/Resource", count, told)

    @property
    def compute_subnet(self) -> ec2.ISubnet:
        """The first private subnet: one zone for controller, Lustre and nodes that use EFA."""
        return self._private_subnets[0]

    @property
    def endpoint_subnets(self) -> Sequence[ec2.ISubnet]:
        """Where interface endpoints go: their own subnets, else the private ones; one to a zone."""
        own = [s for s in self.vpc.isolated_subnets if _is_for_endpoints(s)]
        return own or self._private_subnets

    def private_subnet_in(self, zone: str) -> ec2.ISubnet:
        """The private subnet in one zone, such as the one that has the instances of nodes with EFA.

        Args:
            zone: The name of the zone, one that the network was made with.

        Raises:
            PcsValidationError: PCS003, PCS419, when it has no zone of this name.
        """
        given = Arguments(Network.private_subnet_in, locals())
        given.refuse(self.node.path)
        there = {zone_name(subnet): subnet for subnet in self._private_subnets}
        if zone not in there:
            named = ", ".join(str(name) for name in there if not is_token(name))
            raise PcsValidationError(
                self.node.path,
                [
                    Problem(
                        code="PCS419",
                        argument="zone",
                        message=f"{zone!r} is none of {named or 'the zones, which have no names'}",
                        fix=f"make the network with availability_zones=[{zone!r}]",
                    )
                ],
            )
        return there[zone]

    @property
    def _private_subnets(self) -> Sequence[ec2.ISubnet]:
        return [s for s in private_subnets(self.vpc) if not _is_for_endpoints(s)]


def _is_for_endpoints(subnet: ec2.ISubnet) -> bool:
    return subnet.node.id.startswith("EndpointsSubnet")
