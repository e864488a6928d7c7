from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import (
    existing_group,
    existing_vpc,
    found,
    refused,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

SERVER: dict[str, Any] = {"host": "10.0.0.5", "export": "/export/tools"}


def test_an_nfs_server_is_mounted_hard_and_in_the_version_that_both_sides_speak() -> None:
    share = pcs.NfsStorage(**SERVER).file_share
    assert share.source == "10.0.0.5:/export/tools"
    assert (share.type, share.options) == ("nfs", "_netdev,hard,timeo=600,retrans=2")
    assert share.client is pcs.MountClient.NFS
    assert share.security_groups == ()


def test_options_are_the_users_apart_from_what_the_boot_needs() -> None:
    storage = pcs.NfsStorage(
        **SERVER, version=pcs.NfsVersion.V4_1, options=["_netdev", "ro,noresvport", "nconnect=16"]
    )
    assert storage.file_share.options == "_netdev,nfsvers=4.1,ro,noresvport,nconnect=16"


def test_no_option_has_to_be_given() -> None:
    assert pcs.NfsStorage(**SERVER, options=[]).file_share.options == "_netdev"


def test_root_may_seldom_write_to_home_so_nothing_is_copied_there() -> None:
    assert not pcs.NfsStorage(**SERVER).file_share.mount("/home").keep_existing
    kept = pcs.NfsStorage(**SERVER, keep_home=True).file_share
    assert kept.mount("/home").keep_existing
    assert not kept.mount("/tools").keep_existing


def test_the_port_is_opened_in_the_group_of_the_server_only(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    share = pcs.NfsStorage(**SERVER, security_group=existing_group(stack)).file_share
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc)
    share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    client = text_of(stack.resolve(nodes.security_group_id))
    assert security_group_rules(template(stack)) == {
        ("Ingress", "sg-00000000000000001", client, 2049, 2049)
    }


def test_given_ports_are_opened_and_nodes_that_may_not_go_out_get_a_way(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    share = pcs.NfsStorage(
        **SERVER,
        version=pcs.NfsVersion.V3,
        security_group=existing_group(stack),
        ports=[pcs.Ports(first=111, last=111), pcs.Ports(protocol="udp", first=2049, last=2050)],
    ).file_share
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc, allow_all_outbound=False)
    share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    made = template(stack)
    assert {(rule[0], *rule[3:]) for rule in security_group_rules(made)} == {
        (direction, *ports)
        for direction in ("Ingress", "Egress")
        for ports in ((111, 111), (2049, 2050))
    }
    protocols = {
        rule["Properties"]["IpProtocol"]
        for rule in found(made, "AWS::EC2::SecurityGroupIngress").values()
    }
    assert protocols == {"tcp", "udp"}


def test_a_server_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    host, export, option = (cdk.Fn.import_value(name) for name in ("Host", "Export", "Option"))
    share = pcs.NfsStorage(host=host, export=export, options=[option]).file_share
    assert stack.resolve(share.source) == {
        "Fn::Join": ["", [{"Fn::ImportValue": "Host"}, ":", {"Fn::ImportValue": "Export"}]]
    }
    assert stack.resolve(share.options) == {
        "Fn::Join": ["", ["_netdev,", {"Fn::ImportValue": "Option"}]]
    }


def test_a_cluster_mounts_it_in_another_stack_than_the_servers(app: cdk.App) -> None:
    theirs, ours = cdk.Stack(app, "Theirs"), cdk.Stack(app, "Ours")
    servers = ec2.SecurityGroup(theirs, "Servers", vpc=existing_vpc(theirs))
    tools = pcs.NfsStorage(**SERVER, security_group=servers)  # pyright: ignore[reportArgumentType]
    cluster = pcs.Cluster(ours, "Cluster", vpc=existing_vpc(ours), mounts={"/tools": tools})
    cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=4)
    )
    made = template(ours)
    (launch_template,) = found(made, "AWS::EC2::LaunchTemplate").values()
    user_data = launch_template["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    line = "mount_at '/tools' '10.0.0.5:/export/tools' 'nfs' '_netdev,hard,timeo=600,retrans=2'"
    assert line in text_of(user_data)
    assert (2049, 2049) in {rule[3:] for rule in security_group_rules(made)}
    assert security_group_rules(template(theirs)) == set()


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS555"}, {"host": "fd00::5"}, id="IPv6 without brackets"),
        pytest.param({"PCS555"}, {"export": "/it's"}, id="quote in the export"),
        pytest.param({"PCS556"}, {"options": ["hard", "nofail"]}, id="nofail"),
        pytest.param({"PCS557"}, {"ports": [pcs.Ports(first=2049, last=2049)]}, id="no group"),
        pytest.param(
            {"PCS555", "PCS556", "PCS557"},
            {"host": "", "options": ["a b"], "ports": []},
            id="all at once",
        ),
        pytest.param({"PCS001"}, {"options": "hard,ro"}, id="options in one text"),
        pytest.param({"PCS001"}, {"ports": 2049}, id="one port"),
    ],
)
def test_fails_on_a_server_that_cannot_be_mounted(
    stack: cdk.Stack, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.NfsStorage(**{**SERVER, **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": 10},
        {"export": ["/export"]},
        {"version": "4.1"},
        {"options": ["hard", 600]},
        {"security_group": "sg-0123456789abcdef0"},
        {"ports": [2049]},
        {"keep_home": "yes"},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any]) -> None:
    with refused(stack, "PCS003"):
        pcs.NfsStorage(**{**SERVER, **arguments})
