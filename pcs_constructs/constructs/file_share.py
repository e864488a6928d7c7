"""A file system as the nodes that mount it see it, whatever kind it is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.once import port_range
from pcs_constructs.constructs._cdk.tokens import known, without_tokens
from pcs_constructs.constructs._cdk.traffic import allow, allow_efa
from pcs_constructs.model.annotations import judge_fields
from pcs_constructs.model.boot import Mount, MountClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import aws_cdk as cdk
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from constructs import Construct, IDependable

    from pcs_constructs.model.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class MountScript:
    """The AWS-maintained script that mounts a file system as a node lifecycle action."""

    name: str
    """Its name without version, such as `mount-efs`."""

    arguments: tuple[str, ...]
    """Its arguments, apart from the mount point and the options."""

    options: str
    """The mount options that it is given; it adds what it needs."""

    def __post_init__(self) -> None:
        judge_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MountScripts:
    """Mounting by the scripts that AWS maintains, as lifecycle actions. Build it with a factory.

    They mount what they can, EFS and Lustre, before Slurm starts, and a node where one fails is
    ended and replaced. User data mounts the rest. They install nothing, so the image must have the
    clients; and they hide what the image has in a mount point, such as the home directory of the
    user that a key pair is for.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
    """

    version: str | None
    """The version of the scripts; `None` is the latest 1.x when a node starts."""

    used: bool = True
    """Whether they mount anything at all."""

    checksums: Mapping[str, str]
    """The SHA-256 of scripts by their names, where it is to be verified."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def pinned(
        cls, version: str = "1.0.0", *, checksums: Mapping[str, str] | None = None
    ) -> MountScripts:
        """One version, whose content does not change.

        Args:
            version: The version. By default the first there was.
            checksums: What is in the `.sha256` files beside the scripts, such as
                `{"mount-efs": "9f86d0..."}`. By default nothing is verified.

        Raises:
            PcsValidationError: PCS003, PCS563, when a checksum is of no script that mounts.
        """
        given = Arguments(MountScripts.pinned, locals())
        by_script = given.mapping("checksums", checksums)
        given.refuse("MountScripts")
        facts = rules.MountScriptsFacts(version=version, checksums=by_script)
        given.problems.extend(rules.errors_in(facts))
        given.refuse("MountScripts")
        return cls(version=version, checksums=by_script)

    @classmethod
    def latest(cls) -> MountScripts:
        """The latest version 1.x when a node starts, with advice: nodes of a group may differ."""
        return cls(version=None, checksums={})

    @classmethod
    def none(cls) -> MountScripts:
        """User data mounts all, in a node group of a cluster that says otherwise."""
        return cls(version=None, checksums={}, used=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileShare:
    """A file system as the nodes that mount it see it. Every kind of storage here has one.

    It is what the `from_...` methods return, and what a construct of your own can have as its
    `file_share` to be used in `mounts`.

    Source: `mount(8)`; Using network file systems with AWS PCS.
    """

    source: str
    """What is mounted, such as `fs-0123456789abcdef0:/`."""

    type: str
    """The type of the file system in `/etc/fstab`, such as `efs`, `lustre` or `nfs`."""

    options: str
    """The mount options, with commas between them."""

    client: MountClient
    """The client software."""

    ports: tuple[Ports, ...] = ()
    """The ports that nodes reach it at."""

    calls_back: bool = False
    """Whether its servers reach nodes at the same ports, as those of Lustre do."""

    efa: bool = False
    """Whether nodes reach it by EFA as well, which wants all traffic between the groups open."""

    security_groups: Sequence[ec2.ISecurityGroup] = ()
    """The security groups of its servers, in which the ports are opened."""

    dependencies: Sequence[IDependable] = ()
    """What must exist before a node can mount it, apart from the file system itself."""

    servers_in: ec2.ISubnet | None = None
    """The subnet that all its servers are in, if they are in one that is known."""

    mount_targets_in: Sequence[ec2.ISubnet] | None = None
    """Where its mount targets are, if only nodes in the same zones can mount it."""

    grant: Callable[[iam.IGrantable], iam.Grant] | None = None
    """What gives nodes the permissions that mounting takes; `None` where it takes none."""

    script: MountScript | None = None
    """The AWS-maintained script that mounts it, if there is one."""

    keep_home: bool = True
    """Whether what the image has in `/home` is copied to it when it is mounted there."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @property
    def file_share(self) -> Self:
        """Itself: a share can be mounted like the construct that it belongs to."""
        return self

    def with_options(self, *options: str) -> FileShare:
        """The same file system, mounted with further options, such as `"ro"`."""
        script = self.script and replace(
            self.script, options=",".join((self.script.options, *options))
        )
        return replace(self, options=",".join((self.options, *options)), script=script)

    def facts(self, path: str) -> rules.FileShareFacts:
        """What the rules are to judge of its being mounted at `path`."""
        source, kind, options = without_tokens((self.source, self.type, self.options))
        return rules.FileShareFacts(
            path=known(path),
            words={"source": source, "type": kind, "options": options},
            local=self.client is MountClient.LOCAL,
        )

    def mount(self, path: str) -> Mount:
        """How a node mounts it at `path`."""
        return Mount(
            path=path,
            source=self.source,
            type=self.type,
            options=self.options,
            client=self.client,
            keep_existing=self.keep_home
            and path == "/home"
            and "ro" not in self.options.split(","),
        )

    def allow_mount_from(
        self, clients: ec2.ISecurityGroup, *, scope: Construct | None = None
    ) -> None:
        """Open its ports between these clients and its servers, and to nobody else.

        Args:
            clients: The security group of the clients.
            scope: Who mounts it, where that is not in the stack of the clients' group. By default
                it is.
        """
        for servers in self.security_groups:
            if self.efa:
                allow_efa(clients, servers)
            for ports in self.ports:
                port = port_range(ports.protocol, ports.first, ports.last)
                allow(clients, servers, port, back=self.calls_back, scope=scope)


def grants_of(
    shares: Iterable[FileShare],
) -> Iterator[Callable[[iam.IGrantable], iam.Grant]]:
    """What gives nodes the permissions to mount these, each once."""
    return iter({id(share): share.grant for share in shares if share.grant is not None}.values())


def depend(
    resource: cdk.CfnResource,
    shares: Iterable[FileShare],
    subnets: Iterable[ec2.ISubnet] = (),
) -> None:
    """Make the resource wait for mount targets, and for the ways out of these subnets."""
    dependencies = [d for share in shares for d in share.dependencies]
    dependencies += [subnet.internet_connectivity_established for subnet in subnets]
    if dependencies:
        resource.node.add_dependency(*dependencies)
