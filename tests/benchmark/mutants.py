"""How many mistakes in templates are found, and by whom: writes docs/mutants.md.

    python -m tests.benchmark.mutants [--random 100] [--seed 1]

Every mistake of the table (`mutations.py`) is made in every app that has what it takes, and values
of properties are changed at random under a seed. Each template that comes out is given to
`pcs-constructs check`, to cfn-lint and to the CDK's own validation. The first app of each mistake
is what the two others are asked about, since they take their time: about ten minutes for all.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis.check import check
from pcs_constructs.templates import template
from tests.benchmark.mutations import Mutant, NotThere, Templates, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "mutants.md"
_SNAPSHOTS: Final = ROOT / "tests" / "apps" / "__snapshots__" / "test_every_app"

Codes = frozenset[tuple[str, ...]]
"""What was found: the code, the resource, the property and the message of each."""


@cache
def apps() -> dict[str, Templates]:
    """The templates of every app, by its name, as the snapshots have them."""
    return {
        file.stem.partition("[")[2].removesuffix("]"): json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(_SNAPSHOTS.glob("*.json"))
    }


def codes(templates: Templates) -> Codes:
    """What `check` finds in templates."""
    found = check(template.parsed_together(templates)).findings
    return frozenset((f.code, f.resource, f.property, f.message) for f in found)


def made(mutant: Mutant) -> Iterator[tuple[str, Templates]]:
    """Each app that the mistake can be made in, and its templates with it."""
    for name, templates in apps().items():
        try:
            yield name, mutant.of(templates)
        except NotThere:
            continue


# Values at random.


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
            yield path
            return
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        yield path
        for i, inner in enumerate(value):
            yield from _leaves(inner, (*path, i))
    else:
        yield path


def _other(value: Any, chance: random.Random) -> Any:
    """A value in the place of another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return chance.choice([0, -1, value * 1000 + 7])
    if isinstance(value, list):
        return chance.choice([[], value + value])
    if isinstance(value, dict):
        return chance.choice(["x", ["x"], ""])
    return chance.choice(["", "x" * 300, f"{value}!", value.swapcase(), "?"])


def at_random(seed: int, count: int) -> Iterator[tuple[str, str, Templates]]:
    """Templates of apps in which one value, of what AWS PCS looks at, is another."""
    chance = random.Random(seed)
    names = sorted(apps())
    for _ in range(count):
        name = chance.choice(names)
        templates = copy.deepcopy(apps()[name])
        content = templates[chance.choice(sorted(templates))]
        ours = [
            logical_id
            for logical_id, resource in content["Resources"].items()
            if resource["Type"].startswith(("AWS::PCS::", "AWS::FSx::"))
            or resource["Type"] == "AWS::EC2::LaunchTemplate"
        ]
        logical_id = chance.choice(ours)
        properties = content["Resources"][logical_id]["Properties"]
        path = chance.choice([p for p in _leaves(properties) if p and "UserData" not in p])
        inside = properties
        for step in path[:-1]:
            inside = inside[step]
        if chance.random() < 0.2 and isinstance(inside, dict):
            del inside[path[-1]]
        else:
            inside[path[-1]] = _other(inside[path[-1]], chance)
        yield name, f"{logical_id}.{'.'.join(map(str, path))}", templates


# The others.


def _by_cfn_lint(templates: Templates) -> set[str]:
    from cfnlint.api import ManualArgs, lint

    found: set[str] = set()
    for content in templates.values():
        text = json.dumps(content, indent=1)
        for match in lint(text, config=ManualArgs(regions=["us-east-1"])):
            found.add(f"{match.rule.id} {'/'.join(map(str, match.path or ()))} {match.message}")
    return found


def _by_the_cdk(batch: list[Templates]) -> list[set[str]]:
    """What the validation of `app.synth()` says of each; `refused` where it does not get so far."""
    import aws_cdk as cdk
    from aws_cdk import cloudformation_include as include

    import apps as _apps

    results: list[set[str]] = [set() for _ in batch]
    with tempfile.TemporaryDirectory() as directory:
        context = _apps.context()
        app = cdk.App(outdir=f"{directory}/out", context=context, analytics_reporting=False)
        for i, templates in enumerate(batch):
            for j, (name, content) in enumerate(templates.items()):
                file = Path(directory) / f"{i}-{j}-{name}"
                file.write_text(json.dumps(content))
                trial = cdk.Stack(cdk.App(), "Trial", synthesizer=_plain(cdk))
                try:
                    include.CfnInclude(trial, "Template", template_file=str(file))
                except (RuntimeError, TypeError) as error:
                    results[i].add(f"refused {str(error)[:200]}")
                    continue
                stack = cdk.Stack(app, f"S{i}x{j}", synthesizer=_plain(cdk))
                include.CfnInclude(stack, "Template", template_file=str(file))
        with contextlib.suppress(RuntimeError):  # that something was found is in the report
            app.synth()
        file = Path(directory) / "out" / "validation-report.json"
        if not file.is_file():  # one of them cannot even be synthesized
            if len(batch) == 1:
                return [{"refused"}]
            half = len(batch) // 2
            return [*_by_the_cdk(batch[:half]), *_by_the_cdk(batch[half:])]
        report = json.loads(file.read_text())
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for each in violation["violatingConstructs"]:
                place = each.get("constructPath") or each.get("path") or json.dumps(each)
                number = place.strip("/").partition("x")[0].removeprefix("S")
                if number.isdecimal():
                    results[int(number)].add(f"{violation['ruleName']} {place.partition('/')[2]}")
    return results


def _plain(cdk: Any) -> Any:
    return cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sound = {name: codes(templates) for name, templates in apps().items()}
    lint_sound = {name: _by_cfn_lint(templates) for name, templates in apps().items()}
    cdk_sound = dict(zip(apps(), _by_the_cdk(list(apps().values())), strict=True))

    mine: dict[str, Counter[str]] = defaultdict(Counter)
    asked: list[tuple[str, str, Templates]] = []
    seconds = 0.0
    for mutant in rows():
        new = True
        for name, templates in made(mutant):
            before = time.process_time()
            found = {code for code, *_ in codes(templates) - sound[name]}
            seconds += time.process_time() - before
            if mutant.code not in found and mutant.code in {c for c, *_ in sound[name]}:
                continue  # the app has it already, and says why
            mine[mutant.code]["made"] += 1
            mine[mutant.code]["found"] += mutant.code in found
            mine[mutant.code]["something"] += bool(found)
            if new:
                asked.append((mutant.code, name, templates))
                new = False
    print(f"{sum(c['made'] for c in mine.values())} mutants of the table by check: {seconds:.1f} s")

    strays = list(at_random(given.seed, given.random))
    others = [(name, templates) for _, name, templates in asked]
    others += [(name, templates) for name, _, templates in strays]
    before = time.perf_counter()
    lint = [_by_cfn_lint(templates) - lint_sound[name] for name, templates in others]
    print(f"cfn-lint: {time.perf_counter() - before:.0f} s")
    before = time.perf_counter()
    cdk: list[set[str]] = []
    for start in range(0, len(others), 50):
        batch = others[start : start + 50]
        found_by_cdk = _by_the_cdk([templates for _, templates in batch])
        cdk += [
            found - cdk_sound[name] for (name, _), found in zip(batch, found_by_cdk, strict=True)
        ]
    print(f"the CDK: {time.perf_counter() - before:.0f} s")
    PAGE.write_text(_page(mine, asked, strays, lint, cdk, sound, given.seed), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


def _page(
    mine: dict[str, Counter[str]],
    asked: list[tuple[str, str, Templates]],
    strays: list[tuple[str, str, Templates]],
    lint: list[set[str]],
    cdk: list[set[str]],
    sound: dict[str, Codes],
    seed: int,
) -> str:
    made_in_all = sum(counts["made"] for counts in mine.values())
    found_in_all = sum(counts["found"] for counts in mine.values())
    by_hundred: dict[str, Counter[str]] = defaultdict(Counter)
    for code, counts in mine.items():
        by_hundred[code[3]].update({k: counts[k] for k in ("made", "found")})
    for (code, _, _), by_lint, by_cdk in zip(asked, lint, cdk, strict=False):
        by_hundred[code[3]].update(asked=1, lint=bool(by_lint), cdk=bool(by_cdk))
    whole = sum(by_hundred.values(), Counter())
    first = len(asked)
    random_lint, random_cdk = lint[first:], cdk[first:]
    ours = [bool(codes(templates) - sound[name]) for name, _, templates in strays]
    either = [
        bool(a) or bool(b) or c for a, b, c in zip(random_lint, random_cdk, ours, strict=True)
    ]
    alone = [c and not a and not b for a, b, c in zip(random_lint, random_cdk, ours, strict=True)]
    missed = [o and not c for o, c in zip(either, ours, strict=True)]
    errors = sum(1 for found in sound.values() for code, *_ in found if _level(code) == "error")
    lines = [
        "<!-- Generated by `python -m tests.benchmark.mutants`; it takes some minutes. -->",
        "",
        "# Mutants",
        "",
        "How good are the checks of a template? Mistakes are made on purpose in the templates of",
        "[the apps](../apps), and whoever judges templates is asked. A mistake counts as found",
        "when something is told that was not told of the template without it; for `check`, when it",
        "is the code of the rule that was broken.",
        "",
        f"The table of mistakes ([mutations.py](../tests/benchmark/mutations.py)) has {first}, at",
        "least one for each rule that templates are judged by. Made "
        "in every app that has what they",
        f"take, they are {made_in_all} mutants, of which `pcs-constructs check` finds",
        f"**{found_in_all}**, {100 * found_in_all / made_in_all:.1f} "
        "%. cfn-lint and the CDK's own validation are",
        "asked about the first app of each.",
        "",
        "A mistake is in the table because there is a rule. So the "
        "number tells that no rule is lost",
        "on the way to a template, not that there are no other mistakes: those are further down.",
        "",
        "| rules | mistakes | check | cfn-lint | the CDK | mutants | check |",
        "|---|---|---|---|---|---|---|",
    ]
    for hundred, title in (*_TITLES.items(), ("", "**all**")):
        row = by_hundred[hundred] if hundred else whole
        found_first = _found_first(asked, sound, hundred)
        lines.append(
            f"| {title} | {row['asked']} | {found_first} | {row['lint']} | {row['cdk']} "
            f"| {row['made']} | {row['found']} |"
        )
    lines += [
        "",
        "## False alarms",
        "",
        f"In the {len(sound)} apps as they are, `check` finds {errors} errors. Its advice is",
        "acknowledged in the apps, with a reason, and then not told.",
        "",
        "## Values at random",
        "",
        f"{len(strays)} templates with one value changed or taken away at random (seed {seed}), in",
        "AWS PCS and FSx resources and launch templates. Not each "
        "change is a mistake: another tag is",
        f"as good as the one before. Something is found in {sum(either)} of them by anybody:",
        "",
        "| found by | |",
        "|---|---|",
        f"| check | {sum(ours)} |",
        f"| cfn-lint | {sum(map(bool, random_lint))} |",
        f"| the CDK | {sum(map(bool, random_cdk))} |",
        f"| check alone | {sum(alone)} |",
        f"| cfn-lint or the CDK, and not check | {sum(missed)} |",
        "",
        "The last row is why `check` is not meant to be alone: unknown properties and wrong types",
        "are for those who have the schemas.",
        "",
    ]
    return "\n".join(lines)


def _found_first(
    asked: list[tuple[str, str, Templates]], sound: dict[str, Codes], hundred: str
) -> int:
    return sum(
        code in {c for c, *_ in codes(templates) - sound[name]}
        for code, name, templates in asked
        if code[3].startswith(hundred)
    )


def _level(code: str) -> str:
    from pcs_constructs.rules import RULES

    return RULES[code].level.value


_TITLES: Final = {
    "1": "clusters",
    "2": "node groups",
    "3": "queues",
    "4": "networks",
    "5": "storage",
    "6": "launch templates",
    "7": "identity",
    "8": "Slurm settings",
    "9": "user data, lifecycle",
}

if __name__ == "__main__":
    main()
