"""A script that looks at jobs, a property that the CDK does not have yet."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_pcs as cfn

import pcs_constructs as pcs
from tests.constructs.templates import existing_vpc, only, refused, template

_PLUGIN = pcs.JobSubmitPlugin(name="check", script_location="s3://scripts/submit.star")


def _preview() -> cdk.Stack:
    return cdk.Stack(cdk.App(context={"pcs-constructs:preview": True}), "Stack")


def _cluster(stack: cdk.Stack, plugin: pcs.JobSubmitPlugin, **settings: str) -> None:
    pcs.Cluster(
        stack, "Cluster", vpc=existing_vpc(stack), slurm_settings=settings, job_submit=plugin
    )


@pytest.mark.parametrize("settings", [{}, {"MinJobAge": "300"}])
def test_a_plugin_is_written_as_the_api_has_it(settings: dict[str, str]) -> None:
    stack = _preview()
    _cluster(stack, _PLUGIN, **settings)
    written = only(template(stack), "AWS::PCS::Cluster")["SlurmConfiguration"]
    assert written["JobSubmitPlugins"] == [
        {
            "Name": "check",
            "Type": "STARLARK",
            "ScriptSource": {"ScriptLocation": "s3://scripts/submit.star"},
        }
    ]
    assert ("SlurmCustomSettings" in written) is bool(settings)


def test_fails_on_a_script_that_is_not_in_s3() -> None:
    stack = _preview()
    vpc = existing_vpc(stack)
    with refused(stack, "PCS118"):
        plugin = pcs.JobSubmitPlugin(name="check", script_location="submit.star")
        pcs.Cluster(stack, "Cluster", vpc=vpc, job_submit=plugin)


def test_fails_where_nobody_asked_for_what_the_cdk_lacks(stack: cdk.Stack) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        _cluster(stack, _PLUGIN)
    assert [problem.code for problem in error.value.problems] == ["PCS233"]


def test_the_cdk_still_lacks_what_is_written_by_an_override() -> None:
    """Where this fails, write `job_submit_plugins` into the L1 and drop the context."""
    assert not hasattr(cfn.CfnCluster, "JobSubmitPluginProperty")
