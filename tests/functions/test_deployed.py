"""The committed zips, deployed as Lambda functions to the embedded AWS and invoked by their handler's name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pipeline.paths import FUNCTIONS
from templates_src.core.function import ARCHITECTURE, RUNTIME
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.functions.cloudformation import Answers
from tests.functions.databases import USER, admits, properties

Invoke = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def deploy(client: Any) -> Any:
    """Create a Lambda function from a committed zip; returns a function that invokes it."""
    role = make_role(client("iam"))

    def create(name: str, variables: dict[str, str]) -> Any:
        function = f"{name}-{uuid4().hex[:8]}"
        client("lambda").create_function(
            FunctionName=function,
            Runtime=RUNTIME,
            Architectures=[ARCHITECTURE],
            Handler=f"functions.{name}.handler.handler",
            Role=role,
            Timeout=60,
            Code={"ZipFile": (FUNCTIONS / f"{name}.zip").read_bytes()},
            Environment={"Variables": variables},
        )

        def invoke(event: dict[str, Any]) -> dict[str, Any]:
            answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
            return {"error": answer.get("FunctionError"), "payload": json.load(answer["Payload"])}

        return invoke

    return create


def make_role(iam: Any) -> str:
    """The ARN of a role that Lambda can assume, with the permissions of the functions."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    actions = [
        "cloudwatch:PutMetricData",
        "ecs:DescribeServices",
        "rds:DescribeDBInstances",
        "secretsmanager:GetSecretValue",
    ]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    name = f"function-{uuid4().hex[:8]}"
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="calls", PolicyDocument=document(allowed))
    return str(created["Role"]["Arn"])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_database_extensions(
    deploy: Callable[..., Invoke], secret: str, user_secret: str, database: Rds, answers: Answers
) -> None:
    invoke = deploy("database_extensions", {"DATABASE_CA_FILE": str(database.identity.root)})
    wanted = properties(database, secret, user_secret, Extensions=["uuid-ossp"])

    answer = invoke(answers.event("Create", wanted))

    assert answer == {"error": None, "payload": None}
    assert answers.only["Data"] == {"Versions": "uuid-ossp 1.1"}
    assert admits(database, USER)


def test_queue_depth(
    client: Any, deploy: Callable[..., Invoke], store: Callable[[str], str], valkey_cluster: Valkey
) -> None:
    valkey_cluster.clear()
    name = f"c{uuid4().hex[:8]}"
    ecs = client("ecs")
    ecs.create_cluster(clusterName=name)
    task = ecs.register_task_definition(
        family=name, containerDefinitions=[{"name": "worker", "image": "worker", "memory": 64}]
    )
    definition = task["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=name, serviceName="worker", taskDefinition=definition, desiredCount=1
    )
    variables = {
        "CACHE_HOST": valkey_cluster.host,
        "CACHE_PORT": str(valkey_cluster.port),
        "CACHE_USER": valkey_cluster.user,
        "CACHE_SECRET_ARN": store(valkey_cluster.password),
        "CACHE_KEY_PREFIX": "{carbon-dev}:",
        "CACHE_CA_FILE": str(valkey_cluster.identity.root),
        "CLUSTER": name,
        "SERVICE": "worker",
        "METRIC_NAMESPACE": f"Carbon/{name}",
        "CLUSTER_MODE": "true",
    }
    with valkey_cluster.client() as cache:
        cache.lpush("{carbon-dev}:celery", 1, 2, 3)

    answer = deploy("queue_depth", variables)({})
    broken = deploy("queue_depth", {**variables, "SERVICE": "gone"})({})

    assert answer["payload"] == {
        "QueueDepth": 3.0,
        "BacklogPerTask": 3.0,
        "DelayedJobs": 0.0,
        "QueueStalledSeconds": 0.0,
        "RunningTasks": 1.0,
    }
    assert broken["error"] == "Unhandled"
    assert "service gone is not in the cluster" in broken["payload"]["errorMessage"]


def test_database_storage(client: Any, deploy: Callable[..., Invoke]) -> None:
    """The metric follows the allocation, in the dimensions and the unit that the alarm reads."""
    name = f"d{uuid4().hex[:8]}"
    client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        AllocatedStorage=50,
        MasterUsername="carbon",
        MasterUserPassword="not-a-real-one",
    )
    variables = {"DATABASE": name, "METRIC_NAMESPACE": f"Carbon/{name}"}
    invoke = deploy("database_storage", variables)
    assert invoke({})["payload"] == {"AllocatedStorage": 50 * 2**30}

    client("rds").modify_db_instance(
        DBInstanceIdentifier=name, AllocatedStorage=200, ApplyImmediately=True
    )
    assert invoke({})["payload"] == {"AllocatedStorage": 200 * 2**30}

    now = datetime.now(UTC)
    found = client("cloudwatch").get_metric_statistics(
        Namespace=f"Carbon/{name}",
        MetricName="AllocatedStorage",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": name}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=1200,
        Statistics=["Maximum"],
    )
    assert max(point["Maximum"] for point in found["Datapoints"]) == 200 * 2**30

    gone = deploy("database_storage", {**variables, "DATABASE": "gone"})({})
    assert gone["error"] == "Unhandled"
    assert "DBInstanceNotFound" in gone["payload"]["errorMessage"]
