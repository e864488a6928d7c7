"""Rules for compute node groups."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model import instances
from pcs_constructs.model.capacity import scaling_violations
from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.slurm import DEFAULT_SPELLED
from pcs_constructs.rules.names import identifier_violations, name_violations
from pcs_constructs.rules.rule import advice, error, facts_record, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.instances import InstanceFacts
    from pcs_constructs.model.slurm import SlurmVersion

_TRAITS: Final[Mapping[str, str]] = {
    "architecture": "one processor architecture",
    "vcpus": "one number of vCPUs",
    "gpus": "one number of GPUs",
}
_MAKERS: Final[Mapping[str, str]] = {
    "gpu_manufacturer": "one maker of GPUs",
    "accelerator_manufacturer": "one maker of accelerators",
}


@facts_record
class NodeGroupFacts:
    """What a compute node group resource shows."""

    name: str | Unknown
    named: bool = False
    instance_types: tuple[str, ...] | Unknown
    described: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    """What the user says of types that the catalogue may not have."""
    min: int | Unknown
    max: int | Unknown
    subnets: int | Unknown
    purchase_option: str | Unknown = "ONDEMAND"
    spot_options: bool = False
    login: bool = False
    scale_down_idle_seconds: int | Unknown | None = None
    slurm: SlurmVersion | Unknown = UNKNOWN
    default_image: bool = False
    image: bool | Unknown = True
    """Whether the node group or its launch template names an image."""
    template_lacks: tuple[str, ...] = ()
    """What its reference to a launch template does not say."""
    profile_by_name: bool = False
    """Whether its instance profile is given by what `Ref` gives, its name."""

    @property
    def known_types(self) -> Mapping[str, InstanceFacts]:
        """What is known of the instance types."""
        if self.instance_types is UNKNOWN:
            return {}
        return instances.known(self.instance_types, self.described)

    @property
    def architecture(self) -> str | None:
        """The architecture, where the catalogue knows it."""
        return next((facts.architecture for facts in self.known_types.values()), None)


@error("PCS201", NodeGroupFacts)
def node_group_name_is_valid(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group name has 3 to 25 letters, digits and hyphens and starts with a letter.

    The service refuses any other name when the stack is deployed; CloudFormation's own schema does
    not check it. Without `name` the library makes one of the construct's id and a short hash.

    Source: `ComputeNodeGroupName` of the API; Creating a compute node group in AWS PCS.
    """
    yield from name_violations("node group", facts.name, 25, "name" if facts.named else "id")


@error("PCS203", NodeGroupFacts)
def instance_types_are_alike(facts: NodeGroupFacts) -> Iterator[Violation]:
    """The instance types of a node group share architecture, number of vCPUs and number of GPUs.

    Slurm describes all nodes of a group by one line, so AWS PCS refuses types that differ.

    Source: Creating a compute node group in AWS PCS, "Instances".
    """
    yield from _differences(facts, _TRAITS, "must share")


@advice("PCS225", NodeGroupFacts)
def accelerators_are_of_one_maker(facts: NodeGroupFacts) -> Iterator[Violation]:
    """The instance types of a node group have GPUs, or other accelerators, of one maker.

    A program for the one does not run on the other, and Slurm cannot tell such nodes apart. No
    source says that AWS PCS refuses them.

    Source: Creating a compute node group in AWS PCS, "Instances".
    """
    yield from _differences(facts, _MAKERS, "should share")


def _differences(
    facts: NodeGroupFacts, traits: Mapping[str, str], should: str
) -> Iterator[Violation]:
    for trait, words in traits.items():
        values = {name: getattr(instance, trait) for name, instance in facts.known_types.items()}
        if traits is _MAKERS:  # that one has none at all is told by their number
            values = {name: value for name, value in values.items() if value is not None}
        if len(set(values.values())) > 1:
            yield Violation(
                "instance_types",
                f"{should} {words}, got "
                + ", ".join(f"{name} {value or 'none'}" for name, value in values.items()),
                "make a node group for each kind",
            )


@advice("PCS204", NodeGroupFacts)
def node_group_name_leaves_room_for_replacement(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group without a fixed name can be replaced.

    Changing the instance types of a node group replaces it. CloudFormation makes the new one before
    it deletes the old one, so a fixed name is still taken and the update fails. Without `name` the
    library appends a short hash of the properties that force replacement to the construct's id.

    Source: update requirements of `AWS::PCS::ComputeNodeGroup`; Updating a compute node group.
    """
    if facts.named:
        yield Violation(
            "name",
            "a fixed name makes an update of the instance types fail",
            "leave name out, or acknowledge this and rename the group when its types change",
            template_fix="rename the group when its types change, or suppress this with a reason",
        )


@error("PCS205", NodeGroupFacts)
def node_group_has_an_instance_type(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group names at least one instance type.

    Source: `InstanceConfigs` of `AWS::PCS::ComputeNodeGroup` is required.
    """
    if facts.instance_types is not UNKNOWN and not facts.instance_types:
        yield Violation(
            "instance_types",
            "names no type",
            "name one, such as ['c7i.4xlarge']",
            template_fix="name one, such as InstanceType: c7i.4xlarge",
        )


@error("PCS206", NodeGroupFacts)
def node_group_has_a_subnet(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group has at least one subnet.

    Source: `SubnetIds` of `AWS::PCS::ComputeNodeGroup` is required.
    """
    if facts.subnets is not UNKNOWN and facts.subnets < 1:
        yield Violation(
            "subnets",
            "names no subnet",
            "leave subnets out to use the cluster's own",
            template_fix="name one, such as the cluster's",
        )


@advice("PCS207", NodeGroupFacts)
def instance_types_are_in_the_catalogue(facts: NodeGroupFacts) -> Iterator[Violation]:
    """The instance types are known to this library's catalogue.

    A type that is newer than the catalogue, or misspelt, is passed on as it is. Nothing that
    depends on its facts (architecture, vCPUs, network cards) is checked.

    Source: `DescribeInstanceTypes` of EC2, as recorded in the catalogue.
    """
    if facts.instance_types is UNKNOWN:
        return
    for name in facts.instance_types:
        if name not in facts.known_types:
            yield Violation(
                "instance_types",
                f"{name!r} is not in the catalogue ({instances.source()}), so it is not checked",
                "check the spelling; a newer type works all the same, and "
                "pcs.InstanceFacts.from_description(...) in its place has it checked",
                template_fix="check the spelling; a newer type works all the same",
            )


@error("PCS224", NodeGroupFacts)
def instance_types_differ(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group names each of its instance types once.

    Source: `InstanceConfigs` of `AWS::PCS::ComputeNodeGroup`.
    """
    if facts.instance_types is UNKNOWN:
        return
    for name, count in Counter(facts.instance_types).items():
        if count > 1:
            yield Violation("instance_types", f"names {name} {count} times", "name it once")


@page("PCS209")
def instance_type_is_described_completely() -> None:
    """An instance type that is described has what the library looks at.

    That is its name, processors, memory, architecture, network cards and ways of buying. The rest
    may be missing. Pass one entry of what `aws ec2 describe-instance-types` prints, as JSON or as
    an object.

    Source: `DescribeInstanceTypes` of the EC2 API.
    """


@error("PCS210", NodeGroupFacts)
def scaling_is_static_or_dynamic(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group is static (as many instances always) or dynamic (none while idle), not both.

    `Scaling.static(4)` and `Scaling.dynamic(max=16)` cannot say anything else; they refuse counts
    that are negative or unknown at synthesis. `Scaling.dynamic(max=0)` keeps a node group that
    starts no node.

    Source: Creating a compute node group in AWS PCS, "Scaling configuration".
    """
    if facts.min is not UNKNOWN and facts.max is not UNKNOWN:
        yield from scaling_violations(facts.min, facts.max)


@advice("PCS211", NodeGroupFacts)
def login_nodes_are_not_spot(facts: NodeGroupFacts) -> Iterator[Violation]:
    """Login nodes are not Spot instances, nor out of a reservation that ends.

    EC2 may take a Spot or an interruptible instance back with two minutes' notice, and a Capacity
    Block ends on its last day; every session on the node ends with it.

    Source: Using AWS PCS login nodes, "Choose on-demand purchase option".
    """
    if facts.login and facts.purchase_option not in {UNKNOWN, "ONDEMAND"}:
        yield Violation(
            "capacity",
            f"login nodes are bought as {facts.purchase_option}",
            "leave capacity out to buy On-Demand",
            template_fix="write PurchaseOption: ONDEMAND",
        )


@error("PCS212", NodeGroupFacts)
def node_group_idle_time_is_allowed(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group's own scale-down idle time is 1 s to 10,000,000 s and needs Slurm 25.11.

    The API also takes -1 in an update, to remove the override; CloudFormation cannot express that.

    Source: `ScaleDownIdleTimeInSeconds` of the `CreateComputeNodeGroup` API.
    """
    seconds = facts.scale_down_idle_seconds
    if seconds is None:
        return
    if seconds is not UNKNOWN and not 1 <= seconds <= 10_000_000:
        yield Violation(
            "scale_down_idle_time",
            f"{seconds} s is outside 1 to 10000000 s",
            "give something like cdk.Duration.minutes(10)",
            template_fix="give seconds, such as 600",
        )
    if facts.slurm is not UNKNOWN and not facts.slurm.is_at_least("25.11"):
        yield Violation(
            "scale_down_idle_time",
            f"needs Slurm 25.11 for a node group of its own, the cluster has {facts.slurm.value}",
            f"set scale_down_idle_time on the cluster, or use {DEFAULT_SPELLED}",
            template_fix="set it on the cluster, or use Slurm 25.11 or newer",
        )


@error("PCS213", NodeGroupFacts)
def spot_options_go_with_spot(facts: NodeGroupFacts) -> Iterator[Violation]:
    """Spot options are given only to a node group that buys Spot instances.

    `Capacity.spot(allocation=...)` cannot say anything else.

    Source: `SpotOptions` of `AWS::PCS::ComputeNodeGroup`.
    """
    if facts.spot_options and facts.purchase_option not in {UNKNOWN, "SPOT"}:
        yield Violation(
            "capacity",
            f"an allocation strategy with purchase option {facts.purchase_option}",
            "write Capacity.spot(allocation=...)",
            template_fix="write PurchaseOption: SPOT, or leave SpotOptions out",
        )


@facts_record
class ImageFacts:
    """What the image of a node group shows."""

    ami_id: str | Unknown
    follows_parameter: bool | Unknown = False
    """Whether it is the newest value of an SSM parameter."""
    architectures: Mapping[str, str] = field(default_factory=dict[str, str])
    """The architecture of each instance type that the catalogue knows."""


@error("PCS214", ImageFacts)
def ami_id_is_an_id(facts: ImageFacts) -> Iterator[Violation]:
    """A literal image ID looks like `ami-0123456789abcdef0`.

    A dynamic reference to an SSM parameter is taken as well: CloudFormation resolves it first.

    Source: `AmiId` of the API.
    """
    if facts.ami_id is not UNKNOWN and not facts.ami_id.startswith("{{resolve:ssm:"):
        yield from identifier_violations(
            "image", facts.ami_id, r"ami-[a-z0-9]+", "ami-0123456789abcdef0"
        )


@error("PCS215", ImageFacts)
def image_and_instance_types_share_an_architecture(facts: ImageFacts) -> Iterator[Violation]:
    """The image is built for the architecture of the instance types.

    Known where the image is one of the public parameters of AWS, whose path names the architecture;
    an image given by its ID does not tell.

    Source: `AmiId` of the API; Amazon Machine Images for AWS PCS.
    """
    if facts.ami_id is UNKNOWN or not facts.ami_id.startswith("{{resolve:ssm:/aws/service/"):
        return
    for architecture in ("x86_64", "arm64"):
        strangers = [name for name, a in facts.architectures.items() if a != architecture]
        if re.search(rf"\b{architecture}\b", facts.ami_id) and strangers:
            yield Violation(
                "image",
                f"is for {architecture}, and {', '.join(strangers)} is not",
                "leave image out to get the one that fits",
                template_fix="name an image that is built for the instance types",
            )


@advice("PCS216", ImageFacts)
def image_is_pinned(facts: ImageFacts) -> Iterator[Violation]:
    """The image changes only when somebody changes it.

    CloudFormation resolves a reference to a parameter's latest value again whenever the template
    changes anywhere. If AWS has published an image since, AWS PCS replaces the nodes: compute nodes
    once they are idle, login nodes with everybody on them.

    Source: Get a plaintext value from Systems Manager Parameter Store (CloudFormation);
    Updating a compute node group.
    """
    if facts.follows_parameter is True:
        yield Violation(
            "image",
            "follows an SSM parameter, so an update of the stack may replace the nodes",
            "leave image out (a template parameter pins it), or give an image by its ID",
            template_fix="give an image by its ID, such as ami-0123456789abcdef0",
        )


@advice("PCS217", NodeGroupFacts)
def login_nodes_always_run(facts: NodeGroupFacts) -> Iterator[Violation]:
    """There is always at least one login node.

    Dynamic nodes start when a job asks for them, and nobody submits jobs to a login node. The guide
    suggests it, and the API takes the other.

    Source: Using AWS PCS login nodes, "Set a static scaling configuration".
    """
    if facts.login and facts.min is not UNKNOWN and facts.min < 1:
        yield Violation(
            "scaling",
            "login nodes that scale to none",
            "write Scaling.static(1) or more",
            template_fix="write 1 or more for both counts",
        )


@page("PCS218")
def launch_template_decides_alone() -> None:
    """A node group with a launch template of yours is not also told what belongs into one.

    EFA, mounts, user data, security groups, SSH and the key pair are all written into the launch
    template. With `launch_template` they would be ignored.

    Source: Using Amazon EC2 launch templates with AWS PCS.
    """


@page("PCS233")
def what_the_cdk_lacks_is_asked_for() -> None:
    """Properties that the CDK does not have yet are written where the context asks for it.

    They are in the API of AWS PCS, and whether CloudFormation takes them in your Region is not
    known here. `"pcs-constructs:preview": true` in `cdk.json` writes them.

    Source: `CreateComputeNodeGroup` of the API; `AWS::PCS::ComputeNodeGroup`.
    """


@page("PCS219")
def connections_have_a_security_group() -> None:
    """Ports are opened on security groups that are known.

    A node group with an imported launch template has groups that this app does not know.
    """


@error("PCS220", NodeGroupFacts)
def default_image_has_an_architecture(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group without `image` has instance types whose architecture is known.

    The default image exists for x86_64 and for arm64. For a type that is not in the catalogue the
    choice would be a guess.

    Source: Using PCS-ready images; `DescribeInstanceTypes`.
    """
    if facts.default_image and facts.architecture is None and facts.instance_types:
        yield Violation(
            "image",
            "there is no default image, because the architecture is not known of "
            + (
                ", ".join(facts.instance_types)
                if facts.instance_types is not UNKNOWN
                else "a token"
            ),
            "check the spelling, pass image=, or describe the type: "
            "pcs.InstanceFacts.from_description(...)",
        )


@page("PCS222")
def image_can_be_found() -> None:
    """The machine image can be named in the stack's Region.

    An image given by a map of Regions needs a stack whose Region is known, and one that is looked
    up needs an account.

    Source: Machine images in the AWS CDK.
    """


@facts_record
class NodeGroupReferenceFacts:
    """What a reference to a node group shows."""

    compute_node_group_id: str | Unknown


@error("PCS221", NodeGroupReferenceFacts)
def node_group_id_is_an_id(facts: NodeGroupReferenceFacts) -> Iterator[Violation]:
    """A node group is referred to by its ID, not by its name.

    Source: Creating a queue in AWS PCS, "you must provide the ID of the compute node group".
    """
    yield from identifier_violations(
        "compute_node_group_id", facts.compute_node_group_id, r"pcs_[A-Za-z0-9]+", "pcs_1a2b3c"
    )


@page("PCS223")
def image_is_of_linux() -> None:
    """The machine image is one of Linux.

    Slurm's node daemon and the PCS agent run on nothing else.

    Source: Custom Amazon Machine Images for AWS PCS, "Supported operating systems".
    """


@error("PCS230", NodeGroupFacts)
def node_group_has_an_image(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group has an image: `AmiId`, or `ImageId` of its launch template.

    Where both are there, the node group's is taken. Seen where the launch template is made in the
    same app.

    Source: Creating a compute node group in AWS PCS, "AMI ID"; `ValidationException` of the API.
    """
    if facts.image is False:
        yield Violation("image", "is neither here nor in the launch template", "add AmiId")


@error("PCS231", NodeGroupFacts)
def launch_template_is_referred_to_with_a_version(facts: NodeGroupFacts) -> Iterator[Violation]:
    """A node group names its launch template by ID and version.

    Source: `CustomLaunchTemplate` of the API, which requires both.
    """
    for name in facts.template_lacks:
        yield Violation(
            "launch_template",
            f"has no {name}",
            "name the launch template by TemplateId, and its latest version as Version",
        )


@error("PCS232", NodeGroupFacts)
def instance_profile_is_referred_to_by_arn(facts: NodeGroupFacts) -> Iterator[Violation]:
    """The instance profile of a node group is given by its attribute `Arn`.

    `Ref` of an instance profile gives its name, which the API refuses.

    Source: `InstanceProfileArn` of the API; return values of `AWS::IAM::InstanceProfile`.
    """
    if facts.profile_by_name:
        yield Violation(
            "instance_profile",
            "is the name of the profile: that is what Ref gives",
            "use Fn::GetAtt with Arn",
        )
