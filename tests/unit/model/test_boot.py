from __future__ import annotations

import email
import shutil
import subprocess
import sys
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, TypedDict, cast

import pytest
import yaml

from pcs_constructs.model.boot import Mount, MountClient, UserDataPart, user_data

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "${Token[TOKEN.123]}"
EFS_TOKEN = "${Token[Home8EFS.Ref.45]}:/"


def home(path: str = "/home", source: str = "fs-0123456789abcdef0:/", keep: bool = True) -> Mount:
    return Mount(
        path=path,
        source=source,
        type="efs",
        options="_netdev,noresvport,tls",
        client=MountClient.EFS,
        keep_existing=keep,
    )


def shared(path: str = "/shared") -> Mount:
    return Mount(
        path=path,
        source="fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh",
        type="lustre",
        options="_netdev,noatime,flock",
        client=MountClient.LUSTRE,
    )


def tools(path: str = "/tools") -> Mount:
    return Mount(
        path=path,
        source="10.0.0.1:/tools",
        type="nfs4",
        options="_netdev",
        client=MountClient.NFS,
    )


def parsed(text: str) -> list[EmailMessage]:
    document = email.message_from_bytes(text.encode(), policy=default)
    assert document.get_content_type() == "multipart/mixed"
    assert not document.defects
    return [part for part in document.iter_parts() if isinstance(part, EmailMessage)]


def body(part: EmailMessage) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode(part.get_content_charset("ascii"))


class CloudConfig(TypedDict):
    merge_how: str
    write_files: list[dict[str, str]]
    runcmd: list[str]


def cloud_config(text: str) -> CloudConfig:
    """Our own part: the last one."""
    return cast("CloudConfig", yaml.safe_load(body(parsed(text)[-1])))


def files(text: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in cloud_config(text)["write_files"]}


def script(*mounts: Mount) -> str:
    return files(user_data(mounts))["/opt/pcs-constructs/mount.sh"]


# The document


def test_the_document_is_mime_multipart_with_a_blank_line_before_each_boundary() -> None:
    text = user_data([home()], [UserDataPart.shell_script("#!/bin/sh\ntrue")])
    lines = text.splitlines()
    boundary = "==pcs-constructs-1=="
    assert lines[:2] == [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
    ]
    at = [n for n, line in enumerate(lines) if line.startswith(f"--{boundary}")]
    assert [lines[n - 1] for n in at] == [""] * 4
    assert lines[at[-1]] == f"--{boundary}--"
    for n in at[:-1]:
        assert lines[lines.index("", n) - 1].startswith(("Content-Type: ", "Merge-Type: "))


def test_parts_keep_their_types_and_their_order_and_ours_is_last() -> None:
    added = [
        UserDataPart.cloud_config("#cloud-config\npackages: [jq]\n"),
        UserDataPart.boothook("#!/bin/sh\necho early\n"),
        UserDataPart.cloud_config("#cloud-config\ntimezone: UTC\n"),
    ]
    parts = parsed(user_data([home()], added))
    assert [part.get_content_type() for part in parts] == [
        "text/cloud-config",
        "text/cloud-boothook",
        "text/cloud-config",
        "text/cloud-config",
    ]
    assert [body(part) for part in parts[:-1]] == [part.text + "\n" for part in added]


def test_cloud_config_parts_merge_by_appending_and_ours_by_prepending() -> None:
    text = user_data([home()], [UserDataPart.cloud_config("#cloud-config\nruncmd: [ls]\n")])
    assert parsed(text)[0]["Merge-Type"] == "list(append)+dict(recurse_list)+str()"
    assert cloud_config(text)["merge_how"] == "list(prepend)+dict(recurse_list)+str()"


def test_added_shell_scripts_are_preceded_by_one_that_mounts() -> None:
    added = UserDataPart.shell_script("#!/bin/bash\ncp /shared/x /tmp\n")
    first, second, _ = parsed(user_data([shared()], [added]))
    assert first.get_content_type() == "text/x-shellscript"
    assert "systemctl start pcs-constructs-mounts.service" in body(first)
    assert body(second) == added.text + "\n"


def test_without_mounts_there_are_only_the_added_parts() -> None:
    (part,) = parsed(user_data([], [UserDataPart.shell_script("#!/bin/sh\ntrue\n")]))
    assert body(part) == "#!/bin/sh\ntrue\n\n"


def test_without_mounts_and_parts_there_is_no_user_data() -> None:
    assert user_data([]) == ""


def test_the_boundary_occurs_in_no_part() -> None:
    added = [
        UserDataPart.shell_script("#!/bin/sh\necho ==pcs-constructs-1==\n"),
        UserDataPart.boothook("#!/bin/sh\necho --==pcs-constructs-2==--\n"),
    ]
    text = user_data([home()], added)
    assert email.message_from_string(text).get_boundary() == "==pcs-constructs-3=="
    assert len(parsed(text)) == 4


def test_the_same_input_gives_the_same_text() -> None:
    mounts, parts = [home(), shared()], [UserDataPart.boothook("#!/bin/sh\n")]
    assert user_data(mounts, parts) == user_data(mounts, parts)
    assert user_data(mounts, parts) == user_data(mounts[::-1], tuple(parts))


def test_a_token_passes_through_untouched() -> None:
    long = "#!/bin/sh\n" + f"echo {TOKEN} From " * 99 + "\n.\nFrom here = =20\n" + TOKEN
    text = user_data([home(source=EFS_TOKEN)], [UserDataPart.shell_script(long)])
    assert f"\n{long}\n" in text
    assert f"mount_at '/home' '{EFS_TOKEN}' 'efs' " in text
    assert "Content-Transfer-Encoding" not in text


def test_a_script_that_is_not_ascii_survives() -> None:
    added = UserDataPart.shell_script("#!/bin/sh\necho 'Grüße, 世界'\n")
    assert body(parsed(user_data([home()], [added]))[1]) == added.text + "\n"


def test_our_own_parts_are_ascii() -> None:
    assert user_data([home(), shared(), tools()], [UserDataPart.shell_script("#!")]).isascii()


def test_a_home_on_efs_and_a_lustre_scratch_fit_well_into_user_data() -> None:
    assert len(user_data([home(), shared()]).encode()) < 5_600
    assert len(user_data([home(keep=False), shared()]).encode()) < 4_096


# Our cloud-config


def test_the_cloud_config_writes_the_script_the_service_and_the_guards() -> None:
    config = cloud_config(user_data([home(), shared()]))
    assert config["write_files"][0]["permissions"] == "0755"
    assert [file["path"] for file in config["write_files"]] == [
        "/opt/pcs-constructs/mount.sh",
        "/etc/systemd/system/pcs-constructs-mounts.service",
        "/etc/systemd/system/slurmd.service.d/pcs-constructs-mounts.conf",
        "/etc/systemd/system/slurmd-.service.d/pcs-constructs-mounts.conf",
        "/etc/needrestart/conf.d/pcs-constructs.conf",
    ]
    assert config["runcmd"] == [
        "systemctl daemon-reload",
        "systemctl enable pcs-constructs-mounts.service",
        "if systemctl is-failed --quiet pcs-constructs-mounts.service; then exit 1; fi",
        "systemctl start pcs-constructs-mounts.service || exit 1",
    ]


@pytest.mark.parametrize("unit", ["slurmd", "slurmd-"])
def test_slurmd_requires_the_service_and_every_mount_point(unit: str) -> None:
    written = files(user_data([shared(), home()]))
    guard = written[f"/etc/systemd/system/{unit}.service.d/pcs-constructs-mounts.conf"]
    assert guard.splitlines() == [
        "[Unit]",
        "Requires=pcs-constructs-mounts.service",
        "After=pcs-constructs-mounts.service",
        "AssertPathIsMountPoint=/home",
        "AssertPathIsMountPoint=/shared",
    ]


def test_the_service_speaks_to_the_console_and_spares_the_tunnels_of_efs() -> None:
    service = files(user_data([home()]))["/etc/systemd/system/pcs-constructs-mounts.service"]
    assert "StandardOutput=journal+console" in service
    assert "KillMode=process" in service
    assert "ExecStart=/bin/sh /opt/pcs-constructs/mount.sh" in service


def test_only_the_clients_that_are_used_are_rendered() -> None:
    words = {
        "amazon-efs-utils": home(keep=False),
        "lustre-client": shared(),
        "nfs-common": tools(),
    }
    for mount in words.values():
        text = script(mount)
        assert [words[word] for word in words if word in text] == [mount]
        assert "keep_existing" not in text


def test_parents_are_mounted_before_children() -> None:
    mounts = [home("/a/b/c"), shared("/a-b"), tools("/a/b"), shared("/a"), home("/a/z")]
    lines = script(*mounts).splitlines()
    order = [line.split("'")[1] for line in lines if line.startswith("mount_at '")]
    assert order == ["/a", "/a-b", "/a/b", "/a/b/c", "/a/z"]


# The script


# One stub for every command that the script must not really run. A mount point is a symbolic link
# to what the file server holds, `under` is what the root file system has beneath it, and time goes
# by in `sleep`.
STUB = r"""#!/bin/sh
set -e
echo "${0##*/} $*" >>"$ROOT/log"
case "${0##*/} $*" in
  date*) cat "$ROOT/clock" ;;
  sleep*) echo $(($(cat "$ROOT/clock") + 200)) >"$ROOT/clock" ;;
  mountpoint*) test -L "$2" ;;
  "mount --bind / "*) cp -a "$ROOT/under/." "$3/" ;;
  "unshare --mount "*)
    shift
    "$@" || failed=$?
    rm -rf "$ROOT"/tmp/*/* "$ROOT"/tmp/*/.[!.]*
    exit "${failed:-0}" ;;
  setpriv*) shift 5 && exec "$@" ;;
  umount*) rm -rf "$1"/* ;;
  mount\ *)
    left=$(cat "$ROOT/failures")
    [ "$left" = 0 ] || { echo $((left - 1)) >"$ROOT/failures"; echo "no such host" >&2; exit 32; }
    mkdir -p "$ROOT/under${6%/*}" "$ROOT/server/${6##*/}"
    mv "$6" "$ROOT/under$6"
    ln -s "$ROOT/server/${6##*/}" "$6" ;;
  "stat -c %u"*) echo 1000 ;;
  "stat -c %g"*) echo 1000 ;;
  uname*) echo 6.8.0-1000-aws ;;
esac
"""
STUBBED = [
    *("date", "modprobe", "mount", "mountpoint", "setpriv", "sleep"),
    *("stat", "systemctl", "umount", "uname", "unshare"),
]
INSTALLERS = ["amazon-linux-extras", "apt-get", "curl", "rpm", "yum"]
# What the script and the stub really run. A node has nothing else of the machine, which may have
# clients of its own: /usr/sbin/mount.nfs, for one.
REAL = [
    *("awk", "cat", "cp", "grep", "ln", "mkdir", "mktemp"),
    *("mv", "rm", "rmdir", "sh", "tail", "timeout", "touch"),
]
AMAZON_LINUX = 'ID="amzn"\nVERSION_ID="2023"\n'


class Node:
    """A directory that stands for the root of a node, and the mount script on it."""

    def __init__(self, root: Path, os_release: str = AMAZON_LINUX, failures: int = 0) -> None:
        if sys.platform != "linux":
            pytest.skip("the script needs the commands of Linux")
        self.root = root
        for name in ("bin", "etc", "tmp", "usr/share/keyrings", "etc/apt/sources.list.d"):
            (root / name).mkdir(parents=True)
        stub = root / "bin/stub"
        stub.write_text(STUB)
        stub.chmod(0o755)
        self.has(*STUBBED, *INSTALLERS)
        for command in REAL:
            found = shutil.which(command)
            assert found, command
            (root / "bin" / command).symlink_to(found)
        (root / "etc/os-release").write_text(os_release)
        (root / "etc/fstab").write_text("UUID=1 / xfs defaults 0 1\n")
        (root / "clock").write_text("1000\n")
        (root / "failures").write_text(f"{failures}\n")

    def has(self, *commands: str) -> None:
        for command in commands:
            (self.root / "bin" / command).symlink_to("stub")

    def path(self, path: str) -> str:
        return f"{self.root}{path}"

    def boot(self, *mounts: Mount) -> subprocess.CompletedProcess[str]:
        text = script(*mounts)
        for real in ("/etc/", "/run/", "/usr/share/"):
            text = text.replace(f" {real}", f" {self.root}{real}")
            text = text.replace(f">{real}", f">{self.root}{real}")
            text = text.replace(f"={real}", f"={self.root}{real}")
        env = {
            "PATH": str(self.root / "bin"),
            "ROOT": str(self.root),
            "TMPDIR": str(self.root / "tmp"),
        }
        return subprocess.run(["sh"], input=text, text=True, capture_output=True, env=env)

    @property
    def fstab(self) -> list[str]:
        return (self.root / "etc/fstab").read_text().splitlines()

    def ran(self, *commands: str) -> list[str]:
        log = (self.root / "log").read_text().replace(str(self.root), "")
        return [line for line in log.splitlines() if line.split()[0] in commands]

    def snapshot(self) -> dict[str, tuple[int, str]]:
        """Every file below the root that a second run must not change."""
        kept = [self.root / "etc", self.root / "server", self.root / "under"]
        paths = [path for top in kept for path in top.rglob("*")]
        return {
            str(path): (path.stat().st_mode, path.read_text() if path.is_file() else "")
            for path in paths
        }


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.has("mount.efs", "mount.lustre", "mount.nfs")
    return node


def test_mounts_go_to_fstab_and_a_second_run_changes_nothing(node: Node) -> None:
    (node.root / "home/ec2-user").mkdir(parents=True)
    mounts = [home(node.path("/home")), shared(node.path("/shared"))]
    run = node.boot(*mounts)
    assert run.returncode == 0, run.stderr
    assert node.fstab == [
        "UUID=1 / xfs defaults 0 1",
        f"fs-0123456789abcdef0:/ {node.root}/home efs _netdev,noresvport,tls 0 0",
        f"fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh {node.root}/shared"
        " lustre _netdev,noatime,flock 0 0",
    ]
    assert not node.ran(*INSTALLERS)
    before = node.snapshot()

    again = node.boot(*mounts)
    assert again.returncode == 0, again.stderr
    assert node.snapshot() == before
    assert len(node.ran("mount")) == 4  # two file systems, and twice a look beneath /home


def test_fails_with_the_name_of_the_file_system_that_cannot_be_mounted(tmp_path: Path) -> None:
    node = Node(tmp_path, failures=1_000)
    node.has("mount.efs")
    run = node.boot(home(node.path("/home")))
    assert run.returncode == 1
    assert f"cannot mount fs-0123456789abcdef0:/ at {node.root}/home" in run.stderr
    assert len(node.ran("mount")) == 4
    assert node.fstab == ["UUID=1 / xfs defaults 0 1"]


def test_a_mount_is_tried_again(tmp_path: Path) -> None:
    node = Node(tmp_path, failures=2)
    node.has("mount.nfs")
    assert node.boot(tools(node.path("/tools"))).returncode == 0
    assert len(node.ran("mount")) == 3


def test_what_the_image_has_is_kept_and_what_is_shared_is_not_overwritten(node: Node) -> None:
    image, server = node.root / "home", node.root / "server/home"
    for directory in (image / "ubuntu/.ssh", image / "ec2-user", server / "ec2-user"):
        directory.mkdir(parents=True)
    (image / "ubuntu/.ssh").chmod(0o700)
    (image / "ubuntu/.ssh/authorized_keys").write_text("key")
    (image / "ec2-user/.bashrc").write_text("from the image")
    (image / ".hidden").write_text("hidden")
    (server / "ec2-user/.bashrc").write_text("changed by its owner")
    (server / "ec2-user").chmod(0o700)

    run = node.boot(home(str(image)))
    assert run.returncode == 0, run.stderr
    assert (server / "ubuntu/.ssh/authorized_keys").read_text() == "key"
    assert (server / "ubuntu/.ssh").stat().st_mode & 0o777 == 0o700
    assert (server / "ec2-user/.bashrc").read_text() == "changed by its owner"
    assert (server / "ec2-user").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in server.iterdir()) == [".hidden", "ec2-user", "ubuntu"]
    assert not list((node.root / "tmp").iterdir())


def test_a_new_key_pair_reaches_a_home_directory_that_is_shared_already(node: Node) -> None:
    image, server = node.root / "home", node.root / "server/home"
    for directory in (image / "ubuntu/.ssh", image / "admin/.ssh", server / "ubuntu/.ssh"):
        directory.mkdir(parents=True)
    (server / "admin").mkdir()
    (server / "ubuntu/.ssh/authorized_keys").write_text("old\n")
    (image / "ubuntu/.ssh/authorized_keys").write_text("old\nnew\n")
    (image / "admin/.ssh/authorized_keys").write_text("new\n")

    for _ in range(2):  # the second boot adds nothing
        run = node.boot(home(str(image)))
        assert run.returncode == 0, run.stderr
        assert (server / "ubuntu/.ssh/authorized_keys").read_text() == "old\nnew\n"
        assert (server / "admin/.ssh/authorized_keys").read_text() == "new\n"


def test_backslashes_of_a_key_are_written_as_they_are(node: Node) -> None:
    key = 'command="printf \\\\tok\\\\n" ssh-ed25519 AAAA new\n'
    image, server = node.root / "home", node.root / "server/home"
    for directory in (image / "ubuntu/.ssh", server / "ubuntu/.ssh"):
        directory.mkdir(parents=True)
    (image / "ubuntu/.ssh/authorized_keys").write_text(key)
    run = node.boot(home(str(image)))
    assert run.returncode == 0, run.stderr
    assert (server / "ubuntu/.ssh/authorized_keys").read_text() == key


def test_backslashes_of_a_source_are_written_as_they_are(node: Node) -> None:
    assert node.boot(home(node.path("/home"), "a\\tb:/", keep=False)).returncode == 0
    assert node.fstab[-1].startswith("a\\tb:/ ")


def test_a_line_of_another_cluster_in_fstab_is_replaced(node: Node) -> None:
    with (node.root / "etc/fstab").open("a") as fstab:
        fstab.write(f"fs-old:/\t{node.root}/tools nfs4 _netdev 0 0\n")
    (node.root / "server/old").mkdir(parents=True)
    assert node.boot(tools(node.path("/tools"))).returncode == 0
    assert node.fstab == [
        "UUID=1 / xfs defaults 0 1",
        f"10.0.0.1:/tools {node.root}/tools nfs4 _netdev 0 0",
    ]


REPO = "https://fsx-lustre-client-repo"
EFS_INSTALLER = (
    "curl -fsS -o /run/efs-utils-installer.sh"
    " https://amazon-efs-utils.aws.com/efs-utils-installer.sh"
)


@pytest.mark.parametrize(
    ("os_release", "installs"),
    [
        pytest.param(
            AMAZON_LINUX,
            [
                "yum install -y amazon-efs-utils",
                "yum install -y lustre-client",
                "yum install -y nfs-utils",
            ],
            id="amazon-linux-2023",
        ),
        pytest.param(
            'ID="amzn"\nVERSION_ID="2"\n',
            [
                "yum install -y amazon-efs-utils",
                "amazon-linux-extras install -y lustre",
                "yum install -y nfs-utils",
            ],
            id="amazon-linux-2",
        ),
        pytest.param(
            'ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n',
            [
                EFS_INSTALLER,
                "curl -fsS -o /usr/share/keyrings/fsx-ubuntu-public-key.asc"
                f" {REPO}-public-keys.s3.amazonaws.com/fsx-ubuntu-public-key.asc",
                "apt-get update",
                "apt-get install -y lustre-client-modules-6.8.0-1000-aws",
                "apt-get update",
                "apt-get install -y nfs-common",
            ],
            id="ubuntu",
        ),
        pytest.param(
            'ID="rocky"\nVERSION_ID="9.6"\n',
            [
                EFS_INSTALLER,
                f"rpm --import {REPO}-public-keys.s3.amazonaws.com/fsx-rpm-public-key.asc",
                "curl -fsS -o /etc/yum.repos.d/aws-fsx.repo"
                f" {REPO}.s3.amazonaws.com/el/9/fsx-lustre-client.repo",
                "yum install -y kmod-lustre-client lustre-client",
                "yum install -y nfs-utils",
            ],
            id="rocky-9",
        ),
    ],
)
def test_missing_clients_are_installed(
    tmp_path: Path, os_release: str, installs: list[str]
) -> None:
    node = Node(tmp_path, os_release)
    (node.root / "run").mkdir()
    (node.root / "run/efs-utils-installer.sh").write_text("true\n")
    node.boot(
        home(node.path("/home"), keep=False),
        shared(node.path("/shared")),
        tools(node.path("/tools")),
    )
    assert node.ran(*INSTALLERS) == installs
    assert len(node.fstab) == 4


def test_the_service_outlives_slow_mounts_and_waits_for_those_of_fstab() -> None:
    unit = files(user_data([home()]))["/etc/systemd/system/pcs-constructs-mounts.service"]
    for line in (
        "Type=oneshot",
        "RemainAfterExit=yes",
        "TimeoutStartSec=900",
        "KillMode=process",
        "After=network-online.target remote-fs.target",
    ):
        assert line in unit.splitlines()
