"""Which properties replace a resource when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pcs_constructs.templates.types import CLUSTER, NODE_GROUP, QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATE_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::CapacityReservation": (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "EbsOptimized",
        "EphemeralStorage",
        "InstancePlatform",
        "InstanceType",
        "OutPostArn",
        "PlacementGroupArn",
        "Tenancy",
    ),
    "AWS::EC2::KeyPair": ("KeyFormat", "KeyName", "KeyType", "PublicKeyMaterial", "Tags"),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",),
    "AWS::EC2::PlacementGroup": (
        "ParentGroupId",
        "PartitionCount",
        "SpreadLevel",
        "Strategy",
        "Tags",
    ),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::Subnet": (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "CidrBlock",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "Ipv6CidrBlock",
        "Ipv6IpamPoolId",
        "Ipv6Native",
        "Ipv6NetmaskLength",
        "OutpostArn",
        "VpcId",
    ),
    "AWS::EC2::VPC": (
        "CidrBlock",
        "InstanceTenancy",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "VpcEncryptionControl",
    ),
    "AWS::EFS::AccessPoint": ("ClientToken", "FileSystemId", "PosixUser", "RootDirectory"),
    "AWS::EFS::FileSystem": ("AvailabilityZoneName", "Encrypted", "KmsKeyId", "PerformanceMode"),
    "AWS::FSx::FileCache": (
        "CopyTagsToDataRepositoryAssociations",
        "DataRepositoryAssociations",
        "FileCacheType",
        "FileCacheTypeVersion",
        "KmsKeyId",
        "LustreConfiguration/DeploymentType",
        "LustreConfiguration/MetadataConfiguration",
        "LustreConfiguration/PerUnitStorageThroughput",
        "SecurityGroupIds",
        "StorageCapacity",
        "SubnetIds",
    ),
    "AWS::FSx::FileSystem": (
        "BackupId",
        "FileSystemType",
        "KmsKeyId",
        "SecurityGroupIds",
        "SubnetIds",
    ),
    "AWS::FSx::StorageVirtualMachine": ("FileSystemId", "Name", "RootVolumeSecurityStyle"),
    "AWS::FSx::Volume": (
        "BackupId",
        "OntapConfiguration/AggregateConfiguration",
        "OntapConfiguration/OntapVolumeType",
        "OntapConfiguration/SnaplockConfiguration/SnaplockType",
        "OntapConfiguration/StorageVirtualMachineId",
        "OntapConfiguration/VolumeStyle",
        "OpenZFSConfiguration/OriginSnapshot",
        "OpenZFSConfiguration/ParentVolumeId",
        "VolumeType",
    ),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", "Path"),
    "AWS::IAM::Role": ("Path", "RoleName"),
    "AWS::KMS::Key": (),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    CLUSTER: ("Name", "Networking", "Size"),
    NODE_GROUP: ("ClusterId", "InstanceConfigs", "Name"),
    QUEUE: ("ClusterId", "Name"),
    "AWS::ResourceGroups::Group": ("Name",),
    "AWS::S3::Bucket": ("BucketName", "BucketNamePrefix", "BucketNamespace"),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
}
"""The properties whose change replaces a resource, by type: those of AWS PCS, and of what its
resources refer to. From CloudFormation's schemas, `createOnlyProperties` with the conditional ones,
of which it is not said when they replace."""
