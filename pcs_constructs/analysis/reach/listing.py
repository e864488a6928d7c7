"""A judgement as people, programs and drawings have it."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pcs_constructs.analysis.reach.proof import Verdict
from pcs_constructs.templates.printable import in_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pcs_constructs.analysis.reach.flows import Flow
    from pcs_constructs.analysis.reach.proof import Location

# What only connects the others is left out of the table; `--json` has it.
_CONNECTING: Final = {
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
}

_COLOURS: Final = {
    Verdict.YES: "#2e7d32",
    Verdict.UNKNOWN: "#f9a825",
    Verdict.NO: "#c62828",
}


def as_text(flows: Sequence[Flow]) -> str:
    """The judgement as a table, cluster by cluster and caller by caller, with a sum at the end."""
    if not flows:
        return "no cluster with nodes in these templates"
    targets = max(len(flow.target) for flow in flows)
    whats = max(len(flow.what) for flow in flows)
    traffics = max(len(flow.traffic) for flow in flows)
    lines: list[str] = []
    for cluster, of_cluster in groupby(flows, key=lambda flow: flow.cluster):
        lines.append(f"cluster {cluster}")
        by_source: dict[str, list[Flow]] = {}
        for flow in of_cluster:
            by_source.setdefault(flow.source, []).append(flow)
        for source, from_source in by_source.items():
            lines.append(f"  {source} to")
            for flow in from_source:
                row = (
                    f"    {flow.target:<{targets}}  {flow.what:<{whats}}  "
                    f"{flow.traffic:<{traffics}}  {_sentence(flow):<7}  {_by(flow.by)}"
                )
                lines.append(row.rstrip())
                lines += [f"        {flow.given}"] if flow.given else []
                lines += [f"        {reason}" for reason in flow.because]
                lines += [f"        fix: {fix}" for fix in flow.fixes]
        lines.append("")
    counts = Counter((flow.verdict, not flow.sure) for flow in flows)
    said = [f"{counts[each]} {_word(*each).replace(',', '')}" for each in sorted(counts)]
    return in_lines([*lines, f"{len(flows)} flows: {', '.join(said)}"])


def as_data(flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """The judgement for programs, as JSON has it."""
    return [
        {
            "cluster": flow.cluster,
            "source": flow.source,
            "target": flow.target,
            "what": flow.what,
            "traffic": flow.traffic,
            "verdict": _word(flow.verdict, not flow.sure).lower(),
            "if": list(flow.assumes),
            "by": [_location(location) for location in flow.by],
            "given": flow.given,
            "because": list(flow.because),
            "fixes": list(flow.fixes),
        }
        for flow in flows
    ]


def as_mermaid(flows: Iterable[Flow]) -> str:
    """The judgement as a flowchart of Mermaid: an arrow for each pair, as bad as its worst flow."""
    lines = ["flowchart LR"]
    styles: dict[Verdict, list[str]] = {}
    number = 0
    for index, (cluster, of_cluster) in enumerate(groupby(flows, key=lambda flow: flow.cluster)):
        pairs: dict[tuple[str, str], list[Flow]] = {}
        for flow in of_cluster:
            pairs.setdefault((flow.source, flow.target), []).append(flow)
        names = dict.fromkeys(name for pair in pairs for name in pair)
        ids = {name: f"c{index}n{place}" for place, name in enumerate(names)}
        lines.append(f'  subgraph c{index}["{_escaped(cluster)}"]')
        lines += [f'    {ids[name]}["{_escaped(name)}"]' for name in names]
        for (source, target), between in pairs.items():
            worst, sure = min((flow.verdict, flow.sure) for flow in between)
            whats = dict.fromkeys(flow.what for flow in between if flow.verdict is worst)
            prefix = "" if worst is Verdict.YES and sure else f"{_word(worst, not sure)}: "
            arrow = "-->" if worst is Verdict.YES else "-.->"
            label = _escaped(prefix + ", ".join(whats))
            lines.append(f'    {ids[source]} {arrow}|"{label}"| {ids[target]}')
            styles.setdefault(worst, []).append(str(number))
            number += 1
        lines.append("  end")
    for verdict, numbers in sorted(styles.items()):
        lines.append(f"  linkStyle {','.join(numbers)} stroke:{_COLOURS[verdict]}")
    return in_lines(lines)


def _word(verdict: Verdict, conditional: bool) -> str:
    """A verdict, told apart from one that rests on what may be otherwise."""
    word = "NO" if verdict is Verdict.NO else verdict.word
    return f"{word}, if" if conditional else word


def _sentence(flow: Flow) -> str:
    return " ".join((_word(flow.verdict, not flow.sure), " and ".join(flow.assumes))).strip()


def _by(locations: Iterable[Location]) -> str:
    return ", ".join(
        location.name for location in locations if location.resource.type not in _CONNECTING
    )


def _location(location: Location) -> dict[str, str]:
    resource = location.resource
    return {
        "template": resource.resolved.titles[resource.stack.number],
        "logicalId": resource.logical_id,
        "property": location.place,
        "type": resource.type,
    }


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;")
