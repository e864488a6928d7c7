from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    EfsFacts,
    FileShareFacts,
    LocalScratchFacts,
    LustreFacts,
    MountFacts,
    MountGrantFacts,
    MountScriptsFacts,
    MountTargetFacts,
    MountZoneFacts,
    RemovalFacts,
    errors_in,
)
from tests.unit.rules.test_rules import advice, errors, row, table

mounts = partial(replace, MountFacts(paths=("/home",)))
efs = partial(replace, EfsFacts(file_system_id="fs-0123456789abcdef0"))
targets = partial(replace, MountTargetFacts(availability_zones=("us-east-1a", "us-east-1b")))
lustre = partial(
    replace,
    LustreFacts(
        deployment_type="PERSISTENT_2",
        capacity_gib=1200,
        throughput=125,
        file_system_id="fs-0123456789abcdef0",
        mount_name="a1b2cbev",
    ),
)
scratch_1 = partial(lustre, deployment_type="SCRATCH_1", throughput=None)
scratch_2 = partial(lustre, deployment_type="SCRATCH_2", throughput=None)
persistent_1 = partial(lustre, deployment_type="PERSISTENT_1", throughput=50)
hdd_12 = partial(persistent_1, storage_type="HDD", throughput=12, capacity_gib=6000)
hdd_40 = partial(persistent_1, storage_type="HDD", throughput=40, capacity_gib=1800)


# Mount points.


@table(
    row("none", mounts(paths=())),
    row("one level", mounts(paths=("/shared",))),
    row("two levels", mounts(paths=("/fsx/my-data_1.0",))),
    row("hidden", mounts(paths=("/.snapshots",))),
    row("relative", mounts(paths=("shared",)), "PCS501"),
    row("nothing", mounts(paths=("",)), "PCS501"),
    row("home of a user", mounts(paths=("~/data",)), "PCS501"),
    row("slash at the end", mounts(paths=("/shared/",)), "PCS501"),
    row("two slashes", mounts(paths=("//shared",)), "PCS501"),
    row("..", mounts(paths=("/shared/../home",)), "PCS501"),
    row(".", mounts(paths=("/./shared",)), "PCS501"),
    row("space", mounts(paths=("/my data",)), "PCS501"),
    row("tab", mounts(paths=("/my\tdata",)), "PCS501"),
    row("line break", mounts(paths=("/shared\n",)), "PCS501"),
    row("quote", mounts(paths=("/it's",)), "PCS501"),
    row("backslash", mounts(paths=("/a\\040b",)), "PCS501"),
    row("variable", mounts(paths=("/$USER",)), "PCS501"),
    row("specifier of systemd", mounts(paths=("/%h",)), "PCS501"),
    row("two wrong", mounts(paths=("a", "b")), "PCS501", "PCS501"),
    row("token", mounts(paths=(UNKNOWN,))),
    row("token and a wrong one", mounts(paths=(UNKNOWN, "a")), "PCS501"),
    row(
        "carriage return",
        mounts(paths=("/shared\r",)),
        "PCS501",
    ),
    row(
        "umlaut",
        mounts(paths=("/größe",)),
        "PCS501",
    ),
)
def test_a_mount_point_is_an_absolute_path(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("/home", mounts(paths=("/home",))),
    row("/opt/software", mounts(paths=("/opt/software",))),
    row("like a system directory", mounts(paths=("/usr2", "/variant", "/binary"))),
    row("/usr", mounts(paths=("/usr",)), "PCS502"),
    row("below /usr", mounts(paths=("/usr/local/apps",)), "PCS502"),
    row("/opt", mounts(paths=("/opt",)), "PCS502"),
    row("/opt/aws", mounts(paths=("/opt/aws/pcs",)), "PCS502"),
    row("the root", mounts(paths=("/",)), "PCS501", "PCS502"),
    row("system directory and a slash", mounts(paths=("/etc/",)), "PCS501", "PCS502"),
    row("two", mounts(paths=("/etc", "/var/data")), "PCS502", "PCS502"),
    row("token", mounts(paths=(UNKNOWN,))),
    row("token and /tmp", mounts(paths=(UNKNOWN, "/tmp")), "PCS502"),
    row("where the library's mount script is", mounts(paths=("/opt/pcs-constructs",)), "PCS502"),
    row(
        "where EFA and Open MPI are",
        mounts(paths=("/opt/amazon",)),
        "PCS502",
    ),
)
def test_a_mount_point_spares_the_system(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("beside each other", mounts(paths=("/home", "/scratch"))),
    row("same start", mounts(paths=("/home", "/home2", "/home-old"))),
    row("siblings", mounts(paths=("/fsx/a", "/fsx/b"))),
    row("inside", mounts(paths=("/home/shared", "/home")), "PCS503"),
    row("deep inside", mounts(paths=("/a", "/a/b/c")), "PCS503"),
    row("three levels", mounts(paths=("/a", "/a/b", "/a/b/c")), "PCS503", "PCS503", "PCS503"),
    row("tokens", mounts(paths=(UNKNOWN, "/home", UNKNOWN))),
    row("token and inside", mounts(paths=(UNKNOWN, "/home", "/home/a")), "PCS503"),
)
def test_mount_points_do_not_overlap(facts, codes) -> None:
    assert errors(facts) == codes


# EFS.


@table(
    row("17 digits", efs(file_system_id="fs-0123456789abcdef0")),
    row("8 digits", efs(file_system_id="fs-01234567")),
    row("7 digits", efs(file_system_id="fs-0123456"), "PCS511"),
    row("41 digits", efs(file_system_id="fs-" + "0" * 41), "PCS511"),
    row("access point", efs(file_system_id="fsap-0123456789abcdef0"), "PCS511"),
    row("dns name", efs(file_system_id="fs-01234567.efs.us-east-1.amazonaws.com"), "PCS511"),
    row("nothing", efs(file_system_id=""), "PCS511"),
    row("token", efs(file_system_id=UNKNOWN)),
)
def test_an_efs_file_system_is_referred_to_by_its_id(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", targets(availability_zones=("a",))),
    row("one to a zone", targets(availability_zones=("a", "b", "c"))),
    row("none", targets(availability_zones=()), "PCS508"),
    row("two in a zone", targets(availability_zones=("a", "b", "a")), "PCS508"),
    row("two in each", targets(availability_zones=("a", "b") * 2), "PCS508", "PCS508"),
    row("tokens", targets(availability_zones=(UNKNOWN, UNKNOWN))),
    row("token and two in a zone", targets(availability_zones=(UNKNOWN, "a", "a")), "PCS508"),
    row("one subnet twice", targets(subnet_ids=("subnet-1", "subnet-1")), "PCS508"),
    row(
        "zone not told",
        targets(availability_zones=("a",), one_zone=True, zone_told=False),
        "PCS508",
    ),
    row("two for one zone", targets(one_zone=True), "PCS508"),
    row("subnets, token", targets(subnet_ids=(UNKNOWN, UNKNOWN))),
)
def test_mount_targets_are_one_to_a_zone(facts, codes) -> None:
    assert errors(facts) == codes


# FSx for Lustre.


@table(
    row("PERSISTENT_2 1199", lustre(capacity_gib=1199), "PCS504"),
    row("PERSISTENT_2 1200", lustre(capacity_gib=1200)),
    row("PERSISTENT_2 1300", lustre(capacity_gib=1300), "PCS504"),
    row("PERSISTENT_2 2400", lustre(capacity_gib=2400)),
    row("PERSISTENT_2 2400.5", lustre(capacity_gib=2400.5), "PCS504"),
    row("PERSISTENT_2 3600", lustre(capacity_gib=3600), "PCS504"),
    row("PERSISTENT_2 4800", lustre(capacity_gib=4800)),
    row("PERSISTENT_2 0", lustre(capacity_gib=0), "PCS504"),
    row("PERSISTENT_2 -1200", lustre(capacity_gib=-1200), "PCS504"),
    row("PERSISTENT_1 2400", persistent_1(capacity_gib=2400)),
    row("PERSISTENT_1 3600", persistent_1(capacity_gib=3600), "PCS504"),
    row("SCRATCH_2 1200", scratch_2(capacity_gib=1200)),
    row("SCRATCH_2 3600", scratch_2(capacity_gib=3600), "PCS504"),
    row("SCRATCH_2 4800", scratch_2(capacity_gib=4800)),
    row("SCRATCH_1 1200", scratch_1(capacity_gib=1200)),
    row("SCRATCH_1 2400", scratch_1(capacity_gib=2400)),
    row("SCRATCH_1 3600", scratch_1(capacity_gib=3600)),
    row("SCRATCH_1 4800", scratch_1(capacity_gib=4800), "PCS504"),
    row("SCRATCH_1 7200", scratch_1(capacity_gib=7200)),
    row("HDD of 12, 1800", hdd_12(capacity_gib=1800), "PCS504"),
    row("HDD of 12, 6000", hdd_12(capacity_gib=6000)),
    row("HDD of 12, 12000", hdd_12(capacity_gib=12000)),
    row("HDD of 40, 1200", hdd_40(capacity_gib=1200), "PCS504"),
    row("HDD of 40, 1800", hdd_40(capacity_gib=1800)),
    row("HDD of 40, 2400", hdd_40(capacity_gib=2400), "PCS504"),
    row("HDD of 40, 3600", hdd_40(capacity_gib=3600)),
    row("token", lustre(capacity_gib=UNKNOWN)),
    row("type that is a token", lustre(capacity_gib=1300, deployment_type=UNKNOWN)),
    row("storage that is a token", lustre(capacity_gib=1300, storage_type=UNKNOWN)),
    row("HDD of a token", hdd_12(capacity_gib=1300, throughput=UNKNOWN)),
)
def test_a_lustre_capacity_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(lustre(capacity_gib=1), id="PERSISTENT_2 1"),
        pytest.param(lustre(capacity_gib=1300), id="PERSISTENT_2 1300"),
        pytest.param(scratch_1(capacity_gib=5000), id="SCRATCH_1 5000"),
        pytest.param(hdd_12(capacity_gib=7000), id="HDD of 12, 7000"),
        pytest.param(
            hdd_40(capacity_gib=2000),
            id="HDD of 40, 2000",
        ),
    ],
)
def test_the_capacities_that_a_fix_names_can_be_made(facts: LustreFacts) -> None:
    (problem,) = errors_in(facts)
    capacities = [int(number) for number in re.findall(r"\d+", problem.fix)]
    assert capacities
    for capacity in capacities:
        assert errors(replace(facts, capacity_gib=capacity)) == []


@table(
    row("PERSISTENT_2 124", lustre(throughput=124), "PCS505"),
    row("PERSISTENT_2 125", lustre(throughput=125)),
    row("PERSISTENT_2 300", lustre(throughput=300), "PCS505"),
    row("PERSISTENT_2 1000", lustre(throughput=1000)),
    row("PERSISTENT_2 2000", lustre(throughput=2000), "PCS505"),
    row("PERSISTENT_2 without", lustre(throughput=None), "PCS505"),
    row("PERSISTENT_1 50", persistent_1(throughput=50)),
    row("PERSISTENT_1 200", persistent_1(throughput=200)),
    row("PERSISTENT_1 125", persistent_1(throughput=125), "PCS505"),
    row("PERSISTENT_1 12", persistent_1(throughput=12), "PCS505"),
    row("HDD 12", hdd_12()),
    row("HDD 40", hdd_40()),
    row("HDD 50", hdd_12(throughput=50), "PCS505"),
    row("HDD without", hdd_12(throughput=None), "PCS505"),
    row("SCRATCH_2 without", scratch_2(throughput=None)),
    row("SCRATCH_2 200", scratch_2(throughput=200), "PCS505"),
    row("SCRATCH_1 0", scratch_1(throughput=0), "PCS505"),
    row("token", lustre(throughput=UNKNOWN)),
    row("type that is a token", lustre(throughput=7, deployment_type=UNKNOWN)),
    row("SCRATCH_2 of a token", scratch_2(throughput=UNKNOWN)),
    row("storage that is a token", persistent_1(throughput=50, storage_type=UNKNOWN)),
    row(
        "storage that is a token, 12",
        persistent_1(throughput=12, storage_type=UNKNOWN),
    ),
    row(
        "type of tomorrow",
        lustre(deployment_type="PERSISTENT_3"),
    ),
)
def test_a_lustre_throughput_is_one_that_fsx_makes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("PERSISTENT_2", lustre(kms_key=True)),
    row("PERSISTENT_1", persistent_1(kms_key=True)),
    row("SCRATCH_2", scratch_2(kms_key=True), "PCS506"),
    row("SCRATCH_2 without", scratch_2(kms_key=False)),
    row("token", lustre(kms_key=True, deployment_type=UNKNOWN)),
)
def test_a_key_is_given_to_a_persistent_lustre_only(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", lustre(backup_days=0)),
    row("1 day", lustre(backup_days=1)),
    row("90 days", lustre(backup_days=90)),
    row("91 days", lustre(backup_days=91), "PCS507"),
    row("-1 day", lustre(backup_days=-1), "PCS507"),
    row("SCRATCH_2, none", scratch_2(backup_days=0)),
    row("SCRATCH_2, 1 day", scratch_2(backup_days=1), "PCS507"),
    row("SCRATCH_2, 91 days", scratch_2(backup_days=91), "PCS507", "PCS507"),
    row("token", scratch_2(backup_days=UNKNOWN)),
    row("type that is a token", lustre(backup_days=1, deployment_type=UNKNOWN)),
    row("type that is a token, 91", lustre(backup_days=91, deployment_type=UNKNOWN), "PCS507"),
)
def test_backups_are_made_of_a_persistent_lustre_and_kept_90_days(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("both", lustre()),
    row("SCRATCH_1", lustre(mount_name="fsx")),
    row("8 characters", lustre(mount_name="a" * 8)),
    row("9 characters", lustre(mount_name="a" * 9), "PCS510"),
    row("no mount name", lustre(mount_name=""), "PCS510"),
    row("a path", lustre(mount_name="/fsx"), "PCS510"),
    row("dns name", lustre(file_system_id="fs-01234567.fsx.us-east-1.amazonaws.com"), "PCS510"),
    row("both wrong", lustre(file_system_id="fs", mount_name="/fsx"), "PCS510", "PCS510"),
    row("tokens", lustre(file_system_id=UNKNOWN, mount_name=UNKNOWN)),
)
def test_an_imported_lustre_has_an_id_and_a_mount_name(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("PERSISTENT_2", lustre()),
    row("PERSISTENT_1", persistent_1()),
    row("SCRATCH_1", scratch_1(), "PCS512"),
    row("SCRATCH_2", scratch_2(), "PCS512"),
    row("token", lustre(deployment_type=UNKNOWN)),
)
def test_a_scratch_lustre_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


# Where nodes are and where what they mount is.

FIRST, SECOND = "zone 1 of the Region", "zone 2 of the Region"
here = partial(replace, MountZoneFacts(nodes=("us-east-1a",), mount_targets={}, servers={}))


@table(
    row("here", here(mount_targets={"/home": ("us-east-1a",)})),
    row("here and there", here(mount_targets={"/home": ("us-east-1b", "us-east-1a")})),
    row("there", here(mount_targets={"/home": ("us-east-1b",)}), "PCS560"),
    row("by number, there", here(nodes=(FIRST,), mount_targets={"/home": (SECOND,)}), "PCS560"),
    row("by number, here", here(nodes=(FIRST,), mount_targets={"/home": (FIRST,)})),
    row("name and number", here(mount_targets={"/home": (FIRST,)})),
    row("of two zones one", here(nodes=("a", "b"), mount_targets={"/home": ("a",)}), "PCS560"),
    row("nodes, token", here(nodes=(UNKNOWN,), mount_targets={"/home": ("us-east-1b",)})),
    row("target, token", here(mount_targets={"/home": (UNKNOWN, "us-east-1b")})),
)
def test_mount_targets_are_in_the_zones_of_the_nodes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("here", here(servers={"/fsx": "us-east-1a"})),
    row("there", here(servers={"/fsx": "us-east-1b"}), "PCS561"),
    row("two there", here(servers={"/a": "us-east-1b", "/b": "us-east-1c"}), "PCS561", "PCS561"),
    row("name and number", here(servers={"/fsx": SECOND})),
    row("token", here(servers={"/fsx": UNKNOWN})),
)
def test_servers_in_another_zone_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("disks", LocalScratchFacts(path="/local")),
    row("none", LocalScratchFacts(path="/local", without=("c7i.xlarge",)), "PCS558"),
    row("token", LocalScratchFacts(path=UNKNOWN)),
    row("none, token", LocalScratchFacts(path=UNKNOWN, without=("c7i.xlarge",)), "PCS558"),
)
def test_local_scratch_is_on_types_with_disks(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("role", MountGrantFacts(paths=("/home",), role=True)),
    row("no role", MountGrantFacts(paths=("/home",), role=False), "PCS562"),
    row("no mount", MountGrantFacts(paths=(), role=False)),
    row("path, token", MountGrantFacts(paths=(UNKNOWN,), role=False), "PCS562"),
    row("role, token", MountGrantFacts(paths=("/home",), role=UNKNOWN)),
)
def test_mounts_whose_permissions_cannot_be_given_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


SHA = "0123456789abcdef" * 4
scripts = partial(replace, MountScriptsFacts(version="1.0.0", checksums={"mount-efs": SHA}))


@table(
    row("one", scripts()),
    row("both", scripts(checksums={"mount-efs": SHA, "mount-fsx-lustre": SHA.upper()})),
    row("another", scripts(checksums={"configure-ldaps": SHA}), "PCS563"),
    row("with a version", scripts(checksums={"mount-efs-v1.0.0.sh": SHA}), "PCS563"),
    row("short", scripts(checksums={"mount-efs": SHA[1:]}), "PCS563"),
    row("two numbers", scripts(version="1.0"), "PCS563"),
    row("version, token", scripts(version=UNKNOWN)),
    row("checksum, token", scripts(checksums={"mount-efs": UNKNOWN})),
)
def test_mount_scripts_are_named_right(facts, codes) -> None:
    assert errors(facts) == codes


PLAIN = {"source": "fs-1:/", "type": "efs", "options": "_netdev,tls"}
share = partial(replace, FileShareFacts(path="/home", words=PLAIN))


@table(
    row("plain", share()),
    row("space", share(words={**PLAIN, "source": "a b"}), "PCS524"),
    row("quote", share(words={**PLAIN, "options": "a'b"}), "PCS524"),
    row("variable", share(words={**PLAIN, "type": "$x"}), "PCS524"),
    row("nothing", share(words={**PLAIN, "source": ""}), "PCS524"),
    row("nofail", share(words={**PLAIN, "options": "tls,nofail"}), "PCS524"),
    row("nofail of a local disk", share(words={**PLAIN, "options": "nofail"}, local=True)),
    row("token", share(path=UNKNOWN)),
)
def test_a_file_share_is_of_plain_words(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("kept", RemovalFacts(policy="RETAIN")),
    row("destroyed", RemovalFacts(policy="DESTROY")),
    row("snapshot", RemovalFacts(policy="SNAPSHOT"), "PCS523"),
    row("token", RemovalFacts(policy=UNKNOWN)),
)
def test_a_file_system_is_kept_or_destroyed(facts, codes) -> None:
    assert errors(facts) == codes
