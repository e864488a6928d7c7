"""Turns what a caller passed into plain values, and keeps what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs.constructs._cdk.tokens import is_token
from pcs_constructs.model.annotations import wrong_kinds
from pcs_constructs.model.errors import PcsValidationError, Problem
from pcs_constructs.model.instances import InstanceFacts
from pcs_constructs.model.slurm_settings import time_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum

T = TypeVar("T")
Q = TypeVar("Q", cdk.Size, cdk.Duration)

# What an argument must be: a class, or a member that a CDK interface or one of ours has, because
# `isinstance` cannot be asked of interfaces.
Kind = type | str | tuple[type, ...]
_WANTED: Final = {
    "can_inline_rule": "an ec2.IPeer",
    "cluster_id": "a Cluster",
    "compute_node_group_id": "a ComputeNodeGroup",
    "file_system_id": "an efs.IFileSystem",
    "get_image": "an ec2.IMachineImage",
    "grant_principal": "an iam.IGrantable",
    "instance_profile_arn": "a NodeInstanceProfile",
    "key_arn": "a kms.IKey",
    "key_pair_name": "an ec2.IKeyPair",
    "access_point_id": "an efs.IAccessPoint",
    "bucket_name": "an s3.IBucket",
    "log_group_arn": "a logs.ILogGroup",
    "managed_policy_arn": "an iam.IManagedPolicy",
    "file_share": "a file system, such as EfsStorage",
    "placement_group_name": "an ec2.IPlacementGroup",
    "role_arn": "an iam.IRole",
    "security_group_id": "an ec2.ISecurityGroup",
    "subnet_id": "an ec2.ISubnet",
    "version": "a NodeLaunchTemplate",
    "vpc_id": "an ec2.IVpc",
}


class Arguments:
    """The arguments of one construct, judged before there are facts for the rules.

    What the type checker would have refused is refused here as well: a wrong type must not get as
    far as jsii, which would complain in words of its own when half of the construct is made.
    """

    def __init__(self, function: object = None, arguments: Mapping[str, Any] | None = None) -> None:
        self.arguments: Mapping[str, Any] = arguments or {}
        self.problems: list[Problem] = []
        if function is not None:
            self.problems.extend(wrong_kinds(function, self.arguments))
        # An argument of a wrong kind is told once, and nothing more is asked of it.
        self._refused = {problem.argument.partition("[")[0] for problem in self.problems}

    def require(self, **kinds: tuple[object, Kind]) -> None:
        """Each argument must be of its kind."""
        for argument, (value, kind) in kinds.items():
            if not self._is_refused(argument) and not _fits(value, kind):
                self._refuse_kind(argument, value, kind)

    def expect(self, **kinds: tuple[object, Kind]) -> None:
        """Each argument must be of its kind, or `None`, which is its default."""
        self.require(**{name: found for name, found in kinds.items() if found[0] is not None})

    def _is_refused(self, argument: str) -> bool:
        return argument.partition("[")[0] in self._refused

    def refuse(self, path: str) -> None:
        """Raise what is wrong with the arguments of a value, which is no construct."""
        if self.problems:
            raise PcsValidationError(path, self.problems)

    def items(self, argument: str, values: Iterable[T], kind: Kind) -> tuple[T, ...]:
        """The items of a list, each of one kind."""
        if self._is_refused(argument):
            return ()
        found = _tuple(values)
        if found is None:
            example = f"[{values!r}]" if isinstance(values, str) and _fits("", kind) else "[...]"
            return self._no_list(argument, f"got {values!r}", f"write {argument}={example}")
        if len(found) == 1 and isinstance(found[0], str) and found[0].startswith("#{Token["):
            return self._no_list(
                argument, "got one token for all", "pass a list; its items may be tokens"
            )
        wrong = [item for item in found if not _fits(item, kind)]
        for item in wrong:
            self._refuse_kind(argument, item, kind)
        return () if wrong else found

    def instance_types(
        self, argument: str, values: Iterable[str | InstanceFacts]
    ) -> tuple[tuple[str, ...], dict[str, InstanceFacts]]:
        """The names of instance types, and the facts that were given in the place of names."""
        found = self.items(argument, values, (str, InstanceFacts))
        described = {item.name: item for item in found if isinstance(item, InstanceFacts)}
        return tuple(item if isinstance(item, str) else item.name for item in found), described

    def ebs(self, argument: str, volume: ec2.BlockDeviceVolume | None) -> ec2.EbsDeviceProps | None:
        """An EBS volume that starts as the image says."""
        if self._is_refused(argument):
            return None
        self.expect(**{argument: (volume, ec2.BlockDeviceVolume)})
        if not isinstance(volume, ec2.BlockDeviceVolume):
            return None
        device = volume.ebs_device
        if device is None or device.snapshot_id is not None:
            self._refuse(
                "PCS003",
                argument,
                "is no EBS volume with the contents of the image",
                f"write {argument}=ec2.BlockDeviceVolume.ebs(100)",
            )
        return device

    def mapping(self, argument: str, values: Mapping[str, T] | None, kind: Kind) -> dict[str, T]:
        """The values of a mapping from text, each of one kind."""
        if self._is_refused(argument):
            return {}
        self.expect(**{argument: (values, Mapping)})
        found = dict(values) if isinstance(values, Mapping) else {}
        for key, value in found.items():
            self.require(**{argument: (key, str), f"{argument}[{key!r}]": (value, kind)})
        return found

    def peers(self, argument: str, values: Iterable[ec2.IPeer]) -> tuple[ec2.IPeer, ...]:
        """Who is at the other end of a connection."""
        if self._is_refused(argument):
            return ()
        found = _tuple(values)
        if found is not None:
            values = found
        among: tuple[object, ...] = found or (values,)
        texts = [value for value in among if isinstance(value, str)]
        for text in texts:
            self._refuse(
                "PCS413",
                argument,
                f"takes peers, got the text {text!r}",
                f"write {argument}=[ec2.Peer.ipv4({text!r})]",
            )
        return () if texts else self.items(argument, values, "can_inline_rule")

    def literal(self, argument: str, value: str, example: str) -> str:
        """A text that must be known at synthesis."""
        return value if self._known(argument, value, str, repr(example)) else example

    def number(self, argument: str, value: int) -> int:
        """A whole number that must be known at synthesis."""
        return value if self._known(argument, value, int, "2") else 0

    def count(self, argument: str, value: int | None) -> int | None:
        """A whole number that must be known at synthesis, or `None`, which is its default."""
        return None if value is None else self.number(argument, value)

    def member(self, argument: str, value: Enum | None, kind: type[Enum]) -> str | None:
        """The value of an enum's member."""
        self.expect(**{argument: (value, kind)})
        return str(value.value) if isinstance(value, kind) else None

    def gibibytes(self, argument: str, size: cdk.Size | None, *, default: int) -> float:
        """A size in GiB."""
        return self._amount(
            argument,
            size,
            cdk.Size,
            lambda known: known.to_gibibytes(rounding=cdk.SizeRoundingBehavior.NONE),
            "cdk.Size.gibibytes(1200)",
            default,
        )

    def mebibytes(self, argument: str, size: cdk.Size | None) -> float | None:
        """A size in MiB."""
        if size is None:
            return None
        return self._amount(
            argument,
            size,
            cdk.Size,
            lambda known: known.to_mebibytes(rounding=cdk.SizeRoundingBehavior.NONE),
            "cdk.Size.mebibytes(128)",
            0,
        )

    def whole_mebibytes(self, argument: str, size: cdk.Size | None) -> int | None:
        """A size in whole MiB."""
        amount = self.mebibytes(argument, size)
        return (
            None if amount is None else self._whole(argument, amount, "MiB", "cdk.Size.mebibytes")
        )

    def seconds(self, argument: str, duration: cdk.Duration | None) -> int | None:
        """A duration in whole seconds."""
        if duration is None:
            return None
        return self._time(argument, duration, lambda d: d.to_seconds(integral=False), "seconds")

    def time(self, argument: str, duration: cdk.Duration | None) -> str | None:
        """A duration as Slurm writes times."""
        seconds = self.seconds(argument, duration)
        return None if seconds is None else time_text(seconds)

    def joined(self, argument: str, values: Iterable[str]) -> str | None:
        """The items of a list in one text, as Slurm takes lists; `None` where there are none."""
        items = self.items(argument, values, str)
        for item in items:
            if not is_token(item) and (not item or re.search(r"[\s,#=\"']", item)):
                self._refuse(
                    "PCS004",
                    argument,
                    f"has the item {item!r}, which Slurm would not read as one",
                    "write names of letters, digits and signs such as _ and -",
                )
        return ",".join(items) if items else None

    def days(self, argument: str, duration: cdk.Duration | None, *, default: int) -> int:
        """A duration in whole days."""
        if duration is None:
            return default
        return self._time(argument, duration, lambda d: d.to_days(integral=False), "days")

    def image(self, argument: str, image: ec2.IMachineImage, scope: Construct, id: str) -> str:
        """The ID that a machine image would have in a construct that is not there yet.

        An image may make constructs of its own, so it is tried in one that is taken away again.
        """
        if not _fits(image, "get_image"):
            self._refuse_kind(argument, image, "get_image")
            return ""
        trial = Construct(scope, id)
        try:
            found = image.get_image(trial)
        except RuntimeError as reason:  # jsii's, which says it in one line and then traces
            self._refuse(
                "PCS222",
                argument,
                str(reason).splitlines()[0],
                "give the stack an env with a Region, or name the image in another way",
            )
            return ""
        finally:
            scope.node.try_remove_child(id)
        if found.os_type is ec2.OperatingSystemType.WINDOWS:
            self._refuse(
                "PCS223", argument, "is an image of Windows", "use a Linux image for AWS PCS"
            )
        return found.image_id

    def _time(
        self,
        argument: str,
        duration: cdk.Duration,
        convert: Callable[[cdk.Duration], float],
        unit: str,
    ) -> int:
        of_unit = f"cdk.Duration.{unit}"
        amount = self._amount(argument, duration, cdk.Duration, convert, f"{of_unit}(10)", 1)
        return self._whole(argument, amount, unit, of_unit)

    def _whole(self, argument: str, amount: float, unit: str, of_unit: str) -> int:
        if amount != int(amount):
            found = f"is counted in whole {unit}, got {amount:g}"
            self._refuse("PCS002", argument, found, f"write {of_unit}(10)")
        return int(amount)

    def _amount(
        self,
        argument: str,
        quantity: Q | None,
        kind: type[Q],
        convert: Callable[[Q], float],
        example: str,
        default: int,
    ) -> float:
        if quantity is None or not self._known(argument, quantity, kind, example):
            return default
        amount = convert(quantity)
        return int(amount) if amount == int(amount) else amount

    def _known(self, argument: str, value: object, kind: type, example: str) -> bool:
        if self._is_refused(argument):
            return False
        if is_token(value):
            self._refuse(
                "PCS002",
                argument,
                "is a token, and its value must be known at synthesis",
                f"pass a literal such as {example}",
            )
            return False
        if _fits(value, kind):
            return True
        self._refuse_kind(argument, value, kind)
        return False

    def _no_list(self, argument: str, found: str, fix: str) -> tuple[Any, ...]:
        self._refuse(
            "PCS001", argument, f"takes a list whose length is known at synthesis, {found}", fix
        )
        return ()

    def _refuse_kind(self, argument: str, value: object, kind: Kind) -> None:
        if isinstance(kind, str):
            wanted = _WANTED[kind]
        else:
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(item.__name__ for item in kinds)
        self._refuse(
            "PCS003",
            argument,
            f"takes {wanted}, got {value!r}",
            "see the annotation of the argument; a type checker tells the same in the editor",
        )

    def _refuse(self, code: str, argument: str, message: str, fix: str) -> None:
        self.problems.append(Problem(code=code, argument=argument, message=message, fix=fix))


def _tuple(values: Iterable[T]) -> tuple[T, ...] | None:
    """The items, or `None` for what only a type checker could have kept from being passed."""
    if isinstance(values, (str, Mapping)) or not hasattr(values, "__iter__"):
        return None
    return tuple(values)


def _fits(value: object, kind: Kind) -> bool:
    if not isinstance(kind, str):
        if kind is int and isinstance(value, (bool, float)):
            return isinstance(value, float) and is_token(value)  # jsii's numbers are floats
        return isinstance(value, kind)
    # Members are looked up on types, because reading one of a jsii object is a round trip. What
    # jsii hands out for an interface is a proxy with delegates, and ours have instance attributes.
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    delegates: list[object] = attributes.get("_delegates", [])
    types = [type(value), *(type(delegate) for delegate in delegates)]
    return kind in attributes or any(hasattr(type_, kind) for type_ in types)
