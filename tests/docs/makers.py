"""Which construct checks which code, read from the source: nobody keeps a list of it.

From a public class this follows every name that its code mentions, through the modules of the
package, to the facts that are made there, all of whose rules are checked, and to the codes that are
written out. Of any other class it follows the methods whose names are mentioned. It stops at other
constructs, which check their own arguments, and does not enter what reads finished templates.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from pcs_constructs import rules

PACKAGE = Path(__file__).resolve().parents[2] / "pcs_constructs"
_READERS = tuple(
    f"{PACKAGE.name}.{room}." for room in ("analysis", "templates", "model.annotations")
)
Definition = tuple[str, str]


def makers() -> dict[str, list[str]]:
    """The public classes that check a code, by code."""
    found: dict[str, list[str]] = {}
    for name, module in sorted(_public().items()):
        if not _bases((module, name)) & {"Protocol", "TypedDict", "LoginNodeOptions"}:
            for code in _codes_of((module, name)):
                found.setdefault(code, []).append(name)
    return found


def _public() -> dict[str, str]:
    """The module of each public name, as `__init__` says for type checkers."""
    return {
        alias.asname: found.module
        for found in ast.walk(_tree(PACKAGE / "__init__.py"))
        if isinstance(found, ast.ImportFrom) and (found.module or "").startswith(PACKAGE.name)
        for alias in found.names
        if alias.asname and found.module
    }


def _codes_of(start: Definition) -> set[str]:
    seen: set[Definition] = set()
    pending: list[Definition] = [start]
    waiting: list[tuple[str, ast.FunctionDef]] = []
    attributes: set[str] = set()
    codes: set[str] = set()
    facts: set[str] = set()

    def follow(module: str, code: ast.AST) -> None:
        codes.update(_written(code))
        attributes.update(n.attr for n in ast.walk(code) if isinstance(n, ast.Attribute))
        for dotted in _mentioned(code):
            where, name = _resolved(module, dotted)
            if where == f"{PACKAGE.name}.rules":
                facts.add(name)
            elif not f"{where}.".startswith(_READERS):
                pending.append((where, name))

    while pending:
        here = pending.pop()
        definition = _definitions(here[0]).get(here[1])
        if here not in seen and definition is not None and (here == start or not _is_other(here)):
            seen.add(here)
            if isinstance(definition, ast.ClassDef) and here != start:
                for part in [*definition.bases, *definition.decorator_list, *definition.body]:
                    if isinstance(part, ast.FunctionDef) and not part.name.startswith("__"):
                        waiting.append((here[0], part))
                    else:
                        follow(here[0], part)
            else:
                follow(here[0], definition)
        if not pending:
            reached = [each for each in waiting if each[1].name in attributes]
            waiting = [each for each in waiting if each[1].name not in attributes]
            for module, method in reached:
                follow(module, method)
    judged = {r.code for r in rules.RULES.values() if r.facts and r.facts.__name__ in facts}
    return codes | judged


def _is_other(definition: Definition) -> bool:
    """Whether it is a public construct, which has codes of its own."""
    return _public().get(definition[1]) == definition[0] and "Construct" in _bases(definition)


def _bases(definition: Definition) -> set[str]:
    found = _definitions(definition[0])[definition[1]]
    return {ast.unparse(b) for b in found.bases} if isinstance(found, ast.ClassDef) else set()


def _written(definition: ast.AST) -> set[str]:
    """The codes that are the whole of a text in it."""
    return {
        n.value
        for n in ast.walk(definition)
        if isinstance(n, ast.Constant)
        and isinstance(n.value, str)
        and re.fullmatch(r"PCS\d{3}", n.value)
    }


def _mentioned(definition: ast.AST) -> set[str]:
    """The dotted names in its code, those in annotations among them."""
    return {
        ast.unparse(n)
        for n in ast.walk(definition)
        if isinstance(n, ast.Name)
        or (isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    }


def _resolved(module: str, dotted: str) -> Definition:
    """Where a name that a module mentions is defined."""
    first, _, rest = dotted.partition(".")
    imported = _imports(module).get(first)
    if imported is None:
        return module, first
    where, name = imported
    if f"{where}.{name}" in _modules():  # the name of a module, so what follows is in there
        return f"{where}.{name}", rest
    return where, name


@cache
def _modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    paths = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(module: str) -> dict[str, Definition]:
    """What a module imports from the package, by the names it has there."""
    return {
        alias.asname or alias.name: (found.module, alias.name)
        for found in ast.walk(_tree(_modules()[module]))
        if isinstance(found, ast.ImportFrom) and (found.module or "").startswith(PACKAGE.name)
        for alias in found.names
        if found.module
    }


@cache
def _definitions(module: str) -> dict[str, ast.AST]:
    """The classes, functions and values at the top of a module, by name."""
    if module not in _modules():
        return {}
    found: dict[str, ast.AST] = {}
    for statement in _tree(_modules()[module]).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            found.update({ast.unparse(target): statement for target in statement.targets})
        elif isinstance(statement, ast.AnnAssign):
            found[ast.unparse(statement.target)] = statement
    return found
