"""Reads CloudFormation templates: their resources, and what these refer to. Never starts Node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pcs_constructs.errors import UNKNOWN, Unknown

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out
_NESTED: Final = ".nested"  # and those of nested stacks, before that


class TemplateError(Exception):
    """A file is not there or is no template; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """A resource of a template."""

    template: Template
    """Where it stands."""

    logical_id: str
    """Its logical id, unique in its template."""

    type: str
    """Its type, such as `AWS::PCS::Cluster`."""

    properties: Mapping[str, Any]
    """Its properties, as they stand."""

    depends_on: frozenset[str]
    """The logical ids that `DependsOn` names."""

    path: str | None
    """The path of the construct that made it, where the CDK wrote it down."""

    def get(self, *names: str) -> Any:
        """A property inside of others, as it stands; `None` where there is none."""
        value: Any = self.properties
        for name in names:
            if not isinstance(value, Mapping):
                return None
            value = cast("Mapping[str, Any]", value).get(name)
        return value

    def text(self, *names: str) -> str | Unknown | None:
        """A property that is text or a number; UNKNOWN where only CloudFormation will know it."""
        value = self.template.literal(self.get(*names))
        return value if value is None or value is UNKNOWN else str(value)


class Reference(NamedTuple):
    """What a `Ref`, `Fn::GetAtt` or `Fn::ImportValue` leads to."""

    resource: Resource
    """The resource, in whichever template it is."""

    attribute: str
    """The attribute, such as `Arn`; empty for what `Ref` gives."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template, with the others that were read with it, whose exports it may import."""

    name: str
    """The name of its file, without what the CDK adds to it."""

    content: Mapping[str, Any]
    """What is in the file."""

    resources: dict[str, Resource]
    """Its resources, by logical id."""

    together: list[Template]
    """Every template that was read with it, and itself."""

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self.resources.values() if resource.type == type_]

    def literal(self, value: object) -> Any:
        """The value, where it is written here or is the default of a parameter; else UNKNOWN.

        `AWS::NoValue` is no value, `None`.
        """
        if isinstance(value, Mapping):
            name = cast("Mapping[str, Any]", value).get("Ref")
            if name == "AWS::NoValue":
                return None
            parameter = self._parameter(name)
            # What SSM parameters are named by is not their value.
            if parameter is None or str(parameter.get("Type", "")).startswith("AWS::SSM::"):
                return UNKNOWN
            return parameter.get("Default", UNKNOWN)
        if isinstance(value, list):
            items = [self.literal(item) for item in cast("list[object]", value)]
            return UNKNOWN if any(item is UNKNOWN for item in items) else items
        if isinstance(value, str) and "{{resolve:" in value:
            return UNKNOWN
        return value

    def shown(self, value: object) -> str:
        """The value as text, with `<Name>` in the place of what only CloudFormation will know."""
        known = self.literal(value)
        value = value if known is UNKNOWN else known
        if isinstance(value, Mapping):
            return self._placeholder(cast("Mapping[str, Any]", value))
        if isinstance(value, list):
            return ",".join(map(self.shown, cast("list[object]", value)))
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    def referred(self, value: object) -> Resource | None:
        """The resource that a `Ref`, `Fn::GetAtt` or `Fn::ImportValue` is of."""
        found = self.reference(value)
        return found.resource if found else None

    def reference(self, value: object) -> Reference | None:
        """What a `Ref`, `Fn::GetAtt` or `Fn::ImportValue` leads to, among what was read."""
        match value:
            case {"Ref": str() as name}:
                return self._reference(name, "") or self._passed(name)
            case {"Fn::GetAtt": [str() as logical_id, str() as attribute]}:
                return self._reference(logical_id, attribute)
            case {"Fn::GetAtt": str() as text}:
                logical_id, _, attribute = text.partition(".")
                return self._reference(logical_id, attribute)
            case {"Fn::ImportValue": str() as name}:
                for other in self.together:
                    for output in other.content.get("Outputs", {}).values():
                        if output.get("Export", {}).get("Name") == name:
                            return other.reference(output.get("Value"))
            case _:
                pass
        return None

    def references(self, value: object) -> Iterator[Resource]:
        """Every resource that a value refers to, at any depth; also in `Fn::Sub`."""
        for reference in self.all_references(value):
            yield reference.resource

    def all_references(self, value: object) -> Iterator[Reference]:
        """Every reference in a value, at any depth; also in `Fn::Sub`."""
        found = self.reference(value)
        if found is not None:
            yield found
        elif isinstance(value, Mapping):
            items = cast("Mapping[str, Any]", value)
            if isinstance(text := items.get("Fn::Sub"), str):
                yield from self._substituted(text)
            for item in items.values():
                yield from self.all_references(item)
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            if len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], Mapping):
                yield from self._substituted(items[0])  # the long form of Fn::Sub
            for item in items:
                yield from self.all_references(item)

    def _substituted(self, text: str) -> Iterator[Reference]:
        for part in text.split("${")[1:]:
            logical_id, _, attribute = part.partition("}")[0].partition(".")
            found = self._reference(logical_id, attribute)
            if found is not None:
                yield found

    def _placeholder(self, call: Mapping[str, Any]) -> str:
        """What stands for the result of a function, such as `<Parameter>` or `<If:Condition>`."""
        function, of = next(iter(call.items()), ("", None))
        items: list[Any] = cast("list[Any]", of) if isinstance(of, list) else [of]
        last = items[-1] if items else None
        match function:
            case "Ref" | "Fn::GetAtt":
                return f"<{'.'.join(str(item) for item in items)}>"
            case "Fn::Join" if isinstance(last, list):
                return str(items[0]).join(map(self.shown, cast("list[object]", last)))
            case "Fn::Sub" if items:
                long = isinstance(last, Mapping)  # the long form has values of its own
                values = cast("Mapping[str, Any]", last if long else {})
                return self._filled(str(items[0]), values)
            case _:
                return f"<{function.removeprefix('Fn::')}:{self.shown(items[:1])}>"

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        """The text of an `Fn::Sub`, as far as it is known."""

        def fill(hole: re.Match[str]) -> str:
            name = hole[1]
            if name.startswith("!"):  # how a text says `${name}` itself
                return f"${{{name[1:]}}}"
            return self.shown(values.get(name, {"Fn::GetAtt" if "." in name else "Ref": name}))

        return re.sub(r"\$\{([^}]*)\}", fill, text)

    def _reference(self, logical_id: str, attribute: str) -> Reference | None:
        resource = self.resources.get(logical_id)
        if resource is None:
            return None
        nested = self._nested(resource) if attribute.startswith("Outputs.") else None
        if nested is not None:
            output = nested.content.get("Outputs", {}).get(attribute.removeprefix("Outputs."), {})
            return nested.reference(output.get("Value")) or Reference(resource, attribute)
        return Reference(resource, attribute)

    def _passed(self, parameter: str) -> Reference | None:
        """What the stack around a nested one passes to a parameter."""
        for other in self.together:
            for stack in other.of_type("AWS::CloudFormation::Stack"):
                if other._nested(stack) is self:
                    return other.reference(stack.get("Parameters", parameter))
        return None

    def _nested(self, stack: Resource) -> Template | None:
        """The template of a nested stack, where the CDK wrote down which file it is.

        Its command line has that written down. Else it is the only one with these parameters, whose
        names the CDK makes from what they are of.
        """
        metadata = self.content["Resources"][stack.logical_id].get("Metadata", {})
        name = str(metadata.get("aws:asset:path", "")).removesuffix(_SUFFIX)
        passed = set(stack.get("Parameters") or {})
        found = [
            other
            for other in self.together
            if (other.name == name if name else other.name.endswith(_NESTED))
            and passed == set(other.content.get("Parameters", {}))
        ]
        return found[0] if len(found) == 1 else None

    def _parameter(self, name: object) -> Mapping[str, Any] | None:
        return self.content.get("Parameters", {}).get(name) if isinstance(name, str) else None


def read(*paths: str | Path) -> list[Template]:
    """Read templates that belong together, such as those of one `cdk.out` directory.

    Args:
        paths: Templates in JSON, or directories with some in files called `*.template.json`.

    Raises:
        TemplateError: A file is not there, is no JSON, or is no template.
    """
    together: list[Template] = []
    for path in map(Path, paths):
        files = sorted(path.rglob(f"*{_SUFFIX}")) if path.is_dir() else [path]
        if not files:
            raise TemplateError(f"{path}: no file called *{_SUFFIX} is in there")
        together += [_template(file, together) for file in files]
    return together


def parsed(name: str, content: Mapping[str, Any]) -> Template:
    """A template that was read already, on its own."""
    together: list[Template] = []
    together.append(_parsed(name, content, together))
    return together[0]


def parsed_together(contents: Mapping[str, Mapping[str, Any]]) -> list[Template]:
    """Templates that were read already and belong together, by their names."""
    together: list[Template] = []
    together += [_parsed(name, content, together) for name, content in contents.items()]
    return together


def _template(path: Path, together: list[Template]) -> Template:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise TemplateError(f"{path}: {reason.strerror or reason}") from None
    except ValueError as reason:  # also of what is no text
        raise TemplateError(f"{path}: is no JSON: {reason}") from None
    match content:
        case {"Resources": {} as resources} if all(
            isinstance(resource, dict) for resource in cast("dict[str, object]", resources).values()
        ):
            name = path.name.removesuffix(_SUFFIX)
            return _parsed(name, cast("dict[str, Any]", content), together)
        case _:
            raise TemplateError(f"{path}: is no CloudFormation template, it has no Resources")


def _parsed(name: str, content: Mapping[str, Any], together: list[Template]) -> Template:
    template = Template(name, content, {}, together)
    for logical_id, resource in content["Resources"].items():
        waits_for = resource.get("DependsOn", [])
        template.resources[logical_id] = Resource(
            template=template,
            logical_id=logical_id,
            type=resource.get("Type", ""),
            properties=resource.get("Properties") or {},
            depends_on=frozenset([waits_for] if isinstance(waits_for, str) else waits_for),
            path=resource.get("Metadata", {}).get("aws:cdk:path"),
        )
    return template
