"""What the lifecycle actions of node groups show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.facts.evidence import Evidence
from pcs_constructs.templates.values import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.resolved import Path, ResolvedResource

_STAGES: Final = ("NodeBootstrapped", "NodeReady")
_MAINTAINED: Final = re.compile(r"s3://aws-pcs-repo-.+/aws-pcs-node-lifecycle-scripts/([^/]+)")
_ACTIONS: Final = "NodeLifecycleActions"


def lifecycle_evidence(group: ResolvedResource) -> Iterator[Evidence]:
    """What the lifecycle actions of a node group show, each and together."""
    if group.get(_ACTIONS) is None:
        return
    actions: list[rules.LifecycleActionFacts] = []
    for stage, i, path in _scripts(group):
        facts = _action(group, stage, i, path)
        actions.append(facts)
        yield Evidence(facts=facts, resource=group, locations={"lifecycle_actions": path})
    policy = group.text(_ACTIONS, "ScriptCachingPolicy")
    yield Evidence(
        facts=rules.LifecycleFacts(
            actions=tuple(actions),
            script_caching_policy=policy if isinstance(policy, str) else None,
        ),
        resource=group,
        locations={
            "lifecycle_actions": (_ACTIONS, "Stages"),
            "script_caching_policy": (_ACTIONS, "ScriptCachingPolicy")
            if policy is not None
            else (_ACTIONS,),
        },
    )
    paths = mount_points(group)
    if paths:
        yield Evidence(
            facts=rules.MountFacts(paths=tuple(paths)),
            resource=group,
            locations={"mounts": (_ACTIONS, "Stages")},
        )


def _scripts(group: ResolvedResource) -> Iterator[tuple[str, int, Path]]:
    for stage in _STAGES:
        for i in range(len(group.each(_ACTIONS, "Stages", stage))):
            yield stage, i, (_ACTIONS, "Stages", stage, i)


def _action(group: ResolvedResource, stage: str, i: int, path: Path) -> rules.LifecycleActionFacts:
    name = group.text(*path, "Name")
    source = (*path, "ScriptSource")
    location = group.text(*source, "ScriptLocation")
    whole = sketch(group.get(*source, "ScriptLocation")) or ""
    maintained = _MAINTAINED.fullmatch(whole)
    arguments = tuple(
        group.text(*path, "Arguments", j) for j in range(len(group.each(*path, "Arguments")))
    )
    on_error, policy = group.text(*path, "OnError"), group.text(*path, "ExecutionPolicy")
    return rules.LifecycleActionFacts(
        # A name that is not known yet differs from all others.
        name=name if isinstance(name, str) else f"{stage} {i + 1}",
        stage=stage,
        location=UNKNOWN if location is None else location,
        version=group.text(*source, "S3VersionId"),
        checksum=group.text(*source, "Checksum"),
        maintained=maintained[1] if maintained else None,
        arguments=tuple(UNKNOWN if argument is None else argument for argument in arguments),
        on_error=on_error if isinstance(on_error, str) else "TERMINATE",
        execution_policy=policy if isinstance(policy, str) else "FIRST_BOOT_ONLY",
    )


def mount_points(group: ResolvedResource) -> list[str | Unknown]:
    """Where scripts that AWS maintains mount something on the nodes of a group."""
    points: list[str | Unknown] = []
    for stage, i, path in _scripts(group):
        facts = _action(group, stage, i, path)
        values = rules.flag_values(facts.script, facts.arguments)
        for flag in ("--mount-point", "--home-base"):
            value = values.get(flag)
            if value is not None:
                points.append(value)
    return points
