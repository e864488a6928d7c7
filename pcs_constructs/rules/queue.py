"""Rules for queues."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.slurm_settings import is_yes
from pcs_constructs.rules.names import name_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@facts_record
class QueueFacts:
    """What a queue resource shows, with what is known of the node groups that it names."""

    name: str | Unknown
    node_groups: int | Unknown
    strangers: tuple[str, ...] = ()
    """Node groups that belong to another cluster."""
    removed: tuple[str, ...] = ()
    """Node groups that were taken out of the app again."""
    login_groups: tuple[str, ...] = ()
    """Node groups that people log in to."""
    architectures: frozenset[str] = frozenset()
    ultraservers: Mapping[str, int | Unknown] = field(default_factory=dict[str, "int | Unknown"])
    """The maximum instance count of each node group of UltraServers."""
    other_groups: tuple[str, ...] = ()
    """Node groups that are known to be of other instances."""
    names_none: bool = False
    """Whether a template leaves the node groups out, or the list of them empty."""


@error("PCS301", QueueFacts)
def queue_name_is_valid(facts: QueueFacts) -> Iterator[Violation]:
    """A queue name has 3 to 25 letters, digits and hyphens and starts with a letter.

    It is what people type after `sbatch -p`. Without `name` it is the construct's id.

    Source: `QueueName` of the API; Creating a queue in AWS PCS.
    """
    yield from name_violations("queue", facts.name, 25)


@error("PCS303", QueueFacts)
def queue_has_a_node_group(facts: QueueFacts) -> Iterator[Violation]:
    """A queue names at least one node group.

    A job in a queue without nodes would wait for ever. Of a template, of which nobody knows whether
    AWS PCS takes it so, it is advice: PCS309.

    Source: `CreateQueue` API; Creating a queue in AWS PCS.
    """
    if facts.node_groups == 0:
        yield Violation(
            "node_groups",
            "names no node group",
            "pass what add_compute_node_group returned: node_groups=[compute]",
            template_fix="name at least one in ComputeNodeGroupConfigurations",
        )


@error("PCS304", QueueFacts)
def queue_and_node_groups_share_a_cluster(facts: QueueFacts) -> Iterator[Violation]:
    """The node groups of a queue belong to the queue's cluster.

    One that was taken out of the app again, with `try_remove_child`, belongs to none.

    Source: `CreateQueue` API.
    """
    for name in facts.strangers:
        yield Violation(
            "node_groups",
            f"{name!r} belongs to another cluster",
            "make the queue with add_queue of the cluster that the node group is in",
            template_fix="give the queue the ClusterId of its node groups",
        )
    for name in facts.removed:
        yield Violation(
            "node_groups",
            f"{name!r} was taken out of the app after a queue was made for it",
            "take the queue out as well, or make it without the node group",
        )


@advice("PCS305", QueueFacts)
def queue_leaves_login_nodes_alone(facts: QueueFacts) -> Iterator[Violation]:
    """No queue runs jobs on login nodes.

    A job would take the processors and the memory of the people who are logged in.

    Source: Using AWS PCS login nodes.
    """
    for name in facts.login_groups:
        yield Violation(
            "node_groups",
            f"{name!r} is for logging in",
            "make a compute node group for the queue's jobs",
        )


@advice("PCS306", QueueFacts)
def queue_has_one_architecture(facts: QueueFacts) -> Iterator[Violation]:
    """All nodes of a queue have one processor architecture.

    A program built for x86_64 does not start on arm64, and Slurm does not look.

    Source: Slurm's `sbatch --constraint`; Compute node groups in AWS PCS.
    """
    if len(facts.architectures) > 1:
        yield Violation(
            "node_groups",
            f"mixes {' and '.join(sorted(facts.architectures))}",
            "make a queue for each architecture",
        )


@advice("PCS307", QueueFacts)
def ultraservers_have_queues_of_their_own(facts: QueueFacts) -> Iterator[Violation]:
    """A queue of UltraServers (`p6e-...`) has no nodes of another kind.

    AWS PCS configures Slurm's topology for the blocks of such a queue. That it refuses others no
    other source says.

    Source: Configure UltraServer instances, "Limitations".
    """
    if facts.ultraservers and facts.other_groups:
        yield Violation(
            "node_groups",
            f"mixes UltraServers ({', '.join(facts.ultraservers)}) with others "
            f"({', '.join(facts.other_groups)})",
            "make a queue for each",
        )


@advice("PCS308", QueueFacts)
def ultraservers_come_in_powers_of_two(facts: QueueFacts) -> Iterator[Violation]:
    """The node groups of UltraServers in a queue have sizes that are powers of two of each other.

    Such as 9 and 18, or 2 and 8: Slurm builds larger blocks by doubling. That AWS PCS refuses
    others no other source says.

    Source: Configure UltraServer instances, "Limitations".
    """
    counts = {
        name: count for name, count in facts.ultraservers.items() if count is not UNKNOWN and count
    }
    smallest = min(counts.values(), default=1)
    for name, count in counts.items():
        times, rest = divmod(count, smallest)
        if rest or times.bit_count() != 1:
            yield Violation(
                "node_groups",
                f"{name} has {count} UltraServer instances beside {smallest} of another group",
                f"use {smallest}, {2 * smallest}, {4 * smallest} and so on, or make two queues",
            )


@advice("PCS309", QueueFacts)
def queue_of_a_template_has_a_node_group(facts: QueueFacts) -> Iterator[Violation]:
    """A queue of a template names at least one node group.

    The description of the API wants one or more, while its model and CloudFormation's schema let
    the list be empty. A job in a queue without nodes waits for ever.

    Source: `CreateQueue` API; `AWS::PCS::Queue` in CloudFormation's schema.
    """
    if facts.names_none:
        yield Violation(
            "node_groups",
            "names no node group",
            "name at least one in ComputeNodeGroupConfigurations",
        )


@facts_record
class QueuesFacts:
    """What the queues of one cluster say, and the cluster itself."""

    queues: Mapping[str, Mapping[str, str | Unknown]]
    """The parameters of each queue."""
    cluster: Mapping[str, str | Unknown] | Unknown = UNKNOWN
    """The parameters of the cluster."""

    def said(self, name: str) -> dict[str, str]:
        """By queue, what is known to be said of a parameter."""
        said = {queue: settings.get(name, UNKNOWN) for queue, settings in self.queues.items()}
        return {queue: value for queue, value in said.items() if value is not UNKNOWN}


@advice("PCS822", QueuesFacts)
def one_queue_is_the_default(facts: QueuesFacts) -> Iterator[Violation]:
    """One queue of a cluster is its default at most.

    Jobs that name no queue go to it. Of several Slurm keeps one, and nobody says which.

    Source: `Default` of `slurm.conf`.
    """
    names = [name for name, value in facts.said("Default").items() if is_yes(value)]
    if len(names) > 1:
        yield Violation(
            "slurm_settings",
            f"{len(names)} queues are the default: {', '.join(names)}",
            "leave it to one of them",
        )


@advice("PCS833", QueuesFacts)
def preemption_has_something_to_go_by(facts: QueuesFacts) -> Iterator[Violation]:
    """Where queues decide who makes room, the cluster says so and their priority tiers differ.

    Slurm heeds the `PreemptMode` of a queue, and its tier for preemption, only if the cluster's
    `PreemptType` is `preempt/partition_prio`: `preemption=pcs.Preemption.by_queue()`. With it, jobs
    of queues with the same `PriorityTier`, 1 if nothing is said, leave each other alone.

    Source: `PreemptType`, `PreemptMode` and `PriorityTier` of `slurm.conf`.
    """
    if facts.cluster is UNKNOWN:
        return
    kind = facts.cluster.get("PreemptType", "")
    modes = {n: m for n, m in facts.said("PreemptMode").items() if m.upper() != "OFF"}
    if kind == "" and modes:
        yield Violation(
            "preempt_mode",
            f"preemption is set for {', '.join(modes)}, and the cluster has none",
            "give the cluster preemption=pcs.Preemption.by_queue()",
            template_fix="set PreemptType of the cluster to preempt/partition_prio, and "
            "PreemptMode to one such as REQUEUE",
        )
    if kind == "preempt/qos" and modes:
        yield Violation(
            "preempt_mode",
            f"preemption is set for {', '.join(modes)}, and that of the cluster goes by QOS",
            "set it with sacctmgr for the QOS, or write preemption=pcs.Preemption.by_queue()",
            template_fix="set it with sacctmgr for the QOS, or "
            "set PreemptType of the cluster to preempt/partition_prio",
        )
    tiers = {settings.get("PriorityTier", "1") for settings in facts.queues.values()}
    if kind == "preempt/partition_prio" and UNKNOWN not in tiers and len(tiers) < 2:
        yield Violation(
            "preemption",
            "jobs make room by queue, and all queues have the same priority tier",
            "give the queue whose jobs go first priority_tier=10",
            template_fix="give the queue whose jobs go first a higher PriorityTier, such as 10",
        )


@error("PCS843", QueuesFacts)
def queues_suspend_where_jobs_wake_again(facts: QueuesFacts) -> Iterator[Violation]:
    """A queue whose jobs are suspended is in a cluster with Slurm's gang scheduler.

    Only that one wakes them, and the manual wants `GANG` at the cluster for every `SUSPEND`. Slurm
    starts without it. `Preemption.by_queue(mode=pcs.PreemptMode.SUSPEND)` brings it; queues whose
    jobs are not to be suspended say `preempt_mode` then.

    Source: `PreemptMode` of `slurm.conf`.
    """
    mode = UNKNOWN if facts.cluster is UNKNOWN else facts.cluster.get("PreemptMode", "")
    if mode is UNKNOWN or "GANG" in mode.upper():
        return
    for queue, own in facts.said("PreemptMode").items():
        if "SUSPEND" in own.upper():
            yield Violation(
                "preempt_mode",
                f"jobs of {queue} are suspended, and the cluster has no gang scheduler",
                "give the cluster Preemption.by_queue(mode=pcs.PreemptMode.SUSPEND)",
                template_fix="set PreemptMode of the cluster to SUSPEND,GANG",
            )
