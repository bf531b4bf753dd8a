"""The order of creation that no reference expresses."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.rendering import id_of, ids_in, named, resources_of_type

WAYS_OUT = ("GatewayId", "NatGatewayId")


@relation
def services_follow_their_listener(rendered: Rendered) -> Iterator[str]:
    """ECS rejects a service whose target group is not attached to a load balancer yet."""
    listeners = [
        *resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::Listener"),
        *resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::ListenerRule"),
    ]
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        before = existing_before(rendered, service.layer, service.logical_id)
        for balancer in service.properties.get("LoadBalancers", ()):
            group = id_of(rendered, service.layer, balancer["TargetGroupArn"])
            forwarding = {
                (listener.layer, listener.logical_id)
                for listener in listeners
                if group in ids_in(rendered, listener.layer, dict(listener.properties))
            }
            if not forwarding:
                yield f"{service.logical_id} takes its requests from {group}, which no listener forwards to."
            elif not forwarding & before:
                yield f"{service.logical_id} may be created before a listener forwards to {group}."


@relation
def routes_follow_the_gateway(rendered: Rendered) -> Iterator[str]:
    """EC2 rejects an address for a VPC, and a route, whose internet gateway is not attached yet."""
    attachments = {
        (found.layer, found.logical_id)
        for found in resources_of_type(rendered, "AWS::EC2::VPCGatewayAttachment")
    }
    routes = [
        route
        for route in resources_of_type(rendered, "AWS::EC2::Route")
        if any(way in route.properties for way in WAYS_OUT)
    ]
    for waiting in (
        *routes,
        *resources_of_type(rendered, "AWS::EC2::EIP"),
        *resources_of_type(rendered, "AWS::EC2::NatGateway"),
    ):
        if not attachments & existing_before(rendered, waiting.layer, waiting.logical_id):
            yield f"{waiting.logical_id} may be created before the internet gateway is attached."


@relation
def services_follow_their_capacity(rendered: Rendered) -> Iterator[str]:
    """A service uses capacity providers that its cluster has, and releases them before they are deleted."""
    associations = list(
        resources_of_type(rendered, "AWS::ECS::ClusterCapacityProviderAssociations")
    )
    for association in associations:
        attached = set(association.properties["CapacityProviders"])
        for item in association.properties["DefaultCapacityProviderStrategy"]:
            if item["CapacityProvider"] not in attached:
                yield f"{association.logical_id} prefers {item['CapacityProvider']}, which it does not attach."
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        before = existing_before(rendered, service.layer, service.logical_id)
        cluster = id_of(rendered, service.layer, service.properties["Cluster"])
        of_cluster = [
            found
            for found in associations
            if id_of(rendered, found.layer, found.properties["Cluster"]) == cluster
        ]
        providers = {
            provider for found in of_cluster for provider in found.properties["CapacityProviders"]
        }
        for item in service.properties.get("CapacityProviderStrategy", ()):
            if item["CapacityProvider"] not in providers:
                yield f"{service.logical_id} uses {item['CapacityProvider']}, which is not attached to {cluster}."
        if not {(found.layer, found.logical_id) for found in of_cluster} & before:
            yield f"{service.logical_id} may be created before {cluster} has its capacity providers."


@relation
def services_follow_their_permissions(rendered: Rendered) -> Iterator[str]:
    """The first tasks start after all permissions of their execution role exist, in every layer."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        before = existing_before(rendered, service.layer, service.logical_id)
        task = named(rendered, id_of(rendered, service.layer, service.properties["TaskDefinition"]))
        role = id_of(rendered, task.layer, task.properties["ExecutionRoleArn"])
        for policy in resources_of_type(rendered, "AWS::IAM::Policy"):
            holders = {
                id_of(rendered, policy.layer, holder)
                for holder in policy.properties.get("Roles", ())
            }
            if role in holders and (policy.layer, policy.logical_id) not in before:
                yield f"{service.logical_id} may start tasks before {policy.logical_id} grants {role} what they need."
