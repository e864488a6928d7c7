"""Rules for node lifecycle actions."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

T = TypeVar("T")

_STAGES: Final = ("NodeBootstrapped", "NodeReady")
_MOST_SCRIPTS: Final = 20
_MOST_ARGUMENTS: Final = 20
_LONGEST_ARGUMENT: Final = 256
_LONGEST_LOCATION: Final = 1024
_LARGEST_SCRIPT: Final = 2 * 1024 * 1024

# The pattern of the API. That of CloudFormation's schema takes any text after `https://`.
_LOCATION: Final = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+"
    r"|https://([a-zA-Z0-9](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}(?::[0-9]{1,5})?"
    r"(?:[/?#][^\s]*)?"
)
_RELEASE: Final = re.compile(r"([a-z0-9-]+)-v([0-9]+(?:\.[0-9]+\.[0-9]+|-latest))\.sh")

_CREDENTIAL: Final = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\{\{resolve:(?:secretsmanager|ssm-secure):|[?&]X-Amz-Signature="
)
_NAMED_SECRET: Final = re.compile(
    r"(?:-{1,2}[\w-]*|(?=[\w-]+[=:])[\w-]*)"
    r"(?:password|passwd|passphrase|secret[-_]?access[-_]?key|client[-_]?secret|api[-_]?key|token)"
    r"(?:[=:](?!arn:).*)?",
    re.I | re.S,
)


class _Flag(NamedTuple):
    """A flag of a script that AWS maintains."""

    pattern: str
    example: str
    required: bool = False


_EFS: Final = _Flag(r"fs-[0-9a-f]{8,40}", "fs-0123456789abcdef0", required=True)
_PATH: Final = _Flag(r"/\S+", "/shared")
_OPTIONS: Final = _Flag(r"\S+", "tls,iam")

_LOGS: Final = "configure-cloudwatch-logs"
_MOUNTS: Final = ("mount-efs", "mount-fsx-lustre", "configure-efs-homes")
_FLAGS: Final[Mapping[str, Mapping[str, _Flag]]] = {
    "mount-efs": {
        "--file-system-id": _EFS,
        "--mount-point": _PATH._replace(required=True),
        "--options": _OPTIONS,
    },
    "mount-fsx-lustre": {
        "--fsx-dns-name": _Flag(
            r"(?:fs|fc)i?-[0-9a-f]{8,}\.\S{4,253}",
            "fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com",
            required=True,
        ),
        "--mount-name": _Flag(r"[A-Za-z0-9_-]{1,8}", "a1b2cbev", required=True),
        "--mount-point": _PATH._replace(required=True),
        "--options": _OPTIONS,
    },
    "configure-efs-homes": {"--efs-id": _EFS, "--home-base": _PATH, "--options": _OPTIONS},
    "configure-ldaps": {
        "--ldap-uri": _Flag(r"ldaps?://\S+", "ldaps://ldap.example.com", required=True),
        "--search-base": _Flag(r".*\S.*", "dc=example,dc=com", required=True),
        "--secret-arn": _Flag(
            r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:\S+",
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:ldap-a1b2c3",
        ),
        "--tls-cacert": _PATH._replace(example="/etc/ssl/certs/ca.pem"),
    },
    _LOGS: {"--log-group-name": _Flag(r"[.\-_/#A-Za-z0-9]{1,512}", "/aws/pcs/lifecycle")},
}


@facts_record
class ScriptFileFacts:
    """What a path shows that a script is to be uploaded from."""

    path: str
    bytes: int | None
    """The size of the file; `None` where there is no file."""
    directory: bool = False
    extension: bool = True
    """Whether its name has one."""


@error("PCS917", ScriptFileFacts)
def script_file_can_be_run(facts: ScriptFileFacts) -> Iterator[Violation]:
    """A script that is uploaded from a path is a file of at most 2 MiB.

    A relative path starts at the directory that the app is run in. The PCS agent rejects larger
    scripts: put what is large beside the script, and let the script fetch it.

    Source: Configure node lifecycle actions in AWS PCS, "Script storage locations".
    """
    if facts.directory:
        yield Violation("path", f"{facts.path!r} is a directory", "give the path of one script")
    elif facts.bytes is None:
        yield Violation(
            "path",
            f"there is no file {facts.path!r}",
            "name it from where your module is: Path(__file__).with_name('setup.sh')",
        )
    elif not facts.extension:
        yield Violation(
            "path",
            f"{facts.path!r} has no extension, and nodes may read all assets with the same one",
            "give it one, such as .sh",
        )
    elif facts.bytes > _LARGEST_SCRIPT:
        yield Violation(
            "path",
            f"{facts.path!r} has {facts.bytes} bytes, and AWS PCS takes {_LARGEST_SCRIPT}",
            "let the script fetch what is large, or put that into the image",
        )


@facts_record
class LifecycleActionFacts:
    """What one lifecycle action shows."""

    name: str
    stage: str = _STAGES[0]
    location: str | Unknown = UNKNOWN
    version: str | Unknown | None = None
    """The version of the S3 object."""
    checksum: str | Unknown | None = None
    maintained: str | None = None
    """What a script that AWS maintains is called in its bucket, such as `mount-efs-v1.0.0.sh`."""
    arguments: tuple[str | Unknown, ...] = ()
    on_error: str = "TERMINATE"
    execution_policy: str = "FIRST_BOOT_ONLY"
    permissions: bool = False
    """Whether the role of the nodes needs permissions for it: for all that is in S3."""

    @property
    def script(self) -> str | None:
        """The name of a script that AWS maintains, such as `mount-efs`."""
        match = _RELEASE.fullmatch(self.maintained or "")
        return match[1] if match else None

    @property
    def floats(self) -> bool:
        """Whether it is whatever release of a script that AWS maintains is the latest."""
        return self.maintained is not None and self.maintained.endswith("-latest.sh")


@error("PCS912", LifecycleActionFacts)
def action_name_is_valid(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A lifecycle action has a name of 1 to 64 letters, digits, spaces, `_` and `-`.

    It starts with a letter or a digit. The log of the script on the node is named after it.

    Source: `NodeLifecycleScript` of the API.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,63}", facts.name):
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} is not the name of an action",
            "use 1 to 64 letters, digits, spaces, '_' and '-', starting with a letter or digit",
        )


@error("PCS914", LifecycleActionFacts)
def action_arguments_are_few_and_short(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A lifecycle action has at most 20 arguments, of at most 256 characters each.

    Source: `NodeLifecycleScript` of the API.
    """
    if len(facts.arguments) > _MOST_ARGUMENTS:
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} has {len(facts.arguments)} arguments",
            f"pass at most {_MOST_ARGUMENTS}, or one that names a file in S3",
        )
    for position, argument in enumerate(facts.arguments, start=1):
        if argument is not UNKNOWN and len(argument) > _LONGEST_ARGUMENT:
            yield Violation(
                "lifecycle_actions",
                f"argument {position} of {facts.name!r} has {len(argument)} characters",
                f"keep it to {_LONGEST_ARGUMENT}, or put the text where the script can fetch it",
            )


@error("PCS915", LifecycleActionFacts)
def script_location_is_one_that_pcs_takes(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A script is at `s3://bucket/key` or `https://host/path`, in at most 1,024 characters.

    With HTTPS the host has a name, not an address, nobody has to log in there, and nodes need a way
    to the internet. Only an object in S3 has a version.

    Source: `ScriptSource` of the API; Configure node lifecycle actions in AWS PCS, "Script storage
    locations".
    """
    location = facts.location
    if location is UNKNOWN:
        return
    if not _LOCATION.fullmatch(location):
        yield Violation(
            "lifecycle_actions",
            f"the script of {facts.name!r} is at {location[:80]!r}",
            "write s3://bucket/key or https://host/path",
        )
    elif len(location) > _LONGEST_LOCATION:
        yield Violation(
            "lifecycle_actions",
            f"the location of the script of {facts.name!r} has {len(location)} characters",
            f"keep it to {_LONGEST_LOCATION}",
        )
    if facts.version is not None and not location.startswith("s3://"):
        yield Violation(
            "lifecycle_actions",
            f"the script of {facts.name!r} has a version and is not in S3",
            "leave the version out, and give a checksum",
        )


@error("PCS916", LifecycleActionFacts)
def script_checksum_is_sha256(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A checksum is SHA-256, in 64 hexadecimal digits.

    `sha256sum setup.sh` prints it before the name of the file. Nodes refuse a script that has
    another one.

    Source: `ScriptSource` of the API.
    """
    checksum = facts.checksum
    if isinstance(checksum, str) and not re.fullmatch(r"[a-fA-F0-9]{64}", checksum):
        yield Violation(
            "lifecycle_actions",
            f"the checksum of {facts.name!r} is {checksum[:70]!r}",
            "give the first word of what sha256sum prints: 64 hexadecimal digits",
        )


@error("PCS918", LifecycleActionFacts)
def maintained_script_names_a_release(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A script that AWS maintains is named with a whole version, such as 1.0.0.

    In its bucket it is called `mount-efs-v1.0.0.sh`, and the latest release of a major version
    `mount-efs-v1-latest.sh`. There is no other name.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
    """
    if facts.maintained is not None and facts.script is None:
        yield Violation(
            "lifecycle_actions",
            f"the script of {facts.name!r} would be {facts.maintained!r}",
            "write LifecycleScript.maintained('mount-efs', version='1.0.0')",
            template_fix="write the name of a release, such as mount-efs-v1.0.0.sh",
        )


@error("PCS919", LifecycleActionFacts)
def maintained_script_has_what_it_requires(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A script that AWS maintains is given every argument that it requires.

    `mount-efs`: `--file-system-id`, `--mount-point`. `mount-fsx-lustre`: `--fsx-dns-name`,
    `--mount-name`, `--mount-point`. `configure-efs-homes`: `--efs-id`. `configure-ldaps`:
    `--ldap-uri`, `--search-base`. Each flag and its value are two arguments.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS, "Script arguments".
    """
    flags = _FLAGS.get(facts.script or "", {})
    given = flag_values(facts.script, facts.arguments)
    if any(stray is UNKNOWN for _, stray in _strays(facts)):  # it may be any flag
        return
    if missing := [name for name, flag in flags.items() if flag.required and name not in given]:
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} runs {facts.script} without {', '.join(missing)}",
            "add to arguments: "
            + ", ".join(f"{name!r}, {flags[name].example!r}" for name in missing),
        )


@error("PCS920", LifecycleActionFacts)
def maintained_script_arguments_are_valid(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """What a script that AWS maintains is given has the form that it expects.

    File systems go by their IDs, Lustre by its DNS name and mount name; paths are absolute; the
    server of a directory is at `ldap://` or `ldaps://`, its credentials at the ARN of a secret.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS, "Script arguments".
    """
    flags = _FLAGS.get(facts.script or "", {})
    for name, value in flag_values(facts.script, facts.arguments).items():
        if value is not UNKNOWN and not re.fullmatch(flags[name].pattern, value or ""):
            yield Violation(
                "lifecycle_actions",
                f"{name} of {facts.name!r} " + (f"is {value!r}" if value else "has no value"),
                f"write one like {flags[name].example!r}, as an argument of its own",
            )


@advice("PCS921", LifecycleActionFacts)
def maintained_script_is_documented(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A script that AWS maintains is one of the user guide's, with arguments that are in there.

    What a script does with an argument that it does not know is not documented. AWS may have added
    scripts and arguments since: acknowledge this then.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
    """
    script = facts.script
    if script is not None and script not in _FLAGS:
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} runs {script!r}, which is not in the guide",
            f"check the spelling: there are {', '.join(_FLAGS)}",
        )
    for position, stray in _strays(facts):
        if stray is not UNKNOWN and script is not None:
            yield Violation(  # not with its text, which could be a password
                "lifecycle_actions",
                f"argument {position} of {facts.name!r} is no flag of {script}, nor a flag's value",
                f"pass flags and values one by one; there are {', '.join(_FLAGS[script])}",
            )


@advice("PCS922", LifecycleActionFacts)
def script_is_pinned(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """What nodes run as root cannot change unseen.

    A checksum pins a script, and so does the version of an S3 object, or a whole version of a
    script that AWS maintains, whose content never changes. `from_asset` gives a checksum by itself.
    The user guide recommends checksums in production, and against the latest release there.

    Source: Best practices for node lifecycle actions in AWS PCS; Use AWS-maintained scripts for
    node lifecycle actions in AWS PCS, "Reference a script".
    """
    if facts.checksum is not None or facts.version is not None:
        return
    if facts.floats:
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} runs whatever release is the latest",
            f"name one: LifecycleScript.maintained({facts.script!r}, version='1.0.0')",
            template_fix=f"name a whole release, such as {facts.script}-v1.0.0.sh",
        )
    elif facts.maintained is None:
        yield Violation(
            "lifecycle_actions",
            f"nothing tells whether the script of {facts.name!r} was changed",
            "give checksum=, what sha256sum prints of it, or the version of the S3 object",
            template_fix="add Checksum, what sha256sum prints of it, or S3VersionId",
        )


@advice("PCS924", LifecycleActionFacts)
def action_holds_no_secret(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """The arguments of a lifecycle action hold no password, key or token.

    They are seen in the template, in what the API answers and in the console. A signed URL is such
    a secret too, and it expires.

    Source: Best practices for node lifecycle actions in AWS PCS.
    """
    places = [(f"argument {i}", argument) for i, argument in enumerate(facts.arguments, start=1)]
    for place, text in (*places, ("the location", facts.location)):
        if text is not UNKNOWN and (_CREDENTIAL.search(text) or _NAMED_SECRET.fullmatch(text)):
            yield Violation(
                "lifecycle_actions",
                f"{place} of {facts.name!r} seems to be a secret, or to announce one",
                "let the script read it from Secrets Manager, with the node group's role",
            )


@advice("PCS925", LifecycleActionFacts)
def mounts_are_there_before_jobs(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """A node takes no job before its file systems are mounted, and none if that fails.

    So mounts are in the stage `NODE_BOOTSTRAPPED`, and end the node when they fail. In `NODE_READY`
    a job may be there first. After `CONTINUE` or `STOP_SEQUENCE` the node starts Slurm all the
    same, and a job finds an empty directory. The tutorial has `CONTINUE`, so that a node is left to
    look at; acknowledge this for the same reason.

    Source: Configure node lifecycle actions in AWS PCS, "Error handling"; Run custom scripts with
    node lifecycle actions in AWS PCS, "Lifecycle stages".
    """
    if facts.script not in _MOUNTS:
        return
    if facts.stage != _STAGES[0]:
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} mounts when jobs may have started",
            "give it stage=LifecycleStage.NODE_BOOTSTRAPPED",
            template_fix="put it into NodeBootstrapped",
        )
    if facts.on_error != "TERMINATE":
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} mounts, and leaves a node that could not, with {facts.on_error}",
            "give it on_error=OnError.TERMINATE",
            template_fix="write OnError: TERMINATE",
        )


@facts_record
class LifecycleFacts:
    """What the lifecycle actions of a node group show together."""

    actions: tuple[LifecycleActionFacts, ...] = ()
    script_caching_policy: str | None = None
    role: bool = True
    """Whether permissions can be granted to the nodes."""

    def of(self, stage: str) -> tuple[LifecycleActionFacts, ...]:
        """The actions of a stage, in their order."""
        return tuple(action for action in self.actions if action.stage == stage)


@error("PCS910", LifecycleFacts)
def stages_have_few_actions(facts: LifecycleFacts) -> Iterator[Violation]:
    """A stage has at most 20 lifecycle actions.

    Source: `NodeLifecycleStages` of the API.
    """
    for stage in _STAGES:
        if (count := len(facts.of(stage))) > _MOST_SCRIPTS:
            yield Violation(
                "lifecycle_actions",
                f"{count} of them are in {stage}",
                f"keep to {_MOST_SCRIPTS}: let one script call another",
            )


@error("PCS911", LifecycleFacts)
def caching_policy_has_actions(facts: LifecycleFacts) -> Iterator[Violation]:
    """How scripts are cached is said where there are lifecycle actions.

    Source: `NodeLifecycleActions` of the API, which requires `stages`.
    """
    if facts.script_caching_policy is not None and not facts.actions:
        yield Violation(
            "script_caching_policy",
            "is given without lifecycle actions",
            "leave it out, or give the actions as well",
        )


@error("PCS913", LifecycleFacts)
def action_names_differ(facts: LifecycleFacts) -> Iterator[Violation]:
    """The names of lifecycle actions differ within a stage.

    The API asks for unique names. Whether one may come back in the other stage is not documented,
    and not judged; there the logs are in another directory.

    Source: `NodeLifecycleScript` of the API.
    """
    for stage in _STAGES:
        for name, count in Counter(action.name for action in facts.of(stage)).items():
            if count > 1:
                yield Violation(
                    "lifecycle_actions",
                    f"{count} of them in {stage} have the name {name!r}",
                    "give each a name of its own",
                )


@advice("PCS923", LifecycleFacts)
def refreshed_scripts_run_again(facts: LifecycleFacts) -> Iterator[Violation]:
    """What a node downloads again at a reboot also runs again.

    With `REFRESH_ON_REBOOT` a node downloads its scripts at each boot, but runs only those with
    `EVERY_BOOT` again. The latest release of a script that AWS maintains goes with it: with
    `CACHE_ONCE` each node keeps the release that was the latest when it started.

    Source: Configure node lifecycle actions in AWS PCS, "Script caching and updates"; Use
    AWS-maintained scripts for node lifecycle actions in AWS PCS, "Reference a script".
    """
    if facts.script_caching_policy == "REFRESH_ON_REBOOT":
        if facts.actions and not any(a.execution_policy == "EVERY_BOOT" for a in facts.actions):
            yield Violation(
                "script_caching_policy",
                "downloads scripts at each boot, and none of them runs again",
                "leave it out, or give actions execution_policy=ExecutionPolicy.EVERY_BOOT",
                template_fix="leave it out, or set ExecutionPolicy of actions to EVERY_BOOT",
            )
        return
    for action in facts.actions:
        if action.floats:
            yield Violation(
                "script_caching_policy",
                f"keeps the release of {action.name!r} that was the latest when a node started",
                "give script_caching_policy=ScriptCachingPolicy.REFRESH_ON_REBOOT, or a version",
                template_fix="set ScriptCachingPolicy to REFRESH_ON_REBOOT, or name a version",
            )


@advice("PCS926", LifecycleFacts)
def actions_are_in_a_useful_order(facts: LifecycleFacts) -> Iterator[Violation]:
    """Logs are forwarded before anything else runs, and file systems mounted before they are used.

    Actions of a stage run in the order in which they are given. What runs before
    `configure-cloudwatch-logs` and ends the node has its log end with it. Mounts go before scripts
    of yours; acknowledge this for a script that installs what mounting takes.

    Source: Create compute node group for login nodes in AWS PCS; Best practices for node lifecycle
    actions in AWS PCS.
    """
    in_order = [action for stage in _STAGES for action in facts.of(stage)]
    for action in in_order[1:]:
        if action.script == _LOGS:
            yield Violation(
                "lifecycle_actions",
                f"{action.name!r} forwards logs and runs after {in_order[0].name!r}",
                "put it first, in LifecycleStage.NODE_BOOTSTRAPPED",
                template_fix="put it first, in NodeBootstrapped",
            )
    for stage in _STAGES:
        own = None
        for action in facts.of(stage):
            if action.maintained is None:
                own = own or action
            elif own is not None and action.script in _MOUNTS:
                yield Violation(
                    "lifecycle_actions",
                    f"{action.name!r} mounts and runs after {own.name!r}",
                    "put mounts before scripts of yours",
                )


@advice("PCS927", LifecycleFacts)
def nodes_may_do_what_their_actions_do(facts: LifecycleFacts) -> Iterator[Violation]:
    """The role of nodes gets the permissions that their lifecycle actions take.

    An imported instance profile that does not tell its role cannot be given any, and its role has
    to have them already: `s3:GetObject` for each script in S3, and what the user guide names for
    the scripts that AWS maintains.

    Source: Configure node lifecycle actions in AWS PCS, "Script storage locations"; Use
    AWS-maintained scripts for node lifecycle actions in AWS PCS, "Script arguments".
    """
    for action in () if facts.role else facts.actions:
        if action.permissions:
            yield Violation(
                "instance_profile",
                f"the role that is to download {action.name!r} is not known",
                "pass role= to NodeInstanceProfile.from_instance_profile_arn, or acknowledge this",
            )


def flag_values(script: str | None, arguments: Sequence[T]) -> dict[str, T | None]:
    """The values of the flags of a script that AWS maintains; `None` for a flag that is the last.

    What is neither a flag of the script nor the value of one is not in there.
    """
    return {flag: value for _, flag, value in _read(script, arguments) if flag is not None}


def _strays(facts: LifecycleActionFacts) -> list[tuple[int, str | Unknown | None]]:
    """The arguments that are neither a flag of the script nor the value of one, by position."""
    if facts.script not in _FLAGS:
        return []
    return [(i, value) for i, flag, value in _read(facts.script, facts.arguments) if flag is None]


def _read(script: str | None, arguments: Sequence[T]) -> Iterator[tuple[int, str | None, T | None]]:
    """Each position with the flag that is there and its value, or with no flag and a stray."""
    flags = _FLAGS.get(script or "", {})
    rest = iter(enumerate(arguments, start=1))
    for position, argument in rest:
        if isinstance(argument, str) and argument in flags:
            yield position, argument, next(rest, (0, None))[1]
        else:
            yield position, None, argument


@advice("PCS945", LifecycleActionFacts)
def directory_is_named_by_its_name(facts: LifecycleActionFacts) -> Iterator[Violation]:
    """The server of a directory is named by a DNS name, not by an address.

    The address of a node, such as a login node that runs the directory, changes when the node is
    replaced, and nobody can log in to the others any more.

    Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
    """
    uri = flag_values(facts.script, facts.arguments).get("--ldap-uri")
    if isinstance(uri, str) and re.fullmatch(r"ldaps?://[0-9.]+(:\d+)?/?", uri):
        yield Violation(
            "lifecycle_actions",
            f"{facts.name!r} names the directory by its address, {uri}",
            "give the server a name in DNS",
        )
