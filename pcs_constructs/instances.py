"""What EC2 says about its instance types: a dated catalogue that needs no network.

Instance types stay plain strings everywhere in this library. The catalogue knows most of them but
not all: a type can be newer than the recording, or offered only where nothing was recorded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """One network card of an instance type."""

    index: int
    """The network card index, counted from 0; the primary network interface is on card 0."""

    interfaces: int
    """The maximum number of network interfaces on this card, of all kinds together."""

    efa: bool
    """Whether this card can carry an Elastic Fabric Adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What one EC2 instance type has."""

    name: str
    """The API name, for example `hpc7a.96xlarge`."""

    vcpus: int
    """The default number of vCPUs: `cores` times `threads_per_core`."""

    cores: int
    """The default number of cores."""

    threads_per_core: int
    """The default number of threads per core; 1 means that there is no simultaneous threading."""

    architecture: Literal["x86_64", "arm64"]
    """The processor architecture; a type that can also run i386 is `x86_64`."""

    memory_mib: int
    """The memory, in MiB."""

    gpus: int
    """The number of GPUs that the operating system sees; a fraction of a GPU counts as one."""

    gpu_manufacturer: str | None
    """Who makes the GPUs, for example `NVIDIA`; `None` without a GPU."""

    gpu_name: str | None
    """The model of the GPUs, for example `H100`; `None` without a GPU."""

    accelerators: int
    """The number of inference, training (Neuron) and media accelerators; GPUs do not count."""

    accelerator_manufacturer: str | None
    """Who makes the accelerators, for example `AWS`; `None` without one."""

    accelerator_name: str | None
    """The model of the accelerators, for example `Trainium2`; `None` without one."""

    efa_interfaces: int
    """The maximum number of Elastic Fabric Adapters; 0 when the type does not support EFA.

    It can be lower than the number of cards that could carry one.
    """

    network_cards: tuple[NetworkCard, ...]
    """The network cards, in the order of their index; never empty."""

    usage_classes: tuple[str, ...]
    """How it can be bought, sorted: any of `capacity-block`, `on-demand` and `spot`."""

    local_storage_gb: int
    """The total size of the local disks, in GB (powers of ten); 0 without local disks."""

    bare_metal: bool
    """Whether it runs without a hypervisor."""


class _Row(TypedDict):
    vcpus: int
    cores: int
    threads_per_core: int
    architecture: Literal["x86_64", "arm64"]
    memory_mib: int
    gpus: int
    gpu_manufacturer: str | None
    gpu_name: str | None
    accelerators: int
    accelerator_manufacturer: str | None
    accelerator_name: str | None
    efa_interfaces: int
    network_cards: list[tuple[int, int, bool]]
    usage_classes: list[str]
    local_storage_gb: int
    bare_metal: bool


class _Catalogue(TypedDict):
    version: str
    recorded: str
    defaults: dict[str, object]
    types: dict[str, dict[str, object]]


@cache
def find(instance_type: str) -> InstanceFacts | None:
    """The facts about one instance type.

    Args:
        instance_type: The API name, for example `c7i.4xlarge`, spelled as EC2 spells it.

    Returns:
        The facts, or `None` when the catalogue does not have the type. That does not prove that
        EC2 has no such type. Mac instances are left out: no cluster can use them.
    """
    catalogue = _catalogue()
    known = catalogue["types"].get(instance_type)
    if known is None:
        return None
    row = cast("_Row", {**catalogue["defaults"], **known})
    return InstanceFacts(
        name=instance_type,
        vcpus=row["vcpus"],
        cores=row["cores"],
        threads_per_core=row["threads_per_core"],
        architecture=row["architecture"],
        memory_mib=row["memory_mib"],
        gpus=row["gpus"],
        gpu_manufacturer=row["gpu_manufacturer"],
        gpu_name=row["gpu_name"],
        accelerators=row["accelerators"],
        accelerator_manufacturer=row["accelerator_manufacturer"],
        accelerator_name=row["accelerator_name"],
        efa_interfaces=row["efa_interfaces"],
        network_cards=tuple(
            NetworkCard(index=index, interfaces=interfaces, efa=efa)
            for index, interfaces, efa in row["network_cards"]
        ),
        usage_classes=tuple(row["usage_classes"]),
        local_storage_gb=row["local_storage_gb"],
        bare_metal=row["bare_metal"],
    )


def known(instance_types: Iterable[str]) -> dict[str, InstanceFacts]:
    """The facts of those among these types that the catalogue has, by name."""
    return {name: facts for name in instance_types if (facts := find(name)) is not None}


def names() -> tuple[str, ...]:
    """The instance types in the catalogue, sorted."""
    return tuple(_catalogue()["types"])


def source() -> str:
    """Where the catalogue comes from and how old it is at least, for use in messages."""
    catalogue = _catalogue()
    return f"moto {catalogue['version']}, recorded on {catalogue['recorded']} or earlier"


@cache
def _catalogue() -> _Catalogue:
    text = files("pcs_constructs._data").joinpath("instances.json").read_text(encoding="utf-8")
    return cast("_Catalogue", json.loads(text))
