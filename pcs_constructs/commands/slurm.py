"""`slurm`: templates in the words of `slurm.conf`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.commands.deployment import add_parameters, add_stack_names, deployment
from pcs_constructs.model.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from pcs_constructs.analysis.slurm import Configuration


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
    from pcs_constructs.commands import reading

    paths, out = cast("list[str]", given.templates), cast("str | None", given.out)
    templates = reading.templates(given, *paths)
    written = slurm.configurations(templates, given=deployment(given, templates))
    if not written:
        print(f"{', '.join(paths)}: no resource of AWS PCS is in there", file=sys.stderr)
        return 2
    if out is None:
        texts = [c.text(file) for c in written for file in slurm.FILES if c.lines[file]]
        print("\n".join(texts), end="")
        return 0
    _write(Path(out), written, slurm.FILES)
    return 0


def _write(out: Path, written: Sequence[Configuration], files: Sequence[str]) -> None:
    """Write the files, those of each cluster into a directory of its own where there are some.

    Raises:
        InputError: Two clusters would write the same files, or one has no name for a directory; or
            something else than a file is where one would be written. Then nothing is written.
    """
    places: dict[Path, Configuration] = {}
    for configuration in written:
        name = configuration.directory
        directory = out / name if len(written) > 1 else out
        if len(written) > 1 and not name:
            raise InputError(f"{configuration.cluster!r}: is no name for a directory of {out}")
        if directory.name.casefold() in {place.name.casefold() for place in places}:
            raise InputError(f"{directory}: is for two clusters that are called the same")
        places[directory] = configuration
    for directory in places:
        for path in (directory, *(directory / file for file in files)):
            if path.is_symlink() and path != out:
                raise InputError(f"{path}: is a link, which nothing is written through")
    for directory, configuration in places.items():
        directory.mkdir(parents=True, exist_ok=True)
        for file in files:
            (directory / file).write_text(configuration.text(file), encoding="utf-8")
