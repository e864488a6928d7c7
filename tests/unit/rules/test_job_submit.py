from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules.job_submit import JobSubmitFacts
from tests.unit.rules.test_rules import errors, row, table

plugin = partial(replace, JobSubmitFacts(name="check", location="s3://scripts/submit.star"))


@table(
    row("one", plugin()),
    row("two", plugin(count=2), "PCS114"),
    row("token", plugin(count=UNKNOWN)),
)
def test_a_cluster_has_one_job_submit_plugin(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("whole", plugin(checksum="0" * 64)),
    row("no name", plugin(name=None), "PCS118"),
    row("a name with a blank", plugin(name="my check"), "PCS118"),
    row("another language", plugin(type="LUA"), "PCS118"),
    row("a file of the node", plugin(location="/etc/submit.star"), "PCS118"),
    row("no script", plugin(location=None), "PCS118"),
    row("half a checksum", plugin(checksum="0" * 32), "PCS118"),
    row("token", plugin(name=UNKNOWN, location=UNKNOWN, type=UNKNOWN, checksum=UNKNOWN)),
)
def test_a_job_submit_plugin_is_one_that_pcs_takes(facts, codes) -> None:
    assert errors(facts) == codes
