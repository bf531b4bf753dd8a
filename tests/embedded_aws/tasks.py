"""Images whose content is a program of this machine, and tasks that run it on the embedded AWS."""

import json
import time
from pathlib import Path
from typing import Any

REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"


def push_program(ecr: Any, repository: str, tag: str, directory: Path, **environment: str) -> None:
    """Push an image whose commands run in `directory` (embedded_aws/services/tasks/images.py)."""
    program = {"directory": str(directory), "environment": environment}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "annotations": {"embedded-aws.program": json.dumps(program), "tag": tag},
    }
    ecr.put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
    )


def stopped(ecs: Any, cluster: str, task: str) -> dict[str, Any]:
    """A task once it has stopped."""
    for _ in range(1000):
        described: dict[str, Any] = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
        if described["lastStatus"] == "STOPPED":
            return described
        time.sleep(0.01)
    raise AssertionError(f"{task} is still {described['lastStatus']} after ten seconds")
