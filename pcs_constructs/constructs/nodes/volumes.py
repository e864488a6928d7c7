"""The volumes of nodes and the keys that encrypt them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from pcs_constructs.constructs._cdk.casts import anybody

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def volume_type(volume: ec2.EbsDeviceProps) -> str:
    """The type of a volume in EC2's words: gp3 unless it says another."""
    return volume.volume_type.name.lower() if volume.volume_type else "gp3"


def allow_pcs_to_use(key: kms.IKey) -> None:
    """Let AWS PCS launch instances whose volumes are encrypted with a key that is made here.

    The principal is said in a condition: key policies cannot name a role that is not there, and AWS
    PCS makes its service-linked role only with the first cluster of the account.
    """
    stack = cdk.Stack.of(key)
    role = f"arn:{stack.partition}:iam::{stack.account}:role/aws-service-role/" + (
        "pcs.amazonaws.com/AWSServiceRoleForPCS"
    )
    is_pcs = {
        "StringEquals": {"kms:CallerAccount": stack.account},
        "ArnEquals": {"aws:PrincipalArn": role},
    }
    for actions, conditions in (
        ("Decrypt DescribeKey Encrypt GenerateDataKey* ReEncrypt*", is_pcs),
        ("CreateGrant", {**is_pcs, "Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ):
        statement = iam.PolicyStatement(
            actions=[f"kms:{action}" for action in actions.split()],
            resources=["*"],
            principals=[anybody()],
            conditions=conditions,
        )
        key.add_to_resource_policy(statement, True)
