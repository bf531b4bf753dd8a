"""The first sentence of the requested architecture."""

import inspect

from commands import building, deleting, launching
from pipeline.checks.render import Rendered
from tests.rendering import resources, resources_of_type

# Servers that need maintenance; the search server is in an Auto Scaling group.
SERVERS = {"AWS::EC2::Instance", "AWS::EC2::SpotFleet", "AWS::EKS::Cluster"}


def test_stockholm_is_where_a_launch_goes() -> None:
    for command in (building.render, building.upload, launching.launch, deleting.delete):
        assert inspect.signature(command).parameters["region"].default == "eu-north-1"


def test_fargate_computes_and_managed_services_keep_the_data(rendered: Rendered) -> None:
    tasks = list(resources_of_type(rendered, "AWS::ECS::TaskDefinition"))
    # The three services and the migration.
    assert len(tasks) == 4
    assert all(task.properties["RequiresCompatibilities"] == ["FARGATE"] for task in tasks)
    types = {kind for kind, _ in resources(rendered)}
    assert not types & SERVERS
    assert {"AWS::RDS::DBInstance", "AWS::S3::Bucket"} <= types
    assert types & {"AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::ReplicationGroup"}
