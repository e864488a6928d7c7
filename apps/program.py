"""What every app here does: say why it is right, and synthesize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk

import apps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What a correct cluster has and a check would have otherwise. The library never says this itself.
_REASONS: Final = {
    "AwsSolutions-VPC7": "network.vpc.add_flow_log('FlowLog') adds one where traffic is audited",
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/"
    "AmazonSSMManagedInstanceCore]": "the PCS user guide names it; it lets Session Manager in",
    "AwsSolutions-IAM5[Resource::*]": "registering a node, as AWS's own policy allows it",
}


def acknowledge(stack: cdk.Stack, more: Mapping[str, str] | None = None) -> None:
    """Say why a stack is right where a check would have it otherwise."""
    for finding, reason in {**_REASONS, **(more or {})}.items():
        cdk.Validations.of(stack).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def synthesize(stacks: Callable[[cdk.App], object], outdir: str = "cdk.out") -> cdk.App:
    """Synthesize an app as the CDK command line would: its context, and no analytics."""
    app = cdk.App(outdir=outdir, context=apps.context(), analytics_reporting=False)
    stacks(app)
    app.synth()
    return app
