"""What EC2 says about its instance types: a dated catalogue that needs no network.

Instance types stay plain strings everywhere in this library. The catalogue knows most of them but
not all: a type can be newer than the recording, or offered only where nothing was recorded. What
`DescribeInstanceTypes` says of such a one can be given instead of its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypedDict, TypeVar, cast

from pcs_constructs.model.annotations import judge_fields
from pcs_constructs.model.errors import PcsValidationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T", bool, int, str, list[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """One network card of an instance type."""

    index: int
    """The network card index, counted from 0; the primary network interface is on card 0."""

    interfaces: int
    """The maximum number of network interfaces on this card, of all kinds together."""

    efa: bool
    """Whether this card can carry an Elastic Fabric Adapter."""

    def __post_init__(self) -> None:
        judge_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What one EC2 instance type has.

    Wherever a construct takes the name of a type it takes this as well, for types that are not in
    the catalogue: `instance_types=[pcs.InstanceFacts.from_description(entry)]`.
    """

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
    """The total size of the local NVMe disks, in GB (powers of ten); 0 without any."""

    bare_metal: bool
    """Whether it runs without a hypervisor."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def from_description(cls, description: str | Mapping[str, Any]) -> Self:
        """The facts about a type out of what EC2 says of it.

        Args:
            description: One entry of `InstanceTypes` in the output of `DescribeInstanceTypes`, or
                the output for a single type; as an object or as JSON, such as
                `Path("c9x.json").read_text()` of what
                `aws ec2 describe-instance-types --instance-types c9x.4xlarge` printed.

        Raises:
            PcsValidationError: PCS209, when something in it is missing or of another type.

        Source: `DescribeInstanceTypes` of the EC2 API.
        """
        entry = _Entry(description)
        threads = entry.at("VCpuInfo.DefaultThreadsPerCore", int, 1)
        vcpus = entry.at("VCpuInfo.DefaultVCpus", int)
        gpus, gpu_manufacturer, gpu_name = entry.gpus()
        accelerators, accelerator_manufacturer, accelerator_name = entry.accelerators()
        cores = entry.at("VCpuInfo.DefaultCores", int, vcpus // max(threads, 1))
        memory = entry.at("MemoryInfo.SizeInMiB", int)
        cards, efa_interfaces = entry.network_cards()
        entry.require(min(vcpus, threads, cores, memory) > 0, "a number of 0 or less")
        facts = cls(
            name=entry.name,
            vcpus=vcpus,
            cores=cores,
            threads_per_core=threads,
            architecture=entry.architecture(),
            memory_mib=memory,
            gpus=gpus,
            gpu_manufacturer=gpu_manufacturer,
            gpu_name=gpu_name,
            accelerators=accelerators,
            accelerator_manufacturer=accelerator_manufacturer,
            accelerator_name=accelerator_name,
            efa_interfaces=efa_interfaces,
            network_cards=cards,
            usage_classes=entry.usage_classes(),
            local_storage_gb=entry.local_storage_gb(),
            bare_metal=entry.at("BareMetal", bool, False),
        )
        entry.refuse()
        return facts


class _Entry:
    """One entry of the output of `DescribeInstanceTypes`, and what is wrong with it."""

    def __init__(self, description: str | Mapping[str, Any]) -> None:
        self._wrong: list[str] = []
        self._entry = self._single(description)
        self.name = self.at("InstanceType", str)

    def at(self, path: str, kind: type[T], default: T | None = None) -> T:
        """What is at a path of keys, or the default where the last step is not there."""
        return self._inside(self._entry, path, kind, default)

    def architecture(self) -> Literal["x86_64", "arm64"]:
        """The one that nodes run: the oldest types also run i386."""
        supported = self.at("ProcessorInfo.SupportedArchitectures", list)
        if "arm64" in supported:
            return "arm64"
        self.require(
            "x86_64" in supported,
            "neither x86_64 nor arm64 in ProcessorInfo.SupportedArchitectures",
        )
        return "x86_64"

    def usage_classes(self) -> tuple[str, ...]:
        """How it can be bought, sorted."""
        classes = self.at("SupportedUsageClasses", list)
        known = [text for text in classes if isinstance(text, str)]
        self.require(known == classes, "something else than text in SupportedUsageClasses")
        return tuple(sorted(known))

    def network_cards(self) -> tuple[tuple[NetworkCard, ...], int]:
        """The network cards in the order of their index, and how many EFA they can carry."""
        efa = self.at("NetworkInfo.EfaInfo.MaximumEfaInterfaces", int, 0)
        cards = [
            NetworkCard(
                index=self._inside(card, "NetworkCardIndex", int),
                interfaces=self._inside(card, "MaximumNetworkInterfaces", int),
                efa="efa" in self._inside(card, "InterfaceTypes", list, []),
            )
            for card in self.at("NetworkInfo.NetworkCards", list)
        ]
        cards.sort(key=lambda card: card.index)
        self.require(bool(cards), "no card in NetworkInfo.NetworkCards")
        self.require(
            [card.index for card in cards] == list(range(len(cards))),
            "cards that are not numbered from 0 in NetworkInfo.NetworkCards",
        )
        self.require(
            efa <= sum(card.efa for card in cards),
            f"{efa} EFA and fewer cards with efa in InterfaceTypes, which an older command line "
            "leaves out",
        )
        return tuple(cards), efa

    def local_storage_gb(self) -> int:
        """The size of the local disks that are NVMe; the oldest types have others."""
        if self.at("InstanceStorageInfo.NvmeSupport", str, "supported") == "unsupported":
            return 0
        return self.at("InstanceStorageInfo.TotalSizeInGB", int, 0)

    def gpus(self) -> tuple[int, str | None, str | None]:
        """Number, maker and model of the GPUs."""
        # A fraction of a GPU has Count 0; the operating system sees LogicalGpuCount devices.
        return self._model(
            (
                self._inside(gpu, "LogicalGpuCount", int, 0)
                or max(self._inside(gpu, "Count", int), 1),
                self._inside(gpu, "Manufacturer", str),
                self._inside(gpu, "Name", str),
            )
            for gpu in self.at("GpuInfo.Gpus", list, [])
        )

    def accelerators(self) -> tuple[int, str | None, str | None]:
        """Number, maker and model of the accelerators that are no GPUs."""
        # Inferentia is listed twice, as an accelerator and as a Neuron device; Trainium only as the
        # latter, which names no manufacturer because there is only one.
        listed = (
            self.at("InferenceAcceleratorInfo.Accelerators", list, [])
            or self.at("MediaAcceleratorInfo.Accelerators", list, [])
            or self.at("NeuronInfo.NeuronDevices", list, [])
        )
        return self._model(
            (
                self._inside(device, "Count", int),
                self._inside(device, "Manufacturer", str, "AWS"),
                self._inside(device, "Name", str),
            )
            for device in listed
        )

    def require(self, holds: bool, otherwise: str) -> None:
        """Remember what is wrong unless this holds."""
        if not holds:
            self._wrong.append(otherwise)

    def refuse(self) -> None:
        """Raise what is wrong, if anything is."""
        if self._wrong:
            raise PcsValidationError(
                "InstanceFacts",
                [
                    Problem(
                        code="PCS209",
                        argument="description",
                        message=f"has {', '.join(dict.fromkeys(self._wrong))}",
                        fix="pass one entry of InstanceTypes as "
                        "`aws ec2 describe-instance-types --instance-types NAME` prints it",
                    )
                ],
            )

    def _single(self, description: object) -> object:
        if isinstance(description, str):
            try:
                description = json.loads(description)
            except (json.JSONDecodeError, RecursionError) as reason:
                self._wrong.append(f"no JSON in it ({reason})")
                self.refuse()
        entries = _mapping(description).get("InstanceTypes")
        if not isinstance(entries, list):
            return description
        among = cast("list[object]", entries)
        if len(among) != 1:
            self._wrong.append(f"{len(among)} entries in InstanceTypes")
            self.refuse()
        return among[0]

    def _inside(self, entry: object, path: str, kind: type[T], default: T | None = None) -> T:
        value = entry
        for key in path.split("."):
            value = _mapping(value).get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or value == "":
            self._wrong.append(f"{_NOTHING[kind]} at {path}")
            return kind()
        return value

    def _model(self, models: Iterable[tuple[int, str, str]]) -> tuple[int, str | None, str | None]:
        entries = list(models)
        if not entries:
            return 0, None, None
        if len(entries) > 1:  # no type mixes them, and nothing here could tell them apart
            self._wrong.append(f"{len(entries)} models of one kind of device")
        return entries[0]


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


_NOTHING: Final[Mapping[type, str]] = {
    bool: "no true or false",
    int: "no whole number",
    str: "no text",
    list: "no list",
}


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


def known(
    instance_types: Iterable[str], described: Mapping[str, InstanceFacts] | None = None
) -> dict[str, InstanceFacts]:
    """The facts of those among these types that are described or in the catalogue, by name."""
    given = described or {}
    return {
        name: facts
        for name in instance_types
        if (facts := given.get(name) or find(name)) is not None
    }


def names() -> tuple[str, ...]:
    """The instance types in the catalogue, sorted."""
    return tuple(_catalogue()["types"])


def source() -> str:
    """Where the catalogue comes from and how old it is at least, for use in messages."""
    catalogue = _catalogue()
    return f"moto {catalogue['version']}, recorded on {catalogue['recorded']} or earlier"


@cache
def _catalogue() -> _Catalogue:
    # Of the ways to read a file of a package the one that costs least to import.
    text = get_data("pcs_constructs.model._data", "instances.json")
    return cast("_Catalogue", json.loads(text or ""))
