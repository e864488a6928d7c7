"""Lines that a type checker must refuse. Checked, never run.

Each bears a comment that silences exactly its error. An unneeded comment is an error itself
(reportUnnecessaryTypeIgnoreComment), so a line that starts to pass fails the check.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=error, reportUnusedCallResult=false

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

import pcs_constructs as pcs


def wrong(scope: Construct, vpc: ec2.IVpc, cluster: pcs.Cluster) -> None:
    print(pcs.Clutser)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    pcs.Cluster(scope, "NoVpc")  # pyright: ignore[reportCallIssue]
    pcs.Cluster(scope, "Size", vpc=vpc, size="SMALL")  # pyright: ignore[reportArgumentType]
    pcs.Cluster(scope, "Slurm", vpc=vpc, slurm="25.11")  # pyright: ignore[reportArgumentType]
    pcs.Cluster(scope, "Key", vpc=vpc, kms_key=None)  # pyright: ignore[reportCallIssue]
    pcs.Scaling.dynamic(4)  # pyright: ignore[reportCallIssue]
    pcs.Scaling.dynamic(min=1, max=4)  # pyright: ignore[reportCallIssue]
    cluster.add_compute_node_group("NoScaling", instance_types=["c7i.large"])  # pyright: ignore[reportCallIssue]
    cluster.add_queue("bare", node_groups="compute")  # pyright: ignore[reportArgumentType]
    cluster.add_compute_node_group(
        "Typo",
        instance_types=["c7i.large"],
        scaling=pcs.Scaling.static(1),
        efs=True,  # pyright: ignore[reportCallIssue]
    )
    cluster.name = "other"  # pyright: ignore[reportAttributeAccessIssue]
    cluster.add_login_nodes("Spot", instance_type="c7i.large", capacity=pcs.Capacity.spot())  # pyright: ignore[reportCallIssue]
