"""What a node keeps of its image, with real mounts, owners, and disks that are full."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pcs_constructs.model import boot

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNER = 12345


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory of the image with a home in it, and a small file system to mount there."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("setpriv") is None:
        pytest.skip("mounts: this is not root, or unshare or setpriv is not installed")
    root = Path(tempfile.mkdtemp(dir="/var/tmp"))  # pytest's own nobody else may enter
    root.chmod(0o755)
    image = root / "home"
    for name in ("ubuntu", "new"):
        (image / name / ".ssh").mkdir(parents=True)
        (image / name / ".ssh/authorized_keys").write_text("key of the node\n")
        (image / name / "notes").write_text("x" * 5_000)
    yield image
    shutil.rmtree(root)


def _keep(shared: Path, prepare: str) -> tuple[str, dict[str, str]]:
    """Mount something over the directory, keep what was there, and tell what came of it."""
    script = f"""
set -eu
mount -t tmpfs -o size=64k,mode=755 tmpfs {shared}
cd {shared}
{prepare}
cd /
cp /proc/self/mounts {shared.parent}/before
{boot.KEEP_EXISTING}
keep_existing {shared}
cmp /proc/self/mounts {shared.parent}/before
mkdir -p {shared.parent}/after
cp -a {shared}/. {shared.parent}/after/
"""
    done = subprocess.run(
        ["unshare", "--mount", "sh"], input=script, text=True, capture_output=True, timeout=60
    )
    if "unshare:" in done.stderr and "Operation not permitted" in done.stderr:
        pytest.skip(f"mounts: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    after = shared.parent / "after"
    return done.stderr, {
        str(path.relative_to(after)): path.read_text()
        for path in sorted(after.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("written", ["echo", "printf %s"], ids=["whole", "without its end"])
def test_homes_are_copied_and_keys_are_added_as_their_owner(shared: Path, written: str) -> None:
    told, files = _keep(
        shared,
        f"""
install -d -o {_OWNER} -g {_OWNER} -m 700 ubuntu
install -d -o {_OWNER} -g {_OWNER} -m 700 ubuntu/.ssh
{written} 'key of its owner' | install -o {_OWNER} -m 600 /dev/stdin ubuntu/.ssh/authorized_keys
""",
    )
    assert files["ubuntu/.ssh/authorized_keys"] == "key of its owner\nkey of the node\n"
    assert files["new/.ssh/authorized_keys"] == "key of the node\n"
    assert "ubuntu/notes" not in files
    assert told == ""
    assert (shared.parent / "after/ubuntu/.ssh/authorized_keys").stat().st_uid == _OWNER


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param("ln -s {secret} ubuntu/.ssh/authorized_keys", id="a link to a file of root's"),
        pytest.param("ln -s /nowhere ubuntu/.ssh/authorized_keys", id="a link to nothing"),
        pytest.param("mkfifo ubuntu/.ssh/authorized_keys", id="a fifo"),
        pytest.param("mkdir ubuntu/.ssh/authorized_keys", id="a directory"),
        pytest.param("rmdir ubuntu/.ssh; ln -s {directory} ubuntu/.ssh", id="a linked directory"),
        pytest.param("rm -r ubuntu; ln -s {directory} ubuntu", id="a linked home"),
        pytest.param("chown -R 0:0 ubuntu", id="a home of root's"),
        pytest.param("chmod 0 ubuntu", id="a home that its owner may not enter"),
        pytest.param("ln -s /nowhere new", id="a link in the place of a home"),
    ],
)
def test_what_users_planted_is_neither_followed_nor_in_the_way(shared: Path, plant: str) -> None:
    secret = shared.parent / "root"
    (secret / ".ssh").mkdir(parents=True)
    (secret / ".ssh/authorized_keys").write_text("of root alone\n")
    before = {path: path.read_bytes() for path in secret.rglob("*") if path.is_file()}
    _, files = _keep(
        shared,
        f"install -d -o {_OWNER} -g {_OWNER} -m 700 ubuntu ubuntu/.ssh\n"
        + plant.format(secret=secret / ".ssh/authorized_keys", directory=secret / ".ssh"),
    )
    assert {path: path.read_bytes() for path in secret.rglob("*") if path.is_file()} == before
    planted = "new" if plant.endswith(" new") else "ubuntu"
    (other,) = {"new", "ubuntu"} - {planted}
    assert "key of the node\n" not in files.get(f"{planted}/.ssh/authorized_keys", "")
    assert files[f"{other}/.ssh/authorized_keys"] == "key of the node\n"


def test_a_full_disk_is_told_of_and_leaves_nothing_half_done(shared: Path) -> None:
    told, files = _keep(shared, "head -c 60K /dev/zero >ballast")
    assert "new is not as in the image" in told
    assert set(files) == {"ballast"}


def test_a_file_system_that_is_read_only_is_told_of(shared: Path) -> None:
    told, files = _keep(shared, f"mount -o remount,ro {shared}")
    assert "new is not as in the image" in told
    assert files == {}
