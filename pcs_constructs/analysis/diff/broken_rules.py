"""Which rules the settings and sizes of a new template break, and those of the old one did not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs import rules
from pcs_constructs.analysis.diff.change import Refusal
from pcs_constructs.model import slurm_updates
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import CGROUP, SCOPES, SLURMDBD, Scope
from pcs_constructs.model.slurm_settings import CLUSTER as CLUSTER_SETTINGS
from pcs_constructs.model.slurm_settings import NODE_GROUP as NODE_GROUP_SETTINGS
from pcs_constructs.model.slurm_settings import QUEUE as QUEUE_SETTINGS
from pcs_constructs.templates import conditions
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.template import Resource

_PLACES: Final[Mapping[str, Mapping[str, Scope]]] = {
    CLUSTER: {
        "SlurmCustomSettings": CLUSTER_SETTINGS,
        "SlurmdbdCustomSettings": SLURMDBD,
        "CgroupCustomSettings": CGROUP,
    },
    NODE_GROUP: {"SlurmCustomSettings": NODE_GROUP_SETTINGS},
    QUEUE: {"SlurmCustomSettings": QUEUE_SETTINGS},
}
"""Where each type of resource takes Slurm settings."""

_PROPERTY_OF: Final[Mapping[str, str]] = {
    **{scope.argument: scope.property for scope in SCOPES},
    "accounting": "Accounting",
    "name": "Name",
    "rest_api": "SlurmRest",
    "retention_days": "DefaultPurgeTimeInDays",
    "scale_down_idle_time": "ScaleDownIdleTimeInSeconds",
    "size": "Size",
}
"""The property that each argument at fault is written as."""

_LONGEST: Final = 4000  # characters of a value that are judged: Python reads no longer numbers


def broken_rules(resource: Resource, before: Resource | None) -> Iterator[Refusal]:
    """What AWS PCS would refuse of the settings and sizes of a new resource.

    What is deployed already it has taken, so that is not told again.

    Args:
        resource: A cluster, a node group or a queue, with what was read with it.
        before: What it is an update of; `None` where it is made.
    """
    taken = () if before is None else rules.errors_in(*_facts(before))
    for problem in dict.fromkeys(rules.errors_in(*_facts(resource))):
        if problem not in taken:
            place = _PROPERTY_OF.get(problem.argument)
            yield Refusal(
                code=problem.code,
                message=f"{place}: {problem.message}" if place else problem.message,
                fix=problem.fix_in_template,
            )


def has_accounting(cluster: Resource) -> bool | Unknown:
    """Whether a cluster has accounting."""
    return _is_on(cluster, "Accounting")


def _is_on(cluster: Resource, name: str) -> bool | Unknown:
    value = _inside(cluster, "SlurmConfiguration", name, "Mode")
    mode = cluster.template.literal(value)
    if mode is None or mode == "NONE":
        return False
    return True if mode == "STANDARD" else UNKNOWN


def _facts(resource: Resource) -> Iterator[object]:
    """What the rules are to judge, as far as a template shows it."""
    cluster = resource
    if resource.type != CLUSTER:
        target = resource.template.referred(resource.get("ClusterId"))
        cluster = target if target is not None and target.type == CLUSTER else None
    slurm = _slurm(cluster) if cluster else UNKNOWN
    accounting = has_accounting(cluster) if cluster else UNKNOWN
    for name, scope in _PLACES[resource.type].items():
        settings = _settings(resource, name)
        if settings is not None:
            yield rules.SettingsFacts(
                scope=scope,
                settings=dict(settings),
                twice=tuple(
                    key for place, (key, _) in enumerate(settings) if key in dict(settings[:place])
                ),
                slurm=slurm,
                accounting=accounting,
            )
    if resource.type == NODE_GROUP:
        yield from _gres(resource, slurm)
    if resource.type == CLUSTER:
        yield rules.ClusterFacts(
            name=UNKNOWN,
            named=True,
            slurm=slurm,
            scale_down_idle_seconds=_number(resource, "ScaleDownIdleTimeInSeconds"),
            accounting=accounting is True,
            retention_days=_number(resource, "Accounting", "DefaultPurgeTimeInDays"),
            rest_api=_is_on(resource, "SlurmRest") is True,
        )
        yield _members(resource)


def _members(cluster: Resource) -> rules.ClusterMembersFacts:
    members = [
        one
        for template in cluster.template.together
        for type_ in (NODE_GROUP, QUEUE)
        for one in template.of_type(type_)
        # What may not be there counts as nothing.
        if template.referred(one.get("ClusterId")) is cluster and conditions.is_there(one) is True
    ]
    groups = [one for one in members if one.type == NODE_GROUP]
    size = cluster.text("Size")
    return rules.ClusterMembersFacts(
        size=next((one for one in ClusterSize if one.name == size), UNKNOWN),
        node_group_names=tuple(map(_name, groups)),
        max_instance_counts=tuple(
            UNKNOWN if count is None else count
            for group in groups
            for count in [group.number("ScalingConfiguration", "MaxInstanceCount")]
        ),
        queue_names=tuple(_name(one) for one in members if one.type == QUEUE),
    )


def _gres(group: Resource, slurm: SlurmVersion | Unknown) -> Iterator[rules.GresFacts]:
    settings = _settings(group, "SlurmCustomSettings")
    records = _listed(group, "GresCustomSettings")
    if settings is None or records is None:
        return
    yield rules.GresFacts(
        records=tuple(
            {name: _text(group, value) for name, value in record.items()} for record in records
        ),
        settings=dict(settings),
        slurm=slurm,
    )


def _name(resource: Resource) -> str | Unknown:
    return resource.text("Name") or UNKNOWN


def _slurm(cluster: Resource) -> SlurmVersion | Unknown:
    text = cluster.text("Scheduler", "Version")
    if not isinstance(text, str) or slurm_updates.hops(text, text) is None:
        return UNKNOWN
    # Whether a cluster can still be made with it depends on the day, and an update does not.
    return SlurmVersion.of(text, past_end_of_life=True)


def _number(resource: Resource, *names: str) -> int | Unknown | None:
    if _inside(resource, "SlurmConfiguration", *names) is UNKNOWN:
        return UNKNOWN
    return resource.number("SlurmConfiguration", *names)


def _settings(resource: Resource, name: str) -> list[tuple[str, str | Unknown]] | None:
    """The names and values of one of the lists; `None` where not all names are known."""
    items = _listed(resource, name)
    if items is None:
        return None
    literal = resource.template.literal
    parameters = [
        (literal(item.get("ParameterName")), _text(resource, item.get("ParameterValue")))
        for item in items
    ]
    return parameters if all(isinstance(key, str) for key, _ in parameters) else None


def _listed(resource: Resource, name: str) -> list[Mapping[str, Any]] | None:
    """The items of one of the lists, if all of them are known."""
    listed = _inside(resource, "SlurmConfiguration", name)
    if listed is None:
        return []
    if not isinstance(listed, list):
        return None
    items = cast("list[Any]", listed)
    known = all(isinstance(item, Mapping) and not _is_call(cast("object", item)) for item in items)
    return items if known else None


def _text(resource: Resource, value: object) -> str | Unknown:
    known = resource.template.literal(value)
    text = UNKNOWN if known is UNKNOWN else resource.template.shown(known)
    return UNKNOWN if text is UNKNOWN or len(text) > _LONGEST else text


def _inside(resource: Resource, *names: str) -> Any:
    """A property inside of others; UNKNOWN where only CloudFormation will know one of those."""
    value: Any = resource.properties
    for name in names:
        if _is_call(value):
            return None if resource.template.literal(value) is None else UNKNOWN
        if value is not None and not isinstance(value, Mapping):
            return UNKNOWN
        value = cast("Mapping[str, Any]", value or {}).get(name)
    if _is_call(value):
        return resource.template.literal(value)
    return value


def _is_call(value: object) -> bool:
    """Whether it is a call of a function, such as `{"Fn::If": [...]}`."""
    if not isinstance(value, Mapping):
        return False
    names = list(cast("Mapping[str, Any]", value))
    return len(names) == 1 and (names[0] == "Ref" or names[0].startswith("Fn::"))
