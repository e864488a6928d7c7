"""Computational fluid dynamics: MPI over EFA on hpc7a, scheduled by processors and memory.

    python -m apps.mpi_cfd

synthesizes it into `cdk.out`. Not every Availability Zone has hpc7a: `-c zone=eu-north-1b`.
"""

import aws_cdk as cdk
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


class MpiCfd(cdk.Stack):
    """A queue for tightly coupled jobs on up to 32 hpc7a.96xlarge in one placement group.

    Args:
        zone: The Availability Zone, one that has hpc7a. By default the first that the account sees.
    """

    def __init__(self, scope: Construct, id: str, *, zone: str | None = None) -> None:
        super().__init__(scope, id, description="Computational fluid dynamics on AWS PCS")
        network = pcs.Network(
            self, "Network", cidr="10.24.0.0/16", availability_zones=[zone] if zone else 1
        )
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        cases = pcs.LustreStorage(
            self, "Cases", vpc=network.vpc, capacity=cdk.Size.gibibytes(4800), throughput=250
        )
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            size=pcs.ClusterSize.MEDIUM,
            mounts={"/home": home, "/cases": cases},
            scale_down_idle_time=cdk.Duration.minutes(5),
            memory_aware=True,
        )
        cluster.add_login_nodes("login", instance_type="m7a.2xlarge")
        solve = cluster.add_compute_node_group(
            "solve",
            instance_types=["hpc7a.96xlarge"],
            scaling=pcs.Scaling.dynamic(max=32),
            efa=True,
        )
        cluster.add_queue("solve", node_groups=[solve])

        program.acknowledge(self)


def stacks(app: cdk.App) -> None:
    """The stack, where the context says."""
    MpiCfd(app, "MpiCfd", zone=app.node.try_get_context("zone"))


if __name__ == "__main__":
    program.synthesize(stacks)
