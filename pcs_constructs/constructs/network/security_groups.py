"""Which traffic reaches the controller and the nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.once import port_range, security_group_id
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.traffic import allow, new_security_group
from pcs_constructs.model import ports
from pcs_constructs.model.annotations import judge_fields, judged
from pcs_constructs.model.errors import PcsValidationError, Problem
from pcs_constructs.model.slurm_settings import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator

# What AWS PCS opens for srun unless the cluster says otherwise.


@jsii.implements(ec2.IConnectable)
class ClusterSecurityGroup(Construct):
    """The security group that a cluster's controller and all its nodes share.

    `Cluster` makes one unless it is given another.

    Resources:
        A security group, and a rule each for traffic from and to itself.

    Security:
        All traffic between members, in both directions, and all traffic outward: IPv4, and IPv6
        where it is asked for. That is the user guide's permissive group: it covers slurmctld,
        slurmd, slurmdbd, slurmrestd, srun and EFA. Nothing comes in from elsewhere. The rule for
        traffic *to* the group is there beside the one to everywhere because EFA needs it.

    Args:
        vpc: The VPC of the cluster.
        ipv6: Whether IPv6 traffic may go outward too, as a cluster with `NetworkType.IPV6` needs.
            By default not.
        all_outbound: Whether members reach everything. By default they do. Without it they reach
            each other, what they mount and their endpoints, and what you allow by `connections`.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Security groups in AWS PCS, "Example permissive security group configuration".
    """

    security_group: Final[ec2.SecurityGroup]
    """The security group."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        ipv6: bool = False,
        all_outbound: bool = True,
    ) -> None:
        given = Arguments(ClusterSecurityGroup.__init__, locals())
        refuse(scope, id, given.problems)

        super().__init__(scope, id)
        self.security_group = new_security_group(
            self,
            "Resource",
            vpc,
            "Controller and nodes of an AWS PCS cluster",
            all_outbound=all_outbound,
            all_ipv6_outbound=ipv6 and all_outbound,
        )
        _allow_among_themselves(
            self,
            security_group_id(as_security_group(self.security_group)),
            "Slurm, EFA and everything else between members",
        )

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of controller and nodes."""
        return self.security_group.connections


def _allow_among_themselves(scope: Construct, group_id: str, description: str) -> None:
    # L1s, because ec2.SecurityGroup drops an egress rule to itself when it allows all outbound.
    ec2.CfnSecurityGroupIngress(
        scope,
        "FromSelf",
        group_id=group_id,
        source_security_group_id=group_id,
        ip_protocol="-1",
        description=description,
    )
    ec2.CfnSecurityGroupEgress(
        scope,
        "ToSelf",
        group_id=group_id,
        destination_security_group_id=group_id,
        ip_protocol="-1",
        description="EFA needs this beside the rule to everywhere",
    )


def efa_security_group_id(scope: Construct, vpc: ec2.IVpc) -> str:
    """The group of nodes that talk by EFA among themselves, where their other groups name ports."""
    place = Construct(scope, "Efa")
    group = new_security_group(
        place, "Resource", vpc, "EFA between nodes of one group", all_outbound=False
    )
    group_id = security_group_id(as_security_group(group))
    _allow_among_themselves(place, group_id, "EFA between nodes of one group")
    return group_id


@jsii.implements(ec2.IConnectable)
class RestrictedSecurityGroups(Construct):
    """The security groups of controller, compute nodes and login nodes that name Slurm's ports.

    `Cluster` makes them for `security_groups=ClusterSecurityGroups.restricted()`, and then knows
    what to open. Nodes that use EFA need a group beside these, which allows all traffic from and to
    itself; `ComputeNodeGroup` makes it.

    Resources:
        Three security groups and a rule for each pair of them and each service.

    Security:
        Nodes reach slurmctld (6817), slurmdbd (6819) and the REST API (6820) of the controller, as
        far as there are any; slurmd (6818) and srun's ports are reached from the controller and
        from all nodes. Nothing else comes in. By default all IPv4 traffic may go outward.

    Args:
        vpc: The VPC of the cluster.
        accounting: Whether there is Slurm accounting. By default not.
        rest_api: Whether there is a Slurm REST API. By default not.
        srun_port_range: The `SrunPortRange` of the cluster. By default `60001-63000`.
        ssh: Whether nodes reach each other's SSH port, as some MPI launchers want. By default not.
        ipv6: Whether IPv6 traffic may go outward too. By default not.
        all_outbound: Whether all three reach everything. By default they do. Without it they reach
            each other, what they mount and their endpoints, and what you allow.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Security groups in AWS PCS, "Example restrictive security group configuration".
    """

    controller: Final[ec2.SecurityGroup]
    """The group of the controller."""

    compute: Final[ec2.SecurityGroup]
    """The group of nodes that jobs run on."""

    login: Final[ec2.SecurityGroup]
    """The group of nodes that people log in to."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        accounting: bool = False,
        rest_api: bool = False,
        srun_port_range: str = ports.SRUN_PORT_RANGE,
        ssh: bool = False,
        ipv6: bool = False,
        all_outbound: bool = True,
    ) -> None:
        given = Arguments(RestrictedSecurityGroups.__init__, locals())
        srun = given.literal("srun_port_range", srun_port_range, ports.SRUN_PORT_RANGE)
        facts = rules.SettingsFacts(
            scope=CLUSTER,
            settings={"SrunPortRange": srun},
            arguments={"SrunPortRange": "srun_port_range"},
        )
        refuse(scope, id, (*given.problems, *rules.errors_in(facts)))

        super().__init__(scope, id)
        advise(self, rules.advice_on(facts))
        self.controller, self.compute, self.login = (
            new_security_group(
                self,
                name,
                vpc,
                f"{members} of an AWS PCS cluster",
                all_outbound=all_outbound,
                all_ipv6_outbound=ipv6 and all_outbound,
            )
            for name, members in (
                ("Controller", "Controller"),
                ("Compute", "Compute nodes"),
                ("Login", "Login nodes"),
            )
        )
        nodes = (self.compute, self.login)
        first, last = map(int, srun.split("-"))
        for server in nodes:
            for client in (self.controller, *nodes):
                _allow(client, server, ports.SLURMD, "slurmd")
                _allow(client, server, first, "srun", last)
            for client in nodes if ssh else ():
                _allow(client, server, ports.SSH, "SSH between nodes")
        for client in nodes:
            for port, service, there in (
                (ports.SLURMCTLD, "slurmctld", True),
                (ports.SLURMDBD, "slurmdbd", accounting),
                (ports.SLURMRESTD, "Slurm REST API", rest_api),
            ):
                if there:
                    _allow(client, self.controller, port, service)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the controller and of all nodes."""
        groups = (self.controller, self.compute, self.login)
        return ec2.Connections(security_groups=[as_security_group(g) for g in groups])


def _allow(
    client: ec2.SecurityGroup,
    server: ec2.SecurityGroup,
    first: int,
    service: str,
    last: int | None = None,
) -> None:
    allow(
        as_security_group(client),
        as_security_group(server),
        port_range("tcp", first, last or first),
        back=False,
        scope=None,
        description=service,
    )


_CARRIERS: Final = ("controller", "compute", "login")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSecurityGroups:
    """Which security groups controller, compute nodes and login nodes carry. Build it by a factory.

    Source: Security groups in AWS PCS.
    """

    controller: ec2.ISecurityGroup | None = None
    """The group of the controller; `None` where the cluster makes it."""

    compute: ec2.ISecurityGroup | None = None
    """The group of compute nodes; `None` where the cluster makes it."""

    login: ec2.ISecurityGroup | None = None
    """The group of login nodes; `None` where the cluster makes it."""

    ssh: bool = False
    """Whether nodes reach each other's SSH port."""

    all_outbound: bool = True
    """Whether controller and nodes reach everything."""

    def __post_init__(self) -> None:
        judge_fields(self)
        if self.given and len(self.given) < len(_CARRIERS):
            missing = [name for name in _CARRIERS if getattr(self, name) is None]
            raise PcsValidationError(
                "ClusterSecurityGroups",
                [
                    Problem(
                        code="PCS003",
                        argument=argument,
                        message="takes an ec2.ISecurityGroup where another group is given, "
                        "got None",
                        fix="write ClusterSecurityGroups.of(controller=..., compute=...)",
                    )
                    for argument in missing
                ],
            )

    @classmethod
    @judged
    def restricted(cls, *, ssh: bool = False, all_outbound: bool = True) -> Self:
        """Groups that the cluster makes, in which only Slurm's ports are open.

        See `RestrictedSecurityGroups`. Which ports those are, the cluster knows.

        Args:
            ssh: Whether nodes reach each other's SSH port. By default not.
            all_outbound: Whether controller and nodes reach everything. By default they do.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.
        """
        return cls(ssh=ssh, all_outbound=all_outbound)

    @classmethod
    @judged
    def of(
        cls,
        *,
        controller: ec2.ISecurityGroup,
        compute: ec2.ISecurityGroup,
        login: ec2.ISecurityGroup | None = None,
    ) -> Self:
        """Groups that exist. Their rules are taken as they are.

        Args:
            controller: The group of the controller.
            compute: The group of compute nodes.
            login: The group of login nodes. By default that of compute nodes.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.
        """
        return cls(controller=controller, compute=compute, login=login or compute)

    @property
    def given(self) -> tuple[ec2.ISecurityGroup, ...]:
        """The groups that exist: of controller, compute nodes and login nodes, or none."""
        return tuple(g for g in (self.controller, self.compute, self.login) if g is not None)

    def attach(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        accounting: bool,
        rest_api: bool,
        srun_port_range: str | None,
        ipv6: bool,
    ) -> Iterator[ec2.ISecurityGroup]:
        """The groups of controller, compute nodes and login nodes, made unless they exist."""
        if self.given:
            yield from self.given
            return
        made = RestrictedSecurityGroups(
            scope,
            id,
            vpc=vpc,
            accounting=accounting,
            rest_api=rest_api,
            srun_port_range=srun_port_range or ports.SRUN_PORT_RANGE,
            ssh=self.ssh,
            ipv6=ipv6,
            all_outbound=self.all_outbound,
        )
        yield from map(as_security_group, (made.controller, made.compute, made.login))
