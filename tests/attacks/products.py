"""The published products on an embedded AWS, and launches that they do not offer.

Products have the parameters, rules and constraints of `publish`, without resources: every refusal here comes before
CloudFormation creates a resource, and a launch without its guard needs none.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from commands.common.embedded_sessions import launcher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions, publish
from pipeline.catalog.spec.document import load_catalog
from pipeline.parameters.profiles import load_profile
from pipeline.release.assemble import Release, serialize, template_path
from pipeline.release.upload import release_bucket_name
from pipeline.template.example_values import ACCOUNT
from tests.attacks.launching import DEVELOPER, OPERATOR
from tests.attacks.outside import OUTSIDER
from tests.conftest import REGION
from tests.launch_role.test_deployed import settled
from tests.publishing.conftest import WAITS
from tests.relations.variants import built

LAUNCHER = "carbon-connect-launcher"
PRODUCTION_LAUNCHER = "carbon-connect-launcher-production"
KEPT = ("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules")
# A role of the account that is not a principal of a portfolio.
SOMEBODY = "analyst"
Template = dict[str, Any]
Values = Mapping[str, str]
# Removes one guard of a product; returns the version to launch then.
Opening = Callable[["Published", str], str]


def forms_only(release: Release) -> Release:
    """The release with templates that create nothing: parameters and rules only."""
    files = dict(release.files)
    for name in (release.root.name, *(layer.name for layer in release.layers)):
        body = json.loads(files[template_path(name)])
        form = {key: body[key] for key in KEPT if key in body}
        form["Resources"] = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
        files[template_path(name)] = serialize(form)
    return replace(release, files=files)


class Published:
    """An account with the published catalog.yaml, and its users."""

    def __init__(self, embedded: EmbeddedAws, release: Release) -> None:
        self.aws = Aws(REGION, embedded.environment())
        self.release = forms_only(release)
        self.catalog = load_catalog()
        publish(plan_regions(lambda _region: self.aws, self.release, self.catalog), waits=WAITS)
        self.admin: Any = self.aws.client("servicecatalog")
        self.users: dict[str, Any] = {
            name: launcher(self.aws, release, name).client("servicecatalog")
            for name in (LAUNCHER, PRODUCTION_LAUNCHER, SOMEBODY)
        }

    def product(self, key: str) -> str:
        """The name of a product of catalog.yaml."""
        return next(each.name for each in self.catalog.products if each.key == key)

    def template(self, product: str) -> Template:
        """The template of the published version."""
        bucket = release_bucket_name(self.aws.account(), REGION)
        s3 = self.aws.client("s3")
        found = s3.list_objects_v2(Bucket=bucket)["Contents"]
        (key,) = [
            each["Key"]
            for each in found
            if f"/products/{self.release.version}/{product}." in each["Key"]
        ]
        body: Template = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return body

    def add_version(self, product: str, body: Template) -> str:
        """Create another version of a product from a modified template; returns its name."""
        name = f"open-{uuid.uuid4().hex[:8]}"
        bucket = release_bucket_name(self.aws.account(), REGION)
        self.aws.client("s3").put_object(
            Bucket=bucket, Key=f"{name}.json", Body=serialize(body), IfNoneMatch="*"
        )
        self.admin.create_provisioning_artifact(
            ProductId=self.product_id(product),
            Parameters={
                "Name": name,
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {
                    "LoadTemplateFromURL": f"https://{bucket}.s3.{REGION}.amazonaws.com/{name}.json"
                },
            },
        )
        return name

    def product_id(self, product: str) -> str:
        """The ID of a product."""
        found = self.admin.describe_product_as_admin(Name=self.product(product))
        return str(found["ProductViewDetail"]["ProductViewSummary"]["ProductId"])

    def provision(self, user: str, product: str, version: str, values: Values) -> str:
        """Launch as a user; returns the error, empty for none."""
        client = self.users[user]
        try:
            record = client.provision_product(
                ProductName=self.product(product),
                ProvisioningArtifactName=version,
                ProvisionedProductName=f"attack-{uuid.uuid4().hex[:8]}",
                ProvisioningParameters=[
                    {"Key": key, "Value": value} for key, value in values.items()
                ],
                ProvisionToken=str(uuid.uuid4()),
            )["RecordDetail"]
        except client.exceptions.ClientError as error:
            return str(error)
        ended = settled(client, record["RecordId"])
        return "; ".join(each["Description"] for each in ended["RecordErrors"])


@dataclass(frozen=True)
class Launch:
    """An attempt to launch from a product; a guard is the error of Service Catalog or CloudFormation."""

    published: Published
    attack: ProductAttack
    version: str

    def reasons(self) -> tuple[str, ...]:
        """The guard if the error contains its words; else the error, empty if it launches."""
        attack = self.attack
        found = self.published.provision(attack.user, attack.product, self.version, attack.values)
        return (attack.guard if attack.guard in found else found,) if found else ()

    def without(self, guard: str) -> Launch:
        """The launch without the guard. Raises ValueError for another one."""
        if guard != self.attack.guard:
            raise ValueError(f"{self.attack.product} has no guard {guard}.")
        return replace(self, version=self.attack.opening(self.published, self.attack.product))


@dataclass(frozen=True)
class ProductAttack:
    """An attempt to launch what a product does not offer, with its guard and the function that removes the guard."""

    principal: str
    name: str
    product: str
    values: Values
    guard: str
    opening: Opening
    user: str = LAUNCHER

    def __str__(self) -> str:
        return f"{self.principal}: {self.name}"

    def attempt(self, published: Published) -> Launch:
        """The attempt on the published products."""
        return Launch(published, self, published.release.version)


def edited(edit: Callable[[Template], Any]) -> Opening:
    """A version of the product with another template."""

    def opened(published: Published, product: str) -> str:
        body = published.template(product)
        edit(body)
        return published.add_version(product, body)

    return opened


def missing(name: str) -> str:
    """CloudFormation's refusal of a parameter that a template does not have."""
    return f"Parameters: [{name}] do not exist in the template"


def chosen(name: str, value: str) -> str:
    """CloudFormation's refusal of a value that a parameter does not offer."""
    return f"Parameter '{name}' value '{value}' is not in AllowedValues"


def with_parameter(name: str) -> Opening:
    """A product whose template has the parameter."""
    return edited(lambda body: body["Parameters"].update({name: {"Type": "String", "Default": ""}}))


def with_any_value(name: str) -> Opening:
    """A product whose parameter takes any value."""
    return edited(lambda body: body["Parameters"][name].pop("AllowedValues"))


def without_rule(name: str) -> Opening:
    """A product whose template lacks one of its rules."""
    return edited(lambda body: body["Rules"].pop(name))


def without_constraint(published: Published, product: str) -> str:
    """The product without its TEMPLATE constraint."""
    for portfolio in published.admin.list_portfolios()["PortfolioDetails"]:
        for each in published.admin.list_constraints_for_portfolio(
            PortfolioId=portfolio["Id"], ProductId=published.product_id(product)
        )["ConstraintDetails"]:
            if each["Type"] == "TEMPLATE":
                published.admin.delete_constraint(Id=each["ConstraintId"])
    return published.release.version


def with_launcher(published: Published, product: str) -> str:
    """The portfolio of production with the launcher of development as a principal."""
    return with_principal(published, product, LAUNCHER)


def with_principal(published: Published, product: str, role: str = SOMEBODY) -> str:
    """A portfolio with the product and another role as a principal."""
    identifier = published.product_id(product)
    for portfolio in published.admin.list_portfolios_for_product(ProductId=identifier)[
        "PortfolioDetails"
    ]:
        published.admin.associate_principal_with_portfolio(
            PortfolioId=portfolio["Id"],
            PrincipalARN=f"arn:aws:iam::{published.aws.account()}:role/{role}",
            PrincipalType="IAM",
        )
    return published.release.version


def production(**values: str) -> Values:
    """Values for the launch of a production environment."""
    return {
        "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1",
        **{name: value for name, value in load_profile(built().root, "prod").items() if value},
        **values,
    }


EVIL = f"carbon-connect-releases-{ACCOUNT}-{REGION}-evil"
LAUNCHES = (
    ProductAttack(DEVELOPER, "names another bucket for the templates", "development", {"ReleaseBucket": EVIL}, missing("ReleaseBucket"), with_parameter("ReleaseBucket")),
    ProductAttack(DEVELOPER, "names a release that was not published", "development", {"ReleasePrefix": "evil/"}, missing("ReleasePrefix"), with_parameter("ReleasePrefix")),
    ProductAttack(DEVELOPER, "launches a production environment from the product of development", "development", production(), chosen("Environment", "prod"), with_any_value("Environment")),
    ProductAttack(DEVELOPER, "launches an environment of another project", "development", {"Project": "payroll"}, chosen("Project", "payroll"), with_any_value("Project")),
    ProductAttack(OPERATOR, "launches production without access logs", "production", production(AccessLogs="false"), "AccessLogs must be true", without_constraint, PRODUCTION_LAUNCHER),
    ProductAttack(OPERATOR, "launches production with a self-signed certificate", "production", production(CertificateArn=""), "its HTTPS needs a certificate that is not self-signed", without_rule("HttpsHasCertificate"), PRODUCTION_LAUNCHER),
    ProductAttack(OPERATOR, "launches production so that its deletion empties the buckets", "production", production(BucketRemoval="empty"), "BucketRemoval must be retain when Environment is prod", without_rule("ProdBucketsAreRetained"), PRODUCTION_LAUNCHER),
    ProductAttack(DEVELOPER, "launches with the buckets of a deleted environment, to empty them", "development", {"ExistingBuckets": "true", "BucketRemoval": "empty"}, "a stack empties only buckets that it created", without_rule("ExistingBucketsAreRetained")),
    ProductAttack(DEVELOPER, "launches production", "production", production(), "ResourceNotFoundException", with_launcher),
    ProductAttack(DEVELOPER, "launches a single layer as production", "network", {"Environment": "prod", "NatGateways": "per-zone"}, chosen("Environment", "prod"), with_any_value("Environment")),
    ProductAttack(DEVELOPER, "names another permissions boundary", "development", {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, missing("PermissionsBoundary"), with_parameter("PermissionsBoundary")),
    ProductAttack(OUTSIDER, "launches from a portfolio that does not have the role as a principal", "development", {}, "ResourceNotFoundException", with_principal, SOMEBODY),
)  # fmt: skip
