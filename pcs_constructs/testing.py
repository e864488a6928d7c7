"""For the tests of your own app: whether what it synthesizes can be deployed.

from pcs_constructs.testing import assert_deployable

def test_the_cluster_can_be_deployed():
    assert_deployable(Hpc(cdk.App(), "Hpc"))
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk

from pcs_constructs.analysis import check
from pcs_constructs.rules import RULES
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Mapping


def findings(stack: cdk.Stack | cdk.App) -> check.Result:
    """What `pcs-constructs check` says of an app, without what was acknowledged in the CDK.

    Args:
        stack: The app, or a stack of it. Of a stack only its own templates are looked at, with
            those of its nested stacks; what it imports from others is not known then.
    """
    app = stack.node.root
    if not isinstance(app, cdk.Stage):  # a stack of its own, which has no app
        raise TypeError("give the stack an app: Stack(App(), 'Hpc')")
    files = _synthesized(app)
    if isinstance(stack, cdk.Stack):
        stacks = [each for each in stack.node.find_all() if isinstance(each, cdk.Stack)]
        own = {each.template_file for each in stacks}
        files = [file for file in files if file.name in own]
    templates = template.read(*files)
    suppressions = check.from_templates(templates)
    return check.without_suppressed(check.check(templates), templates, suppressions)


def _synthesized(app: cdk.Stage) -> list[Path]:
    """The templates of an app. The same app can be synthesized over again."""
    directory = Path(app.synth(force=True).directory)
    return sorted(directory.rglob("*.template.json"))


def assert_deployable(
    stack: cdk.Stack | cdk.App,
    *,
    advice: bool = False,
    suppress: Mapping[str, str] | None = None,
) -> None:
    """Fail, and say why, if AWS PCS, EC2 or Slurm would refuse what is in a stack or an app.

    Args:
        stack: The app, or a stack of it.
        advice: Whether advice fails it as well. By default it does not.
        suppress: Reasons by code, for what is right as it is. By default none.

    Raises:
        AssertionError: Something would be refused; with the listing that the command prints.
        ValueError: There is no such code to suppress, or no reason for it.
    """
    given = suppress or {}
    if wrong := [code for code, reason in given.items() if code not in RULES or not reason.strip()]:
        raise ValueError(f"suppress takes codes with reasons, got {', '.join(map(repr, wrong))}")
    result = findings(stack)
    failing = tuple(
        finding
        for finding in result.findings
        if finding.code not in given and (advice or finding.level.value == "error")
    )
    if failing:
        raise AssertionError("\n" + check.as_text(replace(result, findings=failing)))


__all__ = ["assert_deployable", "findings"]
