"""Faults in what containers know of each other and of the stores of their environment."""

from __future__ import annotations

import json

from pipeline.checks.render import Rendered
from tests.relations.planting import Plant, body, put
from tests.relations.registry import Fault
from tests.relations.services import checks_containers as checks

COMMAND = "ContainerDefinitions/0/Command"


def variable(task: str, name: str, value: str, key: str = "Environment") -> Plant:
    """Set a variable or a secret of the container of a task."""

    def plant(rendered: Rendered) -> None:
        container = body(rendered, task)["Properties"]["ContainerDefinitions"][0]
        (entry,) = (each for each in container[key] if each["Name"] == name)
        entry["Value" if key == "Environment" else "ValueFrom"] = value

    return plant


def everywhere(name: str, value: str) -> Plant:
    """Set a variable of every container."""

    def plant(rendered: Rendered) -> None:
        for task in ("Api", "Worker", "Beat", "Migration"):
            variable(f"{task}TaskDefinition", name, value)(rendered)

    return plant


def services_of_the_update(rendered: Rendered, name: str, other: str) -> None:
    """Refer to another resource in the services of the function that deploys an image."""
    variables = body(rendered, "ImageUpdateFunction")["Properties"]["Environment"]["Variables"]
    text = json.dumps(variables["SERVICES"]).replace(json.dumps(name), json.dumps(other))
    variables["SERVICES"] = json.loads(text)


FAULTS = (
    Fault(
        "a migration with another bucket",
        checks.containers_agree_on_their_variables,
        "DOCUMENTS_BUCKET of ApiTaskDefinition",
        variable("MigrationTaskDefinition", "DOCUMENTS_BUCKET", "another-bucket"),
    ),
    Fault(
        "a migration with the URL of another store",
        checks.containers_agree_on_their_variables,
        "CELERY_RESULT_BACKEND of",
        variable(
            "MigrationTaskDefinition",
            "CELERY_RESULT_BACKEND",
            "arn:aws:secretsmanager:eu-north-1:111122223333:secret:other-a1B2c3:url::",
            "Secrets",
        ),
    ),
    Fault(
        "containers of another environment",
        checks.containers_know_where_they_run,
        "ENVIRONMENT of WorkerTaskDefinition is staging in prod",
        everywhere("ENVIRONMENT", "staging"),
    ),
    Fault(
        "another region's endpoints",
        checks.containers_know_where_they_run,
        "AWS_REGION of BeatTaskDefinition is eu-west-1 in eu-north-1",
        everywhere("AWS_REGION", "eu-west-1"),
    ),
    Fault(
        "a host that is not in the URL",
        checks.containers_reach_the_stores_of_their_urls,
        "CACHE_HOST of BeatTaskDefinition is that of []",
        everywhere("CACHE_HOST", "cache.example.com"),
    ),
    Fault(
        "the host of another store",
        checks.containers_reach_the_stores_of_their_urls,
        "CACHE_HOST of ApiTaskDefinition is that of ['Database']",
        lambda rendered: everywhere(
            "CACHE_HOST",
            next(
                text
                for text, origin in rendered.origins.items()
                if (origin.logical_id, origin.attribute) == ("Database", "Endpoint.Address")
            ),
        )(rendered),
    ),
    Fault(
        "workers that take jobs under another prefix",
        checks.jobs_are_counted_where_containers_put_them,
        "WorkerTaskDefinition has the key prefix {other}:",
        everywhere("CELERY_KEY_PREFIX", "{other}:"),
    ),
    Fault(
        "keys in many slots",
        checks.jobs_are_counted_where_containers_put_them,
        "does not begin with carbon-connect-prod in braces",
        lambda rendered: (
            everywhere("CELERY_KEY_PREFIX", "carbon-connect-prod:")(rendered),
            put(
                "QueueDepthFunction",
                "Environment/Variables/CACHE_KEY_PREFIX",
                "carbon-connect-prod:",
            )(rendered),
        ),
    ),
    Fault(
        "jobs that are counted in another cache",
        checks.jobs_are_counted_in_the_cache_of_the_containers,
        "The function reads cache.example.com",
        put("QueueDepthFunction", "Environment/Variables/CACHE_HOST", "cache.example.com"),
    ),
    Fault(
        "jobs of one node's slots",
        checks.jobs_are_counted_in_the_cache_of_the_containers,
        "CLUSTER_MODE is false for ServerlessCache",
        put("QueueDepthFunction", "Environment/Variables/CLUSTER_MODE", "false"),
        "dev",
    ),
    Fault(
        "a worker that runs beat",
        checks.containers_run_the_command_of_their_parameter,
        "WorkerTaskDefinition runs celery --app app.worker beat",
        put("WorkerTaskDefinition", COMMAND, ["celery", "--app", "app.worker", "beat"]),
    ),
    Fault(
        "an api that serves another application",
        checks.containers_run_the_command_of_their_parameter,
        "ApiTaskDefinition runs uvicorn app.other:app",
        put("ApiTaskDefinition", f"{COMMAND}/1", "app.other:app"),
    ),
    Fault(
        "a migration without its command",
        checks.containers_run_the_command_of_their_parameter,
        "MigrationTaskDefinition runs , and",
        put("MigrationTaskDefinition", COMMAND, []),
    ),
    Fault(
        "an image update that follows a service in another log",
        checks.an_image_update_follows_each_service_in_its_log,
        "api=<ApiService.Name>=<BeatLogGroup> is in",
        lambda rendered: services_of_the_update(rendered, "ApiLogGroup", "BeatLogGroup"),
    ),
    Fault(
        "an image update that does not know the worker",
        checks.an_image_update_follows_each_service_in_its_log,
        "worker=<WorkerService.Name>=<WorkerLogGroup> is not in",
        lambda rendered: services_of_the_update(rendered, "WorkerService", "BeatService"),
    ),
)
