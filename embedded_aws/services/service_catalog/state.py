"""The records of the embedded Service Catalog by account and region, and the lookups of operations."""

import secrets
import string
from collections.abc import Iterable, Sequence
from typing import Any

from ministack.core.responses import AccountScopedDict, get_account_id, get_region

from embedded_aws.bridge import tables
from embedded_aws.services.records import Request, ServiceError, new_store

Answer = dict[str, Any]
Record = dict[str, Any]

portfolios = new_store()
products = new_store()
# Copies of the templates, by the ID of the provisioning artifact.
templates = new_store()
constraints = new_store()
tag_options = new_store()
shares = new_store()
# Operations on shares, by their tokens.
share_operations = new_store()
# Whether the account can share with the organization; one setting for all regions.
organizations_access: Any = AccountScopedDict()
# Principals that an account has associated with a portfolio of another, by the portfolio.
local_principals = new_store()
provisioned_products = new_store()
records = new_store()
# The answers by idempotency token.
tokens = new_store()

STORES = {
    "portfolios": portfolios,
    "products": products,
    "templates": templates,
    "constraints": constraints,
    "tag_options": tag_options,
    "shares": shares,
    "share_operations": share_operations,
    "organizations_access": organizations_access,
    "local_principals": local_principals,
    "provisioned_products": provisioned_products,
    "records": records,
    "tokens": tokens,
}

_PAGE = 20
_MOST_TAGS = 20


def new_id(prefix: str) -> str:
    """An identifier in the service's form: port-a1b2c3d4e5f6g."""
    letters = string.ascii_lowercase + string.digits
    return f"{prefix}-{''.join(secrets.choice(letters) for _ in range(13))}"


def arn(kind: str, identifier: str) -> str:
    """The ARN of a portfolio or product of this account and region."""
    return f"arn:aws:catalog:{get_region()}:{get_account_id()}:{kind}/{identifier}"


def present_members(record: Record, *names: str) -> Record:
    """The members of `record` with these names that have a value."""
    return {name: record[name] for name in names if record.get(name) is not None}


def not_found(kind: str, identifier: Any) -> ServiceError:
    """The error for a resource that does not exist."""
    return ServiceError("ResourceNotFoundException", f"{kind} {identifier} not found.")


def invalid(message: str) -> ServiceError:
    """The error for an invalid request."""
    return ServiceError("InvalidParametersException", message)


def in_use(message: str) -> ServiceError:
    """The error for the deletion of a resource in use."""
    return ServiceError("ResourceInUseException", message)


def limit_error(limit: int, what: str) -> ServiceError:
    """The error for a quota that would be exceeded."""
    return ServiceError("LimitExceededException", f"You have exceeded the limit of {limit} {what}.")


def records_of_all_accounts(store: Any) -> list[Any]:
    """The records of every account in this region; a shared portfolio refers to records of its owner."""
    return [value for (_, region, _), value in tables.everywhere(store) if region == get_region()]


def find_in_any_account(store: Any, identifier: str) -> Any:
    """The record with this ID of any account in this region; None if no account has one."""
    for (_, region, key), value in tables.everywhere(store):
        if (region, key) == (get_region(), identifier):
            return value
    return None


def find(store: Any, kind: str, identifier: str) -> Record:
    """The record with this ID; an error if it does not exist."""
    record: Record | None = store.get(identifier)
    if record is None:
        raise not_found(kind, identifier)
    return record


def record_named(kind: str, name: str, named: Sequence[Record]) -> Record:
    """The only record with this name; an error for several, because names need not be unique in Service Catalog."""
    if not named:
        raise not_found(kind, name)
    if len(named) > 1:
        raise invalid(f"Multiple {kind} with name {name} found.")
    return named[0]


def exactly_one(request: Request, *names: str) -> str:
    """The member that the request has; it must have exactly one of these."""
    given = [name for name in names if request.get(name)]
    if len(given) != 1:
        raise invalid(f"Exactly one of {' and '.join(names)} must be given.")
    return given[0]


def page(
    request: Request, member: str, items: Iterable[Any], *, following: str = "NextPageToken"
) -> Answer:
    """One page of `items` under `member`; `following` names the token of the next."""
    everything = list(items)
    given = request.get("PageToken") or "0"
    if not given.isdecimal() or int(given) > len(everything):
        raise invalid(f"PageToken {given} is not valid.")
    start = int(given)
    end = start + (request.get("PageSize") or _PAGE)
    answer = {member: everything[start:end]}
    return answer | ({following: str(end)} if end < len(everything) else {})


def tags_after(record: Record, request: Request) -> list[Record]:
    """The tags of a portfolio or product after an update."""
    tags = {tag["Key"]: tag["Value"] for tag in record["Tags"]}
    for key in request.get("RemoveTags", []):
        tags.pop(key, None)
    tags |= {tag["Key"]: tag["Value"] for tag in request.get("AddTags", [])}
    return checked_tags([{"Key": key, "Value": value} for key, value in tags.items()])


def checked_tags(tags: list[Record]) -> list[Record]:
    """The tags; an error for too many tags or a duplicate key."""
    if len(tags) > _MOST_TAGS:
        raise limit_error(_MOST_TAGS, "tags per resource")
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise invalid("Duplicate tag keys are not allowed.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid("Tag keys that start with aws: are reserved.")
    return tags
