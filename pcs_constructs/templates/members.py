"""Which node groups and queues belong to which cluster, and what node groups refer to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Unknown
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.types import CLUSTER, LAUNCH_TEMPLATE, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from pcs_constructs.templates.resolved import ResolvedResource, ResolvedTemplates


class Membership:
    """The clusters of some templates with all that belongs to them.

    Args:
        resolved: The templates.
        absent: Whether those count, too, that are not made.
    """

    def __init__(self, resolved: ResolvedTemplates, *, absent: bool = False) -> None:
        self.resolved = resolved
        of_type = resolved.declared_of_type if absent else resolved.of_type
        self.clusters = list(of_type(CLUSTER))
        self.groups = list(of_type(NODE_GROUP))
        self.queues = list(of_type(QUEUE))
        self._served: dict[int, list[ResolvedResource | None]] = {}
        self._idle: dict[str, list[ResolvedResource]] = {}
        self._own_keys = {cluster.own_key: cluster for cluster in self.clusters}

    @cached_property
    def keys(self) -> list[str]:
        """A key for each cluster, be it made here or only referred to."""
        keys = [
            *self._own_keys,
            *(self.key(resource) for resource in (*self.groups, *self.queues)),
        ]
        return [key for key in dict.fromkeys(keys) if key is not None]

    def key(self, member: ResolvedResource) -> str | None:
        """The key of the cluster that a node group or queue belongs to."""
        return self._keys.get(id(member))

    @cached_property
    def _keys(self) -> dict[int, str | None]:
        return {
            id(member): member.key(member.get("ClusterId"))
            for member in (*self.groups, *self.queues)
        }

    @cached_property
    def _groups_of(self) -> dict[str | None, list[ResolvedResource]]:
        return self._by_cluster(self.groups)

    @cached_property
    def _queues_of(self) -> dict[str | None, list[ResolvedResource]]:
        return self._by_cluster(self.queues)

    def _by_cluster(
        self, members: list[ResolvedResource]
    ) -> dict[str | None, list[ResolvedResource]]:
        by_cluster: dict[str | None, list[ResolvedResource]] = {}
        for member in members:
            by_cluster.setdefault(self.key(member), []).append(member)
        return by_cluster

    def cluster(self, key: str | None) -> ResolvedResource | None:
        """The cluster with this key, where it is made here."""
        return self._own_keys.get(key or "")

    def cluster_of(self, member: ResolvedResource) -> ResolvedResource | None:
        """The cluster of a node group or queue, where it is made here."""
        return self.cluster(self.key(member))

    def groups_of(self, key: str) -> list[ResolvedResource]:
        """The node groups of a cluster."""
        return self._groups_of.get(key, [])

    def queues_of(self, key: str) -> list[ResolvedResource]:
        """The queues of a cluster."""
        return self._queues_of.get(key, [])

    def served_by(self, queue: ResolvedResource) -> list[ResolvedResource | None]:
        """The node groups of a queue, `None` for those that are made elsewhere."""
        if id(queue) not in self._served:
            self._served[id(queue)] = [
                queue.follow(as_mapping(each).get("ComputeNodeGroupId"))
                for each in queue.each("ComputeNodeGroupConfigurations")
            ]
        return self._served[id(queue)]

    def queues_with(self, group: ResolvedResource) -> list[ResolvedResource]:
        """The queues that name a node group."""
        return self._queues_with.get(id(group), [])

    @cached_property
    def _queues_with(self) -> dict[int, list[ResolvedResource]]:
        by_group: dict[int, list[ResolvedResource]] = {}
        for queue in self.queues:
            for group in {id(served) for served in self.served_by(queue) if served is not None}:
                by_group.setdefault(group, []).append(queue)
        return by_group

    def idle(self, key: str) -> list[ResolvedResource]:
        """The node groups that surely no queue of their cluster names."""
        if key not in self._idle:
            self._idle[key] = self._unnamed(key)
        return self._idle[key]

    def _unnamed(self, key: str) -> list[ResolvedResource]:
        queues = self.queues_of(key)
        used: set[int] = set()
        for queue in queues:
            served = self.served_by(queue)
            if queue.count("ComputeNodeGroupConfigurations") is UNKNOWN or None in served:
                return []
            used.update(id(group) for group in served)
        if not queues:  # they may all be in another stack
            return []
        return [g for g in self.groups_of(key) if id(g) not in used and not _is_output(g)]

    def is_login(self, group: ResolvedResource) -> bool:
        """Whether people log in there: nodes that always run, and that no queue names."""
        low, high = (group.whole("ScalingConfiguration", f"{m}InstanceCount") for m in _ENDS)
        key = self.key(group)
        if key is None or low != high or not isinstance(low, int) or low < 1:
            return False
        return any(group is other for other in self.idle(key))


_ENDS: Final = ("Min", "Max")


def _is_output(resource: ResolvedResource) -> bool:
    """Whether its template tells others of it."""
    outputs = (output.get("Value") for output in resource.template.outputs.values())
    return any(
        resource is named
        for value in outputs
        for named in resource.referred(resource.stack.reduced(value))
    )


def slurm_of(cluster: ResolvedResource | None) -> SlurmVersion | Unknown:
    """The version of Slurm of a cluster, where it is known."""
    version = cluster.text("Scheduler", "Version") if cluster else None
    if version is None or version is UNKNOWN:
        return UNKNOWN
    try:
        return SlurmVersion.of(version)
    except PcsValidationError:  # told with the cluster
        return UNKNOWN


def accounting_of(cluster: ResolvedResource | None) -> bool | Unknown:
    """Whether a cluster has accounting, where it is known."""
    if cluster is None:
        return UNKNOWN
    mode = cluster.text("SlurmConfiguration", "Accounting", "Mode")
    return UNKNOWN if mode is UNKNOWN else mode == "STANDARD"


def instance_types(group: ResolvedResource) -> tuple[str, ...] | Unknown:
    """The instance types of a node group."""
    entries = group.items("InstanceConfigs")
    if entries is UNKNOWN:
        return UNKNOWN
    names = [group.text("InstanceConfigs", i, "InstanceType") for i in range(len(entries or []))]
    known = [name for name in names if isinstance(name, str)]
    return tuple(known) if len(known) == len(names) else UNKNOWN


def launch_template(group: ResolvedResource) -> ResolvedResource | None:
    """The launch template of a node group, where it is made here."""
    target = group.follow(group.get("CustomLaunchTemplate", "TemplateId"))
    return target if target and target.type == LAUNCH_TEMPLATE else None
