"""What resources show of Slurm's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pcs_constructs import rules
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.evidence import Evidence, written
from pcs_constructs.templates.members import instance_types
from pcs_constructs.templates.values import is_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.model.slurm import SlurmVersion
    from pcs_constructs.model.slurm_settings import Scope
    from pcs_constructs.templates.resolved import Path, ResolvedResource


def listed_settings(resource: ResolvedResource, path: Path) -> dict[str, str | Unknown]:
    """By parameter, its value, of a list of `ParameterName` and `ParameterValue`."""
    return {name: value for name, value, _ in _entries(resource, path)}


def knows_settings(resource: ResolvedResource, path: Path) -> bool:
    """Whether it is known which parameters a list has; their values may be not."""
    entries = resource.items(*path)
    return entries is not UNKNOWN and all(
        isinstance(resource.text(*path, i, "ParameterName"), str) for i in range(len(entries or []))
    )


def _entries(resource: ResolvedResource, path: Path) -> Iterator[tuple[str, str | Unknown, int]]:
    for i in range(len(resource.each(*path))):
        name = resource.text(*path, i, "ParameterName")
        value = resource.text(*path, i, "ParameterValue")
        if isinstance(name, str):
            yield name, UNKNOWN if value is None else value, i


def settings_evidence(
    resource: ResolvedResource,
    scope: Scope,
    path: Path,
    slurm: SlurmVersion | Unknown,
    *,
    accounting: bool | Unknown,
    qos: frozenset[str] | Unknown = UNKNOWN,
) -> Iterator[Evidence]:
    """What one list of parameters shows."""
    settings: dict[str, str | Unknown] = {}
    twice: list[str] = []
    locations: dict[str, str] = {}
    for name, value, i in _entries(resource, path):
        if name in settings:
            twice.append(name)
        settings[name] = value
        # Rules name the argument that a parameter came with; here that is its place in the list.
        locations[name] = written((*path, i))
    if settings and knows_settings(resource, path):
        yield Evidence(
            facts=rules.SettingsFacts(
                scope=scope,
                settings=settings,
                arguments=locations,
                twice=tuple(twice),
                slurm=slurm,
                accounting=accounting,
                qos=qos,
            ),
            resource=resource,
            locations={scope.argument: path},
        )


def declared_qos(cluster: ResolvedResource | None) -> frozenset[str] | Unknown:
    """The QOS that the cluster's metadata says are in its accounting database."""
    declared = cluster.metadata.get("qos") if cluster else None
    if not isinstance(declared, list):
        return UNKNOWN
    return frozenset(str(name) for name in cast("list[object]", declared))


def node_settings_evidence(
    group: ResolvedResource,
    cluster: ResolvedResource | None,
    slurm: SlurmVersion | Unknown,
    *,
    login: bool,
) -> Iterator[Evidence]:
    """What a node group tells Slurm of its nodes."""
    path = ("SlurmConfiguration", "SlurmCustomSettings")
    settings = listed_settings(group, path)
    types = instance_types(group)
    known = {} if types is UNKNOWN else instances.known(types)
    selects = listed_settings(cluster, path).get("SelectTypeParameters", "") if cluster else UNKNOWN
    default = listed_settings(cluster, path).get("DefMemPerCPU") if cluster else None
    whole = knows_settings(group, path)
    yield Evidence(
        facts=rules.NodeSettingsFacts(
            settings=settings,
            instances=known,
            memory_aware=UNKNOWN if selects is UNKNOWN or not whole else "_Memory" in selects,
            login=login,
            default_memory_per_cpu=int(default)
            if isinstance(default, str) and default.isdecimal()
            else None,
        ),
        resource=group,
        locations={"slurm_settings": path},
    )
    records: list[dict[str, str | Unknown]] = []
    entries = group.each("SlurmConfiguration", "GresCustomSettings")
    if any(map(is_function, entries)):
        return
    for i, record in enumerate(entries):
        names = as_mapping(record)
        values = {n: group.text("SlurmConfiguration", "GresCustomSettings", i, n) for n in names}
        records.append({n: UNKNOWN if v is None else v for n, v in values.items()})
    if records:
        yield Evidence(
            facts=rules.GresFacts(records=tuple(records), settings=settings, slurm=slurm),
            resource=group,
            locations={
                "gres": ("SlurmConfiguration", "GresCustomSettings"),
                "slurm_settings": path,
            },
        )
