"""Rules for how AWS PCS resources are written in a template.

A construct cannot break them: it writes each of these properties itself.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import tag_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Choice(NamedTuple):
    """A property that has one of a few values."""

    property: str
    """The property."""

    value: str | Unknown
    """Its value."""

    choices: tuple[str, ...]
    """The values there are."""


@facts_record
class ResourceFacts:
    """How a cluster, a node group or a queue is written in a template."""

    noun: str
    """What it is."""
    missing: tuple[str, ...] = ()
    """Required properties that are not there."""
    named: bool = True
    """Whether it has a name."""
    choices: tuple[Choice, ...] = ()
    listed_tags: bool = False
    """Whether its tags are a list."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its tags, as far as they are known."""
    empty: tuple[str, ...] = ()
    """Lists without anything in them."""
    arns: tuple[str, ...] = ()
    """Properties that are to be an ID, and get what `Ref` gives, an ARN."""


@error("PCS123", ResourceFacts)
def required_properties_are_there(facts: ResourceFacts) -> Iterator[Violation]:
    """A cluster, a node group and a queue have the properties that are required.

    Source: `AWS::PCS::Cluster`, `AWS::PCS::ComputeNodeGroup` and `AWS::PCS::Queue`.
    """
    for name in facts.missing:
        yield Violation(name, f"is missing, and a {facts.noun} must have it", f"add {name}")


@error("PCS124", ResourceFacts)
def values_are_ones_that_there_are(facts: ResourceFacts) -> Iterator[Violation]:
    """A property that has one of a few values has one of these, in their letters.

    `SMALL`, not `Small`; `ONDEMAND`, not `ON_DEMAND`.

    Source: the enumerations of the AWS PCS API and of CloudFormation's schemas.
    """
    for name, value, choices in facts.choices:
        if value is not UNKNOWN and value not in choices:
            yield Violation(name, f"is {value!r}", f"write {' or '.join(choices)}")


@error("PCS125", ResourceFacts)
def tags_are_a_map(facts: ResourceFacts) -> Iterator[Violation]:
    """The tags of AWS PCS resources are a map, not a list.

    Most resources take a list of `Key` and `Value`. These take `{"Project": "cfd"}`.

    Source: `Tags` of `AWS::PCS::Cluster`, `AWS::PCS::ComputeNodeGroup` and `AWS::PCS::Queue`.
    """
    if facts.listed_tags:
        yield Violation("Tags", "are a list", "write them as a map, such as {Project: cfd}")


@advice("PCS126", ResourceFacts)
def empty_lists_are_left_out(facts: ResourceFacts) -> Iterator[Violation]:
    """A list of Slurm settings or scripts that is empty is left out.

    Sources disagree: a template of awslabs/awsome-distributed-ai leaves the list out, because AWS
    PCS refuses an empty one, and one of aws-samples/aws-hpc-recipes has it. Lists of scripts have
    at least one.

    Source: the templates named; `NodeLifecycleStages` of the API.
    """
    for name in facts.empty:
        yield Violation(name, "is an empty list", "leave it out")


@advice("PCS127", ResourceFacts)
def resources_have_names(facts: ResourceFacts) -> Iterator[Violation]:
    """A cluster, a node group and a queue have a name.

    The schema lets it be left out. What CloudFormation then makes up may be longer than the 25
    characters of node groups and queues: how long it is was not found in the documentation.

    Source: `Name` of `AWS::PCS::ComputeNodeGroup` and `AWS::PCS::Queue`; `QueueName` of the API.
    """
    if not facts.named:
        yield Violation("Name", f"is left out of a {facts.noun}", "give it a name")


@error("PCS128", ResourceFacts)
def resource_tags_are_valid(facts: ResourceFacts) -> Iterator[Violation]:
    """A node group and a queue have at most 200 tags, of limited length.

    Keys have 1 to 128 characters and do not begin with `aws:`, values have up to 256.

    Source: `RequestTagMap`, `TagKey` and `TagValue` of the API; Tag naming limits in AWS.
    """
    yield from tag_violations("Tags", facts.tags, most=200)


@error("PCS129", ResourceFacts)
def references_give_ids(facts: ResourceFacts) -> Iterator[Violation]:
    """A cluster or node group is referred to by its attribute `Id`, not by `Ref`.

    `Ref` gives the primary identifier, which is the ARN, and the API takes an ID or a name. Whether
    AWS PCS would understand the ARN all the same is not documented.

    Source: the primary identifiers in CloudFormation's schemas; `ClusterIdentifier` of the API.
    """
    for name in facts.arns:
        yield Violation(name, "is an ARN: that is what Ref gives", "use Fn::GetAtt with Id")
