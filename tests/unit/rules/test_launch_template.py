from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    InterfaceFacts,
    LaunchTemplateFacts,
    MetadataFacts,
    RootVolumeFacts,
    UserDataFacts,
)
from tests.unit.rules.test_rules import advice, errors, row, table

efa = partial(
    replace,
    InterfaceFacts(instance_types=("hpc7a.96xlarge",), efa=True, subnets=1, public=False),
)
template = partial(
    replace,
    LaunchTemplateFacts(
        launch_template_id="lt-0123456789abcdef0",
        version="3",
        key_name="me",
        security_groups=1,
        interfaces=False,
    ),
)
volume = partial(replace, RootVolumeFacts(type="gp3", size=100))
metadata = partial(replace, MetadataFacts(hop_limit=4))
user_data = partial(replace, UserDataFacts(bytes=100))


# EFA. c7i.4xlarge has none, c5n.18xlarge 1 on 1 card, hpc7a.96xlarge and hpc6id.32xlarge 2 on 2,
# i7ie.48xlarge 1 on 2 cards, p5.48xlarge and p5e.48xlarge 32, p5en.48xlarge 16 on 16, and
# p6-b300.48xlarge 16 on 17.


@table(
    row("one", efa(subnets=1)),
    row("two", efa(subnets=2), "PCS601"),
    row("two without EFA", efa(efa=False, subnets=2)),
    row("token", efa(subnets=UNKNOWN)),
)
def test_efa_stays_in_one_subnet(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("EFA", efa(instance_types=("c5n.18xlarge",))),
    row("none", efa(instance_types=("c7i.4xlarge",)), "PCS602"),
    row("none of two", efa(instance_types=("c7i.4xlarge", "c6i.4xlarge")), "PCS602"),
    row("none and not asked for", efa(efa=False, instance_types=("c7i.4xlarge",))),
    row("token and not asked for", efa(efa=False, instance_types=UNKNOWN)),
)
def test_efa_is_asked_for_where_it_is(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", efa(instance_types=("p5.48xlarge",))),
    row("alike", efa(instance_types=("p5.48xlarge", "p5e.48xlarge"))),
    row("fewer cards", efa(instance_types=("p5.48xlarge", "p5en.48xlarge")), "PCS603"),
    row("one card more", efa(instance_types=("p5en.48xlarge", "p6-b300.48xlarge")), "PCS603"),
    row("same cards, less EFA", efa(instance_types=("hpc7a.96xlarge", "i7ie.48xlarge")), "PCS603"),
    row("without EFA", efa(efa=False, instance_types=("p5.48xlarge", "p5en.48xlarge"))),
    row("token without EFA", efa(efa=False, instance_types=UNKNOWN)),
)
def test_types_with_efa_have_the_same_cards(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("known", efa(instance_types=("p5.48xlarge",))),
    row("not in the catalogue", efa(instance_types=("c99x.large",)), "PCS604"),
    row("two not in it", efa(instance_types=("c99x.large", "")), "PCS604", "PCS604"),
    row("one of two not in it", efa(instance_types=("p5.48xlarge", "c99x.large")), "PCS604"),
    row("not in it, without EFA", efa(efa=False, instance_types=("c99x.large",))),
    row("none", efa(instance_types=()), "PCS609"),
    row("none, without EFA", efa(efa=False, instance_types=())),
    row("token without EFA", efa(efa=False, instance_types=UNKNOWN)),
    # Unlike elsewhere UNKNOWN is refused: the library itself would have to write the interfaces.
    row("token", efa(instance_types=UNKNOWN), "PCS604"),
)
def test_the_types_with_efa_are_named_and_their_cards_known(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("several, private", efa(public=False)),
    row("several, public", efa(public=True), "PCS407"),
    row("two types, public", efa(public=True, instance_types=("hpc7a.96xlarge",) * 2), "PCS407"),
    row("one, public", efa(public=True, instance_types=("c5n.18xlarge",))),
    row("one on two cards, public", efa(public=True, instance_types=("i7ie.48xlarge",))),
    row("without EFA, public", efa(public=True, efa=False)),
    row("token", efa(public=UNKNOWN)),
)
def test_nodes_with_several_interfaces_are_not_in_a_public_subnet(facts, codes) -> None:
    assert errors(facts) == codes


# References to templates.


@table(
    row("id", template(launch_template_id="lt-0123456789abcdef0")),
    row("name", template(launch_template_id="my-template"), "PCS605"),
    row("of PCS itself", template(launch_template_id="pcs-1a2b3c-do-not-delete"), "PCS605"),
    row("nothing", template(launch_template_id=""), "PCS605"),
    row("nothing after the prefix", template(launch_template_id="lt-"), "PCS605"),
    row("token", template(launch_template_id=UNKNOWN)),
)
def test_a_launch_template_is_referred_to_by_its_id(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("number", template(version="12")),
    row("latest", template(version="$Latest"), "PCS606"),
    row("default", template(version="$Default"), "PCS606"),
    row("with a v", template(version="v3"), "PCS606"),
    row("negative", template(version="-1"), "PCS606"),
    row("nothing", template(version=""), "PCS606"),
    row("token", template(version=UNKNOWN)),
)
def test_a_launch_template_version_that_is_no_number_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("1 character", template(key_name="k")),
    row("255 characters", template(key_name="k" * 255)),
    row("nothing", template(key_name=""), "PCS607"),
    row("256 characters", template(key_name="k" * 256), "PCS607"),
    row("token", template(key_name=UNKNOWN)),
)
def test_a_key_pair_name_has_1_to_255_characters(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", template(security_groups=1)),
    row("none", template(security_groups=0), "PCS608"),
    row("token", template(security_groups=UNKNOWN)),
)
def test_nodes_have_a_security_group(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("with EFA", efa(efa_only=True)),
    row("without EFA", efa(efa=False, efa_only=True), "PCS610"),
    row("neither", efa(efa=False, efa_only=False)),
    row("token", efa(efa_only=True, subnets=UNKNOWN)),
)
def test_efa_only_goes_with_efa(facts, codes) -> None:
    assert errors(facts) == codes


# The root volume.


@table(
    row("gp3", volume(type="gp3")),
    row("gp3 with both", volume(type="gp3", iops=3000, throughput=125)),
    row("gp2", volume(type="gp2")),
    row("gp2 with iops", volume(type="gp2", iops=3000), "PCS612"),
    row("gp2 with throughput", volume(type="gp2", throughput=125), "PCS612"),
    row("gp2 with both", volume(type="gp2", iops=3000, throughput=125), "PCS612", "PCS612"),
    row("io1", volume(type="io1"), "PCS612"),
    row("io1 with iops", volume(type="io1", iops=100)),
    row("io1 with both", volume(type="io1", iops=100, throughput=125), "PCS612"),
    row("io2", volume(type="io2"), "PCS612"),
    row("io2 with iops", volume(type="io2", iops=100)),
    row("io2 with throughput", volume(type="io2", throughput=125), "PCS612", "PCS612"),
    row("standard", volume(type="standard")),
    row("standard with iops", volume(type="standard", iops=100), "PCS612"),
    row("standard with throughput", volume(type="standard", throughput=125), "PCS612"),
    row("st1", volume(type="st1"), "PCS612"),
    row("sc1", volume(type="sc1"), "PCS612"),
    row("sc1 with both", volume(type="sc1", iops=100, throughput=125), "PCS612"),
    row("a name alone", volume(given=False, type=None)),
    row("token for the type", volume(type=UNKNOWN, iops=1, throughput=1)),
    row("gp2 with iops that are a token", volume(type="gp2", iops=UNKNOWN), "PCS612"),
    row("io2 with iops that are a token", volume(type="io2", iops=UNKNOWN)),
)
def test_a_root_volume_is_of_a_type_that_boots_and_takes_what_is_said(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("3,000 IOPS", volume(iops=3000)),
    row("2,999 IOPS", volume(iops=2999), "PCS612"),
    row("500 IOPS per GiB", volume(iops=50_000)),
    row("one more", volume(iops=50_001), "PCS612"),
    row("3,500 IOPS on 7 GiB", volume(size=7, iops=3500)),
    row("3,501 IOPS on 7 GiB", volume(size=7, iops=3501), "PCS612"),
    row("3,000 IOPS on 1 GiB", volume(size=1, iops=3000)),
    row("3,001 IOPS on 6 GiB", volume(size=6, iops=3001), "PCS612"),
    row("size of the image", volume(size=None, iops=50_001)),
    row("125 MiB/s", volume(throughput=125)),
    row("124 MiB/s", volume(throughput=124), "PCS612"),
    row("750 MiB/s", volume(throughput=750)),
    row("751 MiB/s", volume(throughput=751), "PCS612"),
    row("751 MiB/s with 3,004 IOPS", volume(iops=3004, throughput=751)),
    row("751 MiB/s with 3,003 IOPS", volume(iops=3003, throughput=751), "PCS612"),
    row("too few of both", volume(iops=2999, throughput=124), "PCS612", "PCS612"),
    row("too many of both", volume(iops=50_001, throughput=12_501), "PCS612", "PCS612"),
    row("token for the size", volume(size=UNKNOWN, iops=50_001)),
    row("token for the size and 2,999 IOPS", volume(size=UNKNOWN, iops=2999), "PCS612"),
    row("token for the IOPS", volume(iops=UNKNOWN, throughput=751)),
    row("token for the throughput", volume(throughput=UNKNOWN)),
)
def test_iops_and_throughput_of_gp3_fit_its_size_and_each_other(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("encrypted", volume(encrypted=True)),
    row("not encrypted", volume(encrypted=False), "PCS613"),
    row("a name alone", volume(given=False, encrypted=False)),
    row("token", volume(encrypted=UNKNOWN)),
)
def test_a_root_volume_that_is_not_encrypted_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("default image", volume(own_image=False)),
    row("default image and a name", volume(device_name="/dev/sda1")),
    row("own image", volume(own_image=True), "PCS614"),
    row("own image and a name", volume(own_image=True, device_name="/dev/xvda")),
    row("own image and nothing", volume(given=False, own_image=True)),
    row("NVMe", volume(device_name="/dev/nvme0n1")),
    row("without /dev", volume(device_name="sda1"), "PCS614"),
    row("a folder", volume(device_name="/dev/"), "PCS614"),
    row("upper case", volume(device_name="/dev/SDA1"), "PCS614"),
    row("another line", volume(device_name="/dev/sda1\n"), "PCS614"),
    row("no name", volume(device_name=""), "PCS614"),
    row("a name alone", volume(given=False, device_name="/dev/sda1"), "PCS614"),
    row("a wrong name alone", volume(given=False, device_name="sda1"), "PCS614", "PCS614"),
    row("token for the name", volume(own_image=True, device_name=UNKNOWN)),
    row("token for the name alone", volume(given=False, device_name=UNKNOWN), "PCS614"),
    row("token for the image", volume(own_image=UNKNOWN)),
)
def test_the_root_device_is_named_as_the_image_does(facts, codes) -> None:
    assert errors(facts) == codes


# The metadata service and tags.


@table(
    row("1", metadata(hop_limit=1)),
    row("64", metadata(hop_limit=64)),
    row("0", metadata(hop_limit=0), "PCS615"),
    row("65", metadata(hop_limit=65), "PCS615"),
    row("-1", metadata(hop_limit=-1), "PCS615"),
    row("token", metadata(hop_limit=UNKNOWN)),
)
def test_the_metadata_service_answers_at_1_to_64_hops(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("2", metadata(hop_limit=2)),
    row("1", metadata(hop_limit=1), "PCS616"),
    row("token", metadata(hop_limit=UNKNOWN)),
)
def test_a_metadata_service_out_of_reach_of_containers_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def tagged(*keys: str, **others: object) -> MetadataFacts:
    return metadata(tags=dict.fromkeys(keys, "x"), **others)


def shown(key: str) -> MetadataFacts:
    return tagged(key, tags_in_metadata=True)


@table(
    row("none", tagged()),
    row("50", tagged(*map(str, range(50)))),
    row("51", tagged(*map(str, range(51))), "PCS617"),
    row("key of 128", tagged("k" * 128)),
    row("key of 129", tagged("k" * 129), "PCS617"),
    row("key of 0", tagged(""), "PCS617"),
    row("value of 256", metadata(tags={"a": "v" * 256})),
    row("value of 257", metadata(tags={"a": "v" * 257}), "PCS617"),
    row("value of 0", metadata(tags={"a": ""})),
    row("of AWS", tagged("aws:pcs"), "PCS617"),
    row("of AWS, upper case", tagged("AWS:pcs"), "PCS617"),
    row("two wrong", tagged("aws:a", "aws:b"), "PCS617", "PCS617"),
    row("space", tagged("cost center")),
    row("shown, every character", shown("aZ09+-=.,_:@")),
    row("shown, space", shown("cost center"), "PCS617"),
    row("shown, slash", shown("a/b"), "PCS617"),
    row("shown, umlaut", shown("größe"), "PCS617"),
    row("shown, a dot", shown("."), "PCS617"),
    row("shown, two dots", shown(".."), "PCS617"),
    row("shown, the index", shown("_index"), "PCS617"),
    row("token beside it", tagged("a", hop_limit=UNKNOWN)),
)
def test_instance_tags_are_what_ec2_and_its_metadata_service_take(facts, codes) -> None:
    assert errors(facts) == codes


# User data.


def shell(text: object) -> UserDataFacts:
    return user_data(parts=(("text/x-shellscript", text),))


def cloud_config(text: str) -> UserDataFacts:
    return user_data(parts=(("text/cloud-config", text),))


def boothook(text: str) -> UserDataFacts:
    return user_data(parts=(("text/cloud-boothook", text),))


@table(
    row("nothing", user_data(bytes=0)),
    row("16,384 bytes", user_data(bytes=16_384)),
    row("16,385 bytes", user_data(bytes=16_385), "PCS901"),
    row("token", shell(UNKNOWN)),
)
def test_user_data_has_at_most_16384_bytes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("shell", shell("#!/bin/bash\ndate\n")),
    row("shell of python", shell("#!/usr/bin/env python3\n")),
    row("shell without", shell("date\n"), "PCS902"),
    row("shell after an empty line", shell("\n#!/bin/bash\n"), "PCS902"),
    row("shell of nothing", shell(""), "PCS902"),
    row("shell that is cloud-config", shell("#cloud-config\n"), "PCS902"),
    row("cloud-config", cloud_config("#cloud-config\nruncmd: []\n")),
    row("cloud-config without a header", cloud_config("runcmd: []\n")),
    row("cloud-config that is a script", cloud_config("#!/bin/bash\n"), "PCS902"),
    row("boothook", boothook("#!/bin/bash\n")),
    row(
        "boothook without",
        boothook("date\n"),
        "PCS902",
    ),
    row(
        "two without",
        user_data(parts=(("text/x-shellscript", "date"), ("text/x-shellscript", "date"))),
        "PCS902",
        "PCS902",
    ),
    row(
        "shell that starts with a token",
        shell(UNKNOWN),
    ),
)
def test_a_script_names_its_interpreter(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("no", shell("#!/bin/bash\ndate\n")),
    row("reboot", shell("#!/bin/bash\nreboot\n"), "PCS903"),
    row("sudo reboot", shell("#!/bin/bash\n  sudo reboot now\n"), "PCS903"),
    row("shutdown", shell("#!/bin/bash\n/sbin/shutdown -r now\n"), "PCS903"),
    row("poweroff", shell("#!/bin/bash\npoweroff"), "PCS903"),
    row("after another command", shell("#!/bin/bash\ntrue && reboot\n"), "PCS903"),
    row("in a boothook", boothook("#!/bin/bash\nreboot\n")),
    row("runcmd", cloud_config("#cloud-config\nruncmd:\n  - reboot\n"), "PCS903"),
    row("spoken of", shell("#!/bin/bash\necho no reboot here\n# reboot\n")),
    row("part of a word", shell("#!/bin/bash\nreboot_if_needed\n")),
    row(
        "by its path",
        shell("#!/bin/bash\n/sbin/reboot\n"),
        "PCS903",
    ),
    row(
        "systemctl",
        shell("#!/bin/bash\nsystemctl reboot\n"),
        "PCS903",
    ),
    row(
        "power_state",
        cloud_config("#cloud-config\npower_state:\n  mode: reboot\n"),
        "PCS903",
    ),
    row(
        "key of that name",
        cloud_config("#cloud-config\nhalt-on-error: true\n"),
    ),
    row("token", shell(UNKNOWN)),
)
def test_user_data_that_restarts_the_node_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("no", shell("#!/bin/bash\ndate\n")),
    row("access key", shell("#!/bin/bash\nKEY=AKIAIOSFODNN7EXAMPLE\n"), "PCS904"),
    row("secret key", shell("aws_secret_access_key = wJalrXUtnFEMI\n"), "PCS904"),
    row("private key", shell("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "PCS904"),
    row("password", cloud_config("#cloud-config\npassword: changeme\n"), "PCS904"),
    row("quoted", shell("#!/bin/bash\nPASSWORD='changeme'\n"), "PCS904"),
    row("read by a command", shell("#!/bin/bash\nTOKEN=$(curl -X PUT http://169.254.169.254)\n")),
    row("variable", shell('#!/bin/bash\ncurl -H "X-aws-ec2-metadata-token: $TOKEN"\n')),
    row("a CDK token", shell("#!/bin/bash\nPASSWORD=${Token[TOKEN.7]}\n")),
    row("a key of sshd", shell("#!/bin/bash\nPasswordAuthentication no\n")),
    row("a key of cloud-config", cloud_config("#cloud-config\nlock_passwd: false\n")),
    row("too short to be one", shell("#!/bin/bash\npassword=no\n")),
    row(
        "prefixed",
        shell("#!/bin/bash\nDB_PASSWORD=hunter2secret\n"),
        "PCS904",
    ),
    row(
        "arn of a secret",
        shell("#!/bin/bash\nSECRET=arn:aws:secretsmanager:us-east-1:123456789012:secret:db\n"),
    ),
    row("token", shell(UNKNOWN)),
)
def test_a_secret_in_user_data_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("ASCII", shell("#!/bin/bash\necho hello\n")),
    row("umlaut", shell("#!/bin/bash\necho größe\n"), "PCS905"),
    row("typographic quote", cloud_config("#cloud-config\n# PCS\u2019s\n"), "PCS905"),
    row("a CDK token", shell("#!/bin/bash\n${Token[TOKEN.7]}\n")),
    row("token", shell(UNKNOWN)),
)
def test_user_data_that_is_not_ascii_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("shell", shell("#!/bin/sh\n")),
    row("cloud-config", cloud_config("#cloud-config\n")),
    row("boothook", boothook("#!/bin/sh\n")),
    row("a list of addresses", user_data(parts=(("text/x-include-url", ""),)), "PCS906"),
    row("upper case", user_data(parts=(("TEXT/CLOUD-BOOTHOOK", "#!/bin/sh"),)), "PCS906"),
    row("nothing", user_data(parts=(("", ""),)), "PCS906"),
    row("token", shell(UNKNOWN)),
)
def test_a_part_of_user_data_has_a_type_that_pcs_merges(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("key", volume(kms_key=True)),
    row("key in vain", volume(kms_key=True, encrypted=False), "PCS618"),
    row("key, token", volume(kms_key=UNKNOWN, encrypted=False)),
    row("no size", volume(size=0), "PCS612"),
    row("half a GiB", volume(size=1.5), "PCS612"),
    row("io2 with few IOPS", volume(type="io2", iops=99), "PCS612"),
    row("IOPS, token, and slow", volume(iops=UNKNOWN, throughput=124), "PCS612"),
)
def test_a_root_volume_can_be_made(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("fifty", metadata(tags={str(n): "" for n in range(48)}, unknown_tags=2)),
    row("one more", metadata(tags={str(n): "" for n in range(48)}, unknown_tags=3), "PCS617"),
    row("token", metadata(hop_limit=UNKNOWN)),
)
def test_tags_that_are_not_known_count(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("both", efa()),
    row("EFA only", efa(efa_only=True), "PCS620"),
    row("EFA only without EFA", efa(efa=False, efa_only=True)),
    row("token", efa(instance_types=UNKNOWN)),
)
def test_efa_only_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
