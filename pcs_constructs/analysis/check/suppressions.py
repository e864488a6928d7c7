"""Findings that somebody has a reason for, said in a template, in a file or in the CDK."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.analysis.check.acknowledgements import acknowledged
from pcs_constructs.model.errors import InputError
from pcs_constructs.templates.document import as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pcs_constructs.analysis.check.findings import Finding, Result
    from pcs_constructs.templates.template import Template

FILE: Final = "pcs-check.toml"
"""The file that is read where it is in the directory that the command runs in."""

_METADATA: Final = "pcs-constructs"
_CODE: Final = re.compile(r"PCS\d{3}")


class SuppressionError(InputError):
    """A suppression says too little or something wrong; the message says which and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A code that is not to be told of some resources, and why."""

    code: str
    """The code."""

    resource: str = "*"
    """The logical ids, with `*` and `?`."""

    template: str = "*"
    """The files or names of templates, with `*` and `?`."""

    label: str | None = None
    """The one template that it is in, with its directories, where it is in one."""

    reason: str
    """Why it is right as it is."""

    origin: str
    """Where this was said."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        name = finding.template.rpartition("/")[2]
        return (
            self.code == finding.code
            and fnmatchcase(finding.resource, self.resource)
            and any(fnmatchcase(each, self.template) for each in (finding.template, name))
            and self.label in {None, finding.template}
        )

    def __str__(self) -> str:
        about = "" if self.resource == "*" else f" of {self.resource}"
        return f"{self.origin}: {self.code}{about} suppresses nothing"


def from_file(path: Path) -> list[Suppression]:
    """Read a file with suppressions, such as this.

        [[suppress]]
        code = "PCS103"
        resource = "Cluster*"  # by default all
        template = "hpc.yaml"  # by default all
        reason = "it is renamed when it must be replaced"

    Raises:
        SuppressionError: It cannot be read, or an entry lacks its code or its reason.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise SuppressionError(f"{path}: {reason.strerror or reason}") from None
    except ValueError as reason:
        raise SuppressionError(f"{path}: is no TOML: {reason}") from None
    stray = set(content) - {"suppress"}
    entries = content.get("suppress", [])
    if stray or not isinstance(entries, list):
        raise SuppressionError(f"{path}: has something beside [[suppress]] entries")
    return list(
        _of(cast("list[Any]", entries), str(path), {"code", "resource", "template", "reason"})
    )


def from_templates(templates: Iterable[Template]) -> list[Suppression]:
    """Those in the `Metadata` of templates and of their resources.

    Raises:
        SuppressionError: An entry lacks its code or its reason.
    """
    suppressions: list[Suppression] = []
    for template in templates:
        label = template.name if template.file is None else template.file.as_posix()
        above = as_mapping(as_mapping(template.content.get("Metadata")).get(_METADATA))
        for each in _listed(above, label, {"code", "resource", "reason"}):
            suppressions.append(replace(each, label=label))
        for logical_id, resource in template.resources.items():
            beside = as_mapping(as_mapping(resource.whole.get("Metadata")).get(_METADATA))
            for each in _listed(beside, f"{label} {logical_id}", {"code", "reason"}):
                suppressions.append(replace(each, label=label, resource=logical_id))
    return suppressions


def _listed(metadata: Mapping[str, Any], origin: str, names: set[str]) -> Iterator[Suppression]:
    entries = metadata.get("suppress", [])
    if not isinstance(entries, list):
        raise SuppressionError(f"{origin}: suppress is no list")
    yield from _of(cast("list[Any]", entries), origin, names)


def _of(entries: list[Any], origin: str, names: set[str]) -> Iterator[Suppression]:
    for number, entry in enumerate(entries, start=1):
        values = as_mapping(entry)
        stray = set(values) - names
        code, reason = str(values.get("code", "")), str(values.get("reason") or "").strip()
        if stray or not _CODE.fullmatch(code) or not reason:
            wrong = (
                f"does not know {', '.join(sorted(stray))}" if stray else "needs code and reason"
            )
            raise SuppressionError(f"{origin}: suppression {number} {wrong}")
        yield Suppression(
            code=code,
            resource=str(values.get("resource", "*")),
            template=str(values.get("template", "*")),
            reason=reason,
            origin=origin,
        )


def without_suppressed(
    result: Result, templates: list[Template], suppressions: list[Suppression]
) -> Result:
    """The result without what somebody has a reason for, and with what was suppressed in vain.

    What the CDK was told with `Validations.acknowledge` counts too, where `cdk.out` says so.
    """
    acknowledgements = acknowledged(templates)
    kept: list[Finding] = []
    used: set[int] = set()
    for finding in result.findings:
        covering = [i for i, each in enumerate(suppressions) if each.covers(finding)]
        used.update(covering)
        if (
            not covering
            and (finding.template, finding.resource, finding.code) not in acknowledgements
        ):
            kept.append(finding)
    return replace(
        result,
        findings=tuple(kept),
        suppressed=len(result.findings) - len(kept),
        unused=tuple(str(each) for i, each in enumerate(suppressions) if i not in used),
    )
