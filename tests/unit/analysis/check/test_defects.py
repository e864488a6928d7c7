"""Defects that public templates for AWS PCS had, each in as few lines as it takes.

They are of aws-samples/aws-hpc-recipes, awslabs/awsome-distributed-ai, the AWS CDK and the user
guide of 2024, as they were in the autumn of 2026; written anew here.
"""

from __future__ import annotations

import pytest

from tests.unit.analysis.check.checked import ALL, changed, codes

_PLACEMENT_LAMBDA = """
  Placement:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: arn:aws:iam::111122223333:role/placement
      Code:
        ZipFile: |
          def handler(event, context):
              names = [event["Name"], event["Id"]
              return names
"""

_LUSTRE = """
  Scratch:
    Type: AWS::FSx::FileSystem
    Properties:
      FileSystemType: LUSTRE
      StorageCapacity: 1200
      SubnetIds: [subnet-0a1b2c3d]
      SecurityGroupIds: [!GetAtt ScratchGroup.GroupId]
      LustreConfiguration: {DeploymentType: PERSISTENT_2, PerUnitStorageThroughput: 250}
  ScratchGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Lustre
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 988, ToPort: 988, CidrIp: 10.0.0.0/16}
        - {IpProtocol: tcp, FromPort: 1021, ToPort: 1023, CidrIp: 10.0.0.0/16}
"""

_ROLE = """
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: {Path: /aws-pcs/, Roles: [!Ref Role]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /aws-pcs/
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: ec2.amazonaws.com}}
      Policies:
        - PolicyName: nodes
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "pcs:RegisterComputeNodeGroupInstance", Resource: "*"}
              - {Effect: Allow, Action: ["s3:GetObject", "s3:ListBucket"], Resource: "*"}
"""

_DESKTOP = """
  Desktop:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: DCV
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 8443, ToPort: 8443, CidrIp: 0.0.0.0/0}
"""

_ARN = "arn:aws:iam::111122223333:instance-profile/aws-pcs/nodes"
_PASSWORD = "Parameters: {DcvPassword: {Type: String, NoEcho: true, Default: changeme1}}"
_VERSIONS = """
Parameters:
  SlurmVersion: {Type: String, Default: "25.11", AllowedValues: ["23.11", "24.05", "25.11"]}
"""


def _actions(*scripts: str) -> str:
    listed = "\n".join(f"            - {script}" for script in scripts)
    actions = (
        f"      NodeLifecycleActions:\n        Stages:\n          NodeBootstrapped:\n{listed}\n"
    )
    return changed("      AmiId:", f"{actions}      AmiId:")


def _in_template(text: str) -> str:
    old = "        SecurityGroupIds: [sg-0a1b2c3d]\n"
    return changed(old, f"{old}        {text}\n")


_REPOSITORY = "s3://aws-pcs-repo-us-east-1/aws-pcs-node-lifecycle-scripts"


@pytest.mark.parametrize(
    ("found", "resources", "above"),
    [
        pytest.param("PCS944", ALL + _PLACEMENT_LAMBDA, "", id="a Lambda that cannot be imported"),
        pytest.param(
            "PCS640",
            changed("Version: !GetAtt Launch.LatestVersionNumber", "Version: 1"),
            "",
            id="version 1 of the launch template",
        ),
        pytest.param(
            "PCS640",
            changed(
                "TemplateId: !Ref Launch\n        Version: !GetAtt Launch.LatestVersionNumber",
                "TemplateId: !GetAtt Inner.Outputs.Login\n        Version: 1",
            )
            + "\n  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./x}}\n",
            "",
            id="version 1 of a launch template in a nested stack",
        ),
        pytest.param(
            "PCS943",
            _in_template(
                'UserData: {Fn::Base64: "MIME-Version: 1.0\\nContent-Type: multipart/mixed; '
                "boundary=B\\n\\n--B\\nContent-Type: text/x-shellscript\\n\\n#!/bin/bash\\n"
                '# gpg --verify agent.sig\\n\\n--B--\\n"}'
            ),
            "",
            id="a signature that is not verified",
        ),
        pytest.param("PCS720", ALL, _PASSWORD, id="a default password"),
        pytest.param(
            "PCS408",
            changed("[sg-0a1b2c3d]\n", "[!Ref Desktop]\n") + _DESKTOP,
            "",
            id="a desktop for the world",
        ),
        pytest.param(
            "PCS641",
            _in_template("IamInstanceProfile: {Name: nodes}"),
            "",
            id="a profile in the launch template",
        ),
        pytest.param(
            "PCS104",
            changed("MaxInstanceCount: 4", "MaxInstanceCount: 100"),
            "",
            id="100 nodes, as a page said of SMALL",
        ),
        pytest.param(
            "PCS122",
            changed('Version: "25.11"', "Version: !Ref SlurmVersion"),
            _VERSIONS,
            id="versions to choose from that are gone",
        ),
        pytest.param(
            "PCS922 PCS923",
            _actions(
                "{Name: Logs, ScriptSource: {ScriptLocation: "
                f"{_REPOSITORY}/configure-cloudwatch-logs-v1-latest.sh}}}}"
            ),
            "",
            id="the latest script without a checksum",
        ),
        pytest.param("PCS580", ALL + _LUSTRE, "", id="Lustre with few ports"),
        pytest.param(
            "PCS723", changed(_ARN, "!GetAtt Profile.Arn") + _ROLE, "", id="all buckets to read"
        ),
        pytest.param(
            "PCS945",
            _actions(
                f"{{Name: Users, ScriptSource: {{ScriptLocation: {_REPOSITORY}"
                "/configure-ldaps-v1.0.0.sh}, "
                "Arguments: [--ldap-uri, ldap://10.0.0.5, --search-base, dc=hpc]}"
            ),
            "",
            id="a directory at a node's address",
        ),
        pytest.param(
            "PCS105",
            changed('Version: "25.11"', 'Version: "23.11"'),
            "",
            id="the versions that the CDK's documentation lists",
        ),
        pytest.param(
            "PCS120",
            changed(
                "SubnetIds: [subnet-0a1b2c3d], Sec",
                "SubnetIds: [subnet-0a1b2c3d, subnet-0a1b2c3e], Sec",
            ),
            "",
            id="two subnets, as the guide told",
        ),
    ],
)
def test_the_defect_of_a_public_template_is_found(found: str, resources: str, above: str) -> None:
    assert codes(resources, above) == found.split()


@pytest.mark.parametrize(
    ("mode", "found"), [("CUSTOM", []), ("Custom", ["PCS124"]), ("AUTOMATIC", ["PCS124"])]
)
def test_the_mode_of_a_launch_template_is_one_that_there_is(mode: str, found: list[str]) -> None:
    place = "      CustomLaunchTemplate:"
    assert codes(changed(place, f"      LaunchTemplateMode: {mode}\n{place}")) == found


def test_a_node_group_without_launch_template_has_one_that_pcs_manages() -> None:
    without, _, _ = changed("      CustomLaunchTemplate:", "@").partition("@")
    assert codes(without) == ["PCS633"]
    managed = "      LaunchTemplateMode: MANAGED\n      SecurityGroupIds: [sg-0123456789abcdef0]\n"
    assert codes(without + managed) == []
    assert codes(without + managed.splitlines(keepends=True)[0]) == ["PCS633"]
