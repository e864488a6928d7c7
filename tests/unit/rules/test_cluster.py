from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest

from pcs_constructs.model import slurm
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.rules import ClusterFacts, ClusterMembersFacts, EnvironmentFacts
from tests.unit.rules.test_rules import advice, errors, row, table

cluster = partial(
    replace,
    ClusterFacts(name="hpc", named=False, slurm=SlurmVersion.V25_11, cluster_id="pcs_1a2b3c"),
)
members = partial(replace, ClusterMembersFacts(size=ClusterSize.SMALL))
environment = partial(replace, EnvironmentFacts(cluster_names=("hpc",)))

V23_11 = SlurmVersion.of("23.11")
V24_05 = SlurmVersion.of("24.05")
V24_11 = SlurmVersion.of("24.11")


def kept(version: str) -> SlurmVersion:
    """Of a cluster that runs already."""
    return SlurmVersion.of(version, past_end_of_life=True)


# One cluster.


@table(
    row("3 letters", cluster(name="abc")),
    row("40 letters", cluster(name="a" * 40)),
    row("letters, digits, hyphens", cluster(name="Hpc-2-")),
    row("pcs without an underscore", cluster(name="pcs-1")),
    row("2 letters", cluster(name="ab"), "PCS101"),
    row("41 letters", cluster(name="a" * 41), "PCS101"),
    row("nothing", cluster(name=""), "PCS101"),
    row("starts with a digit", cluster(name="2hpc"), "PCS101"),
    row("starts with a hyphen", cluster(name="-hpc"), "PCS101"),
    row("underscore", cluster(name="my_hpc"), "PCS101"),
    row("like an id", cluster(name="pcs_1a2b3c"), "PCS101"),
    row("space", cluster(name="my hpc"), "PCS101"),
    row("umlaut", cluster(name="größe"), "PCS101"),
    row("digit of another script", cluster(name="hpc٣"), "PCS101"),
    row("line break at the end", cluster(name="hpc\n"), "PCS101"),
    row("token", cluster(name=UNKNOWN)),
)
def test_a_cluster_name_has_3_to_40_letters_digits_and_hyphens(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("derived", cluster(named=False)),
    row("derived from a token", cluster(named=False, name=UNKNOWN)),
    row("fixed", cluster(named=True), "PCS103"),
    row("fixed by a token", cluster(named=True, name=UNKNOWN), "PCS103"),
)
def test_a_fixed_cluster_name_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("23.11", cluster(slurm=V23_11), "PCS105"),
    row("24.05", cluster(slurm=V24_05), "PCS105"),
    row("24.05, said to run already", cluster(slurm=kept("24.05"))),
    row("24.11, past its end", cluster(slurm=V24_11)),
    row("24.11, said to run already", cluster(slurm=kept("24.11"))),
    row("24.11, on its last day", cluster(slurm=V24_11, today="2026-05-31")),
    row("24.11, the day after", cluster(slurm=V24_11, today="2026-06-01")),
    row("25.05", cluster(slurm=SlurmVersion.V25_05)),
    row("25.05, later", cluster(slurm=SlurmVersion.V25_05, today="2026-12-01")),
    row("25.11, much later", cluster(slurm=SlurmVersion.V25_11, today="2036-12-01")),
    row("25.08, which PCS never had", cluster(slurm=SlurmVersion.of("25.08")), "PCS105"),
    row("25.11", cluster(slurm=SlurmVersion.V25_11)),
    row("26.05", cluster(slurm=SlurmVersion.V26_05)),
    row("26.11, newer than the library", cluster(slurm=SlurmVersion.of("26.11"))),
    row("token", cluster(slurm=UNKNOWN)),
)
def test_the_slurm_version_is_one_that_pcs_creates(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("24.05, refused anyway", cluster(slurm=V24_05)),
    row("24.05, said to run already", cluster(slurm=kept("24.05")), "PCS106"),
    row("24.11, past its end", cluster(slurm=V24_11), "PCS106"),
    row("25.05, the day after", cluster(slurm=SlurmVersion.V25_05, today="2026-12-01"), "PCS106"),
    row("24.11, said to run already", cluster(slurm=kept("24.11")), "PCS106"),
    row("24.11, long before", cluster(slurm=V24_11, today="2025-06-01")),
    row("25.05, near its end", cluster(slurm=SlurmVersion.V25_05), "PCS106"),
    row("25.11, no end known", cluster(slurm=SlurmVersion.V25_11)),
    row("26.11, newer than the library", cluster(slurm=SlurmVersion.of("26.11"))),
    row("token", cluster(slurm=UNKNOWN)),
)
def test_a_slurm_version_near_its_end_of_life_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("a date", cluster(today="2026-12-24")),
    row("a day", cluster(today="tomorrow"), "PCS116"),
    row("no such day", cluster(today="2026-02-30"), "PCS116"),
    row("no date, and a version that ends", cluster(today="", slurm=V24_11), "PCS116"),
    row("version, token", cluster(today="2026-12-24", slurm=UNKNOWN)),
)
def test_the_day_to_judge_by_is_a_date(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("nobody", cluster(rest_api_from=0)),
    row("somebody", cluster(rest_api=True, rest_api_from=1)),
    row("somebody, and none is there", cluster(rest_api=False, rest_api_from=1), "PCS117"),
    row("version, token", cluster(rest_api=True, rest_api_from=1, slurm=UNKNOWN)),
)
def test_the_port_of_the_rest_api_is_opened_where_there_is_one(facts, codes) -> None:
    assert errors(facts) == codes


@pytest.mark.parametrize(("days", "codes"), [(90, ["PCS106"]), (91, []), (0, ["PCS106"])])
def test_the_end_of_life_is_near_90_days_before(monkeypatch, days, codes) -> None:
    end = date.fromisoformat(slurm.CATALOG_DATE) + timedelta(days)
    monkeypatch.setitem(
        slurm.RELEASES, "25.11", slurm.RELEASES["25.11"]._replace(end_of_life=end.isoformat())
    )
    assert advice(cluster(slurm=SlurmVersion.V25_11)) == codes


@table(
    row("left out", cluster(scale_down_idle_seconds=None)),
    row("1 s", cluster(scale_down_idle_seconds=1)),
    row("10,000,000 s", cluster(scale_down_idle_seconds=10_000_000)),
    row("-1 s", cluster(scale_down_idle_seconds=-1), "PCS107"),
    row("0 s", cluster(scale_down_idle_seconds=0), "PCS107"),
    row("10,000,001 s", cluster(scale_down_idle_seconds=10_000_001), "PCS107"),
    row("token", cluster(scale_down_idle_seconds=UNKNOWN)),
)
def test_the_idle_time_of_a_cluster_is_1_to_10_000_000_seconds(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("24.11", cluster(accounting=True, slurm=kept("24.11"))),
    row("24.05", cluster(accounting=True, slurm=V24_05), "PCS105", "PCS108"),
    row("24.05 without it", cluster(accounting=False, slurm=V24_05), "PCS105"),
    row("token", cluster(accounting=True, slurm=UNKNOWN)),
)
def test_accounting_needs_slurm_24_11(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("left out", cluster(retention_days=None)),
    row("-1, for good", cluster(retention_days=-1)),
    row("1 day", cluster(retention_days=1)),
    row("10,000 days", cluster(retention_days=10_000)),
    row("-2", cluster(retention_days=-2), "PCS109"),
    row("0 days", cluster(retention_days=0), "PCS109"),
    row("10,001 days", cluster(retention_days=10_001), "PCS109"),
    row("token", cluster(retention_days=UNKNOWN)),
)
def test_accounting_records_are_kept_for_1_to_10_000_days_or_for_good(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("25.05", cluster(rest_api=True, slurm=SlurmVersion.V25_05)),
    row("24.11", cluster(rest_api=True, slurm=kept("24.11")), "PCS110"),
    row("24.11 without it", cluster(rest_api=False, slurm=kept("24.11"))),
    row("token", cluster(rest_api=True, slurm=UNKNOWN)),
)
def test_the_rest_api_needs_slurm_25_05(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("id", cluster(cluster_id="pcs_1a2b3c4d5e")),
    row("name", cluster(cluster_id="my-cluster"), "PCS111"),
    row("nothing after the prefix", cluster(cluster_id="pcs_"), "PCS111"),
    row("arn", cluster(cluster_id="arn:aws:pcs:us-east-1:1:cluster/pcs_1a2b3c"), "PCS111"),
    row("line break at the end", cluster(cluster_id="pcs_1a2b3c\n"), "PCS111"),
    row("nothing", cluster(cluster_id=""), "PCS111"),
    row("token", cluster(cluster_id=UNKNOWN)),
)
def test_a_cluster_is_referred_to_by_its_id(facts, codes) -> None:
    assert errors(facts) == codes


# The clusters of one account and Region.


@table(
    row("none", environment(cluster_names=())),
    row("different", environment(cluster_names=("hpc", "hpc-2"))),
    row("different in case", environment(cluster_names=("hpc", "HPC"))),
    row("twice the same", environment(cluster_names=("hpc", "hpc", "x-1")), "PCS102"),
    row("three times the same", environment(cluster_names=("hpc",) * 3), "PCS102"),
    row("two pairs", environment(cluster_names=("abc", "hpc") * 2), "PCS102", "PCS102"),
)
def test_no_two_clusters_of_an_environment_share_a_name(facts, codes) -> None:
    assert errors(facts) == codes


# What a cluster holds.

SMALL, MEDIUM, LARGE = ClusterSize


@table(
    row("no node group", members(size=SMALL)),
    row("32 on SMALL", members(size=SMALL, max_instance_counts=(31, 1))),
    row("33 on SMALL", members(size=SMALL, max_instance_counts=(32, 1)), "PCS104"),
    row("512 on MEDIUM", members(size=MEDIUM, max_instance_counts=(512,))),
    row("513 on MEDIUM", members(size=MEDIUM, max_instance_counts=(513,)), "PCS104"),
    row("2048 on LARGE", members(size=LARGE, max_instance_counts=(2048,))),
    row("2049 on LARGE", members(size=LARGE, max_instance_counts=(2049,)), "PCS104"),
    row("33 on a token", members(size=UNKNOWN, max_instance_counts=(33,))),
    row("32 and a token", members(size=SMALL, max_instance_counts=(32, UNKNOWN))),
    row("33 and a token", members(size=SMALL, max_instance_counts=(33, UNKNOWN)), "PCS104"),
)
def test_the_controller_is_large_enough_for_all_node_groups(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("different", members(node_group_names=("abc", "xyz"))),
    row("the same", members(node_group_names=("abc", "abc")), "PCS202"),
    row("as a queue", members(node_group_names=("abc",), queue_names=("abc",))),
    row("tokens", members(node_group_names=(UNKNOWN, UNKNOWN))),
)
def test_no_two_node_groups_of_a_cluster_share_a_name(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("different", members(queue_names=("abc", "xyz"))),
    row("the same", members(queue_names=("abc", "abc")), "PCS302"),
    row("tokens", members(queue_names=(UNKNOWN, UNKNOWN))),
)
def test_no_two_queues_of_a_cluster_share_a_name(facts, codes) -> None:
    assert errors(facts) == codes


def names(count: int) -> tuple[str, ...]:
    return tuple(f"name-{n}" for n in range(count))


@table(
    row("10 of each", members(node_group_names=names(10), queue_names=names(10))),
    row("11 node groups", members(node_group_names=names(11)), "PCS113"),
    row("11 queues", members(queue_names=names(11)), "PCS113"),
    row(
        "11 of each",
        members(node_group_names=names(11), queue_names=names(11)),
        "PCS113",
        "PCS113",
    ),
    row("10 tokens", members(node_group_names=(UNKNOWN,) * 10)),
)
def test_more_than_ten_node_groups_or_queues_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def tags(count: int) -> dict[str, str]:
    return {f"key-{n}": "" for n in range(count)}


@table(
    row("none", members(tags={})),
    row("200", members(tags=tags(200))),
    row("201", members(tags=tags(201)), "PCS115"),
    row("key of 1", members(tags={"k": "v"})),
    row("key of 128", members(tags={"k" * 128: "v"})),
    row("key of 129", members(tags={"k" * 129: "v"}), "PCS115"),
    row("empty key", members(tags={"": "v"}), "PCS115"),
    row("value of 256", members(tags={"k": "v" * 256})),
    row("value of 257", members(tags={"k": "v" * 257}), "PCS115"),
    row("aws:", members(tags={"aws:pcs:cluster-id": "v"}), "PCS115"),
    row("AWS:", members(tags={"AWS:team": "v"}), "PCS115"),
    row("aws without a colon", members(tags={"aws-team": "v"})),
    row("two wrong", members(tags={"aws:a": "v", "": "v"}), "PCS115", "PCS115"),
    row("not known", members(tags=None, size=UNKNOWN)),
)
def test_tags_have_keys_of_1_to_128_and_values_of_at_most_256_characters(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", members(unused_node_groups=(), size=UNKNOWN)),
    row("all used", members(node_group_names=("abc",), unused_node_groups=())),
    row("one", members(unused_node_groups=("abc",)), "PCS208"),
    row("two", members(unused_node_groups=("abc", "xyz")), "PCS208", "PCS208"),
)
def test_a_node_group_without_a_queue_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


HOME, SCRATCH, NOTHING = frozenset({"/home"}), frozenset({"/scratch"}), frozenset()


@table(
    row("no node group", members(mount_points={})),
    row("none", members(mount_points={"abc": NOTHING, "xyz": NOTHING})),
    row("the same", members(mount_points={"abc": HOME, "xyz": HOME})),
    row("one misses some", members(mount_points={"abc": HOME, "xyz": NOTHING}), "PCS509"),
    row("each misses", members(mount_points={"abc": HOME, "xyz": SCRATCH}), "PCS509", "PCS509"),
    row("not known", members(mount_points=None, size=UNKNOWN)),
)
def test_nodes_with_different_mounts_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
