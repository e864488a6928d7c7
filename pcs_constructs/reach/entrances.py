"""Who may come in from outside of a cluster: to log in, or to use the REST API."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from pcs_constructs.reach.groups import Side, Traffic, covers
from pcs_constructs.reach.network import Identity
from pcs_constructs.reach.proof import Every, Fact, Proof, Some, Verdict, let_through

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pcs_constructs.reach.groups import Rule
    from pcs_constructs.reach.ways import Ways


def nobody_is_admitted(called: Side, traffic: Traffic) -> Fact:
    """What to say of a port that no rule opens."""
    for group in called.groups:
        if not group.complete:
            words = f"the rules of {group.name} are not in these templates"
            return Fact(Verdict.UNKNOWN, words)
    groups = " and ".join(group.name for group in called.groups)
    return Fact(
        Verdict.NO,
        f"no ingress rule of {groups} lets anybody through at {traffic}",
        fix=f"let {groups} receive {traffic} from who is to use it",
    )


def admitted(called: Side, traffic: Traffic) -> Iterator[tuple[str, Identity | None, Proof]]:
    """Whom rules let in at a port: what to call them, their group if it is one, and the rule."""
    found: dict[str, tuple[Identity | None, list[Fact]]] = {}
    for rule in _rules_for(called, traffic):
        group = rule.peer if isinstance(rule.peer, Identity) else None
        found.setdefault(rule.words, (group, []))[1].append(_fact(rule, traffic))
    for source, (group, facts) in found.items():
        yield source, group, Some(tuple(facts), Fact(Verdict.NO, f"{source} is not let in"))


def entrances(
    ways: Ways, called: Side, traffic: Traffic, ours: Collection[str]
) -> Iterator[tuple[str, Proof]]:
    """Whoever is let in at a port by a rule, and whether there is a way.

    Args:
        ways: The judge of the network.
        called: The nodes.
        traffic: The port.
        ours: The security groups of the cluster itself, which is not outside.
    """
    for rule in _rules_for(called, traffic):
        inside = isinstance(rule.peer, Identity) and rule.peer.text in ours
        if not inside and rule.thing is not None:
            way = _way(ways, rule, called, traffic)
            yield rule.words, Every((_fact(rule, traffic), way))


def _rules_for(called: Side, traffic: Traffic) -> Iterator[Rule]:
    for group in called.groups:
        yield from (rule for rule in group.ingress if covers(rule, traffic))


def _fact(rule: Rule, traffic: Traffic) -> Fact:
    verdict = covers(rule, traffic)
    if rule.thing is None:
        return Fact(verdict, "EC2's own rules")
    words = "" if verdict is Verdict.YES else f"the ports of {rule.thing.name} are not known"
    return let_through(rule.thing, words, verdict)


def _way(ways: Ways, rule: Rule, called: Side, traffic: Traffic) -> Proof:
    match rule.peer:
        case Identity():
            # Whoever has the group is in the VPC.
            return Fact(Verdict.YES, "the same VPC")
        case IPv4Network() | IPv6Network() as source:
            traffic = traffic._replace(family=source.version)
            if source.prefixlen and source.is_private and not _example(source):
                return _from_private(source, called)
            return ways.from_internet(called, str(source), traffic)
        case _:
            return Fact(Verdict.UNKNOWN, f"where {rule.words} is, is not known")


def _from_private(source: IPv4Network | IPv6Network, called: Side) -> Fact:
    blocks = [block for place in called.subnets for block in place.vpc.blocks]
    if any(isinstance(block, IPv4Network) and block.overlaps(source) for block in blocks):
        return Fact(Verdict.YES, "the same VPC")
    return Fact(Verdict.UNKNOWN, f"what leads from {source} into the VPC is not in these templates")


def _example(source: IPv4Network | IPv6Network) -> bool:
    """Whether a range is reserved for documents, which stands for public addresses there."""
    return any(
        isinstance(source, IPv4Network) and source.subnet_of(block)
        for block in (
            IPv4Network("192.0.2.0/24"),
            IPv4Network("198.51.100.0/24"),
            IPv4Network("203.0.113.0/24"),
        )
    )
