from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import NfsFacts
from tests.unit.rules.test_rules import errors, row, table

nfs = partial(replace, NfsFacts(host="nfs.example.com", export="/export", options=("hard",)))


def with_ports(*ports, **facts):
    return nfs(security_group=True, ports=ports, **facts)


@table(
    row("name", nfs()),
    row("one label", nfs(host="filer")),
    row("underscore, capitals, a dot at last", nfs(host="Filer_1.Example.COM.")),
    row("IPv4", nfs(host="10.0.0.5")),
    row("IPv6", nfs(host="[fd00::5]")),
    row("IPv6 without brackets", nfs(host="fd00::5"), "PCS555"),
    row("IPv4 in brackets", nfs(host="[10.0.0.5]"), "PCS555"),
    row("IPv6 with a zone", nfs(host="[fe80::1%eth0]"), "PCS555"),
    row("no address", nfs(host="10.0.0.256"), "PCS555"),
    row("three numbers", nfs(host="10.0.5"), "PCS555"),
    row("nothing", nfs(host=""), "PCS555"),
    row("hyphen at first", nfs(host="-filer"), "PCS555"),
    row("with the export", nfs(host="filer:/export"), "PCS555"),
    row("two", nfs(host="a,b"), "PCS555"),
    row("line break", nfs(host="filer\n"), "PCS555"),
    row("too long", nfs(host="a" * 254), "PCS555"),
    row("all exports", nfs(export="/")),
    row("any plain character", nfs(export="/a.b_c-d+e@f=g,h#i%j*k/")),
    row("relative", nfs(export="export"), "PCS555"),
    row("no export", nfs(export=""), "PCS555"),
    row("space", nfs(export="/my tools"), "PCS555"),
    row("tab", nfs(export="/my\ttools"), "PCS555"),
    row("quote", nfs(export="/it's"), "PCS555"),
    row("double quote", nfs(export='/"a"'), "PCS555"),
    row("backslash", nfs(export="/a\\040b"), "PCS555"),
    row("command", nfs(export="/`id`"), "PCS555"),
    row("variable", nfs(export="/$HOME"), "PCS555"),
    row("umlaut", nfs(export="/größe"), "PCS555"),
    row("export with a line break", nfs(export="/export\n"), "PCS555"),
    row("both", nfs(host="", export=""), "PCS555", "PCS555"),
    row("tokens", nfs(host=UNKNOWN, export=UNKNOWN)),
    row("token and relative", nfs(host=UNKNOWN, export="export"), "PCS555"),
)
def test_an_nfs_server_has_a_name_and_an_export(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", nfs(options=())),
    row("many", nfs(options=("ro", "rsize=1048576", "sec=krb5p", "x-systemd.requires=a.service"))),
    row("several in one", nfs(options=("hard,timeo=600,retrans=2",))),
    row("nothing", nfs(options=("",)), "PCS556"),
    row("comma at last", nfs(options=("hard,",)), "PCS556"),
    row("space", nfs(options=("hard, ro",)), "PCS556"),
    row("quotes", nfs(options=('context="a:b:c"',)), "PCS556"),
    row("line break", nfs(options=("ro\n",)), "PCS556"),
    row("not ASCII", nfs(options=("rö",)), "PCS556"),
    row("automount", nfs(options=("x-systemd.automount",)), "PCS556"),
    row("nofail in another", nfs(options=("ro,nofail",)), "PCS556"),
    row("in the background", nfs(options=("bg",)), "PCS556"),
    row("like it", nfs(options=("fg", "bgx"))),
    row("version", nfs(options=("nfsvers=4.1",)), "PCS556"),
    row("version by another name", nfs(options=("vers=4", "minorversion=1")), "PCS556", "PCS556"),
    row("token", nfs(options=(UNKNOWN,))),
    row("token and bg", nfs(options=(UNKNOWN, "bg")), "PCS556"),
)
def test_options_are_words_that_suit_a_node(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("no group", nfs()),
    row("no group and NFS 3", nfs(version="3")),
    row("no group, but ports", nfs(ports=((2049, 2049),)), "PCS557"),
    row("default", nfs(security_group=True)),
    row("NFS 4", nfs(security_group=True, version="4.1")),
    row("NFS 3", nfs(security_group=True, version="3"), "PCS557"),
    row("NFS 3 with ports", with_ports((111, 111), (2049, 2049), (20048, 20048), version="3")),
    row("none", with_ports(), "PCS557"),
    row("all", with_ports((1, 65535))),
    row("zero", with_ports((0, 1)), "PCS557"),
    row("too far", with_ports((2049, 65536)), "PCS557"),
    row("backwards", with_ports((2050, 2049)), "PCS557"),
    row("server that is a token", nfs(host=UNKNOWN, security_group=True)),
)
def test_the_ports_of_a_server_are_known(facts, codes) -> None:
    assert errors(facts) == codes
