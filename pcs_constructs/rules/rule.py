"""What a rule is, and the register of all of them.

A rule is a generator over one facts record, named as the sentence that should hold. Its docstring
is the page that ``explain`` prints. A fact may be UNKNOWN (a token): such a rule says nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast, dataclass_transform

from pcs_constructs.model.errors import Problem, Violation

F = TypeVar("F")
Test = Callable[[F], Iterator[Violation]]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def facts_record(facts: type[F]) -> type[F]:
    """Make a class a facts record: what a rule judges, by keywords, and never changed.

    That it is not changed is left to the type checker. What `dataclass` writes to enforce it, to
    compare and to show records takes two thirds of the time to make one of these classes.
    """
    return dataclass(slots=True, kw_only=True, eq=False, repr=False)(facts)


class Level(Enum):
    """How bad it is to break a rule."""

    ERROR = "error"
    """AWS PCS, EC2 or Slurm refuses it, ignores it, or nodes cannot work."""

    ADVICE = "advice"
    """It is legal and known to hurt; a user may acknowledge it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that should hold."""

    code: str
    """Its stable code."""

    level: Level
    """How bad it is to break it."""

    sentence: Callable[..., object]
    """What should hold: a function whose name says it and whose docstring is the page.

    It is also what judges, where there are facts to judge.
    """

    facts: type[object] | None = None
    """What it judges; `None` for what is refused before there are facts."""

    @property
    def name(self) -> str:
        """The sentence that should hold, as a name."""
        return self.sentence.__name__

    @property
    def page(self) -> str:
        """The whole explanation; its first line is the title."""
        return inspect.getdoc(self.sentence) or ""

    @property
    def title(self) -> str:
        """The rule in one sentence."""
        return self.page.partition("\n")[0]

    @property
    def test(self) -> Callable[[Any], Iterator[Violation]] | None:
        """How it judges; `None` where there are no facts."""
        return cast("Test[Any]", self.sentence) if self.facts else None


RULES: Final[dict[str, Rule]] = {}
"""The rules by their codes, of the modules that have been loaded: `rules.RULES` has all."""


def error(code: str, facts: type[F]) -> Callable[[Test[F]], Test[F]]:
    """Register a rule whose violation must be refused."""
    return _register(code, Level.ERROR, facts)


def advice(code: str, facts: type[F]) -> Callable[[Test[F]], Test[F]]:
    """Register a rule whose violation is worth a word."""
    return _register(code, Level.ADVICE, facts)


def _register(code: str, level: Level, facts: type[F]) -> Callable[[Test[F]], Test[F]]:
    def keep(test: Test[F]) -> Test[F]:
        _add(Rule(code, level, test, facts))
        return test

    return keep


def page(code: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the page of a code that is raised before there are facts to judge."""

    def keep(sentence: Callable[[], None]) -> Callable[[], None]:
        _add(Rule(code, Level.ERROR, sentence))
        return sentence

    return keep


def _add(rule: Rule) -> None:
    if rule.code in RULES:
        raise ValueError(f"{rule.code} is taken by {RULES[rule.code].name}")
    RULES[rule.code] = rule


def errors_in(*facts: object) -> tuple[Problem, ...]:
    """Everything in these facts that must be refused, in the order of the codes' registration."""
    return _judge(Level.ERROR, facts)


def advice_on(*facts: object) -> tuple[Problem, ...]:
    """Everything in these facts that is worth a word."""
    return _judge(Level.ADVICE, facts)


def _judge(level: Level, records: tuple[object, ...]) -> tuple[Problem, ...]:
    return tuple(
        Problem(code=code, **violation._asdict())
        for facts in records
        for code, test in _tests_of(type(facts), level)
        for violation in test(facts)
    )


@cache
def _tests_of(facts: type[object], level: Level) -> tuple[tuple[str, Test[Any]], ...]:
    return tuple(
        (rule.code, rule.test)
        for rule in RULES.values()
        if rule.test and rule.facts is facts and rule.level is level
    )
