"""What is surely out of reach in the templates that an app has just written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pcs_constructs import rules
from pcs_constructs.analysis.reach.judgement import judge
from pcs_constructs.templates.template import parsed_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.model.errors import Problem

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out


class Finding(NamedTuple):
    """A problem that templates show, and the resource that has it."""

    problem: Problem
    """The problem."""

    path: str
    """The file of the template."""

    logical_id: str
    """The resource."""


def out_of_reach(paths: Sequence[str]) -> Iterator[Finding]:
    """What clusters need and do not reach.

    Args:
        paths: The templates of the stacks of an app; those of nested stacks are found beside them.
    """
    folders = {Path(path).parent for path in paths}
    nested = [path for folder in sorted(folders) for path in folder.glob(f"*.nested{_SUFFIX}")]
    files: dict[str, Path] = {}
    for path in (*map(Path, paths), *nested):
        name = path.name.removesuffix(_SUFFIX)
        # Two stages may have a stack of one name; nested ones are found by theirs.
        files[str(path) if files.get(name, path) != path else name] = path
    contents = {name: json.loads(path.read_text("utf-8")) for name, path in files.items()}
    # The CDK writes stacks that are empty, too.
    filled = {name: content for name, content in contents.items() if "Resources" in content}
    for flow in judge(parsed_together(filled)):
        for problem in rules.errors_in(flow.facts):
            # Of clusters that are elsewhere nothing is sure but what their nodes call.
            if flow.resource is not None:
                path = str(files[flow.resource.template.name])
                yield Finding(problem, path, flow.resource.logical_id)
