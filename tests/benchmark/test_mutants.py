"""The table of mistakes: every rule that judges templates is broken, and that is found."""

from __future__ import annotations

from functools import cache

import pytest

from pcs_constructs.rules import RULES
from tests.benchmark.mutants import apps, codes
from tests.benchmark.mutations import WAIVED, Mutant, NotThere, Templates, rows

_ROWS = list(rows())


@cache
def _codes_of(app: str) -> frozenset[tuple[str, ...]]:
    return codes(apps()[app])


def _first(mutant: Mutant) -> tuple[str, Templates]:
    """The first app that the mistake can be made in, and its templates with it."""
    for name, templates in apps().items():
        try:
            return name, mutant.of(templates)
        except NotThere:
            continue
    raise AssertionError(f"no app has what {mutant} takes")


def test_every_rule_is_broken_by_a_row_or_waived_with_a_reason() -> None:
    broken = {mutant.code for mutant in _ROWS}
    assert set(RULES) - broken - set(WAIVED) == set()
    assert broken & set(WAIVED) == set()
    assert set(WAIVED) <= set(RULES)


@pytest.mark.parametrize("mutant", _ROWS, ids=str)
def test_a_mistake_is_found(mutant: Mutant) -> None:
    name, templates = _first(mutant)
    found = {code for code, *_ in codes(templates) - _codes_of(name)}
    already = {code for code, *_ in _codes_of(name)}
    assert mutant.code in found | already


@pytest.mark.parametrize("name", sorted(apps()))
def test_no_app_has_an_error(name: str) -> None:
    errors = {code for code, *_ in _codes_of(name) if RULES[code].level.value == "error"}
    assert errors == set()
