"""Which network interfaces an instance type is given for Elastic Fabric Adapter (EFA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pcs_constructs.model.instances import InstanceFacts

# Interfaces after the first have device index 1. Where the cards that carry EFA have no interface
# of another kind it is 0, which `DescribeInstanceTypes` does not tell. Source: the PCS templates
# for p6-b300 in awslabs/awsome-distributed-ai; sources disagree, and this one is for PCS.
_SECONDARY_DEVICE_INDEX: Final[Mapping[str, int]] = {"p6-b300.48xlarge": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One network interface of a node, as a launch template describes it."""

    network_card_index: int
    """The card that it is on."""

    device_index: int
    """0 for the primary interface, and what EC2 wants of a secondary one for the others."""

    interface_type: Literal["interface", "efa", "efa-only"]
    """Plain, with EFA, or with nothing but EFA: that one takes no IP address."""


PLAIN: Final = (Interface(network_card_index=0, device_index=0, interface_type="interface"),)
"""What an instance has that is given nothing special."""


def layout(facts: InstanceFacts, *, efa_only: bool = False) -> tuple[Interface, ...]:
    """The interfaces that give an instance type all the EFA it has, the primary one first.

    There is one on each card that carries EFA, and a plain one on the first card where that does
    not (p6-b300). A type without EFA has the plain one alone.

    Args:
        facts: The instance type.
        efa_only: Whether the secondary interfaces carry nothing but EFA, and so take no address.

    Source: Multiple network interfaces in AWS PCS; `NetworkInfo` of `DescribeInstanceTypes`.
    """
    carriers = [card.index for card in facts.network_cards if card.efa][: facts.efa_interfaces]
    first = Interface(
        network_card_index=0,
        device_index=0,
        interface_type="efa" if 0 in carriers else "interface",
    )
    others = (
        Interface(
            network_card_index=card,
            device_index=_SECONDARY_DEVICE_INDEX.get(facts.name, 1),
            interface_type="efa-only" if efa_only else "efa",
        )
        for card in carriers
        if card != 0
    )
    return (first, *others)


def addresses(interfaces: tuple[Interface, ...]) -> int:
    """How many IP addresses these interfaces take."""
    return sum(interface.interface_type != "efa-only" for interface in interfaces)
