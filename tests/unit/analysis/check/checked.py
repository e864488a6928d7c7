"""Templates for the tests of `check`, written as text, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pcs_constructs.analysis.check import check
from pcs_constructs.templates import template
from pcs_constructs.templates.document import parse

if TYPE_CHECKING:
    from pcs_constructs.analysis.check import Finding

CLUSTER = """
  Cluster:
    Type: AWS::PCS::Cluster
    Properties:
      Name: hpc-1a2b3c
      Size: SMALL
      Scheduler: {Type: SLURM, Version: "25.11"}
      Networking: {SubnetIds: [subnet-0a1b2c3d], SecurityGroupIds: [sg-0a1b2c3d]}
"""

NODES = """
  Nodes:
    Type: AWS::PCS::ComputeNodeGroup
    Properties:
      Name: nodes-1a2b3c
      ClusterId: !GetAtt Cluster.Id
      AmiId: ami-0123456789abcdef0
      IamInstanceProfileArn: arn:aws:iam::111122223333:instance-profile/aws-pcs/nodes
      InstanceConfigs: [{InstanceType: c7i.4xlarge}]
      ScalingConfiguration: {MinInstanceCount: 0, MaxInstanceCount: 4}
      SubnetIds: [subnet-0a1b2c3d]
      CustomLaunchTemplate:
        TemplateId: !Ref Launch
        Version: !GetAtt Launch.LatestVersionNumber
"""

LAUNCH = """
  Launch:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        SecurityGroupIds: [sg-0a1b2c3d]
"""

QUEUE = """
  Queue:
    Type: AWS::PCS::Queue
    Properties:
      Name: demo
      ClusterId: !GetAtt Cluster.Id
      ComputeNodeGroupConfigurations: [{ComputeNodeGroupId: !GetAtt Nodes.Id}]
"""

ALL = CLUSTER + NODES + LAUNCH + QUEUE
"""Resources that nothing is wrong with."""


def findings(resources: str, above: str = "") -> tuple[Finding, ...]:
    """What is found in a template with these resources, and sections above them."""
    return findings_of(f"{above}\nResources:\n{resources}")


def findings_of(*texts: str) -> tuple[Finding, ...]:
    """What is found in templates that belong together."""
    contents = {f"t{i}.yaml": parse(text).content for i, text in enumerate(texts)}
    return check(template.parsed_together(contents)).findings


def codes(resources: str, above: str = "") -> list[str]:
    """The codes of what is found, in their order."""
    return sorted(finding.code for finding in findings(resources, above))


def changed(old: str, new: str, resources: str = ALL) -> str:
    """The resources with one text in the place of another."""
    assert resources.count(old) == 1, old
    return resources.replace(old, new)
