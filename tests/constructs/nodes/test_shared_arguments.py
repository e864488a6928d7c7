"""Every argument of a node group, whichever way it is given, arrives in the template.

`ComputeNodeGroup`, the options of the two methods that make one, and `NodeLaunchTemplate` say
mostly the same arguments. Which they are is read from the signatures; `ROWS` says of each what is
to be seen of it. An argument that nobody passes on, or that has no row, fails here.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

import pcs_constructs as pcs
from tests.constructs.templates import PRIVATE, existing_group, existing_vpc

# It has EFA, with one network card; others have more.
TYPE = "c7i.48xlarge"
MANY_CARDS = "p5.48xlarge"
RESERVATION = "arn:aws:resource-groups:eu-west-1:111122223333:group/marked"
PROFILE = "arn:aws:iam::111122223333:instance-profile/AWSPCS-marked"
TEMPLATE = {"launch_template_id": "lt-0fedcba9876543210", "version": "3"}

# Why an argument is legal beside a launch template of the user's own.
OF_THE_GROUP = "it is a property of the node group, not of the launch template"
COMPARED = "AWS PCS wants it in both, so it is compared with the launch template's"
NOT_BY_TEMPLATE = "the scripts and their policy are a property of the node group"

Values = Callable[[Construct], Mapping[str, Any]]


def nothing(_: Construct) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is to be seen of an argument."""

    value: Callable[[Construct], Any]
    """Makes a value that is not the default in a scope."""

    marker: str
    """What the template has with the value, and has not without it."""

    also: Values = nothing
    """What it needs beside it, with the value and without."""

    beside_template: str | None = None
    """Why it is legal beside `launch_template`; without a reason it is refused."""

    markers: Mapping[str, str] = field(default_factory=dict)
    """Other markers, by the way it is given."""


def says(value: Any, marker: str, **others: Any) -> Row:
    """The row of a value that needs no scope."""
    return Row(value=lambda _: value, marker=marker, **others)


def home(scope: Construct) -> dict[str, Any]:
    vpc = existing_vpc(scope, "HomeVpc")
    return {"mounts": {"/home": pcs.EfsStorage(scope, "Home", vpc=vpc)}}


BY_URL = pcs.LifecycleAction(
    name="Marked", script=pcs.LifecycleScript.from_url("https://example.com/marked.sh")
)

ROWS = {
    "instance_types": says(
        [MANY_CARDS],
        f'"InstanceType": "{MANY_CARDS}"',
        markers={"NodeLaunchTemplate": '"NetworkCardIndex": 31'},
        also=lambda _: {"efa": True},
        beside_template=COMPARED,
    ),
    "instance_type": says("c6i.8xlarge", '"InstanceType": "c6i.8xlarge"'),
    "count": says(17, '"MinInstanceCount": 17'),
    "scaling": says(
        pcs.Scaling.dynamic(max=17), '"MaxInstanceCount": 17', beside_template=OF_THE_GROUP
    ),
    "name": says("marked-name", '"Name": "marked-name"', beside_template=OF_THE_GROUP),
    "subnets": Row(
        value=lambda scope: [existing_vpc(scope, "SubnetVpc").private_subnets[1]],
        marker=PRIVATE[1],
        beside_template=COMPARED,
    ),
    "subnet": Row(
        value=lambda scope: existing_vpc(scope, "SubnetVpc").private_subnets[1], marker=PRIVATE[1]
    ),
    "efa": says(True, '"InterfaceType": "efa"'),
    "efa_only": says(
        True,
        '"InterfaceType": "efa-only"',
        also=lambda _: {"efa": True, "instance_types": [MANY_CARDS]},
    ),
    "placement_group": Row(
        value=lambda scope: ec2.PlacementGroup.from_placement_group_name(scope, "Near", "marked"),
        marker='"GroupName": "marked"',
    ),
    "capacity": says(pcs.Capacity.reserved(RESERVATION), RESERVATION, beside_template=COMPARED),
    "image": says(
        ec2.MachineImage.from_ssm_parameter("/marked/image"),
        "/marked/image",
        beside_template=OF_THE_GROUP,
    ),
    "mounts": says(
        {"/marked": pcs.NfsStorage(host="10.99.0.7", export="/export")}, "10.99.0.7:/export"
    ),
    "mount_scripts": says(pcs.MountScripts.pinned("1.0.0"), '"NodeLifecycleActions"', also=home),
    "lifecycle_actions": says(
        [BY_URL], "https://example.com/marked.sh", beside_template=NOT_BY_TEMPLATE
    ),
    "script_caching_policy": says(
        pcs.ScriptCachingPolicy.REFRESH_ON_REBOOT,
        '"ScriptCachingPolicy": "REFRESH_ON_REBOOT"',
        also=lambda _: {"lifecycle_actions": [BY_URL]},
        beside_template=NOT_BY_TEMPLATE,
    ),
    "user_data": says([pcs.UserDataPart.shell_script("#!/bin/sh\necho marked")], "echo marked"),
    "security_groups": Row(
        value=lambda scope: [existing_group(scope, "Marked", digit=9)],
        marker='"sg-00000000000000009"',
    ),
    "instance_profile": Row(
        value=lambda scope: pcs.NodeInstanceProfile.from_instance_profile_arn(
            scope, "Marked", PROFILE
        ),
        marker=PROFILE,
        beside_template=OF_THE_GROUP,
    ),
    "ssh_from": says([ec2.Peer.ipv4("203.0.113.77/32")], "203.0.113.77/32"),
    "key_pair": Row(
        value=lambda scope: ec2.KeyPair.from_key_pair_name(scope, "Key", "marked"),
        marker='"KeyName": "marked"',
    ),
    "root_volume": says(ec2.BlockDeviceVolume.ebs(123), '"VolumeSize": 123'),
    "root_device_name": says(
        "/dev/xvdq",
        '"DeviceName": "/dev/xvdq"',
        also=lambda _: {"root_volume": ec2.BlockDeviceVolume.ebs(100)},
    ),
    "detailed_monitoring": says(True, '"Monitoring": {"Enabled": true}'),
    "instance_tags": says({"Project": "marked"}, '{"Key": "Project", "Value": "marked"}'),
    "http_put_response_hop_limit": says(7, '"HttpPutResponseHopLimit": 7'),
    "instance_metadata_tags": says(True, '"InstanceMetadataTags": "enabled"'),
    "launch_template": Row(
        value=lambda scope: pcs.NodeLaunchTemplate.from_launch_template_attributes(
            scope, "Marked", **TEMPLATE
        ),
        marker=TEMPLATE["launch_template_id"],
        beside_template="it is the launch template",
    ),
    "scale_down_idle_time": says(
        cdk.Duration.seconds(777),
        '"ScaleDownIdleTimeInSeconds": 777',
        beside_template=OF_THE_GROUP,
    ),
    "real_memory": says(cdk.Size.mebibytes(7777), '"7777"', beside_template=OF_THE_GROUP),
    "weight": says(77, '"77"', beside_template=OF_THE_GROUP),
    "features": says(["marked"], '"marked"', beside_template=OF_THE_GROUP),
    "gpu_type": says(
        "marked",
        "gpu:marked",
        also=lambda _: {"instance_types": [MANY_CARDS]},
        beside_template=OF_THE_GROUP,
    ),
    "gres": says(
        [{"Name": "gpu", "Type": "marked", "File": "/dev/nvidia[0-7]"}],
        "marked",
        also=lambda _: {"instance_types": [MANY_CARDS]},
        beside_template=OF_THE_GROUP,
    ),
    "health_checks": says(
        pcs.HealthChecks(monitoring=True), '"HealthMonitoring"', beside_template=OF_THE_GROUP
    ),
    "slurm_settings": says({"MemSpecLimit": "2048"}, '"2048"', beside_template=OF_THE_GROUP),
    "login": says(True, '"sg-00000000000000003"', beside_template=OF_THE_GROUP),
}


def cluster_in(scope: Construct) -> pcs.Cluster:
    """A cluster with a group for each kind of node, so that it shows which kind a node is."""
    return pcs.Cluster(
        scope,
        "Cluster",
        vpc=existing_vpc(scope),
        slurm=pcs.SlurmVersion.V26_05,
        security_groups=pcs.ClusterSecurityGroups(
            controller=existing_group(scope, "Controller", digit=1),
            compute=existing_group(scope, "Compute", digit=2),
            login=existing_group(scope, "Login", digit=3),
        ),
    )


def add_compute_node_group(scope: Construct, **arguments: Any) -> object:
    given = {"instance_types": [TYPE], "scaling": pcs.Scaling.static(1), **arguments}
    return cluster_in(scope).add_compute_node_group("nodes", **given)


def add_login_nodes(scope: Construct, **arguments: Any) -> object:
    given = {"instance_type": TYPE, **arguments}
    return cluster_in(scope).add_login_nodes("nodes", **given)


def compute_node_group(scope: Construct, **arguments: Any) -> object:
    given = {"instance_types": [TYPE], "scaling": pcs.Scaling.static(1), **arguments}
    return pcs.ComputeNodeGroup(scope, "nodes", cluster=cluster_in(scope), **given)


def launch_template(scope: Construct, **arguments: Any) -> pcs.NodeLaunchTemplate:
    groups = [existing_group(scope, "Nodes", digit=4)]
    given = {"instance_types": [TYPE], "security_groups": groups, **arguments}
    return pcs.NodeLaunchTemplate(scope, "template", **given)


def named_by(function: Callable[..., object]) -> set[str]:
    """The arguments in a signature, but those that say where and how something is called."""
    parameters = inspect.signature(function).parameters.values()
    named = {p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD}
    return named - {"self", "scope", "id", "cluster"}


def options_of(options: type) -> set[str]:
    """The keys of a TypedDict, those that it inherits among them."""
    return set(options.__required_keys__ | options.__optional_keys__)  # type: ignore[attr-defined]


GROUP = named_by(pcs.ComputeNodeGroup.__init__)
WAYS: dict[str, tuple[Callable[..., object], set[str]]] = {
    "ComputeNodeGroup": (compute_node_group, GROUP),
    "add_compute_node_group": (add_compute_node_group, options_of(pcs.ComputeNodeGroupOptions)),
    "add_login_nodes": (
        add_login_nodes,
        named_by(pcs.Cluster.add_login_nodes) | options_of(pcs.LoginNodeOptions),
    ),
    "NodeLaunchTemplate": (launch_template, named_by(pcs.NodeLaunchTemplate.__init__)),
}
CASES = [(way, name) for way, (_, names) in WAYS.items() for name in sorted(names)]


@cache
def rendered(way: str) -> Mapping[tuple[str, bool], str]:
    """The templates with an argument and without it, as text: one stack each, in one app."""
    make, names = WAYS[way]
    app = cdk.App(context={"pcs-constructs:preview": True})
    texts: dict[tuple[str, bool], str] = {}
    stacks: dict[tuple[str, bool], cdk.Stack] = {}
    for n, name in enumerate(sorted(names & set(ROWS))):
        for given in (True, False):
            stack = cdk.Stack(app, f"Stack{n}{given}")
            arguments = {k: v for k, v in ROWS[name].also(stack).items() if k in names}
            if given:
                arguments[name] = ROWS[name].value(stack)
            try:
                make(stack, **arguments)
            except pcs.PcsValidationError as error:  # of this argument alone, not of all others
                texts[name, given] = f"refused: {error}"
            else:
                stacks[name, given] = stack
    made = app.synth()
    for case, stack in stacks.items():
        texts[case] = json.dumps(made.get_stack_by_name(stack.stack_name).template)
    return texts


def test_every_argument_has_a_row_and_every_row_is_of_an_argument() -> None:
    assert set().union(*(names for _, names in WAYS.values())) == set(ROWS)


@pytest.mark.parametrize(("way", "argument"), CASES)
def test_an_argument_reaches_the_template(way: str, argument: str) -> None:
    row = ROWS[argument]
    marker = row.markers.get(way, row.marker)
    with_it, without = rendered(way)[argument, True], rendered(way)[argument, False]
    assert not without.startswith("refused"), without
    # Not `in` in an assert: pytest would compare two whole templates letter by letter.
    assert {"with": marker in with_it, "without": marker in without} == {
        "with": True,
        "without": False,
    }, marker if with_it.startswith("{") else with_it


@pytest.mark.parametrize("imported", [True, False], ids=["imported", "own"])
@pytest.mark.parametrize("argument", sorted(GROUP - {"launch_template"}))
def test_fails_beside_a_launch_template_unless_there_is_a_reason(
    argument: str, imported: bool
) -> None:
    stack = cdk.Stack(cdk.App(context={"pcs-constructs:preview": True}), "Stack")
    row = ROWS[argument]
    given = (
        pcs.NodeLaunchTemplate.from_launch_template_attributes(stack, "Given", **TEMPLATE)
        if imported
        else launch_template(stack)
    )
    # Not what it needs and is refused itself, which would hide whether this one is.
    also = {k: v for k, v in row.also(stack).items() if ROWS[k].beside_template}
    arguments = {**also, argument: row.value(stack), "launch_template": given}
    problems: set[tuple[str, str]] = set()
    try:
        compute_node_group(stack, **arguments)
    except pcs.PcsValidationError as error:
        problems = {(problem.code, problem.argument) for problem in error.problems}
    if row.beside_template is None:
        assert ("PCS218", argument) in problems
    elif row.beside_template is COMPARED and not imported:
        # Nothing to compare with is no difference.
        assert problems <= {("PCS218", argument), ("PCS611", "launch_template")}
    else:
        assert problems == set()


def test_every_argument_of_a_launch_template_is_refused_or_compared_beside_one() -> None:
    reasons = {ROWS[name].beside_template for name in named_by(pcs.NodeLaunchTemplate.__init__)}
    assert reasons == {None, COMPARED}
