"""Who checks a code is read from the source, and nowhere kept by hand."""

import re

from pcs_constructs import rules
from tests.docs.makers import PACKAGE, makers


def test_a_code_is_found_by_its_facts_and_where_it_is_written_out() -> None:
    found = makers()
    assert found["PCS218"] == ["ComputeNodeGroup"]  # written out, in a function of its module
    assert "Cluster" in found["PCS004"]  # written out, in a method that it calls
    assert "Cluster" in found["PCS416"]  # by facts that a function of another module makes
    assert found["PCS101"] == ["Cluster"]  # and not what has a cluster
    assert set(found) <= set(rules.RULES)


def test_no_docstring_keeps_a_list_of_codes() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        bare = r"PcsValidationError: (?:(?:PCS\d{3}|the \dxx codes|to|and),?\s*)+\."
        assert not re.search(bare, text), path
