"""Environment profiles: an error names the file, the parameter and the reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.common.preview import Consent, require_launchable
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.errors import PipelineError
from pipeline.parameters.cautions import cautions
from pipeline.parameters.profiles import load_profile, profile_names, profile_parameters
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from tests.conftest import ENVIRONMENTS, REGION

Pairs = list[dict[str, Any]]
Change = Callable[[Pairs], Any]


def given(pairs: Pairs, name: str) -> dict[str, Any]:
    return next(pair for pair in pairs if pair["ParameterKey"] == name)


def setting(name: str, value: Any) -> Change:
    return lambda pairs: given(pairs, name).update(ParameterValue=value)


def adding(name: str, value: str) -> Change:
    return lambda pairs: pairs.append({"ParameterKey": name, "ParameterValue": value})


def removing(name: str) -> Change:
    return lambda pairs: pairs.remove(given(pairs, name))


def renaming(name: str, key: str) -> Change:
    def rename(pairs: Pairs) -> None:
        pair = given(pairs, name)
        pair[key] = pair.pop("ParameterValue")

    return rename


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the profiles."""
    return Path(shutil.copytree(PARAMETERS, tmp_path / "parameters"))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_committed_profile_is_complete_and_valid(release: Release, name: str) -> None:
    values = load_profile(release.root, name)

    assert values.keys() == profile_parameters(release.root).keys()
    assert values["Environment"] == name


def test_profile_omits_the_location_of_the_release(release: Release) -> None:
    assert release.root.declarations.keys() - profile_parameters(release.root).keys() == {
        "ReleaseBucket",
        "ReleasePrefix",
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(removing("VpcCidr"), ("lacks VpcCidr", "dev"), id="missing"),
        pytest.param(removing("Environment"), ("lacks Environment",), id="no environment"),
        pytest.param(
            adding("NatGateway", "single"),
            ("NatGateway, which is not a parameter", "did you mean NatGateways?"),
            id="unknown",
        ),
        pytest.param(
            adding("ReleaseBucket", "releases"),
            ("ReleaseBucket, which is not a parameter",),
            id="place of the release",
        ),
        pytest.param(
            setting("NatGateways", "two"),
            ("NatGateways is 'two'", "single, per-zone"),
            id="value that is not allowed",
        ),
        pytest.param(
            setting("VpcCidr", "8.8.0.0/16"),
            ("VpcCidr is '8.8.0.0/16'", "private /16"),
            id="value that does not match",
        ),
        pytest.param(
            setting("WafRateLimit", "1"),
            ("WafRateLimit is '1'", "from 10 to"),
            id="number out of bounds",
        ),
        pytest.param(
            setting("ApiMinTasks", "50"),
            ("ApiMinTasks (50)", "ApiMaxTasks"),
            id="numbers that do not fit",
        ),
        pytest.param(
            setting("WafRateLimit", 2000), ("WafRateLimit", "string", "2000"), id="number"
        ),
        pytest.param(
            setting("AccessLogs", True), ("AccessLogs", "string", "true"), id="true without quotes"
        ),
        pytest.param(
            setting("MediaCorsOrigins", ["https://a.example"]),
            ("MediaCorsOrigins", "string", "https://a.example"),
            id="list",
        ),
        pytest.param(setting("DomainName", None), ("DomainName", "string", "null"), id="null"),
        pytest.param(
            adding("VpcCidr", "10.0.0.0/16"), ("VpcCidr twice",), id="the same parameter twice"
        ),
        pytest.param(
            setting("Environment", "staging"),
            ("Environment to 'staging'", "'dev'"),
            id="wrong environment",
        ),
        pytest.param(
            renaming("Project", "Value"),
            ("entry 1", "ParameterKey", "ParameterValue"),
            id="wrong key",
        ),
        pytest.param(
            lambda pairs: pairs[1].update(UsePreviousValue=True), ("entry 2",), id="a key too many"
        ),
        pytest.param(
            lambda pairs: pairs.insert(2, {"NatGateways": "single"}), ("entry 3",), id="plain pair"
        ),
    ],
)
def test_wrong_profile_is_refused(
    release: Release, folder: Path, change: Change, named: tuple[str, ...]
) -> None:
    path = folder / "dev.json"
    pairs = json.loads(path.read_text())
    change(pairs)
    path.write_text(json.dumps(pairs))

    with pytest.raises(PipelineError) as refusal:
        load_profile(release.root, "dev", folder)

    for part in ("dev.json", *named):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read as JSON"),
        ('[{"ParameterKey": "Project",}]', "cannot be read as JSON"),
        ('{"Project": "carbon-connect"}', "must be a list"),
        ('"carbon-connect"', "must be a list"),
        ('["Project=carbon-connect"]', "entry 1"),
        ("[]", "lacks"),
    ],
)
def test_file_in_another_format_is_refused(
    release: Release, folder: Path, text: str, reason: str
) -> None:
    (folder / "dev.json").write_text(text)

    with pytest.raises(PipelineError, match=rf"dev\.json.*{reason}"):
        load_profile(release.root, "dev", folder)


def test_binary_file_is_refused(release: Release, folder: Path) -> None:
    (folder / "dev.json").write_bytes(b"\xff\xfe[]")

    with pytest.raises(PipelineError, match=r"dev\.json cannot be read as JSON"):
        load_profile(release.root, "dev", folder)


def test_unknown_environment_is_refused_with_the_known_ones(
    release: Release,
) -> None:
    with pytest.raises(
        PipelineError, match="'qa' has no profile; parameters/ contains dev, prod and staging"
    ):
        load_profile(release.root, "qa")


@pytest.mark.parametrize("name", ["../parameters/dev", "dev.json", ""])
def test_path_as_an_environment_is_refused(release: Release, name: str) -> None:
    with pytest.raises(PipelineError, match="has no profile"):
        load_profile(release.root, name)


def test_profiles_are_the_files_of_their_folder(folder: Path) -> None:
    (folder / "qa.json").write_text("[]")
    (folder / "notes.txt").write_text("")

    assert profile_names(folder) == ["dev", "prod", "qa", "staging"]


@pytest.mark.parametrize(
    ("environment", "values", "named"),
    [
        ("prod", {"ApiRollbackAlarms": "false"}, ["ApiRollbackAlarms is false in prod"]),
        ("prod", {"WafBlockedBodies": "none"}, ["WafBlockedBodies is none in prod"]),
        ("prod", {"ApiRollbackAlarms": "true", "WafBlockedBodies": "all"}, []),
        ("dev", {"ApiRollbackAlarms": "false", "WafBlockedBodies": "none"}, []),
    ],
)
def test_prod_says_which_protection_it_does_without(
    environment: str, values: dict[str, str], named: list[str]
) -> None:
    found = cautions({"Environment": environment, **values})
    assert len(found) == len(named)
    assert all(name in sentence for name, sentence in zip(named, found, strict=True))


def test_a_preview_and_an_update_print_them(
    release: Release, running_aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both commands call this function."""
    aws = Aws(REGION, running_aws.environment())
    values = {**load_profile(release.root, "prod"), "WafBlockedBodies": "none"}

    require_launchable(aws, Consent(preview_only=True), values, {})

    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("Note: WafBlockedBodies is none in prod")]
