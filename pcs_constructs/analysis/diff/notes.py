"""What else there is to know of what happens to a cluster, a node group or a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs.analysis.diff.change import Effect, is_below
from pcs_constructs.analysis.diff.update import keeps
from pcs_constructs.model import slurm_updates
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import CLUSTER as CLUSTER_SETTINGS
from pcs_constructs.model.slurm_settings import GRES, Scope
from pcs_constructs.model.slurm_settings import NODE_GROUP as NODE_GROUP_SETTINGS
from pcs_constructs.templates.facts.settings import listed_settings
from pcs_constructs.templates.members import accounting_of, launch_template
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.analysis.diff.change import Reason
    from pcs_constructs.analysis.diff.differences import Differences
    from pcs_constructs.analysis.diff.update import Update
    from pcs_constructs.templates.resolved import ResolvedResource

_ENDS: Final = (Effect.REPLACED, Effect.REMOVED, Effect.LOST)
"""The effects that end what runs on a node group or in a queue."""

_NODES_END: Final = "its jobs are cancelled and what people run on its nodes ends"
_JOBS_END: Final = "running jobs are ended and pending ones cancelled"

_NEEDS: Final = (
    (CLUSTER, "SlurmConfiguration.Accounting.Mode", "24.11"),
    (CLUSTER, "SlurmConfiguration.SlurmRest.Mode", "25.05"),
    (NODE_GROUP, "SlurmConfiguration.ScaleDownIdleTimeInSeconds", "25.11"),
)
"""Properties that only newer versions of Slurm take, and since when."""


class Notes:
    """What there is to know, resource by resource."""

    def __init__(self, update: Update, differences: Differences) -> None:
        self._update = update
        self._is_made = differences.is_made

    def of(
        self,
        before: ResolvedResource,
        resource: ResolvedResource,
        effect: Effect,
        reasons: Sequence[Reason],
    ) -> Iterator[str]:
        """The notes on a resource that was there before."""
        replaced = effect in (Effect.REPLACED, Effect.LOST)
        if replaced and keeps(resource, "UpdateReplacePolicy"):
            yield "the old one stays in AWS PCS, since UpdateReplacePolicy is Retain"
        if resource.type == CLUSTER:
            yield from _of_cluster(before, resource, effect, reasons)
            if effect is Effect.LOST:
                yield from self.of_others(resource)
        elif resource.type == NODE_GROUP:
            yield from self._of_node_group(resource, effect, reasons)
        elif effect is Effect.IN_PLACE and not _only_tags(reasons):
            yield "running jobs stay; new ones may not be accepted while it is updated"
        elif effect in _ENDS:
            yield _JOBS_END

    def of_removed(self, resource: ResolvedResource, *, lost: bool) -> Iterator[str]:
        """The notes on a resource that goes, alone or lost with its cluster."""
        if not keeps(resource, "DeletionPolicy"):
            if resource.type == CLUSTER:
                yield "all node groups and queues have to be deleted first"
            else:
                yield _NODES_END if resource.type == NODE_GROUP else _JOBS_END
            return
        yield "it stays in AWS PCS, since DeletionPolicy is Retain"
        if resource.type != CLUSTER and lost:
            yield "its cluster cannot be deleted while it stays"

    def of_others(self, resource: ResolvedResource) -> Iterator[str]:
        """What depends on the account and Region of other stacks, which no template says."""
        if resource.type != CLUSTER:
            return
        for other in self._update.new.members.clusters:
            if other.stack is not resource.stack and self._is_made(other):
                yield (
                    f"{self._update.title(other)} makes a cluster too: in one account and Region "
                    "deploy one after the other"
                )
        name = resource.text("Name")
        for other in self._update.old.members.clusters:
            apart = self._update.stack_after(other.stack) is not resource.stack
            if apart and isinstance(name, str) and other.text("Name") == name:
                yield (
                    f"the name '{name}' is that of a cluster in {self._update.title(other)}: it is "
                    "taken if both are in one account and Region"
                )

    def _of_node_group(
        self, resource: ResolvedResource, effect: Effect, reasons: Sequence[Reason]
    ) -> Iterator[str]:
        if effect in _ENDS:
            yield _NODES_END
        if effect is Effect.JOBS_FAIL:
            yield "jobs on the nodes that go fail and return to their queues"
        if effect is Effect.SESSIONS_END:
            yield "no queue names it, so people may be logged in: what they run ends"
        if any(is_below(reason.path, ("SlurmConfiguration",)) for reason in reasons):
            yield "the user guide does not say whether Slurm settings replace nodes; taken to do so"
        parameter = _looked_up(resource)
        if parameter:
            yield (
                f"parameter {parameter} is looked up at every deployment: its value, and so the "
                "nodes, may change although nothing does here"
            )
        cluster = self._update.cluster(resource)
        earlier = self._update.before(cluster) if cluster else None
        old, new = _version(earlier), _version(cluster)
        if old and new and old != new:
            yield from _too_early(NODE_GROUP, NODE_GROUP_SETTINGS, reasons, old)


def _of_cluster(
    before: ResolvedResource,
    resource: ResolvedResource,
    effect: Effect,
    reasons: Sequence[Reason],
) -> Iterator[str]:
    if effect not in (Effect.IN_PLACE, Effect.RECORDS_LOST) or _only_tags(reasons):
        return
    if effect is Effect.RECORDS_LOST:
        if accounting_of(resource) is True:
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
    old, new = _version(before), _version(resource)
    if old and new and old != new:
        yield (
            f"every node's image must hold Slurm {new} before, with PCS agent 1.4.0 or newer "
            f"and Slurm {old} too if jobs are to go on"
        )
        if not SlurmVersion(old).is_at_least(slurm_updates.NODES_FOLLOW_FROM):
            yield f"nodes of Slurm {old} cannot talk to a newer controller: replace them all"
        settings = listed_settings(resource, ("SlurmConfiguration", "SlurmCustomSettings"))
        if "CliFilterPlugins" in settings:
            yield "with CliFilterPlugins nodes cannot follow later: replace them all at once"
        yield from _too_early(CLUSTER, CLUSTER_SETTINGS, reasons, old)


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


def _looked_up(group: ResolvedResource) -> str | None:
    """A parameter that CloudFormation looks up in SSM, as the image of a node group."""
    template = launch_template(group)
    images = [(group, group.get("AmiId"))]
    if template is not None:
        images.append((template, template.get("LaunchTemplateData", "ImageId")))
    return next((name for one, image in images if (name := one.stack.looked_up(image))), None)


def _version(cluster: ResolvedResource | None) -> str | None:
    """The Slurm version of a cluster, where it is one that can be compared."""
    text = cluster.text("Scheduler", "Version") if cluster else None
    if isinstance(text, str) and slurm_updates.hops(text, text) is not None:
        return text
    return None


def _only_tags(reasons: Sequence[Reason]) -> bool:
    return all(is_below(reason.path, ("Tags",)) for reason in reasons)
