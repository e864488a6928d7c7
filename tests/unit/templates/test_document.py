from __future__ import annotations

import builtins
import json

import pytest

from pcs_constructs.templates.document import DocumentError, parse

_YAML = """\
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Cluster:
    Type: AWS::PCS::Cluster
    Properties:
      Name: !Sub "${Stage}-hpc"
      Scheduler: {Version: 25.10}
      Networking:
        SubnetIds:
          - !Select [0, !Ref Subnets]
          - !If
            - Two
            - !GetAtt Other.SubnetId
            - !Ref AWS::NoValue
"""


def test_short_forms_of_yaml_are_read_as_what_they_stand_for() -> None:
    properties = parse(_YAML).content["Resources"]["Cluster"]["Properties"]
    assert properties["Name"] == {"Fn::Sub": "${Stage}-hpc"}
    assert properties["Networking"]["SubnetIds"] == [
        {"Fn::Select": [0, {"Ref": "Subnets"}]},
        {"Fn::If": ["Two", {"Fn::GetAtt": "Other.SubnetId"}, {"Ref": "AWS::NoValue"}]},
    ]


def test_versions_and_dates_in_yaml_stay_as_they_are_written() -> None:
    content = parse(_YAML).content
    assert content["AWSTemplateFormatVersion"] == "2010-09-09"
    scheduler = content["Resources"]["Cluster"]["Properties"]["Scheduler"]
    assert str(scheduler["Version"]) == "25.10"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("Resources", "Cluster", "Properties", "Name"), 6),
        (("Resources", "Cluster", "Properties", "Scheduler", "Version"), 7),
        (("Resources", "Cluster", "Properties", "Networking", "SubnetIds", 0), 10),
        (("Resources", "Cluster", "Properties", "Networking", "SubnetIds", 1), 11),
        (("Resources", "Cluster", "Properties", "Networking", "SubnetIds", 1, "Fn::If", 1), 13),
        (("Resources", "Cluster", "Properties", "Networking", "NetworkType"), 8),
        (("Resources", "Cluster", "Properties", "Size"), 5),
        (("Resources", "Queue", "Properties", "Name"), 2),
    ],
)
def test_lines_of_yaml(path: tuple[str | int, ...], line: int) -> None:
    assert parse(_YAML).line(path) == line


_JSON = (
    '{\n "Resources": {\n  "A": {"Type": "X",\n   "Properties": {\n    "L": [\n     1,\n     2]}}}}'
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("Resources",), 2),
        (("Resources", "A", "Properties", "L"), 5),
        (("Resources", "A", "Properties", "L", 1), 7),
        (("Resources", "A", "Properties", "L", 5), 5),
        (("Resources", "A", "Properties", "M", "N"), 4),
        (("Resources", "A", "Type", "N"), 3),
    ],
)
def test_lines_of_json(path: tuple[str | int, ...], line: int) -> None:
    assert parse(_JSON).line(path) == line


def test_json_is_read_as_python_reads_it() -> None:
    text = ' {"a": ["\\u00e9\\"", {"b": null}, -1.5e3, {}], "c": "{"}'
    document = parse(text)
    assert document.content == json.loads(text)
    assert document.line(("a", 1, "b")) == 1


@pytest.mark.parametrize("text", ['{"a": 1,}', "{", "a: [", "a: b: c", "\t"])
def test_fails_on_what_is_neither(text: str) -> None:
    with pytest.raises(DocumentError):
        parse(text)


def test_fails_on_yaml_and_says_what_to_install_where_pyyaml_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported = builtins.__import__

    def without_yaml(name: str, *rest: object, **more: object) -> object:
        if name == "yaml":
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(DocumentError, match=r"pcs-constructs\[check\]"):
        parse("a: 1")
    assert parse('{"a": 1}').content == {"a": 1}


def test_fails_on_yaml_that_merges_what_is_no_mapping() -> None:
    with pytest.raises(DocumentError, match="expected a mapping"):
        parse("a: {<<: !Ref X}")


def test_a_tag_that_does_not_fit_its_text_is_left_out() -> None:
    assert parse("- !!bool maybe\n- !!int many\n- !!int ''").content == ["maybe", "many", ""]


def test_an_integer_that_python_writes_down_as_nothing_stays_text() -> None:
    text = "0x" + "f" * 5000
    assert parse(f"a: {text}").content == {"a": text}


def test_fails_on_aliases_that_grow_without_end() -> None:
    lines = ["a0: &a0 [1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    with pytest.raises(DocumentError, match="aliases"):
        parse("\n".join(lines))
