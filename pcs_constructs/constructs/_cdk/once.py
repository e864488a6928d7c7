"""What is read of the CDK once, and what is remembered of it: every cache and registry.

A read is a round trip to Node.js, and each node group of a cluster asks for the same few things.
The caches are bounded, or forget what nobody else holds.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs.constructs._cdk import tokens
from pcs_constructs.model import boot
from pcs_constructs.templates import zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct, Node

    from pcs_constructs.model.errors import Unknown

CHECKED_STAGES: Final[WeakSet[cdk.Stage]] = WeakSet()
"""Whose templates are judged at synthesis: once for all clusters of a stage."""


@lru_cache(maxsize=256)
def node_of(scope: IConstruct) -> Node:
    """The node of a construct, read once."""
    return scope.node


@lru_cache(maxsize=64)
def root_node(scope: Construct) -> Node:
    """The node of the app, which every look at the whole tree starts from."""
    return node_of(node_of(scope).root)


@lru_cache(maxsize=64)
def port_range(protocol: str, first: int, last: int) -> ec2.Port:
    """A range of TCP or UDP ports."""
    return (ec2.Port.tcp_range if protocol == "tcp" else ec2.Port.udp_range)(first, last)


@cache
def nobody() -> ec2.IPeer:
    """An address that nobody has, for the rule of a group that reaches nothing."""
    return ec2.Peer.ipv4("255.255.255.255/32")


@cache
def nothing() -> ec2.Port:
    """A message that nobody sends, for the rule of a group that reaches nothing."""
    # Without a code, or the CDK takes it for its own.
    return ec2.Port.icmp_type(252)


ALLOWS_ALL_OUTBOUND: Final[WeakKeyDictionary[object, bool]] = WeakKeyDictionary()
"""Which security groups reach everything: those made here have been told, others are asked once."""


OPENED: Final[WeakKeyDictionary[cdk.Stack, set[tuple[str, str, str]]]] = WeakKeyDictionary()
"""The rules between groups that are known by their IDs alone, by stack.

EC2 refuses one twice, and the CDK sees only that the same construct is used twice.
"""


PATHS: Final[WeakKeyDictionary[IConstruct, str]] = WeakKeyDictionary()
"""The paths of constructs, read once: all node groups of a cluster have the same scope."""


def path_of(construct: IConstruct) -> str:
    """The path of a construct, read once if it is not known from its scope."""
    if construct not in PATHS:
        # In one round trip, where the path of its node takes two.
        asked = construct.to_string() if isinstance(construct, Construct) else construct.node.path
        PATHS[construct] = asked.removeprefix("<root>")
    return PATHS[construct]


def path_below(scope: Construct, id: str) -> str:
    """The path of a construct that is about to be attached, or is not, to anything else."""
    # What is wrong with the scope itself is told with its path.
    above = path_of(scope) if isinstance(scope, Construct) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
    return f"{above}/{id}".removeprefix("/")


def remember(construct: Construct, scope: Construct, id: str) -> None:
    """Take what is known of a construct from the scope that it was just attached to."""
    PATHS[construct] = path_below(scope, id)
    _STACKS[construct] = stack_of(scope)


@lru_cache(maxsize=256)
def base64(text: str) -> str:
    """The text in base64, its tokens resolved first: node groups often share their user data."""
    return cdk.Fn.base64(text)


@lru_cache(maxsize=1024)
def subnet_id(subnet: ec2.ISubnet) -> str:
    """The ID of the subnet, read once: every node group of a cluster asks for the same one."""
    return subnet.subnet_id


@lru_cache(maxsize=1024)
def security_group_id(group: ec2.ISecurityGroup) -> str:
    """The ID of the security group, read once."""
    return group.security_group_id


@lru_cache(maxsize=64)
def private_subnets(vpc: ec2.IVpc) -> Sequence[ec2.ISubnet]:
    """The subnets with a way out, else the isolated ones, else all there are."""
    subnets = vpc.private_subnets or vpc.isolated_subnets or vpc.public_subnets
    if vpc in NETWORKS:
        path, zones, _ = NETWORKS[vpc]
        names = (f"{path}/PrivateSubnet{number}" for number in range(1, zones + 1))
        PATHS.update(zip(subnets, names, strict=False))  # there may be some for endpoints
    return subnets


class OwnVpc(NamedTuple):
    """What is known of a VPC that `Network` made; its DNS names and tenancy are right."""

    path: str
    zones: int
    leads_nowhere: bool | Unknown


NETWORKS: Final[WeakKeyDictionary[ec2.IVpc, OwnVpc]] = WeakKeyDictionary()
"""The VPCs that `Network` made: asking each what it was told would be five round trips."""


@lru_cache(maxsize=64)
def subnet_ids(vpc: ec2.Vpc) -> tuple[frozenset[str], frozenset[str]]:
    """The isolated subnets of a VPC, and those with a way out."""
    others = (*vpc.public_subnets, *vpc.private_subnets)
    return frozenset(map(subnet_id, vpc.isolated_subnets)), frozenset(map(subnet_id, others))


@lru_cache(maxsize=1024)
def zone_name(subnet: ec2.ISubnet) -> str | None:
    """The zone of a subnet, if only as a token; one that is imported by its ID alone tells none."""
    try:
        return subnet.availability_zone
    except RuntimeError:
        return None


@lru_cache(maxsize=256)
def zone_number(stack: cdk.Stack, name: str) -> str | Unknown:
    """The zone by its number among the Region's, of the token of its name."""
    return zones.zone_number(stack.resolve(name))


_STACKS: Final[WeakKeyDictionary[IConstruct, cdk.Stack]] = WeakKeyDictionary()
"""The stacks of constructs, which never change."""


def stack_of(construct: IConstruct) -> cdk.Stack:
    """The stack of a construct, read once if it is not known from its scope."""
    if isinstance(construct, cdk.Stack):
        return construct
    if construct not in _STACKS:
        _STACKS[construct] = cdk.Stack.of(construct)
    return _STACKS[construct]


@lru_cache(maxsize=256)
def outermost(stack: cdk.Stack) -> cdk.Stack:
    """The stack that is deployed: the one around a nested stack."""
    while isinstance(stack, cdk.NestedStack) and stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack


CLUSTERS: Final[WeakKeyDictionary[cdk.Stack, list[Construct]]] = WeakKeyDictionary()
"""The clusters of each stack that is deployed, in the order in which they were made.

Some may have been taken out of the tree again.
"""

ORDERED: Final[WeakKeyDictionary[cdk.Stack, list[tuple[cdk.CfnResource, cdk.CfnResource]]]] = (
    WeakKeyDictionary()
)
"""Which resources wait for which because clusters are created one at a time, by stack."""

MEMBERS: Final[WeakKeyDictionary[object, list[Construct]]] = WeakKeyDictionary()
"""The node groups, queues and endpoints of each cluster, in the order in which they were made.

Asking the tree for them is a walk over every construct of the app.
"""

IMAGE_PARAMETERS: Final[WeakKeyDictionary[cdk.Stack, dict[str, str]]] = WeakKeyDictionary()
"""The parameters for images that a stack has, by their ids: all its node groups take the same."""

# Node groups that mount the same file systems have the same long text: written and measured once.
known_bytes = lru_cache(maxsize=256)(tokens.known_bytes)
boot_text = lru_cache(maxsize=256)(boot.user_data)
