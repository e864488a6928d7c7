from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx

import pcs_constructs as pcs
from pcs_constructs.model.slurm import DEFAULT
from tests.constructs.templates import (
    PRIVATE,
    PUBLIC,
    advised,
    existing_group,
    existing_vpc,
    found,
    only,
    properties,
    referred,
    refused,
    refused_at_synth,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

CLUSTER = "AWS::PCS::Cluster"
GROUP = "AWS::PCS::ComputeNodeGroup"
IRELAND = cdk.Environment(account="123456789012", region="eu-west-1")
OHIO = cdk.Environment(account="123456789012", region="us-east-2")


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
    return template(stack)


def nodes(cluster: pcs.Cluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    defaults = {"instance_types": ["c7i.4xlarge"], "scaling": pcs.Scaling.dynamic(max=4)}
    return cluster.add_compute_node_group(id, **{**defaults, **arguments})


def imported(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> pcs.ICluster:
    defaults = {"cluster_id": "pcs_abc123", "vpc": vpc}
    if "security_group" not in arguments:
        defaults["security_group"] = existing_group(stack)
    return pcs.Cluster.from_cluster_attributes(stack, "Imported", **{**defaults, **arguments})


# By default.


def test_a_cluster_is_small_and_runs_slurm_25_11_in_the_first_private_subnet(
    default: Template,
) -> None:
    cluster = only(default, CLUSTER)
    assert cluster["Size"] == "SMALL"
    assert cluster["Scheduler"] == {"Type": "SLURM", "Version": DEFAULT.value}
    assert f"slurm: The Slurm version. By default {DEFAULT.value}." in str(pcs.Cluster.__doc__)
    assert cluster["Networking"]["SubnetIds"] == [PRIVATE[0]]
    assert "SlurmConfiguration" not in cluster


def test_a_clusters_group_talks_to_itself_and_to_everywhere(default: Template) -> None:
    (reference,) = only(default, CLUSTER)["Networking"]["SecurityGroupIds"]
    group = referred(default, reference)["Properties"]
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["0.0.0.0/0"]
    assert "SecurityGroupIngress" not in group
    itself = text_of(reference)
    assert security_group_rules(default) == {
        ("Ingress", itself, itself, None, None),
        ("Egress", itself, itself, None, None),
    }


def test_a_cluster_without_nodes_has_neither_role_nor_image(default: Template) -> None:
    kinds = {resource["Type"] for resource in default.to_json()["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith("AWS::IAM")]
    parameters = default.to_json()["Parameters"].values()
    assert "AWS::EC2::Image::Id" not in {parameter["Type"] for parameter in parameters}


def test_the_name_is_the_id_and_a_hash(default: Template) -> None:
    assert re.fullmatch(r"Cluster-[0-9a-f]{6}", only(default, CLUSTER)["Name"])


# Told everything.


def test_a_cluster_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        subnet=vpc.private_subnets[1],
        size=pcs.ClusterSize.LARGE,
        slurm=pcs.SlurmVersion.V26_05,
        name="production",
        mounts={"/home": pcs.EfsStorage(stack, "Home", vpc=vpc)},
        security_group=existing_group(stack),
        accounting=pcs.Accounting(retention_days=365),
        rest_api=True,
        scale_down_idle_time=cdk.Duration.minutes(5),
        slurm_settings={"SelectTypeParameters": "CR_CPU_Memory"},
    )
    made = template(stack)
    assert only(made, CLUSTER) == {
        "Name": "production",
        "Size": "LARGE",
        "Scheduler": {"Type": "SLURM", "Version": "26.05"},
        "Networking": {
            "SubnetIds": [PRIVATE[1]],
            "SecurityGroupIds": ["sg-00000000000000001"],
        },
        "SlurmConfiguration": {
            "Accounting": {"Mode": "STANDARD", "DefaultPurgeTimeInDays": 365},
            "SlurmRest": {"Mode": "STANDARD"},
            "ScaleDownIdleTimeInSeconds": 300,
            "SlurmCustomSettings": [
                {"ParameterName": "SelectTypeParameters", "ParameterValue": "CR_CPU_Memory"}
            ],
        },
    }
    assert cluster.name == "production"


def test_accounting_keeps_records_for_good_unless_told_otherwise(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, accounting=pcs.Accounting())
    accounting = only(template(stack), CLUSTER)["SlurmConfiguration"]["Accounting"]
    assert accounting == {"Mode": "STANDARD", "DefaultPurgeTimeInDays": -1}


def test_the_qos_that_there_are_are_in_the_metadata_where_check_looks(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    pcs.Cluster(stack, "A", vpc=vpc, accounting=pcs.Accounting(qos=["low", "high"]))
    pcs.Cluster(stack, "B", vpc=vpc, accounting=pcs.Accounting())
    found = template(stack).find_resources(CLUSTER).values()
    told = [cluster.get("Metadata", {}).get("pcs-constructs") for cluster in found]
    assert sorted(told, key=str) == [None, {"qos": ["high", "low"]}]


def test_no_settings_are_left_out_because_pcs_refuses_an_empty_list(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, rest_api=True, slurm_settings={})
    assert only(template(stack), CLUSTER)["SlurmConfiguration"] == {
        "SlurmRest": {"Mode": "STANDARD"}
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"SelectTypeParameters": "CR_CPU_Memory"}, True, id="by memory"),
        pytest.param({"SelectTypeParameters": "CR_CPU"}, False, id="by processors"),
        pytest.param({}, False, id="not said"),
        pytest.param({"SelectTypeParameters": cdk.Fn.import_value("Select")}, None, id="token"),
    ],
)
def test_a_cluster_tells_whether_it_schedules_by_memory(
    stack: cdk.Stack, vpc: ec2.IVpc, settings: dict[str, str], expected: bool | None
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, slurm_settings=settings)
    assert cluster.memory_aware is expected


def test_a_cluster_waits_for_the_mount_targets_of_what_its_nodes_mount(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    made = template(stack)
    (cluster,) = found(made, CLUSTER).values()
    assert set(cluster["DependsOn"]) == set(found(made, "AWS::EFS::MountTarget"))


def test_what_a_cluster_mounts_is_opened_to_its_group_once(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    nodes(cluster, "one")
    nodes(cluster, "two")
    made = template(stack)
    opened = [rule for rule in security_group_rules(made) if rule[3] == 2049]
    assert [(rule[0], rule[2]) for rule in opened] == [
        ("Ingress", text_of(stack.resolve(cluster.security_group.security_group_id)))
    ]
    targets = {
        text_of(g) for t in properties(made, "AWS::EFS::MountTarget") for g in t["SecurityGroups"]
    }
    assert {rule[1] for rule in opened} == targets


def test_a_cluster_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    database.connections.allow_from(cluster, ec2.Port.tcp(3306))
    expected = (
        "Ingress",
        text_of(stack.resolve(database.security_group_id)),
        text_of(stack.resolve(cluster.security_group.security_group_id)),
        3306,
        3306,
    )
    assert expected in security_group_rules(template(stack))


def test_the_main_resource_is_where_the_cdk_looks_for_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    resource = cluster.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_override("Networking.NetworkType", "IPV4")
    assert only(template(stack), CLUSTER)["Networking"]["NetworkType"] == "IPV4"


# Where it is.


def test_a_controller_is_isolated_where_there_is_nothing_else(stack: cdk.Stack) -> None:
    isolated = ec2.SubnetConfiguration(name="I", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    public = ec2.SubnetConfiguration(name="P", subnet_type=ec2.SubnetType.PUBLIC)
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, subnet_configuration=[public, isolated])
    pcs.Cluster(stack, "Cluster", vpc=vpc)
    made = template(stack)
    (subnet,) = only(made, CLUSTER)["Networking"]["SubnetIds"]
    assert referred(made, subnet)["Properties"]["MapPublicIpOnLaunch"] is False


@pytest.mark.parametrize("chosen", [True, False])
def test_a_public_controller_is_advised_against(stack: cdk.Stack, chosen: bool) -> None:
    public = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
    vpc = ec2.Vpc(stack, "Vpc", subnet_configuration=[public])
    pcs.Cluster(stack, "Cluster", vpc=vpc, subnet=vpc.public_subnets[0] if chosen else None)
    assert advised(stack) == {"PCS403"}


def test_a_controller_may_be_in_an_imported_subnet(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-0123456789abcdef0")
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, subnet=subnet)
    nodes(cluster)
    made = template(stack)
    assert only(made, CLUSTER)["Networking"]["SubnetIds"] == ["subnet-0123456789abcdef0"]
    assert only(made, GROUP)["SubnetIds"] == ["subnet-0123456789abcdef0"]


def test_a_vpc_may_be_known_by_tokens_only(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=cdk.Fn.import_value("VpcId"),
        availability_zones=[cdk.Fn.import_value("Zone")],
        private_subnet_ids=[cdk.Fn.import_value("Subnet")],
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", cdk.Fn.import_value("Group"))
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, security_group=group)
    nodes(cluster)
    networking = only(template(stack), CLUSTER)["Networking"]
    assert networking["SubnetIds"] == [{"Fn::ImportValue": "Subnet"}]
    assert networking["SecurityGroupIds"] == [{"Fn::ImportValue": "Group"}]


def test_tokens_are_passed_on_as_they_are(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        name=cdk.Fn.import_value("Name"),
        slurm_settings={"PrologFlags": cdk.Fn.import_value("Flags")},
    )
    cluster = only(template(stack), CLUSTER)
    assert cluster["Name"] == {"Fn::ImportValue": "Name"}
    (setting,) = cluster["SlurmConfiguration"]["SlurmCustomSettings"]
    assert setting["ParameterValue"] == {"Fn::ImportValue": "Flags"}


def test_a_cluster_in_a_nested_stack_gets_its_image_from_the_stack_that_is_deployed(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    nodes(pcs.Cluster(nested, "Cluster", vpc=vpc))
    asked = {
        name
        for name, parameter in template(nested).to_json().get("Parameters", {}).items()
        if "Default" not in parameter
    }
    given = only(template(stack), "AWS::CloudFormation::Stack").get("Parameters", {})
    assert asked <= given.keys()


# Names and replacement.


def test_what_forces_replacement_changes_the_name(default: Template) -> None:
    names = [only(default, CLUSTER)["Name"]]
    for change in ("size", "subnet", "security_group", "scheduler"):
        stack = cdk.Stack(cdk.App(), "Stack")
        vpc = existing_vpc(stack)
        arguments: dict[str, Any] = {
            "size": lambda: {"size": pcs.ClusterSize.MEDIUM},
            "subnet": lambda: {"subnet": vpc.private_subnets[1]},  # noqa: B023
            "security_group": lambda: {"security_group": existing_group(stack)},  # noqa: B023
            "scheduler": lambda: {"slurm": pcs.SlurmVersion.V26_05, "rest_api": True},
        }[change]()
        names.append(pcs.Cluster(stack, "Cluster", vpc=vpc, **arguments).name)
    *replaced, updated = names
    assert len(set(replaced)) == 4
    assert updated == names[0]


@pytest.mark.parametrize("id", ["under_score", "a.b", "with space", "x" * 80, "c", "slash/ed"])
def test_any_id_that_starts_with_a_letter_makes_a_name(
    stack: cdk.Stack, vpc: ec2.IVpc, id: str
) -> None:
    name = pcs.Cluster(stack, id, vpc=vpc).name
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{2,39}", name)
    assert only(template(stack), CLUSTER)["Name"] == name


def test_clusters_with_one_id_in_two_stacks_of_one_vpc_have_two_names(app: cdk.App) -> None:
    names = set()
    for place in ("Test", "Production"):
        stack = cdk.Stack(app, place)
        names.add(pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack)).name)
    app.synth()
    assert len(names) == 2


def test_a_fixed_name_is_advised_against_until_somebody_says_it_is_meant(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, name="production")
    assert advised(stack) == {"PCS103"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS103", reason="we rename it")
    cdk.Validations.of(cluster).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


def test_an_old_slurm_is_advised_against(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.Cluster(stack, "Cluster", vpc=vpc, slurm=pcs.SlurmVersion.V25_05)
    assert advised(stack) == {"PCS106"}


# One cluster at a time.


def waits_for(template: Template) -> dict[str, set[str]]:
    """Which other clusters each waits for, by name."""
    clusters = found(template, CLUSTER)
    return {
        cluster["Properties"]["Name"]: {
            clusters[place]["Properties"]["Name"]
            for place in cluster.get("DependsOn", ())
            if place in clusters
        }
        for cluster in clusters.values()
    }


def test_clusters_of_a_stack_are_created_one_after_another(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    one, two, three = (pcs.Cluster(stack, place, vpc=vpc).name for place in ("One", "Two", "Three"))
    assert waits_for(template(stack)) == {one: set(), two: {one}, three: {two}}


def clusters_in(app: cdk.App, **environments: cdk.Environment | None) -> list[cdk.Stack]:
    stacks = [cdk.Stack(app, place, env=env) for place, env in environments.items()]
    for stack in stacks:
        pcs.Cluster(stack, f"In{stack.node.id}", vpc=existing_vpc(stack))
    return stacks


@pytest.mark.parametrize("env", [None, IRELAND], ids=["anywhere", "Ireland"])
def test_clusters_of_one_environment_are_deployed_one_after_another(
    app: cdk.App, env: cdk.Environment | None
) -> None:
    one, two, three = clusters_in(app, One=env, Two=env, Three=env)
    app.synth()  # only then it is known which stack refers to which
    assert one in two.dependencies
    assert two in three.dependencies


def test_clusters_of_two_environments_do_not_wait_for_each_other(app: cdk.App) -> None:
    one, two = clusters_in(app, One=IRELAND, Two=OHIO)
    app.synth()
    assert one.dependencies == two.dependencies == []


def test_a_cluster_waits_for_the_last_one_of_its_own_environment(app: cdk.App) -> None:
    one, two, three = clusters_in(app, One=IRELAND, Two=OHIO, Three=IRELAND)
    app.synth()
    assert one in three.dependencies
    assert two not in three.dependencies


def test_clusters_of_stages_do_not_wait_for_each_other(app: cdk.App) -> None:
    for place in ("Test", "Production"):
        stack = cdk.Stack(cdk.Stage(app, place), "Stack")
        pcs.Cluster(stack, f"In{place}", vpc=existing_vpc(stack))
    app.synth()


@pytest.mark.parametrize("between", [False, True])
def test_an_order_that_the_user_has_chosen_is_kept(app: cdk.App, between: bool) -> None:
    first, middle, last = (cdk.Stack(app, place) for place in ("First", "Middle", "Last"))
    if between:
        first.add_stack_dependency(middle)
        middle.add_stack_dependency(last)
    else:
        first.add_stack_dependency(last)
    for stack in (first, last):
        pcs.Cluster(stack, f"In{stack.node.id}", vpc=existing_vpc(stack))
    app.synth()
    assert first not in last.dependencies


def test_clusters_of_nested_stacks_are_created_one_after_another(stack: cdk.Stack) -> None:
    vpc = existing_vpc(stack)
    for place in ("One", "Two"):
        pcs.Cluster(cdk.NestedStack(stack, place), f"In{place}", vpc=vpc)
    pcs.Cluster(stack, "Three", vpc=vpc)
    made = template(stack)
    one, two = found(made, "AWS::CloudFormation::Stack").items()
    assert one[0] in two[1]["DependsOn"]
    (three,) = found(made, CLUSTER).values()
    assert two[0] in three.get("DependsOn", ())


DEPRECATED = """
import apps, aws_cdk as cdk, pcs_constructs as pcs
from tests.constructs.templates import existing_vpc
app = cdk.App()
for place in ("One", "Two"):
    stack = cdk.Stack(app, place)
    vpc = existing_vpc(stack)
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    for cluster in (pcs.Cluster(stack, f"{n}{place}", vpc=vpc, mounts={"/h": home}) for n in "AB"):
        group = cluster.add_compute_node_group(
            "compute", instance_types=["c7i.large"], scaling=pcs.Scaling.static(1)
        )
        cluster.add_queue("jobs", node_groups=[group])
"""


def test_nothing_deprecated_is_called() -> None:
    # In a process of its own, because jsii warns once.
    environment = {**os.environ, "JSII_DEPRECATED": "warn"}
    run = subprocess.run(
        [sys.executable, "-c", DEPRECATED],
        env=environment,
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "deprecated" not in run.stderr


# Imported.


def test_an_imported_cluster_makes_nothing_until_it_has_nodes(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = imported(stack, vpc)
    assert template(stack).to_json().get("Resources", {}) == {}
    assert cluster.cluster_id == "pcs_abc123"


def test_an_imported_cluster_serves_node_groups_with_mounts_in_another_app(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    servers = existing_group(stack, "Servers", digit=2)
    cluster = imported(
        stack,
        vpc,
        subnet=vpc.private_subnets[1],
        slurm=pcs.SlurmVersion.V25_11,
        mounts={
            "/home": pcs.EfsStorage.from_file_system_attributes(
                stack, "Home", file_system_id="fs-0123456789abcdef0", security_group=servers
            )
        },
    )
    group = pcs.ComputeNodeGroup(
        stack,
        "compute",
        cluster=cluster,
        instance_types=["c7i.4xlarge"],
        scaling=pcs.Scaling.static(1),
        scale_down_idle_time=cdk.Duration.minutes(5),
    )
    pcs.Queue(stack, "jobs", cluster=cluster, node_groups=[group])
    made = template(stack)
    assert only(made, GROUP)["SubnetIds"] == [PRIVATE[1]]
    user_data = only(made, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]
    assert "fs-0123456789abcdef0:/" in text_of(user_data["Fn::Base64"])
    assert advised(stack) == set()


def test_an_imported_cluster_may_be_known_by_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "G", cdk.Fn.import_value("Group"))
    cluster = imported(stack, vpc, cluster_id=cdk.Fn.import_value("Cluster"), security_group=group)
    assert stack.resolve(cluster.cluster_id) == {"Fn::ImportValue": "Cluster"}


def test_an_imported_cluster_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = imported(stack, vpc)
    database = ec2.SecurityGroup(stack, "Database", vpc=vpc)
    database.connections.allow_from(cluster, ec2.Port.tcp(7))  # pyright: ignore
    assert {rule[2] for rule in security_group_rules(template(stack))} == {"sg-00000000000000001"}


def test_fails_with_every_problem_of_an_import_at_once(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    with refused(stack, "PCS111", "PCS409", "PCS501"):
        imported(stack, vpc, cluster_id="cluster", security_group=group, mounts={"home": home})


def test_fails_on_names_that_repeat_in_an_imported_cluster(
    app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = imported(stack, vpc)
    groups = [
        pcs.ComputeNodeGroup(
            stack,
            place,
            cluster=cluster,
            name="same",
            instance_types=["c7i.4xlarge"],
            scaling=pcs.Scaling.static(1),
        )
        for place in ("One", "Two")
    ]
    for place in ("jobs", "Jobs"):
        pcs.Queue(stack, place, cluster=cluster, node_groups=groups, name="jobs")
    assert refused_at_synth(app) == {"PCS202", "PCS302"}


# What cannot be.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS101"}, {"name": "9lives"}, id="a digit first"),
        pytest.param({"PCS101"}, {"name": "under_score"}, id="an underscore"),
        pytest.param({"PCS101"}, {"name": "pcs_abc"}, id="an id"),
        pytest.param({"PCS101"}, {"name": "ab"}, id="a short name"),
        pytest.param({"PCS101"}, {"name": "x" * 41}, id="a long name"),
        pytest.param({"PCS101"}, {"name": ""}, id="an empty name"),
        pytest.param({"PCS105"}, {"slurm": pcs.SlurmVersion.of("24.05")}, id="an old Slurm"),
        pytest.param(
            {"PCS107"}, {"scale_down_idle_time": cdk.Duration.seconds(0)}, id="no idle time"
        ),
        pytest.param(
            {"PCS107"}, {"scale_down_idle_time": cdk.Duration.days(365)}, id="a year of idling"
        ),
        pytest.param(
            {"PCS002"}, {"scale_down_idle_time": cdk.Duration.millis(1500)}, id="a second and half"
        ),
        pytest.param(
            {"PCS101", "PCS105", "PCS107", "PCS108", "PCS110"},
            {
                "name": "9lives",
                "slurm": pcs.SlurmVersion.of("23.11"),
                "accounting": pcs.Accounting(),
                "rest_api": True,
                "scale_down_idle_time": cdk.Duration.seconds(0),
            },
            id="five at once",
        ),
    ],
)
def test_fails_on_what_cannot_be(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.Cluster(stack, "Cluster", vpc=vpc, **arguments)


def test_fails_on_a_duration_that_is_a_token(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    with refused(stack, "PCS002"):
        pcs.Cluster(stack, "Cluster", vpc=vpc, scale_down_idle_time=cdk.Duration.seconds(number))


def test_fails_on_a_vpc_that_nodes_cannot_register_from(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        enable_dns_hostnames=False,
        default_instance_tenancy=ec2.DefaultInstanceTenancy.DEDICATED,
    )
    with refused(stack, "PCS401", "PCS402"):
        pcs.Cluster(stack, "Cluster", vpc=vpc)


def test_fails_on_a_subnet_of_another_vpc(stack: cdk.Stack) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    with refused(stack, "PCS404"):
        pcs.Cluster(stack, "Cluster", vpc=ours, subnet=theirs.private_subnets[0])


@pytest.mark.parametrize("is_imported", [True, False])
def test_fails_on_a_security_group_of_another_vpc(stack: cdk.Stack, is_imported: bool) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    group = ec2.SecurityGroup(stack, "Group", vpc=theirs)
    with refused(stack, "PCS415"):
        if is_imported:
            imported(stack, ours, security_group=group)
        else:
            pcs.Cluster(stack, "Cluster", vpc=ours, security_group=group)  # pyright: ignore[reportArgumentType]


def test_a_security_group_of_the_same_vpc_is_taken(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    pcs.Cluster(stack, "Cluster", vpc=vpc, security_group=group)  # pyright: ignore[reportArgumentType]
    groups = only(template(stack), CLUSTER)["Networking"]["SecurityGroupIds"]
    assert groups == [stack.resolve(group.security_group_id)]


def test_fails_on_a_vpc_whose_subnets_nobody_knows(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with refused(stack):
        pcs.Cluster(stack, "Cluster", vpc=vpc)


@pytest.mark.parametrize(
    ("codes", "paths"),
    [
        ({"PCS501"}, ["home"]),
        ({"PCS501"}, ["/home/"]),
        ({"PCS501"}, ["/my files"]),
        ({"PCS502"}, ["/etc/slurm"]),
        ({"PCS503"}, ["/home", "/home/data"]),
        ({"PCS501", "PCS502"}, ["data", "/usr"]),
    ],
)
def test_fails_on_mount_points_that_cannot_be(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], paths: list[str]
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    with refused(stack, *codes):
        pcs.Cluster(stack, "Cluster", vpc=vpc, mounts=dict.fromkeys(paths, home))


def test_fails_on_mounting_over_our_own_mount_script(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    with refused(stack, "PCS502"):
        pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/opt/pcs-constructs": home})


def test_fails_on_the_clusters_own_problems_before_those_of_its_vpc_hide_them(
    stack: cdk.Stack,
) -> None:
    empty = ec2.Vpc.from_vpc_attributes(
        stack, "Empty", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.Cluster(stack, "Cluster", vpc=empty, name="9lives")
    assert {problem.code for problem in error.value.problems} == {"PCS101", "PCS414"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": "SMALL"},
        {"slurm": "25.11"},
        {"accounting": True},
        {"scale_down_idle_time": 600},
        {"subnet": PRIVATE[0]},
        {"security_group": "sg-0123456789abcdef0"},
        {"mounts": ["/home"]},
        {"mounts": {"/home": "fs-0123456789abcdef0"}},
        {"slurm_settings": {"MaxJobCount": 100}},
        {"slurm_settings": ["MaxJobCount=100"]},
        {"name": 42},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # the type checker has told before
        pcs.Cluster(stack, "Cluster", vpc=vpc, **arguments)
    assert stack.node.try_find_child("Cluster") is None


# What only the finished tree shows.


@pytest.fixture
def cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.Cluster:
    return pcs.Cluster(stack, "Cluster", vpc=vpc)


def test_fails_at_synth_on_more_nodes_than_the_controller_manages(
    app: cdk.App, cluster: pcs.Cluster
) -> None:
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    nodes(cluster, scaling=pcs.Scaling.dynamic(max=32))
    assert refused_at_synth(app) == {"PCS104"}


def test_fails_at_synth_on_too_many_nodes_in_another_stack(
    app: cdk.App, cluster: pcs.Cluster
) -> None:
    pcs.ComputeNodeGroup(
        cdk.Stack(app, "Other"),
        "compute",
        cluster=cluster,
        instance_types=["c7i.4xlarge"],
        scaling=pcs.Scaling.dynamic(max=33),
    )
    assert refused_at_synth(app) == {"PCS104"}


def test_as_many_nodes_as_the_controller_manages_are_fine(
    app: cdk.App, cluster: pcs.Cluster
) -> None:
    nodes(cluster, scaling=pcs.Scaling.dynamic(max=32))
    app.synth()


def test_fails_at_synth_on_clusters_of_one_name_in_one_environment(app: cdk.App) -> None:
    for place in ("One", "Two"):
        stack = cdk.Stack(app, place, env=IRELAND)
        pcs.Cluster(stack, place, vpc=existing_vpc(stack), name="same")
    assert refused_at_synth(app) == {"PCS102"}


def test_clusters_of_one_name_may_be_in_two_environments(app: cdk.App) -> None:
    for place, env in (("One", IRELAND), ("Two", OHIO)):
        stack = cdk.Stack(app, place, env=env)
        pcs.Cluster(stack, place, vpc=existing_vpc(stack), name="same")
    app.synth()


def test_fails_at_synth_on_node_groups_and_queues_of_one_name(
    app: cdk.App, cluster: pcs.Cluster
) -> None:
    groups = [nodes(cluster, place, name="same") for place in ("One", "Two")]
    for place in ("Three", "Four"):
        cluster.add_queue(place, node_groups=groups, name="same")
    assert refused_at_synth(app) == {"PCS202", "PCS302"}


def test_names_that_are_tokens_are_not_compared(app: cdk.App) -> None:
    for place in ("One", "Two"):
        stack = cdk.Stack(app, place)
        vpc = existing_vpc(stack)
        cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, name=cdk.Aws.STACK_NAME)
        groups = [nodes(cluster, place, name=cdk.Fn.import_value("Name")) for place in ("Ab", "Cd")]
        cluster.add_queue("jobs", node_groups=groups)
    app.synth()


def test_fails_at_synth_on_more_interfaces_than_addresses(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", cidr="10.0.0.0/24")
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    nodes(
        cluster,
        instance_types=["hpc7a.96xlarge"],
        efa=True,
        scaling=pcs.Scaling.dynamic(max=6),
    )
    assert refused_at_synth(app) == {"PCS405"}


def test_fails_at_synth_on_interfaces_of_a_given_template(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network", cidr="10.0.0.0/24")
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc)
    types = ["hpc7a.96xlarge"]
    given = pcs.NodeLaunchTemplate(
        stack,
        "Nodes",
        instance_types=types,
        security_groups=[cluster.security_group],
        efa=True,
    )
    nodes(
        cluster,
        instance_types=types,
        launch_template=given,
        scaling=pcs.Scaling.dynamic(max=6),
    )
    assert refused_at_synth(app) == {"PCS405"}


def test_fails_at_synth_on_tags_that_belong_to_aws(app: cdk.App, cluster: pcs.Cluster) -> None:
    cdk.Tags.of(cluster.node.root).add("aws:project", "secret")
    assert refused_at_synth(app) == {"PCS115"}


def test_tags_that_are_tokens_are_not_measured(app: cdk.App, cluster: pcs.Cluster) -> None:
    value = "".join(cdk.Fn.import_value(f"Part{n}") for n in range(20))
    cdk.Tags.of(cluster).add("project", value)
    app.synth()


def test_a_node_group_that_no_queue_uses_is_advised_against(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(cluster)
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    assert advised(stack) == {"PCS208"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS208", reason="queues come later")
    cdk.Validations.of(cluster).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


def test_nodes_that_mount_less_than_others_are_advised_against(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    groups = [nodes(cluster, "one"), nodes(cluster, "two", mounts={})]
    cluster.add_queue("jobs", node_groups=groups)
    assert advised(stack) == {"PCS509"}


def test_nothing_is_advised_about_an_ordinary_program(stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    home = pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=network.vpc, mounts={"/home": home})
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    cluster.add_queue("demo", node_groups=[nodes(cluster)])
    assert advised(stack) == set()


# Stacks and removal.


def test_storage_may_be_in_a_stack_of_its_own(app: cdk.App, stack: cdk.Stack) -> None:
    network = pcs.Network(stack, "Network")
    files = cdk.Stack(app, "Files")
    control = cdk.Stack(app, "Control")
    pcs.Cluster(
        control,
        "Cluster",
        vpc=network.vpc,
        mounts={
            "/home": pcs.EfsStorage(files, "Home", vpc=network.vpc),
            "/scratch": pcs.LustreStorage(
                files,
                "Scratch",
                vpc=network.vpc,
                deployment_type=fsx.LustreDeploymentType.SCRATCH_2,
            ),
        },
    )
    app.synth()
    assert files in control.dependencies
    assert control not in files.dependencies
    opened = {(rule[0], rule[3]) for rule in security_group_rules(template(control)) if rule[3]}
    assert opened == {("Ingress", 2049), ("Ingress", 988), ("Ingress", 1018)}


def test_a_group_for_the_cluster_may_be_in_the_stack_of_the_storage(
    app: cdk.App, stack: cdk.Stack
) -> None:
    network = pcs.Network(stack, "Network")
    members = pcs.ClusterSecurityGroup(stack, "Members", vpc=network.vpc)
    pcs.Cluster(
        cdk.Stack(app, "Control"),
        "Cluster",
        vpc=network.vpc,
        security_group=members.security_group,
        mounts={"/scratch": pcs.LustreStorage(stack, "Scratch", vpc=network.vpc)},
    )
    app.synth()


def test_only_what_holds_files_outlives_the_stack(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    cluster.add_queue("jobs", node_groups=[nodes(cluster)])
    retained = {
        resource["Type"]
        for resource in template(stack).to_json()["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert retained == {"AWS::EFS::FileSystem"}


def test_a_public_subnet_can_be_the_users_choice_for_nodes(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    nodes(cluster, subnets=cluster.vpc.public_subnets)
    assert only(template(stack), GROUP)["SubnetIds"] == list(PUBLIC)


def test_an_earlier_cluster_may_use_the_network_of_a_later_ones_stack(app: cdk.App) -> None:
    shared, dev = cdk.Stack(app, "Shared"), cdk.Stack(app, "Dev")
    network = pcs.Network(shared, "Network")
    pcs.Cluster(dev, "Dev", vpc=network.vpc)
    pcs.Cluster(shared, "Shared", vpc=network.vpc)
    app.synth()
    assert shared in dev.dependencies
    assert dev not in shared.dependencies


def test_the_image_of_a_node_group_is_a_parameter_of_its_own_stack(app: cdk.App) -> None:
    # What a stack exports cannot change while another uses it, and an image has to.
    one, two = cdk.Stack(app, "One"), cdk.Stack(app, "Two")
    cluster = pcs.Cluster(one, "Cluster", vpc=existing_vpc(one))
    pcs.ComputeNodeGroup(
        two,
        "compute",
        cluster=cluster,
        instance_types=["c7i.large"],
        scaling=pcs.Scaling.dynamic(max=1),
    )
    (nodes,) = template(two).find_resources("AWS::PCS::ComputeNodeGroup").values()
    assert nodes["Properties"]["AmiId"] == {"Ref": "NodeImageX8664"}
    assert "NodeImageX8664" in template(two).to_json()["Parameters"]


def test_the_settings_of_the_database_and_of_cgroup_are_written(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    pcs.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        accounting=pcs.Accounting(),
        slurmdbd_settings={"PrivateData": "jobs"},
        cgroup_settings={"ConstrainRAMSpace": "yes"},
    )
    written = only(template(stack), "AWS::PCS::Cluster")["SlurmConfiguration"]
    assert written["SlurmdbdCustomSettings"] == [
        {"ParameterName": "PrivateData", "ParameterValue": "jobs"}
    ]
    assert written["CgroupCustomSettings"] == [
        {"ParameterName": "ConstrainRAMSpace", "ParameterValue": "yes"}
    ]


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        ({"PCS807"}, {"slurm_settings": {"SelectTypeParameter": "CR_CPU"}}),
        ({"PCS807"}, {"slurm_settings": {"Weight": "1"}}),
        ({"PCS810"}, {"slurmdbd_settings": {"PrivateData": "jobs"}}),
        ({"PCS807"}, {"cgroup_settings": {"CgroupPlugin": "autodetect"}}),
    ],
)
def test_fails_on_settings_that_pcs_does_not_take(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.Cluster(stack, "Cluster", vpc=vpc, **arguments)


def test_two_default_queues_are_one_too_many(app: cdk.App, stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    group = cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=1)
    )
    for name in ("one", "two"):
        cluster.add_queue(name, node_groups=[group], slurm_settings={"Default": "YES"})
    app.synth()
    assert "PCS822" in advised(stack)


def test_fails_on_a_queue_setting_that_pcs_does_not_take(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    group = cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=1)
    )
    with refused(stack, "PCS807"):
        cluster.add_queue("jobs", node_groups=[group], slurm_settings={"Nodes": "ALL"})
