from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import OntapFacts, OntapVolumeFacts, PlacementFacts, errors_in
from tests.unit.rules.test_rules import advice, errors, row, table

placed = partial(replace, PlacementFacts(multi_az=False, two_zones=False))
apart = partial(
    placed, multi_az=True, standby=True, two_zones=True, route_tables=2, route_tables_named=True
)
ontap = partial(
    replace,
    OntapFacts(
        deployment_type="SINGLE_AZ_1", capacity_gib=1024, throughput=128, placement=placed()
    ),
)
single_az_2 = partial(ontap, deployment_type="SINGLE_AZ_2", throughput=1536)
pairs = partial(single_az_2, ha_pairs=2, capacity_gib=2048)
multi_az_2 = partial(ontap, deployment_type="MULTI_AZ_2", throughput=384, placement=apart())
volume = partial(
    replace,
    OntapVolumeFacts(
        name="Home",
        junction_path="/vol1",
        others=("/projects",),
        dns_name="svm-0123456789abcdef0.fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com",
        size_bytes=2**41,
    ),
)
several = partial(volume, ha_pairs=2)
MIB, GIB, TIB = 2**20, 2**30, 2**40


@table(
    row("1023", ontap(capacity_gib=1023), "PCS540"),
    row("1024", ontap(capacity_gib=1024)),
    row("1024.5", ontap(capacity_gib=1024.5), "PCS540"),
    row("512 TiB", ontap(capacity_gib=524_288)),
    row("512 TiB and 1", ontap(capacity_gib=524_289), "PCS540"),
    row("too little for two pairs", pairs(capacity_gib=2047), "PCS540"),
    row("1 PiB for two pairs", pairs(capacity_gib=1_048_576)),
    row("1 PiB for 12 pairs", pairs(ha_pairs=12, capacity_gib=1_048_576)),
    row("more", pairs(ha_pairs=12, capacity_gib=1_048_577), "PCS540"),
    row("token", ontap(capacity_gib=UNKNOWN)),
    row("pairs that are a token", single_az_2(ha_pairs=UNKNOWN, capacity_gib=1)),
)
def test_an_ontap_capacity_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("1", ontap(ha_pairs=1)),
    row("2", pairs()),
    row("12", pairs(ha_pairs=12, capacity_gib=12_288)),
    row("0", ontap(ha_pairs=0), "PCS541"),
    row("13", pairs(ha_pairs=13), "PCS541"),
    row("2 of SINGLE_AZ_1", ontap(ha_pairs=2, capacity_gib=2048), "PCS541"),
    row(
        "12 of SINGLE_AZ_3", pairs(deployment_type="SINGLE_AZ_3", ha_pairs=12, capacity_gib=12_288)
    ),
    row(
        "2 of MULTI_AZ_3",
        multi_az_2(deployment_type="MULTI_AZ_3", ha_pairs=2, capacity_gib=2048),
        "PCS541",
    ),
    row("2 of a later type", pairs(deployment_type="SINGLE_AZ_4", ha_pairs=2)),
    row("2 of MULTI_AZ_2", multi_az_2(ha_pairs=2, capacity_gib=2048), "PCS541"),
    row("token", ontap(ha_pairs=UNKNOWN)),
    row("2 of a token", pairs(deployment_type=UNKNOWN)),
)
def test_ontap_has_as_many_pairs_as_the_type_says(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    *(row(f"SINGLE_AZ_1 {mb}", ontap(throughput=mb)) for mb in (128, 256, 512, 1024, 2048, 4096)),
    *(row(f"MULTI_AZ_2 {mb}", multi_az_2(throughput=mb)) for mb in (384, 768, 1536, 3072, 6144)),
    *(row(f"two pairs {mb}", pairs(throughput=mb)) for mb in (1536, 3072, 6144)),
    row("MULTI_AZ_1 4096", multi_az_2(deployment_type="MULTI_AZ_1", throughput=4096)),
    row("SINGLE_AZ_2 384", single_az_2(throughput=384)),
    row("two pairs 384", pairs(throughput=384), "PCS542"),
    *(
        row(f"SINGLE_AZ_3 {n}", pairs(deployment_type="SINGLE_AZ_3", throughput=n))
        for n in (1536, 12_288, 18_432)
    ),
    row("SINGLE_AZ_3 384", pairs(deployment_type="SINGLE_AZ_3", throughput=384), "PCS542"),
    row("MULTI_AZ_3 384", multi_az_2(deployment_type="MULTI_AZ_3", throughput=384)),
    row("SINGLE_AZ_1 384", ontap(throughput=384), "PCS542"),
    row("SINGLE_AZ_1 64", ontap(throughput=64), "PCS542"),
    row("MULTI_AZ_1 8192", multi_az_2(deployment_type="MULTI_AZ_1", throughput=8192), "PCS542"),
    row("MULTI_AZ_2 128", multi_az_2(throughput=128), "PCS542"),
    row("SINGLE_AZ_2 12288", single_az_2(throughput=12288), "PCS542"),
    row("token", ontap(throughput=UNKNOWN)),
    row("type that is a token", ontap(deployment_type=UNKNOWN, throughput=1)),
    row("384 of a token", single_az_2(ha_pairs=UNKNOWN, throughput=384)),
)
def test_an_ontap_throughput_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", ontap(iops=None)),
    row("3 for each GiB", ontap(iops=3072)),
    row("fewer", ontap(iops=3071), "PCS543"),
    row("200000", ontap(iops=200_000)),
    row("200001", ontap(iops=200_001), "PCS543"),
    row("200001 of two pairs", pairs(iops=200_001)),
    row("all that there are for 512 TiB", ontap(capacity_gib=524_288, iops=200_000)),
    row("token", ontap(iops=UNKNOWN)),
    row("capacity that is a token", ontap(capacity_gib=UNKNOWN, iops=1)),
    row("pairs that are a token", pairs(ha_pairs=UNKNOWN, iops=1)),
)
def test_ontap_iops_fit_the_capacity(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one subnet", ontap()),
    row("two zones", multi_az_2()),
    row("no standby", multi_az_2(placement=apart(standby=False)), "PCS544"),
    row("standby of one", ontap(placement=placed(standby=True)), "PCS544"),
    row("two subnets of a zone", multi_az_2(placement=apart(two_zones=False)), "PCS544"),
    row("endpoints", multi_az_2(placement=apart(endpoint_range="10.0.0.0/24"))),
    row("endpoints of FSx", multi_az_2(placement=apart(endpoint_range="198.19.1.0/24")), "PCS544"),
    row("loopback", multi_az_2(placement=apart(endpoint_range="127.0.0.0/24")), "PCS544"),
    row("no endpoints", multi_az_2(placement=apart(endpoint_range="ten")), "PCS544"),
    row("IPv6 endpoints", multi_az_2(placement=apart(endpoint_range="fd00::/118")), "PCS544"),
    row("tokens", multi_az_2(placement=apart(two_zones=UNKNOWN, endpoint_range=UNKNOWN))),
)
def test_ontap_servers_are_where_the_type_says(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("19 MiB", volume(size_bytes=19 * MIB), "PCS545"),
    row("20 MiB", volume(size_bytes=20 * MIB)),
    row("300 TiB", volume(size_bytes=300 * TIB)),
    row("301 TiB", volume(size_bytes=301 * TIB), "PCS545"),
    row("1599 GiB over two pairs", several(size_bytes=1599 * GIB), "PCS545"),
    row("1600 GiB over two pairs", several(size_bytes=1600 * GIB)),
    row("4800 TiB over two pairs", several(size_bytes=4800 * TIB)),
    row("4801 TiB over two pairs", several(size_bytes=4801 * TIB), "PCS545"),
    row("too large for any", several(ha_pairs=12, size_bytes=20_480 * TIB), "PCS545"),
    row("token", volume(size_bytes=UNKNOWN)),
    row("pairs that are a token", volume(ha_pairs=UNKNOWN, size_bytes=1)),
)
def test_an_ontap_volume_has_a_size_that_can_be_made(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("nothing", volume()),
    row("2 days", volume(cooling_days=2)),
    row("1 day", volume(cooling_days=1), "PCS546"),
    row("183 days", volume(tiering_policy="AUTO", cooling_days=183)),
    row("184 days", volume(tiering_policy="AUTO", cooling_days=184), "PCS546"),
    row("days with ALL", volume(tiering_policy="ALL", cooling_days=31), "PCS546"),
    row("days with NONE", volume(tiering_policy="NONE", cooling_days=31), "PCS546"),
    row("ALL", volume(tiering_policy="ALL")),
    row("policy of one's own", volume(snapshot_policy="hourly")),
    row("policy without a name", volume(snapshot_policy=""), "PCS546"),
    row("policy with a long name", volume(snapshot_policy="a" * 256), "PCS546"),
    row("tokens", volume(tiering_policy=UNKNOWN, cooling_days=UNKNOWN, snapshot_policy=UNKNOWN)),
)
def test_tiering_and_snapshots_of_ontap_are_by_policies_that_exist(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("name of another", volume(names=("Home",)), "PCS547"),
    row("name, token", volume(name=UNKNOWN, names=("Home",))),
    row("name", volume(junction_path="/vol1")),
    row("in another", volume(junction_path="/projects/cfd")),
    row("255 characters", volume(junction_path="/" + "a" * 254)),
    row("256 characters", volume(junction_path="/" + "a" * 255), "PCS547"),
    row("relative", volume(junction_path="vol1"), "PCS547"),
    row("nothing", volume(junction_path=""), "PCS547"),
    row("root", volume(junction_path="/"), "PCS547"),
    row("slash at last", volume(junction_path="/vol1/"), "PCS547"),
    row("space", volume(junction_path="/my data"), "PCS547"),
    row("line break", volume(junction_path="/vol1\n"), "PCS547"),
    row("star", volume(junction_path="/vol*"), "PCS547"),
    row("..", volume(junction_path="/vol1/.."), "PCS547"),
    row("taken", volume(junction_path="/projects"), "PCS547"),
    row("taken in capitals", volume(junction_path="/PROJECTS"), "PCS547"),
    row("address", volume(dns_name="10.0.0.1")),
    row("one word", volume(dns_name="svm"), "PCS547"),
    row("name and path", volume(dns_name="svm.example.com:/vol1"), "PCS547"),
    row("tokens", volume(junction_path=UNKNOWN, dns_name=UNKNOWN)),
    row("others that are tokens", volume(others=(UNKNOWN,))),
)
def test_an_ontap_volume_has_a_junction_path_of_its_own(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", ontap()),
    row("90 days", ontap(backup_days=90)),
    row("91 days", ontap(backup_days=91), "PCS548"),
    row("at 05:00", ontap(backup_days=7, backup_start_time="05:00")),
    row("at five", ontap(backup_days=7, backup_start_time="five"), "PCS548"),
    row("at 05:00 and none", ontap(backup_start_time="05:00"), "PCS548"),
    row("snapshot on removal", ontap(snapshot_on_removal=True), "PCS548"),
    row("tokens", ontap(backup_days=UNKNOWN, backup_start_time=UNKNOWN)),
)
def test_backups_of_ontap_can_be_made(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one zone", ontap()),
    row("two zones", multi_az_2()),
    row(
        "not found",
        multi_az_2(placement=apart(route_tables=0, route_tables_named=False)),
        "PCS549",
    ),
    row("token", ontap(placement=PlacementFacts())),
)
def test_unknown_route_tables_of_ontap_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@pytest.mark.parametrize(
    "facts", [ontap(capacity_gib=1), pairs(capacity_gib=1), pairs(capacity_gib=10**7)]
)
def test_the_capacities_that_a_fix_names_can_be_made(facts: OntapFacts) -> None:
    (problem,) = errors_in(facts)
    for capacity in re.findall(r"\d+", problem.fix):
        assert errors(replace(facts, capacity_gib=int(capacity))) == []
