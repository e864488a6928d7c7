"""Synthesize the getting-started app and say what it made: `make demo`."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pcs_constructs as pcs
from apps import getting_started, program

_OUT = "cdk.out"


def lines(stack: getting_started.GettingStarted, template: dict[str, Any], path: str) -> list[str]:
    """What a person wants to know of the stack."""
    found = stack.node.find_all()
    rows: list[tuple[str, str]] = []
    for cluster in (c for c in found if isinstance(c, pcs.Cluster)):
        size = cluster.size
        rows.append(
            (
                "cluster",
                f"{cluster.name}, Slurm {cluster.slurm.value}, {size.name} (up to "
                f"{size.max_nodes} nodes, {size.max_jobs} jobs)",
            )
        )
    for group in (c for c in found if isinstance(c, pcs.ComputeNodeGroup)):
        kind = "login nodes" if group.login else "node group"
        rows.append((kind, f"{group.name}, {', '.join(group.instance_types)}, {group.scaling}"))
    for queue in (c for c in found if isinstance(c, pcs.Queue)):
        groups = ", ".join(group.name for group in queue.node_groups)
        rows.append(("queue", f"{queue.name}, on {groups}"))
    for cluster in (c for c in found if isinstance(c, pcs.Cluster)):
        for mount_point, storage in cluster.mounts.items():
            rows.append(("mount", f"{mount_point}, {_noun(storage)}, on all nodes"))
    rows.append(("resources", str(len(template["Resources"]))))
    rows.append(("template", path))
    width = max(len(label) for label, _ in rows)
    return [
        f"{stack.stack_name}: the cluster of the PCS user guide's tutorial",
        "",
        *(f"  {label:<{width}}  {text}" for label, text in rows),
        "",
        "to deploy it, with credentials for an account and a Region:",
        "",
        *_deployment(stack.stack_name, template),
    ]


def _noun(storage: object) -> str:
    if isinstance(storage, pcs.EfsStorage):
        return "Amazon EFS"
    return "FSx for Lustre" if isinstance(storage, pcs.LustreStorage) else type(storage).__name__


def _deployment(stack_name: str, template: dict[str, Any]) -> Iterator[str]:
    """The command, with a value for every parameter that has no default."""
    images = {
        name: parameter["Description"].rpartition("--name ")[2]
        for name, parameter in template["Parameters"].items()
        if "Default" not in parameter
    }
    # uv finds the Node.js of .venv; where it is not installed, make has put it there as well. What
    # is on the PATH only because this runs in .venv does not count.
    elsewhere = [p for p in os.get_exec_path() if not p.startswith(sys.prefix)]
    uv = "uv" if shutil.which("uv", path=os.pathsep.join(elsewhere)) else ".venv/bin/uv"
    yield f"  {uv} run npx aws-cdk@2 deploy {stack_name} --app {_OUT}" + (" \\" if images else "")
    for name, path in images.items():
        yield f"    --parameters {name}=$(aws ssm get-parameter --query Parameter.Value \\"
        yield f"      --output text --name {path})"


def main() -> None:
    """Synthesize the app into `cdk.out` and print what it made."""
    app = program.synthesize(getting_started.stacks, _OUT)
    stack = app.node.find_child("GetStarted")
    assert isinstance(stack, getting_started.GettingStarted)
    path = Path(_OUT) / stack.template_file
    template = json.loads(path.read_text(encoding="utf-8"))
    print("\n".join(lines(stack, template, str(path))))


if __name__ == "__main__":
    main()
