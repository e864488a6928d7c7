"""Nothing in this tier may import the CDK: it takes a second and starts Node.js."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def without_the_cdk() -> Iterator[None]:
    """Let every import of the CDK fail while unit tests run; test_tier.py looks at the rest."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("aws_cdk", "constructs", "jsii"):
            patch.setitem(sys.modules, name, None)
        yield
