"""The recipes for CI are those that run: the workflow is the project's own, the commands exist."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from pcs_constructs.commands.cli import main

ROOT = Path(__file__).resolve().parents[2]
_GUIDE = (ROOT / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
_WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
_YAML = re.findall(r"^```yaml\n(.*?)^```$", _GUIDE, re.M | re.S)
_COMMAND = re.compile(r"(?:pcs-constructs|-m pcs_constructs) (check [^|>\n]*)")


def test_the_first_recipe_is_the_workflow_of_the_project() -> None:
    section = _GUIDE.partition("## GitHub Actions")[2]
    first = re.findall(r"^```yaml\n(.*?)^```$", section, re.M | re.S)[0]
    assert first == _WORKFLOW.read_text(encoding="utf-8")


def test_the_workflow_runs_the_tests_and_the_check_and_has_no_secrets() -> None:
    text = _WORKFLOW.read_text(encoding="utf-8")
    assert "bash .ci/run" in text
    assert "check cdk.out" in text
    assert "secrets" not in text


@pytest.mark.parametrize("text", _YAML)
def test_a_recipe_is_yaml(text: str) -> None:
    assert yaml.safe_load(text)


@pytest.mark.parametrize("command", sorted(set(_COMMAND.findall(_GUIDE))))
def test_a_command_of_the_guide_is_understood(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 2  # there are no such files here
    assert "usage:" not in capsys.readouterr().err
