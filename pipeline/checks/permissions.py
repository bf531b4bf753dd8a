"""What the handlers of the templates' resource types may call, read from the provider schemas, for the launch role.

    python -m pipeline.checks.permissions

writes templates_src/launch_role/permissions.json; run it when a template gets a resource type, or cfn-lint a new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.errors import PipelineError
from pipeline.release.assemble import UNNAMED_PREFIX, Release, serialize
from templates_src import environment
from templates_src.launch_role.permissions import PERMISSIONS, Permissions
from templates_src.launch_role.unused import PATTERNS, unused

REGION = "eu-north-1"
# A stack calls these; the list handlers are for resource scans and imports.
HANDLERS = ("create", "read", "update", "delete")
CUSTOM_RESOURCE = "Custom::"
# Names of the schemas that are no actions, and would make IAM refuse a policy.
NOT_ACTIONS = {
    "s3:REST.PUT.OBJECT": "an operation as S3's access logs write it; an action's name has no periods"
}


def compute(release: Release) -> Permissions:
    """The permissions of every handler of every resource type of the release, who its roles are passed to, and what
    its roles may do.

    Raises PipelineError for a resource type that has no provider schema.
    """
    bound: set[str] = set()
    unbound: set[str] = set()
    undocumented: set[str] = set()
    for kind in resource_types(release):
        for action in called(kind):
            known = resources_of(action)
            target = undocumented if known is None else bound if known else unbound
            target.add(action)
    return Permissions(
        bound=tuple(sorted(bound)),
        unbound=tuple(sorted(unbound)),
        undocumented=tuple(sorted(undocumented)),
        passed_to=tuple(sorted(passed_to(release))),
        of_roles=tuple(sorted(role_actions(layer.document() for layer in release.layers))),
        secrets=tuple(
            sorted(
                title
                for layer in release.layers
                for title, resource in layer.template.resources.items()
                if resource.resource_type == "AWS::SecretsManager::Secret"
            )
        ),
    )


def resource_types(release: Release) -> list[str]:
    """Every resource type of root and layers, without custom resources: those are functions of ours."""
    return sorted(
        {
            resource.resource_type
            for layer in (release.root, *release.layers)
            for resource in layer.template.resources.values()
            if not resource.resource_type.startswith(CUSTOM_RESOURCE)
        }
    )


@cache
def handler_actions(kind: str) -> frozenset[str]:
    """What the handlers of a resource type declare that they call. Raises PipelineError without a provider schema."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError as error:
        raise PipelineError(
            f"Resource type {kind} has no provider schema, so what its launch needs is not known."
        ) from error
    handlers: Mapping[str, Any] = schema.get("handlers", {})
    return frozenset(
        action
        for handler in HANDLERS
        for action in handlers.get(handler, {}).get("permissions", ())
    )


def called(kind: str) -> frozenset[str]:
    """What the handlers of a resource type call for the templates of this package.

    That is what they declare, without what only unset properties lead to and what is no action, and with the calls
    that a pattern stands for. Raises PipelineError without a provider schema, and for a pattern whose calls are not known.
    """
    found = handler_actions(kind) - unused(kind) - NOT_ACTIONS.keys()
    patterns = {action for action in found if "*" in action}
    if unknown := sorted(patterns - PATTERNS.keys()):
        raise PipelineError(
            f"A handler of {kind} declares {unknown[0]}; list the calls that it makes in PATTERNS of "
            "templates_src/launch_role/unused.py."
        )
    meant = {action for pattern in patterns for action in PATTERNS[pattern]}
    return (found - patterns) | meant


@cache
def _reference() -> Mapping[str, Any]:
    """The service authorization reference, as cfn-lint carries it."""
    body = files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text("utf-8")
    reference: Mapping[str, Any] = json.loads(body)
    return reference


def resources_of(action: str) -> tuple[str, ...] | None:
    """Kinds of resource that an action can be bound to; none where it takes no resource, None where it is not known."""
    service, _, name = action.partition(":")
    if service not in _reference():
        return None
    entry = _reference()[service]["Actions"].get(name.lower())
    return None if entry is None else tuple(entry.get("Resources", ()))


def arn_formats(action: str) -> Iterator[str]:
    """The forms of ARN that an action can be bound to, with ``${Partition}``, ``${Region}``, ``${Account}`` and ``.*``."""
    resources = _reference()[action.partition(":")[0]].get("Resources", {})
    for kind in resources_of(action) or ():
        yield from resources.get(kind.lower(), {}).get("ARNFormats", ())


def condition_keys(action: str) -> Iterator[frozenset[str]]:
    """The condition keys of each kind of resource that an action can be bound to."""
    resources = _reference()[action.partition(":")[0]].get("Resources", {})
    for kind in resources_of(action) or ():
        yield frozenset(resources.get(kind.lower(), {}).get("ConditionKeys", ()))


def passed_to(release: Release) -> set[str]:
    """The services that the roles of the release trust, and that are handed them."""
    return {
        service
        for layer in release.layers
        for resource in layer.document()["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for service in _services(resource["Properties"]["AssumeRolePolicyDocument"]["Statement"])
    }


def _services(statements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for statement in statements:
        named = statement["Principal"].get("Service", ())
        yield from [named] if isinstance(named, str) else named


def role_actions(templates: Iterable[Mapping[str, Any]]) -> set[str]:
    """The actions, patterns among them, that the policies of the templates' roles allow."""
    return {
        action
        for template in templates
        for resource in template["Resources"].values()
        for document in role_policies(resource)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
    }


def role_policies(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The policy documents of a role, or of a policy that is attached to roles; none of another type."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        return [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"}:
        return [properties["PolicyDocument"]]
    return []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(permissions: Permissions) -> bytes:
    """The permissions as the file that is committed."""
    return serialize(
        {
            "Generated": "by `python -m pipeline.checks.permissions` from the provider schemas: do not edit",
            **permissions.document(),
        }
    )


def main() -> None:
    """Write the file."""
    layers = environment.layers()
    root = environment.environment(layers, release_prefix=UNNAMED_PREFIX, version="")
    # Without the launch role, which the file decides and which the old file may make too large.
    body = text(compute(Release("", "", root, tuple(layers), {}, {})))
    changed = not PERMISSIONS.exists() or PERMISSIONS.read_bytes() != body
    PERMISSIONS.write_bytes(body)
    print(f"{PERMISSIONS.name} {'is written' if changed else 'has not changed'}.")


if __name__ == "__main__":
    main()
