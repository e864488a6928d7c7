"""Capacity that is reserved, and the role that buying Spot needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_resourcegroups as resourcegroups
from constructs import Construct

from pcs_constructs import rules
from pcs_constructs.constructs._cdk.arguments import Arguments
from pcs_constructs.constructs._cdk.problems import refuse
from pcs_constructs.constructs._cdk.tokens import known

if TYPE_CHECKING:
    from collections.abc import Sequence


class CapacityReservationGroup(Construct):
    """A group of targeted On-Demand Capacity Reservations, which `Capacity.reserved` takes.

    AWS PCS takes On-Demand reservations only out of such a group. Several node groups can share it.

    Resources:
        A resource group.

    Security:
        Whoever may run instances in the account may use the reservations in it.

    Args:
        reservation_ids: The IDs of Capacity Reservations of this account and Region, such as
            `["cr-0123456789abcdef0"]`. They must be targeted, not open.

    Raises:
        PcsValidationError: when an argument is not what it takes; every problem at once.

    Source: Using ODCRs with AWS PCS; Capacity Reservation groups in the Amazon EC2 User Guide.
    """

    reservation_group_arn: Final[str]
    """The ARN of the group, a token: pass it to `Capacity.reserved`."""

    def __init__(self, scope: Construct, id: str, *, reservation_ids: Sequence[str]) -> None:
        given = Arguments(CapacityReservationGroup.__init__, locals())
        ids = given.items("reservation_ids", reservation_ids)
        refuse(scope, id, given.problems)
        facts = [rules.CapacityFacts(reservation_id=known(one)) for one in ids]
        refuse(scope, id, rules.errors_in(*facts))

        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        resource = resourcegroups.CfnGroup(
            self,
            "Resource",
            name=cdk.Names.unique_resource_name(
                self, max_length=128, allowed_special_characters="-"
            ),
            description="Capacity Reservations for AWS PCS",
            configuration=[
                resourcegroups.CfnGroup.ConfigurationItemProperty(
                    type="AWS::EC2::CapacityReservationPool"
                ),
                resourcegroups.CfnGroup.ConfigurationItemProperty(
                    type="AWS::ResourceGroups::Generic",
                    parameters=[
                        resourcegroups.CfnGroup.ConfigurationParameterProperty(
                            name="allowed-resource-types",
                            values=["AWS::EC2::CapacityReservation"],
                        )
                    ],
                ),
            ],
            resources=[
                stack.format_arn(service="ec2", resource="capacity-reservation", resource_name=one)
                for one in ids
            ],
        )
        self.reservation_group_arn = resource.attr_arn


class SpotServiceLinkedRole(Construct):
    """The role with which EC2 runs Spot instances, once in an account.

    Deploying it where the role exists already fails, so nothing here makes it for you.

    Resources:
        The service-linked role `AWSServiceRoleForEC2Spot`.

    Security:
        Only the EC2 Spot service can assume it.

    Source: Amazon EC2 Spot role for AWS PCS.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        given = Arguments(SpotServiceLinkedRole.__init__, locals())
        refuse(scope, id, given.problems)
        super().__init__(scope, id)
        iam.CfnServiceLinkedRole(self, "Resource", aws_service_name="spot.amazonaws.com")
