"""The offers of Service Catalog to these credentials: a product, its versions, and the launch path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, token_pages
from pipeline.errors import PipelineError, listed, suggestion
from pipeline.parameters.profiles import rejection
from templates_src.core.parameters.declaration import Declaration

DEPRECATED = "DEPRECATED"


@dataclass(frozen=True)
class OfferedProduct:
    """A product that these credentials can launch; ``versions`` are its active ones, oldest first."""

    id: str
    name: str
    versions: tuple[Version, ...]

    def newest(self) -> Version:
        """The default version of a launch: the newest that is not deprecated."""
        launchable = [version for version in self.versions if not version.deprecated]
        if not launchable:
            raise PipelineError(
                f"Product {self.name} has no version that can be launched; publish one with `.venv/bin/python build.py publish`."
            )
        return launchable[-1]

    def named(self, name: str) -> Version:
        """The active version with this name; of two, the newer."""
        for version in reversed(self.versions):
            if version.name == name:
                return version
        has = listed([version.name for version in self.versions]) or "none"
        raise PipelineError(
            f"Product {self.name} has no active version {name!r}; its active versions are: {has}. Retired versions cannot be launched or updated to."
        )

    def of_artifact(self, artifact_id: str) -> Version | None:
        """The active version with this ID."""
        return next((v for v in self.versions if v.id == artifact_id), None)


@dataclass(frozen=True)
class Version:
    """A version of a product; ``id`` is that of its provisioning artifact."""

    id: str
    name: str
    deprecated: bool


@dataclass(frozen=True)
class Offer:
    """A version on one launch path: its parameters, and the values of its tag options."""

    product: OfferedProduct
    version: Version
    path_id: str
    parameters: Mapping[str, Declaration]
    tag_options: Mapping[str, tuple[str, ...]]

    def check(self, settings: Mapping[str, str], *, complete: bool) -> None:
        """Raise PipelineError for settings that AWS would reject: an unknown name, an invalid value and, with ``complete``, a missing value."""
        for name in sorted(settings.keys() - self.parameters.keys()):
            meant = suggestion(name, self.parameters)
            ending = f"; {meant}" if meant else "."
            raise PipelineError(
                f"--set names {name}, which is not a parameter of {self.product.name} {self.version.name}{ending}"
            )
        for name, value in settings.items():
            reason = rejection(self.parameters[name], value)
            if reason:
                raise PipelineError(f"--set: {name} is {value!r}. {reason}")
        for name, parameter in self.parameters.items():
            if complete and parameter.default is None and name not in settings:
                raise PipelineError(f"{name} has no value; set it with --set {name}=VALUE.")


def find_product(aws: Aws, name: str) -> OfferedProduct:
    """The product with this name that these credentials can launch.

    Raises PipelineError if there is none, or if two have the name.
    """
    with aws_errors(f"look for product {name}"):
        catalog = aws.client("servicecatalog")
        # Service Catalog's search is not used: it finds words, which other names contain too.
        offered = token_pages(catalog.search_products, "ProductViewSummaries")
        ids = sorted({view["ProductId"] for view in offered if view["Name"] == name})
        if not ids:
            raise PipelineError(
                f"These credentials can launch no product {name!r} in {aws.region}; publish it with `.venv/bin/python build.py publish`, add your role to catalog.yaml, or launch with --direct."
            )
        if len(ids) > 1:
            raise PipelineError(
                f"{len(ids)} products are named {name!r} ({listed(ids)}); remove the one that you do not use from your portfolios."
            )
        found = catalog.describe_product(Id=ids[0])
    artifacts = sorted(found["ProvisioningArtifacts"], key=lambda each: each["CreatedTime"])
    versions = (Version(a["Id"], a["Name"], a.get("Guidance") == DEPRECATED) for a in artifacts)
    return OfferedProduct(ids[0], name, tuple(versions))


def launch_path(aws: Aws, product: OfferedProduct, *, named: str = "", before: str = "") -> str:
    """The ID of the launch path: the named one, else the one of ``before``, else the only one.

    ``named`` is a portfolio's name or the path's ID. Raises PipelineError if no path matches, or several do.
    """
    with aws_errors(f"look for launch paths of product {product.name}"):
        found = token_pages(
            aws.client("servicecatalog").list_launch_paths,
            "LaunchPathSummaries",
            ProductId=product.id,
        )
        paths: dict[str, str] = {path["Id"]: path["Name"] for path in found}
    if not named and before in paths:
        return before
    fitting = [path for path, name in paths.items() if named in {"", path, name}]
    if len(fitting) == 1:
        return fitting[0]
    names = listed(sorted(paths.values()))
    if not paths:
        raise PipelineError(
            f"No portfolio gives these credentials access to {product.name}; add your role to catalog.yaml, or launch with --direct."
        )
    if not fitting:
        raise PipelineError(
            f"Product {product.name} has no launch path {named!r}; these portfolios offer it: {names}."
        )
    raise PipelineError(
        f"{names} offer product {product.name}; select one of them with --portfolio."
    )


def read_offer(aws: Aws, product: OfferedProduct, version: Version, path_id: str) -> Offer:
    """The parameters and tag options of a version, for a launch or an update."""
    with aws_errors(f"read the parameters of {product.name} {version.name}"):
        described = aws.client("servicecatalog").describe_provisioning_parameters(
            ProductId=product.id, ProvisioningArtifactId=version.id, PathId=path_id
        )
    parameters = (
        declaration_of(each, product)
        for each in described.get("ProvisioningArtifactParameters", [])
    )
    return Offer(
        product,
        version,
        path_id,
        {parameter.name: parameter for parameter in parameters},
        {each["Key"]: tuple(each["Values"]) for each in described.get("TagOptions", [])},
    )


def declaration_of(parameter: Mapping[str, Any], product: OfferedProduct) -> Declaration:
    """A parameter from Service Catalog's description."""
    limits = parameter.get("ParameterConstraints", {})
    name, allowed = parameter["ParameterKey"], tuple(limits.get("AllowedValues", ()))
    message = limits.get("ConstraintDescription") or None
    if allowed:
        # The template's message names all values of the template; a constraint allows fewer.
        message = f"{name} must be {choices_text(allowed)} in {product.name}."

    def whole(name: str) -> int | None:
        return int(limits[name]) if limits.get(name) else None

    return Declaration(
        name=name,
        group="",
        label="",
        description=parameter.get("Description", ""),
        type=parameter.get("ParameterType", "String"),
        default=parameter.get("DefaultValue"),
        allowed=allowed,
        pattern=limits.get("AllowedPattern") or None,
        message=message,
        min_length=whole("MinLength"),
        max_length=whole("MaxLength"),
        min_value=whole("MinValue"),
        max_value=whole("MaxValue"),
    )


def choices_text(values: Sequence[str]) -> str:
    """The allowed values, to follow "must be"."""
    return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
