"""One of each kind of storage on one cluster.

    python -m apps.storage_gallery

Nobody needs all of them; take the lines that you need. `-c nfs=10.0.0.5` names an NFS server.
"""

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK

_IAM: Final = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:"
_REASONS: Final = {
    "AwsSolutions-S1": "CloudTrail records access where it is audited",
    "AwsSolutions-SF1": "two steps a day, whose failures show in the history of executions",
    "AwsSolutions-SF2": "two steps a day, nothing to trace",
    f"{_IAM}fsx:<AWS::Region>:<AWS::AccountId>:snapshot/<OpenZfs5685B2C8.RootVolumeId>/*]": (
        "a snapshot's id is known when it is made"
    ),
    f"{_IAM}logs:<AWS::Region>:<AWS::AccountId>:log-group:"
    "/aws/pcs/<ClusterEB0386A7.Id>/lifecycle:*]": "each node writes a stream of its own",
    f"{_IAM}s3:::aws-pcs-repo-<AWS::Region>/aws-pcs-node-lifecycle-scripts/*]": (
        "AWS's own scripts, of which a newer release may follow"
    ),
}


class StorageGallery(cdk.Stack):
    """A cluster whose nodes mount everything, each at the path that says what it is.

    Args:
        nfs_server: The host of an NFS server that is there already.
    """

    def __init__(self, scope: Construct, id: str, *, nfs_server: str = "10.0.0.5") -> None:
        super().__init__(scope, id, description="A gallery of storage on AWS PCS")
        network = pcs.Network(self, "Network", cidr="10.32.0.0/16")
        bucket = s3.Bucket(
            self,
            "Bucket",
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        home = pcs.EfsStorage(
            self,
            "Home",
            vpc=network.vpc,
            iam_authorization=True,
            lifecycle_policy=efs.LifecyclePolicy.AFTER_60_DAYS,
        )
        lustre = pcs.LustreStorage(
            self, "Lustre", vpc=network.vpc, capacity=cdk.Size.gibibytes(2400), throughput=250
        )
        lustre.add_data_repository("Genomes", path="/genomes", bucket=bucket, prefix="genomes")
        zfs = pcs.OpenZfsStorage(
            self,
            "OpenZfs",
            vpc=network.vpc,
            capacity=cdk.Size.gibibytes(256),
            snapshot_schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        )
        projects = zfs.add_volume("Projects", path="/projects", quota=cdk.Size.gibibytes(100))
        ontap = pcs.OntapStorage(self, "Ontap", vpc=network.vpc)
        cache = pcs.FileCacheStorage(
            self,
            "Cache",
            vpc=network.vpc,
            data_repositories={"/archive": pcs.DataRepository.s3(bucket, prefix="archive")},
        )
        cluster = pcs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            mounts={
                "/home": home,
                "/projects": home.add_access_point(
                    "Projects",
                    path="/projects",
                    create_acl=efs.Acl(owner_uid="0", owner_gid="0", permissions="1777"),
                ),
                "/lustre": lustre,
                "/zfs": zfs,
                "/zfs-projects": projects,
                "/ontap": ontap,
                "/cache": cache,
                "/nfs": pcs.NfsStorage(host=nfs_server, export="/export"),
                "/local": pcs.LocalScratch(),
            },
        )
        cluster.add_login_nodes("login", instance_type="c7i.xlarge")
        nodes = cluster.add_compute_node_group(
            "compute",
            instance_types=["c6id.8xlarge"],
            scaling=pcs.Scaling.dynamic(max=8),
            lifecycle_actions=[
                pcs.LifecycleAction(
                    name="Forward logs",
                    script=pcs.LifecycleScript.maintained("configure-cloudwatch-logs"),
                    on_error=pcs.OnError.CONTINUE,
                )
            ],
        )
        cluster.add_queue("compute", node_groups=[nodes])

        program.acknowledge(self, _REASONS)


def stacks(app: cdk.App) -> None:
    """The stack, with the server that the context names."""
    StorageGallery(app, "StorageGallery", nfs_server=app.node.try_get_context("nfs") or "10.0.0.5")


if __name__ == "__main__":
    program.synthesize(stacks)
