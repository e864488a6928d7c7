"""Urgent jobs go first: accounting, two queues with preemption, and GPUs that jobs ask for by name.

    python -m apps.priorities

synthesizes it into `cdk.out`. A queue may name a QOS, which has to be made before, on the login
node: `docs/guide/accounting.md` has the commands. Then `-c qos=gpu-limits` puts it on the queue.
"""

import aws_cdk as cdk
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


class Priorities(cdk.Stack):
    """A cluster that two departments share, one of them in a hurry at times.

    Args:
        qos: The QOS that limits what jobs on GPUs take together. By default none: it is made with
            `sacctmgr` once the cluster is there.
    """

    def __init__(self, scope: Construct, id: str, *, qos: str | None = None) -> None:
        super().__init__(scope, id, description="A shared cluster with preemption on AWS PCS")
        network = pcs.Network(self, "Network", cidr="10.40.0.0/16", availability_zones=2)
        home = pcs.EfsStorage(self, "Home", vpc=network.vpc)
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            size=pcs.ClusterSize.MEDIUM,
            mounts={"/home": home},
            accounting=pcs.Accounting(
                retention_days=400,
                enforce=[pcs.AccountingEnforcement.LIMITS, pcs.AccountingEnforcement.QOS],
                qos=[qos] if qos else None,
            ),
            memory_aware=True,
            default_memory_per_cpu=cdk.Size.gibibytes(2),
            licenses={"ansys": 25},
            preemption=pcs.Preemption.by_queue(exempt_time=cdk.Duration.minutes(10)),
            slurm_settings={"PriorityWeightAge": "1000", "PriorityWeightFairshare": "10000"},
            slurmdbd_settings={"PrivateData": "jobs,usage"},
            cgroup_settings={"ConstrainRAMSpace": "yes"},
        )
        cluster.add_login_nodes("login", instance_type="m7i.xlarge")
        reserved = cluster.add_compute_node_group(
            "always", instance_types=["m7i.8xlarge"], scaling=pcs.Scaling.static(2), weight=1
        )
        elastic = cluster.add_compute_node_group(
            "elastic",
            instance_types=["m7i.8xlarge"],
            scaling=pcs.Scaling.dynamic(max=60),
            scale_down_idle_time=cdk.Duration.minutes(5),
            weight=10,
            features=["elastic"],
        )
        gpus = cluster.add_compute_node_group(
            "gpus",
            instance_types=["g6e.12xlarge"],
            scaling=pcs.Scaling.dynamic(max=8),
            gpu_type="l40s",
        )
        cluster.add_queue(
            "normal",
            node_groups=[reserved, elastic],
            default=True,
            default_time=cdk.Duration.hours(1),
            max_time=cdk.Duration.days(7),
            grace_time=cdk.Duration.minutes(2),
        )
        cluster.add_queue(
            "urgent",
            node_groups=[reserved, elastic],
            priority_tier=10,
            preempt_mode=pcs.PreemptMode.OFF,
            max_time=cdk.Duration.hours(12),
            allow_accounts=["weather"],
        )
        cluster.add_queue(
            "gpu",
            node_groups=[gpus],
            max_time=cdk.Duration.days(1),
            qos=qos,
        )

        program.acknowledge(self)


def stacks(app: cdk.App) -> None:
    """The stack, with the QOS that the context names."""
    Priorities(app, "Priorities", qos=app.node.try_get_context("qos"))


if __name__ == "__main__":
    program.synthesize(stacks)
