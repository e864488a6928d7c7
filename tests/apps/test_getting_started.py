"""The app against the user guide's tutorial, row by row."""

import email
import json
from typing import Any

import pytest
import yaml

from pcs_constructs.model.slurm import DEFAULT
from tests.apps.conftest import Synthesized


@pytest.fixture(scope="module")
def subnets(getting_started: Synthesized) -> dict[str, str]:
    """Logical id of each subnet by its address range."""
    found = getting_started.resources("AWS::EC2::Subnet")
    return {subnet["Properties"]["CidrBlock"]: key for key, subnet in found.items()}


def test_the_vpc_has_the_guides_range_dns_and_default_tenancy(getting_started: Synthesized) -> None:
    vpc = getting_started.resource("AWS::EC2::VPC")
    assert vpc["CidrBlock"] == "10.3.0.0/16"
    assert vpc["EnableDnsHostnames"] is True
    assert vpc["EnableDnsSupport"] is True
    assert vpc["InstanceTenancy"] == "default"


def test_three_public_subnets_assign_public_addresses(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    zones = []
    for cidr in ("10.3.0.0/20", "10.3.16.0/20", "10.3.32.0/20"):
        subnet = getting_started.resources("AWS::EC2::Subnet")[subnets[cidr]]["Properties"]
        assert subnet["MapPublicIpOnLaunch"] is True
        zones.append(subnet["AvailabilityZone"])
    assert zones == [{"Fn::Select": [i, {"Fn::GetAZs": ""}]} for i in range(3)]


def test_three_private_subnets_lead_outside_through_nat(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    tables = {
        a["Properties"]["SubnetId"]["Ref"]: a["Properties"]["RouteTableId"]["Ref"]
        for a in getting_started.resources("AWS::EC2::SubnetRouteTableAssociation").values()
    }
    to_nat = {
        r["Properties"]["RouteTableId"]["Ref"]
        for r in getting_started.resources("AWS::EC2::Route").values()
        if "NatGatewayId" in r["Properties"]
        and r["Properties"]["DestinationCidrBlock"] == "0.0.0.0/0"
    }
    for cidr in ("10.3.128.0/20", "10.3.144.0/20", "10.3.160.0/20"):
        subnet = getting_started.resources("AWS::EC2::Subnet")[subnets[cidr]]["Properties"]
        assert subnet["MapPublicIpOnLaunch"] is False
        assert tables[subnets[cidr]] in to_nat
    assert set(subnets) == {
        "10.3.0.0/20", "10.3.16.0/20", "10.3.32.0/20",
        "10.3.128.0/20", "10.3.144.0/20", "10.3.160.0/20",
    }  # fmt: skip


def test_a_gateway_endpoint_leads_to_s3(getting_started: Synthesized) -> None:
    endpoint = getting_started.resource("AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"]["Fn::Join"][1][-1] == ".s3"


def test_the_cluster_is_small_and_in_private_subnet_a(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    cluster = getting_started.resource("AWS::PCS::Cluster", Name="get-started")
    assert cluster["Size"] == "SMALL"
    assert cluster["Scheduler"] == {"Type": "SLURM", "Version": DEFAULT.value}
    assert cluster["Networking"]["SubnetIds"] == [{"Ref": subnets["10.3.128.0/20"]}]
    assert len(cluster["Networking"]["SecurityGroupIds"]) == 1


def test_the_cluster_security_group_lets_everything_from_and_to_itself_and_out(
    getting_started: Synthesized,
) -> None:
    cluster = getting_started.resource("AWS::PCS::Cluster")
    (group,) = cluster["Networking"]["SecurityGroupIds"]
    resource = getting_started.resources("AWS::EC2::SecurityGroup")[group["Fn::GetAtt"][0]]
    (outward,) = resource["Properties"]["SecurityGroupEgress"]
    assert (outward["IpProtocol"], outward["CidrIp"]) == ("-1", "0.0.0.0/0")
    inward = getting_started.resource(
        "AWS::EC2::SecurityGroupIngress", GroupId=group, SourceSecurityGroupId=group
    )
    assert inward["IpProtocol"] == "-1"
    to_itself = getting_started.resource(
        "AWS::EC2::SecurityGroupEgress", GroupId=group, DestinationSecurityGroupId=group
    )
    assert to_itself["IpProtocol"] == "-1"


def test_efs_is_encrypted_with_a_mount_target_in_each_zone(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    assert getting_started.resource("AWS::EFS::FileSystem")["Encrypted"] is True
    targets = getting_started.resources("AWS::EFS::MountTarget").values()
    private = ("10.3.128.0/20", "10.3.144.0/20", "10.3.160.0/20")
    assert {t["Properties"]["SubnetId"]["Ref"] for t in targets} == {subnets[c] for c in private}


def test_lustre_is_persistent_compressed_and_in_private_subnet_a(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    file_system = getting_started.resource("AWS::FSx::FileSystem", FileSystemType="LUSTRE")
    assert file_system["StorageCapacity"] == 1200
    assert file_system["StorageType"] == "SSD"
    assert file_system["SubnetIds"] == [{"Ref": subnets["10.3.128.0/20"]}]
    configuration = file_system["LustreConfiguration"]
    assert configuration["DeploymentType"] == "PERSISTENT_2"
    assert configuration["PerUnitStorageThroughput"] == 125
    assert configuration["MetadataConfiguration"] == {"Mode": "AUTOMATIC"}
    assert configuration["DataCompressionType"] == "LZ4"


def test_the_role_registers_nodes_and_lets_session_manager_in(
    getting_started: Synthesized,
) -> None:
    role = getting_started.resource("AWS::IAM::Role", Path="/aws-pcs/")
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "pcs:RegisterComputeNodeGroupInstance"
    (managed,) = role["ManagedPolicyArns"]
    assert managed["Fn::Join"][1][-1] == ":iam::aws:policy/AmazonSSMManagedInstanceCore"
    profile = getting_started.resource("AWS::IAM::InstanceProfile")
    assert profile["Path"] == "/aws-pcs/"


def _node_group(app: Synthesized, name: str) -> dict[str, Any]:
    return app.resource("AWS::PCS::ComputeNodeGroup", Name=name)


def test_the_login_node_always_runs_in_public_subnet_a(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    login = _node_group(getting_started, "login")
    assert login["InstanceConfigs"] == [{"InstanceType": "c6i.xlarge"}]
    assert login["ScalingConfiguration"] == {"MinInstanceCount": 1, "MaxInstanceCount": 1}
    assert login["SubnetIds"] == [{"Ref": subnets["10.3.0.0/20"]}]


def test_compute_scales_from_zero_to_four_in_private_subnet_a(
    getting_started: Synthesized, subnets: dict[str, str]
) -> None:
    compute = _node_group(getting_started, "compute-1")
    assert compute["InstanceConfigs"] == [{"InstanceType": "c6i.xlarge"}]
    assert compute["ScalingConfiguration"] == {"MinInstanceCount": 0, "MaxInstanceCount": 4}
    assert compute["SubnetIds"] == [{"Ref": subnets["10.3.128.0/20"]}]


def test_the_demo_queue_uses_compute_1(getting_started: Synthesized) -> None:
    queue = getting_started.resource("AWS::PCS::Queue", Name="demo")
    (configuration,) = queue["ComputeNodeGroupConfigurations"]
    logical_id, attribute = configuration["ComputeNodeGroupId"]["Fn::GetAtt"]
    groups = getting_started.resources("AWS::PCS::ComputeNodeGroup")
    assert groups[logical_id]["Properties"]["Name"] == "compute-1"
    assert attribute == "Id"


def _launch_template(app: Synthesized, name: str) -> dict[str, Any]:
    reference = _node_group(app, name)["CustomLaunchTemplate"]
    template = app.resources("AWS::EC2::LaunchTemplate")[reference["TemplateId"]["Ref"]]
    return template["Properties"]["LaunchTemplateData"]


def test_ssh_is_open_on_the_login_node_to_the_given_range_only(
    getting_started: Synthesized,
) -> None:
    groups = _launch_template(getting_started, "login")["SecurityGroupIds"]
    open_to = {
        (rule["CidrIp"], rule["FromPort"], rule["ToPort"])
        for group in groups
        for rule in getting_started.resources("AWS::EC2::SecurityGroup")[group["Fn::GetAtt"][0]][
            "Properties"
        ].get("SecurityGroupIngress", [])
    }
    assert open_to == {("203.0.113.0/24", 22, 22)}
    assert _launch_template(getting_started, "login")["KeyName"] == "my-key"
    compute_groups = _launch_template(getting_started, "compute-1")["SecurityGroupIds"]
    assert compute_groups == groups[:1]


def test_nothing_is_open_to_the_world_unless_somebody_says_so(getting_started: Synthesized) -> None:
    for group in getting_started.resources("AWS::EC2::SecurityGroup").values():
        for rule in group["Properties"].get("SecurityGroupIngress", []):
            assert rule.get("CidrIp") != "0.0.0.0/0"
    for rule in getting_started.resources("AWS::EC2::SecurityGroupIngress").values():
        assert "CidrIp" not in rule["Properties"]


@pytest.mark.parametrize("name", ["login", "compute-1"])
def test_every_node_mounts_home_with_tls_and_shared(
    getting_started: Synthesized, name: str
) -> None:
    user_data = _launch_template(getting_started, name)["UserData"]["Fn::Base64"]["Fn::Join"][1]
    (efs,) = getting_started.resources("AWS::EFS::FileSystem")
    (lustre,) = getting_started.resources("AWS::FSx::FileSystem")
    text = "".join(
        piece if isinstance(piece, str) else f"<{json.dumps(piece)}>" for piece in user_data
    )
    message = email.message_from_string(text)
    assert message.get_content_type() == "multipart/mixed"
    (part,) = message.get_payload()
    config = yaml.safe_load(part.get_payload(decode=True))
    script = config["write_files"][0]["content"]
    assert f"""'/home' '<{json.dumps({"Ref": efs})}>:/' 'efs' '_netdev,noresvport,tls'""" in script
    assert "keep_existing '/home'" in script
    dns = json.dumps({"Fn::GetAtt": [lustre, "DNSName"]})
    mount_name = json.dumps({"Fn::GetAtt": [lustre, "LustreMountName"]})
    assert f"""'/shared' '<{dns}>@tcp:/<{mount_name}>' 'lustre'""" in script
    # What EC2 counts is the text before base64, here with ids longer than the real ones.
    assert len(text.encode()) < 16_384


def test_nodes_start_after_the_mount_targets(getting_started: Synthesized) -> None:
    (cluster,) = getting_started.resources("AWS::PCS::Cluster").values()
    targets = set(getting_started.resources("AWS::EFS::MountTarget"))
    assert targets <= set(cluster["DependsOn"])
    for group in getting_started.resources("AWS::PCS::ComputeNodeGroup").values():
        assert "Fn::GetAtt" in group["Properties"]["ClusterId"]
