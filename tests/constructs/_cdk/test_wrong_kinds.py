"""What a type checker would refuse is refused in our words, before anything is in the tree."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

import pcs_constructs as pcs
from pcs_constructs.model.annotations import wrong_kinds
from tests.constructs.templates import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import aws_ec2 as ec2

_CONSTRUCTS = [
    pcs.Cluster,
    pcs.ComputeNodeGroup,
    pcs.EfsStorage,
    pcs.FileCacheStorage,
    pcs.LustreStorage,
    pcs.Network,
    pcs.NodeLaunchTemplate,
    pcs.OntapStorage,
    pcs.OpenZfsStorage,
    pcs.Queue,
]
_STRANGERS: list[Any] = [
    timedelta(hours=1),
    Decimal(3),
    ip_network("10.0.0.0/16"),
    object(),
    b"bytes",
    cdk.App,
    3.5,
]


@pytest.mark.parametrize("construct", _CONSTRUCTS, ids=lambda c: c.__name__)
def test_each_annotation_refuses_what_is_of_no_kind(construct: type) -> None:
    function = construct.__init__
    for argument in set(function.__annotations__) - {"return"}:
        for stranger in _STRANGERS:
            (problem, *_) = wrong_kinds(function, {argument: stranger})
            assert problem.argument == argument
            assert problem.code in {"PCS001", "PCS003"}


@pytest.mark.parametrize("stranger", _STRANGERS, ids=lambda s: type(s).__name__)
def test_fails_on_a_stranger_and_the_corrected_retry_works(
    stack: cdk.Stack, vpc: ec2.IVpc, stranger: Any
) -> None:
    for argument in ("scale_down_idle_time", "subnet", "name", "mounts", "slurm_settings"):
        with refused(stack, "PCS003"):
            pcs.Cluster(stack, "Cluster", vpc=vpc, **{argument: stranger})
    pcs.Cluster(stack, "Cluster", vpc=vpc)


@pytest.mark.parametrize(
    "build",
    [
        lambda: pcs.Capacity.spot(allocation="lowest-price"),  # pyright: ignore[reportArgumentType]
        lambda: pcs.MountScripts(version=None, checksums=None),  # pyright: ignore[reportArgumentType]
        lambda: pcs.UserDataPart.shell_script(Path("setup.sh")),  # pyright: ignore[reportArgumentType]
        lambda: pcs.DataRepository(None),  # pyright: ignore[reportArgumentType]
        lambda: pcs.Ports(protocol="TCP", first=1, last=2),  # pyright: ignore[reportArgumentType]
        lambda: pcs.FileShare(
            source="server:/",
            type="nfs",
            options="",
            client=pcs.MountClient.NFS,
            security_groups=None,  # pyright: ignore[reportArgumentType]
        ),
    ],
)
def test_fails_where_a_value_is_built(build: Callable[[], object]) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        build()
    assert {problem.code for problem in error.value.problems} <= {"PCS001", "PCS003"}


def test_fails_on_a_set_whose_order_shows(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = pcs.Cluster(stack, "Cluster", vpc=vpc)
    with refused(stack, "PCS001"):
        cluster.add_compute_node_group(
            "compute",
            instance_types=["c7i.xlarge"],
            scaling=pcs.Scaling.static(1),
            features={"a", "b"},  # pyright: ignore[reportArgumentType]
        )
