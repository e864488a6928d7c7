"""The kinds of file systems: what they are called, what they are in templates, and their ports.

A kind more is a row here, a construct, its rules and its facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pcs_constructs.model.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileSystemKind(NamedTuple):
    """One kind of file system."""

    name: str
    """What people call it."""

    ports: tuple[Ports, ...]
    """Where nodes reach its servers."""

    resources: tuple[str, ...] = ()
    """The types of resources that are of this kind, in CloudFormation."""

    parts: tuple[str, ...] = ()
    """The types of resources that are parts of one, or of a part."""

    configuration: str = ""
    """The property with what only this kind has."""

    calls_back: bool = False
    """Whether its servers reach nodes, and each other, at the same ports."""


EFS: Final = "AWS::EFS::FileSystem"
ACCESS_POINT: Final = "AWS::EFS::AccessPoint"
MOUNT_TARGET: Final = "AWS::EFS::MountTarget"
FSX: Final = "AWS::FSx::FileSystem"
FILE_CACHE: Final = "AWS::FSx::FileCache"
REPOSITORY: Final = "AWS::FSx::DataRepositoryAssociation"
VIRTUAL_MACHINE: Final = "AWS::FSx::StorageVirtualMachine"
VOLUME: Final = "AWS::FSx::Volume"

_NFS: Final = Ports(first=2049, last=2049)

KINDS: Final[Mapping[str, FileSystemKind]] = {
    "EFS": FileSystemKind(
        name="EFS",
        resources=(EFS,),
        parts=(ACCESS_POINT, MOUNT_TARGET),
        ports=(_NFS,),
    ),
    "LUSTRE": FileSystemKind(
        name="Lustre",
        resources=(FSX, FILE_CACHE),
        parts=(REPOSITORY,),
        configuration="LustreConfiguration",
        ports=(Ports(first=988, last=988), Ports(first=1018, last=1023)),
        calls_back=True,
    ),
    "OPENZFS": FileSystemKind(
        name="OpenZFS",
        resources=(FSX,),
        parts=(VOLUME,),
        configuration="OpenZFSConfiguration",
        ports=tuple(
            Ports(protocol=protocol, first=first, last=last)
            for first, last in ((111, 111), (2049, 2049), (20001, 20003))
            for protocol in ("tcp", "udp")
        ),
    ),
    "ONTAP": FileSystemKind(
        name="ONTAP",
        resources=(FSX,),
        parts=(VIRTUAL_MACHINE, VOLUME),
        configuration="OntapConfiguration",
        ports=(_NFS,),
    ),
    "NFS": FileSystemKind(
        name="NFS",
        ports=(_NFS,),
    ),
    "WINDOWS": FileSystemKind(
        name="SMB",
        resources=(FSX,),
        ports=(Ports(first=445, last=445),),
    ),
}
"""By what `FileSystemType` and `FileCacheType` of FSx say, and `EFS` and `NFS` beside them.

Source: Creating security groups, in the Amazon EFS User Guide; File system access control with
Amazon VPC, in the FSx User Guides of Lustre, OpenZFS, ONTAP and Windows File Server.
"""

RESOURCES: Final = tuple(
    dict.fromkeys(type_ for kind in KINDS.values() for type_ in kind.resources)
)
"""The types of resources that are file systems."""

PARTS: Final = tuple(dict.fromkeys(name for kind in KINDS.values() for name in kind.parts))
"""The types of resources that are parts of file systems."""

OWNERS: Final[tuple[tuple[str, ...], ...]] = (
    ("FileSystemId",),
    ("OpenZFSConfiguration", "ParentVolumeId"),
    ("OntapConfiguration", "StorageVirtualMachineId"),
)
"""Where a part says of what it is one."""
