"""What docs/access.md promises of the roles of people and machines, read from their templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from pipeline.catalog.desired.bootstrap_stacks import bootstrap_stacks
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.spec.document import load_catalog
from pipeline.checks.permissions import resources_of as bindable
from templates_src.access.launcher import LOG_ENVIRONMENTS, launcher_role
from templates_src.access.publisher import publisher_role
from templates_src.access.taskcat import taskcat_role
from templates_src.core.layer import Layer
from tests.launch_role.evaluation import resources_of
from tests.promises.pages import written_by_hand
from tests.relations.variants import built

TEXT = written_by_hand("access.md")
LAYERS: Mapping[str, Callable[..., Layer]] = {
    "launcher-role.template.json": launcher_role,
    "publisher-role.template.json": publisher_role,
    "taskcat-role.template.json": taskcat_role,
}
ROW = re.compile(
    r"^\| (?:`(?P<template>[\w.-]+)`)? ?\| `(?P<role>[\w-]+)` \| (?P<who>[^|]+) \|", re.MULTILINE
)
REPOSITORY = {"GitHubRepository": "acme/carbon-connect"}
READS = ("Describe", "List", "Search")


def roles() -> dict[str, tuple[str, str]]:
    """The template of each role of the page, and who assumes the role."""
    found: dict[str, tuple[str, str]] = {}
    template = ""
    for row in ROW.finditer(TEXT):
        template = row["template"] or template
        found[row["role"]] = template, row["who"]
    return found


def test_the_table_has_the_roles_of_the_templates() -> None:
    made = {
        resource["Properties"]["RoleName"]: template
        for template, layer in LAYERS.items()
        for resource in resources_of(layer()).values()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert made == {role: template for role, (template, _) in roles().items()}


@pytest.mark.parametrize("role", roles())
def test_a_role_is_assumed_by_those_of_the_table(role: str) -> None:
    template, who = roles()[role]
    layer = LAYERS[template]()
    given = {name: value for name, value in REPOSITORY.items() if name in layer.declarations}
    (trust,) = (
        resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for resource in resources_of(layer, **given).values()
        if resource["Properties"].get("RoleName") == role
    )
    kinds = {next(iter(statement["Principal"])) for statement in trust}

    assert ("AWS" in kinds) is ("people" in who)
    assert ("Federated" in kinds) is ("workflow" in who)
    assert ("Service" in kinds) is ("CloudFormation" in who)


def test_an_empty_list_trusts_the_account_and_a_list_its_principals() -> None:
    developer = "arn:aws:iam::111122223333:role/Developer"
    for listed in ("", developer):
        role = resources_of(launcher_role(), TrustedPrincipals=listed)["LauncherRole"]
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        condition = {"ArnLike": {"aws:PrincipalArn": [developer]}} if listed else None

        assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
        assert statement.get("Condition") == condition


def test_changes_of_the_publisher_without_a_resource_are_those_of_the_page() -> None:
    (names,) = re.findall(r"no condition key:((?:\s+(?:and )?`\w+`[,.]?)+)", TEXT)
    found = {
        action.partition(":")[2]
        for resource in resources_of(publisher_role()).values()
        for statement in resource["Properties"].get("PolicyDocument", {}).get("Statement", ())
        if statement["Resource"] == ["*"] and "Condition" not in statement
        for action in statement["Action"]
        if action.startswith("servicecatalog:")
    }
    changing = {each for each in found if not each.startswith(READS)}

    assert changing == set(re.findall(r"`(\w+)`", names))
    assert [each for each in changing if bindable(f"servicecatalog:{each}")] == []


def test_a_launcher_role_reads_the_logs_of_the_environments_of_its_portfolios() -> None:
    catalog = load_catalog()
    profiles = {product.key: product.profile for product in catalog.products}
    offered: dict[str, set[str]] = {}
    for portfolio in catalog.portfolios:
        named = {profiles[key] for key in portfolio.products} | set(portfolio.environments)
        if portfolio.launcher_role:
            offered.setdefault(portfolio.launcher_role, set()).update(filter(None, named))
    stacks = bootstrap_stacks(built(), catalog, {})
    read = {
        stack.launcher: set(
            re.split(
                r"\W+", stack.parameters.get(LOG_ENVIRONMENTS.name, LOG_ENVIRONMENTS.default or "")
            )
        )
        for stack in stacks
        if stack.kind is Kind.LAUNCHER_ROLE
    }
    assert offered
    assert read == offered
