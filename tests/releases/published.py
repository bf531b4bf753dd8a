"""The Service Catalog that a release before 1.2.0 published: one launch role, and one portfolio for every environment.

It uses single calls, because the publisher of that release is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws
from pipeline.catalog.desired.bootstrap_stacks import BUCKET_STACK, ROLE_STACK
from pipeline.catalog.desired.catalog import (
    MANAGED_BY,
    PORTFOLIO_TAG,
    PRODUCT_TAG,
    PUBLISHER,
    TAG_UPDATES,
)
from pipeline.catalog.desired.product_templates import fixed_rules, product_key, template_digest
from pipeline.catalog.desired.written_in import without_parameter
from pipeline.catalog.observed.storage import TEMPLATE_TAG
from pipeline.catalog.spec.document import load_catalog
from pipeline.parameters.profiles import load_profile
from pipeline.release.assemble import RELEASE_NAME, serialize, template_path
from pipeline.release.upload import release_bucket_name, upload
from tests.releases.kept import Kept

LAUNCH_ROLE = "carbon-connect-launch"
OWNER = {"Owner": "carbon-connect-platform"}
PORTFOLIOS: Mapping[str, tuple[str, ...]] = {
    "environments": ("role/carbon-connect-launcher", "role/carbon-connect/*"),
    "layers": ("role/carbon-connect-launcher",),
}


@dataclass
class Published:
    """An account in which a kept release was published; portfolios and products are IDs by key."""

    aws: Aws
    previous: Kept
    portfolios: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)

    @classmethod
    def into(cls, aws: Aws, previous: Kept) -> Published:
        """Publish to an empty account."""
        made = cls(aws, previous)
        for stack, template in ((ROLE_STACK, "launch-role"), (BUCKET_STACK, "release-bucket")):
            made._deploy(stack, previous.release.bootstrap_stacks[template_path(template)])
        made.bucket = release_bucket_name(aws.account(), aws.region)
        upload(aws, previous.release, made.bucket)
        for key in PORTFOLIOS:
            made._add_portfolio(key)
        for product in load_catalog().products:
            made._add_product(product)
        for key, principals in PORTFOLIOS.items():
            for principal in principals:
                made.catalog.associate_principal_with_portfolio(
                    PortfolioId=made.portfolios[key],
                    PrincipalARN=f"arn:aws:iam:::{principal}",
                    PrincipalType="IAM_PATTERN",
                )
        return made

    bucket: str = ""

    @property
    def catalog(self) -> Any:
        """The account's Service Catalog."""
        return self.aws.client("servicecatalog")

    def _deploy(self, stack: str, body: bytes) -> None:
        cloudformation = self.aws.client("cloudformation")
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=body.decode(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=tags({MANAGED_BY: PUBLISHER, TEMPLATE_TAG: template_digest(body)}),
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def _add_portfolio(self, key: str) -> None:
        made = self.catalog.create_portfolio(
            DisplayName=f"As before: {key}",
            Description="As before",
            ProviderName="Carbon Connect platform team",
            Tags=tags({**OWNER, MANAGED_BY: PUBLISHER, PORTFOLIO_TAG: key}),
        )
        self.portfolios[key] = made["PortfolioDetail"]["Id"]

    def _add_product(self, product: Any) -> None:
        body = serialize(self.template(product))
        version = self.previous.release.version
        key = product_key(version, product.key)
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        content = self.previous.release.prefix.removeprefix(RELEASE_NAME).strip("/")
        made = self.catalog.create_product(
            Name=product.name,
            Owner="Carbon Connect platform team",
            Description=product.description,
            ProductType="CLOUD_FORMATION_TEMPLATE",
            Tags=tags({**OWNER, MANAGED_BY: PUBLISHER, PRODUCT_TAG: product.key}),
            ProvisioningArtifactParameters={
                "Name": version,
                "Description": f"Release {content}, template {template_digest(body)}",
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {
                    "LoadTemplateFromURL": f"https://{self.bucket}.s3.{self.aws.region}.amazonaws.com/{key}"
                },
            },
        )
        identity = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.products[product.key] = identity
        place = {
            "PortfolioId": self.portfolios["layers" if product.layer else "environments"],
            "ProductId": identity,
        }
        self.catalog.associate_product_with_portfolio(**place)
        rules = fixed_rules(self.previous.release, product, self.previous.profiles)
        for kind, document in (
            ("LAUNCH", {"LocalRoleName": LAUNCH_ROLE}),
            ("TEMPLATE", rules),
            ("RESOURCE_UPDATE", TAG_UPDATES),
        ):
            if document:
                self.catalog.create_constraint(
                    **place, Type=kind, Parameters=json.dumps(document), Description=kind
                )

    def template(self, product: Any) -> dict[str, Any]:
        """A product's template as it was: the launcher chooses bucket and boundary."""
        name = product.layer or "environment"
        body: dict[str, Any] = json.loads(self.previous.release.files[template_path(name)])
        values = {"Project": "carbon-connect", "ReleaseBucket": self.bucket}
        if product.profile:
            values |= load_profile(
                self.previous.release.root, product.profile, self.previous.profiles
            )
            body["Parameters"]["Environment"]["AllowedValues"] = [product.profile]
        for parameter, value in values.items():
            if parameter in body["Parameters"]:
                body["Parameters"][parameter]["Default"] = value
        return without_parameter(body, "ReleasePrefix", self.previous.release.prefix)


def tags(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as parameters of AWS APIs."""
    return [{"Key": key, "Value": value} for key, value in given.items()]
