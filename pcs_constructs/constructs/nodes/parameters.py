"""The Slurm parameters of one resource, said by arguments of their own or by Slurm's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from aws_cdk import aws_pcs as cfn

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.tokens import is_token, known, known_all
from pcs_constructs.model.errors import UNKNOWN, Unknown
from pcs_constructs.model.slurm import Accounting, Preemption, PreemptMode
from pcs_constructs.model.slurm_settings import CGROUP, CLUSTER, SLURMDBD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import aws_cdk as cdk

    from pcs_constructs.constructs._cdk.arguments import Arguments
    from pcs_constructs.constructs.interfaces import ICluster
    from pcs_constructs.model.instances import InstanceFacts
    from pcs_constructs.model.slurm import SlurmVersion
    from pcs_constructs.model.slurm_settings import Scope

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
        by_argument = {name: str(v) for name, v in (said or {}).items() if v is not None}
        self.arguments = {name: scope.arguments[name] for name in by_argument}
        self._twice = tuple(name for name in by_argument if name in settings)
        self.values = {**settings, **by_argument}

    def known(self) -> dict[str, str | Unknown]:
        """By parameter, its value as far as synthesis can tell; none whose name is a token."""
        return {name: known(value) for name, value in self.values.items() if not is_token(name)}

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


class ClusterParameters:
    """What Slurm and its daemons are told of a cluster; the arguments are those of `Cluster`."""

    def __init__(
        self,
        given: Arguments,
        *,
        slurm_settings: Mapping[str, str] | None,
        slurmdbd_settings: Mapping[str, str] | None,
        cgroup_settings: Mapping[str, str] | None,
        memory_aware: bool,
        default_memory_per_cpu: cdk.Size | None,
        prolog: str | None,
        epilog: str | None,
        licenses: Mapping[str, int] | None,
        preemption: Preemption | None,
        accounting: Accounting | None,
    ) -> None:
        judge_qos(given, accounting)
        self._accounting = accounting if isinstance(accounting, Accounting) else None
        accounting = self._accounting
        mebibytes = given.whole_mebibytes("default_memory_per_cpu", default_memory_per_cpu)
        counts = {
            name: given.number(f"licenses[{name!r}]", count)
            for name, count in given.mapping("licenses", licenses).items()
        }
        self._settings = SlurmParameters(
            CLUSTER,
            given.mapping("slurm_settings", slurm_settings),
            {
                "SelectTypeParameters": "CR_CPU_Memory" if memory_aware else None,
                "DefMemPerCPU": mebibytes,
                "Prolog": prolog,
                "Epilog": epilog,
                "Licenses": ",".join(f"{n}:{count}" for n, count in counts.items()) or None,
                **_preemption(preemption, given),
                "AccountingStorageEnforce": ",".join(what.value for what in accounting.enforce)
                if accounting and accounting.enforce
                else None,
            },
        )
        self._database = SlurmParameters(
            SLURMDBD, given.mapping("slurmdbd_settings", slurmdbd_settings)
        )
        self._cgroup = SlurmParameters(CGROUP, given.mapping("cgroup_settings", cgroup_settings))

    @property
    def settings(self) -> Mapping[str, str]:
        """The parameters of the cluster itself."""
        return self._settings.values

    @property
    def memory_aware(self) -> bool | None:
        """Whether jobs are scheduled by memory too; `None` where a token says."""
        selects = known(self.settings.get("SelectTypeParameters", ""))
        return None if selects is UNKNOWN else "_memory" in selects.lower()

    def facts(self, slurm: SlurmVersion) -> Iterator[object]:
        """What the rules are to judge."""
        for parameters in (self._settings, self._database, self._cgroup):
            if parameters.values:
                yield parameters.facts(slurm, accounting=self._accounting is not None)

    def configuration(
        self, *, rest_api: bool, idle_seconds: int | None
    ) -> cfn.CfnCluster.SlurmConfigurationProperty | None:
        """The property of the cluster."""
        accounting = self._accounting
        said = (self._settings.values, self._database.values, self._cgroup.values)
        if not any((accounting, rest_api, idle_seconds is not None, *said)):
            return None
        return cfn.CfnCluster.SlurmConfigurationProperty(
            accounting=cfn.CfnCluster.AccountingProperty(
                mode="STANDARD", default_purge_time_in_days=accounting.retention_days or -1
            )
            if accounting
            else None,
            scale_down_idle_time_in_seconds=idle_seconds,
            slurm_rest=cfn.CfnCluster.SlurmRestProperty(mode="STANDARD") if rest_api else None,
            slurm_custom_settings=self._settings.properties(
                cfn.CfnCluster.SlurmCustomSettingProperty
            ),
            slurmdbd_custom_settings=self._database.properties(
                cfn.CfnCluster.SlurmdbdCustomSettingProperty
            ),
            cgroup_custom_settings=self._cgroup.properties(
                cfn.CfnCluster.CgroupCustomSettingProperty
            ),
        )


def _preemption(preemption: Preemption | None, given: Arguments) -> dict[str, str | None]:
    """The parameters that say how jobs make room for others."""
    if not isinstance(preemption, Preemption):
        return {}
    # Only Slurm's gang scheduler wakes suspended jobs again.
    mode = preemption.mode.value + (",GANG" if preemption.mode is PreemptMode.SUSPEND else "")
    return {
        "PreemptType": preemption.type,
        "PreemptMode": mode,
        "PreemptExemptTime": given.time("preemption", preemption.exempt_time),
    }


def judge_qos(given: Arguments, accounting: Accounting | None) -> None:
    """The QOS that the accounting names must be single names."""
    if isinstance(accounting, Accounting) and accounting.qos is not None:
        given.joined("accounting", accounting.qos)


def qos_of(accounting: Accounting | None) -> frozenset[str] | None:
    """The QOS that the accounting says there are."""
    if accounting is None or accounting.qos is None:
        return None
    known = known_all(accounting.qos)
    return None if known is UNKNOWN else frozenset(known)


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
            smallest = min((instance.memory_mib for instance in instances.values()), default=0)
            given.values.setdefault("RealMemory", str(smallest * 95 // 100))
        self._node = rules.NodeSettingsFacts(
            settings=given.known(),
            instances=instances,
            memory_aware=UNKNOWN if cluster.memory_aware is None else cluster.memory_aware,
            login=login,
            gpu_type=known(gpu_type),
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
                {name: known(value) for name, value in record.items()} for record in self._records
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
    value = known(cluster.slurm_settings.get("DefMemPerCPU", ""))
    if value is UNKNOWN:
        return UNKNOWN
    return int(value) if value.isdecimal() else None
