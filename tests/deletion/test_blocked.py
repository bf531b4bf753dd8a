"""What blocks a deletion is named with its way out, and nothing is deleted before it is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.deletion.environments import commands, former, typed
from tests.launches.environments import Environment
from tests.launches.inventory import inventory
from tests.launches.tree import Finished, Tree
from tests.releases.kept import Kept

PROGRAM = ".venv/bin/python build.py"


@pytest.fixture(scope="module")
def prod(running: EmbeddedAws, previous: Kept) -> Environment:
    """A protected environment of the release before this one."""
    environment = former(running, previous, "prod")
    assert environment.launch().status == "CREATE_COMPLETE"
    return environment


def refused(run: Finished, environment: Environment, *parts: str) -> None:
    """One sentence with these parts, exit status 1, and every stack as it was."""
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"build.py: Nothing of stack {environment.stack} was deleted: ")
    for part in parts:
        assert part in line
    states = {stack["StackStatus"] for stack in environment.stacks().values()}
    assert states == {"CREATE_COMPLETE"}


def test_protected_prod_is_refused_before_anything_is_deleted(
    prod: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    before = inventory(prod.aws)

    run = tree.run("delete", "prod", "--yes", **running.environment())

    refused(
        run,
        prod,
        "Data.Database has deletion protection",
        "Edge.LoadBalancer has deletion protection",
        f"run `{PROGRAM} launch prod --region {REGION} --direct --set Decommission=true`",
        "then delete again",
    )
    assert "Blocks the deletion:" in run.stdout
    assert inventory(prod.aws) == before


def test_termination_protection_is_refused(
    prod: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    """Another release of the environment protects its stack; here an administrator does."""
    cloudformation = prod.client("cloudformation")
    cloudformation.update_termination_protection(
        StackName=prod.stack, EnableTerminationProtection=True
    )
    try:
        run = tree.run("delete", "prod", "--yes", **running.environment())
    finally:
        cloudformation.update_termination_protection(
            StackName=prod.stack, EnableTerminationProtection=False
        )

    refused(
        run,
        prod,
        f"Stack {prod.stack} has termination protection, Data.Database",
        "Decommission=true",
    )


@pytest.fixture(scope="module")
def dev(running: EmbeddedAws, previous: Kept) -> Environment:
    """An environment of the release before this one, which deletes its buckets."""
    environment = former(running, previous, "dev")
    assert environment.launch().status == "CREATE_COMPLETE"
    return environment


def delete(running: EmbeddedAws, tree: Tree) -> Finished:
    return tree.run("delete", "dev", "--yes", **running.environment())


def test_bucket_with_an_old_version_blocks_until_the_command_empties_it(
    dev: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    s3, bucket = dev.client("s3"), dev.outputs()["DocumentsBucketName"]
    # More than one call deletes, and a key that a shell could misread.
    for number in range(1001):
        s3.put_object(Bucket=bucket, Key=f"offer {number} 'a' \"b\" $c.pdf", Body=b"")
    s3.delete_object(Bucket=bucket, Key="offer 0 'a' \"b\" $c.pdf")

    run = delete(running, tree)

    refused(run, dev, f"Bucket {bucket} (Data.DocumentsBucket) contains objects", "retains it")
    (empty,) = commands(run.stdout, "Blocks the deletion:")
    ended = typed(empty, running)
    assert (ended.returncode, ended.stderr) == (0, "")
    versions = s3.list_object_versions(Bucket=bucket)
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions


@pytest.fixture
def group(dev: Environment) -> Iterator[str]:
    """A security group that another team created in the VPC."""
    ec2, vpc = dev.client("ec2"), dev.physical_id("Network.Vpc")
    created: str = ec2.create_security_group(GroupName="others", Description="Others", VpcId=vpc)[
        "GroupId"
    ]
    yield created
    ec2.delete_security_group(GroupId=created)


def test_what_others_placed_in_the_vpc_blocks(
    dev: Environment, running: EmbeddedAws, tree: Tree, group: str
) -> None:
    vpc = dev.physical_id("Network.Vpc")

    refused(delete(running, tree), dev, f"VPC {vpc} (Network.Vpc) holds security group {group},")


def test_records_of_others_in_the_hosted_zone_block(
    dev: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    zone, route53 = dev.physical_id("Compute.SearchZone"), dev.client("route53")
    record = {
        "Name": "wiki.carbon-connect-dev.internal",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "10.0.0.9"}],
    }

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE")
    try:
        run = delete(running, tree)
    finally:
        change("DELETE")

    refused(run, dev, f"Hosted zone {zone}", "records wiki.carbon-connect-dev.internal")


def test_certificate_that_another_load_balancer_uses_blocks(
    dev: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    certificate = dev.physical_id("Edge.DevelopmentCertificate")
    balancing, ec2 = dev.client("elbv2"), dev.client("ec2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    arn = balancing.create_load_balancer(Name="others", Subnets=subnets[:2])["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    listener = balancing.create_listener(
        LoadBalancerArn=arn,
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )["Listeners"][0]["ListenerArn"]
    try:
        run = delete(running, tree)
    finally:
        balancing.delete_listener(ListenerArn=listener)
        balancing.delete_load_balancer(LoadBalancerArn=arn)

    refused(run, dev, f"Certificate {certificate}", f"is in use by {arn},")


def test_nothing_blocks_at_the_end(
    dev: Environment, running: EmbeddedAws, tree: Tree, release: Release
) -> None:
    """Each blocker of this module is gone, so that none of them is reported by mistake."""
    del release
    run = delete(running, tree)

    assert (run.returncode, run.stderr) == (0, "")
    assert dev.stacks() == {}
