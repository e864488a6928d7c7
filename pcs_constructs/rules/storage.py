"""Rules for where and how file systems are mounted, whatever kind they are of."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import SPOILS_BOOT, UNSAFE
from pcs_constructs.rules.rule import advice, error, facts_record

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

_NUMBERED: Final = " of the Region"
_MOUNT_POINT: Final = re.compile(r"/[A-Za-z0-9._+@=/-]+")


@facts_record
class MountFacts:
    """The mount points of a node."""

    paths: tuple[str | Unknown, ...]


@error("PCS501", MountFacts)
def mount_points_are_absolute(facts: MountFacts) -> Iterator[Violation]:
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
            yield Violation(
                "mounts",
                f"{path!r} is not a mount point",
                "write an absolute path such as '/shared', without spaces or a slash at the end",
            )


@error("PCS502", MountFacts)
def mount_points_spare_the_system(facts: MountFacts) -> Iterator[Violation]:
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
            yield Violation(
                "mounts",
                f"{path!r} hides what the node needs in {taken[0] if taken else path}",
                "use a directory of its own, such as '/shared'",
            )


@error("PCS503", MountFacts)
def mount_points_do_not_overlap(facts: MountFacts) -> Iterator[Violation]:
    """No mount point is inside another.

    The inner one would be a directory in the outer file system, which every cluster that shares the
    outer one would see empty, and neither could be unmounted alone.

    Source: `OverlappingMountDir` of AWS ParallelCluster.
    """
    paths = sorted(path for path in facts.paths if path is not UNKNOWN)
    for outer in paths:
        for inner in paths:
            if inner.startswith(f"{outer}/"):
                yield Violation(
                    "mounts",
                    f"{inner!r} is inside {outer!r}",
                    "use directories beside each other, such as '/shared' and '/scratch'",
                )


def numbered_zone(number: int) -> str:
    """What stands for a zone of which only its number among the Region's is known."""
    return f"zone {number}{_NUMBERED}"


def zones_differ(one: str | Unknown, other: str | Unknown) -> bool | Unknown:
    """Whether two Availability Zones are two.

    A name cannot be compared with a number among the Region's zones.
    """
    if UNKNOWN in {one, other}:
        return UNKNOWN
    if one == other:
        return False
    numbered = [_NUMBERED in str(zone) for zone in (one, other)]
    return True if numbered[0] == numbered[1] else UNKNOWN


@facts_record
class MountZoneFacts:
    """Where nodes are, and where what they mount is."""

    nodes: tuple[str | Unknown, ...]
    """The Availability Zones of the nodes' subnets."""
    servers: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])
    """By mount point, the zone that all servers of a file system are in."""
    mount_targets: Mapping[str, tuple[str | Unknown, ...]] = field(
        default_factory=dict[str, "tuple[str | Unknown, ...]"]
    )
    """By mount point, the zones of the mount targets that only nodes in the same zones can use."""


@error("PCS560", MountZoneFacts)
def mount_targets_are_in_the_zones_of_the_nodes(facts: MountZoneFacts) -> Iterator[Violation]:
    """An EFS file system has a mount target in each zone that nodes mounting it are in.

    The EFS client asks for the mount target of its own zone, and there is none. Seen where the
    subnets are made in the same app or their zones are named.

    Source: Managing mount targets in the Amazon EFS User Guide.
    """
    for path, targets in facts.mount_targets.items():
        for zone in facts.nodes:
            if all(zones_differ(zone, target) is True for target in targets):
                yield Violation(
                    "mounts",
                    f"{path!r} has no mount target in {zone}, where nodes are",
                    "leave subnets of EfsStorage out to have one in each zone, or put the nodes "
                    "where the mount targets are",
                    template_fix="add a mount target in that zone, or put the nodes where the "
                    "mount targets are",
                )


@advice("PCS561", MountZoneFacts)
def file_systems_are_in_the_zone_of_the_nodes(facts: MountZoneFacts) -> Iterator[Violation]:
    """Nodes mount file systems of their own Availability Zone.

    Traffic between zones costs money in both directions, and it takes longer. File systems with
    servers in one zone are FSx's, apart from those of several zones, and EFS One Zone.

    Source: Using network file systems with AWS PCS; Data transfer in Amazon EC2 pricing.
    """
    for path, servers in facts.servers.items():
        strangers = [zone for zone in facts.nodes if zones_differ(zone, servers) is True]
        if strangers:
            yield Violation(
                "mounts",
                f"{path!r} is in {servers}, and nodes are in {' and '.join(map(str, strangers))}",
                "put both into one subnet, or acknowledge the price of traffic between zones",
                template_fix="put both into one subnet, or suppress this and pay for traffic "
                "between zones",
            )


@facts_record
class LocalScratchFacts:
    """Which instance types are to mount local disks."""

    path: str | Unknown
    without: tuple[str, ...] = ()
    """Types that are known to have none."""


@error("PCS558", LocalScratchFacts)
def local_scratch_is_on_types_with_disks(facts: LocalScratchFacts) -> Iterator[Violation]:
    """Local scratch is mounted on instance types that have local disks.

    A cluster's `mounts` may have it all the same: it is left out of the node groups whose types
    have none. A node group that names it itself has to have the disks.

    Source: `InstanceStorageInfo` of `DescribeInstanceTypes`.
    """
    if facts.without:
        yield Violation(
            "mounts",
            f"{', '.join(facts.without)} has no local disk for {facts.path}"
            if facts.path is not UNKNOWN
            else f"{', '.join(facts.without)} has no local disk",
            "leave it out of mounts, or choose a type with a d, such as c7gd.4xlarge",
        )


@facts_record
class MountGrantFacts:
    """Mounts that take permissions, and whom these can be given to."""

    paths: tuple[str | Unknown, ...]
    role: bool | Unknown
    """Whether the role of the nodes is known."""


@advice("PCS562", MountGrantFacts)
def nodes_may_mount_what_they_mount(facts: MountGrantFacts) -> Iterator[Violation]:
    """The role of nodes gets the permissions that mounting takes.

    An imported instance profile that does not tell its role cannot be given any, and its role has
    to have them already: `elasticfilesystem:ClientMount` and the like.

    Source: Using IAM to control file system data access in the Amazon EFS User Guide.
    """
    for path in facts.paths if facts.role is False else ():
        yield Violation(
            "instance_profile",
            f"the role that is to mount {path if path is not UNKNOWN else 'a token'} is not known",
            "pass role= to NodeInstanceProfile.from_instance_profile_arn, or acknowledge this",
        )


@facts_record
class MountScriptsFacts:
    """Which scripts are to mount, and their checksums."""

    version: str | Unknown
    checksums: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])


@error("PCS563", MountScriptsFacts)
def mount_scripts_are_named_right(facts: MountScriptsFacts) -> Iterator[Violation]:
    """Scripts that mount have a version of three numbers, and checksums of 64 hexadecimal digits.

    A checksum is of `mount-efs` or of `mount-fsx-lustre`; of any other script it would not be
    looked at.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
    """
    if facts.version is not UNKNOWN and not re.fullmatch(r"\d+\.\d+\.\d+", facts.version, re.ASCII):
        yield Violation("version", f"{facts.version!r} is no release", "write it like '1.0.0'")
    for script, checksum in facts.checksums.items():
        if script not in {"mount-efs", "mount-fsx-lustre"}:
            yield Violation(
                "checksums",
                f"names {script!r}, which mounts nothing",
                "name 'mount-efs' or 'mount-fsx-lustre', without version",
            )
        if checksum is not UNKNOWN and not re.fullmatch(r"[0-9A-Fa-f]{64}", checksum):
            yield Violation(
                "checksums",
                f"that of {script!r} is no SHA-256",
                "copy the 64 digits of the .sha256 file beside the script",
            )


@facts_record
class FileShareFacts:
    """What a file share says that ends up in a shell script and in `/etc/fstab`."""

    path: str | Unknown
    words: Mapping[str, str]
    """By what each is, with a placeholder for tokens."""
    local: bool = False


@error("PCS524", FileShareFacts)
def file_share_is_of_plain_words(facts: FileShareFacts) -> Iterator[Violation]:
    """The source, type and options of a file share are words without spaces and quotes.

    They become fields of `/etc/fstab` and arguments in a script. `nofail`, `bg` and
    `x-systemd.automount` are not among the options: with them a node starts without the file
    system.

    Source: `fstab(5)`; Mounts fail closed, in the decisions of this library.
    """
    path = "a mount" if facts.path is UNKNOWN else facts.path
    for name, word in facts.words.items():
        if not word or UNSAFE.search(word):
            yield Violation(
                "mounts",
                f"the {name} of {path}, {word!r}, is not a plain word",
                "leave out spaces, quotes, backslashes and $",
            )
    given = [] if facts.local else facts.words["options"].split(",")
    for option in sorted(SPOILS_BOOT.intersection(given)):
        yield Violation(
            "mounts",
            f"the option {option!r} of {path} lets a node start without the file system",
            "leave it out",
        )


@facts_record
class RemovalFacts:
    """What becomes of a file system when its stack is deleted."""

    policy: str | Unknown


@error("PCS523", RemovalFacts)
def file_system_can_be_removed_like_this(facts: RemovalFacts) -> Iterator[Violation]:
    """A file system is retained or destroyed: CloudFormation makes no snapshot of one.

    Backups are what EFS and FSx have instead: `automatic_backups`, `backup_retention`.

    Source: `DeletionPolicy` in the CloudFormation user guide, "Resources that support snapshots".
    """
    if facts.policy == "SNAPSHOT":
        yield Violation(
            "removal_policy",
            "is SNAPSHOT, which CloudFormation does not take for file systems",
            "use cdk.RemovalPolicy.RETAIN or DESTROY",
            template_fix="use Retain or Delete",
        )
