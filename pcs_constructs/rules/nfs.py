"""Rules for NFS servers."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import SPOILS_BOOT, UNSAFE
from pcs_constructs.rules.rule import error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is not one word in /etc/fstab and, between single quotes, in a shell script inside YAML.
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_-]+)*\.?")


@facts_record
class NfsFacts:
    """What is said of an NFS server."""

    host: str | Unknown
    export: str | Unknown
    version: str | None = None
    """The version of NFS, where one is named."""
    options: tuple[str | Unknown, ...] = ()
    """The mount options of the user."""
    ports: tuple[tuple[int, int], ...] | None = None
    """The first and last port of each range, where ports are named."""
    security_group: bool = False
    """Whether ports are opened in a group."""


@error("PCS555", NfsFacts)
def nfs_server_is_named(facts: NfsFacts) -> Iterator[Violation]:
    """An NFS server is a DNS name or an address, and its export an absolute path.

    Both become one word of `/etc/fstab`, and the shell and YAML see them on the way: no quotes,
    white space, backslashes or `$`. An IPv6 address is in brackets, because of its colons.

    Source: `nfs(5)`; `fstab(5)`.
    """
    if facts.host is not UNKNOWN and not _is_host(facts.host):
        yield Violation(
            "host",
            f"{facts.host!r} is neither a name nor an address",
            "write one like 'nfs.example.com', '10.0.0.5' or '[fd00::5]'",
        )
    if facts.export is not UNKNOWN and (
        not facts.export.startswith("/") or UNSAFE.search(facts.export)
    ):
        yield Violation(
            "export",
            f"{facts.export!r} cannot be mounted",
            "write an absolute path such as '/export/tools', in plain characters",
        )


def _is_host(host: str) -> bool:
    try:
        if host.startswith("[") and host.endswith("]"):
            IPv6Address(host[1:-1])
        elif re.fullmatch(r"[0-9.]+", host):
            IPv4Address(host)
        else:
            return len(host) <= 253 and _NAME.fullmatch(host) is not None
    except ValueError:
        return False
    return "%" not in host  # the zone of an address: each node may have another interface


@error("PCS556", NfsFacts)
def nfs_options_suit_a_node(facts: NfsFacts) -> Iterator[Violation]:
    """The mount options of an NFS server are plain words, and do not spoil the boot of a node.

    Options with quotes, white space, backslashes or `$` would not reach `/etc/fstab` as they are.
    With `x-systemd.automount` systemd takes the mount point for mounted when it is not, with
    `nofail` it no longer waits for it, and with `bg` the mount is not there when `mount` returns.
    The version is said by `version`.

    Source: `nfs(5)`; `systemd.mount(5)`.
    """
    for text in facts.options:
        if text is UNKNOWN:
            continue
        for option in text.split(","):
            name = option.partition("=")[0]
            if not option or UNSAFE.search(option):
                yield Violation(
                    "options",
                    f"{option!r} is no mount option",
                    "write options such as 'rsize=1048576', in plain characters",
                )
            elif name in SPOILS_BOOT:
                yield Violation(
                    "options",
                    f"{option!r} lets a node start without the file system",
                    "leave it out",
                )
            elif name in {"nfsvers", "vers", "minorversion"}:
                yield Violation(
                    "options", f"has {option!r}", "leave it out, and write version=NfsVersion.V4_1"
                )


@error("PCS557", NfsFacts)
def nfs_ports_are_open(facts: NfsFacts) -> Iterator[Violation]:
    """The ports of an NFS server are named where the default, 2049, is not enough to reach it.

    Ports are opened in a security group, so they are named together with one. NFS 3 uses more than
    2049: 111, and those of mountd, statd and lockd, which differ from server to server.
    `rpcinfo -p` on the server lists them.

    Source: `nfs(5)`; `rpcinfo(8)`.
    """
    if not facts.security_group:
        if facts.ports is not None:
            yield Violation(
                "ports",
                "are named, and no security group to open them in",
                "give security_group as well, or leave ports out",
            )
        return
    if facts.ports is None:
        if facts.version == "3":
            yield Violation(
                "ports",
                "are not known of an NFS 3 server",
                "give those that rpcinfo -p lists, such as [Ports(first=111, last=111), ...]",
            )
        return
    if not facts.ports:
        yield Violation("ports", "names no port", "leave ports out to open 2049")
    for first, last in facts.ports:
        if not 1 <= first <= last <= 65_535:
            yield Violation(
                "ports",
                f"{first} to {last} is no range of ports",
                "write it like Ports(first=2049, last=2049)",
            )
