"""What importing the library brings along, seen in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

# What `import pcs_constructs` brings along, and what pure names bring along after it.
_PROGRAM = """
import json, sys
before = set(sys.modules)
import pcs_constructs as pcs
alone = set(sys.modules) - before
pcs.Scaling, pcs.PcsValidationError, pcs.SlurmVersion, pcs.Capacity, pcs.UserDataPart, pcs.ICluster
print(json.dumps([sorted(alone), sorted(set(sys.modules) - before)]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[set[str], set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    alone, with_pure_names = json.loads(done.stdout)
    return set(alone), set(with_pure_names)


def test_the_package_alone_imports_nothing_but_the_standard_library(imported) -> None:
    strangers = {name for name in imported[0] if name.split(".")[0] not in sys.stdlib_module_names}
    assert strangers == {"pcs_constructs"}


def test_pure_names_import_neither_the_cdk_nor_jsii(imported) -> None:
    packages = {name.split(".")[0] for name in imported[1]}
    assert packages - set(sys.stdlib_module_names) == {"pcs_constructs"}
    assert "pcs_constructs.model.capacity" in imported[1]
    assert "pcs_constructs.rules" not in imported[1]


def test_boot_starts_neither_the_cdk_nor_node() -> None:
    code = "import sys, pcs_constructs.model.boot; print({'aws_cdk', 'jsii'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"


_WATCH = """
import sys

opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)


def reads():
    return sum(path.endswith("instances.json") for path in opened)


from pcs_constructs.model import instances

"""


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", _WATCH + program],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_importing_the_module_reads_no_catalogue() -> None:
    assert run("print(reads())") == "0"


def test_many_lookups_read_the_catalogue_once() -> None:
    program = "instances.find('c6i.xlarge'); instances.find('no.such'); instances.names()"
    assert run(f"{program}; print(reads())") == "1"


def test_neither_the_import_nor_a_lookup_starts_the_cdk() -> None:
    loaded = "sorted({'aws_cdk', 'constructs', 'jsii'} & set(sys.modules))"
    assert run(f"instances.find('c6i.xlarge'); print({loaded})") == "[]"
