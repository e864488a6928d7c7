"""What is known of constructs without asking Node.js is what Node.js would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from constructs import Construct

import pcs_constructs as pcs
from pcs_constructs.constructs._cdk.once import outermost, path_of, private_subnets, stack_of
from tests.constructs.templates import refused_at_synth

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2


def test_the_paths_of_private_subnets_are_known_of_a_network(stack: cdk.Stack) -> None:
    inside = Construct(stack, "Inside")
    for network in (
        pcs.Network(stack, "Network", availability_zones=3),
        pcs.Network(inside, "Isolated", isolated=True, endpoint_subnets=True),
    ):
        for subnet in private_subnets(network.vpc):
            assert path_of(subnet) == subnet.node.path


def test_the_path_and_the_stack_of_a_cluster_are_known(app: cdk.App, stack: cdk.Stack) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    for scope in (stack, Construct(stack, "Inside"), nested, Construct(nested, "Inside")):
        network = pcs.Network(scope, "Network")
        cluster = pcs.Cluster(scope, "Cluster", vpc=network.vpc)
        assert path_of(cluster) == cluster.node.path
        assert stack_of(cluster) is cdk.Stack.of(cluster)
        assert outermost(stack_of(cluster)) is stack
    assert path_of(app) == ""


@pytest.mark.parametrize("removed", [False, True])
def test_a_member_that_is_taken_away_again_is_not_judged(
    app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc, removed: bool
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    for number in (1, 2):
        cluster.add_compute_node_group(
            f"nodes-{number}",
            name="nodes",
            instance_types=["c7i.xlarge"],
            scaling=pcs.Scaling.dynamic(max=2),
        )
    if removed:
        cluster.node.try_remove_child("nodes-2")
        app.synth()
    else:
        assert refused_at_synth(app) == {"PCS202"}
