"""What `python -m tests.taskcat` takes and refuses, and how a run in an account differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from embedded_aws.server import EmbeddedAws
from tests.taskcat.__main__ import main, only
from tests.taskcat.definition import FILE_NAME
from tests.taskcat.launcher import in_account
from tests.taskcat.offline import offline
from tests.taskcat.tree import lay_out

PLUGINS = Path(__file__).with_name("plugins")


def test_unknown_test_is_refused_before_anything_starts() -> None:
    with pytest.raises(SystemExit, match=r"There is no test 'nework'; taskcat\.yml holds dev, "):
        main(["dev", "nework"])


@pytest.mark.parametrize("endpoint", ["", "https://cloudformation.eu-north-1.amazonaws.com"])
def test_changes_for_the_embedded_aws_are_refused_elsewhere(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    with pytest.raises(ValueError, match="no address of an embedded AWS"), offline():
        raise AssertionError


def test_run_in_an_account_says_what_it_leaves_to_be_deleted(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    """On an embedded AWS that is taken for an account."""
    tree = lay_out(tmp_path / "tree")
    only(tree, ["data"])
    document = yaml.safe_load((tree / FILE_NAME).read_text(encoding="utf-8"))
    document["tests"]["data"]["prehooks"] = [{"type": "no_web"}]
    (tree / FILE_NAME).write_text(yaml.safe_dump(document), encoding="utf-8")

    done = in_account(
        tree,
        tmp_path / "report",
        os.environ | embedded.environment(),
        PLUGINS,
        capture_output=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 0 failed" in done.stdout
    left = [line for line in done.stdout.splitlines() if line.startswith("retained in us-east-1")]
    assert [line.split(": ")[1].split()[0] for line in left if "1 of" not in line] == [
        "AWS::EC2::Volume",
        "AWS::KMS::Key",
    ]
    assert left[-1].endswith("1 of AWS::RDS::DBSnapshot")
    assert (tmp_path / "report" / "index.html").read_text().count("CREATE_COMPLETE") == 1
