"""Snapshots of a volume, taken on a schedule and deleted when they are old."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from pcs_constructs.constructs._cdk.casts import service_principal

_RETRY: Final = [
    {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 60,
        "MaxAttempts": 5,
        "BackoffRate": 2,
    }
]


def take_snapshots(
    volume: Construct,
    *,
    file_system_id: str,
    volume_id: str,
    schedule: scheduler.ScheduleExpression,
    retention_days: int,
) -> None:
    """Take snapshots of an OpenZFS volume on a schedule, and delete each when it is old.

    CloudFormation knows single snapshots only, and FSx no schedule. Each run takes a snapshot,
    waits and deletes the very one: nothing that was not taken here can be deleted.
    """
    scope = Construct(volume, "Snapshots")
    fsx = f"arn:{cdk.Aws.PARTITION}:fsx:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    snapshots = f"{fsx}:snapshot/{volume_id}/*"
    keeper = _role(
        scope,
        "KeeperRole",
        "states.amazonaws.com",
        ("fsx:CreateSnapshot", f"{fsx}:volume/{file_system_id}/{volume_id}"),
        # The tags of the volume are copied.
        ("fsx:CreateSnapshot", snapshots),
        ("fsx:TagResource", snapshots),
        ("fsx:DeleteSnapshot", snapshots),
    )
    machine = stepfunctions.CfnStateMachine(
        scope,
        "Keeper",
        role_arn=keeper.role_arn,
        state_machine_type="STANDARD",
        definition_string=cdk.Stack.of(scope).to_json_string(
            _definition(volume_id, retention_days)
        ),
    )
    starter = _role(
        scope, "StarterRole", "scheduler.amazonaws.com", ("states:StartExecution", machine.ref)
    )
    scheduler.CfnSchedule(
        scope,
        "Resource",
        schedule_expression=schedule.expression_string,
        schedule_expression_timezone=schedule.time_zone.timezone_name
        if schedule.time_zone
        else "UTC",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        state="ENABLED",
        target=scheduler.CfnSchedule.TargetProperty(
            arn=machine.ref, role_arn=starter.role_arn, input="{}"
        ),
    )


def _definition(volume_id: str, retention_days: int) -> dict[str, Any]:
    fsx = f"arn:{cdk.Aws.PARTITION}:states:::aws-sdk:fsx"
    return {
        "StartAt": "Take",
        "States": {
            "Take": {
                "Type": "Task",
                "Resource": f"{fsx}:createSnapshot",
                "Parameters": {
                    # As users see it in .zfs/snapshot: pcs-2026-01-31T02:00:00.123Z
                    "Name.$": "States.Format('pcs-{}', $$.Execution.StartTime)",
                    "VolumeId": volume_id,
                },
                "ResultSelector": {"SnapshotId.$": "$.Snapshot.SnapshotId"},
                "Retry": _RETRY,
                "Next": "Keep",
            },
            "Keep": {"Type": "Wait", "Seconds": retention_days * 86_400, "Next": "Delete"},
            "Delete": {
                "Type": "Task",
                "Resource": f"{fsx}:deleteSnapshot",
                "Parameters": {"SnapshotId.$": "$.SnapshotId"},
                # Somebody has deleted it, or restored the volume to an earlier one.
                "Catch": [{"ErrorEquals": ["FSx.SnapshotNotFoundException"], "Next": "Gone"}],
                "Retry": _RETRY,
                "Next": "Gone",
            },
            "Gone": {"Type": "Succeed"},
        },
    }


def _role(scope: Construct, id: str, service: str, *allowed: tuple[str, str]) -> iam.Role:
    """A role of a service that may do this to that, and nothing else."""
    return iam.Role(
        scope,
        id,
        assumed_by=service_principal(service),
        inline_policies={
            "Snapshots": iam.PolicyDocument(
                minimize=False,
                statements=[
                    iam.PolicyStatement(actions=[action], resources=[resource])
                    for action, resource in allowed
                ],
            )
        },
    )
