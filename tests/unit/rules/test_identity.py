from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.rules import InstanceProfileFacts, RoleFacts
from tests.unit.rules.test_rules import advice, errors, row, table

ARN = "arn:aws:iam::123456789012:instance-profile/"

role = partial(replace, RoleFacts(name="aws-pcs/nodes"))
profile = partial(replace, InstanceProfileFacts(arn=f"{ARN}aws-pcs/nodes"))


@table(
    row("path", role(name="aws-pcs/nodes")),
    row("path with more before it", role(name="team/aws-pcs/nodes")),
    row("path with more after it", role(name="aws-pcs/team/nodes")),
    row("prefix", role(name="AWSPCS-nodes")),
    row("prefix and another path", role(name="team/AWSPCS-nodes")),
    row("neither", role(name="nodes"), "PCS701"),
    row("nothing", role(name=""), "PCS701"),
    row("prefix in lower case", role(name="awspcs-nodes"), "PCS701"),
    row("prefix of the path", role(name="AWSPCS/nodes"), "PCS701"),
    row("path as a name", role(name="aws-pcs"), "PCS701"),
    row("path with another start", role(name="my-aws-pcs/nodes"), "PCS701"),
    row("token", role(name=UNKNOWN)),
)
def test_a_role_has_the_prefix_or_the_path_that_pcs_accepts(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("64 characters", role(name="AWSPCS" + "x" * 58)),
    row("65 characters", role(name="AWSPCS" + "x" * 59), "PCS703"),
    row("64 characters and a path", role(name="aws-pcs/" + "x" * 64)),
    row("token", role(name=UNKNOWN)),
)
def test_a_role_name_has_at_most_64_characters(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("path", profile(arn=f"{ARN}aws-pcs/nodes")),
    row("no path", profile(arn=f"{ARN}AWSPCS-nodes")),
    row("China", profile(arn=f"{ARN}AWSPCS".replace("aws:", "aws-cn:", 1))),
    row("name of 128", profile(arn=f"{ARN}aws-pcs/{'x' * 128}")),
    row("name of 129", profile(arn=f"{ARN}aws-pcs/{'x' * 129}"), "PCS702"),
    row("name", profile(arn="AWSPCS-nodes"), "PCS702"),
    row("role", profile(arn="arn:aws:iam::123456789012:role/aws-pcs/nodes"), "PCS702"),
    row("account of 11 digits", profile(arn=f"{ARN}AWSPCS".replace("012", "12")), "PCS702"),
    row("nothing", profile(arn=""), "PCS702"),
    row("token", profile(arn=UNKNOWN)),
)
def test_an_instance_profile_is_given_by_its_arn(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("path", profile(arn=f"{ARN}aws-pcs/nodes")),
    row("path with more around it", profile(arn=f"{ARN}team/aws-pcs/x/nodes")),
    row("prefix", profile(arn=f"{ARN}team/AWSPCS-nodes")),
    row("neither", profile(arn=f"{ARN}nodes"), "PCS704"),
    row("path as a name", profile(arn=f"{ARN}aws-pcs"), "PCS704"),
    row("token", profile(arn=UNKNOWN)),
)
def test_an_instance_profile_that_is_named_otherwise_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes
