"""Queues: what people submit jobs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Required, TypedDict

from aws_cdk import aws_pcs as cfn
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known, known_all
from pcs_constructs.constructs._cdk.tree import add_member
from pcs_constructs.constructs.nodes.parameters import SlurmParameters
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm_settings import QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aws_cdk as cdk

    from pcs_constructs.constructs.interfaces import ICluster, IComputeNodeGroup
    from pcs_constructs.model.slurm import PreemptMode


class QueueOptions(TypedDict, total=False):
    """The arguments of `Queue` that `Cluster.add_queue` forwards."""

    node_groups: Required[Sequence[IComputeNodeGroup]]
    name: str | None
    default: bool
    max_time: cdk.Duration | None
    default_time: cdk.Duration | None
    priority_tier: int | None
    priority_job_factor: int | None
    preempt_mode: PreemptMode | None
    grace_time: cdk.Duration | None
    allow_accounts: Sequence[str]
    deny_accounts: Sequence[str]
    allow_qos: Sequence[str]
    deny_qos: Sequence[str]
    qos: str | None
    slurm_settings: Mapping[str, str] | None


class Queue(Construct):
    """A queue, which Slurm calls a partition: people submit jobs to it with `sbatch -p`.

    Resources:
        A queue.

    Security:
        Everybody who can log in may submit to every queue, unless Slurm accounting says otherwise.

    Args:
        cluster: The cluster, owned or imported.
        node_groups: The node groups that run its jobs, one or more of the same cluster.
        name: Its name, 3 to 25 letters, digits and hyphens. By default the id: people type it.
            Changing it replaces the queue and ends its jobs.
        default: Whether jobs that name no queue come here. By default not.
        max_time: The longest that a job may run. By default without end.
        default_time: How long a job may run that does not say. By default as long as `max_time`.
        priority_tier: Jobs of a queue with a higher number are looked at before all others, and
            with `Preemption.by_queue` go before them, 0 to 65533. By default Slurm's 1.
        priority_job_factor: What the queue adds to the priority of its jobs, where the cluster has
            `PriorityWeightPartition`, 0 to 65533. By default Slurm's 1.
        preempt_mode: What happens to jobs here that make room for others. By default what the
            cluster's `preemption` says.
        grace_time: How long a job may go on that is told to make room. By default not at all.
        allow_accounts: The accounts whose jobs are taken. By default all.
        deny_accounts: The accounts whose jobs are not taken. By default none.
        allow_qos: The QOS whose jobs are taken. By default all.
        deny_qos: The QOS whose jobs are not taken. By default none.
        qos: The QOS whose limits hold for all jobs here. By default none.
        slurm_settings: Further Slurm parameters of the partition by Slurm's names, such as
            `{"OverSubscribe": "EXCLUSIVE"}`. By default none.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Creating a queue in AWS PCS; `AWS::PCS::Queue`.
    """

    cluster: Final[ICluster]
    """The cluster it belongs to."""

    name: Final[str]
    """Its physical name."""

    node_groups: Final[tuple[IComputeNodeGroup, ...]]
    """The node groups that run its jobs."""

    slurm_settings: Final[Mapping[str, str]]
    """Its Slurm parameters, those that have arguments of their own among them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ICluster,
        node_groups: Sequence[IComputeNodeGroup],
        name: str | None = None,
        default: bool = False,
        max_time: cdk.Duration | None = None,
        default_time: cdk.Duration | None = None,
        priority_tier: int | None = None,
        priority_job_factor: int | None = None,
        preempt_mode: PreemptMode | None = None,
        grace_time: cdk.Duration | None = None,
        allow_accounts: Sequence[str] = (),
        deny_accounts: Sequence[str] = (),
        allow_qos: Sequence[str] = (),
        deny_qos: Sequence[str] = (),
        qos: str | None = None,
        slurm_settings: Mapping[str, str] | None = None,
    ) -> None:
        given = Arguments(Queue.__init__, locals())
        groups = given.items("node_groups", node_groups)
        settings = SlurmParameters(
            QUEUE,
            given.mapping("slurm_settings", slurm_settings),
            {
                "Default": "YES" if default else None,
                "MaxTime": given.time("max_time", max_time),
                "DefaultTime": given.time("default_time", default_time),
                "PriorityTier": given.count("priority_tier", priority_tier),
                "PriorityJobFactor": given.count("priority_job_factor", priority_job_factor),
                "PreemptMode": given.member("preempt_mode", preempt_mode),
                "GraceTime": given.seconds("grace_time", grace_time),
                "AllowAccounts": given.joined("allow_accounts", allow_accounts),
                "DenyAccounts": given.joined("deny_accounts", deny_accounts),
                "AllowQoS": given.joined("allow_qos", allow_qos),
                "DenyQoS": given.joined("deny_qos", deny_qos),
                "QOS": None if qos is None else given.joined("qos", [qos]),
            },
        )
        refuse(scope, id, given.problems)
        physical = id if name is None else name
        facts = rules.QueueFacts(
            name=known(physical),
            node_groups=len(groups),
            strangers=tuple(
                group.name
                for group in groups
                if (other := group.cluster) is not None
                and other is not cluster
                and other.cluster_id != cluster.cluster_id  # the same, imported twice
            ),
            login_groups=tuple(g.name for g in groups if g.login),
            architectures=frozenset(g.architecture for g in groups if g.architecture),
            ultraservers={
                g.name: g.scaling.max if g.scaling else UNKNOWN
                for g in groups
                if g.instance_types and rules.are_ultraservers(g.instance_types)
            },
            other_groups=tuple(
                g.name
                for g in groups
                if g.instance_types
                and known_all(g.instance_types) is not UNKNOWN
                and not rules.are_ultraservers(g.instance_types)
            ),
        )
        said = settings.facts(cluster.slurm, accounting=cluster.accounting, qos=cluster.qos)
        refuse(scope, id, rules.errors_in(facts, said))

        super().__init__(scope, id)
        advise(self, rules.advice_on(facts, said))
        self.slurm_settings = settings.values
        self.cluster = cluster
        self.name = physical
        self.node_groups = groups
        add_member(cluster, self)
        self._resource = cfn.CfnQueue(
            self,
            "Resource",
            cluster_id=cluster.cluster_id,
            name=physical,
            compute_node_group_configurations=[
                cfn.CfnQueue.ComputeNodeGroupConfigurationProperty(
                    compute_node_group_id=group.compute_node_group_id
                )
                for group in groups
            ],
            slurm_configuration=cfn.CfnQueue.SlurmConfigurationProperty(
                slurm_custom_settings=settings.properties(cfn.CfnQueue.SlurmCustomSettingProperty)
            )
            if settings.values
            else None,
        )

    @property
    def queue_id(self) -> str:
        """The ID of the queue, a token."""
        return self._resource.attr_id
