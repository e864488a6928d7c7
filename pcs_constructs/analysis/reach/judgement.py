"""The judgement of templates: what is sure, and what rests on the defaults of parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from pcs_constructs.analysis.reach.flows import Flow, Key, flows
from pcs_constructs.analysis.reach.proof import Verdict
from pcs_constructs.templates.nesting import Nesting
from pcs_constructs.templates.resolve import STACK_NAME
from pcs_constructs.templates.resolved import ResolvedTemplates
from pcs_constructs.templates.scenarios import Defaults, Given
from pcs_constructs.templates.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pcs_constructs.templates.template import Template

_Assumption = tuple[tuple["Template", str], ...]
"""Parameters that have one value together, or else have not."""

_MOST: Final = 64
"""How many assumptions are tried one by one."""


def judge(
    templates: Sequence[Template], *, given: Given | None = None, strict: bool = False
) -> list[Flow]:
    """Every flow that the clusters in templates need, those of one cluster after the other.

    Args:
        templates: Templates that were read together, such as those of one `cdk.out`. What they
            import from elsewhere makes a flow UNKNOWN.
        given: What is said of the deployment: values of parameters, names of stacks. By default
            parameters have their defaults, and a flow says on which of them it rests.
        strict: Whether defaults count for nothing: then a flow that rests on one is UNKNOWN.
    """
    reading = _Reading(templates, given or Given())
    if strict:
        return reading.flows(Defaults.NOWHERE)
    verdicts = _verdicts(reading.flows(Defaults.NOWHERE))
    by_default = reading.flows(Defaults.EVERYWHERE)
    resting = {
        flow.key
        for flow in by_default
        if flow.verdict is not Verdict.UNKNOWN and verdicts.get(flow.key) is not flow.verdict
    }
    if not resting:
        return by_default
    reasons = reading.reasons(resting, _verdicts(by_default))
    return [
        replace(flow, assumes=reasons[flow.key]) if flow.key in resting else flow
        for flow in by_default
    ]


class _Reading:
    """Reads templates again and again, with other things taken for true."""

    def __init__(self, templates: Sequence[Template], given: Given) -> None:
        self._templates = templates
        self._given = given
        self._nesting = Nesting(templates)
        self._relied: frozenset[tuple[Template, str]] = frozenset()
        self._components: list[list[Template]] = []

    def flows(self, defaults: Defaults, without: Iterable[tuple[Template, str]] = ()) -> list[Flow]:
        """Every flow, with some defaults taken for true."""
        open_: dict[Template, set[str]] = {}
        for template, name in without:
            open_.setdefault(template, set()).add(name)
        scenarios = {
            template: self._given.scenario(
                template, defaults=defaults, open_=frozenset(open_.get(template, ()))
            )
            for template in self._templates
        }
        resolved = ResolvedTemplates(self._templates, scenarios, nesting=self._nesting)
        found = flows(resolved)
        if not open_:
            self._relied = frozenset(resolved.relied)
            self._components = resolved.components()
        return found

    def reasons(
        self, keys: Iterable[Key], verdicts: Mapping[Key, Verdict]
    ) -> dict[Key, tuple[str, ...]]:
        """What flows rest on: of what was relied on, all without which they end otherwise."""
        by_component = [self._assumptions(component) for component in self._components]
        component_of = {
            template: number
            for number, component in enumerate(self._components)
            for template in component
        }
        reasons: dict[Key, list[str]] = {key: [] for key in keys}
        # Templates that have nothing to do with each other do without something at once.
        for turn in range(min(_MOST, max(map(len, by_component), default=0))):
            tried = {n: each[turn] for n, each in enumerate(by_component) if turn < len(each)}
            every = [each for assumption in tried.values() for each in assumption]
            without = _verdicts(self.flows(Defaults.EVERYWHERE, every))
            for key, reason in reasons.items():
                assumption = tried.get(component_of[_template_of(key)])
                if assumption and without.get(key) is not verdicts[key]:
                    reason.append(self._words(assumption))
        return {
            # Of several that each would do, none is missed alone.
            key: tuple(reason)
            or tuple(map(self._words, by_component[component_of[_template_of(key)]][:_MOST]))
            for key, reason in reasons.items()
        }

    def _assumptions(self, component: Sequence[Template]) -> list[_Assumption]:
        """What was relied on of some templates, in their order."""
        together: dict[tuple[str, str], list[tuple[Template, str]]] = {}
        for template in component:
            names = [name for of, name in self._relied if of is template]
            order = {name: place for place, name in enumerate(template.parameters)}
            for name in sorted(names, key=lambda each: order.get(each, -1)):
                apart = template.stack_name if name == STACK_NAME else _default(template, name)
                together.setdefault((name, apart), []).append((template, name))
        return [tuple(each) for each in together.values()]

    def _words(self, assumption: _Assumption) -> str:
        template, name = assumption[0]
        if name == STACK_NAME:
            return f"the stack of {template.file_name} is {template.stack_name}"
        others = {_default(each, name) for each in self._templates if name in each.parameters}
        of = f" of {template.file_name}" if len(others) > 1 else ""
        return f"{name}{of} is {_default(template, name)}"


def _template_of(key: Key) -> Template:
    """The template of a cluster, or of the nodes of one that is elsewhere."""
    return next(cast("Template", part[0]) for part in key if isinstance(part, tuple))


def _verdicts(found: Iterable[Flow]) -> dict[Key, Verdict]:
    verdicts: dict[Key, Verdict] = {}
    for flow in found:
        verdicts[flow.key] = min(flow.verdict, verdicts.get(flow.key, Verdict.YES))
    return verdicts


def _default(template: Template, name: str) -> str:
    """The default of a parameter, for people."""
    declared = template.parameters[name]
    if "Default" not in declared:
        return "the same everywhere"
    return shown(declared["Default"]) or "empty"
