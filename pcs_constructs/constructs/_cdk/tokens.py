"""Tokens: values that only CloudFormation knows, told from those that are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import aws_cdk as cdk

from pcs_constructs.model.annotations import is_token_number
from pcs_constructs.model.errors import UNKNOWN, Unknown

T = TypeVar("T")


# How the CDK writes tokens into text, lists and numbers. Recognising them here costs nothing;
# asking the CDK would cost a round trip to Node.js for each argument.
_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")


def is_token(value: object) -> bool:
    """Whether the value is a token or holds one."""
    if isinstance(value, str):
        return _TOKEN.search(value) is not None
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return is_token_number(value)
    if isinstance(value, (cdk.Size, cdk.Duration)):
        return value.is_unresolved()
    if isinstance(value, Mapping):
        return any(is_token(k) or is_token(v) for k, v in cast("Mapping[Any, Any]", value).items())
    if isinstance(value, Sequence):
        return any(is_token(v) for v in cast("Sequence[Any]", value))
    return bool(cdk.Token.is_unresolved(value))


def known(value: T) -> T | Unknown:
    """The value, or UNKNOWN when it holds a token."""
    return UNKNOWN if is_token(value) else value


def known_all(values: Sequence[T]) -> tuple[T, ...] | Unknown:
    """The values, or UNKNOWN when any of them holds a token."""
    return UNKNOWN if is_token(values) else tuple(values)


def known_number(value: float | None) -> int | Unknown | None:
    """The number as a whole one, or UNKNOWN when it is a token; jsii's numbers may be floats."""
    if value is None:
        return None
    return UNKNOWN if is_token(value) else int(value)


def known_bytes(text: str) -> int:
    """The UTF-8 size of the text without its tokens: the final text cannot be much smaller."""
    return len(_TOKEN.sub("", text).encode())


def known_items(values: Mapping[str, str]) -> dict[str, str]:
    """The items of a mapping that hold no token."""
    return {key: value for key, value in values.items() if not is_token((key, value))}


def without_tokens(values: Sequence[str]) -> tuple[str, ...]:
    """The values with a placeholder for each token: the numbering of tokens is not stable."""
    return tuple(_TOKEN.sub("?", value) for value in values)
