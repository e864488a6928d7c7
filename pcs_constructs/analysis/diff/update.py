"""Old and new templates of the same stacks, and what gets from the ones to the others."""

from __future__ import annotations

from collections import Counter
from os.path import commonpath
from typing import TYPE_CHECKING, Any

from pcs_constructs import rules
from pcs_constructs.analysis.diff.change import label
from pcs_constructs.templates.comparable import Comparable
from pcs_constructs.templates.facts.judged import judged
from pcs_constructs.templates.members import Membership
from pcs_constructs.templates.nesting import Nesting
from pcs_constructs.templates.resolved import ResolvedResource, ResolvedTemplates
from pcs_constructs.templates.scenarios import Defaults
from pcs_constructs.templates.types import CLUSTER, NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pcs_constructs.model.errors import Problem
    from pcs_constructs.templates.facts.evidence import Location
    from pcs_constructs.templates.resolve import Stack
    from pcs_constructs.templates.scenarios import Given
    from pcs_constructs.templates.template import Template

_Path = tuple[str, ...]
"""The name of the template of the outermost stack, and the logical ids of those nested in it."""


class Side:
    """What is deployed, or what is to be.

    Args:
        templates: The templates, read together.
        given: What is said of the deployment.
        today: The day by which versions of Slurm are judged, as an ISO date.
    """

    def __init__(self, templates: Sequence[Template], given: Given, today: str) -> None:
        nesting = Nesting(templates)
        self.templates = templates
        self.given = given
        values = {t: given.scenario(t, defaults=Defaults.IN_VALUES) for t in templates}
        self.values = ResolvedTemplates(templates, values, today=today, nesting=nesting)
        """The resources for comparing: nobody knows what conditions by parameters come to."""
        assumed = {t: given.scenario(t) for t in templates}
        self.assumed = ResolvedTemplates(templates, assumed, today=today, nesting=nesting)
        """The resources for judging: parameters have their defaults, in conditions too."""
        decided = {t: given.scenario(t, decided=True) for t in templates}
        self.decided = ResolvedTemplates(templates, decided, today=today, nesting=nesting)
        """The same where what nobody knows of two values is taken to be that they differ."""
        self.members = Membership(self.values)
        self._names = _names(templates)
        self.paths = {self.path(stack): stack for stack in self.values.stacks}
        self._compared = {one.place: one for one in self.values.resources.values()}
        self._assumed = {one.place: one for one in self.assumed.resources.values()}

    def path(self, stack: Stack) -> _Path:
        """What a stack of this side is known by."""
        if stack.around is None or stack.made_by is None:
            return (self._names[stack.template],)
        return (*self.path(stack.around), stack.made_by.logical_id)

    def as_assumed(self, resource: ResolvedResource) -> ResolvedResource | None:
        """A resource as it is with the defaults of parameters; `None` if it is not there then."""
        return self._assumed.get(resource.place)

    def errors(self) -> Iterator[tuple[ResolvedResource, Location, Problem]]:
        """What the rules refuse of resources of AWS PCS, as they are compared.

        It has to be so whether nothing is said of conditions that nobody knows, or that they are
        false: of alternatives each is there in the one, and one in the other.
        """
        seen = {(at.resource.place, problem.code) for at, problem in _errors(self.decided)}
        there = {resource.place for resource in self.decided.resources.values()}
        for location, problem in _errors(self.assumed):
            place = location.resource.place
            resource = self._compared.get(place)
            if resource is not None and (place not in there or (place, problem.code) in seen):
                yield resource, location, problem


def _errors(resolved: ResolvedTemplates) -> Iterator[tuple[Location, Problem]]:
    for location, problem in judged(resolved):
        is_error = rules.RULES[problem.code].level is rules.Level.ERROR
        if is_error and location.resource.type in NOUNS and not location.outside:
            yield location, problem


def _names(templates: Sequence[Template]) -> dict[Template, str]:
    """The names of templates, with directories where a name is there in several."""
    counts = Counter(template.name for template in templates)
    files = [template.file.absolute().as_posix() for template in templates if template.file]
    above = f"{commonpath(files)}/" if files else ""
    return {
        template: template.name
        if counts[template.name] == 1 or template.file is None
        else template.file.absolute().as_posix().removeprefix(above)
        for template in templates
    }


class Update:
    """The stacks and resources of both sides, each with its counterpart.

    Stacks go together that have the same path; also where there is one template on either side,
    whatever it is called. One that was read without those around it goes with the nested one of
    the same template.
    """

    def __init__(self, old: Side, new: Side) -> None:
        self.old = old
        self.new = new
        pairs = [(o, new.paths[path]) for path, o in old.paths.items() if path in new.paths]
        if len(old.templates) == len(new.templates) == 1:
            pairs = list(zip(old.values.stacks[:1], new.values.stacks[:1], strict=False))
        pairs += _read_alone(old, new, {stack for pair in pairs for stack in pair})
        self._after = dict(pairs)
        self._before = {after: before for before, after in pairs}
        self._comparable = Comparable(self._key)

    # Counterparts.

    def is_new(self, resource: ResolvedResource) -> bool:
        """Whether a resource is one of the new ones."""
        return resource.resolved is self.new.values

    def before(self, resource: ResolvedResource) -> ResolvedResource | None:
        """A new resource as it was; `None` if there surely was none of its type and logical id."""
        before = self.declared_before(resource)
        same = before is not None and before.type == resource.type and before.exists is not False
        return before if same else None

    def declared_before(self, resource: ResolvedResource) -> ResolvedResource | None:
        """What had the logical id of a new resource, of whatever type it was."""
        stack = self._before.get(resource.stack)
        return self.old.values.resource(stack, resource.logical_id, absent=True) if stack else None

    def after(self, resource: ResolvedResource) -> ResolvedResource | None:
        """An old resource as it will be; `None` if the new templates have none of its type.

        They may have it although it will not be there, by a condition.
        """
        stack = self._after.get(resource.stack)
        after = self.new.values.resource(stack, resource.logical_id, absent=True) if stack else None
        return after if after is not None and after.type == resource.type else None

    def stack_after(self, stack: Stack) -> Stack | None:
        """An old stack as it will be."""
        return self._after.get(stack)

    def maker(self, stack: Stack) -> ResolvedResource | None:
        """The resource that makes a new stack, where that is a nested one."""
        if stack.around is None or stack.made_by is None:
            return None
        return self.new.values.resource(stack.around, stack.made_by.logical_id, absent=True)

    def has_both(self, stack: Stack) -> bool:
        """Whether a stack was read as it was and as it will be."""
        return stack in self._before or stack in self._after

    def stays(self, stack: Stack) -> bool:
        """Whether an old stack is left as it is: the new templates say nothing of it.

        A nested one goes with the resource that makes it.
        """
        if stack in self._after:
            return False
        if stack.around is None or stack.made_by is None:
            return True
        around = self._after.get(stack.around)
        if around is None:
            return self.stays(stack.around)
        return self.new.values.resource(around, stack.made_by.logical_id) is not None

    def cluster(self, resource: ResolvedResource) -> ResolvedResource | None:
        """The cluster of a node group or a queue, if it was read; of a cluster, itself."""
        if resource.type == CLUSTER:
            return resource
        target = resource.follow(resource.get("ClusterId"))
        return target if target is not None and target.type == CLUSTER else None

    # Names and values.

    def identity(self, resource: ResolvedResource) -> tuple[str, str]:
        """What a resource is known by, old or new: its stack and its logical id."""
        stack = resource.stack
        return (self._key(stack) or self._own_key(stack), resource.logical_id)

    def title(self, resource: ResolvedResource) -> str:
        """What people call the stack of a resource."""
        stack = self._after.get(resource.stack, resource.stack)
        titles = (self.new if self._is_of(stack, self.new) else self.old).values.titles
        return titles[stack.number]

    def called(self, resource: ResolvedResource, beside: Stack) -> str:
        """What a resource is called in the reasons of others, with what it is.

        Args:
            resource: The resource.
            beside: The stack that it is told of, which then goes without saying.
        """
        noun = NOUNS.get(resource.type, resource.type.rpartition("::")[2])
        name = resource.text("Name") if resource.type in NOUNS else None
        if resource.declared.path is None and isinstance(name, str):
            where = "" if beside is resource.stack else f" in {self.title(resource)}"
            return f"{noun} {name}{where}"
        return f"{noun} {self.label(resource, beside)}"

    def label(self, resource: ResolvedResource, beside: Stack) -> str:
        """What a resource is called where it is clear what it is."""
        where = "" if beside is resource.stack else f" in {self.title(resource)}"
        return f"{label(resource.declared.path, resource.logical_id)}{where}"

    def comparable(self, resource: ResolvedResource, value: Any) -> Any:
        """A reduced value of a resource such that two are equal if they surely are the same."""
        return self.comparable_in(resource.stack, value)

    def comparable_in(self, stack: Stack, value: Any) -> Any:
        """The same of a value of a stack."""
        return self._comparable.of(stack, value)

    def condition(self, resource: ResolvedResource, name: str) -> Any:
        """A condition such that two are equal if they go by the same."""
        return self._comparable.condition(resource.stack, name)

    def assumed(self, resource: ResolvedResource) -> ResolvedResource | None:
        """A resource as it is with the defaults of parameters; `None` if it is not there then."""
        return (self.new if self.is_new(resource) else self.old).as_assumed(resource)

    def _key(self, stack: Stack) -> str | None:
        if stack in self._before:
            return "/".join(self.new.path(stack))
        after = self._after.get(stack)
        return "/".join(self.new.path(after)) if after else None

    def _own_key(self, stack: Stack) -> str:
        side = self.new if self._is_of(stack, self.new) else self.old
        return "/".join(side.path(stack))

    def _is_of(self, stack: Stack, side: Side) -> bool:
        stacks = side.values.stacks
        return stack.number < len(stacks) and stacks[stack.number] is stack


def _read_alone(old: Side, new: Side, paired: set[Stack]) -> list[tuple[Stack, Stack]]:
    """Stacks of one template, nested on one side, and on the other read without what is around."""
    left = [[s for s in side.values.stacks if s not in paired] for side in (old, new)]
    pairs: list[tuple[Stack, Stack]] = []
    for before in left[0]:
        for after in left[1]:
            alone = (before.around is None) != (after.around is None)
            outer = before if before.around else after
            if not alone or _outermost(outer) in paired:
                continue
            if before.template.name == after.template.name:
                pairs.append((before, after))
    counts = Counter(stack for pair in pairs for stack in pair)
    return [(one, other) for one, other in pairs if counts[one] == counts[other] == 1]


def _outermost(stack: Stack) -> Stack:
    while stack.around is not None:
        stack = stack.around
    return stack


def keeps(resource: ResolvedResource, policy: str) -> bool:
    """Whether CloudFormation leaves a resource in the account that goes, by one of its policies."""
    declared = resource.stack.reduced(resource.declared.whole.get(policy))
    return str(declared).startswith("Retain")
