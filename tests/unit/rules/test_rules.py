"""How rules are tested, and that all of them are.

The tables are in ``test_rules_<noun>.py``, one for each rule or group of like rules. A row has an
id, a facts record and the codes that it must produce: no code means that nothing is wrong. Each
record differs in one or two facts from one that breaks no rule and in which nothing is UNKNOWN.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from pcs_constructs.model.errors import UNKNOWN, Problem
from pcs_constructs.rules import RULES, advice_on, errors_in


def errors(*facts: object) -> list[str]:
    """The codes of everything in these facts that must be refused."""
    return [problem.code for problem in errors_in(*facts)]


def advice(*facts: object) -> list[str]:
    """The codes of everything in these facts that is worth a word."""
    return [problem.code for problem in advice_on(*facts)]


def row(id: str, facts: object, *codes: str):
    """A row of a table."""
    return pytest.param(facts, list(codes), id=id)


def table(*rows: object) -> pytest.MarkDecorator:
    """Run the test once for each row, with its ``facts`` and ``codes``."""
    return pytest.mark.parametrize(("facts", "codes"), rows)


class Row(NamedTuple):
    """A row of some table, as the tests about all tables see it."""

    test: str
    facts: object
    codes: list[str]


def _modules() -> Iterator[object]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.stem not in {"test_register", "test_rules"}:  # they are about all tables
            yield import_module(f"tests.unit.rules.{path.stem}")


@cache
def all_rows() -> tuple[Row, ...]:
    """Every row of every table."""
    return tuple(
        Row(test.__name__, *parameters.values)
        for module in _modules()
        for test in vars(module).values()
        for mark in getattr(test, "pytestmark", ())
        if mark.args[:1] == (("facts", "codes"),)
        for parameters in mark.args[1]
    )


@cache
def all_problems() -> tuple[Problem, ...]:
    """Everything that the rules say about the rows of the tables."""
    return tuple(
        problem
        for facts in {id(row.facts): row.facts for row in all_rows()}.values()
        for problem in (*errors_in(facts), *advice_on(facts))
    )


def _sound_facts() -> list[object]:
    return [
        value()
        for module in _modules()
        for value in vars(module).values()
        if isinstance(value, partial)
    ]


def _has_unknown(fact: object) -> bool:
    if dataclasses.is_dataclass(fact):
        return any(_has_unknown(getattr(fact, f.name)) for f in dataclasses.fields(fact))
    if isinstance(fact, Mapping):
        return any(_has_unknown(value) for value in fact.values())
    if isinstance(fact, (tuple, frozenset)):
        return any(_has_unknown(value) for value in fact)
    return fact is UNKNOWN


def _may_have_unknown(facts: type) -> bool:
    return any("Unknown" in str(field.type) for field in dataclasses.fields(facts))


def _rows_about(code: str) -> list[Row]:
    """The rows of the tables that produce the code, those that do not produce it included."""
    tests = {row.test for row in all_rows() if code in row.codes}
    return [r for r in all_rows() if r.test in tests and type(r.facts) is RULES[code].facts]


_JUDGED = {code: rule.facts for code, rule in RULES.items() if rule.test}


def test_every_rule_has_a_row_that_fails() -> None:
    assert [code for code in _JUDGED if not _rows_about(code)] == []


def test_every_rule_has_a_row_that_passes_with_everything_known() -> None:
    passing = {
        code
        for code in _JUDGED
        for row in _rows_about(code)
        if code not in row.codes and not _has_unknown(row.facts)
    }
    assert set(_JUDGED) - passing == set()


def test_every_rule_has_a_row_with_an_unknown_fact_that_yields_nothing() -> None:
    silent = {
        code
        for code in _JUDGED
        for row in _rows_about(code)
        if code not in row.codes and _has_unknown(row.facts)
    }
    may_be_unknown = {code for code, facts in _JUDGED.items() if _may_have_unknown(facts)}
    assert may_be_unknown - silent == set()


def test_the_facts_that_the_tables_vary_are_sound_and_known() -> None:
    for facts in _sound_facts():
        assert errors(facts) == []
        assert not _has_unknown(facts)
