"""What CloudFormation or AWS PCS would refuse of an update."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.analysis.diff.broken_rules import broken_rules
from pcs_constructs.analysis.diff.change import Refusal
from pcs_constructs.model import slurm_updates
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.analysis.diff.replacement import Update
    from pcs_constructs.templates.template import Resource, Template


_LIMITS: Final = {size.name: size.max_nodes for size in ClusterSize}


class Refusals:
    """What would be refused, resource by resource."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def of(self, resource: Resource) -> tuple[Refusal, ...]:
        """What would be refused of a new resource, and what to do instead."""
        before = self._update.before(resource)
        refusals: list[Refusal] = []
        if before is not None and before.type != resource.type:
            refusals.append(_other_type(before, resource))
        if self._is_made(resource):
            refusals += self._taken_name(resource)
            if resource.type == CLUSTER:
                refusals += self._at_the_same_time(resource)
            if resource.type == NODE_GROUP:
                refusals += self._too_many_instances(resource)
        elif before is not None and resource.type == CLUSTER:
            refusals += _version(before, resource)
        refusals += broken_rules(resource, None if self._is_made(resource) else before)
        return (*refusals, *self.of_exports(resource))

    def _is_made(self, resource: Resource) -> bool:
        before = self._update.before(resource)
        new = before is None or before.type != resource.type
        return new or bool(self._update.replacement(resource))

    def _owner(self, resource: Resource) -> object:
        """Where a name has to be unique: in a cluster, or, that of a cluster, in its stack.

        In which account and Region a stack is, no template says. So names of clusters are compared
        within a stack only.
        """
        if resource.type == CLUSTER:
            return self._update.identity(resource)[0]
        cluster = resource.template.referred(resource.get("ClusterId"))
        if cluster is not None and self._update.has_both(cluster.template):
            return self._update.identity(cluster)
        return self._update.canonical(resource.template, resource.get("ClusterId"))

    def _name(self, resource: Resource) -> Any:
        name = self._update.canonical(resource.template, resource.get("Name"))
        if resource.text("Name") is UNKNOWN:
            return self._update.identity(resource)[0], name  # such as the name of its stack
        return name

    def _taken_name(self, resource: Resource) -> Iterator[Refusal]:
        name, owner = self._name(resource), self._owner(resource)
        cluster = resource.template.referred(resource.get("ClusterId"))
        if resource.get("Name") is None or (cluster is not None and self._is_made(cluster)):
            return
        for template in self._update.old:
            for other in template.of_type(resource.type):
                if (self._name(other), self._owner(other)) != (name, owner):
                    continue
                noun, known = NOUNS[resource.type], resource.text("Name")
                called = f"the name '{known}'" if isinstance(known, str) else "its name"
                if self._update.identity(other) == self._update.identity(resource):
                    yield Refusal(
                        message=f"{called} is taken: CloudFormation makes the new {noun} "
                        "before it deletes the old one",
                        fix="give it another name in the same deployment, or no name= at all: "
                        "then it gets one that changes with what replaces it",
                    )
                else:
                    yield Refusal(
                        message=f"{called} is taken by {other.logical_id}, which CloudFormation "
                        "deletes last, if at all",
                        fix="give it another name, or remove the other one in a deployment before; "
                        "if it is the same one in another place, keep its logical id",
                    )

    def _at_the_same_time(self, cluster: Resource) -> Iterator[Refusal]:
        """AWS PCS makes one cluster at a time in an account and Region."""
        clusters = [c for c in cluster.template.of_type(CLUSTER) if self._is_made(c)]
        for other in clusters[: clusters.index(cluster)]:
            if other.logical_id not in _awaited(cluster) and cluster.logical_id not in _awaited(
                other
            ):
                yield Refusal(
                    message=f"made at the same time as cluster {other.logical_id}: AWS PCS makes "
                    "one cluster at a time",
                    fix="let one wait for the other: second.node.add_dependency(first)",
                )

    def _too_many_instances(self, group: Resource) -> Iterator[Refusal]:
        """While a node group is replaced, AWS PCS counts the old and the new one."""
        cluster = group.template.referred(group.get("ClusterId"))
        if cluster is None or self._is_made(cluster):
            return
        limit = _LIMITS.get(str(cluster.text("Size")))
        groups = list(self._groups(self._update.new, cluster))
        total = sum(
            _most(g)
            if self._is_made(g) or (before := self._update.before(g)) is None
            else min(_most(g), _most(before))
            for g in groups
        ) + sum(
            _most(g)
            for g in self._groups(self._update.old, cluster)
            if (after := self._update.after(g)) is None or self._is_made(after)
        )
        if limit is not None and total > limit >= sum(map(_most, groups)):
            yield Refusal(
                message=f"until the old node groups are deleted the cluster has {total} "
                f"instances at the most, and its size allows {limit}",
                fix="lower MaxInstanceCount, or remove what goes, in a deployment before",
            )

    def _groups(self, templates: Sequence[Template], cluster: Resource) -> Iterator[Resource]:
        for template in templates:
            for group in template.of_type(NODE_GROUP):
                owner = template.referred(group.get("ClusterId"))
                if owner and self._update.identity(owner) == self._update.identity(cluster):
                    yield group

    def of_exports(self, resource: Resource) -> Iterator[Refusal]:
        """What would be refused since an old or new resource is exported, or imports something.

        CloudFormation neither changes nor deletes an export while another stack imports it.
        """
        before = self._update.before(resource) or resource
        imported = set(_imports(before.properties))
        for referred in before.template.references(before.properties):
            if referred.template is before.template:
                imported |= set(_imports(referred.properties))
        for name, owner in self._broken_exports:
            if name in imported or owner == self._update.identity(resource):
                yield Refusal(
                    message=f"export '{name}' changes or goes, and another stack imports it",
                    fix="first deploy the stacks that import it without it, and without what "
                    "needs it",
                )

    @cached_property
    def _broken_exports(self) -> list[tuple[str, tuple[str, str] | None]]:
        """The names of imported exports that change, and which resources they are of."""
        imported = {
            name
            for template in self._update.old
            for resource in template.resources.values()
            for name in _imports(resource.properties)
        }
        broken: list[tuple[str, tuple[str, str] | None]] = []
        for template in self._update.old:
            after = self._update.template_after(template)
            if after is None:
                continue  # deploying the others leaves its stack as it is
            exports = _exports(after)
            for name, value in _exports(template).items():
                owner = template.referred(value)
                kept = self._update.after(owner) if owner else None
                changes = self._update.canonical(template, value) != self._update.canonical(
                    after, exports.get(name)
                ) or (kept is not None and self._is_made(kept))
                if name in imported and changes:
                    broken.append((name, self._update.identity(owner) if owner else None))
        return broken


def _exports(template: Template) -> dict[str, Any]:
    return {
        name: output.get("Value")
        for output in template.outputs.values()
        if isinstance(name := output.get("Export", {}).get("Name"), str)
    }


def _imports(value: object) -> Iterator[str]:
    """The names of the exports that a value imports, at any depth."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value)
        name = items.get("Fn::ImportValue")
        if isinstance(name, str):
            yield name
        for item in items.values():
            yield from _imports(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _imports(item)


def _other_type(before: Resource, resource: Resource) -> Refusal:
    return Refusal(
        message=f"logical id {resource.logical_id} is of a {before.type} so far",
        fix="give the new resource another logical id, that is its construct another id",
    )


def _awaited(resource: Resource) -> set[str]:
    """The logical ids that a resource waits for, directly or by others."""
    resources, awaited, left = resource.template.resources, set[str](), [resource]
    while left:
        one = left.pop()
        names = one.depends_on.union(
            r.logical_id
            for r in one.template.references(one.properties)
            if r.template is one.template
        )
        left += [resources[name] for name in names.difference(awaited) if name in resources]
        awaited |= names
    return awaited


def _most(group: Resource) -> int:
    """The most instances of a node group; none where only CloudFormation will know."""
    most = group.number("ScalingConfiguration", "MaxInstanceCount")
    return most if isinstance(most, int) else 0


def _version(before: Resource, after: Resource) -> Iterator[Refusal]:
    old, new = before.text("Scheduler", "Version"), after.text("Scheduler", "Version")
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
