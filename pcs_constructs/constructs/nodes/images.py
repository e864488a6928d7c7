"""Where the image of nodes comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk

from pcs_constructs.constructs._cdk.once import IMAGE_PARAMETERS, node_of, outermost, stack_of
from pcs_constructs.constructs._cdk.tokens import is_token

if TYPE_CHECKING:
    from constructs import Construct

# A reference to the newest version of an SSM parameter.
_DYNAMIC_REFERENCE: Final = re.compile(r"\{\{resolve:ssm:[^:}]+\}\}")


def image_parameter(scope: Construct, id: str, description: str) -> str:
    """The value of a template parameter for an image, in the stack that is deployed.

    Not of another stack: what a stack exports cannot change while it is in use. A nested stack gets
    its parameters from the stack around it, so that one has to have it.
    """
    stack = outermost(stack_of(scope))
    parameters = IMAGE_PARAMETERS.setdefault(stack, {})
    if id not in parameters:
        try:
            parameter = cdk.CfnParameter(
                stack, id, type="AWS::EC2::Image::Id", description=description
            )
        except RuntimeError:  # jsii's: there is a construct of this id
            parameter = node_of(stack).find_child(id)
            if not isinstance(parameter, cdk.CfnParameter):
                raise
        parameters[id] = parameter.value_as_string
    return parameters[id]


def follows_parameter(scope: Construct, ami_id: str) -> bool:
    """Whether an image ID is the newest value of an SSM parameter."""
    if not is_token(ami_id):
        return _DYNAMIC_REFERENCE.fullmatch(ami_id) is not None
    # What ec2.MachineImage.from_ssm_parameter and the like make: a parameter of the template.
    return "{'Ref': 'SsmParameterValue" in str(cdk.Stack.of(scope).resolve(ami_id))
