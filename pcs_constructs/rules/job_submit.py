"""Rules for the scripts that look at jobs when they are submitted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = ("STARLARK",)


@facts_record
class JobSubmitFacts:
    """One job submit plugin of a cluster, and how many there are."""

    count: int | Unknown = 1
    name: str | Unknown | None
    type: str | Unknown | None = "STARLARK"
    location: str | Unknown | None
    checksum: str | Unknown | None = None


@error("PCS114", JobSubmitFacts)
def cluster_has_one_job_submit_plugin(facts: JobSubmitFacts) -> Iterator[Violation]:
    """A cluster has one job submit plugin at the most.

    Source: `JobSubmitPluginList` of the API.
    """
    if facts.count is not UNKNOWN and facts.count > 1:
        yield Violation("job_submit", f"has {facts.count} plugins", "leave one of them")


@error("PCS118", JobSubmitFacts)
def job_submit_plugin_is_one_that_pcs_takes(facts: JobSubmitFacts) -> Iterator[Violation]:
    """A job submit plugin has a name, the type STARLARK, and a script in S3.

    Source: `JobSubmitPlugin` and `JobSubmitScriptSource` of the API.
    """
    for value, pattern, what, fix in (
        (facts.name, r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "the name", "'check-account'"),
        (facts.type, "|".join(_TYPES), "the type", "'STARLARK'"),
        (
            facts.location,
            r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+",
            "the script location",
            "'s3://scripts/submit.star'",
        ),
        (facts.checksum or UNKNOWN, r"[a-fA-F0-9]{64}", "the checksum", "what sha256sum prints"),
    ):
        if value is not UNKNOWN and not re.fullmatch(pattern, value or "", re.S):
            yield Violation(
                "job_submit",
                f"has {what} {value!r}" if value else f"lacks {what}",
                f"write something like {fix}",
            )
