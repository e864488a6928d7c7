"""Elastic Fabric Adapter: it heeds rules of security groups that name a group, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pcs_constructs.analysis.reach.network import Identity, same
from pcs_constructs.analysis.reach.proof import Every, Fact, Proof, Some, Verdict, let_through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pcs_constructs.analysis.reach.groups import Rule, Side


def efa(callers: Sequence[Side], called: Sequence[Side], *, shared: bool) -> Proof:
    """Whether the interfaces of one side reach those of the other by EFA.

    All protocols have to be let out and in, by rules about a group.

    Args:
        callers: The interfaces of one side, each with its groups.
        called: Those of the other.
        shared: Whether they need a group that both have. Nodes do, for all that is documented; the
            servers of Lustre may have groups of their own.

    Source: Get started with EFA, "Prepare an EFA-enabled security group", in the EC2 User Guide.
    """
    # Interfaces of a node mostly have the same groups: each pair of sets is judged once.
    pairs = {
        (frozenset(one.groups), frozenset(other.groups)): (one, other)
        for one in callers
        for other in called
    }
    proofs = [_one_way(one, other, shared=shared) for one, other in pairs.values()]
    return proofs[0] if len(proofs) == 1 else Every(tuple(proofs))


def _one_way(one: Side, other: Side, *, shared: bool) -> Proof:
    return Every(
        (
            _allowed(one, "egress", other, shared=shared),
            _allowed(other, "ingress", one, shared=shared),
        )
    )


def _allowed(owner: Side, direction: str, peer: Side, *, shared: bool) -> Proof:
    rules: list[Rule] = [rule for group in owner.groups for rule in getattr(group, direction)]
    facts = [_judged(rule, owner, peer, shared=shared) for rule in rules]
    groups = " and ".join(group.name for group in owner.groups) or "nothing"
    way, verb = ("from", "receive") if direction == "ingress" else ("to", "send")
    unseen = [group.name for group in owner.groups if not group.complete]
    missing = (
        Fact(Verdict.UNKNOWN, f"the rules of {unseen[0]} are not in these templates")
        if unseen
        else Fact(
            Verdict.NO,
            f"no {direction} rule of {groups} lets all traffic {way} a group of {peer.name} "
            "through, and EFA heeds no rule for addresses",
            fix=f"let {groups} {verb} all traffic {way} itself",
        )
    )
    possible = tuple(fact for fact in facts if fact.verdict is not Verdict.NO)
    return Some(possible, missing, beside=True)


def _judged(rule: Rule, owner: Side, peer: Side, *, shared: bool) -> Fact:
    if not isinstance(rule.peer, Identity) or rule.protocol != "-1":
        return Fact(Verdict.NO, "")
    key = rule.peer
    verdict = max((same(key, group.identity) for group in peer.groups), default=Verdict.NO)
    words = f"it is not known whether {key.name} is a group of {peer.name}"
    if verdict is Verdict.YES and shared:
        both = max((same(key, group.identity) for group in owner.groups), default=Verdict.NO)
        if both is not Verdict.YES:
            # Documented for one group only, to and from itself.
            verdict = Verdict.UNKNOWN
            words = f"that EFA works between groups, of which {key.name} is one, is not documented"
    if rule.location is None:
        return Fact(verdict, rule.made or words)
    return let_through(rule.location, words, verdict)
