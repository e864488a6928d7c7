"""Who talks to whom: controllers, nodes and file servers, as templates show them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.analysis.reach.groups import Group, Side, unknown_group
from pcs_constructs.analysis.reach.network import identity, items, known_items, truth
from pcs_constructs.analysis.reach.values import (
    get,
    key_of,
    literal,
    plain,
    referred,
    text,
    whole,
    within,
)
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import EFS, KINDS, MOUNT_TARGET, OWNERS, PARTS, RESOURCES
from pcs_constructs.model.ports import SRUN
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.analysis.reach.groups import Groups
    from pcs_constructs.analysis.reach.network import Identity, Network
    from pcs_constructs.templates.template import Resource, Template

_HOLE: Final = "\0"  # what only CloudFormation knows, in text

_FILE_SYSTEM_ID: Final = re.compile(r"\b(?:fs|fc|fsvol|fsap)-[0-9a-f]{8,17}\b")

# What the library's own user data says, and what people type.
_NFS: Final = re.compile(r"'([^'\s:\0]+):/[^'\s]*' 'nfs4?'|-t nfs4? [^\n]*?([^'\"\s:\0]+):/")


@dataclass(frozen=True, slots=True, eq=False)
class Controller:
    """The controller of a cluster."""

    resource: Resource | None
    """The cluster; `None` where it is not in the templates."""
    label: str
    """The cluster, and the template it is in."""
    side: Side
    family: int
    """The version of the Internet Protocol that the cluster talks."""
    family_known: bool
    """Whether that is sure."""
    accounting: bool
    rest: bool
    srun: tuple[int, int] | Unknown
    """The ports that `srun` waits at."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeGroup:
    """A compute node group."""

    resource: Resource
    side: Side
    efa: tuple[Side, ...]
    """Its interfaces that carry EFA, each with the groups that it has."""
    several: bool
    """Whether there can be more than one node."""
    queues: frozenset[Resource]
    user_data: object
    """Its user data, as it stands in the launch template."""
    template: Template
    """The template that the launch template is in."""


@dataclass(frozen=True, slots=True, eq=False)
class FileSystem:
    """A file system or cache that nodes mount."""

    name: str
    kind: str
    """What it is: EFS, LUSTRE, OPENZFS, ONTAP, WINDOWS or NFS; empty where that is not known."""
    servers: tuple[Side, ...]
    """Its servers; those of EFS have a side for each mount target. Empty where nobody knows."""
    tables: tuple[Identity, ...] | None
    """The route tables that lead to it, where its address is in no subnet."""
    efa: bool

    def reached_from(self, place_zones: frozenset[str]) -> tuple[Side, ...]:
        """The servers that nodes in some zones use: those in the same zones, if there are any."""
        near = [s for s in self.servers if {p.zone for p in s.subnets} & place_zones]
        return self.servers if self.zones_without(place_zones) else tuple(near)

    def zones_without(self, place_zones: frozenset[str]) -> frozenset[str]:
        """The zones in which it has no server."""
        return place_zones - {place.zone for side in self.servers for place in side.subnets}


@dataclass(frozen=True, slots=True, eq=False)
class Actors:
    """Reads the actors of a network."""

    network: Network
    groups: Groups

    def clusters(self) -> Iterator[tuple[Controller, list[NodeGroup]]]:
        """Each cluster with its node groups; first those that are in the templates."""
        members: dict[str, list[Resource]] = {}
        clusters: dict[str, Resource] = {
            identity(cluster.template, {"Ref": cluster.logical_id}).text: cluster
            for cluster in self.network.of_type(CLUSTER)
        }
        for group in self.network.of_type(NODE_GROUP):
            key = identity(group.template, get(group, "ClusterId"))
            members.setdefault(key.text, []).append(group)
        for key in dict.fromkeys((*clusters, *members)):
            groups = members.get(key, [])
            cluster = clusters.get(key)
            controller = self._controller(cluster) if cluster else _elsewhere(groups[0])
            yield controller, [self._node_group(group) for group in groups]

    def _controller(self, cluster: Resource) -> Controller:
        side = Side(
            "controller",
            self.network.subnets(cluster, "Networking", "SubnetIds"),
            self.groups.of(cluster, "Networking", "SecurityGroupIds")
            or (unknown_group(f"the security groups of {cluster.logical_id}"),),
            # AWS PCS has a public address in its API, and does not say who gets one.
            public=UNKNOWN,
            addressed=True,
        )
        name = text(cluster, "Name")
        name = name if isinstance(name, str) else cluster.logical_id
        kind = text(cluster, "Networking", "NetworkType")
        modes = [
            text(cluster, "SlurmConfiguration", *path)
            for path in (("Accounting", "Mode"), ("SlurmRest", "Mode"))
        ]
        return Controller(
            cluster,
            f"{name} in {key_of(cluster.template)}",
            side,
            6 if kind == "IPV6" else 4,
            family_known=kind is not UNKNOWN,
            accounting=modes[0] not in {None, "NONE"},
            rest=modes[1] not in {None, "NONE"},
            srun=_srun_ports(cluster),
        )

    def _node_group(self, group: Resource) -> NodeGroup:
        template_id = get(group, "CustomLaunchTemplate", "TemplateId")
        launch = referred(group.template, template_id)
        subnets = self.network.subnets(group, "SubnetIds")
        name = _name_of(group)
        if launch is None or launch.type != "AWS::EC2::LaunchTemplate":
            groups: tuple[Group, ...]
            if get(group, "SecurityGroupIds") is not None:
                groups = self.groups.of(group, "SecurityGroupIds")
            else:
                key = identity(group.template, template_id)
                groups = (unknown_group(f"the launch template {key.name}"),)
            return NodeGroup(
                group,
                Side(name, subnets, groups, public=UNKNOWN, addressed=UNKNOWN),
                (),
                several=_several(group),
                queues=self._queues(group),
                user_data=None,
                template=group.template,
            )
        data = ("LaunchTemplateData",)
        interfaces = _interfaces(launch)
        vpc = subnets[0].vpc if subnets else None
        sides: list[tuple[bool, Side]] = []
        for interface in interfaces:
            given = within(interface, "Groups")
            named = (
                self.groups.named(launch.template, cast("list[object]", given))
                if isinstance(given, list)
                else (unknown_group(f"the groups of {launch.logical_id}"),)
                if given is not None or vpc is None
                else (self.groups.default_of(vpc),)
            )
            efa = str(interface.get("InterfaceType")).startswith("efa")
            sides.append((efa, Side(name, subnets, named)))
        # EC2 gives public addresses to instances with one interface only.
        addressed = [i for i in interfaces if i.get("InterfaceType") != "efa-only"]
        asked = within(addressed[0], "AssociatePublicIpAddress") if addressed else None
        public = (
            False
            if len(addressed) > 1
            else truth(literal(launch.template, asked), default=UNKNOWN)
            if asked is not None
            else None
        )
        if sides:
            groups = sides[0][1].groups
        elif (
            items(launch, *data, "NetworkInterfaces")
            or get(launch, *data, "SecurityGroups") is not None
        ):
            groups = (unknown_group(f"the network interfaces of {launch.logical_id}"),)
        elif get(group, "SecurityGroupIds") is not None:  # instead of those of the template
            groups = self.groups.of(group, "SecurityGroupIds", vpc=vpc)
        else:
            groups = self.groups.of(launch, *data, "SecurityGroupIds", vpc=vpc)
        return NodeGroup(
            group,
            Side(name, subnets, groups, public=public, addressed=_addressed(interfaces)),
            tuple(side for efa, side in sides if efa),
            several=_several(group),
            queues=self._queues(group),
            # Of what is chosen at deployment both choices count.
            user_data=get(launch, *data, "UserData")
            if get(launch, *data, "UserData") is not UNKNOWN
            else get(launch, *data),
            template=launch.template,
        )

    def _queues(self, group: Resource) -> frozenset[Resource]:
        return frozenset(
            queue
            for queue in self.network.of_type(QUEUE)
            if any(
                target is group
                for target in queue.template.references(
                    get(queue, "ComputeNodeGroupConfigurations")
                )
            )
        )

    def mounted_by(self, group: NodeGroup) -> list[FileSystem]:
        """The file systems that user data and lifecycle actions of nodes name."""
        said = (
            (group.template, group.user_data),
            (group.resource.template, get(group.resource, "NodeLifecycleActions")),
        )
        by_name: dict[str, FileSystem] = {}
        for template, value in said:
            for resource in template.references(value):
                for kind in self._file_systems(resource):
                    by_name.setdefault(kind.name, kind)
            text = "\n".join(_texts(template, value))
            for match in _FILE_SYSTEM_ID.finditer(text):
                by_name.setdefault(match[0], FileSystem(match[0], "", (), None, efa=False))
            for match in _NFS.finditer(text):
                name = match[1] or match[2]
                if not _FILE_SYSTEM_ID.match(name):
                    by_name.setdefault(name, FileSystem(name, "NFS", (), None, efa=False))
        return list(by_name.values())

    def _file_systems(self, resource: Resource) -> Iterator[FileSystem]:
        """The file system that a resource is, or is a part of."""
        template = resource.template
        if resource.type == EFS:
            yield self._efs(resource)
        elif resource.type in RESOURCES:
            yield self._fsx(resource)
        elif resource.type in PARTS:
            for path in OWNERS:
                owner = referred(template, get(resource, *path))
                if owner is not None:
                    yield from self._file_systems(owner)

    def _efs(self, resource: Resource) -> FileSystem:
        sides: list[Side] = []
        for target in self.network.of_type(MOUNT_TARGET):
            if referred(target.template, get(target, "FileSystemId")) is resource:
                place = self.network.subnet(target.template, get(target, "SubnetId"))
                groups = self.groups.of(target, "SecurityGroups", vpc=place.vpc)
                sides.append(Side(resource.logical_id, (place,), groups))
        return FileSystem(resource.logical_id, "EFS", tuple(sides), None, efa=False)

    def _fsx(self, resource: Resource) -> FileSystem:
        said = text(resource, "FileSystemType") or text(resource, "FileCacheType") or "LUSTRE"
        kind = "" if said is UNKNOWN else said
        subnets = self.network.subnets(resource, "SubnetIds")
        vpc = subnets[0].vpc if subnets else None
        groups = self.groups.of(resource, "SecurityGroupIds", vpc=vpc)
        own = KINDS[kind].configuration if kind in KINDS else ""
        tables: tuple[Identity, ...] | None = None
        deployment = text(resource, own, "DeploymentType") or ""
        if deployment is UNKNOWN or "MULTI_AZ" in deployment:
            named = known_items(resource, own, "RouteTableIds")
            tables = tuple(identity(resource.template, table) for table in named)
        efa = literal(resource.template, get(resource, "LustreConfiguration", "EfaEnabled"))
        side = Side(resource.logical_id, subnets, groups)
        return FileSystem(
            resource.logical_id, kind, (side,), tables, efa=truth(efa, default=False) is not False
        )


def _name_of(group: Resource) -> str:
    name = text(group, "Name")
    return name if isinstance(name, str) else group.logical_id


def _elsewhere(group: Resource) -> Controller:
    """A controller that is not in the templates."""
    name = identity(group.template, get(group, "ClusterId")).name
    place = unknown_group(f"the cluster {name}")
    return Controller(
        None,
        f"{name}, which is not in these templates",
        Side("controller", (), (place,)),
        4,
        family_known=True,
        accounting=False,
        rest=False,
        srun=UNKNOWN,
    )


def _srun_ports(cluster: Resource) -> tuple[int, int] | Unknown:
    settings = items(cluster, "SlurmConfiguration", "SlurmCustomSettings")
    if settings is UNKNOWN:
        return UNKNOWN
    for setting in cast("list[Any]", settings):
        match setting:
            case {"ParameterName": "SrunPortRange", "ParameterValue": value}:
                ports = literal(cluster.template, value)
                match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", str(ports), re.ASCII)
                return (int(match[1]), int(match[2])) if match else UNKNOWN
            case _:
                pass
    return SRUN


def _several(group: Resource) -> bool:
    most = whole(literal(group.template, get(group, "ScalingConfiguration", "MaxInstanceCount")))
    return most is UNKNOWN or most >= 2


def _interfaces(launch: Resource) -> list[Mapping[str, object]]:
    """The network interfaces of a launch template, the primary one first."""
    entries = known_items(launch, "LaunchTemplateData", "NetworkInterfaces")
    interfaces = [cast("Mapping[str, object]", each) for each in entries if isinstance(each, dict)]
    return sorted(
        interfaces, key=lambda i: str((i.get("NetworkCardIndex", 0), i.get("DeviceIndex")))
    )


def _addressed(interfaces: Sequence[Mapping[str, object]]) -> bool | Unknown | None:
    """Whether a launch template asks for IPv6 addresses; `None` where it leaves that to subnets."""
    if not interfaces:
        return None
    count = whole(within(interfaces[0], "Ipv6AddressCount"))
    if count is not UNKNOWN:
        return count > 0
    asked = any(name.startswith(("Ipv6", "Fn::")) for name in interfaces[0])
    return UNKNOWN if asked else None


def _texts(template: Template, value: Any) -> Iterator[str]:
    """The texts in a value, with holes where CloudFormation fills something in."""
    match value:
        case {"Fn::Base64": str() as text}:
            yield text
        case {"Fn::Base64": inner}:
            yield from _texts(template, inner)
        case {"Fn::Join": _} | {"Fn::Sub": _} | {"Ref": _} | {"Fn::GetAtt": _}:
            yield plain(template, value, _HOLE)
        case dict():
            for item in cast("dict[str, Any]", value).values():
                yield from _texts(template, item)
        case list():
            for item in cast("list[Any]", value):
                yield from _texts(template, item)
        case str():
            yield _decoded(value)
        case _:
            pass


def _decoded(text: str) -> str:
    if len(text) < 16 or not re.fullmatch(r"[A-Za-z0-9+/\s]+=*\s*", text):
        return text
    try:
        return base64.b64decode(text, validate=False).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
