from __future__ import annotations

from dataclasses import replace
from functools import partial

from pcs_constructs.model.errors import UNKNOWN
from pcs_constructs.model.slurm import SlurmVersion
from pcs_constructs.rules import ImageFacts, NodeGroupFacts, NodeGroupReferenceFacts
from tests.unit.rules.test_rules import advice, errors, row, table

nodes = partial(
    replace,
    NodeGroupFacts(
        name="compute",
        instance_types=("c7i.4xlarge",),
        min=0,
        max=4,
        subnets=1,
        slurm=SlurmVersion.V25_11,
    ),
)
image = partial(
    replace,
    ImageFacts(ami_id="ami-0123456789abcdef0", architectures={"c7i.4xlarge": "x86_64"}),
)
ON_ARM = {"c7g.4xlarge": "arm64"}
reference = partial(replace, NodeGroupReferenceFacts(compute_node_group_id="pcs_1a2b3c"))


def types(*names: str, **others: object) -> NodeGroupFacts:
    return nodes(instance_types=names, **others)


@table(
    row("3 letters", nodes(name="abc")),
    row("25 letters", nodes(name="a" * 25)),
    row("2 letters", nodes(name="ab"), "PCS201"),
    row("26 letters", nodes(name="a" * 26), "PCS201"),
    row("starts with a digit", nodes(name="9bad"), "PCS201"),
    row("underscore", nodes(name="my_nodes"), "PCS201"),
    row("token", nodes(name=UNKNOWN)),
)
def test_a_node_group_name_has_3_to_25_letters_digits_and_hyphens(facts, codes) -> None:
    assert errors(facts) == codes


# c7i.4xlarge: x86_64, 16 vCPUs; c7g.4xlarge: arm64, 16; g5.4xlarge and g6.4xlarge: 16 and 1 GPU;
# g5.16xlarge: 64 and 1 GPU; c6i.8xlarge and inf2.8xlarge: 32, the latter with an accelerator.


@table(
    row("one", types("c7i.4xlarge")),
    row("alike", types("c7i.4xlarge", "c6i.4xlarge", "m7i.4xlarge")),
    row("alike with GPUs", types("g5.4xlarge", "g6.4xlarge")),
    row("architecture", types("c7i.4xlarge", "c7g.4xlarge"), "PCS203"),
    row("vCPUs", types("c7i.4xlarge", "c7i.8xlarge"), "PCS203"),
    row("vCPUs, same GPUs", types("g5.4xlarge", "g5.16xlarge"), "PCS203"),
    row("number of GPUs", types("c7i.4xlarge", "g5.4xlarge"), "PCS203"),
    row("architecture and vCPUs", types("c7i.4xlarge", "c7g.8xlarge"), "PCS203", "PCS203"),
    row("not in the catalogue", types("c7i.4xlarge", "c99x.large")),
    row("none", types(), "PCS205"),
    row("token", nodes(instance_types=UNKNOWN)),
    # Accelerators may differ in number: that is not among what PCS asks for.
    row("accelerators", types("c6i.8xlarge", "inf2.8xlarge")),
)
def test_instance_types_share_architecture_vcpus_and_gpus(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", types("g5.4xlarge", "g6.4xlarge")),
    row("two", types("inf1.6xlarge", "vt1.6xlarge"), "PCS225"),
    row("one and none", types("inf1.6xlarge", "c7i.12xlarge")),
    row("token", nodes(instance_types=UNKNOWN)),
)
def test_accelerators_of_two_makers_are_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("derived", nodes(named=False)),
    row("derived from a token", nodes(named=False, name=UNKNOWN)),
    row("fixed", nodes(named=True), "PCS204"),
)
def test_a_fixed_node_group_name_is_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("two", types("c7i.4xlarge", "c6i.4xlarge")),
    row("twice", types("c7i.4xlarge", "c7i.4xlarge"), "PCS224"),
    row("token", nodes(instance_types=UNKNOWN)),
)
def test_an_instance_type_is_named_once(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", types("c7i.4xlarge")),
    row("none", types(), "PCS205"),
    row("none and no image either", types(default_image=True), "PCS205"),
    row("token", nodes(instance_types=UNKNOWN)),
)
def test_a_node_group_has_an_instance_type(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("one", nodes(subnets=1)),
    row("several", nodes(subnets=3)),
    row("none", nodes(subnets=0), "PCS206"),
    row("token", nodes(subnets=UNKNOWN)),
)
def test_a_node_group_has_a_subnet(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("known", types("c7i.4xlarge")),
    row("newer", types("c7i.4xlarge", "c99x.large"), "PCS207"),
    row("misspelt", types("c7i.4xlagre"), "PCS207"),
    row("in upper case", types("C7I.4XLARGE"), "PCS207"),
    row("two", types("c99x.large", ""), "PCS207", "PCS207"),
    row("none", types()),
    row("token", nodes(instance_types=UNKNOWN)),
)
def test_an_instance_type_that_is_not_in_the_catalogue_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("static", nodes(min=4, max=4)),
    row("static, 1", nodes(min=1, max=1)),
    row("dynamic", nodes(min=0, max=4)),
    row("dynamic, 1", nodes(min=0, max=1)),
    row("mixed", nodes(min=1, max=4), "PCS210"),
    row("the wrong way round", nodes(min=4, max=1), "PCS210"),
    row("0 and 0", nodes(min=0, max=0)),
    row("more than nothing at the most", nodes(min=1, max=0), "PCS210"),
    row("negative minimum", nodes(min=-1, max=4), "PCS210"),
    row("negative maximum", nodes(min=0, max=-1), "PCS210"),
    row("both negative", nodes(min=-1, max=-1), "PCS210"),
    row("token for min", nodes(min=UNKNOWN, max=0)),
    row("token for max", nodes(min=1, max=UNKNOWN)),
)
def test_scaling_is_static_or_dynamic(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("on demand", nodes(login=True, min=1, max=1)),
    row("spot", nodes(login=True, min=1, max=1, purchase_option="SPOT"), "PCS211"),
    row("spot, no login", nodes(purchase_option="SPOT")),
    row("token", nodes(login=True, min=1, max=1, purchase_option=UNKNOWN)),
)
def test_login_nodes_on_spot_are_advised_against(facts, codes) -> None:
    assert advice(facts) == codes


def idle(seconds: object, slurm: object = SlurmVersion.V25_11) -> NodeGroupFacts:
    return nodes(scale_down_idle_seconds=seconds, slurm=slurm)


@table(
    row("left out", idle(None)),
    row("left out, 25.05", idle(None, SlurmVersion.V25_05)),
    row("1 s", idle(1)),
    row("10,000,000 s", idle(10_000_000)),
    row("0 s", idle(0), "PCS212"),
    row("-1 s", idle(-1), "PCS212"),
    row("10,000,001 s", idle(10_000_001), "PCS212"),
    row("25.05", idle(600, SlurmVersion.V25_05), "PCS212"),
    row("25.05 and 0 s", idle(0, SlurmVersion.V25_05), "PCS212", "PCS212"),
    row("token", idle(UNKNOWN)),
    row("token, 25.05", idle(UNKNOWN, SlurmVersion.V25_05), "PCS212"),
    row("version that is a token", idle(600, UNKNOWN)),
    row("version that is a token and 0 s", idle(0, UNKNOWN), "PCS212"),
)
def test_the_idle_time_of_a_node_group_is_in_range_and_needs_slurm_25_11(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("spot", nodes(spot_options=True, purchase_option="SPOT")),
    row("spot without", nodes(spot_options=False, purchase_option="SPOT")),
    row("on demand", nodes(spot_options=True, purchase_option="ONDEMAND"), "PCS213"),
    row("block", nodes(spot_options=True, purchase_option="CAPACITY_BLOCK"), "PCS213"),
    row("token", nodes(spot_options=True, purchase_option=UNKNOWN)),
)
def test_spot_options_go_with_spot(facts, codes) -> None:
    assert errors(facts) == codes


PARAMETER = "{{{{resolve:ssm:/aws/service/pcs/ami/dlami-base-ubuntu2404/{}/latest/ami-id}}}}"
X86_64, ARM64 = PARAMETER.format("x86_64"), PARAMETER.format("arm64")
AL2023_ARM64 = (
    "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64}}"
)


@table(
    row("id", image()),
    row("parameter", image(ami_id=X86_64)),
    row("upper case", image(ami_id="ami-0123456789ABCDEF0"), "PCS214"),
    row("name", image(ami_id="my-image"), "PCS214"),
    row("nothing after the prefix", image(ami_id="ami-"), "PCS214"),
    row("nothing", image(ami_id=""), "PCS214"),
    row("what EC2 resolves, and PCS does not", image(ami_id="resolve:ssm:/my/image"), "PCS214"),
    row("token", image(ami_id=UNKNOWN)),
)
def test_an_image_id_is_an_id(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("x86_64", image(ami_id=X86_64)),
    row("arm64", image(ami_id=ARM64, architectures=ON_ARM)),
    row("arm64 for x86_64", image(ami_id=ARM64), "PCS215"),
    row("x86_64 for arm64", image(ami_id=X86_64, architectures=ON_ARM), "PCS215"),
    row("id", image(architectures=ON_ARM)),
    row(
        "parameter of yours",
        image(ami_id="{{resolve:ssm:/my/x86_64/image}}", architectures=ON_ARM),
    ),
    row("not in the catalogue", image(ami_id=ARM64, architectures={})),
    row("token", image(ami_id=UNKNOWN, architectures=ON_ARM)),
    row("architecture at the end of the path", image(ami_id=AL2023_ARM64), "PCS215"),
)
def test_image_and_instance_types_share_an_architecture(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("id", image()),
    row("parameter", image(ami_id=X86_64, follows_parameter=True), "PCS216"),
    row("token that is a parameter", image(ami_id=UNKNOWN, follows_parameter=True), "PCS216"),
    row("token", image(ami_id=UNKNOWN, follows_parameter=UNKNOWN)),
)
def test_an_image_that_follows_a_parameter_is_worth_a_word(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("1", nodes(login=True, min=1, max=1)),
    row("dynamic", nodes(login=True, min=0, max=1), "PCS217"),
    row("dynamic, no login", nodes(login=False, min=0, max=1)),
    row("token", nodes(login=True, min=UNKNOWN, max=1)),
)
def test_login_nodes_always_run(facts, codes) -> None:
    assert advice(facts) == codes


@table(
    row("known", types("c7i.4xlarge", default_image=True)),
    row("one of two known", types("c99x.large", "c7i.4xlarge", default_image=True)),
    row("not in the catalogue", types("c99x.large", default_image=True), "PCS220"),
    row("not in the catalogue, image given", types("c99x.large")),
    row("token, image given", nodes(instance_types=UNKNOWN)),
    # Unlike elsewhere UNKNOWN is refused: the library itself would have to choose.
    row("token", nodes(instance_types=UNKNOWN, default_image=True), "PCS220"),
)
def test_the_default_image_needs_a_known_architecture(facts, codes) -> None:
    assert errors(facts) == codes


@table(
    row("id", reference(compute_node_group_id="pcs_1a2b3c4d5e")),
    row("name", reference(compute_node_group_id="compute"), "PCS221"),
    row("nothing after the prefix", reference(compute_node_group_id="pcs_"), "PCS221"),
    row("nothing", reference(compute_node_group_id=""), "PCS221"),
    row("token", reference(compute_node_group_id=UNKNOWN)),
)
def test_a_node_group_is_referred_to_by_its_id(facts, codes) -> None:
    assert errors(facts) == codes
