from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import (
    LifecycleActionFacts,
    LifecycleFacts,
    ScriptFileFacts,
    advice_on,
    errors_in,
    flag_values,
)
from tests.unit.rules.test_rules import advice, errors, row, table

EFS = "fs-0123456789abcdef0"
DNS = f"{EFS}.fsx.us-east-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ldap-a1b2c3"
REPOSITORY = "s3://aws-pcs-repo-us-east-1/aws-pcs-node-lifecycle-scripts"

file = partial(replace, ScriptFileFacts(path="setup.sh", bytes=100))
action = partial(
    replace,
    LifecycleActionFacts(
        name="Set up", location="s3://scripts/setup.sh", checksum="0" * 64, arguments=("/shared",)
    ),
)
_mount = replace(
    action(),
    name="Mount home",
    location=f"{REPOSITORY}/mount-efs-v1.0.0.sh",
    checksum=None,
    maintained="mount-efs-v1.0.0.sh",
    arguments=("--file-system-id", EFS, "--mount-point", "/home"),
)
mount = partial(replace, _mount)
_logs = replace(_mount, name="Logs", maintained="configure-cloudwatch-logs-v1.0.0.sh", arguments=())
logs = partial(replace, _logs)
lustre = partial(
    mount,
    maintained="mount-fsx-lustre-v1.0.0.sh",
    arguments=("--fsx-dns-name", DNS, "--mount-name", "a1b2cbev", "--mount-point", "/fsx"),
)
homes = partial(mount, maintained="configure-efs-homes-v1.0.0.sh", arguments=("--efs-id", EFS))
ldap = partial(
    mount,
    maintained="configure-ldaps-v1.0.0.sh",
    arguments=("--ldap-uri", "ldaps://ldap", "--search-base", "dc=example,dc=com"),
)
latest = partial(mount, maintained="mount-efs-v1-latest.sh")
ready = partial(action, stage="NodeReady")
together = partial(replace, LifecycleFacts(actions=(action(),)))


def many(count: int, stage: str = "NodeBootstrapped") -> tuple[LifecycleActionFacts, ...]:
    return tuple(action(name=f"{stage} {number}", stage=stage) for number in range(count))


# Files.


@table(
    row("a file", file()),
    row("2 MiB", file(bytes=2097152)),
    row("2 MiB and 1 byte", file(bytes=2097153), "PCS917"),
    row("nothing there", file(bytes=None), "PCS917"),
    row("a directory", file(bytes=None, directory=True), "PCS917"),
)
def test_a_script_is_a_file_of_at_most_2_mib(facts, codes) -> None:
    assert errors(facts) == codes


# One action.


@table(
    row("words", action(name="Mount EFS home directory")),
    row("a letter", action(name="a")),
    row("digit first", action(name="1_a-b")),
    row("64 characters", action(name="a" * 64)),
    row("65 characters", action(name="a" * 65), "PCS912"),
    row("nothing", action(name=""), "PCS912"),
    row("space first", action(name=" a"), "PCS912"),
    row("hyphen first", action(name="-a"), "PCS912"),
    row("slash", action(name="a/b"), "PCS912"),
    row("umlaut", action(name="größe"), "PCS912"),
    row("line break", action(name="a\n"), "PCS912"),
    row("script that is a token", action(location=UNKNOWN)),
)
def test_an_action_has_a_name(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", action(arguments=())),
    row("20", action(arguments=("a",) * 20)),
    row("21", action(arguments=("a",) * 21), "PCS914"),
    row("21 tokens", action(arguments=(UNKNOWN,) * 21), "PCS914"),
    row("nothing in it", action(arguments=("",))),
    row("256 characters", action(arguments=("a" * 256,))),
    row("257 characters", action(arguments=("a" * 257,)), "PCS914"),
    row("two of 257", action(arguments=("a" * 257, "", "a" * 257)), "PCS914", "PCS914"),
    row("token", action(arguments=(UNKNOWN,))),
)
def test_an_action_has_few_and_short_arguments(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("S3", action(location="s3://my.bucket-1/a")),
    row("HTTPS", action(location="https://example.com/setup.sh?x=1")),
    row("HTTPS with a port", action(location="https://example.com:8443/setup.sh")),
    row("HTTPS without a path", action(location="https://example.com")),
    row("HTTP", action(location="http://example.com/setup.sh"), "PCS915"),
    row("a path", action(location="/home/setup.sh"), "PCS915"),
    row("nothing", action(location=""), "PCS915"),
    row("no key", action(location="s3://bucket/"), "PCS915"),
    row("no bucket", action(location="s3:///setup.sh"), "PCS915"),
    row("bucket in capitals", action(location="s3://Bucket/setup.sh"), "PCS915"),
    row("address", action(location="https://192.0.2.1/setup.sh"), "PCS915"),
    row("host of one word", action(location="https://localhost/setup.sh"), "PCS915"),
    row("user", action(location="https://me@example.com/setup.sh"), "PCS915"),
    row("space", action(location="https://example.com/set up.sh"), "PCS915"),
    row("1024 characters", action(location="s3://bucket/" + "a" * 1012)),
    row("1025 characters", action(location="s3://bucket/" + "a" * 1013), "PCS915"),
    row("S3 and a version", action(version="abc")),
    row("HTTPS and a version", action(location="https://e.com/a", version="abc"), "PCS915"),
    row("HTTPS and a token", action(location="https://e.com/a", version=UNKNOWN), "PCS915"),
    row("token", action(location=UNKNOWN, version="abc")),
)
def test_a_script_is_in_s3_or_at_an_https_url(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("none", action(checksum=None)),
    row("64 digits", action(checksum="0123456789abcdefABCDEF" + "0" * 42)),
    row("63 digits", action(checksum="0" * 63), "PCS916"),
    row("65 digits", action(checksum="0" * 65), "PCS916"),
    row("g", action(checksum="g" * 64), "PCS916"),
    row("all of what sha256sum prints", action(checksum="0" * 64 + "  setup.sh"), "PCS916"),
    row("nothing", action(checksum=""), "PCS916"),
    row("token", action(checksum=UNKNOWN)),
)
def test_a_checksum_is_sha256(facts, codes) -> None:
    assert errors(facts) == codes


# Scripts that AWS maintains.


@table(
    row("own", action(maintained=None)),
    row("whole version", mount()),
    row("latest", latest()),
    row("version of tomorrow", mount(maintained="mount-efs-v12.3.45.sh")),
    row("two numbers", mount(maintained="mount-efs-v1.0.sh"), "PCS918"),
    row("no version", mount(maintained="mount-efs.sh"), "PCS918"),
    row("latest of all", mount(maintained="mount-efs-vlatest.sh"), "PCS918"),
    row("v twice", mount(maintained="mount-efs-vv1.0.0.sh"), "PCS918"),
    row("capitals", mount(maintained="Mount-EFS-v1.0.0.sh"), "PCS918"),
    row("with .sh", mount(maintained="mount-efs.sh-v1.0.0.sh"), "PCS918"),
    row("at a token", mount(location=UNKNOWN)),
)
def test_a_maintained_script_is_named_with_its_version(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("own, without", action(arguments=())),
    row("EFS", mount()),
    row("EFS without", mount(arguments=()), "PCS919"),
    row("EFS without a mount point", mount(arguments=("--file-system-id", EFS)), "PCS919"),
    row("EFS latest without", latest(arguments=()), "PCS919"),
    row("Lustre", lustre()),
    row("Lustre without", lustre(arguments=()), "PCS919"),
    row("homes", homes()),
    row("homes with the flag of another", homes(arguments=("--file-system-id", EFS)), "PCS919"),
    row("LDAP", ldap()),
    row("LDAP without a base", ldap(arguments=("--ldap-uri", "ldaps://ldap")), "PCS919"),
    row("logs without", logs()),
    row("flag and value in one", homes(arguments=(f"--efs-id {EFS}",)), "PCS919"),
    row("flag=value", homes(arguments=(f"--efs-id={EFS}",)), "PCS919"),
    row("a script of tomorrow", mount(maintained="mount-s3-v1.0.0.sh", arguments=())),
    row("values that are tokens", homes(arguments=("--efs-id", UNKNOWN))),
    row("token that may be the flag", homes(arguments=(UNKNOWN, EFS))),
    row("token of another flag", homes(arguments=("--home-base", UNKNOWN)), "PCS919"),
)
def test_a_maintained_script_has_what_it_requires(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("EFS", mount()),
    row("EFS by its name", homes(arguments=("--efs-id", f"{EFS}.efs.amazonaws.com")), "PCS920"),
    row("EFS, 8 digits", homes(arguments=("--efs-id", "fs-12345678"))),
    row("no value", homes(arguments=("--efs-id",)), "PCS920"),
    row("empty value", homes(arguments=("--efs-id", "")), "PCS920"),
    row("options", homes(arguments=("--efs-id", EFS, "--options", "tls"))),
    row("options with a space", homes(arguments=("--efs-id", EFS, "--options", "a b")), "PCS920"),
    row("relative path", homes(arguments=("--efs-id", EFS, "--home-base", "home")), "PCS920"),
    row("Lustre", lustre()),
    row(
        "Lustre by its ID",
        lustre(arguments=("--fsx-dns-name", EFS, *lustre().arguments[2:])),
        "PCS920",
    ),
    row(
        "mount name of 9 characters",
        lustre(arguments=(*lustre().arguments[:3], "a1b2cbevx", "--mount-point", "/fsx")),
        "PCS920",
    ),
    row("LDAP without TLS", ldap(arguments=("--ldap-uri", "ldap://a", "--search-base", "dc=a"))),
    row("LDAP by host", ldap(arguments=("--ldap-uri", "a", "--search-base", "dc=a")), "PCS920"),
    row("no base", ldap(arguments=(*ldap().arguments[:3], " ")), "PCS920"),
    row("secret", ldap(arguments=(*ldap().arguments, "--secret-arn", SECRET))),
    row("secret by name", ldap(arguments=(*ldap().arguments, "--secret-arn", "ldap")), "PCS920"),
    row("relative CA", ldap(arguments=(*ldap().arguments, "--tls-cacert", "ca.pem")), "PCS920"),
    row("log group", logs(arguments=("--log-group-name", "/aws/pcs/a#1_b.c-d"))),
    row("log group with a star", logs(arguments=("--log-group-name", "/aws/*")), "PCS920"),
    row("token", homes(arguments=("--efs-id", UNKNOWN))),
)
def test_arguments_of_a_maintained_script_have_their_form(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("own", action()),
    row("all flags", homes(arguments=(*homes().arguments, "--home-base", "/home"))),
    row("a script of tomorrow", mount(maintained="mount-s3-v1.0.0.sh"), "PCS921"),
    row("misspelled", mount(maintained="mount-esf-v1.0.0.sh"), "PCS921"),
    row("flag of tomorrow", homes(arguments=("--efs-id", EFS, "--quiet")), "PCS921"),
    row("value without its flag", homes(arguments=("--efs-id", EFS, "/home")), "PCS921"),
    row(
        "flag and value of another", homes(arguments=("--a", "b", "--efs-id", EFS)), *["PCS921"] * 2
    ),
    row("token", homes(arguments=("--efs-id", EFS, UNKNOWN))),
    row(
        "token to a script of tomorrow",
        mount(maintained="a-v1.0.0.sh", arguments=(UNKNOWN,)),
        "PCS921",
    ),
)
def test_a_maintained_script_is_one_of_the_guide(facts, codes) -> None:
    assert advice(facts) == codes


def test_flags_are_read_with_their_values() -> None:
    given = ["--mount-point", "/home", "stray", "--file-system-id"]
    expected = {"--mount-point": "/home", "--file-system-id": None}
    assert flag_values("mount-efs", given) == expected
    assert flag_values("unheard-of", given) == flag_values(None, given) == {}


# What is worth a word.


@table(
    row("checksum", action()),
    row("version", action(checksum=None, version="abc")),
    row("neither", action(checksum=None), "PCS922"),
    row("maintained", mount()),
    row("latest", latest(), "PCS922"),
    row("tokens", action(checksum=UNKNOWN)),
    row("version that is a token", action(checksum=None, version=UNKNOWN)),
)
def test_what_may_change_unseen_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("plain", action(arguments=("--mode", "1777", "tokens", "token", "--token-file", "/a"))),
    row("ARN of a secret", action(arguments=("--secret-arn", SECRET, f"password={SECRET}"))),
    row("access key", action(arguments=("AKIAIOSFODNN7EXAMPLE",)), "PCS924"),
    row("session's key", action(arguments=("key=ASIAIOSFODNN7EXAMPLE",)), "PCS924"),
    row("private key", action(arguments=("-----BEGIN RSA PRIVATE KEY-----\nabc",)), "PCS924"),
    row("flag", action(arguments=("--password", "hunter2")), "PCS924"),
    row("flag of a token", action(arguments=("--db-password", UNKNOWN)), "PCS924"),
    row("flag=value", action(arguments=("--API_KEY=abc",)), "PCS924"),
    row("name=value", action(arguments=("token=abc",)), "PCS924"),
    row("name: value", action(arguments=("client-secret:abc",)), "PCS924"),
    row("secret of a template", action(arguments=("{{resolve:secretsmanager:a}}",)), "PCS924"),
    row("signed URL", action(location="https://a.com/a?X-Amz-Signature=1"), "PCS924"),
    row("tokens", action(arguments=(UNKNOWN,), location=UNKNOWN)),
)
def test_a_secret_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


def test_a_secret_is_not_repeated_in_the_message() -> None:
    given = ("--bind-password", "hunter2", *ldap().arguments, "password=hunter2")
    problems = advice_on(ldap(arguments=given))
    assert {problem.code for problem in problems} == {"PCS921", "PCS924"}
    assert "hunter2" not in " ".join(map(str, problems))


@table(
    row("ended", mount()),
    row("left", mount(on_error="CONTINUE"), "PCS925"),
    row("left, Lustre", lustre(on_error="STOP_SEQUENCE"), "PCS925"),
    row("left, homes", homes(on_error="CONTINUE"), "PCS925"),
    row("late", mount(stage="NodeReady"), "PCS925"),
    row("late and left", mount(stage="NodeReady", on_error="CONTINUE"), "PCS925", "PCS925"),
    row("logs", logs(stage="NodeReady", on_error="CONTINUE")),
    row("own", action(stage="NodeReady", on_error="CONTINUE")),
    row("token", logs(on_error="CONTINUE", location=UNKNOWN)),
)
def test_a_mount_that_a_job_may_miss_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


# All of them.


@table(
    row("none", together(actions=())),
    row("20", together(actions=many(20))),
    row("20 of each", together(actions=(*many(20), *many(20, "NodeReady")))),
    row("21", together(actions=many(21)), "PCS910"),
    row("21 that are ready", together(actions=many(21, "NodeReady")), "PCS910"),
    row("policy", together(script_caching_policy="CACHE_ONCE")),
    row("policy of nothing", together(actions=(), script_caching_policy="CACHE_ONCE"), "PCS911"),
    row("same name", together(actions=(action(), action())), "PCS913"),
    row("same name in the other stage", together(actions=(action(), ready()))),
    row("other capitals", together(actions=(action(name="a"), action(name="A")))),
    row("two names twice", together(actions=(*many(2), *many(2))), "PCS913", "PCS913"),
)
def test_the_actions_of_a_stage_are_few_and_differ(facts, codes) -> None:
    assert errors(facts) == codes


every = partial(action, execution_policy="EVERY_BOOT")
refreshed = partial(together, script_caching_policy="REFRESH_ON_REBOOT")


@table(
    row("cached", together(script_caching_policy="CACHE_ONCE")),
    row("refreshed, and one runs again", refreshed(actions=(ready(), every()))),
    row("refreshed, and none runs again", refreshed(), "PCS923"),
    row("refreshed, none there", refreshed(actions=())),
    row("latest", together(actions=(latest(),)), "PCS923"),
    row(
        "latest, cached",
        together(actions=(latest(),), script_caching_policy="CACHE_ONCE"),
        "PCS923",
    ),
    row("latest, refreshed", refreshed(actions=(latest(execution_policy="EVERY_BOOT"),))),
)
def test_what_is_refreshed_in_vain_or_not_at_all_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("logs, mounts, own", together(actions=(logs(), mount(), lustre(), action()))),
    row("logs after another", together(actions=(mount(), logs())), "PCS926"),
    row("logs when ready", together(actions=(logs(stage="NodeReady"), action())), "PCS926"),
    row("logs when ready, alone", together(actions=(logs(stage="NodeReady"),))),
    row("given the other way round", together(actions=(ready(), logs()))),
    row("mount after own", together(actions=(action(), mount())), "PCS926"),
    row("two after own", together(actions=(action(), mount(), homes())), "PCS926", "PCS926"),
    row("mount after own when ready", together(actions=(ready(), mount()))),
    row("mount after LDAP", together(actions=(ldap(), mount()))),
    row("tokens", together(actions=(action(location=UNKNOWN), mount())), "PCS926"),
)
def test_an_order_in_vain_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


allowed = action(permissions=True)


@table(
    row("granted", together(actions=(allowed,))),
    row(
        "not granted",
        together(actions=(mount(permissions=True), action(), ready(permissions=True)), role=False),
        *["PCS927"] * 2,
    ),
    row("not needed", together(role=False)),
    row("token", together(actions=(action(location=UNKNOWN),), role=False)),
)
def test_a_permission_that_cannot_be_granted_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@pytest.mark.parametrize("facts", [mount(), lustre(), homes(), ldap()], ids=lambda f: f.script)
def test_the_arguments_that_a_fix_names_are_valid(facts: LifecycleActionFacts) -> None:
    (problem,) = errors_in(replace(facts, arguments=()))
    named = [word.strip("' ") for word in problem.fix.partition(": ")[2].split("', '")]
    assert named
    assert errors(replace(facts, arguments=tuple(named))) == []
