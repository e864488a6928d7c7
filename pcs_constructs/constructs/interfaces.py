"""What a construct needs of its neighbours, so that owned and imported ones are equal.

These are structural: a class satisfies one by having its members, never by inheriting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam

    from pcs_constructs.constructs.file_share import FileShare, MountScripts
    from pcs_constructs.model.capacity import Scaling
    from pcs_constructs.model.network_type import NetworkType
    from pcs_constructs.model.slurm import SlurmVersion


class ISharedStorage(Protocol):
    """A file system that nodes can mount."""

    @property
    def file_share(self) -> FileShare:
        """It as the nodes that mount it see it."""
        ...


class INodeLaunchTemplate(Protocol):
    """A launch template that a node group can use, defined here or elsewhere."""

    @property
    def launch_template_id(self) -> str:
        """The ID of the launch template."""
        ...

    @property
    def version(self) -> str:
        """The version that nodes are launched from."""
        ...


class INodeInstanceProfile(Protocol):
    """An instance profile that nodes can carry, defined here or elsewhere."""

    @property
    def instance_profile_arn(self) -> str:
        """The ARN of the instance profile."""
        ...


class ICluster(Protocol):
    """A cluster, defined here or elsewhere."""

    @property
    def cluster_id(self) -> str:
        """The ID of the cluster."""
        ...

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC that the cluster and all its nodes are in."""
        ...

    @property
    def subnet(self) -> ec2.ISubnet:
        """The subnet of the controller, where nodes go unless told otherwise."""
        ...

    @property
    def security_group(self) -> ec2.ISecurityGroup:
        """The security group of the controller, and of all nodes unless they have others."""
        ...

    @property
    def compute_security_group(self) -> ec2.ISecurityGroup:
        """The security group that compute nodes carry: that of the controller, or another."""
        ...

    @property
    def login_security_group(self) -> ec2.ISecurityGroup:
        """The security group that login nodes carry: that of the controller, or another."""
        ...

    @property
    def mounts(self) -> Mapping[str, ISharedStorage]:
        """The file systems that every node mounts, by mount point."""
        ...

    @property
    def mount_scripts(self) -> MountScripts | None:
        """The scripts that mount what they can; `None` where user data mounts all."""
        ...

    @property
    def open_shares(self) -> Sequence[FileShare]:
        """The file systems whose ports are known to be open to the nodes' security groups."""
        ...

    @property
    def slurm(self) -> SlurmVersion | None:
        """The Slurm version, or `None` where a cluster defined elsewhere does not tell."""
        ...

    @property
    def accounting(self) -> bool | None:
        """Whether there is Slurm accounting, or `None` where that is not known."""
        ...

    @property
    def qos(self) -> frozenset[str] | None:
        """The QOS that are in its accounting database, or `None` where that is not known."""
        ...

    @property
    def network_type(self) -> NetworkType | None:
        """The version of the Internet Protocol that it talks, or `None` where it is not known."""
        ...

    @property
    def slurm_settings(self) -> Mapping[str, str] | None:
        """Its Slurm parameters, or `None` where they are not known."""
        ...

    @property
    def memory_aware(self) -> bool | None:
        """Whether jobs are scheduled by memory too, or `None` where that is not known."""
        ...

    @property
    def instance_profile(self) -> INodeInstanceProfile:
        """The instance profile that node groups share until something is granted to one of them."""
        ...

    def grant_secret_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the cluster's secret, which Slurm clients of your own need."""
        ...

    def grant_jwt_key_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the key that signs tokens for the Slurm REST API."""
        ...


class IComputeNodeGroup(Protocol):
    """A compute node group, defined here or elsewhere."""

    @property
    def compute_node_group_id(self) -> str:
        """The ID of the node group."""
        ...

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def cluster(self) -> ICluster | None:
        """Its cluster, or `None` where a node group defined elsewhere does not tell."""
        ...

    @property
    def login(self) -> bool:
        """Whether people log in here."""
        ...

    @property
    def instance_types(self) -> tuple[str, ...] | None:
        """The names of its instance types, or `None` where they are not known."""
        ...

    @property
    def scaling(self) -> Scaling | None:
        """How many instances it has, or `None` where that is not known."""
        ...

    @property
    def architecture(self) -> str | None:
        """The processor architecture, or `None` where it is not known."""
        ...
