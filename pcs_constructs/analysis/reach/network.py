"""The network that templates show: VPCs, subnets, routes, network ACLs, endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pcs_constructs.analysis.reach.proof import Location, Verdict
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.values import literal, sketch, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.templates.resolved import ResolvedResource, ResolvedTemplates

Block = IPv4Network | IPv6Network
"""A range of addresses."""

# What the ID of a resource is called where it is not what `Ref` gives.
_IDS: Final = {"GroupId", "Id", "NatGatewayId", "RouteTableId", "SubnetId", "VpcId"}

# What a VPC brings with it.
_DEFAULTS: Final = {"", "DefaultNetworkAcl", "DefaultSecurityGroup"}

_SERVICE: Final = re.compile(r"(?:com\.amazonaws|cn\.com\.amazonaws|aws\.api)\.([^.]*)\.(.+)")


class Identity(NamedTuple):
    """What an ID is of, such that two can be compared."""

    key: str
    """What tells it from others among the templates, or the ID itself."""

    resource: ResolvedResource | None = None
    """The resource, if it is in the templates."""

    known: bool = True
    """Whether the key tells it from all others."""

    single: bool = True
    """Whether it is one thing, the same wherever the key is; not so of a list of subnets."""

    said: str = ""
    """What to call it, if not by its resource or its key."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.said or (self.resource.title if self.resource else self.key)


def identity(owner: ResolvedResource, value: Any) -> Identity:
    """What an ID in a resource is of."""
    if value is UNKNOWN or value is None:
        said = f"what only CloudFormation knows in {owner.title}"
        return Identity(f"{owner.own_key} ?", known=False, single=False, said=said)
    target = owner.reference(value)
    if target is not None:
        resource, attribute = target
        attribute = "" if attribute in _IDS else attribute
        # An output of a stack or of a custom resource may be the ID of anything.
        known = resource.type.startswith("AWS::") and attribute in _DEFAULTS
        if not attribute:
            return Identity(resource.own_key, resource, known)
        said = f"{resource.title}.{attribute}"
        return Identity(f"{resource.own_key}.{attribute}", None, known, said=said)
    known_id = literal(value)
    if isinstance(known_id, str):
        return Identity(known_id)
    # An export may have the same name in another account or Region.
    return Identity(owner.key(value) or "", known=False, said=owner.placeholder(value))


def same(one: Identity, other: Identity) -> Verdict:
    """Whether two IDs are of the same."""
    if one.key == other.key:
        return Verdict.YES if one.single and other.single else Verdict.UNKNOWN
    return Verdict.NO if one.known and other.known else Verdict.UNKNOWN


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

    resolved: ResolvedTemplates
    _subnets: dict[str, Subnet] = field(default_factory=dict[str, Subnet])
    _vpcs: dict[str, Vpc] = field(default_factory=dict[str, Vpc])
    _endpoints: dict[Identity, tuple[Endpoint, ...]] = field(
        default_factory=dict[Identity, "tuple[Endpoint, ...]"]
    )
    _named: dict[tuple[str, str], tuple[dict[Identity, list[ResolvedResource]], set[Identity]]] = (
        field(
            default_factory=dict[
                "tuple[str, str]", "tuple[dict[Identity, list[ResolvedResource]], set[Identity]]"
            ]
        )
    )

    def of_type(self, type_: str) -> list[ResolvedResource]:
        """The resources of a type, in all stacks."""
        return list(self.resolved.of_type(type_))

    def subnets(self, resource: ResolvedResource, *path: str) -> tuple[Subnet, ...]:
        """The subnets that a property of a resource names; one that nobody knows, if it is none."""
        entries = resource.each(*path)
        if not entries:
            # There are some, one or several: a list of them is no subnet to compare with.
            name = f"the subnets of {resource.title}"
            return (self._subnet(Identity(name, known=False, single=False)),)
        return tuple(self.subnet(resource, value) for value in entries)

    def subnet(self, owner: ResolvedResource, value: Any) -> Subnet:
        """A subnet by its ID."""
        key = identity(owner, value)
        if key.key not in self._subnets:
            self._subnets[key.key] = self._subnet(key)
        return self._subnets[key.key]

    def vpc(self, key: Identity) -> Vpc:
        """A VPC by its ID."""
        if key.key not in self._vpcs:
            self._vpcs[key.key] = self._vpc(key)
        return self._vpcs[key.key]

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint of an AWS service."""
        endpoints: list[Endpoint] = []
        for resource in self.of_type("AWS::EC2::VPCEndpoint"):
            name = sketch(resource.get("ServiceName"), "*") or "*"
            match = _SERVICE.fullmatch(name)
            if match and "*" not in match[2]:
                endpoints.append(self._endpoint(resource, match[2], match[1]))
            elif "*" in name:
                endpoints.append(self._endpoint(resource, UNKNOWN, "*"))
        return tuple(endpoints)

    def attachments(self, gateway: Identity) -> Iterator[tuple[Location, Identity]]:
        """What attaches an internet gateway to VPCs, and each VPC."""
        named, _ = self.naming(gateway, "AWS::EC2::VPCGatewayAttachment", "InternetGatewayId")
        for resource in named:
            yield Location(resource), identity(resource, resource.get("VpcId"))

    def endpoints_in(self, vpc: Identity) -> tuple[Endpoint, ...]:
        """The endpoints that are in a VPC, or may be."""
        if vpc not in self._endpoints:
            self._endpoints[vpc] = tuple(
                endpoint for endpoint in self.endpoints if same(endpoint.vpc, vpc) is not Verdict.NO
            )
        return self._endpoints[vpc]

    def naming(
        self, key: Identity, type_: str, name: str
    ) -> tuple[list[ResolvedResource], list[ResolvedResource]]:
        """The resources of a type of which a property surely names something, and perhaps."""
        if (type_, name) not in self._named:
            by_key: dict[Identity, list[ResolvedResource]] = {}
            for resource in self.of_type(type_):
                by_key.setdefault(identity(resource, resource.get(name)), []).append(resource)
            self._named[type_, name] = by_key, {other for other in by_key if not other.known}
        by_key, unknown = self._named[type_, name]
        perhaps = [
            resource
            for other in (unknown if key.known else by_key)
            if same(other, key) is Verdict.UNKNOWN
            for resource in by_key[other]
        ]
        return by_key.get(key, []) if key.single else [], perhaps

    def _vpc(self, key: Identity) -> Vpc:
        resource = key.resource
        if resource is None or resource.type != "AWS::EC2::VPC":
            return Vpc(key, (), Verdict.UNKNOWN, complete=False)
        states = (
            _flag(resource, "EnableDnsSupport", default=True),
            _flag(resource, "EnableDnsHostnames"),
        )
        more = [
            other
            for others in self.naming(key, "AWS::EC2::VPCCidrBlock", "VpcId")
            for other in others
            if any(other.get(name) is not None for name in ("CidrBlock", "Ipv4IpamPoolId"))
        ]
        if not self._asks_amazon(key):
            states = (*states, UNKNOWN)
        return Vpc(
            key,
            tuple(block(owner.known("CidrBlock")) for owner in (resource, *more)),
            Verdict.NO
            if False in states
            else Verdict.UNKNOWN
            if UNKNOWN in states
            else Verdict.YES,
            complete=True,
        )

    def _asks_amazon(self, vpc: Identity) -> bool:
        """Whether nodes in a VPC surely ask the DNS of the VPC, as they do if nothing is said."""
        surely, perhaps = self.naming(vpc, "AWS::EC2::VPCDHCPOptionsAssociation", "VpcId")
        for association in (*surely, *perhaps):
            options = association.follow(association.get("DhcpOptionsId"))
            if options is None or options.type != "AWS::EC2::DHCPOptions":
                return False
            if options.known("DomainNameServers") != ["AmazonProvidedDNS"]:
                return False
        return True

    def _subnet(self, key: Identity) -> Subnet:
        resource = key.resource
        if resource is None or resource.type != "AWS::EC2::Subnet":
            nowhere = self.vpc(Identity(f"the VPC of {key.name}", known=False))
            table = RouteTable(Identity("", known=False), None, (), complete=False)
            acl = Acl(f"the network ACL of {key.name}", (), complete=False)
            blocks = {4: UNKNOWN, 6: UNKNOWN}
            return Subnet(key, nowhere, blocks, f"of {key.key}", UNKNOWN, UNKNOWN, table, acl)
        vpc = self.vpc(identity(resource, resource.get("VpcId")))
        zone = resource.get("AvailabilityZone") or resource.get("AvailabilityZoneId")
        return Subnet(
            key,
            vpc,
            {4: _block(resource, "CidrBlock"), 6: _block(resource, "Ipv6CidrBlock")},
            zone if isinstance(zone, str) else resource.key(zone) or f"of {key.key}",
            _flag(resource, "MapPublicIpOnLaunch"),
            _flag(resource, "AssignIpv6AddressOnCreation"),
            self._table(key, vpc),
            self._acl(key, vpc),
        )

    def _table(self, subnet: Identity, vpc: Vpc) -> RouteTable:
        named, _ = self.naming(subnet, "AWS::EC2::SubnetRouteTableAssociation", "SubnetId")
        for resource in named:
            table = identity(resource, resource.get("RouteTableId"))
            # Others may be its own, too.
            surely, perhaps = self.naming(table, "AWS::EC2::Route", "RouteTableId")
            complete = table.resource is not None and not perhaps
            routes = tuple(map(_route, surely))
            return RouteTable(table, Location(resource), routes, complete, self._learns(table))
        main = Identity(f"the main route table of {vpc.identity.name}")
        return RouteTable(main, None, (), complete=vpc.complete)

    def _learns(self, table: Identity) -> Location | None:
        """What has a gateway write routes into a table."""
        for resource in self.of_type("AWS::EC2::VPNGatewayRoutePropagation"):
            entries = resource.items("RouteTableIds")
            if entries is UNKNOWN or any(
                same(identity(resource, each), table) is not Verdict.NO for each in entries or ()
            ):
                return Location(resource)
        return None

    def _acl(self, subnet: Identity, vpc: Vpc) -> Acl:
        named, _ = self.naming(subnet, "AWS::EC2::SubnetNetworkAclAssociation", "SubnetId")
        for resource in named:
            acl = identity(resource, resource.get("NetworkAclId"))
            entries, doubt = self._entries(acl)
            complete = acl.resource is not None and not doubt
            return Acl(acl.name, entries, complete, association=Location(resource))
        name = f"the default network ACL of {vpc.identity.name}"
        added, doubt = self._entries(Identity(f"{vpc.identity.key}.DefaultNetworkAcl"))
        untouched = vpc.complete and not added and not doubt
        return Acl(name, (), complete=untouched, untouched=untouched)

    def _entries(self, acl: Identity) -> tuple[tuple[Entry, ...], bool]:
        """The rules of an ACL, in their order, and whether others may be its own, too."""
        surely, perhaps = self.naming(acl, "AWS::EC2::NetworkAclEntry", "NetworkAclId")
        # A rule with a number that is not known may be the first.
        ordered = sorted(map(_entry, surely), key=lambda e: -1 if e.number is UNKNOWN else e.number)
        return tuple(ordered), bool(perhaps)

    def _endpoint(
        self, resource: ResolvedResource, service: str | Unknown, region: str
    ) -> Endpoint:
        tables = resource.items("RouteTableIds")
        # What CloudFormation takes where nothing is said is not documented.
        private = _flag(resource, "PrivateDnsEnabled", default=UNKNOWN)
        whose = resource.text("DnsOptions", "PrivateDnsOnlyForInboundResolverEndpoint")
        # Services with endpoints of both kinds may have names for who calls from outside only.
        if service in _BOTH_KINDS and whose != "AllResolvers" and private is True:
            private = UNKNOWN
        return Endpoint(
            Location(resource),
            service,
            region,
            identity(resource, resource.get("VpcId")),
            resource.text("VpcEndpointType") in {None, "Gateway"},
            UNKNOWN
            if tables is UNKNOWN
            else tuple(identity(resource, table) for table in tables or ()),
            self.subnets(resource, "SubnetIds") if resource.get("SubnetIds") else (),
            private,
            inbound_only=whose == "OnlyInboundResolver",
        )


_BOTH_KINDS: Final = {"s3", "dynamodb"}


def _flag(
    resource: ResolvedResource, name: str, *, default: bool | Unknown = False
) -> bool | Unknown:
    value = resource.flag(name)
    return default if value is None else value


def _block(resource: ResolvedResource, name: str) -> Block | Unknown | None:
    value = resource.known(name)
    return None if value is None else block(value)


def _route(resource: ResolvedResource) -> Route:
    target = next((name for name in _TARGETS if resource.get(name) is not None), "nothing")
    destination = resource.known("DestinationCidrBlock") or resource.known(
        "DestinationIpv6CidrBlock"
    )
    return Route(
        Location(resource),
        block(destination),
        target,
        identity(resource, resource.get(target)),
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


def _entry(resource: ResolvedResource) -> Entry:
    action = resource.text("RuleAction")
    ends = [resource.known("PortRange", end) for end in ("From", "To")]
    return Entry(
        Location(resource),
        whole(resource.known("RuleNumber")),
        _flag(resource, "Egress"),
        UNKNOWN if action is UNKNOWN else action == "allow",
        _protocol(resource.known("Protocol")),
        None if resource.get("PortRange") is None else numbers(*ends),
        block(resource.known("CidrBlock") or resource.known("Ipv6CidrBlock")),
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
