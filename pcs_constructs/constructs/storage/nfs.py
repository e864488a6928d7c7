"""Any NFS server that nodes can reach."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.file_share import FileShare
from pcs_constructs.model.boot import MountClient
from pcs_constructs.model.file_systems import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2

    from pcs_constructs.model.ports import Ports

# What nfs(5) says is the default, and AWS recommends for its own servers, whatever the image has in
# /etc/nfsmount.conf. Sizes are negotiated. Not noresvport, which AWS recommends for EFS: a Linux
# server refuses ports above 1023 unless its export says `insecure`.
_OPTIONS: Final = ("hard", "timeo=600", "retrans=2")


class NfsVersion(Enum):
    """A version of NFS.

    Source: `nfsvers` in `nfs(5)`.
    """

    V3 = "3"
    V4_0 = "4.0"
    V4_1 = "4.1"
    V4_2 = "4.2"


class NfsStorage:
    """A file system of an NFS server that is there already, on AWS or elsewhere.

    `mounts={"/tools": pcs.NfsStorage(host="10.0.0.5", export="/export/tools")}`

    Resources:
        None; rules in `security_group`, if it is given.

    Security:
        NFS is not encrypted in transit. With `security_group` its ports are opened to the nodes
        that mount it, and to nobody else.

    Args:
        host: Its DNS name, IPv4 address, or IPv6 address in brackets.
        export: What is mounted, an absolute path; `/` with NFS 4 is all that is exported.
        version: The version of NFS. By default the newest that both sides speak.
        options: The mount options in the place of `hard`, `timeo=600` and `retrans=2`, which AWS
            recommends. `_netdev` and the version are added. For a server that takes any source
            port, `noresvport` lets nodes reconnect sooner.
        security_group: The group of the server, in which ports are opened to nodes. By default the
            server is reached without.
        ports: The ports to open there. By default TCP port 2049, and for NFS 3 none is known.
        keep_home: Whether what the image has in `/home` is copied to it when it is mounted there,
            which takes an export with `no_root_squash`. By default not.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: `nfs(5)`; Mounting considerations for Linux in the Amazon EFS User Guide.
    """

    file_share: Final[FileShare]
    """It as the nodes see it."""

    def __init__(
        self,
        *,
        host: str,
        export: str,
        version: NfsVersion | None = None,
        options: Sequence[str] | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        ports: Sequence[Ports] | None = None,
        keep_home: bool = False,
    ) -> None:
        given = Arguments(NfsStorage.__init__, locals())
        chosen = _OPTIONS if options is None else given.items("options", options)
        opened = None if ports is None else given.items("ports", ports)
        given.refuse("NfsStorage")
        facts = rules.NfsFacts(
            host=known(host),
            export=known(export),
            version=version.value if version else None,
            options=tuple(known(option) for option in chosen),
            ports=None if opened is None else tuple((p.first, p.last) for p in opened),
            security_group=security_group is not None,
        )
        given.problems.extend(rules.errors_in(facts))
        given.refuse("NfsStorage")
        added = ["_netdev", *([f"nfsvers={version.value}"] if version else [])]
        self.file_share = FileShare(
            source=f"{host}:{export}",
            type="nfs",
            options=",".join([*added, *(option for option in chosen if option != "_netdev")]),
            client=MountClient.NFS,
            ports=KINDS["NFS"].ports if opened is None else opened,
            security_groups=(security_group,) if security_group else (),
            keep_home=keep_home,
        )
