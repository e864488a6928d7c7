from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
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
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

TEMPLATE = "AWS::EC2::LaunchTemplate"
SCRIPT = pcs.UserDataPart.shell_script("#!/bin/sh\necho hello")


def data(template: Template) -> dict[str, Any]:
    return only(template, TEMPLATE)["LaunchTemplateData"]


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
    for absent in ("NetworkInterfaces", "Placement", "UserData", "KeyName"):
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
