"""The second Availability Zone of a file system that has its servers in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs import _cdk, rules
from pcs_constructs.errors import UNKNOWN
from pcs_constructs.rules.storage import zones_differ

if TYPE_CHECKING:
    from collections.abc import Sequence

# FSx changes routes in tables with this tag only, and adds it. Where CloudFormation owns the table,
# its next update of tags would take the tag away.
_MANAGED: Final = ("AmazonFSx", "ManagedByAmazonFSx")


def standby_of(vpc: ec2.IVpc, preferred: ec2.ISubnet | None) -> ec2.ISubnet | None:
    """The first subnet of a VPC that is known to be in another zone than this one."""
    if preferred is None:
        return None
    zone = _cdk.zone(preferred)
    others = _cdk.private_subnets(vpc)
    return next((s for s in others if zones_differ(zone, _cdk.zone(s)) is True), None)


def route_tables_of(vpc: ec2.IVpc) -> Sequence[str]:
    """The route tables of the VPC's subnets; none where it does not tell all of them."""
    tables = dict.fromkeys(_cdk.route_table_id(subnet) for subnet in _subnets_of(vpc))
    return tuple(table for table in tables if table) if None not in tables else ()


def tag_route_tables(vpc: ec2.IVpc) -> None:
    """Let FSx change the routes of the subnets that are made in this app."""
    for subnet in _subnets_of(vpc):
        table = subnet.node.try_find_child("RouteTable")
        if isinstance(table, ec2.CfnRouteTable):
            cdk.Tags.of(table).add(*_MANAGED)


def _subnets_of(vpc: ec2.IVpc) -> Sequence[ec2.ISubnet]:
    return (*vpc.private_subnets, *vpc.isolated_subnets, *vpc.public_subnets)


def placement_facts(
    *,
    multi_az: bool,
    preferred: ec2.ISubnet | None,
    standby: ec2.ISubnet | None,
    route_tables: Sequence[str],
    route_tables_named: bool,
    endpoint_range: str | None,
) -> rules.PlacementFacts:
    """What the subnets of a file system show."""
    differ = UNKNOWN
    if preferred is not None and standby is not None:
        same = _cdk.subnet_id(preferred) == _cdk.subnet_id(standby)
        differ = False if same else zones_differ(_cdk.zone(preferred), _cdk.zone(standby))
    return rules.PlacementFacts(
        multi_az=multi_az,
        standby=standby is not None,
        two_zones=differ,
        route_tables=len(route_tables),
        route_tables_named=route_tables_named,
        endpoint_range=_cdk.known(endpoint_range),
    )
