"""Problems in the words of those who write templates: properties, not Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pcs_constructs.model.errors import Problem

FIXES: Final[Mapping[str, str]] = {
    "PCS102": "give each its own name",
    "PCS103": "rename the cluster in each change that replaces it, or suppress this with a reason",
    "PCS107": "give seconds, such as 600",
    "PCS109": "give 1 to 10000 days, or -1 to keep records for good",
    "PCS117": "set SlurmRest to Mode STANDARD, or close the port",
    "PCS204": "rename the group when its types change, or suppress this with a reason",
    "PCS207": "check the spelling; a newer type works all the same",
    "PCS208": "add it to ComputeNodeGroupConfigurations of a queue",
    "PCS212": "give seconds, such as 600, with Slurm 25.11 or newer; or set it on the cluster",
    "PCS213": "write PurchaseOption: SPOT, or leave SpotOptions out",
    "PCS215": "name an image that is built for the instance types",
    "PCS226": "write HealthMonitoring: {Mode: STANDARD}, or leave InstanceHealthChecks out",
    "PCS228": "use Slurm 26.05 or newer, or leave InstanceHealthChecks out",
    "PCS229": "leave DeepHealthChecks out, or make a node group of instances with NVIDIA GPUs",
    "PCS303": "name at least one in ComputeNodeGroupConfigurations",
    "PCS304": "give the queue the ClusterId of its node groups",
    "PCS401": "set EnableDnsHostnames and EnableDnsSupport of the VPC to true",
    "PCS402": "make the VPC with InstanceTenancy default",
    "PCS403": "use a subnet without a route to an internet gateway",
    "PCS404": "use a subnet of the cluster's VPC",
    "PCS406": "set MapPublicIpOnLaunch of the subnet, or use a private one",
    "PCS408": "name your own range, such as 203.0.113.0/24",
    "PCS415": "make the group with the VpcId of the cluster's subnet",
    "PCS416": "give the subnet an IPv6 range, and set AssignIpv6AddressOnCreation",
    "PCS421": "name one subnet for each zone",
    "PCS426": "use one endpoint for all clusters of the VPC, and let the nodes of each in",
    "PCS508": "name one subnet for each Availability Zone",
    "PCS513": "make ThroughputMode, ProvisionedThroughputInMibps and LifecyclePolicies agree",
    "PCS509": "mount the same on the nodes of all groups",
    "PCS519": "give the log group a name such as /aws/fsx/lustre",
    "PCS523": "use Retain or Delete",
    "PCS536": "make a volume at the path around it first",
    "PCS554": "suppress this after a try, or make the cache with the FSx API",
    "PCS560": "add a mount target in that zone, or put the nodes where the mount targets are",
    "PCS601": "name one subnet",
    "PCS602": "use plain interfaces, or choose a type that has EFA, such as hpc7a.96xlarge",
    "PCS606": "use Fn::GetAtt with LatestVersionNumber, or a number if it is made elsewhere",
    "PCS608": "add SecurityGroupIds with the cluster's group",
    "PCS618": "leave KmsKeyId or Encrypted: false out",
    "PCS619": "leave Placement out, or make the group with Strategy cluster",
    "PCS620": "use efa, or suppress this when a node has started with it",
    "PCS624": "write MinInstanceCount: 0",
    "PCS628": "buy them with PurchaseOption: CAPACITY_BLOCK",
    "PCS701": "give it the Path /aws-pcs/ or a RoleName that starts with AWSPCS",
    "PCS704": "see that its role has one of them, and suppress this; or rename both",
    "PCS724": "give it the Path /aws-pcs/ or a RoleName that starts with AWSPCS",
    "PCS803": "add RealMemory, in MB, to SlurmCustomSettings of the node group",
    "PCS820": "set SelectTypeParameters of the cluster to CR_CPU_Memory, or leave RealMemory out",
    "PCS821": "run sacctmgr add qos first, then list it in the cluster's Metadata: "
    "pcs-constructs: {qos: [...]}",
    "PCS828": "declare as many, of the same type, in GresCustomSettings",
    "PCS831": "run sacctmgr add qos, then add it to qos in the cluster's Metadata",
    "PCS833": "set PreemptType of the cluster to preempt/partition_prio, and give the queue whose "
    "jobs go first a higher PriorityTier",
    "PCS836": "give the cluster both, such as preempt/partition_prio and REQUEUE, or neither",
    "PCS842": "set SelectTypeParameters of the cluster to CR_CPU_Memory, or leave DefMemPerCPU out",
    "PCS843": "set PreemptMode of the cluster to SUSPEND,GANG",
    "PCS844": "lower DefMemPerCPU of the cluster, or raise RealMemory",
    "PCS902": "begin scripts with #!/bin/bash, and give them the type text/x-shellscript",
    "PCS906": "use text/cloud-config, text/x-shellscript or text/cloud-boothook",
    "PCS911": "leave it out, or give the actions as well",
    "PCS918": "write the name of a release, such as mount-efs-v1.0.0.sh",
    "PCS922": "add Checksum, what sha256sum prints of it; name a whole release, such as "
    "mount-efs-v1.0.0.sh; or add S3VersionId",
    "PCS923": "leave REFRESH_ON_REBOOT out, or set ExecutionPolicy of actions to EVERY_BOOT",
    "PCS925": "put it into NodeBootstrapped, with OnError: TERMINATE",
    "PCS926": "forward logs first, then mount, then run scripts of yours",
}
"""By code, how to write it right in a template, where the fix for constructs does not read well."""

_WORDS: Final = [
    (re.compile(pattern), words)
    for pattern, words in (
        (r", or for a cluster that runs it already SlurmVersion.*", ""),
        (r"SlurmVersion\.V(\d\d)_(\d\d)", r"Slurm \1.\2"),
        (r"backup_retention=cdk\.Duration\.days\((\d+)\)", r"AutomaticBackupRetentionDays: \1"),
        (r"size=pcs\.ClusterSize\.(\w+)", r"Size: \1"),
        (r"cdk\.Size\.gibibytes of ([\d.]+) (or|to) ([\d.]+)", r"\1 \2 \3 GiB"),
        (r"cdk\.Size\.gibibytes of ([\d.]+)", r"\1 GiB"),
        (r"of (\d+) with\s+throughput=(\d+)", r"\1 GiB at \2 MB/s/TiB"),
        (r"cdk\.Size\.gibibytes\((\d+)\)", r"\1 GiB"),
        (r"cdk\.Size\.mebibytes\((\d+)\)", r"\1 MiB"),
        (r"cdk\.Size\.tebibytes\((\d+)\)", r"\1 TiB"),
        (r"cdk\.Duration\.days\((\d+)\)", r"\1 days"),
        (r"Scaling\.static\((\d+)\)", r"a minimum and a maximum of \1"),
        (r"Scaling\.dynamic\(max=(\d+)\)", r"a minimum of 0 and a maximum of \1"),
        (r"accounting=pcs\.Accounting\(\)", "Accounting with Mode STANDARD"),
        (r"(?:Lustre|OpenZfs|Ontap)\w*(?:Type|Policy)\.(\w+)", r"\1"),
        (r"acknowledge (this|the)", r"suppress \1"),
        (r"suppress the price", "accept the price"),
        (r"Capacity\.block", "a Capacity Block"),
        (r"cdk\.RemovalPolicy\.(\w+)", r"\1"),
        (r"\biops=(\d+)", r"\1 IOPS"),
    )
]

_PROPERTIES: Final[Mapping[str, str]] = {
    "backup_retention": "AutomaticBackupRetentionDays",
    "backup_start_time": "DailyAutomaticBackupStartTime",
    "cgroup_settings": "CgroupCustomSettings",
    "enable_dns_hostnames=False": "EnableDnsHostnames false",
    "enable_dns_support=False": "EnableDnsSupport false",
    "encrypted=False": "Encrypted: false",
    "endpoint_ip_address_range": "EndpointIpAddressRange",
    "ha_pairs": "HAPairs",
    "instance_metadata_tags": "InstanceMetadataTags",
    "kms_key": "KmsKeyId",
    "lifecycle_actions": "Stages",
    "lifecycle_policy": "TransitionToIA",
    "max=": "MaxInstanceCount ",
    "metadata_iops": "MetadataConfiguration",
    "min=": "MinInstanceCount ",
    "nfs_exports": "NfsExports",
    "placement_group": "Placement",
    "rest_api": "SlurmRest",
    "route_table_ids": "RouteTableIds",
    "scale_down_idle_time": "ScaleDownIdleTimeInSeconds",
    "slurm_settings": "SlurmCustomSettings",
    "slurmdbd_settings": "SlurmdbdCustomSettings",
    "throughput_mode=efs.ThroughputMode.PROVISIONED": "ThroughputMode: provisioned",
}
_ARGUMENT: Final = re.compile(
    "|".join(
        # Not inside of a longer word, a path or a text in quotes.
        rf"(?<![\w/'\"-]){re.escape(name)}" + ("" if name.endswith("=") else r"\b")
        for name in sorted(_PROPERTIES, key=len, reverse=True)
    )
)


def for_templates(problem: Problem) -> tuple[str, str]:
    """The message and the fix of a problem, for a template."""
    return _reworded(problem.message), _reworded(FIXES.get(problem.code, problem.fix))


def _reworded(text: str) -> str:
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return _ARGUMENT.sub(lambda match: _PROPERTIES[match[0]], text)
