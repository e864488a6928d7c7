"""What people say of a deployment on the command line: values of parameters, names of stacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pcs_constructs.model.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Mapping, Sequence

    from pcs_constructs.templates.scenarios import Given
    from pcs_constructs.templates.template import Template


def add_parameters(parser: ArgumentParser, *, of: str = "") -> None:
    """Let a command take values of parameters.

    Args:
        parser: The parser of the command.
        of: Whose parameters they are, for a command with templates of two kinds: `old` or `new`.
    """
    parser.add_argument(
        f"--parameters-{of}" if of else "--parameters",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE|FILE",
        help=f"values of parameters{f' of {of.upper()}' if of else ''}, as KEY=VALUE, as "
        "STACK:KEY=VALUE for one stack, or a file of them as the AWS CLI takes it",
    )


def add_stack_names(parser: ArgumentParser) -> None:
    """Let a command take the names of stacks."""
    parser.add_argument(
        "--stack-name",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE=NAME",
        help="what the stack of a template is called, for exports that are named after it; by "
        "default as the template's file",
    )


def deployment(
    namespace: Namespace,
    templates: Sequence[Template],
    *,
    of: str = "",
    beside: Sequence[Template] = (),
    also: Iterable[str] = (),
) -> Given:
    """What was said of the deployment of some templates.

    Args:
        namespace: The arguments of the command.
        templates: The templates.
        of: Whose parameters they are, as for `add_parameters`.
        beside: Templates of the other kind, whose stacks names may be of.
        also: What else was said of them, as on the command line.

    Raises:
        InputError: A file cannot be read, or no template has such a parameter, or not this value.
    """
    from pcs_constructs.templates.scenarios import Given

    written = vars(namespace)
    option = f"parameters_{of}" if of else "parameters"
    parameters: dict[str, str] = {}
    for each in (*also, *cast("list[str]", written[option])):
        parameters |= _parameters(each)
    names = dict(_pair(each, "FILE=NAME") for each in cast("list[str]", written["stack_name"]))
    unknown = Given(parameters=parameters).unknown(templates)
    if unknown := [*unknown, *Given(stack_names=names).unknown((*templates, *beside))]:
        raise InputError("\n".join(unknown))
    return Given(parameters=parameters, stack_names=names)


def _parameters(said: str) -> Mapping[str, str]:
    """The parameters that a word of the command line gives: one, or those of a file."""
    path = said.removeprefix("file://")
    if "=" in said and not Path(path).is_file():
        return dict([_pair(said, "KEY=VALUE")])
    return _of_file(Path(path))


def _pair(said: str, form: str) -> tuple[str, str]:
    name, found, value = said.partition("=")
    if not found or not name:
        raise InputError(f"{said!r} is not of the form {form}")
    return name, value


def _of_file(path: Path) -> Mapping[str, str]:
    from pcs_constructs.templates.document import DocumentError, as_mapping, parse

    try:
        content: Any = parse(path.read_text(encoding="utf-8")).content
    except OSError as reason:
        raise InputError(f"{path}: {reason.strerror}: parameters are KEY=VALUE or a file") from None
    except (DocumentError, UnicodeDecodeError) as reason:
        raise InputError(f"{path}: {reason}") from None
    if isinstance(content, list):
        return dict(_entry(path, entry) for entry in cast("list[Any]", content))
    if not isinstance(content, dict):
        raise InputError(f"{path}: has no parameters in it")
    values = as_mapping(cast("object", content))
    return _named(path, as_mapping(values.get("Parameters")) or values)


def _entry(path: Path, entry: object) -> tuple[str, str]:
    """A parameter as the AWS CLI has it."""
    from pcs_constructs.templates.document import as_mapping

    match entry:
        case {"ParameterKey": str() as name} if "ParameterValue" in as_mapping(entry):
            return name, _text(path, name, as_mapping(entry)["ParameterValue"])
        case str() if "=" in entry:
            return _pair(entry, "KEY=VALUE")
        case {"ParameterKey": str() as name}:
            raise InputError(
                f"{path}: {name} has no ParameterValue, and its previous value is not known here"
            )
        case _:
            raise InputError(f"{path}: {entry!r} has no ParameterKey and ParameterValue")


def _named(path: Path, values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(path, name, value) for name, value in values.items()}


def _text(path: Path, name: str, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case list():
            return ",".join(_text(path, name, item) for item in cast("list[object]", value))
        case _:
            raise InputError(f"{path}: {name} is no text, number or list of them")
