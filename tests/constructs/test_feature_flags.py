"""No flag in a user's `cdk.json` decides what this library writes."""

from __future__ import annotations

import json
import tarfile
from importlib.resources import files
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler

import pcs_constructs as pcs
from tests.constructs.templates import template


def recommended_flags() -> dict[str, Any]:
    """What `cdk init` writes into a new app, from the CDK's own package."""
    (package,) = files("aws_cdk._jsii").glob("aws-cdk-lib@*.jsii.tgz")  # pyright: ignore
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name == "package/recommended-feature-flags.json":
                content = archive.extractfile(member)
                assert content is not None
                return json.load(content)
    raise AssertionError("aws-cdk-lib has no recommended-feature-flags.json")


def program(context: dict[str, Any]) -> dict[str, Any]:
    """The template of a program that uses every construct."""
    stack = cdk.Stack(cdk.App(context=context), "Stack")
    network = pcs.Network(stack, "Network")
    home = pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=network.vpc)
    zfs = pcs.OpenZfsStorage(
        stack,
        "OpenZfs",
        vpc=network.vpc,
        deployment_type=pcs.OpenZfsDeploymentType.MULTI_AZ_1,
        snapshot_schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
    )
    mounts = {
        "/home": home,
        "/scratch": scratch,
        "/zfs": zfs,
        "/ontap": pcs.OntapStorage(stack, "Ontap", vpc=network.vpc),
        "/cache": pcs.FileCacheStorage(stack, "Cache", vpc=network.vpc),
        "/point": home.add_access_point("Point", path="/point"),
    }
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        mounts=mounts,
        mount_scripts=pcs.MountScripts.pinned(),
    )
    cluster.add_login_nodes(
        "login", instance_type="c7i.xlarge", ssh_from=[ec2.Peer.ipv4("203.0.113.0/24")]
    )
    group = cluster.add_compute_node_group(
        "compute",
        instance_types=["hpc7a.96xlarge"],
        scaling=pcs.Scaling.dynamic(max=2),
        efa=True,
        root_volume=ec2.BlockDeviceVolume.ebs(100, kms_key=kms.Key(stack, "Key")),
        instance_tags={"Project": "all"},
        detailed_monitoring=True,
        mounts={**cluster.mounts, "/data": pcs.EfsStorage(stack, "Data", vpc=network.vpc)},
    )
    assert group.grant_principal
    cluster.add_queue("jobs", node_groups=[group])
    principal = iam.ServicePrincipal("ec2.amazonaws.com")
    role = iam.Role(stack, "Role", path="/aws-pcs/", assumed_by=principal)
    pcs.NodeInstanceProfile(stack, "Profile", role=role)
    pcs.NodeLaunchTemplate(
        stack,
        "Template",
        instance_types=["p5.48xlarge"],
        security_groups=[cluster.security_group],
        efa=True,
        mounts={"/home": home},
    )
    return template(stack).to_json()


@pytest.fixture(scope="module")
def without_flags() -> dict[str, Any]:
    return program({})


def test_the_recommended_flags_change_nothing(without_flags: dict[str, Any]) -> None:
    flags = recommended_flags()
    assert len(flags) > 50
    assert program(flags) == without_flags


def test_every_flag_that_is_true_changes_nothing(without_flags: dict[str, Any]) -> None:
    flags = {
        name: True for name in recommended_flags() if name != "@aws-cdk/core:target-partitions"
    }
    assert program(flags) == without_flags
