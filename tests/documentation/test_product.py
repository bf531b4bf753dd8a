"""Blocks for publishing the products, and for an environment that was launched from its product."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from commands.common.embedded_sessions import session
from pipeline.environments.provisioning.environments import find_environment
from pipeline.environments.provisioning.stacks import find_stack
from pipeline.release.assemble import assemble
from tests.documentation.blocks import Place
from tests.documentation.steps import Scene, Step, physical_id, run
from tests.embedded_aws.tasks import push_program
from tests.launches.environments import Environment

NAME = "carbon-connect-dev"
LAUNCHER = "carbon-connect-launcher"
PUBLISHING, LAUNCHING = "docs/publishing.md", "docs/launching.md"


def sign_in(scene: Scene) -> None:
    """Assume the launcher role that the publication has created."""
    scene.launcher = session(scene.aws, LAUNCHER).environment


def read_stack(scene: Scene) -> None:
    """Read the stack of the launched product."""
    reader = Environment(scene.running, assemble(), "dev")
    reader.stack = find_stack(scene.aws, NAME)["StackId"]
    scene.reader = reader


def product(scene: Scene) -> dict[str, str]:
    """The provisioned product."""
    found = scene.client("servicecatalog").search_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["ProvisionedProducts"]
    (one,) = [each for each in found if each["Name"] == NAME]
    return dict(one)


def catalog_id(kind: str) -> Callable[[Scene], str]:
    """The ID of the portfolio or the product of dev, or the IDs of the product's constraints."""

    def find(scene: Scene) -> str:
        catalog = scene.client("servicecatalog")
        (portfolio,) = [
            each["Id"]
            for each in catalog.list_portfolios()["PortfolioDetails"]
            if each["DisplayName"] == "Carbon Connect - environments"
        ]
        (product,) = [
            each["ProductViewSummary"]["ProductId"]
            for each in catalog.search_products_as_admin()["ProductViewDetails"]
            if each["ProductViewSummary"]["Name"] == "Carbon Connect - development"
        ]
        constraints = catalog.list_constraints_for_portfolio(
            PortfolioId=portfolio, ProductId=product
        )["ConstraintDetails"]
        ids: dict[str, str] = {
            "portfolio": portfolio,
            "product": product,
            "constraints": " ".join(each["ConstraintId"] for each in constraints),
        }
        return ids[kind]

    return find


def account(scene: Scene) -> str:
    return scene.aws.account()


def write_settings(scene: Scene) -> None:
    (scene.tree.folder / "app.env").write_text("MODE=demo\n", encoding="utf-8")


def push_image(scene: Scene) -> None:
    """An image whose migration does nothing."""
    directory = scene.tree.folder / "image"
    directory.mkdir()
    (directory / "migrate.sh").write_text("", encoding="utf-8")
    repository = scene.output("RepositoryUri").partition("/")[2]
    push_program(scene.client("ecr"), repository, "1.4.3", directory)


DELETE = "aws servicecatalog delete-constraint --region eu-north-1 --id cons-…"
PROVISIONED = {"pp-…": lambda scene: product(scene)["Id"]}
LAUNCH = Place(LAUNCHING, "From the product")
PROTECTION = Place("docs/data-safety.md", "Deletion protection")
FIRST = "The first publication, step by step"
MIGRATION = "From release 1.1.0 or 1.0.0"
STEPS = (
    Step(Place(LAUNCHING, "Service-linked roles")),
    Step(Place(PUBLISHING, FIRST, 2)),
    Step(Place(PUBLISHING, FIRST, 3)),
    Step(LAUNCH, lines=(0, 1, 2), as_launcher=True, before=sign_in),
    Step(
        Place("docs/launch-role.md", "Launch role > Permissions boundary"),
        {
            "NAME": lambda scene: scene.physical_id("Security.ApiTaskRole"),
            "ACCOUNT": account,
            "LAUNCH_ROLE": "carbon-connect-launch-development",
        },
        before=read_stack,
    ),
    Step(Place("docs/rotation.md", "Rotation of credentials", 1), lines=(0, 1), as_launcher=True),
    Step(
        Place("docs/settings.md", "Set them", 1),
        {"MEDIA_BUCKET": lambda scene: scene.output("MediaBucketName")},
        before=write_settings,
    ),
    Step(
        Place("docs/settings.md", "Set them", 2),
        {"ARN": physical_id("Security.ApplicationSecret")},
    ),
    Step(Place("docs/settings.md", "Set them", 3), as_launcher=True),
    # The program of the image is a script of this machine.
    Step(
        Place("docs/migrations.md", "Migrations"),
        {"alembic upgrade head": "sh migrate.sh"},
        as_launcher=True,
        before=push_image,
    ),
    Step(Place(LAUNCHING, "From GitHub Actions", 1), as_launcher=True),
    Step(
        Place(LAUNCHING, "From GitHub Actions", 2),
        {
            **PROVISIONED,
            "arn:aws:iam::…:role/…ImageUpdateRole…": lambda scene: scene.output(
                "ImageUpdateRoleArn"
            ),
        },
    ),
    Step(
        Place(PUBLISHING, MIGRATION, 1),
        {**PROVISIONED, "111122223333": account, "carbon-connect-launcher-production": LAUNCHER},
    ),
    Step(Place(LAUNCHING, "Delete an environment", 2), {"prod": "dev"}, (1,), as_launcher=True),
    Step(PROTECTION, {"prod": "dev"}, (0,), as_launcher=True),
    Step(Place(LAUNCHING, "Delete an environment", 1), lines=(1,), as_launcher=True),
    Step(PROTECTION, {"prod": "dev"}, (1,), as_launcher=True),
    Step(LAUNCH, lines=(3,), as_launcher=True),
    Step(
        Place(PUBLISHING, MIGRATION, 2),
        {
            "port-…": catalog_id("portfolio"),
            "prod-…": catalog_id("product"),
            DELETE: lambda scene: "; ".join(
                DELETE.replace("cons-…", each) for each in catalog_id("constraints")(scene).split()
            ),
        },
    ),
)


@pytest.fixture(scope="module")
def scene(empty: Scene) -> Scene:
    """An account without anything."""
    return empty


def test_block_runs(scene: Scene, step: Step) -> None:
    run(scene, step)


def test_environment_is_terminated(scene: Scene) -> None:
    assert find_environment(scene.aws, NAME) is None
