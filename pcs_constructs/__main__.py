"""The command line: `pcs-constructs`, the same as `python -m pcs_constructs`. Never starts Node."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, cast

from pcs_constructs import rules

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: The words after the program's name. By default those it was called with.
    """
    parser = argparse.ArgumentParser(
        prog="pcs-constructs", description="What AWS PCS accepts, and why, without a network."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="print the page of a problem, or list all codes")
    explain.add_argument("codes", nargs="*", metavar="CODE", help="such as PCS201")
    found = parser.parse_args(arguments)
    try:
        return _explain(cast("list[str]", found.codes))
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        sys.stderr.close()
        return 0


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


if __name__ == "__main__":
    sys.exit(main())
