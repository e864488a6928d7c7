"""What `diff` says of file systems: only what becomes of the data on those that go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.diff import Change, Effect, as_text, compare
from pcs_constructs.commands.cli import main
from pcs_constructs.templates import template
from pcs_constructs.templates.scenarios import Given
from tests.unit.analysis.diff.small import cluster, group, resource, small

if TYPE_CHECKING:
    from pathlib import Path


def _with(files: dict[str, Any] | None) -> dict[str, Any]:
    """A cluster whose nodes mount a file system, or have nothing to mount."""
    text = {"Fn::Base64": {"Fn::Sub": "mount ${Home} /home" if files else "true"}}
    launch = resource("AWS::EC2::LaunchTemplate", LaunchTemplateData={"UserData": text})
    version = {"Fn::GetAtt": ["Launch", "LatestVersionNumber"]}
    nodes = group(CustomLaunchTemplate={"TemplateId": {"Ref": "Launch"}, "Version": version})
    content = small(nodes)
    content["Resources"] |= {"Launch": launch, "Other": cluster(Name="other")}
    content["Resources"] |= {"Home": files} if files else {}
    return content


def _efs(*, encrypted: bool = True, **beside: str) -> dict[str, Any]:
    return {**resource("AWS::EFS::FileSystem", Encrypted=encrypted), **beside}


def _compared(old: dict[str, Any], new: dict[str, Any], **given: Given) -> dict[str, Change]:
    found = compare([template.parsed("Hpc", old)], [template.parsed("Hpc", new)], **given)
    return {change.logical_id: change for change in found}


def test_a_file_system_that_stays_is_not_told_of() -> None:
    tagged = _efs()
    tagged["Properties"]["ThroughputMode"] = "elastic"
    assert "Home" not in _compared(_with(_efs()), _with(tagged))


@pytest.mark.parametrize(
    ("policy", "effect", "note"),
    [
        ("Retain", Effect.LEFT_BEHIND, "it stays, since UpdateReplacePolicy is Retain"),
        ("Delete", Effect.DATA_LOST, "it is deleted with its data"),
    ],
)
def test_a_file_system_that_is_replaced_is_empty(policy: str, effect: Effect, note: str) -> None:
    old = _with(_efs(UpdateReplacePolicy=policy))
    new = _with(_efs(UpdateReplacePolicy=policy, encrypted=False))
    change = _compared(old, new)["Home"]
    assert (change.effect, change.cluster) == (effect, "hpc in Hpc")
    assert change.notes == (f"what takes its place is empty; {note}",)
    assert [str(reason) for reason in change.reasons] == ["Encrypted: 'true' -> 'false'"]


@pytest.mark.parametrize(
    ("policy", "effect"), [("Retain", Effect.LEFT_BEHIND), ("Delete", Effect.DATA_LOST)]
)
def test_a_file_system_that_is_removed_goes_as_its_policy_says(policy: str, effect: Effect) -> None:
    change = _compared(_with(_efs(DeletionPolicy=policy)), _with(None))["Home"]
    assert change.effect is effect
    assert change.notes[0].startswith("nothing takes its place")


def test_a_file_system_goes_with_its_condition() -> None:
    both = _with({**_efs(), "Condition": "HasHome"})
    both["Parameters"] = {"Shared": {"Type": "String"}}
    both["Conditions"] = {"HasHome": {"Fn::Equals": [{"Ref": "Shared"}, "yes"]}}
    yes, no = (Given(parameters={"Shared": answer}) for answer in ("yes", "no"))
    assert "Home" not in _compared(both, both)
    assert _compared(both, both, given_old=yes, given_new=no)["Home"].effect is Effect.DATA_LOST


def test_what_nodes_lose_is_counted_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, encrypted in zip(paths, (True, False), strict=True):
        path.write_text(json.dumps(_with(_efs(encrypted=encrypted))), encoding="utf-8")
    assert main(["diff", *map(str, paths)]) == 1
    assert "  file system Home" in (text := capsys.readouterr().out)
    assert "2 clusters, 1 node group, 1 queue, 1 file system: data lost in 1" in text
    assert main(["diff", *map(str, paths), "--fail-on", "data-lost"]) == 1
    assert main(["diff", *map(str, paths), "--fail-on", "lost"]) == 0


def test_a_file_system_that_no_node_is_seen_to_mount_is_told_of_too() -> None:
    old = {"Resources": {"Home": _efs()}}
    changes = _compared(old, {"Resources": {}})
    assert as_text(list(changes.values())).splitlines()[:2] == [
        "cluster that is not known",
        "  file system Home  DELETED with its data",
    ]
