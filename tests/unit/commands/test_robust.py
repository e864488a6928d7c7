"""What nobody means to write, and what terminals and disks do: each is told, and ends nothing."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.commands import check as check_command
from pcs_constructs.commands.cli import main

if TYPE_CHECKING:
    from pathlib import Path

_QUEUE = {"Type": "AWS::PCS::Queue", "Properties": {"Name": "q", "ClusterId": "pcs_0123456789"}}
_NAME = "A\n::error::told \x1b[31m\u202e\ud800"
_COMMANDS = ("check", "reach", "slurm")


def _written(folder: Path, content: object, name: str = "stack.json") -> str:
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Resources: " + "[" * 50_000, "is nested too deeply"),
        ("Resources:\n" + "".join(" " * n + "- \n" for n in range(1500)), "is nested too deeply"),
        ('{"Resources": ' + "[" * 50_000, "is nested too deeply"),
        ('{"Resources": {"A": ' + '{"B": ' * 5000, "is nested too deeply"),
        ("Resources: &a [*a]", "is nested too deeply"),
        ("\x00\x01", "is neither JSON nor YAML"),
    ],
)
def test_what_cannot_be_read_is_told(
    command: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, _written(tmp_path, text, "stack.yaml")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"Resources": {"Q": %s, "Q": %s}}' % ((json.dumps(_QUEUE),) * 2), "Q is there"),
        ("a.yaml", "Resources:\n  Q: {Type: T}\n  Q: {Type: T}\n", "Q (line 2) is there"),
    ],
)
def test_a_key_that_is_there_twice_is_told(
    name: str, text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", _written(tmp_path, text, name)])
    assert f"{said} twice, and the last one counts" in capsys.readouterr().err


def test_what_is_merged_into_a_mapping_of_yaml_is_not_there_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Resources:\n  A: &a {Type: AWS::S3::Bucket}\n  B: {<<: *a, Type: AWS::SNS::Topic}\n"
    assert main(["check", _written(tmp_path, text, "a.yaml")]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("broken", [b"Resources: [AWS::\xff\xfe", b"Resources: {AWS::PCS: ["])
def test_a_file_of_a_directory_that_cannot_be_read_is_told_and_the_rest_is_judged(
    broken: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _written(tmp_path, {"Resources": {"Q": _QUEUE}}, "good.yaml")
    (tmp_path / "broken.yaml").write_bytes(broken)
    assert main(["check", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert "broken.yaml" in err
    assert "1 template, 1 resource" in out


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stack.json"
    path.touch(mode=stat.S_IWUSR)
    assert main(["check", str(path)]) == 2
    assert "Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["check"], ["check", "--github"], ["slurm"], ["reach"]])
def test_a_name_starts_no_line_and_moves_no_cursor(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = {
        "Type": "AWS::PCS::ComputeNodeGroup",
        "Properties": {"Name": _NAME, "ClusterId": _NAME, "SubnetIds": [_NAME]},
    }
    content = {"Resources": {_NAME: {**_QUEUE, "Properties": {"Name": _NAME}}, "G": group}}
    main([*options, _written(tmp_path, content)])
    out = capsys.readouterr().out
    assert "told" in out
    assert not {"\x1b", "\u202e", "\ud800"}.intersection(out)
    lines = [line.strip() for line in out.splitlines()]
    told = [line for line in lines if line.startswith("::") and "--github" not in options]
    assert told == []
    assert not any(line.startswith("::error::") for line in lines)


def test_the_older_form_of_a_command_is_none_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"Resources": {"##[error]told": _QUEUE}}
    main(["check", _written(tmp_path, content)])
    out = capsys.readouterr().out
    assert "told" in out
    assert "##[" not in out


def _python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pcs_constructs", *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    stack = _written(tmp_path, {"Resources": {"Q": _QUEUE}})
    with open("/dev/full", "wb") as full:
        ended = _python("check", stack, stdout=full)
    assert (ended.returncode, ended.stderr) == (2, b"No space left on device\n")


def test_what_a_terminal_cannot_write_is_escaped(tmp_path: Path) -> None:
    stack = _written(tmp_path, {"Resources": {"Größe": _QUEUE}})
    ended = _python(
        "check", stack, stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert ended.returncode == 1
    assert rb"Gr\xf6\xdfe Name" in ended.stdout


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def fail(_: object) -> int:
        raise KeyError("a fault\n::error::")

    monkeypatch.setattr(check_command, "run", fail)
    return monkeypatch


def test_a_fault_of_the_program_is_a_line_and_ends_with_2(
    failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pcs-constructs ends by a fault of its own, please report it: KeyError:")
    failing.setenv("PCS_CONSTRUCTS_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main(["check", "x"])


def test_who_interrupts_sees_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_command, "run", interrupted)
    assert main(["check", "x"]) == 130


def test_output_of_one_s_own_is_written_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = io.StringIO()  # as a notebook has it
    monkeypatch.setattr(sys, "stdout", kept)
    assert main(["check", _written(tmp_path, {"Resources": {"Q": _QUEUE}})]) == 1
    assert "1 template" in kept.getvalue()


# slurm --out


def _clusters(*names: str) -> dict[str, Any]:
    clusters = {
        f"C{n}": {"Type": "AWS::PCS::Cluster", "Properties": {"Name": name}}
        for n, name in enumerate(names)
    }
    return {"Resources": clusters}


@pytest.mark.parametrize(
    "names", [("same", "same"), ("a/b", "a:b"), ("Prod", "prod")], ids=["equal", "odd", "case"]
)
def test_no_cluster_is_written_over_another(
    names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["slurm", _written(tmp_path, _clusters(*names)), "--out", str(out)]) == 2
    assert "is for two clusters" in capsys.readouterr().err
    assert not out.exists()


def test_nothing_is_written_through_a_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.write_text("mine")
    (out / "slurm.conf").symlink_to(other)
    assert main(["slurm", _written(tmp_path, _clusters("one")), "--out", str(out)]) == 2
    assert "slurm.conf: is a link" in capsys.readouterr().err
    assert other.read_text() == "mine"
    assert list(out.iterdir()) == [out / "slurm.conf"]


def test_a_cluster_that_is_called_nothing_has_no_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queues = {
        name: {"Type": "AWS::PCS::Queue", "Properties": {"Name": "q", "ClusterId": cluster}}
        for name, cluster in (("A", ".."), ("B", "pcs_0123456789"))
    }
    out = tmp_path / "out"
    assert main(["slurm", _written(tmp_path, {"Resources": queues}), "--out", str(out)]) == 2
    assert "is no name for a directory" in capsys.readouterr().err
    assert not out.exists()
