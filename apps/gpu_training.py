"""Distributed training on sixteen p5.48xlarge, each with 32 network cards for EFA.

    python -m apps.gpu_training

makes two stacks: `TrainingOnDemand`, and `TrainingInBlock` for a Capacity Block for ML that was
bought before. The context names the block and its Availability Zone:
`-c block=cr-0123456789abcdef0 -c zone=us-east-1b`.
"""

import aws_cdk as cdk
from aws_cdk import aws_fsx as fsx
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK

_NODES = 16


class GpuTraining(cdk.Stack):
    """Login nodes, a queue on sixteen GPU nodes, a queue on Spot, and Lustre for scratch data.

    Args:
        zone: The Availability Zone of everything: a Capacity Block is in one. By default the first
            one that the account sees.
        capacity: How the GPU nodes are bought. By default On-Demand, started when jobs wait.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        zone: str | None = None,
        capacity: pcs.Capacity | None = None,
    ) -> None:
        super().__init__(scope, id, description="GPU training on AWS PCS")
        network = pcs.Network(
            self, "Network", cidr="10.16.0.0/16", availability_zones=[zone] if zone else 1
        )
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        scratch = pcs.LustreStorage(
            self,
            "Scratch",
            vpc=network.vpc,
            deployment_type=fsx.LustreDeploymentType.SCRATCH_2,
            capacity=cdk.Size.gibibytes(9600),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            size=pcs.ClusterSize.MEDIUM,
            mounts={"/home": home, "/scratch": scratch},
        )
        cluster.add_login_nodes("login", instance_type="m7i.2xlarge")
        train = cluster.add_compute_node_group(
            "train",
            instance_types=["p5.48xlarge"],
            # What is paid for anyway runs all the time.
            scaling=pcs.Scaling.static(_NODES) if capacity else pcs.Scaling.dynamic(max=_NODES),
            efa=True,
            capacity=capacity,
        )
        prepare = cluster.add_compute_node_group(
            "prepare",
            instance_types=["g6.4xlarge", "g5.4xlarge"],
            scaling=pcs.Scaling.dynamic(max=32),
            capacity=pcs.Capacity.spot(allocation=pcs.SpotAllocation.PRICE_CAPACITY_OPTIMIZED),
        )
        cluster.add_queue("train", node_groups=[train])
        cluster.add_queue("spot", node_groups=[prepare])

        program.acknowledge(self, {"pcs-constructs:PCS512": "scratch data can be made again"})


def stacks(app: cdk.App) -> None:
    """Both ways of buying."""
    GpuTraining(app, "TrainingOnDemand")
    block = app.node.try_get_context("block") or "cr-0123456789abcdef0"
    GpuTraining(
        app,
        "TrainingInBlock",
        zone=app.node.try_get_context("zone"),
        capacity=pcs.Capacity.block(block, count=_NODES),
    )


if __name__ == "__main__":
    program.synthesize(stacks)
