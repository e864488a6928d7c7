"""The secrets that AWS PCS makes for a cluster, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from pcs_constructs.constructs._cdk.arguments import Arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


def grant_secret_read(scope: Construct, cluster_id: str, grantee: iam.IGrantable) -> iam.Grant:
    """Let somebody read the cluster's secret, which Slurm clients of one's own need.

    CloudFormation does not tell its ARN; the name is in the user guide.
    """
    # Secrets Manager puts a hyphen and six characters after the name.
    return _grant(scope, grantee, f"pcs!slurm-secret-{cluster_id}-??????", None)


def grant_jwt_key_read(scope: Construct, cluster_id: str, grantee: iam.IGrantable) -> iam.Grant:
    """Let somebody read the key of the Slurm REST API.

    What it is called is not said, so this goes by the tag that the cluster's secrets have.
    """
    tagged = {"StringEquals": {"aws:ResourceTag/aws:pcs:cluster-id": cluster_id}}
    return _grant(scope, grantee, "pcs!*", tagged)


def _grant(
    scope: Construct,
    grantee: iam.IGrantable,
    name: str,
    conditions: Mapping[str, Mapping[str, str]] | None,
) -> iam.Grant:
    given = Arguments(_grant, locals())
    given.refuse(scope.node.path)
    arn = cdk.Stack.of(scope).format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        resource_arns=[arn],
        conditions=conditions,
    )
