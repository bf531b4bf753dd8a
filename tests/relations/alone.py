"""Layers as a team launches them alone: each with its own defaults, and the outputs of the layers before it."""

from __future__ import annotations

import json

from pipeline.checks.render import Rendered, check_rules, render_layer, scope_of
from pipeline.release.assemble import Release, template_path
from templates_src.core.parameters.shared import ENVIRONMENT
from templates_src.environment import ROOT
from tests.relations.variants import REGION, rendered_variant


def layers_alone(release: Release) -> Rendered:
    """Every layer with its defaults; a parameter without one has the output of an earlier layer, or the location of the release.

    The root is that of the profile dev, whose values are the defaults, for relations that read both. Raises PipelineError for a rule that refuses the
    values.
    """
    root = rendered_variant("dev")
    name = json.loads(release.files[template_path(ROOT)])["Parameters"][ENVIRONMENT.name]["Default"]
    rendered = Rendered(name, REGION)
    outputs: dict[str, str] = dict(root.parameters[ROOT])
    for layer in release.layers:
        template = json.loads(release.files[template_path(layer.name)])
        values = {
            name: parameter.get("Default", outputs.get(name))
            for name, parameter in template["Parameters"].items()
        }
        check_rules(scope_of(template, values, REGION, layer.name))
        outputs |= render_layer(release, rendered, layer.name, values)
    rendered.layers[ROOT] = root.layers[ROOT]
    rendered.parameters[ROOT] = root.parameters[ROOT]
    return rendered
