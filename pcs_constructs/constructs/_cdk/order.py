"""Who is created and deployed before whom."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

import aws_cdk as cdk

from pcs_constructs.constructs._cdk.once import ORDERED, node_of, outermost
from pcs_constructs.constructs._cdk.tree import cfn_properties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    return resolve(resource.logical_id) in _referred(resolve(value))


_REFERENCE: Final = re.compile(r'"Ref": "(\w+)"|"Fn::GetAtt": \[?"(\w+)|\$\{(\w+)[.}]')


def _referred(resolved: object) -> set[str]:
    """The logical ids that a part of a template refers to."""
    found = _REFERENCE.finditer(json.dumps(resolved, default=str))
    return {one[one.lastindex or 0] for one in found}


def deployed_together(one: IConstruct, other: IConstruct) -> bool:
    """Whether CloudFormation deploys two constructs at once, be it in nested stacks."""
    return outermost(cdk.Stack.of(one)) is outermost(cdk.Stack.of(other))


def is_inside(inner: IConstruct, outer: IConstruct) -> bool:
    """Whether a construct is in the stack of another, or in one nested in it."""
    stack, there = cdk.Stack.of(inner), cdk.Stack.of(outer)
    while stack is not None and stack is not there:
        stack = stack.nested_stack_parent
    return stack is not None


def create_one_by_one(resources: Sequence[cdk.CfnResource]) -> None:
    """Create resources that are deployed together one after another, in the order given.

    Not against an order that there is already, by what refers to what. To be called at synthesis:
    until then more may refer to each other, and a resource may be taken out again.
    """
    stack = outermost(cdk.Stack.of(resources[0]))
    for later, earlier in ORDERED.pop(stack, ()):  # another synthesis
        later.remove_resource_dependency(earlier)
    templates: dict[cdk.Stack, _Template] = {}
    for number, later in enumerate(resources):
        for earlier in reversed(resources[:number]):
            around, one, other = _side_by_side(later, earlier)
            template = templates.setdefault(around, _Template(around))
            if template.create_after(one, other):
                ORDERED.setdefault(stack, []).append((one, other))


def _side_by_side(
    one: cdk.CfnResource, other: cdk.CfnResource
) -> tuple[cdk.Stack, cdk.CfnResource, cdk.CfnResource]:
    """The template that two resources are in, they or the nested stacks they are in."""
    around_other = _stacks_around(other)
    for stack, resource in _stacks_around(one).items():
        if stack in around_other:
            return stack, resource, around_other[stack]
    raise ValueError("they are not deployed together")


def _stacks_around(resource: cdk.CfnResource) -> dict[cdk.Stack, cdk.CfnResource]:
    """What stands for a resource in its own stack, and in each that this is nested in."""
    stack, around = cdk.Stack.of(resource), dict[cdk.Stack, cdk.CfnResource]()
    while True:
        around[stack] = resource
        if stack.nested_stack_parent is None or stack.nested_stack_resource is None:
            return around
        stack, resource = stack.nested_stack_parent, stack.nested_stack_resource


class _Template:
    """What waits for what in one template, by logical id: a nested stack is one resource of it."""

    def __init__(self, stack: cdk.Stack) -> None:
        self._stack = stack
        self._earlier: dict[str, set[str]] = {}

    @cached_property
    def _resources(self) -> Mapping[str, cdk.CfnResource]:
        # Most of them the CDK made, which are another object in Python whenever they are asked for.
        inside = node_of(self._stack).find_all()
        resources = [resource for resource in inside if isinstance(resource, cdk.CfnResource)]
        if any(isinstance(c, cdk.Stack) and c is not self._stack for c in inside):
            resources = [resource for resource in resources if resource.stack is self._stack]
        return {self._stack.get_logical_id(resource): resource for resource in resources}

    def _waited_for(self, name: str) -> set[str]:
        """What a resource refers to, and what it was told to wait for."""
        if name not in self._earlier:
            resource = self._resources[name]
            told = [r for r in resource.obtain_dependencies() if isinstance(r, cdk.CfnResource)]
            named = _referred(self._stack.resolve(cfn_properties(resource)))
            named.update(map(self._stack.get_logical_id, told))
            self._earlier[name] = named & self._resources.keys()
        return self._earlier[name]

    def create_after(self, later: cdk.CfnResource, earlier: cdk.CfnResource) -> bool:
        """Have a resource created after another, unless there is an order already."""
        name, other = map(self._stack.get_logical_id, (later, earlier))
        there = {name, other} <= self._resources.keys()
        new = there and not (self._waits(other, name) or self._waits(name, other))
        if new:
            later.add_resource_dependency(earlier)
            self._waited_for(name).add(other)
        return new

    def _waits(self, name: str, other: str) -> bool:
        """Whether a resource is created after another, whoever is between them."""
        seen, pending = set[str](), [name]
        while pending and other not in seen:
            last = pending.pop()
            if last not in seen:
                seen.add(last)
                pending.extend(self._waited_for(last))
        return other in seen


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
