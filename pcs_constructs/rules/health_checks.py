"""Rules for the health checks of instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.health_checks import DeepHealthCheck, RepairAction
from pcs_constructs.rules.rule import error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.slurm import SlurmVersion

_SINCE: Final = "26.05"
_MODES: Final = ("STANDARD", "NONE")
_PROFILES: Final = ("NONE", *(profile.value for profile in DeepHealthCheck))
_REPAIRS: Final = tuple(action.value for action in RepairAction)


@facts_record
class HealthChecksFacts:
    """The health checks that a node group asks for."""

    mode: str | Unknown | None = None
    """The mode of watching running instances; `None` where nothing is said of that."""
    repair: str | Unknown | None = None
    profile: str | Unknown | None = None
    """The profile of the test at the start; `None` where nothing is said of that."""
    profile_repair: str | Unknown | None = None
    incomplete: tuple[str, ...] = ()
    """What is there without the one thing that it must have, such as a mode."""
    slurm: SlurmVersion | Unknown = UNKNOWN
    gpu_makers: Mapping[str, str | None]
    """By instance type, as far as it is known, who made its GPUs."""


@error("PCS226", HealthChecksFacts)
def health_checks_say_what_they_do(facts: HealthChecksFacts) -> Iterator[Violation]:
    """Health checks watch running instances, test those that start, or both.

    The API refuses empty ones, watching without a mode, and tests without a profile.

    Source: `InstanceHealthChecksRequest` of the API.
    """
    for name in facts.incomplete:
        yield Violation(
            "health_checks",
            f"has {name} that says nothing" if name else "says nothing",
            "write HealthChecks(monitoring=True), or leave it out",
            template_fix="write HealthMonitoring: {Mode: STANDARD}, or leave InstanceHealthChecks "
            "out",
        )
    for word, words in (
        (facts.mode, _MODES),
        (facts.profile, _PROFILES),
        (facts.repair, _REPAIRS),
        (facts.profile_repair, _REPAIRS),
    ):
        if word is not None and word is not UNKNOWN and word not in words:
            yield Violation("health_checks", f"has {word!r}", f"use one of {', '.join(words)}")


@error("PCS227", HealthChecksFacts)
def repairs_belong_to_a_check(facts: HealthChecksFacts) -> Iterator[Violation]:
    """What becomes of instances is said of a check that is made.

    Source: `repairAction` of `HealthMonitoring` and `DeepHealthCheckOnStart` of the API.
    """
    for check, repair, what in (
        (facts.mode, facts.repair, "instances are not watched"),
        (facts.profile, facts.profile_repair, "nothing is tested at the start"),
    ):
        if repair is not None and check in {None, "NONE"}:
            yield Violation(
                "health_checks",
                f"says what to do with an instance that fails, and {what}",
                "leave the repair action out, or turn the check on",
            )


@error("PCS228", HealthChecksFacts)
def health_checks_are_in_the_slurm_version(facts: HealthChecksFacts) -> Iterator[Violation]:
    """Health checks need Slurm 26.05.

    Source: `instanceHealthChecks` of the `CreateComputeNodeGroup` API.
    """
    if facts.slurm is not UNKNOWN and not facts.slurm.is_at_least(_SINCE):
        yield Violation(
            "health_checks",
            f"needs Slurm {_SINCE}, and the cluster has {facts.slurm.value}",
            f'give the cluster slurm=pcs.SlurmVersion.of("{_SINCE}"), or leave it out',
            template_fix=f"use Slurm {_SINCE} or newer, or leave InstanceHealthChecks out",
        )


@error("PCS229", HealthChecksFacts)
def tested_gpus_are_nvidias(facts: HealthChecksFacts) -> Iterator[Violation]:
    """Instances that are tested at the start have NVIDIA GPUs.

    Source: `profile` of `DeepHealthCheckOnStart` of the API.
    """
    if facts.profile in {None, UNKNOWN, "NONE"}:
        return
    for name, maker in facts.gpu_makers.items():
        if maker != "NVIDIA":
            yield Violation(
                "health_checks",
                f"tests GPUs, and {name} has {f'those of {maker}' if maker else 'none'}",
                "leave on_start out, or make a node group of instances with NVIDIA GPUs",
                template_fix="leave DeepHealthChecks out, or make a node group of instances with "
                "NVIDIA GPUs",
            )
