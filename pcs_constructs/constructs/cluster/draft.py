"""A cluster that is not attached yet: its arguments, and all that follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.once import path_of, security_group_id, subnet_id
from pcs_constructs.constructs._cdk.problems import (
    PREVIEW,
    asked_for,
    lacking,
    refuse,
    today,
)
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.tree import identity, stack_name
from pcs_constructs.constructs.network.security_groups import ClusterSecurityGroups
from pcs_constructs.constructs.network.subnets import (
    first_private_subnet,
    is_public,
    security_group_facts,
    subnet_facts,
    subnet_for,
    vpc_facts,
)
from pcs_constructs.constructs.nodes.parameters import ClusterParameters
from pcs_constructs.model.errors import Problem
from pcs_constructs.model.names import physical_name
from pcs_constructs.model.network_type import NetworkType
from pcs_constructs.model.ports import SRUN_PORT_RANGE
from pcs_constructs.model.slurm import CATALOG_DATE, Accounting, SlurmVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct

    from pcs_constructs.constructs._cdk.arguments import Arguments
    from pcs_constructs.constructs.interfaces import ISharedStorage
    from pcs_constructs.model.capacity import ClusterSize
    from pcs_constructs.model.job_submit import JobSubmitPlugin


class ClusterDraft:
    """What the arguments of a `Cluster` amount to, judged before anything is attached.

    Args:
        scope: Where the cluster will be.
        id: Its id.
        given: The arguments of its constructor.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.
    """

    vpc: ec2.IVpc
    size: ClusterSize
    slurm: SlurmVersion
    accounting: Accounting | None
    rest_api: bool

    def __init__(self, scope: Construct, id: str, given: Arguments) -> None:
        self._scope, self._id = scope, id
        take = given.arguments.__getitem__
        self.vpc, self.size, self.slurm = take("vpc"), take("size"), take("slurm")
        self.rest_api, self.accounting = take("rest_api"), take("accounting")
        self.ipv6 = take("network_type") is NetworkType.IPV6
        self.job_submit: JobSubmitPlugin | None = take("job_submit")
        self._given_name: str | None = take("name")
        self._given_subnet: ec2.ISubnet | None = take("subnet")
        self._group: ec2.ISecurityGroup | None = take("security_group")
        self.security_groups: ClusterSecurityGroups | None = take("security_groups")
        self.peers: tuple[ec2.IPeer, ...] = given.items("rest_api_from", take("rest_api_from"))
        self.idle_seconds = given.seconds("scale_down_idle_time", take("scale_down_idle_time"))
        self.mounts: Mapping[str, ISharedStorage] = given.mapping("mounts", take("mounts"))
        self.parameters = ClusterParameters(
            given,
            slurm_settings=take("slurm_settings"),
            slurmdbd_settings=take("slurmdbd_settings"),
            cgroup_settings=take("cgroup_settings"),
            memory_aware=take("memory_aware"),
            default_memory_per_cpu=take("default_memory_per_cpu"),
            prolog=take("prolog"),
            epilog=take("epilog"),
            licenses=take("licenses"),
            preemption=take("preemption"),
            accounting=self.accounting,
        )
        self._judge_groups(given)
        if self.job_submit is not None and not asked_for(scope, PREVIEW):
            given.problems.append(lacking("job_submit"))
        refuse(scope, id, given.problems)

    def _judge_groups(self, given: Arguments) -> None:
        groups = self.security_groups
        if not isinstance(groups, ClusterSecurityGroups):
            return
        if self._group is not None:
            given.problems.append(
                Problem(
                    code="PCS428",
                    argument="security_groups",
                    message="and security_group both say what controller and nodes carry",
                    fix="leave one of them out",
                )
            )
        if self.srun_ports is not None:  # it is opened
            given.literal("slurm_settings['SrunPortRange']", self.srun_ports, SRUN_PORT_RANGE)

    def judge(self) -> tuple[tuple[object, ...], ec2.ISubnet]:
        """All facts about the cluster, which the rules have let pass, and its subnet."""
        facts = tuple(self._facts())
        return facts, subnet_for(self._scope, self._id, self._subnet, rules.errors_in(*facts))

    @property
    def srun_ports(self) -> str | None:
        """The ports that `srun` listens at, where they are said."""
        return self.parameters.settings.get("SrunPortRange")

    @cached_property
    def passed_groups(self) -> tuple[ec2.ISecurityGroup, ...]:
        """The security groups that exist already: one of all, or those of each."""
        if self.security_groups:
            return self.security_groups.given
        return (self._group,) if self._group else ()

    @cached_property
    def _subnet(self) -> ec2.ISubnet | None:
        return self._given_subnet or first_private_subnet(self.vpc)

    @cached_property
    def subnet_id(self) -> str:
        """The ID of the controller's subnet."""
        return subnet_id(self._subnet) if self._subnet else ""

    @cached_property
    def _group_ids(self) -> list[str]:
        return [security_group_id(group) for group in self.passed_groups]

    @cached_property
    def name(self) -> str:
        """Its physical name."""
        if self._given_name is not None:
            return self._given_name
        passed, subnet = self.passed_groups, self._subnet
        replaced_by = (
            stack_name(self._scope),
            self.size.name,
            subnet and identity(subnet, self.subnet_id),
            identity(passed[0], self._group_ids[0])
            if passed
            else self.security_groups and "RESTRICTED",
            *(["IPV6"] if self.ipv6 else []),
        )
        return physical_name(path_of(self._scope), self._id, replaced_by, longest=40)

    def _facts(self) -> Iterator[object]:
        accounting = self.accounting
        yield rules.ClusterFacts(
            name=known(self.name),
            named=self._given_name is not None,
            slurm=self.slurm,
            scale_down_idle_seconds=self.idle_seconds,
            accounting=accounting is not None,
            retention_days=accounting.retention_days if accounting else None,
            rest_api=self.rest_api,
            rest_api_from=len(self.peers),
            # Not asked for where it does not matter: it is a round trip.
            today=today(self._scope) if self.slurm.end_of_life else CATALOG_DATE,
        )
        yield from self.parameters.facts(self.slurm)
        if (plugin := self.job_submit) is not None:
            yield rules.JobSubmitFacts(
                name=known(plugin.name),
                location=known(plugin.script_location),
                checksum=None if plugin.checksum is None else known(plugin.checksum),
            )
        yield rules.PeersFacts(
            argument="rest_api_from",
            service="the REST API",
            sources=tuple(known(peer.unique_id) for peer in self.peers),
        )
        yield from self._network_facts()
        yield rules.MountFacts(paths=tuple(known(path) for path in self.mounts))
        for path, storage in self.mounts.items():
            yield storage.file_share.facts(path)

    def _network_facts(self) -> Iterator[object]:
        subnet = self._subnet
        yield vpc_facts(self.vpc)
        yield rules.IdentifierFacts(
            subnet_ids=(known(self.subnet_id),) if subnet else (),
            security_group_ids=tuple(map(known, self._group_ids)),
        )
        argument = "security_groups" if self.security_groups else "security_group"
        for group in dict.fromkeys(self.passed_groups):
            yield security_group_facts(argument, group, self.vpc)
        # A private subnet that was chosen here is right; anything else is looked at.
        if subnet and (self._given_subnet or self.ipv6 or is_public(subnet) is True):
            yield subnet_facts("subnet", subnet, self.vpc, controller=True, needs_ipv6=self.ipv6)
