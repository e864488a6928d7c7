"""Every way of buying, with and without EFA and a placement group, static and dynamic."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import template

RESERVATION = "cr-0123456789abcdef0"
GROUP = "arn:aws:resource-groups:eu-west-1:123456789012:group/reserved"
BY_ID = {
    "CapacityReservationSpecification": {
        "CapacityReservationTarget": {"CapacityReservationId": RESERVATION}
    }
}
BY_GROUP = {
    "CapacityReservationSpecification": {
        "CapacityReservationTarget": {"CapacityReservationResourceGroupArn": GROUP}
    }
}


@dataclass(frozen=True)
class Way:
    """A way of buying, and what must come of it."""

    capacity: pcs.Capacity
    purchase_option: str
    template: dict[str, Any] = field(default_factory=dict)
    new_placement_group: bool = False
    own_placement_group: bool = False
    static: bool = True


WAYS = {
    "on demand": Way(
        pcs.Capacity.on_demand(), "ONDEMAND", new_placement_group=True, own_placement_group=True
    ),
    "Spot": Way(
        pcs.Capacity.spot(allocation=pcs.SpotAllocation.CAPACITY_OPTIMIZED),
        "SPOT",
        new_placement_group=True,
        own_placement_group=True,
    ),
    "reserved": Way(
        pcs.Capacity.reserved(GROUP, count=2), "ONDEMAND", BY_GROUP, own_placement_group=True
    ),
    "reservation": Way(
        pcs.Capacity.reservation(RESERVATION, count=2), "ONDEMAND", BY_ID, own_placement_group=True
    ),
    "block": Way(
        pcs.Capacity.block(RESERVATION, count=2),
        "CAPACITY_BLOCK",
        {
            **BY_ID,
            "InstanceMarketOptions": {"MarketType": "capacity-block"},
            "InstanceType": "p5.48xlarge",
        },
    ),
    "interruptible": Way(
        pcs.Capacity.interruptible(RESERVATION, count=2),
        "INTERRUPTIBLE_CAPACITY_RESERVATION",
        {
            **BY_ID,
            "InstanceMarketOptions": {"MarketType": "interruptible-capacity-reservation"},
        },
        own_placement_group=True,
        static=False,
    ),
}
_PURCHASE = {"InstanceMarketOptions", "CapacityReservationSpecification", "InstanceType"}


@pytest.mark.parametrize(
    ("name", "efa", "own", "static"), list(product(WAYS, *[[False, True]] * 3))
)
def test_the_decision_table(
    stack: cdk.Stack, vpc: ec2.IVpc, name: str, efa: bool, own: bool, static: bool
) -> None:
    way = WAYS[name]
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    group = ec2.PlacementGroup(stack, "Own", strategy=ec2.PlacementGroupStrategy.CLUSTER)
    wrong = {"PCS621": own and not way.own_placement_group, "PCS624": static and not way.static}

    def nodes() -> None:
        cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.static(2) if static else pcs.Scaling.dynamic(max=2),
            efa=efa,
            placement_group=group if own else None,  # pyright: ignore[reportArgumentType]
            capacity=way.capacity,
        )

    if any(wrong.values()):
        with pytest.raises(pcs.PcsValidationError) as error:
            nodes()
        codes = {problem.code for problem in error.value.problems}
        assert codes == {code for code, broken in wrong.items() if broken}
        return
    nodes()
    written = template(stack)
    (node_group,) = written.find_resources("AWS::PCS::ComputeNodeGroup").values()
    assert node_group["Properties"]["PurchaseOption"] == way.purchase_option
    (launch,) = written.find_resources("AWS::EC2::LaunchTemplate").values()
    data = launch["Properties"]["LaunchTemplateData"]
    assert {key: value for key, value in data.items() if key in _PURCHASE} == way.template
    groups = written.find_resources("AWS::EC2::PlacementGroup")
    made = efa and not own and way.new_placement_group
    assert len(groups) == 1 + made
    assert ("Placement" in data) is (own or made)
    if own or made:
        theirs = stack.resolve(group.placement_group_name)["Fn::GetAtt"][0]
        named = data["Placement"]["GroupName"]
        (name,) = {named.get("Ref"), *named.get("Fn::GetAtt", ())[:1]} - {None}
        assert (name == theirs) is own
    assert {g["Properties"]["Strategy"] for g in groups.values()} == {"cluster"}


@pytest.mark.parametrize("name", ["reservation", "block", "interruptible"])
def test_fails_on_more_nodes_than_are_reserved(stack: cdk.Stack, vpc: ec2.IVpc, name: str) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with pytest.raises(pcs.PcsValidationError) as error:
        cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.dynamic(max=3),
            capacity=WAYS[name].capacity,
        )
    assert [problem.code for problem in error.value.problems] == ["PCS623"]


@pytest.mark.parametrize(
    "strategy", [ec2.PlacementGroupStrategy.PARTITION, ec2.PlacementGroupStrategy.SPREAD]
)
def test_a_placement_group_of_any_strategy_is_taken(
    stack: cdk.Stack, vpc: ec2.IVpc, strategy: ec2.PlacementGroupStrategy
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    cluster.add_compute_node_group(
        "apart",
        instance_types=["c7i.large"],
        scaling=pcs.Scaling.dynamic(max=3),
        placement_group=ec2.PlacementGroup(stack, "Own", strategy=strategy),  # pyright: ignore
    )
    (launch,) = template(stack).find_resources("AWS::EC2::LaunchTemplate").values()
    (own,) = template(stack).find_resources("AWS::EC2::PlacementGroup")
    assert launch["Properties"]["LaunchTemplateData"]["Placement"] == {
        "GroupName": {"Fn::GetAtt": [own, "GroupName"]}
    }


def test_efa_only_interfaces_are_written_where_asked(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes = cluster.add_compute_node_group(
        "train",
        instance_types=["p5.48xlarge"],
        scaling=pcs.Scaling.dynamic(max=3),
        efa=True,
        efa_only=True,
    )
    (launch,) = template(stack).find_resources("AWS::EC2::LaunchTemplate").values()
    first, *others = launch["Properties"]["LaunchTemplateData"]["NetworkInterfaces"]
    assert first["InterfaceType"] == "efa"
    assert [interface["InterfaceType"] for interface in others] == ["efa-only"] * 31
    assert nodes.addresses == 3


def test_a_reservation_group_is_one_that_pcs_takes(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = pcs.CapacityReservationGroup(stack, "Reserved", reservation_ids=[RESERVATION])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    cluster.add_compute_node_group(
        "train",
        instance_types=["p5.48xlarge"],
        scaling=pcs.Scaling.static(2),
        capacity=pcs.Capacity.reserved(group.reservation_group_arn, count=2),
    )
    written = template(stack)
    ((logical_id, resource),) = written.find_resources("AWS::ResourceGroups::Group").items()
    types = [item["Type"] for item in resource["Properties"]["Configuration"]]
    assert types == ["AWS::EC2::CapacityReservationPool", "AWS::ResourceGroups::Generic"]
    (arn,) = resource["Properties"]["Resources"]
    assert arn["Fn::Join"][1][-1] == f":capacity-reservation/{RESERVATION}"
    (launch,) = written.find_resources("AWS::EC2::LaunchTemplate").values()
    target = launch["Properties"]["LaunchTemplateData"]["CapacityReservationSpecification"]
    assert target["CapacityReservationTarget"] == {
        "CapacityReservationResourceGroupArn": {"Fn::GetAtt": [logical_id, "Arn"]}
    }


def test_fails_on_a_reservation_that_is_none(stack: cdk.Stack) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.CapacityReservationGroup(stack, "Reserved", reservation_ids=["reserved"])
    assert [problem.code for problem in error.value.problems] == ["PCS625"]
    assert stack.node.try_find_child("Reserved") is None


def test_the_spot_role_is_made_only_when_asked_for(stack: cdk.Stack) -> None:
    pcs.SpotServiceLinkedRole(stack, "SpotRole")
    (role,) = template(stack).find_resources("AWS::IAM::ServiceLinkedRole").values()
    assert role["Properties"] == {"AWSServiceName": "spot.amazonaws.com"}


def test_fails_when_template_and_node_group_buy_differently(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    given = pcs.NodeLaunchTemplate(
        stack,
        "Template",
        instance_types=["p5.48xlarge"],
        security_groups=[cluster.security_group],
        capacity=pcs.Capacity.block(RESERVATION),
    )

    def nodes(capacity: pcs.Capacity | None) -> None:
        cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.dynamic(max=3),
            launch_template=given,
            capacity=capacity,
        )

    with pytest.raises(pcs.PcsValidationError) as error:
        nodes(None)
    assert [problem.code for problem in error.value.problems] == ["PCS218"]
    nodes(pcs.Capacity.block(RESERVATION))


def test_fails_when_the_template_was_made_for_other_cards(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    given = pcs.NodeLaunchTemplate(
        stack,
        "Template",
        instance_types=["hpc7a.96xlarge"],
        security_groups=[cluster.security_group],
        efa=True,
    )
    with pytest.raises(pcs.PcsValidationError) as error:
        cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.dynamic(max=3),
            launch_template=given,
        )
    assert [problem.code for problem in error.value.problems] == ["PCS611"]


@pytest.mark.parametrize(
    ("level", "codes"),
    [
        (None, ["PCS631"]),
        (ec2.PlacementGroupSpreadLevel.RACK, ["PCS631"]),
        (ec2.PlacementGroupSpreadLevel.HOST, []),
    ],
)
def test_racks_are_counted_where_instances_are_spread_over_racks(
    stack: cdk.Stack,
    vpc: ec2.IVpc,
    level: ec2.PlacementGroupSpreadLevel | None,
    codes: list[str],
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    spread = ec2.PlacementGroup(
        stack, "Spread", strategy=ec2.PlacementGroupStrategy.SPREAD, spread_level=level
    )
    found: list[str] = []
    try:
        cluster.add_compute_node_group(
            "compute",
            instance_types=["c7i.4xlarge"],
            scaling=pcs.Scaling.dynamic(max=8),
            placement_group=spread,  # pyright: ignore[reportArgumentType]
        )
    except pcs.PcsValidationError as error:
        found = [problem.code for problem in error.problems]
    assert found == codes
