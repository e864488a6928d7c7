from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

import pcs_constructs as pcs
from tests.constructs.templates import (
    PRIVATE,
    PUBLIC,
    advised,
    existing_group,
    existing_vpc,
    found,
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
    from collections.abc import Mapping

    from aws_cdk.assertions import Template

TYPES = ["c7i.4xlarge"]
BY_DEFAULT = {"pcs", "ssm", "ssmmessages"}


def isolated(stack: cdk.Stack, **arguments: Any) -> pcs.Cluster:
    """A cluster in a network that leads nowhere."""
    network = pcs.Network(stack, "Network", isolated=True, **arguments)
    return pcs.Cluster(stack, "Cluster", vpc=network.vpc)


def with_nodes(cluster: pcs.Cluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    nodes = cluster.add_compute_node_group(
        id, instance_types=TYPES, scaling=pcs.Scaling.dynamic(max=4), **arguments
    )
    cluster.add_queue(f"{id}-queue", node_groups=[nodes])
    return nodes


def endpoints(template: Template) -> Mapping[str, dict[str, Any]]:
    """The interface endpoints by what follows the Region in their names."""
    return {
        text_of(endpoint["ServiceName"]).partition('"AWS::Region"}.')[2]: endpoint
        for endpoint in properties(template, "AWS::EC2::VPCEndpoint")
        if endpoint["VpcEndpointType"] == "Interface"
    }


def test_endpoints_are_private_names_in_the_cluster_subnet(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints")
    made = endpoints(template(stack))
    assert set(made) == BY_DEFAULT
    for endpoint in made.values():
        assert endpoint["PrivateDnsEnabled"] is True
        assert endpoint["SubnetIds"] == [stack.resolve(cluster.subnet.subnet_id)]
        assert "PolicyDocument" not in endpoint


def test_endpoints_are_open_to_nodes_at_port_443_and_to_nobody_else(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    made = cluster.add_endpoints("Endpoints")
    own = text_of(stack.resolve(made.security_group.security_group_id))
    nodes = text_of(stack.resolve(cluster.security_group.security_group_id))
    to_endpoints = {rule for rule in security_group_rules(template(stack)) if rule[1] == own}
    assert to_endpoints == {("Ingress", own, nodes, 443, 443)}
    group = referred(template(stack), stack.resolve(made.security_group.security_group_id))
    assert "SecurityGroupIngress" not in group["Properties"]
    assert "0.0.0.0/0" not in str(group)


def test_restricted_nodes_reach_endpoints_and_the_controller_does_not(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", isolated=True)
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        security_groups=pcs.ClusterSecurityGroups.restricted(all_outbound=False),
    )
    cluster.add_endpoints("Endpoints")
    at_443 = {(way, peer) for way, _, peer, first, _ in security_group_rules(template(stack)) if
              first == 443}  # fmt: skip
    ids = [
        text_of(stack.resolve(group.security_group_id))
        for group in (cluster.compute_security_group, cluster.login_security_group)
    ]
    assert {peer for way, peer in at_443 if way == "Ingress"} == set(ids)
    assert len([way for way, _ in at_443 if way == "Egress"]) == 1  # from both, to the same


def test_what_is_granted_to_nodes_gets_an_endpoint(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    secretsmanager.Secret(stack, "License").grant_read(nodes)
    s3.Bucket(stack, "Data").grant_read(nodes)
    made = cluster.add_endpoints("Endpoints")
    assert (
        set(made.endpoints)
        == set(endpoints(template(stack)))
        == {
            *BY_DEFAULT,
            "secretsmanager",
        }
    )


def test_what_lifecycle_scripts_call_gets_an_endpoint(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    script = pcs.LifecycleScript.maintained("configure-cloudwatch-logs")
    with_nodes(cluster, lifecycle_actions=[pcs.LifecycleAction(name="Logs", script=script)])
    assert set(cluster.add_endpoints("Endpoints").endpoints) == {*BY_DEFAULT, "logs"}


def test_managed_policies_tell_what_is_called_too(stack: cdk.Stack, app: cdk.App) -> None:
    cluster = isolated(stack)
    profile = pcs.NodeInstanceProfile(
        stack,
        "Profile",
        session_manager=False,
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("CloudWatchAgentServerPolicy")
        ],
    )
    with_nodes(cluster, instance_profile=profile)
    assert set(cluster.add_endpoints("Endpoints").endpoints) == {"pcs", "logs", "monitoring"}
    app.synth()


def test_policies_of_an_imported_role_tell_what_is_called(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    role = iam.Role.from_role_name(stack, "Role", "AWSPCS-nodes")
    profile = pcs.NodeInstanceProfile(stack, "Profile", role=role, session_manager=False)
    with_nodes(cluster, instance_profile=profile)
    secretsmanager.Secret(stack, "License").grant_read(role)
    made = cluster.add_endpoints("Endpoints")
    assert set(made.endpoints) == {"pcs", "secretsmanager"}


def test_profiles_without_a_role_tell_nothing(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(
        stack, "Profile", "arn:aws:iam::123456789012:instance-profile/aws-pcs/nodes"
    )
    with_nodes(cluster, instance_profile=profile)
    assert set(cluster.add_endpoints("Endpoints").endpoints) == {"pcs"}


def test_further_services_are_asked_for_by_name(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints", services=["ecr.api", "sts", "s3"])
    made = endpoints(template(stack))
    assert set(made) == {*BY_DEFAULT, "ecr.api", "sts", "s3"}
    # Its names would otherwise need a gateway endpoint beside it.
    assert made["s3"]["DnsOptions"] == {"PrivateDnsOnlyForInboundResolverEndpoint": "AllResolvers"}
    assert "DnsOptions" not in made["sts"]


def test_endpoints_may_be_in_several_zones(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", isolated=True, endpoint_subnets=True)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    cluster.add_endpoints("Endpoints", subnets=network.endpoint_subnets)
    made = template(stack)
    for endpoint in endpoints(made).values():
        names = [
            tag["Value"]
            for subnet in endpoint["SubnetIds"]
            for tag in referred(made, subnet)["Properties"]["Tags"]
            if tag["Key"] == "aws-cdk:subnet-name"
        ]
        assert names == ["Endpoints", "Endpoints"]


def test_node_groups_wait_for_endpoints_whenever_they_are_added(
    app: cdk.App, stack: cdk.Stack
) -> None:
    cluster = isolated(stack)
    with_nodes(cluster, "before")
    cluster.add_endpoints("Endpoints")
    with_nodes(cluster, "after")
    app.synth()
    made = template(stack)
    own = {
        key
        for key, endpoint in found(made, "AWS::EC2::VPCEndpoint").items()
        if endpoint["Properties"]["VpcEndpointType"] == "Interface"
    }
    groups = found(made, "AWS::PCS::ComputeNodeGroup").values()
    assert [own <= set(group["DependsOn"]) for group in groups] == [True, True]
    (cluster_resource,) = found(made, "AWS::PCS::Cluster").values()
    assert own.isdisjoint(cluster_resource.get("DependsOn", []))


def test_a_policy_lets_nodes_register_with_their_cluster_alone(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints", policy=pcs.EndpointPolicy.for_cluster(cluster))
    made = endpoints(template(stack))
    (register,) = made["pcs"]["PolicyDocument"]["Statement"]
    assert register["Action"] == "pcs:RegisterComputeNodeGroupInstance"
    cluster_id = text_of(stack.resolve(cluster.cluster_id))
    assert all(f":cluster/{cluster_id}" in text_of(arn) for arn in register["Resource"])
    ours = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
    for endpoint in made.values():
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Condition"] == ours
        assert statement["Effect"] == "Allow"


def test_policies_may_be_ones_own(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    own = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(actions=["ssm:*"], resources=["*"], principals=[iam.AnyPrincipal()])
        ]
    )
    cluster.add_endpoints("Endpoints", policy=pcs.EndpointPolicy.of({"ssm": own}))
    made = endpoints(template(stack))
    assert [service for service in made if "PolicyDocument" in made[service]] == ["ssm"]
    both = pcs.EndpointPolicy.for_cluster(cluster, documents={"ssm": own})
    assert both.documents["ssm"] is own
    assert both.others is not None


def test_others_in_the_vpc_may_be_let_in(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    made = cluster.add_endpoints("Endpoints")
    other = ec2.SecurityGroup(stack, "Other", vpc=cluster.vpc)
    made.connections.allow_default_port_from(other)
    own = text_of(stack.resolve(made.security_group.security_group_id))
    client = text_of(stack.resolve(other.security_group_id))
    assert ("Ingress", own, client, 443, 443) in security_group_rules(template(stack))


def test_an_imported_cluster_can_have_endpoints(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    imported = pcs.Cluster.from_cluster_attributes(
        stack,
        "Cluster",
        cluster_id="pcs_1a2b3c4d5e",
        vpc=vpc,
        security_group=existing_group(stack),
    )
    nodes = pcs.ComputeNodeGroup(
        stack, "nodes", cluster=imported, instance_types=TYPES, scaling=pcs.Scaling.static(1)
    )
    pcs.ClusterEndpoints(stack, "Endpoints", cluster=imported)
    made = template(stack)
    assert set(endpoints(made)) == BY_DEFAULT
    assert endpoints(made)["pcs"]["SubnetIds"] == [PRIVATE[0]]
    assert endpoints(made)["pcs"]["VpcId"] == "vpc-0123456789abcdef0"
    waiting = found(made, "AWS::PCS::ComputeNodeGroup").values()
    assert [len(group["DependsOn"]) for group in waiting] == [4]  # three and their one rule
    assert nodes.instance_profile is imported.instance_profile


def test_endpoints_may_be_in_a_nested_stack(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    nested = cdk.NestedStack(stack, "Nested")
    with_nodes(cluster)
    pcs.ClusterEndpoints(nested, "Endpoints", cluster=cluster)
    app.synth()
    assert set(endpoints(template(nested))) == BY_DEFAULT
    groups = found(template(stack), "AWS::PCS::ComputeNodeGroup").values()
    (nested_resource,) = found(template(stack), "AWS::CloudFormation::Stack")
    assert [nested_resource in group["DependsOn"] for group in groups] == [True]


def test_endpoints_may_be_in_a_stack_after_the_nodes(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    with_nodes(cluster)
    other = cdk.Stack(app, "Other")
    pcs.ClusterEndpoints(other, "Endpoints", cluster=cluster)
    app.synth()
    assert set(endpoints(template(other))) == BY_DEFAULT
    assert "DependsOn" not in next(
        iter(found(template(stack), "AWS::PCS::ComputeNodeGroup").values())
    )


def test_nodes_in_a_stack_after_the_endpoints_have_them_first(
    app: cdk.App, stack: cdk.Stack
) -> None:
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints")
    later = cdk.Stack(app, "Later")
    nodes = pcs.ComputeNodeGroup(
        later, "nodes", cluster=cluster, instance_types=TYPES, scaling=pcs.Scaling.static(1)
    )
    pcs.Queue(later, "all", cluster=cluster, node_groups=[nodes])
    app.synth()
    assert [before.stack_name for before in later.dependencies] == ["Stack"]


def test_fails_in_a_nested_stack_beside_that_of_the_cluster(stack: cdk.Stack) -> None:
    cluster = isolated(cdk.NestedStack(stack, "Nested"))
    beside = cdk.NestedStack(stack, "Beside")
    with refused(beside, "PCS431"):
        pcs.ClusterEndpoints(beside, "Endpoints", cluster=cluster)


def test_fails_in_the_stack_around_that_of_the_cluster(stack: cdk.Stack) -> None:
    cluster = isolated(cdk.NestedStack(stack, "Nested"))
    with refused(stack, "PCS431"):
        pcs.ClusterEndpoints(stack, "Endpoints", cluster=cluster)


def test_fails_in_the_stack_of_the_vpc_when_the_cluster_is_in_a_later_one(
    app: cdk.App, stack: cdk.Stack
) -> None:
    network = pcs.Network(stack, "Network", isolated=True)
    cluster = pcs.Cluster(cdk.Stack(app, "Later"), "Cluster", vpc=network.vpc)
    with refused(stack, "PCS431"):
        pcs.ClusterEndpoints(stack, "Endpoints", cluster=cluster)


def _with_groups_of_the_network(app: cdk.App, stack: cdk.Stack) -> pcs.Cluster:
    network = pcs.Network(stack, "Network", isolated=True)
    return pcs.Cluster(
        cdk.Stack(app, "Later"),
        "Cluster",
        vpc=network.vpc,
        security_group=pcs.ClusterSecurityGroup(stack, "Group", vpc=network.vpc).security_group,
    )


def test_endpoints_may_be_with_the_vpc_and_the_security_group(
    app: cdk.App, stack: cdk.Stack
) -> None:
    cluster = _with_groups_of_the_network(app, stack)
    with_nodes(cluster)
    pcs.ClusterEndpoints(stack, "Endpoints", cluster=cluster)
    app.synth()
    assert set(endpoints(template(stack))) == BY_DEFAULT


def test_fails_with_the_vpc_when_the_policy_names_the_cluster(
    app: cdk.App, stack: cdk.Stack
) -> None:
    cluster = _with_groups_of_the_network(app, stack)
    policy = pcs.EndpointPolicy.for_cluster(cluster)
    with refused(stack, "PCS431"):
        pcs.ClusterEndpoints(stack, "Endpoints", cluster=cluster, policy=policy)


@pytest.mark.parametrize("nested", [False, True])
def test_fails_when_a_policy_names_a_node_group(
    app: cdk.App, stack: cdk.Stack, *, nested: bool
) -> None:
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    own = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                actions=["pcs:*"],
                resources=[f"arn:aws:pcs:::{nodes.compute_node_group_id}"],
                principals=[iam.AnyPrincipal()],
            )
        ]
    )
    pcs.ClusterEndpoints(
        cdk.NestedStack(stack, "Nested") if nested else stack,
        "Endpoints",
        cluster=cluster,
        policy=pcs.EndpointPolicy.of({"pcs": own}),
    )
    assert refused_at_synth(app) == {"PCS431"}


# What is missing.


def test_fails_without_an_endpoint_in_an_isolated_network(app: cdk.App, stack: cdk.Stack) -> None:
    with_nodes(isolated(stack))
    assert refused_at_synth(app) == {"PCS422"}


def test_fails_in_private_subnets_without_nat(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", nat_gateways=0)
    with_nodes(pcs.Cluster(stack, "Cluster", vpc=network.vpc))
    assert refused_at_synth(app) == {"PCS422"}


def test_fails_in_an_isolated_subnet_of_any_vpc(app: cdk.App, stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Dark", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
    )
    with_nodes(pcs.Cluster(stack, "Cluster", vpc=vpc))
    assert refused_at_synth(app) == {"PCS422"}


def test_fails_with_one_subnet_of_several_that_leads_nowhere(
    app: cdk.App, stack: cdk.Stack
) -> None:
    network = pcs.Network(stack, "Network", nat_gateways=0)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    with_nodes(cluster, subnets=[network.vpc.public_subnets[0], network.compute_subnet])
    assert refused_at_synth(app) == {"PCS422"}


def test_endpoints_of_the_cdk_do_as_well(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    with_nodes(cluster)
    for service in BY_DEFAULT:
        cluster.vpc.add_interface_endpoint(
            service, service=ec2.InterfaceVpcEndpointAwsService(service)
        )
    app.synth()
    assert not advised(stack) & {"PCS422", "PCS423"}


def test_fails_with_an_endpoint_that_has_no_private_names(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    with_nodes(cluster)
    cluster.vpc.add_interface_endpoint(
        "Pcs", service=ec2.InterfaceVpcEndpointAwsService("pcs"), private_dns_enabled=False
    )
    assert refused_at_synth(app) == {"PCS422"}


def test_nodes_in_a_public_subnet_have_a_way_out(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", nat_gateways=0)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    with_nodes(cluster, subnets=network.vpc.public_subnets[:1])
    app.synth()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="NAT"),
        pytest.param({"public_subnets": False}, id="somebody else's way out"),
        pytest.param({"ipv6": True, "nat_gateways": 0}, id="IPv6"),
    ],
)
def test_where_there_may_be_a_way_out_nothing_is_asked(
    app: cdk.App, stack: cdk.Stack, arguments: dict[str, Any]
) -> None:
    network = pcs.Network(stack, "Network", **arguments)
    with_nodes(pcs.Cluster(stack, "Cluster", vpc=network.vpc))
    app.synth()
    assert not advised(stack) & {"PCS422", "PCS423", "PCS425"}


def test_a_route_that_somebody_adds_may_be_a_way_out(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", isolated=True)
    with_nodes(pcs.Cluster(stack, "Cluster", vpc=network.vpc))
    network.compute_subnet.add_route(
        "Transit",
        router_id="tgw-0123456789abcdef0",
        router_type=ec2.RouterType.TRANSIT_GATEWAY,
    )
    app.synth()


@pytest.mark.parametrize("kind", ["private", "isolated"])
def test_an_imported_vpc_tells_nothing_of_ways_out(
    app: cdk.App, stack: cdk.Stack, kind: str
) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        **{f"{kind}_subnet_ids": [PRIVATE[0]]},  # pyright: ignore[reportArgumentType]
    )
    with_nodes(pcs.Cluster(stack, "Cluster", vpc=vpc))
    app.synth()
    assert not advised(stack) & {"PCS422", "PCS423", "PCS424", "PCS425"}


def test_an_imported_vpc_may_be_known_by_tokens_only(app: cdk.App, stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=cdk.Fn.import_value("VpcId"),
        availability_zones=[cdk.Fn.import_value("Zone")],
        private_subnet_ids=[cdk.Fn.import_value("Subnet")],
    )
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with_nodes(cluster)
    cluster.add_endpoints("Endpoints")
    app.synth()
    made = endpoints(template(stack))
    assert {text_of(endpoint["VpcId"]) for endpoint in made.values()} == {
        '{"Fn::ImportValue": "VpcId"}'
    }


def test_a_vpc_that_is_looked_up_tells_nothing_of_ways_out() -> None:
    env = cdk.Environment(account="123456789012", region="eu-west-1")
    stack = cdk.Stack(cdk.App(), "Stack", env=env)
    cluster = pcs.Cluster(
        stack, "Cluster", vpc=ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-0123456789abcdef0")
    )
    with_nodes(cluster)
    cluster.add_endpoints("Endpoints")
    assert set(endpoints(template(stack))) == BY_DEFAULT
    assert not advised(stack) & {"PCS422", "PCS423", "PCS424", "PCS425"}


def test_what_is_granted_after_the_endpoints_is_told(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    cluster.add_endpoints("Endpoints")
    app.synth()
    assert "PCS423" not in advised(stack)

    stack = cdk.Stack(cdk.App(), "Stack")
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    cluster.add_endpoints("Endpoints")
    secretsmanager.Secret(stack, "License").grant_read(nodes)
    assert "PCS423" in advised(stack)


def test_services_whose_endpoints_are_not_known_are_told(app: cdk.App, stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    for action in ("kinesis:PutRecord", "LOGS:PutLogEvents"):
        statement = iam.PolicyStatement(actions=[action], resources=["*"])
        nodes.grant_principal.add_to_principal_policy(statement)
    made = cluster.add_endpoints("Endpoints")
    assert set(made.endpoints) == {*BY_DEFAULT, "logs"}
    app.synth()
    assert "PCS433" in advised(stack)


def test_a_service_that_was_asked_for_is_not_missing(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    nodes = with_nodes(cluster)
    cluster.add_endpoints("Endpoints", services=["secretsmanager"])
    secretsmanager.Secret(stack, "License").grant_read(nodes)
    assert "PCS423" not in advised(stack)


@pytest.mark.parametrize("endpoint", [True, False], ids=["gateway", "no gateway"])
def test_dynamodb_needs_a_gateway(stack: cdk.Stack, endpoint: bool) -> None:
    cluster = isolated(stack, dynamodb_endpoint=endpoint)
    nodes = with_nodes(cluster)
    table = dynamodb.Table(
        stack,
        "Table",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    )
    table.grant_read_data(nodes)
    cluster.add_endpoints("Endpoints")
    assert ("PCS423" in advised(stack)) is not endpoint


def test_nodes_added_later_to_somebody_elses_vpc_are_looked_at_too(stack: cdk.Stack) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    cluster.add_endpoints("Endpoints")
    nodes = with_nodes(cluster)
    s3.Bucket(stack, "Data").grant_read(nodes)
    assert "PCS423" not in advised(stack)

    stack = cdk.Stack(cdk.App(), "Stack")
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    cluster.add_endpoints("Endpoints")
    secretsmanager.Secret(stack, "License").grant_read(with_nodes(cluster))
    assert "PCS423" in advised(stack)


def test_scripts_at_urls_are_out_of_reach(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    script = pcs.LifecycleScript.from_url("https://example.com/setup.sh", checksum="0" * 64)
    with_nodes(cluster, lifecycle_actions=[pcs.LifecycleAction(name="Setup", script=script)])
    cluster.add_endpoints("Endpoints")
    assert "PCS424" in advised(stack)


def test_the_name_that_the_agent_calls_is_worth_a_look(stack: cdk.Stack) -> None:
    isolated(stack).add_endpoints("Endpoints")
    assert "PCS425" in advised(stack)


def test_endpoints_beside_nat_are_no_reason_for_advice(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    pcs.Cluster(stack, "Cluster", vpc=network.vpc).add_endpoints("Endpoints")
    assert not advised(stack) & {"PCS423", "PCS425"}


def test_fails_with_two_endpoints_for_a_service(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    for name in ("One", "Two"):
        pcs.Cluster(stack, name, vpc=network.vpc).add_endpoints("Endpoints")
    assert refused_at_synth(app) == {"PCS426"}


def test_two_vpcs_have_their_own_endpoints(app: cdk.App, stack: cdk.Stack) -> None:
    for name in ("One", "Two"):
        network = pcs.Network(stack, f"{name}Network")
        pcs.Cluster(stack, name, vpc=network.vpc).add_endpoints("Endpoints")
    app.synth()


def test_fails_when_endpoints_leave_no_address_for_nodes(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", cidr="10.0.0.0/24", isolated=True)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    nodes = cluster.add_compute_node_group(
        "compute",
        instance_types=TYPES,
        scaling=pcs.Scaling.dynamic(max=8),  # of 11, where the controller takes one
    )
    cluster.add_queue("all", node_groups=[nodes])
    cluster.add_endpoints("Endpoints")
    assert refused_at_synth(app) == {"PCS405"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param({"subnets": PUBLIC[0]}, "PCS001", id="text for subnets"),
        pytest.param({"subnets": []}, "PCS421", id="no subnet"),
        pytest.param({"services": "logs"}, "PCS001", id="text for services"),
        pytest.param({"services": ["com.amazonaws.eu-north-1.logs"]}, "PCS427", id="whole name"),
        pytest.param({"services": ["ecr.api", "ecr-api"]}, "PCS427", id="same words"),
        pytest.param({"services": ["security-group"]}, "PCS427", id="no service"),
    ],
)
def test_fails_on_endpoints_that_cannot_be_made(
    stack: cdk.Stack, arguments: dict[str, Any], code: str
) -> None:
    cluster = isolated(stack)
    with refused(stack, code):
        cluster.add_endpoints("Endpoints", **arguments)


@pytest.mark.parametrize("arguments", [{"policy": {}}, {"cluster": "pcs_1"}], ids=wrong_type)
def test_fails_on_arguments_of_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any]) -> None:
    cluster = isolated(stack)
    with refused(stack, "PCS003"):
        pcs.ClusterEndpoints(stack, "Endpoints", **{"cluster": cluster, **arguments})


def test_fails_with_two_subnets_in_a_zone(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", isolated=True, endpoint_subnets=True)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    with refused(stack, "PCS421"):
        cluster.add_endpoints(
            "Endpoints", subnets=[network.compute_subnet, network.endpoint_subnets[0]]
        )


def test_fails_in_a_subnet_of_another_vpc(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    elsewhere = pcs.Network(stack, "Elsewhere")
    with refused(stack, "PCS404"):
        cluster.add_endpoints("Endpoints", subnets=[elsewhere.compute_subnet])


def test_fails_on_a_policy_for_a_service_without_an_endpoint(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    with refused(stack, "PCS432"):
        cluster.add_endpoints(
            "Endpoints", policy=pcs.EndpointPolicy.of({"log": iam.PolicyDocument()})
        )


@pytest.mark.parametrize(
    "policy",
    [{"documents": "x"}, {"documents": {"pcs": None}}, {"others": "x"}],
    ids=["text", "no document", "no other document"],
)
def test_fails_on_a_policy_that_was_made_without_a_factory(
    stack: cdk.Stack, policy: dict[str, Any]
) -> None:
    cluster = isolated(stack)
    with refused(stack, "PCS003"):
        cluster.add_endpoints("Endpoints", policy=pcs.EndpointPolicy(**policy))


@pytest.mark.parametrize(
    "documents", [{"pcs": {}}, "pcs", None], ids=["no document", "text", "nothing"]
)
def test_fails_on_policies_that_are_none(documents: Any) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.EndpointPolicy.of(documents)
    assert {problem.code for problem in error.value.problems} == {"PCS003"}


def test_a_service_more_leaves_the_other_endpoints_as_they_are(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints")
    logical_ids = found(template(stack), "AWS::EC2::VPCEndpoint").keys()
    stack = cdk.Stack(cdk.App(), "Stack")
    cluster = isolated(stack)
    cluster.add_endpoints("Endpoints", services=["logs"])
    assert logical_ids <= found(template(stack), "AWS::EC2::VPCEndpoint").keys()


def test_login_nodes_are_among_the_nodes(stack: cdk.Stack) -> None:
    cluster = isolated(stack)
    login = cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    secretsmanager.Secret(stack, "License").grant_read(login)
    cluster.add_endpoints("Endpoints")
    assert "secretsmanager" in endpoints(template(stack))
