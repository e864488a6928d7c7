"""What follows from one line of `mounts`, whatever kind of file system it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

import pcs_constructs as pcs
from pcs_constructs.model.boot import MountClient
from tests.constructs.templates import (
    advised,
    existing_group,
    found,
    mime_parts,
    named,
    only,
    properties,
    referred,
    refused,
    security_group_rules,
    template,
    text_of,
)

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

GROUP = "AWS::PCS::ComputeNodeGroup"
CLIENT_ACTIONS = {
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientWrite",
    "elasticfilesystem:ClientRootAccess",
}


def nodes(cluster: pcs.Cluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    defaults = {"instance_types": ["c7i.4xlarge"], "scaling": pcs.Scaling.dynamic(max=4)}
    return cluster.add_compute_node_group(id, **{**defaults, **arguments})


def user_data(made: Template, name: str) -> str:
    group = named(made, GROUP, name)
    template_data = referred(made, group["CustomLaunchTemplate"]["TemplateId"])["Properties"]
    if "UserData" not in template_data["LaunchTemplateData"]:
        return ""
    return "".join(str(part) for part in mime_parts(template_data["LaunchTemplateData"]))


def role_of(made: Template, name: str) -> str:
    """The logical id of the role of a node group."""
    arn = named(made, GROUP, name)["IamInstanceProfileArn"]
    (role,) = referred(made, arn)["Properties"]["Roles"]
    return role["Ref"]


def may_mount(made: Template, role: str) -> bool:
    """Whether a role may mount some EFS file system."""
    return any(
        {"Ref": role} in policy["Roles"] and set(statement["Action"]) >= CLIENT_ACTIONS
        for policy in properties(made, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    )


# Where things are.


def test_fails_where_nodes_are_in_a_zone_without_mount_target(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    first, second = vpc.private_subnets
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[first])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    nodes(cluster)
    with refused(stack, "PCS560"):
        nodes(cluster, "elsewhere", subnets=[second])


def test_fails_where_nodes_are_in_another_zone_of_a_network_made_here(stack: cdk.Stack) -> None:
    vpc = pcs.Network(stack, "Network").vpc
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, one_zone=True)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    with refused(stack, "PCS560"):
        nodes(cluster, subnets=[vpc.private_subnets[1]])


def test_a_mount_target_serves_every_subnet_of_its_zone(stack: cdk.Stack) -> None:
    vpc = pcs.Network(stack, "Network").vpc
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, one_zone=True)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    nodes(cluster, subnets=[vpc.public_subnets[0]])
    assert advised(stack) == {"PCS208"}


def test_a_file_system_in_another_zone_costs_money(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc, subnet=vpc.private_subnets[1])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/fsx": scratch})
    nodes(cluster)
    assert "PCS561" in advised(stack)


def test_a_file_system_in_the_same_zone_costs_nothing_more(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc, subnet=vpc.private_subnets[1])
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/fsx": scratch})
    nodes(cluster, subnets=[vpc.public_subnets[1]])
    assert "PCS561" not in advised(stack)


def test_zones_that_are_not_known_are_not_judged(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc, subnet=vpc.private_subnets[1])
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[vpc.private_subnets[1]])
    mounts = {"/fsx": scratch, "/home": home}
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts=mounts)
    nodes(cluster, subnets=[ec2.Subnet.from_subnet_id(stack, "Sub", "subnet-0123456789abcdef0")])
    assert "PCS561" not in advised(stack)


# Permissions.


@pytest.fixture
def guarded(stack: cdk.Stack, vpc: ec2.IVpc) -> pcs.EfsStorage:
    return pcs.EfsStorage(stack, "Home", vpc=vpc, iam_authorization=True)


def test_nodes_may_mount_what_takes_permissions(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": guarded})
    nodes(cluster)
    made = template(stack)
    assert may_mount(made, role_of(made, "compute"))
    # The profile waits for the policy, and the nodes for the profile.
    (profile,) = found(made, "AWS::IAM::InstanceProfile").values()
    policies = found(made, "AWS::IAM::Policy")
    assert set(policies) <= set(profile["DependsOn"])
    assert ",iam" in user_data(made, "compute")


def test_nodes_with_a_role_of_their_own_may_mount_it_too(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": guarded})
    nodes(cluster, "shared")
    _ = nodes(cluster, "own").grant_principal
    made = template(stack)
    roles = {role_of(made, "shared"), role_of(made, "own")}
    assert len(roles) == 2
    assert all(may_mount(made, role) for role in roles)


def test_what_one_node_group_mounts_no_other_may(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, "having", mounts={"/home": guarded})
    nodes(cluster, "lacking")
    made = template(stack)
    assert may_mount(made, role_of(made, "having"))
    assert not may_mount(made, role_of(made, "lacking"))


def test_a_given_profile_is_granted_what_mounting_takes(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": guarded})
    profile = pcs.NodeInstanceProfile(stack, "Profile")
    nodes(cluster, instance_profile=profile)
    made = template(stack)
    assert may_mount(made, role_of(made, "compute"))
    (group,) = found(made, GROUP).values()
    assert set(found(made, "AWS::IAM::Policy")) <= set(group["DependsOn"])


def test_a_profile_without_its_role_is_worth_a_word(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": guarded})
    arn = "arn:aws:iam::123456789012:instance-profile/aws-pcs/nodes"
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Profile", arn)
    nodes(cluster, instance_profile=profile)
    assert "PCS562" in advised(stack)


def test_mounts_without_permissions_make_no_policy(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    nodes(pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home}))
    assert found(template(stack), "AWS::IAM::Policy") == {}


def test_a_grant_before_start_is_waited_for(stack: cdk.Stack) -> None:
    profile = pcs.NodeInstanceProfile(stack, "Profile")
    profile.grant_before_start(
        [
            lambda grantee: iam.Grant.add_to_principal(
                grantee=grantee, actions=["s3:GetObject"], resource_arns=["*"]
            )
        ]
    )
    made = template(stack)
    (resource,) = found(made, "AWS::IAM::InstanceProfile").values()
    assert set(found(made, "AWS::IAM::Policy")) <= set(resource["DependsOn"])


# Local disks.


def test_local_scratch_is_on_the_node_groups_that_have_disks(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/local": pcs.LocalScratch()})
    nodes(cluster, "having", instance_types=["c7gd.16xlarge"])
    nodes(cluster, "lacking", instance_types=["c7i.4xlarge"])
    cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    made = template(stack)
    assert "LABEL=pcs-local" in user_data(made, "having")
    assert "mdadm --create" in user_data(made, "having")
    assert user_data(made, "lacking") == ""
    assert user_data(made, "login") == ""


def test_local_scratch_that_is_left_out_is_no_difference(
    stack: cdk.Stack, vpc: ec2.IVpc, app: cdk.App
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    mounts = {"/home": home, "/local": pcs.LocalScratch()}
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts=mounts)
    cluster.add_queue("all", node_groups=[nodes(cluster, instance_types=["c7gd.4xlarge"])])
    login = cluster.add_login_nodes("login", instance_type="c7i.xlarge")
    assert list(login.mounts or {}) == ["/home"]
    app.synth()
    assert advised(stack) == set()


def test_local_scratch_opens_no_port_and_makes_no_group(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, instance_types=["c7gd.4xlarge"], mounts={"/local": pcs.LocalScratch()})
    made = template(stack)
    assert len(found(made, "AWS::EC2::SecurityGroup")) == 1


def test_fails_when_a_node_group_without_disks_names_local_scratch(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with refused(stack, "PCS558"):
        nodes(cluster, mounts={"/local": pcs.LocalScratch()})


# Shares.


def test_a_share_can_be_mounted_with_further_options(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, mounts={"/home": home.file_share.with_options("ro")})
    made = template(stack)
    assert "noresvport,tls,ro" in user_data(made, "compute")
    nodes_group = only(made, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["SecurityGroupIds"]
    assert any(text_of(nodes_group[-1]) in rule for rule in security_group_rules(made))


def test_a_node_group_of_an_imported_cluster_mounts_what_the_cluster_does(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, iam_authorization=True)
    cluster = pcs.Cluster.from_cluster_attributes(
        stack,
        "Cluster",
        cluster_id="pcs_1a2b3c",
        vpc=vpc,
        security_group=existing_group(stack),
        mounts={"/home": home},
    )
    pcs.ComputeNodeGroup(
        stack,
        "later",
        cluster=cluster,
        instance_types=["c7i.4xlarge"],
        scaling=pcs.Scaling.dynamic(max=4),
    )
    made = template(stack)
    assert "/home" in user_data(made, "later")
    assert may_mount(made, role_of(made, "later"))
    assert any(rule[3:] == (2049, 2049) for rule in security_group_rules(made))
    (group,) = found(made, GROUP).values()
    assert set(found(made, "AWS::EFS::MountTarget")) <= set(group["DependsOn"])


# By lifecycle actions instead of user data.

CHECKSUM = "0123456789abcdef" * 4
PINNED = pcs.MountScripts.pinned(
    "1.0.0", checksums={"mount-efs": CHECKSUM, "mount-fsx-lustre": CHECKSUM}
)


def scripts(made: Template, name: str) -> list[dict[str, Any]]:
    return named(made, GROUP, name)["NodeLifecycleActions"]["Stages"]["NodeBootstrapped"]


def test_scripts_that_aws_maintains_mount_what_they_can(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        mounts={"/home": home, "/fsx": scratch, "/local": pcs.LocalScratch()},
        mount_scripts=PINNED,
    )
    nodes(cluster, instance_types=["c7gd.4xlarge"])
    made = template(stack)
    efs, lustre = scripts(made, "compute")
    assert efs["ScriptSource"]["Checksum"] == lustre["ScriptSource"]["Checksum"] == CHECKSUM
    assert text_of(efs["ScriptSource"]["ScriptLocation"]).endswith("/mount-efs-v1.0.0.sh")
    assert efs["Arguments"][0] == "--file-system-id"
    assert efs["Arguments"][2:] == ["--options", "tls", "--mount-point", "/home"]
    assert lustre["Arguments"][4:] == ["--options", "noatime,flock", "--mount-point", "/fsx"]
    assert {s["OnError"] for s in (efs, lustre)} == {"TERMINATE"}
    assert {s["ExecutionPolicy"] for s in (efs, lustre)} == {"EVERY_BOOT"}
    # What no script can mount stays in the user data.
    text = user_data(made, "compute")
    assert "pcs-local" in text
    assert "/home" not in text
    assert "mount.lustre" not in text
    assert not advised(stack) & {"PCS922", "PCS925", "PCS926"}


def test_nodes_may_download_the_scripts_before_they_start(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    nodes(cluster, mount_scripts=pcs.MountScripts.latest())
    made = template(stack)
    (profile,) = found(made, "AWS::IAM::InstanceProfile").values()
    ((policy_id, policy),) = found(made, "AWS::IAM::Policy").items()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert policy_id in profile["DependsOn"]
    assert "PCS922" in advised(stack)


def test_mounts_come_after_the_forwarding_of_logs_and_before_other_scripts(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home})
    nodes(
        cluster,
        mount_scripts=PINNED,
        lifecycle_actions=[
            pcs.LifecycleAction(
                name="Software",
                script=pcs.LifecycleScript.from_url("https://example.com/s.sh", checksum=CHECKSUM),
            ),
            pcs.LifecycleAction(
                name="Logs",
                script=pcs.LifecycleScript.maintained("configure-cloudwatch-logs"),
                on_error=pcs.OnError.CONTINUE,
            ),
        ],
    )
    order = [script["Name"] for script in scripts(template(stack), "compute")]
    assert order == ["Logs", "Mount 1 mount-efs", "Software"]
    assert "PCS926" not in advised(stack)


def test_a_node_group_without_actions_says_nothing_of_them(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    nodes(pcs.Cluster(stack, "Cluster", vpc=vpc))
    assert "NodeLifecycleActions" not in only(template(stack), GROUP)


def test_fails_on_a_lifecycle_action_that_cannot_be(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    action = pcs.LifecycleAction(name="-", script=pcs.LifecycleScript.from_url("ftp://example.com"))
    with refused(stack, "PCS912", "PCS915"):
        nodes(cluster, lifecycle_actions=[action])


def test_fails_on_checksums_of_what_mounts_nothing() -> None:
    with pytest.raises(pcs.PcsValidationError, match="PCS563"):
        pcs.MountScripts.pinned(checksums={"mount-nfs": CHECKSUM})
    with pytest.raises(pcs.PcsValidationError, match="PCS003"):
        pcs.MountScripts.pinned(1)  # pyright: ignore[reportArgumentType]


# What reviews found.


def test_a_script_mounts_with_the_options_of_the_share(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mount_scripts=PINNED)
    nodes(cluster, mounts={"/fsx": scratch.file_share.with_options("ro")})
    (script,) = scripts(template(stack), "compute")
    assert script["Arguments"][4:6] == ["--options", "noatime,flock,ro"]


def test_a_node_group_can_have_user_data_mount_all(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    home = pcs.EfsStorage(stack, "Home", vpc=vpc)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": home}, mount_scripts=PINNED)
    cluster.add_login_nodes(
        "login", instance_type="c7i.xlarge", mount_scripts=pcs.MountScripts.none()
    )
    made = template(stack)
    assert "NodeLifecycleActions" not in only(made, GROUP)
    assert "/home" in user_data(made, "login")


def given_template(cluster: pcs.Cluster, **arguments: Any) -> pcs.NodeLaunchTemplate:
    return pcs.NodeLaunchTemplate(
        cluster,
        "Template",
        **{
            "instance_types": ["c7i.4xlarge"],
            "security_groups": [cluster.security_group],
            **arguments,
        },
    )


def test_nodes_of_a_given_template_may_mount_what_is_in_it(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    nodes(cluster, launch_template=given_template(cluster, mounts={"/home": guarded}))
    made = template(stack)
    assert may_mount(made, role_of(made, "compute"))
    (opened,) = [rule for rule in security_group_rules(made) if rule[3:] == (2049, 2049)]
    assert opened[0] == "Ingress"


def test_fails_where_a_given_template_mounts_what_cannot_be(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    first, second = vpc.private_subnets
    home = pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=[first])
    given = given_template(cluster, mounts={"/home": home, "/local": pcs.LocalScratch()})
    with refused(stack, "PCS558", "PCS560"):
        nodes(cluster, launch_template=given, subnets=[second])


def test_fails_where_a_given_template_is_for_another_subnet_or_way_of_buying(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    first, second = vpc.private_subnets
    given = given_template(cluster, subnet=first, capacity=pcs.Capacity.spot())
    with refused(stack, "PCS218"):
        nodes(cluster, launch_template=given, subnets=[second], capacity=pcs.Capacity.spot())
    with refused(stack, "PCS218"):
        nodes(cluster, launch_template=given, subnets=[first])
    nodes(cluster, launch_template=given, subnets=[first], capacity=pcs.Capacity.spot())


def test_every_interface_reaches_file_servers_that_are_reached_by_efa(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    fast = pcs.LustreStorage(
        stack, "Fast", vpc=vpc, efa=True, throughput=1000, capacity=cdk.Size.gibibytes(4800)
    )
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    mounts = {"/fast": fast, "/read": fast.file_share.with_options("ro")}
    nodes(cluster, instance_types=["hpc7a.96xlarge"], efa=True, mounts=mounts)
    data = only(template(stack), "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert [len(interface["Groups"]) for interface in data["NetworkInterfaces"]] == [2, 2]


@pytest.mark.parametrize(
    "share",
    [
        pcs.FileShare(source="host:/a b", type="nfs", options="ro", client=MountClient.NFS),
        pcs.FileShare(source="host:/a", type="nfs", options="ro,nofail", client=MountClient.NFS),
        pcs.FileShare(source="host:/a", type="nfs", options="a'b", client=MountClient.NFS),
    ],
    ids=["space", "nofail", "quote"],
)
def test_fails_on_a_share_that_cannot_be_mounted_safely(
    stack: cdk.Stack, vpc: ec2.IVpc, share: pcs.FileShare
) -> None:
    with refused(stack, "PCS524"):
        pcs.Cluster(stack, "Bad", vpc=vpc, mounts={"/data": share})
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with refused(stack, "PCS524"):
        nodes(cluster, mounts={"/data": share})
    with refused(stack, "PCS524"):
        given_template(cluster, mounts={"/data": share})


def test_login_nodes_take_what_node_groups_take(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    cluster.add_login_nodes(
        "login",
        instance_type="c7i.xlarge",
        instance_tags={"Project": "cfd"},
        root_volume=ec2.BlockDeviceVolume.ebs(100),
        user_data=[pcs.UserDataPart.shell_script("#!/bin/sh\n")],
    )
    data = only(template(stack), "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 100
    assert {"Key": "Project", "Value": "cfd"} in data["TagSpecifications"][0]["Tags"]


def test_file_servers_may_be_in_a_public_subnet(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        subnet_configuration=[
            ec2.SubnetConfiguration(
                name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
            )
        ],
    )
    pcs.LustreStorage(stack, "Scratch", vpc=vpc, subnet=vpc.public_subnets[0])
    pcs.EfsStorage(stack, "Home", vpc=vpc, subnets=vpc.public_subnets)


def test_a_home_that_is_read_only_is_left_as_it_is(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    share = pcs.EfsStorage(stack, "Home", vpc=vpc).file_share
    assert share.mount("/home").keep_existing
    assert not share.with_options("ro").mount("/home").keep_existing


def test_a_group_of_a_stack_before_the_storage_closes_no_circle(app: cdk.App) -> None:
    before = cdk.Stack(app, "Net")
    vpc = pcs.Network(before, "Network").vpc
    group = ec2.SecurityGroup(before, "Group", vpc=vpc)
    home = pcs.EfsStorage(cdk.Stack(app, "Storage"), "Home", vpc=vpc)
    hpc = cdk.Stack(app, "Hpc")
    pcs.Cluster(hpc, "Cluster", vpc=vpc, security_group=group, mounts={"/home": home})
    app.synth()


def test_one_group_imported_twice_is_opened_once(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    homes = [
        pcs.EfsStorage.from_file_system_attributes(
            stack,
            f"Home{n}",
            file_system_id=f"fs-0123456789abcde{n}",
            security_group=existing_group(stack, f"Servers{n}"),
        )
        for n in (1, 2)
    ]
    nodes_group = existing_group(stack, "Nodes", digit=2)
    mounts = {"/one": homes[0], "/two": homes[1]}
    pcs.Cluster(stack, "Cluster", vpc=vpc, security_group=nodes_group, mounts=mounts)
    (rule,) = properties(template(stack), "AWS::EC2::SecurityGroupIngress")
    assert rule["FromPort"] == 2049


def test_nodes_wait_for_data_repositories(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    scratch = pcs.LustreStorage(stack, "Scratch", vpc=vpc)
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "genomes")
    scratch.add_data_repository("Genomes", path="/genomes", bucket=bucket)
    pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/fsx": scratch})
    made = template(stack)
    (cluster,) = found(made, "AWS::PCS::Cluster").values()
    assert set(found(made, "AWS::FSx::DataRepositoryAssociation")) <= set(cluster["DependsOn"])


def test_a_role_that_cannot_be_changed_changes_no_policy(
    stack: cdk.Stack, vpc: ec2.IVpc, guarded: pcs.EfsStorage
) -> None:
    arn = "arn:aws:iam::111122223333:role/aws-pcs/nodes"
    role = iam.Role.from_role_arn(stack, "Role", arn, mutable=False)
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc, mounts={"/home": guarded})
    nodes(cluster, instance_profile=pcs.NodeInstanceProfile(stack, "Profile", role=role))
    policy = only(template(stack), "AWS::EFS::FileSystem")["FileSystemPolicy"]
    assert "GetAtt" not in str(policy)
