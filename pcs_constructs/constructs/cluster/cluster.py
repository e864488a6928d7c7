"""Clusters: the Slurm controller that AWS PCS runs, and everything hung on it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pcs as cfn
from constructs import Construct, IValidation

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.once import (
    CLUSTERS,
    outermost,
    remember,
    security_group_id,
    stack_of,
)
from pcs_constructs.constructs._cdk.order import create_one_by_one, deploy_after
from pcs_constructs.constructs._cdk.problems import (
    advise,
    asked_for,
    at_synth_by,
    check_templates,
)
from pcs_constructs.constructs._cdk.tokens import known, known_items
from pcs_constructs.constructs._cdk.tree import all_constructs, environment_of, tags_of
from pcs_constructs.constructs.cluster import secrets
from pcs_constructs.constructs.cluster.draft import ClusterDraft
from pcs_constructs.constructs.cluster.endpoints import ClusterEndpoints, ClusterEndpointsOptions
from pcs_constructs.constructs.cluster.imported import ImportedCluster
from pcs_constructs.constructs.cluster.members import connections_of, problems_of_members
from pcs_constructs.constructs.cluster.queue import Queue, QueueOptions
from pcs_constructs.constructs.file_share import MountScripts, depend, grants_of
from pcs_constructs.constructs.network.security_groups import (
    ClusterSecurityGroup,
    ClusterSecurityGroups,
)
from pcs_constructs.constructs.nodes.instance_profile import NodeInstanceProfile
from pcs_constructs.constructs.nodes.node_group import (
    ComputeNodeGroup,
    ComputeNodeGroupOptions,
    LoginNodeOptions,
)
from pcs_constructs.constructs.nodes.parameters import qos_of
from pcs_constructs.model.annotations import judged
from pcs_constructs.model.capacity import ClusterSize, Scaling
from pcs_constructs.model.errors import UNKNOWN, Problem
from pcs_constructs.model.network_type import NetworkType
from pcs_constructs.model.ports import SLURMRESTD
from pcs_constructs.model.slurm import (
    DEFAULT,
    Accounting,
    Preemption,
    SlurmVersion,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pcs_constructs.analysis.reach.findings import Finding
    from pcs_constructs.constructs.file_share import FileShare
    from pcs_constructs.constructs.interfaces import (
        ICluster,
        INodeInstanceProfile,
        ISharedStorage,
    )
    from pcs_constructs.model.instances import InstanceFacts
    from pcs_constructs.model.job_submit import JobSubmitPlugin


@jsii.implements(ec2.IConnectable)
class Cluster(Construct):
    """An AWS PCS cluster: a Slurm controller that AWS runs, for the nodes and queues added to it.

    Resources:
        A cluster and, unless given, a security group. With the first node group an instance profile
        with its role. AWS PCS makes the endpoints and the secrets; `aws pcs get-cluster`
        tells their addresses and ARNs. CloudFormation has the endpoints as a list of objects, which
        no template can take apart.

    Security:
        Controller and nodes share a security group, `ClusterSecurityGroup`, unless
        `security_groups` gives them others. The ports of what is in `mounts` are opened to nodes.
        AWS PCS keeps the cluster's key in Secrets Manager; only who gets `grant_secret_read` may
        read it.

    Args:
        vpc: The VPC of controller and nodes.
        subnet: Where the controller's network interface is, and nodes unless told otherwise. By
            default the first private subnet of the VPC.
        size: How many nodes and jobs the controller manages. By default SMALL: 32 and 256.
        slurm: The Slurm version. By default 25.11.
        name: The physical name, 3 to 40 letters, digits and hyphens, unique in account and Region.
            By default the id and a short hash of what forces replacement.
        mounts: File systems by mount point, which every node mounts. By default none.
        mount_scripts: What mounts those that it can, instead of user data: see `MountScripts`. By
            default user data mounts all.
        security_group: The group that controller and nodes share. By default a
            `ClusterSecurityGroup`.
        security_groups: Groups of controller, compute nodes and login nodes instead, such as
            `ClusterSecurityGroups.restricted()`. By default they share one.
        accounting: Slurm accounting. By default there is none.
        rest_api: Whether there is a Slurm REST API, on port 6820 of the controller. By default not.
        rest_api_from: Who may reach it from outside of the security group, such as
            `[ec2.Peer.ipv4("10.0.8.0/24")]`. By default nobody.
        network_type: IPv4 or IPv6; it cannot change later. By default IPv4.
        scale_down_idle_time: How long a dynamic node stays after its last job. By default the
            service's ten minutes.
        memory_aware: Whether jobs are scheduled by memory too, so that a job has the memory it asks
            for to itself. By default by processors alone.
        default_memory_per_cpu: The memory of a job that asks for none, for each processor, in MiB.
            By default all of the node's, where jobs are scheduled by memory.
        prolog: A program that nodes run before each job, its absolute path. By default none.
        epilog: A program that nodes run after each job, its absolute path. By default none.
        licenses: How many licenses there are, by name, which jobs ask for with `sbatch -L`. By
            default none.
        preemption: How jobs make room for more important ones: see `Preemption`. By default they
            do not.
        slurm_settings: Further Slurm parameters of the cluster by Slurm's names, such as
            `{"SchedulerParameters": "bf_continue"}`. By default none.
        slurmdbd_settings: Parameters of the accounting database's daemon, such as
            `{"PrivateData": "jobs"}`; they need `accounting`. By default none.
        cgroup_settings: Parameters of `cgroup.conf`, such as `{"ConstrainRAMSpace": "yes"}`. By
            default none.
        job_submit: A script that looks at jobs when they are submitted. The CDK does not have the
            property yet, so it is written only where the context has
            `"pcs-constructs:preview": true`. By default none.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once. What
            only the finished cluster shows fails `app.synth()`; where the context has
            `"pcs-constructs:reach": true`, what nodes do not reach does as well.

    Source: Creating a cluster in AWS PCS; `AWS::PCS::Cluster`.
    """

    cluster_id: Final[str]
    """The ID of the cluster, a token."""

    name: Final[str]
    """Its physical name."""

    size: Final[ClusterSize]
    """The size of its controller."""

    slurm: Final[SlurmVersion]
    """Its Slurm version."""

    vpc: Final[ec2.IVpc]
    """The VPC of controller and nodes."""

    subnet: Final[ec2.ISubnet]
    """The subnet of the controller, where nodes go unless told otherwise."""

    security_group: Final[ec2.ISecurityGroup]
    """The security group of the controller, which nodes share unless they have others."""

    compute_security_group: Final[ec2.ISecurityGroup]
    """The security group of compute nodes."""

    login_security_group: Final[ec2.ISecurityGroup]
    """The security group of login nodes."""

    mounts: Final[Mapping[str, ISharedStorage]]
    """The file systems that every node mounts, by mount point."""

    mount_scripts: Final[MountScripts | None]
    """What mounts the file systems that it can, instead of user data."""

    accounting: Final[bool]
    """Whether there is Slurm accounting."""

    qos: Final[frozenset[str] | None]
    """The QOS that are in its accounting database; `None` where `accounting` does not tell."""

    network_type: Final[NetworkType]
    """The version of the Internet Protocol that it talks."""

    slurm_settings: Final[Mapping[str, str]]
    """Its Slurm parameters, those that have arguments of their own among them."""

    memory_aware: Final[bool | None]
    """Whether jobs are scheduled by memory too; `None` where `SelectTypeParameters` is a token."""

    @staticmethod
    def from_cluster_attributes(
        scope: Construct,
        id: str,
        *,
        cluster_id: str,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        subnet: ec2.ISubnet | None = None,
        mounts: Mapping[str, ISharedStorage] | None = None,
        mount_scripts: MountScripts | None = None,
        slurm: SlurmVersion | None = None,
        accounting: Accounting | None = None,
        memory_aware: bool | None = None,
        network_type: NetworkType | None = None,
        compute_security_group: ec2.ISecurityGroup | None = None,
        login_security_group: ec2.ISecurityGroup | None = None,
    ) -> ICluster:
        """Use a cluster that is defined elsewhere, to make node groups and queues for it.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            cluster_id: Its ID, such as `pcs_1a2b3c4d5e`.
            vpc: The VPC it is in.
            security_group: The group of the controller, which nodes share unless they have others.
            subnet: Where nodes go unless told otherwise. By default the VPC's first private one.
            mounts: File systems that nodes added here mount, by mount point. By default none.
            mount_scripts: What mounts those that it can, instead of user data. By default user data
                mounts all.
            slurm: Its Slurm version, for checks that depend on it. By default not known.
            accounting: What is known of its accounting, for checks that depend on it. By default
                not even whether there is any.
            memory_aware: Whether it schedules by memory too; then node groups say how much they
                have. By default not known.
            network_type: The version of the Internet Protocol that it talks. By default not known.
            compute_security_group: The group of compute nodes. By default that of the controller.
            login_security_group: The group of login nodes. By default that of compute nodes.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.
        """
        return ImportedCluster(
            scope,
            id,
            cluster_id=cluster_id,
            vpc=vpc,
            security_group=security_group,
            subnet=subnet,
            mounts=mounts,
            mount_scripts=mount_scripts,
            slurm=slurm,
            accounting=accounting,
            memory_aware=memory_aware,
            network_type=network_type,
            compute_security_group=compute_security_group,
            login_security_group=login_security_group,
        )

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        subnet: ec2.ISubnet | None = None,
        size: ClusterSize = ClusterSize.SMALL,
        slurm: SlurmVersion = DEFAULT,
        name: str | None = None,
        mounts: Mapping[str, ISharedStorage] | None = None,
        mount_scripts: MountScripts | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        security_groups: ClusterSecurityGroups | None = None,
        accounting: Accounting | None = None,
        rest_api: bool = False,
        rest_api_from: Sequence[ec2.IPeer] = (),
        network_type: NetworkType = NetworkType.IPV4,
        scale_down_idle_time: cdk.Duration | None = None,
        memory_aware: bool = False,
        default_memory_per_cpu: cdk.Size | None = None,
        prolog: str | None = None,
        epilog: str | None = None,
        licenses: Mapping[str, int] | None = None,
        preemption: Preemption | None = None,
        slurm_settings: Mapping[str, str] | None = None,
        slurmdbd_settings: Mapping[str, str] | None = None,
        cgroup_settings: Mapping[str, str] | None = None,
        job_submit: JobSubmitPlugin | None = None,
    ) -> None:
        draft = ClusterDraft(scope, id, Arguments(Cluster.__init__, locals()))
        facts, controller_subnet = draft.judge()

        super().__init__(scope, id)
        remember(self, scope, id)
        advise(self, rules.advice_on(*facts))
        self.name = draft.name
        self.size = size
        self.slurm = slurm
        self.vpc = vpc
        self.subnet = controller_subnet
        self.mounts = draft.mounts
        self.mount_scripts = mount_scripts
        self.accounting = accounting is not None
        self.qos = qos_of(accounting)
        self.network_type = network_type
        self.slurm_settings = draft.parameters.settings
        self.memory_aware = draft.parameters.memory_aware
        groups = self._attach_groups(draft, security_group)
        self.security_group, self.compute_security_group, self.login_security_group = groups
        self._queues = _Queues(self, "Queues", self._problems_at_synth)
        self._resource = self._attach_cluster(draft)
        for peer in draft.peers:
            self.security_group.connections.allow_from(
                peer, ec2.Port.tcp(SLURMRESTD), "Slurm REST API"
            )
        self._shares = {path: storage.file_share for path, storage in draft.mounts.items()}
        for share in self._shares.values():
            for group in dict.fromkeys((self.compute_security_group, self.login_security_group)):
                share.allow_mount_from(group, scope=self if draft.passed_groups else None)
        # Every node refers to the cluster, so what the cluster waits for is there before any node,
        # and goes after the last one.
        depend(self._resource, self._shares.values(), [controller_subnet])
        CLUSTERS.setdefault(outermost(stack_of(self)), []).append(self)
        self.cluster_id = self._resource.attr_id
        at_synth_by(self, self._queues)

    def _attach_groups(
        self, draft: ClusterDraft, security_group: ec2.ISecurityGroup | None
    ) -> Iterable[ec2.ISecurityGroup]:
        """The security groups of controller, compute nodes and login nodes."""
        if draft.security_groups is None:
            shared = security_group or as_security_group(
                ClusterSecurityGroup(
                    self, "SecurityGroup", vpc=self.vpc, ipv6=draft.ipv6
                ).security_group
            )
            return (shared, shared, shared)
        return draft.security_groups.attach(
            self,
            "SecurityGroups",
            vpc=self.vpc,
            accounting=self.accounting,
            rest_api=draft.rest_api,
            srun_port_range=draft.srun_ports,
            ipv6=draft.ipv6,
        )

    def _attach_cluster(self, draft: ClusterDraft) -> cfn.CfnCluster:
        resource = cfn.CfnCluster(
            self,
            "Resource",
            name=self.name,
            size=self.size.name,
            scheduler=cfn.CfnCluster.SchedulerProperty(type="SLURM", version=self.slurm.value),
            networking=cfn.CfnCluster.NetworkingProperty(
                subnet_ids=[draft.subnet_id],
                security_group_ids=[security_group_id(self.security_group)],
                network_type="IPV6" if draft.ipv6 else None,
            ),
            slurm_configuration=draft.parameters.configuration(
                rest_api=draft.rest_api, idle_seconds=draft.idle_seconds
            ),
        )
        if draft.job_submit is not None:
            resource.add_property_override(
                "SlurmConfiguration.JobSubmitPlugins", [_plugin(draft.job_submit)]
            )
        if self.qos is not None:
            # A template does not show them otherwise, and `pcs-constructs check` asks.
            resource.add_metadata("pcs-constructs", {"qos": sorted(self.qos)})
        return resource

    @cached_property
    def _shared_profile(self) -> NodeInstanceProfile:
        profile = NodeInstanceProfile(self, "InstanceProfile")
        profile.grant_before_start(grants_of(self._shares.values()))
        return profile

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the controller and of every node."""
        return connections_of(self)

    @property
    def open_shares(self) -> Sequence[FileShare]:
        """The file systems whose ports are open to the nodes' security groups: all it mounts."""
        return tuple(self._shares.values())

    @property
    def instance_profile(self) -> INodeInstanceProfile:
        """The instance profile that node groups share until something is granted to one of them."""
        return self._shared_profile

    def grant_secret_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the cluster's secret, which Slurm clients of your own need.

        The secret is called `pcs!slurm-secret-` and the ID of the cluster. AWS PCS makes and owns
        it: never change it, rotate it with Secrets Manager.

        Args:
            grantee: Who may read it.
        """
        return secrets.grant_secret_read(self, self.cluster_id, grantee)

    def grant_jwt_key_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the key that signs tokens for the Slurm REST API.

        Who can read it can be any user of the cluster. The user guide does not tell what the secret
        is called, so this allows every secret of AWS PCS that is tagged with the cluster's ID.

        Args:
            grantee: Who may read it.
        """
        return secrets.grant_jwt_key_read(self, self.cluster_id, grantee)

    def add_compute_node_group(
        self, id: str, **options: Unpack[ComputeNodeGroupOptions]
    ) -> ComputeNodeGroup:
        """Define a compute node group in this cluster: see `ComputeNodeGroup`."""
        return ComputeNodeGroup(self, id, cluster=self, **options)

    @judged
    def add_login_nodes(
        self,
        id: str,
        *,
        instance_type: str | InstanceFacts,
        count: int = 1,
        subnets: Sequence[ec2.ISubnet] | None = None,
        ssh_from: Sequence[ec2.IPeer] = (),
        **options: Unpack[LoginNodeOptions],
    ) -> ComputeNodeGroup:
        """Define nodes that always run and that people log in to.

        Session Manager works without any of the options, from anywhere and with no open port.

        Args:
            id: The id of the node group.
            instance_type: The EC2 instance type, or its `InstanceFacts`.
            count: How many nodes. By default 1.
            subnets: Where the nodes are. By default the first public subnet of the VPC when
                `ssh_from` is given, else the cluster's own subnet.
            ssh_from: Who may reach the SSH port, such as `[ec2.Peer.ipv4("203.0.113.0/24")]`. By
                default nobody.
            options: Further arguments of `ComputeNodeGroup`, such as `key_pair` and `user_data`.

        Raises:
            PcsValidationError: as `ComputeNodeGroup`.
        """
        if subnets is None and ssh_from:
            subnets = self.vpc.public_subnets[:1] or None
        return ComputeNodeGroup(
            self,
            id,
            cluster=self,
            instance_types=[instance_type],
            scaling=Scaling.static(count),
            subnets=subnets,
            ssh_from=ssh_from,
            login=True,
            **options,
        )

    def add_queue(self, id: str, **options: Unpack[QueueOptions]) -> Queue:
        """Define a queue in this cluster: see `Queue`."""
        return Queue(self._queues, id, cluster=self, **options)

    def add_endpoints(
        self, id: str, **options: Unpack[ClusterEndpointsOptions]
    ) -> ClusterEndpoints:
        """Define the endpoints through which nodes reach AWS: see `ClusterEndpoints`.

        Call it after the node groups and what is granted to them.
        """
        return ClusterEndpoints(self, id, cluster=self, **options)

    def _problems_at_synth(self) -> Sequence[Problem]:
        if asked_for(self, "pcs-constructs:reach"):
            check_templates(self, _out_of_reach)
        constructs = all_constructs(self)
        clusters = [self]
        together = CLUSTERS[outermost(stack_of(self))]
        if len(CLUSTERS) > 1 or len(together) > 1:
            clusters = [c for c in constructs if isinstance(c, Cluster)]
            # AWS PCS creates only one at a time.
            deploy_after(self, clusters[: clusters.index(self)])
            there = [c._resource for c in together if isinstance(c, Cluster) and c in clusters]
            if there[0] is self._resource:
                create_one_by_one(there)
        tags = known_items(tags_of(self._resource))
        members = problems_of_members(
            self, constructs, size=self.size, tags=tags, settings=self.slurm_settings
        )
        name = known(self.name)
        namesakes = [c for c in clusters if known(c.name) == name]
        if name is UNKNOWN or len(namesakes) == 1:
            return members
        here = environment_of(self)
        together = [c for c in namesakes if environment_of(c) == here]
        names = tuple(c.name for c in together) if together[0] is self else ()  # told once
        return (*members, *rules.errors_in(rules.EnvironmentFacts(cluster_names=names)))


def _plugin(plugin: JobSubmitPlugin) -> dict[str, object]:
    """As CloudFormation takes it; the CDK has no words for it yet."""
    source = {
        "ScriptLocation": plugin.script_location,
        "S3VersionId": plugin.s3_version_id,
        "Checksum": plugin.checksum,
    }
    return {
        "Name": plugin.name,
        "Type": "STARLARK",
        "ScriptSource": {name: value for name, value in source.items() if value is not None},
    }


@jsii.implements(IValidation)
class _Queues(Construct):
    """The scope of the queues of a cluster, one of which may have the id of a node group.

    It also is what judges the cluster at synthesis, which saves Node.js an object.
    """

    def __init__(
        self, scope: Construct, id: str, problems: Callable[[], Sequence[Problem]]
    ) -> None:
        super().__init__(scope, id)
        self._problems = problems

    def validate(self) -> list[str]:
        """What is wrong with the cluster now that the whole tree exists."""
        return [str(problem) for problem in self._problems()]


def _out_of_reach(paths: Sequence[str]) -> Sequence[Finding]:
    """What clusters need and do not reach, by the templates of the app."""
    # Imported here, because most programs end without it.
    from pcs_constructs.analysis.reach.findings import out_of_reach

    return tuple(out_of_reach(paths))
