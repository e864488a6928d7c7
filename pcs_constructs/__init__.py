"""Typed AWS CDK constructs for AWS Parallel Computing Service (PCS).

    import pcs_constructs as pcs

Names resolve lazily (PEP 562): touching a pure value such as ``pcs.Scaling`` never starts the
CDK's Node.js process; touching a construct such as ``pcs.Cluster`` does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pcs_constructs.boot import Mount as Mount
    from pcs_constructs.boot import MountClient as MountClient
    from pcs_constructs.boot import UserDataPart as UserDataPart
    from pcs_constructs.capacity import Capacity as Capacity
    from pcs_constructs.capacity import ClusterSize as ClusterSize
    from pcs_constructs.capacity import Scaling as Scaling
    from pcs_constructs.capacity import SpotAllocation as SpotAllocation
    from pcs_constructs.cluster import Cluster as Cluster
    from pcs_constructs.endpoints import ClusterEndpoints as ClusterEndpoints
    from pcs_constructs.endpoints import ClusterEndpointsOptions as ClusterEndpointsOptions
    from pcs_constructs.endpoints import EndpointPolicy as EndpointPolicy
    from pcs_constructs.errors import PcsValidationError as PcsValidationError
    from pcs_constructs.errors import Problem as Problem
    from pcs_constructs.identity import NodeInstanceProfile as NodeInstanceProfile
    from pcs_constructs.instances import InstanceFacts as InstanceFacts
    from pcs_constructs.instances import NetworkCard as NetworkCard
    from pcs_constructs.interfaces import ICluster as ICluster
    from pcs_constructs.interfaces import IComputeNodeGroup as IComputeNodeGroup
    from pcs_constructs.interfaces import INodeInstanceProfile as INodeInstanceProfile
    from pcs_constructs.interfaces import INodeLaunchTemplate as INodeLaunchTemplate
    from pcs_constructs.interfaces import ISharedStorage as ISharedStorage
    from pcs_constructs.launch_template import NodeLaunchTemplate as NodeLaunchTemplate
    from pcs_constructs.lifecycle import ExecutionPolicy as ExecutionPolicy
    from pcs_constructs.lifecycle import LifecycleAction as LifecycleAction
    from pcs_constructs.lifecycle import LifecycleScript as LifecycleScript
    from pcs_constructs.lifecycle import LifecycleStage as LifecycleStage
    from pcs_constructs.lifecycle import OnError as OnError
    from pcs_constructs.lifecycle import ScriptCachingPolicy as ScriptCachingPolicy
    from pcs_constructs.network import Network as Network
    from pcs_constructs.network import NetworkType as NetworkType
    from pcs_constructs.node_group import ComputeNodeGroup as ComputeNodeGroup
    from pcs_constructs.node_group import ComputeNodeGroupOptions as ComputeNodeGroupOptions
    from pcs_constructs.node_group import LoginNodeOptions as LoginNodeOptions
    from pcs_constructs.queue import Queue as Queue
    from pcs_constructs.queue import QueueOptions as QueueOptions
    from pcs_constructs.reservations import CapacityReservationGroup as CapacityReservationGroup
    from pcs_constructs.reservations import SpotServiceLinkedRole as SpotServiceLinkedRole
    from pcs_constructs.security_groups import ClusterSecurityGroup as ClusterSecurityGroup
    from pcs_constructs.security_groups import ClusterSecurityGroups as ClusterSecurityGroups
    from pcs_constructs.security_groups import (
        RestrictedSecurityGroups as RestrictedSecurityGroups,
    )
    from pcs_constructs.slurm import Accounting as Accounting
    from pcs_constructs.slurm import AccountingEnforcement as AccountingEnforcement
    from pcs_constructs.slurm import Preemption as Preemption
    from pcs_constructs.slurm import PreemptMode as PreemptMode
    from pcs_constructs.slurm import SlurmVersion as SlurmVersion
    from pcs_constructs.storage.efs import EfsStorage as EfsStorage
    from pcs_constructs.storage.file_cache import DataRepository as DataRepository
    from pcs_constructs.storage.file_cache import FileCacheStorage as FileCacheStorage
    from pcs_constructs.storage.local import LocalScratch as LocalScratch
    from pcs_constructs.storage.lustre import LustreStorage as LustreStorage
    from pcs_constructs.storage.lustre import LustreStorageType as LustreStorageType
    from pcs_constructs.storage.lustre import RepositoryEvent as RepositoryEvent
    from pcs_constructs.storage.nfs import NfsStorage as NfsStorage
    from pcs_constructs.storage.nfs import NfsVersion as NfsVersion
    from pcs_constructs.storage.ontap import OntapDeploymentType as OntapDeploymentType
    from pcs_constructs.storage.ontap import OntapStorage as OntapStorage
    from pcs_constructs.storage.ontap import OntapTieringPolicy as OntapTieringPolicy
    from pcs_constructs.storage.openzfs import OpenZfsCompression as OpenZfsCompression
    from pcs_constructs.storage.openzfs import OpenZfsDeploymentType as OpenZfsDeploymentType
    from pcs_constructs.storage.openzfs import OpenZfsStorage as OpenZfsStorage
    from pcs_constructs.storage.share import FileShare as FileShare
    from pcs_constructs.storage.share import MountScript as MountScript
    from pcs_constructs.storage.share import MountScripts as MountScripts
    from pcs_constructs.storage.share import Ports as Ports

_MODULE_OF = {
    "Accounting": "slurm",
    "AccountingEnforcement": "slurm",
    "Capacity": "capacity",
    "CapacityReservationGroup": "reservations",
    "Cluster": "cluster",
    "ClusterEndpoints": "endpoints",
    "ClusterEndpointsOptions": "endpoints",
    "ClusterSecurityGroup": "security_groups",
    "ClusterSecurityGroups": "security_groups",
    "ClusterSize": "capacity",
    "ComputeNodeGroup": "node_group",
    "ComputeNodeGroupOptions": "node_group",
    "DataRepository": "storage.file_cache",
    "EfsStorage": "storage.efs",
    "EndpointPolicy": "endpoints",
    "ExecutionPolicy": "lifecycle",
    "FileCacheStorage": "storage.file_cache",
    "FileShare": "storage.share",
    "ICluster": "interfaces",
    "IComputeNodeGroup": "interfaces",
    "INodeInstanceProfile": "interfaces",
    "INodeLaunchTemplate": "interfaces",
    "ISharedStorage": "interfaces",
    "InstanceFacts": "instances",
    "LifecycleAction": "lifecycle",
    "LifecycleScript": "lifecycle",
    "LifecycleStage": "lifecycle",
    "LocalScratch": "storage.local",
    "LoginNodeOptions": "node_group",
    "LustreStorage": "storage.lustre",
    "LustreStorageType": "storage.lustre",
    "Mount": "boot",
    "MountClient": "boot",
    "MountScript": "storage.share",
    "MountScripts": "storage.share",
    "Network": "network",
    "NetworkCard": "instances",
    "NetworkType": "network",
    "NfsStorage": "storage.nfs",
    "NfsVersion": "storage.nfs",
    "NodeInstanceProfile": "identity",
    "NodeLaunchTemplate": "launch_template",
    "OnError": "lifecycle",
    "OntapDeploymentType": "storage.ontap",
    "OntapStorage": "storage.ontap",
    "OntapTieringPolicy": "storage.ontap",
    "OpenZfsCompression": "storage.openzfs",
    "OpenZfsDeploymentType": "storage.openzfs",
    "OpenZfsStorage": "storage.openzfs",
    "PcsValidationError": "errors",
    "Ports": "storage.share",
    "PreemptMode": "slurm",
    "Preemption": "slurm",
    "Problem": "errors",
    "Queue": "queue",
    "QueueOptions": "queue",
    "RepositoryEvent": "storage.lustre",
    "RestrictedSecurityGroups": "security_groups",
    "Scaling": "capacity",
    "ScriptCachingPolicy": "lifecycle",
    "SlurmVersion": "slurm",
    "SpotAllocation": "capacity",
    "SpotServiceLinkedRole": "reservations",
    "UserDataPart": "boot",
}
__all__ = list(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]

if not TYPE_CHECKING:  # hidden from type checkers so that typos stay errors

    def __getattr__(name):
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted(__all__)
