"""The page Access: secrets, buckets, keys and other resources, roles, and ports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.rendered_resources import RenderedResource
from pipeline.pages.access.grants import KINDS, Access, accesses
from pipeline.pages.access.ports import openings
from pipeline.pages.access.principals import Role, roles
from pipeline.pages.access.words import as_policy, readable, statement_words
from pipeline.pages.inventory.environments import merged, resources_of
from pipeline.pages.site import Page, Site
from pipeline.template.references import tokens

CACHE_USER = "AWS::ElastiCache::User"


@dataclass(frozen=True)
class GrantRow:
    """One grant: the resource, the use, the principal, and the statement that decides it."""

    kind: str
    resource: str
    use: str
    who: str
    used_by: str
    statement: str
    actions: tuple[str, ...]
    scope: tuple[str, ...]
    conditions: tuple[str, ...]
    but: tuple[str, ...]


@dataclass(frozen=True)
class StatementRow:
    """A statement of a role, in words and as policy."""

    name: str
    words: str
    policy: str


@dataclass(frozen=True)
class RoleRow:
    """A role with its statements."""

    name: str
    assumed_by: tuple[str, ...]
    used_by: tuple[str, ...]
    managed: tuple[str, ...]
    boundary: str
    statements: tuple[StatementRow, ...]


@dataclass(frozen=True)
class PortRow:
    """A port, who may connect, and the rules of both sides; ``problem`` says why the connection fails."""

    group: str
    resources: tuple[str, ...]
    port: str
    client: str
    clients: tuple[str, ...]
    admits: str
    lets_out: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class UserRow:
    """A user of the cache, which holds the Celery queues: its permissions, and the secret of its password."""

    name: str
    user: str
    rights: str
    secret: str


def content(site: Site) -> Mapping[str, Any]:
    """The variables of access.html: rows with the environments that have them."""
    grants, known, ports, users = {}, {}, {}, {}
    for name, resources in resources_of(site).items():
        found = roles(resources)
        known[name] = [_role(each) for each in found]
        grants[name] = list(_grants(accesses(resources, found, site.region), found))
        ports[name] = list(_ports(resources))
        users[name] = list(_users(resources))
    rows = merged(grants)
    return {
        "kinds": {
            kind.title: [pair for pair in rows if pair[0].kind == kind.title]
            for kind in KINDS.values()
        },
        "roles": merged(known),
        "ports": merged(ports),
        "users": merged(users),
    }


def _grants(found: list[Access], known: list[Role]) -> Iterator[GrantRow]:
    used_by = {str(role.name): ", ".join(map(str, role.used_by)) for role in known}
    for access in found:
        title, is_empty = KINDS[access.kind].title, not any(access.grants.values())
        if is_empty:
            yield GrantRow(title, str(access.name), "", "", "", "", (), (), (), ())
        for use, grants in access.grants.items():
            for each in grants:
                yield GrantRow(
                    title,
                    str(access.name),
                    use,
                    each.who,
                    used_by.get(each.who, ""),
                    str(each.statement),
                    each.actions,
                    each.scope,
                    each.conditions,
                    each.but,
                )


def _role(role: Role) -> RoleRow:
    return RoleRow(
        str(role.name),
        role.assumed_by,
        tuple(map(str, role.used_by)),
        role.managed,
        role.boundary,
        tuple(
            StatementRow(
                str(statement),
                statement_words(statement.body),
                json.dumps(as_policy(dict(statement.body)), indent=1, ensure_ascii=False),
            )
            for each in role.policies
            for statement in each
        ),
    )


def _ports(resources: list[RenderedResource]) -> Iterator[PortRow]:
    for each in openings(resources):
        blocked = each.is_group and not each.lets_out
        yield PortRow(
            str(each.group),
            tuple(map(str, each.resources)),
            each.port,
            each.client,
            tuple(map(str, each.clients)),
            each.admits,
            each.lets_out,
            f"{each.client} has no egress rule to this port" if blocked else "",
        )


def _users(resources: list[RenderedResource]) -> Iterator[UserRow]:
    for each in sorted(resources, key=lambda each: each.name):
        if each.kind == CACHE_USER:
            mode = each.properties.get("AuthenticationMode", {})
            secrets = sorted({str(name) for name, _ in tokens(dict(mode))})
            yield UserRow(
                str(each.name),
                readable(str(each.properties["UserName"])),
                str(each.properties["AccessString"]),
                ", ".join(secrets),
            )


PAGE = Page(
    "access",
    "Access",
    "Who may read, write and manage what, what each role may do, and who may connect to each port. Each line names the "
    "statement or rule that decides it.",
    content,
)
