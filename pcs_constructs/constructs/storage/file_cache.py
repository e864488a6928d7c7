"""Amazon File Cache: data of other places, near the nodes for the time of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs.network.subnets import first_private_subnet, subnet_facts, subnet_for
from pcs_constructs.constructs.storage import lnet
from pcs_constructs.model.annotations import judge_fields, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from pcs_constructs.constructs.file_share import FileShare

# Not noatime, as for Lustre: what may leave a full cache is chosen by when it was read last.
_OPTIONS: Final = "_netdev,relatime,flock"


@dataclass(frozen=True, slots=True)
class DataRepository:
    """What a file cache shows in a directory. Build it with one of its factories.

    Args:
        uri: Where the data is, such as `s3://genomes/human/`.
        host: The NFS server; `None` for an S3 bucket.
        export: What the NFS server exports; `None` for an S3 bucket.

    Source: `FileCacheDataRepositoryAssociation` of the FSx API.
    """

    uri: str
    host: str | None = None
    export: str | None = None

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    @judged
    def s3(cls, bucket: s3.IBucket, *, prefix: str = "") -> DataRepository:
        """Objects of an S3 bucket, which may be in another Region.

        FSx reaches the bucket by a service-linked role that it makes for the cache; nodes need no
        permission. Whoever deploys needs `iam:CreateServiceLinkedRole`, `iam:AttachRolePolicy` and
        `iam:PutRolePolicy` for `s3.data-source.lustre.fsx.amazonaws.com`, which the CDK's default
        deployment role has. Where a KMS key of yours encrypts the bucket, that key's policy must
        let the service-linked role use it.

        Args:
            bucket: The bucket.
            prefix: What the keys of the objects begin with. By default all objects.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Adding permissions to use data repositories in Amazon S3, and Working with
        server-side encrypted Amazon S3 buckets, in the Amazon File Cache User Guide.
        """
        return cls(f"s3://{bucket.bucket_name}/{prefix.lstrip('/')}")

    @classmethod
    @judged
    def nfs(cls, host: str, export: str) -> DataRepository:
        """What an NFS 3 server exports, without `all_squash`.

        CloudFormation cannot say everything that the FSx API can of such a server: see PCS554.

        Args:
            host: Its name or its private IPv4 address, such as `filer.example.com` or `10.0.0.5`.
            export: The directory, such as `/export/tools`.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Prerequisites for linking to on-premises NFS data repositories in the Amazon File
        Cache User Guide.
        """
        return cls(f"nfs://{host}{export}", host, export)


@jsii.implements(ec2.IConnectable)
class FileCacheStorage(Construct):
    """An Amazon File Cache: S3 buckets or NFS servers elsewhere, read and written as local files.

    Files are fetched when they are first read. What nodes write stays in the cache until somebody
    exports it with `lfs hsm_archive`. Not every Region has File Cache. Its guide knows Lustre
    clients of version 2.12 only (Amazon Linux 2, RHEL 8, Ubuntu 20.04 and 22.04); that the newer
    ones of later images can mount it is not documented.

    Resources:
        A cache in one subnet and a security group.

    Security:
        Always encrypted at rest, and in transit to S3 and to instance types that support it, but
        not to NFS servers. Ports 988 and 1018 to 1023 are open between its servers, and in
        both directions between them and the nodes that mount it.

    Args:
        vpc: The VPC that the nodes are in.
        data_repositories: What the cache shows in which directory, at most 8, all S3 or all NFS:
            `{"/genomes": pcs.DataRepository.s3(bucket)}`. By default nothing. A change makes a new
            cache.
        capacity: Its storage capacity: 1,200 GiB, which is the default, 2,400 GiB or a multiple of
            it. Its throughput is 1,000 MB/s for each TiB.
        subnet: Where its servers are. By default the first private subnet of the VPC, which is also
            where a cluster puts its nodes: traffic between zones costs money and time.
        kms_key: The key that encrypts it. By default the account's `aws/fsx`.
        weekly_maintenance: When FSx may interrupt it for half an hour each week. By default FSx
            chooses.
        removal_policy: What becomes of it when the stack is deleted. By default it is retained, and
            must be deleted by hand. `DESTROY` deletes every file that was not exported.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Using network file systems with AWS PCS; Amazon File Cache User Guide;
    `CreateFileCache` of the FSx API.
    """

    file_cache: Final[fsx.CfnFileCache]
    """The cache."""

    dns_name: Final[str]
    """Its DNS name, a token."""

    mount_name: Final[str]
    """Its Lustre mount name, a token."""

    file_share: Final[FileShare]
    """It as the nodes see it."""

    @staticmethod
    def from_file_cache_attributes(
        scope: Construct,
        id: str,
        *,
        dns_name: str,
        mount_name: str,
        security_group: ec2.ISecurityGroup,
    ) -> FileShare:
        """Use a cache that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            dns_name: Its DNS name, such as `fc-0123456789abcdef0.fsx.us-east-1.amazonaws.com`.
            mount_name: Its Lustre mount name, such as `a1b2cbev`.
            security_group: The group of its servers, in which ports are opened to nodes.

        Raises:
            PcsValidationError: PCS003, PCS551, when a name is malformed.
        """
        given = Arguments(FileCacheStorage.from_file_cache_attributes, locals())
        refuse(scope, id, given.problems)
        facts = rules.FileCacheFacts(dns_name=known(dns_name), mount_name=known(mount_name))
        refuse(scope, id, rules.errors_in(facts))
        return lnet.share(dns_name, mount_name, security_group, None, options=_OPTIONS)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        data_repositories: Mapping[str, DataRepository] | None = None,
        capacity: cdk.Size | None = None,
        subnet: ec2.ISubnet | None = None,
        kms_key: kms.IKey | None = None,
        weekly_maintenance: fsx.LustreMaintenanceTime | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments(FileCacheStorage.__init__, locals())
        repositories = given.mapping("data_repositories", data_repositories)
        gibibytes = given.gibibytes("capacity", capacity, default=1200)
        refuse(scope, id, given.problems)
        facts = (
            rules.FileCacheFacts(
                capacity_gib=gibibytes,
                repositories=tuple(
                    _repository_facts(path, repository) for path, repository in repositories.items()
                ),
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
            self, "SecurityGroup", vpc, "Servers of a file cache", all_outbound=True
        )
        group = as_security_group(self._security_group)
        group_id = group.security_group_id
        between_servers = lnet.allow_between_servers(self, group_id)
        self.file_cache = fsx.CfnFileCache(
            self,
            "Resource",
            # The type, its version, the throughput and the metadata are the only ones there are.
            file_cache_type="LUSTRE",
            file_cache_type_version="2.12",
            storage_capacity=gibibytes,
            subnet_ids=[subnet_id(place)],
            security_group_ids=[group_id],
            tags=[cdk.CfnTag(key="Name", value=id)],
            kms_key_id=kms_key.key_arn if kms_key else None,
            lustre_configuration=fsx.CfnFileCache.LustreConfigurationProperty(
                deployment_type="CACHE_1",
                per_unit_storage_throughput=1000,
                metadata_configuration=fsx.CfnFileCache.MetadataConfigurationProperty(
                    storage_capacity=2400
                ),
                weekly_maintenance_start_time=weekly_maintenance.to_timestamp()
                if weekly_maintenance
                else None,
            ),
            data_repository_associations=[
                fsx.CfnFileCache.DataRepositoryAssociationProperty(
                    file_cache_path=path, data_repository_path=repository.uri
                )
                for path, repository in repositories.items()
            ]
            or None,
            copy_tags_to_data_repository_associations=True if repositories else None,
        )
        # FSx refuses to make servers that cannot reach each other.
        self.file_cache.node.add_dependency(*between_servers)
        self.file_cache.apply_removal_policy(removal_policy)
        self.dns_name = self.file_cache.attr_dns_name
        self.mount_name = self.file_cache.attr_lustre_configuration_mount_name
        self.file_share = lnet.share(self.dns_name, self.mount_name, group, place, options=_OPTIONS)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the file servers."""
        return self._security_group.connections


def _repository_facts(path: str, repository: DataRepository) -> rules.RepositoryFacts:
    return rules.RepositoryFacts(
        path=known(path),
        uri=known(repository.uri),
        nfs=repository.host is not None,
        host=known(repository.host or ""),
        export=known(repository.export or ""),
    )
