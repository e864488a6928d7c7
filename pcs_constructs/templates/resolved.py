"""The resources of templates as they are in one scenario, and how they refer to each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.nesting import Nesting, nearest
from pcs_constructs.templates.resolve import STACK_NAME, Place, Stack
from pcs_constructs.templates.scenarios import Defaults, Scenario
from pcs_constructs.templates.types import STACK
from pcs_constructs.templates.values import (
    calls,
    is_function,
    literal,
    references,
    shown,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.templates.document import Step
    from pcs_constructs.templates.template import Resource, Template

Path = tuple["Step", ...]
"""Where something is in the properties of a resource."""

_MAIN = re.compile(r"(?:/Resource|/Default)+$")
"""How the CDK calls the resource of a construct that is nothing else."""

_MOST_USES = 32
"""Stacks of one template; of one that is used more often one is looked at, for all."""


class ResolvedResource:
    """A resource in one scenario: its properties without conditions, mappings and parameters."""

    def __init__(
        self,
        declared: Resource,
        stack: Stack,
        resolved: ResolvedTemplates,
        exists: bool | Unknown,
    ) -> None:
        self.declared = declared
        self.type = declared.type
        self.logical_id = declared.logical_id
        self.stack = stack
        self.resolved = resolved
        self.exists = exists
        """Whether it is made; UNKNOWN where that depends on what nobody knows."""

    @property
    def template(self) -> Template:
        """The template that it is in."""
        return self.declared.template

    @property
    def certain(self) -> bool:
        """Whether it is made in any case."""
        return self.exists is True and self.stack.certain

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The reduced properties."""
        return as_mapping(self.stack.reduced(self.declared.properties))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What is beside the properties for programs like this one."""
        return as_mapping(as_mapping(self.declared.whole.get("Metadata")).get("pcs-constructs"))

    def get(self, *path: Step) -> Any:
        """A reduced value inside of others; UNKNOWN inside of what is not known, `None` of none."""
        return within(self.properties, *path)

    def has(self, *path: Step) -> bool:
        """Whether there surely is a value."""
        return self.get(*path) not in (None, UNKNOWN)

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

    def shown(self, *path: Step) -> str:
        """A value as text, with what stands for what is not known; empty where there is none."""
        return shown(self.get(*path))

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
        # What is not made speaks of what is not made.
        return self.resolved.reference(self.stack, value, absent=self.exists is False)

    def references(self, value: Any) -> Iterator[tuple[ResolvedResource, str]]:
        """Every resource that a reduced value refers to, at any depth, with the attribute."""
        for each in references(value):
            target = self.reference(each)
            if target is not None:
                yield target

    def referred(self, value: Any) -> list[ResolvedResource]:
        """Every resource that a reduced value refers to, at any depth."""
        return list(dict.fromkeys(resource for resource, _ in self.references(value)))

    def placeholder(self, value: Any) -> str:
        """What to call a value that only CloudFormation knows."""
        there, target = self.stack.linked(value)
        match target:
            case {"Ref": str() as name}:
                return f"{self.resolved.titles[there.number]}/{name}"
            case {"Fn::ImportValue": name}:
                return f"the import {shown(name)}"
            case _:
                return shown(target)

    def key(self, value: Any) -> str | None:
        """A text that is the same for what is the same thing; `None` for nothing."""
        if value is None or value == "":
            return None
        if value is not UNKNOWN and not is_function(value):
            return json.dumps(value, sort_keys=True)
        target = self.reference(value)
        if target is not None:
            return target[0].own_key
        there, inner = self.stack.linked(value)
        inner = "" if inner is UNKNOWN else json.dumps(inner, sort_keys=True)
        return f"{there.number} {inner}"

    @property
    def place(self) -> Place:
        """Where it is, in every scenario: its outermost template, and the logical ids inside."""
        return (*self.stack.place, self.logical_id)

    @property
    def own_key(self) -> str:
        """The key that references to this resource have."""
        return f"{self.stack.number}.{self.logical_id}"

    @cached_property
    def title(self) -> str:
        """What people know it by: the path of its construct, else its logical id.

        With its stack, where there is another of the same logical id.
        """
        if self.declared.path is not None:
            return _MAIN.sub("", self.declared.path)
        if self.resolved.logical_ids[self.logical_id] == 1:
            return self.logical_id
        return f"{self.resolved.titles[self.stack.number]}/{self.logical_id}"

    @property
    def name(self) -> str:
        """What to call it in messages: its physical name, or its logical id."""
        text = self.text("Name")
        return text if isinstance(text, str) else self.logical_id


class ResolvedTemplates:
    """The stacks that templates make together, each template in one scenario.

    Args:
        together: The templates.
        scenarios: The scenario of each; where there is none, all defaults count.
        today: The day by which they are judged, as an ISO date.
        nesting: What is known of nested stacks, where it was found before.
    """

    def __init__(
        self,
        together: Sequence[Template],
        scenarios: Mapping[Template, Scenario] | None = None,
        *,
        today: str = CATALOG_DATE,
        nesting: Nesting | None = None,
    ) -> None:
        self.today = today
        self.templates = together
        self._places = {template: place for place, template in enumerate(together)}
        self.deciding = False
        """Whether a condition is computed at the moment."""
        self.relied: set[tuple[Template, str]] = set()
        """The parameters whose defaults were taken for their values."""
        self._links: dict[Template, set[Template]] = {}
        self._inner: dict[Template, set[Template]] | None = None
        self.stacks: list[Stack] = []
        self.resources: dict[tuple[int, str], ResolvedResource] = {}
        self._absent: dict[tuple[int, str], ResolvedResource] = {}
        self._nesting = nesting or Nesting(together)
        self._scenarios = dict.fromkeys(together, Scenario()) | dict(scenarios or {})
        self._stacks_of: dict[Template, list[Stack]] = {}
        self._nested: dict[tuple[int, str], Stack | None] = {}
        self._pointing: dict[
            tuple[str, Path, bool], dict[ResolvedResource, list[ResolvedResource]]
        ] = {}
        self._exports: dict[str, list[tuple[Stack, Any]]] | None = None
        self._make_stacks()
        for stack in reversed(self.stacks):  # and back, from the inside to the outside
            if stack.around is not None:
                for name in stack.template.outputs:
                    stack.output(name)
        self._declared: dict[str, list[ResolvedResource]] = {}
        self._make_resources()
        self._by_type = {
            type_: there
            for type_, resources in self._declared.items()
            if (there := [one for one in resources if one.exists is not False])
        }

    def _make_resources(self) -> None:
        for stack in self.stacks:
            for logical_id, declared in stack.template.resources.items():
                resource = ResolvedResource(declared, stack, self, stack.exists(declared))
                self._declared.setdefault(resource.type, []).append(resource)
                there = self._absent if resource.exists is False else self.resources
                there[stack.number, logical_id] = resource

    # The stacks.

    def _make_stacks(self) -> None:
        """The stacks of all templates: first those that no other one makes."""
        makers = self._nesting.makers
        for template in self.templates:
            if template not in makers:
                self._make(template)
        self._make_nested(0)
        for template in self.templates:
            if template not in self._stacks_of and not self._is_absent(template, {template}):
                # It is made in a circle, or which template a nested stack has is not known.
                before = len(self.stacks)
                self._make(template, passed=False)
                self._make_nested(before)

    def _make_nested(self, first: int) -> None:
        """All stacks that stacks make, and those that these make."""
        for stack in self.stacks[first:]:
            pending = [stack]
            while pending:
                around = pending.pop()
                for resource in self._nesting.stacks.get(around.template, ()):
                    if (inside := self.nested(around, resource.logical_id)) is not None:
                        pending.append(inside)

    def _make(
        self,
        template: Template,
        *,
        around: Stack | None = None,
        made_by: Resource | None = None,
        certain: bool = True,
        passed: bool = True,
    ) -> Stack:
        stack = Stack(
            template,
            self._scenarios[template],
            self,
            len(self.stacks),
            around=around,
            made_by=made_by,
            certain=certain,
            passed=passed,
        )
        self.stacks.append(stack)
        self._stacks_of.setdefault(template, []).append(stack)
        if around is not None:
            # From the outside to the inside, so that no chain of stacks is followed at once.
            for name in template.parameters:
                stack.reduced({"Ref": name})
        return stack

    def nested(self, stack: Stack, logical_id: str) -> Stack | None:
        """The nested stack that a resource of a stack makes, where its template is known."""
        key = (stack.number, logical_id)
        if key not in self._nested:
            self._nested[key] = None  # of what its own parameters lead to
            resource = stack.template.resources.get(logical_id)
            if resource is not None and resource.type == STACK:
                self._nested[key] = self._inside(stack, resource)
        return self._nested[key]

    def _inside(self, stack: Stack, resource: Resource) -> Stack | None:
        exists = stack.exists(resource)
        if exists is False:
            return None
        url = stack.reduced(resource.properties.get("TemplateURL"))
        template = self._nesting.template(resource, url)
        if template not in self._scenarios or self._is_around(template, stack):
            return None
        made = self._stacks_of.get(template, [])
        if len(made) >= _MOST_USES:
            return None
        certain = stack.certain and exists is True
        return self._make(template, around=stack, made_by=resource, certain=certain)

    def _is_around(self, template: Template, stack: Stack) -> bool:
        """Whether a template is that of a stack or of one around it: it would lead in a circle."""
        if template not in self._stacks_of:
            return False
        around: Stack | None = stack
        while around is not None:
            if around.template is template:
                return True
            around = around.around
        return False

    def _is_absent(self, template: Template, seen: set[Template]) -> bool:
        """Whether surely no stack is made of a template of nested stacks."""
        for maker in self._nesting.makers[template]:
            if maker.template not in self._scenarios:
                continue
            stacks = self._stacks_of.get(maker.template)
            if stacks is None:
                if maker.template in seen or maker.template not in self._nesting.makers:
                    return False
                if not self._is_absent(maker.template, {*seen, maker.template}):
                    return False
            for stack in stacks or ():
                if stack.exists(maker) is not False:
                    other = self._nested.get((stack.number, maker.logical_id))
                    if other is None:
                        return False
        return True

    def stack_name(self, stack: Stack) -> str | None:
        """What a stack is taken to be called, where its name is put into that of an export."""
        scenario = self._scenarios[stack.template]
        if scenario.stack_name is not None:
            return scenario.stack_name
        if scenario.defaults is Defaults.NOWHERE or STACK_NAME in scenario.open:
            return None
        self.relied.add((stack.template, STACK_NAME))
        return stack.template.stack_name

    def exported(self, stack: Stack, name: Any) -> tuple[Stack, Any] | None:
        """The stack that exports something under a name, and what; as a stack would import it."""
        if self._exports is None:
            self._exports = {}
            for there in self.stacks:
                for output in there.template.outputs.values():
                    key = self.export_key(there, there.exported_name(output))
                    if key is not None and there.output_exists(output):
                        value = there.reduced(output.get("Value"))
                        self._exports.setdefault(key, []).append((there, value))
        key = self.export_key(stack, name)
        exports = self._exports.get(key, []) if key is not None else []
        if len(exports) > 1:
            one = nearest((there.template for there, _ in exports), stack.template)
            exports = [export for export in exports if export[0].template is one]
        return exports[0] if len(exports) == 1 else None

    def export_key(self, stack: Stack, name: Any) -> str | None:
        """What tells one name of an export from others; `None` where it is not known."""
        if name is None or name is UNKNOWN:
            return None
        open_ = self._scenarios[stack.template].defaults is Defaults.NOWHERE
        for call in calls(name):
            match call:
                case {"Ref": str() as of} if of in _SAME_EVERYWHERE:
                    pass
                case {"Ref": str() as of} if of in stack.template.parameters and not open_:
                    # A parameter of the same name is taken to have the same value.
                    self.relied.add((stack.template, of))
                case {"Fn::Join": _}:
                    pass
                case _:
                    return None
        return json.dumps(name, sort_keys=True)

    @cached_property
    def titles(self) -> Mapping[int, str]:
        """What to call each stack, by its number, such that all are told apart."""
        plain = Counter(stack.template.title for stack in self.stacks)
        titles: dict[int, str] = {}
        for stack in self.stacks:
            title = stack.template.title
            if plain[title] > 1 and stack.made_by is not None:
                title = f"{title} of {stack.made_by.logical_id}"
            elif plain[title] > 1 and stack.template.file is not None:
                title = stack.template.file.as_posix()
            again = sum(other == title for other in titles.values())
            titles[stack.number] = f"{title} ({again + 1})" if again else title
        return titles

    @cached_property
    def logical_ids(self) -> Counter[str]:
        """How many resources have a logical id."""
        return Counter(
            logical_id for stack in self.stacks for logical_id in stack.template.resources
        )

    def note(self, stack: Stack, other: Stack) -> None:
        """Remember that a value of one stack comes from another one."""
        if stack.template is not other.template:
            self._links.setdefault(stack.template, set()).add(other.template)
            self._links.setdefault(other.template, set()).add(stack.template)

    def neighbours(self, template: Template) -> list[Template]:
        """The templates with which one has to be read: as far as their values went so far.

        Those that it gives values or gets them from, those of the stacks around these, and those
        of the stacks inside of it.
        """
        near = {template, *self._links.get(template, ()), *self.inside(template)}
        for each in list(near):
            for stack in self.stacks_of(each):
                around = stack.around
                while around is not None:
                    near.add(around.template)
                    around = around.around
        return sorted(near, key=self._places.__getitem__)

    def components(self) -> list[list[Template]]:
        """The templates, those together that are nested in each other or give each other values.

        As far as their values went so far.
        """
        # Those next to each other are enough: the ones around these lead on to all others.
        beside = {template: set(self._links.get(template, ())) for template in self.templates}
        for stack in self.stacks:
            around = stack.around
            if around is not None:
                beside[stack.template].add(around.template)
                beside[around.template].add(stack.template)
        components: list[list[Template]] = []
        seen: set[Template] = set()
        for template in self.templates:
            pending = [template]
            component: set[Template] = set()
            while pending:
                each = pending.pop()
                if each not in seen:
                    seen.add(each)
                    component.add(each)
                    pending += beside[each]
            if component:
                components.append(sorted(component, key=self._places.__getitem__))
        return components

    def inside(self, template: Template) -> set[Template]:
        """The templates of the stacks that the stacks of a template make, at any depth."""
        if self._inner is None:
            self._inner = {}
            for stack in self.stacks:
                around = stack.around
                while around is not None:
                    self._inner.setdefault(around.template, set()).add(stack.template)
                    around = around.around
        return self._inner.get(template, set())

    # The resources.

    def resource(
        self, stack: Stack, logical_id: str, *, absent: bool = False
    ) -> ResolvedResource | None:
        """A resource, where it is made in this scenario; or `absent` ones, too."""
        key = (stack.number, logical_id)
        return self.resources.get(key) or (self._absent.get(key) if absent else None)

    def reference(
        self, stack: Stack, value: Any, *, absent: bool = False
    ) -> tuple[ResolvedResource, str] | None:
        """The resource that a reduced value of a stack refers to, and its attribute.

        Args:
            stack: The stack.
            value: The value.
            absent: Whether resources count that are not made.
        """
        there, target = stack.linked(value)
        match target if is_function(target) else None:
            case {"Ref": str() as name}:
                resource, attribute = self.resource(there, name, absent=absent), ""
            case {"Fn::GetAtt": [str() as name, str() as attribute]}:
                resource = self.resource(there, name, absent=absent)
            case _:
                return None
        return (resource, attribute) if resource else None

    def of_type(self, *types: str) -> Iterator[ResolvedResource]:
        """The resources of some types, in all stacks."""
        for type_ in types:
            yield from self._by_type.get(type_, [])

    def pointing(
        self, target: ResolvedResource, type_: str, *path: Step, perhaps: bool = False
    ) -> list[ResolvedResource]:
        """The resources of a type that refer to another one at a path, or in the list there.

        Args:
            target: What they refer to.
            type_: Their type.
            path: Where they do.
            perhaps: Whether those count that may do, as where a condition chooses.
        """
        index = self._pointing.get((type_, path, perhaps))
        if index is None:
            index = self._pointing[type_, path, perhaps] = {}
            for resource in self.of_type(type_):
                value = resource.get(*path)
                values = cast("list[Any]", value) if isinstance(value, list) else [value]
                found = resource.referred(value) if perhaps else map(resource.follow, values)
                for there in dict.fromkeys(found):
                    if there is not None:
                        index.setdefault(there, []).append(resource)
        return index.get(target, [])

    def declared_of_type(self, type_: str) -> list[ResolvedResource]:
        """The resources of a type, those too that are not made in this scenario."""
        return self._declared.get(type_, [])

    def stacks_of(self, template: Template) -> list[Stack]:
        """The stacks that a template makes; none where the one around makes none."""
        return self._stacks_of.get(template, [])


_SAME_EVERYWHERE = frozenset(
    ("AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::URLSuffix", "AWS::NoValue")
)
"""Pseudo parameters that have one value for all stacks of an account and a Region."""
