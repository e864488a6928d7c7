"""Fixtures for pytest: `pytest_plugins = ["pcs_constructs.fixtures"]` in your `conftest.py`.

def test_the_cluster_can_be_deployed(cdk_app, deployable):
    deployable(Hpc(cdk_app, "Hpc"))
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from pcs_constructs.testing import assert_deployable

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def cdk_app(pytestconfig: pytest.Config, tmp_path: Path) -> cdk.App:
    """An app with the context of the project's `cdk.json`, which `cdk.App()` alone does not read.

    The file is looked for in the directory that pytest takes for the project's.
    """
    file = Path(pytestconfig.rootpath) / "cdk.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return cdk.App(context=content.get("context"), outdir=str(tmp_path), analytics_reporting=False)


@pytest.fixture
def deployable() -> Callable[..., None]:
    """Fails the test if what is in a stack or an app cannot be deployed: `assert_deployable`."""
    return assert_deployable
