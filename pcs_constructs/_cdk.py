"""The seam: the only module that knows jsii's quirks. Tokens, casts, synth-time checks, advice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar, cast
from weakref import WeakSet

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct, IValidation, Node

from pcs_constructs import rules
from pcs_constructs.errors import UNKNOWN, PcsValidationError, Problem, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pcs_constructs.interfaces import INodeInstanceProfile, ISharedStorage

T = TypeVar("T")
SOURCE: Final = "pcs-constructs"

# How the CDK writes tokens into text, lists and numbers. Recognising them here costs nothing;
# asking the CDK would cost a round trip to Node.js for each argument.
_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")
_LARGEST_TOKEN_NUMBER: Final = -1e288


def _is_token(value: object) -> bool:
    if isinstance(value, str):
        return _TOKEN.search(value) is not None
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return value < _LARGEST_TOKEN_NUMBER
    if isinstance(value, Mapping):
        return any(
            _is_token(k) or _is_token(v) for k, v in cast("Mapping[Any, Any]", value).items()
        )
    if isinstance(value, Sequence):
        return any(_is_token(v) for v in cast("Sequence[Any]", value))
    return bool(cdk.Token.is_unresolved(value))


def known(value: T) -> T | Unknown:
    """The value, or UNKNOWN when it holds a token."""
    return UNKNOWN if _is_token(value) else value


def known_all(values: Sequence[T]) -> tuple[T, ...] | Unknown:
    """The values, or UNKNOWN when any of them holds a token."""
    return UNKNOWN if _is_token(values) else tuple(values)


def known_bytes(text: str) -> int:
    """The UTF-8 size of the text without its tokens: the final text cannot be much smaller."""
    return len(_TOKEN.sub("", text).encode())


def listed(argument: str, values: Sequence[T], found: list[Problem]) -> tuple[T, ...]:
    """The values; a bare string, or a list that is one token, becomes a problem in ``found``."""
    if isinstance(values, str):
        found.append(
            Problem(
                code="PCS001",
                argument=argument,
                message=f"takes a list, got the string {values!r}",
                fix=f"write {argument}=[{values!r}]",
            )
        )
        return ()
    items = tuple(values)
    if len(items) == 1 and isinstance(items[0], str) and items[0].startswith("#{Token["):
        found.append(
            Problem(
                code="PCS001",
                argument=argument,
                message="takes a list whose length is known at synthesis, got one token for all",
                fix="pass a list; its items may be tokens",
            )
        )
        return ()
    return items


def refuse(scope: Construct, id: str, problems: Iterable[Problem]) -> None:
    """Raise every problem of a construct that is about to be attached, if there is one."""
    found = tuple(problems)
    if found:
        path = scope.node.path
        raise PcsValidationError(f"{path}/{id}" if path else id, found)


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
    scope.node.add_validation(cast("IValidation", _Check(check)))


def tree(scope: Construct) -> Sequence[object]:
    """Every construct of the app."""
    return _root_node(scope).find_all()


@lru_cache(maxsize=64)
def _root_node(scope: Construct) -> Node:
    return scope.node.root.node


@lru_cache(maxsize=64)
def _tcp(first: int, last: int) -> ec2.Port:
    return ec2.Port.tcp_range(first, last)


@lru_cache(maxsize=256)
def _allows_all_outbound(group: ec2.ISecurityGroup) -> bool:
    return group.allow_all_outbound


def allow(
    clients: ec2.ISecurityGroup, servers: ec2.ISecurityGroup, ports: tuple[int, int], what: str
) -> None:
    """Let clients reach TCP ports of servers; every rule lands in the clients' stack.

    Connections.allow_from would put them into the servers' stack, which must not depend on a stack
    that depends on it; Connections.allow_to warns about groups that allow all outbound anyway.
    """
    servers.add_ingress_rule(clients, _tcp(*ports), what, True)
    if not _allows_all_outbound(clients):
        clients.add_egress_rule(servers, _tcp(*ports), what, False)


def depend(resource: cdk.CfnResource, storages: Iterable[ISharedStorage]) -> None:
    """Make the resource wait for what must exist before these file systems can be mounted."""
    if dependencies := [d for storage in storages for d in storage.mount_dependencies]:
        resource.node.add_dependency(*dependencies)


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


def as_principal(role: iam.Role) -> iam.IPrincipal:
    """The role's principal."""
    return role.grant_principal


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


def first_private_subnet(scope: Construct, id: str, vpc: ec2.IVpc) -> ec2.ISubnet:
    """The first subnet with a way out, else the first isolated one, else the first there is."""
    found = _subnets(vpc)
    if not found:
        refuse(
            scope,
            id,
            [
                Problem(
                    code="PCS414",
                    argument="vpc",
                    message="no subnet of this VPC is known",
                    fix="pass subnet=, or name the subnets where the VPC is imported",
                )
            ],
        )
    return found[0]


@lru_cache(maxsize=64)
def _subnets(vpc: ec2.IVpc) -> Sequence[ec2.ISubnet]:
    return vpc.private_subnets or vpc.isolated_subnets or vpc.public_subnets


def role_name(role: iam.IRole) -> str | Unknown:
    """The role's path and name as its ARN would show them, as far as synthesis can tell."""
    arn = known(role.role_arn)
    if arn is not UNKNOWN:
        return arn.partition(":role/")[2]
    resource = role.node.default_child
    if isinstance(resource, iam.CfnRole):
        # Without a name CloudFormation makes one that starts with the name of the stack.
        name = known(resource.role_name or f"{cdk.Stack.of(role).stack_name}-generated")
        path = known(resource.path or "/")
        if name is not UNKNOWN and path is not UNKNOWN:
            return f"{path}{name}".removeprefix("/")
    return UNKNOWN


def gibibytes(
    argument: str, size: cdk.Size | None, found: list[Problem], *, default: int
) -> int | float:
    """The size in whole GiB."""
    if size is None:
        return default
    if size.is_unresolved():
        found.append(_unresolved(argument, "cdk.Size.gibibytes(1200)"))
        return default
    amount = size.to_gibibytes(rounding=cdk.SizeRoundingBehavior.NONE)
    return int(amount) if amount == int(amount) else amount


def seconds(argument: str, duration: cdk.Duration | None, found: list[Problem]) -> int | None:
    """The duration in whole seconds."""
    if duration is None:
        return None
    if duration.is_unresolved():
        found.append(_unresolved(argument, "cdk.Duration.minutes(10)"))
        return None
    return int(duration.to_seconds(integral=False))


def days(
    argument: str, duration: cdk.Duration | None, found: list[Problem], *, default: int
) -> int:
    """The duration in whole days."""
    if duration is None:
        return default
    if duration.is_unresolved():
        found.append(_unresolved(argument, "cdk.Duration.days(7)"))
        return default
    amount = duration.to_days(integral=False)
    if amount != int(amount):
        found.append(
            Problem(
                code="PCS002",
                argument=argument,
                message=f"is counted in whole days, got {amount:g}",
                fix="write cdk.Duration.days(7)",
            )
        )
    return int(amount)


def _unresolved(argument: str, example: str) -> Problem:
    return Problem(
        code="PCS002",
        argument=argument,
        message="is a token, and its unit must be known at synthesis",
        fix=f"pass a literal such as {example}",
    )


def principal_of(profile: INodeInstanceProfile) -> iam.IPrincipal:
    """Whom permissions for nodes with this profile are granted to."""
    return cast("iam.IGrantable", profile).grant_principal


def without_tokens(values: Sequence[str]) -> tuple[str, ...]:
    """The values with a placeholder for each token: the numbering of tokens is not stable."""
    return tuple(_TOKEN.sub("?", value) for value in values)


def identity(resource: ec2.ISubnet | ec2.ISecurityGroup) -> str:
    """A text that changes when another resource is meant: its ID if known, else its path."""
    value = subnet_id(resource) if is_subnet(resource) else security_group_id(resource)
    return resource.node.path if _is_token(value) else value


def is_subnet(resource: ec2.ISubnet | ec2.ISecurityGroup) -> TypeGuard[ec2.ISubnet]:
    """Whether it is a subnet; `isinstance` cannot be asked of CDK interfaces."""
    return hasattr(type(resource), "subnet_id")


def peers(
    argument: str, values: Sequence[ec2.IPeer], found: list[Problem]
) -> tuple[ec2.IPeer, ...]:
    """The peers; a text among them becomes a problem in ``found``."""
    texts = [values] if isinstance(values, str) else [v for v in values if isinstance(v, str)]
    for text in texts:
        found.append(
            Problem(
                code="PCS413",
                argument=argument,
                message=f"takes peers, got the text {text!r}",
                fix=f"write {argument}=[ec2.Peer.ipv4({text!r})]",
            )
        )
    return () if texts else tuple(values)


def image_id(scope: Construct, image: ec2.IMachineImage, found: list[Problem]) -> str:
    """The ID of the image in the scope's Region; jsii's complaint becomes a problem."""
    try:
        return image.get_image(scope).image_id
    except RuntimeError as reason:
        found.append(
            Problem(
                code="PCS222",
                argument="image",
                message=str(reason).splitlines()[0],
                fix="give the stack an env with a Region, or name the image in another way",
            )
        )
        return ""


# The VPCs that `Network` made: asking each of them what it was told would be five round trips.
_FIT_VPCS: Final[WeakSet[ec2.IVpc]] = WeakSet()


def trust(vpc: ec2.Vpc) -> None:
    """Remember that this VPC was made with DNS names and default tenancy."""
    _FIT_VPCS.add(vpc)


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


def subnet_facts(
    argument: str, subnet: ec2.ISubnet, vpc: ec2.IVpc, *, controller: bool = False
) -> rules.NodeSubnetFacts:
    """What a subnet shows, as far as it and the VPC are made in this app."""
    in_vpc = public = assigns = UNKNOWN
    if isinstance(subnet, ec2.Subnet):
        public = isinstance(subnet, ec2.PublicSubnet)
        resource = subnet.node.default_child
        if isinstance(resource, ec2.CfnSubnet):
            assigned = resource.map_public_ip_on_launch
            assigns = assigned if isinstance(assigned, bool) else UNKNOWN
        owner = subnet.node.scope
        if isinstance(owner, ec2.Vpc) and isinstance(vpc, ec2.Vpc):
            in_vpc = owner is vpc
    return rules.NodeSubnetFacts(
        argument=argument,
        name=subnet.node.path,
        in_vpc=in_vpc,
        public=public,
        assigns_public_addresses=assigns,
        controller=controller,
    )


def subnet_cidrs(subnets: Iterable[ec2.ISubnet]) -> dict[str, str | Unknown]:
    """The address range of each subnet by its ID, where it is made in this app."""
    by_id = {subnet_id(subnet): subnet for subnet in subnets}
    return {
        key: known(subnet.ipv4_cidr_block) if isinstance(subnet, ec2.Subnet) else UNKNOWN
        for key, subnet in by_id.items()
    }


def create_after(
    later: Construct, resource: cdk.CfnResource, earlier: Construct, first: cdk.CfnResource
) -> None:
    """Create a resource after another one, if both are in one account and Region."""
    stack, other = cdk.Stack.of(later), cdk.Stack.of(earlier)
    if stack is other:
        resource.add_dependency(first)
    elif stack.environment == other.environment and stack not in other.dependencies:
        stack.add_dependency(other, "AWS PCS creates one cluster at a time")


def environment(scope: Construct) -> str:
    """The account and Region of a construct."""
    return cdk.Stack.of(scope).environment
