"""The cluster that the AWS PCS user guide builds by hand in its "Getting started" chapter.

    python -m apps.getting_started

synthesizes it into `cdk.out`. Nobody can reach the SSH port of the login node unless the context
says who: `-c ssh_from=203.0.113.0/24 -c key_pair=my-key`.
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


class GettingStarted(cdk.Stack):
    """A network, two file systems, a cluster, a login node, a node group and a queue.

    Args:
        ssh_from: The IPv4 range that may reach the SSH port of the login node. By default none:
            Session Manager needs no port.
        key_pair: The name of the EC2 key pair that SSH accepts. By default none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ssh_from: str | None = None,
        key_pair: str | None = None,
    ) -> None:
        super().__init__(scope, id, description="The getting-started cluster of the PCS user guide")
        network = pcs.Network(self, "Network", cidr="10.3.0.0/16", availability_zones=3)
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        shared = pcs.LustreStorage(
            self, "Shared", vpc=network.vpc, capacity=cdk.Size.gibibytes(1200), throughput=125
        )

        cluster = pcs.Cluster(
            self,
            "Cluster",
            name="get-started",
            vpc=network.vpc,
            size=pcs.ClusterSize.SMALL,
            mounts={"/home": home, "/shared": shared},
        )
        key = ec2.KeyPair.from_key_pair_name(self, "KeyPair", key_pair) if key_pair else None
        cluster.add_login_nodes(
            "Login",
            name="login",
            instance_type="c6i.xlarge",
            subnets=network.vpc.public_subnets[:1],
            ssh_from=[ec2.Peer.ipv4(ssh_from)] if ssh_from else [],
            key_pair=key,
        )
        compute = cluster.add_compute_node_group(
            "Compute1",
            name="compute-1",
            instance_types=["c6i.xlarge"],
            scaling=pcs.Scaling.dynamic(max=4),
        )
        cluster.add_queue("demo", node_groups=[compute])
        cdk.CfnOutput(self, "ClusterId", value=cluster.cluster_id)

        program.acknowledge(
            self,
            {
                "pcs-constructs:PCS103": "the user guide calls the cluster get-started",
                "pcs-constructs:PCS204": "the user guide calls the groups login and compute-1",
            },
        )


def stacks(app: cdk.App) -> None:
    """The stack, as the context asks for it."""
    GettingStarted(
        app,
        "GetStarted",
        ssh_from=app.node.try_get_context("ssh_from"),
        key_pair=app.node.try_get_context("key_pair"),
    )


if __name__ == "__main__":
    program.synthesize(stacks)
