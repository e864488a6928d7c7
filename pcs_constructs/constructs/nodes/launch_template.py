"""The EC2 launch template behind a node group: what a node is given when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.once import (
    base64,
    boot_text,
    known_bytes,
    security_group_id,
    subnet_id,
)
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import (
    known,
    known_all,
    known_items,
    known_number,
)
from pcs_constructs.constructs.file_share import depend
from pcs_constructs.constructs.network.subnets import is_public
from pcs_constructs.constructs.nodes.volumes import allow_pcs_to_use, volume_type
from pcs_constructs.model import instances
from pcs_constructs.model.boot import UserDataPart
from pcs_constructs.model.capacity import Capacity
from pcs_constructs.model.efa import PLAIN, Interface, addresses, layout
from pcs_constructs.model.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.constructs.interfaces import INodeLaunchTemplate, ISharedStorage
    from pcs_constructs.model.boot import Mount
    from pcs_constructs.model.errors import Unknown
    from pcs_constructs.model.instances import InstanceFacts

# More than 1, so that containers on a node reach the metadata service; the user guide's number.
_METADATA_HOP_LIMIT: Final = 4

# Of the PCS-ready image, which is the default, and of every other Ubuntu.
_ROOT_DEVICE_NAME: Final = "/dev/sda1"


class _Purchase(TypedDict, total=False):
    capacity_reservation_specification: (
        ec2.CfnLaunchTemplate.CapacityReservationSpecificationProperty
    )
    instance_market_options: ec2.CfnLaunchTemplate.InstanceMarketOptionsProperty
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch template that is not attached yet, so that its problems can be told first.

    A node group judges it together with its own arguments.
    """

    instance_types: tuple[str, ...]
    described: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    security_group_ids: tuple[str, ...]
    secondary_group_ids: tuple[str, ...] | None = None
    """Those of the interfaces after the first; `None` is the same."""
    mounts: tuple[Mount, ...] = ()
    parts: tuple[UserDataPart, ...] = ()
    efa: bool = False
    efa_only: bool = False
    key_name: str | None = None
    name_tag: str | None = None
    capacity: Capacity = field(default_factory=Capacity.on_demand)
    placement_group: ec2.IPlacementGroup | None = None
    root_volume: ec2.EbsDeviceProps | None = None
    root_device_name: str | None = None
    own_image: bool = False
    detailed_monitoring: bool = False
    instance_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    http_put_response_hop_limit: int | None = None
    instance_metadata_tags: bool = False
    slurm_settings: Mapping[str, str] = field(default_factory=dict[str, str])
    subnet_id: str | None = None
    min: int | Unknown = 0
    max: int | Unknown = UNKNOWN
    subnets: int | Unknown = UNKNOWN
    public: bool | Unknown = UNKNOWN

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The network interfaces of each instance."""
        found = instances.known(self.instance_types[:1], self.described) if self.efa else {}
        return next((layout(f, efa_only=self.efa_only) for f in found.values()), PLAIN)

    @property
    def addresses(self) -> int:
        """How many addresses each instance takes."""
        return addresses(self.interfaces)

    def with_group(self, group_id: str) -> Launch:
        """The same with one security group more, on every interface."""
        return replace(
            self,
            security_group_ids=(*self.security_group_ids, group_id),
            secondary_group_ids=(*(self.secondary_group_ids or ()), group_id),
        )

    @property
    def user_data(self) -> str:
        """The user data, before base64."""
        return boot_text(self.mounts, self.parts)

    @property
    def _hop_limit(self) -> int:
        given = self.http_put_response_hop_limit
        return _METADATA_HOP_LIMIT if given is None else given

    @property
    def _tags(self) -> Mapping[str, str]:
        return {**({"Name": self.name_tag} if self.name_tag else {}), **self.instance_tags}

    def facts(self) -> tuple[object, ...]:
        """What the rules are to judge."""
        return (
            rules.InterfaceFacts(
                instance_types=known_all(self.instance_types),
                described=self.described,
                efa=self.efa,
                efa_only=self.efa_only,
                subnets=self.subnets,
                public=self.public,
            ),
            rules.LaunchTemplateFacts(
                key_name=UNKNOWN if self.key_name is None else known(self.key_name),
                security_groups=len(self.security_group_ids),
            ),
            rules.CapacityFacts(
                purchase_option=self.capacity.purchase_option,
                reservation_id=known(self.capacity.reservation_id),
                reservation_group_arn=known(self.capacity.reservation_group_arn),
                count=known(self.capacity.count),
                instance_types=known_all(self.instance_types),
                min=self.min,
                max=self.max,
                placement_group=self.placement_group is not None,
                strategy=placement_strategy(self.placement_group),
                efa=self.efa,
                weight="Weight" in self.slurm_settings,
                usage_classes={
                    name: found.usage_classes
                    for name, found in instances.known(self.instance_types, self.described).items()
                },
            ),
            rules.MetadataFacts(
                hop_limit=known(self._hop_limit),
                tags=(known_tags := known_items(self._tags)),
                unknown_tags=len(self._tags) - len(known_tags),
                tags_in_metadata=self.instance_metadata_tags,
            ),
            *self._root_volume_facts(),
            rules.MountFacts(paths=tuple(known(mount.path) for mount in self.mounts)),
            rules.UserDataFacts(
                bytes=known_bytes(self.user_data),
                parts=tuple((part.content_type, known(part.text)) for part in self.parts),
            ),
        )

    def _root_volume_facts(self) -> tuple[rules.RootVolumeFacts, ...]:
        volume = self.root_volume
        device_name = known(self.root_device_name)
        if volume is not None:
            facts = rules.RootVolumeFacts(
                type=volume_type(volume),
                size=known_number(volume.volume_size),
                iops=known_number(volume.iops),
                throughput=known_number(volume.throughput),
                encrypted=volume.encrypted is not False,
                kms_key=volume.kms_key is not None,
                device_name=device_name,
                own_image=self.own_image,
            )
        elif device_name is not None:
            facts = rules.RootVolumeFacts(given=False, device_name=device_name)
        else:
            return ()
        return (facts,)

    def attach(self, scope: Construct, id: str) -> ec2.CfnLaunchTemplate:
        """Make the launch template, with the placement group that EFA may want beside it."""
        groups = list(self.security_group_ids)
        # A template names interfaces only where it must: with one, AWS PCS does as well without.
        interfaces = self._network_interfaces(groups) if self.efa or self.subnet_id else None
        placement_group_name = self._placement_group_name(scope)
        tags = [cdk.CfnTag(key=key, value=value) for key, value in self._tags.items()]
        return ec2.CfnLaunchTemplate(
            scope,
            id,
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                block_device_mappings=self._block_device_mappings(),
                key_name=self.key_name,
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_endpoint="enabled",
                    http_tokens="required",
                    http_put_response_hop_limit=self._hop_limit,
                    instance_metadata_tags="enabled" if self.instance_metadata_tags else None,
                ),
                monitoring=ec2.CfnLaunchTemplate.MonitoringProperty(enabled=True)
                if self.detailed_monitoring
                else None,
                network_interfaces=interfaces,
                placement=ec2.CfnLaunchTemplate.PlacementProperty(group_name=placement_group_name)
                if placement_group_name
                else None,
                **self._purchase(),
                security_group_ids=None if interfaces else groups,
                tag_specifications=[
                    ec2.CfnLaunchTemplate.TagSpecificationProperty(
                        resource_type=resource_type, tags=tags
                    )
                    for resource_type in ("instance", "volume", "network-interface")
                ]
                if tags
                else None,
                user_data=base64(self.user_data) if self.user_data else None,
            ),
        )

    def _block_device_mappings(
        self,
    ) -> list[ec2.CfnLaunchTemplate.BlockDeviceMappingProperty] | None:
        volume = self.root_volume
        if volume is None:
            return None
        if volume.kms_key is not None:
            allow_pcs_to_use(volume.kms_key)
        return [
            ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
                device_name=self.root_device_name or _ROOT_DEVICE_NAME,
                ebs=ec2.CfnLaunchTemplate.EbsProperty(
                    delete_on_termination=volume.delete_on_termination is not False,
                    encrypted=volume.encrypted is not False,
                    iops=volume.iops,
                    kms_key_id=volume.kms_key.key_arn if volume.kms_key else None,
                    throughput=volume.throughput,
                    volume_size=volume.volume_size,
                    volume_type=volume_type(volume),
                ),
            )
        ]

    def _placement_group_name(self, scope: Construct) -> str | None:
        if self.placement_group is not None:
            return self.placement_group.placement_group_name
        if self.efa and self.capacity.takes_new_placement_group:
            return ec2.CfnPlacementGroup(scope, "PlacementGroup", strategy="cluster").ref
        return None

    def _purchase(self) -> _Purchase:
        """What AWS PCS wants in the template of nodes that are taken out of a reservation."""
        capacity = self.capacity
        if capacity.reservation_id is None and capacity.reservation_group_arn is None:
            return {}
        purchase: _Purchase = {
            "capacity_reservation_specification": (
                ec2.CfnLaunchTemplate.CapacityReservationSpecificationProperty(
                    capacity_reservation_target=(
                        ec2.CfnLaunchTemplate.CapacityReservationTargetProperty(
                            capacity_reservation_id=capacity.reservation_id,
                            capacity_reservation_resource_group_arn=capacity.reservation_group_arn,
                        )
                    )
                )
            )
        }
        if capacity.market_type is not None:
            purchase["instance_market_options"] = (
                ec2.CfnLaunchTemplate.InstanceMarketOptionsProperty(
                    market_type=capacity.market_type
                )
            )
        if capacity.purchase_option == "CAPACITY_BLOCK":
            # The one case in which AWS PCS does not ignore the type in the template but wants it.
            purchase["instance_type"] = self.instance_types[0]
        return purchase

    def _network_interfaces(
        self, groups: list[str]
    ) -> list[ec2.CfnLaunchTemplate.NetworkInterfaceProperty]:
        return [
            ec2.CfnLaunchTemplate.NetworkInterfaceProperty(
                network_card_index=interface.network_card_index,
                device_index=interface.device_index,
                interface_type=interface.interface_type,
                groups=groups
                if interface.network_card_index == 0
                else list(self.secondary_group_ids or groups),
                subnet_id=self.subnet_id,
                delete_on_termination=True,
            )
            for interface in self.interfaces
        ]


# Node groups of a cluster mostly have the same user data, and building MIME is not free.


@jsii.implements(ec2.IConnectable)
class NodeLaunchTemplate(Construct):
    """A launch template that AWS PCS accepts, for node groups made here or anywhere else.

    `ComputeNodeGroup` makes its own; this construct is for those who write the node group
    themselves, or want several groups to share one template.

    Resources:
        A launch template and, with EFA, a cluster placement group.

    Security:
        The metadata service answers requests with a token only (IMDSv2). With `mounts`, the ports
        of the file systems are opened to the security groups.

    Args:
        instance_types: The types it is for, by name, or as `InstanceFacts` where the catalogue does
            not have them. With EFA, their network cards decide the interfaces.
        security_groups: Groups of every node; on every interface where there are several.
        subnet: The subnet of the interfaces, the same as the node group's. By default AWS PCS
            takes the node group's.
        efa: Whether nodes talk by Elastic Fabric Adapter: an interface for each network card that
            has it, and a cluster placement group. By default they do not.
        efa_only: Whether the interfaces on secondary cards carry nothing but EFA, and so take no IP
            address. By default they carry both: that AWS PCS takes the others is not confirmed.
        placement_group: Where instances are placed. By default a new cluster placement group with
            EFA, unless `capacity` is a reservation, and none without.
        capacity: How instances are bought. A reservation must be given here and to the node group.
            By default nothing is reserved.
        mounts: File systems by mount point. By default none.
        user_data: Further parts of the user data, after the mounts. By default none.
        key_pair: Whose holder may log in by SSH. By default nobody.
        root_volume: The volume with the operating system, such as
            `ec2.BlockDeviceVolume.ebs(200, throughput=500)`: encrypted and gp3 unless it says
            otherwise. With a `kms_key` that is made in this app, AWS PCS is let to use it. By
            default what the image says.
        root_device_name: The root device of the image that it changes. By default `/dev/sda1`, that
            of the PCS-ready image; an image of your own may have another.
        detailed_monitoring: Whether CloudWatch has metrics of each minute, for a price. By default
            of each five minutes.
        instance_tags: Tags of instances, their volumes and their network interfaces, such as
            `{"Project": "cfd"}`. By default `Name` alone.
        http_put_response_hop_limit: How far the metadata service answers, 1 to 64 hops. By default
            the guide's 4, so that containers reach it.
        instance_metadata_tags: Whether the metadata service shows the instance's tags. By default
            it does not.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Using Amazon EC2 launch templates with AWS PCS; Multiple network interfaces in AWS PCS.
    """

    launch_template_id: Final[str]
    """The ID of the launch template, a token."""

    version: Final[str]
    """The latest version, an attribute: whoever refers to it follows every change."""

    mounts: Final[Mapping[str, ISharedStorage]]
    """The file systems it mounts, by mount point."""

    capacity: Final[Capacity]
    """How the instances are bought."""

    efa: Final[bool]
    """Whether nodes talk by EFA."""

    efa_only: Final[bool]
    """Whether secondary interfaces carry nothing but EFA."""

    subnet: Final[ec2.ISubnet | None]
    """The subnet of the interfaces; `None` where the node group's is taken."""

    root_volume: Final[ec2.BlockDeviceVolume | None]
    """The volume with the operating system; `None` where the image says."""

    root_device_name: Final[str | None]
    """The root device of the image that it changes, where it was said."""

    interfaces: Final[tuple[Interface, ...]]
    """The network interfaces of each node."""

    addresses: Final[int]
    """How many addresses each node takes: one for each network interface that is not EFA only."""

    @staticmethod
    def from_launch_template_attributes(
        scope: Construct, id: str, *, launch_template_id: str, version: str
    ) -> INodeLaunchTemplate:
        """Use a launch template that is defined elsewhere.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            launch_template_id: Its ID, such as `lt-0123456789abcdef0`.
            version: The number of the version to use, such as `3`.

        Raises:
            PcsValidationError: PCS605, when `launch_template_id` is no such ID.
        """
        return _ImportedLaunchTemplate(scope, id, launch_template_id, version)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        instance_types: Sequence[str | InstanceFacts],
        security_groups: Sequence[ec2.ISecurityGroup],
        subnet: ec2.ISubnet | None = None,
        efa: bool = False,
        efa_only: bool = False,
        placement_group: ec2.IPlacementGroup | None = None,
        capacity: Capacity | None = None,
        mounts: Mapping[str, ISharedStorage] | None = None,
        user_data: Sequence[UserDataPart] = (),
        key_pair: ec2.IKeyPair | None = None,
        root_volume: ec2.BlockDeviceVolume | None = None,
        root_device_name: str | None = None,
        detailed_monitoring: bool = False,
        instance_tags: Mapping[str, str] | None = None,
        http_put_response_hop_limit: int | None = None,
        instance_metadata_tags: bool = False,
    ) -> None:
        given = Arguments()
        given.require(
            efa=(efa, bool),
            efa_only=(efa_only, bool),
            detailed_monitoring=(detailed_monitoring, bool),
            instance_metadata_tags=(instance_metadata_tags, bool),
        )
        given.expect(
            subnet=(subnet, "subnet_id"),
            placement_group=(placement_group, "placement_group_name"),
            capacity=(capacity, Capacity),
            key_pair=(key_pair, "key_pair_name"),
            root_device_name=(root_device_name, str),
            http_put_response_hop_limit=(http_put_response_hop_limit, int),
        )
        types, described = given.instance_types("instance_types", instance_types)
        groups = given.items("security_groups", security_groups, "security_group_id")
        parts = given.items("user_data", user_data, UserDataPart)
        file_systems = given.mapping("mounts", mounts, "file_share")
        volume = given.ebs("root_volume", root_volume)
        tags = given.mapping("instance_tags", instance_tags, str)
        refuse(scope, id, given.problems)
        shares = {path: storage.file_share for path, storage in file_systems.items()}
        launch = Launch(
            instance_types=types,
            described=described,
            security_group_ids=tuple(dict.fromkeys(map(security_group_id, groups))),
            mounts=tuple(share.mount(path) for path, share in shares.items()),
            parts=parts,
            efa=efa,
            efa_only=efa_only,
            placement_group=placement_group,
            capacity=capacity or Capacity.on_demand(),
            key_name=key_pair.key_pair_name if key_pair else None,
            name_tag=id,
            root_volume=volume,
            root_device_name=root_device_name,
            detailed_monitoring=detailed_monitoring,
            instance_tags=tags,
            http_put_response_hop_limit=http_put_response_hop_limit,
            instance_metadata_tags=instance_metadata_tags,
            subnet_id=subnet_id(subnet) if subnet else None,
            subnets=1 if subnet else UNKNOWN,
            public=is_public(subnet) if subnet else UNKNOWN,
        )
        facts = (*launch.facts(), *(share.facts(path) for path, share in shares.items()))
        refuse(scope, id, rules.errors_in(*facts))

        super().__init__(scope, id)
        advise(self, rules.advice_on(*facts))
        self._connections = ec2.Connections(security_groups=list(groups))
        resource = launch.attach(self, "Resource")
        for share in shares.values():
            # One group of a node is enough, and a node has all of them.
            share.allow_mount_from(groups[0], scope=self)
        depend(resource, shares.values())
        self.launch_template_id = resource.ref
        self.version = resource.attr_latest_version_number
        self.mounts = file_systems
        self.capacity = launch.capacity
        self.efa = efa
        self.efa_only = efa_only
        self.subnet = subnet
        self.root_volume = root_volume
        self.root_device_name = root_device_name
        self.interfaces = launch.interfaces
        self.addresses = launch.addresses

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the nodes."""
        return self._connections


class _ImportedLaunchTemplate(Construct):
    launch_template_id: Final[str]
    version: Final[str]

    def __init__(self, scope: Construct, id: str, launch_template_id: str, version: str) -> None:
        given = Arguments()
        given.require(
            launch_template_id=(launch_template_id, str),
            version=(version, str),
        )
        refuse(scope, id, given.problems)
        facts = rules.LaunchTemplateFacts(
            launch_template_id=known(launch_template_id), version=known(version)
        )
        refuse(scope, id, rules.errors_in(facts))
        super().__init__(scope, id)
        self.launch_template_id = launch_template_id
        self.version = version
        advise(self, rules.advice_on(facts))


def placement_strategy(group: ec2.IPlacementGroup | None) -> str | Unknown | None:
    """The strategy of a placement group, where it is made in this app."""
    if group is None:
        return None
    strategy = group.strategy if isinstance(group, ec2.PlacementGroup) else None
    return UNKNOWN if strategy is None else strategy.name.lower()
