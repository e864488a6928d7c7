"""What nodes mount, and by what: user data, or lifecycle actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.once import subnet_id
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.network.subnets import zone_of
from pcs_constructs.constructs.nodes.lifecycle import (
    ExecutionPolicy,
    LifecycleAction,
    LifecycleScript,
)
from pcs_constructs.model.boot import MountClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2

    from pcs_constructs.constructs.file_share import FileShare, MountScripts
    from pcs_constructs.constructs.interfaces import ISharedStorage
    from pcs_constructs.model.boot import Mount

_FORWARDS_LOGS: Final = "configure-cloudwatch-logs"


class Mounting:
    """The file systems of the nodes of one group.

    Args:
        file_systems: What they mount, by mount point.
        scripts: The AWS-maintained scripts that mount what they can; `None` where user data does.
        without_disks: The instance types that have no disks of their own.
        inherited: Whether this is what all nodes of the cluster mount. Then their own disks are
            left out where there are none.
    """

    file_systems: Final[Mapping[str, ISharedStorage]]
    """What is mounted, by mount point."""

    shares: Final[Mapping[str, FileShare]]
    """The same as the nodes see it."""

    def __init__(
        self,
        file_systems: Mapping[str, ISharedStorage],
        *,
        scripts: MountScripts | None,
        without_disks: tuple[str, ...],
        inherited: bool,
    ) -> None:
        self._scripts = scripts
        self._without_disks = without_disks
        shares = {path: storage.file_share for path, storage in file_systems.items()}
        if inherited and without_disks:
            shares = {path: s for path, s in shares.items() if s.client is not MountClient.LOCAL}
        self.shares = shares
        self.file_systems = {path: file_systems[path] for path in shares}
        self._scripted = {
            path: s.script for path, s in shares.items() if scripts and scripts.used and s.script
        }

    @property
    def by_user_data(self) -> tuple[Mount, ...]:
        """What user data mounts."""
        return tuple(s.mount(p) for p, s in self.shares.items() if p not in self._scripted)

    def ordered(self, actions: Sequence[LifecycleAction]) -> tuple[LifecycleAction, ...]:
        """These actions, and those that mount: before all that may want it, after the logs."""
        mounts = self._actions()
        if not mounts:
            return tuple(actions)
        forwards = [
            a for a in actions if (a.script.maintained_file or "").startswith(_FORWARDS_LOGS)
        ]
        return (*forwards, *mounts, *(a for a in actions if a not in forwards))

    def _actions(self) -> tuple[LifecycleAction, ...]:
        if self._scripts is None:
            return ()
        return tuple(
            LifecycleAction(
                # By number, since the path may be a token.
                name=f"Mount {number} {script.name}",
                script=LifecycleScript.maintained_latest(script.name)
                if self._scripts.version is None
                else LifecycleScript.maintained(
                    script.name,
                    version=self._scripts.version,
                    checksum=self._scripts.checksums.get(script.name),
                ),
                arguments=(*script.arguments, "--options", script.options, "--mount-point", path),
                execution_policy=ExecutionPolicy.EVERY_BOOT,
            )
            for number, (path, script) in enumerate(self._scripted.items(), start=1)
        )

    def facts(self, places: Sequence[ec2.ISubnet], *, role: bool) -> Iterator[object]:
        """What the rules are to judge, for nodes in these subnets.

        Args:
            places: Where the nodes are.
            role: Whether their role is known, so that they can be granted what mounting takes.
        """
        # Nodes in the same subnet are in the same zone, and zones need not be asked for.
        here = {subnet_id(place) for place in places}
        servers = {
            path: share.servers_in
            for path, share in self.shares.items()
            if share.servers_in is not None and here != {subnet_id(share.servers_in)}
        }
        targets = {
            path: share.mount_targets_in
            for path, share in self.shares.items()
            if share.mount_targets_in is not None
            and not here <= {subnet_id(subnet) for subnet in share.mount_targets_in}
        }
        if servers or targets:
            yield rules.MountZoneFacts(
                nodes=tuple(dict.fromkeys(zone_of(place) for place in places)),
                servers={path: zone_of(subnet) for path, subnet in servers.items()},
                mount_targets={
                    path: tuple(zone_of(subnet) for subnet in subnets)
                    for path, subnets in targets.items()
                },
            )
        for path, share in self.shares.items():
            yield share.facts(path)
            if share.client is MountClient.LOCAL:
                yield rules.LocalScratchFacts(path=known(path), without=self._without_disks)
        yield rules.MountFacts(paths=tuple(map(known, self.shares)) if self._scripted else ())
        yield rules.MountGrantFacts(
            paths=tuple(known(path) for path, share in self.shares.items() if share.grant),
            role=role,
        )
