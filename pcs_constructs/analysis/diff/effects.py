"""What happens to each cluster, node group and queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pcs_constructs.analysis.diff.change import GONE, Change, Effect, Reason, is_below
from pcs_constructs.analysis.diff.differences import Differences
from pcs_constructs.analysis.diff.notes import Notes
from pcs_constructs.analysis.diff.refusals import Refusals
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.analysis.diff.storage import fates
from pcs_constructs.analysis.diff.update import Side, Update
from pcs_constructs.model.slurm import CATALOG_DATE
from pcs_constructs.templates.members import accounting_of
from pcs_constructs.templates.scenarios import Given
from pcs_constructs.templates.template import followed
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, NOUNS, SECURITY_GROUP
from pcs_constructs.templates.values import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pcs_constructs.analysis.diff.differences import Difference
    from pcs_constructs.templates.resolved import ResolvedResource
    from pcs_constructs.templates.template import Template

_LEAVES_NODES: Final = ("Tags", "ScalingConfiguration", "SpotOptions.AllocationStrategy")
"""The properties of a node group whose change leaves its nodes alone.

The user guide says so of the allocation strategy and of subnets that are added. It says nothing of
Slurm settings and of the idle time; since it says that an update replaces nodes unless it does not
concern them, those are taken to replace them.

Source: Updating an AWS PCS compute node group.
"""

_MAXIMUM: Final = "ScalingConfiguration.MaxInstanceCount"
_MINIMUM: Final = "ScalingConfiguration.MinInstanceCount"

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
    SECURITY_GROUP: ("rules", ("SecurityGroupIngress", "SecurityGroupEgress")),
    "AWS::IAM::InstanceProfile": ("roles", ("Roles",)),
    "AWS::IAM::Role": ("permissions", ("ManagedPolicyArns", "Policies")),
}
"""What takes effect on running instances without an update of AWS PCS, and in which properties."""


def compare(
    old: Sequence[Template],
    new: Sequence[Template],
    *,
    given_old: Given | None = None,
    given_new: Given | None = None,
    today: str = CATALOG_DATE,
) -> list[Change]:
    """What deploying some templates over others does to their clusters, node groups and queues.

    File systems are told of that are replaced, or go.

    Args:
        old: The templates that are deployed, read together.
        new: The templates to deploy, read together.
        given_old: What is said of what is deployed: values of parameters, names of stacks. By
            default nothing is: then parameters have their defaults, and what conditions by them
            come to is not known.
        given_new: The same of what is to be deployed.
        today: The day by which versions of Slurm are judged, as an ISO date. By default the one on
            which the library's table of them was made.

    Returns:
        A record of each, cluster by cluster. What a template imports from one that was not read is
        taken to stay as it is, as long as it is written alike. A condition that changes is taken
        not to hold, unless the template shows that it does.

    Raises:
        TemplateError: Resources refer to each other in a longer chain than can be followed.

    Source: Updating a cluster, a compute node group and a queue in AWS PCS.
    """
    with followed(*old, *new):
        update = Update(
            Side(old, given_old or Given(), today), Side(new, given_new or Given(), today)
        )
        return _Comparison(update).changes()


class _Comparison:
    """An update, and what happens in it to everything of AWS PCS."""

    def __init__(self, update: Update) -> None:
        self._update = update
        self._differences = Differences(update)
        self._refusals = Refusals(update, self._differences)
        self._notes = Notes(update, self._differences)

    def changes(self) -> list[Change]:
        """A record of each, cluster by cluster."""
        changes: list[tuple[tuple[str, ...], Change]] = []
        for type_ in NOUNS:
            for resource in self._update.new.values.declared_of_type(type_):
                change = replace(self._change(resource), refusals=self._refusals.of(resource))
                changes.append((self._cluster_of(resource), change))
            for resource in self._update.old.values.of_type(type_):
                if self._update.after(resource) is None:
                    refused = tuple(self._refusals.of_exports(resource))
                    change = replace(self._removed(resource), refusals=refused)
                    changes.append((self._cluster_of(resource), change))
        for resource, cluster, effect, reasons, note in fates(self._update, self._differences):
            told = [replace(reason, effect=effect) for reason in reasons]
            key = self._known_as(cluster) if cluster else ("that is not known",)
            changes.append((key, self._record(resource, effect, told, [note], key)))
        clusters = list(dict.fromkeys(key for key, _ in changes))
        return [change for _, change in sorted(changes, key=lambda pair: clusters.index(pair[0]))]

    # What is new, or was there before.

    def _change(self, resource: ResolvedResource) -> Change:
        before = self._update.before(resource)
        if before is None:
            if resource.exists is False:
                notes = [f"condition {resource.declared.condition} does not hold"]
                return self._record(resource, Effect.NOTHING, notes=notes)
            return self._record(resource, Effect.CREATED, notes=self._notes.of_others(resource))
        causes = dict.fromkeys(self._reasons(before, resource))
        reasons = sorted(causes, key=lambda reason: -reason.effect)
        effect = max((reason.effect for reason in reasons), default=Effect.NOTHING)
        notes = dict.fromkeys(self._notes.of(before, resource, effect, reasons))
        return self._record(resource, effect, reasons, notes)

    def _reasons(self, before: ResolvedResource, after: ResolvedResource) -> Iterator[Reason]:
        create_only = CREATE_ONLY[after.type]
        if gone := self._differences.leaves(after):
            lost = self._loses_its_cluster(after, before)
            yield replace(gone, effect=Effect.LOST if lost else Effect.REMOVED)
        for difference in self._differences.of(before, after):
            reason = difference.reason
            # Of properties that are a function as a whole nobody knows which of them change.
            if not reason.path or is_below(reason.path, create_only):
                yield replace(reason, effect=self._replaced(after, reason))
            else:
                yield replace(reason, effect=self._updated(before, after, difference))
        yield from self._at_once(after)

    def _replaced(self, resource: ResolvedResource, reason: Reason) -> Effect:
        lost = resource.type == CLUSTER or reason.path == "ClusterId"
        return Effect.LOST if lost and self._loses_its_cluster(resource) else Effect.REPLACED

    def _loses_its_cluster(self, *resources: ResolvedResource) -> bool:
        """Whether a resource that goes is a cluster, or below one that goes."""
        clusters = [self._update.cluster(resource) for resource in resources]
        cluster = next((one for one in clusters if one is not None), None)
        return cluster is not None and (cluster in resources or self._is_gone(cluster))

    def _is_gone(self, cluster: ResolvedResource) -> bool:
        """Whether a cluster, old or new, goes with all below it."""
        after = cluster if self._update.is_new(cluster) else self._update.after(cluster)
        if after is None:
            return not self._update.stays(cluster.stack)
        return bool(self._differences.replacement(after) or self._differences.leaves(after))

    def _updated(
        self, before: ResolvedResource, after: ResolvedResource, difference: Difference
    ) -> Effect:
        reason = difference.reason
        if after.type == CLUSTER and _loses_records(before, after, difference):
            return Effect.RECORDS_LOST
        if after.type != NODE_GROUP:
            return Effect.IN_PLACE
        login = not self._queues(before)
        if reason.path in (_MAXIMUM, _MINIMUM) and _is_lower(difference):
            if login:
                return Effect.SESSIONS_END
            return Effect.JOBS_FAIL if reason.path == _MAXIMUM else Effect.IN_PLACE
        added_subnet = is_below(reason.path, ("SubnetIds",)) and reason.before is None
        if is_below(reason.path, _LEAVES_NODES) or (added_subnet and reason.after):
            return Effect.IN_PLACE
        return Effect.SESSIONS_END if login else Effect.NODES_REPLACED

    def _queues(self, group: ResolvedResource) -> list[ResolvedResource]:
        """The old queues that name an old node group."""
        return [
            queue
            for queue in self._update.old.members.queues
            if group in queue.referred(queue.get("ComputeNodeGroupConfigurations"))
        ]

    def _at_once(self, resource: ResolvedResource) -> Iterator[Reason]:
        """Rules of security groups and permissions of roles: of what runs already too."""
        for one in _governing(resource):
            word, names = _AT_ONCE.get(one.type, ("", ()))
            before = self._update.before(one)
            if word and before is not None and self._is_other(before, one, names):
                label = self._update.label(one, beside=resource.stack)
                because = f"{word} of {label} change, at once and on running nodes too"
                yield Reason(path="", before=None, after=None, because=because)

    def _is_other(
        self, before: ResolvedResource, after: ResolvedResource, names: Sequence[str]
    ) -> bool:
        """Whether some properties of a resource change, or rules that are resources."""
        changed = (next(self._differences.of(before, after, name), None) for name in names)
        return any(changed) or self._rules(before) != self._rules(after)

    def _rules(self, owner: ResolvedResource) -> list[str]:
        """The rules of a security group or a role that are resources of their own."""
        return sorted(
            str(self._update.comparable(resource, resource.properties))
            for type_, name in _RULES.items()
            for resource in owner.resolved.pointing(owner, type_, name, perhaps=True)
        )

    # What is not in the new templates.

    def _removed(self, resource: ResolvedResource) -> Change:
        if self._update.stays(resource.stack):
            stays = (
                "deploying leaves its stack, which is not among the new ones; deleting that would "
                "remove it"
            )
            return self._record(resource, Effect.NOTHING, notes=[stays])
        lost = self._loses_its_cluster(resource)
        return self._record(
            resource,
            Effect.LOST if lost else Effect.REMOVED,
            [GONE],
            self._notes.of_removed(resource, lost=lost),
        )

    # Records.

    def _record(
        self,
        resource: ResolvedResource,
        effect: Effect,
        reasons: Iterable[Reason] = (),
        notes: Iterable[str] = (),
        cluster: tuple[str, ...] | None = None,
    ) -> Change:
        name = resource.text("Name")
        return Change(
            template=self._update.title(resource),
            logical_id=resource.logical_id,
            path=resource.declared.path,
            type=resource.type,
            name=name if isinstance(name, str) else None,
            cluster=(cluster or self._cluster_of(resource))[-1],
            effect=effect,
            reasons=tuple(reasons),
            notes=tuple(notes),
        )

    def _cluster_of(self, resource: ResolvedResource) -> tuple[str, ...]:
        """What tells a cluster from others and, last, what to call it."""
        cluster = self._update.cluster(resource)
        before = self._update.before(resource)
        if cluster is None and before is not None:  # what was read of the new ones may be less
            cluster = self._update.cluster(before)
        if cluster is not None:
            return self._known_as(cluster)
        identifier = resource.text("ClusterId")
        return (identifier if isinstance(identifier, str) else "that is defined elsewhere",)

    def _known_as(self, cluster: ResolvedResource) -> tuple[str, ...]:
        if not self._update.is_new(cluster):
            cluster = self._update.after(cluster) or cluster
        name = cluster.text("Name")
        known = name if isinstance(name, str) else cluster.logical_id
        return (*self._update.identity(cluster), f"{known} in {self._update.title(cluster)}")


def _loses_records(
    before: ResolvedResource, after: ResolvedResource, difference: Difference
) -> bool:
    """Whether records of the accounting database go; also where nobody can tell."""
    if accounting_of(before) is False:
        return False
    path = difference.reason.path
    if accounting_of(after) is not True:
        return is_below(_MODE, (path,))
    if path == _PURGE:
        return _is_shorter(whole(difference.before), whole(difference.after), difference)
    return is_below(_PURGE, (path,))


def _is_lower(difference: Difference) -> bool:
    """Whether a number goes down; also where nobody can tell."""
    old, new = whole(difference.before), whole(difference.after)
    return not isinstance(old, int) or not isinstance(new, int) or new < old


def _is_shorter(old: object, new: object, difference: Difference) -> bool:
    """Whether records are kept for less time; also where nobody can tell."""
    if difference.after is None or new == -1:  # for good
        return False
    return not isinstance(new, int) or not isinstance(old, int) or old == -1 or new < old


def _governing(resource: ResolvedResource) -> list[ResolvedResource]:
    """The security groups and the role of a cluster's or a node group's instances."""
    resources = resource.referred(resource.properties)
    for one in list(resources):
        if one.type in ("AWS::EC2::LaunchTemplate", "AWS::IAM::InstanceProfile"):
            resources += one.referred(one.properties)
    return list(dict.fromkeys(resources))
