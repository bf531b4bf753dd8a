"""The two sides of a comparison: each is a folder, a kept release, a git revision or a published version."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.aws import DEFAULT_REGION, Aws, aws_errors
from pipeline.changes.state import State
from pipeline.checks.launch_examples import launch_examples
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import NAME, VALUE
from pipeline.paths import DIST, PARAMETERS, PROJECT_FOLDER
from pipeline.release.assemble import Release
from pipeline.release.upload import keys_below
from templates_src.environment import ROOT, TEMPLATE_FOLDER, TEMPLATE_SUFFIX

# Releases that updates are tested from.
KEPT = PROJECT_FOLDER / "tests" / "releases"
VERSION = re.compile(r"\d+\.\d+\.\d+")
S3 = "s3://"


@dataclass(frozen=True)
class Side:
    """Templates by name, and the values of each profile by environment."""

    title: str
    templates: Mapping[str, Mapping[str, Any]]
    profiles: Mapping[str, Mapping[str, str]]

    def state(self, environment: str, region: str, **changes: str) -> State:
        """The state of the environment with its profile and ``changes``, and with examples of the values that a launch adds."""
        if environment not in self.profiles:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise PipelineError(f"{self.title} has no environment {environment!r}; it has {known}.")
        values = {**launch_examples(region, environment), **self.profiles[environment], **changes}
        declared = self.templates[ROOT].get("Parameters", {})
        # An example replaces an empty value of the profile, such as the certificate of prod.
        for name, value in launch_examples(region, environment).items():
            values[name] = values[name] or value
        return State(
            self.templates,
            {name: value for name, value in values.items() if name in declared},
            region,
            ROOT,
        )


def side(name: str, region: str = DEFAULT_REGION) -> Side:
    """The side for a name on the command line.

    A folder with templates/, such as dist; the version of a kept release; a git revision; or the location of a published
    version, s3://BUCKET/PREFIX/, which is the output ReleaseLocation of an environment. Raises PipelineError for a name that
    is none of these, and for a side without templates.
    """
    if name.startswith(S3):
        return of_published(Aws(region), name)
    folder = Path(name)
    if folder.is_dir():
        return of_folder(folder, name)
    if (KEPT / name / TEMPLATE_FOLDER).is_dir():
        return of_folder(KEPT / name, name)
    archive = of_revision(name)
    if archive is None:
        kept = ", ".join(kept_versions())
        raise PipelineError(
            f"{name!r} is not a folder, a kept release ({kept}), a git revision or the s3://BUCKET/PREFIX/ of a published "
            "version; name one of these."
        )
    return archive


def kept_versions() -> list[str]:
    """The versions of the kept releases, oldest first."""
    found = [path.name for path in KEPT.glob("*/") if (path / TEMPLATE_FOLDER).is_dir()]
    return sorted(filter(VERSION.fullmatch, found), key=version_numbers)


def version_numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version such as 1.2.0, as a sort key."""
    return tuple(int(number) for number in version.split("."))


def of_release(release: Release, profiles: Mapping[str, Mapping[str, str]]) -> Side:
    """The release of the working tree."""
    suffix = f"{TEMPLATE_FOLDER}/"
    templates = {
        path.removeprefix(suffix): body
        for path, body in release.files.items()
        if path.startswith(suffix)
    }
    return replace(of_files(release.version, templates, {}), profiles=profiles)


def of_folder(folder: Path, title: str) -> Side:
    """A folder that `build` writes; its profiles are in parameters/, in the folder or next to it."""
    files = {
        path.name: path.read_bytes()
        for path in (folder / TEMPLATE_FOLDER).glob(f"*{TEMPLATE_SUFFIX}")
    }
    inside, beside = folder / PARAMETERS.name, folder.resolve().parent / PARAMETERS.name
    profiles = inside if inside.is_dir() else beside
    return of_files(
        title, files, {path.name: path.read_bytes() for path in profiles.glob("*.json")}
    )


def of_published(aws: Aws, location: str) -> Side:
    """A version in a release bucket, with the profiles of the working tree.

    Raises PipelineError for a location without templates, and for one that the credentials cannot read.
    """
    bucket, _, prefix = location.removeprefix(S3).partition("/")
    folder = f"{prefix.rstrip('/')}/{TEMPLATE_FOLDER}/"
    s3 = aws.client("s3")
    with aws_errors(f"read {location}"):
        templates = {
            key.removeprefix(folder): s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in sorted(keys_below(s3, bucket, folder))
        }
    profiles = {path.name: path.read_bytes() for path in PARAMETERS.glob("*.json")}
    return of_files(location, templates, profiles)


def of_revision(revision: str) -> Side | None:
    """The committed dist/ and parameters/ of a git revision; None if the revision does not exist."""
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        return None
    commit = found.stdout.strip()
    archive = subprocess.run(
        [
            "git",
            "archive",
            "--format=tar",
            commit,
            f"{DIST.name}/{TEMPLATE_FOLDER}",
            PARAMETERS.name,
        ],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise PipelineError(
            f"Revision {revision} has no {DIST.name}/{TEMPLATE_FOLDER} and {PARAMETERS.name}."
        )
    templates: dict[str, bytes] = {}
    profiles: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as entries:
        for entry in entries:
            body = entries.extractfile(entry)
            if body is not None:
                place = templates if entry.name.endswith(TEMPLATE_SUFFIX) else profiles
                place[Path(entry.name).name] = body.read()
    return of_files(revision, templates, profiles)


def of_files(title: str, templates: Mapping[str, bytes], profiles: Mapping[str, bytes]) -> Side:
    """A side from the contents of its files. Raises PipelineError if one cannot be read, or the root is missing."""
    if f"{ROOT}{TEMPLATE_SUFFIX}" not in templates:
        raise PipelineError(
            f"{title} has no {TEMPLATE_FOLDER}/{ROOT}{TEMPLATE_SUFFIX}; build it first."
        )
    return Side(
        title,
        {
            name.removesuffix(TEMPLATE_SUFFIX): template_in(body, f"{title}: {name}")
            for name, body in templates.items()
        },
        {
            name.removesuffix(".json"): profile_in(body, f"{title}: {name}")
            for name, body in profiles.items()
        },
    )


def template_in(body: bytes, where: str) -> Mapping[str, Any]:
    """A template. Raises PipelineError that names a file that is not a template."""
    found = parsed_json(body, where)
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict):
        raise PipelineError(f"{where} is not a CloudFormation template: it has no Resources.")
    return found


def profile_in(body: bytes, where: str) -> Mapping[str, str]:
    """The values of a profile. Raises PipelineError that names a file that is not a profile."""
    try:
        return {pair[NAME]: pair[VALUE] for pair in parsed_json(body, where)}
    except (TypeError, KeyError):
        raise PipelineError(f"{where} must be a list of objects with {NAME} and {VALUE}.") from None


def parsed_json(body: bytes, where: str) -> Any:
    """A JSON file. Raises PipelineError that names a file that cannot be read."""
    try:
        return json.loads(body)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise PipelineError(f"{where} cannot be read as JSON: {reason}.") from error
