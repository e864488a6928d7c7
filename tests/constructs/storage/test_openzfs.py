from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler

import pcs_constructs as pcs
from pcs_constructs.model.boot import MountClient
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

SYSTEM, VOLUME = "AWS::FSx::FileSystem", "AWS::FSx::Volume"
MULTI_AZ_1 = pcs.OpenZfsDeploymentType.MULTI_AZ_1
DAILY = scheduler.ScheduleExpression.cron(minute="0", hour="2")
PORTS = {
    (p, *ports) for p in ("tcp", "udp") for ports in ((111, 111), (2049, 2049), (20001, 20003))
}
TABLES = ["rtb-00000000000000001", "rtb-00000000000000002"]


def told_vpc(scope: cdk.Stack) -> ec2.IVpc:
    """An existing VPC that tells its route tables."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Told",
        vpc_id="vpc-0123456789abcdef1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=list(PRIVATE),
        private_subnet_route_table_ids=TABLES,
    )


def zfs(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> dict[str, Any]:
    pcs.OpenZfsStorage(stack, "Home", vpc=vpc, **arguments)
    return only(template(stack), SYSTEM)


def ports_of(made: Template, direction: str) -> set[tuple[str, int | None, int | None]]:
    return {
        (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        for rule in properties(made, f"AWS::EC2::SecurityGroup{direction}")
    }


def place_of(share: pcs.FileShare) -> str:
    assert share.servers_in is not None
    return share.servers_in.subnet_id


@pytest.fixture(scope="module")
def home() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.OpenZfsStorage(stack, "Home", vpc=existing_vpc(stack))
    return template(stack)


@pytest.fixture(scope="module")
def kept() -> Template:
    """With snapshots of the root volume and of another."""
    stack = cdk.Stack(cdk.App(), "Stack")
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=existing_vpc(stack), snapshot_schedule=DAILY)
    storage.add_volume(
        "Projects",
        path="/projects",
        snapshot_schedule=scheduler.ScheduleExpression.rate(cdk.Duration.hours(1)),
        snapshot_retention=cdk.Duration.days(30),
    )
    return template(stack)


# The file system.


def test_an_open_zfs_file_system_is_small_and_survives_a_server(home: Template) -> None:
    file_system = only(home, SYSTEM)
    assert file_system["FileSystemType"] == "OPENZFS"
    assert file_system["StorageType"] == "SSD"
    assert file_system["StorageCapacity"] == 64
    assert file_system["SubnetIds"] == [PRIVATE[0]]
    assert file_system["Tags"] == [{"Key": "Name", "Value": "Home"}]
    assert file_system["OpenZFSConfiguration"] == {
        "DeploymentType": "SINGLE_AZ_HA_2",
        "ThroughputCapacity": 160,
        "DiskIopsConfiguration": {"Mode": "AUTOMATIC"},
        "AutomaticBackupRetentionDays": 30,
        "CopyTagsToBackups": True,
        "CopyTagsToVolumes": True,
        "RootVolumeConfiguration": {
            "DataCompressionType": "LZ4",
            "RecordSizeKiB": 128,
            "ReadOnly": False,
            "CopyTagsToSnapshots": True,
            "NfsExports": [
                {
                    "ClientConfigurations": [
                        {"Clients": "*", "Options": ["rw", "crossmnt", "no_root_squash"]}
                    ]
                }
            ],
        },
    }


def test_an_open_zfs_file_system_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    file_system = zfs(
        stack,
        vpc,
        capacity=cdk.Size.tebibytes(1),
        throughput=320,
        iops=10_000,
        deployment_type=MULTI_AZ_1,
        subnet=vpc.private_subnets[1],
        standby_subnet=vpc.private_subnets[0],
        route_table_ids=TABLES[:1],
        endpoint_ip_address_range="10.0.255.0/24",
        compression=pcs.OpenZfsCompression.ZSTD,
        record_size=cdk.Size.mebibytes(1),
        nfs_exports={"10.0.0.0/16": ["rw", "crossmnt"], "10.1.0.7": ["ro"]},
        user_quotas={1000: cdk.Size.gibibytes(10)},
        group_quotas={100: cdk.Size.tebibytes(1)},
        copy_tags=False,
        kms_key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/k"),
        backup_retention=cdk.Duration.days(90),
        backup_start_time="05:00",
        weekly_maintenance=fsx.LustreMaintenanceTime(day=fsx.Weekday.SUNDAY, hour=3, minute=0),
    )
    assert file_system["StorageCapacity"] == 1024
    assert file_system["SubnetIds"] == [PRIVATE[1], PRIVATE[0]]
    assert file_system["KmsKeyId"].endswith("key/k")
    assert file_system["OpenZFSConfiguration"] == {
        "DeploymentType": "MULTI_AZ_1",
        "ThroughputCapacity": 320,
        "DiskIopsConfiguration": {"Mode": "USER_PROVISIONED", "Iops": 10_000},
        "PreferredSubnetId": PRIVATE[1],
        "RouteTableIds": TABLES[:1],
        "EndpointIpAddressRange": "10.0.255.0/24",
        "AutomaticBackupRetentionDays": 90,
        "DailyAutomaticBackupStartTime": "05:00",
        "WeeklyMaintenanceStartTime": "7:03:00",
        "CopyTagsToBackups": False,
        "CopyTagsToVolumes": False,
        "RootVolumeConfiguration": {
            "DataCompressionType": "ZSTD",
            "RecordSizeKiB": 1024,
            "ReadOnly": False,
            "CopyTagsToSnapshots": False,
            "NfsExports": [
                {
                    "ClientConfigurations": [
                        {"Clients": "10.0.0.0/16", "Options": ["rw", "crossmnt"]},
                        {"Clients": "10.1.0.7", "Options": ["ro"]},
                    ]
                }
            ],
            "UserAndGroupQuotas": [
                {"Type": "USER", "Id": 1000, "StorageCapacityQuotaGiB": 10},
                {"Type": "GROUP", "Id": 100, "StorageCapacityQuotaGiB": 1024},
            ],
        },
    }


@pytest.mark.parametrize(
    ("deployment_type", "throughput"),
    [
        (pcs.OpenZfsDeploymentType.SINGLE_AZ_1, 64),
        (pcs.OpenZfsDeploymentType.SINGLE_AZ_HA_1, 64),
        (pcs.OpenZfsDeploymentType.SINGLE_AZ_2, 160),
        (MULTI_AZ_1, 160),
    ],
)
def test_the_throughput_is_the_smallest_of_the_deployment_type(
    stack: cdk.Stack, deployment_type: pcs.OpenZfsDeploymentType, throughput: int
) -> None:
    file_system = zfs(stack, told_vpc(stack), deployment_type=deployment_type)
    assert file_system["OpenZFSConfiguration"]["ThroughputCapacity"] == throughput


def test_numbers_and_texts_may_be_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    text = cdk.CfnParameter(stack, "Text").value_as_string
    configuration = zfs(
        stack,
        vpc,
        throughput=number,
        iops=number,
        backup_start_time=text,
        nfs_exports={text: ["rw", text]},
    )["OpenZFSConfiguration"]
    assert configuration["ThroughputCapacity"] == {"Ref": "Number"}
    assert configuration["DiskIopsConfiguration"]["Iops"] == {"Ref": "Number"}
    assert configuration["DailyAutomaticBackupStartTime"] == {"Ref": "Text"}
    assert configuration["RootVolumeConfiguration"]["NfsExports"] == [
        {"ClientConfigurations": [{"Clients": {"Ref": "Text"}, "Options": ["rw", {"Ref": "Text"}]}]}
    ]


def test_files_outlive_the_stack_unless_told_otherwise(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.OpenZfsStorage(stack, "Home", vpc=vpc).add_volume("Projects", path="/projects")
    made = template(stack)
    for kind, name in ((SYSTEM, "OpenZFSConfiguration"), (VOLUME, "OpenZFSConfiguration")):
        (resource,) = found(made, kind).values()
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
        assert "Options" not in resource["Properties"][name]


def test_what_is_destroyed_goes_with_everything_in_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc, removal_policy=cdk.RemovalPolicy.DESTROY)
    storage.add_volume("Projects", path="/projects")
    made = template(stack)
    for kind in (SYSTEM, VOLUME):
        (resource,) = found(made, kind).values()
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Delete"
        assert resource["Properties"]["OpenZFSConfiguration"]["Options"] == [
            "DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"
        ]


# Two zones.


def test_two_zones_have_the_first_private_subnets_and_all_route_tables(stack: cdk.Stack) -> None:
    file_system = zfs(stack, told_vpc(stack), deployment_type=MULTI_AZ_1)
    assert file_system["SubnetIds"] == list(PRIVATE)
    assert file_system["OpenZFSConfiguration"]["PreferredSubnetId"] == PRIVATE[0]
    assert file_system["OpenZFSConfiguration"]["RouteTableIds"] == TABLES
    assert advised(stack) == set()


def test_fsx_may_change_the_route_tables_that_are_made_here(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Own", nat_gateways=0)
    file_system = zfs(stack, vpc, deployment_type=MULTI_AZ_1)
    made = template(stack)
    tables = file_system["OpenZFSConfiguration"]["RouteTableIds"]
    assert len(tables) == len(found(made, "AWS::EC2::RouteTable"))
    for table in tables:
        tags = referred(made, table)["Properties"]["Tags"]
        assert {"Key": "AmazonFSx", "Value": "ManagedByAmazonFSx"} in tags
    zones = [
        text_of(referred(made, subnet)["Properties"]["AvailabilityZone"])
        for subnet in file_system["SubnetIds"]
    ]
    assert len(set(zones)) == 2


def test_one_zone_leaves_route_tables_alone(stack: cdk.Stack) -> None:
    assert "AmazonFSx" not in json.dumps(zfs(stack, ec2.Vpc(stack, "Own")))
    assert "ManagedByAmazonFSx" not in json.dumps(template(stack).to_json())


def test_route_tables_that_nobody_tells_are_worth_a_word(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    assert (
        "RouteTableIds" not in zfs(stack, vpc, deployment_type=MULTI_AZ_1)["OpenZFSConfiguration"]
    )
    assert advised(stack) == {"PCS539"}


# Mounting.


def test_the_root_volume_is_mounted_with_nfs_by_the_name_of_the_file_system(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    mount = storage.file_share.mount("/home")
    (system,) = found(template(stack), SYSTEM)
    assert text_of(stack.resolve(mount.source)) == (
        f'{{"Ref": "{system}"}}.fsx.{{"Ref": "AWS::Region"}}.{{"Ref": "AWS::URLSuffix"}}:/fsx'
    )
    assert (mount.type, mount.client, mount.keep_existing) == ("nfs", MountClient.NFS, True)
    assert {"nfsvers=4.2", "hard", "timeo=600", "_netdev"} <= set(mount.options.split(","))
    assert place_of(storage.file_share) == PRIVATE[0]


def test_servers_in_two_zones_are_in_none(stack: cdk.Stack) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=told_vpc(stack), deployment_type=MULTI_AZ_1)
    assert storage.file_share.servers_in is None


def test_nothing_reaches_the_servers_before_somebody_mounts(home: Template) -> None:
    assert security_group_rules(home) == set()
    assert "SecurityGroupIngress" not in only(home, "AWS::EC2::SecurityGroup")


@pytest.mark.parametrize("all_outbound", [True, False])
def test_the_ports_of_nfs_are_open_to_who_mounts_it_and_nothing_else(
    stack: cdk.Stack, vpc: ec2.IVpc, *, all_outbound: bool
) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc, allow_all_outbound=all_outbound)
    storage.file_share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    client = text_of(stack.resolve(nodes.security_group_id))
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    made = template(stack)
    assert ports_of(made, "Ingress") == PORTS
    assert ports_of(made, "Egress") == (set() if all_outbound else PORTS)
    for direction, group, peer, *_ in security_group_rules(made):
        assert (group, peer) == ((server, client) if direction == "Ingress" else (client, server))


def test_an_open_zfs_file_system_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    ec2.SecurityGroup(stack, "Other", vpc=vpc).connections.allow_to(storage, ec2.Port.tcp(7))
    assert ("tcp", 7, 7) in ports_of(template(stack), "Ingress")


def test_a_home_that_root_cannot_write_to_is_left_as_it_is(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc, nfs_exports={"*": ["rw", "crossmnt"]})
    frozen = storage.add_volume("Frozen", path="/frozen", read_only=True)
    for share in (storage.file_share, frozen):
        assert not share.mount("/home").keep_existing


# Volumes.


def test_a_volume_is_mounted_alone_once_it_is_there(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    share = storage.add_volume("Projects", path="/projects")
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/projects": share})
    assert text_of(stack.resolve(share.mount("/projects").source)).endswith(":/fsx/projects")
    assert place_of(share) == PRIVATE[0]
    made = template(stack)
    (cluster,) = found(made, "AWS::PCS::Cluster").values()
    assert set(found(made, VOLUME)) <= set(cluster["DependsOn"])
    assert only(made, VOLUME) == {
        "Name": "projects",
        "VolumeType": "OPENZFS",
        "OpenZFSConfiguration": {
            "ParentVolumeId": {"Fn::GetAtt": [next(iter(found(made, SYSTEM))), "RootVolumeId"]},
            "StorageCapacityQuotaGiB": -1,
            "StorageCapacityReservationGiB": 0,
            "DataCompressionType": "LZ4",
            "RecordSizeKiB": 128,
            "ReadOnly": False,
            "CopyTagsToSnapshots": True,
            "NfsExports": [
                {
                    "ClientConfigurations": [
                        {"Clients": "*", "Options": ["rw", "crossmnt", "no_root_squash"]}
                    ]
                }
            ],
        },
    }


def test_a_volume_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc, copy_tags=False)
    storage.add_volume(
        "Projects",
        path="/projects",
        quota=cdk.Size.gibibytes(20),
        reservation=cdk.Size.gibibytes(10),
        compression=pcs.OpenZfsCompression.NONE,
        record_size=cdk.Size.kibibytes(4),
        read_only=True,
        nfs_exports={"10.0.0.0/8": ["ro"]},
        user_quotas={0: cdk.Size.gibibytes(1)},
        group_quotas={5: cdk.Size.gibibytes(2)},
    )
    configuration = only(template(stack), VOLUME)["OpenZFSConfiguration"]
    del configuration["ParentVolumeId"]
    assert configuration == {
        "StorageCapacityQuotaGiB": 20,
        "StorageCapacityReservationGiB": 10,
        "DataCompressionType": "NONE",
        "RecordSizeKiB": 4,
        "ReadOnly": True,
        "CopyTagsToSnapshots": False,
        "NfsExports": [{"ClientConfigurations": [{"Clients": "10.0.0.0/8", "Options": ["ro"]}]}],
        "UserAndGroupQuotas": [
            {"Type": "USER", "Id": 0, "StorageCapacityQuotaGiB": 1},
            {"Type": "GROUP", "Id": 5, "StorageCapacityQuotaGiB": 2},
        ],
    }


def test_a_volume_may_be_in_a_volume(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    storage.add_volume("Projects", path="/projects")
    share = storage.add_volume("Cfd", path="/projects/cfd")
    made = template(stack)
    by_name = {volume["Properties"]["Name"]: key for key, volume in found(made, VOLUME).items()}
    inner = found(made, VOLUME)[by_name["cfd"]]["Properties"]["OpenZFSConfiguration"]
    assert inner["ParentVolumeId"] == {"Fn::GetAtt": [by_name["projects"], "VolumeId"]}
    assert text_of(stack.resolve(share.source)).endswith(":/fsx/projects/cfd")


def test_a_volume_is_mounted_from_another_stack(app: cdk.App, stack: cdk.Stack) -> None:
    vpc = existing_vpc(stack)
    share = pcs.OpenZfsStorage(stack, "Home", vpc=vpc).add_volume("Projects", path="/projects")
    other = cdk.Stack(app, "Other")
    pcs.Cluster(other, "Cluster", vpc=vpc, mounts={"/projects": share})
    assert ports_of(template(other), "Ingress") >= PORTS
    assert ports_of(template(stack), "Ingress") == set()
    assert stack in other.dependencies


# Snapshots.


def test_no_snapshots_are_taken_unless_somebody_says_when(home: Template) -> None:
    assert found(home, "AWS::Scheduler::Schedule") == {}
    assert found(home, "AWS::IAM::Role") == {}


def states_of(made: Template, schedule: dict[str, Any]) -> dict[str, Any]:
    machine = referred(made, schedule["Target"]["Arn"])["Properties"]
    definition = machine["DefinitionString"]["Fn::Join"][1]
    holes = [
        f"<{next(iter(part.values()))}>" if isinstance(part, dict) else part for part in definition
    ]
    return json.loads("".join(str(part) for part in holes))["States"]


def test_each_snapshot_is_taken_by_the_clock_and_deleted_when_it_is_old(kept: Template) -> None:
    by_time = {s["ScheduleExpression"]: s for s in properties(kept, "AWS::Scheduler::Schedule")}
    assert set(by_time) == {"cron(0 2 * * ? *)", "rate(1 hour)"}
    for expression, days, attribute in (
        ("cron(0 2 * * ? *)", 7, "RootVolumeId"),
        ("rate(1 hour)", 30, "VolumeId"),
    ):
        schedule = by_time[expression]
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["State"] == "ENABLED"
        states = states_of(kept, schedule)
        assert states["Take"]["Resource"].endswith(":states:::aws-sdk:fsx:createSnapshot")
        assert f"'{attribute}'" in states["Take"]["Parameters"]["VolumeId"]
        assert "$$.Execution.StartTime" in states["Take"]["Parameters"]["Name.$"]
        assert states["Keep"]["Seconds"] == days * 24 * 60 * 60
        assert states["Delete"]["Resource"].endswith(":states:::aws-sdk:fsx:deleteSnapshot")
        assert states["Delete"]["Parameters"] == {"SnapshotId.$": "$.SnapshotId"}


def test_what_takes_snapshots_may_do_nothing_else(kept: Template) -> None:
    statements = [
        statement
        for role in properties(kept, "AWS::IAM::Role")
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    # Of one volume: volume/<file system>/<volume> and snapshot/<volume>/*
    allowed = {
        (statement["Action"], re.sub(r"{[^}]*}", "_", text_of(statement["Resource"])))
        for statement in statements
    }
    assert allowed == {
        ("states:StartExecution", "_"),
        ("fsx:CreateSnapshot", "arn:_:fsx:_:_:volume/_/_"),
        ("fsx:CreateSnapshot", "arn:_:fsx:_:_:snapshot/_/*"),
        ("fsx:TagResource", "arn:_:fsx:_:_:snapshot/_/*"),
        ("fsx:DeleteSnapshot", "arn:_:fsx:_:_:snapshot/_/*"),
    }


def test_snapshots_may_be_taken_by_another_clock(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    paris = scheduler.ScheduleExpression.cron(hour="2", time_zone=cdk.TimeZone.EUROPE_PARIS)
    pcs.OpenZfsStorage(stack, "Home", vpc=vpc, snapshot_schedule=paris)
    schedule = only(template(stack), "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Paris"


# Imported.


def test_an_existing_volume_is_opened_to_whoever_mounts_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    share = pcs.OpenZfsStorage.from_open_zfs_attributes(
        stack,
        "Home",
        file_system_id="fs-0123456789abcdef0",
        security_group=existing_group(stack),
        volume_path="/fsx/projects",
    )
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/projects": share})
    assert text_of(stack.resolve(share.source)) == (
        'fs-0123456789abcdef0.fsx.{"Ref": "AWS::Region"}.{"Ref": "AWS::URLSuffix"}:/fsx/projects'
    )
    opened = {rule[3:] for rule in security_group_rules(template(stack)) if "sg-0" in rule[1]}
    assert opened == {(111, 111), (2049, 2049), (20001, 20003)}


def test_an_existing_volume_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    share = pcs.OpenZfsStorage.from_open_zfs_attributes(
        stack,
        "Home",
        file_system_id=cdk.Fn.import_value("Id"),
        security_group=existing_group(stack),
        dns_name=cdk.Fn.import_value("Dns"),
        volume_path=cdk.Fn.import_value("Path"),
    )
    assert stack.resolve(share.source) == {
        "Fn::Join": ["", [{"Fn::ImportValue": "Dns"}, ":", {"Fn::ImportValue": "Path"}]]
    }


@pytest.mark.parametrize(
    "arguments",
    [{"file_system_id": "home"}, {"volume_path": "/home"}, {"volume_path": "fsx"}],
    ids=str,
)
def test_fails_on_what_refers_to_no_volume(stack: cdk.Stack, arguments: dict[str, str]) -> None:
    group = existing_group(stack)
    good = {"file_system_id": "fs-0123456789abcdef0"}
    with refused(stack, "PCS537"):
        pcs.OpenZfsStorage.from_open_zfs_attributes(
            stack, "Home", security_group=group, **{**good, **arguments}
        )


# What is refused.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS530"}, {"capacity": cdk.Size.gibibytes(32)}, id="too small"),
        pytest.param({"PCS530"}, {"capacity": cdk.Size.mebibytes(65_537)}, id="half a GiB"),
        pytest.param({"PCS531"}, {"throughput": 64}, id="throughput of another type"),
        pytest.param({"PCS532"}, {"iops": 100}, id="few iops"),
        pytest.param({"PCS533"}, {"route_table_ids": TABLES}, id="tables for one zone"),
        pytest.param({"PCS533"}, {"endpoint_ip_address_range": "10.0.0.0/24"}, id="endpoints"),
        pytest.param(
            {"PCS533"}, {"deployment_type": MULTI_AZ_1, "route_table_ids": []}, id="no table"
        ),
        pytest.param({"PCS534"}, {"record_size": cdk.Size.kibibytes(100)}, id="record size"),
        pytest.param({"PCS534"}, {"user_quotas": {-1: cdk.Size.gibibytes(1)}}, id="nobody"),
        pytest.param({"PCS535"}, {"nfs_exports": {"login": ["rw"]}}, id="host"),
        pytest.param({"PCS535"}, {"nfs_exports": {}}, id="no exports"),
        pytest.param({"PCS538"}, {"backup_retention": cdk.Duration.days(91)}, id="91 days"),
        pytest.param({"PCS538"}, {"backup_start_time": "5 am"}, id="no time"),
        pytest.param({"PCS538"}, {"removal_policy": cdk.RemovalPolicy.SNAPSHOT}, id="snapshot"),
        pytest.param({"PCS538"}, {"snapshot_retention": cdk.Duration.days(7)}, id="no schedule"),
        pytest.param({"PCS002"}, {"snapshot_retention": cdk.Duration.hours(36)}, id="36 hours"),
        pytest.param({"PCS001"}, {"nfs_exports": {"*": "rw"}}, id="one option"),
        pytest.param({"PCS001"}, {"route_table_ids": TABLES[0]}, id="one table"),
        pytest.param(
            {"PCS530", "PCS531", "PCS534", "PCS535", "PCS538"},
            {
                "capacity": cdk.Size.gibibytes(1),
                "throughput": 1,
                "record_size": cdk.Size.kibibytes(1),
                "nfs_exports": {"*": []},
                "backup_retention": cdk.Duration.days(364),
            },
            id="five at once",
        ),
    ],
)
def test_fails_on_what_fsx_does_not_make(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.OpenZfsStorage(stack, "Home", vpc=vpc, **arguments)


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS536"}, {"path": "projects"}, id="relative"),
        pytest.param({"PCS536"}, {"path": "/old"}, id="taken"),
        pytest.param({"PCS536"}, {"path": "/new/cfd"}, id="in nothing"),
        pytest.param({"PCS534"}, {"reservation": cdk.Size.gibibytes(65)}, id="reservation"),
        pytest.param({"PCS534"}, {"quota": cdk.Size.mebibytes(1)}, id="quota"),
        pytest.param({"PCS535"}, {"nfs_exports": {"*": ["a b"]}}, id="option"),
        pytest.param(
            {"PCS538"},
            {"snapshot_schedule": DAILY, "snapshot_retention": cdk.Duration.days(365)},
            id="a year",
        ),
        pytest.param({"PCS003"}, {"read_only": "yes"}, id="text"),
        pytest.param({"PCS002"}, {"path": cdk.Aws.STACK_NAME}, id="token"),
    ],
)
def test_fails_on_a_volume_that_cannot_be(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    storage = pcs.OpenZfsStorage(stack, "Home", vpc=vpc)
    storage.add_volume("Old", path="/old")
    with refused(stack, *codes):
        storage.add_volume("New", **{"path": "/new", **arguments})


def test_fails_on_two_servers_in_a_zone(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS533"):
        pcs.OpenZfsStorage(
            stack,
            "Home",
            vpc=vpc,
            deployment_type=MULTI_AZ_1,
            route_table_ids=TABLES,
            standby_subnet=vpc.public_subnets[0],
        )


def test_fails_on_two_zones_of_a_vpc_with_one(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
    with refused(stack, "PCS533"):
        pcs.OpenZfsStorage(stack, "Home", vpc=vpc, deployment_type=MULTI_AZ_1)


@pytest.mark.parametrize("argument", ["subnet", "standby_subnet"])
def test_fails_on_a_subnet_of_another_vpc(stack: cdk.Stack, argument: str) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    place = {argument: theirs.private_subnets[argument == "standby_subnet"]}
    with refused(stack, "PCS404"):
        pcs.OpenZfsStorage(stack, "Home", vpc=ours, deployment_type=MULTI_AZ_1, **place)


def test_fails_on_a_vpc_without_subnets(stack: cdk.Stack) -> None:
    empty = ec2.Vpc.from_vpc_attributes(
        stack, "Empty", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with refused(stack, "PCS414"):
        pcs.OpenZfsStorage(stack, "Home", vpc=empty)


def test_fails_on_sizes_and_durations_that_are_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    for arguments in (
        {"capacity": cdk.Size.gibibytes(number)},
        {"backup_retention": cdk.Duration.days(number)},
        {"user_quotas": {1000: cdk.Size.gibibytes(number)}},
        {"user_quotas": {number: cdk.Size.gibibytes(1)}},
    ):
        with refused(stack, "PCS002"):
            pcs.OpenZfsStorage(stack, "Home", vpc=vpc, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"vpc": "vpc-0123456789abcdef0"},
        {"capacity": 64},
        {"throughput": "64"},
        {"deployment_type": "SINGLE_AZ_1"},
        {"compression": "LZ4"},
        {"record_size": 128},
        {"nfs_exports": "*"},
        {"user_quotas": {"ada": cdk.Size.gibibytes(1)}},
        {"user_quotas": {1000: 1}},
        {"group_quotas": [100]},
        {"snapshot_schedule": "rate(1 day)"},
        {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/k"},
        {"subnet": PRIVATE[0]},
        {"weekly_maintenance": "1:05:00"},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any]
) -> None:
    with refused(stack, "PCS003"):
        pcs.OpenZfsStorage(stack, "Home", **{"vpc": vpc, **arguments})
