"""Which traffic reaches the controller and the nodes."""

from __future__ import annotations

from typing import Final

import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs import _cdk
from pcs_constructs._arguments import Arguments


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

    Raises:
        PcsValidationError: PCS003.

    Source: Security groups in AWS PCS, "Example permissive security group configuration".
    """

    security_group: Final[ec2.SecurityGroup]
    """The security group."""

    def __init__(self, scope: Construct, id: str, *, vpc: ec2.IVpc, ipv6: bool = False) -> None:
        given = Arguments()
        given.require(
            vpc=(vpc, "vpc_id"),
            ipv6=(ipv6, bool),
        )
        _cdk.refuse(scope, id, given.problems)

        super().__init__(scope, id)
        self.security_group = _cdk.security_group(
            self,
            "Resource",
            vpc,
            "Controller and nodes of an AWS PCS cluster",
            all_outbound=True,
            all_ipv6_outbound=ipv6,
        )
        group_id = _cdk.security_group_id(_cdk.as_security_group(self.security_group))
        # L1s, because ec2.SecurityGroup drops an egress rule to itself when it allows all outbound.
        ec2.CfnSecurityGroupIngress(
            self,
            "FromSelf",
            group_id=group_id,
            source_security_group_id=group_id,
            ip_protocol="-1",
            description="Slurm, EFA and everything else between members",
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "ToSelf",
            group_id=group_id,
            destination_security_group_id=group_id,
            ip_protocol="-1",
            description="EFA needs this beside the rule to everywhere",
        )

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of controller and nodes."""
        return self.security_group.connections
