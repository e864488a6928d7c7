"""The command line: its parser, and what all commands share."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from pcs_constructs.commands import check, diff, explain, instances, reach, slurm
from pcs_constructs.model.errors import InputError

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
    given = parser.parse_args(arguments)
    try:
        return _COMMANDS[given.command].run(given)
    except InputError as reason:
        print(reason, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        sys.stderr.close()
        return 0
