from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms

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
    refused,
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

SYSTEM, MACHINE, VOLUME = (
    "AWS::FSx::FileSystem",
    "AWS::FSx::StorageVirtualMachine",
    "AWS::FSx::Volume",
)
SINGLE_AZ_2 = pcs.OntapDeploymentType.SINGLE_AZ_2
MULTI_AZ_2 = pcs.OntapDeploymentType.MULTI_AZ_2
SVM = "svm-0123456789abcdef0.fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com"
PORTS = {("tcp", 2049, 2049)}
TABLES = ["rtb-00000000000000001", "rtb-00000000000000002"]


def ontap(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> dict[str, Any]:
    pcs.OntapStorage(stack, "Home", vpc=vpc, **arguments)
    return only(template(stack), SYSTEM)


def volume(made: Template, name: str) -> dict[str, Any]:
    (one,) = [v for v in found(made, VOLUME).values() if v["Properties"]["Name"] == name]
    return one


def ports_of(made: Template, direction: str) -> set[tuple[str, int | None, int | None]]:
    return {
        (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        for rule in properties(made, f"AWS::EC2::SecurityGroup{direction}")
    }


@pytest.fixture(scope="module")
def home() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.OntapStorage(stack, "Home", vpc=existing_vpc(stack))
    return template(stack)


# The file system.


def test_an_ontap_file_system_is_one_pair_in_one_zone(home: Template) -> None:
    file_system = only(home, SYSTEM)
    assert file_system["FileSystemType"] == "ONTAP"
    assert file_system["StorageType"] == "SSD"
    assert file_system["StorageCapacity"] == 1024
    assert file_system["SubnetIds"] == [PRIVATE[0]]
    assert file_system["Tags"] == [{"Key": "Name", "Value": "Home"}]
    assert file_system["OntapConfiguration"] == {
        "DeploymentType": "SINGLE_AZ_1",
        "HAPairs": 1,
        "ThroughputCapacityPerHAPair": 128,
        "DiskIopsConfiguration": {"Mode": "AUTOMATIC"},
        "AutomaticBackupRetentionDays": 30,
    }


def test_there_is_a_machine_and_a_volume_for_unix(home: Template) -> None:
    machine = only(home, MACHINE)
    (system,) = found(home, SYSTEM)
    assert machine["FileSystemId"] == {"Ref": system}
    assert machine["Name"] == "Home"
    assert machine["RootVolumeSecurityStyle"] == "UNIX"
    (machine_id,) = found(home, MACHINE)
    assert only(home, VOLUME) == {
        "Name": "Volume",
        "VolumeType": "ONTAP",
        "OntapConfiguration": {
            "StorageVirtualMachineId": {"Fn::GetAtt": [machine_id, "StorageVirtualMachineId"]},
            "OntapVolumeType": "RW",
            "VolumeStyle": "FLEXVOL",
            "JunctionPath": "/vol1",
            "SizeInBytes": str(2**40),
            "SecurityStyle": "UNIX",
            "StorageEfficiencyEnabled": "true",
            "SnapshotPolicy": "default",
            "TieringPolicy": {"Name": "SNAPSHOT_ONLY"},
            "CopyTagsToBackups": "true",
        },
    }


def test_no_password_is_set(home: Template) -> None:
    assert "FsxAdminPassword" not in only(home, SYSTEM)["OntapConfiguration"]
    assert "SvmAdminPassword" not in only(home, MACHINE)


def test_an_ontap_file_system_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    file_system = ontap(
        stack,
        vpc,
        capacity=cdk.Size.tebibytes(2),
        throughput=768,
        ha_pairs=1,
        iops=10_000,
        deployment_type=MULTI_AZ_2,
        subnet=vpc.private_subnets[1],
        standby_subnet=vpc.private_subnets[0],
        route_table_ids=TABLES,
        endpoint_ip_address_range="10.0.255.0/24",
        junction_path="/home",
        size=cdk.Size.mebibytes(20),
        tiering_policy=pcs.OntapTieringPolicy.AUTO,
        cooling_period=cdk.Duration.days(14),
        storage_efficiency=False,
        snapshot_policy="none",
        copy_tags=False,
        kms_key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/k"),
        backup_retention=cdk.Duration.days(7),
        backup_start_time="05:00",
        weekly_maintenance=fsx.LustreMaintenanceTime(day=fsx.Weekday.MONDAY, hour=3, minute=0),
    )
    assert file_system["StorageCapacity"] == 2048
    assert file_system["SubnetIds"] == [PRIVATE[1], PRIVATE[0]]
    assert file_system["KmsKeyId"].endswith("key/k")
    assert file_system["OntapConfiguration"] == {
        "DeploymentType": "MULTI_AZ_2",
        "HAPairs": 1,
        "ThroughputCapacityPerHAPair": 768,
        "DiskIopsConfiguration": {"Mode": "USER_PROVISIONED", "Iops": 10_000},
        "PreferredSubnetId": PRIVATE[1],
        "RouteTableIds": TABLES,
        "EndpointIpAddressRange": "10.0.255.0/24",
        "AutomaticBackupRetentionDays": 7,
        "DailyAutomaticBackupStartTime": "05:00",
        "WeeklyMaintenanceStartTime": "1:03:00",
    }
    configuration = only(template(stack), VOLUME)["OntapConfiguration"]
    del configuration["StorageVirtualMachineId"]
    assert configuration == {
        "OntapVolumeType": "RW",
        "VolumeStyle": "FLEXVOL",
        "JunctionPath": "/home",
        "SizeInBytes": str(20 * 2**20),
        "SecurityStyle": "UNIX",
        "StorageEfficiencyEnabled": "false",
        "SnapshotPolicy": "none",
        "TieringPolicy": {"Name": "AUTO", "CoolingPeriod": 14},
        "CopyTagsToBackups": "false",
    }


def test_several_pairs_share_a_volume(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    file_system = ontap(stack, vpc, deployment_type=SINGLE_AZ_2, ha_pairs=3)
    assert file_system["StorageCapacity"] == 3 * 1024
    assert file_system["OntapConfiguration"]["HAPairs"] == 3
    assert file_system["OntapConfiguration"]["ThroughputCapacityPerHAPair"] == 1536
    configuration = only(template(stack), VOLUME)["OntapConfiguration"]
    assert configuration["VolumeStyle"] == "FLEXGROUP"
    assert configuration["SizeInBytes"] == str(3 * 2**40)


def test_a_volume_on_one_pair_is_no_larger_than_it_can_be(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    ontap(stack, vpc, capacity=cdk.Size.tebibytes(512))
    configuration = only(template(stack), VOLUME)["OntapConfiguration"]
    assert configuration["SizeInBytes"] == str(300 * 2**40)


def test_two_zones_have_the_first_private_subnets_and_all_route_tables(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Own", nat_gateways=0)
    file_system = ontap(stack, vpc, deployment_type=pcs.OntapDeploymentType.MULTI_AZ_1)
    configuration = file_system["OntapConfiguration"]
    assert configuration["ThroughputCapacityPerHAPair"] == 128
    assert configuration["PreferredSubnetId"] == file_system["SubnetIds"][0]
    assert len(file_system["SubnetIds"]) == 2
    tables = found(template(stack), "AWS::EC2::RouteTable")
    assert sorted(table["Ref"] for table in configuration["RouteTableIds"]) == sorted(tables)
    for table in tables.values():
        tags = table["Properties"]["Tags"]
        assert {"Key": "AmazonFSx", "Value": "ManagedByAmazonFSx"} in tags
    assert advised(stack) == set()


def test_route_tables_that_nobody_tells_are_worth_a_word(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    ontap(stack, vpc, deployment_type=MULTI_AZ_2)
    assert advised(stack) == {"PCS549"}


def test_numbers_and_texts_may_be_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    text = cdk.CfnParameter(stack, "Text").value_as_string
    storage = pcs.OntapStorage(
        stack,
        "Home",
        vpc=vpc,
        throughput=number,
        iops=number,
        junction_path=text,
        snapshot_policy=text,
        backup_start_time=text,
    )
    assert text_of(stack.resolve(storage.file_share.source)).endswith(':{"Ref": "Text"}')
    made = template(stack)
    configuration = only(made, SYSTEM)["OntapConfiguration"]
    assert configuration["ThroughputCapacityPerHAPair"] == {"Ref": "Number"}
    assert configuration["DiskIopsConfiguration"]["Iops"] == {"Ref": "Number"}
    assert only(made, VOLUME)["OntapConfiguration"]["JunctionPath"] == {"Ref": "Text"}


@pytest.mark.parametrize(
    ("policy", "written"),
    [(cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")],
)
def test_what_becomes_of_the_files_is_the_users_to_say(
    stack: cdk.Stack, vpc: ec2.IVpc, policy: cdk.RemovalPolicy, written: str
) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc, removal_policy=policy)
    storage.add_volume("Projects", junction_path="/projects")
    made = template(stack)
    for kind in (SYSTEM, MACHINE, VOLUME):
        for resource in found(made, kind).values():
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == written


# Mounting.


def test_a_volume_is_mounted_with_nfs_by_the_name_of_the_machine(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    mount = storage.file_share.mount("/home")
    made = template(stack)
    (system,), (machine,) = found(made, SYSTEM), found(made, MACHINE)
    svm = f'{{"Fn::GetAtt": ["{machine}", "StorageVirtualMachineId"]}}'
    assert text_of(stack.resolve(mount.source)) == (
        f'{svm}.{{"Ref": "{system}"}}.fsx.{{"Ref": "AWS::Region"}}.{{"Ref": "AWS::URLSuffix"}}'
        ":/vol1"
    )
    assert (mount.type, mount.client, mount.keep_existing) == ("nfs", MountClient.NFS, True)
    assert {"nfsvers=4.1", "hard", "timeo=600", "_netdev"} <= set(mount.options.split(","))
    assert storage.file_share.servers_in is not None
    assert storage.file_share.servers_in.subnet_id == PRIVATE[0]


def test_servers_in_two_zones_are_in_none(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc, deployment_type=MULTI_AZ_2)
    assert storage.file_share.servers_in is None


def test_nothing_reaches_the_servers_before_somebody_mounts(home: Template) -> None:
    assert security_group_rules(home) == set()
    assert "SecurityGroupIngress" not in only(home, "AWS::EC2::SecurityGroup")


@pytest.mark.parametrize("all_outbound", [True, False])
def test_the_ports_of_nfs_are_open_to_who_mounts_it_and_nothing_else(
    stack: cdk.Stack, vpc: ec2.IVpc, *, all_outbound: bool
) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc, allow_all_outbound=all_outbound)
    storage.file_share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    client = text_of(stack.resolve(nodes.security_group_id))
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    made = template(stack)
    assert ports_of(made, "Ingress") == PORTS
    assert ports_of(made, "Egress") == (set() if all_outbound else PORTS)
    for direction, group, peer, *_ in security_group_rules(made):
        assert (group, peer) == ((server, client) if direction == "Ingress" else (client, server))


def test_an_ontap_file_system_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    ec2.SecurityGroup(stack, "Other", vpc=vpc).connections.allow_to(storage, ec2.Port.tcp(443))
    assert ("tcp", 443, 443) in ports_of(template(stack), "Ingress")


# Volumes.


def test_each_volume_is_mounted_alone_once_it_is_there(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    share = storage.add_volume("my-projects", junction_path="/projects")
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": storage, "/projects": share})
    assert text_of(stack.resolve(share.source)).endswith(":/projects")
    made = template(stack)
    (cluster,) = found(made, "AWS::PCS::Cluster").values()
    assert set(found(made, VOLUME)) <= set(cluster["DependsOn"])
    configuration = volume(made, "my_projects")["Properties"]["OntapConfiguration"]
    assert configuration["JunctionPath"] == "/projects"
    assert configuration["SizeInBytes"] == str(2**40)


def test_a_volume_in_another_waits_for_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    storage.add_volume("Projects", junction_path="/projects")
    storage.add_volume("Cfd", junction_path="/projects/cfd")
    storage.add_volume("Projects2", junction_path="/projects2")
    made = template(stack)
    (outer,) = [k for k, v in found(made, VOLUME).items() if v == volume(made, "Projects")]
    assert volume(made, "Cfd")["DependsOn"] == [outer]
    assert "DependsOn" not in volume(made, "Projects2")


def test_a_volume_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.OntapStorage(stack, "Home", vpc=vpc).add_volume(
        "2026",
        junction_path="/archive",
        size=cdk.Size.tebibytes(300),
        tiering_policy=pcs.OntapTieringPolicy.ALL,
        storage_efficiency=False,
        snapshot_policy="default-1weekly",
    )
    configuration = volume(template(stack), "_2026")["Properties"]["OntapConfiguration"]
    assert configuration["SizeInBytes"] == str(300 * 2**40)
    assert configuration["TieringPolicy"] == {"Name": "ALL"}
    assert configuration["StorageEfficiencyEnabled"] == "false"
    assert configuration["SnapshotPolicy"] == "default-1weekly"


def test_a_volume_is_mounted_from_another_stack(app: cdk.App, stack: cdk.Stack) -> None:
    vpc = existing_vpc(stack)
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    other = cdk.Stack(app, "Other")
    pcs.Cluster(other, "Cluster", vpc=vpc, mounts={"/home": storage})
    assert ports_of(template(other), "Ingress") >= PORTS
    assert ports_of(template(stack), "Ingress") == set()
    assert stack in other.dependencies


# Imported.


def test_an_existing_volume_is_opened_to_whoever_mounts_it(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    share = pcs.OntapStorage.from_ontap_attributes(
        stack,
        "Home",
        dns_name=SVM,
        junction_path="/vol1",
        security_group=existing_group(stack),
    )
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": share})
    assert share.source == f"{SVM}:/vol1"
    opened = {rule[3:] for rule in security_group_rules(template(stack)) if "sg-0" in rule[1]}
    assert opened == {ports[1:] for ports in PORTS}


def test_an_existing_volume_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    share = pcs.OntapStorage.from_ontap_attributes(
        stack,
        "Home",
        dns_name=cdk.Fn.import_value("Dns"),
        junction_path=cdk.Fn.import_value("Path"),
        security_group=existing_group(stack),
    )
    assert stack.resolve(share.source) == {
        "Fn::Join": ["", [{"Fn::ImportValue": "Dns"}, ":", {"Fn::ImportValue": "Path"}]]
    }


@pytest.mark.parametrize(
    "arguments", [{"dns_name": "svm"}, {"dns_name": f"{SVM}:/vol1"}, {"junction_path": "vol1"}]
)
def test_fails_on_what_refers_to_no_volume(stack: cdk.Stack, arguments: dict[str, str]) -> None:
    group = existing_group(stack)
    good = {"dns_name": SVM, "junction_path": "/vol1"}
    with refused(stack, "PCS547"):
        pcs.OntapStorage.from_ontap_attributes(
            stack, "Home", security_group=group, **{**good, **arguments}
        )


# What is refused.


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS540"}, {"capacity": cdk.Size.gibibytes(100)}, id="too small"),
        pytest.param({"PCS541"}, {"ha_pairs": 2}, id="two pairs"),
        pytest.param({"PCS541"}, {"ha_pairs": 0}, id="no pair"),
        pytest.param({"PCS542"}, {"throughput": 100}, id="throughput"),
        pytest.param({"PCS543"}, {"iops": 100}, id="few iops"),
        pytest.param({"PCS544"}, {"route_table_ids": TABLES}, id="tables for one zone"),
        pytest.param(
            {"PCS544"},
            {"deployment_type": MULTI_AZ_2, "endpoint_ip_address_range": "198.19.0.0/24"},
            id="endpoints of FSx",
        ),
        pytest.param({"PCS545"}, {"size": cdk.Size.mebibytes(1)}, id="small volume"),
        pytest.param({"PCS546"}, {"cooling_period": cdk.Duration.days(1)}, id="one day"),
        pytest.param(
            {"PCS546"},
            {
                "cooling_period": cdk.Duration.days(9),
                "tiering_policy": pcs.OntapTieringPolicy.NONE,
            },
            id="no tiering",
        ),
        pytest.param({"PCS547"}, {"junction_path": "vol1"}, id="relative"),
        pytest.param({"PCS548"}, {"backup_retention": cdk.Duration.days(91)}, id="91 days"),
        pytest.param({"PCS548"}, {"removal_policy": cdk.RemovalPolicy.SNAPSHOT}, id="snapshot"),
        pytest.param({"PCS002"}, {"cooling_period": cdk.Duration.hours(36)}, id="36 hours"),
        pytest.param({"PCS001"}, {"route_table_ids": TABLES[0]}, id="one table"),
        pytest.param(
            {"PCS540", "PCS542", "PCS545", "PCS547"},
            {
                "capacity": cdk.Size.gibibytes(1),
                "throughput": 1,
                "size": cdk.Size.gibibytes(0),
                "junction_path": "/",
            },
            id="four at once",
        ),
    ],
)
def test_fails_on_what_fsx_does_not_make(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.OntapStorage(stack, "Home", vpc=vpc, **arguments)


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS547"}, {"junction_path": "/VOL1"}, id="taken"),
        pytest.param({"PCS545"}, {"size": cdk.Size.tebibytes(301)}, id="too large"),
        pytest.param({"PCS546"}, {"snapshot_policy": ""}, id="no policy"),
        pytest.param({"PCS003"}, {"tiering_policy": "AUTO"}, id="text"),
        pytest.param({"PCS003"}, {"junction_path": 1}, id="number"),
    ],
)
def test_fails_on_a_volume_that_cannot_be(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    storage = pcs.OntapStorage(stack, "Home", vpc=vpc)
    with refused(stack, *codes):
        storage.add_volume("New", **{"junction_path": "/new", **arguments})


def test_fails_on_two_servers_in_a_zone(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS544"):
        pcs.OntapStorage(
            stack,
            "Home",
            vpc=vpc,
            deployment_type=MULTI_AZ_2,
            standby_subnet=vpc.public_subnets[0],
        )


def test_fails_on_a_subnet_of_another_vpc(stack: cdk.Stack) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    with refused(stack, "PCS404"):
        pcs.OntapStorage(stack, "Home", vpc=ours, subnet=theirs.private_subnets[0])


def test_fails_on_a_vpc_without_subnets(stack: cdk.Stack) -> None:
    empty = ec2.Vpc.from_vpc_attributes(
        stack, "Empty", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with refused(stack, "PCS414"):
        pcs.OntapStorage(stack, "Home", vpc=empty)


def test_fails_on_what_must_be_known_and_is_a_token(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    for arguments in (
        {"capacity": cdk.Size.gibibytes(number)},
        {"size": cdk.Size.gibibytes(number)},
        {"ha_pairs": number},
        {"backup_retention": cdk.Duration.days(number)},
    ):
        with refused(stack, "PCS002"):
            pcs.OntapStorage(stack, "Home", vpc=vpc, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"vpc": "vpc-0123456789abcdef0"},
        {"capacity": 1024},
        {"throughput": "128"},
        {"ha_pairs": "1"},
        {"deployment_type": "SINGLE_AZ_1"},
        {"tiering_policy": "AUTO"},
        {"storage_efficiency": "true"},
        {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/k"},
        {"standby_subnet": PRIVATE[0]},
        {"weekly_maintenance": "1:05:00"},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any]
) -> None:
    with refused(stack, "PCS003"):
        pcs.OntapStorage(stack, "Home", **{"vpc": vpc, **arguments})


@pytest.mark.parametrize("id", ["Volume", "my_vol"])
def test_fails_on_a_name_that_another_volume_has(stack: cdk.Stack, vpc: ec2.IVpc, id: str) -> None:
    storage = pcs.OntapStorage(stack, "Ontap", vpc=vpc)
    storage.add_volume("my-vol", junction_path="/mine")
    with refused(stack, "PCS547"):
        storage.add_volume(id, junction_path="/other")


def test_a_volume_waits_for_the_one_around_it_whenever_that_is_added(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.OntapStorage(stack, "Ontap", vpc=vpc, junction_path="/a/b")
    storage.add_volume("Around", junction_path="/A")
    volumes = found(template(stack), "AWS::FSx::Volume")
    ((inner, outer),) = [
        (volume["DependsOn"], logical_id)
        for volume in volumes.values()
        if "DependsOn" in volume
        for logical_id, other in volumes.items()
        if other["Properties"]["Name"] == "Around"
    ]
    assert outer in inner
