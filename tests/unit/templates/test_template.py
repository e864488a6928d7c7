from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.templates import template

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


def test_templates_of_a_directory_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "Base.template.json").write_text(json.dumps(_CONTENT))
    (tmp_path / "Base.assets.json").write_text("{}")
    other = {"Resources": {"Queue": {"Type": "AWS::PCS::Queue"}}}
    (tmp_path / "Queues.template.json").write_text(json.dumps(other))
    base, queues = template.read(tmp_path)
    assert [base.name, queues.name] == ["Base", "Queues"]
    assert base.together == queues.together == [base, queues]


def test_a_single_file_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(_CONTENT))
    (found,) = template.read(tmp_path / "mine.json")
    assert found.name == "mine.json"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no JSON"),
        ("a: [", "is neither JSON nor YAML"),
        ("[]", "no CloudFormation template"),
        ('{"resources": {}}', "no CloudFormation template"),
        ('{"Resources": {"Groups": []}}', "no CloudFormation template"),
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
    with pytest.raises(template.TemplateError, match="no template is in there"):
        template.read(tmp_path)


@pytest.mark.parametrize("body", [_CONTENT, json.dumps(_CONTENT)])
def test_what_get_template_prints_is_unwrapped(tmp_path: Path, body: Any) -> None:
    path = tmp_path / "deployed.json"
    path.write_text(json.dumps({"TemplateBody": body, "StagesAvailable": ["Original"]}))
    (found,) = template.read(path)
    assert found.content == _CONTENT


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(_CONTENT), encoding="utf-8-sig")
    assert template.read(path)[0].content == _CONTENT


_DEEP: Any = []
for _ in range(900):
    _DEEP = [_DEEP]


@pytest.mark.parametrize(
    ("section", "content", "wrong"),
    [
        ("DependsOn", -5, "Resources.A.DependsOn is neither a logical id nor a list of some"),
        ("DependsOn", [[]], "Resources.A.DependsOn is neither"),
        ("DependsOn", [{"Fn::If": ["B", "C", "D"]}], "Resources.A.DependsOn is neither"),
        ("Type", 5, "Resources.A.Type is no text"),
        ("Type", None, "Resources.A.Type is no text"),
        ("Condition", ["B"], "Resources.A.Condition is no text"),
        ("Properties", 5, "Resources.A.Properties is no mapping"),
        ("Properties", False, "Resources.A.Properties is no mapping"),
        ("Properties", {"Deep": _DEEP}, "is nested too deeply, in more than 100 levels"),
        ("Metadata", [], "Resources.A.Metadata is no mapping"),
        ("Parameters", [], "Parameters is no mapping"),
        ("Parameters", {"P": None}, "Parameters.P is no mapping"),
        ("Conditions", 5, "Conditions is no mapping"),
        ("Outputs", "none", "Outputs is no mapping"),
        ("Outputs", {"O": 5}, "Outputs.O is no mapping"),
        ("Outputs", {"O": {"Export": "Name"}}, "Outputs.O.Export is no mapping"),
    ],
)
def test_fails_when_something_has_another_shape(section: str, content: Any, wrong: str) -> None:
    resource: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    whole = {"Resources": {"A": resource}}
    (whole if section.endswith("s") and section != "Properties" else resource)[section] = content
    with pytest.raises(template.TemplateError) as refused:
        template.parsed("Stack", whole)
    assert str(refused.value).startswith(f"Stack: {wrong}")


def test_fails_when_a_file_is_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000)
    with pytest.raises(template.TemplateError, match=r"a\.json: is nested too deeply"):
        template.read(path)


def test_nothing_at_all_is_of_any_shape() -> None:
    empty = {"Type": "T", "Properties": None, "DependsOn": None, "Metadata": None}
    content = {"Resources": {"A": empty}, "Outputs": None, "Parameters": None, "Conditions": None}
    found = template.parsed("Stack", content)
    assert (found.resources["A"].properties, found.resources["A"].depends_on) == ({}, frozenset())
    assert (found.outputs, found.parameters, found.conditions) == ({}, {}, {})


def test_outputs_of_a_loop_are_left_alone() -> None:
    outputs = {"Fn::ForEach::All": ["X", ["a"], {}]}
    assert template.parsed("Stack", {"Resources": {}, "Outputs": outputs}).outputs == {}


def test_what_is_no_template_is_passed_over_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "ci.yaml").write_text("# Resources: see AWS::PCS::Cluster\nname: ci\n")
    with pytest.raises(template.TemplateError, match="no template is in there"):
        template.read(tmp_path)
    (tmp_path / "stack.yaml").write_text("Resources: {A: {Type: AWS::S3::Bucket}}")
    assert [one.name for one in template.read(tmp_path)] == ["stack.yaml"]
