"""A cluster that no packet leaves: no internet gateway, no NAT, AWS through endpoints alone.

    python -m apps.isolated

synthesizes it into `cdk.out`. People log in with Session Manager, which has endpoints too.
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


class Isolated(cdk.Stack):
    """Accounting, EFS and Lustre, login by Session Manager, logs of the network and of nodes."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="An isolated cluster on AWS PCS")
        traffic = logs.LogGroup(self, "Traffic", retention=logs.RetentionDays.THREE_MONTHS)
        network = pcs.Network(
            self,
            "Network",
            cidr="10.40.0.0/16",
            isolated=True,
            endpoint_subnets=True,
            flow_logs=ec2.FlowLogDestination.to_cloud_watch_logs(traffic),
        )
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        scratch = pcs.LustreStorage(
            self, "Scratch", vpc=network.vpc, capacity=cdk.Size.gibibytes(1200), throughput=125
        )
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            mounts={"/home": home, "/scratch": scratch},
            accounting=pcs.Accounting(retention_days=365),
        )
        forward_logs = pcs.LifecycleAction(
            name="Forward logs",
            script=pcs.LifecycleScript.maintained("configure-cloudwatch-logs"),
            on_error=pcs.OnError.CONTINUE,
        )
        cluster.add_login_nodes(
            "login", instance_type="c7i.xlarge", lifecycle_actions=[forward_logs]
        )
        compute = cluster.add_compute_node_group(
            "compute",
            instance_types=["c7i.8xlarge"],
            scaling=pcs.Scaling.dynamic(max=16),
            lifecycle_actions=[forward_logs],
        )
        cluster.add_queue("batch", node_groups=[compute])
        # Last, so that it knows what the nodes call.
        cluster.add_endpoints(
            "Endpoints",
            subnets=network.endpoint_subnets,
            policy=pcs.EndpointPolicy.for_cluster(cluster),
        )

        program.acknowledge(
            self,
            {
                "pcs-constructs:PCS425": "PrivateDnsNames of the Region's endpoint were looked at",
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:"
                "<AWS::AccountId>:log-group:/aws/pcs/<ClusterEB0386A7.Id>/lifecycle:*]": (
                    "each node writes a stream of its own"
                ),
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::aws-pcs-repo-<AWS::Region>/"
                "aws-pcs-node-lifecycle-scripts/*]": (
                    "AWS's own scripts, of which a newer release may follow"
                ),
            },
        )


def stacks(app: cdk.App) -> None:
    """The stack."""
    Isolated(app, "Isolated")


if __name__ == "__main__":
    program.synthesize(stacks)
