from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_pcs as cfn
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

import pcs_constructs as pcs
from pcs_constructs import rules
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs.nodes.lifecycle import Lifecycle
from tests.benchmark.round_trips import recorded
from tests.constructs.templates import (
    advised,
    found,
    only,
    properties,
    refused,
    template,
    text_of,
    wrong_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_cdk.assertions import Template

BOOTSTRAPPED, READY = pcs.LifecycleStage.NODE_BOOTSTRAPPED, pcs.LifecycleStage.NODE_READY
SHA256 = "0123456789abcdef" * 4
EFS_ARGUMENTS = ["--file-system-id", "fs-0123456789abcdef0", "--mount-point", "/home"]
REPOSITORY = "/aws-pcs-node-lifecycle-scripts"
REPOSITORY_ARN = (
    f'arn:{{"Ref": "AWS::Partition"}}:s3:::aws-pcs-repo-{{"Ref": "AWS::Region"}}{REPOSITORY}'
)
HERE = '{"Ref": "AWS::Region"}:{"Ref": "AWS::AccountId"}'


@jsii.implements(iam.IGrantable)
class Nodes(Construct):
    """What a node group does with its lifecycle actions, and nothing else."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *actions: pcs.LifecycleAction,
        policy: pcs.ScriptCachingPolicy | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        lifecycle = Lifecycle(actions=actions, script_caching_policy=policy)
        refuse(scope, id, rules.errors_in(*lifecycle.facts()))
        super().__init__(scope, id)
        advise(self, rules.advice_on(*lifecycle.facts()))
        self.role = role or iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")
        )
        attached = lifecycle.attach(self)
        resource = cfn.CfnComputeNodeGroup(
            self,
            "Resource",
            cluster_id="pcs_abc123",
            custom_launch_template=cfn.CfnComputeNodeGroup.CustomLaunchTemplateProperty(
                template_id="lt-0123456789abcdef0", version="1"
            ),
            iam_instance_profile_arn="arn:aws:iam::111122223333:instance-profile/AWSPCS-nodes",
            instance_configs=[{"instanceType": "c7i.xlarge"}],
            scaling_configuration={"minInstanceCount": 0, "maxInstanceCount": 1},
            subnet_ids=["subnet-0123456789abcdef0"],
            node_lifecycle_actions=attached.actions,
        )
        for grant in attached.grants("pcs_abc123"):
            grant(self).apply_before(resource)

    @property
    def grant_principal(self) -> iam.IPrincipal:
        return self.role.grant_principal


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    path = tmp_path / "setup.sh"
    path.write_text("#!/bin/bash\necho set up\n")
    return path


def action(script: pcs.LifecycleScript, name: str = "Set up", **options: Any):
    return pcs.LifecycleAction(name=name, script=script, **options)


def url(where: str = "s3://scripts/setup.sh") -> pcs.LifecycleScript:
    return pcs.LifecycleScript.from_url(where, checksum=SHA256)


def said(made: Template) -> dict[str, Any]:
    """What the one node group says of lifecycle actions."""
    return only(made, "AWS::PCS::ComputeNodeGroup")["NodeLifecycleActions"]


def source(made: Template) -> dict[str, Any]:
    """Where the one script comes from."""
    (stage,) = said(made)["Stages"].values()
    (script,) = stage
    return script["ScriptSource"]


def permissions(made: Template) -> dict[str, set[str]]:
    """The resources of every permission of the role, by action."""
    given: dict[str, set[str]] = {}
    for policy in properties(made, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            for name in [actions] if isinstance(actions, str) else actions:
                for resource in resources if isinstance(resources, list) else [resources]:
                    given.setdefault(name, set()).add(text_of(resource))
    return given


# What a node group says.


def test_an_action_runs_once_before_jobs_and_ends_a_node_that_fails(stack: cdk.Stack) -> None:
    Nodes(stack, "Nodes", action(url()))
    assert said(template(stack)) == {
        "ScriptCachingPolicy": "CACHE_ONCE",
        "Stages": {
            "NodeBootstrapped": [
                {
                    "Name": "Set up",
                    "ScriptSource": {"ScriptLocation": "s3://scripts/setup.sh", "Checksum": SHA256},
                    "OnError": "TERMINATE",
                    "ExecutionPolicy": "FIRST_BOOT_ONLY",
                }
            ]
        },
    }
    assert advised(stack) == set()


def test_everything_that_is_said_of_an_action_is_in_the_template(stack: cdk.Stack) -> None:
    script = pcs.LifecycleScript.from_bucket(
        s3.Bucket.from_bucket_name(stack, "Bucket", "scripts"),
        "a/setup.sh",
        version="v1",
        checksum=SHA256,
    )
    Nodes(
        stack,
        "Nodes",
        action(
            script,
            stage=READY,
            arguments=["--mode", "1777"],
            on_error=pcs.OnError.STOP_SEQUENCE,
            execution_policy=pcs.ExecutionPolicy.EVERY_BOOT,
        ),
        policy=pcs.ScriptCachingPolicy.REFRESH_ON_REBOOT,
    )
    assert said(template(stack)) == {
        "ScriptCachingPolicy": "REFRESH_ON_REBOOT",
        "Stages": {
            "NodeReady": [
                {
                    "Name": "Set up",
                    "ScriptSource": {
                        "ScriptLocation": "s3://scripts/a/setup.sh",
                        "S3VersionId": "v1",
                        "Checksum": SHA256,
                    },
                    "Arguments": ["--mode", "1777"],
                    "OnError": "STOP_SEQUENCE",
                    "ExecutionPolicy": "EVERY_BOOT",
                }
            ]
        },
    }


def test_actions_keep_their_order_within_their_stage(stack: cdk.Stack) -> None:
    places = [("d", READY), ("b", BOOTSTRAPPED), ("a", BOOTSTRAPPED), ("c", READY)]
    Nodes(stack, "Nodes", *(action(url(), name, stage=stage) for name, stage in places))
    stages = said(template(stack))["Stages"]
    names = {stage: [script["Name"] for script in found] for stage, found in stages.items()}
    assert names == {"NodeBootstrapped": ["b", "a"], "NodeReady": ["d", "c"]}


def test_without_actions_nothing_is_said_made_or_asked(stack: cdk.Stack) -> None:
    with recorded() as trips:
        lifecycle = Lifecycle()
        attached = lifecycle.attach(stack)
        assert lifecycle.facts() == ()
        assert attached.actions is None
        assert attached.grants("pcs_abc123") == ()
    assert trips == []


def test_an_action_does_not_follow_a_list_that_changes() -> None:
    arguments = ["a"]
    made = action(url(), arguments=arguments)
    arguments.append("b")
    assert made.arguments == ("a",)
    assert made == action(url(), arguments=("a",))


def test_arguments_may_be_tokens(stack: cdk.Stack) -> None:
    size = cdk.CfnParameter(stack, "Size")
    Nodes(stack, "Nodes", action(url(), arguments=[size.value_as_string, "x" * 256]))
    made = said(template(stack))["Stages"]["NodeBootstrapped"][0]["Arguments"]
    assert made == [{"Ref": "Size"}, "x" * 256]


# Where scripts come from.


def test_a_file_is_uploaded_and_its_checksum_is_in_the_template(
    stack: cdk.Stack, setup: Path
) -> None:
    Nodes(stack, "Nodes", action(pcs.LifecycleScript.from_asset(str(setup))))
    found = source(template(stack))
    assert found["Checksum"] == hashlib.sha256(setup.read_bytes()).hexdigest()
    assert found["ScriptLocation"]["Fn::Sub"].startswith("s3://cdk-")
    assert found["ScriptLocation"]["Fn::Sub"].endswith(".sh")
    assert advised(stack) == set()


def test_a_file_is_found_from_where_the_app_is_run(
    stack: cdk.Stack, setup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(setup.parent)
    script = pcs.LifecycleScript.from_asset("setup.sh")
    monkeypatch.chdir("/")
    Nodes(stack, "Nodes", action(script))
    assert source(template(stack))["Checksum"]


def test_nodes_may_read_scripts_of_its_kind_among_the_assets(stack: cdk.Stack, setup: Path) -> None:
    second = setup.with_name("second.sh")
    second.write_text("#!/bin/bash\n")
    scripts = [pcs.LifecycleScript.from_asset(path) for path in (setup, second)]
    Nodes(stack, "Nodes", action(scripts[0], "a"), action(scripts[1], "b"))
    (objects,) = {r for r in permissions(template(stack))["s3:GetObject*"] if r.endswith("*.sh")}
    assert "cdk-hnb659fds-assets-" in objects


def test_one_file_is_uploaded_once_under_the_name_of_its_first_action(
    stack: cdk.Stack, setup: Path
) -> None:
    script = pcs.LifecycleScript.from_asset(setup)
    nodes = Nodes(stack, "Nodes", action(script, "Set-up home_1"), action(script, "again"))
    uploads = {child.node.id for child in nodes.node.children} - {"Role", "Resource"}
    assert uploads == {"SetUpHome1Script"}


def test_names_that_are_alike_are_told_apart(stack: cdk.Stack, setup: Path) -> None:
    names = ["resource", "set up", "set-up", "SetUp"]
    actions = []
    for name in names:
        path = setup.with_name(f"{name}.sh")
        path.write_text(name)
        actions.append(action(pcs.LifecycleScript.from_asset(path), name))
    nodes = Nodes(stack, "Nodes", *actions)
    uploads = {child.node.id for child in nodes.node.children} - {"Role", "Resource"}
    assert uploads == {"ResourceScript", "SetUpScript", "SetUpScript2", "SetUpScript3"}


def test_a_bucket_of_the_app_is_read_with_its_key(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Bucket", encryption_key=key)
    script = pcs.LifecycleScript.from_bucket(bucket, "a/setup.sh", checksum=SHA256)
    Nodes(stack, "Nodes", action(script, "a"), action(script, "b", stage=READY))
    made = template(stack)
    arn = f'{{"Fn::GetAtt": ["{stack.get_logical_id(bucket.node.default_child)}", "Arn"]}}'
    assert permissions(made)["s3:GetObject*"] == {arn, f"{arn}/a/setup.sh"}
    assert set(permissions(made)["kms:Decrypt"]) == {
        f'{{"Fn::GetAtt": ["{stack.get_logical_id(key.node.default_child)}", "Arn"]}}'
    }
    location = said(made)["Stages"]["NodeReady"][0]["ScriptSource"]["ScriptLocation"]
    assert text_of(location).endswith("/a/setup.sh")


def test_a_bucket_of_another_stack_is_read(app: cdk.App, stack: cdk.Stack) -> None:
    lasting = cdk.Stack(app, "Lasting")
    script = pcs.LifecycleScript.from_bucket(
        s3.Bucket(lasting, "Bucket"), "setup.sh", checksum=SHA256
    )
    Nodes(stack, "Nodes", action(script))
    assert "Fn::ImportValue" in text_of(source(template(stack))["ScriptLocation"])
    assert any("Fn::ImportValue" in r for r in permissions(template(stack))["s3:GetObject*"])


def test_an_object_that_is_known_by_its_url_is_read_alone(stack: cdk.Stack) -> None:
    Nodes(stack, "Nodes", action(url("s3://scripts/a/setup.sh")))
    assert permissions(template(stack)) == {
        "s3:GetObject": {'arn:{"Ref": "AWS::Partition"}:s3:::scripts/a/setup.sh'}
    }


def test_a_url_may_hold_a_token(stack: cdk.Stack) -> None:
    bucket = cdk.CfnParameter(stack, "BucketName")
    Nodes(stack, "Nodes", action(url(f"s3://{bucket.value_as_string}/setup.sh")))
    made = template(stack)
    assert text_of(source(made)["ScriptLocation"]) == 's3://{"Ref": "BucketName"}/setup.sh'
    assert permissions(made) == {
        "s3:GetObject": {'arn:{"Ref": "AWS::Partition"}:s3:::{"Ref": "BucketName"}/setup.sh'}
    }


def test_what_is_public_takes_no_permission(stack: cdk.Stack) -> None:
    Nodes(stack, "Nodes", action(url("https://example.com/setup.sh")))
    made = template(stack)
    assert source(made)["ScriptLocation"] == "https://example.com/setup.sh"
    assert permissions(made) == {}


def test_nodes_wait_for_their_permissions(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    script = pcs.LifecycleScript.from_bucket(bucket, "setup.sh", checksum=SHA256)
    Nodes(stack, "Nodes", action(script), action(url(), "More"))
    made = template(stack)
    (nodes,) = found(made, "AWS::PCS::ComputeNodeGroup").values()
    assert set(nodes["DependsOn"]) >= set(found(made, "AWS::IAM::Policy")) != set()


def test_a_role_that_cannot_be_changed_is_left_alone(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_arn(
        stack, "Given", "arn:aws:iam::111122223333:role/AWSPCS-nodes", mutable=False
    )
    Nodes(stack, "Nodes", action(url()), role=role)
    assert permissions(template(stack)) == {}


def test_permissions_that_cannot_be_granted_are_told(stack: cdk.Stack, setup: Path) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "scripts")
    scripts = {
        "file": pcs.LifecycleScript.from_asset(setup),
        "bucket": pcs.LifecycleScript.from_bucket(bucket, "setup.sh", checksum=SHA256),
        "maintained": pcs.LifecycleScript.maintained("configure-cloudwatch-logs"),
        "object": url(),
        "public": url("https://example.com/setup.sh"),
    }
    lifecycle = Lifecycle(actions=tuple(action(script, name) for name, script in scripts.items()))
    told = [p for p in rules.advice_on(*lifecycle.facts(role=False)) if p.code == "PCS927"]
    assert len(told) == 4
    assert "public" not in str(told)


# Scripts that AWS maintains.


def test_a_maintained_script_is_in_the_bucket_of_the_region(stack: cdk.Stack) -> None:
    script = pcs.LifecycleScript.maintained("configure-cloudwatch-logs", checksum=SHA256)
    Nodes(stack, "Nodes", action(script))
    found = source(template(stack))
    there = f's3://aws-pcs-repo-{{"Ref": "AWS::Region"}}{REPOSITORY}'
    assert text_of(found["ScriptLocation"]) == f"{there}/configure-cloudwatch-logs-v1.0.0.sh"
    assert found["Checksum"] == SHA256
    assert advised(stack) == set()


def test_the_latest_release_is_worth_a_word(stack: cdk.Stack) -> None:
    script = pcs.LifecycleScript.maintained_latest("mount-efs")
    Nodes(stack, "Nodes", action(script, arguments=EFS_ARGUMENTS))
    location = text_of(source(template(stack))["ScriptLocation"])
    assert location.endswith(f"{REPOSITORY}/mount-efs-v1-latest.sh")
    assert advised(stack) == {"PCS922", "PCS923"}


@pytest.mark.parametrize(
    ("name", "arguments", "more"),
    [
        pytest.param(
            "mount-efs",
            EFS_ARGUMENTS,
            {
                f"elasticfilesystem:Client{what}": {
                    'arn:{"Ref": "AWS::Partition"}:elasticfilesystem:'
                    f"{HERE}:file-system/fs-0123456789abcdef0"
                }
                for what in ("Mount", "Write")
            },
            id="EFS, whose default option is iam",
        ),
        pytest.param("mount-efs", [*EFS_ARGUMENTS, "--options", "tls"], {}, id="EFS without iam"),
        pytest.param(
            "configure-ldaps",
            ["--ldap-uri", "ldaps://ldap", "--search-base", "dc=example"],
            {},
            id="LDAP of anybody",
        ),
        pytest.param(
            "configure-cloudwatch-logs",
            [],
            {
                f"logs:{what}": {
                    f'arn:{{"Ref": "AWS::Partition"}}:logs:{HERE}:log-group:'
                    f"/aws/pcs/pcs_abc123/lifecycle{suffix}"
                    for suffix in ("", ":*")
                }
                for what in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
            },
            id="logs of the cluster",
        ),
        pytest.param(
            "mount-fsx-lustre",
            [
                *("--fsx-dns-name", "fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com"),
                *("--mount-name", "a1b2cbev", "--mount-point", "/fsx"),
            ],
            {},
            id="Lustre",
        ),
        pytest.param("of-tomorrow", ["--a"], {}, id="one of tomorrow"),
    ],
)
def test_a_maintained_script_may_do_what_it_does(
    stack: cdk.Stack, name: str, arguments: list[str], more: dict[str, set[str]]
) -> None:
    script = pcs.LifecycleScript.maintained(name, version="1.2.3")
    Nodes(stack, "Nodes", action(script, arguments=arguments))
    read = {"s3:GetObject": {f"{REPOSITORY_ARN}/*"}}
    assert permissions(template(stack)) == {**read, **more}


def test_resources_of_the_app_are_named_in_permissions(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Logs")
    secret = secretsmanager.Secret(stack, "Bind")
    size = cdk.CfnParameter(stack, "FileSystem")
    options = cdk.CfnParameter(stack, "Options")
    maintained = pcs.LifecycleScript.maintained
    Nodes(
        stack,
        "Nodes",
        action(
            maintained("configure-cloudwatch-logs"),
            "logs",
            arguments=["--log-group-name", group.log_group_name],
        ),
        action(
            maintained("configure-efs-homes"),
            "homes",
            arguments=[
                "--efs-id",
                size.value_as_string,
                "--options",
                f"iam,{options.value_as_string}",
            ],
        ),
        action(
            maintained("configure-ldaps"),
            "people",
            arguments=[
                *("--ldap-uri", "ldaps://ldap", "--search-base", "dc=example"),
                *("--secret-arn", secret.secret_arn),
            ],
        ),
    )
    given = permissions(template(stack))
    assert given["secretsmanager:GetSecretValue"] == {text_of(stack.resolve(secret.secret_arn))}
    assert all(
        stack.get_logical_id(group.node.default_child) in r for r in given["logs:PutLogEvents"]
    )
    (file_system,) = given["elasticfilesystem:ClientMount"]
    assert file_system.endswith(':file-system/{"Ref": "FileSystem"}')
    assert given["s3:GetObject"] == {f"{REPOSITORY_ARN}/*"}
    assert advised(stack) == set()


def test_a_secret_that_is_known_by_its_name_may_be_read(stack: cdk.Stack) -> None:
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Bind", "ldap-bind")
    arguments = ["--ldap-uri", "ldaps://ldap", "--search-base", "dc=example"]
    script = pcs.LifecycleScript.maintained("configure-ldaps")
    Nodes(stack, "Nodes", action(script, arguments=[*arguments, "--secret-arn", secret.secret_arn]))
    given = permissions(template(stack))["secretsmanager:GetSecretValue"]
    assert {arn.rpartition(":")[2] for arn in given} == {"ldap-bind", "ldap-bind-??????"}


def test_a_maintained_script_is_known_by_its_url(stack: cdk.Stack) -> None:
    there = f"s3://aws-pcs-repo-eu-west-1{REPOSITORY}/mount-efs-v1.0.0.sh"
    with refused(stack, "PCS919"):
        Nodes(stack, "Nodes", action(pcs.LifecycleScript.from_url(there)))
    Nodes(stack, "Nodes", action(pcs.LifecycleScript.from_url(there), arguments=EFS_ARGUMENTS))
    given = permissions(template(stack))
    assert given["s3:GetObject"] == {
        f'arn:{{"Ref": "AWS::Partition"}}:s3:::aws-pcs-repo-eu-west-1{REPOSITORY}/*'
    }
    assert "elasticfilesystem:ClientMount" in given


# What is refused.


@pytest.mark.parametrize(
    ("make", "codes"),
    [
        pytest.param(lambda: [action(url(), "größe")], ["PCS912"], id="name"),
        pytest.param(lambda: [action(url(), str(i)) for i in range(21)], ["PCS910"], id="21"),
        pytest.param(lambda: [action(url())] * 2, ["PCS913"], id="twice"),
        pytest.param(lambda: [action(url(), arguments=["a"] * 21)], ["PCS914"], id="arguments"),
        pytest.param(lambda: [action(url("ftp://a/b"))], ["PCS915"], id="location"),
        pytest.param(
            lambda: [action(pcs.LifecycleScript.from_url("s3://abc/d", checksum="0"))],
            ["PCS916"],
            id="checksum",
        ),
        pytest.param(
            lambda: [action(pcs.LifecycleScript.maintained("mount-efs", version="1"))],
            ["PCS918"],
            id="version",
        ),
        pytest.param(
            lambda: [
                action(pcs.LifecycleScript.maintained("mount-efs"), arguments=EFS_ARGUMENTS[:1])
            ],
            ["PCS919", "PCS920"],
            id="what a maintained script is given",
        ),
    ],
)
def test_fails_with_everything_that_is_wrong(
    stack: cdk.Stack, make: Callable[[], list[pcs.LifecycleAction]], codes: list[str]
) -> None:
    actions = make()
    with refused(stack, *codes):
        Nodes(stack, "Nodes", *actions)
    with refused(stack, *codes, "PCS915"):
        Nodes(stack, "Nodes", *actions, action(url("http://a"), "And this"))


def test_fails_when_a_caching_policy_has_nothing_to_cache(stack: cdk.Stack) -> None:
    with refused(stack, "PCS911"):
        Nodes(stack, "Nodes", policy=pcs.ScriptCachingPolicy.REFRESH_ON_REBOOT)


@pytest.mark.parametrize("size", [None, 2 * 1024 * 1024 + 1], ids=["missing", "too large"])
def test_fails_when_a_file_cannot_be_a_script(tmp_path: Path, size: int | None) -> None:
    path = tmp_path / "setup.sh"
    if size is not None:
        path.write_bytes(b" " * size)
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.LifecycleScript.from_asset(path)
    assert [problem.code for problem in error.value.problems] == ["PCS917"]


def test_fails_when_a_directory_is_given_for_a_script(tmp_path: Path) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.LifecycleScript.from_asset(tmp_path)
    assert [problem.code for problem in error.value.problems] == ["PCS917"]


TOKEN = cdk.Aws.STACK_NAME


@pytest.mark.parametrize(
    ("make", "codes"),
    [
        (lambda: pcs.LifecycleScript.from_asset(5), {"PCS003"}),
        (lambda: pcs.LifecycleScript.from_asset(None), {"PCS003"}),
        (lambda: pcs.LifecycleScript.from_asset(TOKEN), {"PCS002"}),
        (lambda: pcs.LifecycleScript.from_url(None), {"PCS003"}),
        (lambda: pcs.LifecycleScript.from_url("s3://a/b", checksum=5), {"PCS003"}),
        (lambda: pcs.LifecycleScript.from_bucket("scripts", "setup.sh"), {"PCS003"}),
        (lambda: pcs.LifecycleScript.from_bucket(None, None, version=1), {"PCS003"}),
        (lambda: pcs.LifecycleScript.maintained(None), {"PCS003"}),
        (lambda: pcs.LifecycleScript.maintained(TOKEN, version=1.0), {"PCS002", "PCS003"}),
        (lambda: pcs.LifecycleScript.maintained_latest(TOKEN), {"PCS002"}),
    ],
)
def test_fails_when_a_script_is_made_of_a_wrong_type(
    make: Callable[[], object], codes: set[str]
) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        make()
    assert {problem.code for problem in error.value.problems} == codes


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"name": None}, {"PCS003"}),
        ({"name": 5}, {"PCS003"}),
        ({"name": TOKEN}, {"PCS002"}),
        ({"script": None}, {"PCS003"}),
        ({"script": "s3://bucket/setup.sh"}, {"PCS003"}),
        ({"stage": "NodeReady"}, {"PCS003"}),
        ({"stage": None}, {"PCS003"}),
        ({"arguments": "--mode 1777"}, {"PCS001"}),
        ({"arguments": ["--mode", 1777]}, {"PCS003"}),
        ({"on_error": "CONTINUE"}, {"PCS003"}),
        ({"execution_policy": True}, {"PCS003"}),
        ({"name": TOKEN, "arguments": "a", "stage": 1}, {"PCS001", "PCS002", "PCS003"}),
    ],
    ids=lambda value: wrong_type(value) if isinstance(value, dict) else "",
)
def test_fails_when_an_action_is_made_of_a_wrong_type(
    arguments: dict[str, Any], codes: set[str]
) -> None:
    with pytest.raises(pcs.PcsValidationError) as error:
        pcs.LifecycleAction(**{"name": "Set up", "script": url(), **arguments})
    assert {problem.code for problem in error.value.problems} == codes
