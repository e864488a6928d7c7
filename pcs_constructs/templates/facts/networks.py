"""What VPCs, subnets and security groups show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.ports import SERVICES
from pcs_constructs.model.services import endpoint_service
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.members import launch_template
from pcs_constructs.templates.types import SECURITY_GROUP, SUBNET
from pcs_constructs.templates.values import sketch
from pcs_constructs.templates.zones import zone_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource, ResolvedTemplates

_INTERFACES: Final = ("LaunchTemplateData", "NetworkInterfaces")
_ASSOCIATION: Final = "AWS::EC2::SubnetRouteTableAssociation"
_GATEWAY: Final = "AWS::EC2::InternetGateway"
_INGRESS: Final = "AWS::EC2::SecurityGroupIngress"
_EVERYONE: Final = ("0.0.0.0/0", "::/0")


class Opened(NamedTuple):
    """Ports that a security group lets in."""

    ports: tuple[int, int] | Unknown
    """The first and the last one."""

    source: str | Unknown
    """The addresses that may come in; UNKNOWN for security groups and the like."""

    location: Location
    """Where it says so."""


def open_ports(group: ResolvedResource) -> list[Opened]:
    """Everything that a security group lets in by TCP."""
    openings = [
        _opened(group, ("SecurityGroupIngress", i))
        for i in range(len(group.each("SecurityGroupIngress")))
    ]
    openings += [_opened(rule, ()) for rule in group.resolved.pointing(group, _INGRESS, "GroupId")]
    return [each for each in openings if each is not None]


def _opened(resource: ResolvedResource, path: Path) -> Opened | None:
    protocol = resource.text(*path, "IpProtocol")
    first, last = resource.whole(*path, "FromPort"), resource.whole(*path, "ToPort")
    ports: tuple[int, int] | Unknown = UNKNOWN
    if protocol in {"-1", "all"} or -1 in (first, last):
        ports = (0, 65_535)
    elif protocol not in {"tcp", "6"}:
        return None
    elif isinstance(first, int) and isinstance(last, int):
        ports = (first, last)
    source: str | Unknown = UNKNOWN
    place = "IpProtocol"
    for name in ("CidrIp", "CidrIpv6"):
        value = resource.text(*path, name)
        if value is not None:
            source, place = value, name
    return Opened(ports, source, Location(resource, (*path, place)))


def network_evidence(membership: Membership) -> Iterator[Evidence]:
    """What the VPCs, subnets and security groups of clusters and node groups show."""
    for cluster in membership.clusters:
        path = ("Networking", "SubnetIds")
        ipv6 = cluster.text("Networking", "NetworkType") == "IPV6"
        vpc = _vpc_of(cluster, cluster.get(*path, 0))
        yield from _vpc_evidence(vpc)
        for i, each in enumerate(cluster.each(*path)):
            yield from _subnet_evidence(
                cluster, each, (*path, i), vpc, "subnet", controller=True, needs_ipv6=ipv6
            )
        groups = ("Networking", "SecurityGroupIds")
        yield from _group_evidence(cluster, groups, vpc, "security_group")
        yield _identifiers(cluster, path, groups)
    for node_group in membership.groups:
        cluster = membership.cluster_of(node_group)
        vpc = _vpc_of(cluster, cluster.get("Networking", "SubnetIds", 0)) if cluster else None
        ipv6 = cluster is not None and cluster.text("Networking", "NetworkType") == "IPV6"
        template = launch_template(node_group)
        addressed = None if template is None else _gives_addresses(template)
        for i, each in enumerate(node_group.each("SubnetIds")):
            yield from _subnet_evidence(
                node_group,
                each,
                ("SubnetIds", i),
                vpc,
                "subnets",
                needs_ipv6=ipv6,
            )
            yield from _public_evidence(node_group, each, ("SubnetIds", i), addressed)
        own: Path = ("SecurityGroupIds",)
        yield _identifiers(node_group, ("SubnetIds",), own)
        yield from _group_evidence(node_group, own, vpc, "security_groups")
        if template is not None:
            for i in range(len(template.each(*_INTERFACES))):
                place: Path = (*_INTERFACES, i, "SubnetId")
                subnet_id = template.text(*place)
                yield Evidence(
                    facts=rules.IdentifierFacts(subnet_ids=(subnet_id,) if subnet_id else ()),
                    resource=template,
                    locations={"subnets": place},
                )
            for path in group_lists(template):
                yield from _group_evidence(template, path, vpc, "security_groups")
                yield _identifiers(template, (), path)
    yield from _peers_evidence(membership)
    yield from _endpoints_evidence(membership.resolved)


def _gives_addresses(template: ResolvedResource) -> bool | Unknown | None:
    """Whether a launch template asks for public addresses; `None` where it does not say."""
    if len(template.each(*_INTERFACES)) != 1:  # with several there are none
        return None
    return template.flag(*_INTERFACES, 0, "AssociatePublicIpAddress")


def group_lists(template: ResolvedResource) -> list[Path]:
    """Where a launch template lists security groups."""
    data = "LaunchTemplateData"
    paths: list[Path] = [(data, "SecurityGroupIds")]
    for i in range(len(template.each(data, "NetworkInterfaces"))):
        paths.append((data, "NetworkInterfaces", i, "Groups"))
    return [path for path in paths if template.has(*path)]


def _identifiers(resource: ResolvedResource, subnets: Path, groups: Path) -> Evidence:
    return Evidence(
        facts=rules.IdentifierFacts(
            subnet_ids=_literals(resource, subnets) if subnets else (),
            security_group_ids=_literals(resource, groups) if groups else (),
        ),
        resource=resource,
        locations={"subnets": subnets, "security_groups": groups},
    )


def _literals(resource: ResolvedResource, path: Path) -> tuple[str | Unknown, ...]:
    entries = (resource.text(*path, i) for i in range(len(resource.each(*path))))
    return tuple(UNKNOWN if value is None else value for value in entries)


def _vpc_of(resource: ResolvedResource, subnet_id: Any) -> ResolvedResource | None:
    """The VPC of a subnet, where both are made here."""
    subnet = resource.follow(subnet_id)
    vpc = subnet.follow(subnet.get("VpcId")) if subnet and subnet.type == SUBNET else None
    return vpc if vpc and vpc.type == "AWS::EC2::VPC" else None


def _vpc_evidence(vpc: ResolvedResource | None) -> Iterator[Evidence]:
    if vpc is None:
        return
    hostnames, support = vpc.flag("EnableDnsHostnames"), vpc.flag("EnableDnsSupport")
    tenancy = vpc.text("InstanceTenancy")
    yield Evidence(
        facts=rules.VpcFacts(
            dns_hostnames=False if hostnames is None else hostnames,
            dns_support=True if support is None else support,
            tenancy="default" if tenancy is None else tenancy,
        ),
        resource=vpc,
        locations={
            "vpc": ("InstanceTenancy",)
            if tenancy not in {None, UNKNOWN, "default"}
            else ("EnableDnsSupport",)
            if support is False
            else ("EnableDnsHostnames",)
        },
    )


def _subnet_evidence(
    resource: ResolvedResource,
    subnet_id: Any,
    path: Path,
    vpc: ResolvedResource | None,
    argument: str,
    *,
    controller: bool = False,
    needs_ipv6: bool = False,
) -> Iterator[Evidence]:
    subnet = resource.follow(subnet_id)
    if subnet is None or subnet.type != SUBNET:
        return
    ipv6 = subnet.flag("AssignIpv6AddressOnCreation")
    there = subnet.follow(subnet.get("VpcId"))
    yield Evidence(
        facts=rules.NodeSubnetFacts(
            argument=argument,
            name=subnet.logical_id,
            in_vpc=UNKNOWN if there is None or vpc is None else there is vpc,
            zone=zone(subnet),
            public=is_public(subnet),
            ipv6=False if ipv6 is None else ipv6,
            controller=controller,
            needs_ipv6=needs_ipv6,
        ),
        resource=resource,
        locations={argument: path},
    )


def _public_evidence(
    group: ResolvedResource, subnet_id: Any, path: Path, addressed: bool | Unknown | None
) -> Iterator[Evidence]:
    """How nodes of a group reach AWS PCS out of a public subnet."""
    subnet = group.follow(subnet_id)
    if subnet is None or subnet.type != SUBNET or is_public(subnet) is not True:
        return
    assigns = subnet.flag("MapPublicIpOnLaunch")
    yield Evidence(
        facts=rules.PublicSubnetFacts(
            name=subnet.logical_id,
            public=True,
            # What the launch template says overrides the subnet.
            assigns_public_addresses=(False if assigns is None else assigns)
            if addressed is None
            else addressed,
            other_ways=not all(map(_is_to_the_internet, _routes(subnet) or ())),
            endpoints=_endpoints_around(subnet),
        ),
        resource=group,
        locations={"subnets": path},
    )


def _endpoints_around(subnet: ResolvedResource) -> frozenset[str] | Unknown:
    """The services that have endpoints with private DNS in the VPC of a subnet."""
    vpc = subnet.follow(subnet.get("VpcId"))
    if vpc is None:  # it may have had endpoints before
        return UNKNOWN
    services: set[str] = set()
    for endpoint in subnet.resolved.of_type("AWS::EC2::VPCEndpoint"):
        there = endpoint.follow(endpoint.get("VpcId"))
        named = endpoint.flag("PrivateDnsEnabled")
        if there not in (None, vpc) or named in {None, False}:
            continue
        service = _service(endpoint)
        if service is None or (service == "pcs" and UNKNOWN in (there or UNKNOWN, named)):
            return UNKNOWN
        services.add(service)
    return frozenset(services)


def is_public(subnet: ResolvedResource) -> bool | Unknown:
    """Whether a subnet has a way to an internet gateway; UNKNOWN where its routes are not here."""
    routes = _routes(subnet)
    if routes is None:
        return UNKNOWN
    gateways = [route.follow(route.get("GatewayId")) for route in routes]
    return any(each is not None and each.type == _GATEWAY for each in gateways)


def _is_to_the_internet(route: ResolvedResource) -> bool:
    """Whether a route surely leads to an internet gateway, be it made here or before."""
    gateway, there = route.shown("GatewayId"), route.follow(route.get("GatewayId"))
    return gateway.startswith("igw-") if there is None else there.type == _GATEWAY


def _routes(subnet: ResolvedResource) -> list[ResolvedResource] | None:
    """The routes of a subnet; `None` where its route table is not here."""
    resolved = subnet.resolved
    tables = [
        association.follow(association.get("RouteTableId"))
        for association in resolved.pointing(subnet, _ASSOCIATION, "SubnetId")
    ]
    if not tables:
        return None
    routes: list[ResolvedResource] = []
    for table in tables:
        if table is None:
            return None
        routes += resolved.pointing(table, "AWS::EC2::Route", "RouteTableId")
    return routes


def _group_evidence(
    resource: ResolvedResource, path: Path, vpc: ResolvedResource | None, argument: str
) -> Iterator[Evidence]:
    for i, each in enumerate(resource.each(*path)):
        group = resource.follow(each)
        if group is None or group.type != SECURITY_GROUP or vpc is None:
            continue
        there = group.follow(group.get("VpcId"))
        yield Evidence(
            facts=rules.SecurityGroupFacts(
                argument=argument,
                name=group.logical_id,
                in_vpc=UNKNOWN if there is None else there is vpc,
            ),
            resource=resource,
            locations={argument: (*path, i)},
        )


def _endpoints_evidence(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """Interface endpoints: their subnets, and others for the same service beside them."""
    earlier: dict[str | None, set[str]] = {}
    for endpoint in resolved.of_type("AWS::EC2::VPCEndpoint"):
        if endpoint.text("VpcEndpointType") != "Interface":
            continue
        locations: dict[str, Path | Location] = {
            "subnets": ("SubnetIds",),
            "services": ("ServiceName",),
        }
        if isinstance(endpoint.items("SubnetIds"), list):
            subnets = [endpoint.follow(each) for each in endpoint.each("SubnetIds")]
            zones = tuple(UNKNOWN if subnet is None else zone(subnet) for subnet in subnets)
            facts = rules.EndpointFacts(services=(), zones=zones)
            yield Evidence(facts=facts, resource=endpoint, locations=locations)
        vpc, service = (
            endpoint.key(endpoint.get("VpcId")),
            endpoint_service(sketch(endpoint.get("ServiceName"), "region")),
        )
        if endpoint.flag("PrivateDnsEnabled") is True and service:
            others = earlier.setdefault(vpc, set())
            yield Evidence(
                facts=rules.EndpointNamesFacts(services=(service,), others=frozenset(others)),
                resource=endpoint,
                locations=locations,
            )
            others.add(service)


def _service(endpoint: ResolvedResource) -> str | None:
    """The service of an endpoint, in whichever Region; `None` where it is not known."""
    name = sketch(endpoint.get("ServiceName"), "region")
    return None if name == "region" else endpoint_service(name)


def _peers_evidence(membership: Membership) -> Iterator[Evidence]:
    """Who may reach what listens on controllers and nodes."""
    groups: dict[int, ResolvedResource] = {}
    for resource, path in (
        *((cluster, ("Networking", "SecurityGroupIds")) for cluster in membership.clusters),
        *(
            (template, path)
            for node_group in membership.groups
            if (template := launch_template(node_group)) is not None
            for path in group_lists(template)
        ),
    ):
        for each in resource.each(*cast("Path", path)):
            group = resource.follow(each)
            if group is not None and group.type == SECURITY_GROUP:
                groups[id(group)] = group
    for group in groups.values():
        for opened in open_ports(group):
            if opened.source not in _EVERYONE or opened.ports is UNKNOWN:
                continue
            first, last = opened.ports
            names = [name for port, name in SERVICES.items() if first <= port <= last]
            if names:
                yield Evidence(
                    facts=rules.PeersFacts(
                        argument="source", service=names[0], sources=(opened.source,)
                    ),
                    resource=opened.location.resource,
                    locations={"source": opened.location},
                )


def zone(subnet: ResolvedResource) -> str | Unknown:
    """The Availability Zone of a subnet, by its name or by its number in the Region."""
    value = subnet.get("AvailabilityZone")
    if isinstance(value, str):
        return value
    return zone_number(value)
