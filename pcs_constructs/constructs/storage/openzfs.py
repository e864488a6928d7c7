"""Amazon FSx for OpenZFS: home directories and projects, with snapshots and quotas."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.file_share import FileShare
from pcs_constructs.constructs.network.subnets import subnet_for
from pcs_constructs.constructs.storage.servers import FsxServers
from pcs_constructs.constructs.storage.snapshots import take_snapshots
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.file_systems import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from constructs import IDependable


# Four connections carry what one network flow of EC2 cannot; the smallest file system takes 4,096
# from all nodes together.
_OPTIONS: Final = (
    "_netdev,noatime,nfsvers=4.2,nconnect=4,rsize=1048576,wsize=1048576,hard,timeo=600"
)
_EVERYBODY: Final[Mapping[str, Sequence[str]]] = {"*": ("rw", "crossmnt", "no_root_squash")}
_WITH_EVERYTHING: Final = ["DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"]
_DEFAULT_THROUGHPUT: Final = {
    "SINGLE_AZ_1": 64,
    "SINGLE_AZ_HA_1": 64,
    "SINGLE_AZ_2": 160,
    "SINGLE_AZ_HA_2": 160,
    "MULTI_AZ_1": 160,
}


class OpenZfsDeploymentType(Enum):
    """How many servers an OpenZFS file system has, of which generation, and where.

    Source: `DeploymentType` of `CreateFileSystemOpenZFSConfiguration` in the FSx API.
    """

    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    SINGLE_AZ_HA_1 = "SINGLE_AZ_HA_1"
    SINGLE_AZ_HA_2 = "SINGLE_AZ_HA_2"
    MULTI_AZ_1 = "MULTI_AZ_1"


class OpenZfsCompression(Enum):
    """How a volume compresses data: ZSTD makes it smaller, LZ4 is quicker.

    Source: `DataCompressionType` of the FSx API.
    """

    NONE = "NONE"
    ZSTD = "ZSTD"
    LZ4 = "LZ4"


@jsii.implements(ec2.IConnectable)
class OpenZfsStorage(Construct):
    """An Amazon FSx for OpenZFS file system on SSD: home directories, projects, software.

    What is said of the root volume is settled when it is made: CloudFormation replaces the whole
    file system when its compression, record size, exports or quotas change. What is to change goes
    into volumes of `add_volume`.

    Resources:
        A file system with its root volume, and a security group. A volume for each `add_volume`.
        For snapshots on a schedule: the schedule, a state machine that takes and deletes them, and
        a role for each of the two.

    Security:
        Encrypted at rest, and in transit between instance types that do so. Ports 111, 2049 and
        20001 to 20003 are opened to the nodes that mount it, and to nobody else. Root on those
        nodes is root in its files, as on EFS, unless `nfs_exports` says otherwise. The roles may
        take and delete snapshots of one volume.

    Args:
        vpc: The VPC that the nodes are in.
        capacity: Its storage capacity, 64 GiB to 512 TiB. By default 64 GiB.
        throughput: MB/s for all of it: 64, 128, 256, 512, 1,024, 2,048, 3,072 or 4,096 with
            SINGLE_AZ_1 and SINGLE_AZ_HA_1; 160, 320, 640, 1,280, 2,560, 3,840, 5,120, 7,680 or
            10,240 with the others. By default the smallest.
        iops: Disk operations per second. By default 3 for each GiB.
        deployment_type: By default SINGLE_AZ_HA_2: two servers in one zone. Not every Region has
            it; SINGLE_AZ_1 is in all of them.
        subnet: Where its preferred server is. By default the first private subnet of the VPC, which
            is also where a cluster puts its nodes.
        standby_subnet: Where the other server of MULTI_AZ_1 is. By default the first private subnet
            of the VPC in another zone.
        route_table_ids: The route tables of the nodes' subnets, into which FSx writes the way to
            the servers of MULTI_AZ_1. By default those of all subnets of the VPC. Tables of another
            stack must have the tag `AmazonFSx` with the value `ManagedByAmazonFSx`; those that are
            found here get it.
        endpoint_ip_address_range: The addresses of MULTI_AZ_1, a range outside of the subnets. By
            default FSx chooses.
        compression: How the root volume compresses. By default LZ4.
        record_size: The records of the root volume, 4 KiB to 1 MiB. By default 128 KiB.
        nfs_exports: Who may mount the root volume, and how: options by `*`, address or range. By
            default everybody who reaches the servers, with `rw`, `crossmnt` and `no_root_squash`.
            Without the last one root cannot make home directories.
        user_quotas: How much of the root volume users may fill, by their numbers.
        group_quotas: How much of it groups may fill, by their numbers.
        snapshot_schedule: When snapshots of the root volume are taken; volumes below have their
            own. Users find them in the hidden directory `.zfs/snapshot`, named by the time. By
            default none are taken. When the schedule is taken away, those that are there stay.
        snapshot_retention: How long each is kept, in whole days, 364 at the most. By default seven.
        copy_tags: Whether volumes, snapshots and backups get its tags. By default they do.
        kms_key: The key that encrypts it. By default the account's `aws/fsx`.
        backup_retention: How long daily backups are kept, in whole days, 90 at the most; none are
            made with `cdk.Duration.days(0)`. By default 30 days.
        backup_start_time: When the daily backup begins, `HH:MM` in UTC. By default FSx chooses.
        weekly_maintenance: When FSx may interrupt it for half an hour each week; the CDK's class is
            the same for all kinds of FSx. By default FSx chooses.
        removal_policy: What becomes of it and of its volumes when the stack is deleted. By default
            they are retained, and must be deleted by hand. `DESTROY` deletes every volume and
            snapshot, even those that somebody else made; FSx still makes a last backup, which costs
            money until it is deleted by hand.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Using network file systems with AWS PCS; Performance for Amazon FSx for OpenZFS;
    `CreateFileSystem` of the FSx API.
    """

    file_system: Final[fsx.CfnFileSystem]
    """The file system."""

    dns_name: Final[str]
    """Its DNS name, a token."""

    root_volume_id: Final[str]
    """The ID of its root volume, a token."""

    file_share: Final[FileShare]
    """Its root volume as the nodes see it."""

    @staticmethod
    def from_open_zfs_attributes(
        scope: Construct,
        id: str,
        *,
        file_system_id: str,
        security_group: ec2.ISecurityGroup,
        dns_name: str | None = None,
        volume_path: str = "/fsx",
    ) -> FileShare:
        """Use a volume of a file system that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            file_system_id: Its ID, such as `fs-0123456789abcdef0`.
            security_group: The group of its servers, in which ports are opened to nodes.
            dns_name: Its DNS name. By default `<id>.fsx.<region>.<suffix>` in the stack's Region.
            volume_path: The path of the volume. By default that of the root volume.

        Raises:
            PcsValidationError: PCS003, PCS537, when the ID or the path is malformed.
        """
        given = Arguments(OpenZfsStorage.from_open_zfs_attributes, locals())
        refuse(scope, id, given.problems)
        facts = rules.OpenZfsReferenceFacts(
            file_system_id=known(file_system_id), volume_path=known(volume_path)
        )
        refuse(scope, id, rules.errors_in(facts))
        return _share(dns_name or _name_of(file_system_id), volume_path, security_group)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        capacity: cdk.Size | None = None,
        throughput: int | None = None,
        iops: int | None = None,
        deployment_type: OpenZfsDeploymentType = OpenZfsDeploymentType.SINGLE_AZ_HA_2,
        subnet: ec2.ISubnet | None = None,
        standby_subnet: ec2.ISubnet | None = None,
        route_table_ids: Sequence[str] | None = None,
        endpoint_ip_address_range: str | None = None,
        compression: OpenZfsCompression = OpenZfsCompression.LZ4,
        record_size: cdk.Size | None = None,
        nfs_exports: Mapping[str, Sequence[str]] | None = None,
        user_quotas: Mapping[int, cdk.Size] | None = None,
        group_quotas: Mapping[int, cdk.Size] | None = None,
        snapshot_schedule: scheduler.ScheduleExpression | None = None,
        snapshot_retention: cdk.Duration | None = None,
        copy_tags: bool = True,
        kms_key: kms.IKey | None = None,
        backup_retention: cdk.Duration | None = None,
        backup_start_time: str | None = None,
        weekly_maintenance: fsx.LustreMaintenanceTime | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments(OpenZfsStorage.__init__, locals())
        servers = FsxServers.among(given, capacity_gib=64, throughput=_DEFAULT_THROUGHPUT)
        root = _Volume.among(given)
        refuse(scope, id, given.problems)
        assert servers is not None  # or a problem was told
        facts = rules.OpenZfsFacts(
            deployment_type=servers.deployment_type,
            capacity_gib=servers.capacity_gib,
            throughput=known(servers.throughput),
            iops=known(iops),
            placement=servers.placement.facts,
        )
        problems = rules.errors_in(
            facts,
            root.facts(servers.capacity_gib),
            rules.OpenZfsBackupFacts(
                days=servers.backup_days,
                start_time=known(backup_start_time),
                snapshot_on_removal=removal_policy is cdk.RemovalPolicy.SNAPSHOT,
                snapshots=snapshot_schedule is not None,
                snapshot_days=root.said_snapshot_days,
            ),
            *servers.placement.facts_of_subnets(),
        )
        subnet_for(scope, id, servers.placement.first, problems)

        super().__init__(scope, id)
        advise(self, rules.advice_on(facts))
        self._security_group, self.file_system = servers.attach(
            self,
            id,
            "OPENZFS",
            vpc,
            openzfs=fsx.CfnFileSystem.OpenZFSConfigurationProperty(
                throughput_capacity=servers.throughput,
                root_volume_configuration=fsx.CfnFileSystem.RootVolumeConfigurationProperty(
                    data_compression_type=compression.value,
                    record_size_kib=root.records or 128,
                    nfs_exports=root.exports_property(fsx.CfnFileSystem),
                    user_and_group_quotas=root.quotas_property(fsx.CfnFileSystem),
                    read_only=False,
                    copy_tags_to_snapshots=copy_tags,
                ),
                copy_tags_to_volumes=copy_tags,
                copy_tags_to_backups=copy_tags,
                options=_WITH_EVERYTHING if servers.destroyed else None,
                **servers.common,
            ),
        )
        self.dns_name = _name_of(self.file_system.ref)
        self.root_volume_id = self.file_system.attr_root_volume_id
        self._take_snapshots(self, self.root_volume_id, root)
        self._capacity_gib = servers.capacity_gib
        self._copy_tags = copy_tags
        self._removal_policy = removal_policy
        self._servers_in = servers.placement.servers_in
        self._volumes = {"": self.root_volume_id}
        self.file_share = _share(
            self.dns_name,
            "/fsx",
            as_security_group(self._security_group),
            servers_in=self._servers_in,
            keep_home=root.lets_root_in,
        )

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the file servers."""
        return self._security_group.connections

    def add_volume(
        self,
        id: str,
        *,
        path: str,
        quota: cdk.Size | None = None,
        reservation: cdk.Size | None = None,
        compression: OpenZfsCompression = OpenZfsCompression.LZ4,
        record_size: cdk.Size | None = None,
        read_only: bool = False,
        nfs_exports: Mapping[str, Sequence[str]] | None = None,
        user_quotas: Mapping[int, cdk.Size] | None = None,
        group_quotas: Mapping[int, cdk.Size] | None = None,
        snapshot_schedule: scheduler.ScheduleExpression | None = None,
        snapshot_retention: cdk.Duration | None = None,
    ) -> FileShare:
        """Have a part of it that is mounted on its own, with a quota, exports and snapshots.

        It is kept or deleted with the file system, as `removal_policy` says of both.

        Args:
            id: The id of the volume.
            path: Where it is below the root volume, such as `/projects`. One like `/projects/cfd`
                is in the volume `/projects`, which is added before.
            quota: The most that it can hold. By default as much as there is.
            reservation: What is set aside for it. By default nothing.
            compression: How it compresses. By default LZ4.
            record_size: Its records, 4 KiB to 1 MiB. By default 128 KiB.
            read_only: Whether nobody may write. By default one may.
            nfs_exports: Who may mount it, and how, as for the root volume. Who may mount a volume
                may also mount those in it.
            user_quotas: How much of it users may fill, by their numbers.
            group_quotas: How much of it groups may fill, by their numbers.
            snapshot_schedule: When snapshots of it are taken. By default none are.
            snapshot_retention: How long each is kept, in whole days, 364 at the most. By default
                seven.

        Returns:
            What to mount: `mounts={"/projects": zfs.add_volume(...)}`.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Managing FSx for OpenZFS volumes; `AWS::FSx::Volume`.
        """
        given = Arguments(OpenZfsStorage.add_volume, locals())
        path = given.literal("path", path, "/projects")
        most = given.gibibytes("quota", quota, default=-1)
        reserved = given.gibibytes("reservation", reservation, default=0)
        said = _Volume.among(given)
        refuse(self, id, given.problems)
        volume_facts = replace(
            said.facts(self._capacity_gib),
            path=path,
            others=tuple(filter(None, self._volumes)),
            quota_gib=most if quota is not None else None,
            reservation_gib=reserved,
        )
        backup_facts = rules.OpenZfsBackupFacts(
            snapshots=snapshot_schedule is not None, snapshot_days=said.said_snapshot_days
        )
        refuse(self, id, rules.errors_in(volume_facts, backup_facts))
        parent, _, name = path.rpartition("/")
        destroyed = self._removal_policy is cdk.RemovalPolicy.DESTROY
        volume = fsx.CfnVolume(
            self,
            id,
            name=name,
            volume_type="OPENZFS",
            open_zfs_configuration=fsx.CfnVolume.OpenZFSConfigurationProperty(
                parent_volume_id=self._volumes[parent],
                storage_capacity_quota_gib=most,
                storage_capacity_reservation_gib=reserved,
                data_compression_type=compression.value,
                record_size_kib=said.records or 128,
                read_only=read_only,
                nfs_exports=said.exports_property(fsx.CfnVolume),
                user_and_group_quotas=said.quotas_property(fsx.CfnVolume),
                copy_tags_to_snapshots=self._copy_tags,
                options=_WITH_EVERYTHING if destroyed else None,
            ),
        )
        volume.apply_removal_policy(self._removal_policy)
        self._volumes[path] = volume.attr_volume_id
        self._take_snapshots(volume, volume.attr_volume_id, said)
        return _share(
            self.dns_name,
            f"/fsx{path}",
            as_security_group(self._security_group),
            servers_in=self._servers_in,
            dependencies=(volume,),
            keep_home=said.lets_root_in and not read_only,
        )

    def _take_snapshots(self, scope: Construct, volume_id: str, said: _Volume) -> None:
        if said.snapshot_schedule is not None:
            take_snapshots(
                scope,
                file_system_id=self.file_system.ref,
                volume_id=volume_id,
                schedule=said.snapshot_schedule,
                retention_days=said.snapshot_days,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Volume:
    """What is said of the root volume and of others alike."""

    records: float | None
    """KiB."""
    exports: Mapping[str, Sequence[str]]
    """Options by clients."""
    users: tuple[tuple[int, float], ...]
    """GiB by number."""
    groups: tuple[tuple[int, float], ...]
    snapshot_schedule: scheduler.ScheduleExpression | None
    snapshot_days: int
    said_snapshot_days: int | None
    """`None` where nothing was said."""

    @classmethod
    def among(cls, given: Arguments) -> Self:
        """The volume among the arguments of a constructor or method."""
        take = given.arguments.__getitem__
        retention = take("snapshot_retention")
        days = given.days("snapshot_retention", retention, default=7)
        return cls(
            records=_kibibytes(given, take("record_size")),
            exports=_exports(given, take("nfs_exports")),
            users=_quotas(given, "user_quotas", take("user_quotas")),
            groups=_quotas(given, "group_quotas", take("group_quotas")),
            snapshot_schedule=take("snapshot_schedule"),
            snapshot_days=days,
            said_snapshot_days=None if retention is None else days,
        )

    def facts(self, capacity_gib: float) -> rules.OpenZfsVolumeFacts:
        """What the rules are to judge, in a file system of this capacity."""
        return rules.OpenZfsVolumeFacts(
            capacity_gib=capacity_gib,
            record_size_kib=self.records,
            nfs_exports=tuple(
                (known(clients), tuple(known(option) for option in options))
                for clients, options in self.exports.items()
            ),
            user_quotas=self.users,
            group_quotas=self.groups,
        )

    @property
    def lets_root_in(self) -> bool:
        """Whether root may give files to other owners, whichever node it is on."""
        return all("no_root_squash" in options for options in self.exports.values())

    def exports_property(self, kind: Any) -> list[Any]:
        """Who may mount it, in the words of the file system or of a volume."""
        clients = [
            kind.ClientConfigurationsProperty(clients=clients, options=list(options))
            for clients, options in self.exports.items()
        ]
        return [kind.NfsExportsProperty(client_configurations=clients)]

    def quotas_property(self, kind: Any) -> list[Any] | None:
        """How much users and groups may fill, in the words of the file system or of a volume."""
        quotas = [
            kind.UserAndGroupQuotasProperty(
                type=type_, id=number, storage_capacity_quota_gib=gibibytes
            )
            for type_, numbers in (("USER", self.users), ("GROUP", self.groups))
            for number, gibibytes in numbers
        ]
        return quotas or None


def _name_of(file_system_id: str) -> str:
    return f"{file_system_id}.fsx.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"


def _kibibytes(given: Arguments, record_size: cdk.Size | None) -> float | None:
    mebibytes = given.mebibytes("record_size", record_size)
    return None if mebibytes is None else mebibytes * 1024


def _exports(
    given: Arguments, nfs_exports: Mapping[str, Sequence[str]] | None
) -> Mapping[str, Sequence[str]]:
    """Options by clients, everybody with all rights where nothing is said."""
    if nfs_exports is None:
        return _EVERYBODY
    return {
        clients: given.items(f"nfs_exports[{clients!r}]", options)
        for clients, options in given.mapping("nfs_exports", nfs_exports).items()
    }


def _quotas(
    given: Arguments, argument: str, quotas: Mapping[int, cdk.Size] | None
) -> tuple[tuple[int, float], ...]:
    """GiB by number of a user or group."""
    return tuple(
        (
            given.number(argument, number),
            given.gibibytes(f"{argument}[{number!r}]", quota, default=0),
        )
        for number, quota in given.mapping(argument, quotas).items()
    )


def _share(
    dns_name: str,
    path: str,
    security_group: ec2.ISecurityGroup,
    *,
    servers_in: ec2.ISubnet | None = None,
    dependencies: Sequence[IDependable] = (),
    keep_home: bool = True,
) -> FileShare:
    """How any OpenZFS volume is mounted."""
    return FileShare(
        source=f"{dns_name}:{path}",
        type="nfs",
        options=_OPTIONS,
        client=MountClient.NFS,
        ports=KINDS["OPENZFS"].ports,
        security_groups=(security_group,),
        servers_in=servers_in,
        dependencies=dependencies,
        keep_home=keep_home,
    )
