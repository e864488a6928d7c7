"""What the CDK was told with `Validations.acknowledge`, as `cdk.out` has it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.templates.document import as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pcs_constructs.templates.template import Template

_RULE: Final = re.compile(r"(?:Annotation::)?pcs-constructs:(PCS\d{3})")
_SUFFIX: Final = ".template.json"

Acknowledgements = set[tuple[str, str, str]]
"""By template, logical id and code."""


def acknowledged(templates: list[Template]) -> Acknowledgements:
    """What was acknowledged of each resource, by itself or by a construct around it."""
    codes: Acknowledgements = set()
    for template in templates:
        if template.file is None or not template.file.name.endswith(_SUFFIX):
            continue
        for metadata in _metadata(template.file):
            for logical_id, code in _of_resources(metadata):
                codes.add((template.file.as_posix(), logical_id, code))
    return codes


def _metadata(template: Path) -> Iterator[dict[str, Any]]:
    """By construct path, what the CDK wrote down; for a nested stack, of all stacks beside it."""
    manifest = _read(template.with_name("manifest.json"))
    artifacts = [as_mapping(each) for each in as_mapping(manifest.get("artifacts")).values()]
    stacks = [a for a in artifacts if a.get("type") == "aws:cloudformation:stack"]
    own = [
        a for a in stacks if as_mapping(a.get("properties")).get("templateFile") == template.name
    ]
    for artifact in own or stacks:
        yield dict(as_mapping(artifact.get("metadata")))
        file = artifact.get("additionalMetadataFile") or as_mapping(artifact.get("properties")).get(
            "additionalMetadataFile"
        )
        if isinstance(file, str):
            yield _read(template.with_name(file))


def _read(file: Path) -> dict[str, Any]:
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(as_mapping(content))


def _of_resources(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    logical_ids: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    for path, entries in metadata.items():
        for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
            kind, data = as_mapping(entry).get("type"), as_mapping(entry).get("data")
            if kind == "aws:cdk:logicalId":
                logical_ids.append((path, str(data)))
            elif kind == "aws:cdk:acknowledged-rules":
                rules = (_RULE.fullmatch(name) for name in as_mapping(data))
                told += [(path, rule[1]) for rule in rules if rule]
    for above, code in told:
        for path, logical_id in logical_ids:
            if path == above or path.startswith(f"{above}/"):
                yield logical_id, code
