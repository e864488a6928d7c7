"""The network that templates show: VPCs, subnets, routes, network ACLs, endpoints."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from pcs_constructs.analysis.reach.proof import Location, Verdict
from pcs_constructs.analysis.reach.values import (
    get,
    key_of,
    literal,
    plain,
    reference,
    referred,
    text,
    whole,
)
from pcs_constructs.model.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.templates.template import Resource, Template

Block = IPv4Network | IPv6Network
"""A range of addresses."""

# What the ID of a resource is called where it is not what `Ref` gives.
_IDS: Final = {"GroupId", "Id", "NatGatewayId", "RouteTableId", "SubnetId", "VpcId"}

# What a VPC brings with it.
_DEFAULTS: Final = {"", "DefaultNetworkAcl", "DefaultSecurityGroup"}

_SERVICE: Final = re.compile(r"(?:com\.amazonaws|cn\.com\.amazonaws|aws\.api)\.([^.]*)\.(.+)")


class Identity(NamedTuple):
    """What an ID is of, such that two can be compared."""

    text: str
    """A name that is unique among the templates, or the ID itself."""

    resource: Resource | None = None
    """The resource, if it is in the templates."""

    known: bool = True
    """Whether the text tells it from all others."""

    single: bool = True
    """Whether it is one thing, the same wherever the text is; not so of a list of subnets."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.resource.logical_id if self.resource else self.text


def identity(template: Template, value: object) -> Identity:
    """What an ID in a template is of."""
    place = key_of(template)
    if value is UNKNOWN:
        return Identity(f"what only CloudFormation knows in {place}", known=False, single=False)
    target = reference(template, value)
    if target is not None:
        attribute = "" if target.attribute in _IDS else target.attribute
        resource = target.resource
        name = f"{key_of(resource.template)}/{resource.logical_id}.{attribute}".removesuffix(".")
        # An output of a stack or of a custom resource may be the ID of anything.
        known = resource.type.startswith("AWS::") and attribute in _DEFAULTS
        return Identity(name, None if attribute else resource, known)
    known_id = literal(template, value)
    if isinstance(known_id, str):
        return Identity(known_id)
    match value:
        # Exports have the same name in another account or Region.
        case {"Fn::ImportValue": str() as name}:
            return Identity(f"{place}/the import {name}", known=False)
        case {"Ref": str() as name}:
            return Identity(f"{place}/{name}", known=False)
        case _:
            return Identity(f"{place}/{json.dumps(value, sort_keys=True)}", known=False)


def same(one: Identity, other: Identity) -> Verdict:
    """Whether two IDs are of the same."""
    if one.text == other.text:
        return Verdict.YES if one.single and other.single else Verdict.UNKNOWN
    return Verdict.NO if one.known and other.known else Verdict.UNKNOWN


def items(resource: Resource, *names: str) -> list[object] | Unknown:
    """A list in a resource, without what is left out; UNKNOWN where it is no list."""
    value = get(resource, *names)
    if value is None:
        return []
    if not isinstance(value, list):
        return UNKNOWN
    return [item for item in cast("list[object]", value) if item != {"Ref": "AWS::NoValue"}]


def known_items(resource: Resource, *names: str) -> list[object]:
    """A list in a resource; empty where it is none."""
    entries = items(resource, *names)
    return [] if entries is UNKNOWN else entries


def block(value: object) -> Block | Unknown:
    """A range of addresses, where it is written out."""
    try:
        return ip_network(value, strict=False) if isinstance(value, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A rule of a network ACL."""

    location: Location
    number: int | Unknown
    egress: bool | Unknown
    allows: bool | Unknown
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
    association: Location | None = None
    """What puts a subnet under it; `None` for the default one of a VPC."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A route out of a VPC."""

    location: Location
    destination: Block | Unknown
    target: str
    """The property that names where it leads, such as `NatGatewayId`."""
    to: Identity


@dataclass(frozen=True, slots=True, eq=False)
class RouteTable:
    """A route table of subnets."""

    identity: Identity
    association: Location | None
    """What puts a subnet under it; `None` for the main one of a VPC."""
    routes: tuple[Route, ...]
    complete: bool
    """Whether all of its routes are known."""
    learns: Location | None = None
    """What has a gateway write routes into it."""


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
    addressed: bool | Unknown
    """Whether what is launched in it gets an IPv6 address."""
    table: RouteTable
    acl: Acl

    @property
    def name(self) -> str:
        """What to call it."""
        return self.identity.name


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A VPC endpoint of an AWS service."""

    location: Location
    service: str | Unknown
    """The service, as the end of the endpoint service's name has it."""
    region: str
    """The Region of the service, as far as its name says."""
    vpc: Identity
    gateway: bool
    tables: tuple[Identity, ...] | Unknown
    subnets: tuple[Subnet, ...]
    private_dns: bool | Unknown
    """Whether names of the service lead to it, for all who are in the VPC."""
    inbound_only: bool
    """Whether they do for those outside of the VPC only."""


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
        by_type: dict[str, list[Resource]] = {}
        for template in self.templates:
            for resource in template.resources.values():
                by_type.setdefault(resource.type, []).append(resource)
        return by_type

    def subnets(self, resource: Resource, *names: str) -> tuple[Subnet, ...]:
        """The subnets that a property of a resource names; one that nobody knows, if it is none."""
        entries = items(resource, *names)
        if entries is UNKNOWN or not entries:
            # There are some, one or several: a list of them is no subnet to compare with.
            name = f"the subnets of {resource.logical_id}"
            return (self._subnet(Identity(name, known=False, single=False)),)
        return tuple(self.subnet(resource.template, value) for value in entries)

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
        endpoints: list[Endpoint] = []
        for resource in self.of_type("AWS::EC2::VPCEndpoint"):
            name = plain(resource.template, get(resource, "ServiceName"))
            match = _SERVICE.fullmatch(name)
            if match and "*" not in match[2]:
                endpoints.append(self._endpoint(resource, match[2], match[1]))
            elif "*" in name:
                endpoints.append(self._endpoint(resource, UNKNOWN, "*"))
        return tuple(endpoints)

    @cached_property
    def attachments(self) -> tuple[tuple[Location, Identity, Identity], ...]:
        """What attaches an internet gateway to a VPC, that gateway, and that VPC."""
        return tuple(
            (
                Location(resource),
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
        support = literal(resource.template, get(resource, "EnableDnsSupport"))
        names = literal(resource.template, get(resource, "EnableDnsHostnames"))
        states = (truth(support, default=True), truth(names, default=False))
        more = [
            other
            for other in self.of_type("AWS::EC2::VPCCidrBlock")
            if same(identity(other.template, get(other, "VpcId")), key) is not Verdict.NO
            and any(get(other, name) is not None for name in ("CidrBlock", "Ipv4IpamPoolId"))
        ]
        if not self._asks_amazon(key):
            states = (*states, UNKNOWN)
        return Vpc(
            key,
            tuple(
                block(literal(owner.template, get(owner, "CidrBlock")))
                for owner in (resource, *more)
            ),
            Verdict.NO
            if False in states
            else Verdict.UNKNOWN
            if UNKNOWN in states
            else Verdict.YES,
            complete=True,
        )

    def _asks_amazon(self, vpc: Identity) -> bool:
        """Whether nodes in a VPC surely ask the DNS of the VPC, as they do if nothing is said."""
        for association in self.of_type("AWS::EC2::VPCDHCPOptionsAssociation"):
            template = association.template
            if same(identity(template, get(association, "VpcId")), vpc) is Verdict.NO:
                continue
            options = referred(template, get(association, "DhcpOptionsId"))
            if options is None or options.type != "AWS::EC2::DHCPOptions":
                return False
            servers = literal(options.template, get(options, "DomainNameServers"))
            if servers != ["AmazonProvidedDNS"]:
                return False
        return True

    def _subnet(self, key: Identity) -> Subnet:
        resource = key.resource
        if resource is None or resource.type != "AWS::EC2::Subnet":
            nowhere = self.vpc(Identity(f"the VPC of {key.name}", known=False))
            table = RouteTable(Identity("", known=False), None, (), complete=False)
            acl = Acl(f"the network ACL of {key.name}", (), complete=False)
            blocks = {4: UNKNOWN, 6: UNKNOWN}
            return Subnet(key, nowhere, blocks, f"of {key.text}", UNKNOWN, UNKNOWN, table, acl)
        vpc = self.vpc(identity(resource.template, get(resource, "VpcId")))
        zone = get(resource, "AvailabilityZone") or get(resource, "AvailabilityZoneId")
        known_zone = literal(resource.template, zone)
        zone = zone if known_zone is UNKNOWN else known_zone
        return Subnet(
            key,
            vpc,
            {4: _block(resource, "CidrBlock"), 6: _block(resource, "Ipv6CidrBlock")},
            json.dumps(zone, sort_keys=True) if zone and zone is not UNKNOWN else f"of {key.text}",
            _flag(resource, "MapPublicIpOnLaunch"),
            _flag(resource, "AssignIpv6AddressOnCreation"),
            self._table(key, vpc),
            self._acl(key, vpc),
        )

    def _table(self, subnet: Identity, vpc: Vpc) -> RouteTable:
        for resource in self.of_type("AWS::EC2::SubnetRouteTableAssociation"):
            if same(identity(resource.template, get(resource, "SubnetId")), subnet) is Verdict.YES:
                table = identity(resource.template, get(resource, "RouteTableId"))
                routes, doubt = self._routes(table)
                complete = table.resource is not None and not doubt
                learns = self._learns(table)
                return RouteTable(table, Location(resource), routes, complete, learns)
        main = Identity(f"the main route table of {vpc.identity.name}")
        return RouteTable(main, None, (), complete=vpc.complete)

    def _routes(self, table: Identity) -> tuple[tuple[Route, ...], bool]:
        """The routes of a table, and whether others may be its own, too."""
        routes: dict[Verdict, list[Route]] = {verdict: [] for verdict in Verdict}
        for resource in self.of_type("AWS::EC2::Route"):
            key = identity(resource.template, get(resource, "RouteTableId"))
            routes[same(key, table)].append(_route(resource))
        return tuple(routes[Verdict.YES]), bool(routes[Verdict.UNKNOWN])

    def _learns(self, table: Identity) -> Location | None:
        """What has a gateway write routes into a table."""
        for resource in self.of_type("AWS::EC2::VPNGatewayRoutePropagation"):
            entries = items(resource, "RouteTableIds")
            if entries is UNKNOWN or any(
                same(identity(resource.template, each), table) is not Verdict.NO for each in entries
            ):
                return Location(resource)
        return None

    def _acl(self, subnet: Identity, vpc: Vpc) -> Acl:
        for resource in self.of_type("AWS::EC2::SubnetNetworkAclAssociation"):
            if same(identity(resource.template, get(resource, "SubnetId")), subnet) is Verdict.YES:
                acl = identity(resource.template, get(resource, "NetworkAclId"))
                entries, doubt = self._entries(acl)
                complete = acl.resource is not None and not doubt
                return Acl(acl.name, entries, complete, association=Location(resource))
        name = f"the default network ACL of {vpc.identity.name}"
        added, doubt = self._entries(Identity(f"{vpc.identity.text}.DefaultNetworkAcl"))
        untouched = vpc.complete and not added and not doubt
        return Acl(name, (), complete=untouched, untouched=untouched)

    def _entries(self, acl: Identity) -> tuple[tuple[Entry, ...], bool]:
        """The rules of an ACL, in their order, and whether others may be its own, too."""
        entries: dict[Verdict, list[Entry]] = {verdict: [] for verdict in Verdict}
        for resource in self.of_type("AWS::EC2::NetworkAclEntry"):
            key = identity(resource.template, get(resource, "NetworkAclId"))
            entries[same(key, acl)].append(_entry(resource))
        # A rule with a number that is not known may be the first.
        ordered = sorted(
            entries[Verdict.YES], key=lambda e: -1 if e.number is UNKNOWN else e.number
        )
        return tuple(ordered), bool(entries[Verdict.UNKNOWN])

    def _endpoint(self, resource: Resource, service: str | Unknown, region: str) -> Endpoint:
        tables = items(resource, "RouteTableIds")
        # What CloudFormation takes where nothing is said is not documented.
        private = truth(
            literal(resource.template, get(resource, "PrivateDnsEnabled")), default=UNKNOWN
        )
        whose = text(resource, "DnsOptions", "PrivateDnsOnlyForInboundResolverEndpoint")
        # Services with endpoints of both kinds may have names for who calls from outside only.
        if service in _BOTH_KINDS and whose != "AllResolvers" and private is True:
            private = UNKNOWN
        return Endpoint(
            Location(resource),
            service,
            region,
            identity(resource.template, get(resource, "VpcId")),
            text(resource, "VpcEndpointType") in {None, "Gateway"},
            UNKNOWN
            if tables is UNKNOWN
            else tuple(identity(resource.template, table) for table in tables),
            self.subnets(resource, "SubnetIds") if get(resource, "SubnetIds") else (),
            private,
            inbound_only=whose == "OnlyInboundResolver",
        )


_BOTH_KINDS: Final = {"s3", "dynamodb"}


def truth(value: object, *, default: bool | Unknown) -> bool | Unknown:
    """A boolean, in any of the ways that CloudFormation takes one."""
    if value is None:
        return default
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), UNKNOWN)
    return value if isinstance(value, bool) else UNKNOWN


def _flag(resource: Resource, name: str) -> bool | Unknown:
    return truth(literal(resource.template, get(resource, name)), default=False)


def _block(resource: Resource, name: str) -> Block | Unknown | None:
    value = get(resource, name)
    return None if value is None else block(literal(resource.template, value))


def range_of(template: Template, value: object) -> Block | Unknown:
    """A range of addresses in a template; also that of a VPC, which `Fn::GetAtt` gives."""
    target = reference(template, value)
    if target and target.resource.type == "AWS::EC2::VPC" and target.attribute == "CidrBlock":
        return block(literal(target.resource.template, get(target.resource, "CidrBlock")))
    return block(literal(template, value))


def _route(resource: Resource) -> Route:
    target = next((n for n in _TARGETS if get(resource, n) is not None), "nothing")
    destination = get(resource, "DestinationCidrBlock") or get(resource, "DestinationIpv6CidrBlock")
    return Route(
        Location(resource),
        range_of(resource.template, destination),
        target,
        identity(resource.template, get(resource, target)),
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
    template = resource.template
    action = text(resource, "RuleAction")
    ends = [literal(template, get(resource, "PortRange", end)) for end in ("From", "To")]
    return Entry(
        Location(resource),
        whole(literal(template, get(resource, "RuleNumber"))),
        _flag(resource, "Egress"),
        UNKNOWN if action is UNKNOWN else action == "allow",
        _protocol(literal(template, get(resource, "Protocol"))),
        None if get(resource, "PortRange") is None else numbers(*ends),
        range_of(template, get(resource, "CidrBlock") or get(resource, "Ipv6CidrBlock")),
    )


def _protocol(value: object) -> str | Unknown:
    return UNKNOWN if value is UNKNOWN else protocol(value)


def protocol(value: object) -> str:
    """A protocol by its name; `-1` is all of them."""
    return {"6": "tcp", "17": "udp", "all": "-1"}.get(str(value).lower(), str(value).lower())


def numbers(first: object, last: object) -> tuple[int, int] | Unknown:
    """A range of ports, where it is written out."""
    start, end = whole(first), whole(last)
    return UNKNOWN if start is UNKNOWN or end is UNKNOWN else (start, end)
