"""What compute node groups show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm_settings import NODE_GROUP
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.clusters import is_fixed
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.health_checks import health_checks_evidence
from pcs_constructs.templates.facts.launch_templates import (
    launch_template_evidence,
    purchase_option,
)
from pcs_constructs.templates.facts.lifecycle import lifecycle_evidence
from pcs_constructs.templates.facts.settings import node_settings_evidence, settings_evidence
from pcs_constructs.templates.members import (
    accounting_of,
    instance_types,
    launch_template,
    slurm_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_SETTINGS: Final = ("SlurmConfiguration", "SlurmCustomSettings")
_PLACES: Final[dict[str, Path | Location]] = {
    "name": ("Name",),
    "id": ("Name",),
    "instance_types": ("InstanceConfigs",),
    "subnets": ("SubnetIds",),
    "scaling": ("ScalingConfiguration",),
    "capacity": ("PurchaseOption",),
    "PCS213": ("SpotOptions",),
    "scale_down_idle_time": ("SlurmConfiguration", "ScaleDownIdleTimeInSeconds"),
    "image": ("AmiId",),
    "launch_template": ("CustomLaunchTemplate",),
    "instance_profile": ("IamInstanceProfileArn",),
}


def node_group_evidence(group: ResolvedResource, membership: Membership) -> Iterator[Evidence]:
    """What one node group and its launch template show."""
    cluster = membership.cluster_of(group)
    slurm = slurm_of(cluster)
    name = group.text("Name")
    low = group.whole("ScalingConfiguration", "MinInstanceCount")
    high = group.whole("ScalingConfiguration", "MaxInstanceCount")
    login = membership.is_login(group)
    profile = group.reference(group.get("IamInstanceProfileArn"))
    types = instance_types(group)
    yield Evidence(
        facts=rules.NodeGroupFacts(
            name=UNKNOWN if name is None else name,
            named=is_fixed(name),
            instance_types=types if group.has("InstanceConfigs") else UNKNOWN,
            min=UNKNOWN if low is None else low,
            max=UNKNOWN if high is None else high,
            subnets=group.count("SubnetIds") if group.has("SubnetIds") else UNKNOWN,
            purchase_option=purchase_option(group),
            spot_options=group.has("SpotOptions"),
            login=login,
            scale_down_idle_seconds=group.whole("SlurmConfiguration", "ScaleDownIdleTimeInSeconds"),
            slurm=slurm,
            image=_has_image(group),
            template_lacks=_template_lacks(group),
            profile_by_name=profile is not None
            and profile[0].type == "AWS::IAM::InstanceProfile"
            and profile[1] == "",
        ),
        resource=group,
        locations=_PLACES,
    )
    yield from settings_evidence(
        group, NODE_GROUP, _SETTINGS, slurm, accounting=accounting_of(cluster)
    )
    yield from node_settings_evidence(group, cluster, slurm, login=login)
    yield from _image(group)
    yield from launch_template_evidence(group)
    yield from lifecycle_evidence(group)
    yield from health_checks_evidence(group, slurm)


def _has_image(group: ResolvedResource) -> bool | Unknown:
    """Whether there is an image, where the launch template is made here."""
    if group.has("AmiId"):
        return True
    template = launch_template(group)
    if template is None:
        return UNKNOWN
    return template.has("LaunchTemplateData", "ImageId")


def _template_lacks(group: ResolvedResource) -> tuple[str, ...]:
    custom = group.get("CustomLaunchTemplate")
    if not isinstance(custom, dict):
        return ()
    return tuple(
        name
        for name in ("TemplateId", "Version")
        if group.get("CustomLaunchTemplate", name) is None
    )


def _image(group: ResolvedResource) -> Iterator[Evidence]:
    """What the image shows, of the node group or else of its launch template."""
    owner, path = group, ("AmiId",)
    if group.get(*path) is None:
        template = launch_template(group)
        if template is None or template.get("LaunchTemplateData", "ImageId") is None:
            return
        owner, path = template, ("LaunchTemplateData", "ImageId")
    ami_id, follows = _image_id(owner, path)
    types = instance_types(group)
    known = {} if types is UNKNOWN else instances.known(types)
    yield Evidence(
        facts=rules.ImageFacts(
            ami_id=ami_id,
            follows_parameter=follows,
            architectures={name: each.architecture for name, each in known.items()},
        ),
        resource=owner,
        locations={"image": path},
    )


def _image_id(resource: ResolvedResource, path: Path) -> tuple[str | Unknown, bool | Unknown]:
    """The ID of an image, or where it is to be looked up; and whether the newest is taken."""
    value = resource.get(*path)
    if isinstance(value, str):
        latest = value.startswith("{{resolve:ssm:") and value.count(":") == 2
        return value, latest
    name = as_mapping(value).get("Ref")
    parameters = as_mapping(resource.template.content.get("Parameters"))
    parameter = as_mapping(parameters.get(str(name)))
    if str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value<"):
        default = parameter.get("Default")
        place = f"{{{{resolve:ssm:{default}}}}}" if isinstance(default, str) else UNKNOWN
        return place, True
    return UNKNOWN, UNKNOWN
