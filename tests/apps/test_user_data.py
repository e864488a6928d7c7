"""What others make of the user data: of every app, and of every kind of mount.

The judges are Python's e-mail parser, Debian's cloud-init, shellcheck and two shells; and the mount
script runs twice where everything that it would do to a node is done to a directory. That the
library renders what it means to is for tests/unit/test_boot.py.
"""

from __future__ import annotations

import email.policy
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pcs_constructs.model.boot import Mount, MountClient, UserDataPart, user_data
from pcs_constructs.rules.boot import USER_DATA_LIMIT
from tests.apps.conftest import APPS, Synthesized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What is judged.

_FILE_SYSTEMS = {
    MountClient.EFS: ("fs-0123456789abcdef0:/", "efs", "_netdev,noresvport,tls"),
    MountClient.LUSTRE: (
        "fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com@tcp:/a1b2cbev",
        "lustre",
        "_netdev,noatime,flock",
    ),
    MountClient.NFS: ("[fd00::5]:/export/a#b,c=d", "nfs", "_netdev,nfsvers=4.1,hard"),
    MountClient.LOCAL: ("LABEL=pcs-local", "xfs", "noatime,nofail"),
}

_PARTS = {
    "cloud-config": UserDataPart.cloud_config(
        "#cloud-config\npackages: [jq]\nruncmd:\n- echo ready\n- [logger, -t, boot, ready]\n"
    ),
    "shell": UserDataPart.shell_script('#!/bin/bash\nset -euo pipefail\n[[ -d "$HOME" ]]'),
    "boothook": UserDataPart.boothook("#!/bin/sh\necho early >/run/early\n"),
}


def _mount(client: MountClient, path: str, *, keep: bool = False) -> Mount:
    source, type_, options = _FILE_SYSTEMS[client]
    return Mount(
        path=path, source=source, type=type_, options=options, client=client, keep_existing=keep
    )


_SEVERAL = [_mount(client, f"/shared/{client.value}") for client in MountClient] + [
    _mount(MountClient.EFS, "/home", keep=True)
]

_MATRIX = {
    **{
        f"{client.value}{' and what was there' if keep else ''}": user_data(
            [_mount(client, "/home", keep=keep)]
        )
        for client in MountClient
        for keep in (False, True)
    },
    "several": user_data(_SEVERAL),
    **{f"with {kind}": user_data(_SEVERAL[:1], [part]) for kind, part in _PARTS.items()},
    "with parts of each kind": user_data(_SEVERAL, [*_PARTS.values(), *_PARTS.values()]),
    "parts alone": user_data([], list(_PARTS.values())),
}


@dataclass(frozen=True)
class Document:
    """Some user data as EC2 hands it to a node."""

    name: str
    text: str

    def parts(self) -> Iterator[tuple[str, str]]:
        """Content type and text of each part, as the e-mail parser finds them."""
        message = message_from_bytes(self.text.encode(), policy=email.policy.default)
        assert message.get_content_type() == "multipart/mixed", self.name
        assert message.defects == [], self.name
        for part in message.iter_parts():
            assert part.defects == [], self.name
            yield part.get_content_type(), part.get_content()

    def cloud_configs(self) -> Iterator[str]:
        return (text for type_, text in self.parts() if type_ == "text/cloud-config")

    def files(self) -> dict[str, str]:
        """The files that it writes, by their paths."""
        configs = [yaml.safe_load(config) for config in self.cloud_configs()]
        return {f["path"]: f["content"] for c in configs for f in c.get("write_files", [])}

    def scripts(self) -> Iterator[str]:
        """Everything that a shell will read."""
        parts = [text for type_, text in self.parts() if type_ != "text/cloud-config"]
        yield from filter(_SHELL_SCRIPT.match, [*parts, *self.files().values()])
        for config in self.cloud_configs():
            commands = yaml.safe_load(config).get("runcmd", [])
            lines = [c if isinstance(c, str) else shlex.join(c) for c in commands]
            yield "\n".join(["#!/bin/sh", *lines, ""])  # as cloud-init writes them


_SHELL_SCRIPT = re.compile(r"#!.*\b(?:ba|da)?sh\b")
_HOLES = {"AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}


def _filled(value: Any) -> str:
    """The text of a template with something in the place of what only a deployment knows."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, items = value["Fn::Join"]
        return separator.join(map(_filled, items))
    return _HOLES.get(value.get("Ref"), "value-0123456789abcdef0")


def _user_data_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "UserData":
                yield _filled(inner["Fn::Base64"])
            else:
                yield from _user_data_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _user_data_in(inner)


@pytest.fixture(scope="module")
def of_apps(synthesized: Callable[[str], Synthesized]) -> list[Document]:
    """The user data of every app."""
    return [
        Document(f"{name}: {logical_id}", text)
        for name in sorted(APPS)
        for template in synthesized(name).templates.values()
        for logical_id, resource in template["Resources"].items()
        for text in _user_data_in(resource)
    ]


@pytest.fixture(scope="module")
def documents(of_apps: list[Document]) -> list[Document]:
    """All of it."""
    return [*of_apps, *(Document(name, text) for name, text in _MATRIX.items())]


def _files(directory: Path, suffix: str, texts: dict[str, str]) -> list[Path]:
    """Each text in a file, once, by one of its names."""
    files = []
    for text, name in {text: name for name, text in texts.items()}.items():
        files.append(directory / f"{len(files)} {re.sub('[^A-Za-z0-9 ]', '', name)}{suffix}")
        files[-1].write_text(text, encoding="utf-8")
    return files


def _installed(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed")
    return path


def _output(*command: str | Path) -> tuple[int, str]:
    run = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return run.returncode, run.stdout


# The judges.


def test_every_app_with_mounts_is_judged(of_apps: list[Document]) -> None:
    assert {document.name.partition(":")[0] for document in of_apps} >= {
        "getting_started",
        "gpu_training",
    }


def test_mail_parsers_find_every_part_and_no_defect(documents: list[Document]) -> None:
    for document in documents:
        types = [type_ for type_, text in document.parts() if text.strip()]
        assert len(types) == document.text.count("\nContent-Type: ") - 1, document.name
        assert set(types) <= {part.content_type for part in _PARTS.values()}, document.name


def test_user_data_is_small_and_ascii_with_everything_filled_in(documents: list[Document]) -> None:
    for document in documents:
        assert document.text.isascii(), document.name
        assert len(document.text) <= USER_DATA_LIMIT, document.name
        assert "${Token" not in document.text, document.name


# The command `cloud-init schema` for one file after the other, in one process.
_SCHEMA = """
import sys
from cloudinit.config.schema import get_parser, handle_schema_args
for file in sys.argv[1:]:
    try:
        handle_schema_args("schema", get_parser().parse_args(["--config-file", file]))
    except SystemExit as end:
        if end.code:
            print("Refused:", file)
"""


def test_cloud_init_accepts_every_cloud_config(documents: list[Document], tmp_path: Path) -> None:
    command = Path(_installed("cloud-init"))
    python = command.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#!").split()
    texts = {
        f"{document.name} {number}": text
        for document in documents
        for number, text in enumerate(document.cloud_configs())
    }
    files = _files(tmp_path, ".yaml", texts)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("#cloud-config\nwrite_files: [{content: no path}]\n", encoding="utf-8")
    _, output = _output(*python, "-c", _SCHEMA, *files, wrong)
    refused = [line for line in output.splitlines() if line.startswith("Refused: ")]
    assert refused == [f"Refused: {wrong}"], output
    assert output.count("Valid ") == len(files), output


@pytest.fixture(scope="module")
def scripts(documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every shell script in a file."""
    texts = {
        f"{document.name} {number}": text
        for document in documents
        for number, text in enumerate(document.scripts())
    }
    return _files(tmp_path_factory.mktemp("scripts"), ".sh", texts)


def test_shellcheck_finds_nothing_in_any_script(scripts: list[Path]) -> None:
    # SC1091: /etc/os-release is not there to be followed on every machine.
    found, output = _output(_installed("shellcheck"), "--exclude=SC1091", *scripts)
    assert found == 0, output


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_shells_can_parse_every_script(scripts: list[Path], shell: str) -> None:
    for_any = [s for s in scripts if shell == "bash" or "bash" not in s.open().readline()]
    each = f'for script; do {_installed(shell)} -n "$script" || failed=1; done; exit ${{failed-0}}'
    failed, output = _output("sh", "-c", each, "sh", *for_any)
    assert failed == 0, output


# The node.

_OS_RELEASE = {
    "Amazon Linux 2023": """\
NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023.9.20250929"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2023"
""",
    "Ubuntu 24.04": """\
PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
""",
    "RHEL 9": """\
NAME="Red Hat Enterprise Linux"
VERSION="9.6 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.6"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"
""",
}

# What is different on Ubuntu: /bin/sh, which is bash elsewhere, the package manager, directories.
_SHELLS = {"Ubuntu 24.04": ["dash"]}
_PACKAGE_MANAGERS = {"Ubuntu 24.04": ["apt-get"]}
_DIRECTORIES = {"Ubuntu 24.04": ["etc/apt/sources.list.d", "usr/share/keyrings"]}

_REAL = (
    *("awk", "cat", "chmod", "cp", "grep", "ln", "mkdir", "mktemp", "mv"),
    *("readlink", "rm", "rmdir", "sh", "tail", "timeout", "touch"),
)
_STAND_INS = (
    *("blkid", "curl", "date", "mkfs.xfs", "modprobe", "mount", "mountpoint", "rsync", "sleep"),
    *("setpriv", "stat", "systemctl", "udevadm", "umount", "uname", "unshare", "vgremove"),
    "wipefs",
)

# Stands for every command that would change a node or tell about it, and notes that it ran.
_STAND_IN = r"""#!/bin/sh
set -eu
echo "${0##*/} $*" >>"$ROOT/log"
has() { ln -sf "$STAND_IN" "$ROOT/bin/$1"; }
case "${0##*/} $*" in
  date*) cat "$ROOT/clock" ;;
  sleep*) echo $(($(cat "$ROOT/clock") + 200)) >"$ROOT/clock" ;;
  uname*) echo 6.8.0-1000-aws ;;
  "curl "*efs-utils-installer.sh) echo 'ln -sf "$STAND_IN" "$ROOT/bin/mount.efs"' >"$3" ;;
  "curl "*) echo "$4" >"$3" ;;
  *" install "*amazon-efs-utils*) has mount.efs ;;
  *" install "*lustre-client*) has mount.lustre ;;
  *" install "*nfs-common* | *" install "*nfs-utils*) has mount.nfs; has mount.nfs4 ;;
  *" install "*mdadm*) has mdadm ;;
  *" install "*) echo "no such package: $*" >&2; exit 1 ;;
  mkfs.xfs*) echo "$*" >"$ROOT/formatted" ;;
  blkid*) [ -e "$ROOT/formatted" ] ;;
  mountpoint*) grep -qxF "$2" "$ROOT/mounted" ;;
  "mount --bind / "*) mkdir -p "$3$ROOT" && cp -a "$ROOT/image/." "$3$ROOT/" ;;
  "unshare --mount "*) shift; "$@" || failed=$?; rm -rf "$ROOT"/tmp/*/*; exit "${failed:-0}" ;;
  setpriv*) shift 5 && exec "$@" ;;
  "stat -c "*) echo 1000 ;;
  "mount -t xfs "*) [ -e "$ROOT/formatted" ] && [ -d "$6" ] && echo "$6" >>"$ROOT/mounted" ;;
  "mount -t "*) command -v "mount.$2" && [ -d "$6" ] && echo "$6" >>"$ROOT/mounted" ;;
  "systemctl cat dlami-nvme.service") grep -q ubuntu "$ROOT/etc/os-release" ;;
  umount*) rm -rf "${1:?}"/* ;;
esac
"""

_CHANGES = re.compile(
    r"(yum|apt-get|rpm|curl|mkfs|mdadm|vgremove|wipefs|mount -t|systemctl daemon-reload)"
)

# Absolute paths that a script names: not those in a URL, nor what a server exports.
_PATH = re.compile(r"(?<![\w.:/}])/[a-z][\w.-]*(?:/[\w.-]+)*")
_MOVED = ("/etc", "/run", "/opt/dlami", "/usr/share", "/dev/disk", "/dev/md")
_UNMOVED = ("/bin/sh", "/dev/null")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with every command that a node has and no other."""
    if sys.platform != "linux":
        pytest.skip("the script needs the commands of Linux")
    directory = tmp_path_factory.mktemp("commands")
    for name in _REAL:
        (directory / name).symlink_to(_installed(name))
    (directory / "stand-in").write_text(_STAND_IN, encoding="utf-8")
    (directory / "stand-in").chmod(0o755)
    for name in _STAND_INS:
        (directory / name).symlink_to("stand-in")
    return directory


class Node:
    """A directory that stands for the root of a node."""

    def __init__(self, root: Path, system: str, commands: Path, script: str) -> None:
        self._root = root
        self._commands = commands
        shell, *options = _SHELLS.get(system, ["bash", "--posix"])
        self._shell = [_installed(shell), *options]
        self.mount_points = re.findall(r"^mount_at '([^']+)'", script, re.M)
        for name in ("bin", "tmp", "run", "etc/yum.repos.d", "dev/disk/by-id"):
            (root / name).mkdir(parents=True)
        if system in _DIRECTORIES:
            (root / "etc/yum.repos.d").rmdir()
        for name in _DIRECTORIES.get(system, []):
            (root / name).mkdir(parents=True)
        for name in _PACKAGE_MANAGERS.get(system, ["yum", "rpm"]):
            (root / "bin" / name).symlink_to(commands / "stand-in")
        for mount_point in self.mount_points:
            keys = root / f"image{mount_point}/ec2-user/.ssh/authorized_keys"
            keys.parent.mkdir(parents=True)
            keys.write_text("ssh-ed25519 AAAA me\n", encoding="utf-8")
        # Two disks; udev gives one of them a second name.
        for name, disk in (("AWS1", 1), ("AWS1_1", 1), ("AWS2", 2)):
            (root / f"dev/nvme{disk}n1").touch()
            link = root / f"dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_{name}"
            link.symlink_to(f"../../nvme{disk}n1")
        for name, text in {
            "etc/os-release": _OS_RELEASE[system],
            "etc/fstab": "UUID=1 / xfs defaults 0 1\n",
            "mount.sh": _PATH.sub(lambda path: self._moved(path[0]), script),
            "clock": "1000\n",
            "mounted": "",
            "log": "",
        }.items():
            (root / name).write_text(text, encoding="utf-8")

    def _moved(self, path: str) -> str:
        if path in _UNMOVED:
            return path
        mine = (*_MOVED, *self.mount_points)
        # What is not known here would be done to the machine that runs the tests.
        assert any(f"{path}/".startswith(f"{top}/") for top in mine), f"{path} is not moved"
        return f"{self._root}{path}"

    def boot(self) -> list[str]:
        """Run the script, and say what it ran."""
        (self._root / "log").write_text("", encoding="utf-8")
        run = subprocess.run(
            [*self._shell, self._root / "mount.sh"],
            capture_output=True,
            text=True,
            timeout=30,
            env={
                "PATH": f"{self._root}/bin:{self._commands}",
                "ROOT": str(self._root),
                "STAND_IN": str(self._commands / "stand-in"),
                "TMPDIR": str(self._root / "tmp"),
            },
        )
        assert run.returncode == 0, run.stderr
        return (self._root / "log").read_text(encoding="utf-8").splitlines()

    @property
    def fstab(self) -> list[list[str]]:
        return [line.split() for line in (self._root / "etc/fstab").read_text().splitlines()]

    def path(self, path: str) -> Path:
        return Path(f"{self._root}{path}")

    def state(self) -> dict[str, tuple[int, str]]:
        """Every file, its mode and its text."""
        return {
            str(path): (
                path.lstat().st_mode,
                os.readlink(path) if path.is_symlink() else path.is_file() and path.read_text(),
            )
            for path in self._root.rglob("*")
            if path.name != "log"
        }


def _boots_twice(root: Path, system: str, commands: Path, document: Document) -> None:
    script = document.files()["/opt/pcs-constructs/mount.sh"]
    node = Node(root, system, commands, script)
    first = node.boot()
    assert node.mount_points, document.name
    assert [line[1] for line in node.fstab] == [
        "/",
        *(str(node.path(mount_point)) for mount_point in node.mount_points),
    ]
    assert all(len(line) == 6 for line in node.fstab)
    mounts = [line for line in first if line.startswith("mount -t ")]
    assert len(mounts) == len(node.mount_points)
    for mount_point in re.findall(r"^keep_existing '([^']+)'", script, re.M):
        assert node.path(f"{mount_point}/ec2-user/.ssh/authorized_keys").is_file()
    before = node.state()
    assert [line for line in node.boot() if _CHANGES.match(line)] == []
    assert node.state() == before


@pytest.mark.parametrize("system", _OS_RELEASE)
@pytest.mark.parametrize("name", [n for n, text in _MATRIX.items() if "mount.sh" in text])
def test_a_second_run_changes_nothing(
    tmp_path: Path, commands: Path, system: str, name: str
) -> None:
    _boots_twice(tmp_path, system, commands, Document(name, _MATRIX[name]))


@pytest.mark.parametrize("system", _OS_RELEASE)
def test_a_second_run_changes_nothing_in_any_app(
    tmp_path: Path, commands: Path, system: str, of_apps: list[Document]
) -> None:
    by_script = {
        document.files().get("/opt/pcs-constructs/mount.sh"): document for document in of_apps
    }
    for number, (script, document) in enumerate(by_script.items()):
        if script is not None:
            _boots_twice(tmp_path / str(number), system, commands, document)
