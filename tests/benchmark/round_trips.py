"""Counts the round trips between Python and the CDK's Node.js process: exact and free of noise.

    python -m tests.benchmark.round_trips program_library N

prints them in their order. `in_order` counts in a process of its own, because what one program has
read another may find in a cache.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import apps as apps  # chooses the Node.js of the subprocesses

ROOT = Path(__file__).resolve().parents[2]


def environment(*, validation: bool = False) -> dict[str, str]:
    """The environment for a program: with bytecode, mostly without the CDK's validation engine."""
    return {
        **{name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"},
        **({} if validation else {"CDK_VALIDATION": "false"}),
        "PYTHONDONTWRITEBYTECODE": "",
    }


def command(program: str, *arguments: object) -> list[str]:
    """How a module of this folder is run."""
    return [sys.executable, "-m", f"tests.benchmark.{program}", *map(str, arguments)]


def in_order(program: str, groups: int) -> list[str]:
    """Every round trip of a program with so many node groups."""
    done = subprocess.run(
        command("round_trips", program, groups),
        cwd=ROOT,
        env=environment(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.splitlines()


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Collect the round trips of what runs inside, except those that load a CDK package."""
    from jsii._kernel.providers.process import _NodeProcess  # starts no Node yet

    trips: list[str] = []
    send = _NodeProcess.send

    def record(self: _NodeProcess, request: Any, response_type: Any) -> Any:
        kind = type(request).__name__.strip("_").removesuffix("Request")
        if kind != "Load":
            trips.append(" ".join([kind, *_what(request)]))
        return send(self, request, response_type)

    _NodeProcess.send = record
    try:
        yield trips
    finally:
        _NodeProcess.send = send


def _what(request: Any) -> Iterator[str]:
    """The type that a request is about, and the member."""
    if reference := getattr(request, "objref", None):
        yield reference.ref.rpartition("@")[0]
    for field in ("fqn", "property", "method"):
        if value := getattr(request, field, None):
            yield value


def main(program: str, groups: str) -> None:
    with tempfile.TemporaryDirectory() as directory, recorded() as trips:
        import_module(f"tests.benchmark.{program}").main(int(groups), directory)
    print("\n".join(trips))


if __name__ == "__main__":
    main(*sys.argv[1:])
