"""What the health checks of a node group show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.facts.evidence import Evidence
from pcs_constructs.templates.members import instance_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.model.errors import Unknown
    from pcs_constructs.model.slurm import SlurmVersion
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_CHECKS: Final = "InstanceHealthChecks"
_MONITORING: Final = (_CHECKS, "HealthMonitoring")
_ON_START: Final = (_CHECKS, "DeepHealthChecks", "OnStart")


def health_checks_evidence(
    group: ResolvedResource, slurm: SlurmVersion | Unknown
) -> Iterator[Evidence]:
    """What AWS PCS is asked to check of the instances."""
    if group.get(_CHECKS) in (None, UNKNOWN):
        return
    types = instance_types(group)
    yield Evidence(
        facts=rules.HealthChecksFacts(
            mode=group.text(*_MONITORING, "Mode"),
            repair=group.text(*_MONITORING, "RepairAction"),
            profile=group.text(*_ON_START, "Profile"),
            profile_repair=group.text(*_ON_START, "RepairAction"),
            incomplete=tuple(_incomplete(group)),
            slurm=slurm,
            gpu_makers={}
            if types is UNKNOWN
            else {name: facts.gpu_manufacturer for name, facts in instances.known(types).items()},
        ),
        resource=group,
        locations={"health_checks": (_CHECKS,)},
    )


def _incomplete(group: ResolvedResource) -> Iterator[str]:
    parts: tuple[tuple[Path, str], ...] = (
        (_MONITORING, "Mode"),
        (_ON_START[:2], "OnStart"),
        (_ON_START, "Profile"),
    )
    there = [(path, needed) for path, needed in parts if group.has(*path)]
    if all(group.get(*path) is None for path, _ in parts):
        yield ""
    for path, needed in there:
        if group.get(*path, needed) is None:
            yield str(path[-1])
