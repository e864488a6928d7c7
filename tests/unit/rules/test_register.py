from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pcs_constructs import rules
from pcs_constructs.model.errors import fix_in_template
from pcs_constructs.rules import RULES, EfsFacts, RoleFacts, advice_on, errors_in
from pcs_constructs.rules.rule import advice, error, page
from tests.unit.rules.test_rules import all_problems

_LIBRARY = Path(rules.__file__).parents[1]
_TESTS = Path(__file__).parents[2]
_CODE = re.compile(r"PCS\d{3}")

# Which hundreds the codes of each module in rules/ belong to. Clusters judge what they hold, so
# codes of node groups, queues and storage are there as well.
_HUNDREDS = {
    "arguments": "0",
    "capacity": "6",
    "cluster": "1235",
    "node_group": "2",
    "queue": "38",
    "network": "4",
    "subnets": "4",
    "interfaces": "46",
    "scheduling": "8",
    "endpoints": "4",
    "storage": "5",
    "efs": "5",
    "lustre": "5",
    "ontap": "5",
    "openzfs": "5",
    "file_cache": "5",
    "nfs": "5",
    "launch_template": "46",
    "identity": "7",
    "boot": "9",
    "lifecycle": "9",
    "settings": "8",
    "hardware": "8",
    "health_checks": "2",
    "job_submit": "1",
    "gres": "8",
    "template": "1",
}

# They print pages or speak about codes, and produce none.
_TESTS_ABOUT_CODES = {"test_register.py", "test_command_line.py"}


@pytest.mark.parametrize(
    "register",
    [page("PCS201"), error("PCS201", str), advice("PCS201", str)],
    ids=["page", "error", "advice"],
)
def test_fails_when_a_code_is_registered_a_second_time(register) -> None:
    taken = RULES["PCS201"]
    with pytest.raises(ValueError, match="PCS201"):
        register(lambda _: iter(()))
    assert RULES["PCS201"] is taken


def test_every_rule_is_kept_under_its_own_code() -> None:
    assert [rule.code for rule in RULES.values()] == list(RULES)
    assert [code for code in RULES if not _CODE.fullmatch(code)] == []


def test_facts_are_judged_by_the_rules_about_them_and_no_others() -> None:
    name, role = EfsFacts(file_system_id="efs"), RoleFacts(name="nodes")
    assert [problem.code for problem in errors_in(name, role)] == ["PCS511", "PCS701"]
    assert [problem.code for problem in errors_in(role, name)] == ["PCS701", "PCS511"]
    assert errors_in() == errors_in("nobody judges a text") == advice_on(name, role) == ()


def test_a_page_without_a_rule_judges_nothing() -> None:
    assert RULES["PCS001"].test is None


def test_every_page_begins_with_a_sentence_on_one_short_line() -> None:
    titles = {code: rule.title for code, rule in RULES.items()}
    assert {c: t for c, t in titles.items() if not t.endswith(".") or len(t) >= 110} == {}


def test_every_page_that_has_more_to_say_says_it_after_an_empty_line() -> None:
    seconds = {code: rule.page.split("\n")[1:2] for code, rule in RULES.items()}
    assert {code: line for code, line in seconds.items() if line not in ([], [""])} == {}


def test_every_rule_that_is_judged_names_its_source() -> None:
    judged = [rule for rule in RULES.values() if rule.test]
    assert [rule.code for rule in judged if "\n\nSource: " not in rule.page] == []


def test_no_two_rules_are_the_same_sentence() -> None:
    assert len({rule.name for rule in RULES.values()}) == len(RULES)
    assert len({rule.title for rule in RULES.values()}) == len(RULES)


def test_every_code_is_in_the_hundred_of_its_noun() -> None:
    found = set()
    for path in (_LIBRARY / "rules").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        codes = re.findall(r'^@(?:error|advice|page)\("(PCS\d{3})"', text, re.M)
        assert {c for c in codes if c[3] not in _HUNDREDS[path.stem]} == set(), path.name
        found.update(codes)
    assert found == set(RULES)


def test_every_code_that_the_library_names_has_a_page() -> None:
    for path in _LIBRARY.rglob("*.py"):
        named = set(_CODE.findall(path.read_text(encoding="utf-8")))
        assert named - set(RULES) == set(), path.name


def test_every_code_is_produced_by_some_test() -> None:
    """Codes of rules that judge facts by the tables; the others by a test that has them as text."""
    produced = {problem.code for problem in all_problems()}
    assert {code for code, rule in RULES.items() if rule.test} - produced == set()
    rest = set(RULES) - produced
    for path in _TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name not in _TESTS_ABOUT_CODES and rest.intersection(_CODE.findall(text)):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    rest.difference_update(_CODE.findall(node.value))
    assert rest == set()


# The style of messages.

_PROPER_NOUNS = {"Slurm"}


def _is_capitalized(text: str) -> bool:
    """Whether it starts as a sentence does, and not with a name such as SMALL or AWS."""
    word = text.split()[0]
    return word[0].isupper() and not word.isupper() and word not in _PROPER_NOUNS


def test_no_message_or_fix_is_written_as_a_sentence() -> None:
    texts = {
        text
        for problem in all_problems()
        for text in (problem.message, problem.fix, fix_in_template(problem))
    }
    assert [t for t in texts if _is_capitalized(t) or t.endswith(".") or "\n" in t] == []


def test_every_problem_names_an_argument() -> None:
    assert [p for p in all_problems() if not p.argument.isidentifier()] == []


def test_no_message_shows_that_a_value_is_unknown() -> None:
    assert [p for p in all_problems() if "Unknown" in str(p) or "UNKNOWN" in str(p)] == []
