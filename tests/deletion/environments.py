"""Environments to delete, what people and services add to them, and the commands that remove the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.tree import Finished, clean_environment
from tests.releases.kept import Kept

CLI = Path(sys.executable).with_name("aws")


def former(running: EmbeddedAws, previous: Kept, name: str, **settings: str) -> Environment:
    """An environment of the release before this one."""
    return Environment(running, previous.release, name, REGION, previous.profiles, **settings)


def plant(environment: Environment) -> None:
    """What a used environment has: a document, an image, a backup, an index snapshot, and log groups that services created."""
    resources = environment.resources()
    bucket = resources["Data.DocumentsBucket"].physical_id
    environment.client("s3").put_object(Bucket=bucket, Key="offer.pdf", Body=b"offer")
    database = resources["Data.Database"].physical_id
    environment.client("rds").create_db_snapshot(
        DBSnapshotIdentifier=f"{environment.stack}-manual", DBInstanceIdentifier=database
    )
    volume = resources["Data.SearchVolume"].physical_id
    environment.client("ec2").create_snapshot(VolumeId=volume)
    cluster = resources["Compute.Cluster"].physical_id
    for name in (
        f"/aws/rds/instance/{database}/postgresql",
        f"/aws/ecs/containerinsights/{cluster}/performance",
    ):
        environment.client("logs").create_log_group(logGroupName=name)
    environment.client("ecr").put_image(
        repositoryName=resources["Compute.ImageRepositoryOfEnvironment"].physical_id,
        imageManifest='{"schemaVersion": 2}',
        imageTag="1.0.0",
    )


def commands(output: str, heading: str = "Stays in the account, with the command") -> list[str]:
    """The commands that a run printed last, under a heading."""
    lines = output.rpartition(heading)[2].splitlines()
    return [line.strip() for line in lines if line.strip().startswith(("aws ", "while "))]


def typed(command: str, running: EmbeddedAws) -> Finished:
    """A command as a person types it, in a POSIX shell without a default region."""
    variables = {
        **clean_environment(running.environment()),
        "PATH": f"{CLI.parent}:/usr/bin:/bin",
        "AWS_PAGER": "",
    }
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
