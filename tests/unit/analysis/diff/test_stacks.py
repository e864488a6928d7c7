"""What `diff` says where values come by parameters, mappings, conditions and nested stacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pcs_constructs.analysis.diff import Change, Effect, as_text, compare
from pcs_constructs.commands.cli import main
from pcs_constructs.templates import template
from pcs_constructs.templates.scenarios import Given
from pcs_constructs.templates.types import NODE_GROUP, STACK
from tests.unit.analysis.diff.small import (
    NONE,
    SECURITY_GROUP,
    SUBNET,
    cluster,
    group,
    resource,
    small,
)

if TYPE_CHECKING:
    from pathlib import Path


def _env(**parameter: str) -> dict[str, Any]:
    """A parameter that the condition `IsProd` goes by."""
    return {
        "Parameters": {"Env": {"Type": "String", **parameter}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
    }


def _compared(old: dict[str, Any], new: dict[str, Any], **given: Given | None) -> dict[str, Change]:
    found = compare([template.parsed("Hpc", old)], [template.parsed("Hpc", new)], **given)
    return {change.logical_id: change for change in found}


def _reasons(change: Change) -> list[str]:
    return [str(reason) for reason in change.reasons]


def _codes(change: Change) -> list[str | None]:
    return [refusal.code for refusal in change.refusals]


_MOST = {"Most": {"Type": "Number", "Default": 4}}
_PROD = Given(parameters={"Env": "prod"})
_DEV = Given(parameters={"Env": "dev"})


# Mappings and parameters.


def _mapped(most: int) -> dict[str, Any]:
    find = {"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "Most"]}
    sizes = {"dev": {"Most": most}, "prod": {"Most": 4}}
    return small(group(most=find), Mappings={"Sizes": sizes}, **_env(Default="dev"))


def test_fails_when_a_maximum_behind_a_mapping_is_too_much_for_the_size() -> None:
    changes = _compared(_mapped(4), _mapped(40))
    assert _codes(changes["Cluster"]) == ["PCS104"]
    assert changes["Cluster"].refusals[0].fix == "write Size: MEDIUM"
    assert _reasons(changes["Work"]) == ["ScalingConfiguration.MaxInstanceCount: '4' -> '40'"]
    assert _codes(_compared(_mapped(4), _mapped(40), given_new=_PROD)["Cluster"]) == []
    assert _codes(_compared(_mapped(40), _mapped(40))["Cluster"]) == []  # AWS PCS has taken it


def test_a_new_image_that_is_given_replaces_the_nodes() -> None:
    both = small(
        group(AmiId={"Ref": "Image"}), Parameters={"Image": {"Type": "AWS::EC2::Image::Id"}}
    )
    images = [Given(parameters={"Image": image}) for image in ("ami-1", "ami-2")]
    change = _compared(both, both, given_old=images[0], given_new=images[1])["Work"]
    assert change.effect is Effect.NODES_REPLACED
    assert _reasons(change) == ["AmiId: 'ami-1' -> 'ami-2' (as its parameter Image is given)"]
    same = _compared(both, both, given_old=images[0], given_new=images[0])["Work"]
    assert same.effect is Effect.NOTHING


def test_values_are_given_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path in paths:
        path.write_text(json.dumps(small(group(most={"Ref": "Most"}), Parameters=_MOST)))
    called = ["diff", *map(str, paths), "--stack-name", "old.json=hpc", "new.json=hpc"]
    assert main([*called, "--parameters-old", "Most=8", "--parameters-new", "Most=6"]) == 0
    told = "MaxInstanceCount: '8' -> '6' (as its parameter Most is given)"
    assert told in capsys.readouterr().out
    assert main([*called, "--parameters-new", "Most=40"]) == 1
    assert "REFUSED: PCS104" in capsys.readouterr().out
    assert main([*called, "--parameters-new", "Least=4"]) == 2


def test_another_ssm_parameter_to_look_the_image_up_in_is_a_change() -> None:
    kind = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    old, new = (
        small(group(AmiId={"Ref": "Image"}), Parameters={"Image": {"Type": kind, "Default": path}})
        for path in ("/images/1", "/images/2")
    )
    change = _compared(old, new)["Work"]
    assert change.effect is Effect.NODES_REPLACED
    assert "new default of its parameter Image" in _reasons(change)[0]


def test_the_same_text_by_a_substitution_and_by_a_join_is_the_same() -> None:
    old = small(group(Name={"Fn::Sub": "work-${Env}"}), **_env(Default="dev"))
    new = small(group(Name={"Fn::Join": ["-", ["work", {"Ref": "Env"}]]}), **_env())
    assert _compared(old, old)["Work"].effect is Effect.NOTHING
    given = _compared(old, new, given_old=_PROD, given_new=_PROD)
    assert given["Work"].effect is Effect.NOTHING


# Conditions.


def test_a_branch_that_changes_is_told_with_its_condition() -> None:
    old, new = (
        small(group(most={"Fn::If": ["IsProd", most, 4]}), **_env(Default="dev"))
        for most in (20, 10)
    )
    change = _compared(old, new)["Work"]
    assert change.effect is Effect.JOBS_FAIL
    assert _reasons(change) == [
        "ScalingConfiguration.MaxInstanceCount: '20' -> '10' (if IsProd, which is not known)"
    ]
    assert _compared(old, new, given_old=_DEV, given_new=_DEV)["Work"].effect is Effect.NOTHING


def test_a_value_that_becomes_conditional_changes_in_the_other_branch_only() -> None:
    new = small(group(AmiId={"Fn::If": ["IsProd", "ami-1", "ami-2"]}), **_env())
    change = _compared(small(group()), new)["Work"]
    assert _reasons(change) == ["AmiId: 'ami-1' -> 'ami-2' (unless IsProd, which is not known)"]


def test_whole_properties_in_a_branch_are_compared() -> None:
    plain = group()
    both = {**plain, "Properties": {"Fn::If": ["IsProd", plain["Properties"], NONE]}}
    old, new = small(plain, **_env()), small(both, **_env())
    assert _compared(old, new, given_new=_PROD)["Work"].effect is Effect.NOTHING
    assert _compared(old, new)["Work"].effect is Effect.REPLACED


@pytest.mark.parametrize("value", [{"Fn::If": ["IsProd", {"Name": "a"}, 5]}, {"Fn::If": [1, 2, 3]}])
def test_properties_that_are_a_function_are_compared(value: Any) -> None:
    strange = small({"Type": NODE_GROUP, "Properties": value}, **_env())
    plain = small(group())
    assert _compared(strange, strange)["Work"].effect is Effect.NOTHING
    assert as_text(list(_compared(plain, strange).values()))
    assert as_text(list(_compared(strange, plain).values()))


def test_a_condition_that_is_given_takes_a_resource_away() -> None:
    both = small(group("IsProd"), **_env())
    change = _compared(both, both, given_old=_PROD, given_new=_DEV)["Work"]
    assert change.effect is Effect.REMOVED
    assert _reasons(change) == ["Condition: IsProd is defined differently; it goes"]
    created = _compared(both, both, given_old=_DEV, given_new=_PROD)["Work"]
    assert created.effect is Effect.CREATED


def test_what_goes_with_its_cluster_by_one_condition_is_lost() -> None:
    both = small(group(), **_env())
    for one in both["Resources"].values():
        one["Condition"] = "IsProd"
    changes = _compared(both, both, given_old=_PROD, given_new=_DEV)
    assert {change.effect for change in changes.values()} == {Effect.LOST}


def test_alternatives_of_one_name_are_not_refused() -> None:
    new = small(group("IsProd"), **_env())
    new["Conditions"]["IsDev"] = {"Fn::Not": [{"Condition": "IsProd"}]}
    new["Resources"]["Other"] = group("IsDev")
    subnets = [{"Fn::If": [name, SUBNET, NONE]} for name in ("IsProd", "IsDev")]
    networking = {"SubnetIds": subnets, "SecurityGroupIds": [SECURITY_GROUP]}
    new["Resources"]["Cluster"] = cluster(Networking=networking)
    changes = _compared({"Resources": {}}, new)
    assert [change.refusals for change in changes.values()] == [(), (), (), ()]


# The words.


def test_refusals_speak_of_properties() -> None:
    settings = {"SlurmCustomSettings": [{"ParameterName": "QOS", "ParameterValue": "fast"}]}
    old = small(group(), hpc=cluster(SlurmConfiguration={"Accounting": {}}))
    new = small(group(), hpc=cluster(SlurmConfiguration={"Accounting": {}}))
    new["Resources"]["Jobs"]["Properties"]["SlurmConfiguration"] = settings
    (refusal,) = _compared(old, new)["Jobs"].refusals
    assert refusal.code == "PCS810"
    assert refusal.message.startswith("SlurmConfiguration.SlurmCustomSettings[0]: ")
    assert "Accounting" in refusal.fix
    assert "pcs." not in refusal.fix


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"Ref": "Kind"}, "<Kind>"),
        ({"Fn::Select": ["0", {"Ref": "Kinds"}]}, "<Select:0>"),
        ({"Fn::Join": ["", ["c7i.", {"Ref": "Size"}]]}, "c7i.<Size>"),
        ({"Fn::If": ["IsProd", {"Ref": "Kind"}, {"Ref": "Other"}]}, "<Kind> (written"),
    ],
)
def test_a_function_is_shown_and_never_as_json(value: Any, shown: str) -> None:
    new = small(group(InstanceConfigs=[{"InstanceType": value}]), **_env())
    text = as_text(list(_compared(small(group()), new).values()))
    assert f"InstanceConfigs[0].InstanceType: 'c7i.xlarge' -> {shown}" in text
    assert "Fn::" not in text


# Stacks.


def _together(root: dict[str, Any], inner: dict[str, Any]) -> list[template.Template]:
    return template.parsed_together({"Root": root, "Inner": inner})


def _stack(**parameters: Any) -> dict[str, Any]:
    return resource(STACK, TemplateURL="Inner", Parameters=parameters)


def _inner() -> dict[str, Any]:
    work = group(InstanceConfigs=[{"InstanceType": {"Ref": "Kind"}}])
    return {
        **small(work, hpc=cluster(Name={"Ref": "Name"})),
        "Parameters": {"Kind": {"Type": "String"}, "Name": {"Type": "String"}},
    }


def _root(**kinds: str) -> dict[str, Any]:
    return {"Resources": {id_: _stack(Kind=kind, Name=id_) for id_, kind in kinds.items()}}


def _by_cluster(old: dict[str, Any], new: dict[str, Any]) -> dict[tuple[str, str], Effect]:
    found = compare(_together(old, _inner()), _together(new, _inner()))
    return {(change.template, change.logical_id): change.effect for change in found}


def test_each_use_of_a_template_is_a_stack_of_its_own() -> None:
    effects = _by_cluster(
        _root(One="c7i.xlarge", Two="c7i.xlarge"), _root(One="c7i.xlarge", Two="c7a.xlarge")
    )
    assert effects == {
        ("Inner of One", "Cluster"): Effect.NOTHING,
        ("Inner of One", "Work"): Effect.NOTHING,
        ("Inner of One", "Jobs"): Effect.NOTHING,
        ("Inner of Two", "Cluster"): Effect.NOTHING,
        ("Inner of Two", "Work"): Effect.REPLACED,
        ("Inner of Two", "Jobs"): Effect.IN_PLACE,
    }


def test_one_use_that_goes_takes_its_own_with_it() -> None:
    both = _root(One="c7i.xlarge", Two="c7i.xlarge")
    found = compare(_together(both, _inner()), _together(_root(One="c7i.xlarge"), _inner()))
    effects = [(change.cluster, change.effect) for change in found]
    assert (
        effects
        == [("One in Inner", Effect.NOTHING)] * 3 + [("Two in Inner of Two", Effect.LOST)] * 3
    )


def test_another_logical_id_is_another_nested_stack() -> None:
    old, new = (_together(_root(**{name: "c7i.xlarge"}), _inner()) for name in ("One", "Two"))
    effects = {(change.cluster, change.effect) for change in compare(old, new)}
    assert effects == {("One in Inner", Effect.LOST), ("Two in Inner", Effect.CREATED)}


def test_a_condition_of_a_nested_stack_counts_for_all_in_it() -> None:
    new = {**_root(One="c7i.xlarge"), **_env()}
    new["Resources"]["One"]["Condition"] = "IsProd"
    found = compare(_together(_root(One="c7i.xlarge"), _inner()), _together(new, _inner()))
    assert {change.effect for change in found} == {Effect.LOST}
    assert "Condition: nothing -> IsProd" in str(found[0].reasons[0])
    sure = compare(
        _together(_root(One="c7i.xlarge"), _inner()), _together(new, _inner()), given_new=_PROD
    )
    assert {change.effect for change in sure} == {Effect.NOTHING}


def test_a_nested_stack_whose_template_is_not_read_any_more_stays() -> None:
    root = _root(One="c7i.xlarge")
    found = compare(
        _together(root, _inner()), template.parsed_together({"Root": root, "X": {"Resources": {}}})
    )
    assert {change.effect for change in found} == {Effect.NOTHING}
    assert all("deploying leaves its stack" in change.notes[0] for change in found)


def test_fails_when_an_imported_export_changes_that_is_named_after_its_stack() -> None:
    named = {"Fn::Sub": "${AWS::StackName}-Id"}
    nodes = group(ClusterId={"Fn::ImportValue": {"Fn::Sub": "${Of}-Id"}})
    second = {
        "Parameters": {"Of": {"Type": "String", "Default": "First"}},
        "Resources": {"Work": nodes},
    }
    sides: list[list[template.Template]] = []
    for size in ("SMALL", "MEDIUM"):
        first = {
            "Resources": {"Cluster": cluster(Size=size)},
            "Outputs": {
                "Id": {"Value": {"Fn::GetAtt": ["Cluster", "Id"]}, "Export": {"Name": named}}
            },
        }
        sides.append(template.parsed_together({"First": first, "Second": second}))
    found = {change.logical_id: change for change in compare(*sides)}
    assert [found[name].effect for name in ("Cluster", "Work")] == [Effect.LOST, Effect.LOST]
    assert "export 'First-Id' changes" in found["Work"].refusals[-1].message


def test_templates_of_one_name_are_told_apart_by_their_directories(tmp_path: Path) -> None:
    sides: list[list[template.Template]] = []
    for side, size in (("old", "SMALL"), ("new", "LARGE")):
        paths = [tmp_path / side / env / "hpc.yaml" for env in ("dev", "prod")]
        for path in paths:
            path.parent.mkdir(parents=True)
            text = json.dumps(small(group(), hpc=cluster(Size=size)))
            path.write_text(text if "prod" in path.parts else text.replace("LARGE", "SMALL"))
        sides.append(template.read(tmp_path / side))
    found = compare(*sides)
    assert [change.effect for change in found] == [Effect.NOTHING] * 3 + [Effect.LOST] * 3
