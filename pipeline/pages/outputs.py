"""The outputs of an environment: what each one is for, and its form in each environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.pages.site import Page, Site
from templates_src.environment import ROOT


def content(site: Site) -> Mapping[str, Any]:
    """The variables of outputs.html: ``outputs``, each with its name, description and environments without it."""
    descriptions: dict[str, str] = {}
    for rendered in site.rendered.values():
        descriptions |= {name: body["Description"] for name, body in outputs(rendered).items()}
    return {
        "outputs": [
            {
                "name": name,
                "description": description,
                "values": {
                    environment: value(outputs(rendered).get(name))
                    for environment, rendered in site.rendered.items()
                },
            }
            for name, description in descriptions.items()
        ]
    }


def outputs(rendered: Rendered) -> dict[str, Any]:
    """The outputs of a rendered root template."""
    found: dict[str, Any] = rendered.layers[ROOT].get("Outputs", {})
    return found


def value(output: Mapping[str, Any] | None) -> str:
    """The example value of an output; empty if the environment lacks it."""
    return str(output["Value"]) if output else ""


PAGE = Page(
    "outputs",
    "Outputs",
    "What an environment returns after its launch, and what each value is for.",
    content,
)
