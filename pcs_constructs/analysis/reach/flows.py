"""The flows that a cluster needs, and the judgement of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pcs_constructs.analysis.reach.actors import Actors, Controller, FileSystem, NodeGroup
from pcs_constructs.analysis.reach.efa import efa
from pcs_constructs.analysis.reach.entrances import admitted, entrances, nobody_is_admitted
from pcs_constructs.analysis.reach.groups import Groups, Side, Traffic, could_send
from pcs_constructs.analysis.reach.needs import ALWAYS, services, unnamed_services
from pcs_constructs.analysis.reach.network import Network, same
from pcs_constructs.analysis.reach.proof import (
    Every,
    Fact,
    Location,
    Proof,
    Some,
    Verdict,
    complaints,
    evidence,
    needed,
    verdict_of,
)
from pcs_constructs.analysis.reach.ways import Ways
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.file_systems import KINDS
from pcs_constructs.model.ports import SLURMCTLD, SLURMD, SLURMDBD, SLURMRESTD, SSH
from pcs_constructs.rules import FlowFacts
from pcs_constructs.templates.members import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pcs_constructs.templates.resolve import Place
    from pcs_constructs.templates.resolved import ResolvedResource, ResolvedTemplates


Key = tuple["Place | str", ...]
"""What a flow is the same by: its cluster, who calls, who is called, what for, the traffic."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Traffic that a cluster needs, and whether it gets through."""

    cluster: str
    """The cluster: its name, and the template it is in."""

    resource: ResolvedResource | None
    """The cluster as it is in its template, if it is."""

    source: str
    """Who calls."""

    target: str
    """Who is called."""

    what: str
    """What for: the daemon, the file system or the AWS service."""

    traffic: str
    """The protocol and its ports."""

    proof: Proof
    """Why it gets through or does not."""

    key: Key
    """What it is the same flow by, whatever is taken for true."""

    assumes: tuple[str, ...] = ()
    """What the verdict rests on that may be otherwise, such as `Prefix is hpc`."""

    @property
    def sure(self) -> bool:
        """Whether the verdict stands whatever the values of parameters are."""
        return not self.assumes

    @property
    def verdict(self) -> Verdict:
        """Whether it gets through."""
        return verdict_of(self.proof)

    @property
    def by(self) -> tuple[Location, ...]:
        """What lets it through, if something does: rules, routes, endpoints."""
        carriers = evidence(self.proof) if self.verdict is Verdict.YES else ()
        return tuple(dict.fromkeys(carriers))

    @property
    def given(self) -> str:
        """What is taken as given where it gets through, though nobody has seen it deployed."""
        endpoints = [t for t in self.by if t.resource.type == "AWS::EC2::VPCEndpoint"]
        if self.target in ALWAYS and self.what == "HTTPS" and endpoints:
            return f"if {endpoints[0].name} answers at the name that nodes call (PCS425)"
        return ""

    @property
    def needs(self) -> frozenset[Location]:
        """The locations without each of which it would not get through."""
        return needed(self.proof)

    @property
    def because(self) -> tuple[str, ...]:
        """What is missing, or not known; empty if it gets through."""
        return tuple(dict.fromkeys(fact.words for fact in complaints(self.proof) if fact.words))

    @property
    def facts(self) -> FlowFacts:
        """What the rules are to judge."""
        verdict = self.verdict
        return FlowFacts(
            flow=f"{self.source} does not reach {self.target} ({self.what}, {self.traffic})",
            reached=verdict is Verdict.YES
            if verdict is not Verdict.UNKNOWN and self.sure
            else UNKNOWN,
            missing=self.because,
            fixes=self.fixes,
        )

    @property
    def fixes(self) -> tuple[str, ...]:
        """What to do about what is missing."""
        return tuple(dict.fromkeys(fact.fix for fact in complaints(self.proof) if fact.fix))


def flows(resolved: ResolvedTemplates) -> list[Flow]:
    """Every flow that the clusters in templates need, those of one cluster after the other.

    Args:
        resolved: The templates, in the scenario that is to be judged.
    """
    network = Network(resolved)
    groups = Groups(network)
    actors = Actors(network, groups, Membership(resolved))
    ways = Ways(network, groups)
    return [
        flow
        for controller, members in actors.clusters()
        for flow in _Cluster(controller, members, actors, ways).flows()
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Cluster:
    controller: Controller
    groups: list[NodeGroup]
    actors: Actors
    ways: Ways

    def flows(self) -> Iterator[Flow]:
        """Every flow, in the order in which people want to see them."""
        yield from self._with_controller()
        yield from self._between_nodes()
        yield from self._with_file_systems()
        yield from self._to_services()
        yield from self._from_outside()

    def _flow(self, source: _End, target: _End, what: str, traffic: object, proof: Proof) -> Flow:
        cluster = self.controller.resource
        return Flow(
            cluster=self.controller.label,
            resource=cluster,
            source=_name(source),
            target=_name(target),
            what=what,
            traffic=str(traffic),
            proof=proof,
            key=(
                cluster.place if cluster else self.controller.label,
                _place(source),
                _place(target),
                what,
                str(traffic),
            ),
        )

    def _connection(self, caller: Side, called: Side, what: str, traffic: Traffic) -> Flow:
        proof = self.ways.between(caller, called, traffic)
        if not self.controller.family_known:
            words = f"whether {self.controller.label} talks IPv4 or IPv6 is not known"
            proof = Every((Fact(Verdict.UNKNOWN, words), proof))
        return self._flow(caller, called, what, traffic, proof)

    def _tcp(self, first: int, last: int | None = None) -> Traffic:
        return Traffic("tcp", first, last or first, self.controller.family)

    def _with_controller(self) -> Iterator[Flow]:
        controller = self.controller
        if controller.resource is None:
            for group in self.groups:
                words = f"the cluster of {group.side.name} is not in these templates"
                unseen = Fact(Verdict.UNKNOWN, words)
                yield self._flow(group.side, "controller", "slurmctld", "TCP 6817", unseen)
                yield self._flow("controller", group.side, "slurmd", "TCP 6818", unseen)
            return
        side = controller.side
        for group in self.groups:
            yield self._connection(group.side, side, "slurmctld", self._tcp(SLURMCTLD))
            if controller.accounting:
                flow = self._connection(group.side, side, "slurmdbd", self._tcp(SLURMDBD))
                yield _if_on(flow, controller.accounting, "accounting")
            yield self._connection(side, group.side, "slurmd", self._tcp(SLURMD))
            # It tells srun when there are nodes: `SrunPortRange` in slurm.conf(5).
            yield self._srun(side, group.side)
        if controller.rest:
            for flow in self._to_rest_api():
                yield _if_on(flow, controller.rest, "a REST API")

    def _to_rest_api(self) -> Iterator[Flow]:
        """Who may use the REST API: nodes whose group is let in, and others by what lets them."""
        side, traffic = self.controller.side, self._tcp(SLURMRESTD)
        nobody = True
        for source, group, proof in admitted(self.ways, side, traffic):
            nobody = False
            nodes = [n.side for n in self.groups if group in {g.identity for g in n.side.groups}]
            for caller in nodes:
                yield self._connection(caller, side, "slurmrestd", traffic)
            if not nodes:
                yield self._flow(source, side, "slurmrestd", traffic, proof)
        if nobody:
            proof = nobody_is_admitted(side, traffic)
            yield self._flow("anybody", side, "slurmrestd", traffic, proof)

    def _between_nodes(self) -> Iterator[Flow]:
        for caller in self.groups:
            for called in self.groups:
                if caller is called:
                    talk = caller.several
                else:
                    # Nodes in no queue are those that people log in to.
                    login = bool(caller.queues) != bool(called.queues)
                    talk = login or bool(caller.queues & called.queues)
                if talk:
                    yield from self._between(caller, called)

    def _between(self, caller: NodeGroup, called: NodeGroup) -> Iterator[Flow]:
        # slurmd passes on what the controller says, also to nodes that run no jobs.
        yield self._connection(caller.side, called.side, "slurmd", self._tcp(SLURMD))
        if caller.queues or called.queues:
            yield self._srun(caller.side, called.side)
        if caller.efa and called.efa and caller.queues & called.queues:
            proof = efa(caller.efa, called.efa, shared=True)
            yield self._flow(caller.side, called.side, "EFA", "all traffic", proof)

    def _srun(self, caller: Side, called: Side) -> Flow:
        srun = self.controller.srun
        if srun is UNKNOWN:
            unknown = Fact(Verdict.UNKNOWN, "which ports srun has is not known")
            return self._flow(caller, called, "srun", "TCP", unknown)
        return self._connection(caller, called, "srun", self._tcp(*srun))

    def _with_file_systems(self) -> Iterator[Flow]:
        mounted: dict[str, FileSystem] = {}
        for group in self.groups:
            for system in self.actors.mounted_by(group):
                mounted.setdefault(system.name, system)
                yield from self._mount(group, system)
        for system in mounted.values():
            if _calls_back(system):
                for traffic in _traffic_of(system):
                    proof = self._among(system.servers, system.servers, traffic)
                    what = f"{KINDS[system.kind].name} servers"
                    yield self._flow(system, system, what, traffic, proof)

    def _mount(self, group: NodeGroup, system: FileSystem) -> Iterator[Flow]:
        nodes = group.side
        what = KINDS[system.kind].name if system.kind in KINDS else "file system"
        if not system.servers or system.kind not in KINDS:
            yield self._mount_unseen(nodes, system, what)
            return
        servers = system.reached_from(frozenset(place.zone for place in nodes.subnets))
        way = [*_routes_of_fsx(system, nodes), *_zones_of_efs(system, nodes)]
        for traffic in _traffic_of(system):
            there = Every((self._among((nodes,), servers, traffic), *way))
            yield self._flow(nodes, system, what, traffic, there)
            if _calls_back(system):
                back = self._among(servers, (nodes,), traffic)
                yield self._flow(system, nodes, what, traffic, back)
        if system.efa and group.efa:
            for one, other, ends in (
                (group.efa, system.servers, (nodes, system)),
                (system.servers, group.efa, (system, nodes)),
            ):
                proof = efa(one, other, shared=False)
                yield self._flow(*ends, "EFA", "all traffic", proof)

    def _mount_unseen(self, nodes: Side, system: FileSystem, what: str) -> Flow:
        """A file system of which there is only a name: the nodes may be let out, if no more."""
        words = f"{system.name} is not in these templates"
        if system.servers:
            words = f"of what kind {system.name} is, is not known"
        unseen = Fact(Verdict.UNKNOWN, words)
        traffic = next(iter(_traffic_of(system)), None)
        proof: Proof = unseen
        if traffic:
            proof = Every((unseen, could_send(nodes, traffic, system.name)))
        return self._flow(nodes, system, what, traffic or "its ports", proof)

    def _among(self, callers: Iterable[Side], called: Iterable[Side], traffic: Traffic) -> Proof:
        called = tuple(called)
        return Every(tuple(self.ways.between(c, d, traffic) for c in callers for d in called))

    def _to_services(self) -> Iterator[Flow]:
        for group in self.groups:
            side = group.side
            proof = self.ways.resolves(side)
            yield self._flow(side, "DNS", "names", "UDP 53", proof)
            for service in services(group.resource):
                # The agent of AWS PCS calls pcs.REGION.api.aws, which has both families.
                dual_stack = service == "pcs" and self.controller.family == 6
                proof = self.ways.to_service(side, service, dual_stack=dual_stack)
                yield self._flow(side, service, "HTTPS", "TCP 443", proof)
            for service in unnamed_services(group.resource):
                # The way out serves all of them; whether an endpoint does, its name does not tell.
                words = f"by which endpoint {service} is called is not known"
                guess = Fact(Verdict.UNKNOWN, words)
                proof = Some((self.ways.to_service(side, service), guess), guess)
                yield self._flow(side, service, "HTTPS", "TCP 443", proof)

    def _from_outside(self) -> Iterator[Flow]:
        ours = {group.identity.key for group in self.controller.side.groups}
        ours |= {group.identity.key for nodes in self.groups for group in nodes.side.groups}
        for nodes in self.groups:
            if not nodes.queues:
                for source, proof in entrances(self.ways, nodes.side, _SSH, ours):
                    yield self._flow(source, nodes.side, "SSH", _SSH, proof)


_End = Side | FileSystem | str


def _name(end: _End) -> str:
    return end if isinstance(end, str) else end.name


def _place(end: _End) -> Place | str:
    """What an end of a flow is the same by, whatever is taken for true."""
    return end if isinstance(end, str) else end.place or end.name


def _if_on(flow: Flow, on: bool | Unknown, part: str) -> Flow:
    """A flow that is needed only with a part of Slurm: without it, nothing is missing."""
    if on is not UNKNOWN:
        return flow
    words = f"whether {flow.cluster} has {part} is not known"
    return replace(flow, proof=Some((flow.proof,), Fact(Verdict.UNKNOWN, words), beside=True))


_SSH: Final = Traffic("tcp", SSH, SSH)


def _traffic_of(system: FileSystem) -> list[Traffic]:
    ports = KINDS[system.kind].ports if system.kind in KINDS else ()
    return [Traffic(each.protocol, each.first, each.last) for each in ports]


def _calls_back(system: FileSystem) -> bool:
    return system.kind in KINDS and KINDS[system.kind].calls_back


def _zones_of_efs(system: FileSystem, nodes: Side) -> list[Fact]:
    """What resolves the name of a file system where it has no mount target: nothing documented."""
    if system.kind != "EFS":
        return []
    missing = system.zones_without(frozenset(place.zone for place in nodes.subnets))
    words = f"{system.name} has no mount target in a zone of {nodes.name}, or it is not known"
    fix = f"give {system.name} a mount target in every zone of {nodes.name}"
    return [Fact(Verdict.UNKNOWN, words, fix=fix)] if missing else []


def _routes_of_fsx(system: FileSystem, nodes: Side) -> list[Fact]:
    """What leads to servers whose address is in no subnet: routes that FSx writes."""
    if system.tables is None:
        return []
    known = all(
        any(same(table, place.table.identity) is Verdict.YES for table in system.tables)
        for place in nodes.subnets
    )
    words = f"into which route tables FSx writes the way to {system.name} is not known"
    return [] if known else [Fact(Verdict.UNKNOWN, words)]
