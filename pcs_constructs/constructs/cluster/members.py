"""What belongs to a cluster, owned or imported: what is wrong with it now that all is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.casts import as_construct
from pcs_constructs.constructs._cdk.once import subnet_id
from pcs_constructs.constructs._cdk.problems import advise
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.tree import forget_removed_members, members_of
from pcs_constructs.constructs.cluster import endpoints
from pcs_constructs.constructs.cluster.queue import Queue
from pcs_constructs.constructs.network.subnets import subnet_cidrs
from pcs_constructs.constructs.nodes.node_group import ComputeNodeGroup
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.constructs.interfaces import ICluster
    from pcs_constructs.model.capacity import ClusterSize
    from pcs_constructs.model.errors import Problem, Unknown


def problems_of_members(
    cluster: ICluster,
    constructs: Sequence[object],
    *,
    size: ClusterSize | Unknown = UNKNOWN,
    tags: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Sequence[Problem]:
    """What is wrong with the node groups and queues of a cluster, now that all are there."""
    forget_removed_members(as_construct(cluster), constructs)
    facts = _facts(cluster, constructs, size, tags, settings)
    problems, advice = rules.errors_in(*facts), rules.advice_on(*facts)
    advise(as_construct(cluster), advice)
    return problems


def _facts(
    cluster: ICluster,
    constructs: Sequence[object],
    size: ClusterSize | Unknown,
    tags: Mapping[str, str] | None,
    settings: Mapping[str, str] | None,
) -> tuple[object, ...]:
    groups, queues = members_of(cluster, ComputeNodeGroup), members_of(cluster, Queue)
    busy = {id(group) for queue in queues for group in queue.node_groups}
    members = rules.ClusterMembersFacts(
        size=size,
        node_group_names=tuple(known(group.name) for group in groups),
        max_instance_counts=tuple(group.scaling.max for group in groups),
        queue_names=tuple(known(queue.name) for queue in queues),
        unused_node_groups=tuple(
            group.name for group in groups if not group.login and id(group) not in busy
        ),
        mount_points={
            group.name: frozenset(
                path
                for path, storage in group.mounts.items()
                if storage.file_share.client is not MountClient.LOCAL
            )
            for group in groups
            if group.mounts is not None
        },
        tags=tags,
    )
    others = endpoints.addresses(cluster, constructs)
    taken = sum(group.addresses for group in groups) + sum(others.values())
    addresses = rules.AddressFacts(
        # Not asked for where any subnet has room.
        cidrs=subnet_cidrs(subnet for group in groups for subnet in group.subnets)
        if taken >= rules.FEWEST_ADDRESSES
        else {},
        demands=tuple(
            (group.name, frozenset(map(subnet_id, group.subnets)), group.addresses)
            for group in groups
        ),
        controller=subnet_id(cluster.subnet),
        others=others,
    )
    ways_out = (
        *endpoints.ways_out(cluster, groups, constructs),
        *endpoints.public_subnets(cluster, groups, constructs),
    )
    ports = rules.SrunPortsFacts(
        ports=known((settings or {}).get("SrunPortRange", "")),
        nodes=sum(group.scaling.max for group in groups if not group.login),
    )
    said = rules.QueuesFacts(
        queues={
            queue.name: {name: known(value) for name, value in queue.slurm_settings.items()}
            for queue in queues
        },
        cluster=UNKNOWN
        if settings is None
        else {name: known(value) for name, value in settings.items()},
    )
    removed = (
        rules.QueueFacts(name=UNKNOWN, node_groups=UNKNOWN, removed=_removed(queue, constructs))
        for queue in queues
    )
    return (members, addresses, said, ports, *ways_out, *removed)


def _removed(queue: Queue, constructs: Sequence[object]) -> tuple[str, ...]:
    """The node groups of a queue that were taken out of the tree again."""
    names: list[str] = []
    for group in queue.node_groups:
        if isinstance(group, ComputeNodeGroup):
            if group.cluster is not queue.cluster:  # the same, imported twice
                forget_removed_members(as_construct(group.cluster), constructs)
            if group not in members_of(group.cluster, ComputeNodeGroup):
                names.append(group.name)
    return tuple(names)


def connections_of(cluster: ICluster) -> ec2.Connections:
    """The network connections of the controller and of every node."""
    groups = dict.fromkeys(
        (cluster.security_group, cluster.compute_security_group, cluster.login_security_group)
    )
    if len(groups) == 1:
        return cluster.security_group.connections
    return ec2.Connections(security_groups=list(groups))
