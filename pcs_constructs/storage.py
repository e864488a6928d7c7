"""File systems that nodes share, and how each is mounted."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import _cdk, rules
from pcs_constructs._arguments import Arguments
from pcs_constructs.boot import Mount, MountClient
from pcs_constructs.errors import PcsValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from constructs import IDependable

    from pcs_constructs.interfaces import ISharedStorage

_EFS_OPTIONS: Final = "_netdev,noresvport,tls"
_NFS_PORTS: Final = (2049, 2049)
_LUSTRE_OPTIONS: Final = "_netdev,noatime,flock"
_LUSTRE_PORTS: Final = {"Lnet": (988, 988), "Lnet1018To1023": (1018, 1023)}

_DEFAULT_THROUGHPUT: Final = {"PERSISTENT_1": 50, "PERSISTENT_2": 125}

# A policy is written out because the one that the CDK writes under its recommended feature flags
# leaves out ClientMount, and with it nobody can mount (aws/aws-cdk#36224).
_EFS_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "MountThroughMountTargets",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "elasticfilesystem:ClientMount",
                "elasticfilesystem:ClientRootAccess",
                "elasticfilesystem:ClientWrite",
            ],
            "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
        },
        {
            "Sid": "EncryptedInTransitOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ],
}


@jsii.implements(ec2.IConnectable)
class EfsStorage(Construct):
    """An Amazon EFS file system, mounted with TLS: home directories, software, small files.

    Resources:
        A file system with elastic throughput, a mount target in one subnet of each Availability
        Zone, and a security group.

    Security:
        Encrypted at rest. Its policy lets every client in that comes through a mount target with
        TLS, and refuses the others. Port 2049 is opened to the nodes that mount it, and to nobody
        else.

    Args:
        vpc: The VPC that the nodes are in.
        subnets: Where its mount targets are, at most one subnet to a zone. By default a private
            subnet in each zone of the VPC.
        kms_key: The key that encrypts it. By default the account's `aws/elasticfilesystem`.
        automatic_backups: Whether AWS Backup keeps daily copies. By default it does.
        removal_policy: What becomes of it when the stack is deleted. By default it is retained, and
            must be deleted by hand. `DESTROY` deletes every file.

    Raises:
        PcsValidationError: PCS001, PCS003, PCS404, PCS414, PCS508.

    Source: Using network file systems with AWS PCS; Create shared storage in Amazon EFS.
    """

    file_system: Final[efs.FileSystem]
    """The file system."""

    @staticmethod
    def from_file_system(file_system: efs.IFileSystem) -> ISharedStorage:
        """Use a file system that is defined elsewhere in the app, or imported by the CDK.

        Raises:
            PcsValidationError: PCS003, when it is no file system.
        """
        given = Arguments()
        given.expect(file_system=(file_system, "file_system_id"))
        if given.problems:
            raise PcsValidationError("EfsStorage.from_file_system", given.problems)
        return _ImportedEfs(file_system)

    @staticmethod
    def from_file_system_attributes(
        scope: Construct, id: str, *, file_system_id: str, security_group: ec2.ISecurityGroup
    ) -> ISharedStorage:
        """Use a file system that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            file_system_id: Its ID, such as `fs-0123456789abcdef0`.
            security_group: The group of its mount targets, in which port 2049 is opened to nodes.

        Raises:
            PcsValidationError: PCS003, PCS511, when `file_system_id` is no such ID.
        """
        given = Arguments()
        given.expect(
            file_system_id=(file_system_id, str),
            security_group=(security_group, "security_group_id"),
        )
        _cdk.refuse(scope, id, given.problems)
        facts = rules.EfsFacts(file_system_id=_cdk.known(file_system_id))
        _cdk.refuse(scope, id, rules.errors_in(facts))
        return _ImportedEfs(
            efs.FileSystem.from_file_system_attributes(
                scope, id, file_system_id=file_system_id, security_group=security_group
            )
        )

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet] | None = None,
        kms_key: kms.IKey | None = None,
        automatic_backups: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments()
        given.expect(
            vpc=(vpc, "vpc_id"),
            kms_key=(kms_key, "key_arn"),
            automatic_backups=(automatic_backups, bool),
            removal_policy=(removal_policy, cdk.RemovalPolicy),
        )
        chosen = None if subnets is None else given.items("subnets", subnets, "subnet_id")
        _cdk.refuse(scope, id, given.problems)
        if chosen is None:
            _cdk.place(scope, id, _cdk.first_private_subnet(vpc), [])
            selection = ec2.SubnetSelection(one_per_az=True)
        else:
            facts = (
                rules.MountTargetFacts(
                    availability_zones=tuple(_cdk.availability_zone(place) for place in chosen)
                ),
                *(_cdk.subnet_facts("subnets", place, vpc) for place in chosen),
            )
            _cdk.refuse(scope, id, rules.errors_in(*facts))
            selection = ec2.SubnetSelection(subnets=list(chosen))

        super().__init__(scope, id)
        # Names mount targets by their subnets and not by number, whatever the user's flags say.
        self.node.set_context(_cdk.MOUNT_TARGETS_BY_SUBNET, True)
        group = _cdk.security_group(
            self, "SecurityGroup", vpc, "Mount targets of an EFS file system", all_outbound=False
        )
        self.file_system = efs.FileSystem(
            self,
            "Resource",
            vpc=vpc,
            security_group=_cdk.as_security_group(group),
            vpc_subnets=selection,
            encrypted=True,
            kms_key=kms_key,
            enable_automatic_backups=automatic_backups,
            performance_mode=efs.PerformanceMode.GENERAL_PURPOSE,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            removal_policy=removal_policy,
            file_system_policy=iam.PolicyDocument.from_json(_EFS_POLICY),
            # Otherwise the CDK appends a statement of its own to the policy.
            allow_anonymous_access=True,
        )
        self._efs = _ImportedEfs(
            _cdk.as_file_system(self.file_system), [_cdk.as_security_group(group)]
        )

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the mount targets."""
        return self.file_system.connections

    @property
    def mount_dependencies(self) -> Sequence[IDependable]:
        """The mount targets: a node that starts before them waits for their names."""
        return self._efs.mount_dependencies

    def mount(self, path: str) -> Mount:
        """How a node mounts it at `path`."""
        return self._efs.mount(path)

    def allow_mount_from(self, clients: ec2.ISecurityGroup) -> None:
        """Open port 2049 from these clients."""
        self._efs.allow_mount_from(clients)


class _ImportedEfs:
    """How any EFS file system is mounted."""

    def __init__(
        self, file_system: efs.IFileSystem, security_groups: Sequence[ec2.ISecurityGroup] = ()
    ) -> None:
        self._file_system = file_system
        self._security_groups = security_groups
        self._source = f"{file_system.file_system_id}:/"

    @property
    def mount_dependencies(self) -> Sequence[IDependable]:
        return (self._file_system.mount_targets_available,)

    def mount(self, path: str) -> Mount:
        return Mount(
            path=path,
            source=self._source,
            type="efs",
            options=_EFS_OPTIONS,
            client=MountClient.EFS,
            keep_existing=path == "/home",
        )

    def allow_mount_from(self, clients: ec2.ISecurityGroup) -> None:
        for group in self._security_groups or self._file_system.connections.security_groups:
            _cdk.allow(clients, group, _NFS_PORTS, "EFS clients to mount targets")


@jsii.implements(ec2.IConnectable)
class LustreStorage(Construct):
    """An Amazon FSx for Lustre file system: fast scratch and project space for parallel jobs.

    Resources:
        A file system in one subnet and a security group.

    Security:
        Always encrypted at rest; between the file servers and most instance types that use it FSx
        encrypts in transit as well. Ports 988 and 1018 to 1023 are open between its servers, and in
        both directions between them and the nodes that mount it.

    Args:
        vpc: The VPC that the nodes are in.
        capacity: Its storage capacity. By default 1,200 GiB, which the console calls 1.2 TiB.
            PERSISTENT_2: 1,200 GiB, 2,400 GiB or a multiple of it.
        throughput: MB/s for each TiB of storage: 125, 250, 500 or 1,000 for PERSISTENT_2; 50, 100
            or 200 for PERSISTENT_1. By default the smallest; scratch types have none to choose.
        subnet: Where its servers are. By default the first private subnet of the VPC, which is also
            where a cluster puts its nodes: traffic between zones costs money and time.
        deployment_type: By default PERSISTENT_2. Scratch types do not replicate data.
        compression: How data is compressed. By default LZ4.
        kms_key: The key that encrypts a persistent type. By default the account's `aws/fsx`.
        backup_retention: How long daily backups of a persistent type are kept, in whole days, 90 at
            the most. By default none are made.
        removal_policy: What becomes of it when the stack is deleted. By default it is retained, and
            must be deleted by hand. `DESTROY` deletes every file.

    Raises:
        PcsValidationError: PCS002, PCS003, PCS404, PCS414, PCS504 to PCS507.

    Source: Create shared storage in Amazon FSx for Lustre; `CreateFileSystem` of the FSx API.
    """

    file_system: Final[fsx.CfnFileSystem]
    """The file system."""

    dns_name: Final[str]
    """Its DNS name, a token."""

    mount_name: Final[str]
    """Its Lustre mount name, a token."""

    @staticmethod
    def from_lustre_attributes(
        scope: Construct,
        id: str,
        *,
        file_system_id: str,
        mount_name: str,
        security_group: ec2.ISecurityGroup,
        dns_name: str | None = None,
    ) -> ISharedStorage:
        """Use a file system that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            file_system_id: Its ID, such as `fs-0123456789abcdef0`.
            mount_name: Its Lustre mount name, such as `a1b2cbev`; `fsx` for SCRATCH_1.
            security_group: The group of its servers, in which ports are opened to nodes.
            dns_name: Its DNS name. By default `<id>.fsx.<region>.<suffix>` in the stack's Region.

        Raises:
            PcsValidationError: PCS003, PCS510, when an identifier is malformed.
        """
        given = Arguments()
        given.expect(
            file_system_id=(file_system_id, str),
            mount_name=(mount_name, str),
            security_group=(security_group, "security_group_id"),
            dns_name=(dns_name, str),
        )
        _cdk.refuse(scope, id, given.problems)
        facts = rules.LustreFacts(
            file_system_id=_cdk.known(file_system_id), mount_name=_cdk.known(mount_name)
        )
        _cdk.refuse(scope, id, rules.errors_in(facts))
        server = dns_name or f"{file_system_id}.fsx.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        return _ImportedLustre(server, mount_name, security_group)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        capacity: cdk.Size | None = None,
        throughput: int | None = None,
        subnet: ec2.ISubnet | None = None,
        deployment_type: fsx.LustreDeploymentType = fsx.LustreDeploymentType.PERSISTENT_2,
        compression: fsx.LustreDataCompressionType = fsx.LustreDataCompressionType.LZ4,
        kms_key: kms.IKey | None = None,
        backup_retention: cdk.Duration | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments()
        given.expect(
            vpc=(vpc, "vpc_id"),
            subnet=(subnet, "subnet_id"),
            deployment_type=(deployment_type, fsx.LustreDeploymentType),
            throughput=(throughput, Real),
            compression=(compression, fsx.LustreDataCompressionType),
            kms_key=(kms_key, "key_arn"),
            removal_policy=(removal_policy, cdk.RemovalPolicy),
        )
        gibibytes = given.gibibytes("capacity", capacity, default=1200)
        backup_days = given.days("backup_retention", backup_retention, default=0)
        _cdk.refuse(scope, id, given.problems)
        if throughput is None:
            throughput = _DEFAULT_THROUGHPUT.get(deployment_type.value)
        facts = (
            rules.LustreFacts(
                deployment_type=deployment_type.value,
                capacity_gib=gibibytes,
                throughput=_cdk.known(throughput),
                kms_key=kms_key is not None,
                backup_days=backup_days,
            ),
            *([_cdk.subnet_facts("subnet", subnet, vpc)] if subnet else []),
            rules.IdentifierFacts(
                subnet_ids=(_cdk.known(_cdk.subnet_id(subnet)),) if subnet else ()
            ),
        )
        found = subnet or _cdk.first_private_subnet(vpc)
        place = _cdk.place(scope, id, found, rules.errors_in(*facts))
        persistent_2 = deployment_type is fsx.LustreDeploymentType.PERSISTENT_2

        super().__init__(scope, id)
        _cdk.advise(self, rules.advice_on(*facts))
        self._security_group = _cdk.security_group(
            self, "SecurityGroup", vpc, "Servers of a Lustre file system", all_outbound=True
        )
        group = _cdk.as_security_group(self._security_group)
        group_id = group.security_group_id
        between_servers = [
            ec2.CfnSecurityGroupIngress(
                self,
                f"{name}FromSelf",
                group_id=group_id,
                source_security_group_id=group_id,
                ip_protocol="tcp",
                from_port=first,
                to_port=last,
                description="Lustre between file servers",
            )
            for name, (first, last) in _LUSTRE_PORTS.items()
        ]
        self.file_system = fsx.CfnFileSystem(
            self,
            "Resource",
            file_system_type="LUSTRE",
            # The newest: 2.10, which is FSx's default, has neither PERSISTENT_2 nor metadata modes.
            file_system_type_version="2.15",
            storage_type="SSD",
            storage_capacity=gibibytes,
            subnet_ids=[_cdk.subnet_id(place)],
            security_group_ids=[group_id],
            tags=[cdk.CfnTag(key="Name", value=id)],
            kms_key_id=kms_key.key_arn if kms_key else None,
            lustre_configuration=fsx.CfnFileSystem.LustreConfigurationProperty(
                deployment_type=deployment_type.value,
                per_unit_storage_throughput=throughput,
                data_compression_type=compression.value,
                metadata_configuration=fsx.CfnFileSystem.MetadataConfigurationProperty(
                    mode="AUTOMATIC"
                )
                if persistent_2
                else None,
                automatic_backup_retention_days=backup_days if throughput else None,
                copy_tags_to_backups=True if backup_days else None,
            ),
        )
        # FSx refuses to make servers that cannot reach each other.
        self.file_system.node.add_dependency(*between_servers)
        self.file_system.apply_removal_policy(removal_policy)
        self.dns_name = self.file_system.attr_dns_name
        self.mount_name = self.file_system.attr_lustre_mount_name
        self._lustre = _ImportedLustre(self.dns_name, self.mount_name, group)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the file servers."""
        return self._security_group.connections

    @property
    def mount_dependencies(self) -> Sequence[IDependable]:
        """Nothing: a node's mount command refers to the file system itself."""
        return self._lustre.mount_dependencies

    def mount(self, path: str) -> Mount:
        """How a node mounts it at `path`."""
        return self._lustre.mount(path)

    def allow_mount_from(self, clients: ec2.ISecurityGroup) -> None:
        """Open ports 988 and 1018 to 1023 between these clients and the file servers."""
        self._lustre.allow_mount_from(clients)


class _ImportedLustre:
    """How any Lustre file system is mounted."""

    def __init__(self, dns_name: str, mount_name: str, security_group: ec2.ISecurityGroup) -> None:
        self._source = f"{dns_name}@tcp:/{mount_name}"
        self._security_group = security_group

    @property
    def mount_dependencies(self) -> Sequence[IDependable]:
        return ()

    def mount(self, path: str) -> Mount:
        return Mount(
            path=path,
            source=self._source,
            type="lustre",
            options=_LUSTRE_OPTIONS,
            client=MountClient.LUSTRE,
            keep_existing=path == "/home",
        )

    def allow_mount_from(self, clients: ec2.ISecurityGroup) -> None:
        for ports in _LUSTRE_PORTS.values():
            _cdk.allow(clients, self._security_group, ports, "Lustre clients to file servers")
            _cdk.allow_back(clients, self._security_group, ports, "Lustre servers to clients")
