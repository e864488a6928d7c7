"""Reads CloudFormation templates: their resources, and what these refer to. Never starts Node."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from pcs_constructs.model.errors import UNKNOWN, InputError, Unknown
from pcs_constructs.templates.document import DocumentError, as_list, as_mapping, parse

if TYPE_CHECKING:
    from pcs_constructs.templates.document import Document

_T = TypeVar("_T")

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out
_NESTED: Final = ".nested"  # and those of nested stacks, before that
_SUFFIXES: Final = (".yaml", ".yml", ".json", ".template")  # what others call theirs
_DEEPEST: Final = 100  # levels of lists and mappings; more than anybody writes


class TemplateError(InputError):
    """A file is not there or is no template; the message says which and why."""


class _NoTemplateError(TemplateError):
    """A file can be read, and is something else."""


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

    condition: str | None = None
    """The name of the condition that it is made under, if any."""

    @property
    def whole(self) -> Mapping[str, Any]:
        """The resource with what is beside its properties."""
        return cast("Mapping[str, Any]", self.template.content["Resources"][self.logical_id])

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

    def number(self, *names: str) -> int | Unknown | None:
        """A property that is a whole number; UNKNOWN also where it is anything else."""
        value = self.text(*names)
        if value is None or value is UNKNOWN:
            return value
        return int(value) if re.fullmatch(r"-?\d{1,15}", value, re.ASCII) else UNKNOWN


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

    file: Path | None = None
    """The file, where it was read from one."""

    document: Document | None = None
    """What tells in which line something is, where it was read from a file."""

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self.resources.values() if resource.type == type_]

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Its parameters, by their names."""
        return as_mapping(self.content.get("Parameters"))

    @property
    def conditions(self) -> Mapping[str, Any]:
        """What its conditions are, by their names."""
        return as_mapping(self.content.get("Conditions"))

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """Its outputs, by their names; but those that a loop makes."""
        outputs: Mapping[str, Any] = as_mapping(self.content.get("Outputs"))
        return {
            name: cast("Mapping[str, Any]", output)
            for name, output in outputs.items()
            if isinstance(output, Mapping)
        }

    def literal(self, value: object) -> Any:
        """The value, where it is written here or is the default of a parameter; else UNKNOWN.

        `AWS::NoValue` is no value, `None`, and 4.0 is 4, as it is to CloudFormation.
        """
        if isinstance(value, Mapping):
            name = cast("Mapping[str, Any]", value).get("Ref")
            if name == "AWS::NoValue":
                return None
            parameter = self._parameter(name)
            # What SSM parameters are named by is not their value.
            if parameter is None or str(parameter.get("Type", "")).startswith("AWS::SSM::"):
                return UNKNOWN
            default = parameter.get("Default", UNKNOWN)
            return UNKNOWN if isinstance(default, Mapping | list) else self.literal(default)
        if isinstance(value, list):
            items = [self.literal(item) for item in cast("list[object]", value)]
            return UNKNOWN if any(item is UNKNOWN for item in items) else items
        if isinstance(value, str) and "{{resolve:" in value:
            return UNKNOWN
        return int(value) if isinstance(value, float) and value.is_integer() else value

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
        target = self.reference(value)
        return target.resource if target else None

    def reference(self, value: object) -> Reference | None:
        """What a `Ref`, `Fn::GetAtt` or `Fn::ImportValue` leads to, among what was read."""
        return self._followed(value, frozenset())

    def _followed(self, value: object, seen: frozenset[object]) -> Reference | None:
        """What a value leads to; nothing if it leads back to something that led to it."""
        match value:
            case {"Ref": str() as name}:
                return self._reference(name, "", seen) or self._passed(name, seen)
            case {"Fn::GetAtt": [str() as logical_id, str() as attribute]}:
                return self._reference(logical_id, attribute, seen)
            case {"Fn::GetAtt": str() as text}:
                logical_id, _, attribute = text.partition(".")
                return self._reference(logical_id, attribute, seen)
            case {"Fn::ImportValue": str() as name} if name not in seen:
                outputs_of = [
                    (other, output.get("Value"))
                    for other in self.together
                    for output in other.outputs.values()
                    if output.get("Export", {}).get("Name") == name
                ]
                exported = self.nearest(outputs_of, lambda one: one[0])
                if exported is not None:
                    return exported[0]._followed(exported[1], seen | {name})
            case _:
                pass
        return None

    def references(self, value: object) -> Iterator[Resource]:
        """Every resource that a value refers to, at any depth; also in `Fn::Sub`."""
        for reference in self.all_references(value):
            yield reference.resource

    def all_references(self, value: object) -> Iterator[Reference]:
        """Every reference in a value, at any depth; also in `Fn::Sub`."""
        target = self.reference(value)
        if target is not None:
            yield target
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
            target = self._reference(logical_id, attribute, frozenset())
            if target is not None:
                yield target

    def _placeholder(self, call: Mapping[str, Any]) -> str:
        """What stands for the result of a function, such as `<Parameter>` or `<If:Condition>`."""
        function, of = next(iter(call.items()), ("", None))
        items = as_list(of)
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

    def _reference(
        self, logical_id: str, attribute: str, seen: frozenset[object]
    ) -> Reference | None:
        resource = self.resources.get(logical_id)
        if resource is None:
            return None
        nested = self.nested(resource) if attribute.startswith("Outputs.") else None
        # Of a template that several stacks are made of, the resources are not those of this one.
        if nested is not None and nested.stack_around() is None:
            return Reference(resource, attribute)
        if nested is not None and (nested, attribute) not in seen:
            output = nested.outputs.get(attribute.removeprefix("Outputs."), {})
            target = nested._followed(output.get("Value"), seen | {(nested, attribute)})
            return target or Reference(resource, attribute)
        return Reference(resource, attribute)

    def stack_around(self) -> Resource | None:
        """The resource that makes a nested stack of this template, in the template around it.

        There is none where several do, as what is true in one of the stacks need not be in another.
        """
        stacks = self.stacks_around()
        return stacks[0] if len(stacks) == 1 else None

    def stacks_around(self) -> list[Resource]:
        """Every resource that makes a nested stack of this template."""
        return [
            stack
            for other in self.together
            for stack in other.of_type("AWS::CloudFormation::Stack")
            if other.nested(stack) is self
        ]

    def nearest(self, candidates: Sequence[_T], of: Callable[[_T], Template]) -> _T | None:
        """The only one of those found; of several the only one in this template's directory.

        A directory for each environment has the same names in each.
        """
        if len(candidates) > 1 and self.file is not None:
            here = self.file.parent
            candidates = [
                one for one in candidates if (file := of(one).file) and file.parent == here
            ]
        return candidates[0] if len(candidates) == 1 else None

    def _passed(self, parameter: str, seen: frozenset[object]) -> Reference | None:
        """What the stack around a nested one passes to a parameter."""
        stack = None if (self, parameter) in seen else self.stack_around()
        if stack is None:
            return None
        value = stack.get("Parameters", parameter)
        return stack.template._followed(value, seen | {(self, parameter)})

    def nested(self, stack: Resource) -> Template | None:
        """The template of a nested stack, where the CDK wrote down which file it is.

        Its command line has that written down, and others name the file as `TemplateURL`, for
        `aws cloudformation package`. Else it is the only one with these parameters, whose names the
        CDK makes from what they are of.
        """
        if stack.type != "AWS::CloudFormation::Stack":
            return None
        others = [other for other in self.together if other is not self]
        file = _url(stack.get("TemplateURL")).rpartition("/")[2]
        named = [t for t in others if file and file in {t.name, t.file.name if t.file else ""}]
        if by_name := self.nearest(named, lambda one: one):
            return by_name
        path = as_mapping(stack.whole.get("Metadata")).get("aws:asset:path", "")
        name = str(path).removesuffix(_SUFFIX)
        passed = set(as_mapping(stack.get("Parameters")))
        nested = [
            other
            for other in others
            if (other.name == name if name else other.name.endswith(_NESTED))
            and passed == set(other.parameters)
        ]
        return nested[0] if len(nested) == 1 else None

    def _parameter(self, name: object) -> Mapping[str, Any] | None:
        return self.parameters.get(name) if isinstance(name, str) else None


def read(*paths: str | Path) -> list[Template]:
    """Read templates that belong together, such as those of one `cdk.out` directory.

    Args:
        paths: Templates in JSON or YAML, what `aws cloudformation get-template` prints of one, or
            directories. Of a directory that has files called `*.template.json`, as the CDK writes
            them, these are read; of another one every file that is a template.

    Raises:
        TemplateError: A file is not there, is neither JSON nor YAML, or is no template.
    """
    together: list[Template] = []
    for path in map(Path, paths):
        files = _files(path) if path.is_dir() else [path]
        before = len(together)
        for file in files:
            try:
                together.append(_template(file, together))
            except _NoTemplateError:
                # What the CDK calls a template is meant as one, and so is what somebody names.
                if not path.is_dir() or file.name.endswith(_SUFFIX):
                    raise
        if len(together) == before:
            raise TemplateError(f"{path}: no template is in there, such as *{_SUFFIX}")
    return together


def parsed(name: str, content: Mapping[str, Any], file: str | Path | None = None) -> Template:
    """A template that was read already, on its own, and the file that it was read from."""
    together: list[Template] = []
    together.append(_parsed(name, content, together, Path(file) if file else None))
    return together[0]


def parsed_together(contents: Mapping[str, Mapping[str, Any]]) -> list[Template]:
    """Templates that were read already and belong together, by their names."""
    together: list[Template] = []
    together += [_parsed(name, content, together) for name, content in contents.items()]
    return together


def _files(directory: Path) -> list[Path]:
    """The templates of a directory: those of the CDK, else what looks like one."""
    written = sorted(directory.rglob(f"*{_SUFFIX}"))
    others = sorted(f for f in directory.rglob("*") if f.suffix in _SUFFIXES and f.is_file())
    return written or [file for file in others if _says_resources(file)]


def _says_resources(file: Path) -> bool:
    """Whether a file may be a template at all; what else is in a directory is nobody's mistake."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return "Resources" in text and "AWS::" in text


def _template(path: Path, together: list[Template]) -> Template:
    try:
        document = _unwrapped(parse(path.read_text(encoding="utf-8-sig")))
        content: Any = document.content
    except OSError as reason:
        raise TemplateError(f"{path}: {reason.strerror or reason}") from None
    except RecursionError:
        raise TemplateError(f"{path}: {_TOO_DEEP}") from None
    except DocumentError as reason:
        raise TemplateError(f"{path}: {reason}") from None
    except ValueError as reason:
        raise TemplateError(f"{path}: is no text: {reason}") from None
    match content:
        case {"Resources": {} as resources} if all(
            isinstance(resource, dict) or logical_id.startswith("Fn::ForEach::")
            for logical_id, resource in cast("dict[str, object]", resources).items()
        ):
            pass
        case {"Parameters": {}} if path.name.endswith(_SUFFIX) and "Resources" not in content:
            # The CDK writes one for a stack that has nothing yet.
            content = {**cast("dict[str, Any]", content), "Resources": {}}
        case _:
            reason = "is no CloudFormation template, it has no Resources"
            raise _NoTemplateError(f"{path}: {reason}")
    name = path.name.removesuffix(_SUFFIX)
    return _parsed(name, cast("dict[str, Any]", content), together, path, document)


def _unwrapped(document: Document) -> Document:
    """A template out of what `aws cloudformation get-template` prints, or as it is."""
    match document.content:
        case {"TemplateBody": str() as text}:
            return parse(text)
        case {"TemplateBody": {} as body}:
            return parse(json.dumps(body, indent=1))
        case _:
            return document


def _parsed(
    name: str,
    content: Mapping[str, Any],
    together: list[Template],
    file: Path | None = None,
    document: Document | None = None,
) -> Template:
    if wrong := next(_wrong_shapes(content), None):
        raise TemplateError(f"{file or name}: {wrong}")
    template = Template(name, content, {}, together, file, document)
    for logical_id, resource in _resources(content):
        waits_for: str | list[str] = resource.get("DependsOn") or []
        path = as_mapping(resource.get("Metadata")).get("aws:cdk:path")
        template.resources[logical_id] = Resource(
            template=template,
            logical_id=logical_id,
            type=resource.get("Type", ""),
            properties=as_mapping(resource.get("Properties")),
            depends_on=frozenset([waits_for] if isinstance(waits_for, str) else waits_for),
            path=path if isinstance(path, str) else None,
            condition=resource.get("Condition"),
        )
    return template


def _resources(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every resource; but those of a loop, which only CloudFormation unrolls."""
    for logical_id, resource in content["Resources"].items():
        if isinstance(resource, Mapping):
            yield logical_id, cast("Mapping[str, Any]", resource)


_TOO_DEEP: Final = f"is nested too deeply, in more than {_DEEPEST} levels"


def _wrong_shapes(content: Mapping[str, Any]) -> Iterator[str]:
    """What nobody who reads a template could go on with; CloudFormation refuses it as well."""
    if _is_too_deep(content):
        yield _TOO_DEEP
    for section in ("Parameters", "Conditions", "Outputs"):
        if not _is_mapping(content.get(section)):
            yield f"{section} is no mapping"
            continue
        for name, one in as_mapping(content.get(section)).items():
            if section == "Conditions" or name.startswith("Fn::ForEach::"):
                continue
            if one is None or not _is_mapping(one):
                yield f"{section}.{name} is no mapping"
            elif not isinstance(one.get("Export", {}), Mapping):
                yield f"{section}.{name}.Export is no mapping"
    for logical_id, resource in _resources(content):
        where = f"Resources.{logical_id}"
        for name in ("Type", "Condition"):
            if not isinstance(resource.get(name, ""), str):
                yield f"{where}.{name} is no text"
        for name in ("Properties", "Metadata"):
            if not _is_mapping(resource.get(name)):
                yield f"{where}.{name} is no mapping"
        waits_for = resource.get("DependsOn")
        names = as_list(waits_for or "")
        if not all(isinstance(name, str) for name in names):
            yield f"{where}.DependsOn is neither a logical id nor a list of some"


def _url(value: object) -> str:
    """A URL as far as it is written: with `${` for what only CloudFormation will know."""
    match value:
        case str():
            return value
        case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, {}]}:
            return text
        case {"Fn::Join": [str() as between, list()]}:
            parts = cast("list[object]", cast("Any", value)["Fn::Join"][1])
            return between.join(part if isinstance(part, str) else "${" for part in parts)
        case _:
            return ""


def _is_mapping(value: object) -> bool:
    """Whether it is a mapping or nothing, which YAML has for an empty one."""
    return value is None or isinstance(value, Mapping)


def _is_too_deep(content: Mapping[str, Any]) -> bool:
    level: list[Any] = [content]
    for _ in range(_DEEPEST):
        level = [
            item
            for one in level
            for item in (cast("list[Any]", one) if isinstance(one, list) else one.values())
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True
