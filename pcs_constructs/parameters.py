"""The Slurm parameters of one resource, said by arguments of their own or by Slurm's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from aws_cdk import aws_pcs as cfn

from pcs_constructs import _cdk, rules
from pcs_constructs.errors import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pcs_constructs.instances import InstanceFacts
    from pcs_constructs.interfaces import ICluster
    from pcs_constructs.slurm import SlurmVersion
    from pcs_constructs.slurm_settings import Scope

P = TypeVar("P")


class SlurmParameters:
    """What is said in one of the places that take parameters.

    Args:
        scope: The place.
        settings: Parameters by Slurm's names.
        said: By parameter, what the argument of its own says; `None` says nothing.
    """

    values: Final[dict[str, str]]
    """By parameter, its value."""

    arguments: Final[Mapping[str, str]]
    """By parameter, the argument of its own that said it."""

    def __init__(
        self,
        scope: Scope,
        settings: Mapping[str, str],
        said: Mapping[str, str | int | None] | None = None,
    ) -> None:
        self._scope = scope
        found = {name: str(v) for name, v in (said or {}).items() if v is not None}
        self.arguments = {name: scope.arguments[name] for name in found}
        self._twice = tuple(name for name in found if name in settings)
        self.values = {**settings, **found}

    def known(self) -> dict[str, str | Unknown]:
        """By parameter, its value as far as synthesis can tell; none whose name is a token."""
        return {
            name: _cdk.known(value)
            for name, value in self.values.items()
            if not _cdk.is_token(name)
        }

    def facts(
        self,
        slurm: SlurmVersion | None,
        *,
        accounting: bool | None,
        qos: frozenset[str] | None = None,
    ) -> rules.SettingsFacts:
        """What the rules are to judge, in a cluster with this version and accounting."""
        return rules.SettingsFacts(
            scope=self._scope,
            settings=self.known(),
            arguments=self.arguments,
            twice=self._twice,
            slurm=slurm or UNKNOWN,
            accounting=UNKNOWN if accounting is None else accounting,
            qos=UNKNOWN if qos is None else qos,
        )

    def properties(self, kind: Callable[..., P]) -> list[P] | None:
        """The list that CloudFormation takes; AWS PCS refuses an empty one."""
        return [
            kind(parameter_name=name, parameter_value=value) for name, value in self.values.items()
        ] or None


class NodeParameters:
    """What Slurm is told of the nodes of one group.

    Args:
        given: What the node group says.
        gres: Its records of `gres.conf`.
        gpu_type: What jobs call its GPUs.
        cluster: Its cluster.
        instances: What is known of its instance types, by name.
        all_known: Whether that is all of them.
        login: Whether people log in there.
    """

    def __init__(
        self,
        given: SlurmParameters,
        *,
        gres: Sequence[Mapping[str, str]],
        gpu_type: str | None,
        cluster: ICluster,
        instances: Mapping[str, InstanceFacts],
        all_known: bool,
        login: bool,
    ) -> None:
        self._cluster = cluster
        self._parameters = given
        self._records = list(gres)
        if not login and cluster.memory_aware and all_known:
            smallest = min((found.memory_mib for found in instances.values()), default=0)
            given.values.setdefault("RealMemory", str(smallest * 95 // 100))
        self._node = rules.NodeSettingsFacts(
            settings=given.known(),
            instances=instances,
            memory_aware=UNKNOWN if cluster.memory_aware is None else cluster.memory_aware,
            login=login,
            gpu_type=_cdk.known(gpu_type),
            default_memory_per_cpu=_default_memory(cluster),
            arguments=given.arguments,
        )
        gpus = next((facts.gpus for facts in instances.values()), 0)
        if gpu_type is not None and gpus and "Gres" not in given.values:
            # The one says what jobs can have and the other what is there; Slurm wants both.
            given.values["Gres"] = f"gpu:{gpu_type}:{gpus}"
            last = "0" if gpus == 1 else f"[0-{gpus - 1}]"
            self._records.append({"Name": "gpu", "Type": gpu_type, "File": f"/dev/nvidia{last}"})

    def facts(self) -> Iterator[object]:
        """What the rules are to judge."""
        cluster = self._cluster
        yield self._node
        yield self._parameters.facts(cluster.slurm, accounting=cluster.accounting)
        yield rules.GresFacts(
            records=tuple(
                {name: _cdk.known(value) for name, value in record.items()}
                for record in self._records
            ),
            settings=self._parameters.known(),
            slurm=cluster.slurm or UNKNOWN,
        )

    def configuration(
        self, idle_seconds: int | None
    ) -> cfn.CfnComputeNodeGroup.SlurmConfigurationProperty | None:
        """The property of the node group."""
        settings = self._parameters.properties(cfn.CfnComputeNodeGroup.SlurmCustomSettingProperty)
        if idle_seconds is None and not settings and not self._records:
            return None
        return cfn.CfnComputeNodeGroup.SlurmConfigurationProperty(
            gres_custom_settings=self._records or None,
            scale_down_idle_time_in_seconds=idle_seconds,
            slurm_custom_settings=settings,
        )


def _default_memory(cluster: ICluster) -> int | Unknown | None:
    """What jobs get in MiB for each processor that ask for no memory, where it can be told."""
    if cluster.slurm_settings is None:
        return UNKNOWN
    value = _cdk.known(cluster.slurm_settings.get("DefMemPerCPU", ""))
    if value is UNKNOWN:
        return UNKNOWN
    return int(value) if value.isdecimal() else None
