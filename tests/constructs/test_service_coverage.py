"""Every property of the three PCS resources is reachable here, or waived with a reason."""

import inspect

import pytest
from aws_cdk import aws_pcs as cfn

import pcs_constructs as pcs

# Property of the L1: the argument of the construct that reaches it, or why there is none.
CLUSTER = {
    "name": "name",
    "networking": "subnet",
    "scheduler": "slurm",
    "size": "size",
    "slurm_configuration": "slurm_settings",
    "tags": "waived: cdk.Tags.of(cluster).add(...), as with every CDK construct",
}
NODE_GROUP = {
    "ami_id": "image",
    "cluster_id": "cluster",
    "custom_launch_template": "launch_template",
    "iam_instance_profile_arn": "instance_profile",
    "instance_configs": "instance_types",
    "name": "name",
    "node_lifecycle_actions": "lifecycle_actions",
    "purchase_option": "capacity",
    "scaling_configuration": "scaling",
    "slurm_configuration": "slurm_settings",
    "spot_options": "capacity",
    "subnet_ids": "subnets",
    "tags": "waived: cdk.Tags.of(nodes).add(...), as with every CDK construct",
}
QUEUE = {
    "cluster_id": "cluster",
    "compute_node_group_configurations": "node_groups",
    "name": "name",
    "slurm_configuration": "slurm_settings",
    "tags": "waived: cdk.Tags.of(queue).add(...), as with every CDK construct",
}
# The same for the structs inside, where a new member could hide.
STRUCTS = {
    cfn.CfnCluster.NetworkingProperty: (
        pcs.Cluster,
        {
            "network_type": "network_type",
            "security_group_ids": "security_group",
            "subnet_ids": "subnet",
        },
    ),
    cfn.CfnCluster.SlurmConfigurationProperty: (
        pcs.Cluster,
        {
            "accounting": "accounting",
            "auth_key": "waived: PCS makes the secret; the API takes none",
            "cgroup_custom_settings": "cgroup_settings",
            "jwt_auth": "waived: PCS makes the secret; the API takes none",
            "scale_down_idle_time_in_seconds": "scale_down_idle_time",
            "slurm_custom_settings": "slurm_settings",
            "slurmdbd_custom_settings": "slurmdbd_settings",
            "slurm_rest": "rest_api",
        },
    ),
    cfn.CfnComputeNodeGroup.SlurmConfigurationProperty: (
        pcs.ComputeNodeGroup,
        {
            "gres_custom_settings": "gres",
            "scale_down_idle_time_in_seconds": "scale_down_idle_time",
            "slurm_custom_settings": "slurm_settings",
        },
    ),
}


def _arguments(class_: type) -> set[str]:
    return set(inspect.signature(class_.__init__).parameters) - {"self", "scope", "id"}


@pytest.mark.parametrize(
    ("l1", "construct", "covered"),
    [
        pytest.param(cfn.CfnCluster, pcs.Cluster, CLUSTER, id="cluster"),
        pytest.param(
            cfn.CfnComputeNodeGroup, pcs.ComputeNodeGroup, NODE_GROUP, id="compute node group"
        ),
        pytest.param(cfn.CfnQueue, pcs.Queue, QUEUE, id="queue"),
        *(
            pytest.param(struct, construct, covered, id=struct.__qualname__)
            for struct, (construct, covered) in STRUCTS.items()
        ),
    ],
)
def test_every_property_is_reachable_or_waived(
    l1: type, construct: type, covered: dict[str, str]
) -> None:
    assert _arguments(l1) == set(covered)
    reached = {argument for argument in covered.values() if not argument.startswith("waived: ")}
    assert reached <= _arguments(construct)


@pytest.mark.parametrize(
    ("options", "construct"),
    [
        pytest.param(pcs.ComputeNodeGroupOptions, pcs.ComputeNodeGroup, id="node groups"),
        pytest.param(pcs.QueueOptions, pcs.Queue, id="queues"),
        pytest.param(pcs.ClusterEndpointsOptions, pcs.ClusterEndpoints, id="endpoints"),
    ],
)
def test_the_factory_forwards_every_argument(options: type, construct: type) -> None:
    names = set(options.__annotations__)
    assert names == _arguments(construct) - {"cluster"}
    # Not __required_keys__, which does not see through postponed annotations.
    hints = options.__annotations__.items()
    required = {name for name, hint in hints if "Required[" in hint.__forward_arg__}
    parameters = inspect.signature(construct.__init__).parameters
    assert required == {n for n in names if parameters[n].default is inspect.Parameter.empty}
