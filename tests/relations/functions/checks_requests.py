"""Custom resources: their functions receive the values of this launch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from tests.relations.functions.function_code import texts_of
from tests.relations.registry import relation
from tests.relations.services.checks_migration import migrations
from tests.relations.templates.order import existing_before
from tests.relations.text import is_true, listed, text_of
from tests.rendering import Resource, id_of, ids_in, named, origins_in, resources_of_type

ZONES = "AvailabilityZones"
PROTECTED = {
    "ProtectDatabase": "DatabaseDeletionProtection",
    "ProtectLoadBalancer": "LoadBalancerDeletionProtection",
}


def of_type(rendered: Rendered, name: str) -> Iterator[Resource]:
    """The custom resources of a type."""
    return resources_of_type(rendered, f"Custom::{name}")


@relation
def the_launch_check_judges_the_launch(rendered: Rendered) -> Iterator[str]:
    """The check receives each parameter that its code names, with the value that the layers receive, and no other."""
    given = rendered.parameters[ROOT]
    named_in_code = texts_of("launch_check")
    for check in of_type(rendered, "LaunchCheck"):
        passed = {
            key: value
            for key, value in check.properties.items()
            if key not in ("ServiceToken", "ServiceTimeout")
        }
        for name in sorted(passed.keys() ^ (named_in_code & given.keys())):
            yield f"{name} is {'passed to' if name in passed else 'missing from'} {check.logical_id}."
        for name in sorted(passed.keys() & given.keys()):
            wanted = given[name] or (_zones(rendered) if name == ZONES else "")
            if text_of(passed[name]) != wanted:
                yield f"{check.logical_id} judges {name} {text_of(passed[name])}, and the launch has {wanted}."


def _zones(rendered: Rendered) -> str:
    """The zones of the private subnets, in their order."""
    subnets = [named(rendered, f"PrivateSubnet{number}") for number in (1, 2, 3)]
    return ",".join(text_of(each.properties["AvailabilityZone"]) for each in subnets)


@relation
def protection_is_that_of_the_parameters(rendered: Rendered) -> Iterator[str]:
    """The function protects what the parameters protect, unless the environment is decommissioned, and again with each release."""
    given = rendered.parameters[ROOT]
    for protection in of_type(rendered, "DeletionProtection"):
        properties, name = protection.properties, protection.logical_id
        wanted = {
            key: is_true(given[parameter]) and not is_true(given["Decommission"])
            for key, parameter in PROTECTED.items()
        }
        wanted["ProtectStack"] = any(wanted.values())
        wanted["Decommission"] = is_true(given["Decommission"])
        for key, value in wanted.items():
            if is_true(properties.get(key)) != value:
                yield f"{name} has {key} {properties.get(key)}, but the parameters say {value}."
        if given["ReleasePrefix"] not in map(text_of, properties.values()):
            yield f"{name} does not change with a release, so a release does not set the protection again."


@relation
def the_function_follows_the_launch_check(rendered: Rendered) -> Iterator[str]:
    """An update that the check refuses changes no part of the function that protects the environment."""
    for protection in of_type(rendered, "DeletionProtection"):
        function = id_of(rendered, protection.layer, protection.properties["ServiceToken"])
        body = named(rendered, function).properties
        parts = {id_of(rendered, protection.layer, body["Role"])}
        parts |= ids_in(rendered, protection.layer, body["LoggingConfig"])
        for part in sorted({function, *parts}):
            before = existing_before(rendered, protection.layer, part)
            for check in of_type(rendered, "LaunchCheck"):
                if (check.layer, check.logical_id) not in before:
                    yield f"{part} may change before {check.logical_id} refuses the update."


@relation
def all_buckets_are_removed_together(rendered: Rendered) -> Iterator[str]:
    """The function that removes buckets receives every bucket of its stack, and whether it may empty them."""
    given = rendered.parameters[ROOT]
    for cleanup in of_type(rendered, "BucketCleanup"):
        buckets = {
            each.logical_id
            for each in resources_of_type(rendered, "AWS::S3::Bucket")
            if each.layer == cleanup.layer
        }
        passed = [
            id_of(rendered, cleanup.layer, each)
            for each in listed(cleanup.properties.get("Buckets"))
        ]
        if sorted(passed) != sorted(buckets):
            yield f"{cleanup.logical_id} removes {sorted(passed)}, and the stack has {sorted(buckets)}."
        if cleanup.properties.get("Removal") != given["BucketRemoval"]:
            yield f"{cleanup.logical_id} has the removal {cleanup.properties.get('Removal')}."


@relation
def migration_runs_like_a_worker(rendered: Rendered) -> Iterator[str]:
    """An image with a migration command is migrated, in the network of the workers, which reach all that it uses."""
    given = rendered.parameters[ROOT]
    found = migrations(rendered)
    if bool(found) != bool(given["MigrationCommand"] and given["ImageTag"]):
        yield f"{len(found)} migrations run {given['MigrationCommand'] or 'no command'}."
    for migration in found:
        worker = named(rendered, "WorkerService")
        network = worker.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        for own, key in (("SubnetIds", "Subnets"), ("SecurityGroupIds", "SecurityGroups")):
            if _ids(rendered, migration, own) != {
                id_of(rendered, worker.layer, each) for each in network[key]
            }:
                yield f"The migration has other {own} than the workers."
        if [text_of(each) for each in migration.properties["RunsFor"]][1:] != [
            given["MigrationCommand"]
        ]:
            yield "Another command of the migration is not a change of its resource."
        before = existing_before(rendered, migration.layer, migration.logical_id)
        for record in resources_of_type(rendered, "AWS::Route53::RecordSet"):
            private = ids_in(rendered, record.layer, record.properties.get("HostedZoneId"))
            if private and (record.layer, record.logical_id) not in before:
                yield f"The migration may look up {record.logical_id} before it exists."


def _ids(rendered: Rendered, resource: Resource, key: str) -> set[str]:
    values: list[Any] = listed(resource.properties.get(key))
    return {id_of(rendered, resource.layer, each) for each in values}


@relation
def the_certificate_is_of_the_load_balancer(rendered: Rendered) -> Iterator[str]:
    """The self-signed certificate has the load balancer's name, and the tag by which its function may renew and delete it."""
    for certificate in of_type(rendered, "DevelopmentCertificate"):
        names = {
            (origin.logical_id, origin.attribute)
            for origin in origins_in(
                rendered, certificate.layer, certificate.properties.get("DomainNames")
            )
        }
        if ("LoadBalancer", "DNSName") not in names:
            yield f"{certificate.logical_id} does not have the name of the load balancer."
        function = named(
            rendered, id_of(rendered, certificate.layer, certificate.properties["ServiceToken"])
        )
        role = named(rendered, id_of(rendered, function.layer, function.properties["Role"]))
        tags = {
            each.get("Key"): text_of(each.get("Value"))
            for each in certificate.properties.get("Tags", ())
        }
        for policy in role.properties.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                for operator in statement.get("Condition", {}).values():
                    for key, value in operator.items():
                        tag = key.partition("/")[2]
                        if tag and tags.get(tag) != text_of(value):
                            yield f"{certificate.logical_id} has the tag {tag} {tags.get(tag)}, but its role requires {text_of(value)}."
