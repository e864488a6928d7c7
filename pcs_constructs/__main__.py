"""The command line: `pcs-constructs`, the same as `python -m pcs_constructs`. Never starts Node."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs import instances, rules

if TYPE_CHECKING:
    from collections.abc import Sequence


_FAIL_ON: Final = (
    "in-place",
    "nodes-replaced",
    "sessions-end",
    "jobs-fail",
    "replaced",
    "records-lost",
    "removed",
    "lost",
    "refused",
)
"""What `diff` can fail on, the least first. What would be refused always counts."""

_SUPPRESSIONS: Final = "pcs-check.toml"
"""What `check` reads where it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: The words after the program's name. By default those it was called with.
    """
    parser = argparse.ArgumentParser(
        prog="pcs-constructs", description="What AWS PCS accepts, and why, without a network."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    explain = commands.add_parser("explain", help="print the page of a problem, or list all codes")
    explain.add_argument("codes", nargs="*", metavar="CODE", help="such as PCS201")
    types = commands.add_parser("instances", help="list the catalogue of instance types")
    types.add_argument(
        "filters",
        nargs="*",
        metavar="FILTER",
        help="such as hpc7a or 'c7i.*xlarge'; all by default",
    )
    types.add_argument("--json", action="store_true", help="for scripts, with every fact")
    slurm = commands.add_parser("slurm", help="show templates in the words of slurm.conf")
    slurm.add_argument(
        "templates",
        nargs="+",
        metavar="TEMPLATE",
        help="such as cdk.out/MyStack.template.json, or cdk.out for all that are in there",
    )
    slurm.add_argument(
        "--out", metavar="DIR", help="write slurm.conf and others there, for each of some clusters"
    )
    diff = commands.add_parser(
        "diff",
        help="what deploying a template over another does to clusters, node groups and queues",
        description="Compares two templates, or two cdk.out directories. Exits with 1 if something "
        "is as bad as --fail-on says or would be refused, and with 2 if a file cannot be read.",
    )
    diff.add_argument("old", metavar="OLD", help="what is deployed: a template, or a cdk.out")
    diff.add_argument("new", metavar="NEW", help="what is to be deployed")
    diff.add_argument(
        "--fail-on",
        choices=_FAIL_ON,
        default="replaced",  # what a deployment cannot bring back; nodes come and go anyway
        metavar="EFFECT",
        help=f"the least effect to fail on: {', '.join(_FAIL_ON)}; by default %(default)s",
    )
    diff.add_argument("--json", action="store_true", help="for scripts, with every fact")
    reach = commands.add_parser(
        "reach",
        help="whether all that a cluster needs can be reached, and by which rules and routes",
        description="Judges templates that are deployed together, or a cdk.out directory. Exits "
        "with 1 if something cannot be reached, and with 2 if a file cannot be read.",
    )
    reach.add_argument("templates", nargs="+", metavar="TEMPLATE", help="or a cdk.out")
    reach.add_argument("--strict", action="store_true", help="exit with 1 for unknown as for no")
    form = reach.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for scripts, with every fact")
    form.add_argument("--mermaid", action="store_true", help="a drawing, for Markdown")
    check = commands.add_parser(
        "check",
        help="what AWS PCS, EC2 or Slurm would refuse in any CloudFormation template",
        description="Judges templates by the rules of the constructs. Exits with 1 if something is "
        "as bad as --fail-on says, and with 2 if a file cannot be read.",
    )
    check.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a template in JSON or YAML, or a directory of them such as cdk.out; all together, "
        "since they may refer to each other",
    )
    check.add_argument(
        "--fail-on",
        choices=["error", "advice"],
        default="error",
        help="the least level to fail on; by default %(default)s",
    )
    check.add_argument(
        "--suppressions",
        metavar="FILE",
        help="a file that says what is right as it is; by default pcs-check.toml if there is one",
    )
    shape = check.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for scripts, with every fact")
    shape.add_argument("--sarif", action="store_true", help="for code scanning, SARIF 2.1.0")
    shape.add_argument("--github", action="store_true", help="as annotations of a pull request")
    found = parser.parse_args(arguments)
    try:
        if found.command == "check":
            return _check(found)
        if found.command == "diff":
            return _diff(
                cast("str", found.old),
                cast("str", found.new),
                fail_on=cast("str", found.fail_on),
                as_json=cast("bool", found.json),
            )
        if found.command == "reach":
            return _reach(
                cast("list[str]", found.templates),
                strict=cast("bool", found.strict),
                form="json" if found.json else "mermaid" if found.mermaid else "text",
            )
        if found.command == "explain":
            return _explain(cast("list[str]", found.codes))
        if found.command == "slurm":
            return _slurm(cast("list[str]", found.templates), cast("str | None", found.out))
        return _instances(cast("list[str]", found.filters), as_json=cast("bool", found.json))
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        sys.stderr.close()
        return 0


def _diff(old: str, new: str, *, fail_on: str, as_json: bool) -> int:
    # Imported here, so that the other commands start as quickly as before.
    from pcs_constructs import changes, template

    try:
        found = changes.compare(template.read(old), template.read(new))
    except template.TemplateError as reason:
        print(reason, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(changes.as_data(found), indent=1))
    else:
        print(changes.as_text(found))
    least = _FAIL_ON.index(fail_on)
    failed = any(
        change.refusals
        or (change.effect.word in _FAIL_ON and _FAIL_ON.index(change.effect.word) >= least)
        for change in found
    )
    return 1 if failed else 0


def _reach(paths: Sequence[str], *, strict: bool, form: str) -> int:
    # Imported here, so that the other commands start as quickly as before.
    from pcs_constructs import reach, template

    try:
        flows = reach.judge(template.read(*paths))
    except template.TemplateError as reason:
        print(reason, file=sys.stderr)
        return 2
    if form == "json":
        print(json.dumps(reach.as_data(flows), indent=1))
    else:
        print(reach.as_mermaid(flows) if form == "mermaid" else reach.as_text(flows))
    least = reach.Verdict.YES if strict else reach.Verdict.UNKNOWN
    return 1 if any(flow.verdict < least for flow in flows) else 0


def _check(given: argparse.Namespace) -> int:
    # Imported here, so that the other commands start as quickly as before.
    from pcs_constructs import check, template

    file = cast("str | None", given.suppressions)
    try:
        templates = template.read(*cast("list[str]", given.paths))
        suppressions = check.from_templates(templates)
        if file is not None or Path(_SUPPRESSIONS).is_file():
            suppressions += check.from_file(Path(file or _SUPPRESSIONS))
    except (template.TemplateError, check.SuppressionError) as reason:
        print(reason, file=sys.stderr)
        return 2
    result = check.without_suppressed(check.check(templates), templates, suppressions)
    if given.json:
        print(json.dumps(check.as_data(result), indent=1))
    elif given.sarif:
        print(json.dumps(check.as_sarif(result), indent=1))
    elif given.github:
        print(check.as_annotations(result))
    else:
        print(check.as_text(result))
    failing = {"error", cast("str", given.fail_on)}
    return 1 if any(finding.level.value in failing for finding in result.findings) else 0


def _explain(codes: Sequence[str]) -> int:
    if not codes:
        for code, rule in sorted(rules.RULES.items()):
            print(f"{code}  {rule.level.value:<6}  {rule.title}")
        return 0
    unknown = [code for code in codes if code.upper() not in rules.RULES]
    for code in unknown:
        print(f"there is no problem {code}; 'explain' alone lists all codes", file=sys.stderr)
    pages = [rules.RULES[code.upper()] for code in codes if code not in unknown]
    print("\n\n".join(f"{rule.code} ({rule.level.value})\n\n{rule.page}" for rule in pages))
    return 2 if unknown else 0


def _instances(filters: Sequence[str], *, as_json: bool) -> int:
    names = [n for n in instances.names() if not filters or any(_matches(n, f) for f in filters)]
    found = list(instances.known(names).values())
    if not found:
        print(f"no instance type matches {' or '.join(filters)}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps([dataclasses.asdict(facts) for facts in found], indent=1))
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
            for facts in found
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print(f"\n{len(found)} types, from {instances.source()}")
    return 0


def _slurm(paths: Sequence[str], out: str | None) -> int:
    from pcs_constructs import slurm_conf, template

    try:
        found = slurm_conf.configurations(template.read(*paths))
    except template.TemplateError as reason:
        print(reason, file=sys.stderr)
        return 2
    if not found:
        print(f"{', '.join(paths)}: no resource of AWS PCS is in there", file=sys.stderr)
        return 2
    if out is None:
        texts = [c.text(file) for c in found for file in slurm_conf.FILES if c.lines[file]]
        print("\n".join(texts), end="")
        return 0
    try:
        for configuration in found:
            directory = Path(out, configuration.directory) if len(found) > 1 else Path(out)
            directory.mkdir(parents=True, exist_ok=True)
            for file in slurm_conf.FILES:
                (directory / file).write_text(configuration.text(file), encoding="utf-8")
    except OSError as reason:
        print(f"{reason.filename}: {reason.strerror}", file=sys.stderr)
        return 2
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


if __name__ == "__main__":
    sys.exit(main())
