from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

import pcs_constructs as pcs
from tests.constructs.templates import found, only, properties, referred, refused, template, text_of


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
        pytest.param("PCS412", {"nat_gateways": 0}, id="no way out"),
        pytest.param("PCS412", {"nat_gateways": 3}, id="more gateways than zones"),
        pytest.param("PCS001", {"availability_zones": "eu-west-1a"}, id="a string"),
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
        pcs.Network(stack, "Network", cidr="10.0.0.0/8", availability_zones=9, nat_gateways=0)
