"""AWS::IAM::Role with its permissions boundary, which ministack 1.5.33 drops, and the launch role's permissions on roles.

The provider schema lists the calls of the handlers, but not their order. So an update must be allowed in each order: with the
state of the role before the update and after it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties, physical_name
from embedded_aws.bridge.service_calls import call

# Raises an error if the launch role may not make a call: action, ARN of the role, condition keys in lower case.
Require = Callable[[str, str, dict[str, Any]], None]
_ROLE, _POLICY = "AWS::IAM::Role", "AWS::IAM::Policy"
_BOUNDARY = "iam:permissionsboundary"
# IAM's message.
_UNKNOWN = "Scope ARN: {} does not exist or is not attachable."


def _full_access(_action: str, _arn: str, _keys: dict[str, Any]) -> None:
    """The permissions of a deployment without a launch role: all."""


def install(require: Require = _full_access) -> None:
    """Set boundaries, and check every change of a role with `require`."""
    roles = tables.RESOURCE_HANDLERS[_ROLE]
    policies = tables.RESOURCE_HANDLERS[_POLICY]
    create, update = roles["create"], roles["update"]
    functions.boundary_error.replace(_unknown_boundary)

    def create_role(logical_id: str, properties: Properties, stack_name: str) -> Created:
        boundary = properties.get("PermissionsBoundary")
        _require_creation(require, properties, physical_name(stack_name, logical_id, limit=64))
        name, attributes = create(logical_id, properties, stack_name)
        if boundary:
            call("iam", "PutRolePermissionsBoundary", RoleName=name, PermissionsBoundary=boundary)
        return name, attributes

    def update_role(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str = ""
    ) -> Created:
        role = tables.ROLES.get(physical_id)
        if role is not None:
            _require_update(require, role, old, new)
        foreign = _tags_from_elsewhere(role, old)
        name, attributes = update(physical_id, old, new, stack_name, logical_id)
        given = {tag["Key"] for tag in tables.ROLES[name]["Tags"]}
        tables.ROLES[name]["Tags"] += [tag for tag in foreign if tag["Key"] not in given]
        before, after = old.get("PermissionsBoundary"), new.get("PermissionsBoundary")
        if after:
            call("iam", "PutRolePermissionsBoundary", RoleName=name, PermissionsBoundary=after)
        elif before:
            call("iam", "DeleteRolePermissionsBoundary", RoleName=name)
        return name, attributes

    roles["create"], roles["update"] = create_role, update_role
    _hold_policies(policies, require)


def _require_creation(require: Require, properties: Properties, generated_name: str) -> None:
    boundary = properties.get("PermissionsBoundary")
    if boundary and not functions.policy_exists(boundary):
        raise ValueError(_UNKNOWN.format(boundary))
    name = properties.get("RoleName") or generated_name
    arn = f"arn:aws:iam::{get_account_id()}:role{properties.get('Path', '/')}{name}"
    keys = {**_bounded(boundary), **_requested(properties)}
    for action in ("iam:CreateRole", *_granting(properties)):
        require(action, arn, keys)


def _unknown_boundary(arn: str) -> Any:
    """IAM's error for a boundary that does not exist; ministack returns it only if it checks every caller."""
    if functions.policy_exists(arn):
        return None
    return functions.iam_error(404, "NoSuchEntity", _UNKNOWN.format(arn), ns="iam")


def _hold_policies(policies: dict[str, Any], require: Require) -> None:
    create, update = policies["create"], policies["update"]

    def create_policy(logical_id: str, properties: Properties, stack_name: str) -> Created:
        _require_policy(require, properties)
        made: Created = create(logical_id, properties, stack_name)
        return made

    def update_policy(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Created:
        _require_policy(require, new)
        made: Created = update(physical_id, old, new, *rest)
        return made

    policies["create"], policies["update"] = create_policy, update_policy


def _require_policy(require: Require, properties: Properties) -> None:
    for name in properties.get("Roles", ()):
        role = tables.ROLES.get(name)
        if role is not None:
            require("iam:PutRolePolicy", role["Arn"], _keys_of(role))


def _require_update(
    require: Require, role: dict[str, Any], old: Properties, new: Properties
) -> None:
    boundary, keys = new.get("PermissionsBoundary"), _keys_of(role)
    if boundary != old.get("PermissionsBoundary"):
        action = "Put" if boundary else "Delete"
        require(
            f"iam:{action}RolePermissionsBoundary",
            role["Arn"],
            {**keys, **(_bounded(boundary) if boundary else {})},
        )
    if [new.get(name) for name in _GRANTING] != [old.get(name) for name in _GRANTING]:
        after = {key: value for key, value in keys.items() if key != _BOUNDARY}
        if boundary or not old.get("PermissionsBoundary"):
            after |= _bounded(boundary or keys.get(_BOUNDARY))
        for action in _granting(new):
            for state in (keys, after):
                require(action, role["Arn"], state)


def _tags_from_elsewhere(role: dict[str, Any] | None, old: Properties) -> list[dict[str, str]]:
    """The tags of a role that its template did not set: CloudFormation changes only its own tags."""
    own = {tag["Key"] for tag in old.get("Tags", ())}
    return [tag for tag in (role or {}).get("Tags", ()) if tag["Key"] not in own]


_GRANTING = {"Policies": "iam:PutRolePolicy", "ManagedPolicyArns": "iam:AttachRolePolicy"}


def _granting(properties: Properties) -> Iterator[str]:
    """The calls that attach policies to a role."""
    yield from (action for name, action in _GRANTING.items() if properties.get(name))


def _bounded(boundary: Any) -> dict[str, Any]:
    return {_BOUNDARY: boundary} if boundary else {}


def _keys_of(role: dict[str, Any]) -> dict[str, Any]:
    """The condition keys of a call on an existing role."""
    tags = {f"aws:resourcetag/{tag['Key'].lower()}": tag["Value"] for tag in role.get("Tags", ())}
    return {**tags, **_bounded(role.get("PermissionsBoundary"))}


def _requested(properties: Properties) -> dict[str, Any]:
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}
    keys = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    return {**keys, "aws:tagkeys": list(tags)}
