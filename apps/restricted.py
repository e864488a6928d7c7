"""A cluster in which only Slurm's ports are open, and each kind of node has its own group.

    python -m apps.restricted

synthesizes it into `cdk.out`. `-c office=198.51.100.0/24` says from where people may log in.
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


class Restricted(cdk.Stack):
    """Accounting, the REST API, EFA in one group of nodes, SSH and DCV for the office alone.

    Args:
        office: The range of addresses that may reach login nodes.
    """

    def __init__(self, scope: Construct, id: str, *, office: str = "203.0.113.0/24") -> None:
        super().__init__(scope, id, description="A cluster of named ports on AWS PCS")
        traffic = logs.LogGroup(self, "Traffic", retention=logs.RetentionDays.THREE_MONTHS)
        network = pcs.Network(
            self,
            "Network",
            cidr="10.48.0.0/16",
            availability_zones=3,
            nat_gateways=3,
            private_subnet_mask=18,
            flow_logs=ec2.FlowLogDestination.to_cloud_watch_logs(traffic),
        )
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            mounts={"/home": home},
            security_groups=pcs.ClusterSecurityGroups.restricted(),
            accounting=pcs.Accounting(),
            rest_api=True,
            # Less than by default: 300 jobs at a time on one node.
            slurm_settings={"SrunPortRange": "60001-61500"},
        )
        people = ec2.Peer.ipv4(office)
        login = cluster.add_login_nodes("login", instance_type="c7i.xlarge", ssh_from=[people])
        login.connections.allow_from(people, ec2.Port.tcp(8443), "Amazon DCV")
        tight = cluster.add_compute_node_group(
            "tight",
            instance_types=["hpc7a.96xlarge"],
            scaling=pcs.Scaling.dynamic(max=16),
            efa=True,
        )
        wide = cluster.add_compute_node_group(
            "wide",
            instance_types=["c7i.8xlarge"],
            scaling=pcs.Scaling.dynamic(max=15),
            subnets=network.vpc.private_subnets,
        )
        cluster.add_queue("mpi", node_groups=[tight])
        cluster.add_queue("batch", node_groups=[wide])

        program.acknowledge(self)


def stacks(app: cdk.App) -> None:
    """The stack, with the range that the context names."""
    Restricted(
        app,
        "Restricted",
        office=app.node.try_get_context("office") or "203.0.113.0/24",
    )


if __name__ == "__main__":
    program.synthesize(stacks)
