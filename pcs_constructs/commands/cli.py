"""The command line: its parser, and what all commands share."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from argparse import Namespace
from datetime import date
from typing import TYPE_CHECKING, Final, TextIO

from pcs_constructs.commands import check, diff, explain, instances, reach, slurm
from pcs_constructs.model.errors import InputError
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.printable import inert

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
_INTERRUPTED: Final = 130  # as shells have it
_LONGEST: Final = 300  # characters of what Python says

_TRACEBACK: Final = "PCS_CONSTRUCTS_TRACEBACK"
"""What in the environment shows where the program fails."""


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no reason to end
            stream.reconfigure(errors="backslashreplace")
    return _told(parser.parse_args(arguments, Namespace(failed=False)))


def _told(given: Namespace) -> int:
    """Run a command, and tell of what goes wrong in a line."""
    try:
        status = _run(given)
        sys.stdout.flush()
        return status
    except InputError as reason:
        words = str(reason)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        _leave(sys.stdout)
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as reason:  # a full disk, for example
        _leave(sys.stdout)
        where = f"{reason.filename}: " if reason.filename else ""
        words = f"{where}{reason.strerror or reason}"
    except Exception as reason:
        if os.environ.get(_TRACEBACK):
            raise
        said = " ".join(f"{type(reason).__name__}: {reason}".split())[:_LONGEST]
        words = (
            f"pcs-constructs ends by a fault of its own, please report it: {said} "
            f"({_TRACEBACK}=1 shows where)"
        )
    for line in words.splitlines():
        print(inert(line), file=sys.stderr)
    return 2


def _run(given: Namespace) -> int:
    status = _COMMANDS[given.command].run(given)
    if given.command in _DATED and (old := _age(given.today)):
        print(old, file=sys.stderr)
    return 2 if given.failed else status


def _leave(stream: TextIO) -> None:
    """Have Python write nothing more to a stream that takes nothing, when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
