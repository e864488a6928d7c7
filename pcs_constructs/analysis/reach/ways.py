"""The ways through a network: within a VPC, out of it, and to the services of AWS."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis.reach.acls import ANSWERS, acl, acls
from pcs_constructs.analysis.reach.groups import Side, Traffic, allowed, private, security
from pcs_constructs.analysis.reach.network import Subnet, identity, same
from pcs_constructs.analysis.reach.proof import (
    Every,
    Fact,
    Instead,
    Location,
    Proof,
    Some,
    Verdict,
    let_through,
)
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.document import as_list
from pcs_constructs.templates.values import parsed, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.analysis.reach.groups import Group, Groups
    from pcs_constructs.analysis.reach.network import (
        Block,
        Endpoint,
        Identity,
        Network,
        Route,
        Vpc,
    )
    from pcs_constructs.model.errors import Unknown
    from pcs_constructs.templates.resolved import ResolvedResource

# Where NAT gateways have them: "Ephemeral ports" in the VPC User Guide.
_ANSWERS_TO_NAT: Final = (1024, 65535)

_UNSEEN: Final = "{} is not in these templates"


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The judge of a network."""

    network: Network
    groups: Groups

    def between(self, caller: Side, called: Side, traffic: Traffic) -> Proof:
        """Whether one side reaches the other inside of a VPC."""
        proofs = [security(caller, called, traffic)]
        if traffic.family == 6:
            proofs += [_has_ipv6(p, side) for side in (caller, called) for p in side.subnets]
        for here in caller.subnets:
            for there in called.subnets:
                if same(here.identity, there.identity) is not Verdict.YES:
                    proofs += [self._local(here, there), *acls(here, there, traffic)]
        return Every(tuple(proofs))

    def resolves(self, caller: Side) -> Proof:
        """Whether names of hosts are resolved where these nodes are."""
        vpcs = {place.vpc.identity.key: place.vpc for place in caller.subnets}
        if not vpcs:
            return _nowhere(caller)
        return Every(tuple(_dns(vpc) for vpc in vpcs.values()))

    def to_service(self, caller: Side, service: str, *, dual_stack: bool = False) -> Proof:
        """Whether nodes reach an AWS service on port 443: by an endpoint, or out of the VPC.

        Args:
            caller: The nodes.
            service: The service, as the end of its endpoint's name has it.
            dual_stack: Whether it is called at a name that has addresses of both families.
        """
        proofs: list[Proof] = []
        for place in caller.subnets:
            here = replace(caller, subnets=(place,))
            proof = self._out(here, place, service, dual_stack=dual_stack)
            for endpoint in self._endpoints(place.vpc, service):
                proof = self._through(endpoint, here, place, service, proof)
            proofs.append(proof)
        if not proofs:
            return _nowhere(caller)
        return proofs[0] if len(proofs) == 1 else Every(tuple(proofs))

    def from_internet(self, called: Side, source: Block, traffic: Traffic) -> Proof:
        """Whether nodes have public addresses that the internet reaches.

        Args:
            called: The nodes.
            source: Who calls.
            traffic: What for.
        """
        if not called.subnets:
            return _nowhere(called)
        proofs: list[Proof] = []
        for place in called.subnets:
            proofs.append(
                self._way_out(
                    place,
                    traffic.family,
                    to=source,
                    inward=True,
                    public=called.public,
                    addressed=called.addressed,
                )
            )
        proofs.append(self.acls_of(called, source, traffic))
        private = Fact(Verdict.NO, f"nothing leads from {source} to {called.name}")
        return Some((Every(tuple(proofs)),), private, beside=True)

    def acls_of(self, called: Side, source: Block, traffic: Traffic) -> Proof:
        """Whether the network ACLs of who is called let a range call, and be answered."""
        answers = traffic._replace(first=ANSWERS[0], last=ANSWERS[1])
        whole = None if source.prefixlen == 0 else source
        return Every(
            tuple(
                fact
                for place in called.subnets
                for fact in (
                    acl(place.acl, whole, traffic, egress=False),
                    acl(place.acl, whole, answers, egress=True),
                )
            )
        )

    def from_group(self, called: Side, group: Group, traffic: Traffic) -> Proof:
        """Whether whoever has a security group, wherever in the VPC, reaches somebody."""
        proofs: list[Proof] = [
            allowed(Side(group.name, groups=(group,)), "egress", called, traffic)
        ]
        resource = group.identity.resource
        home = identity(resource, resource.get("VpcId")) if resource else None
        for place in called.subnets:
            if home is None or same(home, place.vpc.identity) is not Verdict.YES:
                words = f"who has {group.name}, and where that is, is not known"
                proofs.append(Fact(Verdict.UNKNOWN, words))
                continue
            proofs.append(self.from_inside(called, place.vpc.blocks, traffic, group.name))
        return Every(tuple(proofs)) if called.subnets else _nowhere(called)

    def from_inside(
        self, called: Side, blocks: Sequence[Block | Unknown], traffic: Traffic, source: str
    ) -> Proof:
        """Whether whoever is somewhere in ranges of the same VPC gets through.

        Which subnet that is in is not known; it counts where subnets have ACLs of their own.
        """
        if all(place.acl.untouched for place in called.subnets) and not self.network.of_type(
            "AWS::EC2::SubnetNetworkAclAssociation"
        ):
            return Fact(Verdict.YES, "the same VPC")
        words = f"which subnet, with its network ACL, {source} is in is not known"
        known = [each for each in blocks if each is not UNKNOWN]
        return Every(
            (
                Fact(Verdict.UNKNOWN, words),
                *(self.acls_of(called, each, traffic) for each in known[:1] if len(blocks) == 1),
            )
        )

    def _endpoints(self, vpc: Vpc, service: str) -> Iterator[Endpoint]:
        # Where names lead to an interface, the route of a gateway is not taken: that is first.
        here = self.network.endpoints_in(vpc.identity)
        endpoints = [e for e in here if e.service in {service, UNKNOWN}]
        known = any(e.service == service and not e.gateway for e in endpoints)
        for endpoint in sorted(endpoints, key=lambda e: not e.gateway):
            # There is one interface for the names of a service, so others are for another.
            if not (endpoint.service is UNKNOWN and known):
                yield endpoint

    def _through(
        self, endpoint: Endpoint, here: Side, place: Subnet, service: str, otherwise: Proof
    ) -> Proof:
        """The way through an endpoint, or without it where it is of no account."""
        doubts = [Fact(Verdict.UNKNOWN, words) for words in _doubts(endpoint, place)]
        if endpoint.gateway:
            return self._by_gateway(endpoint, here, place, service, otherwise, doubts)
        if endpoint.inbound_only:
            return otherwise
        called = Side(
            endpoint.location.name,
            endpoint.subnets,
            self.groups.of(endpoint.location.resource, "SecurityGroupIds", vpc=place.vpc),
        )
        if not called.subnets:
            nowhere = Fact(
                Verdict.NO,
                f"{endpoint.location.name} is in no subnet",
                fix=f"give {endpoint.location.name} a subnet",
            )
            through: Proof = nowhere
        else:
            way = self.between(here, called, Traffic("tcp", 443, 443))
            through = Every((_dns(place.vpc), way, *doubts))
        perhaps = _perhaps(endpoint, place)
        match endpoint.private_dns:
            case True if not perhaps:
                return Instead(endpoint.location, through, otherwise)
            case False:
                no_name = Fact(
                    Verdict.NO,
                    f"{endpoint.location.name} has no private DNS, so nodes do not find it",
                    fix=f"set PrivateDnsEnabled of {endpoint.location.name}",
                )
                return otherwise if perhaps else Some((otherwise,), no_name, beside=True)
            case _:
                words = (
                    perhaps
                    or f"whether {endpoint.location.name} has private DNS for nodes is not said"
                )
                return _either(words, through, otherwise)

    def _by_gateway(
        self,
        endpoint: Endpoint,
        here: Side,
        place: Subnet,
        service: str,
        otherwise: Proof,
        doubts: Sequence[Fact],
    ) -> Proof:
        if service not in _BY_GATEWAY:
            return otherwise
        tables = endpoint.tables
        if tables is UNKNOWN:
            unknown = Fact(Verdict.UNKNOWN, f"{endpoint.location.name} has unknown route tables")
            return Every((unknown, otherwise))
        counts = max((same(table, place.table.identity) for table in tables), default=Verdict.NO)
        if counts is Verdict.NO:
            return otherwise
        outside = Side(service, outside=True, service=service)
        traffic = Traffic("tcp", 443, 443)
        way = Every((security(here, outside, traffic), *acls(place, None, traffic), *doubts))
        perhaps = _perhaps(endpoint, place)
        if counts is Verdict.UNKNOWN or perhaps:
            words = perhaps or f"whether {endpoint.location.name} is in the routes of {place.name}"
            return _either(words, way, otherwise)
        association = place.table.association
        if association is None:
            return Instead(endpoint.location, way, otherwise)
        # Without its association the subnet is under the main route table.
        return Instead(endpoint.location, Every((let_through(association), way)), otherwise)

    def _out(self, here: Side, place: Subnet, service: str, *, dual_stack: bool) -> Proof:
        """The way to the public addresses of a service."""
        families = (4, 6) if dual_stack and place.blocks[6] is not None else (4,)
        ways: list[Proof] = []
        for family in families:
            traffic = Traffic("tcp", 443, 443, family)
            name = f"the internet by IPv{family}" if family == 6 else "the internet"
            outside = Side(name, outside=True, service=service if family == 4 else None)
            ways.append(
                Every(
                    (
                        self._way_out(place, family, public=here.public, addressed=here.addressed),
                        allowed(here, "egress", outside, traffic),
                        *acls(place, None, traffic),
                    )
                )
            )
        if not place.vpc.complete:
            words = f"{_UNSEEN.format(place.vpc.identity.name)}, nor are its endpoints"
            return Some(tuple(ways), Fact(Verdict.UNKNOWN, words), beside=True)
        missing = Fact(
            Verdict.NO,
            f"{place.vpc.identity.name} has no endpoint for {service} that counts in {place.name}",
            fix=f"add an endpoint for {service} to {place.vpc.identity.name}, or a NAT gateway",
        )
        return Some(tuple(ways), missing, beside=True)

    def _way_out(
        self,
        place: Subnet,
        family: int,
        *,
        to: Block | None = None,
        inward: bool = False,
        public: bool | Unknown | None = None,
        addressed: bool | Unknown | None = None,
        of_nat: Identity | None = None,
    ) -> Proof:
        """The route out of a subnet, and what is behind it.

        Args:
            place: The subnet.
            family: The version of the Internet Protocol.
            to: Where it is to lead, if not to addresses in the internet that nobody knows.
            inward: Whether somebody out there calls, for which some ways out do not do.
            public: Whether what is in there has public addresses; `None` where the subnet says.
            addressed: Whether it has IPv6 addresses; `None` where the subnet says.
            of_nat: The NAT gateway, if it is one that is in there.
        """
        if not place.table.complete and not place.table.routes:
            return Fact(Verdict.UNKNOWN, f"the routes of {place.name} are not in these templates")
        default = _EVERYTHING[family]
        ways = [route for route in place.table.routes if route.destination == default]
        leads = {(route.target, route.to.key) for route in ways}
        doubts = [
            Fact(
                Verdict.UNKNOWN,
                f"{route.location.name} may lead elsewhere what is for {to or default}",
            )
            for route in place.table.routes
            if _is_for(route, to, family) and (route.target, route.to.key) not in leads
        ]
        if place.table.learns is not None:
            words = f"which routes {place.table.learns.name} brings is not known"
            doubts.append(Fact(Verdict.UNKNOWN, words))
        routes = [
            self._behind(route, place, family, public=public, of_nat=of_nat)
            for route in ways
            if not (inward and route.target in {"NatGatewayId", "EgressOnlyInternetGatewayId"})
            and (of_nat is None or same(route.to, of_nat) is not Verdict.YES)
        ]
        sure = place.table.complete and not doubts
        gateway = "an internet gateway for " if inward else ""
        missing = Fact(
            Verdict.NO if sure else Verdict.UNKNOWN,
            f"{place.name} has no route to {gateway}{default}",
            fix=f"add a route to {gateway}{default} to {place.table.identity.name}",
        )
        proofs: list[Proof] = [*doubts, Some(tuple(routes), missing)]
        if place.table.association is not None:
            proofs.insert(0, let_through(place.table.association))
        if family == 6:
            proofs.append(_has_ipv6(place, Side("", addressed=addressed)))
        return Every(tuple(proofs)) if len(proofs) > 1 else proofs[0]

    def _behind(
        self,
        route: Route,
        place: Subnet,
        family: int,
        *,
        public: bool | Unknown | None,
        of_nat: Identity | None,
    ) -> Proof:
        words = f"where {route.location.name} leads is not known"
        here = let_through(route.location)
        unknown = Every((here, Fact(Verdict.UNKNOWN, words)))
        target = route.to.resource
        if target is None:
            return unknown
        match route.target, target.type:
            case "GatewayId", "AWS::EC2::InternetGateway":
                attached = self._attached(route.to, place.vpc)
                if of_nat is not None:
                    return Every((here, attached))
                return Every((here, attached, _public(place, family, asked=public)))
            case "NatGatewayId", "AWS::EC2::NatGateway" if of_nat is None:
                return Every((here, self._by_nat(route.to, target, place, family)))
            case "EgressOnlyInternetGatewayId", "AWS::EC2::EgressOnlyInternetGateway":
                return Every((here, let_through(Location(target))))
            case _:
                return unknown

    def _by_nat(
        self, nat: Identity, resource: ResolvedResource, place: Subnet, family: int
    ) -> Proof:
        """The way of what a NAT gateway sends on."""
        kind = resource.text("ConnectivityType")
        somewhere = Fact(Verdict.UNKNOWN, f"where {nat.name} leads is not known")
        if resource.get("SubnetId") is None or kind is UNKNOWN:
            return somewhere
        there = self.network.subnet(resource, resource.get("SubnetId"))
        if kind == "private":
            # It may lead to somebody else's way out, such as behind a transit gateway.
            leads = [
                route
                for route in there.table.routes
                if same(route.to, nat) is not Verdict.YES
                and (route.to.resource is None or route.to.resource.type != _INTERNET_GATEWAY)
            ]
            if leads or there.table.learns or not there.table.complete:
                return somewhere
            return Fact(Verdict.NO, f"{nat.name} is private", fix=f"make {nat.name} public")
        traffic = Traffic("tcp", 443, 443, family)
        return Every(
            (
                let_through(Location(resource)),
                self._way_out(there, family, of_nat=nat),
                *(acls(place, there, traffic) if there is not place else ()),
                *acls(there, None, traffic, _ANSWERS_TO_NAT),
            )
        )

    def _attached(self, gateway: Identity, vpc: Vpc) -> Proof:
        attached = [
            let_through(location)
            for location, its_vpc in self.network.attachments(gateway)
            if same(its_vpc, vpc.identity) is Verdict.YES
        ]
        missing = Fact(
            Verdict.NO,
            f"{gateway.name} is not attached to {vpc.identity.name}",
            fix=f"attach {gateway.name} to {vpc.identity.name}",
        )
        return Some(tuple(attached), missing)

    def _local(self, here: Subnet, there: Subnet) -> Fact:
        one, other = here.vpc, there.vpc
        match same(one.identity, other.identity):
            case Verdict.YES:
                return Fact(Verdict.YES, "the same VPC")
            case Verdict.NO if not any(
                route.target in {"TransitGatewayId", "VpcPeeringConnectionId", "CoreNetworkArn"}
                for route in here.table.routes
            ):
                return Fact(
                    Verdict.NO,
                    f"{here.name} is in {one.identity.name} and {there.name} in "
                    f"{other.identity.name}",
                    fix="put both in one VPC",
                )
            case _:
                unseen = next((s.name for s in (here, there) if not s.vpc.complete), here.name)
                return Fact(Verdict.UNKNOWN, _UNSEEN.format(f"the network of {unseen}"))


_INTERNET_GATEWAY: Final = "AWS::EC2::InternetGateway"

# The services that have gateway endpoints.
_BY_GATEWAY: Final = {"s3", "dynamodb"}

_EVERYTHING: Final = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


def _dns(vpc: Vpc) -> Fact:
    resource = vpc.identity.resource
    if resource is None or not vpc.complete:
        return Fact(Verdict.UNKNOWN, _UNSEEN.format(vpc.identity.name))
    location = Location(resource)
    if vpc.dns is Verdict.YES:
        return let_through(location)
    if vpc.dns is Verdict.UNKNOWN:
        words = f"whether {location.name} has DNS support, host names and its own DNS is not known"
        return Fact(Verdict.UNKNOWN, words, location)
    return Fact(
        vpc.dns,
        f"{location.name} does not have both EnableDnsSupport and EnableDnsHostnames",
        location,
        fix=f"set EnableDnsSupport and EnableDnsHostnames of {location.name} to true",
    )


def _public(place: Subnet, family: int, *, asked: bool | Unknown | None) -> Fact:
    """Whether what is launched in a subnet can be answered from the internet."""
    if family == 6:
        return Fact(Verdict.YES, "IPv6 addresses are public")
    given = place.public if asked is None else asked
    if given is True:
        return Fact(Verdict.YES, f"nodes in {place.name} get public addresses")
    if given is UNKNOWN:
        return Fact(Verdict.UNKNOWN, f"whether nodes in {place.name} get public addresses")
    return Fact(
        Verdict.NO,
        f"nodes in {place.name} get no public addresses",
        fix=f"set MapPublicIpOnLaunch of {place.name} to true, or use a private subnet",
    )


def _has_ipv6(place: Subnet, side: Side) -> Fact:
    """Whether what is in a subnet has an IPv6 address, as far as it is documented."""
    given = place.addressed if side.addressed is None else side.addressed
    if given is True:
        return Fact(Verdict.YES, f"IPv6 addresses in {place.name}")
    return Fact(
        Verdict.UNKNOWN,
        f"whether nodes in {place.name} get IPv6 addresses is not known",
        fix=f"set AssignIpv6AddressOnCreation of {place.name} to true",
    )


def _nowhere(side: Side) -> Fact:
    return Fact(Verdict.UNKNOWN, f"in which subnets {side.name} is, is not known")


def _is_for(route: Route, to: Block | None, family: int) -> bool:
    """Whether a route that is not the default may be for a part of where something goes."""
    destination = route.destination
    if route.target == "GatewayId" and route.to.key == "local":
        return False
    if destination is UNKNOWN:
        return True
    if destination.version != family or destination.prefixlen == 0:
        return False
    return not private(destination) if to is None or to.prefixlen == 0 else destination.overlaps(to)


def _either(words: str, through: Proof, otherwise: Proof) -> Proof:
    """Two ways, of which one is taken, and which one is not known."""
    either = Some((through, otherwise), Fact(Verdict.NO, words))
    return Every((Fact(Verdict.UNKNOWN, words), either))


def _perhaps(endpoint: Endpoint, place: Subnet) -> str:
    """Why an endpoint may be of no account to a subnet; empty if it surely counts."""
    if endpoint.service is UNKNOWN:
        return f"of which service {endpoint.location.name} is, is not known"
    if same(endpoint.vpc, place.vpc.identity) is not Verdict.YES:
        return f"whether {endpoint.location.name} is in the VPC of {place.name} is not known"
    return ""


def _doubts(endpoint: Endpoint, place: Subnet) -> Iterator[str]:
    """What else may keep nodes from a service behind an endpoint."""
    name, resource = endpoint.location.name, endpoint.location.resource
    if resource.get("PolicyDocument") is not None and not _admits(resource):
        yield f"the policy of {name} denies everything, or is not known"
    if not endpoint.gateway and resource.text("IpAddressType") not in {None, "ipv4", "dualstack"}:
        yield f"{name} may have IPv6 addresses only"
    other = _REGION.match(place.zone) is not None and not place.zone.startswith(endpoint.region)
    if (endpoint.region != "*" and other) or resource.get("ServiceRegion") is not None:
        yield f"{name} is for another Region, or may be"


_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


def _admits(resource: ResolvedResource) -> bool:
    """Whether a policy allows something and denies no whole service."""
    policy = parsed(resource.get("PolicyDocument"))
    listed: list[Any] = [] if policy is UNKNOWN else as_list(within(policy, "Statement"))
    allows = False
    for statement in listed:
        effect = within(statement, "Effect")
        named = as_list(within(statement, "Action"))
        allows = allows or effect == "Allow"
        if effect != "Allow" and not all(isinstance(a, str) and "*" not in a for a in named):
            return False
    return allows
