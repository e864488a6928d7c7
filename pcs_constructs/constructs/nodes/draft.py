"""A node group that is not attached yet: its arguments, and all that follows from them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.once import path_of, security_group_id, subnet_id
from pcs_constructs.constructs._cdk.problems import PREVIEW, asked_for, lacking, refuse
from pcs_constructs.constructs._cdk.tokens import known, known_all, without_tokens
from pcs_constructs.constructs.network.subnets import is_public, security_group_facts, subnet_facts
from pcs_constructs.constructs.nodes.images import follows_parameter
from pcs_constructs.constructs.nodes.launch import Launch, LaunchOptions
from pcs_constructs.constructs.nodes.launch_template import NodeLaunchTemplate
from pcs_constructs.constructs.nodes.lifecycle import (
    Lifecycle,
    LifecycleAction,
    ScriptCachingPolicy,
)
from pcs_constructs.constructs.nodes.mounting import Mounting
from pcs_constructs.constructs.nodes.parameters import NodeParameters, SlurmParameters
from pcs_constructs.constructs.nodes.permissions import has_principal, role_name, role_of
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN, Problem
from pcs_constructs.model.names import physical_name
from pcs_constructs.model.network_type import NetworkType
from pcs_constructs.model.slurm_settings import NODE_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct

    from pcs_constructs.constructs._cdk.arguments import Arguments
    from pcs_constructs.constructs.file_share import MountScripts
    from pcs_constructs.constructs.interfaces import (
        ICluster,
        INodeInstanceProfile,
        INodeLaunchTemplate,
        ISharedStorage,
    )
    from pcs_constructs.model.capacity import Capacity, Scaling
    from pcs_constructs.model.health_checks import HealthChecks
    from pcs_constructs.model.instances import InstanceFacts


class NodeGroupDraft:
    """What the arguments of a `ComputeNodeGroup` amount to, judged before anything is attached.

    Args:
        scope: Where the node group will be.
        id: Its id.
        given: The arguments of its constructor.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.
    """

    cluster: ICluster
    scaling: Scaling
    image: ec2.IMachineImage | None
    instance_profile: INodeInstanceProfile | None
    launch_template: INodeLaunchTemplate | None
    login: bool

    def __init__(self, scope: Construct, id: str, given: Arguments) -> None:
        self.scope, self.id = scope, id
        self._given = given
        take = given.arguments.__getitem__
        self.cluster, self.scaling = take("cluster"), take("scaling")
        self.image, self.login = take("image"), take("login")
        self.instance_profile = take("instance_profile")
        self.launch_template = take("launch_template")
        self.health_checks: HealthChecks | None = take("health_checks")
        self._given_name: str | None = take("name")
        self._mount_scripts: MountScripts | None = take("mount_scripts")
        self._script_caching_policy: ScriptCachingPolicy | None = take("script_caching_policy")
        self._gpu_type: str | None = take("gpu_type")
        self._inherits = take("mounts") is None and self.launch_template is None
        self.options = LaunchOptions.among(given)
        chosen = take("subnets")
        self._subnets: tuple[ec2.ISubnet, ...] | None = (
            None if chosen is None else given.items("subnets", chosen)
        )
        self.peers: tuple[ec2.IPeer, ...] = given.items("ssh_from", take("ssh_from"))
        self._parameters = SlurmParameters(
            NODE_GROUP,
            given.mapping("slurm_settings", take("slurm_settings")),
            {
                "RealMemory": given.whole_mebibytes("real_memory", take("real_memory")),
                "Weight": given.count("weight", take("weight")),
                "Features": given.joined("features", take("features")),
            },
        )
        self._gres: list[dict[str, str]] = [
            given.mapping("gres", record) for record in given.items("gres", take("gres"))
        ]
        self._actions: tuple[LifecycleAction, ...] = given.items(
            "lifecycle_actions", take("lifecycle_actions")
        )
        self.idle_seconds = given.seconds("scale_down_idle_time", take("scale_down_idle_time"))
        given.problems.extend(self._contradictions())
        refuse(scope, id, given.problems)

    def judge(self) -> tuple[object, ...]:
        """All facts about the node group, which the rules have let pass."""
        problems = [*rules.errors_in(*self.facts), *self._template_problems()]
        profile = self.instance_profile
        if profile is not None and (role := role_of(profile)) is not None:
            problems.extend(rules.errors_in(rules.RoleFacts(name=role_name(role))))
        refuse(self.scope, self.id, problems)
        if self.image is None:
            return self.facts
        # Last, because an image that is only asked for its ID may leave a parameter in the stack.
        ami_id = self._given.image("image", self.image, self.scope, self.id)
        refuse(self.scope, self.id, self._given.problems)
        image_facts = rules.ImageFacts(
            ami_id=known(ami_id),
            follows_parameter=follows_parameter(self.scope, ami_id),
            architectures={name: each.architecture for name, each in self.instances.items()},
        )
        refuse(self.scope, self.id, rules.errors_in(image_facts))
        return (*self.facts, image_facts)

    @cached_property
    def facts(self) -> tuple[object, ...]:
        """What the rules are to judge, but for the image."""
        granted = self.has_principal
        return (
            self.group_facts,
            *self.subnets_facts,
            *(
                security_group_facts("security_groups", group, self.cluster.vpc)
                for group in self.options.security_groups
            ),
            rules.IdentifierFacts(
                subnet_ids=tuple(known(subnet_id(subnet)) for subnet in self.subnets),
                security_group_ids=tuple(map(known, self.launch.security_group_ids)),
            ),
            rules.PeersFacts(
                argument="ssh_from",
                service="SSH",
                sources=tuple(known(peer.unique_id) for peer in self.peers),
            ),
            *self.launch.facts(),
            *self.parameters.facts(),
            *self._template_volume(),
            *self._health_checks(),
            *self.mounting.facts(self.subnets, role=granted),
            *self.lifecycle.facts(role=granted),
        )

    @cached_property
    def group_facts(self) -> rules.NodeGroupFacts:
        """What is judged of the node group itself."""
        return rules.NodeGroupFacts(
            name=known(self.name),
            named=self._given_name is not None,
            instance_types=known_all(self.options.instance_types),
            described=self.options.described,
            min=self.scaling.min,
            max=self.scaling.max,
            subnets=len(self.subnets),
            purchase_option=self.options.capacity.purchase_option,
            spot_options=self.options.capacity.allocation is not None,
            login=self.login,
            scale_down_idle_seconds=self.idle_seconds,
            slurm=self.cluster.slurm or UNKNOWN,
            default_image=self.default_image,
        )

    @cached_property
    def name(self) -> str:
        """Its physical name."""
        if self._given_name is not None:
            return self._given_name
        types = without_tokens(self.options.instance_types)
        return physical_name(path_of(self.scope), self.id, types, longest=25)

    @cached_property
    def instances(self) -> dict[str, InstanceFacts]:
        """What is known of its instance types, by name."""
        return instances.known(self.options.instance_types, self.options.described)

    @property
    def own_template(self) -> NodeLaunchTemplate | None:
        """The launch template that is given, where it is made in this app."""
        template = self.launch_template
        return template if isinstance(template, NodeLaunchTemplate) else None

    @property
    def default_image(self) -> bool:
        """Whether nodes have the image of the stack's parameter."""
        # An imported template has an image; one that is made here has none.
        return self.image is None and (
            self.launch_template is None or self.own_template is not None
        )

    @property
    def has_principal(self) -> bool:
        """Whether nodes can be granted something."""
        return self.instance_profile is None or has_principal(self.instance_profile)

    @cached_property
    def subnets(self) -> tuple[ec2.ISubnet, ...]:
        """Where nodes start."""
        return (self.cluster.subnet,) if self._subnets is None else self._subnets

    @cached_property
    def subnets_facts(self) -> list[rules.NodeSubnetFacts]:
        """What is judged of the subnets."""
        # The cluster's own subnet was looked at with the cluster, but not whether it suits nodes.
        if self._subnets is None and is_public(self.subnets[0]) is not True:
            return []
        ipv6 = self.cluster.network_type is NetworkType.IPV6
        return [
            subnet_facts("subnets", subnet, self.cluster.vpc, needs_ipv6=ipv6)
            for subnet in self.subnets
        ]

    @cached_property
    def cluster_group(self) -> ec2.ISecurityGroup:
        """The cluster's security group that its nodes carry."""
        cluster = self.cluster
        return cluster.login_security_group if self.login else cluster.compute_security_group

    @cached_property
    def mounting(self) -> Mounting:
        """What its nodes mount, and how."""
        template = self.own_template
        file_systems: Mapping[str, ISharedStorage] = self.options.file_systems
        if self._inherits:
            file_systems = self.cluster.mounts
        elif template is not None:
            file_systems = template.mounts
        scripts = self._mount_scripts or self.cluster.mount_scripts
        return Mounting(
            file_systems,
            scripts=None if self.launch_template else scripts,
            without_disks=tuple(
                name for name, facts in self.instances.items() if not facts.local_storage_gb
            ),
            inherited=self._inherits,
        )

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """What AWS PCS runs on its nodes."""
        return Lifecycle(
            actions=self.mounting.ordered(self._actions),
            script_caching_policy=self._script_caching_policy,
        )

    @cached_property
    def parameters(self) -> NodeParameters:
        """What Slurm is told of its nodes."""
        return NodeParameters(
            self._parameters,
            gres=self._gres,
            gpu_type=self._gpu_type,
            cluster=self.cluster,
            instances=self.instances,
            all_known=len(self.instances) == len(self.options.instance_types),
            login=self.login,
        )

    @cached_property
    def launch(self) -> Launch:
        """What its nodes are launched with."""
        template = self.own_template
        group_ids = [security_group_id(self.cluster_group)]
        group_ids += [security_group_id(group) for group in self.options.security_groups]
        return Launch(
            options=replace(self.options, efa=template.efa, efa_only=template.efa_only)
            if template
            else self.options,
            security_group_ids=tuple(dict.fromkeys(group_ids)),
            secondary_group_ids=(group_ids[0],),
            mounts=self.mounting.by_user_data,
            weighted="Weight" in self._parameters.values,
            min=self.scaling.min,
            max=self.scaling.max,
            name_tag=self.name,
            own_image=self.image is not None,
            subnets=len(self.subnets),
            public=any(subnet.public is True for subnet in self.subnets_facts) or UNKNOWN,
        )

    def _contradictions(self) -> Iterator[Problem]:
        """The arguments that a launch template of the user's own makes meaningless."""
        if self.health_checks is not None and not asked_for(self.scope, PREVIEW):
            yield lacking("health_checks")
        if self.launch_template is None:
            return
        arguments = [*self.options.said()]
        arguments += ["mount_scripts"] if self._mount_scripts else []
        arguments += ["ssh_from"] if self.peers else []
        for argument in arguments:
            yield Problem(
                code="PCS218",
                argument=argument,
                message="says what is in the launch template, and launch_template gives one",
                fix=f"leave one of them out: {argument} goes into NodeLaunchTemplate(...)",
            )
        template = self.own_template
        if template is not None and _differ(template.capacity, self.options.capacity):
            yield Problem(
                code="PCS218",
                argument="capacity",
                message="and launch_template do not name the same reservation",
                fix="pass the same capacity to NodeLaunchTemplate and to the node group",
            )

    def _template_problems(self) -> Iterator[Problem]:
        """What a template that is made in this app was made for, and the node group is not."""
        template = self.own_template
        if template is None:
            return
        if template.interfaces != self.launch.interfaces:
            yield Problem(
                code="PCS611",
                argument="launch_template",
                message="has the network interfaces of other instance types",
                fix="make it with the instance_types of the node group",
            )
        if template.subnet is not None and {subnet_id(subnet) for subnet in self.subnets} != {
            subnet_id(template.subnet)
        }:
            yield Problem(
                code="PCS218",
                argument="subnets",
                message="are not the subnet of the launch template",
                fix="leave subnet out of NodeLaunchTemplate, or pass the same to both",
            )

    def _health_checks(self) -> Iterator[rules.HealthChecksFacts]:
        """What is asked to be checked of the instances."""
        checks = self.health_checks
        if checks is None:
            return
        yield rules.HealthChecksFacts(
            mode="STANDARD" if checks.monitoring else None,
            repair=checks.repair.value if checks.repair else None,
            profile=checks.on_start.value if checks.on_start else None,
            profile_repair=checks.on_start_repair.value if checks.on_start_repair else None,
            incomplete=() if checks.monitoring or checks.on_start else ("",),
            slurm=self.cluster.slurm or UNKNOWN,
            gpu_makers={name: each.gpu_manufacturer for name, each in self.instances.items()},
        )

    def _template_volume(self) -> Iterator[rules.RootVolumeFacts]:
        """What a template made elsewhere shows of a volume whose device this image has to have."""
        template = self.own_template
        if template is not None and template.root_volume is not None:
            yield rules.RootVolumeFacts(
                type=UNKNOWN,
                device_name=known(template.root_device_name),
                own_image=self.image is not None,
            )


def _differ(template: Capacity, group: Capacity) -> bool:
    """Whether a template was made for another way of buying; most of it is not in a template."""
    if template.template_terms != group.template_terms:
        return True
    return template.purchase_option not in {"ONDEMAND", group.purchase_option}
