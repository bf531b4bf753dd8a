"""Tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from tests.relations.registry import relation
from tests.relations.schemas import tag_property
from tests.relations.text import text_of
from tests.rendering import resources


@relation
def everything_is_tagged(rendered: Rendered) -> Iterator[str]:
    """Project, Environment and Layer, on every resource that supports tags; a nested stack passes on those of its layer."""
    given = rendered.parameters[ROOT]
    for kind, resource in resources(rendered):
        key = tag_property(kind)
        if key is None:
            continue
        tags = resource.properties.get(key, ())
        found = (
            {name: text_of(value) for name, value in tags.items()}
            if isinstance(tags, Mapping)
            else {tag["Key"]: text_of(tag["Value"]) for tag in tags}
        )
        nested = kind == "AWS::CloudFormation::Stack"
        layer = resource.logical_id.lower() if nested else resource.layer
        for name, value in (
            ("Project", given["Project"]),
            ("Environment", given["Environment"]),
            ("Layer", layer),
        ):
            if found.get(name) != value:
                yield f"{resource.logical_id} has the tag {name} {found.get(name)}, not {value}."
