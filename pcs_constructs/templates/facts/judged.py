"""Everything that the rules can judge of templates, and what they say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.templates.facts.clusters import (
    address_evidence,
    cluster_evidence,
    environment_evidence,
    members_evidence,
    version_problems,
)
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.identity import identity_evidence, parameter_evidence
from pcs_constructs.templates.facts.mounts import mount_evidence
from pcs_constructs.templates.facts.networks import network_evidence
from pcs_constructs.templates.facts.node_groups import node_group_evidence
from pcs_constructs.templates.facts.queues import queue_evidence
from pcs_constructs.templates.facts.resources import code_evidence, resource_evidence
from pcs_constructs.templates.facts.storage import storage_evidence
from pcs_constructs.templates.members import Membership
from pcs_constructs.templates.types import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pcs_constructs.model.errors import Problem
    from pcs_constructs.templates.resolved import ResolvedTemplates


def judged(resolved: ResolvedTemplates) -> Iterator[tuple[Location, Problem]]:
    """Every broken rule with its place, errors and advice."""
    for each in evidence(resolved):
        for problem in (*rules.errors_in(each.facts), *rules.advice_on(each.facts)):
            yield each.location(problem.code, problem.argument), problem
    for cluster in resolved.of_type(CLUSTER):
        for problem in version_problems(cluster):
            yield Location(cluster, ("Scheduler", "Version")), problem


def evidence(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """Everything that the rules can judge."""
    membership = Membership(resolved)
    yield from resource_evidence(membership)
    for cluster in membership.clusters:
        yield from cluster_evidence(cluster)
    for group in membership.groups:
        yield from node_group_evidence(group, membership)
    for queue in membership.queues:
        yield from queue_evidence(queue, membership)
    for about_all in _ABOUT_ALL:
        yield from about_all(membership)
    yield from storage_evidence(resolved)
    yield from code_evidence(resolved)
    yield from parameter_evidence(list(resolved.resources.values()))


_ABOUT_ALL: Final[Sequence[Callable[[Membership], Iterator[Evidence]]]] = (
    members_evidence,
    environment_evidence,
    address_evidence,
    network_evidence,
    identity_evidence,
    mount_evidence,
)
