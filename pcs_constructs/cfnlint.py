"""The rules as a package for cfn-lint: `cfn-lint template.yaml -a pcs_constructs.cfnlint`.

Every rule that templates are judged by becomes one of cfn-lint's, with the number of its code:
`PCS201`, an error, is `E9201` there, and `PCS204`, advice, `W9204`. It is ignored, configured and
suppressed as any other rule of cfn-lint. The only module that imports cfn-lint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from pcs_constructs.analysis import check
from pcs_constructs.rules import RULES, Level
from pcs_constructs.templates import template
from pcs_constructs.templates.facts.evidence import path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfnlint.template import Template

    from pcs_constructs.analysis.check import Finding
    from pcs_constructs.rules import Rule


# The template that was judged last: each of the rules asks for the same one.
_LAST: list[tuple[object, tuple[Finding, ...]]] = []


def _findings(content: object, file: str | None) -> tuple[Finding, ...]:
    if not _LAST or _LAST[0][0] is not content:
        _LAST[:] = [(content, _judged(content, file))]
    return _LAST[0][1]


def _judged(content: object, file: str | None) -> tuple[Finding, ...]:
    if not isinstance(content, dict) or not isinstance(cast("Any", content).get("Resources"), dict):
        return ()  # cfn-lint tells
    try:
        parsed = template.parsed("template", cast("Mapping[str, Any]", content), file or None)
    except template.TemplateError:
        return ()  # cfn-lint tells that as well
    together = [parsed]
    result = check.check(together)
    try:
        suppressions = check.from_templates(together)
    except check.SuppressionError:
        return result.findings  # nothing is suppressed by what has no reason; the command tells
    return check.without_suppressed(result, together, suppressions).findings


class _Judge(CloudFormationLintRule):
    """A rule of ours as cfn-lint runs it."""

    code = ""

    def match(self, cfn: Template) -> list[RuleMatch]:
        """What breaks the rule in a template."""
        return [
            RuleMatch(_path(finding), _message(finding))
            for finding in _findings(cfn.template, cfn.filename)
            if finding.code == self.code
        ]


def _path(finding: Finding) -> list[str | int]:
    if finding.property.startswith("Parameters."):
        return list(path_of(finding.property))
    path: list[str | int] = ["Resources", finding.resource]
    if finding.property.startswith("Resources."):
        return [*path, *path_of(finding.property)[2:]]
    return [*path, *(["Properties", *path_of(finding.property)] if finding.property else [])]


def _message(finding: Finding) -> str:
    when = f" (when {finding.condition})" if finding.condition else ""
    place = f"{finding.property}: " if finding.property else ""
    return f"{finding.code}: {place}{finding.message}{when}. Fix: {finding.fix}"


def rule_id(rule: Rule) -> str:
    """What cfn-lint calls a rule."""
    letter = "E" if rule.level is Level.ERROR else "W"
    return f"{letter}9{rule.code.removeprefix('PCS')}"


def _class_of(rule: Rule) -> type[_Judge]:
    attributes: dict[str, Any] = {
        "id": rule_id(rule),
        "code": rule.code,
        "shortdesc": rule.title,
        "description": rule.page,
        "source_url": "https://docs.aws.amazon.com/pcs/latest/userguide/",
        "tags": ["pcs"],
        "__doc__": rule.title,
    }
    return type(f"{rule.code}", (_Judge,), attributes)


# cfn-lint makes a rule of each class that it finds in a module.
globals().update({code: _class_of(rule) for code, rule in RULES.items() if rule.test})
