"""What values in templates are, and what they lead to."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.document import parse
from pcs_constructs.templates.resolved import ResolvedResource, ResolvedTemplates
from pcs_constructs.templates.scenarios import Defaults, Given, Scenario
from pcs_constructs.templates.template import parsed_together

_BASE = """
Parameters:
  Name: {Type: String}
  Size: {Type: String, Default: LARGE}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /aws/image}
  Zones: {Type: CommaDelimitedList, Default: "a,b,c"}
  Open: {Type: CommaDelimitedList}
Mappings:
  Images: {x86: {one: ami-1, all: [ami-1, ami-2]}}
Conditions:
  Always: !Equals [true, "true"]
  Never: !Not [!Condition Always]
  Big: !Equals [!Ref Name, big]
  Large: !Equals [!Ref Size, LARGE]
  It: CONDITION
Resources:
  Cluster: {Type: AWS::PCS::Cluster}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: 10.0.0.0/24, AvailabilityZone: z}}
  It: {Type: AWS::S3::Bucket, Condition: It, Properties: {Value: VALUE}}
Outputs:
  Id: {Value: !GetAtt Cluster.Id, Export: {Name: Id of it}}
  Named: {Value: !Ref Cluster, Export: {Name: !Sub "${Name}-cluster"}}
"""


def _resolved(*texts: str, scenario: Scenario | None = None, **named: str) -> ResolvedTemplates:
    contents = {f"stack{n}": text for n, text in enumerate(texts)} | {
        name.replace("_", "."): text for name, text in named.items()
    }
    together = parsed_together({n: parse(dedent(text)).content for n, text in contents.items()})
    return ResolvedTemplates(together, dict.fromkeys(together, scenario or Scenario()))


def _it(
    value: str, scenario: Scenario | None = None, condition: str = "!Condition Always"
) -> ResolvedResource:
    text = _BASE.replace("VALUE", value).replace("CONDITION", condition)
    (it,) = _resolved(text, scenario=scenario).declared_of_type("AWS::S3::Bucket")
    return it


_UNDECIDED = Scenario(decided=False)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("text", "text"),
        ("4", 4),
        ("[a, 1]", ["a", 1]),
        ("!Ref Size", "LARGE"),
        ("[a, !Ref Size]", ["a", "LARGE"]),
        ("[a, !Ref AWS::NoValue]", ["a"]),
        ("!Ref AWS::NoValue", None),
        ("!Ref Name", UNKNOWN),
        ("!Ref Image", UNKNOWN),  # its default is the name of another parameter
        ("!Ref Zones", ["a", "b", "c"]),
        ("!Ref Cluster", UNKNOWN),
        ("{Ref: [no, name]}", UNKNOWN),
        ("[a, !Ref Name]", UNKNOWN),
        ('"{{resolve:ssm:/a}}"', UNKNOWN),
        ('!Join ["-", [a, !Ref Size]]', "a-LARGE"),
        ('!Join ["-", !Ref Zones]', "a-b-c"),
        ('!Join ["-", [a, !Ref Name]]', UNKNOWN),
        ('!Sub "${Size}/${!Size}"', "LARGE/${Size}"),
        ('!Sub ["${A}-b", {A: !Ref Size}]', "LARGE-b"),
        ('!Sub "${Subnet.CidrBlock}"', "10.0.0.0/24"),
        ("!GetAtt Subnet.AvailabilityZone", "z"),
        ("!Select [1, !Ref Zones]", "b"),
        ('!Select ["0", [x, y]]', "x"),
        ("!Select [7, [x, y]]", UNKNOWN),
        ('!Split [",", "a,b"]', ["a", "b"]),
        ('!Select [1, !Split ["/", !Sub "${Name}/fixed"]]', "fixed"),
        ('!Select [0, !Split ["/", !Sub "${Name}/fixed"]]', UNKNOWN),
        ('!Split [",", !Ref Name]', UNKNOWN),
        ("!FindInMap [Images, x86, one]", "ami-1"),
        ("!FindInMap [Images, x86, all]", ["ami-1", "ami-2"]),
        ("!FindInMap [Images, arm, one]", UNKNOWN),
        ("!FindInMap [Images, arm, one, {DefaultValue: ami-0}]", "ami-0"),
        ("!FindInMap [Images, !Ref Name, one]", UNKNOWN),
        ("!If [Always, 1, 2]", 1),
        ("!If [Large, 1, 2]", 1),
        ("!If [Nowhere, 1, 2]", UNKNOWN),
        ("!If [Big, 1, 1]", 1),
        ("!If [Big, 1, 2]", UNKNOWN),
        ("{Fn::Length: !Ref Zones}", 3),
        ("{Fn::Length: !Ref Open}", UNKNOWN),
        ("{Fn::ToJsonString: {a: [1, !Ref Size]}}", '{"a":[1,"LARGE"]}'),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Cidr [!Ref Name, 2, 8]", UNKNOWN),
        ('!GetAZs ""', UNKNOWN),
        ("!Select [0, !GetAZs us-east-1]", UNKNOWN),
        ("{Fn::Transform: {Name: AWS::Include}}", UNKNOWN),
        ("!ImportValue nowhere", UNKNOWN),
    ],
)
def test_a_value_is_known_as_far_as_it_can_be_computed(value: str, known: Any) -> None:
    assert _it(value, _UNDECIDED).known("Value") == known


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ("4", "4"),
        ("true", "true"),
        ("null", ""),
        ("[a, !Ref Name]", "a,<Name>"),
        ("!Ref Name", "<Name>"),
        ("!Ref Size", "LARGE"),
        ("!GetAtt Cluster.Id", "<Cluster.Id>"),
        ("{Fn::GetAtt: Cluster.Id}", "<Cluster.Id>"),
        ('!Join ["-", [a, !Ref Size, !Ref Name]]', "a-LARGE-<Name>"),
        ('!Join [",", !Ref Open]', "<Join:,>"),
        ('!Select [0, !GetAZs ""]', "<Select:0>"),
        ('!Sub "${Size}/${Cluster.Id}/${!Size}"', "LARGE/<Cluster.Id>/${Size}"),
        ("!If [Big, 1, 2]", "<If:Big>"),
        ('{Fn::ImportValue: !Sub "${Name}-Id"}', "<ImportValue:<Name>-Id>"),
        ("{}", "<:>"),
    ],
)
def test_a_value_is_shown_as_far_as_it_is_known(value: str, shown: str) -> None:
    assert _it(value, _UNDECIDED).shown("Value") == shown


@pytest.mark.parametrize(
    "value",
    [
        "!Ref Cluster",
        "!GetAtt Cluster.Id",
        "{Fn::GetAtt: Cluster.Endpoint.Port}",
        "!ImportValue Id of it",
        '{Fn::ImportValue: !Sub "${Name}-cluster"}',
        "!If [Always, !Ref Cluster, !Ref It]",
        "!If [Big, !Ref Cluster, !Ref Cluster]",
    ],
)
def test_a_reference_leads_to_its_resource(value: str) -> None:
    it = _it(value, _UNDECIDED)
    (cluster,) = it.resolved.of_type("AWS::PCS::Cluster")
    assert it.follow(it.get("Value")) is cluster


@pytest.mark.parametrize(
    "value",
    [
        "Cluster",
        "!Ref Name",
        "!Ref AWS::Region",
        "!ImportValue other",
        "!GetAtt Other.Id",
        "{Fn::GetAtt: [Cluster]}",
        "!If [Big, !Ref Cluster, !Ref It]",
    ],
)
def test_other_values_lead_nowhere(value: str) -> None:
    it = _it(value, _UNDECIDED)
    assert it.follow(it.get("Value")) is None


@pytest.mark.parametrize(
    "value",
    [
        '!Join ["", [a, !Ref Cluster]]',
        '!Sub "arn:${Cluster.Id}"',
        '!Sub ["${A}", {A: !GetAtt Cluster.Id}]',
        "[{deep: [!Ref Cluster]}]",
        "!If [Big, !Ref Cluster, other]",
    ],
)
def test_references_are_found_at_any_depth(value: str) -> None:
    it = _it(value, _UNDECIDED)
    (cluster,) = it.resolved.of_type("AWS::PCS::Cluster")
    assert it.referred(it.get("Value")) == [cluster]


@pytest.mark.parametrize(
    ("value", "path", "inside"),
    [
        ("{A: {B: 1}}", ("A", "B"), 1),
        ("{A: 1}", ("A", "B"), None),
        ("[x, y]", (1,), "y"),
        ("[x, y]", (7,), None),
        ("!Ref Name", ("A",), UNKNOWN),
        ("!If [Big, {A: 1}, {A: 1}]", ("A",), 1),
        ("!If [Big, {A: 1}, {B: 1}]", ("C",), None),
        (
            "!If [Big, {A: 1}, !Ref AWS::NoValue]",
            ("A",),
            {"Fn::If": ["Big", 1, {"Ref": "AWS::NoValue"}]},
        ),
        ("{Fn::Transform: {}, A: 1}", ("B",), UNKNOWN),
        ("{Fn::Transform: {}, A: 1}", ("A",), 1),
        ("{Fn::Transform: {}, A: {B: 1}}", ("A", "C"), UNKNOWN),
        ("{Fn::Transform: {}, A: [1]}", ("A", 1), UNKNOWN),
        ("{A: {Fn::Transform: {}}, B: {C: 1}}", ("B", "D"), None),
    ],
)
def test_a_value_inside_of_another_is_none_only_where_it_is_surely_not_there(
    value: str, path: tuple[Any, ...], inside: Any
) -> None:
    assert _it(value, _UNDECIDED).get("Value", *path) == inside


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("4", 4),
        ("4.0", 4),
        ('"-1"', -1),
        ("null", None),
        ("!Ref AWS::NoValue", None),
        ("!Ref Name", UNKNOWN),
        ("many", UNKNOWN),
        ("1e999", UNKNOWN),
        ("[4]", UNKNOWN),
    ],
)
def test_a_number_is_read_however_it_is_written(value: str, number: Any) -> None:
    assert _it(value).number("Value") == number


@pytest.mark.parametrize("value", ["!Ref Open", "!If [Big, [a], [b]]", '!Split [",", !Ref Name]'])
def test_a_list_that_is_one_function_is_never_empty(value: str) -> None:
    it = _it(value, _UNDECIDED)
    assert it.items("Value") is UNKNOWN
    assert it.count("Value") is UNKNOWN
    assert it.has("Value")


@pytest.mark.parametrize(
    ("definition", "holds"),
    [
        ("!Condition Always", True),
        ("!Condition Never", False),
        ("!Condition Big", UNKNOWN),
        ("!Not [!Condition Big]", UNKNOWN),
        ("!And [!Condition Always, !Condition Big]", UNKNOWN),
        ("!And [!Condition Never, !Condition Big]", False),
        ("!And [!Condition Always, !Condition Always]", True),
        ("!Or [!Condition Never, !Condition Big]", UNKNOWN),
        ("!Or [!Condition Always, !Condition Big]", True),
        ("!Or [!Condition Never, !Condition Never]", False),
        ("!Equals [!Ref Size, LARGE]", True),
        ("!Equals [!FindInMap [Images, x86, one], ami-1]", True),
        ("!Condition Nowhere", UNKNOWN),
        ("!Condition It", UNKNOWN),
        ("{Condition: [Always]}", UNKNOWN),
        ("!Equals [a]", UNKNOWN),
        ('!Equals [a, "{{resolve:ssm:a}}"]', UNKNOWN),
        ("{}", UNKNOWN),
        ("5", UNKNOWN),
    ],
)
def test_a_condition_holds_where_nothing_else_is_possible(definition: str, holds: Any) -> None:
    it = _it("1", _UNDECIDED, definition)
    assert it.stack.condition("It") is holds
    assert it.exists is holds


@pytest.mark.parametrize(
    ("defaults", "size", "large"),
    [
        (Defaults.EVERYWHERE, "LARGE", True),
        (Defaults.IN_VALUES, "LARGE", UNKNOWN),
        (Defaults.NOWHERE, UNKNOWN, UNKNOWN),
    ],
)
def test_what_a_default_counts_for_is_said(defaults: Defaults, size: Any, large: Any) -> None:
    it = _it("!Ref Size", Scenario(decided=False, defaults=defaults))
    assert (it.known("Value"), it.stack.condition("Large")) == (size, large)


def test_a_value_that_is_given_counts_everywhere() -> None:
    scenario = Scenario(
        parameters={"Size": "small", "Zones": "x,y"}, decided=False, defaults=Defaults.NOWHERE
    )
    assert _it("[!Ref Size, !Ref Zones]", scenario).known("Value") == ["small", ["x", "y"]]
    assert _it("!If [Large, 1, 2]", scenario).known("Value") == 2


def test_which_defaults_were_relied_on_is_remembered() -> None:
    it = _it("[!Ref Size, !Ref Name]", _UNDECIDED)
    assert it.resolved.relied == set()
    assert it.get("Value", 0) == "LARGE"
    assert {name for _, name in it.resolved.relied} == {"Size"}


# Stacks.

_INNER = """
Parameters:
  Given: {Type: String, Default: own}
Resources:
  Inner: {Type: AWS::SNS::Topic, Properties: {Value: !Ref Given}}
Outputs:
  Value: {Value: !Ref Given}
  Topic: {Value: !Ref Inner}
"""


def _root(url: str, passed: str = "{Given: passed}", more: str = "") -> str:
    return f"""
Parameters:
  Prefix: {{Type: String, Default: templates}}
  Plain: {{Type: String}}
  Which: {{Type: String, Default: inner}}
  Url: {{Type: String, Default: "https://example.com/inner.yaml?versionId=1"}}
Mappings: {{Files: {{inner: {{url: s3/inner.yaml}}}}}}
Conditions:
  Big: !Equals [!Ref Plain, big]
  Never: !Equals [a, b]
Resources:
  It:
    Type: AWS::S3::Bucket
    Properties: {{Value: !GetAtt Nested.Outputs.Value, Topic: !GetAtt Nested.Outputs.Topic}}
  Nested:
    Type: AWS::CloudFormation::Stack{more}
    Properties:
      TemplateURL: {url}
      Parameters: {passed}
"""


@pytest.mark.parametrize(
    "url",
    [
        "inner.yaml",
        "./inner.yaml",
        "../templates/inner.yaml",
        "https://bucket.s3.amazonaws.com/v1/inner.yaml",
        "!Sub https://${AWS::Region}.example.com/${Plain}/inner.yaml",
        "https://example.com/inner.yaml?versionId=1",
        "!Ref Url",
        "!FindInMap [Files, inner, url]",
        "!FindInMap [Files, !Ref Which, url]",
        "!FindInMap [Files, none, url, {DefaultValue: inner.yaml}]",
        '!Join ["/", [!Ref Prefix, inner.yaml]]',
        "!If [Big, inner.yaml, inner.yaml]",
        "!If [Never, other.yaml, inner.yaml]",
    ],
)
def test_a_nested_stack_is_found_by_every_form_of_its_url(url: str) -> None:
    resolved = _resolved(root_yaml=_root(url), inner_yaml=_INNER)
    (it,) = resolved.of_type("AWS::S3::Bucket")
    (inner,) = resolved.of_type("AWS::SNS::Topic")
    assert inner.known("Value") == "passed"
    assert it.known("Value") == "passed"
    assert it.follow(it.get("Topic")) is inner


def test_a_nested_stack_whose_template_is_elsewhere_gives_nothing_away() -> None:
    (it,) = _resolved(root_yaml=_root("elsewhere.yaml")).of_type("AWS::S3::Bucket")
    assert it.known("Value") is UNKNOWN


def test_what_nothing_is_passed_to_has_its_default() -> None:
    resolved = _resolved(root_yaml=_root("inner.yaml", "{}"), inner_yaml=_INNER)
    (inner,) = resolved.of_type("AWS::SNS::Topic")
    assert inner.known("Value") == "own"


def test_a_template_that_two_stacks_are_made_of_makes_two() -> None:
    second = """
  Second:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: inner.yaml, Parameters: {Given: second}}
"""
    resolved = _resolved(root_yaml=_root("inner.yaml") + second, inner_yaml=_INNER)
    topics = list(resolved.of_type("AWS::SNS::Topic"))
    assert [topic.known("Value") for topic in topics] == ["passed", "second"]
    assert [topic.title for topic in topics] == [
        "inner.yaml of Nested/Inner",
        "inner.yaml of Second/Inner",
    ]
    assert topics[0].own_key != topics[1].own_key


@pytest.mark.parametrize(("condition", "certain"), [("", [True]), ("Big", [False]), ("Never", [])])
def test_what_is_nested_is_made_if_its_stack_is(condition: str, certain: list[bool]) -> None:
    more = f"\n    Condition: {condition}" if condition else ""
    resolved = _resolved(
        root_yaml=_root("inner.yaml", more=more), inner_yaml=_INNER, scenario=_UNDECIDED
    )
    assert [topic.certain for topic in resolved.of_type("AWS::SNS::Topic")] == certain


@pytest.mark.parametrize(
    ("passed", "exists", "chosen"),
    [("high", True, "many"), ("low", False, "few"), ("!Ref Plain", UNKNOWN, UNKNOWN)],
)
def test_a_condition_of_a_nested_stack_goes_by_what_is_passed(
    passed: str, exists: Any, chosen: Any
) -> None:
    inner = """
Parameters: {Given: {Type: String, Default: low}}
Conditions: {High: !Equals [!Ref Given, high]}
Resources:
  Inner: {Type: AWS::SNS::Topic, Condition: High, Properties: {Value: !If [High, many, few]}}
"""
    root = _root("inner.yaml", f"{{Given: {passed}}}")
    resolved = _resolved(root_yaml=root, inner_yaml=inner, scenario=_UNDECIDED)
    (topic,) = resolved.declared_of_type("AWS::SNS::Topic")
    assert (topic.exists, topic.known("Value")) == (exists, chosen)


def test_a_nested_stack_of_the_cdk_is_found_by_the_path_of_its_asset() -> None:
    more = "\n    Metadata: {aws:asset:path: inner.nested.template.json}"
    bucket = "!Sub https://s3.${AWS::Region}.${AWS::URLSuffix}/assets/0123456789abcdef.json"
    together = parsed_together(
        {
            "root": parse(_root(bucket, more=more)).content,
            "inner.nested": parse(_INNER).content,
            "other.nested": parse(_INNER).content,
        }
    )
    topics = list(ResolvedTemplates(together).of_type("AWS::SNS::Topic"))
    passed = [topic for topic in topics if topic.known("Value") == "passed"]
    assert [topic.template.name for topic in passed] == ["inner.nested"]


def test_a_list_that_is_passed_on_is_a_list_of_what_is_in_it() -> None:
    inner = """
Parameters: {Given: {Type: CommaDelimitedList}}
Resources:
  Inner: {Type: AWS::SNS::Topic, Properties: {Value: !Ref Given}}
"""
    passed = '{Given: !Join [",", [!Ref It, fixed]]}'
    resolved = _resolved(root_yaml=_root("inner.yaml", passed), inner_yaml=inner)
    (topic,) = resolved.of_type("AWS::SNS::Topic")
    (it,) = resolved.of_type("AWS::S3::Bucket")
    first, second = topic.each("Value")
    assert (topic.follow(first), second) == (it, "fixed")


def test_stacks_that_are_nested_in_each_other_lead_nowhere() -> None:
    circle = """
Parameters: {{P: {{Type: String}}}}
Resources:
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: {other}.yaml, Parameters: {{P: !Ref P}}}}
  It: {{Type: AWS::S3::Bucket, Properties: {{P: !Ref P, O: !GetAtt Nested.Outputs.O}}}}
Outputs: {{O: {{Value: !GetAtt Nested.Outputs.O}}}}
"""
    resolved = _resolved(a_yaml=circle.format(other="b"), b_yaml=circle.format(other="a"))
    found = list(resolved.of_type("AWS::S3::Bucket"))
    assert found
    assert {it.known(name) for it in found for name in ("P", "O")} == {UNKNOWN}


def test_an_export_of_itself_leads_nowhere() -> None:
    text = """
Resources: {It: {Type: AWS::S3::Bucket, Properties: {Value: !ImportValue Id}}}
Outputs: {Id: {Value: !ImportValue Id, Export: {Name: Id}}}
"""
    (it,) = _resolved(text).of_type("AWS::S3::Bucket")
    assert it.follow(it.get("Value")) is None


def test_of_two_exports_of_one_name_none_is_taken() -> None:
    exporting = "Resources: {}\nOutputs: {O: {Value: VALUE, Export: {Name: name}}}"
    text = "Resources: {It: {Type: AWS::S3::Bucket, Properties: {Value: !ImportValue name}}}"
    (it,) = _resolved(text, exporting, exporting.replace("VALUE", "other")).of_type(
        "AWS::S3::Bucket"
    )
    assert it.known("Value") is UNKNOWN


def test_an_export_under_a_name_with_that_of_its_stack_is_found_if_that_is_said() -> None:
    exporting = """
Resources: {}
Outputs: {O: {Value: out, Export: {Name: !Sub "${AWS::StackName}-o"}}}
"""
    text = "Resources: {It: {Type: AWS::S3::Bucket, Properties: {Value: !ImportValue net-o}}}"
    together = parsed_together({"a": parse(text).content, "b": parse(exporting).content})
    for given, known in ((Given(), UNKNOWN), (Given(stack_names={"b": "net"}), "out")):
        scenarios = {template: given.scenario(template) for template in together}
        (it,) = ResolvedTemplates(together, scenarios).of_type("AWS::S3::Bucket")
        assert it.known("Value") == known


# Loops.

_LOOP = """
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "One,Two"}
  Open: {Type: CommaDelimitedList}
Resources:
  Fn::ForEach::Buckets:
    - Name
    - COLLECTION
    - "It${Name}":
        Type: AWS::S3::Bucket
        Properties: {Value: !Ref Name, Text: !Sub "${Name}-x"}
"""


@pytest.mark.parametrize("collection", ["[One, Two]", "!Ref Names"])
def test_a_loop_makes_a_resource_for_each(collection: str) -> None:
    resolved = _resolved(_LOOP.replace("COLLECTION", collection))
    found = {
        it.logical_id: (it.known("Value"), it.known("Text"))
        for it in resolved.of_type("AWS::S3::Bucket")
    }
    assert found == {"ItOne": ("One", "One-x"), "ItTwo": ("Two", "Two-x")}


def test_a_loop_over_what_is_not_known_makes_nothing_that_is_known() -> None:
    assert (
        list(_resolved(_LOOP.replace("COLLECTION", "!Ref Open")).of_type("AWS::S3::Bucket")) == []
    )
