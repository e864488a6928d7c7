"""`diff`: what a deployment does to what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.commands.deployment import add_parameters, add_stack_names, deployment

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
    add_parameters(parser, of="old")
    add_parameters(parser, of="new")
    add_stack_names(parser)
    parser.add_argument("--json", action="store_true", help="for scripts, with every fact")


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    # Imported here, so that the other commands start quickly.
    from pcs_constructs.analysis import diff
    from pcs_constructs.commands import reading

    old, new = (reading.templates(given, cast("str", side)) for side in (given.old, given.new))
    comparison = diff.compare(
        old,
        new,
        given_old=deployment(given, old, of="old", beside=new),
        given_new=deployment(given, new, of="new", beside=old),
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
