from __future__ import annotations

import ast
import re
import time
from functools import cache
from pathlib import Path

import pytest

import pcs_constructs
from pcs_constructs.analysis.check import check
from pcs_constructs.model.errors import UNKNOWN, Violation, fix_in_template
from pcs_constructs.templates import template
from pcs_constructs.templates.document import parse
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.scenarios import BOUND
from pcs_constructs.templates.values import literal
from tests.benchmark.mutations import WAIVED
from tests.unit.analysis.check.checked import (
    ALL,
    CLUSTER,
    LAUNCH,
    NODES,
    QUEUE,
    changed,
    codes,
    findings,
    findings_of,
)
from tests.unit.rules.test_rules import all_problems

_TEMPLATES = Path(__file__).parent


def test_a_sound_template_has_no_findings() -> None:
    assert codes(ALL) == []


def test_ten_mistakes_are_ten_errors_in_their_lines() -> None:
    file = _TEMPLATES / "ten_mistakes.yaml"
    found = check(template.read(file)).findings
    assert [(f.line, f.code) for f in found if f.level.value == "error"] == [
        (6, "PCS101"),
        (7, "PCS104"),
        (10, "PCS105"),
        (12, "PCS120"),
        (20, "PCS807"),
        (25, "PCS201"),
        (29, "PCS203"),
        (32, "PCS210"),
        (35, "PCS213"),
        (42, "PCS301"),
    ]
    assert (28, "PCS704") in [(f.line, f.code) for f in found if f.level.value == "advice"]
    assert [f.property for f in found if f.code == "PCS807"] == [
        "SlurmConfiguration.SlurmCustomSettings[1]"
    ]


# What values are.

_EVALUATED = """
Parameters:
  Name: {Type: String, Default: hpc}
  Open: {Type: String}
  Image: {Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /a/b}
  Ids: {Type: CommaDelimitedList, Default: "subnet-0a1b2c3d, subnet-0a1b2c3e"}
Mappings:
  Sizes: {dev: {Size: SMALL}}
Conditions:
  Always: !Equals [a, a]
  Maybe: !Equals [!Ref Open, a]
Resources:
  Thing: {Type: X}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Name", "hpc"),
        ("!Ref Open", UNKNOWN),
        ("!Ref Image", UNKNOWN),
        ("!Ref Thing", UNKNOWN),
        ("!Ref AWS::Region", UNKNOWN),
        ("!Ref Ids", ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]),
        ("!Select [1, !Ref Ids]", "subnet-0a1b2c3e"),
        ("!Select [5, !Ref Ids]", UNKNOWN),
        ('!Sub "${Name}-x-${!Literal}"', "hpc-x-${Literal}"),
        ('!Sub "${Open}-x"', UNKNOWN),
        ('!Sub ["${A}-x", {A: !Ref Name}]', "hpc-x"),
        ('!Join ["-", [a, !Ref Name, 1]]', "a-hpc-1"),
        ('!Join ["-", [a, !Ref Open]]', UNKNOWN),
        ('!Split [",", "a,b"]', ["a", "b"]),
        ("!FindInMap [Sizes, dev, Size]", "SMALL"),
        ("!FindInMap [Sizes, !Ref Open, Size]", UNKNOWN),
        ("!FindInMap [Sizes, prod, Size, {DefaultValue: LARGE}]", "LARGE"),
        ("!If [Always, a, b]", "a"),
        ("!If [Maybe, a, b]", "b"),
        ("[a, !Ref AWS::NoValue]", ["a"]),
        ("{a: !If [Always, !Ref AWS::NoValue, b], c: d}", {"c": "d"}),
        ("!GetAtt Thing.Arn", UNKNOWN),
        ("!ImportValue Elsewhere", UNKNOWN),
        ("!GetAZs ''", UNKNOWN),
        ("!Base64 text", UNKNOWN),
        ('"{{resolve:ssm:/a}}"', UNKNOWN),
    ],
)
def test_a_value_is_computed_or_not_known(text: str, value: object) -> None:
    found = template.parsed("t", parse(_EVALUATED).content)
    (stack,) = ResolvedTemplates([found]).stacks
    assert literal(stack.reduced(parse(f"x: {text}").content["x"])) == value


def test_what_is_not_known_is_not_judged() -> None:
    parameters = "Parameters: {Name: {Type: String}, Count: {Type: Number}}"
    assert codes(changed("Name: hpc-1a2b3c", "Name: !Ref Name"), parameters) == []
    assert codes(changed("MaxInstanceCount: 4", "MaxInstanceCount: !Ref Count"), parameters) == []


def test_a_default_is_judged() -> None:
    parameters = "Parameters: {Name: {Type: String, Default: x}}"
    assert codes(changed("Name: hpc-1a2b3c", "Name: !Ref Name"), parameters) == ["PCS101", "PCS103"]


def test_a_resource_that_is_not_made_is_not_judged() -> None:
    never = "Conditions: {Never: !Equals [a, b]}"
    assert (
        codes(
            changed(
                "    Properties:\n      Name: demo",
                "    Condition: Never\n    Properties:\n      Name: q",
            ),
            never,
        )
        == []
    )


def test_loops_that_only_cloudformation_unrolls_are_left_out() -> None:
    assert codes(ALL + "\n  'Fn::ForEach::Queues': [Q, [a, b], {'Queue${Q}': {Type: X}}]") == []


# Conditions.

_LARGE = "Conditions: {IsLarge: !Equals [!Ref Stage, prod]}\nParameters: {Stage: {Type: String}}"


def _when(resources: str, above: str) -> list[tuple[str, str | None]]:
    return [(f.code, f.condition) for f in findings(resources, above)]


def test_it_is_said_under_which_condition_something_is_wrong() -> None:
    size = changed("Name: hpc-1a2b3c", "Name: !If [IsLarge, x, hpc-1a2b3c]")
    assert ("PCS101", "IsLarge") in _when(size, _LARGE)
    other = changed("Name: hpc-1a2b3c", "Name: !If [IsLarge, hpc-1a2b3c, x]")
    assert ("PCS101", "not IsLarge") in _when(other, _LARGE)
    always = changed("Name: hpc-1a2b3c", "Name: x") + "\n    Condition: IsLarge"
    assert ("PCS101", None) in _when(always, _LARGE)


def test_two_conditions_are_told_where_both_decide() -> None:
    above = """
Parameters: {A: {Type: String}, B: {Type: String}}
Conditions: {HasA: !Equals [!Ref A, "yes"], HasB: !Equals [!Ref B, "yes"]}
"""
    name = "Name: !If [HasA, !If [HasB, x, hpc-1a2b3c], hpc-1a2b3c]"
    assert ("PCS101", "HasA and HasB") in _when(changed("Name: hpc-1a2b3c", name), above)


def test_combinations_that_there_cannot_be_are_not_looked_at() -> None:
    above = """
Parameters: {Stage: {Type: String, AllowedValues: [dev, prod]}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Not [!Condition IsDev]
"""
    name = "Name: !If [IsDev, !If [IsProd, x, hpc-1a2b3c], !If [IsProd, hpc-1a2b3c, x]]"
    assert _when(changed("Name: hpc-1a2b3c", name), above) == []


def test_a_parameter_has_in_each_combination_the_value_that_makes_it() -> None:
    above = """
Parameters: {Size: {Type: String, Default: SMALL, AllowedValues: [SMALL, MEDIUM]}}
Conditions: {IsSmall: !Equals [!Ref Size, SMALL]}
"""
    size = changed("Size: SMALL", "Size: !Ref Size")
    nodes = changed("MaxInstanceCount: 4", "MaxInstanceCount: !If [IsSmall, 32, 600]", size)
    assert _when(nodes, above) == [("PCS104", "not IsSmall")]


def test_conditions_that_nothing_of_interest_depends_on_multiply_nothing() -> None:
    names = [f"C{i}" for i in range(20)]
    conditions = "".join(f"\n  {n}: !Equals [!Ref P{n}, a]" for n in names)
    parameters = "".join(f"\n  P{n}: {{Type: String}}" for n in names)
    above = f"Parameters:{parameters}\nConditions:{conditions}"
    contents = parse(f"{above}\nResources:\n{ALL}").content
    assert check([template.parsed("t", contents)]).notes == ()


def test_of_too_many_combinations_some_are_looked_at_and_that_is_said() -> None:
    names = [f"C{i}" for i in range(10)]
    conditions = "".join(f"\n  {n}: !Equals [!Ref P{n}, a]" for n in names)
    parameters = "".join(f"\n  P{n}: {{Type: String}}" for n in names)
    tags = ", ".join(f"{n}: !If [{n}, a, b]" for n in names)
    resources = changed(
        "Name: hpc-1a2b3c", f"Name: !If [C7, x, hpc-1a2b3c]\n      Tags: {{{tags}}}"
    )
    above = f"Parameters:{parameters}\nConditions:{conditions}"
    contents = parse(f"{above}\nResources:\n{resources}").content
    result = check([template.parsed("t", contents)])
    assert len(result.notes) == 1
    assert f"{BOUND} of 1024" in result.notes[0]
    assert ("PCS101", "C7") in [(f.code, f.condition) for f in result.findings]


# Templates that refer to each other.


def test_a_cluster_is_found_through_an_export() -> None:
    exported = f"""
Resources:
{CLUSTER}
Outputs:
  Id: {{Value: !GetAtt Cluster.Id, Export: {{Name: !Sub "${{AWS::StackName}}-id"}}}}
"""
    nodes = changed("!GetAtt Cluster.Id", '!ImportValue\n        Fn::Sub: "${Base}-id"', NODES)
    above = "Parameters: {Base: {Type: String, Default: t0}}"
    more = changed("MaxInstanceCount: 4", "MaxInstanceCount: 40", nodes)
    found = findings_of(exported, f"{above}\nResources:\n{more}{LAUNCH}")
    assert [(f.template, f.code) for f in found] == [("t0.yaml", "PCS104")]


def test_a_cluster_is_found_in_the_stack_around() -> None:
    around = f"""
Resources:
{CLUSTER}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./t1.yaml
      Parameters: {{Cluster: !GetAtt Cluster.Id, Most: 40}}
"""
    inner = changed("!GetAtt Cluster.Id", "!Ref Cluster", NODES)
    inner = changed("MaxInstanceCount: 4", "MaxInstanceCount: !Ref Most", inner)
    parameters = "Parameters: {Cluster: {Type: String}, Most: {Type: Number}}"
    found = findings_of(around, f"{parameters}\nResources:\n{inner}{LAUNCH}")
    assert [(f.template, f.code) for f in found] == [("t0.yaml", "PCS104")]


def test_an_output_of_a_nested_stack_is_followed() -> None:
    around = f"""
Resources:
  Network:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: ./t1.yaml}}
{changed("[subnet-0a1b2c3d], S", "[!GetAtt Network.Outputs.Subnet], S", CLUSTER)}
"""
    inner = """
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: false}}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
Outputs:
  Subnet: {Value: !Ref Subnet}
"""
    found = findings_of(around, inner)
    assert {(f.template, f.resource, f.code) for f in found} == {("t1.yaml", "Vpc", "PCS401")}


# Login nodes.


def _login(purchase: str = "ONDEMAND") -> str:
    login = changed("  Nodes:", "  Login:", NODES).replace("nodes-1a2b3c", "login-1a2b3c")
    login = changed(
        "MinInstanceCount: 0, MaxInstanceCount: 4",
        "MinInstanceCount: 1, MaxInstanceCount: 1",
        login,
    )
    return ALL + changed("      AmiId:", f"      PurchaseOption: {purchase}\n      AmiId:", login)


def test_nodes_that_always_run_and_serve_no_queue_are_for_logging_in() -> None:
    assert codes(_login()) == []
    assert codes(_login("SPOT")) == ["PCS211"]


def test_where_a_queue_names_what_is_not_known_no_node_group_is_idle() -> None:
    named = changed("!GetAtt Nodes.Id", "!Ref Group", ALL)
    assert codes(named, "Parameters: {Group: {Type: String}}") == []
    assert codes(CLUSTER + NODES + LAUNCH) == []


def test_what_the_outputs_tell_may_serve_a_queue_elsewhere() -> None:
    idle = ALL + NODES.replace("Nodes:", "Idle:").replace("nodes-1a2b3c", "idle-1a2b3c")
    assert codes(idle) == ["PCS208"]
    assert codes(f"{idle}\nOutputs:\n  Idle: {{Value: !GetAtt Idle.Id}}") == []


def test_metadata_tells_which_qos_there_are() -> None:
    settings = (
        "SlurmConfiguration: {SlurmCustomSettings: [{ParameterName: QOS, ParameterValue: low}]}"
    )
    queue = changed("      Name: demo", f"      Name: demo\n      {settings}")
    with_accounting = changed(
        "      Size: SMALL",
        "      Size: SMALL\n      SlurmConfiguration: {Accounting: {Mode: STANDARD}}",
        queue,
    )
    assert codes(with_accounting) == ["PCS821"]
    listed = changed(
        "AWS::PCS::Cluster\n",
        "AWS::PCS::Cluster\n    Metadata: {pcs-constructs: {qos: [low]}}\n",
        with_accounting,
    )
    assert codes(listed) == []
    assert codes(listed.replace("qos: [low]", "qos: [high]")) == ["PCS831"]


# Words.

_LIBRARY = Path(pcs_constructs.__file__).parent
_VALUE = re.compile(r"(?<!\w)'[^']*'(?!\w)")
_PYTHON = re.compile(
    r"\b(?:pcs|cdk|ec2|efs|fsx|iam)\.(?!amazonaws)[A-Za-z]"
    r"|\b[A-Z]\w*[a-z]\w*\.\w"  # `Capacity.block(`, `LustreStorageType.SSD`
    r"|\b[a-z]\w*=|=\["  # `gres=[...]`
    r"|\b[a-z]+\.[a-z]+_"  # `vpc.private_subnets`
    r"|\bleave (?!it\b|both\b|one\b|some\b)[a-z]+ (?:out|of)\b|\bgres\b"  # arguments of one word
    r"|\b(?:None|True|False|int|str)\b"
    r"|\.(?:from|add|allow)_[a-z]|\w\([^ )]"
    r"|\backnowledge\b"  # a template suppresses
)


@cache
def _public_names() -> set[str]:
    """Of everything public, the names of classes, methods and arguments that are of two words."""
    surface = (_LIBRARY.parent / "docs" / "surface.txt").read_text(encoding="utf-8")
    classes = set(re.findall(r"^[A-Z][a-z]+[A-Z]\w+", surface, re.M))
    classes -= {
        "ExecutionPolicy",
        "OnError",
        "PreemptMode",
        "ScriptCachingPolicy",
    }  # properties, too
    return {*classes, *re.findall(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?=: |\()", surface)}


def _speaks_python(text: str) -> bool:
    plain = _VALUE.sub("", text)
    return bool(_PYTHON.search(plain) or _public_names().intersection(re.findall(r"\w+", plain)))


def test_fails_when_words_are_those_of_python() -> None:
    names = {"slurm_settings", "scale_down_idle_time", "add_queue", "EfsStorage"}
    assert names <= _public_names()
    for words in (*names, "write efa=True", "leave efa out", "use cdk.Size.gibibytes(1)"):
        assert _speaks_python(words), words


def test_no_words_about_a_template_are_about_python() -> None:
    """Of every rule that is not waived for templates, over every row of every table."""
    found = {
        (problem.code, text)
        for problem in all_problems()
        if problem.code not in WAIVED
        for text in (problem.message, fix_in_template(problem))
        if _speaks_python(text)
    }
    assert sorted(found) == []


def test_no_words_in_the_rules_are_about_python() -> None:
    """The same of the source: a violation that no row shows is read, too."""
    found = [
        (f"{path.name}:{call.lineno}", text)
        for path in sorted(_LIBRARY.glob("rules/*.py"))
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if _codes_of(function).isdisjoint(WAIVED)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Violation"
        for text in _for_templates(call)
    ]
    assert len(found) > 400
    assert [each for each in found if _speaks_python(each[1])] == []


def _codes_of(function: ast.stmt) -> set[str]:
    """The code that a rule is registered with; none for what rules call."""
    decorators = function.decorator_list if isinstance(function, ast.FunctionDef) else ()
    return {code for each in decorators for code in re.findall(r"PCS\d{3}", ast.unparse(each))}


def _for_templates(violation: ast.Call) -> tuple[str, str]:
    """The message and the fix for templates, with what is computed left out."""
    named = {each.arg: each.value for each in violation.keywords}
    given = dict(zip(Violation._fields, violation.args, strict=False))
    words = {**given, **named}
    return _literal(words["message"]), _literal(words.get("template_fix", words["fix"]))


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_literal, parts))
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return f"{_literal(left)} {_literal(right)}"
        case _:
            return "''"


def test_a_fix_for_templates_is_there_only_where_it_says_something_else() -> None:
    assert {p.code for p in all_problems() if p.template_fix == p.fix} == set()


def test_a_template_of_a_thousand_resources_takes_no_second() -> None:
    group = changed("  Nodes:", "  Nodes@:", NODES).replace("nodes-1a2b3c", "nodes-@-1a2b3c")
    group = group.replace(" Launch", " Launch@") + LAUNCH.replace("Launch:", "Launch@:")
    many = "".join(group.replace("@", str(i)) for i in range(50))
    contents = parse(f"Resources:\n{CLUSTER.replace('SMALL', 'LARGE')}{many}").content
    for i in range(900):
        contents["Resources"][f"Other{i}"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
        }
    before = time.process_time()
    result = check([template.parsed("t", contents)])
    assert result.resources > 1000
    assert [f.code for f in result.findings] == ["PCS113"]
    assert time.process_time() - before < 1


def test_queues_are_judged_without_their_cluster() -> None:
    assert codes(changed("Name: demo", "Name: q", QUEUE)) == ["PCS301"]


def test_an_export_that_imports_itself_leads_nowhere() -> None:
    text = """
        Resources: {X: {Type: AWS::PCS::Queue, Properties: {ClusterId: !ImportValue A}}}
        Outputs: {O: {Value: !ImportValue A, Export: {Name: A}}}
    """
    assert [finding.code for finding in findings_of(text)] == ["PCS127", "PCS309"]


def test_a_stack_that_is_passed_its_own_output_is_passed_nothing_known() -> None:
    root = """
        Resources:
          S:
            Type: AWS::CloudFormation::Stack
            Properties: {TemplateURL: t1.yaml, Parameters: {P: !GetAtt S.Outputs.O}}
    """
    inner = """
        Parameters: {P: {Type: String}}
        Resources: {X: {Type: AWS::PCS::Queue, Properties: {ClusterId: !Ref P}}}
        Outputs: {O: {Value: !Ref P}}
    """
    assert [finding.code for finding in findings_of(root, inner)] == ["PCS127", "PCS309"]


def test_a_mapping_that_looks_itself_up_says_nothing() -> None:
    above = "Mappings: {A: {b: {c: !FindInMap [A, b, c]}}}"
    queue = "  X: {Type: AWS::PCS::Queue, Properties: {ClusterId: !FindInMap [A, b, c]}}"
    assert codes(queue, above) == ["PCS127", "PCS309"]


def test_a_number_that_is_infinite_is_not_known() -> None:
    storage = """
  Scratch:
    Type: AWS::FSx::FileSystem
    Properties: {FileSystemType: LUSTRE, StorageCapacity: "1e999", SubnetIds: [subnet-0a1b2c3d]}
"""
    assert "PCS516" not in codes(storage)


def test_an_index_of_thousands_of_digits_selects_nothing() -> None:
    value = f"!Select ['{'9' * 5000}', [a]]"
    queue = f"  X: {{Type: AWS::PCS::Queue, Properties: {{ClusterId: {value}}}}}"
    assert codes(queue) == ["PCS127", "PCS309"]


_OUTPUTS = "\nOutputs: {Id: {Value: !GetAtt Cluster.Id}}"
_STACK = """
  {name}:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: {url}, Parameters: {{{passed}}}}}
"""


def test_node_groups_of_two_stacks_of_one_template_may_have_the_same_name() -> None:
    nodes = NODES.replace("!GetAtt Cluster.Id", "!GetAtt {stack}.Outputs.Id") + LAUNCH
    root = "".join(
        _STACK.format(name=stack, url="t1.yaml", passed="")
        + nodes.replace("{stack}", stack)
        .replace("Nodes:", f"{stack}Nodes:")
        .replace("Launch:", f"{stack}Launch:")
        .replace("Launch.", f"{stack}Launch.")
        .replace("!Ref Launch", f"!Ref {stack}Launch")
        for stack in ("Dev", "Prod")
    )
    found = findings_of(f"Resources:\n{root}", f"Resources:\n{CLUSTER}{_OUTPUTS}")
    assert "PCS202" not in {finding.code for finding in found}


@pytest.mark.parametrize(
    "url",
    [
        "!Sub 'https://${Bucket}.s3.amazonaws.com/pcs/t1.yaml'",
        "!Join ['', ['https://', !Ref Bucket, '.s3.amazonaws.com/t1.yaml']]",
    ],
)
def test_a_nested_template_is_known_by_the_end_of_its_address(url: str) -> None:
    stack = _STACK.format(name="Inner", url=f"{url}", passed="Version: '25.11'")
    inner = CLUSTER.replace('Version: "25.11"', "Version: !Ref Version")
    above = "Parameters: {Version: {Type: String, Default: '24.05'}}"
    found = findings_of(f"Resources:\n{stack}", f"{above}\nResources:\n{inner}")
    assert "PCS105" not in {finding.code for finding in found}


def test_an_export_of_the_same_directory_is_the_one_that_is_imported(tmp_path: Path) -> None:
    export = "\nOutputs: {Id: {Value: !GetAtt Cluster.Id, Export: {Name: hpc}}}"
    nodes = NODES.replace("!GetAtt Cluster.Id", "!ImportValue hpc")
    for name in ("dev", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cluster.yaml").write_text(f"Resources:\n{CLUSTER}{export}")
        (tmp_path / name / "nodes.yaml").write_text(f"Resources:\n{nodes}{LAUNCH}")
    found = check(template.read(tmp_path)).findings
    assert "PCS202" not in {finding.code for finding in found}


def test_templates_whose_cluster_is_an_empty_text_have_no_cluster_in_common() -> None:
    above = "Parameters: {Id: {Type: String, Default: ''}}"
    nodes = NODES.replace("!GetAtt Cluster.Id", "!Ref Id") + LAUNCH
    text = f"{above}\nResources:\n{nodes}"
    assert "PCS202" not in {finding.code for finding in findings_of(text, text)}


def test_many_templates_share_the_combinations_that_are_looked_at() -> None:
    names = "abcdefg"
    above = "Parameters:\n" + "".join(f"  {n}: {{Type: String, Default: x}}\n" for n in names)
    above += "Conditions:\n" + "".join(f"  C{n}: !Equals [!Ref {n}, y]\n" for n in names)
    queues = "".join(
        f"  Q{n}: {{Type: AWS::PCS::Queue, Condition: C{n}, Properties: {{Name: {n}}}}}\n"
        for n in names
    )
    text = f"{above}\nResources:\n{queues}"
    contents = {f"t{i}.yaml": parse(text).content for i in range(20)}
    (alone,) = check(template.parsed_together({"t.yaml": parse(text).content})).notes
    assert alone.startswith(f"t.yaml: {BOUND} of 128 ")
    notes = check(template.parsed_together(contents)).notes
    assert notes[0].startswith("t0.yaml: 8 of 128 ")
