from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs import template
from pcs_constructs.errors import UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path

_CLUSTER = {
    "Type": "AWS::PCS::Cluster",
    "Properties": {"Size": "SMALL", "Days": 90, "Name": {"Ref": "Name"}},
    "DependsOn": "Bucket",
    "Metadata": {"aws:cdk:path": "Stack/Cluster/Resource"},
}
_CONTENT: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String"},
        "Size": {"Type": "String", "Default": "LARGE"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/image"},
    },
    "Resources": {"Cluster": _CLUSTER, "Bucket": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {
        "Id": {"Value": {"Fn::GetAtt": ["Cluster", "Id"]}, "Export": {"Name": "Id of it"}},
        "Plain": {"Value": "text"},
    },
}


@pytest.fixture
def stack() -> template.Template:
    return template.parsed("Stack", _CONTENT)


def test_a_resource_says_what_it_is_and_waits_for(stack: template.Template) -> None:
    (cluster,) = stack.of_type("AWS::PCS::Cluster")
    assert (cluster.logical_id, cluster.path) == ("Cluster", "Stack/Cluster/Resource")
    assert cluster.depends_on == {"Bucket"}
    assert stack.resources["Bucket"].properties == {}


def test_properties_are_read_as_text(stack: template.Template) -> None:
    cluster = stack.resources["Cluster"]
    assert cluster.text("Size") == "SMALL"
    assert cluster.text("Days") == "90"
    assert cluster.text("Name") is UNKNOWN
    assert cluster.text("Size", "Deeper") is None
    assert cluster.get("Nothing", "There") is None


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("text", "text"),
        (4, 4),
        (["a", 1], ["a", 1]),
        ({"Ref": "Size"}, "LARGE"),
        (["a", {"Ref": "Size"}], ["a", "LARGE"]),
        ({"Ref": "AWS::NoValue"}, None),
        (None, None),
        ({"Ref": "Name"}, UNKNOWN),
        ({"Ref": "Image"}, UNKNOWN),  # its default is the name of another parameter
        ({"Ref": "Cluster"}, UNKNOWN),
        ({"Ref": ["no", "name"]}, UNKNOWN),
        ({"Fn::Join": ["", ["a"]]}, UNKNOWN),
        (["a", {"Ref": "Name"}], UNKNOWN),
        ("{{resolve:ssm:/a}}", UNKNOWN),
    ],
)
def test_a_value_is_known_where_it_is_written_or_a_default(
    stack: template.Template, value: Any, known: Any
) -> None:
    assert stack.literal(value) == known


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (4, "4"),
        (True, "true"),
        (None, ""),
        (["a", {"Ref": "Name"}], "a,<Name>"),
        ({"Ref": "Name"}, "<Name>"),
        ({"Ref": "Size"}, "LARGE"),
        ({"Fn::GetAtt": ["Cluster", "Id"]}, "<Cluster.Id>"),
        ({"Fn::GetAtt": "Cluster.Id"}, "<Cluster.Id>"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}, {"Ref": "Name"}]]}, "a-LARGE-<Name>"),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "<Join:,>"),
        ({"Fn::Sub": "${Size}/${Cluster.Id}/${!Size}"}, "LARGE/<Cluster.Id>/${Size}"),
        ({"Fn::Sub": ["${A}-${Name}", {"A": {"Ref": "Size"}}]}, "LARGE-<Name>"),
        ({"Fn::If": ["Big", 1, 2]}, "<If:Big>"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Name}-Id"}}, "<ImportValue:<Name>-Id>"),
        ({}, "<:>"),
    ],
)
def test_a_value_is_shown_as_far_as_it_is_known(
    stack: template.Template, value: Any, shown: str
) -> None:
    assert stack.shown(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Cluster"},
        {"Fn::GetAtt": ["Cluster", "Id"]},
        {"Fn::GetAtt": "Cluster.Endpoint.Port"},
        {"Fn::ImportValue": "Id of it"},
    ],
)
def test_a_reference_leads_to_its_resource(stack: template.Template, value: Any) -> None:
    assert stack.referred(value) is stack.resources["Cluster"]


@pytest.mark.parametrize(
    "value",
    [
        "Cluster",
        {"Ref": "Name"},
        {"Ref": "AWS::Region"},
        {"Fn::ImportValue": "other"},
        {"Fn::GetAtt": ["Other", "Id"]},
        {"Fn::GetAtt": ["Cluster"]},
        {"Fn::Sub": "${Cluster}"},
        None,
    ],
)
def test_other_values_lead_nowhere(stack: template.Template, value: Any) -> None:
    assert stack.referred(value) is None


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Join": ["", ["a", {"Ref": "Cluster"}]]},
        {"Fn::Sub": "arn:${Cluster.Id}"},
        {"Fn::Sub": ["${A}", {"A": {"Fn::GetAtt": ["Cluster", "Id"]}}]},
        {"Fn::Sub": ["${Cluster}", {}]},
        [{"deep": [{"Ref": "Cluster"}]}],
    ],
)
def test_references_are_found_at_any_depth(stack: template.Template, value: Any) -> None:
    assert list(stack.references(value)) == [stack.resources["Cluster"]]


def test_templates_of_a_directory_import_from_each_other(tmp_path: Path) -> None:
    (tmp_path / "Base.template.json").write_text(json.dumps(_CONTENT))
    (tmp_path / "Base.assets.json").write_text("{}")
    other = {"Resources": {"Queue": {"Type": "AWS::PCS::Queue"}}}
    (tmp_path / "Queues.template.json").write_text(json.dumps(other))
    base, queues = template.read(tmp_path)
    assert [base.name, queues.name] == ["Base", "Queues"]
    assert queues.referred({"Fn::ImportValue": "Id of it"}) is base.resources["Cluster"]


def test_a_single_file_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(_CONTENT))
    (found,) = template.read(tmp_path / "mine.json")
    assert found.name == "mine.json"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no JSON"),
        ("Resources: {}", "is no JSON"),
        ("[]", "no CloudFormation template"),
        ('{"resources": {}}', "no CloudFormation template"),
        ('{"Resources": {"Fn::ForEach::Groups": []}}', "no CloudFormation template"),
    ],
)
def test_fails_when_a_file_is_no_template(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(template.TemplateError, match=reason) as refused:
        template.read(path)
    assert str(refused.value).startswith(str(path))


def test_fails_when_a_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(template.TemplateError, match=r"a\.json: No such file"):
        template.read(tmp_path / "a.json")


def test_fails_when_a_directory_has_no_template(tmp_path: Path) -> None:
    with pytest.raises(template.TemplateError, match="no file called"):
        template.read(tmp_path)
