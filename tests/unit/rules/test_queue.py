from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import QueueFacts
from tests.unit.rules.test_rules import advice, errors, row, table

queue = partial(replace, QueueFacts(name="demo", node_groups=1))


@table(
    row("3 letters", queue(name="abc")),
    row("25 letters", queue(name="a" * 25)),
    row("2 letters", queue(name="q1"), "PCS301"),
    row("26 letters", queue(name="a" * 26), "PCS301"),
    row("starts with a digit", queue(name="1st"), "PCS301"),
    row("underscore", queue(name="my_queue"), "PCS301"),
    row("token", queue(name=UNKNOWN)),
)
def test_a_queue_name_has_3_to_25_letters_digits_and_hyphens(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("1 node group", queue(node_groups=1)),
    row("no node group", queue(node_groups=0), "PCS303"),
    row("token", queue(node_groups=UNKNOWN)),
)
def test_a_queue_has_a_node_group(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none in a template", queue(names_none=True), "PCS309"),
    row("one", queue(node_groups=1)),
    row("token", queue(node_groups=UNKNOWN)),
)
def test_a_queue_of_a_template_that_names_no_node_group_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("same cluster", queue(strangers=())),
    row("another cluster", queue(strangers=("abc",)), "PCS304"),
    row("two of another", queue(strangers=("abc", "xyz")), "PCS304", "PCS304"),
    row("taken out again", queue(removed=("abc",)), "PCS304"),
    row("not known", queue(node_groups=UNKNOWN)),
)
def test_the_node_groups_of_a_queue_belong_to_its_cluster(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("compute nodes", queue(login_groups=())),
    row("login nodes", queue(login_groups=("login",)), "PCS305"),
    row("not known", queue(node_groups=UNKNOWN)),
)
def test_login_nodes_in_a_queue_are_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("one", queue(architectures=frozenset({"arm64"}))),
    row("two", queue(architectures=frozenset({"arm64", "x86_64"})), "PCS306"),
    row("not known", queue(architectures=frozenset(), node_groups=UNKNOWN)),
)
def test_a_queue_of_two_architectures_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("UltraServers", queue(ultraservers={"big": 9})),
    row("others", queue(other_groups=("compute",))),
    row("both", queue(ultraservers={"big": 9}, other_groups=("compute",)), "PCS307"),
    row("size that is a token", queue(ultraservers={"big": UNKNOWN})),
    row(
        "both, size that is a token",
        queue(ultraservers={"big": UNKNOWN}, other_groups=("compute",)),
        "PCS307",
    ),
)
def test_ultraservers_share_a_queue_with_nothing_else(facts, codes) -> None:
    assert advice(facts) == codes


def ultraservers(*counts: object) -> QueueFacts:
    return queue(ultraservers={f"group-{n}": count for n, count in enumerate(counts)})


@table(
    row("one", ultraservers(9)),
    row("as many", ultraservers(9, 9)),
    row("twice as many", ultraservers(9, 18)),
    row("four times, the larger first", ultraservers(8, 2)),
    row("none beside another", ultraservers(0, 9)),
    row("none and none", ultraservers(0, 0)),
    row("three times", ultraservers(2, 6), "PCS308"),
    row("one and a half times", ultraservers(18, 12), "PCS308"),
    row("two that do not fit the third", ultraservers(6, 2, 10), "PCS308", "PCS308"),
    row("token", ultraservers(9, UNKNOWN)),
    row("token beside two that do not fit", ultraservers(UNKNOWN, 2, 6), "PCS308"),
)
def test_ultraservers_of_a_queue_come_in_powers_of_two(facts, codes) -> None:
    assert advice(facts) == codes
