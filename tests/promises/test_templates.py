"""What the pages promise of the templates, and no relation of a rendered environment can say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.checks.render import render, render_layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import FALSE, TRUE
from templates_src.core.protection import PROTECTED_BY, PROTECTED_BY_LAYER
from tests.promises.pages import written_by_hand
from tests.relations.text import is_true
from tests.relations.variants import REGION, built, rendered_variant
from tests.rendering import containers, id_of, resources_of_type

WORKLOADS = ("api", "worker", "beat")


def protection_of_database(properties: Mapping[str, Any]) -> Any:
    return properties["DeletionProtection"]


def protection_of_load_balancer(properties: Mapping[str, Any]) -> Any:
    (value,) = (
        each["Value"]
        for each in properties["LoadBalancerAttributes"]
        if each["Key"] == "deletion_protection.enabled"
    )
    return value


@pytest.mark.parametrize("chosen", [TRUE, FALSE])
@pytest.mark.parametrize(
    ("layer", "resource", "parameter", "protection"),
    [
        ("data", "Database", "DatabaseDeletionProtection", protection_of_database),
        ("edge", "LoadBalancer", "LoadBalancerDeletionProtection", protection_of_load_balancer),
    ],
)
def test_layer_alone_protects_its_own_resource(
    layer: str, resource: str, parameter: str, protection: Any, chosen: str
) -> None:
    rendered = render(built(), "staging", REGION)
    alone = {PROTECTED_BY.name: PROTECTED_BY_LAYER, parameter: chosen}
    render_layer(built(), rendered, layer, {**rendered.parameters[layer], **alone})

    properties = rendered.layers[layer]["Resources"][resource]["Properties"]
    assert is_true(protection(properties)) is (chosen == TRUE)


def test_an_empty_command_keeps_that_of_the_image() -> None:
    given = {"ImageTag": "1", **{f"{name.capitalize()}Command": "" for name in WORKLOADS}}
    found = dict(containers(render(built(), "dev", REGION, given)))

    assert {container["Name"] for container in found.values()} >= set(WORKLOADS)
    assert [task for task, container in found.items() if "Command" in container] == []


@pytest.mark.parametrize("architecture", ["ARM64", "X86_64"])
def test_tasks_have_the_architecture_of_the_parameter(architecture: str) -> None:
    rendered = render(built(), "dev", REGION, {"CpuArchitecture": architecture, "ImageTag": "1"})
    tasks = resources_of_type(rendered, "AWS::ECS::TaskDefinition")

    assert {each.properties["RuntimePlatform"]["CpuArchitecture"] for each in tasks} == {
        architecture
    }
    assert built().root.declarations["CpuArchitecture"].default == "ARM64"


def test_machine_image_is_that_of_aws() -> None:
    """AWS publishes the ID under a name below /aws/service/, where no account can write."""
    (template,) = resources_of_type(rendered_variant("prod"), "AWS::EC2::LaunchTemplate")
    image = template.properties["LaunchTemplateData"]["ImageId"]

    assert image.startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/")


def test_no_container_has_a_health_check_in_its_image() -> None:
    """The command of such a check runs in the container, usually in a shell."""
    found = dict(containers(rendered_variant("complete prod")))

    assert {container["Name"] for container in found.values()} >= set(WORKLOADS)
    assert [task for task, container in found.items() if "HealthCheck" in container] == []


MIGRATION = {"Migration", "RunMigrationFunction", "RunMigrationRole"}


@pytest.mark.parametrize(
    ("given", "exists"),
    [
        ({"ImageTag": "1"}, False),
        ({"MigrationCommand": "migrate"}, False),
        ({"ImageTag": "1", "MigrationCommand": "migrate"}, True),
    ],
    ids=["without a command", "without an image", "with both"],
)
def test_migration_needs_a_command_and_an_image(given: dict[str, str], exists: bool) -> None:
    found = render(built(), "dev", REGION, given).layers["compute"]["Resources"].keys()

    assert MIGRATION & found == (MIGRATION if exists else set())


def test_no_shell_interprets_the_command_of_the_migration() -> None:
    command = "migrate $HOME; echo a&&b | true"
    rendered = render(built(), "dev", REGION, {"ImageTag": "1", "MigrationCommand": command})
    container = dict(containers(rendered))["MigrationTaskDefinition"]

    assert container["Command"] == command.split(" ")
    assert "EntryPoint" not in container


def test_migration_runs_in_the_private_subnets() -> None:
    rendered = render(built(), "dev", REGION, {"ImageTag": "1", "MigrationCommand": "migrate"})
    (migration,) = resources_of_type(rendered, "Custom::Migration")
    private = {f"PrivateSubnet{number}" for number in (1, 2, 3)}

    subnets = migration.properties["SubnetIds"]
    assert {id_of(rendered, migration.layer, subnet) for subnet in subnets} == private


@pytest.mark.parametrize(
    ("given", "workloads"),
    [
        ({"ApplicationSettingsVersion": "1"}, set()),
        ({"ApplicationSettingsVersion": "0", "ImageTag": "1"}, set()),
        ({"ApplicationSettingsVersion": "1", "ImageTag": "1"}, {"api", "worker"}),
    ],
    ids=["placeholder", "version 0", "image and version"],
)
def test_settings_are_those_of_an_image_and_a_version(
    given: dict[str, str], workloads: set[str]
) -> None:
    found = [container for _, container in containers(render(built(), "dev", REGION, given))]
    reads_file = {each["Name"] for each in found if each.get("EnvironmentFiles")}
    reads_secret = {
        each["Name"]
        for each in found
        if any(secret["Name"] == "APPLICATION_SECRETS" for secret in each.get("Secrets", ()))
    }

    assert {each["Name"] for each in found} >= set(WORKLOADS)
    assert reads_file - {"migration"} == reads_secret - {"migration"} == workloads


def test_backups_end_with_the_database() -> None:
    """DeleteAutomatedBackups is true unless the template says otherwise.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
    """
    (database,) = resources_of_type(rendered_variant("complete prod"), "AWS::RDS::DBInstance")

    assert is_true(database.properties.get("DeleteAutomatedBackups", TRUE))


def test_versions_of_credentials_are_those_of_the_page() -> None:
    declarations = built().root.declarations
    versions = [
        each
        for name, each in declarations.items()
        if each.group == groups.ROTATION and name.endswith("Version")
    ]
    least, most = re.findall(r"whole number from (\d+) to (\d+)", written_by_hand("rotation.md"))[0]

    assert versions
    for each in versions:
        accepted = [
            number for number in range(10_000) if re.fullmatch(each.pattern or "", str(number))
        ]
        assert (accepted[0], accepted[-1]) == (int(least), int(most)), each.name
