"""What the settings in templates amount to in Slurm's configuration files. Never starts Node."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates.members import Membership
from pcs_constructs.templates.printable import in_lines
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.scenarios import Given
from pcs_constructs.templates.template import followed
from pcs_constructs.templates.types import NODE_GROUP
from pcs_constructs.templates.values import choice, is_function, literal, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pcs_constructs.templates.resolved import ResolvedResource
    from pcs_constructs.templates.template import Template

FILES: Final = ("slurm.conf", "gres.conf", "cgroup.conf", "slurmdbd.conf")
"""The files, in the order in which they are shown."""


_Settings: TypeAlias = "list[tuple[str, str | None]]"
"""Names and values; without a value it is what stands for settings that nobody knows yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the settings of a cluster, of its node groups and of its queues amount to."""

    cluster: str
    """The name of the cluster; its id or what stands for it where it is not in the templates."""

    template: str | None
    """The name of the template that it is in, if any."""

    lines: Mapping[str, tuple[str, ...]]
    """The lines of each of the `FILES` but for the first; none where nothing is set."""

    @property
    def directory(self) -> str:
        """A name for a directory with these files, different for each cluster."""
        name = f"{self.template}.{self.cluster}" if self.template else self.cluster
        return re.sub(r"[^\w.-]+", "-", name).strip("-.")

    def text(self, file: str) -> str:
        """The text of a file."""
        where = f" of {self.template}" if self.template else " (not in these templates)"
        first = f"# {file} of cluster {self.cluster}{where}: only what settings in templates say"
        return in_lines([first, *self.lines[file], ""])


@dataclass(slots=True)
class _Members:
    """What belongs to a cluster, and what to call that where it is not in the templates."""

    cluster: ResolvedResource | None
    name: str
    node_groups: list[ResolvedResource] = field(default_factory=list["ResolvedResource"])
    queues: list[ResolvedResource] = field(default_factory=list["ResolvedResource"])


def configurations(
    templates: Sequence[Template], *, given: Given | None = None
) -> list[Configuration]:
    """The configuration of each cluster of the templates, and of others that they refer to.

    Args:
        templates: Templates that were read together, so that one may import from another.
        given: What is said of the deployment: values of parameters, names of stacks. By default
            parameters have their defaults.

    Returns:
        First those of the clusters in the templates, in their order.

    Raises:
        TemplateError: They refer to each other in a longer chain than can be followed.
    """
    with followed(*templates):
        return _configurations(templates, given or Given())


def _configurations(templates: Sequence[Template], said: Given) -> list[Configuration]:
    scenarios = {template: said.scenario(template) for template in templates}
    membership = Membership(ResolvedTemplates(templates, scenarios), absent=True)
    by_cluster: dict[object, _Members] = {}
    for key in membership.keys:
        cluster = membership.cluster(key)
        groups, queues = membership.groups_of(key), membership.queues_of(key)
        name = _name(cluster) if cluster else (*groups, *queues)[0].shown("ClusterId")
        # What stacks import by one name is one cluster, if it is not in the templates.
        members = by_cluster.setdefault(cluster or name, _Members(cluster, name))
        members.node_groups += groups
        members.queues += queues
    return [_configuration(members, membership) for members in by_cluster.values()]


def _configuration(members: _Members, membership: Membership) -> Configuration:
    cluster = members.cluster
    nodes = [line for group in members.node_groups for line in _nodes(group, membership)]
    if nodes:
        nodes.insert(0, "# from AWS PCS: the names of nodes, CPUs, CoresPerSocket, State")
    partitions = [line for queue in members.queues for line in _partition(queue)]
    return Configuration(
        cluster=members.name,
        template=cluster.resolved.titles[cluster.stack.number] if cluster else None,
        lines={
            "slurm.conf": _paragraphs(_controller(cluster) if cluster else [], nodes, partitions),
            "gres.conf": tuple(line for group in members.node_groups for line in _gres(group)),
            "cgroup.conf": tuple(
                _lines(_settings(cluster, "CgroupCustomSettings")) if cluster else ()
            ),
            "slurmdbd.conf": tuple(_database(cluster) if cluster else ()),
        },
    )


def _controller(cluster: ResolvedResource) -> Iterator[str]:
    """What is said of the cluster itself."""
    if condition := _condition(cluster):
        yield f"# {condition}"
    yield f"# Slurm {cluster.shown('Scheduler', 'Version')}, {cluster.shown('Size')}"
    for what, name in (("accounting", "Accounting"), ("slurmrestd", "SlurmRest")):
        mode = cluster.shown("SlurmConfiguration", name, "Mode")
        if mode not in {"", "NONE"}:
            yield f"# {what}: {mode}"
    idle = _idle_time(cluster)
    yield f"SuspendTime={idle}" if idle else "# SuspendTime=600 is the default of AWS PCS"
    yield from _lines(_settings(cluster, "SlurmCustomSettings"))


def _database(cluster: ResolvedResource) -> Iterator[str]:
    mode = cluster.shown("SlurmConfiguration", "Accounting", "Mode")
    settings = _settings(cluster, "SlurmdbdCustomSettings")
    if mode in {"", "NONE"}:
        if settings:
            yield "# without accounting there is no slurmdbd"
    else:
        days = cluster.shown("SlurmConfiguration", "Accounting", "DefaultPurgeTimeInDays")
        yield (
            "# purge times: records are kept as long as the cluster"
            if days in {"", "-1"}
            else f"# purge times that are not below: {days} days"
        )
    yield from _lines(settings)


def _nodes(group: ResolvedResource, membership: Membership) -> Iterator[str]:
    """The line of a node group, and above it what nobody sees in that."""
    least, most = _count(group, "Min"), _count(group, "Max")
    types = _types(group)
    about = [" or ".join(types) or "no instance type"]
    if purchase := group.shown("PurchaseOption"):
        about.append(purchase)
    if condition := _condition(group):
        about.append(condition)
    about.append(f"{most} at all times" if least == most else f"{least} to {most} nodes")
    if not membership.queues_with(group):
        about.append("in no partition: no queue here names it")
    cores = _cores(types)
    if cores is None:
        about.append("CPUs as AWS PCS finds them")
    yield f"# {_name(group)}: {', '.join(about)}"
    nodes = _node_names(group)
    if nodes is None:
        yield "# without nodes there is no line"
        return
    settings: _Settings = [("NodeName", nodes)]
    if cores is not None:
        settings.append(("CPUs", str(cores)))
    for name, value in _settings(group, "SlurmCustomSettings"):
        settings.append((name, value))
        # AWS PCS adds the cores of a socket, without which Slurm takes each to have one.
        sockets = re.fullmatch("0*([1-9][0-9]{0,9})", value or "") if name == "Sockets" else None
        if sockets and cores:
            settings.append(("CoresPerSocket", str(cores // int(sockets[1]))))
    if idle := _idle_time(group):
        settings.append(("SuspendTime", idle))
    yield _line([*settings, ("State", "CLOUD")])


def _partition(queue: ResolvedResource) -> Iterator[str]:
    if condition := _condition(queue):
        yield f"# {_name(queue)}: {condition}"
    nodes: list[str] = []
    for group in _groups(queue):
        if isinstance(group, str):
            yield f"# {group}: a node group that is not in these templates"
            nodes.append(group if group.startswith("<") else f"<{group}>")
        elif names := _node_names(group):
            nodes.append(names)
    settings: _Settings = [("PartitionName", _name(queue))]
    if nodes:
        settings.append(("Nodes", ",".join(nodes)))
    yield _line([*settings, *_settings(queue, "SlurmCustomSettings")])


def _gres(group: ResolvedResource) -> Iterator[str]:
    """The records of a node group, or of whom they come."""
    nodes = _node_names(group)
    if nodes is None:
        return
    records = _items(group, "GresCustomSettings")
    condition = _condition(group)
    if records and condition:
        yield f"# {_name(group)}: {condition}"
    for record in records:
        if isinstance(record, str):
            yield f"# NodeName={nodes} {record}: records that only CloudFormation knows"
        else:
            fields = [(name, shown(value)) for name, value in record.items()]
            yield _line([("NodeName", nodes), *fields])
    gpus = {facts.gpus for facts in instances.known(_types(group)).values() if _nvidia(facts)}
    described = any(
        isinstance(record, str)
        or "AutoDetect" in record
        or literal(record.get("Name")) in ("gpu", UNKNOWN)
        for record in records
    )
    if gpus and not described:
        number = " or ".join(map(str, sorted(gpus)))
        yield f"# NodeName={nodes} Name=gpu: AWS PCS adds the record; GPUs a node: {number}"


def _nvidia(facts: instances.InstanceFacts) -> bool:
    return facts.gpu_manufacturer == "NVIDIA"


# What the properties say.


def _name(resource: ResolvedResource) -> str:
    """The name of a resource; its logical id where CloudFormation makes one up."""
    return resource.shown("Name") or f"<{resource.logical_id}>"


def _condition(resource: ResolvedResource) -> str:
    """Whether it is made at all; empty where it is."""
    open_ = [] if resource.exists is True else [resource.declared.condition]
    stack = resource.stack
    while stack.around is not None and stack.made_by is not None:
        if stack.around.exists(stack.made_by) is not True:
            open_.append(stack.made_by.condition)
        stack = stack.around
    if not open_:
        return ""
    words = f"only if {' and '.join(filter(None, reversed(open_)))}"
    return words + (", which does not hold" if resource.exists is False else "")


def _count(group: ResolvedResource, which: str) -> str:
    return group.shown("ScalingConfiguration", f"{which}InstanceCount") or "?"


def _node_names(group: ResolvedResource) -> str | None:
    """The names of its nodes as AWS PCS makes them, in Slurm's way of writing; `None` of none."""
    most = _count(group, "Max")
    if most == "0":
        return None
    return f"{_name(group)}-{'1' if most == '1' else f'[1-{most}]'}"


def _types(group: ResolvedResource) -> list[str]:
    configs = group.get("InstanceConfigs")
    if not isinstance(configs, list):
        return [shown(configs)] if configs else []
    return [
        shown(cast("Mapping[str, Any]", config).get("InstanceType", config))
        for config in cast("list[object]", configs)
        if isinstance(config, Mapping)
    ]


def _cores(types: Sequence[str]) -> int | None:
    """The cores of a node: AWS PCS takes each for one CPU, whatever its threads."""
    facts = instances.known(types)
    cores = {facts_of.cores for facts_of in facts.values()}
    return cores.pop() if len(cores) == 1 and facts.keys() == set(types) else None


def _idle_time(resource: ResolvedResource) -> str:
    return resource.shown("SlurmConfiguration", "ScaleDownIdleTimeInSeconds")


def _groups(queue: ResolvedResource) -> Iterator[ResolvedResource | str]:
    """The node groups of a queue; of those that are not in the templates what stands for them."""
    configs = queue.get("ComputeNodeGroupConfigurations")
    if configs is not None and not isinstance(configs, list):
        yield shown(configs)
        return
    for config in cast("list[object]", configs or []):
        reference: object = config
        if isinstance(config, Mapping):
            reference = cast("Mapping[str, Any]", config).get("ComputeNodeGroupId", config)
        target = queue.follow(reference)
        yield target if target is not None and target.type == NODE_GROUP else shown(reference)


def _items(resource: ResolvedResource, name: str) -> list[Mapping[str, Any] | str]:
    """The items of a list of the Slurm configuration, and what stands for those not known."""
    listed = resource.get("SlurmConfiguration", name)
    if listed is UNKNOWN:
        return [resource.shown("SlurmConfiguration")]
    if is_function(listed):
        return [_placeholder(listed)]
    if listed is not None and not isinstance(listed, list):
        return [_strange(listed)]
    entries: list[Mapping[str, Any] | str] = []
    for item in cast("list[object]", listed or []):
        if is_function(item):
            entries.append(_placeholder(item))
        elif isinstance(item, Mapping):
            entries.append(cast("Mapping[str, Any]", item))
        else:
            entries.append(_strange(item))
    return entries


def _placeholder(value: Any) -> str:
    """What stands for settings that only CloudFormation knows: they are too long to be shown."""
    one = choice(value)
    return f"<If:{one.condition}>" if one else shown(value)


def _strange(value: object) -> str:
    """What stands for something that is no setting."""
    return f"<{json.dumps(value)}>"


def _settings(resource: ResolvedResource, name: str) -> _Settings:
    return [
        (item, None)
        if isinstance(item, str)
        else (shown(item.get("ParameterName")), shown(item.get("ParameterValue")))
        for item in _items(resource, name)
    ]


# How Slurm writes.


def _lines(settings: _Settings) -> Iterator[str]:
    """One line for each."""
    for name, value in settings:
        if value is None:
            yield f"# {name}: settings that only CloudFormation knows"
        else:
            yield _setting(name, value)


def _line(settings: Iterable[tuple[str, str | None]]) -> str:
    """One line for all of them."""
    return " ".join(name if value is None else _setting(name, value) for name, value in settings)


def _setting(name: str, value: str) -> str:
    value = value.replace("\n", "\\n")
    quoted = f'"{value}"' if re.search(r"\s", value) and '"' not in value else value
    return f"{name}={quoted}"


def _paragraphs(*groups: Iterable[str]) -> tuple[str, ...]:
    """The lines of all groups, with an empty one in front of each but the first."""
    lines: list[str] = []
    for group in map(list, groups):
        lines += ["", *group] if lines and group else group
    return tuple(lines)
