from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

import pcs_constructs as pcs
from pcs_constructs.model import instances
from tests.constructs.templates import (
    PRIVATE,
    PUBLIC,
    advised,
    existing_group,
    existing_vpc,
    found,
    mime_parts,
    named,
    only,
    properties,
    referred,
    refused,
    refused_at_synth,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

GROUP = "AWS::PCS::ComputeNodeGroup"
TYPES = ["c7i.4xlarge"]
SCALING = pcs.Scaling.dynamic(max=4)
AMI = ec2.MachineImage.generic_linux({"eu-west-1": "ami-0123456789abcdef0"})
IRELAND = cdk.Environment(account="123456789012", region="eu-west-1")
TOKEN_IMAGE = ec2.MachineImage.from_ssm_parameter("/my/image")
BY_MEMORY = {"SelectTypeParameters": "CR_CPU_Memory"}
ULTRASERVER = {
    "instance_types": ["p6e-gb200.36xlarge"],
    "image": AMI,
    "capacity": pcs.Capacity.block("cr-0123456789abcdef0"),
}
ebs = ec2.BlockDeviceVolume.ebs
IMPORTED_TEMPLATE = {"launch_template_id": "lt-0123456789abcdef0", "version": "3"}


@pytest.fixture
def cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.Cluster:
    return pcs.Cluster(stack, "Cluster", vpc=vpc)


def nodes(cluster: pcs.Cluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    return cluster.add_compute_node_group(
        id, **{"instance_types": TYPES, "scaling": SCALING, **arguments}
    )


def new(like: str, **others: Any) -> pcs.InstanceFacts:
    """A type that the catalogue does not have."""
    known = instances.known([like])[like]
    return replace(known, name=f"new-{like}", **others)


def settings(template: Template, name: str = "") -> dict[str, str]:
    """The Slurm settings of a node group."""
    configuration = named(template, GROUP, name).get("SlurmConfiguration", {})
    return {
        setting["ParameterName"]: text_of(setting["ParameterValue"])
        for setting in configuration.get("SlurmCustomSettings", [])
    }


def launched(template: Template, group: dict[str, Any]) -> dict[str, Any]:
    """The launch template data of a node group."""
    reference = group["CustomLaunchTemplate"]["TemplateId"]
    return referred(template, reference)["Properties"]["LaunchTemplateData"]


@pytest.fixture(scope="module")
def made() -> Template:
    """A cluster with two file systems, and three node groups."""
    stack = cdk.Stack(cdk.App(), "Stack")
    vpc = existing_vpc(stack)
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        mounts={
            "/home": pcs.EfsStorage(stack, "Home", vpc=vpc),
            "/scratch": pcs.LustreStorage(stack, "Scratch", vpc=vpc),
        },
    )
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    nodes(cluster)
    nodes(cluster, "arm", instance_types=["c7g.4xlarge", "m7g.4xlarge"])
    return template(stack)


# By default.


def test_a_node_group_scales_on_demand_in_the_clusters_subnet(made: Template) -> None:
    group = named(made, GROUP, "compute")
    assert group["PurchaseOption"] == "ONDEMAND"
    assert group["SubnetIds"] == [PRIVATE[0]]
    assert group["InstanceConfigs"] == [{"InstanceType": "c7i.4xlarge"}]
    assert group["ScalingConfiguration"] == {"MinInstanceCount": 0, "MaxInstanceCount": 4}
    assert "SpotOptions" not in group
    assert "SlurmConfiguration" not in group


def test_a_node_group_refers_to_its_cluster(made: Template) -> None:
    reference = named(made, GROUP, "compute")["ClusterId"]
    assert referred(made, reference)["Type"] == "AWS::PCS::Cluster"


def test_nodes_follow_the_latest_version_of_their_launch_template(made: Template) -> None:
    for group in properties(made, GROUP):
        reference = group["CustomLaunchTemplate"]
        assert reference["Version"] == {
            "Fn::GetAtt": [reference["TemplateId"]["Ref"], "LatestVersionNumber"]
        }


def test_nodes_want_a_token_for_their_metadata(made: Template) -> None:
    for group in properties(made, GROUP):
        assert launched(made, group)["MetadataOptions"] == {
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 4,
        }


def test_nodes_carry_the_clusters_security_group(made: Template) -> None:
    groups = only(made, "AWS::PCS::Cluster")["Networking"]["SecurityGroupIds"]
    assert launched(made, named(made, GROUP, "compute"))["SecurityGroupIds"] == groups


def test_node_groups_share_a_role_until_something_is_granted(made: Template) -> None:
    profiles = {text_of(group["IamInstanceProfileArn"]) for group in properties(made, GROUP)}
    assert len(profiles) == 1
    role = only(made, "AWS::IAM::Role")
    assert role["Path"] == "/aws-pcs/"
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "pcs:RegisterComputeNodeGroupInstance"


def test_each_architecture_has_an_image_of_its_own(made: Template) -> None:
    parameters = {
        name: parameter
        for name, parameter in made.to_json()["Parameters"].items()
        if parameter["Type"] == "AWS::EC2::Image::Id"
    }
    images = {g["Name"][:3]: g["AmiId"]["Ref"] for g in properties(made, GROUP)}
    assert images["com"] == images["log"] != images["arm"]
    assert "x86_64" in parameters[images["com"]]["Description"]
    assert "arm64" in parameters[images["arm"]]["Description"]


def test_nodes_mount_both_file_systems_before_slurm_starts(made: Template) -> None:
    for group in properties(made, GROUP):
        (part,) = mime_parts(launched(made, group))
        assert part.get_content_type() == "text/cloud-config"
        text = part.get_payload()
        assert re.search(r"mount_at '/home' '\{\"Ref\": \"\w+\"\}:/' 'efs'", text)
        assert "mount_at '/scratch'" in text
        assert "AssertPathIsMountPoint=/home" in text
        assert "AssertPathIsMountPoint=/scratch" in text


def test_instances_and_volumes_are_called_what_their_node_group_is(made: Template) -> None:
    group = named(made, GROUP, "compute")
    assert launched(made, group)["TagSpecifications"] == [
        {"ResourceType": kind, "Tags": [{"Key": "Name", "Value": group["Name"]}]}
        for kind in ("instance", "volume", "network-interface")
    ]


def test_login_nodes_always_run(made: Template) -> None:
    scaling = named(made, GROUP, "login")["ScalingConfiguration"]
    assert scaling == {"MinInstanceCount": 1, "MaxInstanceCount": 1}


def test_no_arn_names_a_partition(made: Template) -> None:
    assert "arn:aws:" not in str(made.to_json())


# Told everything.


def test_a_node_group_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(
        stack, "Cluster", vpc=vpc, mounts={"/home": pcs.EfsStorage(stack, "Home", vpc=vpc)}
    )
    nodes(
        cluster,
        name="fixed",
        instance_types=["c7i.4xlarge", "m7i.4xlarge"],
        scaling=pcs.Scaling.static(3),
        subnets=vpc.private_subnets,
        capacity=pcs.Capacity.spot(allocation=pcs.SpotAllocation.PRICE_CAPACITY_OPTIMIZED),
        image=AMI,
        mounts={"/data": pcs.EfsStorage(stack, "Data", vpc=vpc)},
        user_data=[pcs.UserDataPart.shell_script("#!/bin/sh\necho hello")],
        security_groups=[existing_group(stack)],
        instance_profile=pcs.NodeInstanceProfile(stack, "Profile"),
        ssh_from=[ec2.Peer.ipv4("203.0.113.0/24")],
        key_pair=ec2.KeyPair.from_key_pair_name(stack, "Key", "admin"),
        scale_down_idle_time=cdk.Duration.minutes(5),
        slurm_settings={"Weight": "10", "RealMemory": "1000"},
        login=True,
    )
    made = template(stack)
    group = only(made, GROUP)
    assert group["Name"] == "fixed"
    assert [config["InstanceType"] for config in group["InstanceConfigs"]] == [
        "c7i.4xlarge",
        "m7i.4xlarge",
    ]
    assert group["ScalingConfiguration"] == {"MinInstanceCount": 3, "MaxInstanceCount": 3}
    assert group["SubnetIds"] == list(PRIVATE)
    assert group["PurchaseOption"] == "SPOT"
    assert group["SpotOptions"] == {"AllocationStrategy": "price-capacity-optimized"}
    assert group["SlurmConfiguration"] == {
        "ScaleDownIdleTimeInSeconds": 300,
        "SlurmCustomSettings": [
            {"ParameterName": "Weight", "ParameterValue": "10"},
            {"ParameterName": "RealMemory", "ParameterValue": "1000"},
        ],
    }
    assert len(properties(made, "AWS::IAM::Role")) == 1
    written = launched(made, group)
    assert written["KeyName"] == "admin"
    cluster_group, given, own = written["SecurityGroupIds"]
    assert cluster_group in only(made, "AWS::PCS::Cluster")["Networking"]["SecurityGroupIds"]
    assert given == "sg-00000000000000001"
    assert referred(made, own)["Properties"]["SecurityGroupIngress"] == [
        {
            "CidrIp": "203.0.113.0/24",
            "Description": "SSH",
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
        }
    ]
    bodies = [part.get_payload() for part in mime_parts(written)]
    assert any("mount_at '/data'" in body for body in bodies)
    assert not any("mount_at '/home'" in body for body in bodies)
    assert any("echo hello" in body for body in bodies)


def test_a_node_group_can_be_told_everything_about_its_instances(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(
        cluster,
        image=AMI,
        root_volume=ebs(200, throughput=500, kms_key=kms.Key(stack, "Key")),
        root_device_name="/dev/xvda",
        detailed_monitoring=True,
        instance_tags={"Project": "cfd", "Name": "node"},
        http_put_response_hop_limit=2,
        instance_metadata_tags=True,
    )
    made = template(stack)
    written = launched(made, only(made, GROUP))
    (mapping,) = written["BlockDeviceMappings"]
    assert mapping["DeviceName"] == "/dev/xvda"
    key = referred(made, mapping["Ebs"].pop("KmsKeyId"))["Properties"]
    assert "AWSServiceRoleForPCS" in str(key["KeyPolicy"])
    assert mapping["Ebs"] == {
        "DeleteOnTermination": True,
        "Encrypted": True,
        "Throughput": 500,
        "VolumeSize": 200,
        "VolumeType": "gp3",
    }
    assert written["Monitoring"] == {"Enabled": True}
    assert written["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert written["MetadataOptions"]["InstanceMetadataTags"] == "enabled"
    tags = [{"Key": "Name", "Value": "node"}, {"Key": "Project", "Value": "cfd"}]
    assert [specification["Tags"] for specification in written["TagSpecifications"]] == [tags] * 3


def test_the_root_device_of_the_default_image_need_not_be_named(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(cluster, root_volume=ebs(200))
    made = template(stack)
    (mapping,) = launched(made, only(made, GROUP))["BlockDeviceMappings"]
    assert mapping["DeviceName"] == "/dev/sda1"


def test_a_node_group_without_mounts_has_no_user_data(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    nodes(pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home}), mounts={})
    made = template(stack)
    assert "UserData" not in launched(made, only(made, GROUP))


def test_what_a_node_group_mounts_itself_is_opened_to_it_alone(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    nodes(cluster, mounts={**cluster.mounts, "/scratch": scratch})
    nodes(cluster, "other")
    made = template(stack)
    own = text_of(launched(made, named(made, GROUP, "compute"))["SecurityGroupIds"][1])
    shared = text_of(stack.resolve(cluster.security_group.security_group_id))
    servers = text_of(stack.resolve(scratch.connections.security_groups[0].security_group_id))
    rules = security_group_rules(made)
    clients = {rule[2] for rule in rules if rule[1] == servers} - {servers}
    assert clients == {own}
    assert not [rule for rule in rules if shared in rule and servers in rule]
    assert {rule[3:] for rule in rules if own in rule} == {(988, 988), (1018, 1023)}


def test_a_node_group_waits_for_the_mount_targets_of_its_own_file_systems(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    nodes(cluster, mounts={"/data": pcs.EfsStorage(stack, "Data", vpc=vpc)})
    made = template(stack)
    (group,) = found(made, GROUP).values()
    assert set(group["DependsOn"]) >= set(found(made, "AWS::EFS::MountTarget"))


def test_login_nodes_with_ssh_are_in_a_public_subnet(cluster: pcs.Cluster) -> None:
    cluster.add_login_nodes(
        "login", instance_type="c7i.xlarge", ssh_from=[ec2.Peer.ipv4("203.0.113.0/24")]
    )
    assert only(template(cdk.Stack.of(cluster)), GROUP)["SubnetIds"] == [PUBLIC[0]]


def test_login_nodes_with_ssh_are_in_the_clusters_subnet_where_there_is_no_public_one(
    stack: cdk.Stack,
) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=[PRIVATE[0]],
    )
    pcs.Cluster(stack, "Cluster", vpc=vpc).add_login_nodes(
        "login", instance_type="c7i.xlarge", ssh_from=[ec2.Peer.ipv4("10.0.0.0/8")]
    )
    assert only(template(stack), GROUP)["SubnetIds"] == [PRIVATE[0]]


# Grants and connections.


def test_a_grant_reaches_one_node_group_only(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    reader, other = nodes(cluster, "reader"), nodes(cluster, "other")
    bucket = s3.Bucket(stack, "Bucket")
    bucket.grant_read(reader)
    bucket.grant_put(reader)
    made = template(stack)
    own, shared = (named(made, GROUP, g.name)["IamInstanceProfileArn"] for g in (reader, other))
    assert own != shared
    (own_role,) = referred(made, own)["Properties"]["Roles"]
    (shared_role,) = referred(made, shared)["Properties"]["Roles"]
    policy = only(made, "AWS::IAM::Policy")
    assert policy["Roles"] == [own_role]
    assert shared_role not in policy["Roles"]
    for role in (own_role, shared_role):
        attributes = referred(made, role)["Properties"]
        assert attributes["Path"] == "/aws-pcs/"
        assert "pcs:RegisterComputeNodeGroupInstance" in str(attributes["Policies"])


def test_a_grant_to_a_given_profile_reaches_its_role(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    profile = pcs.NodeInstanceProfile(stack, "Profile")
    s3.Bucket(stack, "Bucket").grant_read(nodes(cluster, instance_profile=profile))
    made = template(stack)
    assert only(made, "AWS::IAM::Policy")["Roles"] == [stack.resolve(profile.role.role_name)]


def test_an_instance_profile_of_the_cdk_can_be_used_and_granted_to(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    role = iam.Role(
        stack, "Role", path="/aws-pcs/", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")
    )
    profile = iam.InstanceProfile(stack, "Profile", role=role, path="/aws-pcs/")
    s3.Bucket(stack, "Bucket").grant_read(nodes(cluster, instance_profile=profile))
    assert only(template(stack), "AWS::IAM::Policy")["Roles"] == [stack.resolve(role.role_name)]


def test_connections_give_one_node_group_a_security_group_of_its_own(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    client, other = nodes(cluster, "client"), nodes(cluster, "other")
    data = efs.FileSystem(stack, "Data", vpc=vpc)
    data.connections.allow_default_port_from(client)
    client.connections.allow_from(other, ec2.Port.tcp(7))
    made = template(stack)
    shared = stack.resolve(cluster.security_group.security_group_id)
    first, second = (
        launched(made, named(made, GROUP, g.name))["SecurityGroupIds"] for g in (client, other)
    )
    assert first[0] == second[0] == shared
    assert first[1] != second[1]
    rules = security_group_rules(made)
    assert [rule[2] for rule in rules if rule[0] == "Ingress" and rule[3] == 2049] == [
        text_of(first[1])
    ]
    assert ("Ingress", text_of(first[1]), text_of(second[1]), 7, 7) in rules


def test_an_own_security_group_is_on_the_first_interface_of_efa_nodes(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = nodes(cluster, instance_types=["hpc7a.96xlarge"], efa=True)
    group.connections.allow_from_any_ipv4(ec2.Port.tcp(7))
    made = template(stack)
    shared = stack.resolve(cluster.security_group.security_group_id)
    first, second = launched(made, only(made, GROUP))["NetworkInterfaces"]
    assert first["Groups"][0] == second["Groups"][0] == shared
    own = referred(made, first["Groups"][1])
    assert own["Properties"]["SecurityGroupIngress"][0]["FromPort"] == 7


def test_ports_are_opened_on_the_groups_of_a_given_template(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    own = ec2.SecurityGroup(stack, "Own", vpc=vpc)
    given = pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=TYPES,
        security_groups=[own],  # pyright: ignore[reportArgumentType]
    )
    group = nodes(cluster, launch_template=given)
    group.connections.allow_from_any_ipv4(ec2.Port.tcp(7))
    opened = [
        g.get("SecurityGroupIngress")
        for g in properties(template(stack), "AWS::EC2::SecurityGroup")
    ]
    assert [rules[0]["FromPort"] for rules in opened if rules] == [7]


# EFA.


@pytest.mark.parametrize(
    ("instance_type", "first", "secondary"),
    [
        pytest.param("hpc6a.48xlarge", "efa", [], id="one card"),
        pytest.param("hpc7a.96xlarge", "efa", [(1, 1, "efa")], id="two cards"),
        pytest.param(
            "p5.48xlarge", "efa", [(n, 1, "efa") for n in range(1, 32)], id="thirty-two cards"
        ),
        pytest.param(
            "p6-b300.48xlarge",
            "interface",
            [(n, 0, "efa") for n in range(1, 17)],
            id="a plain card and sixteen for EFA",
        ),
    ],
)
def test_efa_puts_one_interface_on_each_card(
    stack: cdk.Stack,
    cluster: pcs.Cluster,
    instance_type: str,
    first: str,
    secondary: list[tuple[int, int, str]],
) -> None:
    more = existing_group(stack)
    group = nodes(cluster, instance_types=[instance_type], efa=True, security_groups=[more])
    made = template(stack)
    written = launched(made, only(made, GROUP))
    interfaces = written["NetworkInterfaces"]
    assert [(i["NetworkCardIndex"], i["DeviceIndex"], i["InterfaceType"]) for i in interfaces] == [
        (0, 0, first),
        *secondary,
    ]
    shared = stack.resolve(cluster.security_group.security_group_id)
    assert interfaces[0]["Groups"] == [shared, "sg-00000000000000001"]
    assert all(i["Groups"] == [shared] for i in interfaces[1:])
    assert all("SubnetId" not in i for i in interfaces)
    assert "SecurityGroupIds" not in written
    placement = referred(made, written["Placement"]["GroupName"])
    assert placement["Properties"] == {"Strategy": "cluster"}
    assert group.addresses == SCALING.max * len(interfaces)


# Types that are described.


def test_a_described_type_is_as_good_as_one_of_the_catalogue(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = nodes(cluster, instance_types=[new("c7g.4xlarge")])
    cluster.add_login_nodes("login", instance_type=new("c7i.xlarge"))
    cluster.add_queue("jobs", node_groups=[group])
    made = template(stack)
    assert group.instance_types == ("new-c7g.4xlarge",)
    assert group.architecture == "arm64"
    assert named(made, GROUP, "compute")["InstanceConfigs"] == [{"InstanceType": "new-c7g.4xlarge"}]
    assert named(made, GROUP, "compute")["AmiId"] == {"Ref": "NodeImageArm64"}
    assert named(made, GROUP, "login")["AmiId"] == {"Ref": "NodeImageX8664"}
    assert advised(stack) == set()


def test_a_described_type_has_the_name_that_its_text_would_make(cluster: pcs.Cluster) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    other = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    described = nodes(cluster, instance_types=[new("c7i.4xlarge")])
    assert described.name == nodes(other, instance_types=["new-c7i.4xlarge"], image=AMI).name


def test_a_described_type_has_efa_on_its_own_cards(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    group = nodes(cluster, instance_types=[new("p5.48xlarge", efa_interfaces=3)], efa=True)
    made = template(stack)
    interfaces = launched(made, only(made, GROUP))["NetworkInterfaces"]
    assert [i["NetworkCardIndex"] for i in interfaces] == [0, 1, 2]
    assert group.addresses == SCALING.max * 3


def test_a_description_goes_before_the_catalogue(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(cluster, instance_types=[replace(new("c7g.4xlarge"), name="c7i.4xlarge")])
    assert only(template(stack), GROUP)["AmiId"] == {"Ref": "NodeImageArm64"}


def test_a_template_and_its_node_group_may_share_a_described_type(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    types = [new("hpc7a.96xlarge")]
    given = pcs.NodeLaunchTemplate(
        stack, "Nodes", instance_types=types, security_groups=[cluster.security_group], efa=True
    )
    group = nodes(cluster, instance_types=types, launch_template=given)
    assert group.addresses == SCALING.max * given.addresses == SCALING.max * 2


# What Slurm is told of nodes.


@pytest.mark.parametrize(
    ("instance_types", "gres", "file"),
    [
        pytest.param(["p5.48xlarge"], "gpu:h100:8", "/dev/nvidia[0-7]", id="eight"),
        pytest.param(["p5.4xlarge"], "gpu:h100:1", "/dev/nvidia0", id="one"),
        pytest.param([new("p5.48xlarge", gpus=2)], "gpu:h100:2", "/dev/nvidia[0-1]", id="new"),
    ],
)
def test_gpus_with_a_name_are_declared_to_slurm(
    stack: cdk.Stack, cluster: pcs.Cluster, instance_types: list[Any], gres: str, file: str
) -> None:
    nodes(cluster, instance_types=instance_types, gpu_type="h100", slurm_settings={"Weight": "9"})
    assert only(template(stack), GROUP)["SlurmConfiguration"] == {
        "GresCustomSettings": [{"Name": "gpu", "Type": "h100", "File": file}],
        "SlurmCustomSettings": [
            {"ParameterName": "Weight", "ParameterValue": "9"},
            {"ParameterName": "Gres", "ParameterValue": gres},
        ],
    }


def test_the_name_of_gpus_may_be_a_token(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(cluster, instance_types=["p5.48xlarge"], gpu_type=cdk.Fn.import_value("Gpu"))
    made = template(stack)
    assert settings(made) == {"Gres": 'gpu:{"Fn::ImportValue": "Gpu"}:8'}
    (record,) = only(made, GROUP)["SlurmConfiguration"]["GresCustomSettings"]
    assert record["Type"] == {"Fn::ImportValue": "Gpu"}


@pytest.mark.parametrize(
    ("instance_types", "expected"),
    [
        pytest.param(["c7i.4xlarge"], 31_129, id="one"),
        pytest.param(["m7i.4xlarge", "c7i.4xlarge"], 31_129, id="the smallest of two"),
        pytest.param([new("c7i.4xlarge", memory_mib=1000)], 950, id="described"),
        pytest.param(
            [new("c7i.4xlarge", memory_mib=1000), "c7i.4xlarge"], 950, id="described and known"
        ),
    ],
)
def test_nodes_that_are_scheduled_by_memory_have_95_percent_of_it(
    stack: cdk.Stack, vpc: ec2.IVpc, instance_types: list[Any], expected: int
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=BY_MEMORY)
    nodes(cluster, instance_types=instance_types)
    assert settings(template(stack)) == {"RealMemory": str(expected)}
    assert "PCS803" not in advised(stack)


@pytest.mark.parametrize("memory", ["1000", cdk.Fn.import_value("Memory")], ids=["text", "token"])
def test_the_users_own_memory_wins(stack: cdk.Stack, vpc: ec2.IVpc, memory: str) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=BY_MEMORY)
    nodes(cluster, slurm_settings={"Weight": "9", "RealMemory": memory})
    assert settings(template(stack)) == {
        "RealMemory": text_of(stack.resolve(memory)),
        "Weight": "9",
    }


def test_login_nodes_are_not_scheduled_by_memory(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=BY_MEMORY)
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    assert settings(template(stack)) == {}
    assert advised(stack) == set()


@pytest.mark.parametrize("value", ["CR_CPU", cdk.Fn.import_value("Select")], ids=["CPU", "token"])
def test_no_memory_is_said_where_it_is_not_known_to_matter(
    stack: cdk.Stack, vpc: ec2.IVpc, value: str
) -> None:
    selects = {"SelectTypeParameters": value}
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=selects)
    nodes(cluster, instance_types=["zz9.large"], image=AMI)
    assert settings(template(stack)) == {}
    assert "PCS803" not in advised(stack)


@pytest.mark.parametrize(
    "unknown", ["zz9.large", cdk.Fn.import_value("Type")], ids=["a new type", "a token"]
)
def test_memory_that_is_not_known_is_advised_to_be_said(
    stack: cdk.Stack, vpc: ec2.IVpc, unknown: str
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=BY_MEMORY)
    nodes(cluster, instance_types=[unknown, "c7i.4xlarge"], image=AMI)
    assert settings(template(stack)) == {}
    assert "PCS803" in advised(stack)


# UltraServers.


def ultraservers(cluster: pcs.Cluster, count: int, **arguments: Any) -> pcs.ComputeNodeGroup:
    scaling = pcs.Scaling.dynamic(max=count)
    return nodes(cluster, f"ultra{count}", **{**ULTRASERVER, "scaling": scaling, **arguments})


def test_ultraservers_of_fitting_sizes_share_a_queue(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    groups = [ultraservers(cluster, count) for count in (9, 18)]
    other = pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Other", "pcs_abc123")
    cluster.add_queue("jobs", node_groups=[*groups, other])
    assert advised(stack) == {"PCS207"}


def test_ultraservers_of_sizes_that_do_not_fit_are_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    groups = [ultraservers(cluster, count) for count in (18, 12)]
    cluster.add_queue("jobs", node_groups=groups)
    assert "PCS308" in advised(stack)


def test_ultraservers_beside_other_nodes_are_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    groups = [ultraservers(cluster, 9), nodes(cluster)]
    cluster.add_queue("jobs", node_groups=groups)
    assert "PCS307" in advised(stack)


def test_ultraservers_that_are_no_block_are_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    ultraservers(cluster, 9, capacity=pcs.Capacity.on_demand())
    assert "PCS628" in advised(stack)


# Names and replacement.


def test_other_instance_types_make_another_name() -> None:
    names = set()
    for types in (["c7i.4xlarge"], ["c7i.8xlarge"], ["c7i.4xlarge", "m7i.4xlarge"]):
        stack = cdk.Stack(cdk.App(), "Stack")
        cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
        names.add(nodes(cluster, instance_types=types).name)
    assert len(names) == 3
    assert all(re.fullmatch(r"compute-[0-9a-f]{6}", name) for name in names)


def test_other_user_data_makes_another_version_and_not_another_name() -> None:
    groups, texts = [], []
    for command in ("true", "false"):
        stack = cdk.Stack(cdk.App(), "Stack")
        cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
        nodes(cluster, user_data=[pcs.UserDataPart.shell_script(f"#!/bin/sh\n{command}")])
        made = template(stack)
        groups.append(only(made, GROUP))
        texts.append(text_of(launched(made, groups[-1])["UserData"]["Fn::Base64"]))
    assert texts[0] != texts[1]
    assert groups[0] == groups[1]
    version = groups[0]["CustomLaunchTemplate"]["Version"]
    assert version["Fn::GetAtt"][1] == "LatestVersionNumber"


@pytest.mark.parametrize("id", ["under_score", "a.b", "with space", "x" * 80, "n", "slash/ed"])
def test_any_id_that_starts_with_a_letter_makes_a_name(cluster: pcs.Cluster, id: str) -> None:
    name = nodes(cluster, id).name
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{2,24}", name)
    assert only(template(cdk.Stack.of(cluster)), GROUP)["Name"] == name


def test_node_groups_with_one_id_in_two_places_have_two_names(
    app: cdk.App, stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    groups = [
        pcs.ComputeNodeGroup(
            Construct(stack, place),
            "compute",
            cluster=cluster,
            instance_types=TYPES,
            scaling=SCALING,
        )
        for place in ("Here", "There")
    ]
    assert groups[0].name != groups[1].name
    app.synth()


def test_a_fixed_name_is_advised_against_until_somebody_says_it_is_meant(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = nodes(cluster, name="fixed")
    cluster.add_queue("jobs", node_groups=[group])
    assert advised(stack) == {"PCS204"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS204", reason="we rename it")
    cdk.Validations.of(group).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        pytest.param("PCS207", {"instance_types": ["zz9.large"], "image": AMI}, id="a new type"),
        pytest.param(
            "PCS211",
            {"capacity": pcs.Capacity.spot(), "login": True, "scaling": pcs.Scaling.static(1)},
            id="login on Spot",
        ),
        pytest.param("PCS408", {"ssh_from": [ec2.Peer.any_ipv4()]}, id="SSH for everybody"),
        pytest.param("PCS613", {"root_volume": ebs(100, encrypted=False)}, id="no encryption"),
        pytest.param("PCS616", {"http_put_response_hop_limit": 1}, id="no credentials in jobs"),
        pytest.param("PCS802", {"slurm_settings": {"RealMemory": "32"}}, id="memory in GiB"),
        pytest.param(
            "PCS903",
            {"user_data": [pcs.UserDataPart.shell_script("#!/bin/sh\nreboot")]},
            id="a reboot",
        ),
        pytest.param(
            "PCS904",
            {"user_data": [pcs.UserDataPart.shell_script("#!/bin/sh\nPASSWORD=hunter22")]},
            id="a secret",
        ),
    ],
)
def test_what_is_unwise_is_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster, code: str, arguments: dict[str, Any]
) -> None:
    nodes(cluster, **arguments)
    assert code in advised(stack)


def test_an_image_that_follows_a_parameter_is_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(cluster, image=ec2.MachineImage.latest_amazon_linux2023())
    assert "PCS216" in advised(stack)


# Images.


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(AMI, r"ami-0123456789abcdef0", id="by Region"),
        pytest.param(
            ec2.MachineImage.generic_linux({"eu-west-1": cdk.Fn.import_value("Ami")}),
            r'\{"Fn::ImportValue": "Ami"\}',
            id="a token",
        ),
        pytest.param(
            ec2.MachineImage.from_ssm_parameter("/our/image"), r'\{"Ref": ".*"\}', id="a parameter"
        ),
        pytest.param(
            ec2.MachineImage.latest_amazon_linux2023(), r'\{"Ref": ".*"\}', id="Amazon Linux"
        ),
        pytest.param(ec2.MachineImage.lookup(name="ours"), r"ami-\w+", id="looked up"),
    ],
)
def test_an_image_may_be_given_in_any_way_of_the_cdk(
    app: cdk.App, image: ec2.IMachineImage, expected: str
) -> None:
    stack = cdk.Stack(app, "Ireland", env=IRELAND)
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    nodes(cluster, image=image)
    assert re.fullmatch(expected, text_of(only(template(stack), GROUP)["AmiId"]))


def test_an_image_by_region_needs_no_environment(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(cluster, image=AMI)
    assert "Fn::FindInMap" in only(template(stack), GROUP)["AmiId"]


def test_node_groups_may_each_have_an_image_by_region(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(cluster, "one", image=AMI)
    nodes(cluster, "two", image=AMI)
    other = ec2.MachineImage.generic_linux({"eu-west-1": "ami-0000000000000000f"})
    nodes(cluster, "three", image=other)
    assert all("Fn::FindInMap" in group["AmiId"] for group in properties(template(stack), GROUP))


def test_fails_on_an_image_that_is_not_in_the_region(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Virginia", env=cdk.Environment(account="1" * 12, region="us-east-1"))
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    with refused(stack, "PCS222"):
        nodes(cluster, image=AMI)


def test_fails_on_an_image_to_look_up_nobody_knows_where(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    with refused(stack, "PCS222"):
        nodes(cluster, image=ec2.MachineImage.lookup(name="ours"))


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(ec2.MachineImage.generic_linux({"eu-west-1": "ours"}), id="no image id"),
        pytest.param(
            ec2.MachineImage.resolve_ssm_parameter_at_launch("/our/image"), id="resolved by EC2"
        ),
    ],
)
def test_fails_on_what_is_no_image_id(app: cdk.App, image: ec2.IMachineImage) -> None:
    stack = cdk.Stack(app, "Ireland", env=IRELAND)
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    with refused(stack, "PCS214"):
        nodes(cluster, image=image)


def test_fails_on_windows(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Ireland", env=IRELAND)
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    windows = ec2.MachineImage.generic_windows({"eu-west-1": "ami-0123456789abcdef0"})
    with refused(stack, "PCS223"):
        nodes(cluster, image=windows)


def test_fails_without_a_trace_of_the_image(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    with refused(stack, "PCS201"):
        nodes(cluster, name="9", image=ec2.MachineImage.latest_amazon_linux2023())


# Tokens.


def test_tokens_are_passed_on_as_they_are(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(
        cluster,
        name=cdk.Fn.import_value("Name"),
        instance_types=[cdk.Fn.import_value("Type"), "c7i.4xlarge"],
        image=ec2.MachineImage.from_ssm_parameter("/our/image"),
        ssh_from=[ec2.Peer.ipv4(cdk.Fn.import_value("Office"))],
        slurm_settings={"Weight": cdk.Fn.import_value("Weight")},
        key_pair=ec2.KeyPair.from_key_pair_name(stack, "Key", cdk.Fn.import_value("Key")),
        subnets=[ec2.Subnet.from_subnet_id(stack, "Subnet", cdk.Fn.import_value("Subnet"))],
    )
    made = template(stack)
    group = only(made, GROUP)
    assert group["Name"] == {"Fn::ImportValue": "Name"}
    assert group["InstanceConfigs"][0]["InstanceType"] == {"Fn::ImportValue": "Type"}
    assert group["SubnetIds"] == [{"Fn::ImportValue": "Subnet"}]
    (setting,) = group["SlurmConfiguration"]["SlurmCustomSettings"]
    assert setting["ParameterValue"] == {"Fn::ImportValue": "Weight"}
    assert launched(made, group)["KeyName"] == {"Fn::ImportValue": "Key"}


def test_the_name_of_a_type_that_is_a_token_does_not_depend_on_its_number(
    cluster: pcs.Cluster,
) -> None:
    first = nodes(cluster, instance_types=[cdk.Fn.import_value("Type")], image=AMI)
    for n in range(3):
        cdk.Token.as_string({"Ref": str(n)})
    other = cdk.Stack(cdk.App(), "Stack")
    second = nodes(
        pcs.Cluster(other, "Cluster", vpc=existing_vpc(other)),
        instance_types=[cdk.Fn.import_value("Type")],
        image=AMI,
    )
    assert first.name == second.name


def test_imported_subnets_are_used_as_they_are(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-0123456789abcdef0")
    nodes(cluster, subnets=[subnet])
    assert only(template(stack), GROUP)["SubnetIds"] == ["subnet-0123456789abcdef0"]


def test_types_may_be_any_iterable(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(cluster, instance_types=(name for name in TYPES))
    assert only(template(stack), GROUP)["InstanceConfigs"] == [{"InstanceType": TYPES[0]}]


# Other stacks, other apps.


def test_storage_cluster_and_nodes_may_be_in_three_stacks(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    files = cdk.Stack(app, "Files")
    home = pcs.EfsStorage(files, "Home", vpc=network.vpc)
    scratch = pcs.LustreStorage(files, "Scratch", vpc=network.vpc)
    data = pcs.EfsStorage(files, "Data", vpc=network.vpc)
    fast = pcs.LustreStorage(files, "Fast", vpc=network.vpc)
    control = cdk.Stack(app, "Control")
    mounts = {"/home": home, "/scratch": scratch}
    cluster = pcs.Cluster(control, "Cluster", vpc=network.vpc, mounts=mounts)
    work = cdk.Stack(app, "Work")
    group = pcs.ComputeNodeGroup(
        work,
        "compute",
        cluster=cluster,
        instance_types=["hpc7a.96xlarge"],
        scaling=SCALING,
        efa=True,
        mounts={**mounts, "/data": data, "/fast": fast},
    )
    s3.Bucket(files, "Bucket").grant_read(group)
    pcs.Queue(cdk.Stack(app, "Jobs"), "jobs", cluster=cluster, node_groups=[group])
    app.synth()

    files_template, control_template, work_template = map(template, (files, control, work))
    assert not files.dependencies or control not in files.dependencies
    assert only(work_template, GROUP)["ClusterId"].keys() == {"Fn::ImportValue"}
    # Each rule lands with the clients: the stack with the files knows nothing of clusters.
    ports = {rule[3] for rule in security_group_rules(control_template)}
    assert {2049, 988, 1018} <= ports
    ports = {rule[3] for rule in security_group_rules(work_template)}
    assert {2049, 988, 1018} <= ports
    peers = {rule[1:3] for rule in security_group_rules(files_template)}
    assert all(group == peer for group, peer in peers)


def test_nodes_of_an_imported_cluster_need_nothing_of_its_stack(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster.from_cluster_attributes(
        stack, "Cluster", cluster_id="pcs_abc123", vpc=vpc, security_group=existing_group(stack)
    )
    group = pcs.ComputeNodeGroup(
        stack, "compute", cluster=cluster, instance_types=TYPES, scaling=SCALING
    )
    s3.Bucket(stack, "Bucket").grant_read(group)
    group.connections.allow_from_any_ipv4(ec2.Port.tcp(7))
    made = template(stack)
    written = only(made, GROUP)
    assert written["ClusterId"] == "pcs_abc123"
    assert written["SubnetIds"] == [PRIVATE[0]]
    assert launched(made, written)["SecurityGroupIds"][0] == "sg-00000000000000001"


def test_an_imported_node_group_can_be_named_in_a_queue(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Other", "pcs_abc123")
    cluster.add_queue("jobs", node_groups=[group])
    assert only(template(stack), "AWS::PCS::Queue")["ComputeNodeGroupConfigurations"] == [
        {"ComputeNodeGroupId": "pcs_abc123"}
    ]


def test_an_imported_node_group_may_be_known_by_a_token(stack: cdk.Stack) -> None:
    place = cdk.Fn.import_value("Group")
    group = pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Other", place)
    assert stack.resolve(group.compute_node_group_id) == {"Fn::ImportValue": "Group"}


@pytest.mark.parametrize("id", ["compute", "", "arn:aws:pcs:eu-west-1:1:cluster/x"])
def test_fails_on_what_is_no_node_group_id(stack: cdk.Stack, id: str) -> None:
    with refused(stack, "PCS221"):
        pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Other", id)


# A launch template of the user's.


def test_an_imported_template_is_referred_to_and_none_is_made(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    given = pcs.NodeLaunchTemplate.from_launch_template_attributes(
        stack, "Nodes", **IMPORTED_TEMPLATE
    )
    nodes(cluster, launch_template=given)
    made = template(stack)
    assert only(made, GROUP)["CustomLaunchTemplate"] == {
        "TemplateId": "lt-0123456789abcdef0",
        "Version": "3",
    }
    assert properties(made, "AWS::EC2::LaunchTemplate") == []


def test_a_template_that_mounts_the_same_is_not_said_to_mount_less(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    given = pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=TYPES,
        security_groups=[cluster.security_group],
        mounts=cluster.mounts,
    )
    groups = [nodes(cluster, "given", launch_template=given), nodes(cluster, "own")]
    cluster.add_queue("jobs", node_groups=groups)
    assert advised(stack) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        {"efa": True},
        {"user_data": [pcs.UserDataPart.shell_script("#!/bin/sh")]},
        {"ssh_from": [ec2.Peer.ipv4("203.0.113.0/24")]},
        {"root_volume": ebs(100)},
        {"root_device_name": "/dev/sda1"},
        {"detailed_monitoring": True},
        {"instance_tags": {"Project": "cfd"}},
        {"http_put_response_hop_limit": 2},
        {"instance_metadata_tags": True},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
@pytest.mark.parametrize("imported", [True, False])
def test_fails_on_saying_beside_a_template_what_belongs_into_it(
    stack: cdk.Stack, cluster: pcs.Cluster, imported: bool, arguments: dict[str, Any]
) -> None:
    if imported:
        given = pcs.NodeLaunchTemplate.from_launch_template_attributes(
            stack, "Nodes", **IMPORTED_TEMPLATE
        )
    else:
        given = pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=TYPES,
            security_groups=[cluster.security_group],
        )
    with refused(stack, "PCS218"):
        nodes(cluster, launch_template=given, **arguments)


def test_fails_to_open_ports_of_nodes_with_an_imported_template(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    given = pcs.NodeLaunchTemplate.from_launch_template_attributes(
        stack, "Nodes", **IMPORTED_TEMPLATE
    )
    group = nodes(cluster, launch_template=given)
    with refused(stack, "PCS219"):
        _ = group.connections


# What cannot be.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS001"}, {"instance_types": "c7i.4xlarge"}, id="a string of types"),
        pytest.param({"PCS001"}, {"subnets": PRIVATE[0]}, id="a string of subnets"),
        pytest.param({"PCS001"}, {"security_groups": "sg-1"}, id="a string of groups"),
        pytest.param({"PCS001"}, {"user_data": "#!/bin/sh"}, id="a string of user data"),
        pytest.param({"PCS413"}, {"ssh_from": "10.0.0.0/8"}, id="a string of peers"),
        pytest.param({"PCS413"}, {"ssh_from": ["10.0.0.0/8"]}, id="strings for peers"),
        pytest.param({"PCS001"}, {"instance_types": None}, id="no list of types"),
        pytest.param(
            {"PCS001"}, {"instance_types": ec2.InstanceType("c7i.large")}, id="a single type"
        ),
        pytest.param(
            {"PCS001"},
            {"subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)},
            id="a selection of subnets",
        ),
        pytest.param({"PCS201"}, {"name": "9lives"}, id="a digit first"),
        pytest.param({"PCS201"}, {"name": "under_score"}, id="an underscore"),
        pytest.param({"PCS201"}, {"name": "x" * 26}, id="a long name"),
        pytest.param({"PCS201"}, {"name": ""}, id="an empty name"),
        pytest.param(
            {"PCS203"}, {"instance_types": ["c7i.4xlarge", "c7g.4xlarge"]}, id="two architectures"
        ),
        pytest.param({"PCS203"}, {"instance_types": ["c7i.large", "c7i.xlarge"]}, id="two sizes"),
        pytest.param({"PCS205"}, {"instance_types": []}, id="no type"),
        pytest.param({"PCS206"}, {"subnets": []}, id="no subnet"),
        pytest.param(
            {"PCS212"}, {"scale_down_idle_time": cdk.Duration.seconds(0)}, id="no idle time"
        ),
        pytest.param(
            {"PCS002"}, {"scale_down_idle_time": cdk.Duration.millis(1500)}, id="a second and half"
        ),
        pytest.param(
            {"PCS203"},
            {"instance_types": ["c7i.4xlarge", new("c7g.4xlarge")]},
            id="a described type of another architecture",
        ),
        pytest.param(
            {"PCS203"},
            {"instance_types": [new("c7i.4xlarge", vcpus=32), "c7i.4xlarge"]},
            id="a described type of another size",
        ),
        pytest.param({"PCS001"}, {"instance_types": new("c7i.4xlarge")}, id="a single new type"),
        pytest.param(
            {"PCS602"},
            {"efa": True, "instance_types": [new("c7i.4xlarge")]},
            id="no EFA on a described type",
        ),
        pytest.param(
            {"PCS603"},
            {"efa": True, "instance_types": ["p5.48xlarge", new("p5.48xlarge", efa_interfaces=9)]},
            id="cards that differ from a described type's",
        ),
        pytest.param({"PCS612"}, {"root_volume": ebs(6, iops=3001)}, id="a small fast volume"),
        pytest.param({"PCS614"}, {"root_volume": ebs(100), "image": AMI}, id="an unnamed device"),
        pytest.param({"PCS614"}, {"root_device_name": "/dev/sda1"}, id="a name alone"),
        pytest.param({"PCS615"}, {"http_put_response_hop_limit": 65}, id="too many hops"),
        pytest.param({"PCS617"}, {"instance_tags": {"": "x"}}, id="an empty key"),
        pytest.param({"PCS801"}, {"slurm_settings": {"RealMemory": "32769"}}, id="no such memory"),
        pytest.param({"PCS804"}, {"slurm_settings": {"Sockets": "3"}}, id="odd sockets"),
        pytest.param(
            {"PCS805"},
            {"slurm_settings": {"Parameters": "l3cache_as_socket"}},
            id="uncounted caches",
        ),
        pytest.param({"PCS806"}, {"gpu_type": "h100"}, id="no GPUs"),
        pytest.param(
            {"PCS806"},
            {"gpu_type": "h100", "instance_types": ["zz9.large"], "image": AMI},
            id="unknown GPUs",
        ),
        pytest.param(
            {"PCS806"}, {"gpu_type": "h 100", "instance_types": ["p5.48xlarge"]}, id="no GPU name"
        ),
        pytest.param(
            {"PCS806", "PCS828"},
            {
                "gpu_type": "h100",
                "instance_types": ["p5.48xlarge"],
                "slurm_settings": {"Gres": "gpu:8"},
            },
            id="GPUs twice",
        ),
        pytest.param({"PCS220"}, {"instance_types": ["zz9.large"]}, id="an unknown image"),
        pytest.param({"PCS602"}, {"efa": True}, id="no EFA"),
        pytest.param(
            {"PCS604"},
            {"efa": True, "instance_types": ["zz9.large"], "image": AMI},
            id="unknown cards",
        ),
    ],
)
def test_fails_on_what_cannot_be(
    stack: cdk.Stack, cluster: pcs.Cluster, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        nodes(cluster, **arguments)


def test_fails_with_every_problem_at_once(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    with refused(stack, "PCS201", "PCS203", "PCS603", "PCS902"):
        nodes(
            cluster,
            name="bad_name",
            instance_types=["hpc7a.96xlarge", "hpc7g.16xlarge"],
            subnets=vpc.private_subnets,
            efa=True,
            user_data=[pcs.UserDataPart.shell_script("ls")],
        )


def test_fails_on_every_list_that_is_none_at_once(cluster: pcs.Cluster) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        nodes(cluster, instance_types="c7i.large", subnets="subnet-1", ssh_from="10.0.0.0/8")
    assert {problem.argument for problem in error.value.problems} == {
        "instance_types",
        "subnets",
        "ssh_from",
    }


def test_fails_on_types_that_are_one_token(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    with refused(stack, "PCS001"):
        nodes(cluster, instance_types=cdk.Fn.split(",", cdk.Fn.import_value("Types")))


def test_fails_on_a_type_that_is_a_token_and_has_no_image(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    with refused(stack, "PCS220"):
        nodes(cluster, instance_types=[cdk.Fn.import_value("Type")])


def test_fails_on_efa_with_a_type_that_is_a_token(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    with refused(stack, "PCS604"):
        nodes(
            cluster,
            instance_types=["hpc7a.96xlarge", cdk.Fn.import_value("Type")],
            efa=True,
            image=ec2.MachineImage.from_ssm_parameter("/our/image"),
        )


def test_fails_on_a_duration_that_is_a_token(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    with refused(stack, "PCS002"):
        nodes(cluster, scale_down_idle_time=cdk.Duration.seconds(number))


def test_fails_on_an_idle_time_before_slurm_25_11(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm=pcs.SlurmVersion.V25_05)
    with refused(stack, "PCS212"):
        nodes(cluster, scale_down_idle_time=cdk.Duration.minutes(5))


def test_fails_on_subnets_of_another_vpc(stack: cdk.Stack) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    cluster = pcs.Cluster(stack, "Cluster", vpc=ours)
    with refused(stack, "PCS404"):
        nodes(cluster, subnets=theirs.private_subnets)


def other_vpc(stack: cdk.Stack, vpc_id: str) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Other", vpc_id=vpc_id, availability_zones=["eu-west-1a"]
    )


def test_fails_on_a_security_group_of_another_vpc(stack: cdk.Stack) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    cluster = pcs.Cluster(stack, "Cluster", vpc=ours)
    groups = [existing_group(stack), ec2.SecurityGroup(stack, "Another", vpc=theirs)]
    with refused(stack, "PCS415"):
        nodes(cluster, security_groups=groups)


def test_fails_on_a_security_group_of_another_vpc_by_its_id(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    vpc = other_vpc(stack, "vpc-00000000000000001")
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    with refused(stack, "PCS415"):
        nodes(cluster, security_groups=[group])


@pytest.mark.parametrize(
    "vpc_id", ["vpc-0123456789abcdef0", cdk.Fn.import_value("Vpc")], ids=["text", "token"]
)
def test_a_security_group_may_be_of_the_same_vpc_imported_again(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc_id: str
) -> None:
    group = ec2.SecurityGroup(stack, "Group", vpc=other_vpc(stack, vpc_id))
    assert nodes(cluster, security_groups=[group])


def test_a_security_group_of_a_vpc_that_may_be_the_same_is_taken(stack: cdk.Stack) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=ec2.Vpc(stack, "Vpc"))
    vpc = other_vpc(stack, cdk.Fn.import_value("Vpc"))
    assert nodes(cluster, security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)])


def test_a_security_group_may_be_in_another_stack_than_its_vpc(
    app: cdk.App, stack: cdk.Stack
) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    other = cdk.Stack(app, "Other")
    cluster = pcs.Cluster(other, "Cluster", vpc=vpc)
    assert nodes(cluster, security_groups=[ec2.SecurityGroup(other, "Group", vpc=vpc)])


@pytest.mark.parametrize("chosen", [True, False])
def test_fails_on_public_subnets_without_public_addresses(
    app: cdk.App, stack: cdk.Stack, chosen: bool
) -> None:
    public = ec2.SubnetConfiguration(
        name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
    )
    vpc = ec2.Vpc(stack, "Vpc", subnet_configuration=[public])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, subnets=vpc.public_subnets if chosen else None)
    assert refused_at_synth(app) == {"PCS406"}


@pytest.mark.parametrize("way", ["endpoints", "route"])
def test_public_subnets_without_public_addresses_may_have_another_way(
    app: cdk.App, stack: cdk.Stack, way: str
) -> None:
    public = ec2.SubnetConfiguration(
        name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
    )
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1, subnet_configuration=[public])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, subnets=vpc.public_subnets)
    if way == "endpoints":
        cluster.add_endpoints("Endpoints")
    else:
        ec2.CfnRoute(
            stack,
            "Route",
            route_table_id=vpc.public_subnets[0].route_table.route_table_id,
            destination_cidr_block="10.0.0.0/8",
            transit_gateway_id="tgw-0123456789abcdef0",
        )
    app.synth()


@pytest.mark.parametrize("imported", [True, False])
def test_fails_on_several_interfaces_in_a_public_subnet(stack: cdk.Stack, imported: bool) -> None:
    vpc = existing_vpc(stack) if imported else ec2.Vpc(stack, "Vpc")
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with refused(stack, "PCS407"):
        nodes(
            cluster,
            instance_types=["hpc7a.96xlarge"],
            efa=True,
            subnets=vpc.public_subnets[:1],
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {"scaling": 4},
        {"instance_types": [ec2.InstanceType("c7i.4xlarge")]},
        {"subnets": [PRIVATE[0]]},
        {"security_groups": ["sg-0123456789abcdef0"]},
        {"instance_profile": "arn:aws:iam::123456789012:instance-profile/aws-pcs/x"},
        {"launch_template": "lt-0123456789abcdef0"},
        {"key_pair": "admin"},
        {"user_data": ["#!/bin/sh"]},
        {"scale_down_idle_time": 600},
        {"slurm_settings": {"Weight": 10}},
        {"slurm_settings": "Weight=10"},
        {"mounts": ["/home"]},
        {"mounts": {"/home": "fs-0123456789abcdef0"}},
        {"capacity": "SPOT"},
        {"image": "ami-0123456789abcdef0"},
        {"name": 42},
        {"instance_types": [{"InstanceType": "c7i.4xlarge"}]},
        {"root_volume": 100},
        {"root_device_name": 5},
        {"detailed_monitoring": "yes"},
        {"instance_tags": ["Project"]},
        {"instance_tags": {"Project": 7}},
        {"http_put_response_hop_limit": "2"},
        {"instance_metadata_tags": "enabled"},
        {"gpu_type": 8},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    cluster: pcs.Cluster, arguments: dict[str, Any]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # the type checker has told before
        nodes(cluster, **arguments)
    assert cluster.node.try_find_child("compute") is None


def test_an_own_security_group_lets_nothing_out_by_itself(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    assert nodes(cluster).connections
    groups = template(stack).find_resources("AWS::EC2::SecurityGroup").values()
    (own,) = (g for g in groups if "compute node group" in g["Properties"]["GroupDescription"])
    outward = own["Properties"]["SecurityGroupEgress"]
    assert [rule["CidrIp"] for rule in outward] == ["255.255.255.255/32"]


# What hostile use found.


def test_fails_on_a_type_that_is_named_twice(cluster: pcs.Cluster) -> None:
    with refused(cluster, "PCS224"):
        nodes(cluster, instance_types=["c7i.4xlarge", instances.known(TYPES)["c7i.4xlarge"]])


def test_a_node_group_whose_type_is_a_token_may_stand_beside_ultraservers(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    one = nodes(cluster, "ultra", **{**ULTRASERVER, "image": TOKEN_IMAGE})
    other = nodes(
        cluster,
        "unknown",
        instance_types=[cdk.CfnParameter(stack, "Type").value_as_string],
        image=TOKEN_IMAGE,
    )
    cluster.add_queue("both", node_groups=[one, other])


def test_one_vpc_under_two_names_is_one(stack: cdk.Stack) -> None:
    made = ec2.CfnVPC(stack, "Made", cidr_block="10.0.0.0/16")
    by_ref, by_attribute = (
        ec2.Vpc.from_vpc_attributes(
            stack,
            name,
            vpc_id=vpc_id,
            availability_zones=["eu-west-1a"],
            private_subnet_ids=[PRIVATE[0]],
        )
        for name, vpc_id in (("ByRef", made.ref), ("ByAttribute", made.attr_vpc_id))
    )
    cluster = pcs.Cluster(stack, "Cluster", vpc=by_ref)
    group = ec2.SecurityGroup(stack, "Mine", vpc=by_attribute)
    nodes(cluster, security_groups=[group])


def test_a_hop_limit_may_be_a_token_or_left_out(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    nodes(cluster, "default", http_put_response_hop_limit=None)
    limit = cdk.CfnParameter(stack, "Limit", type="Number").value_as_number
    nodes(cluster, "token", http_put_response_hop_limit=limit)
    made = template(stack)
    limits = [
        launched(made, named(made, GROUP, name))["MetadataOptions"]["HttpPutResponseHopLimit"]
        for name in ("default", "token")
    ]
    assert limits == [4, {"Ref": "Limit"}]


@pytest.mark.parametrize(
    "arguments", [{"instance_tags": {"Project": None}}, {"slurm_settings": {"Weight": None}}]
)
def test_fails_on_a_value_that_is_missing(cluster: pcs.Cluster, arguments: dict[str, Any]) -> None:
    with refused(cluster, "PCS003"):
        nodes(cluster, **arguments)


def test_fails_when_a_given_template_has_a_root_volume_for_another_image(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    given = pcs.NodeLaunchTemplate(
        stack,
        "Template",
        instance_types=TYPES,
        security_groups=[cluster.security_group],
        root_volume=ebs(100),
    )
    nodes(cluster, "default", launch_template=given)
    with refused(cluster, "PCS614"):
        nodes(cluster, launch_template=given, image=TOKEN_IMAGE)


# Slurm settings.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        ({"PCS807"}, {"slurm_settings": {"Wieght": "1"}}),
        ({"PCS815"}, {"slurm_settings": {"Weight": "much"}}),
        ({"PCS823"}, {"gres": [{"Name": "fpga", "Colour": "red"}]}),
        ({"PCS828"}, {"slurm_settings": {"Gres": "fpga:2"}}),
        ({"PCS001"}, {"gres": "gpu"}),
        ({"PCS003"}, {"gres": [{"Name": 1}]}),
    ],
)
def test_fails_on_slurm_settings_that_cannot_be(
    cluster: pcs.Cluster, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(cluster, *codes):
        nodes(cluster, **arguments)


def test_resources_of_ones_own_are_declared_in_both_places(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    record = {"Name": "fpga", "Count": "2", "File": "/dev/fpga[0-1]"}
    nodes(cluster, gres=[record], slurm_settings={"Gres": "fpga:2"})
    configuration = named(template(stack), GROUP, "compute")["SlurmConfiguration"]
    assert configuration["GresCustomSettings"] == [record]
    assert settings(template(stack)) == {"Gres": "fpga:2"}


def test_security_groups_of_ones_own_are_on_the_first_interface(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = existing_group(stack)
    nodes(cluster, instance_types=["hpc7a.96xlarge"], efa=True, security_groups=[group])
    made = template(stack)
    first, second = launched(made, named(made, GROUP, "compute"))["NetworkInterfaces"]
    assert first["Groups"] == [*second["Groups"], group.security_group_id]
    assert len(second["Groups"]) == 1


def test_efa_in_a_group_that_spreads_is_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    spread = ec2.PlacementGroup(stack, "Spread", strategy=ec2.PlacementGroupStrategy.SPREAD)
    nodes(cluster, instance_types=["hpc7a.96xlarge"], efa=True, placement_group=spread)
    assert "PCS619" in advised(stack)
