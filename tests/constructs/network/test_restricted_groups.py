"""The restrictive set of security groups, and clusters whose nodes carry other groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import (
    advised,
    existing_group,
    existing_vpc,
    found,
    named,
    only,
    properties,
    referred,
    refused,
    refused_at_synth,
    security_group_rules,
    template,
    text_of,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

SLURM = {(6817, 6817), (6818, 6818), (60001, 63000)}
TYPES = ["c7i.4xlarge"]


def opened(made: Template, direction: str = "Ingress") -> set[tuple[str, str, int, int]]:
    """Server, client, first and last port of every rule between groups, by the groups' kinds."""
    kinds = {
        text_of({"Fn::GetAtt": [key, "GroupId"]}): group["Properties"]["GroupDescription"]
        for key, group in found(made, "AWS::EC2::SecurityGroup").items()
    }
    short = {group: text.partition(" ")[0].lower() for group, text in kinds.items()}
    return {
        (short.get(group, group), short.get(peer, peer), first, last)
        for way, group, peer, first, last in security_group_rules(made)
        if way == direction
    }


def cluster(stack: cdk.Stack, **arguments: Any) -> pcs.Cluster:
    arguments.setdefault("security_groups", pcs.ClusterSecurityGroups.restricted())
    return pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack, "ItsVpc"), **arguments)


def made(**arguments: Any) -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    cluster(stack, **arguments)
    return template(stack)


def to_nodes(*ports: tuple[int, int]) -> set[tuple[str, str, int, int]]:
    """Rules by which the controller and all nodes reach nodes."""
    return {
        (server, client, *range_)
        for server in ("compute", "login")
        for client in ("controller", "compute", "login")
        for range_ in ports
    }


def to_controller(*ports: int) -> set[tuple[str, str, int, int]]:
    """Rules by which nodes reach the controller."""
    return {("controller", client, p, p) for client in ("compute", "login") for p in ports}


def test_only_the_ports_of_slurm_are_open() -> None:
    assert opened(made()) == to_nodes((6818, 6818), (60001, 63000)) | to_controller(6817)


def test_accounting_and_the_rest_api_open_their_ports_on_the_controller() -> None:
    everything = made(accounting=pcs.Accounting(), rest_api=True)
    assert opened(everything) - opened(made()) == to_controller(6819, 6820)


def test_the_ports_of_srun_are_those_of_the_cluster() -> None:
    moved = made(slurm_settings={"SrunPortRange": "50000-50999"})
    assert opened(moved) == to_nodes((6818, 6818), (50000, 50999)) | to_controller(6817)


def test_nodes_may_reach_each_other_by_ssh() -> None:
    groups = pcs.ClusterSecurityGroups.restricted(ssh=True)
    ssh = opened(made(security_groups=groups)) - opened(made())
    assert ssh == {
        (server, client, 22, 22)
        for server in ("compute", "login")
        for client in ("compute", "login")
    }


def test_everything_may_go_outward_unless_it_is_narrowed() -> None:
    ways_out = [g["SecurityGroupEgress"] for g in properties(made(), "AWS::EC2::SecurityGroup")]
    assert [[rule["CidrIp"] for rule in rules] for rules in ways_out] == [["0.0.0.0/0"]] * 3
    assert opened(made(), "Egress") == set()


def test_narrowed_groups_have_a_rule_outward_for_each_rule_inward() -> None:
    narrow = made(security_groups=pcs.ClusterSecurityGroups.restricted(all_outbound=False))
    inward = {(client, server, *ports) for server, client, *ports in opened(narrow)}
    assert opened(narrow, "Egress") == inward
    assert "0.0.0.0/0" not in str(narrow.to_json())


def test_narrowed_groups_have_a_rule_of_their_own_so_that_the_one_of_ec2_goes() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    it = cluster(stack, security_groups=pcs.ClusterSecurityGroups.restricted(all_outbound=False))
    it.add_login_nodes("login", instance_type="c6i.32xlarge", efa=True)
    groups = properties(template(stack), "AWS::EC2::SecurityGroup")
    assert len(groups) == 4
    for group in groups:
        assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_what_is_allowed_later_is_beside_the_rule_to_nowhere(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    groups = pcs.RestrictedSecurityGroups(stack, "Groups", vpc=vpc, all_outbound=False)
    groups.login.connections.allow_to_any_ipv4(ec2.Port.tcp(443))
    made = properties(template(stack), "AWS::EC2::SecurityGroup")
    outward = [{rule["CidrIp"] for rule in group["SecurityGroupEgress"]} for group in made]
    assert {"255.255.255.255/32", "0.0.0.0/0"} in outward
    assert outward.count({"255.255.255.255/32"}) == 2


def test_ipv6_may_go_outward_where_the_cluster_talks_it() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    network = pcs.Network(stack, "Network", ipv6=True)
    pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        network_type=pcs.NetworkType.IPV6,
        security_groups=pcs.ClusterSecurityGroups.restricted(),
    )
    for group in properties(template(stack), "AWS::EC2::SecurityGroup"):
        assert {r.get("CidrIpv6") for r in group["SecurityGroupEgress"]} == {None, "::/0"}


def groups_of(made: Template, name: str) -> list[str]:
    """What kinds of groups the nodes of a node group carry, on every interface."""
    nodes = named(made, "AWS::PCS::ComputeNodeGroup", name)
    launch = referred(made, nodes["CustomLaunchTemplate"]["TemplateId"])
    data = launch["Properties"]["LaunchTemplateData"]
    interfaces = [i["Groups"] for i in data.get("NetworkInterfaces", [])]
    first, *others = interfaces or [data["SecurityGroupIds"]]
    assert all(other == first for other in others)
    return [referred(made, group)["Properties"]["GroupDescription"] for group in first]


def test_controller_compute_and_login_nodes_carry_their_own_groups(stack: cdk.Stack) -> None:
    it = cluster(stack)
    it.add_login_nodes("login", instance_type="c7i.xlarge")
    it.add_compute_node_group("compute", instance_types=TYPES, scaling=pcs.Scaling.static(1))
    result = template(stack)
    assert groups_of(result, "login") == ["Login nodes of an AWS PCS cluster"]
    assert groups_of(result, "compute") == ["Compute nodes of an AWS PCS cluster"]
    (group,) = only(result, "AWS::PCS::Cluster")["Networking"]["SecurityGroupIds"]
    description = referred(result, group)["Properties"]["GroupDescription"]
    assert description == "Controller of an AWS PCS cluster"


def test_nodes_with_efa_have_a_group_for_it_on_every_interface(stack: cdk.Stack) -> None:
    it = cluster(stack)
    it.add_compute_node_group(
        "efa", instance_types=["hpc7a.96xlarge"], scaling=pcs.Scaling.static(1), efa=True
    )
    result = template(stack)
    assert sorted(groups_of(result, "efa")) == [
        "Compute nodes of an AWS PCS cluster",
        "EFA between nodes of one group",
    ]
    itself = {
        (way, group, first)
        for way, group, peer, first, _ in security_group_rules(result)
        if group == peer and first is None
    }
    assert {way for way, _, _ in itself} == {"Ingress", "Egress"}
    assert len({group for _, group, _ in itself}) == 1


def test_nodes_with_efa_can_have_ports_opened_to_them_alone(stack: cdk.Stack) -> None:
    it = cluster(stack)
    nodes = it.add_compute_node_group(
        "efa", instance_types=["hpc7a.96xlarge"], scaling=pcs.Scaling.static(1), efa=True
    )
    nodes.connections.allow_from(ec2.Peer.ipv4("10.0.0.0/8"), ec2.Port.tcp(8888))
    data = only(template(stack), "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert [len(interface["Groups"]) for interface in data["NetworkInterfaces"]] == [3, 2]


def test_what_the_cluster_mounts_is_open_to_compute_and_login_nodes_alone(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster(stack, mounts={"/home": home})
    to_efs = {(server, client) for server, client, f, _ in opened(template(stack)) if f == 2049}
    assert to_efs == {("mount", "compute"), ("mount", "login")}


def test_the_rest_api_is_opened_on_the_controller(stack: cdk.Stack) -> None:
    cluster(stack, rest_api=True, rest_api_from=[ec2.Peer.ipv4("10.0.8.0/24")])
    (group,) = [
        g
        for g in properties(template(stack), "AWS::EC2::SecurityGroup")
        if g.get("SecurityGroupIngress")
    ]
    assert group["GroupDescription"] == "Controller of an AWS PCS cluster"
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"]) == ("10.0.8.0/24", 6820)


def test_the_connections_of_such_a_cluster_are_those_of_all_its_groups(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    it = cluster(stack)
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    database.connections.allow_from(it, ec2.Port.tcp(3306))
    clients = {client for _, client, first, _ in opened(template(stack)) if first == 3306}
    assert clients == {"controller", "compute", "login"}


def test_the_groups_may_exist_already(stack: cdk.Stack) -> None:
    controller, compute, login = (existing_group(stack, f"Group{n}", digit=n) for n in (1, 2, 3))
    it = cluster(
        stack,
        security_groups=pcs.ClusterSecurityGroups.of(
            controller=controller, compute=compute, login=login
        ),
    )
    it.add_login_nodes("login", instance_type="c7i.xlarge")
    it.add_compute_node_group("compute", instance_types=TYPES, scaling=pcs.Scaling.static(1))
    result = template(stack)
    assert found(result, "AWS::EC2::SecurityGroup") == {}
    carried = [
        t["LaunchTemplateData"]["SecurityGroupIds"]
        for t in properties(result, "AWS::EC2::LaunchTemplate")
    ]
    assert sorted(carried) == [["sg-00000000000000002"], ["sg-00000000000000003"]]
    assert only(result, "AWS::PCS::Cluster")["Networking"]["SecurityGroupIds"] == [
        "sg-00000000000000001"
    ]


def test_login_nodes_carry_the_group_of_compute_nodes_where_none_is_given(
    stack: cdk.Stack,
) -> None:
    groups = pcs.ClusterSecurityGroups.of(
        controller=existing_group(stack, "One", digit=1),
        compute=existing_group(stack, "Two", digit=2),
    )
    assert groups.login is groups.compute


def test_the_groups_may_be_in_another_stack(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    made = pcs.RestrictedSecurityGroups(stack, "Groups", vpc=network.vpc, accounting=True)
    other = cdk.Stack(app, "Other")
    home = pcs.EfsStorage(other, "Home", vpc=network.vpc)
    it = pcs.Cluster(
        other,
        "Cluster",
        vpc=network.vpc,
        mounts={"/home": home},
        security_groups=pcs.ClusterSecurityGroups.of(
            controller=made.controller, compute=made.compute, login=made.login
        ),
    )
    it.add_login_nodes("login", instance_type="c7i.xlarge")
    app.synth()
    descriptions = [
        g["GroupDescription"] for g in properties(template(other), "AWS::EC2::SecurityGroup")
    ]
    assert descriptions == ["Mount targets of an EFS file system"]


def test_nodes_of_an_imported_cluster_carry_its_groups(stack: cdk.Stack) -> None:
    imported = pcs.Cluster.from_cluster_attributes(
        stack,
        "Cluster",
        cluster_id="pcs_1a2b3c4d5e",
        vpc=existing_vpc(stack),
        security_group=existing_group(stack, "One", digit=1),
        compute_security_group=existing_group(stack, "Two", digit=2),
        login_security_group=existing_group(stack, "Three", digit=3),
    )
    for login in (False, True):
        pcs.ComputeNodeGroup(
            stack,
            f"nodes{login}",
            cluster=imported,
            instance_types=TYPES,
            scaling=pcs.Scaling.static(1),
            login=login,
        )
    carried = [
        t["LaunchTemplateData"]["SecurityGroupIds"]
        for t in properties(template(stack), "AWS::EC2::LaunchTemplate")
    ]
    assert carried == [["sg-00000000000000002"], ["sg-00000000000000003"]]


def test_restricting_a_cluster_replaces_it_under_a_new_name(stack: cdk.Stack) -> None:
    restricted = only(made(), "AWS::PCS::Cluster")["Name"]
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    assert only(template(stack), "AWS::PCS::Cluster")["Name"] != restricted


def test_such_a_cluster_may_be_in_a_nested_stack(app: cdk.App, stack: cdk.Stack) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    it = cluster(nested)
    it.add_login_nodes("login", instance_type="c7i.xlarge")
    app.synth()
    assert opened(template(nested)) >= to_controller(6817)


def test_the_groups_work_without_a_cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    groups = pcs.RestrictedSecurityGroups(stack, "Groups", vpc=vpc, srun_port_range="50000-50999")
    other = ec2.SecurityGroup(stack, "Other", vpc=vpc, description="Other")
    other.connections.allow_from(groups, ec2.Port.tcp(1))
    clients = {client for server, client, *_ in opened(template(stack)) if server == "other"}
    assert clients == {"controller", "compute", "login"}


def test_the_permissive_group_may_be_narrowed(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.ClusterSecurityGroup(stack, "Group", vpc=vpc, ipv6=True, all_outbound=False)
    result = template(stack)
    assert "0.0.0.0/0" not in str(result.to_json())
    assert "::/0" not in str(result.to_json())
    assert {way for way, *_ in security_group_rules(result)} == {"Ingress", "Egress"}


@pytest.mark.parametrize("members", [["controller"], ["compute"], ["controller", "compute"]])
def test_fails_on_groups_of_which_some_are_missing(
    stack: cdk.Stack, vpc: ec2.IVpc, members: list[str]
) -> None:
    groups = {name: existing_group(stack, name) for name in members}
    with refused(stack, "PCS003"):
        pcs.Cluster(stack, "Cluster", vpc=vpc, security_groups=pcs.ClusterSecurityGroups(**groups))


def test_ports_of_srun_that_are_slurms_own_are_told(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.RestrictedSecurityGroups(stack, "Groups", vpc=vpc, srun_port_range="6810-6830")
    assert advised(stack) == {"PCS846"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param({"srun_port_range": "60001"}, "PCS817", id="one port"),
        pytest.param({"srun_port_range": 60001}, "PCS003", id="number"),
        pytest.param({"vpc": "vpc-1"}, "PCS003", id="no VPC"),
        pytest.param({"ssh": "yes"}, "PCS003", id="no flag"),
    ],
)
def test_fails_on_groups_that_cannot_be_made(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], code: str
) -> None:
    with refused(stack, code):
        pcs.RestrictedSecurityGroups(stack, "Groups", **{"vpc": vpc, **arguments})


def test_fails_with_one_group_for_all_and_one_for_each(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = existing_group(stack)
    with refused(stack, "PCS428"):
        pcs.Cluster(
            stack,
            "Cluster",
            vpc=vpc,
            security_group=group,
            security_groups=pcs.ClusterSecurityGroups.restricted(),
        )


def test_fails_with_ports_for_srun_that_are_a_token(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    ports = cdk.CfnParameter(stack, "Ports").value_as_string
    with refused(stack, "PCS002"):
        pcs.Cluster(
            stack,
            "Cluster",
            vpc=vpc,
            slurm_settings={"SrunPortRange": ports},
            security_groups=pcs.ClusterSecurityGroups.restricted(),
        )


def test_fails_with_groups_of_another_vpc(stack: cdk.Stack) -> None:
    elsewhere = pcs.Network(stack, "Elsewhere").vpc
    here = pcs.Network(stack, "Here").vpc
    groups = pcs.RestrictedSecurityGroups(stack, "Groups", vpc=elsewhere)
    with refused(stack, "PCS415"):
        pcs.Cluster(
            stack,
            "Cluster",
            vpc=here,
            security_groups=pcs.ClusterSecurityGroups.of(
                controller=groups.controller, compute=groups.compute
            ),
        )


def test_fails_on_groups_that_are_none() -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.ClusterSecurityGroups.of(controller="sg-1", compute=None)  # pyright: ignore
    assert [problem.code for problem in error.value.problems] == ["PCS003", "PCS003"]
    with pytest.raises(pcs.PcsValidationError):
        pcs.ClusterSecurityGroups.restricted(ssh="yes")  # pyright: ignore


def test_fails_when_srun_has_too_few_ports_for_all_nodes(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    it = pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        size=pcs.ClusterSize.MEDIUM,
        slurm_settings={"SrunPortRange": "60001-60010"},
    )
    nodes = it.add_compute_node_group(
        "nodes", instance_types=TYPES, scaling=pcs.Scaling.dynamic(max=400)
    )
    it.add_queue("all", node_groups=[nodes])
    assert refused_at_synth(app) == {"PCS429"}
