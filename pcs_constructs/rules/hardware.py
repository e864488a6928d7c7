"""Rules for what Slurm is told of the hardware of nodes: memory, sockets, GPUs."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING

from pcs_constructs.model.errors import UNKNOWN, Unknown, Violation
from pcs_constructs.rules.rule import advice, error, facts_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pcs_constructs.model.instances import InstanceFacts


@facts_record
class NodeSettingsFacts:
    """The Slurm settings of a compute node group, and what is known of its nodes."""

    settings: Mapping[str, str | Unknown] = field(default_factory=dict[str, "str | Unknown"])
    instances: Mapping[str, InstanceFacts] = field(default_factory=dict[str, "InstanceFacts"])
    """What is known of the instance types, by name."""
    memory_aware: bool | Unknown = UNKNOWN
    """Whether the cluster schedules by memory."""
    login: bool = False
    gpu_type: str | Unknown | None = None
    """What jobs are to call the GPUs."""
    default_memory_per_cpu: int | Unknown | None = None
    """What a job gets in MiB for each processor that asks for no memory."""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    """By parameter, the argument that it was said with, where that is not `slurm_settings`."""

    def argument(self, name: str) -> str:
        """The argument that a parameter came with."""
        return self.arguments.get(name, "slurm_settings")

    def number(self, name: str) -> int | None:
        """The value of a setting, where it is known and a whole number."""
        value = self.settings.get(name)
        return int(value) if isinstance(value, str) and value.isdecimal() else None


@error("PCS801", NodeSettingsFacts)
def real_memory_is_there(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`RealMemory` is less than the instance type has.

    Slurm puts a node that registers with less memory than that out of service, and no node
    registers all that its type has: some of it is the firmware's and the kernel's. Of 65,536 MiB
    63,622 were seen. 95 % is what the library sets.

    Source: Custom Slurm settings for compute node groups; `RealMemory` of `slurm.conf`;
    aws-parallelcluster issues 1517 and 2198.
    """
    yield from _memory_from(facts, 1.0)


@advice("PCS850", NodeSettingsFacts)
def real_memory_leaves_some_to_the_system(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`RealMemory` is no more than 97 % of what the instance type has.

    How much of it a node sees differs by type, image and kernel.

    Source: `RealMemory` of `slurm.conf`; aws-parallelcluster issues 1517 and 2198.
    """
    yield from _memory_from(facts, 0.97)


def _memory_from(facts: NodeSettingsFacts, share: float) -> Iterator[Violation]:
    """Where at least so much of the memory is asked for, but not all where less is too much."""
    asked = facts.number("RealMemory")
    for name, instance in facts.instances.items():
        has = instance.memory_mib
        if asked is None or not (asked >= has if share == 1 else share * has < asked < has):
            continue
        yield Violation(
            facts.argument("RealMemory"),
            f"asks for RealMemory={asked} MB, and {name} has {has}, of which a node sees less",
            f"write {has * 95 // 100} or less",
        )


@advice("PCS802", NodeSettingsFacts)
def real_memory_is_in_megabytes(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`RealMemory` counts megabytes, as Slurm does.

    The 2024 user guide said gigabytes; the setting goes to `slurm.conf` as it is, and the newer
    guide refers to Slurm's manual. A number that fits the type's gigabytes is taken for a slip.

    Source: `RealMemory` of `slurm.conf`; Custom Slurm settings for compute node groups.
    """
    asked = facts.number("RealMemory")
    for name, instance in facts.instances.items():
        if asked is not None and asked <= instance.memory_mib / 1024:
            yield Violation(
                facts.argument("RealMemory"),
                f"says RealMemory={asked} MB, less than a thousandth of what {name} has",
                f"write megabytes, such as {instance.memory_mib * 95 // 100}",
            )
            return


@advice("PCS803", NodeSettingsFacts)
def memory_aware_nodes_say_their_memory(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """In a cluster that schedules by memory every node group says how much its nodes have.

    The library writes `RealMemory` for types that it knows. For others nothing is written, and
    Slurm may take a node to have 1 MB, on which no job that asks for memory starts.

    Source: `RealMemory` and `SelectTypeParameters` of `slurm.conf`.
    """
    if facts.memory_aware is True and not facts.login and "RealMemory" not in facts.settings:
        yield Violation(
            "slurm_settings",
            "the cluster schedules by memory, and nothing is known of these nodes' memory",
            'add {"RealMemory": "..."} in MB, or describe the type: '
            "pcs.InstanceFacts.from_description(...)",
            template_fix="add RealMemory, in MB, to SlurmCustomSettings of the node group",
        )


@error("PCS804", NodeSettingsFacts)
def sockets_divide_the_cores(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`Sockets` divides the number of cores.

    AWS PCS sets the cores of each socket, and takes a core for a processor whatever the type's
    number of threads is.

    Source: Configuring hardware topology in AWS PCS.
    """
    sockets = facts.number("Sockets")
    for name, instance in facts.instances.items():
        if sockets is not None and (sockets < 1 or instance.cores % sockets):
            yield Violation(
                "slurm_settings",
                f"has Sockets={sockets}, which does not divide the {instance.cores} cores of "
                f"{name}",
                "write the number of NUMA or L3 cache domains of the type",
            )


@error("PCS805", NodeSettingsFacts)
def cache_domains_are_counted(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`Parameters=l3cache_as_socket` comes with `Sockets`, the number of L3 cache domains.

    AWS PCS cannot know the layout of the caches, on any version of Slurm. An hpc7a.96xlarge has 24.

    Source: Configuring hardware topology in AWS PCS.
    """
    parameters = facts.settings.get("Parameters", "")
    if (
        parameters is not UNKNOWN
        and "l3cache_as_socket" in parameters.replace(" ", "").split(",")
        and "Sockets" not in facts.settings
    ):
        yield Violation(
            "slurm_settings",
            "has Parameters=l3cache_as_socket without Sockets",
            'add {"Sockets": "24"}, with the number of L3 cache domains of the type',
            template_fix="add Sockets, with the number of L3 cache domains of the type",
        )


@error("PCS806", NodeSettingsFacts)
def named_gpus_are_there(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """GPUs that jobs call by a name are there, are NVIDIA's, and are declared once.

    With `gpu_type` the library writes the two records that Slurm wants, `Gres` and the one for
    `gres.conf`, and for that counts the GPUs of the instance type. Without it AWS PCS declares them
    itself, and jobs ask for `gpu`.

    Source: Configuring custom GRES settings in AWS PCS.
    """
    if facts.gpu_type is None:
        return
    if facts.gpu_type is not UNKNOWN and not re.fullmatch(
        r"[A-Za-z0-9][\w.-]*", facts.gpu_type, re.ASCII
    ):
        yield Violation(
            "gpu_type",
            f"{facts.gpu_type!r} is no name",
            "write letters, digits, dots, hyphens and _, such as 'h100'",
        )
    if not facts.instances:
        yield Violation(
            "gpu_type",
            "the number of GPUs is not known",
            "describe the type: pcs.InstanceFacts.from_description(...)",
        )
    for name, instance in facts.instances.items():
        if instance.gpu_manufacturer != "NVIDIA":
            yield Violation(
                "gpu_type", f"{name} has no NVIDIA GPUs", "leave gpu_type out, or choose a GPU type"
            )
    if "Gres" in facts.settings:
        yield Violation("gpu_type", "slurm_settings has Gres as well", "leave one of the two out")


@advice("PCS820", NodeSettingsFacts)
def real_memory_is_scheduled(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """`RealMemory` is set where the cluster schedules by memory.

    Otherwise Slurm still keeps a job that asks for more off the node, but jobs on one node can
    together ask for more than it has, and nothing is set aside for any of them.

    Source: `RealMemory` and `SelectTypeParameters` of `slurm.conf`.
    """
    if facts.memory_aware is False and "RealMemory" in facts.settings:
        yield Violation(
            facts.argument("RealMemory"),
            "has RealMemory, and the cluster does not schedule by memory",
            "give the cluster memory_aware=True, or leave RealMemory out",
            template_fix="set SelectTypeParameters of the cluster to CR_CPU_Memory, or leave "
            "RealMemory out",
        )


@advice("PCS844", NodeSettingsFacts)
def jobs_that_ask_for_no_memory_fit_the_node(facts: NodeSettingsFacts) -> Iterator[Violation]:
    """What jobs get that ask for no memory fits the nodes, for all of their processors.

    AWS PCS takes a core for a processor. A job for the whole node that asks for no memory gets
    `DefMemPerCPU` for each core, and does not start where `RealMemory` is less than that.

    Source: `DefMemPerCPU` of `slurm.conf`; Configuring hardware topology in AWS PCS.
    """
    memory, each = facts.number("RealMemory"), facts.default_memory_per_cpu
    if memory is None or each is None or each is UNKNOWN:
        return
    for name, instance in facts.instances.items():
        if each * instance.cores > memory:
            yield Violation(
                facts.argument("RealMemory"),
                f"{name} has {memory} MB for jobs, and one on all {instance.cores} cores gets "
                f"{each * instance.cores} by default",
                "lower default_memory_per_cpu of the cluster to "
                f"cdk.Size.mebibytes({memory // instance.cores})",
                template_fix=f"lower DefMemPerCPU of the cluster to {memory // instance.cores}, "
                "or raise RealMemory",
            )
