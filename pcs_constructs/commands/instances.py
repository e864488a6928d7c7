"""`instances`: the catalogue of instance types."""

from __future__ import annotations

import dataclasses
import json
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.model import instances

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


HELP: Final = "list the catalogue of instance types"
DESCRIPTION: Final = None


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "filters",
        nargs="*",
        metavar="FILTER",
        help="such as hpc7a or 'c7i.*xlarge'; all by default",
    )
    parser.add_argument("--json", action="store_true", help="for scripts, with every fact")


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    filters = cast("list[str]", given.filters)
    names = [n for n in instances.names() if not filters or any(_matches(n, f) for f in filters)]
    known = list(instances.known(names).values())
    if not known:
        print(f"no instance type matches {' or '.join(filters)}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps([dataclasses.asdict(facts) for facts in known], indent=1))
        return 0
    rows = [
        (
            "type",
            "vCPUs",
            "cores",
            "GiB",
            "arch",
            "GPUs, accelerators",
            "cards",
            "EFA",
            "bought as",
        ),
        *(
            (
                facts.name,
                str(facts.vcpus),
                str(facts.cores),
                f"{facts.memory_mib / 1024:g}",
                facts.architecture,
                _devices(facts),
                str(len(facts.network_cards)),
                str(facts.efa_interfaces or "-"),
                ", ".join(facts.usage_classes),
            )
            for facts in known
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print(f"\n{len(known)} types, from {instances.source()}")
    return 0


def _matches(name: str, pattern: str) -> bool:
    """A name, a glob, or the beginning of a name: `p5` means the family and not `p5en`."""
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")


def _devices(facts: instances.InstanceFacts) -> str:
    devices = [
        f"{count} {maker} {model}"
        for count, maker, model in (
            (facts.gpus, facts.gpu_manufacturer, facts.gpu_name),
            (facts.accelerators, facts.accelerator_manufacturer, facts.accelerator_name),
        )
        if count
    ]
    return ", ".join(devices) or "-"
