"""Security groups and the rules between them, in which no feature flag decides anything."""

from __future__ import annotations

from typing import cast

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs.constructs._cdk.once import (
    ALLOWS_ALL_OUTBOUND,
    OPENED,
    nobody,
    node_of,
    nothing,
    security_group_id,
    stack_of,
)
from pcs_constructs.constructs._cdk.tokens import is_token


def new_security_group(
    scope: Construct,
    id: str,
    vpc: ec2.IVpc,
    description: str,
    *,
    all_outbound: bool,
    all_ipv6_outbound: bool = False,
    only_answers: bool = False,
) -> ec2.SecurityGroup:
    """A security group in which no feature flag decides anything.

    One that does not reach everything reaches nothing but what is said, here or later, unless its
    members only answer, so that no rule is ever said.
    """
    group = ec2.SecurityGroup(
        scope,
        id,
        vpc=vpc,
        description=description,
        allow_all_outbound=all_outbound,
        allow_all_ipv6_outbound=all_ipv6_outbound,
        disable_inline_rules=False,
    )
    if not all_outbound and not only_answers:
        # In place of the CDK's rule to nowhere, which the CDK takes away with the next rule, even
        # with one beside the group. EC2's rule to everywhere surely goes for one in the group only.
        group.add_egress_rule(nobody(), nothing(), "Disallow all traffic")
    ALLOWS_ALL_OUTBOUND[group] = all_outbound
    return group


def _allows_all_outbound(group: ec2.ISecurityGroup) -> bool:
    if group not in ALLOWS_ALL_OUTBOUND:
        ALLOWS_ALL_OUTBOUND[group] = group.allow_all_outbound
    return ALLOWS_ALL_OUTBOUND[group]


def _was_opened(clients: ec2.ISecurityGroup, servers: ec2.ISecurityGroup, ports: ec2.Port) -> bool:
    if isinstance(clients, ec2.SecurityGroup) or isinstance(servers, ec2.SecurityGroup):
        return False
    ids = (security_group_id(clients), security_group_id(servers))
    if is_token(ids):
        return False
    opened = OPENED.setdefault(stack_of(cast("Construct", clients)), set())
    key = (*ids, ports.to_string())
    if key in opened:
        return True
    opened.add(key)
    return False


def allow(
    clients: ec2.ISecurityGroup,
    servers: ec2.ISecurityGroup,
    ports: ec2.Port,
    *,
    back: bool,
    scope: Construct | None,
    description: str = "Nodes to file servers",
) -> None:
    """Let clients reach ports of servers, and with `back` servers the same ports of clients.

    Every rule lands in the clients' stack: the servers' must not depend on a stack that depends on
    it. Unless the clients' group is of neither that stack nor the one of who mounts, `scope`, but
    of one before both. Connections.allow_from and allow_to would choose otherwise, and warn.
    """
    if _was_opened(clients, servers, ports):
        return
    mine = scope is None or stack_of(cast("Construct", clients)) is stack_of(scope)
    servers.add_ingress_rule(clients, ports, description, mine)
    if not _allows_all_outbound(clients):
        clients.add_egress_rule(servers, ports, description, not mine)
    if back:
        clients.add_ingress_rule(servers, ports, "File servers to nodes", not mine)
        if not _allows_all_outbound(servers):
            servers.add_egress_rule(clients, ports, "File servers to nodes", mine)


def allow_efa(clients: ec2.ISecurityGroup, servers: ec2.ISecurityGroup) -> None:
    """Let two groups talk by EFA, by rules in the clients' stack.

    EFA heeds rules that name a security group only, and the CDK drops those for outbound traffic
    where all of it is allowed to addresses.
    """
    # Two mounts of one file system open it once.
    if node_of(clients).try_find_child(f"Efa{node_of(servers).addr}"):
        return
    scope = Construct(cast("Construct", clients), f"Efa{node_of(servers).addr}")
    for name, here, there in (("To", clients, servers), ("From", servers, clients)):
        ec2.CfnSecurityGroupEgress(
            scope,
            f"{name}Servers",
            group_id=here.security_group_id,
            destination_security_group_id=there.security_group_id,
            ip_protocol="-1",
            description="EFA between nodes and file servers",
        )
        ec2.CfnSecurityGroupIngress(
            scope,
            f"{name}ServersAllowed",
            group_id=there.security_group_id,
            source_security_group_id=here.security_group_id,
            ip_protocol="-1",
            description="EFA between nodes and file servers",
        )
