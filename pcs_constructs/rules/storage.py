"""Rules for file systems and for where they are mounted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pcs_constructs.errors import UNKNOWN, Breach, Unknown
from pcs_constructs.rules.names import identifier_breaches
from pcs_constructs.rules.rule import advice, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SYSTEM_DIRECTORIES: Final = frozenset(
    (
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/opt/amazon",
        "/opt/aws",
        "/opt/pcs-constructs",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/sys",
        "/tmp",
        "/usr",
        "/var",
    )
)

_MOUNT_POINT: Final = re.compile(r"/[A-Za-z0-9._+@=/-]+")

_THROUGHPUT: Final[Mapping[str, tuple[int, ...]]] = {
    "PERSISTENT_1": (50, 100, 200),
    "PERSISTENT_2": (125, 250, 500, 1000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MountFacts:
    """The mount points of a node."""

    paths: tuple[str | Unknown, ...]


@error("PCS501", MountFacts)
def mount_points_are_absolute(facts: MountFacts) -> Iterator[Breach]:
    """A mount point is an absolute path of plain characters, without `.`, `..` or a slash at last.

    It becomes a field of `/etc/fstab`, where a space would end it. Letters, digits and `._+@=-` are
    safe there, in the shell and in YAML.

    Source: `fstab(5)`.
    """
    for path in facts.paths:
        if path is UNKNOWN:
            continue
        parts = path.split("/")[1:]
        if not _MOUNT_POINT.fullmatch(path) or any(part in {"", ".", ".."} for part in parts):
            yield Breach(
                "mounts",
                f"{path!r} is not a mount point",
                "write an absolute path such as '/shared', without spaces or a slash at the end",
            )


@error("PCS502", MountFacts)
def mount_points_spare_the_system(facts: MountFacts) -> Iterator[Breach]:
    """No file system is mounted over a directory that the operating system or PCS needs.

    Mounting over `/usr`, `/etc`, `/var` or what is below them, or over `/opt/aws` where the PCS
    agent and Slurm are, hides files that the node cannot start without.

    Source: `shared_storage_mount_dir` checks of AWS ParallelCluster; Software installers for PCS.
    """
    for path in facts.paths:
        if path is UNKNOWN:
            continue
        taken = [d for d in _SYSTEM_DIRECTORIES if path == d or path.startswith(f"{d}/")]
        if taken or path in {"/", "/opt"}:
            yield Breach(
                "mounts",
                f"{path!r} hides what the node needs in {taken[0] if taken else path}",
                "use a directory of its own, such as '/shared'",
            )


@error("PCS503", MountFacts)
def mount_points_do_not_overlap(facts: MountFacts) -> Iterator[Breach]:
    """No mount point is inside another.

    The inner one would be a directory in the outer file system, which every cluster that shares the
    outer one would see empty, and neither could be unmounted alone.

    Source: `OverlappingMountDir` of AWS ParallelCluster.
    """
    paths = sorted(path for path in facts.paths if path is not UNKNOWN)
    for outer in paths:
        for inner in paths:
            if inner.startswith(f"{outer}/"):
                yield Breach(
                    "mounts",
                    f"{inner!r} is inside {outer!r}",
                    "use directories beside each other, such as '/shared' and '/scratch'",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsFacts:
    """What a reference to an EFS file system shows."""

    file_system_id: str | Unknown


@error("PCS511", EfsFacts)
def efs_file_system_id_is_an_id(facts: EfsFacts) -> Iterator[Breach]:
    """An EFS file system is referred to by its ID.

    Source: `FileSystemId` of the EFS API.
    """
    yield from identifier_breaches(
        "file_system_id", facts.file_system_id, r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MountTargetFacts:
    """Where a file system's mount targets are to be made."""

    availability_zones: tuple[str | Unknown, ...]


@error("PCS508", MountTargetFacts)
def mount_targets_are_one_to_a_zone(facts: MountTargetFacts) -> Iterator[Breach]:
    """An EFS file system has at least one mount target, and at most one in an Availability Zone.

    EFS refuses a second one in a zone. Nodes in the zone's other subnets use it all the same.

    Source: Managing mount targets in the Amazon EFS User Guide; aws-cdk issue 10170.
    """
    if not facts.availability_zones:
        yield Breach("subnets", "names no subnet", "leave subnets out to use one in each zone")
    for zone, count in Counter(z for z in facts.availability_zones if z is not UNKNOWN).items():
        if count > 1:
            yield Breach(
                "subnets",
                f"{count} of them are in {zone}",
                "pass one subnet for each Availability Zone",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreFacts:
    """What an FSx for Lustre file system, or a reference to one, shows."""

    deployment_type: str | Unknown = UNKNOWN
    storage_type: str | Unknown = "SSD"
    capacity_gib: float | Unknown = UNKNOWN
    throughput: int | Unknown | None = None
    kms_key: bool = False
    backup_days: int | Unknown = 0
    file_system_id: str | Unknown = UNKNOWN
    mount_name: str | Unknown = UNKNOWN

    @property
    def persistent(self) -> bool | Unknown:
        """Whether data is replicated."""
        if self.deployment_type is UNKNOWN:
            return UNKNOWN
        return self.deployment_type.startswith("PERSISTENT")


@error("PCS504", LustreFacts)
def lustre_capacity_can_be_made(facts: LustreFacts) -> Iterator[Breach]:
    """A Lustre file system has a capacity that FSx makes.

    1,200 GiB, 2,400 GiB and every further 2,400 GiB; SCRATCH_1: every further 3,600 GiB. With HDD:
    multiples of 6,000 GiB at 12 MB/s/TiB and of 1,800 GiB at 40 MB/s/TiB.

    Source: `StorageCapacity` of the FSx `CreateFileSystem` API.
    """
    if UNKNOWN in {facts.capacity_gib, facts.deployment_type, facts.storage_type}:
        return
    capacity = facts.capacity_gib
    assert capacity is not UNKNOWN
    if facts.storage_type == "HDD":
        if facts.throughput not in {12, 40}:  # PCS505 tells
            return
        first, step = (), 1800 if facts.throughput == 40 else 6000
    else:
        first, step = (1200, 2400), 3600 if facts.deployment_type == "SCRATCH_1" else 2400
    if capacity in first or (capacity >= step and capacity % step == 0):
        return
    multiples = {max(int(capacity // step), 1) * step, (int(capacity // step) + 1) * step}
    near = sorted({*first, *multiples}, key=lambda size: abs(size - capacity))[:2]
    yield Breach(
        "capacity",
        f"{facts.deployment_type} {facts.storage_type} cannot have {capacity} GiB",
        f"use cdk.Size.gibibytes of {' or '.join(str(size) for size in sorted(near))}",
    )


@error("PCS505", LustreFacts)
def lustre_throughput_fits_the_deployment_type(facts: LustreFacts) -> Iterator[Breach]:
    """A persistent Lustre file system has a throughput that FSx makes, a scratch one has none.

    PERSISTENT_2: 125, 250, 500 or 1,000 MB/s for each TiB; PERSISTENT_1: 50, 100 or 200, with HDD
    12 or 40. The throughput of scratch file systems is fixed.

    Source: `PerUnitStorageThroughput` of the FSx API.
    """
    if UNKNOWN in {facts.deployment_type, facts.storage_type, facts.throughput}:
        return
    if facts.storage_type not in {"SSD", "HDD"}:  # Intelligent-Tiering counts in another way
        return
    assert facts.deployment_type is not UNKNOWN
    if not facts.persistent:
        if facts.throughput is not None:
            yield Breach(
                "throughput",
                f"{facts.deployment_type} has a fixed throughput, got {facts.throughput}",
                "leave throughput out, or use LustreDeploymentType.PERSISTENT_2",
            )
        return
    allowed = (
        (12, 40) if facts.storage_type == "HDD" else _THROUGHPUT.get(facts.deployment_type, ())
    )
    if allowed and facts.throughput not in allowed:
        yield Breach(
            "throughput",
            f"{facts.deployment_type} {facts.storage_type} cannot have {facts.throughput} MB/s/TiB",
            f"use {', '.join(str(value) for value in allowed[:-1])} or {allowed[-1]}",
        )


@error("PCS506", LustreFacts)
def lustre_key_needs_a_persistent_type(facts: LustreFacts) -> Iterator[Breach]:
    """A KMS key of your own is given to a persistent Lustre file system only.

    Scratch file systems are encrypted as well, with a key that the service owns.

    Source: `KmsKeyId` of the FSx API; AWS ParallelCluster's checks of FSx.
    """
    if facts.kms_key and facts.persistent is False:
        yield Breach(
            "kms_key",
            f"{facts.deployment_type} takes no key of yours",
            "leave kms_key out, or use LustreDeploymentType.PERSISTENT_2",
        )


@error("PCS507", LustreFacts)
def lustre_backups_need_a_persistent_type(facts: LustreFacts) -> Iterator[Breach]:
    """Automatic backups, kept for 0 to 90 days, are made of persistent Lustre file systems only.

    Source: `AutomaticBackupRetentionDays` of the FSx API.
    """
    if facts.backup_days is UNKNOWN:
        return
    if facts.backup_days and facts.persistent is False:
        yield Breach(
            "backup_retention",
            f"{facts.deployment_type} cannot be backed up",
            "leave backup_retention out, or use LustreDeploymentType.PERSISTENT_2",
        )
    if not 0 <= facts.backup_days <= 90:
        yield Breach(
            "backup_retention", f"{facts.backup_days} days", "give at most cdk.Duration.days(90)"
        )


@error("PCS510", LustreFacts)
def lustre_reference_is_complete(facts: LustreFacts) -> Iterator[Breach]:
    """An imported Lustre file system is named by its ID and its mount name.

    Source: `FileSystemId` and `LustreMountName` of the FSx API.
    """
    yield from identifier_breaches(
        "file_system_id", facts.file_system_id, r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0"
    )
    yield from identifier_breaches(
        "mount_name", facts.mount_name, r"[A-Za-z0-9_-]{1,8}", "a1b2cbev"
    )


@advice("PCS512", LustreFacts)
def lustre_data_outlives_a_server(facts: LustreFacts) -> Iterator[Breach]:
    """Data that cannot be made again is not on a scratch file system.

    Scratch file systems are not replicated: when a file server fails, files are lost.

    Source: Deployment options for FSx for Lustre file systems.
    """
    if facts.persistent is False:
        yield Breach(
            "deployment_type",
            f"{facts.deployment_type} does not replicate data",
            "acknowledge this for scratch data, or use LustreDeploymentType.PERSISTENT_2",
        )
