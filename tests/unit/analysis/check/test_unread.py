"""What a template leaves open, or says in another way, is no error."""

from __future__ import annotations

import pytest

from tests.unit.analysis.check.checked import ALL, CLUSTER, LAUNCH, NODES, QUEUE, changed, codes

_REGISTER = "pcs:RegisterComputeNodeGroupInstance"
_TRUST = '{Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "*"}]}'
_ARN = "arn:aws:iam::111122223333:instance-profile/aws-pcs/nodes"
_GROUPS = "        SecurityGroupIds: [sg-0a1b2c3d]\n"
_OPEN = "Parameters: {Open: {Type: String}, Other: {Type: String}}"


def _role(properties: str, trust: str = _TRUST) -> str:
    return changed(_ARN, "!GetAtt Profile.Arn") + (
        "\n  Profile:\n    Type: AWS::IAM::InstanceProfile\n"
        "    Properties: {Path: /aws-pcs/, Roles: [!Ref Role]}\n"
        "  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      Path: /aws-pcs/\n"
        f"      AssumeRolePolicyDocument: {trust}\n      {properties}\n"
    )


def _policy(document: str) -> str:
    return f"Policies: [{{PolicyName: p, PolicyDocument: {document}}}]"


def _statement(text: str) -> str:
    return _policy(f'{{Statement: [{{{text}, Resource: "*"}}]}}')


_JSON = f'{{"Statement": {{"Effect": "Allow", "Action": "{_REGISTER}", "Resource": "*"}}}}'
_LOOP = f"""
  Fn::ForEach::Policies:
    - P
    - [Pcs]
    - ${{P}}Policy:
        Type: AWS::IAM::Policy
        Properties: {{PolicyName: x, Roles: [!Ref Role], PolicyDocument: {_JSON}}}
"""
_NAMED = f"""
  Added:
    Type: AWS::IAM::Policy
    Properties: {{PolicyName: x, Roles: [AWSPCS-a], PolicyDocument: {_JSON}}}
"""


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(
            _role(_statement('Effect: Allow, Action: "pcs:RegisterComputeNodeGroup*"')), id="wild"
        ),
        pytest.param(_role(_statement('Effect: Allow, Action: "p?s:*"')), id="wild, one character"),
        pytest.param(_role(_statement('Effect: Allow, NotAction: "iam:*"')), id="all but some"),
        pytest.param(_role(_statement("Effect: Allow, Action: !Ref Open")), id="open action"),
        pytest.param(
            _role(_statement(f'Effect: !Ref Open, Action: "{_REGISTER}"')), id="open effect"
        ),
        pytest.param(
            _role('ManagedPolicyArns: ["arn:aws:iam::aws:policy/PowerUserAccess"]'), id="power user"
        ),
        pytest.param(_role(_policy(f"'{_JSON}'")), id="JSON in a text"),
        pytest.param(_role(_policy("!Ref Open")), id="open document"),
        pytest.param(_role(_policy("{Statement: [!Ref Open]}")), id="open statement"),
        pytest.param(
            _role("Policies: [{Fn::Transform: {Name: AWS::Include}}]"), id="included policy"
        ),
        pytest.param(_role("Fn::Transform: {Name: AWS::Include}"), id="included properties"),
        pytest.param(_role("") + _LOOP, id="policy of a loop"),
        pytest.param(_role("RoleName: AWSPCS-a") + _NAMED, id="policy that names the role"),
    ],
)
def test_a_role_that_may_register_nodes_is_no_error(resources: str) -> None:
    assert "PCS721" not in codes(resources, _OPEN)


@pytest.mark.parametrize(
    "text",
    [
        f'Effect: Deny, Action: "{_REGISTER}"',
        'Effect: Allow, Action: "pcs:List*"',
        'Effect: Allow, Action: !Sub "s3:${Open}"',
        'Effect: Allow, NotAction: "pcs:*"',
    ],
)
def test_a_role_that_cannot_register_nodes_is_an_error(text: str) -> None:
    assert "PCS721" in codes(_role(_statement(text)), _OPEN)


_ALLOWED = _statement(f'Effect: Allow, Action: "{_REGISTER}"')
_SAYS = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "%s.amazonaws.com"}}]}'


@pytest.mark.parametrize(
    "trust",
    [
        f"'{_SAYS % 'ec2'}'",
        "!Ref Open",
        f"!Sub '{_SAYS % '${Open}'}'",
        "{Statement: [{Effect: Allow, Principal: !Ref Open}]}",
        "{Fn::Transform: {Name: AWS::Include}}",
    ],
)
def test_a_role_that_may_trust_instances_is_no_error(trust: str) -> None:
    assert codes(_role(_ALLOWED, trust), _OPEN) == []


def test_a_text_of_json_that_trusts_no_instances_is_an_error() -> None:
    assert "PCS722" in codes(_role(_ALLOWED, f"'{_SAYS % 'lambda'}'"))


def _user_data(*parts: str) -> str:
    head = 'MIME-Version: 1.0\\nContent-Type: multipart/mixed; boundary=\\"B\\"\\n\\n'
    text = head + "".join(f"--B\\n{part}\\n" for part in parts) + "--B--\\n"
    return _user_data_of(text)


@pytest.mark.parametrize("part", ["${Open}", "Content-Type: ${Open}\\n\\n#!/bin/bash"])
def test_a_part_of_user_data_whose_type_is_open_is_no_error(part: str) -> None:
    assert codes(_user_data("Content-Type: text/cloud-config\\n\\na: b", part), _OPEN) == []


def test_a_part_of_user_data_without_a_type_is_an_error() -> None:
    assert "PCS906" in codes(_user_data("\\n${Open}"), _OPEN)


_MIXED = 'MIME-Version: 1.0\\nContent-Type: multipart/mixed; boundary=\\"B\\"\\n\\n'
_SCRIPT = "\\nContent-Type: text/x-shellscript\\n\\n#!/bin/bash\\n"


def _user_data_of(text: str) -> str:
    return changed(_GROUPS, f'{_GROUPS}        UserData: {{Fn::Base64: !Sub "{text}"}}\n')


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{_MIXED}${{Open}}", id="all parts"),
        pytest.param(f"{_MIXED}${{Open}}\\n--B--\\n", id="all parts but the end"),
        pytest.param(f"{_MIXED}--B{_SCRIPT}${{Open}}", id="the end"),
        pytest.param(f"{_MIXED}--${{Open}}{_SCRIPT}true\\n", id="the boundary of the part"),
        pytest.param(_MIXED.replace("B", "${Open}") + f"--B{_SCRIPT}--B--\\n", id="its name"),
        pytest.param(_MIXED.replace("boundary", "${Open}") + f"--B{_SCRIPT}--B--\\n", id="which"),
        pytest.param(f"MIME-Version: 1.0\\n${{Open}}\\n\\n--B{_SCRIPT}--B--\\n", id="the type"),
    ],
)
def test_a_boundary_of_user_data_that_is_open_is_no_error(text: str) -> None:
    assert codes(_user_data_of(text), _OPEN) == []


def test_a_boundary_of_user_data_that_is_not_there_is_an_error() -> None:
    assert codes(_user_data_of(f"{_MIXED}--C{_SCRIPT}echo ${{Open}}\\n--C--\\n"), _OPEN) == [
        "PCS907"
    ]


_SUBNETS = "      SubnetIds: [subnet-0a1b2c3d]\n"


@pytest.mark.parametrize(
    "more",
    [
        "      Fn::ForEach::P: [P, !Ref Open, {'${P}': [subnet-0a1b2c3d]}]\n",
        "      Fn::Transform: {Name: AWS::Include}\n",
    ],
)
def test_what_a_loop_or_an_include_may_add_is_not_missing(more: str) -> None:
    nameless = changed("      Name: nodes-1a2b3c\n", "")
    assert codes(changed(_SUBNETS, more, nameless), _OPEN) == []


_TEMPLATE = """      CustomLaunchTemplate:
        TemplateId: !Ref Launch
        Version: !GetAtt Launch.LatestVersionNumber
"""
_INCLUDE = "Fn::Transform: {Name: AWS::Include}"


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("", id="the launch template"),
        pytest.param("CustomLaunchTemplate: {TemplateId: !Ref Launch}", id="its version"),
        pytest.param("LaunchTemplateMode: MANAGED", id="what a managed one wants"),
    ],
)
def test_what_a_macro_may_add_to_a_node_group_is_not_missing(reference: str) -> None:
    properties = f"      {reference}\n      {_INCLUDE}\n"
    assert codes(changed(_TEMPLATE, properties)) == []


@pytest.mark.parametrize("more", [_INCLUDE, f"Checksum: !Ref Open, {_INCLUDE}"])
def test_what_a_macro_may_add_to_a_plugin_is_not_missing(more: str) -> None:
    plugin = f"{{Name: check, Type: STARLARK, ScriptSource: {{{more}}}}}"
    settings = f"      Size: SMALL\n      SlurmConfiguration: {{JobSubmitPlugins: [{plugin}]}}\n"
    assert codes(changed("      Size: SMALL\n", settings), _OPEN) == []


_SINCE_26_05 = changed('"25.11"', '"26.05"')


@pytest.mark.parametrize(
    "checks",
    [
        "!Ref Open",
        "!FindInMap [Checks, !Ref Open, All]",
        f"{{{_INCLUDE}}}",
        f"{{{_INCLUDE}, HealthMonitoring: {{RepairAction: REPLACE}}}}",
        "{HealthMonitoring: !FindInMap [Checks, !Ref Open, All]}",
        "{DeepHealthChecks: !Ref Open}",
    ],
)
def test_health_checks_that_are_open_are_no_error(checks: str) -> None:
    mode = f"      LaunchTemplateMode: CUSTOM\n      InstanceHealthChecks: {checks}\n"
    resources = changed(_TEMPLATE, _TEMPLATE + mode, _SINCE_26_05)
    above = f"{_OPEN}\nMappings: {{Checks: {{A: {{All: {{}}}}}}}}"
    assert codes(resources, above) == []


@pytest.mark.parametrize(
    ("level", "found"),
    [("", ["PCS631"]), (", SpreadLevel: host", []), (", SpreadLevel: !Ref Open", [])],
)
def test_racks_are_counted_where_instances_are_spread_over_racks(
    level: str, found: list[str]
) -> None:
    placed = changed(_GROUPS, f"{_GROUPS}        Placement: {{GroupName: !Ref Spread}}\n")
    many = changed("MaxInstanceCount: 4", "MaxInstanceCount: 9", placed)
    properties = f"Properties: {{Strategy: spread{level}}}"
    spread = f"  Spread:\n    Type: AWS::EC2::PlacementGroup\n    {properties}\n"
    assert codes(many + spread, _OPEN) == found


_PUBLIC = """
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true}
  Place:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}
  Gateway:
    Type: AWS::EC2::InternetGateway
  Table:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc}
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Place, RouteTableId: !Ref Table}
  Out:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      GatewayId: !Ref Gateway
      DestinationCidrBlock: 0.0.0.0/0
"""
_ENDPOINT = """
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.pcs
      SubnetIds: [!Ref Place]
      PrivateDnsEnabled: true
"""
_ROUTE = """
  Again:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 10.1.0.0/16
      """


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        pytest.param("", ["PCS406"], id="nothing"),
        pytest.param(_ENDPOINT, [], id="an endpoint"),
        pytest.param(_ENDPOINT.replace("VpcId: !Ref Vpc", "VpcId: !Ref Open"), [], id="which VPC"),
        pytest.param(
            _ENDPOINT.replace("!Sub com.amazonaws.${AWS::Region}.pcs", "!Ref Open"),
            [],
            id="an endpoint for who knows what",
        ),
        pytest.param(
            _ENDPOINT.replace("Enabled: true", "Enabled: !Ref Open"), [], id="whether with names"
        ),
        pytest.param(
            _ENDPOINT.replace("Enabled: true", "Enabled: false"), ["PCS406"], id="without names"
        ),
        pytest.param(_ENDPOINT.replace(".pcs", ".ssm"), ["PCS406"], id="for another service"),
        pytest.param(f"{_ROUTE}TransitGatewayId: tgw-0a1b2c3d\n", [], id="another route"),
        pytest.param(f"{_ROUTE}GatewayId: vgw-0a1b2c3d\n", [], id="a route to a private gateway"),
        pytest.param(f"{_ROUTE}GatewayId: !Ref Open\n", [], id="a route to who knows where"),
        pytest.param(f"{_ROUTE}GatewayId: igw-0a1b2c3d\n", ["PCS406"], id="a route to the same"),
    ],
)
def test_nodes_without_public_addresses_may_have_a_private_way(
    beside: str, found: list[str]
) -> None:
    nodes = NODES.replace("subnet-0a1b2c3d", "!Ref Place")
    assert codes(CLUSTER + nodes + LAUNCH + QUEUE + _PUBLIC + beside, _OPEN) == found


def test_an_endpoint_may_have_been_there_before_where_the_vpc_was() -> None:
    nodes = NODES.replace("subnet-0a1b2c3d", "!Ref Place")
    place = _PUBLIC.replace("VpcId: !Ref Vpc, Cidr", "VpcId: !Ref Open, Cidr")
    assert codes(CLUSTER + nodes + LAUNCH + QUEUE + place, _OPEN) == []


def test_health_checks_of_nothing_are_an_error() -> None:
    checks = "      InstanceHealthChecks: {}\n"
    assert codes(changed(_TEMPLATE, _TEMPLATE + checks, _SINCE_26_05)) == ["PCS226"]


def test_what_a_loop_over_a_list_does_not_make_is_missing() -> None:
    loop = "      Fn::ForEach::P: [P, [SubnetIds], {'${P}': [subnet-0a1b2c3d]}]\n"
    nameless = changed("      Name: nodes-1a2b3c\n", "")
    assert codes(changed(_SUBNETS, loop, nameless)) == ["PCS127"]


def test_what_nothing_adds_is_missing() -> None:
    assert "PCS123" in codes(changed(_SUBNETS, ""))


_TWO_QUEUES = """
    Condition: Differ
  Again:
    Type: AWS::PCS::Queue
    Condition: Same
    Properties:
      Name: demo
      ClusterId: !GetAtt Cluster.Id
      ComputeNodeGroupConfigurations: [{ComputeNodeGroupId: !GetAtt Nodes.Id}]
"""


def test_a_comparison_is_the_same_from_both_sides() -> None:
    conditions = (
        "Conditions:\n  Same: !Equals [!Ref Open, !Ref Other]\n"
        "  Differ: !Not [!Equals [!Ref Other, !Ref Open]]"
    )
    assert codes(ALL + _TWO_QUEUES, f"{_OPEN}\n{conditions}") == []


def test_code_that_is_too_deep_to_read_is_no_error() -> None:
    code = "-" * 100_000
    function = (
        "\n  Deep:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.10\n"
        f'      Code: {{ZipFile: "{code}1"}}\n'
    )
    assert "PCS944" not in codes(ALL + function)


_REST = """Parameters:
  Rest: {Type: String, Default: "false", AllowedValues: ["true", "false"]}
  Version: {Type: String, Default: "25.11", AllowedValues: ["24.11", "25.05", "25.11"]}
Rules:
  RestIsNew:
    RuleCondition: !Equals [!Ref Rest, "true"]
    Assertions: [{Assert: %s}]
Conditions:
  HasRest: !Equals [!Ref Rest, "true"]
  Old: !Equals [!Ref Version, "24.11"]
"""
_WITH_REST = changed(
    'Version: "25.11"}',
    """Version: !Ref Version}
      SlurmConfiguration:
        ScaleDownIdleTimeInSeconds: !If [Old, 300, 600]
        Accounting: {Mode: STANDARD}
        SlurmRest: !If [HasRest, {Mode: STANDARD}, !Ref AWS::NoValue]""",
)


@pytest.mark.parametrize(
    ("asserted", "is_told"),
    [
        ('!Not [!Equals [!Ref Version, "24.11"]]', False),
        ('{Fn::Contains: [["25.05", "25.11"], !Ref Version]}', False),
        ('!And [!Equals [!Ref Version, "25.11"], !Equals [!Ref Other, x]]', False),
        ('!Or [!Equals [!Ref Version, "24.11"], !Equals [!Ref Other, x]]', True),
        ("!Equals [!Ref Other, x]", True),
        ('{Fn::EachMemberIn: [["a"], !Ref Version]}', True),
    ],
)
def test_what_the_rules_of_a_template_refuse_is_not_judged(asserted: str, is_told: bool) -> None:
    assert ("PCS110" in codes(_WITH_REST, _REST % asserted)) is is_told
