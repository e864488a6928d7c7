"""What `diff` says of the apps: each as it is, and with one thing in it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

import apps
import pcs_constructs as pcs
from pcs_constructs.analysis.diff import Change, Effect, compare
from pcs_constructs.analysis.diff.replacement import CREATE_ONLY
from pcs_constructs.templates import template
from tests.apps.conftest import APPS, Synthesized, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATH_METADATA = "aws:cdk:enable-path-metadata"  # what the CDK's command line asks for


def _synthesized(program: Callable[[cdk.App], None], folder: Path) -> list[template.Template]:
    context = {**apps.context(), _PATH_METADATA: True}
    app = cdk.App(outdir=str(folder), context=context, analytics_reporting=False)
    program(app)
    app.synth()
    return template.read(folder)


def _edited(
    name: str, changed: Callable[[pytest.MonkeyPatch], None], folder: Path
) -> dict[str, Change]:
    """What changes in an app, by the construct's path, if the library is called otherwise."""
    old = _synthesized(APPS[name], folder / "old")
    with pytest.MonkeyPatch.context() as patch:
        changed(patch)
        new = _synthesized(APPS[name], folder / "new")
    return {change.label: change for change in compare(old, new)}


def _with(method: str, id: str, **arguments: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """The app with other arguments where it calls a method of its cluster with this id."""

    def changed(patch: pytest.MonkeyPatch) -> None:
        original = getattr(pcs.Cluster, method)

        def called(self: pcs.Cluster, given: str, **options: Any) -> object:
            return original(self, given, **{**options, **(arguments if given == id else {})})

        patch.setattr(pcs.Cluster, method, called)

    return changed


def _with_cluster(**arguments: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """The app with other arguments of its cluster."""

    def changed(patch: pytest.MonkeyPatch) -> None:
        original = pcs.Cluster.__init__

        def init(self: pcs.Cluster, *path: Any, **options: Any) -> None:
            original(self, *path, **{**options, **arguments})

        patch.setattr(pcs.Cluster, "__init__", init)

    return changed


_QUEUE = "Cluster/Queues/demo"
_NOBODY: dict[str, Effect] = dict.fromkeys(
    ("Cluster", "Cluster/Login", "Cluster/Compute1", _QUEUE), Effect.NOTHING
)
_NODES = {"Cluster/Compute1": Effect.NODES_REPLACED}


def _effects(changes: dict[str, Change]) -> dict[str, Effect]:
    return {label: change.effect for label, change in changes.items()}


def _refused(changes: dict[str, Change]) -> dict[str, int]:
    return {label: len(c.refusals) for label, c in changes.items() if c.refusals}


def test_an_app_that_is_synthesized_again_changes_nothing(
    app: Synthesized, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    again = synthesize(request.node.callspec.params["app"], tmp_path)
    changes = compare(template.read(app.outdir), template.read(again.outdir))
    assert {type_ for type_ in CREATE_ONLY if "PCS" in type_} == {c.type for c in changes}
    assert {change.effect for change in changes} == {Effect.NOTHING}
    assert [change for change in changes if change.notes or change.refusals] == []


def test_what_is_deployed_first_is_created(app: Synthesized, tmp_path: Path) -> None:
    (tmp_path / "None.template.json").write_text('{"Resources": {}}')
    (tmp_path / "Other.template.json").write_text('{"Resources": {}}')
    changes = compare(template.read(tmp_path), template.read(app.outdir))
    assert {change.effect for change in changes} == {Effect.CREATED}
    assert [change.refusals for change in changes if change.refusals] == []


@pytest.mark.parametrize(
    ("changed", "effects"),
    [
        (_with_cluster(rest_api=True), {"Cluster": Effect.IN_PLACE}),
        (_with_cluster(accounting=pcs.Accounting()), {"Cluster": Effect.IN_PLACE}),
        (
            _with_cluster(slurm_settings={"SelectTypeParameters": "CR_CPU_Memory"}),
            # The library then tells Slurm how much memory the nodes have.
            {"Cluster": Effect.IN_PLACE, **_NODES},
        ),
        (_with_cluster(slurm=pcs.SlurmVersion.V26_05), {"Cluster": Effect.IN_PLACE}),
        (
            _with_cluster(mounts={}),
            # Ports to the file systems close at once.
            {"Cluster": Effect.IN_PLACE, "Cluster/Login": Effect.SESSIONS_END, **_NODES},
        ),
        (_with("add_compute_node_group", "Compute1", mounts={}), _NODES),
        (
            _with(
                "add_compute_node_group",
                "Compute1",
                user_data=[pcs.UserDataPart.shell_script("#!/bin/sh\necho hello\n")],
            ),
            _NODES,
        ),
        (_with("add_compute_node_group", "Compute1", instance_tags={"Project": "cfd"}), _NODES),
        (_with("add_compute_node_group", "Compute1", slurm_settings={"Weight": "2"}), _NODES),
        (_with("add_compute_node_group", "Compute1", capacity=pcs.Capacity.spot()), _NODES),
        (
            _with("add_compute_node_group", "Compute1", scaling=pcs.Scaling.dynamic(max=8)),
            {"Cluster/Compute1": Effect.IN_PLACE},
        ),
        (
            _with("add_compute_node_group", "Compute1", scaling=pcs.Scaling.dynamic(max=2)),
            {"Cluster/Compute1": Effect.JOBS_FAIL},
        ),
        (_with("add_login_nodes", "Login", count=2), {"Cluster/Login": Effect.IN_PLACE}),
        (
            _with("add_login_nodes", "Login", key_pair=None),
            {"Cluster/Login": Effect.SESSIONS_END},
        ),
        (
            _with("add_queue", "demo", slurm_settings={"MaxTime": "1:00:00"}),
            {_QUEUE: Effect.IN_PLACE},
        ),
        (_with("add_queue", "demo", name="batch"), {_QUEUE: Effect.REPLACED}),
    ],
)
def test_the_started_cluster_takes_a_change(
    changed: Callable[[pytest.MonkeyPatch], None], effects: dict[str, Effect], tmp_path: Path
) -> None:
    changes = _edited("getting_started", changed, tmp_path)
    assert _effects(changes) == _NOBODY | effects
    assert _refused(changes) == {}


def test_another_node_group_and_queue_are_created(tmp_path: Path) -> None:
    def changed(patch: pytest.MonkeyPatch) -> None:
        original = pcs.Cluster.add_queue

        def add_queue(self: pcs.Cluster, id: str, **options: Any) -> pcs.Queue:
            more = self.add_compute_node_group(
                "more", instance_types=["c7i.xlarge"], scaling=pcs.Scaling.dynamic(max=2)
            )
            original(self, "more", node_groups=[more])
            return original(self, id, **options)

        patch.setattr(pcs.Cluster, "add_queue", add_queue)

    effects = _effects(_edited("getting_started", changed, tmp_path))
    assert effects == _NOBODY | dict.fromkeys(
        ("Cluster/more", "Cluster/Queues/more"), Effect.CREATED
    )


def test_fails_when_a_named_cluster_becomes_larger(tmp_path: Path) -> None:
    larger = _with_cluster(size=pcs.ClusterSize.MEDIUM)
    changes = _edited("getting_started", larger, tmp_path)
    assert _effects(changes) == dict.fromkeys(_NOBODY, Effect.LOST)
    assert _refused(changes) == {"Cluster": 1}


def test_a_cluster_without_a_name_becomes_larger_under_a_new_one(tmp_path: Path) -> None:
    changes = _edited("mpi_cfd", _with_cluster(size=pcs.ClusterSize.LARGE), tmp_path)
    assert set(_effects(changes).values()) == {Effect.LOST}
    assert _refused(changes) == {}


def test_fails_when_a_named_node_group_gets_other_instance_types(tmp_path: Path) -> None:
    changed = _with("add_compute_node_group", "Compute1", instance_types=["c7a.xlarge"])
    changes = _edited("getting_started", changed, tmp_path)
    assert _effects(changes) == _NOBODY | {
        "Cluster/Compute1": Effect.REPLACED,
        _QUEUE: Effect.IN_PLACE,
    }
    assert _refused(changes) == {"Cluster/Compute1": 1}


def test_a_node_group_without_a_name_gets_other_instance_types(tmp_path: Path) -> None:
    changed = _with("add_compute_node_group", "solve", instance_types=["hpc6a.48xlarge"])
    changes = _edited("mpi_cfd", changed, tmp_path)
    assert _effects(changes) == {
        "Cluster": Effect.NOTHING,
        "Cluster/login": Effect.NOTHING,
        "Cluster/solve": Effect.REPLACED,
        "Cluster/Queues/solve": Effect.IN_PLACE,
    }
    assert _refused(changes) == {}
