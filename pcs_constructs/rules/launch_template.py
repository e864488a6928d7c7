"""Rules for launch templates and network interfaces."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations, tag_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Written(NamedTuple):
    """A network interface as a launch template has it."""

    card: int | Unknown
    """The index of its network card."""

    device: int | Unknown
    """Its device index."""

    efa: bool | Unknown
    """Whether it carries EFA."""

    elsewhere: bool = False
    """Whether it names a subnet that is none of the node group's."""


@facts_record
class LaunchTemplateFacts:
    """What a reference to a launch template, or the template itself, shows."""

    launch_template_id: str | Unknown = UNKNOWN
    version: str | Unknown = UNKNOWN
    key_name: str | Unknown = UNKNOWN
    security_groups: int | Unknown = UNKNOWN
    made_here: bool = False
    """Whether the template is made together with what refers to it."""
    ignored: tuple[str, ...] = ()
    """What it has that AWS PCS ignores or refuses."""
    group_names: bool = False
    """Whether it names security groups by their names."""
    groups_twice: bool = False
    """Whether it names security groups beside its network interfaces."""
    bare_interfaces: tuple[int, ...] = ()
    """The interfaces without security groups, by their places."""
    interfaces: bool | Unknown = UNKNOWN
    """Whether the template has network interfaces."""
    on_the_group: tuple[str, ...] = ()
    """What the node group has itself that a template with interfaces does not go with."""
    mode: str | Unknown = "CUSTOM"
    """Whether AWS PCS manages the template, or the user."""
    named: bool | Unknown = True
    """Whether the node group names a template."""
    managed_lacks: tuple[str, ...] = ()
    """What the node group has to say where AWS PCS manages the template, and does not."""


@error("PCS605", LaunchTemplateFacts)
def launch_template_id_is_an_id(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template is referred to by its ID.

    In particular never by the name `pcs-...-do-not-delete`: such templates are made by AWS PCS for
    itself, and a node group that uses one does not work.

    Source: Creating a compute node group in AWS PCS; `CustomLaunchTemplate` of the API.
    """
    yield from identifier_violations(
        "launch_template_id", facts.launch_template_id, r"lt-[a-z0-9]+", "lt-0123456789abcdef0"
    )


@advice("PCS606", LaunchTemplateFacts)
def launch_template_version_is_a_number(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template that is made elsewhere is used in a version given by its number.

    The user guide speaks of a specific version. Whether the service takes `$Latest` and `$Default`
    is not documented, and CloudFormation would not see that they point to something new. A template
    made in the same app needs no number: the library refers to its latest version by attribute.

    Source: Creating a compute node group in AWS PCS, "EC2 launch template version".
    """
    if facts.version is not UNKNOWN and not facts.version.isdecimal():
        yield Violation(
            "version",
            f"{facts.version!r} is not a version number",
            "write the number, such as '3'",
            template_fix="use Fn::GetAtt with LatestVersionNumber, or a number if it is made "
            "elsewhere",
        )


@error("PCS607", LaunchTemplateFacts)
def key_pair_name_has_a_length(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A key pair's name has 1 to 255 characters.

    Source: `KeyPairName` of the API.
    """
    if facts.key_name is not UNKNOWN and not 1 <= len(facts.key_name) <= 255:
        yield Violation(
            "key_pair", f"its name has {len(facts.key_name)} characters", "use 1 to 255"
        )


@error("PCS608", LaunchTemplateFacts)
def nodes_have_a_security_group(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template names at least one security group.

    Without one EC2 takes the default group of the VPC, which does not let the controller in.

    Source: Using Amazon EC2 launch templates with AWS PCS, "Create a basic launch template".
    """
    if facts.security_groups == 0:
        yield Violation(
            "security_groups",
            "names no group",
            "pass the cluster's: [cluster.security_group]",
            template_fix="add SecurityGroupIds with the cluster's group",
        )


@facts_record
class RootVolumeFacts:
    """What a launch template says of the volume that the operating system is on."""

    given: bool = True
    """Whether anything is said of the volume itself."""
    type: str | Unknown | None = None
    size: float | Unknown | None = UNKNOWN
    """In GiB; `None` is what the image says."""
    iops: int | Unknown | None = None
    throughput: int | Unknown | None = None
    """In MiB/s."""
    encrypted: bool | Unknown = True
    kms_key: bool | Unknown = False
    device_name: str | Unknown | None = None
    own_image: bool | Unknown = False
    """Whether the image is another than the library's default."""


@error("PCS612", RootVolumeFacts)
def root_volume_performance_fits_its_type(facts: RootVolumeFacts) -> Iterator[Violation]:
    """IOPS and throughput are provisioned where the root volume's type lets them be.

    Of the types that can be booted from, gp3, io1 and io2 take `iops`, io1 and io2 require it, and
    gp3 alone takes `throughput`. A gp3 volume starts at 3,000 IOPS and 125 MiB/s, and has at most
    500 IOPS for each GiB, and 0.25 MiB/s for each of its IOPS. How far the largest volumes go is
    not judged: EC2 raises that.

    Source: `Ebs` of `AWS::EC2::LaunchTemplate`; Amazon EBS volume types.
    """
    if not facts.given or facts.type is UNKNOWN:
        return
    volume_type = facts.type or "gp2"
    if volume_type in {"st1", "sc1"}:
        yield Violation("root_volume", f"{volume_type} cannot be booted from", "use gp3")
        return
    if facts.iops is not None and volume_type not in {"gp3", "io1", "io2"}:
        yield Violation(
            "root_volume",
            f"{volume_type} takes no IOPS",
            "leave iops out, or use gp3",
            template_fix="leave Iops out, or use gp3",
        )
    if facts.iops is None and volume_type in {"io1", "io2"}:
        yield Violation(
            "root_volume",
            f"{volume_type} without IOPS",
            "give iops, or use gp3",
            template_fix="add Iops, or use gp3",
        )
    if isinstance(facts.iops, int) and facts.iops < 100 and volume_type in {"io1", "io2"}:
        yield Violation("root_volume", f"{facts.iops} IOPS on {volume_type}", "give 100 or more")
    if isinstance(facts.size, (int, float)) and (facts.size < 1 or facts.size % 1):
        yield Violation("root_volume", f"{facts.size:g} GiB", "give 1 GiB or more, in whole GiB")
    if facts.throughput is not None and volume_type != "gp3":
        yield Violation(
            "root_volume",
            f"{volume_type} takes no throughput",
            "leave throughput out, or use gp3",
            template_fix="leave Throughput out, or use gp3",
        )
    if volume_type == "gp3":
        yield from _gp3_violations(facts)


def _gp3_violations(facts: RootVolumeFacts) -> Iterator[Violation]:
    iops = 3000 if facts.iops is None else facts.iops
    throughput = 125 if facts.throughput is None else facts.throughput
    if throughput is not UNKNOWN and throughput < 125:
        yield Violation(
            "root_volume",
            f"{throughput} MiB/s on gp3",
            "give 125 or more, or leave throughput out",
            template_fix="give 125 or more, or leave Throughput out",
        )
    if iops is UNKNOWN:
        return
    if iops < 3000:
        yield Violation(
            "root_volume",
            f"{iops} IOPS on gp3",
            "give 3000 or more, or leave iops out",
            template_fix="give 3000 or more, or leave Iops out",
        )
        return
    if isinstance(facts.size, (int, float)) and iops > max(3000, 500 * facts.size):
        most = int(max(3000, 500 * facts.size))
        yield Violation(
            "root_volume",
            f"{iops} IOPS on {facts.size:g} GiB of gp3",
            f"give at most {most}, or a larger volume",
        )
    if throughput is not UNKNOWN and throughput > iops / 4:
        yield Violation(
            "root_volume",
            f"{throughput} MiB/s with {iops} IOPS on gp3",
            f"give iops={4 * throughput} or more, or a lower throughput",
            template_fix=f"give {4 * throughput} IOPS or more, or a lower throughput",
        )


@error("PCS618", RootVolumeFacts)
def root_volume_with_a_key_is_encrypted(facts: RootVolumeFacts) -> Iterator[Violation]:
    """A root volume that is given a KMS key is encrypted.

    Source: `KmsKeyId` of `AWS::EC2::LaunchTemplate`, "this parameter requires Encrypted".
    """
    if facts.kms_key is True and facts.encrypted is False:
        yield Violation(
            "root_volume",
            "has a KMS key and is not encrypted",
            "leave encrypted=False or kms_key out",
            template_fix="leave Encrypted: false or KmsKeyId out",
        )


@advice("PCS613", RootVolumeFacts)
def root_volume_is_encrypted(facts: RootVolumeFacts) -> Iterator[Violation]:
    """The root volume is encrypted.

    It is unless `encrypted=False` is said. The key is the account's default for EBS, or yours.

    Source: Using encrypted EBS volumes in AWS PCS; Amazon EBS encryption.
    """
    if facts.given and facts.encrypted is False:
        yield Violation(
            "root_volume",
            "is not encrypted",
            "leave encrypted out",
            template_fix="write Encrypted: true",
        )


@error("PCS614", RootVolumeFacts)
def root_device_is_named(facts: RootVolumeFacts) -> Iterator[Violation]:
    """What is said of the root volume names the root device of the image.

    Under another name EC2 would attach a second volume, empty, and leave the first as it was. The
    root device of the default image is `/dev/sda1`, as in all of Ubuntu, RHEL and Rocky Linux; it
    is `/dev/xvda` in Amazon Linux. `aws ec2 describe-images` says `RootDeviceName` of any other.

    Source: `BlockDeviceMappings` of `AWS::EC2::LaunchTemplate`; Device names for volumes.
    """
    if facts.device_name is None:
        if facts.given and facts.own_image is True:
            yield Violation(
                "root_device_name",
                "is not known of an image of yours",
                "give what the image says: '/dev/sda1' (Ubuntu, RHEL, Rocky) or '/dev/xvda' "
                "(Amazon Linux)",
            )
        return
    if not facts.given:
        yield Violation(
            "root_device_name",
            "is given without root_volume",
            "give root_volume=ec2.BlockDeviceVolume.ebs(...) as well, or leave both out",
        )
    if facts.device_name is not UNKNOWN:
        yield from identifier_violations(
            "root_device_name", facts.device_name, r"/dev/[a-z]+[0-9]*[a-z0-9]*", "/dev/sda1"
        )


@facts_record
class MetadataFacts:
    """What a launch template says of the metadata service and of tags."""

    hop_limit: int | Unknown = 4
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """The tags of instances, `Name` included, as far as they are known."""
    unknown_tags: int = 0
    """How many more there are."""
    tags_in_metadata: bool = False
    tokens: str | Unknown = "required"
    """Whether requests to the metadata service need a token, in EC2's words."""


@error("PCS615", MetadataFacts)
def metadata_hop_limit_is_possible(facts: MetadataFacts) -> Iterator[Violation]:
    """The metadata service answers at a distance of 1 to 64 hops.

    Source: `HttpPutResponseHopLimit` of `AWS::EC2::LaunchTemplate`.
    """
    if facts.hop_limit is not UNKNOWN and not 1 <= facts.hop_limit <= 64:
        yield Violation(
            "http_put_response_hop_limit",
            f"is {facts.hop_limit}",
            "give 1 to 64, or leave it out to have 4",
            template_fix="give 1 to 64; the guide has 4",
        )


@advice("PCS616", MetadataFacts)
def containers_reach_the_metadata_service(facts: MetadataFacts) -> Iterator[Violation]:
    """Containers on a node reach the metadata service, and with it the node's permissions.

    From inside a container it is one hop further. With a limit of 1 jobs in containers have no AWS
    credentials; where that is wanted, acknowledge this.

    Source: Using Amazon EC2 launch templates with AWS PCS, "Metadata options".
    """
    if facts.hop_limit == 1:
        yield Violation(
            "http_put_response_hop_limit",
            "is 1",
            "leave it out to have the guide's 4, or give 2",
            template_fix="give 2, or 4 as the guide does",
        )


@error("PCS617", MetadataFacts)
def instance_tags_are_valid(facts: MetadataFacts) -> Iterator[Violation]:
    """Instances have at most 50 tags, with keys of 1 to 128 and values of up to 256 characters.

    Keys that begin with `aws:` belong to AWS. Where the metadata service shows tags, keys are of
    letters, digits and `+-=.,_:@` only.

    Source: Tag your Amazon EC2 resources; Work with instance tags in instance metadata.
    """
    yield from tag_violations("instance_tags", facts.tags, most=50 - facts.unknown_tags)
    for key in facts.tags if facts.tags_in_metadata else ():
        if not re.fullmatch(r"[A-Za-z0-9+\-=.,_:@]*", key) or key in {".", "..", "_index"}:
            yield Violation(
                "instance_tags",
                f"the key {key!r} cannot be shown by the metadata service",
                "use letters, digits and +-=.,_:@ only, or leave instance_metadata_tags out",
                template_fix="use letters, digits and +-=.,_:@ only, or leave InstanceMetadataTags "
                "out",
            )


@advice("PCS640", LaunchTemplateFacts)
def launch_template_version_follows_the_template(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template of the same app is used in its latest version, by the attribute.

    With a number, such as 1, a change of the launch template makes version 2, and the node group
    stays with version 1: the change never arrives, and nothing says so.

    Source: Creating a compute node group in AWS PCS, "EC2 launch template version"; return values
    of `AWS::EC2::LaunchTemplate`.
    """
    if facts.made_here and facts.version is not UNKNOWN and facts.version.isdecimal():
        yield Violation(
            "version",
            f"stays {facts.version} when the launch template changes",
            "use Fn::GetAtt with LatestVersionNumber",
        )


@advice("PCS641", LaunchTemplateFacts)
def launch_template_says_nothing_that_pcs_ignores(
    facts: LaunchTemplateFacts,
) -> Iterator[Violation]:
    """A launch template has nothing that AWS PCS ignores.

    These are the instance type, unless for a Capacity Block, instance requirements, the instance
    profile, protection from being stopped or terminated, hibernation, elastic accelerators and the
    number of threads. What decides is the node group.

    Source: Using Amazon EC2 launch templates with AWS PCS, "Limitations".
    """
    for name in facts.ignored:
        yield Violation(name, "is ignored by AWS PCS", "leave it out: the node group decides")


@error("PCS632", LaunchTemplateFacts)
def node_group_has_no_groups_beside_interfaces(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A node group with security groups of its own has a launch template without interfaces.

    AWS PCS takes `SecurityGroupIds` of the node group instead of those of the template, and refuses
    them where interfaces have groups of their own.

    Source: `securityGroupIds` of the `CreateComputeNodeGroup` API.
    """
    for name in facts.on_the_group if facts.interfaces is True else ():
        yield Violation(
            "security_groups" if name == "SecurityGroupIds" else "key_pair",
            "is beside a launch template with network interfaces",
            f"leave {name} out, and write it into the launch template",
        )


@error("PCS633", LaunchTemplateFacts)
def launch_template_goes_with_its_mode(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A node group names a launch template, unless AWS PCS manages it.

    With `LaunchTemplateMode` MANAGED AWS PCS makes one of the image and the security groups that
    the node group names; with CUSTOM, the default, the node group names one.

    Source: `launchTemplateMode` of the `CreateComputeNodeGroup` API.
    """
    if facts.mode == "MANAGED":
        if facts.named is True:
            yield Violation(
                "launch_template",
                "is named, and LaunchTemplateMode is MANAGED",
                "leave one of them out",
            )
        for name in facts.managed_lacks:
            yield Violation(
                "launch_template",
                f"is managed by AWS PCS, which wants {name}",
                f"add {name} to the node group",
            )
    elif facts.mode == "CUSTOM" and facts.named is False:
        yield Violation(
            "launch_template",
            "is not named, and LaunchTemplateMode is CUSTOM unless told otherwise",
            "add CustomLaunchTemplate, or LaunchTemplateMode: MANAGED",
        )


@error("PCS642", LaunchTemplateFacts)
def security_groups_are_named_by_ids(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template names security groups by IDs: `SecurityGroupIds`, not `SecurityGroups`.

    Names are for the default VPC, and AWS PCS does not take them.

    Source: Using Amazon EC2 launch templates with AWS PCS, "Limitations".
    """
    if facts.group_names:
        yield Violation("security_groups", "are named by their names", "use SecurityGroupIds")


@error("PCS643", LaunchTemplateFacts)
def security_groups_are_in_one_place(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """A launch template with network interfaces has its security groups there, and only there.

    EC2 refuses `SecurityGroupIds` beside `NetworkInterfaces`.

    Source: `RunInstances` of the EC2 API; Using Amazon EC2 launch templates with AWS PCS.
    """
    if facts.groups_twice:
        yield Violation(
            "security_groups",
            "are named beside network interfaces",
            "move them to Groups of each interface",
        )


@error("PCS644", LaunchTemplateFacts)
def interfaces_have_security_groups(facts: LaunchTemplateFacts) -> Iterator[Violation]:
    """Every network interface of a launch template has security groups.

    Without them EC2 takes the default group of the VPC, which does not let the controller in.

    Source: Using Amazon EC2 launch templates with AWS PCS; Multiple network interfaces in AWS PCS.
    """
    for place in facts.bare_interfaces:
        yield Violation(
            "network_interfaces",
            f"number {place + 1} has no security groups",
            "add Groups with the cluster's security group",
        )


@advice("PCS645", MetadataFacts)
def metadata_service_wants_a_token(facts: MetadataFacts) -> Iterator[Violation]:
    """The metadata service answers requests with a token only (IMDSv2).

    Source: Using Amazon EC2 launch templates with AWS PCS, "Metadata options".
    """
    if facts.tokens is not UNKNOWN and facts.tokens != "required":
        yield Violation("metadata_options", f"has HttpTokens {facts.tokens}", "write required")
