"""The program by hand for somebody in a hurry: no token is read twice, nothing is made twice.

python -m tests.benchmark.program_by_hand_hoisted N [OUTDIR]
"""

import sys
import tempfile

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_pcs as pcs

from tests.benchmark.program_by_hand import (
    boot_script,
    home_directories,
    instance_profile,
    network,
    shared_directory,
)


def main(groups: int, outdir: str) -> None:
    app = cdk.App(outdir=outdir)
    stack = cdk.Stack(app, "Bench")

    vpc = network(stack)
    subnet = vpc.private_subnets[0]
    subnet_id = subnet.subnet_id
    cluster_group = ec2.SecurityGroup(stack, "Group", vpc=vpc, description="Controller and nodes")
    cluster_group.add_ingress_rule(cluster_group, ec2.Port.all_traffic(), "Members")
    group_id = cluster_group.security_group_id
    ec2.CfnSecurityGroupEgress(
        stack,
        "GroupToSelf",
        group_id=group_id,
        destination_security_group_id=group_id,
        ip_protocol="-1",
        description="Members",
    )
    home = home_directories(stack, vpc, cluster_group)
    shared = shared_directory(stack, vpc, cluster_group, subnet_id)

    cluster = pcs.CfnCluster(
        stack,
        "Cluster",
        name="bench",
        size="LARGE",
        scheduler=pcs.CfnCluster.SchedulerProperty(type="SLURM", version="25.11"),
        networking=pcs.CfnCluster.NetworkingProperty(
            subnet_ids=[subnet_id], security_group_ids=[group_id]
        ),
    )
    cluster.node.add_dependency(
        home.mount_targets_available, subnet.internet_connectivity_established
    )

    cluster_id = cluster.attr_id
    profile_arn = instance_profile(stack).instance_profile_arn
    image_id = cdk.CfnParameter(stack, "Image", type="AWS::EC2::Image::Id").value_as_string
    user_data = cdk.Fn.base64(boot_script(home, shared))

    for number in range(1, groups + 1):
        name = f"compute-{number}"
        template = ec2.CfnLaunchTemplate(
            stack,
            f"Template{number}",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=4
                ),
                security_group_ids=[group_id],
                tag_specifications=[
                    ec2.CfnLaunchTemplate.TagSpecificationProperty(
                        resource_type=resource_type, tags=[cdk.CfnTag(key="Name", value=name)]
                    )
                    for resource_type in ("instance", "volume", "network-interface")
                ],
                user_data=user_data,
            ),
        )
        nodes = pcs.CfnComputeNodeGroup(
            stack,
            f"Nodes{number}",
            cluster_id=cluster_id,
            name=name,
            ami_id=image_id,
            custom_launch_template=pcs.CfnComputeNodeGroup.CustomLaunchTemplateProperty(
                template_id=template.ref, version=template.attr_latest_version_number
            ),
            iam_instance_profile_arn=profile_arn,
            instance_configs=[
                pcs.CfnComputeNodeGroup.InstanceConfigProperty(instance_type="c6i.xlarge")
            ],
            purchase_option="ONDEMAND",
            scaling_configuration=pcs.CfnComputeNodeGroup.ScalingConfigurationProperty(
                min_instance_count=0, max_instance_count=4
            ),
            subnet_ids=[subnet_id],
        )
        pcs.CfnQueue(
            stack,
            f"Queue{number}",
            cluster_id=cluster_id,
            name=f"queue-{number}",
            compute_node_group_configurations=[
                pcs.CfnQueue.ComputeNodeGroupConfigurationProperty(
                    compute_node_group_id=nodes.attr_id
                )
            ],
        )

    app.synth()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(int(sys.argv[1]), *(sys.argv[2:] or [directory]))
