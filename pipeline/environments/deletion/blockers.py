"""What blocks a deletion before or after it starts: each blocker is one sentence with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.changes.updates.facts import BUCKET, DATABASE
from pipeline.environments.deletion import removal_commands
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.environments.deletion.contents import Contents, StackResource, text_of
from pipeline.environments.deletion.kinds import EMPTY, UNKNOWN, Look
from pipeline.errors import listed
from pipeline.stacks.entry_points import (
    DECOMMISSION,
    EntryPoint,
    is_updatable,
    lift_protection,
)

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
CERTIFICATES = frozenset({"AWS::CertificateManager::Certificate", "Custom::DevelopmentCertificate"})
NETWORK = "AWS::EC2::VPC"
HOSTED_ZONE = "AWS::Route53::HostedZone"

Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Blocker:
    """What blocks a deletion: one sentence with the next step, and commands that are too long for it."""

    sentence: str
    commands: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """The sentence, then the commands."""
        yield self.sentence
        yield from (f"  {command}" for command in self.commands)


def blockers(
    account: Account, entry: EntryPoint, contents: Contents, looks: Looks
) -> Iterator[Blocker]:
    """What blocks the deletion. ``looks`` are the resources of the account that were read, by name."""
    own = {each.physical_id for each in contents.resources}
    deleted = [each for each in contents.resources if not each.is_gone and not each.is_retained]
    yield from map(Blocker, _protections(entry, contents, deleted, looks))
    for resource in deleted:
        seen = looks.get(str(resource), UNKNOWN)
        if resource.kind == BUCKET and seen.exists and seen.size != EMPTY:
            yield from _full(entry, contents, resource)
        elif resource.kind in CERTIFICATES:
            yield from map(Blocker, _certificate_in_use(account, own, resource))
        elif resource.kind == HOSTED_ZONE:
            yield from map(Blocker, _foreign_records(account, own, resource))
        elif resource.kind == NETWORK:
            yield from map(Blocker, _foreign(account, contents, own, resource))


def _protections(
    entry: EntryPoint, contents: Contents, deleted: list[StackResource], looks: Looks
) -> Iterator[str]:
    """One sentence about all protections, because one update turns them off together."""
    stack = contents.stack
    protected = [r for r in deleted if is_protected(r, looks.get(str(r), UNKNOWN))]
    names = [
        *(
            [f"stack {contents.name} has termination protection"]
            * has_termination_protection(stack)
        ),
        *(f"{resource} has deletion protection" for resource in protected),
    ]
    if not names:
        return
    lift = lift_protection(entry, stack, contents.values)
    status = stack["StackStatus"]
    is_decommissioned = contents.values.get(DECOMMISSION) == "true"
    if is_decommissioned or not (is_updatable(status) or status == "UPDATE_ROLLBACK_FAILED"):
        commands = [_turn_off(entry.region, resource) for resource in protected]
        if has_termination_protection(stack):
            commands.append(
                removal_commands.turn_off_termination_protection(entry.region, contents.name)
            )
        why = (
            f"{DECOMMISSION} is true already"
            if is_decommissioned
            else f"a stack in {status} cannot be updated"
        )
        lift = f"{why}, so run {listed([f'`{c}`' for c in commands])}"
    text = listed(names)
    yield f"{text[0].upper()}{text[1:]}; {lift}, then delete again."


def has_termination_protection(stack: Mapping[str, Any]) -> bool:
    """Whether termination protection refuses the deletion of a stack."""
    return bool(stack.get("EnableTerminationProtection"))


def is_protected(resource: StackResource, seen: Look) -> bool:
    """Whether deletion protection is on: in the account, or in the template if the account cannot be read."""
    if seen.exists is not None:
        return seen.protected
    if resource.kind == DATABASE:
        return resource.value("DeletionProtection").lower() == "true"
    if resource.kind != LOAD_BALANCER:
        return False
    return any(
        each.get("Key") == "deletion_protection.enabled"
        and text_of(each.get("Value"), resource.values).lower() == "true"
        for each in resource.properties.get("LoadBalancerAttributes", [])
    )


def _turn_off(region: str, resource: StackResource) -> str:
    if resource.kind == DATABASE:
        return removal_commands.turn_off_database_protection(region, resource.physical_id)
    return removal_commands.turn_off_load_balancer_protection(region, resource.physical_id)


def is_retainable(entry: EntryPoint, resource: StackResource) -> bool:
    """Whether a retry retains a bucket that stopped an earlier deletion. Its objects stay with it, so that nothing is lost.

    CloudFormation retains a resource only in a stack in DELETE_FAILED, and deletes such a stack with the permissions
    of its caller; a user of a product has no permissions on the resources.
    """
    failed = resource.kind == BUCKET and resource.status == "DELETE_FAILED"
    return failed and not entry.is_product


def _full(entry: EntryPoint, contents: Contents, resource: StackResource) -> Iterator[Blocker]:
    if is_retainable(entry, resource):
        return
    commands = [removal_commands.empty_bucket(entry.region, resource.physical_id)]
    ways = ["empty it"]
    if is_updatable(contents.stack["StackStatus"]):
        ways.insert(0, "update to a release that retains it")
    if resource.status == "DELETE_FAILED":
        nested = contents.nested.get(resource.stack, "")
        ways.insert(0, "let an administrator retain it")
        commands.insert(
            0, removal_commands.delete_stack(entry.region, nested, (resource.logical_id,))
        )
    yield Blocker(
        f"Bucket {resource.physical_id} ({resource}) contains objects or old versions, and S3 deletes only an empty bucket; {', or '.join(ways)}.",
        tuple(commands),
    )


def _certificate_in_use(account: Account, own: set[str], resource: StackResource) -> Iterator[str]:
    try:
        answer = account.read(
            "acm:DescribeCertificate",
            f"whether something else uses certificate {resource}",
            lambda acm: acm.describe_certificate(CertificateArn=resource.physical_id),
        )
    except UnreadableError:
        return
    others = sorted(set((answer or {}).get("Certificate", {}).get("InUseBy", [])) - own)
    if others:
        yield f"Certificate {resource.physical_id} ({resource}) is in use by {listed(others)}, and ACM deletes only a certificate that is not in use; give {_them(others)} another certificate."


def _foreign_records(account: Account, own: set[str], resource: StackResource) -> Iterator[str]:
    """Records in the zone that the stack did not create. Before 1.2.0, the search server creates and deletes its record itself."""

    def pages(route53: Any) -> list[dict[str, Any]]:
        paginator = route53.get_paginator("list_resource_record_sets")
        return [
            each
            for page in paginator.paginate(HostedZoneId=resource.physical_id)
            for each in page["ResourceRecordSets"]
        ]

    about = f"the records of hosted zone {resource}"
    try:
        records = account.read("route53:ListResourceRecordSets", about, pages) or []
    except UnreadableError:
        return
    names = sorted(
        name
        for record in records
        if record["Type"] not in {"NS", "SOA"}
        and not (name := record["Name"].rstrip(".")).startswith("search.")
        and name not in {each.rstrip(".") for each in own}
    )
    if names:
        yield f"Hosted zone {resource.physical_id} ({resource}) has records {listed(names)}, which the stack did not create, and Route 53 deletes only an empty zone; delete {_them(names)} first."


def _foreign(
    account: Account, contents: Contents, own: set[str], resource: StackResource
) -> Iterator[str]:
    """Resources in the VPC that the stack did not create. EC2 does not delete a VPC with them."""
    groups = {each.physical_id for each in contents.resources if "AutoScalingGroup" in each.kind}
    found = [
        f"{what} {name}"
        for what, action, method, key, identity in _IN_NETWORK
        for each in _in_network(account, resource, action, method, key)
        if (name := each[identity]) not in own and not _belongs(each, groups)
    ]
    if found:
        yield f"VPC {resource.physical_id} ({resource}) holds {listed(found)}, which the stack did not create, and EC2 deletes only an empty VPC; delete {_them(found)} first."


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


# The kind of resource, the IAM action, the call, and the keys of the answer and of the ID.
_IN_NETWORK = (
    ("instance", "ec2:DescribeInstances", "describe_instances", "Reservations", "InstanceId"),
    ("subnet", "ec2:DescribeSubnets", "describe_subnets", "Subnets", "SubnetId"),
    (
        "security group",
        "ec2:DescribeSecurityGroups",
        "describe_security_groups",
        "SecurityGroups",
        "GroupId",
    ),
)


def _in_network(
    account: Account, resource: StackResource, action: str, method: str, key: str
) -> list[dict[str, Any]]:
    def pages(ec2: Any) -> list[dict[str, Any]]:
        chosen = [{"Name": "vpc-id", "Values": [resource.physical_id]}]
        return [
            each
            for page in ec2.get_paginator(method).paginate(Filters=chosen)
            for each in page[key]
        ]

    about = f"other resources in VPC {resource.physical_id}"
    try:
        found = account.read(action, about, pages) or []
    except UnreadableError:
        return []
    inner = [each for outer in found for each in outer.get("Instances", [outer])]
    return [each for each in inner if each.get("VpcId") == resource.physical_id]


def _belongs(found: Mapping[str, Any], groups: set[str]) -> bool:
    """Whether EC2 or an Auto Scaling group of the stack created the resource, or it is terminated."""
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    state = found.get("State")
    return (
        found.get("GroupName") == "default"
        or (isinstance(state, Mapping) and state.get("Name") == "terminated")
        or tags.get("aws:autoscaling:groupName") in groups
    )
