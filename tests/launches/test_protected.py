"""Deletion protection of prod: a deletion does not begin, one update lifts the protection, and a failed launch leaves nothing protected."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.launches.environments import Environment
from tests.launches.inventory import Inventory, counted, inventory
from tests.launches.test_deleted import RETAINED
from tests.updates.faults import TAKEN
from tests.updates.update_paths import planted

SENTENCE = "cannot be deleted while TerminationProtection is enabled"
ON = {"stack": True, "database": True, "load balancer": True}
OFF = dict.fromkeys(ON, False)
LAYERS = ("Network", "Security", "Data", "Edge", "Compute", "Monitoring")


def protection(environment: Environment) -> dict[str, bool]:
    """What is protected at present."""
    resources = environment.resources()
    (database,) = environment.client("rds").describe_db_instances(
        DBInstanceIdentifier=resources["Data.Database"].physical_id
    )["DBInstances"]
    attributes = environment.client("elbv2").describe_load_balancer_attributes(
        LoadBalancerArn=resources["Edge.LoadBalancer"].physical_id
    )["Attributes"]
    values = {each["Key"]: each["Value"] for each in attributes}
    return {
        "stack": environment.stacks()[""]["EnableTerminationProtection"],
        "database": database["DeletionProtection"],
        "load balancer": values["deletion_protection.enabled"] == "true",
    }


def invoke(environment: Environment, **event: Any) -> None:
    """Call the function with an event that CloudFormation did not send."""
    function = environment.physical_id("Root.DeletionProtectionFunction")
    environment.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())


@dataclass(frozen=True)
class Prod:
    """prod, and the resources of the account before it."""

    environment: Environment
    before: Inventory


@pytest.fixture(scope="module")
def prod(running: EmbeddedAws, release: Release) -> Prod:
    running.reset()
    environment = Environment(running, release, "prod")
    before = inventory(environment.aws)
    assert environment.launch().status == "CREATE_COMPLETE"
    return Prod(environment, before)


def test_everything_is_protected_after_the_launch(prod: Prod) -> None:
    assert protection(prod.environment) == ON


@pytest.mark.parametrize("layer", ["", *LAYERS])
def test_no_stack_can_be_deleted(prod: Prod, layer: str) -> None:
    """The root, as the command line deletes it, and a nested stack; nothing is deleted."""
    stacks, found = prod.environment.stacks(), inventory(prod.environment.aws)

    with pytest.raises(ClientError, match=SENTENCE):
        prod.environment.client("cloudformation").delete_stack(StackName=stacks[layer]["StackId"])

    assert inventory(prod.environment.aws) == found
    assert {s["StackStatus"] for s in prod.environment.stacks().values()} == {"CREATE_COMPLETE"}


def test_command_line_says_why(prod: Prod) -> None:
    with pytest.raises(PipelineError, match=SENTENCE):
        prod.environment.delete()


@pytest.mark.parametrize("layer", LAYERS)
def test_protection_of_a_nested_stack_is_that_of_the_root(prod: Prod, layer: str) -> None:
    stack = prod.environment.stacks()[layer]

    assert stack["EnableTerminationProtection"]
    with pytest.raises(ClientError, match="can only be changed on its root stack"):
        prod.environment.client("cloudformation").update_termination_protection(
            StackName=stack["StackId"], EnableTerminationProtection=False
        )


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_event_of_another_sender_lifts_nothing(prod: Prod, kind: str) -> None:
    """The stack is at rest; the function asks CloudFormation, not the event."""
    resources = prod.environment.resources()
    invoke(
        prod.environment,
        RequestType=kind,
        RequestId="1",
        LogicalResourceId="DeletionProtection",
        ResponseURL="http://127.0.0.1:9/",
        StackId=prod.environment.stacks()[""]["StackId"],
        PhysicalResourceId="deletion-protection-of-the-stack",
        ResourceProperties={
            "Database": resources["Data.Database"].physical_id,
            "LoadBalancer": resources["Edge.LoadBalancer"].physical_id,
            "ProtectDatabase": "false",
            "ProtectLoadBalancer": "false",
            "ProtectStack": "false",
            "Decommission": "true",
        },
    )

    assert protection(prod.environment) == ON


def test_one_update_lifts_all_and_the_next_turns_all_on(prod: Prod) -> None:
    assert prod.environment.launch(Decommission="true").status == "UPDATE_COMPLETE"
    assert protection(prod.environment) == OFF
    assert prod.environment.launch(Decommission="false").status == "UPDATE_COMPLETE"
    assert protection(prod.environment) == ON


def test_database_alone_protects_the_stack(prod: Prod) -> None:
    """The database of prod must be protected; the load balancer need not be."""
    changed = prod.environment.launch(LoadBalancerDeletionProtection="false")

    assert changed.status == "UPDATE_COMPLETE"
    assert protection(prod.environment) == {**ON, "load balancer": False}
    assert prod.environment.launch().status == "UPDATE_COMPLETE"
    assert protection(prod.environment) == ON


def test_failed_update_keeps_everything_protected(
    running: EmbeddedAws, prod: Prod, release: Release
) -> None:
    """An update with Decommission that fails in a later layer, and is rolled back."""
    prod.environment.client("logs").create_log_group(logGroupName=TAKEN)
    faulty = planted(release, lambda templates: take(templates, "monitoring"))
    environment = Environment(running, faulty, "prod", **prod.environment.settings)
    ended = environment.launch(Decommission="true", ReleasePrefix=faulty.prefix)

    assert ended.status == "UPDATE_ROLLBACK_COMPLETE"
    assert protection(prod.environment) == ON


def test_deletion_completes_once_decommissioned(prod: Prod) -> None:
    """Runs last."""
    environment = prod.environment
    assert environment.launch(Decommission="true").status == "UPDATE_COMPLETE"
    log_bucket = environment.physical_id("Edge.AccessLogBucket")

    assert environment.delete().status == "DELETE_COMPLETE"
    left = inventory(environment.aws) - prod.before
    # The nodes of the cache have a snapshot, the load balancer wrote to its bucket, and a test took a name.
    assert counted(left) == Counter({"AWS::Logs::LogGroup": 1}) + RETAINED + Counter(
        {"AWS::ElastiCache::Snapshot": 1, "AWS::S3::Bucket": 1}
    )
    assert [name for kind, name in left if kind == "AWS::S3::Bucket"] == [log_bucket]


def take(templates: dict[str, dict[str, Any]], layer: str) -> None:
    """A layer wants a log group that exists, after everything else that it creates."""
    resources = templates[layer]["Resources"]
    resources["Taken"] = {
        "Type": "AWS::Logs::LogGroup",
        "DependsOn": [name for name, body in resources.items() if "Condition" not in body],
        "Properties": {"LogGroupName": TAKEN},
    }


@pytest.mark.parametrize("layer", [layer.lower() for layer in LAYERS])
def test_failed_first_launch_is_rolled_back_completely(
    running: EmbeddedAws, release: Release, layer: str
) -> None:
    """In each layer of prod; the stack can then be deleted, and launched again."""
    running.reset()
    faulty = planted(release, lambda templates: take(templates, layer))
    environment = Environment(running, faulty, "prod")
    environment.client("logs").create_log_group(logGroupName=TAKEN)

    failed: Launched = environment.launch(ReleasePrefix=faulty.prefix)

    assert failed.status == "ROLLBACK_COMPLETE"
    assert environment.resources() == {}
    assert not environment.stacks()[""]["EnableTerminationProtection"]
    assert environment.client("rds").describe_db_instances()["DBInstances"] == []
    assert environment.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert environment.delete().status == "DELETE_COMPLETE"


def test_failure_after_the_protection_is_rolled_back_completely(
    running: EmbeddedAws, release: Release
) -> None:
    """The last moment: everything is protected already."""
    running.reset()
    faulty = planted(release, lambda templates: take(templates, "environment"))
    environment = Environment(running, faulty, "prod")
    environment.client("logs").create_log_group(logGroupName=TAKEN)

    failed = environment.launch(ReleasePrefix=faulty.prefix)

    assert failed.status == "ROLLBACK_COMPLETE"
    assert not environment.stacks()[""]["EnableTerminationProtection"]
    assert environment.client("rds").describe_db_instances()["DBInstances"] == []
    assert environment.delete().status == "DELETE_COMPLETE"


def test_deletion_of_an_unprotected_stack_completes(running: EmbeddedAws, release: Release) -> None:
    """An administrator turns termination protection off; a change of the release turns it on again, before it is off once more.

    The load balancer alone protects the stack before that.
    """
    running.reset()
    balancer = {"LoadBalancerDeletionProtection": "true"}
    chosen = {**balancer, "DatabaseDeletionProtection": "true"}
    environment = Environment(running, release, "dev", **balancer)
    environment.launch()
    assert protection(environment) == {**ON, "database": False}
    unprotect = environment.client("cloudformation").update_termination_protection
    unprotect(StackName=environment.stack, EnableTerminationProtection=False)
    later = planted(release)
    Environment(running, later, "dev", **chosen).launch(ReleasePrefix=later.prefix)
    turned_on_again = protection(environment)
    unprotect(StackName=environment.stack, EnableTerminationProtection=False)

    assert turned_on_again == ON
    assert protection(environment) == {**ON, "stack": False}
    assert environment.delete().status == "DELETE_COMPLETE"
    assert environment.client("rds").describe_db_instances()["DBInstances"] == []
