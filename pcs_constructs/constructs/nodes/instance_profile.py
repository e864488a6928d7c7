"""What nodes may do: roles and instance profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.casts import as_role, service_principal
from pcs_constructs.constructs._cdk.problems import advise, refuse
from pcs_constructs.constructs._cdk.tokens import known
from pcs_constructs.constructs.nodes.permissions import role_name
from pcs_constructs.model.annotations import judged
from pcs_constructs.model.errors import PcsValidationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from constructs import IDependable

    from pcs_constructs.constructs.interfaces import INodeInstanceProfile

_REGISTER: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "pcs:RegisterComputeNodeGroupInstance",
            "Resource": "*",
        }
    ],
}


@jsii.implements(iam.IGrantable)
class NodeInstanceProfile(Construct):
    """The instance profile that nodes carry, with a role that AWS PCS accepts.

    Resources:
        An instance profile, and a role unless one is given; both with the path `/aws-pcs/`.

    Security:
        The role may register its instance with AWS PCS, and unless told otherwise it lets Session
        Manager in. Everybody who is on a node, and every job, can do what its role may, because the
        metadata service answers to all: grant little to login nodes. Registering answers, by the
        API's own description, with the cluster's key; and the policy for Session Manager also reads
        every parameter of Systems Manager in the account.

    Args:
        role: A role of yours instead of a new one. Its name must start with `AWSPCS` or its path
            contain `/aws-pcs/`, and EC2 must be trusted by it. What nodes need is added to it.
        session_manager: Whether Session Manager may open sessions on the nodes, through the managed
            policy `AmazonSSMManagedInstanceCore`. By default it may.
        managed_policies: Further managed policies of the role. By default none.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Instance profiles for AWS PCS.
    """

    role: Final[iam.IRole]
    """The role of the nodes."""

    instance_profile_arn: Final[str]
    """The ARN of the instance profile, a token."""

    @staticmethod
    def from_instance_profile_arn(
        scope: Construct, id: str, instance_profile_arn: str, *, role: iam.IRole | None = None
    ) -> INodeInstanceProfile:
        """Use an instance profile that is defined elsewhere.

        Args:
            scope: Where it is referred to.
            id: The id of the reference.
            instance_profile_arn: Its ARN.
            role: Its role, if something is to be granted to the nodes.

        Raises:
            PcsValidationError: PCS702, when this is not the ARN of an instance profile.
        """
        return _ImportedInstanceProfile(scope, id, instance_profile_arn, role)

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        role: iam.IRole | None = None,
        session_manager: bool = True,
        managed_policies: Sequence[iam.IManagedPolicy] = (),
    ) -> None:
        given = Arguments(NodeInstanceProfile.__init__, locals())
        policies = list(given.items("managed_policies", managed_policies))
        problems = list(given.problems)
        if role is not None and not any(problem.argument == "role" for problem in problems):
            problems.extend(rules.errors_in(rules.RoleFacts(name=role_name(role))))
        refuse(scope, id, problems)

        super().__init__(scope, id)
        if session_manager:
            policies.append(
                iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")
            )
        register = iam.PolicyDocument.from_json(_REGISTER)
        added: list[IDependable] = []
        if role is None:
            role = as_role(
                iam.Role(
                    self,
                    "Role",
                    path="/aws-pcs/",
                    assumed_by=service_principal("ec2.amazonaws.com"),
                    managed_policies=policies,
                    inline_policies={"RegisterWithPcs": register},
                )
            )
        else:
            for policy in policies:
                role.add_managed_policy(policy)
            policy = iam.Policy(self, "RegisterWithPcs", document=register)
            role.attach_inline_policy(policy)
            added.append(policy)
        self.role = role
        self._profile = iam.InstanceProfile(self, "Resource", role=role, path="/aws-pcs/")
        self.instance_profile_arn = self._profile.instance_profile_arn
        if added:  # a node that may not register yet is given up
            self._profile.node.add_dependency(*added)

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Whom permissions are granted to: the role of the nodes."""
        return self.role.grant_principal

    @judged
    def grant_before_start(self, grants: Iterable[Callable[[iam.IGrantable], iam.Grant]]) -> None:
        """Grant what a node needs as soon as it starts, such as mounting: the profile waits for it.

        Args:
            grants: What grants it, such as `bucket.grant_read`.
        """
        for grant in grants:
            grant(self).apply_before(self._profile)


@jsii.implements(iam.IGrantable)
class _ImportedInstanceProfile(Construct):
    instance_profile_arn: Final[str]

    def __init__(
        self, scope: Construct, id: str, instance_profile_arn: str, role: iam.IRole | None
    ) -> None:
        given = Arguments(_ImportedInstanceProfile.__init__, locals())
        refuse(scope, id, given.problems)
        facts = rules.InstanceProfileFacts(arn=known(instance_profile_arn))
        refuse(scope, id, rules.errors_in(facts))
        super().__init__(scope, id)
        self.instance_profile_arn = instance_profile_arn
        self._role = role
        advise(self, rules.advice_on(facts))

    @property
    def grant_principal(self) -> iam.IPrincipal:
        if self._role is None:
            raise grant_without_role(self)
        return self._role.grant_principal


def grant_without_role(scope: Construct) -> PcsValidationError:
    """What to raise when something is granted to nodes whose role is not known."""
    return PcsValidationError(
        scope.node.path,
        [
            Problem(
                code="PCS705",
                argument="role",
                message="something is granted to an imported profile without its role",
                fix="pass role= to NodeInstanceProfile.from_instance_profile_arn",
            )
        ],
    )
