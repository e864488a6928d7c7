"""Compute node groups: the instances that jobs run on and people log in to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Required, TypedDict

import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pcs as cfn
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.once import subnet_id
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs._cdk.tree import add_member
from pcs_constructs.constructs.file_share import FileShare, MountScripts, depend, grants_of
from pcs_constructs.constructs.network.security_groups import efa_security_group_id
from pcs_constructs.constructs.nodes.draft import NodeGroupDraft
from pcs_constructs.constructs.nodes.images import image_parameter
from pcs_constructs.constructs.nodes.instance_profile import NodeInstanceProfile, grant_without_role
from pcs_constructs.constructs.nodes.launch_template import NodeLaunchTemplate
from pcs_constructs.constructs.nodes.permissions import (
    principal_of,
)
from pcs_constructs.model.errors import PcsValidationError, Problem
from pcs_constructs.model.ports import SSH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aws_cdk as cdk

    from pcs_constructs.constructs.interfaces import (
        ICluster,
        IComputeNodeGroup,
        INodeInstanceProfile,
        INodeLaunchTemplate,
        ISharedStorage,
    )
    from pcs_constructs.constructs.nodes.launch import Launch
    from pcs_constructs.constructs.nodes.lifecycle import (
        AttachedLifecycle,
        LifecycleAction,
        ScriptCachingPolicy,
    )
    from pcs_constructs.model.boot import UserDataPart
    from pcs_constructs.model.capacity import Capacity, Scaling
    from pcs_constructs.model.health_checks import HealthChecks, RepairAction
    from pcs_constructs.model.instances import InstanceFacts


_IMAGE_PARAMETERS: Final = {"x86_64": "NodeImageX8664", "arm64": "NodeImageArm64"}


class LoginNodeOptions(TypedDict, total=False):
    """The arguments of `ComputeNodeGroup` that `Cluster.add_login_nodes` forwards."""

    name: str | None
    image: ec2.IMachineImage | None
    mounts: Mapping[str, ISharedStorage] | None
    mount_scripts: MountScripts | None
    lifecycle_actions: Sequence[LifecycleAction]
    script_caching_policy: ScriptCachingPolicy | None
    user_data: Sequence[UserDataPart]
    security_groups: Sequence[ec2.ISecurityGroup]
    instance_profile: INodeInstanceProfile | None
    key_pair: ec2.IKeyPair | None
    root_volume: ec2.BlockDeviceVolume | None
    root_device_name: str | None
    detailed_monitoring: bool
    instance_tags: Mapping[str, str] | None
    http_put_response_hop_limit: int | None
    instance_metadata_tags: bool
    launch_template: INodeLaunchTemplate | None
    health_checks: HealthChecks | None
    slurm_settings: Mapping[str, str] | None


class ComputeNodeGroupOptions(LoginNodeOptions, total=False):
    """The arguments of `ComputeNodeGroup` that `Cluster.add_compute_node_group` forwards."""

    instance_types: Required[Sequence[str | InstanceFacts]]
    scaling: Required[Scaling]
    subnets: Sequence[ec2.ISubnet] | None
    efa: bool
    efa_only: bool
    placement_group: ec2.IPlacementGroup | None
    capacity: Capacity | None
    ssh_from: Sequence[ec2.IPeer]
    scale_down_idle_time: cdk.Duration | None
    real_memory: cdk.Size | None
    weight: int | None
    features: Sequence[str]
    gpu_type: str | None
    gres: Sequence[Mapping[str, str]]
    login: bool


@jsii.implements(ec2.IConnectable, iam.IGrantable)
class ComputeNodeGroup(Construct):
    """A set of like EC2 instances that Slurm runs jobs on.

    What is granted or opened to a node group reaches this node group only: on the first
    `bucket.grant_read(nodes)` it gets a role of its own instead of the one that a cluster's node
    groups share, and on the first use of `connections` a security group of its own beside the
    cluster's.

    Resources:
        A compute node group and a launch template; with EFA a cluster placement group. An instance
        profile with a role, and a security group, when something is granted or opened.

    Security:
        Nodes carry the cluster's security group for compute nodes or for login nodes, with EFA and
        restricted groups one more that is open to themselves alone, and a role that may register
        the node and let Session Manager in. Their metadata service wants a token (IMDSv2). A node
        whose file systems are not mounted does not start Slurm.

    Args:
        cluster: The cluster, owned or imported.
        instance_types: One or more EC2 instance types that share architecture, vCPUs and GPUs; by
            name, or as `InstanceFacts` where the catalogue does not have them. Changing them
            replaces the node group.
        scaling: `Scaling.static(4)` or `Scaling.dynamic(max=16)`.
        name: The physical name, 3 to 25 letters, digits and hyphens. By default the id and a short
            hash of what forces replacement, so that instance types can change.
        subnets: Where nodes start. By default the cluster's own subnet: one zone, which EFA needs
            and which costs nothing for traffic. Several zones find more capacity.
        efa: Whether nodes talk by Elastic Fabric Adapter: an interface for each network card that
            has it, and a cluster placement group. By default they do not.
        efa_only: Whether the interfaces on secondary cards carry nothing but EFA, and so take no IP
            address. By default they carry both: that AWS PCS takes the others is not confirmed.
        placement_group: Where instances are placed, of any strategy. By default a new cluster
            placement group with EFA, unless `capacity` is a reservation, and none without.
        capacity: How instances are bought: see `Capacity`. By default On-Demand.
        image: The machine image. By default the value of a template parameter of the stack,
            `NodeImageX8664` or `NodeImageArm64`: it is to be given when the stack is first
            deployed, and later deployments keep it, so an image never changes under running nodes
            unless somebody changes it. The description of the parameter says how to find the newest
            PCS-ready image. With an imported launch template: the image in there.
        mounts: File systems by mount point, instead of the cluster's. By default the cluster's;
            add to them with `mounts={**cluster.mounts, "/scratch": scratch}`.
        mount_scripts: What mounts those that it can, instead of user data: see `MountScripts`. By
            default as the cluster does.
        lifecycle_actions: Scripts that AWS PCS runs on each node as it starts, in this order within
            a stage; after the mounts, but for one that forwards logs. By default none.
        script_caching_policy: How often a node downloads the scripts. By default once.
        user_data: Further parts of the user data, after the mounts. By default none.
        security_groups: Security groups beside the cluster's, with EFA on the first interface. By
            default none.
        instance_profile: The instance profile. By default one that the cluster's node groups share
            until something is granted to this one.
        ssh_from: Who may reach the SSH port, such as `[ec2.Peer.ipv4("203.0.113.0/24")]`. By
            default nobody; Session Manager needs no port.
        key_pair: Whose holder may log in by SSH. By default nobody.
        root_volume: The volume with the operating system, such as
            `ec2.BlockDeviceVolume.ebs(200, throughput=500)`: encrypted and gp3 unless it says
            otherwise. With a `kms_key` that is made in this app, AWS PCS is let to use it. By
            default what the image says.
        root_device_name: The root device of the image that it changes. By default `/dev/sda1`, that
            of the default image; with `image` it must be said.
        detailed_monitoring: Whether CloudWatch has metrics of each minute, for a price. By default
            of each five minutes.
        instance_tags: Tags of instances, their volumes and their network interfaces, such as
            `{"Project": "cfd"}`. By default `Name` alone.
        http_put_response_hop_limit: How far the metadata service answers, 1 to 64 hops. By default
            the guide's 4, so that containers reach it.
        instance_metadata_tags: Whether the metadata service shows the instance's tags. By default
            it does not.
        launch_template: A template made elsewhere, instead of the one that is written from the
            arguments that describe instances. By default none.
        health_checks: What AWS PCS checks of the instances; see `HealthChecks`. The CDK does not
            have the property yet, so it is written only where the context has
            `"pcs-constructs:preview": true`. By default nothing is checked.
        scale_down_idle_time: How long a dynamic node stays after its last job; needs Slurm 25.11.
            By default what the cluster says.
        real_memory: The memory that jobs can have on a node. By default 95 % of what the smallest
            type has, where the cluster schedules by memory.
        weight: Nodes with a lower weight get jobs first, where several would do. By default Slurm's
            1.
        features: What jobs can ask for with `sbatch -C`, such as `["avx512"]`. By default nothing.
        gpu_type: What jobs call the GPUs of these nodes: with `"h100"` they ask for
            `--gres=gpu:h100:8`. By default they ask for `gpu`, which AWS PCS declares itself. On
            Slurm 26.05 this leaves out its detection of which cores are near which GPU.
        gres: Records of `gres.conf` for these nodes, such as
            `[{"Name": "gpu", "Type": "a100", "File": "/dev/nvidia[0-7]"}]`; jobs can ask for what
            `slurm_settings` names in `Gres` as well. By default what AWS PCS writes.
        slurm_settings: Further Slurm parameters of the nodes by Slurm's names, such as
            `{"MemSpecLimit": "2048"}`. By default none.
        login: Whether people log in here. Such a node group needs no queue. By default they do not.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Creating a compute node group in AWS PCS; `AWS::PCS::ComputeNodeGroup`.
    """

    compute_node_group_id: Final[str]
    """The ID of the node group, a token."""

    cluster: Final[ICluster]
    """The cluster it belongs to."""

    name: Final[str]
    """Its physical name."""

    instance_types: Final[tuple[str, ...]]
    """Its instance types."""

    scaling: Final[Scaling]
    """How many instances it has."""

    subnets: Final[tuple[ec2.ISubnet, ...]]
    """Where its nodes start."""

    mounts: Final[Mapping[str, ISharedStorage] | None]
    """The file systems its nodes mount, by mount point; `None` where an imported template says."""

    login: Final[bool]
    """Whether people log in here."""

    lifecycle_actions: Final[tuple[LifecycleAction, ...]]
    """The scripts that AWS PCS runs on its nodes, those that mount file systems among them."""

    addresses: Final[int]
    """How many addresses its nodes take at the most, one for each network interface."""

    architecture: Final[str | None]
    """The processor architecture, `x86_64` or `arm64`; `None` for types not in the catalogue."""

    @staticmethod
    def from_compute_node_group_id(
        scope: Construct, id: str, compute_node_group_id: str
    ) -> IComputeNodeGroup:
        """Use a node group that is defined elsewhere, to name it in a queue.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            compute_node_group_id: Its ID, such as `pcs_1a2b3c4d5e`; a queue does not take its name.

        Raises:
            PcsValidationError: PCS221, when `compute_node_group_id` is no such ID.
        """
        return _ImportedComputeNodeGroup(scope, id, compute_node_group_id)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ICluster,
        instance_types: Sequence[str | InstanceFacts],
        scaling: Scaling,
        name: str | None = None,
        subnets: Sequence[ec2.ISubnet] | None = None,
        efa: bool = False,
        efa_only: bool = False,
        placement_group: ec2.IPlacementGroup | None = None,
        capacity: Capacity | None = None,
        image: ec2.IMachineImage | None = None,
        mounts: Mapping[str, ISharedStorage] | None = None,
        mount_scripts: MountScripts | None = None,
        lifecycle_actions: Sequence[LifecycleAction] = (),
        script_caching_policy: ScriptCachingPolicy | None = None,
        user_data: Sequence[UserDataPart] = (),
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        instance_profile: INodeInstanceProfile | None = None,
        ssh_from: Sequence[ec2.IPeer] = (),
        key_pair: ec2.IKeyPair | None = None,
        root_volume: ec2.BlockDeviceVolume | None = None,
        root_device_name: str | None = None,
        detailed_monitoring: bool = False,
        instance_tags: Mapping[str, str] | None = None,
        http_put_response_hop_limit: int | None = None,
        instance_metadata_tags: bool = False,
        launch_template: INodeLaunchTemplate | None = None,
        health_checks: HealthChecks | None = None,
        scale_down_idle_time: cdk.Duration | None = None,
        real_memory: cdk.Size | None = None,
        weight: int | None = None,
        features: Sequence[str] = (),
        gpu_type: str | None = None,
        gres: Sequence[Mapping[str, str]] = (),
        slurm_settings: Mapping[str, str] | None = None,
        login: bool = False,
    ) -> None:
        draft = NodeGroupDraft(scope, id, Arguments(ComputeNodeGroup.__init__, locals()))
        facts = draft.judge()

        super().__init__(scope, id)
        add_member(cluster, self)
        advise(self, rules.advice_on(*facts))
        self.cluster = cluster
        self.name = draft.name
        self.instance_types = draft.options.instance_types
        self.scaling = scaling
        self.subnets = draft.subnets
        if launch_template is not None:
            self.mounts = draft.own_template.mounts if draft.own_template else None
        else:
            self.mounts = draft.mounting.file_systems
        self.login = login
        self.lifecycle_actions = draft.lifecycle.actions
        self.addresses = scaling.max * draft.launch.addresses
        self.architecture = draft.group_facts.architecture

        self._efa = efa
        self._given_template = launch_template
        launch = self._launch(draft)
        self._interfaces = launch.interfaces
        self._security_group_ids = launch.security_group_ids
        self._secondary_group_ids = launch.secondary_group_ids or ()
        shares = draft.mounting.shares.values()
        # What the cluster mounts is open to its security group, and its profile may mount it.
        own = [s for s in shares if all(s is not c for c in cluster.open_shares)]
        self._efa_shares = any(share.efa for share in own)
        attached = draft.lifecycle.attach(self)
        scripts_take = attached.grants(cluster.cluster_id) if draft.lifecycle.actions else ()
        self._needed = (*grants_of(shares), *scripts_take)
        self._profile = instance_profile
        if instance_profile is None and (scripts_take or any(grants_of(own))):
            self._profile = self._own_profile()
        self._template = None if launch_template else launch.attach(self, "LaunchTemplate")
        self._resource = self._compute_node_group(draft, attached)
        self._open(draft, own)
        # The cluster waits for the way out of its own subnet.
        depend(self._resource, own, [s for s in draft.subnets if s is not cluster.subnet])
        self.compute_node_group_id = self._resource.attr_id

    def _launch(self, draft: NodeGroupDraft) -> Launch:
        """What its nodes are launched with, where groups that name ports do not let EFA through."""
        names_ports = draft.cluster_group is not self.cluster.security_group
        if self._efa and self._given_template is None and names_ports:
            return draft.launch.with_group(efa_security_group_id(self, self.cluster.vpc))
        return draft.launch

    def _compute_node_group(
        self, draft: NodeGroupDraft, attached: AttachedLifecycle
    ) -> cfn.CfnComputeNodeGroup:
        capacity = draft.options.capacity
        resource = cfn.CfnComputeNodeGroup(
            self,
            "Resource",
            cluster_id=self.cluster.cluster_id,
            name=self.name,
            ami_id=self._image_id(draft),
            custom_launch_template=_template_reference(self._template, self._given_template),
            iam_instance_profile_arn=self.instance_profile.instance_profile_arn,
            node_lifecycle_actions=attached.actions,
            instance_configs=[
                cfn.CfnComputeNodeGroup.InstanceConfigProperty(instance_type=name)
                for name in self.instance_types
            ],
            purchase_option=capacity.purchase_option,
            scaling_configuration=cfn.CfnComputeNodeGroup.ScalingConfigurationProperty(
                min_instance_count=self.scaling.min, max_instance_count=self.scaling.max
            ),
            slurm_configuration=draft.parameters.configuration(draft.idle_seconds),
            spot_options=cfn.CfnComputeNodeGroup.SpotOptionsProperty(
                allocation_strategy=capacity.allocation.value
            )
            if capacity.allocation
            else None,
            subnet_ids=[subnet_id(subnet) for subnet in self.subnets],
        )
        if draft.health_checks is not None:
            resource.add_property_override("InstanceHealthChecks", _checks(draft.health_checks))
        return resource

    def _image_id(self, draft: NodeGroupDraft) -> str | None:
        if draft.image:
            return draft.image.get_image(self).image_id
        return _default_image(draft.scope, self.architecture) if draft.default_image else None

    def _open(self, draft: NodeGroupDraft, own: Sequence[FileShare]) -> None:
        """Let in who may come by SSH, and open and permit what these nodes alone mount."""
        for peer in draft.peers:
            self.connections.allow_from(peer, ec2.Port.tcp(SSH), "SSH")
        for share in own if self._given_template is None else ():  # or that has opened them
            if share.ports and share.security_groups:
                share.allow_mount_from(as_security_group(self._own_security_group))
        if draft.instance_profile is not None and draft.has_principal:
            for grant in self._needed:
                grant(self).apply_before(self._resource)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of these nodes; the first use gives them a group of their own.

        Raises:
            PcsValidationError: PCS219, when the launch template was imported.
        """
        if self._template is None:
            return self._connections_of_given_template()
        return self._own_security_group.connections

    @property
    def instance_profile(self) -> INodeInstanceProfile:
        """The instance profile that its nodes carry: its own, or the one that node groups share."""
        return self._profile or self.cluster.instance_profile

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Whom permissions are granted to; the first use gives these nodes a role of their own."""
        if self._profile is None:
            self._profile = self._own_profile()
            self._resource.iam_instance_profile_arn = self._profile.instance_profile_arn
        principal = principal_of(self._profile)
        if principal is None:
            raise grant_without_role(self)
        return principal

    @cached_property
    def _own_security_group(self) -> ec2.SecurityGroup:
        assert self._template is not None
        group = new_security_group(
            self,
            "SecurityGroup",
            self.cluster.vpc,
            "Nodes of one AWS PCS compute node group",
            all_outbound=False,
        )
        # On the first interface, and on those by which file servers are reached by EFA as well.
        interfaces = self._interfaces if self._efa_shares else self._interfaces[:1]
        places = [f"NetworkInterfaces.{n}.Groups" for n, _ in enumerate(interfaces)]
        for n, place in enumerate(places if self._efa else ["SecurityGroupIds"]):
            others = self._security_group_ids if n == 0 else self._secondary_group_ids
            self._template.add_property_override(
                f"LaunchTemplateData.{place}", [*others, group.security_group_id]
            )
        return group

    def _own_profile(self) -> NodeInstanceProfile:
        profile = NodeInstanceProfile(self, "InstanceProfile")
        profile.grant_before_start(self._needed)
        return profile

    def _connections_of_given_template(self) -> ec2.Connections:
        if isinstance(self._given_template, NodeLaunchTemplate):
            return self._given_template.connections
        raise PcsValidationError(
            self.node.path,
            [
                Problem(
                    code="PCS219",
                    argument="launch_template",
                    message="the security groups of an imported launch template are not known",
                    fix="open ports on the security groups themselves",
                )
            ],
        )


class _ImportedComputeNodeGroup(Construct):
    """A node group of which nothing but its ID is known."""

    compute_node_group_id: Final[str]
    name: Final[str]
    cluster: Final[None]
    login: Final[bool]
    instance_types: Final[None]
    scaling: Final[None]
    architecture: Final[None]

    def __init__(self, scope: Construct, id: str, compute_node_group_id: str) -> None:
        given = Arguments(_ImportedComputeNodeGroup.__init__, locals())
        refuse(scope, id, given.problems)
        facts = rules.NodeGroupReferenceFacts(compute_node_group_id=known(compute_node_group_id))
        refuse(scope, id, rules.errors_in(facts))
        super().__init__(scope, id)
        self.compute_node_group_id = compute_node_group_id
        self.name = id
        self.cluster = None
        self.login = False
        self.instance_types = None
        self.scaling = None
        self.architecture = None


def _template_reference(
    own: ec2.CfnLaunchTemplate | None, given: INodeLaunchTemplate | None
) -> cfn.CfnComputeNodeGroup.CustomLaunchTemplateProperty:
    if own is not None:
        template_id, version = own.ref, own.attr_latest_version_number
    else:
        assert given is not None
        template_id, version = given.launch_template_id, given.version
    return cfn.CfnComputeNodeGroup.CustomLaunchTemplateProperty(
        template_id=template_id, version=version
    )


def _checks(checks: HealthChecks) -> dict[str, object]:
    """As CloudFormation takes them; the CDK has no words for it yet."""
    written: dict[str, object] = {}
    if checks.monitoring:
        written["HealthMonitoring"] = {"Mode": "STANDARD", **_repaired(checks.repair)}
    if checks.on_start is not None:
        test = {"Profile": checks.on_start.value, **_repaired(checks.on_start_repair)}
        written["DeepHealthChecks"] = {"OnStart": test}
    return written


def _repaired(action: RepairAction | None) -> dict[str, str]:
    return {} if action is None else {"RepairAction": action.value}


def _default_image(scope: Construct, architecture: str | None) -> str:
    """The value of the parameter for this architecture, in the stack of the node group."""
    return image_parameter(
        scope,
        _IMAGE_PARAMETERS[architecture or "x86_64"],
        f"The image of {architecture} nodes. Newest: aws ssm get-parameter --name "
        f"/aws/service/pcs/ami/dlami-base-ubuntu2404/{architecture}/latest/ami-id",
    )
