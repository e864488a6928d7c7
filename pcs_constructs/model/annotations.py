"""Whether values are of the kinds that annotations say, told from the text of the annotations.

What a type checker would refuse is refused at run time as well, in the words of the library: a
wrong type must not get as far as jsii, which would complain in words of its own when half of a
construct is made. Nothing is imported for it: where the module of a class is not loaded, there is
no value of that class.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cache, partial, wraps
from inspect import signature
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from pcs_constructs.model.errors import PcsValidationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    _Test = Callable[[object], bool]

P = ParamSpec("P")
R = TypeVar("R")

# Interfaces, which `isinstance` cannot be asked of: each by a member that it alone has.
_MEMBERS: Final = {
    "ICluster": "cluster_id",
    "IComputeNodeGroup": "compute_node_group_id",
    "INodeInstanceProfile": "instance_profile_arn",
    "INodeLaunchTemplate": "launch_template_id",
    "ISharedStorage": "file_share",
    "ec2.IKeyPair": "key_pair_name",
    "ec2.IMachineImage": "get_image",
    "ec2.IPeer": "can_inline_rule",
    "ec2.IPlacementGroup": "placement_group_name",
    "ec2.ISecurityGroup": "security_group_id",
    "ec2.ISubnet": "subnet_id",
    "ec2.IVpc": "vpc_id",
    "efs.IAccessPoint": "access_point_id",
    "efs.IFileSystem": "file_system_id",
    "iam.IGrantable": "grant_principal",
    "iam.IManagedPolicy": "managed_policy_arn",
    "iam.IRole": "role_arn",
    "kms.IKey": "key_arn",
    "logs.ILogGroup": "log_group_arn",
    "s3.IBucket": "bucket_name",
}

# The modules behind the names that all of the library has for them.
_MODULES: Final = {"cdk": "aws_cdk", "cfn": "aws_cdk.aws_pcs", "assets": "aws_cdk.aws_s3_assets"}

# What is no field, and what is judged where it is taken.
_UNJUDGED: Final = ("ClassVar[", "Unpack[")
_LISTS: Final = frozenset({"Sequence", "Iterable", "Collection", "tuple", "list"})
_ITERABLES: Final = (Iterator, KeysView, ValuesView)
_LARGEST_TOKEN_NUMBER: Final = -1e288


def wrong_kinds(function: Any, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the kinds of arguments.

    Args:
        function: What takes them: a function or a class, whose annotations are texts.
        arguments: The arguments by their names; others may be among them.
    """
    for argument, kind in _kinds(function):
        if argument in arguments:
            yield from kind.problems(argument, arguments[argument])


def refuse_wrong_kinds(path: str, function: Any, arguments: Mapping[str, Any]) -> None:
    """Raise what is wrong with the kinds of the arguments of a value.

    Args:
        path: What to call the value.
        function: What takes them: a function or a class.
        arguments: The arguments by their names.

    Raises:
        PcsValidationError: PCS001, PCS003, when an argument is not what the annotation says.
    """
    if problems := [*wrong_kinds(function, arguments)]:
        raise PcsValidationError(path, problems)


def judged(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function refuse arguments of wrong kinds before it does anything with them.

    Raises:
        PcsValidationError: PCS001, PCS003, when an argument is not what its annotation says.
    """

    @wraps(function)
    def judge(*given: P.args, **named: P.kwargs) -> R:
        bound = _signature(function).bind(*given, **named)
        bound.arguments.update(listed(bound.arguments))
        refuse_wrong_kinds(function.__qualname__, function, bound.arguments)
        return function(*bound.args, **bound.kwargs)

    return judge


_signature = cache(signature)


def listed(arguments: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The arguments that are gone once they have been looked at, or are no sequences, as tuples."""
    return {
        name: tuple(cast("Iterable[Any]", value))
        for name, value in arguments.items()
        if isinstance(value, _ITERABLES)
    }


def judge_fields(value: object) -> None:
    """Raise what is wrong with the kinds of the fields of a dataclass, from its `__post_init__`.

    Raises:
        PcsValidationError: PCS001, PCS003, when a field is not what its annotation says.
    """
    kind: type[object] = type(value)
    refuse_wrong_kinds(kind.__name__, kind, fields_of(value))


def fields_of(value: object) -> dict[str, Any]:
    """The fields of a dataclass that are judged, by name."""
    return {name: getattr(value, name) for name, _ in _kinds(type(value))}


@cache
def _kinds(function: Any) -> tuple[tuple[str, _Kind], ...]:
    """The kinds of the arguments of a function, whose names mean what they mean in its module."""
    module = sys.modules[function.__module__]
    return tuple(
        (name, _kind_of(text, module))
        for name, text in function.__annotations__.items()
        if name != "return" and isinstance(text, str) and not text.startswith(_UNJUDGED)
    )


def _kind_of(annotation: str, module: ModuleType) -> _Kind:
    return _kind(ast.parse(annotation, mode="eval").body, module)


def _kind(node: ast.expr, module: ModuleType) -> _Kind:
    alternatives = [*_alternatives(node)]
    if len(alternatives) > 1:
        kinds = [_kind(each, module) for each in alternatives if not _is_none(each)]
        return _Union(kinds, optional=len(kinds) < len(alternatives))
    text = ast.unparse(node)
    if not isinstance(node, ast.Subscript):
        return _Peer() if text == "ec2.IPeer" else _Named(text, module)
    name = ast.unparse(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in {"Final", "Required", "NotRequired"}:
        return _kind(inner[0], module)
    if name in _LISTS:
        return _List(_kind(inner[0], module))
    if name == "Mapping":
        return _Mapping(*(_kind(each, module) for each in inner))
    if name == "Literal":
        return _Literal(inner)
    if name == "Callable":
        return _Function()
    raise TypeError(f"no kind for the annotation {text}")


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class _Kind:
    """What an annotation accepts."""

    wanted: str
    """What to call it."""

    def problems(self, argument: str, value: object) -> Sequence[Problem]:
        """What is wrong with a value, and where in it."""
        return () if self.accepts(value) else (_no(argument, value, self.wanted),)

    def accepts(self, value: object) -> bool:
        """Whether a value is of this kind."""
        return not self.problems("", value)


class _Union(_Kind):
    def __init__(self, kinds: Sequence[_Kind], *, optional: bool) -> None:
        self._kinds, self._optional = kinds, optional
        self.wanted = " or ".join(kind.wanted for kind in kinds)

    def problems(self, argument: str, value: object) -> Sequence[Problem]:
        if value is None and self._optional:
            return ()
        wrong: list[Problem] = []
        for kind in self._kinds:
            problems = kind.problems(argument, value)
            if not problems:
                return ()
            wrong.extend(problems)
        if len(self._kinds) == 1:
            return wrong
        # Of what could be a list, what is wrong with it as one says more.
        telling = (problem for problem in wrong if problem.code != "PCS003")
        return (next(telling, None) or _no(argument, value, self.wanted),)


class _List(_Kind):
    def __init__(self, item: _Kind) -> None:
        self._item = item
        self.wanted = "a list"

    def problems(self, argument: str, value: object) -> Sequence[Problem]:
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            items = cast("Sequence[object]", value)
            return [
                problem
                for item in (dict.fromkeys(items) if _all_texts(items) else items)
                if not _is_token_list(item)
                for problem in self._item.problems(argument, item)
            ]
        if isinstance(value, str) and isinstance(self._item, _Peer):
            return self._item.problems(argument, value)
        if isinstance(value, (set, frozenset)):
            return (
                _no_list(argument, "got a set, whose order is another in each run", "write a list"),
            )
        example = f"[{value!r}]" if isinstance(value, str) else "[...]"
        return (_no_list(argument, f"got {_shown(value)}", f"write {argument}={example}"),)


class _Mapping(_Kind):
    wanted = "a Mapping"

    def __init__(self, key: _Kind, value: _Kind) -> None:
        self._key, self._value = key, value

    def problems(self, argument: str, value: object) -> Sequence[Problem]:
        if not isinstance(value, Mapping):
            return (_no(argument, value, self.wanted),)
        return [
            problem
            for key, item in cast("Mapping[object, object]", value).items()
            for problem in (
                *self._key.problems(argument, key),
                *self._value.problems(f"{argument}[{key!r}]", item),
            )
        ]


class _Literal(_Kind):
    def __init__(self, values: Sequence[ast.expr]) -> None:
        self._values = [ast.literal_eval(value) for value in values]
        self.wanted = " or ".join(map(repr, self._values))

    def accepts(self, value: object) -> bool:
        return value in self._values


class _Function(_Kind):
    wanted = "a function"

    def accepts(self, value: object) -> bool:
        return callable(value)


class _Peer(_Kind):
    wanted = "an ec2.IPeer"

    def problems(self, argument: str, value: object) -> Sequence[Problem]:
        if not isinstance(value, str):
            return super().problems(argument, value)
        return (
            Problem(
                code="PCS413",
                argument=argument,
                message=f"takes peers, got the text {value!r}",
                fix=f"write {argument}=[ec2.Peer.ipv4({value!r})]",
            ),
        )

    def accepts(self, value: object) -> bool:
        return _has(value, "can_inline_rule")


class _Named(_Kind):
    """A class, an interface, or another name for an annotation."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self._name, self._module = name, module
        self._test: _Test | None = _TESTS.get(name)
        self.wanted = _wanted(name)

    def accepts(self, value: object) -> bool:
        test = self._test or self._found()
        return test is not None and test(value)

    def _found(self) -> _Test | None:
        """What tells its values; `None` where its module is not loaded, so that there are none."""
        name = self._name
        if name in _MEMBERS:
            self._test = partial(_has, member=_MEMBERS[name])
        elif isinstance(meaning := self._meaning(), str):
            self._test = _kind_of(meaning, self._module).accepts
        elif meaning is not None:
            self._test = partial(_is_of, kind=meaning)
        return self._test

    def _meaning(self) -> type | str | None:
        first, _, rest = self._name.partition(".")
        if rest:
            there = _MODULES.get(first, f"aws_cdk.aws_{first}")
            meaning: object = getattr(self._module, first, None) or sys.modules.get(there)
            for step in rest.split("."):
                meaning = getattr(meaning, step, None)
            return cast("type | None", meaning)
        if first == "Construct":
            return getattr(sys.modules.get("constructs"), first, None)
        return getattr(self._module, first, None) or _class_of_ours(first)


def _class_of_ours(name: str) -> type | None:
    for dotted, module in [*sys.modules.items()]:
        if dotted.startswith("pcs_constructs.") and name in vars(module):
            return vars(module)[name]
    return None


def _all_texts(items: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _is_token_list(item: object) -> bool:
    return isinstance(item, str) and item.startswith("#{Token[")


def is_token_number(number: float) -> bool:
    """Whether a number is a token of the CDK, which writes them as floats."""
    return number < _LARGEST_TOKEN_NUMBER


def _is_int(value: object) -> bool:
    if isinstance(value, float):
        return is_token_number(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # Node.js ends where it reads what is no number, or none that is finite.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


_TESTS: Final[Mapping[str, _Test]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": _is_int,
    "float": _is_number,
    # Of what others may wait for the CDK has no member that tells it.
    **dict.fromkeys(("object", "Any", "Self", "IDependable"), lambda _: True),
}


def _is_of(value: object, kind: type) -> bool:
    return isinstance(value, kind)


def _has(value: object, member: str) -> bool:
    # Members are looked up on types, because reading one of a jsii object is a round trip. What
    # jsii hands out for an interface is a proxy with delegates, and ours have instance attributes.
    if isinstance(value, type):
        return False
    if hasattr(type(value), member):
        return True
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    delegates: list[object] = attributes.get("_delegates", [])
    return member in attributes or any(hasattr(type(delegate), member) for delegate in delegates)


def _wanted(name: str) -> str:
    if name == "ISharedStorage":
        return "a file system, such as EfsStorage"
    if name in {"str", "int", "float", "bool"}:
        return name
    shown = name.removeprefix("I") if name in _MEMBERS and "." not in name else name
    return f"{'an' if shown[:1].lower() in 'aeiou' else 'a'} {shown}"


def _no(argument: str, value: object, wanted: str) -> Problem:
    return Problem(
        code="PCS003",
        argument=argument,
        message=f"takes {wanted}, got {_shown(value)}",
        fix="see the annotation of the argument; a type checker tells the same in the editor",
    )


def _no_list(argument: str, got: str, fix: str) -> Problem:
    return Problem(
        code="PCS001",
        argument=argument,
        message=f"takes a list whose length is known at synthesis, {got}",
        fix=fix,
    )


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"a {type(value).__name__}"
