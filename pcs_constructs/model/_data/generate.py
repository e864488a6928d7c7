"""The generator of `instances.json`, the catalogue behind `pcs_constructs.model.instances`.

Run it as `python -m pcs_constructs.model._data.generate` with moto installed, a development
dependency that ships the recorded output of EC2's DescribeInstanceTypes. The same moto always gives
the same bytes. `--check` writes nothing and exits with 1 when the committed file differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.instances import InstanceFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE: Final = Path(__file__).with_name("instances.json")
"""The generated file."""

_COMMAND: Final = "python -m pcs_constructs.model._data.generate"

# The recording states no date. The day on which moto built its wheel (the times of the files in it)
# is the latest day it can be from.
_BUILT: Final[Mapping[str, str]] = {"5.2.5": "2026-10-27"}

# What most types have in common is written once instead of on every line.
_DEFAULTS: Final[Mapping[str, object]] = {
    "threads_per_core": 2,
    "architecture": "x86_64",
    "gpus": 0,
    "gpu_manufacturer": None,
    "gpu_name": None,
    "accelerators": 0,
    "accelerator_manufacturer": None,
    "accelerator_name": None,
    "efa_interfaces": 0,
    "usage_classes": ("on-demand", "spot"),
    "local_storage_gb": 0,
    "bare_metal": False,
}


def text() -> str:
    """The text that `instances.json` should have, one instance type per line."""
    moto = version("moto")
    head = {
        "generated_by": _COMMAND,
        "source": "moto/ec2/resources/instance_types.json.gz in the PyPI package moto,"
        " recorded output of EC2 DescribeInstanceTypes",
        "version": moto,
        "license": "Apache-2.0",
        "recorded": _built(moto),
        "recorded_means": "the day this version of moto was built;"
        " the recording states no date and may be older",
        "defaults": _DEFAULTS,
    }
    entries = "".join(f"{_entry(key, value)},\n" for key, value in head.items())
    types = ",\n".join(
        _entry(name, _row(raw)) for name, raw in sorted(_recording().items()) if not _is_mac(raw)
    )
    return f'{{{entries}"types": {{\n{types}\n}}}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.

    Args:
        arguments: What follows the program's name; by default those of this process.

    Returns:
        The exit status: 1 when `--check` finds a stale file, else 0.
    """
    parser = argparse.ArgumentParser(prog=_COMMAND, description=f"Write {FILE.name}.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if it differs")
    check = cast("bool", parser.parse_args(arguments).check)
    expected = text()
    if not check:
        FILE.write_text(expected, encoding="utf-8", newline="\n")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != expected:
        print(f"{FILE} is stale, run: {_COMMAND}", file=sys.stderr)
        return 1
    return 0


def _built(moto: str) -> str:
    if moto not in _BUILT:
        raise SystemExit(f"moto {moto} has no date: add the day of its wheel to _BUILT")
    return _BUILT[moto]


@cache
def _recording() -> dict[str, dict[str, Any]]:
    packed = files("moto").joinpath("ec2", "resources", "instance_types.json.gz").read_bytes()
    return cast("dict[str, dict[str, Any]]", json.loads(gzip.decompress(packed)))


def _is_mac(entry: Mapping[str, Any]) -> bool:
    # Mac instances run macOS only, on dedicated hosts: they can never be nodes of a cluster.
    architectures: list[str] = entry["ProcessorInfo"]["SupportedArchitectures"]
    return any(architecture.endswith("_mac") for architecture in architectures)


def _entry(key: str, value: object) -> str:
    return f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"


def _row(entry: Mapping[str, Any]) -> dict[str, object]:
    row = asdict(InstanceFacts.from_description(entry))
    row["network_cards"] = [list(card.values()) for card in row["network_cards"]]
    del row["name"]
    return {k: v for k, v in row.items() if k not in _DEFAULTS or v != _DEFAULTS[k]}


if __name__ == "__main__":
    sys.exit(main())
