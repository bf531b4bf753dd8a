"""What holds for every operation of the embedded Service Catalog; portfolios, products, versions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.embedded_aws.conftest import Account
from tests.embedded_aws.service_catalog import RULES, Shelf, code, queue_template


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def every(call: Callable[..., Any], member: str, size: int, **request: Any) -> list[list[Any]]:
    """The pages of a listing."""
    pages, token = [], None
    while True:
        answer = call(**request, PageSize=size, **({"PageToken": token} if token else {}))
        pages.append(answer[member])
        token = answer.get("NextPageToken")
        if not token:
            return pages


def test_portfolio_is_kept_changed_and_deleted(account: Account) -> None:
    api = account.client("servicecatalog")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    created = api.create_portfolio(DisplayName="P", ProviderName="Us", Tags=tags)
    identifier = created["PortfolioDetail"]["Id"]
    assert created["PortfolioDetail"]["ARN"] == (
        f"arn:aws:catalog:eu-north-1:123456789012:portfolio/{identifier}"
    )

    api.update_portfolio(
        Id=identifier,
        Description="for us",
        AddTags=[{"Key": "a", "Value": "3"}],
        RemoveTags=["b"],
    )

    described = api.describe_portfolio(Id=identifier)
    assert described["PortfolioDetail"]["Description"] == "for us"
    assert described["Tags"] == [{"Key": "a", "Value": "3"}]
    api.delete_portfolio(Id=identifier)
    assert code(api.describe_portfolio, Id=identifier) == "ResourceNotFoundException"


def test_names_need_not_be_unique_and_ambiguous_ones_are_refused(shelf: Shelf) -> None:
    other = Shelf(shelf.account)
    assert (other.product, other.portfolio) != (shelf.product, shelf.portfolio)
    shelf.add_version("1.0.0", queue_template())

    refused = code(shelf.api.describe_product_as_admin, Name="Queues")
    assert refused == "InvalidParametersException"
    refused = code(
        shelf.api.describe_provisioning_artifact,
        ProductId=shelf.product,
        ProvisioningArtifactName="1.0.0",
    )
    assert refused == "InvalidParametersException"


def test_listings_come_in_pages(account: Account) -> None:
    api = account.client("servicecatalog")
    for number in range(25):
        api.create_portfolio(DisplayName=f"P{number}", ProviderName="Us")

    assert len(api.list_portfolios()["PortfolioDetails"]) == 20
    pages = every(api.list_portfolios, "PortfolioDetails", 10)

    assert [len(page) for page in pages] == [10, 10, 5]
    names = [portfolio["DisplayName"] for page in pages for portfolio in page]
    assert names == [f"P{number}" for number in range(25)]
    assert code(api.list_portfolios, PageSize=101) == "ValidationException"
    assert code(api.list_portfolios, PageToken="x") == "InvalidParametersException"


def test_regions_and_accounts_are_apart(in_region: Callable[[str], Account]) -> None:
    here, there = in_region("eu-north-1"), in_region("eu-west-1")
    here.client("servicecatalog").create_portfolio(DisplayName="P", ProviderName="Us")
    assert there.client("servicecatalog").list_portfolios()["PortfolioDetails"] == []


def test_token_that_comes_again_gets_the_first_answer(account: Account) -> None:
    api = account.client("servicecatalog")
    request = {"DisplayName": "P", "ProviderName": "Us", "IdempotencyToken": "once"}

    first, second = api.create_portfolio(**request), api.create_portfolio(**request)

    assert first["PortfolioDetail"] == second["PortfolioDetail"]
    assert len(api.list_portfolios()["PortfolioDetails"]) == 1
    refused = code(api.create_portfolio, **{**request, "DisplayName": "Q"})
    assert refused == "InvalidParametersException"


def test_token_of_a_version_makes_no_second_one(shelf: Shelf) -> None:
    request = {
        "ProductId": shelf.product,
        "Parameters": shelf.version("2.0.0", queue_template(60)),
        "IdempotencyToken": "2-0-0",
    }
    ids = {
        shelf.api.create_provisioning_artifact(**request)["ProvisioningArtifactDetail"]["Id"]
        for _ in range(2)
    }
    assert len(ids) == 1
    listed = shelf.api.list_provisioning_artifacts(ProductId=shelf.product)
    assert [a["Name"] for a in listed["ProvisioningArtifactDetails"]] == ["1.0.0", "2.0.0"]


def test_refused_request_leaves_its_token_free(account: Account) -> None:
    api = account.client("servicecatalog")
    request = {
        "PortfolioId": "port-none",
        "ProductId": "prod-none",
        "Type": "TEMPLATE",
        "Parameters": json.dumps(RULES),
        "IdempotencyToken": "t",
    }
    assert code(api.create_constraint, **request) == "ResourceNotFoundException"
    shelf = Shelf(account)
    found = {"PortfolioId": shelf.portfolio, "ProductId": shelf.product}
    assert api.create_constraint(**{**request, **found})["Status"] == "AVAILABLE"


def test_requests_are_held_to_the_model(account: Account) -> None:
    api = account.client("servicecatalog")
    too_long = {"DisplayName": "x" * 101, "ProviderName": "Us"}
    assert code(api.create_portfolio, **too_long) == "ValidationException"
    assert code(api.list_tag_options, PageSize=21) == "ValidationException"
    assert code(api.describe_portfolio, Id="has spaces") == "ValidationException"
    many = [{"Key": f"k{n}", "Value": "v"} for n in range(21)]
    tagged = {"DisplayName": "P", "ProviderName": "Us", "Tags": many}
    assert code(api.create_portfolio, **tagged) == "ValidationException"
    with pytest.raises(ParamValidationError):
        api.create_portfolio(DisplayName="P")


def test_unknown_operation_says_so(account: Account) -> None:
    api = account.client("servicecatalog")
    with pytest.raises(ClientError, match="has no such operation") as refused:
        api.list_stack_instances_for_provisioned_product(ProvisionedProductId="pp-1")
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize("keys", [["Owner", "Owner"], ["aws:owner"]])
def test_tags_that_cannot_be_are_refused(account: Account, keys: list[str]) -> None:
    tags = [{"Key": key, "Value": "us"} for key in keys]
    api = account.client("servicecatalog")
    refused = code(api.create_portfolio, DisplayName="P", ProviderName="Us", Tags=tags)
    assert refused == "InvalidParametersException"


def test_hundred_portfolios_are_the_most(account: Account) -> None:
    api = account.client("servicecatalog")
    request = {"DisplayName": "P", "ProviderName": "Us"}
    for _ in range(100):
        api.create_portfolio(**request)
    assert code(api.create_portfolio, **request) == "LimitExceededException"


def test_twenty_tags_are_the_most_after_an_update_too(account: Account) -> None:
    api = account.client("servicecatalog")
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(20)]
    created = api.create_portfolio(DisplayName="P", ProviderName="Us", Tags=tags)
    identifier = created["PortfolioDetail"]["Id"]
    added = [{"Key": "k20", "Value": "v"}]
    refused = code(api.update_portfolio, Id=identifier, AddTags=added)
    assert refused == "LimitExceededException"
    assert len(api.describe_portfolio(Id=identifier)["Tags"]) == 20
    api.update_portfolio(Id=identifier, AddTags=added, RemoveTags=["k0"])


def test_product_is_found_by_its_words_and_portfolio(shelf: Shelf) -> None:
    Shelf(shelf.account)

    def found(**request: Any) -> set[str]:
        views = shelf.api.search_products_as_admin(**request)["ProductViewDetails"]
        return {view["ProductViewSummary"]["ProductId"] for view in views}

    assert len(found()) == 2
    assert found(PortfolioId=shelf.portfolio) == {shelf.product}
    assert found(Filters={"FullTextSearch": [shelf.product]}) == {shelf.product}
    assert len(found(Filters={"FullTextSearch": ["queues"]})) == 2
    assert found(Filters={"Owner": ["Nobody"]}) == set()


def test_template_must_be_there_and_valid(shelf: Shelf) -> None:
    def refusal(url: str) -> str:
        with pytest.raises(ClientError) as refused:
            shelf.api.create_provisioning_artifact(
                ProductId=shelf.product,
                Parameters={"Name": "2", "Info": {"LoadTemplateFromURL": url}},
            )
        return str(refused.value)

    put = shelf.account.put_template
    assert "does not exist" in refusal(put(queue_template()) + ".missing")
    assert "Template format error" in refusal(put('{"Resources": {"A"'))
    assert "must be the URL of an S3 object" in refusal("https://example.com/a.json")
    listed = shelf.api.list_provisioning_artifacts(ProductId=shelf.product)
    assert len(listed["ProvisioningArtifactDetails"]) == 1


def test_version_keeps_its_template_when_the_object_changes(shelf: Shelf) -> None:
    url = shelf.account.put_template(queue_template(), "same.json")
    created = shelf.api.create_provisioning_artifact(
        ProductId=shelf.product, Parameters={"Name": "2", "Info": {"LoadTemplateFromURL": url}}
    )
    assert created["Info"] == {"TemplateUrl": url}
    shelf.account.put_template(queue_template(Parameters={}), "same.json")
    described = shelf.api.describe_provisioning_artifact(
        ProductId=shelf.product,
        ProvisioningArtifactId=created["ProvisioningArtifactDetail"]["Id"],
        IncludeProvisioningArtifactParameters=True,
    )
    names = [p["ParameterKey"] for p in described["ProvisioningArtifactParameters"]]
    assert names == ["Environment", "Delay"]


def test_hundred_versions_are_the_most_and_the_last_one_stays(shelf: Shelf) -> None:
    version = shelf.version("n", queue_template())
    for _ in range(99):
        shelf.api.create_provisioning_artifact(ProductId=shelf.product, Parameters=version)
    refused = code(
        shelf.api.create_provisioning_artifact, ProductId=shelf.product, Parameters=version
    )
    assert refused == "LimitExceededException"
    listed = shelf.api.list_provisioning_artifacts(ProductId=shelf.product)
    artifacts = listed["ProvisioningArtifactDetails"]
    assert len(artifacts) == 100
    for artifact in artifacts[1:]:
        shelf.api.delete_provisioning_artifact(
            ProductId=shelf.product, ProvisioningArtifactId=artifact["Id"]
        )
    last = {"ProductId": shelf.product, "ProvisioningArtifactId": artifacts[0]["Id"]}
    assert code(shelf.api.delete_provisioning_artifact, **last) == "ResourceInUseException"
