from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

import pcs_constructs as pcs
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
    security_group_rules,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

SCRATCH_2 = fsx.LustreDeploymentType.SCRATCH_2


@pytest.fixture(scope="module")
def home() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.EfsStorage(stack, "Home", vpc=existing_vpc(stack))
    return template(stack)


@pytest.fixture(scope="module")
def scratch() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.LustreStorage(stack, "Scratch", vpc=existing_vpc(stack))
    return template(stack)


def lustre(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> dict[str, Any]:
    pcs.LustreStorage(stack, "Scratch", vpc=vpc, **arguments)
    return only(template(stack), "AWS::FSx::FileSystem")


# EFS.


def test_an_efs_file_system_is_encrypted_elastic_and_backed_up(home: Template) -> None:
    file_system = only(home, "AWS::EFS::FileSystem")
    assert file_system["Encrypted"] is True
    assert file_system["ThroughputMode"] == "elastic"
    assert file_system["PerformanceMode"] == "generalPurpose"
    assert file_system["BackupPolicy"] == {"Status": "ENABLED"}


def test_everybody_may_mount_through_a_mount_target_and_nobody_in_plain_text(
    home: Template,
) -> None:
    allow, deny = only(home, "AWS::EFS::FileSystem")["FileSystemPolicy"]["Statement"]
    assert allow["Effect"] == "Allow"
    assert set(allow["Action"]) == {
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientWrite",
        "elasticfilesystem:ClientRootAccess",
    }
    assert allow["Condition"] == {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}
    assert deny["Effect"] == "Deny"
    assert deny["Action"] == "*"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_there_is_one_mount_target_in_a_private_subnet_of_each_zone(home: Template) -> None:
    subnets = [target["SubnetId"] for target in properties(home, "AWS::EFS::MountTarget")]
    assert sorted(subnets) == sorted(PRIVATE)


def test_two_subnets_of_a_zone_share_a_mount_target(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        subnet_configuration=[
            ec2.SubnetConfiguration(name="A", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="B", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="P", subnet_type=ec2.SubnetType.PUBLIC),
        ],
    )
    pcs.EfsStorage(stack, "Home", vpc=vpc)
    made = template(stack)
    zones = [
        text_of(referred(made, target["SubnetId"])["Properties"]["AvailabilityZone"])
        for target in properties(made, "AWS::EFS::MountTarget")
    ]
    assert len(zones) == len(set(zones)) == 2


def test_nothing_reaches_the_mount_targets_before_somebody_mounts(home: Template) -> None:
    assert security_group_rules(home) == set()
    assert "SecurityGroupIngress" not in only(home, "AWS::EC2::SecurityGroup")


@pytest.mark.parametrize("kind", ["AWS::EFS::FileSystem", "AWS::FSx::FileSystem"])
def test_files_outlive_the_stack_unless_told_otherwise(
    kind: str, home: Template, scratch: Template
) -> None:
    (resource,) = (found(home, kind) or found(scratch, kind)).values()
    assert resource["DeletionPolicy"] == "Retain"
    assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        (cdk.RemovalPolicy.DESTROY, "Delete"),
        (cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, "RetainExceptOnCreate"),
    ],
)
def test_the_removal_policy_is_the_users(
    stack: cdk.Stack, vpc: ec2.IVpc, policy: cdk.RemovalPolicy, written: str
) -> None:
    pcs.LustreStorage(stack, "Scratch", vpc=vpc, removal_policy=policy)
    (resource,) = found(template(stack), "AWS::FSx::FileSystem").values()
    assert resource["DeletionPolicy"] == written


@pytest.mark.parametrize(
    "storage", [pcs.EfsStorage, pcs.LustreStorage, pcs.FileCacheStorage], ids=lambda s: s.__name__
)
def test_fails_on_a_snapshot_that_cloudformation_does_not_make(
    stack: cdk.Stack, vpc: ec2.IVpc, storage: Any
) -> None:
    with refused(stack, "PCS523"):
        storage(stack, "Storage", vpc=vpc, removal_policy=cdk.RemovalPolicy.SNAPSHOT)


def test_an_efs_file_system_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.EfsStorage(
        stack,
        "Home",
        vpc=vpc,
        subnets=vpc.public_subnets,
        kms_key=kms.Key(stack, "Key"),  # pyright: ignore[reportArgumentType]
        automatic_backups=False,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    made = template(stack)
    (resource,) = found(made, "AWS::EFS::FileSystem").values()
    assert resource["DeletionPolicy"] == "Delete"
    assert resource["Properties"].get("BackupPolicy") != {"Status": "ENABLED"}
    assert referred(made, resource["Properties"]["KmsKeyId"])["Type"] == "AWS::KMS::Key"
    subnets = [target["SubnetId"] for target in properties(made, "AWS::EFS::MountTarget")]
    assert sorted(subnets) == sorted(PUBLIC)


def test_mount_targets_may_be_in_imported_subnets(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    subnet = ec2.Subnet.from_subnet_attributes(
        stack, "Subnet", subnet_id=cdk.Fn.import_value("Subnet"), availability_zone="eu-west-1a"
    )
    pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[subnet])
    target = only(template(stack), "AWS::EFS::MountTarget")
    assert target["SubnetId"] == {"Fn::ImportValue": "Subnet"}


def test_a_subnet_whose_zone_is_not_known_is_not_judged(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-0123456789abcdef0")
    pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[subnet])
    target = only(template(stack), "AWS::EFS::MountTarget")
    assert target["SubnetId"] == "subnet-0123456789abcdef0"


@pytest.mark.parametrize(
    "subnet_type", [ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PUBLIC], ids=str
)
def test_mount_targets_are_where_there_are_subnets(
    stack: cdk.Stack, subnet_type: ec2.SubnetType
) -> None:
    only_kind = ec2.SubnetConfiguration(name="Only", subnet_type=subnet_type)
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, subnet_configuration=[only_kind])
    pcs.EfsStorage(stack, "Home", vpc=vpc)
    assert len(properties(template(stack), "AWS::EFS::MountTarget")) == 2


def test_an_efs_file_system_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    other = ec2.SecurityGroup(stack, "Other", vpc=vpc, allow_all_outbound=False)
    other.connections.allow_to_default_port(home)
    assert {(rule[0], rule[3], rule[4]) for rule in security_group_rules(template(stack))} == {
        ("Ingress", 2049, 2049),
        ("Egress", 2049, 2049),
    }


def test_fails_on_two_mount_targets_in_a_zone(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS508"):
        pcs.EfsStorage(
            stack, "Home", vpc=vpc, subnets=[*vpc.private_subnets, vpc.public_subnets[0]]
        )


def test_fails_on_no_mount_target(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS508"):
        pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[])


@pytest.mark.parametrize(
    "subnets", ["subnet-0123456789abcdef0", ec2.SubnetSelection(one_per_az=True)], ids=type
)
def test_fails_on_subnets_that_are_no_list(stack: cdk.Stack, vpc: ec2.IVpc, subnets: Any) -> None:
    with refused(stack, "PCS001"):
        pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=subnets)


@pytest.mark.parametrize("storage", [pcs.EfsStorage, pcs.LustreStorage])
def test_fails_on_a_vpc_without_subnets(stack: cdk.Stack, storage: Any) -> None:
    empty = ec2.Vpc.from_vpc_attributes(
        stack, "Empty", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"]
    )
    with refused(stack):
        storage(stack, "Storage", vpc=empty)


# Imported EFS.


def test_an_existing_efs_file_system_is_opened_to_whoever_mounts_it(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.EfsStorage.from_file_system_attributes(
        stack, "Home", file_system_id="fs-0123456789abcdef0", security_group=existing_group(stack)
    )
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": storage})
    made = template(stack)
    assert (
        "Ingress",
        "sg-00000000000000001",
        text_of(stack.resolve(cluster.security_group.security_group_id)),
        2049,
        2049,
    ) in security_group_rules(made)
    assert storage.mount("/home").source == "fs-0123456789abcdef0:/"


def test_an_existing_efs_file_system_may_be_known_by_a_token(stack: cdk.Stack) -> None:
    storage = pcs.EfsStorage.from_file_system_attributes(
        stack,
        "Home",
        file_system_id=cdk.Fn.import_value("Home"),
        security_group=existing_group(stack),
    )
    assert text_of(stack.resolve(storage.mount("/home").source)).endswith(":/")


def test_a_file_system_of_the_cdk_can_be_mounted(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    own = efs.FileSystem(stack, "Own", vpc=vpc)
    storage = pcs.EfsStorage.from_file_system(own)  # pyright: ignore[reportArgumentType]
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": storage})
    made = template(stack)
    (cluster,) = found(made, "AWS::PCS::Cluster").values()
    assert set(cluster["DependsOn"]) == set(found(made, "AWS::EFS::MountTarget"))


@pytest.mark.parametrize(
    "id", ["home", "", "fs-XYZ", "arn:aws:elasticfilesystem:x:1:file-system/fs-12345678"]
)
def test_fails_on_what_is_no_efs_id(stack: cdk.Stack, id: str) -> None:
    group = existing_group(stack)
    with refused(stack, "PCS511"):
        pcs.EfsStorage.from_file_system_attributes(
            stack, "Home", file_system_id=id, security_group=group
        )


# Lustre.


def test_a_lustre_file_system_is_persistent_compressed_and_not_the_oldest_version(
    scratch: Template,
) -> None:
    file_system = only(scratch, "AWS::FSx::FileSystem")
    assert file_system["FileSystemType"] == "LUSTRE"
    assert file_system["FileSystemTypeVersion"] == "2.15"
    assert file_system["StorageCapacity"] == 1200
    assert file_system["LustreConfiguration"] == {
        "DeploymentType": "PERSISTENT_2",
        "PerUnitStorageThroughput": 125,
        "DataCompressionType": "LZ4",
        "MetadataConfiguration": {"Mode": "AUTOMATIC"},
        "AutomaticBackupRetentionDays": 0,
    }


def test_a_lustre_file_system_is_in_the_first_private_subnet(scratch: Template) -> None:
    assert only(scratch, "AWS::FSx::FileSystem")["SubnetIds"] == [PRIVATE[0]]


def test_lustre_servers_talk_to_each_other_on_lustre_ports_only(scratch: Template) -> None:
    (group,) = found(scratch, "AWS::EC2::SecurityGroup")
    itself = text_of({"Fn::GetAtt": [group, "GroupId"]})
    assert security_group_rules(scratch) == {
        ("Ingress", itself, itself, 988, 988),
        ("Ingress", itself, itself, 1018, 1023),
    }
    file_system = only(scratch, "AWS::FSx::FileSystem")
    assert [text_of(place) for place in file_system["SecurityGroupIds"]] == [itself]


def test_lustre_ports_are_open_in_both_directions_to_who_mounts_it_and_nothing_else(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    nodes = ec2.SecurityGroup(stack, "Nodes", vpc=vpc, allow_all_outbound=False)
    storage.file_share.allow_mount_from(nodes)  # pyright: ignore[reportArgumentType]
    client = text_of(stack.resolve(nodes.security_group_id))
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    made = template(stack)
    between = {rule for rule in security_group_rules(made) if client in rule}
    assert between == {
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


def test_a_lustre_file_system_can_be_told_everything(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    file_system = lustre(
        stack,
        vpc,
        capacity=cdk.Size.gibibytes(4800),
        throughput=100,
        subnet=vpc.private_subnets[1],
        deployment_type=fsx.LustreDeploymentType.PERSISTENT_1,
        compression=fsx.LustreDataCompressionType.NONE,
        kms_key=kms.Key.from_key_arn(
            stack, "Key", f"arn:{cdk.Aws.PARTITION}:kms:eu-west-1:123456789012:key/k"
        ),
        backup_retention=cdk.Duration.days(7),
    )
    assert file_system["StorageCapacity"] == 4800
    assert file_system["SubnetIds"] == [PRIVATE[1]]
    assert text_of(file_system["KmsKeyId"]).endswith("key/k")
    assert file_system["LustreConfiguration"] == {
        "DeploymentType": "PERSISTENT_1",
        "PerUnitStorageThroughput": 100,
        "DataCompressionType": "NONE",
        "AutomaticBackupRetentionDays": 7,
        "CopyTagsToBackups": True,
    }


def test_a_scratch_file_system_has_neither_throughput_nor_backups(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    file_system = lustre(stack, vpc, deployment_type=SCRATCH_2)
    assert file_system["LustreConfiguration"] == {
        "DeploymentType": "SCRATCH_2",
        "DataCompressionType": "LZ4",
    }


def test_scratch_is_advised_against_until_somebody_says_it_is_meant(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc, deployment_type=SCRATCH_2)
    assert advised(stack) == {"PCS512"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS512", reason="scratch data")
    cdk.Validations.of(storage).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


def test_the_throughput_may_be_a_token(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    parameter = cdk.CfnParameter(stack, "Throughput", type="Number")
    file_system = lustre(stack, vpc, throughput=parameter.value_as_number)
    assert file_system["LustreConfiguration"]["PerUnitStorageThroughput"] == {"Ref": "Throughput"}


@pytest.mark.parametrize("unit", ["gibibytes", "mebibytes"])
def test_the_capacity_may_be_said_in_any_unit(stack: cdk.Stack, vpc: ec2.IVpc, unit: str) -> None:
    amount = {"gibibytes": 2400, "mebibytes": 2400 * 1024}[unit]
    assert lustre(stack, vpc, capacity=getattr(cdk.Size, unit)(amount))["StorageCapacity"] == 2400


def test_a_lustre_file_system_can_be_handed_to_the_cdk(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    other = ec2.SecurityGroup(stack, "Other", vpc=vpc)
    other.connections.allow_from(storage, ec2.Port.tcp(7))
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    rules = security_group_rules(template(stack))
    assert [rule[0] for rule in rules if rule[2:] == (server, 7, 7)] == ["Ingress"]


def test_an_imported_lustre_file_system_is_mounted_by_its_regional_name(stack: cdk.Stack) -> None:
    storage = pcs.LustreStorage.from_lustre_attributes(
        stack,
        "Scratch",
        file_system_id="fs-0123456789abcdef0",
        mount_name="fsx",
        security_group=existing_group(stack),
    )
    assert stack.resolve(storage.mount("/scratch").source) == {
        "Fn::Join": [
            "",
            [
                "fs-0123456789abcdef0.fsx.",
                {"Ref": "AWS::Region"},
                ".",
                {"Ref": "AWS::URLSuffix"},
                "@tcp:/fsx",
            ],
        ]
    }


def test_an_imported_lustre_file_system_may_be_known_by_tokens(stack: cdk.Stack) -> None:
    storage = pcs.LustreStorage.from_lustre_attributes(
        stack,
        "Scratch",
        file_system_id=cdk.Fn.import_value("Id"),
        mount_name=cdk.Fn.import_value("Mount"),
        security_group=existing_group(stack),
        dns_name=cdk.Fn.import_value("Dns"),
    )
    assert stack.resolve(storage.mount("/scratch").source) == {
        "Fn::Join": ["", [{"Fn::ImportValue": "Dns"}, "@tcp:/", {"Fn::ImportValue": "Mount"}]]
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_system_id": "scratch", "mount_name": "fsx"},
        {"file_system_id": "fs-0123456789abcdef0", "mount_name": "much-too-long"},
        {"file_system_id": "fs-0123456789abcdef0", "mount_name": ""},
    ],
)
def test_fails_on_an_imported_lustre_file_system_that_cannot_be(
    stack: cdk.Stack, arguments: dict[str, str]
) -> None:
    group = existing_group(stack)
    with refused(stack, "PCS510"):
        pcs.LustreStorage.from_lustre_attributes(
            stack, "Scratch", security_group=group, **arguments
        )


@pytest.mark.parametrize(
    ("codes", "arguments"),
    [
        pytest.param({"PCS504"}, {"capacity": cdk.Size.tebibytes(1.2)}, id="1.2 TiB"),
        pytest.param({"PCS504"}, {"capacity": cdk.Size.gibibytes(0)}, id="nothing"),
        pytest.param({"PCS504"}, {"capacity": cdk.Size.gibibytes(3600)}, id="an odd size"),
        pytest.param({"PCS505"}, {"throughput": 12}, id="no such throughput"),
        pytest.param({"PCS505"}, {"throughput": 0}, id="no throughput"),
        pytest.param(
            {"PCS505"}, {"throughput": 125, "deployment_type": SCRATCH_2}, id="scratch throughput"
        ),
        pytest.param({"PCS507"}, {"backup_retention": cdk.Duration.days(91)}, id="91 days"),
        pytest.param({"PCS002"}, {"backup_retention": cdk.Duration.hours(36)}, id="36 hours"),
        pytest.param(
            {"PCS002", "PCS003"},
            {"backup_retention": cdk.Duration.hours(36), "throughput": "1"},
            id="two at once",
        ),
        pytest.param(
            {"PCS504", "PCS505", "PCS507"},
            {
                "capacity": cdk.Size.gibibytes(1),
                "deployment_type": SCRATCH_2,
                "throughput": 125,
                "backup_retention": cdk.Duration.days(1),
            },
            id="three at once",
        ),
    ],
)
def test_fails_on_what_fsx_does_not_make(
    stack: cdk.Stack, vpc: ec2.IVpc, codes: set[str], arguments: dict[str, Any]
) -> None:
    with refused(stack, *codes):
        pcs.LustreStorage(stack, "Scratch", vpc=vpc, **arguments)


def test_fails_on_a_key_for_scratch_data(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    key = kms.Key(stack, "Key")
    with refused(stack, "PCS506"):
        pcs.LustreStorage(
            stack,
            "Scratch",
            vpc=vpc,
            deployment_type=SCRATCH_2,
            kms_key=key,  # pyright: ignore[reportArgumentType]
        )


def test_fails_on_sizes_and_durations_that_are_tokens(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    with refused(stack, "PCS002"):
        pcs.LustreStorage(
            stack,
            "Scratch",
            vpc=vpc,
            capacity=cdk.Size.gibibytes(number),
            backup_retention=cdk.Duration.days(number),
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {"capacity": 1200},
        {"capacity": "1.2TiB"},
        {"backup_retention": 7},
        {"deployment_type": "SCRATCH_2"},
        {"compression": "LZ4"},
        {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/k"},
        {"subnet": PRIVATE[0]},
    ],
    ids=wrong_type,
)
def test_fails_on_a_wrong_type_before_anything_is_attached(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # the type checker has told before
        pcs.LustreStorage(stack, "Scratch", vpc=vpc, **arguments)
    assert stack.node.try_find_child("Scratch") is None


@pytest.mark.parametrize("storage", [pcs.EfsStorage, pcs.LustreStorage])
def test_fails_on_a_subnet_of_another_vpc(stack: cdk.Stack, storage: Any) -> None:
    ours, theirs = ec2.Vpc(stack, "Ours"), ec2.Vpc(stack, "Theirs")
    place = theirs.private_subnets[0]
    where = {"subnets": [place]} if storage is pcs.EfsStorage else {"subnet": place}
    with refused(stack, "PCS404"):
        storage(stack, "Storage", vpc=ours, **where)


def test_an_existing_home_is_kept_on_lustre_as_on_efs(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    for storage in (pcs.LustreStorage(stack, "L", vpc=vpc), pcs.EfsStorage(stack, "E", vpc=vpc)):
        assert storage.file_share.mount("/home").keep_existing
        assert not storage.file_share.mount("/shared").keep_existing


def test_restrictive_groups_are_opened_outward_as_well(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    servers = ec2.SecurityGroup(stack, "Servers", vpc=vpc, allow_all_outbound=False)
    clients = ec2.SecurityGroup(stack, "Clients", vpc=vpc, allow_all_outbound=False)
    storage = pcs.LustreStorage.from_lustre_attributes(
        stack,
        "Scratch",
        file_system_id="fs-0123456789abcdef0",
        mount_name="a1b2cbev",
        security_group=servers,  # pyright: ignore[reportArgumentType]
    )
    storage.allow_mount_from(clients)  # pyright: ignore[reportArgumentType]
    rules = template(stack).find_resources("AWS::EC2::SecurityGroupEgress").values()
    ports = sorted((r["Properties"]["FromPort"], r["Properties"]["ToPort"]) for r in rules)
    assert ports == [(988, 988), (988, 988), (1018, 1023), (1018, 1023)]


# EFS, everything that can be asked for.


def test_throughput_can_be_provisioned_and_files_moved_where_they_cost_less(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.EfsStorage(
        stack,
        "Home",
        vpc=vpc,
        throughput_mode=efs.ThroughputMode.PROVISIONED,
        provisioned_throughput_per_second=cdk.Size.mebibytes(256),
        lifecycle_policy=efs.LifecyclePolicy.AFTER_30_DAYS,
        out_of_infrequent_access_policy=efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
    )
    file_system = only(template(stack), "AWS::EFS::FileSystem")
    assert file_system["ThroughputMode"] == "provisioned"
    assert file_system["ProvisionedThroughputInMibps"] == 256
    assert file_system["LifecyclePolicies"] == [
        {"TransitionToIA": "AFTER_30_DAYS"},
        {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ]
    assert text_of(stack.resolve(storage.dns_name)).endswith('.{"Ref": "AWS::URLSuffix"}')


def test_files_move_to_archive(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    pcs.EfsStorage(
        stack,
        "Home",
        vpc=vpc,
        transition_to_archive_policy=efs.LifecyclePolicy.AFTER_90_DAYS,
    )
    (policy,) = only(template(stack), "AWS::EFS::FileSystem")["LifecyclePolicies"]
    assert policy == {"TransitionToArchive": "AFTER_90_DAYS"}


def test_a_file_system_of_one_zone_has_one_mount_target_there(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    pcs.EfsStorage(stack, "Home", vpc=vpc, one_zone=True, subnets=[vpc.private_subnets[1]])
    made = template(stack)
    assert only(made, "AWS::EFS::FileSystem")["AvailabilityZoneName"] == "eu-west-1b"
    assert only(made, "AWS::EFS::MountTarget")["SubnetId"] == PRIVATE[1]


def test_fails_with_two_subnets_for_one_zone(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS508"):
        pcs.EfsStorage(stack, "Home", vpc=vpc, one_zone=True, subnets=vpc.private_subnets)


def test_fails_on_throughput_and_lifecycle_that_do_not_go_together(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    with refused(stack, "PCS513"):
        pcs.EfsStorage(stack, "Home", vpc=vpc, throughput_mode=efs.ThroughputMode.PROVISIONED)


def test_iam_authorization_lets_nobody_in_by_the_mount_target_alone(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.EfsStorage(stack, "Home", vpc=vpc, iam_authorization=True)
    (deny,) = only(template(stack), "AWS::EFS::FileSystem")["FileSystemPolicy"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert storage.file_share.options.endswith("tls,iam")


def test_an_access_point_is_mounted_as_a_directory_of_its_own(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.EfsStorage(stack, "Home", vpc=vpc)
    share = storage.add_access_point(
        "Project",
        path="/projects/cfd",
        posix_user=efs.PosixUser(uid="1000", gid="1000"),
        create_acl=efs.Acl(owner_uid="1000", owner_gid="1000", permissions="750"),
    )
    made = template(stack)
    ((point_id, point),) = found(made, "AWS::EFS::AccessPoint").items()
    assert point["Properties"]["RootDirectory"]["Path"] == "/projects/cfd"
    assert point["Properties"]["PosixUser"] == {"Uid": "1000", "Gid": "1000"}
    options = text_of(stack.resolve(share.options))
    assert options == f'_netdev,noresvport,tls,accesspoint={{"Ref": "{point_id}"}}'
    assert not share.mount("/home").keep_existing


def test_an_access_point_of_another_stack_can_be_mounted(stack: cdk.Stack) -> None:
    system = efs.FileSystem.from_file_system_attributes(
        stack, "Fs", file_system_id="fs-0123456789abcdef0", security_group=existing_group(stack)
    )
    point = efs.AccessPoint.from_access_point_attributes(
        stack, "Point", access_point_id="fsap-0123456789abcdef0", file_system=system
    )
    share = pcs.EfsStorage.from_access_point(point, iam_authorization=True)
    assert share.options == "_netdev,noresvport,tls,iam,accesspoint=fsap-0123456789abcdef0"
    assert share.source == "fs-0123456789abcdef0:/"
    assert share.grant is not None


def test_fails_on_what_is_no_access_point(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.EfsStorage(stack, "Home", vpc=vpc)
    with refused(stack, "PCS003"):
        pcs.EfsStorage.from_access_point("fsap-0123456789abcdef0")  # pyright: ignore[reportArgumentType]
    with refused(stack, "PCS514"):
        storage.add_access_point("Point", path="projects")
    with refused(stack, "PCS003"):
        storage.add_access_point("Point", path="/projects", posix_user="root")  # pyright: ignore[reportArgumentType]


# Lustre, everything that can be asked for.


def test_a_lustre_file_system_can_be_on_disks_behind_a_cache(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    made = lustre(
        stack,
        vpc,
        deployment_type=fsx.LustreDeploymentType.PERSISTENT_1,
        storage_type=pcs.LustreStorageType.HDD,
        capacity=cdk.Size.gibibytes(6000),
        drive_cache=True,
    )
    assert (made["StorageType"], made["StorageCapacity"]) == ("HDD", 6000)
    assert made["LustreConfiguration"]["PerUnitStorageThroughput"] == 12
    assert made["LustreConfiguration"]["DriveCacheType"] == "READ"


def test_intelligent_tiering_grows_by_itself(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    made = lustre(stack, vpc, storage_type=pcs.LustreStorageType.INTELLIGENT_TIERING)
    assert "StorageCapacity" not in made
    configuration = made["LustreConfiguration"]
    assert configuration["ThroughputCapacity"] == 4000
    assert "PerUnitStorageThroughput" not in configuration
    assert configuration["DataReadCacheConfiguration"] == {
        "SizingMode": "PROPORTIONAL_TO_THROUGHPUT_CAPACITY"
    }
    assert configuration["MetadataConfiguration"] == {"Mode": "USER_PROVISIONED", "Iops": 6000}


@pytest.mark.parametrize(
    ("gibibytes", "written"),
    [(0, {"SizingMode": "NO_CACHE"}), (64, {"SizingMode": "USER_PROVISIONED", "SizeGiB": 64})],
)
def test_intelligent_tiering_reads_through_a_cache_of_a_size(
    stack: cdk.Stack, vpc: ec2.IVpc, gibibytes: int, written: dict[str, Any]
) -> None:
    made = lustre(
        stack,
        vpc,
        storage_type=pcs.LustreStorageType.INTELLIGENT_TIERING,
        read_cache=cdk.Size.gibibytes(gibibytes),
    )
    assert made["LustreConfiguration"]["DataReadCacheConfiguration"] == written


def test_a_lustre_file_system_can_be_told_when_and_where(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    made = lustre(
        stack,
        vpc,
        metadata_iops=6000,
        backup_retention=cdk.Duration.days(7),
        backup_start_time="05:00",
        weekly_maintenance=fsx.LustreMaintenanceTime(day=fsx.Weekday.SUNDAY, hour=3, minute=30),
        log_group=logs.LogGroup.from_log_group_name(stack, "Logs", "/aws/fsx/lustre"),
    )["LustreConfiguration"]
    assert made["MetadataConfiguration"] == {"Mode": "USER_PROVISIONED", "Iops": 6000}
    assert made["DailyAutomaticBackupStartTime"] == "05:00"
    assert made["WeeklyMaintenanceStartTime"] == "7:03:30"
    assert made["LogConfiguration"]["Level"] == "WARN_ERROR"
    assert ":log-group:/aws/fsx/lustre" in text_of(made["LogConfiguration"]["Destination"])


def test_fails_on_a_log_group_that_fsx_does_not_take(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    group = logs.LogGroup(stack, "Logs", log_group_name="/my/logs")
    with refused(stack, "PCS519"):
        pcs.LustreStorage(stack, "Scratch", vpc=vpc, log_group=group)  # pyright: ignore[reportArgumentType]


def test_a_log_group_whose_name_is_made_later_is_not_judged(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    group = logs.LogGroup(stack, "Logs")
    pcs.LustreStorage(stack, "Scratch", vpc=vpc, log_group=group)  # pyright: ignore[reportArgumentType]


def test_lustre_by_efa_opens_everything_to_the_groups_themselves(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    storage = pcs.LustreStorage(
        stack, "Scratch", vpc=vpc, efa=True, throughput=1000, capacity=cdk.Size.gibibytes(4800)
    )
    clients = ec2.SecurityGroup(stack, "Nodes", vpc=vpc)
    storage.file_share.allow_mount_from(clients)  # pyright: ignore[reportArgumentType]
    made = template(stack)
    assert only(made, "AWS::FSx::FileSystem")["LustreConfiguration"]["EfaEnabled"] is True
    server = text_of(stack.resolve(storage.connections.security_groups[0].security_group_id))
    client = text_of(stack.resolve(clients.security_group_id))
    everything = {rule[:3] for rule in security_group_rules(made) if rule[3] is None}
    assert everything == {
        (direction, one, other)
        for direction in ("Ingress", "Egress")
        for one, other in ((server, server), (server, client), (client, server))
    }


def test_fails_on_efa_for_a_small_lustre(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    with refused(stack, "PCS504"):
        pcs.LustreStorage(stack, "Scratch", vpc=vpc, efa=True)
    with refused(stack, "PCS517", "PCS505"):
        pcs.LustreStorage(
            stack, "Scratch", vpc=vpc, efa=True, deployment_type=SCRATCH_2, throughput=125
        )


# Data repositories.


def test_a_data_repository_shows_objects_as_files(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "genomes")
    storage.add_data_repository("Genomes", path="/genomes", bucket=bucket, prefix="/human/")
    association = only(template(stack), "AWS::FSx::DataRepositoryAssociation")
    assert association["DataRepositoryPath"] == "s3://genomes/human/"
    assert association["FileSystemPath"] == "/genomes"
    assert association["BatchImportMetaDataOnCreate"] is True
    assert association["S3"] == {"AutoImportPolicy": {"Events": ["NEW", "CHANGED", "DELETED"]}}


def test_a_data_repository_carries_what_it_is_told_to(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    bucket = s3.Bucket(stack, "Bucket")
    storage.add_data_repository(
        "Results",
        path="/results",
        bucket=bucket,  # pyright: ignore[reportArgumentType]
        auto_import=[],
        auto_export=[pcs.RepositoryEvent.NEW, pcs.RepositoryEvent.CHANGED],
        batch_import=False,
    )
    other = s3.Bucket(stack, "Other")
    storage.add_data_repository("All", path="/all", bucket=other, auto_import=[])  # pyright: ignore[reportArgumentType]
    results, everything = properties(template(stack), "AWS::FSx::DataRepositoryAssociation")
    if results["FileSystemPath"] == "/all":
        results, everything = everything, results
    assert results["S3"] == {"AutoExportPolicy": {"Events": ["NEW", "CHANGED"]}}
    assert results["BatchImportMetaDataOnCreate"] is False
    assert "S3" not in everything


def test_fails_on_data_repositories_that_cannot_be(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "genomes")
    storage = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    storage.add_data_repository("Data", path="/data", bucket=bucket)
    other = s3.Bucket(stack, "Other")
    with refused(stack, "PCS521"):
        storage.add_data_repository("Inside", path="/data/raw", bucket=other)  # pyright: ignore[reportArgumentType]
    with refused(stack, "PCS521"):
        storage.add_data_repository("Covered", path="/raw", bucket=bucket, prefix="raw/")
    tiering = pcs.LustreStorage(
        stack,
        "Tiering",
        vpc=vpc,
        storage_type=pcs.LustreStorageType.INTELLIGENT_TIERING,
    )
    with refused(stack, "PCS520"):
        tiering.add_data_repository("Data", path="/data", bucket=bucket)
    backed_up = pcs.LustreStorage(stack, "BackedUp", vpc=vpc, backup_retention=cdk.Duration.days(7))
    with refused(stack, "PCS522"):
        backed_up.add_data_repository("Data", path="/data", bucket=bucket)
    first = pcs.LustreStorage(
        stack, "First", vpc=vpc, deployment_type=fsx.LustreDeploymentType.SCRATCH_1
    )
    with refused(stack, "PCS520"):
        first.add_data_repository("Data", path="/data", bucket=bucket)
    with refused(stack, "PCS003"):
        storage.add_data_repository("Text", path="/text", bucket="genomes")  # pyright: ignore[reportArgumentType]
