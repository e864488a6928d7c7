"""Slurm parameters by arguments of their own, in all three resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import pcs_constructs as pcs
from tests.constructs.templates import advised, only, refused, refused_at_synth, template

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

CLUSTER = "AWS::PCS::Cluster"
GROUP = "AWS::PCS::ComputeNodeGroup"
QUEUE = "AWS::PCS::Queue"


def settings(made: Template, kind: str) -> dict[str, str]:
    """The parameters of the one resource of a type, each said once."""
    items = only(made, kind)["SlurmConfiguration"]["SlurmCustomSettings"]
    found = {item["ParameterName"]: item["ParameterValue"] for item in items}
    assert len(found) == len(items)
    return found


def cluster(stack: cdk.Stack, vpc: ec2.IVpc, **arguments: Any) -> pcs.Cluster:
    return pcs.Cluster(stack, "Cluster", vpc=vpc, **arguments)


def nodes(of: pcs.Cluster, id: str = "compute", **arguments: Any) -> pcs.ComputeNodeGroup:
    defaults = {"instance_types": ["c7i.4xlarge"], "scaling": pcs.Scaling.dynamic(max=4)}
    return of.add_compute_node_group(id, **{**defaults, **arguments})


def _case(value: Any) -> str:
    """A name that is the same in every process."""
    return ", ".join(value)


MINUTES = cdk.Duration.minutes
ENFORCE = pcs.AccountingEnforcement


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"memory_aware": True}, {"SelectTypeParameters": "CR_CPU_Memory"}),
        ({"default_memory_per_cpu": cdk.Size.gibibytes(2)}, {"DefMemPerCPU": "2048"}),
        (
            {"prolog": "/shared/prolog.sh", "epilog": "/shared/epilog.sh"},
            {"Prolog": "/shared/prolog.sh", "Epilog": "/shared/epilog.sh"},
        ),
        ({"licenses": {"ansys": 25, "matlab": 5}}, {"Licenses": "ansys:25,matlab:5"}),
        (
            {"preemption": pcs.Preemption.by_queue()},
            {"PreemptType": "preempt/partition_prio", "PreemptMode": "REQUEUE"},
        ),
        (
            {"preemption": pcs.Preemption.by_queue(mode=pcs.PreemptMode.SUSPEND)},
            {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"},
        ),
        (
            {
                "accounting": pcs.Accounting(),
                "preemption": pcs.Preemption.by_qos(
                    mode=pcs.PreemptMode.CANCEL, exempt_time=cdk.Duration.hours(36)
                ),
            },
            {
                "PreemptType": "preempt/qos",
                "PreemptMode": "CANCEL",
                "PreemptExemptTime": "1-12:00:00",
            },
        ),
        (
            {"accounting": pcs.Accounting(enforce=[ENFORCE.LIMITS, ENFORCE.SAFE])},
            {"AccountingStorageEnforce": "limits,safe"},
        ),
        (
            {"prolog": "/p", "slurm_settings": {"SchedulerParameters": "bf_continue"}},
            {"Prolog": "/p", "SchedulerParameters": "bf_continue"},
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_cluster_says_them(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], expected: dict[str, str]
) -> None:
    made = cluster(stack, vpc, **arguments)
    assert settings(template(stack), CLUSTER) == made.slurm_settings == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"weight": 0}, {"Weight": "0"}),
        ({"features": ["avx512", "local"]}, {"Features": "avx512,local"}),
        ({"real_memory": cdk.Size.gibibytes(30)}, {"RealMemory": "30720"}),
        (
            {"weight": 5, "slurm_settings": {"MemSpecLimit": "9"}},
            {"Weight": "5", "MemSpecLimit": "9"},
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_node_group_says_them(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], expected: dict[str, str]
) -> None:
    nodes(cluster(stack, vpc), **arguments)
    assert settings(template(stack), GROUP) == expected


def test_the_memory_that_is_said_takes_the_place_of_the_catalogues(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    nodes(cluster(stack, vpc, memory_aware=True), real_memory=cdk.Size.mebibytes(1000))
    assert settings(template(stack), GROUP) == {"RealMemory": "1000"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"default": True}, {"Default": "YES"}),
        ({"max_time": cdk.Duration.days(2)}, {"MaxTime": "2-00:00:00"}),
        (
            {"max_time": MINUTES(90), "default_time": cdk.Duration.seconds(61)},
            {"MaxTime": "01:30:00", "DefaultTime": "00:01:01"},
        ),
        (
            {"priority_tier": 10, "priority_job_factor": 0},
            {"PriorityTier": "10", "PriorityJobFactor": "0"},
        ),
        (
            {"preempt_mode": pcs.PreemptMode.OFF, "grace_time": MINUTES(5)},
            {"PreemptMode": "OFF", "GraceTime": "300"},
        ),
        ({"allow_accounts": ["a", "b"]}, {"AllowAccounts": "a,b"}),
        ({"deny_accounts": ["c"]}, {"DenyAccounts": "c"}),
        ({"allow_qos": ["high"], "qos": "limits"}, {"AllowQoS": "high", "QOS": "limits"}),
        ({"deny_qos": ["high", "limits"]}, {"DenyQoS": "high,limits"}),
        (
            {"max_time": MINUTES(1), "slurm_settings": {"OverSubscribe": "EXCLUSIVE"}},
            {"MaxTime": "00:01:00", "OverSubscribe": "EXCLUSIVE"},
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_queue_says_them(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], expected: dict[str, str]
) -> None:
    accounting = pcs.Accounting(qos=["high", "limits"])
    of = cluster(stack, vpc, accounting=accounting, preemption=pcs.Preemption.by_queue())
    of.add_queue("jobs", node_groups=[nodes(of)], **arguments)
    assert settings(template(stack), QUEUE) == expected


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"memory_aware": True, "slurm_settings": {"SelectTypeParameters": "CR_CPU"}}, ["PCS808"]),
        ({"prolog": "/a", "slurm_settings": {"prolog": "/b"}}, ["PCS808"]),
        ({"prolog": "bin/prolog"}, ["PCS814"]),
        ({"prolog": 3}, ["PCS003"]),
        ({"epilog": ""}, ["PCS838"]),
        ({"epilog": "/a\nFoo=bar"}, ["PCS838"]),
        ({"accounting": pcs.Accounting(qos=["a,b"])}, ["PCS004"]),
        ({"accounting": pcs.Accounting(qos=cdk.Token.as_list({"Ref": "Qos"}))}, ["PCS001"]),
        ({"slurm_settings": {"PreemptType": "preempt/qos"}}, ["PCS836"]),
        ({"preemption": pcs.Preemption.by_queue(mode=pcs.PreemptMode.OFF)}, ["PCS836"]),
        ({"licenses": {"ansys": -1}}, ["PCS834"]),
        ({"licenses": {"an sys": 3}}, ["PCS834"]),
        ({"licenses": {"ansys": "three"}}, ["PCS003"]),
        ({"licenses": {"ansys": cdk.Token.as_number({"Ref": "Ansys"})}}, ["PCS002"]),
        ({"default_memory_per_cpu": cdk.Size.kibibytes(1)}, ["PCS002"]),
        ({"preemption": "REQUEUE"}, ["PCS003"]),
        (
            {"preemption": pcs.Preemption.by_queue(), "slurm_settings": {"PreemptMode": "CANCEL"}},
            ["PCS808"],
        ),
        (
            {
                "accounting": pcs.Accounting(enforce=[ENFORCE.QOS]),
                "slurm_settings": {"AccountingStorageEnforce": "limits"},
            },
            ["PCS808"],
        ),
        ({"rest_api_from": [ec2.Peer.ipv4("10.0.0.0/8")]}, ["PCS117"]),
        ({"rest_api": True, "rest_api_from": ["10.0.0.0/8"]}, ["PCS413"]),
        ({"network_type": "IPV6"}, ["PCS003"]),
        ({"slurm": pcs.SlurmVersion.of("24.05")}, ["PCS105"]),
    ],
    ids=_case,
)
def test_fails_on_what_a_cluster_cannot_say(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], codes: list[str]
) -> None:
    with refused(stack, *codes):
        cluster(stack, vpc, **arguments)


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"weight": 1, "slurm_settings": {"Weight": "2"}}, ["PCS808"]),
        ({"weight": -1}, ["PCS815"]),
        ({"weight": "1"}, ["PCS003"]),
        ({"weight": cdk.Token.as_number({"Ref": "Weight"})}, ["PCS002"]),
        ({"features": "avx512"}, ["PCS001"]),
        ({"features": ["a b"]}, ["PCS004"]),
        ({"features": ["a", "#b", ""]}, ["PCS004"]),
        ({"features": ["a\nNodeName=x"]}, ["PCS004"]),
        ({"weight": 5_000_000_000}, ["PCS837"]),
        ({"real_memory": cdk.Size.tebibytes(1)}, ["PCS801"]),
    ],
    ids=_case,
)
def test_fails_on_what_a_node_group_cannot_say(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], codes: list[str]
) -> None:
    of = cluster(stack, vpc, memory_aware=True)
    with refused(stack, *codes):
        nodes(of, **arguments)


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"max_time": MINUTES(1), "slurm_settings": {"MaxTime": "1"}}, ["PCS808"]),
        ({"default": True, "slurm_settings": {"Default": "NO"}}, ["PCS808"]),
        ({"max_time": MINUTES(1), "default_time": MINUTES(2)}, ["PCS832"]),
        ({"max_time": cdk.Duration.millis(1)}, ["PCS002"]),
        ({"priority_tier": -1}, ["PCS815"]),
        ({"priority_tier": 65_534}, ["PCS837"]),
        ({"preempt_mode": "REQUEUE"}, ["PCS003"]),
        ({"allow_accounts": "a"}, ["PCS001"]),
        ({"allow_accounts": ["a,b"]}, ["PCS004"]),
        ({"qos": "a,b"}, ["PCS004"]),
        ({"qos": 3}, ["PCS003"]),
        ({"max_time": cdk.Duration.seconds(0)}, ["PCS841"]),
        ({"allow_accounts": ["a"], "deny_accounts": ["b"]}, ["PCS830"]),
        ({"allow_qos": ["low"]}, ["PCS831"]),
        ({"qos": "low", "allow_qos": ["high", "lower"]}, ["PCS831"]),
    ],
    ids=_case,
)
def test_fails_on_what_a_queue_cannot_say(
    stack: cdk.Stack, vpc: ec2.IVpc, arguments: dict[str, Any], codes: list[str]
) -> None:
    of = cluster(stack, vpc, accounting=pcs.Accounting(qos=["high"]))
    group = nodes(of)
    with refused(stack, *codes):
        of.add_queue("jobs", node_groups=[group], **arguments)


def test_a_qos_that_is_a_token_may_be_any(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    token = cdk.CfnParameter(stack, "Qos").value_as_string
    of = cluster(stack, vpc, accounting=pcs.Accounting(qos=[token]))
    of.add_queue("jobs", node_groups=[nodes(of)], qos="high")
    assert advised(stack) == {"PCS821"}


@pytest.mark.parametrize("select", ["CR_CPU_MEMORY", "cr_cpu_memory"])
def test_memory_is_scheduled_in_any_letters(stack: cdk.Stack, vpc: ec2.IVpc, select: str) -> None:
    nodes(cluster(stack, vpc, slurm_settings={"SelectTypeParameters": select}))
    assert settings(template(stack), GROUP) == {"RealMemory": "31129"}


@pytest.mark.parametrize(
    "value", [pcs.PreemptMode.SUSPEND, pcs.PreemptMode.REQUEUE], ids=lambda mode: mode.value
)
def test_fails_at_synth_on_a_queue_that_suspends_without_the_gang_scheduler(
    value: pcs.PreemptMode,
) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Stack")
    of = cluster(stack, ec2.Vpc(stack, "Vpc"), preemption=pcs.Preemption.by_queue())
    group = nodes(of)
    of.add_queue("low", node_groups=[group], preempt_mode=value)
    of.add_queue("high", node_groups=[group], priority_tier=10)
    if value is pcs.PreemptMode.SUSPEND:
        assert refused_at_synth(app) == {"PCS843"}
    else:
        app.synth()


def test_the_message_names_the_argument(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    of = cluster(stack, vpc)
    group = nodes(of)
    with pytest.raises(pcs.PcsValidationError) as error:
        of.add_queue("jobs", node_groups=[group], qos="high")
    (problem,) = error.value.problems
    assert (problem.code, problem.argument) == ("PCS810", "qos")


def test_preemption_between_queues_of_one_tier_is_advised_on(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    of = cluster(stack, vpc, preemption=pcs.Preemption.by_queue())
    group = nodes(of)
    for name in ("one", "two"):
        of.add_queue(name, node_groups=[group])
    assert advised(stack) == {"PCS833"}


def test_preemption_between_queues_of_two_tiers_is_right(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    of = cluster(stack, vpc, preemption=pcs.Preemption.by_queue())
    group = nodes(of)
    of.add_queue("low", node_groups=[group])
    of.add_queue("high", node_groups=[group], priority_tier=10)
    assert advised(stack) == set()


def test_a_qos_that_nobody_has_declared_is_advised_on(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    of = cluster(stack, vpc, accounting=pcs.Accounting())
    of.add_queue("jobs", node_groups=[nodes(of)], qos="high")
    assert advised(stack) == {"PCS821"}


# Versions.


@pytest.mark.parametrize(
    ("today", "version", "codes"),
    [
        ("2025-10-01", pcs.SlurmVersion.of("24.11"), set()),
        ("2026-05-01", pcs.SlurmVersion.of("24.11"), {"PCS106"}),
        ("2026-12-01", pcs.SlurmVersion.V25_05, {"PCS106"}),
        ("2030-01-01", pcs.SlurmVersion.V25_11, set()),
        (None, pcs.SlurmVersion.of("24.11", past_end_of_life=True), {"PCS106"}),
        (None, pcs.SlurmVersion.of("24.05", past_end_of_life=True), {"PCS106"}),
    ],
)
def test_the_end_of_a_version_is_judged_by_the_day_that_the_context_gives(
    today: str | None, version: pcs.SlurmVersion, codes: set[str]
) -> None:
    app = cdk.App(context={"pcs-constructs:today": today} if today else {})
    stack = cdk.Stack(app, "Stack")
    cluster(stack, ec2.Vpc(stack, "Vpc"), slurm=version)
    assert advised(stack) == codes


def test_fails_on_a_day_of_the_context_that_is_none() -> None:
    app = cdk.App(context={"pcs-constructs:today": "soon"})
    stack = cdk.Stack(app, "Stack")
    vpc = ec2.Vpc(stack, "Vpc")
    with refused(stack, "PCS116"):
        cluster(stack, vpc, slurm=pcs.SlurmVersion.V25_05)
