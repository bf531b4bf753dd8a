"""Actions that the handlers of the templates' resource types call, from the provider schemas, for the launch role.

    python -m pipeline.checks.permissions

writes templates_src/launch_role/permissions.json. Run it for a new resource type, or a new version of cfn-lint.
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
# A stack uses these handlers; list handlers are for resource scans and imports.
HANDLERS = ("create", "read", "update", "delete")
CUSTOM_RESOURCE = "Custom::"
# Names in the schemas that are not actions; IAM would reject a policy with them.
NOT_ACTIONS = {
    "s3:REST.PUT.OBJECT": "an operation in S3's access logs; an action's name has no periods"
}


def compute(release: Release) -> Permissions:
    """The permissions of every handler of every resource type of the release, the services that its roles are passed to,
    and the permissions of its roles.


    Raises PipelineError for a resource type without a provider schema.
    """
    bound: set[str] = set()
    unbound: set[str] = set()
    undocumented: set[str] = set()
    for kind in resource_types(release):
        for action in called_actions(kind):
            known = resources_of(action)
            target = undocumented if known is None else bound if known else unbound
            target.add(action)
    return Permissions(
        bound=tuple(sorted(bound)),
        unbound=tuple(sorted(unbound)),
        undocumented=tuple(sorted(undocumented)),
        passed_to=tuple(sorted(trusted_services(release))),
        of_roles=tuple(
            sorted(role_actions(layer.document() for layer in (release.root, *release.layers)))
        ),
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
    """Every resource type of root and layers except custom resources, which are this project's functions."""
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
    """The actions that the handlers of a resource type declare. Raises PipelineError without a provider schema."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError as error:
        raise PipelineError(
            f"Resource type {kind} has no provider schema, so the permissions for its launch are not known."
        ) from error
    handlers: Mapping[str, Any] = schema.get("handlers", {})
    return frozenset(
        action
        for handler in HANDLERS
        for action in handlers.get(handler, {}).get("permissions", ())
    )


def called_actions(kind: str) -> frozenset[str]:
    """The actions that the handlers of a resource type call for the templates of this package.

    These are the declared ones, without those for unset properties and without names that are not actions; patterns are
    replaced by the actions that match. Raises PipelineError without a provider schema, and for a pattern with unknown actions.
    """
    found = handler_actions(kind) - unused(kind) - NOT_ACTIONS.keys()
    patterns = {action for action in found if "*" in action}
    if unknown := sorted(patterns - PATTERNS.keys()):
        raise PipelineError(
            f"A handler of {kind} declares {unknown[0]}; list the actions that it calls in PATTERNS of "
            "templates_src/launch_role/unused.py."
        )
    meant = {action for pattern in patterns for action in PATTERNS[pattern]}
    return (found - patterns) | meant


@cache
def _reference() -> Mapping[str, Any]:
    """The service authorization reference that is part of cfn-lint."""
    body = files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text("utf-8")
    reference: Mapping[str, Any] = json.loads(body)
    return reference


def resources_of(action: str) -> tuple[str, ...] | None:
    """Resource types that an action can be limited to; empty if it applies to no resource, None if they are not known."""
    service, _, name = action.partition(":")
    if service not in _reference():
        return None
    entry = _reference()[service]["Actions"].get(name.lower())
    return None if entry is None else tuple(entry.get("Resources", ()))


def arn_formats(action: str) -> Iterator[str]:
    """The ARN forms that an action can be limited to, with ``${Partition}``, ``${Region}``, ``${Account}`` and ``.*``."""
    resources = _reference()[action.partition(":")[0]].get("Resources", {})
    for kind in resources_of(action) or ():
        yield from resources.get(kind.lower(), {}).get("ARNFormats", ())


def condition_keys(action: str) -> Iterator[frozenset[str]]:
    """The condition keys of each resource type that an action can be limited to."""
    resources = _reference()[action.partition(":")[0]].get("Resources", {})
    for kind in resources_of(action) or ():
        yield frozenset(resources.get(kind.lower(), {}).get("ConditionKeys", ()))


def trusted_services(release: Release) -> set[str]:
    """The services that the release's roles trust, and that the roles are passed to."""
    return {
        service
        for layer in (release.root, *release.layers)
        for resource in layer.document()["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for service in _services(resource["Properties"]["AssumeRolePolicyDocument"]["Statement"])
    }


def _services(statements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for statement in statements:
        named = statement["Principal"].get("Service", ())
        yield from [named] if isinstance(named, str) else named


def role_actions(templates: Iterable[Mapping[str, Any]]) -> set[str]:
    """The actions and patterns that the policies of the templates' roles allow."""
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
    """The policy documents of a role, or of a managed policy; empty for other types."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        return [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"}:
        return [properties["PolicyDocument"]]
    return []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(permissions: Permissions) -> bytes:
    """The permissions as the content of the committed file."""
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
    # Without the launch role, whose size depends on the file.
    body = text(compute(Release("", "", root, tuple(layers), {}, {})))
    changed = not PERMISSIONS.exists() or PERMISSIONS.read_bytes() != body
    PERMISSIONS.write_bytes(body)
    print(f"{PERMISSIONS.name} {'is written' if changed else 'has not changed'}.")


if __name__ == "__main__":
    main()
