"""What happens to each cluster, node group and queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis.diff.broken_rules import has_accounting
from pcs_constructs.analysis.diff.change import Change, Effect, Reason
from pcs_constructs.analysis.diff.refusals import Refusals
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY, Update
from pcs_constructs.model import slurm_updates
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import CLUSTER as CLUSTER_SETTINGS
from pcs_constructs.model.slurm_settings import GRES, Scope
from pcs_constructs.model.slurm_settings import NODE_GROUP as NODE_GROUP_SETTINGS
from pcs_constructs.templates import conditions
from pcs_constructs.templates.template import TemplateError
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, NOUNS, QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pcs_constructs.templates.template import Resource, Template

_LEAVES_NODES: Final = ("Tags", "ScalingConfiguration", "SpotOptions.AllocationStrategy")
"""The properties of a node group whose change leaves its nodes alone.

The user guide says so of the allocation strategy and of subnets that are added. It says nothing of
Slurm settings and of the idle time; since it says that an update replaces nodes unless it does not
concern them, those are taken to replace them.

Source: Updating an AWS PCS compute node group.
"""

_MAXIMUM: Final = "ScalingConfiguration.MaxInstanceCount"
_MINIMUM: Final = "ScalingConfiguration.MinInstanceCount"

_ENDS: Final = (Effect.REPLACED, Effect.REMOVED, Effect.LOST)
"""The effects that end what runs on a node group or in a queue."""

_MODE: Final = "SlurmConfiguration.Accounting.Mode"
_PURGE: Final = "SlurmConfiguration.Accounting.DefaultPurgeTimeInDays"

_RULES: Final = {
    "AWS::EC2::SecurityGroupIngress": "GroupId",
    "AWS::EC2::SecurityGroupEgress": "GroupId",
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::ManagedPolicy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
}
"""Resources that are rules of another one, and the property that says which."""

_AT_ONCE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "AWS::EC2::SecurityGroup": ("rules", ("SecurityGroupIngress", "SecurityGroupEgress")),
    "AWS::IAM::InstanceProfile": ("roles", ("Roles",)),
    "AWS::IAM::Role": ("permissions", ("ManagedPolicyArns", "Policies")),
}
"""What takes effect on running instances without an update of AWS PCS, and in which properties."""

_NEEDS: Final = (
    (CLUSTER, "SlurmConfiguration.Accounting.Mode", "24.11"),
    (CLUSTER, "SlurmConfiguration.SlurmRest.Mode", "25.05"),
    (NODE_GROUP, "SlurmConfiguration.ScaleDownIdleTimeInSeconds", "25.11"),
)
"""Properties that only newer versions of Slurm take, and since when."""


def compare(old: Sequence[Template], new: Sequence[Template]) -> list[Change]:
    """What deploying some templates over others does to their clusters, node groups and queues.

    Args:
        old: The templates that are deployed, read together.
        new: The templates to deploy, read together.

    Returns:
        A record of each, cluster by cluster. What a template imports from one that was not read is
        taken to stay as it is, as long as it is written alike. A condition that changes is taken
        not to hold, unless the template shows that it does.

    Raises:
        TemplateError: Resources refer to each other in a longer chain than can be followed.

    Source: Updating a cluster, a compute node group and a queue in AWS PCS.
    """
    try:
        return _compared(Update(old, new))
    except RecursionError:
        names = ", ".join(dict.fromkeys(template.name for template in (*old, *new)))
        raise TemplateError(f"{names}: refers to itself in too long a chain") from None


def _compared(update: Update) -> list[Change]:
    refusals = Refusals(update)
    changes: list[tuple[tuple[str, ...], Change]] = []
    for type_ in NOUNS:
        for template in update.new:
            for resource in template.of_type(type_):
                change = _Judged(update, resource).change()
                changes.append(
                    (_cluster_of(update, resource), replace(change, refusals=refusals.of(resource)))
                )
        for template in update.old:
            for resource in template.of_type(type_):
                after = update.after(resource)
                if after is None or after.type != type_:
                    change = _removed(update, resource)
                    refused = tuple(refusals.of_exports(resource))
                    changes.append(
                        (_cluster_of(update, resource), replace(change, refusals=refused))
                    )
    clusters = list(dict.fromkeys(key for key, _ in changes))
    return [change for _, change in sorted(changes, key=lambda pair: clusters.index(pair[0]))]


class _Judged:
    """A new resource, and what happens to it."""

    def __init__(self, update: Update, resource: Resource) -> None:
        self._update = update
        self._resource = resource
        self._before = update.before(resource)
        self._cluster = _cluster_resource(resource)
        self._replacement = update.replacement(resource)

    def change(self) -> Change:
        before, there = self._before, conditions.is_there(self._resource)
        if before is not None and before.type != self._resource.type:
            before = None
        if before is None or conditions.is_there(before) is False:
            if there is False:
                notes = [f"condition {self._resource.condition} does not hold"]
                return _record(self._update, self._resource, Effect.NOTHING, notes=notes)
            return _record(
                self._update, self._resource, Effect.CREATED, notes=self._notes_of_others()
            )
        causes = dict.fromkeys(self._reasons(before))
        reasons = sorted(causes, key=lambda reason: -reason.effect)
        effect = max((reason.effect for reason in reasons), default=Effect.NOTHING)
        notes = tuple(dict.fromkeys(self._notes(before, effect, reasons)))
        return _record(self._update, self._resource, effect, reasons, notes)

    def _reasons(self, before: Resource) -> Iterator[Reason]:
        create_only = CREATE_ONLY[self._resource.type]
        if gone := self._update.leaves(self._resource):
            lost = self._resource.type == CLUSTER or self._loses_its_cluster()
            yield replace(gone, effect=Effect.LOST if lost else Effect.REMOVED)
        for reason in self._update.differences(before, self._resource):
            yield replace(
                reason,
                effect=self._replaced(reason)
                if _is_below(reason.path, create_only)
                else self._updated(before, reason),
            )
        yield from self._at_once()

    def _replaced(self, reason: Reason) -> Effect:
        if self._resource.type == CLUSTER:
            return Effect.LOST
        if reason.path == "ClusterId" and self._loses_its_cluster():
            return Effect.LOST
        return Effect.REPLACED

    def _loses_its_cluster(self) -> bool:
        return self._cluster is not None and _is_gone(self._update, self._cluster)

    def _updated(self, before: Resource, reason: Reason) -> Effect:
        if self._resource.type == CLUSTER and self._loses_records(before, reason):
            return Effect.RECORDS_LOST
        if self._resource.type != NODE_GROUP:
            return Effect.IN_PLACE
        login = not _queues(self._update.old, self._update, before)
        if reason.path in (_MAXIMUM, _MINIMUM) and _is_lower(before, self._resource, reason.path):
            if login:
                return Effect.SESSIONS_END
            return Effect.JOBS_FAIL if reason.path == _MAXIMUM else Effect.IN_PLACE
        added_subnet = _is_below(reason.path, ("SubnetIds",)) and reason.before is None
        if _is_below(reason.path, _LEAVES_NODES) or (added_subnet and reason.after):
            return Effect.IN_PLACE
        return Effect.SESSIONS_END if login else Effect.NODES_REPLACED

    def _loses_records(self, before: Resource, reason: Reason) -> bool:
        """Whether records of the accounting database go; also where nobody can tell."""
        if has_accounting(before) is False:
            return False
        if has_accounting(self._resource) is not True:
            return _is_below(_MODE, (reason.path,))
        return _is_below(_PURGE, (reason.path,)) and _is_shorter(before, self._resource)

    def _at_once(self) -> Iterator[Reason]:
        """Rules of security groups and permissions of roles: of what runs already too."""
        for one in _governing(self._resource):
            word, names = _AT_ONCE.get(one.type, ("", ()))
            before = self._update.before(one)
            if (
                word
                and before is not None
                and (
                    any(
                        reason
                        for name in names
                        for reason in self._update.differences(before, one, name)
                    )
                    or _rules(self._update, before) != _rules(self._update, one)
                )
            ):
                because = f"{word} of {one.logical_id} change, at once and on running nodes too"
                yield Reason(path="", before=None, after=None, because=because)

    def _notes(self, before: Resource, effect: Effect, reasons: Sequence[Reason]) -> Iterator[str]:
        resource = self._resource
        if effect in (Effect.REPLACED, Effect.LOST) and _keeps(resource, "UpdateReplacePolicy"):
            yield "the old one stays in AWS PCS, since UpdateReplacePolicy is Retain"
        if resource.type == CLUSTER:
            yield from self._notes_of_cluster(before, effect, reasons)
            if effect is Effect.LOST:
                yield from self._notes_of_others()
        if resource.type == NODE_GROUP:
            yield from self._notes_of_node_group(effect, reasons)
        if resource.type == QUEUE:
            if effect is Effect.IN_PLACE and not _only_tags(reasons):
                yield "running jobs stay; new ones may not be accepted while it is updated"
            elif effect in _ENDS:
                yield "running jobs are ended and pending ones cancelled"

    def _notes_of_others(self) -> Iterator[str]:
        """What depends on the account and Region of other stacks, which no template says."""
        if self._resource.type != CLUSTER:
            return
        for template in self._resource.template.together:
            for other in template.of_type(CLUSTER):
                if template is not self._resource.template and _is_made(self._update, other):
                    yield (
                        f"{template.name} makes a cluster too: in one account and Region deploy "
                        "one after the other"
                    )
        name = self._resource.text("Name")
        for template in self._update.old:
            for other in template.of_type(CLUSTER):
                apart = self._update.template_after(template) is not self._resource.template
                if apart and isinstance(name, str) and other.text("Name") == name:
                    yield (
                        f"the name '{name}' is that of a cluster in {template.name}: it is taken "
                        "if both are in one account and Region"
                    )

    def _notes_of_cluster(
        self, before: Resource, effect: Effect, reasons: Sequence[Reason]
    ) -> Iterator[str]:
        if effect not in (Effect.IN_PLACE, Effect.RECORDS_LOST) or _only_tags(reasons):
            return
        if effect is Effect.RECORDS_LOST:
            if has_accounting(self._resource) is True:
                yield "records older than the new purge time are deleted, and nothing restores them"
            else:
                yield (
                    "the user guide does not say what becomes of the accounting database and its "
                    "jobs, accounts and QOS; taken to be lost: save what sacct and sacctmgr print"
                )
        if any(reason.path for reason in reasons):
            yield (
                "jobs go on while the controller may be away for a short time; every node group "
                "and queue must be ACTIVE when it starts"
            )
        old, new = _version(before), _version(self._resource)
        if old and new and old != new:
            yield (
                f"every node's image must hold Slurm {new} before, with PCS agent 1.4.0 or newer "
                f"and Slurm {old} too if jobs are to go on"
            )
            if not SlurmVersion(old).is_at_least(slurm_updates.NODES_FOLLOW_FROM):
                yield f"nodes of Slurm {old} cannot talk to a newer controller: replace them all"
            settings = str(self._resource.get("SlurmConfiguration", "SlurmCustomSettings"))
            if "CliFilterPlugins" in settings:
                yield "with CliFilterPlugins nodes cannot follow later: replace them all at once"
            yield from _too_early(CLUSTER, CLUSTER_SETTINGS, reasons, old)

    def _notes_of_node_group(self, effect: Effect, reasons: Sequence[Reason]) -> Iterator[str]:
        if effect in _ENDS:
            yield "its jobs are cancelled and what people run on its nodes ends"
        if effect is Effect.JOBS_FAIL:
            yield "jobs on the nodes that go fail and return to their queues"
        if effect is Effect.SESSIONS_END:
            yield "no queue names it, so people may be logged in: what they run ends"
        if any(_is_below(reason.path, ("SlurmConfiguration",)) for reason in reasons):
            yield "the user guide does not say whether Slurm settings replace nodes; taken to do so"
        parameter = _looked_up(self._resource)
        if parameter:
            yield (
                f"parameter {parameter} is looked up at every deployment: its value, and so the "
                "nodes, may change although nothing does here"
            )
        cluster = self._cluster
        earlier = self._update.before(cluster) if cluster else None
        old, new = _version(earlier), _version(cluster)
        if old and new and old != new:
            yield from _too_early(NODE_GROUP, NODE_GROUP_SETTINGS, reasons, old)


def _too_early(type_: str, scope: Scope, reasons: Sequence[Reason], old: str) -> Iterator[str]:
    """Settings that come with the version that is updated to: they should come after it."""
    running = SlurmVersion(old)
    for reason in reasons:
        name = reason.path.rpartition(".")[2]
        value = (reason.after or "").strip("'")
        since = [version for of, path, version in _NEEDS if (of, path) == (type_, reason.path)]
        since += [scope.since[key] for key in (name, f"{name}={value}") if key in scope.since]
        if "GresCustomSettings" in reason.path and "AutoDetect" in f"{reason.path}{value}":
            since.append(GRES.since["AutoDetect"])
        if value and value != "NONE" and any(not running.is_at_least(v) for v in since):
            yield f"{name} needs Slurm {max(since)}: set it in a deployment after the version's"


def _removed(update: Update, resource: Resource) -> Change:
    if update.stays(resource.template):
        stays = (
            "deploying leaves its stack, which is not among the new ones; deleting that would "
            "remove it"
        )
        return _record(update, resource, Effect.NOTHING, notes=[stays])
    cluster = _cluster_resource(resource)
    lost = resource.type == CLUSTER or (cluster is not None and _is_gone(update, cluster))
    notes = {
        CLUSTER: "all node groups and queues have to be deleted first",
        NODE_GROUP: "its jobs are cancelled and what people run on its nodes ends",
        QUEUE: "running jobs are ended and pending ones cancelled",
    }
    kept = _keeps(resource, "DeletionPolicy")
    note = "it stays in AWS PCS, since DeletionPolicy is Retain" if kept else notes[resource.type]
    blocks = ("its cluster cannot be deleted while it stays",) if kept and cluster and lost else ()
    return _record(
        update,
        resource,
        Effect.LOST if lost else Effect.REMOVED,
        [Reason(path="", before=None, after=None, because="not in the new template")],
        (note, *blocks),
    )


def _is_made(update: Update, resource: Resource) -> bool:
    before = update.before(resource)
    new = before is None or before.type != resource.type
    return new or bool(update.replacement(resource))


def _is_gone(update: Update, cluster: Resource) -> bool:
    """Whether a cluster, old or new, goes with all below it."""
    after = cluster if update.is_new(cluster) else update.after(cluster)
    if after is None:
        return not update.stays(cluster.template)
    return after.type != CLUSTER or bool(update.replacement(after) or update.leaves(after))


def _record(
    update: Update,
    resource: Resource,
    effect: Effect,
    reasons: Iterable[Reason] = (),
    notes: Iterable[str] = (),
) -> Change:
    name = resource.text("Name")
    return Change(
        template=resource.template.name,
        logical_id=resource.logical_id,
        path=resource.path,
        type=resource.type,
        name=name if isinstance(name, str) else None,
        cluster=_cluster_of(update, resource)[-1],
        effect=effect,
        reasons=tuple(reasons),
        notes=tuple(notes),
    )


def _cluster_resource(resource: Resource) -> Resource | None:
    """The cluster that a node group or a queue belongs to, if it was read."""
    return resource.template.referred(resource.get("ClusterId"))


def _cluster_of(update: Update, resource: Resource) -> tuple[str, ...]:
    """What tells a cluster from others and, last, what to call it."""
    cluster = resource if resource.type == CLUSTER else _cluster_resource(resource)
    before = update.before(resource)
    if cluster is None and before is not None:  # what was read of the new ones may be less
        cluster = _cluster_resource(before)
    if cluster is not None:
        cluster = update.after(cluster) or cluster
        name = cluster.text("Name")
        label = name if isinstance(name, str) else cluster.logical_id
        return (*update.identity(cluster), f"{label} in {cluster.template.name}")
    identifier = resource.text("ClusterId")
    return (identifier if isinstance(identifier, str) else "that is defined elsewhere",)


def _queues(templates: Iterable[Template], update: Update, group: Resource) -> list[Resource]:
    """The queues that name a node group."""
    return [
        queue
        for template in templates
        for queue in template.of_type(QUEUE)
        if any(
            update.identity(named) == update.identity(group)
            for named in template.references(queue.get("ComputeNodeGroupConfigurations"))
        )
    ]


def _is_lower(before: Resource, after: Resource, path: str) -> bool:
    """Whether a number goes down; also where nobody can tell."""
    old, new = before.number(*path.split(".")), after.number(*path.split("."))
    return not isinstance(old, int) or not isinstance(new, int) or new < old


def _is_shorter(before: Resource, after: Resource) -> bool:
    """Whether records are kept for less time; also where nobody can tell."""
    old, new = (one.number(*_PURGE.split(".")) for one in (before, after))
    if new is None or new == -1:  # for good
        return False
    return not isinstance(new, int) or not isinstance(old, int) or old == -1 or new < old


def _governing(resource: Resource) -> list[Resource]:
    """The security groups and the role of a cluster's or a node group's instances."""
    resources = list(resource.template.references(resource.properties))
    for one in list(resources):
        if one.type in ("AWS::EC2::LaunchTemplate", "AWS::IAM::InstanceProfile"):
            resources += one.template.references(one.properties)
    return list(dict.fromkeys(resources))


def _rules(update: Update, owner: Resource) -> list[str]:
    """The rules of a security group or a role that are resources of their own, as written."""
    return sorted(
        str(update.canonical(template, resource.properties))
        for template in owner.template.together
        for type_, name in _RULES.items()
        for resource in template.of_type(type_)
        if owner in template.references(resource.get(name))
    )


def _looked_up(resource: Resource) -> str | None:
    """A parameter that CloudFormation looks up in SSM, as the image of a node group."""
    launch_template = resource.template.referred(resource.get("CustomLaunchTemplate", "TemplateId"))
    images: list[tuple[Resource, Any]] = [(resource, resource.get("AmiId"))]
    if launch_template is not None:
        images.append((launch_template, launch_template.get("LaunchTemplateData", "ImageId")))
    for owner, image in images:
        match image:
            case {"Ref": str() as name}:
                parameter = owner.template.parameters.get(name, {})
                if str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value"):
                    return str(name)
            case _:
                pass
    return None


def _version(cluster: Resource | None) -> str | None:
    """The Slurm version of a cluster, where it is one that can be compared."""
    text = cluster.text("Scheduler", "Version") if cluster else None
    if isinstance(text, str) and slurm_updates.hops(text, text) is not None:
        return text
    return None


def _keeps(resource: Resource, policy: str) -> bool:
    declared = resource.template.content["Resources"][resource.logical_id].get(policy, "Delete")
    return str(declared).startswith("Retain")


def _only_tags(reasons: Sequence[Reason]) -> bool:
    return all(_is_below(reason.path, ("Tags",)) for reason in reasons)


def _is_below(path: str, names: Iterable[str]) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in names)
