from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import LustreFacts, RepositoriesFacts
from tests.unit.rules.test_rules import errors, row, table

lustre = partial(
    replace,
    LustreFacts(
        deployment_type="PERSISTENT_2",
        capacity_gib=1200,
        throughput=125,
        file_system_id="fs-0123456789abcdef0",
        mount_name="a1b2cbev",
    ),
)
persistent_1 = partial(lustre, deployment_type="PERSISTENT_1", throughput=50)
hdd = partial(persistent_1, storage_type="HDD", throughput=12, capacity_gib=6000)
tiering = partial(lustre, storage_type="INTELLIGENT_TIERING", throughput=4000, capacity_gib=None)
efa = partial(lustre, efa=True, capacity_gib=38_400)
linked = partial(
    replace, RepositoriesFacts(deployment_type="PERSISTENT_2", storage_type="SSD", paths=("/data",))
)


@table(
    row("125, first step", efa(capacity_gib=38_400)),
    row("125, second step", efa(capacity_gib=76_800)),
    row("125, between", efa(capacity_gib=48_000), "PCS504"),
    row("250", efa(throughput=250, capacity_gib=19_200)),
    row("250, too small", efa(throughput=250, capacity_gib=16_800), "PCS504"),
    row("500", efa(throughput=500, capacity_gib=9_600)),
    row("500, too small", efa(throughput=500, capacity_gib=7_200), "PCS504"),
    row("1000", efa(throughput=1000, capacity_gib=4_800)),
    row("1000, too small", efa(throughput=1000, capacity_gib=2_400), "PCS504"),
    row("PERSISTENT_1", persistent_1(efa=True), "PCS517"),
    row("token", efa(deployment_type=UNKNOWN)),
)
def test_efa_needs_a_large_persistent_2(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("SSD", lustre()),
    row("HDD", hdd()),
    row("HDD with a cache", hdd(drive_cache=True)),
    row("SSD with a cache", lustre(drive_cache=True), "PCS515"),
    row("HDD on PERSISTENT_2", hdd(deployment_type="PERSISTENT_2"), "PCS515"),
    row("HDD, token", hdd(deployment_type=UNKNOWN)),
    row("Intelligent-Tiering", tiering()),
    row("Intelligent-Tiering on PERSISTENT_1", tiering(deployment_type="PERSISTENT_1"), "PCS515"),
    row("Intelligent-Tiering of a size", tiering(capacity_gib=1200), "PCS504"),
    row("Intelligent-Tiering, 8,000 MB/s", tiering(throughput=8000)),
    *(row(f"Intelligent-Tiering, {n}", tiering(throughput=n)) for n in (1000, 2000, 4000)),
    row("Intelligent-Tiering, 3,000 MB/s", tiering(throughput=3000), "PCS505"),
    row("Intelligent-Tiering without", tiering(throughput=None), "PCS505"),
    row("least read cache", tiering(read_cache_gib=32)),
    row("no read cache", tiering(read_cache_gib=0)),
    row("most read cache", tiering(read_cache_gib=131_072)),
    row("too small a read cache", tiering(read_cache_gib=31), "PCS515"),
    row("too large a read cache", tiering(read_cache_gib=131_073), "PCS515"),
    row("read cache of SSD", lustre(read_cache_gib=32), "PCS515"),
    row("read cache, token", tiering(read_cache_gib=UNKNOWN)),
    row("twice the cache", tiering(throughput=8000, read_cache_gib=262_144)),
    row("half the cache", tiering(throughput=8000, read_cache_gib=32), "PCS515"),
    row("most throughput", tiering(throughput=2_000_000)),
    row("too much throughput", tiering(throughput=2_004_000), "PCS505"),
    row("negative throughput", tiering(throughput=-4000), "PCS505"),
    row("type, token", lustre(storage_type=UNKNOWN, read_cache_gib=32, drive_cache=True)),
)
def test_the_storage_type_fits_the_deployment_type(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("as FSx says", lustre()),
    *(row(f"{n}", lustre(metadata_iops=n)) for n in (1500, 3000, 6000, 12_000, 24_000, 192_000)),
    *(row(f"{n}", lustre(metadata_iops=n), "PCS516") for n in (0, 1000, 9000, 18_000, 204_000)),
    row("PERSISTENT_1", persistent_1(metadata_iops=1500), "PCS516"),
    row("Intelligent-Tiering, 6,000", tiering(metadata_iops=6000)),
    row("Intelligent-Tiering, 1,500", tiering(metadata_iops=1500)),
    row("Intelligent-Tiering, 192,000", tiering(metadata_iops=192_000)),
    row("Intelligent-Tiering, 9,000", tiering(metadata_iops=9000), "PCS516"),
    row("token", lustre(metadata_iops=UNKNOWN)),
)
def test_metadata_iops_are_some_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("not said", lustre(backup_days=7)),
    row("morning", lustre(backup_days=7, backup_start_time="05:00")),
    row("midnight", lustre(backup_days=7, backup_start_time="00:00")),
    row("last minute", lustre(backup_days=7, backup_start_time="23:59")),
    row("24:00", lustre(backup_days=7, backup_start_time="24:00"), "PCS518"),
    row("5:00", lustre(backup_days=7, backup_start_time="5:00"), "PCS518"),
    row("without backups", lustre(backup_start_time="05:00"), "PCS518"),
    row("token", lustre(backup_days=7, backup_start_time=UNKNOWN)),
)
def test_backups_begin_at_a_time(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", lustre()),
    row("for FSx", lustre(log_group_name="/aws/fsx/lustre")),
    row("another", lustre(log_group_name="/my/logs"), "PCS519"),
    row("token", lustre(log_group_name=UNKNOWN)),
)
def test_a_log_group_is_named_for_fsx(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", linked()),
    row("two", linked(paths=("/data", "/models"))),
    row("eight", linked(paths=tuple(f"/{n}" for n in range(8)))),
    row("nine", linked(paths=tuple(f"/{n}" for n in range(9))), "PCS520"),
    row("SCRATCH_1", linked(deployment_type="SCRATCH_1"), "PCS520"),
    row("SCRATCH_2", linked(deployment_type="SCRATCH_2")),
    row("type, token", linked(deployment_type=UNKNOWN)),
    row("all", linked(paths=("/",))),
    row("all and one", linked(paths=("/", "/data")), "PCS521"),
    row("one twice", linked(paths=("/data", "/data")), "PCS521"),
    row("inside", linked(paths=("/data", "/data/raw")), "PCS521"),
    row("outside", linked(paths=("/data/raw", "/data/")), "PCS521"),
    row("alike", linked(paths=("/data", "/data2"))),
    row("relative", linked(paths=("data",)), "PCS521"),
    row("token", linked(paths=(UNKNOWN,))),
    row("token before", linked(paths=(UNKNOWN, "/data"))),
    row("Intelligent-Tiering", linked(storage_type="INTELLIGENT_TIERING"), "PCS520"),
    row("two sources", linked(paths=("/a", "/b"), sources=("one/", "two/"))),
    row("one source twice", linked(paths=("/a", "/b"), sources=("one/", "one/")), "PCS521"),
    row("a source that begins alike", linked(paths=("/a", "/b"), sources=("b/data", "b/data2"))),
    row("one source in another", linked(paths=("/a", "/b"), sources=("b/x/", "b/")), "PCS521"),
    row("source, token", linked(paths=("/a", "/b"), sources=(UNKNOWN, "b/"))),
    row("backed up", linked(backup_days=7), "PCS522"),
    row("backed up, token", linked(backup_days=UNKNOWN)),
)
def test_data_repositories_have_directories_of_their_own(facts, codes) -> None:
    assert errors(facts) == codes
