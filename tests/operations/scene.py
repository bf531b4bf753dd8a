"""An environment that operations change through one entry point: CloudFormation, or the product as its launcher."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError

from commands.common.embedded_launch import embedded_prerequisites
from commands.launching import publish_to_embedded
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.desired.launch_roles import by_product, launch_roles
from pipeline.catalog.desired.product_templates import product_template
from pipeline.catalog.spec.document import load_catalog
from pipeline.environments.provisioning import environments
from pipeline.environments.provisioning.environments import find_environment
from pipeline.release.assemble import Release, content_digest, serialize
from pipeline.release.upload import release_bucket_name, upload
from pipeline.stacks.deploy import Launched, describe_stack
from pipeline.stacks.events import Failure
from templates_src.core.parameters.shared import RELEASE_PREFIX
from tests.conftest import REGION
from tests.launches.environments import STACK_TYPE, Environment
from tests.launches.inventory import Inventory, counted, inventory
from tests.operations.operation import ABSENT
from tests.provisioning.users import User
from tests.updates.stored_data import Held, Holdings


class Failed(Exception):
    """An operation began and failed; the message has the reasons."""


class Scene(ABC):
    """One environment; ``aws`` reads the account as its administrator, ``release`` is the one to launch.

    ``before`` is the inventory of the account at the last `remember`.
    """

    def __init__(self, aws: Aws, release: Release, profile: str) -> None:
        self.aws, self.release, self.profile = aws, release, profile
        self.before: Inventory = frozenset()
        self.holdings: Holdings | None = None

    @abstractmethod
    def launch(self, release: Release | None = None, **values: str) -> None:
        """Launch the environment. Raises Failed, or PipelineError before anything begins."""

    @abstractmethod
    def update(self, release: Release | None = None, **values: str) -> None:
        """Update it; values that are not named stay the same. Raises as `launch`."""

    @abstractmethod
    def delete(self) -> None:
        """Delete it. Raises as `launch`."""

    @abstractmethod
    def status(self) -> str:
        """The status that the user of the entry point sees."""

    @property
    @abstractmethod
    def reader(self) -> Environment | None:
        """Reads the stacks; None if there is no root stack."""

    def client(self, service: str) -> Any:
        """A boto3 client of the account's administrator."""
        return self.aws.client(service)

    def fill(self) -> None:
        """Put data into everything that takes some."""
        reader = self.reader
        assert reader is not None
        self.holdings = Holdings(reader)

    def stateful(self, names: frozenset[str]) -> dict[str, str]:
        """Physical IDs of the stateful resources."""
        reader = self.reader
        found = reader.resources() if reader else {}
        return {name: found[name].physical_id for name in sorted(names & found.keys())}

    def held(self) -> Held:
        """The data in the environment; empty if it has none, or no stack."""
        reader = self.reader
        if reader is None or self.holdings is None:
            return {}
        return self.holdings.read(reader.resources())

    def protections(self) -> set[bool]:
        """Whether database, load balancer and root stack are protected from deletion."""
        reader = self.reader
        if reader is None:
            return {False}
        found, stack = reader.resources(), describe_stack(self.aws, reader.stack)
        if stack is None or {"Data.Database", "Edge.LoadBalancer"} - found.keys():
            return {False}
        (database,) = self.client("rds").describe_db_instances(
            DBInstanceIdentifier=found["Data.Database"].physical_id
        )["DBInstances"]
        attributes = self.client("elbv2").describe_load_balancer_attributes(
            LoadBalancerArn=found["Edge.LoadBalancer"].physical_id
        )["Attributes"]
        balancer = {each["Key"]: each["Value"] for each in attributes}
        return {
            database["DeletionProtection"],
            balancer.get("deletion_protection.enabled") == "true",
            bool(stack.get("EnableTerminationProtection")),
        }

    def remember(self) -> None:
        """Note what the account has before an operation."""
        self.before = inventory(self.aws)

    def left(self) -> Counter[str]:
        """What the account has more than at the last `remember`, by type, its stacks aside."""
        found = counted(inventory(self.aws))
        found.subtract(counted(self.before))
        del found[STACK_TYPE]
        return found


class CloudFormationScene(Scene):
    """The environment as `launch --direct` and `delete` have it."""

    def __init__(self, running: EmbeddedAws, release: Release, profile: str) -> None:
        super().__init__(Aws(REGION, running.environment()), release, profile)
        self.running = running
        self.settings = embedded_prerequisites(self.aws, profile, {})
        self.values: dict[str, str] = {}
        self.environment = self._of(release)

    def launch(self, release: Release | None = None, **values: str) -> None:
        chosen = release or self.release
        environment = self._of(chosen)
        wanted = {**self.values, **values}
        _require_success(environment.launch(**{RELEASE_PREFIX.name: chosen.prefix, **wanted}))
        self.values = wanted

    def update(self, release: Release | None = None, **values: str) -> None:
        self.launch(release, **values)

    def delete(self) -> None:
        _require_success(self.environment.delete())

    def status(self) -> str:
        stack = describe_stack(self.aws, self.environment.stack)
        return ABSENT if stack is None else str(stack["StackStatus"])

    @property
    def reader(self) -> Environment | None:
        return None if self.status() == ABSENT else self.environment

    def _of(self, release: Release) -> Environment:
        return Environment(self.running, release, self.profile, **self.settings)


class ProductScene(Scene):
    """The environment as a launcher of the published product has it, with the permissions of that role only."""

    def __init__(self, running: EmbeddedAws, release: Release, profile: str) -> None:
        super().__init__(Aws(REGION, running.environment()), release, profile)
        self.running = running
        self.settings = embedded_prerequisites(self.aws, profile, {})
        launcher = publish_to_embedded(self.aws, release, profile)
        self.catalog = load_catalog()
        self.product = next(each for each in self.catalog.products if each.profile == profile)
        tags = {"Project": "carbon-connect", "Environment": profile}
        self.user = User(launcher, f"carbon-connect-{profile}", tags)

    def launch(self, release: Release | None = None, **values: str) -> None:
        _require_success(
            self.user.launch(
                self._version(release), product=self.product.name, **self.settings, **values
            )
        )

    def update(self, release: Release | None = None, **values: str) -> None:
        _require_success(
            self.user.update(self._version(release), product=self.product.name, **values)
        )

    def delete(self) -> None:
        _require_success(self.user.terminate())

    def status(self) -> str:
        found = find_environment(self.user.aws, self.user.name)
        return ABSENT if found is None else found.status

    @property
    def reader(self) -> Environment | None:
        found = find_environment(self.user.aws, self.user.name)
        stack = environments.stack_of(self.aws, found) if found else None
        if stack is None or describe_stack(self.aws, stack.id) is None:
            return None
        reader = Environment(self.running, self.release, self.profile, **self.settings)
        reader.stack = stack.id
        return reader

    def _version(self, release: Release | None) -> str:
        """The name of the version of a release, which is published if it is not the scene's."""
        if release is None or release.version == self.release.version:
            return self.release.version
        product = next(
            each
            for each in self.client("servicecatalog").search_products_as_admin()[
                "ProductViewDetails"
            ]
            if each["ProductViewSummary"]["Name"] == self.product.name
        )["ProductViewSummary"]["ProductId"]
        bucket = release_bucket_name(self.aws.account(), REGION)
        upload(self.aws, release, bucket)
        role = by_product(self.catalog, launch_roles(release, self.catalog))[self.product.key]
        body = serialize(product_template(release, self.product, bucket, role=role))
        key = f"carbon-connect/products/{release.version}-{content_digest({'': body})[:8]}.json"
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        try:
            self.client("servicecatalog").create_provisioning_artifact(
                ProductId=product,
                Parameters={
                    "Name": release.version,
                    "Type": "CLOUD_FORMATION_TEMPLATE",
                    "Info": {
                        "LoadTemplateFromURL": f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}"
                    },
                },
            )
        except ClientError as error:
            raise AssertionError(f"{release.version} cannot be published: {error}") from error
        return release.version


def _require_success(end: Any) -> None:
    if not end.succeeded:
        failures: tuple[Failure, ...] = end.failures
        errors = () if isinstance(end, Launched) else end.errors
        raise Failed(
            "; ".join([*errors, *(f"{each.logical_id}: {each.reason}" for each in failures)])
        )
