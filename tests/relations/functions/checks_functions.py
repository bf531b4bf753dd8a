"""Functions: who can call them, and the permissions for their work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.functions.run_migration.handler import HANDOVER_SECONDS
from tests.relations.identity.iam import allows
from tests.relations.registry import relation
from tests.relations.secrets.checks_secrets import DECRYPT, READ, SECRET
from tests.relations.text import is_true, listed, text_of
from tests.rendering import (
    containers,
    id_of,
    ids_in,
    named,
    origins_in,
    resources,
    resources_of_type,
)

FUNCTION = "AWS::Lambda::Function"
SERVERLESS = "AWS::ElastiCache::ServerlessCache"
ADDRESSES = ("Endpoint.Address", "EndPoint.Address")
INVOKE = "lambda:InvokeFunction"
EVERY_MINUTES = re.compile(r"rate\((\d+) minutes?\)")
# More than any limit: EventBridge and Lambda repeat a run without a setting for hours.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
REPEATED = 86_400
# Seconds that the AWS CLI waits for the answer of `aws lambda invoke`.
# https://docs.aws.amazon.com/cli/latest/reference/lambda/invoke.html
CLI_READ_TIMEOUT = 60
# Lambda stops a function that invokes itself about 16 times in a row.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
LONGEST_CHAIN = 15
# Seconds that a container has to end without StopTimeout.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
STOP_TIMEOUT = 30


@relation
def schedules_may_call_their_function(rendered: Rendered) -> Iterator[str]:
    """Every rule has a permission to call its function; a permission without a source would allow the rules of every account."""
    permitted = set()
    for permission in resources_of_type(rendered, "AWS::Lambda::Permission"):
        function = id_of(rendered, permission.layer, permission.properties["FunctionName"])
        source = permission.properties.get("SourceArn")
        if source is None:
            yield f"{permission.logical_id} lets {permission.properties['Principal']} of every account call {function}."
        permitted.add((function, id_of(rendered, permission.layer, source)))
    functions = {found.logical_id for found in resources_of_type(rendered, FUNCTION)}
    for rule in resources_of_type(rendered, "AWS::Events::Rule"):
        for target in rule.properties["Targets"]:
            called = id_of(rendered, rule.layer, target["Arn"])
            if called in functions and (called, rule.logical_id) not in permitted:
                yield f"{rule.logical_id} may not call {called}."


@relation
def functions_can_read_their_secrets(rendered: Rendered) -> Iterator[str]:
    """The function can read and decrypt a secret in its environment, or from a custom resource."""
    via = {"kms:ViaService": f"secretsmanager.{rendered.region}.amazonaws.com"}
    secrets = {found.logical_id for found in resources_of_type(rendered, SECRET)}
    for function, layer, variables in _environments(rendered):
        found = named(rendered, function)
        role = id_of(rendered, found.layer, found.properties["Role"])
        for secret in sorted(ids_in(rendered, layer, variables) & secrets):
            key = id_of(
                rendered,
                named(rendered, secret).layer,
                named(rendered, secret).properties.get("KmsKeyId"),
            )
            if not allows(rendered, role, READ, secret):
                yield f"{role} may not read {secret}, which {function} uses."
            if not allows(rendered, role, DECRYPT, key, via):
                yield f"{role} may not decrypt with {key}, under which {secret} is."


def _environments(rendered: Rendered) -> Iterator[tuple[str, str, Any]]:
    """A function with its settings, as values of a layer."""
    for function in resources_of_type(rendered, FUNCTION):
        yield function.logical_id, function.layer, function.properties.get("Environment", {})
    for kind, resource in resources(rendered):
        if kind.startswith("Custom::"):
            function_id = id_of(rendered, resource.layer, resource.properties["ServiceToken"])
            yield function_id, resource.layer, dict(resource.properties)


@relation
def functions_contain_no_password(rendered: Rendered) -> Iterator[str]:
    """Neither their environment nor the properties of custom resources, which CloudTrail keeps, contain a password."""
    for function, _, variables in _environments(rendered):
        if "{{resolve:" in str(variables):
            yield f"{function} gets a password in plain text."


@relation
def functions_come_from_the_release(rendered: Rendered) -> Iterator[str]:
    """The code comes from the bucket and prefix of the root, so that functions and templates have one version, and its package contains the handler."""
    given = rendered.parameters["environment"]
    for function in resources_of_type(rendered, FUNCTION):
        code = function.properties.get("Code", {})
        key = text_of(code.get("S3Key"))
        in_release = key.startswith(f"{given['ReleasePrefix']}functions/")
        if code.get("S3Bucket") != given["ReleaseBucket"] or not in_release:
            yield f"{function.logical_id} runs {code.get('S3Bucket')}/{key}, which is not of this release."
        package = key.rpartition("/")[2].removesuffix(".zip")
        handler = str(function.properties.get("Handler"))
        if not handler.startswith(f"functions.{package}."):
            yield f"{function.logical_id} has the handler {handler}, which the package {package} does not contain."


@relation
def measurements_are_not_repeated(rendered: Rendered) -> Iterator[str]:
    """A function that measures ends before its next run, and neither EventBridge nor Lambda repeats or delays a run beyond that."""
    for rule in resources_of_type(rendered, "AWS::Events::Rule"):
        found = EVERY_MINUTES.fullmatch(text_of(rule.properties["ScheduleExpression"]))
        for target in rule.properties["Targets"] if found else ():
            function = named(rendered, id_of(rendered, rule.layer, target["Arn"]))
            seconds = int(found[1]) * 60 if found else 0
            if int(function.properties.get("Timeout", 3)) >= seconds:
                yield f"{function.logical_id} may still run when its next run starts."
            policies = [target.get("RetryPolicy", {}), *_invocations(rendered, function.logical_id)]
            if len(policies) != 2:
                yield f"Lambda repeats the runs of {function.logical_id} for hours."
            for policy in policies:
                attempts, age = (
                    int(policy.get(key, REPEATED))
                    for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
                )
                if attempts or age > seconds:
                    yield f"A run of {function.logical_id} is repeated {attempts} times or starts {age} seconds late."


def _invocations(rendered: Rendered, function: str) -> list[Mapping[str, Any]]:
    """The settings of the asynchronous invocations of a function."""
    return [
        each.properties
        for each in resources_of_type(rendered, "AWS::Lambda::EventInvokeConfig")
        if id_of(rendered, each.layer, each.properties["FunctionName"]) == function
    ]


@relation
def callers_wait_for_the_function(rendered: Rendered) -> Iterator[str]:
    """A function that a workflow calls answers within the time-out of the AWS CLI, and one that continues itself stays below Lambda's limit of a chain."""
    for policy in resources_of_type(rendered, "AWS::IAM::Policy"):
        holders = {id_of(rendered, policy.layer, each) for each in policy.properties["Roles"]}
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if INVOKE not in listed(statement.get("Action")):
                continue
            for target in listed(statement.get("Resource")):
                function = named(rendered, id_of(rendered, policy.layer, target))
                runs = int(function.properties.get("Timeout", 3))
                if id_of(rendered, function.layer, function.properties["Role"]) not in holders:
                    if runs > CLI_READ_TIMEOUT:
                        yield f"{function.logical_id} may run for {runs} seconds, and its caller waits {CLI_READ_TIMEOUT}."
                    continue
                variables = function.properties.get("Environment", {}).get("Variables", {})
                waits = int(variables.get("WAIT_SECONDS", 0))
                if runs <= HANDOVER_SECONDS or waits / (runs - HANDOVER_SECONDS) > LONGEST_CHAIN:
                    yield f"{function.logical_id} waits {waits} seconds in runs of {runs}: Lambda ends the chain."
                if waits < runs:
                    yield f"{function.logical_id} waits {waits} seconds, less than one run."


@relation
def functions_reach_the_cache_and_the_database(rendered: Rendered) -> Iterator[str]:
    """A function with the address of a store is in the VPC, connects to the port of the address, and knows whether the cache is a cluster."""
    serverless = any(True for _ in resources_of_type(rendered, SERVERLESS))
    for function in resources_of_type(rendered, FUNCTION):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        stores = {
            origin.logical_id
            for origin in origins_in(rendered, function.layer, variables)
            if str(origin.attribute).endswith(ADDRESSES)
        }
        if stores and "VpcConfig" not in function.properties:
            yield f"{function.logical_id} does not reach {sorted(stores)}: it is outside the VPC."
        if "CACHE_PORT" in variables:
            wanted = rendered.parameters[function.layer]["CachePort"]
            if text_of(variables["CACHE_PORT"]) != wanted:
                yield f"{function.logical_id} connects to port {text_of(variables['CACHE_PORT'])} of the cache, which has {wanted}."
        if "CLUSTER_MODE" in variables and is_true(variables["CLUSTER_MODE"]) != serverless:
            yield f"{function.logical_id} has CLUSTER_MODE {variables['CLUSTER_MODE']}."


@relation
def former_users_stay_until_replaced_tasks_have_ended(rendered: Rendered) -> Iterator[str]:
    """The function closes a database user after the tasks that connect as this user have ended, within half of its time-out."""
    longest = max(
        int(container.get("StopTimeout", STOP_TIMEOUT))
        + (_drains(rendered) if container.get("PortMappings") else 0)
        for _, container in containers(rendered)
    )
    for function in resources_of_type(rendered, FUNCTION):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        if "RETIREMENT_SECONDS" in variables:
            waits, runs = int(variables["RETIREMENT_SECONDS"]), int(function.properties["Timeout"])
            if not longest <= waits <= runs / 2:
                yield f"{function.logical_id} closes users after {waits} seconds: tasks may run {longest}, the function {runs}."


def _drains(rendered: Rendered) -> int:
    """How long the load balancer keeps a task that it no longer sends requests to, in seconds."""
    return max(
        int(attribute["Value"])
        for group in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::TargetGroup")
        for attribute in group.properties["TargetGroupAttributes"]
        if attribute["Key"] == "deregistration_delay.timeout_seconds"
    )
