"""Physical names that change when a resource must be replaced."""

from __future__ import annotations

import hashlib
import re

_HASH_LENGTH = 6


def physical_name(scope: str, id: str, replaced_by: tuple[object, ...], *, longest: int) -> str:
    """A name for a resource that CloudFormation could not replace under a fixed one.

    CloudFormation makes the new resource before it deletes the old one, so their names must differ:
    the name ends in a hash of the construct's path and of every property that forces replacement.

    Args:
        scope: The path of the construct's scope: the same id may be used in two places.
        id: The construct's id; characters that a name cannot have become hyphens.
        replaced_by: The properties that force replacement, none of them a token.
        longest: The most characters the service allows.
    """
    digest = hashlib.sha256(repr((scope, id, *replaced_by)).encode()).hexdigest()[:_HASH_LENGTH]
    readable = re.sub(r"[^A-Za-z0-9-]+", "-", id)[: longest - _HASH_LENGTH - 1].rstrip("-")
    return f"{readable}-{digest}"


def looks_derived(name: str) -> bool:
    """Whether a name ends as those of `physical_name` do, and so can change by itself."""
    return re.search(rf"-[0-9a-f]{{{_HASH_LENGTH}}}$", name) is not None
