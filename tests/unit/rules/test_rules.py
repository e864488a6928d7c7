"""How rules are tested, and that all of them are.

The tables are in ``test_<noun>.py``, one for each rule or group of like rules. A row has an id, a
facts record and the codes that it must produce: no code means that nothing is wrong. Each record
differs in one or two facts from one that breaks no rule and in which nothing is UNKNOWN.

A table is one test, as a test of its own for each of thousands of rows takes longer than the rules
do. It judges every row whatever the others did, and names all that fail.
"""

from __future__ import annotations

import dataclasses
import inspect
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial, wraps
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


class Row(NamedTuple):
    """A row of a table."""

    id: str
    facts: object
    codes: list[str]


def row(id: str, facts: object, *codes: str) -> Row:
    """A row of a table."""
    return Row(id, facts, list(codes))


def table(*rows: Row) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Run the test for each row, with its `facts` and `codes`, and fail with all that fail."""
    twice = [name for name, count in Counter(row.id for row in rows).items() if count > 1]
    if twice or not rows:
        raise ValueError(f"rows have ids, and each its own: {twice}")

    def of(test: Callable[..., None]) -> Callable[[], None]:
        @wraps(test)
        def judge_every_row() -> None:
            failed = [text for row in rows if (text := _failure(test, row))]
            if failed:
                told = "\n".join(failed)
                pytest.fail(f"{len(failed)} of {len(rows)} rows fail:\n{told}", pytrace=False)

        judge_every_row.__signature__ = inspect.Signature()  # else they are taken for fixtures
        judge_every_row.rows = rows
        return judge_every_row

    return of


def _failure(test: Callable[..., None], row: Row) -> str | None:
    """What is told of a row that the test fails for."""
    try:
        test(row.facts, [*row.codes])
    except AssertionError as error:
        return f"[{row.id}] {error}\n    facts: {row.facts!r}"
    except Exception:
        return f"[{row.id}] {traceback.format_exc()}    facts: {row.facts!r}"
    return None


def _modules() -> Iterator[object]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.stem not in {"test_register", "test_rules"}:  # they are about all tables
            yield import_module(f"tests.unit.rules.{path.stem}")


@cache
def _tables() -> tuple[tuple[Row, ...], ...]:
    return tuple(
        test.rows
        for module in _modules()
        for name, test in vars(module).items()
        if name.startswith("test_") and hasattr(test, "rows")
    )


@cache
def all_rows() -> tuple[Row, ...]:
    """Every row of every table."""
    return tuple(row for rows in _tables() for row in rows)


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


@cache
def _tables_about() -> dict[str, list[tuple[Row, ...]]]:
    """The tables that produce each code."""
    about = defaultdict(list)
    for rows in _tables():
        for code in {code for row in rows for code in row.codes}:
            about[code].append(rows)
    return about


def _rows_about(code: str) -> list[Row]:
    """The rows of the tables that produce the code, those that do not produce it included."""
    rows = (row for table in _tables_about()[code] for row in table)
    return [row for row in rows if type(row.facts) is RULES[code].facts]


def test_a_table_judges_every_row_and_names_those_that_fail() -> None:
    judged = []

    @table(
        row("first", 1),
        row("second", 2, "PCS001"),
        row("third", 3, "PCS002"),
        row("last", None, "PCS003"),
    )
    def test(facts, codes) -> None:
        judged.append(facts)
        assert [f"PCS00{facts + 0}"] == codes

    with pytest.raises(pytest.fail.Exception, match=r"^4 of 4 rows fail:\n") as failure:
        test()
    assert judged == [1, 2, 3, None]
    told = str(failure.value)
    assert "[first] assert ['PCS001'] == []\n" in told
    assert "[second] assert ['PCS002'] == ['PCS001']\n" in told
    assert "[third] assert ['PCS003'] == ['PCS002']\n" in told
    assert "[last] Traceback " in told
    assert told.count("    facts: ") == 4


def test_a_table_of_sound_rows_passes() -> None:
    table(row("one", 1, "PCS001"), row("two", 1, "PCS001"))(_is_one)()


def _is_one(facts, codes) -> None:
    assert (facts, codes) == (1, ["PCS001"])


@pytest.mark.parametrize("rows", [(), (row("one", 1), row("one", 2))], ids=["no row", "same id"])
def test_a_table_has_rows_that_differ_in_their_ids(rows) -> None:
    with pytest.raises(ValueError, match="rows have ids"):
        table(*rows)


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
