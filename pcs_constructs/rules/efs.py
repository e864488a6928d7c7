"""Rules for Amazon EFS."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator


@facts_record
class EfsFacts:
    """What an EFS file system, or a reference to one, shows."""

    file_system_id: str | Unknown = UNKNOWN
    provisioned: bool = False
    elastic: bool = False
    throughput_mib: float | Unknown | None = None
    """What is provisioned, in MiB/s."""
    infrequent_access: int | None = None
    """Days without use before a file moves to Infrequent Access."""
    archive: int | None = None
    """Days without use before a file moves to Archive."""
    returns: bool = False
    """Whether files move back when they are used."""


@error("PCS511", EfsFacts)
def efs_file_system_id_is_an_id(facts: EfsFacts) -> Iterator[Violation]:
    """An EFS file system is referred to by its ID.

    Source: `FileSystemId` of the EFS API.
    """
    yield from identifier_violations(
        "file_system_id", facts.file_system_id, r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0"
    )


@facts_record
class MountTargetFacts:
    """Where a file system's mount targets are to be made."""

    availability_zones: tuple[str | Unknown, ...]
    subnet_ids: tuple[str | Unknown, ...] = ()
    zone_told: bool | Unknown = True
    """Whether the subnets tell their zones."""
    one_zone: bool = False


@error("PCS508", MountTargetFacts)
def mount_targets_are_one_to_a_zone(facts: MountTargetFacts) -> Iterator[Violation]:
    """An EFS file system has at least one mount target, and at most one in an Availability Zone.

    EFS refuses a second one in a zone. Nodes in the zone's other subnets use it all the same.

    Source: Managing mount targets in the Amazon EFS User Guide; aws-cdk issue 10170.
    """
    if not facts.availability_zones:
        yield Violation(
            "subnets",
            "names no subnet",
            "leave subnets out to use one in each zone",
            template_fix="make one in a subnet of each Availability Zone",
        )
    if facts.one_zone and facts.zone_told is False:
        yield Violation(
            "subnets",
            "does not tell its Availability Zone, which a file system of one zone needs",
            "import it with ec2.Subnet.from_subnet_attributes(availability_zone=...)",
            template_fix="name a subnet whose zone is known",
        )
    known = Counter(subnet for subnet in facts.subnet_ids if subnet is not UNKNOWN)
    for subnet, count in known.items():
        if count > 1:
            yield Violation("subnets", f"names {subnet} {count} times", "name it once")
    if facts.one_zone and len(facts.availability_zones) > 1:
        yield Violation(
            "subnets",
            f"names {len(facts.availability_zones)} for a file system of one zone",
            "pass one subnet, or leave one_zone out",
            template_fix="make one mount target, or leave AvailabilityZoneName out",
        )
        return
    for zone, count in Counter(z for z in facts.availability_zones if z is not UNKNOWN).items():
        if count > 1:
            yield Violation(
                "subnets",
                f"{count} of them are in {zone}",
                "name one subnet for each Availability Zone",
            )


@error("PCS513", EfsFacts)
def efs_throughput_and_lifecycle_fit(facts: EfsFacts) -> Iterator[Violation]:
    """What is provisioned of an EFS file system, and when files move, goes together.

    Throughput is given with PROVISIONED, and only then: 1 MiB/s or more. Files move to Archive
    later than to Infrequent Access, and only with ELASTIC throughput. They move back from where
    they have been moved.

    Source: `ThroughputMode` and `LifecyclePolicies` of `AWS::EFS::FileSystem`; Managing file system
    storage in the Amazon EFS User Guide.
    """
    argument = "provisioned_throughput_per_second"
    if facts.provisioned and facts.throughput_mib is None:
        yield Violation(
            argument,
            "provisioned throughput is asked for, and not how much",
            "give cdk.Size.mebibytes(128)",
            template_fix="write ProvisionedThroughputInMibps: 128",
        )
    if not facts.provisioned and facts.throughput_mib is not None:
        yield Violation(
            argument,
            "is given, and the throughput mode is another",
            "write throughput_mode=efs.ThroughputMode.PROVISIONED, or leave it out",
            template_fix="write ThroughputMode: provisioned, or leave it out",
        )
    if (
        facts.provisioned
        and isinstance(facts.throughput_mib, (int, float))
        and (facts.throughput_mib < 1 or facts.throughput_mib % 1)
    ):
        yield Violation(argument, f"{facts.throughput_mib:g} MiB/s", "give whole MiB, 1 or more")
    if facts.archive is not None and not facts.elastic:
        yield Violation(
            "transition_to_archive_policy",
            "files move to Archive, which needs elastic throughput",
            "leave throughput_mode out, or transition_to_archive_policy",
            template_fix="write ThroughputMode: elastic, or leave TransitionToArchive out",
        )
    if facts.archive is not None and facts.archive <= (facts.infrequent_access or 0):
        yield Violation(
            "transition_to_archive_policy",
            f"files move to Archive after {facts.archive} days, and to Infrequent Access after "
            f"{facts.infrequent_access}",
            "move to Archive later than to Infrequent Access",
        )
    if facts.returns and facts.infrequent_access is None and facts.archive is None:
        yield Violation(
            "out_of_infrequent_access_policy",
            "files move back, and none move to Infrequent Access",
            "give lifecycle_policy as well, or leave it out",
            template_fix="add TransitionToIA, or leave TransitionToPrimaryStorageClass out",
        )


@advice("PCS525", EfsFacts)
def efs_throughput_is_within_the_quota(facts: EfsFacts) -> Iterator[Violation]:
    """Throughput of EFS that is provisioned above 3,414 MiB/s needs a higher quota first.

    The quota can be raised, and differs between Regions; without it the deployment fails.

    Source: Amazon EFS quotas in the Amazon EFS User Guide.
    """
    throughput = facts.throughput_mib
    if facts.provisioned and isinstance(throughput, (int, float)) and throughput > 3414:
        yield Violation(
            "provisioned_throughput_per_second",
            f"{throughput:g} MiB/s",
            "ask for a higher quota first, or give up to 3414 MiB",
        )


@facts_record
class AccessPointFacts:
    """What an EFS access point is asked for."""

    path: str | Unknown


@error("PCS514", AccessPointFacts)
def access_point_path_is_absolute(facts: AccessPointFacts) -> Iterator[Violation]:
    """An access point opens a directory given by an absolute path of at most four levels.

    It has up to 100 characters.

    Source: `RootDirectory` of `AWS::EFS::AccessPoint`.
    """
    if facts.path is not UNKNOWN and (
        not re.fullmatch(r"/|(/(?!\.)[^$#<>;`|&?{}^*/\n]+){1,4}", facts.path)
        or len(facts.path) > 100
    ):
        yield Violation("path", f"{facts.path!r} is no such path", "write one like '/projects/cfd'")
