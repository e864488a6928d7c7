"""Queues: what people submit jobs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_pcs as cfn
from constructs import Construct

from pcs_constructs import _cdk, rules
from pcs_constructs._arguments import Arguments
from pcs_constructs.errors import UNKNOWN
from pcs_constructs.slurm_settings import QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.interfaces import ICluster, IComputeNodeGroup


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
        slurm_settings: Slurm parameters of the partition, such as `{"MaxTime": "24:00:00"}`. By
            default none.

    Raises:
        PcsValidationError: PCS001, PCS003, PCS301, PCS303, PCS304, PCS307, PCS308, PCS807 to
            PCS810, PCS815.

    Source: Creating a queue in AWS PCS; `AWS::PCS::Queue`.
    """

    cluster: Final[ICluster]
    """The cluster it belongs to."""

    name: Final[str]
    """Its physical name."""

    node_groups: Final[tuple[IComputeNodeGroup, ...]]
    """The node groups that run its jobs."""

    slurm_settings: Final[Mapping[str, str]]
    """Its Slurm parameters."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ICluster,
        node_groups: Sequence[IComputeNodeGroup],
        name: str | None = None,
        slurm_settings: Mapping[str, str] | None = None,
    ) -> None:
        given = Arguments()
        given.require(
            cluster=(cluster, "cluster_id"),
        )
        given.expect(
            name=(name, str),
        )
        groups = given.items("node_groups", node_groups, "compute_node_group_id")
        settings = given.mapping("slurm_settings", slurm_settings, str)
        _cdk.refuse(scope, id, given.problems)
        physical = id if name is None else name
        facts = rules.QueueFacts(
            name=_cdk.known(physical),
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
                and _cdk.known_all(g.instance_types) is not UNKNOWN
                and not rules.are_ultraservers(g.instance_types)
            ),
        )
        said = _cdk.settings_facts(QUEUE, settings, cluster.slurm, accounting=cluster.accounting)
        _cdk.refuse(scope, id, rules.errors_in(facts, said))

        super().__init__(scope, id)
        _cdk.advise(self, rules.advice_on(facts, said))
        self.slurm_settings = settings
        self.cluster = cluster
        self.name = physical
        self.node_groups = groups
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
                slurm_custom_settings=[
                    cfn.CfnQueue.SlurmCustomSettingProperty(
                        parameter_name=parameter, parameter_value=value
                    )
                    for parameter, value in settings.items()
                ]
            )
            if settings
            else None,
        )

    @property
    def queue_id(self) -> str:
        """The ID of the queue, a token."""
        return self._resource.attr_id
