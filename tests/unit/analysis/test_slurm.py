from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis import slurm
from pcs_constructs.templates import template

if TYPE_CHECKING:
    from pathlib import Path

    from pcs_constructs.analysis.slurm import Configuration


def _settings(**settings: Any) -> list[dict[str, Any]]:
    return [{"ParameterName": name, "ParameterValue": value} for name, value in settings.items()]


def _cluster(**slurm: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::PCS::Cluster",
        "Properties": {
            "Name": "hpc",
            "Size": "SMALL",
            "Scheduler": {"Type": "SLURM", "Version": "25.11"},
            "SlurmConfiguration": slurm,
        },
    }


def _group(
    name: Any = "train",
    *,
    least: Any = 0,
    most: Any = 16,
    types: Any = ("c7i.4xlarge",),
    cluster: Any = None,
    slurm: Any = None,
) -> dict[str, Any]:
    return {
        "Type": "AWS::PCS::ComputeNodeGroup",
        "Properties": {
            "ClusterId": cluster or {"Fn::GetAtt": ["Cluster", "Id"]},
            "Name": name,
            "InstanceConfigs": [{"InstanceType": type_} for type_ in types],
            "ScalingConfiguration": {"MinInstanceCount": least, "MaxInstanceCount": most},
            "SlurmConfiguration": slurm or {},
        },
    }


def _queue(*groups: Any, name: Any = "jobs", cluster: Any = None, slurm: Any = None) -> Any:
    return {
        "Type": "AWS::PCS::Queue",
        "Properties": {
            "ClusterId": cluster or {"Fn::GetAtt": ["Cluster", "Id"]},
            "Name": name,
            "ComputeNodeGroupConfigurations": [
                {
                    "ComputeNodeGroupId": {"Fn::GetAtt": [group, "Id"]}
                    if isinstance(group, str) and not group.startswith("pcs_")
                    else group
                }
                for group in groups
            ],
            "SlurmConfiguration": slurm or {},
        },
    }


def _of(resources: dict[str, Any], **content: Any) -> Configuration:
    (found,) = slurm.configurations([template.parsed("Stack", {"Resources": resources, **content})])
    return found


def _lines(resources: dict[str, Any], file: str = "slurm.conf", **content: Any) -> list[str]:
    return [line for line in _of(resources, **content).lines[file] if not line.startswith("#")]


def _node(group: dict[str, Any], **content: Any) -> str:
    lines = _lines({"Cluster": _cluster(), "Group": group}, **content)
    (line,) = (line for line in lines if line.startswith("NodeName"))
    return line


def test_the_first_line_says_that_this_is_not_the_whole_file() -> None:
    found = _of({"Cluster": _cluster()})
    assert found.text("slurm.conf").splitlines()[0] == (
        "# slurm.conf of cluster hpc of Stack: only what settings in templates say"
    )


def test_comments_say_the_version_and_the_size() -> None:
    assert _of({"Cluster": _cluster()}).lines["slurm.conf"][0] == "# Slurm 25.11, SMALL"


def test_settings_of_the_cluster_are_lines_in_their_order() -> None:
    settings = _settings(SelectTypeParameters="CR_CPU_Memory", DefMemPerCPU="4000")
    assert _lines({"Cluster": _cluster(SlurmCustomSettings=settings)}) == [
        "SelectTypeParameters=CR_CPU_Memory",
        "DefMemPerCPU=4000",
    ]


def test_the_idle_time_is_suspend_time() -> None:
    assert _lines({"Cluster": _cluster(ScaleDownIdleTimeInSeconds=300)}) == ["SuspendTime=300"]


def test_without_an_idle_time_a_comment_has_the_default() -> None:
    lines = _of({"Cluster": _cluster()}).lines["slurm.conf"]
    assert "# SuspendTime=600 is the default of AWS PCS" in lines


def test_a_node_group_is_a_line_with_the_names_that_pcs_gives_nodes() -> None:
    assert _node(_group(most=16)) == "NodeName=train-[1-16] CPUs=8 State=CLOUD"


def test_a_single_node_has_no_range() -> None:
    assert _node(_group(most=1)).startswith("NodeName=train-1 ")


@pytest.mark.parametrize(
    ("types", "cpus"),
    [
        (("p5.48xlarge",), "CPUs=96"),  # of 192 threads
        (("hpc7g.16xlarge",), "CPUs=64"),
        (("g6.4xlarge", "g5.4xlarge"), "CPUs=8"),
        (("c99.large",), None),
        (("c7i.4xlarge", "c99.large"), None),
        (("c7i.4xlarge", "c7i.8xlarge"), None),
        (({"Ref": "Type"},), None),
    ],
)
def test_cpus_are_the_cores_of_types_that_are_known(types: Any, cpus: str | None) -> None:
    found = [word for word in _node(_group(types=types)).split() if word.startswith("CPUs")]
    assert found == ([cpus] if cpus else [])


def test_a_comment_says_where_cpus_are_not_known() -> None:
    lines = _of({"Cluster": _cluster(), "Group": _group(types=["c99.large"])}).lines["slurm.conf"]
    (about,) = (line for line in lines if line.startswith("# train:"))
    assert "c99.large" in about
    assert "CPUs as AWS PCS finds them" in about


def test_settings_of_a_node_group_stand_on_its_line() -> None:
    settings = _settings(RealMemory="30000", Features="fast,x86", Weight="5", Gres="gpu:h100:8")
    assert _node(_group(slurm={"SlurmCustomSettings": settings})) == (
        "NodeName=train-[1-16] CPUs=8 RealMemory=30000 Features=fast,x86 Weight=5 Gres=gpu:h100:8 "
        "State=CLOUD"
    )


def test_sockets_come_with_the_cores_that_pcs_adds() -> None:
    settings = {"SlurmCustomSettings": _settings(Sockets="24")}
    line = _node(_group(types=["hpc7a.96xlarge"], slurm=settings))
    assert "CPUs=192 Sockets=24 CoresPerSocket=8 " in line


def test_the_idle_time_of_a_node_group_stands_on_its_line() -> None:
    line = _node(_group(slurm={"ScaleDownIdleTimeInSeconds": 120}))
    assert " SuspendTime=120 " in line


def test_a_node_group_without_nodes_has_no_line() -> None:
    group, queue = _group(most=0), _queue("Group")
    assert _lines({"Cluster": _cluster(), "Group": group, "Queue": queue})[-1] == (
        "PartitionName=jobs"
    )


def test_a_queue_is_a_partition_of_its_node_groups_in_its_order() -> None:
    lines = _lines(
        {
            "Cluster": _cluster(),
            "A": _group("a", most=4),
            "B": _group("b", most=8),
            "Queue": _queue(
                "B", "A", slurm={"SlurmCustomSettings": _settings(Default="YES", MaxTime="60")}
            ),
        }
    )
    assert lines[-1] == "PartitionName=jobs Nodes=b-[1-8],a-[1-4] Default=YES MaxTime=60"


def test_nodes_that_no_queue_names_are_in_no_partition() -> None:
    found = _of({"Cluster": _cluster(), "A": _group("a"), "B": _group("b"), "Queue": _queue("A")})
    about = {line[:4]: line for line in found.lines["slurm.conf"] if line.startswith("# ")}
    assert "in no partition" not in about["# a:"]
    assert "in no partition" in about["# b:"]


def test_gres_records_get_the_names_of_the_nodes() -> None:
    record = {"Name": "gpu", "Type": "h100", "File": "/dev/nvidia[0-7]"}
    group = _group(types=["p5.48xlarge"], slurm={"GresCustomSettings": [record]})
    assert _of({"Cluster": _cluster(), "Group": group}).lines["gres.conf"] == (
        "NodeName=train-[1-16] Name=gpu Type=h100 File=/dev/nvidia[0-7]",
    )


@pytest.mark.parametrize("records", [[], [{"Name": "tool", "Count": "2"}]])
def test_a_comment_says_that_pcs_adds_the_record_of_gpus(records: Any) -> None:
    group = _group(types=["p5.48xlarge"], slurm={"GresCustomSettings": records})
    assert _of({"Cluster": _cluster(), "Group": group}).lines["gres.conf"][-1] == (
        "# NodeName=train-[1-16] Name=gpu: AWS PCS adds the record; GPUs a node: 8"
    )


def test_settings_of_cgroups_are_lines() -> None:
    settings = _settings(ConstrainCores="yes", AllowedRAMSpace="95")
    assert _lines({"Cluster": _cluster(CgroupCustomSettings=settings)}, "cgroup.conf") == [
        "ConstrainCores=yes",
        "AllowedRAMSpace=95",
    ]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (-1, "# purge times: records are kept as long as the cluster"),
        (None, "# purge times: records are kept as long as the cluster"),
        (90, "# purge times that are not below: 90 days"),
        ({"Ref": "Days"}, "# purge times that are not below: <Days> days"),
    ],
)
def test_the_accounting_database_says_how_long_it_keeps_records(days: Any, said: str) -> None:
    cluster = _cluster(
        Accounting={"Mode": "STANDARD", "DefaultPurgeTimeInDays": days},
        SlurmdbdCustomSettings=_settings(PurgeJobAfter="30days"),
    )
    assert _of({"Cluster": cluster}).lines["slurmdbd.conf"] == (said, "PurgeJobAfter=30days")


def test_files_that_nothing_is_set_in_have_no_lines() -> None:
    found = _of({"Cluster": _cluster(Accounting={"Mode": "NONE"})})
    assert {file for file in slurm.FILES if found.lines[file]} == {"slurm.conf"}


def test_accounting_and_the_rest_api_are_comments() -> None:
    cluster = _cluster(Accounting={"Mode": "STANDARD"}, SlurmRest={"Mode": "STANDARD"})
    lines = _of({"Cluster": cluster}).lines["slurm.conf"]
    assert {"# accounting: STANDARD", "# slurmrestd: STANDARD"} <= set(lines)


# What only CloudFormation knows.


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"Ref": "Tier"}, "<Tier>"),
        ({"Fn::GetAtt": ["Lookup", "Tier"]}, "<Lookup.Tier>"),
        ({"Fn::If": ["Big", "1", "2"]}, "<If:Big>"),
        ({"Fn::ImportValue": "Net-Tier"}, "<ImportValue:Net-Tier>"),
        ({"Fn::Join": [",", ["a", {"Ref": "Tier"}]]}, "a,<Tier>"),
        ({"Fn::Sub": "a-${Tier}"}, "a-<Tier>"),
        ("{{resolve:ssm:/tier}}", "{{resolve:ssm:/tier}}"),
    ],
)
def test_a_value_that_is_not_known_is_a_placeholder(value: Any, shown: str) -> None:
    settings = _settings(Features=value)
    assert f" Features={shown} " in _node(_group(slurm={"SlurmCustomSettings": settings}))


def test_names_and_counts_that_are_not_known_are_placeholders() -> None:
    assert _node(_group({"Ref": "Name"}, most={"Ref": "Max"})).startswith(
        "NodeName=<Name>-[1-<Max>] "
    )


def test_a_default_of_a_parameter_is_known() -> None:
    parameters = {"Max": {"Type": "Number", "Default": 4}}
    line = _node(_group(most={"Ref": "Max"}), Parameters=parameters)
    assert line.startswith("NodeName=train-[1-4] ")


def test_a_name_that_cloudformation_makes_up_is_the_logical_id() -> None:
    assert _node(_group(None)).startswith("NodeName=<Group>-[1-16] ")


_WHEN_BIG = {"Fn::If": ["Big", [], {"Ref": "AWS::NoValue"}]}


@pytest.mark.parametrize(
    "slurm",
    [
        {"Fn::If": ["Big", {"SlurmCustomSettings": [{}]}, {"Ref": "AWS::NoValue"}]},
        {"SlurmCustomSettings": _WHEN_BIG},
        {"SlurmCustomSettings": [_WHEN_BIG]},
    ],
)
def test_settings_that_are_not_known_are_never_dropped(slurm: Any) -> None:
    cluster = _cluster()
    cluster["Properties"]["SlurmConfiguration"] = slurm
    group, queue = _group(slurm=slurm), _queue("Group", slurm=slurm)
    lines = _of({"Cluster": cluster, "Group": group, "Queue": queue}).lines["slurm.conf"]
    assert "# <If:Big>: settings that only CloudFormation knows" in lines
    assert "NodeName=train-[1-16] CPUs=8 <If:Big> State=CLOUD" in lines
    assert lines[-1] == "PartitionName=jobs Nodes=train-[1-16] <If:Big>"


def test_no_value_is_nothing() -> None:
    slurm = {"SlurmCustomSettings": {"Ref": "AWS::NoValue"}}
    assert _node(_group(slurm=slurm)) == "NodeName=train-[1-16] CPUs=8 State=CLOUD"


def test_a_value_cannot_start_a_line_of_its_own() -> None:
    settings = _settings(Prolog="/a b\nPartitionName=x")
    assert _lines({"Cluster": _cluster(SlurmCustomSettings=settings)}) == [
        'Prolog="/a b\\nPartitionName=x"'
    ]


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"Fn::Equals": [{"Ref": "P"}, "a"]}, "only if Big"),
        ({"Fn::Equals": ["b", "a"]}, "only if Big, which does not hold"),
        ({"Fn::Equals": ["a", "a"]}, None),
    ],
)
def test_what_has_a_condition_is_marked(definition: Any, said: str | None) -> None:
    group = _group(types=["p5.48xlarge"], slurm={"GresCustomSettings": [{"Name": "gpu"}]})
    parts = {"Cluster": _cluster(), "Group": group, "Queue": _queue("Group")}
    resources = {name: {**part, "Condition": "Big"} for name, part in parts.items()}
    lines = _of(resources, Conditions={"Big": definition}).lines
    both = [line for file in ("slurm.conf", "gres.conf") for line in lines[file]]
    marked = [line for line in both if "only if" in line]
    expected = (f"# {said}", f"# train: p5.48xlarge, {said}, 0 to 16 nodes",
                f"# jobs: {said}", f"# train: {said}")  # fmt: skip
    assert marked == (list(expected) if said else [])


@pytest.mark.parametrize(
    ("strange", "shown"),
    [(5, "<5>"), ([["a"]], '<["a"]>'), ([5], "<5>"), ([None], "<null>"), ("text", '<"text">')],
)
def test_what_is_no_setting_is_a_placeholder(strange: Any, shown: str) -> None:
    slurm = {"SlurmCustomSettings": strange, "GresCustomSettings": strange}
    lines = _of({"Cluster": _cluster(**slurm), "Group": _group(slurm=slurm)}).lines
    assert f"# {shown}: settings that only CloudFormation knows" in lines["slurm.conf"]
    assert f"NodeName=train-[1-16] CPUs=8 {shown} State=CLOUD" in lines["slurm.conf"]
    assert lines["gres.conf"][0].startswith(f"# NodeName=train-[1-16] {shown}")


def test_whole_floats_are_whole_numbers() -> None:
    assert _node(_group(most=4.0)).startswith("NodeName=train-[1-4] ")


# Which cluster it is.


def test_another_template_refers_to_the_cluster_by_its_export(tmp_path: Path) -> None:
    here: Any = {"Fn::ImportValue": "Cluster-Id"}
    exported = {"Value": {"Fn::GetAtt": ["Cluster", "Id"]}, "Export": {"Name": "Cluster-Id"}}
    stacks = {
        "Nodes": {"Resources": {"G": _group(cluster=here), "Queue": _queue("G", cluster=here)}},
        "Base": {"Resources": {"Cluster": _cluster()}, "Outputs": {"Id": exported}},
    }
    for name, content in stacks.items():
        (tmp_path / f"{name}.template.json").write_text(json.dumps(content), encoding="utf-8")
    (found,) = slurm.configurations(template.read(tmp_path))
    assert (found.cluster, found.template) == ("hpc", "Base")
    assert found.lines["slurm.conf"][-1] == "PartitionName=jobs Nodes=train-[1-16]"


def test_a_cluster_that_is_not_in_the_templates_is_shown_under_its_id() -> None:
    own, other = _group("own"), _group("other", cluster="pcs_1a2b3c")
    content = {"Resources": {"Other": other, "Group": own, "Cluster": _cluster()}}
    first, second = slurm.configurations([template.parsed("Stack", content)])
    assert first.cluster == "hpc"
    assert (second.cluster, second.template) == ("pcs_1a2b3c", None)
    assert "cluster pcs_1a2b3c (not in these templates)" in second.text("slurm.conf")
    assert second.lines["slurm.conf"][-1].startswith("NodeName=other-[1-16] ")


def test_a_node_group_that_is_not_in_the_templates_is_a_placeholder() -> None:
    lines = _of({"Cluster": _cluster(), "Queue": _queue("pcs_abc", {"Ref": "Group"})}).lines
    assert lines["slurm.conf"][-1] == "PartitionName=jobs Nodes=<pcs_abc>,<Group>"


def test_directories_of_clusters_differ_and_are_plain_names() -> None:
    both = [
        slurm.Configuration(cluster=name, template=stack, lines={})
        for name, stack in (("hpc", "A"), ("hpc", "B"), ("<ImportValue:x/y>", None))
    ]
    assert [found.directory for found in both] == ["A.hpc", "B.hpc", "ImportValue-x-y"]


def test_the_order_is_that_of_the_template() -> None:
    groups = {name: _group(name) for name in ("z", "a", "m")}
    lines = _lines({**groups, "Cluster": _cluster()})
    assert [line.split("-")[0] for line in lines if line] == [
        "NodeName=z", "NodeName=a", "NodeName=m",
    ]  # fmt: skip


def test_a_template_without_pcs_has_no_configuration() -> None:
    content = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
    assert slurm.configurations([template.parsed("Stack", content)]) == []
