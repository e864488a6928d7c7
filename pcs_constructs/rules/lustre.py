"""Rules for Amazon FSx for Lustre."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.file_systems import KINDS
from pcs_constructs.rules.fsx import start_time_violations
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_THROUGHPUT: Final[Mapping[str, tuple[int, ...]]] = {
    "PERSISTENT_1": (50, 100, 200),
    "PERSISTENT_2": (125, 250, 500, 1000),
}

# GiB by MB/s/TiB: each file server comes with as much.
_EFA_STEPS: Final[Mapping[int | Unknown | None, int]] = {
    125: 38_400,
    250: 19_200,
    500: 9_600,
    1000: 4_800,
}


@facts_record
class LustreFacts:
    """What an FSx for Lustre file system, or a reference to one, shows."""

    deployment_type: str | Unknown = UNKNOWN
    storage_type: str | Unknown = "SSD"
    capacity_gib: float | Unknown | None = UNKNOWN
    """`None` where it grows by itself."""
    throughput: int | Unknown | None = None
    drive_cache: bool = False
    read_cache_gib: float | Unknown | None = None
    metadata_iops: int | Unknown | None = None
    efa: bool = False
    kms_key: bool = False
    backup_days: int | Unknown = 0
    backup_start_time: str | Unknown | None = None
    log_group_name: str | Unknown | None = None
    file_system_id: str | Unknown = UNKNOWN
    mount_name: str | Unknown = UNKNOWN

    @property
    def persistent(self) -> bool | Unknown:
        """Whether data is replicated."""
        if self.deployment_type is UNKNOWN:
            return UNKNOWN
        return self.deployment_type.startswith("PERSISTENT")


@error("PCS504", LustreFacts)
def lustre_capacity_can_be_made(facts: LustreFacts) -> Iterator[Violation]:
    """A Lustre file system has a capacity that FSx makes.

    1,200 GiB, 2,400 GiB and every further 2,400 GiB; SCRATCH_1: every further 3,600 GiB. With HDD:
    multiples of 6,000 GiB at 12 MB/s/TiB and of 1,800 GiB at 40 MB/s/TiB. With EFA: multiples of
    38,400 GiB at 125 MB/s/TiB, 19,200 at 250, 9,600 at 500 and 4,800 at 1,000. Intelligent-Tiering
    grows by itself.

    Source: `StorageCapacity` of the FSx `CreateFileSystem` API; Increasing storage capacity in the
    FSx for Lustre User Guide.
    """
    if UNKNOWN in {facts.capacity_gib, facts.deployment_type, facts.storage_type}:
        return
    capacity = facts.capacity_gib
    assert capacity is not UNKNOWN
    if facts.storage_type == "INTELLIGENT_TIERING":
        if capacity is not None:
            yield Violation(
                "capacity",
                "is given, and Intelligent-Tiering grows by itself",
                "leave capacity out, or use LustreStorageType.SSD",
                template_fix="leave StorageCapacity out, or use StorageType SSD",
            )
        return
    if capacity is None:
        return
    if facts.storage_type == "HDD":
        if facts.throughput not in {12, 40}:  # PCS505 tells
            return
        first, step = (), 1800 if facts.throughput == 40 else 6000
    elif facts.efa and facts.deployment_type == "PERSISTENT_2" and facts.throughput in _EFA_STEPS:
        first, step = (), _EFA_STEPS[facts.throughput]
    else:
        first, step = (1200, 2400), 3600 if facts.deployment_type == "SCRATCH_1" else 2400
    if capacity in first or (capacity >= step and capacity % step == 0):
        return
    if first == () and facts.storage_type == "SSD":
        below = max(int(capacity // step), 1) * step
        yield Violation(
            "capacity",
            f"a file system with EFA and {facts.throughput} MB/s/TiB cannot have {capacity:g} GiB",
            f"use cdk.Size.gibibytes of {below}, or of 4800 with throughput=1000",
            template_fix=f"use {below}, or 4800 with PerUnitStorageThroughput: 1000",
        )
        return
    multiples = {max(int(capacity // step), 1) * step, (int(capacity // step) + 1) * step}
    near = sorted({*first, *multiples}, key=lambda size: abs(size - capacity))[:2]
    sizes = " or ".join(str(size) for size in sorted(near))
    yield Violation(
        "capacity",
        f"{facts.deployment_type} {facts.storage_type} cannot have {capacity} GiB",
        f"use cdk.Size.gibibytes of {sizes}",
        template_fix=f"use {sizes}",
    )


@error("PCS505", LustreFacts)
def lustre_throughput_fits_the_deployment_type(facts: LustreFacts) -> Iterator[Violation]:
    """A persistent Lustre file system has a throughput that FSx makes, a scratch one has none.

    PERSISTENT_2: 125, 250, 500 or 1,000 MB/s for each TiB; PERSISTENT_1: 50, 100 or 200, with HDD
    12 or 40. The throughput of scratch file systems is fixed. Intelligent-Tiering has a throughput
    for all of it: 1,000, 2,000 or a multiple of 4,000 MB/s.

    Source: `PerUnitStorageThroughput` and `ThroughputCapacity` of the FSx API, botocore 1.44.8.
    """
    if UNKNOWN in {facts.deployment_type, facts.storage_type, facts.throughput}:
        return
    if facts.storage_type == "INTELLIGENT_TIERING":
        value = facts.throughput if isinstance(facts.throughput, (int, float)) else 0
        if value not in {1000, 2000} and (not 4000 <= value <= 2_000_000 or value % 4000):
            yield Violation(
                "throughput",
                f"cannot be {facts.throughput} MB/s with Intelligent-Tiering"
                if facts.throughput is not None
                else "must be given with Intelligent-Tiering",
                "use 1000, 2000, or a multiple of 4000 up to 2000000",
            )
        return
    assert facts.deployment_type is not UNKNOWN
    if not facts.persistent:
        if facts.throughput is not None:
            yield Violation(
                "throughput",
                f"{facts.deployment_type} has a fixed throughput, got {facts.throughput}",
                "leave throughput out, or use LustreDeploymentType.PERSISTENT_2",
                template_fix="leave PerUnitStorageThroughput out, or use DeploymentType "
                "PERSISTENT_2",
            )
        return
    allowed = (
        (12, 40) if facts.storage_type == "HDD" else _THROUGHPUT.get(facts.deployment_type, ())
    )
    if allowed and facts.throughput not in allowed:
        yield Violation(
            "throughput",
            f"{facts.deployment_type} {facts.storage_type} "
            + (
                f"cannot have {facts.throughput} MB/s/TiB"
                if facts.throughput is not None
                else "must be given one"
            ),
            f"use {', '.join(str(value) for value in allowed[:-1])} or {allowed[-1]}",
        )


@error("PCS506", LustreFacts)
def lustre_key_needs_a_persistent_type(facts: LustreFacts) -> Iterator[Violation]:
    """A KMS key of your own is given to a persistent Lustre file system only.

    Scratch file systems are encrypted as well, with a key that the service owns.

    Source: `KmsKeyId` of the FSx API; AWS ParallelCluster's checks of FSx.
    """
    if facts.kms_key and facts.persistent is False:
        yield Violation(
            "kms_key",
            f"{facts.deployment_type} takes no key of yours",
            "leave kms_key out, or use LustreDeploymentType.PERSISTENT_2",
            template_fix="leave KmsKeyId out, or use DeploymentType PERSISTENT_2",
        )


@error("PCS507", LustreFacts)
def lustre_backups_need_a_persistent_type(facts: LustreFacts) -> Iterator[Violation]:
    """Automatic backups, kept for 0 to 90 days, are made of persistent Lustre file systems only.

    Source: `AutomaticBackupRetentionDays` of the FSx API.
    """
    if facts.backup_days is UNKNOWN:
        return
    if facts.backup_days and facts.persistent is False:
        yield Violation(
            "backup_retention",
            f"{facts.deployment_type} cannot be backed up",
            "leave backup_retention out, or use LustreDeploymentType.PERSISTENT_2",
            template_fix="leave AutomaticBackupRetentionDays out, or use DeploymentType "
            "PERSISTENT_2",
        )
    if not 0 <= facts.backup_days <= 90:
        yield Violation(
            "backup_retention",
            f"of {facts.backup_days} days",
            "give at most cdk.Duration.days(90)",
            template_fix="give 0 to 90 days",
        )


@error("PCS510", LustreFacts)
def lustre_reference_is_complete(facts: LustreFacts) -> Iterator[Violation]:
    """An imported Lustre file system is named by its ID and its mount name.

    Source: `FileSystemId` and `LustreMountName` of the FSx API.
    """
    yield from identifier_violations(
        "file_system_id", facts.file_system_id, r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0"
    )
    yield from identifier_violations(
        "mount_name", facts.mount_name, r"[A-Za-z0-9_-]{1,8}", "a1b2cbev"
    )


@advice("PCS512", LustreFacts)
def lustre_data_outlives_a_server(facts: LustreFacts) -> Iterator[Violation]:
    """Data that cannot be made again is not on a scratch file system.

    Scratch file systems are not replicated: when a file server fails, files are lost.

    Source: Deployment options for FSx for Lustre file systems.
    """
    if facts.persistent is False:
        yield Violation(
            "deployment_type",
            f"{facts.deployment_type} does not replicate data",
            "acknowledge this for scratch data, or use LustreDeploymentType.PERSISTENT_2",
            template_fix="suppress this for scratch data, or use DeploymentType PERSISTENT_2",
        )


@error("PCS515", LustreFacts)
def lustre_storage_type_fits_the_deployment_type(facts: LustreFacts) -> Iterator[Violation]:
    """HDD is for PERSISTENT_1, Intelligent-Tiering for PERSISTENT_2, SSD for all.

    HDD may be read through an SSD cache, and Intelligent-Tiering is, in proportion to its
    throughput or of 32 to 131,072 GiB for each 4,000 MB/s.

    Source: `StorageType`, `DriveCacheType` and `DataReadCacheConfiguration` of the FSx API.
    """
    for storage_type, deployment_type in (
        ("HDD", "PERSISTENT_1"),
        ("INTELLIGENT_TIERING", "PERSISTENT_2"),
    ):
        if facts.storage_type == storage_type and facts.deployment_type not in {
            UNKNOWN,
            deployment_type,
        }:
            yield Violation(
                "storage_type",
                f"{facts.deployment_type} cannot be on {storage_type}",
                f"use LustreDeploymentType.{deployment_type}, or LustreStorageType.SSD",
                template_fix=f"use DeploymentType {deployment_type}, or StorageType SSD",
            )
    if facts.drive_cache and facts.storage_type not in {UNKNOWN, "HDD"}:
        yield Violation("drive_cache", f"is for HDD, not {facts.storage_type}", "leave it out")
    if facts.read_cache_gib is None:
        return
    if facts.storage_type not in {UNKNOWN, "INTELLIGENT_TIERING"}:
        yield Violation(
            "read_cache", f"is for Intelligent-Tiering, not {facts.storage_type}", "leave it out"
        )
    elif facts.read_cache_gib is not UNKNOWN and isinstance(facts.throughput, (int, float)):
        least, most = (int(size * facts.throughput / 4000) for size in (32, 131_072))
        size = facts.read_cache_gib
        if size and (not least <= size <= most or size % 1):
            yield Violation(
                "read_cache",
                f"of {size:g} GiB at {facts.throughput} MB/s",
                f"give {least} to {most} whole GiB, or 0 for none",
            )


@error("PCS516", LustreFacts)
def lustre_metadata_iops_can_be_made(facts: LustreFacts) -> Iterator[Violation]:
    """Metadata IOPS are 1,500, 3,000, 6,000 or a multiple of 12,000 up to 192,000.

    They are for PERSISTENT_2, of SSD and Intelligent-Tiering alike.

    Source: `MetadataConfiguration` of the FSx API, botocore 1.44.8.
    """
    if facts.metadata_iops is None:
        return
    if facts.deployment_type not in {UNKNOWN, "PERSISTENT_2"}:
        yield Violation(
            "metadata_iops",
            f"{facts.deployment_type} has none to choose",
            "leave metadata_iops out, or use LustreDeploymentType.PERSISTENT_2",
            template_fix="leave MetadataConfiguration out, or use DeploymentType PERSISTENT_2",
        )
        return
    if facts.metadata_iops is UNKNOWN:
        return
    if facts.metadata_iops not in {1500, 3000, 6000, *range(12000, 192_001, 12000)}:
        yield Violation(
            "metadata_iops",
            f"cannot be {facts.metadata_iops}",
            "use 1500, 3000, 6000 or a multiple of 12000 up to 192000",
        )


@error("PCS517", LustreFacts)
def lustre_efa_needs_persistent_ssd(facts: LustreFacts) -> Iterator[Violation]:
    """A Lustre file system that is reached by EFA is a PERSISTENT_2 one.

    Nodes need FSx's EFA client in their image; without it they use TCP as ever.

    Source: Working with EFA-enabled file systems in the FSx for Lustre User Guide.
    """
    if facts.efa and facts.deployment_type not in {UNKNOWN, "PERSISTENT_2"}:
        yield Violation(
            "efa",
            f"{facts.deployment_type} has no EFA",
            "leave efa out, or use LustreDeploymentType.PERSISTENT_2",
            template_fix="leave EfaEnabled out, or use DeploymentType PERSISTENT_2",
        )


@error("PCS518", LustreFacts)
def lustre_backups_begin_at_a_time(facts: LustreFacts) -> Iterator[Violation]:
    """The time at which daily backups begin is written `HH:MM`, and backups are made.

    Source: `DailyAutomaticBackupStartTime` of the FSx API.
    """
    yield from start_time_violations(facts.backup_days, facts.backup_start_time)


@error("PCS519", LustreFacts)
def lustre_log_group_is_named_for_fsx(facts: LustreFacts) -> Iterator[Violation]:
    """The log group of a Lustre file system has a name that begins with `/aws/fsx/`.

    Source: `LogConfiguration` of the FSx API, "Destination".
    """
    if (
        facts.log_group_name is not None
        and facts.log_group_name is not UNKNOWN
        and not facts.log_group_name.startswith("/aws/fsx/")
    ):
        yield Violation(
            "log_group",
            f"is called {facts.log_group_name!r}",
            "make it with log_group_name='/aws/fsx/lustre'",
            template_fix="give the log group a name such as /aws/fsx/lustre",
        )


@facts_record
class RepositoriesFacts:
    """The data repositories of a Lustre file system."""

    deployment_type: str | Unknown = UNKNOWN
    storage_type: str | Unknown = UNKNOWN
    backup_days: int | Unknown = 0
    paths: tuple[str | Unknown, ...] = ()
    sources: tuple[str | Unknown, ...] = ()
    """The buckets and prefixes, with something in the place of a bucket's name made later."""

    def with_repository(self, path: str | Unknown, source: str | Unknown) -> RepositoriesFacts:
        """The same with one more."""
        return replace(self, paths=(*self.paths, path), sources=(*self.sources, source))


@error("PCS520", RepositoriesFacts)
def data_repositories_suit_the_deployment_type(facts: RepositoriesFacts) -> Iterator[Violation]:
    """Data repositories are linked to any Lustre but SCRATCH_1 and Intelligent-Tiering, at most 8.

    Source: Using data repositories in the FSx for Lustre User Guide.
    """
    if facts.deployment_type == "SCRATCH_1" and facts.paths:
        yield Violation(
            "deployment_type",
            "SCRATCH_1 has no data repository associations",
            "use LustreDeploymentType.SCRATCH_2",
            template_fix="use SCRATCH_2",
        )
    if facts.storage_type == "INTELLIGENT_TIERING" and facts.paths:
        yield Violation(
            "storage_type",
            "is INTELLIGENT_TIERING, which has no data repository associations",
            "use LustreStorageType.SSD",
            template_fix="use SSD",
        )
    if len(facts.paths) > 8:
        yield Violation(
            "path", f"is number {len(facts.paths)}, and 8 are the most", "leave one out"
        )


@error("PCS521", RepositoriesFacts)
def data_repositories_have_directories_of_their_own(
    facts: RepositoriesFacts,
) -> Iterator[Violation]:
    """A data repository is shown in a directory of its own, given by an absolute path.

    None is inside another: beside one at `/` there is no other. Nor does a bucket and prefix cover
    another's; prefixes are compared by their directories, so `data` does not cover `data2`.

    Source: `FileSystemPath` of `AWS::FSx::DataRepositoryAssociation`.
    """
    known = [path for path in facts.paths if path is not UNKNOWN]
    if not known or facts.paths[-1] is UNKNOWN:
        return
    path = known[-1]
    if not path.startswith("/") or "//" in path or len(path) > 4096:
        yield Violation("path", f"{path!r} is no absolute path", "write one like '/data'")
    source = facts.sources[-1] if facts.sources else UNKNOWN
    for other in facts.sources[:-1]:
        if UNKNOWN not in {source, other} and _covers(str(source), str(other)):
            yield Violation(
                "prefix",
                "is of a bucket that is linked already, and one covers the other",
                "give each a prefix of its own, such as 'raw/' and 'results/'",
            )
    for other in known[:-1]:
        inner, outer = sorted((path.rstrip("/") + "/", other.rstrip("/") + "/"), reverse=True)
        if inner.startswith(outer):
            yield Violation(
                "path",
                f"{path!r} and {other!r} are one inside the other",
                "use directories beside each other, such as '/data' and '/models'",
            )


def _covers(one: str, other: str) -> bool:
    short, long = sorted((one.rstrip("/") + "/", other.rstrip("/") + "/"), key=len)
    return long.startswith(short)


@error("PCS522", RepositoriesFacts)
def linked_file_systems_are_not_backed_up(facts: RepositoriesFacts) -> Iterator[Violation]:
    """A Lustre file system with data repositories has no automatic backups.

    Its data is in the bucket.

    Source: Working with backups in the FSx for Lustre User Guide; checks of AWS ParallelCluster.
    """
    if facts.paths and facts.backup_days is not UNKNOWN and facts.backup_days:
        yield Violation(
            "backup_retention",
            f"of {facts.backup_days} days, and S3 is linked",
            "leave backup_retention out, or the data repository",
            template_fix="leave AutomaticBackupRetentionDays out, or the data repository",
        )


@facts_record
class LustrePortsFacts:
    """What the security groups of Lustre servers let in."""

    ports: tuple[tuple[int, int], ...] | Unknown
    """The first and the last port of each range; all of them are 0 to 65535."""


@advice("PCS580", LustrePortsFacts)
def lustre_ports_are_open(facts: LustrePortsFacts) -> Iterator[Violation]:
    """The security groups of Lustre servers let in ports 988 and 1018 to 1023.

    Older guides and templates have 1021 to 1023 only. Which clients still come along with these is
    not documented, so this is advice.

    Source: File system access control with Amazon VPC in the FSx for Lustre User Guide.
    """
    if facts.ports is UNKNOWN:
        return
    opened = facts.ports
    closed = [
        port
        for ports in KINDS["LUSTRE"].ports
        for port in range(ports.first, ports.last + 1)
        if not any(first <= port <= last for first, last in opened)
    ]
    if closed:
        yield Violation(
            "security_groups",
            f"do not let in {', '.join(map(str, closed))}",
            "open TCP 988 and 1018 to 1023 to the nodes and between the servers",
        )
