"""A small cluster as a template, for the tests of `diff`."""

from __future__ import annotations

from typing import Any

from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

CLUSTER_ID = {"Fn::GetAtt": ["Cluster", "Id"]}
SUBNET = "subnet-0a1b2c3d"
SECURITY_GROUP = "sg-0a1b2c3d"
NONE = {"Ref": "AWS::NoValue"}


def resource(type_: str, condition: str | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "Type": type_,
        "Properties": properties,
        **({"Condition": condition} if condition else {}),
    }


def cluster(**properties: Any) -> dict[str, Any]:
    return resource(
        CLUSTER,
        **{
            "Name": "hpc",
            "Size": "SMALL",
            "Scheduler": {"Type": "SLURM", "Version": "25.11"},
            "Networking": {"SubnetIds": [SUBNET], "SecurityGroupIds": [SECURITY_GROUP]},
            **properties,
        },
    )


def group(condition: str | None = None, *, most: Any = 4, **properties: Any) -> dict[str, Any]:
    return resource(
        NODE_GROUP,
        condition,
        **{
            "Name": "work",
            "ClusterId": CLUSTER_ID,
            "AmiId": "ami-1",
            "CustomLaunchTemplate": {"TemplateId": "lt-1", "Version": "1"},
            "IamInstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/AWSPCS-x",
            "InstanceConfigs": [{"InstanceType": "c7i.xlarge"}],
            "ScalingConfiguration": {"MinInstanceCount": 0, "MaxInstanceCount": most},
            "SubnetIds": [SUBNET],
            **properties,
        },
    )


def queue() -> dict[str, Any]:
    """A queue of the node group `Work`."""
    served = {"ComputeNodeGroupId": {"Fn::GetAtt": ["Work", "Id"]}}
    return resource(
        QUEUE, Name="jobs", ClusterId=CLUSTER_ID, ComputeNodeGroupConfigurations=[served]
    )


def small(work: dict[str, Any], **sections: Any) -> dict[str, Any]:
    hpc = sections.pop("hpc", cluster())
    return {"Resources": {"Cluster": hpc, "Work": work, "Jobs": queue()}, **sections}
