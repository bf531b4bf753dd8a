"""Attempts of people with the launcher role, without the products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.checks.iam.policies import policy
from pipeline.template.example_values import ACCOUNT
from templates_src.access.launcher import launcher_role
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import arn, dev, of_account
from tests.attacks.launching import DEVELOPER, trust
from tests.attacks.launching import role as launch_role
from tests.attacks.outside import OUTSIDER, administrator
from tests.launch_role.evaluation import resources_of

PEOPLE = f"arn:aws:iam::{ACCOUNT}:role/developers"
LAUNCHER = f"arn:aws:iam::{ACCOUNT}:role/carbon-connect-launcher"


@cache
def launcher() -> Principal:
    """The launcher role with its policy."""
    document = resources_of(launcher_role())["LauncherPolicy"]["Properties"]["PolicyDocument"]
    return Principal(LAUNCHER, ACCOUNT, (policy("launcher", document),))


@cache
def launcher_trust() -> Resource:
    """The launcher role as the resource of ``sts:AssumeRole``; it trusts one role."""
    properties = resources_of(launcher_role(), TrustedPrincipals=PEOPLE)["LauncherRole"]
    return Resource(ACCOUNT, policy("trust", properties["Properties"]["AssumeRolePolicyDocument"]))


def does(
    name: str,
    action: str,
    *guards: str,
    arn: Callable[[], str] = lambda: "*",
    on: Callable[[], Resource] = of_account,
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attempt with the launcher role itself."""
    return attack(
        DEVELOPER,
        name,
        *guards,
        by=launcher,
        action=action,
        arn=arn,
        on=on,
        context=context,
    )


def signs_in(name: str, *guards: str, by: Callable[[], Principal]) -> Attack:
    """An attempt to assume the launcher role."""
    return attack(
        OUTSIDER,
        name,
        *guards,
        by=by,
        action="sts:AssumeRole",
        arn=lambda: LAUNCHER,
        on=launcher_trust,
    )


SELF = {"servicecatalog:accountLevel": "self"}
DIRECTLY = (
    does("terminates an environment that another role launched", "servicecatalog:TerminateProvisionedProduct", "launcher/UseWhatTheRoleLaunched: Condition servicecatalog:roleLevel", context=lambda: SELF),
    does("updates an environment that another role launched", "servicecatalog:UpdateProvisionedProduct", "launcher/UseWhatTheRoleLaunched: Condition servicecatalog:roleLevel", context=lambda: SELF),
    does("reads the stack of another application", "cloudformation:DescribeStacks", "launcher/ReadTheStacksOfProducts: Resource", arn=arn("cloudformation", "stack/payroll/1")),
    does("updates the stack of its environment around the product", "cloudformation:UpdateStack", "no statement", arn=arn("cloudformation", f"stack/SC-{ACCOUNT}-pp-dev/1")),
    does("assumes the launch role", "sts:AssumeRole", "trust/Allow: Principal", arn=lambda: launch_role().arn, on=trust),
    does("reads the master password of its environment's database", "secretsmanager:GetSecretValue", "no statement", arn=lambda: dev().arn("DatabaseSecret")),
    does("opens a shell in a container", "ecs:ExecuteCommand", "no statement", arn=arn("ecs", "task/x/1")),
    does("makes another role the owner of an environment", "servicecatalog:UpdateProvisionedProductProperties", "no statement", context=lambda: {"servicecatalog:roleLevel": "self"}),
    does("adds another role to a portfolio", "servicecatalog:AssociatePrincipalWithPortfolio", "no statement", arn=lambda: f"arn:aws:catalog:eu-north-1:{ACCOUNT}:portfolio/port-a"),
    signs_in("assumes the launcher role, as a role that it does not trust", "trust/People: Condition aws:PrincipalArn", by=administrator(ACCOUNT)),
    signs_in("assumes the launcher role, as an administrator of another account", "trust/People: Principal", "trust/People: Condition aws:PrincipalArn", by=administrator()),
)  # fmt: skip
