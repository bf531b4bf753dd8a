"""build.py on the command line: help on one screen, one sentence for each error, reproducible builds."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.checks import lint
from pipeline.parameters.profiles import profile_names
from pipeline.paths import PARAMETERS, PROJECT_FOLDER
from pipeline.release.assemble import Release
from pipeline.release.upload import MANIFEST_NAME, ensure_bucket, keys_below
from tests.conftest import REGION
from tests.gate import Gate, Request

COMMANDS = (
    *("build", "lint", "render", "regions", "changes", "cost", "pages"),
    *("upload", "plan", "publish"),
    *("check", "launch", "update", "terminate", "status", "outputs"),
    "environments",
    *("why", "logs", "run", "delete"),
)
LINES, COLUMNS = 30, 80
# The input of a build.
SOURCES = ("commands", "templates_src", "pipeline", "embedded_aws", "parameters", "dist/functions")
# Environment variables without an AWS account: only PATH of this process.
NOBODY = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
}
SOMEBODY = {**NOBODY, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

Finished = subprocess.CompletedProcess[str]


def run(*arguments: str, env: Mapping[str, str] = NOBODY, tree: Path = PROJECT_FOLDER) -> Finished:
    return subprocess.run(
        [sys.executable, tree / "build.py", *arguments],
        env=dict(env),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_refused(finished: Finished, status: int, *named: str) -> None:
    """The only output is one sentence on standard error that names the problem, with the exit status."""
    (line,) = finished.stderr.splitlines()
    assert line.startswith("build.py: ")
    assert line.endswith((".", "?", ")"))
    for part in named:
        assert part in line
    assert finished.returncode == status
    assert finished.stdout == ""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the input of a build, at another path."""
    copy = tmp_path_factory.mktemp("elsewhere") / "a copy"
    for name in SOURCES:
        if (PROJECT_FOLDER / name).is_dir():
            shutil.copytree(PROJECT_FOLDER / name, copy / name)
    for name in ("build.py", "catalog.yaml", "setup.cfg"):
        shutil.copy(PROJECT_FOLDER / name, copy / name)
    return copy


@pytest.fixture
def broken(tree: Path, tmp_path: Path) -> Path:
    """A copy of the copy, for a test to change."""
    return Path(shutil.copytree(tree, tmp_path / "broken"))


@pytest.fixture(scope="module")
def aws(running_aws: EmbeddedAws) -> Aws:
    running_aws.reset()
    return Aws(REGION, running_aws.environment())


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = f"releases-{uuid4().hex}"
    ensure_bucket(aws, name)
    return name


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A reserved port of this machine without a listener."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen_and_has_an_example_that_runs(command: str) -> None:
    words = [command] if command else []
    finished = run(*words, "--help")

    lines = finished.stdout.rstrip().splitlines()
    assert finished.returncode == 0
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    (example,) = re.findall(rf"Example: \.venv/bin/python build\.py ({command}.*)", finished.stdout)
    # Unknown options are refused before --help, which is first because `run` passes on what follows its "--".
    name, *arguments = shlex.split(example)
    assert run(name, "--help", *arguments).returncode == 0


def test_help_lists_every_command() -> None:
    assert re.findall(r"^  ([a-z]+)  ", run("--help").stdout, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("lunch", "dev"), ("'lunch'", "python build.py --help")),
        (("launch",), ("'environment'", "python build.py launch --help")),
        (("launch", "dev", "--embeded"), ("--embeded",)),
        (("launch", "dev", "--keep"), ("--keep", "--embedded")),
        (("launch", "dev", "--bucket", "mine"), ("--bucket", "--direct")),
        (
            ("launch", "dev", "--direct", "--product-version", "1"),
            ("--product-version", "--direct"),
        ),
        (("check", "--direct"), ("--direct", "environment")),
        (("check", "dev", "--bucket", "mine"), ("--bucket", "--direct")),
        (("launch", "dev", "--preview"), ("--preview", "--direct", "`update`")),
        (
            ("launch", "dev", "--direct", "--set", "ImageTag=1", "--reset", "ImageTag"),
            ("--set", "--reset", "ImageTag"),
        ),
        (("launch", "dev", "--tag", "Owner"), ("--tag", "KEY=VALUE", "'Owner'")),
        (("update", "dev", "--set", "ImageTag"), ("KEY=VALUE", "'ImageTag'")),
        (("lunch", "dev"), ("'lunch'", "Did you mean 'launch'?")),
        (("update", "dev", "--set", "ImageTag=1", "--set", "ImageTag=1"), ("ImageTag twice",)),
        (("launch", "dev", "--tag", "Owner=a", "--tag", "Owner=b"), ("--tag", "Owner twice")),
        (("terminate",), ("'environment'", "python build.py terminate --help")),
        (("render", "dev", "--set", "VpcCidr"), ("KEY=VALUE", "'VpcCidr'")),
        (("render", "dev", "--set", "=10.0.0.0/16"), ("KEY=VALUE", "'=10.0.0.0/16'")),
        (("delete", "dev", "--set", ""), ("KEY=VALUE", "''")),
        (("upload",), ("--bucket", "python build.py upload --help")),
        (("lint", "--regions", "--region", "us-east-1"), ("--regions", "--region")),
        (("render", "dev", "staging"), ("staging",)),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_and_status_2(
    arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    assert_refused(run(*arguments), 2, *named)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("render", "qa"), ("'qa'", "dev, prod and staging")),
        (("launch", "qa", "--embedded"), ("'qa'",)),
        (("render", "dev", "--region", "mars-1"), ("'mars-1'",)),
        (("lint", "--region", "aws-global"), ("'aws-global'",)),
        (("launch", "dev", "--embedded", "--region", "eu-north-9"), ("'eu-north-9'",)),
        (("regions", "--region", "us-east-1", "--region", "eu-north-9"), ("'eu-north-9'",)),
        (("regions", "--profile", "qa"), ("'qa'", "dev, prod and staging")),
        (("render", "prod", "--set", "NatGateways=single"), ("NatGateways", "prod")),
        (("delete", "dev", "--set", "Projet=app"), ("did you mean Project?",)),
        (("launch", "dev", "--direct", "--set", "Environment=prod"), ("Environment", "'dev'")),
        (("launch", "dev", "--embedded", "--set", "Environment=prod"), ("Environment", "'dev'")),
        (("update", "qa"), ("'qa'",)),
        (("render", "dev", "--output", "/dev/null/x"), ("/dev/null", "Not a directory")),
        (("upload", "--bucket", "Not A Bucket"), ("'Not A Bucket'", "lower-case letters")),
    ],
    ids=" ".join,
)
def test_impossible_operation_is_one_sentence_and_status_1(
    arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    assert_refused(run(*arguments, env=SOMEBODY), 1, *named)


@pytest.mark.parametrize(
    "arguments",
    [
        ("upload", "--bucket", "releases"),
        ("delete", "dev"),
        ("launch", "dev"),
        ("update", "dev"),
        ("terminate", "dev"),
        ("status", "dev"),
        ("outputs", "dev"),
    ],
    ids=" ".join,
)
def test_missing_credentials_are_one_sentence(arguments: tuple[str, ...]) -> None:
    assert_refused(run(*arguments, env=NOBODY), 1, "credentials", "aws sso login")


def test_unknown_profile_is_one_sentence() -> None:
    finished = run("launch", "dev", env={**NOBODY, "AWS_PROFILE": "nobodys"})

    assert_refused(finished, 1, "nobodys", "AWS_PROFILE")


SSO_FILE = """\
[profile company]
sso_session = company
sso_account_id = 111122223333
sso_role_name = Developer
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = eu-north-1
"""


def test_missing_session_of_single_sign_on_says_how_to_sign_in(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(SSO_FILE, encoding="utf-8")
    env = {**NOBODY, "AWS_PROFILE": "company", "AWS_CONFIG_FILE": str(tmp_path / "config")}

    assert_refused(run("status", "dev", env=env), 1, "`aws sso login --profile company`")


def test_silent_endpoint_is_one_sentence(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}"

    finished = run("launch", "dev", env={**SOMEBODY, "AWS_ENDPOINT_URL": url})

    assert_refused(finished, 1, url, "AWS_ENDPOINT_URL")


def test_invalid_endpoint_is_one_sentence() -> None:
    finished = run("delete", "dev", env={**SOMEBODY, "AWS_ENDPOINT_URL": "localhost:4566"})

    assert_refused(finished, 1, "localhost:4566", "AWS_ENDPOINT_URL")


def test_missing_bucket_is_refused(aws: Aws) -> None:
    launch = ("launch", "dev", "--direct", "--bucket", "absent")

    finished = run(*launch, env={**NOBODY, **aws.environment})

    assert_refused(finished, 1, "Bucket absent does not exist", "aws s3 mb s3://absent")


def test_bucket_in_another_region_is_one_sentence(aws: Aws) -> None:
    name = f"far-{uuid4().hex}"
    ensure_bucket(Aws("eu-west-1", aws.environment), name)

    finished = run("upload", "--bucket", name, env={**NOBODY, **aws.environment})

    assert_refused(finished, 1, name, "eu-west-1", REGION)


def test_launch_without_a_value_creates_nothing(aws: Aws) -> None:
    buckets = aws.client("s3").list_buckets()["Buckets"]

    finished = run("launch", "prod", "--direct", env={**NOBODY, **aws.environment})

    assert_refused(finished, 1, "CertificateArn", "HTTPS")
    assert aws.client("s3").list_buckets()["Buckets"] == buckets
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []


@pytest.mark.parametrize("command", ["delete", "terminate"])
def test_deleting_what_does_not_exist_is_refused(aws: Aws, command: str) -> None:
    finished = run(command, "dev", env={**NOBODY, **aws.environment})

    assert_refused(finished, 1, f"carbon-connect-dev does not exist in {REGION}")


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (
            "templates_src/network/template.py",
            'layer.output("VpcId"',
            'layer.output("Vpc"',
            ("takes VpcId", "no earlier layer outputs"),
        ),
        (
            "templates_src/network/template.py",
            "EnableDnsSupport=",
            "EnableDns=",
            ("AWS::EC2::VPC", "EnableDns"),
        ),
        (
            "templates_src/core/parameters/shared.py",
            "max_length=14",
            "max_length=15",
            ("DocumentsBucket", "layer data", "64 characters", "accepts 63"),
        ),
        ("parameters/staging.json", '"VpcCidr"', '"VpcCdr"', ("staging.json", "lacks VpcCidr")),
        ("parameters/prod.json", "[", "", ("prod.json", "JSON")),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_invalid_template_or_profile_is_one_sentence_and_writes_nothing(
    broken: Path, file: str, old: str, new: str, named: tuple[str, ...]
) -> None:
    text = (broken / file).read_text()
    assert old in text
    (broken / file).write_text(text.replace(old, new, 1))

    assert_refused(run("build", tree=broken), 1, *named)
    assert not (broken / "dist/templates").exists()
    assert not (broken / "dist/manifest.json").exists()


def built(tree: Path) -> dict[str, bytes]:
    files = [*(tree / "dist/templates").iterdir(), tree / "dist" / MANIFEST_NAME]
    return {str(path.relative_to(tree / "dist")): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LANG": "C.UTF-8"},
    ],
    ids=["C", "UTF-8"],
)
def test_build_gives_the_same_bytes_elsewhere(
    broken: Path, release: Release, env: Mapping[str, str]
) -> None:
    finished = run("build", env={**NOBODY, **env}, tree=broken)

    files = {**release.files, **release.bootstrap_stacks}
    expected = {path: body for path, body in files.items() if path.endswith(".json")}
    assert finished.returncode == 0, finished.stderr
    assert built(broken) == {**expected, MANIFEST_NAME: release.manifest()}


def test_second_build_changes_nothing(broken: Path) -> None:
    (broken / "dist/templates").mkdir()
    (broken / "dist/templates/gone.template.json").write_text("{}")
    first = run(tree=broken)
    before = built(broken)
    times = {path: path.stat().st_mtime_ns for path in (broken / "dist").rglob("*.json")}

    second = run("build", tree=broken)

    assert re.search(r"\b[1-9]\d* changed on disk", first.stdout)
    assert "0 changed on disk" in second.stdout
    assert built(broken) == before
    assert "templates/gone.template.json" not in before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_lint_of_a_region_that_is_not_ready_says_why_and_fails(
    broken: Path, release: Release
) -> None:
    where = ("us-west-1",)
    targets = [lint.nested_templates(release, where), *lint.bootstrap_templates(release, where)]
    for name in profile_names():
        targets += lint.rendered_targets(release, name, where, PARAMETERS)
    clean = broken / ".cache/lint"
    clean.mkdir(parents=True)
    for target in targets:
        (clean / target.digest()).touch()

    finished = run("lint", "--region", "us-west-1", tree=broken)

    # cfn-lint itself found nothing: it does not count zones.
    (line,) = finished.stdout.splitlines()
    assert line.startswith("us-west-1 is not ready. ")
    assert "an account has 2 in us-west-1" in line
    assert (finished.returncode, finished.stderr) == (1, "")


def test_lint_of_the_regions_that_are_ready_needs_one(broken: Path) -> None:
    profile = broken / "parameters/dev.json"
    profile.write_text(profile.read_text().replace("db.t4g.medium", "db.t0.none"))

    assert_refused(run("lint", "--regions", tree=broken), 1, "No region is ready for dev")


def test_render_writes_to_the_given_folder(tmp_path: Path, release: Release) -> None:
    finished = run("render", "prod", "--region", "eu-west-1", "--output", str(tmp_path / "a/b"))

    names = {f"{layer.name}.json" for layer in (release.root, *release.layers)}
    assert finished.returncode == 0, finished.stderr
    assert {path.name for path in (tmp_path / "a/b").iterdir()} == names


def contents(aws: Aws, bucket: str) -> dict[str, Any]:
    s3 = aws.client("s3")
    return {
        key: s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in keys_below(s3, bucket, "")
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_interrupted_upload_is_completed_by_the_next(
    aws: Aws, bucket: str, tree: Path, release: Release, number: signal.Signals
) -> None:
    upload = [sys.executable, str(tree / "build.py"), "upload", "--bucket", bucket]
    ended: list[subprocess.Popen[str]] = []
    upstream = aws.environment["AWS_ENDPOINT_URL"]

    with Gate(
        upstream,
        Request.writes_object,
        lambda: ended[0].send_signal(number),
        count=3,
        after=True,
        shuts=True,
    ) as gate:
        env = {**NOBODY, **aws.environment, "AWS_ENDPOINT_URL": gate.endpoint_url}
        ended.append(
            subprocess.Popen(
                upload, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        output, errors = ended[0].communicate(timeout=30)

    assert len(contents(aws, bucket)) == 3
    assert release.prefix + MANIFEST_NAME not in contents(aws, bucket)
    if number == signal.SIGINT:
        assert_refused(Finished(upload, ended[0].returncode, output, errors), 130, "same command")

    again = run(*upload[2:], env={**NOBODY, **aws.environment}, tree=tree)

    files = {**release.files, MANIFEST_NAME: release.manifest()}
    assert contents(aws, bucket) == {release.prefix + path: body for path, body in files.items()}
    assert again.returncode == 0, again.stderr
    assert f"{len(files) - 3} files written, 3 exist already" in again.stdout
