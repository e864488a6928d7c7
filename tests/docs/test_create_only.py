"""What replaces a resource is what CloudFormation's schemas say, as cfn-lint has them."""

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from pcs_constructs.analysis.diff.replacement import CREATE_ONLY


@pytest.mark.parametrize("type_", sorted(CREATE_ONLY))
def test_the_create_only_properties_are_those_of_the_schema(type_: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    pointers = {
        pointer.removeprefix("/properties/")
        for kind in ("createOnlyProperties", "conditionalCreateOnlyProperties")
        for pointer in schema.get(kind) or []
    }
    # Of a property and what is in it, the outer one says it all.
    outer = {p for p in pointers if not any(p.startswith(f"{other}/") for other in pointers)}
    assert set(CREATE_ONLY[type_]) == outer
    assert list(CREATE_ONLY[type_]) == sorted(outer)
