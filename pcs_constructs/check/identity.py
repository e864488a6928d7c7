"""What instance profiles, roles and parameters show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from pcs_constructs import rules
from pcs_constructs.check.evaluate import sketch
from pcs_constructs.check.evidence import Evidence, Spot
from pcs_constructs.check.scene import as_mapping
from pcs_constructs.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.check.membership import Membership
    from pcs_constructs.check.scene import Part, Path

_PROFILE: Final = "AWS::IAM::InstanceProfile"
_ROLE: Final = "AWS::IAM::Role"
_REGISTER: Final = "pcs:RegisterComputeNodeGroupInstance"
_REGISTERS: Final = "AWSPCSComputeNodePolicy"
_SECRET: Final = re.compile(r"password|passwd|passphrase|secret(?!s?(arn|name|id))", re.I)
_NO_SECRET: Final = re.compile(r"(arn|name|id|path|length|policy|parameter|ttl)$", re.I)


def identity_evidence(membership: Membership) -> Iterator[Evidence]:
    """What the profiles and roles of node groups show."""
    roles: dict[int, Part] = {}
    profiles: dict[int, Part] = {}
    for group in membership.groups:
        arn = group.text("IamInstanceProfileArn")
        if isinstance(arn, str):
            yield Evidence(
                facts=rules.InstanceProfileFacts(arn=arn),
                part=group,
                places={"instance_profile_arn": ("IamInstanceProfileArn",)},
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
    for role in membership.scene.of_type(_ROLE):
        if _REGISTER in _actions(role):  # it is for nodes, wherever they are
            roles[id(role)] = role
    for role in roles.values():
        yield _role(role)


def _profile(profile: Part) -> Iterator[Evidence]:
    name, path = profile.text("InstanceProfileName"), profile.text("Path")
    if isinstance(name, str) and path is not UNKNOWN:
        yield Evidence(
            facts=rules.InstanceProfileFacts(
                arn=f"arn:aws:iam::123456789012:instance-profile{path or '/'}{name}"
            ),
            part=profile,
            places={"instance_profile_arn": ("InstanceProfileName",)},
        )


def _role(role: Part) -> Evidence:
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
        part=role,
        places={
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


def _documents(role: Part) -> Iterator[tuple[Part, Path]]:
    """The policies of a role that are in the templates."""
    for i in range(len(role.each("Policies"))):
        yield role, ("Policies", i, "PolicyDocument")
    for policy in role.scene.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        if any(policy.follow(each) is role for each in policy.each("Roles")):
            yield policy, ("PolicyDocument",)
    for policy in role.scene.of_type("AWS::IAM::RolePolicy"):
        if policy.follow(policy.get("RoleName")) is role:
            yield policy, ("PolicyDocument",)
    for each in role.each("ManagedPolicyArns"):
        policy = role.follow(each)
        if policy is not None and policy.type == "AWS::IAM::ManagedPolicy":
            yield policy, ("PolicyDocument",)


def _statements(role: Part) -> Iterator[Any]:
    for part, path in _documents(role):
        for _, statement in _of_document(part, path):
            yield statement


def _of_document(part: Part, path: Path) -> Iterator[tuple[Path, Any]]:
    found = part.get(*path, "Statement")
    if isinstance(found, list):
        for i, statement in enumerate(cast("list[Any]", found)):
            yield (*path, "Statement", i), statement
    elif found is not None:
        yield (*path, "Statement"), found


def _actions(role: Part) -> set[str]:
    return {
        action
        for statement in _statements(role)
        if as_mapping(statement).get("Effect") == "Allow"
        for action in _texts(as_mapping(statement).get("Action"))
    }


def _texts(value: Any) -> list[str]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _registers(role: Part) -> bool | Unknown:
    allowed = {action.lower() for action in _actions(role)}
    if allowed & {_REGISTER.lower(), "pcs:*", "*", "pcs:register*"}:
        return True
    managed = role.items("ManagedPolicyArns")
    if managed is UNKNOWN:
        return UNKNOWN
    for each in managed or []:
        text = sketch(each) or ""
        if _REGISTERS in text or text.endswith("/AdministratorAccess"):
            return True
        if ":aws:policy/" not in text:
            return UNKNOWN  # a policy of somebody's own, which is not here
    return UNKNOWN if _is_added_to(role) else False


def _is_added_to(role: Part) -> bool:
    """Whether policies may be added from elsewhere, where some of their roles are not known."""
    return any(
        policy.items("Roles") is UNKNOWN
        for policy in role.scene.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    )


def _trusts_ec2(role: Part) -> bool | Unknown:
    services: list[str] = []
    for _, statement in _of_document(role, ("AssumeRolePolicyDocument",)):
        principal = as_mapping(statement).get("Principal")
        if principal == "*":
            return True
        value = as_mapping(principal).get("Service")
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        for item in items:
            text = sketch(item)
            if text is not None:
                services.append(text)
    if not services and role.get("AssumeRolePolicyDocument") is None:
        return UNKNOWN
    if any(text.startswith("ec2.") for text in services):
        return True
    return UNKNOWN if any(text.startswith("${?}") for text in services) else False


def _reads_everything(statement: Any) -> bool:
    found = as_mapping(statement)
    if found.get("Effect") != "Allow" or "Condition" in found:
        return False
    actions = {action.lower() for action in _texts(found.get("Action"))}
    value = found.get("Resource")
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    places = [sketch(item) or "" for item in items]
    everywhere = any(
        place == "*" or re.fullmatch(r"arn:[^:]+:s3:::\*(/\*)?", place) for place in places
    )
    return everywhere and bool(actions & {"s3:getobject", "s3:get*", "s3:*", "*"})


def _place_of_reading(role: Part) -> Path | Spot:
    for part, path in _documents(role):
        for place, statement in _of_document(part, path):
            if _reads_everything(statement):
                return Spot(part, place)
    return ()


def parameter_evidence(parts: list[Part]) -> Iterator[Evidence]:
    """What the parameters of templates show; they are told with a first resource of theirs."""
    seen: set[int] = set()
    for part in parts:
        template = part.resource.template
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
                part=part,
                places={"parameter": Spot(part, ("Parameters", name, "Default"), outside=True)},
            )
