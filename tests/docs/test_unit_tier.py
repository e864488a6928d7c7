"""The unit tier never imports the CDK.

What tests import while they run is refused by the fixture in its conftest.py. What test modules
import when they are collected is followed here, through the library, without importing anything.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest

import pcs_constructs as pcs

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_CDK = {"aws_cdk", "constructs", "jsii"}


@cache
def _file(module: str) -> Path | None:
    """The file of a module, if it is one of ours."""
    path = _ROOT.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement in it but those that only type checkers read."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from _statements(child)


def _lazily(name: str) -> str:
    """What it takes to resolve a name of the root namespace."""
    return f"pcs_constructs.{pcs._MODULE_OF.get(name, name)}"


def _is_of_the_root(node: ast.AST) -> TypeGuard[ast.Attribute]:
    match node:
        case ast.Attribute(ast.Name("pcs" | "pcs_constructs")):
            return True
    return False


@cache
def _imports_of(file: Path) -> tuple[str, ...]:
    """The modules that a file imports, anywhere in it, and those of the lazy names that it uses."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = []
    for statement in _statements(tree):
        match statement:
            case ast.Import(names):
                found += [alias.name for alias in names]
            case ast.ImportFrom("pcs_constructs", names):
                found += [_lazily(alias.name) for alias in names]
            case ast.ImportFrom(module, names) if module:
                found += [module, *(f"{module}.{alias.name}" for alias in names)]
    if "pcs_constructs" in found:
        found += [_lazily(node.attr) for node in ast.walk(tree) if _is_of_the_root(node)]
    return tuple(found)


def _ways_to_the_cdk(*files: Path) -> list[str]:
    """Each import of the CDK that the files lead to, with the files of ours on the way."""
    ways, found, queue = {file: file.name for file in files}, [], [*files]
    for current in queue:
        for module in _imports_of(current):
            if module.split(".")[0] in _CDK:
                found.append(f"{ways[current]} -> {module}")
            imported = _file(module)
            if imported and imported not in ways:
                ways[imported] = f"{ways[current]} -> {imported.name}"
                queue.append(imported)
    return found


def test_no_unit_test_imports_the_cdk() -> None:
    unit_tests = (_ROOT / "tests" / "unit").rglob("*.py")
    assert _ways_to_the_cdk(*unit_tests, _ROOT / "tests" / "conftest.py") == []


@pytest.mark.parametrize(
    "program",
    [
        "import aws_cdk as cdk",
        "def test():\n    from aws_cdk import aws_ec2 as ec2",
        "import pcs_constructs as pcs\npcs.Cluster",
        "from pcs_constructs import Queue",
        "from pcs_constructs.constructs.storage import lustre",
        "from pcs_constructs.constructs.network.network import Network",
    ],
)
def test_an_import_of_the_cdk_is_found_wherever_it_is(program: str, tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(program, encoding="utf-8")
    assert _ways_to_the_cdk(file)
