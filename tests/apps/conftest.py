"""Each app, synthesized once as its users synthesize it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest

import apps
import apps.getting_started
import apps.gpu_training
import apps.isolated
import apps.mpi_cfd
import apps.priorities
import apps.restricted
import apps.storage_gallery


@dataclass(frozen=True)
class Synthesized:
    """What an app left behind."""

    outdir: Path
    templates: dict[str, dict[str, Any]]
    report: dict[str, Any]

    def resources(self, type_: str) -> dict[str, dict[str, Any]]:
        """All resources of a type, by logical id."""
        found = [t["Resources"] for t in self.templates.values()]
        return {k: v for resources in found for k, v in resources.items() if v["Type"] == type_}

    def resource(self, type_: str, **properties: Any) -> dict[str, Any]:
        """The properties of the one resource of a type with these property values."""
        matches = [
            resource["Properties"]
            for resource in self.resources(type_).values()
            if all(resource["Properties"].get(k) == v for k, v in properties.items())
        ]
        assert len(matches) == 1, f"{len(matches)} resources {type_} with {properties}"
        return matches[0]


def _getting_started(app: cdk.App) -> None:
    apps.getting_started.GettingStarted(
        app, "GetStarted", ssh_from="203.0.113.0/24", key_pair="my-key"
    )


def _priorities(app: cdk.App) -> None:
    apps.priorities.Priorities(app, "Priorities", qos="gpu-limits")


APPS: dict[str, Callable[[cdk.App], None]] = {
    "getting_started": _getting_started,
    "gpu_training": apps.gpu_training.stacks,
    "isolated": apps.isolated.stacks,
    "mpi_cfd": apps.mpi_cfd.stacks,
    "priorities": _priorities,
    "restricted": apps.restricted.stacks,
    "storage_gallery": apps.storage_gallery.stacks,
}


def synthesize(name: str, outdir: Path) -> Synthesized:
    """Synthesize an app with CDK's own validation and cdk-nag."""
    before = os.environ.pop("CDK_VALIDATION", None)
    try:
        app = cdk.App(outdir=str(outdir), context=apps.context(), analytics_reporting=False)
        APPS[name](app)
        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app, verbose=True))
        app.synth()
    finally:
        if before is not None:
            os.environ["CDK_VALIDATION"] = before
    return Synthesized(
        outdir,
        {p.name: json.loads(p.read_text()) for p in sorted(outdir.glob("*.template.json"))},
        json.loads((outdir / "validation-report.json").read_text()),
    )


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesized]:
    """An app by its name."""
    return cache(lambda name: synthesize(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session", params=sorted(APPS))
def app(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """Every app, one after the other."""
    return synthesized(request.param)


@pytest.fixture(scope="session")
def getting_started(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """The getting-started app."""
    return synthesized("getting_started")
