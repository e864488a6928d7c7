"""Which Internet Protocol a cluster talks."""

from __future__ import annotations

from enum import Enum


class NetworkType(Enum):
    """The version of the Internet Protocol that a cluster talks. It cannot change later.

    Source: `NetworkType` of `AWS::PCS::Cluster`.
    """

    IPV4 = "IPV4"
    """What AWS PCS does unless told otherwise."""

    IPV6 = "IPV6"
    """Subnets have to assign IPv6 addresses, and the security group lets IPv6 out."""
