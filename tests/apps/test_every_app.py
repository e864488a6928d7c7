"""What every app must pass: the snapshot, and the judges that need no account."""

import json
import re
from pathlib import Path

import cfnlint
import cfnlint.helpers
import pytest
from cfnlint.api import ManualArgs, lint_by_config
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.apps.conftest import Synthesized, synthesize

_SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas" / "providers"

# In some Regions only.
_RARE = {"AWS::FSx::FileCache"}


def _regions_that_have(types: set[str]) -> set[str]:
    """The Regions whose CloudFormation schemas in cfn-lint have all of these resource types."""
    return {
        path.stem
        for path in _SCHEMAS.glob("*.json")
        if all(f'"{type_}"' in path.read_text() for type_ in types)
        and path.stem in cfnlint.helpers.REGIONS
    }


def test_the_template_is_the_one_in_the_snapshot(
    app: Synthesized, snapshot: SnapshotAssertion
) -> None:
    assert app.templates == snapshot(extension_class=JSONSnapshotExtension)


def test_cfn_lint_finds_nothing_in_any_region_that_has_pcs(app: Synthesized) -> None:
    with_pcs = _regions_that_have({"AWS::PCS::Cluster"})
    assert len(with_pcs) >= 25
    for name, template in app.templates.items():
        types = {r["Type"] for r in template["Resources"].values()}
        # FSx is not in the schemas of this Region although PCS is: no cluster with Lustre there.
        assert with_pcs - _regions_that_have(types - _RARE) <= {"ap-southeast-6"}
        regions = _regions_that_have(types)
        assert len(regions) >= 10
        found = lint_by_config(
            ManualArgs(templates=[str(app.outdir / name)], regions=sorted(regions))
        )
        # E3628: not every Region has the GPUs of apps/gpu_training.py; us-east-1 has everything.
        missing = [m for m in found if m.rule.id == "E3628"]
        assert not any("'us-east-1'" in str(match) for match in missing)
        assert [str(match) for match in found if match not in missing] == []


def test_cdk_validation_and_cdk_nag_find_nothing_that_is_not_acknowledged(app: Synthesized) -> None:
    violations = [
        (report["pluginName"], violation["ruleName"])
        for report in app.report["pluginReports"]
        for violation in report["violations"]
    ]
    assert violations == []


def test_no_advice_is_left_unacknowledged(app: Synthesized) -> None:
    manifest = json.loads((app.outdir / "manifest.json").read_text())
    text = json.dumps(manifest) + "".join(
        path.read_text() for path in app.outdir.glob("*.metadata.json")
    )
    assert re.findall(r'"aws:cdk:warning"[^}]*', text) == []


def test_synthesizing_twice_gives_the_same_bytes(
    app: Synthesized, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name = request.node.callspec.params["app"]
    synthesize(name, tmp_path)
    for template in app.templates:
        assert (tmp_path / template).read_bytes() == (app.outdir / template).read_bytes()


def test_no_arn_names_a_partition(app: Synthesized) -> None:
    for template in app.templates.values():
        assert "arn:aws:" not in json.dumps(template["Resources"])
