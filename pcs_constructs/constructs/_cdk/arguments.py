"""Turns what a caller passed into plain values, and keeps what is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from pcs_constructs.constructs._cdk.tokens import is_token
from pcs_constructs.model.annotations import listed, wrong_kinds
from pcs_constructs.model.errors import PcsValidationError, Problem
from pcs_constructs.model.slurm_settings import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import Enum

    from pcs_constructs.model.instances import InstanceFacts

K = TypeVar("K")
T = TypeVar("T")
Q = TypeVar("Q", cdk.Size, cdk.Duration)


class Arguments:
    """The arguments of one construct, judged before there are facts for the rules.

    What the type checker would have refused is refused here as well: a wrong type must not get as
    far as jsii, which would complain in words of its own when half of the construct is made.
    """

    def __init__(self, function: object, arguments: Mapping[str, Any]) -> None:
        self._listed = listed(arguments)
        self.arguments: Mapping[str, Any] = {**arguments, **self._listed}
        self.problems: list[Problem] = [*wrong_kinds(function, self.arguments)]
        # An argument of a wrong kind is told once, and nothing more is asked of it.
        self._refused = {problem.argument.partition("[")[0] for problem in self.problems}

    def _is_refused(self, argument: str) -> bool:
        return argument.partition("[")[0] in self._refused

    def refuse(self, path: str) -> None:
        """Raise what is wrong with the arguments of a value, which is no construct."""
        if self.problems:
            raise PcsValidationError(path, self.problems)

    def items(self, argument: str, values: Iterable[T]) -> tuple[T, ...]:
        """The items of a list."""
        if self._is_refused(argument):
            return ()
        items: tuple[T, ...] = self._listed.get(argument) or tuple(values)
        if len(items) == 1 and isinstance(items[0], str) and items[0].startswith("#{Token["):
            self._refuse(
                "PCS001",
                argument,
                "takes a list whose length is known at synthesis, got one token for all",
                "pass a list; its items may be tokens",
            )
            return ()
        return items

    def instance_types(
        self, argument: str, values: Iterable[str | InstanceFacts]
    ) -> tuple[tuple[str, ...], dict[str, InstanceFacts]]:
        """The names of instance types, and the facts that were given in the place of names."""
        types = self.items(argument, values)
        described = {item.name: item for item in types if not isinstance(item, str)}
        return tuple(item if isinstance(item, str) else item.name for item in types), described

    def ebs(self, argument: str, volume: ec2.BlockDeviceVolume | None) -> ec2.EbsDeviceProps | None:
        """An EBS volume that starts as the image says."""
        if volume is None or self._is_refused(argument):
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

    def mapping(self, argument: str, values: Mapping[K, T] | None) -> dict[K, T]:
        """The values of a mapping; none where it is not given."""
        return {} if values is None or self._is_refused(argument) else dict(values)

    def literal(self, argument: str, value: str, example: str) -> str:
        """A text that must be known at synthesis."""
        return value if self._known(argument, value, repr(example)) else example

    def number(self, argument: str, value: int) -> int:
        """A whole number that must be known at synthesis."""
        return value if self._known(argument, value, "2") else 0

    def count(self, argument: str, value: int | None) -> int | None:
        """A whole number that must be known at synthesis, or `None`, which is its default."""
        return None if value is None else self.number(argument, value)

    def member(self, argument: str, value: Enum | None) -> str | None:
        """The value of an enum's member."""
        return None if value is None or self._is_refused(argument) else str(value.value)

    def gibibytes(self, argument: str, size: cdk.Size | None, *, default: int) -> float:
        """A size in GiB."""
        return self._amount(
            argument,
            size,
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
        items = self.items(argument, values)
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
        trial = Construct(scope, id)
        try:
            config = image.get_image(trial)
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
        if config.os_type is ec2.OperatingSystemType.WINDOWS:
            self._refuse(
                "PCS223", argument, "is an image of Windows", "use a Linux image for AWS PCS"
            )
        return config.image_id

    def _time(
        self,
        argument: str,
        duration: cdk.Duration,
        convert: Callable[[cdk.Duration], float],
        unit: str,
    ) -> int:
        of_unit = f"cdk.Duration.{unit}"
        amount = self._amount(argument, duration, convert, f"{of_unit}(10)", 1)
        return self._whole(argument, amount, unit, of_unit)

    def _whole(self, argument: str, amount: float, unit: str, of_unit: str) -> int:
        if amount != int(amount):
            message = f"is counted in whole {unit}, got {amount:g}"
            self._refuse("PCS002", argument, message, f"write {of_unit}(10)")
        return int(amount)

    def _amount(
        self,
        argument: str,
        quantity: Q | None,
        convert: Callable[[Q], float],
        example: str,
        default: int,
    ) -> float:
        if quantity is None or not self._known(argument, quantity, example):
            return default
        amount = convert(quantity)
        return int(amount) if amount == int(amount) else amount

    def _known(self, argument: str, value: object, example: str) -> bool:
        if self._is_refused(argument):
            return False
        if is_token(value):
            self._refuse(
                "PCS002",
                argument,
                "is a token, and its value must be known at synthesis",
                f"pass a literal such as {example}",
            )
        return not is_token(value)

    def _refuse(self, code: str, argument: str, message: str, fix: str) -> None:
        self.problems.append(Problem(code=code, argument=argument, message=message, fix=fix))
