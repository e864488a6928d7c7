"""`check`: what AWS PCS, EC2 or Slurm would refuse in templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.commands.deployment import add_parameters, add_stack_names, deployment
from pcs_constructs.model.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_SUPPRESSIONS: Final = "pcs-check.toml"
"""What `check` reads where it is."""


HELP: Final = "what AWS PCS, EC2 or Slurm would refuse in any CloudFormation template"
DESCRIPTION: Final = (
    "Judges templates by the rules of the constructs. Exits with 1 if something is "
    "as bad as --fail-on says, and with 2 if a file cannot be read."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a template in JSON or YAML, or a directory of them such as cdk.out; all together, "
        "since they may refer to each other",
    )
    parser.add_argument(
        "--fail-on",
        choices=["error", "advice"],
        default="error",
        help="the least level to fail on; by default %(default)s",
    )
    parser.add_argument(
        "--suppressions",
        metavar="FILE",
        help="a file that says what is right as it is; by default pcs-check.toml if there is one",
    )
    add_parameters(parser)
    add_stack_names(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for scripts, with every fact")
    shape.add_argument("--sarif", action="store_true", help="for code scanning, SARIF 2.1.0")
    shape.add_argument("--github", action="store_true", help="as annotations of a pull request")
    parser.add_argument(
        "--source",
        metavar="FILE",
        help="with --github: the program that made the templates, such as app.py, which is in the "
        "pull request while they are not",
    )


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    # Imported here, so that the other commands start quickly.
    from pcs_constructs.analysis import check
    from pcs_constructs.commands import reading

    if given.source is not None and not (given.github and Path(given.source).is_file()):
        raise InputError(f"--source {given.source}: is for --github, and a file that is there")
    file = cast("str | None", given.suppressions)
    templates = reading.templates(given, *cast("list[str]", given.paths))
    suppressions = check.from_templates(templates)
    if file is not None or Path(_SUPPRESSIONS).is_file():
        suppressions += check.from_file(Path(file or _SUPPRESSIONS))
    said = deployment(given, templates)
    result = check.without_suppressed(
        check.check(templates, today=str(given.today), given=said), templates, suppressions
    )
    if given.json:
        print(json.dumps(check.as_data(result), indent=1))
    elif given.sarif:
        print(json.dumps(check.as_sarif(result), indent=1))
    elif given.github:
        print(check.as_annotations(result, cast("str | None", given.source)))
    else:
        print(check.as_text(result))
    failing = {"error", cast("str", given.fail_on)}
    return 1 if any(finding.level.value in failing for finding in result.findings) else 0
