"""Launches from the embedded Service Catalog: versions, rules, tags and records."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.service_catalog import (
    PROD,
    ROOT,
    RULES,
    TAGS_ALLOWED,
    Shelf,
    problem,
    queue_template,
    stacks,
)


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def tags_of(account: Account) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stacks(account)[0]["Tags"]}


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


def test_stack_that_was_deleted_by_hand_can_only_be_terminated(shelf: Shelf) -> None:
    launched = shelf.launch()
    shelf.account.delete({"StackId": launched["Outputs"]["CloudformationStackARN"]})
    assert "does not exist" in problem(shelf.update())
    assert shelf.terminate()["Status"] == "SUCCEEDED"


def test_what_cannot_be_deleted_is_given_up_only_when_asked(shelf: Shelf) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-of-objects"}}
    artifact = shelf.add_version("2.0.0", template({"Bucket": bucket}))
    shelf.launch(ProvisioningArtifactId=artifact, ProvisioningParameters=[])
    shelf.account.client("s3").put_object(Bucket="full-of-objects", Key="a", Body=b"")

    assert "DELETE_FAILED; Bucket: " in problem(shelf.terminate())
    assert shelf.provisioned()["Status"] == "TAINTED"
    assert shelf.terminate(IgnoreErrors=True)["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        shelf.provisioned()


def test_resource_that_takes_too_long_fails_the_launch(shelf: Shelf) -> None:
    waiting = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
        },
    }
    artifact = shelf.add_version("2.0.0", template(waiting))
    failed = shelf.launch(ProvisioningArtifactId=artifact, ProvisioningParameters=[])
    assert "ROLLBACK_COMPLETE; Wait: " in problem(failed)


def test_provisioned_product_becomes_another_product(shelf: Shelf) -> None:
    shelf.launch()
    other = Shelf(shelf.account, queue_template(60))
    updated = shelf.update(ProductId=other.product, ProvisioningArtifactId=other.artifact)
    assert (updated["Status"], updated["ProductId"]) == ("SUCCEEDED", other.product)
    assert shelf.provisioned()["ProductId"] == other.product
