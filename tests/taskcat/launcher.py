"""Run taskcat in a separate process, in the folder of the tree that it uploads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commands.common.embedded_sessions import taskcat
from embedded_aws.server import EmbeddedAws
from embedded_aws.settings import without_machine_settings
from pipeline.aws import Aws
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import assemble

# Options of subprocess.Popen for a run whose output is read.
QUIET: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def on_embedded(
    running: EmbeddedAws, tree: Path, output: Path, plugins: Path | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the tests of a tree on an embedded AWS as its taskcat role; no setting of the user reaches it.

    The report goes to ``output``, which is created again. ``plugins`` is a folder of more hooks; ``options`` are those
    of subprocess.Popen.
    """
    account = Aws(running.region, running.environment())
    environment = {
        # taskcat uses the profile "default" if it exists.
        **without_machine_settings(unsettled(os.environ)),
        **taskcat(account, assemble()).environment,
        # taskcat reads ~/.taskcat.yml.
        "HOME": str(tree),
    }
    return run(tree, output, environment, (), plugins, **options)


def in_account(
    tree: Path,
    output: Path,
    environment: Mapping[str, str],
    plugins: Path | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run the tests of a tree in the account of the credentials."""
    return run(tree, output, unsettled(environment), ("--account",), plugins, **options)


def unsettled(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables without those that override taskcat.yml."""
    return {name: value for name, value in environment.items() if not name.startswith("TASKCAT_")}


def run(
    tree: Path,
    output: Path,
    environment: Mapping[str, str],
    arguments: tuple[str, ...],
    plugins: Path | None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run taskcat in a tree; in an account, wait at Ctrl-C until it has deleted what it launched."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.taskcat.run", str(output.resolve()), *arguments]
    path = os.pathsep.join([str(PROJECT_FOLDER), *([str(plugins)] if plugins else [])])
    # taskcat imports pkg_resources, which prints a deprecation warning.
    settings = {**environment, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    # With it, taskcat does not notice that there is no profile "default". The AWS CLI sets it, once imported.
    settings.pop("AWS_DATA_PATH", None)
    with subprocess.Popen(command, cwd=tree, env=settings, text=True, **options) as process:
        while True:
            try:
                said, erred = process.communicate()
            except KeyboardInterrupt:
                if "--account" not in arguments:
                    # The embedded AWS has ended too, with all launched resources.
                    process.kill()
                    raise
                print("Interrupted; deleting what was launched.", flush=True)
            else:
                return subprocess.CompletedProcess(command, process.returncode, said, erred)
