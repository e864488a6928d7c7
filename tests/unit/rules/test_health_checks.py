from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.rules.health_checks import HealthChecksFacts
from tests.unit.rules.test_rules import errors, row, table

checks = partial(
    replace,
    HealthChecksFacts(
        mode="STANDARD", slurm=SlurmVersion.V26_05, gpu_makers={"g5.4xlarge": "NVIDIA"}
    ),
)


@table(
    row("watched", checks()),
    row("tested", checks(mode=None, profile="LONG")),
    row("nothing", checks(mode=None, incomplete=("",)), "PCS226"),
    row("no mode", checks(mode=None, incomplete=("HealthMonitoring",)), "PCS226"),
    row("a mode that there is not", checks(mode="STRICT"), "PCS226"),
    row("a profile that there is not", checks(profile="SHORT"), "PCS226"),
    row("token", checks(mode=UNKNOWN, repair=UNKNOWN)),
)
def test_health_checks_say_what_they_do(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("of a watched one", checks(repair="REPLACE")),
    row("of one that is not", checks(mode="NONE", repair="REPLACE"), "PCS227"),
    row("of a test", checks(profile="QUICK", profile_repair="ISOLATE")),
    row("of no test", checks(profile_repair="ISOLATE"), "PCS227"),
    row("of the test NONE", checks(profile="NONE", profile_repair="ISOLATE"), "PCS227"),
    row("token", checks(mode=UNKNOWN, repair="REPLACE")),
)
def test_repairs_belong_to_a_check(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("26.05", checks()),
    row("newer", checks(slurm=SlurmVersion.of("26.11"))),
    row("25.11", checks(slurm=SlurmVersion.V25_11), "PCS228"),
    row("token", checks(slurm=UNKNOWN)),
)
def test_health_checks_are_in_the_slurm_version(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("NVIDIA", checks(profile="QUICK")),
    row("none", checks(profile="QUICK", gpu_makers={"c7i.4xlarge": None}), "PCS229"),
    row("another", checks(profile="QUICK", gpu_makers={"g4ad.xlarge": "AMD"}), "PCS229"),
    row("none, and no test", checks(gpu_makers={"c7i.4xlarge": None})),
    row("none, and the test NONE", checks(profile="NONE", gpu_makers={"c7i.4xlarge": None})),
    row("not in the catalogue", checks(profile="QUICK", gpu_makers={})),
    row("token", checks(profile=UNKNOWN, gpu_makers={"c7i.4xlarge": None})),
)
def test_tested_gpus_are_nvidias(facts, codes) -> None:
    assert errors(facts) == codes
