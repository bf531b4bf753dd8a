"""Read a rendered environment: resources by type, and the resources that a value refers to."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from pipeline.checks.render import Origin, Rendered

# A variable of Fn::Sub: a resource, or one of its attributes.
VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")

# What texts contain, by the identity and size of an environment's origins, which are kept so that the identity stays.
_WITHIN: dict[tuple[int, int], tuple[Mapping[str, Origin], dict[str, set[Origin]]]] = {}
# What values refer to, by their identity; None unless nothing changes a rendered environment in place, as in mutation testing.
REMEMBERED: dict[tuple[int, int, int], tuple[object, set[Origin]]] | None = None


Item = TypeVar("Item")


class MissingValueError(AssertionError, KeyError):
    """A check needs a value that a resource does not have; the message names both."""

    __str__ = Exception.__str__


class Values(dict[str, Any]):
    """A part of a resource. A key that is missing is an assertion that fails, with the place in the resource."""

    __slots__ = ("place",)

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        super().__init__(values)
        self.place = place

    def __missing__(self, key: str) -> Any:
        raise MissingValueError(f"{self.place} has no {key}.")

    def __copy__(self) -> Values:
        return Values(self, self.place)

    def __deepcopy__(self, memo: dict[int, Any]) -> Values:
        return Values({key: copy.deepcopy(part, memo) for key, part in self.items()}, self.place)


def with_places(rendered: Rendered) -> Rendered:
    """The same environment; its resources name a value that is missing when a check reads it."""
    result = copy.copy(rendered)
    result.layers = {
        layer: {
            **template,
            "Resources": {
                name: _with_place(body, f"{layer}.{name}")
                for name, body in template["Resources"].items()
            },
        }
        for layer, template in rendered.layers.items()
    }
    return result


def _with_place(value: Any, place: str) -> Any:
    match value:
        case Mapping():
            return Values(
                {
                    key: _with_place(part, place if key == "Properties" else f"{place}/{key}")
                    for key, part in value.items()
                },
                place,
            )
        case list():
            return [_with_place(part, place) for part in value]
        case _:
            return value


class Resource(NamedTuple):
    """A rendered resource."""

    layer: str
    logical_id: str
    properties: Mapping[str, Any]


class GroupRule(NamedTuple):
    """A rule of a security group; ``peer`` is the logical ID of the other group, or a CIDR."""

    egress: bool
    group: str
    peer: str
    protocol: str
    first: int
    last: int


def resources(rendered: Rendered) -> Iterator[tuple[str, Resource]]:
    """Every resource of every layer, with its type."""
    for layer, template in rendered.layers.items():
        for logical_id, body in template["Resources"].items():
            yield body["Type"], Resource(layer, logical_id, body.get("Properties", {}))


def resources_of_type(rendered: Rendered, kind: str) -> Iterator[Resource]:
    """Every resource of one type, in any layer."""
    return (
        Resource(layer, logical_id, body.get("Properties", {}))
        for layer, template in rendered.layers.items()
        for logical_id, body in template["Resources"].items()
        if body["Type"] == kind
    )


def single(items: Iterable[Item], what: str) -> Item:
    """The only item; ``what`` says in the error what there are none or several of."""
    found = list(items)
    if len(found) != 1:
        raise MissingValueError(f"There are {len(found)} of {what} and not one.")
    return found[0]


def only(rendered: Rendered, kind: str) -> Resource:
    """The only resource of a type."""
    found = list(resources_of_type(rendered, kind))
    assert len(found) == 1, f"{rendered.environment} has {len(found)} of {kind} and not one."
    return found[0]


def named(rendered: Rendered, logical_id: str) -> Resource:
    """The resource with a logical ID, which is unique over the layers."""
    found = [
        Resource(layer, logical_id, template["Resources"][logical_id].get("Properties", {}))
        for layer, template in rendered.layers.items()
        if logical_id in template["Resources"]
    ]
    assert len(found) == 1, f"{rendered.environment} has {len(found)} of {logical_id} and not one."
    return found[0]


def origin_of(rendered: Rendered, layer: str, value: Any) -> Origin | None:
    """The resource that a value of a layer refers to by Ref or attribute; None if it refers to none."""
    match value:
        case {"Ref": str(name)} if name in rendered.layers[layer]["Resources"]:
            return Origin(layer, name, None)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return Origin(layer, name, attribute)
        case str():
            return rendered.origins.get(value)
        case _:
            return None


def id_of(rendered: Rendered, layer: str, value: Any) -> str:
    """Logical ID of the resource that a value refers to, or the value itself if it is text."""
    origin = origin_of(rendered, layer, value)
    return origin.logical_id if origin else str(value)


def origins_in(rendered: Rendered, layer: str, value: Any) -> set[Origin]:
    """Every resource that a value refers to, at any depth, also within text."""
    if REMEMBERED is None or type(value) not in (dict, Values):
        return _origins_in(rendered, layer, value)
    resources = rendered.layers[layer]["Resources"]
    key = (id(value), id(resources), id(rendered.origins))
    if key not in REMEMBERED:
        # The objects are kept, so that no other object gets their identity.
        kept = (value, resources, rendered.origins)
        REMEMBERED[key] = (kept, _origins_in(rendered, layer, value))
    return REMEMBERED[key][1]


def _origins_in(rendered: Rendered, layer: str, value: Any) -> set[Origin]:
    whole = origin_of(rendered, layer, value)
    if whole:
        return {whole}
    match value:
        case str():
            within = _origins_within(rendered, value)
            if "${" not in value:
                return within
            return within | {
                Origin(layer, name, attribute or None)
                for name, attribute in VARIABLE.findall(value)
                if name in rendered.layers[layer]["Resources"]
            }
        case bool() | int() | float() | None:
            return set()
        case Mapping():
            parts = list(value.values())
        case list():
            parts = value
        case _:
            return set()
    return {origin for part in parts for origin in _origins_in(rendered, layer, part)}


def _origins_within(rendered: Rendered, value: str) -> set[Origin]:
    """The resources of other layers whose example values a text contains, remembered for each environment."""
    origins = rendered.origins
    _, known = _WITHIN.setdefault((id(origins), len(origins)), (origins, {}))
    if value not in known:
        known[value] = {
            origin
            for example, origin in origins.items()
            # A port is an example value too, and would match any number.
            if example in value and not example.isdigit()
        }
    return known[value]


def ids_in(rendered: Rendered, layer: str, value: Any) -> set[str]:
    """Logical IDs of the resources that a value refers to."""
    return {origin.logical_id for origin in origins_in(rendered, layer, value)}


def group_rules(rendered: Rendered) -> Iterator[GroupRule]:
    """Every rule of every security group, as a separate resource or within its group."""
    for group in resources_of_type(rendered, "AWS::EC2::SecurityGroup"):
        for egress, key in ((False, "SecurityGroupIngress"), (True, "SecurityGroupEgress")):
            for rule in group.properties.get(key, ()):
                yield group_rule(rendered, group.layer, group.logical_id, rule, egress=egress)
    for egress, kind in ((False, "Ingress"), (True, "Egress")):
        for rule in resources_of_type(rendered, f"AWS::EC2::SecurityGroup{kind}"):
            group_id = id_of(rendered, rule.layer, rule.properties["GroupId"])
            yield group_rule(rendered, rule.layer, group_id, rule.properties, egress=egress)


def group_rule(
    rendered: Rendered, layer: str, group: str, rule: Mapping[str, Any], *, egress: bool
) -> GroupRule:
    """One rule; its ports are -1 if it names none, which in EC2 means all."""
    peers = [
        rule[key]
        for key in (
            "DestinationSecurityGroupId" if egress else "SourceSecurityGroupId",
            "CidrIp",
            "CidrIpv6",
            "DestinationPrefixListId" if egress else "SourcePrefixListId",
        )
        if key in rule
    ]
    (peer,) = peers
    return GroupRule(
        egress,
        group,
        id_of(rendered, layer, peer),
        str(rule["IpProtocol"]),
        int(rule.get("FromPort", -1)),
        int(rule.get("ToPort", -1)),
    )


def role_statements(rendered: Rendered, role: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement of a role's inline and attached policies, with the layer of its references."""
    resource = named(rendered, role)
    for policy in resource.properties.get("Policies", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield resource.layer, statement
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
        for policy_resource in resources_of_type(rendered, kind):
            layer, _, properties = policy_resource
            holders = properties.get("Roles") or [properties.get("RoleName")]
            if role in {id_of(rendered, layer, holder) for holder in holders}:
                for statement in properties["PolicyDocument"]["Statement"]:
                    yield layer, statement


def containers(rendered: Rendered) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container, with the logical ID of its task definition."""
    for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
        for container in task.properties["ContainerDefinitions"]:
            yield task.logical_id, container
