"""The generator of `instances.json`, the catalogue behind `pcs_constructs.instances`.

Run it as `python -m pcs_constructs._data.generate` with moto installed, a development dependency
that ships the recorded output of EC2's DescribeInstanceTypes. The same moto always gives the same
bytes. `--check` writes nothing and exits with 1 when the committed file differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FILE: Final = Path(__file__).with_name("instances.json")
"""The generated file."""

_COMMAND: Final = "python -m pcs_constructs._data.generate"

# The recording states no date. The day on which moto built its wheel (the times of the files in it)
# is the latest day it can be from.
_BUILT: Final[Mapping[str, str]] = {"5.2.5": "2026-10-27"}

# What most types have in common is written once instead of on every line.
_DEFAULTS: Final[Mapping[str, object]] = {
    "threads_per_core": 2,
    "architecture": "x86_64",
    "gpus": 0,
    "gpu_manufacturer": None,
    "gpu_name": None,
    "accelerators": 0,
    "accelerator_manufacturer": None,
    "accelerator_name": None,
    "efa_interfaces": 0,
    "usage_classes": ["on-demand", "spot"],
    "local_storage_gb": 0,
    "bare_metal": False,
}


class _VCpuInfo(TypedDict):
    DefaultVCpus: int
    DefaultCores: int
    DefaultThreadsPerCore: int


class _ProcessorInfo(TypedDict):
    SupportedArchitectures: list[str]


class _MemoryInfo(TypedDict):
    SizeInMiB: int


class _Gpu(TypedDict):
    LogicalGpuCount: int
    Manufacturer: str
    Name: str


class _GpuInfo(TypedDict):
    Gpus: list[_Gpu]


class _Accelerator(TypedDict):
    Count: int
    Manufacturer: str
    Name: str


class _AcceleratorInfo(TypedDict):
    Accelerators: list[_Accelerator]


class _NeuronDevice(TypedDict):
    Count: int
    Name: str


class _NeuronInfo(TypedDict):
    NeuronDevices: list[_NeuronDevice]


class _NetworkCard(TypedDict):
    NetworkCardIndex: int
    MaximumNetworkInterfaces: int
    InterfaceTypes: list[str]


class _EfaInfo(TypedDict):
    MaximumEfaInterfaces: int


class _NetworkInfo(TypedDict):
    NetworkCards: list[_NetworkCard]
    EfaInfo: NotRequired[_EfaInfo]


class _InstanceStorageInfo(TypedDict):
    TotalSizeInGB: int


class _InstanceType(TypedDict):
    VCpuInfo: _VCpuInfo
    ProcessorInfo: _ProcessorInfo
    MemoryInfo: _MemoryInfo
    NetworkInfo: _NetworkInfo
    SupportedUsageClasses: list[str]
    BareMetal: bool
    GpuInfo: NotRequired[_GpuInfo]
    InferenceAcceleratorInfo: NotRequired[_AcceleratorInfo]
    MediaAcceleratorInfo: NotRequired[_AcceleratorInfo]
    NeuronInfo: NotRequired[_NeuronInfo]
    InstanceStorageInfo: NotRequired[_InstanceStorageInfo]


def text() -> str:
    """The text that `instances.json` should have, one instance type per line."""
    moto = version("moto")
    head = {
        "generated_by": _COMMAND,
        "source": "moto/ec2/resources/instance_types.json.gz in the PyPI package moto,"
        " recorded output of EC2 DescribeInstanceTypes",
        "version": moto,
        "license": "Apache-2.0",
        "recorded": _built(moto),
        "recorded_means": "the day this version of moto was built;"
        " the recording states no date and may be older",
        "defaults": _DEFAULTS,
    }
    entries = "".join(f"{_entry(key, value)},\n" for key, value in head.items())
    types = ",\n".join(
        _entry(name, _row(raw)) for name, raw in sorted(_recording().items()) if not _is_mac(raw)
    )
    return f'{{{entries}"types": {{\n{types}\n}}}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.

    Args:
        arguments: What follows the program's name; by default those of this process.

    Returns:
        The exit status: 1 when `--check` finds a stale file, else 0.
    """
    parser = argparse.ArgumentParser(prog=_COMMAND, description=f"Write {FILE.name}.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if it differs")
    check = cast("bool", parser.parse_args(arguments).check)
    expected = text()
    if not check:
        FILE.write_text(expected, encoding="utf-8", newline="\n")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != expected:
        print(f"{FILE} is stale, run: {_COMMAND}", file=sys.stderr)
        return 1
    return 0


def _built(moto: str) -> str:
    if moto not in _BUILT:
        raise SystemExit(f"moto {moto} has no date: add the day of its wheel to _BUILT")
    return _BUILT[moto]


@cache
def _recording() -> dict[str, _InstanceType]:
    packed = files("moto").joinpath("ec2", "resources", "instance_types.json.gz").read_bytes()
    return cast("dict[str, _InstanceType]", json.loads(gzip.decompress(packed)))


def _is_mac(raw: _InstanceType) -> bool:
    # Mac instances run macOS only, on dedicated hosts: they can never be nodes of a cluster.
    return any(a.endswith("_mac") for a in raw["ProcessorInfo"]["SupportedArchitectures"])


def _entry(key: str, value: object) -> str:
    return f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"


def _row(raw: _InstanceType) -> dict[str, object]:
    network = raw["NetworkInfo"]
    gpus = raw["GpuInfo"]["Gpus"] if "GpuInfo" in raw else []
    # A fraction of a GPU has Count 0; the operating system sees LogicalGpuCount devices.
    gpu_count, gpu_manufacturer, gpu_name = _one(
        (gpu["LogicalGpuCount"], gpu["Manufacturer"], gpu["Name"]) for gpu in gpus
    )
    count, manufacturer, name = _one(
        (device["Count"], device["Manufacturer"], device["Name"]) for device in _accelerators(raw)
    )
    row: dict[str, object] = {
        "vcpus": raw["VCpuInfo"]["DefaultVCpus"],
        "cores": raw["VCpuInfo"]["DefaultCores"],
        "threads_per_core": raw["VCpuInfo"]["DefaultThreadsPerCore"],
        "architecture": _architecture(raw),
        "memory_mib": raw["MemoryInfo"]["SizeInMiB"],
        "gpus": gpu_count,
        "gpu_manufacturer": gpu_manufacturer,
        "gpu_name": gpu_name,
        "accelerators": count,
        "accelerator_manufacturer": manufacturer,
        "accelerator_name": name,
        "efa_interfaces": network["EfaInfo"]["MaximumEfaInterfaces"] if "EfaInfo" in network else 0,
        "network_cards": [
            [
                card["NetworkCardIndex"],
                card["MaximumNetworkInterfaces"],
                "efa" in card["InterfaceTypes"],
            ]
            for card in sorted(network["NetworkCards"], key=lambda c: c["NetworkCardIndex"])
        ],
        "usage_classes": sorted(raw["SupportedUsageClasses"]),
        "local_storage_gb": raw["InstanceStorageInfo"]["TotalSizeInGB"]
        if "InstanceStorageInfo" in raw
        else 0,
        "bare_metal": raw["BareMetal"],
    }
    return {k: v for k, v in row.items() if k not in _DEFAULTS or v != _DEFAULTS[k]}


def _architecture(raw: _InstanceType) -> str:
    # The oldest types also run i386, which no Slurm node does.
    (architecture,) = (a for a in raw["ProcessorInfo"]["SupportedArchitectures"] if a != "i386")
    return architecture


def _accelerators(raw: _InstanceType) -> Iterable[_Accelerator]:
    # Inferentia is listed twice, as an accelerator and as a Neuron device; Trainium only as the
    # latter, which names no manufacturer because there is only one.
    if "InferenceAcceleratorInfo" in raw:
        return raw["InferenceAcceleratorInfo"]["Accelerators"]
    if "MediaAcceleratorInfo" in raw:
        return raw["MediaAcceleratorInfo"]["Accelerators"]
    devices = raw["NeuronInfo"]["NeuronDevices"] if "NeuronInfo" in raw else []
    return [{"Count": d["Count"], "Manufacturer": "AWS", "Name": d["Name"]} for d in devices]


def _one(models: Iterable[tuple[int, str, str]]) -> tuple[int, str | None, str | None]:
    # No type mixes models; the unpacking fails should one ever do.
    found = list(models)
    if not found:
        return 0, None, None
    (model,) = found
    return model


if __name__ == "__main__":
    sys.exit(main())
