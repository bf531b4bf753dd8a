"""What docs/testing.md promises about the tests of taskcat, as checks of taskcat.yml as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.parameters.profiles import load_profile
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release, template_path
from templates_src.environment import ROOT

# Values of each launch, and names.
OTHERWISE = frozenset(
    {"Project", "BucketNamespace", "CertificateArn", "HostedZoneId", "DomainName", "VpcCidr"}
    | {"ReleaseBucket", "ReleasePrefix"}
)
RELEASE = ("$[taskcat_autobucket]", "$[taskcat_project_name]/dist/")
CERTIFICATES = ("CertificateArn", "HostedZoneId", "DomainName")
ALONE = {"network", "data", "layers"}
PROTECTING = ("DatabaseDeletionProtection", "LoadBalancerDeletionProtection")


def broken_promises(document: Mapping[str, Any], release: Release) -> Iterator[str]:
    """The broken promises, each a sentence."""
    environments = set()
    for name, test in document["tests"].items():
        given = test["parameters"]
        if not test["regions"]:
            yield f"{name} runs in no region."
        if given.get("Project") != "tcat-$[taskcat_test_name]":
            yield f"{name} has the project {given.get('Project')}, as another test may."
        yield from _own(name, test)
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


def _own(name: str, test: Mapping[str, Any]) -> Iterator[str]:
    """What a test needs beside a profile: its template, names that are free, and what an account has prepared."""
    given, path = test["parameters"], PROJECT_FOLDER / test["template"]
    of_layer = path.name.startswith(name)
    if not path.is_file() or not (of_layer or given.get("Environment") == name.partition("-")[0]):
        yield f"{name} launches {given.get('Environment')} from {test['template']}."
        return
    declared = json.loads(path.read_text(encoding="utf-8"))["Parameters"]
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
