"""Interface endpoints: how nodes reach AWS where nothing leads to the internet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_construct, as_security_group
from pcs_constructs.constructs._cdk.once import port_range, subnet_id
from pcs_constructs.constructs._cdk.order import deployed_together, is_inside, refers_to, wait_for
from pcs_constructs.constructs._cdk.problems import advise, at_synth, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.traffic import allow, new_security_group
from pcs_constructs.constructs._cdk.tree import (
    add_member,
    all_constructs,
    is_made,
    members_of,
    members_of_all,
)
from pcs_constructs.constructs.network.subnets import (
    assigns_public_addresses,
    has_other_ways,
    is_public,
    leads_nowhere,
    same_vpc,
    subnet_facts,
    zone_of,
)
from pcs_constructs.constructs.nodes.instance_profile import NodeInstanceProfile
from pcs_constructs.constructs.nodes.node_group import ComputeNodeGroup
from pcs_constructs.constructs.nodes.permissions import permissions_of, role_of
from pcs_constructs.model.annotations import judge_fields
from pcs_constructs.model.errors import UNKNOWN, Problem, Unknown
from pcs_constructs.model.ports import HTTPS
from pcs_constructs.model.services import (
    GATEWAYS,
    SESSION_MANAGER,
    called,
    endpoint_service,
    unnamed,
)
from pcs_constructs.templates.values import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.constructs.interfaces import ICluster
    from pcs_constructs.model.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPolicy:
    """What the interface endpoints of a cluster let through. Build it with a factory.

    Source: Control access to VPC endpoints using endpoint policies, in the AWS PrivateLink Guide.
    """

    documents: Mapping[str, iam.PolicyDocument] = field(
        default_factory=dict[str, "iam.PolicyDocument"]
    )
    """By service, such as `pcs` or `ecr.api`."""

    others: iam.PolicyDocument | None = None
    """For all other services; `None` lets everything through."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def for_cluster(
        cls, cluster: ICluster, *, documents: Mapping[str, iam.PolicyDocument] | None = None
    ) -> Self:
        """Nodes register with this cluster and no other; all other calls are by this account.

        So `aws pcs` does not work through the endpoint, not even on login nodes, and neither do
        credentials of another account that somebody brought along.

        Args:
            cluster: The cluster.
            documents: Policies of your own, by service. By default none.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.
        """
        given = Arguments(EndpointPolicy.for_cluster, locals())
        own = given.mapping("documents", documents)
        given.refuse("EndpointPolicy.for_cluster")
        arn = (
            f"arn:{cdk.Aws.PARTITION}:pcs:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:"
            f"cluster/{cluster.cluster_id}"
        )
        register = _allow("pcs:RegisterComputeNodeGroupInstance", arn, f"{arn}/*")
        return cls(documents={"pcs": register, **own}, others=_allow("*", "*"))

    @classmethod
    def of(cls, documents: Mapping[str, iam.PolicyDocument]) -> Self:
        """Policies of your own, by service; everything goes through the other endpoints.

        Args:
            documents: The policies, such as `{"logs": iam.PolicyDocument(...)}`. Services without
                an endpoint are refused when endpoints are made.

        Raises:
            PcsValidationError: when an argument is not what it takes; every problem at once.
        """
        given = Arguments(EndpointPolicy.of, locals())
        own = {} if given.problems else given.mapping("documents", documents)
        given.refuse("EndpointPolicy.of")
        return cls(documents=own)


def _allow(action: str, *resources: str) -> iam.PolicyDocument:
    return iam.PolicyDocument.from_json(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": action,
                    "Resource": list(resources),
                    "Condition": {"StringEquals": {"aws:PrincipalAccount": cdk.Aws.ACCOUNT_ID}},
                }
            ],
        }
    )


class ClusterEndpointsOptions(TypedDict, total=False):
    """The arguments of `ClusterEndpoints` that `Cluster.add_endpoints` forwards."""

    subnets: Sequence[ec2.ISubnet] | None
    services: Sequence[str]
    policy: EndpointPolicy | None


@jsii.implements(ec2.IConnectable)
class ClusterEndpoints(Construct):
    """The interface endpoints through which the nodes of a cluster reach AWS.

    One for AWS PCS, and one for each service that the roles of the node groups let them call when
    this is made, as far as the library knows what the endpoint is called (PCS433): so make it
    after the node groups and what is granted to them. Without node groups
    yet, it is AWS PCS and Session Manager. What comes later and is not covered is advice at
    synthesis (PCS423). Mounting calls no service; S3 and DynamoDB have gateway endpoints, which
    belong to the VPC.

    Resources:
        An interface endpoint for each service, with private DNS, and a security group. Node groups
        that are deployed with them, or after them, wait for them.

    Security:
        Port 443 of the endpoints is open to the nodes of the cluster. As the names of the services
        then lead to the endpoints in all of the VPC, others who call them need
        `endpoints.connections.allow_default_port_from(...)`. The policy lets everything through,
        unless `policy` narrows it.

    Args:
        cluster: The cluster, owned or imported.
        subnets: Where the endpoints are, at most one subnet in a zone; each costs by the hour. By
            default the cluster's own. From other zones they are reached too.
        services: Further services, by what follows the Region in the name of their endpoint, such
            as `["sts", "ecr.api"]`. By default none.
        policy: What they let through, such as `EndpointPolicy.for_cluster(cluster)`. By default
            everything.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once. What
            only the finished app shows fails `app.synth()`.

    Source: Access AWS PCS using an interface endpoint (AWS PrivateLink).
    """

    security_group: Final[ec2.SecurityGroup]
    """The security group of the endpoints."""

    endpoints: Final[Mapping[str, ec2.CfnVPCEndpoint]]
    """The endpoints by their services, such as `pcs`."""

    subnets: Final[tuple[ec2.ISubnet, ...]]
    """Where they are."""

    cluster: Final[ICluster]
    """The cluster that they are for."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ICluster,
        subnets: Sequence[ec2.ISubnet] | None = None,
        services: Sequence[str] = (),
        policy: EndpointPolicy | None = None,
    ) -> None:
        given = Arguments(ClusterEndpoints.__init__, locals())
        chosen = None if subnets is None else given.items("subnets", subnets)
        asked = given.items("services", services)
        refuse(scope, id, given.problems)
        places = (cluster.subnet,) if chosen is None else chosen
        constructs = all_constructs(scope)
        groups = members_of(cluster, ComputeNodeGroup)
        made_for = sorted({"pcs", *_called_by(groups, constructs), *asked})
        facts = (
            rules.EndpointPolicyFacts(
                services=tuple(map(known, made_for)),
                policies=tuple(map(known, policy.documents)) if policy else (),
            ),
            rules.EndpointFacts(
                services=tuple(map(known, asked)),
                made=tuple(map(known, made_for)),
                zones=tuple(zone_of(place) for place in places),
                leads_nowhere=leads_nowhere(cluster.subnet, cluster.vpc, constructs),
            ),
            _order(scope, cluster, policy),
            rules.IdentifierFacts(subnet_ids=tuple(known(subnet_id(place)) for place in places)),
            *(
                subnet_facts("subnets", place, cluster.vpc)
                for place in places
                if chosen is not None
            ),
        )
        refuse(scope, id, rules.errors_in(*facts))

        super().__init__(scope, id)
        advise(self, rules.advice_on(*facts))
        add_member(cluster, self)
        self.cluster = cluster
        self.subnets = places
        self._policy = policy
        self.security_group = new_security_group(
            self,
            "SecurityGroup",
            cluster.vpc,
            "Interface endpoints of an AWS PCS cluster",
            all_outbound=False,
        )
        own = as_security_group(self.security_group)
        for clients in dict.fromkeys(
            (cluster.compute_security_group, cluster.login_security_group)
        ):
            allow(
                clients,
                own,
                port_range("tcp", HTTPS, HTTPS),
                back=False,
                scope=self,
                description="Nodes to AWS services",
            )
        self.endpoints = {
            service: ec2.CfnVPCEndpoint(
                self,
                "Resource" if service == "pcs" else _construct_id(service),
                service_name=f"com.amazonaws.{cdk.Aws.REGION}.{service}",
                vpc_endpoint_type="Interface",
                vpc_id=cluster.vpc.vpc_id,
                subnet_ids=[subnet_id(place) for place in places],
                security_group_ids=[own.security_group_id],
                private_dns_enabled=True,
                # Its private DNS needs no gateway endpoint then, which others are free to have.
                dns_options=ec2.CfnVPCEndpoint.DnsOptionsSpecificationProperty(
                    private_dns_only_for_inbound_resolver_endpoint="AllResolvers"
                )
                if service in GATEWAYS
                else None,
                policy_document=_document(policy, service),
            )
            for service in made_for
        }
        at_synth(self, self._problems_at_synth)

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the endpoints, at port 443."""
        return ec2.Connections(
            security_groups=[as_security_group(self.security_group)],
            default_port=ec2.Port.tcp(HTTPS),
        )

    def _problems_at_synth(self) -> Sequence[Problem]:
        constructs = all_constructs(self)
        inside = self.node.find_all()
        waited_for = [
            c for c in inside if isinstance(c, (ec2.CfnVPCEndpoint, ec2.CfnSecurityGroupIngress))
        ]
        # Only now are all node groups there. A node that cannot register yet is given up.
        groups = members_of(self.cluster, ComputeNodeGroup)
        for group in groups:
            wait_for(group, waited_for)
        documents = _documents(self._policy)
        order = rules.EndpointOrderFacts(
            named=tuple(
                group.name
                for group in groups
                if documents and deployed_together(group, self) and refers_to(documents, group)
            )
        )
        before = constructs[: constructs.index(self)]
        facts = rules.EndpointNamesFacts(
            services=tuple(self.endpoints),
            others=endpoint_services(before, self.cluster.vpc, gateways=False),
        )
        return rules.errors_in(facts, order)


def _order(
    scope: Construct, cluster: ICluster, policy: EndpointPolicy | None
) -> rules.EndpointOrderFacts:
    """What waits for what, of endpoints in this scope and the stack of their cluster."""
    place = as_construct(cluster)
    if is_inside(scope, place):
        return rules.EndpointOrderFacts()
    together = deployed_together(scope, place)
    is_there = is_inside if together else deployed_together
    groups = (cluster.compute_security_group, cluster.login_security_group)
    return rules.EndpointOrderFacts(
        refer=any(is_made(group) and is_there(group, place) for group in groups)
        or refers_to(_documents(policy), place),
        together=together,
        inside=False,
        before=is_made(cluster.vpc) and deployed_together(cluster.vpc, scope),
    )


def _construct_id(service: str) -> str:
    return "".join(word.capitalize() for word in service.replace("-", ".").split("."))


def _document(policy: EndpointPolicy | None, service: str) -> iam.PolicyDocument | None:
    return policy.documents.get(service, policy.others) if policy else None


def _documents(policy: EndpointPolicy | None) -> list[iam.PolicyDocument]:
    documents = [*policy.documents.values(), policy.others] if policy else []
    return [document for document in documents if document is not None]


def _called_by(groups: Sequence[ComputeNodeGroup], constructs: Sequence[object]) -> Iterator[str]:
    """What is called by the nodes that are there, but by none yet by those that are likely."""
    if not groups:
        yield from SESSION_MANAGER
    for group in groups:
        yield from calls_of(group, constructs) - GATEWAYS


def calls_of(group: ComputeNodeGroup, constructs: Sequence[object]) -> frozenset[str]:
    """The services that the nodes of a group call, as far as their role tells."""
    return called(*_permissions_of(group, constructs)) | {"pcs"}


def _permissions_of(
    group: ComputeNodeGroup, constructs: Sequence[object]
) -> tuple[Sequence[str], Sequence[str]]:
    profile = group.instance_profile
    role = profile.role if isinstance(profile, NodeInstanceProfile) else role_of(profile)
    return ((), ()) if role is None else permissions_of(role, constructs)


def ways_out(
    cluster: ICluster, groups: Sequence[ComputeNodeGroup], constructs: Sequence[object]
) -> Iterator[rules.WayOutFacts]:
    """How the nodes of a cluster reach AWS, where there may be no other way than endpoints."""
    derived = bool(members_of(cluster, ClusterEndpoints))
    for group in groups:
        nowhere = [leads_nowhere(place, cluster.vpc, constructs) for place in group.subnets]
        # One such subnet is enough for nodes that are given up.
        enclosed = True if True in nowhere else UNKNOWN if UNKNOWN in nowhere else False
        if enclosed is True or (enclosed is UNKNOWN and derived):
            actions, managed = _permissions_of(group, constructs)
            calls = called(actions, managed) | {"pcs"}
            yield rules.WayOutFacts(
                name=group.name,
                leads_nowhere=enclosed,
                # Whether a VPC that is not made here has gateway endpoints is not known.
                services=calls if enclosed is True else calls - GATEWAYS,
                unnamed=unnamed(actions),
                endpoints=endpoint_services(constructs, cluster.vpc),
                derived=derived,
                urls=tuple(
                    location
                    for action in group.lifecycle_actions
                    if (location := action.script.location or "").startswith("https://")
                ),
            )


def public_subnets(
    cluster: ICluster, groups: Sequence[ComputeNodeGroup], constructs: Sequence[object]
) -> Iterator[rules.PublicSubnetFacts]:
    """The public subnets of node groups in which nodes get no public address."""
    places = {subnet_id(place): place for group in groups for place in group.subnets}
    for place in places.values():
        if is_public(place, cluster.vpc) is True and assigns_public_addresses(place) is False:
            yield rules.PublicSubnetFacts(
                name=place.node.path,
                public=True,
                assigns_public_addresses=False,
                other_ways=has_other_ways(place, constructs),
                endpoints=endpoint_services(constructs, cluster.vpc),
            )


def addresses(cluster: ICluster, constructs: Sequence[object]) -> dict[str, int]:
    """How many addresses endpoints, and the file systems that the cluster mounts, take at least."""
    taken: dict[str, int] = {}
    places = [
        (place, len(each.endpoints))
        for each in members_of_all(ClusterEndpoints)
        # Those of other clusters may have been taken out of the tree again.
        if each.cluster is cluster or each in constructs
        for place in each.subnets
    ]
    for storage in cluster.mounts.values():
        share = storage.file_share
        servers = [share.servers_in] if share.servers_in else list(share.mount_targets_in or ())
        places += [(place, 1) for place in servers]
    for place, count in places:
        key = subnet_id(place)
        taken[key] = taken.get(key, 0) + count
    return taken


def endpoint_services(
    constructs: Sequence[object], vpc: ec2.IVpc, *, gateways: bool = True
) -> frozenset[str] | Unknown:
    """The services that have endpoints in a VPC, interface endpoints with private DNS only."""
    services: set[str] = set()
    for endpoint in constructs:
        if not isinstance(endpoint, ec2.CfnVPCEndpoint):
            continue
        if same_vpc(endpoint.vpc_id, vpc.vpc_id) is False:
            continue
        gateway = endpoint.vpc_endpoint_type in {None, "Gateway"}
        if not (gateways if gateway else endpoint.private_dns_enabled):
            continue
        name: Any = cdk.Stack.of(endpoint).resolve(endpoint.service_name)
        service = endpoint_service(sketch(name, "region"))
        if service is None:
            return UNKNOWN
        services.add(service)
    return frozenset(services)
