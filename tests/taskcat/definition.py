"""taskcat.yml, derived from the environment profiles: `python -m tests.taskcat.definition` writes it.

A test contains the values of its profile that differ from the root's defaults, so that the file shows the special
values of each. taskcat prefers the parameters of a project to those of a test, so only tests have parameters. They are
strings, because taskcat converts YAML's true to ``True``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.parameters.profiles import load_profile
from pipeline.paths import PROJECT_FOLDER as FOLDER
from pipeline.release.assemble import Release, assemble, template_path
from templates_src.access.taskcat import DEPLOYMENT_ROLE
from templates_src.core.parameters.shared import (
    ENVIRONMENT,
    PROJECT,
    RELEASE_BUCKET,
    RELEASE_PREFIX,
)
from templates_src.data.buckets import NAMESPACE as BUCKET_NAMESPACE
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME, HOSTED_ZONE_ID
from templates_src.environment import ROOT
from templates_src.network.tiers import VPC_CIDR
from tests.taskcat.existing_vpc import NESTED, existing_vpc, file_name

FILE_NAME = "taskcat.yml"
HEADER = """\
# Generated from parameters/ by `python -m tests.taskcat.definition`: do not edit. docs/testing.md explains it.
"""
NAME = "carbon-connect"
DIST = "dist"
# The folder of the templates with an existing VPC.
OWN = "tests/taskcat"
# Parameters of AWS Systems Manager in the regions of the tests that need them; docs/testing.md creates them.
PREREQUISITES = "/carbon-connect/taskcat"
CERTIFICATE = f"{PREREQUISITES}/certificate-arn"
ZONE = f"{PREREQUISITES}/hosted-zone-id"
DOMAIN = f"{PREREQUISITES}/domain-name"
HOME, SECOND, THIRD = "eu-north-1", "eu-west-1", "us-east-1"


@dataclass(frozen=True)
class Case:
    """One test: a template with an environment's profile in some regions; ``given`` are the values that the profile leaves open."""

    name: str
    environment: str
    regions: tuple[str, ...]
    template: str = f"{DIST}/{template_path(ROOT)}"
    given: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False


def from_account(parameter: str) -> str:
    """A value that the account keeps in Systems Manager."""
    return f"$[taskcat_ssm_{parameter}]"


# The tests are distributed over the regions, so that they fit the default quotas of five VPCs and five addresses per
# region.
CASES = (
    Case("dev", "dev", (HOME, SECOND, THIRD)),
    Case("staging", "staging", (HOME,)),
    Case(
        "prod",
        "prod",
        (HOME,),
        given={CERTIFICATE_ARN.name: from_account(CERTIFICATE)},
        is_protected=True,
    ),
    Case(
        "prod-two",
        "prod",
        (SECOND,),
        given={
            HOSTED_ZONE_ID.name: from_account(ZONE),
            DOMAIN_NAME.name: from_account(DOMAIN),
            # Next to the range of prod, so that the two can be peered.
            VPC_CIDR.name: "10.1.0.0/16",
        },
        is_protected=True,
    ),
    Case("network", "dev", (SECOND,), f"{DIST}/{template_path('network')}"),
    *(Case(name, "dev", (THIRD,), f"{OWN}/{file_name(name)}") for name in NESTED),
)
# Every name in a template begins with the project, so two tests in one region do not conflict. Bucket names are
# globally unique, unless they are in the namespace of the account and region.
UNIQUE: Mapping[str, str] = {
    PROJECT.name: "tcat-$[taskcat_test_name]",
    BUCKET_NAMESPACE.name: "account-regional",
}
RELEASE: Mapping[str, str] = {
    RELEASE_BUCKET.name: "$[taskcat_autobucket]",
    RELEASE_PREFIX.name: f"$[taskcat_project_name]/{DIST}/",
}


def definition(release: Release) -> dict[str, Any]:
    """taskcat's configuration as data."""
    return {
        "project": {
            "name": NAME,
            # The build packs the functions; taskcat would use Docker.
            "package_lambda": False,
            "build_submodules": False,
            # A function's zip must be in the region of its stack.
            "s3_regional_buckets": True,
            # taskcat sends an ACL with each file, and new buckets accept only this one.
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
            "s3_object_acl": "bucket-owner-full-control",
            "shorten_stack_name": True,
            # CloudFormation deploys with this role, so that the user of taskcat needs no permissions on the resources.
            "role_name": DEPLOYMENT_ROLE,
            "prehooks": [{"type": "tags"}],
        },
        "tests": {case.name: entry(release, case) for case in CASES},
    }


def entry(release: Release, case: Case) -> dict[str, Any]:
    """One test in taskcat's format."""
    protected = {"posthooks": [{"type": "protection"}]} if case.is_protected else {}
    return {
        "template": case.template,
        "regions": list(case.regions),
        **protected,
        "parameters": dict(parameters(release, case)),
    }


def parameters(release: Release, case: Case) -> Iterator[tuple[str, str]]:
    """The parameters of a test: those of its template whose values differ from the defaults."""
    values = {
        **load_profile(release.root, case.environment),
        **case.given,
        **UNIQUE,
        **RELEASE,
    }
    for name, default in defaults(release, case).items():
        if (name in values and values[name] != default) or name == ENVIRONMENT.name:
            yield name, values[name]


def defaults(release: Release, case: Case) -> dict[str, str | None]:
    """The parameters of a test's template with their defaults."""
    body = yaml.safe_load(template_body(release, case))
    return {name: known.get("Default") for name, known in body["Parameters"].items()}


def template_body(release: Release, case: Case) -> bytes:
    """The template of a test from the working tree."""
    if case.name in NESTED:
        return existing_vpc(case.name)
    return release.files[case.template.removeprefix(f"{DIST}/")]


def text(release: Release) -> str:
    """taskcat.yml."""
    return HEADER + yaml.safe_dump(definition(release), sort_keys=False, width=120)


def write(folder: Path = FOLDER) -> None:
    """Write taskcat.yml and the templates of an existing VPC."""
    (folder / FILE_NAME).write_text(text(assemble()), encoding="utf-8")
    for name in NESTED:
        (folder / OWN / file_name(name)).write_bytes(existing_vpc(name))


if __name__ == "__main__":
    write()
