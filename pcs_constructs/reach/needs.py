"""Which AWS services nodes call, as far as templates show it.

What shows it is either a policy of the nodes' role or a lifecycle action. Nothing else does: what a
job does, or what a script downloads, is in no template.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.reach.network import known_items, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.reach.network import Network
    from pcs_constructs.template import Resource, Template

ALWAYS: Final = ("pcs",)
"""The services that every node calls, to register."""

BY_ACTION: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudwatch": ("monitoring",),
    "dynamodb": ("dynamodb",),
    "ec2": ("ec2",),
    "ec2messages": ("ec2messages",),
    "ecr": ("ecr.api", "ecr.dkr", "s3"),
    "elasticfilesystem": ("elasticfilesystem",),
    "fsx": ("fsx",),
    "logs": ("logs",),
    "s3": ("s3",),
    "secretsmanager": ("secretsmanager",),
    "sns": ("sns",),
    "sqs": ("sqs",),
    "ssm": ("ssm",),
    "ssmmessages": ("ssmmessages",),
    "sts": ("sts",),
}
"""What a role that allows an action of a service calls: the ends of the endpoints' names."""

BY_MANAGED_POLICY: Final[Mapping[str, tuple[str, ...]]] = {
    "AmazonEC2ContainerRegistryPullOnly": ("ecr.api", "ecr.dkr", "s3"),
    "AmazonEC2ContainerRegistryReadOnly": ("ecr.api", "ecr.dkr", "s3"),
    "AmazonS3FullAccess": ("s3",),
    "AmazonS3ReadOnlyAccess": ("s3",),
    # Not ec2messages: the agent asks that only where it cannot get at ssmmessages.
    "AmazonSSMManagedInstanceCore": ("ssm", "ssmmessages"),
    "CloudWatchAgentServerPolicy": ("logs", "monitoring"),
    "SecretsManagerReadWrite": ("secretsmanager",),
}
"""What AWS's own policies are for, as far as nodes are concerned."""

# The mount target asks EFS for these, not the node.
_THROUGH_MOUNT_TARGETS: Final = re.compile(r"elasticfilesystem:Client\w*", re.IGNORECASE)

_S3: Final = re.compile(r"s3://|https://[^/]*\bs3\b[^/]*\.amazonaws\.com")


def services(network: Network, group: Resource) -> list[str]:
    """The services that the nodes of a group call."""
    found: dict[str, None] = dict.fromkeys(ALWAYS)
    found.update(dict.fromkeys(_of_lifecycle(group)))
    for role in _roles(group):
        found.update(dict.fromkeys(_of_role(network, role)))
    return list(found)


def _of_lifecycle(group: Resource) -> Iterator[str]:
    stages: object = group.get("NodeLifecycleActions", "Stages")
    actions = cast("Mapping[str, Any]", stages).values() if isinstance(stages, dict) else ()
    for action in (a for stage in actions if isinstance(stage, list) for a in cast("Any", stage)):
        match action:
            case {"ScriptSource": {"ScriptLocation": location}} if _S3.match(
                plain(group.template, location)
            ):
                yield "s3"
            case _:
                pass
        match action:
            case {"Arguments": [*arguments]} if "--secret-arn" in arguments:
                yield "secretsmanager"
            case _:
                pass


def _roles(group: Resource) -> list[Resource]:
    """The role of the nodes, where the template shows it."""
    template = group.template
    profile = template.referred(group.get("IamInstanceProfileArn"))
    if profile is None or profile.type != "AWS::IAM::InstanceProfile":
        return []
    return [
        role
        for role in profile.template.references(profile.get("Roles"))
        if role.type == "AWS::IAM::Role"
    ]


def _of_role(network: Network, role: Resource) -> Iterator[str]:
    for policy in known_items(role, "ManagedPolicyArns"):
        name = plain(role.template, policy).rpartition("/")[2]
        yield from BY_MANAGED_POLICY.get(name, ())
        owned = role.template.referred(policy)
        if owned is not None:
            yield from _of_document(owned.template, owned.get("PolicyDocument"))
    for policy in known_items(role, "Policies"):
        for document in _listed(policy, "PolicyDocument"):
            yield from _of_document(role.template, document)
    for type_, property_ in (
        ("AWS::IAM::Policy", "Roles"),
        ("AWS::IAM::ManagedPolicy", "Roles"),
        ("AWS::IAM::RolePolicy", "RoleName"),
    ):
        for policy in network.of_type(type_):
            if role in policy.template.references(policy.get(property_)):
                yield from _of_document(policy.template, policy.get("PolicyDocument"))


def _of_document(template: Template, document: Any) -> Iterator[str]:
    for statement in _listed(document, "Statement"):
        if isinstance(statement, dict) and cast("Any", statement).get("Effect") == "Allow":
            for action in _listed(statement, "Action"):
                text = plain(template, action)
                if not _THROUGH_MOUNT_TARGETS.fullmatch(text):
                    yield from BY_ACTION.get(text.partition(":")[0].lower(), ())


def _listed(owner: Any, name: str) -> list[Any]:
    """A property that is one thing or a list of them."""
    found: Any = cast("dict[str, Any]", owner).get(name, []) if isinstance(owner, dict) else []
    return cast("list[Any]", found) if isinstance(found, list) else [found]
