"""`diff`: what a deployment does to what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_FAIL_ON: Final = (
    "in-place",
    "nodes-replaced",
    "sessions-end",
    "jobs-fail",
    "replaced",
    "left-behind",
    "records-lost",
    "removed",
    "data-lost",
    "lost",
    "refused",
)
"""What `diff` can fail on, the least first. What would be refused always counts."""


HELP: Final = "what deploying a template over another does to clusters, node groups and queues"
DESCRIPTION: Final = (
    "Compares two templates, or two cdk.out directories. Exits with 1 if something "
    "is as bad as --fail-on says or would be refused, and with 2 if a file cannot be read."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("old", metavar="OLD", help="what is deployed: a template, or a cdk.out")
    parser.add_argument("new", metavar="NEW", help="what is to be deployed")
    parser.add_argument(
        "--fail-on",
        choices=_FAIL_ON,
        default="replaced",  # what a deployment cannot bring back; nodes come and go anyway
        metavar="EFFECT",
        help=f"the least effect to fail on: {', '.join(_FAIL_ON)}; by default %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="for scripts, with every fact")


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    # Imported here, so that the other commands start quickly.
    from pcs_constructs.analysis import diff
    from pcs_constructs.templates import template

    comparison = diff.compare(
        template.read(cast("str", given.old)),
        template.read(cast("str", given.new)),
        today=str(given.today),
    )
    print(
        json.dumps(diff.as_data(comparison), indent=1) if given.json else diff.as_text(comparison)
    )
    least = _FAIL_ON.index(cast("str", given.fail_on))
    failed = any(
        change.refusals
        or (change.effect.word in _FAIL_ON and _FAIL_ON.index(change.effect.word) >= least)
        for change in comparison
    )
    return 1 if failed else 0
