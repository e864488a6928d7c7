from __future__ import annotations

from collections import Counter

import pytest

from pcs_constructs.model import efa, instances


def _layout(instance_type: str, *, efa_only: bool = False) -> tuple[efa.Interface, ...]:
    facts = instances.find(instance_type)
    assert facts is not None
    return efa.layout(facts, efa_only=efa_only)


@pytest.mark.parametrize(
    ("instance_type", "with_efa", "cards"),
    [
        ("hpc6a.48xlarge", 1, 1),
        ("hpc6id.32xlarge", 2, 2),
        ("hpc7a.96xlarge", 2, 2),
        ("hpc7g.16xlarge", 1, 1),
        ("hpc8a.96xlarge", 2, 2),
        ("c6i.32xlarge", 1, 1),
        ("c7gn.16xlarge", 1, 1),
        ("c8gn.48xlarge", 2, 2),
        ("g6e.48xlarge", 4, 4),
        ("p4d.24xlarge", 4, 4),
        ("p5.48xlarge", 32, 32),
        ("p5.4xlarge", 1, 1),
        ("p5en.48xlarge", 16, 16),
        ("p6-b200.48xlarge", 8, 8),
        ("p6-b300.48xlarge", 16, 17),
        ("trn1.32xlarge", 8, 8),
        ("trn1n.32xlarge", 16, 16),
        ("trn2.48xlarge", 16, 16),
    ],
)
def test_a_type_is_given_all_its_efa(instance_type: str, with_efa: int, cards: int) -> None:
    interfaces = _layout(instance_type)
    types = Counter(interface.interface_type for interface in interfaces)
    assert types["efa"] == with_efa
    assert len(interfaces) == cards


def test_secondary_interfaces_have_device_index_1() -> None:
    assert [i.device_index for i in _layout("p4d.24xlarge")] == [0, 1, 1, 1]


def test_p6_b300_has_a_plain_first_card_and_device_index_0_everywhere() -> None:
    first, *others = _layout("p6-b300.48xlarge")
    assert first.interface_type == "interface"
    assert {i.interface_type for i in others} == {"efa"}
    assert {i.device_index for i in (first, *others)} == {0}


def test_efa_only_spares_an_address_for_each_secondary_card() -> None:
    interfaces = _layout("p5.48xlarge", efa_only=True)
    assert interfaces[0].interface_type == "efa"
    assert {i.interface_type for i in interfaces[1:]} == {"efa-only"}
    assert efa.addresses(interfaces) == 1
    assert efa.addresses(_layout("p5.48xlarge")) == 32


def test_a_type_without_efa_has_one_plain_interface() -> None:
    assert _layout("c7i.4xlarge") == efa.PLAIN


@pytest.mark.parametrize("efa_only", [False, True])
def test_every_type_in_the_catalogue_has_a_layout_that_ec2_takes(efa_only: bool) -> None:
    for name in instances.names():
        facts = instances.find(name)
        assert facts is not None
        interfaces = efa.layout(facts, efa_only=efa_only)
        cards = [i.network_card_index for i in interfaces]
        assert cards == sorted(set(cards)), name
        assert cards[0] == 0, name
        assert interfaces[0].device_index == 0, name
        assert interfaces[0].interface_type != "efa-only", name
        assert len(interfaces) <= len(facts.network_cards), name
        with_efa = [i for i in interfaces if i.interface_type != "interface"]
        assert len(with_efa) == facts.efa_interfaces, name
        carriers = {card.index for card in facts.network_cards if card.efa}
        assert {i.network_card_index for i in with_efa} <= carriers, name
