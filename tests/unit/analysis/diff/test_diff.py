"""What `diff` says of pairs of templates: one thing changed in a small cluster, or little more."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.diff import Change, Effect, as_text, compare
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.commands.cli import main
from pcs_constructs.model.slurm_updates import hops
from pcs_constructs.templates import template
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from pathlib import Path


def _get(logical_id: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def _resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def _group(name: str, *, instances: tuple[int, int], template: str = "Template") -> dict[str, Any]:
    return _resource(
        NODE_GROUP,
        Name=name,
        ClusterId=_get("Cluster", "Id"),
        AmiId={"Ref": "Image"},
        CustomLaunchTemplate={
            "TemplateId": {"Ref": template},
            "Version": _get(template, "LatestVersionNumber"),
        },
        IamInstanceProfileArn=_get("Profile", "Arn"),
        InstanceConfigs=[{"InstanceType": "c7i.xlarge"}],
        PurchaseOption="ONDEMAND",
        ScalingConfiguration={
            "MinInstanceCount": instances[0],
            "MaxInstanceCount": instances[1],
        },
        SubnetIds=[{"Ref": "Subnet"}],
    )


_BASE: dict[str, Any] = {
    "Parameters": {"Image": {"Type": "AWS::EC2::Image::Id"}},
    "Resources": {
        "Vpc": _resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": _resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/20"),
        "Group": _resource(
            "AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="the cluster"
        ),
        "Rule": _resource(
            "AWS::EC2::SecurityGroupIngress",
            GroupId=_get("Group", "GroupId"),
            IpProtocol="tcp",
            FromPort=22,
        ),
        "Role": _resource("AWS::IAM::Role", Path="/aws-pcs/"),
        "Profile": _resource(
            "AWS::IAM::InstanceProfile", Path="/aws-pcs/", Roles=[{"Ref": "Role"}]
        ),
        "Files": _resource("AWS::EFS::FileSystem", Encrypted=True),
        "Template": _resource(
            "AWS::EC2::LaunchTemplate",
            LaunchTemplateData={
                "SecurityGroupIds": [_get("Group", "GroupId")],
                "UserData": {
                    "Fn::Base64": {
                        "Fn::Join": ["", ["#!/bin/sh\nmount ", {"Ref": "Files"}, " /home\n"]]
                    }
                },
            },
        ),
        "Cluster": _resource(
            CLUSTER,
            Name="hpc",
            Size="SMALL",
            Scheduler={"Type": "SLURM", "Version": "25.05"},
            Networking={
                "SubnetIds": [{"Ref": "Subnet"}],
                "SecurityGroupIds": [_get("Group", "GroupId")],
            },
        ),
        "Login": _group("login", instances=(2, 2)),
        "Compute": _group("compute", instances=(0, 12)),
        "Queue": _resource(
            QUEUE,
            Name="batch",
            ClusterId=_get("Cluster", "Id"),
            ComputeNodeGroupConfigurations=[{"ComputeNodeGroupId": _get("Compute", "Id")}],
        ),
    },
}

_NOBODY: dict[str, Effect] = dict.fromkeys(("Cluster", "Login", "Compute", "Queue"), Effect.NOTHING)
_EVERYTHING_LOST = dict.fromkeys(_NOBODY, Effect.LOST)


def _changed(*path: str, to: Any, base: dict[str, Any] = _BASE) -> dict[str, Any]:
    """The template with one thing changed, or removed where there is nothing to change to.

    Args:
        path: The logical id, and the names of properties; the logical id alone is the resource.
        to: What it is changed to.
    """
    changed = deepcopy(base)
    logical_id, *names = path
    at: dict[str, Any] = changed["Resources"]
    if names:
        at = at[logical_id]["Properties"]
    for name in names[:-1]:
        at = at.setdefault(name, {})
    last = (names or [logical_id])[-1]
    if to is None:
        del at[last]
    else:
        at[last] = to
    return changed


def _compared(new: dict[str, Any], old: dict[str, Any] = _BASE) -> dict[str, Change]:
    found = compare([template.parsed("Hpc", old)], [template.parsed("Hpc", new)])
    assert len({(change.logical_id, change.effect) for change in found}) == len(found)
    return {change.logical_id: change for change in found}


def _effects(new: dict[str, Any], old: dict[str, Any] = _BASE) -> dict[str, Effect]:
    return {logical_id: change.effect for logical_id, change in _compared(new, old).items()}


def _messages(change: Change) -> list[str]:
    return [refusal.message for refusal in change.refusals]


def _reasons(change: Change) -> list[str]:
    return [str(reason) for reason in change.reasons]


def test_nothing_happens_to_what_stays_the_same() -> None:
    assert _effects(_BASE) == _NOBODY
    text = as_text(list(_compared(_BASE).values()))
    assert text.splitlines()[-1] == "1 cluster, 2 node groups, 1 queue: nothing changes"


def test_a_number_and_its_text_and_no_value_are_the_same() -> None:
    new = _changed("Login", "ScalingConfiguration", "MaxInstanceCount", to="2")
    new["Resources"]["Compute"]["Properties"]["SpotOptions"] = {"Ref": "AWS::NoValue"}
    assert _effects(new) == _NOBODY


# What replaces a resource.

_OTHER: dict[tuple[str, str], Any] = {
    (CLUSTER, "Name"): "other",
    (CLUSTER, "Size"): "LARGE",
    (CLUSTER, "Networking"): {"SubnetIds": ["subnet-11111111"], "SecurityGroupIds": ["sg-1"]},
    (NODE_GROUP, "Name"): "other",
    (NODE_GROUP, "ClusterId"): "pcs_another",
    (NODE_GROUP, "InstanceConfigs"): [{"InstanceType": "c7a.xlarge"}],
    (QUEUE, "Name"): "other",
    (QUEUE, "ClusterId"): "pcs_another",
}


@pytest.mark.parametrize(
    ("logical_id", "name"),
    [
        (logical_id, name)
        for logical_id in ("Cluster", "Login", "Compute", "Queue")
        for name in CREATE_ONLY[_BASE["Resources"][logical_id]["Type"]]
    ],
)
def test_every_create_only_property_replaces(logical_id: str, name: str) -> None:
    type_ = _BASE["Resources"][logical_id]["Type"]
    effects = _effects(_changed(logical_id, name, to=_OTHER[type_, name]))
    if logical_id == "Cluster":
        assert effects == _EVERYTHING_LOST
    else:
        queue = {"Queue": Effect.IN_PLACE} if logical_id == "Compute" else {}
        assert effects == _NOBODY | queue | {logical_id: Effect.REPLACED}


@pytest.mark.parametrize(
    ("path", "to", "lost"),
    [
        (("Subnet", "CidrBlock"), "10.0.16.0/20", True),
        (("Subnet", "AvailabilityZone"), "eu-west-1b", True),
        (("Subnet", "MapPublicIpOnLaunch"), True, False),
        (("Vpc", "CidrBlock"), "10.1.0.0/16", True),
        (("Vpc", "EnableDnsHostnames"), True, False),
        (("Group", "GroupDescription"), "another", True),
        (("Group", "Tags"), [{"Key": "Project", "Value": "cfd"}], False),
    ],
)
def test_a_cluster_is_lost_with_what_its_network_refers_to(
    path: tuple[str, str], to: Any, lost: bool
) -> None:
    assert _effects(_changed(*path, to=to)) == (_EVERYTHING_LOST if lost else _NOBODY)


def test_the_reason_leads_to_what_was_changed() -> None:
    change = _compared(_changed("Vpc", "CidrBlock", to="10.1.0.0/16"))["Cluster"]
    assert _reasons(change) == [
        "Networking.SubnetIds[0]: Subnet Subnet is replaced: VpcId: VPC Vpc is replaced: "
        "CidrBlock: '10.0.0.0/16' -> '10.1.0.0/16'",
        "Networking.SecurityGroupIds[0]: SecurityGroup Group is replaced: VpcId: VPC Vpc is "
        "replaced: CidrBlock: '10.0.0.0/16' -> '10.1.0.0/16'",
    ]


def test_another_logical_id_is_another_resource() -> None:
    new = _changed("Subnet2", to=_BASE["Resources"]["Subnet"])
    new["Resources"]["Cluster"]["Properties"]["Networking"]["SubnetIds"] = [{"Ref": "Subnet2"}]
    change = _compared(new)["Cluster"]
    assert change.effect is Effect.LOST
    assert _reasons(change) == ["Networking.SubnetIds[0]: Subnet -> Subnet2 (another resource)"]


def test_what_is_written_differently_is_taken_to_change_and_said_not_to_be_known() -> None:
    new = _changed("Cluster", "Networking", "SubnetIds", to=[{"Fn::ImportValue": "TheSubnet"}])
    (reason,) = _compared(new)["Cluster"].reasons
    assert reason.effect is Effect.LOST
    assert reason.because == "written differently; whether the value changes is not known"
    again = _changed("Cluster", "Networking", "SubnetIds", to=[{"Fn::ImportValue": "Other"}])
    assert _effects(again, new) == _EVERYTHING_LOST
    assert _effects(new, new) == _NOBODY


# What an update does to nodes.


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("PurchaseOption",), "SPOT"),
        (("AmiId",), "ami-0123456789"),
        (("IamInstanceProfileArn",), "arn:aws:iam::123456789012:instance-profile/x"),
        (("SlurmConfiguration", "SlurmCustomSettings"), [{"ParameterName": "Weight",
                                                          "ParameterValue": "2"}]),
        (("SlurmConfiguration", "ScaleDownIdleTimeInSeconds"), 60),
        (("SlurmConfiguration", "GresCustomSettings"), [{"Name": "gpu"}]),
        (("NodeLifecycleActions", "Stages"), {"NodeReady": [{"Name": "x"}]}),
        (("CustomLaunchTemplate", "Version"), "7"),
        (("SubnetIds",), [{"Ref": "Another"}]),
        (("AProperty",), "of the future"),
    ],
)  # fmt: skip
def test_an_update_replaces_idle_nodes_and_ends_sessions_where_people_log_in(
    path: tuple[str, ...], to: Any
) -> None:
    compute, login = (
        _compared(_changed("Compute", *path, to=to)),
        _compared(_changed("Login", *path, to=to)),
    )
    assert compute["Compute"].effect is Effect.NODES_REPLACED
    assert login["Login"].effect is Effect.SESSIONS_END
    assert "people may be logged in" in " ".join(login["Login"].notes)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("Tags",), {"Project": "cfd"}),
        (("SpotOptions", "AllocationStrategy"), "lowest-price"),
        (("SubnetIds",), [{"Ref": "Subnet"}, "subnet-22222222"]),
        (("ScalingConfiguration", "MaxInstanceCount"), 13),
    ],
)
def test_what_does_not_concern_nodes_leaves_them_alone(path: tuple[str, ...], to: Any) -> None:
    for logical_id in ("Compute", "Login"):
        effects = _effects(_changed(logical_id, *path, to=to))
        assert effects == _NOBODY | {logical_id: Effect.IN_PLACE}


def test_a_lower_maximum_fails_jobs_and_ends_sessions() -> None:
    path = ("ScalingConfiguration", "MaxInstanceCount")
    change = _compared(_changed("Compute", *path, to=11))["Compute"]
    assert change.effect is Effect.JOBS_FAIL
    assert any("return to their queues" in note for note in change.notes)
    assert _effects(_changed("Login", *path, to=1))["Login"] is Effect.SESSIONS_END
    unknown = _compared(_changed("Compute", *path, to={"Ref": "Most"}))["Compute"]
    assert unknown.effect is Effect.JOBS_FAIL


def test_a_lower_minimum_of_static_nodes_leaves_jobs_alone() -> None:
    old = _changed("Compute", "ScalingConfiguration", "MinInstanceCount", to=12)
    assert _effects(_BASE, old) == _NOBODY | {"Compute": Effect.IN_PLACE}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("LaunchTemplateData", "KeyName"), "my-key"),
        (("LaunchTemplateData", "SecurityGroupIds"), ["sg-1"]),
        (("LaunchTemplateData", "TagSpecifications"), [{"ResourceType": "instance"}]),
        (("VersionDescription",), "the newest"),
    ],
)
def test_a_new_version_of_the_launch_template_reaches_the_nodes(
    path: tuple[str, ...], to: Any
) -> None:
    effects = _effects(_changed("Template", *path, to=to))
    assert effects == _NOBODY | {
        "Login": Effect.SESSIONS_END,
        "Compute": Effect.NODES_REPLACED,
    }


def test_the_line_of_the_user_data_that_changes_is_said() -> None:
    parts = ["#!/bin/sh\nmount ", {"Ref": "Files"}, " /shared\n"]
    data = {"Fn::Base64": {"Fn::Join": ["", parts]}}
    change = _compared(_changed("Template", "LaunchTemplateData", "UserData", to=data))["Compute"]
    assert _reasons(change) == [
        "LaunchTemplateData.UserData, line 2: 'mount ${Hpc/Files.} /home' -> "
        "'mount ${Hpc/Files.} /shared' (in LaunchTemplate Template)"
    ]


def test_the_same_text_in_other_pieces_is_the_same() -> None:
    parts = ["#!/bin/sh\n", "mount ", {"Ref": "Files"}, " /home\n"]
    data = {"Fn::Base64": {"Fn::Join": ["", parts]}}
    assert _effects(_changed("Template", "LaunchTemplateData", "UserData", to=data)) == _NOBODY


def test_a_launch_template_without_a_new_version_changes_nothing() -> None:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    assert _effects(_changed("Template", "TagSpecifications", to=tags)) == _NOBODY


def test_a_replaced_file_system_that_nodes_mount_is_new_user_data() -> None:
    effects = _effects(_changed("Files", "Encrypted", to=False))
    assert effects["Compute"] is Effect.NODES_REPLACED


def test_a_replaced_instance_profile_reaches_the_nodes() -> None:
    change = _compared(_changed("Profile", "Path", to="/"))["Compute"]
    assert change.effect is Effect.NODES_REPLACED
    assert _reasons(change) == [
        "IamInstanceProfileArn: InstanceProfile Profile is replaced: Path: '/aws-pcs/' -> '/'"
    ]


def test_rules_of_security_groups_change_at_once() -> None:
    everybody = _NOBODY | dict.fromkeys(("Cluster", "Login", "Compute"), Effect.IN_PLACE)
    assert _effects(_changed("Rule", "FromPort", to=23)) == everybody
    assert _effects(_changed("Rule", to=None)) == everybody
    assert _effects(_changed("Group", "SecurityGroupIngress", to=[{"FromPort": 1}])) == everybody


def test_permissions_of_the_role_change_at_once() -> None:
    nodes = _NOBODY | dict.fromkeys(("Login", "Compute"), Effect.IN_PLACE)
    assert _effects(_changed("Role", "ManagedPolicyArns", to=["arn:1"])) == nodes
    policy = _resource("AWS::IAM::Policy", Roles=[{"Ref": "Role"}], PolicyName="x")
    change = _compared(_changed("Policy", to=policy))["Login"]
    assert change.effect is Effect.IN_PLACE
    assert _reasons(change) == ["permissions of Role change, at once and on running nodes too"]


def test_another_role_of_the_instance_profile_counts_at_once() -> None:
    nodes = _NOBODY | dict.fromkeys(("Login", "Compute"), Effect.IN_PLACE)
    assert _effects(_changed("Profile", "Roles", to=["another"])) == nodes
    assert _effects(_changed("Role", "Path", to="/aws-pcs/x/")) == nodes


def test_a_node_group_that_leaves_all_queues_is_judged_by_where_it_was() -> None:
    new = _changed("Queue", to=None, base=_changed("Compute", "PurchaseOption", to="SPOT"))
    assert _effects(new)["Compute"] is Effect.NODES_REPLACED


def test_a_new_default_of_a_parameter_counts_and_is_doubted() -> None:
    old, new = deepcopy(_BASE), deepcopy(_BASE)
    for content, image in ((old, "ami-1"), (new, "ami-2")):
        content["Parameters"]["Image"]["Default"] = image
    change = _compared(new, old)["Compute"]
    assert change.effect is Effect.NODES_REPLACED
    assert "new default of its parameter Image" in _reasons(change)[0]


def test_an_image_that_is_looked_up_at_each_deployment_is_noted() -> None:
    both = deepcopy(_BASE)
    both["Parameters"]["Image"]["Type"] = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    change = _compared(both, both)["Compute"]
    assert change.effect is Effect.NOTHING
    assert "Image is looked up at every deployment" in change.notes[0]


# What an update does to clusters and queues.


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("SlurmConfiguration", "Accounting", "Mode"), "STANDARD"),
        (("SlurmConfiguration", "SlurmRest", "Mode"), "STANDARD"),
        (("SlurmConfiguration", "ScaleDownIdleTimeInSeconds"), 60),
        (("SlurmConfiguration", "SlurmCustomSettings"), [{"ParameterName": "Prolog",
                                                          "ParameterValue": "/x"}]),
        (("Scheduler", "Version"), "25.11"),
    ],
)  # fmt: skip
def test_a_cluster_is_updated_in_place(path: tuple[str, ...], to: Any) -> None:
    changes = _compared(_changed("Cluster", *path, to=to))
    assert {k: c.effect for k, c in changes.items()} == _NOBODY | {"Cluster": Effect.IN_PLACE}
    assert any("must be ACTIVE" in note for note in changes["Cluster"].notes)
    assert changes["Cluster"].reasons[0].path.startswith(".".join(path))


def test_tags_of_a_cluster_wait_for_nobody() -> None:
    change = _compared(_changed("Cluster", "Tags", to={"a": "b"}))["Cluster"]
    assert (change.effect, change.notes) == (Effect.IN_PLACE, ())


def test_the_order_of_slurm_settings_has_no_meaning() -> None:
    settings = [
        {"ParameterName": "Prolog", "ParameterValue": "/x"},
        {"ParameterName": "Epilog", "ParameterValue": "/y"},
    ]
    path = ("Cluster", "SlurmConfiguration", "SlurmCustomSettings")
    old, new = _changed(*path, to=settings), _changed(*path, to=settings[::-1])
    assert _effects(new, old) == _NOBODY
    (reason,) = _compared(_changed(*path, to=settings[:1]), old)["Cluster"].reasons
    assert str(reason) == "SlurmConfiguration.SlurmCustomSettings.Epilog: '/y' -> nothing"


def test_the_order_of_other_lists_may_have_one() -> None:
    old = _changed("Compute", "SubnetIds", to=["subnet-1", "subnet-2"])
    new = _changed("Compute", "SubnetIds", to=["subnet-2", "subnet-1"])
    change = _compared(new, old)["Compute"]
    assert change.effect is Effect.NODES_REPLACED
    assert _reasons(change) == [
        "SubnetIds: only the order changes, and whether that counts is not said"
    ]


def test_a_queue_is_updated_in_place_and_jobs_stay() -> None:
    groups = [{"ComputeNodeGroupId": _get(one, "Id")} for one in ("Compute", "Login")]
    change = _compared(_changed("Queue", "ComputeNodeGroupConfigurations", to=groups))["Queue"]
    assert change.effect is Effect.IN_PLACE
    assert any("running jobs stay" in note for note in change.notes)


def test_what_is_new_is_created_and_what_is_gone_is_removed() -> None:
    new = _changed("Queue2", to=_resource(QUEUE, Name="two", ClusterId=_get("Cluster", "Id")))
    assert _effects(new) == _NOBODY | {"Queue2": Effect.CREATED}
    assert _effects(_BASE, new) == _NOBODY | {"Queue2": Effect.REMOVED}


def test_removing_the_cluster_loses_all_below_it() -> None:
    new = deepcopy(_BASE)
    for logical_id in _NOBODY:
        del new["Resources"][logical_id]
    assert _effects(new) == _EVERYTHING_LOST
    assert _effects(_BASE, new) == dict.fromkeys(_NOBODY, Effect.CREATED)


def test_what_is_retained_stays() -> None:
    old = deepcopy(_BASE)
    old["Resources"]["Queue"]["DeletionPolicy"] = "Retain"
    change = _compared(_changed("Queue", to=None, base=old), old)["Queue"]
    assert change.effect is Effect.REMOVED
    assert change.notes == ("it stays in AWS PCS, since DeletionPolicy is Retain",)
    old["Resources"]["Compute"]["UpdateReplacePolicy"] = "Retain"
    other = _changed("Compute", "Name", to="other", base=old)
    assert "UpdateReplacePolicy is Retain" in _compared(other, old)["Compute"].notes[0]
    bare = {k: v for k, v in old["Resources"].items() if k not in _NOBODY}
    assert "cannot be deleted" in _compared({"Resources": bare}, old)["Queue"].notes[-1]


# Slurm versions.

_VERSIONS = ("23.11", "24.05", "24.11", "25.05", "25.11", "26.05")


@pytest.mark.parametrize(("before", "after"), list(product(_VERSIONS, _VERSIONS)))
def test_versions_go_up_by_three_at_the_most(before: str, after: str) -> None:
    up = _VERSIONS.index(after) - _VERSIONS.index(before)
    old = _changed("Cluster", "Scheduler", "Version", to=before)
    new = _changed("Cluster", "Scheduler", "Version", to=after)
    change = _compared(new, old)["Cluster"]
    assert change.effect is (Effect.IN_PLACE if up else Effect.NOTHING)
    assert bool(change.refusals) is (up < 0 or up > 3)
    if up > 0:
        assert any(f"must hold Slurm {after}" in note for note in change.notes)


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("24.05", "24.05", ()),
        ("25.11", "25.05", ()),
        ("24.11", "26.05", ("26.05",)),
        ("23.11", "26.05", ("25.05", "26.05")),
        ("23.11", "26.11", ("25.05", "26.11")),
        ("23.11", "27.05", ("25.05", "26.11", "27.05")),
        ("25.05", "25.07", None),
        ("22.05.1", "23.11", None),
    ],
)
def test_the_way_to_a_version(before: str, after: str, way: tuple[str, ...] | None) -> None:
    assert hops(before, after) == way


def test_fails_with_the_way_when_a_version_is_too_far() -> None:
    old = _changed("Cluster", "Scheduler", "Version", to="23.11")
    new = _changed("Cluster", "Scheduler", "Version", to="25.11")
    (refusal,) = _compared(new, old)["Cluster"].refusals
    assert refusal.fix == "update in 2 deployments: 25.05, then 25.11"


def test_nodes_of_23_11_and_of_cli_filters_cannot_follow_later() -> None:
    old = _changed("Cluster", "Scheduler", "Version", to="23.11")
    new = _changed("Cluster", "Scheduler", "Version", to="24.11")
    assert any("23.11 cannot talk" in note for note in _compared(new, old)["Cluster"].notes)
    settings = [{"ParameterName": "CliFilterPlugins", "ParameterValue": "lua"}]
    new = _changed("Cluster", "SlurmConfiguration", "SlurmCustomSettings", to=settings)
    new["Resources"]["Cluster"]["Properties"]["Scheduler"]["Version"] = "25.11"
    assert any("CliFilterPlugins" in note for note in _compared(new)["Cluster"].notes)


@pytest.mark.parametrize(
    ("path", "to", "noted"),
    [
        (("Cluster", "SlurmConfiguration", "SlurmCustomSettings"), "MetricsType=x", True),
        (("Cluster", "SlurmConfiguration", "SlurmCustomSettings"),
         "SelectTypeParameters=CR_Socket", True),
        (("Cluster", "SlurmConfiguration", "SlurmCustomSettings"),
         "SelectTypeParameters=CR_CPU", False),
        (("Cluster", "SlurmConfiguration", "SlurmRest", "Mode"), "STANDARD", False),
        (("Compute", "SlurmConfiguration", "SlurmCustomSettings"), "Sockets=2", True),
        (("Compute", "SlurmConfiguration", "SlurmCustomSettings"), "Weight=2", False),
        (("Compute", "SlurmConfiguration", "ScaleDownIdleTimeInSeconds"), 60, True),
        (("Compute", "SlurmConfiguration", "GresCustomSettings"), [{"AutoDetect": "nvml"}], True),
    ],
)  # fmt: skip
def test_settings_of_the_new_version_should_come_after_it(
    path: tuple[str, ...], to: Any, noted: bool
) -> None:
    if isinstance(to, str) and "=" in to:
        name, _, value = to.partition("=")
        to = [{"ParameterName": name, "ParameterValue": value}]
    new = _changed(*path, to=to)
    new["Resources"]["Cluster"]["Properties"]["Scheduler"]["Version"] = "25.11"
    notes = " ".join(_compared(new)[path[0]].notes)
    assert ("in a deployment after the version's" in notes) is noted


@pytest.mark.parametrize(
    "value", [{"Ref": {}}, {"Ref": ["A"]}, {"Fn::GetAtt": []}, {"Fn::ImportValue": {}}, True, 1, []]
)
@pytest.mark.parametrize(
    "path", [("Compute", "AmiId"), ("Cluster", "Networking"), ("Queue", "Name")]
)
def test_what_is_malformed_is_compared_as_it_is_written(
    path: tuple[str, str], value: object
) -> None:
    new = _changed(*path, to=value)
    assert _effects(new, new) == _NOBODY
    assert _effects(new) != _NOBODY
    assert _effects(_BASE, new) != _NOBODY


def test_whole_floats_are_whole_numbers() -> None:
    path = ("Compute", "ScalingConfiguration", "MaxInstanceCount")
    assert _effects(_changed(*path, to=12.0)) == _NOBODY
    assert _effects(_changed(*path, to=11.0))["Compute"] is Effect.JOBS_FAIL
    assert _effects(_changed(*path, to=13.0))["Compute"] is Effect.IN_PLACE


def test_what_leaves_a_queue_is_named_and_known_to_leave() -> None:
    groups = [{"ComputeNodeGroupId": _get(one, "Id")} for one in ("Compute", "Login")]
    old = _changed("Queue", "ComputeNodeGroupConfigurations", to=groups)
    change = _compared(_BASE, old)["Queue"]
    assert _reasons(change) == [
        "ComputeNodeGroupConfigurations[1].ComputeNodeGroupId: node group login -> nothing"
    ]
    maybe = {"Fn::If": ["Big", groups[1], {"Ref": "AWS::NoValue"}]}
    old = _changed("Queue", "ComputeNodeGroupConfigurations", to=[groups[0], maybe])
    assert "is not known" in _reasons(_compared(_BASE, old)["Queue"])[0]


def test_the_last_line_counts_in_words_that_fit_one_and_many() -> None:
    new = _changed("Compute", "ScalingConfiguration", "MaxInstanceCount", to=1)
    text = as_text(list(_compared(new).values()))
    assert text.splitlines()[-1] == "1 cluster, 2 node groups, 1 queue: jobs fail in 1"


# Conditions.

_TRUE: dict[str, Any] = {"Fn::Equals": ["a", "a"]}
_FALSE: dict[str, Any] = {"Fn::Not": [_TRUE]}
_OPEN: dict[str, Any] = {"Fn::Equals": [{"Ref": "Image"}, "a"]}


def _conditional(definition: Any, *logical_ids: str, **others: Any) -> dict[str, Any]:
    """The template with resources under the condition `Big`."""
    new = deepcopy(_BASE) | {"Conditions": {"Big": definition, **others}}
    for logical_id in logical_ids:
        new["Resources"][logical_id]["Condition"] = "Big"
    return new


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (None, _OPEN, Effect.REMOVED),
        (None, _FALSE, Effect.REMOVED),
        (None, _TRUE, Effect.NOTHING),
        (None, {"Fn::Or": [_OPEN, _TRUE]}, Effect.NOTHING),
        (None, {"Fn::And": [_OPEN, _TRUE]}, Effect.REMOVED),
        (None, {"Condition": "Other"}, Effect.NOTHING),
        (_OPEN, None, Effect.NOTHING),
        (_FALSE, None, Effect.CREATED),
        (_OPEN, _OPEN, Effect.NOTHING),
        (_FALSE, _FALSE, Effect.NOTHING),
        (_FALSE, _OPEN, Effect.CREATED),
        (_OPEN, {"Fn::Equals": [{"Ref": "Image"}, "b"]}, Effect.REMOVED),
        (_OPEN, {"Condition": "Big"}, Effect.REMOVED),
    ],
)  # fmt: skip
def test_a_condition_that_may_not_hold_removes(before: Any, after: Any, effect: Effect) -> None:
    old, new = (
        _BASE if one is None else _conditional(one, "Queue", Other=_TRUE) for one in (before, after)
    )
    change = _compared(new, old)["Queue"]
    assert _effects(new, old) == _NOBODY | {"Queue": effect}
    assert any("jobs are ended" in note for note in change.notes) is (effect is Effect.REMOVED)


def test_a_condition_of_the_cluster_loses_all_below_it() -> None:
    changes = _compared(_conditional(_OPEN, "Cluster"))
    assert {k: c.effect for k, c in changes.items()} == _EVERYTHING_LOST
    assert _reasons(changes["Cluster"]) == [
        "Condition: nothing -> Big (taken not to hold: that is not known)"
    ]
    assert _reasons(changes["Queue"])[0].startswith("ClusterId: cluster hpc may go: Condition")


def test_a_condition_by_which_others_go_counts() -> None:
    old = _conditional({"Condition": "Other"}, "Queue", Other=_OPEN)
    new = _conditional({"Condition": "Other"}, "Queue", Other={"Fn::Not": [_OPEN]})
    change = _compared(new, old)["Queue"]
    assert change.effect is Effect.REMOVED
    assert "Big is defined differently" in _reasons(change)[0]
    assert _effects(old, old) == _NOBODY


def test_a_condition_that_a_value_goes_by_counts() -> None:
    size = {"Fn::If": ["Big", "LARGE", "SMALL"]}
    old, new = (
        _changed("Cluster", "Size", to=size, base=_conditional(one))
        for one in (_OPEN, {"Fn::Not": [_OPEN]})
    )
    assert _effects(new, old) == _EVERYTHING_LOST
    assert _effects(old, old) == _NOBODY
    assert _reasons(_compared(new, old)["Cluster"]) == ["Size: what its conditions are changes"]
    assert _effects(_changed("Cluster", "Size", to=size, base=_conditional(_FALSE))) == _NOBODY


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("Template", "LaunchTemplateData", "UserData"), _get("Template", "LatestVersionNumber")),
        (("Compute", "AmiId"), _get("Compute", "AmiId")),
    ],
)
def test_what_refers_to_itself_is_followed_once(path: tuple[str, ...], to: Any) -> None:
    new = _changed(*path, to=to)
    assert _effects(new, new) == _NOBODY


def test_a_value_that_goes_by_a_condition_of_itself_is_followed_once() -> None:
    size = {"Fn::If": ["Big", "LARGE", "SMALL"]}
    new = _changed("Cluster", "Size", to=size, base=_conditional(size))
    assert _effects(new, new) == _NOBODY


def test_fails_when_conditions_are_too_long_a_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = {f"C{i}": {"Condition": f"C{i + 1}"} for i in range(2000)}
    called = _pair(tmp_path, _conditional({"Condition": "C0"}, "Queue", **chain))
    assert main(called) == 2
    assert main(["slurm", called[-1]]) == 2
    assert capsys.readouterr().err.count("new.json: refers to itself in too long a chain") == 2


# Accounting.


def _accounting(mode: Any, days: Any = None, base: dict[str, Any] = _BASE) -> dict[str, Any]:
    to = {"Mode": mode} | ({} if days is None else {"DefaultPurgeTimeInDays": days})
    return _changed("Cluster", "SlurmConfiguration", "Accounting", to=to, base=base)


@pytest.mark.parametrize(
    "to", [{}, {"Mode": "NONE"}, {"Mode": {"Ref": "Mode"}}, {"Fn::If": ["A", {}, {}]}]
)
def test_accounting_that_ends_may_lose_its_records(to: Any) -> None:
    old = _accounting("STANDARD", 90)
    change = _compared(_changed("Cluster", "SlurmConfiguration", "Accounting", to=to), old)
    assert change["Cluster"].effect is Effect.RECORDS_LOST
    assert "does not say what becomes of the accounting database" in change["Cluster"].notes[0]
    assert _effects(_BASE, old) == _NOBODY | {"Cluster": Effect.RECORDS_LOST}


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (90, 89, True),
        (90, 90.0, False),
        (90, 91, False),
        (None, 90, True),
        (-1, 90, True),
        (90, -1, False),
        (90, None, False),
        (90, {"Ref": "Days"}, True),
    ],
)
def test_records_are_lost_where_they_are_kept_for_less_time(
    before: Any, after: Any, lost: bool
) -> None:
    change = _compared(_accounting("STANDARD", after), _accounting("STANDARD", before))["Cluster"]
    assert (change.effect is Effect.RECORDS_LOST) is lost
    assert any("purge time are deleted" in note for note in change.notes) is lost


# What would be refused.


def _codes(change: Change) -> list[str | None]:
    return [refusal.code for refusal in change.refusals]


def _given(*settings: str) -> list[dict[str, Any]]:
    pairs = [setting.split("=") for setting in settings]
    return [{"ParameterName": name, "ParameterValue": value} for name, value in pairs]


@pytest.mark.parametrize(
    ("place", "settings"),
    [
        ("SlurmCustomSettings", "AccountingStorageEnforce=limits"),
        ("SlurmdbdCustomSettings", "PurgeJobAfter=12months"),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_fails_when_accounting_goes_and_its_settings_stay(
    place: str, settings: str, ends: bool
) -> None:
    both = _changed("Cluster", "SlurmConfiguration", place, to=_given(settings))
    new = _accounting("NONE", base=both) if ends else both
    assert _codes(_compared(new, _accounting("STANDARD", base=both))["Cluster"]) == ["PCS810"]


def test_fails_when_accounting_goes_and_queues_have_qos() -> None:
    settings = _given("QOS=fast")
    both = _changed("Queue", "SlurmConfiguration", "SlurmCustomSettings", to=settings)
    assert _codes(_compared(both, _accounting("STANDARD", base=both))["Queue"]) == ["PCS810"]


@pytest.mark.parametrize(
    ("path", "to", "code"),
    [
        (("Cluster", "SlurmConfiguration", "SlurmCustomSettings"), _given("Foo=1"), "PCS807"),
        (("Cluster", "SlurmConfiguration", "SlurmCustomSettings"),
         _given("MinJobAge=9", "MinJobAge=8"), "PCS808"),
        (("Cluster", "SlurmConfiguration", "CgroupCustomSettings"), _given("Foo=1"), "PCS807"),
        (("Cluster", "SlurmConfiguration", "ScaleDownIdleTimeInSeconds"), 0, "PCS107"),
        (("Compute", "SlurmConfiguration", "SlurmCustomSettings"), _given("Weight=x"), "PCS815"),
        (("Compute", "SlurmConfiguration", "SlurmCustomSettings"), _given("Sockets=2"), "PCS809"),
        (("Compute", "SlurmConfiguration", "GresCustomSettings"), [{"Name": "gpu"}], "PCS826"),
        (("Queue", "SlurmConfiguration", "SlurmCustomSettings"), _given("Weight=1"), "PCS807"),
    ],
)  # fmt: skip
def test_fails_when_a_setting_breaks_a_rule(path: tuple[str, ...], to: Any, code: str) -> None:
    new = _changed(*path, to=to)
    (refusal,) = _compared(new)[path[0]].refusals
    assert refusal.code == code
    assert refusal.fix
    assert _codes(_compared(new, new)[path[0]]) == []  # AWS PCS has taken it
    created = _compared(new, {"Resources": {}})[path[0]]
    assert _codes(created) == [code]


@pytest.mark.parametrize(
    "to",
    [
        {"Fn::If": ["Big", [], []]},
        [{"Fn::If": ["Big", {}, {}]}, *_given("PreemptMode=REQUEUE")],
        [{"ParameterName": {"Ref": "Name"}, "ParameterValue": "1"}],
        [{"ParameterName": "MinJobAge", "ParameterValue": {"Ref": "Age"}}],
    ],
)
def test_settings_that_only_cloudformation_knows_break_no_rule(to: Any) -> None:
    new = _changed("Cluster", "SlurmConfiguration", "SlurmCustomSettings", to=to)
    assert _codes(_compared(new)["Cluster"]) == []


def test_fails_when_the_size_does_not_hold_the_maxima() -> None:
    path = ("Compute", "ScalingConfiguration", "MaxInstanceCount")
    assert _codes(_compared(_changed(*path, to=30))["Cluster"]) == []
    change = _compared(_changed(*path, to=31.0))["Cluster"]
    assert (change.effect, _codes(change)) == (Effect.NOTHING, ["PCS104"])
    assert "REFUSED: PCS104 Size: SMALL manages 32 instances" in as_text([change])
    conditional = _conditional(_OPEN, "Compute")
    assert _codes(_compared(_changed(*path, to=31, base=conditional))["Cluster"]) == []


@pytest.mark.parametrize(
    ("logical_id", "name", "to"),
    [
        ("Cluster", "Size", "MEDIUM"),
        ("Compute", "InstanceConfigs", [{"InstanceType": "c7a.xlarge"}]),
    ],
)
def test_fails_when_a_replaced_resource_keeps_its_name(logical_id: str, name: str, to: Any) -> None:
    (message,) = _messages(_compared(_changed(logical_id, name, to=to))[logical_id])
    assert "is taken" in message
    renamed = _changed(logical_id, "Name", to="new-name", base=_changed(logical_id, name, to=to))
    assert _messages(_compared(renamed)[logical_id]) == []


def test_fails_when_a_name_that_a_parameter_gives_stays() -> None:
    old = _changed("Compute", "Name", to={"Ref": "TheName"})
    new = _changed("Compute", "InstanceConfigs", to=[{"InstanceType": "c7a.xlarge"}], base=old)
    assert len(_compared(new, old)["Compute"].refusals) == 1


def test_names_below_a_new_cluster_are_free() -> None:
    changes = _compared(_changed("Cluster", "Name", to="other"))
    assert [c.refusals for c in changes.values()] == [(), (), (), ()]


def test_fails_when_another_logical_id_takes_the_name_of_what_is_removed() -> None:
    new = _changed("Queue", to=None)
    new["Resources"]["Moved"] = _BASE["Resources"]["Queue"]
    (refusal,) = _compared(new)["Moved"].refusals
    assert "taken by Queue" in refusal.message
    assert "keep its logical id" in refusal.fix


def test_fails_when_two_clusters_would_be_made_at_once() -> None:
    old = {"Resources": {k: v for k, v in _BASE["Resources"].items() if k not in _NOBODY}}
    new = _changed("Second", to=deepcopy(_BASE["Resources"]["Cluster"]))
    new["Resources"]["Second"]["Properties"]["Name"] = "second"
    assert "same time" in _messages(_compared(new, old)["Second"])[0]
    new["Resources"]["Second"]["DependsOn"] = "Queue"  # which refers to the first
    assert _messages(_compared(new, old)["Second"]) == []
    assert _messages(_compared(new)["Second"]) == []  # the first is there


def test_fails_when_old_and_new_nodes_together_are_too_many() -> None:
    old = _changed("Compute", "ScalingConfiguration", "MaxInstanceCount", to=20)
    new = _changed("Compute", "InstanceConfigs", to=[{"InstanceType": "c7a.xlarge"}], base=old)
    new["Resources"]["Compute"]["Properties"]["Name"] = "other"
    (refusal,) = _compared(new, old)["Compute"].refusals
    assert "42 instances" in refusal.message
    new["Resources"]["Compute"]["Properties"]["ScalingConfiguration"]["MaxInstanceCount"] = 10
    assert _compared(new, old)["Compute"].refusals == ()


def test_fails_when_a_logical_id_gets_another_type() -> None:
    new = _changed("Queue", to=_resource("AWS::SNS::Topic"))
    assert _effects(new)["Queue"] is Effect.REMOVED
    found = compare([template.parsed("Hpc", new)], [template.parsed("Hpc", _BASE)])
    assert "so far" in found[-1].refusals[0].message


# Several templates.


def _written(folder: Path, **templates: dict[str, Any]) -> Path:
    folder.mkdir()
    for name, content in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def _split() -> tuple[dict[str, Any], dict[str, Any]]:
    """A stack with the cluster, and one with its node groups and queue."""
    first = deepcopy(_BASE)
    nodes = {k: first["Resources"].pop(k) for k in ("Login", "Compute", "Queue", "Template")}
    first["Outputs"] = {
        name: {"Value": value, "Export": {"Name": name}}
        for name, value in {
            "TheCluster": _get("Cluster", "Id"),
            "TheSubnet": {"Ref": "Subnet"},
            "TheGroup": _get("Group", "GroupId"),
        }.items()
    }
    text = json.dumps({"Parameters": _BASE["Parameters"], "Resources": nodes})
    for value, name in (
        (_get("Cluster", "Id"), "TheCluster"),
        ({"Ref": "Subnet"}, "TheSubnet"),
        (_get("Group", "GroupId"), "TheGroup"),
    ):
        text = text.replace(json.dumps(value), json.dumps({"Fn::ImportValue": name}))
    return first, json.loads(text)


def test_what_another_stack_exports_is_followed_and_cannot_change(tmp_path: Path) -> None:
    first, second = _split()
    old = template.read(_written(tmp_path / "old", First=first, Second=second))
    bigger = _changed("Cluster", "Size", to="MEDIUM", base=first)
    new = template.read(_written(tmp_path / "new", First=bigger, Second=second))
    changes = {change.logical_id: change for change in compare(old, new)}
    assert {k: c.effect for k, c in changes.items()} == _EVERYTHING_LOST
    assert len({change.cluster for change in changes.values()}) == 1
    for logical_id in _NOBODY:
        assert any("export 'TheCluster'" in m for m in _messages(changes[logical_id]))
    assert all(c.effect is Effect.NOTHING for c in compare(old, old))


def test_fails_when_an_imported_export_goes(tmp_path: Path) -> None:
    first, second = _split()
    old = template.read(_written(tmp_path / "old", First=first, Second=second))
    del first["Outputs"]["TheGroup"]
    data = second["Resources"]["Template"]["Properties"]["LaunchTemplateData"]
    data["SecurityGroupIds"] = ["sg-1"]
    new = template.read(_written(tmp_path / "new", First=first, Second=second))
    changes = {change.logical_id: change for change in compare(old, new)}
    assert changes["Compute"].effect is Effect.NODES_REPLACED
    assert any("export 'TheGroup'" in m for m in _messages(changes["Compute"]))


@pytest.mark.parametrize("metadata", [{}, {"aws:asset:path": "Inner.nested.template.json"}])
def test_what_a_nested_stack_is_passed_is_followed(
    metadata: dict[str, str], tmp_path: Path
) -> None:
    first, second = _split()
    names = [output["Export"]["Name"] for output in first["Outputs"].values()]
    inner = json.loads(json.dumps(second).replace("Fn::ImportValue", "Ref"))
    inner["Parameters"] |= {name: {"Type": "String"} for name in names}
    passed = {name: first["Outputs"][name]["Value"] for name in names}
    inner["Outputs"] = {"QueueId": {"Value": _get("Queue", "Id")}}
    first["Resources"]["Inner"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"Parameters": {**passed, "Image": {"Ref": "Image"}}},
        "Metadata": metadata,
    }
    folders = []
    for size in ("SMALL", "MEDIUM"):
        folder = tmp_path / size
        outer = _changed("Cluster", "Size", to=size, base=first)
        folders.append(_written(folder, **{"Outer": outer, "Inner.nested": inner}))
    old, new = map(template.read, folders)
    assert {c.logical_id: c.effect for c in compare(old, new)} == _EVERYTHING_LOST
    found = new[1].reference(_get("Inner", "Outputs.QueueId"))
    assert found is not None
    assert found.resource.logical_id == "Queue"


def test_a_stack_that_is_not_among_the_new_ones_stays_until_somebody_deletes_it(
    tmp_path: Path,
) -> None:
    old = template.read(_written(tmp_path / "old", A=_BASE, B=_BASE))
    new = template.read(_written(tmp_path / "new", A=_BASE))
    found = compare(old, new)
    assert {change.effect for change in found} == {Effect.NOTHING}
    assert all(
        ("deploying leaves its stack" in "".join(c.notes)) == (c.template == "B") for c in found
    )
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 0


def test_a_nested_stack_goes_with_the_resource_that_makes_it(tmp_path: Path) -> None:
    stack = {"Type": "AWS::CloudFormation::Stack"}
    outer = {"Resources": {"Inner": stack, "Topic": {"Type": "AWS::SNS::Topic"}}}
    inner = {"Resources": _BASE["Resources"]}
    old = template.read(_written(tmp_path / "old", **{"Outer": outer, "Inner.nested": inner}))
    del outer["Resources"]["Inner"]
    new = template.read(_written(tmp_path / "new", Outer=outer))
    assert {c.logical_id: c.effect for c in compare(old, new)} == _EVERYTHING_LOST


def test_fewer_stacks_on_one_side_replace_nothing(tmp_path: Path) -> None:
    first, second = _split()
    networked = json.loads(json.dumps(second))
    networked["Resources"]["Compute"]["Properties"]["SubnetIds"] = [
        {"Fn::ImportValue": "TheSubnet"},
        "subnet-1",
    ]
    both = template.read(_written(tmp_path / "both", First=first, Second=networked))
    one = template.read(_written(tmp_path / "one", Second=networked))
    for old, new in ((both, one), (one, both)):
        effects = {c.logical_id: c.effect for c in compare(old, new) if c.template == "Second"}
        assert set(effects.values()) == {Effect.NOTHING}
    assert len({change.cluster for change in compare(both, one)}) == 1
    networked["Resources"]["Compute"]["Properties"]["SubnetIds"].pop()
    fewer = template.read(_written(tmp_path / "fewer", Second=networked))
    (reason,) = next(c for c in compare(both, fewer) if c.logical_id == "Compute").reasons
    assert str(reason) == "SubnetIds[1]: 'subnet-1' -> nothing"


def test_fewer_stacks_around_a_nested_one_replace_nothing(tmp_path: Path) -> None:
    passed = {"ClusterId": _get("Cluster", "Id")}
    outer = deepcopy(_BASE)
    outer["Resources"]["Inner"] = _resource("AWS::CloudFormation::Stack", Parameters=passed)
    queue = _resource(QUEUE, Name="two", ClusterId={"Ref": "ClusterId"})
    inner = {"Parameters": {"ClusterId": {"Type": "String"}}, "Resources": {"Two": queue}}
    folder = _written(tmp_path / "both", **{"Outer": outer, "Inner.nested": inner})
    both, one = template.read(folder), template.read(folder / "Inner.nested.template.json")
    for old, new in ((both, one), (one, both)):
        effects = {c.logical_id: c.effect for c in compare(old, new)}
        assert effects["Two"] is Effect.NOTHING


def test_clusters_of_several_stacks_are_noted(tmp_path: Path) -> None:
    old = template.read(_written(tmp_path / "old", A=_BASE))
    other = _changed("Cluster", "Name", to="other")
    new = template.read(_written(tmp_path / "new", A=_BASE, B=_BASE, C=other))
    notes = {c.template: c.notes for c in compare(old, new) if c.type == CLUSTER}
    assert notes["A"] == ()
    assert any("C makes a cluster too" in note for note in notes["B"])
    assert any("name 'hpc' is that of a cluster in A" in note for note in notes["B"])
    assert not any("'other'" in note for note in notes["C"])


# The command.


def _pair(tmp_path: Path, new: dict[str, Any], old: dict[str, Any] = _BASE) -> list[str]:
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, content in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(content), encoding="utf-8")
    return ["diff", *map(str, paths)]


@pytest.mark.parametrize(
    ("path", "to", "worst"),
    [
        (("Cluster", "Tags"), {"a": "b"}, "in-place"),
        (("Compute", "PurchaseOption"), "SPOT", "nodes-replaced"),
        (("Login", "PurchaseOption"), "SPOT", "sessions-end"),
        (("Compute", "ScalingConfiguration", "MaxInstanceCount"), 1, "jobs-fail"),
        (("Queue", "Name"), "other", "replaced"),
        (("Cluster", "SlurmConfiguration"), {"Accounting": {"Mode": "NONE"}}, "records-lost"),
        (("Queue",), None, "removed"),
        (("Cluster", "Name"), "other", "lost"),
        (("Cluster", "Scheduler", "Version"), "24.11", "refused"),
    ],
)
def test_the_exit_status_is_that_of_the_worst(
    path: tuple[str, ...], to: Any, worst: str, tmp_path: Path
) -> None:
    old = _BASE
    if worst == "records-lost":
        old = _changed("Cluster", "SlurmConfiguration", to={"Accounting": {"Mode": "STANDARD"}})
    words = [*(effect.word for effect in Effect if effect >= Effect.IN_PLACE), "refused"]
    called = _pair(tmp_path, _changed(*path, to=to), old)
    place = words.index(worst)
    for word in words[max(place - 1, 0) : place + 2]:  # itself and its neighbours
        fails = worst == "refused" or words.index(word) <= place
        assert main([*called, "--fail-on", word]) == int(fails)
    by_default = place >= words.index("replaced")
    assert main(called) == int(by_default)


def test_the_table_says_what_happens_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = _changed("Compute", "InstanceConfigs", to=[{"InstanceType": "c7a.xlarge"}])
    new["Resources"]["Compute"]["Metadata"] = {"aws:cdk:path": "Hpc/Cluster/compute/Resource"}
    assert main(_pair(tmp_path, new)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "cluster hpc in new.json",
        "  cluster Cluster (hpc)       nothing",
        "  node group Login (login)    nothing",
        "  node group Cluster/compute  REPLACED",
        "      InstanceConfigs[0].InstanceType: 'c7i.xlarge' -> 'c7a.xlarge'",
        "      note: its jobs are cancelled and what people run on its nodes ends",
        "      REFUSED: the name 'compute' is taken: CloudFormation makes the new node group "
        "before it deletes the old one",
        "          fix: give it another name in the same deployment, or no name= at all: then it "
        "gets one that changes with what replaces it",
        "  queue Queue (batch)         updated in place",
        "      ComputeNodeGroupConfigurations[0]: node group Cluster/compute is replaced",
        "      note: running jobs stay; new ones may not be accepted while it is updated",
        "",
        "1 cluster, 2 node groups, 1 queue: 1 would be REFUSED, 1 replaced, 1 updated in place",
    ]


def test_scripts_get_every_fact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([*_pair(tmp_path, _changed("Cluster", "Size", to="LARGE")), "--json"])
    found = {one["logicalId"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["Cluster"]["effect"] == "lost"
    assert found["Cluster"]["reasons"] == [
        {"path": "Size", "before": "'SMALL'", "after": "'LARGE'", "because": None, "effect": "lost"}
    ]
    assert found["Cluster"]["refusals"][0]["fix"]


def test_templates_without_pcs_have_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text('{"Resources": {}}', encoding="utf-8")
    assert main(["diff", str(empty), str(empty)]) == 0
    assert "no cluster" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [None, "no JSON", "[]", "{}", '{"Resources": []}', '{"Resources": {"A": 1}}']
)
def test_fails_when_a_file_is_no_template(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.json"
    if content is not None:
        old.write_text(content, encoding="utf-8")
    assert main(["diff", str(old), str(old)]) == 2
    assert str(old) in capsys.readouterr().err
