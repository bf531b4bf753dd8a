"""The permissions of the checks of a launch: what they read, and the service-linked roles that a first launch creates."""

from __future__ import annotations

from awacs import acm, cloudformation, ec2, iam, kms, rds, route53
from awacs.aws import Action, Allow, Condition, Statement, StringEquals
from troposphere import Ref, Sub

from templates_src.functions.launch_check.service_linked_roles import SERVICES

# Logical IDs of the nested stacks whose values are compared: LAYERS in functions/launch_check/deployed.py.
LAYERS = ("Network", "Data")


def reads() -> tuple[Statement, ...]:
    """The read-only calls of the modules in functions/launch_check."""
    return (
        allow("FindNestedStacks", cloudformation.DescribeStackResources, Ref("AWS::StackId")),
        allow(
            "ReadTheirValues",
            cloudformation.DescribeStacks,
            # CloudFormation adds random characters to the name of a nested stack.
            *(arn(f"cloudformation:*:stack/${{AWS::StackName}}-{layer}-*/*") for layer in LAYERS),
        ),
        # RDS generates the identifier of the database later, and the parameter can name any snapshot.
        allow("ReadTheStorageOfTheDatabase", rds.DescribeDBInstances, arn("rds:*:db:*")),
        allow("ReadTheSnapshot", rds.DescribeDBSnapshots, arn("rds:*:snapshot:*")),
        # The key of a snapshot can be that of a deleted environment.
        allow("ReadTheStateOfItsKey", kms.DescribeKey, arn("kms:*:key/*")),
        # A policy with the parameter's zone would change in the update that the check must refuse.
        allow(
            "ReadTheHostedZone",
            route53.ListResourceRecordSets,
            Sub("arn:${AWS::Partition}:route53:::hostedzone/*"),
        ),
        # The parameter can name any certificate of the account, which may have no tags.
        allow("ReadTheCertificate", acm.DescribeCertificate, arn("acm:*:certificate/*")),
        Statement(
            Sid="ReadZonesAndSnapshots",
            Effect=Allow,
            Action=[ec2.DescribeAvailabilityZones, ec2.DescribeSnapshots],
            # Neither call supports a resource.
            Resource=["*"],
        ),
    )


def create_service_linked_roles() -> Statement:
    """Create the roles of these services only. Their names are those of AWS, hence the asterisk."""
    return Statement(
        Sid="CreateServiceLinkedRoles",
        Effect=Allow,
        Action=[iam.CreateServiceLinkedRole],
        Resource=[
            Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/*"),
        ],
        Condition=Condition(StringEquals({"iam:AWSServiceName": list(SERVICES)})),
    )


def allow(sid: str, action: Action, *resources: Ref | Sub) -> Statement:
    """A statement that allows one call."""
    return Statement(Sid=sid, Effect=Allow, Action=[action], Resource=list(resources))


def arn(text: str) -> Sub:
    """An ARN in this account and region, from SERVICE:*:RESOURCE."""
    service, _, resource = text.partition(":*:")
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")
