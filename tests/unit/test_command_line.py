from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pcs_constructs.__main__ import main
from pcs_constructs.rules import RULES

_ROOT = Path(__file__).parents[2]


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


def test_explain_works_where_there_is_no_node(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pcs_constructs", "explain", "PCS201"],
        cwd=_ROOT,
        env={"PATH": str(tmp_path), "JSII_NODE": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"PCS201 (error)\n\n{RULES['PCS201'].page}\n"


def test_diff_works_where_there_is_no_node(tmp_path: Path) -> None:
    template = tmp_path / "Hpc.template.json"
    template.write_text(
        '{"Resources": {"Cluster": {"Type": "AWS::PCS::Cluster", "Properties": {}}}}'
    )
    done = subprocess.run(
        [sys.executable, "-m", "pcs_constructs", "diff", tmp_path, template],
        cwd=_ROOT,
        env={"PATH": str(tmp_path), "JSII_NODE": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n1 cluster: nothing changes\n")


@pytest.mark.parametrize("module", ["changes", "check", "template"])
def test_explain_does_not_load_what_only_other_commands_need(module: str) -> None:
    program = (
        "import sys; from pcs_constructs.__main__ import main; main(['explain']); "
        f"sys.exit('pcs_constructs.{module}' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0


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
