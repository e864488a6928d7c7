"""The command line as a process of its own, on a machine without Node.js."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TEMPLATE = """{"Resources": {"Cluster": {"Type": "AWS::PCS::Cluster", "Properties": {
    "Size": "SMALL", "Scheduler": {"Type": "SLURM", "Version": "25.11"},
    "Networking": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}}}}}"""


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["explain", "PCS201"], "PCS201 (error)\n"),
        (["instances", "p5.48xlarge"], "1 types, from"),
        (["diff", "{}", "{}"], "1 cluster: nothing changes\n"),
        (["slurm", "{}"], "# slurm.conf of cluster"),
        (["reach", "{}"], "no cluster with nodes in these templates\n"),
        (["check", "{}"], "1 template, 1 resource: "),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command_works_where_there_is_no_node(
    tmp_path: Path, arguments: list[str], printed: str
) -> None:
    template = tmp_path / "Hpc.template.json"
    template.write_text(_TEMPLATE)
    done = subprocess.run(
        [sys.executable, "-m", "pcs_constructs", *(a.format(template) for a in arguments)],
        cwd=_ROOT,
        env={"PATH": str(tmp_path), "JSII_NODE": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert printed in done.stdout


def test_a_command_loads_nothing_that_only_others_need() -> None:
    program = (
        "import sys; from pcs_constructs.commands.cli import main; main(['explain']); "
        "others = ('changes', 'check', 'reach', 'template', 'slurm_conf'); "
        "print({'pcs_constructs.' + m for m in others} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "set()\n"


def test_check_loads_neither_the_cdk_nor_cfn_lint(tmp_path: Path) -> None:
    template = tmp_path / "Hpc.template.json"
    template.write_text(_TEMPLATE)
    program = (
        "import sys; from pcs_constructs.commands.cli import main; "
        f"main(['check', {str(template)!r}]); "
        "print({'aws_cdk', 'jsii', 'constructs', 'cfnlint'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "set()\n"
