"""Every rule of AWS PCS, EC2 and Slurm that can be checked before deployment. Pure: no CDK, no I/O.

One module for each noun, loaded when one of its facts is first asked for (PEP 562): a program uses
a few nouns, and the class of a facts record takes time to make. `RULES` holds all rules, so asking
for it loads all modules.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from pcs_constructs.rules.rule import Level as Level
from pcs_constructs.rules.rule import Rule as Rule
from pcs_constructs.rules.rule import advice_on as advice_on
from pcs_constructs.rules.rule import errors_in as errors_in

if TYPE_CHECKING:
    from pcs_constructs.rules.boot import InlineCodeFacts as InlineCodeFacts
    from pcs_constructs.rules.boot import UserDataFacts as UserDataFacts
    from pcs_constructs.rules.capacity import CapacityFacts as CapacityFacts
    from pcs_constructs.rules.capacity import are_ultraservers as are_ultraservers
    from pcs_constructs.rules.cluster import ClusterFacts as ClusterFacts
    from pcs_constructs.rules.cluster import ClusterMembersFacts as ClusterMembersFacts
    from pcs_constructs.rules.cluster import EnvironmentFacts as EnvironmentFacts
    from pcs_constructs.rules.efs import AccessPointFacts as AccessPointFacts
    from pcs_constructs.rules.efs import EfsFacts as EfsFacts
    from pcs_constructs.rules.efs import MountTargetFacts as MountTargetFacts
    from pcs_constructs.rules.endpoints import EndpointFacts as EndpointFacts
    from pcs_constructs.rules.endpoints import EndpointNamesFacts as EndpointNamesFacts
    from pcs_constructs.rules.endpoints import EndpointOrderFacts as EndpointOrderFacts
    from pcs_constructs.rules.endpoints import EndpointPolicyFacts as EndpointPolicyFacts
    from pcs_constructs.rules.endpoints import WayOutFacts as WayOutFacts
    from pcs_constructs.rules.file_cache import FileCacheFacts as FileCacheFacts
    from pcs_constructs.rules.file_cache import RepositoryFacts as RepositoryFacts
    from pcs_constructs.rules.fsx import PlacementFacts as PlacementFacts
    from pcs_constructs.rules.gres import GresFacts as GresFacts
    from pcs_constructs.rules.hardware import NodeSettingsFacts as NodeSettingsFacts
    from pcs_constructs.rules.health_checks import HealthChecksFacts as HealthChecksFacts
    from pcs_constructs.rules.identity import InstanceProfileFacts as InstanceProfileFacts
    from pcs_constructs.rules.identity import ParameterFacts as ParameterFacts
    from pcs_constructs.rules.identity import RoleFacts as RoleFacts
    from pcs_constructs.rules.interfaces import InterfaceFacts as InterfaceFacts
    from pcs_constructs.rules.job_submit import JobSubmitFacts as JobSubmitFacts
    from pcs_constructs.rules.launch_template import LaunchTemplateFacts as LaunchTemplateFacts
    from pcs_constructs.rules.launch_template import MetadataFacts as MetadataFacts
    from pcs_constructs.rules.launch_template import RootVolumeFacts as RootVolumeFacts
    from pcs_constructs.rules.launch_template import Written as Written
    from pcs_constructs.rules.lifecycle import LifecycleActionFacts as LifecycleActionFacts
    from pcs_constructs.rules.lifecycle import LifecycleFacts as LifecycleFacts
    from pcs_constructs.rules.lifecycle import ScriptFileFacts as ScriptFileFacts
    from pcs_constructs.rules.lifecycle import flag_values as flag_values
    from pcs_constructs.rules.lustre import LustreFacts as LustreFacts
    from pcs_constructs.rules.lustre import LustrePortsFacts as LustrePortsFacts
    from pcs_constructs.rules.lustre import RepositoriesFacts as RepositoriesFacts
    from pcs_constructs.rules.network import MAX_AVAILABILITY_ZONES as MAX_AVAILABILITY_ZONES
    from pcs_constructs.rules.network import FlowFacts as FlowFacts
    from pcs_constructs.rules.network import NetworkFacts as NetworkFacts
    from pcs_constructs.rules.network import PeersFacts as PeersFacts
    from pcs_constructs.rules.network import SecurityGroupFacts as SecurityGroupFacts
    from pcs_constructs.rules.network import SrunPortsFacts as SrunPortsFacts
    from pcs_constructs.rules.network import VpcFacts as VpcFacts
    from pcs_constructs.rules.nfs import NfsFacts as NfsFacts
    from pcs_constructs.rules.node_group import ImageFacts as ImageFacts
    from pcs_constructs.rules.node_group import NodeGroupFacts as NodeGroupFacts
    from pcs_constructs.rules.node_group import NodeGroupReferenceFacts as NodeGroupReferenceFacts
    from pcs_constructs.rules.ontap import OntapFacts as OntapFacts
    from pcs_constructs.rules.ontap import OntapVolumeFacts as OntapVolumeFacts
    from pcs_constructs.rules.openzfs import OpenZfsBackupFacts as OpenZfsBackupFacts
    from pcs_constructs.rules.openzfs import OpenZfsFacts as OpenZfsFacts
    from pcs_constructs.rules.openzfs import OpenZfsReferenceFacts as OpenZfsReferenceFacts
    from pcs_constructs.rules.openzfs import OpenZfsVolumeFacts as OpenZfsVolumeFacts
    from pcs_constructs.rules.queue import QueueFacts as QueueFacts
    from pcs_constructs.rules.queue import QueuesFacts as QueuesFacts
    from pcs_constructs.rules.rule import RULES as RULES
    from pcs_constructs.rules.settings import SettingsFacts as SettingsFacts
    from pcs_constructs.rules.storage import FileShareFacts as FileShareFacts
    from pcs_constructs.rules.storage import LocalScratchFacts as LocalScratchFacts
    from pcs_constructs.rules.storage import MountFacts as MountFacts
    from pcs_constructs.rules.storage import MountGrantFacts as MountGrantFacts
    from pcs_constructs.rules.storage import MountScriptsFacts as MountScriptsFacts
    from pcs_constructs.rules.storage import MountZoneFacts as MountZoneFacts
    from pcs_constructs.rules.storage import RemovalFacts as RemovalFacts
    from pcs_constructs.rules.storage import numbered_zone as numbered_zone
    from pcs_constructs.rules.subnets import FEWEST_ADDRESSES as FEWEST_ADDRESSES
    from pcs_constructs.rules.subnets import AddressFacts as AddressFacts
    from pcs_constructs.rules.subnets import IdentifierFacts as IdentifierFacts
    from pcs_constructs.rules.subnets import NodeSubnetFacts as NodeSubnetFacts
    from pcs_constructs.rules.subnets import PublicSubnetFacts as PublicSubnetFacts
    from pcs_constructs.rules.template import Choice as Choice
    from pcs_constructs.rules.template import ResourceFacts as ResourceFacts

_MODULE_OF = {
    "AccessPointFacts": "efs",
    "AddressFacts": "subnets",
    "CapacityFacts": "capacity",
    "Choice": "template",
    "ClusterFacts": "cluster",
    "ClusterMembersFacts": "cluster",
    "EfsFacts": "efs",
    "EndpointFacts": "endpoints",
    "EndpointNamesFacts": "endpoints",
    "EndpointOrderFacts": "endpoints",
    "EndpointPolicyFacts": "endpoints",
    "EnvironmentFacts": "cluster",
    "FEWEST_ADDRESSES": "subnets",
    "FileCacheFacts": "file_cache",
    "FileShareFacts": "storage",
    "FlowFacts": "network",
    "GresFacts": "gres",
    "HealthChecksFacts": "health_checks",
    "IdentifierFacts": "subnets",
    "ImageFacts": "node_group",
    "InlineCodeFacts": "boot",
    "InstanceProfileFacts": "identity",
    "InterfaceFacts": "interfaces",
    "JobSubmitFacts": "job_submit",
    "LaunchTemplateFacts": "launch_template",
    "LifecycleActionFacts": "lifecycle",
    "LifecycleFacts": "lifecycle",
    "LocalScratchFacts": "storage",
    "LustreFacts": "lustre",
    "LustrePortsFacts": "lustre",
    "MAX_AVAILABILITY_ZONES": "network",
    "MetadataFacts": "launch_template",
    "MountFacts": "storage",
    "MountGrantFacts": "storage",
    "MountScriptsFacts": "storage",
    "MountTargetFacts": "efs",
    "MountZoneFacts": "storage",
    "NetworkFacts": "network",
    "NfsFacts": "nfs",
    "NodeGroupFacts": "node_group",
    "NodeGroupReferenceFacts": "node_group",
    "NodeSettingsFacts": "hardware",
    "NodeSubnetFacts": "subnets",
    "PublicSubnetFacts": "subnets",
    "OntapFacts": "ontap",
    "OntapVolumeFacts": "ontap",
    "OpenZfsBackupFacts": "openzfs",
    "OpenZfsFacts": "openzfs",
    "OpenZfsReferenceFacts": "openzfs",
    "OpenZfsVolumeFacts": "openzfs",
    "ParameterFacts": "identity",
    "PeersFacts": "network",
    "PlacementFacts": "fsx",
    "QueueFacts": "queue",
    "QueuesFacts": "queue",
    "RemovalFacts": "storage",
    "RepositoriesFacts": "lustre",
    "RepositoryFacts": "file_cache",
    "ResourceFacts": "template",
    "RoleFacts": "identity",
    "RootVolumeFacts": "launch_template",
    "ScriptFileFacts": "lifecycle",
    "SecurityGroupFacts": "network",
    "SettingsFacts": "settings",
    "SrunPortsFacts": "network",
    "UserDataFacts": "boot",
    "VpcFacts": "network",
    "WayOutFacts": "endpoints",
    "Written": "launch_template",
    "are_ultraservers": "capacity",
    "flag_values": "lifecycle",
    "numbered_zone": "storage",
}

# Rules over the facts of one module that stand in another, which is loaded with it.
_BESIDE = {"settings": "scheduling"}

if not TYPE_CHECKING:  # hidden from type checkers so that typos stay errors

    def __getattr__(name):
        if name == "RULES":
            for module in iter_modules(__path__):
                import_module(f"{__name__}.{module.name}")
            value = import_module(f"{__name__}.rule").RULES
        elif name in _MODULE_OF:
            module = _MODULE_OF[name]
            value = getattr(import_module(f"{__name__}.{module}"), name)
            if module in _BESIDE:
                import_module(f"{__name__}.{_BESIDE[module]}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value
