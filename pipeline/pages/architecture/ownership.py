"""Which box each resource belongs to."""

from __future__ import annotations

from pipeline.pages.architecture.boxes import Box
from pipeline.pages.architecture.references import Key, Resources

# Resources of the whole environment: a reference to one says nothing about where a resource belongs.
_SHARED = frozenset(
    {
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::RouteTable",
        "AWS::EC2::InternetGateway",
        "AWS::ECS::Cluster",
        "AWS::CloudFormation::Stack",
    }
)


def assign(resources: Resources, boxes: list[Box]) -> list[Key]:
    """Give each resource to the box that alone refers to it, or that it alone refers to; returns those of no box.

    A resource of several boxes, such as a role that services share, belongs to none of them.
    """
    owner: dict[Key, Box] = {key: box for box in boxes for key in box.primary}
    references = {
        key: resources.named_by(key.layer, resources.properties(key)) - {key}
        for key in resources.bodies
    }
    referrers: dict[Key, set[Key]] = {key: set() for key in resources.bodies}
    for key, named in references.items():
        for other in named:
            referrers[other].add(key)
    waiting = [
        key for key in resources.bodies if key not in owner and resources.kind(key) not in _SHARED
    ]
    for sides in ((referrers,), (references,), (referrers, references)):
        changed = True
        while changed:
            changed = False
            for key in list(waiting):
                near = {
                    id(owner[each]): owner[each]
                    for side in sides
                    for each in side[key]
                    if each in owner
                }
                if len(near) == 1:
                    owner[key] = next(iter(near.values()))
                    waiting.remove(key)
                    changed = True
    for key in resources.bodies:
        if key in owner:
            owner[key].resources.append(key)
    return [key for key in resources.bodies if key not in owner]
