from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pcs_constructs.model import instances
from pcs_constructs.model.errors import PcsValidationError
from pcs_constructs.model.instances import InstanceFacts, NetworkCard

_ROOT = Path(instances.__file__).parents[2]


def facts(instance_type: str) -> InstanceFacts:
    found = instances.find(instance_type)
    assert found is not None, f"{instance_type} is not in the catalogue"
    return found


@pytest.fixture(scope="module")
def catalogue() -> tuple[InstanceFacts, ...]:
    return tuple(facts(name) for name in instances.names())


# One type, everything about it.


def test_a_type_without_a_speciality_has_only_the_basics() -> None:
    assert instances.find("c6i.xlarge") == InstanceFacts(
        name="c6i.xlarge",
        vcpus=4,
        cores=2,
        threads_per_core=2,
        architecture="x86_64",
        memory_mib=8192,
        gpus=0,
        gpu_manufacturer=None,
        gpu_name=None,
        accelerators=0,
        accelerator_manufacturer=None,
        accelerator_name=None,
        efa_interfaces=0,
        network_cards=(NetworkCard(index=0, interfaces=4, efa=False),),
        usage_classes=("on-demand", "spot"),
        local_storage_gb=0,
        bare_metal=False,
    )


def test_a_type_with_everything_has_everything() -> None:
    assert instances.find("p4d.24xlarge") == InstanceFacts(
        name="p4d.24xlarge",
        vcpus=96,
        cores=48,
        threads_per_core=2,
        architecture="x86_64",
        memory_mib=1152 * 1024,
        gpus=8,
        gpu_manufacturer="NVIDIA",
        gpu_name="A100",
        accelerators=0,
        accelerator_manufacturer=None,
        accelerator_name=None,
        efa_interfaces=4,
        network_cards=tuple(NetworkCard(index=i, interfaces=15, efa=True) for i in range(4)),
        usage_classes=("capacity-block", "on-demand", "spot"),
        local_storage_gb=8000,
        bare_metal=False,
    )


# Well-known types, one trait at a time.


@pytest.mark.parametrize(
    ("instance_type", "vcpus", "cores", "threads_per_core", "memory_gib"),
    [
        ("c7g.xlarge", 4, 4, 1, 8),
        ("c7i.4xlarge", 16, 8, 2, 32),
        ("hpc6a.48xlarge", 96, 96, 1, 384),
        ("hpc6id.32xlarge", 64, 64, 1, 1024),
        ("hpc7a.12xlarge", 24, 24, 1, 768),
        ("hpc7a.96xlarge", 192, 192, 1, 768),
        ("hpc7g.16xlarge", 64, 64, 1, 128),
        ("p5.48xlarge", 192, 96, 2, 2048),
        ("t3.micro", 2, 1, 2, 1),
        ("trn1.32xlarge", 128, 64, 2, 512),
    ],
)
def test_processors_and_memory_are_those_of_the_type(
    instance_type: str, vcpus: int, cores: int, threads_per_core: int, memory_gib: int
) -> None:
    found = facts(instance_type)
    assert (found.vcpus, found.cores, found.threads_per_core) == (vcpus, cores, threads_per_core)
    assert found.memory_mib == memory_gib * 1024


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [
        ("c6i.xlarge", "x86_64"),
        ("hpc7a.96xlarge", "x86_64"),
        ("c7g.xlarge", "arm64"),
        ("hpc7g.4xlarge", "arm64"),
        ("g5g.xlarge", "arm64"),
    ],
)
def test_the_architecture_is_that_of_the_processor(instance_type: str, architecture: str) -> None:
    assert facts(instance_type).architecture == architecture


def test_a_type_that_also_runs_i386_is_x86_64() -> None:
    assert facts("t2.micro").architecture == "x86_64"


@pytest.mark.parametrize(
    ("instance_type", "efa_interfaces", "cards"),
    [
        ("c6i.xlarge", 0, 1),
        ("c6i.32xlarge", 1, 1),
        ("c7gn.16xlarge", 1, 1),
        ("hpc6a.48xlarge", 1, 1),
        ("hpc7g.16xlarge", 1, 1),
        ("hpc6id.32xlarge", 2, 2),
        ("hpc7a.12xlarge", 2, 2),
        ("hpc7a.96xlarge", 2, 2),
        ("hpc8a.96xlarge", 2, 2),
        ("p4d.24xlarge", 4, 4),
        ("p4de.24xlarge", 4, 4),
        ("p5.48xlarge", 32, 32),
        ("p5e.48xlarge", 32, 32),
        ("p5en.48xlarge", 16, 16),
        ("p6-b200.48xlarge", 8, 8),
        ("p6-b300.48xlarge", 16, 17),
        ("trn1.32xlarge", 8, 8),
        ("trn1n.32xlarge", 16, 16),
        ("trn2.48xlarge", 16, 16),
    ],
)
def test_efa_interfaces_and_cards_are_those_of_the_type(
    instance_type: str, efa_interfaces: int, cards: int
) -> None:
    found = facts(instance_type)
    assert (found.efa_interfaces, len(found.network_cards)) == (efa_interfaces, cards)


def test_the_first_card_of_a_p6_b300_carries_no_efa_and_every_other_card_does() -> None:
    first, *others = facts("p6-b300.48xlarge").network_cards
    assert not first.efa
    assert all(card.efa for card in others)


@pytest.mark.parametrize(
    ("instance_type", "interfaces"),
    [("hpc6id.32xlarge", 1), ("hpc7a.96xlarge", 2), ("p5.48xlarge", 2), ("p4d.24xlarge", 15)],
)
def test_each_card_says_how_many_interfaces_fit_on_it(instance_type: str, interfaces: int) -> None:
    assert {card.interfaces for card in facts(instance_type).network_cards} == {interfaces}


@pytest.mark.parametrize(
    ("instance_type", "gpus", "gpu_name"),
    [
        ("c6i.xlarge", 0, None),
        ("g4dn.xlarge", 1, "T4"),
        ("g5.48xlarge", 8, "A10G"),
        ("p4d.24xlarge", 8, "A100"),
        ("p5.4xlarge", 1, "H100"),
        ("p5.48xlarge", 8, "H100"),
        ("p5en.48xlarge", 8, "H200"),
        ("p6-b200.48xlarge", 8, "B200"),
    ],
)
def test_gpus_are_counted_and_named(instance_type: str, gpus: int, gpu_name: str | None) -> None:
    found = facts(instance_type)
    assert (found.gpus, found.gpu_name) == (gpus, gpu_name)


def test_a_fraction_of_a_gpu_counts_as_one() -> None:
    assert facts("g6f.large").gpus == 1


@pytest.mark.parametrize(
    ("instance_type", "accelerators", "manufacturer", "name"),
    [
        ("inf1.24xlarge", 16, "AWS", "Inferentia"),
        ("inf2.48xlarge", 12, "AWS", "Inferentia2"),
        ("trn1.2xlarge", 1, "AWS", "Trainium"),
        ("trn1.32xlarge", 16, "AWS", "Trainium"),
        ("trn2.48xlarge", 16, "AWS", "Trainium2"),
        ("dl2q.24xlarge", 8, "Qualcomm", "Qualcomm AI100"),
        ("vt1.24xlarge", 8, "Xilinx", "U30"),
        ("p5.48xlarge", 0, None, None),
    ],
)
def test_accelerators_are_counted_and_named(
    instance_type: str, accelerators: int, manufacturer: str | None, name: str | None
) -> None:
    found = facts(instance_type)
    assert found.accelerators == accelerators
    assert (found.accelerator_manufacturer, found.accelerator_name) == (manufacturer, name)


@pytest.mark.parametrize(
    ("instance_type", "usage_classes"),
    [
        ("hpc7a.96xlarge", ("on-demand",)),
        ("c6i.xlarge", ("on-demand", "spot")),
        ("p5.48xlarge", ("capacity-block", "on-demand", "spot")),
    ],
)
def test_usage_classes_say_how_the_type_is_bought(
    instance_type: str, usage_classes: tuple[str, ...]
) -> None:
    assert facts(instance_type).usage_classes == usage_classes


@pytest.mark.parametrize(
    ("instance_type", "gigabytes"),
    [("c6i.xlarge", 0), ("hpc6id.32xlarge", 4 * 3800), ("p5.48xlarge", 8 * 3800)],
)
def test_local_storage_is_the_total_of_the_disks(instance_type: str, gigabytes: int) -> None:
    assert facts(instance_type).local_storage_gb == gigabytes


# Every type.


def test_vcpus_are_cores_times_threads(catalogue: tuple[InstanceFacts, ...]) -> None:
    assert [f.name for f in catalogue if f.vcpus != f.cores * f.threads_per_core] == []


def test_every_type_has_processors_and_memory(catalogue: tuple[InstanceFacts, ...]) -> None:
    assert [f.name for f in catalogue if min(f.cores, f.memory_mib) < 1] == []
    assert {f.threads_per_core for f in catalogue} == {1, 2}


def test_every_arm64_type_has_one_thread_per_core(catalogue: tuple[InstanceFacts, ...]) -> None:
    threaded = [f.name for f in catalogue if f.architecture == "arm64" and f.threads_per_core > 1]
    assert threaded == []


def test_every_architecture_is_one_that_linux_nodes_have(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    assert {f.architecture for f in catalogue} == {"x86_64", "arm64"}


def test_cards_are_numbered_from_0_in_order(catalogue: tuple[InstanceFacts, ...]) -> None:
    odd = [
        f.name
        for f in catalogue
        if [card.index for card in f.network_cards] != list(range(len(f.network_cards)))
    ]
    assert odd == []


def test_every_type_has_a_card_and_every_card_takes_an_interface(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    assert [f.name for f in catalogue if not f.network_cards] == []
    assert [f.name for f in catalogue if min(c.interfaces for c in f.network_cards) < 1] == []


def test_a_type_that_supports_efa_has_a_network_card_for_it(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    cardless = [
        f.name for f in catalogue if f.efa_interfaces > sum(card.efa for card in f.network_cards)
    ]
    assert cardless == []


def test_no_card_carries_efa_where_the_type_does_not_support_it(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    stray = [
        f.name
        for f in catalogue
        if not f.efa_interfaces and any(card.efa for card in f.network_cards)
    ]
    assert stray == []


def test_only_some_storage_types_allow_fewer_efa_interfaces_than_they_have_efa_cards(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    fewer = {
        f.name for f in catalogue if f.efa_interfaces < sum(card.efa for card in f.network_cards)
    }
    assert fewer == {"i7ie.48xlarge", "i7ie.metal-48xl", "i8ge.48xlarge", "i8ge.metal-48xl"}


def test_only_the_p6_b300_has_a_first_card_without_efa_although_it_supports_efa(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    without = [f.name for f in catalogue if f.efa_interfaces and not f.network_cards[0].efa]
    assert without == ["p6-b300.48xlarge"]


def test_gpus_have_a_manufacturer_and_a_name_or_do_not_exist(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    odd = [
        f.name
        for f in catalogue
        if not bool(f.gpus) == bool(f.gpu_manufacturer) == bool(f.gpu_name)
    ]
    assert odd == []


def test_accelerators_have_a_manufacturer_and_a_name_or_do_not_exist(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    odd = [
        f.name
        for f in catalogue
        if not bool(f.accelerators) == bool(f.accelerator_manufacturer) == bool(f.accelerator_name)
    ]
    assert odd == []


def test_every_accelerated_family_has_accelerators_but_for_one_gap_in_the_recording(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    without = [
        f.name
        for f in catalogue
        if f.name.startswith(("inf", "trn", "dl", "vt")) and not f.accelerators
    ]
    # It has 16 Trainium2 devices, of which the recording says nothing.
    assert without == ["trn2u.48xlarge"]


def test_usage_classes_are_sorted_and_known(catalogue: tuple[InstanceFacts, ...]) -> None:
    assert [f.name for f in catalogue if list(f.usage_classes) != sorted(f.usage_classes)] == []
    assert {u for f in catalogue for u in f.usage_classes} == {
        "capacity-block",
        "on-demand",
        "spot",
    }


def test_every_type_can_be_bought_on_demand(catalogue: tuple[InstanceFacts, ...]) -> None:
    assert [f.name for f in catalogue if "on-demand" not in f.usage_classes] == []


def test_bare_metal_types_are_those_that_are_called_metal(
    catalogue: tuple[InstanceFacts, ...],
) -> None:
    assert [f.name for f in catalogue if f.bare_metal != ("metal" in f.name)] == []


# The lookup.


@pytest.mark.parametrize(
    "instance_type", ["", "c6i", "c6i.gigantic", "C6I.XLARGE", " c6i.xlarge", "types"]
)
def test_a_lookup_of_an_unknown_type_returns_none(instance_type: str) -> None:
    assert instances.find(instance_type) is None


@pytest.mark.parametrize("instance_type", ["mac1.metal", "mac2.metal", "mac-m4.metal"])
def test_mac_types_are_left_out(instance_type: str) -> None:
    assert instances.find(instance_type) is None


def test_names_are_sorted_and_unique() -> None:
    names = instances.names()
    assert list(names) == sorted(set(names))


def test_names_cover_more_than_a_thousand_types() -> None:
    assert len(instances.names()) > 1000


def test_facts_name_the_type_they_were_asked_for(catalogue: tuple[InstanceFacts, ...]) -> None:
    assert tuple(f.name for f in catalogue) == instances.names()


def test_facts_can_be_compared_and_hashed() -> None:
    assert {facts("c6i.xlarge"), facts("c6i.xlarge")} == {facts("c6i.xlarge")}


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(facts("c6i.xlarge"), "vcpus", 8)  # noqa: B010


def test_the_source_names_its_version_and_date() -> None:
    assert instances.source() == "moto 5.2.5, recorded on 2026-10-27 or earlier"


# A type that is described.

# What the library wants of an entry, and no more. The cards are in no order.
ENTRY: dict[str, Any] = {
    "InstanceType": "c99x.large",
    "VCpuInfo": {"DefaultVCpus": 8},
    "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]},
    "MemoryInfo": {"SizeInMiB": 16_384},
    "NetworkInfo": {
        "NetworkCards": [
            {"NetworkCardIndex": 1, "MaximumNetworkInterfaces": 2, "InterfaceTypes": ["efa"]},
            {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 4, "InterfaceTypes": ["interface"]},
        ]
    },
    "SupportedUsageClasses": ["spot", "on-demand"],
}
DESCRIBED = InstanceFacts(
    name="c99x.large",
    vcpus=8,
    cores=8,
    threads_per_core=1,
    architecture="x86_64",
    memory_mib=16_384,
    gpus=0,
    gpu_manufacturer=None,
    gpu_name=None,
    accelerators=0,
    accelerator_manufacturer=None,
    accelerator_name=None,
    efa_interfaces=0,
    network_cards=(
        NetworkCard(index=0, interfaces=4, efa=False),
        NetworkCard(index=1, interfaces=2, efa=True),
    ),
    usage_classes=("on-demand", "spot"),
    local_storage_gb=0,
    bare_metal=False,
)
NOTHING = object()


def entry(path: str, value: object) -> dict[str, Any]:
    """The entry with a value at a path of keys, or without the last of them."""
    *way, last = path.split(".")
    changed = inner = json.loads(json.dumps(ENTRY))
    for key in way:
        inner = inner.setdefault(key, {})
    inner[last] = value
    if value is NOTHING:
        del inner[last]
    return changed


def is_refused(description: Any) -> bool:
    try:
        InstanceFacts.from_description(description)
    except PcsValidationError as error:
        return [problem.code for problem in error.problems] == ["PCS209"]
    return False


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    "description", [ENTRY, {"InstanceTypes": [ENTRY]}], ids=["entry", "whole output"]
)
def test_a_type_is_described_by_an_object_or_by_json(
    description: dict[str, Any], as_json: bool
) -> None:
    given = json.dumps(description) if as_json else description
    assert InstanceFacts.from_description(given) == DESCRIBED


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("ProcessorInfo.SupportedArchitectures", ["arm64"], {"architecture": "arm64"}),
        ("VCpuInfo.DefaultThreadsPerCore", 2, {"threads_per_core": 2, "cores": 4}),
        ("VCpuInfo.DefaultCores", 6, {"cores": 6}),
        ("NetworkInfo.EfaInfo", {"MaximumEfaInterfaces": 1}, {"efa_interfaces": 1}),
        ("InstanceStorageInfo", {"TotalSizeInGB": 3800}, {"local_storage_gb": 3800}),
        ("BareMetal", True, {"bare_metal": True}),
        ("BareMetal", None, {}),
        (
            "GpuInfo.Gpus",
            [{"Count": 8, "Manufacturer": "NVIDIA", "Name": "H1000"}],
            {"gpus": 8, "gpu_manufacturer": "NVIDIA", "gpu_name": "H1000"},
        ),
        (
            "GpuInfo.Gpus",
            [{"Count": 0, "LogicalGpuCount": 1, "Manufacturer": "NVIDIA", "Name": "L40"}],
            {"gpus": 1, "gpu_manufacturer": "NVIDIA", "gpu_name": "L40"},
        ),
        ("GpuInfo.Gpus", [], {}),
        (
            "NeuronInfo.NeuronDevices",
            [{"Count": 16, "Name": "Trainium9"}],
            {
                "accelerators": 16,
                "accelerator_manufacturer": "AWS",
                "accelerator_name": "Trainium9",
            },
        ),
        (
            "MediaAcceleratorInfo.Accelerators",
            [{"Count": 2, "Manufacturer": "Xilinx", "Name": "U99"}],
            {"accelerators": 2, "accelerator_manufacturer": "Xilinx", "accelerator_name": "U99"},
        ),
    ],
)
def test_what_a_description_says_beyond_that_is_kept(
    path: str, value: object, expected: dict[str, Any]
) -> None:
    found = InstanceFacts.from_description(entry(path, value))
    assert found == dataclasses.replace(DESCRIBED, **expected)


def test_an_accelerator_that_is_listed_twice_is_counted_once() -> None:
    device = {"Count": 1, "Name": "Inferentia9"}
    twice = {
        **entry("NeuronInfo.NeuronDevices", [device]),
        "InferenceAcceleratorInfo": {"Accelerators": [{**device, "Manufacturer": "AWS"}]},
    }
    assert InstanceFacts.from_description(twice).accelerators == 1


def test_fails_on_what_describes_no_type_or_several() -> None:
    descriptions = [
        *("", "c7i.large", "{", "[]", "7", "null", f"[{json.dumps(ENTRY)}]"),
        *(None, 7, b"{}", [ENTRY], {}, {"InstanceTypes": ENTRY}),
        *({"InstanceTypes": entries} for entries in ([], [None], [ENTRY, ENTRY])),
    ]
    assert [d for d in descriptions if not is_refused(d)] == []


REQUIRED = (
    "InstanceType",
    "VCpuInfo.DefaultVCpus",
    "ProcessorInfo.SupportedArchitectures",
    "MemoryInfo.SizeInMiB",
    "NetworkInfo.NetworkCards",
    "SupportedUsageClasses",
)


def test_fails_on_a_description_that_lacks_what_the_library_looks_at() -> None:
    sections = {path.split(".")[0] for path in REQUIRED}
    assert [p for p in (*REQUIRED, *sections) if not is_refused(entry(p, NOTHING))] == []


def test_fails_on_a_description_with_values_of_other_types() -> None:
    wrong = {
        "InstanceType": [7, ["c99x.large"]],
        "VCpuInfo": ["8", [8]],
        "VCpuInfo.DefaultVCpus": ["8", True, 8.0],
        "VCpuInfo.DefaultCores": ["4"],
        "ProcessorInfo.SupportedArchitectures": ["x86_64", [], ["i386"], ["arm64_mac"]],
        "MemoryInfo.SizeInMiB": ["16384", True],
        "NetworkInfo.NetworkCards": [{}, [], [0], [{"MaximumNetworkInterfaces": 4}]],
        "NetworkInfo.EfaInfo.MaximumEfaInterfaces": ["1", False],
        "SupportedUsageClasses": ["spot", {"spot": 1}],
        "InstanceStorageInfo.TotalSizeInGB": ["3800"],
        "BareMetal": ["no", 0],
        "GpuInfo.Gpus": [{}, [{}], [8], [{"Count": 8, "Name": "H1000"}]],
        "NeuronInfo.NeuronDevices": [[{"Name": "Trainium9"}], [{"Count": 16}]],
    }
    pairs = [(path, value) for path, values in wrong.items() for value in values]
    assert [(path, value) for path, value in pairs if not is_refused(entry(path, value))] == []


def test_fails_on_efa_that_no_card_is_said_to_carry() -> None:
    card = {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 8}
    network = {"NetworkCards": [card], "EfaInfo": {"MaximumEfaInterfaces": 1}}
    assert is_refused(entry("NetworkInfo", network))
    with_types = {**card, "InterfaceTypes": ["interface", "efa"]}
    assert not is_refused(entry("NetworkInfo", {**network, "NetworkCards": [with_types]}))
    assert is_refused(entry("NetworkInfo", {"NetworkCards": [with_types, with_types]}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("SupportedUsageClasses", ["spot", None]),
        ("SupportedUsageClasses", [{}]),
        ("VCpuInfo.DefaultVCpus", 0),
        ("MemoryInfo.SizeInMiB", -1),
        ("InstanceType", ""),
    ],
)
def test_fails_on_values_that_make_no_sense(path: str, value: object) -> None:
    assert is_refused(entry(path, value))


def test_a_gpu_that_is_not_counted_is_one() -> None:
    gpu = {"Count": 0, "Manufacturer": "NVIDIA", "Name": "L4"}
    assert InstanceFacts.from_description(entry("GpuInfo.Gpus", [gpu])).gpus == 1


def test_fails_on_devices_of_two_models() -> None:
    models = [{"Count": 4, "Manufacturer": "NVIDIA", "Name": name} for name in ("H100", "B200")]
    assert is_refused(entry("GpuInfo.Gpus", models))


def test_fails_with_everything_that_is_wrong_with_a_description_at_once() -> None:
    with pytest.raises(PcsValidationError) as error:
        InstanceFacts.from_description({"BareMetal": "no"})
    (problem,) = error.value.problems
    assert problem.code == "PCS209"
    assert [path for path in (*REQUIRED, "BareMetal") if path not in problem.message] == []


def test_a_description_stands_in_for_the_catalogue_and_goes_before_it() -> None:
    slower = dataclasses.replace(facts("c6i.xlarge"), vcpus=2)
    described = {"c99x.large": DESCRIBED, "c6i.xlarge": slower, "c88x.large": DESCRIBED}
    names = ("c99x.large", "c7g.xlarge", "c6i.xlarge", "c77x.large")
    assert instances.known(names, described) == {
        "c99x.large": DESCRIBED,
        "c7g.xlarge": facts("c7g.xlarge"),
        "c6i.xlarge": slower,
    }


def test_without_descriptions_only_the_catalogue_is_known() -> None:
    assert list(instances.known(["c99x.large", "c6i.xlarge"])) == ["c6i.xlarge"]
    assert instances.known([], {"c99x.large": DESCRIBED}) == {}


# What an import costs.
