"""Slurm's versions and accounting, in the words of AWS PCS."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from pcs_constructs.model.annotations import fields_of, is_token_number, judge_fields, wrong_kinds
from pcs_constructs.model.errors import PcsValidationError, Problem, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import aws_cdk as cdk

CATALOG_DATE: Final = "2026-12-01"
"""The day this module's table of versions was last compared with the service's pages."""


class Release(NamedTuple):
    """What AWS PCS says of a version of Slurm."""

    end_of_life: str | None
    """The day support ends, as an ISO date; `None` where no date was published."""

    creatable: bool
    """Whether the `CreateCluster` API names it."""

    adds: tuple[str, ...]
    """What AWS PCS can do since this version."""


RELEASES: Final[Mapping[str, Release]] = {
    "23.11": Release("2025-05-31", False, ()),
    "24.05": Release("2025-11-30", False, ("updates of a cluster node by node",)),
    "24.11": Release("2026-05-31", True, ("accounting", "CLI filter plugins")),
    "25.05": Release(
        "2026-11-30",
        True,
        ("the REST API", "jobs are queued again when a node does not start"),
    ),
    "25.11": Release(
        None,
        True,
        (
            "metrics of Slurm itself",
            "audit logs",
            "idle times of node groups",
            "sockets of nodes",
            "GPUs that Slurm detects",
            "the controller stops on a QOS that is not there",
        ),
    ),
    "26.05": Release(
        None,
        True,
        (
            "GPUs and NUMA domains are told to Slurm unasked",
            "`CommitDelay=1` of the accounting database",
            "REST tokens name their user in the `id` claim",
        ),
    ),
}
"""Every version that AWS PCS had, oldest first.

Source: Slurm versions in AWS PCS and its release notes; `CreateCluster` of the API.
"""


@dataclass(frozen=True, slots=True)
class SlurmVersion:
    """A Slurm version, such as `SlurmVersion.V25_11`. The set is open: `SlurmVersion.of("26.11")`.

    Changing it updates a cluster in place, one to three versions upward at a time. A version that
    `CreateCluster` no longer takes is refused; for a cluster that runs it already write
    `SlurmVersion.of("24.05", past_end_of_life=True)`.

    Source: Slurm versions in AWS PCS; `scheduler.version` of the `CreateCluster` API.

    Raises:
        PcsValidationError: PCS112, when the text is not two numbers with a dot.
    """

    value: str
    """The version as AWS PCS writes it, such as `25.11`."""

    past_end_of_life: bool = field(default=False, compare=False, kw_only=True)
    """Whether it is meant although its end of life may be past."""

    V25_05: ClassVar[SlurmVersion]
    """Slurm 25.05. End of life is 2026-11-30."""

    V25_11: ClassVar[SlurmVersion]
    """Slurm 25.11, what a cluster runs unless told otherwise."""

    V26_05: ClassVar[SlurmVersion]
    """Slurm 26.05, the newest."""

    @classmethod
    def of(cls, value: str, *, past_end_of_life: bool = False) -> SlurmVersion:
        """Any other version, for example one that is newer than this library.

        Args:
            value: The version as AWS PCS writes it.
            past_end_of_life: Whether it is meant although no cluster is created with it any more,
                for one that runs it already. By default such a version is refused.
        """
        return cls(value, past_end_of_life=past_end_of_life)

    @property
    def end_of_life(self) -> str | None:
        """The day support ends, as an ISO date, or `None` when no date was published."""
        release = RELEASES.get(self.value)
        return release.end_of_life if release else None

    @property
    def adds(self) -> tuple[str, ...]:
        """What AWS PCS can do since this version, as far as this library knows it."""
        release = RELEASES.get(self.value)
        return release.adds if release else ()

    def is_at_least(self, version: str) -> bool:
        """Whether this version is `version` or newer."""
        return _ordinal(self.value) >= _ordinal(version)

    def __post_init__(self) -> None:
        problems = [
            problem
            for problem in wrong_kinds(SlurmVersion, fields_of(self))
            if problem.argument != "value"
        ]
        if type(self.value) is not str or not re.fullmatch(r"[0-9]{2}\.[0-9]{2}", self.value):
            problems.append(
                Problem(
                    code="PCS112",
                    argument="value",
                    message=f"{self.value!r} is not a Slurm version",
                    fix="write the major version as PCS does, for example '25.11'",
                )
            )
        if problems:
            raise PcsValidationError("SlurmVersion", problems)


SlurmVersion.V25_05 = SlurmVersion("25.05")
SlurmVersion.V25_11 = SlurmVersion("25.11")
SlurmVersion.V26_05 = SlurmVersion("26.05")

DEFAULT: Final = SlurmVersion.V25_11
"""What a cluster runs unless told otherwise, and what fixes name."""

DEFAULT_SPELLED: Final = f"SlurmVersion.V{DEFAULT.value.replace('.', '_')}"
"""The same as it is written in Python."""


def _ordinal(version: str) -> tuple[int, int]:
    year, month = version.split(".")
    return int(year), int(month)


def retention_violations(days: int) -> Iterator[Violation]:
    """What AWS PCS would refuse as the time that accounting records are kept."""
    if type(days) is not int or days == 0 or not -1 <= days <= 10_000:
        yield Violation(
            "retention_days",
            f"{days!r} is not a whole number from 1 to 10000",
            "give a number of days, or leave retention_days out to keep records for good",
            template_fix="give 1 to 10000 days, or -1 to keep records for good",
        )


class AccountingEnforcement(Enum):
    """What Slurm checks against the accounting database before it takes a job.

    Source: Slurm accounting in AWS PCS; `AccountingStorageEnforce` of `slurm.conf`.
    """

    ASSOCIATIONS = "associations"
    """Who submits has an account."""

    LIMITS = "limits"
    """The limits of accounts and users hold; with it, `ASSOCIATIONS` too."""

    QOS = "qos"
    """The quality of service is one that who submits may use."""

    SAFE = "safe"
    """A job starts only if a limit on minutes lets it end; with it, `LIMITS` too."""

    NOSTEPS = "nosteps"
    """Job steps are not recorded."""

    NOJOBS = "nojobs"
    """Jobs are not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Slurm accounting: PCS runs the database, `sacct` and `sreport` work. Needs Slurm 24.11.

    Accounts, users and QOS are made with `sacctmgr` on a login node: no template can make them.

    Source: Slurm accounting in AWS PCS; `Accounting` of `AWS::PCS::Cluster`.

    Args:
        retention_days: Days before a record is purged, 1 to 10000. By default nothing is purged.
        enforce: What is checked before a job is taken, such as
            `[pcs.AccountingEnforcement.LIMITS]`. By default nothing.
        qos: The QOS that you have made, beside `normal`, which is always there. Queues may name
            these and no others. By default not known, and a queue that names one is advised on.

    Raises:
        PcsValidationError: PCS109, when `retention_days` is out of range; PCS001 and PCS003, when
            `enforce` or `qos` is no list of its kind.
    """

    retention_days: int | None = None
    """Days before a record is purged; `None` keeps records for good."""

    enforce: Sequence[AccountingEnforcement] = ()
    """What is checked before a job is taken."""

    qos: Sequence[str] | None = None
    """The QOS that are in the accounting database; `None` where that is not known."""

    def __post_init__(self) -> None:
        problems = [*wrong_kinds(Accounting, fields_of(self))]
        days = self.retention_days
        if isinstance(days, float) and is_token_number(days):
            problems.append(
                Problem(
                    code="PCS002",
                    argument="retention_days",
                    message="takes a whole number that is known at synthesis",
                    fix="write a number of days, or leave retention_days out",
                )
            )
        elif days is not None and type(days) is int:
            violations = retention_violations(days)
            problems += [Problem(code="PCS109", **violation._asdict()) for violation in violations]
        if problems:
            raise PcsValidationError("Accounting", problems)
        # What is checked must not change afterwards.
        object.__setattr__(self, "enforce", tuple(dict.fromkeys(self.enforce)))
        if self.qos is not None:
            object.__setattr__(self, "qos", tuple(self.qos))


class PreemptMode(Enum):
    """What happens to a job that has to make room for another.

    Source: `PreemptMode` of `slurm.conf`.
    """

    REQUEUE = "REQUEUE"
    """It goes back into its queue, and starts again from its beginning."""

    CANCEL = "CANCEL"
    """It ends."""

    SUSPEND = "SUSPEND"
    """It stops and keeps its memory, until the other has ended. The two share their nodes."""

    OFF = "OFF"
    """Nothing: its queue is spared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemption:
    """How jobs make room for more important ones: see `by_queue` and `by_qos`.

    Source: Custom Slurm settings for AWS PCS clusters; `PreemptType`, `PreemptMode` and
    `PreemptExemptTime` of `slurm.conf`.

    Raises:
        PcsValidationError: PCS003, when `type` or `mode` is something else.
    """

    type: str
    """What decides who is more important, in Slurm's words."""

    mode: PreemptMode
    """What happens to the others, unless their queue says otherwise."""

    exempt_time: cdk.Duration | None = None
    """How long a job runs before it may have to make room."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def by_queue(
        cls, *, mode: PreemptMode = PreemptMode.REQUEUE, exempt_time: cdk.Duration | None = None
    ) -> Preemption:
        """Jobs of a queue with a higher `priority_tier` go first.

        Args:
            mode: What happens to the others, unless their queue has a `preempt_mode`. By default
                they are queued again.
            exempt_time: How long a job runs before it may have to make room. By default not at all.
        """
        return cls(type="preempt/partition_prio", mode=mode, exempt_time=exempt_time)

    @classmethod
    def by_qos(
        cls, *, mode: PreemptMode = PreemptMode.REQUEUE, exempt_time: cdk.Duration | None = None
    ) -> Preemption:
        """Jobs whose QOS says that it preempts others go first. This needs accounting.

        Args:
            mode: What happens to the others, unless their QOS says. By default they are queued
                again.
            exempt_time: How long a job runs before it may have to make room. By default not at all.
        """
        return cls(type="preempt/qos", mode=mode, exempt_time=exempt_time)
