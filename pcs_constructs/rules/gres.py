"""Rules for generic resources: the records of `gres.conf`, and what of them jobs can have."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.slurm_settings import GRES
from pcs_constructs.rules.rule import advice, error, facts_record
from pcs_constructs.rules.settings import official_name, too_old, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.slurm import SlurmVersion


@facts_record
class GresFacts:
    """The GRES records of a compute node group, with its Slurm settings."""

    records: tuple[Mapping[str, str | Unknown], ...]
    settings: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])
    slurm: SlurmVersion | Unknown = UNKNOWN

    @property
    def gpus(self) -> tuple[Mapping[str, str | Unknown], ...]:
        """The records that AWS PCS takes for a description of GPUs."""
        return tuple(r for r in self.spelled if r.get("Name") == "gpu" or "AutoDetect" in r)

    @property
    def spelled(self) -> tuple[Mapping[str, str | Unknown], ...]:
        """The records with their attributes in the letters of AWS PCS, as Slurm reads any."""
        return tuple(
            {official_name(GRES, name) or name: value for name, value in record.items()}
            for record in self.records
        )


def _detects(record: Mapping[str, str | Unknown]) -> bool | Unknown:
    """Whether Slurm finds the devices of a record itself."""
    value = record.get("AutoDetect", "off")
    return UNKNOWN if value is UNKNOWN else value.lower() != "off"


@error("PCS823", GresFacts)
def gres_attributes_are_ones_that_pcs_takes(facts: GresFacts) -> Iterator[Violation]:
    """AWS PCS takes the attributes of a GRES record, on this version of Slurm.

    These are AutoDetect, which needs Slurm 25.11, Name, Type, Count, Cores, Links, Flags, File and
    MultipleFiles. `NodeName` is added by AWS PCS.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.records:
        for name in record:
            if name.lower() == "nodename":
                yield Violation("gres", f"has {name!r}", "leave it out, AWS PCS adds it")
            elif wrong := unknown_name("gres", GRES, name):
                yield wrong
            elif slurm := too_old(facts.slurm, GRES.since.get(name)):
                yield Violation(
                    "gres",
                    f"has {name}, which needs Slurm {GRES.since[name]}, and the cluster has "
                    f"{slurm.value}",
                    "write File in its place, such as '/dev/nvidia[0-7]'",
                )


@advice("PCS840", GresFacts)
def gres_attributes_are_spelled_as_pcs_does(facts: GresFacts) -> Iterator[Violation]:
    """Attributes of GRES records are written in the letters in which AWS PCS lists them.

    Slurm reads them in any letters. Whether AWS PCS does is not said.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.records:
        for name in record:
            if official := official_name(GRES, name):
                yield Violation(
                    "gres",
                    f"has {name!r} in other letters than AWS PCS",
                    f"write {official!r}",
                )


@error("PCS824", GresFacts)
def gres_records_say_what_they_are_of(facts: GresFacts) -> Iterator[Violation]:
    """A GRES record has a `Name`, or an `AutoDetect` that is not off.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.spelled:
        if "Name" not in record and _detects(record) is False:
            has = "only AutoDetect=off" if "AutoDetect" in record else "no Name"
            yield Violation(
                "gres",
                f"has a record with {has}",
                'add a name, such as {"Name": "gpu", "File": "/dev/nvidia[0-7]"}',
            )


@error("PCS825", GresFacts)
def gpus_are_described_once(facts: GresFacts) -> Iterator[Violation]:
    """At most one GRES record describes GPUs.

    A record with `Name=gpu` does, and one with `AutoDetect`. It takes the place of the one that AWS
    PCS writes.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    if len(facts.gpus) > 1:
        yield Violation(
            "gres",
            f"has {len(facts.gpus)} records of GPUs",
            "put them into one, such as "
            '{"Name": "gpu", "AutoDetect": "nvml", "File": "/dev/nvidia[0-7]"}',
        )


@error("PCS826", GresFacts)
def gpu_records_have_devices(facts: GresFacts) -> Iterator[Violation]:
    """A GRES record of GPUs has `File` or `MultipleFiles`, or an `AutoDetect` that finds them.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    for record in facts.spelled:
        if (
            record.get("Name") == "gpu"
            and _detects(record) is False
            and record.keys().isdisjoint(("File", "MultipleFiles"))
        ):
            yield Violation(
                "gres",
                "has a record of GPUs without their devices",
                'add "File": "/dev/nvidia[0-7]", or "AutoDetect": "nvml" on Slurm 25.11',
            )


@error("PCS827", GresFacts)
def detected_gpus_have_sockets(facts: GresFacts) -> Iterator[Violation]:
    """On Slurm 25.11, nodes that detect their GPUs have `Sockets`.

    What they find is told in sockets. AWS PCS says nothing of those on 25.11, Slurm takes each core
    for one, and the nodes are drained as `INVALID_REG`. From 26.05 AWS PCS sets them itself, for
    node groups whose types have the same number of NUMA domains.

    Source: Configuring hardware topology in AWS PCS.
    """
    if facts.slurm is UNKNOWN or facts.slurm.is_at_least("26.05") or "Sockets" in facts.settings:
        return
    if facts.slurm.is_at_least("25.11") and any(_detects(r) is True for r in facts.spelled):
        yield Violation(
            "gres",
            "has AutoDetect, and the node group no Sockets",
            'add {"Sockets": "2"} to slurm_settings, with the number of NUMA domains of the type',
            template_fix="add Sockets to SlurmCustomSettings, with the number of NUMA domains of "
            "the type",
        )


@error("PCS828", GresFacts)
def schedulable_gres_are_there(facts: GresFacts) -> Iterator[Violation]:
    """What `Gres` lets jobs have, the GRES records declare, as many and of the same type.

    `Gres` of `slurm_settings` is what can be allocated, as in `gpu:h100:8`, and the records are
    what is there. AWS PCS refuses a name without a record, be it for 0 of it, more than the records
    have, and another type of GPU than theirs. It cannot count what Slurm detects, does not count
    `mps` and `shard`, and takes any type where the record has none. A record that no `Gres` names
    is legal: jobs cannot ask for it.

    Source: Configuring custom GRES settings in AWS PCS, "Constraints".
    """
    listed = facts.settings.get("Gres", "")
    unnamed = any(record.get("Name") is UNKNOWN for record in facts.spelled)
    for entry in () if listed is UNKNOWN or unnamed else filter(None, listed.split(",")):
        name, kind, count = _gres_entry(entry.strip())
        own = [r for r in facts.spelled if r.get("Name") == name] if name != "gpu" else facts.gpus
        if not own:
            yield Violation(
                "slurm_settings",
                f"has Gres={entry}, and no record declares {name}",
                f'pass gres=[{{"Name": "{name}", ...}}]',
                template_fix=f"add a record with the Name {name} to GresCustomSettings",
            )
            continue
        counts = [_declared(record) for record in own]
        there = sum(c for c in counts if c is not None)
        if name not in {"mps", "shard"} and None not in counts and count > there:
            yield Violation(
                "slurm_settings",
                f"has Gres={entry}, and the records declare {there}",
                f"write {there} or less, or declare more in gres",
                template_fix=f"write {there} or less, or declare more in GresCustomSettings",
            )
        kinds = {record.get("Type", kind) for record in own}
        if name == "gpu" and kind and UNKNOWN not in kinds and kind not in kinds:
            yield Violation(
                "slurm_settings",
                f"has Gres={entry}, and the record of GPUs has Type={', '.join(map(str, kinds))}",
                "write the same type in both",
            )


@error("PCS845", GresFacts)
def gres_attributes_have_values(facts: GresFacts) -> Iterator[Violation]:
    """An attribute of a GRES record is there once, with a value on one line; `Count` is a number.

    Slurm does not start with a record that it cannot read. A `Count` may end in K, M, G, T or P.

    Source: `gres.conf`.
    """
    for record in facts.records:
        seen: set[str] = set()
        for name, value in record.items():
            if name.lower() in seen:
                yield Violation("gres", f"has {name} twice in one record", "leave one of them")
            seen.add(name.lower())
            if value is not UNKNOWN and (not value or re.search(r"[\x00-\x1f\x7f]", value)):
                yield Violation("gres", f"has {name}={value!r}", "write a value on one line")
    for record in facts.spelled:
        count = record.get("Count", "1")
        if count and count is not UNKNOWN and _gres_count(count) is None:
            yield Violation("gres", f"has Count={count}", "write a number, such as '4' or '1k'")


_GRES_COUNT: Final = re.compile(r"(\d+)([kKmMgGtTpP]?)", re.ASCII)


def _gres_entry(entry: str) -> tuple[str, str, int]:
    """The name, the type and the count of `name[:type][:no_consume][:count]`."""
    name, *rest = entry.split(":")
    count = _gres_count(rest[-1]) if rest else None
    if count is not None:
        rest.pop()
    kinds = [part for part in rest if part != "no_consume"]
    return name, ":".join(kinds), 1 if count is None else count


def _gres_count(text: str) -> int | None:
    match = _GRES_COUNT.fullmatch(text)
    return int(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " ") if match else None


def _declared(record: Mapping[str, str | Unknown]) -> int | None:
    """How many devices a record says there are, where it can be told."""
    for name, counted in (("Count", _gres_count), ("File", _devices), ("MultipleFiles", _devices)):
        if name in record:
            value = record[name]
            return None if value is UNKNOWN else counted(value)
    return 1 if _detects(record) is False else None


def _devices(files: str) -> int | None:
    """How many files `/dev/nvidia[0-3,7],/dev/other` are."""
    total = 0
    for path in re.findall(r"(?:\[[^\]]*\]|[^,\[])+", files):
        number = 1
        for numbers in re.findall(r"\[([^\]]*)\]", path):
            ends = [re.fullmatch(r"(\d+)(?:-(\d+))?", n, re.ASCII) for n in numbers.split(",")]
            if None in ends:
                return None
            number *= sum(int(e[2] or e[1]) - int(e[1]) + 1 for e in ends if e)
        total += number
    return total
