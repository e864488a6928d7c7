"""What a node does when it boots: its user data, and the mounting of shared file systems.

User data is text with holes. Whatever comes in here may hold CDK tokens, so values are only ever
put next to each other: nothing is measured, escaped, wrapped or encoded, and every token leaves as
it came.

The mounts are one small systemd service that the Slurm daemon requires:

- ``/opt/pcs-constructs/mount.sh`` installs missing client software, mounts, writes ``/etc/fstab``;
- ``pcs-constructs-mounts.service`` runs it once a boot;
- drop-ins for ``slurmd.service`` make slurmd wait for that service, and keep it from starting
  while a mount point is not mounted.

So it does not matter in which order cloud-init and the PCS agent do their work, and a node that
lacks a file system never takes a job, neither at its first boot nor after a reboot.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from enum import Enum
from itertools import count
from textwrap import indent
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.annotations import judge_fields

if TYPE_CHECKING:
    from collections.abc import Sequence


class MountClient(Enum):
    """The client software that a mount needs, installed at boot where the image lacks it."""

    EFS = "efs"
    """The Amazon EFS client, ``amazon-efs-utils``."""

    LUSTRE = "lustre"
    """The Lustre client: ``mount.lustre`` and its kernel modules."""

    NFS = "nfs"
    """The NFS client of the operating system."""

    LOCAL = "local"
    """None: the disks of the instance, striped and formatted where they are not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One shared file system and where it is mounted: its line in ``/etc/fstab``, and its client.

    Every field is one word without quotes or white space. All but ``path`` may hold CDK tokens.

    Args:
        path: The mount point, an absolute path. Mount points may be nested; parents are mounted
            first.
        source: What is mounted, such as ``fs-0123456789abcdef0:/``.
        type: The file system type, such as ``efs``, ``lustre`` or ``nfs4``.
        options: The mount options, with commas between them. ``x-systemd.automount`` and
            ``nofail`` do not belong here: with the first, systemd takes the mount point for
            mounted when it is not, and with the second it no longer waits for the mount at boot.
            Local disks have ``nofail``: there is nothing to wait for until the script made it.
        client: The client software.
        keep_existing: Whether the files and directories that the image has directly under
            ``path``, such as ``/home/ubuntu``, are copied to the shared file system. A name that
            exists there already is left alone. By default the mount hides them.
    """

    path: str
    source: str
    type: str
    options: str
    client: MountClient
    keep_existing: bool = False

    def __post_init__(self) -> None:
        judge_fields(self)


@dataclass(frozen=True, slots=True)
class UserDataPart:
    r"""A part of the user data that you add: cloud-config, a shell script or a boothook.

    The text may hold CDK tokens. Keep it to ASCII, because cloud-init garbles other characters in
    multipart user data. Line endings become ``\n``. See "User-data formats" in the cloud-init
    documentation.

    Args:
        content_type: The content type, one of the three that the factories set.
        text: The text of the part.
    """

    content_type: str
    text: str

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def cloud_config(cls, text: str) -> UserDataPart:
        """Cloud-config YAML, starting with the line ``#cloud-config``.

        Its commands run after the mounts. Lists such as ``runcmd`` and ``write_files`` are
        appended to those of the parts before it; of a plain value the first one counts. A
        ``merge_how`` in the text changes that.
        """
        return cls("text/cloud-config", text)

    @classmethod
    def shell_script(cls, text: str) -> UserDataPart:
        """A script, starting with ``#!``, that runs once, after the mounts and before slurmd."""
        return cls("text/x-shellscript", text)

    @classmethod
    def boothook(cls, text: str) -> UserDataPart:
        """A script, starting with ``#!``, that runs at every boot, early and before the mounts."""
        return cls("text/cloud-boothook", text)


def user_data(mounts: Sequence[Mount], parts: Sequence[UserDataPart] = ()) -> str:
    """The raw user data of a node, a MIME multipart document: same input, same text.

    Our cloud-config is the last part but prepends its lists: its commands run first, and no other
    part can replace them. Without mounts it is left out; with nothing to do the text is empty.

    Args:
        mounts: The file systems to mount, in any order, each mount point once.
        parts: Your own parts, which keep their order.

    See "Working with Amazon EC2 user data" in the AWS PCS user guide.
    """
    all_parts = list(parts)
    if mounts:
        if any(part.content_type == "text/x-shellscript" for part in parts):
            all_parts.insert(0, UserDataPart.shell_script(_MOUNT_FIRST))
        all_parts.append(UserDataPart.cloud_config(_cloud_config(mounts)))
    if not all_parts:
        return ""

    document = Message()
    document["MIME-Version"] = "1.0"
    document["Content-Type"] = f'multipart/mixed; boundary="{_boundary(all_parts)}"'
    document.set_payload([_message(part) for part in all_parts])
    return document.as_string()


def _message(part: UserDataPart) -> Message:
    message = Message()
    message["Content-Type"] = f'{part.content_type}; charset="utf-8"'
    if part.content_type == "text/cloud-config":
        message["Merge-Type"] = _APPEND
    message.set_payload(part.text + "\n")  # PCS wants a blank line before each boundary
    return message


def _boundary(parts: Sequence[UserDataPart]) -> str:
    candidates = (f"==pcs-constructs-{n}==" for n in count(1))
    return next(b for b in candidates if not any(b in part.text for part in parts))


def _cloud_config(mounts: Sequence[Mount]) -> str:
    # A parent sorts before its children. What is written in the place of a token is not stable.
    ordered = sorted(mounts, key=lambda mount: "" if "${Token[" in mount.path else mount.path)
    return _CLOUD_CONFIG.format(
        merge_how=_PREPEND,
        script=indent(_script(ordered), "    "),
        asserts="\n".join(f"    AssertPathIsMountPoint={mount.path}" for mount in ordered),
    )


def _script(mounts: Sequence[Mount]) -> str:
    clients = [client for client in MountClient if any(m.client is client for m in mounts)]
    blocks = [_PROLOGUE, *(_INSTALL[client] for client in clients), _MOUNT]
    if any(mount.keep_existing for mount in mounts):
        blocks.append(KEEP_EXISTING)
    for m in mounts:
        blocks.append(f"mount_at '{m.path}' '{m.source}' '{m.type}' '{m.options}'")
        if m.client is MountClient.LOCAL:
            blocks.append(f"chmod 1777 '{m.path}'")
        if m.keep_existing:
            blocks.append(f"keep_existing '{m.path}'")
    return "\n".join(blocks)


# How cloud-init merges a cloud-config part with those before it. By default a later `runcmd`
# replaces an earlier one. The header serves for text that we must not look into; `merge_how`
# holds even where headers get lost.
_APPEND: Final = "list(append)+dict(recurse_list)+str()"
_PREPEND: Final = "list(prepend)+dict(recurse_list)+str()"

# cloud-init runs shell scripts and the `runcmd` script in the order of their names: part-001, ...,
# runcmd.
_MOUNT_FIRST: Final = """\
#!/bin/sh
# The scripts that follow find the shared file systems mounted.
systemctl daemon-reload
systemctl start pcs-constructs-mounts.service
"""

# - slurmd.service is what the PCS agent starts; the Slurm installer names the file
#   slurmd-<version>.service, which the drop-in directory with the trailing dash covers.
# - KillMode=process spares the TLS tunnels that mount.efs starts.
# - needrestart, which Ubuntu runs after unattended upgrades, would end every job of the node.
# - What failed before a script of the user's is not tried again: AWS PCS gives a node half an hour.
# - After=remote-fs.target: at a reboot systemd mounts what is in fstab, then the script tries again
#   what failed.
_CLOUD_CONFIG: Final = """\
#cloud-config
merge_how: {merge_how}
write_files:
- path: /opt/pcs-constructs/mount.sh
  permissions: "0755"
  content: |
{script}
- path: /etc/systemd/system/pcs-constructs-mounts.service
  content: |
    [Unit]
    Description=Mount the shared file systems
    Wants=network-online.target
    After=network-online.target remote-fs.target
    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/bin/sh /opt/pcs-constructs/mount.sh
    TimeoutStartSec=900
    KillMode=process
    StandardOutput=journal+console
    [Install]
    WantedBy=multi-user.target
- path: /etc/systemd/system/slurmd.service.d/pcs-constructs-mounts.conf
  content: &guard |
    [Unit]
    Requires=pcs-constructs-mounts.service
    After=pcs-constructs-mounts.service
{asserts}
- path: /etc/systemd/system/slurmd-.service.d/pcs-constructs-mounts.conf
  content: *guard
- path: /etc/needrestart/conf.d/pcs-constructs.conf
  content: |
    $nrconf{{override_rc}}{{qr(^slurmd)}} = 0;
runcmd:
- systemctl daemon-reload
- systemctl enable pcs-constructs-mounts.service
- if systemctl is-failed --quiet pcs-constructs-mounts.service; then exit 1; fi
- systemctl start pcs-constructs-mounts.service || exit 1
"""

_PROLOGUE: Final = """\
#!/bin/sh
# Mounts the shared file systems of this node. Safe to run again.
set -eu
. /etc/os-release
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
deadline=$(($(date +%s) + 600))

fail() {
  echo "pcs-constructs: $*, so slurmd will not start" >&2
  exit 1
}
retry() {
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 5
  done
}
"""

# `set -e` does not hold inside `retry`, hence the `&&`. Only Amazon Linux has amazon-efs-utils in
# its repositories; for other systems AWS has an installer, which adds AWS's package repository.
# `yum` is there on everything that is not Ubuntu.
_INSTALL: Final = {
    MountClient.EFS: """\
install_efs() {
  if [ "$ID" = amzn ]; then
    yum install -y amazon-efs-utils
  else
    url=https://amazon-efs-utils.aws.com/efs-utils-installer.sh
    curl -fsS -o /run/efs-utils-installer.sh $url && sh /run/efs-utils-installer.sh --install
  fi
}
command -v mount.efs || retry install_efs || fail "cannot install amazon-efs-utils"
""",
    MountClient.LUSTRE: """\
install_lustre() {
  repo=https://fsx-lustre-client-repo
  keys=$repo-public-keys.s3.amazonaws.com
  case "$ID $VERSION_ID" in
    "amzn 2") amazon-linux-extras install -y lustre ;;
    amzn*) yum install -y lustre-client ;;
    ubuntu*)
      key=/usr/share/keyrings/fsx-ubuntu-public-key.asc
      curl -fsS -o $key $keys/fsx-ubuntu-public-key.asc &&
        echo "deb [signed-by=$key] $repo.s3.amazonaws.com/ubuntu $VERSION_CODENAME main" \\
          >/etc/apt/sources.list.d/fsxlustreclientrepo.list &&
        apt-get update && apt-get install -y "lustre-client-modules-$(uname -r)" ;;
    *)
      rpm --import $keys/fsx-rpm-public-key.asc &&
        curl -fsS -o /etc/yum.repos.d/aws-fsx.repo \\
          "$repo.s3.amazonaws.com/el/${VERSION_ID%%.*}/fsx-lustre-client.repo" &&
        yum install -y kmod-lustre-client lustre-client ;;
  esac
}
{ command -v mount.lustre && modprobe -n lustre; } || retry install_lustre ||
  fail "cannot install the Lustre client"
""",
    MountClient.NFS: """\
install_nfs() {
  if [ "$ID" = ubuntu ]; then
    apt-get update && apt-get install -y nfs-common
  else
    yum install -y nfs-utils
  fi
}
command -v mount.nfs || retry install_nfs || fail "cannot install the NFS client"
""",
    # The label tells whether there is something to do: not after a reboot, which leaves the disks
    # as they are. udev lists a disk under several names.
    MountClient.LOCAL: """\
install_mdadm() {
  if [ "$ID" = ubuntu ]; then
    apt-get update && apt-get install -y mdadm
  else
    yum install -y mdadm
  fi
}
make_local() {
  udevadm settle
  if blkid -L pcs-local; then return; fi
  # Images for deep learning have made a volume of their own of all local disks before this runs.
  if systemctl cat dlami-nvme.service; then
    systemctl disable --now dlami-nvme.service || :
    umount /opt/dlami/nvme || :
    vgremove -fy vg.01 || :
  fi
  set --
  for link in /dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_*; do
    disk=$(readlink -f "$link")
    case " $* $link" in *" $disk "* | *-part[0-9]* | *\\*) continue ;; esac
    wipefs -a "$disk"
    set -- "$@" "$disk"
  done
  [ $# -gt 0 ] || fail "this instance has no local disks"
  disk=$1
  if [ $# -gt 1 ]; then
    disk=/dev/md/pcs-local
    command -v mdadm || retry install_mdadm || fail "cannot install mdadm"
    mdadm --create $disk --run --level=0 --raid-devices=$# "$@" || fail "cannot stripe $*"
  fi
  mkfs.xfs -f -K -L pcs-local "$disk" || fail "cannot format $disk"
  udevadm settle
}
make_local
""",
}

# The line goes into fstab after the mount, so it stands for one that worked. Any other line for
# the mount point is dropped: an image made from a node of another cluster has that cluster's.
_MOUNT: Final = """\
mount_at() {
  line="$2 $1 $3 $4 0 0"
  if grep -qxF "$line" /etc/fstab && mountpoint -q "$1"; then return; fi
  echo "pcs-constructs: mounting $2 at $1"
  mkdir -p "$1"
  retry timeout 60 mount -t "$3" -o "$4" "$2" "$1" || fail "cannot mount $2 at $1"
  awk -v path="$1" '$2 != path' /etc/fstab >/etc/fstab.new
  printf '%s\\n' "$line" >>/etc/fstab.new
  mv /etc/fstab.new /etc/fstab
  systemctl daemon-reload
}
"""

# A bind mount of / shows what the mount hides. It is made in a mount namespace that ends with the
# shell in it, so that nothing is left mounted, whatever happens. Each name is copied aside and then
# moved into place, so that another node never sees half of it. `cp -an` over the whole tree would
# give directories that exist already the image's owner and mode, and its exit status varies.
# Last, the key pair of a node that starts later, or a new one, has to reach home directories that
# are shared already. Those are their owners': the key is written as the owner, through no link and
# into nothing but a file, or it is not written. What cannot be copied is told and left out.
KEEP_EXISTING: Final = """\
keep_existing() {
  image=$(mktemp -d)
  unshare --mount sh -s "$1" "$image" <<'END' || echo "pcs-constructs: kept nothing in $1" >&2
add='cd "$1" && [ ! -L .ssh ] || exit 1
[ -d .ssh ] || mkdir -m 700 .ssh || exit 1
keys=.ssh/authorized_keys
[ ! -L $keys ] && { [ -f $keys ] || [ ! -e $keys ]; } || exit 1
umask 077 && touch $keys && new=$(grep -vxFf $keys) || exit 0
[ -z "$(tail -c 1 $keys)" ] || echo >>$keys
printf "%s\\n" "$new" >>$keys'
skip() { printf '%s\\n' "pcs-constructs: $1 is not as in the image" >&2; }
mount --bind / "$2" || exit 1
for old in "$2$1"/* "$2$1"/.[!.]*; do
  name=${old##*/}
  if [ ! -e "$old" ] || [ -e "$1/$name" ] || [ -L "$1/$name" ]; then continue; fi
  new=$(mktemp -d -p "$1") || { skip "$1/$name"; continue; }
  if cp -a "$old" "$new/"; then mv -nT "$new/$name" "$1/$name" || :; else skip "$1/$name"; fi
  rm -rf "$new"
done
for keys in "$2$1"/*/.ssh/authorized_keys; do
  home=$1/${keys#"$2$1/"}
  home=${home%/.ssh/*}
  if [ ! -s "$keys" ] || [ ! -d "$home" ] || [ -L "$home" ]; then continue; fi
  owner=$(stat -c %u "$home") group=$(stat -c %g "$home")
  if [ "$owner" = 0 ]; then continue; fi
  timeout 30 setpriv --reuid "$owner" --regid "$group" --clear-groups \
    sh -c "$add" sh "$home" <"$keys" || skip "$home/.ssh/authorized_keys"
done
END
  rmdir "$image"
}
"""
