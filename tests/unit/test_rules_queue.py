from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.errors import UNKNOWN
from pcs_constructs.rules import QueueFacts
from tests.unit.test_rules import advice, errors, row, table

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
    row("same cluster", queue(strangers=())),
    row("another cluster", queue(strangers=("abc",)), "PCS304"),
    row("two of another", queue(strangers=("abc", "xyz")), "PCS304", "PCS304"),
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
