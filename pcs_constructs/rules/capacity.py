"""Rules for how instances are bought."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RACKS: Final = 7

_USAGE_CLASSES: Final = {
    "ONDEMAND": "on-demand",
    "SPOT": "spot",
    "CAPACITY_BLOCK": "capacity-block",
}


def are_ultraservers(instance_types: tuple[str, ...]) -> bool:
    """Whether these instances are parts of UltraServers."""
    return any(name.startswith("p6e-") for name in instance_types)


@facts_record
class CapacityFacts:
    """What a node group and its launch template show of how instances are bought."""

    purchase_option: str | Unknown = "ONDEMAND"
    reservation_id: str | Unknown | None = None
    reservation_group_arn: str | Unknown | None = None
    count: int | Unknown | None = None
    instance_types: tuple[str, ...] | Unknown = ()
    min: int | Unknown = 0
    max: int | Unknown = UNKNOWN
    placement_group: bool | Unknown = False
    """Whether the user names a placement group."""
    strategy: str | Unknown | None = None
    """How that one places instances."""
    spread_level: str | Unknown = "rack"
    """What it keeps instances on several of, with the strategy `spread`."""
    subnets: int | Unknown = UNKNOWN
    """How many subnets there are, each of which may be in a zone of its own."""
    efa: bool = False
    weight: bool = False
    """Whether Slurm is told a weight of the nodes."""
    template: bool = False
    """Whether the launch template is there to be looked at, for what follows."""
    market_type: str | Unknown | None = None
    template_type: str | Unknown | None = None
    """The instance type in the launch template."""
    usage_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """How each instance type that the catalogue knows can be bought."""


@error("PCS621", CapacityFacts)
def capacity_block_has_no_placement_group(facts: CapacityFacts) -> Iterator[Violation]:
    """A Capacity Block is used without a placement group.

    Its instances are close together as they are, and EC2 refuses another wish. The library makes no
    placement group for one, EFA or not.

    Source: Capacity Blocks in AWS PCS; placement group checks of AWS ParallelCluster (6311).
    """
    if facts.purchase_option == "CAPACITY_BLOCK" and facts.placement_group is True:
        yield Violation(
            "placement_group",
            "cannot go with a Capacity Block",
            "leave placement_group out: the instances of a block are close together as they are",
            template_fix="leave Placement out: the instances of a block are close together as "
            "they are",
        )


@error("PCS622", CapacityFacts)
def capacity_block_has_one_instance_type(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group that is bought as a Capacity Block names one instance type.

    A block is of one type, and the launch template must name it.

    Source: Capacity Blocks in AWS PCS.
    """
    if facts.purchase_option != "CAPACITY_BLOCK" or facts.instance_types is UNKNOWN:
        return
    if len(facts.instance_types) > 1:
        yield Violation(
            "instance_types",
            f"a Capacity Block is of one type, got {len(facts.instance_types)}",
            "make a node group for each block",
        )


@error("PCS623", CapacityFacts)
def scaling_stays_within_the_reservation(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group has no more instances than the reservation that its launch template names.

    One that is named by its ID gives the instances that it has and no others, as Capacity Blocks
    do. Looked at where `count`, or the reservation in the same template, says how many that are.

    Source: Using ODCRs with AWS PCS, "Direct ODCR association"; Capacity Blocks in AWS PCS.
    """
    if facts.reservation_group_arn is None and (beyond := _beyond_the_reservation(facts)):
        yield beyond


@advice("PCS630", CapacityFacts)
def scaling_beyond_a_group_costs_more(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group has no more instances than are reserved in the group that it names.

    Beyond them EC2 starts instances On-Demand, where there is room and at the price of that.

    Source: Using ODCRs with AWS PCS.
    """
    if facts.reservation_group_arn is not None and (beyond := _beyond_the_reservation(facts)):
        yield beyond


def _beyond_the_reservation(facts: CapacityFacts) -> Violation | None:
    count, most = facts.count, facts.max
    if count is None or count is UNKNOWN or most is UNKNOWN or most <= count:
        return None
    return Violation(
        "scaling",
        f"may reach {most} instances, and {count} are reserved",
        f"lower it to {count}, or reserve more",
    )


@error("PCS624", CapacityFacts)
def interruptible_nodes_are_dynamic(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group out of an interruptible reservation has a minimum of 0.

    Nobody promises that an instance is there.

    Source: Interruptible Capacity Reservations in AWS PCS.
    """
    if facts.purchase_option != "INTERRUPTIBLE_CAPACITY_RESERVATION" or facts.min is UNKNOWN:
        return
    if facts.min > 0:
        yield Violation(
            "scaling",
            f"a minimum of {facts.min} instances",
            "write Scaling.dynamic(max=...)",
            template_fix="write MinInstanceCount: 0",
        )


@error("PCS625", CapacityFacts)
def reservation_is_named_as_pcs_wants_it(facts: CapacityFacts) -> Iterator[Violation]:
    """A Capacity Reservation is named by its ID, a group of them by the ARN of the resource group.

    A Capacity Block or an interruptible reservation is named by itself and must not be in a group.

    Source: Using ODCRs with AWS PCS; Capacity Blocks in AWS PCS.
    """
    if facts.reservation_id is not None:
        yield from identifier_violations(
            "capacity", facts.reservation_id, r"cr-[0-9a-z]+", "cr-0123456789abcdef0"
        )
    if facts.reservation_group_arn is not None:
        yield from identifier_violations(
            "capacity",
            facts.reservation_group_arn,
            r"arn:aws[a-z-]*:resource-groups:[a-z0-9-]+:\d{12}:group/[\w./-]+",
            "arn:aws:resource-groups:us-east-1:123456789012:group/reserved",
        )


@advice("PCS626", CapacityFacts)
def instance_types_are_sold_like_this(facts: CapacityFacts) -> Iterator[Violation]:
    """The instance types can be bought in the way that is asked for.

    The catalogue is a recording, and EC2 adds ways of buying, so this is advice.

    Source: `SupportedUsageClasses` of `DescribeInstanceTypes`.
    """
    wanted = _USAGE_CLASSES.get(str(facts.purchase_option))
    for name, classes in facts.usage_classes.items():
        if wanted and wanted not in classes:
            yield Violation(
                "capacity",
                f"{name} was not sold as {wanted}, but as {', '.join(classes)}",
                "choose another type or another Capacity",
                template_fix="choose another type or another PurchaseOption",
            )


@error("PCS627", CapacityFacts)
def reserved_count_is_a_number(facts: CapacityFacts) -> Iterator[Violation]:
    """The number of reserved instances is 1 or more.

    Source: `InstanceCount` of the EC2 `CreateCapacityReservation` API.
    """
    if isinstance(facts.count, int) and facts.count < 1:
        yield Violation(
            "capacity",
            f"a reservation of {facts.count} instances",
            "leave count out, or give what is reserved",
            template_fix="give InstanceCount of the reservation 1 or more",
        )


@advice("PCS628", CapacityFacts)
def ultraservers_come_as_blocks(facts: CapacityFacts) -> Iterator[Violation]:
    """UltraServers (`p6e-...`) are bought as a Capacity Block.

    AWS PCS looks at the block to configure Slurm's topology.

    Source: Configure UltraServer instances, "Prerequisites".
    """
    if (
        facts.instance_types is not UNKNOWN
        and facts.instance_types
        and are_ultraservers(facts.instance_types)
        and facts.purchase_option not in {UNKNOWN, "CAPACITY_BLOCK"}
    ):
        yield Violation(
            "capacity",
            f"{facts.instance_types[0]} bought as {facts.purchase_option}",
            "write Capacity.block('cr-...')",
            template_fix="buy them with PurchaseOption: CAPACITY_BLOCK",
        )


@advice("PCS619", CapacityFacts)
def efa_nodes_are_close_together(facts: CapacityFacts) -> Iterator[Violation]:
    """Nodes that use EFA are in a placement group of the strategy `cluster`.

    Others keep instances apart, and what EFA is for is low latency between them. Seen where the
    group is made in the same app.

    Source: Elastic Fabric Adapter in AWS PCS, "Create a cluster placement group".
    """
    if facts.efa and facts.strategy in {"partition", "spread"}:
        yield Violation(
            "placement_group",
            f"of the strategy {facts.strategy}, with EFA",
            "leave placement_group out, or use ec2.PlacementGroupStrategy.CLUSTER",
            template_fix="leave Placement out, or make the group with Strategy cluster",
        )


@error("PCS631", CapacityFacts)
def spread_instances_have_racks(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group in a placement group of the strategy `spread` has seven instances a zone.

    EC2 puts each on a rack of its own, and starts no eighth one in an Availability Zone. Every
    subnet is counted as a zone. The spread level `host`, which is for Outposts, has no such limit.

    Source: Placement strategies in the Amazon EC2 User Guide, "Spread placement groups".
    """
    if (facts.strategy, facts.spread_level) != ("spread", "rack"):
        return
    if facts.max is UNKNOWN or facts.subnets is UNKNOWN:
        return
    room = _RACKS * facts.subnets
    if facts.max > room:
        yield Violation(
            "scaling",
            f"may reach {facts.max} instances, and a spread placement group has room for {room}",
            f"lower it to {room}, or place them otherwise",
        )


@advice("PCS629", CapacityFacts)
def nodes_of_a_block_have_no_weight(facts: CapacityFacts) -> Iterator[Violation]:
    """Nodes out of a Capacity Block have no Slurm weight.

    Outside the time of the block its nodes are in maintenance, and Slurm would prefer, or wait for,
    nodes that are not there.

    Source: Capacity Blocks in AWS PCS.
    """
    if facts.purchase_option == "CAPACITY_BLOCK" and facts.weight:
        yield Violation(
            "slurm_settings",
            "has a Weight, and the nodes are of a Capacity Block",
            "leave Weight out, and give the block a queue of its own",
        )


@error("PCS646", CapacityFacts)
def reservation_id_goes_with_its_purchase_option(facts: CapacityFacts) -> Iterator[Violation]:
    """A node group that names a Capacity Reservation does not buy Spot instances.

    EC2 takes no Spot instance out of a reservation. `ONDEMAND` goes with the ID of one reservation,
    which gives its own instances and no others, or with a group of them, beyond which EC2 goes on
    On-Demand.

    Source: Using ODCRs with AWS PCS; On-Demand Capacity Reservations in the Amazon EC2 User Guide.
    """
    named = facts.reservation_id is not None or facts.reservation_group_arn is not None
    if facts.template and named and facts.purchase_option == "SPOT":
        yield Violation(
            "capacity",
            "names a Capacity Reservation, with purchase option SPOT",
            "write ONDEMAND, or CAPACITY_BLOCK for a Capacity Block",
        )


@error("PCS647", CapacityFacts)
def capacity_block_is_in_the_launch_template(facts: CapacityFacts) -> Iterator[Violation]:
    """The launch template of a Capacity Block has its market type, its ID and its instance type.

    It is the one case in which AWS PCS wants an instance type there, the node group's own.

    Source: Capacity Blocks in AWS PCS.
    """
    if not facts.template or facts.purchase_option != "CAPACITY_BLOCK":
        return
    if facts.market_type not in {UNKNOWN, "capacity-block"}:
        yield Violation(
            "capacity",
            "is a Capacity Block, and the launch template has "
            + (f"market type {facts.market_type}" if facts.market_type else "no market type"),
            "add InstanceMarketOptions with MarketType capacity-block",
        )
    if facts.reservation_id is None:
        yield Violation(
            "capacity",
            "is a Capacity Block, and the launch template does not name it",
            "add CapacityReservationSpecification with CapacityReservationId",
        )
    wanted = facts.instance_types
    if facts.template_type is None or (
        wanted is not UNKNOWN and facts.template_type not in {UNKNOWN, *wanted}
    ):
        yield Violation(
            "capacity",
            "is a Capacity Block, and the launch template has "
            + (f"{facts.template_type}" if facts.template_type else "no instance type"),
            "write the node group's instance type as InstanceType",
        )
