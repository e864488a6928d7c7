from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    OpenZfsBackupFacts,
    OpenZfsFacts,
    OpenZfsReferenceFacts,
    OpenZfsVolumeFacts,
    PlacementFacts,
    errors_in,
)
from tests.unit.rules.test_rules import advice, errors, row, table

placed = partial(replace, PlacementFacts(multi_az=False, two_zones=False))
apart = partial(
    placed, multi_az=True, standby=True, two_zones=True, route_tables=2, route_tables_named=True
)
zfs = partial(
    replace,
    OpenZfsFacts(
        deployment_type="SINGLE_AZ_HA_2", capacity_gib=64, throughput=160, placement=placed()
    ),
)
single_az_1 = partial(zfs, deployment_type="SINGLE_AZ_1", throughput=64)
multi_az_1 = partial(zfs, deployment_type="MULTI_AZ_1", placement=apart())
volume = partial(
    replace,
    OpenZfsVolumeFacts(
        path="/home",
        others=("/projects",),
        capacity_gib=1000,
        record_size_kib=128,
        nfs_exports=(("*", ("rw", "crossmnt")),),
    ),
)
reference = partial(replace, OpenZfsReferenceFacts(file_system_id="fs-0123456789abcdef0"))
backups = partial(replace, OpenZfsBackupFacts(days=30))


def exported(clients: object, *options: object) -> OpenZfsVolumeFacts:
    return volume(nfs_exports=((clients, options),))


@table(
    row("63", zfs(capacity_gib=63), "PCS530"),
    row("64", zfs(capacity_gib=64)),
    row("64.5", zfs(capacity_gib=64.5), "PCS530"),
    row("512 TiB", zfs(capacity_gib=524_288)),
    row("512 TiB and 1", zfs(capacity_gib=524_289), "PCS530"),
    row("half of the least", zfs(capacity_gib=0.5), "PCS530", "PCS530"),
    row("token", zfs(capacity_gib=UNKNOWN)),
)
def test_an_open_zfs_capacity_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


_FIRST = (64, 128, 256, 512, 1024, 2048, 3072, 4096)
_SECOND = (160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240)


@table(
    *(row(f"SINGLE_AZ_1 {mb}", single_az_1(throughput=mb)) for mb in _FIRST),
    *(row(f"SINGLE_AZ_HA_2 {mb}", zfs(throughput=mb)) for mb in _SECOND),
    row("SINGLE_AZ_HA_1 4096", single_az_1(deployment_type="SINGLE_AZ_HA_1", throughput=4096)),
    row("SINGLE_AZ_2 10240", zfs(deployment_type="SINGLE_AZ_2", throughput=10240)),
    row("MULTI_AZ_1 10240", multi_az_1(throughput=10240)),
    row("SINGLE_AZ_1 160", single_az_1(throughput=160), "PCS531"),
    row("SINGLE_AZ_1 8192", single_az_1(throughput=8192), "PCS531"),
    row("SINGLE_AZ_1 100", single_az_1(throughput=100), "PCS531"),
    row("SINGLE_AZ_HA_2 64", zfs(throughput=64), "PCS531"),
    row("SINGLE_AZ_2 64", zfs(deployment_type="SINGLE_AZ_2", throughput=64), "PCS531"),
    row("MULTI_AZ_1 64", multi_az_1(throughput=64), "PCS531"),
    row("SINGLE_AZ_HA_2 0", zfs(throughput=0), "PCS531"),
    row("token", zfs(throughput=UNKNOWN)),
    row("type that is a token", zfs(deployment_type=UNKNOWN, throughput=1)),
    row("type of tomorrow", zfs(deployment_type="SINGLE_AZ_3", throughput=1)),
)
def test_an_open_zfs_throughput_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", zfs(iops=None)),
    row("3 for each GiB", zfs(iops=192)),
    row("fewer", zfs(iops=191), "PCS532"),
    row("1000 for each GiB", zfs(iops=64_000)),
    row("more", zfs(iops=64_001), "PCS532"),
    row("SINGLE_AZ_1 160000", single_az_1(capacity_gib=1000, iops=160_000)),
    row("SINGLE_AZ_1 160001", single_az_1(capacity_gib=1000, iops=160_001), "PCS532"),
    row("MULTI_AZ_1 400000", multi_az_1(capacity_gib=1000, iops=400_000)),
    row("MULTI_AZ_1 400001", multi_az_1(capacity_gib=1000, iops=400_001), "PCS532"),
    row("all that there are for 512 TiB", zfs(capacity_gib=524_288, iops=400_000)),
    row("token", zfs(iops=UNKNOWN)),
    row("capacity that is a token", zfs(capacity_gib=UNKNOWN, iops=1)),
    row("type that is a token", zfs(deployment_type=UNKNOWN, iops=1)),
)
def test_open_zfs_iops_fit_the_capacity(facts, codes) -> None:
    assert errors(facts) == codes


@pytest.mark.parametrize("facts", [zfs(iops=1), zfs(iops=10**6), single_az_1(iops=10**6)])
def test_the_iops_that_a_fix_names_can_be_made(facts: OpenZfsFacts) -> None:
    (problem,) = errors_in(facts)
    fewest, most, _ = (int(number) for number in re.findall(r"\d+", problem.fix))
    for iops in (fewest, most):
        assert errors(replace(facts, iops=iops)) == []


@table(
    row("one subnet", zfs()),
    row("two zones", multi_az_1()),
    row("no standby", multi_az_1(placement=apart(standby=False)), "PCS533"),
    row("two subnets of a zone", multi_az_1(placement=apart(two_zones=False)), "PCS533"),
    row("zones that are tokens", multi_az_1(placement=apart(two_zones=UNKNOWN))),
    row("standby of one", zfs(placement=placed(standby=True)), "PCS533"),
    row("route tables of one", zfs(placement=apart(multi_az=False, standby=False)), "PCS533"),
    row("endpoints of one", zfs(placement=placed(endpoint_range="10.0.0.0/24")), "PCS533"),
    row("50 route tables", multi_az_1(placement=apart(route_tables=50))),
    row("51 route tables", multi_az_1(placement=apart(route_tables=51)), "PCS533"),
    row("no route table", multi_az_1(placement=apart(route_tables=0)), "PCS533"),
    row("endpoints", multi_az_1(placement=apart(endpoint_range="10.0.0.0/24"))),
    row("endpoint", multi_az_1(placement=apart(endpoint_range="10.0.0.1")), "PCS533"),
    row("bits set", multi_az_1(placement=apart(endpoint_range="10.0.0.1/24")), "PCS533"),
    row("IPv6 endpoints", multi_az_1(placement=apart(endpoint_range="fd00::/118")), "PCS533"),
    row("endpoints that are a token", multi_az_1(placement=apart(endpoint_range=UNKNOWN))),
    row(
        "type that is a token",
        zfs(placement=PlacementFacts(standby=True, endpoint_range="10.0.0.0/24")),
    ),
)
def test_open_zfs_servers_are_where_the_type_says(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("nothing", volume(record_size_kib=None)),
    *(row(f"records of {kib}", volume(record_size_kib=kib)) for kib in (4, 1024)),
    *(
        row(f"records of {kib}", volume(record_size_kib=kib), "PCS534")
        for kib in (0, 2, 100, 127.5, 2048)
    ),
    *(
        row(
            f"tiered records of {kib}",
            volume(storage_type="INTELLIGENT_TIERING", record_size_kib=kib),
        )
        for kib in (128, 4096)
    ),
    row(
        "tiered records of 64",
        volume(storage_type="INTELLIGENT_TIERING", record_size_kib=64),
        "PCS534",
    ),
    row("records of 4096 of any storage", volume(storage_type=UNKNOWN, record_size_kib=4096)),
    row("quota", volume(quota_gib=10)),
    row("quota above the capacity", volume(quota_gib=10**6)),
    row("no quota", volume(quota_gib=0), "PCS534"),
    row("quota of 1.5 GiB", volume(quota_gib=1.5), "PCS534"),
    row("reservation", volume(reservation_gib=1000)),
    row("reservation above the capacity", volume(reservation_gib=1001), "PCS534"),
    row("reservation as the quota", volume(quota_gib=10, reservation_gib=10)),
    row("reservation above the quota", volume(quota_gib=10, reservation_gib=11), "PCS534"),
    row("reservation of 0.5 GiB", volume(reservation_gib=0.5), "PCS534"),
    row("users", volume(user_quotas=((0, 1), (2**31 - 1, 5)))),
    row("user -1", volume(user_quotas=((-1, 1),)), "PCS534"),
    row("group that is too large", volume(group_quotas=((2**31, 1),)), "PCS534"),
    row("group with 1.5 GiB", volume(group_quotas=((100, 1.5),)), "PCS534"),
    row("500", volume(user_quotas=((1, 1),) * 250, group_quotas=((1, 1),) * 250)),
    row("501", volume(user_quotas=((1, 1),) * 250, group_quotas=((1, 1),) * 251), "PCS534"),
    row("token", volume(capacity_gib=UNKNOWN, reservation_gib=10**6)),
)
def test_the_sizes_of_an_open_zfs_volume_fit(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("everybody", exported("*", "rw", "crossmnt", "no_root_squash")),
    row("range", exported("10.0.0.0/16", "rw")),
    row("range with bits set", exported("10.0.0.1/16", "rw")),
    row("address", exported("10.0.0.1", "rw")),
    row("IPv6", exported("fd00::/64", "rw")),
    row("host", exported("login.example.com", "rw"), "PCS535"),
    row("half an address", exported("10.0.*", "rw"), "PCS535"),
    row("nobody", exported("", "rw"), "PCS535"),
    row("to nobody", volume(nfs_exports=()), "PCS535"),
    row("no options", exported("*"), "PCS535"),
    row("20 options", exported("*", *["rw"] * 20)),
    row("21 options", exported("*", *["rw"] * 21), "PCS535"),
    row("option with a value", exported("*", "anonuid=1000")),
    row("option with a space", exported("*", "rw crossmnt"), "PCS535"),
    row("empty option", exported("*", ""), "PCS535"),
    row("25", volume(nfs_exports=(("*", ("rw",)),) * 25)),
    row("26", volume(nfs_exports=(("*", ("rw",)),) * 26), "PCS535"),
    row("tokens", exported(UNKNOWN, UNKNOWN)),
)
def test_an_open_zfs_volume_is_exported_to_somebody(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("root volume", volume(path=None)),
    row("name", volume(path="/home")),
    row("name with everything", volume(path="/Home_1.2:a-b")),
    row("203 characters", volume(path="/" + "a" * 203)),
    row("204 characters", volume(path="/" + "a" * 204), "PCS536"),
    row("relative", volume(path="home"), "PCS536"),
    row("nothing", volume(path=""), "PCS536"),
    row("root", volume(path="/"), "PCS536"),
    row("slash at last", volume(path="/home/"), "PCS536"),
    row("two slashes", volume(path="//home"), "PCS536"),
    row("space", volume(path="/my home"), "PCS536"),
    row("line break", volume(path="/home\n"), "PCS536"),
    row("snapshot", volume(path="/home@monday"), "PCS536"),
    row("..", volume(path="/.."), "PCS536"),
    row("taken", volume(path="/projects"), "PCS536"),
    row("in another", volume(path="/projects/cfd")),
    row("in none", volume(path="/home/ada"), "PCS536"),
    row("token elsewhere", volume(capacity_gib=UNKNOWN)),
)
def test_an_open_zfs_volume_has_a_path_of_its_own(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("root volume", reference()),
    row("root volume and a slash", reference(volume_path="/fsx/")),
    row("volume", reference(volume_path="/fsx/projects/cfd_1")),
    row("without /fsx", reference(volume_path="/projects"), "PCS537"),
    row("beside /fsx", reference(volume_path="/fsx2"), "PCS537"),
    row("space", reference(volume_path="/fsx/my data"), "PCS537"),
    row("volume ID", reference(file_system_id="fsvol-0123456789abcdef0"), "PCS537"),
    row("both", reference(file_system_id="", volume_path=""), "PCS537", "PCS537"),
    row("tokens", reference(file_system_id=UNKNOWN, volume_path=UNKNOWN)),
)
def test_an_imported_open_zfs_volume_has_an_id_and_a_path(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("30 days", backups()),
    row("none", backups(days=0)),
    row("90 days", backups(days=90)),
    row("91 days", backups(days=91), "PCS538"),
    row("-1 day", backups(days=-1), "PCS538"),
    row("at 23:59", backups(start_time="23:59")),
    row("at 24:00", backups(start_time="24:00"), "PCS538"),
    row("at 5:00", backups(start_time="5:00"), "PCS538"),
    row("at a time and none", backups(days=0, start_time="05:00"), "PCS538"),
    row("snapshot on removal", backups(snapshot_on_removal=True), "PCS538"),
    row("snapshots for a day", backups(snapshots=True, snapshot_days=1)),
    row("snapshots for 364 days", backups(snapshots=True, snapshot_days=364)),
    row("snapshots for 365 days", backups(snapshots=True, snapshot_days=365), "PCS538"),
    row("snapshots for no time", backups(snapshots=True, snapshot_days=0), "PCS538"),
    row("no snapshots for a day", backups(snapshot_days=1), "PCS538"),
    row("tokens", backups(days=UNKNOWN, start_time=UNKNOWN)),
)
def test_backups_and_snapshots_of_open_zfs_can_be_kept(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one zone", zfs()),
    row("two zones", multi_az_1()),
    row("found", multi_az_1(placement=apart(route_tables_named=False))),
    row(
        "not found",
        multi_az_1(placement=apart(route_tables=0, route_tables_named=False)),
        "PCS539",
    ),
    row("token", zfs(placement=PlacementFacts())),
)
def test_unknown_route_tables_of_open_zfs_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
