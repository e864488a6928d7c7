"""The ports of Slurm, of AWS and of people, which constructs open and `reach` looks for.

Those of file systems are with their kinds, in `file_systems`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pcs_constructs.model.annotations import judge_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """A range of ports that a file system needs open between it and the nodes."""

    protocol: Literal["tcp", "udp"] = "tcp"
    """The protocol."""

    first: int
    """The first port."""

    last: int
    """The last port."""

    def __post_init__(self) -> None:
        judge_fields(self)


SLURMCTLD: Final = 6817
"""Where nodes reach the controller. Source: Security groups in AWS PCS, as the next five."""

SLURMD: Final = 6818
"""Where the controller, and nodes that forward its messages, reach nodes."""

SLURMDBD: Final = 6819
"""Where nodes reach the accounting database, beside the controller."""

SLURMRESTD: Final = 6820
"""Where the REST API is, beside the controller."""

SRUN: Final = (60001, 63000)
"""Where `srun` waits for the nodes of its job, unless `SrunPortRange` says otherwise."""

SRUN_PORT_RANGE: Final = "{}-{}".format(*SRUN)
"""The same as Slurm writes it."""

SSH: Final = 22
HTTPS: Final = 443
DCV: Final = 8443
GRAFANA: Final = 3000

SERVICES: Final = {SSH: "SSH", GRAFANA: "Grafana", SLURMRESTD: "the REST API", DCV: "DCV"}
"""What is for people who come from outside, and by what name they know it."""
