"""Fixes as somebody needs them who writes a template: in properties, not in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pcs_constructs.errors import Problem


def for_templates(problem: Problem) -> tuple[str, str]:
    """The message and the fix of a problem, for a template."""
    fix = FIXES.get(problem.code, problem.fix)
    return _reworded(problem.message), _reworded(fix)


def _reworded(text: str) -> str:
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text


FIXES: Final[Mapping[str, str]] = {}
_WORDS: Final[list[tuple[re.Pattern[str], str]]] = []
