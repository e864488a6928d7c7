"""Who may read what AWS PCS keeps in Secrets Manager, who reaches the REST API, and IPv6."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

import pcs_constructs as pcs
from tests.constructs.templates import (
    advised,
    existing_group,
    existing_vpc,
    found,
    only,
    properties,
    refused,
    template,
    text_of,
)

CLUSTER = "AWS::PCS::Cluster"


def imported(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> pcs.ICluster:
    return pcs.Cluster.from_cluster_attributes(
        stack,
        "Imported",
        cluster_id="pcs_abc123",
        vpc=vpc,
        security_group=existing_group(stack),
        **arguments,
    )


def role(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def statement(stack: cdk.Stack) -> dict[str, Any]:
    (policy,) = properties(template(stack), "AWS::IAM::Policy")
    (one,) = policy["PolicyDocument"]["Statement"]
    assert one["Effect"] == "Allow"
    assert one["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    return one


def test_who_is_granted_the_secret_may_read_that_of_the_cluster_alone(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    cluster.grant_secret_read(role(stack))
    (cluster_id,) = found(template(stack), CLUSTER)
    one = statement(stack)
    arn = text_of(one["Resource"])
    reference = json.dumps({"Fn::GetAtt": [cluster_id, "Id"]})
    assert arn.endswith(f":secret:pcs!slurm-secret-{reference}-??????")
    assert '{"Ref": "AWS::Partition"}:secretsmanager:' in arn
    assert "Condition" not in one


def test_the_secret_of_an_imported_cluster_is_granted_as_well(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    imported(stack, vpc).grant_secret_read(role(stack))
    arn = text_of(statement(stack)["Resource"])
    assert arn.endswith(":secret:pcs!slurm-secret-pcs_abc123-??????")


@pytest.mark.parametrize("owned", [True, False])
def test_who_is_granted_the_key_of_the_rest_api_may_read_what_is_tagged_with_the_cluster(
    stack: cdk.Stack, vpc: ec2.IVpc, owned: bool
) -> None:
    cluster = (
        pcs.Cluster(stack, "Cluster", vpc=vpc, rest_api=True) if owned else imported(stack, vpc)
    )
    cluster.grant_jwt_key_read(role(stack))
    one = statement(stack)
    assert text_of(one["Resource"]).endswith(":secret:pcs!*")
    (test,) = one["Condition"].values()
    ((tag, value),) = test.items()
    assert tag == "aws:ResourceTag/aws:pcs:cluster-id"
    assert value == ("pcs_abc123" if not owned else value)
    assert "pcs" in value or value["Fn::GetAtt"][1] == "Id"


def test_a_grantee_may_be_in_another_stack(app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    other = cdk.Stack(app, "Other")
    cluster.grant_secret_read(role(other))
    assert "Fn::ImportValue" in text_of(statement(other)["Resource"])


@pytest.mark.parametrize("grantee", [None, "role"])
def test_fails_when_a_secret_is_granted_to_nobody(
    stack: cdk.Stack, vpc: ec2.IVpc, grantee: Any
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with refused(stack, "PCS003"):
        cluster.grant_secret_read(grantee)


# The REST API.


def test_the_port_of_the_rest_api_is_opened_to_whom_the_user_names(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    peers = [ec2.Peer.ipv4("10.0.8.0/24"), existing_group(stack)]
    pcs.Cluster(stack, "Cluster", vpc=vpc, rest_api=True, rest_api_from=peers)
    made = template(stack)
    (group,) = properties(made, "AWS::EC2::SecurityGroup")
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.0.8.0/24", 6820, 6820)
    (between,) = [
        rule
        for rule in properties(made, "AWS::EC2::SecurityGroupIngress")
        if rule["SourceSecurityGroupId"] == "sg-00000000000000001"
    ]
    assert (between["FromPort"], between["ToPort"]) == (6820, 6820)
    assert only(made, CLUSTER)["SlurmConfiguration"] == {"SlurmRest": {"Mode": "STANDARD"}}
    assert advised(stack) == set()


def test_the_rest_api_is_open_to_nobody_else(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, rest_api=True)
    (group,) = properties(template(stack), "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group


def test_a_rest_api_for_the_world_is_advised_against(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, rest_api=True, rest_api_from=[ec2.Peer.any_ipv4()])
    assert advised(stack) == {"PCS408"}


# IPv6.


def test_an_ipv6_cluster_says_so_and_lets_ipv6_out(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Dual", ip_protocol=ec2.IpProtocol.DUAL_STACK)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, network_type=pcs.NetworkType.IPV6)
    made = template(stack)
    assert only(made, CLUSTER)["Networking"]["NetworkType"] == "IPV6"
    (group,) = properties(made, "AWS::EC2::SecurityGroup")
    outward = {rule.get("CidrIp") or rule["CidrIpv6"] for rule in group["SecurityGroupEgress"]}
    assert outward == {"0.0.0.0/0", "::/0"}
    cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=1)
    )


def test_an_ipv4_cluster_leaves_the_type_to_the_service(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc)
    assert "NetworkType" not in only(template(stack), CLUSTER)["Networking"]


def test_another_network_type_makes_another_name() -> None:
    vpc = existing_vpc(cdk.Stack(cdk.App(), "Stack"))
    names = {
        pcs.Cluster(cdk.Stack(cdk.App(), "Stack"), "Cluster", vpc=vpc, network_type=type_).name
        for type_ in pcs.NetworkType
    }
    assert len(names) == 2


def test_fails_on_an_ipv6_cluster_in_a_subnet_without_ipv6(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Four")
    with refused(stack, "PCS416"):
        pcs.Cluster(stack, "Cluster", vpc=vpc, network_type=pcs.NetworkType.IPV6)


def test_fails_on_nodes_of_an_ipv6_cluster_in_a_subnet_without_ipv6(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Four")
    cluster = imported(stack, vpc, network_type=pcs.NetworkType.IPV6)
    with refused(stack, "PCS416"):
        pcs.ComputeNodeGroup(
            stack,
            "compute",
            cluster=cluster,
            instance_types=["c7i.4xlarge"],
            scaling=pcs.Scaling.dynamic(max=1),
            subnets=vpc.private_subnets,
        )


def test_subnets_that_are_imported_are_not_judged(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, network_type=pcs.NetworkType.IPV6)
    assert only(template(stack), CLUSTER)["Networking"]["NetworkType"] == "IPV6"


# What is known of an imported cluster.


def test_an_imported_cluster_may_tell_what_it_does(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = imported(
        stack,
        vpc,
        slurm=pcs.SlurmVersion.V25_11,
        accounting=pcs.Accounting(qos=["high"]),
        memory_aware=True,
    )
    group = pcs.ComputeNodeGroup(
        stack,
        "compute",
        cluster=cluster,
        instance_types=["c7i.4xlarge"],
        scaling=pcs.Scaling.dynamic(max=1),
    )
    pcs.Queue(stack, "jobs", cluster=cluster, node_groups=[group], qos="high")
    with refused(stack, "PCS831"):
        pcs.Queue(stack, "others", cluster=cluster, node_groups=[group], qos="low")
    told = only(template(stack), "AWS::PCS::ComputeNodeGroup")["SlurmConfiguration"]
    assert told["SlurmCustomSettings"] == [
        {"ParameterName": "RealMemory", "ParameterValue": "31129"}
    ]
