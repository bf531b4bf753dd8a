"""A catalog with the development product, created with single calls instead of the publisher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from commands.common.embedded_sessions import launcher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.apply.stacks import ensure_stack
from pipeline.catalog.desired.bootstrap_stacks import ROLE_STACK, BootstrapStack
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.desired.launch_roles import LaunchRole
from pipeline.catalog.desired.product_templates import product_key, product_template
from pipeline.catalog.spec.document import load_catalog
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, serialize, template_path
from pipeline.release.upload import ensure_bucket, release_bucket_name, upload
from templates_src.launch_role.boundary import SUFFIX
from templates_src.launch_role.template import NAME as LAUNCH_TEMPLATE
from tests.conftest import REGION
from tests.launches.environments import aws_of
from tests.relations.variants import built

LAUNCH_ROLE = "carbon-connect-launch"
ROLE = LaunchRole(
    LAUNCH_ROLE,
    "environments",
    ("dev", "staging", "prod"),
    f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{LAUNCH_ROLE}{SUFFIX}",
)
USER = "carbon-connect-launcher"
DEVELOPMENT = next(each for each in load_catalog().products if each.profile == "dev")


class Catalog:
    """One portfolio with one product, and a user of it."""

    def __init__(self, running: EmbeddedAws) -> None:
        self.aws = aws_of(running)
        self.catalog: Any = self.aws.client("servicecatalog")
        self.bucket = release_bucket_name(self.aws.account(), REGION)
        ensure_bucket(self.aws, self.bucket)
        make_launch_role(self.aws)
        self.user = launcher(self.aws, built(), USER)
        self.portfolio = self.portfolio_named("Carbon Connect environments")
        self.product = ""

    def portfolio_named(self, name: str) -> str:
        """Create a portfolio that the user can launch from; returns its ID."""
        made = self.catalog.create_portfolio(DisplayName=name, ProviderName="Platform")
        identifier: str = made["PortfolioDetail"]["Id"]
        self.admit(f"arn:aws:iam::{self.aws.account()}:role/{USER}", identifier)
        return identifier

    def admit(self, principal: str, portfolio: str = "", kind: str = "IAM") -> None:
        """Associate a principal with a portfolio."""
        self.catalog.associate_principal_with_portfolio(
            PortfolioId=portfolio or self.portfolio, PrincipalARN=principal, PrincipalType=kind
        )

    def publish(
        self, release: Release, bucket: str = "", profiles: Path = PARAMETERS, **parameters: Any
    ) -> str:
        """Create a version of the product from a release; the first version creates the product. Returns its ID.

        ``parameters`` are further ones of the template, by name.
        """
        bucket = bucket or self.bucket
        ensure_bucket(self.aws, bucket)
        upload(self.aws, release, bucket)
        body = product_template(release, DEVELOPMENT, bucket, profiles, ROLE)
        body["Parameters"] |= parameters
        key = product_key(release.version, DEVELOPMENT.key)
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=serialize(body))
        url = f"https://{self.bucket}.s3.{REGION}.amazonaws.com/{key}"
        version = {
            "Name": release.version,
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": url},
        }
        if self.product:
            made = self.catalog.create_provisioning_artifact(
                ProductId=self.product, Parameters=version
            )
        else:
            made = self._make_product(version)
        return str(made["ProvisioningArtifactDetail"]["Id"])

    def _make_product(self, version: dict[str, Any]) -> Any:
        made = self.catalog.create_product(
            Name=DEVELOPMENT.name,
            Owner="Platform",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters=version,
        )
        self.product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.offer(self.portfolio)
        return made

    def offer(self, portfolio: str) -> None:
        """Add the product to a portfolio, with a constraint for the launch role."""
        self.catalog.associate_product_with_portfolio(ProductId=self.product, PortfolioId=portfolio)
        self.catalog.create_constraint(
            PortfolioId=portfolio,
            ProductId=self.product,
            Type="LAUNCH",
            Parameters=json.dumps({"LocalRoleName": LAUNCH_ROLE}),
        )

    def change(self, version: str, **changes: Any) -> None:
        """Deprecate or retire a version."""
        self.catalog.update_provisioning_artifact(
            ProductId=self.product, ProvisioningArtifactId=version, **changes
        )


def make_launch_role(aws: Aws) -> None:
    """The launch role of the release, from its template."""
    body = built().bootstrap_stacks[template_path(LAUNCH_TEMPLATE)]
    ensure_stack(aws, BootstrapStack(Kind.LAUNCH_ROLE, ROLE_STACK, body, {}), lambda _text: None)
    # Tests launch environments of several projects; the role and its boundary allow one project.
    iam = aws.client("iam")
    roles = f"arn:aws:iam::{aws.account()}:role/*/dev/*"
    iam.put_role_policy(
        RoleName=LAUNCH_ROLE,
        PolicyName="every-project",
        PolicyDocument=policy({"Effect": "Allow", "Action": "iam:*", "Resource": roles}),
    )
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{aws.account()}:policy/{LAUNCH_ROLE}{SUFFIX}",
        PolicyDocument=policy({"Effect": "Allow", "Action": "*", "Resource": "*"}),
        SetAsDefault=True,
    )


def policy(statement: dict[str, str]) -> str:
    """A policy document with one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
