"""What docs/testing.md promises about the tests of taskcat, as checks of taskcat.yml as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.parameters.profiles import load_profile, rejection
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import RELEASE_NAME, Release, template_path
from templates_src.environment import ROOT

# Values of each launch, and names.
OTHERWISE = frozenset(
    {"Project", "BucketNamespace", "CertificateArn", "HostedZoneId", "DomainName", "VpcCidr"}
    | {"ReleaseBucket", "ReleasePrefix"}
)
RELEASE = ("$[taskcat_autobucket]", "$[taskcat_project_name]/dist/")
CERTIFICATES = ("CertificateArn", "HostedZoneId", "DomainName")
ALONE = {"network", "data", "layers"}
ROLE_TEMPLATE, ROLE = "taskcat-role", "DeploymentRole"
# Settings of taskcat without which no test launches, and why.
PROJECT: Mapping[str, tuple[object, str]] = {
    "package_lambda": (False, "taskcat packs the functions again, with Docker"),
    "s3_regional_buckets": (True, "a function's zip is not in the region of its stack"),
    "s3_object_acl": ("bucket-owner-full-control", "a new bucket refuses the uploads"),
}
PROTECTING = ("DatabaseDeletionProtection", "LoadBalancerDeletionProtection")


def broken_promises(document: Mapping[str, Any], release: Release) -> Iterator[str]:
    """The broken promises, each a sentence."""
    yield from _of_project(document["project"], release)
    environments = set()
    for name, test in document["tests"].items():
        given = test["parameters"]
        if not test["regions"]:
            yield f"{name} runs in no region."
        if given.get("Project") != "tcat-$[taskcat_test_name]":
            yield f"{name} has the project {given.get('Project')}, as another test may."
        yield from _own(name, test, release)
        if test["template"] != f"dist/{template_path(ROOT)}":
            continue
        environment = given.get("Environment", "")
        environments.add(environment)
        if name.partition("-")[0] != environment:
            yield f"{name} launches {environment}."
            continue
        yield from _values(name, given, load_profile(release.root, environment), release)
        protected = any(given.get(each) == "true" for each in PROTECTING)
        if protected != any(each["type"] == "protection" for each in test.get("posthooks", ())):
            yield f"{name} is deleted with its protection, or has none to turn off."
    ranges = [
        test["parameters"].get("VpcCidr")
        for name, test in document["tests"].items()
        if name.startswith("prod")
    ]
    if len(set(ranges)) != len(ranges) or len(ranges) < 2:
        yield "The tests of prod cannot be peered, or there are not two."
    for missing in sorted(ALONE - document["tests"].keys()):
        yield f"No test launches {missing} alone."
    for missing in sorted({"dev", "staging", "prod"} - environments):
        yield f"No test launches {missing}."


def _of_project(project: Mapping[str, Any], release: Release) -> Iterator[str]:
    """What taskcat does for every test: the role, the bucket, the tags, and nothing that needs Docker or Git."""
    role = json.loads(release.bootstrap_stacks[template_path(ROLE_TEMPLATE)])["Resources"][ROLE]
    wanted = role["Properties"]["RoleName"]
    if project.get("role_name") != wanted:
        yield f"The stacks are launched by {project.get('role_name')}, not by {wanted}."
    if not RELEASE[1].startswith("$[taskcat_project_name]/") or project.get("name") != RELEASE_NAME:
        yield f"The release is uploaded under {project.get('name')}."
    for key, (value, otherwise) in PROJECT.items():
        if project.get(key) != value:
            yield f"{key} is {project.get(key)}: {otherwise}."
    if not any(each["type"] == "tags" for each in project.get("prehooks", ())):
        yield "A stack gets the tags of every test."
    if "parameters" in project:
        yield "Parameters of the project replace those of the tests."


def _own(name: str, test: Mapping[str, Any], release: Release) -> Iterator[str]:
    """What a test needs beside a profile: its template, names that are free, and what an account has prepared."""
    given, path = test["parameters"], PROJECT_FOLDER / test["template"]
    of_layer = path.name.startswith(name)
    of_root = test["template"] == f"dist/{template_path(ROOT)}"
    if not path.is_file() or not (
        of_layer or (of_root and given.get("Environment") == name.partition("-")[0])
    ):
        yield f"{name} launches {given.get('Environment')} from {test['template']}."
        return
    declared = json.loads(path.read_text(encoding="utf-8"))["Parameters"]
    for parameter, value in given.items():
        known = release.root.declarations.get(parameter)
        if parameter not in declared or known is None:
            yield f"{name} sets {parameter}, which its template does not have."
        elif not value.startswith("$[") and "-$[" not in value and rejection(known, value):
            yield f"{name} sets {parameter} to {value}, which its template refuses."
    if of_layer and given.get("Environment") != "dev":
        yield f"{name} launches a layer of {given.get('Environment')}."
    if "BucketNamespace" in declared and given.get("BucketNamespace") != "account-regional":
        yield f"{name} creates buckets whose names another account may have."
    if (
        "ReleaseBucket" in declared
        and (given.get("ReleaseBucket"), given.get("ReleasePrefix")) != RELEASE
    ):
        yield f"{name} launches the release of {given.get('ReleaseBucket')}."
    if given.get("Environment") == "prod":
        prepared = [given.get(key, "").startswith("$[taskcat_ssm_") for key in CERTIFICATES]
        if prepared not in ([True, False, False], [False, True, True]):
            yield f"{name} has no certificate that is valid for its name."


def _values(
    name: str, given: Mapping[str, str], profile: Mapping[str, str], release: Release
) -> Iterator[str]:
    for parameter, declared in release.root.declarations.items():
        if parameter in OTHERWISE or parameter == "Environment":
            continue
        wanted = profile.get(parameter, declared.default)
        if wanted is not None and given.get(parameter, declared.default) != wanted:
            yield f"{name} has {parameter} {given.get(parameter)}, and its profile {wanted}."
