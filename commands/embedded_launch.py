"""What a launch on the embedded AWS needs and an account has: prod's certificate, and a user of the products."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.aws import Aws, sentences
from templates_src.core.shared import PROD
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME

EXAMPLE_DOMAIN = "carbon-connect.example.com"
# What launching, updating and terminating from a product takes; AWSServiceCatalogEndUserFullAccess grants it and more.
PRODUCT_USER = (
    {
        "Effect": "Allow",
        "Action": [
            "servicecatalog:DescribeProduct",
            "servicecatalog:DescribeProvisioningParameters",
            "servicecatalog:ListLaunchPaths",
            "servicecatalog:ProvisionProduct",
            "servicecatalog:SearchProducts",
        ],
        "Resource": "*",
    },
    {
        "Effect": "Allow",
        "Action": [
            "servicecatalog:DescribeProvisionedProduct",
            "servicecatalog:DescribeRecord",
            "servicecatalog:GetProvisionedProductOutputs",
            "servicecatalog:TerminateProvisionedProduct",
            "servicecatalog:UpdateProvisionedProduct",
        ],
        "Resource": "*",
        "Condition": {"StringEquals": {"servicecatalog:roleLevel": "self"}},
    },
    {
        "Effect": "Allow",
        "Action": ["cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"],
        "Resource": "arn:*:cloudformation:*:*:stack/SC-*",
    },
)


def embedded_prerequisites(aws: Aws, environment: str, given: Mapping[str, str]) -> dict[str, str]:
    """Make on the embedded AWS what an account would have, unless it is given: prod's certificate."""
    named = given.get(CERTIFICATE_ARN.name) or given.get(DOMAIN_NAME.name)
    if environment != PROD or named:
        return {}
    with sentences("request a certificate from the embedded AWS"):
        certificate = aws.client("acm").request_certificate(
            DomainName=EXAMPLE_DOMAIN, ValidationMethod="DNS"
        )
    return {CERTIFICATE_ARN.name: certificate["CertificateArn"]}


def product_user(aws: Aws, role: str) -> Aws:
    """The embedded AWS as a session of a role that uses products, which is made with the rights that takes."""
    trust = {"Effect": "Allow", "Principal": {"AWS": aws.account()}, "Action": "sts:AssumeRole"}
    with sentences("make a user of the products in the embedded AWS"):
        iam = aws.client("iam")
        made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust))
        iam.put_role_policy(
            RoleName=role, PolicyName="use-products", PolicyDocument=policy(*PRODUCT_USER)
        )
        credentials = aws.client("sts").assume_role(
            RoleArn=made["Role"]["Arn"], RoleSessionName="build.py"
        )["Credentials"]
    session = {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
    return Aws(aws.region, {**aws.environment, **session})


def policy(*statements: Mapping[str, object]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
