"""That reading grows with what there is to read, and no faster: by counting, not by a clock."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis import check, diff, reach, slurm
from pcs_constructs.templates.nesting import Nesting
from pcs_constructs.templates.resolve import Stack
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.template import Template, TemplateError, parsed_together
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


@pytest.mark.parametrize("shape", [reading.chain, reading.siblings])
def test_what_belongs_together_is_found_with_one_look_around_each_stack(
    shape: Callable[[int], reading.Contents], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def around(stack: Stack) -> Stack | None:
        counts["around"] += 1
        return vars(stack)["around"]

    def put(stack: Stack, value: Stack | None) -> None:
        vars(stack)["around"] = value

    for number in (30, 200, 300):
        resolved = ResolvedTemplates(parsed_together(shape(number)))
        with monkeypatch.context() as patched:
            patched.setattr(Stack, "around", property(around, put), raising=False)
            counts.clear()
            (together,) = resolved.components()
        assert len(together) == len(resolved.stacks)
        assert counts["around"] == len(resolved.stacks)


@pytest.mark.parametrize("number", [30, 200, 300])
@pytest.mark.parametrize(("shape", "beside"), [(reading.chain, 0), (reading.siblings, 1)])
def test_each_nested_stack_is_made_once_and_looked_for_once(
    shape: Callable[[int], reading.Contents],
    beside: int,
    number: int,
    calls: Counter[str],
) -> None:
    resolved = ResolvedTemplates(parsed_together(shape(number)))
    nested = number - 1 + beside
    assert len(resolved.stacks) == nested + 1
    assert calls["_inside"] == nested
    # Once for the templates that there may be, once for the one that it is.
    assert calls["template"] == 2 * nested


@pytest.mark.parametrize("command", ["check", "reach", "slurm"])
def test_a_chain_longer_than_python_can_call_is_read(command: str) -> None:
    _COMMANDS[command](parsed_together(reading.chain(1500)))


def test_a_chain_that_cannot_be_followed_to_its_end_is_told() -> None:
    with pytest.raises(TemplateError, match="refers to itself in too long a chain"):
        _COMMANDS["diff"](parsed_together(reading.chain(1500)))
