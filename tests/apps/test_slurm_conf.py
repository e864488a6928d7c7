"""What a real Slurm makes of the files that the templates amount to.

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
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

import pcs_constructs as pcs
from pcs_constructs import slurm_conf, template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.apps.conftest import Synthesized

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
        self._root = root
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
                if re.search("error:|fatal:|warning:", line) and not _EXPECTED.search(line)
            ]
        finally:
            process.kill()  # and with it what it started
            process.wait()

    def complaints(self) -> list[str]:
        """What the daemons complain about."""
        found = [
            *self.daemon("Running as primary controller", "slurmctld", "-D", "-c"),
            *self.daemon("mysql_real_connect", "slurmdbd", "-D"),
        ]
        return [line for lines in found for line in lines]

    def shown(self, what: str) -> list[dict[str, str]]:
        """What `scontrol` shows of each node, or partition, while the controller runs."""
        controller = self.daemon("Running as primary controller", "slurmctld", "-D", "-c")
        next(controller)
        done = self.run("scontrol", "--all", "--oneliner", "show", what)
        controller.close()
        assert done.returncode == 0, done.stderr
        return [
            dict(word.partition("=")[::2] for word in line.split())
            for line in done.stdout.splitlines()
        ]


@pytest.fixture
def slurm() -> Iterator[Slurm]:
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


def _files(outdir: Path) -> Iterator[dict[str, str]]:
    """The files of each cluster."""
    for found in slurm_conf.configurations(template.read(outdir)):
        yield {name: found.text(name) for name in slurm_conf.FILES}


def test_slurm_takes_what_every_app_amounts_to(app: Synthesized, slurm: Slurm) -> None:
    for files in _files(app.outdir):
        slurm.write(files)
        assert slurm.complaints() == []
        queues = re.findall(r"^PartitionName=(\S+)", files["slurm.conf"], re.M)
        assert {shown["PartitionName"] for shown in slurm.shown("partition")} == set(queues)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a cluster with a setting of every kind."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("rich")), analytics_reporting=False)
    stack = cdk.Stack(app, "Rich")
    network = pcs.Network(stack, "Network")
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        accounting=pcs.Accounting(retention_days=90),
        scale_down_idle_time=cdk.Duration.minutes(5),
        slurm_settings={
            "AccountingStorageEnforce": "associations,limits",
            "DefMemPerCPU": "2000",
            "Prolog": "/shared/prolog.sh",
            "PriorityWeightAge": "1000",
            "SchedulerParameters": "bf_continue,requeue_delay=10",
            "SelectTypeParameters": "CR_CPU_Memory",
        },
        cgroup_settings={"ConstrainCores": "yes", "ConstrainRAMSpace": "yes"},
        slurmdbd_settings={"PurgeJobAfter": "90days", "CommitDelay": "1"},
    )
    nodes = [
        cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            scaling=pcs.Scaling.dynamic(max=16),
            gpu_type="h100",
            scale_down_idle_time=cdk.Duration.minutes(2),
            slurm_settings={"Features": "gpu,h100", "Weight": "10"},
        ),
        cluster.add_compute_node_group(
            "solve",
            instance_types=["hpc7a.96xlarge"],
            scaling=pcs.Scaling.static(4),
            gres=[{"Name": "tool", "Count": "2", "Flags": "CountOnly"}],
            slurm_settings={
                "Gres": "tool:2",
                "Parameters": "l3cache_as_socket",
                "Sockets": "24",
                "RealMemory": cdk.CfnParameter(stack, "Memory").value_as_string,
            },
        ),
    ]
    cluster.add_queue(
        "long",
        node_groups=nodes,
        slurm_settings={"Default": "YES", "MaxTime": "7-00:00:00", "PriorityTier": "2"},
    )
    cluster.add_queue("gpu", node_groups=nodes[:1], slurm_settings={"OverSubscribe": "FORCE:2"})
    app.synth()
    (files,) = _files(Path(app.outdir))
    return files


def test_slurm_takes_settings_of_every_kind(rich: dict[str, str], slurm: Slurm) -> None:
    slurm.write(rich)
    assert slurm.complaints() == []


def test_slurm_sees_the_nodes_that_are_meant(rich: dict[str, str], slurm: Slurm) -> None:
    slurm.write(rich)
    nodes = slurm.shown("node")
    assert len(nodes) == 16 + 4
    (train,) = (node for node in nodes if re.fullmatch(r"train-\w+-16", node["NodeName"]))
    (solve,) = (node for node in nodes if re.fullmatch(r"solve-\w+-1", node["NodeName"]))
    expected = {
        "CPUTot": "96",
        "AvailableFeatures": "gpu,h100",
        "Gres": "gpu:h100:8",
        "RealMemory": "1992294",
        "Weight": "10",
        "SuspendTime": "120",
        "Partitions": "long,gpu",
    }
    assert {name: train[name] for name in expected} == expected
    expected = {
        "CPUTot": "192",
        "Sockets": "24",
        "CoresPerSocket": "8",
        "ThreadsPerCore": "1",
        "RealMemory": "4",
        "Gres": "tool:2",
        "SuspendTime": "300",
        "Partitions": "long",
    }
    assert {name: solve[name] for name in expected} == expected


def test_slurm_sees_the_partitions_that_are_meant(rich: dict[str, str], slurm: Slurm) -> None:
    slurm.write(rich)
    gpu, long = sorted(slurm.shown("partition"), key=lambda shown: shown["PartitionName"])
    assert (long["PartitionName"], long["Default"], long["MaxTime"]) == (
        "long",
        "YES",
        "7-00:00:00",
    )
    assert (long["TotalNodes"], gpu["TotalNodes"]) == ("20", "16")
    assert (gpu["PartitionName"], gpu["OverSubscribe"]) == ("gpu", "FORCE:2")


@pytest.mark.parametrize(
    ("file", "wrong", "right"),
    [
        ("slurm.conf", "DefMemPerCpus", "DefMemPerCPU"),
        ("slurm.conf", "Characteristics", "Features"),
        ("slurm.conf", "MaximumTime", "MaxTime"),
        ("slurm.conf", "CPUs=96 Sockets=7", "CPUs=96"),
        ("gres.conf", "Kind", "Type"),
        ("gres.conf", "Type=a100", "Type=h100"),
        ("cgroup.conf", "ConstrainCore", "ConstrainCores"),
        ("slurmdbd.conf", "PurgeJobsAfter", "PurgeJobAfter"),
    ],
)
def test_fails_when_a_parameter_is_misspelt(
    rich: dict[str, str], slurm: Slurm, file: str, wrong: str, right: str
) -> None:
    assert right in rich[file]
    slurm.write({**rich, file: rich[file].replace(right, wrong)})
    assert slurm.complaints() != []
