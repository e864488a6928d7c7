"""Rules for Amazon FSx for OpenZFS."""

from __future__ import annotations

import re
from dataclasses import field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.fsx import (
    PlacementFacts,
    backup_violations,
    placement_violations,
    route_table_violations,
    whole,
)
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIRST: Final = (64, 128, 256, 512, 1024, 2048, 3072, 4096)
_SECOND: Final = (160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240)
_THROUGHPUT: Final[Mapping[str | Unknown, tuple[int, ...]]] = {
    "SINGLE_AZ_1": _FIRST,
    "SINGLE_AZ_HA_1": _FIRST,
    "SINGLE_AZ_2": _SECOND,
    "SINGLE_AZ_HA_2": _SECOND,
    "MULTI_AZ_1": _SECOND,
}
_MOST_IOPS: Final[Mapping[str | Unknown, int]] = {
    "SINGLE_AZ_1": 160_000,
    "SINGLE_AZ_HA_1": 160_000,
    "SINGLE_AZ_2": 400_000,
    "SINGLE_AZ_HA_2": 400_000,
    "MULTI_AZ_1": 400_000,
}
_RECORD_SIZES: Final = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
_TIERED_RECORD_SIZES: Final = (128, 256, 512, 1024, 2048, 4096)


@facts_record
class OpenZfsFacts:
    """What an FSx for OpenZFS file system shows."""

    deployment_type: str | Unknown = UNKNOWN
    capacity_gib: float | Unknown = UNKNOWN
    throughput: int | Unknown = UNKNOWN
    iops: int | Unknown | None = None
    placement: PlacementFacts = field(default_factory=PlacementFacts)


@error("PCS530", OpenZfsFacts)
def open_zfs_capacity_can_be_made(facts: OpenZfsFacts) -> Iterator[Violation]:
    """An OpenZFS file system has a capacity of 64 to 524,288 GiB (512 TiB), in whole GiB.

    Source: `StorageCapacity` of the FSx `CreateFileSystem` API.
    """
    capacity = facts.capacity_gib
    if capacity is UNKNOWN:
        return
    yield from whole("capacity", capacity)
    if not 64 <= capacity <= 524_288:
        yield Violation(
            "capacity",
            f"of {capacity:g} GiB",
            "give cdk.Size.gibibytes of 64 to 524288",
            template_fix="give 64 to 524288 GiB",
        )


@error("PCS531", OpenZfsFacts)
def open_zfs_throughput_fits_the_deployment_type(facts: OpenZfsFacts) -> Iterator[Violation]:
    """An OpenZFS file system has a throughput that FSx makes, in MB/s for all of it.

    SINGLE_AZ_1 and SINGLE_AZ_HA_1: 64, 128, 256, 512, 1,024, 2,048, 3,072 or 4,096. SINGLE_AZ_2,
    SINGLE_AZ_HA_2 and MULTI_AZ_1: 160, 320, 640, 1,280, 2,560, 3,840, 5,120, 7,680 or 10,240; in
    some Regions MULTI_AZ_1 ends at 5,120.

    Source: `ThroughputCapacity` of the FSx `CreateFileSystem` API; How FSx for OpenZFS file systems
    work with SSD storage.
    """
    allowed = _THROUGHPUT.get(facts.deployment_type, ())
    if allowed and facts.throughput is not UNKNOWN and facts.throughput not in allowed:
        yield Violation(
            "throughput",
            f"{facts.deployment_type} cannot have {facts.throughput} MB/s",
            f"use {', '.join(str(value) for value in allowed[:-1])} or {allowed[-1]}",
        )


@error("PCS532", OpenZfsFacts)
def open_zfs_iops_fit_the_capacity(facts: OpenZfsFacts) -> Iterator[Violation]:
    """IOPS that are provisioned for an OpenZFS file system are 3 to 1,000 for each GiB of it.

    They are 160,000 at the most with SINGLE_AZ_1 and SINGLE_AZ_HA_1, and 400,000 with the others.
    In some Regions there are no more than 50 for each GiB, or fewer in all.

    Source: How FSx for OpenZFS file systems work with SSD storage, "SSD IOPS and performance".
    """
    most = _MOST_IOPS.get(facts.deployment_type)
    if facts.iops is None or facts.iops is UNKNOWN or facts.capacity_gib is UNKNOWN or not most:
        return
    fewest = min(3 * facts.capacity_gib, most)
    most = min(1000 * facts.capacity_gib, most)
    if not fewest <= facts.iops <= most:
        yield Violation(
            "iops",
            f"of {facts.iops} on {facts.capacity_gib:g} GiB of {facts.deployment_type}",
            f"give {fewest:g} to {most:.0f}, or leave it out to have 3 for each GiB",
        )


@error("PCS533", OpenZfsFacts)
def open_zfs_servers_are_where_the_type_says(facts: OpenZfsFacts) -> Iterator[Violation]:
    """An OpenZFS file system of two zones has a subnet in each, any other has one subnet.

    A standby subnet, route tables and a range for the endpoints go with MULTI_AZ_1 only.

    Source: `PreferredSubnetId`, `RouteTableIds` and `EndpointIpAddressRange` of the FSx API.
    """
    yield from placement_violations(facts.placement)


@facts_record
class OpenZfsVolumeFacts:
    """What a volume of an OpenZFS file system shows."""

    path: str | None = None
    """`None` for the root volume."""
    others: tuple[str, ...] = ()
    """The paths of the volumes that were added before."""
    capacity_gib: float | Unknown = UNKNOWN
    """The capacity of the file system."""
    storage_type: str | Unknown = "SSD"
    """The storage of the file system; that of the constructs is SSD."""
    record_size_kib: float | None = None
    quota_gib: float | None = None
    reservation_gib: float | None = None
    user_quotas: tuple[tuple[int, float], ...] = ()
    """GiB by user ID."""
    group_quotas: tuple[tuple[int, float], ...] = ()
    nfs_exports: tuple[tuple[str | Unknown, tuple[str | Unknown, ...]], ...] = (("*", ("rw",)),)
    """Options by clients."""


@error("PCS534", OpenZfsVolumeFacts)
def open_zfs_volume_sizes_fit(facts: OpenZfsVolumeFacts) -> Iterator[Violation]:
    """An OpenZFS volume has records, a quota and a reservation of sizes that FSx takes.

    Records: 4, 8, 16, 32, 64, 128, 256, 512 or 1,024 KiB, with Intelligent-Tiering 128 to 4,096.
    Quotas and reservations are in whole GiB; in a template -1 stands for none, as does a
    reservation of 0.
    A reservation is no larger than the file system, nor than the volume's own quota. There are
    quotas for up to 500 users and groups, whose numbers end at 2,147,483,647.

    Source: `CreateOpenZFSVolumeConfiguration` of the FSx API, botocore 1.44.8; `zfsprops(7)`.
    """
    record_size = facts.record_size_kib
    sizes = (
        tuple(sorted({*_RECORD_SIZES, *_TIERED_RECORD_SIZES}))
        if facts.storage_type is UNKNOWN
        else _TIERED_RECORD_SIZES
        if facts.storage_type == "INTELLIGENT_TIERING"
        else _RECORD_SIZES
    )
    if record_size is not None and record_size not in sizes:
        yield Violation(
            "record_size",
            f"of {record_size:g} KiB",
            f"use {', '.join(str(size) for size in sizes[:-1])} or {sizes[-1]} KiB",
        )
    for argument, gibibytes in (
        ("quota", facts.quota_gib),
        ("reservation", facts.reservation_gib),
    ):
        if gibibytes is not None:
            yield from whole(argument, gibibytes)
    if facts.quota_gib is not None and facts.quota_gib < 1:
        yield Violation(
            "quota", f"of {facts.quota_gib:g} GiB", "give 1 GiB or more, or leave it out"
        )
    reserved = facts.reservation_gib or 0
    if facts.capacity_gib is not UNKNOWN and reserved > facts.capacity_gib:
        yield Violation(
            "reservation",
            f"of {reserved:g} GiB in a file system of {facts.capacity_gib:g}",
            "reserve less, or give the file system a larger capacity",
        )
    if facts.quota_gib is not None and reserved > facts.quota_gib:
        yield Violation(
            "reservation",
            f"of {reserved:g} GiB with a quota of {facts.quota_gib:g}",
            "reserve no more than the quota, or leave one of them out",
        )
    for argument, quotas in (
        ("user_quotas", facts.user_quotas),
        ("group_quotas", facts.group_quotas),
    ):
        for number, gibibytes in quotas:
            yield from whole(argument, gibibytes)
            if not 0 <= number <= 2**31 - 1:
                yield Violation(argument, f"{number} is no such ID", "give 0 to 2147483647")
    if (count := len(facts.user_quotas) + len(facts.group_quotas)) > 500:
        yield Violation("user_quotas", f"{count} quotas, and 500 are the most", "leave some out")


@error("PCS535", OpenZfsVolumeFacts)
def open_zfs_exports_are_exports(facts: OpenZfsVolumeFacts) -> Iterator[Violation]:
    """An OpenZFS volume is exported to `*`, or to IP addresses and ranges, with options for each.

    Up to 25 of them, each with 1 to 20 options of up to 128 characters. Which options there are
    `exports(5)` tells; FSx knows most of them.

    Source: `OpenZFSClientConfiguration` of the FSx API; Managing FSx for OpenZFS volumes.
    """
    if not 1 <= len(facts.nfs_exports) <= 25:
        yield Violation(
            "nfs_exports",
            f"names {len(facts.nfs_exports)} clients or ranges",
            "name 1 to 25, or leave nfs_exports out",
            template_fix="name 1 to 25, or leave NfsExports out",
        )
    for clients, options in facts.nfs_exports:
        if clients is not UNKNOWN and not _are_clients(clients):
            yield Violation(
                "nfs_exports",
                f"{clients!r} is neither an address nor a range",
                "write it like '10.0.0.0/16', or '*' for everybody who reaches the servers",
            )
        if not 1 <= len(options) <= 20:
            yield Violation(
                "nfs_exports", f"{len(options)} options", "give 1 to 20, such as 'rw', 'crossmnt'"
            )
        for option in options:
            if option is not UNKNOWN and not re.fullmatch(r"[!-~]{1,128}", option):
                yield Violation(
                    "nfs_exports", f"{option!r} is no option", "write them like 'rw', 'crossmnt'"
                )


def _are_clients(text: str) -> bool:
    try:
        return text == "*" or bool(ip_network(text, strict=False))
    except ValueError:
        return False


@error("PCS536", OpenZfsVolumeFacts)
def open_zfs_volumes_have_paths_of_their_own(facts: OpenZfsVolumeFacts) -> Iterator[Violation]:
    """An OpenZFS volume has a path of its own below the root volume, `/` or a volume added before.

    Names are of letters, digits and `_.:-`, up to 203 characters.

    Source: Managing FSx for OpenZFS volumes; `zfs(8)`.
    """
    path = facts.path
    if path is None:
        return
    names = path.split("/")[1:]
    if not re.fullmatch(r"(/[A-Za-z0-9_.:-]{1,203})+", path) or {".", ".."}.intersection(names):
        yield Violation("path", f"{path!r} is no path of a volume", "write it like '/projects'")
        return
    if path in facts.others:
        yield Violation("path", f"{path!r} is another volume's", "choose another path")
    parent = path.rpartition("/")[0]
    if parent and parent not in facts.others:
        yield Violation(
            "path",
            f"{path!r} is in {parent!r}, which is no volume",
            f"add a volume with path={parent!r} first, or put this one at the top",
            template_fix=f"make a volume at {parent!r} first, or put this one at the top",
        )


@facts_record
class OpenZfsReferenceFacts:
    """How a file system that exists already is referred to."""

    file_system_id: str | Unknown
    volume_path: str | Unknown = "/fsx"


@error("PCS537", OpenZfsReferenceFacts)
def open_zfs_reference_is_complete(facts: OpenZfsReferenceFacts) -> Iterator[Violation]:
    """An imported OpenZFS volume is named by its file system's ID and by its path from `/fsx` on.

    Source: Mounting FSx for OpenZFS volumes to Linux clients.
    """
    yield from identifier_violations(
        "file_system_id", facts.file_system_id, r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0"
    )
    yield from identifier_violations(
        "volume_path", facts.volume_path, r"/fsx(/[A-Za-z0-9_.:-]+)*/?", "/fsx/projects"
    )


@facts_record
class OpenZfsBackupFacts:
    """What is kept of an OpenZFS file system or volume, and how long."""

    days: int | Unknown = 0
    start_time: str | Unknown | None = None
    snapshot_on_removal: bool = False
    snapshots: bool = False
    """Whether there is a schedule for snapshots."""
    snapshot_days: int | None = None


@error("PCS538", OpenZfsBackupFacts)
def open_zfs_backups_and_snapshots_can_be_kept(facts: OpenZfsBackupFacts) -> Iterator[Violation]:
    """Backups of an OpenZFS file system are kept for up to 90 days, snapshots for 1 to 364 days.

    Backups begin at a time `HH:MM`. CloudFormation takes no snapshot of FSx on deletion; FSx itself
    makes a last backup. What takes snapshots on a schedule also waits to delete them, and may run
    for a year.

    Source: `AutomaticBackupRetentionDays` and `DailyAutomaticBackupStartTime` of the FSx API;
    `DeletionPolicy` in the CloudFormation schema; quotas of AWS Step Functions.
    """
    yield from backup_violations(
        facts.days, facts.start_time, snapshot_on_removal=facts.snapshot_on_removal
    )
    if facts.snapshot_days is None:
        return
    if not facts.snapshots:
        yield Violation(
            "snapshot_retention",
            "is given, and no snapshots are taken",
            "give snapshot_schedule as well, or leave it out",
            template_fix="take snapshots on a schedule, or leave it out",
        )
    if not 1 <= facts.snapshot_days <= 364:
        yield Violation(
            "snapshot_retention",
            f"of {facts.snapshot_days} days",
            "give cdk.Duration.days(7)",
            template_fix="give 1 to 364 days",
        )


@advice("PCS539", OpenZfsFacts)
def open_zfs_route_tables_are_known(facts: OpenZfsFacts) -> Iterator[Violation]:
    """An OpenZFS file system of two zones is told the route tables of the nodes' subnets.

    FSx writes the way to its servers into them, and changes it when one fails. Where none are named
    it takes the VPC's main route table, and nodes in subnets with another cannot mount.

    Source: `RouteTableIds` of the FSx API.
    """
    yield from route_table_violations(facts.placement)
