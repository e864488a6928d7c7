"""What reading templates costs, and how that grows with them.

    python -m tests.benchmark.reading

Each shape is read at one size and at twice the size. What counts is the slope: twice as much should
cost about twice, whatever the machine. The CPU is the best of some rounds.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis import check, diff, reach, slurm
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Content = dict[str, Any]
Contents = dict[str, Content]

_ROUNDS: Final = 3


def _network(number: int) -> Content:
    """A cluster with its network and two node groups, of the size of those that people publish."""
    group = {"Fn::GetAtt": ["Group", "GroupId"]}
    prefix = {"Fn::Sub": f"${{Prefix}}-{number}"}
    nodes = {
        "ClusterId": {"Fn::GetAtt": ["Cluster", "Id"]},
        "AmiId": {"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "x86"]},
        "SubnetIds": [{"Ref": "Private"}],
        "ScalingConfiguration": {"MinInstanceCount": 0, "MaxInstanceCount": {"Ref": "Most"}},
        "InstanceConfigs": [{"InstanceType": "c7i.xlarge"}],
        "IamInstanceProfileArn": {"Fn::GetAtt": ["Profile", "Arn"]},
        "CustomLaunchTemplate": {
            "TemplateId": {"Ref": "Template"},
            "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
        },
    }
    resources: Content = {
        "Vpc": _resource("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=True),
        "Public": _resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/20"),
        "Private": _resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.16.0/20"),
        "Internet": _resource("EC2::InternetGateway"),
        "Attachment": _resource(
            "EC2::VPCGatewayAttachment",
            VpcId={"Ref": "Vpc"},
            InternetGatewayId={"Ref": "Internet"},
        ),
        "Nat": _resource("EC2::NatGateway", SubnetId={"Ref": "Public"}),
        "Group": _resource("EC2::SecurityGroup", GroupDescription="slurm", VpcId={"Ref": "Vpc"}),
        "GroupIn": _resource(
            "EC2::SecurityGroupIngress",
            GroupId=group,
            IpProtocol="-1",
            SourceSecurityGroupId=group,
        ),
        "Role": _resource(
            "IAM::Role",
            RoleName={"Fn::Sub": "AWSPCS-${AWS::StackName}"},
            AssumeRolePolicyDocument={
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "ec2.amazonaws.com"},
                    }
                ]
            },
            Policies=[
                {
                    "PolicyName": "register",
                    "PolicyDocument": {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": "pcs:RegisterComputeNodeGroupInstance",
                                "Resource": "*",
                            }
                        ]
                    },
                }
            ],
        ),
        "Profile": _resource("IAM::InstanceProfile", Roles=[{"Ref": "Role"}]),
        "Home": _resource("EFS::FileSystem", Encrypted=True),
        "Target": _resource(
            "EFS::MountTarget",
            FileSystemId={"Ref": "Home"},
            SubnetId={"Ref": "Private"},
            SecurityGroups=[group],
        ),
        "Template": _resource(
            "EC2::LaunchTemplate",
            LaunchTemplateData={
                "SecurityGroupIds": [group],
                "MetadataOptions": {"HttpTokens": "required"},
                "UserData": {"Fn::Base64": {"Fn::Sub": "mount -t nfs4 ${Home}:/ /home"}},
            },
        ),
        "Cluster": _resource(
            "PCS::Cluster",
            Name=prefix,
            Size="SMALL",
            Scheduler={"Type": "SLURM", "Version": "25.11"},
            Networking={"SubnetIds": [{"Ref": "Private"}], "SecurityGroupIds": [group]},
        ),
        "Compute": _resource("PCS::ComputeNodeGroup", Name="compute", **nodes),
        "Large": {**_resource("PCS::ComputeNodeGroup", Name="large", **nodes), "Condition": "Big"},
        "Queue": _resource(
            "PCS::Queue",
            ClusterId={"Fn::GetAtt": ["Cluster", "Id"]},
            ComputeNodeGroupConfigurations=[
                {"ComputeNodeGroupId": {"Fn::GetAtt": ["Compute", "Id"]}}
            ],
        ),
    }
    for table, (subnet, target, gateway) in {
        "PublicRoutes": ("Public", "GatewayId", "Internet"),
        "PrivateRoutes": ("Private", "NatGatewayId", "Nat"),
    }.items():
        resources[table] = _resource("EC2::RouteTable", VpcId={"Ref": "Vpc"})
        resources[f"{table}Route"] = _resource(
            "EC2::Route",
            RouteTableId={"Ref": table},
            DestinationCidrBlock="0.0.0.0/0",
            **{target: {"Ref": gateway}},
        )
        resources[f"{table}Of"] = _resource(
            "EC2::SubnetRouteTableAssociation",
            RouteTableId={"Ref": table},
            SubnetId={"Ref": subnet},
        )
    return {
        "Parameters": {
            "Prefix": {"Type": "String", "Default": "hpc"},
            "Most": {"Type": "Number", "Default": 4},
            "Size": {"Type": "String", "Default": "small", "AllowedValues": ["small", "big"]},
        },
        "Conditions": {"Big": {"Fn::Equals": [{"Ref": "Size"}, "big"]}},
        "Mappings": {"Images": {"us-east-1": {"x86": "ami-0123456789abcdef0"}}},
        "Resources": resources,
    }


def _resource(kind: str, **properties: Any) -> Content:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def _beside(number: int) -> Contents:
    """Templates that have nothing to do with each other."""
    return {f"stack{n}": _network(n) for n in range(number)}


def _stack(name: str, **parameters: Any) -> Content:
    return _resource("CloudFormation::Stack", TemplateURL=f"{name}.yaml", Parameters=parameters)


def chain(number: int) -> Contents:
    """Stacks that are nested in each other, and pass on what the outermost one has."""
    contents: Contents = {}
    for n in range(number):
        last = n == number - 1
        inner = {"Inner": _stack(f"stack{n + 1}", Subnet={"Ref": "Subnet"})}
        contents[f"stack{n}.yaml"] = {
            "Parameters": {"Subnet": {"Type": "String", "Default": "subnet-0123456789abcdef0"}},
            "Resources": _used() if last else inner,
            "Outputs": {} if last else {"Id": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Id"]}}},
        }
    return contents


def siblings(number: int) -> Contents:
    """One stack with others nested in it, each by its own template."""
    inner = {f"Inner{n}": _stack(f"stack{n}", Subnet={"Ref": "Subnet"}) for n in range(number)}
    parameters = {"Subnet": {"Type": "String"}}
    contents: Contents = {
        f"stack{n}.yaml": {"Parameters": parameters, "Resources": _used()} for n in range(number)
    }
    network = {"Subnet": _resource("EC2::Subnet", CidrBlock="10.0.0.0/20")}
    return {"root.yaml": {"Resources": {**network, **inner}}, **contents}


def _used() -> Content:
    subnets = [{"Ref": "Subnet"}]
    return {"Cluster": _resource("PCS::Cluster", Networking={"SubnetIds": subnets})}


def _large(number: int) -> Contents:
    """One template with a number of resources, most of them node groups and queues."""
    content = _network(0)
    resources = content["Resources"]
    while len(resources) < number:
        n = len(resources)
        resources[f"Compute{n}"] = deepcopy(resources["Compute"])
        resources[f"Compute{n}"]["Properties"]["Name"] = f"compute{n}"
        queue = resources[f"Queue{n}"] = deepcopy(resources["Queue"])
        (configuration,) = queue["Properties"]["ComputeNodeGroupConfigurations"]
        configuration["ComputeNodeGroupId"]["Fn::GetAtt"][0] = f"Compute{n}"
    return {"large": content}


SHAPES: Final[Sequence[tuple[str, Callable[[int], Contents], int]]] = (
    ("templates beside each other", _beside, 127),
    ("stacks nested in each other", chain, 100),
    ("stacks nested beside each other", siblings, 200),
    ("resources of one template", _large, 1000),
)


def _read(contents: Contents) -> list[template.Template]:
    return template.parsed_together(contents)


COMMANDS: Final[dict[str, Callable[[Contents], object]]] = {
    "check": lambda contents: check.check(_read(contents)),
    "reach": lambda contents: reach.judge(_read(contents)),
    "slurm": lambda contents: slurm.configurations(_read(contents)),
    "diff": lambda contents: diff.compare(_read(contents), _read(contents)),
}


def _cpu(command: Callable[[Contents], object], contents: Contents) -> float:
    """The best of some rounds, in seconds."""
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        command(contents)
        times.append(time.process_time() - start)
    return min(times)


def _memory(command: Callable[[Contents], object], contents: Contents) -> float:
    """The most that is in use at once, in bytes for each byte of JSON, with the templates."""
    size = len(json.dumps(contents))
    tracemalloc.start()
    command(json.loads(json.dumps(contents)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / size


def main() -> None:
    """Measure and print the table."""
    print(f"{'':<34}{'number':>7}{'CPU s':>8}{'twice':>8}{'slope':>7}{'memory':>8}")
    for label, shape, number in SHAPES:
        contents, twice = shape(number), shape(2 * number)
        for name, command in COMMANDS.items():
            one, two = _cpu(command, contents), _cpu(command, twice)
            print(
                f"{f'{label}, {name}':<34}{number:>7}{one:>8.2f}{two:>8.2f}{two / one:>7.1f}"
                f"{_memory(command, contents):>8.1f}"
            )


if __name__ == "__main__":
    main()
