"""What the rules for the kinds of FSx have in common."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ROUTE_TABLES: Final = 50


@facts_record
class PlacementFacts:
    """Where the servers of a file system are, and how nodes in other zones find them."""

    multi_az: bool | Unknown = UNKNOWN
    standby: bool = False
    """Whether there is a subnet for the standby server."""
    two_zones: bool | Unknown = UNKNOWN
    """Whether the subnets of both servers are in two zones."""
    route_tables: int = 0
    """How many route tables are known."""
    route_tables_named: bool = False
    endpoint_range: str | Unknown | None = None


def placement_violations(facts: PlacementFacts) -> Iterator[Violation]:
    """What FSx would refuse of where servers are."""
    given = {
        "standby_subnet": facts.standby,
        "route_table_ids": facts.route_tables_named,
        "endpoint_ip_address_range": facts.endpoint_range is not None,
    }
    for argument in [name for name, is_given in given.items() if is_given]:
        if facts.multi_az is False:
            yield Violation(
                argument,
                "is for servers in two Availability Zones",
                "leave it out, or use a MULTI_AZ deployment type",
            )
    if facts.multi_az is True and not facts.standby:
        yield Violation(
            "standby_subnet",
            "the standby server has no subnet: none is known to be in another Availability Zone",
            "pass one in another zone than subnet",
            template_fix="name two subnets, each in a zone of its own",
        )
    if facts.multi_az is True and facts.standby and facts.two_zones is False:
        yield Violation(
            "standby_subnet",
            "the standby server is in the Availability Zone of the preferred one",
            "pass one in another zone than subnet",
            template_fix="name two subnets, each in a zone of its own",
        )
    if facts.route_tables_named and not 1 <= facts.route_tables <= _MOST_ROUTE_TABLES:
        yield Violation(
            "route_table_ids",
            f"names {facts.route_tables}",
            f"give 1 to {_MOST_ROUTE_TABLES}, or leave it out to have those of the VPC's subnets",
            template_fix=f"give 1 to {_MOST_ROUTE_TABLES}",
        )
    if isinstance(facts.endpoint_range, str) and not _is_range(facts.endpoint_range):
        yield Violation(
            "endpoint_ip_address_range",
            f"{facts.endpoint_range!r} is no range of IPv4 addresses",
            "write it like '10.0.255.0/24', or leave it out",
        )


def route_table_violations(facts: PlacementFacts) -> Iterator[Violation]:
    """What is wrong where FSx has to guess the route tables."""
    if facts.multi_az is True and not facts.route_tables:
        yield Violation(
            "route_table_ids",
            "is left out, and FSx takes the main route table of the VPC",
            "name the route tables of the subnets that nodes are in",
        )


def backup_violations(
    days: int | Unknown, start_time: str | Unknown | None, *, snapshot_on_removal: bool
) -> Iterator[Violation]:
    """What FSx would refuse of backups, and CloudFormation of what becomes of the file system."""
    if days is not UNKNOWN and not 0 <= days <= 90:
        yield Violation(
            "backup_retention",
            f"of {days} days",
            "give at most cdk.Duration.days(90)",
            template_fix="give 0 to 90 days",
        )
    yield from start_time_violations(days, start_time)
    if snapshot_on_removal:
        yield Violation(
            "removal_policy",
            "is SNAPSHOT, which CloudFormation does not take for FSx",
            "use cdk.RemovalPolicy.RETAIN, or DESTROY: FSx makes a last backup by itself",
            template_fix="use Retain, or Delete: FSx makes a last backup by itself",
        )


def start_time_violations(
    days: int | Unknown, start_time: str | Unknown | None
) -> Iterator[Violation]:
    """What FSx would refuse of the time at which daily backups begin."""
    if start_time is not None and days == 0:
        yield Violation(
            "backup_start_time",
            "is given, and no backups are made",
            "give backup_retention=cdk.Duration.days(7) as well, or leave it out",
            template_fix="give AutomaticBackupRetentionDays: 7 as well, or leave it out",
        )
    if isinstance(start_time, str) and not re.fullmatch(
        r"([01]\d|2[0-3]):[0-5]\d", start_time, re.ASCII
    ):
        yield Violation("backup_start_time", f"{start_time!r} is no time", "write it like '05:00'")


def whole(argument: str, gibibytes: float) -> Iterator[Violation]:
    """What FSx would refuse in a size that it counts in GiB."""
    if gibibytes != int(gibibytes):
        yield Violation(
            argument,
            f"is counted in whole GiB, got {gibibytes:g}",
            "write cdk.Size.gibibytes(100)",
            template_fix="write a whole number, such as 100",
        )


def _is_range(text: str) -> bool:
    try:
        return "/" in text and isinstance(ip_network(text), IPv4Network)
    except ValueError:
        return False
