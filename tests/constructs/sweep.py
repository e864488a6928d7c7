"""Every public callable with every argument of a wrong kind, made from the signatures."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

import pcs_constructs as pcs
from tests.constructs.templates import existing_group, existing_vpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ITEMS: tuple[Any, ...] = (
    timedelta(hours=1),
    Decimal(3),
    ip_network("10.0.0.0/16"),
    object(),
    b"bytes",
    3j,
    float("nan"),
    float("inf"),
    cdk.App,
    len,
    {"a", "b"},
    {object(): "value"},
)

STRANGERS: tuple[Any, ...] = (
    *_ITEMS,
    *([item] for item in (*_ITEMS, None)),
    *((item,) for item in _ITEMS),
    *({"key": item} for item in _ITEMS),
    *([{"key": item}] for item in _ITEMS),
)
"""What no annotation takes."""


class Case(NamedTuple):
    """One argument of one call that is of a wrong kind."""

    name: str
    call: Callable[..., object]
    arguments: dict[str, Any]
    argument: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name}({self.argument}={self.value!r})"


class Sound:
    """Values that every argument without a default takes, in one stack."""

    def __init__(self) -> None:
        self.stack = stack = cdk.Stack(cdk.App(), "Stack")
        self.vpc = existing_vpc(stack)
        self.cluster = pcs.Cluster(stack, "Sound", vpc=self.vpc)
        self.nodes = self.cluster.add_compute_node_group(
            "nodes", instance_types=["c7i.xlarge"], scaling=pcs.Scaling.static(1)
        )
        self.home = pcs.EfsStorage(stack, "Home", vpc=self.vpc)
        self.template = pcs.NodeLaunchTemplate(
            stack,
            "Template",
            instance_types=["c7i.xlarge"],
            security_groups=[existing_group(stack)],
        )
        self.profile = pcs.NodeInstanceProfile(stack, "Profile")
        self.bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "bucket")
        self.open_zfs = pcs.OpenZfsStorage(stack, "OpenZfs", vpc=self.vpc)
        self.ontap = pcs.OntapStorage(stack, "Ontap", vpc=self.vpc)
        self.lustre = pcs.LustreStorage(stack, "Lustre", vpc=self.vpc)
        self.network = pcs.Network(stack, "Network", availability_zones=["eu-west-1a"])
        self._values: dict[str, Any] = {
            "Construct": stack,
            "ICluster": self.cluster,
            "IComputeNodeGroup": self.nodes,
            "INodeInstanceProfile": self.profile,
            "INodeLaunchTemplate": self.template,
            "ISharedStorage": self.home,
            "InstanceFacts": "c7i.xlarge",
            "LifecycleScript": pcs.LifecycleScript.from_url("https://example.com/setup.sh"),
            "MountClient": pcs.MountClient.NFS,
            "Scaling": pcs.Scaling.static(1),
            "cdk.Size": cdk.Size.gibibytes(1200),
            "ec2.BlockDeviceVolume": ec2.BlockDeviceVolume.ebs(100),
            "ec2.ISecurityGroup": existing_group(stack, "Own"),
            "ec2.ISubnet": self.cluster.subnet,
            "ec2.IVpc": self.vpc,
            "efs.IAccessPoint": efs.AccessPoint.from_access_point_id(stack, "Point", "fsap-1"),
            "efs.IFileSystem": self.home.file_system,
            "iam.IGrantable": iam.Role.from_role_name(stack, "Role", "aws-pcs-role"),
            "iam.PolicyDocument": iam.PolicyDocument(),
            "iam.IRole": iam.Role.from_role_name(stack, "Other", "aws-pcs-other"),
            "logs.ILogGroup": logs.LogGroup.from_log_group_name(stack, "Logs", "/aws/logs"),
            "s3.IBucket": self.bucket,
            "bool": False,
            "float": 1.0,
            "int": 1,
            "str": "text",
        }

    def of(self, annotation: str) -> Any:
        """A value of an annotation."""
        kind = annotation.split(" | ")[0]
        if kind.startswith("Callable"):
            return lambda *_: None
        if match := re.match(
            r"(?:Sequence|Iterable|tuple|list)\[(.*?)(?:, \.\.\.)?\]$", annotation
        ):
            return [self.of(match[1])]
        if match := re.match(r"Mapping\[(.*?), (.*)\]$", annotation):
            return {self.of(match[1]): self.of(match[2])}
        if kind in self._values:
            return self._values[kind]
        found = getattr(pcs, kind, None)
        if inspect.isclass(found) and issubclass(found, Enum):
            return next(iter(found))
        raise LookupError(f"no sound value for {annotation}")

    def receivers(self) -> Iterator[object]:
        """What has methods."""
        yield from (self.cluster, self.nodes, self.home, self.template, self.profile)
        yield from (self.open_zfs, self.ontap, self.lustre, self.network)


def cases(sound: Sound, name: str, call: Callable[..., object]) -> Iterator[Case]:
    """Every argument of a public callable with every value that it does not take."""
    parameters = [*_parameters(call)]
    required = {
        parameter.name: f"New-{name}".replace(".", "-")
        if parameter.name == "id"
        else sound.of(parameter.annotation)
        for parameter in parameters
        if parameter.default is parameter.empty
    }
    for parameter in parameters:
        for value in _wrong(parameter):
            arguments = {**required, parameter.name: value}
            yield Case(name, call, arguments, parameter.name, value)


def _parameters(call: Callable[..., object]) -> Iterator[inspect.Parameter]:
    function = call.__init__ if inspect.isclass(call) else call
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            # What is passed on, such as `**options: Unpack[QueueOptions]`.
            options = getattr(pcs, parameter.annotation.removeprefix("Unpack[").removesuffix("]"))
            for name, annotation in options.__annotations__.items():
                text = annotation.__forward_arg__
                required = re.fullmatch(r"Required\[(.*)\]", text)
                yield inspect.Parameter(
                    name,
                    parameter.KEYWORD_ONLY,
                    annotation=required[1] if required else text,
                    default=parameter.empty if required else None,
                )
        elif parameter.name != "self":
            yield parameter


def callables(sound: Sound) -> Iterator[tuple[str, Callable[..., object]]]:
    """Every public class, factory and method, by name."""
    classes = [
        found
        for name in pcs.__all__
        if inspect.isclass(found := getattr(pcs, name))
        and not name.startswith("I") | name.endswith("Options")
        and not issubclass(found, (Enum, Exception))
        and found is not pcs.Problem
    ]
    for found in classes:
        yield found.__name__, found
        for name, member in vars(found).items():
            if isinstance(member, (staticmethod, classmethod)) and not name.startswith("_"):
                yield f"{found.__name__}.{name}", getattr(found, name)
    for receiver in sound.receivers():
        for name, member in vars(type(receiver)).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                yield f"{type(receiver).__name__}.{name}", getattr(receiver, name)


def _wrong(parameter: inspect.Parameter) -> Iterator[Any]:
    annotation = str(parameter.annotation)
    if re.search(r"\b(Any|object|IDependable)\b", annotation):
        return
    yield from STRANGERS if "Callable" not in annotation else ()
    if "None" not in annotation:
        yield None
    plain = set(re.findall(r"[\w.]+", annotation))
    if not plain & {"str", "Literal", "IPeer"}:
        yield "text"
    if not plain & {"int", "float"}:
        yield 5
    if "bool" not in plain:
        yield True
    if "Path" not in plain:
        yield Path("file")
    if not plain & {"Sequence", "Iterable", "tuple"}:
        yield ["text"]
    if "Mapping" not in plain:
        yield {"key": "value"}
    if "cdk.Duration" not in plain:
        yield _HOUR
    if "cdk.Size" not in plain:
        yield _GIBIBYTE
    if "Construct" not in plain:
        yield _STRANGE_CONSTRUCT


_HOUR, _GIBIBYTE = cdk.Duration.hours(1), cdk.Size.gibibytes(1)
_STRANGE_CONSTRUCT = Construct(cdk.Stack(cdk.App(), "Elsewhere"), "Construct")
