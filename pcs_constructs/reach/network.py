"""The network that templates show: VPCs, subnets, routes, network ACLs, endpoints."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pcs_constructs.errors import UNKNOWN, Unknown
from pcs_constructs.reach.proof import Thing, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pcs_constructs.template import Resource, Template

Block = IPv4Network | IPv6Network
"""A range of addresses."""

# What the ID of a resource is called where it is not what `Ref` gives.
_IDS: Final = {"GroupId", "Id", "NatGatewayId", "RouteTableId", "SubnetId", "VpcId"}

# What a VPC brings with it.
_DEFAULTS: Final = {"", "DefaultNetworkAcl", "DefaultSecurityGroup"}

_SERVICE: Final = re.compile(r"(?:com\.amazonaws|cn\.com\.amazonaws|aws\.api)\.[^.]*\.(.+)")


class Identity(NamedTuple):
    """What an ID is of, such that two can be compared."""

    text: str
    """A name that is unique among the templates, or the ID itself."""

    resource: Resource | None = None
    """The resource, if it is in the templates."""

    known: bool = True
    """Whether the text tells it from all others."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.resource.logical_id if self.resource else self.text


def identity(template: Template, value: object) -> Identity:
    """What an ID in a template is of."""
    found = template.reference(value)
    if found is not None:
        attribute = "" if found.attribute in _IDS else found.attribute
        resource = found.resource
        text = f"{resource.template.name}/{resource.logical_id}.{attribute}".removesuffix(".")
        # An output of a stack or of a custom resource may be the ID of anything.
        known = resource.type.startswith("AWS::") and attribute in _DEFAULTS
        return Identity(text, None if attribute else resource, known)
    literal = template.literal(value)
    if isinstance(literal, str):
        return Identity(literal)
    match value:
        case {"Fn::ImportValue": str() as name}:
            return Identity(name, known=False)
        case {"Ref": str() as name}:
            return Identity(f"{template.name}/{name}", known=False)
        case _:
            return Identity(f"{template.name}/{json.dumps(value, sort_keys=True)}", known=False)


def same(one: Identity, other: Identity) -> Verdict:
    """Whether two IDs are of the same."""
    if one.text == other.text:
        return Verdict.YES
    return Verdict.NO if one.known and other.known else Verdict.UNKNOWN


def items(resource: Resource, *names: str) -> list[object] | Unknown:
    """A list in a resource, without what is left out; UNKNOWN where it is no list."""
    value = resource.get(*names)
    if value is None:
        return []
    if not isinstance(value, list):
        return UNKNOWN
    return [item for item in cast("list[object]", value) if item != {"Ref": "AWS::NoValue"}]


def known_items(resource: Resource, *names: str) -> list[object]:
    """A list in a resource; empty where it is none."""
    found = items(resource, *names)
    return [] if found is UNKNOWN else found


def block(value: object) -> Block | Unknown:
    """A range of addresses, where it is written out."""
    try:
        return ip_network(value, strict=False) if isinstance(value, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


def plain(template: Template, value: Any, hole: str = "*") -> str:
    """A text, with a mark in the place of what only CloudFormation knows."""
    match value:
        case {"Fn::Join": [str() as separator, [*parts]]}:
            return separator.join(plain(template, part, hole) for part in parts)
        case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, dict()]}:
            return re.sub(r"\$\{[^}]*\}", lambda _: hole, text)
        case _:
            literal = template.literal(value)
            return literal if isinstance(literal, str) else hole


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A rule of a network ACL."""

    thing: Thing
    number: int
    egress: bool
    allows: bool
    protocol: str | Unknown
    ports: tuple[int, int] | Unknown | None
    """From and to; `None` is all of them."""
    address: Block | Unknown


@dataclass(frozen=True, slots=True, eq=False)
class Acl:
    """A network ACL."""

    name: str
    entries: tuple[Entry, ...]
    complete: bool
    """Whether all of its rules are known."""
    untouched: bool = False
    """Whether it is as EC2 makes it with a VPC: everything may pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A route out of a VPC."""

    thing: Thing
    destination: Block | Unknown
    target: str
    """The property that names where it leads, such as `NatGatewayId`."""
    to: Identity


@dataclass(frozen=True, slots=True, eq=False)
class RouteTable:
    """A route table of subnets."""

    identity: Identity
    association: Thing | None
    """What puts a subnet under it; `None` for the main one of a VPC."""
    routes: tuple[Route, ...]
    complete: bool
    """Whether all of its routes are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Vpc:
    """A VPC."""

    identity: Identity
    blocks: tuple[Block | Unknown, ...]
    dns: Verdict
    """Whether its DNS resolves and gives names."""
    complete: bool
    """Whether it is in the templates."""


@dataclass(frozen=True, slots=True, eq=False)
class Subnet:
    """A subnet, in the templates or not."""

    identity: Identity
    vpc: Vpc
    blocks: Mapping[int, Block | Unknown | None]
    """Its range, by the version of the Internet Protocol; `None` where it has none."""
    zone: str
    """Its zone, as it is written."""
    public: bool | Unknown
    """Whether what is launched in it gets a public IPv4 address."""
    table: RouteTable
    acl: Acl

    @property
    def name(self) -> str:
        """What to call it."""
        return self.identity.name


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A VPC endpoint of an AWS service."""

    thing: Thing
    service: str
    """The service, as the end of the endpoint service's name has it."""
    vpc: Identity
    gateway: bool
    tables: tuple[Identity, ...] | Unknown
    subnets: tuple[Subnet, ...]
    private_dns: bool | Unknown


@dataclass(frozen=True, eq=False)
class Network:
    """What templates that were read together show of the network."""

    templates: Sequence[Template]
    _subnets: dict[str, Subnet] = field(default_factory=dict[str, Subnet])
    _vpcs: dict[str, Vpc] = field(default_factory=dict[str, Vpc])

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of a type, in all templates."""
        return self.by_type.get(type_, [])

    @cached_property
    def by_type(self) -> Mapping[str, list[Resource]]:
        """All resources by their types."""
        found: dict[str, list[Resource]] = {}
        for template in self.templates:
            for resource in template.resources.values():
                found.setdefault(resource.type, []).append(resource)
        return found

    def subnets(self, resource: Resource, *names: str) -> tuple[Subnet, ...]:
        """The subnets that a property of a resource names; one that nobody knows, if it is none."""
        found = items(resource, *names)
        if found is UNKNOWN:
            found = [resource.get(*names)]
        return tuple(self.subnet(resource.template, value) for value in found)

    def subnet(self, template: Template, value: object) -> Subnet:
        """A subnet by its ID."""
        key = identity(template, value)
        if key.text not in self._subnets:
            self._subnets[key.text] = self._subnet(key)
        return self._subnets[key.text]

    def vpc(self, key: Identity) -> Vpc:
        """A VPC by its ID."""
        if key.text not in self._vpcs:
            self._vpcs[key.text] = self._vpc(key)
        return self._vpcs[key.text]

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint of an AWS service."""
        return tuple(
            self._endpoint(resource, match[1])
            for resource in self.of_type("AWS::EC2::VPCEndpoint")
            if (match := _SERVICE.fullmatch(plain(resource.template, resource.get("ServiceName"))))
        )

    @cached_property
    def attachments(self) -> tuple[tuple[Thing, Identity, Identity], ...]:
        """What attaches an internet gateway to a VPC, that gateway, and that VPC."""
        return tuple(
            (
                Thing(resource),
                identity(resource.template, resource.get("InternetGatewayId")),
                identity(resource.template, resource.get("VpcId")),
            )
            for resource in self.of_type("AWS::EC2::VPCGatewayAttachment")
            if resource.get("InternetGatewayId") is not None
        )

    def _vpc(self, key: Identity) -> Vpc:
        resource = key.resource
        if resource is None or resource.type != "AWS::EC2::VPC":
            return Vpc(key, (), Verdict.UNKNOWN, complete=False)
        support = resource.template.literal(resource.get("EnableDnsSupport"))
        names = resource.template.literal(resource.get("EnableDnsHostnames"))
        states = (truth(support, default=True), truth(names, default=False))
        more = [
            other
            for other in self.of_type("AWS::EC2::VPCCidrBlock")
            if same(identity(other.template, other.get("VpcId")), key) is Verdict.YES
        ]
        return Vpc(
            key,
            tuple(
                block(owner.template.literal(owner.get("CidrBlock"))) for owner in (resource, *more)
            ),
            Verdict.NO
            if False in states
            else Verdict.UNKNOWN
            if UNKNOWN in states
            else Verdict.YES,
            complete=True,
        )

    def _subnet(self, key: Identity) -> Subnet:
        resource = key.resource
        if resource is None or resource.type != "AWS::EC2::Subnet":
            nowhere = self.vpc(Identity(f"the VPC of {key.name}", known=False))
            table = RouteTable(Identity("", known=False), None, (), complete=False)
            acl = Acl(f"the network ACL of {key.name}", (), complete=False)
            blocks = {4: UNKNOWN, 6: UNKNOWN}
            return Subnet(key, nowhere, blocks, f"of {key.text}", UNKNOWN, table, acl)
        vpc = self.vpc(identity(resource.template, resource.get("VpcId")))
        zone = resource.get("AvailabilityZone") or resource.get("AvailabilityZoneId")
        return Subnet(
            key,
            vpc,
            {4: _block(resource, "CidrBlock"), 6: _block(resource, "Ipv6CidrBlock")},
            json.dumps(zone, sort_keys=True) if zone else f"of {key.text}",
            truth(resource.template.literal(resource.get("MapPublicIpOnLaunch")), default=False),
            self._table(key, vpc),
            self._acl(key, vpc),
        )

    def _table(self, subnet: Identity, vpc: Vpc) -> RouteTable:
        for resource in self.of_type("AWS::EC2::SubnetRouteTableAssociation"):
            if same(identity(resource.template, resource.get("SubnetId")), subnet) is Verdict.YES:
                table = identity(resource.template, resource.get("RouteTableId"))
                complete = table.resource is not None
                return RouteTable(table, Thing(resource), self._routes(table), complete)
        main = Identity(f"the main route table of {vpc.identity.name}")
        return RouteTable(main, None, (), complete=vpc.complete)

    def _routes(self, table: Identity) -> tuple[Route, ...]:
        return tuple(
            _route(resource)
            for resource in self.of_type("AWS::EC2::Route")
            if same(identity(resource.template, resource.get("RouteTableId")), table) is Verdict.YES
        )

    def _acl(self, subnet: Identity, vpc: Vpc) -> Acl:
        for resource in self.of_type("AWS::EC2::SubnetNetworkAclAssociation"):
            if same(identity(resource.template, resource.get("SubnetId")), subnet) is Verdict.YES:
                acl = identity(resource.template, resource.get("NetworkAclId"))
                return Acl(acl.name, self._entries(acl.text), acl.resource is not None)
        name = f"the default network ACL of {vpc.identity.name}"
        added = self._entries(f"{vpc.identity.text}.DefaultNetworkAcl")
        untouched = vpc.complete and not added
        return Acl(name, (), complete=untouched, untouched=untouched)

    def _entries(self, acl: str) -> tuple[Entry, ...]:
        found = [
            _entry(resource)
            for resource in self.of_type("AWS::EC2::NetworkAclEntry")
            if identity(resource.template, resource.get("NetworkAclId")).text == acl
        ]
        return tuple(sorted(found, key=lambda entry: entry.number))

    def _endpoint(self, resource: Resource, service: str) -> Endpoint:
        tables = items(resource, "RouteTableIds")
        return Endpoint(
            Thing(resource),
            service,
            identity(resource.template, resource.get("VpcId")),
            resource.text("VpcEndpointType") in {None, "Gateway"},
            UNKNOWN
            if tables is UNKNOWN
            else tuple(identity(resource.template, table) for table in tables),
            self.subnets(resource, "SubnetIds"),
            # What CloudFormation takes where nothing is said is not documented.
            truth(resource.template.literal(resource.get("PrivateDnsEnabled")), default=UNKNOWN),
        )


def truth(value: object, *, default: bool | Unknown) -> bool | Unknown:
    """A boolean, in any of the ways that CloudFormation takes one."""
    if value is None:
        return default
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), UNKNOWN)
    return value if isinstance(value, bool) else UNKNOWN


def _block(resource: Resource, name: str) -> Block | Unknown | None:
    value = resource.get(name)
    return None if value is None else block(resource.template.literal(value))


def _route(resource: Resource) -> Route:
    target = next((n for n in _TARGETS if resource.get(n) is not None), "nothing")
    destination = resource.get("DestinationCidrBlock") or resource.get("DestinationIpv6CidrBlock")
    return Route(
        Thing(resource),
        block(resource.template.literal(destination)),
        target,
        identity(resource.template, resource.get(target)),
    )


_TARGETS: Final = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcEndpointId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
)


def _entry(resource: Resource) -> Entry:
    literal = resource.template.literal
    number = literal(resource.get("RuleNumber"))
    egress = truth(literal(resource.get("Egress")), default=False)
    ends = [literal(resource.get("PortRange", end)) for end in ("From", "To")]
    return Entry(
        Thing(resource),
        int(number) if str(number).isdigit() else 0,
        egress is True,
        literal(resource.get("RuleAction")) == "allow",
        _protocol(literal(resource.get("Protocol"))),
        None if resource.get("PortRange") is None else _numbers(ends),
        block(literal(resource.get("CidrBlock") or resource.get("Ipv6CidrBlock"))),
    )


def _protocol(value: object) -> str | Unknown:
    return UNKNOWN if value is UNKNOWN else protocol(value)


def protocol(value: object) -> str:
    """A protocol by its name; `-1` is all of them."""
    return {"6": "tcp", "17": "udp", "all": "-1"}.get(str(value).lower(), str(value).lower())


def _numbers(ends: Iterable[Any]) -> tuple[int, int] | Unknown:
    try:
        first, last = (int(end) for end in ends)
    except (TypeError, ValueError):
        return UNKNOWN
    return first, last


def numbers(first: object, last: object) -> tuple[int, int] | Unknown:
    """A range of ports, where it is written out."""
    return _numbers((first, last))
