"""What the library costs beside the same stack by hand: time, memory and round trips to Node.js.

    python -m tests.benchmark [--groups 1,50,150] [--rounds 15]

Milliseconds drift by a factor of two on a shared machine. So the programs take turns, and what
counts is the median of the ratios within each turn. The goals stand beside them; nothing here
passes or fails, `test_round_trips.py` has what may. The default takes about three minutes.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from tests.benchmark import round_trips

LIBRARY, BY_HAND, HOISTED = PROGRAMS = (
    "program_library",
    "program_by_hand",
    "program_by_hand_hoisted",
)

# jsii builds the index of its cache in the background, and a program that ends before leaves every
# later one three times as slow. One that lives longer builds it for good.
_WARM = "import time, aws_cdk; aws_cdk.App(); time.sleep(6)"
_IMPORT = "import time; s = time.process_time(); import {}; print(time.process_time() - s)"


@dataclass(frozen=True)
class Run:
    """One run of a program, with the Node.js process that it starts."""

    cpu: float
    wall: float
    memory: float


_MOST_GROUPS = 150

Turn = dict[tuple[str, int], Run]
Measure = Callable[[Turn, str], float]


def run(program: str, groups: int, *, validation: bool = False) -> Run:
    """Run a program, alone on the machine we hope, and measure it in ms and MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        round_trips.command(program, groups),
        cwd=round_trips.ROOT,
        env=round_trips.environment(validation=validation),
        stdout=subprocess.DEVNULL,
    )
    # The usage of Python includes that of Node.js, which jsii waits for; the memory is that of the
    # larger one.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program} {groups} failed")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(
        cpu=(usage.ru_utime + usage.ru_stime) * 1e3,
        wall=(time.perf_counter() - start) * 1e3,
        memory=usage.ru_maxrss / unit,
    )


def turns(
    programs: Sequence[str], groups: Sequence[int], rounds: int, *, validation: bool = False
) -> list[Turn]:
    """Run all programs in turns, another one first in each."""
    done: list[Turn] = []
    for number in range(rounds):
        first = number % len(programs)
        order = [*programs[first:], *programs[:first]]
        done.append({(p, n): run(p, n, validation=validation) for n in groups for p in order})
    return done


def row(
    label: str,
    done: Sequence[Turn],
    measure: Measure,
    goals: tuple[str, str] = ("", ""),
    form: str = "{:.0f}",
) -> tuple[str, ...]:
    """A line of the table: medians, and medians of the ratios within a turn."""
    programs = [p for p in PROGRAMS if any(p == program for program, _ in done[0])]
    values = {p: [measure(turn, p) for turn in done] for p in programs}

    def median(program: str) -> str:
        return form.format(statistics.median(values[program])) if program in values else ""

    def ratio(program: str) -> str:
        if program not in values:
            return ""
        pairs = zip(values[LIBRARY], values[program], strict=True)
        return f"{statistics.median(ours / theirs for ours, theirs in pairs):.2f}"

    return (
        label,
        *(median(program) for program in PROGRAMS),
        ratio(BY_HAND),
        goals[0],
        ratio(HOISTED),
        goals[1],
    )


def trips_rows() -> list[tuple[str, ...]]:
    """The lines about round trips, which are exact."""
    one, two = ({p: len(round_trips.in_order(p, n)) for p in PROGRAMS} for n in (1, 2))

    def line(label: str, counts: dict[str, int], goal: str) -> tuple[str, ...]:
        ours = counts[LIBRARY]
        return (
            f"{label} (goal {goal})",
            *(str(counts[p]) for p in PROGRAMS),
            f"{ours / counts[BY_HAND]:.2f}",
            "",
            f"{ours / counts[HOISTED]:.2f}",
            "",
        )

    return [
        line("round trips, N=1", one, "55"),
        line("round trips, each group", {p: two[p] - one[p] for p in PROGRAMS}, "8"),
    ]


def import_row(rounds: int) -> tuple[str, ...]:
    """What importing the library costs."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _IMPORT.format("pcs_constructs")],
            cwd=round_trips.ROOT,
            env=round_trips.environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        for _ in range(rounds)
    ]
    milliseconds = statistics.median(float(output) * 1e3 for output in outputs)
    return ("import, CPU ms (goal 10)", f"{milliseconds:.1f}", *[""] * 6)


def table(groups: Sequence[int], rounds: int) -> list[tuple[str, ...]]:
    """Every line of the table."""
    first, last = groups[0], groups[-1]
    cpu_goals = {1: ("1.00", "1.03"), 150: ("0.90", "1.05")}
    done = turns(PROGRAMS, groups, rounds)
    lines = [
        row(f"CPU ms, N={n}", done, lambda turn, p, n=n: turn[p, n].cpu, cpu_goals.get(n, ("", "")))
        for n in groups
    ]
    if last > first:
        lines.append(
            row(
                "CPU ms, each group",
                done,
                lambda turn, p: (turn[p, last].cpu - turn[p, first].cpu) / (last - first),
                ("0.85", ""),
                "{:.2f}",
            )
        )
    lines += [
        row(f"wall ms, N={n}", done, lambda turn, p, n=n: turn[p, n].wall) for n in (first, last)
    ]
    lines += [
        row(
            f"memory MB of Node.js, N={n}",
            done,
            lambda turn, p, n=n: turn[p, n].memory,
            ("1.05", ""),
        )
        for n in (first, last)
    ]
    validated = turns((LIBRARY, BY_HAND), [1], max(2, rounds // 3), validation=True)
    lines.append(
        row(
            "CPU ms, N=1, validation engine",
            validated,
            lambda turn, p: turn[p, 1].cpu,
            ("1.03", ""),
        )
    )
    return [*lines, *trips_rows(), import_row(rounds)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--groups", default="1,50,150", help="numbers of node groups")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    groups = sorted({int(n) for n in arguments.groups.split(",")})
    if groups[-1] > _MOST_GROUPS:
        parser.error(f"a stack has at most 500 resources, so {_MOST_GROUPS} node groups")

    environment = round_trips.environment()
    subprocess.run([sys.executable, "-c", _WARM], env=environment, check=True)
    turns(PROGRAMS, [1], 1)  # makes the bytecode

    node = subprocess.run(
        [environment.get("JSII_NODE", "node"), "--version"], check=True, capture_output=True
    )
    print(
        f"aws-cdk-lib {version('aws-cdk-lib')}, jsii {version('jsii')}, "
        f"Python {platform.python_version()}, Node.js {node.stdout.decode().strip()}, "
        f"{os.cpu_count()} cores; medians of {arguments.rounds} rounds"
    )
    heads = ("", "library", "by hand", "hoisted", "/by hand", "goal", "/hoisted", "goal")
    for label, *cells in [heads, *table(groups, arguments.rounds)]:
        print(f"{label:<34}" + "".join(f"{cell:>9}" for cell in cells))


if __name__ == "__main__":
    main()
