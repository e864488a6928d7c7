from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import pcs_constructs as pcs
from tests.constructs.templates import (
    PRIVATE,
    advised,
    existing_group,
    existing_vpc,
    found,
    only,
    properties,
    referred,
    refused,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

CACHE = "AWS::FSx::FileCache"
DNS_NAME = "fc-0123456789abcdef0.fsx.us-east-1.amazonaws.com"
SERVER = {"/tools": pcs.DataRepository.nfs("10.0.0.5", "/export/tools")}


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.FileCacheStorage(stack, "Cache", vpc=existing_vpc(stack))
    return template(stack)


def test_a_cache_is_all_that_fsx_requires_and_nothing_else(default: Template) -> None:
    (group,) = found(default, "AWS::EC2::SecurityGroup")
    assert only(default, CACHE) == {
        "FileCacheType": "LUSTRE",
        "FileCacheTypeVersion": "2.12",
        "StorageCapacity": 1200,
        "SubnetIds": [PRIVATE[0]],
        "SecurityGroupIds": [{"Fn::GetAtt": [group, "GroupId"]}],
        "LustreConfiguration": {
            "DeploymentType": "CACHE_1",
            "PerUnitStorageThroughput": 1000,
            "MetadataConfiguration": {"StorageCapacity": 2400},
        },
        "Tags": [{"Key": "Name", "Value": "Cache"}],
    }


def test_a_cache_outlives_the_stack_unless_told_otherwise(
    default: Template, stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    (kept,) = found(default, CACHE).values()
    assert kept["DeletionPolicy"] == kept["UpdateReplacePolicy"] == "Retain"
    pcs.FileCacheStorage(stack, "Cache", vpc=vpc, removal_policy=cdk.RemovalPolicy.DESTROY)
    (deleted,) = found(template(stack), CACHE).values()
    assert deleted["DeletionPolicy"] == deleted["UpdateReplacePolicy"] == "Delete"


def test_the_servers_of_a_cache_reach_each_other_before_they_are_made(default: Template) -> None:
    (group,) = found(default, "AWS::EC2::SecurityGroup")
    itself = text_of({"Fn::GetAtt": [group, "GroupId"]})
    assert security_group_rules(default) == {
        ("Ingress", itself, itself, 988, 988),
        ("Ingress", itself, itself, 1018, 1023),
    }
    (cache,) = found(default, CACHE).values()
    assert set(cache["DependsOn"]) == set(found(default, "AWS::EC2::SecurityGroupIngress"))


def test_a_cache_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.FileCacheStorage(
        stack,
        "Cache",
        vpc=vpc,
        data_repositories={
            "/genomes": pcs.DataRepository.s3(
                s3.Bucket.from_bucket_name(stack, "Genomes", "genomes"), prefix="/human/"
            ),
            "/own": pcs.DataRepository.s3(s3.Bucket(stack, "Own")),  # pyright: ignore[reportArgumentType]
        },
        capacity=cdk.Size.tebibytes(4.6875),
        subnet=vpc.private_subnets[1],
        kms_key=kms.Key(stack, "Key"),  # pyright: ignore[reportArgumentType]
        weekly_maintenance=fsx.LustreMaintenanceTime(day=fsx.Weekday.SUNDAY, hour=3, minute=30),
    )
    made = template(stack)
    cache = only(made, CACHE)
    assert cache["StorageCapacity"] == 4800
    assert cache["SubnetIds"] == [PRIVATE[1]]
    assert referred(made, cache["KmsKeyId"])["Type"] == "AWS::KMS::Key"
    assert cache["LustreConfiguration"]["WeeklyMaintenanceStartTime"] == "7:03:30"
    assert cache["CopyTagsToDataRepositoryAssociations"] is True
    (bucket,) = found(made, "AWS::S3::Bucket")
    assert [
        (text_of(link["DataRepositoryPath"]), link["FileCachePath"])
        for link in cache["DataRepositoryAssociations"]
    ] == [("s3://genomes/human/", "/genomes"), (f's3://{{"Ref": "{bucket}"}}/', "/own")]
    assert advised(stack) == set()


def test_a_cached_server_is_advised_against_until_somebody_has_tried(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.FileCacheStorage(stack, "Cache", vpc=vpc, data_repositories=SERVER)
    assert only(template(stack), CACHE)["DataRepositoryAssociations"] == [
        {"DataRepositoryPath": "nfs://10.0.0.5/export/tools", "FileCachePath": "/tools"}
    ]
    assert advised(stack) == {"PCS554"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS554", reason="tried")
    cdk.Validations.of(storage).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


def test_what_is_linked_may_be_known_by_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    host, export, path = (cdk.Fn.import_value(name) for name in ("Host", "Export", "Path"))
    repositories = {path: pcs.DataRepository.nfs(host, export)}
    pcs.FileCacheStorage(stack, "Cache", vpc=vpc, data_repositories=repositories)
    (link,) = only(template(stack), CACHE)["DataRepositoryAssociations"]
    assert link["FileCachePath"] == {"Fn::ImportValue": "Path"}
    assert text_of(link["DataRepositoryPath"]).startswith("nfs://{")


def test_a_cache_is_mounted_as_its_guide_says(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.FileCacheStorage(stack, "Cache", vpc=vpc)
    mount = storage.file_share.mount("/cache")
    made = template(stack)
    (cache,) = found(made, CACHE)
    assert stack.resolve(storage.dns_name) == {"Fn::GetAtt": [cache, "DNSName"]}
    assert stack.resolve(mount.source) == {
        "Fn::Join": [
            "",
            [
                {"Fn::GetAtt": [cache, "DNSName"]},
                "@tcp:/",
                {"Fn::GetAtt": [cache, "LustreConfiguration.MountName"]},
            ],
        ]
    }
    assert (mount.type, mount.options) == ("lustre", "_netdev,relatime,flock")
    assert mount.client is pcs.MountClient.LUSTRE


def test_lustre_ports_of_a_cache_are_open_in_both_directions_to_who_mounts_it(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.FileCacheStorage(stack, "Cache", vpc=vpc)
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc, allow_all_outbound=False)
    storage.file_share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    client = text_of(stack.resolve(nodes.security_group_id))
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    made = template(stack)
    assert {rule for rule in security_group_rules(made) if client in rule} == {
        (direction, group, peer, *ports)
        for ports in ((988, 988), (1018, 1023))
        for direction, group, peer in (
            ("Ingress", server, client),
            ("Egress", client, server),
            ("Ingress", client, server),
        )
    }
    for group in properties(made, "AWS::EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in group


def test_a_cache_in_another_zone_than_the_nodes_costs_money(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cache = pcs.FileCacheStorage(stack, "Cache", vpc=vpc, subnet=vpc.private_subnets[1])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/cache": cache})
    cluster.add_compute_node_group(
        "compute", instance_types=["c7i.4xlarge"], scaling=pcs.Scaling.dynamic(max=4)
    )
    assert "PCS561" in advised(stack)


def test_a_cache_of_another_stack_can_be_mounted(app: cdk.App) -> None:
    ours, theirs = cdk.Stack(app, "Ours"), cdk.Stack(app, "Theirs")
    cache = pcs.FileCacheStorage(theirs, "Cache", vpc=existing_vpc(theirs))
    nodes = ec2.SecurityGroup(ours, "Nodes", vpc=existing_vpc(ours))
    cache.file_share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    assert len(security_group_rules(template(ours))) == 4
    assert len(security_group_rules(template(theirs))) == 2


# Imported.


def test_an_existing_cache_is_opened_to_whoever_mounts_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    share = pcs.FileCacheStorage.from_file_cache_attributes(
        stack,
        "Cache",
        dns_name=DNS_NAME,
        mount_name="a1b2cbev",
        security_group=existing_group(stack),
    )
    assert share.source == f"{DNS_NAME}@tcp:/a1b2cbev"
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc)
    share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    rules = security_group_rules(template(stack))
    assert {(rule[1] == "sg-00000000000000001", *rule[3:]) for rule in rules} == {
        (is_server, *ports) for is_server in (True, False) for ports in ((988, 988), (1018, 1023))
    }


def test_an_existing_cache_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    share = pcs.FileCacheStorage.from_file_cache_attributes(
        stack,
        "Cache",
        dns_name=cdk.Fn.import_value("Dns"),
        mount_name=cdk.Fn.import_value("Mount"),
        security_group=existing_group(stack),
    )
    assert stack.resolve(share.source) == {
        "Fn::Join": ["", [{"Fn::ImportValue": "Dns"}, "@tcp:/", {"Fn::ImportValue": "Mount"}]]
    }


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("PCS551", {"dns_name": "fc-0123456789abcdef0", "mount_name": "a1b2cbev"}),
        ("PCS551", {"dns_name": DNS_NAME, "mount_name": "/a1b2cbev"}),
        ("PCS003", {"dns_name": DNS_NAME, "mount_name": 1}),
    ],
)
def test_fails_on_names_that_are_not_those_of_a_cache(
    stack: cdk.Stack, code: str, names: dict[str, Any]
) -> None:
    group = existing_group(stack)
    with refused(stack, code):
        pcs.FileCacheStorage.from_file_cache_attributes(
            stack, "Cache", security_group=group, **names
        )


# What cannot be.


def test_fails_on_everything_that_fsx_does_not_make_at_once(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "genomes")
    with refused(stack, "PCS550", "PCS552", "PCS553"):
        pcs.FileCacheStorage(
            stack,
            "Cache",
            vpc=vpc,
            capacity=cdk.Size.gibibytes(3600),
            data_repositories={
                "/genomes": pcs.DataRepository.s3(bucket),
                "/tools": pcs.DataRepository.nfs("203.0.113.5", "/export"),
            },
        )


def test_fails_on_a_capacity_that_is_a_token(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    with refused(stack, "PCS002"):
        pcs.FileCacheStorage(stack, "Cache", vpc=vpc, capacity=cdk.Size.gibibytes(number))


@pytest.mark.parametrize(
    "arguments",
    [
        {"vpc": "vpc-0123456789abcdef0"},
        {"capacity": 1200},
        {"data_repositories": ["/genomes"]},
        {"data_repositories": {"/genomes": "s3://genomes/"}},
        {"subnet": PRIVATE[0]},
        {"kms_key": "alias/mine"},
        {"weekly_maintenance": "7:03:30"},
        {"removal_policy": "retain"},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type(stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any]) -> None:
    with refused(stack, "PCS003"):
        pcs.FileCacheStorage(stack, "Cache", **{"vpc": vpc, **arguments})


def test_fails_on_what_is_neither_bucket_nor_server(stack: cdk.Stack) -> None:
    with refused(stack, "PCS003"):
        pcs.DataRepository.s3("genomes")  # pyright: ignore[reportArgumentType]
    with refused(stack, "PCS003"):
        pcs.DataRepository.nfs("10.0.0.5", 5)  # pyright: ignore[reportArgumentType]


def test_fails_on_a_subnet_of_another_vpc(stack: cdk.Stack) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    place = theirs.private_subnets[0]
    with refused(stack, "PCS404"):
        pcs.FileCacheStorage(stack, "Cache", vpc=ours, subnet=place)


def test_fails_on_a_vpc_without_subnets(stack: cdk.Stack) -> None:
    empty = ec2.Vpc.from_vpc_attributes(
        stack, "Empty", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with refused(stack, "PCS414"):
        pcs.FileCacheStorage(stack, "Cache", vpc=empty)
