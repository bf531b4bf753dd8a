"""docs/container-contract.md, the task definitions and the example app agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import celery
import pytest

from pipeline.checks.render import Rendered, render
from pipeline.release.assemble import Release, template_path
from templates_src.core.parameters import groups
from tests.conftest import ENVIRONMENTS, REGION
from tests.contract.containers import (
    DOCKERFILE,
    EXAMPLE,
    PROJECT_FOLDER,
    WORKLOADS,
    image_variables,
)
from tests.rendering import containers, named

DOCUMENT = PROJECT_FOLDER / "docs" / "container-contract.md"
ROTATION = PROJECT_FOLDER / "docs" / "rotation.md"
CODE = re.compile(r"`([^`]+)`")
NAMES = [workload.lower() for workload in WORKLOADS]
# The default of ECS without a value in the task definition.
STOP_SECONDS = 30

Row = tuple[set[str], tuple[str, ...]]


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = re.split(r"^#+ ", DOCUMENT.read_text(), flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(f"{heading}\n"))
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def documented(heading: str) -> dict[str, Row]:
    """By variable: its source, and its containers."""
    return {
        CODE.findall(variable)[0]: (set(CODE.findall(source)), tuple(given.split(", ")))
        for variable, _, source, given in table(heading)
    }


def declared(release: Release, part: str) -> dict[str, Row]:
    """The same in the compute template: the parameters in each value, and the JSON key of a secret."""
    resources = json.loads(release.files[template_path("compute")])["Resources"]
    sources: dict[str, set[str]] = {}
    given: dict[str, list[str]] = {}
    for workload in WORKLOADS:
        task = resources[f"{workload}TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
        entries = task["Environment"] if part == "Environment" else own_secrets(task["Secrets"])
        for entry in entries:
            source = sources_of(entry.get("Value", entry.get("ValueFrom")))
            assert sources.setdefault(entry["Name"], source) == source
            given.setdefault(entry["Name"], []).append(workload.lower())
    return {name: (source, tuple(given[name])) for name, source in sources.items()}


def own_secrets(value: Any) -> Any:
    """The secrets of a container with an image and without settings of the application (docs/settings.md)."""
    with_image = value["Fn::If"][1]
    return with_image if isinstance(with_image, list) else with_image["Fn::If"][2]


def sources_of(value: Mapping[str, Any]) -> set[str]:
    if "Ref" in value:
        return {value["Ref"]}
    if "Fn::If" in value:
        _, one, other = value["Fn::If"]
        return sources_of(one) | sources_of(other)
    text = value["Fn::Sub"]
    key = re.findall(r":(\w+)::$", text)
    return {*re.findall(r"\$\{([A-Za-z:]+)\}", text), *key}


@pytest.mark.parametrize(
    ("heading", "part"), [("Variables", "Environment"), ("Secrets", "Secrets")]
)
def test_every_variable_is_documented_and_no_other(
    release: Release, heading: str, part: str
) -> None:
    assert documented(heading) == declared(release, part)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_gets_the_same(release: Release, environment: str) -> None:
    rendered = render(release, environment, REGION, {"ImageTag": "1"})
    stated = {**documented("Variables"), **documented("Secrets")}

    for _, container in containers(rendered):
        entries = (*container["Environment"], *container["Secrets"])
        assert {each["Name"] for each in entries} == {
            # The migration gets what the worker gets.
            name
            for name, (_, given) in stated.items()
            if container["Name"].replace("migration", "worker") in given
        }


def test_containers_match_the_documentation(release: Release) -> None:
    rendered = render(release, "dev", REGION, {"ImageTag": "1"})
    rows = {label: [cell.strip("`") for cell in cells] for label, *cells in table("Containers")}

    stated = {
        name: {label: cells[index] for label, cells in rows.items()}
        for index, name in enumerate(NAMES)
    }
    assert stated == {
        workload.lower(): facts(rendered, workload, f"{workload}Command") for workload in WORKLOADS
    }


def facts(rendered: Rendered, workload: str, parameter: str) -> dict[str, str]:
    """The row of a container, from its task definition and its service."""
    task = named(rendered, f"{workload}TaskDefinition").properties
    service = named(rendered, f"{workload}Service").properties
    (container,) = task["ContainerDefinitions"]
    assert "EntryPoint" not in container, "ECS starts the command itself, without a shell"
    ports = [str(each["ContainerPort"]) for each in container.get("PortMappings", ())]
    assert container["Command"] == rendered.parameters["compute"][parameter].split(" ")
    return {
        "command": " ".join(container["Command"]),
        "parameter": parameter,
        "port": ports[0] if ports else "none",
        "CPU units": task["Cpu"],
        "memory (MiB)": task["Memory"],
        "temporary storage (MiB)": str(container["LinuxParameters"]["Tmpfs"][0]["Size"]),
        "capacity": service["CapacityProviderStrategy"][0]["CapacityProvider"],
        "seconds from SIGTERM to SIGKILL": str(container.get("StopTimeout", STOP_SECONDS)),
    }


def test_health_check_matches_the_documentation(dev: Rendered) -> None:
    group = named(dev, "ApiTargetGroup").properties
    (delay,) = group["TargetGroupAttributes"]
    text = " ".join(DOCUMENT.read_text().split())

    assert f"`GET {group['HealthCheckPath']}` on port {group['Port']}" in text
    every, within = group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]
    assert f"every {every} seconds and expects 200 within {within} seconds." in text
    assert group["UnhealthyThresholdCount"] == 3
    assert f"waits at most `DeregistrationDelay` seconds ({delay['Value']})" in text
    (idle,) = (
        each["Value"]
        for each in named(dev, "LoadBalancer").properties["LoadBalancerAttributes"]
        if each["Key"] == "idle_timeout.timeout_seconds"
    )
    assert f"idle for `LoadBalancerIdleTimeout` seconds ({idle})" in text


def test_urls_match_the_documentation(dev: Rendered) -> None:
    for variable, server in (("DATABASE_URL", "Database"), ("CELERY_BROKER_URL", "Cache")):
        (holds,) = (row[1] for row in table("Secrets") if row[0] == f"`{variable}`")
        sub = named(dev, f"{server}Url").properties["SecretString"]["Fn::Sub"]
        holds = holds.partition("; ")[0]
        url = json.loads(sub if isinstance(sub, str) else sub[0])["url"]
        shown = re.sub(r"\{\{resolve:[^}]*\}\}", "PASSWORD", url)
        host, port = re.findall(r"\$\{[^}]+\}", shown)
        assert address_of(host, sub) == dev.layers["data"]["Outputs"][f"{server}Host"]["Value"]
        shown = shown.replace(host, "HOST").replace(port, re.findall(r":(\d+)/", holds)[0])
        assert f"`{shown}`" == holds


def address_of(variable: str, sub: Any) -> Any:
    """The attribute that a variable of Fn::Sub stands for, such as ``${Database.Endpoint.Address}``."""
    name = variable.strip("${}")
    return {"Fn::GetAtt": name.split(".", 1)} if isinstance(sub, str) else sub[1][name]


def test_values_of_the_variables_are_those_of_the_document(dev: Rendered) -> None:
    """Those that the document describes by a value, and the addresses that are in the URLs too."""
    (given,) = (
        {each["Name"]: each["Value"] for each in container["Environment"]}
        for title, container in containers(dev)
        if title == "ApiTaskDefinition"
    )
    holds = {CODE.findall(name)[0]: text for name, text, _, _ in table("Variables")}

    assert (given["ENVIRONMENT"], given["AWS_REGION"]) == ("dev", REGION)
    assert given["AWS_DEFAULT_REGION"] == given["AWS_REGION"]
    for name in ("CELERY_KEY_PREFIX", "CACHE_ROTATION"):
        assert f"`{given[name]}`" in holds[name]
    assert given["MEILISEARCH_URL"].startswith("http://")
    assert "over plain HTTP" in holds["MEILISEARCH_URL"]
    assert given["MEILISEARCH_URL"].split(":")[1].endswith(".internal")


def test_the_url_does_not_accept_the_prefix() -> None:
    url = "rediss://carbon:password@localhost:6379/0?ssl_cert_reqs=required&global_keyprefix=x"

    with pytest.raises(TypeError, match="global_keyprefix"):
        celery.Celery(broker=url, set_as_current=False).connection()


def test_example_has_the_settings_of_the_document() -> None:
    prefix = "{carbon-connect-dev}:"
    stated = {
        CODE.findall(setting)[0]: json.loads(
            CODE.findall(value)[0].replace("$CELERY_KEY_PREFIX", json.dumps(prefix))
        )
        for setting, value, _ in table("Celery")
    }
    program = (
        "import json, sys; from app.worker import app; "
        "print(json.dumps({name: app.conf[name] for name in sys.argv[1:]}))"
    )
    url = "rediss://carbon:password@localhost:6379/0?ssl_cert_reqs=required"
    # Only the variables of beat.
    environment = {
        "CELERY_BROKER_URL": url,
        "CELERY_RESULT_BACKEND": url,
        "CELERY_KEY_PREFIX": prefix,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    said = subprocess.check_output(
        [sys.executable, "-c", program, *stated], cwd=EXAMPLE, env=environment, text=True
    )

    assert json.loads(said) == stated
    longest = stated["broker_transport_options"]["visibility_timeout"]
    assert stated["task_time_limit"] < longest
    assert (longest, stated["task_time_limit"]) == (3600, 1800), "One hour, and half an hour"
    assert stated["worker_soft_shutdown_timeout"] < 120
    assert "`REMAP_SIGTERM=SIGQUIT`" in DOCUMENT.read_text()
    assert image_variables()["REMAP_SIGTERM"] == "SIGQUIT"


def test_image_of_the_example_runs_as_an_arbitrary_user() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    (user,) = (line.split()[1] for line in lines if line.startswith("USER "))

    assert all(int(each) >= 1000 for each in user.split(":"))
    assert lines.index(f"USER {user}") == len(lines) - 1, (
        "everything after it is a part of the image"
    )
    assert not [line for line in lines if line.startswith(("ARG", "CMD", "ENTRYPOINT"))]


def test_the_image_of_the_example_has_the_versions_that_are_tested() -> None:
    pins = dict(
        line.split("==")
        for line in (EXAMPLE / "requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    tested = {
        name.lower().replace("_", "-"): version
        for name, version in (
            line.split("==")
            for line in (PROJECT_FOLDER / "constraints.txt").read_text().splitlines()
            if not line.startswith("#")
        )
    }

    assert {"uvicorn", "fastapi", "celery[redis]", "psycopg[binary]"} <= pins.keys()
    assert pins == {name: tested[name.partition("[")[0]] for name in pins}


def test_every_parameter_of_a_rotation_is_in_its_procedure(release: Release) -> None:
    """Each parameter is in the table at the beginning, and in the steps of a section."""
    overview, *sections = re.split(r"^## ", ROTATION.read_text(), flags=re.MULTILINE)
    parameters = {
        name
        for name, declaration in release.root.declarations.items()
        if declaration.group == groups.ROTATION
    }

    assert parameters
    assert parameters <= set(CODE.findall(overview))
    assert parameters <= set(CODE.findall("".join(sections)))
