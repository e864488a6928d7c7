"""Who talks to whom: controllers, nodes and file servers, as templates show them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.analysis.reach.groups import Group, Side, unknown_group
from pcs_constructs.analysis.reach.network import identity
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import EFS, KINDS, MOUNT_TARGET, OWNERS, PARTS, RESOURCES
from pcs_constructs.model.ports import SRUN
from pcs_constructs.templates.types import LAUNCH_TEMPLATE
from pcs_constructs.templates.values import literal, may_have_more, possible, texts, whole, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.analysis.reach.groups import Groups
    from pcs_constructs.analysis.reach.network import Identity, Network
    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolve import Place
    from pcs_constructs.templates.resolved import ResolvedResource

_HOLE: Final = "\0"  # what only CloudFormation knows, in text

_FILE_SYSTEM_ID: Final = re.compile(r"\b(?:fs|fc|fsvol|fsap)-[0-9a-f]{8,17}\b")

# What the library's own user data says, and what people type.
_NFS: Final = re.compile(r"'([^'\s:\0]+):/[^'\s]*' 'nfs4?'|-t nfs4? [^\n]*?([^'\"\s:\0]+):/")


@dataclass(frozen=True, slots=True, eq=False)
class Controller:
    """The controller of a cluster."""

    resource: ResolvedResource | None
    """The cluster; `None` where it is not in the templates."""
    label: str
    """The cluster, and the template it is in."""
    side: Side
    family: int
    """The version of the Internet Protocol that the cluster talks."""
    family_known: bool
    """Whether that is sure."""
    accounting: bool | Unknown
    rest: bool | Unknown
    srun: tuple[int, int] | Unknown
    """The ports that `srun` waits at."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeGroup:
    """A compute node group."""

    resource: ResolvedResource
    side: Side
    efa: tuple[Side, ...]
    """Its interfaces that carry EFA, each with the groups that it has."""
    several: bool
    """Whether there can be more than one node."""
    queues: frozenset[ResolvedResource]
    said: tuple[tuple[ResolvedResource, Any], ...]
    """Its user data and its lifecycle actions, with the resources that they stand in."""


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
    place: Place | None = None
    """Where it is in the templates, if it is."""

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
    membership: Membership

    def clusters(self) -> Iterator[tuple[Controller, list[NodeGroup]]]:
        """Each cluster with its node groups; first those that are in the templates."""
        for key in self.membership.keys:
            groups = self.membership.groups_of(key)
            cluster = self.membership.cluster(key)
            if cluster is not None:
                yield self._controller(cluster), [self._node_group(group) for group in groups]
            elif groups:
                yield _elsewhere(groups[0]), [self._node_group(group) for group in groups]

    def _controller(self, cluster: ResolvedResource) -> Controller:
        side = Side(
            "controller",
            self.network.subnets(cluster, "Networking", "SubnetIds"),
            self.groups.of(cluster, "Networking", "SecurityGroupIds")
            or (unknown_group(f"the security groups of {cluster.title}"),),
            # AWS PCS has a public address in its API, and does not say who gets one.
            public=UNKNOWN,
            addressed=True,
        )
        kind = cluster.text("Networking", "NetworkType")
        return Controller(
            cluster,
            f"{_name_of(cluster)} in {cluster.resolved.titles[cluster.stack.number]}",
            side,
            6 if kind == "IPV6" else 4,
            family_known=kind is not UNKNOWN,
            accounting=_is_on(cluster, "Accounting"),
            rest=_is_on(cluster, "SlurmRest"),
            srun=_srun_ports(cluster),
        )

    def _node_group(self, group: ResolvedResource) -> NodeGroup:
        template_id = group.get("CustomLaunchTemplate", "TemplateId")
        launch = group.follow(template_id)
        subnets = self.network.subnets(group, "SubnetIds")
        name = _name_of(group)
        if launch is None or launch.type != LAUNCH_TEMPLATE:
            groups: tuple[Group, ...]
            if group.get("SecurityGroupIds") is not None:
                groups = self.groups.of(group, "SecurityGroupIds")
            else:
                key = identity(group, template_id)
                groups = (unknown_group(f"the launch template {key.name}"),)
            return NodeGroup(
                group,
                Side(name, subnets, groups, public=UNKNOWN, addressed=UNKNOWN, place=group.place),
                (),
                several=_several(group),
                queues=self._queues(group),
                said=((group, group.get("NodeLifecycleActions")),),
            )
        data = ("LaunchTemplateData",)
        interfaces = _interfaces(launch)
        vpc = subnets[0].vpc if subnets else None
        sides: list[tuple[bool, Side]] = []
        for interface in interfaces:
            given = within(interface, "Groups")
            named = (
                self.groups.named(launch, cast("list[object]", given))
                if isinstance(given, list)
                else (unknown_group(f"the groups of {launch.title}"),)
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
            else None
            if asked is None
            else {"true": True, "false": False}.get(str(asked).lower(), UNKNOWN)
        )
        if sides:
            groups = sides[0][1].groups
        elif (
            launch.get(*data, "NetworkInterfaces")
            or launch.get(*data, "SecurityGroups") is not None
        ):
            groups = (unknown_group(f"the network interfaces of {launch.title}"),)
        elif group.get("SecurityGroupIds") is not None:  # instead of those of the template
            groups = self.groups.of(group, "SecurityGroupIds", vpc=vpc)
        else:
            groups = self.groups.of(launch, *data, "SecurityGroupIds", vpc=vpc)
        return NodeGroup(
            group,
            Side(
                name,
                subnets,
                groups,
                public=public,
                addressed=_addressed(interfaces),
                place=group.place,
            ),
            tuple(side for efa, side in sides if efa),
            several=_several(group),
            queues=self._queues(group),
            said=(
                (launch, launch.get(*data, "UserData")),
                (group, group.get("NodeLifecycleActions")),
            ),
        )

    def _queues(self, group: ResolvedResource) -> frozenset[ResolvedResource]:
        return frozenset(self.membership.queues_with(group))

    def mounted_by(self, group: NodeGroup) -> list[FileSystem]:
        """The file systems that user data and lifecycle actions of nodes name."""
        by_name: dict[str, FileSystem] = {}
        for owner, value in group.said:
            for resource in owner.referred(value):
                for kind in self._file_systems(resource):
                    by_name.setdefault(kind.name, kind)
            text = "\n".join(map(_decoded, texts(value, _HOLE)))
            for match in _FILE_SYSTEM_ID.finditer(text):
                by_name.setdefault(match[0], FileSystem(match[0], "", (), None, efa=False))
            for match in _NFS.finditer(text):
                name = match[1] or match[2]
                if not _FILE_SYSTEM_ID.match(name):
                    by_name.setdefault(name, FileSystem(name, "NFS", (), None, efa=False))
        return list(by_name.values())

    def _file_systems(self, resource: ResolvedResource) -> Iterator[FileSystem]:
        """The file system that a resource is, or is a part of."""
        if resource.type == EFS:
            yield self._efs(resource)
        elif resource.type in RESOURCES:
            yield self._fsx(resource)
        elif resource.type in PARTS:
            for path in OWNERS:
                owner = resource.follow(resource.get(*path))
                if owner is not None:
                    yield from self._file_systems(owner)

    def _efs(self, resource: ResolvedResource) -> FileSystem:
        sides: list[Side] = []
        for target in resource.resolved.pointing(resource, MOUNT_TARGET, "FileSystemId"):
            place = self.network.subnet(target, target.get("SubnetId"))
            groups = self.groups.of(target, "SecurityGroups", vpc=place.vpc)
            sides.append(Side(resource.title, (place,), groups))
        return FileSystem(
            resource.title, "EFS", tuple(sides), None, efa=False, place=resource.place
        )

    def _fsx(self, resource: ResolvedResource) -> FileSystem:
        said = resource.text("FileSystemType") or resource.text("FileCacheType") or "LUSTRE"
        kind = "" if said is UNKNOWN else said
        subnets = self.network.subnets(resource, "SubnetIds")
        vpc = subnets[0].vpc if subnets else None
        groups = self.groups.of(resource, "SecurityGroupIds", vpc=vpc)
        own = KINDS[kind].configuration if kind in KINDS else ""
        tables: tuple[Identity, ...] | None = None
        deployment = resource.text(own, "DeploymentType") or ""
        if deployment is UNKNOWN or "MULTI_AZ" in deployment:
            named = resource.each(own, "RouteTableIds")
            tables = tuple(identity(resource, table) for table in named)
        efa = resource.flag("LustreConfiguration", "EfaEnabled")
        side = Side(resource.title, subnets, groups)
        return FileSystem(
            resource.title,
            kind,
            (side,),
            tables,
            efa=efa not in {None, False},
            place=resource.place,
        )


def _name_of(group: ResolvedResource) -> str:
    return group.shown("Name") or group.title


def _is_on(cluster: ResolvedResource, part: str) -> bool | Unknown:
    """Whether a cluster has a part of Slurm that is off by default."""
    mode = cluster.get("SlurmConfiguration", part, "Mode")
    states = {
        UNKNOWN if (m := literal(v)) is UNKNOWN else m not in (None, "NONE") for v in possible(mode)
    }
    return states.pop() if len(states) == 1 else UNKNOWN


def _elsewhere(group: ResolvedResource) -> Controller:
    """A controller that is not in the templates."""
    name = identity(group, group.get("ClusterId")).name
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


def _srun_ports(cluster: ResolvedResource) -> tuple[int, int] | Unknown:
    settings = cluster.items("SlurmConfiguration", "SlurmCustomSettings")
    if settings is UNKNOWN:
        return UNKNOWN
    for setting in settings or ():
        match setting:
            case {"ParameterName": "SrunPortRange", "ParameterValue": value}:
                ports = literal(value)
                match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", str(ports), re.ASCII)
                return (int(match[1]), int(match[2])) if match else UNKNOWN
            case _:
                pass
    return SRUN


def _several(group: ResolvedResource) -> bool:
    most = group.whole("ScalingConfiguration", "MaxInstanceCount")
    return most is None or most is UNKNOWN or most >= 2


def _interfaces(launch: ResolvedResource) -> list[Mapping[str, object]]:
    """The network interfaces of a launch template, the primary one first."""
    entries = launch.each("LaunchTemplateData", "NetworkInterfaces")
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
    asked = any(name.startswith("Ipv6") for name in interfaces[0])
    return UNKNOWN if asked or may_have_more(interfaces[0]) else None


def _decoded(text: str) -> str:
    if len(text) < 16 or not re.fullmatch(r"[A-Za-z0-9+/\s]+=*\s*", text):
        return text
    try:
        return base64.b64decode(text, validate=False).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
