"""What the Lambda functions weigh: `python -m benchmarks.functions`, after `make setup`.

For each zip of dist/functions: its size, the time to import its handler in a fresh interpreter (median of several; the function's
own files without byte code, as Lambda unpacks them, boto3 with, as the runtime brings it), and the peak memory of the process
after the import and, where there is an engine to run against, after one real invocation.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from embedded_aws.server import EmbeddedAws
from pipeline.paths import FUNCTIONS
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.functions.cloudformation import Answers
from tests.functions.databases import USER, USER_PASSWORD, properties

RUNS = 7
LIMITS = {"zip": "1,000 kB", "import": "0.50 s", "memory": "128 MB"}

PROBE = """
import importlib, json, resource, sys, time
sys.path.insert(0, sys.argv[1])
started = time.perf_counter()
handler = importlib.import_module(f"functions.{sys.argv[2]}.handler").handler
imported = time.perf_counter() - started
scale = 1 if sys.platform == "darwin" else 1024
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
result = {"import": imported, "after_import": peak()}
event = json.loads(sys.argv[3])
if event is not None:
    class Context:
        def get_remaining_time_in_millis(self):
            return 60000
    started = time.perf_counter()
    handler(event, Context())
    result |= {"invocation": time.perf_counter() - started, "after_invocation": peak()}
print(json.dumps(result))
"""


@dataclass(frozen=True)
class Invocation:
    """An event and an environment that a function can really be run with."""

    event: Any = None
    environment: Mapping[str, str] = field(default_factory=dict)


def database_extensions(stack: ExitStack, aws: EmbeddedAws) -> Invocation:
    """Both extensions and the application's user, created in a fresh PostgreSQL."""
    server, answers = stack.enter_context(Rds()), stack.enter_context(Answers())
    server.make_instance()
    secrets = (
        _secret(aws, json.dumps({"username": user, "password": password}))
        for user, password in ((server.user, server.password), (USER, USER_PASSWORD))
    )
    wanted = properties(server, *secrets)
    variables = {"DATABASE_CA_FILE": str(server.identity.root)}
    return Invocation(answers.event("Create", wanted), variables)


def queue_depth(stack: ExitStack, aws: EmbeddedAws) -> Invocation:
    """Two queues with a thousand messages in a Valkey in cluster mode."""
    server = stack.enter_context(Valkey(cluster=True))
    with server.client() as cache:
        cache.lpush("{benchmark}:celery", *range(1000))
        for queue in ("celery", "reports"):
            cache.sadd(f"{{benchmark}}:_kombu.binding.{queue}", "bound")
    ecs = _client(aws, "ecs")
    ecs.create_cluster(clusterName="benchmark")
    container = {"name": "worker", "image": "worker", "memory": 64}
    ecs.register_task_definition(family="worker", containerDefinitions=[container])
    ecs.create_service(
        cluster="benchmark", serviceName="worker", taskDefinition="worker", desiredCount=1
    )
    variables = {
        "CACHE_HOST": server.host,
        "CACHE_PORT": str(server.port),
        "CACHE_USER": server.user,
        "CACHE_SECRET_ARN": _secret(aws, server.password),
        "CACHE_KEY_PREFIX": "{benchmark}:",
        "CACHE_CA_FILE": str(server.identity.root),
        "QUEUES": "celery,reports",
        "CLUSTER": "benchmark",
        "SERVICE": "worker",
        "METRIC_NAMESPACE": "Benchmark",
        "CLUSTER_MODE": "true",
    }
    return Invocation({}, variables)


INVOCATIONS = {"database_extensions": database_extensions, "queue_depth": queue_depth}


def measure(path: Path, invocation: Invocation, aws: EmbeddedAws) -> list[dict[str, float]]:
    """One result a run: `import` and `invocation` in seconds, `after_import` and `after_invocation` in megabytes."""
    environment = {
        **os.environ,
        **aws.environment(),
        "AWS_REGION": aws.region,
        **invocation.environment,
    }
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        # Byte code is neither written for the function's files nor found there, as in Lambda; boto3's is found.
        command = [sys.executable, "-B", "-c", PROBE, folder, path.stem]
        command.append(json.dumps(invocation.event))
        return [
            json.loads(subprocess.check_output(command, env=environment, text=True))
            for _ in range(RUNS)
        ]


def report(path: Path, runs: list[dict[str, float]]) -> str:
    """One line: medians of the times, maxima of the memory."""

    def column(name: str) -> list[float]:
        return [run[name] for run in runs if name in run]

    invoked = column("after_invocation")
    memory = max(invoked or column("after_import"))
    took = f"{statistics.median(column('invocation')):9.2f} s" if invoked else "          -"
    return (
        f"{path.stem:26}{path.stat().st_size / 1000:7.0f} kB"
        f"{statistics.median(column('import')):9.2f} s{took}{memory:8.0f} MB"
    )


def _client(aws: EmbeddedAws, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key,
    )


def _secret(aws: EmbeddedAws, text: str) -> str:
    client = _client(aws, "secretsmanager")
    name = f"benchmark/{len(client.list_secrets()['SecretList'])}/x"
    return str(client.create_secret(Name=name, SecretString=text)["ARN"])


def main() -> None:
    """Measure every committed zip and print the table."""
    print(f"{'function':26}{'zip':>10}{'import':>11}{'invocation':>11}{'peak':>11}")
    with ExitStack() as stack:
        aws = stack.enter_context(EmbeddedAws.start())
        for path in sorted(FUNCTIONS.glob("*.zip")):
            prepare = INVOCATIONS.get(path.stem)
            invocation = prepare(stack, aws) if prepare else Invocation()
            print(report(path, measure(path, invocation, aws)))
    print(f"{'limit':26}{LIMITS['zip']:>10}{LIMITS['import']:>11}{'':11}{LIMITS['memory']:>11}")


if __name__ == "__main__":
    main()
