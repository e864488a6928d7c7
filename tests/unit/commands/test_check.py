"""The command: what it prints, what it suppresses, and how it ends."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from pcs_constructs.commands.cli import main
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.rules import RULES
from tests.unit.analysis.check.checked import ALL, CLUSTER, changed

_ROOT = Path(__file__).parents[3]
_TEN = Path("tests/unit/analysis/check/ten_mistakes.yaml")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(directory: Path, resources: str, name: str = "hpc.yaml", above: str = "") -> str:
    (directory / name).write_text(f"{above}\nResources:\n{resources}", encoding="utf-8")
    return name


def _checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["check", *arguments])
    return status, capsys.readouterr().out


def _codes(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    _, out = _checked(capsys, *arguments, "--json")
    return [finding["code"] for finding in json.loads(out)["findings"]]


FIXED = changed("Name: hpc-1a2b3c", "Name: research")


# What it prints.


def test_people_see_place_problem_and_fix(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = _checked(capsys, _write(directory, changed("Name: hpc-1a2b3c", "Name: x")))
    first, second, third, *_, last, see = out.splitlines()
    assert status == 1
    assert first == "hpc.yaml:7 Cluster Name"
    assert second.startswith("  PCS101 error: ")
    assert third.startswith("    fix: ")
    assert last == "1 template, 4 resources: 1 error, 1 of advice"
    assert see == "see: python -m pcs_constructs explain PCS101"


def test_a_sound_template_takes_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = _checked(capsys, _write(directory, ALL))
    assert (status, out) == (0, "1 template, 4 resources: nothing is wrong\n")


def test_scripts_get_every_fact(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    above = "Conditions: {Big: !Equals [!Ref Stage, prod]}\nParameters: {Stage: {Type: String}}"
    resources = changed("Name: hpc-1a2b3c", "Name: !If [Big, x, hpc-1a2b3c]")
    status, out = _checked(capsys, _write(directory, resources, above=above), "--json")
    found = json.loads(out)
    assert status == 1
    first, second = found.pop("findings")
    assert found == {
        "templates": 1,
        "resources": 4,
        "suppressed": 0,
        "unused": [],
        "notes": [],
    }
    assert second["code"] == "PCS103"
    assert first.pop("message")
    assert first.pop("fix")
    assert first == {
        "template": "hpc.yaml",
        "resource": "Cluster",
        "path": None,
        "property": "Name",
        "line": 8,
        "code": "PCS101",
        "level": "error",
        "condition": "Big",
    }


def test_code_scanning_gets_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = _checked(capsys, str(_TEN), "--sarif")
    found = json.loads(out)
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert (status, found["version"]) == (1, "2.1.0")
    assert len(run["results"]) == 14
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert (
            result["level"]
            == {"error": "error", "advice": "warning"}[RULES[rule["id"]].level.value]
        )
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"] == {"uri": str(_TEN)}
        assert place["region"]["startLine"] > 1
    assert len({result["partialFingerprints"]["problem/v1"] for result in run["results"]}) == 14


def test_pull_requests_get_annotations(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = _write(directory, changed("Name: hpc-1a2b3c", "Name: '50%'"), "a,b.yaml")
    status, out = _checked(capsys, name, "--github")
    first, second, last = out.splitlines()
    assert status == 1
    assert first.startswith("::error file=a%2Cb.yaml,line=7,title=PCS101::Cluster Name: '50%25' ")
    assert second.startswith("::warning file=a%2Cb.yaml,line=7,title=PCS103::")
    assert not last.startswith("::")


# How it ends.


@pytest.mark.parametrize(
    ("arguments", "status"), [([], 0), (["--fail-on", "error"], 0), (["--fail-on", "advice"], 1)]
)
def test_it_fails_on_what_it_is_told_to(
    arguments: list[str], status: int, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", _write(directory, FIXED), *arguments]) == status
    assert "PCS103" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [None, "{", "Resources: [", "a: b", "Resources: {A: b}", "\x00", '["Resources"]'],
    ids=["missing", "json", "yaml", "no resources", "no resource", "binary", "list"],
)
def test_fails_with_2_where_there_is_no_template(
    content: str | None, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (directory / "t.yaml").write_text(content)
    assert main(["check", "t.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("t.yaml: ")
    assert len(printed.err.splitlines()) == 1


def test_a_directory_is_read_whole_but_for_what_is_no_template(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(directory, CLUSTER, "cluster.yaml")
    _write(directory, CLUSTER.replace("Name: hpc-1a2b3c", "Name: x"), "other.yml")
    (directory / "settings.yaml").write_text("a: [")
    assert "PCS101" in _codes(capsys, ".")
    (directory / "empty").mkdir()
    assert main(["check", "empty"]) == 2


# What is suppressed.


def _beside(entry: str) -> str:
    return FIXED.replace(
        "AWS::PCS::Cluster\n",
        f"AWS::PCS::Cluster\n    Metadata: {{pcs-constructs: {{suppress: [{entry}]}}}}\n",
    )


def test_a_reason_beside_the_resource_suppresses(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _write(directory, _beside("{code: PCS103, reason: we rename it}"))
    status, out = _checked(capsys, name)
    assert (status, out) == (0, "1 template, 4 resources: 1 suppressed\n")


def test_a_reason_above_the_resources_suppresses(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = "{code: PCS103, resource: 'Clu*', reason: we rename it}"
    above = f"Metadata: {{pcs-constructs: {{suppress: [{entry}]}}}}"
    assert _codes(capsys, _write(directory, FIXED, above=above)) == []
    other = above.replace("Clu*", "Other")
    assert _codes(capsys, _write(directory, FIXED, above=other)) == ["PCS103"]


def test_a_reason_in_a_template_is_about_that_file_alone(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "a").mkdir()
    above = "Metadata: {pcs-constructs: {suppress: [{code: PCS103, reason: we rename it}]}}"
    mine, other = _write(directory, FIXED, above=above), _write(directory, FIXED, "a/hpc.yaml")
    assert _codes(capsys, mine) == []
    _, out = _checked(capsys, mine, other)
    assert out.startswith("a/hpc.yaml:7 Cluster Name\n  PCS103")
    assert "\n2 templates, 8 resources: 1 of advice, 1 suppressed\n" in out


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        ("", []),
        ("resource = 'Cluster'\n", []),
        ("resource = 'Queue*'\n", ["PCS103"]),
        ("template = '*.yaml'\n", []),
        ("template = 'other.yaml'\n", ["PCS103"]),
    ],
)
def test_a_reason_in_a_file_suppresses(
    entry: str, codes: list[str], directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _write(directory, FIXED)
    text = f"[[suppress]]\ncode = 'PCS103'\nreason = 'we rename it'\n{entry}"
    (directory / "mine.toml").write_text(text)
    assert _codes(capsys, name, "--suppressions", "mine.toml") == codes
    assert _codes(capsys, name) == ["PCS103"]
    (directory / "pcs-check.toml").write_text(text)
    assert _codes(capsys, name) == codes


def test_what_suppresses_nothing_is_told(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _write(directory, _beside("{code: PCS103, reason: a}, {code: PCS101, reason: b}"))
    (directory / "pcs-check.toml").write_text("[[suppress]]\ncode='PCS204'\nreason='c'\n")
    status, out = _checked(capsys, name)
    assert status == 0
    assert out.splitlines()[:2] == [
        "unused: hpc.yaml Cluster: PCS101 of Cluster suppresses nothing",
        "unused: pcs-check.toml: PCS204 suppresses nothing",
    ]


@pytest.mark.parametrize(
    "entry",
    ["{code: PCS103}", "{code: PCS103, reason: ' '}", "{reason: a}", "{code: X1, reason: a}",
     "{code: PCS103, reason: a, line: 3}", "PCS103"],
)  # fmt: skip
def test_fails_with_2_on_a_suppression_that_says_too_little(
    entry: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", _write(directory, _beside(entry))]) == 2
    assert capsys.readouterr().err.startswith("hpc.yaml Cluster: ")


@pytest.mark.parametrize("text", ["[[suppress]]\ncode = 'PCS103'", "suppress = 1", "a = ", "x = 1"])
def test_fails_with_2_on_a_file_of_suppressions_that_is_none(
    text: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "pcs-check.toml").write_text(text)
    assert main(["check", _write(directory, ALL)]) == 2
    assert capsys.readouterr().err.startswith("pcs-check.toml: ")
    assert main(["check", "hpc.yaml", "--suppressions", "nowhere.toml"]) == 2


def test_what_was_acknowledged_in_the_cdk_is_suppressed(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = {
        "Type": "AWS::PCS::Cluster",
        "Properties": {
            "Name": "research",
            "Size": "SMALL",
            "Scheduler": {"Type": "SLURM", "Version": "25.11"},
            "Networking": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
        },
    }
    manifest = {
        "artifacts": {
            "Hpc": {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": "Hpc.template.json"},
                "additionalMetadataFile": "Hpc.metadata.json",
            }
        }
    }
    told = {"Annotation::pcs-constructs:PCS103": "a"}
    metadata = {
        "/Hpc/A": [{"type": "aws:cdk:acknowledged-rules", "data": told}],
        "/Hpc/A/Resource": [{"type": "aws:cdk:logicalId", "data": "A"}],
        "/Hpc/B/Resource": [{"type": "aws:cdk:logicalId", "data": "B"}],
    }  # fmt: skip
    other = {**cluster, "Properties": {**cluster["Properties"], "Name": "others"}}
    for name, content in (
        ("Hpc.template.json", {"Resources": {"A": cluster, "B": other}}),
        ("manifest.json", manifest),
        ("Hpc.metadata.json", metadata),
    ):
        (directory / name).write_text(json.dumps(content))
    _, out = _checked(capsys, ".", "--json")
    assert [(f["resource"], f["code"]) for f in json.loads(out)["findings"]] == [("B", "PCS103")]


_OLDER = ALL.replace('"25.11"', '"25.05"')


@pytest.mark.parametrize(
    ("day", "codes"), [("2026-08-31", []), ("2026-09-01", ["PCS106"]), ("2027-09-01", ["PCS106"])]
)
def test_versions_are_judged_by_the_day_that_is_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, day: str, codes: list[str]
) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(f"Resources:{_OLDER}", encoding="utf-8")
    assert _codes(capsys, str(file), "--today", day) == codes


@pytest.mark.parametrize(("days", "told"), [(30, False), (31, True)])
def test_a_table_of_versions_that_is_old_is_told_of(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, days: int, told: bool
) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(f"Resources:{ALL}", encoding="utf-8")
    day = date.fromisoformat(CATALOG_DATE) + timedelta(days)
    for command in (["check", file], ["diff", file, file], ["reach", file], ["slurm", file]):
        main([*map(str, command), "--today", day.isoformat()])
        assert ("the table of Slurm versions" in capsys.readouterr().err) is told


def test_fails_on_a_day_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", "stack.yaml", "--today", "soon"])
    assert stopped.value.code == 2
    assert "is no date" in capsys.readouterr().err
