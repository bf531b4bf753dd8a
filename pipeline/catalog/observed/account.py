"""Read the account-wide state: the provisioned products of each launch role."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.observed.boundaries import EnvironmentRole, environment_roles
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.observed.versions import provisioned_products
from templates_src.access.launcher import LAUNCHER_ROLE_NAME
from templates_src.launch_role.template import LAUNCH_ROLE_NAME

Region = tuple[Aws, Observed]


@dataclass(frozen=True)
class ObservedAccount:
    """The state of the whole account: roles have no region.

    ``roles`` are the roles of environments. ``outdated`` are the products of which an environment still has a version
    without boundaries, in the regions that were read. ``left`` are the launch roles that no portfolio uses, by stack:
    the role, and the provisioned products that still need it. ``left_launchers`` are the launcher roles that no
    portfolio uses, with the provisioned products that belong to them.
    """

    roles: tuple[EnvironmentRole, ...]
    outdated: frozenset[str]
    left: Mapping[str, tuple[str, tuple[str, ...]]]
    left_launchers: Mapping[str, tuple[str, tuple[str, ...]]]


def observe_account(
    home: Aws, desired: Desired, wanted_stacks: Collection[str], regions: Sequence[Region]
) -> ObservedAccount:
    """Read the state of the account.

    ``wanted_stacks`` are the stacks of the roles in catalog.yaml, ``regions`` the planned regions with their
    observed state. Raises PipelineError where AWS denies a read.
    """
    outdated = frozenset(
        key
        for _, observed in regions
        for key, product in observed.products.items()
        if any(version.open and version.users for version in product.versions)
    )
    left = {
        name: stack.parameters.get(LAUNCH_ROLE_NAME.name, "")
        for _, observed in regions
        for name, stack in observed.role_stacks.items()
        if name not in wanted_stacks
    }
    holders = products_by_launch_role(regions) if left else {}
    return ObservedAccount(
        environment_roles(home, desired.project),
        outdated,
        {name: (role, holders.get(role, ())) for name, role in left.items()},
        left_launchers(wanted_stacks, regions),
    )


def left_launchers(
    wanted_stacks: Collection[str], regions: Sequence[Region]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The launcher roles that no portfolio uses, by stack, with the provisioned products that belong to each."""
    left = {
        name: stack.parameters.get(LAUNCHER_ROLE_NAME.name, "")
        for _, observed in regions
        for name, stack in observed.launcher_stacks.items()
        if name not in wanted_stacks
    }
    owned: dict[str, tuple[str, ...]] = {}
    for aws, observed in regions if left else ():
        with aws_errors(f"read the provisioned products of {aws.region}"):
            for product in observed.products.values():
                for entry in provisioned_products(aws.client("servicecatalog"), product.id):
                    role = entry["UserArn"].rpartition("/")[2]
                    owned[role] = (*owned.get(role, ()), f"{entry['Name']} ({entry['Id']})")
    return {name: (role, owned.get(role, ())) for name, role in left.items()}


def products_by_launch_role(regions: Sequence[Region]) -> Mapping[str, tuple[str, ...]]:
    """The provisioned products of this publisher's products, by the name of the launch role that would terminate them."""
    found: dict[str, tuple[str, ...]] = {}
    for aws, observed in regions:
        catalog: Any = aws.client("servicecatalog")
        with aws_errors(f"read the provisioned products of {aws.region}"):
            for product in observed.products.values():
                for entry in provisioned_products(catalog, product.id):
                    detail = catalog.describe_provisioned_product(Id=entry["Id"])
                    arn = detail["ProvisionedProductDetail"].get("LaunchRoleArn", "")
                    role = arn.rpartition("/")[2]
                    found[role] = (*found.get(role, ()), f"{entry['Name']} ({entry['Id']})")
    return found
