"""Rules for queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pcs_constructs.errors import Breach, Unknown
from pcs_constructs.rules.names import name_breaches
from pcs_constructs.rules.rule import advice, error

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """What a queue resource shows, with what is known of the node groups that it names."""

    name: str | Unknown
    node_groups: int | Unknown
    strangers: tuple[str, ...] = ()
    """Node groups that belong to another cluster."""
    login_groups: tuple[str, ...] = ()
    """Node groups that people log in to."""
    architectures: frozenset[str] = frozenset()


@error("PCS301", QueueFacts)
def queue_name_is_valid(facts: QueueFacts) -> Iterator[Breach]:
    """A queue name has 3 to 25 letters, digits and hyphens and starts with a letter.

    It is what people type after `sbatch -p`. Without `name` it is the construct's id.

    Source: `QueueName` of the API; Creating a queue in AWS PCS.
    """
    yield from name_breaches("queue", facts.name, 25)


@error("PCS303", QueueFacts)
def queue_has_a_node_group(facts: QueueFacts) -> Iterator[Breach]:
    """A queue names at least one node group.

    CloudFormation's schema lets the list be empty; the API wants one or more, and a job in a queue
    without nodes would wait for ever.

    Source: `CreateQueue` API; Creating a queue in AWS PCS.
    """
    if facts.node_groups == 0:
        yield Breach(
            "node_groups",
            "names no node group",
            "pass what add_compute_node_group returned: node_groups=[compute]",
        )


@error("PCS304", QueueFacts)
def queue_and_node_groups_share_a_cluster(facts: QueueFacts) -> Iterator[Breach]:
    """The node groups of a queue belong to the queue's cluster.

    Source: `CreateQueue` API.
    """
    for name in facts.strangers:
        yield Breach(
            "node_groups",
            f"{name!r} belongs to another cluster",
            "make the queue with add_queue of the cluster that the node group is in",
        )


@advice("PCS305", QueueFacts)
def queue_leaves_login_nodes_alone(facts: QueueFacts) -> Iterator[Breach]:
    """No queue runs jobs on login nodes.

    A job would take the processors and the memory of the people who are logged in.

    Source: Using AWS PCS login nodes.
    """
    for name in facts.login_groups:
        yield Breach(
            "node_groups",
            f"{name!r} is for logging in",
            "make a compute node group for the queue's jobs",
        )


@advice("PCS306", QueueFacts)
def queue_has_one_architecture(facts: QueueFacts) -> Iterator[Breach]:
    """All nodes of a queue have one processor architecture.

    A program built for x86_64 does not start on arm64, and Slurm does not look.

    Source: Slurm's `sbatch --constraint`; Compute node groups in AWS PCS.
    """
    if len(facts.architectures) > 1:
        yield Breach(
            "node_groups",
            f"mixes {' and '.join(sorted(facts.architectures))}",
            "make a queue for each architecture",
        )
