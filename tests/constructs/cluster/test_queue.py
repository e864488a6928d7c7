from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import (
    advised,
    existing_group,
    existing_vpc,
    only,
    referred,
    refused,
    template,
    wrong_type,
)

QUEUE = "AWS::PCS::Queue"


@pytest.fixture
def cluster(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.Cluster:
    return pcs.Cluster(stack, "Cluster", vpc=vpc)


def nodes(cluster: pcs.ICluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    defaults = {"instance_types": ["c7i.4xlarge"], "scaling": pcs.Scaling.dynamic(max=4)}
    return pcs.ComputeNodeGroup(
        cluster,  # pyright: ignore[reportArgumentType]
        id,
        cluster=cluster,
        **{**defaults, **arguments},
    )


def test_a_queue_is_called_what_its_id_is_and_names_its_node_groups_by_id(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    group = nodes(cluster)
    queue = cluster.add_queue("jobs", node_groups=[group])
    made = template(stack)
    written = only(made, QUEUE)
    assert queue.name == written["Name"] == "jobs"
    (configuration,) = written["ComputeNodeGroupConfigurations"]
    reference = configuration["ComputeNodeGroupId"]
    assert reference["Fn::GetAtt"][1] == "Id"
    assert referred(made, reference)["Properties"]["Name"] == group.name
    assert referred(made, written["ClusterId"])["Type"] == "AWS::PCS::Cluster"
    assert "SlurmConfiguration" not in written


def test_a_queue_can_be_told_everything(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    cluster.add_queue(
        "Jobs",
        name="long-jobs",
        node_groups=[nodes(cluster, "one"), nodes(cluster, "two")],
        slurm_settings={"MaxTime": "24:00:00", "Default": "YES"},
    )
    written = only(template(stack), QUEUE)
    assert written["Name"] == "long-jobs"
    assert len(written["ComputeNodeGroupConfigurations"]) == 2
    assert written["SlurmConfiguration"]["SlurmCustomSettings"] == [
        {"ParameterName": "MaxTime", "ParameterValue": "24:00:00"},
        {"ParameterName": "Default", "ParameterValue": "YES"},
    ]


def test_no_settings_are_left_out_because_pcs_refuses_an_empty_list(
    stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    cluster.add_queue("jobs", node_groups=[nodes(cluster)], slurm_settings={})
    assert "SlurmConfiguration" not in only(template(stack), QUEUE)


def test_tokens_are_passed_on_as_they_are(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    cluster.add_queue(
        "jobs",
        name=cdk.Fn.import_value("Name"),
        node_groups=[nodes(cluster)],
        slurm_settings={"MaxTime": cdk.Fn.import_value("MaxTime")},
    )
    written = only(template(stack), QUEUE)
    assert written["Name"] == {"Fn::ImportValue": "Name"}
    (setting,) = written["SlurmConfiguration"]["SlurmCustomSettings"]
    assert setting["ParameterValue"] == {"Fn::ImportValue": "MaxTime"}


def test_a_queue_of_an_imported_cluster_is_in_an_app_of_its_own(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster.from_cluster_attributes(
        stack,
        "Cluster",
        cluster_id=cdk.Fn.import_value("Cluster"),
        vpc=vpc,
        security_group=existing_group(stack),
    )
    known = pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "Known", "pcs_abc123")
    pcs.Queue(stack, "jobs", cluster=cluster, node_groups=[known, nodes(cluster)])
    written = only(template(stack), QUEUE)
    assert written["ClusterId"] == {"Fn::ImportValue": "Cluster"}
    ids = [c["ComputeNodeGroupId"] for c in written["ComputeNodeGroupConfigurations"]]
    assert ids[0] == "pcs_abc123"
    assert advised(stack) == set()


def test_a_queue_may_be_in_another_stack(
    app: cdk.App, stack: cdk.Stack, cluster: pcs.Cluster
) -> None:
    other = cdk.Stack(app, "Other")
    pcs.Queue(other, "jobs", cluster=cluster, node_groups=[nodes(cluster)])
    app.synth()
    assert stack in other.dependencies
    assert only(template(other), QUEUE)["ClusterId"].keys() == {"Fn::ImportValue"}


@pytest.mark.parametrize("code", ["PCS305", "PCS306"])
def test_what_is_unwise_is_advised_against_until_somebody_says_it_is_meant(
    stack: cdk.Stack, cluster: pcs.Cluster, code: str
) -> None:
    compute = nodes(cluster)
    other = {
        "PCS305": lambda: cluster.add_login_nodes("login", instance_type="c7i.xlarge"),
        "PCS306": lambda: nodes(cluster, "arm", instance_types=["c7g.4xlarge"]),
    }[code]()
    queue = cluster.add_queue("jobs", node_groups=[compute, other])
    assert advised(stack) == {code}
    acknowledgment = cdk.Acknowledgment(id=f"pcs-constructs:{code}", reason="small cluster")
    cdk.Validations.of(queue).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


@pytest.mark.parametrize(
    "name", ["9lives", "under_score", "ab", "x" * 26, "with space", "sl/ash", "pcs_1", ""]
)
def test_fails_on_what_is_no_queue_name(stack: cdk.Stack, cluster: pcs.Cluster, name: str) -> None:
    group = nodes(cluster)
    with refused(stack, "PCS301"):
        cluster.add_queue("jobs", name=name, node_groups=[group])


@pytest.mark.parametrize("id", ["under_score", "x" * 26, "ab"])
def test_fails_on_an_id_that_is_no_queue_name(
    stack: cdk.Stack, cluster: pcs.Cluster, id: str
) -> None:
    group = nodes(cluster)
    with refused(stack, "PCS301"):
        cluster.add_queue(id, node_groups=[group])


def test_fails_without_a_node_group(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    with refused(stack, "PCS303"):
        cluster.add_queue("jobs", node_groups=[])


def test_fails_on_node_groups_of_another_cluster(
    stack: cdk.Stack, cluster: pcs.Cluster, vpc: ec2.IVpc
) -> None:
    other = pcs.Cluster.from_cluster_attributes(
        stack, "Other", cluster_id="pcs_abc123", vpc=vpc, security_group=existing_group(stack)
    )
    group = nodes(other)
    with refused(stack, "PCS304"):
        cluster.add_queue("jobs", node_groups=[group])


@pytest.mark.parametrize("node_groups", ["compute", None])
def test_fails_on_node_groups_that_are_no_list(
    stack: cdk.Stack, cluster: pcs.Cluster, node_groups: Any
) -> None:
    with refused(stack, "PCS001"):
        cluster.add_queue("jobs", node_groups=node_groups)


def test_fails_on_a_single_node_group(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    group = nodes(cluster)
    with refused(stack, "PCS001"):
        cluster.add_queue("jobs", node_groups=group)  # pyright: ignore[reportArgumentType]


def test_fails_with_every_problem_at_once(stack: cdk.Stack, cluster: pcs.Cluster) -> None:
    with refused(stack, "PCS301", "PCS303"):
        cluster.add_queue("jobs", name="9", node_groups=[])


@pytest.mark.parametrize(
    "arguments",
    [
        {"slurm_settings": {"MaxNodes": 4}},
        {"slurm_settings": ["MaxNodes=4"]},
        {"node_groups": ["pcs_abc123"]},
        {"name": 42},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    cluster: pcs.Cluster, arguments: dict[str, Any]
) -> None:
    group = nodes(cluster)
    with pytest.raises(Exception):  # noqa: B017, PT011  # the type checker has told before
        cluster.add_queue("jobs", **{"node_groups": [group], **arguments})
    assert cluster.node.try_find_child("jobs") is None


def test_names_are_the_same_however_often_the_app_is_made() -> None:
    names = set()
    for _ in range(2):
        stack = cdk.Stack(cdk.App(), "Stack")
        cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack))
        group = nodes(cluster)
        cluster.add_queue("jobs", node_groups=[group])
        names.add((cluster.name, group.name))
    assert len(names) == 1
