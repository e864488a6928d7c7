"""The tree of constructs, and where in it something is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast, overload

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs.constructs._cdk.once import MEMBERS, node_of, path_of, root_node, stack_of
from pcs_constructs.constructs._cdk.tokens import is_token, known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs import Construct

    from pcs_constructs.model.errors import Unknown

C = TypeVar("C")


class _Everything(Sequence[object]):
    """The constructs of an app, which are not walked before somebody looks."""

    def __init__(self, scope: Construct) -> None:
        self._scope = scope

    @cached_property
    def _all(self) -> Sequence[object]:
        return root_node(self._scope).find_all()

    @overload
    def __getitem__(self, index: int) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[object]: ...
    def __getitem__(self, index: int | slice) -> object:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)


def all_constructs(scope: Construct) -> Sequence[object]:
    """Every construct of the app."""
    return _Everything(scope)


def add_member(cluster: object, member: Construct) -> None:
    """Remember that a construct belongs to a cluster."""
    MEMBERS.setdefault(cluster, []).append(member)


def members_of(cluster: object, kind: type[C]) -> list[C]:
    """The node groups, queues or endpoints of a cluster."""
    return [member for member in MEMBERS.get(cluster, ()) if isinstance(member, kind)]


def members_of_all(kind: type[C]) -> Iterator[C]:
    """The node groups, queues or endpoints of all clusters."""
    for members in MEMBERS.values():
        yield from (member for member in members if isinstance(member, kind))


def forget_removed_members(cluster: Construct, constructs: Sequence[object]) -> None:
    """Forget the members of a cluster that were taken out of the tree again."""
    members = MEMBERS.get(cluster, [])
    # Most are inside of it, and the walk over all of the app is longer.
    if members and not set(node_of(cluster).find_all()).issuperset(members):
        left = set(constructs)
        MEMBERS[cluster] = [member for member in members if member in left]


def cfn_properties(resource: cdk.CfnResource) -> Mapping[str, object]:
    """The properties of a resource as they stand, its tags among them."""
    # For subclasses, says the CDK; all other ways are a round trip for each property.
    return resource._cfn_properties  # pyright: ignore[reportPrivateUsage]


def tags_of(resource: cdk.CfnResource) -> Mapping[str, str]:
    """The tags of a resource that has a map of them, those given to what is around it too."""
    return cast("Mapping[str, str]", cfn_properties(resource).get("tags") or {})


def identity(resource: ec2.ISubnet | ec2.ISecurityGroup, resource_id: str) -> str:
    """A text that changes when another resource is meant: its ID if known, else its path."""
    return path_of(resource) if is_token(resource_id) else resource_id


def is_made(resource: ec2.IVpc | ec2.ISecurityGroup) -> bool:
    """Whether a VPC or a security group is made in this app."""
    return isinstance(resource, (ec2.Vpc, ec2.SecurityGroup))


def stack_name(scope: Construct) -> str | Unknown:
    """The name of the stack that a construct is in."""
    return known(stack_of(scope).stack_name)


def environment_of(scope: Construct) -> str:
    """The account and Region of a construct; each stack that does not tell is one of its own."""
    stack = cdk.Stack.of(scope)
    unknown = "unknown-" in stack.environment
    return f"{stack.environment}/{path_of(stack)}" if unknown else stack.environment
