"""What network ACLs let through; they keep no track of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs.analysis.reach.groups import Traffic, holds
from pcs_constructs.analysis.reach.network import Subnet
from pcs_constructs.analysis.reach.proof import (
    Fact,
    Verdict,
    let_through,
)
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.analysis.reach.network import (
        Acl,
        Block,
        Entry,
    )

# Where Linux has the ports that answers come to; an ACL that is for fewer keeps some away.
ANSWERS: Final = (32768, 60999)

_UNSEEN: Final = "{} is not in these templates"


def acls(
    here: Subnet, there: Subnet | None, traffic: Traffic, ports: tuple[int, int] = ANSWERS
) -> Iterator[Fact]:
    """What network ACLs say of a connection and of its answers, of which they keep no track."""
    answers = Traffic(traffic.protocol, *ports, traffic.family)
    yield acl(here.acl, there, traffic, egress=True)
    yield acl(here.acl, there, answers, egress=False)
    if there is not None:
        yield acl(there.acl, here, traffic, egress=False)
        yield acl(there.acl, here, answers, egress=True)


def acl(list_: Acl, peer: Subnet | Block | None, traffic: Traffic, *, egress: bool) -> Fact:
    """What one network ACL says of some traffic in one direction."""
    if not list_.complete:
        return Fact(Verdict.UNKNOWN, _UNSEEN.format(list_.name))
    if list_.untouched:
        return Fact(Verdict.YES, list_.name)
    if list_.association is not None and not list_.association.certain:
        return Fact(Verdict.UNKNOWN, f"{list_.association.name} has a condition")
    to = "the internet" if peer is None else peer.name if isinstance(peer, Subnet) else str(peer)
    way = "to" if egress else "from"
    nothing = Fact(
        Verdict.NO,
        f"{list_.name} does not let {traffic} {way} {to} through",
        fix=f"let {list_.name} allow {traffic} {way} {to}",
    )
    doubt = False
    for entry in list_.entries:
        if entry.egress is not egress and entry.egress is not UNKNOWN:
            continue
        sure = UNKNOWN not in (entry.egress, entry.allows, entry.number) and entry.location.certain
        match _matches(entry, peer, traffic):
            case Verdict.NO:
                continue
            case Verdict.YES if sure and not doubt:
                if entry.allows:
                    return let_through(entry.location)
                words = f"{entry.location.name} denies {traffic} {way} {to}"
                return Fact(Verdict.NO, words, fix=nothing.fix)
            case _:
                doubt = True
    if doubt:
        words = f"what {list_.name} says of {traffic} {way} {to} is not sure for all of it"
        return Fact(Verdict.UNKNOWN, words)
    return nothing


def _matches(entry: Entry, peer: Subnet | Block | None, traffic: Traffic) -> Verdict:
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
