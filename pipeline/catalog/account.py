"""What one region's plan holds for the whole account, as roles have no region: boundaries, and launch roles left over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pipeline.aws import Aws, sentences
from pipeline.catalog.boundaries import boundary_steps, environment_roles
from pipeline.catalog.desired import Desired
from pipeline.catalog.observe_versions import provisioned
from pipeline.catalog.observed import Observed
from pipeline.catalog.steps import Action, Kind, Step
from pipeline.errors import listed
from templates_src.launch_role.template import LAUNCH_ROLE_NAME

# Steps that are taken once an account, before any region's.
OF_ACCOUNT = (Kind.LAUNCH_ROLE, Kind.BOUNDARY)
Region = tuple[Aws, Observed]


def account_steps(
    home: Aws,
    desired: Desired,
    wanted_stacks: Collection[str],
    regions: Sequence[Region],
    *,
    complete: bool,
) -> Iterator[Step]:
    """The steps for roles of environments, and a report for each launch role that catalog.yaml no longer names.

    ``regions`` are those that are planned, with what is there; ``complete`` says that they are all of catalog.yaml's.
    """
    outdated = {
        key
        for _, observed in regions
        for key, product in observed.products.items()
        if any(version.open and version.users for version in product.versions)
    }
    roles = environment_roles(home, desired.project)
    yield from boundary_steps(roles, desired.boundaries, outdated if complete else None)
    left = {
        name: stack.parameters.get(LAUNCH_ROLE_NAME.name, "")
        for _, observed in regions
        for name, stack in observed.role_stacks.items()
        if name not in wanted_stacks
    }
    if left:
        holders = holders_of(regions)
        for name, role in left.items():
            yield left_over(name, role, holders.get(role, ()))


def left_over(stack: str, role: str, holders: Sequence[str]) -> Step:
    """The report of a launch role that no portfolio has any more."""
    reason = "is no longer in catalog.yaml; "
    if holders:
        reason += f"{listed(list(holders))} would be terminated with it: update each once, then delete stack {stack} by hand"
    else:
        reason += f"nothing was launched with it: delete stack {stack} by hand"
    return Step(Action.REPORT, Kind.LAUNCH_ROLE, f"{role} (stack {stack})", reason)


def holders_of(regions: Sequence[Region]) -> Mapping[str, tuple[str, ...]]:
    """The provisioned products of our products by the name of the launch role that would terminate them."""
    found: dict[str, tuple[str, ...]] = {}
    for aws, observed in regions:
        catalog: Any = aws.client("servicecatalog")
        with sentences(f"read the provisioned products of {aws.region}"):
            for product in observed.products.values():
                for entry in provisioned(catalog, product.id):
                    detail = catalog.describe_provisioned_product(Id=entry["Id"])
                    arn = detail["ProvisionedProductDetail"].get("LaunchRoleArn", "")
                    role = arn.rpartition("/")[2]
                    found[role] = (*found.get(role, ()), f"{entry['Name']} ({entry['Id']})")
    return found
