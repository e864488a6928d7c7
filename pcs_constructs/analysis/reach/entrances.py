"""Who may come in from outside of a cluster: to log in, or to use the REST API."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from pcs_constructs.analysis.reach.groups import Side, Traffic, covers, private
from pcs_constructs.analysis.reach.network import Block, Identity
from pcs_constructs.analysis.reach.proof import Every, Fact, Proof, Some, Verdict, let_through
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pcs_constructs.analysis.reach.groups import Rule
    from pcs_constructs.analysis.reach.ways import Ways


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


def admitted(
    ways: Ways, called: Side, traffic: Traffic
) -> Iterator[tuple[str, Identity | None, Proof]]:
    """Whom rules let in at a port: what to call them, their group if it is one, and whether."""
    by_source: dict[str, tuple[Rule, list[Fact]]] = {}
    for rule in _rules_for(called, traffic):
        by_source.setdefault(rule.words, (rule, []))[1].append(_fact(rule, traffic))
    for source, (rule, facts) in by_source.items():
        group = rule.peer if isinstance(rule.peer, Identity) else None
        let_in = Some(tuple(facts), Fact(Verdict.NO, f"{source} is not let in"))
        yield source, group, Every((let_in, _way(ways, rule, called, traffic)))


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
        inside = isinstance(rule.peer, Identity) and rule.peer.key in ours
        if not inside and rule.location is not None:
            way = _way(ways, rule, called, traffic)
            yield rule.words, Every((_fact(rule, traffic), way))


def _rules_for(called: Side, traffic: Traffic) -> Iterator[Rule]:
    for group in called.groups:
        yield from (rule for rule in group.ingress if covers(rule, traffic))


def _fact(rule: Rule, traffic: Traffic) -> Fact:
    verdict = covers(rule, traffic)
    if rule.location is None:
        return Fact(verdict, rule.made)
    words = "" if verdict is Verdict.YES else f"the ports of {rule.location.name} are not known"
    return let_through(rule.location, words, verdict)


def _way(ways: Ways, rule: Rule, called: Side, traffic: Traffic) -> Proof:
    match rule.peer:
        case Identity() as group:
            return ways.from_group(called, ways.groups.group(group), traffic)
        case IPv4Network() | IPv6Network() as source:
            traffic = traffic._replace(family=source.version)
            inside = _inside(source, called)
            if inside:
                return ways.from_inside(called, inside, traffic, str(source))
            if private(source):
                words = f"what leads from {source} into the VPC is not in these templates"
                unknown = Fact(Verdict.UNKNOWN, words)
                return Every((unknown, ways.acls_of(called, source, traffic)))
            return ways.from_internet(called, source, traffic)
        case _:
            return Fact(Verdict.UNKNOWN, f"where {rule.words} is, is not known")


def _inside(source: Block, called: Side) -> list[Block]:
    """What a range has of the VPC; nothing of what is for the whole internet."""
    if source.prefixlen == 0:
        return []
    blocks = {
        block
        for place in called.subnets
        for block in place.vpc.blocks
        if block is not UNKNOWN and block.version == source.version and block.overlaps(source)
    }
    # Of two ranges that overlap one holds the other.
    return [max(block, source, key=lambda each: each.prefixlen) for block in blocks]
