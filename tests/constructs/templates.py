"""Reading finished templates, and what synthesis says, in the words of the tests."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from email import message_from_string
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match, Template

import pcs_constructs as pcs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    import aws_cdk as cdk
    from constructs import Construct

PRIVATE = ("subnet-00000000000000a1", "subnet-00000000000000a2")
PUBLIC = ("subnet-00000000000000b1", "subnet-00000000000000b2")


def existing_vpc(scope: Construct, id: str = "Vpc") -> ec2.IVpc:
    """A VPC that somebody else made, with two zones."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        id,
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=list(PRIVATE),
        public_subnet_ids=list(PUBLIC),
    )


def existing_group(scope: Construct, id: str = "Group", *, digit: int = 1) -> ec2.ISecurityGroup:
    """A security group that somebody else made."""
    return ec2.SecurityGroup.from_security_group_id(scope, id, f"sg-0000000000000000{digit}")


def template(stack: cdk.Stack) -> Template:
    return Template.from_stack(stack)


def found(template: Template, kind: str) -> dict[str, Any]:
    """The resources of a type by logical id; ids are for following references only."""
    return dict(template.find_resources(kind))


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    """The properties of every resource of a type."""
    return [resource.get("Properties", {}) for resource in found(template, kind).values()]


def only(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    (one,) = properties(template, kind)
    return one


def named(template: Template, kind: str, name: str) -> dict[str, Any]:
    """The properties of the resource of a type whose name starts so."""
    (one,) = [p for p in properties(template, kind) if p["Name"].startswith(name)]
    return one


def referred(template: Template, reference: dict[str, Any]) -> dict[str, Any]:
    """The resource that a Ref or GetAtt leads to."""
    logical_id = reference.get("Ref") or reference["Fn::GetAtt"][0]
    return template.to_json()["Resources"][logical_id]


def dangling(template: Template) -> set[str]:
    """What is referred to or waited for, and is not there."""
    document = template.to_json()
    there = {"AWS", *document.get("Resources", {}), *document.get("Parameters", {})}
    named = set[str]()
    pending: list[Any] = [document["Resources"]]
    while pending:
        match pending.pop():
            case {"Ref": str(name)}:
                named.add(name.partition("::")[0])
            case {"Fn::GetAtt": [str(name), _]}:
                named.add(name)
            case {"DependsOn": list(names), **rest}:
                named.update(names)
                pending.append(rest)
            case dict(value):
                pending.extend(value.values())
            case list(value):
                pending.extend(value)
            case _:
                pass
    return named - there


def text_of(value: Any) -> str:
    """A template's text with each hole written out as JSON."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(text_of(part) for part in parts)
    return json.dumps(value)


def mime_parts(launch_template_data: dict[str, Any]) -> list[Message]:
    """The parts of the user data, which must be base64 of a MIME document."""
    assert list(launch_template_data["UserData"]) == ["Fn::Base64"]
    document = message_from_string(text_of(launch_template_data["UserData"]["Fn::Base64"]))
    assert document.is_multipart()
    assert document.get_content_type() == "multipart/mixed"
    assert not document.defects
    return document.get_payload()


def security_group_rules(template: Template) -> set[tuple[str, str, str, Any, Any]]:
    """Every rule between groups: direction, group, peer, first and last port."""
    rules = set()
    for direction, peer in (("Ingress", "Source"), ("Egress", "Destination")):
        for rule in properties(template, f"AWS::EC2::SecurityGroup{direction}"):
            rules.add(
                (
                    direction,
                    text_of(rule["GroupId"]),
                    text_of(rule[f"{peer}SecurityGroupId"]),
                    rule.get("FromPort"),
                    rule.get("ToPort"),
                )
            )
    return rules


def advised(stack: cdk.Stack) -> set[str]:
    """The codes of our advice that nobody has acknowledged."""
    messages = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return {code for m in messages for code in re.findall(r"^PCS\d{3}", str(m.entry.data))}


def refused_at_synth(app: cdk.App) -> set[str]:
    """The codes that fail the synthesis of the app."""
    with pytest.raises(RuntimeError) as error:
        app.synth()
    return set(re.findall(r"\] (PCS\d{3}) ", str(error.value)))


def wrong_type(arguments: dict[str, Any]) -> str:
    """The name of a case with an argument of a wrong type."""
    return ", ".join(f"{name}: {type(value).__name__}" for name, value in arguments.items())


@contextmanager
def refused(scope: Construct, *codes: str) -> Iterator[None]:
    """Refused with exactly these codes, or with any where none is named; the tree is as before."""
    before = {construct.node.path for construct in scope.node.root.node.find_all()}
    with pytest.raises(pcs.PcsValidationError) as error:
        yield
    after = {construct.node.path for construct in scope.node.root.node.find_all()}
    assert after - before == set()
    if codes:
        assert {problem.code for problem in error.value.problems} == set(codes)
