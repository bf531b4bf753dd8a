"""A dev environment with a deploy role, set up as in docs/launching.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws
from pipeline.environments.provisioning import environments
from pipeline.environments.provisioning.operations import DesiredEnvironment, launch
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.role_sessions import job, service

NAME = "carbon-connect-dev"
REPOSITORY = "carbon-connect/application"
# The subject of a job in the GitHub environment with the environment's name.
SUBJECT = f"repo:{REPOSITORY}:environment:dev"
# Service Catalog gives the caller's level of a provisioned product in this key.
OWNER = {"servicecatalog:roleLevel": "self"}


@dataclass(frozen=True)
class Deployable:
    """An environment that the function's role owns. ``role`` is the session of the deploy role, ``updater`` that of the function's role."""

    catalog: Catalog
    role_name: str
    role: Aws
    updater_arn: str
    updater: Aws
    function: str
    repository_uri: str

    @property
    def updater_name(self) -> str:
        """The name of the function's role."""
        return self.updater_arn.rpartition("/")[2]

    @property
    def repository(self) -> str:
        """The repository's name."""
        return self.repository_uri.partition("/")[2]

    def function_variables(self) -> dict[str, str]:
        """The variables of the deployed function, with its name, which Lambda sets."""
        found = self.catalog.aws.client("lambda").get_function_configuration(
            FunctionName=self.function
        )
        return {
            **found["Environment"]["Variables"],
            "AWS_LAMBDA_FUNCTION_NAME": self.function,
        }

    def parameters(self) -> Mapping[str, str]:
        """The values of the stack, read with the account's credentials, because the launcher is no longer the owner."""
        found = environments.existing_environment(self.catalog.aws, NAME)
        stack = environments.stack_of(self.catalog.aws, found)
        assert stack is not None
        return stack.parameters


def deployable(catalog: Catalog, name: str = NAME) -> Deployable:
    """Launch dev with its own values and make its function's role the owner."""
    settings = {
        "GitHubRepository": REPOSITORY,
        "ApiMaxTasks": "7",
        "ImageTag": "before",
    }
    wanted = DesiredEnvironment(name, DEVELOPMENT.name, settings=settings)
    assert launch(catalog.user, wanted, lambda _: None, lambda _: None).succeeded
    found = environments.existing_environment(catalog.user, name)
    outputs = environments.outputs(catalog.user, found)
    owner = outputs["ImageUpdateRoleArn"]
    catalog.admit(owner)
    catalog.catalog.update_provisioned_product_properties(
        ProvisionedProductId=found.id, ProvisionedProductProperties={"OWNER": owner}
    )
    return Deployable(
        catalog,
        role_name=outputs["DeployRoleArn"].rpartition("/")[2],
        role=job(catalog.aws, outputs["DeployRoleArn"], SUBJECT),
        updater_arn=owner,
        updater=service(catalog.aws, owner),
        function=outputs["ImageUpdateFunctionName"],
        repository_uri=outputs["RepositoryUri"],
    )


def statements(aws: Aws, role: str) -> Iterator[Mapping[str, Any]]:
    """The deployed policies of the role."""
    iam = aws.client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from (document if isinstance(document, dict) else json.loads(document))["Statement"]
