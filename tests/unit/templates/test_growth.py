"""That reading grows with what there is to read, and no faster: by counting, not by a clock."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis import check, diff, reach, slurm
from pcs_constructs.templates.nesting import Nesting
from pcs_constructs.templates.resolve import Stack
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.template import Template, parsed_together
from tests.benchmark import reading

if TYPE_CHECKING:
    from collections.abc import Callable

_COUNTED = (
    (Stack, "_reduced"),
    (Stack, "_linked"),
    (Stack, "passes"),
    (ResolvedTemplates, "_inside"),
    (Nesting, "template"),
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the functions that read are called."""
    counts: Counter[str] = Counter()
    for owner, name in _COUNTED:
        original = getattr(owner, name)

        def counted(*args: Any, _name: str = name, _original: Any = original) -> Any:
            counts[_name] += 1
            return _original(*args)

        monkeypatch.setattr(owner, name, counted)
    return counts


_COMMANDS: dict[str, Callable[[list[Template]], object]] = {
    "check": check.check,
    "diff": lambda templates: diff.compare(templates, templates),
    "reach": reach.judge,
    "slurm": slurm.configurations,
}


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("shape", [reading.chain, reading.siblings])
def test_twice_the_stacks_are_twice_the_work(
    shape: Callable[[int], reading.Contents], command: str, calls: Counter[str]
) -> None:
    counted: list[Counter[str]] = []
    for number in (15, 30, 60):
        calls.clear()
        _COMMANDS[command](parsed_together(shape(number)))
        counted.append(calls.copy())
    few, more, many = counted
    assert more.total() > few.total()
    # In a straight line: what 30 more cost is twice what 15 more cost.
    for name in many:
        assert many[name] - more[name] == 2 * (more[name] - few[name]), name


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_chain_of_300_stacks_is_read_to_its_end(command: str) -> None:
    together = parsed_together(reading.chain(300))
    _COMMANDS[command](together)
    (cluster,) = ResolvedTemplates(together).of_type("AWS::PCS::Cluster")
    assert cluster.known("Networking", "SubnetIds") == ["subnet-0123456789abcdef0"]
