from __future__ import annotations

import json
from pathlib import Path

import pytest

from pcs_constructs.commands.cli import main
from pcs_constructs.rules import RULES

_ROOT = Path(__file__).parents[3]


def test_explain_alone_lists_every_code_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(RULES)
    assert [line.split()[1] for line in lines] == [RULES[c].level.value for c in sorted(RULES)]
    assert all(line.endswith(RULES[line[:6]].title) for line in lines)


def test_explain_prints_the_page_of_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "PCS203"]) == 0
    assert capsys.readouterr().out == f"PCS203 (error)\n\n{RULES['PCS203'].page}\n"


def test_explain_takes_lower_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "pcs204"]) == 0
    assert capsys.readouterr().out.startswith("PCS204 (advice)\n")


def test_explain_prints_the_pages_of_several_codes_as_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "PCS203", "PCS101", "pcs001"]) == 0
    pages = capsys.readouterr().out
    places = [pages.index(f"{code} (error)\n\n") for code in ("PCS203", "PCS101", "PCS001")]
    assert places == sorted(places)


@pytest.mark.parametrize("code", ["PCS999", "203", "", "name"])
def test_fails_when_there_is_no_such_code(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 2
    printed = capsys.readouterr()
    assert code in printed.err
    assert printed.out.strip() == ""


def test_fails_and_prints_the_pages_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "PCS999", "PCS203"]) == 2
    printed = capsys.readouterr()
    assert "PCS999" in printed.err
    assert printed.out.startswith("PCS203 (error)\n")


@pytest.mark.parametrize("arguments", [[], ["explian"], ["--explain"]])
def test_fails_without_a_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: pcs-constructs")


def test_instances_lists_a_family_readably(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instances", "p5"]) == 0
    heading, *rows, empty, source = capsys.readouterr().out.splitlines()
    assert heading.split() == [
        "type", "vCPUs", "cores", "GiB", "arch", "GPUs,", "accelerators", "cards", "EFA",
        "bought", "as",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows] == ["p5.48xlarge", "p5.4xlarge"]
    assert rows[0].split()[1:5] == ["192", "96", "2048", "x86_64"]
    assert "8 NVIDIA H100" in rows[0]
    assert empty == ""
    assert source.startswith("2 types, from moto")


def test_instances_takes_globs_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instances", "hpc7?.*", "trn1.32xlarge"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-2]]
    assert {"hpc7a.96xlarge", "hpc7g.16xlarge", "trn1.32xlarge"} <= set(names)
    assert all(name.startswith(("hpc7", "trn1.32")) for name in names)


def test_instances_for_scripts_tells_every_fact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instances", "hpc7a.96xlarge", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["efa_interfaces"] == 2
    assert facts["network_cards"][1] == {"index": 1, "interfaces": 2, "efa": True}


def test_fails_when_no_instance_type_matches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instances", "c99"]) == 1
    assert "c99" in capsys.readouterr().err


_SLURM = {
    "Resources": {
        "Cluster": {
            "Type": "AWS::PCS::Cluster",
            "Properties": {
                "Name": "hpc",
                "Size": "SMALL",
                "Scheduler": {"Type": "SLURM", "Version": "25.11"},
            },
        }
    }
}
_SLURM_CONF = """\
# slurm.conf of cluster hpc of Stack: only what settings in templates say
# Slurm 25.11, SMALL
# SuspendTime=600 is the default of AWS PCS
"""


@pytest.fixture
def stack(tmp_path: Path) -> str:
    path = tmp_path / "Stack.template.json"
    path.write_text(json.dumps(_SLURM), encoding="utf-8")
    return str(path)


def test_slurm_prints_the_files_that_something_is_set_in(
    stack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["slurm", stack]) == 0
    assert capsys.readouterr().out == _SLURM_CONF


def test_slurm_writes_every_file(
    stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "directory"
    assert main(["slurm", stack, "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    assert {path.name: path.read_text().count("\n") for path in out.iterdir()} == {
        "slurm.conf": 3,
        "gres.conf": 1,
        "cgroup.conf": 1,
        "slurmdbd.conf": 1,
    }
    assert (out / "slurm.conf").read_text() == _SLURM_CONF


def test_slurm_writes_a_directory_for_each_of_several_clusters(tmp_path: Path) -> None:
    for name in ("A", "B"):
        (tmp_path / f"{name}.template.json").write_text(json.dumps(_SLURM), encoding="utf-8")
    assert main(["slurm", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    found = sorted(p.relative_to(tmp_path / "out") for p in tmp_path.rglob("slurm.conf"))
    assert found == [Path("A.hpc/slurm.conf"), Path("B.hpc/slurm.conf")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "No such file"),
        ("{", "is no JSON"),
        ("{}", "no CloudFormation template"),
        ('{"Resources": {}}', "no resource of AWS PCS"),
    ],
)
def test_fails_to_show_slurm_what_is_no_template_of_pcs(
    text: str | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main(["slurm", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith(str(path))
    assert reason in line


def test_fails_when_slurm_cannot_write(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", stack, "--out", stack]) == 2
    assert capsys.readouterr().err.startswith(stack)
