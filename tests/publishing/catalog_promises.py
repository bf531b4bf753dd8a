"""What docs/publishing.md promises about the catalog, as checks of catalog.yaml as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release, template_path
from templates_src.core.parameters.shared import ENVIRONMENT

PROTECTED = "prod"
# The template and the parameter that name each role of a portfolio, and the publisher's prefix of both.
ROLES = {
    "launch_role": ("launch-role", "LaunchRoleName"),
    "launcher_role": ("launcher-role", "LauncherRoleName"),
}
PUBLISHER, PREFIX = "publisher-role", "BootstrapRolePrefix"


def document() -> dict[str, Any]:
    """catalog.yaml as data."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(
        Path(PROJECT_FOLDER / "catalog.yaml").read_text(encoding="utf-8")
    )
    return found


def broken_promises(catalog: Mapping[str, Any], release: Release) -> Iterator[str]:
    """The broken promises, each a sentence."""
    products, portfolios = catalog["products"], catalog["portfolios"]
    yield from _of_products(products, release)
    offered = [name for each in portfolios.values() for name in each["products"]]
    for name in sorted(set(products) ^ set(offered)):
        yield f"{name} is in the products or in a portfolio, not in both."
    for name in sorted({name for name in offered if offered.count(name) > 1}):
        yield f"{name} is in two portfolios, so that two launch roles reach its environments."
    roles = [each["launch_role"] for each in portfolios.values()]
    if len(set(roles)) != len(roles):
        yield "Two portfolios share a launch role."
    named = role_names(release)
    yield from _of_launchers(portfolios, products)
    for title, portfolio in portfolios.items():
        yield from _of_portfolio(title, portfolio, products, named)


def _of_products(products: Mapping[str, Any], release: Release) -> Iterator[str]:
    profiles = {name: load_profile(release.root, name) for name in profile_names()}
    kinds = [each.get("profile") or each.get("layer") for each in products.values()]
    for kind in sorted({*profiles, *(layer.name for layer in release.layers)} ^ set(kinds)):
        yield f"{kind} has no product, or is no profile and no layer."
    for name, product in products.items():
        profile = product.get("profile")
        if product.get("layer", name) != name or not name.startswith(profile or name):
            yield f"The product {name} launches {profile or product.get('layer')}."
        if name not in product["name"].lower():
            yield f"The product {name} has the name {product['name']}."
        wanted = set(_protecting(profiles, release)) if profile == PROTECTED else set()
        if set(product.get("fixed", ())) != wanted:
            yield f"The product {name} fixes {sorted(product.get('fixed', ()))}, not {sorted(wanted)}."


def _protecting(profiles: Mapping[str, Mapping[str, str]], release: Release) -> Iterator[str]:
    """The choices in which prod differs from each other profile; sizes and names are no choices."""
    for name, value in profiles[PROTECTED].items():
        declared = release.root.declarations[name]
        others = [each.get(name) for title, each in profiles.items() if title != PROTECTED]
        named = name == ENVIRONMENT.name
        if declared.allowed and value not in others and not (value.isdigit() or named):
            yield name


def role_names(release: Release) -> dict[str, str]:
    """The default names of the roles of a portfolio, by key of the catalog, and the publisher's prefix under its own."""
    found = {}
    for key, (template, parameter) in {**ROLES, PREFIX: (PUBLISHER, PREFIX)}.items():
        body = json.loads(release.bootstrap_stacks[template_path(template)])
        found[key] = str(body["Parameters"][parameter]["Default"])
    return found


def _of_launchers(portfolios: Mapping[str, Any], products: Mapping[str, Any]) -> Iterator[str]:
    """Whether users who launch other products are kept from production."""
    users: dict[bool, set[str]] = {True: set(), False: set()}
    for portfolio in portfolios.values():
        protected = PROTECTED in {products.get(n, {}).get("profile") for n in portfolio["products"]}
        users[protected].add(portfolio.get("launcher_role", ""))
    for role in sorted(users[True] & users[False]):
        yield f"Users with the role {role!r} launch {PROTECTED} and other products."


def _of_portfolio(
    title: str,
    portfolio: Mapping[str, Any],
    products: Mapping[str, Any],
    named: Mapping[str, str],
) -> Iterator[str]:
    for key in ROLES:
        role = portfolio.get(key, "")
        if not role.startswith(named[PREFIX]):
            yield f"Portfolio {title} has the {key} {role!r}, which a publisher cannot deploy: its roles begin with {named[PREFIX]}."
        if role != named[key] and not role.startswith(f"{named[key]}-"):
            yield f"Portfolio {title} has the {key} {role!r}, not {named[key]} with a suffix."
    launched = {products[name].get("profile") for name in portfolio["products"] if name in products}
    profiles = sorted(name for name in launched if name)
    if PROTECTED in profiles and len(portfolio["products"]) > 1:
        yield f"Portfolio {title} offers {PROTECTED} beside others, so that their users can launch it."
    purpose = portfolio["launch_role"].removeprefix(f"{named['launch_role']}-")
    if purpose == portfolio["launch_role"] or not (
        purpose in portfolio["products"] or purpose == title
    ):
        yield f"Portfolio {title} has the launch role {portfolio['launch_role']}."
    wanted = {f"role/carbon-connect/{name}/*" for name in profiles}
    if set(portfolio.get("principals", ())) != wanted:
        yield f"Portfolio {title} is used by {portfolio.get('principals')}, not by {sorted(wanted)}."
    layers = [name for name in portfolio["products"] if "layer" in products.get(name, {})]
    if bool(layers) != bool(portfolio.get("environments")) or (
        layers and set(portfolio["environments"]) != set(profile_names()) - {PROTECTED}
    ):
        yield f"Portfolio {title} launches single layers of {portfolio.get('environments')}."
    if PROTECTED in portfolio.get("environments", ()):
        yield f"Portfolio {title} launches single layers of {PROTECTED}."
    if not portfolio.get("tag_options"):
        yield f"Portfolio {title} has no cost center."
