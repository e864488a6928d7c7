"""Reads CloudFormation templates from files. Never starts Node."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.errors import InputError
from pcs_constructs.templates.assembly import Assembly, Made
from pcs_constructs.templates.document import DocumentError, as_list, as_mapping, parse
from pcs_constructs.templates.loops import is_loop, unrolled

if TYPE_CHECKING:
    from pcs_constructs.templates.document import Document, Step

_SUFFIX: Final = ".template.json"  # what the CDK calls its templates in cdk.out
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

    source: tuple[str, int] | None
    """The file and the line of the program that made it, where the CDK wrote them down."""

    condition: str | None
    """The name of the condition that it is made under, if any."""

    whole: Mapping[str, Any]
    """All that is said of it, with what is beside its properties."""

    place: tuple[Step, ...]
    """Where that is in its file."""


@dataclass(frozen=True, eq=False)
class Template:
    """A template, with the others that were read with it, whose exports it may import."""

    name: str
    """The name of its file, without what the CDK adds to it."""

    content: Mapping[str, Any]
    """What is in the file."""

    resources: dict[str, Resource]
    """Its resources, by logical id."""

    outputs: dict[str, Mapping[str, Any]]
    """Its outputs, by their names."""

    conditions: dict[str, Any]
    """What its conditions are, by their names."""

    together: list[Template]
    """Every template that was read with it, and itself."""

    file: Path | None = None
    """The file, where it was read from one."""

    document: Document | None = None
    """What tells in which line something is, where it was read from a file."""

    displayed: str | None = None
    """What `cdk ls` says, where the CDK wrote it down."""

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self.resources.values() if resource.type == type_]

    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Its parameters, by their names."""
        return as_mapping(self.content.get("Parameters"))

    @cached_property
    def mappings(self) -> Mapping[str, Any]:
        """Its mappings, by their names."""
        return as_mapping(self.content.get("Mappings"))

    @property
    def file_name(self) -> str:
        """What its file is called, where it was read from one; else its own name."""
        return self.file.name if self.file else self.name

    @property
    def stack_name(self) -> str:
        """What its stack is taken to be called: its own name, without the end of that of a file."""
        return re.sub(r"\.(?:yaml|yml|json|template)$", "", self.name)

    @property
    def title(self) -> str:
        """What people know it by: what `cdk ls` says where the CDK wrote it down, else its name."""
        return self.displayed or self.name


def read(*paths: str | Path, unread: list[str] | None = None) -> list[Template]:
    """Read templates that belong together, such as those of one `cdk.out` directory.

    Args:
        paths: Templates in JSON or YAML, what `aws cloudformation get-template` prints of one, or
            directories. Of a directory that has files called `*.template.json`, as the CDK writes
            them, these are read; of another one every file that is a template.
        unread: Takes what is to say of each file of a directory that cannot be read, while the
            others are. By default that is an error, as it is of a file that is named.

    Raises:
        TemplateError: A file is not there, is neither JSON nor YAML, or is no template.
    """
    together: list[Template] = []
    assemblies: dict[Path, Assembly] = {}
    for path in map(Path, paths):
        files = _files(path) if path.is_dir() else [path]
        before = len(together)
        failed: list[TemplateError] = []
        for file in files:
            try:
                assembly = assemblies.setdefault(file.parent, Assembly(file.parent))
                together.append(_template(file, together, assembly))
            except TemplateError as reason:
                # What else is in a directory is nobody's mistake, but for what the CDK calls so.
                named = not path.is_dir() or file.name.endswith(_SUFFIX)
                if named or not isinstance(reason, _NoTemplateError):
                    failed.append(reason)
                    if unread is None or not path.is_dir():
                        raise
        if len(together) == before:
            if failed:
                raise failed[0]
            raise TemplateError(f"{path}: no template is in there, such as *{_SUFFIX}")
        if unread is not None:
            unread += map(str, failed)
    return together


@contextmanager
def followed(*templates: Template) -> Generator[None]:
    """Tell it where values of templates are computed and lead on without an end.

    Raises:
        TemplateError: They refer to each other in a longer chain than Python can follow.
    """
    try:
        yield
    except RecursionError:
        names = ", ".join(dict.fromkeys(template.name for template in templates))
        raise TemplateError(f"{names}: refers to itself in too long a chain") from None


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
        content = file.read_bytes().replace(b"\0", b"")  # in another encoding it is meant as one
    except OSError:
        return True  # for whoever reads it to tell
    return b"Resources" in content and b"AWS::" in content


def _template(path: Path, together: list[Template], assembly: Assembly) -> Template:
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
    return _parsed(name, cast("dict[str, Any]", content), together, path, document, assembly)


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
    assembly: Assembly | None = None,
) -> Template:
    if wrong := next(_wrong_shapes(content), None):
        raise TemplateError(f"{file or name}: {wrong}")
    displayed = assembly.displayed(file.name) if assembly and file else None
    made: Mapping[str, Made] = assembly.made(file.name) if assembly and file else {}
    template = Template(name, content, {}, {}, {}, together, file, document, displayed)
    parameters = template.parameters
    for condition, body, _ in unrolled(content.get("Conditions"), parameters):
        template.conditions[condition] = body
    for logical_id, body, place in unrolled(content.get("Resources"), parameters, ("Resources",)):
        resource = as_mapping(body)
        if is_loop(logical_id) or next(_wrong_shape_of(resource, ""), None):
            continue  # what a loop makes is looked at here only
        waits_for: str | list[str] = resource.get("DependsOn") or []
        path = as_mapping(resource.get("Metadata")).get("aws:cdk:path")
        by = made.get(logical_id)
        template.resources[logical_id] = Resource(
            template=template,
            logical_id=logical_id,
            type=resource.get("Type", ""),
            properties=as_mapping(resource.get("Properties")),
            depends_on=frozenset([waits_for] if isinstance(waits_for, str) else waits_for),
            path=path if isinstance(path, str) else by.path if by else None,
            source=by.source if by else None,
            condition=resource.get("Condition"),
            whole=resource,
            place=place,
        )
    for output, body, _ in unrolled(content.get("Outputs"), parameters):
        if not is_loop(output):
            template.outputs[output] = as_mapping(body)
    return template


def _resources(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every resource that is written out, and not made by a loop."""
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
        yield from _wrong_shape_of(resource, f"Resources.{logical_id}")


def _wrong_shape_of(resource: Mapping[str, Any], where: str) -> Iterator[str]:
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
