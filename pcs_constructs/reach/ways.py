"""The ways through a network: within a VPC, out of it, and to the services of AWS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from pcs_constructs.errors import UNKNOWN
from pcs_constructs.reach.groups import Side, Traffic, allowed, holds, security
from pcs_constructs.reach.network import same
from pcs_constructs.reach.proof import (
    Every,
    Fact,
    Instead,
    Proof,
    Some,
    Thing,
    Verdict,
    let_through,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.errors import Unknown
    from pcs_constructs.reach.groups import Groups
    from pcs_constructs.reach.network import (
        Acl,
        Endpoint,
        Entry,
        Identity,
        Network,
        Route,
        Subnet,
        Vpc,
    )

# Where Linux has the ports that answers come to; an ACL that is for fewer keeps some away.
_ANSWERS: Final = (32768, 60999)

_UNSEEN: Final = "{} is not in these templates"


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The judge of a network."""

    network: Network
    groups: Groups

    def between(self, caller: Side, called: Side, traffic: Traffic) -> Proof:
        """Whether one side reaches the other inside of a VPC."""
        proofs = [security(caller, called, traffic)]
        for here in caller.subnets:
            for there in called.subnets:
                if same(here.identity, there.identity) is not Verdict.YES:
                    proofs += [self._local(here, there), *_acls(here, there, traffic)]
        return Every(tuple(proofs))

    def resolves(self, caller: Side) -> Proof:
        """Whether names of hosts are resolved where these nodes are."""
        vpcs = {place.vpc.identity.text: place.vpc for place in caller.subnets}
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
                proof = self._through(endpoint, here, place, proof)
            proofs.append(proof)
        return proofs[0] if len(proofs) == 1 else Every(tuple(proofs))

    def from_internet(self, called: Side, source: str, traffic: Traffic) -> Proof:
        """Whether nodes have public addresses that the internet reaches.

        Args:
            called: The nodes.
            source: Who calls.
            traffic: What for.
        """
        proofs: list[Proof] = []
        for place in called.subnets:
            way = self._way_out(place, traffic.family, ("GatewayId",), public=called.public)
            answers = traffic._replace(first=_ANSWERS[0], last=_ANSWERS[1])
            proofs += [
                way,
                _acl(place.acl, None, traffic, egress=False),
                _acl(place.acl, None, answers, egress=True),
            ]
        private = Fact(Verdict.NO, f"nothing leads from {source} to {called.name}")
        return Some((Every(tuple(proofs)),), private)

    def _endpoints(self, vpc: Vpc, service: str) -> Iterator[Endpoint]:
        # A gateway endpoint is a route, which counts for whatever names resolve to: it goes last.
        found = [e for e in self.network.endpoints if e.service == service]
        for endpoint in sorted(found, key=lambda e: e.gateway):
            if same(endpoint.vpc, vpc.identity) is Verdict.YES:
                yield endpoint

    def _through(self, endpoint: Endpoint, here: Side, place: Subnet, otherwise: Proof) -> Proof:
        if endpoint.gateway:
            tables = endpoint.tables
            if tables is UNKNOWN:
                unknown = Fact(Verdict.UNKNOWN, f"{endpoint.thing.name} has unknown route tables")
                return Every((unknown, otherwise))
            if not any(same(table, place.table.identity) is Verdict.YES for table in tables):
                return otherwise
            outside = Side(endpoint.service, service=endpoint.service)
            traffic = Traffic("tcp", 443, 443)
            way = Every((security(here, outside, traffic), *_acls(place, None, traffic)))
            association = place.table.association
            if association is None:
                return Instead(endpoint.thing, way, otherwise)
            # Without its association the subnet is under the main route table.
            return Instead(endpoint.thing, Every((let_through(association), way)), otherwise)
        called = Side(
            endpoint.thing.name,
            endpoint.subnets,
            self.groups.of(endpoint.thing.resource, "SecurityGroupIds", vpc=place.vpc),
        )
        if not called.subnets:
            nowhere = Fact(
                Verdict.NO,
                f"{endpoint.thing.name} is in no subnet",
                fix=f"give {endpoint.thing.name} a subnet",
            )
            return Instead(endpoint.thing, nowhere, otherwise)
        through = Every((_dns(place.vpc), self.between(here, called, Traffic("tcp", 443, 443))))
        match endpoint.private_dns:
            case True:
                return Instead(endpoint.thing, through, otherwise)
            case False:
                no_name = Fact(
                    Verdict.NO,
                    f"{endpoint.thing.name} has no private DNS, so nodes do not find it",
                    fix=f"set PrivateDnsEnabled of {endpoint.thing.name}",
                )
                return Some((otherwise,), no_name)
            case _:
                words = f"whether {endpoint.thing.name} has private DNS is not said"
                either = Some((through, otherwise), Fact(Verdict.NO, words))
                return Every((Fact(Verdict.UNKNOWN, words), either))

    def _out(self, here: Side, place: Subnet, service: str, *, dual_stack: bool) -> Proof:
        """The way to the public addresses of a service."""
        families = (4, 6) if dual_stack and place.blocks[6] is not None else (4,)
        ways: list[Proof] = []
        for family in families:
            traffic = Traffic("tcp", 443, 443, family)
            outside = Side(f"the internet by IPv{family}" if family == 6 else "the internet")
            ways.append(
                Every(
                    (
                        self._way_out(place, family, public=here.public),
                        allowed(here, "egress", outside, traffic),
                        *_acls(place, None, traffic),
                    )
                )
            )
        if not place.vpc.complete:
            words = f"{_UNSEEN.format(place.vpc.identity.name)}, nor are its endpoints"
            return Some(tuple(ways), Fact(Verdict.UNKNOWN, words))
        missing = Fact(
            Verdict.NO,
            f"{place.vpc.identity.name} has no endpoint for {service} that counts in {place.name}",
            fix=f"add an endpoint for {service} to {place.vpc.identity.name}, or a NAT gateway",
        )
        return Some(tuple(ways), missing)

    def _way_out(
        self,
        place: Subnet,
        family: int,
        targets: tuple[str, ...] = (),
        *,
        public: bool | Unknown | None = None,
        of_nat: bool = False,
    ) -> Proof:
        """The route out of a subnet, and what is behind it."""
        if not place.table.complete and not place.table.routes:
            return Fact(Verdict.UNKNOWN, f"the routes of {place.name} are not in these templates")
        routes = [
            self._behind(route, place, family, public=public, of_nat=of_nat)
            for route in place.table.routes
            if (not targets or route.target in targets)
            and (route.destination is UNKNOWN or route.destination == _EVERYTHING[family])
        ]
        verdict = Verdict.NO if place.table.complete else Verdict.UNKNOWN
        missing = Fact(
            verdict,
            f"{place.name} has no route to {_EVERYTHING[family]}",
            fix=f"add a route to {_EVERYTHING[family]} to {place.table.identity.name}",
        )
        way = Some(tuple(routes), missing)
        if place.table.association is None:
            return way
        return Every((let_through(place.table.association), way))

    def _behind(
        self,
        route: Route,
        place: Subnet,
        family: int,
        *,
        public: bool | Unknown | None,
        of_nat: bool,
    ) -> Proof:
        words = f"where {route.thing.name} leads is not known"
        here = let_through(route.thing)
        unknown = Every((here, Fact(Verdict.UNKNOWN, words)))
        target = route.to.resource
        if route.destination is UNKNOWN or target is None:
            return unknown
        match route.target, target.type:
            case "GatewayId", "AWS::EC2::InternetGateway":
                attached = self._attached(route.to, place.vpc)
                if of_nat:
                    return Every((here, attached))
                return Every((here, attached, _public(place, family, asked=public)))
            case "NatGatewayId", "AWS::EC2::NatGateway":
                nat = let_through(Thing(target))
                if target.text("ConnectivityType") == "private":
                    private = Fact(
                        Verdict.NO,
                        f"{target.logical_id} is private",
                        fix=f"make {target.logical_id} public",
                    )
                    return Every((here, private))
                if target.get("SubnetId") is None:
                    return unknown
                there = self.network.subnet(target.template, target.get("SubnetId"))
                traffic = Traffic("tcp", 443, 443, family)
                return Every(
                    (
                        here,
                        nat,
                        self._way_out(there, family, ("GatewayId",), of_nat=True),
                        *(_acls(place, there, traffic) if there is not place else ()),
                        *_acls(there, None, traffic),
                    )
                )
            case "EgressOnlyInternetGatewayId", "AWS::EC2::EgressOnlyInternetGateway":
                return Every((here, let_through(Thing(target))))
            case _:
                return unknown

    def _attached(self, gateway: Identity, vpc: Vpc) -> Proof:
        found = [
            let_through(thing)
            for thing, its_gateway, its_vpc in self.network.attachments
            if same(its_gateway, gateway) is Verdict.YES
            and same(its_vpc, vpc.identity) is Verdict.YES
        ]
        missing = Fact(
            Verdict.NO,
            f"{gateway.name} is not attached to {vpc.identity.name}",
            fix=f"attach {gateway.name} to {vpc.identity.name}",
        )
        return Some(tuple(found), missing)

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


_EVERYTHING: Final = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


def _dns(vpc: Vpc) -> Fact:
    resource = vpc.identity.resource
    if resource is None or not vpc.complete:
        return Fact(Verdict.UNKNOWN, _UNSEEN.format(vpc.identity.name))
    thing = Thing(resource)
    if vpc.dns is Verdict.YES:
        return let_through(thing)
    return Fact(
        vpc.dns,
        f"{thing.name} does not have both EnableDnsSupport and EnableDnsHostnames",
        thing,
        fix=f"set EnableDnsSupport and EnableDnsHostnames of {thing.name} to true",
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


def _acls(here: Subnet, there: Subnet | None, traffic: Traffic) -> Iterator[Fact]:
    """What network ACLs say of a connection and of its answers, of which they keep no track."""
    answers = Traffic(traffic.protocol, *_ANSWERS, traffic.family)
    yield _acl(here.acl, there, traffic, egress=True)
    yield _acl(here.acl, there, answers, egress=False)
    if there is not None:
        yield _acl(there.acl, here, traffic, egress=False)
        yield _acl(there.acl, here, answers, egress=True)


def _acl(acl: Acl, peer: Subnet | None, traffic: Traffic, *, egress: bool) -> Fact:
    if not acl.complete:
        return Fact(Verdict.UNKNOWN, _UNSEEN.format(acl.name))
    if acl.untouched:
        return Fact(Verdict.YES, acl.name)
    to = peer.name if peer else "the internet"
    way = "to" if egress else "from"
    nothing = Fact(
        Verdict.NO,
        f"{acl.name} does not let {traffic} {way} {to} through",
        fix=f"let {acl.name} allow {traffic} {way} {to}",
    )
    doubt = False
    for entry in acl.entries:
        if entry.egress is not egress:
            continue
        match _matches(entry, peer, traffic):
            case Verdict.NO:
                continue
            case Verdict.YES if entry.allows and not doubt:
                return let_through(entry.thing)
            case Verdict.YES if not doubt:
                return Fact(
                    nothing.verdict,
                    f"{entry.thing.name} denies {traffic} {way} {to}",
                    fix=nothing.fix,
                )
            case _:
                doubt = True
    if doubt:
        words = f"what {acl.name} says of {traffic} {way} {to} depends on addresses"
        return Fact(Verdict.UNKNOWN, words)
    return nothing


def _matches(entry: Entry, peer: Subnet | None, traffic: Traffic) -> Verdict:
    """Whether an entry is for all of the traffic; UNKNOWN where only for a part, or not known."""
    if entry.protocol is UNKNOWN or entry.ports is UNKNOWN:
        return Verdict.UNKNOWN
    if entry.protocol not in {"-1", traffic.protocol}:
        return Verdict.NO
    verdict = holds(entry.address, peer, traffic.family)
    if entry.ports is None or entry.protocol == "-1":
        return verdict
    first, last = entry.ports
    if last < traffic.first or traffic.last < first:
        return Verdict.NO
    whole = first <= traffic.first and traffic.last <= last
    return verdict if whole or verdict is Verdict.NO else Verdict.UNKNOWN
