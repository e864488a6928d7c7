"""Rules for clusters, and for what shares one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pcs_constructs.model import quotas
from pcs_constructs.model.capacity import ClusterSize
from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.model.slurm import (
    CATALOG_DATE,
    DEFAULT,
    DEFAULT_SPELLED,
    RELEASES,
    SlurmVersion,
    retention_violations,
)
from pcs_constructs.rules.names import identifier_violations, name_violations, tag_violations
from pcs_constructs.rules.rule import advice, error, facts_record, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEWEST: Final = list(RELEASES)[-1]


@facts_record
class ClusterFacts:
    """What a cluster resource shows."""

    name: str | Unknown
    named: bool
    slurm: SlurmVersion | Unknown
    scale_down_idle_seconds: int | Unknown | None = None
    accounting: bool = False
    retention_days: int | Unknown | None = None
    rest_api: bool = False
    rest_api_from: int = 0
    """How many peers are to reach the REST API."""
    cluster_id: str | Unknown = UNKNOWN
    today: str = CATALOG_DATE
    """The day to compare end-of-life dates with."""
    subnets: int | Unknown = 1
    security_groups: int | Unknown = 1
    choices: tuple[SlurmVersion, ...] = ()
    """The versions of Slurm that a template parameter lets people choose from."""


@error("PCS101", ClusterFacts)
def cluster_name_is_valid(facts: ClusterFacts) -> Iterator[Violation]:
    """A cluster name has 3 to 40 letters, digits and hyphens and starts with a letter.

    The service refuses any other name when the stack is deployed; CloudFormation's own schema does
    not check it. A name beginning with `pcs_` would look like an ID and is refused too.

    Source: `ClusterName` of the `CreateCluster` API; Creating a cluster in AWS PCS.
    """
    yield from name_violations("cluster", facts.name, 40, "name" if facts.named else "id")


@advice("PCS103", ClusterFacts)
def cluster_name_leaves_room_for_replacement(facts: ClusterFacts) -> Iterator[Violation]:
    """A cluster without a fixed name can be replaced.

    Changing the size, the subnet or the security groups of a cluster replaces it, and everything
    below it. CloudFormation makes the new cluster before it deletes the old one, so a fixed name is
    still taken and the update fails. Without `name` the library derives one from these properties.
    With `name`, rename the cluster in the same change, and acknowledge this advice.

    Source: update requirements of `AWS::PCS::Cluster`; `ConflictException` of `CreateCluster`.
    """
    if facts.named:
        yield Violation(
            "name",
            "a fixed name makes an update that replaces the cluster fail",
            "leave name out, or acknowledge this and rename the cluster when it must be replaced",
            template_fix="rename the cluster in each change that replaces it, or suppress this "
            "with a reason",
        )


@error("PCS105", ClusterFacts)
def slurm_version_is_creatable(facts: ClusterFacts) -> Iterator[Violation]:
    """The Slurm version is one that AWS PCS still creates clusters with.

    `CreateCluster` names the versions that it takes, and 24.05 and older ones are not among them.
    24.11 and 25.05 are, after their end of life: that is advised against. A cluster that runs an
    older version keeps it for up to twelve months: say so with
    `SlurmVersion.of("24.05", past_end_of_life=True)`. Versions that this library does not know yet
    are let through.

    Source: Slurm versions in AWS PCS; `scheduler.version` of the `CreateCluster` API.
    """
    if facts.slurm is UNKNOWN or facts.slurm.past_end_of_life:
        return
    version, end = facts.slurm.value, facts.slurm.end_of_life
    release = RELEASES.get(version)
    if not release.creatable if release else not facts.slurm.is_at_least(_NEWEST):
        since = f", whose end of life was {end}" if end else ""
        yield Violation(
            "slurm",
            f"AWS PCS no longer creates clusters with Slurm {version}{since}",
            f"use {DEFAULT_SPELLED} or newer, or for a cluster that runs it already "
            f"SlurmVersion.of({version!r}, past_end_of_life=True)",
            template_fix=f"use Slurm {DEFAULT.value} or newer",
        )


@advice("PCS106", ClusterFacts)
def slurm_version_is_supported_for_a_while(facts: ClusterFacts) -> Iterator[Violation]:
    """The Slurm version is not past or within 90 days of its end of life.

    Clusters that run a version after its end of life are suspended within twelve months, and the
    API stops taking it for new ones some day. The day that counts is the one of the library's table
    of versions, because synthesis never reads the clock; the context value `pcs-constructs:today`
    gives another.

    Source: Slurm versions in AWS PCS; `SUSPENDED` of `ClusterStatus` in the API.
    """
    end = None if facts.slurm is UNKNOWN else facts.slurm.end_of_life
    if facts.slurm is UNKNOWN or end is None:
        return
    left = _days_left(facts, end)
    release = RELEASES[facts.slurm.value]
    # Told by another rule where the API does not take it at all.
    if left <= 90 and (release.creatable or facts.slurm.past_end_of_life):
        yield Violation(
            "slurm",
            f"support for Slurm {facts.slurm.value} {'ended' if left < 0 else 'ends'} {end} "
            f"(judged on {facts.today})",
            f"use {DEFAULT_SPELLED} or newer; a running cluster is updated in place",
            template_fix=f"use Slurm {DEFAULT.value} or newer; a running cluster is updated in "
            "place",
        )


def _days_left(facts: ClusterFacts, end: str) -> int:
    # Lazily: `datetime` is otherwise not needed, and starting fast matters to the command line.
    from datetime import date

    try:
        today = date.fromisoformat(facts.today)
    except ValueError:  # told by a rule of its own
        today = date.fromisoformat(CATALOG_DATE)
    return (date.fromisoformat(end) - today).days


@error("PCS116", ClusterFacts)
def the_day_to_judge_by_is_a_date(facts: ClusterFacts) -> Iterator[Violation]:
    """The context value `pcs-constructs:today` is a date such as `2027-01-31`.

    It is the day that end-of-life dates of Slurm versions are compared with, where the day of the
    library's own table is not meant: `cdk synth -c pcs-constructs:today=$(date +%F)`.

    Source: this library.
    """
    from datetime import date

    try:
        date.fromisoformat(facts.today)
    except ValueError:
        yield Violation(
            "slurm",
            f"is to be judged by the context value pcs-constructs:today, {facts.today!r}",
            "write a date such as 2027-01-31",
        )


@error("PCS107", ClusterFacts)
def cluster_idle_time_is_in_range(facts: ClusterFacts) -> Iterator[Violation]:
    """The scale-down idle time is 1 second to 10,000,000 seconds.

    It is the time a dynamic node stays after its last job. The service's default is ten minutes.

    Source: `ScaleDownIdleTimeInSeconds` of the `CreateCluster` API.
    """
    seconds = facts.scale_down_idle_seconds
    if seconds is not None and seconds is not UNKNOWN and not 1 <= seconds <= 10_000_000:
        yield Violation(
            "scale_down_idle_time",
            f"{seconds} s is outside 1 to 10000000 s",
            "give something like cdk.Duration.minutes(10)",
            template_fix="give seconds, such as 600",
        )


@error("PCS108", ClusterFacts)
def accounting_needs_slurm_24_11(facts: ClusterFacts) -> Iterator[Violation]:
    """Accounting is asked for with Slurm 24.11 or newer.

    Source: `Accounting` of the `CreateCluster` API; Slurm accounting in AWS PCS.
    """
    if facts.accounting and facts.slurm is not UNKNOWN and not facts.slurm.is_at_least("24.11"):
        yield Violation(
            "accounting",
            f"Slurm {facts.slurm.value} in AWS PCS has no accounting",
            f"use {DEFAULT_SPELLED}, or leave accounting out",
            template_fix=f"use Slurm {DEFAULT.value}, or leave Accounting out",
        )


@error("PCS109", ClusterFacts)
def accounting_records_are_kept_for_days(facts: ClusterFacts) -> Iterator[Violation]:
    """Accounting records are kept for 1 to 10,000 days, or for good.

    Zero is refused by the service although CloudFormation's schema lets it pass; -1, which the
    library writes when `retention_days` is left out, means for good.

    Source: `defaultPurgeTimeInDays` of the `CreateCluster` API.
    """
    if facts.retention_days is not None and facts.retention_days is not UNKNOWN:
        yield from retention_violations(facts.retention_days)


@error("PCS110", ClusterFacts)
def rest_api_needs_slurm_25_05(facts: ClusterFacts) -> Iterator[Violation]:
    """The Slurm REST API is asked for with Slurm 25.05 or newer.

    Source: `SlurmRest` of the `CreateCluster` API.
    """
    if facts.rest_api and facts.slurm is not UNKNOWN and not facts.slurm.is_at_least("25.05"):
        yield Violation(
            "rest_api",
            f"Slurm {facts.slurm.value} in AWS PCS has no REST API",
            f"use {DEFAULT_SPELLED}, or leave rest_api out",
            template_fix=f"use Slurm {DEFAULT.value}, or leave SlurmRest out",
        )


@error("PCS117", ClusterFacts)
def rest_api_is_there_for_its_peers(facts: ClusterFacts) -> Iterator[Violation]:
    """The port of the REST API is opened where there is a REST API.

    Source: Slurm REST API in AWS PCS.
    """
    if facts.rest_api_from and not facts.rest_api:
        yield Violation(
            "rest_api_from",
            "opens the port of a REST API that is not there",
            "write rest_api=True, or leave rest_api_from out",
            template_fix="set SlurmRest to Mode STANDARD, or close the port",
        )


@error("PCS111", ClusterFacts)
def cluster_id_is_an_id(facts: ClusterFacts) -> Iterator[Violation]:
    """A cluster is referred to by its ID.

    Source: `ClusterIdentifier` of the API; the ID does not change when a cluster is renamed.
    """
    yield from identifier_violations(
        "cluster_id", facts.cluster_id, r"pcs_[A-Za-z0-9]+", "pcs_1a2b3c"
    )


@page("PCS112")
def slurm_version_is_two_numbers() -> None:
    """A Slurm version is a year and a month, such as `25.11`.

    `SlurmVersion.of` refuses anything else when it is called, so a cluster never sees it. PCS takes
    major versions only and chooses the patch level itself.

    Source: `scheduler.version` of the `CreateCluster` API.
    """


@error("PCS120", ClusterFacts)
def cluster_has_one_subnet(facts: ClusterFacts) -> Iterator[Violation]:
    """A cluster has exactly one subnet.

    The list is there for later: the API takes one. The user guide of 2024 told to choose two.

    Source: `NetworkingRequest` of the API, "currently supports only 1 subnet".
    """
    if facts.subnets is not UNKNOWN and facts.subnets != 1:
        yield Violation(
            "subnet",
            f"a cluster has one subnet, got {facts.subnets}",
            "name the one that the controller's network interface is to be in",
        )


@error("PCS121", ClusterFacts)
def cluster_has_a_security_group(facts: ClusterFacts) -> Iterator[Violation]:
    """A cluster has a security group.

    Source: `NetworkingRequest` of the API; Creating a cluster in AWS PCS.
    """
    if facts.security_groups == 0:
        yield Violation("security_group", "names no group", "name one that lets its members talk")


@advice("PCS122", ClusterFacts)
def slurm_versions_to_choose_from_are_creatable(facts: ClusterFacts) -> Iterator[Violation]:
    """A template lets people choose no version of Slurm that no cluster is created with any more.

    Source: Slurm versions in AWS PCS; `scheduler.version` of the `CreateCluster` API.
    """
    gone = [
        choice.value
        for choice in facts.choices
        if (release := RELEASES.get(choice.value))
        and (
            not release.creatable
            or (release.end_of_life is not None and _days_left(facts, release.end_of_life) < 0)
        )
    ]
    if gone:
        yield Violation(
            "slurm",
            f"can be chosen as {', '.join(gone)}, which AWS PCS no longer creates clusters with",
            "take them out of AllowedValues",
        )


@facts_record
class EnvironmentFacts:
    """The clusters that an app makes in one account and Region."""

    cluster_names: tuple[str, ...]


@error("PCS102", EnvironmentFacts)
def cluster_names_are_unique(facts: EnvironmentFacts) -> Iterator[Violation]:
    """No two clusters of one account and Region share a name.

    Source: `ClusterName` and `ConflictException` of the `CreateCluster` API.
    """
    for name, count in Counter(facts.cluster_names).items():
        if count > 1:
            yield Violation(
                "name",
                f"{count} clusters of one account and Region are called {name!r}",
                "give each its own name, or leave name out",
                template_fix="give each its own name",
            )


@facts_record
class ClusterMembersFacts:
    """A cluster with the node groups and queues that an app gives it."""

    size: ClusterSize | Unknown
    node_group_names: tuple[str | Unknown, ...] = ()
    max_instance_counts: tuple[int | Unknown, ...] = ()
    queue_names: tuple[str | Unknown, ...] = ()
    unused_node_groups: tuple[str, ...] = ()
    mount_points: Mapping[str, frozenset[str]] | None = None
    tags: Mapping[str, str] | None = None


@error("PCS104", ClusterMembersFacts)
def size_holds_all_node_groups(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """The controller is large enough for all node groups at their maximum, login nodes included.

    A SMALL controller manages 32 instances, MEDIUM 512, LARGE 2,048. What counts is the sum of the
    maxima, not what happens to run. A size cannot be changed without replacing the cluster.

    Source: Cluster size in AWS PCS; `ServiceQuotaExceededException` of `CreateComputeNodeGroup`.
    """
    if facts.size is UNKNOWN:
        return
    # A maximum that is not known counts as nothing, so the sum is a lower bound and never a guess.
    total = sum(count for count in facts.max_instance_counts if count is not UNKNOWN)
    if total > facts.size.max_nodes:
        roomier = next((size.name for size in ClusterSize if size.max_nodes >= total), None)
        yield Violation(
            "size",
            f"{facts.size.name} manages {facts.size.max_nodes} instances; the node groups may "
            f"reach {total}",
            f"write size=pcs.ClusterSize.{roomier}"
            if roomier
            else "spread the node groups over several clusters",
            template_fix=f"write Size: {roomier}" if roomier else None,
        )


@error("PCS202", ClusterMembersFacts)
def node_group_names_are_unique(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """No two node groups of a cluster share a name.

    Source: `ComputeNodeGroupName` of the API; Creating a compute node group in AWS PCS.
    """
    yield from _repeated("compute node groups", facts.node_group_names)


@error("PCS302", ClusterMembersFacts)
def queue_names_are_unique(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """No two queues of a cluster share a name.

    Source: `ConflictException` of the `CreateQueue` API.
    """
    yield from _repeated("queues", facts.queue_names)


def _repeated(kind: str, names: tuple[str | Unknown, ...]) -> Iterator[Violation]:
    for name, count in Counter(name for name in names if name is not UNKNOWN).items():
        if count > 1:
            yield Violation(
                "name",
                f"{count} {kind} are called {name!r}",
                "give each its own id or name",
                template_fix="give each its own Name",
            )


@advice("PCS113", ClusterMembersFacts)
def cluster_stays_within_its_quotas(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """A cluster has at most ten node groups and ten queues.

    Ten of each was the default when this was written. Quotas move and differ between accounts, so
    this is advice.

    Source: Quotas for AWS PCS.
    """
    for kind, names, quota in (
        ("compute node groups", facts.node_group_names, quotas.NODE_GROUPS),
        ("queues", facts.queue_names, quotas.QUEUES),
    ):
        if len(names) > quota:
            yield Violation(
                "cluster",
                f"{len(names)} {kind}, and the default quota is {quota} for each cluster",
                "look the quota up in Service Quotas before you deploy",
            )


@error("PCS115", ClusterMembersFacts)
def cluster_tags_are_valid(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """A cluster has at most 200 tags, with keys of 1 to 128 and values of up to 256 characters.

    Keys that begin with `aws:` belong to AWS; PCS itself writes `aws:pcs:` tags on what it makes.
    Looked at on the cluster, where tags put on an app, a stack or the cluster arrive.

    Source: `RequestTagMap`, `TagKey` and `TagValue` of the API; Tag naming limits in AWS.
    """
    yield from tag_violations("tags", facts.tags or {}, most=200)


@advice("PCS208", ClusterMembersFacts)
def node_group_serves_a_queue(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """Every node group that is not for logging in serves a queue.

    Jobs are submitted to queues. A node group that no queue names never runs one, and costs money
    if it is static.

    Source: Creating a queue in AWS PCS.
    """
    for name in facts.unused_node_groups:
        yield Violation(
            "node_groups",
            f"no queue uses the node group {name!r}",
            "add it to a queue: cluster.add_queue('name', node_groups=[...])",
            template_fix="add it to ComputeNodeGroupConfigurations of a queue",
        )


@advice("PCS509", ClusterMembersFacts)
def all_nodes_mount_the_same(facts: ClusterMembersFacts) -> Iterator[Violation]:
    """Login nodes and compute nodes mount the same file systems at the same places.

    A job starts in the directory that it was submitted from. If that is not there on the node that
    runs it, the job fails or writes where nobody looks.

    Source: Using AWS PCS login nodes, "Configure the same network file system mounts".
    """
    groups = facts.mount_points or {}
    everywhere = frozenset[str]().union(*groups.values())
    for name, points in groups.items():
        if missing := sorted(everywhere - points):
            yield Violation(
                "mounts",
                f"the nodes of {name!r} do not mount {', '.join(missing)}, others do",
                "mount file systems on the cluster: Cluster(..., mounts={...})",
                template_fix="mount the same on the nodes of all groups",
            )
