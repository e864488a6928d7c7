"""Rules for interface endpoints, and for nodes that reach AWS through nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator


# The children of the construct that are no endpoints of services.
_NO_SERVICES: Final = frozenset({"resource", "security.group"})


@facts_record
class EndpointFacts:
    """What interface endpoints are asked for."""

    services: tuple[str | Unknown, ...]
    """Services that are asked for by name."""
    zones: tuple[str | Unknown, ...]
    """The zone of each subnet."""
    leads_nowhere: bool | Unknown = False
    """Whether nodes have no other way to AWS."""
    made: tuple[str | Unknown, ...] = ()
    """All services that endpoints are made for."""


@error("PCS421", EndpointFacts)
def endpoints_have_one_subnet_in_each_zone(facts: EndpointFacts) -> Iterator[Violation]:
    """An interface endpoint is in one subnet or more, no two of them in the same zone.

    From other zones it is reached as well.

    Source: `SubnetIds` of `AWS::EC2::VPCEndpoint`; Access an AWS service using an interface VPC
    endpoint in the AWS PrivateLink Guide.
    """
    if not facts.zones:
        yield Violation(
            "subnets",
            "names no subnet",
            "leave subnets out to use the cluster's",
            template_fix="name one for each zone",
        )
    known = [zone for zone in facts.zones if zone is not UNKNOWN]
    for zone in sorted({zone for zone in known if known.count(zone) > 1}):
        yield Violation(
            "subnets",
            f"has {known.count(zone)} in {zone}",
            "name one for each zone",
        )


@error("PCS427", EndpointFacts)
def services_are_called_as_in_endpoints(facts: EndpointFacts) -> Iterator[Violation]:
    """A service is named by what follows the Region in the name of its endpoint.

    The one of `com.amazonaws.eu-north-1.ecr.api` is `ecr.api`. Two that differ in dots and hyphens
    alone are one that is misspelled.

    Source: AWS services that integrate with AWS PrivateLink.
    """
    for service in facts.services:
        if service is UNKNOWN:
            continue
        if service.startswith(("com.", "cn.", "aws.")) or not re.fullmatch(
            r"[a-z0-9]+([.-][a-z0-9]+)*", service
        ):
            yield Violation(
                "services",
                f"{service!r} is not what a service is called there",
                "write a name such as 'logs' or 'ecr.api'",
            )
    spelled = {service.replace("-", ".") for service in facts.services if service is not UNKNOWN}
    for words in sorted(spelled):
        both = {s for s in facts.made if s is not UNKNOWN and s.replace("-", ".") == words}
        if len(both) > 1 or words in _NO_SERVICES:
            yield Violation(
                "services",
                f"{' and '.join(map(repr, sorted(both)))} cannot be made"
                if words in _NO_SERVICES
                else f"{' and '.join(map(repr, sorted(both)))} are the same words",
                "write each service as its endpoint is called",
            )


@advice("PCS425", EndpointFacts)
def endpoint_answers_for_the_name_that_nodes_call(facts: EndpointFacts) -> Iterator[Violation]:
    """The private DNS names of the endpoint for AWS PCS include the one that the agent calls.

    The agent on a node calls the dual-stack name, `pcs.REGION.api.aws`. The guide promises private
    DNS for `pcs.REGION.amazonaws.com`. Whether the endpoint answers for both is not documented; the
    command in the message tells it for a Region.

    Source: Access AWS PCS using an interface endpoint; Network requirements of nodes.
    """
    if facts.leads_nowhere is True:
        yield Violation(
            "cluster",
            "nodes call pcs.REGION.api.aws, and whether the endpoint has that name is not "
            "documented",
            "look at PrivateDnsNames in: aws ec2 describe-vpc-endpoint-services --service-names "
            "com.amazonaws.REGION.pcs",
        )


@facts_record
class EndpointPolicyFacts:
    """What endpoints are for, and what they have policies for."""

    services: tuple[str | Unknown, ...]
    policies: tuple[str | Unknown, ...] = ()


@error("PCS432", EndpointPolicyFacts)
def policies_are_for_endpoints_that_are_made(facts: EndpointPolicyFacts) -> Iterator[Violation]:
    """A policy for a service goes to an endpoint for this service that is made with it.

    A policy for another service would be dropped, and what it should keep out would get through.

    Source: Control access to VPC endpoints using endpoint policies, in the AWS PrivateLink Guide.
    """
    named = [service for service in facts.services if service is not UNKNOWN]
    if len(named) < len(facts.services):
        return
    for service in facts.policies:
        if service is not UNKNOWN and service not in named:
            yield Violation(
                "policy",
                f"has a document for {service!r}, and endpoints are made for {', '.join(named)}",
                f"leave it out, or ask for the endpoint by services=[{service!r}]",
            )


@facts_record
class EndpointOrderFacts:
    """What endpoints and the stack of their cluster wait for."""

    refer: bool = False
    """Whether the endpoints refer to what is made in the stack of the cluster."""
    together: bool = True
    """Whether they are deployed with that stack."""
    inside: bool = True
    """Whether they are in that stack, or in one nested in it."""
    before: bool = False
    """Whether that stack refers to theirs."""
    named: tuple[str, ...] = ()
    """The node groups that wait for the endpoints and are named by a policy of theirs."""


@error("PCS431", EndpointOrderFacts)
def endpoints_do_not_wait_for_who_waits_for_them(facts: EndpointOrderFacts) -> Iterator[Violation]:
    """Endpoints are where they can be made before the node groups that wait for them.

    They refer to the security groups of the cluster, and their policy perhaps to the cluster. So
    they are in the stack of the cluster, in one nested in it, or in one that is deployed after it;
    not in a nested stack beside it, in the stack around it, or in the stack of the VPC. No policy
    of theirs names a node group, which is made after them.

    Source: `DependsOn` of CloudFormation, "Circular dependencies".
    """
    fix = "write cluster.add_endpoints('Endpoints'), which is in the stack of the cluster"
    if facts.refer and facts.together and not facts.inside:
        yield Violation(
            "cluster",
            "is in a nested stack whose node groups wait for the endpoints, and these refer to it",
            fix,
        )
    if facts.refer and facts.before and not facts.together:
        yield Violation(
            "cluster", "is in a stack that is deployed after that of the endpoints", fix
        )
    for name in facts.named:
        yield Violation(
            "policy",
            f"names {name}, which waits for the endpoints",
            "name the cluster, and its node groups by '*'",
        )


@facts_record
class EndpointNamesFacts:
    """Interface endpoints with private DNS beside others of the same VPC."""

    services: tuple[str, ...]
    others: frozenset[str] | Unknown
    """What others in the app are for."""


@error("PCS426", EndpointNamesFacts)
def services_have_one_endpoint_with_private_dns(facts: EndpointNamesFacts) -> Iterator[Violation]:
    """A VPC has one interface endpoint with private DNS for a service.

    All clusters of the VPC share it: let the nodes of the others in.

    Source: Access an AWS service using an interface VPC endpoint in the AWS PrivateLink Guide.
    """
    both = [] if facts.others is UNKNOWN else [s for s in facts.services if s in facts.others]
    if both:
        yield Violation(
            "services",
            f"the VPC has another endpoint with private DNS for {', '.join(both)}",
            "use one for all: endpoints.connections.allow_default_port_from(cluster), with what "
            "else it needs in services",
            template_fix="use one endpoint for all clusters of the VPC, and let the nodes of each "
            "in",
        )


@facts_record
class WayOutFacts:
    """How the nodes of a node group reach AWS."""

    name: str
    leads_nowhere: bool | Unknown
    """Whether a subnet of theirs has no route out of the VPC."""
    services: frozenset[str]
    """What they call, as far as their role tells."""
    endpoints: frozenset[str] | Unknown
    """The endpoints in their VPC."""
    unnamed: frozenset[str] = frozenset()
    """Prefixes of actions that they may do, of services whose endpoints are not known."""
    derived: bool = False
    """Whether endpoints were made for what their cluster needs."""
    urls: tuple[str, ...] = ()
    """What they download from the internet."""


@error("PCS422", WayOutFacts)
def isolated_nodes_reach_pcs(facts: WayOutFacts) -> Iterator[Violation]:
    """Nodes in a subnet without a way out have an endpoint for AWS PCS, with private DNS.

    A node that cannot register is given up. Seen where subnets and VPC are made in the same app: no
    route leads out of the subnet, and the app has no such endpoint for the VPC.

    Source: AWS PCS VPC and subnet requirements, "Subnet requirements for nodes".
    """
    if (
        facts.leads_nowhere is True
        and facts.endpoints is not UNKNOWN
        and "pcs" not in facts.endpoints
    ):
        yield Violation(
            "subnets",
            f"{facts.name} is in subnets without a way out, and the VPC has no endpoint for pcs "
            "with private DNS",
            "write cluster.add_endpoints('Endpoints') after the node groups",
        )


@advice("PCS423", WayOutFacts)
def isolated_nodes_reach_what_they_call(facts: WayOutFacts) -> Iterator[Violation]:
    """Nodes without another way out have an endpoint for each service that they may call.

    What they may call is read from their role, which is as much as a template shows. A node group
    that was added after `add_endpoints` may call more than was known then. Amazon S3 and DynamoDB
    have gateway endpoints, which are the VPC's.

    Source: AWS PCS VPC and subnet requirements, "VPC endpoints are needed for all the AWS services
    that the nodes contact".
    """
    if facts.endpoints is UNKNOWN or not (
        facts.leads_nowhere is True or (facts.leads_nowhere is UNKNOWN and facts.derived)
    ):
        return
    missing = sorted(facts.services - facts.endpoints - {"pcs"})
    if missing:
        named = ", ".join(repr(service) for service in missing)
        yield Violation(
            "services",
            f"{facts.name} may call {', '.join(missing)} without an endpoint",
            f"call add_endpoints after the node groups and grants, or with services=[{named}]; "
            "for s3 and dynamodb add a gateway endpoint to the VPC",
        )


@advice("PCS433", WayOutFacts)
def isolated_nodes_call_services_with_known_endpoints(facts: WayOutFacts) -> Iterator[Violation]:
    """Nodes without another way out call services of which it is known what their endpoints are.

    The name of an endpoint does not follow from the prefix of the actions: those of `kinesis` go to
    `kinesis-streams`. The library knows the services that nodes often call, and makes no endpoint
    for others. An endpoint whose name begins like the actions is taken for the one that is needed.

    Source: AWS services that integrate with AWS PrivateLink; Actions, resources, and condition keys
    for AWS services.
    """
    if facts.endpoints is UNKNOWN or not (
        facts.leads_nowhere is True or (facts.leads_nowhere is UNKNOWN and facts.derived)
    ):
        return
    there = tuple(facts.endpoints)
    missing = [p for p in sorted(facts.unnamed) if not any(e.startswith(p) for e in there)]
    if missing:
        yield Violation(
            "services",
            f"{facts.name} may call {', '.join(missing)}, and which endpoints these have is not "
            "known here",
            "look them up in 'AWS services that integrate with AWS PrivateLink', and write such as "
            "services=['kinesis-streams']",
        )


@advice("PCS424", WayOutFacts)
def isolated_nodes_download_nothing_from_the_internet(facts: WayOutFacts) -> Iterator[Violation]:
    """Nodes in a subnet without a way out get their lifecycle scripts from S3, not from URLs.

    A script that cannot be downloaded ends the node, unless `on_error` says otherwise. What other
    software a node needs is to be in its image.

    Source: Configure node lifecycle actions in AWS PCS, "Script storage locations".
    """
    if facts.leads_nowhere is True:
        for url in facts.urls:
            yield Violation(
                "lifecycle_actions",
                f"{facts.name} cannot reach {url}",
                "use LifecycleScript.from_asset or from_bucket",
            )
