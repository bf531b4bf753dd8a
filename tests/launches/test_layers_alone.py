"""Each layer launched alone with the command of docs/launching.md, on an existing VPC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release, template_path
from pipeline.release.upload import ensure_bucket
from pipeline.stacks.deploy import CAPABILITIES
from pipeline.stacks.reading import outputs_of
from tests.conftest import REGION
from tests.documentation.blocks import Place, block
from tests.documentation.shell import Shell
from tests.gate import Gate
from tests.launches.environments import Environment
from tests.launches.tree import Tree

COMMAND = block(Place("docs/launching.md", "Launch one layer alone"))
BUCKET = "my-releases"
# The layers that a team with its own VPC uses, in the order of their dependencies.
REST = ("security", "data", "edge", "compute", "monitoring")

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
REQUEST_BYTES = 51_200


@dataclass
class Alone:
    """An account in which layers are launched one by one; ``known`` has the values for wired parameters."""

    environment: Environment
    shell: Shell
    folder: Path
    known: dict[str, str] = field(default_factory=dict)
    stacks: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.environment.client(service)

    def parameters(self, layer: str) -> list[dict[str, str]]:
        """The values of a launch: those of the profile, and those of existing resources."""
        values = {**self.environment.values(), **self.known}
        (found,) = (each for each in self.environment.release.layers if each.name == layer)
        return [
            {"ParameterKey": name, "ParameterValue": values[name]}
            for name in found.template.parameters
            # ProtectedBy keeps its default: a layer alone protects its own resources.
            if name in values
        ]

    def template_url(self, layer: str) -> str:
        """The URL of a layer's template in the release bucket; a request accepts no template over 51,200 bytes."""
        bucket, prefix = self.environment.settings["ReleaseBucket"], self.environment.release.prefix
        return f"https://{bucket}.s3.{REGION}.amazonaws.com/{prefix}{template_path(layer)}"

    def create(self, layer: str) -> str:
        """Launch a layer with the command of the page and add its outputs to ``known``; returns the status of the stack."""
        values = {each["ParameterKey"]: each["ParameterValue"] for each in self.parameters(layer)}
        pairs = [f"{name}={value}" for name, value in values.items()]
        (self.folder / f"my-{layer}.json").write_text(json.dumps(pairs), encoding="utf-8")
        # The AWS CLI reads the stack once and then again after thirty seconds.
        with Gate(
            self.environment.aws.environment["AWS_ENDPOINT_URL"],
            lambda request: request.asks_for("ExecuteChangeSet"),
            lambda: self.settle(f"my-{layer}"),
            after=True,
        ) as gate:
            command = COMMAND.text.replace("data", layer)
            self.shell.run_as(command, {"AWS_ENDPOINT_URL": gate.endpoint_url})
        (self.stacks[layer],) = self.client("cloudformation").describe_stacks(
            StackName=f"my-{layer}"
        )["Stacks"]
        self.known |= outputs_of(self.stacks[layer])
        return str(self.stacks[layer]["StackStatus"])

    def settle(self, stack: str) -> None:
        """Wait until a stack is complete."""
        waiter = self.client("cloudformation").get_waiter("stack_create_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1200})


def in_account(environment: Environment, tree: Tree) -> Alone:
    """The bucket and the shell of a user with this environment's values."""
    ensure_bucket(environment.aws, BUCKET)
    shell = Shell(tree.folder, environment.aws.environment)
    return Alone(environment, shell, tree.folder)


@pytest.fixture(scope="module")
def alone(running: EmbeddedAws, release: Release, tree: Tree) -> Alone:
    return in_account(Environment(running, release, "dev"), tree)


@pytest.fixture(scope="module")
def vpc(alone: Alone) -> dict[str, str]:
    """A VPC outside CloudFormation, with three tiers over three zones."""
    ec2 = alone.client("ec2")
    identifier = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=identifier)
    tiers = {
        tier: [
            ec2.create_subnet(
                VpcId=identifier,
                CidrBlock=f"172.20.{16 * (3 * number + zone)}.0/20",
                AvailabilityZone=f"{REGION}{'abc'[zone]}",
            )["Subnet"]["SubnetId"]
            for zone in range(3)
        ]
        for number, tier in enumerate(("Public", "Private", "Data"))
    }
    return {
        "VpcId": identifier,
        "FirstPrivateSubnetId": tiers["Private"][0],
        "FirstPrivateSubnetZone": f"{REGION}a",
        **{f"{tier}SubnetIds": ",".join(subnets) for tier, subnets in tiers.items()},
    }


@pytest.fixture(scope="module")
def rest(alone: Alone, vpc: Mapping[str, str]) -> dict[str, str]:
    """The other layers on that VPC: their statuses."""
    alone.known |= vpc
    return {layer: alone.create(layer) for layer in REST}


def test_existing_network_covers_all_outputs_of_the_layer(
    release: Release, vpc: Mapping[str, str]
) -> None:
    (network,) = (layer for layer in release.layers if layer.name == "network")

    assert vpc.keys() == network.template.outputs.keys()


def test_every_other_layer_launches_in_an_existing_vpc(rest: dict[str, str]) -> None:
    assert rest == dict.fromkeys(REST, "CREATE_COMPLETE")


def test_database_is_in_the_existing_subnets(
    alone: Alone, vpc: Mapping[str, str], rest: dict[str, str]
) -> None:
    del rest
    (group,) = alone.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]

    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == set(
        vpc["DataSubnetIds"].split(",")
    )


def test_load_balancer_is_in_the_existing_subnets(
    alone: Alone, vpc: Mapping[str, str], rest: dict[str, str]
) -> None:
    del rest
    (balancer,) = alone.client("elbv2").describe_load_balancers()["LoadBalancers"]

    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(
        vpc["PublicSubnetIds"].split(",")
    )
    (group,) = alone.client("elbv2").describe_target_groups()["TargetGroups"]
    assert group["VpcId"] == vpc["VpcId"]


def test_no_other_network_exists(
    alone: Alone, vpc: Mapping[str, str], rest: dict[str, str]
) -> None:
    del rest
    found = alone.client("ec2").describe_vpcs()["Vpcs"]

    assert [each["VpcId"] for each in found if not each["IsDefault"]] == [vpc["VpcId"]]
    assert alone.client("ec2").describe_nat_gateways()["NatGateways"] == []


def test_layer_refuses_a_missing_subnet(alone: Alone, rest: dict[str, str]) -> None:
    """Parameters have AWS types, so that an error is found before resources are created."""
    del rest
    missing = "subnet-0123456789abcdef0"
    parameters = [
        {**each, "ParameterValue": missing} if each["ParameterKey"] == "DataSubnetIds" else each
        for each in alone.parameters("data")
    ]
    cloudformation = alone.client("cloudformation")
    before = cloudformation.describe_stacks()["Stacks"]

    with pytest.raises(ClientError, match=missing):
        cloudformation.create_stack(
            StackName="alone-refused",
            TemplateURL=alone.template_url("data"),
            Capabilities=CAPABILITIES,
            Parameters=parameters,
        )
    assert cloudformation.describe_stacks()["Stacks"] == before


def test_network_launches_alone(running: EmbeddedAws, release: Release, tree: Tree) -> None:
    network = in_account(Environment(running, release, "prod", Project="network"), tree)

    assert network.create("network") == "CREATE_COMPLETE"
    ec2, vpc = network.client("ec2"), network.known["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    for tier in ("Public", "Private", "Data"):
        of_tier = network.known[f"{tier}SubnetIds"].split(",")
        zones = {s["AvailabilityZone"] for s in subnets if s["SubnetId"] in of_tier}
        assert len(of_tier) == len(zones) == 3


def test_page_names_the_templates_that_a_request_cannot_hold(release: Release) -> None:
    page = (PROJECT_FOLDER / "docs/launching.md").read_text(encoding="utf-8")
    large = [
        f"`{layer.name}`"
        for layer in release.layers
        if len(release.files[template_path(layer.name)]) > REQUEST_BYTES
    ]
    *first, last = large

    assert f"root and the layers {', '.join(first)} and {last} are larger than the 51,200" in page
