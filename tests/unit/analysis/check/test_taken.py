"""What AWS takes is no error, and what it refuses is one: as its models and guides of today say."""

from __future__ import annotations

import pytest

from tests.unit.analysis.check.checked import CLUSTER, LAUNCH, NODES, QUEUE, codes

_GROUPS = "        SecurityGroupIds: [sg-0a1b2c3d]\n"
_INTERFACE = """        NetworkInterfaces:
          - {DeviceIndex: 0, Groups: [sg-0a1b2c3d]}
"""


def _in_template(text: str, *, groups: str = _GROUPS, nodes: str = NODES) -> str:
    return CLUSTER + nodes + LAUNCH.replace(_GROUPS, groups + text) + QUEUE


def _of_nodes(text: str) -> str:
    return NODES.rstrip("\n") + f"\n      {text}\n"


def _user_data(text: str) -> str:
    lines = "".join(f"            {line}\n" for line in text.splitlines())
    return _in_template(f"        UserData:\n          Fn::Base64: |\n{lines}")


_RESERVATION = (
    "        CapacityReservationSpecification:\n"
    "          CapacityReservationTarget: {CapacityReservationId: cr-0123456789abcdef0}\n"
)
_MESSAGE = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==B=="

--==B==
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
true

--==B=="""


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(
            _in_template(_RESERVATION, nodes=_of_nodes("PurchaseOption: ONDEMAND")),
            [],
            id="a reservation by its ID, On-Demand",
        ),
        pytest.param(
            _in_template(_RESERVATION, nodes=_of_nodes("PurchaseOption: SPOT")),
            ["PCS646"],
            id="a reservation, as Spot",
        ),
        pytest.param(
            _in_template(
                "        ImageId: ami-0123456789abcdef0\n",
                groups="",
                nodes=_of_nodes("SecurityGroupIds: [sg-0a1b2c3d]"),
            ),
            [],
            id="groups of the node group, and none in the template",
        ),
        pytest.param(
            _in_template(_INTERFACE, groups="", nodes=_of_nodes("SecurityGroupIds: [sg-0a1b2c3d]")),
            ["PCS632"],
            id="groups of the node group beside interfaces",
        ),
        pytest.param(
            _in_template(_INTERFACE, groups="", nodes=_of_nodes("SshKeyName: mine")),
            ["PCS632"],
            id="a key of the node group beside interfaces",
        ),
        pytest.param(_in_template("        InstanceType: c7i.4xlarge\n"), [], id="its own type"),
        pytest.param(
            _in_template("        InstanceType: c7i.8xlarge\n"), ["PCS641"], id="another type"
        ),
        pytest.param(
            _in_template("        DisableApiTermination: false\n"), [], id="no protection, as ever"
        ),
        pytest.param(
            _in_template("        DisableApiTermination: true\n"), ["PCS641"], id="protection"
        ),
        pytest.param(
            _in_template("        HibernationOptions: {Configured: false}\n"),
            [],
            id="no hibernation, as ever",
        ),
        pytest.param(_user_data(_MESSAGE + "--"), [], id="a whole message"),
        pytest.param(_user_data(_MESSAGE), ["PCS942"], id="a last boundary without its end"),
        pytest.param(
            _user_data(_MESSAGE.replace("--==B==", "--==A==")),
            ["PCS907"],
            id="another boundary than the one that is named",
        ),
    ],
)
def test_it_is_judged_as_aws_does(resources: str, found: list[str]) -> None:
    assert codes(resources) == found
