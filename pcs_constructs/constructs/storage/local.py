"""The disks of the instances themselves."""

from __future__ import annotations

from typing import Final

from pcs_constructs.constructs.file_share import FileShare
from pcs_constructs.model.boot import MountClient


class LocalScratch:
    """The local NVMe disks of each node, striped into one file system that only this node sees.

    `mounts={"/local": pcs.LocalScratch()}` on a cluster mounts it on the node groups whose
    instance types have local disks, and leaves the others alone. Everybody may write there, as in
    `/tmp`. It outlives a reboot and goes with the instance.

    Resources:
        None.

    Security:
        The disks are encrypted by their hardware, with a key that is lost with the instance.

    Raises:
        PcsValidationError: PCS558, from a node group that names it and has types without disks.

    Source: SSD instance store volumes for EC2 instances.
    """

    file_share: Final[FileShare]
    """It as the node sees it."""

    def __init__(self) -> None:
        # Without nofail, a stopped node would come back with empty disks and wait for ever.
        self.file_share = FileShare(
            source="LABEL=pcs-local",
            type="xfs",
            options="noatime,nofail,x-systemd.device-timeout=5",
            client=MountClient.LOCAL,
            keep_home=False,
        )
