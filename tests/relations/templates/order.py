"""The order in which CloudFormation creates the resources of an environment."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT, stack_title
from tests.rendering import ids_in, origins_in


def existing_before(rendered: Rendered, layer: str, logical_id: str) -> set[tuple[str, str]]:
    """The resources that exist when the resource is created, as layer and logical ID.

    In its own layer, these are its references and dependencies, transitively; of the layers that its layer depends on,
    all resources.
    """
    before = {(layer, name) for name in _waits_for(rendered, layer, logical_id)}
    for earlier in layers_before(rendered, layer):
        before |= {(earlier, name) for name in rendered.layers[earlier]["Resources"]}
    return before


def layers_before(rendered: Rendered, layer: str) -> set[str]:
    """The layers that are complete before a layer begins."""
    stacks = {stack_title(name): name for name in rendered.layers if name != ROOT}
    before: set[str] = set()
    pending = [layer]
    while pending:
        body = rendered.layers[ROOT]["Resources"].get(stack_title(pending.pop()), {})
        given = body.get("Properties", {}).get("Parameters", {})
        direct = {origin.layer for origin in origins_in(rendered, ROOT, given)}
        direct |= {stacks[name] for name in body.get("DependsOn", ()) if name in stacks}
        pending += direct - before
        before |= direct
    # A zone with a given name looks like that of a subnet.
    return before - {layer}


def _waits_for(rendered: Rendered, layer: str, logical_id: str) -> set[str]:
    resources = rendered.layers[layer]["Resources"]
    found: set[str] = set()
    pending = [logical_id]
    while pending:
        body = resources[pending.pop()]
        direct = set(body.get("DependsOn", ()))
        for part in ("Properties", "Metadata"):
            direct |= ids_in(rendered, layer, body.get(part, {})) & resources.keys()
        pending += direct - found
        found |= direct
    return found
