"""The security groups that templates show, and what their rules let through."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pcs_constructs.analysis.reach.network import (
    Block,
    Identity,
    Subnet,
    block,
    identity,
    numbers,
    protocol,
    same,
)
from pcs_constructs.analysis.reach.proof import (
    Every,
    Fact,
    Location,
    Proof,
    Some,
    Verdict,
    let_through,
)
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.values import is_function, literal, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.analysis.reach.network import Network, Vpc
    from pcs_constructs.templates.resolve import Place
    from pcs_constructs.templates.resolved import ResolvedResource


class Traffic(NamedTuple):
    """What is to get through, by the ports of who is called."""

    protocol: str
    first: int
    last: int
    family: int = 4
    """The version of the Internet Protocol."""

    def __str__(self) -> str:
        if self.protocol == "-1":
            return "all traffic"
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol.upper()} {ports}"


@dataclass(frozen=True, slots=True, eq=False)
class PrefixList:
    """A list of ranges, the prefix list of a rule."""

    name: str
    service: str | None
    """The AWS service whose addresses these are."""
    blocks: tuple[Block | Unknown, ...] | None
    """The ranges, where they are in the templates."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule of a security group."""

    location: Location | None
    """Where it stands; `None` for what EC2 adds by itself."""
    protocol: str | Unknown
    ports: tuple[int, int] | Unknown | None
    """From and to; `None` is all of them."""
    peer: Identity | Block | PrefixList | Unknown
    """A group, a VPC whose range it is, a range, a prefix list."""
    made: str = ""
    """What is to say of a rule that EC2 adds by itself, where it is not sure."""

    @property
    def words(self) -> str:
        """Whom it is about."""
        match self.peer:
            case Identity():
                return self.peer.name
            case PrefixList():
                return self.peer.name
            case Unknown():
                return "what only CloudFormation knows"
            case _:
                return str(self.peer)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A security group."""

    identity: Identity
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]
    complete: bool
    """Whether all of its rules are known."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.identity.name


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One end of a connection: who calls or is called."""

    name: str
    subnets: tuple[Subnet, ...] = ()
    groups: tuple[Group, ...] = ()
    outside: bool = False
    """Whether it is anywhere but in a VPC; it has no subnet and no group."""
    service: str | None = None
    """An AWS service at its public addresses."""
    public: bool | Unknown | None = None
    """Whether it has public addresses; `None` where its subnet says."""
    addressed: bool | Unknown | None = None
    """Whether it has IPv6 addresses; `None` where its subnet says."""
    place: Place | None = None
    """Where it is in the templates, if it is a resource there."""


@dataclass(slots=True, eq=False)
class Groups:
    """Every security group that a network has."""

    network: Network
    _found: dict[str, Group] = field(default_factory=dict[str, Group])
    _rules: dict[tuple[str, str], list[ResolvedResource]] | None = None

    def of(
        self, resource: ResolvedResource, *path: str, vpc: Vpc | None = None
    ) -> tuple[Group, ...]:
        """The groups that a property of a resource names; those of the VPC where it names none."""
        entries = resource.items(*path)
        if entries is UNKNOWN:
            key = identity(resource, resource.get(*path))
            return (self.group(key._replace(known=False, single=False)),)
        if not entries and vpc is not None:
            return (self.default_of(vpc),)
        return self.named(resource, entries or ())

    def named(self, owner: ResolvedResource, values: Sequence[Any]) -> tuple[Group, ...]:
        """Groups by their IDs."""
        return tuple(self.group(identity(owner, value)) for value in values)

    def default_of(self, vpc: Vpc) -> Group:
        """The group that EC2 takes where none is named."""
        of = vpc.identity
        said = f"{of.name}.DefaultSecurityGroup" if vpc.complete else f"the default of {of.name}"
        key = f"{of.key}.DefaultSecurityGroup" if vpc.complete else f"the default of {of.key}"
        return self.group(Identity(key, known=vpc.complete, said=said))

    def group(self, key: Identity) -> Group:
        """A group by its ID."""
        if key.key not in self._found:
            self._found[key.key] = self._group(key)
        return self._found[key.key]

    def _group(self, key: Identity) -> Group:
        resource = key.resource
        made = resource is not None and resource.type == "AWS::EC2::SecurityGroup"
        rules = {
            direction: [
                *(_inline(resource, direction) if made and resource else ()),
                *(_rule(Location(r), r, r.properties) for r in self._of(key, direction)),
                # `Fn::If` may choose this group or another one.
                *(
                    Rule(Location(r), UNKNOWN, UNKNOWN, UNKNOWN)
                    for r in self._of(key._replace(key=f"perhaps {key.key}"), direction)
                ),
            ]
            for direction in ("Ingress", "Egress")
        }
        complete = made
        default = key.key.endswith(".DefaultSecurityGroup")
        if default and not self._revoked(key):
            complete = True
            words = f"{key.name} lets in who has it, and whether that is so is not known"
            rules["Ingress"].append(Rule(None, "-1", None, key, words))
            rules["Egress"] += _EVERYWHERE
        elif default:
            complete = True
        elif resource is not None and made and not rules["Egress"]:
            rules["Egress"] += _EVERYWHERE
        elif resource is not None and made and not resource.get("SecurityGroupEgress"):
            # With rules that are resources only: whether EC2's own ones go is not documented.
            words = (
                f"whether {key.name} lets everything out, as EC2 makes it, beside egress rules "
                "that are resources of their own is not documented"
            )
            rules["Egress"] += (
                Rule(None, UNKNOWN, UNKNOWN, rule.peer, words) for rule in _EVERYWHERE
            )
        return Group(key, tuple(rules["Ingress"]), tuple(rules["Egress"]), complete)

    def _of(self, key: Identity, direction: str) -> Sequence[ResolvedResource]:
        if self._rules is None:
            self._rules = {}
            for way in ("Ingress", "Egress"):
                for rule in self.network.of_type(f"AWS::EC2::SecurityGroup{way}"):
                    group = identity(rule, rule.get("GroupId"))
                    self._rules.setdefault((group.key, way), []).append(rule)
                    for other in () if group.known else rule.referred(rule.get("GroupId")):
                        text = f"perhaps {other.own_key}"
                        self._rules.setdefault((text, way), []).append(rule)
        return self._rules.get((key.key, direction), ())

    def _revoked(self, key: Identity) -> bool:
        """Whether the CDK takes the rules out of the default group."""
        return any(
            identity(resource, resource.get("DefaultSecurityGroupId")).key == key.key
            for resource in self.network.of_type("Custom::VpcRestrictDefaultSG")
        )


def unknown_group(name: str) -> Group:
    """Groups of which nothing is known."""
    return Group(Identity(name, known=False), (), (), complete=False)


def _inline(resource: ResolvedResource, direction: str) -> Iterator[Rule]:
    name = f"SecurityGroup{direction}"
    entries = resource.items(name)
    for index, value in enumerate([UNKNOWN] if entries is UNKNOWN else entries or ()):
        yield _rule(Location(resource, f"{name}[{index}]"), resource, value)


def _rule(location: Location, owner: ResolvedResource, properties: Any) -> Rule:
    kind = literal(within(properties, "IpProtocol"))
    name = UNKNOWN if kind is UNKNOWN or kind is None else protocol(kind)
    first, last = (literal(within(properties, end)) for end in ("FromPort", "ToPort"))
    every = name == "-1" or (first, last) in ((None, None), (-1, -1), ("-1", "-1"))
    return Rule(
        location,
        name,
        None if every else numbers(first, last),
        _peer(owner, properties),
    )


def _peer(owner: ResolvedResource, properties: Any) -> Identity | Block | PrefixList | Unknown:
    if properties is UNKNOWN or is_function(properties):
        return UNKNOWN
    said = as_mapping(properties)
    for name in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if name in said:
            return identity(owner, said[name])
    for name in ("SourcePrefixListId", "DestinationPrefixListId"):
        if name in said:
            return _prefix_list(owner, said[name])
    return block(literal(said.get("CidrIp", said.get("CidrIpv6"))))


def _prefix_list(owner: ResolvedResource, value: Any) -> PrefixList:
    key = identity(owner, value)
    target = owner.follow(value)
    if target is None:
        return PrefixList(key.name, None, None)
    if target.type != "AWS::EC2::PrefixList":
        # What looks a list of AWS up says its name: com.amazonaws.REGION.s3.
        text = str(target.properties)
        names = [name for name in ("s3", "dynamodb") if f".{name}'" in text or f'.{name}"' in text]
        service = names[0] if len(names) == 1 and "com.amazonaws." in text else None
        return PrefixList(target.title, service, None)
    entries = target.items("Entries")
    blocks = None if entries is UNKNOWN else tuple(_entry_block(e) for e in entries or ())
    return PrefixList(target.title, None, blocks)


def _entry_block(entry: Any) -> Block | Unknown:
    return block(literal(within(entry, "Cidr")))


_OWN: Final = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
_ANYWHERE: Final = (block("0.0.0.0/0"), block("::/0"))
_EVERYWHERE: Final = tuple(Rule(None, "-1", None, peer) for peer in _ANYWHERE)


def security(caller: Side, called: Side, traffic: Traffic) -> Proof:
    """Whether the security groups of both sides let a connection through.

    They keep track of connections: answers need no rule.
    """
    proofs: list[Proof] = [
        Fact(Verdict.UNKNOWN, f"in which subnets {side.name} is, is not known")
        for side in (caller, called)
        if not side.outside and not side.subnets
    ]
    proofs += [] if caller.outside else [allowed(caller, "egress", called, traffic)]
    if not called.outside:
        proofs.append(allowed(called, "ingress", caller, traffic))
    return Every(tuple(proofs))


def allowed(owner: Side, direction: str, peer: Side, traffic: Traffic) -> Proof:
    """Whether the groups of one side let traffic from or to the other through."""
    rules = [rule for group in owner.groups for rule in getattr(group, direction)]
    way, verb = ("from", "receive") if direction == "ingress" else ("to", "send")
    groups = " and ".join(group.name for group in owner.groups) or "nothing"
    unknown = [group.name for group in owner.groups if not group.complete]
    proofs: list[Proof] = []
    # Rules that only cover a part of the ports may cover them together.
    for part in _parts(rules, traffic):
        for place in peer.subnets or (None,):
            facts = [_judged(rule, peer, place, part) for rule in rules]
            missing = (
                Fact(Verdict.UNKNOWN, f"the rules of {unknown[0]} are not in these templates")
                if unknown
                else Fact(
                    Verdict.NO,
                    f"no {direction} rule of {groups} lets {part} {way} {peer.name} through",
                    fix=f"let {groups} {verb} {part} {way} {_whom(peer)}",
                )
            )
            proofs.append(
                Some(tuple(f for f in facts if f.verdict is not Verdict.NO), missing, beside=True)
            )
    return proofs[0] if len(proofs) == 1 else Every(tuple(proofs))


def could_send(owner: Side, traffic: Traffic, to: str) -> Proof:
    """Whether any rule lets a side send something, to whom it cannot be told."""
    rules = [r for group in owner.groups for r in group.egress if covers(r, traffic)]
    if rules or not all(group.complete for group in owner.groups):
        return Fact(Verdict.UNKNOWN, f"where {to} is, is not known")
    groups = " and ".join(group.name for group in owner.groups) or "nothing"
    return Fact(
        Verdict.NO,
        f"no egress rule of {groups} is for {traffic}",
        fix=f"let {groups} send {traffic} to {to}",
    )


def _whom(peer: Side) -> str:
    return " or ".join(group.name for group in peer.groups) or "0.0.0.0/0"


def _parts(rules: Sequence[Rule], traffic: Traffic) -> Iterator[Traffic]:
    """The traffic, cut where a rule for some of its ports begins or ends."""
    starts = {traffic.first}
    for rule in rules:
        if isinstance(rule.ports, tuple) and rule.protocol == traffic.protocol:
            starts.update({rule.ports[0], rule.ports[1] + 1})
    cuts = sorted(start for start in starts if traffic.first <= start <= traffic.last)
    for first, after in zip(cuts, [*cuts[1:], traffic.last + 1], strict=True):
        yield traffic._replace(first=first, last=after - 1)


def _judged(rule: Rule, peer: Side, place: Subnet | None, traffic: Traffic) -> Fact:
    verdict = min(covers(rule, traffic), _is_about(rule, peer, place, traffic.family))
    if rule.location is None:
        return Fact(verdict, rule.made)
    words = f"it is not known whether {rule.location.name} is about {peer.name}"
    return let_through(rule.location, "" if verdict is Verdict.YES else words, verdict)


def covers(rule: Rule, traffic: Traffic) -> Verdict:
    """Whether a rule is for all of these ports."""
    if rule.protocol == "-1":
        return Verdict.YES
    if rule.protocol is UNKNOWN:
        return Verdict.UNKNOWN
    if rule.protocol != traffic.protocol:
        return Verdict.NO
    if rule.ports is None:
        return Verdict.YES
    if rule.ports is UNKNOWN:
        return Verdict.UNKNOWN
    first, last = rule.ports
    return Verdict.YES if first <= traffic.first and traffic.last <= last else Verdict.NO


def _is_about(rule: Rule, peer: Side, place: Subnet | None, family: int) -> Verdict:
    match rule.peer:
        case Identity() as key:
            return max((same(key, group.identity) for group in peer.groups), default=Verdict.NO)
        case PrefixList(service=str() as service):
            return Verdict.YES if service == peer.service else Verdict.NO
        case PrefixList(blocks=tuple() as blocks):
            return max((holds(b, place, family) for b in blocks), default=Verdict.NO)
        case PrefixList() | Unknown():
            return Verdict.UNKNOWN
        case known:
            return holds(known, place, family)


def holds(outer: Block | Unknown, place: Subnet | Block | None, family: int) -> Verdict:
    """Whether a range holds all of a subnet or range, or of the internet where that is `None`."""
    if outer is UNKNOWN:
        return Verdict.UNKNOWN
    if outer.version != family:
        return Verdict.NO
    if outer.prefixlen == 0:
        return Verdict.YES
    if place is None:
        return Verdict.NO if private(outer) else Verdict.UNKNOWN
    if not isinstance(place, Subnet):
        return _within(outer, place)
    inner = place.blocks[family]
    if inner is UNKNOWN and family == 4 and len(place.vpc.blocks) == 1:
        # Wherever in the VPC it is, a range that holds the VPC holds it.
        (whole,) = place.vpc.blocks
        return Verdict.YES if _within(outer, whole) is Verdict.YES else Verdict.UNKNOWN
    return _within(outer, inner)


def private(network: Block) -> bool:
    """Whether all of a range is of networks of one's own, which nothing in the internet is in."""
    return any(_within(own, network) is Verdict.YES for own in _OWN)


def _within(outer: Block, inner: Block | Unknown | None) -> Verdict:
    if inner is None:
        return Verdict.NO
    if inner is UNKNOWN:
        return Verdict.UNKNOWN
    if inner.version != outer.version:
        return Verdict.NO
    if inner.network_address in outer and inner.broadcast_address in outer:
        return Verdict.YES
    return Verdict.UNKNOWN if outer.overlaps(inner) else Verdict.NO
