"""A real Slurm agrees with the rules: it starts with what they let pass, not with what they refuse.

What the rules refuse because of AWS PCS alone, Slurm takes; those are not here.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

from pcs_constructs.model import slurm_settings
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.model.slurm_settings import CLUSTER, NODE_GROUP, QUEUE, Scope, names_of_slurm
from pcs_constructs.rules import SettingsFacts, errors_in

if TYPE_CHECKING:
    from tests.services.slurm import Slurm

_GOOD = [
    (
        CLUSTER,
        {
            "DefMemPerCPU": "2048",
            "EnforcePartLimits": "ANY",
            "FairShareDampeningFactor": "2",
            "FirstJobId": "100",
            "HealthCheckInterval": "300",
            "HealthCheckNodeState": "CYCLE,IDLE",
            "JobRequeue": "0",
            "Licenses": "ansys:25,matlab,fluent@flex-1:3,a=0",
            "MetricsType": "metrics/openmetrics",
            "CommunicationParameters": "enable_http",
            "MinJobAge": "300",
            "OverTimeLimit": "UNLIMITED",
            "PreemptExemptTime": "1-12:00:00",
            "PreemptMode": "SUSPEND,GANG",
            "PreemptType": "preempt/partition_prio",
            "PriorityCalcPeriod": "5",
            "PriorityDecayHalfLife": "7-0",
            "PriorityFavorSmall": "no",
            "PriorityMaxAge": "7-00:00:00",
            "PriorityUsageResetPeriod": "MONTHLY",
            "PriorityWeightAge": "1000",
            "SelectTypeParameters": "CR_CPU_Memory",
            "TrackWCKey": "1",
            "UnkillableStepTimeout": "120",
        },
    ),
    (CLUSTER, {"PreemptMode": "GANG"}),
    (CLUSTER, {"PreemptType": "preempt/none", "PreemptMode": "OFF"}),
    (CLUSTER, {"PreemptType": "preempt/qos", "PreemptMode": "CANCEL"}),
    (
        QUEUE,
        {
            "AllowAccounts": "a,b",
            "Default": "YES",
            "DefaultTime": "24:00:00",
            "ExclusiveUser": "true",
            "GraceTime": "120",
            "MaxTime": "1-00:00:00",
            "OverSubscribe": "FORCE:4",
            "OverTimeLimit": "10",
            "PowerDownOnIdle": "no",
            "PreemptMode": "OFF",
            "PriorityJobFactor": "65533",
            "PriorityTier": "65533",
        },
    ),
    (QUEUE, {"OverSubscribe": "EXCLUSIVE", "MaxTime": "UNLIMITED", "DefaultTime": "90"}),
    (NODE_GROUP, {"Features": "a,b", "MemSpecLimit": "100", "RealMemory": "900", "Weight": "0"}),
    (CLUSTER, {"PreemptType": "preempt/qos", "PreemptMode": "REQUEUE,PRIORITY"}),
    (CLUSTER, {"HealthCheckProgram": "/bin/true", "HealthCheckNodeState": "REBOOT_ONLY"}),
    (CLUSTER, {"PrologFlags": "NoHold"}),
    (CLUSTER, {"SelectTypeParameters": "CR_Core_Memory,CR_LLN"}),
]

_BAD = [
    (CLUSTER, {"SelectTypeParameters": "CR_GPU"}, "PCS849"),
    (CLUSTER, {"DefMemPerCPU": "2G"}, "PCS815"),
    (CLUSTER, {"EnforcePartLimits": "maybe"}, "PCS815"),
    (CLUSTER, {"FirstJobId": "first"}, "PCS815"),
    (CLUSTER, {"HealthCheckInterval": "a minute"}, "PCS815"),
    (CLUSTER, {"HealthCheckNodeState": "FOO"}, "PCS815"),
    (CLUSTER, {"FirstJobId": "0"}, "PCS815"),
    (CLUSTER, {"HealthCheckInterval": "99999"}, "PCS837"),
    (CLUSTER, {"JobRequeue": "yes"}, "PCS815"),
    (CLUSTER, {"PreemptType": "preempt/qos", "PreemptMode": "FOO"}, "PCS815"),
    (CLUSTER, {"Prolog": "/p\nFoo=bar"}, "PCS838"),
    (CLUSTER, {"OverTimeLimit": "1:00"}, "PCS815"),
    (CLUSTER, {"PriorityMaxAge": "old"}, "PCS815"),
    (CLUSTER, {"PriorityUsageResetPeriod": "SOMETIMES"}, "PCS815"),
    (CLUSTER, {"TrackWCKey": "maybe"}, "PCS815"),
    (CLUSTER, {"Licenses": "a:1:2"}, "PCS834"),
    (CLUSTER, {"Licenses": "a:-1"}, "PCS834"),
    (CLUSTER, {"PreemptType": "preempt/foo", "PreemptMode": "CANCEL"}, "PCS815"),
    (CLUSTER, {"PreemptType": "preempt/qos", "PreemptMode": "SUSPEND"}, "PCS835"),
    (CLUSTER, {"PreemptType": "preempt/qos"}, "PCS836"),
    (CLUSTER, {"PreemptType": "preempt/qos", "PreemptMode": "OFF"}, "PCS836"),
    (CLUSTER, {"PreemptMode": "REQUEUE"}, "PCS836"),
    (CLUSTER, {"PreemptType": "preempt/none", "PreemptMode": "REQUEUE"}, "PCS836"),
    (CLUSTER, {"Prolog": ""}, "PCS838"),
    (QUEUE, {"AllowAccounts": "a", "DenyAccounts": "b"}, "PCS830"),
    (QUEUE, {"Default": "maybe"}, "PCS815"),
    (QUEUE, {"DefaultTime": "25:00:00", "MaxTime": "1-0"}, "PCS832"),
    (QUEUE, {"ExclusiveUser": "maybe"}, "PCS815"),
    (QUEUE, {"GraceTime": "10:00"}, "PCS815"),
    (QUEUE, {"MaxTime": "24h"}, "PCS815"),
    (QUEUE, {"OverSubscribe": "SOME"}, "PCS815"),
    (QUEUE, {"PreemptMode": "FOO"}, "PCS815"),
    (QUEUE, {"PreemptMode": "GANG"}, "PCS835"),
    (QUEUE, {"PriorityJobFactor": "70000"}, "PCS837"),
    (QUEUE, {"PriorityTier": "-1"}, "PCS815"),
    (QUEUE, {"AllowAccounts": ""}, "PCS838"),
    (NODE_GROUP, {"RealMemory": "64GB"}, "PCS815"),
    (NODE_GROUP, {"Weight": "-1"}, "PCS815"),
    (NODE_GROUP, {"Weight": "5000000000"}, "PCS837"),
]


def _case(value: object) -> str | None:
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items())[:60]
    return value.noun if isinstance(value, Scope) else None


def _codes(scope: Scope, settings: dict[str, str]) -> list[str]:
    facts = SettingsFacts(
        scope=scope, settings=settings, slurm=SlurmVersion.V26_05, accounting=True
    )
    return [problem.code for problem in errors_in(facts)]


def _files(scope: Scope, settings: dict[str, str]) -> dict[str, str]:
    """The files of a small cluster with these settings in one place."""
    of = {
        place.noun: [f"{name}={value}" for name, value in settings.items()]
        if place is scope
        else []
        for place in (CLUSTER, NODE_GROUP, QUEUE)
    }
    memory = [] if "RealMemory" in settings else ["RealMemory=1000"]
    default = [] if "Default" in settings else ["Default=YES"]
    lines = [
        *of[CLUSTER.noun],
        " ".join(["NodeName=n-[1-4] CPUs=4 State=CLOUD", *memory, *of[NODE_GROUP.noun]]),
        " ".join(["PartitionName=a Nodes=ALL", *default, *of[QUEUE.noun]]),
    ]
    empty = dict.fromkeys(("gres.conf", "cgroup.conf", "slurmdbd.conf"), "")
    return {**empty, "slurm.conf": "\n".join(lines) + "\n"}


@pytest.mark.parametrize(("scope", "settings"), _GOOD, ids=_case)
def test_slurm_starts_with_what_the_rules_let_pass(
    slurm: Slurm, scope: Scope, settings: dict[str, str]
) -> None:
    assert _codes(scope, settings) == []
    slurm.write(_files(scope, settings))
    assert slurm.complaints_of_the_controller() == []


@pytest.mark.parametrize(("scope", "settings", "code"), _BAD, ids=_case)
def test_fails_in_slurm_too_on_what_the_rules_refuse(
    slurm: Slurm, scope: Scope, settings: dict[str, str], code: str
) -> None:
    assert _codes(scope, settings) == [code]
    slurm.write(_files(scope, settings))
    assert slurm.complaints_of_the_controller() != []


def test_every_parameter_with_a_form_of_slurm_conf_is_here() -> None:
    tried = {(scope.noun, name) for scope, settings in _GOOD for name in settings}
    formed = {
        (scope.noun, name)
        for scope in (CLUSTER, NODE_GROUP, QUEUE)
        for name in scope.names & slurm_settings.FORMS.keys()
        # The weights are alike, and Sockets has to fit the node.
        if not name.startswith("PriorityWeight") and name != "Sockets"
    }
    assert formed - tried == set()


@pytest.fixture
def manual(slurm: Slurm) -> str:
    """The page on slurm.conf."""
    pages = [*slurm.root.glob("usr/share/man/man5/slurm.conf.5.gz")]
    if not pages:
        pytest.skip("this Slurm came without its manual")
    return gzip.decompress(pages[0].read_bytes()).decode()


def test_the_select_types_are_those_of_the_manual(manual: str) -> None:
    words = re.findall(r"\\fB((?:CR|ENFORCE|LL|MULTIPLE|ONE)_\w+)\\fR", manual)
    assert {word.lower() for word in words} == slurm_settings.SLURM_SELECT_TYPES


def test_the_parameters_of_slurm_conf_are_those_of_its_manual(manual: str) -> None:
    depth, names, before = 0, set[str](), ""
    for line in manual.splitlines():
        depth += line.startswith(".RS") - line.startswith(".RE")
        match = re.match(r"\\fB([A-Z][A-Za-z0-9]+)\\fR", line)
        if match and before.startswith(".TP") and not depth:
            names.add(match[1].lower())
        before = line
    assert names == names_of_slurm()
