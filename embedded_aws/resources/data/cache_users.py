"""Users of caches: ElastiCache's rules for their passwords, and the same users in a real Valkey.

The caches of the emulator are records. With a real Valkey (`--cache`), the members of every user group are users there, with
the access and the passwords that CloudFormation sets.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.settings import CACHE_VARIABLE

_USER, _GROUP = "AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup"
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
_MOST_PASSWORDS = 2
_SHORTEST, _LONGEST = 16, 128
# A user of the engine itself, which no client signs in as.
_DEFAULT = "default"
# Properties by user ID, and members by group ID.
_users: dict[str, Properties] = {}
_groups: dict[str, list[str]] = {}


def install() -> None:
    """Check passwords; with a real Valkey, keep its users equal to the members of the groups."""
    users, groups = (tables.RESOURCE_HANDLERS[kind] for kind in (_USER, _GROUP))
    users["create"] = _checked(users["create"], _of_creation)
    users["update"] = _checked(users["update"], _of_update)
    if not os.environ.get(CACHE_VARIABLE):
        return
    for handlers, keep in ((users, _keep_user), (groups, _keep_group)):
        handlers["create"] = _followed(handlers["create"], keep, _of_creation)
        handlers["update"] = _followed(handlers["update"], keep, _of_update)
        handlers["delete"] = _followed(handlers["delete"], _forget, _of_deletion)


def _of_creation(_logical_id: str, properties: Properties, *_: Any, **__: Any) -> Properties:
    return properties


def _of_update(_physical_id: str, _old: Properties, new: Properties, *_: Any, **__: Any) -> Any:
    return new


def _of_deletion(physical_id: str, *_: Any, **__: Any) -> str:
    return physical_id


def _checked(
    handler: Callable[..., Any], properties_of: Callable[..., Properties]
) -> Callable[..., Any]:
    @functools.wraps(handler)
    def check_first(*arguments: Any, **named: Any) -> Any:
        _check(_passwords_of(properties_of(*arguments, **named)))
        return handler(*arguments, **named)

    return check_first


def _followed(
    handler: Callable[..., Any], then: Callable[[Any], None], subject_of: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(handler)
    def follow(*arguments: Any, **named: Any) -> Any:
        result = handler(*arguments, **named)
        then(subject_of(*arguments, **named))
        _apply()
        return result

    return follow


def _passwords_of(properties: Mapping[str, Any]) -> list[str]:
    mode = properties.get("AuthenticationMode") or {}
    return list(mode.get("Passwords") or properties.get("Passwords") or [])


def _check(passwords: list[str]) -> None:
    """Refuse passwords that ElastiCache refuses; the message does not repeat them."""
    if len(passwords) > _MOST_PASSWORDS:
        raise ValueError(
            f"A user can have at most {_MOST_PASSWORDS} passwords"
            " (Service: ElastiCache, Code: InvalidParameterValue)"
        )
    if not all(_SHORTEST <= len(password) <= _LONGEST for password in passwords):
        raise ValueError(
            f"The length of a password must be between {_SHORTEST} and {_LONGEST} characters"
            " (Service: ElastiCache, Code: InvalidParameterValue)"
        )


def _keep_user(properties: Properties) -> None:
    _users[properties["UserId"]] = properties


def _keep_group(properties: Properties) -> None:
    _groups[properties["UserGroupId"]] = list(properties.get("UserIds") or [])


def _forget(physical_id: str) -> None:
    _users.pop(physical_id, None)
    _groups.pop(physical_id, None)


def _apply() -> None:
    """Create the members of the groups in the Valkey, and delete former members."""
    # Only a test that runs an engine has the client.
    import valkey

    members = {
        _users[member]["UserName"]: _users[member]
        for group in _groups.values()
        for member in group
        if member in _users
    }
    with valkey.Valkey.from_url(os.environ[CACHE_VARIABLE]) as client:
        kept = {_DEFAULT, client.connection_pool.connection_kwargs["username"]}
        present = {name.decode() for name in client.execute_command("ACL", "USERS")}
        for name in present - kept - members.keys():
            client.execute_command("ACL", "DELUSER", name)
        for name in members.keys() - kept:
            user = members[name]
            passwords = [f">{password}" for password in _passwords_of(user)]
            access = str(user["AccessString"]).split()
            client.execute_command("ACL", "SETUSER", name, "reset", *access, *passwords)
