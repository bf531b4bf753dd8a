"""Ctrl-C during a run in an account, where remaining resources would cause costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.paths import PROJECT_FOLDER
from tests.taskcat.__main__ import only
from tests.taskcat.definition import FILE_NAME, HOME
from tests.taskcat.prerequisites import prepare
from tests.taskcat.tree import lay_out

PLUGINS = Path(__file__).with_name("plugins")
PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.taskcat.launcher import in_account
# A shell lets what it runs in the background ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
tree, output, plugins = map(Path, sys.argv[1:])
sys.exit(in_account(tree, output, os.environ, plugins).returncode)
"""


def test_launched_stacks_are_deleted_despite_protection(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    """On an embedded AWS in place of an account, which a terminal's Ctrl-C does not reach."""
    prepare(embedded)
    tree = lay_out(tmp_path / "tree")
    only(tree, ["prod"])
    document = yaml.safe_load((tree / FILE_NAME).read_text(encoding="utf-8"))
    document["tests"]["prod"]["prehooks"] = [{"type": "no_web"}]
    (tree / FILE_NAME).write_text(yaml.safe_dump(document), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tree), str(tmp_path / "report"), str(PLUGINS)],
        cwd=PROJECT_FOLDER,
        env=os.environ | embedded.environment() | {"PYTHONPATH": str(PROJECT_FOLDER)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        assert any("waiting to turn its protection off" in line for line in lines)
        os.killpg(process.pid, signal.SIGINT)
        said = process.stdout.read()

    assert process.returncode == 1
    assert "Interrupted; deleting what was launched." in said
    assert "The run was interrupted" in said
    aws = Aws(HOME, embedded.environment())
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
