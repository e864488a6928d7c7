"""Casts of what the CDK makes to what the CDK takes, each with the issue that asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

    from pcs_constructs.constructs._cdk.tokens import T


def as_construct(implementation: object) -> Construct:
    """One of our own interfaces as the construct that every implementation is."""
    return cast("Construct", implementation)


def as_role(role: iam.Role) -> iam.IRole:
    """The role as the interface that it implements (aws/jsii#4541)."""
    return cast("iam.IRole", role)


def anybody() -> iam.IPrincipal:
    """Every principal, which a condition narrows (aws/aws-cdk#31454, as below)."""
    return cast("iam.IPrincipal", iam.AnyPrincipal())


def as_grantable(implementation: object) -> iam.IGrantable:
    """One of our own interfaces as the grantable that an implementation may be."""
    return cast("iam.IGrantable", implementation)


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
