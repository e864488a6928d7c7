"""The command line: `pcs-constructs`, the same as `python -m pcs_constructs`. Never starts Node."""

from __future__ import annotations

import sys

from pcs_constructs.commands.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
