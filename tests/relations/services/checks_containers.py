"""What the containers of one environment know of each other and of its stores: a value that is valid can still be another one's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.compute.tasks.workloads import REPLACED_OPTIONS
from tests.relations.registry import relation
from tests.relations.text import is_true, text_of
from tests.rendering import containers, id_of, ids_in, named, origins_in, resources_of_type

LAYER = "compute"
# The variable with a host, and the secret with the URL of the same store.
HOSTS = {"DATABASE_HOST": "DATABASE_URL", "CACHE_HOST": "CELERY_BROKER_URL"}
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
ENGINES = ("AWS::RDS::", "AWS::ElastiCache::")


def given(container: Mapping[str, Any]) -> dict[str, Any]:
    """The variables and secrets of a container by name."""
    return {
        each["Name"]: each.get("Value", each.get("ValueFrom"))
        for key in ("Environment", "Secrets")
        for each in container.get(key, ())
    }


@relation
def containers_agree_on_their_variables(rendered: Rendered) -> Iterator[str]:
    """A variable or secret has one value in all containers: they work on the same data, with the same keys."""
    seen: dict[str, tuple[str, Any]] = {}
    for task, container in containers(rendered):
        for name, value in given(container).items():
            other, known = seen.setdefault(name, (task, value))
            if text_of(value) != text_of(known):
                yield f"{name} of {task} is {text_of(value)}, and {text_of(known)} in {other}."


@relation
def containers_know_where_they_run(rendered: Rendered) -> Iterator[str]:
    """The variables of environment and region name those of the launch."""
    wanted = {"ENVIRONMENT": rendered.environment, **dict.fromkeys(REGIONS, rendered.region)}
    for task, container in containers(rendered):
        values = given(container)
        for name, value in wanted.items():
            if name in values and values[name] != value:
                yield f"{name} of {task} is {values[name]} in {value}."


@relation
def containers_reach_the_stores_of_their_urls(rendered: Rendered) -> Iterator[str]:
    """A host in a variable is that of the URL: a new host replaces the tasks, which then read the new URL."""
    for task, container in containers(rendered):
        values = given(container)
        for variable, secret in HOSTS.items():
            if secret not in values:
                continue
            stores = {
                origin
                for holder in ids_in(rendered, LAYER, values[secret])
                for origin in stores_in(rendered, holder)
            }
            host = {each.logical_id for each in origins_in(rendered, LAYER, values.get(variable))}
            if len(stores) != 1 or host != stores:
                yield f"{variable} of {task} is that of {sorted(host)}, and its URL leads to {sorted(stores)}."


def stores_in(rendered: Rendered, secret: str) -> set[str]:
    """The engines whose address a secret contains."""
    resource = named(rendered, secret)
    return {
        name
        for name in ids_in(rendered, resource.layer, resource.properties.get("SecretString"))
        if rendered.layers[resource.layer]["Resources"]
        .get(name, {})
        .get("Type", "")
        .startswith(ENGINES)
    }


@relation
def jobs_are_counted_where_containers_put_them(rendered: Rendered) -> Iterator[str]:
    """All containers have the prefix of Celery's keys that the queue-depth function reads; its braces keep the keys in one slot of a serverless cache."""
    counted = named(rendered, "QueueDepthFunction").properties["Environment"]["Variables"]
    for task, container in containers(rendered):
        prefix = given(container).get("CELERY_KEY_PREFIX", "")
        if prefix != counted.get("CACHE_KEY_PREFIX"):
            yield f"{task} has the key prefix {prefix}, and the function counts {counted.get('CACHE_KEY_PREFIX')}."
        name = f"{rendered.parameters[LAYER]['Project']}-{rendered.environment}"
        if not prefix.startswith(f"{{{name}}}"):
            yield f"{task} has the key prefix {prefix}, which does not begin with {name} in braces."


@relation
def jobs_are_counted_in_the_cache_of_the_containers(rendered: Rendered) -> Iterator[str]:
    """The queue-depth function reads the cache of the containers, and as a cluster if it is serverless: one node answers for its own slots only."""
    function = named(rendered, "QueueDepthFunction")
    counted = function.properties["Environment"]["Variables"]
    hosts = {
        text_of(given(each)["CACHE_HOST"])
        for _, each in containers(rendered)
        if "CACHE_HOST" in given(each)
    }
    if hosts != {text_of(counted["CACHE_HOST"])}:
        yield f"The function reads {text_of(counted['CACHE_HOST'])}, and containers use {sorted(hosts)}."
    for origin in origins_in(rendered, function.layer, counted["CACHE_HOST"]):
        kind = rendered.layers[origin.layer]["Resources"][origin.logical_id]["Type"]
        serverless = kind == "AWS::ElastiCache::ServerlessCache"
        if is_true(counted["CLUSTER_MODE"]) != serverless:
            yield f"CLUSTER_MODE is {counted['CLUSTER_MODE']} for {origin.logical_id}."


@relation
def containers_run_the_command_of_their_parameter(rendered: Rendered) -> Iterator[str]:
    """A container of the application's image runs the words of its parameter; the templates correct two options of former defaults."""
    parameters = rendered.parameters[LAYER]
    if parameters["ImageTag"] == "":
        return
    corrected = {former.partition(" ")[0] for former, _ in REPLACED_OPTIONS}
    for task, container in containers(rendered):
        text = parameters[f"{container['Name'].capitalize()}Command"]
        wanted, runs = text.split(" ") if text else [], list(container.get("Command", ()))
        same = [
            one == other or before in corrected
            for one, other, before in zip(wanted, runs, ["", *wanted], strict=False)
        ]
        if len(wanted) != len(runs) or not all(same):
            yield f"{task} runs {' '.join(map(str, runs))}, and its parameter says {text}."


@relation
def an_image_update_follows_each_service_in_its_log(rendered: Rendered) -> Iterator[str]:
    """The function that deploys an image knows every service, by the name of its container and with the log group of that container."""
    if "ImageUpdateFunction" not in rendered.layers[LAYER]["Resources"]:
        return
    wanted = set()
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        task = named(rendered, id_of(rendered, LAYER, service.properties["TaskDefinition"]))
        (container,) = task.properties["ContainerDefinitions"]
        group = text_of(container["LogConfiguration"]["Options"]["awslogs-group"])
        wanted.add(f"{container['Name']}=<{service.logical_id}.Name>={group}")
    function = named(rendered, "ImageUpdateFunction").properties["Environment"]["Variables"]
    listed = text_of(function["SERVICES"]).split()
    for each in sorted(wanted.symmetric_difference(listed)):
        yield f"{each} is {'not in' if each in wanted else 'in'} the services of the image update."
