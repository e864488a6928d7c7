"""The tree of constructs, and where in it something is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs.constructs._cdk.once import path_of, root_node, stack_of
from pcs_constructs.constructs._cdk.tokens import is_token, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from pcs_constructs.model.errors import Unknown


def all_constructs(scope: Construct) -> Sequence[object]:
    """Every construct of the app."""
    return root_node(scope).find_all()


def identity(resource: ec2.ISubnet | ec2.ISecurityGroup, resource_id: str) -> str:
    """A text that changes when another resource is meant: its ID if known, else its path."""
    return resource.node.path if is_token(resource_id) else resource_id


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
