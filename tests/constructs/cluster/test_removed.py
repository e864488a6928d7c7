"""What was taken out of the tree again counts for nothing at synthesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pcs_constructs as pcs
from tests.constructs.templates import (
    advised,
    dangling,
    existing_group,
    properties,
    refused_at_synth,
    template,
)

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_ec2 as ec2


@pytest.fixture
def cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.Cluster:
    return pcs.Cluster(stack, "Cluster", vpc=vpc)


def compute(
    cluster: pcs.ICluster, *, scope: cdk.Stack | None = None, most: int = 4
) -> pcs.ComputeNodeGroup:
    return pcs.ComputeNodeGroup(
        scope or cluster,  # pyright: ignore[reportArgumentType]
        "compute",
        cluster=cluster,
        instance_types=["c7i.large"],
        scaling=pcs.Scaling.dynamic(max=most),
    )


def test_a_node_group_whose_queue_was_removed_has_none(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    queue = cluster.add_queue("jobs", node_groups=[compute(cluster)])
    queue.node.scope.node.try_remove_child("jobs")  # pyright: ignore[reportOptionalMemberAccess]
    assert advised(stack) == {"PCS208"}


def test_a_node_group_outside_of_its_cluster_whose_queue_was_removed_has_none(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    pcs.Queue(stack, "jobs", cluster=cluster, node_groups=[compute(cluster, scope=stack)])
    stack.node.try_remove_child("jobs")
    assert advised(stack) == {"PCS208"}


def test_fails_on_a_queue_whose_node_group_was_removed(app: cdk.App, cluster: pcs.Cluster) -> None:
    cluster.add_queue("jobs", node_groups=[compute(cluster)])
    cluster.node.try_remove_child("compute")
    assert refused_at_synth(app) == {"PCS304"}


def test_fails_on_a_queue_whose_node_group_was_removed_from_the_cluster_imported_again(
    app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    group = existing_group(stack)
    one, two = (
        pcs.Cluster.from_cluster_attributes(
            stack, place, cluster_id="pcs_abc123", vpc=vpc, security_group=group
        )
        for place in ("One", "Two")
    )
    pcs.Queue(stack, "jobs", cluster=one, node_groups=[compute(two, scope=stack)])
    stack.node.try_remove_child("compute")
    assert refused_at_synth(app) == {"PCS304"}


def test_a_queue_may_be_removed_with_its_node_group(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    cluster.add_queue("jobs", node_groups=[compute(cluster)])
    cluster.node.find_child("Queues").node.try_remove_child("jobs")
    cluster.node.try_remove_child("compute")
    cluster.add_queue("jobs", node_groups=[compute(cluster)])
    made = template(stack)
    assert dangling(made) == set()
    assert len(properties(made, "AWS::PCS::Queue")) == 1


@pytest.mark.parametrize("removed", [False, True])
def test_the_endpoints_of_a_cluster_that_was_removed_take_no_addresses(
    app: cdk.App, stack: cdk.Stack, removed: bool
) -> None:
    network = pcs.Network(stack, "Network", availability_zones=1, private_subnet_mask=28)
    other, cluster = (pcs.Cluster(stack, place, vpc=network.vpc) for place in ("Other", "Cluster"))
    pcs.ClusterEndpoints(stack, "Endpoints", cluster=other)
    cluster.add_queue("jobs", node_groups=[compute(cluster, most=9)])
    if removed:
        stack.node.try_remove_child("Other")
        stack.node.try_remove_child("Endpoints")
        app.synth()
    else:
        assert refused_at_synth(app) == {"PCS405"}
