"""Conformity: owned and imported things satisfy the interfaces. Checked, never run."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

import pcs_constructs as pcs


def owned_cluster(cluster: pcs.Cluster) -> pcs.ICluster:
    return cluster


def imported_cluster(scope: Construct, vpc: ec2.IVpc, group: ec2.ISecurityGroup) -> pcs.ICluster:
    return pcs.Cluster.from_cluster_attributes(
        scope, "Imported", cluster_id="pcs_1a2b3c", vpc=vpc, security_group=group
    )


def owned_node_group(nodes: pcs.ComputeNodeGroup) -> pcs.IComputeNodeGroup:
    return nodes


def file_systems(
    efs: pcs.EfsStorage, lustre: pcs.LustreStorage
) -> tuple[pcs.ISharedStorage, pcs.ISharedStorage]:
    return efs, lustre


def owned_profile(profile: pcs.NodeInstanceProfile) -> pcs.INodeInstanceProfile:
    return profile


def owned_launch_template(template: pcs.NodeLaunchTemplate) -> pcs.INodeLaunchTemplate:
    return template


def principals(
    nodes: pcs.ComputeNodeGroup, profile: pcs.NodeInstanceProfile
) -> tuple[iam.IPrincipal, iam.IPrincipal]:
    return nodes.grant_principal, profile.grant_principal


def a_cluster_like_the_readmes(scope: Construct, vpc: ec2.IVpc) -> pcs.Queue:
    home = pcs.EfsStorage(scope, "Home", vpc=vpc)
    cluster = pcs.Cluster(scope, "Cluster", vpc=vpc, mounts={"/home": home})
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    compute = cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=4)
    )
    return cluster.add_queue("demo", node_groups=[compute])
