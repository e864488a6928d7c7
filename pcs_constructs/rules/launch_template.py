"""Rules for launch templates and network interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pcs_constructs import instances
from pcs_constructs.errors import UNKNOWN, Breach, Unknown
from pcs_constructs.rules.names import identifier_breaches
from pcs_constructs.rules.rule import advice, error, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.instances import InstanceFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceFacts:
    """What a launch template and the node group that uses it show of their network interfaces."""

    instance_types: tuple[str, ...] | Unknown
    efa: bool
    efa_only: bool = False
    subnets: int | Unknown = UNKNOWN
    public: bool | Unknown = UNKNOWN

    @property
    def found(self) -> Mapping[str, InstanceFacts]:
        """The instance types that the catalogue knows."""
        return {} if self.instance_types is UNKNOWN else instances.known(self.instance_types)


@error("PCS601", InterfaceFacts)
def efa_stays_in_one_subnet(facts: InterfaceFacts) -> Iterator[Breach]:
    """A node group that uses EFA has one subnet.

    EFA traffic does not cross subnets: nodes that land in two could not talk to each other.

    Source: Creating a compute node group in AWS PCS, "Subnets"; Elastic Fabric Adapter in AWS PCS.
    """
    if facts.efa and facts.subnets is not UNKNOWN and facts.subnets > 1:
        yield Breach(
            "subnets",
            f"EFA traffic cannot cross subnets, got {facts.subnets}",
            "leave subnets out, or pass one: subnets=[network.compute_subnet]",
        )


@error("PCS602", InterfaceFacts)
def efa_is_on_the_instance_type(facts: InterfaceFacts) -> Iterator[Breach]:
    """EFA is asked for on instance types that have it.

    Within a family often only the largest sizes do.

    Source: `NetworkInfo.EfaInfo` of `DescribeInstanceTypes`.
    """
    if not facts.efa:
        return
    if without := [name for name, found in facts.found.items() if not found.efa_interfaces]:
        yield Breach(
            "efa",
            f"there is no EFA on {', '.join(without)}",
            "leave efa out, or choose a type that has it, such as hpc7a.96xlarge",
        )


@error("PCS603", InterfaceFacts)
def efa_cards_are_alike(facts: InterfaceFacts) -> Iterator[Breach]:
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
    if len(set(layouts.values())) > 1:
        yield Breach(
            "instance_types",
            "must have the same network cards for EFA, got "
            + ", ".join(f"{name} {efa} EFA of {cards}" for name, (cards, efa) in layouts.items()),
            "make a node group for each; one queue can use several",
        )


@error("PCS604", InterfaceFacts)
def efa_instance_type_is_known(facts: InterfaceFacts) -> Iterator[Breach]:
    """EFA is asked for on instance types whose network cards are known.

    The interfaces are written from the catalogue. For a type that is not in it they would be a
    guess, and a wrong one keeps every node from starting.

    Source: `NetworkInfo` of `DescribeInstanceTypes`, as recorded in the catalogue.
    """
    if not facts.efa:
        return
    if facts.instance_types is UNKNOWN:
        yield Breach(
            "instance_types",
            "the type is a token, so its network cards are not known",
            "pass the instance type as text, or leave efa out",
        )
        return
    for name in facts.instance_types:
        if name not in facts.found:
            yield Breach(
                "instance_types",
                f"{name!r} is not in the catalogue ({instances.source()}), so its network "
                "cards are not known",
                "check the spelling, or leave efa out and add the interfaces to the L1 template",
            )


@error("PCS407", InterfaceFacts)
def nodes_with_several_interfaces_stay_private(facts: InterfaceFacts) -> Iterator[Breach]:
    """Nodes with more than one network interface are not in a public subnet.

    EC2 assigns a public address at launch only to an instance with a single interface, so such
    nodes would start without a way out, or not at all.

    Source: aws-parallelcluster issue 5084; Public IPv4 addresses in the Amazon EC2 User Guide.
    """
    if facts.efa and facts.public is True:
        for name, found in facts.found.items():
            if found.efa_interfaces > 1:
                yield Breach(
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


@error("PCS605", LaunchTemplateFacts)
def launch_template_id_is_an_id(facts: LaunchTemplateFacts) -> Iterator[Breach]:
    """A launch template is referred to by its ID.

    In particular never by the name `pcs-...-do-not-delete`: such templates are made by AWS PCS for
    itself, and a node group that uses one does not work.

    Source: Creating a compute node group in AWS PCS; `CustomLaunchTemplate` of the API.
    """
    yield from identifier_breaches(
        "launch_template_id", facts.launch_template_id, r"lt-[a-z0-9]+", "lt-0123456789abcdef0"
    )


@advice("PCS606", LaunchTemplateFacts)
def launch_template_version_is_a_number(facts: LaunchTemplateFacts) -> Iterator[Breach]:
    """A launch template that is made elsewhere is used in a version given by its number.

    The user guide speaks of a specific version. Whether the service takes `$Latest` and `$Default`
    is not documented, and CloudFormation would not see that they point to something new. A template
    made in the same app needs no number: the library refers to its latest version by attribute.

    Source: Creating a compute node group in AWS PCS, "EC2 launch template version".
    """
    if facts.version is not UNKNOWN and not facts.version.isdecimal():
        yield Breach(
            "version",
            f"{facts.version!r} is not a version number",
            "write the number, such as '3'",
        )


@error("PCS607", LaunchTemplateFacts)
def key_pair_name_has_a_length(facts: LaunchTemplateFacts) -> Iterator[Breach]:
    """A key pair's name has 1 to 255 characters.

    Source: `KeyPairName` of the API.
    """
    if facts.key_name is not UNKNOWN and not 1 <= len(facts.key_name) <= 255:
        yield Breach("key_pair", f"its name has {len(facts.key_name)} characters", "use 1 to 255")


@error("PCS608", LaunchTemplateFacts)
def nodes_have_a_security_group(facts: LaunchTemplateFacts) -> Iterator[Breach]:
    """A launch template names at least one security group.

    Without one EC2 takes the default group of the VPC, which does not let the controller in.

    Source: Using Amazon EC2 launch templates with AWS PCS, "Create a basic launch template".
    """
    if facts.security_groups == 0:
        yield Breach(
            "security_groups", "names no group", "pass the cluster's: [cluster.security_group]"
        )


@error("PCS609", InterfaceFacts)
def efa_names_an_instance_type(facts: InterfaceFacts) -> Iterator[Breach]:
    """A launch template with EFA says for which instance types it is.

    Their network cards decide the interfaces.

    Source: Multiple network interfaces in AWS PCS.
    """
    if facts.efa and facts.instance_types is not UNKNOWN and not facts.instance_types:
        yield Breach("instance_types", "names no type", "name one, such as ['hpc7a.96xlarge']")


@error("PCS610", InterfaceFacts)
def efa_only_goes_with_efa(facts: InterfaceFacts) -> Iterator[Breach]:
    """`efa_only` is said of nodes that use EFA.

    It decides about the interfaces on secondary network cards; without EFA there are none. That
    AWS PCS takes interfaces of the type `efa-only` is not confirmed: Amazon's own templates for PCS
    use `efa` on every card, while EC2 and AWS ParallelCluster prefer `efa-only`.

    Source: Multiple network interfaces in AWS PCS; EFA interfaces in the Amazon EC2 User Guide.
    """
    if facts.efa_only and not facts.efa:
        yield Breach("efa_only", "is True without efa", "write efa=True, or leave both out")


@page("PCS611")
def launch_template_fits_the_instance_types() -> None:
    """A node group's launch template has the network interfaces of its instance types.

    A template with EFA names each network card, and an instance that has others does not start.

    Source: Multiple network interfaces in AWS PCS.
    """
