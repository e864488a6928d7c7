"""What the tests that start services share; where a service is missing they are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apps.conftest import app, synthesized
from tests.services.slurm import Slurm, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["app", "slurm", "synthesized"]


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    """A real Slurm, where there is one."""
    with installed() as slurm:
        yield slurm
