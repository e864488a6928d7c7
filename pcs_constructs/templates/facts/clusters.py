"""What clusters show, and what shares one."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs import rules
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Problem, Unknown
from pcs_constructs.model.names import looks_derived
from pcs_constructs.model.ports import SLURMRESTD
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import CGROUP, CLUSTER, SLURMDBD
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.networks import open_ports
from pcs_constructs.templates.facts.settings import listed_settings, settings_evidence
from pcs_constructs.templates.members import (
    accounting_of,
    instance_types,
    launch_template,
    slurm_of,
)
from pcs_constructs.templates.values import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_SLURM: Final = ("Scheduler", "Version")
_PLACES: Final[dict[str, Path | Location]] = {
    "name": ("Name",),
    "id": ("Name",),
    "slurm": _SLURM,
    "scale_down_idle_time": ("SlurmConfiguration", "ScaleDownIdleTimeInSeconds"),
    "accounting": ("SlurmConfiguration", "Accounting", "Mode"),
    "retention_days": ("SlurmConfiguration", "Accounting", "DefaultPurgeTimeInDays"),
    "rest_api": ("SlurmConfiguration", "SlurmRest", "Mode"),
    "subnet": ("Networking", "SubnetIds"),
    "security_group": ("Networking", "SecurityGroupIds"),
    "size": ("Size",),
    "tags": ("Tags",),
}


def cluster_evidence(cluster: ResolvedResource) -> Iterator[Evidence]:
    """What one cluster shows of itself."""
    name = cluster.text("Name")
    configuration = "SlurmConfiguration"
    days = cluster.whole(configuration, "Accounting", "DefaultPurgeTimeInDays")
    rest = cluster.text(configuration, "SlurmRest", "Mode") == "STANDARD"
    opened = _rest_peers(cluster)
    yield Evidence(
        facts=rules.ClusterFacts(
            name=UNKNOWN if name is None else name,
            named=is_fixed(name),
            slurm=slurm_of(cluster),
            scale_down_idle_seconds=cluster.whole(configuration, "ScaleDownIdleTimeInSeconds"),
            accounting=accounting_of(cluster) is True,
            retention_days=days,
            rest_api=rest,
            rest_api_from=len(opened),
            subnets=cluster.count("Networking", "SubnetIds"),
            security_groups=cluster.count("Networking", "SecurityGroupIds"),
            choices=_choices(cluster),
            today=cluster.resolved.today,
        ),
        resource=cluster,
        locations={**_PLACES, **({"rest_api_from": opened[0]} if opened else {})},
    )
    yield from _job_submit(cluster)
    accounting = accounting_of(cluster)
    for scope, name in (
        (CLUSTER, "SlurmCustomSettings"),
        (SLURMDBD, "SlurmdbdCustomSettings"),
        (CGROUP, "CgroupCustomSettings"),
    ):
        yield from settings_evidence(
            cluster, scope, (configuration, name), slurm_of(cluster), accounting=accounting
        )


def _job_submit(cluster: ResolvedResource) -> Iterator[Evidence]:
    path = ("SlurmConfiguration", "JobSubmitPlugins")
    plugins = cluster.items(*path)
    if plugins is None or plugins is UNKNOWN:
        return
    for i in range(len(plugins)):
        yield Evidence(
            facts=rules.JobSubmitFacts(
                count=len(plugins) if i == 0 else 1,
                name=cluster.text(*path, i, "Name"),
                type=cluster.text(*path, i, "Type"),
                location=cluster.text(*path, i, "ScriptSource", "ScriptLocation"),
                checksum=cluster.text(*path, i, "ScriptSource", "Checksum"),
            ),
            resource=cluster,
            locations={"job_submit": (*path, i)},
        )


def version_problems(cluster: ResolvedResource) -> Iterator[Problem]:
    """What is wrong with a version of Slurm before there are facts to judge."""
    version = cluster.text(*_SLURM)
    if isinstance(version, str):
        try:
            SlurmVersion.of(version)
        except PcsValidationError as error:
            yield from error.problems


def is_fixed(name: str | Unknown | None) -> bool:
    """Whether a name stays the same when the resource must be replaced."""
    return isinstance(name, str) and not looks_derived(name)


def _choices(cluster: ResolvedResource) -> tuple[SlurmVersion, ...]:
    """The versions that the parameter for the version lets people choose from."""
    raw = within(cluster.declared.properties, *_SLURM)
    name = as_mapping(raw).get("Ref")
    parameters = as_mapping(cluster.template.content.get("Parameters"))
    values = as_mapping(parameters.get(str(name))).get("AllowedValues")
    versions: list[SlurmVersion] = []
    for value in cast("list[object]", values if isinstance(values, list) else []):
        try:
            versions.append(SlurmVersion.of(str(value)))
        except PcsValidationError:
            continue
    return tuple(versions)


def _rest_peers(cluster: ResolvedResource) -> list[Location]:
    """Where the port of the REST API, and no other, is opened in the cluster's groups."""
    return [
        each.location
        for group in cluster.each("Networking", "SecurityGroupIds")
        if (target := cluster.follow(group)) is not None
        for each in open_ports(target)
        if each.ports == (SLURMRESTD, SLURMRESTD)
    ]


def members_evidence(membership: Membership) -> Iterator[Evidence]:
    """What clusters show together with their node groups and queues."""
    for key in membership.keys:
        cluster = membership.cluster(key)
        # What may not be there counts as nothing.
        groups = [group for group in membership.groups_of(key) if group.certain]
        queues = [queue for queue in membership.queues_of(key) if queue.certain]
        if not (cluster or groups or queues):
            continue
        anchor = cluster or next(iter((*groups, *queues)))
        idle = [g for g in membership.idle(key) if _is_dynamic(g)]
        mounts = _mount_points(groups)
        locations = dict(_PLACES)
        for code, resources in (("PCS202", groups), ("PCS302", queues)):
            if (twin := _namesake(resources)) is not None:
                locations[code] = Location(twin, ("Name",))
        if idle:
            locations["PCS208"] = Location(idle[0], ())
        yield Evidence(
            facts=rules.ClusterMembersFacts(
                size=_size(cluster),
                node_group_names=tuple(_name(group) for group in groups),
                max_instance_counts=tuple(
                    _known(group.whole("ScalingConfiguration", "MaxInstanceCount"))
                    for group in groups
                ),
                queue_names=tuple(_name(queue) for queue in queues),
                unused_node_groups=tuple(group.name for group in idle),
                mount_points=mounts,
                tags=tags_of(cluster) if cluster else None,
            ),
            resource=anchor,
            locations={**locations, "mounts": Location(groups[0] if groups else anchor, ())},
        )
        if cluster:
            path = ("SlurmConfiguration", "SlurmCustomSettings")
            most = (g.whole("ScalingConfiguration", "MaxInstanceCount") for g in groups)
            yield Evidence(
                facts=rules.SrunPortsFacts(
                    ports=listed_settings(cluster, path).get("SrunPortRange", ""),
                    nodes=sum(count for count in most if isinstance(count, int)),
                ),
                resource=cluster,
                locations={"slurm_settings": path},
            )
        if queues:
            said = {
                queue.name: listed_settings(queue, ("SlurmConfiguration", "SlurmCustomSettings"))
                for queue in queues
            }
            yield Evidence(
                facts=rules.QueuesFacts(
                    queues=said,
                    cluster=listed_settings(cluster, ("SlurmConfiguration", "SlurmCustomSettings"))
                    if cluster
                    else UNKNOWN,
                ),
                resource=queues[-1],
                locations={
                    "slurm_settings": ("SlurmConfiguration", "SlurmCustomSettings"),
                    "preempt_mode": ("SlurmConfiguration", "SlurmCustomSettings"),
                    "preemption": Location(anchor, ("SlurmConfiguration", "SlurmCustomSettings")),
                },
            )


def environment_evidence(membership: Membership) -> Iterator[Evidence]:
    """The clusters of one template, which are all in one account and Region."""
    by_template: dict[int, list[ResolvedResource]] = {}
    for cluster in membership.clusters:
        by_template.setdefault(id(cluster.template), []).append(cluster)
    for clusters in by_template.values():
        names = [name for cluster in clusters if isinstance(name := cluster.text("Name"), str)]
        yield Evidence(
            facts=rules.EnvironmentFacts(cluster_names=tuple(names)),
            resource=clusters[-1],
            locations=_PLACES,
        )


def address_evidence(membership: Membership) -> Iterator[Evidence]:
    """How many addresses the nodes of each cluster may take."""
    for key in membership.keys:
        cluster, groups = membership.cluster(key), membership.groups_of(key)
        demands: list[tuple[str, frozenset[str], int]] = []
        cidrs: dict[str, str | Unknown] = {}
        for group in groups:
            subnets = [(group.key(each) or "", group.follow(each)) for each in _subnets(group)]
            most = group.whole("ScalingConfiguration", "MaxInstanceCount")
            if not subnets or not isinstance(most, int):
                continue
            for subnet_key, subnet in subnets:
                cidrs[subnet_key] = _range(subnet)
            names = frozenset(name for name, _ in subnets)
            demands.append((group.name, names, most * _addresses(group)))
        if demands:
            place = cluster.key(cluster.get("Networking", "SubnetIds", 0)) if cluster else None
            worst = max(demands, key=lambda demand: demand[2])[0]
            anchor = next(group for group in groups if group.name == worst)
            yield Evidence(
                facts=rules.AddressFacts(
                    cidrs=cidrs, demands=tuple(demands), controller=_known(place)
                ),
                resource=anchor,
                locations={"subnets": ("SubnetIds",)},
            )


def _range(subnet: ResolvedResource | None) -> str | Unknown:
    """The addresses of a subnet, where they are known and a range."""
    text = subnet.text("CidrBlock") if subnet else None
    try:
        return text if isinstance(text, str) and ip_network(text, strict=False) else UNKNOWN
    except ValueError:
        return UNKNOWN


def _subnets(group: ResolvedResource) -> list[Any]:
    return group.each("SubnetIds")


def _addresses(group: ResolvedResource) -> int:
    """How many addresses a node takes: one for each interface that is not EFA only."""
    template = launch_template(group)
    interfaces = template.each("LaunchTemplateData", "NetworkInterfaces") if template else []
    kinds = [as_mapping(each).get("InterfaceType") for each in interfaces]
    return max(1, sum(kind != "efa-only" for kind in kinds))


def _mount_points(groups: list[ResolvedResource]) -> dict[str, frozenset[str]] | None:
    """What each node group mounts by scripts; of user data it cannot be told."""
    from pcs_constructs.templates.facts.lifecycle import mount_points

    by_group: dict[str, frozenset[str]] = {}
    for group in groups:
        template = launch_template(group)
        if template is None or template.has("LaunchTemplateData", "UserData"):
            continue
        paths = mount_points(group)
        if UNKNOWN not in paths and instance_types(group):
            by_group[group.name] = frozenset(path for path in paths if path is not UNKNOWN)
    return by_group or None


def tags_of(resource: ResolvedResource) -> dict[str, str]:
    """The tags that are known, where they are a map as they should be."""
    tags = as_mapping(resource.get("Tags"))
    return {name: value for name in tags if isinstance(value := resource.text("Tags", name), str)}


def _size(cluster: ResolvedResource | None) -> ClusterSize | Unknown:
    size = cluster.text("Size") if cluster else UNKNOWN
    return (
        ClusterSize[size] if isinstance(size, str) and size in ClusterSize.__members__ else UNKNOWN
    )


def _name(resource: ResolvedResource) -> str | Unknown:
    return _known(resource.text("Name"))


def _known(value: Any) -> Any:
    return UNKNOWN if value is None else value


def _is_dynamic(group: ResolvedResource) -> bool:
    low = group.whole("ScalingConfiguration", "MinInstanceCount")
    high = group.whole("ScalingConfiguration", "MaxInstanceCount")
    return low == 0 and isinstance(high, int) and high > 0


def _namesake(resources: list[ResolvedResource]) -> ResolvedResource | None:
    """The last one whose name another has as well."""
    seen: dict[str, ResolvedResource] = {}
    for resource in resources:
        name = resource.text("Name")
        if isinstance(name, str):
            if name in seen:
                return resource
            seen[name] = resource
    return None


__all__ = [
    "address_evidence",
    "cluster_evidence",
    "environment_evidence",
    "is_fixed",
    "members_evidence",
    "tags_of",
    "version_problems",
]
