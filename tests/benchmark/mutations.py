"""Mistakes: for each rule that templates are judged by, ways to break it in a template.

A mutation changes the templates of an app in place. It raises `NotThere` where an app has nothing
to make that mistake in.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.templates.facts.evidence import path_of

if TYPE_CHECKING:
    from pcs_constructs.templates.document import Step

CLUSTER: Final = "AWS::PCS::Cluster"
GROUP: Final = "AWS::PCS::ComputeNodeGroup"
QUEUE: Final = "AWS::PCS::Queue"
TEMPLATE: Final = "AWS::EC2::LaunchTemplate"
PROFILE: Final = "AWS::IAM::InstanceProfile"
ROLE: Final = "AWS::IAM::Role"
VPC: Final = "AWS::EC2::VPC"
SUBNET: Final = "AWS::EC2::Subnet"
SECURITY_GROUP: Final = "AWS::EC2::SecurityGroup"
EFS: Final = "AWS::EFS::FileSystem"
TARGET: Final = "AWS::EFS::MountTarget"
FSX: Final = "AWS::FSx::FileSystem"
CACHE: Final = "AWS::FSx::FileCache"
VOLUME: Final = "AWS::FSx::Volume"
ENDPOINT: Final = "AWS::EC2::VPCEndpoint"
LINK: Final = "AWS::FSx::DataRepositoryAssociation"

Templates = dict[str, dict[str, Any]]
"""The templates of an app, by name."""

Change = Callable[["Draft"], None]


class NotThere(Exception):  # noqa: N818  # it is no error: the next app may have it
    """The app has nothing to make this mistake in."""


@dataclass(frozen=True)
class Mutant:
    """A mistake."""

    code: str
    """The rule that it breaks."""

    name: str
    """What is wrong."""

    changes: tuple[Change, ...]
    """How it is made."""

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def of(self, templates: Templates) -> Templates:
        """The templates with the mistake.

        Raises:
            NotThere: They have nothing to make it in.
        """
        draft = Draft(copy.deepcopy(templates))
        for change in self.changes:
            change(draft)
        return draft.templates


class Draft:
    """Templates that are being changed."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates

    def all(self, type_: str) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
        """Each resource of a type: its template, its logical id and itself."""
        for template in self.templates.values():
            for logical_id, resource in list(template["Resources"].items()):
                if resource["Type"] == type_:
                    yield template, logical_id, resource

    def first(
        self, type_: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> tuple[dict[str, Any], str, dict[str, Any]]:
        """The first resource of a type of which something holds."""
        for template, logical_id, resource in self.all(type_):
            if where(resource.setdefault("Properties", {})):
                return template, logical_id, resource
        raise NotThere(type_)


def _into(value: Any, path: tuple[Step, ...]) -> tuple[Any, Step]:
    """What the last step of a path is in; mappings on the way are made."""
    for step in path[:-1]:
        value = value[step] if isinstance(value, list) else value.setdefault(step, {})
    return value, path[-1]


def put(
    type_: str,
    path: str,
    value: Any,
    where: Callable[[dict[str, Any]], bool] = lambda _: True,
) -> Change:
    """Set a property of the first resource of a type."""

    def change(draft: Draft) -> None:
        _, _, resource = draft.first(type_, where)
        try:
            inside, step = _into(resource["Properties"], path_of(path))
            inside[step] = copy.deepcopy(value)
        except (IndexError, KeyError, TypeError, AttributeError):
            raise NotThere(path) from None

    return change


def drop(type_: str, path: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> Change:
    """Take a property away."""

    def change(draft: Draft) -> None:
        _, _, resource = draft.first(type_, where)
        try:
            inside, step = _into(resource["Properties"], path_of(path))
            del inside[step]
        except (IndexError, KeyError, TypeError, AttributeError):
            raise NotThere(path) from None

    return change


def twin(
    type_: str, where: Callable[[dict[str, Any]], bool] = lambda _: True, **properties: Any
) -> Change:
    """A second resource like the first one, with some other properties."""

    def change(draft: Draft) -> None:
        template, logical_id, resource = draft.first(type_, where)
        copied = copy.deepcopy(resource)
        for name, value in properties.items():
            copied["Properties"][name] = value
        template["Resources"][f"Twin{logical_id}"] = copied

    return change


def add(
    type_: str, logical_id: str, properties: dict[str, Any], *, beside: str = CLUSTER
) -> Change:
    """A resource of one's own, in the template of the first resource of another type."""

    def change(draft: Draft) -> None:
        template, _, _ = draft.first(beside)
        template["Resources"][logical_id] = {"Type": type_, "Properties": copy.deepcopy(properties)}

    return change


def setting(type_: str, name: str, value: str, place: str = "SlurmCustomSettings") -> Change:
    """One more parameter of Slurm."""

    def change(draft: Draft) -> None:
        _, _, resource = draft.first(type_)
        configuration = resource["Properties"].setdefault("SlurmConfiguration", {})
        listed = configuration.setdefault(place, [])
        listed.append({"ParameterName": name, "ParameterValue": value})

    return change


def fresh_settings(type_: str, **values: str) -> Change:
    """These parameters of Slurm and no others."""
    listed = [{"ParameterName": n, "ParameterValue": v} for n, v in values.items()]
    return put(type_, "SlurmConfiguration.SlurmCustomSettings", listed)


def version(text: str) -> Change:
    """Another version of Slurm."""
    return put(CLUSTER, "Scheduler.Version", text)


def data(path: str, value: Any) -> Change:
    """Set something in the launch template of the first node group."""
    return put(TEMPLATE, f"LaunchTemplateData.{path}", value, lambda p: "LaunchTemplateData" in p)


def types(*names: str) -> Change:
    """Other instance types."""
    return put(GROUP, "InstanceConfigs", [{"InstanceType": name} for name in names])


def interfaces(*places: tuple[int, int, str], **more: Any) -> Change:
    """Network interfaces: card, device and type of each."""

    def change(draft: Draft) -> None:
        template, _, group = draft.first(GROUP)
        own = group["Properties"]["CustomLaunchTemplate"]["TemplateId"]["Ref"]
        launch = template["Resources"][own]["Properties"]["LaunchTemplateData"]
        groups = launch.pop("SecurityGroupIds", None) or launch["NetworkInterfaces"][0]["Groups"]
        launch["NetworkInterfaces"] = [
            {
                "NetworkCardIndex": card,
                "DeviceIndex": device,
                "InterfaceType": kind,
                "Groups": groups,
                **more,
            }
            for card, device, kind in places
        ]

    return change


def of_template(path: str, value: Any) -> Change:
    """Set something in the launch template that the first node group refers to."""

    def change(draft: Draft) -> None:
        template, _, group = draft.first(GROUP)
        own = group["Properties"]["CustomLaunchTemplate"]["TemplateId"]["Ref"]
        inside, step = _into(
            template["Resources"][own]["Properties"]["LaunchTemplateData"], path_of(path)
        )
        inside[step] = copy.deepcopy(value)

    return change


def lines(*parts: tuple[str, str], end: str = "--") -> str:
    """A MIME message."""
    text = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n'
    for kind, body in parts:
        text += f'\n--B\nContent-Type: {kind}; charset="us-ascii"\n\n{body}\n'
    return f"{text}\n--B{end}\n"


def user_data(text: str) -> Change:
    """Other user data."""
    return of_template("UserData", {"Fn::Base64": text})


def script(body: str, kind: str = "text/x-shellscript") -> Change:
    """User data of one part."""
    return user_data(lines((kind, body)))


REPOSITORY: Final = "s3://aws-pcs-repo-us-east-1/aws-pcs-node-lifecycle-scripts"


def action(
    name: str = "Set up", location: str = "s3://scripts/setup.sh", **more: Any
) -> dict[str, Any]:
    """A lifecycle action."""
    source = {"ScriptLocation": location, "Checksum": "0" * 64, **more.pop("source", {})}
    if source["Checksum"] is None:
        del source["Checksum"]
    return {"Name": name, "ScriptSource": source, "OnError": "TERMINATE", **more}


def maintained(script: str, *arguments: str, **more: Any) -> dict[str, Any]:
    """A lifecycle action that runs a script of AWS."""
    name = more.pop("name", script)
    location = f"{REPOSITORY}/{script}-v1.0.0.sh"
    return action(name, location, Arguments=list(arguments), **more)


def bootstrapped(*actions: dict[str, Any], **more: Any) -> Change:
    """The lifecycle actions of the first node group."""
    return put(
        GROUP, "NodeLifecycleActions", {"Stages": {"NodeBootstrapped": list(actions)}, **more}
    )


def queue_of_two(**properties: Any) -> tuple[Change, ...]:
    """A second node group, and a queue of both."""

    def change(draft: Draft) -> None:
        template, logical_id, resource = draft.first(GROUP)
        other = copy.deepcopy(resource)
        other["Properties"] |= {"Name": "twin-1a2b3c", **properties}
        template["Resources"]["TwinGroup"] = other
        _, _, queue = draft.first(QUEUE)
        queue["Properties"]["ComputeNodeGroupConfigurations"] = [
            {"ComputeNodeGroupId": {"Fn::GetAtt": [each, "Id"]}}
            for each in (logical_id, "TwinGroup")
        ]

    return (change,)


def is_lustre(properties: dict[str, Any]) -> bool:
    return properties.get("FileSystemType") == "LUSTRE"


def is_open_zfs(properties: dict[str, Any]) -> bool:
    return properties.get("FileSystemType") == "OPENZFS"


def is_ontap(properties: dict[str, Any]) -> bool:
    return properties.get("FileSystemType") == "ONTAP"


def lustre(path: str, value: Any) -> Change:
    return put(FSX, path, value, is_lustre)


def configured(path: str, value: Any) -> Change:
    return lustre(f"LustreConfiguration.{path}", value)


def zfs(path: str, value: Any) -> Change:
    return put(FSX, path, value, is_open_zfs)


def ontap(path: str, value: Any) -> Change:
    return put(FSX, path, value, is_ontap)


def ontap_volume(path: str, value: Any) -> Change:
    return put(VOLUME, path, value, lambda p: "OntapConfiguration" in p)


def linked(**properties: Any) -> Change:
    """A data repository of the first Lustre file system."""

    def change(draft: Draft) -> None:
        template, logical_id, _ = draft.first(FSX, is_lustre)
        number = sum("Linked" in name for name in template["Resources"])
        template["Resources"][f"Linked{number}"] = {
            "Type": LINK,
            "Properties": {
                "FileSystemId": {"Ref": logical_id},
                "FileSystemPath": f"/linked{number}",
                "DataRepositoryPath": f"s3://linked-{number}/",
                **properties,
            },
        }

    return change


def another_vpc(draft: Draft) -> None:
    """A second VPC."""
    template, _, vpc = draft.first(VPC)
    template["Resources"]["OtherVpc"] = copy.deepcopy(vpc)


def elsewhere(type_: str, path: str) -> Change:
    """Have the first resource of a type refer to a copy of what it refers to, in another VPC."""

    def change(draft: Draft) -> None:
        another_vpc(draft)
        template, _, resource = draft.first(type_)
        inside, step = _into(resource["Properties"], path_of(path))
        value = inside[step]
        logical_id = value.get("Ref") or value["Fn::GetAtt"][0]
        other = copy.deepcopy(template["Resources"][logical_id])
        other["Properties"]["VpcId"] = {"Ref": "OtherVpc"}
        template["Resources"]["Elsewhere"] = other
        inside[step] = (
            {"Ref": "Elsewhere"} if "Ref" in value else {"Fn::GetAtt": ["Elsewhere", "GroupId"]}
        )

    return change


def public_place(type_: str, path: str) -> Change:
    """Put something into the first subnet that assigns public addresses."""

    def change(draft: Draft) -> None:
        _, logical_id, _ = draft.first(SUBNET, lambda p: p.get("MapPublicIpOnLaunch") is True)
        _, _, resource = draft.first(type_)
        inside, step = _into(resource["Properties"], path_of(path))
        inside[step] = {"Ref": logical_id}

    return change


def _is_interface(endpoint: dict[str, Any]) -> bool:
    return endpoint.get("VpcEndpointType") == "Interface"


def local_zone(draft: Draft) -> None:
    """Put the controller's subnet into a Local Zone."""
    template, _, cluster = draft.first(CLUSTER)
    match cluster["Properties"]["Networking"]["SubnetIds"]:
        case [{"Ref": str() as name}] if name in template["Resources"]:
            subnet = template["Resources"][name]
            subnet["Properties"]["AvailabilityZone"] = "us-east-1-bos-1a"
        case _:
            raise NotThere(SUBNET)


def every(type_: str, path: str, value: Any) -> Change:
    """Set a property of all resources of a type."""

    def change(draft: Draft) -> None:
        found = list(draft.all(type_))
        if not found:
            raise NotThere(type_)
        for _, _, resource in found:
            inside, step = _into(resource["Properties"], path_of(path))
            inside[step] = copy.deepcopy(value)

    return change


def open_to_everyone(port: int) -> Change:
    """Open a port of the cluster's security group."""

    def change(draft: Draft) -> None:
        template, _, cluster = draft.first(CLUSTER)
        group = cluster["Properties"]["Networking"]["SecurityGroupIds"][0]
        template["Resources"]["Everyone"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": group,
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "CidrIp": "0.0.0.0/0",
            },
        }

    return change


def open_rest(draft: Draft) -> None:
    """Open the port of the REST API to somebody, of a cluster that has none."""
    open_to_everyone(6820)(draft)
    template, _, cluster = draft.first(CLUSTER)
    cluster["Properties"].get("SlurmConfiguration", {}).pop("SlurmRest", None)
    template["Resources"]["Everyone"]["Properties"]["CidrIp"] = "10.0.0.0/8"


def login_spot(draft: Draft) -> None:
    """Buy nodes as Spot that always run and that no queue names."""
    queues = str([queue for _, _, queue in draft.all(QUEUE)])
    for _, logical_id, group in draft.all(GROUP):
        scaling = group["Properties"]["ScalingConfiguration"]
        always = scaling["MinInstanceCount"] == scaling["MaxInstanceCount"] != 0
        if always and f"'{logical_id}'" not in queues:
            group["Properties"]["PurchaseOption"] = "SPOT"
            return
    raise NotThere


def many(type_: str, count: int) -> Change:
    """Many resources like the first one, with names of their own."""

    def change(draft: Draft) -> None:
        template, _, resource = draft.first(type_)
        for number in range(count):
            copied = copy.deepcopy(resource)
            copied["Properties"]["Name"] = f"many{number}-1a2b3c"
            template["Resources"][f"Many{number}"] = copied

    return change


def versions_to_choose(draft: Draft) -> None:
    template, _, cluster = draft.first(CLUSTER)
    template.setdefault("Parameters", {})["SlurmVersion"] = {
        "Type": "String",
        "Default": "25.11",
        "AllowedValues": ["24.05", "25.11"],
    }
    cluster["Properties"]["Scheduler"]["Version"] = {"Ref": "SlurmVersion"}


def by_ref(type_: str, path: str) -> Change:
    """Use `Ref` in the place of an attribute."""

    def change(draft: Draft) -> None:
        _, _, resource = draft.first(type_)
        inside, step = _into(resource["Properties"], path_of(path))
        inside[step] = {"Ref": inside[step]["Fn::GetAtt"][0]}

    return change


def stranger(draft: Draft) -> None:
    """A queue of another cluster."""
    twin(CLUSTER, Name="other-1a2b3c")(draft)
    template, _, queue = draft.first(QUEUE)
    name = next(n for n in template["Resources"] if n.startswith("Twin"))
    queue["Properties"]["ClusterId"] = {"Fn::GetAtt": [name, "Id"]}


def small_subnets(draft: Draft) -> None:
    """Subnets with eleven addresses, and more nodes than that."""
    every(SUBNET, "CidrBlock", "10.0.0.0/28")(draft)
    put(GROUP, "ScalingConfiguration", {"MinInstanceCount": 0, "MaxInstanceCount": 20})(draft)


def public_without_addresses(draft: Draft) -> None:
    public_place(GROUP, "SubnetIds[0]")(draft)
    every(SUBNET, "MapPublicIpOnLaunch", False)(draft)


def one_target_left(draft: Draft) -> None:
    """Nodes in a zone in which EFS has no mount target."""
    targets = list(draft.all(TARGET))
    if len(targets) < 2:
        raise NotThere
    nodes = str([group["Properties"]["SubnetIds"] for _, _, group in draft.all(GROUP)])
    if str(targets[-1][2]["Properties"]["SubnetId"]) in nodes:
        raise NotThere
    for template, logical_id, _ in targets[:-1]:
        del template["Resources"][logical_id]
        for resource in template["Resources"].values():
            waits = resource.get("DependsOn", [])
            if isinstance(waits, list) and logical_id in waits:
                waits.remove(logical_id)


def other_zone(draft: Draft) -> None:
    """Lustre in another zone than the nodes."""
    template, _, file_system = draft.first(FSX, is_lustre)
    own = file_system["Properties"]["SubnetIds"][0]["Ref"]
    others = [
        logical_id
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == SUBNET
        and resource["Properties"].get("AvailabilityZone")
        != template["Resources"][own]["Properties"].get("AvailabilityZone")
    ]
    if not others:
        raise NotThere
    file_system["Properties"]["SubnetIds"] = [{"Ref": others[0]}]


def targets_in_one_zone(draft: Draft) -> None:
    """Two mount targets in one zone."""
    template, _, target = draft.first(TARGET)
    template["Resources"]["Twin"] = copy.deepcopy(target)


def reserved(count: int) -> Change:
    """A reservation of a Capacity Block that is made here."""

    def change(draft: Draft) -> None:
        for each in BLOCK:
            each(draft)
        add(
            "AWS::EC2::CapacityReservation",
            "Reservation",
            {
                "InstanceType": "p5.48xlarge",
                "InstancePlatform": "Linux/UNIX",
                "InstanceCount": count,
            },
        )(draft)
        of_template(
            "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId",
            {"Ref": "Reservation"},
        )(draft)

    return change


TARGET_ID: Final = (
    "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"
)
BLOCK: Final[tuple[Change, ...]] = (
    types("p5.48xlarge"),
    put(GROUP, "PurchaseOption", "CAPACITY_BLOCK"),
    put(GROUP, "ScalingConfiguration", {"MinInstanceCount": 0, "MaxInstanceCount": 2}),
    of_template(TARGET_ID, "cr-0123456789abcdef0"),
    of_template("InstanceMarketOptions", {"MarketType": "capacity-block"}),
    of_template("InstanceType", "p5.48xlarge"),
)


def lustre_ports(draft: Draft) -> None:
    """Only the ports of old guides."""
    template, _, file_system = draft.first(FSX, is_lustre)
    template["Resources"]["Ports"] = {
        "Type": SECURITY_GROUP,
        "Properties": {
            "GroupDescription": "Lustre",
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": a, "ToPort": b, "CidrIp": "10.0.0.0/16"}
                for a, b in ((988, 988), (1021, 1023))
            ],
        },
    }
    file_system["Properties"]["SecurityGroupIds"] = [{"Fn::GetAtt": ["Ports", "GroupId"]}]


def node_role(path: str, value: Any) -> Change:
    """Change the role of the first node group."""

    def change(draft: Draft) -> None:
        inside, step = _into(_role_of_nodes(draft)["Properties"], path_of(path))
        inside[step] = copy.deepcopy(value)

    return change


def without_name(draft: Draft) -> None:
    properties = _role_of_nodes(draft)["Properties"]
    properties.pop("Path", None)
    properties.pop("RoleName", None)


def without_register(draft: Draft) -> None:
    template, _, _ = draft.first(GROUP)
    role = _role_of_nodes(draft)
    role["Properties"]["Policies"] = []
    role["Properties"].pop("ManagedPolicyArns", None)
    for logical_id, resource in list(template["Resources"].items()):
        if resource["Type"] == "AWS::IAM::Policy":
            resource["Properties"]["Roles"] = []
            del logical_id


def _role_of_nodes(draft: Draft) -> dict[str, Any]:
    template, _, group = draft.first(GROUP)
    profile = group["Properties"]["IamInstanceProfileArn"]["Fn::GetAtt"][0]
    role = template["Resources"][profile]["Properties"]["Roles"][0]["Ref"]
    return template["Resources"][role]


def profile_name(draft: Draft) -> None:
    template, _, group = draft.first(GROUP)
    profile = group["Properties"]["IamInstanceProfileArn"]["Fn::GetAtt"][0]
    properties = template["Resources"][profile]["Properties"]
    properties |= {"InstanceProfileName": "nodes", "Path": "/"}


def snapshot_on_deletion(draft: Draft) -> None:
    _, _, resource = draft.first(FSX)
    resource["DeletionPolicy"] = "Snapshot"


def password(draft: Draft) -> None:
    template, _, _ = draft.first(CLUSTER)
    template.setdefault("Parameters", {})["DcvPassword"] = {"Type": "String", "Default": "hunter22"}


def qos_that_is_not_listed(draft: Draft) -> None:
    _, _, cluster = draft.first(CLUSTER)
    cluster.setdefault("Metadata", {})["pcs-constructs"] = {"qos": ["high"]}
    put(CLUSTER, "SlurmConfiguration.Accounting", {"Mode": "STANDARD"})(draft)
    setting(QUEUE, "QOS", "low")(draft)


def no_accounting(draft: Draft) -> None:
    _, _, cluster = draft.first(CLUSTER)
    cluster["Properties"].get("SlurmConfiguration", {}).pop("Accounting", None)


def accounting(draft: Draft) -> None:
    put(CLUSTER, "SlurmConfiguration.Accounting", {"Mode": "STANDARD"})(draft)


def two_defaults(draft: Draft) -> None:
    twin(QUEUE, Name="twin")(draft)
    every(
        QUEUE,
        "SlurmConfiguration",
        {"SlurmCustomSettings": [{"ParameterName": "Default", "ParameterValue": "YES"}]},
    )(draft)


def tier_preemption(draft: Draft) -> None:
    fresh_settings(CLUSTER, PreemptType="preempt/partition_prio", PreemptMode="REQUEUE")(draft)
    every(QUEUE, "SlurmConfiguration", {})(draft)


GRES: Final = "SlurmConfiguration.GresCustomSettings"
GPU: Final = {"Name": "gpu", "Type": "h100", "File": "/dev/nvidia[0-7]"}
NODES: Final = "SlurmConfiguration.SlurmCustomSettings"
LONG: Final = "a" * 60


def rows() -> Iterator[Mutant]:
    """Every mistake of the table."""

    def mistake(code: str, name: str, *changes: Change) -> Mutant:
        return Mutant(code, name, changes)

    yield from _about_clusters(mistake)
    yield from _about_node_groups(mistake)
    yield from _about_networks(mistake)
    yield from _about_storage(mistake)
    yield from _about_launch_templates(mistake)
    yield from _about_identity(mistake)
    yield from _about_settings(mistake)
    yield from _about_boot(mistake)


Row = Callable[..., Mutant]


def _about_clusters(m: Row) -> Iterator[Mutant]:
    yield m("PCS101", "a name of one letter", put(CLUSTER, "Name", "x"))
    yield m("PCS101", "a name that looks like an ID", put(CLUSTER, "Name", "pcs_hpc"))
    yield m("PCS101", "a name of 60 letters", put(CLUSTER, "Name", LONG))
    yield m(
        "PCS102",
        "two clusters of one name",
        put(CLUSTER, "Name", "same-1a2b3c"),
        twin(CLUSTER, Name="same-1a2b3c"),
    )
    yield m("PCS103", "a fixed name", put(CLUSTER, "Name", "research"))
    yield m(
        "PCS104",
        "more nodes than any size holds",
        put(GROUP, "ScalingConfiguration", {"MinInstanceCount": 0, "MaxInstanceCount": 5000}),
    )
    yield m("PCS105", "Slurm 22.05", version("22.05"))
    yield m("PCS105", "Slurm 23.11", version("23.11"))
    yield m("PCS106", "a version that ends soon", version("25.05"))
    yield m(
        "PCS107",
        "an idle time of nothing",
        put(CLUSTER, "SlurmConfiguration.ScaleDownIdleTimeInSeconds", 0),
    )
    yield m("PCS108", "accounting with an old version", version("24.05"), accounting)
    yield m(
        "PCS109",
        "records kept for no day",
        put(
            CLUSTER,
            "SlurmConfiguration.Accounting",
            {"Mode": "STANDARD", "DefaultPurgeTimeInDays": 0},
        ),
    )
    yield m(
        "PCS110",
        "the REST API with an old version",
        version("24.11"),
        put(CLUSTER, "SlurmConfiguration.SlurmRest", {"Mode": "STANDARD"}),
    )
    yield m("PCS112", "a version that is none", version("latest"))
    yield m("PCS113", "fourteen queues", many(QUEUE, 14))
    yield m("PCS115", "a tag of AWS", put(CLUSTER, "Tags", {"aws:owner": "me"}))
    yield m("PCS117", "an open port of no REST API", open_rest)
    yield m(
        "PCS120",
        "two subnets",
        put(CLUSTER, "Networking.SubnetIds", ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]),
    )
    yield m("PCS120", "no subnet", put(CLUSTER, "Networking.SubnetIds", []))
    yield m("PCS121", "no security group", put(CLUSTER, "Networking.SecurityGroupIds", []))
    yield m("PCS122", "old versions to choose from", versions_to_choose)
    yield m("PCS123", "no size", drop(CLUSTER, "Size"))
    yield m("PCS123", "no cluster", drop(QUEUE, "ClusterId"))
    yield m("PCS123", "no profile", drop(GROUP, "IamInstanceProfileArn"))
    yield m("PCS124", "a size in other letters", put(CLUSTER, "Size", "Small"))
    yield m("PCS124", "a way of buying that is none", put(GROUP, "PurchaseOption", "ON_DEMAND"))
    yield m("PCS124", "another scheduler", put(CLUSTER, "Scheduler.Type", "PBS"))
    yield m("PCS125", "tags in a list", put(CLUSTER, "Tags", [{"Key": "Project", "Value": "cfd"}]))
    yield m("PCS125", "tags in a list", put(QUEUE, "Tags", [{"Key": "Project", "Value": "cfd"}]))
    yield m("PCS126", "an empty list of settings", put(CLUSTER, NODES, []))
    yield m("PCS126", "an empty list of settings", put(QUEUE, NODES, []))
    yield m("PCS127", "a queue without a name", drop(QUEUE, "Name"))
    yield m("PCS127", "a node group without a name", drop(GROUP, "Name"))
    yield m("PCS128", "a tag of AWS", put(QUEUE, "Tags", {"aws:owner": "me"}))
    yield m("PCS129", "Ref of the cluster", by_ref(GROUP, "ClusterId"))
    yield m(
        "PCS129",
        "Ref of a node group",
        by_ref(QUEUE, "ComputeNodeGroupConfigurations[0].ComputeNodeGroupId"),
    )


def _about_node_groups(m: Row) -> Iterator[Mutant]:
    scaling = "ScalingConfiguration"
    yield m("PCS201", "a name of 60 letters", put(GROUP, "Name", LONG))
    yield m("PCS201", "a name of one letter", put(GROUP, "Name", "n"))
    yield m("PCS201", "a name with an underscore", put(GROUP, "Name", "my_nodes"))
    yield m(
        "PCS202",
        "two node groups of one name",
        put(GROUP, "Name", "same-1a2b3c"),
        twin(GROUP, Name="same-1a2b3c"),
    )
    yield m("PCS203", "two architectures", types("c7i.xlarge", "c7g.xlarge"))
    yield m("PCS203", "two numbers of vCPUs", types("c7i.xlarge", "c7i.2xlarge"))
    plugin = {
        "Name": "check",
        "Type": "STARLARK",
        "ScriptSource": {"ScriptLocation": "s3://scripts/submit.star"},
    }
    plugins = "SlurmConfiguration.JobSubmitPlugins"
    yield m("PCS114", "two plugins", put(CLUSTER, plugins, [plugin, plugin]))
    yield m("PCS118", "a plugin in Lua", put(CLUSTER, plugins, [{**plugin, "Type": "LUA"}]))
    newest = version("26.05")
    for code, what, checks in (
        ("PCS226", "checks of nothing", {}),
        (
            "PCS227",
            "a repair of no check",
            {"HealthMonitoring": {"Mode": "NONE", "RepairAction": "AUTO"}},
        ),
        ("PCS229", "a test of no GPUs", {"DeepHealthChecks": {"OnStart": {"Profile": "QUICK"}}}),
    ):
        yield m(code, what, newest, types("c7i.xlarge"), put(GROUP, "InstanceHealthChecks", checks))
    yield m(
        "PCS228",
        "checks of an older Slurm",
        version("25.11"),
        put(GROUP, "InstanceHealthChecks", {"HealthMonitoring": {"Mode": "STANDARD"}}),
    )
    yield m("PCS225", "two makers", types("inf1.6xlarge", "vt1.6xlarge"))
    yield m("PCS204", "a fixed name", put(GROUP, "Name", "nodes"))
    yield m("PCS205", "no instance type", put(GROUP, "InstanceConfigs", []))
    yield m("PCS206", "no subnet", put(GROUP, "SubnetIds", []))
    yield m("PCS207", "a misspelt type", types("c7i.4xlagre"))
    yield m(
        "PCS208",
        "a node group that no queue names",
        twin(
            GROUP,
            Name="idle-1a2b3c",
            ScalingConfiguration={"MinInstanceCount": 0, "MaxInstanceCount": 4},
        ),
    )
    yield m(
        "PCS210",
        "static and dynamic",
        put(GROUP, scaling, {"MinInstanceCount": 3, "MaxInstanceCount": 8}),
    )
    yield m(
        "PCS210",
        "more at least than at most",
        put(GROUP, scaling, {"MinInstanceCount": 8, "MaxInstanceCount": 3}),
    )
    yield m("PCS211", "login nodes as Spot", login_spot)
    yield m(
        "PCS212",
        "an idle time of nothing",
        put(GROUP, "SlurmConfiguration.ScaleDownIdleTimeInSeconds", 0),
    )
    yield m(
        "PCS212",
        "an idle time of its own with an old version",
        version("25.05"),
        put(GROUP, "SlurmConfiguration.ScaleDownIdleTimeInSeconds", 60),
    )
    yield m(
        "PCS213",
        "Spot options without Spot",
        put(GROUP, "SpotOptions", {"AllocationStrategy": "lowest-price"}),
        put(GROUP, "PurchaseOption", "ONDEMAND"),
    )
    yield m("PCS214", "an image that is none", put(GROUP, "AmiId", "ami_123"))
    arm = "{{resolve:ssm:/aws/service/pcs/ami/x/arm64/latest/ami-id}}"
    yield m(
        "PCS215", "an image for another architecture", types("c7i.xlarge"), put(GROUP, "AmiId", arm)
    )
    yield m("PCS216", "an image that follows a parameter", put(GROUP, "AmiId", arm))
    yield m(
        "PCS221",
        "a node group by its name",
        put(QUEUE, "ComputeNodeGroupConfigurations", [{"ComputeNodeGroupId": "compute"}]),
    )
    yield m("PCS224", "one type twice", types("c7i.xlarge", "c7i.xlarge"))
    yield m("PCS230", "no image", drop(GROUP, "AmiId"))
    yield m("PCS231", "no version", drop(GROUP, "CustomLaunchTemplate.Version"))
    yield m("PCS231", "no launch template ID", drop(GROUP, "CustomLaunchTemplate.TemplateId"))
    yield m("PCS232", "Ref of the profile", by_ref(GROUP, "IamInstanceProfileArn"))
    yield m("PCS301", "a name of one letter", put(QUEUE, "Name", "q"))
    yield m("PCS301", "a name of 60 letters", put(QUEUE, "Name", LONG))
    yield m(
        "PCS302", "two queues of one name", put(QUEUE, "Name", "same"), twin(QUEUE, Name="same")
    )
    yield m("PCS309", "no node group", put(QUEUE, "ComputeNodeGroupConfigurations", []))
    yield m("PCS304", "a node group of another cluster", stranger)
    yield m(
        "PCS306",
        "two architectures",
        types("c7i.xlarge"),
        *queue_of_two(InstanceConfigs=[{"InstanceType": "c7g.xlarge"}]),
    )
    yield m(
        "PCS307",
        "UltraServers beside others",
        types("c7i.xlarge"),
        *queue_of_two(InstanceConfigs=[{"InstanceType": "p6e-gb200.36xlarge"}]),
    )
    yield m(
        "PCS308",
        "UltraServers of 2 and 6",
        types("p6e-gb200.36xlarge"),
        put(GROUP, scaling, {"MinInstanceCount": 0, "MaxInstanceCount": 2}),
        *queue_of_two(ScalingConfiguration={"MinInstanceCount": 0, "MaxInstanceCount": 6}),
    )


def _about_networks(m: Row) -> Iterator[Mutant]:
    yield m("PCS401", "no DNS names", put(VPC, "EnableDnsHostnames", False))
    yield m("PCS401", "no DNS", put(VPC, "EnableDnsSupport", False))
    yield m("PCS402", "dedicated tenancy", put(VPC, "InstanceTenancy", "dedicated"))
    yield m("PCS403", "a public controller", public_place(CLUSTER, "Networking.SubnetIds[0]"))
    yield m("PCS404", "nodes in another VPC", elsewhere(GROUP, "SubnetIds[0]"))
    yield m("PCS405", "more nodes than addresses", small_subnets)
    yield m("PCS406", "a public subnet without addresses", public_without_addresses)
    yield m(
        "PCS407",
        "two interfaces in a public subnet",
        types("hpc7a.96xlarge"),
        interfaces((0, 0, "efa"), (1, 1, "efa")),
        public_place(GROUP, "SubnetIds[0]"),
    )
    yield m("PCS408", "SSH for everyone", open_to_everyone(22))
    yield m("PCS408", "DCV for everyone", open_to_everyone(8443))
    yield m("PCS409", "a subnet by its name", put(GROUP, "SubnetIds", ["private-1"]))
    yield m(
        "PCS409", "a group by its name", put(CLUSTER, "Networking.SecurityGroupIds", ["cluster"])
    )
    yield m(
        "PCS415", "a group of another VPC", elsewhere(CLUSTER, "Networking.SecurityGroupIds[0]")
    )
    yield m(
        "PCS409",
        "a function that lost its mark",
        interfaces((0, 0, "interface"), SubnetId="GetAtt [ Network, Outputs.Subnet ]"),
    )
    yield m("PCS416", "IPv6 without addresses", put(CLUSTER, "Networking.NetworkType", "IPV6"))
    yield m("PCS420", "a controller in a Local Zone", local_zone)
    zoned = {"VpcId": "vpc-0a1b2c3d", "AvailabilityZone": "us-east-1a"}
    yield m(
        "PCS421",
        "two subnets of a zone",
        put(ENDPOINT, "SubnetIds", [{"Ref": "One"}, {"Ref": "Two"}], _is_interface),
        add(SUBNET, "One", zoned, beside=ENDPOINT),
        add(SUBNET, "Two", zoned, beside=ENDPOINT),
    )
    yield m("PCS426", "a second endpoint for a service", twin(ENDPOINT, _is_interface))
    yield m(
        "PCS429",
        "as many ports as a node takes",
        fresh_settings(CLUSTER, SrunPortRange="60001-60003"),
    )
    yield m(
        "PCS434",
        "no port for a terminal",
        every(GROUP, "ScalingConfiguration", {"MinInstanceCount": 0, "MaxInstanceCount": 4}),
        fresh_settings(CLUSTER, SrunPortRange="60001-60004"),
    )


def _about_storage(m: Row) -> Iterator[Mutant]:
    def mounts(*paths: str) -> Change:
        actions = (
            maintained(
                "mount-efs",
                "--file-system-id",
                "fs-0123456789abcdef0",
                "--mount-point",
                path,
                name=f"Mount {i}",
            )
            for i, path in enumerate(paths)
        )
        return bootstrapped(*actions)

    yield m("PCS501", "a mount point that is not absolute", mounts("home"))
    yield m("PCS502", "a mount over the system", mounts("/usr"))
    yield m("PCS503", "a mount inside of another", mounts("/shared", "/shared/home"))
    yield m("PCS504", "a capacity that is not made", lustre("StorageCapacity", 1300))
    yield m(
        "PCS505",
        "a throughput that is not made",
        configured("DeploymentType", "PERSISTENT_2"),
        configured("PerUnitStorageThroughput", 33),
    )
    yield m(
        "PCS506",
        "a key for scratch",
        configured("DeploymentType", "SCRATCH_2"),
        lustre("KmsKeyId", "arn:aws:kms:us-east-1:111122223333:key/x"),
    )
    yield m(
        "PCS507",
        "backups of scratch",
        configured("DeploymentType", "SCRATCH_2"),
        configured("AutomaticBackupRetentionDays", 7),
    )
    yield m("PCS507", "backups for 91 days", configured("AutomaticBackupRetentionDays", 91))
    yield m("PCS508", "two mount targets in one zone", targets_in_one_zone)
    yield m(
        "PCS509",
        "one group mounts what another does not",
        mounts("/shared"),
        every(TEMPLATE, "LaunchTemplateData.UserData", None),
        _without_user_data,
        twin(GROUP, Name="other-1a2b3c", NodeLifecycleActions=None),
        _without_nothing,
    )
    yield m("PCS512", "scratch", configured("DeploymentType", "SCRATCH_2"))
    yield m("PCS513", "provisioned without how much", put(EFS, "ThroughputMode", "provisioned"))
    yield m(
        "PCS513", "throughput without provisioned", put(EFS, "ProvisionedThroughputInMibps", 100)
    )
    yield m(
        "PCS525",
        "throughput above the quota",
        put(EFS, "ThroughputMode", "provisioned"),
        put(EFS, "ProvisionedThroughputInMibps", 4000),
    )
    yield m(
        "PCS514",
        "a relative path",
        put("AWS::EFS::AccessPoint", "RootDirectory.Path", "projects"),
    )
    yield m(
        "PCS515",
        "HDD of the wrong type",
        configured("DeploymentType", "PERSISTENT_2"),
        lustre("StorageType", "HDD"),
    )
    yield m(
        "PCS516",
        "metadata IOPS that are not made",
        configured("DeploymentType", "PERSISTENT_2"),
        configured("MetadataConfiguration", {"Mode": "USER_PROVISIONED", "Iops": 2000}),
    )
    yield m(
        "PCS517",
        "EFA on scratch",
        configured("DeploymentType", "SCRATCH_2"),
        configured("EfaEnabled", True),
    )
    yield m("PCS518", "a time that is none", configured("DailyAutomaticBackupStartTime", "25:00"))
    yield m(
        "PCS519",
        "a log group of another name",
        configured(
            "LogConfiguration",
            {
                "Level": "WARN_ERROR",
                "Destination": "arn:aws:logs:us-east-1:111122223333:log-group:/lustre",
            },
        ),
    )
    yield m("PCS520", "links of SCRATCH_1", configured("DeploymentType", "SCRATCH_1"), linked())
    yield m(
        "PCS521",
        "links inside of another",
        linked(FileSystemPath="/a"),
        linked(FileSystemPath="/a/b"),
    )
    yield m("PCS522", "links and backups", configured("AutomaticBackupRetentionDays", 7), linked())
    yield m("PCS523", "a snapshot on deletion", snapshot_on_deletion)
    yield m("PCS530", "a capacity that is not made", zfs("StorageCapacity", 10))
    yield m(
        "PCS531",
        "a throughput that is not made",
        zfs("OpenZFSConfiguration.ThroughputCapacity", 100),
    )
    yield m(
        "PCS532",
        "too few IOPS",
        zfs("OpenZFSConfiguration.DiskIopsConfiguration", {"Mode": "USER_PROVISIONED", "Iops": 1}),
    )
    yield m(
        "PCS533",
        "two zones, one subnet",
        zfs("OpenZFSConfiguration.DeploymentType", "MULTI_AZ_1"),
        zfs("SubnetIds", ["subnet-0a1b2c3d"]),
    )
    yield m(
        "PCS534",
        "records of a size that is none",
        zfs("OpenZFSConfiguration.RootVolumeConfiguration.RecordSizeKiB", 100),
    )
    yield m(
        "PCS535",
        "exports to a name",
        zfs(
            "OpenZFSConfiguration.RootVolumeConfiguration.NfsExports",
            [{"ClientConfigurations": [{"Clients": "nodes", "Options": ["rw"]}]}],
        ),
    )
    yield m(
        "PCS538",
        "backups for 91 days",
        zfs("OpenZFSConfiguration.AutomaticBackupRetentionDays", 91),
    )
    yield m(
        "PCS539",
        "two zones without route tables",
        zfs("OpenZFSConfiguration.DeploymentType", "MULTI_AZ_1"),
        _without_tables(is_open_zfs, "OpenZFSConfiguration"),
    )
    yield m("PCS540", "a capacity that is not made", ontap("StorageCapacity", 100))
    yield m("PCS541", "13 pairs", ontap("OntapConfiguration.HAPairs", 13))
    yield m("PCS542", "a throughput that is not made", _ontap_throughput)
    yield m(
        "PCS543",
        "too few IOPS",
        ontap("OntapConfiguration.DiskIopsConfiguration", {"Mode": "USER_PROVISIONED", "Iops": 1}),
    )
    yield m(
        "PCS544",
        "two zones, one subnet",
        ontap("OntapConfiguration.DeploymentType", "MULTI_AZ_1"),
        ontap("SubnetIds", ["subnet-0a1b2c3d"]),
    )
    yield m("PCS545", "a volume of nothing", ontap_volume("OntapConfiguration.SizeInBytes", "1024"))
    yield m(
        "PCS546",
        "a day of cooling",
        ontap_volume("OntapConfiguration.TieringPolicy", {"Name": "AUTO", "CoolingPeriod": 1}),
    )
    yield m(
        "PCS547", "a path that is none", ontap_volume("OntapConfiguration.JunctionPath", "vol 1")
    )
    yield m(
        "PCS548",
        "backups for 91 days",
        ontap("OntapConfiguration.AutomaticBackupRetentionDays", 91),
    )
    yield m(
        "PCS549",
        "two zones without route tables",
        ontap("OntapConfiguration.DeploymentType", "MULTI_AZ_1"),
        _without_tables(is_ontap, "OntapConfiguration"),
    )
    yield m("PCS550", "a capacity that is not made", put(CACHE, "StorageCapacity", 1300))
    links = "DataRepositoryAssociations"
    s3 = {"FileCachePath": "/a", "DataRepositoryPath": "s3://a/"}
    nfs = {
        "FileCachePath": "/b",
        "DataRepositoryPath": "nfs://10.0.0.5/b",
        "NFS": {"Version": "NFS3"},
    }
    public = {**nfs, "DataRepositoryPath": "nfs://203.0.113.5/b"}
    yield m("PCS552", "repositories of two kinds", put(CACHE, links, [s3, nfs]))
    yield m("PCS553", "a server with a public address", put(CACHE, links, [public]))
    yield m("PCS554", "an NFS server", put(CACHE, links, [nfs]))
    yield m("PCS560", "nodes without a mount target", one_target_left)
    yield m("PCS561", "Lustre in another zone", other_zone)
    yield m("PCS580", "the ports of old guides", lustre_ports)


def _without_user_data(draft: Draft) -> None:
    for _, _, template in draft.all(TEMPLATE):
        del template["Properties"]["LaunchTemplateData"]["UserData"]


def _without_nothing(draft: Draft) -> None:
    for _, _, group in draft.all(GROUP):
        if group["Properties"].get("NodeLifecycleActions", 0) is None:
            del group["Properties"]["NodeLifecycleActions"]


def _without_tables(where: Callable[[dict[str, Any]], bool], place: str) -> Change:
    def change(draft: Draft) -> None:
        _, _, resource = draft.first(FSX, where)
        resource["Properties"][place].pop("RouteTableIds", None)

    return change


def _ontap_throughput(draft: Draft) -> None:
    _, _, resource = draft.first(FSX, is_ontap)
    configuration = resource["Properties"]["OntapConfiguration"]
    configuration.pop("ThroughputCapacity", None)
    configuration["ThroughputCapacityPerHAPair"] = 100


def _about_launch_templates(m: Row) -> Iterator[Mutant]:
    custom = "CustomLaunchTemplate"
    hpc = types("hpc7a.96xlarge")
    both = interfaces((0, 0, "efa"), (1, 1, "efa"))
    yield m(
        "PCS601",
        "EFA over two subnets",
        hpc,
        both,
        put(GROUP, "SubnetIds", ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]),
    )
    yield m("PCS602", "EFA on a type without", types("c7i.xlarge"), interfaces((0, 0, "efa")))
    yield m(
        "PCS603",
        "types with other cards",
        types("hpc7a.96xlarge", "hpc6id.32xlarge", "c5n.18xlarge"),
        both,
    )
    yield m(
        "PCS605",
        "a template of AWS PCS",
        put(GROUP, f"{custom}.TemplateId", "pcs-1a2b3c-do-not-delete"),
    )
    yield m("PCS606", "the latest version", put(GROUP, f"{custom}.Version", "$Latest"))
    yield m("PCS607", "a key of 300 letters", of_template("KeyName", "k" * 300))
    yield m("PCS608", "no security group", _no_groups)
    yield m("PCS611", "a card that is not there", hpc, interfaces((0, 0, "efa"), (2, 1, "efa")))
    device = {"DeviceName": "/dev/sda1"}
    for code, name, ebs in (
        ("PCS612", "a disk that cannot be booted from", {"VolumeType": "st1", "VolumeSize": 500}),
        ("PCS612", "too many IOPS", {"VolumeType": "gp3", "VolumeSize": 8, "Iops": 9000}),
        ("PCS612", "IOPS of gp2", {"VolumeType": "gp2", "VolumeSize": 80, "Iops": 3000}),
        ("PCS613", "no encryption", {"Encrypted": False}),
        ("PCS618", "a key without encryption", {"Encrypted": False, "KmsKeyId": "alias/nodes"}),
    ):
        yield m(code, name, of_template("BlockDeviceMappings", [{**device, "Ebs": ebs}]))
    yield m("PCS615", "65 hops", of_template("MetadataOptions.HttpPutResponseHopLimit", 65))
    yield m("PCS616", "one hop", of_template("MetadataOptions.HttpPutResponseHopLimit", 1))
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "aws:owner", "Value": "me"}]}]
    yield m("PCS617", "a tag of AWS", of_template("TagSpecifications", tags))
    yield m(
        "PCS619",
        "EFA spread out",
        hpc,
        both,
        add("AWS::EC2::PlacementGroup", "Apart", {"Strategy": "spread"}, beside=GROUP),
        of_template("Placement", {"GroupName": {"Ref": "Apart"}}),
    )
    yield m("PCS620", "EFA only", hpc, interfaces((0, 0, "efa"), (1, 1, "efa-only")))
    yield m(
        "PCS621",
        "a placement group with a block",
        *BLOCK,
        of_template("Placement", {"GroupName": "mine"}),
    )
    yield m("PCS622", "two types in a block", *BLOCK, types("p5.48xlarge", "p5e.48xlarge"))
    yield m("PCS623", "more than is reserved", reserved(1))
    yield m(
        "PCS624",
        "interruptible nodes that always run",
        put(GROUP, "PurchaseOption", "INTERRUPTIBLE_CAPACITY_RESERVATION"),
        put(GROUP, "ScalingConfiguration", {"MinInstanceCount": 2, "MaxInstanceCount": 2}),
    )
    yield m("PCS625", "a reservation by its name", *BLOCK, of_template(TARGET_ID, "my-block"))
    yield m(
        "PCS626",
        "a type that is not sold as Spot",
        types("hpc7a.96xlarge"),
        put(GROUP, "PurchaseOption", "SPOT"),
    )
    yield m("PCS627", "a reservation of nothing", reserved(0))
    yield m(
        "PCS628",
        "UltraServers on demand",
        types("p6e-gb200.36xlarge"),
        put(GROUP, "PurchaseOption", "ONDEMAND"),
    )
    yield m(
        "PCS631",
        "more than there are racks",
        add("AWS::EC2::PlacementGroup", "Spread", {"Strategy": "spread"}, beside=GROUP),
        of_template("Placement", {"GroupName": {"Ref": "Spread"}}),
        put(GROUP, "ScalingConfiguration", {"MinInstanceCount": 0, "MaxInstanceCount": 100}),
    )
    yield m(
        "PCS632",
        "groups beside interfaces",
        hpc,
        interfaces((0, 0, "interface")),
        put(GROUP, "SecurityGroupIds", ["sg-0123456789abcdef0"]),
    )
    yield m("PCS633", "no launch template", drop(GROUP, "CustomLaunchTemplate"))
    yield m("PCS629", "a weight of a block's nodes", *BLOCK, setting(GROUP, "Weight", "5"))
    yield m("PCS640", "version 1 for good", put(GROUP, f"{custom}.Version", "1"))
    for name, value in (
        ("InstanceType", "c7i.metal-48xl"),
        ("IamInstanceProfile", {"Name": "nodes"}),
        ("DisableApiTermination", True),
        ("HibernationOptions", {"Configured": True}),
    ):
        yield m(
            "PCS641",
            f"{name} in the template",
            put(GROUP, "PurchaseOption", "ONDEMAND"),
            of_template(name, value),
        )
    yield m("PCS642", "groups by their names", of_template("SecurityGroups", ["cluster"]))
    yield m(
        "PCS643", "groups in two places", both, of_template("SecurityGroupIds", ["sg-0a1b2c3d"])
    )
    yield m("PCS644", "an interface without groups", interfaces((0, 0, "interface"), Groups=[]))
    yield m("PCS645", "no token", of_template("MetadataOptions.HttpTokens", "optional"))
    yield m(
        "PCS646",
        "Spot instances out of a reservation",
        put(GROUP, "PurchaseOption", "SPOT"),
        of_template(TARGET_ID, "cr-0123456789abcdef0"),
    )
    yield m("PCS647", "a block without a type", *BLOCK, _pop_template("InstanceType"))
    yield m("PCS647", "a block without a market", *BLOCK, _pop_template("InstanceMarketOptions"))
    yield m("PCS648", "no primary interface", hpc, interfaces((1, 1, "efa")))
    yield m(
        "PCS648", "one place twice", hpc, interfaces((0, 0, "efa"), (1, 1, "efa"), (1, 1, "efa"))
    )
    yield m(
        "PCS649",
        "interfaces in another subnet",
        put(GROUP, "SubnetIds", ["subnet-0a1b2c3d"]),
        interfaces((0, 0, "interface"), SubnetId="subnet-0a1b2c3e"),
    )


def _no_groups(draft: Draft) -> None:
    of_template("SecurityGroupIds", [])(draft)
    _pop_template("NetworkInterfaces", missing_ok=True)(draft)


def _pop_template(name: str, *, missing_ok: bool = False) -> Change:
    def change(draft: Draft) -> None:
        template, _, group = draft.first(GROUP)
        own = group["Properties"]["CustomLaunchTemplate"]["TemplateId"]["Ref"]
        launch = template["Resources"][own]["Properties"]["LaunchTemplateData"]
        if launch.pop(name, None) is None and not missing_ok:
            raise NotThere(name)

    return change


def _about_identity(m: Row) -> Iterator[Mutant]:
    arn = "IamInstanceProfileArn"
    yield m(
        "PCS701", "a role of another name", node_role("Path", "/"), node_role("RoleName", "nodes")
    )
    yield m("PCS702", "the name of a profile", put(GROUP, arn, "nodes"))
    yield m("PCS703", "a role of 70 letters", node_role("RoleName", "AWSPCS" + "x" * 64))
    yield m(
        "PCS704",
        "a profile of another name",
        put(GROUP, arn, "arn:aws:iam::123456789012:instance-profile/nodes"),
    )
    yield m("PCS704", "a profile of another name, made here", profile_name)
    yield m("PCS720", "a password with a default", password)
    yield m("PCS721", "a role that cannot register", without_register)
    trust = {
        "Statement": [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": "pcs.amazonaws.com"},
            }
        ]
    }
    yield m("PCS722", "a role for another service", node_role("AssumeRolePolicyDocument", trust))
    statement = {"Action": ["s3:GetObject"], "Effect": "Allow", "Resource": "*"}
    policy = {"PolicyName": "Everything", "PolicyDocument": {"Statement": [statement]}}
    yield m("PCS723", "a role that reads all buckets", node_role("Policies", [policy]))
    yield m("PCS724", "a role without a name", without_name)


def _about_settings(m: Row) -> Iterator[Mutant]:
    memory = fresh_settings(CLUSTER, SelectTypeParameters="CR_CPU_Memory")
    xlarge = types("c7i.4xlarge")
    yield m(
        "PCS801", "more memory than there is", xlarge, fresh_settings(GROUP, RealMemory="999999")
    )
    yield m("PCS850", "almost all the memory", xlarge, fresh_settings(GROUP, RealMemory="32000"))
    yield m("PCS802", "memory in gigabytes", xlarge, fresh_settings(GROUP, RealMemory="32"))
    yield m("PCS803", "no memory", memory, _busy_group_without_settings)
    yield m(
        "PCS804", "sockets that do not divide the cores", xlarge, fresh_settings(GROUP, Sockets="3")
    )
    yield m(
        "PCS805", "caches without sockets", fresh_settings(GROUP, Parameters="l3cache_as_socket")
    )
    yield m("PCS807", "a setting that PCS does not take", setting(CLUSTER, "SlurmctldPort", "7000"))
    yield m("PCS807", "a setting of queues", setting(GROUP, "MaxTime", "60"))
    yield m("PCS839", "a setting in other letters", setting(QUEUE, "maxtime", "60"))
    ports = fresh_settings(CLUSTER, SrunPortRange="6810-6830")
    yield m("PCS846", "ports of Slurm itself", ports)
    yield m("PCS840", "a record in other letters", put(GROUP, GRES, [{"name": "gpu"}]))
    yield m(
        "PCS836", "preemption without a mode", fresh_settings(CLUSTER, PreemptType="preempt/qos")
    )
    yield m("PCS837", "a tier above all", fresh_settings(QUEUE, PriorityTier="70000"))
    yield m("PCS838", "a value in two lines", fresh_settings(QUEUE, MaxTime="60\nDefault=YES"))
    yield m("PCS841", "no time at all", fresh_settings(QUEUE, MaxTime="0"))
    yield m("PCS842", "memory for nobody", fresh_settings(CLUSTER, DefMemPerCPU="1000"))
    yield m("PCS843", "jobs that never wake", fresh_settings(QUEUE, PreemptMode="SUSPEND"))
    yield m(
        "PCS844",
        "more by default than a node has",
        xlarge,
        fresh_settings(CLUSTER, DefMemPerCPU="8000", SelectTypeParameters="CR_CPU_Memory"),
        fresh_settings(GROUP, RealMemory="30000"),
    )
    yield m("PCS845", "no number", put(GROUP, GRES, [{"Name": "gpu", "Count": "many"}]))
    yield m(
        "PCS808",
        "a setting twice",
        setting(CLUSTER, "MinJobAge", "300"),
        setting(CLUSTER, "MinJobAge", "600"),
    )
    yield m(
        "PCS809",
        "a setting of a newer version",
        version("25.05"),
        fresh_settings(GROUP, Sockets="2"),
    )
    yield m(
        "PCS810",
        "enforcement without accounting",
        no_accounting,
        setting(CLUSTER, "AccountingStorageEnforce", "limits"),
    )
    yield m(
        "PCS811",
        "fair shares without accounting",
        no_accounting,
        setting(CLUSTER, "PriorityWeightFairshare", "10"),
    )
    yield m(
        "PCS812",
        "enforcing everything",
        accounting,
        fresh_settings(CLUSTER, AccountingStorageEnforce="all"),
    )
    yield m(
        "PCS813", "another select type", fresh_settings(CLUSTER, SelectTypeParameters="CR_Core")
    )
    yield m("PCS814", "a relative prolog", fresh_settings(CLUSTER, Prolog="prolog.sh"))
    yield m("PCS815", "a weight below nothing", fresh_settings(GROUP, Weight="-1"))
    yield m("PCS815", "a time that is none", fresh_settings(QUEUE, MaxTime="one day"))
    yield m("PCS816", "jobs kept too shortly", fresh_settings(CLUSTER, MinJobAge="2"))
    yield m("PCS817", "one port", fresh_settings(CLUSTER, SrunPortRange="60001"))
    yield m(
        "PCS818",
        "metrics that nobody reads",
        fresh_settings(CLUSTER, MetricsType="metrics/openmetrics"),
    )
    yield m("PCS819", "a filter in C", fresh_settings(CLUSTER, CliFilterPlugins="cli_filter/mine"))
    yield m(
        "PCS820",
        "memory that is not scheduled",
        fresh_settings(CLUSTER, MinJobAge="300"),
        xlarge,
        fresh_settings(GROUP, RealMemory="30000"),
    )
    yield m(
        "PCS821",
        "a QOS that nobody knows",
        _no_metadata,
        accounting,
        fresh_settings(QUEUE, QOS="high"),
    )
    yield m("PCS822", "two default queues", two_defaults)
    yield m("PCS823", "a name of a node", put(GROUP, GRES, [{**GPU, "NodeName": "n1"}]))
    yield m("PCS824", "a record of nothing", put(GROUP, GRES, [{"Type": "h100"}]))
    yield m("PCS825", "GPUs twice", put(GROUP, GRES, [GPU, GPU]))
    yield m("PCS826", "GPUs without devices", put(GROUP, GRES, [{"Name": "gpu"}]))
    yield m(
        "PCS827",
        "detected without sockets",
        version("25.11"),
        fresh_settings(GROUP, Weight="1"),
        put(GROUP, GRES, [{"AutoDetect": "nvml"}]),
    )
    yield m(
        "PCS828",
        "more than is declared",
        fresh_settings(GROUP, Gres="gpu:h100:9"),
        put(GROUP, GRES, [GPU]),
    )
    yield m(
        "PCS829",
        "flags that do not go together",
        fresh_settings(CLUSTER, PrologFlags="Contain,NoHold"),
    )
    yield m(
        "PCS847",
        "a state of a newer Slurm",
        version("27.05"),
        fresh_settings(CLUSTER, HealthCheckNodeState="SOME"),
    )
    yield m("PCS848", "a filter by half its name", fresh_settings(CLUSTER, CliFilterPlugins="lua"))
    yield m(
        "PCS849",
        "a select type that there is not",
        fresh_settings(CLUSTER, SelectTypeParameters="CR_GPU"),
    )
    yield m(
        "PCS830",
        "allowed and denied",
        accounting,
        fresh_settings(QUEUE, AllowAccounts="a", DenyAccounts="b"),
    )
    yield m("PCS831", "a QOS that is not listed", qos_that_is_not_listed)
    yield m(
        "PCS832", "a default above the most", fresh_settings(QUEUE, DefaultTime="120", MaxTime="60")
    )
    yield m("PCS833", "preemption with nothing to go by", tier_preemption)
    yield m("PCS834", "no number of licenses", fresh_settings(CLUSTER, Licenses="ansys:many"))
    yield m("PCS835", "suspended for good", fresh_settings(CLUSTER, PreemptMode="SUSPEND"))
    yield m(
        "PCS807",
        "a setting of no cgroup",
        setting(CLUSTER, "CgroupPlugin", "v1", "CgroupCustomSettings"),
    )
    yield m(
        "PCS810",
        "a database without accounting",
        no_accounting,
        setting(CLUSTER, "PurgeJobAfter", "30", "SlurmdbdCustomSettings"),
    )


def _no_metadata(draft: Draft) -> None:
    for _, _, cluster in draft.all(CLUSTER):
        cluster.pop("Metadata", None)


def _busy_group_without_settings(draft: Draft) -> None:
    every(GROUP, "SlurmConfiguration", {})(draft)


def _about_boot(m: Row) -> Iterator[Mutant]:
    bash = "#!/bin/bash\n"
    yield m("PCS901", "20 kB of user data", script(bash + "echo hello\n" * 2000))
    yield m("PCS902", "a script without interpreter", script("echo hello\n"))
    yield m("PCS903", "a restart", script(f"{bash}reboot\n"))
    yield m("PCS904", "a password", script(f"{bash}export PASSWORD=hunter2secret\n"))
    yield m("PCS905", "another alphabet", script(f"{bash}echo 'Größe'\n"))
    yield m("PCS906", "plain text", script("hello\n", "text/plain"))
    yield m("PCS910", "21 actions", bootstrapped(*(action(f"Step {i}") for i in range(21))))
    yield m(
        "PCS911",
        "a policy without actions",
        put(GROUP, "NodeLifecycleActions", {"ScriptCachingPolicy": "CACHE_ONCE", "Stages": {}}),
    )
    yield m("PCS912", "a name with a slash", bootstrapped(action("a/b")))
    yield m("PCS913", "one name twice", bootstrapped(action("Same"), action("Same")))
    yield m("PCS914", "21 arguments", bootstrapped(action(Arguments=["x"] * 21)))
    yield m("PCS914", "an argument of 300 letters", bootstrapped(action(Arguments=["x" * 300])))
    yield m("PCS915", "a script on a disk", bootstrapped(action(location="/shared/setup.sh")))
    yield m(
        "PCS915",
        "a script without encryption",
        bootstrapped(action(location="http://example.com/x.sh")),
    )
    yield m("PCS916", "a checksum that is none", bootstrapped(action(source={"Checksum": "abc"})))
    yield m("PCS918", "no release", bootstrapped(action(location=f"{REPOSITORY}/mount-efs.sh")))
    yield m(
        "PCS919",
        "no mount point",
        bootstrapped(maintained("mount-efs", "--file-system-id", "fs-0123456789abcdef0")),
    )
    yield m(
        "PCS920",
        "a name for an ID",
        bootstrapped(maintained("mount-efs", "--file-system-id", "home", "--mount-point", "/home")),
    )
    yield m("PCS921", "a script that nobody knows", bootstrapped(maintained("mount-nfs")))
    yield m("PCS922", "no checksum", bootstrapped(action(source={"Checksum": None})))
    latest = {
        **maintained("configure-cloudwatch-logs"),
        "ScriptSource": {"ScriptLocation": f"{REPOSITORY}/configure-cloudwatch-logs-v1-latest.sh"},
    }
    yield m("PCS922", "whatever is the latest", bootstrapped(latest))
    yield m(
        "PCS923",
        "refreshed and not run",
        bootstrapped(action(), ScriptCachingPolicy="REFRESH_ON_REBOOT"),
    )
    yield m("PCS924", "a token", bootstrapped(action(Arguments=["--token=abcdefgh"])))
    efs = ("--file-system-id", "fs-0123456789abcdef0", "--mount-point", "/home")
    yield m(
        "PCS925",
        "a mount that may fail",
        bootstrapped(maintained("mount-efs", *efs, OnError="CONTINUE")),
    )
    yield m(
        "PCS926", "logs at last", bootstrapped(action(), maintained("configure-cloudwatch-logs"))
    )
    yield m("PCS940", "no base64", of_template("UserData", f"{bash}echo hello world\n"))
    yield m("PCS941", "a script alone", user_data(f"{bash}echo hello\n"))
    yield m(
        "PCS941",
        "a script alone, encoded",
        of_template("UserData", base64.b64encode(f"{bash}ls\n".encode()).decode()),
    )
    yield m(
        "PCS907",
        "another boundary",
        user_data(lines(("text/x-shellscript", bash)).replace("--B", "--A")),
    )
    yield m("PCS942", "no last boundary", user_data(lines(("text/x-shellscript", bash), end="")))
    yield m(
        "PCS943",
        "no verification",
        script(f"{bash}# gpg --verify installer.sig\ntar xf installer\n"),
    )
    yield m(
        "PCS944",
        "a bracket that is missing",
        add(
            "AWS::Lambda::Function",
            "Broken",
            {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Code": {"ZipFile": "def handler(e, c):\n    return [1, 2\n"},
                "Role": "arn:aws:iam::123456789012:role/x",
            },
        ),
    )
    yield m(
        "PCS945",
        "a directory at an address",
        bootstrapped(
            maintained("configure-ldaps", "--ldap-uri", "ldap://10.0.0.5", "--search-base", "dc=x")
        ),
    )


WAIVED: Final = {
    **dict.fromkeys(("PCS001", "PCS002", "PCS003"), "about the types of Python arguments"),
    "PCS004": "about lists, which are one text in a template",
    "PCS111": "the API takes the name of a cluster as well, so a template may have it",
    "PCS303": "of a constructor; of a template it is the advice PCS309",
    "PCS116": "about a value in the context of a CDK app",
    "PCS209": "about the description of an instance type, which templates do not have",
    "PCS217": "login nodes are recognised by always being there, so they cannot be others",
    "PCS218": "about arguments beside launch_template",
    "PCS219": "about opening ports of an imported launch template",
    "PCS220": "about the image that the library chooses",
    "PCS222": "about looking up an image in the CDK",
    "PCS223": "about the operating system of an image, which its ID does not tell",
    "PCS233": "about what the CDK has no words for",
    "PCS305": "login nodes are recognised by no queue naming them",
    **dict.fromkeys(("PCS410", "PCS411", "PCS412"), "about what Network is asked for"),
    "PCS413": "about peers in the words of the CDK",
    "PCS414": "about choosing a subnet of a VPC",
    **dict.fromkeys(("PCS417", "PCS418", "PCS419"), "about what Network is asked for"),
    **dict.fromkeys(
        ("PCS422", "PCS423", "PCS424", "PCS425", "PCS430", "PCS433"),
        "about who reaches whom, which the command reach tells of a template",
    ),
    "PCS427": "about services by their short names",
    **dict.fromkeys(("PCS431", "PCS432"), "about what add_endpoints is asked for"),
    "PCS428": "about arguments beside each other",
    **dict.fromkeys(
        ("PCS510", "PCS511", "PCS537", "PCS551"), "about references to what exists already"
    ),
    "PCS524": "options of mounts are in scripts, which are not read",
    "PCS536": "which volumes there are besides, one template does not tell",
    **dict.fromkeys(("PCS555", "PCS556", "PCS557"), "NFS servers are named in scripts only"),
    "PCS558": "local disks are mounted by scripts",
    "PCS562": "whether a role was passed with an imported profile, a template does not tell",
    "PCS563": "about the versions that the library names scripts by",
    "PCS604": "interfaces are written out in a template, and need no catalogue",
    "PCS609": "as PCS604",
    "PCS610": "about an argument beside another",
    "PCS614": "the root device of an image is not in a template",
    "PCS630": "how many reservations a group has, one template does not tell",
    "PCS705": "about granting to a role that is not known",
    "PCS806": "about gpu_type, an argument of the library",
    "PCS917": "about files on the machine that synthesizes",
    "PCS927": "as PCS562",
}
"""Rules that templates are not judged by, and why."""
