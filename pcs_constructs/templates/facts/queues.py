"""What queues show, with their node groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm_settings import QUEUE
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.settings import declared_qos, settings_evidence
from pcs_constructs.templates.members import accounting_of, instance_types, slurm_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_GROUPS: Final = "ComputeNodeGroupConfigurations"


def queue_evidence(queue: ResolvedResource, membership: Membership) -> Iterator[Evidence]:
    """What one queue shows."""
    name = queue.text("Name")
    cluster = membership.cluster_of(queue)
    groups = [group for group in membership.served_by(queue) if group is not None]
    strangers = _strangers(queue, membership)
    types = {group.name: instance_types(group) for group in groups}
    known = {n: t for n, t in types.items() if t is not UNKNOWN and t}
    architectures = {
        instance.architecture
        for each in known.values()
        for instance in instances.known(each).values()
    }
    ultra = [group for group in groups if _is_ultra(known.get(group.name))]
    locations: dict[str, Path | Location] = {"name": ("Name",), "node_groups": (_GROUPS,)}
    if strangers:
        locations["PCS304"] = (_GROUPS, strangers[0][0])
    yield Evidence(
        facts=rules.QueueFacts(
            name=UNKNOWN if name is None else name,
            node_groups=UNKNOWN,
            names_none=queue.count(_GROUPS) == 0,
            strangers=tuple(group.name for _, group in strangers),
            architectures=frozenset(architectures),
            ultraservers={g.name: _most(g) for g in ultra},
            other_groups=tuple(n for n, each in known.items() if not _is_ultra(each)),
        ),
        resource=queue,
        locations=locations,
    )
    yield from settings_evidence(
        queue,
        QUEUE,
        ("SlurmConfiguration", "SlurmCustomSettings"),
        slurm_of(cluster),
        accounting=accounting_of(cluster),
        qos=declared_qos(cluster),
    )
    for i in range(len(queue.each(_GROUPS))):
        group_id = queue.text(_GROUPS, i, "ComputeNodeGroupId")
        if isinstance(group_id, str):
            yield Evidence(
                facts=rules.NodeGroupReferenceFacts(compute_node_group_id=group_id),
                resource=queue,
                locations={"compute_node_group_id": (_GROUPS, i, "ComputeNodeGroupId")},
            )


def _strangers(
    queue: ResolvedResource, membership: Membership
) -> list[tuple[int, ResolvedResource]]:
    """Node groups that are surely of another cluster, by their places."""
    own = membership.cluster_of(queue)
    strangers: list[tuple[int, ResolvedResource]] = []
    for i, group in enumerate(membership.served_by(queue)):
        other = membership.cluster_of(group) if group else None
        if group and other and own and other is not own:
            strangers.append((i, group))
    return strangers


def _is_ultra(types: tuple[str, ...] | Unknown | None) -> bool:
    return types is not None and types is not UNKNOWN and rules.are_ultraservers(types)


def _most(group: ResolvedResource) -> int | Unknown:
    most = group.whole("ScalingConfiguration", "MaxInstanceCount")
    return UNKNOWN if most is None else most
