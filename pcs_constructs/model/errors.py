"""What went wrong, where, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    TOKEN = "token"


UNKNOWN: Final = Unknown.TOKEN
"""A value that CloudFormation will know and we do not: an unresolved CDK token."""


class Violation(NamedTuple):
    """What a rule found: a `Problem` that does not know its code yet."""

    argument: str
    message: str
    fix: str
    template_fix: str | None = None
    """What to write instead in a template; `None` where `fix` reads well there too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One broken rule: a stable code, the argument at fault, and the change that fixes it."""

    code: str
    """The stable code of the rule, such as `PCS201`. `pcs-constructs explain PCS201` prints it."""

    argument: str
    """The argument at fault, named as the user wrote it."""

    message: str
    """What is wrong, with the value found."""

    fix: str
    """What to write instead."""

    template_fix: str | None = None
    """What to write instead in a template; `None` where `fix` reads well there too."""

    def __str__(self) -> str:
        return f"{self.code} {self.argument}: {self.message}\n    fix: {self.fix}"


def fix_in_template(problem: Problem) -> str:
    """What to write instead, for somebody who writes a template."""
    return problem.fix if problem.template_fix is None else problem.template_fix


class PcsValidationError(ValueError):
    """Arguments that AWS PCS, EC2 or Slurm would refuse or ignore. Carries every problem found."""

    path: Final[str]
    """The path of the construct, or the name of the value, that was refused."""

    problems: Final[tuple[Problem, ...]]
    """Every problem found, in the order of the rules."""

    def __reduce__(self) -> tuple[type[PcsValidationError], tuple[str, tuple[Problem, ...]]]:
        # An exception is otherwise pickled by its text, and test runners pickle them.
        return type(self), (self.path, self.problems)

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        count = len(self.problems)
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"{count} problem{'s' if count > 1 else ''} in {path}\n{listing}\n"
            f"see: python -m pcs_constructs explain {self.problems[0].code}"
        )


class InputError(Exception):
    """A file that a command was given is not what it should be; the message says which and why."""
