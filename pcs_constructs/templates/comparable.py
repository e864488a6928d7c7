"""When values of two stacks are the same: those of a stack as it is, and as it will be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.scenarios import conditions_in
from pcs_constructs.templates.values import as_text, is_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from pcs_constructs.templates.resolve import Stack


class Comparable:
    """Makes values such that two are equal if they surely are the same.

    What refers to a resource is the same wherever it is written and however it gets there, a number
    and its text are, and what an `Fn::If` chooses if its condition goes by the same.

    Args:
        key: What a stack is known by on both sides; `None` where only one side has it. What leads
            into such a stack is compared as it is written.
    """

    def __init__(self, key: Callable[[Stack], str | None]) -> None:
        self._key = key
        self._followed: set[tuple[int, str]] = set()

    def of(self, stack: Stack, value: Any) -> Any:
        """A reduced value of a stack, made comparable."""
        if value is UNKNOWN:
            return {"": None}
        if isinstance(value, list):
            return [self.of(stack, item) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value if value is None else as_text(value)
        mapping = cast("dict[str, Any]", value)
        if is_function(mapping):
            return self._call(stack, mapping)
        return {name: self.of(stack, item) for name, item in mapping.items()}

    def condition(self, stack: Stack, name: str) -> Any:
        """What a condition that is not known goes by, directly and by others."""
        if (stack.number, name) in self._followed:  # whatever goes by itself
            return name
        self._followed.add((stack.number, name))
        try:
            return self._defined(stack, name)
        finally:
            self._followed.discard((stack.number, name))

    def _defined(self, stack: Stack, name: str) -> dict[str, Any]:
        defined: dict[str, Any] = {}
        pending = [name]
        while pending:
            one = pending.pop()
            key = "" if one == name else one
            if key in defined:
                continue
            holds = stack.condition(one)
            if holds is not UNKNOWN:
                defined[key] = holds
                continue
            expression = stack.template.conditions.get(one, one)
            defined[key] = self.of(stack, stack.reduced(expression))
            pending += conditions_in(expression)
        return defined

    def _call(self, stack: Stack, call: dict[str, Any]) -> Any:
        there, target = stack.linked(call)
        leads_on = target is not call and (there is stack or self._key(there) is not None)
        if not leads_on:
            return self._written(stack, call)
        link = (stack.number, repr(call))
        if link in self._followed:  # what leads back to itself
            return self._written(stack, call)
        self._followed.add(link)
        try:
            if isinstance(target, dict) and is_function(cast("object", target)):
                return self._written(there, cast("dict[str, Any]", target))
            return self.of(there, target)
        finally:
            self._followed.discard(link)

    def _written(self, there: Stack, call: dict[str, Any]) -> Any:
        match call:
            case {"Ref": str() as name} if _is_there(there, name):
                return {"": [self._name(there), name, ""]}
            case {"Fn::GetAtt": [str() as name, str() as attribute]} if _is_there(there, name):
                return {"": [self._name(there), name, attribute]}
            case {"Ref": str() as name} if name in there.template.parameters:
                return {"Ref": [self._name(there), name, str(there.said(name))]}
            case {"Fn::If": [str() as name, one, other]}:
                branches = (self.of(there, one), self.of(there, other))
                return {"Fn::If": [self.condition(there, name), *branches]}
            case {"Fn::Base64": text}:
                return self.of(there, text)
            case _:
                return {name: self.of(there, of) for name, of in call.items()}

    def _name(self, stack: Stack) -> str:
        return self._key(stack) or str(stack.number)


def _is_there(stack: Stack, logical_id: str) -> bool:
    """Whether a stack may have a resource."""
    resource = stack.template.resources.get(logical_id)
    return resource is not None and stack.exists(resource) is not False
