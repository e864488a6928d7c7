"""What of the benchmark is exact: round trips, what an import loads, and that it compares likes."""

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import round_trips

BY_HAND = ["program_by_hand", "program_by_hand_hoisted"]

_in_order = cache(round_trips.in_order)


def test_a_further_node_group_with_its_queue_takes_eight_round_trips() -> None:
    further = Counter(_in_order("program_library", 4)) - Counter(_in_order("program_library", 3))
    assert further.total() <= 8, _listing(further.elements())


def test_the_smallest_program_takes_few_round_trips() -> None:
    # By hand they are 74, and 65 where no token is read twice. Each construct of ours is one more,
    # and so is each question that the checks ask.
    trips = _in_order("program_library", 1)
    assert len(trips) <= 75, _listing(trips)


def test_importing_the_library_starts_no_process_and_imports_no_cdk() -> None:
    program = """
import sys
started = []
sys.addaudithook(lambda event, _: event == "subprocess.Popen" and started.append(event))
import pcs_constructs
modules = {name.partition(".")[0] for name in sys.modules}
print(started, sorted(modules & {"aws_cdk", "constructs", "jsii"}))
"""
    printed = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert printed == "[] []\n"


@pytest.mark.parametrize("program", BY_HAND)
def test_the_programs_by_hand_make_the_same_resources(program: str, tmp_path: Path) -> None:
    library, by_hand = (
        _resources(_template(name, tmp_path / name)) for name in ("program_library", program)
    )
    assert sorted((library - by_hand).elements()) == sorted((by_hand - library).elements())


def test_the_user_data_by_hand_is_as_long_as_the_librarys(tmp_path: Path) -> None:
    library, by_hand = (
        len(json.dumps(_user_data(_template(name, tmp_path / name))))
        for name in ("program_library", "program_by_hand")
    )
    assert by_hand == pytest.approx(library, rel=0.1), "edit user_data.txt"


def _template(program: str, directory: Path) -> dict[str, Any]:
    subprocess.run(
        round_trips.command(program, 2, directory),
        cwd=round_trips.ROOT,
        env=round_trips.environment(),
        check=True,
    )
    return json.loads((directory / "Bench.template.json").read_text(encoding="utf-8"))


def _user_data(template: dict[str, Any]) -> object:
    return next(
        resource["Properties"]["LaunchTemplateData"]["UserData"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EC2::LaunchTemplate"
    )


def _resources(template: dict[str, Any]) -> Counter[str]:
    """Parameters and resources, as text without logical ids, names and descriptions."""
    elements = {**template["Parameters"], **template["Resources"]}
    types = {name: element["Type"] for name, element in elements.items()}
    return Counter(
        json.dumps(_normal(element, types), sort_keys=True) for element in elements.values()
    )


def _normal(value: Any, types: dict[str, str]) -> Any:
    """The value with types for logical ids, and nothing where texts may differ."""
    match value:
        case {"Ref": name}:
            return {"Ref": types.get(name, name)}
        case {"Fn::GetAtt": [name, attribute]}:
            return {"Fn::GetAtt": [types[name], attribute]}
        case {"Key": "Name"}:
            return {"Key": "Name"}
        case {"DependsOn": names, **rest}:
            return {**_normal(rest, types), "DependsOn": sorted(types[name] for name in names)}
        case dict():
            return {key: _normal(item, types) for key, item in value.items() if key not in _TEXTS}
        case list():
            return [_normal(item, types) for item in value]
        case _:
            return value


_TEXTS = {"Description", "GroupDescription", "Name", "UserData"}


def _listing(trips: Any) -> str:
    return "\n" + "\n".join(f"{number:3} {trip}" for number, trip in enumerate(trips, 1))
