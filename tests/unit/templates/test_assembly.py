"""What is taken from what the CDK writes beside its templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.commands.cli import main
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from pathlib import Path

_LOGICAL_ID = {"type": "aws:cdk:logicalId", "data": "Queue1A2B"}


def _assembly(
    folder: Path, *, entries: list[dict[str, Any]], beside: bool = True, name: str = "Jobs"
) -> Path:
    """A `cdk.out` with one queue in it, and what the CDK keeps of that."""
    queue = {"Type": "AWS::PCS::Queue", "Properties": {"Name": "x", "ClusterId": "pcs_0123456789"}}
    metadata = {"/Prod/Jobs/Queue/Resource": entries}
    artifact: dict[str, Any] = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "ProdJobs.template.json"},
        "displayName": f"Prod/{name} (Prod-{name})",
    }
    if beside:
        artifact["additionalMetadataFile"] = "ProdJobs.metadata.json"
        (folder / "ProdJobs.metadata.json").write_text(json.dumps(metadata))
    else:
        artifact["metadata"] = metadata
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"ProdJobs": artifact}}))
    (folder / "ProdJobs.template.json").write_text(json.dumps({"Resources": {"Queue1A2B": queue}}))
    return folder


@pytest.mark.parametrize("beside", [True, False])
def test_the_construct_that_made_a_resource_is_known(tmp_path: Path, beside: bool) -> None:
    (read,) = template.read(_assembly(tmp_path, entries=[_LOGICAL_ID], beside=beside))
    assert read.resources["Queue1A2B"].path == "Prod/Jobs/Queue/Resource"
    assert read.resources["Queue1A2B"].source is None
    assert read.title == "Prod/Jobs"


@pytest.mark.parametrize(
    "frames",
    [
        ["new Queue (/repo/node_modules/aws-cdk-lib/x.js:1:2)", "new Jobs (lib/jobs.ts:12:5)"],
        ["    ...jsii runtime, node internals...", "    at lib/jobs.ts:12:5"],
    ],
)
@pytest.mark.parametrize("kept", ["trace", "creationStack"])
def test_the_line_of_the_program_is_known_where_the_cdk_kept_it(
    frames: list[str], kept: str, tmp_path: Path
) -> None:
    entries: list[dict[str, Any]] = [{**_LOGICAL_ID, "trace": frames}]
    if kept == "creationStack":
        entries = [_LOGICAL_ID, {"type": "aws:cdk:creationStack", "data": frames}]
    (read,) = template.read(_assembly(tmp_path, entries=entries))
    assert read.resources["Queue1A2B"].source == ("lib/jobs.ts", 12)


def test_what_is_beside_a_template_may_be_anything(tmp_path: Path) -> None:
    for text in ("[", "[]", "{}", '{"artifacts": 5}', '{"artifacts": {"A": {"properties": []}}}'):
        _assembly(tmp_path, entries=[])
        (tmp_path / "manifest.json").write_text(text)
        (read,) = template.read(tmp_path)
        assert read.title == "ProdJobs"


def _annotations(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["check", str(folder), "--github", *options]) == 1
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error")]


def test_an_annotation_points_to_the_program_where_it_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = ["new Jobs (lib/jobs.ts:12:5)"]
    folder = _assembly(tmp_path, entries=[{**_LOGICAL_ID, "trace": frames}])
    (line,) = _annotations(folder, capsys)
    assert line.startswith("::error file=lib/jobs.ts,line=12,title=PCS301::Queue1A2B Name: ")
    assert line.endswith(" (Prod/Jobs/Queue/Resource)")


def test_an_annotation_points_to_the_program_that_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _assembly(tmp_path, entries=[_LOGICAL_ID])
    (line,) = _annotations(folder, capsys)
    assert line.startswith(f"::error file={folder.as_posix()}/ProdJobs.template.json,line=1,")
    source = tmp_path / "app.py"
    source.write_text("")
    (line,) = _annotations(folder, capsys, "--source", str(source))
    assert line.startswith(f"::error file={source},line=1,title=PCS301::")


def test_a_program_that_is_not_there_or_for_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _assembly(tmp_path, entries=[_LOGICAL_ID])
    assert main(["check", str(folder), "--github", "--source", "nowhere.py"]) == 2
    assert main(["check", str(folder), "--source", __file__]) == 2
    assert capsys.readouterr().err.count("--source") == 2
