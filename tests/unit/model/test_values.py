from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from pcs_constructs.model.capacity import Capacity, ClusterSize, Scaling, SpotAllocation
from pcs_constructs.model.errors import UNKNOWN, PcsValidationError, Problem
from pcs_constructs.model.names import physical_name
from pcs_constructs.model.slurm import (
    RELEASES,
    Accounting,
    AccountingEnforcement,
    Preemption,
    PreemptMode,
    SlurmVersion,
)


def codes(error: pytest.ExceptionInfo[PcsValidationError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


# Scaling.


def test_static_scaling_has_one_number() -> None:
    scaling = Scaling.static(4)
    assert (scaling.min, scaling.max, scaling.is_static) == (4, 4, True)
    assert str(scaling) == "4, always on"


def test_dynamic_scaling_starts_from_none() -> None:
    scaling = Scaling.dynamic(max=16)
    assert (scaling.min, scaling.max, scaling.is_static) == (0, 16, False)
    assert str(scaling) == "0 to 16, as jobs ask"


def test_equal_scalings_are_equal() -> None:
    assert Scaling.static(2) == Scaling(min=2, max=2)
    assert len({Scaling.dynamic(max=2), Scaling.dynamic(max=2)}) == 1


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [
        pytest.param(-1, -1, id="negative"),
        pytest.param(-1, 4, id="negative minimum"),
        pytest.param(1, 4, id="mixed"),
        pytest.param(4, 1, id="the wrong way round"),
        pytest.param(True, True, id="a truth value"),
        pytest.param(2.0, 2.0, id="a fraction"),
        pytest.param("2", "2", id="text"),
        pytest.param(-1.8881545897087626e289, -1.8881545897087626e289, id="a CDK token"),
        pytest.param(0, None, id="nothing"),
    ],
)
def test_fails_when_scaling_is_neither_static_nor_dynamic(lowest, highest) -> None:
    with pytest.raises(PcsValidationError) as error:
        Scaling(min=lowest, max=highest)
    assert codes(error) == ["PCS210"]
    assert error.value.path == "Scaling"


# Cluster sizes and capacity.


def test_cluster_sizes_have_the_limits_of_the_service() -> None:
    limits = {size.name: (size.max_nodes, size.max_jobs) for size in ClusterSize}
    assert limits == {"SMALL": (32, 256), "MEDIUM": (512, 8192), "LARGE": (2048, 16384)}


@pytest.mark.parametrize(
    ("capacity", "option", "allocation"),
    [
        pytest.param(Capacity.on_demand(), "ONDEMAND", None, id="on demand"),
        pytest.param(Capacity.spot(), "SPOT", None, id="spot"),
        pytest.param(
            Capacity.spot(allocation=SpotAllocation.LOWEST_PRICE),
            "SPOT",
            SpotAllocation.LOWEST_PRICE,
            id="spot with a strategy",
        ),
    ],
)
def test_capacity_speaks_the_words_of_the_service(capacity, option, allocation) -> None:
    assert (capacity.purchase_option, capacity.allocation) == (option, allocation)


def test_spot_allocation_has_the_strategies_of_the_service() -> None:
    assert {strategy.value for strategy in SpotAllocation} == {
        "lowest-price",
        "capacity-optimized",
        "price-capacity-optimized",
    }


@pytest.mark.parametrize(
    ("value", "field"),
    [(Scaling.static(1), "max"), (Capacity.spot(), "allocation"), (SlurmVersion.V25_11, "value")],
    ids=["Scaling", "Capacity", "SlurmVersion"],
)
def test_fails_when_a_value_is_changed(value, field) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)


# Slurm versions.


def test_a_slurm_version_that_the_library_does_not_know_is_taken() -> None:
    assert SlurmVersion.of("27.05").value == "27.05"
    assert SlurmVersion.of("25.11") == SlurmVersion.V25_11


@pytest.mark.parametrize(
    "value", ["", "25", "25.5", "25.11.2", "v25.11", "25.11\n", " 25.11", "latest", "25,11"]
)
def test_fails_when_a_slurm_version_is_not_two_numbers(value: str) -> None:
    with pytest.raises(PcsValidationError) as error:
        SlurmVersion.of(value)
    assert codes(error) == ["PCS112"]


@pytest.mark.parametrize("value", [25.11, "２５.１１"], ids=["number", "wide digits"])  # noqa: RUF001
def test_fails_when_a_slurm_version_is_not_plain_text(value) -> None:
    with pytest.raises(PcsValidationError) as error:
        SlurmVersion.of(value)
    assert codes(error) == ["PCS112"]


@pytest.mark.parametrize(
    ("version", "other", "expected"),
    [
        ("25.11", "25.11", True),
        ("25.11", "25.05", True),
        ("25.05", "25.11", False),
        ("26.05", "25.11", True),
        ("24.11", "25.05", False),
    ],
)
def test_slurm_versions_are_compared_as_year_and_month(version, other, expected) -> None:
    assert SlurmVersion.of(version).is_at_least(other) is expected


def test_a_slurm_version_knows_its_end_of_life_if_one_was_published() -> None:
    assert SlurmVersion.V25_05.end_of_life == "2026-11-30"
    assert SlurmVersion.of("26.11").end_of_life is None


def test_a_version_that_runs_already_is_the_same_version() -> None:
    assert SlurmVersion.of("24.11", past_end_of_life=True) == SlurmVersion.of("24.11")


def test_a_slurm_version_knows_what_it_adds() -> None:
    assert "accounting" in SlurmVersion.of("24.11").adds
    assert SlurmVersion.of("99.11").adds == ()


def test_versions_are_kept_oldest_first() -> None:
    assert list(RELEASES) == sorted(RELEASES)


# Preemption.


def test_preemption_goes_by_queue_or_by_qos() -> None:
    by_queue, by_qos = Preemption.by_queue(), Preemption.by_qos(mode=PreemptMode.CANCEL)
    assert (by_queue.type, by_queue.mode) == ("preempt/partition_prio", PreemptMode.REQUEUE)
    assert (by_qos.type, by_qos.mode) == ("preempt/qos", PreemptMode.CANCEL)


@pytest.mark.parametrize(
    "arguments",
    [{"type": 1, "mode": PreemptMode.CANCEL}, {"type": "preempt/qos", "mode": "CANCEL"}],
)
def test_fails_when_preemption_is_given_something_else(arguments) -> None:
    with pytest.raises(PcsValidationError) as error:
        Preemption(**arguments)
    assert codes(error) == ["PCS003"]


# Accounting.


def test_what_accounting_enforces_cannot_change_afterwards() -> None:
    enforce = [AccountingEnforcement.LIMITS, AccountingEnforcement.LIMITS]
    accounting = Accounting(enforce=enforce)
    enforce.append("x")
    assert accounting.enforce == (AccountingEnforcement.LIMITS,)
    assert hash(accounting) == hash(Accounting(enforce=[AccountingEnforcement.LIMITS]))


def test_accounting_enforces_nothing_and_knows_no_qos_unless_told() -> None:
    assert (Accounting().enforce, Accounting().qos) == ((), None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"enforce": "limits"}, ["PCS001"]),
        ({"enforce": AccountingEnforcement.LIMITS}, ["PCS001"]),
        ({"enforce": ["limits"]}, ["PCS003"]),
        ({"retention_days": -1.888e289}, ["PCS002"]),
        ({"retention_days": 2.5}, ["PCS003"]),
        ({"qos": "high"}, ["PCS001"]),
        (
            {"qos": ["high", 1], "enforce": [None], "retention_days": 0},
            ["PCS003", "PCS003", "PCS109"],
        ),
    ],
)
def test_fails_when_accounting_is_given_something_else(arguments, expected) -> None:
    with pytest.raises(PcsValidationError) as error:
        Accounting(**arguments)
    assert codes(error) == expected


@pytest.mark.parametrize("days", [None, -1, 1, 10_000])
def test_accounting_records_are_kept_for_days_or_for_good(days: int | None) -> None:
    assert Accounting(retention_days=days).retention_days == days


@pytest.mark.parametrize("days", [-2, 0, 10_001])
def test_fails_when_accounting_records_are_kept_for_an_impossible_time(days: int) -> None:
    with pytest.raises(PcsValidationError) as error:
        Accounting(retention_days=days)
    assert codes(error) == ["PCS109"]
    assert error.value.path == "Accounting"


@pytest.mark.parametrize("days", [True, "30"])
def test_fails_when_accounting_records_are_kept_for_no_whole_number(days) -> None:
    with pytest.raises(PcsValidationError) as error:
        Accounting(retention_days=days)
    assert codes(error) == ["PCS003"]


# Physical names.


def test_a_physical_name_is_the_id_and_a_hash() -> None:
    name = physical_name("S/Hpc", "compute", ("c7i.4xlarge",), longest=25)
    assert name.startswith("compute-")
    assert len(name) == len("compute-") + 6


def test_a_physical_name_does_not_change_between_runs() -> None:
    assert physical_name("S/Hpc", "compute", ("c7i.4xlarge",), longest=25) == "compute-72cf60"


def test_a_physical_name_changes_with_what_forces_replacement() -> None:
    properties = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("ab",), (None,), ("None",)]
    names = {physical_name("S/Hpc", "compute", values, longest=25) for values in properties}
    assert len(names) == len(properties)


@pytest.mark.parametrize(
    ("id", "longest", "readable"),
    [
        pytest.param("a" * 99, 25, "a" * 18, id="cut"),
        pytest.param("a" * 99, 40, "a" * 33, id="cut at 40"),
        pytest.param("a" * 17 + "-bcd", 25, "a" * 17, id="cut at a hyphen"),
        pytest.param("My nodes_2", 25, "My-nodes-2", id="other characters"),
        pytest.param("x _ y", 25, "x-y", id="several other characters"),
        pytest.param("größe", 25, "gr-e", id="other letters"),
    ],
)
def test_a_physical_name_has_only_what_pcs_takes(id: str, longest: int, readable: str) -> None:
    name = physical_name("S/Hpc", id, (), longest=longest)
    assert name.rpartition("-")[0] == readable
    assert len(name) <= longest


def test_the_same_id_in_two_places_makes_two_names() -> None:
    scopes = ["", "S", "S/Hpc", "S/Hpc/compute"]
    assert len({physical_name(scope, "compute", (), longest=25) for scope in scopes}) == len(scopes)


def test_ids_that_look_alike_in_a_name_have_different_hashes() -> None:
    ids = ["my nodes", "my_nodes", "my-nodes", "a" * 30, "a" * 31]
    assert len({physical_name("S/Hpc", name, (), longest=25) for name in ids}) == len(ids)


# Problems and the error that carries them.

NAME = Problem(code="PCS201", argument="name", message="'9' is not a name", fix="use letters")
TYPES = Problem(code="PCS205", argument="instance_types", message="names no type", fix="name one")


def test_a_problem_is_told_with_its_fix() -> None:
    assert str(NAME) == "PCS201 name: '9' is not a name\n    fix: use letters"


def test_one_problem_is_told_with_the_way_to_its_page() -> None:
    assert str(PcsValidationError("S/Nodes", [NAME])) == (
        "1 problem in S/Nodes\n"
        "  PCS201 name: '9' is not a name\n"
        "    fix: use letters\n"
        "see: python -m pcs_constructs explain PCS201"
    )


def test_all_problems_are_told() -> None:
    error = PcsValidationError("S/Nodes", iter([TYPES, NAME]))
    assert error.path == "S/Nodes"
    assert error.problems == (TYPES, NAME)
    assert str(error) == (
        "2 problems in S/Nodes\n"
        "  PCS205 instance_types: names no type\n"
        "    fix: name one\n"
        "  PCS201 name: '9' is not a name\n"
        "    fix: use letters\n"
        "see: python -m pcs_constructs explain PCS205"
    )


def test_the_error_is_a_value_error() -> None:
    assert isinstance(PcsValidationError("S/Nodes", [NAME]), ValueError)


@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_the_error_survives_a_copy_and_another_process(again) -> None:
    error = again(PcsValidationError("S/Nodes", [NAME]))
    assert (error.path, error.problems) == ("S/Nodes", (NAME,))


def test_there_is_one_unknown() -> None:
    assert copy.deepcopy(UNKNOWN) is UNKNOWN
    assert pickle.loads(pickle.dumps(UNKNOWN)) is UNKNOWN


def test_fails_when_a_static_node_group_has_no_node() -> None:
    with pytest.raises(PcsValidationError) as error:
        Scaling.static(0)
    assert [problem.code for problem in error.value.problems] == ["PCS210"]


def test_a_dynamic_node_group_may_be_closed() -> None:
    assert Scaling.dynamic(max=0) == Scaling(min=0, max=0)
