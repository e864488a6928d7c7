"""Rules for roles and instance profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record, page

if TYPE_CHECKING:
    from collections.abc import Iterator


@facts_record
class RoleFacts:
    """What a role's ARN or resource shows."""

    name: str | Unknown
    """The role's name, with its path before it as in an ARN: `aws-pcs/compute`."""
    named_by_stack: bool = False
    """Whether CloudFormation makes its name, of the stack's, and its path does not help."""
    registers: bool | Unknown = True
    """Whether it lets nodes register with their cluster."""
    trusts_ec2: bool | Unknown = True
    """Whether instances may have it."""
    reads_everything: bool = False
    """Whether it may read every S3 bucket of the account."""


@error("PCS701", RoleFacts)
def role_name_is_one_that_pcs_accepts(facts: RoleFacts) -> Iterator[Violation]:
    """The role of a node has a name that starts with `AWSPCS`, or `/aws-pcs/` in its path.

    The service-linked role of AWS PCS may pass such roles only; with any other no node starts.

    Source: `iamInstanceProfileArn` of the `CreateComputeNodeGroup` API; Instance profiles.
    """
    if facts.name is UNKNOWN:
        return
    path, _, name = f"/{facts.name}".rpartition("/")
    if not name.startswith("AWSPCS") and "/aws-pcs/" not in f"{path}/":
        yield Violation(
            "role",
            f"AWS PCS does not accept the role {facts.name!r}",
            "give it path='/aws-pcs/' or a name that starts with 'AWSPCS'",
            template_fix="give it the Path /aws-pcs/ or a RoleName that starts with AWSPCS",
        )


@error("PCS703", RoleFacts)
def role_name_is_short_enough(facts: RoleFacts) -> Iterator[Violation]:
    """A role name has at most 64 characters.

    Source: Quotas of IAM.
    """
    if facts.name is not UNKNOWN and len(name := facts.name.rpartition("/")[2]) > 64:
        yield Violation("role", f"{name!r} has {len(name)} characters", "use at most 64")


@facts_record
class InstanceProfileFacts:
    """What an instance profile's ARN shows."""

    arn: str | Unknown


@error("PCS702", InstanceProfileFacts)
def instance_profile_arn_is_an_arn(facts: InstanceProfileFacts) -> Iterator[Violation]:
    """An instance profile is given by its ARN, not by its name.

    Source: `InstanceProfileArn` of the API.
    """
    yield from identifier_violations(
        "instance_profile_arn",
        facts.arn,
        r"arn:aws[a-zA-Z-]{0,10}:iam::\d{12}:instance-profile/([!-~]{1,510}/)?[\w+=,.@-]{1,128}",
        "arn:aws:iam::123456789012:instance-profile/aws-pcs/nodes",
    )


@advice("PCS704", InstanceProfileFacts)
def instance_profile_is_named_like_its_role(facts: InstanceProfileFacts) -> Iterator[Violation]:
    """The instance profile is named as its role must be: `AWSPCS...` or with `/aws-pcs/`.

    The API asks it of the role, which a profile's ARN does not show; the 2024 user guide asked it
    of the profile. A profile with such a name is right by both.

    Source: Instance profiles for AWS PCS; `iamInstanceProfileArn` of `CreateComputeNodeGroup`.
    """
    if facts.arn is UNKNOWN:
        return
    resource = facts.arn.rpartition(":instance-profile/")[2]
    if not resource.rpartition("/")[2].startswith("AWSPCS") and "/aws-pcs/" not in f"/{resource}":
        yield Violation(
            "instance_profile_arn",
            f"{resource!r} has neither the prefix AWSPCS nor the path /aws-pcs/",
            "see that its role has one of them, and acknowledge this; or rename both",
            template_fix="see that its role has one of them, and suppress this; or rename both",
        )


@page("PCS705")
def grants_have_a_role() -> None:
    """Something is granted only to nodes whose role is known.

    An imported instance profile does not tell its role.

    Source: `NodeInstanceProfile.from_instance_profile_arn`.
    """


@facts_record
class ParameterFacts:
    """What a parameter of a template shows."""

    name: str
    secret: bool
    """Whether it is a password by its name, or not to be shown."""
    default: bool
    """Whether the template has a value for it."""


@advice("PCS720", ParameterFacts)
def secrets_have_no_default(facts: ParameterFacts) -> Iterator[Violation]:
    """A parameter for a password has no default.

    Everybody who has the template knows it, and it is used wherever nobody thought of another.

    Source: Security best practices for CloudFormation, "Do not embed credentials".
    """
    if facts.secret and facts.default:
        yield Violation(
            "parameter",
            f"the parameter {facts.name} is a secret with a default",
            "leave the default out, or read the secret from Secrets Manager",
        )


@error("PCS721", RoleFacts)
def role_registers_nodes(facts: RoleFacts) -> Iterator[Violation]:
    """The role of nodes allows `pcs:RegisterComputeNodeGroupInstance`.

    Without it a node starts and never becomes part of the cluster. The managed policy
    `AWSPCSComputeNodePolicy` allows it as well. Looked at where all policies of the role are known.

    Source: Instance profiles for AWS PCS.
    """
    if facts.registers is False:
        yield Violation(
            "role",
            "does not allow pcs:RegisterComputeNodeGroupInstance",
            "allow it, or add the managed policy AWSPCSComputeNodePolicy",
        )


@error("PCS722", RoleFacts)
def role_trusts_instances(facts: RoleFacts) -> Iterator[Violation]:
    """The role of nodes trusts `ec2.amazonaws.com`.

    Source: Instance profiles for AWS PCS; IAM roles for Amazon EC2.
    """
    if facts.trusts_ec2 is False:
        yield Violation(
            "role",
            "does not trust ec2.amazonaws.com",
            "let that service assume it, in AssumeRolePolicyDocument",
        )


@advice("PCS723", RoleFacts)
def role_reads_what_nodes_need(facts: RoleFacts) -> Iterator[Violation]:
    """The role of nodes may not read every bucket of the account.

    Whoever submits a job has the role's permissions.

    Source: Security best practices in IAM, "Apply least-privilege permissions".
    """
    if facts.reads_everything:
        yield Violation(
            "role",
            "may read every object of every S3 bucket",
            "name the buckets that jobs read",
        )


@advice("PCS724", RoleFacts)
def role_is_not_named_by_the_stack(facts: RoleFacts) -> Iterator[Violation]:
    """The role of nodes is given the path `/aws-pcs/`, or a name that starts with `AWSPCS`.

    Otherwise CloudFormation makes a name that starts with the stack's, and AWS PCS takes the role
    only if the stack happens to be called so.

    Source: `iamInstanceProfileArn` of the `CreateComputeNodeGroup` API; Instance profiles.
    """
    if facts.named_by_stack:
        yield Violation(
            "role",
            "gets a name that starts with the stack's",
            "give it path='/aws-pcs/' or a name that starts with 'AWSPCS'",
            template_fix="give it the Path /aws-pcs/ or a RoleName that starts with AWSPCS",
        )
