"""Denials for a launch role: all resources of the environments that it does not launch."""

from __future__ import annotations

from awacs.aws import Action, Condition, Deny, Statement, StringEquals
from troposphere import Ref
from troposphere.iam import ManagedPolicy

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT
from templates_src.launch_role.environments import other_environments


def add_denials(layer: Layer) -> ManagedPolicy:
    """The policy that denies every action on resources with the tags of another environment of the project.

    Many services identify resources by generated IDs, so only tags show the environment. The tag of another project
    denies nothing: a team can use an existing VPC with the team's tags.
    """
    return layer.add(
        ManagedPolicy(
            "OtherEnvironmentsPolicy",
            Description="Carbon Connect's launch role: nothing of an environment that it does not launch",
            PolicyDocument=iam.document(
                deny_other_environments("NothingOfAnotherEnvironment", "ResourceTag"),
                # A role of another environment trusts these tags.
                deny_other_environments("NothingTaggedAsAnotherEnvironment", "RequestTag"),
            ),
        )
    )


def deny_other_environments(sid: str, kind: str) -> Statement:
    """Deny every action with the tags of another environment, on an existing resource (ResourceTag) or a new one (RequestTag)."""
    tags = {
        f"aws:{kind}/{PROJECT.name}": Ref(PROJECT.name),
        f"aws:{kind}/{ENVIRONMENT.name}": other_environments(),
    }
    return Statement(
        Sid=sid,
        Effect=Deny,
        # Everything: it denies.
        Action=[Action("*")],
        Resource=["*"],
        Condition=Condition(StringEquals(tags)),
    )
