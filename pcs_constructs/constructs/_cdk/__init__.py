"""The seam: the only module that knows jsii's quirks. Tokens, casts, synth-time checks, advice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary, WeakSet

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct, IValidation, Node

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Problem, Unknown
from pcs_constructs.model.services import endpoint_service
from pcs_constructs.model.slurm import CATALOG_DATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pcs_constructs.analysis.reach.findings import Finding
    from pcs_constructs.constructs.file_share import FileShare
    from pcs_constructs.constructs.interfaces import INodeInstanceProfile

T = TypeVar("T")
SOURCE: Final = "pcs-constructs"

# How the CDK writes tokens into text, lists and numbers. Recognising them here costs nothing;
# asking the CDK would cost a round trip to Node.js for each argument.
_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")
_LARGEST_TOKEN_NUMBER: Final = -1e288

MOUNT_TARGETS_BY_SUBNET: Final = "@aws-cdk/aws-efs:mountTargetOrderInsensitiveLogicalId"

# A reference to the newest version of an SSM parameter.
_DYNAMIC_REFERENCE: Final = re.compile(r"\{\{resolve:ssm:[^:}]+\}\}")


def is_token(value: object) -> bool:
    """Whether the value is a token or holds one."""
    if isinstance(value, str):
        return _TOKEN.search(value) is not None
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return value < _LARGEST_TOKEN_NUMBER
    if isinstance(value, (cdk.Size, cdk.Duration)):
        return value.is_unresolved()
    if isinstance(value, Mapping):
        return any(is_token(k) or is_token(v) for k, v in cast("Mapping[Any, Any]", value).items())
    if isinstance(value, Sequence):
        return any(is_token(v) for v in cast("Sequence[Any]", value))
    return bool(cdk.Token.is_unresolved(value))


def known(value: T) -> T | Unknown:
    """The value, or UNKNOWN when it holds a token."""
    return UNKNOWN if is_token(value) else value


def known_all(values: Sequence[T]) -> tuple[T, ...] | Unknown:
    """The values, or UNKNOWN when any of them holds a token."""
    return UNKNOWN if is_token(values) else tuple(values)


def known_number(value: float | None) -> int | Unknown | None:
    """The number as a whole one, or UNKNOWN when it is a token; jsii's numbers may be floats."""
    if value is None:
        return None
    return UNKNOWN if is_token(value) else int(value)


@lru_cache(maxsize=256)
def known_bytes(text: str) -> int:
    """The UTF-8 size of the text without its tokens: the final text cannot be much smaller."""
    return len(_TOKEN.sub("", text).encode())


def known_items(values: Mapping[str, str]) -> dict[str, str]:
    """The items of a mapping that hold no token."""
    return {key: value for key, value in values.items() if not is_token((key, value))}


def _path_of(scope: Construct, id: str) -> str:
    """The path of a construct that is about to be attached."""
    return f"{path(scope)}/{id}".removeprefix("/")


def refuse(scope: Construct, id: str, problems: Iterable[Problem]) -> None:
    """Raise every problem of a construct that is about to be attached, if there is one."""
    found = tuple(problems)
    if found:
        raise PcsValidationError(_path_of(scope, id), found)


def advise(scope: Construct, problems: Iterable[Problem]) -> None:
    """Warn; users silence one with ``cdk.Validations.of(scope).acknowledge(...)``."""
    found = tuple(problems)
    if found:
        validations = cdk.Validations.of(scope)
        for problem in found:
            validations.add_warning(f"{SOURCE}:{problem.code}", str(problem))


@jsii.implements(IValidation)
class _Check:
    def __init__(self, check: Callable[[], Sequence[Problem]]) -> None:
        self._check = check

    def validate(self) -> list[str]:
        return [str(problem) for problem in self._check()]


def at_synth(scope: Construct, check: Callable[[], Sequence[Problem]]) -> None:
    """Run ``check`` once the whole tree exists; its problems fail ``app.synth()``."""
    node(scope).add_validation(cast("IValidation", _Check(check)))


@jsii.implements(cdk.IPolicyValidationPlugin)
class _TemplateCheck:
    def __init__(self, check: Callable[[Sequence[str]], Sequence[Finding]]) -> None:
        self._check = check

    @property
    def name(self) -> str:
        return SOURCE

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        found = self._check(context.template_paths)
        return cdk.PolicyValidationPluginReport(
            success=not found,
            violations=[
                cdk.PolicyViolation(
                    rule_name=problem.code,
                    description=problem.message,
                    fix=problem.fix,
                    severity="error",
                    violating_resources=[
                        cdk.PolicyViolatingResource(
                            resource_logical_id=logical_id,
                            template_path=path,
                            locations=[],
                        )
                    ],
                )
                for problem, path, logical_id in found
            ],
        )


_CHECKED_STAGES: Final[WeakSet[cdk.Stage]] = WeakSet()


def check_templates(scope: Construct, check: Callable[[Sequence[str]], Sequence[Finding]]) -> None:
    """Run `check` on the templates of a stage once they are written; what it finds fails synthesis.

    To be called at synthesis. Unlike other checks this one is a plugin of the CDK: nothing else
    sees templates.
    """
    stage = cdk.Stage.of(scope)
    if stage is not None and stage not in _CHECKED_STAGES:
        _CHECKED_STAGES.add(stage)
        cdk.Validations.of(stage).add_plugins(
            cast("cdk.IPolicyValidationPlugin", _TemplateCheck(check))
        )


def tree(scope: Construct) -> Sequence[object]:
    """Every construct of the app."""
    return _root_node(scope).find_all()


@lru_cache(maxsize=256)
def node(scope: IConstruct) -> Node:
    """The node of a construct, read once."""
    return scope.node


@lru_cache(maxsize=64)
def _root_node(scope: Construct) -> Node:
    return node(node(scope).root)


@lru_cache(maxsize=64)
def port(protocol: str, first: int, last: int) -> ec2.Port:
    """A range of TCP or UDP ports."""
    return (ec2.Port.tcp_range if protocol == "tcp" else ec2.Port.udp_range)(first, last)


def security_group(
    scope: Construct,
    id: str,
    vpc: ec2.IVpc,
    description: str,
    *,
    all_outbound: bool,
    all_ipv6_outbound: bool = False,
    only_answers: bool = False,
) -> ec2.SecurityGroup:
    """A security group in which no feature flag decides anything.

    One that does not reach everything reaches nothing but what is said, here or later, unless its
    members only answer, so that no rule is ever said.
    """
    group = ec2.SecurityGroup(
        scope,
        id,
        vpc=vpc,
        description=description,
        allow_all_outbound=all_outbound,
        allow_all_ipv6_outbound=all_ipv6_outbound,
        disable_inline_rules=False,
    )
    if not all_outbound and not only_answers:
        # In place of the CDK's rule to nowhere, which the CDK takes away with the next rule, even
        # with one beside the group. EC2's rule to everywhere surely goes for one in the group only.
        group.add_egress_rule(_nobody(), _nothing(), "Disallow all traffic")
    _ALLOWS_ALL_OUTBOUND[group] = all_outbound
    return group


@cache
def _nobody() -> ec2.IPeer:
    return ec2.Peer.ipv4("255.255.255.255/32")


@cache
def _nothing() -> ec2.Port:
    # Without a code, or the CDK takes it for its own.
    return ec2.Port.icmp_type(252)


# What was told or asked once need not be asked again.
_ALLOWS_ALL_OUTBOUND: Final[WeakKeyDictionary[object, bool]] = WeakKeyDictionary()


def _allows_all_outbound(group: ec2.ISecurityGroup) -> bool:
    if group not in _ALLOWS_ALL_OUTBOUND:
        _ALLOWS_ALL_OUTBOUND[group] = group.allow_all_outbound
    return _ALLOWS_ALL_OUTBOUND[group]


# The rules between groups that are known by their IDs alone, by stack: EC2 refuses one twice, and
# the CDK sees only that the same construct is used twice.
_OPENED: Final[WeakKeyDictionary[cdk.Stack, set[tuple[str, str, str]]]] = WeakKeyDictionary()


def _was_opened(clients: ec2.ISecurityGroup, servers: ec2.ISecurityGroup, ports: ec2.Port) -> bool:
    if isinstance(clients, ec2.SecurityGroup) or isinstance(servers, ec2.SecurityGroup):
        return False
    ids = (security_group_id(clients), security_group_id(servers))
    if is_token(ids):
        return False
    opened = _OPENED.setdefault(_stack(cast("Construct", clients)), set())
    key = (*ids, ports.to_string())
    if key in opened:
        return True
    opened.add(key)
    return False


def allow(
    clients: ec2.ISecurityGroup,
    servers: ec2.ISecurityGroup,
    ports: ec2.Port,
    *,
    back: bool,
    scope: Construct | None,
    description: str = "Nodes to file servers",
) -> None:
    """Let clients reach ports of servers, and with `back` servers the same ports of clients.

    Every rule lands in the clients' stack: the servers' must not depend on a stack that depends on
    it. Unless the clients' group is of neither that stack nor the one of who mounts, `scope`, but
    of one before both. Connections.allow_from and allow_to would choose otherwise, and warn.
    """
    if _was_opened(clients, servers, ports):
        return
    mine = scope is None or _stack(cast("Construct", clients)) is _stack(scope)
    servers.add_ingress_rule(clients, ports, description, mine)
    if not _allows_all_outbound(clients):
        clients.add_egress_rule(servers, ports, description, not mine)
    if back:
        clients.add_ingress_rule(servers, ports, "File servers to nodes", not mine)
        if not _allows_all_outbound(servers):
            servers.add_egress_rule(clients, ports, "File servers to nodes", mine)


def allow_efa(clients: ec2.ISecurityGroup, servers: ec2.ISecurityGroup) -> None:
    """Let two groups talk by EFA, by rules in the clients' stack.

    EFA heeds rules that name a security group only, and the CDK drops those for outbound traffic
    where all of it is allowed to addresses.
    """
    # Two mounts of one file system open it once.
    if node(clients).try_find_child(f"Efa{node(servers).addr}"):
        return
    scope = Construct(cast("Construct", clients), f"Efa{node(servers).addr}")
    for name, here, there in (("To", clients, servers), ("From", servers, clients)):
        ec2.CfnSecurityGroupEgress(
            scope,
            f"{name}Servers",
            group_id=here.security_group_id,
            destination_security_group_id=there.security_group_id,
            ip_protocol="-1",
            description="EFA between nodes and file servers",
        )
        ec2.CfnSecurityGroupIngress(
            scope,
            f"{name}ServersAllowed",
            group_id=there.security_group_id,
            source_security_group_id=here.security_group_id,
            ip_protocol="-1",
            description="EFA between nodes and file servers",
        )


def depend(
    resource: cdk.CfnResource,
    shares: Iterable[FileShare],
    subnets: Iterable[ec2.ISubnet] = (),
) -> None:
    """Make the resource wait for mount targets, and for the ways out of these subnets."""
    dependencies = [d for share in shares for d in share.dependencies]
    dependencies += [subnet.internet_connectivity_established for subnet in subnets]
    if dependencies:
        resource.node.add_dependency(*dependencies)


@lru_cache(maxsize=256)
def path(scope: Construct) -> str:
    """The path of a construct, read once: all node groups of a cluster have the same scope."""
    return node(scope).path


@lru_cache(maxsize=256)
def base64(text: str) -> str:
    """The text in base64, its tokens resolved first. Cached: node groups often share their text."""
    return cdk.Fn.base64(text)


@lru_cache(maxsize=1024)
def subnet_id(subnet: ec2.ISubnet) -> str:
    """The ID of the subnet, read once: every node group of a cluster asks for the same one."""
    return subnet.subnet_id


@lru_cache(maxsize=1024)
def security_group_id(group: ec2.ISecurityGroup) -> str:
    """The ID of the security group, read once."""
    return group.security_group_id


def volume_type(volume: ec2.EbsDeviceProps) -> str:
    """The type of a volume in EC2's words: gp3 unless it says another."""
    return volume.volume_type.name.lower() if volume.volume_type else "gp3"


def allow_pcs_to_use(key: kms.IKey) -> None:
    """Let AWS PCS launch instances whose volumes are encrypted with a key that is made here.

    The principal is said in a condition: key policies cannot name a role that is not there, and AWS
    PCS makes its service-linked role only with the first cluster of the account.
    """
    stack = cdk.Stack.of(key)
    role = f"arn:{stack.partition}:iam::{stack.account}:role/aws-service-role/" + (
        "pcs.amazonaws.com/AWSServiceRoleForPCS"
    )
    is_pcs = {
        "StringEquals": {"kms:CallerAccount": stack.account},
        "ArnEquals": {"aws:PrincipalArn": role},
    }
    for actions, conditions in (
        ("Decrypt DescribeKey Encrypt GenerateDataKey* ReEncrypt*", is_pcs),
        ("CreateGrant", {**is_pcs, "Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ):
        statement = iam.PolicyStatement(
            actions=[f"kms:{action}" for action in actions.split()],
            resources=["*"],
            principals=[cast("iam.IPrincipal", iam.AnyPrincipal())],
            conditions=conditions,
        )
        key.add_to_resource_policy(statement, True)


def as_construct(found: object) -> Construct:
    """One of our own interfaces as the construct that every implementation is."""
    return cast("Construct", found)


def as_role(role: iam.Role) -> iam.IRole:
    """The role as the interface that it implements (aws/jsii#4541)."""
    return cast("iam.IRole", role)


def service_principal(service: str) -> iam.IPrincipal:
    """The service as a principal (aws/aws-cdk#31454: parameter names differ in the interface)."""
    return cast("iam.IPrincipal", iam.ServicePrincipal(service))


def as_security_group(group: ec2.SecurityGroup) -> ec2.ISecurityGroup:
    """The group as the interface that it implements (aws/jsii#4541)."""
    return cast("ec2.ISecurityGroup", group)


def as_file_system(file_system: efs.FileSystem) -> efs.IFileSystem:
    """The file system as the interface that it implements (aws/jsii#4541)."""
    return cast("efs.IFileSystem", file_system)


def as_access_point(point: efs.AccessPoint) -> efs.IAccessPoint:
    """The access point as the interface that it implements (aws/jsii#4541)."""
    return cast("efs.IAccessPoint", point)


def default_child(construct: IConstruct, kind: type[T]) -> T:
    """The resource inside one of the CDK's own constructs."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} has no {kind.__name__} inside")
    return resource


def first_private_subnet(vpc: ec2.IVpc) -> ec2.ISubnet | None:
    """The first subnet with a way out, else the first isolated one, else the first there is."""
    return next(iter(private_subnets(vpc)), None)


def place(
    scope: Construct, id: str, subnet: ec2.ISubnet | None, problems: Iterable[Problem]
) -> ec2.ISubnet:
    """The subnet that was found for a construct, unless there is none or another problem."""
    if subnet is not None:
        refuse(scope, id, problems)
        return subnet
    nowhere = Problem(
        code="PCS414",
        argument="vpc",
        message="no subnet of this VPC is known",
        fix="pass subnet=, or name the subnets where the VPC is imported",
    )
    raise PcsValidationError(_path_of(scope, id), (*problems, nowhere))


@lru_cache(maxsize=64)
def private_subnets(vpc: ec2.IVpc) -> Sequence[ec2.ISubnet]:
    """The subnets with a way out, else the isolated ones, else all there are."""
    return vpc.private_subnets or vpc.isolated_subnets or vpc.public_subnets


def route_table_id(subnet: ec2.ISubnet) -> str | None:
    """The route table of a subnet; an imported one may have none to tell."""
    try:
        return subnet.route_table.route_table_id
    except RuntimeError:
        return None


def role_name(role: iam.IRole) -> str | Unknown:
    """The role's path and name as its ARN would show them, as far as synthesis can tell."""
    arn = known(role.role_arn)
    if arn is not UNKNOWN:
        return arn.partition(":role/")[2]
    resource = role.node.default_child
    if isinstance(resource, iam.CfnRole):
        stack = cdk.Stack.of(role)
        # The CDK shows a token even where nobody has given a name, and then CloudFormation makes
        # one that starts with the name of the stack.
        prefix = known(stack.stack_name)
        name = stack.resolve(resource.role_name) or (
            UNKNOWN if prefix is UNKNOWN else f"{prefix[:24]}-generated"
        )
        path = known(resource.path or "/")
        if isinstance(name, str) and path is not UNKNOWN:
            return f"{path}{name}".removeprefix("/")
    return UNKNOWN


def principal_of(profile: INodeInstanceProfile) -> iam.IPrincipal | None:
    """Whom permissions for nodes with this profile are granted to, if that is known."""
    if hasattr(type(profile), "grant_principal"):
        return cast("iam.IGrantable", profile).grant_principal
    role = role_of(profile)  # the CDK's own profiles are no grantables
    return role.grant_principal if role is not None else None


def has_principal(profile: INodeInstanceProfile) -> bool:
    """Whether permissions can be granted to nodes with this profile."""
    try:
        return principal_of(profile) is not None
    except PcsValidationError:  # imported without its role
        return False


def role_of(profile: INodeInstanceProfile) -> iam.IRole | None:
    """The role of one of the CDK's instance profiles, where it tells."""
    return profile.role if isinstance(profile, iam.InstanceProfile) else None


def without_tokens(values: Sequence[str]) -> tuple[str, ...]:
    """The values with a placeholder for each token: the numbering of tokens is not stable."""
    return tuple(_TOKEN.sub("?", value) for value in values)


def identity(resource: ec2.ISubnet | ec2.ISecurityGroup, resource_id: str) -> str:
    """A text that changes when another resource is meant: its ID if known, else its path."""
    return resource.node.path if is_token(resource_id) else resource_id


# The VPCs that `Network` made: asking each of them what it was told would be five round trips.
_FIT_VPCS: Final[WeakSet[ec2.IVpc]] = WeakSet()
_LEADS_NOWHERE: Final[WeakKeyDictionary[ec2.IVpc, bool | Unknown]] = WeakKeyDictionary()


def trust(vpc: ec2.Vpc, *, leads_nowhere: bool | Unknown) -> None:
    """Remember that this VPC was made with DNS names, default tenancy, and perhaps no way out."""
    _FIT_VPCS.add(vpc)
    _LEADS_NOWHERE[vpc] = leads_nowhere


def vpc_facts(vpc: ec2.IVpc) -> rules.VpcFacts:
    """What a VPC that is made in this app shows; nothing of an imported one."""
    if vpc in _FIT_VPCS:
        return rules.VpcFacts(dns_hostnames=True, dns_support=True, tenancy="default")
    if not isinstance(vpc, ec2.Vpc):
        return rules.VpcFacts(dns_hostnames=UNKNOWN, dns_support=UNKNOWN, tenancy=UNKNOWN)
    resource = cast("ec2.CfnVPC", vpc.node.default_child)
    return rules.VpcFacts(
        dns_hostnames=vpc.dns_hostnames_enabled,
        dns_support=vpc.dns_support_enabled,
        tenancy=known(resource.instance_tenancy or "default"),
    )


def is_public(subnet: ec2.ISubnet, vpc: ec2.IVpc | None = None) -> bool | Unknown:
    """Whether the subnet is public, where it is made in this app or the VPC names it."""
    if isinstance(subnet, ec2.Subnet):
        return isinstance(subnet, ec2.PublicSubnet)
    if vpc is not None and subnet_id(subnet) in map(subnet_id, vpc.public_subnets):
        return True
    return UNKNOWN


def subnet_facts(
    argument: str,
    subnet: ec2.ISubnet,
    vpc: ec2.IVpc,
    *,
    controller: bool = False,
    nodes: bool = False,
    needs_ipv6: bool = False,
) -> rules.NodeSubnetFacts:
    """What a subnet shows, as far as it and the VPC are made in this app."""
    in_vpc = assigns = ipv6 = UNKNOWN
    if isinstance(subnet, ec2.Subnet):
        resource = subnet.node.default_child
        if isinstance(resource, ec2.CfnSubnet):
            assigned = resource.map_public_ip_on_launch
            assigns = assigned if isinstance(assigned, bool) else UNKNOWN
            if needs_ipv6:
                assigned = resource.assign_ipv6_address_on_creation or False
                ipv6 = assigned if isinstance(assigned, bool) else UNKNOWN
        owner = subnet.node.scope
        if isinstance(owner, ec2.Vpc) and isinstance(vpc, ec2.Vpc):
            # Not by `is`: jsii makes a new proxy each time for what was made in JavaScript.
            in_vpc = node(owner).addr == node(vpc).addr
    return rules.NodeSubnetFacts(
        argument=argument,
        name=subnet.node.path,
        in_vpc=in_vpc,
        zone=known(zone_name(subnet) or "") or UNKNOWN if controller else UNKNOWN,
        public=is_public(subnet, vpc),
        assigns_public_addresses=assigns,
        ipv6=ipv6,
        controller=controller,
        nodes=nodes,
        needs_ipv6=needs_ipv6,
    )


def leads_nowhere(subnet: ec2.ISubnet, vpc: ec2.IVpc, found: Sequence[object]) -> bool | Unknown:
    """Whether no route leads out of the VPC, where VPC and subnet are made in this app."""
    if not isinstance(vpc, ec2.Vpc):
        return UNKNOWN
    told = _LEADS_NOWHERE.get(vpc, True)
    if told is not True:
        return told
    isolated, others = _subnet_ids(vpc)
    if subnet_id(subnet) not in isolated:
        return False if subnet_id(subnet) in others else UNKNOWN
    # The CDK calls it isolated, and somebody may have added a route, or have a gateway do so.
    table = route_table_id(subnet)
    for construct in found:
        if isinstance(construct, ec2.CfnVPNGatewayRoutePropagation) or (
            isinstance(construct, ec2.CfnRoute) and construct.route_table_id == table
        ):
            return UNKNOWN
    return True


@lru_cache(maxsize=64)
def _subnet_ids(vpc: ec2.Vpc) -> tuple[frozenset[str], frozenset[str]]:
    """The isolated subnets of a VPC, and those with a way out."""
    others = (*vpc.public_subnets, *vpc.private_subnets)
    return frozenset(map(subnet_id, vpc.isolated_subnets)), frozenset(map(subnet_id, others))


def endpoint_services(
    found: Sequence[object], vpc: ec2.IVpc, *, gateways: bool = True
) -> frozenset[str] | Unknown:
    """The services that have endpoints in a VPC, interface endpoints with private DNS only."""
    services: set[str] = set()
    for endpoint in found:
        if not isinstance(endpoint, ec2.CfnVPCEndpoint):
            continue
        if _same_vpc(endpoint.vpc_id, vpc.vpc_id) is False:
            continue
        gateway = endpoint.vpc_endpoint_type in {None, "Gateway"}
        if not (gateways if gateway else endpoint.private_dns_enabled):
            continue
        service = endpoint_service(cdk.Stack.of(endpoint).resolve(endpoint.service_name))
        if service is None:
            return UNKNOWN
        services.add(service)
    return frozenset(services)


def permissions_of(
    role: iam.IRole, found: Sequence[object]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The actions that a role may do and the names of its managed policies, as far as shows."""
    actions: list[str] = []
    managed: list[str] = []
    own = role.node.default_child
    own_path = own.node.path if own is not None else ""
    for construct in found:
        # Not by `is`: jsii makes a new proxy each time for what was made in JavaScript.
        if isinstance(construct, iam.CfnRole) and construct.node.path == own_path:
            resolve = cdk.Stack.of(construct).resolve
            for policy in resolve(construct.policies) or ():
                actions += _actions_in(policy["policyDocument"])
            for arn in resolve(construct.managed_policy_arns) or ():
                managed += re.findall(r"policy/(?:[\w-]+/)*([\w-]+)", json.dumps(arn))
        elif isinstance(construct, iam.CfnPolicy):
            resolve = cdk.Stack.of(construct).resolve
            if resolve(role.role_name) in (resolve(construct.roles) or ()):
                actions += _actions_in(resolve(construct.policy_document))
    return tuple(actions), tuple(managed)


def _actions_in(document: Mapping[str, Any]) -> list[str]:
    """The actions of a resolved policy document."""
    found: list[str] = []
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            actions = statement.get("Action", ())
            found += [actions] if isinstance(actions, str) else actions
    return found


def wait_for(construct: Construct, earlier: Sequence[cdk.CfnResource]) -> None:
    """Have a construct's resource created after others, unless these wait for its stack.

    To be called at synthesis: until then more may be added that has to wait.
    """
    resource = cast("cdk.CfnResource", node(construct).default_child)
    stack = _outermost(cdk.Stack.of(resource))
    for other in earlier:
        there = _outermost(cdk.Stack.of(other))
        if there is stack or stack not in _waits_for(there):
            resource.add_resource_dependency(other)


def refers_to(value: object, construct: Construct) -> bool:
    """Whether a value refers to the resource of a construct that is made in this app."""
    resource = node(construct).default_child
    if not isinstance(resource, cdk.CfnResource):
        return False
    resolve = cdk.Stack.of(construct).resolve
    logical_id = resolve(resource.logical_id)
    reference = rf'"Ref": "{logical_id}"|"Fn::GetAtt": \["{logical_id}"|\$\{{{logical_id}[.}}]'
    return re.search(reference, json.dumps(resolve(value))) is not None


def deployed_together(one: IConstruct, other: IConstruct) -> bool:
    """Whether CloudFormation deploys two constructs at once, be it in nested stacks."""
    return _outermost(cdk.Stack.of(one)) is _outermost(cdk.Stack.of(other))


def is_inside(inner: IConstruct, outer: IConstruct) -> bool:
    """Whether a construct is in the stack of another, or in one nested in it."""
    stack, there = cdk.Stack.of(inner), cdk.Stack.of(outer)
    while stack is not None and stack is not there:
        stack = stack.nested_stack_parent
    return stack is not None


def is_made(resource: ec2.IVpc | ec2.ISecurityGroup) -> bool:
    """Whether a VPC or a security group is made in this app."""
    return isinstance(resource, (ec2.Vpc, ec2.SecurityGroup))


def security_group_facts(
    argument: str, group: ec2.ISecurityGroup, vpc: ec2.IVpc
) -> rules.SecurityGroupFacts:
    """What a security group that was passed shows of the VPC it is in."""
    in_vpc = UNKNOWN
    if isinstance(group, ec2.SecurityGroup):
        resource = group.node.default_child
        if isinstance(resource, ec2.CfnSecurityGroup) and resource.vpc_id:
            in_vpc = _same_vpc(resource.vpc_id, vpc.vpc_id)
    return rules.SecurityGroupFacts(argument=argument, name=group.node.path, in_vpc=in_vpc)


def _same_vpc(one: str, other: str) -> bool | Unknown:
    if one == other:
        return True
    if not is_token(one) and not is_token(other):
        return False
    made = [_vpc_referred_to(vpc_id) for vpc_id in (one, other)]
    # Two VPCs that are made in this app are two; anything else may turn out to be the same.
    return UNKNOWN if None in made else made[0] == made[1]


def _vpc_referred_to(text: str) -> str | None:
    """The path of a VPC that is made in this app, of whose ID this is the token."""
    token = cdk.Tokenization.reverse_string(text).first_token
    vpc = token.target if isinstance(token, cdk.Reference) else None
    return vpc.node.path if isinstance(vpc, ec2.CfnVPC) else None


def placement_strategy(group: ec2.IPlacementGroup | None) -> str | Unknown | None:
    """The strategy of a placement group, where it is made in this app."""
    if group is None:
        return None
    strategy = group.strategy if isinstance(group, ec2.PlacementGroup) else None
    return UNKNOWN if strategy is None else strategy.name.lower()


@lru_cache(maxsize=1024)
def zone_name(subnet: ec2.ISubnet) -> str | None:
    """The zone of a subnet, if only as a token; one that is imported by its ID alone tells none."""
    try:
        return subnet.availability_zone
    except RuntimeError:
        return None


def zone(subnet: ec2.ISubnet) -> str | Unknown:
    """The zone of a subnet by its name, or by its number among those of the Region.

    The one cannot be compared with the other; see `zones_differ` of the rules.
    """
    name = zone_name(subnet)
    if name is None:
        return UNKNOWN
    return _zone_number(_stack(cast("Construct", subnet)), name) if is_token(name) else name


@lru_cache(maxsize=256)
def _zone_number(stack: cdk.Stack, name: str) -> str | Unknown:
    return rules.zone_number(stack.resolve(name))


def subnet_cidrs(subnets: Iterable[ec2.ISubnet]) -> dict[str, str | Unknown]:
    """The address range of each subnet by its ID, where it is made in this app."""
    by_id = {subnet_id(subnet): subnet for subnet in subnets}
    return {
        key: known(subnet.ipv4_cidr_block) if isinstance(subnet, ec2.Subnet) else UNKNOWN
        for key, subnet in by_id.items()
    }


def create_after(resource: cdk.CfnResource, earlier: Sequence[cdk.CfnResource]) -> None:
    """Create a resource after the last of others that CloudFormation deploys together with it.

    Not a resource of a nested stack after one of the stack around it, which may wait for the nested
    stack itself.
    """
    stack = cdk.Stack.of(resource)
    for other in reversed(earlier):
        there = cdk.Stack.of(other)
        if _outermost(there) is _outermost(stack):
            if there is stack or not path(stack).startswith(f"{path(there)}/"):
                resource.node.add_dependency(other)
            return


def deploy_after(scope: Construct, earlier: Sequence[Construct]) -> None:
    """Deploy the stack of a construct after the last of others in its account and Region.

    To be called at synthesis, when it is known which stack refers to which. Not across stages,
    which are deployed on their own, nor against an order that there is already.
    """
    if not earlier:
        return
    stack, stage = _outermost(cdk.Stack.of(scope)), cdk.Stage.of(scope)
    for other in reversed(earlier):
        there = _outermost(cdk.Stack.of(other))
        same = there.environment == stack.environment and cdk.Stage.of(other) is stage
        if same and there is not stack:
            if stack not in _waits_for(there) and there not in _waits_for(stack):
                stack.add_stack_dependency(there, "AWS PCS creates one cluster at a time")
            return


@lru_cache(maxsize=256)
def _stack(scope: Construct) -> cdk.Stack:
    return cdk.Stack.of(scope)


def _outermost(stack: cdk.Stack) -> cdk.Stack:
    """The stack that is deployed: the one around a nested stack."""
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack


def _waits_for(stack: cdk.Stack) -> set[cdk.Stack]:
    """The stacks that must be deployed before this one."""
    found: set[cdk.Stack] = set()
    pending = list(stack.dependencies)
    while pending:
        before = pending.pop()
        if before not in found:
            found.add(before)
            pending.extend(before.dependencies)
    return found


@lru_cache(maxsize=256)
def image_parameter(scope: Construct, id: str, description: str) -> str:
    """The value of a template parameter for an image, in the stack that is deployed.

    Not of another stack: what a stack exports cannot change while it is in use. A nested stack gets
    its parameters from the stack around it, so that one has to have it.
    """
    stack = _outermost(_stack(scope))
    found = node(stack).try_find_child(id)
    if not isinstance(found, cdk.CfnParameter):
        found = cdk.CfnParameter(stack, id, type="AWS::EC2::Image::Id", description=description)
    return found.value_as_string


def log_group_name(group: logs.ILogGroup) -> str | Unknown:
    """The name of a log group, where it is said and not made by CloudFormation."""
    resource = group.node.default_child
    name = resource.log_group_name if isinstance(resource, logs.CfnLogGroup) else None
    return known(name if name is not None else group.log_group_name)


def today(scope: Construct) -> str:
    """The day by which end-of-life dates are judged: the context's, or that of their table."""
    given = node(scope).try_get_context("pcs-constructs:today")
    return CATALOG_DATE if given is None else str(given)


def asked_for(scope: Construct, key: str) -> bool:
    """Whether the context asks for what is not done unless asked for."""
    return node(scope).try_get_context(key) in (True, "true")  # a string on the command line


def stack_name(scope: Construct) -> str | Unknown:
    """The name of the stack that a construct is in."""
    return known(_stack(scope).stack_name)


def follows_parameter(scope: Construct, ami_id: str) -> bool:
    """Whether an image ID is the newest value of an SSM parameter."""
    if not is_token(ami_id):
        return _DYNAMIC_REFERENCE.fullmatch(ami_id) is not None
    # What ec2.MachineImage.from_ssm_parameter and the like make: a parameter of the template.
    return "{'Ref': 'SsmParameterValue" in str(cdk.Stack.of(scope).resolve(ami_id))


def environment(scope: Construct) -> str:
    """The account and Region of a construct; each stack that does not tell is one of its own."""
    stack = cdk.Stack.of(scope)
    unknown = "unknown-" in stack.environment
    return f"{stack.environment}/{path(stack)}" if unknown else stack.environment
