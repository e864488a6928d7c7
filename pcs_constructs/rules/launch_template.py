"""Rules for launch templates and network interfaces."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pcs_constructs.model import instances
from pcs_constructs.model.efa import layout
from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations, tag_violations
from pcs_constructs.rules.rule import advice, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.instances import InstanceFacts


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceFacts:
    """What a launch template and the node group that uses it show of their network interfaces."""

    instance_types: tuple[str, ...] | Unknown
    described: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    """What the user says of types that the catalogue may not have."""
    efa: bool
    efa_only: bool = False
    subnets: int | Unknown = UNKNOWN
    public: bool | Unknown = UNKNOWN
    written: tuple[Written, ...] = ()
    """The interfaces, where a template has them one by one."""

    @property
    def found(self) -> Mapping[str, InstanceFacts]:
        """What is known of the instance types."""
        if self.instance_types is UNKNOWN:
            return {}
        return instances.known(self.instance_types, self.described)


@error("PCS601", InterfaceFacts)
def efa_stays_in_one_subnet(facts: InterfaceFacts) -> Iterator[Violation]:
    """A node group that uses EFA has one subnet.

    EFA traffic does not cross subnets: nodes that land in two could not talk to each other.

    Source: Creating a compute node group in AWS PCS, "Subnets"; Elastic Fabric Adapter in AWS PCS.
    """
    if facts.efa and facts.subnets is not UNKNOWN and facts.subnets > 1:
        yield Violation(
            "subnets",
            f"EFA traffic cannot cross subnets, got {facts.subnets}",
            "leave subnets out, or pass one: subnets=[network.compute_subnet]",
        )


@error("PCS602", InterfaceFacts)
def efa_is_on_the_instance_type(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA is asked for on instance types that have it.

    Within a family often only the largest sizes do.

    Source: `NetworkInfo.EfaInfo` of `DescribeInstanceTypes`.
    """
    if not facts.efa:
        return
    if without := [name for name, found in facts.found.items() if not found.efa_interfaces]:
        yield Violation(
            "efa",
            f"there is no EFA on {', '.join(without)}",
            "leave efa out, or choose a type that has it, such as hpc7a.96xlarge",
        )


@error("PCS603", InterfaceFacts)
def efa_cards_are_alike(facts: InterfaceFacts) -> Iterator[Violation]:
    """The instance types of a node group that uses EFA have the same network cards.

    One launch template serves all of them, and it names each card.

    Source: Multiple network interfaces in AWS PCS; `NetworkInfo` of `DescribeInstanceTypes`.
    """
    if not facts.efa:
        return
    layouts = {
        name: (len(found.network_cards), found.efa_interfaces)
        for name, found in facts.found.items()
    }
    if len({layout(found) for found in facts.found.values()}) > 1:
        yield Violation(
            "instance_types",
            "must have the same network cards for EFA, got "
            + ", ".join(f"{name} {efa} EFA of {cards}" for name, (cards, efa) in layouts.items()),
            "make a node group for each; one queue can use several",
        )


@error("PCS604", InterfaceFacts)
def efa_instance_type_is_known(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA is asked for on instance types whose network cards are known.

    The interfaces are written from the catalogue. For a type that is not in it they would be a
    guess, and a wrong one keeps every node from starting.

    Source: `NetworkInfo` of `DescribeInstanceTypes`, as recorded in the catalogue.
    """
    if not facts.efa:
        return
    if facts.instance_types is UNKNOWN:
        yield Violation(
            "instance_types",
            "the type is a token, so its network cards are not known",
            "pass the instance type as text, or leave efa out",
        )
        return
    for name in facts.instance_types:
        if name not in facts.found:
            yield Violation(
                "instance_types",
                f"{name!r} is not in the catalogue ({instances.source()}), so its network "
                "cards are not known",
                "check the spelling, or describe it: pcs.InstanceFacts.from_description(...)",
            )


@error("PCS407", InterfaceFacts)
def nodes_with_several_interfaces_stay_private(facts: InterfaceFacts) -> Iterator[Violation]:
    """Nodes with more than one network interface are not in a public subnet.

    EC2 assigns a public address at launch only to an instance with a single interface, so such
    nodes would start without a way out, or not at all.

    Source: aws-parallelcluster issue 5084; Public IPv4 addresses in the Amazon EC2 User Guide.
    """
    if facts.efa and facts.public is True:
        for name, found in facts.found.items():
            if found.efa_interfaces > 1:
                yield Violation(
                    "subnets",
                    f"{name} has {found.efa_interfaces} EFA interfaces, and the subnet is public",
                    "use a private subnet",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
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
            "security_groups", "names no group", "pass the cluster's: [cluster.security_group]"
        )


@error("PCS609", InterfaceFacts)
def efa_names_an_instance_type(facts: InterfaceFacts) -> Iterator[Violation]:
    """A launch template with EFA says for which instance types it is.

    Their network cards decide the interfaces.

    Source: Multiple network interfaces in AWS PCS.
    """
    if facts.efa and facts.instance_types is not UNKNOWN and not facts.instance_types:
        yield Violation("instance_types", "names no type", "name one, such as ['hpc7a.96xlarge']")


@error("PCS610", InterfaceFacts)
def efa_only_goes_with_efa(facts: InterfaceFacts) -> Iterator[Violation]:
    """`efa_only` is said of nodes that use EFA.

    It decides about the interfaces on secondary network cards; without EFA there are none. That
    AWS PCS takes interfaces of the type `efa-only` is not confirmed: Amazon's own templates for PCS
    use `efa` on every card, while EC2 and AWS ParallelCluster prefer `efa-only`.

    Source: Multiple network interfaces in AWS PCS; EFA interfaces in the Amazon EC2 User Guide.
    """
    if facts.efa_only and not facts.efa:
        yield Violation("efa_only", "is True without efa", "write efa=True, or leave both out")


@error("PCS611", InterfaceFacts)
def launch_template_fits_the_instance_types(facts: InterfaceFacts) -> Iterator[Violation]:
    """A node group's launch template has the network interfaces of its instance types.

    A template with EFA names each network card, and an instance that has others does not start.

    Source: Multiple network interfaces in AWS PCS; `NetworkInfo` of `DescribeInstanceTypes`.
    """
    for name, found in facts.found.items():
        cards = {card.index: card for card in found.network_cards}
        for card, _, efa, _ in facts.written:
            if card is UNKNOWN or (card in cards and not (efa is True and not cards[card].efa)):
                continue
            what = "an EFA interface" if efa is True else "an interface"
            yield Violation(
                "launch_template",
                f"has {what} on network card {card}, and {name} has "
                + (f"{len(cards)} cards" if card not in cards else "no EFA there"),
                f"write {len(layout(found))} interfaces, those that the type has",
            )
            break


@error("PCS648", InterfaceFacts)
def interfaces_have_places_of_their_own(facts: InterfaceFacts) -> Iterator[Violation]:
    """Of the network interfaces of a node one is on card 0 as device 0, and no two share a place.

    The first one is the primary interface. Others on further cards are device 1, or 0 on types such
    as p6-b300.48xlarge.

    Source: Multiple network interfaces in AWS PCS; Elastic network interfaces in the Amazon EC2
    User Guide, "Network cards".
    """
    places = [(each.card, each.device) for each in facts.written]
    if not places or any(UNKNOWN in place for place in places):
        return
    if (0, 0) not in places:
        yield Violation(
            "network_interfaces",
            "has no primary interface",
            "give one NetworkCardIndex 0 and DeviceIndex 0",
        )
    for (card, device), count in Counter(places).items():
        if count > 1:
            yield Violation(
                "network_interfaces",
                f"has {count} interfaces on card {card} as device {device}",
                "give each network card one interface, with device index 1 after the first",
            )


@error("PCS649", InterfaceFacts)
def interfaces_are_in_the_subnet_of_the_node_group(facts: InterfaceFacts) -> Iterator[Violation]:
    """A launch template names no subnet, or that of the node group.

    AWS PCS puts the interfaces into the node group's subnets by itself.

    Source: Multiple network interfaces in AWS PCS.
    """
    if any(each.elsewhere for each in facts.written):
        yield Violation(
            "network_interfaces",
            "are in another subnet than the node group",
            "leave SubnetId out of the launch template",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
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
        yield Violation("root_volume", f"{volume_type} takes no iops", "leave iops out, or use gp3")
    if facts.iops is None and volume_type in {"io1", "io2"}:
        yield Violation("root_volume", f"{volume_type} without iops", "give iops, or use gp3")
    if isinstance(facts.iops, int) and facts.iops < 100 and volume_type in {"io1", "io2"}:
        yield Violation("root_volume", f"{facts.iops} IOPS on {volume_type}", "give 100 or more")
    if isinstance(facts.size, (int, float)) and (facts.size < 1 or facts.size % 1):
        yield Violation("root_volume", f"{facts.size:g} GiB", "give 1 GiB or more, in whole GiB")
    if facts.throughput is not None and volume_type != "gp3":
        yield Violation(
            "root_volume", f"{volume_type} takes no throughput", "leave throughput out, or use gp3"
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
        )
    if iops is UNKNOWN:
        return
    if iops < 3000:
        yield Violation(
            "root_volume", f"{iops} IOPS on gp3", "give 3000 or more, or leave iops out"
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
        )


@error("PCS618", RootVolumeFacts)
def root_volume_with_a_key_is_encrypted(facts: RootVolumeFacts) -> Iterator[Violation]:
    """A root volume that is given a KMS key is encrypted.

    Source: `KmsKeyId` of `AWS::EC2::LaunchTemplate`, "this parameter requires Encrypted".
    """
    if facts.kms_key is True and facts.encrypted is False:
        yield Violation("root_volume", "has a kms_key and encrypted=False", "leave one of them out")


@advice("PCS613", RootVolumeFacts)
def root_volume_is_encrypted(facts: RootVolumeFacts) -> Iterator[Violation]:
    """The root volume is encrypted.

    It is unless `encrypted=False` is said. The key is the account's default for EBS, or yours.

    Source: Using encrypted EBS volumes in AWS PCS; Amazon EBS encryption.
    """
    if facts.given and facts.encrypted is False:
        yield Violation("root_volume", "says encrypted=False", "leave encrypted out")


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


@dataclass(frozen=True, slots=True, kw_only=True)
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
            "http_put_response_hop_limit", "is 1", "leave it out to have the guide's 4, or give 2"
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
            )


@advice("PCS620", InterfaceFacts)
def efa_only_is_tried_first(facts: InterfaceFacts) -> Iterator[Violation]:
    """EFA-only interfaces are tried on one node before they are relied upon.

    One source says that AWS PCS wants `efa` on every card; EC2 and AWS ParallelCluster prefer
    `efa-only`. Acknowledge this when you have seen such a node start.

    Source: the PCS templates for p6-b200 in awslabs/awsome-distributed-ai; EFA interfaces in the
    Amazon EC2 User Guide.
    """
    if facts.efa_only and facts.efa:
        yield Violation(
            "efa_only",
            "is not confirmed for AWS PCS",
            "leave it out, or acknowledge this when a node has started with it",
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


@error("PCS641", LaunchTemplateFacts)
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
