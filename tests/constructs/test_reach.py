"""What `app.synth()` says of traffic that a cluster needs, where the context asks for it."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from pcs_constructs.constructs._cdk.casts import as_security_group
from tests.constructs.templates import existing_group, existing_vpc

_ASKED = {"pcs-constructs:reach": True}


def _cluster(
    stack: cdk.Stack,
    vpc: ec2.IVpc,
    group: ec2.ISecurityGroup | None = None,
) -> pcs.Cluster:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, security_group=group)
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    return cluster


def _refusals(app: cdk.App) -> str:
    with pytest.raises(RuntimeError) as refused:
        app.synth()
    return str(refused.value)


def test_fails_when_nodes_surely_do_not_reach_the_controller() -> None:
    stack = cdk.Stack(app := cdk.App(context=_ASKED), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    _cluster(stack, vpc, ec2.SecurityGroup(stack, "Group", vpc=vpc))
    text = _refusals(app)
    assert "PCS430" in text
    assert "does not reach controller (slurmctld, TCP 6817)" in text
    assert "Stack/Cluster/Resource" in text


def test_fails_when_a_stage_has_it() -> None:
    app = cdk.App(context=_ASKED)
    stack = cdk.Stack(cdk.Stage(app, "Stage"), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    _cluster(stack, vpc, ec2.SecurityGroup(stack, "Group", vpc=vpc))
    assert "PCS430" in _refusals(app)


def test_fails_when_narrowed_nodes_lack_one_rule_outward() -> None:
    stack = cdk.Stack(app := cdk.App(context=_ASKED), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    groups = pcs.RestrictedSecurityGroups(stack, "Groups", vpc=vpc, all_outbound=False)
    given = pcs.ClusterSecurityGroups.of(
        controller=as_security_group(groups.controller),
        compute=as_security_group(groups.compute),
        login=as_security_group(groups.login),
    )
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, security_groups=given)
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    groups.login.connections.allow_to_any_ipv4(ec2.Port.tcp(443))
    (rule,) = (
        child
        for child in groups.node.find_all()
        if isinstance(child, ec2.CfnSecurityGroupEgress)
        and child.from_port == 6817
        and "Login" in child.node.path
    )
    scope = rule.node.scope
    assert scope is not None
    scope.node.try_remove_child(rule.node.id)
    assert "does not reach controller (slurmctld, TCP 6817)" in _refusals(app)


@pytest.mark.parametrize("context", [None, {"pcs-constructs:reach": False}])
def test_nothing_is_judged_unless_it_is_asked_for(context: dict[str, bool] | None) -> None:
    stack = cdk.Stack(app := cdk.App(context=context), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    _cluster(stack, vpc, ec2.SecurityGroup(stack, "Group", vpc=vpc))
    app.synth()


def test_it_can_be_acknowledged() -> None:
    stack = cdk.Stack(app := cdk.App(context=_ASKED), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    cluster = _cluster(stack, vpc, ec2.SecurityGroup(stack, "Group", vpc=vpc))
    cdk.Validations.of(cluster).acknowledge(
        cdk.Acknowledgment(id="pcs-constructs::PCS430", reason="rules are added by hand")
    )
    app.synth()


def test_what_is_all_there_is_accepted() -> None:
    app = cdk.App(context={"pcs-constructs:reach": "true"})  # as the command line has it
    stack = cdk.Stack(app, "Stack")
    network = pcs.Network(stack, "Network")
    cluster = _cluster(stack, network.vpc)
    home = pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    nodes = cluster.add_compute_node_group(
        "compute",
        instance_types=["hpc7a.96xlarge"],
        scaling=pcs.Scaling.dynamic(max=4),
        efa=True,
        mounts={"/home": home},
    )
    cluster.add_queue("compute", node_groups=[nodes])
    cdk.Stack(app, "Empty")
    app.synth()


def test_what_is_imported_is_left_alone() -> None:
    stack = cdk.Stack(app := cdk.App(context=_ASKED), "Stack")
    _cluster(stack, existing_vpc(stack), existing_group(stack))
    app.synth()


def test_several_stacks_are_judged_together() -> None:
    app = cdk.App(context=_ASKED)
    below = cdk.Stack(app, "Below")
    network = pcs.Network(below, "Network")
    home = pcs.EfsStorage(below, "Home", vpc=network.vpc)
    cluster = pcs.Cluster(
        cdk.Stack(app, "Above"), "Cluster", vpc=network.vpc, mounts={"/home": home}
    )
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    app.synth()


def test_nested_stacks_are_judged_with_the_stacks_around_them() -> None:
    stack = cdk.Stack(app := cdk.App(context=_ASKED), "Stack")
    vpc = pcs.Network(stack, "Network").vpc
    inner = cdk.NestedStack(stack, "Inner")
    _cluster(inner, vpc, ec2.SecurityGroup(inner, "Group", vpc=vpc))
    assert "PCS430" in _refusals(app)
