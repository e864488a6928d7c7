"""Who is created and deployed before whom."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

from pcs_constructs.constructs._cdk.once import node_of, outermost, path_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct, IConstruct


def wait_for(construct: Construct, earlier: Sequence[cdk.CfnResource]) -> None:
    """Have a construct's resource created after others, unless these wait for its stack.

    To be called at synthesis: until then more may be added that has to wait.
    """
    resource = cast("cdk.CfnResource", node_of(construct).default_child)
    stack = outermost(cdk.Stack.of(resource))
    for other in earlier:
        there = outermost(cdk.Stack.of(other))
        if there is stack or stack not in _waits_for(there):
            resource.add_resource_dependency(other)


def refers_to(value: object, construct: Construct) -> bool:
    """Whether a value refers to the resource of a construct that is made in this app."""
    resource = node_of(construct).default_child
    if not isinstance(resource, cdk.CfnResource):
        return False
    resolve = cdk.Stack.of(construct).resolve
    logical_id = resolve(resource.logical_id)
    reference = rf'"Ref": "{logical_id}"|"Fn::GetAtt": \["{logical_id}"|\$\{{{logical_id}[.}}]'
    return re.search(reference, json.dumps(resolve(value))) is not None


def deployed_together(one: IConstruct, other: IConstruct) -> bool:
    """Whether CloudFormation deploys two constructs at once, be it in nested stacks."""
    return outermost(cdk.Stack.of(one)) is outermost(cdk.Stack.of(other))


def is_inside(inner: IConstruct, outer: IConstruct) -> bool:
    """Whether a construct is in the stack of another, or in one nested in it."""
    stack, there = cdk.Stack.of(inner), cdk.Stack.of(outer)
    while stack is not None and stack is not there:
        stack = stack.nested_stack_parent
    return stack is not None


def create_after(resource: cdk.CfnResource, earlier: Sequence[cdk.CfnResource]) -> None:
    """Create a resource after the last of others that CloudFormation deploys together with it.

    Not a resource of a nested stack after one of the stack around it, which may wait for the nested
    stack itself.
    """
    stack = cdk.Stack.of(resource)
    for other in reversed(earlier):
        there = cdk.Stack.of(other)
        if outermost(there) is outermost(stack):
            if there is stack or not path_of(stack).startswith(f"{path_of(there)}/"):
                resource.node.add_dependency(other)
            return


def deploy_after(scope: Construct, earlier: Sequence[Construct]) -> None:
    """Deploy the stack of a construct after the last of others in its account and Region.

    To be called at synthesis, when it is known which stack refers to which. Not across stages,
    which are deployed on their own, nor against an order that there is already.
    """
    if not earlier:
        return
    stack, stage = outermost(cdk.Stack.of(scope)), cdk.Stage.of(scope)
    for other in reversed(earlier):
        there = outermost(cdk.Stack.of(other))
        same = there.environment == stack.environment and cdk.Stage.of(other) is stage
        if same and there is not stack:
            if stack not in _waits_for(there) and there not in _waits_for(stack):
                stack.add_stack_dependency(there, "AWS PCS creates one cluster at a time")
            return


def _waits_for(stack: cdk.Stack) -> set[cdk.Stack]:
    """The stacks that must be deployed before this one."""
    earlier: set[cdk.Stack] = set()
    pending = list(stack.dependencies)
    while pending:
        before = pending.pop()
        if before not in earlier:
            earlier.add(before)
            pending.extend(before.dependencies)
    return earlier
