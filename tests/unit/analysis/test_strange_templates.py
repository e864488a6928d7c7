"""Templates with something in them changed at random: both commands say something, or refuse."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pcs_constructs.analysis import diff, slurm
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Iterator

_ID = {"Fn::GetAtt": ["C", "Id"]}
_SETTINGS = [{"ParameterName": "Sockets", "ParameterValue": "2"}]
_CONTENT: dict[str, Any] = {
    "Parameters": {"P": {"Type": "String", "Default": "ami-1"}},
    "Conditions": {"Big": {"Fn::And": [{"Condition": "On"}, {"Fn::Equals": [{"Ref": "P"}, "a"]}]}},
    "Resources": {
        "Net": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.0.0.0/20"}},
        "Rules": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": "vpc-1"}},
        "Launch": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {
                    "UserData": {"Fn::Base64": {"Fn::Sub": ["${A}", {"A": {"Ref": "P"}}]}}
                }
            },
        },
        "C": {
            "Type": "AWS::PCS::Cluster",
            "Metadata": {"aws:cdk:path": "S/C/Resource"},
            "Properties": {
                "Name": "hpc",
                "Size": {"Fn::If": ["Big", "LARGE", "SMALL"]},
                "Scheduler": {"Type": "SLURM", "Version": "25.11"},
                "Networking": {
                    "SubnetIds": [{"Ref": "Net"}],
                    "SecurityGroupIds": [{"Fn::GetAtt": ["Rules", "GroupId"]}],
                },
                "SlurmConfiguration": {
                    "Accounting": {"Mode": "STANDARD", "DefaultPurgeTimeInDays": 90},
                    "SlurmCustomSettings": [{"ParameterName": "MinJobAge", "ParameterValue": "9"}],
                    "SlurmdbdCustomSettings": [],
                },
            },
        },
        "G": {
            "Type": "AWS::PCS::ComputeNodeGroup",
            "Condition": "Big",
            "DependsOn": ["Net"],
            "Properties": {
                "ClusterId": _ID,
                "Name": {"Fn::Join": ["-", ["a", {"Ref": "P"}]]},
                "AmiId": {"Ref": "P"},
                "CustomLaunchTemplate": {
                    "TemplateId": {"Ref": "Launch"},
                    "Version": {"Fn::GetAtt": ["Launch", "LatestVersionNumber"]},
                },
                "InstanceConfigs": [{"InstanceType": "p5.48xlarge"}],
                "ScalingConfiguration": {"MinInstanceCount": 0, "MaxInstanceCount": 4},
                "SlurmConfiguration": {
                    "SlurmCustomSettings": _SETTINGS,
                    "GresCustomSettings": [{"Name": "gpu", "File": "/dev/nvidia[0-7]"}],
                },
            },
        },
        "Q": {
            "Type": "AWS::PCS::Queue",
            "Properties": {
                "ClusterId": {"Fn::ImportValue": "Id"},
                "Name": "jobs",
                "ComputeNodeGroupConfigurations": [
                    {"ComputeNodeGroupId": {"Fn::GetAtt": ["G", "Id"]}}
                ],
            },
        },
        "Inner": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"Parameters": {"P": {"Ref": "P"}}},
            "Metadata": {"aws:asset:path": "S"},
        },
    },
    "Outputs": {"O": {"Value": _ID, "Export": {"Name": "Id"}}},
}

_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -5, 4.0, 4.5, float("nan"), float("inf"), "", "NONE", "9" * 5000, "²",
    "${P}", "Big", "{{resolve:ssm:/a}}", [], [[]], [None], [5], {}, {"": None}, {"a": {}},
    {"Ref": "P"}, {"Ref": "C"}, {"Ref": "Inner"}, {"Ref": ["P"]}, {"Ref": "AWS::NoValue"},
    {"Fn::GetAtt": ["G", "Id"]}, {"Fn::GetAtt": ["C", "Name"]}, {"Fn::GetAtt": "G.AmiId"},
    {"Fn::GetAtt": "Inner.Outputs.O"}, {"Fn::GetAtt": []},
    {"Fn::ImportValue": "Id"}, {"Fn::ImportValue": {"Ref": "P"}}, {"Condition": "Big"},
    {"Fn::If": ["Big", {"Ref": "C"}, {"Ref": "AWS::NoValue"}]}, {"Fn::If": []}, {"Fn::Join": []},
    {"Fn::Sub": "${P}-${C.Id}"}, {"Fn::Sub": []}, {"Fn::Sub": ["${A}", {"A": {"Ref": "C"}}]},
    {"Fn::Base64": None}, {"Fn::Not": []}, {"ParameterName": 5}, {"ParameterName": ["a"]},
    {"ParameterName": "Weight", "ParameterValue": "9" * 5000}, {"Name": None, "AutoDetect": 5},
)  # fmt: skip


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value where something can stand: what holds it, and under which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


_VALUES = [holder[key] for holder, key in _places(_CONTENT)]


def _mutated(dice: random.Random) -> dict[str, Any]:
    content = deepcopy(_CONTENT)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        holder, key = dice.choice(list(_places(content)))
        match dice.randrange(8):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2 if isinstance(holder, dict):
                holder[dice.choice(list(_CONTENT["Resources"]))] = deepcopy(holder[key])
            case 3:
                holder[key] = deepcopy(dice.choice(_VALUES))
            case _:
                holder[key] = deepcopy(dice.choice(_STRANGE))
    return content


def said(seed: int) -> bool:
    """Whether the commands said something of what the seed makes; else they refused to read it."""
    dice = random.Random(seed)
    content = _mutated(dice)
    if not isinstance(content.get("Resources"), dict) or not all(
        isinstance(resource, dict) for resource in content["Resources"].values()
    ):
        return False  # what `template.read` sees to
    try:
        # The nested stack may be the stack itself, or of that name.
        both = [template.parsed("S", content), template.parsed("S", _CONTENT)]
    except template.TemplateError:
        return False
    old, new = dice.choice((both, both[::-1], both[:1] * 2))
    found = diff.compare([old], [new])
    assert diff.as_text(found)
    assert diff.as_data(found) or not found
    assert all(not c.reasons for c in found) or old is not new
    for configuration in slurm.configurations(both[:1]):
        assert all(configuration.text(file) for file in slurm.FILES)
    return True


def test_strange_templates_are_compared_and_shown_or_refused() -> None:
    read = sum(map(said, range(200)))
    assert 100 < read < 200
