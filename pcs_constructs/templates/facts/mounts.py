"""Where nodes are, and where the file systems are that they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pcs_constructs import rules
from pcs_constructs.model.file_systems import EFS, FILE_CACHE, FSX
from pcs_constructs.templates.facts.evidence import Evidence
from pcs_constructs.templates.facts.networks import zone
from pcs_constructs.templates.facts.storage import mount_targets
from pcs_constructs.templates.members import launch_template
from pcs_constructs.templates.types import SUBNET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pcs_constructs.model.errors import Unknown
    from pcs_constructs.templates.members import Membership
    from pcs_constructs.templates.resolved import ResolvedResource


def mount_evidence(membership: Membership) -> Iterator[Evidence]:
    """For each node group the zones of its nodes, and of what its scripts refer to."""
    for group in membership.groups:
        subnets = [group.follow(each) for each in group.each("SubnetIds")]
        locations = [subnet for subnet in subnets if subnet is not None and subnet.type == SUBNET]
        if not locations or len(locations) != len(subnets):
            continue
        here = {id(subnet) for subnet in locations}
        servers: dict[str, str | Unknown] = {}
        targets: dict[str, tuple[str | Unknown, ...]] = {}
        for file_system in _mounted(group):
            name = file_system.logical_id
            if file_system.type == EFS:
                there = _subnets(mount_targets(file_system))
                if there and not here <= {id(subnet) for subnet in there}:
                    targets[name] = tuple(zone(subnet) for subnet in there)
            elif file_system.count("SubnetIds") == 1:  # servers in one zone
                subnet = file_system.follow(file_system.get("SubnetIds", 0))
                if subnet is not None and subnet.type == SUBNET and here != {id(subnet)}:
                    servers[name] = zone(subnet)
        if servers or targets:
            yield Evidence(
                facts=rules.MountZoneFacts(
                    nodes=tuple(dict.fromkeys(zone(subnet) for subnet in locations)),
                    servers=servers,
                    mount_targets=targets,
                ),
                resource=group,
                locations={"mounts": ("SubnetIds",)},
            )


def _subnets(targets: list[ResolvedResource]) -> list[ResolvedResource]:
    """The subnets of mount targets, none if one of them is not made here."""
    subnets = [target.follow(target.get("SubnetId")) for target in targets]
    known = [subnet for subnet in subnets if subnet is not None and subnet.type == SUBNET]
    return known if len(known) == len(subnets) else []


def _mounted(group: ResolvedResource) -> list[ResolvedResource]:
    """The file systems that user data or lifecycle actions of a node group refer to."""
    template = launch_template(group)
    mounted = group.referred(group.get("NodeLifecycleActions"))
    if template is not None:
        mounted += template.referred(template.get("LaunchTemplateData", "UserData"))
    return [one for one in dict.fromkeys(mounted) if one.type in {EFS, FSX, FILE_CACHE}]
