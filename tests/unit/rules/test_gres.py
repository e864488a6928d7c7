from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.rules import GresFacts
from tests.unit.rules.test_rules import advice, errors, row, table

V24_11 = SlurmVersion.of("24.11")
FILE = {"Name": "gpu", "Type": "h100", "File": "/dev/nvidia[0-7]"}
AUTO = {"AutoDetect": "nvml"}
records = partial(
    replace, GresFacts(records=(FILE,), settings={"Gres": "gpu:h100:8"}, slurm=SlurmVersion.V26_05)
)


def only(*given: object, slurm: object = SlurmVersion.V26_05) -> GresFacts:
    """Records that no `Gres` names."""
    return GresFacts(records=given, slurm=slurm)


@table(
    row("none", only()),
    row("all", only({**FILE, "Count": "8", "Cores": "0-7", "Links": "-1,0", "Flags": "x"})),
    row("two kinds", only(FILE, {"Name": "mps", "Count": "800"}, {"Name": "fpga", "Count": "1"})),
    row("unknown", only({**FILE, "Devices": "8"}), "PCS823"),
    row("node name", only({**FILE, "NodeName": "n1"}), "PCS823"),
    row("of nodes", only({"Name": "fpga", "Weight": "1"}), "PCS823"),
    row("detected, 25.11", replace(records(), slurm=SlurmVersion.V25_11)),
    row("detected, old", only({**FILE, **AUTO}, slurm=V24_11), "PCS823"),
    row("version, token", only(AUTO, slurm=UNKNOWN)),
    row("tokens", only(dict.fromkeys(FILE, UNKNOWN))),
)
def test_gres_attributes_are_ones_that_pcs_takes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("name", only({"Name": "fpga"})),
    row("detected", only(AUTO)),
    row("neither", only({"File": "/dev/nvidia0"}), "PCS824"),
    row("nothing", only({}), "PCS824"),
    row("off alone", only({"AutoDetect": "OFF"}), "PCS824"),
    row("off and a name", only({**FILE, "AutoDetect": "off"})),
    row("name, token", only({"Name": UNKNOWN})),
    row("detected, token", only({"AutoDetect": UNKNOWN})),
)
def test_gres_records_say_what_they_are_of(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", only(FILE)),
    row("two", only(FILE, {**FILE, "Type": "a100"}), "PCS825"),
    row("one and detection", only(FILE, AUTO), "PCS825"),
    row("one and a token", only(FILE, {"Name": UNKNOWN, "File": "/dev/x"})),
)
def test_gpus_are_described_once(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("file", only({"Name": "gpu", "File": "/dev/nvidia0"})),
    row("files", only({"Name": "gpu", "MultipleFiles": "/dev/nvidia0"})),
    row("detected", only({"Name": "gpu", **AUTO})),
    row("neither", only({"Name": "gpu", "Count": "8"}), "PCS826"),
    row("not detected", only({"Name": "gpu", "AutoDetect": "off"}), "PCS826"),
    row("of something else", only({"Name": "fpga", "Count": "8"})),
    row("file, token", only({"Name": "gpu", "File": UNKNOWN})),
    row("detection, token", only({"Name": "gpu", "AutoDetect": UNKNOWN})),
)
def test_gpu_records_have_devices(facts, codes) -> None:
    assert errors(facts) == codes


on_25_11 = partial(
    replace, GresFacts(records=(AUTO,), settings={"Sockets": "2"}, slurm=SlurmVersion.V25_11)
)


@table(
    row("sockets", on_25_11()),
    row("none", on_25_11(settings={}), "PCS827"),
    row("none, 26.05", on_25_11(settings={}, slurm=SlurmVersion.V26_05)),
    row("none, older", on_25_11(settings={}, slurm=V24_11), "PCS823"),
    row("not detected", on_25_11(settings={}, records=(FILE,))),
    row("off", on_25_11(settings={}, records=({**FILE, "AutoDetect": "off"},))),
    row("sockets, token", on_25_11(settings={"Sockets": UNKNOWN})),
    row("version, token", on_25_11(settings={}, slurm=UNKNOWN)),
)
def test_gpus_that_are_detected_on_25_11_have_sockets(facts, codes) -> None:
    assert errors(facts) == codes


def gres(value: object, *given: object) -> GresFacts:
    return records(settings={"Gres": value}, records=given or (FILE,))


FPGA = {"Name": "fpga", "Count": "1k"}


@table(
    row("none", records(settings={})),
    row("nothing", gres("")),
    row("as many", gres("gpu:h100:8")),
    row("less", gres("gpu:h100:4")),
    row("0", gres("gpu:0")),
    row("one by default", gres("gpu")),
    row("without type", gres("gpu:8")),
    row("not consumed", gres("gpu:h100:no_consume:8")),
    row("more", gres("gpu:h100:9"), "PCS828"),
    row("another type", gres("gpu:a100:8"), "PCS828"),
    row("another type, and more", gres("gpu:a100:9"), "PCS828", "PCS828"),
    row("any type", gres("gpu:a100:2", {"Name": "gpu", "File": "/dev/nvidia0,/dev/nvidia1"})),
    row("no record", gres("gpu:8", FPGA), "PCS828"),
    row("no record, for 0", gres("gpu:0", FPGA), "PCS828"),
    row("no records", records(records=()), "PCS828"),
    row("two names", gres("gpu:8, fpga:1024", FILE, FPGA)),
    row("two names, one more", gres("gpu:8,fpga:1025", FILE, FPGA), "PCS828"),
    row("of two records", gres("fpga:2k", FPGA, FPGA)),
    row("shared", gres("mps:400", {"Name": "mps", "Count": "1"})),
    row("shared, no record", gres("shard:400"), "PCS828"),
    row("detected", gres("gpu:1g.10gb:14,gpu:7g.80gb:1", AUTO)),
    row("detected, with files", gres("gpu:9", {**FILE, **AUTO}), "PCS828"),
    row("one by record", gres("fpga:2", {"Name": "fpga"}), "PCS828"),
    row("some files", gres("gpu:6", {"Name": "gpu", "File": "/dev/nvidia[0-3,6],/dev/x"})),
    row("more files", gres("gpu:7", {"Name": "gpu", "File": "/dev/n[0-3,6],/dev/x"}), "PCS828"),
    row("files nobody can count", gres("gpu:7", {"Name": "gpu", "File": "/dev/n[a-b]"})),
    row("count nobody can read", gres("fpga:7", {"Name": "fpga", "Count": "all"}), "PCS845"),
    row("token", gres(UNKNOWN)),
    row("name, token", gres("fpga:1", {"Name": UNKNOWN, "Count": "1"})),
    row("count, token", gres("fpga:7", {"Name": "fpga", "Count": UNKNOWN})),
    row("type, token", gres("gpu:a100:8", {**FILE, "Type": UNKNOWN})),
    row("detection, token", gres("gpu:8", {"Name": "gpu", "AutoDetect": UNKNOWN})),
)
def test_what_jobs_can_ask_for_is_there(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as they are", only({"Name": "fpga", "Count": "1"})),
    row("other letters", only({"Name": "fpga", "count": "1"}), "PCS840"),
    row("token", only({"Name": UNKNOWN, "count": UNKNOWN}), "PCS840"),
    row("token for a value", only({"Name": UNKNOWN})),
)
def test_attributes_in_other_letters_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("number", only({"Name": "fpga", "Count": "4"}, {"Name": "mps", "Count": "1K"})),
    row("text", only({"Name": "fpga", "Count": "two"}), "PCS845"),
    row("nothing", only({"Name": "gpu", "File": ""}), "PCS845"),
    row("two lines", only({"Name": "fpga", "Flags": "CountOnly\nName=x"}), "PCS845"),
    row("twice", only({"Name": "fpga", "name": "fpga"}), "PCS845"),
    row("tokens", only({"Name": UNKNOWN, "Count": UNKNOWN})),
)
def test_attributes_have_values(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as they are", only({"Name": "gpu", "File": "/dev/nvidia0"})),
    row("all of them", only({"name": "gpu", "file": "/dev/nvidia0"})),
    row("no devices", only({"name": "gpu"}), "PCS826"),
    row("token", only({"name": UNKNOWN, "file": UNKNOWN})),
)
def test_records_in_other_letters_are_read_as_slurm_does(facts, codes) -> None:
    assert errors(facts) == codes
