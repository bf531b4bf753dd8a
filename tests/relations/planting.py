"""Planting faults in rendered environments and in templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import Templates

Plant = Callable[[Rendered], None]
TemplatePlant = Callable[[Templates], None]
ABOVE = "../"


def body(rendered: Rendered, logical_id: str) -> dict[str, Any]:
    """The resource with a logical ID, for changes."""
    (found,) = (
        template["Resources"][logical_id]
        for template in rendered.layers.values()
        if logical_id in template["Resources"]
    )
    changed: dict[str, Any] = found
    return changed


def put(logical_id: str, path: str, value: Any) -> Plant:
    """Set a value; the path leads from the properties, or after ``../`` from the resource, by keys and positions."""

    def plant(rendered: Rendered) -> None:
        holder, key = _at(rendered, logical_id, path)
        holder[key] = value

    return plant


def drop(logical_id: str, path: str) -> Plant:
    """Remove the value at a path, which must exist."""

    def plant(rendered: Rendered) -> None:
        holder, key = _at(rendered, logical_id, path)
        del holder[key]

    return plant


def append(logical_id: str, path: str, value: Any) -> Plant:
    """Add an item to a list."""

    def plant(rendered: Rendered) -> None:
        holder, key = _at(rendered, logical_id, path)
        holder[key].append(value)

    return plant


def remove(*logical_ids: str) -> Plant:
    """Remove resources."""

    def plant(rendered: Rendered) -> None:
        for logical_id in logical_ids:
            (layer,) = (
                template
                for template in rendered.layers.values()
                if logical_id in template["Resources"]
            )
            del layer["Resources"][logical_id]

    return plant


def add(layer: str, logical_id: str, kind: str, **properties: Any) -> Plant:
    """Add a resource."""

    def plant(rendered: Rendered) -> None:
        rendered.layers[layer]["Resources"][logical_id] = {"Type": kind, "Properties": properties}

    return plant


def put_in_template(layer: str, path: str, value: Any) -> TemplatePlant:
    """Set a value in a template; the path leads from its top."""

    def plant(templates: Templates) -> None:
        holder, key = _follow(templates[layer], path)
        holder[key] = value

    return plant


def drop_from_template(layer: str, path: str) -> TemplatePlant:
    """Remove the value at a path of a template."""

    def plant(templates: Templates) -> None:
        holder, key = _follow(templates[layer], path)
        del holder[key]

    return plant


def _at(rendered: Rendered, logical_id: str, path: str) -> tuple[Any, Any]:
    resource = body(rendered, logical_id)
    if path.startswith(ABOVE):
        return _follow(resource, path.removeprefix(ABOVE))
    return _follow(resource["Properties"], path)


def _follow(holder: Any, path: str) -> tuple[Any, Any]:
    """The dictionary or list with the value at a path, and its key or position there."""
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    for step in steps:
        holder = holder[step]
    return holder, last


def follow_capacity_only(rendered: Rendered) -> None:
    """The api waits for its capacity, and for neither its permissions nor what waits for them."""
    service = body(rendered, "ApiService")
    service["DependsOn"] = ["CapacityProviders"]
    service.pop("Metadata", None)
