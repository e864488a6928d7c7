"""What launch templates show, for the node groups that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs import rules
from pcs_constructs.model import instances
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.networks import is_public
from pcs_constructs.templates.facts.user_data import user_data_evidence
from pcs_constructs.templates.members import instance_types, launch_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.templates.resolved import Path, ResolvedResource

_DATA: Final = "LaunchTemplateData"
_INTERFACES: Final = (_DATA, "NetworkInterfaces")
_ROOT_DEVICES: Final = ("/dev/sda1", "/dev/xvda")
_IGNORED: Final[tuple[Path, ...]] = (
    ("InstanceRequirements",),
    ("InstanceType",),
    ("IamInstanceProfile",),
    ("DisableApiTermination",),
    ("DisableApiStop",),
    ("HibernationOptions",),
    ("ElasticGpuSpecifications",),
    ("ElasticInferenceAccelerators",),
    ("CpuOptions", "ThreadsPerCore"),
)


def launch_template_evidence(group: ResolvedResource) -> Iterator[Evidence]:
    """What the launch template of a node group shows, together with the node group."""
    template = launch_template(group)
    option = purchase_option(group)
    yield _reference(group, template, option)
    yield from _interfaces(group, template)
    yield _capacity(group, template, option)
    if template is not None:
        yield _metadata(template)
        yield from _root_volume(template)
        yield from user_data_evidence(template, (_DATA, "UserData"))


def purchase_option(group: ResolvedResource) -> str | Unknown:
    """How the instances of a node group are bought."""
    option = group.text("PurchaseOption")
    return "ONDEMAND" if option is None else option


def _reference(
    group: ResolvedResource, template: ResolvedResource | None, option: str | Unknown
) -> Evidence:
    """How the node group refers to it, and what is in it that should not."""
    custom = "CustomLaunchTemplate"
    template_id, version = group.text(custom, "TemplateId"), group.text(custom, "Version")
    target = group.reference(group.get(custom, "Version"))
    if target is not None and target[1] == "DefaultVersionNumber":
        version = "$Default"  # the attribute is the number of the first version, for good
    key = template.text(_DATA, "KeyName") if template else None
    data = template.get(_DATA) if template else None
    here = as_mapping(data)
    ignored = [
        path
        for path in _IGNORED
        if template is not None
        and template.has(_DATA, *path)
        and not _says_nothing(group, template, path)
        # A Capacity Block is the one case in which the type is wanted.
        and not (path == ("InstanceType",) and option in {"CAPACITY_BLOCK", UNKNOWN})
    ]
    own = tuple(name for name in ("SecurityGroupIds", "SshKeyName") if group.has(name))
    mode = group.text("LaunchTemplateMode")
    interfaces = template.each(*_INTERFACES) if template else []
    bare = tuple(i for i, each in enumerate(interfaces) if _is_bare(each))
    locations: dict[str, Path | Location] = {
        "launch_template_id": (custom, "TemplateId"),
        "version": (custom, "Version"),
        "launch_template": (custom,),
        "PCS632": own[:1],
    }
    if template is not None:
        for path in ignored:
            locations[".".join(map(str, path))] = Location(template, (_DATA, *path))
        groups = "SecurityGroups" if "SecurityGroups" in here else "SecurityGroupIds"
        locations |= {
            "key_pair": Location(template, (_DATA, "KeyName")),
            "security_groups": Location(template, (_DATA, groups)),
            "PCS643": Location(template, (_DATA, "SecurityGroupIds")),
            "network_interfaces": Location(template, (*_INTERFACES, *bare[:1])),
        }
    return Evidence(
        facts=rules.LaunchTemplateFacts(
            launch_template_id=UNKNOWN if template_id is None else template_id,
            version=UNKNOWN if version is None else version,
            key_name=UNKNOWN if key is None else key,
            security_groups=group.count("SecurityGroupIds")
            if "SecurityGroupIds" in own
            else _group_count(template),
            interfaces=UNKNOWN
            if template is None
            else template.items(*_INTERFACES) not in (None, UNKNOWN, []),
            on_the_group=own,
            mode="CUSTOM" if mode is None else mode,
            named=_is_there(group, custom),
            managed_lacks=tuple(
                name for name in ("AmiId", "SecurityGroupIds") if _is_there(group, name) is False
            ),
            made_here=template is not None or _is_nested(group),
            ignored=tuple(".".join(map(str, path)) for path in ignored),
            group_names=bool(here.get("SecurityGroups")),
            groups_twice=bool(here.get("SecurityGroupIds")) and bool(interfaces),
            bare_interfaces=bare,
        ),
        resource=group,
        locations=locations,
    )


# What these are unless somebody says so.
_DEFAULTS: Final[tuple[tuple[Path, object], ...]] = (
    (("DisableApiTermination",), False),
    (("DisableApiStop",), False),
    (("HibernationOptions",), {"Configured": False}),
)


def _says_nothing(group: ResolvedResource, template: ResolvedResource, path: Path) -> bool:
    """Whether what is ignored is what the node group says too, or the default."""
    value = template.get(_DATA, *path)
    if path == ("InstanceType",):
        return (template.text(_DATA, *path),) == instance_types(group)
    return any(path == name and _same(value, default) for name, default in _DEFAULTS)


def _same(value: object, default: object) -> bool:
    if isinstance(default, dict):
        wanted = cast("dict[str, object]", default)
        return {k: _same(v, wanted.get(k)) for k, v in as_mapping(value).items()} == dict.fromkeys(
            wanted, True
        )
    return value in (default, str(default).lower())


def _is_there(group: ResolvedResource, name: str) -> bool | Unknown:
    """Whether a node group has a property, be it by a condition."""
    value = group.get(name)
    return UNKNOWN if value is UNKNOWN else value is not None


def _is_nested(group: ResolvedResource) -> bool:
    """Whether the template is an output of a nested stack, deployed with the node group."""
    target = group.follow(group.get("CustomLaunchTemplate", "TemplateId"))
    return target is not None and target.type == "AWS::CloudFormation::Stack"


def _is_bare(interface: Any) -> bool:
    mapping = as_mapping(interface)
    # An interface that exists already has its groups.
    return not mapping.get("Groups") and "NetworkInterfaceId" not in mapping


def _group_count(template: ResolvedResource | None) -> int | Unknown:
    """How many security groups there are, where interfaces do not have them."""
    if template is None or template.get(*_INTERFACES) or template.get(_DATA, "SecurityGroups"):
        return UNKNOWN
    return template.count(_DATA, "SecurityGroupIds")


def _interfaces(group: ResolvedResource, template: ResolvedResource | None) -> Iterator[Evidence]:
    if template is None:
        return
    interfaces = template.each(*_INTERFACES)
    if not interfaces:
        return
    types = instance_types(group)
    kinds = [template.text(*_INTERFACES, i, "InterfaceType") for i in range(len(interfaces))]
    efa = any(kind in {"efa", "efa-only"} for kind in kinds)
    subnets = [group.follow(each) for each in group.each("SubnetIds")]
    own = {group.key(each) for each in group.each("SubnetIds")}
    written: list[rules.Written] = []
    for i, kind in enumerate(kinds):
        card = template.whole(*_INTERFACES, i, "NetworkCardIndex")
        device = template.whole(*_INTERFACES, i, "DeviceIndex")
        place = template.get(*_INTERFACES, i, "SubnetId")
        written.append(
            rules.Written(
                card=0 if card is None else card,
                device=UNKNOWN if device is None else device,
                efa=UNKNOWN if kind is UNKNOWN else kind in {"efa", "efa-only"},
                elsewhere=place is not None and _is_another(template, place, group, own),
            )
        )
    yield Evidence(
        facts=rules.InterfaceFacts(
            # Of types that the catalogue does not have nobody claims anything.
            instance_types=UNKNOWN
            if types is UNKNOWN
            else tuple(instances.known(types)) or UNKNOWN,
            efa=efa and types is not UNKNOWN and bool(instances.known(types)),
            efa_only="efa-only" in kinds,
            subnets=group.count("SubnetIds"),
            public=any(subnet is not None and is_public(subnet) is True for subnet in subnets)
            or UNKNOWN,
            written=tuple(written),
        ),
        resource=group,
        locations={
            "subnets": ("SubnetIds",),
            "instance_types": ("InstanceConfigs",),
            "efa": Location(template, _INTERFACES),
            "efa_only": Location(template, _INTERFACES),
            "launch_template": Location(template, _INTERFACES),
            "network_interfaces": Location(template, _INTERFACES),
        },
    )


def _is_another(
    template: ResolvedResource, subnet: Any, group: ResolvedResource, own: set[str | None]
) -> bool:
    """Whether a subnet is surely none of those; two that are made here, or two IDs, are two."""
    if template.key(subnet) in own or not own:
        return False
    alike = [
        (template.follow(subnet) is not None, isinstance(subnet, str)),
        *((group.follow(e) is not None, isinstance(e, str)) for e in group.each("SubnetIds")),
    ]
    return len(set(alike)) == 1 and any(alike[0])


def _capacity(
    group: ResolvedResource, template: ResolvedResource | None, option: str | Unknown
) -> Evidence:
    target = (_DATA, "CapacityReservationSpecification", "CapacityReservationTarget")
    reservation_id = template.text(*target, "CapacityReservationId") if template else UNKNOWN
    group_arn = template.text(*target, "CapacityReservationResourceGroupArn") if template else None
    types = instance_types(group)
    low = group.whole("ScalingConfiguration", "MinInstanceCount")
    high = group.whole("ScalingConfiguration", "MaxInstanceCount")
    placement = template.get(_DATA, "Placement", "GroupName") if template else None
    strategy, spread_level = _strategy(template, placement)
    kinds = [
        as_mapping(i).get("InterfaceType")
        for i in (template.each(*_INTERFACES) if template else [])
    ]
    weight = [
        as_mapping(each).get("ParameterName")
        for each in group.each("SlurmConfiguration", "SlurmCustomSettings")
    ]
    known = {} if types is UNKNOWN else instances.known(types)
    locations: dict[str, Path | Location] = {
        "capacity": ("PurchaseOption",),
        "instance_types": ("InstanceConfigs",),
        "scaling": ("ScalingConfiguration",),
        "slurm_settings": ("SlurmConfiguration", "SlurmCustomSettings"),
        "PCS625": ("PurchaseOption",),
    }
    if template is not None:
        name = "CapacityReservationId"
        if reservation_id is None:
            name = "CapacityReservationResourceGroupArn"
        locations |= {
            "placement_group": Location(template, (_DATA, "Placement", "GroupName")),
            "PCS625": Location(template, (*target, name)),
            "PCS646": Location(template, (*target, name)),
            "PCS647": Location(template, (_DATA,)),
        }
    return Evidence(
        facts=rules.CapacityFacts(
            purchase_option=option,
            # Without the template nothing is known of it, and nothing is claimed.
            reservation_id=None if template is None else reservation_id,
            reservation_group_arn=group_arn,
            count=_reserved(template, target),
            instance_types=types,
            min=UNKNOWN if low is None else low,
            max=UNKNOWN if high is None else high,
            placement_group=placement is not None,
            strategy=strategy,
            spread_level=spread_level,
            subnets=group.count("SubnetIds"),
            efa="efa" in kinds or "efa-only" in kinds,
            weight="Weight" in weight,
            usage_classes={name: each.usage_classes for name, each in known.items()},
            template=template is not None,
            market_type=template.text(_DATA, "InstanceMarketOptions", "MarketType")
            if template
            else None,
            template_type=template.text(_DATA, "InstanceType") if template else None,
        ),
        resource=group,
        locations=locations,
    )


def _reserved(template: ResolvedResource | None, target: Path) -> int | Unknown | None:
    """How many instances are reserved, where the reservation is made here."""
    if template is None:
        return None
    reservation = template.follow(template.get(*target, "CapacityReservationId"))
    if reservation is None or reservation.type != "AWS::EC2::CapacityReservation":
        return None
    return reservation.whole("InstanceCount")


def _strategy(
    template: ResolvedResource | None, placement: Any
) -> tuple[str | Unknown | None, str | Unknown]:
    """How a placement group places instances, and on several of what it spreads them."""
    if template is None or placement is None:
        return None, UNKNOWN
    group = template.follow(placement)
    if group is None or group.type != "AWS::EC2::PlacementGroup":
        return UNKNOWN, UNKNOWN
    level = group.text("SpreadLevel")
    return group.text("Strategy"), "rack" if level is None else level


def _metadata(template: ResolvedResource) -> Evidence:
    options = (_DATA, "MetadataOptions")
    hops, tokens = (
        template.whole(*options, "HttpPutResponseHopLimit"),
        template.text(*options, "HttpTokens"),
    )
    tags: dict[str, str] = {}
    unknown = 0
    place: Path = (_DATA, "TagSpecifications")
    for i in range(len(template.each(*place))):
        if template.text(*place, i, "ResourceType") != "instance":
            continue
        for j in range(len(template.each(*place, i, "Tags"))):
            key = template.text(*place, i, "Tags", j, "Key")
            value = template.text(*place, i, "Tags", j, "Value")
            if isinstance(key, str) and isinstance(value, str):
                tags[key] = value
            else:
                unknown += 1
    return Evidence(
        facts=rules.MetadataFacts(
            hop_limit=UNKNOWN if hops is None else hops,
            tags=tags,
            unknown_tags=unknown,
            tags_in_metadata=template.text(*options, "InstanceMetadataTags") == "enabled",
            tokens=UNKNOWN if tokens is None else tokens,
        ),
        resource=template,
        locations={
            "http_put_response_hop_limit": (*options, "HttpPutResponseHopLimit"),
            "instance_tags": place,
            "metadata_options": (*options, "HttpTokens"),
        },
    )


def _root_volume(template: ResolvedResource) -> Iterator[Evidence]:
    mappings: Path = (_DATA, "BlockDeviceMappings")
    for i in range(len(template.each(*mappings))):
        name = template.text(*mappings, i, "DeviceName")
        ebs = (*mappings, i, "Ebs")
        if name not in _ROOT_DEVICES or template.get(*ebs) is None:
            continue
        volume = _volume(template, ebs)
        yield Evidence(
            facts=rules.RootVolumeFacts(device_name=name, **volume),
            resource=template,
            locations={"root_volume": ebs, "root_device_name": (*mappings, i, "DeviceName")},
        )


def _volume(template: ResolvedResource, ebs: Path) -> Mapping[str, Any]:
    kind, encrypted = template.text(*ebs, "VolumeType"), template.flag(*ebs, "Encrypted")
    size = template.number(*ebs, "VolumeSize")
    return {
        # What is not said, the image says.
        "type": UNKNOWN if kind is None else kind,
        "size": UNKNOWN if size is None else size,
        "iops": template.whole(*ebs, "Iops"),
        "throughput": template.whole(*ebs, "Throughput"),
        "encrypted": UNKNOWN if encrypted is None else encrypted,
        "kms_key": template.has(*ebs, "KmsKeyId"),
    }
