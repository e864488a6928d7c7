"""The generated pages are what their generator writes now."""

import pytest

from tests.docs.generate import DOCS, PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_up_to_date(page: str) -> None:
    committed = (DOCS / page).read_text(encoding="utf-8")
    assert committed == PAGES[page](), "stale: run make generate"
    assert "make generate" in committed.splitlines()[0]
