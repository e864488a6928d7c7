"""One of each kind of storage on one cluster.

    python -m apps.storage_gallery

Nobody needs all of them; take the lines that you need. `-c nfs=10.0.0.5` names an NFS server.
"""

import aws_cdk as cdk
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from constructs import Construct

import pcs_constructs as pcs
from apps import program  # isort: split  # first: it chooses the Node.js of the CDK


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
        zfs = pcs.OpenZfsStorage(self, "OpenZfs", vpc=network.vpc, capacity=cdk.Size.gibibytes(256))
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
                "/ontap": ontap,
                "/cache": cache,
                "/nfs": pcs.NfsStorage(host=nfs_server, export="/export"),
                "/local": pcs.LocalScratch(),
            },
        )
        cluster.add_login_nodes("login", instance_type="c7i.xlarge")
        nodes = cluster.add_compute_node_group(
            "compute", instance_types=["c6id.8xlarge"], scaling=pcs.Scaling.dynamic(max=8)
        )
        cluster.add_queue("compute", node_groups=[nodes])

        program.acknowledge(
            self, {"AwsSolutions-S1": "CloudTrail records access where it is audited"}
        )


def stacks(app: cdk.App) -> None:
    """The stack, with the server that the context names."""
    StorageGallery(app, "StorageGallery", nfs_server=app.node.try_get_context("nfs") or "10.0.0.5")


if __name__ == "__main__":
    program.synthesize(stacks)
