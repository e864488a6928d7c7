from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import pcs_constructs as pcs

_PACKAGE = Path(pcs.__file__).parent

# The table of names, the block that type checkers read, and the modules.


def _text(module: str) -> str:
    return (_PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def _for_type_checkers() -> dict[str, str]:
    """Each name and its module in the TYPE_CHECKING block."""
    (block,) = (
        node
        for node in ast.parse(_text("__init__")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or "": (statement.module or "").removeprefix("pcs_constructs.")
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.name == alias.asname  # `import X as X` says that it is exported
    }


def _defined_in(module: str) -> set[str]:
    return set(re.findall(r"^(?:class|def) (\w+)", _text(module), re.M))


def test_type_checkers_see_the_names_that_resolve() -> None:
    assert _for_type_checkers() == pcs._MODULE_OF


def test_every_name_is_defined_where_the_table_says() -> None:
    defined = {module: _defined_in(module) for module in set(pcs._MODULE_OF.values())}
    assert {n: m for n, m in pcs._MODULE_OF.items() if n not in defined[m]} == {}


def test_no_name_is_private() -> None:
    assert [name for name in pcs._MODULE_OF if name.startswith("_")] == []


def test_the_table_is_sorted() -> None:
    assert list(pcs._MODULE_OF) == sorted(pcs._MODULE_OF)


def test_dir_and_all_list_every_name() -> None:
    assert set(dir(pcs)) >= set(pcs._MODULE_OF)
    assert set(pcs.__all__) == set(pcs._MODULE_OF)


def test_a_name_is_resolved_once() -> None:
    assert pcs.Scaling is pcs.Scaling
    assert vars(pcs)["Scaling"] is pcs.Scaling


@pytest.mark.parametrize("name", ["Clusters", "scaling", "_cluster", "__wrapped__"])
def test_fails_when_a_name_is_unknown(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(pcs, name)
    assert not hasattr(pcs, name)
