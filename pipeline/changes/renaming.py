"""Resources that get another logical ID or stack: CloudFormation creates a new one and removes the old one."""

from __future__ import annotations

import json
from collections import defaultdict

from pipeline.changes.state import STACK, Evaluated, Resource
from pipeline.template.references import TOKEN, Name


def renamed(before: Evaluated, after: Evaluated) -> dict[Name, Name]:
    """The new name of each removed resource for which one new resource of its type and properties exists.

    References are compared only by their attribute, because the referenced resource can be renamed too. Tags are not
    compared, because they name the layer.
    """
    gone = _by_shape(before, after)
    new = _by_shape(after, before)
    return {
        names[0]: new[shape][0]
        for shape, names in gone.items()
        if len(names) == 1 and len(new.get(shape, ())) == 1
    }


def _by_shape(one: Evaluated, other: Evaluated) -> dict[str, list[Name]]:
    found: defaultdict[str, list[Name]] = defaultdict(list)
    for name, resource in one.resources.items():
        if name not in other.resources and resource.kind != STACK:
            found[_shape(resource)].append(name)
    return found


def _shape(resource: Resource) -> str:
    properties = {key: value for key, value in resource.properties.items() if key != "Tags"}
    text = json.dumps(properties, sort_keys=True, ensure_ascii=False)
    return f"{resource.kind} {TOKEN.sub(lambda found: '<' + (found.group(3) or '') + '>', text)}"
