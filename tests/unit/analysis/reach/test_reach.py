"""What `reach` says of a small network: as it should be, and with one thing in it changed."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.reach import Flow, Verdict, as_mermaid, as_text, judge
from pcs_constructs.commands.cli import main
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Content = dict[str, Any]

NO, UNKNOWN, YES = Verdict.NO, Verdict.UNKNOWN, Verdict.YES
_SRUN = (60001, 63000)


def _get(logical_id: str, attribute: str = "GroupId") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def _ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}


def _resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{type_}", "Properties": properties}


def _rules(client: str, server: str, first: int, last: int = 0) -> Iterator[tuple[str, Any]]:
    """A rule on each side, for TCP ports, or for everything where the first is -1."""
    ports = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last or first}
    if first == -1:
        ports = {"IpProtocol": "-1"}
    yield (
        f"{client}To{server}{first}Out",
        _resource(
            "EC2::SecurityGroupEgress",
            GroupId=_get(client),
            DestinationSecurityGroupId=_get(server),
            **ports,
        ),
    )
    yield (
        f"{client}To{server}{first}In",
        _resource(
            "EC2::SecurityGroupIngress",
            GroupId=_get(server),
            SourceSecurityGroupId=_get(client),
            **ports,
        ),
    )


def _subnet(cidr: str, **properties: Any) -> dict[str, Any]:
    return _resource(
        "EC2::Subnet",
        VpcId=_ref("Vpc"),
        CidrBlock=cidr,
        AvailabilityZone="eu-north-1a",
        **properties,
    )


def _endpoint(service: str, **properties: Any) -> dict[str, Any]:
    name = {"Fn::Join": ["", ["com.amazonaws.", _ref("AWS::Region"), f".{service}"]]}
    return _resource("EC2::VPCEndpoint", VpcId=_ref("Vpc"), ServiceName=name, **properties)


def _interface(service: str) -> dict[str, Any]:
    return _endpoint(
        service,
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[_ref("Endpoints")],
        SecurityGroupIds=[_get("Door")],
    )


def _launch(*parts: Any, **data: Any) -> dict[str, Any]:
    text = {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/sh\n", *parts]]}}
    return _resource("EC2::LaunchTemplate", LaunchTemplateData={**data, "UserData": text})


def _nodes(name: str, launch: str, most: int) -> dict[str, Any]:
    return _resource(
        "PCS::ComputeNodeGroup",
        Name=name,
        ClusterId=_get("Cluster", "Id"),
        CustomLaunchTemplate={"TemplateId": _ref(launch), "Version": "1"},
        IamInstanceProfileArn=_get("Profile", "Arn"),
        ScalingConfiguration={"MinInstanceCount": 0, "MaxInstanceCount": most},
        SubnetIds=[_ref("Private")],
    )


_NOWHERE = {"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86}
_NODES = ("Compute", "Login")
_LAUNCH = ("LaunchTemplateData",)

_BASE: Content = {
    "Resources": {
        "Vpc": _resource("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=True),
        "Private": _subnet("10.0.0.0/20"),
        "Endpoints": _subnet("10.0.16.0/24"),
        "Table": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
        "Association": _resource(
            "EC2::SubnetRouteTableAssociation", SubnetId=_ref("Private"), RouteTableId=_ref("Table")
        ),
        **{
            name: _resource("EC2::SecurityGroup", VpcId=_ref("Vpc"), SecurityGroupEgress=[_NOWHERE])
            for name in ("Controller", *_NODES, "Efa", "Files", "Servers", "Door")
        },
        **{
            name: rule
            for client, server, *ports in (
                *((nodes, "Controller", 6817) for nodes in _NODES),
                *(("Controller", nodes, 6818) for nodes in _NODES),
                *(("Controller", nodes, *_SRUN) for nodes in _NODES),
                # Compute nodes reach each other by what EFA needs.
                ("Login", "Compute", 6818),
                ("Login", "Compute", *_SRUN),
                ("Compute", "Login", 6818),
                ("Compute", "Login", *_SRUN),
                ("Efa", "Efa", -1),
                *((nodes, "Files", 2049) for nodes in _NODES),
                ("Compute", "Servers", 988),
                ("Compute", "Servers", 1018, 1023),
                ("Servers", "Compute", 988),
                ("Servers", "Compute", 1018, 1023),
                ("Servers", "Servers", 988),
                ("Servers", "Servers", 1018, 1023),
                *((nodes, "Door", 443) for nodes in _NODES),
            )
            for name, rule in _rules(str(client), str(server), *map(int, ports))
        },
        "Pcs": _interface("pcs"),
        "Ssm": _interface("ssm"),
        "Home": _resource("EFS::FileSystem"),
        "Target": _resource(
            "EFS::MountTarget",
            FileSystemId=_ref("Home"),
            SubnetId=_ref("Private"),
            SecurityGroups=[_get("Files")],
        ),
        "Scratch": _resource(
            "FSx::FileSystem",
            FileSystemType="LUSTRE",
            SubnetIds=[_ref("Private")],
            SecurityGroupIds=[_get("Servers")],
        ),
        "Role": _resource(
            "IAM::Role",
            Policies=[
                {
                    "PolicyDocument": {
                        "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter"}]
                    }
                }
            ],
        ),
        "Profile": _resource("IAM::InstanceProfile", Roles=[_ref("Role")]),
        "Cluster": _resource(
            "PCS::Cluster",
            Name="hpc",
            Networking={
                "SubnetIds": [_ref("Private")],
                "SecurityGroupIds": [_get("Controller")],
            },
        ),
        "LoginTemplate": _launch(_ref("Home"), SecurityGroupIds=[_get("Login")]),
        "ComputeTemplate": _launch(
            _ref("Home"),
            _get("Scratch", "DNSName"),
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "NetworkCardIndex": 0,
                    "InterfaceType": "efa",
                    "Groups": [_get("Compute"), _get("Efa")],
                },
                {
                    "DeviceIndex": 1,
                    "NetworkCardIndex": 1,
                    "InterfaceType": "efa",
                    "Groups": [_get("Efa")],
                },
            ],
        ),
        "LoginNodes": _nodes("login", "LoginTemplate", 1),
        "ComputeNodes": _nodes("compute", "ComputeTemplate", 8),
        "Queue": _resource(
            "PCS::Queue",
            ClusterId=_get("Cluster", "Id"),
            ComputeNodeGroupConfigurations=[{"ComputeNodeGroupId": _get("ComputeNodes", "Id")}],
        ),
    }
}


def _changed(*path: str | int, to: Any, base: Content = _BASE) -> Content:
    """The template with one property changed, or removed where there is nothing to change to."""
    logical_id, *names = path
    changed = {"Resources": {**base["Resources"]}}
    if not names:
        changed["Resources"].pop(logical_id, None)
        if to is not None:
            changed["Resources"][logical_id] = to
        return changed
    at = changed["Resources"][logical_id] = deepcopy(base["Resources"][logical_id])
    at = at["Properties"]
    for name in names[:-1]:
        at = at[name]
    at.pop(names[-1], None)
    if to is not None:
        at[names[-1]] = to
    return changed


def _with(base: Content = _BASE, **resources: Any) -> Content:
    return {"Resources": {**base["Resources"], **resources}}


def _key(flow: Flow) -> str:
    return f"{flow.source} > {flow.target}: {flow.what} {flow.traffic}"


def _flows(*contents: Content) -> dict[str, Flow]:
    named = {f"Stack{n}": content for n, content in enumerate(contents)}
    return {_key(flow): flow for flow in judge(template.parsed_together(named))}


@cache
def _base() -> dict[str, Flow]:
    return _flows(_BASE)


def _less(*contents: Content) -> dict[str, Verdict]:
    """The flows that do not surely get through."""
    return {key: flow.verdict for key, flow in _flows(*contents).items() if flow.verdict is not YES}


_LOGIN_CALLS = {"login > pcs: HTTPS TCP 443", "login > ssm: HTTPS TCP 443"}
_COMPUTE_CALLS = {"compute > pcs: HTTPS TCP 443", "compute > ssm: HTTPS TCP 443"}
_CALLS = _LOGIN_CALLS | _COMPUTE_CALLS
_NAMES = {"login > DNS: names UDP 53", "compute > DNS: names UDP 53"}
_EFA = {"compute > compute: EFA all traffic"}
_REGISTER = {"login > controller: slurmctld TCP 6817", "compute > controller: slurmctld TCP 6817"}


def test_everything_in_the_small_network_gets_through() -> None:
    assert _less(_BASE) == {}
    assert len(_base()) == 27


def test_each_rule_and_endpoint_carries_something_that_is_lost_without_it_and_no_more() -> None:
    for logical_id, resource in _BASE["Resources"].items():
        kind = resource["Type"].removeprefix("AWS::EC2::")
        if kind in {"SecurityGroupIngress", "SecurityGroupEgress", "VPCEndpoint"}:
            needs = {
                key
                for key, flow in _base().items()
                if logical_id in {location.name for location in flow.needs}
            }
            assert needs, logical_id
            assert _less(_changed(logical_id, to=None)) == dict.fromkeys(needs, NO), logical_id


def test_a_flow_names_the_rules_on_both_sides() -> None:
    flow = _base()["login > controller: slurmctld TCP 6817"]
    assert [location.name for location in flow.by] == [
        "LoginToController6817Out",
        "LoginToController6817In",
    ]


def test_fails_with_what_is_missing_and_how_to_mend_it() -> None:
    flow = _flows(_changed("LoginToController6817In", to=None))[
        "login > controller: slurmctld TCP 6817"
    ]
    assert flow.by == ()
    assert flow.because == ("no ingress rule of Controller lets TCP 6817 from login through",)
    assert flow.fixes == ("let Controller receive TCP 6817 from Login",)


# Rules of security groups.

_IN = "LoginToController6817In"
_OUT = "LoginToController6817Out"
_LOGIN_REGISTERS = "login > controller: slurmctld TCP 6817"


def _rule_in(**properties: Any) -> Content:
    """The network with another rule for what login nodes say to the controller."""
    rule = {"GroupId": _get("Controller"), "IpProtocol": "tcp", "FromPort": 6817, "ToPort": 6817}
    return _with(**{_IN: _resource("EC2::SecurityGroupIngress", **{**rule, **properties})})


@pytest.mark.parametrize(
    ("properties", "verdict"),
    [
        ({"SourceSecurityGroupId": _get("Login"), "FromPort": 0, "ToPort": 65535}, YES),
        ({"SourceSecurityGroupId": _get("Login"), "IpProtocol": "6"}, YES),
        ({"SourceSecurityGroupId": _get("Login"), "IpProtocol": -1}, YES),
        ({"SourceSecurityGroupId": _get("Login"), "FromPort": "6817", "ToPort": "6817"}, YES),
        ({"SourceSecurityGroupId": _ref("Login")}, YES),
        ({"CidrIp": "0.0.0.0/0"}, YES),
        ({"CidrIp": "10.0.0.0/20"}, YES),
        ({"CidrIp": _get("Vpc", "CidrBlock")}, YES),
        ({"SourcePrefixListId": _ref("List")}, YES),
        ({"CidrIp": "10.0.0.0/21"}, UNKNOWN),
        ({"CidrIp": _ref("Range")}, UNKNOWN),
        ({"CidrIp": {"Fn::If": ["Open", "0.0.0.0/0", "10.0.99.0/24"]}}, UNKNOWN),
        ({"SourceSecurityGroupId": _get("Lookup")}, UNKNOWN),
        ({"SourcePrefixListId": "pl-0123456789abcdef0"}, UNKNOWN),
        ({"SourceSecurityGroupId": {"Fn::ImportValue": "Theirs"}}, UNKNOWN),
        ({"SourceSecurityGroupId": _get("Login"), "ToPort": _ref("Port")}, UNKNOWN),
        ({"SourceSecurityGroupId": _get("Login"), "IpProtocol": _ref("Protocol")}, UNKNOWN),
        ({"SourceSecurityGroupId": _get("Login"), "IpProtocol": "udp"}, NO),
        ({"SourceSecurityGroupId": _get("Login"), "FromPort": 6818, "ToPort": 6818}, NO),
        ({"SourceSecurityGroupId": _get("Compute")}, NO),
        ({"SourceSecurityGroupId": "sg-0123456789abcdef0"}, NO),
        ({"CidrIp": "10.0.32.0/20"}, NO),
        ({"CidrIpv6": "::/0"}, NO),
    ],
    ids=str,
)
def test_a_rule_is_for_some_ports_and_some_peers(
    properties: dict[str, Any], verdict: Verdict
) -> None:
    content = _rule_in(**properties)
    content["Resources"] |= {
        "List": _resource("EC2::PrefixList", Entries=[{"Cidr": "10.0.0.0/16"}]),
        "Lookup": {"Type": "Custom::Lookup"},
    }
    expected = {} if verdict is YES else {_LOGIN_REGISTERS: verdict}
    assert _less(content) == expected


def test_rules_for_a_part_of_the_ports_may_cover_them_together() -> None:
    rule = _BASE["Resources"]["ComputeToLogin60001In"]
    split = _changed("ComputeToLogin60001In", "ToPort", to=62000)
    assert _less(split) == {"compute > login: srun TCP 60001-63000": NO}
    rest = deepcopy(rule)
    rest["Properties"]["FromPort"] = 61500
    assert _less(_with(split, More=rest)) == {}


def test_rules_inside_of_a_group_count_like_those_beside_it() -> None:
    properties = {**_BASE["Resources"][_IN]["Properties"]}
    del properties["GroupId"]
    inline = _changed("Controller", "SecurityGroupIngress", to=[properties])
    del inline["Resources"][_IN]
    flow = _flows(inline)[_LOGIN_REGISTERS]
    assert [location.name for location in flow.by] == [_OUT, "Controller.SecurityGroupIngress[0]"]


def test_a_rule_under_a_condition_may_not_be_there() -> None:
    rule = {**_BASE["Resources"][_IN], "Condition": "Production"}
    assert _less(_with(**{_IN: rule})) == {_LOGIN_REGISTERS: UNKNOWN}


def test_a_rule_that_is_of_one_group_or_of_another_may_count() -> None:
    either = {"Fn::If": ["Production", _get("Controller"), _get("Files")]}
    assert _less(_changed(_IN, "GroupId", to=either)) == {_LOGIN_REGISTERS: UNKNOWN}


def test_a_group_without_any_egress_rule_lets_everything_out() -> None:
    rules = [name for name in _BASE["Resources"] if name.startswith("Login") and "Out" in name]
    content = _changed("Login", "SecurityGroupEgress", to=None)
    for name in rules:
        del content["Resources"][name]
    assert _less(content) == {}
    # Whether EC2's own rules go when there is one beside the group is not documented.
    kept = _with(content, **{_OUT: _BASE["Resources"][_OUT]})
    found = _less(kept)
    assert set(found.values()) == {UNKNOWN}
    assert _LOGIN_REGISTERS not in found
    assert set(found) > _LOGIN_CALLS


def test_a_group_that_is_imported_has_rules_that_nobody_sees() -> None:
    content = _changed("LoginTemplate", *_LAUNCH, "SecurityGroupIds", to=["sg-0123456789abcdef0"])
    found = _less(content)
    # What it sends is not known, and no rule in here lets it into anywhere.
    assert found[_LOGIN_REGISTERS] is NO
    assert found["controller > login: slurmd TCP 6818"] is NO
    rule = deepcopy(_BASE["Resources"][_IN])
    rule["Properties"]["SourceSecurityGroupId"] = "sg-0123456789abcdef0"
    assert _less(_with(content, **{_IN: rule}))[_LOGIN_REGISTERS] is UNKNOWN
    rule = deepcopy(_BASE["Resources"][_OUT])
    rule["Properties"]["GroupId"] = "sg-0123456789abcdef0"
    assert _LOGIN_REGISTERS in _less(_with(content, **{_OUT: rule}))


def test_a_launch_template_that_is_imported_has_groups_that_nobody_knows() -> None:
    found = _less(
        _changed("LoginNodes", "CustomLaunchTemplate", "TemplateId", to="lt-0123456789abcdef0")
    )
    assert found[_LOGIN_REGISTERS] is UNKNOWN
    assert found["controller > login: slurmd TCP 6818"] is UNKNOWN


def test_a_node_without_groups_has_the_default_one_of_the_vpc() -> None:
    content = _changed("LoginTemplate", *_LAUNCH, "SecurityGroupIds", to=None)
    assert _less(content)[_LOGIN_REGISTERS] is NO
    rule = deepcopy(_BASE["Resources"][_IN])
    rule["Properties"]["SourceSecurityGroupId"] = _get("Vpc", "DefaultSecurityGroup")
    assert _LOGIN_REGISTERS not in _less(_with(content, **{_IN: rule}))
    revoked = {
        "Type": "Custom::VpcRestrictDefaultSG",
        "Properties": {"DefaultSecurityGroupId": _get("Vpc", "DefaultSecurityGroup")},
    }
    assert _less(_with(content, **{_IN: rule, "Revoked": revoked}))[_LOGIN_REGISTERS] is NO


# EFA.


@pytest.mark.parametrize(
    ("side", "peer", "verdict"),
    [
        ("Out", {"CidrIp": "0.0.0.0/0"}, NO),
        ("In", {"CidrIp": "10.0.0.0/16"}, NO),
        ("Out", {"DestinationSecurityGroupId": _get("Compute")}, NO),
        ("In", {"SourceSecurityGroupId": {"Fn::ImportValue": "Theirs"}}, UNKNOWN),
        ("Out", {"DestinationSecurityGroupId": _get("Efa"), "IpProtocol": "tcp"}, NO),
    ],
    ids=str,
)
def test_efa_needs_a_rule_that_names_the_group(
    side: str, peer: dict[str, Any], verdict: Verdict
) -> None:
    name = f"EfaToEfa-1{side}"
    type_ = _BASE["Resources"][name]["Type"].removeprefix("AWS::")
    rule = _resource(type_, **{"GroupId": _get("Efa"), "IpProtocol": "-1", **peer})
    assert {key: _less(_with(**{name: rule}))[key] for key in _EFA} == dict.fromkeys(_EFA, verdict)


def test_efa_between_two_groups_is_not_documented() -> None:
    interface = {"DeviceIndex": 0, "InterfaceType": "efa", "Groups": [_get("Compute")]}
    queue = deepcopy(_BASE["Resources"]["Queue"])
    queue["Properties"]["ComputeNodeGroupConfigurations"] += [
        {"ComputeNodeGroupId": _get("LoginNodes", "Id")}
    ]
    content = _with(
        Queue=queue,
        LoginTemplate=_launch(NetworkInterfaces=[interface]),
        **dict((*_rules("Compute", "Efa", -1), *_rules("Efa", "Compute", -1))),
    )
    found = {key: verdict for key, verdict in _less(content).items() if "EFA" in key}
    assert found == {
        "login > compute: EFA all traffic": UNKNOWN,
        "compute > login: EFA all traffic": UNKNOWN,
    }


def test_every_interface_for_efa_needs_the_group() -> None:
    interfaces = deepcopy(
        _BASE["Resources"]["ComputeTemplate"]["Properties"]["LaunchTemplateData"][
            "NetworkInterfaces"
        ]
    )
    interfaces[1]["Groups"] = [_get("Compute")]
    content = _changed("ComputeTemplate", *_LAUNCH, "NetworkInterfaces", to=interfaces)
    assert _less(content) == dict.fromkeys(_EFA, NO)


def test_lustre_with_efa_may_have_a_group_of_its_own() -> None:
    content = _changed("Scratch", "LustreConfiguration", to={"EfaEnabled": True})
    there = {"compute > Scratch: EFA all traffic", "Scratch > compute: EFA all traffic"}
    assert _less(content) == dict.fromkeys(there, NO)
    rules = [*_rules("Efa", "Servers", -1), *_rules("Servers", "Efa", -1)]
    assert _less(_with(content, **dict(rules))) == {}


# DNS, endpoints, routes.


@pytest.mark.parametrize("name", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_fails_when_the_vpc_has_no_dns(name: str) -> None:
    assert _less(_changed("Vpc", name, to=False)) == dict.fromkeys(_NAMES | _CALLS, NO)


def test_dns_that_a_parameter_decides_is_not_known() -> None:
    found = _less(_changed("Vpc", "EnableDnsSupport", to=_ref("Dns")))
    assert found == dict.fromkeys(_NAMES | _CALLS, UNKNOWN)


_PCS = {key for key in _CALLS if "pcs" in key}


@pytest.mark.parametrize(
    ("path", "value", "verdict"),
    [
        (("PrivateDnsEnabled",), False, NO),
        (("PrivateDnsEnabled",), None, UNKNOWN),
        (("SecurityGroupIds",), [_get("Controller")], NO),
        (("SecurityGroupIds",), [_ref("Groups")], UNKNOWN),
        (("SecurityGroupIds",), None, NO),
        (("SubnetIds",), None, NO),
        (("SubnetIds",), ["subnet-0123456789abcdef0"], UNKNOWN),
        (("VpcId",), "vpc-0123456789abcdef0", NO),
        (("ServiceName",), "com.amazonaws.eu-north-1.fsx", NO),
        (("ServiceName",), "com.amazonaws.eu-north-1.pcs", YES),
        (("ServiceName",), {"Fn::Sub": "com.amazonaws.${AWS::Region}.pcs"}, YES),
    ],
    ids=str,
)
def test_an_endpoint_counts_if_nodes_find_it_and_get_in(
    path: tuple[str, ...], value: Any, verdict: Verdict
) -> None:
    expected = {} if verdict is YES else dict.fromkeys(_PCS, verdict)
    assert _less(_changed("Pcs", *path, to=value)) == expected


def _with_nat(base: Content, **changes: Any) -> Content:
    """The network with a way out, through NAT in a public subnet, with a rule that lets nodes."""
    resources = {
        "Public": _subnet("10.0.32.0/24", MapPublicIpOnLaunch=True),
        "PublicTable": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
        "PublicAssociation": _resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId=_ref("Public"),
            RouteTableId=_ref("PublicTable"),
        ),
        "Gateway": _resource("EC2::InternetGateway"),
        "Attachment": _resource(
            "EC2::VPCGatewayAttachment", VpcId=_ref("Vpc"), InternetGatewayId=_ref("Gateway")
        ),
        "PublicRoute": _resource(
            "EC2::Route",
            RouteTableId=_ref("PublicTable"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=_ref("Gateway"),
        ),
        "Nat": _resource("EC2::NatGateway", SubnetId=_ref("Public")),
        "PrivateRoute": _resource(
            "EC2::Route",
            RouteTableId=_ref("Table"),
            DestinationCidrBlock="0.0.0.0/0",
            NatGatewayId=_ref("Nat"),
        ),
        **{
            f"{nodes}Out": _resource(
                "EC2::SecurityGroupEgress",
                GroupId=_get(nodes),
                IpProtocol="tcp",
                FromPort=443,
                ToPort=443,
                CidrIp="0.0.0.0/0",
            )
            for nodes in _NODES
        },
        **changes,
    }
    return _with(base, **{name: r for name, r in resources.items() if r is not None})


_NO_ENDPOINT = _changed("Pcs", to=None)


def test_nat_takes_the_place_of_an_endpoint() -> None:
    content = _with_nat(_NO_ENDPOINT)
    assert _less(content) == {}
    flow = _flows(content)["compute > pcs: HTTPS TCP 443"]
    assert {t.name for t in flow.by} >= {"PrivateRoute", "Nat", "PublicRoute", "ComputeOut"}
    assert flow.needs == set(flow.by)


def test_an_endpoint_is_used_where_there_is_nat_as_well_even_if_it_is_closed() -> None:
    closed = _changed("LoginToDoor443In", to=None)
    assert _less(_with_nat(closed)) == dict.fromkeys(_LOGIN_CALLS, NO)
    flow = _flows(_with_nat(_BASE))["login > pcs: HTTPS TCP 443"]
    assert "Pcs" in {location.name for location in flow.by}
    assert {location.name for location in flow.needs} == {"LoginToDoor443In", "Vpc"}


def test_an_endpoint_under_a_condition_may_not_be_there() -> None:
    content = _with(Pcs={**_BASE["Resources"]["Pcs"], "Condition": "Isolated"})
    assert _less(content) == dict.fromkeys(_PCS, UNKNOWN)
    assert _less(_with_nat(content)) == {}


@pytest.mark.parametrize(("cidr", "verdict"), [("52.0.0.0/8", UNKNOWN), ("10.0.0.0/8", NO)])
def test_the_addresses_of_aws_are_public_and_not_known(cidr: str, verdict: Verdict) -> None:
    content = _changed("ComputeOut", "CidrIp", to=cidr, base=_with_nat(_NO_ENDPOINT))
    assert _less(content) == {"compute > pcs: HTTPS TCP 443": verdict}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"PublicRoute": None}, NO),
        ({"PrivateRoute": None}, NO),
        ({"Attachment": None}, NO),
        ({"Nat": _resource("EC2::NatGateway", SubnetId=_ref("Private"))}, NO),
        (
            {
                "Nat": _resource(
                    "EC2::NatGateway", SubnetId=_ref("Public"), ConnectivityType="private"
                )
            },
            NO,
        ),
        ({"Nat": _resource("EC2::NatGateway", AvailabilityMode="regional")}, UNKNOWN),
        (
            {
                "PrivateRoute": _resource(
                    "EC2::Route",
                    RouteTableId=_ref("Table"),
                    DestinationCidrBlock="0.0.0.0/0",
                    TransitGatewayId="tgw-0123456789abcdef0",
                )
            },
            UNKNOWN,
        ),
        (
            {
                "PrivateRoute": _resource(
                    "EC2::Route",
                    RouteTableId=_ref("Table"),
                    DestinationCidrBlock="192.168.0.0/16",
                    NatGatewayId=_ref("Nat"),
                )
            },
            NO,
        ),
        (
            {
                "PrivateRoute": _resource(
                    "EC2::Route",
                    RouteTableId=_ref("Table"),
                    DestinationCidrBlock="0.0.0.0/0",
                    GatewayId=_ref("Gateway"),
                )
            },
            NO,  # nodes there have no public addresses
        ),
        ({"Association": None}, NO),
    ],
    ids=str,
)
def test_a_way_out_is_a_route_to_nat_that_has_one_to_the_internet(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    content = _with_nat(_NO_ENDPOINT, **changes)
    if "Association" in changes:
        del content["Resources"]["Association"]
    assert _less(content) == dict.fromkeys(_PCS, verdict)


def test_a_node_in_a_public_subnet_needs_a_public_address() -> None:
    content = _with_nat(_NO_ENDPOINT)
    content = _changed("LoginNodes", "SubnetIds", to=[_ref("Public")], base=content)
    assert _less(content) == {}
    refused = [{"DeviceIndex": 0, "Groups": [_get("Login")], "AssociatePublicIpAddress": False}]
    for path, value in (
        (("Public", "MapPublicIpOnLaunch"), False),
        (("LoginTemplate", *_LAUNCH, "NetworkInterfaces"), refused),
        (("LoginTemplate", *_LAUNCH, "NetworkInterfaces"), [{"Groups": [_get("Login")]}] * 2),
    ):
        found = _less(_changed(*path, to=value, base=content))
        assert found == {"login > pcs: HTTPS TCP 443": NO}


_S3_STATEMENT = {"Effect": "Allow", "Action": ["s3:GetObject"]}


def _with_s3(**properties: Any) -> Content:
    """The network whose nodes read from S3, through a gateway endpoint."""
    policy = _resource(
        "IAM::Policy", Roles=[_ref("Role")], PolicyDocument={"Statement": [_S3_STATEMENT]}
    )
    endpoint = _endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=[_ref("Table")])
    lookup = {
        "Type": "Custom::AWS",
        "Properties": {"Create": {"Fn::Sub": '"com.amazonaws.${AWS::Region}.s3"'}},
    }
    egress = {
        f"{nodes}ToS3": _resource(
            "EC2::SecurityGroupEgress",
            GroupId=_get(nodes),
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            DestinationPrefixListId=_get("Lookup", "PrefixLists.0.PrefixListId"),
        )
        for nodes in _NODES
    }
    return _with(Read=policy, S3=endpoint, Lookup=lookup, **{**egress, **properties})


_READ = {"login > s3: HTTPS TCP 443", "compute > s3: HTTPS TCP 443"}


def test_s3_is_reached_through_its_gateway_endpoint() -> None:
    content = _with_s3()
    assert _less(content) == {}
    assert {t.name for t in _flows(content)["login > s3: HTTPS TCP 443"].needs} == {
        "S3",
        "LoginToS3",
        "Association",
    }
    assert _less(_changed("S3", to=None, base=content)) == dict.fromkeys(_READ, NO)
    other = _changed("S3", "RouteTableIds", to=[], base=content)
    assert _less(other) == dict.fromkeys(_READ, NO)
    nobody = _changed("LoginToS3", to=None, base=content)
    assert _less(nobody) == {"login > s3: HTTPS TCP 443": NO}
    named = _changed(
        "LoginToS3", "DestinationPrefixListId", to="pl-0123456789abcdef0", base=content
    )
    assert _less(named)["login > s3: HTTPS TCP 443"] is UNKNOWN


# Network ACLs.


def _entries(
    *entries: tuple[int, bool, str, str, tuple[int, int] | None], of: str = "Endpoints"
) -> Content:
    """The network with a subnet behind a network ACL of its own."""
    return _with(
        Acl=_resource("EC2::NetworkAcl", VpcId=_ref("Vpc")),
        Assigned=_resource(
            "EC2::SubnetNetworkAclAssociation", SubnetId=_ref(of), NetworkAclId=_ref("Acl")
        ),
        **{
            f"Entry{index}": _resource(
                "EC2::NetworkAclEntry",
                NetworkAclId=_ref("Acl"),
                RuleNumber=number,
                Egress=egress,
                RuleAction=action,
                CidrBlock=cidr,
                Protocol=6,
                **({"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}),
            )
            for index, (number, egress, action, cidr, ports) in enumerate(entries)
        },
    )


_IN_443 = (100, False, "allow", "10.0.0.0/16", (443, 443))
_ANSWERS = (100, True, "allow", "10.0.0.0/16", (1024, 65535))


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ((_IN_443, _ANSWERS), YES),
        ((), NO),
        ((_IN_443,), NO),  # answers do not get back: ACLs keep track of nothing
        ((_ANSWERS,), NO),
        (((90, False, "deny", "10.0.0.0/20", None), _IN_443, _ANSWERS), NO),
        (((110, False, "deny", "10.0.0.0/20", None), _IN_443, _ANSWERS), YES),
        (((90, False, "deny", "10.0.0.128/25", None), _IN_443, _ANSWERS), UNKNOWN),
        ((_IN_443, (100, True, "allow", "10.0.0.0/16", (49152, 65535))), UNKNOWN),
        ((_IN_443, (100, True, "allow", "10.0.99.0/24", None)), NO),
    ],
    ids=str,
)
def test_network_acls_let_calls_in_and_answers_out(entries: Any, verdict: Verdict) -> None:
    expected = {} if verdict is YES else dict.fromkeys(_CALLS, verdict)
    assert _less(_entries(*entries)) == expected


def test_network_acls_are_of_no_account_within_a_subnet() -> None:
    assert _less(_entries(of="Private")) == dict.fromkeys(_CALLS, NO)


def test_network_acls_let_calls_out_and_answers_in() -> None:
    out = (100, True, "allow", "10.0.0.0/16", (443, 443))
    answers = (100, False, "allow", "10.0.0.0/16", (1024, 65535))
    assert _less(_entries(out, answers, of="Private")) == {}
    assert _less(_entries(out, of="Private")) == dict.fromkeys(_CALLS, NO)
    assert _less(_entries(answers, of="Private")) == dict.fromkeys(_CALLS, NO)


# What is elsewhere.


def test_an_imported_vpc_shows_neither_dns_nor_routes() -> None:
    content = _changed("Private", to=None)
    for name in ("Vpc", "Endpoints", "Table", "Association", "Pcs", "Ssm"):
        del content["Resources"][name]
    text = json.dumps(content).replace('{"Ref": "Private"}', '"subnet-0123456789abcdef0"')
    found = _less(json.loads(text))
    # Security groups and the one subnet are enough for Slurm and for what is beside the nodes.
    assert found == dict.fromkeys(_NAMES | _CALLS, UNKNOWN)


def test_two_imported_subnets_may_have_a_network_acl_between_them() -> None:
    nodes = _changed("LoginNodes", "SubnetIds", to=["subnet-0123456789abcdef0"])
    found = _less(nodes)
    assert found[_LOGIN_REGISTERS] is UNKNOWN
    assert "compute > controller: slurmctld TCP 6817" not in found


def test_a_cluster_that_is_elsewhere_is_not_judged() -> None:
    content = _changed("LoginNodes", "ClusterId", to="pcs_1a2b3c4d5e")
    flows = _flows(content)
    assert flows["login > controller: slurmctld TCP 6817"].verdict is UNKNOWN
    assert flows["login > controller: slurmctld TCP 6817"].cluster.startswith("pcs_1a2b3c4d5e")
    assert flows["login > pcs: HTTPS TCP 443"].verdict is YES


def test_templates_that_are_read_together_see_what_each_other_export() -> None:
    resources = {**_BASE["Resources"]}
    queue_and_nodes = {
        name: resources.pop(name) for name in ("Queue", "ComputeNodes", "ComputeTemplate")
    }
    text = json.dumps({"Resources": queue_and_nodes})
    outputs = {}
    for value, name in (
        (_ref("Private"), "Subnet"),
        (_get("Compute"), "Group"),
        (_get("Efa"), "EfaGroup"),
        (_get("Cluster", "Id"), "ClusterId"),
        (_ref("Home"), "HomeId"),
        (_get("Scratch", "DNSName"), "ScratchName"),
        (_get("Profile", "Arn"), "ProfileArn"),
    ):
        outputs[name] = {"Value": value, "Export": {"Name": f"Base:{name}"}}
        text = text.replace(json.dumps(value), json.dumps({"Fn::ImportValue": f"Base:{name}"}))
    base = {"Resources": resources, "Outputs": outputs}
    assert _less(base, json.loads(text)) == {}
    assert len(_flows(base, json.loads(text))) == len(_base())
    alone = _less(json.loads(text))
    assert set(alone.values()) == {UNKNOWN}
    assert "compute > Base:ScratchName: file system its ports" not in alone


def test_subnets_of_two_vpcs_do_not_reach_each_other() -> None:
    content = _with(
        Other=_resource("EC2::VPC", CidrBlock="10.1.0.0/16"),
        There=_resource("EC2::Subnet", VpcId=_ref("Other"), CidrBlock="10.1.0.0/20"),
    )
    content = _changed("LoginNodes", "SubnetIds", to=[_ref("There")], base=content)
    assert _less(content)[_LOGIN_REGISTERS] is NO


# File systems.


def _login_mounts(*parts: Any) -> dict[str, Verdict]:
    """The verdicts on what login nodes mount, if their user data says this."""
    content = _with(LoginTemplate=_launch(*parts, SecurityGroupIds=[_get("Login")]))
    content["Resources"]["Volume"] = _resource(
        "FSx::Volume", OpenZFSConfiguration={"ParentVolumeId": _get("Zfs", "RootVolumeId")}
    )
    content["Resources"]["Zfs"] = _resource(
        "FSx::FileSystem",
        FileSystemType="OPENZFS",
        SubnetIds=[_ref("Private")],
        SecurityGroupIds=[_get("Files")],
    )
    content["Resources"]["Point"] = _resource("EFS::AccessPoint", FileSystemId=_ref("Home"))
    return {
        f"{flow.target} {flow.what} {flow.traffic}": flow.verdict
        for flow in _flows(content).values()
        if flow.source == "login"
        and flow.what not in {"slurmctld", "slurmd", "srun", "HTTPS", "names"}
    }


def test_user_data_says_what_is_mounted() -> None:
    assert _login_mounts(_ref("Home")) == {"Home EFS TCP 2049": YES}
    assert _login_mounts(_ref("Point")) == {"Home EFS TCP 2049": YES}
    assert _login_mounts("echo nothing") == {}
    assert _login_mounts(_ref("Volume")) == {
        "Zfs OpenZFS TCP 111": NO,
        "Zfs OpenZFS UDP 111": NO,
        "Zfs OpenZFS TCP 2049": YES,
        "Zfs OpenZFS UDP 2049": NO,
        "Zfs OpenZFS TCP 20001-20003": NO,
        "Zfs OpenZFS UDP 20001-20003": NO,
    }


def test_a_file_system_that_is_named_only_is_not_known() -> None:
    found = _login_mounts("mount -t efs fs-0123456789abcdef0:/ /home\n")
    assert found == {"fs-0123456789abcdef0 file system its ports": UNKNOWN}
    found = _login_mounts("mount_at '/nfs' '10.0.0.5:/export' 'nfs' '_netdev'\n")
    assert found == {"10.0.0.5 NFS TCP 2049": UNKNOWN}
    content = _changed("LoginToFiles2049Out", to=None)
    user_data = base64.b64encode(b"#!/bin/sh\nmount -t nfs -o hard server:/export /nfs\n").decode()
    content = _changed("LoginTemplate", *_LAUNCH, "UserData", to=user_data, base=content)
    assert _less(content) == {"login > server: NFS TCP 2049": NO}


def test_lifecycle_actions_mount_too() -> None:
    action = {"Name": "Mount", "Arguments": ["--file-system-id", _ref("Home")]}
    content = _changed("LoginTemplate", *_LAUNCH, "UserData", to=None)
    content["Resources"]["LoginNodes"] = deepcopy(content["Resources"]["LoginNodes"])
    content["Resources"]["LoginNodes"]["Properties"]["NodeLifecycleActions"] = {
        "Stages": {"NodeBootstrapped": [action]}
    }
    assert _flows(content)["login > Home: EFS TCP 2049"].verdict is YES


def test_nodes_use_the_mount_target_in_their_zone() -> None:
    there = _subnet("10.0.48.0/24")
    there["Properties"]["AvailabilityZone"] = "eu-north-1b"
    closed = deepcopy(_BASE["Resources"]["Target"])
    closed["Properties"] |= {"SubnetId": _ref("There"), "SecurityGroups": [_get("Servers")]}
    assert _less(_with(There=there, Closed=closed)) == {}
    moved = deepcopy(_BASE["Resources"]["Target"])
    moved["Properties"] |= {"SubnetId": _ref("There")}
    # Its name is not resolved in a zone where it has none.
    assert _less(_with(There=there, Target=moved)) == {
        "compute > Home: EFS TCP 2049": UNKNOWN,
        "login > Home: EFS TCP 2049": UNKNOWN,
    }


def test_fsx_in_two_zones_writes_routes_into_the_tables_that_it_is_given() -> None:
    zfs = {"DeploymentType": "MULTI_AZ_1", "RouteTableIds": [_ref("Table")]}
    content = _changed("Scratch", "FileSystemType", to="ONTAP")
    content = _changed("Scratch", "OntapConfiguration", to=zfs, base=content)
    rules = dict(_rules("Compute", "Servers", 2049))
    assert _less(_with(content, **rules)) == {}
    del content["Resources"]["Scratch"]["Properties"]["OntapConfiguration"]["RouteTableIds"]
    assert _less(_with(content, **rules)) == {"compute > Scratch: ONTAP TCP 2049": UNKNOWN}


# Clusters.


def test_accounting_and_the_rest_api_have_ports_of_their_own() -> None:
    settings = {"Accounting": {"Mode": "STANDARD"}, "SlurmRest": {"Mode": "STANDARD"}}
    content = _changed("Cluster", "SlurmConfiguration", to=settings)
    assert _less(content) == {
        "login > controller: slurmdbd TCP 6819": NO,
        "compute > controller: slurmdbd TCP 6819": NO,
        "anybody > controller: slurmrestd TCP 6820": NO,
    }
    rules = dict(
        rule
        for ports in ((6819,), (6820,))
        for nodes in _NODES
        for rule in _rules(nodes, "Controller", *ports)
    )
    assert _less(_with(content, **rules)) == {}
    assert "login > controller: slurmrestd TCP 6820" in _flows(_with(content, **rules))
    rest = {"IpProtocol": "tcp", "FromPort": 6820, "ToPort": 6820, "CidrIp": "10.0.0.0/8"}
    rules["Rest"] = _resource("EC2::SecurityGroupIngress", GroupId=_get("Controller"), **rest)
    assert "10.0.0.0/8 > controller: slurmrestd TCP 6820" in _flows(_with(content, **rules))


def test_srun_has_the_ports_that_the_cluster_gives_it() -> None:
    setting = {"ParameterName": "SrunPortRange", "ParameterValue": "50000-60000"}
    content = _changed("Cluster", "SlurmConfiguration", to={"SlurmCustomSettings": [setting]})
    found = _less(content)
    assert {key.partition(": ")[2] for key in found} == {"srun TCP 50000-60000"}
    setting["ParameterValue"] = _ref("Ports")  # type: ignore[assignment]
    assert set(_less(content).values()) == {UNKNOWN}


_ADDRESSED = ("Private", "AssignIpv6AddressOnCreation")


def test_an_ipv6_cluster_heeds_rules_for_ipv6_addresses() -> None:
    ipv6 = {**_BASE["Resources"]["Cluster"]["Properties"]["Networking"], "NetworkType": "IPV6"}
    addressed = _changed(*_ADDRESSED, to=True)
    assert _less(_changed("Cluster", "Networking", to=ipv6, base=addressed)) == {}
    v4 = _changed(*_ADDRESSED, to=True, base=_rule_in(CidrIp="0.0.0.0/0"))
    assert _LOGIN_REGISTERS in _less(_changed("Cluster", "Networking", to=ipv6, base=v4))
    v6 = _changed(*_ADDRESSED, to=True, base=_rule_in(CidrIpv6="::/0"))
    assert _less(_changed("Cluster", "Networking", to=ipv6, base=v6)) == {}


def test_an_ipv6_cluster_registers_through_an_egress_only_gateway() -> None:
    ipv6 = {**_BASE["Resources"]["Cluster"]["Properties"]["Networking"], "NetworkType": "IPV6"}
    content = _changed("Cluster", "Networking", to=ipv6, base=_NO_ENDPOINT)
    content = _changed("Private", "Ipv6CidrBlock", to=_ref("Range"), base=content)
    content = _changed(*_ADDRESSED, to=True, base=content)
    out = {"IpProtocol": "-1", "CidrIpv6": "::/0"}
    content = _with(
        content,
        Egress=_resource("EC2::EgressOnlyInternetGateway", VpcId=_ref("Vpc")),
        Route=_resource(
            "EC2::Route",
            RouteTableId=_ref("Table"),
            DestinationIpv6CidrBlock="::/0",
            EgressOnlyInternetGatewayId=_ref("Egress"),
        ),
        ComputeOut=_resource("EC2::SecurityGroupEgress", GroupId=_get("Compute"), **out),
    )
    assert _less(content) == {"login > pcs: HTTPS TCP 443": NO}
    silent = _changed(*_ADDRESSED, to=False, base=content)
    assert _less(silent)["compute > pcs: HTTPS TCP 443"] is UNKNOWN
    assert _less(silent)["compute > controller: slurmctld TCP 6817"] is UNKNOWN


def test_groups_that_share_no_queue_do_not_talk() -> None:
    other = _nodes("other", "LoginTemplate", 4)
    content = _with(Other=other)
    queue = deepcopy(_BASE["Resources"]["Queue"])
    queue["Properties"]["ComputeNodeGroupConfigurations"] = [
        {"ComputeNodeGroupId": _get("Other", "Id")}
    ]
    apart = _flows(_with(content, Another=queue))
    assert not [key for key in apart if key.startswith(("compute > other", "other > compute"))]
    queue["Properties"]["ComputeNodeGroupConfigurations"] += [
        {"ComputeNodeGroupId": _get("ComputeNodes", "Id")}
    ]
    together = _flows(_with(content, Another=queue))
    assert "compute > other: srun TCP 60001-63000" in together


# Who logs in.


def _ssh_from(**peer: Any) -> Content:
    content = _with_nat(_BASE)
    content = _changed("LoginNodes", "SubnetIds", to=[_ref("Public")], base=content)
    rule = {"GroupId": _get("Login"), "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **peer}
    return _with(content, Ssh=_resource("EC2::SecurityGroupIngress", **rule))


@pytest.mark.parametrize(
    ("peer", "verdict"),
    [
        ({"CidrIp": "203.0.113.0/24"}, YES),
        ({"CidrIp": "10.0.0.0/8"}, YES),
        ({"CidrIp": "192.168.0.0/16"}, UNKNOWN),
        ({"SourcePrefixListId": "pl-0123456789abcdef0"}, UNKNOWN),
        ({"SourceSecurityGroupId": "sg-0123456789abcdef0"}, UNKNOWN),
    ],
    ids=str,
)
def test_who_may_log_in_is_told_for_each_rule(peer: dict[str, Any], verdict: Verdict) -> None:
    (flow,) = (f for f in _flows(_ssh_from(**peer)).values() if f.what == "SSH")
    assert (flow.source, flow.verdict) == (str(next(iter(peer.values()))), verdict)
    assert (flow.by[0].name == "Ssh") if flow.by else verdict is UNKNOWN


def test_the_nodes_of_a_cluster_are_not_outside_of_it() -> None:
    content = _ssh_from(SourceSecurityGroupId=_get("Compute"))
    assert [key for key in _flows(content) if "SSH" in key] == []


def test_fails_when_login_nodes_are_where_the_internet_does_not_reach_them() -> None:
    content = _ssh_from(CidrIp="203.0.113.0/24")
    private = _changed("LoginNodes", "SubnetIds", to=[_ref("Private")], base=content)
    assert _less(private)["203.0.113.0/24 > login: SSH TCP 22"] is NO


# What nodes call.


@pytest.mark.parametrize(
    ("statement", "services"),
    [
        ({"Effect": "Allow", "Action": "logs:PutLogEvents"}, ["logs"]),
        ({"Effect": "Allow", "Action": ["s3:Get*", "fsx:*"]}, ["fsx", "s3"]),
        ({"Effect": "Allow", "Action": "ecr:GetAuthorizationToken"}, ["ecr.api", "ecr.dkr", "s3"]),
        ({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue"}, ["secretsmanager"]),
        ({"Effect": "Allow", "Action": "kinesis:PutRecord"}, ["kinesis"]),
        ({"Effect": "Deny", "Action": "s3:*"}, []),
        ({"Effect": "Allow", "Action": "elasticfilesystem:ClientMount"}, []),
        ({"Effect": "Allow", "Action": "*"}, []),
    ],
    ids=str,
)
def test_a_role_shows_what_nodes_call(statement: dict[str, Any], services: list[str]) -> None:
    document = {"PolicyDocument": {"Statement": statement}}
    content = _changed("Role", "Policies", to=[document])
    called = {flow.target for flow in _flows(content).values() if flow.what == "HTTPS"}
    assert called == {"pcs", *services}


def test_the_endpoint_of_a_service_that_is_only_named_in_actions_is_unknown() -> None:
    statement = {"Effect": "Allow", "Action": "kinesis:PutRecord"}
    policies = [{"PolicyDocument": {"Statement": statement}}]
    content = _changed("Role", "Policies", to=policies)
    routes = [name for name, one in content["Resources"].items() if one["Type"].endswith("::Route")]
    for route in routes:
        del content["Resources"][route]
    for nodes in ("login", "compute"):
        assert _flows(content)[f"{nodes} > kinesis: HTTPS TCP 443"].verdict is UNKNOWN


def test_policies_of_aws_and_lifecycle_actions_show_it_too() -> None:
    arn = {"Fn::Join": ["", ["arn:", _ref("AWS::Partition"), ":iam::aws:policy/"]]}
    arn["Fn::Join"][1][2] += "AmazonSSMManagedInstanceCore"  # type: ignore[operator]
    content = _changed("Role", "ManagedPolicyArns", to=[arn])
    content["Resources"]["LoginNodes"] = deepcopy(content["Resources"]["LoginNodes"])
    content["Resources"]["LoginNodes"]["Properties"]["NodeLifecycleActions"] = {
        "Stages": {
            "NodeBootstrapped": [
                {
                    "ScriptSource": {"ScriptLocation": "s3://bucket/configure-ldaps-v1.0.0.sh"},
                    "Arguments": ["--secret-arn", "arn:aws:secretsmanager:::secret:ldap"],
                }
            ]
        }
    }
    calls = {(f.source, f.target) for f in _flows(content).values() if f.what == "HTTPS"}
    assert {target for source, target in calls if source == "compute"} == {
        "pcs",
        "ssm",
        "ssmmessages",
    }
    login = {target for source, target in calls if source == "login"}
    assert login >= {"s3", "secretsmanager"}


# The command line.


def _printed(
    content: Content, folder: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, str]:
    path = folder / "Hpc.template.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return main(["reach", *options, str(path)]), capsys.readouterr().out


def test_the_table_says_what_gets_through_by_which_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = _printed(_BASE, tmp_path, capsys)
    assert status == 0
    lines = text.splitlines()
    assert lines[:2] == ["cluster hpc in Hpc", "  login to"]
    assert lines[2].split() == [
        *("controller", "slurmctld", "TCP", "6817", "yes"),
        *("LoginToController6817Out,", "LoginToController6817In"),
    ]
    assert lines[-1] == "27 flows: 27 yes"


def test_fails_when_something_is_out_of_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = _printed(_NO_ENDPOINT, tmp_path, capsys)
    assert status == 1
    assert "        fix: add an endpoint for pcs to Vpc, or a NAT gateway\n" in text
    assert text.endswith("27 flows: 2 NO, 25 yes\n")


def test_what_is_unknown_fails_only_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = _changed("Pcs", "SecurityGroupIds", to=[_ref("Groups")])
    assert _printed(content, tmp_path, capsys)[0] == 0
    assert _printed(content, tmp_path, capsys, "--strict")[0] == 1


def test_json_has_every_fact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = _printed(_NO_ENDPOINT, tmp_path, capsys, "--json")
    found = {(f["source"], f["target"], f["what"]): f for f in json.loads(text)}
    assert found["login", "controller", "slurmctld"]["by"][0] == {
        "template": "Hpc",
        "logicalId": "LoginToController6817Out",
        "property": "",
        "type": "AWS::EC2::SecurityGroupEgress",
    }
    assert found["login", "pcs", "HTTPS"]["verdict"] == "no"
    assert found["login", "pcs", "HTTPS"]["fixes"]


def test_the_drawing_has_an_arrow_for_each_pair() -> None:
    drawing = as_mermaid(_flows(_NO_ENDPOINT).values())
    assert drawing.startswith('flowchart LR\n  subgraph c0["hpc in Stack0"]\n')
    assert '-->|"slurmd, srun, EFA"|' in drawing
    assert '-.->|"NO: HTTPS"|' in drawing
    pairs = {(flow.source, flow.target) for flow in _base().values()}
    assert drawing.count("|") == 2 * len(pairs)


def test_fails_on_what_is_no_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reach", str(tmp_path / "nowhere.json")]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_a_template_without_clusters_needs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _printed({"Resources": {}}, tmp_path, capsys) == (
        0,
        "no cluster with nodes in these templates\n",
    )


# What is not sure, and must not be said to be.


def _route(destination: str, table: str = "Table", **target: Any) -> dict[str, Any]:
    return _resource(
        "EC2::Route", RouteTableId=_ref(table), DestinationCidrBlock=destination, **target
    )


_TRANSIT = {"TransitGatewayId": "tgw-0123456789abcdef0"}
_PARAMETER = {"Parameters": {"Given": {"Type": "String", "Default": "10.0.0.0/8"}}}


def test_what_rests_on_the_default_of_a_parameter_is_not_sure() -> None:
    content = {**_rule_in(CidrIp=_ref("Given")), **_PARAMETER}
    assert _flows(content)[_LOGIN_REGISTERS].assumes == ("Given is 10.0.0.0/8",)
    dns = _changed("Vpc", "EnableDnsHostnames", to=_ref("Given"))
    on = {"Parameters": {"Given": {"Type": "String", "Default": "true"}}}
    assert _flows({**dns, **on})["login > DNS: names UDP 53"].assumes == ("Given is true",)


@pytest.mark.parametrize(("passed", "verdict"), [("192.168.0.0/16", NO), ("10.0.0.0/8", YES)])
def test_a_nested_stack_has_what_the_one_around_it_passes(passed: str, verdict: Verdict) -> None:
    group = _resource(
        "EC2::SecurityGroup",
        VpcId=_ref("Vpc"),
        SecurityGroupIngress=[{"IpProtocol": "-1", "CidrIp": _ref("Given")}],
    )
    inner = {
        **_PARAMETER,
        "Resources": {"Inner": group},
        "Outputs": {"Id": {"Value": _get("Inner")}},
    }
    stack = {
        **_resource("CloudFormation::Stack", TemplateURL="x", Parameters={"Given": passed}),
        "Metadata": {"aws:asset:path": "inner.nested.template.json"},
    }
    content = _changed("Cluster", "Networking", "SecurityGroupIds", to=[_get("Nest", "Outputs.Id")])
    content["Resources"] |= {
        "Nest": stack,
        "LoginEverywhere": _resource(
            "EC2::SecurityGroupEgress", GroupId=_get("Login"), IpProtocol="-1", CidrIp="0.0.0.0/0"
        ),
    }
    flows = judge(template.parsed_together({"outer": content, "inner.nested": inner}))
    found = {_key(flow): flow.verdict for flow in flows}
    assert found[_LOGIN_REGISTERS] is verdict


def test_templates_with_one_name_are_not_one(tmp_path: Path) -> None:
    closed = _changed("LoginToController6817In", to=None)
    paths = [tmp_path / place / "Hpc.template.json" for place in ("dev", "prod")]
    for path, content in zip(paths, (_BASE, closed), strict=True):
        path.parent.mkdir()
        path.write_text(json.dumps(content))
    flows = [f for f in judge(template.read(*paths)) if _key(f) == _LOGIN_REGISTERS]
    assert [flow.verdict for flow in flows] == [YES, NO]
    assert len({flow.cluster for flow in flows}) == 2


def test_an_import_that_two_templates_export_is_of_neither() -> None:
    content = _changed(
        "LoginToController6817In", "SourceSecurityGroupId", to={"Fn::ImportValue": "Group"}
    )
    export = {"Outputs": {"Group": {"Value": _get("Login"), "Export": {"Name": "Group"}}}}
    assert _less({**content, **export}) == {}
    other = {"Resources": {"Login": _resource("EC2::SecurityGroup")}, **export}
    assert _less({**content, **export}, other)[_LOGIN_REGISTERS] is UNKNOWN


def test_the_first_range_of_a_vpc_is_not_that_of_a_subnet_in_the_second() -> None:
    content = _changed(
        "Private", "CidrBlock", to="100.64.0.0/24", base=_rule_in(CidrIp="10.0.0.0/16")
    )
    more = _resource("EC2::VPCCidrBlock", VpcId=_ref("Vpc"), CidrBlock="100.64.0.0/16")
    assert _less(_with(content, More=more))[_LOGIN_REGISTERS] is NO
    unsaid = _changed("Private", "CidrBlock", to=_ref("Range"), base=content)
    assert _LOGIN_REGISTERS not in _less(unsaid)
    assert _less(_with(unsaid, More=more))[_LOGIN_REGISTERS] is UNKNOWN


@pytest.mark.parametrize(
    ("whose", "verdict"),
    [("AllResolvers", NO), ("OnlyInboundResolver", YES), (None, UNKNOWN)],
)
def test_an_interface_for_s3_goes_before_its_gateway_if_names_lead_to_it(
    whose: str | None, verdict: Verdict
) -> None:
    interface = _interface("s3")
    interface["Properties"]["SecurityGroupIds"] = [_get("Servers")]  # which lets no node in
    if whose:
        options = {"PrivateDnsOnlyForInboundResolverEndpoint": whose}
        interface["Properties"]["DnsOptions"] = options
    expected = {} if verdict is YES else dict.fromkeys(_READ, verdict)
    assert _less(_with(_with_s3(), Interface=interface)) == expected


@pytest.mark.parametrize(
    ("path", "to", "flow"),
    [
        (("Cluster", "Networking"), {"Fn::If": ["x", _ref("A"), _ref("B")]}, _LOGIN_REGISTERS),
        (("Cluster", "Networking"), None, _LOGIN_REGISTERS),
        (("LoginNodes", "SubnetIds"), None, _LOGIN_REGISTERS),
        (("LoginNodes", "SubnetIds"), None, "login > DNS: names UDP 53"),
        (("LoginNodes", "SubnetIds"), None, "login > pcs: HTTPS TCP 443"),
    ],
    ids=str,
)
def test_where_somebody_is_without_a_subnet_is_not_known(
    path: tuple[str, ...], to: Any, flow: str
) -> None:
    assert _less(_changed(*path, to=to))[flow] is UNKNOWN


def test_a_launch_template_that_is_chosen_at_deployment_has_no_known_groups() -> None:
    data = {"Fn::If": ["x", {"SecurityGroupIds": [_get("Login")]}, {}]}
    (launch,) = {
        group["Properties"]["CustomLaunchTemplate"]["TemplateId"]["Ref"]
        for name, group in _BASE["Resources"].items()
        if name == "LoginNodes"
    }
    assert _less(_changed(launch, "LaunchTemplateData", to=data))[_LOGIN_REGISTERS] is UNKNOWN


def test_nat_has_its_answers_at_more_ports_than_linux() -> None:
    def judged(last: int) -> dict[str, Verdict]:
        content = _entries(
            (100, False, "allow", "10.0.0.0/16", (443, 443)),
            (110, False, "allow", "0.0.0.0/0", (1024, last)),
            (100, True, "allow", "0.0.0.0/0", None),
            of="Public",
        )
        return _less(_with_nat(_changed("Pcs", to=None, base=content)))

    assert judged(65535) == {}
    assert judged(60999) == dict.fromkeys(_PCS, UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        # Routes for a part of the internet go before the one for all of it.
        ({"Half": _route("0.0.0.0/1", **_TRANSIT)}, UNKNOWN),
        ({"Half": _route("0.0.0.0/1", **_TRANSIT), "PrivateRoute": None}, UNKNOWN),
        ({"Ours": _route("10.0.0.0/8", **_TRANSIT)}, YES),
        ({"Ours": _route("10.0.0.0/8", **_TRANSIT), "PrivateRoute": None}, NO),
        ({"Half": _route("0.0.0.0/1", NatGatewayId=_ref("Nat"))}, YES),
        # A firewall behind the NAT gateway, or a transit gateway.
        ({"PublicRoute": _route("0.0.0.0/0", "PublicTable", VpcEndpointId="vpce-1")}, UNKNOWN),
        (
            {
                "PublicRoute": _route("0.0.0.0/0", "PublicTable", **_TRANSIT),
                "Nat": _resource(
                    "EC2::NatGateway", SubnetId=_ref("Public"), ConnectivityType="private"
                ),
            },
            UNKNOWN,
        ),
        (
            {
                "PrivateRoute": None,
                "Learnt": _resource(
                    "EC2::VPNGatewayRoutePropagation", RouteTableIds=[_ref("Table")]
                ),
            },
            UNKNOWN,
        ),
    ],
    ids=str,
)
def test_routes_that_lead_elsewhere_make_the_way_out_less_sure(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    expected = {} if verdict is YES else dict.fromkeys(_PCS, verdict)
    assert _less(_with_nat(_NO_ENDPOINT, **changes)) == expected


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Entry0", {"Condition": "Strict"}),
        ("Assigned", {"Condition": "Strict"}),
    ],
)
def test_what_an_acl_denies_under_a_condition_is_not_sure(
    name: str, changes: dict[str, Any]
) -> None:
    content = _entries((90, False, "deny", "10.0.0.0/20", None), _IN_443, _ANSWERS)
    content["Resources"][name] |= changes
    assert _less(content) == dict.fromkeys(_CALLS, UNKNOWN)


@pytest.mark.parametrize(
    ("entry", "property_"),
    [("Entry1", "RuleNumber"), ("Entry1", "RuleAction"), ("Entry1", "Egress")],
)
def test_a_rule_of_an_acl_that_a_parameter_decides_is_not_sure(entry: str, property_: str) -> None:
    content = _entries((100, False, "deny", "10.0.0.0/20", None), _IN_443, _ANSWERS)
    if property_ != "RuleNumber":
        del content["Resources"]["Entry0"]
    content = _changed(entry, property_, to=_ref("Given"), base=content)
    assert _less(content) == dict.fromkeys(_CALLS, UNKNOWN)


@pytest.mark.parametrize("number", ["\u00b2", "9" * 5000, float("inf")])
def test_a_number_that_is_none_is_not_known(number: object) -> None:
    content = _entries(_IN_443, _ANSWERS)
    content = _changed("Entry0", "RuleNumber", to=number, base=content)
    content = _changed("Entry1", "PortRange", "To", to=number, base=content)
    sizes = {"MinInstanceCount": 0, "MaxInstanceCount": number}
    content = _changed("LoginNodes", "ScalingConfiguration", to=sizes, base=content)
    assert dict.fromkeys(_CALLS, UNKNOWN).items() <= _less(content).items()


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"ServiceName": {"Fn::Sub": ["com.amazonaws.eu-north-1.${S}", {"S": "pcs"}]}}, YES),
        ({"ServiceName": _ref("Given")}, UNKNOWN),
        ({"ServiceName": "com.amazonaws.us-west-2.pcs"}, UNKNOWN),
        ({"IpAddressType": "ipv6"}, UNKNOWN),
        ({"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "pcs:*"}]}}, YES),
        ({"PolicyDocument": {"Statement": [{"Effect": "Deny", "Action": "*"}]}}, UNKNOWN),
        ({"PolicyDocument": _ref("Given")}, UNKNOWN),
    ],
    ids=str,
)
def test_what_an_endpoint_is_for_and_whom_it_admits_counts(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    endpoint = deepcopy(_BASE["Resources"]["Pcs"])
    endpoint["Properties"] |= changes
    expected = {} if verdict is YES else dict.fromkeys(_PCS, verdict)
    assert _less(_with(Pcs=endpoint)) == expected


@pytest.mark.parametrize(
    ("servers", "verdict"), [("AmazonProvidedDNS", YES), ("192.168.1.1", UNKNOWN)]
)
def test_a_vpc_may_have_the_dns_of_somebody_else(servers: str, verdict: Verdict) -> None:
    content = _with(
        Options=_resource("EC2::DHCPOptions", DomainNameServers=[servers]),
        Given=_resource(
            "EC2::VPCDHCPOptionsAssociation", VpcId=_ref("Vpc"), DhcpOptionsId=_ref("Options")
        ),
    )
    assert _less(content) == ({} if verdict is YES else dict.fromkeys(_CALLS | _NAMES, UNKNOWN))


def test_the_prefix_list_of_s3_has_its_addresses_behind_nat_as_well() -> None:
    content = _changed("S3", to=None, base=_with_s3())
    closed = {f"{nodes}Out": None for nodes in _NODES}
    assert _less(_with_nat(content, **closed)) == {}


def _logs_in(content: Content) -> Verdict:
    (flow,) = (f for f in _flows(content).values() if f.what == "SSH")
    return flow.verdict


@pytest.mark.parametrize(("port", "verdict"), [(443, NO), (22, YES)])
def test_a_bastion_has_to_be_let_out(port: int, verdict: Verdict) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"}
    bastion = _resource("EC2::SecurityGroup", VpcId=_ref("Vpc"), SecurityGroupEgress=[rule])
    content = _with(_ssh_from(SourceSecurityGroupId=_get("Bastion")), Bastion=bastion)
    assert _logs_in(content) is verdict


def test_whom_a_rule_lets_in_an_acl_may_keep_out() -> None:
    acl = {
        "Acl": _resource("EC2::NetworkAcl", VpcId=_ref("Vpc")),
        "Assigned": _resource(
            "EC2::SubnetNetworkAclAssociation", SubnetId=_ref("Public"), NetworkAclId=_ref("Acl")
        ),
    }
    assert _logs_in(_with(_ssh_from(CidrIp="10.0.0.0/8"), **acl)) is NO
    assert _logs_in(_with(_ssh_from(CidrIp="192.168.0.0/16"), **acl)) is NO


def test_answers_to_who_logs_in_may_be_led_elsewhere() -> None:
    content = _ssh_from(CidrIp="52.1.0.0/16")
    assert _logs_in(content) is YES
    assert _logs_in(_with(content, Back=_route("52.0.0.0/8", "PublicTable", **_TRANSIT))) is UNKNOWN
    assert _logs_in(_with(content, Back=_route("54.0.0.0/8", "PublicTable", **_TRANSIT))) is YES
    private = _changed("LoginNodes", "SubnetIds", to=[_ref("Private")], base=content)
    assert _logs_in(private) is NO
    assert _logs_in(_with(private, Back=_route("52.1.0.0/16", **_TRANSIT))) is UNKNOWN
    assert _logs_in(_ssh_from(CidrIp="100.64.0.0/16")) is UNKNOWN


def test_the_rest_api_needs_a_way_for_whom_a_rule_lets_in() -> None:
    rest = {"SlurmRest": {"Mode": "STANDARD"}}
    content = _changed("Cluster", "SlurmConfiguration", to=rest)
    rule = {"GroupId": _get("Controller"), "IpProtocol": "tcp", "FromPort": 6820, "ToPort": 6820}
    rule["CidrIp"] = "52.1.0.0/16"
    content = _with(content, Rest=_resource("EC2::SecurityGroupIngress", **rule))
    assert _less(content) == {"52.1.0.0/16 > controller: slurmrestd TCP 6820": NO}


def test_what_is_there_is_not_said_to_be_missing() -> None:
    content = _entries(of="Public")
    content = _with_nat(_changed("Pcs", to=None, base=content))
    flow = _flows(content)["login > pcs: HTTPS TCP 443"]
    assert flow.verdict is NO
    assert not [words for words in (*flow.because, *flow.fixes) if "route" in words]
    assert any("Acl does not let" in words for words in flow.because)


def test_that_the_endpoint_answers_at_the_name_is_marked_as_given() -> None:
    flow = _base()["login > pcs: HTTPS TCP 443"]
    assert flow.given == "if Pcs answers at the name that nodes call (PCS425)"
    assert flow.given in as_text([flow])
    assert _base()["login > ssm: HTTPS TCP 443"].given == ""


def test_a_cluster_that_may_talk_ipv6_is_not_judged_by_ipv4() -> None:
    assert _less(_changed("Cluster", "Networking", "NetworkType", to=_ref("Given"))).keys() >= {
        *_REGISTER,
        "controller > login: slurmd TCP 6818",
    }


def test_a_file_system_whose_kind_a_parameter_decides_is_not_known() -> None:
    content = _changed("Scratch", "FileSystemType", to=_ref("Given"))
    assert _less(content) == {"compute > Scratch: file system its ports": UNKNOWN}
