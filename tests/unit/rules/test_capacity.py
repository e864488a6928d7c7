from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import CapacityFacts
from tests.unit.rules.test_rules import advice, errors, row, table

on_demand = partial(
    replace,
    CapacityFacts(
        purchase_option="ONDEMAND",
        instance_types=("p5.48xlarge",),
        min=0,
        max=4,
        subnets=1,
        placement_group=False,
        usage_classes={"p5.48xlarge": ("capacity-block", "on-demand", "spot")},
    ),
)
BLOCK = {"purchase_option": "CAPACITY_BLOCK", "reservation_id": "cr-0123456789abcdef0"}
INTERRUPTIBLE = {**BLOCK, "purchase_option": "INTERRUPTIBLE_CAPACITY_RESERVATION"}
GROUP = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"


def block(**others: object) -> CapacityFacts:
    return on_demand(**{**BLOCK, **others})


def interruptible(**others: object) -> CapacityFacts:
    return on_demand(**{**INTERRUPTIBLE, **others})


@table(
    row("on demand", on_demand(placement_group=True)),
    row("Spot", on_demand(purchase_option="SPOT", placement_group=True)),
    row("reserved", on_demand(reservation_group_arn=GROUP, placement_group=True)),
    row("block", block(placement_group=True), "PCS621"),
    row("block without", block()),
    row("interruptible", interruptible(placement_group=True)),
    row("token", block(placement_group=UNKNOWN)),
)
def test_a_capacity_block_has_no_placement_group(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one type", block()),
    row("two types", block(instance_types=("p5.48xlarge", "p5e.48xlarge")), "PCS622"),
    row("two types on demand", on_demand(instance_types=("p5.48xlarge", "p5e.48xlarge"))),
    row("token", block(instance_types=UNKNOWN)),
)
def test_a_capacity_block_is_of_one_type(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as many", on_demand(reservation_group_arn=GROUP, count=4)),
    row(
        "one more than of one", on_demand(reservation_id="cr-0123456789abcdef0", count=3), "PCS623"
    ),
    row("one more than of a group", on_demand(reservation_group_arn=GROUP, count=3)),
    row("one more of a block", block(count=3), "PCS623"),
    row("not said", block(max=1000)),
    row("token for the count", block(count=UNKNOWN)),
    row("token for the maximum", block(count=3, max=UNKNOWN)),
)
def test_scaling_stays_within_the_reservation(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("seven in a zone", on_demand(strategy="spread", subnets=1, max=7)),
    row("eight in a zone", on_demand(strategy="spread", subnets=1, max=8), "PCS631"),
    row("eight in two", on_demand(strategy="spread", subnets=2, max=8)),
    row("eight that are close", on_demand(strategy="cluster", subnets=1, max=8)),
    row(
        "eight on hosts of their own",
        on_demand(strategy="spread", spread_level="host", subnets=1, max=8),
    ),
    row(
        "token for the level",
        on_demand(strategy="spread", spread_level=UNKNOWN, subnets=1, max=8),
    ),
    row("token", on_demand(strategy="spread", subnets=UNKNOWN, max=8)),
)
def test_a_spread_placement_group_has_seven_racks_a_zone(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as many", on_demand(reservation_group_arn=GROUP, count=4)),
    row("one more", on_demand(reservation_group_arn=GROUP, count=3), "PCS630"),
    row("one more of a block", block(count=3)),
    row("token for the count", on_demand(reservation_group_arn=GROUP, count=UNKNOWN)),
)
def test_scaling_beyond_a_group_of_reservations_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("dynamic", interruptible(min=0)),
    row("static", interruptible(min=4), "PCS624"),
    row("static block", block(min=4)),
    row("token", interruptible(min=UNKNOWN)),
)
def test_interruptible_nodes_are_dynamic(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("id", block()),
    row("id of something else", block(reservation_id="lt-0123456789abcdef0"), "PCS625"),
    row("group", on_demand(reservation_group_arn=GROUP)),
    row("group elsewhere", on_demand(reservation_group_arn=GROUP.replace("aws", "aws-us-gov", 1))),
    row("id for a group", on_demand(reservation_group_arn="cr-0123456789abcdef0"), "PCS625"),
    row("token", block(reservation_id=UNKNOWN)),
    row("token for a group", on_demand(reservation_group_arn=UNKNOWN)),
)
def test_reservations_are_named_as_pcs_wants_it(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("sold", block()),
    row("not sold", block(usage_classes={"c7i.large": ("on-demand", "spot")}), "PCS626"),
    row(
        "not as Spot",
        on_demand(purchase_option="SPOT", usage_classes={"a": ("on-demand",)}),
        "PCS626",
    ),
    row("no class of its own", interruptible(usage_classes={"a": ("on-demand",)})),
    row("not in the catalogue", block(usage_classes={})),
    row("token", on_demand(purchase_option=UNKNOWN, usage_classes={"a": ("spot",)})),
)
def test_a_way_of_buying_that_a_type_is_not_sold_in_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("1", on_demand(reservation_group_arn=GROUP, count=1, max=1)),
    row("0", on_demand(reservation_group_arn=GROUP, count=0, max=0), "PCS627"),
    row("token", block(count=UNKNOWN)),
)
def test_the_reserved_count_is_1_or_more(facts, codes) -> None:
    assert errors(facts) == codes


ULTRASERVER = {"instance_types": ("p6e-gb200.36xlarge",)}


@table(
    row("block", block(**ULTRASERVER)),
    row("on demand", on_demand(**ULTRASERVER), "PCS628"),
    row("Spot", on_demand(**ULTRASERVER, purchase_option="SPOT"), "PCS628"),
    row("interruptible", interruptible(**ULTRASERVER), "PCS628"),
    row("others on demand", on_demand()),
    row("nothing on demand", on_demand(instance_types=())),
    row("token for the type", on_demand(instance_types=UNKNOWN)),
    row("token for the option", on_demand(**ULTRASERVER, purchase_option=UNKNOWN)),
)
def test_ultraservers_that_are_no_block_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("cluster", on_demand(efa=True, strategy="cluster")),
    row("spread", on_demand(efa=True, strategy="spread"), "PCS619"),
    row("partition", on_demand(efa=True, strategy="partition"), "PCS619"),
    row("spread without EFA", on_demand(strategy="spread")),
    row("token", on_demand(efa=True, strategy=UNKNOWN)),
)
def test_efa_without_closeness_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("weight", on_demand(weight=True)),
    row("weight in a block", block(weight=True), "PCS629"),
    row("block", block()),
    row("token", on_demand(purchase_option=UNKNOWN, weight=True)),
)
def test_a_weight_in_a_block_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
