"""Reads CloudFormation templates: their resources, and what these refer to. Never starts Node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pcs_constructs.document import DocumentError, parse
from pcs_constructs.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from pcs_constructs.document import Document

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out
_NESTED: Final = ".nested"  # and those of nested stacks, before that
_SUFFIXES: Final = (".yaml", ".yml", ".json", ".template")  # what others call theirs


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

    def literal(self, value: object) -> Any:
        """The value, where it is written here or is the default of a parameter; else UNKNOWN."""
        if isinstance(value, Mapping):
            parameter = self._parameter(cast("Mapping[str, Any]", value).get("Ref"))
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

    def _reference(self, logical_id: str, attribute: str) -> Reference | None:
        resource = self.resources.get(logical_id)
        if resource is None:
            return None
        nested = self.nested(resource) if attribute.startswith("Outputs.") else None
        if nested is not None:
            output = nested.content.get("Outputs", {}).get(attribute.removeprefix("Outputs."), {})
            return nested.reference(output.get("Value")) or Reference(resource, attribute)
        return Reference(resource, attribute)

    def stack_around(self) -> Resource | None:
        """The resource that makes a nested stack of this template, in the template around it."""
        for other in self.together:
            for stack in other.of_type("AWS::CloudFormation::Stack"):
                if other.nested(stack) is self:
                    return stack
        return None

    def _passed(self, parameter: str) -> Reference | None:
        """What the stack around a nested one passes to a parameter."""
        stack = self.stack_around()
        return stack.template.reference(stack.get("Parameters", parameter)) if stack else None

    def nested(self, stack: Resource) -> Template | None:
        """The template of a nested stack, where the CDK wrote down which file it is.

        Its command line has that written down, and others name the file as `TemplateURL`, for
        `aws cloudformation package`. Else it is the only one with these parameters, whose names the
        CDK makes from what they are of.
        """
        if stack.type != "AWS::CloudFormation::Stack":
            return None
        url = stack.get("TemplateURL")
        if isinstance(url, str):
            file = url.rpartition("/")[2]
            there = [t for t in self.together if file in {t.name, t.file.name if t.file else ""}]
            if len(there) == 1 and there[0] is not self:
                return there[0]
        name = str(_mapping(stack.whole.get("Metadata")).get("aws:asset:path", "")).removesuffix(
            _SUFFIX
        )
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
        paths: Templates in JSON or YAML, or directories. Of a directory that has files called
            `*.template.json`, as the CDK writes them, these are read; of another one every file
            that is a template.

    Raises:
        TemplateError: A file is not there, is neither JSON nor YAML, or is no template.
    """
    together: list[Template] = []
    for path in map(Path, paths):
        if not path.is_dir():
            together.append(_template(path, together))
            continue
        files = sorted(path.rglob(f"*{_SUFFIX}"))
        if not files:
            files = [file for file in _files(path) if _says_resources(file)]
        if not files:
            raise TemplateError(f"{path}: no template is in there, such as *{_SUFFIX}")
        together += [_template(file, together) for file in files]
    return together


def _files(directory: Path) -> list[Path]:
    return sorted(f for f in directory.rglob("*") if f.suffix in _SUFFIXES and f.is_file())


def _says_resources(file: Path) -> bool:
    """Whether a file may be a template at all; what else is in a directory is nobody's mistake."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return "Resources" in text and "AWS::" in text


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


def _template(path: Path, together: list[Template]) -> Template:
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise TemplateError(f"{path}: {reason.strerror or reason}") from None
    except DocumentError as reason:
        raise TemplateError(f"{path}: {reason}") from None
    except ValueError as reason:  # what is no text
        raise TemplateError(f"{path}: is no text: {reason}") from None
    match document.content:
        case {"Resources": {} as resources} if all(
            isinstance(resource, dict) or logical_id.startswith("Fn::ForEach::")
            for logical_id, resource in cast("dict[str, object]", resources).items()
        ):
            name = path.name.removesuffix(_SUFFIX)
            content = cast("dict[str, Any]", document.content)
            return _parsed(name, content, together, path, document)
        case {"Parameters": {}} if (
            path.name.endswith(_SUFFIX) and "Resources" not in document.content
        ):
            # The CDK writes one for a stack that has nothing yet.
            empty: dict[str, Any] = {"Resources": {}}
            content = {**cast("dict[str, Any]", document.content), **empty}
            return _parsed(path.name.removesuffix(_SUFFIX), content, together, path, document)
        case _:
            raise TemplateError(f"{path}: is no CloudFormation template, it has no Resources")


def _parsed(
    name: str,
    content: Mapping[str, Any],
    together: list[Template],
    file: Path | None = None,
    document: Document | None = None,
) -> Template:
    template = Template(name, content, {}, together, file, document)
    for logical_id, resource in content["Resources"].items():
        if not isinstance(resource, dict):  # a loop, which only CloudFormation unrolls
            continue
        found = _mapping(cast("object", resource))
        waits_for: Any = found.get("DependsOn")
        names = cast("list[Any]", waits_for if isinstance(waits_for, list) else [waits_for])
        metadata = _mapping(found.get("Metadata"))
        template.resources[logical_id] = Resource(
            template=template,
            logical_id=logical_id,
            type=str(found.get("Type", "")),
            properties=_mapping(found.get("Properties")),
            depends_on=frozenset(name for name in names if isinstance(name, str)),
            path=metadata.get("aws:cdk:path"),
        )
    return template


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
