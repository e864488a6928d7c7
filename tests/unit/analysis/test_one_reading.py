"""Every command reads a value alike, however a template says it."""

from __future__ import annotations

import pytest

from pcs_constructs.analysis import check, diff, reach, slurm
from pcs_constructs.templates.document import parse
from pcs_constructs.templates.scenarios import Given
from pcs_constructs.templates.template import Template, parsed_together
from tests.unit.analysis.forms import FORMS, Form, nodes

_BEFORE = "before"


def _given(form: Form) -> Given:
    return Given(parameters=form.given, stack_names=form.stack_names)


def _templates(form: Form, *, before: bool = False) -> list[Template]:
    """The templates of a form; or as they were, with another name."""
    contents = {name: parse(text).content for name, text in form.templates.items()}
    together = parsed_together(contents)
    if before:
        for template in together:
            for resource in template.resources.values():
                if resource.type == "AWS::PCS::ComputeNodeGroup":
                    resource.properties["Name"] = _BEFORE  # pyright: ignore[reportIndexIssue]
    return together


def test_there_are_forty_forms_and_ten_of_them_in_nested_stacks() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS) >= 40
    assert sum("AWS::CloudFormation::Stack" in str(form.templates) for form in FORMS) >= 10


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_value_is_the_same_for_every_command(form: Form) -> None:
    given = _given(form)
    checked = check.check(_templates(form), given=given).findings
    told = [f.message for f in checked if f.property == "Name" and f.code == "PCS201"]
    assert f"{form.value!r} is not a node group name" in told
    flows = reach.judge(_templates(form), given=given)
    assert form.value in {flow.source for flow in flows}
    written = slurm.configurations(_templates(form), given=given)
    lines = [line for each in written for line in each.lines["slurm.conf"]]
    assert any(f"NodeName={form.value}-[1-4]" in line for line in lines)
    changes = diff.compare(
        _templates(form, before=True), _templates(form), given_old=given, given_new=given
    )
    renamed = {r.after for c in changes for r in c.reasons if r.path == "Name"}
    # Of what a condition chooses diff tells every choice.
    assert any(after and after.split(" if ")[0] == repr(form.value) for after in renamed)


def test_the_table_would_notice() -> None:
    form = Form("another", {"nodes.yaml": nodes("!Ref Open")})
    found = reach.judge(_templates(form))
    assert {flow.source for flow in found if flow.target == "controller"} == {"<Open>"}
