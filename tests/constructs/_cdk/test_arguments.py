"""No construct lets `None` through where it is not a default."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

import pcs_constructs as pcs
from tests.constructs.templates import existing_group, existing_vpc, refused

if TYPE_CHECKING:
    import aws_cdk as cdk

CONSTRUCTS = [
    pcs.Cluster,
    pcs.ClusterSecurityGroup,
    pcs.ComputeNodeGroup,
    pcs.EfsStorage,
    pcs.FileCacheStorage,
    pcs.LustreStorage,
    pcs.Network,
    pcs.NodeInstanceProfile,
    pcs.NodeLaunchTemplate,
    pcs.OntapStorage,
    pcs.OpenZfsStorage,
    pcs.Queue,
]


def required(construct: type) -> list[str]:
    """The arguments that may not be `None`."""
    parameters = inspect.signature(construct.__init__).parameters
    return [
        name
        for name, parameter in parameters.items()
        if name not in {"self", "scope", "id"} and "None" not in str(parameter.annotation)
    ]


def sound(construct: type, stack: cdk.Stack) -> dict[str, Any]:
    """Values for the arguments without a default."""
    vpc = existing_vpc(stack)
    values = {
        "vpc": vpc,
        "cluster": pcs.Cluster(stack, "Sound", vpc=vpc),
        "instance_types": ["c7i.xlarge"],
        "scaling": pcs.Scaling.dynamic(max=1),
        "security_groups": [existing_group(stack)],
        "node_groups": [pcs.ComputeNodeGroup.from_compute_node_group_id(stack, "G", "pcs_1a")],
    }
    parameters = inspect.signature(construct.__init__).parameters
    return {name: value for name, value in values.items() if name in parameters}


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda c: c.__name__)
def test_fails_on_none_where_it_is_no_default(construct: Any, stack: cdk.Stack) -> None:
    arguments = sound(construct, stack)
    for name in required(construct):
        with refused(stack):
            construct(stack, "Bad", **{**arguments, name: None})


def test_fails_on_none_where_nothing_is_made() -> None:
    for arguments in ({"host": None, "export": "/x"}, {"host": "10.0.0.5", "export": None}):
        with pytest.raises(pcs.PcsValidationError, match="PCS003"):
            pcs.NfsStorage(**arguments)
