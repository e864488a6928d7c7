"""Scripts that look at jobs when they are submitted."""

from __future__ import annotations

from dataclasses import dataclass

from pcs_constructs.model.annotations import judge_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitPlugin:
    """A script in Starlark that the controller runs on each job that is submitted or changed.

    It takes, changes or refuses the job. A cluster has one at the most.

    Args:
        name: Its name, 1 to 64 letters, digits, `_` and `-`.
        script_location: Where it is in S3, such as `s3://scripts/submit.star`.
        s3_version_id: The version of the object. By default the latest.
        checksum: Its SHA-256 in 64 hexadecimal digits, which AWS PCS compares. By default it is not
            verified.

    Source: `JobSubmitPlugin` of the API.
    """

    name: str
    """Its name."""

    script_location: str
    """Where it is in S3."""

    s3_version_id: str | None = None
    """The version of the object; `None` is the latest."""

    checksum: str | None = None
    """Its SHA-256; `None` where it is not verified."""

    def __post_init__(self) -> None:
        judge_fields(self)
