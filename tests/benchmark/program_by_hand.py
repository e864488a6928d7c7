"""The same resources by hand, as somebody writes them who knows the CDK.

    python -m tests.benchmark.program_by_hand N [OUTDIR]

L2 constructs where the CDK has them; every attribute is read where it is used. The user data is a
constant text, as long as the library's.
"""

import sys
import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pcs as pcs

USER_DATA = Path(__file__).with_name("user_data.txt")


def network(stack: cdk.Stack) -> ec2.Vpc:
    return ec2.Vpc(
        stack,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16"),
        max_azs=2,
        reserved_azs=6,
        nat_gateways=1,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=20),
            ec2.SubnetConfiguration(
                name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
            ),
        ],
        gateway_endpoints={
            "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
        },
    )


def home_directories(stack: cdk.Stack, vpc: ec2.Vpc, clients: ec2.SecurityGroup) -> efs.FileSystem:
    group = ec2.SecurityGroup(
        stack, "HomeGroup", vpc=vpc, description="Mount targets", allow_all_outbound=False
    )
    group.add_ingress_rule(clients, ec2.Port.tcp(2049), "EFS")
    return efs.FileSystem(
        stack,
        "Home",
        vpc=vpc,
        security_group=group,
        encrypted=True,
        enable_automatic_backups=True,
        performance_mode=efs.PerformanceMode.GENERAL_PURPOSE,
        throughput_mode=efs.ThroughputMode.ELASTIC,
        removal_policy=cdk.RemovalPolicy.RETAIN,
        # Otherwise the CDK appends a statement of its own to the policy.
        allow_anonymous_access=True,
        file_system_policy=iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="MountThroughMountTargets",
                    principals=[iam.AnyPrincipal()],
                    actions=[
                        "elasticfilesystem:ClientMount",
                        "elasticfilesystem:ClientRootAccess",
                        "elasticfilesystem:ClientWrite",
                    ],
                    conditions={"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
                ),
                iam.PolicyStatement(
                    sid="EncryptedInTransitOnly",
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["*"],
                    conditions={"Bool": {"aws:SecureTransport": "false"}},
                ),
            ]
        ),
    )


def shared_directory(
    stack: cdk.Stack, vpc: ec2.Vpc, clients: ec2.SecurityGroup, subnet_id: str
) -> fsx.CfnFileSystem:
    group = ec2.SecurityGroup(stack, "SharedGroup", vpc=vpc, description="File servers")
    between_servers = [
        ec2.CfnSecurityGroupIngress(
            stack,
            f"SharedPort{first}",
            group_id=group.security_group_id,
            source_security_group_id=group.security_group_id,
            ip_protocol="tcp",
            from_port=first,
            to_port=last,
            description="Lustre",
        )
        for first, last in ((988, 988), (1018, 1023))
    ]
    for ports in (ec2.Port.tcp(988), ec2.Port.tcp_range(1018, 1023)):
        group.add_ingress_rule(clients, ports, "Lustre")
        clients.add_ingress_rule(group, ports, "Lustre")
    file_system = fsx.CfnFileSystem(
        stack,
        "Shared",
        file_system_type="LUSTRE",
        file_system_type_version="2.15",
        storage_type="SSD",
        storage_capacity=1200,
        subnet_ids=[subnet_id],
        security_group_ids=[group.security_group_id],
        tags=[cdk.CfnTag(key="Name", value="Shared")],
        lustre_configuration=fsx.CfnFileSystem.LustreConfigurationProperty(
            deployment_type="PERSISTENT_2",
            per_unit_storage_throughput=125,
            data_compression_type="LZ4",
            metadata_configuration=fsx.CfnFileSystem.MetadataConfigurationProperty(
                mode="AUTOMATIC"
            ),
            automatic_backup_retention_days=0,
        ),
    )
    # FSx refuses to make servers that cannot reach each other.
    file_system.node.add_dependency(*between_servers)
    file_system.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return file_system


def instance_profile(stack: cdk.Stack) -> iam.InstanceProfile:
    role = iam.Role(
        stack,
        "Role",
        path="/aws-pcs/",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")
        ],
        inline_policies={
            "RegisterWithPcs": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["pcs:RegisterComputeNodeGroupInstance"], resources=["*"]
                    )
                ]
            )
        },
    )
    return iam.InstanceProfile(stack, "Profile", role=role, path="/aws-pcs/")


def boot_script(home: efs.FileSystem, shared: fsx.CfnFileSystem) -> str:
    return (
        USER_DATA.read_text(encoding="utf-8")
        .replace("@HOME_ID@", home.file_system_id)
        .replace("@SHARED_DNS_NAME@", shared.attr_dns_name)
        .replace("@SHARED_MOUNT_NAME@", shared.attr_lustre_mount_name)
    )


def main(groups: int, outdir: str) -> None:
    app = cdk.App(outdir=outdir)
    stack = cdk.Stack(app, "Bench")

    vpc = network(stack)
    cluster_group = ec2.SecurityGroup(stack, "Group", vpc=vpc, description="Controller and nodes")
    cluster_group.add_ingress_rule(cluster_group, ec2.Port.all_traffic(), "Members")
    # For EFA. An L1, because the L2 drops the rule where all outbound traffic is allowed.
    ec2.CfnSecurityGroupEgress(
        stack,
        "GroupToSelf",
        group_id=cluster_group.security_group_id,
        destination_security_group_id=cluster_group.security_group_id,
        ip_protocol="-1",
        description="Members",
    )
    home = home_directories(stack, vpc, cluster_group)
    shared = shared_directory(stack, vpc, cluster_group, vpc.private_subnets[0].subnet_id)

    cluster = pcs.CfnCluster(
        stack,
        "Cluster",
        name="bench",
        size="LARGE",
        scheduler=pcs.CfnCluster.SchedulerProperty(type="SLURM", version="25.11"),
        networking=pcs.CfnCluster.NetworkingProperty(
            subnet_ids=[vpc.private_subnets[0].subnet_id],
            security_group_ids=[cluster_group.security_group_id],
        ),
    )
    cluster.node.add_dependency(
        home.mount_targets_available, vpc.private_subnets[0].internet_connectivity_established
    )

    profile = instance_profile(stack)
    image = cdk.CfnParameter(stack, "Image", type="AWS::EC2::Image::Id")
    user_data = boot_script(home, shared)

    for number in range(1, groups + 1):
        name = f"compute-{number}"
        template = ec2.CfnLaunchTemplate(
            stack,
            f"Template{number}",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=4
                ),
                security_group_ids=[cluster_group.security_group_id],
                tag_specifications=[
                    ec2.CfnLaunchTemplate.TagSpecificationProperty(
                        resource_type=resource_type, tags=[cdk.CfnTag(key="Name", value=name)]
                    )
                    for resource_type in ("instance", "volume", "network-interface")
                ],
                user_data=cdk.Fn.base64(user_data),
            ),
        )
        nodes = pcs.CfnComputeNodeGroup(
            stack,
            f"Nodes{number}",
            cluster_id=cluster.attr_id,
            name=name,
            ami_id=image.value_as_string,
            custom_launch_template=pcs.CfnComputeNodeGroup.CustomLaunchTemplateProperty(
                template_id=template.ref, version=template.attr_latest_version_number
            ),
            iam_instance_profile_arn=profile.instance_profile_arn,
            instance_configs=[
                pcs.CfnComputeNodeGroup.InstanceConfigProperty(instance_type="c6i.xlarge")
            ],
            purchase_option="ONDEMAND",
            scaling_configuration=pcs.CfnComputeNodeGroup.ScalingConfigurationProperty(
                min_instance_count=0, max_instance_count=4
            ),
            subnet_ids=[vpc.private_subnets[0].subnet_id],
        )
        pcs.CfnQueue(
            stack,
            f"Queue{number}",
            cluster_id=cluster.attr_id,
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
