"""A protected environment: refused with the command that lifts the protection, which is then run as printed."""

from __future__ import annotations

import shlex

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.tree import Tree


def test_prod_is_deleted_after_the_command_that_the_refusal_names(
    running: EmbeddedAws, release: Release, tree: Tree
) -> None:
    environment = Environment(running, release, "prod")
    assert environment.launch().status == "CREATE_COMPLETE"
    bucket = environment.outputs()["DocumentsBucketName"]
    environment.client("s3").put_object(Bucket=bucket, Key="offer.pdf", Body=b"offer")
    variables = running.environment()

    refused = tree.run("delete", "prod", "--yes", **variables)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert f"Stack {environment.stack} has termination protection" in line
    (command,) = [part for part in line.split("`") if part.startswith(".venv/bin/python build.py")]
    expected = f"launch prod --region {REGION} --direct --set Decommission=true"
    assert command == f".venv/bin/python build.py {expected}"

    lifted = tree.run(*shlex.split(expected), "--yes", **variables)
    deleted = tree.run("delete", "prod", "--yes", **variables)

    assert (lifted.returncode, lifted.stderr) == (0, "")
    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert f"Bucket {bucket} (Data.DocumentsBucket, retained): not empty" in deleted.stdout
    assert "Cache snapshot " in deleted.stdout
    assert environment.stacks() == {}
    kept = environment.client("s3").get_object(Bucket=bucket, Key="offer.pdf")["Body"].read()
    assert kept == b"offer"
