"""Lustre's network: what FSx for Lustre and File Cache have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_ec2 as ec2

from pcs_constructs.constructs.file_share import FileShare, MountScript
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.file_systems import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct, IDependable

_KIND: Final = KINDS["LUSTRE"]


def share(
    dns_name: str,
    mount_name: str,
    security_group: ec2.ISecurityGroup,
    servers_in: ec2.ISubnet | None,
    *,
    options: str,
    efa: bool = False,
    script: MountScript | None = None,
    dependencies: Sequence[IDependable] = (),
) -> FileShare:
    """How nodes mount what Lustre servers offer."""
    return FileShare(
        source=f"{dns_name}@tcp:/{mount_name}",
        type="lustre",
        options=options,
        client=MountClient.LUSTRE,
        ports=_KIND.ports,
        calls_back=_KIND.calls_back,
        efa=efa,
        security_groups=(security_group,),
        servers_in=servers_in,
        script=script,
        dependencies=dependencies,
    )


def allow_between_servers(
    scope: Construct, group_id: str, *, efa: bool = False
) -> Sequence[ec2.CfnSecurityGroupIngress | ec2.CfnSecurityGroupEgress]:
    """What lets the servers talk to each other, and by EFA to nodes with the same group."""
    between: list[ec2.CfnSecurityGroupIngress | ec2.CfnSecurityGroupEgress] = [
        ec2.CfnSecurityGroupIngress(
            scope,
            f"{name}FromSelf",
            group_id=group_id,
            source_security_group_id=group_id,
            ip_protocol="tcp",
            from_port=ports.first,
            to_port=ports.last,
            description="Lustre between file servers",
        )
        for name, ports in zip(("Lnet", "Lnet1018To1023"), _KIND.ports, strict=True)
    ]
    if efa:
        between += [
            ec2.CfnSecurityGroupIngress(
                scope,
                "EfaFromSelf",
                group_id=group_id,
                source_security_group_id=group_id,
                ip_protocol="-1",
                description="EFA between file servers and nodes",
            ),
            # The CDK drops such a rule where all outbound traffic is allowed; EFA needs it.
            ec2.CfnSecurityGroupEgress(
                scope,
                "EfaToSelf",
                group_id=group_id,
                destination_security_group_id=group_id,
                ip_protocol="-1",
                description="EFA between file servers and nodes",
            ),
        ]
    return between
