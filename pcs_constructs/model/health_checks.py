"""Health checks of instances, which AWS PCS makes while nodes run and when they start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pcs_constructs.model.annotations import judge_fields


class RepairAction(Enum):
    """What AWS PCS does with an instance that is not well.

    Source: `HealthMonitoringRepairAction` of the API.
    """

    AUTO = "AUTO"
    """What suits the fault: AWS PCS chooses."""

    REPLACE = "REPLACE"
    """Another instance takes its place, after its jobs or before it takes any."""

    ISOLATE = "ISOLATE"
    """It takes no more jobs, and stays to be looked at."""

    NONE = "NONE"
    """Nothing: it is only told of."""


class DeepHealthCheck(Enum):
    """How thoroughly the GPUs of an instance are tested when it starts, by NVIDIA's DCGM.

    Source: `DeepHealthCheckOnStartProfile` of the API.
    """

    QUICK = "QUICK"
    """Level 1 of its diagnostics, which adds the least to the start."""

    MEDIUM = "MEDIUM"
    """Level 2."""

    LONG = "LONG"
    """Level 3, with stress tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecks:
    """What AWS PCS checks of the instances of a node group. Needs Slurm 26.05.

    Changing it replaces all instances of the group, each after its jobs.

    Args:
        monitoring: Whether running instances are watched for faults. By default not.
        repair: What becomes of one that has a fault. By default AWS PCS chooses.
        on_start: How thoroughly GPUs are tested before an instance takes jobs, after its scripts of
            the stage NodeBootstrapped. By default not at all.
        on_start_repair: What becomes of one that fails that test. By default AWS PCS chooses.

    Source: Configure instance health checks for a compute node group; `InstanceHealthChecks` of the
    API.
    """

    monitoring: bool = False
    """Whether running instances are watched for faults."""

    repair: RepairAction | None = None
    """What becomes of one that has a fault; `None` leaves it to AWS PCS."""

    on_start: DeepHealthCheck | None = None
    """How thoroughly GPUs are tested before an instance takes jobs; `None` is not at all."""

    on_start_repair: RepairAction | None = None
    """What becomes of one that fails that test; `None` leaves it to AWS PCS."""

    def __post_init__(self) -> None:
        judge_fields(self)
