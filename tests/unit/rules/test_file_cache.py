from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import FileCacheFacts, RepositoryFacts, errors_in
from tests.unit.rules.test_rules import advice, errors, row, table

cache = partial(
    replace,
    FileCacheFacts(
        capacity_gib=1200,
        dns_name="fc-0123456789abcdef0.fsx.us-east-1.amazonaws.com",
        mount_name="a1b2cbev",
    ),
)


def s3(path, uri="s3://genomes/"):
    return RepositoryFacts(path=path, uri=uri)


def nfs(path="/tools", host="10.0.0.5", export="/export/tools", uri=None):
    uri = uri or f"nfs://{host}{export}"
    return RepositoryFacts(path=path, uri=uri, nfs=True, host=host, export=export)


def linked(*repositories):
    return cache(repositories=repositories)


def eight(number=8):
    return linked(*(s3(f"/ns{n}", f"s3://bucket{n}/") for n in range(number)))


@table(
    row("1199", cache(capacity_gib=1199), "PCS550"),
    row("1200", cache(capacity_gib=1200)),
    row("2400", cache(capacity_gib=2400)),
    row("2400.5", cache(capacity_gib=2400.5), "PCS550"),
    row("3600", cache(capacity_gib=3600), "PCS550"),
    row("4800", cache(capacity_gib=4800)),
    row("0", cache(capacity_gib=0), "PCS550"),
    row("-2400", cache(capacity_gib=-2400), "PCS550"),
    row("token", cache(capacity_gib=UNKNOWN)),
)
def test_a_cache_has_a_capacity_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@pytest.mark.parametrize("capacity", [-2400, 0, 1, 1300, 3600, 4801])
def test_the_capacities_that_a_fix_names_can_be_made(capacity) -> None:
    (problem,) = errors_in(cache(capacity_gib=capacity))
    named = [int(number) for number in re.findall(r"\d+", problem.fix)]
    assert len(set(named)) == 2
    assert [code for size in named for code in errors(cache(capacity_gib=size))] == []


@table(
    row("of a cache", cache()),
    row("in China", cache(dns_name="fc-01234567.fsx.cn-north-1.amazonaws.com.cn")),
    row("of a file system", cache(dns_name="fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com")),
    row("an ID", cache(dns_name="fc-0123456789abcdef0"), "PCS551"),
    row("with a mount name", cache(dns_name="fc-01234567.fsx.x.com@tcp:/a1b2cbev"), "PCS551"),
    row("two lines", cache(dns_name="fc-01234567.fsx.x.com\n"), "PCS551"),
    row("no mount name", cache(mount_name=""), "PCS551"),
    row("a long mount name", cache(mount_name="a1b2cbev9"), "PCS551"),
    row("a slash before it", cache(mount_name="/a1b2cbe"), "PCS551"),
    row("two wrong", cache(dns_name="cache", mount_name="a b"), "PCS551", "PCS551"),
    row("tokens", cache(dns_name=UNKNOWN, mount_name=UNKNOWN)),
)
def test_a_cache_is_referred_to_by_its_names(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", linked()),
    row("eight", eight()),
    row("nine", eight(9), "PCS552"),
    row("a bucket", linked(s3("/genomes"))),
    row("deep, with a slash", linked(s3("/genomes/human/"))),
    row("a server and a bucket", linked(s3("/genomes"), nfs()), "PCS552"),
    row("all", linked(s3("/")), "PCS552"),
    row("all of a server", linked(replace(nfs("/"), subdirectories=True))),
    row("all of one export", linked(nfs("/")), "PCS552"),
    row(
        "all and more",
        linked(replace(nfs("/"), subdirectories=True), nfs("/b", "10.0.0.6")),
        "PCS552",
    ),
    row("relative", linked(s3("genomes")), "PCS552"),
    row("nothing", linked(s3("")), "PCS552"),
    row("two slashes", linked(s3("//genomes")), "PCS552"),
    row("line break", linked(s3("/genomes\n")), "PCS552"),
    row("too long", linked(s3("/" + "a" * 4096)), "PCS552"),
    row("beside", linked(s3("/a", "s3://a/"), s3("/a-b", "s3://a-b/"))),
    row("inside", linked(s3("/a/b", "s3://a/"), s3("/a", "s3://b/")), "PCS552"),
    row("twice with a slash", linked(s3("/a", "s3://a/"), s3("/a/", "s3://b/")), "PCS552"),
    row("prefix inside", linked(s3("/a", "s3://a/x/y"), s3("/b", "s3://a/x/")), "PCS552"),
    row("prefixes beside", linked(s3("/a", "s3://a/x"), s3("/b", "s3://a/xy"))),
    row("bucket twice", linked(s3("/a"), s3("/b")), "PCS552"),
    row("export twice", linked(nfs("/a"), nfs("/b")), "PCS552"),
    row("tokens", linked(s3(UNKNOWN, UNKNOWN), s3(UNKNOWN, UNKNOWN))),
    row("token and relative", linked(s3(UNKNOWN), s3("b", "s3://b/")), "PCS552"),
)
def test_a_cache_links_what_is_beside_each_other(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("address", linked(nfs())),
    row("last of 172.16/12", linked(nfs(host="172.31.255.255"))),
    row("after 172.16/12", linked(nfs(host="172.32.0.0")), "PCS553"),
    row("public", linked(nfs(host="203.0.113.5")), "PCS553"),
    row("name", linked(nfs(host="nfs.example.com"))),
    row("carrier-grade address", linked(nfs(host="100.64.0.5"))),
    row("no name", linked(nfs(host="nfs_example")), "PCS553"),
    row("IPv6", linked(nfs(host="[fd00::5]")), "PCS553"),
    row("nothing", linked(nfs(host="", uri="nfs://x")), "PCS553"),
    row("relative", linked(nfs(export="export")), "PCS553"),
    row("the root", linked(nfs(export="/")), "PCS553"),
    row("space", linked(nfs(export="/my tools")), "PCS553"),
    row("both", linked(nfs(host="x_y", export="y")), "PCS553", "PCS553"),
    row("tokens", linked(nfs(host=UNKNOWN, export=UNKNOWN, uri=UNKNOWN))),
    row("a bucket", linked(s3("/genomes"))),
)
def test_a_cached_server_has_a_name_or_a_private_address(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("server", linked(nfs()), "PCS554"),
    row("two servers", linked(nfs(), nfs("/b", export="/b")), "PCS554"),
    row("bucket", linked(s3("/genomes"))),
    row("bucket of a token", linked(s3("/genomes", UNKNOWN))),
    row("nothing", linked()),
)
def test_a_cached_server_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
