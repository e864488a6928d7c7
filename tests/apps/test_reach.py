"""What `reach` says of the apps: as they are, and with one thing out of their network."""

from __future__ import annotations

import ipaddress
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.reach import Flow, Verdict, judge
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.apps.conftest import Synthesized

Contents = dict[str, dict[str, Any]]
Key = tuple[str, str, str, str, str]

_RULES = {"SecurityGroupIngress", "SecurityGroupEgress"}

# EC2 opens a group that has no egress rule at all, so the last one is replaced and not removed. The
# CDK does the same.
_NOTHING = {"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86}


def _contents(app: Synthesized) -> Contents:
    return {name.removesuffix(".template.json"): t for name, t in app.templates.items()}


def _key(flow: Flow) -> Key:
    return (flow.cluster, flow.source, flow.target, flow.what, flow.traffic)


def _judged(contents: Contents) -> dict[Key, Flow]:
    flows = judge(template.parsed_together(contents))
    found = {_key(flow): flow for flow in flows}
    assert len(found) == len(flows)  # no two flows read alike
    return found


def _things(contents: Contents) -> Iterator[tuple[str, str, str]]:
    """Every rule, route and endpoint: its template, its logical id, and where in it."""
    for name, content in contents.items():
        for logical_id, resource in content["Resources"].items():
            kind = resource["Type"].removeprefix("AWS::EC2::")
            if kind in {*_RULES, "Route", "VPCEndpoint"}:
                yield name, logical_id, ""
            if kind == "SecurityGroup":
                for rules in sorted(_RULES):
                    for index in range(len(resource["Properties"].get(rules, ()))):
                        yield name, logical_id, f"{rules}[{index}]"


def _without(contents: Contents, name: str, logical_id: str, part: str) -> Contents:
    resources = contents[name]["Resources"]
    changed = {**resources}
    if part:
        rules, index = part.rstrip("]").split("[")
        changed[logical_id] = deepcopy(resources[logical_id])
        kept = changed[logical_id]["Properties"][rules]
        del kept[int(index)]
        if not kept and rules == "SecurityGroupEgress":
            kept.append(_NOTHING)
    else:
        del changed[logical_id]
    return {**contents, name: {**contents[name], "Resources": changed}}


@pytest.mark.parametrize("name", ["isolated", "restricted"])
def test_everything_is_known_to_get_through(
    name: str, synthesized: Callable[[str], Synthesized]
) -> None:
    flows = judge(template.parsed_together(_contents(synthesized(name))))
    assert len(flows) > 30
    assert {flow.verdict for flow in flows} == {Verdict.YES}


def test_nothing_that_an_app_needs_is_out_of_reach(app: Synthesized) -> None:
    flows = _judged(_contents(app))
    unknown = {flow.what for flow in flows.values() if flow.verdict is Verdict.UNKNOWN}
    assert [(_key(f), f.because) for f in flows.values() if f.verdict is Verdict.NO] == []
    assert unknown <= {"NFS", "SSH"}  # of a server that is elsewhere, and from a prefix list
    assert {"slurmctld", "slurmd", "srun", "HTTPS", "names"} <= {key[3] for key in flows}


def test_what_one_rule_route_or_endpoint_carries_is_lost_without_it_and_no_more(
    app: Synthesized,
) -> None:
    contents = _contents(app)
    before = _judged(contents)
    things = list(_things(contents))
    assert len(things) >= 10
    carried = 0
    for name, logical_id, part in things:
        expected = {}
        for key, flow in before.items():
            needs = {(t.resource.template.name, t.resource.logical_id, t.place) for t in flow.needs}
            expected[key] = Verdict.NO if (name, logical_id, part) in needs else flow.verdict
        after = _judged(_without(contents, name, logical_id, part))
        assert {key[1] for key in set(after) - set(before)} <= {"anybody"}
        # Who may come in is told for each rule: without the rule there is nobody to tell of.
        found = {key: after[key].verdict if key in after else Verdict.NO for key in before}
        assert found == expected, (logical_id, part)
        carried += found != {key: flow.verdict for key, flow in before.items()}
    assert carried >= 5


def test_what_only_cloudformation_knows_makes_nothing_surer(getting_started: Synthesized) -> None:
    contents = _contents(getting_started)
    before = _judged(contents)
    for name, content in contents.items():
        for logical_id, resource in content["Resources"].items():
            for key in resource["Properties"]:
                properties = {**resource["Properties"], key: {"Ref": "Unknown"}}
                changed = {logical_id: {**resource, "Properties": properties}}
                resources = {**content["Resources"], **changed}
                after = _judged({name: {**content, "Resources": resources}})
                surer = [k for k in before.keys() & after if after[k].verdict > before[k].verdict]
                assert surer == [], (logical_id, key)
                if resource["Type"].startswith("AWS::EC2::SecurityGroup"):
                    # What a rule says may be anything; that it is not there is not known.
                    lost = {k for k in before.keys() & after if after[k].verdict is Verdict.NO}
                    assert lost == set() or key in {"GroupId", "VpcId"}, (logical_id, key)


def test_the_verdicts_are_those_of_a_packet_that_is_sent(app: Synthesized) -> None:
    """Also with each thing gone, so that most flows are seen both ways."""
    contents = _contents(app)
    seen = set()
    for changed in (contents, *(_without(contents, *thing) for thing in _things(contents))):
        packets = Packets(changed)
        for key, flow in _judged(changed).items():
            arrives = packets.arrives(*key)
            if arrives is not None and flow.verdict is not Verdict.UNKNOWN:
                assert arrives == (flow.verdict is Verdict.YES), key
                seen.add((flow.what, arrives))
    assert {("slurmctld", True), ("slurmd", True), ("srun", True), ("HTTPS", True)} <= seen
    assert {what for what, arrives in seen if not arrives} & {"EFS", "Lustre"}


class Packets:
    """Sends packets through raw templates, knowing nothing of how `reach` judges.

    It knows what the apps of this library have, and nothing else: networks, groups and rules in the
    same template, references by `Ref` and `Fn::GetAtt`.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents

    def arrives(
        self, cluster: str, source: str, target: str, what: str, traffic: str
    ) -> bool | None:
        """Whether traffic arrives; `None` where this does not know how to send it."""
        name = cluster.rpartition(" in ")[2]
        self.resources = self.contents[name]["Resources"]
        if what == "HTTPS":
            return all(self._calls(target, *nodes) for nodes in self._ends(source))
        protocol, _, ports = traffic.partition(" ")
        if protocol not in {"TCP", "UDP"} or what in {"SSH", "names"}:
            return None
        first, _, last = ports.partition("-")
        sent = (int(first), (int(first) + int(last or first)) // 2, int(last or first))
        ends = [(a, b) for a in self._ends(source) for b in self._ends(target)]
        return (
            None
            if not ends
            else all(
                self._passes(a[0], b[0], a[1], b[1], protocol.lower(), port)
                for a, b in ends
                for port in sent
            )
        )

    def _of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        found = self.resources.items()
        return {name: r["Properties"] for name, r in found if r["Type"] == f"AWS::{type_}"}

    def _ends(self, name: str) -> list[tuple[set[str], str]]:
        """The groups and the subnet of who is called so: of each server, where there are more."""
        if name == "controller":
            (cluster,) = self._of_type("PCS::Cluster").values()
            networking = cluster["Networking"]
            return [(_ids(networking["SecurityGroupIds"]), _id(networking["SubnetIds"][0]))]
        for group in self._of_type("PCS::ComputeNodeGroup").values():
            if group["Name"] == name:
                launch = self.resources[_id(group["CustomLaunchTemplate"]["TemplateId"])]
                data = launch["Properties"]["LaunchTemplateData"]
                interfaces = data.get("NetworkInterfaces") or [{"Groups": data["SecurityGroupIds"]}]
                return [(_ids(interfaces[0]["Groups"]), _id(s)) for s in group["SubnetIds"]]
        name = name.rpartition("/")[2]  # what follows the stack, where two have such a resource
        servers = self._of_type("FSx::FileSystem") | self._of_type("FSx::FileCache")
        if name in servers:
            groups = _ids(servers[name]["SecurityGroupIds"])
            return [(groups, _id(subnet)) for subnet in servers[name]["SubnetIds"]]
        return [
            (_ids(target["SecurityGroups"]), _id(target["SubnetId"]))
            for target in self._of_type("EFS::MountTarget").values()
            if _id(target["FileSystemId"]) == name
        ]

    def _passes(
        self, a: set[str], b: set[str], here: str, there: str, protocol: str, port: int
    ) -> bool:
        return self._lets(a, "Egress", b, there, protocol, port) and self._lets(
            b, "Ingress", a, here, protocol, port
        )

    def _lets(
        self, groups: set[str], way: str, others: set[str], place: str, protocol: str, port: int
    ) -> bool:
        key = "DestinationSecurityGroupId" if way == "Egress" else "SourceSecurityGroupId"
        for rule in self._rules(groups, way):
            if rule["IpProtocol"] not in {"-1", protocol}:
                continue
            if rule["IpProtocol"] != "-1" and not rule["FromPort"] <= port <= rule["ToPort"]:
                continue
            if key in rule and _id(rule[key]) in others:
                return True
            if "CidrIp" in rule and self._holds(rule["CidrIp"], place):
                return True
        return False

    def _rules(self, groups: set[str], way: str) -> Iterator[dict[str, Any]]:
        for name, group in self._of_type("EC2::SecurityGroup").items():
            if name in groups:
                yield from group.get(f"SecurityGroup{way}", ())
        for rule in self._of_type(f"EC2::SecurityGroup{way}").values():
            if _id(rule["GroupId"]) in groups:
                yield rule

    def _holds(self, cidr: Any, place: str) -> bool:
        if not isinstance(cidr, str):
            cidr = self.resources[_id(cidr)]["Properties"]["CidrBlock"]  # that of the VPC
        block = ipaddress.ip_network(cidr)
        if not place:
            return block.prefixlen == 0
        return ipaddress.ip_network(self.resources[place]["Properties"]["CidrBlock"]).subnet_of(
            block
        )  # type: ignore[arg-type]

    def _calls(self, service: str, groups: set[str], place: str) -> bool:
        table = self._table(place)
        interfaces = []
        for endpoint in self._of_type("EC2::VPCEndpoint").values():
            if not json.dumps(endpoint["ServiceName"]).endswith(f'.{service}"]]}}'):
                continue
            if endpoint["VpcEndpointType"] == "Gateway":
                if table in _ids(endpoint["RouteTableIds"]):
                    return self._lets_s3_out(groups)
            elif endpoint["PrivateDnsEnabled"]:
                interfaces.append(endpoint)
        for endpoint in interfaces:
            theirs = _ids(endpoint["SecurityGroupIds"])
            return all(
                self._passes(groups, theirs, place, _id(there), "tcp", 443)
                for there in endpoint["SubnetIds"]
            )
        return self._lets(groups, "Egress", set(), "", "tcp", 443) and self._leads_out(place)

    def _lets_s3_out(self, groups: set[str]) -> bool:
        by_list = any("DestinationPrefixListId" in r for r in self._rules(groups, "Egress"))
        return by_list or self._lets(groups, "Egress", set(), "", "tcp", 443)

    def _leads_out(self, place: str) -> bool:
        for route in self._of_type("EC2::Route").values():
            if _id(route["RouteTableId"]) == self._table(place):
                if route.get("DestinationCidrBlock") != "0.0.0.0/0":
                    continue
                if "NatGatewayId" in route:
                    nat = self.resources[_id(route["NatGatewayId"])]["Properties"]
                    return self._leads_out(_id(nat["SubnetId"]))
                return bool(self.resources[place]["Properties"]["MapPublicIpOnLaunch"])
        return False

    def _table(self, place: str) -> str:
        (table,) = (
            _id(association["RouteTableId"])
            for association in self._of_type("EC2::SubnetRouteTableAssociation").values()
            if _id(association["SubnetId"]) == place
        )
        return table


def _id(reference: dict[str, Any]) -> str:
    return reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]


def _ids(references: list[dict[str, Any]]) -> set[str]:
    return {_id(reference) for reference in references}
