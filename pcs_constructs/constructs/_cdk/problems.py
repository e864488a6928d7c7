"""What is wrong: refused before a construct is attached, advised, or found at synthesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import aws_cdk as cdk
import jsii
from constructs import Construct, IValidation

from pcs_constructs.constructs._cdk.once import CHECKED_STAGES, node_of, path_below
from pcs_constructs.model.errors import PcsValidationError, Problem
from pcs_constructs.model.slurm import CATALOG_DATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pcs_constructs.analysis.reach.findings import Finding

SOURCE: Final = "pcs-constructs"

PREVIEW: Final = f"{SOURCE}:preview"
"""The context that lets properties be written which the CDK's own constructs do not have yet."""


def refuse(scope: Construct, id: str, problems: Iterable[Problem]) -> None:
    """Raise every problem of a construct that is about to be attached, if there is one."""
    told = tuple(problems)
    if told:
        raise PcsValidationError(path_below(scope, id), told)


def advise(scope: Construct, problems: Iterable[Problem]) -> None:
    """Warn; users silence one with ``cdk.Validations.of(scope).acknowledge(...)``."""
    told = tuple(problems)
    if told:
        validations = cdk.Validations.of(scope)
        for problem in told:
            validations.add_warning(f"{SOURCE}:{problem.code}", str(problem))


@jsii.implements(IValidation)
class _Check:
    def __init__(self, check: Callable[[], Sequence[Problem]]) -> None:
        self._check = check

    def validate(self) -> list[str]:
        return [str(problem) for problem in self._check()]


def at_synth(scope: Construct, check: Callable[[], Sequence[Problem]]) -> None:
    """Run ``check`` once the whole tree exists; its problems fail ``app.synth()``."""
    at_synth_by(scope, _Check(check))


def at_synth_by(scope: Construct, judge: object) -> None:
    """The same, by what implements `IValidation` already."""
    node_of(scope).add_validation(cast("IValidation", judge))


@jsii.implements(cdk.IPolicyValidationPlugin)
class _TemplateCheck:
    def __init__(self, check: Callable[[Sequence[str]], Sequence[Finding]]) -> None:
        self._check = check

    @property
    def name(self) -> str:
        return SOURCE

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        findings = self._check(context.template_paths)
        return cdk.PolicyValidationPluginReport(
            success=not findings,
            violations=[
                cdk.PolicyViolation(
                    rule_name=problem.code,
                    description=problem.message,
                    fix=problem.fix,
                    severity="error",
                    violating_resources=[
                        cdk.PolicyViolatingResource(
                            resource_logical_id=logical_id,
                            template_path=path,
                            locations=[],
                        )
                    ],
                )
                for problem, path, logical_id in findings
            ],
        )


def check_templates(scope: Construct, check: Callable[[Sequence[str]], Sequence[Finding]]) -> None:
    """Run `check` on the templates of a stage once they are written; what it finds fails synthesis.

    To be called at synthesis. Unlike other checks this one is a plugin of the CDK: nothing else
    sees templates.
    """
    stage = cdk.Stage.of(scope)
    if stage is not None and stage not in CHECKED_STAGES:
        CHECKED_STAGES.add(stage)
        cdk.Validations.of(stage).add_plugins(
            cast("cdk.IPolicyValidationPlugin", _TemplateCheck(check))
        )


def lacking(argument: str) -> Problem:
    """What is wrong with an argument that is written only where the context asks for it."""
    return Problem(
        code="PCS233",
        argument=argument,
        message="is a property that the CDK does not have yet",
        fix=f'write "{PREVIEW}": true into the context, or leave it out',
    )


def today(scope: Construct) -> str:
    """The day by which end-of-life dates are judged: the context's, or that of their table."""
    given = node_of(scope).try_get_context("pcs-constructs:today")
    return CATALOG_DATE if given is None else str(given)


def asked_for(scope: Construct, key: str) -> bool:
    """Whether the context asks for what is not done unless asked for."""
    return node_of(scope).try_get_context(key) in (True, "true")  # a string on the command line
