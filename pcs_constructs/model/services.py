"""Which AWS services nodes call, told from what their role may do. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GATEWAYS: Final = frozenset({"s3", "dynamodb"})
"""The services with gateway endpoints: routes, free of charge, and no network interfaces."""

SESSION_MANAGER: Final = frozenset({"ssm", "ssmmessages"})
"""What Session Manager and its agent call. Agents before 3.3.40 call `ec2messages` too."""

# What stands before the service in the name of its endpoint.
_SERVICE_NAME: Final = re.compile(r"^(cn\.)?com\.amazonaws\.[\w-]+\.")

# Neither a wildcard nor a token.
_PREFIX: Final = re.compile(r"[a-z0-9-]+")

_IMAGES: Final = ("ecr.api", "ecr.dkr", "s3")

# By the prefix of the actions in IAM, where calls go. Not `elasticfilesystem:Client...`: that is
# asked for by NFS.
_CALLED: Final[dict[str, tuple[str, ...]]] = {
    "autoscaling": ("autoscaling",),
    "cloudformation": ("cloudformation",),
    "cloudwatch": ("monitoring",),
    "dynamodb": ("dynamodb",),
    "ec2": ("ec2",),
    "ec2messages": ("ec2messages",),
    "ecr": _IMAGES,
    "events": ("events",),
    "fsx": ("fsx",),
    "imagebuilder": ("imagebuilder",),
    "lambda": ("lambda",),
    "logs": ("logs",),
    "pcs": ("pcs",),
    "s3": ("s3",),
    "secretsmanager": ("secretsmanager",),
    "sns": ("sns",),
    "sqs": ("sqs",),
    "ssm": ("ssm",),
    "ssmmessages": ("ssmmessages",),
    "states": ("states",),
    "sts": ("sts",),
}
# S3, EBS and Secrets Manager use a key for whoever may use it.
_NOT_CALLED: Final = frozenset({"elasticfilesystem", "kms"})
_IN_MANAGED_POLICIES: Final[dict[str, tuple[str, ...]]] = {
    "AWSPCSComputeNodePolicy": ("pcs",),
    "AmazonEC2ContainerRegistryFullAccess": _IMAGES,
    "AmazonEC2ContainerRegistryPowerUser": _IMAGES,
    "AmazonEC2ContainerRegistryPullOnly": _IMAGES,
    "AmazonEC2ContainerRegistryReadOnly": _IMAGES,
    "AmazonS3FullAccess": ("s3",),
    "AmazonS3ReadOnlyAccess": ("s3",),
    "AmazonSSMManagedInstanceCore": tuple(sorted(SESSION_MANAGER)),
    "CloudWatchAgentServerPolicy": ("logs", "monitoring"),
    "SecretsManagerReadWrite": ("secretsmanager",),
}


def called(actions: Iterable[str], managed_policies: Iterable[str]) -> frozenset[str]:
    """The services that somebody calls who may do this, by the names of their endpoints.

    Args:
        actions: Actions of IAM, such as `s3:GetObject`.
        managed_policies: Names of managed policies, such as `AmazonSSMManagedInstanceCore`.
    """
    return frozenset(_called(actions, managed_policies))


def endpoint_service(name: str | None) -> str | None:
    """What an endpoint is for, such as `ecr.api`, by its name.

    Args:
        name: `ServiceName`. Names that are not as those of AWS services are given back whole.
    """
    return None if name is None else _SERVICE_NAME.sub("", name)


def unnamed(actions: Iterable[str]) -> frozenset[str]:
    """The prefixes of services of which it is not known by which endpoints they are called.

    Args:
        actions: Actions of IAM, such as `kinesis:PutRecord`.
    """
    prefixes = {action.lower().partition(":")[0] for action in actions if ":" in action}
    return frozenset(filter(_PREFIX.fullmatch, prefixes)) - _CALLED.keys() - _NOT_CALLED


def _called(actions: Iterable[str], managed_policies: Iterable[str]) -> Iterator[str]:
    for action in actions:
        # IAM does not tell capitals from small letters.
        prefix, _, name = action.lower().partition(":")
        if prefix == "elasticfilesystem" and not name.startswith("client"):
            yield prefix
        yield from _CALLED.get(prefix, ())
    for policy in managed_policies:
        yield from _IN_MANAGED_POLICIES.get(policy, ())
