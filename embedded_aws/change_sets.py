"""Say in a change set what a changed property does, from the provider schema.

ministack knows it for a part of the types and reports Conditional for all others.
"""

from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners, stacks

from embedded_aws.schemas import UnknownTypeError, property_names, schema_of


def install() -> None:
    """Classify changes by createOnlyProperties where ministack has no list of its own."""
    known = provisioners._property_recreation

    def recreation(resource_type: str, name: str) -> str:
        if resource_type in provisioners._REPLACING_PROPERTIES:
            return str(known(resource_type, name))
        try:
            schema = schema_of(resource_type, get_region())
        except UnknownTypeError:
            return str(known(resource_type, name))
        if f"/properties/{name}" in schema.get("createOnlyProperties", []):
            return "Always"
        conditional = [
            *schema.get("conditionalCreateOnlyProperties", []),
            *schema.get("createOnlyProperties", []),
        ]
        return "Conditionally" if name in property_names(conditional) else "Never"

    # Only where changes are described: the handlers of these types replace by themselves.
    stacks._property_recreation = recreation
