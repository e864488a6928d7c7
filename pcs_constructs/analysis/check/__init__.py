"""Judges CloudFormation templates, whoever wrote them, by the rules of the constructs."""

from __future__ import annotations

from pcs_constructs.analysis.check.findings import Finding, Result, check
from pcs_constructs.analysis.check.listing import as_annotations, as_data, as_sarif, as_text
from pcs_constructs.analysis.check.suppressions import (
    Suppression,
    SuppressionError,
    from_file,
    from_templates,
    without_suppressed,
)

__all__ = [
    "Finding",
    "Result",
    "Suppression",
    "SuppressionError",
    "as_annotations",
    "as_data",
    "as_sarif",
    "as_text",
    "check",
    "from_file",
    "from_templates",
    "without_suppressed",
]
