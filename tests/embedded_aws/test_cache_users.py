"""Users of caches: their passwords, and their doubles in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import valkey

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import REGION, Account, template
from tests.engines.valkey import Valkey

LONG = "a-password-of-24-letters"
OTHER = "another-of-24-characters"


def user(name: str, *passwords: str, access: str = "on ~* +@all") -> dict[str, Any]:
    return {
        "Type": "AWS::ElastiCache::User",
        "Properties": {
            "UserId": f"u-{name}",
            "UserName": name,
            "Engine": "valkey",
            "AccessString": access,
            "AuthenticationMode": {"Type": "password", "Passwords": list(passwords)},
        },
    }


def group(*users: str) -> dict[str, Any]:
    members = [{"Ref": name} for name in users]
    properties = {"UserGroupId": "g", "Engine": "valkey", "UserIds": members}
    return {"Type": "AWS::ElastiCache::UserGroup", "Properties": properties}


@pytest.mark.parametrize(
    ("passwords", "reason"),
    [
        ((LONG, OTHER, f"{LONG}-3"), "at most 2 passwords"),
        (("too-short",), "between 16 and 128 characters"),
        (("x" * 129,), "between 16 and 128 characters"),
    ],
)
def test_passwords_that_elasticache_refuses(
    account: Account, passwords: tuple[str, ...], reason: str
) -> None:
    stack = account.launch(template({"User": user("ada", *passwords)}))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in account.failures(stack)["User"]
    assert not any(password in account.failures(stack)["User"] for password in passwords)


@pytest.fixture(scope="module")
def engine() -> Iterator[Valkey]:
    with Valkey(cluster=False) as server:
        yield server


@pytest.fixture(scope="module")
def with_engine(engine: Valkey) -> Iterator[Account]:
    with EmbeddedAws.start(region=REGION, cache=engine.administration_url) as running:
        yield Account(running, REGION)


def accepts(engine: Valkey, name: str, password: str) -> bool:
    """Whether the engine accepts a user; a user without a group is none."""
    with engine.client() as client:
        try:
            return bool(client.execute_command("AUTH", name, password))
        except valkey.exceptions.AuthenticationError:
            return False


def test_members_of_a_group_are_users_of_the_engine(with_engine: Account, engine: Valkey) -> None:
    account, users = with_engine, {"Ada": user("ada", LONG), "Bob": user("bob", LONG, OTHER)}
    stack = account.launch(template({**users, "Group": group("Ada")}))

    assert accepts(engine, "ada", LONG)
    assert not accepts(engine, "ada", OTHER)
    assert not accepts(engine, "bob", LONG)

    stack = account.update(stack, template({**users, "Group": group("Ada", "Bob")}))
    assert accepts(engine, "bob", LONG)
    assert accepts(engine, "bob", OTHER)

    users["Ada"] = user("ada", OTHER)
    stack = account.update(stack, template({**users, "Group": group("Bob", "Ada")}))
    assert (accepts(engine, "ada", LONG), accepts(engine, "ada", OTHER)) == (False, True)

    stack = account.update(stack, template({"Ada": users["Ada"], "Group": group("Ada")}))
    assert not accepts(engine, "bob", LONG)
    account.delete(stack)
    assert not accepts(engine, "ada", OTHER)
