"""How many nodes, how large a controller, and how the instances are bought."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Self

from pcs_constructs.errors import Breach, PcsValidationError, Problem

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


def scaling_breaches(minimum: int, maximum: int) -> Iterator[Breach]:
    """What AWS PCS would refuse in a node group's minimum and maximum instance count."""
    if minimum < 0 or maximum < minimum:
        yield Breach(
            "scaling",
            f"a minimum of {minimum} and a maximum of {maximum} instances",
            "write Scaling.static(1) or Scaling.dynamic(max=4)",
        )
    elif minimum not in {0, maximum}:
        yield Breach(
            "scaling",
            f"static and dynamic instances cannot mix, got min={minimum}, max={maximum}",
            f"write Scaling.static({minimum}) and a second node group with "
            f"Scaling.dynamic(max={maximum - minimum}) in the same queue",
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
            breach = Breach(
                "scaling", "always 0 instances", "write Scaling.dynamic(max=0) for none"
            )
            raise PcsValidationError("Scaling", [Problem(code="PCS210", **breach._asdict())])
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
            breaches = [
                Breach(
                    "scaling",
                    f"counts are whole numbers known at synthesis, got min={self.min!r}, "
                    f"max={self.max!r}",
                    "pass an int; read it from CDK context rather than a CloudFormation parameter",
                )
            ]
        else:
            breaches = list(scaling_breaches(self.min, self.max))
        if breaches:
            raise PcsValidationError(
                "Scaling", [Problem(code="PCS210", **breach._asdict()) for breach in breaches]
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

    Source: `PurchaseOption` and `SpotOptions` of `AWS::PCS::ComputeNodeGroup`.
    """

    purchase_option: str
    """The service's word for it, such as `ONDEMAND`."""

    allocation: SpotAllocation | None = None
    """How EC2 chooses among Spot pools; `None` leaves it to the service, or is not Spot."""

    @classmethod
    def on_demand(cls) -> Self:
        """On-Demand instances, what a node group uses unless told otherwise."""
        return cls(purchase_option="ONDEMAND")

    @classmethod
    def spot(cls, *, allocation: SpotAllocation | None = None) -> Self:
        """Spot instances: cheaper, and taken back with two minutes' notice.

        The account needs the service-linked role `AWSServiceRoleForEC2Spot`, which
        `aws iam create-service-linked-role --aws-service-name spot.amazonaws.com` makes once.

        Args:
            allocation: How EC2 chooses among Spot pools. By default the service's own default,
                `lowest-price`.
        """
        return cls(purchase_option="SPOT", allocation=allocation)
