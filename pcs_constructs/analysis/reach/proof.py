"""Why something gets through, or does not: a verdict with its reasons, in three values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.resolved import ResolvedResource


class Verdict(IntEnum):
    """Whether traffic gets through: of parts that are all needed the least counts."""

    NO = 0
    """It does not, whatever is deployed beside these templates."""

    UNKNOWN = 1
    """It depends on what is not in the templates, or is known to CloudFormation only."""

    YES = 2
    """It does."""

    @property
    def word(self) -> str:
        """The name, as it is written on the command line."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Location:
    """A resource, or a rule inside of one, that lets something through."""

    resource: ResolvedResource
    """The resource."""

    place: str = ""
    """Where in it the rule is, such as `SecurityGroupIngress[0]`; empty for all of it."""

    @property
    def name(self) -> str:
        """What people know it by, and where in it."""
        return f"{self.resource.title}.{self.place}" if self.place else self.resource.title

    @property
    def certain(self) -> bool:
        """Whether it is deployed in any case, and not under a condition."""
        return self.resource.certain


@dataclass(frozen=True, slots=True)
class Fact:
    """One reason, on its own."""

    verdict: Verdict
    """What it says."""

    words: str
    """What it is, or what is missing."""

    location: Location | None = None
    """What makes it so; without that it would be NO."""

    fix: str = ""
    """What to do about it, where it is missing."""


@dataclass(frozen=True, slots=True)
class Every:
    """Reasons that are all needed."""

    parts: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Reasons of which one is enough."""

    parts: tuple[Proof, ...]

    otherwise: Fact
    """What to say where none of them is."""

    beside: bool = False
    """Whether to say that beside what is wrong with one: it is another way to mend it."""


@dataclass(frozen=True, slots=True)
class Instead:
    """What takes the place of something else, as an endpoint does of the way to the internet."""

    location: Location
    """What takes the place."""

    then: Proof
    """What is judged with it, for better or worse."""

    otherwise: Proof
    """What would be judged without it."""


Proof = Fact | Every | Some | Instead


def let_through(location: Location, words: str = "", verdict: Verdict = Verdict.YES) -> Fact:
    """A reason that stands in a template; UNKNOWN where it is there under a condition only."""
    if not location.certain:
        return Fact(min(verdict, Verdict.UNKNOWN), f"{location.name} has a condition", location)
    return Fact(verdict, words, location)


def verdict_of(proof: Proof, without: Location | None = None) -> Verdict:
    """The verdict of a proof, or what it would be without a location."""
    match proof:
        case Fact():
            gone = proof.location is not None and proof.location == without
            return Verdict.NO if gone else proof.verdict
        case Every():
            return min((verdict_of(p, without) for p in proof.parts), default=Verdict.YES)
        case Some():
            parts = (*proof.parts, proof.otherwise)
            return max(verdict_of(part, without) for part in parts)
        case Instead():
            otherwise = verdict_of(proof.otherwise, without)
            if proof.location == without:
                return otherwise
            then = verdict_of(proof.then, without)
            return then if proof.location.certain or then == otherwise else Verdict.UNKNOWN


def evidence(proof: Proof) -> Iterator[Location]:
    """What makes the verdict YES: of several locations that would do, the first."""
    match proof:
        case Fact():
            if proof.location is not None:
                yield proof.location
        case Every():
            for part in proof.parts:
                yield from evidence(part)
        case Some():
            if proof.parts:
                yield from evidence(max(proof.parts, key=verdict_of))
        case Instead():
            yield proof.location
            yield from evidence(proof.then)


def complaints(proof: Proof) -> Iterator[Fact]:
    """What makes the verdict less than YES."""
    verdict = verdict_of(proof)
    if verdict is Verdict.YES:
        return
    match proof:
        case Fact():
            yield proof
        case Every():
            for part in proof.parts:
                if verdict_of(part) is verdict:
                    yield from complaints(part)
        case Some():
            wrong = [part for part in proof.parts if verdict_of(part) is verdict]
            if proof.otherwise.verdict is verdict and (proof.beside or not wrong):
                yield proof.otherwise
            for part in wrong:
                yield from complaints(part)
        case Instead():
            if not proof.location.certain:
                yield Fact(verdict, f"{proof.location.name} has a condition", proof.location)
            yield from complaints(proof.then)


def locations_in(proof: Proof) -> set[Location]:
    """Everything that a proof speaks of."""
    match proof:
        case Fact():
            return set() if proof.location is None else {proof.location}
        case Every():
            return set[Location]().union(*map(locations_in, proof.parts))
        case Some():
            return locations_in(proof.otherwise).union(*map(locations_in, proof.parts))
        case Instead():
            return {proof.location} | locations_in(proof.then) | locations_in(proof.otherwise)


def needed(proof: Proof) -> frozenset[Location]:
    """The locations without each of which the verdict would be NO."""
    return frozenset(t for t in locations_in(proof) if verdict_of(proof, t) is Verdict.NO)
