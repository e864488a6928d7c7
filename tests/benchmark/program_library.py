"""The library's program: a cluster with two file systems, and N node groups each with its queue.

python -m tests.benchmark.program_library N [OUTDIR]
"""

import sys
import tempfile

import aws_cdk as cdk

import pcs_constructs as pcs


def main(groups: int, outdir: str) -> None:
    app = cdk.App(outdir=outdir)
    stack = cdk.Stack(app, "Bench")

    network = pcs.Network(stack, "Network", availability_zones=2)
    home = pcs.EfsStorage(stack, "Home", vpc=network.vpc)
    shared = pcs.LustreStorage(stack, "Shared", vpc=network.vpc)
    cluster = pcs.Cluster(
        stack,
        "Cluster",
        vpc=network.vpc,
        size=pcs.ClusterSize.LARGE,
        mounts={"/home": home, "/shared": shared},
    )
    for number in range(1, groups + 1):
        nodes = cluster.add_compute_node_group(
            f"compute-{number}",
            instance_types=["c6i.xlarge"],
            scaling=pcs.Scaling.dynamic(max=4),
        )
        cluster.add_queue(f"queue-{number}", node_groups=[nodes])

    app.synth()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(int(sys.argv[1]), *(sys.argv[2:] or [directory]))
