"""The tables of the library say what their sources say, as the pinned packages have them."""

import pytest

from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.model import slurm
from tests.docs import facts

_TABLES = list(facts.tables())


@pytest.mark.parametrize("table", _TABLES, ids=lambda table: table.name)
def test_no_table_contradicts_its_source(table: facts.Table) -> None:
    assert table.contradictions == []


@pytest.mark.parametrize(
    "table", [t for t in _TABLES if t.name != "instance types"], ids=lambda table: table.name
)
def test_nothing_of_a_source_is_missing_but_instance_types(table: facts.Table) -> None:
    assert table.missing == []


@pytest.mark.parametrize("type_", sorted(CREATE_ONLY))
def test_create_only_properties_are_in_their_order(type_: str) -> None:
    assert list(CREATE_ONLY[type_]) == sorted(CREATE_ONLY[type_])


def test_the_page_is_up_to_date() -> None:
    assert facts.PAGE.read_text(encoding="utf-8") == facts.page()


def test_fails_where_a_table_has_what_its_source_has_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facts.main([]) == 0
    monkeypatch.setitem(slurm.RELEASES, "27.05", slurm.Release(None, True, ()))
    assert facts.main([]) == 1
    assert "contradicts" in capsys.readouterr().out
