"""What `reach` says of flows that rest on what is not sure."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.reach import Flow, Verdict, as_text, judge
from pcs_constructs.commands.cli import main
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.document import parse
from pcs_constructs.templates.scenarios import Given
from pcs_constructs.templates.template import parsed_together

if TYPE_CHECKING:
    from pathlib import Path

_NO, _UNKNOWN, _YES = Verdict.NO, Verdict.UNKNOWN, Verdict.YES

_CLUSTER = """
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true, EnableDnsHostnames: true}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/20}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: slurm
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: "-1", CidrIp: RANGE}]
  Cluster:
    Type: AWS::PCS::Cluster
    Properties:
      Name: NAME
      Networking: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [!GetAtt Group.GroupId]}
      SlurmConfiguration: SLURM
  Nodes:
    Type: AWS::PCS::ComputeNodeGroup
    Properties:
      ClusterId: !GetAtt Cluster.Id
      Name: compute
      SubnetIds: [!Ref Subnet]
      ScalingConfiguration: {MinInstanceCount: 0, MaxInstanceCount: 1}
      CustomLaunchTemplate: {TemplateId: !Ref Template, Version: "1"}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties: {LaunchTemplateData: {SecurityGroupIds: [!GetAtt Group.GroupId]}}
"""


def _template(
    *, before: str = "", range_: str = "10.0.0.0/16", name: str = "hpc", slurm: str = "{}"
) -> str:
    body = _CLUSTER.replace("RANGE", range_).replace("NAME", name).replace("SLURM", slurm)
    return f"{dedent(before)}Resources:{body}"


def _flows(
    *texts: str, given: dict[str, str] | None = None, strict: bool = False
) -> dict[tuple[str, str], Flow]:
    contents: dict[str, Any] = {f"stack{n}": parse(text).content for n, text in enumerate(texts)}
    said = Given(parameters=given or {})
    found = judge(parsed_together(contents), given=said, strict=strict)
    return {(flow.target, flow.what): flow for flow in found}


_BY_PARAMETER = _template(
    before="""
    Parameters:
      Range: {Type: String, Default: 10.0.0.0/8}
      Unused: {Type: String, Default: x}
    """,
    range_="!Ref Range",
)
_REGISTERS = ("controller", "slurmctld")


def test_a_flow_that_gets_through_by_a_default_says_by_which() -> None:
    flow = _flows(_BY_PARAMETER)[_REGISTERS]
    assert (flow.verdict, flow.sure, flow.assumes) == (_YES, False, ("Range is 10.0.0.0/8",))
    assert "TCP 6817  yes, if Range is 10.0.0.0/8  Group.Sec" in as_text([flow])
    assert as_text([flow]).endswith("1 flows: 1 yes if")


def test_a_flow_that_is_kept_back_by_a_default_is_no_error() -> None:
    flow = _flows(_BY_PARAMETER.replace("Default: 10.0.0.0/8", "Default: 192.168.0.0/16"))[
        _REGISTERS
    ]
    assert (flow.verdict, flow.assumes) == (_NO, ("Range is 192.168.0.0/16",))
    assert flow.facts.reached is UNKNOWN


def test_what_is_strict_takes_no_default_for_true() -> None:
    flow = _flows(_BY_PARAMETER, strict=True)[_REGISTERS]
    assert (flow.verdict, flow.assumes) == (_UNKNOWN, ())


@pytest.mark.parametrize("strict", [False, True])
def test_a_value_that_is_given_is_no_assumption(strict: bool) -> None:
    flow = _flows(_BY_PARAMETER, given={"Range": "10.0.0.0/16"}, strict=strict)[_REGISTERS]
    assert (flow.verdict, flow.assumes) == (_YES, ())
    flow = _flows(_BY_PARAMETER, given={"Range": "192.0.2.0/24"}, strict=strict)[_REGISTERS]
    assert (flow.verdict, flow.assumes) == (_NO, ())


def test_a_name_by_a_parameter_makes_nothing_less_sure() -> None:
    before = "Parameters: {Prefix: {Type: String, Default: hpc}}\n"
    flows = _flows(_template(before=before, name="!Sub '${Prefix}-a'"))
    assert {flow.cluster for flow in flows.values()} == {"hpc-a in stack0"}
    assert all(flow.sure for flow in flows.values())


def test_parameters_that_each_would_do_are_named_together() -> None:
    before = """
    Parameters:
      One: {Type: String, Default: 10.0.0.0/8}
      Other: {Type: String, Default: 10.0.0.0/9}
    """
    text = _template(before=before, range_='!Ref One}, {IpProtocol: "-1", CidrIp: !Ref Other')
    assert _flows(text)[_REGISTERS].assumes == ("One is 10.0.0.0/8", "Other is 10.0.0.0/9")


_CHOSEN = """
Parameters: {Rest: {Type: String, Default: "DEFAULT", AllowedValues: ["on", "off"]}}
Conditions: {WithRest: !Equals [!Ref Rest, "on"]}
"""
_REST = "!If [WithRest, {SlurmRest: {Mode: STANDARD}}, !Ref AWS::NoValue]"


@pytest.mark.parametrize(("default", "is_there"), [("on", True), ("off", False)])
def test_a_part_of_slurm_that_a_condition_chooses_is_there_by_default_or_not(
    default: str, is_there: bool
) -> None:
    flows = _flows(_template(before=_CHOSEN.replace("DEFAULT", default), slurm=_REST))
    assert any(what == "slurmrestd" for _, what in flows) is is_there


def test_what_may_not_be_needed_is_not_surely_missing() -> None:
    text = _template(
        before=_CHOSEN.replace(', Default: "DEFAULT"', ""), range_="192.0.2.0/24", slurm=_REST
    )
    rest = [flow for (_, what), flow in _flows(text).items() if what == "slurmrestd"]
    assert [flow.verdict for flow in rest] == [_UNKNOWN]
    assert "whether hpc in stack0 has a REST API is not known" in rest[0].because


def test_an_export_that_is_named_after_its_stack_is_found_by_the_name_of_the_template() -> None:
    network = """
    Resources:
      Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
      Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/20}}
      Group:
        Type: AWS::EC2::SecurityGroup
        Properties:
          VpcId: !Ref Vpc
          SecurityGroupIngress: [{IpProtocol: "-1", CidrIp: 10.0.0.0/16}]
    Outputs:
      Subnet: {Value: !Ref Subnet, Export: {Name: !Sub "${AWS::StackName}-subnet"}}
      Group: {Value: !Ref Group, Export: {Name: !Sub "${AWS::StackName}-group"}}
    """
    cluster = """
    Parameters: {Network: {Type: String, Default: stack0}}
    Resources:
      Cluster:
        Type: AWS::PCS::Cluster
        Properties:
          Networking:
            SubnetIds: [{"Fn::ImportValue": !Sub "${Network}-subnet"}]
            SecurityGroupIds: [{"Fn::ImportValue": !Sub "${Network}-group"}]
      Nodes:
        Type: AWS::PCS::ComputeNodeGroup
        Properties:
          ClusterId: !GetAtt Cluster.Id
          SubnetIds: [{"Fn::ImportValue": !Sub "${Network}-subnet"}]
          CustomLaunchTemplate: {TemplateId: !Ref Template}
      Template:
        Type: AWS::EC2::LaunchTemplate
        Properties:
          LaunchTemplateData:
            SecurityGroupIds: [{"Fn::ImportValue": !Sub "${Network}-group"}]
    """
    texts = (dedent(network), dedent(cluster))
    flow = _flows(*texts)[_REGISTERS]
    assert flow.verdict is _YES
    assert set(flow.assumes) == {"Network is stack0", "the stack of stack0 is stack0"}
    assert _flows(*texts, strict=True)[_REGISTERS].verdict is _UNKNOWN


def _run(tmp_path: Path, *options: str) -> int:
    path = tmp_path / "hpc.yaml"
    path.write_text(_BY_PARAMETER, encoding="utf-8")
    return main(["reach", str(path), *options])


def test_the_command_takes_parameters_one_by_one_and_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = _run(tmp_path, "--parameters", "Range=10.0.0.0/16"), capsys.readouterr().out
    assert "yes if" not in words[1]
    file = tmp_path / "parameters.json"
    for content in (
        [{"ParameterKey": "Range", "ParameterValue": "10.0.0.0/16"}],
        {"Parameters": {"Range": "10.0.0.0/16"}},
        {"Range": "10.0.0.0/16"},
        {"hpc:Range": "10.0.0.0/16"},
    ):
        file.write_text(json.dumps(content), encoding="utf-8")
        assert (_run(tmp_path, "--parameters", str(file)), capsys.readouterr().out) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameters", "Rnage=x"], "Rnage: no template has a parameter of this name"),
        (["--parameters", "nowhere.json"], "nowhere.json: No such file"),
        (["--parameters", "=x"], "'=x' is not of the form KEY=VALUE"),
        (["--stack-name", "net.yaml=net"], "net.yaml: no template is called so"),
    ],
)
def test_what_is_said_of_nothing_is_told(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, *options) == 2
    assert words in capsys.readouterr().err


def test_a_value_that_the_template_does_not_allow_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hpc.yaml"
    path.write_text(_template(before=_CHOSEN.replace("DEFAULT", "on"), slurm=_REST), "utf-8")
    assert main(["reach", str(path), "--parameters", "Rest=maybe"]) == 2
    assert "Rest: hpc.yaml allows on, off, not maybe" in capsys.readouterr().err
