"""The build checks every policy of every template against IAM's quotas."""

from __future__ import annotations

import pytest
from awacs.aws import Action, Allow, PolicyDocument, Statement
from troposphere import If, NoValue, Ref, Split, Sub, encode_to_dict
from troposphere.iam import ManagedPolicy, Policy, PolicyType, Role

from pipeline.errors import PipelineError
from pipeline.release import assemble
from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.policy_size import (
    LONGEST_VALUE,
    MAX_ATTACHED,
    check_policies,
    longest_size,
)
from tests.relations.variants import built

ROLE_NAME = Declaration(
    name="TaskRoleName", group="Roles", label="Role", description="Role of the task.", wired=True
)


def document(characters: int) -> PolicyDocument:
    """A policy document with slightly more characters."""
    return iam.document(
        Statement(Effect=Allow, Action=[Action("s3", "GetObject")], Resource=["x" * characters])
    )


def role(layer: Layer, *, inline: int = 0, trust: int = 0, attached: int = 0) -> Role:
    """A role with policies of these sizes."""
    return layer.add(
        Role(
            "TaskRole",
            AssumeRolePolicyDocument=document(trust),
            Policies=[Policy(PolicyName="own", PolicyDocument=document(inline))],
            ManagedPolicyArns=[f"arn:aws:iam::aws:policy/{number}" for number in range(attached)],
        )
    )


def test_the_release_fits() -> None:
    check_policies(built().layers)


def test_a_managed_policy_that_is_too_large_is_refused() -> None:
    layer = Layer("big", "A layer")
    layer.add(ManagedPolicy("Many", PolicyDocument=document(6_100)))
    with pytest.raises(
        TemplateError, match=r"Many of template big is too large: 6,\d{3} characters"
    ):
        check_policies([layer])


def test_a_trust_policy_that_is_too_large_is_refused() -> None:
    layer = Layer("big", "A layer")
    role(layer, trust=2_000)
    with pytest.raises(TemplateError, match="The trust policy of TaskRole of template big"):
        check_policies([layer])


def test_too_many_managed_policies_are_refused() -> None:
    layer = Layer("big", "A layer")
    role(layer, attached=MAX_ATTACHED + 1)
    with pytest.raises(TemplateError, match="11 managed policies, but IAM allows 10"):
        check_policies([layer])


def test_inline_policies_of_several_layers_count_together() -> None:
    first, second = Layer("first", "A layer"), Layer("second", "Another")
    made = role(first, inline=6_000)
    first.output(ROLE_NAME.name, Ref(made), "Name of the role")
    second.add(
        PolicyType(
            "More",
            PolicyName="more",
            Roles=[second.parameter(ROLE_NAME)],
            PolicyDocument=document(6_000),
        )
    )
    check_policies([first])
    check_policies([second])
    with pytest.raises(TemplateError, match="inline policies of role TaskRole are too large: 12,"):
        check_policies([first, second])


def test_a_build_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer("launch-role", "Too large a launch role")
    layer.add(ManagedPolicy("Many", PolicyDocument=document(6_200)))
    monkeypatch.setattr(assemble, "launch_role", lambda: layer)
    with pytest.raises(PipelineError, match="Many of template launch-role"):
        assemble.assemble()


def test_longest_values_count() -> None:
    text = {
        "Account": Sub("${AWS::AccountId}"),
        "Known": Ref("Project"),
        "Unknown": Ref("Bucket"),
        "Longer": If("Some", "a", "bcd"),
        "List": [If("Some", "x", NoValue)],
        "Split": Split(",", Ref("Environments")),
    }
    expected = (
        '{"Account":"111111111111","Known":"pp","Unknown":"'
        + "x" * LONGEST_VALUE
        + '","Longer":"bcd","List":["x"],"Split":["dev","prod"]}'
    )
    values = {"Project": "pp", "Environments": "dev,prod"}
    assert longest_size(encode_to_dict(text), values) == len(expected)
