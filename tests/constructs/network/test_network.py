from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

import pcs_constructs as pcs
from tests.constructs.templates import (
    found,
    only,
    properties,
    referred,
    refused,
    refused_at_synth,
    template,
    text_of,
)


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.Network(stack, "Network")
    return template(stack)


def made(**arguments: Any) -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.Network(stack, "Network", **arguments)
    return template(stack)


def subnets(template: Template, *, public: bool) -> list[dict[str, Any]]:
    return [
        subnet
        for subnet in properties(template, "AWS::EC2::Subnet")
        if subnet["MapPublicIpOnLaunch"] is public
    ]


def test_a_network_has_what_pcs_asks_of_a_vpc(default: Template) -> None:
    vpc = only(default, "AWS::EC2::VPC")
    assert vpc["EnableDnsHostnames"] is True
    assert vpc["EnableDnsSupport"] is True
    assert vpc["InstanceTenancy"] == "default"


def test_a_network_has_public_subnets_in_the_lower_and_private_ones_in_the_upper_half(
    default: Template,
) -> None:
    lower, upper = IPv4Network("10.0.0.0/16").subnets()
    public, private = subnets(default, public=True), subnets(default, public=False)
    assert all(IPv4Network(subnet["CidrBlock"]).subnet_of(lower) for subnet in public)
    assert all(IPv4Network(subnet["CidrBlock"]).subnet_of(upper) for subnet in private)
    assert len(public) == len(private) == 2


def test_zones_are_chosen_when_the_stack_is_deployed(default: Template) -> None:
    zones = [subnet["AvailabilityZone"] for subnet in subnets(default, public=False)]
    assert zones == [{"Fn::Select": [n, {"Fn::GetAZs": ""}]} for n in (0, 1)]


def test_zones_are_not_looked_up_in_a_stack_with_an_environment() -> None:
    env = cdk.Environment(account="123456789012", region="us-east-1")
    stack = cdk.Stack(cdk.App(), "Stack", env=env)
    pcs.Network(stack, "Network", availability_zones=3)
    zones = [subnet["AvailabilityZone"] for subnet in subnets(template(stack), public=False)]
    assert zones == [{"Fn::Select": [n, {"Fn::GetAZs": ""}]} for n in (0, 1, 2)]


def test_every_private_subnet_leads_outside_through_nat(default: Template) -> None:
    resources = default.to_json()["Resources"]
    ways_out = {
        text_of(route["RouteTableId"])
        for route in properties(default, "AWS::EC2::Route")
        if route["DestinationCidrBlock"] == "0.0.0.0/0" and "NatGatewayId" in route
    }
    tables = {
        text_of(association["RouteTableId"])
        for association in properties(default, "AWS::EC2::SubnetRouteTableAssociation")
        if not resources[association["SubnetId"]["Ref"]]["Properties"]["MapPublicIpOnLaunch"]
    }
    assert ways_out == tables


def test_s3_is_reached_through_a_gateway_from_every_subnet(default: Template) -> None:
    endpoint = only(default, "AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert text_of(endpoint["ServiceName"]).endswith(".s3")
    tables = [{"Ref": table} for table in found(default, "AWS::EC2::RouteTable")]
    assert sorted(map(text_of, endpoint["RouteTableIds"])) == sorted(map(text_of, tables))


def test_the_default_security_group_is_left_alone(default: Template) -> None:
    kinds = {resource["Type"] for resource in default.to_json()["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith(("Custom::", "AWS::Lambda"))}


def test_a_zone_added_later_changes_no_subnet_that_is_there() -> None:
    two, three = (found(made(availability_zones=n), "AWS::EC2::Subnet") for n in (2, 3))
    assert two.items() <= three.items()


def test_zones_may_be_named() -> None:
    network = made(availability_zones=["eu-west-1a", "eu-west-1c"])
    zones = {subnet["AvailabilityZone"] for subnet in properties(network, "AWS::EC2::Subnet")}
    assert zones == {"eu-west-1a", "eu-west-1c"}


def test_the_names_of_zones_may_be_tokens() -> None:
    zones = [cdk.Fn.import_value("Zone1"), cdk.Fn.import_value("Zone2")]
    made(availability_zones=zones).has_resource_properties(
        "AWS::EC2::Subnet", {"AvailabilityZone": {"Fn::ImportValue": "Zone2"}}
    )


def test_each_zone_can_have_its_own_nat_gateway() -> None:
    network = made(availability_zones=2, nat_gateways=2)
    zones = {
        text_of(referred(network, gateway["SubnetId"])["Properties"]["AvailabilityZone"])
        for gateway in properties(network, "AWS::EC2::NatGateway")
    }
    assert len(zones) == 2


def test_the_smallest_network_has_room_for_every_zone() -> None:
    network = made(cidr="10.1.2.0/24", availability_zones=8)
    blocks = [IPv4Network(s["CidrBlock"]) for s in properties(network, "AWS::EC2::Subnet")]
    assert len(set(blocks)) == 16
    assert {block.prefixlen for block in blocks} == {28}


def test_the_compute_subnet_is_the_first_private_one(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    network_interface_subnet = stack.resolve(network.compute_subnet.subnet_id)
    assert referred(template(stack), network_interface_subnet)["Properties"]["CidrBlock"] == (
        "10.0.128.0/20"
    )


def test_a_network_serves_constructs_in_another_stack(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    other = cdk.Stack(app, "Other")
    pcs.Cluster(other, "Cluster", vpc=network.vpc)
    app.synth()
    template(other).has_resource_properties(
        "AWS::PCS::Cluster",
        {"Networking": {"SubnetIds": [{"Fn::ImportValue": Match.any_value()}]}},
    )


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        pytest.param("PCS410", {"cidr": "10.0.0.0/8"}, id="too large"),
        pytest.param("PCS410", {"cidr": "10.0.0.0/25"}, id="too small"),
        pytest.param("PCS410", {"cidr": "10.0.0.1/16"}, id="host bits"),
        pytest.param("PCS410", {"cidr": "10.0.0.0"}, id="no mask"),
        pytest.param("PCS410", {"cidr": "fd00::/56"}, id="IPv6"),
        pytest.param("PCS410", {"cidr": "ten"}, id="no range"),
        pytest.param("PCS411", {"availability_zones": 0}, id="no zone"),
        pytest.param("PCS411", {"availability_zones": []}, id="no names"),
        pytest.param("PCS411", {"availability_zones": 9}, id="too many zones"),
        pytest.param("PCS411", {"availability_zones": ["z"] * 9}, id="too many names"),
        pytest.param("PCS412", {"nat_gateways": -1}, id="fewer gateways than none"),
        pytest.param("PCS412", {"nat_gateways": 3}, id="more gateways than zones"),
        pytest.param("PCS001", {"availability_zones": "eu-west-1a"}, id="a string"),
        pytest.param("PCS417", {"isolated": True, "public_subnets": True}, id="isolated or not"),
        pytest.param("PCS417", {"isolated": True, "nat_gateways": 1}, id="isolated behind NAT"),
        pytest.param("PCS417", {"public_subnets": False, "nat_gateways": 1}, id="NAT nowhere"),
        pytest.param("PCS418", {"private_subnet_mask": 29}, id="private subnets too small"),
        pytest.param("PCS418", {"private_subnet_mask": 15}, id="private subnets too large"),
        pytest.param("PCS418", {"private_subnet_mask": 17}, id="two of more than half"),
        pytest.param(
            "PCS418", {"endpoint_subnets": True, "availability_zones": 8}, id="no room for all"
        ),
        pytest.param("PCS003", {"isolated": "yes"}, id="no flag"),
        pytest.param("PCS003", {"flow_logs": True}, id="no destination"),
        pytest.param("PCS003", {"private_subnet_mask": "/18"}, id="no number"),
    ],
)
def test_fails_on_what_cannot_be_made(
    stack: cdk.Stack, code: str, arguments: dict[str, Any]
) -> None:
    with refused(stack, code):
        pcs.Network(stack, "Network", **arguments)


def test_fails_on_zones_that_are_one_token(stack: cdk.Stack) -> None:
    with refused(stack, "PCS001"):
        pcs.Network(stack, "Network", availability_zones=cdk.Fn.split(",", cdk.Aws.STACK_NAME))


def test_fails_on_a_number_of_zones_that_is_a_token(stack: cdk.Stack) -> None:
    zones = cdk.CfnParameter(stack, "Zones", type="Number").value_as_number
    with refused(stack):
        pcs.Network(stack, "Network", availability_zones=zones)  # pyright: ignore[reportArgumentType]


def test_fails_on_an_address_range_that_is_a_token(stack: cdk.Stack) -> None:
    cidr = cdk.CfnParameter(stack, "Cidr").value_as_string
    with refused(stack):
        pcs.Network(stack, "Network", cidr=cidr)


def test_fails_with_every_problem_at_once(stack: cdk.Stack) -> None:
    with refused(stack, "PCS410", "PCS411", "PCS412"):
        pcs.Network(stack, "Network", cidr="10.0.0.0/8", availability_zones=9, nat_gateways=-1)


# Networks of real organisations.


def routes(template: Template) -> list[dict[str, Any]]:
    return properties(template, "AWS::EC2::Route")


def named_subnets(template: Template, name: str) -> list[dict[str, Any]]:
    return [
        subnet
        for subnet in properties(template, "AWS::EC2::Subnet")
        if {"Key": "aws-cdk:subnet-name", "Value": name} in subnet["Tags"]
    ]


def test_nothing_in_an_isolated_network_leads_to_the_internet() -> None:
    network = made(isolated=True)
    kinds = {resource["Type"] for resource in network.to_json()["Resources"].values()}
    assert not {kind for kind in kinds if "Gateway" in kind}
    assert routes(network) == []
    assert subnets(network, public=True) == []
    assert only(network, "AWS::EC2::VPCEndpoint")["VpcEndpointType"] == "Gateway"


def test_a_network_may_have_no_nat_gateway() -> None:
    network = made(nat_gateways=0)
    assert len(routes(network)) == len(subnets(network, public=True)) == 2
    assert all("GatewayId" in route for route in routes(network))


def test_a_private_network_leaves_the_way_out_to_its_owner(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", public_subnets=False)
    assert [s.node.id for s in network.vpc.private_subnets] == ["PrivateSubnet1", "PrivateSubnet2"]
    assert properties(template(stack), "AWS::EC2::InternetGateway") == []
    assert routes(template(stack)) == []


def test_private_subnets_may_be_large() -> None:
    network = made(private_subnet_mask=18, availability_zones=3)
    private = [IPv4Network(subnet["CidrBlock"]) for subnet in named_subnets(network, "Private")]
    assert [block.prefixlen for block in private] == [18, 18, 18]
    public = [IPv4Network(subnet["CidrBlock"]) for subnet in named_subnets(network, "Public")]
    assert not any(one.overlaps(other) for one in public for other in private)


def test_a_zone_added_later_changes_no_large_subnet_that_is_there() -> None:
    one, two = (
        found(made(private_subnet_mask=18, availability_zones=n), "AWS::EC2::Subnet")
        for n in (1, 2)
    )
    assert one.items() <= two.items()


@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "with a way out"])
def test_endpoints_may_have_small_subnets_of_their_own(stack: cdk.Stack, isolated: bool) -> None:
    network = pcs.Network(stack, "Network", isolated=isolated, endpoint_subnets=True)
    made = template(stack)
    small = [IPv4Network(subnet["CidrBlock"]) for subnet in named_subnets(made, "Endpoints")]
    assert [block.prefixlen for block in small] == [24, 24]
    assert [s.node.id for s in network.endpoint_subnets] == [
        "EndpointsSubnet1",
        "EndpointsSubnet2",
    ]
    assert network.compute_subnet.node.id == "PrivateSubnet1"
    assert pcs.Cluster(stack, "Cluster", vpc=network.vpc).subnet.node.id == "PrivateSubnet1"


def test_file_systems_are_not_among_the_endpoints(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", isolated=True, endpoint_subnets=True)
    pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    made = template(stack)
    targets = properties(made, "AWS::EFS::MountTarget")
    private = [IPv4Network(subnet["CidrBlock"]) for subnet in named_subnets(made, "Private")]
    places = [referred(made, target["SubnetId"])["Properties"]["CidrBlock"] for target in targets]
    assert sorted(map(IPv4Network, places)) == private


def test_endpoints_are_in_private_subnets_where_they_have_none_of_their_own(
    stack: cdk.Stack,
) -> None:
    network = pcs.Network(stack, "Network")
    assert [s.node.id for s in network.endpoint_subnets] == ["PrivateSubnet1", "PrivateSubnet2"]


def test_every_subnet_may_have_ipv6() -> None:
    network = made(ipv6=True)
    assert all(s["AssignIpv6AddressOnCreation"] for s in properties(network, "AWS::EC2::Subnet"))
    assert only(network, "AWS::EC2::VPCCidrBlock")["AmazonProvidedIpv6CidrBlock"] is True
    ways_out = {
        next(key for key in route if key.endswith("GatewayId"))
        for route in routes(network)
        if route.get("DestinationIpv6CidrBlock") == "::/0"
    }
    assert ways_out == {"GatewayId", "EgressOnlyInternetGatewayId"}


def test_a_zone_added_later_moves_no_ipv6_range() -> None:
    two, three = (
        [
            subnet["Ipv6CidrBlock"]["Fn::Select"][0]
            for subnet in properties(made(ipv6=True, availability_zones=n), "AWS::EC2::Subnet")
        ]
        for n in (2, 3)
    )
    assert set(two) < set(three)


def test_a_cluster_that_talks_ipv6_is_at_home_in_such_a_network(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Stack")
    network = pcs.Network(stack, "Network", ipv6=True)
    pcs.Cluster(stack, "Cluster", vpc=network.vpc, network_type=pcs.NetworkType.IPV6)
    app.synth()


def test_traffic_may_be_logged(stack: cdk.Stack) -> None:
    pcs.Network(stack, "Network", flow_logs=ec2.FlowLogDestination.to_cloud_watch_logs())
    made = template(stack)
    log = only(made, "AWS::EC2::FlowLog")
    assert log["TrafficType"] == "ALL"
    assert log["ResourceType"] == "VPC"
    assert referred(made, log["LogGroupName"])["Type"] == "AWS::Logs::LogGroup"


def test_dynamodb_may_be_reached_through_a_gateway() -> None:
    services = {
        text_of(endpoint["ServiceName"]).rpartition(".")[2]
        for endpoint in properties(made(dynamodb_endpoint=True), "AWS::EC2::VPCEndpoint")
    }
    assert services == {"s3", "dynamodb"}


def test_nodes_may_be_pinned_to_a_zone(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", availability_zones=["eu-north-1a", "eu-north-1b"])
    assert network.private_subnet_in("eu-north-1b").node.id == "PrivateSubnet2"


@pytest.mark.parametrize(
    ("zones", "zone", "code"),
    [
        pytest.param(["eu-north-1a"], "eu-north-1b", "PCS419", id="another zone"),
        pytest.param(2, "eu-north-1b", "PCS419", id="counted zones"),
        pytest.param(2, 1, "PCS003", id="number"),
    ],
)
def test_fails_to_pin_nodes_to_a_zone_that_is_not_there(
    stack: cdk.Stack, zones: Any, zone: Any, code: str
) -> None:
    network = pcs.Network(stack, "Network", availability_zones=zones)
    with refused(stack, code):
        network.private_subnet_in(zone)


def test_fails_with_a_controller_in_a_local_zone(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", availability_zones=["us-west-2-lax-1a"])
    with refused(stack, "PCS420"):
        pcs.Cluster(stack, "Cluster", vpc=network.vpc, subnet=network.compute_subnet)


def test_a_cluster_with_all_its_nodes_fits_or_is_refused() -> None:
    def app(*, efa_only: bool) -> cdk.App:
        app = cdk.App()
        stack = cdk.Stack(app, "Stack")
        network = pcs.Network(
            stack, "Network", availability_zones=1, isolated=True, private_subnet_mask=16
        )
        cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc, size=pcs.ClusterSize.LARGE)
        cluster.add_endpoints("Endpoints")
        group = cluster.add_compute_node_group(
            "compute",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.dynamic(max=2048),
            efa=True,
            efa_only=efa_only,
        )
        cluster.add_queue("all", node_groups=[group])
        return app

    app(efa_only=True).synth()
    assert refused_at_synth(app(efa_only=False)) == {"PCS405"}
