"""The forms in which templates say one value, which every command has to read alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

VALUE: Final = "x_1"
"""What each form comes to: it is no name of a node group, so that `check` tells it too."""

_HERE: Final = """
Transform: AWS::LanguageExtensions
Parameters:
  Name: {Type: String, Default: x_1}
  Part: {Type: String, Default: x}
  Names: {Type: CommaDelimitedList, Default: "b,x_1"}
  Env: {Type: String, Default: prod, AllowedValues: [prod]}
  Open: {Type: String}
Mappings:
  Names:
    prod: {one: x_1, all: [b, x_1]}
    us-east-1: {one: x_1}
Conditions:
  Prod: !Equals [!Ref Env, prod]
  Never: !Not [!Equals [a, a]]
  Both: !And [!Condition Prod, !Not [!Condition Never]]
  Either: !Or [!Condition Never, !Condition Prod]
  Mapped: !Equals [!FindInMap [Names, !Ref Env, one], x_1]
  Unknown: !Equals [!Ref Open, a]
Resources:
"""

_NODES: Final = """
  Subnet: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: 10.0.1.0/24, AvailabilityZone: x_1}}
  Cluster:
    Type: AWS::PCS::Cluster
    Properties:
      Name: hpc
      Size: SMALL
      Scheduler: {Type: SLURM, Version: "25.11"}
      Networking: {SubnetIds: [!Ref Subnet]}
  Launch: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {}}}
  Nodes:
    Type: AWS::PCS::ComputeNodeGroup
    Properties:
      ClusterId: !GetAtt Cluster.Id
      Name: VALUE
      SubnetIds: [!Ref Subnet]
      InstanceConfigs: [{InstanceType: c7i.large}]
      ScalingConfiguration: {MinInstanceCount: 0, MaxInstanceCount: 4}
      CustomLaunchTemplate: {TemplateId: !Ref Launch, Version: "1"}
      IamInstanceProfileArn: arn:aws:iam::111122223333:instance-profile/AWSPCS-x
"""


@dataclass(frozen=True)
class Form:
    """A way to write the value."""

    name: str
    templates: dict[str, str]
    """The templates, by their files; that with the node group first."""

    written: str = ""
    """The value as it stands in the node group."""

    value: str = VALUE
    given: dict[str, str] = field(default_factory=dict[str, str])
    stack_names: dict[str, str] = field(default_factory=dict[str, str])


def nodes(value: str, head: str = _HERE, tail: str = "") -> str:
    """A template with a cluster and a node group that has a value for its name."""
    return head + _NODES.replace("VALUE", value) + tail


def _here(name: str, written: str, value: str = VALUE, **given: str) -> Form:
    return Form(name, {"nodes.yaml": nodes(written)}, written, value, given)


_INNER: Final = """
Parameters:
  Given: {Type: String, Default: own}
Resources:
"""
_LISTED: Final = _INNER.replace("Type: String, Default: own", "Type: CommaDelimitedList")


def _nested(
    name: str,
    passed: str,
    *,
    url: str = "inner.yaml",
    written: str = "!Ref Given",
    head: str = _INNER,
    more: str = "",
    value: str = VALUE,
) -> Form:
    root = f"""{_HERE}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: {url}, Parameters: {{{passed}}}}}
{more}"""
    return Form(name, {"inner.yaml": nodes(written, head), "root.yaml": root}, value=value)


_OUTER: Final = """
Parameters: {Outer: {Type: String}}
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: inner.yaml, Parameters: {Given: !Ref Outer}}
"""

_OTHER: Final = """
Parameters: {Out: {Type: String, Default: own}}
Resources: {Topic: {Type: AWS::SNS::Topic}}
Outputs:
  Name: {Value: !Ref Out, Export: {Name: !Sub "${AWS::StackName}-name"}}
  Fixed: {Value: x_1, Export: {Name: fixed}}
"""

_MADE_BY_OTHER: Final = """
  Other:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: other.yaml, Parameters: {Out: x_1}}
"""


def _levels(name: str) -> Form:
    form = _nested(name, "Outer: !Ref Name", url="outer.yaml")
    return Form(name, {**form.templates, "outer.yaml": _OUTER})


def _from_sibling(name: str) -> Form:
    form = _nested(name, "Given: !GetAtt Other.Outputs.Name", more=_MADE_BY_OTHER)
    return Form(name, {**form.templates, "other.yaml": _OTHER})


def _from_output(name: str) -> Form:
    root = nodes("!GetAtt Other.Outputs.Name", tail=_MADE_BY_OTHER)
    return Form(name, {"root.yaml": root, "other.yaml": _OTHER})


def _twice(name: str) -> Form:
    """Of two stacks of one template the second has the value."""
    second = """
  Second:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: inner.yaml, Parameters: {Given: !Ref Name}}
"""
    return _nested(name, "Given: first-one", more=second)


def _imported(name: str, written: str, **options: dict[str, str]) -> Form:
    return Form(name, {"nodes.yaml": nodes(written), "net.yaml": _OTHER}, **options)


def _loop(name: str, collection: str) -> Form:
    before, _, group = nodes("!Ref Each").partition("  Nodes:\n")
    body = "".join(f"      {line}\n" for line in group.splitlines())
    head = f"  Fn::ForEach::All:\n    - Each\n    - {collection}\n    - Nodes:\n"
    return Form(name, {"nodes.yaml": before + head + body})


FORMS: Final = (
    _here("text", "x_1"),
    _here("parameter", "!Ref Name"),
    _here("parameter that is given", "!Ref Open", Open="x_1"),
    _here("item of a list", "!Select [1, !Ref Names]"),
    _here("item of a literal list", "!Select [1, [b, x_1]]"),
    _here("item by a text", '!Select ["1", [b, x_1]]'),
    _here("list that is given", "!Select [0, !Ref Names]", Names="x_1,c"),
    _here("Sub", '!Sub "${Name}"'),
    _here("Sub in part", '!Sub "${Part}_1"'),
    _here("Sub with values", '!Sub ["${A}_1", {A: !Ref Part}]'),
    _here("Sub of a literal", '!Sub "${!A}"', "${A}"),
    _here("Sub of an attribute", '!Sub "${Subnet.AvailabilityZone}"'),
    _here("attribute", "!GetAtt Subnet.AvailabilityZone"),
    _here("Join", '!Join ["_", [!Ref Part, 1]]'),
    _here("Join of a list", '!Join ["_", !Ref Names]', "b_x_1"),
    _here("Join without an entry", '!Join ["", [x_1, !Ref AWS::NoValue]]'),
    _here("Split", '!Select [1, !Split ["/", "b/x_1"]]'),
    _here("Split of what is put together", '!Select [1, !Split ["/", !Sub "b/${Name}"]]'),
    _here("Split of what is known in part", '!Select [1, !Split ["/", !Sub "${Open}/x_1"]]'),
    _here("FindInMap", "!FindInMap [Names, prod, one]"),
    _here("FindInMap by a parameter", "!FindInMap [Names, !Ref Env, one]"),
    _here("FindInMap of a list", "!Select [1, !FindInMap [Names, prod, all]]"),
    _here("FindInMap with a default", "!FindInMap [Names, dev, one, {DefaultValue: x_1}]"),
    _here("FindInMap, computed", "!FindInMap [Names, dev, one, {DefaultValue: !Ref Name}]"),
    _here("If", "!If [Prod, x_1, b]"),
    _here("If not", "!If [Never, b, x_1]"),
    _here("If by both", "!If [Both, x_1, b]"),
    _here("If by either", "!If [Either, x_1, b]"),
    _here("If by a mapping", "!If [Mapped, x_1, b]"),
    _here("If in an If", "!If [Prod, !If [Never, b, !Ref Name], c]"),
    _here("If of the same", "!If [Unknown, x_1, !Ref Name]"),
    _here("If that is given", "!If [Unknown, x_1, b]", Open="a"),
    _here("Length", "!Sub ['x_${N}', {N: {Fn::Length: [a]}}]"),
    _here("Length of a parameter", "!Sub ['x_${N}', {N: {Fn::Length: !Ref Names}}]", "x_2"),
    _here("ToJsonString", "{Fn::ToJsonString: [!Ref Name]}", '["x_1"]'),
    _here("Cidr", '!Select [1, !Cidr [10.0.0.0/16, 2, 8]]', "10.0.1.0/24"),
    _here("Cidr of a resource", "!Select [0, !Cidr [!GetAtt Subnet.CidrBlock, 1, 4]]",
          "10.0.1.0/28"),
    _loop("loop", "[x_1]"),
    _loop("loop over a parameter", "[!Ref Name]"),
    _imported("import", "!ImportValue fixed"),
    _imported("import by Sub", '{Fn::ImportValue: !Sub "fix${Suffix}"}'.replace("${Suffix}", "ed")),
    _imported(
        "import by the name of a stack",
        '{Fn::ImportValue: !Sub "${Open}-name"}',
        given={"Open": "net", "Out": "x_1"},
    ),
    _imported(
        "import by the name that a stack is given",
        "!ImportValue prod-net-name",
        given={"Out": "x_1"},
        stack_names={"net.yaml": "prod-net"},
    ),
    # Nested stacks.
    _nested("passed", "Given: x_1"),
    _nested("passed on", "Given: !Ref Name"),
    _nested("passed by Sub", 'Given: !Sub "${Part}_1"'),
    _nested("passed by If", "Given: !If [Prod, x_1, b]"),
    _nested("passed by FindInMap", "Given: !FindInMap [Names, !Ref Env, one]"),
    _nested("passed as a list", 'Given: !Join [",", [b, !Ref Name]]', head=_LISTED,
            written="!Select [1, !Ref Given]"),
    _nested("used in a Sub", "Given: x", written='!Sub "${Given}_1"'),
    _nested("by a URL", "Given: x_1", url="https://bucket.s3.amazonaws.com/v1/inner.yaml"),
    _nested("by a URL in parts", "Given: x_1", url='!Sub "https://${Open}/a/inner.yaml"'),
    _nested("by a URL that is chosen", "Given: x_1", url="!If [Never, b.yaml, inner.yaml]"),
    _levels("through two stacks"),
    _from_sibling("from a stack beside it"),
    _from_output("from a nested stack"),
    _twice("in the second of two stacks"),
)  # fmt: skip
