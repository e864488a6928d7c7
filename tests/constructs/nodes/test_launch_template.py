from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

import pcs_constructs as pcs
from pcs_constructs.model import instances
from tests.constructs.templates import (
    PRIVATE,
    advised,
    existing_group,
    existing_vpc,
    found,
    mime_parts,
    only,
    properties,
    referred,
    refused,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

TEMPLATE = "AWS::EC2::LaunchTemplate"
SCRIPT = pcs.UserDataPart.shell_script("#!/bin/sh\necho hello")
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ebs = ec2.BlockDeviceVolume.ebs


def data(template: Template) -> dict[str, Any]:
    return only(template, TEMPLATE)["LaunchTemplateData"]


def nodes(stack: cdk.Stack, id: str = "Nodes", **arguments: Any) -> pcs.NodeLaunchTemplate:
    if "security_groups" not in arguments:
        arguments["security_groups"] = [existing_group(stack, f"{id}Group")]
    return pcs.NodeLaunchTemplate(stack, id, **{"instance_types": ["c7i.4xlarge"], **arguments})


def launched(stack: cdk.Stack, **arguments: Any) -> dict[str, Any]:
    nodes(stack, **arguments)
    return data(template(stack))


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=["c7i.4xlarge"],
        security_groups=[existing_group(stack)],
    )
    return template(stack)


@pytest.fixture(scope="module")
def everything() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    vpc = existing_vpc(stack)
    pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=["hpc7a.96xlarge"],
        security_groups=[existing_group(stack), existing_group(stack, "More", digit=2)],
        subnet=vpc.private_subnets[1],
        efa=True,
        mounts={
            "/home": pcs.EfsStorage(stack, "Home", vpc=vpc),
            "/scratch": pcs.LustreStorage(stack, "Scratch", vpc=vpc),
        },
        user_data=[SCRIPT],
        key_pair=ec2.KeyPair.from_key_pair_name(stack, "Key", "admin"),
    )
    return template(stack)


def test_the_metadata_service_wants_a_token_and_reaches_containers(default: Template) -> None:
    assert data(default)["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 4,
    }


def test_a_plain_template_has_groups_and_neither_interfaces_nor_placement(
    default: Template,
) -> None:
    written = data(default)
    assert written["SecurityGroupIds"] == ["sg-00000000000000001"]
    for absent in (
        "NetworkInterfaces",
        "Placement",
        "UserData",
        "KeyName",
        "BlockDeviceMappings",
        "Monitoring",
    ):
        assert absent not in written


@pytest.mark.parametrize("fixture", ["default", "everything"])
def test_nothing_is_written_that_pcs_ignores_or_refuses(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    written = data(request.getfixturevalue(fixture))
    assert not written.keys() & {
        "InstanceRequirements",
        "InstanceType",
        "IamInstanceProfile",
        "DisableApiTermination",
        "DisableApiStop",
        "HibernationOptions",
        "SecurityGroups",
    }
    assert not ("SecurityGroupIds" in written and "NetworkInterfaces" in written)


def test_efa_is_on_each_card_in_the_given_subnet_with_every_group(everything: Template) -> None:
    interfaces = data(everything)["NetworkInterfaces"]
    assert [(i["NetworkCardIndex"], i["DeviceIndex"], i["InterfaceType"]) for i in interfaces] == [
        (0, 0, "efa"),
        (1, 1, "efa"),
    ]
    for interface in interfaces:
        assert interface["Groups"] == ["sg-00000000000000001", "sg-00000000000000002"]
        assert interface["SubnetId"] == PRIVATE[1]
        assert interface["DeleteOnTermination"] is True


def test_efa_nodes_are_placed_close_together(everything: Template) -> None:
    group = referred(everything, data(everything)["Placement"]["GroupName"])
    assert group["Type"] == "AWS::EC2::PlacementGroup"
    assert group["Properties"]["Strategy"] == "cluster"


def test_user_data_mounts_everything_and_then_runs_the_users_parts(everything: Template) -> None:
    parts = mime_parts(data(everything))
    ours = [part.get_payload() for part in parts if part.get_content_type() == "text/cloud-config"]
    assert len(ours) == 1
    assert "mount_at '/home'" in ours[0]
    assert "mount_at '/scratch'" in ours[0]
    scripts = [p.get_payload() for p in parts if p.get_content_type() == "text/x-shellscript"]
    assert any("echo hello" in script for script in scripts)


def test_mounts_refer_to_the_file_systems_themselves(everything: Template) -> None:
    text = text_of(data(everything)["UserData"]["Fn::Base64"])
    (home,) = found(everything, "AWS::EFS::FileSystem")
    (scratch,) = found(everything, "AWS::FSx::FileSystem")
    assert f'{{"Ref": "{home}"}}:/' in text
    assert f'["{scratch}", "DNSName"]' in text
    assert f'["{scratch}", "LustreMountName"]' in text


def test_mounting_opens_ports_to_a_group_that_every_node_has(everything: Template) -> None:
    opened = {
        (rule[2], rule[3], rule[4])
        for rule in security_group_rules(everything)
        if rule[0] == "Ingress" and rule[2].startswith("sg-")
    }
    assert opened == {
        ("sg-00000000000000001", *ports) for ports in ((2049, 2049), (988, 988), (1018, 1023))
    }


def test_a_template_waits_for_the_mount_targets(everything: Template) -> None:
    (resource,) = found(everything, TEMPLATE).values()
    assert set(resource["DependsOn"]) == set(found(everything, "AWS::EFS::MountTarget"))


def test_a_key_pair_lets_its_holder_in(everything: Template) -> None:
    assert data(everything)["KeyName"] == "admin"


def test_the_version_is_an_attribute_and_never_a_number(stack: cdk.Stack) -> None:
    nodes = pcs.NodeLaunchTemplate(
        stack, "Nodes", instance_types=["c7i.large"], security_groups=[existing_group(stack)]
    )
    template_id = stack.resolve(nodes.launch_template_id)["Ref"]
    assert stack.resolve(nodes.version) == {"Fn::GetAtt": [template_id, "LatestVersionNumber"]}


def test_a_subnet_is_not_forgotten_without_efa(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=["c7i.4xlarge"],
        security_groups=[existing_group(stack)],
        subnet=vpc.private_subnets[1],
    )
    assert PRIVATE[1] in str(data(template(stack)))


def test_a_template_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    own = ec2.SecurityGroup(stack, "Own", vpc=vpc)
    nodes = pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=["c7i.4xlarge"],
        security_groups=[own],  # pyright: ignore[reportArgumentType]
    )
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    database.connections.allow_from(nodes, ec2.Port.tcp(3306))
    expected = (
        "Ingress",
        text_of(stack.resolve(database.security_group_id)),
        text_of(stack.resolve(own.security_group_id)),
        3306,
        3306,
    )
    assert expected in security_group_rules(template(stack))


def test_a_node_group_can_use_the_template(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes = pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=["c7i.4xlarge"],
        security_groups=[cluster.security_group],
    )
    cluster.add_compute_node_group(
        "compute",
        instance_types=["c7i.4xlarge"],
        scaling=pcs.Scaling.static(1),
        launch_template=nodes,
    )
    reference = only(template(stack), "AWS::PCS::ComputeNodeGroup")["CustomLaunchTemplate"]
    assert reference["TemplateId"] == stack.resolve(nodes.launch_template_id)
    assert reference["Version"] == stack.resolve(nodes.version)


def test_tokens_are_passed_on_as_they_are(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=[cdk.Fn.import_value("Type")],
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(stack, "G", cdk.Fn.import_value("Group"))
        ],
        mounts={"/data": pcs.EfsStorage(stack, "Data", vpc=vpc)},
        user_data=[pcs.UserDataPart.shell_script(f"#!/bin/sh\necho {cdk.Aws.REGION}")],
        key_pair=ec2.KeyPair.from_key_pair_name(stack, "K", cdk.Fn.import_value("Key")),
    )
    written = data(template(stack))
    assert written["SecurityGroupIds"] == [{"Fn::ImportValue": "Group"}]
    assert written["KeyName"] == {"Fn::ImportValue": "Key"}
    assert 'echo {"Ref": "AWS::Region"}' in text_of(written["UserData"]["Fn::Base64"])


def test_storage_in_another_stack_makes_no_cycle(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    home = pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    other = cdk.Stack(app, "Other")
    members = pcs.ClusterSecurityGroup(other, "Members", vpc=network.vpc)
    pcs.NodeLaunchTemplate(
        other,
        "Nodes",
        instance_types=["c7i.4xlarge"],
        security_groups=[members.security_group],
        mounts={"/home": home},
    )
    app.synth()
    assert [(r[0], r[3]) for r in security_group_rules(template(other)) if r[3]] == [
        ("Ingress", 2049)
    ]


# The root volume.


def test_a_root_volume_is_encrypted_gp3_and_goes_with_its_instance(stack: cdk.Stack) -> None:
    assert launched(stack, root_volume=ebs(100))["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/sda1",
            "Ebs": {
                "DeleteOnTermination": True,
                "Encrypted": True,
                "VolumeSize": 100,
                "VolumeType": "gp3",
            },
        }
    ]
    assert advised(stack) == set()


def test_a_root_volume_can_be_told_everything(stack: cdk.Stack) -> None:
    volume = ebs(
        200,
        volume_type=ec2.EbsDeviceVolumeType.GP3,
        iops=4000,
        throughput=500,
        encrypted=True,
        kms_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
        delete_on_termination=False,
    )
    written = launched(stack, root_volume=volume, root_device_name="/dev/xvda")
    assert written["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {
                "DeleteOnTermination": False,
                "Encrypted": True,
                "Iops": 4000,
                "KmsKeyId": KEY_ARN,
                "Throughput": 500,
                "VolumeSize": 200,
                "VolumeType": "gp3",
            },
        }
    ]
    assert advised(stack) == set()


def test_a_root_volume_may_be_of_each_type_that_boots(stack: cdk.Stack) -> None:
    boots = {"gp3": None, "gp2": None, "io1": 100, "io2": 100, "standard": None}
    for name, iops in boots.items():
        kind = ec2.EbsDeviceVolumeType[name.upper()]
        nodes(stack, name, root_volume=ebs(50, volume_type=kind, iops=iops))
    mappings = [
        made["LaunchTemplateData"]["BlockDeviceMappings"]
        for made in properties(template(stack), TEMPLATE)
    ]
    assert [mapping["Ebs"]["VolumeType"] for (mapping,) in mappings] == list(boots)


def test_a_root_volume_without_a_size_has_that_of_the_image(stack: cdk.Stack) -> None:
    volume = ec2.BlockDeviceVolume(ec2.EbsDeviceProps(iops=20_000))
    (mapping,) = launched(stack, root_volume=volume)["BlockDeviceMappings"]
    assert "VolumeSize" not in mapping["Ebs"]


def test_a_root_volume_may_be_left_unencrypted(stack: cdk.Stack) -> None:
    (mapping,) = launched(stack, root_volume=ebs(100, encrypted=False))["BlockDeviceMappings"]
    assert mapping["Ebs"]["Encrypted"] is False


def test_a_root_volume_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    size, iops, throughput = (
        cdk.CfnParameter(stack, name, type="Number").value_as_number
        for name in ("Size", "Iops", "Throughput")
    )
    volume = ebs(size, iops=iops, throughput=throughput)
    name = cdk.Fn.import_value("Name")
    (mapping,) = launched(stack, root_volume=volume, root_device_name=name)["BlockDeviceMappings"]
    assert mapping["DeviceName"] == {"Fn::ImportValue": "Name"}
    assert mapping["Ebs"]["VolumeSize"] == {"Ref": "Size"}
    assert mapping["Ebs"]["Iops"] == {"Ref": "Iops"}
    assert mapping["Ebs"]["Throughput"] == {"Ref": "Throughput"}


def policy_for_pcs(template: Template) -> list[tuple[Any, dict[str, Any]]]:
    """Actions and conditions of what the one key's policy says of anybody."""
    statements = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    return [(s["Action"], s["Condition"]) for s in statements if s["Principal"] == {"AWS": "*"}]


@pytest.mark.parametrize("alias", [True, False])
def test_pcs_may_use_a_key_that_is_made_in_the_app(stack: cdk.Stack, alias: bool) -> None:
    key = kms.Key(stack, "Key")
    volume = ebs(100, kms_key=key.add_alias("nodes") if alias else key)
    nodes(stack, "One", root_volume=volume)
    nodes(stack, "Two", root_volume=volume)
    (use, used), (grant, granted) = policy_for_pcs(template(stack))
    assert "kms:Decrypt" in use
    assert "kms:GenerateDataKey*" in use
    assert grant == "kms:CreateGrant"
    assert granted.pop("Bool") == {"kms:GrantIsForAWSResource": "true"}
    assert used == granted
    assert used["StringEquals"] == {"kms:CallerAccount": {"Ref": "AWS::AccountId"}}
    role = text_of(used["ArnEquals"]["aws:PrincipalArn"])
    assert role.endswith(":role/aws-service-role/pcs.amazonaws.com/AWSServiceRoleForPCS")
    assert "arn:aws:" not in role


def test_a_key_may_be_in_another_stack(app: cdk.App, stack: cdk.Stack) -> None:
    keys = cdk.Stack(app, "Keys")
    nodes(stack, root_volume=ebs(100, kms_key=kms.Key(keys, "Key")))
    app.synth()
    assert len(policy_for_pcs(template(keys))) == 2
    (mapping,) = data(template(stack))["BlockDeviceMappings"]
    assert mapping["Ebs"]["KmsKeyId"].keys() == {"Fn::ImportValue"}


def test_a_key_that_is_imported_by_its_alias_is_used_as_it_is(stack: cdk.Stack) -> None:
    key = kms.Alias.from_alias_name(stack, "Key", "alias/nodes")
    (mapping,) = launched(stack, root_volume=ebs(100, kms_key=key))["BlockDeviceMappings"]
    assert text_of(mapping["Ebs"]["KmsKeyId"]).endswith(":alias/nodes")
    assert properties(template(stack), "AWS::KMS::Key") == []


def test_fails_without_a_word_in_the_policy_of_the_key(stack: cdk.Stack) -> None:
    groups, key = [existing_group(stack)], kms.Key(stack, "Key")
    with refused(stack, "PCS612"):
        nodes(stack, security_groups=groups, root_volume=ebs(100, iops=1, kms_key=key))
    assert policy_for_pcs(template(stack)) == []


# Metadata and tags.


def test_the_metadata_service_can_be_told_how_far_it_answers_and_of_tags(
    stack: cdk.Stack,
) -> None:
    written = launched(stack, http_put_response_hop_limit=64, instance_metadata_tags=True)
    assert written["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 64,
        "InstanceMetadataTags": "enabled",
    }


def test_monitoring_can_be_detailed(stack: cdk.Stack) -> None:
    assert launched(stack, detailed_monitoring=True)["Monitoring"] == {"Enabled": True}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {"Name": "Nodes"}, id="none"),
        pytest.param({"Project": "cfd"}, {"Name": "Nodes", "Project": "cfd"}, id="one"),
        pytest.param({"a": "b", "Name": "mine"}, {"Name": "mine", "a": "b"}, id="another name"),
        pytest.param(
            {cdk.Fn.import_value("Key"): cdk.Fn.import_value("Value")},
            {"Name": "Nodes", '{"Fn::ImportValue": "Key"}': '{"Fn::ImportValue": "Value"}'},
            id="tokens",
        ),
    ],
)
def test_tags_are_on_instances_volumes_and_interfaces(
    stack: cdk.Stack, given: dict[str, str], expected: dict[str, str]
) -> None:
    written = launched(stack, instance_tags=given, instance_metadata_tags=True)
    found = {
        made["ResourceType"]: {text_of(tag["Key"]): text_of(tag["Value"]) for tag in made["Tags"]}
        for made in written["TagSpecifications"]
    }
    assert found == dict.fromkeys(("instance", "volume", "network-interface"), expected)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        pytest.param("PCS613", {"root_volume": ebs(100, encrypted=False)}, id="no encryption"),
        pytest.param("PCS616", {"http_put_response_hop_limit": 1}, id="no credentials in jobs"),
    ],
)
def test_what_is_unwise_is_advised_against_until_somebody_says_it_is_meant(
    stack: cdk.Stack, code: str, arguments: dict[str, Any]
) -> None:
    made = nodes(stack, **arguments)
    assert advised(stack) == {code}
    acknowledgment = cdk.Acknowledgment(id=f"pcs-constructs:{code}", reason="we mean it")
    cdk.Validations.of(made).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


# Types that are described.


def test_a_described_type_has_efa_on_its_own_cards(stack: cdk.Stack) -> None:
    known = instances.known(["p6-b200.48xlarge"])["p6-b200.48xlarge"]
    new = replace(known, name="p9.48xlarge", efa_interfaces=2)
    made = nodes(stack, instance_types=[new], efa=True)
    interfaces = data(template(stack))["NetworkInterfaces"]
    assert [(i["NetworkCardIndex"], i["InterfaceType"]) for i in interfaces] == [
        (0, "efa"),
        (1, "efa"),
    ]
    assert made.addresses == 2


# Imported.


def test_an_imported_template_is_used_as_it_is(stack: cdk.Stack) -> None:
    nodes = pcs.NodeLaunchTemplate.from_launch_template_attributes(
        stack, "Nodes", launch_template_id="lt-0123456789abcdef0", version="3"
    )
    assert (nodes.launch_template_id, nodes.version) == ("lt-0123456789abcdef0", "3")
    assert properties(template(stack), TEMPLATE) == []
    assert advised(stack) == set()


def test_an_imported_template_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    nodes = pcs.NodeLaunchTemplate.from_launch_template_attributes(
        stack,
        "Nodes",
        launch_template_id=cdk.Fn.import_value("Id"),
        version=cdk.Fn.import_value("Version"),
    )
    assert stack.resolve(nodes.version) == {"Fn::ImportValue": "Version"}
    assert advised(stack) == set()


@pytest.mark.parametrize("version", ["$Latest", "$Default", ""])
def test_a_version_that_is_no_number_is_advised_against(stack: cdk.Stack, version: str) -> None:
    pcs.NodeLaunchTemplate.from_launch_template_attributes(
        stack, "Nodes", launch_template_id="lt-0123456789abcdef0", version=version
    )
    assert advised(stack) == {"PCS606"}


@pytest.mark.parametrize("id", ["nodes", "pcs-abc-do-not-delete", "", "lt-"])
def test_fails_on_what_is_no_launch_template_id(stack: cdk.Stack, id: str) -> None:
    with refused(stack, "PCS605"):
        pcs.NodeLaunchTemplate.from_launch_template_attributes(
            stack, "Nodes", launch_template_id=id, version="1"
        )


# What cannot be.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS001"}, {"instance_types": "c7i.4xlarge"}, id="a string of types"),
        pytest.param({"PCS001"}, {"security_groups": "sg-0123456789"}, id="a string of groups"),
        pytest.param({"PCS001"}, {"user_data": "#!/bin/sh"}, id="a string of user data"),
        pytest.param({"PCS602"}, {"efa": True}, id="a type without EFA"),
        pytest.param(
            {"PCS603"},
            {"efa": True, "instance_types": ["p5.48xlarge", "p6-b300.48xlarge"]},
            id="cards that differ",
        ),
        pytest.param({"PCS604"}, {"efa": True, "instance_types": ["zz9.large"]}, id="unknown"),
        pytest.param(
            {"PCS003"}, {"root_volume": ec2.BlockDeviceVolume.ephemeral(0)}, id="a local disk"
        ),
        pytest.param(
            {"PCS003"},
            {"root_volume": ec2.BlockDeviceVolume.ebs_from_snapshot("snap-0123456789")},
            id="a snapshot",
        ),
        pytest.param(
            {"PCS612"},
            {"root_volume": ebs(100, volume_type=ec2.EbsDeviceVolumeType.IO2)},
            id="io2 without iops",
        ),
        pytest.param({"PCS612"}, {"root_volume": ebs(100, iops=0)}, id="no iops"),
        pytest.param({"PCS612"}, {"root_volume": ebs(100, throughput=0)}, id="no throughput"),
        pytest.param({"PCS614"}, {"root_device_name": "/dev/sda1"}, id="a name alone"),
        pytest.param(
            {"PCS614"}, {"root_volume": ebs(100), "root_device_name": ""}, id="an empty name"
        ),
        pytest.param({"PCS615"}, {"http_put_response_hop_limit": 0}, id="no hop"),
        pytest.param({"PCS615"}, {"http_put_response_hop_limit": 65}, id="too many hops"),
        pytest.param({"PCS617"}, {"instance_tags": {"aws:cfd": "x"}}, id="a tag of AWS"),
        pytest.param(
            {"PCS617"},
            {"instance_tags": {"cost center": "x"}, "instance_metadata_tags": True},
            id="a tag that cannot be shown",
        ),
        pytest.param(
            {"PCS612", "PCS614", "PCS615", "PCS617"},
            {
                "root_volume": ebs(100, iops=1),
                "root_device_name": "sda1",
                "http_put_response_hop_limit": -1,
                "instance_tags": {"": "x"},
            },
            id="four at once",
        ),
        pytest.param(
            {"PCS901"},
            {"user_data": [pcs.UserDataPart.shell_script("#!/bin/sh\n" + "#" * 16_384)]},
            id="too much user data",
        ),
        pytest.param(
            {"PCS902"}, {"user_data": [pcs.UserDataPart.shell_script("ls")]}, id="no interpreter"
        ),
        pytest.param(
            {"PCS602", "PCS902"},
            {"efa": True, "user_data": [pcs.UserDataPart.shell_script("ls")]},
            id="two at once",
        ),
    ],
)
def test_fails_on_what_cannot_be_launched(
    stack: cdk.Stack, codes: set[str], arguments: dict[str, Any]
) -> None:
    groups = [existing_group(stack)]
    with refused(stack, *codes):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            **{"instance_types": ["c7i.4xlarge"], "security_groups": groups, **arguments},
        )


def test_fails_on_efa_with_a_type_that_is_a_token(stack: cdk.Stack) -> None:
    groups = [existing_group(stack)]
    with refused(stack, "PCS604"):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=[cdk.Fn.import_value("Type")],
            security_groups=groups,
            efa=True,
        )


def test_fails_on_efa_without_a_type(stack: cdk.Stack) -> None:
    groups = [existing_group(stack)]
    with refused(stack):
        pcs.NodeLaunchTemplate(stack, "Nodes", instance_types=[], security_groups=groups, efa=True)


@pytest.mark.parametrize("mounts", [False, True])
def test_fails_without_a_security_group(stack: cdk.Stack, vpc: ec2.IVpc, mounts: bool) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    with refused(stack):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=["c7i.4xlarge"],
            security_groups=[],
            mounts={"/home": home} if mounts else None,
        )


def test_fails_on_mount_points_that_cannot_be(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    groups = [existing_group(stack)]
    one, two = (pcs.EfsStorage(stack, place, vpc=vpc) for place in ("One", "Two"))
    with refused(stack, "PCS501", "PCS502", "PCS503"):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=["c7i.4xlarge"],
            security_groups=groups,
            mounts={"/etc": one, "data": one, "/a": one, "/a/b": two},
        )


def test_fails_on_a_key_pair_with_too_long_a_name(stack: cdk.Stack) -> None:
    groups = [existing_group(stack)]
    key_pair = ec2.KeyPair.from_key_pair_name(stack, "Key", "k" * 256)
    with refused(stack, "PCS607"):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=["c7i.4xlarge"],
            security_groups=groups,
            key_pair=key_pair,
        )


def test_fails_on_several_interfaces_in_a_public_subnet(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    groups = [existing_group(stack)]
    with refused(stack, "PCS407"):
        pcs.NodeLaunchTemplate(
            stack,
            "Nodes",
            instance_types=["hpc7a.96xlarge"],
            security_groups=groups,
            subnet=vpc.public_subnets[0],
            efa=True,
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {"instance_types": [{"InstanceType": "c7i.4xlarge"}]},
        {"root_volume": 100},
        {"root_volume": ec2.BlockDevice(device_name="/dev/sda1", volume=ebs(100))},
        {"root_device_name": 5},
        {"detailed_monitoring": "yes"},
        {"instance_tags": [("Project", "cfd")]},
        {"instance_tags": {"Project": 7}},
        {"http_put_response_hop_limit": "2"},
        {"http_put_response_hop_limit": True},
        {"instance_metadata_tags": "enabled"},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any]) -> None:
    groups = [existing_group(stack)]
    with refused(stack, "PCS003"):
        nodes(stack, security_groups=groups, **arguments)
