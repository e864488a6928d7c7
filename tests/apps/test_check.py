"""`check` on what the apps synthesize, in the tests of a user's app, and inside of cfn-lint."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_pcs as cfn
from cfnlint.api import ManualArgs, lint_by_config

import apps
import pcs_constructs as pcs
from pcs_constructs.cfnlint import rule_id
from pcs_constructs.commands.cli import main
from pcs_constructs.rules import RULES
from pcs_constructs.testing import assert_deployable, findings
from tests.apps.conftest import APPS, Synthesized

_TEN = Path(__file__).parents[1] / "unit" / "analysis" / "check" / "ten_mistakes.yaml"


def test_nothing_is_found_in_any_app(app: Synthesized, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(app.outdir), "--json", "--fail-on", "advice"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_cfn_lint_with_our_rules_finds_nothing_in_any_app(app: Synthesized) -> None:
    for name in app.templates:
        found = _linted(app.outdir / name)
        assert [match for match in found if match.rule.id[1] == "9"] == []


def _linted(file: Path):
    return lint_by_config(
        ManualArgs(
            templates=[str(file)],
            append_rules=["pcs_constructs.cfnlint"],
            regions=["us-east-1"],
        )
    )


def test_cfn_lint_tells_our_problems_in_their_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = {(m.rule.id, m.linenumber) for m in _linted(_TEN) if m.rule.id[1] == "9"}
    main(["check", str(_TEN), "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {id_ for id_, _ in ours} == {rule_id(RULES[f["code"]]) for f in found}
    # cfn-lint marks the value of a property where `check` marks its name.
    lines = {(rule_id(RULES[f["code"]]), f["line"]) for f in found}
    assert all((id_, line) in ours or (id_, line + 1) in ours for id_, line in lines)


def test_the_ids_of_our_rules_are_free_in_cfn_lint() -> None:
    from cfnlint.rules import Rules

    import pcs_constructs.cfnlint as package

    own = {getattr(each, "id", None) for each in vars(package).values() if isinstance(each, type)}
    assert {rule_id(rule) for rule in RULES.values() if rule.test} <= own
    taken = Rules.create_from_directory(str(Path(_rules_directory())))
    assert not own.intersection(taken)


def _rules_directory() -> str:
    import cfnlint

    return str(Path(cfnlint.__file__).parent / "rules")


# In the tests of an app.


def _app() -> cdk.App:
    return cdk.App(context=apps.context(), analytics_reporting=False)


@pytest.mark.parametrize("name", ["getting_started", "storage_gallery"])
def test_an_app_is_deployable(name: str) -> None:
    app = _app()
    APPS[name](app)
    assert_deployable(app, advice=True)
    for stack in app.node.children:
        if isinstance(stack, cdk.Stack):
            assert_deployable(stack, advice=True)


def _raw(stack: cdk.Stack, name: str) -> cfn.CfnCluster:
    return cfn.CfnCluster(
        stack,
        "Raw",
        name=name,
        size="SMALL",
        scheduler=cfn.CfnCluster.SchedulerProperty(type="SLURM", version="25.11"),
        networking=cfn.CfnCluster.NetworkingProperty(
            subnet_ids=["subnet-0a1b2c3d"], security_group_ids=["sg-0a1b2c3d"]
        ),
    )


def test_fails_on_what_was_made_without_our_constructs() -> None:
    stack = cdk.Stack(_app(), "Hpc")
    _raw(stack, "x")
    with pytest.raises(AssertionError, match="PCS101") as failure:
        assert_deployable(stack)
    assert "PCS103" not in str(failure.value)
    assert_deployable(stack, suppress={"PCS101": "it is never deployed"})


def test_fails_on_advice_where_that_is_asked_for() -> None:
    stack = cdk.Stack(_app(), "Hpc")
    _raw(stack, "research")
    assert_deployable(stack)
    with pytest.raises(AssertionError, match="PCS103"):
        assert_deployable(stack, advice=True)


def test_fails_on_what_an_escape_hatch_did_to_our_constructs() -> None:
    stack = cdk.Stack(_app(), "Hpc")
    cluster = pcs.Cluster(stack, "Cluster", vpc=pcs.Network(stack, "Network").vpc)
    resource = cluster.node.find_child("Resource")
    assert isinstance(resource, cfn.CfnCluster)
    resource.add_property_override("Scheduler.Version", "22.05")
    assert [f.code for f in findings(stack).findings] == ["PCS105"]


def test_one_stack_of_an_app_is_judged_alone() -> None:
    app = _app()
    good, bad = cdk.Stack(app, "Good"), cdk.Stack(app, "Bad")
    _raw(good, "good-1a2b3c")
    _raw(bad, "x")
    assert_deployable(good)
    for either in (bad, app):
        with pytest.raises(AssertionError, match="PCS101"):
            assert_deployable(either)


def test_a_nested_stack_is_of_its_own_stack_only() -> None:
    app = _app()
    other = cdk.Stack(app, "HpcOld")
    _raw(cdk.NestedStack(other, "Inner"), "x")
    assert_deployable(cdk.Stack(app, "Hpc"))
    with pytest.raises(AssertionError, match="PCS101"):
        assert_deployable(other)


@pytest.mark.parametrize("suppress", [{"PCS999": "a code"}, {"PCS101": " "}], ids=str)
def test_only_codes_with_reasons_can_be_suppressed(suppress: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="suppress takes codes with reasons"):
        assert_deployable(cdk.Stack(_app(), "Hpc"), suppress=suppress)


@pytest.mark.parametrize(
    ("rest", "codes"),
    [
        ({"DependsOn": {"a": "b"}}, set[str]()),
        ({"Metadata": {"pcs-constructs": {"suppress": [{"code": "PCS101"}]}}}, {"E9101"}),
    ],
    ids=["a wrong shape", "no reason"],
)
def test_cfn_lint_goes_on_where_the_command_stops(
    tmp_path: Path, rest: dict[str, object], codes: set[str]
) -> None:
    cluster = {
        "Type": "AWS::PCS::Cluster",
        "Properties": {
            "Name": "x",
            "Size": "SMALL",
            "Scheduler": {"Type": "SLURM", "Version": "25.11"},
            "Networking": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
        },
    }
    (tmp_path / "a.json").write_text(json.dumps({"Resources": {"Cluster": cluster | rest}}))
    found = {match.rule.id for match in _linted(tmp_path / "a.json")}
    assert {id_ for id_ in found if id_[1:3] == "91" and id_[0] == "E"} == codes
    assert "E0002" not in found  # what cfn-lint says of a rule that broke down


def test_fixtures_make_it_one_line(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text('{"context": {"from": "cdk.json"}}')
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["pcs_constructs.fixtures"]\n')
    (tmp_path / "test_it.py").write_text(
        "import aws_cdk as cdk\n"
        "def test_it(cdk_app, deployable):\n"
        "    assert cdk_app.node.get_context('from') == 'cdk.json'\n"
        "    deployable(cdk.Stack(cdk_app, 'Hpc'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_problems_are_listed_as_the_command_lists_them(
    synthesized: Callable[[str], Synthesized], capsys: pytest.CaptureFixture[str]
) -> None:
    outdir = synthesized("mpi_cfd").outdir
    assert main(["check", str(outdir)]) == 0
    assert re.fullmatch(r"1 template, \d+ resources: .*\n", capsys.readouterr().out)
