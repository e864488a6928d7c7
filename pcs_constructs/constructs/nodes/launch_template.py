"""The EC2 launch template behind a node group: what a node is given when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.once import (
    security_group_id,
    subnet_id,
)
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import (
    known,
)
from pcs_constructs.constructs.file_share import depend
from pcs_constructs.constructs.network.subnets import is_public
from pcs_constructs.constructs.nodes.launch import Launch, LaunchOptions
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.constructs.interfaces import INodeLaunchTemplate, ISharedStorage
    from pcs_constructs.model.boot import UserDataPart
    from pcs_constructs.model.capacity import Capacity
    from pcs_constructs.model.efa import Interface
    from pcs_constructs.model.instances import InstanceFacts


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
        given = Arguments(NodeLaunchTemplate.__init__, locals())
        options = LaunchOptions.among(given)
        refuse(scope, id, given.problems)
        shares = {path: storage.file_share for path, storage in options.file_systems.items()}
        launch = Launch(
            options=options,
            security_group_ids=tuple(
                dict.fromkeys(map(security_group_id, options.security_groups))
            ),
            mounts=tuple(share.mount(path) for path, share in shares.items()),
            name_tag=id,
            subnet_id=subnet_id(subnet) if subnet else None,
            subnets=1 if subnet else UNKNOWN,
            public=is_public(subnet) if subnet else UNKNOWN,
        )
        facts = (*launch.facts(), *(share.facts(path) for path, share in shares.items()))
        refuse(scope, id, rules.errors_in(*facts))

        super().__init__(scope, id)
        advise(self, rules.advice_on(*facts))
        self._connections = ec2.Connections(security_groups=list(options.security_groups))
        resource = launch.attach(self, "Resource")
        for share in shares.values():
            # One group of a node is enough, and a node has all of them.
            share.allow_mount_from(options.security_groups[0], scope=self)
        depend(resource, shares.values())
        self.launch_template_id = resource.ref
        self.version = resource.attr_latest_version_number
        self.mounts = options.file_systems
        self.capacity = options.capacity
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
        given = Arguments(_ImportedLaunchTemplate.__init__, locals())
        refuse(scope, id, given.problems)
        facts = rules.LaunchTemplateFacts(
            launch_template_id=known(launch_template_id), version=known(version)
        )
        refuse(scope, id, rules.errors_in(facts))
        super().__init__(scope, id)
        self.launch_template_id = launch_template_id
        self.version = version
        advise(self, rules.advice_on(facts))
