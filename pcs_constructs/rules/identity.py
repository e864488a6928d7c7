"""Rules for roles and instance profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pcs_constructs.errors import UNKNOWN, Breach, Unknown
from pcs_constructs.rules.names import identifier_breaches
from pcs_constructs.rules.rule import advice, error, page

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts:
    """What a role's ARN or resource shows."""

    name: str | Unknown
    """The role's name, with its path before it as in an ARN: `aws-pcs/compute`."""


@error("PCS701", RoleFacts)
def role_name_is_one_that_pcs_accepts(facts: RoleFacts) -> Iterator[Breach]:
    """The role of a node has a name that starts with `AWSPCS`, or `/aws-pcs/` in its path.

    The service-linked role of AWS PCS may pass such roles only; with any other no node starts.

    Source: `iamInstanceProfileArn` of the `CreateComputeNodeGroup` API; Instance profiles.
    """
    if facts.name is UNKNOWN:
        return
    path, _, name = f"/{facts.name}".rpartition("/")
    if not name.startswith("AWSPCS") and "/aws-pcs/" not in f"{path}/":
        yield Breach(
            "role",
            f"AWS PCS does not accept the role {facts.name!r}",
            "give it path='/aws-pcs/' or a name that starts with 'AWSPCS'",
        )


@error("PCS703", RoleFacts)
def role_name_is_short_enough(facts: RoleFacts) -> Iterator[Breach]:
    """A role name has at most 64 characters.

    Source: Quotas of IAM.
    """
    if facts.name is not UNKNOWN and len(name := facts.name.rpartition("/")[2]) > 64:
        yield Breach("role", f"{name!r} has {len(name)} characters", "use at most 64")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProfileFacts:
    """What an instance profile's ARN shows."""

    arn: str | Unknown


@error("PCS702", InstanceProfileFacts)
def instance_profile_arn_is_an_arn(facts: InstanceProfileFacts) -> Iterator[Breach]:
    """An instance profile is given by its ARN, not by its name.

    Source: `InstanceProfileArn` of the API.
    """
    yield from identifier_breaches(
        "instance_profile_arn",
        facts.arn,
        r"arn:aws[a-zA-Z-]{0,10}:iam::\d{12}:instance-profile/([!-~]{1,510}/)?[\w+=,.@-]{1,128}",
        "arn:aws:iam::123456789012:instance-profile/aws-pcs/nodes",
    )


@advice("PCS704", InstanceProfileFacts)
def instance_profile_is_named_like_its_role(facts: InstanceProfileFacts) -> Iterator[Breach]:
    """The instance profile is named as its role must be: `AWSPCS...` or with `/aws-pcs/`.

    The API asks it of the role, which a profile's ARN does not show; the 2024 user guide asked it
    of the profile. A profile with such a name is right by both.

    Source: Instance profiles for AWS PCS; `iamInstanceProfileArn` of `CreateComputeNodeGroup`.
    """
    if facts.arn is UNKNOWN:
        return
    resource = facts.arn.rpartition(":instance-profile/")[2]
    if not resource.rpartition("/")[2].startswith("AWSPCS") and "/aws-pcs/" not in f"/{resource}":
        yield Breach(
            "instance_profile_arn",
            f"{resource!r} has neither the prefix AWSPCS nor the path /aws-pcs/",
            "see that its role has one of them, and acknowledge this; or rename both",
        )


@page("PCS705")
def grants_have_a_role() -> None:
    """Something is granted only to nodes whose role is known.

    An imported instance profile does not tell its role.

    Source: `NodeInstanceProfile.from_instance_profile_arn`.
    """
