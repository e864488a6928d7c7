"""Availability Zones, as templates and the CDK write them."""

from __future__ import annotations

from typing import Any

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown


def zone_number(value: Any) -> str | Unknown:
    """The zone by its number among the Region's, of `Fn::Select` out of `Fn::GetAZs`."""
    match value:
        case {"Fn::Select": [int() | float() | str() as index, {"Fn::GetAZs": _}]} if (
            str(index).removesuffix(".0").isdecimal()
        ):
            return rules.numbered_zone(int(float(index)) + 1)
        case _:
            return UNKNOWN
