"""Slurm's versions and accounting, in the words of AWS PCS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from pcs_constructs.errors import Breach, PcsValidationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOG_DATE: Final = "2026-11-21"
"""The day this module's table of versions was last compared with the service's pages."""

END_OF_LIFE: Final = {
    "23.11": "2025-05-31",
    "24.05": "2025-11-30",
    "24.11": "2026-05-31",
    "25.05": "2026-11-30",
}
"""End of life by version, as the user guide gave it; newer versions had no date yet."""


@dataclass(frozen=True, slots=True)
class SlurmVersion:
    """A Slurm version, such as `SlurmVersion.V25_11`. The set is open: `SlurmVersion.of("26.11")`.

    Changing it updates a cluster in place, one to three versions upward at a time.

    Source: Slurm versions in AWS PCS; `scheduler.version` of the `CreateCluster` API.

    Raises:
        PcsValidationError: PCS112, when the text is not two numbers with a dot.
    """

    value: str
    """The version as AWS PCS writes it, such as `25.11`."""

    V25_05: ClassVar[SlurmVersion]
    """Slurm 25.05. End of life is 2026-11-30."""

    V25_11: ClassVar[SlurmVersion]
    """Slurm 25.11, what a cluster runs unless told otherwise."""

    V26_05: ClassVar[SlurmVersion]
    """Slurm 26.05, the newest."""

    @classmethod
    def of(cls, value: str) -> SlurmVersion:
        """Any other version, for example one that is newer than this library."""
        return cls(value)

    @property
    def end_of_life(self) -> str | None:
        """The day support ends, as an ISO date, or `None` when no date was published."""
        return END_OF_LIFE.get(self.value)

    def is_at_least(self, version: str) -> bool:
        """Whether this version is `version` or newer."""
        return _ordinal(self.value) >= _ordinal(version)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{2}\.[0-9]{2}", str(self.value)) or type(self.value) is not str:
            raise PcsValidationError(
                "SlurmVersion",
                [
                    Problem(
                        code="PCS112",
                        argument="value",
                        message=f"{self.value!r} is not a Slurm version",
                        fix="write the major version as PCS does, for example '25.11'",
                    )
                ],
            )


SlurmVersion.V25_05 = SlurmVersion("25.05")
SlurmVersion.V25_11 = SlurmVersion("25.11")
SlurmVersion.V26_05 = SlurmVersion("26.05")


def _ordinal(version: str) -> tuple[int, int]:
    year, month = version.split(".")
    return int(year), int(month)


def retention_breaches(days: int) -> Iterator[Breach]:
    """What AWS PCS would refuse as the time that accounting records are kept."""
    if type(days) is not int or days == 0 or not -1 <= days <= 10_000:
        yield Breach(
            "retention_days",
            f"{days!r} is not a whole number from 1 to 10000",
            "give a number of days, or leave retention_days out to keep records for good",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Slurm accounting: PCS runs the database, `sacct` and `sreport` work. Needs Slurm 24.11.

    Source: Slurm accounting in AWS PCS; `Accounting` of `AWS::PCS::Cluster`.

    Args:
        retention_days: Days before a record is purged, 1 to 10000. By default nothing is purged.

    Raises:
        PcsValidationError: PCS109, when `retention_days` is out of range.
    """

    retention_days: int | None = None
    """Days before a record is purged; `None` keeps records for good."""

    def __post_init__(self) -> None:
        breaches = (
            retention_breaches(self.retention_days) if self.retention_days is not None else ()
        )
        problems = [Problem(code="PCS109", **breach._asdict()) for breach in breaches]
        if problems:
            raise PcsValidationError("Accounting", problems)
