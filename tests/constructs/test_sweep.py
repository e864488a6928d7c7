"""No argument of a wrong kind gets as far as jsii, whatever it is given to."""

from __future__ import annotations

from functools import cache

import pytest

import pcs_constructs as pcs
from tests.constructs import sweep


@cache
def _sound() -> sweep.Sound:
    return sweep.Sound()


def _told(case: sweep.Case) -> str | None:
    """What was not as it should be."""
    try:
        case.call(**case.arguments)
    except pcs.PcsValidationError as error:
        arguments = {problem.argument.partition("[")[0] for problem in error.problems}
        named = "scaling" if case.name.startswith("Scaling") else case.argument
        return None if named in arguments else f"{case} is told of {arguments}"
    except BaseException as error:
        return f"{case} ends in {type(error).__name__}: {error}"
    return f"{case} is accepted"


@pytest.fixture(scope="module")
def paths() -> set[str]:
    return {construct.node.path for construct in _sound().stack.node.root.node.find_all()}


def test_every_argument_of_a_wrong_kind_is_refused_by_its_name(paths: set[str]) -> None:
    """With nothing left in the tree, which would spoil the corrected retry."""
    cases = [
        case
        for name, call in sweep.callables(_sound())
        for case in sweep.cases(_sound(), name, call)
    ]
    assert len(cases) > 35_000
    assert [told for case in cases if (told := _told(case))] == []
    after = {construct.node.path for construct in _sound().stack.node.root.node.find_all()}
    assert after == paths


def test_what_the_sweep_takes_for_sound_is_sound() -> None:
    sound = _sound()
    names = {name for name, _ in sweep.callables(sound)}
    assert {"Cluster", "Cluster.add_queue", "Capacity.spot", "EfsStorage.grant_read"} <= names
