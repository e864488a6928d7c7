"""What a real Slurm makes of the files that the templates amount to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

import pcs_constructs as pcs
from pcs_constructs.analysis.slurm import FILES, configurations
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.apps.conftest import Synthesized
    from tests.services.slurm import Slurm


def _files(outdir: Path) -> Iterator[dict[str, str]]:
    """The files of each cluster."""
    for found in configurations(template.read(outdir)):
        yield {name: found.text(name) for name in FILES}


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
