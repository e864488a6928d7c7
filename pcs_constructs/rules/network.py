"""Rules for VPCs, subnets and security groups."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.ports import SRUN_PORT_RANGE
from pcs_constructs.rules.rule import advice, error, facts_record, page

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_AVAILABILITY_ZONES: Final = 8
"""Each half of the VPC is cut into as many subnets, so zones can be added without renumbering."""


_SMALLEST_SUBNET: Final = 28


_BLOCK: Final = r"[\d.]+/[1-9]\d?"


# "This host", loopback, link-local and multicast addresses.
_RESERVED_BLOCKS: Final = tuple(
    map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"))
)


_ZONE: Final = re.compile(r"([a-z]+(?:-[a-z]+)+-\d+)(?:[a-z]|-[a-z0-9-]+)")


@facts_record
class NetworkFacts:
    """What `Network` is asked for."""

    cidr: str | Unknown
    availability_zones: int
    nat_gateways: int
    isolated: bool = False
    public_subnets: bool = True
    endpoint_subnets: bool = False
    private_subnet_mask: int | None = None
    zones: tuple[str | Unknown, ...] = ()
    """The zones that are named."""

    @property
    def masks(self) -> tuple[int, ...]:
        """The prefix lengths of the subnets of a zone: public, private, for endpoints."""
        if self.cidr is UNKNOWN:
            return ()
        prefix = int(self.cidr.rpartition("/")[2])
        return (
            *([prefix + 4] if self.public_subnets else []),
            prefix + 4 if self.private_subnet_mask is None else self.private_subnet_mask,
            *([min(prefix + 8, _SMALLEST_SUBNET)] if self.endpoint_subnets else []),
        )

    @property
    def room(self) -> int:
        """How many zones the address range has room for, up to eight."""
        if self.cidr is UNKNOWN:
            return MAX_AVAILABILITY_ZONES
        whole = 2 ** (32 - int(self.cidr.rpartition("/")[2]))
        for zones in range(MAX_AVAILABILITY_ZONES, 0, -1):
            used = 0
            for mask in self.masks:
                size = 2 ** (32 - mask)
                used = (-(-used // size) + zones) * size
            if used <= whole:
                return zones
        return 0


def _is_block(cidr: str | Unknown) -> bool:
    try:
        return (
            cidr is not UNKNOWN
            and re.fullmatch(_BLOCK, cidr) is not None
            and 16 <= ipaddress.IPv4Network(cidr).prefixlen <= 24
        )
    except ValueError:
        return False


@error("PCS410", NetworkFacts)
def network_cidr_can_be_divided(facts: NetworkFacts) -> Iterator[Violation]:
    """The address range of a network is an IPv4 block of /16 to /24.

    A VPC is at most a /16. The library cuts it into sixteen subnets, eight public and eight
    private, so that zones can be added later without renumbering; a subnet is at least a /28. EC2
    reserves 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 and 224.0.0.0/4.

    Source: VPC CIDR blocks and Subnet CIDR blocks in the Amazon VPC User Guide.
    """
    if facts.cidr is UNKNOWN:
        return
    try:
        if not re.fullmatch(_BLOCK, facts.cidr):
            raise ValueError("is no address with a prefix length")
        block = ipaddress.IPv4Network(facts.cidr)
    except ValueError as reason:
        yield Violation("cidr", f"{facts.cidr!r}: {reason}", "write a block such as '10.0.0.0/16'")
        return
    if not 16 <= block.prefixlen <= 24:
        yield Violation(
            "cidr", f"{facts.cidr!r} is not a /16 to /24", "write a block such as '10.0.0.0/16'"
        )
    for reserved in _RESERVED_BLOCKS:
        if block.overlaps(reserved):
            yield Violation(
                "cidr",
                f"{facts.cidr!r} is in {reserved}, which is reserved",
                "write a block such as '10.0.0.0/16'",
            )


@error("PCS411", NetworkFacts)
def network_spans_availability_zones(facts: NetworkFacts) -> Iterator[Violation]:
    """A network spans one to eight different Availability Zones of one Region.

    Source: this library's division of the address range; no Region has more zones than that.
    """
    if not 1 <= facts.availability_zones <= MAX_AVAILABILITY_ZONES:
        yield Violation(
            "availability_zones",
            f"asks for {facts.availability_zones} zones",
            f"ask for 1 to {MAX_AVAILABILITY_ZONES}, or name them",
        )
        return
    known = [zone for zone in facts.zones if zone is not UNKNOWN]
    for zone in dict.fromkeys(known):
        if known.count(zone) > 1:
            yield Violation("availability_zones", f"names {zone!r} twice", "name each zone once")
        elif not _ZONE.fullmatch(zone):
            yield Violation(
                "availability_zones",
                f"{zone!r} is no name of a zone",
                "write a name such as 'eu-north-1a'",
            )
    regions = sorted({match[1] for zone in known if (match := _ZONE.fullmatch(zone))})
    if len(regions) > 1:
        yield Violation(
            "availability_zones",
            f"are in {' and '.join(regions)}",
            "name zones of one Region",
        )


@error("PCS412", NetworkFacts)
def network_has_nat_gateways_in_its_zones(facts: NetworkFacts) -> Iterator[Violation]:
    """A network has from none to one NAT gateway for each zone.

    The private subnets lead outside through them. Without any, nodes there need endpoints: see
    PCS422.

    Source: AWS PCS VPC and subnet requirements.
    """
    if not 0 <= facts.nat_gateways <= max(facts.availability_zones, 1):
        yield Violation(
            "nat_gateways",
            f"asks for {facts.nat_gateways} in {facts.availability_zones} zones",
            f"ask for 0 to {max(facts.availability_zones, 1)}",
        )


@error("PCS417", NetworkFacts)
def network_is_isolated_or_leads_outside(facts: NetworkFacts) -> Iterator[Violation]:
    """An isolated network has no public subnets, and NAT gateways are in public subnets.

    Source: NAT gateways in the Amazon VPC User Guide.
    """
    if facts.isolated and facts.public_subnets:
        yield Violation(
            "public_subnets",
            "are asked for in an isolated network",
            "leave isolated or public_subnets out",
        )
    if facts.nat_gateways > 0 and not facts.public_subnets:
        yield Violation(
            "nat_gateways",
            f"asks for {facts.nat_gateways} where there are no public subnets",
            "leave nat_gateways out",
        )


@error("PCS418", NetworkFacts)
def network_has_room_for_its_subnets(facts: NetworkFacts) -> Iterator[Violation]:
    """The subnets of all zones fit into the address range of a network.

    A private subnet is a sixteenth of the range unless `private_subnet_mask` says otherwise. The
    larger private subnets are, the fewer zones there are.

    Source: Subnet CIDR blocks in the Amazon VPC User Guide; this library's division of the range.
    """
    mask = facts.private_subnet_mask
    if not _is_block(facts.cidr) or facts.cidr is UNKNOWN:
        return
    prefix = int(facts.cidr.rpartition("/")[2])
    if mask is not None and not prefix <= mask <= _SMALLEST_SUBNET:
        yield Violation(
            "private_subnet_mask",
            f"is {mask} in {facts.cidr}",
            f"choose {prefix} to {_SMALLEST_SUBNET}",
        )
    elif facts.room < facts.availability_zones <= MAX_AVAILABILITY_ZONES:
        yield Violation(
            "availability_zones",
            f"are {facts.availability_zones}, and {facts.cidr} has room for the subnets of "
            f"{facts.room}",
            "use fewer zones, a larger private_subnet_mask, or a larger cidr",
        )


@facts_record
class VpcFacts:
    """What a VPC resource shows."""

    dns_hostnames: bool | Unknown
    dns_support: bool | Unknown
    tenancy: str | Unknown


@error("PCS401", VpcFacts)
def vpc_resolves_and_assigns_dns_names(facts: VpcFacts) -> Iterator[Violation]:
    """The VPC has DNS resolution and DNS hostnames switched on.

    Without them nodes cannot register with the cluster. Seen where the VPC is made in the same app.

    Source: AWS PCS VPC and subnet requirements.
    """
    for words, argument, name, value in (
        ("hostnames", "enable_dns_hostnames", "EnableDnsHostnames", facts.dns_hostnames),
        ("resolution", "enable_dns_support", "EnableDnsSupport", facts.dns_support),
    ):
        if value is False:
            yield Violation(
                "vpc",
                f"has DNS {words} switched off",
                f"make the VPC with {argument}=True",
                template_fix=f"set {name} of the VPC to true",
            )


@error("PCS402", VpcFacts)
def vpc_tenancy_is_default(facts: VpcFacts) -> Iterator[Violation]:
    """The VPC has the default instance tenancy.

    Source: AWS PCS VPC and subnet requirements, "doesn't support a VPC with dedicated tenancy".
    """
    if facts.tenancy is not UNKNOWN and facts.tenancy != "default":
        yield Violation(
            "vpc",
            f"has {facts.tenancy!r} instance tenancy",
            "make the VPC with default_instance_tenancy=ec2.DefaultInstanceTenancy.DEFAULT",
            template_fix="make the VPC with InstanceTenancy default",
        )


@facts_record
class PeersFacts:
    """Who may reach a port."""

    argument: str
    service: str
    """What listens there."""
    sources: tuple[str | Unknown, ...]


@advice("PCS408", PeersFacts)
def ports_are_closed_to_the_world(facts: PeersFacts) -> Iterator[Violation]:
    """SSH and the REST API are open to addresses that you know, not to all of them.

    Session Manager needs no open port at all, and works without `ssh_from`. The REST API speaks
    HTTP without encryption.

    Source: Security groups in AWS PCS; Using AWS PCS login nodes; Slurm REST API in AWS PCS.
    """
    for source in facts.sources:
        if source in {"0.0.0.0/0", "::/0"}:
            yield Violation(
                facts.argument,
                f"opens {facts.service} to {source}",
                "name your own range, such as ec2.Peer.ipv4('203.0.113.0/24')",
                template_fix="name your own range, such as 203.0.113.0/24",
            )


@facts_record
class SecurityGroupFacts:
    """What a security group shows that a controller or nodes are to have."""

    argument: str
    name: str
    in_vpc: bool | Unknown


@error("PCS415", SecurityGroupFacts)
def security_group_is_in_the_cluster_vpc(facts: SecurityGroupFacts) -> Iterator[Violation]:
    """Controller and nodes have security groups of the cluster's VPC.

    Seen where the group and the VPC are made in the same app, or both are named by an ID.

    Source: Security groups in AWS PCS; `SecurityGroupIds` of the API.
    """
    if facts.in_vpc is False:
        yield Violation(
            facts.argument,
            f"{facts.name} belongs to another VPC than the cluster",
            "make the group with vpc=cluster.vpc",
            template_fix="make the group with the VpcId of the cluster's subnet",
        )


@facts_record
class SrunPortsFacts:
    """The ports for `srun`, and how many nodes there are for it."""

    ports: str | Unknown
    """The `SrunPortRange` of the cluster; empty for that of AWS PCS."""
    nodes: int


@error("PCS429", SrunPortsFacts)
def srun_has_ports_for_all_nodes(facts: SrunPortsFacts) -> Iterator[Violation]:
    """`SrunPortRange` has the ports that one `srun` on all nodes takes.

    It listens on four ports for up to 48 nodes, and on two more for each further 48. Several at a
    time on one node take as many times as much.

    Source: Requirements for security groups in AWS PCS; `SrunPortRange` of `slurm.conf`.
    """
    if (missing := _ports_missing(facts)) is not None and missing > 0:
        yield _too_few_ports(facts, "")


@advice("PCS434", SrunPortsFacts)
def srun_has_a_port_for_a_terminal(facts: SrunPortsFacts) -> Iterator[Violation]:
    """`SrunPortRange` has a port more than one `srun` on all nodes takes, for `--pty`.

    Source: `SrunPortRange` of `slurm.conf`; `--pty` of `srun`.
    """
    if _ports_missing(facts) == 0:
        yield _too_few_ports(facts, ", and one more with --pty")


def _ports_needed(facts: SrunPortsFacts) -> int:
    return 4 + 2 * -(-max(facts.nodes - 48, 0) // 48)


def _ports_missing(facts: SrunPortsFacts) -> int | None:
    """How many ports there are too few; `None` where they are not known."""
    if facts.ports is UNKNOWN or not re.fullmatch(r"\d+-\d+", facts.ports):
        return None
    first, last = map(int, facts.ports.split("-"))
    return _ports_needed(facts) - (last - first + 1)


def _too_few_ports(facts: SrunPortsFacts, more: str) -> Violation:
    needed = _ports_needed(facts)
    return Violation(
        "slurm_settings",
        f"has SrunPortRange={facts.ports!r}, and srun on {facts.nodes} nodes takes {needed} "
        f"ports{more}",
        f"widen it to some hundred ports, such as '{SRUN_PORT_RANGE}', or at least {needed + 1}",
    )


@facts_record
class FlowFacts:
    """What templates show of traffic that a cluster needs."""

    flow: str
    """Who reaches whom, and what for."""
    reached: bool | Unknown
    missing: tuple[str, ...] = ()
    """What keeps it away."""
    fixes: tuple[str, ...] = ()


@error("PCS430", FlowFacts)
def everything_that_a_cluster_needs_is_reached(facts: FlowFacts) -> Iterator[Violation]:
    """Controller, nodes, file systems and AWS services reach each other as far as they must.

    Judged by the finished templates of an app: security groups of both sides, routes, network ACLs,
    endpoints and DNS. Only what is surely out of reach is refused; what depends on something that
    is imported is left alone. `python -m pcs_constructs reach cdk.out` prints all of it.

    Looked at where the context has `"pcs-constructs:reach": true`.

    Source: Security groups in AWS PCS; AWS PCS VPC and subnet requirements; Access AWS Parallel
    Computing Service using an interface endpoint.
    """
    if facts.reached is False:
        yield Violation(
            "vpc",
            f"{facts.flow}: {'; '.join(facts.missing)}",
            " or ".join(facts.fixes) or "see what reach prints",
        )


@page("PCS413")
def sources_are_peers() -> None:
    """Who may reach a port is said in the CDK's words: a peer.

    A peer is an address range, a prefix list or a security group; a bare string would leave open
    which.

    Source: `ec2.Peer` of the AWS CDK.
    """


@page("PCS414")
def vpc_has_a_subnet() -> None:
    """A VPC that a subnet is to be chosen from has one that is known.

    An imported VPC tells only the subnets that it was imported with.

    Source: `ec2.Vpc.from_vpc_attributes` of the AWS CDK.
    """


@page("PCS419")
def network_has_a_private_subnet_in_the_zone() -> None:
    """A private subnet is asked for in a zone that the network has by this name.

    A network whose zones are only counted does not know their names.

    Source: `Network.private_subnet_in` of this library.
    """


@page("PCS428")
def cluster_has_one_kind_of_security_groups() -> None:
    """Controller and nodes share one security group, or each kind has its own: not both.

    `security_group` is the group that they share, `security_groups` those of each kind.

    Source: Security groups in AWS PCS.
    """
