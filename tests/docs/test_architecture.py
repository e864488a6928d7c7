"""The architecture holds: dependencies point down, and the pure half is pure."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pcs_constructs"


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
        if path.parent.name != "_cdk":
            assert not attributes & {"is_unresolved", "add_validation", "add_warning"}, path
        assert "add_error" not in attributes, path


def test_no_public_signature_takes_anything_at_all() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert "**kwargs: Any" not in path.read_text(encoding="utf-8"), path
