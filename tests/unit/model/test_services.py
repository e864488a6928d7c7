from __future__ import annotations

import pytest

from pcs_constructs.model.services import called, unnamed


@pytest.mark.parametrize(
    ("actions", "policies", "services"),
    [
        pytest.param([], [], set(), id="nothing"),
        pytest.param(["pcs:RegisterComputeNodeGroupInstance"], [], {"pcs"}, id="registering"),
        pytest.param(["cloudwatch:PutMetricData"], [], {"monitoring"}, id="metrics"),
        pytest.param(["s3:GetObject*", "s3:List*"], [], {"s3"}, id="a bucket"),
        pytest.param(["ecr:GetAuthorizationToken"], [], {"ecr.api", "ecr.dkr", "s3"}, id="images"),
        pytest.param(["kms:Decrypt"], [], set(), id="a key is used by other services"),
        pytest.param(["elasticfilesystem:ClientMount"], [], set(), id="mounting is no call"),
        pytest.param(
            ["elasticfilesystem:DescribeMountTargets"], [], {"elasticfilesystem"}, id="asking EFS"
        ),
        pytest.param(["S3:GetObject"], [], {"s3"}, id="capitals"),
        pytest.param(["ElasticFileSystem:clientmount"], [], set(), id="mounting in capitals"),
        pytest.param(["*"], [], set(), id="everything tells nothing"),
        pytest.param(["someservice:Do"], [], set(), id="what is not in the table"),
        pytest.param(
            [], ["AmazonSSMManagedInstanceCore"], {"ssm", "ssmmessages"}, id="Session Manager"
        ),
        pytest.param([], ["CloudWatchAgentServerPolicy"], {"logs", "monitoring"}, id="agent"),
        pytest.param([], ["OfTheirOwn"], set(), id="a policy of their own"),
    ],
)
def test_permissions_tell_which_services_are_called(actions, policies, services) -> None:
    assert called(actions, policies) == services


@pytest.mark.parametrize(
    ("actions", "prefixes"),
    [
        pytest.param(["s3:GetObject", "S3:List*", "ssm:*"], set(), id="in the table"),
        pytest.param(["kinesis:PutRecord", "Batch:SubmitJob"], {"batch", "kinesis"}, id="others"),
        pytest.param(["kms:Decrypt"], set(), id="a key is used by other services"),
        pytest.param(["elasticfilesystem:ClientMount"], set(), id="mounting is no call"),
        pytest.param(["*", "*:Get", "kin*:Put", "${Token[TOKEN.1]}:Do"], set(), id="not told"),
    ],
)
def test_services_whose_endpoints_are_not_known_are_told(actions, prefixes) -> None:
    assert unnamed(actions) == prefixes
