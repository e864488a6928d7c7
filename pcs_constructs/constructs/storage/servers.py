"""File servers of Amazon FSx that are not attached yet: what OpenZFS and ONTAP have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_fsx as fsx

from pcs_constructs.constructs._cdk.casts import as_security_group
from pcs_constructs.constructs._cdk.traffic import new_security_group
from pcs_constructs.constructs.storage.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from pcs_constructs.constructs._cdk.arguments import Arguments

_NAMES: Final = {"OPENZFS": "an OpenZFS", "ONTAP": "an ONTAP"}


class Common(TypedDict):
    """The properties that the configurations of both kinds have."""

    deployment_type: str
    disk_iops_configuration: fsx.CfnFileSystem.DiskIopsConfigurationProperty
    preferred_subnet_id: str | None
    route_table_ids: list[str] | None
    endpoint_ip_address_range: str | None
    automatic_backup_retention_days: int
    daily_automatic_backup_start_time: str | None
    weekly_maintenance_start_time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FsxServers:
    """The servers of a file system, their place, disks, keys and backups."""

    deployment_type: str
    capacity_gib: float
    throughput: int
    iops: int | None
    placement: Placement
    kms_key: kms.IKey | None
    backup_days: int
    backup_start_time: str | None
    weekly_maintenance: fsx.LustreMaintenanceTime | None
    removal_policy: cdk.RemovalPolicy

    @classmethod
    def among(
        cls,
        given: Arguments,
        *,
        capacity_gib: int,
        throughput: Mapping[str, int],
    ) -> Self | None:
        """The servers among the arguments of a constructor.

        Args:
            given: The arguments.
            capacity_gib: The capacity where none is said.
            throughput: The throughput where none is said, by deployment type.

        Returns:
            The servers; `None` where an argument is not of its kind, as `given` tells.
        """
        take = given.arguments.__getitem__
        gibibytes = given.gibibytes("capacity", take("capacity"), default=capacity_gib)
        backup_days = given.days("backup_retention", take("backup_retention"), default=30)
        tables = take("route_table_ids")
        named = None if tables is None else given.items("route_table_ids", tables)
        if given.problems:
            return None
        deployment_type: str = take("deployment_type").value
        said = take("throughput")
        return cls(
            deployment_type=deployment_type,
            capacity_gib=gibibytes,
            throughput=throughput[deployment_type] if said is None else said,
            iops=take("iops"),
            placement=Placement(
                take("vpc"),
                multi_az=deployment_type.startswith("MULTI_AZ"),
                subnet=take("subnet"),
                standby_subnet=take("standby_subnet"),
                route_table_ids=named,
                endpoint_ip_address_range=take("endpoint_ip_address_range"),
            ),
            kms_key=take("kms_key"),
            backup_days=backup_days,
            backup_start_time=take("backup_start_time"),
            weekly_maintenance=take("weekly_maintenance"),
            removal_policy=take("removal_policy"),
        )

    @property
    def destroyed(self) -> bool:
        """Whether the file system and its volumes go with the stack."""
        return self.removal_policy is cdk.RemovalPolicy.DESTROY

    @property
    def common(self) -> Common:
        """What the configurations of both kinds say."""
        maintenance = self.weekly_maintenance
        return {
            "deployment_type": self.deployment_type,
            "disk_iops_configuration": fsx.CfnFileSystem.DiskIopsConfigurationProperty(
                mode="AUTOMATIC" if self.iops is None else "USER_PROVISIONED", iops=self.iops
            ),
            "preferred_subnet_id": self.placement.preferred_subnet_id,
            "route_table_ids": list(self.placement.route_table_ids) or None,
            "endpoint_ip_address_range": self.placement.endpoint_ip_address_range,
            "automatic_backup_retention_days": self.backup_days,
            "daily_automatic_backup_start_time": self.backup_start_time,
            "weekly_maintenance_start_time": maintenance.to_timestamp() if maintenance else None,
        }

    def attach(
        self,
        scope: Construct,
        id: str,
        kind: str,
        vpc: ec2.IVpc,
        *,
        openzfs: fsx.CfnFileSystem.OpenZFSConfigurationProperty | None = None,
        ontap: fsx.CfnFileSystem.OntapConfigurationProperty | None = None,
    ) -> tuple[ec2.SecurityGroup, fsx.CfnFileSystem]:
        """Make the file system and the security group of its servers.

        Args:
            scope: The construct of the storage.
            id: Its id, which the file system is called by.
            kind: The type of the file system in FSx's words.
            vpc: The VPC of the servers.
            openzfs: What is said of one of OpenZFS.
            ontap: What is said of one of ONTAP.
        """
        group = new_security_group(
            scope,
            "SecurityGroup",
            vpc,
            f"Servers of {_NAMES[kind]} file system",
            all_outbound=False,
        )
        self.placement.tag_route_tables()
        file_system = fsx.CfnFileSystem(
            scope,
            "Resource",
            file_system_type=kind,
            storage_type="SSD",
            storage_capacity=self.capacity_gib,
            subnet_ids=self.placement.subnet_ids,
            security_group_ids=[as_security_group(group).security_group_id],
            tags=[cdk.CfnTag(key="Name", value=id)],
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            open_zfs_configuration=openzfs,
            ontap_configuration=ontap,
        )
        file_system.apply_removal_policy(self.removal_policy)
        return group, file_system
