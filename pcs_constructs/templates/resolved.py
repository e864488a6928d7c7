"""The resources of templates as they are in one scenario, and how they refer to each other."""

from __future__ import annotations

import json
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.resolve import Evaluation, is_function, literal
from pcs_constructs.templates.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.templates.document import Step
    from pcs_constructs.templates.template import Resource, Template

Path = tuple["Step", ...]
"""Where something is in the properties of a resource."""


class ResolvedResource:
    """A resource in one scenario: its properties without conditions, mappings and parameters."""

    def __init__(
        self, declared: Resource, evaluation: Evaluation, resolved: ResolvedTemplates
    ) -> None:
        self.declared = declared
        self.type = declared.type
        self.resolved = resolved
        self._evaluation = evaluation

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The reduced properties."""
        return cast("Mapping[str, Any]", self._evaluation.reduced(self.declared.properties))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What is beside the properties for programs like this one."""
        return as_mapping(as_mapping(self.declared.whole.get("Metadata")).get("pcs-constructs"))

    def get(self, *path: Step) -> Any:
        """A reduced value inside of others; `None` where there is none."""
        value: Any = self.properties
        for step in path:
            if isinstance(step, int):
                items = cast("list[Any]", value) if isinstance(value, list) else []
                value = items[step] if step < len(items) else None
            else:
                value = as_mapping(value).get(step)
        return value

    def known(self, *path: Step) -> Any:
        """A value where all of it is known, else UNKNOWN; `None` where there is none."""
        return literal(self.get(*path))

    def text(self, *path: Step) -> str | Unknown | None:
        """A value as text; UNKNOWN where it is not known or no text."""
        value = self.known(*path)
        if value is None or value is UNKNOWN:
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, (str, int, float)) else UNKNOWN

    def number(self, *path: Step) -> float | Unknown | None:
        """A value as a number, a whole one if it is."""
        value = self.text(*path)
        if value is None or value is UNKNOWN:
            return value
        try:
            number = float(value)
        except ValueError:
            return UNKNOWN
        if not isfinite(number):  # 1e999
            return UNKNOWN
        return int(number) if number.is_integer() else number

    def whole(self, *path: Step) -> int | Unknown | None:
        """A value as a whole number; UNKNOWN where it is none."""
        value = self.number(*path)
        return UNKNOWN if isinstance(value, float) else value

    def flag(self, *path: Step) -> bool | Unknown | None:
        """A value that is true or false."""
        value = self.text(*path)
        if value is None or value is UNKNOWN:
            return value
        return {"true": True, "false": False}.get(value.lower(), UNKNOWN)

    def items(self, *path: Step) -> list[Any] | Unknown | None:
        """A list; UNKNOWN where it is not known how many items it has, or where it is none."""
        value = self.get(*path)
        if value is None:
            return None
        return cast("list[Any]", value) if isinstance(value, list) else UNKNOWN

    def each(self, *path: Step) -> list[Any]:
        """The items of a list, none where the list is not known."""
        entries = self.items(*path)
        return [] if entries is None or entries is UNKNOWN else entries

    def count(self, *path: Step) -> int | Unknown:
        """How many items a list has."""
        entries = self.items(*path)
        return UNKNOWN if entries is UNKNOWN else len(entries or [])

    def follow(self, value: Any) -> ResolvedResource | None:
        """The resource that a reduced value refers to, in whichever template it is."""
        target = self.reference(value)
        return target[0] if target else None

    def reference(self, value: Any) -> tuple[ResolvedResource, str] | None:
        """The resource that a reduced value refers to, and its attribute; empty for `Ref`."""
        there, target = self._evaluation.linked(value)
        match target:
            case {"Ref": str() as name}:
                resource = self.resolved.resource(there.template, name)
                return (resource, "") if resource else None
            case {"Fn::GetAtt": [str() as name, str() as attribute]}:
                resource = self.resolved.resource(there.template, name)
                return (resource, attribute) if resource else None
            case _:
                return None

    def key(self, value: Any) -> str | None:
        """A text that is the same for what is the same thing; `None` for nothing."""
        if value is None or value == "":
            return None
        if not is_function(value):
            return json.dumps(value, sort_keys=True)
        target = self.reference(value)
        if target is not None:
            declared = target[0].declared
            return f"{self.resolved.number(declared.template)}.{declared.logical_id}"
        there, inner = self._evaluation.linked(value)
        return f"{self.resolved.number(there.template)} {json.dumps(inner, sort_keys=True)}"

    @property
    def name(self) -> str:
        """What to call it in messages: its physical name, or its logical id."""
        text = self.text("Name")
        return text if isinstance(text, str) else self.declared.logical_id


class ResolvedTemplates:
    """All templates that belong together, each in one scenario.

    Args:
        together: The templates.
        scenarios: The scenario of each, by its place; the default one where there is none.
        today: The day by which they are judged, as an ISO date.
    """

    def __init__(
        self,
        together: list[Template],
        scenarios: Mapping[int, Scenario] | None = None,
        *,
        today: str = CATALOG_DATE,
    ) -> None:
        given = scenarios or {}
        self.today = today
        self._evaluations = {
            id(template): Evaluation(template, given.get(i, Scenario()), self._evaluation)
            for i, template in enumerate(together)
        }
        self._numbers = {id(template): i for i, template in enumerate(together)}
        self.resources: dict[tuple[int, str], ResolvedResource] = {}
        self._by_type: dict[str, list[ResolvedResource]] = {}
        for template in together:
            evaluation = self._evaluations[id(template)]
            for logical_id, declared in template.resources.items():
                if evaluation.exists(declared):
                    resource = ResolvedResource(declared, evaluation, self)
                    self.resources[id(template), logical_id] = resource
                    self._by_type.setdefault(resource.type, []).append(resource)

    def _evaluation(self, template: Template) -> Evaluation:
        return self._evaluations[id(template)]

    def evaluation(self, template: Template) -> Evaluation:
        """The values of a template."""
        return self._evaluations[id(template)]

    def number(self, template: Template) -> int:
        """What tells a template from others, whose names may be the same."""
        return self._numbers[id(template)]

    def resource(self, template: Template, logical_id: str) -> ResolvedResource | None:
        """A resource, where it is made in this scenario."""
        return self.resources.get((id(template), logical_id))

    def of_type(self, *types: str) -> Iterator[ResolvedResource]:
        """The resources of some types, in all templates."""
        for type_ in types:
            yield from self._by_type.get(type_, [])
