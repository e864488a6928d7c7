"""Amazon FSx for Lustre: fast scratch and project space for parallel jobs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.once import subnet_id
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import is_token, known
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs.file_share import FileShare, MountScript
from pcs_constructs.constructs.network.subnets import first_private_subnet, subnet_facts, subnet_for
from pcs_constructs.constructs.storage import lnet
from pcs_constructs.model.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from constructs import IDependable


_OPTIONS: Final = "noatime,flock"
_DEFAULT_THROUGHPUT: Final = {
    ("PERSISTENT_1", "SSD"): 50,
    ("PERSISTENT_1", "HDD"): 12,
    ("PERSISTENT_2", "SSD"): 125,
}


class LustreStorageType(Enum):
    """What a Lustre file system is kept on.

    Source: `StorageType` of the FSx `CreateFileSystem` API.
    """

    SSD = "SSD"
    HDD = "HDD"
    INTELLIGENT_TIERING = "INTELLIGENT_TIERING"


class RepositoryEvent(Enum):
    """What happens to a file that is carried to the other side of a data repository.

    Source: `AutoImportPolicy` and `AutoExportPolicy` of `AWS::FSx::DataRepositoryAssociation`.
    """

    NEW = "NEW"
    CHANGED = "CHANGED"
    DELETED = "DELETED"


@jsii.implements(ec2.IConnectable)
class LustreStorage(Construct):
    """An Amazon FSx for Lustre file system: fast scratch and project space for parallel jobs.

    Resources:
        A file system in one subnet and a security group. A data repository association for each
        `add_data_repository`.

    Security:
        Always encrypted at rest; between the file servers and most instance types that use it FSx
        encrypts in transit as well. Ports 988 and 1018 to 1023 are open between its servers, and in
        both directions between them and the nodes that mount it.

    Args:
        vpc: The VPC that the nodes are in.
        capacity: Its storage capacity. By default 1,200 GiB, which the console calls 1.2 TiB.
            PERSISTENT_2: 1,200 GiB, 2,400 GiB or a multiple of it.
        throughput: MB/s for each TiB of storage: 125, 250, 500 or 1,000 for PERSISTENT_2; 50, 100
            or 200 for PERSISTENT_1, and 12 or 40 with HDD. By default the smallest; scratch types
            have none to choose. With INTELLIGENT_TIERING MB/s for all of it, a multiple of 4,000.
        subnet: Where its servers are. By default the first private subnet of the VPC, which is also
            where a cluster puts its nodes: traffic between zones costs money and time.
        deployment_type: By default PERSISTENT_2. Scratch types do not replicate data.
        storage_type: By default SSD. HDD is for PERSISTENT_1; INTELLIGENT_TIERING, which grows with
            what is stored, for PERSISTENT_2.
        drive_cache: Whether HDD is read through an SSD cache of a fifth of the capacity. By default
            not.
        read_cache: The SSD that INTELLIGENT_TIERING reads through. By default in proportion to the
            throughput; of no size with `cdk.Size.gibibytes(0)`.
        metadata_iops: Metadata operations per second of PERSISTENT_2: 1,500, 3,000, 6,000 or a
            multiple of 12,000 up to 192,000. By default as many as go with the capacity.
        efa: Whether nodes with EFA can reach it by EFA as well, with GPUDirect Storage: once FSx's
            EFA client is set up in their image, else they use TCP. PERSISTENT_2 on SSD, with a
            multiple of 38,400 GiB at 125 MB/s/TiB, of 19,200 at 250, of 9,600 at 500 and of 4,800
            at 1,000. By default not.
        compression: How data is compressed. By default LZ4.
        kms_key: The key that encrypts a persistent type. By default the account's `aws/fsx`.
        backup_retention: How long daily backups of a persistent type are kept, in whole days, 90 at
            the most. By default none are made.
        backup_start_time: When the daily backup begins, `HH:MM` in UTC. By default FSx chooses.
        weekly_maintenance: When FSx may interrupt it for half an hour each week. By default FSx
            chooses.
        log_group: Where FSx writes failures and warnings of data repositories; its name begins with
            `/aws/fsx/`. By default nowhere.
        removal_policy: What becomes of it when the stack is deleted. By default it is retained, and
            must be deleted by hand. `DESTROY` deletes every file.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Create shared storage in Amazon FSx for Lustre; `CreateFileSystem` of the FSx API.
    """

    file_system: Final[fsx.CfnFileSystem]
    """The file system."""

    dns_name: Final[str]
    """Its DNS name, a token."""

    mount_name: Final[str]
    """Its Lustre mount name, a token."""

    file_share: Final[FileShare]
    """It as the nodes see it."""

    @staticmethod
    def from_lustre_attributes(
        scope: Construct,
        id: str,
        *,
        file_system_id: str,
        mount_name: str,
        security_group: ec2.ISecurityGroup,
        dns_name: str | None = None,
    ) -> FileShare:
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
        given = Arguments(LustreStorage.from_lustre_attributes, locals())
        refuse(scope, id, given.problems)
        facts = rules.LustreFacts(
            file_system_id=known(file_system_id), mount_name=known(mount_name)
        )
        refuse(scope, id, rules.errors_in(facts))
        server = dns_name or f"{file_system_id}.fsx.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        return _share(server, mount_name, security_group)

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
        storage_type: LustreStorageType = LustreStorageType.SSD,
        drive_cache: bool = False,
        read_cache: cdk.Size | None = None,
        metadata_iops: int | None = None,
        efa: bool = False,
        compression: fsx.LustreDataCompressionType = fsx.LustreDataCompressionType.LZ4,
        kms_key: kms.IKey | None = None,
        backup_retention: cdk.Duration | None = None,
        backup_start_time: str | None = None,
        weekly_maintenance: fsx.LustreMaintenanceTime | None = None,
        log_group: logs.ILogGroup | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments(LustreStorage.__init__, locals())
        tiering = storage_type is LustreStorageType.INTELLIGENT_TIERING
        gibibytes = given.gibibytes("capacity", capacity, default=1200)
        cache = given.gibibytes("read_cache", read_cache, default=0)
        backup_days = given.days("backup_retention", backup_retention, default=0)
        refuse(scope, id, given.problems)
        if throughput is None:
            throughput = _DEFAULT_THROUGHPUT.get((deployment_type.value, storage_type.value))
        if throughput is None and tiering:
            throughput = 4000
        facts = (
            rules.LustreFacts(
                deployment_type=deployment_type.value,
                storage_type=storage_type.value,
                capacity_gib=None if tiering and capacity is None else gibibytes,
                throughput=known(throughput),
                drive_cache=drive_cache,
                read_cache_gib=cache if read_cache is not None else None,
                metadata_iops=known(metadata_iops),
                efa=efa,
                kms_key=kms_key is not None,
                backup_days=backup_days,
                backup_start_time=known(backup_start_time),
                log_group_name=log_group_name(log_group) if log_group else None,
            ),
            rules.RemovalFacts(policy=removal_policy.name),
            *([subnet_facts("subnet", subnet, vpc)] if subnet else []),
            rules.IdentifierFacts(subnet_ids=(known(subnet_id(subnet)),) if subnet else ()),
        )
        chosen = subnet or first_private_subnet(vpc)
        place = subnet_for(scope, id, chosen, rules.errors_in(*facts))

        super().__init__(scope, id)
        advise(self, rules.advice_on(*facts))
        self._security_group = new_security_group(
            self, "SecurityGroup", vpc, "Servers of a Lustre file system", all_outbound=True
        )
        group = as_security_group(self._security_group)
        group_id = group.security_group_id
        between_servers = [*lnet.allow_between_servers(self, group_id, efa=efa)]
        self.file_system = fsx.CfnFileSystem(
            self,
            "Resource",
            file_system_type="LUSTRE",
            # The newest: 2.10, which is FSx's default, has neither PERSISTENT_2 nor metadata modes.
            file_system_type_version="2.15",
            storage_type=storage_type.value,
            storage_capacity=None if tiering else gibibytes,
            subnet_ids=[subnet_id(place)],
            security_group_ids=[group_id],
            tags=[cdk.CfnTag(key="Name", value=id)],
            kms_key_id=kms_key.key_arn if kms_key else None,
            lustre_configuration=_configuration(
                locals(),
                throughput=throughput,
                cache_gib=None if read_cache is None else cache,
                backup_days=backup_days,
            ),
        )
        # FSx refuses to make servers that cannot reach each other.
        self.file_system.node.add_dependency(*between_servers)
        self.file_system.apply_removal_policy(removal_policy)
        self.dns_name = self.file_system.attr_dns_name
        self.mount_name = self.file_system.attr_lustre_mount_name
        self._waited_for: list[IDependable] = []
        self._repositories = rules.RepositoriesFacts(
            deployment_type=deployment_type.value,
            storage_type=storage_type.value,
            backup_days=backup_days,
        )
        self.file_share = _share(
            self.dns_name, self.mount_name, group, place, efa=efa, dependencies=self._waited_for
        )

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the file servers."""
        return self._security_group.connections

    def add_data_repository(
        self,
        id: str,
        *,
        path: str,
        bucket: s3.IBucket,
        prefix: str = "",
        auto_import: Sequence[RepositoryEvent] = (
            RepositoryEvent.NEW,
            RepositoryEvent.CHANGED,
            RepositoryEvent.DELETED,
        ),
        auto_export: Sequence[RepositoryEvent] = (),
        batch_import: bool = True,
    ) -> fsx.CfnDataRepositoryAssociation:
        """Show objects of an S3 bucket as files, and carry changes of the one to the other.

        Nodes of a cluster that is made later wait for it, so add it first.

        FSx reaches the bucket by its own service-linked role; nodes need no permission. The bucket
        is in the file system's Region.

        Args:
            id: The id of the association.
            path: The directory of the file system, such as `/data`; `/` for all of it.
            bucket: The bucket.
            prefix: What the keys of the objects begin with. By default all objects.
            auto_import: What happens to objects that is carried to the files. By default
                everything.
            auto_export: What happens to files that is carried to the objects. By default nothing.
            batch_import: Whether the objects that are there are listed when this is made. By
                default they are.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Using data repositories with Amazon FSx for Lustre;
        `AWS::FSx::DataRepositoryAssociation`.
        """
        given = Arguments(LustreStorage.add_data_repository, locals())
        imports = given.items("auto_import", auto_import)
        exports = given.items("auto_export", auto_export)
        refuse(self, id, given.problems)
        # The path of the construct stands for a bucket whose name CloudFormation makes.
        name = bucket.bucket_name
        place = bucket.node.path if is_token(name) else name
        key = known(prefix.strip("/"))
        facts = self._repositories.with_repository(
            known(path), UNKNOWN if key is UNKNOWN else f"{place}/{key}/".replace("//", "/")
        )
        refuse(self, id, rules.errors_in(facts))
        self._repositories = facts
        association = fsx.CfnDataRepositoryAssociation(
            self,
            id,
            file_system_id=self.file_system.ref,
            file_system_path=path,
            data_repository_path=f"s3://{bucket.bucket_name}/{prefix.lstrip('/')}",
            batch_import_meta_data_on_create=batch_import,
            s3=fsx.CfnDataRepositoryAssociation.S3Property(
                auto_import_policy=fsx.CfnDataRepositoryAssociation.AutoImportPolicyProperty(
                    events=[event.value for event in imports]
                )
                if imports
                else None,
                auto_export_policy=fsx.CfnDataRepositoryAssociation.AutoExportPolicyProperty(
                    events=[event.value for event in exports]
                )
                if exports
                else None,
            )
            if imports or exports
            else None,
        )
        self._waited_for.append(association)
        return association


def _configuration(
    arguments: Mapping[str, Any],
    *,
    throughput: int | None,
    cache_gib: float | None,
    backup_days: int,
) -> fsx.CfnFileSystem.LustreConfigurationProperty:
    """What is said of Lustre itself, by the arguments of the constructor and what they come to."""
    take = arguments.__getitem__
    storage_type: LustreStorageType = take("storage_type")
    tiering = storage_type is LustreStorageType.INTELLIGENT_TIERING
    persistent_2 = take("deployment_type") is fsx.LustreDeploymentType.PERSISTENT_2
    maintenance = take("weekly_maintenance")
    return fsx.CfnFileSystem.LustreConfigurationProperty(
        deployment_type=take("deployment_type").value,
        per_unit_storage_throughput=None if tiering else throughput,
        throughput_capacity=throughput if tiering else None,
        data_compression_type=take("compression").value,
        data_read_cache_configuration=_read_cache(cache_gib) if tiering else None,
        drive_cache_type=("READ" if take("drive_cache") else "NONE")
        if storage_type is LustreStorageType.HDD
        else None,
        efa_enabled=True if take("efa") else None,
        metadata_configuration=_metadata(take("metadata_iops"), tiering=tiering)
        if persistent_2
        else None,
        log_configuration=_log_configuration(take("log_group")),
        weekly_maintenance_start_time=maintenance.to_timestamp() if maintenance else None,
        automatic_backup_retention_days=backup_days if throughput else None,
        daily_automatic_backup_start_time=take("backup_start_time"),
        copy_tags_to_backups=True if backup_days else None,
    )


def _metadata(
    iops: int | None, *, tiering: bool
) -> fsx.CfnFileSystem.MetadataConfigurationProperty:
    if iops is None and tiering:
        iops = 6000  # what there was before FSx could choose; another would change what runs
    return fsx.CfnFileSystem.MetadataConfigurationProperty(
        mode="AUTOMATIC" if iops is None else "USER_PROVISIONED", iops=iops
    )


def _read_cache(
    gibibytes: float | None,
) -> fsx.CfnFileSystem.DataReadCacheConfigurationProperty:
    if gibibytes is None:
        return fsx.CfnFileSystem.DataReadCacheConfigurationProperty(
            sizing_mode="PROPORTIONAL_TO_THROUGHPUT_CAPACITY"
        )
    if not gibibytes:
        return fsx.CfnFileSystem.DataReadCacheConfigurationProperty(sizing_mode="NO_CACHE")
    return fsx.CfnFileSystem.DataReadCacheConfigurationProperty(
        sizing_mode="USER_PROVISIONED", size_gib=gibibytes
    )


def _log_configuration(
    log_group: logs.ILogGroup | None,
) -> fsx.CfnFileSystem.LogConfigurationProperty | None:
    if log_group is None:
        return None
    return fsx.CfnFileSystem.LogConfigurationProperty(
        level="WARN_ERROR", destination=log_group.log_group_arn
    )


def _share(
    dns_name: str,
    mount_name: str,
    security_group: ec2.ISecurityGroup,
    servers_in: ec2.ISubnet | None = None,
    *,
    efa: bool = False,
    dependencies: Sequence[IDependable] = (),
) -> FileShare:
    """How any Lustre file system is mounted."""
    script = MountScript(
        name="mount-fsx-lustre",
        arguments=("--fsx-dns-name", dns_name, "--mount-name", mount_name),
        options=_OPTIONS,
    )
    return lnet.share(
        dns_name,
        mount_name,
        security_group,
        servers_in,
        options=f"_netdev,{_OPTIONS}",
        efa=efa,
        script=script,
        dependencies=dependencies,
    )


def log_group_name(group: logs.ILogGroup) -> str | Unknown:
    """The name of a log group, where it is said and not made by CloudFormation."""
    from aws_cdk import aws_logs as logs  # which takes time, and few file systems have logs

    resource = group.node.default_child
    name = resource.log_group_name if isinstance(resource, logs.CfnLogGroup) else None
    return known(name if name is not None else group.log_group_name)
