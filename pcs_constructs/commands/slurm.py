"""`slurm`: templates in the words of `slurm.conf`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.commands.deployment import add_parameters, add_stack_names, deployment

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


HELP: Final = "show templates in the words of slurm.conf"
DESCRIPTION: Final = None


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "templates",
        nargs="+",
        metavar="TEMPLATE",
        help="such as cdk.out/MyStack.template.json, or cdk.out for all that are in there",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="write slurm.conf and others there, for each of some clusters"
    )
    add_parameters(parser)
    add_stack_names(parser)


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    # Imported here, so that the other commands start quickly.
    from pcs_constructs.analysis import slurm
    from pcs_constructs.templates import template

    paths, out = cast("list[str]", given.templates), cast("str | None", given.out)
    templates = template.read(*paths)
    written = slurm.configurations(templates, given=deployment(given, templates))
    if not written:
        print(f"{', '.join(paths)}: no resource of AWS PCS is in there", file=sys.stderr)
        return 2
    if out is None:
        texts = [c.text(file) for c in written for file in slurm.FILES if c.lines[file]]
        print("\n".join(texts), end="")
        return 0
    try:
        for configuration in written:
            directory = Path(out, configuration.directory) if len(written) > 1 else Path(out)
            directory.mkdir(parents=True, exist_ok=True)
            for file in slurm.FILES:
                (directory / file).write_text(configuration.text(file), encoding="utf-8")
    except OSError as reason:
        print(f"{reason.filename}: {reason.strerror}", file=sys.stderr)
        return 2
    return 0
