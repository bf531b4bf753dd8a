"""Which stack turns deletion protection on: a layer that is launched alone, or the root of an environment for its layers."""

from __future__ import annotations

from troposphere import Equals, If, NoValue

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration

PROTECTED_BY_LAYER, PROTECTED_BY_ENVIRONMENT = "layer", "environment"
PROTECTED_BY = Declaration(
    name="ProtectedBy",
    group=groups.OPERATIONS,
    label="Deletion protection by",
    description="layer: this stack turns deletion protection on and off. environment: the root stack of an environment does, and sets this value.",
    default=PROTECTED_BY_LAYER,
    allowed=(PROTECTED_BY_LAYER, PROTECTED_BY_ENVIRONMENT),
    message=f"ProtectedBy must be {PROTECTED_BY_LAYER} or {PROTECTED_BY_ENVIRONMENT}.",
)


def unless_environment_protects(layer: Layer, value: object) -> If:
    """The value of a property in a layer that is launched alone; within an environment the property is absent.

    A resource is then created without protection, and CloudFormation leaves the protection of an existing one unchanged. For
    a database, its handler sends only properties that differ and have a value (DifferenceUtils.diff in
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds); for a load balancer, attributes are
    not reset: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/554.
    """
    alone = layer.condition(
        "IsProtectedByLayer",
        Equals(layer.parameter(PROTECTED_BY), PROTECTED_BY_LAYER),
    )
    return If(alone, value, NoValue)
