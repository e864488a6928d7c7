"""Whether values are of the kinds that annotations say, told from the text of the annotations.

What a type checker would refuse is refused at run time as well, in the words of the library: a
wrong type must not get as far as jsii, which would complain in words of its own when half of a
construct is made. Nothing is imported for it: where the module of a class is not loaded, there is
no value of that class.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.errors import PcsValidationError, Problem

if TYPE_CHECKING:
    from types import ModuleType

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

_LISTS: Final = frozenset({"Sequence", "Iterable", "Collection", "tuple", "list"})
# Of what others may wait for the CDK has no member that tells it.
_ANYTHING: Final = frozenset({"object", "Any", "Self", "IDependable"})
_LISTED: Final = (Sequence, Iterator, KeysView, ValuesView)
_LARGEST_TOKEN_NUMBER: Final = -1e288


def wrong_kinds(function: Any, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the kinds of arguments.

    Args:
        function: What takes them: a function or a class, whose annotations are texts.
        arguments: The arguments by their names; others may be among them.
    """
    for argument, annotation in _annotations(function):
        if argument in arguments:
            yield from _Judge(function).problems(argument, arguments[argument], annotation)


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


def judge_fields(value: object) -> None:
    """Raise what is wrong with the kinds of the fields of a dataclass, from its `__post_init__`.

    Raises:
        PcsValidationError: PCS001, PCS003, when a field is not what its annotation says.
    """
    kind: type[object] = type(value)
    names = [name for name, _ in _annotations(kind)]
    refuse_wrong_kinds(kind.__name__, kind, {name: getattr(value, name) for name in names})


@cache
def _annotations(function: Any) -> tuple[tuple[str, ast.expr], ...]:
    return tuple(
        (name, ast.parse(text, mode="eval").body)
        for name, text in function.__annotations__.items()
        if name != "return" and isinstance(text, str)
    )


class _Judge:
    """What judges the arguments of one function, whose names mean what they mean in its module."""

    def __init__(self, function: Any) -> None:
        self._module = sys.modules[function.__module__]

    def problems(self, argument: str, value: object, kind: ast.expr) -> Iterator[Problem]:
        """What is wrong with a value, and where in it."""
        alternatives = [*_alternatives(kind)]
        if value is None and any(_is_none(each) for each in alternatives):
            return
        kinds = [each for each in alternatives if not _is_none(each)]
        if len(kinds) == 1:
            yield from self._of_one_kind(argument, value, kinds[0])
            return
        wrong = [[*self._of_one_kind(argument, value, each)] for each in kinds]
        if all(wrong):
            # Of what could be a list, what is wrong with it as one says more.
            yield next(
                (problem for problems in wrong for problem in problems if problem.code != "PCS003"),
                _no(argument, value, " or ".join(_wanted(each) for each in kinds)),
            )

    def _of_one_kind(self, argument: str, value: object, kind: ast.expr) -> Iterator[Problem]:
        if isinstance(kind, ast.Subscript):
            name = ast.unparse(kind.value)
            inner = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
            if name in {"Final", "Required", "NotRequired"}:
                yield from self.problems(argument, value, inner[0])
            elif name in _LISTS:
                yield from self._of_list(argument, value, inner[0])
            elif name == "Mapping":
                yield from self._of_mapping(argument, value, *inner)
            elif name == "Literal":
                if value not in [cast("ast.Constant", each).value for each in inner]:
                    yield _no(argument, value, " or ".join(ast.unparse(each) for each in inner))
            elif name == "Callable":
                if not callable(value):
                    yield _no(argument, value, "a function")
            else:
                raise TypeError(f"no kind for the annotation {ast.unparse(kind)}")
        elif isinstance(value, str) and ast.unparse(kind) == "ec2.IPeer":
            yield Problem(
                code="PCS413",
                argument=argument,
                message=f"takes peers, got the text {value!r}",
                fix=f"write {argument}=[ec2.Peer.ipv4({value!r})]",
            )
        elif not self._fits(value, ast.unparse(kind)):
            yield _no(argument, value, _wanted(kind))

    def _of_list(self, argument: str, values: object, kind: ast.expr) -> Iterator[Problem]:
        if isinstance(values, str) and ast.unparse(kind) == "ec2.IPeer":
            yield from self.problems(argument, values, kind)
        elif isinstance(values, (set, frozenset)):
            yield _no_list(
                argument, "got a set, whose order is another in each run", "write a list"
            )
        elif isinstance(values, (str, bytes)) or not isinstance(values, _LISTED):
            example = f"[{values!r}]" if isinstance(values, str) else "[...]"
            yield _no_list(argument, f"got {values!r}", f"write {argument}={example}")
        elif isinstance(values, (list, tuple)):  # others are gone once they have been looked at
            items = cast("Iterable[object]", values)
            for item in dict.fromkeys(items) if _all_texts(items) else items:
                if not (
                    isinstance(item, str) and item.startswith("#{Token[")
                ):  # a list that is one
                    yield from self.problems(argument, item, kind)

    def _of_mapping(
        self, argument: str, values: object, key_kind: ast.expr, kind: ast.expr
    ) -> Iterator[Problem]:
        if not isinstance(values, Mapping):
            yield _no(argument, values, "a Mapping")
            return
        for key, value in cast("Mapping[object, object]", values).items():
            yield from self.problems(argument, key, key_kind)
            yield from self.problems(f"{argument}[{key!r}]", value, kind)

    def _fits(self, value: object, name: str) -> bool:
        if name in _ANYTHING:
            return True
        if name == "int":
            return (isinstance(value, int) and not isinstance(value, bool)) or _is_token(value)
        if name == "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        if name in {"str", "bool"}:
            return isinstance(value, {"str": str, "bool": bool}[name])
        if name in _MEMBERS:
            return _has(value, _MEMBERS[name])
        kind = self._class(name)
        if isinstance(kind, str):  # another name for an annotation
            return not [*self.problems("", value, ast.parse(kind, mode="eval").body)]
        return kind is not None and isinstance(value, kind)

    def _class(self, name: str) -> type | str | None:
        """The class of a name; `None` where it is not loaded, so that nothing is of it."""
        first, _, rest = name.partition(".")
        if rest:
            there = _MODULES.get(first, f"aws_cdk.aws_{first}")
            found: object = getattr(self._module, first, None) or sys.modules.get(there)
            for step in rest.split("."):
                found = getattr(found, step, None)
            return cast("type | None", found)
        if name == "Construct":
            constructs: ModuleType | None = sys.modules.get("constructs")
            return getattr(constructs, name, None)
        return getattr(self._module, name, None) or _class_of_ours(name)


def _class_of_ours(name: str) -> type | None:
    for dotted, module in [*sys.modules.items()]:
        if dotted.startswith("pcs_constructs.") and name in vars(module):
            return vars(module)[name]
    return None


def _alternatives(kind: ast.expr) -> Iterator[ast.expr]:
    if isinstance(kind, ast.BinOp):
        yield from _alternatives(kind.left)
        yield from _alternatives(kind.right)
    else:
        yield kind


def _is_none(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Constant) and kind.value is None


def _all_texts(items: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _is_token(value: object) -> bool:
    return isinstance(value, float) and value < _LARGEST_TOKEN_NUMBER  # jsii's numbers are floats


def _has(value: object, member: str) -> bool:
    # Members are looked up on types, because reading one of a jsii object is a round trip. What
    # jsii hands out for an interface is a proxy with delegates, and ours have instance attributes.
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    delegates: list[object] = attributes.get("_delegates", [])
    types = [type(value), *(type(delegate) for delegate in delegates)]
    return not isinstance(value, type) and (
        member in attributes or any(hasattr(type_, member) for type_ in types)
    )


def _wanted(kind: ast.expr) -> str:
    name = ast.unparse(kind)
    if name == "ISharedStorage":
        return "a file system, such as EfsStorage"
    name = name.removeprefix("I") if name in _MEMBERS and "." not in name else name
    if name in {"str", "int", "float", "bool"}:
        return name
    first = name.rpartition(".")[2][:1] if "." not in name else name[:1]
    return f"{'an' if first.lower() in 'aeiou' else 'a'} {name}"


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
