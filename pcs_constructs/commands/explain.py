"""`explain`: the pages of problems."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs import rules

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


HELP: Final = "print the page of a problem, or list all codes"
DESCRIPTION: Final = None


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("codes", nargs="*", metavar="CODE", help="such as PCS201")


def run(given: Namespace) -> int:
    """Run the command and return its exit status."""
    codes = cast("list[str]", given.codes)
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
