"""Which AWS services nodes call, as far as templates show it.

What shows it is a policy of the nodes' role or a lifecycle action. Nothing else does: what a job
does, or what a script downloads, is in no template.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.model.services import called, unnamed
from pcs_constructs.templates.document import as_list, as_mapping
from pcs_constructs.templates.values import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.templates.resolved import ResolvedResource

ALWAYS: Final = ("pcs",)
"""The services that every node calls, to register."""

_S3: Final = re.compile(r"s3://|https://[^/]*\bs3\b[^/]*\.amazonaws\.com")


def services(group: ResolvedResource) -> list[str]:
    """The services that the nodes of a group call, by the ends of their endpoints' names."""
    names: dict[str, None] = dict.fromkeys(ALWAYS)
    names.update(dict.fromkeys(_of_lifecycle(group)))
    for role in _roles(group):
        managed = [_text(policy).rpartition("/")[2] for policy in role.each("ManagedPolicyArns")]
        names.update(dict.fromkeys(sorted(called(_allowed(role), managed))))
    return list(names)


def unnamed_services(group: ResolvedResource) -> list[str]:
    """The services that the nodes may call at endpoints that nobody knows the names of."""
    roles = _roles(group)
    return sorted(unnamed(action for role in roles for action in _allowed(role)))


def _allowed(role: ResolvedResource) -> list[str]:
    """The actions that a role's own policies allow."""
    return [action for document in _documents(role) for action in _actions(document)]


def _of_lifecycle(group: ResolvedResource) -> Iterator[str]:
    stages: object = group.get("NodeLifecycleActions", "Stages")
    actions = cast("Mapping[str, Any]", stages).values() if isinstance(stages, dict) else ()
    for action in (a for stage in actions if isinstance(stage, list) for a in cast("Any", stage)):
        match action:
            case {"ScriptSource": {"ScriptLocation": location}} if _S3.match(_text(location)):
                yield "s3"
            case _:
                pass
        match action:
            case {"Arguments": [*arguments]} if "--secret-arn" in arguments:
                yield "secretsmanager"
            case _:
                pass


def _roles(group: ResolvedResource) -> list[ResolvedResource]:
    """The role of the nodes, where the template shows it."""
    profile = group.follow(group.get("IamInstanceProfileArn"))
    if profile is None or profile.type != "AWS::IAM::InstanceProfile":
        return []
    roles = profile.referred(profile.get("Roles"))
    return [role for role in roles if role.type == "AWS::IAM::Role"]


def _documents(role: ResolvedResource) -> Iterator[Any]:
    """The documents of all policies that a role has."""
    for policy in role.each("ManagedPolicyArns"):
        owned = role.follow(policy)
        if owned is not None:
            yield owned.get("PolicyDocument")
    for policy in role.each("Policies"):
        yield from _listed(policy, "PolicyDocument")
    for type_, property_ in (
        ("AWS::IAM::Policy", "Roles"),
        ("AWS::IAM::ManagedPolicy", "Roles"),
        ("AWS::IAM::RolePolicy", "RoleName"),
    ):
        for policy in role.resolved.pointing(role, type_, property_):
            yield policy.get("PolicyDocument")


def _actions(document: object) -> Iterator[str]:
    for statement in _listed(document, "Statement"):
        if as_mapping(statement).get("Effect") == "Allow":
            for action in _listed(statement, "Action"):
                yield _text(action)


def _text(value: Any) -> str:
    return sketch(value, "*") or "*"


def _listed(owner: object, name: str) -> list[Any]:
    """A property that is one thing or a list of them."""
    return as_list(as_mapping(owner).get(name, []))
