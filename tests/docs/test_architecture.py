"""The architecture holds: dependencies point down, and the pure half is pure."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pcs_constructs"
CDK = {"aws_cdk", "constructs", "jsii"}


def test_dependencies_point_down_and_the_pure_half_is_pure() -> None:
    # import-linter reads [tool.importlinter] in pyproject.toml.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_the_seam_asks_what_a_token_is_or_casts() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        if not _is_seam(path):
            assert not attributes & {"is_unresolved", "add_validation", "add_warning"}, path
            assert not list(_casts_to_cdk(tree)), path
        assert "add_error" not in attributes, path


def test_a_cast_to_a_type_of_the_cdk_is_seen_however_it_is_written() -> None:
    imports = """
import typing, typing as t
from typing import Any, cast, cast as sure
import aws_cdk as cdk, constructs
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct as INode
"""
    seen = [
        "cast('Construct', x)",
        "cast(Construct, x)",
        "cast('INode | None', x)",
        "cast(typ='cdk.Stack', val=x)",
        "cast(ec2.ISubnet, x)",
        "cast('list[ec2.ISubnet]', x)",
        "cast(list['constructs.Node'], x)",
        "typing.cast('cdk.CfnResource', x)",
        "t.cast('cdk.CfnResource', x)",
        "sure('Construct', x)",
    ]
    unseen = ["cast('dict[str, Any]', x)", "cast(Any, x)", "cdk.cast('Construct', x)"]
    for line in seen:
        assert list(_casts_to_cdk(ast.parse(imports + line))) == [line], line
    for line in unseen:
        assert not list(_casts_to_cdk(ast.parse(imports + line))), line


def _is_seam(path: Path) -> bool:
    return "_cdk" in path.relative_to(PACKAGE).with_suffix("").parts


def _casts_to_cdk(tree: ast.AST) -> Iterator[str]:
    """The casts in a module to anything that it imports from the CDK."""
    imported = list(_imported(tree))
    cdk = {name for name, origin in imported if origin.split(".")[0] in CDK}
    casts = {name for name, origin in imported if origin == "typing.cast"}
    casts |= {f"{name}.cast" for name, origin in imported if origin == "typing"}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in casts:
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            target = call.args[0] if call.args else named["typ"]
            if cdk & set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", ast.unparse(target))):
                yield ast.unparse(call)


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every name that a module imports, with the dotted name of what it is."""
    for found in ast.walk(tree):
        if isinstance(found, ast.Import):
            for alias in found.names:
                bound = alias.name if alias.asname else alias.name.split(".")[0]
                yield alias.asname or bound, bound
        elif isinstance(found, ast.ImportFrom):
            for alias in found.names:
                yield alias.asname or alias.name, f"{found.module}.{alias.name}"


def test_only_doors_lie_at_the_root() -> None:
    doors = {"__init__", "__main__", "cfnlint", "fixtures", "testing"}
    assert {path.stem for path in PACKAGE.glob("*.py")} == doors
    rooms = {"analysis", "commands", "constructs", "model", "rules", "templates"}
    assert {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"} == rooms


def test_no_module_makes_a_reader_scroll() -> None:
    # Tables are as long as what they list.
    lines = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: length for name, length in lines.items() if length > 600} == {}


def test_no_function_hides_its_steps() -> None:
    long = {
        f"{path.relative_to(PACKAGE)}:{function.name}": length
        for path in PACKAGE.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and (length := (function.end_lineno or 0) - function.body[0].lineno + 1) > 100
    }
    assert long == {}


def test_no_public_signature_takes_anything_at_all() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert "**kwargs: Any" not in path.read_text(encoding="utf-8"), path
