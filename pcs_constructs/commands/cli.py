"""The command line: its parser, and what all commands share."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import TYPE_CHECKING, Final

from pcs_constructs.commands import check, diff, explain, instances, reach, slurm
from pcs_constructs.model.errors import InputError
from pcs_constructs.model.slurm import CATALOG_DATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

_COMMANDS: Final[Mapping[str, ModuleType]] = {
    "explain": explain,
    "instances": instances,
    "slurm": slurm,
    "diff": diff,
    "reach": reach,
    "check": check,
}

_DATED: Final = frozenset({"slurm", "diff", "reach", "check"})
"""The commands that speak of versions of Slurm."""

_FRESH: Final = 30  # days


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: The words after the program's name. By default those it was called with.
    """
    parser = argparse.ArgumentParser(
        prog="pcs-constructs", description="What AWS PCS accepts, and why, without a network."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, command in _COMMANDS.items():
        described = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        command.add_arguments(described)
        if name in _DATED:
            described.add_argument(
                "--today",
                type=_day,
                default=date.today().isoformat(),
                metavar="DATE",
                help="the day by which versions of Slurm are judged, such as 2027-01-31; by "
                "default today",
            )
    given = parser.parse_args(arguments)
    try:
        status = _COMMANDS[given.command].run(given)
        if given.command in _DATED and (old := _age(given.today)):
            print(old, file=sys.stderr)
        return status
    except InputError as reason:
        print(reason, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        sys.stderr.close()
        return 0


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2027-01-31") from None


def _age(today: str) -> str | None:
    """What to say of a table of versions that was made long ago."""
    days = (date.fromisoformat(today) - date.fromisoformat(CATALOG_DATE)).days
    if days <= _FRESH:
        return None
    return (
        f"the table of Slurm versions is of {CATALOG_DATE}, {days} days before {today}: "
        "a newer pcs-constructs may know more"
    )
