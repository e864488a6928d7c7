"""The resource types that are named in many places, as CloudFormation names them."""

from __future__ import annotations

from typing import Final

CLUSTER: Final = "AWS::PCS::Cluster"
NODE_GROUP: Final = "AWS::PCS::ComputeNodeGroup"
QUEUE: Final = "AWS::PCS::Queue"
LAUNCH_TEMPLATE: Final = "AWS::EC2::LaunchTemplate"
SUBNET: Final = "AWS::EC2::Subnet"
SECURITY_GROUP: Final = "AWS::EC2::SecurityGroup"
STACK: Final = "AWS::CloudFormation::Stack"

NOUNS: Final = {CLUSTER: "cluster", NODE_GROUP: "node group", QUEUE: "queue"}
"""What people call the resources of AWS PCS."""
