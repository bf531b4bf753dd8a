"""The root: every layer as a nested stack, connected by name, and the functions that check and protect the environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from troposphere import GetAtt, Join, Sub, Tags
from troposphere.cloudformation import Stack

from templates_src.compute.template import compute
from templates_src.core.errors import TemplateError
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer, is_list
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX
from templates_src.core.protection import PROTECTED_BY, PROTECTED_BY_ENVIRONMENT
from templates_src.data.template import data
from templates_src.edge.template import edge
from templates_src.guards.deletion_protection import add_deletion_protection
from templates_src.guards.launch_check import LAUNCH_CHECK, add_launch_check
from templates_src.monitoring.template import monitoring
from templates_src.network.template import network
from templates_src.security.template import security

ROOT = "environment"
TEMPLATE_FOLDER = "templates"
TEMPLATE_SUFFIX = ".template.json"


def layers() -> list[Layer]:
    """Every layer, each after the layers whose outputs it takes."""
    return [network(), security(), data(), edge(), compute(), monitoring()]


def environment(nested: Sequence[Layer], *, release_prefix: str, version: str) -> Layer:
    """The root template over the given layers.

    ``release_prefix`` becomes the default of ReleasePrefix, so that a root always nests the templates it was built
    with. Raises TemplateError for a parameter without a source and for two outputs with one name.
    """
    root = Layer(ROOT, f"Carbon Connect {version}: a whole environment as nested stacks")
    sources: dict[str, str] = {}
    for layer in nested:
        root.add(nested_stack(root, layer, sources))
        for name in layer.template.outputs:
            if name in sources:
                raise TemplateError(
                    f"Layers {sources[name]} and {layer.name} both output {name}; rename one of them."
                )
            sources[name] = layer.name
        lift_rules(root, layer)
    # After the layers, which determine the order of the form; DependsOn determines the order of creation.
    add_launch_check(root)
    add_deletion_protection(root, [stack_title(layer.name) for layer in nested])
    declare_release(root, release_prefix)
    add_outputs(root, nested)
    root.output("ReleaseVersion", version, "Version of the release that launched this")
    root.output(
        "ReleaseLocation",
        Sub("s3://${ReleaseBucket}/${ReleasePrefix}"),
        "Location of the release that launched this",
    )
    return root


def stack_title(layer_name: str) -> str:
    """Logical ID of a layer's nested stack."""
    return layer_name.capitalize()


def nested_stack(root: Layer, layer: Layer, sources: dict[str, str]) -> Stack:
    """The nested stack of a layer; each parameter is connected to the output or the root parameter with its name."""
    values = {
        declaration.name: wire(root, layer, declaration, sources)
        for declaration in layer.declarations.values()
    }
    return Stack(
        stack_title(layer.name),
        # If the check refuses a launch or an update, no resource is created or changed.
        DependsOn=LAUNCH_CHECK,
        **DELETED_WITH_THE_STACK,
        TemplateURL=template_url(layer.name),
        Parameters=values,
        # A nested stack passes its tags to its resources, so they must be those of its layer.
        Tags=Tags(**{**root.tags(), "Layer": layer.name}),
    )


def template_url(layer_name: str) -> Sub:
    """URL of a layer's template in the release."""
    return Sub(
        "https://${ReleaseBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/${ReleasePrefix}"
        f"{TEMPLATE_FOLDER}/{layer_name}{TEMPLATE_SUFFIX}"
    )


def wire(root: Layer, layer: Layer, declaration: Declaration, sources: dict[str, str]) -> Any:
    """The value that the root passes to a layer's parameter."""
    if declaration == PROTECTED_BY:
        return PROTECTED_BY_ENVIRONMENT
    if declaration.wired:
        if declaration.name not in sources:
            raise TemplateError(
                f"Layer {layer.name} takes {declaration.name}, which no earlier layer outputs; "
                "output it there, or declare it as a parameter of the environment."
            )
        return GetAtt(stack_title(sources[declaration.name]), f"Outputs.{declaration.name}")
    if declaration.name in sources:
        raise TemplateError(
            f"Parameter {declaration.name} of layer {layer.name} is also an output of layer "
            f"{sources[declaration.name]}; declare it as wired, or rename one of them."
        )
    reference = root.parameter(declaration)
    return Join(",", reference) if is_list(declaration) else reference


def lift_rules(root: Layer, layer: Layer) -> None:
    """Copy each rule of the layer to the root, so that it refuses before any nested stack exists."""
    for rule in layer.rules.values():
        if not any(declaration.wired for declaration in rule.parameters):
            root.rule(rule)


def declare_release(root: Layer, release_prefix: str) -> None:
    """The parameters with the location of the release, as the last group of the form."""
    for declaration in (RELEASE_BUCKET, own_prefix(release_prefix)):
        # A layer with functions has declared it already, in another place.
        root.declarations.pop(declaration.name, None)
        root.template.parameters.pop(declaration.name, None)
        root.parameter(declaration)


def own_prefix(release_prefix: str) -> Declaration:
    """ReleasePrefix, with the prefix of this release as its default and only release.

    An update keeps the previous value of a parameter that is not named, and the console that of all parameters. Without
    the restriction, the new root would nest the previous release's layers under the version of the new release.
    """
    folder, own = release_prefix.partition("/")[0], release_prefix.replace(".", r"\.")
    return replace(
        RELEASE_PREFIX,
        default=release_prefix,
        pattern=rf"{own}|(?!{folder}/\d){RELEASE_PREFIX.pattern}",
        message=f"ReleasePrefix must be {release_prefix}, this release's own, or that of a copy under another name, ending in a slash.",
    )


def add_outputs(root: Layer, nested: Sequence[Layer]) -> None:
    """The public outputs of the layers, with the same names."""
    for layer in nested:
        for name in layer.public_outputs:
            output = layer.template.outputs[name]
            root.output(
                name,
                GetAtt(stack_title(layer.name), f"Outputs.{name}"),
                output.properties["Description"],
            )
