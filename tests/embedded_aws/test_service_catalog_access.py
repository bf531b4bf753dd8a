"""Permissions to launch from the embedded Service Catalog, and the role of a launch."""

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.service_catalog import (
    LAUNCH,
    ROLE,
    Shelf,
    code,
    make_role,
    problem,
    queue_template,
    stacks,
)


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def test_launch_role_is_assumed_by_its_local_name(shelf: Shelf) -> None:
    role = make_role(shelf.account)
    shelf.constrain("LAUNCH", {"LocalRoleName": ROLE})
    launched = shelf.launch()
    assert (launched["Status"], launched["LaunchRoleArn"]) == ("SUCCEEDED", role)
    assert shelf.provisioned()["LaunchRoleArn"] == role


def test_launch_role_must_trust_service_catalog(shelf: Shelf) -> None:
    make_role(shelf.account, principal="cloudformation.amazonaws.com")
    shelf.constrain("LAUNCH", {"LocalRoleName": ROLE})
    assert "AccessDenied: Access denied while assuming the role" in problem(shelf.launch())


@pytest.mark.parametrize("name", ["nobody", f"path/{ROLE}"])
def test_launch_role_that_is_not_there_fails_the_launch(shelf: Shelf, name: str) -> None:
    make_role(shelf.account)
    missing = f"arn:aws:iam::123456789012:role/{name}"
    shelf.constrain("LAUNCH", {"RoleArn": missing})
    assert missing in problem(shelf.launch())


@pytest.mark.parametrize("lacking", ["cloudformation", "s3"])
def test_launch_role_must_allow_what_a_launch_takes(shelf: Shelf, lacking: str) -> None:
    make_role(shelf.account, statements=[s for s in LAUNCH if lacking not in str(s["Action"])])
    shelf.constrain("LAUNCH", {"LocalRoleName": ROLE})
    refused = problem(shelf.launch())
    assert "is not authorized to perform" in refused
    assert lacking in refused


def test_launch_role_reads_nested_templates_and_nothing_else_does_for_it(shelf: Shelf) -> None:
    child = shelf.account.put_template(queue_template(Outputs={}), "release/child.json")
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": child, "Parameters": {"Environment": "dev"}},
    }
    artifact = shelf.add_version("2.0.0", template({"Child": nested}))
    release = f"arn:aws:s3:::{shelf.account.bucket}/release/*"
    reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": release}
    make_role(shelf.account, "blind")
    make_role(shelf.account, "reading", statements=[*LAUNCH, reading])
    options: dict[str, Any] = {"ProvisioningArtifactId": artifact, "ProvisioningParameters": []}

    constraint = shelf.constrain("LAUNCH", {"LocalRoleName": "blind"})
    assert "s3:GetObject on resource" in problem(shelf.launch(**options))
    shelf.api.update_constraint(Id=constraint, Parameters=json.dumps({"LocalRoleName": "reading"}))
    assert shelf.launch("other", **options)["Status"] == "SUCCEEDED"
    assert len(stacks(shelf.account)) == 3


def test_two_portfolios_make_two_paths(shelf: Shelf) -> None:
    shelf.new_portfolio("Others")
    with pytest.raises(ClientError, match="PathId is required"):
        shelf.launch()
    paths = shelf.api.list_launch_paths(ProductId=shelf.product)["LaunchPathSummaries"]
    assert [path["Name"] for path in paths] == ["Environments", "Others"]
    assert shelf.launch(PathName="Others")["PathId"] == paths[1]["Id"]
    # An update keeps to the path of the launch.
    assert shelf.update()["PathId"] == paths[1]["Id"]


def session_of(aws: EmbeddedAws, account: Account, role: str) -> Any:
    """A Service Catalog client that has assumed the role."""
    assumed = account.client("sts").assume_role(RoleArn=role, RoleSessionName="session")[
        "Credentials"
    ]
    return boto3.client(
        "servicecatalog",
        region_name=account.region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


@pytest.mark.parametrize(
    ("principal", "kind", "admitted"),
    [
        ("arn:aws:iam::123456789012:role/team/launcher", "IAM", True),
        ("arn:aws:iam::123456789012:role/team/other", "IAM", False),
        ("arn:aws:iam:::role/*/launch?r", "IAM_PATTERN", True),
        ("arn:aws:iam:::role/launch*", "IAM_PATTERN", False),
    ],
)
def test_path_is_open_to_the_role_behind_a_session(
    embedded: EmbeddedAws, account: Account, principal: str, kind: str, admitted: bool
) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    role = account.client("iam").create_role(
        RoleName="launcher",
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "servicecatalog:*", "Resource": "*"}],
    }
    account.client("iam").put_role_policy(
        RoleName="launcher", PolicyName="p", PolicyDocument=json.dumps(document)
    )
    shelf = Shelf(account, principal="arn:aws:iam::123456789012:role/nobody")
    shelf.api.associate_principal_with_portfolio(
        PortfolioId=shelf.portfolio, PrincipalARN=principal, PrincipalType=kind
    )

    found = session_of(embedded, account, role).search_products()["ProductViewSummaries"]

    assert [product["Name"] for product in found] == (["Queues"] if admitted else [])


def test_nobody_launches_without_a_path(account: Account) -> None:
    shelf = Shelf(account, principal="arn:aws:iam::123456789012:role/nobody")
    for refused in (
        shelf.launch,
        lambda: shelf.api.describe_product(Id=shelf.product),
        lambda: shelf.api.list_launch_paths(ProductId=shelf.product),
    ):
        with pytest.raises(ClientError, match="No launch paths found"):
            refused()
    assert shelf.api.search_products()["ProductViewSummaries"] == []


def test_group_of_a_user_opens_a_path(embedded: EmbeddedAws, account: Account) -> None:
    iam = account.client("iam")
    name = f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    group = iam.create_group(GroupName="launchers")["Group"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.put_user_policy(
        UserName=name,
        PolicyName="p",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "servicecatalog:*", "Resource": "*"}],
            }
        ),
    )
    Shelf(account, principal=group)
    client = boto3.client(
        "servicecatalog",
        region_name=account.region,
        endpoint_url=embedded.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert client.search_products()["ProductViewSummaries"] == []
    iam.add_user_to_group(GroupName="launchers", UserName=name)
    assert len(client.search_products()["ProductViewSummaries"]) == 1


def deployer(aws: EmbeddedAws, account: Account, *statements: dict[str, Any]) -> tuple[str, Any]:
    """A role with these statements, and a Service Catalog client that has assumed it."""
    role = make_role(account, "deployer", statements=list(statements))
    return role, session_of(aws, account, role)


UPDATE_OWN = {
    "Effect": "Allow",
    "Action": ["servicecatalog:UpdateProvisionedProduct", "servicecatalog:DescribeRecord"],
    "Resource": "*",
    "Condition": {"StringEquals": {"servicecatalog:roleLevel": "self"}},
}


def test_role_may_do_what_its_policies_allow(embedded: EmbeddedAws, shelf: Shelf) -> None:
    product = f"arn:aws:catalog:eu-north-1:123456789012:product/{shelf.product}"
    read = {"Effect": "Allow", "Action": "servicecatalog:Describe*", "Resource": product}
    _, client = deployer(embedded, shelf.account, read)
    assert client.describe_product_as_admin(Id=shelf.product)["Tags"] == []
    denied = "AccessDeniedException"
    assert code(client.describe_portfolio, Id=shelf.portfolio) == denied
    assert code(client.describe_product_as_admin, Id="prod-other") == denied
    assert code(client.list_portfolios) == denied


def test_owner_is_who_may_update(embedded: EmbeddedAws, shelf: Shelf) -> None:
    role, client = deployer(embedded, shelf.account, UPDATE_OWN)
    shelf.api.associate_principal_with_portfolio(
        PortfolioId=shelf.portfolio, PrincipalARN=role, PrincipalType="IAM"
    )
    launched = shelf.launch()
    update = {
        "ProvisionedProductName": "queue",
        "ProvisioningParameters": [{"Key": "Environment", "UsePreviousValue": True}],
    }
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client.update_provisioned_product(**update)

    updated = shelf.api.update_provisioned_product_properties(
        ProvisionedProductId=launched["ProvisionedProductId"],
        ProvisionedProductProperties={"OWNER": role},
    )

    assert updated["Status"] == "SUCCEEDED"
    started = client.update_provisioned_product(**update)
    assert client.describe_record(Id=started["RecordDetail"]["RecordId"])["RecordDetail"]
    assert shelf.settled(started)["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client.terminate_provisioned_product(ProvisionedProductName="queue")


def test_launch_role_of_a_provisioned_product_is_changed(shelf: Shelf) -> None:
    make_role(shelf.account)
    other = make_role(shelf.account, "other")
    shelf.constrain("LAUNCH", {"LocalRoleName": ROLE})
    launched = shelf.launch()
    change = {"ProvisionedProductId": launched["ProvisionedProductId"]}
    shelf.api.update_provisioned_product_properties(
        **change, ProvisionedProductProperties={"LAUNCH_ROLE": other}
    )
    assert shelf.update()["LaunchRoleArn"] == other
    with pytest.raises(ClientError, match="is not a valid ARN for OWNER"):
        shelf.api.update_provisioned_product_properties(
            **change, ProvisionedProductProperties={"OWNER": "me"}
        )
