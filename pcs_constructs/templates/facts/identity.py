"""What instance profiles, roles and parameters show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.templates.document import as_list, as_mapping
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.values import is_function, may_have_more, parsed, sketch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import Path, ResolvedResource

_PROFILE: Final = "AWS::IAM::InstanceProfile"
_ROLE: Final = "AWS::IAM::Role"
_REGISTER: Final = "pcs:RegisterComputeNodeGroupInstance"
_REGISTERS: Final = "AWSPCSComputeNodePolicy"
_BROAD: Final = ("/AdministratorAccess", "/PowerUserAccess")
_SECRET: Final = re.compile(r"password|passwd|passphrase|secret(?!s?(arn|name|id))", re.I)
_NO_SECRET: Final = re.compile(r"(arn|name|id|path|length|policy|parameter|ttl)$", re.I)


def identity_evidence(membership: Membership) -> Iterator[Evidence]:
    """What the profiles and roles of node groups show."""
    roles: dict[int, ResolvedResource] = {}
    profiles: dict[int, ResolvedResource] = {}
    for group in membership.groups:
        arn = group.text("IamInstanceProfileArn")
        if isinstance(arn, str):
            yield Evidence(
                facts=rules.InstanceProfileFacts(arn=arn),
                resource=group,
                locations={"instance_profile_arn": ("IamInstanceProfileArn",)},
            )
        profile = group.follow(group.get("IamInstanceProfileArn"))
        if profile is not None and profile.type == _PROFILE:
            profiles[id(profile)] = profile
    for profile in profiles.values():
        yield from _profile(profile)
        for each in profile.each("Roles"):
            role = profile.follow(each)
            if role is not None and role.type == _ROLE:
                roles[id(role)] = role
    for role in membership.resolved.of_type(_ROLE):
        if _REGISTER in _actions(role):  # it is for nodes, wherever they are
            roles[id(role)] = role
    for role in roles.values():
        yield _role(role)


def _profile(profile: ResolvedResource) -> Iterator[Evidence]:
    name, path = profile.text("InstanceProfileName"), profile.text("Path")
    if isinstance(name, str) and path is not UNKNOWN:
        yield Evidence(
            facts=rules.InstanceProfileFacts(
                arn=f"arn:aws:iam::123456789012:instance-profile{path or '/'}{name}"
            ),
            resource=profile,
            locations={"instance_profile_arn": ("InstanceProfileName",)},
        )


def _role(role: ResolvedResource) -> Evidence:
    known_name, path = role.text("RoleName"), role.text("Path")
    helped = path is UNKNOWN or "/aws-pcs/" in (path or "/")
    name: str | Unknown = UNKNOWN
    if isinstance(known_name, str) and path is not UNKNOWN:
        name = f"{path or '/'}{known_name}".removeprefix("/")
    elif known_name is UNKNOWN and not helped and not _may_be_pcs(role.get("RoleName")):
        name = f"{path or '/'}{sketch(role.get('RoleName'))}".removeprefix("/")
    return Evidence(
        facts=rules.RoleFacts(
            name=name,
            named_by_stack=known_name is None and not helped,
            registers=_registers(role),
            trusts_ec2=_trusts_ec2(role),
            reads_everything=any(_reads_everything(s) for s in _statements(role)),
        ),
        resource=role,
        locations={
            "PCS701": ("RoleName",) if known_name is not None else ("Path",),
            "PCS703": ("RoleName",),
            "PCS721": ("Policies",),
            "PCS722": ("AssumeRolePolicyDocument",),
            "PCS723": _place_of_reading(role),
            "PCS724": (),
        },
    )


def _may_be_pcs(name: Any) -> bool:
    """Whether a name of which only a part is known may start with `AWSPCS`."""
    text = sketch(name) or "$"
    known = text.partition("${?}")[0]
    return "AWSPCS".startswith(known[:6]) if len(known) < 6 else known.startswith("AWSPCS")


def _documents(role: ResolvedResource) -> Iterator[tuple[ResolvedResource, Path]]:
    """The policies of a role that are in the templates."""
    for i in range(len(role.each("Policies"))):
        yield role, ("Policies", i, "PolicyDocument")
    for policy in role.resolved.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        if any(_is_named(role, policy, each) for each in policy.each("Roles")):
            yield policy, ("PolicyDocument",)
    for policy in role.resolved.of_type("AWS::IAM::RolePolicy"):
        if _is_named(role, policy, policy.get("RoleName")):
            yield policy, ("PolicyDocument",)
    for each in role.each("ManagedPolicyArns"):
        policy = role.follow(each)
        if policy is not None and policy.type == "AWS::IAM::ManagedPolicy":
            yield policy, ("PolicyDocument",)


def _is_named(role: ResolvedResource, policy: ResolvedResource, value: Any) -> bool:
    """Whether a policy names this role, by a reference or by its name."""
    return policy.follow(value) is role or (
        isinstance(value, str) and value == role.get("RoleName")
    )


def _statements(role: ResolvedResource) -> Iterator[Any]:
    for resource, path in _documents(role):
        for _, statement in _of_document(resource, path):
            yield statement


def _of_document(resource: ResolvedResource, path: Path) -> Iterator[tuple[Path, Any]]:
    """The statements of a document, and UNKNOWN where there may be more that cannot be read."""
    written = resource.get(*path)
    document = as_mapping(parsed(written))
    # What is inside of a text has no place of its own.
    place = (*path, "Statement") if isinstance(written, Mapping) else path
    statements = document.get("Statement")
    if statements is None or may_have_more(document):
        yield path, UNKNOWN
    for i, statement in enumerate(as_list(statements)):
        if statements is not None:
            inside = (*place, i) if isinstance(statements, list) and place != path else place
            left_open = not as_mapping(statement) or may_have_more(as_mapping(statement))
            yield inside, UNKNOWN if left_open else statement


def _actions(role: ResolvedResource) -> set[str]:
    return {
        action
        for statement in _statements(role)
        if as_mapping(statement).get("Effect") == "Allow"
        for action in _texts(as_mapping(statement).get("Action"))
    }


def _texts(value: Any) -> list[str]:
    items = as_list(value)
    return [item for item in items if isinstance(item, str)]


def _registers(role: ResolvedResource) -> bool | Unknown:
    answers = [_lets_register(statement) for statement in _statements(role)]
    if True in answers:
        return True
    managed = role.items("ManagedPolicyArns")
    texts = [] if managed is UNKNOWN else [sketch(each) or "" for each in managed or []]
    if any(_REGISTERS in text or text.endswith(_BROAD) for text in texts):
        return True
    unread = (
        UNKNOWN in answers
        or managed is UNKNOWN
        # A policy of somebody's own, which is not here.
        or any(":aws:policy/" not in text for text in texts)
        or role.items("Policies") is UNKNOWN
        or may_have_more(role.properties)
        or _is_added_to(role)
    )
    return UNKNOWN if unread else False


def _lets_register(statement: Any) -> bool | Unknown:
    """Whether a statement lets a node register, by its actions."""
    if statement is UNKNOWN:
        return UNKNOWN
    mapping = as_mapping(statement)
    if "NotAction" in mapping:
        excepted = _covers_registering(mapping["NotAction"])
        allowed = UNKNOWN if excepted is UNKNOWN else not excepted
    else:
        allowed = _covers_registering(mapping.get("Action"))
    if is_function(mapping.get("Effect")):
        return False if allowed is False else UNKNOWN
    return allowed if mapping.get("Effect") == "Allow" else False


def _covers_registering(actions: Any) -> bool | Unknown:
    """Whether one of the actions is that of registering; `*` and `?` stand for others."""
    items = as_list(actions)
    covers: bool | Unknown = False
    for text in (sketch(item) or "" for item in items):
        pattern = text.replace("${?}", "*").replace("[", "[[]").lower()
        if fnmatchcase(_REGISTER.lower(), pattern):
            if "${?}" not in text:
                return True
            covers = UNKNOWN
    return covers


def _is_added_to(role: ResolvedResource) -> bool:
    """Whether policies may be added that are not known: of some roles, or made by a loop."""
    return any(
        policy.items("Roles") is UNKNOWN
        for policy in role.resolved.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    ) or any(
        name == "Fn::Transform" or (name.startswith("Fn::ForEach::") and "AWS::IAM::" in str(made))
        for template in role.template.together
        for name, made in as_mapping(template.content.get("Resources")).items()
    )


def _trusts_ec2(role: ResolvedResource) -> bool | Unknown:
    services: list[str] = []
    for _, statement in _of_document(role, ("AssumeRolePolicyDocument",)):
        principal = as_mapping(statement).get("Principal")
        if principal == "*":
            return True
        if statement is UNKNOWN or is_function(principal):
            services.append("${?}")
        value = as_mapping(principal).get("Service")
        items = as_list(value)
        for item in items:
            text = sketch(item)
            if text is not None:
                services.append(text)
    if any(text.startswith("ec2.") for text in services):
        return True
    return UNKNOWN if any(text.startswith("${?}") for text in services) else False


def _reads_everything(statement: Any) -> bool:
    mapping = as_mapping(statement)
    if mapping.get("Effect") != "Allow" or "Condition" in mapping:
        return False
    actions = {action.lower() for action in _texts(mapping.get("Action"))}
    value = mapping.get("Resource")
    items = as_list(value)
    locations = [sketch(item) or "" for item in items]
    everywhere = any(
        place == "*" or re.fullmatch(r"arn:[^:]+:s3:::\*(/\*)?", place) for place in locations
    )
    return everywhere and bool(actions & {"s3:getobject", "s3:get*", "s3:*", "*"})


def _place_of_reading(role: ResolvedResource) -> Path | Location:
    for resource, path in _documents(role):
        for place, statement in _of_document(resource, path):
            if _reads_everything(statement):
                return Location(resource, place)
    return ()


def parameter_evidence(resources: list[ResolvedResource]) -> Iterator[Evidence]:
    """What the parameters of templates show; they are told with a first resource of theirs."""
    seen: set[int] = set()
    for resource in resources:
        template = resource.template
        if id(template) in seen:
            continue
        seen.add(id(template))
        for name, parameter in as_mapping(template.content.get("Parameters")).items():
            default = as_mapping(parameter).get("Default")
            hidden = as_mapping(parameter).get("NoEcho") in (True, "true", "True")
            named = _SECRET.search(name) and not _NO_SECRET.search(name)
            resolved = str(as_mapping(parameter).get("Type", "")).startswith("AWS::SSM::")
            yield Evidence(
                facts=rules.ParameterFacts(
                    name=name,
                    secret=bool(hidden or named) and not resolved,
                    default=default not in (None, "") and "{{resolve:" not in str(default),
                ),
                resource=resource,
                locations={
                    "parameter": Location(resource, ("Parameters", name, "Default"), outside=True)
                },
            )
