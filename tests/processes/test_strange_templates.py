"""Templates with something in them changed at random: every command says something, or refuses."""

from __future__ import annotations

import json
import random
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.commands.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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

_EACH = 500

_GIVEN = ("", "a", "ami-2", "\u202e", "9" * 50)

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
    "\n::error::told", "\x1b[31m", "\ud800", {"Fn::If": ["Big", {"Ref": "C"}, 5]},
    {"Fn::ForEach::L": ["X", ["a", "b"], {"${X}": {"Ref": "X"}}]}, {"Fn::Transform": {}},
    {"Fn::Length": [1]}, {"Fn::Select": ["9", []]}, {"Fn::Cidr": ["x", "2", "8"]},
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


def _command(dice: random.Random, content: object, folder: Path) -> list[str]:
    """A command over a template, with that of before beside it where there are two."""
    mutated = folder / "S.json"
    mutated.write_text(json.dumps(content), encoding="utf-8")
    sides = [str(mutated), str(folder / "Before.json")]
    dice.shuffle(sides)
    given = dice.choice(([], [], ["--parameters", f"P={dice.choice(_GIVEN)}"]))
    return dice.choice(
        (
            ["check", str(mutated), dice.choice(("--json", "--github", "--sarif")), *given],
            ["reach", str(folder), dice.choice(("--json", "--mermaid", "--strict"))],
            ["slurm", str(mutated), *given],
            ["diff", *sides],
        )
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the template that nothing was changed in."""
    monkeypatch.setenv("PCS_CONSTRUCTS_TRACEBACK", "1")
    (tmp_path / "Before.json").write_text(json.dumps(_CONTENT), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("tenth", range(10))
def test_strange_templates_are_judged_or_refused_by_every_command(
    tenth: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends: Counter[int] = Counter()
    for seed in range(tenth * _EACH, (tenth + 1) * _EACH):
        dice = random.Random(seed)
        ends[main(_command(dice, _mutated(dice), folder))] += 1
        capsys.readouterr()
    assert set(ends) <= {0, 1, 2}
    assert ends[2] < _EACH / 2  # most of them are judged
