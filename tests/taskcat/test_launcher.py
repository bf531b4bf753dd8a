"""The arguments of `python -m tests.taskcat`, and the differences of a run in an account."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from embedded_aws.server import EmbeddedAws
from tests.taskcat.__main__ import main, only
from tests.taskcat.definition import FILE_NAME
from tests.taskcat.launcher import QUIET, in_account, on_embedded
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


def test_run_in_an_account_lists_leftovers(embedded: EmbeddedAws, tmp_path: Path) -> None:
    """On an embedded AWS in place of an account."""
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
        **QUIET,
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


def test_settings_of_the_user_do_not_reach_the_embedded_aws(
    embedded: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".taskcat.yml").write_text("general: {s3_bucket: mine}\n", encoding="utf-8")
    credentials = home / "credentials"
    credentials.write_text(profile("111111111111"), encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("TASKCAT_PROJECT_S3_BUCKET", "mine")
    tree = lay_out(tmp_path / "tree")
    only(tree, ["network"])

    done = on_embedded(embedded, tree, tmp_path / "report", **QUIET)

    assert done.returncode == 0, done.stdout + done.stderr


def test_error_of_taskcat_is_one_sentence(embedded: EmbeddedAws, tmp_path: Path) -> None:
    """Production without its prerequisites."""
    tree = lay_out(tmp_path / "tree")
    only(tree, ["prod"])

    done = on_embedded(embedded, tree, tmp_path / "report", **QUIET)

    assert done.returncode == 1
    assert "taskcat stopped: " in done.stdout
    assert "ParameterNotFound" in done.stdout
    assert "0 passed, 1 failed" in done.stdout
    assert "report: " not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_another_account_than_that_of_the_credentials_is_refused(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    tree = lay_out(tmp_path / "tree")
    only(tree, ["network"])
    credentials = tmp_path / "credentials"
    credentials.write_text(profile("111111111111"), encoding="utf-8")
    variables = embedded.environment() | {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)}

    done = in_account(tree, tmp_path / "report", os.environ | variables, **QUIET)

    assert done.returncode == 1
    assert "it would launch in account 111111111111 of the profile default" in done.stdout
    assert "your credentials are of 123456789012" in done.stdout


def profile(account: str) -> str:
    """A profile "default" of an account, which twelve digits choose on the embedded AWS."""
    return f"[default]\naws_access_key_id = {account}\naws_secret_access_key = embedded\n"
