"""What file systems show: Amazon EFS, Amazon FSx and Amazon File Cache."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pcs_constructs import rules
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import (
    ACCESS_POINT,
    EFS,
    FILE_CACHE,
    FSX,
    MOUNT_TARGET,
    REPOSITORY,
    RESOURCES,
    VOLUME,
)
from pcs_constructs.templates.document import as_mapping
from pcs_constructs.templates.facts.evidence import Evidence, Location
from pcs_constructs.templates.facts.networks import open_ports, zone
from pcs_constructs.templates.types import SECURITY_GROUP, SUBNET
from pcs_constructs.templates.values import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pcs_constructs.templates.resolved import Path, ResolvedResource, ResolvedTemplates

_NONE: Final = -1
"""What FSx takes as no quota and no reservation."""
_DAYS: Final = re.compile(r"AFTER_(\d+)_DAYS?")


def storage_evidence(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """What all file systems of the templates show."""
    for file_system in resolved.of_type(EFS):
        yield from _efs(file_system)
    for point in resolved.of_type(ACCESS_POINT):
        path = point.text("RootDirectory", "Path")
        if path is not None:
            yield Evidence(
                facts=rules.AccessPointFacts(path=path),
                resource=point,
                locations={"path": ("RootDirectory", "Path")},
            )
    for file_system in resolved.of_type(FSX):
        match file_system.text("FileSystemType"):
            case "LUSTRE":
                yield from _lustre(file_system)
            case "OPENZFS":
                yield from _open_zfs(file_system)
            case "ONTAP":
                yield _ontap(file_system)
            case _:
                pass
    yield from _volumes(resolved)
    for cache in resolved.of_type(FILE_CACHE):
        yield from _cache(cache)
    for resource in resolved.of_type(*RESOURCES):
        policy = resource.declared.whole.get("DeletionPolicy")
        if isinstance(policy, str):
            yield Evidence(
                facts=rules.RemovalFacts(policy=policy.upper()),
                resource=resource,
                locations={
                    "removal_policy": Location(
                        resource,
                        (*resource.declared.place, "DeletionPolicy"),
                        outside=True,
                    )
                },
            )


def _efs(resource: ResolvedResource) -> Iterator[Evidence]:
    mode = resource.text("ThroughputMode")
    policies = [as_mapping(each) for each in resource.each("LifecyclePolicies")]
    provisioned = resource.number("ProvisionedThroughputInMibps")
    yield Evidence(
        facts=rules.EfsFacts(
            # A mode that is not known may be any, so nothing is given that would contradict one.
            provisioned=mode == "PROVISIONED" or mode == "provisioned",
            elastic=mode in {"ELASTIC", "elastic", UNKNOWN},
            throughput_mib=None if mode is UNKNOWN else provisioned,
            infrequent_access=_days(policies, "TransitionToIA"),
            archive=_days(policies, "TransitionToArchive"),
            returns=any("TransitionToPrimaryStorageClass" in policy for policy in policies),
        ),
        resource=resource,
        locations={
            "provisioned_throughput_per_second": ("ProvisionedThroughputInMibps",)
            if provisioned is not None
            else ("ThroughputMode",),
            "transition_to_archive_policy": ("LifecyclePolicies",),
            "out_of_infrequent_access_policy": ("LifecyclePolicies",),
        },
    )
    targets = mount_targets(resource)
    if targets:
        zones = tuple(_zone_of(target, target.get("SubnetId")) for target in targets)
        yield Evidence(
            facts=rules.MountTargetFacts(
                availability_zones=zones,
                subnet_ids=tuple(_subnet_key(target) for target in targets),
                one_zone=resource.has("AvailabilityZoneName"),
            ),
            resource=targets[-1],
            locations={"subnets": ("SubnetId",)},
        )


def mount_targets(file_system: ResolvedResource) -> list[ResolvedResource]:
    """The mount targets of an EFS file system."""
    return file_system.resolved.pointing(file_system, MOUNT_TARGET, "FileSystemId")


def _subnet_key(target: ResolvedResource) -> str | Unknown:
    """Something to call a subnet by: its ID, or its logical id."""
    subnet = target.follow(target.get("SubnetId"))
    value = target.text("SubnetId")
    return subnet.logical_id if subnet else UNKNOWN if value is None else value


def _zone_of(resource: ResolvedResource, subnet_id: object) -> str | Unknown:
    subnet = resource.follow(subnet_id)
    return zone(subnet) if subnet and subnet.type == SUBNET else UNKNOWN


def _days(policies: Sequence[Mapping[str, object]], name: str) -> int | None:
    for policy in policies:
        match = _DAYS.fullmatch(str(policy.get(name)))
        if match:
            return int(match[1])
    return None


def _lustre(resource: ResolvedResource) -> Iterator[Evidence]:
    place = "LustreConfiguration"
    kind, storage = resource.text(place, "DeploymentType"), resource.text("StorageType")
    storage = "SSD" if storage is None else storage
    throughput = resource.number(
        place,
        "ThroughputCapacity" if storage == "INTELLIGENT_TIERING" else "PerUnitStorageThroughput",
    )
    capacity = resource.number("StorageCapacity")
    cache = resource.number(place, "DataReadCacheConfiguration", "SizeGiB")
    backups = resource.whole(place, "AutomaticBackupRetentionDays")
    yield Evidence(
        facts=rules.LustreFacts(
            # Where nothing is said FSx makes the oldest type.
            deployment_type="SCRATCH_1" if kind is None else kind,
            storage_type=storage,
            capacity_gib=UNKNOWN if capacity is None and resource.has("BackupId") else capacity,
            throughput=throughput if not isinstance(throughput, float) else UNKNOWN,
            drive_cache=resource.text(place, "DriveCacheType") == "READ",
            read_cache_gib=cache,
            metadata_iops=resource.whole(place, "MetadataConfiguration", "Iops"),
            efa=resource.flag(place, "EfaEnabled") is True,
            kms_key=resource.has("KmsKeyId"),
            backup_days=UNKNOWN if backups is None else backups,
            backup_start_time=resource.text(place, "DailyAutomaticBackupStartTime"),
            log_group_name=_log_group(resource),
        ),
        resource=resource,
        locations={
            "deployment_type": (place, "DeploymentType"),
            "storage_type": ("StorageType",),
            "capacity": ("StorageCapacity",),
            "throughput": (place, "PerUnitStorageThroughput")
            if storage != "INTELLIGENT_TIERING"
            else (place, "ThroughputCapacity"),
            "drive_cache": (place, "DriveCacheType"),
            "read_cache": (place, "DataReadCacheConfiguration"),
            "metadata_iops": (place, "MetadataConfiguration", "Iops"),
            "efa": (place, "EfaEnabled"),
            "kms_key": ("KmsKeyId",),
            "backup_retention": (place, "AutomaticBackupRetentionDays"),
            "backup_start_time": (place, "DailyAutomaticBackupStartTime"),
            "log_group": (place, "LogConfiguration", "Destination"),
        },
    )
    yield Evidence(
        facts=rules.LustrePortsFacts(ports=_ports(resource)),
        resource=resource,
        locations={"security_groups": ("SecurityGroupIds",)},
    )
    yield from _repositories(resource, kind, storage, backups)


def _log_group(resource: ResolvedResource) -> str | Unknown | None:
    value = resource.get("LustreConfiguration", "LogConfiguration", "Destination")
    if value is None:
        return None
    text = sketch(value) or ""
    _, marker, name = text.partition(":log-group:")
    if marker and not name.startswith("${?}"):
        return name.removesuffix(":*")
    group = resource.follow(value)
    name = group.text("LogGroupName") if group else None
    return UNKNOWN if name is None else name


def _ports(resource: ResolvedResource) -> tuple[tuple[int, int], ...] | Unknown:
    """What all groups of the servers let in, where all of them are made here."""
    if resource.items("SecurityGroupIds") in (None, UNKNOWN):
        return UNKNOWN
    ranges: list[tuple[int, int]] = []
    for each in resource.each("SecurityGroupIds"):
        group = resource.follow(each)
        if group is None or group.type != SECURITY_GROUP:
            return UNKNOWN
        for opened in open_ports(group):
            if opened.ports is UNKNOWN:
                return UNKNOWN
            ranges.append(opened.ports)
    return tuple(ranges)


def _repositories(
    resource: ResolvedResource,
    kind: str | Unknown | None,
    storage: str | Unknown,
    backups: int | Unknown | None,
) -> Iterator[Evidence]:
    facts = rules.RepositoriesFacts(
        deployment_type="SCRATCH_1" if kind is None else kind,
        storage_type=storage,
        backup_days=UNKNOWN if backups is None else backups,
    )
    for link in resource.resolved.pointing(resource, REPOSITORY, "FileSystemId"):
        path, source = link.text("FileSystemPath"), link.text("DataRepositoryPath")
        facts = facts.with_repository(
            UNKNOWN if path is None else path, UNKNOWN if source is None else source
        )
        yield Evidence(
            facts=facts,
            resource=link,
            locations={
                "path": ("FileSystemPath",),
                "prefix": ("DataRepositoryPath",),
                "deployment_type": Location(resource, ("LustreConfiguration", "DeploymentType")),
                "storage_type": Location(resource, ("StorageType",)),
                "backup_retention": Location(
                    resource, ("LustreConfiguration", "AutomaticBackupRetentionDays")
                ),
            },
        )


def _placement(
    resource: ResolvedResource, place: str, multi_az: bool | Unknown
) -> rules.PlacementFacts:
    subnets = resource.each("SubnetIds")
    zones = [_zone_of(resource, each) for each in subnets]
    differ: bool | Unknown = UNKNOWN
    if len(zones) == 2 and UNKNOWN not in zones:
        differ = zones[0] != zones[1]
    tables = resource.items(place, "RouteTableIds")
    return rules.PlacementFacts(
        multi_az=multi_az if resource.items("SubnetIds") is not UNKNOWN else UNKNOWN,
        standby=len(subnets) > 1,
        two_zones=differ,
        route_tables=1 if tables is UNKNOWN else len(tables or []),
        route_tables_named=tables is not None,
        endpoint_range=resource.text(place, "EndpointIpAddressRange"),
    )


def _fsx_places(place: str) -> dict[str, Path | Location]:
    return {
        "deployment_type": (place, "DeploymentType"),
        "capacity": ("StorageCapacity",),
        "iops": (place, "DiskIopsConfiguration", "Iops"),
        "standby_subnet": ("SubnetIds",),
        "route_table_ids": (place, "RouteTableIds"),
        "endpoint_ip_address_range": (place, "EndpointIpAddressRange"),
        "backup_retention": (place, "AutomaticBackupRetentionDays"),
        "backup_start_time": (place, "DailyAutomaticBackupStartTime"),
    }


def _multi_az(kind: str | Unknown | None) -> bool | Unknown:
    return kind.startswith("MULTI_AZ") if isinstance(kind, str) else UNKNOWN


def _open_zfs(resource: ResolvedResource) -> Iterator[Evidence]:
    place = "OpenZFSConfiguration"
    kind = resource.text(place, "DeploymentType")
    capacity, throughput = (
        resource.number("StorageCapacity"),
        resource.whole(place, "ThroughputCapacity"),
    )
    days = resource.whole(place, "AutomaticBackupRetentionDays")
    locations = {**_fsx_places(place), "throughput": (place, "ThroughputCapacity")}
    yield Evidence(
        facts=rules.OpenZfsFacts(
            deployment_type=UNKNOWN if kind is None else kind,
            capacity_gib=UNKNOWN if capacity is None else capacity,
            throughput=UNKNOWN if throughput is None else throughput,
            iops=resource.whole(place, "DiskIopsConfiguration", "Iops"),
            placement=_placement(resource, place, _multi_az(kind)),
        ),
        resource=resource,
        locations=locations,
    )
    yield Evidence(
        facts=rules.OpenZfsBackupFacts(
            days=UNKNOWN if days is None else days,
            start_time=resource.text(place, "DailyAutomaticBackupStartTime"),
        ),
        resource=resource,
        locations=locations,
    )
    root = (place, "RootVolumeConfiguration")
    if resource.has(*root):
        yield _open_zfs_volume(resource, root, None, (), UNKNOWN if capacity is None else capacity)


def _open_zfs_volume(
    resource: ResolvedResource,
    place: Path,
    path: str | None,
    others: tuple[str, ...],
    capacity: float | Unknown,
) -> Evidence:
    records = resource.number(*place, "RecordSizeKiB")
    server = (
        resource
        if resource.type == FSX
        else resource.follow(resource.get(*place, "ParentVolumeId"))
    )
    quota = resource.number(*place, "StorageCapacityQuotaGiB")
    reservation = resource.number(*place, "StorageCapacityReservationGiB")
    quotas: dict[str, list[tuple[int, float]]] = {"USER": [], "GROUP": []}
    for i in range(len(resource.each(*place, "UserAndGroupQuotas"))):
        each = (*place, "UserAndGroupQuotas", i)
        kind, number = resource.text(*each, "Type"), resource.whole(*each, "Id")
        size = resource.number(*each, "StorageCapacityQuotaGiB")
        if kind in quotas and isinstance(number, int) and isinstance(size, (int, float)):
            quotas[str(kind)].append((number, size))
    exports: list[tuple[str | Unknown, tuple[str | Unknown, ...]]] = []
    clients = (*place, "NfsExports", 0, "ClientConfigurations")
    for i in range(len(resource.each(*clients))):
        who = resource.text(*clients, i, "Clients")
        options = (
            resource.text(*clients, i, "Options", j)
            for j in range(len(resource.each(*clients, i, "Options")))
        )
        exports.append(
            (UNKNOWN if who is None else who, tuple(UNKNOWN if o is None else o for o in options))
        )
    return Evidence(
        facts=rules.OpenZfsVolumeFacts(
            path=path,
            others=others,
            capacity_gib=capacity,
            storage_type=_storage_type(server),
            record_size_kib=records if isinstance(records, (int, float)) else None,
            quota_gib=quota if isinstance(quota, (int, float)) and quota != _NONE else None,
            reservation_gib=reservation
            if isinstance(reservation, (int, float)) and reservation != _NONE
            else None,
            user_quotas=tuple(quotas["USER"]),
            group_quotas=tuple(quotas["GROUP"]),
            nfs_exports=tuple(exports) or ((UNKNOWN, (UNKNOWN,)),),
        ),
        resource=resource,
        locations={
            "record_size": (*place, "RecordSizeKiB"),
            "quota": (*place, "StorageCapacityQuotaGiB"),
            "reservation": (*place, "StorageCapacityReservationGiB"),
            "user_quotas": (*place, "UserAndGroupQuotas"),
            "group_quotas": (*place, "UserAndGroupQuotas"),
            "nfs_exports": (*place, "NfsExports"),
            "path": ("Name",),
        },
    )


def _storage_type(server: ResolvedResource | None) -> str | Unknown:
    """The storage of a file system; not known of a volume inside of another volume."""
    if server is None or server.type != FSX:
        return UNKNOWN
    kind = server.text("StorageType")
    return "SSD" if kind is None else kind


def _ontap(resource: ResolvedResource) -> Evidence:
    place = "OntapConfiguration"
    kind = resource.text(place, "DeploymentType")
    capacity, pairs = resource.number("StorageCapacity"), resource.whole(place, "HAPairs")
    name = "ThroughputCapacityPerHAPair"
    if resource.get(place, name) is None:
        name = "ThroughputCapacity"
    throughput = resource.whole(place, name)
    days = resource.whole(place, "AutomaticBackupRetentionDays")
    return Evidence(
        facts=rules.OntapFacts(
            deployment_type=UNKNOWN if kind is None else kind,
            capacity_gib=UNKNOWN if capacity is None else capacity,
            ha_pairs=1 if pairs is None else pairs,
            throughput=UNKNOWN
            if throughput is None or (name == "ThroughputCapacity" and pairs not in {None, 1})
            else throughput,
            iops=resource.whole(place, "DiskIopsConfiguration", "Iops"),
            placement=_placement(resource, place, _multi_az(kind)),
            backup_days=UNKNOWN if days is None else days,
            backup_start_time=resource.text(place, "DailyAutomaticBackupStartTime"),
        ),
        resource=resource,
        locations={
            **_fsx_places(place),
            "ha_pairs": (place, "HAPairs"),
            "throughput": (place, name),
        },
    )


def _volumes(resolved: ResolvedTemplates) -> Iterator[Evidence]:
    """Volumes, each beside those that come before it in the same file system."""
    junctions: dict[str, list[tuple[str | Unknown, str | Unknown]]] = {}
    for volume in resolved.of_type(VOLUME):
        place = "OntapConfiguration"
        if volume.has(place):
            key = volume.key(volume.get(place, "StorageVirtualMachineId")) or ""
            path, name = volume.text(place, "JunctionPath"), volume.text("Name")
            before = junctions.setdefault(key, [])
            yield _ontap_volume(volume, place, path, name, before)
            before.append((UNKNOWN if path is None else path, UNKNOWN if name is None else name))
        elif volume.has("OpenZFSConfiguration"):
            # Which volumes there are besides cannot be told from one template.
            yield _open_zfs_volume(volume, ("OpenZFSConfiguration",), None, (), UNKNOWN)


def _ontap_volume(
    volume: ResolvedResource,
    place: str,
    path: str | Unknown | None,
    name: str | Unknown | None,
    before: list[tuple[str | Unknown, str | Unknown]],
) -> Evidence:
    size = volume.number(place, "SizeInBytes")
    if size is None:
        mebibytes = volume.number(place, "SizeInMegabytes")
        size = mebibytes * 2**20 if isinstance(mebibytes, (int, float)) else UNKNOWN
    machine = volume.follow(volume.get(place, "StorageVirtualMachineId"))
    server = machine.follow(machine.get("FileSystemId")) if machine else None
    pairs = server.whole("OntapConfiguration", "HAPairs") if server else UNKNOWN
    policy = volume.text(place, "TieringPolicy", "Name")
    snapshots = volume.text(place, "SnapshotPolicy")
    return Evidence(
        facts=rules.OntapVolumeFacts(
            junction_path=UNKNOWN if path is None else path,
            others=tuple(each for each, _ in before),
            name=UNKNOWN if name is None else name,
            names=tuple(each for _, each in before),
            size_bytes=size,
            ha_pairs=1 if pairs is None else pairs,
            tiering_policy="SNAPSHOT_ONLY" if policy is None else policy,
            cooling_days=volume.whole(place, "TieringPolicy", "CoolingPeriod"),
            snapshot_policy="default" if snapshots is None else snapshots,
        ),
        resource=volume,
        locations={
            "junction_path": (place, "JunctionPath"),
            "id": ("Name",),
            "size": (place, "SizeInBytes")
            if volume.has(place, "SizeInBytes")
            else (place, "SizeInMegabytes"),
            "cooling_period": (place, "TieringPolicy", "CoolingPeriod"),
            "snapshot_policy": (place, "SnapshotPolicy"),
        },
    )


def _cache(resource: ResolvedResource) -> Iterator[Evidence]:
    capacity = resource.number("StorageCapacity")
    links = "DataRepositoryAssociations"
    repositories: list[rules.RepositoryFacts] = []
    for i in range(len(resource.each(links))):
        uri, path = (
            resource.text(links, i, "DataRepositoryPath"),
            resource.text(links, i, "FileCachePath"),
        )
        server = uri.removeprefix("nfs://") if isinstance(uri, str) else ""
        nfs = isinstance(uri, str) and server != uri
        host, _, export = server.partition("/") if nfs else ("", "", "")
        repositories.append(
            rules.RepositoryFacts(
                path=UNKNOWN if path is None else path,
                uri=UNKNOWN if uri is None else uri,
                nfs=nfs or resource.has(links, i, "NFS"),
                host=host or UNKNOWN,
                export=f"/{export}" if export else UNKNOWN,
                subdirectories=resource.has(links, i, "DataRepositorySubdirectories"),
            )
        )
    yield Evidence(
        facts=rules.FileCacheFacts(
            capacity_gib=UNKNOWN if capacity is None else capacity, repositories=tuple(repositories)
        ),
        resource=resource,
        locations={"capacity": ("StorageCapacity",), "data_repositories": (links,)},
    )
