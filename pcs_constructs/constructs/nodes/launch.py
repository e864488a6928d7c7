"""What nodes are launched with: said by arguments, judged, and written into a launch template."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.once import base64, boot_text, known_bytes
from pcs_constructs.constructs._cdk.tokens import known, known_all, known_items, known_number
from pcs_constructs.constructs.nodes.volumes import allow_pcs_to_use, volume_type
from pcs_constructs.model import instances
from pcs_constructs.model.capacity import Capacity
from pcs_constructs.model.efa import PLAIN, Interface, addresses, layout
from pcs_constructs.model.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs import Construct

    from pcs_constructs.constructs._cdk.arguments import Arguments
    from pcs_constructs.constructs.interfaces import ISharedStorage
    from pcs_constructs.model.boot import Mount, UserDataPart
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
class LaunchOptions:
    """What is said of instances, by a node group and by a launch template alike."""

    instance_types: tuple[str, ...]
    described: Mapping[str, InstanceFacts]
    security_groups: tuple[ec2.ISecurityGroup, ...]
    file_systems: Mapping[str, ISharedStorage]
    parts: tuple[UserDataPart, ...]
    efa: bool
    efa_only: bool
    placement_group: ec2.IPlacementGroup | None
    capacity: Capacity
    key_pair: ec2.IKeyPair | None
    root_volume: ec2.BlockDeviceVolume | None
    ebs: ec2.EbsDeviceProps | None
    """The root volume as EC2 takes it."""
    root_device_name: str | None
    detailed_monitoring: bool
    instance_tags: Mapping[str, str]
    http_put_response_hop_limit: int | None
    instance_metadata_tags: bool

    @classmethod
    def among(cls, given: Arguments) -> Self:
        """The options among the arguments of a constructor."""
        take = given.arguments.__getitem__
        types, described = given.instance_types("instance_types", take("instance_types"))
        return cls(
            instance_types=types,
            described=described,
            security_groups=given.items("security_groups", take("security_groups")),
            file_systems=given.mapping("mounts", take("mounts")),
            parts=given.items("user_data", take("user_data")),
            efa=take("efa"),
            efa_only=take("efa_only"),
            placement_group=take("placement_group"),
            capacity=take("capacity") or Capacity.on_demand(),
            key_pair=take("key_pair"),
            root_volume=take("root_volume"),
            ebs=given.ebs("root_volume", take("root_volume")),
            root_device_name=take("root_device_name"),
            detailed_monitoring=take("detailed_monitoring"),
            instance_tags=given.mapping("instance_tags", take("instance_tags")),
            http_put_response_hop_limit=take("http_put_response_hop_limit"),
            instance_metadata_tags=take("instance_metadata_tags"),
        )

    @property
    def key_name(self) -> str | None:
        """The name of the key pair."""
        return self.key_pair.key_pair_name if self.key_pair else None

    def said(self) -> Iterator[str]:
        """The arguments of those that a node group may not repeat beside a template."""
        given = {
            "efa": self.efa,
            "efa_only": self.efa_only,
            "placement_group": self.placement_group,
            "mounts": self.file_systems,
            "user_data": self.parts,
            "security_groups": self.security_groups,
            "key_pair": self.key_pair,
            "root_volume": self.root_volume,
            "root_device_name": self.root_device_name,
            "detailed_monitoring": self.detailed_monitoring,
            "instance_tags": self.instance_tags,
            "http_put_response_hop_limit": self.http_put_response_hop_limit is not None,
            "instance_metadata_tags": self.instance_metadata_tags,
        }
        return (argument for argument, value in given.items() if value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch template that is not attached yet, so that its problems can be told first.

    A node group judges it together with its own arguments.
    """

    options: LaunchOptions
    security_group_ids: tuple[str, ...]
    secondary_group_ids: tuple[str, ...] | None = None
    """Those of the interfaces after the first; `None` is the same."""
    mounts: tuple[Mount, ...] = ()
    name_tag: str | None = None
    own_image: bool = False
    weighted: bool = False
    """Whether the nodes have a weight."""
    subnet_id: str | None = None
    min: int | Unknown = 0
    max: int | Unknown = UNKNOWN
    subnets: int | Unknown = UNKNOWN
    public: bool | Unknown = UNKNOWN

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The network interfaces of each instance."""
        known_types = (
            instances.known(self.options.instance_types[:1], self.options.described)
            if self.options.efa
            else {}
        )
        return next(
            (layout(f, efa_only=self.options.efa_only) for f in known_types.values()), PLAIN
        )

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
        return boot_text(self.mounts, self.options.parts)

    @property
    def _hop_limit(self) -> int:
        given = self.options.http_put_response_hop_limit
        return _METADATA_HOP_LIMIT if given is None else given

    @property
    def _tags(self) -> Mapping[str, str]:
        return {**({"Name": self.name_tag} if self.name_tag else {}), **self.options.instance_tags}

    def facts(self) -> tuple[object, ...]:
        """What the rules are to judge."""
        return (
            rules.InterfaceFacts(
                instance_types=known_all(self.options.instance_types),
                described=self.options.described,
                efa=self.options.efa,
                efa_only=self.options.efa_only,
                subnets=self.subnets,
                public=self.public,
            ),
            rules.LaunchTemplateFacts(
                key_name=UNKNOWN if self.options.key_name is None else known(self.options.key_name),
                security_groups=len(self.security_group_ids),
            ),
            rules.CapacityFacts(
                purchase_option=self.options.capacity.purchase_option,
                reservation_id=known(self.options.capacity.reservation_id),
                reservation_group_arn=known(self.options.capacity.reservation_group_arn),
                count=known(self.options.capacity.count),
                instance_types=known_all(self.options.instance_types),
                min=self.min,
                max=self.max,
                placement_group=self.options.placement_group is not None,
                strategy=placement_strategy(self.options.placement_group),
                spread_level=_spread_level(self.options.placement_group),
                subnets=self.subnets,
                efa=self.options.efa,
                weight=self.weighted,
                usage_classes={
                    name: instance.usage_classes
                    for name, instance in instances.known(
                        self.options.instance_types, self.options.described
                    ).items()
                },
            ),
            rules.MetadataFacts(
                hop_limit=known(self._hop_limit),
                tags=(known_tags := known_items(self._tags)),
                unknown_tags=len(self._tags) - len(known_tags),
                tags_in_metadata=self.options.instance_metadata_tags,
            ),
            *self._root_volume_facts(),
            rules.MountFacts(paths=tuple(known(mount.path) for mount in self.mounts)),
            rules.UserDataFacts(
                bytes=known_bytes(self.user_data),
                parts=tuple((part.content_type, known(part.text)) for part in self.options.parts),
            ),
        )

    def _root_volume_facts(self) -> tuple[rules.RootVolumeFacts, ...]:
        volume = self.options.ebs
        device_name = known(self.options.root_device_name)
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
        interfaces = (
            self._network_interfaces(groups) if self.options.efa or self.subnet_id else None
        )
        placement_group_name = self._placement_group_name(scope)
        tags = [cdk.CfnTag(key=key, value=value) for key, value in self._tags.items()]
        return ec2.CfnLaunchTemplate(
            scope,
            id,
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                block_device_mappings=self._block_device_mappings(),
                key_name=self.options.key_name,
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_endpoint="enabled",
                    http_tokens="required",
                    http_put_response_hop_limit=self._hop_limit,
                    instance_metadata_tags="enabled"
                    if self.options.instance_metadata_tags
                    else None,
                ),
                monitoring=ec2.CfnLaunchTemplate.MonitoringProperty(enabled=True)
                if self.options.detailed_monitoring
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
        volume = self.options.ebs
        if volume is None:
            return None
        if volume.kms_key is not None:
            allow_pcs_to_use(volume.kms_key)
        return [
            ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
                device_name=self.options.root_device_name or _ROOT_DEVICE_NAME,
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
        if self.options.placement_group is not None:
            return self.options.placement_group.placement_group_name
        if self.options.efa and self.options.capacity.takes_new_placement_group:
            return ec2.CfnPlacementGroup(scope, "PlacementGroup", strategy="cluster").ref
        return None

    def _purchase(self) -> _Purchase:
        """What AWS PCS wants in the template of nodes that are taken out of a reservation."""
        capacity = self.options.capacity
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
            purchase["instance_type"] = self.options.instance_types[0]
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


def placement_strategy(group: ec2.IPlacementGroup | None) -> str | Unknown | None:
    """The strategy of a placement group, where it is made in this app."""
    if group is None:
        return None
    strategy = group.strategy if isinstance(group, ec2.PlacementGroup) else None
    return UNKNOWN if strategy is None else strategy.name.lower()


def _spread_level(group: ec2.IPlacementGroup | None) -> str:
    """What a placement group of the strategy `spread` keeps instances on several of."""
    level = group.spread_level if isinstance(group, ec2.PlacementGroup) else None
    return "rack" if level is None else level.name.lower()
