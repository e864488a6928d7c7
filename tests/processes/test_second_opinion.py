"""cfn-lint reads values too: where it has an opinion, it has ours."""

from __future__ import annotations

from typing import Any

from cfnlint.context import create_context_for_template
from cfnlint.decode import cfn_yaml
from cfnlint.jsonschema import CfnTemplateValidator
from cfnlint.template import Template

from tests.unit.analysis.forms import FORMS, Form

# It writes JSON with spaces, and leaves the mark of a literal `${!Name}` in a text.
_OTHERWISE = {"ToJsonString", "Sub of a literal"}


def _opinions(form: Form) -> list[Any]:
    """What cfn-lint takes the name of the node group for; nothing where it does not know."""
    (text,) = form.templates.values()
    content: Any = cfn_yaml.loads(text)
    template: Any = Template("nodes.yaml", content, ["us-east-1"])
    context: Any = create_context_for_template(template)
    validator: Any = CfnTemplateValidator({}).evolve(context=context, cfn=template)
    written = content["Resources"]["Nodes"]["Properties"]["Name"]
    found = (value for value, _, problem in validator.resolve_value(written) if problem is None)
    return [value for value in found if isinstance(value, str)]


def test_cfn_lint_comes_to_the_same_where_it_comes_to_something() -> None:
    alone = [
        form
        for form in FORMS
        if len(form.templates) == 1 and form.written and not form.given
        and form.name not in _OTHERWISE
    ]  # fmt: skip
    opinions = {form.name: (form.value, _opinions(form)) for form in alone}
    other = {name: said for name, said in opinions.items() if said[1] and said[0] not in said[1]}
    assert other == {}
    assert sum(bool(said) for _, said in opinions.values()) >= 20
