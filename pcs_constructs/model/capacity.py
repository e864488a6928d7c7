"""How many nodes, how large a controller, and how the instances are bought."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Self

from pcs_constructs.model.annotations import judge_fields, judged
from pcs_constructs.model.errors import PcsValidationError, Problem, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator


class ClusterSize(Enum):
    """The size of a cluster's controller. It cannot change without replacing the cluster.

    Source: Cluster size in AWS PCS; `size` of the `CreateCluster` API.
    """

    SMALL = (32, 256)
    MEDIUM = (512, 8192)
    LARGE = (2048, 16384)

    @property
    def max_nodes(self) -> int:
        """The most instances the controller manages, login nodes included."""
        return self.value[0]

    @property
    def max_jobs(self) -> int:
        """The most active and queued jobs the controller tracks."""
        return self.value[1]


def scaling_violations(minimum: int, maximum: int) -> Iterator[Violation]:
    """What AWS PCS would refuse in a node group's minimum and maximum instance count."""
    if minimum < 0 or maximum < minimum:
        yield Violation(
            "scaling",
            f"a minimum of {minimum} and a maximum of {maximum} instances",
            "write Scaling.static(1) or Scaling.dynamic(max=4)",
            template_fix="write two counts that are the same, or a minimum of 0 and a larger "
            "maximum",
        )
    elif minimum not in {0, maximum}:
        yield Violation(
            "scaling",
            "static and dynamic instances cannot mix, got a minimum of "
            f"{minimum} and a maximum of {maximum}",
            f"write Scaling.static({minimum}) and a second node group with "
            f"Scaling.dynamic(max={maximum - minimum}) in the same queue",
            template_fix=f"write {minimum} for both counts, and a second node group with "
            f"MinInstanceCount: 0 and MaxInstanceCount: {maximum - minimum} in the same queue",
        )


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many instances a node group has: always as many, or as many as jobs ask for.

    Build it with `Scaling.static` or `Scaling.dynamic`: AWS PCS refuses a mix of both.

    Source: Creating a compute node group in AWS PCS, "Scaling configuration".

    Raises:
        PcsValidationError: PCS210, when a count is negative, no whole number or not known.
    """

    min: int
    """Instances that always run."""

    max: int
    """Instances that run at the most."""

    @classmethod
    def static(cls, count: int) -> Self:
        """Always `count` instances, 1 or more, whether jobs run or not."""
        if type(count) is int and count == 0:
            violation = Violation(
                "scaling", "always 0 instances", "write Scaling.dynamic(max=0) for none"
            )
            raise PcsValidationError("Scaling", [Problem(code="PCS210", **violation._asdict())])
        return cls(min=count, max=count)

    @classmethod
    def dynamic(cls, *, max: int) -> Self:
        """No instance while idle, up to `max` while jobs wait. With 0, jobs wait for ever."""
        return cls(min=0, max=max)

    @property
    def is_static(self) -> bool:
        """Whether the instances run all the time."""
        return self.min == self.max

    def __post_init__(self) -> None:
        bounds: tuple[object, object] = (self.min, self.max)
        if any(type(bound) is not int for bound in bounds):
            violations = [
                Violation(
                    "scaling",
                    "counts are whole numbers known at synthesis, got "
                    + " and ".join(sorted({type(bound).__name__ for bound in bounds})),
                    "pass an int; read it from CDK context rather than a CloudFormation parameter",
                )
            ]
        else:
            violations = list(scaling_violations(self.min, self.max))
        if violations:
            raise PcsValidationError(
                "Scaling",
                [Problem(code="PCS210", **violation._asdict()) for violation in violations],
            )

    def __str__(self) -> str:
        return f"{self.min}, always on" if self.is_static else f"0 to {self.max}, as jobs ask"


class SpotAllocation(Enum):
    """How EC2 chooses among the Spot pools of a node group's instance types and subnets.

    Source: `SpotOptions.AllocationStrategy` of `AWS::PCS::ComputeNodeGroup`.
    """

    LOWEST_PRICE = "lowest-price"
    CAPACITY_OPTIMIZED = "capacity-optimized"
    PRICE_CAPACITY_OPTIMIZED = "price-capacity-optimized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How the instances of a node group are bought. Build it with one of its factories.

    | bought with | purchase option | market type | reservation | scaling | placement group |
    |---|---|---|---|---|---|
    | `on_demand` | `ONDEMAND` | | | any | with EFA, or yours |
    | `spot` | `SPOT` | | | any | with EFA, or yours |
    | `reservation` | `ONDEMAND` | | one | up to `count` | yours alone |
    | `reserved` | `ONDEMAND` | | a group of them | any | yours alone |
    | `block` | `CAPACITY_BLOCK` | `capacity-block` | one | up to `count` | none |
    | `interruptible` | `INTERRUPTIBLE_CAPACITY_RESERVATION` | \
    `interruptible-capacity-reservation` | one | dynamic, up to `count` | yours alone |

    Source: `PurchaseOption` and `SpotOptions` of `AWS::PCS::ComputeNodeGroup`; Capacity
    Reservations in AWS PCS; Capacity Blocks in AWS PCS.
    """

    purchase_option: str
    """The service's word for it, such as `ONDEMAND`."""

    allocation: SpotAllocation | None = None
    """How EC2 chooses among Spot pools; `None` leaves it to the service, or is not Spot."""

    market_type: str | None = None
    """The market type that the launch template must name, if any."""

    reservation_id: str | None = None
    """The one Capacity Reservation that the instances are taken from, if any."""

    reservation_group_arn: str | None = None
    """The group of Capacity Reservations that the instances are taken from, if any."""

    count: int | None = None
    """How many instances are reserved, where that was said."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @property
    def template_terms(self) -> tuple[str | None, ...]:
        """What the launch template must say of it; all `None` where nothing is reserved."""
        return self.market_type, self.reservation_id, self.reservation_group_arn

    @property
    def takes_new_placement_group(self) -> bool:
        """Whether they may be launched into one that the reservation does not know."""
        return self.template_terms == (None, None, None)

    @classmethod
    def on_demand(cls) -> Self:
        """On-Demand instances, what a node group uses unless told otherwise."""
        return cls(purchase_option="ONDEMAND")

    @classmethod
    @judged
    def spot(cls, *, allocation: SpotAllocation | None = None) -> Self:
        """Spot instances: cheaper, and taken back with two minutes' notice.

        The account needs the service-linked role `AWSServiceRoleForEC2Spot`, which
        `aws iam create-service-linked-role --aws-service-name spot.amazonaws.com` makes once, or
        `SpotServiceLinkedRole`.

        Args:
            allocation: How EC2 chooses among Spot pools. By default the service's own default,
                `lowest-price`.
        """
        return cls(purchase_option="SPOT", allocation=allocation)

    @classmethod
    @judged
    def reservation(cls, reservation_id: str, *, count: int | None = None) -> Self:
        """On-Demand instances out of one targeted Capacity Reservation, and no others.

        Where the reservation is used up, instances do not start: `reserved` goes on without.

        Args:
            reservation_id: The ID of the reservation, such as `cr-0123456789abcdef0`.
            count: How many instances are reserved, to check the scaling against. By default that
                is not checked.

        Source: Using ODCRs with AWS PCS, "Direct ODCR association".
        """
        return cls(purchase_option="ONDEMAND", reservation_id=reservation_id, count=count)

    @classmethod
    @judged
    def reserved(cls, reservation_group_arn: str, *, count: int | None = None) -> Self:
        """On-Demand instances out of a group of Capacity Reservations, and beside them after that.

        Args:
            reservation_group_arn: The ARN of a resource group that holds the reservations.
                `CapacityReservationGroup` makes such a group.
            count: How many instances are reserved, to be told where the scaling may go beyond them.
                By default that is not checked.

        Source: Using ODCRs with AWS PCS.
        """
        return cls(
            purchase_option="ONDEMAND", reservation_group_arn=reservation_group_arn, count=count
        )

    @classmethod
    @judged
    def block(cls, reservation_id: str, *, count: int | None = None) -> Self:
        """Instances out of a Capacity Block for ML: reserved for some days, mostly with GPUs.

        When the block ends, its instances end, and the node group has none. The node group names
        one instance type, and its subnet is in the block's Availability Zone.

        Args:
            reservation_id: The ID of the block's Capacity Reservation, such as `cr-0123456789`.
            count: How many instances were bought, to check the scaling against. By default that is
                not checked.
        """
        return cls(
            purchase_option="CAPACITY_BLOCK",
            market_type="capacity-block",
            reservation_id=reservation_id,
            count=count,
        )

    @classmethod
    @judged
    def interruptible(cls, reservation_id: str, *, count: int | None = None) -> Self:
        """Instances out of an interruptible Capacity Reservation: reclaimed at short notice.

        The node group is dynamic: there is no promise that an instance is there.

        Args:
            reservation_id: The ID of the reservation, such as `cr-0123456789`.
            count: How many instances are reserved, to check the scaling against. By default that
                is not checked.
        """
        return cls(
            purchase_option="INTERRUPTIBLE_CAPACITY_RESERVATION",
            market_type="interruptible-capacity-reservation",
            reservation_id=reservation_id,
            count=count,
        )
