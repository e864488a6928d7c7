"""Amazon FSx for OpenZFS: home directories and projects, with snapshots and quotas."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from numbers import Real
from typing import TYPE_CHECKING, Final

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
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs.file_share import FileShare, Ports
from pcs_constructs.constructs.network.subnets import subnet_for
from pcs_constructs.constructs.storage.placement import Placement
from pcs_constructs.constructs.storage.snapshots import take_snapshots
from pcs_constructs.model.boot import MountClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from constructs import IDependable

    from pcs_constructs.model.errors import Unknown

# Four connections carry what one network flow of EC2 cannot; the smallest file system takes 4,096
# from all nodes together.
_OPTIONS: Final = (
    "_netdev,noatime,nfsvers=4.2,nconnect=4,rsize=1048576,wsize=1048576,hard,timeo=600"
)
_PORTS: Final = tuple(
    Ports(protocol=protocol, first=first, last=last)
    for first, last in ((111, 111), (2049, 2049), (20001, 20003))
    for protocol in ("tcp", "udp")
)
_EVERYBODY: Final[Mapping[str, Sequence[str]]] = {"*": ("rw", "crossmnt", "no_root_squash")}
_WITH_EVERYTHING: Final = ["DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"]
_FIRST_GENERATION: Final = ("SINGLE_AZ_1", "SINGLE_AZ_HA_1")


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
        given = Arguments()
        given.require(
            file_system_id=(file_system_id, str),
            security_group=(security_group, "security_group_id"),
            volume_path=(volume_path, str),
        )
        given.expect(
            dns_name=(dns_name, str),
        )
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
        given = Arguments()
        given.require(
            vpc=(vpc, "vpc_id"),
            deployment_type=(deployment_type, OpenZfsDeploymentType),
            compression=(compression, OpenZfsCompression),
            copy_tags=(copy_tags, bool),
            removal_policy=(removal_policy, cdk.RemovalPolicy),
        )
        given.expect(
            throughput=(throughput, Real),
            iops=(iops, Real),
            subnet=(subnet, "subnet_id"),
            standby_subnet=(standby_subnet, "subnet_id"),
            endpoint_ip_address_range=(endpoint_ip_address_range, str),
            snapshot_schedule=(snapshot_schedule, scheduler.ScheduleExpression),
            kms_key=(kms_key, "key_arn"),
            backup_start_time=(backup_start_time, str),
            weekly_maintenance=(weekly_maintenance, fsx.LustreMaintenanceTime),
        )
        gibibytes = given.gibibytes("capacity", capacity, default=64)
        records = _kibibytes(given, record_size)
        exports = _exports(given, nfs_exports)
        users = _quotas(given, "user_quotas", user_quotas)
        groups = _quotas(given, "group_quotas", group_quotas)
        backup_days = given.days("backup_retention", backup_retention, default=30)
        snapshot_days = given.days("snapshot_retention", snapshot_retention, default=7)
        named = (
            None
            if route_table_ids is None
            else given.items("route_table_ids", route_table_ids, str)
        )
        refuse(scope, id, given.problems)
        if throughput is None:
            throughput = 64 if deployment_type.value in _FIRST_GENERATION else 160
        placement = Placement(
            vpc,
            multi_az=deployment_type is OpenZfsDeploymentType.MULTI_AZ_1,
            subnet=subnet,
            standby_subnet=standby_subnet,
            route_table_ids=named,
            endpoint_ip_address_range=endpoint_ip_address_range,
        )
        facts = rules.OpenZfsFacts(
            deployment_type=deployment_type.value,
            capacity_gib=gibibytes,
            throughput=known(throughput),
            iops=known(iops),
            placement=placement.facts,
        )
        problems = rules.errors_in(
            facts,
            rules.OpenZfsVolumeFacts(
                capacity_gib=gibibytes,
                record_size_kib=records,
                nfs_exports=_export_facts(exports),
                user_quotas=users,
                group_quotas=groups,
            ),
            rules.OpenZfsBackupFacts(
                days=backup_days,
                start_time=known(backup_start_time),
                snapshot_on_removal=removal_policy is cdk.RemovalPolicy.SNAPSHOT,
                snapshots=snapshot_schedule is not None,
                snapshot_days=snapshot_days if snapshot_retention is not None else None,
            ),
            *placement.facts_of_subnets(),
        )
        subnet_for(scope, id, placement.first, problems)

        super().__init__(scope, id)
        advise(self, rules.advice_on(facts))
        self._security_group = new_security_group(
            self, "SecurityGroup", vpc, "Servers of an OpenZFS file system", all_outbound=False
        )
        group = as_security_group(self._security_group)
        placement.tag_route_tables()
        destroyed = removal_policy is cdk.RemovalPolicy.DESTROY
        self.file_system = fsx.CfnFileSystem(
            self,
            "Resource",
            file_system_type="OPENZFS",
            storage_type="SSD",
            storage_capacity=gibibytes,
            subnet_ids=placement.subnet_ids,
            security_group_ids=[group.security_group_id],
            tags=[cdk.CfnTag(key="Name", value=id)],
            kms_key_id=kms_key.key_arn if kms_key else None,
            open_zfs_configuration=fsx.CfnFileSystem.OpenZFSConfigurationProperty(
                deployment_type=deployment_type.value,
                throughput_capacity=throughput,
                disk_iops_configuration=fsx.CfnFileSystem.DiskIopsConfigurationProperty(
                    mode="AUTOMATIC" if iops is None else "USER_PROVISIONED", iops=iops
                ),
                preferred_subnet_id=placement.preferred_subnet_id,
                route_table_ids=list(placement.route_table_ids) or None,
                endpoint_ip_address_range=placement.endpoint_ip_address_range,
                root_volume_configuration=fsx.CfnFileSystem.RootVolumeConfigurationProperty(
                    data_compression_type=compression.value,
                    record_size_kib=records or 128,
                    nfs_exports=[
                        fsx.CfnFileSystem.NfsExportsProperty(
                            client_configurations=[
                                fsx.CfnFileSystem.ClientConfigurationsProperty(
                                    clients=clients, options=list(options)
                                )
                                for clients, options in exports.items()
                            ]
                        )
                    ],
                    user_and_group_quotas=[
                        fsx.CfnFileSystem.UserAndGroupQuotasProperty(
                            type=kind, id=number, storage_capacity_quota_gib=quota
                        )
                        for kind, number, quota in _by_kind(users, groups)
                    ]
                    or None,
                    read_only=False,
                    copy_tags_to_snapshots=copy_tags,
                ),
                copy_tags_to_volumes=copy_tags,
                copy_tags_to_backups=copy_tags,
                automatic_backup_retention_days=backup_days,
                daily_automatic_backup_start_time=backup_start_time,
                weekly_maintenance_start_time=weekly_maintenance.to_timestamp()
                if weekly_maintenance
                else None,
                options=_WITH_EVERYTHING if destroyed else None,
            ),
        )
        self.file_system.apply_removal_policy(removal_policy)
        self.dns_name = _name_of(self.file_system.ref)
        self.root_volume_id = self.file_system.attr_root_volume_id
        if snapshot_schedule is not None:
            take_snapshots(
                self,
                file_system_id=self.file_system.ref,
                volume_id=self.root_volume_id,
                schedule=snapshot_schedule,
                retention_days=snapshot_days,
            )
        self._capacity_gib = gibibytes
        self._copy_tags = copy_tags
        self._removal_policy = removal_policy
        self._servers_in = placement.servers_in
        self._volumes = {"": self.root_volume_id}
        self.file_share = _share(
            self.dns_name,
            "/fsx",
            group,
            servers_in=self._servers_in,
            keep_home=_lets_root_in(exports),
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
        given = Arguments()
        given.require(
            compression=(compression, OpenZfsCompression),
            read_only=(read_only, bool),
        )
        given.expect(
            snapshot_schedule=(snapshot_schedule, scheduler.ScheduleExpression),
        )
        path = given.literal("path", path, "/projects")
        most = given.gibibytes("quota", quota, default=-1)
        reserved = given.gibibytes("reservation", reservation, default=0)
        records = _kibibytes(given, record_size)
        exports = _exports(given, nfs_exports)
        users = _quotas(given, "user_quotas", user_quotas)
        groups = _quotas(given, "group_quotas", group_quotas)
        snapshot_days = given.days("snapshot_retention", snapshot_retention, default=7)
        refuse(self, id, given.problems)
        facts = (
            rules.OpenZfsVolumeFacts(
                path=path,
                others=tuple(filter(None, self._volumes)),
                capacity_gib=self._capacity_gib,
                record_size_kib=records,
                quota_gib=most if quota is not None else None,
                reservation_gib=reserved,
                nfs_exports=_export_facts(exports),
                user_quotas=users,
                group_quotas=groups,
            ),
            rules.OpenZfsBackupFacts(
                snapshots=snapshot_schedule is not None,
                snapshot_days=snapshot_days if snapshot_retention is not None else None,
            ),
        )
        refuse(self, id, rules.errors_in(*facts))
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
                record_size_kib=records or 128,
                read_only=read_only,
                nfs_exports=[
                    fsx.CfnVolume.NfsExportsProperty(
                        client_configurations=[
                            fsx.CfnVolume.ClientConfigurationsProperty(
                                clients=clients, options=list(options)
                            )
                            for clients, options in exports.items()
                        ]
                    )
                ],
                user_and_group_quotas=[
                    fsx.CfnVolume.UserAndGroupQuotasProperty(
                        type=kind, id=number, storage_capacity_quota_gib=quota
                    )
                    for kind, number, quota in _by_kind(users, groups)
                ]
                or None,
                copy_tags_to_snapshots=self._copy_tags,
                options=_WITH_EVERYTHING if destroyed else None,
            ),
        )
        volume.apply_removal_policy(self._removal_policy)
        self._volumes[path] = volume.attr_volume_id
        if snapshot_schedule is not None:
            take_snapshots(
                volume,
                file_system_id=self.file_system.ref,
                volume_id=volume.attr_volume_id,
                schedule=snapshot_schedule,
                retention_days=snapshot_days,
            )
        return _share(
            self.dns_name,
            f"/fsx{path}",
            as_security_group(self._security_group),
            servers_in=self._servers_in,
            dependencies=(volume,),
            keep_home=_lets_root_in(exports) and not read_only,
        )


def _name_of(file_system_id: str) -> str:
    return f"{file_system_id}.fsx.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"


def _kibibytes(given: Arguments, record_size: cdk.Size | None) -> float | None:
    mebibytes = given.mebibytes("record_size", record_size)
    return None if mebibytes is None else mebibytes * 1024


def _exports(
    given: Arguments, nfs_exports: Mapping[str, Sequence[str]] | None
) -> Mapping[str, Sequence[str]]:
    """Options by clients, everybody with all rights where nothing is said."""
    given.expect(nfs_exports=(nfs_exports, Mapping))
    if not isinstance(nfs_exports, Mapping):
        return _EVERYBODY
    given.expect(**{f"nfs_exports[{clients!r}]": (clients, str) for clients in nfs_exports})
    return {
        clients: given.items("nfs_exports", options, str)
        for clients, options in nfs_exports.items()
    }


def _export_facts(
    exports: Mapping[str, Sequence[str]],
) -> tuple[tuple[str | Unknown, tuple[str | Unknown, ...]], ...]:
    return tuple(
        (known(clients), tuple(known(option) for option in options))
        for clients, options in exports.items()
    )


def _lets_root_in(exports: Mapping[str, Sequence[str]]) -> bool:
    """Whether root may give files to other owners, whichever node it is on."""
    return all("no_root_squash" in options for options in exports.values())


def _quotas(
    given: Arguments, argument: str, quotas: Mapping[int, cdk.Size] | None
) -> tuple[tuple[int, float], ...]:
    """GiB by number of a user or group."""
    given.expect(**{argument: (quotas, Mapping)})
    if not isinstance(quotas, Mapping):
        return ()
    given.require(
        **{f"{argument}[{number!r}]": (quota, cdk.Size) for number, quota in quotas.items()}
    )
    return tuple(
        (
            given.number(argument, number),
            given.gibibytes(f"{argument}[{number!r}]", quota, default=0),
        )
        for number, quota in quotas.items()
    )


def _by_kind(
    users: tuple[tuple[int, float], ...], groups: tuple[tuple[int, float], ...]
) -> Sequence[tuple[str, int, float]]:
    return [
        *(("USER", number, quota) for number, quota in users),
        *(("GROUP", number, quota) for number, quota in groups),
    ]


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
        ports=_PORTS,
        security_groups=(security_group,),
        servers_in=servers_in,
        dependencies=dependencies,
        keep_home=keep_home,
    )
