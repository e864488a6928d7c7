"""Rules for what only a template can get wrong: a construct writes it right."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.rules import (
    CapacityFacts,
    Choice,
    ClusterFacts,
    InlineCodeFacts,
    InterfaceFacts,
    LaunchTemplateFacts,
    LifecycleActionFacts,
    LustrePortsFacts,
    MetadataFacts,
    NodeGroupFacts,
    ParameterFacts,
    ResourceFacts,
    RoleFacts,
    UserDataFacts,
    Written,
)
from tests.unit.rules.test_rules import advice, errors, row, table

SIZES = ("SMALL", "MEDIUM", "LARGE")
V25_11, V24_05 = SlurmVersion.V25_11, SlurmVersion.of("24.05")

resource = partial(replace, ResourceFacts(noun="queue", choices=(Choice("Size", "SMALL", SIZES),)))
cluster = partial(
    replace, ClusterFacts(name="hpc", named=False, slurm=V25_11, cluster_id="pcs_1a2b3c")
)
nodes = partial(
    replace,
    NodeGroupFacts(
        name="compute", instance_types=("c7i.4xlarge",), min=0, max=4, subnets=1, slurm=V25_11
    ),
)
unknown = nodes(name=UNKNOWN, slurm=UNKNOWN)
template = partial(
    replace,
    LaunchTemplateFacts(
        launch_template_id="lt-0123456789abcdef0",
        version="3",
        key_name="me",
        security_groups=1,
        interfaces=False,
    ),
)
unread = template(version=UNKNOWN, security_groups=UNKNOWN)
block = partial(
    replace,
    CapacityFacts(
        purchase_option="CAPACITY_BLOCK",
        reservation_id="cr-0123456789abcdef0",
        instance_types=("p5.48xlarge",),
        max=4,
        subnets=1,
        template=True,
        market_type="capacity-block",
        template_type="p5.48xlarge",
    ),
)
role = partial(replace, RoleFacts(name="aws-pcs/nodes"))
user_data = partial(replace, UserDataFacts(bytes=100))
TOKEN = (("text/x-shellscript", UNKNOWN),)
SIGNED = "#!/bin/bash\ngpg --verify installer.sig\n"
UNSIGNED = "#!/bin/bash\n# gpg --verify installer.sig\n"


def written(*places: tuple[object, object], efa: bool = True) -> InterfaceFacts:
    return InterfaceFacts(
        instance_types=("hpc7a.96xlarge",),
        efa=True,
        subnets=1,
        public=False,
        written=tuple(Written(card, device, efa) for card, device in places),  # type: ignore[arg-type]
    )


def elsewhere(*, elsewhere: bool) -> InterfaceFacts:
    facts = written((0, 0))
    return replace(facts, written=(replace_interface(facts.written[0], elsewhere),))


def replace_interface(interface: Written, elsewhere: bool) -> Written:
    return interface._replace(elsewhere=elsewhere)


# How resources are written.


@table(
    row("all there", resource()),
    row("two missing", resource(missing=("ClusterId", "Name")), "PCS123", "PCS123"),
    row("not known", resource(choices=(Choice("Size", UNKNOWN, SIZES),))),
)
def test_required_properties_are_there(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one of them", resource()),
    row("other letters", resource(choices=(Choice("Size", "Small", SIZES),)), "PCS124"),
    row("not known", resource(choices=(Choice("Size", UNKNOWN, SIZES),))),
)
def test_values_are_ones_that_there_are(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("a map", resource(tags={"Project": "cfd"})),
    row("a list", resource(listed_tags=True), "PCS125"),
    row("a key of AWS", resource(tags={"aws:x": "y"}), "PCS128"),
    row("201 tags", resource(tags={f"k{i}": "v" for i in range(201)}), "PCS128"),
    row("not known", resource(choices=(Choice("Size", UNKNOWN, SIZES),))),
)
def test_tags_and_lists_are_as_the_api_takes_them(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("a name", resource()),
    row("none", resource(named=False), "PCS127"),
    row("an empty list of settings", resource(empty=("SlurmCustomSettings",)), "PCS126"),
    row("not known", resource(choices=(Choice("Size", UNKNOWN, SIZES),))),
)
def test_names_are_given(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("an ID", resource()),
    row("an ARN", resource(arns=("ClusterId",)), "PCS129"),
    row("not known", resource(choices=(Choice("Size", UNKNOWN, SIZES),))),
)
def test_ids_are_given(facts, codes) -> None:
    assert errors(facts) == codes


# Clusters and node groups.


@table(
    row("one", cluster()),
    row("two subnets", cluster(subnets=2), "PCS120"),
    row("no subnet", cluster(subnets=0), "PCS120"),
    row("no group", cluster(security_groups=0), "PCS121"),
    row("not known", cluster(subnets=UNKNOWN, security_groups=UNKNOWN)),
)
def test_a_cluster_has_one_subnet_and_a_security_group(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("supported", cluster(choices=(V25_11,))),
    row("one that is gone", cluster(choices=(V24_05, V25_11)), "PCS122"),
    row("one that nobody knows", cluster(choices=(SlurmVersion.of("27.05"),))),
    row("not known", cluster(slurm=UNKNOWN)),
)
def test_versions_to_choose_from_are_advised_on(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("all there", nodes()),
    row("no image", nodes(image=False), "PCS230"),
    row("no version", nodes(template_lacks=("Version",)), "PCS231"),
    row("a name", nodes(profile_by_name=True), "PCS232"),
    row("not known", replace(unknown, image=UNKNOWN)),
)
def test_a_node_group_refers_to_what_it_needs(facts, codes) -> None:
    assert errors(facts) == codes


# Launch templates.


@table(
    row("elsewhere", template(version="1")),
    row("here, by attribute", template(version=UNKNOWN, made_here=True)),
    row("here, by number", template(version="1", made_here=True), "PCS640"),
    row("what is ignored", template(ignored=("InstanceType",)), "PCS641"),
)
def test_a_literal_version_of_a_template_made_here_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("right", template()),
    row("names of groups", template(group_names=True), "PCS642"),
    row("groups in two places", template(groups_twice=True), "PCS643"),
    row("interfaces without groups", template(bare_interfaces=(0, 1)), "PCS644", "PCS644"),
    row(
        "groups of the node group beside interfaces",
        template(interfaces=True, on_the_group=("SecurityGroupIds",)),
        "PCS632",
    ),
    row(
        "a key of the node group beside no interfaces",
        template(interfaces=False, on_the_group=("SshKeyName",)),
    ),
    row("beside what is not known", template(on_the_group=("SshKeyName",))),
    row("none, and nobody manages one", template(named=False), "PCS633"),
    row("one that is managed", template(named=False, mode="MANAGED")),
    row("one, and one that is managed", template(mode="MANAGED"), "PCS633"),
    row(
        "one that is managed without an image",
        template(named=False, mode="MANAGED", managed_lacks=("AmiId",)),
        "PCS633",
    ),
    row("a mode that is not known", template(named=False, mode=UNKNOWN)),
    row("not known", unread),
)
def test_a_launch_template_is_one_that_pcs_takes(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("required", MetadataFacts(tokens="required")),
    row("optional", MetadataFacts(tokens="optional"), "PCS645"),
    row("not known", MetadataFacts(tokens=UNKNOWN)),
)
def test_requests_without_a_token_are_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("block", block()),
    row("by ID on demand", block(purchase_option="ONDEMAND")),
    row("by ID as Spot", block(purchase_option="SPOT"), "PCS646"),
    row(
        "by an ID that is not known",
        block(purchase_option="SPOT", reservation_id=UNKNOWN),
        "PCS646",
    ),
    row("no market type", block(market_type=None), "PCS647"),
    row("another market type", block(market_type="spot"), "PCS647"),
    row("no ID", block(reservation_id=None), "PCS647"),
    row("no type", block(template_type=None), "PCS647"),
    row("another type", block(template_type="p5e.48xlarge"), "PCS647"),
    row("a template that is elsewhere", block(template=False, market_type=None)),
    row("not known", block(market_type=UNKNOWN, template_type=UNKNOWN, purchase_option=UNKNOWN)),
)
def test_a_reservation_is_named_where_pcs_looks(facts, codes) -> None:
    assert errors(facts) == codes


# hpc7a.96xlarge has two network cards, both with EFA; p6-b300.48xlarge has none on the first.
_b300 = replace(written((0, 0)), instance_types=("p6-b300.48xlarge",))


@table(
    row("both cards", written((0, 0), (1, 1))),
    row("a third card", written((0, 0), (1, 1), (2, 1)), "PCS611"),
    row("EFA where there is none", _b300, "PCS611"),
    row("no primary", written((1, 1)), "PCS648"),
    row("one place twice", written((0, 0), (1, 1), (1, 1)), "PCS648"),
    row("a card that is not known", written((0, 0), (UNKNOWN, 1))),
)
def test_interfaces_are_on_cards_that_there_are(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("the node group's", elsewhere(elsewhere=False)),
    row("another", elsewhere(elsewhere=True), "PCS649"),
    row("not known", replace(elsewhere(elsewhere=False), subnets=UNKNOWN)),
)
def test_interfaces_are_in_the_subnet_of_their_node_group(facts, codes) -> None:
    assert errors(facts) == codes


# Identity.


@table(
    row("right", role()),
    row("does not register", role(registers=False), "PCS721"),
    row("is not for instances", role(trusts_ec2=False), "PCS722"),
    row("not known", role(registers=UNKNOWN, trusts_ec2=UNKNOWN)),
)
def test_a_role_is_one_that_nodes_can_have(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("right", role()),
    row("reads every bucket", role(reads_everything=True), "PCS723"),
    row("a name of the stack's", role(named_by_stack=True), "PCS724"),
    row("not known", role(name=UNKNOWN)),
)
def test_a_role_that_may_much_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("no default", ParameterFacts(name="Password", secret=True, default=False)),
    row("a default", ParameterFacts(name="Password", secret=True, default=True), "PCS720"),
    row("no secret", ParameterFacts(name="Size", secret=False, default=True)),
)
def test_a_password_with_a_default_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


# User data, code and scripts.


@table(
    row("a message", user_data()),
    row("no base64", user_data(encoded=False), "PCS940"),
    row("a script alone", user_data(multipart=False), "PCS941"),
    row("not known", user_data(parts=TOKEN)),
)
def test_user_data_is_a_message_that_pcs_merges(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("whole", user_data()),
    row("another boundary", user_data(without_parts=("has no line with it",)), "PCS907"),
    row("not known", user_data(parts=TOKEN)),
)
def test_a_message_has_its_boundary(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("whole", user_data()),
    row("no end", user_data(defects=("has no last boundary",)), "PCS942"),
    row("not known", user_data(parts=TOKEN)),
)
def test_a_message_that_is_not_whole_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("verified", user_data(parts=(("text/x-shellscript", SIGNED),))),
    row("commented out", user_data(parts=(("text/x-shellscript", UNSIGNED),)), "PCS943"),
    row("not known", user_data(parts=TOKEN)),
)
def test_a_verification_that_is_commented_out_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("Python", InlineCodeFacts(error=None)),
    row("no Python", InlineCodeFacts(error="'[' was never closed in line 3"), "PCS944"),
    row("not known", InlineCodeFacts(error=UNKNOWN)),
)
def test_code_in_a_template_can_be_read(facts, codes) -> None:
    assert errors(facts) == codes


_ldap = partial(
    replace,
    LifecycleActionFacts(
        name="Directory",
        location="s3://aws-pcs-repo-us-east-1/x.sh",
        maintained="configure-ldaps-v1.0.0.sh",
        arguments=("--ldap-uri", "ldaps://ldap.example.com", "--search-base", "dc=example"),
    ),
)


@table(
    row("a name", _ldap()),
    row("an address", _ldap(arguments=("--ldap-uri", "ldap://10.0.0.5")), "PCS945"),
    row("not known", _ldap(arguments=("--ldap-uri", UNKNOWN))),
)
def test_a_directory_at_an_address_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("all", LustrePortsFacts(ports=((988, 988), (1018, 1023)))),
    row("the old ones", LustrePortsFacts(ports=((988, 988), (1021, 1023))), "PCS580"),
    row("everything", LustrePortsFacts(ports=((0, 65535),))),
    row("not known", LustrePortsFacts(ports=UNKNOWN)),
)
def test_lustre_with_few_ports_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes
