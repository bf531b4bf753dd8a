"""Attempts with the rights of a launch role: what a launcher's values, or a modified template, can make it do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipeline.template.example_values import ACCOUNT
from templates_src.launch_role.template import launch_role
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import arn, of_account, prod
from tests.attacks.outside import AWAY, OUTSIDER, PUBLISHER, service
from tests.iam.evaluation import Principal, Resource
from tests.iam.policies import policy
from tests.launch_role.evaluation import resources_of
from tests.relations.variants import REGION

IAM = f"arn:aws:iam::{ACCOUNT}:"
ADMINISTRATOR = f"{IAM}role/Administrator"


@cache
def role() -> Principal:
    """The launch role with its policies, each under the name that it has in the template."""
    resources = resources_of(launch_role())
    attached = resources["LaunchRole"]["Properties"]["ManagedPolicyArns"]
    return Principal(
        f"{IAM}role/carbon-connect-launch",
        ACCOUNT,
        tuple(
            policy(each["Ref"], resources[each["Ref"]]["Properties"]["PolicyDocument"])
            for each in attached
        ),
    )


@cache
def trust() -> Resource:
    """The launch role as what Service Catalog takes on."""
    document = resources_of(launch_role())["LaunchRole"]["Properties"]["AssumeRolePolicyDocument"]
    return Resource(ACCOUNT, policy("trust", document))


def launches(
    name: str,
    action: str,
    *guards: str,
    arn: Callable[[], str],
    principal: str = PUBLISHER,
    on: Callable[[], Resource] = of_account,
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attempt with the launch role."""
    return attack(principal, name, *guards, by=role, action=action, arn=arn, on=on, context=context)


RECORD_TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
MODIFIED = (
    launches("passes an administrator's role to a function", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Resource", arn=lambda: ADMINISTRATOR, context=lambda: {"iam:PassedToService": "lambda.amazonaws.com"}),
    launches("passes a role of the environment to a service that runs code elsewhere", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Condition iam:PassedToService", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PassedToService": "glue.amazonaws.com"}),
    launches("lets every repository of another provider deploy", "iam:CreateOpenIDConnectProvider", "IdentityPolicy/GitHubsProvider: Resource", arn=lambda: f"{IAM}oidc-provider/evil.example.com"),
    launches("creates a service-linked role of another service", "iam:CreateServiceLinkedRole", "IdentityPolicy/ServiceLinkedRoles: Condition iam:AWSServiceName", arn=lambda: f"{IAM}role/aws-service-role/organizations.amazonaws.com/x", context=lambda: {"iam:AWSServiceName": "organizations.amazonaws.com"}),
    launches("deletes a stack of another application", "cloudformation:DeleteStack", "IdentityPolicy/StacksOfServiceCatalog: Resource", arn=arn("cloudformation", "stack/payroll/1")),
    launches("replaces the code of another application's function", "lambda:UpdateFunctionCode", "ComputePolicy/FunctionsOfTheStacks: Resource", arn=arn("lambda", "function:payroll")),
    launches("reads a secret of another application", "secretsmanager:GetSecretValue", "IdentityPolicy/WhatBearsTheProjectsTag: Condition aws:ResourceTag/Project", arn=arn("secretsmanager", "secret:payroll-a1B2c3"), context=lambda: {"aws:ResourceTag/Project": "payroll"}),
    launches("deletes a database of another application", "rds:DeleteDBInstance", "DataPolicy/WhatBearsTheProjectsTag: Condition aws:ResourceTag/Project", arn=arn("rds", "db:payroll")),
    launches("decrypts with a key by itself", "kms:Decrypt", "IdentityPolicy/UseKeysThroughServicesOnly: Condition kms:ViaService", arn=lambda: prod().arn("Key"), on=lambda: prod().resource("Key")),
    launches("delegates a part of the domain to another server", "route53:ChangeResourceRecordSets", f"NetworkPolicy/RecordsOfAddresses: Condition {RECORD_TYPES}", arn=lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", context=lambda: {RECORD_TYPES: ["NS"]}),
    launches("opens a bucket of another application", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: "arn:aws:s3:::payroll"),
    launches("opens the release bucket", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}"),
    launches("reads a template in another account's bucket of almost the same name", "s3:GetObject", "DataPolicy/ReadTheRelease: Condition s3:ResourceAccount", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}-evil/carbon-connect/x", on=lambda: Resource(AWAY, policy("evil", [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]))),
    launches("creates a user", "iam:CreateUser", "BoundaryPolicy/NoUserNoGroup: Effect", "no statement", arn=lambda: f"{IAM}user/carbon-connect/x"),
    launches("leaves the organization", "organizations:LeaveOrganization", "no statement", arn=lambda: "*"),
    attack(OUTSIDER, "launches through Service Catalog of another account with the launch role", "trust/Allow: Condition aws:SourceAccount", by=service("servicecatalog"), action="sts:AssumeRole", arn=lambda: role().arn, on=trust, context=lambda: {"aws:SourceAccount": AWAY}),
)  # fmt: skip
