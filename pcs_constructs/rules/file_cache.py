"""Rules for Amazon File Cache."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING, Final

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.names import identifier_violations
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP: Final = 2400
_MOST_REPOSITORIES: Final = 8

_PRIVATE: Final = tuple(
    map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))
)


@facts_record
class RepositoryFacts:
    """A data repository and where a cache shows it."""

    path: str | Unknown
    """The directory of the cache."""
    uri: str | Unknown
    """The bucket or export, such as `s3://genomes/human/` or `nfs://10.0.0.5/export`."""
    nfs: bool = False
    """Whether it is an NFS server, and not an S3 bucket."""
    host: str | Unknown = UNKNOWN
    """The NFS server."""
    export: str | Unknown = UNKNOWN
    """What the NFS server exports."""
    subdirectories: bool = False
    """Whether several exports of the NFS server are named, each a directory below the path."""


@facts_record
class FileCacheFacts:
    """What an Amazon File Cache, or a reference to one, shows."""

    capacity_gib: float | Unknown = UNKNOWN
    repositories: tuple[RepositoryFacts, ...] = ()
    dns_name: str | Unknown = UNKNOWN
    mount_name: str | Unknown = UNKNOWN


@error("PCS550", FileCacheFacts)
def cache_capacity_can_be_made(facts: FileCacheFacts) -> Iterator[Violation]:
    """A file cache has 1,200 GiB, 2,400 GiB or a multiple of 2,400 GiB.

    Source: `StorageCapacity` of the FSx `CreateFileCache` API.
    """
    capacity = facts.capacity_gib
    if capacity is UNKNOWN or capacity == 1200:
        return
    if capacity < _STEP or capacity % _STEP:
        below = int(capacity // _STEP) * _STEP or 1200
        above = max(int(capacity // _STEP) + 1, 1) * _STEP
        yield Violation(
            "capacity",
            f"a cache cannot have {capacity:g} GiB",
            f"use cdk.Size.gibibytes of {max(below, 1200)} or {above}",
            template_fix=f"use {max(below, 1200)} or {above}",
        )


@error("PCS551", FileCacheFacts)
def cache_reference_is_complete(facts: FileCacheFacts) -> Iterator[Violation]:
    """An imported file cache is named by its DNS name and its mount name.

    `aws fsx describe-file-caches` tells both.

    Source: `DNSName` and `MountName` of the FSx `DescribeFileCaches` API.
    """
    yield from identifier_violations(
        "dns_name",
        facts.dns_name,
        r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+",
        "fc-0123456789abcdef0.fsx.us-east-1.amazonaws.com",
    )
    yield from identifier_violations(
        "mount_name", facts.mount_name, r"[A-Za-z0-9_-]{1,8}", "a1b2cbev"
    )


@error("PCS552", FileCacheFacts)
def cache_links_repositories_of_one_kind(facts: FileCacheFacts) -> Iterator[Violation]:
    """A file cache links at most 8 data repositories of one kind, each to a directory of its own.

    Either all of them are S3 buckets, or all are NFS servers. A directory is given by an absolute
    path other than `/`, which only an NFS server may have of which several exports are named.
    Neither is one directory inside another, nor one bucket prefix or export.

    Source: `FileCacheDataRepositoryAssociation` of the FSx API, botocore 1.44.8; Creating a link to
    a data repository in the Amazon File Cache User Guide.
    """
    if len(facts.repositories) > _MOST_REPOSITORIES:
        yield Violation(
            "data_repositories",
            f"has {len(facts.repositories)}, and {_MOST_REPOSITORIES} are the most",
            "leave some out, or make a second cache",
        )
    if len({repository.nfs for repository in facts.repositories}) > 1:
        yield Violation(
            "data_repositories",
            "has S3 buckets and NFS servers",
            "make a cache for the buckets and another for the servers",
        )
    paths = [r.path for r in facts.repositories if r.path is not UNKNOWN]
    rooted = {r.path for r in facts.repositories if r.nfs and r.subdirectories and r.path == "/"}
    for path in paths:
        if (path not in rooted and not re.fullmatch(r"(/[^/\s]+)+/?", path)) or len(path) > 4096:
            yield Violation(
                "data_repositories",
                f"{path!r} is no directory of a cache",
                "write an absolute path such as '/genomes'",
            )
    for texts in (paths, [r.uri for r in facts.repositories if r.uri is not UNKNOWN]):
        for one, other in combinations(sorted(f"{text.rstrip('/')}/" for text in texts), 2):
            if other.startswith(one):
                yield Violation(
                    "data_repositories",
                    f"{one!r} is there twice" if one == other else f"{other!r} is inside {one!r}",
                    "link what is beside each other, or the outer one alone",
                )


@error("PCS553", FileCacheFacts)
def cached_nfs_servers_have_addresses(facts: FileCacheFacts) -> Iterator[Violation]:
    """An NFS server that is cached is named by its name or a private IPv4 address, and a path.

    The path is absolute: `nfs://filer.example.com/export`. Names are resolved by the DNS servers of
    the VPC, or by those that the API is told of; `AWS::FSx::FileCache` has no property for these.

    Source: `FileCacheDataRepositoryAssociation` and `FileCacheNFSConfiguration` of the FSx API,
    botocore 1.44.8; Prerequisites for linking to on-premises NFS data repositories in the Amazon
    File Cache User Guide.
    """
    for repository in facts.repositories:
        if not repository.nfs:
            continue
        if repository.host is not UNKNOWN and not _is_server(repository.host):
            yield Violation(
                "data_repositories",
                f"{repository.host!r} is neither a name nor a private IPv4 address",
                "write the server's, such as 'filer.example.com' or '10.0.0.5'",
            )
        if repository.export is not UNKNOWN and not re.fullmatch(r"/\S+", repository.export):
            yield Violation(
                "data_repositories",
                f"{repository.export!r} is no export",
                "write an absolute path such as '/export/tools'",
            )


def _is_server(host: str) -> bool:
    try:
        address = IPv4Address(host)
    except ValueError:
        return re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", host) is not None
    return any(address in network for network in _PRIVATE)


@advice("PCS554", FileCacheFacts)
def cached_nfs_servers_are_linked_by_the_api(facts: FileCacheFacts) -> Iterator[Violation]:
    """A cache of NFS servers is made with the FSx API, and imported.

    The API is told that a server speaks NFS 3, and `AWS::FSx::FileCache` has no property for it.
    Whether FSx takes such a repository without that is not documented. Where it does, acknowledge
    this; where it does not, `aws fsx create-file-cache` and
    `FileCacheStorage.from_file_cache_attributes` do the same.

    Source: `FileCacheNFSConfiguration` of the FSx API; `DataRepositoryAssociation` of
    `AWS::FSx::FileCache`.
    """
    if any(repository.nfs for repository in facts.repositories):
        yield Violation(
            "data_repositories",
            "has NFS servers, and CloudFormation cannot tell FSx that they speak NFS 3",
            "acknowledge this after a try, or import a cache that the FSx API made",
            template_fix="suppress this after a try, or make the cache with the FSx API",
        )
