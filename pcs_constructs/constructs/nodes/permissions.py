"""What a role is called, whom it is granted to, and what it may do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from pcs_constructs.constructs._cdk.casts import as_grantable
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.constructs.interfaces import INodeInstanceProfile


def role_name(role: iam.IRole) -> str | Unknown:
    """The role's path and name as its ARN would show them, as far as synthesis can tell."""
    arn = known(role.role_arn)
    if arn is not UNKNOWN:
        return arn.partition(":role/")[2]
    resource = role.node.default_child
    if isinstance(resource, iam.CfnRole):
        stack = cdk.Stack.of(role)
        # The CDK shows a token even where nobody has given a name, and then CloudFormation makes
        # one that starts with the name of the stack.
        prefix = known(stack.stack_name)
        name = stack.resolve(resource.role_name) or (
            UNKNOWN if prefix is UNKNOWN else f"{prefix[:24]}-generated"
        )
        path = known(resource.path or "/")
        if isinstance(name, str) and path is not UNKNOWN:
            return f"{path}{name}".removeprefix("/")
    return UNKNOWN


def principal_of(profile: INodeInstanceProfile) -> iam.IPrincipal | None:
    """Whom permissions for nodes with this profile are granted to, if that is known."""
    if hasattr(type(profile), "grant_principal"):
        return as_grantable(profile).grant_principal
    role = role_of(profile)  # the CDK's own profiles are no grantables
    return role.grant_principal if role is not None else None


def has_principal(profile: INodeInstanceProfile) -> bool:
    """Whether permissions can be granted to nodes with this profile."""
    try:
        return principal_of(profile) is not None
    except PcsValidationError:  # imported without its role
        return False


def role_of(profile: INodeInstanceProfile) -> iam.IRole | None:
    """The role of one of the CDK's instance profiles, where it tells."""
    return profile.role if isinstance(profile, iam.InstanceProfile) else None


def permissions_of(
    role: iam.IRole, constructs: Sequence[object]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The actions that a role may do and the names of its managed policies, as far as shows."""
    actions: list[str] = []
    managed: list[str] = []
    own = role.node.default_child
    own_path = own.node.path if own is not None else ""
    for construct in constructs:
        # Not by `is`: jsii makes a new proxy each time for what was made in JavaScript.
        if isinstance(construct, iam.CfnRole) and construct.node.path == own_path:
            resolve = cdk.Stack.of(construct).resolve
            for policy in resolve(construct.policies) or ():
                actions += _actions_in(policy["policyDocument"])
            for arn in resolve(construct.managed_policy_arns) or ():
                managed += re.findall(r"policy/(?:[\w-]+/)*([\w-]+)", json.dumps(arn))
        elif isinstance(construct, iam.CfnPolicy):
            resolve = cdk.Stack.of(construct).resolve
            if resolve(role.role_name) in (resolve(construct.roles) or ()):
                actions += _actions_in(resolve(construct.policy_document))
    return tuple(actions), tuple(managed)


def _actions_in(document: Mapping[str, Any]) -> list[str]:
    """The actions of a resolved policy document."""
    allowed: list[str] = []
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            actions = statement.get("Action", ())
            allowed += [actions] if isinstance(actions, str) else actions
    return allowed
