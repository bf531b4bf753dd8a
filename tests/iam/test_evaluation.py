"""The evaluation over all policies: each row of AWS's evaluation logic, with the deciding statement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.core import iam_evaluator

from pipeline.checks.iam.evaluation import Principal, Resource, decide
from pipeline.checks.iam.policies import Policy, Request, allows, denies, policy

HOME, AWAY = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{HOME}:role/r"
BUCKET = "arn:aws:s3:::b/x"
KEY = f"arn:aws:kms:eu-north-1:{HOME}:key/k"
READ = Request("s3:GetObject", BUCKET)
DECRYPT = Request("kms:Decrypt", KEY)


def statement(effect: str, action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": f"{effect}{len(more)}", "Effect": effect, "Action": action, "Resource": resource, **more}  # fmt: skip


def one(name: str, *bodies: dict[str, Any]) -> Policy:
    return policy(name, list(bodies))


ALLOW = one("own", statement("Allow", "s3:Get*", "arn:aws:s3:::b/*"))
KEYS = one("own", statement("Allow", "kms:Decrypt"))


def role(
    *policies: Policy, account: str = HOME, boundary: Policy | None = None, **more: Any
) -> Principal:
    return Principal(f"arn:aws:iam::{account}:role/r", account, policies, boundary, **more)


def by(principal: Any, action: str = "s3:GetObject", effect: str = "Allow", **more: Any) -> Policy:
    return one("resource", statement(effect, action, Principal=principal, **more))


ROOT = {"AWS": f"arn:aws:iam::{HOME}:root"}
AWAY_ROOT = {"AWS": AWAY}


@pytest.mark.parametrize(
    ("principal", "request_", "resource", "expected"),
    [
        # In one account, one of the two is enough.
        (role(ALLOW), READ, None, True),
        (role(), READ, None, False),
        (role(), READ, by({"AWS": ROLE}), True),
        (role(), READ, by("*"), True),
        (role(), READ, by({"AWS": "*"}), True),
        # The account as a principal leaves the decision to IAM.
        (role(), READ, by(ROOT), False),
        (role(ALLOW), READ, by({"AWS": f"arn:aws:iam::{HOME}:role/other"}), True),
        # Of two accounts, both must allow.
        (role(ALLOW, account=AWAY), READ, None, False),
        (role(ALLOW, account=AWAY), READ, by(AWAY_ROOT), True),
        (role(account=AWAY), READ, by(AWAY_ROOT), False),
        (role(account=AWAY), READ, by("*"), False),
        (role(ALLOW, account=AWAY), READ, by(ROOT), False),
        # A key's policy must allow, by name or by account.
        (role(KEYS), DECRYPT, None, False),
        (role(KEYS), DECRYPT, by(ROOT, "kms:*"), True),
        (role(), DECRYPT, by(ROOT, "kms:*"), False),
        (role(), DECRYPT, by({"AWS": ROLE}, "kms:*"), True),
        # A trust policy, too.
        (role(one("own", statement("Allow", "sts:AssumeRole"))), Request("sts:AssumeRole", ROLE), None, False),
        # Services and workflows have only the resource's policies.
        (Principal(service="a.amazonaws.com"), READ, by({"Service": "a.amazonaws.com"}), True),
        (Principal(service="a.amazonaws.com"), READ, by({"Service": "b.amazonaws.com"}), False),
        (Principal(service="a.amazonaws.com"), READ, by({"AWS": HOME}), False),
        (Principal(federated="p"), READ, by({"Federated": "p"}), True),
        # A denial in any policy prevails.
        (role(ALLOW, one("more", statement("Deny", "s3:*"))), READ, None, False),
        (role(ALLOW), READ, by("*", effect="Deny"), False),
        (role(ALLOW, boundary=one("b", statement("Allow", "*"), statement("Deny", "s3:*"))), READ, None, False),
        # A boundary grants nothing, and limits what others grant.
        (role(boundary=one("b", statement("Allow", "*"))), READ, None, False),
        (role(ALLOW, boundary=one("b", statement("Allow", "*"))), READ, None, True),
        (role(ALLOW, boundary=one("b", statement("Allow", "ec2:*"))), READ, None, False),
        (role(boundary=one("b", statement("Allow", "ec2:*"))), READ, by({"AWS": ROLE}), False),
        (role(ALLOW, session=one("s", statement("Allow", "ec2:*"))), READ, None, False),
    ],
)  # fmt: skip
def test_decision(
    principal: Principal, request_: Request, resource: Policy | None, expected: bool
) -> None:
    decision = decide(principal, request_, Resource(HOME, resource))
    assert decision.allowed is expected
    assert bool(decision.reasons()) is not expected


def test_keys_of_the_caller_and_of_the_resource() -> None:
    keys = {
        "aws:ResourceAccount": HOME,
        "s3:ResourceAccount": HOME,
        "aws:PrincipalOrgID": "o-1",
        "aws:PrincipalTag/Team": "web",
        "aws:PrincipalAccount": HOME,
    }
    held = one("own", statement("Allow", "s3:GetObject", Condition={"StringEquals": keys}))
    caller = Principal(ROLE, HOME, (held,), organization="o-1", tags={"Team": "web"})
    assert decide(caller, READ, Resource(HOME)).allowed
    assert not decide(caller, READ, Resource(AWAY)).allowed
    assert not decide(Principal(ROLE, HOME, (held,)), READ, Resource(HOME)).allowed


def test_reasons_name_what_decides() -> None:
    bound = one(
        "bound",
        {
            "Sid": "OfTheProject",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::other/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/Project": "x"}, "Null": {"a:b": "true"}},
        },
    )  # fmt: skip
    denial = one("guard", {"Sid": "Never", "Effect": "Deny", "Action": "*", "Resource": "*"})
    other = by({"AWS": f"arn:aws:iam::{HOME}:role/other"})

    def reasons(principal: Principal, resource: Policy | None = None) -> tuple[str, ...]:
        return decide(principal, READ, Resource(HOME, resource)).reasons()

    assert reasons(role()) == ("no statement",)
    assert reasons(role(bound)) == (
        "bound/OfTheProject: Resource",
        "bound/OfTheProject: Condition aws:ResourceTag/Project",
    )
    assert reasons(role(ALLOW, denial)) == ("guard/Never: Effect",)
    assert reasons(role(ALLOW, boundary=bound))[0] == "boundary"
    assert reasons(role(), other) == ("resource/Allow1: Principal",)


def test_other_elements() -> None:
    others = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"}
    assert allows([others], READ)
    assert not allows([others], Request("IAM:CreateUser", "x"))
    assert not allows([others], Request("s3:GetObject", "arn:aws:s3:::secret/x"))
    mine = statement("Allow", "s3:GetObject", "arn:aws:s3:::b/${aws:PrincipalTag/Team}/*")
    web = {"aws:PrincipalTag/Team": "web"}
    assert allows([mine], Request("s3:GetObject", "arn:aws:s3:::b/web/x", web))
    assert not allows([mine], Request("s3:GetObject", "arn:aws:s3:::b/ops/x", web))
    assert not allows([mine], Request("s3:GetObject", "arn:aws:s3:::b/web/x"))
    assert denies([statement("Deny", "S3:getobject")], READ)
    assert not denies([statement("Allow", "s3:*")], READ)


BODIES = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect,
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from(["s3:GetObject", "s3:*", "S3:get*", "ec2:*"]), min_size=1, max_size=2),
    st.lists(st.sampled_from(["*", BUCKET, "arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]), min_size=1),
    st.sampled_from(
        [None, {"StringEquals": {"a:b": "1"}}, {"StringNotEquals": {"a:b": ["1", "2"]}}]
    ),
)
DOCUMENTS = st.lists(BODIES, max_size=4)


@settings(max_examples=400, deadline=None)
@given(own=DOCUMENTS, boundary=st.none() | DOCUMENTS, value=st.sampled_from([None, "1", "3"]))
def test_evaluation_agrees_with_the_embedded_aws(
    own: list[Any], boundary: list[Any] | None, value: str | None
) -> None:
    """Compare identity policies within a boundary in two independent implementations."""
    context = {} if value is None else {"a:b": value}
    limit = None if boundary is None else policy("boundary", boundary)
    mine = decide(
        role(policy("own", own), boundary=limit),
        Request(READ.action, READ.arn, context),
        Resource(HOME),
    )
    theirs = iam_evaluator.evaluate(
        iam_evaluator.EvalContext(
            principal_arn=ROLE,
            principal_type="AssumedRole",
            principal_account=HOME,
            action=READ.action,
            resource_arn=READ.arn,
            region="eu-north-1",
            service_context=context,
        ),
        [iam_evaluator.parse_policy_document({"Statement": own})],
        *(
            [[iam_evaluator.parse_policy_document({"Statement": boundary})]]
            if boundary is not None
            else []
        ),
    )
    assert mine.allowed == (theirs.decision == "Allow")
