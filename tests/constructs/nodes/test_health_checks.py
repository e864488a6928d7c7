"""What AWS PCS checks of instances, a property that the CDK does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_pcs as cfn

import pcs_constructs as pcs
from tests.constructs.templates import existing_vpc, only, refused, template

if TYPE_CHECKING:
    from collections.abc import Callable


def _nodes(stack: cdk.Stack, checks: pcs.HealthChecks, type_: str = "g5.4xlarge") -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack), slurm=pcs.SlurmVersion.V26_05)
    cluster.add_compute_node_group(
        "nodes",
        instance_types=[type_],
        scaling=pcs.Scaling.dynamic(max=2),
        health_checks=checks,
    )


def _preview() -> cdk.Stack:
    return cdk.Stack(cdk.App(context={"pcs-constructs:preview": True}), "Stack")


@pytest.mark.parametrize(
    ("checks", "written"),
    [
        (pcs.HealthChecks(monitoring=True), {"HealthMonitoring": {"Mode": "STANDARD"}}),
        (
            pcs.HealthChecks(
                monitoring=True,
                repair=pcs.RepairAction.ISOLATE,
                on_start=pcs.DeepHealthCheck.LONG,
                on_start_repair=pcs.RepairAction.REPLACE,
            ),
            {
                "HealthMonitoring": {"Mode": "STANDARD", "RepairAction": "ISOLATE"},
                "DeepHealthChecks": {"OnStart": {"Profile": "LONG", "RepairAction": "REPLACE"}},
            },
        ),
    ],
)
def test_health_checks_are_written_as_the_api_has_them(
    checks: pcs.HealthChecks, written: dict[str, Any]
) -> None:
    stack = _preview()
    _nodes(stack, checks)
    assert only(template(stack), "AWS::PCS::ComputeNodeGroup")["InstanceHealthChecks"] == written


@pytest.mark.parametrize(
    ("code", "checks", "type_"),
    [
        ("PCS226", pcs.HealthChecks, "g5.4xlarge"),
        ("PCS227", lambda: pcs.HealthChecks(monitoring=True, on_start_repair=_AUTO), "g5.4xlarge"),
        ("PCS229", lambda: pcs.HealthChecks(on_start=pcs.DeepHealthCheck.QUICK), "c7i.4xlarge"),
    ],
)
def test_fails_on_checks_that_cannot_be_made(
    code: str, checks: Callable[[], pcs.HealthChecks], type_: str
) -> None:
    stack = _preview()
    cluster = pcs.Cluster(stack, "Cluster", vpc=existing_vpc(stack), slurm=pcs.SlurmVersion.V26_05)
    with refused(stack, code):
        cluster.add_compute_node_group(
            "nodes",
            instance_types=[type_],
            scaling=pcs.Scaling.dynamic(max=2),
            health_checks=checks(),
        )


_AUTO = pcs.RepairAction.AUTO


def test_fails_where_nobody_asked_for_what_the_cdk_lacks(stack: cdk.Stack) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        _nodes(stack, pcs.HealthChecks(monitoring=True))
    assert [problem.code for problem in error.value.problems] == ["PCS233"]


def test_the_cdk_still_lacks_what_is_written_by_an_override() -> None:
    """Where this fails, write `instance_health_checks` into the L1 and drop the context."""
    assert not hasattr(cfn.CfnComputeNodeGroup, "instance_health_checks")
    assert not hasattr(cfn.CfnComputeNodeGroup, "InstanceHealthChecksProperty")
