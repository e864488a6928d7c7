"""Rules for the network interfaces of nodes, EFA among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING

from pcs_constructs.model import instances
from pcs_constructs.model.efa import layout
from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.instances import InstanceFacts
    from pcs_constructs.rules.launch_template import Written


@facts_record
class InterfaceFacts:
    """What a launch template and the node group that uses it show of their network interfaces."""

    instance_types: tuple[str, ...] | Unknown
    described: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    """What the user says of types that the catalogue may not have."""
    efa: bool
    efa_only: bool = False
    subnets: int | Unknown = UNKNOWN
    public: bool | Unknown = UNKNOWN
    written: tuple[Written, ...] = ()
    """The interfaces, where a template has them one by one."""

    @property
    def known_types(self) -> Mapping[str, InstanceFacts]:
        """What is known of the instance types."""
        if self.instance_types is UNKNOWN:
            return {}
        return instances.known(self.instance_types, self.described)


@advice("PCS601", InterfaceFacts)
def efa_stays_in_one_subnet(facts: InterfaceFacts) -> Iterator[Violation]:
    """A node group that uses EFA has one subnet.

    The user guide calls several legal, and says that EFA traffic does not cross them: nodes that
    land in two talk to each other without it.

    Source: Creating a compute node group in AWS PCS, "Subnets"; Elastic Fabric Adapter in AWS PCS.
    """
    if facts.efa and facts.subnets is not UNKNOWN and facts.subnets > 1:
        yield Violation(
            "subnets",
            f"EFA traffic does not cross subnets, got {facts.subnets}",
            "leave subnets out, or pass one: subnets=[network.compute_subnet]",
            template_fix="name one subnet",
        )


@error("PCS602", InterfaceFacts)
def efa_is_on_the_instance_type(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA is asked for on instance types that have it.

    Within a family often only the largest sizes do.

    Source: `NetworkInfo.EfaInfo` of `DescribeInstanceTypes`.
    """
    if not facts.efa:
        return
    if without := [
        name for name, instance in facts.known_types.items() if not instance.efa_interfaces
    ]:
        yield Violation(
            "efa",
            f"there is no EFA on {', '.join(without)}",
            "leave efa out, or choose a type that has it, such as hpc7a.96xlarge",
            template_fix="use plain interfaces, or choose a type that has EFA, such as "
            "hpc7a.96xlarge",
        )


@error("PCS603", InterfaceFacts)
def efa_cards_are_alike(facts: InterfaceFacts) -> Iterator[Violation]:
    """The instance types of a node group that uses EFA have the same network cards.

    One launch template serves all of them, and it names each card.

    Source: Multiple network interfaces in AWS PCS; `NetworkInfo` of `DescribeInstanceTypes`.
    """
    if not facts.efa:
        return
    layouts = {
        name: (len(instance.network_cards), instance.efa_interfaces)
        for name, instance in facts.known_types.items()
    }
    if len({layout(instance) for instance in facts.known_types.values()}) > 1:
        yield Violation(
            "instance_types",
            "must have the same network cards for EFA, got "
            + ", ".join(f"{name} {efa} EFA of {cards}" for name, (cards, efa) in layouts.items()),
            "make a node group for each; one queue can use several",
        )


@error("PCS604", InterfaceFacts)
def efa_instance_type_is_known(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA is asked for on instance types whose network cards are known.

    The interfaces are written from the catalogue. For a type that is not in it they would be a
    guess, and a wrong one keeps every node from starting.

    Source: `NetworkInfo` of `DescribeInstanceTypes`, as recorded in the catalogue.
    """
    if not facts.efa:
        return
    if facts.instance_types is UNKNOWN:
        yield Violation(
            "instance_types",
            "the type is a token, so its network cards are not known",
            "pass the instance type as text, or leave efa out",
        )
        return
    for name in facts.instance_types:
        if name not in facts.known_types:
            yield Violation(
                "instance_types",
                f"{name!r} is not in the catalogue ({instances.source()}), so its network "
                "cards are not known",
                "check the spelling, or describe it: pcs.InstanceFacts.from_description(...)",
            )


@error("PCS407", InterfaceFacts)
def nodes_with_several_interfaces_stay_private(facts: InterfaceFacts) -> Iterator[Violation]:
    """Nodes with more than one network interface are not in a public subnet.

    EC2 assigns a public address at launch only to an instance with a single interface, so such
    nodes would start without a way out, or not at all.

    Source: aws-parallelcluster issue 5084; Public IPv4 addresses in the Amazon EC2 User Guide.
    """
    if facts.efa and facts.public is True:
        for name, instance in facts.known_types.items():
            if instance.efa_interfaces > 1:
                yield Violation(
                    "subnets",
                    f"{name} has {instance.efa_interfaces} EFA interfaces, and the subnet is "
                    "public",
                    "use a private subnet",
                )


@error("PCS609", InterfaceFacts)
def efa_names_an_instance_type(facts: InterfaceFacts) -> Iterator[Violation]:
    """A launch template with EFA says for which instance types it is.

    Their network cards decide the interfaces.

    Source: Multiple network interfaces in AWS PCS.
    """
    if facts.efa and facts.instance_types is not UNKNOWN and not facts.instance_types:
        yield Violation("instance_types", "names no type", "name one, such as ['hpc7a.96xlarge']")


@error("PCS610", InterfaceFacts)
def efa_only_goes_with_efa(facts: InterfaceFacts) -> Iterator[Violation]:
    """`efa_only` is said of nodes that use EFA.

    It decides about the interfaces on secondary network cards; without EFA there are none. That
    AWS PCS takes interfaces of the type `efa-only` is not confirmed: Amazon's own templates for PCS
    use `efa` on every card, while EC2 and AWS ParallelCluster prefer `efa-only`.

    Source: Multiple network interfaces in AWS PCS; EFA interfaces in the Amazon EC2 User Guide.
    """
    if facts.efa_only and not facts.efa:
        yield Violation("efa_only", "is True without efa", "write efa=True, or leave both out")


@error("PCS611", InterfaceFacts)
def launch_template_fits_the_instance_types(facts: InterfaceFacts) -> Iterator[Violation]:
    """A node group's launch template has the network interfaces of its instance types.

    A template with EFA names each network card, and an instance that has others does not start.

    Source: Multiple network interfaces in AWS PCS; `NetworkInfo` of `DescribeInstanceTypes`.
    """
    for name, instance in facts.known_types.items():
        cards = {card.index: card for card in instance.network_cards}
        for card, _, efa, _ in facts.written:
            if card is UNKNOWN or (card in cards and not (efa is True and not cards[card].efa)):
                continue
            what = "an EFA interface" if efa is True else "an interface"
            yield Violation(
                "launch_template",
                f"has {what} on network card {card}, and {name} has "
                + (f"{len(cards)} cards" if card not in cards else "no EFA there"),
                f"write {len(layout(instance))} interfaces, those that the type has",
            )
            break


@error("PCS648", InterfaceFacts)
def interfaces_have_places_of_their_own(facts: InterfaceFacts) -> Iterator[Violation]:
    """Of the network interfaces of a node one is on card 0 as device 0, and no two share a place.

    The first one is the primary interface. Others on further cards are device 1, or 0 on types such
    as p6-b300.48xlarge.

    Source: Multiple network interfaces in AWS PCS; Elastic network interfaces in the Amazon EC2
    User Guide, "Network cards".
    """
    places = [(each.card, each.device) for each in facts.written]
    if not places or any(UNKNOWN in place for place in places):
        return
    if (0, 0) not in places:
        yield Violation(
            "network_interfaces",
            "has no primary interface",
            "give one NetworkCardIndex 0 and DeviceIndex 0",
        )
    for (card, device), count in Counter(places).items():
        if count > 1:
            yield Violation(
                "network_interfaces",
                f"has {count} interfaces on card {card} as device {device}",
                "give each network card one interface, with device index 1 after the first",
            )


@error("PCS649", InterfaceFacts)
def interfaces_are_in_the_subnet_of_the_node_group(facts: InterfaceFacts) -> Iterator[Violation]:
    """A launch template names no subnet, or that of the node group.

    AWS PCS puts the interfaces into the node group's subnets by itself.

    Source: Multiple network interfaces in AWS PCS.
    """
    if any(each.elsewhere for each in facts.written):
        yield Violation(
            "network_interfaces",
            "are in another subnet than the node group",
            "leave SubnetId out of the launch template",
        )


@advice("PCS620", InterfaceFacts)
def efa_only_is_tried_first(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA-only interfaces are tried on one node before they are relied upon.

    One source says that AWS PCS wants `efa` on every card; EC2 and AWS ParallelCluster prefer
    `efa-only`. Acknowledge this when you have seen such a node start.

    Source: the PCS templates for p6-b200 in awslabs/awsome-distributed-ai; EFA interfaces in the
    Amazon EC2 User Guide.
    """
    if facts.efa_only and facts.efa:
        yield Violation(
            "efa_only",
            "the interface type efa-only is not confirmed for AWS PCS",
            "leave it out, or acknowledge this when a node has started with it",
            template_fix="use efa, or suppress this when a node has started with it",
        )
