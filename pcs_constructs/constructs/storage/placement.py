"""Where the servers of OpenZFS and ONTAP are: in one Availability Zone, or in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.once import private_subnets, subnet_id
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.network.subnets import (
    first_private_subnet,
    route_table_id,
    subnet_facts,
    zone_of,
)
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules.storage import zones_differ

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# FSx changes routes in tables with this tag only, and adds it. Where CloudFormation owns the table,
# its next update of tags would take the tag away.
_MANAGED: Final = ("AmazonFSx", "ManagedByAmazonFSx")


def standby_of(vpc: ec2.IVpc, preferred: ec2.ISubnet | None) -> ec2.ISubnet | None:
    """The first subnet of a VPC that is known to be in another zone than this one."""
    if preferred is None:
        return None
    zone = zone_of(preferred)
    others = private_subnets(vpc)
    return next((s for s in others if zones_differ(zone, zone_of(s)) is True), None)


def route_tables_of(vpc: ec2.IVpc) -> Sequence[str]:
    """The route tables of the VPC's subnets; none where it does not tell all of them."""
    tables = dict.fromkeys(route_table_id(subnet) for subnet in _subnets_of(vpc))
    return tuple(table for table in tables if table) if None not in tables else ()


def _subnets_of(vpc: ec2.IVpc) -> Sequence[ec2.ISubnet]:
    return (*vpc.private_subnets, *vpc.isolated_subnets, *vpc.public_subnets)


class Placement:
    """Where the servers of a file system are, in one Availability Zone or in two.

    Args:
        vpc: The VPC.
        multi_az: Whether there is a standby server in a second zone.
        subnet: The subnet of the preferred server. By default the first private one of the VPC.
        standby_subnet: That of the standby server. By default the first one in another zone.
        route_table_ids: The route tables that lead to them. By default those of the VPC's subnets.
        endpoint_ip_address_range: The addresses that they are reached at. By default FSx chooses.
    """

    first: Final[ec2.ISubnet | None]
    """The subnet of the preferred server; `None` if there is none."""

    route_table_ids: Final[Sequence[str]]
    """The route tables; none with one zone."""

    endpoint_ip_address_range: Final[str | None]
    """The addresses that the servers are reached at."""

    def __init__(
        self,
        vpc: ec2.IVpc,
        *,
        multi_az: bool,
        subnet: ec2.ISubnet | None,
        standby_subnet: ec2.ISubnet | None,
        route_table_ids: Sequence[str] | None,
        endpoint_ip_address_range: str | None,
    ) -> None:
        self._vpc = vpc
        self._multi_az = multi_az
        self._named = route_table_ids is not None
        self._chosen = {"subnet": subnet, "standby_subnet": standby_subnet}
        self.first = subnet or first_private_subnet(vpc)
        self._standby = standby_subnet or (standby_of(vpc, self.first) if multi_az else None)
        if route_table_ids is None:
            route_table_ids = route_tables_of(vpc) if multi_az else ()
        self.route_table_ids = route_table_ids
        self.endpoint_ip_address_range = endpoint_ip_address_range

    @property
    def facts(self) -> rules.PlacementFacts:
        """What the rules for each kind of file system are to judge."""
        differ = UNKNOWN
        if self.first is not None and self._standby is not None:
            same = subnet_id(self.first) == subnet_id(self._standby)
            zones = zone_of(self.first), zone_of(self._standby)
            differ = False if same else zones_differ(*zones)
        return rules.PlacementFacts(
            multi_az=self._multi_az,
            standby=self._standby is not None,
            two_zones=differ,
            route_tables=len(self.route_table_ids),
            route_tables_named=self._named,
            endpoint_range=known(self.endpoint_ip_address_range),
        )

    def facts_of_subnets(self) -> Iterator[object]:
        """What the rules for subnets are to judge, of those that were chosen by the user."""
        chosen = {name: subnet for name, subnet in self._chosen.items() if subnet is not None}
        for argument, subnet in chosen.items():
            yield subnet_facts(argument, subnet, self._vpc)
        ids = tuple(known(subnet_id(subnet)) for subnet in chosen.values())
        yield rules.IdentifierFacts(subnet_ids=ids)

    @property
    def subnet_ids(self) -> list[str]:
        """The subnets of all servers, that of the preferred one first."""
        return [subnet_id(subnet) for subnet in (self.first, self._standby) if subnet]

    @property
    def preferred_subnet_id(self) -> str | None:
        """The subnet of the preferred server, where there is another one."""
        return self.subnet_ids[0] if self._multi_az else None

    @property
    def servers_in(self) -> ec2.ISubnet | None:
        """The subnet of all servers, where they are in one."""
        return None if self._multi_az else self.first

    def tag_route_tables(self) -> None:
        """Let FSx change the routes of the subnets that are made in this app."""
        for subnet in _subnets_of(self._vpc) if self._multi_az and not self._named else ():
            table = subnet.node.try_find_child("RouteTable")
            if isinstance(table, ec2.CfnRouteTable):
                cdk.Tags.of(table).add(*_MANAGED)
