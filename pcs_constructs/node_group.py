"""Compute node groups: the instances that jobs run on and people log in to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Required, TypedDict

import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pcs as cfn
from constructs import Construct

from pcs_constructs import _cdk, rules
from pcs_constructs._arguments import Arguments
from pcs_constructs.boot import UserDataPart
from pcs_constructs.capacity import Capacity, Scaling
from pcs_constructs.errors import UNKNOWN, PcsValidationError, Problem
from pcs_constructs.identity import NodeInstanceProfile, grant_without_role
from pcs_constructs.launch_template import Launch, NodeLaunchTemplate
from pcs_constructs.names import physical_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aws_cdk as cdk

    from pcs_constructs.interfaces import (
        ICluster,
        IComputeNodeGroup,
        INodeInstanceProfile,
        INodeLaunchTemplate,
        ISharedStorage,
    )


_IMAGE_PARAMETERS: Final = {"x86_64": "NodeImageX8664", "arm64": "NodeImageArm64"}


class ComputeNodeGroupOptions(TypedDict, total=False):
    """The arguments of `ComputeNodeGroup` that `Cluster.add_compute_node_group` forwards."""

    instance_types: Required[Sequence[str]]
    scaling: Required[Scaling]
    name: str | None
    subnets: Sequence[ec2.ISubnet] | None
    efa: bool
    efa_only: bool
    placement_group: ec2.IPlacementGroup | None
    capacity: Capacity | None
    image: ec2.IMachineImage | None
    mounts: Mapping[str, ISharedStorage] | None
    user_data: Sequence[UserDataPart]
    security_groups: Sequence[ec2.ISecurityGroup]
    instance_profile: INodeInstanceProfile | None
    ssh_from: Sequence[ec2.IPeer]
    key_pair: ec2.IKeyPair | None
    launch_template: INodeLaunchTemplate | None
    scale_down_idle_time: cdk.Duration | None
    slurm_settings: Mapping[str, str] | None
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
        Nodes carry the cluster's security group and a role that may register the node and let
        Session Manager in. Their metadata service wants a token (IMDSv2). A node whose file systems
        are not mounted does not start Slurm.

    Args:
        cluster: The cluster, owned or imported.
        instance_types: One or more EC2 instance types that share architecture, vCPUs and GPUs.
            Changing them replaces the node group.
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
        user_data: Further parts of the user data, after the mounts. By default none.
        security_groups: Security groups beside the cluster's. By default none.
        instance_profile: The instance profile. By default one that the cluster's node groups share
            until something is granted to this one.
        ssh_from: Who may reach the SSH port, such as `[ec2.Peer.ipv4("203.0.113.0/24")]`. By
            default nobody; Session Manager needs no port.
        key_pair: Whose holder may log in by SSH. By default nobody.
        launch_template: A template made elsewhere, instead of the one that is written from `efa`,
            `mounts`, `user_data`, `security_groups` and `key_pair`. By default none.
        scale_down_idle_time: How long a dynamic node stays after its last job; needs Slurm 25.11.
            By default what the cluster says.
        slurm_settings: Slurm parameters of the nodes, such as `{"Weight": "10"}`. By default none.
        login: Whether people log in here. Such a node group needs no queue. By default they do not.

    Raises:
        PcsValidationError: PCS001 to PCS003, the 2xx codes, PCS404, PCS406, PCS407, PCS409, PCS413,
            PCS501 to PCS503, PCS601 to PCS604, PCS607, PCS610, PCS621 to PCS627,
            PCS901, PCS902, PCS906.

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
        instance_types: Sequence[str],
        scaling: Scaling,
        name: str | None = None,
        subnets: Sequence[ec2.ISubnet] | None = None,
        efa: bool = False,
        efa_only: bool = False,
        placement_group: ec2.IPlacementGroup | None = None,
        capacity: Capacity | None = None,
        image: ec2.IMachineImage | None = None,
        mounts: Mapping[str, ISharedStorage] | None = None,
        user_data: Sequence[UserDataPart] = (),
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        instance_profile: INodeInstanceProfile | None = None,
        ssh_from: Sequence[ec2.IPeer] = (),
        key_pair: ec2.IKeyPair | None = None,
        launch_template: INodeLaunchTemplate | None = None,
        scale_down_idle_time: cdk.Duration | None = None,
        slurm_settings: Mapping[str, str] | None = None,
        login: bool = False,
    ) -> None:
        given = Arguments()
        given.expect(
            cluster=(cluster, "cluster_id"),
            scaling=(scaling, Scaling),
            name=(name, str),
            efa=(efa, bool),
            efa_only=(efa_only, bool),
            placement_group=(placement_group, "placement_group_name"),
            capacity=(capacity, Capacity),
            instance_profile=(instance_profile, "instance_profile_arn"),
            key_pair=(key_pair, "key_pair_name"),
            launch_template=(launch_template, "version"),
            login=(login, bool),
        )
        types = given.items("instance_types", instance_types, str)
        chosen = None if subnets is None else given.items("subnets", subnets, "subnet_id")
        groups = given.items("security_groups", security_groups, "security_group_id")
        parts = given.items("user_data", user_data, UserDataPart)
        peers = given.peers("ssh_from", ssh_from)
        settings = given.mapping("slurm_settings", slurm_settings, str)
        file_systems = given.mapping("mounts", mounts, "mount")
        idle_seconds = given.seconds("scale_down_idle_time", scale_down_idle_time)
        given.expect(image=(image, "get_image"))
        if launch_template is not None:
            given.problems.extend(
                _contradictions(
                    efa=efa,
                    efa_only=efa_only,
                    placement_group=placement_group,
                    mounts=file_systems,
                    user_data=parts,
                    security_groups=groups,
                    ssh_from=peers,
                    key_pair=key_pair,
                )
            )
        capacity = capacity or Capacity.on_demand()
        if (
            isinstance(launch_template, NodeLaunchTemplate)
            and launch_template.capacity.reservation != capacity.reservation
        ):
            given.problems.append(_other_capacity())
        _cdk.refuse(scope, id, given.problems)
        if mounts is None and launch_template is None:
            file_systems = dict(cluster.mounts)
        own_template = launch_template if isinstance(launch_template, NodeLaunchTemplate) else None
        # An imported template has an image; one that is made here has none.
        default_image = image is None and (launch_template is None or own_template is not None)
        places = (cluster.subnet,) if chosen is None else chosen
        # The cluster's own subnet was looked at with the cluster, but not whether it suits nodes.
        looked_at = places if chosen is not None or _cdk.is_public(places[0]) is True else ()
        places_facts = [_cdk.subnet_facts("subnets", s, cluster.vpc) for s in looked_at]
        physical = (
            physical_name(_cdk.path(scope), id, _cdk.without_tokens(types), longest=25)
            if name is None
            else name
        )
        launch = Launch(
            instance_types=types,
            security_group_ids=tuple(
                _cdk.security_group_id(group) for group in (cluster.security_group, *groups)
            ),
            mounts=tuple(storage.mount(path) for path, storage in file_systems.items()),
            parts=parts,
            efa=own_template.efa if own_template else efa,
            efa_only=own_template.efa_only if own_template else efa_only,
            placement_group=placement_group,
            capacity=capacity,
            min=scaling.min,
            max=scaling.max,
            key_name=key_pair.key_pair_name if key_pair else None,
            name_tag=physical,
            subnets=len(places),
            public=any(subnet.public is True for subnet in places_facts) or UNKNOWN,
        )
        group_facts = rules.NodeGroupFacts(
            name=_cdk.known(physical),
            named=name is not None,
            instance_types=_cdk.known_all(types),
            min=scaling.min,
            max=scaling.max,
            subnets=len(places),
            purchase_option=capacity.purchase_option,
            spot_options=capacity.allocation is not None,
            login=login,
            scale_down_idle_seconds=idle_seconds,
            slurm=cluster.slurm or UNKNOWN,
            default_image=default_image,
        )
        ssh = rules.SshFacts(sources=tuple(_cdk.known(peer.unique_id) for peer in peers))
        ids = rules.IdentifierFacts(
            subnet_ids=tuple(_cdk.known(_cdk.subnet_id(place)) for place in places),
            security_group_ids=tuple(map(_cdk.known, launch.security_group_ids)),
        )
        facts = (group_facts, *places_facts, ids, ssh, *launch.facts())
        problems = list(rules.errors_in(*facts))
        if own_template is not None and own_template.interfaces != launch.interfaces:
            problems.append(_other_cards())
        if instance_profile is not None and (role := _cdk.role_of(instance_profile)) is not None:
            problems.extend(rules.errors_in(rules.RoleFacts(name=_cdk.role_name(role))))
        _cdk.refuse(scope, id, problems)
        # Last, because an image that is only asked for its ID may leave a parameter in the stack.
        if image:
            ami_id = given.image("image", image, scope, id)
            _cdk.refuse(scope, id, given.problems)
            image_facts = rules.ImageFacts(
                ami_id=_cdk.known(ami_id),
                follows_parameter=_cdk.follows_parameter(scope, ami_id),
                architectures={n: found.architecture for n, found in group_facts.found.items()},
            )
            facts = (*facts, image_facts)
            _cdk.refuse(scope, id, rules.errors_in(image_facts))

        super().__init__(scope, id)
        _cdk.advise(self, rules.advice_on(*facts))
        self.cluster = cluster
        self.name = physical
        self.instance_types = types
        self.scaling = scaling
        self.subnets = places
        if launch_template is not None:
            self.mounts = own_template.mounts if own_template else None
        else:
            self.mounts = file_systems
        self.login = login
        self.addresses = scaling.max * launch.addresses
        self.architecture = group_facts.architecture
        self._efa = efa
        self._security_group_ids = launch.security_group_ids
        self._given_template = launch_template
        self._profile = instance_profile

        self._template = None if launch_template else launch.attach(self, "LaunchTemplate")
        profile = instance_profile or cluster.instance_profile
        self._resource = cfn.CfnComputeNodeGroup(
            self,
            "Resource",
            cluster_id=cluster.cluster_id,
            name=physical,
            ami_id=image.get_image(self).image_id
            if image
            else _default_image(scope, self.architecture)
            if default_image
            else None,
            custom_launch_template=_template_reference(self._template, launch_template),
            iam_instance_profile_arn=profile.instance_profile_arn,
            instance_configs=[
                cfn.CfnComputeNodeGroup.InstanceConfigProperty(instance_type=name) for name in types
            ],
            purchase_option=capacity.purchase_option,
            scaling_configuration=cfn.CfnComputeNodeGroup.ScalingConfigurationProperty(
                min_instance_count=scaling.min, max_instance_count=scaling.max
            ),
            slurm_configuration=_slurm_configuration(idle_seconds, settings),
            spot_options=cfn.CfnComputeNodeGroup.SpotOptionsProperty(
                allocation_strategy=capacity.allocation.value
            )
            if capacity.allocation
            else None,
            subnet_ids=[_cdk.subnet_id(subnet) for subnet in places],
        )
        for peer in peers:
            self.connections.allow_from(peer, ec2.Port.tcp(22), "SSH")
        # The rest is open to the cluster's security group already.
        own = [s for s in file_systems.values() if all(s is not c for c in cluster.open_storage)]
        for storage in own:
            storage.allow_mount_from(_cdk.as_security_group(self._own_security_group))
        # The cluster waits for the way out of its own subnet.
        _cdk.depend(self._resource, own, [s for s in places if s is not cluster.subnet])
        self.compute_node_group_id = self._resource.attr_id

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
    def grant_principal(self) -> iam.IPrincipal:
        """Whom permissions are granted to; the first use gives these nodes a role of their own."""
        if self._profile is None:
            self._profile = NodeInstanceProfile(self, "InstanceProfile")
            self._resource.iam_instance_profile_arn = self._profile.instance_profile_arn
        principal = _cdk.principal_of(self._profile)
        if principal is None:
            raise grant_without_role(self)
        return principal

    @cached_property
    def _own_security_group(self) -> ec2.SecurityGroup:
        assert self._template is not None
        group = _cdk.security_group(
            self,
            "SecurityGroup",
            self.cluster.vpc,
            "Nodes of one AWS PCS compute node group",
            all_outbound=False,
        )
        self._template.add_property_override(
            "LaunchTemplateData."
            + ("NetworkInterfaces.0.Groups" if self._efa else "SecurityGroupIds"),
            [*self._security_group_ids, group.security_group_id],
        )
        return group

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
    architecture: Final[None]

    def __init__(self, scope: Construct, id: str, compute_node_group_id: str) -> None:
        given = Arguments()
        given.expect(compute_node_group_id=(compute_node_group_id, str))
        _cdk.refuse(scope, id, given.problems)
        facts = rules.NodeGroupReferenceFacts(
            compute_node_group_id=_cdk.known(compute_node_group_id)
        )
        _cdk.refuse(scope, id, rules.errors_in(facts))
        super().__init__(scope, id)
        self.compute_node_group_id = compute_node_group_id
        self.name = id
        self.cluster = None
        self.login = False
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


def _slurm_configuration(
    idle_seconds: int | None, settings: Mapping[str, str]
) -> cfn.CfnComputeNodeGroup.SlurmConfigurationProperty | None:
    if idle_seconds is None and not settings:
        return None
    return cfn.CfnComputeNodeGroup.SlurmConfigurationProperty(
        scale_down_idle_time_in_seconds=idle_seconds,
        slurm_custom_settings=[
            cfn.CfnComputeNodeGroup.SlurmCustomSettingProperty(
                parameter_name=name, parameter_value=value
            )
            for name, value in settings.items()
        ]
        # AWS PCS refuses an empty list.
        or None,
    )


def _default_image(scope: Construct, architecture: str | None) -> str:
    """The value of the parameter for this architecture, in the stack of the node group."""
    return _cdk.image_parameter(
        scope,
        _IMAGE_PARAMETERS[architecture or "x86_64"],
        f"The image of {architecture} nodes. Newest: aws ssm get-parameter --name "
        f"/aws/service/pcs/ami/dlami-base-ubuntu2404/{architecture}/latest/ami-id",
    )


def _other_cards() -> Problem:
    return Problem(
        code="PCS611",
        argument="launch_template",
        message="has the network interfaces of other instance types",
        fix="make it with the instance_types of the node group",
    )


def _other_capacity() -> Problem:
    return Problem(
        code="PCS218",
        argument="capacity",
        message="and launch_template do not name the same reservation",
        fix="pass the same capacity to NodeLaunchTemplate and to the node group",
    )


def _contradictions(**arguments: object) -> list[Problem]:
    """The arguments that a launch template of the user's own makes meaningless."""
    return [
        Problem(
            code="PCS218",
            argument=argument,
            message="says what is in the launch template, and launch_template gives one",
            fix=f"leave one of them out: {argument} goes into NodeLaunchTemplate(...)",
        )
        for argument, value in arguments.items()
        if value
    ]
