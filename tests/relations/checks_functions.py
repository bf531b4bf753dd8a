"""Functions: who can call them, and the permissions for their work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.checks_secrets import DECRYPT, READ, SECRET
from tests.relations.iam import allows
from tests.relations.registry import relation
from tests.relations.text import text_of
from tests.rendering import id_of, ids_in, named, resources, resources_of_type

FUNCTION = "AWS::Lambda::Function"


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
    """The code comes from the bucket and prefix of the root, so that functions and templates have one version."""
    given = rendered.parameters["environment"]
    for function in resources_of_type(rendered, FUNCTION):
        code = function.properties.get("Code", {})
        key = text_of(code.get("S3Key"))
        in_release = key.startswith(f"{given['ReleasePrefix']}functions/")
        if code.get("S3Bucket") != given["ReleaseBucket"] or not in_release:
            yield f"{function.logical_id} runs {code.get('S3Bucket')}/{key}, which is not of this release."
