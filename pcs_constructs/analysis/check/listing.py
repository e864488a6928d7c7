"""A check as people, programs and CI services read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.rules import RULES, Level
from pcs_constructs.templates.printable import in_lines, printable

if TYPE_CHECKING:
    from pcs_constructs.analysis.check.findings import Finding, Result

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF: Final = {Level.ERROR: "error", Level.ADVICE: "warning"}


def as_text(result: Result) -> str:
    """The check for people, problem by problem, and a last line with its sum."""
    lines: list[str] = []
    for finding in result.findings:
        lines += [
            f"{_place(finding)} {_subject(finding)}",
            f"  {finding.code} {finding.level.value}: {finding.message}",
            *([f"    when: {finding.condition}"] if finding.condition else []),
            f"    fix: {finding.fix}",
        ]
    lines += [f"note: {note}" for note in result.notes]
    lines += [f"unused: {line}" for line in result.unused]
    if lines:
        lines.append("")
    lines.append(_sum(result))
    if result.findings:
        lines.append(f"see: python -m pcs_constructs explain {result.findings[0].code}")
    return in_lines(lines)


def as_data(result: Result) -> dict[str, Any]:
    """The check for programs, as JSON has it."""
    return {
        "findings": [
            {
                "template": finding.template,
                "resource": finding.resource,
                "path": finding.path,
                "property": finding.property,
                "line": finding.line,
                "code": finding.code,
                "level": finding.level.value,
                "message": finding.message,
                "fix": finding.fix,
                "condition": finding.condition,
            }
            for finding in result.findings
        ],
        "templates": result.templates,
        "resources": result.resources,
        "suppressed": result.suppressed,
        "unused": list(result.unused),
        "notes": list(result.notes),
    }


def as_annotations(result: Result, source: str | None = None) -> str:
    """The check as workflow commands, which GitHub shows beside the lines of a pull request.

    Args:
        result: The check.
        source: The file that made the templates, which are in no pull request. By default the line
            that the CDK wrote down for a resource, where it did, else that of the template.
    """
    lines = [_annotation(finding, source) for finding in result.findings]
    lines += [f"::notice::{_data(note)}" for note in (*result.notes, *result.unused)]
    return "\n".join(map(printable, [*lines, _sum(result)]))


def _annotation(finding: Finding, source: str | None) -> str:
    file, line = finding.source or (finding.template, finding.line or 1)
    if source is not None and finding.source is None:
        file, line = source, 1
    by = f" ({finding.path})" if finding.path and file != finding.template else ""
    return (
        f"::{_SARIF[finding.level]} file={_property(file)},line={line},"
        f"title={_property(finding.code)}::{_data(_message(finding) + by)}"
    )


def as_sarif(result: Result) -> dict[str, Any]:
    """The check in the Static Analysis Results Interchange Format, version 2.1.0."""
    codes = sorted({finding.code for finding in result.findings})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "pcs-constructs",
                        "rules": [_sarif_rule(code) for code in codes],
                    }
                },
                "results": [_sarif_result(finding, codes) for finding in result.findings],
            }
        ],
    }


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.page},
        "help": {"text": rule.page},
        "defaultConfiguration": {"level": _SARIF[rule.level]},
    }


def _sarif_result(finding: Finding, codes: list[str]) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _SARIF[finding.level],
        "message": {"text": _message(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.template},
                    "region": {"startLine": finding.line or 1},
                },
                "logicalLocations": [{"fullyQualifiedName": _subject(finding), "kind": "resource"}],
            }
        ],
        # Lines move; what is wrong, and of what, stays.
        "partialFingerprints": {
            "problem/v1": f"{finding.code}/{finding.resource}/{finding.property}/{finding.message}"
        },
    }


def _message(finding: Finding) -> str:
    when = f" (when {finding.condition})" if finding.condition else ""
    return f"{_subject(finding)}: {finding.message}{when}. Fix: {finding.fix}"


def _place(finding: Finding) -> str:
    return finding.template if finding.line is None else f"{finding.template}:{finding.line}"


def _subject(finding: Finding) -> str:
    return f"{finding.resource} {finding.property}".rstrip()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sum(result: Result) -> str:
    levels = Counter(finding.level for finding in result.findings)
    said = [
        f"{levels[level]} {word}{'s' if levels[level] > 1 and level is Level.ERROR else ''}"
        for level, word in ((Level.ERROR, "error"), (Level.ADVICE, "of advice"))
        if levels[level]
    ]
    if result.suppressed:
        said.append(f"{result.suppressed} suppressed")
    if result.unused:
        said.append(f"{len(result.unused)} unused suppressions")
    plural = "s" if result.templates > 1 else ""
    many = "s" if result.resources != 1 else ""
    whole = f"{result.templates} template{plural}, {result.resources} resource{many}"
    return f"{whole}: {', '.join(said) if said else 'nothing is wrong'}"
