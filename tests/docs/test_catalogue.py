"""The catalogue of instance types is what its generator writes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from pcs_constructs.model import instances
from pcs_constructs.model._data import generate

if TYPE_CHECKING:
    from pathlib import Path


def committed() -> str:
    return (
        files("pcs_constructs.model._data").joinpath("instances.json").read_text(encoding="utf-8")
    )


def needs_moto() -> None:
    pytest.importorskip("moto", reason="moto, which ships the recording, is not installed")


def test_the_first_line_says_that_the_file_is_generated_and_how() -> None:
    assert committed().splitlines()[0] == (
        '{"generated_by": "python -m pcs_constructs.model._data.generate",'
    )


def test_the_file_says_where_it_comes_from_and_under_which_license() -> None:
    document = json.loads(committed())
    assert document["source"].startswith("moto/ec2/resources/instance_types.json.gz")
    assert document["license"] == "Apache-2.0"


def test_each_type_has_a_line_of_its_own() -> None:
    lines = committed().splitlines()
    assert [sum(line.startswith(f'"{n}": ') for line in lines) for n in instances.names()] == (
        [1] * len(instances.names())
    )


def test_the_committed_file_is_what_the_generator_writes() -> None:
    needs_moto()
    assert generate.main(["--check"]) == 0


def test_the_generator_writes_the_same_bytes_over_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_moto()
    monkeypatch.setattr(generate, "FILE", tmp_path / "instances.json")
    assert generate.main([]) == 0
    first = generate.FILE.read_bytes()
    assert generate.main([]) == 0
    same = generate.FILE.read_bytes() == first
    assert same


def test_fails_the_check_without_writing_when_the_file_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_moto()
    stale = tmp_path / "instances.json"
    stale.write_text("{}")
    monkeypatch.setattr(generate, "FILE", stale)
    assert generate.main(["--check"]) == 1
    assert stale.read_text() == "{}"


def test_fails_the_check_without_writing_when_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_moto()
    monkeypatch.setattr(generate, "FILE", tmp_path / "instances.json")
    assert generate.main(["--check"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_fails_to_date_a_recording_of_another_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    def another(_: str) -> str:
        return "0.0.1"

    monkeypatch.setattr(generate, "version", another)
    with pytest.raises(SystemExit, match=r"moto 0\.0\.1 has no date"):
        generate.text()
