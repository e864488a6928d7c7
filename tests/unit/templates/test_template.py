from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates import conditions, template

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


def test_an_export_of_itself_leads_nowhere() -> None:
    here = {"Fn::ImportValue": "Id"}
    content = {"Resources": {}, "Outputs": {"Id": {"Value": here, "Export": {"Name": "Id"}}}}
    assert template.parsed("Stack", content).reference(here) is None


def test_a_nested_stack_of_itself_leads_nowhere(tmp_path: Path) -> None:
    for name, inner in (("A", "B"), ("B", "A")):
        stack = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"Parameters": {"P": {"Ref": "P"}}},
            "Metadata": {"aws:asset:path": f"{inner}.template.json"},
        }
        output = {"Value": {"Fn::GetAtt": ["Inner", "Outputs.O"]}}
        content = {
            "Parameters": {"P": {"Type": "String"}},
            "Resources": {"Inner": stack},
            "Outputs": {"O": output},
        }
        (tmp_path / f"{name}.template.json").write_text(json.dumps(content))
    both, alone = template.read(tmp_path), template.read(tmp_path / "A.template.json")
    for found in (both[0], alone[0]):
        assert found.reference({"Ref": "P"}) is None
        reference = found.reference({"Fn::GetAtt": ["Inner", "Outputs.O"]})
        assert reference is not None
        assert reference.resource.logical_id == "Inner"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (4, 4),
        (4.0, 4),
        ("-1", -1),
        (None, None),
        ({"Ref": "AWS::NoValue"}, None),
        (4.5, UNKNOWN),
        ("4 ", UNKNOWN),
        ("9" * 5000, UNKNOWN),
        (float("inf"), UNKNOWN),
        (float("nan"), UNKNOWN),
        (True, UNKNOWN),
        ({"Ref": "P"}, UNKNOWN),
    ],
)
def test_a_whole_number_is_read_however_it_is_written(value: Any, number: Any) -> None:
    resource = {"Type": "T", "Properties": {"N": value}}
    found = template.parsed("Stack", {"Resources": {"A": resource}}).resources["A"]
    assert found.number("N") == number


_YES: dict[str, Any] = {"Fn::Equals": [True, "true"]}
_NO: dict[str, Any] = {"Fn::Not": [_YES]}
_OPEN: dict[str, Any] = {"Fn::Equals": [{"Ref": "P"}, "a"]}


@pytest.mark.parametrize(
    ("definition", "holds"),
    [
        (_YES, True),
        (_NO, False),
        (_OPEN, UNKNOWN),
        ({"Fn::Not": [_OPEN]}, UNKNOWN),
        ({"Fn::And": [_YES, _OPEN]}, UNKNOWN),
        ({"Fn::And": [_NO, _OPEN]}, False),
        ({"Fn::And": [_YES, _YES]}, True),
        ({"Fn::Or": [_NO, _OPEN]}, UNKNOWN),
        ({"Fn::Or": [_YES, _OPEN]}, True),
        ({"Fn::Or": [_NO, _NO]}, False),
        ({"Condition": "Yes"}, True),
        ({"Condition": "Nowhere"}, UNKNOWN),
        ({"Condition": "It"}, UNKNOWN),
        ({"Condition": ["Yes"]}, UNKNOWN),
        ({"Fn::Equals": ["a"]}, UNKNOWN),
        ({"Fn::Equals": ["a", "{{resolve:ssm:a}}"]}, UNKNOWN),
        ({}, UNKNOWN),
        (5, UNKNOWN),
    ],
)
def test_a_condition_holds_where_nothing_else_is_possible(definition: Any, holds: Any) -> None:
    content = {
        "Parameters": {"P": {"Type": "String", "Default": "a"}},
        "Conditions": {"Yes": _YES, "It": definition},
        "Resources": {"A": {"Type": "T", "Condition": "It"}, "B": {"Type": "T"}},
    }
    found = template.parsed("Stack", content)
    assert conditions.holds(found, "It") is holds
    assert conditions.is_there(found.resources["A"]) is holds
    assert conditions.is_there(found.resources["B"]) is True


def test_what_is_no_template_is_passed_over_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "ci.yaml").write_text("# Resources: see AWS::PCS::Cluster\nname: ci\n")
    with pytest.raises(template.TemplateError, match="no template is in there"):
        template.read(tmp_path)
    (tmp_path / "stack.yaml").write_text("Resources: {A: {Type: AWS::S3::Bucket}}")
    assert [one.name for one in template.read(tmp_path)] == ["stack.yaml"]


def test_a_template_that_two_stacks_are_made_of_has_no_stack_around() -> None:
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "inner"}}
    inner = {
        "Resources": {"A": {"Type": "T"}},
        "Outputs": {"O": {"Value": {"Fn::GetAtt": ["A", "Id"]}}},
    }
    contents = {"root": {"Resources": {"Dev": stack, "Prod": stack}}, "inner": inner}
    root, made = template.parsed_together(contents)
    assert made.stack_around() is None
    assert [one.logical_id for one in made.stacks_around()] == ["Dev", "Prod"]
    assert root.referred({"Fn::GetAtt": ["Dev", "Outputs.O"]}) is root.resources["Dev"]
