"""Users of IAM Identity Center: their roles as principals of a portfolio, and as trusted principals of a role."""

from __future__ import annotations

import json
import re

import pytest

from commands.common.embedded_sessions import PERSON, make_launcher, session
from pipeline.aws import Aws
from pipeline.environments.provisioning.offers import find_product
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from tests.provisioning.catalog import DEVELOPMENT, USER, Catalog
from tests.relations.variants import built

PERMISSION_SET = "CarbonConnectLauncher"
SUFFIX = "0123456789abcdef"
# The path contains the region of Identity Center, except for us-east-1.
PATHS = ("/aws-reserved/sso.amazonaws.com/eu-north-1/", "/aws-reserved/sso.amazonaws.com/")


def documented(text: str) -> str:
    """The pattern of role ARNs that docs/access.md gives after a text."""
    page = (PROJECT_FOLDER / "docs/access.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"{re.escape(text)}(\S*\*)", page)
    return str(found)


def reserved_role(aws: Aws, path: str, name: str, policy: str = "", **statement: str) -> str:
    """A role as Identity Center creates it, with a managed policy or one statement; returns path and name."""
    iam = aws.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account()}:user/{PERSON}"},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(document))
    if policy:
        iam.attach_role_policy(
            RoleName=name, PolicyArn=f"arn:aws:iam::{aws.account()}:policy/{policy}"
        )
    if statement:
        own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(own))
    return f"{path.lstrip('/')}{name}"


@pytest.mark.parametrize("path", PATHS)
def test_permission_set_with_the_launchers_policy_uses_products(
    catalog: Catalog, path: str
) -> None:
    catalog.admit(f"arn:aws:iam:::{documented('principals: [')}", kind="IAM_PATTERN")
    suffix = f"{SUFFIX}{len(path)}"
    admitted = reserved_role(catalog.aws, path, f"AWSReservedSSO_{PERMISSION_SET}_{suffix}", USER)
    other = reserved_role(catalog.aws, path, f"AWSReservedSSO_Other_{suffix}", USER)

    assert find_product(session(catalog.aws, admitted), DEVELOPMENT.name)
    with pytest.raises(PipelineError, match="no product"):
        find_product(session(catalog.aws, other), DEVELOPMENT.name)


@pytest.mark.parametrize("path", PATHS)
def test_launcher_role_trusts_the_permission_set_and_no_other(catalog: Catalog, path: str) -> None:
    pattern = documented("TrustedPrincipals=arn:aws:iam::111122223333:")
    account, suffix = catalog.aws.account(), f"trust{len(path)}"
    name = f"trusting-{len(path)}"
    make_launcher(catalog.aws, built(), name, trusted=f"arn:aws:iam::{account}:{pattern}")
    may = {"Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{account}:role/{name}"}
    trusted = reserved_role(catalog.aws, path, f"AWSReservedSSO_{PERMISSION_SET}_{suffix}", **may)
    other = reserved_role(catalog.aws, path, f"AWSReservedSSO_Other_{suffix}", **may)

    def assume(role: str) -> None:
        session(catalog.aws, role).client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{name}", RoleSessionName="ada"
        )

    assume(trusted)
    with pytest.raises(Exception, match="AccessDenied"):
        assume(other)
