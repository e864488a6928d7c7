"""Every construct by itself, in somebody else's app with somebody else's VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from constructs import Construct

import pcs_constructs as pcs
from tests.constructs.templates import existing_group, existing_vpc, template

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from aws_cdk import aws_ec2 as ec2

TYPES = ["c7i.4xlarge"]


def imported_cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.ICluster:
    return pcs.Cluster.from_cluster_attributes(
        stack, "Other", cluster_id="pcs_abc123", vpc=vpc, security_group=existing_group(stack)
    )


def network(stack: cdk.Stack, _: ec2.IVpc) -> Construct:
    return pcs.Network(stack, "It")


def security_group(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.ClusterSecurityGroup(stack, "It", vpc=vpc)


def restricted_groups(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.RestrictedSecurityGroups(stack, "It", vpc=vpc)


def endpoints(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.ClusterEndpoints(stack, "It", cluster=imported_cluster(stack, vpc))


def instance_profile(stack: cdk.Stack, _: ec2.IVpc) -> Construct:
    return pcs.NodeInstanceProfile(stack, "It")


def efs_storage(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.EfsStorage(stack, "It", vpc=vpc)


def lustre_storage(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.LustreStorage(stack, "It", vpc=vpc)


def open_zfs_storage(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.OpenZfsStorage(stack, "It", vpc=vpc)


def ontap_storage(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.OntapStorage(stack, "It", vpc=vpc)


def file_cache_storage(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.FileCacheStorage(stack, "It", vpc=vpc)


def launch_template(stack: cdk.Stack, _: ec2.IVpc) -> Construct:
    groups = [existing_group(stack)]
    return pcs.NodeLaunchTemplate(stack, "It", instance_types=TYPES, security_groups=groups)


def cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.Cluster(stack, "It", vpc=vpc)


def node_group(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    return pcs.ComputeNodeGroup(
        stack,
        "It",
        cluster=imported_cluster(stack, vpc),
        instance_types=TYPES,
        scaling=pcs.Scaling.static(1),
    )


def queue(stack: cdk.Stack, vpc: ec2.IVpc) -> Construct:
    group = pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Nodes", "pcs_def456")
    return pcs.Queue(stack, "Jobs", cluster=imported_cluster(stack, vpc), node_groups=[group])


@pytest.mark.parametrize(
    ("make", "main", "others"),
    [
        pytest.param(network, None, None, id="Network"),
        pytest.param(
            security_group,
            "AWS::EC2::SecurityGroup",
            {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"},
            id="ClusterSecurityGroup",
        ),
        pytest.param(restricted_groups, None, None, id="RestrictedSecurityGroups"),
        pytest.param(
            endpoints,
            "AWS::EC2::VPCEndpoint",
            {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"},
            id="ClusterEndpoints",
        ),
        pytest.param(
            instance_profile,
            "AWS::IAM::InstanceProfile",
            {"AWS::IAM::Role"},
            id="NodeInstanceProfile",
        ),
        pytest.param(
            efs_storage,
            "AWS::EFS::FileSystem",
            {"AWS::EFS::MountTarget", "AWS::EC2::SecurityGroup"},
            id="EfsStorage",
        ),
        pytest.param(
            lustre_storage,
            "AWS::FSx::FileSystem",
            {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"},
            id="LustreStorage",
        ),
        pytest.param(
            open_zfs_storage,
            "AWS::FSx::FileSystem",
            {"AWS::EC2::SecurityGroup"},
            id="OpenZfsStorage",
        ),
        pytest.param(
            ontap_storage,
            "AWS::FSx::FileSystem",
            {
                "AWS::EC2::SecurityGroup",
                "AWS::FSx::StorageVirtualMachine",
                "AWS::FSx::Volume",
            },
            id="OntapStorage",
        ),
        pytest.param(
            file_cache_storage,
            "AWS::FSx::FileCache",
            {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"},
            id="FileCacheStorage",
        ),
        pytest.param(launch_template, "AWS::EC2::LaunchTemplate", set(), id="NodeLaunchTemplate"),
        pytest.param(
            cluster,
            "AWS::PCS::Cluster",
            {
                "AWS::EC2::SecurityGroup",
                "AWS::EC2::SecurityGroupIngress",
                "AWS::EC2::SecurityGroupEgress",
            },
            id="Cluster",
        ),
        pytest.param(
            node_group,
            "AWS::PCS::ComputeNodeGroup",
            {"AWS::EC2::LaunchTemplate", "AWS::IAM::InstanceProfile", "AWS::IAM::Role"},
            id="ComputeNodeGroup",
        ),
        pytest.param(queue, "AWS::PCS::Queue", set(), id="Queue"),
    ],
)
def test_a_construct_works_alone_and_makes_nothing_else(
    stack: cdk.Stack,
    vpc: ec2.IVpc,
    make: Callable[[cdk.Stack, ec2.IVpc], Construct],
    main: str | None,
    others: set[str] | None,
) -> None:
    construct = make(stack, vpc)
    made = template(stack).to_json()
    kinds = {resource["Type"] for resource in made["Resources"].values()}
    if main is not None and others is not None:
        assert kinds == {main, *others}
        assert construct.node.find_child("Resource") is not None
    assert "arn:aws:" not in str(made)


def test_a_construct_may_be_in_any_construct_of_the_users(stack: cdk.Stack) -> None:
    class Site(Construct):
        def __init__(self, scope: Construct, id: str) -> None:
            super().__init__(scope, id)
            vpc = existing_vpc(self)
            home = pcs.EfsStorage(self, "Home", vpc=vpc)
            cluster = pcs.Cluster(self, "Cluster", vpc=vpc, mounts={"/home": home})
            group = cluster.add_compute_node_group(
                "compute", instance_types=TYPES, scaling=pcs.Scaling.static(1)
            )
            cluster.add_queue("jobs", node_groups=[group])

    Site(stack, "One")
    Site(stack, "Two")
    clusters = template(stack).find_resources("AWS::PCS::Cluster").values()
    assert len({resource["Properties"]["Name"] for resource in clusters}) == 2
