"""basedpyright, strict, over the library, the apps and the lines that must pass or fail."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_type_checker_is_silent() -> None:
    checker = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [checker, "--pythonpath", sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_code_is_formatted_and_linted() -> None:
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["format", "--check", "."], ["check", "."]):
        done = subprocess.run(
            [ruff, *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
