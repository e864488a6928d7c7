"""What CloudFormation does to each resource: which properties replace it, whose values change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs.analysis.diff.change import Reason, label
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.templates import conditions
from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, NOUNS, QUEUE

if TYPE_CHECKING:
    from pcs_constructs.templates.template import Reference, Resource, Template

CREATE_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::CapacityReservation": (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "EbsOptimized",
        "EphemeralStorage",
        "InstancePlatform",
        "InstanceType",
        "OutPostArn",
        "PlacementGroupArn",
        "Tenancy",
    ),
    "AWS::EC2::KeyPair": ("KeyFormat", "KeyName", "KeyType", "PublicKeyMaterial", "Tags"),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",),
    "AWS::EC2::PlacementGroup": (
        "ParentGroupId",
        "PartitionCount",
        "SpreadLevel",
        "Strategy",
        "Tags",
    ),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::Subnet": (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "CidrBlock",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "Ipv6CidrBlock",
        "Ipv6IpamPoolId",
        "Ipv6Native",
        "Ipv6NetmaskLength",
        "OutpostArn",
        "VpcId",
    ),
    "AWS::EC2::VPC": (
        "CidrBlock",
        "InstanceTenancy",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "VpcEncryptionControl",
    ),
    "AWS::EFS::AccessPoint": ("ClientToken", "FileSystemId", "PosixUser", "RootDirectory"),
    "AWS::EFS::FileSystem": ("AvailabilityZoneName", "Encrypted", "KmsKeyId", "PerformanceMode"),
    "AWS::FSx::FileCache": (
        "CopyTagsToDataRepositoryAssociations",
        "DataRepositoryAssociations",
        "FileCacheType",
        "FileCacheTypeVersion",
        "KmsKeyId",
        "LustreConfiguration/DeploymentType",
        "LustreConfiguration/MetadataConfiguration",
        "LustreConfiguration/PerUnitStorageThroughput",
        "SecurityGroupIds",
        "StorageCapacity",
        "SubnetIds",
    ),
    "AWS::FSx::FileSystem": (
        "BackupId",
        "FileSystemType",
        "KmsKeyId",
        "SecurityGroupIds",
        "SubnetIds",
    ),
    "AWS::FSx::StorageVirtualMachine": ("FileSystemId", "Name", "RootVolumeSecurityStyle"),
    "AWS::FSx::Volume": (
        "BackupId",
        "OntapConfiguration/AggregateConfiguration",
        "OntapConfiguration/OntapVolumeType",
        "OntapConfiguration/SnaplockConfiguration/SnaplockType",
        "OntapConfiguration/StorageVirtualMachineId",
        "OntapConfiguration/VolumeStyle",
        "OpenZFSConfiguration/OriginSnapshot",
        "OpenZFSConfiguration/ParentVolumeId",
        "VolumeType",
    ),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", "Path"),
    "AWS::IAM::Role": ("Path", "RoleName"),
    "AWS::KMS::Key": (),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    CLUSTER: ("Name", "Networking", "Size"),
    NODE_GROUP: ("ClusterId", "InstanceConfigs", "Name"),
    QUEUE: ("ClusterId", "Name"),
    "AWS::ResourceGroups::Group": ("Name",),
    "AWS::S3::Bucket": ("BucketName", "BucketNamePrefix", "BucketNamespace"),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
}
"""The properties whose change replaces a resource, by type: those of AWS PCS, and of what its
resources refer to. From CloudFormation's schemas, `createOnlyProperties` with the conditional ones,
of which it is not said when they replace."""

_NEW_VERSION: Final = ("LaunchTemplateData", "VersionDescription")
"""The properties of a launch template that make a new version of it."""

_LONGEST: Final = 60  # characters of a value that are shown


class Update:
    """Old and new templates of the same stacks, and what gets from the ones to the others.

    Args:
        old: The templates that are deployed, read together.
        new: The templates to deploy, read together. They go with the old ones of the same name, or,
            if there is one on either side, with that.
    """

    def __init__(self, old: Sequence[Template], new: Sequence[Template]) -> None:
        self.old = old
        self.new = new
        self._before: dict[Template, Template] = {}
        if len(old) == len(new) == 1:
            self._before[new[0]] = old[0]
        else:
            named = {template.name: template for template in old}
            self._before = {t: named[t.name] for t in new if t.name in named}
        self._after = {before: after for after, before in self._before.items()}
        self._replaced: dict[Resource, tuple[Reason, ...]] = {}
        self._followed: set[object] = set()

    def before(self, resource: Resource) -> Resource | None:
        """A new resource as it was; `None` if there was none of its logical id."""
        template = self._before.get(resource.template)
        return template.resources.get(resource.logical_id) if template else None

    def after(self, resource: Resource) -> Resource | None:
        """An old resource as it will be; `None` if none of its logical id is left."""
        template = self._after.get(resource.template)
        return template.resources.get(resource.logical_id) if template else None

    def is_new(self, resource: Resource) -> bool:
        """Whether a resource is one of the new ones."""
        return resource.template in self.new

    def has_both(self, template: Template) -> bool:
        """Whether a template was read as it was and as it will be."""
        return template in self._before or template in self._after

    def stays(self, template: Template) -> bool:
        """Whether the stack of an old template is left as it is: none of the new ones is of it.

        A nested stack goes with the resource that makes it.
        """
        if template in self._after:
            return False
        return all(self.stays(around.template) for around in template.stacks_around())

    def template_after(self, template: Template) -> Template | None:
        """The new one of an old template."""
        return self._after.get(template)

    def identity(self, resource: Resource) -> tuple[str, str]:
        """What a resource is known by, old or new: its template and its logical id."""
        return (self._after.get(resource.template, resource.template).name, resource.logical_id)

    def replacement(self, resource: Resource) -> tuple[Reason, ...]:
        """Why CloudFormation replaces a new resource; empty if it does not."""
        cached = self._replaced.get(resource)
        if cached is None:
            self._replaced[resource] = ()  # whatever refers to itself
            before = self.before(resource)
            cached = self._replaced[resource] = (
                tuple(
                    reason
                    for name in CREATE_ONLY.get(resource.type, ())
                    for reason in self.differences(
                        before, resource, *name.split("/"), path=name.replace("/", ".")
                    )
                )
                if before is not None and before.type == resource.type
                else ()
            )
        return cached

    def leaves(self, resource: Resource) -> Reason | None:
        """Why a new resource may go that was there: what it is conditional on changes.

        `None` also where it is seen that it stays, or that it was not there.
        """
        before = self.before(resource)
        if before is None or before.type != resource.type:
            return None
        there = conditions.is_there(resource)
        stays = there is True or conditions.is_there(before) is False
        if stays or self._condition(before) == self._condition(resource):
            return None
        doubt = "it goes" if there is False else "taken not to hold: that is not known"
        if before.condition != resource.condition:
            return Reason(
                path="Condition", before=before.condition, after=resource.condition, because=doubt
            )
        because = f"{resource.condition} is defined differently; {doubt}"
        return Reason(path="Condition", before=None, after=None, because=because)

    def _condition(self, resource: Resource) -> Any:
        if resource.condition is None:
            return None
        return self._defined(resource.template, resource.condition)

    def _defined(self, template: Template, condition: str) -> dict[str, Any]:
        """A condition such that two are equal if they go by the same."""
        here = (template, condition)
        if here in self._followed:  # whatever goes by itself
            return {"": condition}
        self._followed.add(here)
        definitions = conditions.definitions(template, condition)
        defined = {name: self.canonical(template, value) for name, value in definitions.items()}
        self._followed.remove(here)
        return defined

    def differences(
        self, before: Resource, after: Resource, *names: str, path: str = ""
    ) -> Iterator[Reason]:
        """What changes in the properties of a resource, or in one of them."""
        yield from self._compared(
            before.template, after.template, before.get(*names), after.get(*names), path
        )

    def canonical(self, template: Template, value: object) -> Any:
        """A value such that two are equal if they are written alike and refer to the same."""
        value = _given(value)
        reference = template.reference(value)
        # What leads into a stack that only one side has is compared as it is written.
        if reference is not None and (
            reference.resource.template is template or self.has_both(reference.resource.template)
        ):
            stack, logical_id = self.identity(reference.resource)
            return f"${{{stack}/{logical_id}.{reference.attribute}}}"
        if isinstance(value, Mapping):
            items = cast("Mapping[str, Any]", value)
            literal = template.literal(items) if "Ref" in items else UNKNOWN
            if literal is not UNKNOWN:
                return _plain(literal)
            match items:
                case {"Fn::If": [str() as name, yes, no]}:
                    holds = conditions.holds(template, name)
                    if holds is not UNKNOWN:
                        return self.canonical(template, yes if holds else no)
                    branches = [self.canonical(template, one) for one in (yes, no)]
                    return {"Fn::If": [self._defined(template, name), *branches]}
                case _:
                    pass
            items = {name: self.canonical(template, item) for name, item in items.items()}
            match items:
                case {"Fn::Join": [str() as separator, [*parts]]} if all(
                    isinstance(part, str) for part in parts
                ):
                    return separator.join(cast("list[str]", parts))
                case {"Fn::Base64": str() as text} | {"Fn::Sub": str() as text}:
                    return text
                case {"Ref": str() as name}:
                    # What SSM parameters are named by: the value itself only a deployment knows.
                    default = template.parameters.get(name, {}).get("Default")
                    return f"${{{name}}}" if default is None else f"${{{name}={default}}}"
                case _:
                    return items
        if isinstance(value, list):
            return [self.canonical(template, item) for item in cast("list[Any]", value)]
        return _plain(value)

    def _compared(
        self, old: Template, new: Template, before: object, after: object, path: str
    ) -> Iterator[Reason]:
        before, after = _given(before), _given(after)
        mappings = _plain_mapping(before, after), _plain_mapping(after, before)
        lists = _list(before, after), _list(after, before)
        if mappings[0] is not None and mappings[1] is not None:
            for name in dict.fromkeys((*mappings[0], *mappings[1])):
                inner = f"{path}.{name}" if path else name
                yield from self._compared(
                    old, new, mappings[0].get(name), mappings[1].get(name), inner
                )
        elif lists[0] is not None and lists[1] is not None:
            yield from self._lists(old, new, lists[0], lists[1], path)
        elif self.canonical(old, before) == self.canonical(new, after):
            for reference in new.all_references(after):
                yield from self._pointed(reference, path)
        else:
            yield self._difference(old, new, before, after, path)

    def _lists(
        self, old: Template, new: Template, before: list[Any], after: list[Any], path: str
    ) -> Iterator[Reason]:
        settings_before, settings_after = _settings(before), _settings(after)
        if settings_before is not None and settings_after is not None:
            yield from self._compared(old, new, settings_before, settings_after, path)
            return
        ours = [json.dumps(self.canonical(old, item), sort_keys=True) for item in before]
        theirs = [json.dumps(self.canonical(new, item), sort_keys=True) for item in after]
        gone, added = _without(ours, theirs), _without(theirs, ours)
        if not gone and not added and ours != theirs:
            yield Reason(
                path=path,
                before=None,
                after=None,
                because="only the order changes, and whether that counts is not said",
            )
        for kept in sorted(set(range(len(after))).difference(added)):
            for reference in new.all_references(after[kept]):
                yield from self._pointed(reference, f"{path}[{kept}]")
        for mine, yours in zip_longest(gone, added):
            index = mine if yours is None else yours
            yield from self._compared(
                old,
                new,
                None if mine is None else before[mine],
                None if yours is None else after[yours],
                f"{path}[{index}]",
            )

    def _pointed(self, reference: Reference, path: str) -> Iterator[Reason]:
        """What changes about the value of a reference that is written as before."""
        resource = reference.resource
        before = self.before(resource)
        why = self.replacement(resource)
        called = _called(resource)
        if before is None:
            return
        if gone := self.leaves(resource):
            because = f"{called} may go: {gone}"
            yield Reason(path=path, before=None, after=None, because=because)
        elif why:
            # Why a resource of AWS PCS is replaced, its own record says.
            cause = "" if resource.type in NOUNS else f": {why[0]}"
            because = f"{called} is replaced{cause}"
            yield Reason(path=path, before=None, after=None, because=because)
        elif reference not in self._followed:  # or it refers to itself
            self._followed.add(reference)
            try:
                yield from self._valued(before, reference, path, called)
            finally:  # also where nobody wants to know the rest
                self._followed.remove(reference)

    def _valued(
        self, before: Resource, reference: Reference, path: str, called: str
    ) -> Iterator[Reason]:
        """What changes about an attribute of a resource that stays."""
        resource, attribute = reference
        if resource.type == "AWS::EC2::LaunchTemplate" and attribute == "LatestVersionNumber":
            for name in _NEW_VERSION:
                for reason in self.differences(before, resource, name, path=name):
                    because = reason.because or f"in {called}"
                    yield replace(reason, because=because)
        elif attribute in resource.properties:
            yield from self.differences(before, resource, attribute, path=path)

    def _difference(
        self, old: Template, new: Template, before: object, after: object, path: str
    ) -> Reason:
        ours, theirs = self.canonical(old, before), self.canonical(new, after)
        shown = _owned(old, before) or _shown(ours), _owned(new, after) or _shown(theirs)
        because = None
        if before == after and isinstance(after, dict):
            # Little reads alike and differs.
            if "Ref" not in after:
                return Reason(
                    path=path, before=None, after=None, because="what its conditions are changes"
                )
            name = cast("dict[str, str]", after)["Ref"]
            because = f"if the stack is deployed with the new default of its parameter {name}"
        elif isinstance(ours, str) and isinstance(theirs, str) and "\n" in ours + theirs:
            path, *lines = _first_line_that_differs(path, ours, theirs)
            shown = _shown(lines[0]), _shown(lines[1])
        elif old.reference(before) and new.reference(after):
            because = "another resource"
        elif not (_is_known(old, before, after) and _is_known(new, after, before)):
            because = "written differently; whether the value changes is not known"
        return Reason(path=path, before=shown[0], after=shown[1], because=because)


def _is_known(template: Template, value: object, other: object) -> bool:
    """Whether it is known that a value is not the other one; of a function mostly it is not."""
    if not isinstance(value, Mapping):
        return True
    call = cast("Mapping[str, Any]", value)
    if other is None:
        return "Fn::If" not in call  # which alone can be no value
    return template.literal(call) is not UNKNOWN


def _called(resource: Resource) -> str:
    """What a resource is called in the reasons of others."""
    if resource.type not in NOUNS:
        return f"{resource.type.rpartition('::')[2]} {resource.logical_id}"
    name = resource.text("Name") if resource.path is None else None
    called = name if isinstance(name, str) else label(resource.path, resource.logical_id)
    return f"{NOUNS[resource.type]} {called}"


def _owned(template: Template, value: object) -> str | None:
    """The resource of AWS PCS that a value refers to."""
    resource = template.referred(value)
    return _called(resource) if resource is not None and resource.type in NOUNS else None


def _given(value: object) -> object:
    return None if value == {"Ref": "AWS::NoValue"} else value


def _plain(value: object) -> Any:
    """A literal as CloudFormation reads it, to which the number 4 and the text '4' are the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _plain_mapping(value: object, other: object) -> Mapping[str, Any] | None:
    """A mapping that is no function of CloudFormation; an empty one beside one of those."""
    if value is None:
        return {} if other is not None and _plain_mapping(other, other) else None
    if not isinstance(value, Mapping):
        return None
    mapping = cast("Mapping[str, Any]", value)
    name = next(iter(mapping), "")
    return None if len(mapping) == 1 and (name == "Ref" or name.startswith("Fn::")) else mapping


def _list(value: object, other: object) -> list[Any] | None:
    """A list; an empty one beside one."""
    if value is None:
        return [] if isinstance(other, list) else None
    return cast("list[Any]", value) if isinstance(value, list) else None


def _settings(items: list[Any]) -> dict[str, Any] | None:
    """Slurm settings by their names: the order of those has no meaning."""
    settings: dict[str, Any] = {}
    for item in items:
        match item:
            case {"ParameterName": str() as name, "ParameterValue": value} if name not in settings:
                settings[name] = value
            case _:
                return None
    return settings


def _without(items: Sequence[str], others: Sequence[str]) -> list[int]:
    """The places of the items that are not among the others, each of those counted once."""
    left, places = list(others), list[int]()
    for place, item in enumerate(items):
        if item in left:
            left.remove(item)
        else:
            places.append(place)
    return places


def _first_line_that_differs(path: str, before: str, after: str) -> tuple[str, str, str]:
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    for number, (ours, theirs) in enumerate(pairs, 1):
        if ours != theirs:
            return f"{path}, line {number}", ours.strip(), theirs.strip()
    return path, before, after


def _shown(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    reference = re.fullmatch(r"\$\{(?:[^/}]*/)?([^}]*?)\.?\}", text)
    if reference:
        return reference[1]
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return f"'{text}'" if isinstance(value, str) else text
