"""A real Slurm that reads the files which templates amount to.

Around them is the least that lets `slurmctld` start where there is nothing else: no other host, no
database, no node. It reads slurm.conf, gres.conf and cgroup.conf and answers `scontrol`; `slurmdbd`
reads slurmdbd.conf before it looks for its database. What AWS PCS takes they do not know.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SLURM_CONF = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/cgroup
MailProg=/bin/true
ResumeProgram=/bin/true
SuspendProgram=/bin/true
{more}
"""
_SLURMDBD_CONF = """\
AuthType=auth/none
DbdHost=localhost
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=1
PidFile={directory}/slurmdbd.pid
"""
_EXPECTED = re.compile(
    # There is no database.
    r"mysql_real_connect|The database must be up"
    r"|You can not have AccountingStorageEnforce set|can only be used with SlurmDBD, ignoring"
    # A queue need not be the default one: that of the user guide is not.
    r"|default partition not set"
)


class Slurm:
    """A Slurm that is installed in a directory, such as `debootstrap` makes one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # A process namespace of its own, so that what a daemon starts ends with it.
        self._inside = [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={root}",
            "--mount-proc",
        ]  # fmt: skip
        self.directory = Path(tempfile.mkdtemp(dir=root / "tmp"))
        self._inner = f"/{self.directory.relative_to(root)}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in there to its end."""
        return subprocess.run(
            [*self._inside, "env", f"SLURM_CONF={self._inner}/slurm.conf", *command],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files, with something in the place of what only AWS PCS knows."""
        for name in ("state", "spool"):
            (self.directory / name).mkdir(exist_ok=True)
        known = {name: re.sub(r"<[^>]*>", "4", text) for name, text in files.items()}
        kinds = sorted(set(re.findall(r"^(?!#).*\bName=(\w+)", known["gres.conf"], re.M)))
        more = f"GresTypes={','.join(kinds)}\n" if kinds else ""
        # With a database that is not there it waits for it, and these name what would be in it.
        known["slurm.conf"] = re.sub(r" (AllowQoS|DenyQoS|QOS)=\S+", "", known["slurm.conf"])
        around = {
            "slurm.conf": _SLURM_CONF.format(port=self._port, directory=self._inner, more=more),
            "slurmdbd.conf": _SLURMDBD_CONF.format(directory=self._inner),
        }
        for name, text in known.items():
            path = self.directory / name
            path.write_text(around.get(name, "") + text, encoding="utf-8")
            path.chmod(0o600)  # else slurmdbd refuses to read its own

    def daemon(self, ready: str, *command: str) -> Iterator[list[str]]:
        """Run a daemon until it says that it is ready, or ends; then what it complained about."""
        log = self.directory / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*self._inside, "env", f"SLURM_CONF={self._inner}/slurm.conf", *command],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until = time.monotonic() + 30
            while ready not in log.read_text() and process.poll() is None:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.02)
            yield [
                line
                for line in log.read_text().splitlines()
                if re.search("error:|fatal:|warning:|exceeds", line) and not _EXPECTED.search(line)
            ]
        finally:
            process.kill()  # and with it what it started
            process.wait()

    def complaints(self) -> list[str]:
        """What the daemons complain about."""
        (database,) = self.daemon("mysql_real_connect", "slurmdbd", "-D")
        return [*self.complaints_of_the_controller(), *database]

    def complaints_of_the_controller(self) -> list[str]:
        """What `slurmctld` complains about."""
        (found,) = self.daemon("Running as primary controller", "slurmctld", "-D", "-c")
        return found

    def shown(self, what: str) -> list[dict[str, str]]:
        """What `scontrol` shows of each node, or partition, while the controller runs."""
        controller = self.daemon("Running as primary controller", "slurmctld", "-D", "-c")
        next(controller)
        until = time.monotonic() + 30
        while True:  # it says that it runs before it listens
            done = self.run("scontrol", "--all", "--oneliner", "show", what)
            if done.returncode == 0 or time.monotonic() > until:
                break
        controller.close()
        assert done.returncode == 0, done.stderr
        return [
            dict(word.partition("=")[::2] for word in line.split())
            for line in done.stdout.splitlines()
        ]


@contextmanager
def installed() -> Iterator[Slurm]:
    """The Slurm that `PCS_TEST_SLURM_ROOT` names; without one the test is skipped."""
    root = Path(os.environ.get("PCS_TEST_SLURM_ROOT", "/nonexistent"))
    if not (root / "usr/sbin/slurmctld").is_symlink() or os.geteuid() != 0:
        pytest.skip("slurmctld: PCS_TEST_SLURM_ROOT names no Debian with it, or this is not root")
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    slurm = Slurm(root)
    try:
        started = slurm.run("true")
        if started.returncode != 0:
            pytest.skip(f"unshare cannot be used here: {started.stderr.strip()}")
        yield slurm
    finally:
        shutil.rmtree(slurm.directory)
