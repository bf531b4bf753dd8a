"""Provisioned products and their records: the operations that describe and search them."""

import re
from collections.abc import Iterable

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import callers, state
from embedded_aws.services.service_catalog.state import Answer, Record

_DETAIL = (
    "Name",
    "Arn",
    "Type",
    "Id",
    "Status",
    "StatusMessage",
    "CreatedTime",
    "IdempotencyToken",
    "LastRecordId",
    "LastProvisioningRecordId",
    "LastSuccessfulProvisioningRecordId",
    "ProductId",
    "ProvisioningArtifactId",
)
_RECORD = (
    "RecordId",
    "ProvisionedProductName",
    "Status",
    "CreatedTime",
    "UpdatedTime",
    "ProvisionedProductType",
    "RecordType",
    "ProvisionedProductId",
    "ProductId",
    "ProvisioningArtifactId",
    "PathId",
    "RecordErrors",
    "RecordTags",
    "LaunchRoleArn",
)
# API_SearchProvisionedProducts: the searchable fields, of which all but the tags are members.
_SEARCHABLE = {
    name.lower(): name
    for name in (
        *_DETAIL,
        "PhysicalId",
        "UserArn",
        "UserArnSession",
        "ProductName",
        "ProvisioningArtifactName",
    )
    if name != "StatusMessage"
}
_SORTED_BY = {"arn": "Arn", "id": "Id", "name": "Name", "lastrecordid": "LastRecordId"}


def provisioned_product_of(request: Request) -> Record:
    """The provisioned product of a request: by ID, name or ARN."""
    names = ("ProvisionedProductId", "ProvisionedProductName")
    if "Id" in request or "Name" in request:
        names = ("Id", "Name")
    given = state.exactly_one(request, *names)
    for provisioned in state.provisioned_products.values():
        known = ("Id",) if given.endswith("Id") else ("Name", "Arn")
        if request[given] in (provisioned[member] for member in known):
            found: Record = provisioned
            return found
    raise state.not_found("Provisioned product", request[given])


def detail(provisioned: Record) -> Record:
    """A provisioned product as DescribeProvisionedProduct shows it."""
    return state.present_members(provisioned, *_DETAIL, "LaunchRoleArn")


def record_detail(record: Record) -> Record:
    """A record in the form of all operations."""
    return state.present_members(record, *_RECORD)


def _describe(request: Request) -> Answer:
    return {
        "ProvisionedProductDetail": detail(provisioned_product_of(request)),
        "CloudWatchDashboards": [],
    }


def _visible(request: Request, default: str, found: Iterable[Record]) -> list[Record]:
    """The provisioned products that match the AccessLevelFilter: those of the account, or of the caller."""
    level = request.get("AccessLevelFilter") or {"Key": default, "Value": "self"}
    if level.get("Value", "self") != "self":
        raise state.invalid("The value of AccessLevelFilter must be self.")
    caller = callers.current()
    owner = {
        "Role": {"UserArn": caller.arn},
        "User": {"UserArnSession": caller.session_arn},
    }.get(level.get("Key", default), {})
    return [one for one in found if owner.items() <= one.items()]


def _scan(request: Request) -> Answer:
    found = _visible(request, "User", state.provisioned_products.values())
    return state.page(request, "ProvisionedProducts", map(detail, found))


def _search(request: Request) -> Answer:
    found = _visible(request, "Account", state.provisioned_products.values())
    attributes = [_attributes(one) for one in found]
    for query in (request.get("Filters") or {}).get("SearchQuery", []):
        attributes = [one for one in attributes if _matches(one, query)]
    by = request.get("SortBy")
    if by:
        if by.lower() not in _SORTED_BY:
            raise state.invalid(f"SortBy must be one of {', '.join(_SORTED_BY)}.")
        member = _SORTED_BY[by.lower()]
        attributes.sort(
            key=lambda one: str(one.get(member, "")),
            reverse=request.get("SortOrder") == "DESCENDING",
        )
    answer = state.page(request, "ProvisionedProducts", attributes)
    return {**answer, "TotalResultsCount": len(attributes)}


def _attributes(provisioned: Record) -> Record:
    """A provisioned product as SearchProvisionedProducts shows it."""
    product = state.find_in_any_account(state.products, provisioned["ProductId"]) or {}
    artifact = product.get("Artifacts", {}).get(provisioned["ProvisioningArtifactId"], {})
    names = {"ProductName": product.get("Name"), "ProvisioningArtifactName": artifact.get("Name")}
    return {
        **state.present_members(
            provisioned, *_DETAIL, "Tags", "PhysicalId", "UserArn", "UserArnSession"
        ),
        **state.present_members(names, *names),
    }


def _matches(attributes: Record, query: str) -> bool:
    """A query is text that any field contains, or field:value, with * as a wildcard."""
    field, colon, value = query.partition(":")
    if colon and field.lower() == "tags":
        return any(_is_like(text, value) for text in _tag_texts(attributes))
    if colon and field.lower() in _SEARCHABLE:
        return _is_like(str(attributes.get(_SEARCHABLE[field.lower()], "")), value)
    texts = [str(attributes.get(name, "")) for name in _SEARCHABLE.values()]
    return any(query.lower() in text.lower() for text in [*texts, *_tag_texts(attributes)])


def _tag_texts(attributes: Record) -> list[str]:
    tags = attributes.get("Tags", [])
    return [
        text for tag in tags for text in (tag["Key"], tag["Value"], f"{tag['Key']}:{tag['Value']}")
    ]


def _is_like(text: str, wanted: str) -> bool:
    expression = re.escape(wanted.strip('"')).replace(r"\*", ".*")
    return re.fullmatch(expression, text, re.IGNORECASE) is not None


def _describe_record(request: Request) -> Answer:
    record = state.find(state.records, "Record", request["Id"])
    paged = state.page(request, "RecordOutputs", record["Outputs"])
    return {"RecordDetail": record_detail(record), **paged}


def _list_records(request: Request) -> Answer:
    found = _visible(request, "User", state.records.values())
    wanted = request.get("SearchFilter") or {}
    members = {"product": "ProductId", "provisionedproduct": "ProvisionedProductId"}
    if wanted:
        member = members.get(wanted.get("Key", ""))
        if member is None:
            raise state.invalid(f"The key of SearchFilter must be one of {', '.join(members)}.")
        found = [record for record in found if record[member] == wanted.get("Value")]
    newest_first = sorted(found, key=lambda record: -record["CreatedTime"])
    return state.page(request, "RecordDetails", map(record_detail, newest_first))


def _outputs(request: Request) -> Answer:
    provisioned = provisioned_product_of(request)
    last = provisioned.get("LastSuccessfulProvisioningRecordId")
    if last is None:
        raise state.invalid(
            f"Last Successful Provisioning Record doesn't exist for {provisioned['Id']}."
        )
    outputs = state.records[last]["Outputs"]
    keys = request.get("OutputKeys")
    if keys:
        unknown = sorted(set(keys) - {output["OutputKey"] for output in outputs})
        if unknown:
            raise state.invalid(f"Invalid output keys: {', '.join(unknown)}.")
        outputs = [output for output in outputs if output["OutputKey"] in keys]
    return state.page(request, "Outputs", outputs)


OPERATIONS = {
    "DescribeProvisionedProduct": _describe,
    "ScanProvisionedProducts": _scan,
    "SearchProvisionedProducts": _search,
    "DescribeRecord": _describe_record,
    "ListRecordHistory": _list_records,
    "GetProvisionedProductOutputs": _outputs,
}
