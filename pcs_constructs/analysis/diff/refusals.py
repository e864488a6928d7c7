"""What CloudFormation or AWS PCS would refuse of an update."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pcs_constructs.analysis.diff.change import Refusal
from pcs_constructs.model import slurm_updates
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN, fix_in_template
from pcs_constructs.templates.facts.evidence import written
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, NOUNS
from pcs_constructs.templates.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.analysis.diff.differences import Differences
    from pcs_constructs.analysis.diff.update import Side, Update
    from pcs_constructs.model.errors import Problem
    from pcs_constructs.templates.facts.evidence import Location
    from pcs_constructs.templates.resolve import Stack
    from pcs_constructs.templates.resolved import ResolvedResource


_LIMITS: Final = {size.name: size.max_nodes for size in ClusterSize}

_OF_NEW_ONES: Final = frozenset({"PCS105"})
"""Rules for what is made only: a cluster may be updated whose version no new one can have."""


class _Export(NamedTuple):
    """An export that other stacks import, and that an update changes or takes away."""

    key: str
    name: str
    owner: tuple[str, str] | None
    """The resource that it is of, where it is of one."""


class Refusals:
    """What would be refused, resource by resource."""

    def __init__(self, update: Update, differences: Differences) -> None:
        self._update = update
        self._is_made = differences.is_made

    def of(self, resource: ResolvedResource) -> tuple[Refusal, ...]:
        """What would be refused of a new resource, and what to do instead."""
        if resource.exists is False:
            return tuple(self.of_exports(resource))
        before = self._update.before(resource)
        declared = self._update.declared_before(resource)
        refusals: list[Refusal] = []
        if before is None and declared is not None and declared.type != resource.type:
            refusals.append(_other_type(declared, resource))
        if self._is_made(resource):
            refusals += self._taken_name(resource)
            if resource.type == CLUSTER:
                refusals += self._at_the_same_time(resource)
            if resource.type == NODE_GROUP:
                refusals += self._too_many_instances(resource)
        elif before is not None and resource.type == CLUSTER:
            refusals += self._version(before, resource)
        return (*refusals, *self._broken_rules(resource), *self.of_exports(resource))

    # Names.

    def _owner(self, resource: ResolvedResource) -> object:
        """Where a name has to be unique: in a cluster, or, that of a cluster, in its stack.

        In which account and Region a stack is, no template says. So names of clusters are compared
        within a stack only.
        """
        if resource.type == CLUSTER:
            return self._update.identity(resource)[0]
        cluster = self._update.cluster(resource)
        if cluster is not None and self._update.has_both(cluster.stack):
            return self._update.identity(cluster)
        return self._update.comparable(resource, resource.get("ClusterId"))

    def _name(self, resource: ResolvedResource) -> Any:
        name = self._update.comparable(resource, resource.get("Name"))
        if resource.text("Name") is UNKNOWN:
            return self._update.identity(resource)[0], name  # such as the name of its stack
        return name

    def _taken_name(self, resource: ResolvedResource) -> Iterator[Refusal]:
        name, owner = self._name(resource), self._owner(resource)
        cluster = self._update.cluster(resource)
        below_a_new_one = cluster not in (None, resource) and self._is_made(cluster)
        if resource.get("Name") is None or below_a_new_one:
            return
        for other in self._update.old.values.of_type(resource.type):
            if (self._name(other), self._owner(other)) != (name, owner):
                continue
            noun, known = NOUNS[resource.type], resource.text("Name")
            called = f"the name '{known}'" if isinstance(known, str) else "its name"
            if self._update.identity(other) == self._update.identity(resource):
                yield Refusal(
                    message=f"{called} is taken: CloudFormation makes the new {noun} before it "
                    "deletes the old one",
                    fix="give it another Name in the same deployment",
                )
            else:
                label = self._update.label(other, beside=resource.stack)
                yield Refusal(
                    message=f"{called} is taken by {label}, which CloudFormation deletes last, "
                    "if at all",
                    fix="give it another Name, or remove the other one in a deployment before; "
                    "if it is the same one in another place, keep its logical id",
                )

    # Numbers.

    def _at_the_same_time(self, cluster: ResolvedResource) -> Iterator[Refusal]:
        """AWS PCS makes one cluster at a time in an account and Region."""
        clusters = [
            one
            for one in self._update.new.members.clusters
            if one.stack is cluster.stack and self._is_made(one)
        ]
        for other in clusters[: clusters.index(cluster)]:
            if other not in _awaited(cluster) and cluster not in _awaited(other):
                yield Refusal(
                    message=f"made at the same time as cluster {other.logical_id}: AWS PCS makes "
                    "one cluster at a time",
                    fix=f"let it wait for the other: DependsOn: {other.logical_id}",
                )

    def _too_many_instances(self, group: ResolvedResource) -> Iterator[Refusal]:
        """While a node group is replaced, AWS PCS counts the old and the new one."""
        cluster = self._update.cluster(group)
        if cluster is None or self._is_made(cluster):
            return
        assumed = self._update.assumed(cluster)
        limit = _LIMITS.get(str(assumed.text("Size") if assumed else None))
        groups = list(self._groups(self._update.new, cluster))
        total = sum(
            self._most(g)
            if self._is_made(g) or (before := self._update.before(g)) is None
            else min(self._most(g), self._most(before))
            for g in groups
        ) + sum(
            self._most(g)
            for g in self._groups(self._update.old, cluster)
            if (after := self._update.after(g)) is None or self._is_made(after)
        )
        if limit is not None and total > limit >= sum(map(self._most, groups)):
            yield Refusal(
                message=f"until the old node groups are deleted the cluster has {total} "
                f"instances at the most, and its Size allows {limit}",
                fix="lower MaxInstanceCount, or remove what goes, in a deployment before",
            )

    def _groups(self, side: Side, cluster: ResolvedResource) -> Iterator[ResolvedResource]:
        for group in side.members.groups:
            owner = self._update.cluster(group)
            if owner and self._update.identity(owner) == self._update.identity(cluster):
                yield group

    def _most(self, group: ResolvedResource) -> int:
        """The most instances of a node group; none where only CloudFormation will know."""
        assumed = self._update.assumed(group)
        most = assumed.whole("ScalingConfiguration", "MaxInstanceCount") if assumed else None
        return most if isinstance(most, int) else 0

    def _version(self, before: ResolvedResource, after: ResolvedResource) -> Iterator[Refusal]:
        old, new = (
            one.text("Scheduler", "Version") if one else None
            for one in map(self._update.assumed, (before, after))
        )
        if not isinstance(old, str) or not isinstance(new, str) or old == new:
            return
        hops = slurm_updates.hops(old, new)
        if hops == ():
            yield Refusal(
                message=f"AWS PCS updates Slurm to newer versions only, not from {old} to {new}",
                fix=f"stay with {old}, or make a new cluster beside this one",
            )
        elif hops is not None and len(hops) > 1:
            yield Refusal(
                message=f"{new} is more than {slurm_updates.MOST} major versions above {old}",
                fix=f"update in {len(hops)} deployments: {', then '.join(hops)}",
            )

    # Rules.

    def _broken_rules(self, resource: ResolvedResource) -> Iterator[Refusal]:
        """Errors in a new resource; of one that stays not those that AWS PCS has taken."""
        identity, is_made = self._update.identity(resource), self._is_made(resource)
        told: set[tuple[str, str]] = set()
        for location, problem in self._problems.get(identity, ()):
            key = (problem.code, problem.message)
            taken = not is_made and (problem.code in _OF_NEW_ONES or (identity, key) in self._taken)
            if taken or key in told:
                continue
            told.add(key)
            path = written(location.path)
            message = f"{path}: {problem.message}" if path else problem.message
            yield Refusal(code=problem.code, message=message, fix=fix_in_template(problem))

    @cached_property
    def _problems(self) -> dict[tuple[str, str], list[tuple[Location, Problem]]]:
        """Every error in new resources, by these."""
        problems: dict[tuple[str, str], list[tuple[Location, Problem]]] = {}
        for resource, location, problem in self._update.new.errors():
            identity = self._update.identity(resource)
            problems.setdefault(identity, []).append((location, problem))
        return problems

    @cached_property
    def _taken(self) -> set[tuple[tuple[str, str], tuple[str, str]]]:
        """Every error in old resources, which are there nonetheless."""
        return {
            (self._update.identity(resource), (problem.code, problem.message))
            for resource, _, problem in self._update.old.errors()
        }

    # Exports.

    def of_exports(self, resource: ResolvedResource) -> Iterator[Refusal]:
        """What would be refused since an old or new resource is exported, or imports something.

        CloudFormation neither changes nor deletes an export while another stack imports it.
        """
        before = self._update.before(resource) or resource
        imported = set(_imports(before))
        for referred in before.referred(before.properties):
            if referred.stack is before.stack:
                imported |= set(_imports(referred))
        for export in self._broken_exports:
            if export.key in imported or export.owner == self._update.identity(resource):
                yield Refusal(
                    message=f"export '{export.name}' changes or goes, and another stack imports it",
                    fix="first deploy the stacks that import it without it, and without what "
                    "needs it",
                )

    @cached_property
    def _broken_exports(self) -> list[_Export]:
        """The imported exports that change, and which resources they are of."""
        old = self._update.old.values
        imported = {key for resource in old.resources.values() for key in _imports(resource)}
        broken: list[_Export] = []
        for stack in old.stacks if imported else ():
            after = self._update.stack_after(stack)
            if after is None:
                continue  # deploying the others leaves its stack as it is
            exports = self._exports(self._update.new, after)
            for key, (name, value) in self._exports(self._update.old, stack).items():
                target = old.reference(stack, value)
                owner = target[0] if target else None
                kept = self._update.after(owner) if owner else None
                same = key in exports and self._update.comparable_in(
                    stack, value
                ) == self._update.comparable_in(after, exports[key][1])
                if key in imported and (not same or (kept is not None and self._is_made(kept))):
                    identity = self._update.identity(owner) if owner else None
                    broken.append(_Export(key, name, identity))
        return broken

    def _exports(self, side: Side, stack: Stack) -> dict[str, tuple[str, Any]]:
        """What a stack exports: by what tells the names apart these, and the values."""
        exports: dict[str, tuple[str, Any]] = {}
        for output in stack.template.outputs.values():
            name = stack.exported_name(output)
            key = side.values.export_key(stack, name)
            if key is not None and stack.output_exists(output):
                exports[key] = (shown(name), stack.reduced(output.get("Value")))
        return exports


def _imports(resource: ResolvedResource) -> Iterator[str]:
    """What tells apart the names of the exports that a resource imports."""
    for name in resource.stack.imports(resource.declared.properties):
        key = resource.resolved.export_key(resource.stack, name)
        if key is not None:
            yield key


def _other_type(before: ResolvedResource, resource: ResolvedResource) -> Refusal:
    return Refusal(
        message=f"logical id {resource.logical_id} is of a {before.type} so far",
        fix="give the new resource another logical id",
    )


def _awaited(resource: ResolvedResource) -> set[ResolvedResource]:
    """The resources of its stack that one waits for, directly or by others."""
    awaited: set[ResolvedResource] = set()
    left = [resource]
    while left:
        one = left.pop()
        named = [one.resolved.resource(one.stack, name) for name in one.declared.depends_on]
        for other in (*named, *one.referred(one.properties)):
            if other is not None and other.stack is resource.stack and other not in awaited:
                awaited.add(other)
                left.append(other)
    return awaited
