"""Constraints on a product in a portfolio."""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id

from embedded_aws.bridge import tables
from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import state, visible
from embedded_aws.services.service_catalog.administration import templates
from embedded_aws.services.service_catalog.state import Answer, Record

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_CONSTRAINTS = 100
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+")
# Types of which a product has at most one in a portfolio; LAUNCH and STACKSET also exclude each other.
_SINGLE = ("LAUNCH", "STACKSET", "RESOURCE_UPDATE")


def constraints_of(portfolio: str, product: str, kind: str | None = None) -> list[Record]:
    """The constraints on a product in a portfolio, of one type or of all."""
    return [
        constraint
        for constraint in state.records_of_all_accounts(state.constraints)
        if (constraint["PortfolioId"], constraint["ProductId"]) == (portfolio, product)
        and kind in (None, constraint["Type"])
    ]


def rules_of(portfolio: str, product: str) -> dict[str, Any]:
    """The rules of the TEMPLATE constraints, with names that no template uses."""
    return {
        templates.rule_name(constraint["ConstraintId"], name): rule
        for constraint in constraints_of(portfolio, product, "TEMPLATE")
        for name, rule in json.loads(constraint["Parameters"])["Rules"].items()
    }


def parameters_of(portfolio: str, product: str, kind: str) -> Record | None:
    """The parameters of the constraint of a type that can exist once; None if it does not exist."""
    found = constraints_of(portfolio, product, kind)
    return json.loads(found[0]["Parameters"]) if found else None


def _create(request: Request) -> Answer:
    portfolio = state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    if request["ProductId"] not in portfolio["Products"]:
        raise state.not_found("Product", request["ProductId"])
    _check(request["Type"], request["Parameters"])
    _refuse_second(request, constraints_of(portfolio["Id"], request["ProductId"]))
    constraint = {
        "ConstraintId": state.new_id("cons"),
        "Owner": get_account_id(),
        **state.present_members(
            request, "Type", "Description", "ProductId", "PortfolioId", "Parameters"
        ),
    }
    state.constraints[constraint["ConstraintId"]] = constraint
    return _described(constraint)


def _refuse_second(request: Request, others: list[Record]) -> None:
    kind = request["Type"]
    kinds = {constraint["Type"] for constraint in others}
    exclusive = {"LAUNCH": "STACKSET", "STACKSET": "LAUNCH"}.get(kind)
    if exclusive in kinds:
        raise state.invalid(f"A product cannot have both a {kind} and a {exclusive} constraint.")
    same = json.loads(request["Parameters"])
    duplicate = any(c["Type"] == kind and json.loads(c["Parameters"]) == same for c in others)
    if duplicate or (kind in _SINGLE and kind in kinds):
        raise ServiceError(
            "DuplicateResourceException",
            f"A {kind} constraint on product {request['ProductId']} in portfolio"
            f" {request['PortfolioId']} already exists.",
        )
    if len(others) >= _MOST_CONSTRAINTS:
        raise state.limit_error(_MOST_CONSTRAINTS, "constraints per product and portfolio")


def _check(kind: str, text: str) -> None:
    checks: dict[str, Callable[[Any], None]] = {
        "LAUNCH": _check_launch,
        "NOTIFICATION": _check_notification,
        "RESOURCE_UPDATE": _check_resource_update,
        "STACKSET": _check_stack_set,
        "TEMPLATE": _check_template,
    }
    if kind not in checks:
        raise state.invalid(f"Constraint type {kind} is not one of {', '.join(checks)}.")
    try:
        parameters = json.loads(text)
    except ValueError as problem:
        raise state.invalid(f"Parameters is not valid JSON: {problem}") from problem
    if not isinstance(parameters, dict):
        raise state.invalid("Parameters must be a JSON object.")
    checks[kind](parameters)


def _check_launch(parameters: Record) -> None:
    match parameters:
        case {"RoleArn": str(arn), **others} if not others and _ROLE.fullmatch(arn):
            return
        case {"LocalRoleName": str(name), **others} if not others:
            # API_CreateConstraint: the role must exist in the account of the constraint.
            if tables.ROLES.get(name) is None:
                raise state.invalid(f"The local role {name} does not exist in this account.")
        case _:
            raise state.invalid("LAUNCH takes either RoleArn, the ARN of a role, or LocalRoleName.")


def _check_notification(parameters: Record) -> None:
    match parameters:
        case {"NotificationArns": [_, *_] as topics, **others} if not others:
            if all(isinstance(topic, str) and _TOPIC.fullmatch(topic) for topic in topics):
                return
    raise state.invalid("NOTIFICATION takes NotificationArns, a list of the ARNs of SNS topics.")


def _check_resource_update(parameters: Record) -> None:
    match parameters:
        case {
            "Version": str(),
            "Properties": {"TagUpdateOnProvisionedProduct": "ALLOWED" | "NOT_ALLOWED"},
        }:
            return
    raise state.invalid(
        "RESOURCE_UPDATE takes Version and Properties with TagUpdateOnProvisionedProduct,"
        " ALLOWED or NOT_ALLOWED."
    )


def _check_stack_set(parameters: Record) -> None:
    match parameters:
        case {
            "Version": str(),
            "Properties": {
                "AccountList": [*_],
                "RegionList": [*_],
                "AdminRole": str(),
                "ExecutionRole": str(),
            },
        }:
            return
    raise state.invalid(
        "STACKSET takes Version and Properties with AccountList, RegionList, AdminRole and"
        " ExecutionRole."
    )


def _check_template(parameters: Record) -> None:
    if set(parameters) != {"Rules"}:
        raise state.invalid("TEMPLATE takes Rules.")
    templates.check_rules(parameters["Rules"])


def _constraint_of(request: Request) -> Record:
    return state.find(state.constraints, "Constraint", request["Id"])


def detail(constraint: Record) -> Record:
    """A constraint in the form of all operations."""
    return state.present_members(
        constraint, "ConstraintId", "Type", "Description", "Owner", "ProductId", "PortfolioId"
    )


def _described(constraint: Record) -> Answer:
    return {
        "ConstraintDetail": detail(constraint),
        "ConstraintParameters": constraint["Parameters"],
        "Status": "AVAILABLE",
    }


def _describe(request: Request) -> Answer:
    return _described(_constraint_of(request))


def _update(request: Request) -> Answer:
    constraint = _constraint_of(request)
    if "Parameters" in request:
        _check(constraint["Type"], request["Parameters"])
    constraint.update(state.present_members(request, "Description", "Parameters"))
    return _described(constraint)


def _delete(request: Request) -> Answer:
    del state.constraints[_constraint_of(request)["ConstraintId"]]
    return {}


def _list(request: Request) -> Answer:
    portfolio = visible.portfolio_of(request["PortfolioId"])
    found = [
        detail(constraint)
        for constraint in state.records_of_all_accounts(state.constraints)
        if constraint["PortfolioId"] == portfolio["Id"]
        and request.get("ProductId", constraint["ProductId"]) == constraint["ProductId"]
    ]
    return state.page(request, "ConstraintDetails", found)


OPERATIONS = {
    "CreateConstraint": _create,
    "DescribeConstraint": _describe,
    "UpdateConstraint": _update,
    "DeleteConstraint": _delete,
    "ListConstraintsForPortfolio": _list,
}
