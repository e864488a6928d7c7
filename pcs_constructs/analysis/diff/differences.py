"""What changes in the properties of resources, and which of those CloudFormation replaces."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pcs_constructs.analysis.diff.change import Reason
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.facts.evidence import written
from pcs_constructs.templates.types import LAUNCH_TEMPLATE, NOUNS
from pcs_constructs.templates.values import as_text, choice, is_function, literal, shown, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.analysis.diff.update import Update
    from pcs_constructs.templates.document import Step
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_NEW_VERSION: Final = ("LaunchTemplateData", "VersionDescription")
"""The properties of a launch template that make a new version of it."""

_LONGEST: Final = 60  # characters of a value that are shown

_NOT_KNOWN: Final = "written differently; whether the value changes is not known"


class Difference(NamedTuple):
    """A value that changes, or may."""

    reason: Reason
    """What is told of it."""

    before: Any = None
    """The value as it was; `None` for none, and where it is only what it refers to that changes."""

    after: Any = None
    """The value as it will be."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where two values are that are compared."""

    before: ResolvedResource
    after: ResolvedResource
    path: Path = ()
    """As it is told."""

    ours: Path = ()
    """Where the value was, in the properties of the resource."""

    theirs: Path = ()
    """Where it will be."""

    when: tuple[str, ...] = ()
    """The conditions under which these are the values."""

    def at(self, step: Step) -> _Place:
        """A property of the same name in both."""
        return self.between(step, step, step)

    def between(self, step: Step, ours: Step | None, theirs: Step | None) -> _Place:
        """What is told of as a step, and is at some index on each side, or on one of them."""
        return replace(
            self,
            path=(*self.path, step),
            ours=self.ours if ours is None else (*self.ours, ours),
            theirs=self.theirs if theirs is None else (*self.theirs, theirs),
        )

    def under(self, condition: str) -> _Place:
        """The same place, if something holds."""
        return replace(self, when=(*self.when, condition))


class Differences:
    """What changes in an update, resource by resource."""

    def __init__(self, update: Update) -> None:
        self._update = update
        self._replaced: dict[ResolvedResource, tuple[Reason, ...]] = {}
        self._followed: set[tuple[ResolvedResource, str]] = set()

    def of(
        self, before: ResolvedResource, after: ResolvedResource, *path: str
    ) -> Iterator[Difference]:
        """What changes in the properties of a resource, or inside of one of them."""
        # Inside of what is not known the whole of that is compared.
        while path and UNKNOWN in (before.get(*path), after.get(*path)):
            path = path[:-1]
        place = _Place(before, after, path, path, path)
        yield from self._compared(place, before.get(*path), after.get(*path))

    def replacement(self, resource: ResolvedResource) -> tuple[Reason, ...]:
        """Why CloudFormation replaces a new resource; empty if it does not."""
        cached = self._replaced.get(resource)
        if cached is None:
            self._replaced[resource] = ()  # whatever refers to itself
            before = self._update.before(resource)
            cached = self._replaced[resource] = (
                ()
                if before is None
                else tuple(
                    difference.reason
                    for name in CREATE_ONLY.get(resource.type, ())
                    for difference in self.of(before, resource, *name.split("/"))
                )
            )
        return cached

    def is_made(self, resource: ResolvedResource) -> bool:
        """Whether a new resource is made, be it in the place of an old one."""
        return self._update.before(resource) is None or bool(self.replacement(resource))

    def leaves(self, resource: ResolvedResource) -> Reason | None:
        """Why a new resource may go that was there: what it is conditional on changes.

        `None` also where it is seen that it stays, or that it was not there.
        """
        before = self._update.before(resource)
        if before is None:
            return None
        maker = self._update.maker(resource.stack)
        # A nested stack goes with all that is in it.
        return self._leaves(before, resource) or (self.leaves(maker) if maker else None)

    def _leaves(self, before: ResolvedResource, resource: ResolvedResource) -> Reason | None:
        was, is_ = before.declared.condition, resource.declared.condition
        if resource.exists is True or self._condition(before) == self._condition(resource):
            return None
        doubt = "it goes"
        if resource.exists is UNKNOWN:
            doubt = "taken not to hold: that is not known"
        if was != is_:
            return Reason(path="Condition", before=was, after=is_, because=doubt)
        because = f"{is_} is defined differently; {doubt}"
        return Reason(path="Condition", before=None, after=None, because=because)

    def _condition(self, resource: ResolvedResource) -> Any:
        name = resource.declared.condition
        return None if name is None else self._update.condition(resource, name)

    # Values.

    def _compared(self, place: _Place, before: Any, after: Any) -> Iterator[Difference]:
        mappings = _mapping(before, after), _mapping(after, before)
        lists = _list(before, after), _list(after, before)
        if mappings[0] is not None and mappings[1] is not None:
            for name in dict.fromkeys((*mappings[0], *mappings[1])):
                yield from self._compared(
                    place.at(name), mappings[0].get(name), mappings[1].get(name)
                )
        elif lists[0] is not None and lists[1] is not None:
            yield from self._lists(place, lists[0], lists[1])
        elif self._ours(place, before) == self._theirs(place, after):
            yield from self._referred(place, after)
        else:
            yield from self._chosen(place, before, after)

    def _ours(self, place: _Place, value: Any) -> Any:
        return self._update.comparable(place.before, value)

    def _theirs(self, place: _Place, value: Any) -> Any:
        return self._update.comparable(place.after, value)

    def _chosen(self, place: _Place, before: Any, after: Any) -> Iterator[Difference]:
        """What changes where a condition that nobody knows may choose the values."""
        ours, theirs = choice(before), choice(after)
        if ours and theirs:
            conditions = (
                self._update.condition(place.before, ours.condition),
                self._update.condition(place.after, theirs.condition),
            )
            if conditions[0] != conditions[1]:
                yield self._difference(place, before, after)
                return
        chosen = ours or theirs
        if chosen is None:
            yield self._difference(place, before, after)
            return
        for number, word in ((1, "if"), (2, "unless")):
            yield from self._compared(
                place.under(f"{word} {chosen.condition}"),
                ours[number] if ours else before,
                theirs[number] if theirs else after,
            )

    def _lists(self, place: _Place, before: list[Any], after: list[Any]) -> Iterator[Difference]:
        names = _settings(before), _settings(after)
        if names[0] is not None and names[1] is not None:
            for name in dict.fromkeys((*names[0], *names[1])):
                mine, yours = names[0].get(name), names[1].get(name)
                at = place.between(name, mine, yours)
                yield from self._compared(at, _value_of(before, mine), _value_of(after, yours))
            return
        ours = [json.dumps(self._ours(place, item), sort_keys=True) for item in before]
        theirs = [json.dumps(self._theirs(place, item), sort_keys=True) for item in after]
        gone, added = _without(ours, theirs), _without(theirs, ours)
        if not gone and not added and ours != theirs:
            because = "only the order changes, and whether that counts is not said"
            yield Difference(_because(place, because))
        for kept in sorted(set(range(len(after))).difference(added)):
            yield from self._referred(place.between(kept, None, kept), after[kept])
        for mine, yours in zip_longest(gone, added):
            index: int = mine if yours is None else yours
            yield from self._compared(
                place.between(index, mine, yours),
                None if mine is None else before[mine],
                None if yours is None else after[yours],
            )

    # What values refer to.

    def _referred(self, place: _Place, value: Any) -> Iterator[Difference]:
        """What changes about what a value refers to that is the same as before."""
        for resource, attribute in place.after.references(value):
            for reason in self._pointed(place, resource, attribute):
                yield Difference(reason)

    def _pointed(
        self, place: _Place, resource: ResolvedResource, attribute: str
    ) -> Iterator[Reason]:
        before = self._update.before(resource)
        if before is None:
            return
        called = self._update.called(resource, beside=place.after.stack)
        if gone := self.leaves(resource):
            yield _because(place, f"{called} may go: {gone}")
        elif why := self.replacement(resource):
            # Why a resource of AWS PCS is replaced, its own record says.
            cause = "" if resource.type in NOUNS else f": {why[0]}"
            yield _because(place, f"{called} is replaced{cause}")
        elif (resource, attribute) not in self._followed:  # or it refers to itself
            self._followed.add((resource, attribute))
            try:
                yield from self._valued(place, before, resource, attribute)
            finally:  # also where nobody wants to know the rest
                self._followed.remove((resource, attribute))

    def _valued(
        self, place: _Place, before: ResolvedResource, resource: ResolvedResource, attribute: str
    ) -> Iterator[Reason]:
        """What changes about an attribute of a resource that stays."""
        called = self._update.called(resource, beside=place.after.stack)
        if resource.type == LAUNCH_TEMPLATE and attribute == "LatestVersionNumber":
            for name in _NEW_VERSION:
                for reason, *_ in self.of(before, resource, name):
                    yield replace(reason, because=reason.because or f"in {called}")
        elif attribute in resource.properties:
            for reason, *_ in self.of(before, resource, attribute):
                yield replace(reason, path=written(place.path))

    # What is told.

    def _difference(self, place: _Place, before: Any, after: Any) -> Difference:
        path = written(place.path)
        told = self._shown(place.before, before), self._shown(place.after, after)
        texts = _text(before), _text(after)
        because: str | None = None
        if texts[0] and texts[1] and "\n" in texts[0] + texts[1]:
            line, *lines = _first_line_that_differs(texts[0], texts[1])
            path = f"{path}, line {line}" if line else path
            told = _quoted(lines[0]), _quoted(lines[1])
        elif place.before.follow(before) and place.after.follow(after):
            because = "another resource"
        elif told[0] == told[1] and not isinstance(after, str):
            because = f"what {'its conditions are' if choice(after) else 'it refers to'} changes"
        elif not (_is_known(before, after) and _is_known(after, before)):
            because = _NOT_KNOWN
        because = self._parameter(place) or because
        if told[0] == told[1] and because:
            told = None, None
        words = [*([because] if because else []), *place.when]
        if place.when:
            words.append("which is not known")
        reason = Reason(
            path=path, before=told[0], after=told[1], because=", ".join(words) if words else None
        )
        return Difference(reason, before, after)

    def _parameter(self, place: _Place) -> str | None:
        """The parameter that changes a value which is written as before."""
        before, after = place.before, place.after
        raw = within(before.declared.properties, *place.ours)
        if raw is None or raw != within(after.declared.properties, *place.theirs):
            return None
        for name in after.stack.parameters_in(raw):
            if before.stack.said(name) == after.stack.said(name):
                continue
            given = (
                *self._update.old.given.parameters_of(before.template),
                *self._update.new.given.parameters_of(after.template),
            )
            if after.stack.around is None and name in given:
                return f"as its parameter {name} is given"
            return f"if the stack is deployed with the new default of its parameter {name}"
        return None

    def _shown(self, resource: ResolvedResource, value: Any) -> str | None:
        """A value, shortly."""
        if value is None:
            return None
        if isinstance(value, str | bool | int | float):
            return _quoted(as_text(value))
        _, passed = resource.stack.linked(value)
        chosen = choice(value) or (choice(passed) if literal(passed) is UNKNOWN else None)
        if chosen and (passed is value or not any(map(is_function, chosen[1:]))):
            one, other = (self._shown(resource, v) or "nothing" for v in chosen[1:])
            return f"{one} if {chosen.condition}, else {other}"
        target = resource.reference(value)
        if target is None:
            return _shortened(_plain(value))
        if target[0].type in NOUNS:
            return self._update.called(target[0], beside=resource.stack)
        label = self._update.label(target[0], beside=resource.stack)
        return f"{label}.{target[1]}" if target[1] else label


def _because(place: _Place, because: str) -> Reason:
    return Reason(path=written(place.path), before=None, after=None, because=because)


def _mapping(value: Any, other: Any) -> Mapping[str, Any] | None:
    """A mapping that is no function of CloudFormation; an empty one beside one of those."""
    if value is None:
        return {} if other is not None and _mapping(other, other) is not None else None
    if not isinstance(value, dict) or is_function(cast("object", value)):
        return None
    return cast("Mapping[str, Any]", value)


def _list(value: Any, other: Any) -> list[Any] | None:
    """A list; an empty one beside one."""
    if value is None:
        return [] if isinstance(other, list) else None
    return cast("list[Any]", value) if isinstance(value, list) else None


def _settings(items: list[Any]) -> dict[str, int] | None:
    """Where Slurm settings are, by their names: the order of those has no meaning."""
    settings: dict[str, int] = {}
    for i, item in enumerate(items):
        match item:
            case {"ParameterName": str() as name, "ParameterValue": _} if name not in settings:
                settings[name] = i
            case _:
                return None
    return settings


def _value_of(settings: list[Any], index: int | None) -> Any:
    return None if index is None else settings[index]["ParameterValue"]


def _without(items: Sequence[str], others: Sequence[str]) -> list[int]:
    """The places of the items that are not among the others, each of those counted once."""
    left, places = list(others), list[int]()
    for place, item in enumerate(items):
        if item in left:
            left.remove(item)
        else:
            places.append(place)
    return places


def _is_known(value: Any, other: Any) -> bool:
    """Whether it is known that a value is not the other one; of a function mostly it is not."""
    return literal(value) is not UNKNOWN or (other is None and choice(value) is None)


def _first_line_that_differs(before: str, after: str) -> tuple[int | None, str, str]:
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    for number, (ours, theirs) in enumerate(pairs, 1):
        if ours != theirs:
            return number, ours.strip(), theirs.strip()
    return None, before, after


def _text(value: Any) -> str | None:
    """A text as it is shown, whole; `None` for what is none."""
    is_text = isinstance(value, str) or is_function(value)
    return shown(value) if is_text else None


def _plain(value: Any) -> str:
    """A value with what stands for its functions, lists and mappings as JSON has them."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, cast('list[Any]', value)))}]"
    if isinstance(value, dict) and not is_function(cast("object", value)):
        items = cast("dict[str, Any]", value).items()
        return f"{{{', '.join(f'{json.dumps(k)}: {_plain(v)}' for k, v in items)}}}"
    return shown(value)


def _quoted(text: str) -> str:
    return f"'{_shortened(text)}'"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
