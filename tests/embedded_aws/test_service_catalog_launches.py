"""Launches from the embedded Service Catalog: paths, launch role, tags, versions and records."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.service_catalog import (
    LAUNCH,
    ROLE,
    ROOT,
    Shelf,
    make_role,
    queue_template,
)
from tests.embedded_aws.test_service_catalog import RULES, TAGS_ALLOWED, code

PROD = [{"Key": "Environment", "Value": "prod"}]


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def stacks(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("cloudformation").describe_stacks()["Stacks"]
    return found


def tags_of(account: Account) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stacks(account)[0]["Tags"]}


def problem(record: dict[str, Any]) -> str:
    """What a failed record says."""
    assert record["Status"] == "FAILED"
    return f"{record['RecordErrors'][0]['Code']}: {record['RecordErrors'][0]['Description']}"


def test_launched_updated_and_terminated(shelf: Shelf) -> None:
    launched = shelf.launch(
        ProvisioningParameters=[
            {"Key": "Environment", "Value": "dev"},
            {"Key": "Delay", "Value": "7"},
        ]
    )

    assert (launched["Status"], launched["RecordType"]) == ("SUCCEEDED", "PROVISION_PRODUCT")
    stack = stacks(shelf.account)[0]
    assert launched["Outputs"]["CloudformationStackARN"] == stack["StackId"]
    assert stack["StackName"] == f"SC-123456789012-{launched['ProvisionedProductId']}"
    assert shelf.provisioned()["Status"] == "AVAILABLE"

    second = shelf.add_version("2.0.0", queue_template(60))
    kept = [{"Key": name, "UsePreviousValue": True} for name in ("Environment", "Delay")]
    updated = shelf.update(ProvisioningArtifactId=second, ProvisioningParameters=kept)
    assert updated["Status"] == "SUCCEEDED"
    assert shelf.provisioned()["ProvisioningArtifactId"] == second
    outputs = shelf.api.get_provisioned_product_outputs(ProvisionedProductName="queue")["Outputs"]
    attributes = shelf.account.client("sqs").get_queue_attributes(
        QueueUrl=next(o["OutputValue"] for o in outputs if o["OutputKey"] == "Url"),
        AttributeNames=["All"],
    )["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("60", "7")

    assert shelf.terminate()["Status"] == "SUCCEEDED"
    assert stacks(shelf.account) == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        shelf.provisioned()


def test_parameter_that_an_update_does_not_mention_gets_its_default(shelf: Shelf) -> None:
    shelf.launch(
        ProvisioningParameters=[
            {"Key": "Environment", "Value": "dev"},
            {"Key": "Delay", "Value": "7"},
        ]
    )
    shelf.update()
    parameters = {
        p["ParameterKey"]: p["ParameterValue"] for p in stacks(shelf.account)[0]["Parameters"]
    }
    assert parameters == {"Environment": "dev", "Delay": "0"}


def test_update_that_changes_nothing_succeeds(shelf: Shelf) -> None:
    shelf.launch()
    same = shelf.add_version("2.0.0", queue_template())
    assert shelf.update(ProvisioningArtifactId=same)["Status"] == "SUCCEEDED"
    assert shelf.provisioned()["ProvisioningArtifactId"] == same


def test_missing_parameter_fails_the_record(shelf: Shelf) -> None:
    failed = shelf.launch(ProvisioningParameters=[])
    assert "ValidationError: Parameter 'Environment' has no Default" in problem(failed)
    assert shelf.provisioned()["Status"] == "ERROR"
    assert shelf.terminate()["Status"] == "SUCCEEDED"


def test_failed_resource_is_named_and_rolled_back(shelf: Shelf) -> None:
    missing = f"https://{shelf.account.bucket}.s3.eu-north-1.amazonaws.com/missing.json"
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": missing}}
    artifact = shelf.add_version("2.0.0", template({"Child": child}))
    failed = shelf.launch(ProvisioningArtifactId=artifact, ProvisioningParameters=[])
    assert "ROLLBACK_COMPLETE; Child: S3 error" in problem(failed)
    assert shelf.provisioned()["Status"] == "ERROR"
    with pytest.raises(ClientError, match="Last Successful Provisioning Record"):
        shelf.api.get_provisioned_product_outputs(ProvisionedProductName="queue")


def test_stack_that_fails_as_a_whole_says_why(shelf: Shelf) -> None:
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": shelf.account.bucket}}
    artifact = shelf.add_version("2.0.0", template({"Taken": taken}))
    failed = shelf.launch(ProvisioningArtifactId=artifact, ProvisioningParameters=[])
    assert "Validation failed with 1 error(s)" in problem(failed)


def test_failed_update_leaves_the_product_as_it_was(shelf: Shelf) -> None:
    launched = shelf.launch()
    failed = shelf.update(ProvisioningParameters=[{"Key": "Environment", "Value": "none"}])
    assert "must be one of" in problem(failed) or "allowed" in problem(failed).lower()
    provisioned = shelf.provisioned()
    assert provisioned["Status"] == "TAINTED"
    assert provisioned["LastSuccessfulProvisioningRecordId"] == launched["RecordId"]
    assert provisioned["LastRecordId"] == failed["RecordId"]
    assert shelf.update()["Status"] == "SUCCEEDED"


def test_only_active_versions_launch_and_deprecated_ones_update(shelf: Shelf) -> None:
    shelf.launch()
    second = shelf.add_version("2.0.0", queue_template(60))

    def mark(**guidance: Any) -> None:
        shelf.api.update_provisioning_artifact(
            ProductId=shelf.product, ProvisioningArtifactId=second, **guidance
        )

    mark(Guidance="DEPRECATED")
    with pytest.raises(ClientError, match="InvalidParametersException"):
        shelf.launch("other", ProvisioningArtifactId=second, ProvisioningParameters=PROD)
    assert shelf.update(ProvisioningArtifactId=second)["Status"] == "SUCCEEDED"
    mark(Guidance="DEFAULT", Active=False)
    with pytest.raises(ClientError, match="not active"):
        shelf.launch("other", ProvisioningArtifactId=second)
    with pytest.raises(ClientError, match="not active"):
        shelf.update(ProvisioningArtifactId=second)
    seen = shelf.api.describe_product(Id=shelf.product)["ProvisioningArtifacts"]
    assert [artifact["Name"] for artifact in seen] == ["1.0.0"]


def test_version_and_product_in_use_stay(shelf: Shelf) -> None:
    shelf.launch()
    shelf.add_version("2.0.0", queue_template(60))
    version = {"ProductId": shelf.product, "ProvisioningArtifactId": shelf.artifact}
    with pytest.raises(ClientError, match="ResourceInUseException"):
        shelf.api.delete_provisioning_artifact(**version)
    shelf.terminate()
    shelf.api.delete_provisioning_artifact(**version)


def test_name_is_taken_while_the_product_is_there(shelf: Shelf) -> None:
    shelf.launch()
    with pytest.raises(ClientError, match="already exists"):
        shelf.launch(ProvisioningParameters=PROD)
    shelf.terminate()
    assert shelf.launch()["Status"] == "SUCCEEDED"


def test_product_under_change_is_left_alone(shelf: Shelf) -> None:
    started = shelf.api.provision_product(
        ProductId=shelf.product,
        ProvisioningArtifactId=shelf.artifact,
        ProvisionedProductName="queue",
        ProvisioningParameters=[{"Key": "Environment", "Value": "dev"}],
    )
    assert started["RecordDetail"]["Status"] == "CREATED"
    with pytest.raises(ClientError, match="UNDER_CHANGE"):
        shelf.api.update_provisioned_product(ProvisionedProductName="queue")
    assert shelf.settled(started)["Status"] == "SUCCEEDED"


def test_token_that_comes_again_launches_once(shelf: Shelf) -> None:
    first = shelf.launch(ProvisionToken="t")
    assert shelf.launch(ProvisionToken="t")["RecordId"] == first["RecordId"]
    assert len(stacks(shelf.account)) == 1


def test_rules_bind_every_launch(shelf: Shelf) -> None:
    shelf.constrain("TEMPLATE", RULES)
    assert "this portfolio is for production" in problem(shelf.launch())
    assert shelf.launch("other", ProvisioningParameters=PROD)["Status"] == "SUCCEEDED"
    unchanged = shelf.update(
        "other", ProvisioningParameters=[{"Key": "Environment", "Value": "dev"}]
    )
    assert "this portfolio is for production" in problem(unchanged)


def test_parameters_are_shown_as_the_rules_leave_them(shelf: Shelf) -> None:
    shelf.constrain("TEMPLATE", RULES)
    shelf.constrain("RESOURCE_UPDATE", TAGS_ALLOWED)
    described = shelf.api.describe_provisioning_parameters(
        ProductName="Queues", ProvisioningArtifactName="1.0.0"
    )
    parameters = {p["ParameterKey"]: p for p in described["ProvisioningArtifactParameters"]}
    assert parameters["Environment"]["ParameterConstraints"]["AllowedValues"] == ["prod"]
    assert (parameters["Delay"]["DefaultValue"], parameters["Delay"]["ParameterType"]) == (
        "0",
        "Number",
    )
    instructions = {i["Type"]: i["Value"] for i in described["UsageInstructions"]}
    assert json.loads(instructions["rules"]) == RULES
    assert instructions["tagUpdateOnProvisionedProduct"] == "ALLOWED"
    outputs = [output["Key"] for output in described["ProvisioningArtifactOutputKeys"]]
    assert outputs == ["Url"]


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


def test_launch_role_that_is_gone_fails_the_launch(shelf: Shelf) -> None:
    missing = "arn:aws:iam::123456789012:role/nobody"
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


def test_template_larger_than_a_request_is_launched(shelf: Shelf) -> None:
    filler = {
        f"Queue{n}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q" * 70 + str(n)}}
        for n in range(400)
    }
    body = json.dumps(json.loads(template(filler)), indent=2)
    assert len(body) > 51_200
    artifact = shelf.add_version("2.0.0", body)
    launched = shelf.launch(ProvisioningArtifactId=artifact, ProvisioningParameters=[])
    assert launched["Status"] == "SUCCEEDED"


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
    role = account.client("iam").create_role(
        RoleName="launcher", Path="/team/", AssumeRolePolicyDocument='{"Statement": []}'
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


def test_tags_of_portfolio_product_and_options_reach_the_stack(shelf: Shelf) -> None:
    api = shelf.api
    api.update_portfolio(Id=shelf.portfolio, AddTags=[{"Key": "Owner", "Value": "us"}])
    api.update_product(Id=shelf.product, AddTags=[{"Key": "Product", "Value": "queue"}])
    option = api.create_tag_option(Key="CostCenter", Value="7")["TagOptionDetail"]["Id"]
    api.associate_tag_option_with_resource(ResourceId=shelf.portfolio, TagOptionId=option)
    shelf.launch(Tags=[{"Key": "Mine", "Value": "yes"}])
    expected = {"Owner": "us", "Product": "queue", "CostCenter": "7", "Mine": "yes"}
    assert tags_of(shelf.account) == expected
    with pytest.raises(ClientError, match="Tag Owner is set to us"):
        shelf.launch("other", Tags=[{"Key": "Owner", "Value": "me"}])


def test_tag_with_several_values_must_be_chosen(shelf: Shelf) -> None:
    api = shelf.api
    for value, resources in {
        "a": [shelf.portfolio],
        "b": [shelf.portfolio, shelf.product],
        "c": [shelf.portfolio, shelf.product],
    }.items():
        option = api.create_tag_option(Key="Team", Value=value)["TagOptionDetail"]["Id"]
        for resource in resources:
            api.associate_tag_option_with_resource(ResourceId=resource, TagOptionId=option)
    described = api.describe_provisioning_parameters(
        ProductId=shelf.product, ProvisioningArtifactId=shelf.artifact
    )
    assert described["TagOptions"] == [{"Key": "Team", "Values": ["b", "c"]}]
    for tags in ([], [{"Key": "Team", "Value": "a"}]):
        with pytest.raises(ClientError, match="Tag Team must be one of b, c"):
            shelf.launch(Tags=tags)
    shelf.launch(Tags=[{"Key": "Team", "Value": "c"}])
    assert tags_of(shelf.account) == {"Team": "c"}


def test_tags_change_only_where_a_constraint_allows_it(shelf: Shelf) -> None:
    shelf.launch(Tags=[{"Key": "Mine", "Value": "1"}])
    changed = [{"Key": "Mine", "Value": "2"}]
    with pytest.raises(ClientError, match="Tag updates are not allowed"):
        shelf.update(Tags=changed)
    shelf.constrain("RESOURCE_UPDATE", TAGS_ALLOWED)
    assert shelf.update(Tags=changed)["Status"] == "SUCCEEDED"
    assert tags_of(shelf.account) == {"Mine": "2"}


def test_resources_stay_where_they_are_to_be_retained(shelf: Shelf) -> None:
    shelf.launch()
    assert shelf.terminate(RetainPhysicalResources=True)["Status"] == "SUCCEEDED"
    assert [stack["StackStatus"] for stack in stacks(shelf.account)] == ["CREATE_COMPLETE"]


def test_provisioned_products_are_found(shelf: Shelf) -> None:
    shelf.launch("carbon-dev", Tags=[{"Key": "Team", "Value": "a"}])
    shelf.launch("carbon-prod", ProvisioningParameters=PROD)

    def found(*queries: str, **options: Any) -> list[str]:
        listed = shelf.api.search_provisioned_products(
            Filters={"SearchQuery": list(queries)}, SortBy="name", **options
        )
        assert listed["TotalResultsCount"] == len(listed["ProvisionedProducts"])
        return [one["Name"] for one in listed["ProvisionedProducts"]]

    both = ["carbon-dev", "carbon-prod"]
    assert found() == both
    assert found(SortOrder="DESCENDING") == both[::-1]
    assert found("name:carbon-dev") == ["carbon-dev"]
    assert found("name:carbon") == []
    assert found("name:carbon-*") == both
    assert found("status:AVAILABLE", "name:*prod") == ["carbon-prod"]
    assert found(f"productId:{shelf.product}") == both
    assert found(f"provisioningArtifactId:{shelf.artifact}") == both
    assert found("productName:Queues") == both
    assert found("tags:Team:a") == ["carbon-dev"]
    assert found("status:ERROR") == []
    scanned = shelf.api.scan_provisioned_products()["ProvisionedProducts"]
    assert sorted(one["Name"] for one in scanned) == both


def test_records_tell_the_history_newest_first(shelf: Shelf) -> None:
    launched = shelf.launch()
    shelf.launch("other", ProvisioningParameters=PROD)
    updated = shelf.update()
    listed = shelf.api.list_record_history(
        SearchFilter={"Key": "provisionedproduct", "Value": launched["ProvisionedProductId"]}
    )["RecordDetails"]
    assert [r["RecordId"] for r in listed] == [updated["RecordId"], launched["RecordId"]]


def test_accounts_launch_apart(in_region: Callable[[str], Account], shelf: Shelf) -> None:
    shelf.launch()
    elsewhere = in_region("eu-west-1").client("servicecatalog")
    assert elsewhere.scan_provisioned_products()["ProvisionedProducts"] == []
    assert ROOT in json.dumps(
        shelf.api.search_provisioned_products()["ProvisionedProducts"], default=str
    )


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

    handed = shelf.api.update_provisioned_product_properties(
        ProvisionedProductId=launched["ProvisionedProductId"],
        ProvisionedProductProperties={"OWNER": role},
    )

    assert handed["Status"] == "SUCCEEDED"
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
