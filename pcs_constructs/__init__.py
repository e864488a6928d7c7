"""Typed AWS CDK constructs for AWS Parallel Computing Service (PCS).

    import pcs_constructs as pcs

Names resolve lazily (PEP 562): touching a pure value such as ``pcs.Scaling`` never starts the
CDK's Node.js process; touching a construct such as ``pcs.Cluster`` does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pcs_constructs.constructs.cluster.cluster import Cluster as Cluster
    from pcs_constructs.constructs.cluster.endpoints import ClusterEndpoints as ClusterEndpoints
    from pcs_constructs.constructs.cluster.endpoints import (
        ClusterEndpointsOptions as ClusterEndpointsOptions,
    )
    from pcs_constructs.constructs.cluster.endpoints import EndpointPolicy as EndpointPolicy
    from pcs_constructs.constructs.cluster.queue import Queue as Queue
    from pcs_constructs.constructs.cluster.queue import QueueOptions as QueueOptions
    from pcs_constructs.constructs.file_share import FileShare as FileShare
    from pcs_constructs.constructs.file_share import MountScript as MountScript
    from pcs_constructs.constructs.file_share import MountScripts as MountScripts
    from pcs_constructs.constructs.interfaces import ICluster as ICluster
    from pcs_constructs.constructs.interfaces import IComputeNodeGroup as IComputeNodeGroup
    from pcs_constructs.constructs.interfaces import INodeInstanceProfile as INodeInstanceProfile
    from pcs_constructs.constructs.interfaces import INodeLaunchTemplate as INodeLaunchTemplate
    from pcs_constructs.constructs.interfaces import ISharedStorage as ISharedStorage
    from pcs_constructs.constructs.network.network import Network as Network
    from pcs_constructs.constructs.network.security_groups import (
        ClusterSecurityGroup as ClusterSecurityGroup,
    )
    from pcs_constructs.constructs.network.security_groups import (
        ClusterSecurityGroups as ClusterSecurityGroups,
    )
    from pcs_constructs.constructs.network.security_groups import (
        RestrictedSecurityGroups as RestrictedSecurityGroups,
    )
    from pcs_constructs.constructs.nodes.instance_profile import (
        NodeInstanceProfile as NodeInstanceProfile,
    )
    from pcs_constructs.constructs.nodes.launch_template import (
        NodeLaunchTemplate as NodeLaunchTemplate,
    )
    from pcs_constructs.constructs.nodes.lifecycle import ExecutionPolicy as ExecutionPolicy
    from pcs_constructs.constructs.nodes.lifecycle import LifecycleAction as LifecycleAction
    from pcs_constructs.constructs.nodes.lifecycle import LifecycleScript as LifecycleScript
    from pcs_constructs.constructs.nodes.lifecycle import LifecycleStage as LifecycleStage
    from pcs_constructs.constructs.nodes.lifecycle import OnError as OnError
    from pcs_constructs.constructs.nodes.lifecycle import ScriptCachingPolicy as ScriptCachingPolicy
    from pcs_constructs.constructs.nodes.node_group import ComputeNodeGroup as ComputeNodeGroup
    from pcs_constructs.constructs.nodes.node_group import (
        ComputeNodeGroupOptions as ComputeNodeGroupOptions,
    )
    from pcs_constructs.constructs.nodes.node_group import LoginNodeOptions as LoginNodeOptions
    from pcs_constructs.constructs.nodes.reservations import (
        CapacityReservationGroup as CapacityReservationGroup,
    )
    from pcs_constructs.constructs.nodes.reservations import (
        SpotServiceLinkedRole as SpotServiceLinkedRole,
    )
    from pcs_constructs.constructs.storage.efs import EfsStorage as EfsStorage
    from pcs_constructs.constructs.storage.file_cache import DataRepository as DataRepository
    from pcs_constructs.constructs.storage.file_cache import FileCacheStorage as FileCacheStorage
    from pcs_constructs.constructs.storage.local import LocalScratch as LocalScratch
    from pcs_constructs.constructs.storage.lustre import LustreStorage as LustreStorage
    from pcs_constructs.constructs.storage.lustre import LustreStorageType as LustreStorageType
    from pcs_constructs.constructs.storage.lustre import RepositoryEvent as RepositoryEvent
    from pcs_constructs.constructs.storage.nfs import NfsStorage as NfsStorage
    from pcs_constructs.constructs.storage.nfs import NfsVersion as NfsVersion
    from pcs_constructs.constructs.storage.ontap import OntapDeploymentType as OntapDeploymentType
    from pcs_constructs.constructs.storage.ontap import OntapStorage as OntapStorage
    from pcs_constructs.constructs.storage.ontap import OntapTieringPolicy as OntapTieringPolicy
    from pcs_constructs.constructs.storage.openzfs import OpenZfsCompression as OpenZfsCompression
    from pcs_constructs.constructs.storage.openzfs import (
        OpenZfsDeploymentType as OpenZfsDeploymentType,
    )
    from pcs_constructs.constructs.storage.openzfs import OpenZfsStorage as OpenZfsStorage
    from pcs_constructs.model.boot import Mount as Mount
    from pcs_constructs.model.boot import MountClient as MountClient
    from pcs_constructs.model.boot import UserDataPart as UserDataPart
    from pcs_constructs.model.capacity import Capacity as Capacity
    from pcs_constructs.model.capacity import ClusterSize as ClusterSize
    from pcs_constructs.model.capacity import Scaling as Scaling
    from pcs_constructs.model.capacity import SpotAllocation as SpotAllocation
    from pcs_constructs.model.errors import PcsValidationError as PcsValidationError
    from pcs_constructs.model.errors import Problem as Problem
    from pcs_constructs.model.health_checks import DeepHealthCheck as DeepHealthCheck
    from pcs_constructs.model.health_checks import HealthChecks as HealthChecks
    from pcs_constructs.model.health_checks import RepairAction as RepairAction
    from pcs_constructs.model.instances import InstanceFacts as InstanceFacts
    from pcs_constructs.model.instances import NetworkCard as NetworkCard
    from pcs_constructs.model.job_submit import JobSubmitPlugin as JobSubmitPlugin
    from pcs_constructs.model.network_type import NetworkType as NetworkType
    from pcs_constructs.model.ports import Ports as Ports
    from pcs_constructs.model.slurm import Accounting as Accounting
    from pcs_constructs.model.slurm import AccountingEnforcement as AccountingEnforcement
    from pcs_constructs.model.slurm import Preemption as Preemption
    from pcs_constructs.model.slurm import PreemptMode as PreemptMode
    from pcs_constructs.model.slurm import SlurmVersion as SlurmVersion

_MODULE_OF = {
    "Accounting": "model.slurm",
    "AccountingEnforcement": "model.slurm",
    "Capacity": "model.capacity",
    "CapacityReservationGroup": "constructs.nodes.reservations",
    "Cluster": "constructs.cluster.cluster",
    "ClusterEndpoints": "constructs.cluster.endpoints",
    "ClusterEndpointsOptions": "constructs.cluster.endpoints",
    "ClusterSecurityGroup": "constructs.network.security_groups",
    "ClusterSecurityGroups": "constructs.network.security_groups",
    "ClusterSize": "model.capacity",
    "ComputeNodeGroup": "constructs.nodes.node_group",
    "ComputeNodeGroupOptions": "constructs.nodes.node_group",
    "DataRepository": "constructs.storage.file_cache",
    "DeepHealthCheck": "model.health_checks",
    "EfsStorage": "constructs.storage.efs",
    "EndpointPolicy": "constructs.cluster.endpoints",
    "ExecutionPolicy": "constructs.nodes.lifecycle",
    "FileCacheStorage": "constructs.storage.file_cache",
    "FileShare": "constructs.file_share",
    "HealthChecks": "model.health_checks",
    "ICluster": "constructs.interfaces",
    "IComputeNodeGroup": "constructs.interfaces",
    "INodeInstanceProfile": "constructs.interfaces",
    "INodeLaunchTemplate": "constructs.interfaces",
    "ISharedStorage": "constructs.interfaces",
    "InstanceFacts": "model.instances",
    "JobSubmitPlugin": "model.job_submit",
    "LifecycleAction": "constructs.nodes.lifecycle",
    "LifecycleScript": "constructs.nodes.lifecycle",
    "LifecycleStage": "constructs.nodes.lifecycle",
    "LocalScratch": "constructs.storage.local",
    "LoginNodeOptions": "constructs.nodes.node_group",
    "LustreStorage": "constructs.storage.lustre",
    "LustreStorageType": "constructs.storage.lustre",
    "Mount": "model.boot",
    "MountClient": "model.boot",
    "MountScript": "constructs.file_share",
    "MountScripts": "constructs.file_share",
    "Network": "constructs.network.network",
    "NetworkCard": "model.instances",
    "NetworkType": "model.network_type",
    "NfsStorage": "constructs.storage.nfs",
    "NfsVersion": "constructs.storage.nfs",
    "NodeInstanceProfile": "constructs.nodes.instance_profile",
    "NodeLaunchTemplate": "constructs.nodes.launch_template",
    "OnError": "constructs.nodes.lifecycle",
    "OntapDeploymentType": "constructs.storage.ontap",
    "OntapStorage": "constructs.storage.ontap",
    "OntapTieringPolicy": "constructs.storage.ontap",
    "OpenZfsCompression": "constructs.storage.openzfs",
    "OpenZfsDeploymentType": "constructs.storage.openzfs",
    "OpenZfsStorage": "constructs.storage.openzfs",
    "PcsValidationError": "model.errors",
    "Ports": "model.ports",
    "PreemptMode": "model.slurm",
    "Preemption": "model.slurm",
    "Problem": "model.errors",
    "Queue": "constructs.cluster.queue",
    "QueueOptions": "constructs.cluster.queue",
    "RepairAction": "model.health_checks",
    "RepositoryEvent": "constructs.storage.lustre",
    "RestrictedSecurityGroups": "constructs.network.security_groups",
    "Scaling": "model.capacity",
    "ScriptCachingPolicy": "constructs.nodes.lifecycle",
    "SlurmVersion": "model.slurm",
    "SpotAllocation": "model.capacity",
    "SpotServiceLinkedRole": "constructs.nodes.reservations",
    "UserDataPart": "model.boot",
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
