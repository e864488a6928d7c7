"""Amazon FSx for NetApp ONTAP: home directories and projects, with old data on cheaper storage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Self

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.file_share import FileShare
from pcs_constructs.constructs.network.subnets import subnet_for
from pcs_constructs.constructs.storage.servers import FsxServers
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from constructs import IDependable

# Four connections carry what one network flow of EC2 cannot.
_OPTIONS: Final = (
    "_netdev,noatime,nfsvers=4.1,nconnect=4,rsize=1048576,wsize=1048576,hard,timeo=600"
)
# All that NFS 4.1 needs. ONTAP's guide lists more, for NFS 3 and quota(1).
_DEFAULT_THROUGHPUT: Final = {
    "SINGLE_AZ_1": 128,
    "SINGLE_AZ_2": 1536,
    "MULTI_AZ_1": 128,
    "MULTI_AZ_2": 384,
    "SINGLE_AZ_3": 1536,
    "MULTI_AZ_3": 384,
}
_LARGEST_FLEXVOL_GIB: Final = 300 * 1024
_GIB: Final = 2**30


class OntapDeploymentType(Enum):
    """In how many zones the servers of an ONTAP file system are, and of which generation.

    Source: `DeploymentType` of `CreateFileSystemOntapConfiguration` in the FSx API.
    """

    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    MULTI_AZ_1 = "MULTI_AZ_1"
    MULTI_AZ_2 = "MULTI_AZ_2"
    SINGLE_AZ_3 = "SINGLE_AZ_3"
    MULTI_AZ_3 = "MULTI_AZ_3"


class OntapTieringPolicy(Enum):
    """Which data of a volume moves from SSD to the capacity pool: seldom used, and cheaper.

    Source: `TieringPolicy` of the FSx API.
    """

    SNAPSHOT_ONLY = "SNAPSHOT_ONLY"
    """What only snapshots have."""

    AUTO = "AUTO"
    """What has not been read for a while as well."""

    ALL = "ALL"
    """Everything."""

    NONE = "NONE"
    """Nothing."""


@jsii.implements(ec2.IConnectable)
class OntapStorage(Construct):
    """An Amazon FSx for NetApp ONTAP file system with one storage virtual machine and a volume.

    No password of `fsxadmin` or `vsadmin` is set, so nobody can use the ONTAP command line or REST
    API until somebody sets one in the FSx console. Nodes mount it all the same.

    Resources:
        A file system, a storage virtual machine, a volume and a security group. Another volume for
        each `add_volume`.

    Security:
        Encrypted at rest, and in transit between instance types that do so. TCP port 2049, all that
        NFS 4.1 needs, is opened to the nodes that mount it, and to nobody else. Its servers may not
        call anybody: for SnapMirror or a directory open the way with `connections`.

    Args:
        vpc: The VPC that the nodes are in.
        capacity: Its SSD, 1,024 to 524,288 GiB for each HA pair and 1 PiB in all. By default 1,024
            GiB for each pair.
        throughput: MB/s of each HA pair: 128, 256, 512, 1,024, 2,048 or 4,096 with SINGLE_AZ_1 and
            MULTI_AZ_1; 384, 768, 1,536, 3,072 or 6,144 with MULTI_AZ_2; 1,536, 3,072 or 6,144 with
            SINGLE_AZ_2; with SINGLE_AZ_3 and MULTI_AZ_3 12,288 and 18,432 beside those. By default
            the smallest.
        ha_pairs: How many pairs of servers share the work, up to 12 with SINGLE_AZ_2 and
            SINGLE_AZ_3. By default one. With several each volume is spread over all of them.
        iops: Disk operations per second. By default 3 for each GiB.
        deployment_type: By default SINGLE_AZ_1: one HA pair in one zone, which every Region has.
        subnet: Where its preferred servers are. By default the first private subnet of the VPC,
            which is also where a cluster puts its nodes.
        standby_subnet: Where the other servers of the MULTI_AZ types are. By default the first
            private subnet of the VPC in another zone.
        route_table_ids: The route tables of the nodes' subnets, into which FSx writes the way to
            the servers of the MULTI_AZ types. By default those of all subnets of the VPC. Tables of
            another stack must have the tag `AmazonFSx` with the value `ManagedByAmazonFSx`; those
            that are found here get it.
        endpoint_ip_address_range: The addresses of the MULTI_AZ types, a range outside of the
            subnets. By default FSx chooses.
        junction_path: Where the volume is. By default `/vol1`.
        size: How large the volume may grow, 20 MiB to 300 TiB; with several HA pairs 800 GiB to
            2,400 TiB for each. By default as large as the SSD.
        tiering_policy: What of it moves to the capacity pool. By default SNAPSHOT_ONLY.
        cooling_period: After how long without use data moves there with AUTO and SNAPSHOT_ONLY, 2
            to 183 whole days. By default 31 and 2 days.
        storage_efficiency: Whether data is compressed and kept once only. By default it is.
        snapshot_policy: When snapshots are taken: `default`, `default-1weekly`, `none` or one of
            your own. By default `default`: six hourly, two daily and two weekly ones are kept.
        copy_tags: Whether backups get the tags of a volume. By default they do.
        kms_key: The key that encrypts it. By default the account's `aws/fsx`.
        backup_retention: How long daily backups of the volumes are kept, in whole days, 90 at the
            most; none are made with `cdk.Duration.days(0)`. By default 30 days.
        backup_start_time: When the daily backup begins, `HH:MM` in UTC. By default FSx chooses.
        weekly_maintenance: When FSx may work on it for half an hour each week; the CDK's class is
            the same for all kinds of FSx. By default FSx chooses.
        removal_policy: What becomes of it and of its volumes when the stack is deleted. By default
            they are retained, and must be deleted by hand. `DESTROY` deletes every file; FSx still
            makes a last backup of each volume, which costs money until it is deleted by hand.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Mounting on Linux clients, and File System Access Control with Amazon VPC, in the FSx
    for ONTAP User Guide; `CreateFileSystem` of the FSx API.
    """

    file_system: Final[fsx.CfnFileSystem]
    """The file system."""

    storage_virtual_machine: Final[fsx.CfnStorageVirtualMachine]
    """The storage virtual machine that nodes talk to."""

    volume: Final[fsx.CfnVolume]
    """Its first volume."""

    dns_name: Final[str]
    """The DNS name of the storage virtual machine for NFS, a token."""

    file_share: Final[FileShare]
    """Its first volume as the nodes see it."""

    @staticmethod
    def from_ontap_attributes(
        scope: Construct,
        id: str,
        *,
        dns_name: str,
        junction_path: str,
        security_group: ec2.ISecurityGroup,
    ) -> FileShare:
        """Use a volume of a file system that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            dns_name: The DNS name of its storage virtual machine for NFS, such as
                `svm-0123456789abcdef0.fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com`, or its
                address.
            junction_path: The junction path of the volume, such as `/vol1`.
            security_group: The group of its servers, in which ports are opened to nodes.

        Raises:
            PcsValidationError: PCS003, PCS547, when the name or the path is malformed.
        """
        given = Arguments(OntapStorage.from_ontap_attributes, locals())
        refuse(scope, id, given.problems)
        facts = rules.OntapVolumeFacts(dns_name=known(dns_name), junction_path=known(junction_path))
        refuse(scope, id, rules.errors_in(facts))
        return _share(dns_name, junction_path, security_group)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        capacity: cdk.Size | None = None,
        throughput: int | None = None,
        ha_pairs: int = 1,
        iops: int | None = None,
        deployment_type: OntapDeploymentType = OntapDeploymentType.SINGLE_AZ_1,
        subnet: ec2.ISubnet | None = None,
        standby_subnet: ec2.ISubnet | None = None,
        route_table_ids: Sequence[str] | None = None,
        endpoint_ip_address_range: str | None = None,
        junction_path: str = "/vol1",
        size: cdk.Size | None = None,
        tiering_policy: OntapTieringPolicy = OntapTieringPolicy.SNAPSHOT_ONLY,
        cooling_period: cdk.Duration | None = None,
        storage_efficiency: bool = True,
        snapshot_policy: str = "default",
        copy_tags: bool = True,
        kms_key: kms.IKey | None = None,
        backup_retention: cdk.Duration | None = None,
        backup_start_time: str | None = None,
        weekly_maintenance: fsx.LustreMaintenanceTime | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments(OntapStorage.__init__, locals())
        ha_pairs = given.number("ha_pairs", ha_pairs)
        servers = FsxServers.among(
            given, capacity_gib=1024 * ha_pairs, throughput=_DEFAULT_THROUGHPUT
        )
        volume = _Volume.among(given)
        refuse(scope, id, given.problems)
        assert servers is not None  # or a problem was told
        facts = rules.OntapFacts(
            deployment_type=servers.deployment_type,
            capacity_gib=servers.capacity_gib,
            ha_pairs=ha_pairs,
            throughput=known(servers.throughput),
            iops=known(iops),
            placement=servers.placement.facts,
            backup_days=servers.backup_days,
            backup_start_time=known(backup_start_time),
            snapshot_on_removal=removal_policy is cdk.RemovalPolicy.SNAPSHOT,
        )
        problems = rules.errors_in(
            facts, volume.facts(ha_pairs), *servers.placement.facts_of_subnets()
        )
        subnet_for(scope, id, servers.placement.first, problems)

        super().__init__(scope, id)
        advise(self, rules.advice_on(facts))
        self._security_group, self.file_system = servers.attach(
            self,
            id,
            "ONTAP",
            vpc,
            ontap=fsx.CfnFileSystem.OntapConfigurationProperty(
                ha_pairs=ha_pairs,
                throughput_capacity_per_ha_pair=servers.throughput,
                **servers.common,
            ),
        )
        self.storage_virtual_machine = fsx.CfnStorageVirtualMachine(
            self,
            "StorageVirtualMachine",
            file_system_id=self.file_system.ref,
            name=_name(id, 47),
            root_volume_security_style="UNIX",
            tags=[cdk.CfnTag(key="Name", value=id)],
        )
        self.storage_virtual_machine.apply_removal_policy(removal_policy)
        svm_id = self.storage_virtual_machine.attr_storage_virtual_machine_id
        # CloudFormation does not tell it.
        self.dns_name = f"{svm_id}.{self.file_system.ref}.fsx.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        self._ha_pairs = ha_pairs
        self._capacity_gib = servers.capacity_gib
        self._copy_tags = copy_tags
        self._removal_policy = removal_policy
        self._servers_in = servers.placement.servers_in
        self._volumes: dict[str, fsx.CfnVolume] = {}
        self._names: list[str] = []
        self.volume = self._add("Volume", volume)
        self.file_share = self._share_of(junction_path)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the file servers."""
        return self._security_group.connections

    def add_volume(
        self,
        id: str,
        *,
        junction_path: str,
        size: cdk.Size | None = None,
        tiering_policy: OntapTieringPolicy = OntapTieringPolicy.SNAPSHOT_ONLY,
        cooling_period: cdk.Duration | None = None,
        storage_efficiency: bool = True,
        snapshot_policy: str = "default",
    ) -> FileShare:
        """Have another volume, with a size and policies of its own.

        It is kept or deleted with the file system, as `removal_policy` says of both.

        Args:
            id: The id of the volume, of which ONTAP's name of it is made.
            junction_path: Where it is, such as `/projects`. One like `/projects/cfd` is in another
                volume, or in a directory that is there already.
            size: How large it may grow, 20 MiB to 300 TiB; with several HA pairs 800 GiB to 2,400
                TiB for each. By default as large as the SSD: volumes share what there is.
            tiering_policy: What of it moves to the capacity pool. By default SNAPSHOT_ONLY.
            cooling_period: After how long without use data moves there with AUTO and SNAPSHOT_ONLY,
                2 to 183 whole days. By default 31 and 2 days.
            storage_efficiency: Whether data is compressed and kept once only. By default it is.
            snapshot_policy: When snapshots are taken: `default`, `default-1weekly`, `none` or one
                of your own. By default `default`.

        Returns:
            What to mount: `mounts={"/projects": ontap.add_volume(...)}`.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Managing FSx for ONTAP volumes; `AWS::FSx::Volume`.
        """
        given = Arguments(OntapStorage.add_volume, locals())
        volume = _Volume.among(given)
        refuse(self, id, given.problems)
        facts = volume.facts(
            self._ha_pairs,
            others=tuple(known(other) for other in self._volumes),
            name=_name(id, 203),
            names=tuple(self._names),
        )
        refuse(self, id, rules.errors_in(facts))
        self._add(id, volume)
        return self._share_of(junction_path)

    def _add(self, id: str, said: _Volume) -> fsx.CfnVolume:
        junction_path, size_gib = said.junction_path, said.size_gib
        one_pair = self._ha_pairs == 1
        if size_gib is None:
            most = _LARGEST_FLEXVOL_GIB if one_pair else self._capacity_gib
            size_gib = min(self._capacity_gib, most)
        volume = fsx.CfnVolume(
            self,
            id,
            name=_name(id, 203),
            volume_type="ONTAP",
            ontap_configuration=fsx.CfnVolume.OntapConfigurationProperty(
                storage_virtual_machine_id=(
                    self.storage_virtual_machine.attr_storage_virtual_machine_id
                ),
                ontap_volume_type="RW",
                volume_style="FLEXVOL" if one_pair else "FLEXGROUP",
                junction_path=junction_path,
                size_in_bytes=str(int(size_gib * _GIB)),
                security_style="UNIX",
                # CloudFormation has texts where others have booleans.
                storage_efficiency_enabled="true" if said.storage_efficiency else "false",
                snapshot_policy=said.snapshot_policy,
                tiering_policy=fsx.CfnVolume.TieringPolicyProperty(
                    name=said.tiering_policy.value, cooling_period=said.cooling_days
                ),
                copy_tags_to_backups="true" if self._copy_tags else "false",
            ),
        )
        volume.apply_removal_policy(self._removal_policy)
        for other, there in self._volumes.items():
            if junction_path.lower().startswith(f"{other.lower()}/"):
                volume.node.add_dependency(there)
            if other.lower().startswith(f"{junction_path.lower()}/"):
                there.node.add_dependency(volume)
        self._volumes[junction_path] = volume
        self._names.append(_name(id, 203))
        return volume

    def _share_of(self, junction_path: str) -> FileShare:
        return _share(
            self.dns_name,
            junction_path,
            as_security_group(self._security_group),
            servers_in=self._servers_in,
            dependencies=(self._volumes[junction_path],),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Volume:
    """A volume that is not attached yet."""

    junction_path: str
    size_gib: float | None
    tiering_policy: OntapTieringPolicy
    cooling_days: int | None
    snapshot_policy: str
    storage_efficiency: bool

    @classmethod
    def among(cls, given: Arguments) -> Self:
        """The volume among the arguments of a constructor or method."""
        take = given.arguments.__getitem__
        size, cooling_period = take("size"), take("cooling_period")
        gibibytes = given.gibibytes("size", size, default=0)
        days = given.days("cooling_period", cooling_period, default=0)
        return cls(
            junction_path=take("junction_path"),
            size_gib=None if size is None else gibibytes,
            tiering_policy=take("tiering_policy"),
            cooling_days=None if cooling_period is None else days,
            snapshot_policy=take("snapshot_policy"),
            storage_efficiency=take("storage_efficiency"),
        )

    def facts(
        self,
        ha_pairs: int,
        *,
        others: tuple[str | Unknown, ...] = (),
        name: str | Unknown = UNKNOWN,
        names: tuple[str, ...] = (),
    ) -> rules.OntapVolumeFacts:
        """What the rules are to judge, beside the volumes that there are."""
        return rules.OntapVolumeFacts(
            junction_path=known(self.junction_path),
            others=others,
            name=name,
            names=names,
            size_bytes=UNKNOWN if self.size_gib is None else self.size_gib * _GIB,
            ha_pairs=ha_pairs,
            tiering_policy=self.tiering_policy.value,
            cooling_days=self.cooling_days,
            snapshot_policy=known(self.snapshot_policy),
        )


def _name(id: str, longest: int) -> str:
    """A name for ONTAP: letters, digits and underscores, not beginning with a digit."""
    name = re.sub(r"\W", "_", id, flags=re.ASCII)
    return (f"_{name}" if name[0].isdigit() else name)[:longest]


def _share(
    dns_name: str,
    junction_path: str,
    security_group: ec2.ISecurityGroup,
    *,
    servers_in: ec2.ISubnet | None = None,
    dependencies: Sequence[IDependable] = (),
) -> FileShare:
    """How any ONTAP volume is mounted."""
    return FileShare(
        source=f"{dns_name}:{junction_path}",
        type="nfs",
        options=_OPTIONS,
        client=MountClient.NFS,
        ports=KINDS["ONTAP"].ports,
        security_groups=(security_group,),
        servers_in=servers_in,
        dependencies=dependencies,
    )
