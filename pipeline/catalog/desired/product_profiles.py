"""The profiles that define the products' values, and the project that the profiles name."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalog.spec.model import Catalog, Product
from pipeline.errors import PipelineError, listed
from pipeline.parameters.profiles import display_path, load_profile, profile_names
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from templates_src.core.parameters.shared import PROJECT


def profile_values(
    release: Release, product: Product, profiles: Path = PARAMETERS
) -> dict[str, str]:
    """The values of the product's profile."""
    if product.profile not in profile_names(profiles):
        raise product.refuse(
            product.profile,
            f"but no profile has this name; the profiles are {listed(profile_names(profiles))}.",
        )
    return load_profile(release.root, product.profile, profiles)


def project_of(release: Release, catalog: Catalog, profiles: Path = PARAMETERS) -> str:
    """The project of the published environments: that of the profiles, or the default if all products are layers.

    Raises PipelineError for profiles of several projects, because a launch role launches one.
    """
    found: dict[str, str] = {}
    for product in catalog.products:
        if product.profile:
            found[profile_values(release, product, profiles)[PROJECT.name]] = product.profile
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise PipelineError(
            f"{display_path(profiles / f'{first}.json')} is of {PROJECT.name} {one!r} and {display_path(profiles / f'{second}.json')} "
            f"of {other!r}, but a launch role launches one project; use the same in both, or publish from two accounts."
        )
    return next(iter(found), PROJECT.default or "")
