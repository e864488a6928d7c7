from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

import pcs_constructs as pcs
from tests.constructs.templates import advised, only, properties, referred, refused, template

EC2 = iam.ServicePrincipal("ec2.amazonaws.com")
ARN = "arn:aws:iam::123456789012:instance-profile/aws-pcs/nodes"
REGISTER = {"Effect": "Allow", "Action": "pcs:RegisterComputeNodeGroupInstance", "Resource": "*"}


@pytest.fixture(scope="module")
def default() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    pcs.NodeInstanceProfile(stack, "Nodes")
    return template(stack)


def test_role_and_profile_have_the_path_that_pcs_accepts(default: Template) -> None:
    profile = only(default, "AWS::IAM::InstanceProfile")
    assert profile["Path"] == "/aws-pcs/"
    (reference,) = profile["Roles"]
    assert referred(default, reference)["Properties"]["Path"] == "/aws-pcs/"


def test_ec2_may_assume_the_role_and_its_nodes_may_register(default: Template) -> None:
    default.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                        "Principal": {"Service": "ec2.amazonaws.com"},
                    }
                ]
            },
            "Policies": [Match.object_like({"PolicyDocument": {"Statement": [REGISTER]}})],
        },
    )


def test_session_manager_may_open_sessions_in_any_partition(default: Template) -> None:
    (policy,) = only(default, "AWS::IAM::Role")["ManagedPolicyArns"]
    assert policy == {
        "Fn::Join": [
            "",
            [
                "arn:",
                {"Ref": "AWS::Partition"},
                ":iam::aws:policy/AmazonSSMManagedInstanceCore",
            ],
        ]
    }


def test_session_manager_can_be_kept_out(stack: cdk.Stack) -> None:
    pcs.NodeInstanceProfile(stack, "Nodes", session_manager=False)
    assert "ManagedPolicyArns" not in only(template(stack), "AWS::IAM::Role")


def test_managed_policies_are_added_to_the_role(stack: cdk.Stack) -> None:
    policy = iam.ManagedPolicy.from_managed_policy_arn(stack, "P", cdk.Fn.import_value("Policy"))
    pcs.NodeInstanceProfile(stack, "Nodes", managed_policies=[policy], session_manager=False)
    role = only(template(stack), "AWS::IAM::Role")
    assert role["ManagedPolicyArns"] == [{"Fn::ImportValue": "Policy"}]


def test_a_role_of_the_users_gets_what_nodes_need(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", path="/hpc/aws-pcs/x/", assumed_by=EC2)
    pcs.NodeInstanceProfile(stack, "Nodes", role=role)
    made = template(stack)
    policy = only(made, "AWS::IAM::Policy")
    assert policy["PolicyDocument"]["Statement"] == [REGISTER]
    for reference in (policy["Roles"], only(made, "AWS::IAM::InstanceProfile")["Roles"]):
        assert referred(made, reference[0])["Properties"]["Path"] == "/hpc/aws-pcs/x/"
    assert "AmazonSSMManagedInstanceCore" in json.dumps(only(made, "AWS::IAM::Role"))


def test_a_role_may_be_called_awspcs_instead(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", role_name="AWSPCS-nodes", assumed_by=EC2)
    pcs.NodeInstanceProfile(stack, "Nodes", role=role)
    assert properties(template(stack), "AWS::IAM::Policy")


def test_a_role_without_a_name_is_judged_by_the_stack_that_names_it(app: cdk.App) -> None:
    stack = cdk.Stack(app, "AWSPCS-production")
    pcs.NodeInstanceProfile(stack, "Nodes", role=iam.Role(stack, "Role", assumed_by=EC2))
    assert properties(template(stack), "AWS::IAM::Policy")


def test_a_role_that_is_a_token_is_not_judged(stack: cdk.Stack) -> None:
    imported = iam.Role.from_role_arn(stack, "Imported", cdk.Fn.import_value("Role"))
    pcs.NodeInstanceProfile(stack, "Nodes", role=imported)
    named = iam.Role(stack, "Named", role_name=cdk.Fn.import_value("Name"), assumed_by=EC2)
    pcs.NodeInstanceProfile(stack, "More", role=named)
    assert len(properties(template(stack), "AWS::IAM::InstanceProfile")) == 2


def test_a_role_imported_by_its_name_is_not_judged_because_its_path_is_not_known(
    stack: cdk.Stack,
) -> None:
    role = iam.Role.from_role_name(stack, "Role", "nodes")
    pcs.NodeInstanceProfile(stack, "Nodes", role=role)
    assert only(template(stack), "AWS::IAM::InstanceProfile")["Roles"] == ["nodes"]


def test_a_profile_can_be_handed_to_the_cdk(stack: cdk.Stack) -> None:
    profile = pcs.NodeInstanceProfile(stack, "Nodes")
    s3.Bucket(stack, "Bucket").grant_read(profile)
    made = template(stack)
    policy = only(made, "AWS::IAM::Policy")
    assert "s3:GetObject*" in policy["PolicyDocument"]["Statement"][0]["Action"]
    assert policy["Roles"] == only(made, "AWS::IAM::InstanceProfile")["Roles"]


def test_an_imported_profile_is_used_as_it_is(stack: cdk.Stack) -> None:
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", ARN)
    assert profile.instance_profile_arn == ARN
    assert template(stack).to_json().get("Resources", {}) == {}
    assert advised(stack) == set()


def test_an_imported_profile_may_be_a_token(stack: cdk.Stack) -> None:
    arn = cdk.Fn.import_value("Profile")
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", arn)
    assert stack.resolve(profile.instance_profile_arn) == {"Fn::ImportValue": "Profile"}
    assert advised(stack) == set()


def test_an_imported_profile_can_be_granted_to_when_its_role_is_known(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_name(stack, "Role", "AWSPCS-nodes")
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", ARN, role=role)
    s3.Bucket(stack, "Bucket").grant_read(profile)  # pyright: ignore[reportArgumentType]
    assert only(template(stack), "AWS::IAM::Policy")["Roles"] == ["AWSPCS-nodes"]


def test_an_imported_profile_with_another_name_is_advised_against(stack: cdk.Stack) -> None:
    arn = ARN.replace("aws-pcs/", "")
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", arn)
    assert advised(stack) == {"PCS704"}
    acknowledgment = cdk.Acknowledgment(id="pcs-constructs:PCS704", reason="its role is AWSPCS...")
    cdk.Validations.of(profile).acknowledge(acknowledgment)  # pyright: ignore[reportArgumentType]
    assert advised(stack) == set()


@pytest.mark.parametrize("arn", ["nodes", "", "arn:aws:iam::123456789012:role/aws-pcs/nodes"])
def test_fails_on_what_is_no_instance_profile(stack: cdk.Stack, arn: str) -> None:
    with refused(stack, "PCS702"):
        pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", arn)


def test_fails_to_grant_to_a_profile_whose_role_is_not_known(stack: cdk.Stack) -> None:
    profile = pcs.NodeInstanceProfile.from_instance_profile_arn(stack, "Nodes", ARN)
    with refused(stack, "PCS705"):
        _ = profile.grant_principal  # pyright: ignore
    # Through the CDK it arrives as jsii lets it through: another type, the same code.
    with pytest.raises(RuntimeError, match="PCS705"):
        s3.Bucket(stack, "Bucket").grant_read(profile)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "arguments", [{}, {"path": "/hpc/"}, {"role_name": "nodes"}, {"role_name": "xAWSPCS"}]
)
def test_fails_on_a_role_that_pcs_does_not_accept(
    stack: cdk.Stack, arguments: dict[str, str]
) -> None:
    role = iam.Role(stack, "Role", assumed_by=EC2, **arguments)
    with refused(stack, "PCS701"):
        pcs.NodeInstanceProfile(stack, "Nodes", role=role)


def test_fails_on_an_imported_role_that_pcs_does_not_accept(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/nodes")
    with refused(stack, "PCS701"):
        pcs.NodeInstanceProfile(stack, "Nodes", role=role)


def test_fails_on_a_string_of_managed_policies(stack: cdk.Stack) -> None:
    with refused(stack, "PCS001"):
        pcs.NodeInstanceProfile(stack, "Nodes", managed_policies="ReadOnly")  # pyright: ignore


def test_fails_with_every_problem_at_once(stack: cdk.Stack) -> None:
    arn = f"arn:aws:iam::123456789012:role/{'n' * 65}"
    role = iam.Role.from_role_arn(stack, "Role", arn)
    with refused(stack, "PCS001", "PCS701", "PCS703"):
        pcs.NodeInstanceProfile(
            stack,
            "Nodes",
            role=role,
            managed_policies="ReadOnly",  # pyright: ignore
        )
