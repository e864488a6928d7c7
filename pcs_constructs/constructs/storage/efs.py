"""Amazon EFS: home directories, software, small files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import (
    as_access_point,
    as_file_system,
    as_security_group,
    default_child,
)
from pcs_constructs.constructs._cdk.once import subnet_id, zone_name
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs.file_share import FileShare, MountScript
from pcs_constructs.constructs.network.subnets import first_private_subnet, subnet_facts, subnet_for
from pcs_constructs.model.annotations import judged
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_cdk import aws_kms as kms

_IN_TRANSIT_ONLY: Final = {
    "Sid": "EncryptedInTransitOnly",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}

_THROUGH_MOUNT_TARGETS: Final = {
    "Sid": "MountThroughMountTargets",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": [
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientRootAccess",
        "elasticfilesystem:ClientWrite",
    ],
    "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
}


@jsii.implements(ec2.IConnectable)
class EfsStorage(Construct):
    """An Amazon EFS file system, mounted with TLS: home directories, software, small files.

    Resources:
        A file system, a mount target in one subnet of each Availability Zone, and a security group.
        An access point for each `add_access_point`.

    Security:
        Encrypted at rest. Its policy lets every client in that comes through a mount target with
        TLS, and refuses the others; with `iam_authorization` only clients whose role may mount it,
        and the roles of the nodes that mount it get that. Port 2049 is opened to the nodes that
        mount it, and to nobody else.

    Args:
        vpc: The VPC that the nodes are in.
        subnets: Where its mount targets are, at most one subnet to a zone. By default a private
            subnet in each zone of the VPC; with `one_zone` the first of them.
        one_zone: Whether it is kept in the zone of its one subnet only, which is cheaper. Nodes in
            other zones cannot mount it. By default it is in every zone of the Region.
        throughput_mode: By default ELASTIC: paid by use, and as fast as the client asks for.
        provisioned_throughput_per_second: The throughput that is paid for with PROVISIONED, 1 to
            3,414 MiB.
        lifecycle_policy: After how long without use files move to Infrequent Access. By default
            never.
        transition_to_archive_policy: After how long without use they move to Archive, later than
            that. Needs ELASTIC. By default never.
        out_of_infrequent_access_policy: Whether a file moves back when it is used. By default it
            does not.
        iam_authorization: Whether mounting takes permissions of the node's role, which it gets; one
            that the CDK may not change has to have them. By default coming through a mount target
            is enough.
        kms_key: The key that encrypts it. By default the account's `aws/elasticfilesystem`.
        automatic_backups: Whether AWS Backup keeps daily copies. By default it does.
        removal_policy: What becomes of it when the stack is deleted. By default it is retained, and
            must be deleted by hand. `DESTROY` deletes every file.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Using network file systems with AWS PCS; Create shared storage in Amazon EFS;
    `AWS::EFS::FileSystem`.
    """

    file_system: Final[efs.FileSystem]
    """The file system."""

    file_share: Final[FileShare]
    """It as the nodes see it."""

    @staticmethod
    @judged
    def from_file_system(
        file_system: efs.IFileSystem, *, iam_authorization: bool = False
    ) -> FileShare:
        """Use a file system that is defined elsewhere in the app, or imported by the CDK.

        Args:
            file_system: The file system.
            iam_authorization: Whether its policy asks clients for permissions, which the roles of
                nodes get then. By default it does not.

        Raises:
            PcsValidationError: PCS003, when it is no file system.
        """
        return _share(file_system, iam_authorization=iam_authorization)

    @staticmethod
    @judged
    def from_access_point(
        access_point: efs.IAccessPoint, *, iam_authorization: bool = False
    ) -> FileShare:
        """Use an access point that is defined elsewhere in the app, or imported with its system.

        Args:
            access_point: The access point.
            iam_authorization: Whether the policy of its file system asks clients for permissions,
                which the roles of nodes get then. By default it does not.

        Raises:
            PcsValidationError: PCS003, when it is no access point.
        """
        return _share(
            access_point.file_system, iam_authorization=iam_authorization, access_point=access_point
        )

    @staticmethod
    def from_file_system_attributes(
        scope: Construct,
        id: str,
        *,
        file_system_id: str,
        security_group: ec2.ISecurityGroup,
        iam_authorization: bool = False,
    ) -> FileShare:
        """Use a file system that exists already.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            file_system_id: Its ID, such as `fs-0123456789abcdef0`.
            security_group: The group of its mount targets, in which port 2049 is opened to nodes.
            iam_authorization: Whether its policy asks clients for permissions, which the roles of
                nodes get then. By default it does not.

        Raises:
            PcsValidationError: PCS003, PCS511, when `file_system_id` is no such ID.
        """
        given = Arguments(EfsStorage.from_file_system_attributes, locals())
        refuse(scope, id, given.problems)
        facts = rules.EfsFacts(file_system_id=known(file_system_id))
        refuse(scope, id, rules.errors_in(facts))
        return _share(
            efs.FileSystem.from_file_system_attributes(
                scope, id, file_system_id=file_system_id, security_group=security_group
            ),
            iam_authorization=iam_authorization,
        )

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet] | None = None,
        one_zone: bool = False,
        throughput_mode: efs.ThroughputMode = efs.ThroughputMode.ELASTIC,
        provisioned_throughput_per_second: cdk.Size | None = None,
        lifecycle_policy: efs.LifecyclePolicy | None = None,
        transition_to_archive_policy: efs.LifecyclePolicy | None = None,
        out_of_infrequent_access_policy: efs.OutOfInfrequentAccessPolicy | None = None,
        iam_authorization: bool = False,
        kms_key: kms.IKey | None = None,
        automatic_backups: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        given = Arguments(EfsStorage.__init__, locals())
        chosen = None if subnets is None else given.items("subnets", subnets)
        mebibytes = given.mebibytes(
            "provisioned_throughput_per_second", provisioned_throughput_per_second
        )
        refuse(scope, id, given.problems)
        facts = [
            rules.EfsFacts(
                provisioned=throughput_mode is efs.ThroughputMode.PROVISIONED,
                elastic=throughput_mode is efs.ThroughputMode.ELASTIC,
                throughput_mib=mebibytes,
                infrequent_access=_days_of(lifecycle_policy),
                archive=_days_of(transition_to_archive_policy),
                returns=out_of_infrequent_access_policy is not None,
            ),
            rules.RemovalFacts(policy=removal_policy.name),
        ]
        if chosen is None:
            first = subnet_for(scope, id, first_private_subnet(vpc), rules.errors_in(*facts))
            if one_zone:
                chosen = (first,)
        else:
            targets = (
                rules.MountTargetFacts(
                    availability_zones=tuple(map(_known_zone, chosen)),
                    subnet_ids=tuple(known(subnet_id(place)) for place in chosen),
                    zone_told=all(zone_name(place) for place in chosen),
                    one_zone=one_zone,
                ),
                *(subnet_facts("subnets", place, vpc) for place in chosen),
            )
            refuse(scope, id, rules.errors_in(*facts, *targets))

        super().__init__(scope, id)
        advise(self, rules.advice_on(*facts))
        # Names mount targets by their subnets and not by number, whatever the user's flags say.
        self.node.set_context(MOUNT_TARGETS_BY_SUBNET, True)
        group = new_security_group(
            self,
            "SecurityGroup",
            vpc,
            "Mount targets of an EFS file system",
            all_outbound=False,
            only_answers=True,
        )
        self.file_system = self._attach_file_system(locals(), group, chosen)
        self.file_share = _share(
            as_file_system(self.file_system),
            iam_authorization=iam_authorization,
            security_groups=(as_security_group(group),),
            subnets=chosen,
        )

    def _attach_file_system(
        self,
        arguments: Mapping[str, Any],
        group: ec2.SecurityGroup,
        chosen: Sequence[ec2.ISubnet] | None,
    ) -> efs.FileSystem:
        take = arguments.__getitem__
        file_system = efs.FileSystem(
            self,
            "Resource",
            vpc=take("vpc"),
            security_group=as_security_group(group),
            vpc_subnets=ec2.SubnetSelection(one_per_az=True)
            if chosen is None
            else ec2.SubnetSelection(subnets=list(chosen)),
            encrypted=True,
            kms_key=take("kms_key"),
            enable_automatic_backups=take("automatic_backups"),
            performance_mode=efs.PerformanceMode.GENERAL_PURPOSE,
            throughput_mode=take("throughput_mode"),
            provisioned_throughput_per_second=take("provisioned_throughput_per_second"),
            lifecycle_policy=take("lifecycle_policy"),
            transition_to_archive_policy=take("transition_to_archive_policy"),
            out_of_infrequent_access_policy=take("out_of_infrequent_access_policy"),
            removal_policy=take("removal_policy"),
            # Written out because the policy that the CDK writes under its recommended feature flags
            # leaves out ClientMount, and with it nobody can mount (aws/aws-cdk#36224).
            file_system_policy=iam.PolicyDocument.from_json(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        *([] if take("iam_authorization") else [_THROUGH_MOUNT_TARGETS]),
                        _IN_TRANSIT_ONLY,
                    ],
                }
            ),
            # Otherwise the CDK appends a statement of its own to the policy.
            allow_anonymous_access=True,
        )
        if take("one_zone") and chosen is not None:
            # The CDK's `one_zone` looks for a subnet in the zone itself, and may find several.
            resource = default_child(file_system, efs.CfnFileSystem)
            resource.availability_zone_name = chosen[0].availability_zone
        return file_system

    @property
    def dns_name(self) -> str:
        """Its DNS name, a token. The EFS client needs none: it goes by the ID."""
        file_system_id = self.file_system.file_system_id
        return f"{file_system_id}.efs.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the mount targets."""
        return self.file_system.connections

    @judged
    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody mount it and read, where it asks for permissions."""
        return self.file_system.grant_read(grantee)

    @judged
    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody mount it, read and write, where it asks for permissions."""
        return self.file_system.grant_read_write(grantee)

    @judged
    def grant_root_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody mount it and be root there, where it asks for permissions."""
        return self.file_system.grant_root_access(grantee)

    def add_access_point(
        self,
        id: str,
        *,
        path: str,
        posix_user: efs.PosixUser | None = None,
        create_acl: efs.Acl | None = None,
    ) -> FileShare:
        """Let nodes mount a directory of it on its own, whatever else is in there.

        Args:
            id: The id of the access point.
            path: The directory, such as `/projects/cfd`.
            posix_user: Whom everything is done as, whoever does it. By default as who does it.
            create_acl: Owner and mode of the directory, which is made if it is not there. By
                default it must be there.

        Returns:
            What to mount: `mounts={"/projects/cfd": home.add_access_point(...)}`.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.

        Source: Working with Amazon EFS access points.
        """
        given = Arguments(EfsStorage.add_access_point, locals())
        refuse(self, id, given.problems)
        facts = rules.AccessPointFacts(path=known(path))
        refuse(self, id, rules.errors_in(facts))
        point = self.file_system.add_access_point(
            id, path=path, posix_user=posix_user, create_acl=create_acl
        )
        return _share(
            as_file_system(self.file_system),
            iam_authorization=self.file_share.grant is not None,
            access_point=as_access_point(point),
            security_groups=self.file_share.security_groups,
            subnets=self.file_share.mount_targets_in,
        )


def _days_of(policy: efs.LifecyclePolicy | None) -> int | None:
    """The days in the name of a policy such as `AFTER_30_DAYS`."""
    return int(policy.name.split("_")[1]) if policy else None


def _known_zone(subnet: ec2.ISubnet) -> str | Unknown:
    name = zone_name(subnet)
    return UNKNOWN if name is None else known(name)


def _grant(file_system: efs.IFileSystem) -> Callable[[iam.IGrantable], iam.Grant]:
    # Not the file system's own grants: where a role cannot be changed they write into the policy of
    # the file system, which then refers to itself.
    return lambda grantee: iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[f"elasticfilesystem:Client{right}" for right in ("Mount", "RootAccess", "Write")],
        resource_arns=[file_system.file_system_arn],
    )


def _share(
    file_system: efs.IFileSystem,
    *,
    iam_authorization: bool = False,
    access_point: efs.IAccessPoint | None = None,
    security_groups: Sequence[ec2.ISecurityGroup] = (),
    subnets: Sequence[ec2.ISubnet] | None = None,
) -> FileShare:
    """How any EFS file system is mounted."""
    options = ["tls"]
    if iam_authorization:
        options.append("iam")
    if access_point is not None:
        options.append(f"accesspoint={access_point.access_point_id}")
    file_system_id = file_system.file_system_id
    return FileShare(
        source=f"{file_system_id}:/",
        type="efs",
        options=",".join(["_netdev", "noresvport", *options]),
        client=MountClient.EFS,
        ports=KINDS["EFS"].ports,
        security_groups=security_groups or file_system.connections.security_groups,
        dependencies=(file_system.mount_targets_available,),
        mount_targets_in=subnets,
        grant=_grant(file_system) if iam_authorization else None,
        script=MountScript(
            name="mount-efs",
            arguments=("--file-system-id", file_system_id),
            options=",".join(options),
        ),
        # Through an access point one may not give files to other owners.
        keep_home=access_point is None,
    )


MOUNT_TARGETS_BY_SUBNET: Final = "@aws-cdk/aws-efs:mountTargetOrderInsensitiveLogicalId"
