"""What the settings in templates amount to in Slurm's configuration files. Never starts Node."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates import conditions
from pcs_constructs.templates.template import TemplateError
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pcs_constructs.templates.template import Resource, Template

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
        return "\n".join([first, *self.lines[file], ""])


@dataclass(frozen=True, slots=True)
class _Members:
    """A cluster, and what refers to it."""

    cluster: Resource | str
    node_groups: list[Resource] = field(default_factory=list["Resource"])
    queues: list[Resource] = field(default_factory=list["Resource"])


def configurations(templates: Sequence[Template]) -> list[Configuration]:
    """The configuration of each cluster of the templates, and of others that they refer to.

    Args:
        templates: Templates that were read together, so that one may import from another.

    Returns:
        First those of the clusters in the templates, in their order.
    """
    clusters: dict[Resource | str, _Members] = {}
    for template in templates:
        for resource in template.of_type(CLUSTER):
            clusters[resource] = _Members(resource)
    for type_ in (NODE_GROUP, QUEUE):
        for template in templates:
            for resource in template.of_type(type_):
                cluster = _cluster_of(resource)
                members = clusters.setdefault(cluster, _Members(cluster))
                (members.node_groups if type_ == NODE_GROUP else members.queues).append(resource)
    try:
        return [_configuration(members) for members in clusters.values()]
    except RecursionError:
        names = ", ".join(template.name for template in templates)
        raise TemplateError(f"{names}: refers to itself in too long a chain") from None


def _cluster_of(resource: Resource) -> Resource | str:
    reference = resource.get("ClusterId")
    target = resource.template.referred(reference)
    if target is not None and target.type == CLUSTER:
        return target
    return resource.template.shown(reference)


def _configuration(members: _Members) -> Configuration:
    cluster = members.cluster
    known = None if isinstance(cluster, str) else cluster
    nodes = [line for group in members.node_groups for line in _nodes(group, members.queues)]
    if nodes:
        nodes.insert(0, "# from AWS PCS: the names of nodes, CPUs, CoresPerSocket, State")
    partitions = [line for queue in members.queues for line in _partition(queue)]
    return Configuration(
        cluster=cluster if isinstance(cluster, str) else _name(cluster),
        template=known.template.name if known else None,
        lines={
            "slurm.conf": _paragraphs(_controller(known) if known else [], nodes, partitions),
            "gres.conf": tuple(line for group in members.node_groups for line in _gres(group)),
            "cgroup.conf": tuple(_lines(_settings(known, "CgroupCustomSettings")) if known else ()),
            "slurmdbd.conf": tuple(_database(known) if known else ()),
        },
    )


def _controller(cluster: Resource) -> Iterator[str]:
    """What is said of the cluster itself."""
    shown = cluster.template.shown
    if condition := _condition(cluster):
        yield f"# {condition}"
    yield f"# Slurm {shown(cluster.get('Scheduler', 'Version'))}, {shown(cluster.get('Size'))}"
    for what, name in (("accounting", "Accounting"), ("slurmrestd", "SlurmRest")):
        mode = cluster.get("SlurmConfiguration", name, "Mode")
        if mode is not None and shown(mode) != "NONE":
            yield f"# {what}: {shown(mode)}"
    idle = _idle_time(cluster)
    yield f"SuspendTime={idle}" if idle else "# SuspendTime=600 is the default of AWS PCS"
    yield from _lines(_settings(cluster, "SlurmCustomSettings"))


def _database(cluster: Resource) -> Iterator[str]:
    mode = cluster.template.shown(cluster.get("SlurmConfiguration", "Accounting", "Mode"))
    settings = _settings(cluster, "SlurmdbdCustomSettings")
    if mode in {"", "NONE"}:
        if settings:
            yield "# without accounting there is no slurmdbd"
    else:
        days = cluster.get("SlurmConfiguration", "Accounting", "DefaultPurgeTimeInDays")
        shown = cluster.template.shown(days)
        yield (
            "# purge times: records are kept as long as the cluster"
            if shown in {"", "-1"}
            else f"# purge times that are not below: {shown} days"
        )
    yield from _lines(settings)


def _nodes(group: Resource, queues: Iterable[Resource]) -> Iterator[str]:
    """The line of a node group, and above it what nobody sees in that."""
    least, most = _count(group, "Min"), _count(group, "Max")
    types = _types(group)
    about = [" or ".join(types) or "no instance type"]
    if purchase := group.template.shown(group.get("PurchaseOption")):
        about.append(purchase)
    if condition := _condition(group):
        about.append(condition)
    about.append(f"{most} at all times" if least == most else f"{least} to {most} nodes")
    if not any(group is other for queue in queues for other in _groups(queue)):
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


def _partition(queue: Resource) -> Iterator[str]:
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


def _gres(group: Resource) -> Iterator[str]:
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
            shown = [(name, group.template.shown(value)) for name, value in record.items()]
            yield _line([("NodeName", nodes), *shown])
    gpus = {facts.gpus for facts in instances.known(_types(group)).values() if _nvidia(facts)}
    described = any(
        isinstance(record, str)
        or "AutoDetect" in record
        or group.template.literal(record.get("Name")) in ("gpu", UNKNOWN)
        for record in records
    )
    if gpus and not described:
        number = " or ".join(map(str, sorted(gpus)))
        yield f"# NodeName={nodes} Name=gpu: AWS PCS adds the record; GPUs a node: {number}"


def _nvidia(facts: instances.InstanceFacts) -> bool:
    return facts.gpu_manufacturer == "NVIDIA"


# What the properties say.


def _name(resource: Resource) -> str:
    """The name of a resource; its logical id where CloudFormation makes one up."""
    return resource.template.shown(resource.get("Name")) or f"<{resource.logical_id}>"


def _condition(resource: Resource) -> str:
    """Whether it is made at all; empty where it is."""
    there = conditions.is_there(resource)
    if there is True:
        return ""
    return f"only if {resource.condition}" + (", which does not hold" if there is False else "")


def _count(group: Resource, which: str) -> str:
    return group.template.shown(group.get("ScalingConfiguration", f"{which}InstanceCount")) or "?"


def _node_names(group: Resource) -> str | None:
    """The names of its nodes as AWS PCS makes them, in Slurm's way of writing; `None` of none."""
    most = _count(group, "Max")
    if most == "0":
        return None
    return f"{_name(group)}-{'1' if most == '1' else f'[1-{most}]'}"


def _types(group: Resource) -> list[str]:
    configs = group.get("InstanceConfigs")
    shown = group.template.shown
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


def _idle_time(resource: Resource) -> str:
    seconds = resource.get("SlurmConfiguration", "ScaleDownIdleTimeInSeconds")
    return resource.template.shown(seconds)


def _groups(queue: Resource) -> Iterator[Resource | str]:
    """The node groups of a queue; of those that are not in the templates what stands for them."""
    configs = queue.get("ComputeNodeGroupConfigurations")
    shown = queue.template.shown
    if configs is not None and not isinstance(configs, list):
        yield shown(configs)
        return
    for config in cast("list[object]", configs or []):
        reference: object = config
        if isinstance(config, Mapping):
            reference = cast("Mapping[str, Any]", config).get("ComputeNodeGroupId", config)
        target = queue.template.referred(reference)
        yield target if target is not None and target.type == NODE_GROUP else shown(reference)


def _items(resource: Resource, name: str) -> list[Mapping[str, Any] | str]:
    """The items of a list of the Slurm configuration, and what stands for those not known."""
    shown, literal = resource.template.shown, resource.template.literal
    configuration = resource.get("SlurmConfiguration")
    if _is_intrinsic(configuration):
        return [shown(configuration)]
    listed = resource.get("SlurmConfiguration", name)
    if _is_intrinsic(listed):
        return [shown(listed)] if literal(listed) is not None else []
    if listed is not None and not isinstance(listed, list):
        return [_strange(listed)]
    entries: list[Mapping[str, Any] | str] = []
    for item in cast("list[object]", listed or []):
        if _is_intrinsic(item):
            entries += [shown(item)] if literal(item) is not None else []
        elif isinstance(item, Mapping):
            entries.append(cast("Mapping[str, Any]", item))
        else:
            entries.append(_strange(item))
    return entries


def _strange(value: object) -> str:
    """What stands for something that is no setting."""
    return f"<{json.dumps(value)}>"


def _settings(resource: Resource, name: str) -> _Settings:
    shown = resource.template.shown
    return [
        (item, None)
        if isinstance(item, str)
        else (shown(item.get("ParameterName")), shown(item.get("ParameterValue")))
        for item in _items(resource, name)
    ]


def _is_intrinsic(value: object) -> bool:
    """Whether it is a call of a function, such as `{"Fn::If": [...]}`."""
    if not isinstance(value, Mapping):
        return False
    names = list(cast("Mapping[str, Any]", value))
    return len(names) == 1 and (names[0] == "Ref" or names[0].startswith("Fn::"))


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
