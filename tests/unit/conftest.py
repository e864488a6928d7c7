"""Nothing in this tier may import the CDK: it takes a second and starts Node.js."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_CDK = {"aws_cdk", "constructs", "jsii"}


@pytest.fixture(scope="module", autouse=True)
def without_the_cdk() -> Iterator[None]:
    """Let every import of the CDK fail while unit tests run, even if another tier imported it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _CDK.union(name for name in sys.modules if name.split(".")[0] in _CDK):
            patch.setitem(sys.modules, name, None)
        yield
