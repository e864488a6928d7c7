"""Node lifecycle actions: scripts that AWS PCS runs on nodes as they start."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pcs as cfn
from aws_cdk import aws_s3_assets as assets

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.tokens import known, without_tokens
from pcs_constructs.model.annotations import fields_of, judge_fields, judged
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aws_cdk import aws_s3 as s3
    from constructs import Construct


_MAINTAINED: Final = re.compile(r"s3://aws-pcs-repo-[^/]+/aws-pcs-node-lifecycle-scripts/(.*)")


class LifecycleStage(Enum):
    """When AWS PCS runs the script of a lifecycle action.

    Source: `NodeLifecycleStages` of `AWS::PCS::ComputeNodeGroup`.
    """

    NODE_BOOTSTRAPPED = "NodeBootstrapped"
    """When the node is set up and Slurm's daemon has not started, so before any job."""

    NODE_READY = "NodeReady"
    """When the node has registered with the controller. A job may start before the script ends."""


class OnError(Enum):
    """What becomes of a node when a script cannot be downloaded, or fails.

    Source: `OnError` of `AWS::PCS::ComputeNodeGroup`.
    """

    TERMINATE = "TERMINATE"
    """The node is ended, and AWS PCS starts another."""

    STOP_SEQUENCE = "STOP_SEQUENCE"
    """The rest of the stage is left out, and the node goes on: to find out what is wrong."""

    CONTINUE = "CONTINUE"
    """The next script runs."""


class ExecutionPolicy(Enum):
    """At which boots of a node a script runs.

    Source: `ExecutionPolicy` of `AWS::PCS::ComputeNodeGroup`.
    """

    FIRST_BOOT_ONLY = "FIRST_BOOT_ONLY"
    """At the first."""

    EVERY_BOOT = "EVERY_BOOT"
    """At the first and after every reboot. Such a script must bear to be run again; those that AWS
    maintains do."""


class ScriptCachingPolicy(Enum):
    """How often a node downloads its scripts.

    Source: `ScriptCachingPolicy` of `AWS::PCS::ComputeNodeGroup`.
    """

    CACHE_ONCE = "CACHE_ONCE"
    """At its first boot."""

    REFRESH_ON_REBOOT = "REFRESH_ON_REBOOT"
    """At every boot, which fails the script where it cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleScript:
    """Where the script of a lifecycle action comes from. Build it with one of its factories.

    Nodes download it when they start, and run it as root. Their role gets the permission to, except
    for what is at an HTTPS URL, which must be public.

    Source: Configure node lifecycle actions in AWS PCS, "Script storage locations".
    """

    location: str | None = None
    """The `s3://bucket/key` or HTTPS URL; `None` for a file that is yet to be uploaded."""

    version: str | None = None
    """The version of the S3 object, if it is pinned to one."""

    checksum: str | None = None
    """Its SHA-256 in 64 hexadecimal digits, if that is known."""

    bucket: s3.IBucket | None = None
    """The bucket it is in, where that is a construct."""

    key: str | None = None
    """Its key in that bucket."""

    path: Path | None = None
    """The file that is uploaded, if it is one."""

    def __post_init__(self) -> None:
        judge_fields(self)

    @classmethod
    def from_asset(cls, path: str | Path) -> Self:
        """A file beside the app, which the CDK uploads; its checksum is in the template.

        Nodes may then read every file with this extension in the bucket of the CDK's assets, as
        nodes that are there already need the file of an earlier deployment.

        Args:
            path: The file, at most 2 MiB; a relative path starts at the directory the app is run
                in.

        Raises:
            PcsValidationError: PCS002, PCS003, PCS917, when it is no such file.
        """
        given = Arguments(LifecycleScript.from_asset, locals())
        if not given.problems:
            given.literal("path", str(path), "scripts/setup.sh")
        given.refuse("LifecycleScript.from_asset")
        file = Path(path).resolve()
        size = file.stat().st_size if file.is_file() else None
        facts = rules.ScriptFileFacts(
            path=str(path), bytes=size, directory=file.is_dir(), extension=bool(file.suffix)
        )
        given.problems.extend(rules.errors_in(facts))
        given.refuse("LifecycleScript.from_asset")
        return cls(path=file, checksum=hashlib.sha256(file.read_bytes()).hexdigest())

    @classmethod
    @judged
    def from_bucket(
        cls,
        bucket: s3.IBucket,
        key: str,
        *,
        version: str | None = None,
        checksum: str | None = None,
    ) -> Self:
        """An object in a bucket of yours, in the Region of the cluster.

        Args:
            bucket: The bucket.
            key: The key of the object, such as `scripts/setup.sh`.
            version: The version of the object. By default the latest.
            checksum: What `sha256sum` prints of it. By default it is not verified.

        Raises:
            PcsValidationError: PCS003, when an argument is of a wrong type.
        """
        return cls(
            location=f"s3://{bucket.bucket_name}/{key}",
            version=version,
            checksum=checksum,
            bucket=bucket,
            key=key,
        )

    @classmethod
    @judged
    def from_url(cls, url: str, *, checksum: str | None = None) -> Self:
        """A script at an HTTPS URL that everybody can read, or an object in a bucket by its name.

        Nodes need a way to the internet for HTTPS. For a bucket whose objects are encrypted with a
        key of its owner's, grant the node group the key.

        Args:
            url: Such as `https://example.com/setup.sh` or `s3://bucket/setup.sh`.
            checksum: What `sha256sum` prints of it. By default it is not verified.

        Raises:
            PcsValidationError: PCS003, when an argument is of a wrong type.
        """
        return cls(location=url, checksum=checksum)

    @classmethod
    def maintained(cls, name: str, *, version: str = "1.0.0", checksum: str | None = None) -> Self:
        """A script that AWS maintains, from its bucket in the Region of the nodes.

        There are `mount-efs`, `mount-fsx-lustre`, `configure-efs-homes`, `configure-ldaps` and
        `configure-cloudwatch-logs`. They install nothing: what each needs must be in the image. The
        role gets the permissions that AWS documents for them.

        Args:
            name: The name of the script.
            version: Its version, whose content never changes. By default the first there was.
            checksum: What is in the file beside it that ends in `.sha256`. By default it is not
                verified.

        Raises:
            PcsValidationError: PCS002, PCS003, when an argument is no text or not known.

        Source: Use AWS-maintained scripts for node lifecycle actions in AWS PCS.
        """
        given = Arguments(LifecycleScript.maintained, locals())
        given.literal("name", name, "mount-efs")
        given.literal("version", version, "1.0.0")
        given.refuse("LifecycleScript.maintained")
        return cls(location=_in_repository(f"{name}-v{version}.sh"), checksum=checksum)

    @classmethod
    def maintained_latest(cls, name: str) -> Self:
        """The latest release 1.x of a script that AWS maintains, whatever that is when nodes start.

        Args:
            name: The name of the script.

        Raises:
            PcsValidationError: PCS002, PCS003, when it is no text or not known.
        """
        given = Arguments(LifecycleScript.maintained_latest, locals())
        given.literal("name", name, "mount-efs")
        given.refuse("LifecycleScript.maintained_latest")
        return cls(location=_in_repository(f"{name}-v1-latest.sh"))

    @property
    def maintained_file(self) -> str | None:
        """What a script that AWS maintains is called in its bucket, `mount-efs-v1.0.0.sh`."""
        (masked,) = without_tokens((self.location or "",))
        match = _MAINTAINED.fullmatch(masked)
        return match[1] if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleAction:
    """A script that AWS PCS runs on each node as it starts.

    The actions of a stage run in the order in which a node group has them. All of them and Slurm's
    start take about 30 minutes at the most: what installs for longer than five belongs in the
    image. Nothing is run twice after a failure, and no script may reboot the node. Changing an
    action drains and replaces nodes. It takes the PCS agent 1.5.0-1 or newer in the image.

    Args:
        name: The name, 1 to 64 letters, digits, spaces, `_` and `-`. The log on the node,
            `/var/log/amazon/pcs/lifecycle/actions/<stage>/<name>.log`, is named after it.
        script: Where the script comes from.
        stage: When it runs. By default before Slurm's daemon starts, so before any job.
        arguments: What the script is given, each at most 256 characters; no secrets, which
            everybody could read. By default nothing.
        on_error: What becomes of the node when it fails. By default the node is ended.
        execution_policy: At which boots it runs. By default at the first.

    Raises:
        PcsValidationError: when an argument is of a wrong type. What else is wrong with it, its
            node group tells.

    Source: Run custom scripts with node lifecycle actions in AWS PCS.
    """

    name: str
    """The name."""

    script: LifecycleScript
    """Where the script comes from."""

    stage: LifecycleStage = LifecycleStage.NODE_BOOTSTRAPPED
    """When it runs."""

    arguments: Sequence[str] = ()
    """What the script is given."""

    on_error: OnError = OnError.TERMINATE
    """What becomes of the node when it fails."""

    execution_policy: ExecutionPolicy = ExecutionPolicy.FIRST_BOOT_ONLY
    """At which boots it runs."""

    def __post_init__(self) -> None:
        given = Arguments(LifecycleAction, fields_of(self))
        given.literal("name", self.name, "Mount home")
        arguments = given.items("arguments", self.arguments)
        given.refuse("LifecycleAction")
        object.__setattr__(self, "arguments", arguments)  # not a list that may still change


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The lifecycle actions of a node group that is not attached yet, so its problems come first.

    A node group judges them together with its own arguments. Without actions nothing here calls the
    CDK.
    """

    actions: tuple[LifecycleAction, ...] = ()
    script_caching_policy: ScriptCachingPolicy | None = None

    def facts(self, *, role: bool = True) -> tuple[object, ...]:
        """What the rules are to judge, if permissions can be granted to the nodes, or cannot."""
        policy = self.script_caching_policy
        if not self.actions and policy is None:
            return ()
        actions = tuple(_facts_of(action) for action in self.actions)
        together = rules.LifecycleFacts(
            actions=actions, script_caching_policy=policy.value if policy else None, role=role
        )
        return (*actions, together)

    def attach(self, scope: Construct) -> AttachedLifecycle:
        """Upload what is to be uploaded, as children of the node group."""
        uploads: dict[Path, assets.Asset] = {}
        taken: set[str] = set()
        for action in self.actions:
            path = action.script.path
            if path is not None and path not in uploads:
                uploads[path] = assets.Asset(
                    scope, _construct_id(action.name, taken), path=str(path)
                )
        return AttachedLifecycle(lifecycle=self, uploads=uploads)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedLifecycle:
    """The lifecycle actions of a node group that is there, with what they uploaded."""

    lifecycle: Lifecycle
    uploads: Mapping[Path, assets.Asset]

    @property
    def actions(self) -> cfn.CfnComputeNodeGroup.NodeLifecycleActionsProperty | None:
        """What the node group says of them; `None` where there are none."""
        if not self.lifecycle.actions:
            return None
        stages = {stage: self._scripts_of(stage) for stage in LifecycleStage}
        policy = self.lifecycle.script_caching_policy or ScriptCachingPolicy.CACHE_ONCE
        return cfn.CfnComputeNodeGroup.NodeLifecycleActionsProperty(
            script_caching_policy=policy.value,
            stages=cfn.CfnComputeNodeGroup.NodeLifecycleStagesProperty(
                # AWS PCS refuses empty lists.
                node_bootstrapped=stages[LifecycleStage.NODE_BOOTSTRAPPED] or None,
                node_ready=stages[LifecycleStage.NODE_READY] or None,
            ),
        )

    def _scripts_of(
        self, stage: LifecycleStage
    ) -> list[cfn.CfnComputeNodeGroup.NodeLifecycleScriptProperty]:
        return [
            cfn.CfnComputeNodeGroup.NodeLifecycleScriptProperty(
                name=action.name,
                script_source=cfn.CfnComputeNodeGroup.ScriptSourceProperty(
                    script_location=self._location_of(action.script),
                    s3_version_id=action.script.version,
                    checksum=action.script.checksum,
                ),
                arguments=list(action.arguments) or None,
                on_error=action.on_error.value,
                execution_policy=action.execution_policy.value,
            )
            for action in self.lifecycle.actions
            if action.stage is stage
        ]

    def _location_of(self, script: LifecycleScript) -> str:
        if script.path is not None:
            return self.uploads[script.path].s3_object_url
        return script.location or ""

    def grants(self, cluster_id: str) -> tuple[Callable[[iam.IGrantable], iam.Grant], ...]:
        """What lets nodes download their scripts, and do what those that AWS maintains do.

        Args:
            cluster_id: The cluster of the nodes, which the group of their logs is named after.
        """
        # Not the one object: nodes that are there already need the one before.
        kinds = {path.suffix: upload for path, upload in self.uploads.items()}
        grants = [_grant_read(upload.bucket, f"*{suffix}") for suffix, upload in kinds.items()]
        wanted: dict[str, dict[str, None]] = {}
        objects: dict[tuple[s3.IBucket, str | None], None] = {}
        for action in self.lifecycle.actions:
            script = action.script
            if script.bucket is not None:
                objects[script.bucket, script.key] = None
            for actions, resource in _permissions(action, cluster_id):
                wanted.setdefault(actions, {})[resource] = None
        grants += [_grant_read(bucket, key) for bucket, key in objects]
        grants += [
            _grant(actions.split(), list(resources)) for actions, resources in wanted.items()
        ]
        return tuple(grants)


def _grant_read(bucket: s3.IBucket, key: str | None) -> Callable[[iam.IGrantable], iam.Grant]:
    return lambda grantee: bucket.grant_read(grantee, key)


def _grant(actions: list[str], resources: list[str]) -> Callable[[iam.IGrantable], iam.Grant]:
    return lambda grantee: iam.Grant.add_to_principal(
        grantee=grantee, actions=actions, resource_arns=resources
    )


def _facts_of(action: LifecycleAction) -> rules.LifecycleActionFacts:
    script = action.script
    return rules.LifecycleActionFacts(
        name=action.name,
        stage=action.stage.value,
        location=UNKNOWN if script.location is None else known(script.location),
        version=known(script.version),
        checksum=known(script.checksum),
        maintained=script.maintained_file,
        arguments=tuple(known(argument) for argument in action.arguments),
        on_error=action.on_error.value,
        execution_policy=action.execution_policy.value,
        permissions=script.path is not None or script.bucket is not None or _in_s3(script),
    )


def _permissions(action: LifecycleAction, cluster_id: str) -> Iterator[tuple[str, str]]:
    """The actions that a script takes, and the resource: of what is not a construct of the app."""
    script = action.script
    file = script.maintained_file
    if _in_s3(script) and script.location is not None:
        place = script.location.removeprefix("s3://")
        if file is not None:  # any release: one may follow another while nodes start
            place = f"{place.removesuffix(file)}*"
        yield "s3:GetObject", f"arn:{cdk.Aws.PARTITION}:s3:::{place}"
    name = _facts_of(action).script
    if name is None:
        return
    given = {f: v for f, v in rules.flag_values(name, action.arguments).items() if v}
    here = f"{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    file_system = given.get("--file-system-id") or given.get("--efs-id")
    if file_system and "iam" in given.get("--options", "tls,iam").split(","):
        yield (
            "elasticfilesystem:ClientMount elasticfilesystem:ClientWrite",
            f"arn:{cdk.Aws.PARTITION}:elasticfilesystem:{here}:file-system/{file_system}",
        )
    if secret := given.get("--secret-arn"):
        yield "secretsmanager:GetSecretValue", secret
        (masked,) = without_tokens((secret,))
        if ":secret:" in masked:  # it may lack what Secrets Manager adds to the name
            yield "secretsmanager:GetSecretValue", f"{secret}-??????"
    if name == "configure-cloudwatch-logs":
        group = given.get("--log-group-name", f"/aws/pcs/{cluster_id}/lifecycle")
        for suffix in ("", ":*"):  # the group, and what is in it
            yield (
                "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
                f"arn:{cdk.Aws.PARTITION}:logs:{here}:log-group:{group}{suffix}",
            )


def _in_s3(script: LifecycleScript) -> bool:
    """Whether it is an object in a bucket that is known by its name only."""
    location = script.location or ""
    return script.bucket is None and location.startswith("s3://")


def _in_repository(file: str) -> str:
    return f"s3://aws-pcs-repo-{cdk.Aws.REGION}/aws-pcs-node-lifecycle-scripts/{file}"


def _construct_id(name: str, taken: set[str]) -> str:
    """The name in PascalCase, so that it stays the same wherever the action is in the order."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    first = "".join(word[0].upper() + word[1:] for word in words) + "Script"
    construct_id, number = first, 1
    while construct_id in taken:
        number += 1
        construct_id = f"{first}{number}"
    taken.add(construct_id)
    return construct_id
