"""The environments and layers that were launched in a region: version, status, last operation, cost, and what an update would lose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of, token_pages
from pipeline.catalog.spec.model import Catalog, Product
from pipeline.changes.sides import of_release
from pipeline.changes.state import State, evaluate, with_defaults
from pipeline.cost import prices
from pipeline.cost.table import monthly_cost
from pipeline.environments.preview.deployed import Deployed, describes_environment, read_deployed
from pipeline.environments.preview.offered import offered_state
from pipeline.environments.preview.preview import preview
from pipeline.environments.provisioning.offers import OfferedProduct, find_product
from pipeline.environments.provisioning.planned_updates import OF_THE_VERSION
from pipeline.environments.provisioning.records import DENIED, read_record
from pipeline.errors import PipelineError, listed
from pipeline.release.assemble import Release
from pipeline.stacks.reading import read_stack
from templates_src.environment import ROOT

_VERSION = re.compile(r"Carbon Connect (\S+): ")
# The levels at which Service Catalog lists provisioned products, the widest first.
_LEVELS = ("Account", "Role", "User")
_PARALLEL = 8

CURRENT = "is the newest version"
NOTHING = "nothing"


@dataclass(frozen=True)
class Launched:
    """A provisioned product, or a stack that was launched without Service Catalog.

    ``source`` is the name of its product, or ``stack``. ``newest`` is the newest version that an update leads to. ``monthly_usd`` is the
    cost in US dollars, and ``loses`` what an update to the newest version would lose. A value that is not known is empty, or says why.
    """

    region: str
    name: str
    source: str
    version: str
    newest: str
    status: str
    operation: str
    monthly_usd: str
    loses: str

    def document(self) -> dict[str, str]:
        """The environment as JSON data."""
        return {
            "Region": self.region,
            "Name": self.name,
            "Source": self.source,
            "Version": self.version,
            "Newest": self.newest,
            "Status": self.status,
            "LastOperation": self.operation,
            "MonthlyUsd": self.monthly_usd,
            "UpdateLoses": self.loses,
        }


def launched_in(aws: Aws, release: Release, catalog: Catalog) -> list[Launched]:
    """What was launched in a region, by name. Raises PipelineError where the region cannot be read."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for service in ("cloudformation", "servicecatalog", "s3", "sts"):
            # boto3 does not create clients in parallel.
            aws.client(service)
        products = [
            pool.submit(_of_product, aws, catalog, entry) for entry in provisioned(aws, catalog)
        ]
        stacks = [pool.submit(_of_stack, aws, release, stack) for stack in direct_stacks(aws)]
        found = [each.result() for each in (*products, *stacks)]
    return sorted(found, key=lambda each: (each.name, each.source))


def provisioned(aws: Aws, catalog: Catalog) -> list[Mapping[str, Any]]:
    """The provisioned products of the catalog's products that these credentials can see."""
    from botocore.exceptions import ClientError

    names = {product.name for product in catalog.products}
    search = aws.client("servicecatalog").search_provisioned_products
    with aws_errors(f"read the provisioned products of {aws.region}"):
        for level in _LEVELS:
            try:
                entries = list(
                    token_pages(
                        search,
                        "ProvisionedProducts",
                        AccessLevelFilter={"Key": level, "Value": "self"},
                        PageSize=100,
                    )
                )
            except ClientError as error:
                if code_of(error) not in DENIED or level == _LEVELS[-1]:
                    raise
            else:
                return [entry for entry in entries if entry.get("ProductName") in names]
    return []


def direct_stacks(aws: Aws) -> list[Mapping[str, Any]]:
    """The root stacks of environments that were launched without Service Catalog; none without the permission to list stacks."""
    from botocore.exceptions import ClientError

    with aws_errors(f"read the stacks of {aws.region}"):
        try:
            pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
            return [stack for page in pages for stack in page["Stacks"] if _is_direct(stack)]
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            return []


def _is_direct(stack: Mapping[str, Any]) -> bool:
    return (
        describes_environment(stack.get("Description", ""))
        and not stack["StackName"].startswith("SC-")
        and "ParentId" not in stack
    )


def _of_product(aws: Aws, catalog: Catalog, entry: Mapping[str, Any]) -> Launched:
    (product,) = (each for each in catalog.products if each.name == entry["ProductName"])
    offered = _offered(aws, product)
    newest = _newest(offered)
    version = entry.get("ProvisioningArtifactName", entry["ProvisioningArtifactId"])
    cost, loses = "", "not known: it is a single layer"
    if product.profile:

        def after(deployed: Deployed) -> State:
            kept = {
                name: value
                for name, value in deployed.state.values.items()
                if name not in OF_THE_VERSION
            }
            return offered_state(aws, deployed, product.key, newest, kept)

        cost, loses = _compared(aws, entry.get("PhysicalId", ""), version, newest, after)
    elif version == newest:
        loses = CURRENT
    return Launched(
        aws.region,
        entry["Name"],
        product.name,
        version,
        newest,
        entry["Status"],
        _last_operation(aws, entry.get("LastRecordId", "")),
        cost,
        loses,
    )


def _of_stack(aws: Aws, release: Release, stack: Mapping[str, Any]) -> Launched:
    found = _VERSION.match(stack["Description"])
    version = found[1] if found else ""

    def after(deployed: Deployed) -> State:
        templates = of_release(release, {}).templates
        declared = release.root.declarations
        kept = {
            name: value
            for name, value in deployed.state.values.items()
            # The release gives its own prefix.
            if name in declared and not (declared[name].release and declared[name].default)
        }
        values = with_defaults(templates[ROOT], kept, "")
        return State(templates, values, aws.region, ROOT)

    cost, loses = _compared(aws, stack["StackId"], version, release.version, after)
    changed = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return Launched(
        aws.region,
        stack["StackName"],
        "stack",
        version,
        release.version,
        stack["StackStatus"],
        f"{stack['StackStatus']}, {changed:%Y-%m-%d %H:%M %Z}",
        cost,
        loses,
    )


def _offered(aws: Aws, product: Product) -> OfferedProduct | None:
    try:
        return find_product(aws, product.name)
    except PipelineError:
        # Another role launches it.
        return None


def _newest(offered: OfferedProduct | None) -> str:
    try:
        return offered.newest().name if offered else ""
    except PipelineError:
        return ""


def _last_operation(aws: Aws, record_id: str) -> str:
    if not record_id:
        return ""
    try:
        with aws_errors(f"read record {record_id}"):
            record = read_record(aws, record_id)
    except PipelineError:
        return "not known"
    return f"{record['RecordType']} {record['Status']}, {record['UpdatedTime']:%Y-%m-%d %H:%M %Z}"


def _compared(
    aws: Aws, stack_id: str, version: str, newest: str, after: Callable[[Deployed], State]
) -> tuple[str, str]:
    """The monthly cost of a deployed environment, and what an update to the newest version would lose."""
    if not stack_id:
        return "", "not known: it has no stack"
    try:
        with aws_errors(f"read the stack {stack_id}"):
            stack = read_stack(aws, stack_id)
        if stack is None:
            return "", "not known: it has no stack"
        deployed = read_deployed(aws, stack)
    except PipelineError as error:
        return "", f"not known: {error}"
    try:
        return _cost(deployed, aws.region), _loses(deployed, version, newest, after)
    except PipelineError as error:
        return _cost(deployed, aws.region), f"not known: {error}"


def _cost(deployed: Deployed, region: str) -> str:
    if region != prices.REGION:
        return ""
    try:
        resources = evaluate(deployed.state).resources.values()
    except (PipelineError, LookupError, TypeError, ValueError):
        return ""
    return f"{monthly_cost(resources, region).known():,.0f}"


def _loses(
    deployed: Deployed, version: str, newest: str, after: Callable[[Deployed], State]
) -> str:
    if not newest:
        return "not known: the newest version is not offered to these credentials"
    if version == newest:
        return CURRENT
    found = preview(deployed, after(deployed))
    names = [str(change.name) for change in found.losses()]
    return listed(names) or NOTHING


def in_regions(
    regions: Sequence[str],
    connect: Callable[[str], Aws],
    release: Release,
    catalog: Catalog,
) -> Iterator[tuple[str, list[Launched] | PipelineError]]:
    """What was launched in each region, or the reason why the region cannot be read; the regions are read in parallel."""

    def one(region: str) -> list[Launched] | PipelineError:
        try:
            return launched_in(connect(region), release, catalog)
        except PipelineError as error:
            return error

    with ThreadPoolExecutor(max(1, len(regions))) as pool:
        yield from zip(regions, pool.map(one, regions), strict=True)
