"""`reach`: whether everything that a cluster needs can be reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.commands.deployment import add_parameters, add_stack_names, deployment

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


HELP: Final = "whether all that a cluster needs can be reached, and by which rules and routes"
DESCRIPTION: Final = (
    "Judges templates that are deployed together, or a cdk.out directory. Exits "
    "with 1 if something cannot be reached, and with 2 if a file cannot be read."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("templates", nargs="+", metavar="TEMPLATE", help="or a cdk.out")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="let no default of a parameter count, and exit with 1 for unknown as for no",
    )
    add_parameters(parser)
    add_stack_names(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for scripts, with every fact")
    form.add_argument("--mermaid", action="store_true", help="a drawing, for Markdown")


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    # Imported here, so that the other commands start quickly.
    from pcs_constructs.analysis import reach
    from pcs_constructs.commands import reading

    templates = reading.templates(given, *cast("list[str]", given.templates))
    said = deployment(given, templates)
    flows = reach.judge(templates, given=said, strict=given.strict)
    if given.json:
        print(json.dumps(reach.as_data(flows), indent=1))
    else:
        print(reach.as_mermaid(flows) if given.mermaid else reach.as_text(flows))
    least = reach.Verdict.YES if given.strict else reach.Verdict.UNKNOWN
    return 1 if any(flow.verdict < least for flow in flows) else 0
