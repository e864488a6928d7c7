from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import (
    existing_vpc,
    found,
    only,
    security_group_rules,
    template,
    text_of,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.ClusterSecurityGroup(stack, "Group", vpc=existing_vpc(stack))
    return template(stack)


def test_members_talk_to_each_other_in_both_directions_on_every_port(default: Template) -> None:
    (group,) = found(default, "AWS::EC2::SecurityGroup")
    itself = text_of({"Fn::GetAtt": [group, "GroupId"]})
    assert security_group_rules(default) == {
        ("Ingress", itself, itself, None, None),
        ("Egress", itself, itself, None, None),
    }
    for kind in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        assert only(default, kind)["IpProtocol"] == "-1"


def test_members_reach_every_ipv4_address_and_nobody_else_reaches_them(default: Template) -> None:
    group = only(default, "AWS::EC2::SecurityGroup")
    assert [(r["CidrIp"], r["IpProtocol"]) for r in group["SecurityGroupEgress"]] == [
        ("0.0.0.0/0", "-1")
    ]
    assert "SecurityGroupIngress" not in group
    assert group["VpcId"] == "vpc-0123456789abcdef0"


def test_the_group_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    members = pcs.ClusterSecurityGroup(stack, "Members", vpc=vpc)
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    database.connections.allow_from(members, ec2.Port.tcp(3306))
    made = template(stack)
    assert (
        "Ingress",
        text_of(stack.resolve(database.security_group_id)),
        text_of(stack.resolve(members.security_group.security_group_id)),
        3306,
        3306,
    ) in security_group_rules(made)


def test_the_vpc_may_be_known_by_tokens_only(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=cdk.Fn.import_value("VpcId"),
        availability_zones=[cdk.Fn.import_value("Zone")],
        private_subnet_ids=[cdk.Fn.import_value("Subnet")],
    )
    pcs.ClusterSecurityGroup(stack, "Members", vpc=vpc)
    group = only(template(stack), "AWS::EC2::SecurityGroup")
    assert group["VpcId"] == {"Fn::ImportValue": "VpcId"}


def test_a_cluster_in_another_stack_can_use_the_group(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    members = pcs.ClusterSecurityGroup(stack, "Members", vpc=network.vpc)
    other = cdk.Stack(app, "Other")
    pcs.Cluster(other, "Cluster", vpc=network.vpc, security_group=members.security_group)
    app.synth()
    assert found(template(other), "AWS::EC2::SecurityGroup") == {}
