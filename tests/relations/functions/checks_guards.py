"""The functions of the root: the check comes first, the protection last, and each reaches what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from templates_src.functions.launch_check.service_linked_roles import SERVICES
from templates_src.guards.deletion_protection import DELETION_PROTECTION
from templates_src.guards.launch_check import LAUNCH_CHECK
from tests.relations.identity.iam import plain
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.relations.text import listed, text_of
from tests.rendering import role_statements

STACK = "AWS::CloudFormation::Stack"
# What the names of calls that change nothing begin with.
READS = ("Describe", "Get", "Head", "List")


@relation
def nested_stacks_wait_for_the_launch_check(rendered: Rendered) -> Iterator[str]:
    """A launch that the check refuses has created nothing else."""
    for logical_id in rendered.layers[ROOT]["Resources"]:
        own = logical_id.startswith(LAUNCH_CHECK)
        if not own and LAUNCH_CHECK not in {
            name for _, name in existing_before(rendered, ROOT, logical_id)
        }:
            yield f"{logical_id} may be created before {LAUNCH_CHECK} has succeeded."


@relation
def protection_is_turned_on_last(rendered: Rendered) -> Iterator[str]:
    """A launch that fails in a nested stack has protected nothing, and is rolled back completely."""
    resources = rendered.layers[ROOT]["Resources"]
    protection = resources[DELETION_PROTECTION]
    waits_for = set(protection.get("DependsOn", ()))
    for logical_id, body in resources.items():
        if body["Type"] == STACK and logical_id not in waits_for:
            yield f"{DELETION_PROTECTION} may be on before {logical_id} exists."
    if f"{DELETION_PROTECTION}Policy" not in waits_for:
        yield f"{DELETION_PROTECTION} may run before its permissions exist, and after they are deleted."
    if "DeletionPolicy" in protection:
        yield f"{DELETION_PROTECTION} stays on when its stack is deleted."


@relation
def nested_stacks_create_nothing_protected(rendered: Rendered) -> Iterator[str]:
    """A protected resource stops the rollback of a first launch, and the deletion of what is around it."""
    for layer, template in rendered.layers.items():
        for logical_id, body in template["Resources"].items():
            properties = body.get("Properties", {})
            attributes = {
                str(each["Key"]): each["Value"]
                for each in properties.get("LoadBalancerAttributes", ())
            }
            # The second is that of a log group.
            given = {"DeletionProtection", "DeletionProtectionEnabled"} & properties.keys()
            if given or "deletion_protection.enabled" in attributes:
                yield f"{layer}.{logical_id} is created with deletion protection, or changes it before everything else."


@relation
def launch_check_only_reads(rendered: Rendered) -> Iterator[str]:
    """It may look at the account, and change nothing but its log and the service-linked roles that are missing."""
    for _, statement in role_statements(rendered, f"{LAUNCH_CHECK}Role"):
        if statement["Sid"] in {"WriteItsLog", "CreateServiceLinkedRoles"}:
            continue
        for action in listed(statement["Action"]):
            if not action.partition(":")[2].startswith(READS):
                yield f"{LAUNCH_CHECK} may call {action}, which is no reading call."


@relation
def launch_check_creates_the_service_linked_roles_of_the_launch(
    rendered: Rendered,
) -> Iterator[str]:
    """It may create those of the services that it names, and no role of another service or another path."""
    given = {
        action: statement
        for _, statement in role_statements(rendered, f"{LAUNCH_CHECK}Role")
        for action in listed(statement["Action"])
    }
    statement = given.get("iam:CreateServiceLinkedRole", {})
    condition = statement.get("Condition", {}).get("StringEquals", {})
    if listed(condition.get("iam:AWSServiceName", ())) != list(SERVICES):
        yield f"{LAUNCH_CHECK} may not create exactly the roles of the services that a launch uses."
    for resource in listed(statement.get("Resource", ())):
        if not text_of(resource).endswith(":role/aws-service-role/*"):
            yield f"{LAUNCH_CHECK} may create {text_of(resource)}, which is no service-linked role."


@relation
def protection_reaches_its_stack_database_and_load_balancer(rendered: Rendered) -> Iterator[str]:
    """Its role can change these three, by these calls."""
    given = rendered.layers[ROOT]["Resources"][DELETION_PROTECTION]["Properties"]
    wanted = {
        ("cloudformation:DescribeStacks", "own stack"),
        ("cloudformation:UpdateTerminationProtection", "own stack"),
        ("rds:DescribeDBInstances", "database"),
        ("rds:ModifyDBInstance", "database"),
        ("elasticloadbalancing:ModifyLoadBalancerAttributes", "load balancer"),
    }
    found = set()
    for layer, statement in role_statements(rendered, f"{DELETION_PROTECTION}Role"):
        if statement["Sid"] == "WriteItsLog":
            continue
        for resource in listed(statement["Resource"]):
            text = str(resource)
            if text.endswith(f":db:{given['Database']}"):
                subject = "database"
            elif text == given["LoadBalancer"]:
                subject = "load balancer"
            elif f":stack/{stack_name(rendered)}/" in text:
                subject = "own stack"
            else:
                subject = str(plain(rendered, layer, statement)["Resource"])
            found |= {(action, subject) for action in listed(statement["Action"])}
    for action, subject in sorted(found - wanted):
        yield f"{DELETION_PROTECTION} may call {action} on {subject}."
    for action, subject in sorted(wanted - found):
        yield f"{DELETION_PROTECTION} may not call {action} on its {subject}."


def stack_name(rendered: Rendered) -> str:
    """The name of the rendered root stack."""
    return f"{rendered.parameters[ROOT]['Project']}-{rendered.environment}"
