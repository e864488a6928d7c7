"""Clusters that are defined elsewhere."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.once import security_group_id, subnet_id
from pcs_constructs.constructs._cdk.problems import at_synth, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs._cdk.tree import all_constructs
from pcs_constructs.constructs.cluster import secrets
from pcs_constructs.constructs.cluster.members import connections_of, problems_of_members
from pcs_constructs.constructs.network.subnets import (
    first_private_subnet,
    security_group_facts,
    subnet_for,
)
from pcs_constructs.constructs.nodes.instance_profile import NodeInstanceProfile
from pcs_constructs.constructs.nodes.parameters import judge_qos, qos_of
from pcs_constructs.model.errors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pcs_constructs.constructs.file_share import FileShare, MountScripts
    from pcs_constructs.constructs.interfaces import INodeInstanceProfile, ISharedStorage
    from pcs_constructs.model.network_type import NetworkType
    from pcs_constructs.model.slurm import Accounting, SlurmVersion


@jsii.implements(ec2.IConnectable)
class ImportedCluster(Construct):
    """A cluster that is defined elsewhere."""

    cluster_id: Final[str]
    vpc: Final[ec2.IVpc]
    subnet: Final[ec2.ISubnet]
    security_group: Final[ec2.ISecurityGroup]
    compute_security_group: Final[ec2.ISecurityGroup]
    login_security_group: Final[ec2.ISecurityGroup]
    mounts: Final[Mapping[str, ISharedStorage]]
    mount_scripts: Final[MountScripts | None]
    slurm: Final[SlurmVersion | None]
    accounting: Final[bool | None]
    qos: Final[frozenset[str] | None]
    network_type: Final[NetworkType | None]
    memory_aware: Final[bool | None]
    slurm_settings: Final[None]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_id: str,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        subnet: ec2.ISubnet | None,
        mounts: Mapping[str, ISharedStorage] | None,
        mount_scripts: MountScripts | None,
        slurm: SlurmVersion | None,
        accounting: Accounting | None,
        memory_aware: bool | None,
        network_type: NetworkType | None,
        compute_security_group: ec2.ISecurityGroup | None,
        login_security_group: ec2.ISecurityGroup | None,
    ) -> None:
        given = Arguments(ImportedCluster.__init__, locals())
        judge_qos(given, accounting)
        file_systems = given.mapping("mounts", mounts)
        refuse(scope, id, given.problems)
        compute = compute_security_group or security_group
        groups = {
            "security_group": security_group,
            "compute_security_group": compute,
            "login_security_group": login_security_group or compute,
        }
        place = subnet or first_private_subnet(vpc)
        facts = (
            rules.ClusterFacts(
                name=UNKNOWN, named=False, slurm=UNKNOWN, cluster_id=known(cluster_id)
            ),
            rules.IdentifierFacts(
                subnet_ids=(known(subnet_id(place)),) if place else (),
                security_group_ids=tuple(
                    known(security_group_id(group)) for group in dict.fromkeys(groups.values())
                ),
            ),
            *(
                security_group_facts(argument, group, vpc)
                # By the first argument that names it.
                for group, argument in {g: a for a, g in reversed(groups.items())}.items()
            ),
            rules.MountFacts(paths=tuple(known(path) for path in file_systems)),
            *(storage.file_share.facts(path) for path, storage in file_systems.items()),
        )
        place = subnet_for(scope, id, place, rules.errors_in(*facts))
        super().__init__(scope, id)
        self.cluster_id = cluster_id
        self.vpc = vpc
        self.subnet = place
        self.security_group = security_group
        self.compute_security_group = groups["compute_security_group"]
        self.login_security_group = groups["login_security_group"]
        self.mounts = file_systems
        self.mount_scripts = mount_scripts
        self.slurm = slurm
        self.accounting = None if accounting is None else True
        self.qos = qos_of(accounting)
        self.network_type = network_type
        self.memory_aware = memory_aware
        self.slurm_settings = None
        at_synth(self, lambda: problems_of_members(self, all_constructs(self)))

    @cached_property
    def _shared_profile(self) -> NodeInstanceProfile:
        return NodeInstanceProfile(self, "InstanceProfile")

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the controller and of every node."""
        return connections_of(self)

    @property
    def open_shares(self) -> Sequence[FileShare]:
        """The file systems whose ports are known to be open: none."""
        # Where the cluster is defined, ports may be open already, and EC2 refuses a rule that is
        # there; so a node group opens them to a security group of its own.
        return ()

    @property
    def instance_profile(self) -> INodeInstanceProfile:
        """The instance profile that node groups share until something is granted to one of them."""
        return self._shared_profile

    def grant_secret_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the cluster's secret."""
        return secrets.grant_secret_read(self, self.cluster_id, grantee)

    def grant_jwt_key_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the key of the Slurm REST API."""
        return secrets.grant_jwt_key_read(self, self.cluster_id, grantee)
