"""Clusters are created one at a time, in an order that the finished app allows.

`template` refuses one whose resources wait for each other in a circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from constructs import Construct

import pcs_constructs as pcs
from tests.constructs.templates import dangling, existing_vpc, found, template

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

CLUSTER = "AWS::PCS::Cluster"


def waits(stack: cdk.Stack, one: Construct, other: Construct) -> bool:
    """Whether one is told to wait for the other, or what stands for them in the template is."""
    resources = template(stack).to_json()["Resources"]
    waiting = resources[name_in(stack, one)].get("DependsOn", ())
    assert name_in(stack, other) in resources
    return name_in(stack, other) in waiting


def name_in(stack: cdk.Stack, construct: Construct) -> str:
    resource = construct.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    while cdk.Stack.of(resource) is not stack:
        around = cdk.Stack.of(resource).nested_stack_resource
        assert around is not None
        resource = around
    return stack.get_logical_id(resource)


def compute(scope: Construct, cluster: pcs.Cluster) -> pcs.ComputeNodeGroup:
    return pcs.ComputeNodeGroup(
        scope,
        "compute",
        cluster=cluster,
        instance_types=["c7i.large"],
        scaling=pcs.Scaling.static(1),
    )


def test_a_nested_stack_does_not_wait_for_one_that_refers_to_it(stack: cdk.Stack) -> None:
    below, above = cdk.NestedStack(stack, "Below"), cdk.NestedStack(stack, "Above")
    vpc = pcs.Network(below, "Network", availability_zones=1).vpc
    early, late = pcs.Cluster(above, "Early", vpc=vpc), pcs.Cluster(below, "Late", vpc=vpc)
    assert waits(stack, early, late)
    assert not waits(stack, late, early)


def test_a_cluster_does_not_wait_for_a_nested_stack_that_takes_its_id(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    early, late = pcs.Cluster(nested, "Early", vpc=vpc), pcs.Cluster(stack, "Late", vpc=vpc)
    compute(nested, late)
    assert not waits(stack, late, early)


def test_a_nested_stack_waits_for_an_earlier_cluster_of_the_stack_around_it(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    early = pcs.Cluster(stack, "Early", vpc=vpc)
    late = pcs.Cluster(cdk.NestedStack(stack, "Nested"), "Late", vpc=vpc)
    assert waits(stack, late, early)


def test_clusters_of_a_nested_stack_wait_where_one_between_them_is_after_both(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    one = pcs.Cluster(nested, "One", vpc=vpc)
    between = pcs.Cluster(stack, "Between", vpc=vpc)
    two = pcs.Cluster(nested, "Two", vpc=vpc)
    assert waits(stack, between, one)
    assert not waits(stack, one, between)
    assert waits(nested, two, one)


def test_nested_stacks_wait_for_each_other_wherever_they_are_nested(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    outer = cdk.NestedStack(stack, "Outer")
    one = pcs.Cluster(cdk.NestedStack(outer, "One"), "One", vpc=vpc)
    two = pcs.Cluster(cdk.NestedStack(outer, "Two"), "Two", vpc=vpc)
    three = pcs.Cluster(cdk.NestedStack(stack, "Three"), "Three", vpc=vpc)
    assert waits(outer, two, one)
    assert waits(stack, three, two)


def test_an_order_of_clusters_that_the_user_has_chosen_is_kept(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    early, late = (pcs.Cluster(stack, place, vpc=vpc) for place in ("Early", "Late"))
    early.node.add_dependency(late)
    assert not waits(stack, late, early)


def test_a_cluster_waits_for_one_that_was_made_before_it_wherever_that_is(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    first, second = Construct(stack, "First"), Construct(stack, "Second")
    early, late = pcs.Cluster(second, "Early", vpc=vpc), pcs.Cluster(first, "Late", vpc=vpc)
    assert waits(stack, late, early)


@pytest.mark.parametrize("again", ["Cluster", "Other"])
def test_a_cluster_does_not_wait_for_one_that_was_removed(
    stack: cdk.Stack, vpc: ec2.IVpc, again: str
) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc)
    stack.node.try_remove_child("Cluster")
    pcs.Cluster(stack, again, vpc=vpc)
    (cluster,) = found(template(stack), CLUSTER).values()
    assert "DependsOn" not in cluster


def test_clusters_around_one_that_was_removed_wait_for_each_other(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    one, _, three = (pcs.Cluster(stack, place, vpc=vpc) for place in ("One", "Two", "Three"))
    stack.node.try_remove_child("Two")
    assert waits(stack, three, one)
    assert dangling(template(stack)) == set()


def test_an_order_ends_with_a_cluster_that_is_removed_between_two_syntheses(
    app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    for place in ("One", "Two"):
        pcs.Cluster(stack, place, vpc=vpc)
    app.synth()
    stack.node.try_remove_child("One")
    app.synth(force=True)
    assert dangling(template(stack)) == set()


def test_clusters_of_one_stack_wait_after_one_of_another_was_made_again(app: cdk.App) -> None:
    stacks = [cdk.Stack(app, place) for place in ("One", "Two")]
    vpcs = [existing_vpc(stack) for stack in stacks]
    for stack, vpc in zip(stacks, vpcs, strict=True):
        pcs.Cluster(stack, "Cluster", vpc=vpc)
    stacks[1].node.try_remove_child("Cluster")
    early = pcs.Cluster(stacks[1], "Cluster", vpc=vpcs[1])
    late = pcs.Cluster(stacks[1], "Late", vpc=vpcs[1])
    assert waits(stacks[1], late, early)
    assert stacks[0] in stacks[1].dependencies
