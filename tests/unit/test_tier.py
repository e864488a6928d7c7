"""The fixture in conftest.py refuses the CDK; what modules import is followed in tests/docs."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["aws_cdk", "jsii", "constructs", "aws_cdk.aws_ec2"])
def test_fails_when_a_unit_test_imports_the_cdk(module: str) -> None:
    with pytest.raises(ImportError):
        import_module(module)
