"""Rules for Amazon FSx for NetApp ONTAP."""

from __future__ import annotations

import re
from dataclasses import field
from ipaddress import IPv4Network
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

_FIRST: Final = (128, 256, 512, 1024, 2048, 4096)
_SECOND: Final = (384, 768, 1536, 3072, 6144)
_SEVERAL_PAIRS: Final = (1536, 3072, 6144)
_THIRD_SINGLE: Final = (1536, 3072, 6144, 12288, 18432)
_THIRD_MULTI: Final = (384, 768, *_THIRD_SINGLE)
_THROUGHPUT: Final[Mapping[str | Unknown, tuple[int, ...]]] = {
    "SINGLE_AZ_1": _FIRST,
    "MULTI_AZ_1": _FIRST,
    "SINGLE_AZ_2": _SECOND,
    "MULTI_AZ_2": _SECOND,
    "SINGLE_AZ_3": _THIRD_SINGLE,
    "MULTI_AZ_3": _THIRD_MULTI,
}

_THIRD_GENERATION: Final = ("SINGLE_AZ_3", "MULTI_AZ_3")
_ONE_PAIR: Final = ("SINGLE_AZ_1", "MULTI_AZ_1", "MULTI_AZ_2", "MULTI_AZ_3")

_NO_ENDPOINTS: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "198.19.0.0/20",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

_MIB: Final = 2**20
_GIB: Final = 2**30
_TIB: Final = 2**40
_MOST_BYTES: Final = 22_517_998_000_000_000


@facts_record
class OntapFacts:
    """What an FSx for NetApp ONTAP file system shows."""

    deployment_type: str | Unknown = UNKNOWN
    capacity_gib: float | Unknown = UNKNOWN
    ha_pairs: int | Unknown = 1
    throughput: int | Unknown = UNKNOWN
    """MB/s of each pair."""
    iops: int | Unknown | None = None
    placement: PlacementFacts = field(default_factory=PlacementFacts)
    backup_days: int | Unknown = 0
    backup_start_time: str | Unknown | None = None
    snapshot_on_removal: bool = False


@error("PCS540", OntapFacts)
def ontap_capacity_can_be_made(facts: OntapFacts) -> Iterator[Violation]:
    """An ONTAP file system has 1,024 to 524,288 GiB of SSD for each HA pair, 1,048,576 in all.

    It is counted in whole GiB.

    Source: `StorageCapacity` of `AWS::FSx::FileSystem`.
    """
    capacity = facts.capacity_gib
    if capacity is UNKNOWN:
        return
    yield from whole("capacity", capacity)
    if facts.ha_pairs is UNKNOWN or not 1 <= facts.ha_pairs <= 12:  # PCS541 tells
        return
    least, most = 1024 * facts.ha_pairs, min(524_288 * facts.ha_pairs, 1_048_576)
    if not least <= capacity <= most:
        yield Violation(
            "capacity",
            f"of {capacity:g} GiB with {facts.ha_pairs} HA pairs"
            if facts.ha_pairs > 1
            else f"of {capacity:g} GiB",
            f"give cdk.Size.gibibytes of {least} to {most}",
            template_fix=f"give {least} to {most} GiB",
        )


@error("PCS541", OntapFacts)
def ontap_ha_pairs_fit_the_deployment_type(facts: OntapFacts) -> Iterator[Violation]:
    """An ONTAP file system has one HA pair of servers, and with SINGLE_AZ_2 or _3 up to 12.

    Source: `HAPairs` of the FSx `CreateFileSystem` API, botocore 1.44.8.
    """
    if facts.ha_pairs is UNKNOWN:
        return
    if not 1 <= facts.ha_pairs <= 12:
        yield Violation("ha_pairs", f"is {facts.ha_pairs}", "give 1 to 12")
    elif facts.ha_pairs > 1 and facts.deployment_type in _ONE_PAIR:
        yield Violation(
            "ha_pairs",
            f"is {facts.ha_pairs}, and {facts.deployment_type} has one",
            "leave ha_pairs out, or use OntapDeploymentType.SINGLE_AZ_2",
            template_fix="leave HAPairs out, or use DeploymentType SINGLE_AZ_2",
        )


@error("PCS542", OntapFacts)
def ontap_throughput_fits_the_deployment_type(facts: OntapFacts) -> Iterator[Violation]:
    """Each HA pair of an ONTAP file system has a throughput that FSx makes, in MB/s.

    SINGLE_AZ_1 and MULTI_AZ_1: 128, 256, 512, 1,024, 2,048 or 4,096. SINGLE_AZ_2 and MULTI_AZ_2:
    384, 768, 1,536, 3,072 or 6,144; with several pairs 1,536 at the least. The API names 384 and
    768 for MULTI_AZ_2 only; AWS's recipes use them for SINGLE_AZ_2 with one pair as well.
    SINGLE_AZ_3: 1,536, 3,072, 6,144, 12,288 or 18,432; MULTI_AZ_3 384 and 768 as well.

    Source: `ThroughputCapacityPerHAPair` of the FSx API, botocore 1.44.8; FSx for ONTAP in the AWS
    HPC Recipes.
    """
    allowed = _THROUGHPUT.get(facts.deployment_type, ())
    if facts.deployment_type == "SINGLE_AZ_2" and facts.ha_pairs != 1:
        allowed = _SECOND if facts.ha_pairs is UNKNOWN else _SEVERAL_PAIRS
    if allowed and facts.throughput is not UNKNOWN and facts.throughput not in allowed:
        yield Violation(
            "throughput",
            f"{facts.deployment_type} cannot have {facts.throughput} MB/s for each HA pair",
            f"use {', '.join(str(value) for value in allowed[:-1])} or {allowed[-1]}",
        )


@error("PCS543", OntapFacts)
def ontap_iops_fit_the_capacity(facts: OntapFacts) -> Iterator[Violation]:
    """IOPS that are provisioned for an ONTAP file system are 3 or more for each GiB of it.

    They are 200,000 for each HA pair at the most, in the first two generations: what the most is in
    the third no source here says.

    Source: `DiskIopsConfiguration` of the FSx API.
    """
    if facts.iops is None or facts.iops is UNKNOWN or facts.deployment_type in _THIRD_GENERATION:
        return
    if facts.ha_pairs is UNKNOWN or facts.capacity_gib is UNKNOWN:
        return
    most = 200_000 * facts.ha_pairs
    fewest = min(3 * facts.capacity_gib, most)
    if not fewest <= facts.iops <= most:
        yield Violation(
            "iops",
            f"of {facts.iops} on {facts.capacity_gib:g} GiB",
            f"give {fewest:.0f} to {most}, or leave it out to have 3 for each GiB",
        )


@error("PCS544", OntapFacts)
def ontap_servers_are_where_the_type_says(facts: OntapFacts) -> Iterator[Violation]:
    """An ONTAP file system of two zones has a subnet in each, any other has one subnet.

    A standby subnet, route tables and a range for the endpoints go with the MULTI_AZ types
    only. The range is not within 0.0.0.0/8, 127.0.0.0/8, 198.19.0.0/20, 224.0.0.0/4 or 240.0.0.0/4.

    Source: `PreferredSubnetId`, `RouteTableIds` and `EndpointIpAddressRange` of the FSx API;
    Creating file systems in the FSx for ONTAP User Guide.
    """
    yield from placement_violations(facts.placement)
    chosen = facts.placement.endpoint_range
    if isinstance(chosen, str) and any(_overlaps(chosen, taken) for taken in _NO_ENDPOINTS):
        yield Violation(
            "endpoint_ip_address_range",
            f"{chosen} is not for endpoints of ONTAP",
            "choose a range of the VPC without subnets, or leave it out",
        )


def _overlaps(text: str, other: IPv4Network) -> bool:
    try:
        return IPv4Network(text).overlaps(other)
    except ValueError:  # another family, or no range: PCS544 tells already
        return False


@facts_record
class OntapVolumeFacts:
    """What a volume of an ONTAP file system, or a reference to one, shows."""

    junction_path: str | Unknown = UNKNOWN
    others: tuple[str | Unknown, ...] = ()
    """The junction paths of the volumes that were added before."""
    name: str | Unknown = UNKNOWN
    names: tuple[str | Unknown, ...] = ()
    """The names of the volumes that were added before."""
    dns_name: str | Unknown = UNKNOWN
    size_bytes: float | Unknown = UNKNOWN
    ha_pairs: int | Unknown = 1
    tiering_policy: str | Unknown = "SNAPSHOT_ONLY"
    cooling_days: int | Unknown | None = None
    snapshot_policy: str | Unknown = "default"


@error("PCS545", OntapVolumeFacts)
def ontap_volume_size_can_be_made(facts: OntapVolumeFacts) -> Iterator[Violation]:
    """An ONTAP volume has a size of 20 MiB to 300 TiB.

    With several HA pairs it is spread over all of them, and has 800 GiB to 2,400 TiB for each, and
    no more than 22,517,998,000,000,000 bytes (20 PiB).

    Source: Creating file systems in the FSx for ONTAP User Guide; `SizeInBytes` of the FSx API.
    """
    if facts.size_bytes is UNKNOWN or facts.ha_pairs is UNKNOWN:
        return
    least, most = 20 * _MIB, 300 * _TIB
    told = "cdk.Size.mebibytes(20) to cdk.Size.tebibytes(300)"
    plainly = "20 MiB to 300 TiB"
    if facts.ha_pairs > 1:
        least, most = 800 * _GIB * facts.ha_pairs, min(2400 * _TIB * facts.ha_pairs, _MOST_BYTES)
        told = f"cdk.Size.gibibytes({800 * facts.ha_pairs}) or more, up to {most / _TIB:.0f} TiB"
        plainly = f"{800 * facts.ha_pairs} GiB or more, up to {most / _TIB:.0f} TiB"
    if not least <= facts.size_bytes <= most:
        yield Violation(
            "size",
            f"of {facts.size_bytes / _GIB:g} GiB",
            f"give {told}",
            template_fix=f"give {plainly}",
        )


@error("PCS546", OntapVolumeFacts)
def ontap_tiering_and_snapshot_policies_exist(facts: OntapVolumeFacts) -> Iterator[Violation]:
    """Data of an ONTAP volume cools for 2 to 183 days, with the policies AUTO and SNAPSHOT_ONLY.

    The policies ALL and NONE know no cooling. A snapshot policy has a name of up to 255 characters:
    `default`, `default-1weekly`, `none` or one of your own.

    Source: `TieringPolicy` and `SnapshotPolicy` of the FSx API.
    """
    if facts.cooling_days is not None:
        if facts.tiering_policy not in {UNKNOWN, "AUTO", "SNAPSHOT_ONLY"}:
            yield Violation(
                "cooling_period",
                f"is given with {facts.tiering_policy}",
                "leave it out, or use OntapTieringPolicy.AUTO",
                template_fix="leave it out, or use AUTO",
            )
        if facts.cooling_days is not UNKNOWN and not 2 <= facts.cooling_days <= 183:
            yield Violation("cooling_period", f"of {facts.cooling_days} days", "give 2 to 183 days")
    if facts.snapshot_policy is not UNKNOWN and not 1 <= len(facts.snapshot_policy) <= 255:
        yield Violation(
            "snapshot_policy",
            f"a name of {len(facts.snapshot_policy)} characters",
            "use 'default', 'default-1weekly' or 'none'",
        )


@error("PCS547", OntapVolumeFacts)
def ontap_volumes_have_junction_paths_of_their_own(facts: OntapVolumeFacts) -> Iterator[Violation]:
    """An ONTAP volume is found at a junction path of its own, on a server that is named.

    The path is absolute, below `/`, of letters, digits and `._+@=-`, up to 255 characters; case
    does not matter. The name of the server is that of the storage virtual machine. The name of a
    volume, its id in letters, digits and underscores, is its own as well.

    Source: `JunctionPath` of the FSx API; `volume mount` in the ONTAP command reference.
    """
    path = facts.junction_path
    if path is not UNKNOWN:
        names = path.split("/")[1:]
        if (
            not re.fullmatch(r"(/[A-Za-z0-9._+@=-]+)+", path)
            or {".", ".."}.intersection(names)
            or len(path) > 255
        ):
            yield Violation(
                "junction_path", f"{path!r} is no junction path", "write it like '/projects'"
            )
        if path.lower() in [other.lower() for other in facts.others if other is not UNKNOWN]:
            yield Violation("junction_path", f"{path!r} is another volume's", "choose another path")
    if facts.name is not UNKNOWN and facts.name in facts.names:
        yield Violation(
            "id",
            f"makes {facts.name!r}, another volume's name",
            "choose another id",
            template_fix="choose another Name",
        )
    yield from identifier_violations(
        "dns_name",
        facts.dns_name,
        r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
        "svm-0123456789abcdef0.fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com",
    )


@error("PCS548", OntapFacts)
def ontap_backups_can_be_made(facts: OntapFacts) -> Iterator[Violation]:
    """Backups of ONTAP volumes are kept for up to 90 days and begin at a time `HH:MM`.

    CloudFormation takes no snapshot of FSx on deletion; FSx itself makes a last backup.

    Source: `AutomaticBackupRetentionDays` and `DailyAutomaticBackupStartTime` of the FSx API;
    `DeletionPolicy` in the CloudFormation schema.
    """
    yield from backup_violations(
        facts.backup_days, facts.backup_start_time, snapshot_on_removal=facts.snapshot_on_removal
    )


@advice("PCS549", OntapFacts)
def ontap_route_tables_are_known(facts: OntapFacts) -> Iterator[Violation]:
    """An ONTAP file system of two zones is told the route tables of the nodes' subnets.

    FSx writes the way to its servers into them, and changes it when one fails. Where none are named
    it takes the VPC's main route table, and nodes in subnets with another cannot mount.

    Source: `RouteTableIds` of the FSx API.
    """
    yield from route_table_violations(facts.placement)
