"""Which templates are those of nested stacks, by all forms of `TemplateURL` that people write."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.types import STACK
from pcs_constructs.templates.values import HOLE, possible, sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pcs_constructs.templates.template import Resource, Template

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out
_NESTED: Final = ".nested"  # and those of nested stacks, before that
_ANY: Final = "*"
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")


class Nesting:
    """What is known of nested stacks before any value is: it is found once for all scenarios.

    Args:
        together: Templates that were read together.
    """

    def __init__(self, together: Sequence[Template]) -> None:
        self.together = together
        self._by_name: dict[str, list[Template]] = {}
        self._by_parameters: dict[frozenset[str], list[Template]] = {}
        for template in together:
            for name in {template.name, template.file_name}:
                self._by_name.setdefault(name, []).append(template)
            if template.name.endswith(_NESTED):
                key = frozenset(template.parameters)
                self._by_parameters.setdefault(key, []).append(template)

    @cached_property
    def stacks(self) -> dict[Template, list[Resource]]:
        """The resources that make stacks, by the template they are in."""
        return {
            template: made for template in self.together if (made := list(template.of_type(STACK)))
        }

    @cached_property
    def makers(self) -> dict[Template, list[Resource]]:
        """For each template of nested stacks, the resources that may make a stack of it."""
        makers: dict[Template, list[Resource]] = {}
        for made in self.stacks.values():
            for resource in made:
                for template in self._possible(resource):
                    makers.setdefault(template, []).append(resource)
        return makers

    def inside(self, template: Template) -> set[Template]:
        """The templates of all stacks that the stacks of a template may make, at any depth."""
        found: set[Template] = set()
        pending = [template]
        while pending:
            for inner in self._inner.get(pending.pop(), ()):
                if inner not in found:
                    found.add(inner)
                    pending.append(inner)
        return found

    @cached_property
    def _inner(self) -> dict[Template, list[Template]]:
        inner: dict[Template, list[Template]] = {}
        for template, makers in self.makers.items():
            for maker in makers:
                inner.setdefault(maker.template, []).append(template)
        return inner

    def template(self, stack: Resource, url: Any) -> Template | None:
        """The template of a nested stack.

        Args:
            stack: The resource that makes it.
            url: Its `TemplateURL`, as far as it is known.
        """
        if (named := self._named(stack, sketch(url) or "")) is not None:
            return named
        path = as_mapping(stack.whole.get("Metadata")).get("aws:asset:path")
        passed = frozenset(as_mapping(stack.properties.get("Parameters")))
        if isinstance(path, str) and path:
            name = path.rpartition("/")[2].removesuffix(_SUFFIX)
            same = [one for one in self._by_name.get(name, []) if set(one.parameters) >= passed]
        else:
            # The CDK makes the names of parameters of what they are of.
            same = self._by_parameters.get(passed, [])
        same = [one for one in same if one is not stack.template]
        return nearest(same, stack.template) if path else same[0] if len(same) == 1 else None

    def _named(self, stack: Resource, url: str) -> Template | None:
        """The template at the end of a URL or a path; of several of a name the one that fits."""
        wanted = PurePosixPath(url.replace(HOLE, _ANY).partition("?")[0] or "/").parts
        name = wanted[-1] if wanted else ""
        if not name or _ANY in name:
            return None
        others = [one for one in self._by_name.get(name, []) if one is not stack.template]
        if len(others) < 2:
            return others[0] if others else None
        fits = {id(one): _alike(wanted, _parts(one)) for one in others}
        most = max(fits.values())
        return nearest([one for one in others if fits[id(one)] == most], stack.template)

    def _possible(self, stack: Resource) -> Iterator[Template]:
        """The templates that a nested stack may be made of, whatever is deployed."""
        told: set[int] = set()
        for url in _urls(stack.properties.get("TemplateURL"), stack.template):
            template = self.template(stack, url)
            if template is not None and id(template) not in told:
                told.add(id(template))
                yield template


def _urls(value: Any, template: Template) -> Iterator[str]:
    """What a URL may be: each branch, with the values that its parameters may have."""
    for one in possible(value):
        match one:
            case str():
                yield one
            case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, {}]}:
                yield from _filled(text, template)
            case {"Fn::Join": [str() as between, [*parts]]}:
                yield between.join(p if isinstance(p, str) else HOLE for p in cast("Any", parts))
            case {"Ref": str() as name}:
                yield from _values(name, template)
            case {"Fn::FindInMap": [str() as name, one_key, other_key, *default]}:
                yield from _mapped(template.mappings.get(name), one_key, other_key)
                yield str(as_mapping(default[0] if default else None).get("DefaultValue", ""))
            case _:
                yield ""


def _mapped(mapping: object, *keys: Any) -> Iterator[str]:
    """The texts in a mapping under some keys; under all where a key is yet to be computed."""
    if not keys:
        if isinstance(mapping, str):
            yield mapping
        return
    for key, value in as_mapping(mapping).items():
        if not isinstance(keys[0], str) or key == keys[0]:
            yield from _mapped(value, *keys[1:])


def _filled(text: str, template: Template) -> Iterator[str]:
    name = text.rpartition("/")[2]
    variables = _VARIABLE.findall(name)
    if len(variables) == 1:
        for value in _values(variables[0][2:-1], template):
            yield text.replace(variables[0], value)
    yield _VARIABLE.sub(HOLE, text)


def _values(parameter: str, template: Template) -> Iterator[str]:
    declared = as_mapping(template.parameters.get(parameter))
    allowed = declared.get("AllowedValues")
    values = cast("list[object]", allowed) if isinstance(allowed, list) else []
    yield from (str(value) for value in (*values, declared.get("Default", "")))


def _parts(template: Template) -> tuple[str, ...]:
    return PurePosixPath((template.file or PurePosixPath(template.name)).as_posix()).parts


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many steps two paths have in common, from their ends."""
    steps = 0
    for mine, yours in zip(reversed(one), reversed(other), strict=False):
        if mine != yours:
            break
        steps += 1
    return steps


def nearest(candidates: Iterable[Template], here: Template) -> Template | None:
    """The only one of some; of several the only one in the directory of another template.

    A directory for each environment has the same names in each.
    """
    found = list(dict.fromkeys(candidates))
    if len(found) > 1 and here.file is not None:
        folder = here.file.parent
        found = [one for one in found if one.file and one.file.parent == folder]
    return found[0] if len(found) == 1 else None
