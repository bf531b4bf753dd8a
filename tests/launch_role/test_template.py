"""The launch role's template: the form of its policies, its name and tags, and what its parameters accept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from pipeline.checks.iam.conditions import listed
from pipeline.parameters.profiles import rejection
from templates_src.launch_role.template import ROLE_NAME
from tests.launch_role.evaluation import launch_role_layer, resources_of, template_of
from tests.relations.templates.checks_defaults import declaration

Template = Mapping[str, Any]
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
VERSION = "2012-10-17"
ACCOUNT = "111122223333"
ENVIRONMENTS = ("dev", "staging", "prod")
ALL = ",".join(ENVIRONMENTS)
COMBINATIONS = [",".join(some) for size in (1, 2, 3) for some in combinations(ENVIRONMENTS, size)]
DEFAULTS = {
    "Project": "carbon-connect",
    "Environments": ALL,
    "ReleaseBuckets": "",
    "PublisherAccount": "",
    "PermissionsBoundary": "",
    "LaunchRoleName": ROLE_NAME,
}
ACCEPTED = (
    *(("Environments", chosen) for chosen in COMBINATIONS),
    ("LaunchRoleName", "carbon-connect-launch-production"),
    ("LaunchRoleName", "a" * 64),
    ("PermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:policy/platform/boundary"),
    ("PermissionsBoundary", "arn:aws-us-gov:iam::aws:policy/PowerUserAccess"),
    ("Project", "cc"),
    ("Project", "carbon-connect"),
    ("PublisherAccount", ACCOUNT),
    ("ReleaseBuckets", f"carbon-connect-releases-{ACCOUNT}-*"),
    ("ReleaseBuckets", "a" * 63),
)
# A value, and what a policy of the template with it would allow, or why AWS refuses it.
REFUSED = (
    ("Environments", "", "no environment"),
    ("Environments", "*", "resources with any value of the tag"),
    ("Environments", "dev,prod,qa", "an environment that no other launch role denies"),
    ("LaunchRoleName", "", "a name that CloudFormation chooses, which no launch constraint has"),
    ("LaunchRoleName", "teams/launch", "a path, which a launch constraint does not support"),
    ("LaunchRoleName", "a" * 65, "IAM allows 64 characters"),
    ("PermissionsBoundary", "*", "no boundary"),
    ("PermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:policy/*", "several boundaries"),
    ("PermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:role/boundary", "a role is no boundary"),
    ("PermissionsBoundary", f"arn:aws:iam::*:policy/boundary{ACCOUNT}", "any account"),
    ("Project", "", "buckets and roles of every project"),
    ("Project", "*", "buckets and roles of every project"),
    ("Project", "c*", "buckets and roles of several projects"),
    ("Project", "carbon/dev", "the roles of another path"),
    ("Project", "carbon_connect", "S3 allows no underscore in the names of buckets"),
    ("Project", "Carbon", "S3 allows no capital letter in the names of buckets"),
    ("Project", "c", "a single letter"),
    ("Project", "carbon-connect1", "policies that are too long"),
    ("PublisherAccount", "*", "buckets of every account"),
    ("PublisherAccount", ACCOUNT[:-1], "no account"),
    ("PublisherAccount", f"{ACCOUNT}1", "no account"),
    ("ReleaseBuckets", "*", "every bucket of the publisher's account"),
    ("ReleaseBuckets", "*-releases", "buckets of other owners"),
    ("ReleaseBuckets", "releases/carbon-connect", "a folder, of which the statement says nothing"),
    ("ReleaseBuckets", "a" * 64, "S3 allows 63 characters"),
)


def template() -> Template:
    """The template of the launch role, or the one that a test evaluates in its place."""
    return template_of(launch_role_layer())


def accepts(parameter: str, value: str) -> bool:
    """Whether CloudFormation accepts the value of a parameter."""
    return not rejection(declaration(parameter, template()["Parameters"][parameter]), value)


@pytest.mark.parametrize(("parameter", "value"), ACCEPTED)
def test_a_parameter_accepts(parameter: str, value: str) -> None:
    assert accepts(parameter, value)


@pytest.mark.parametrize(("parameter", "value", "consequence"), REFUSED)
def test_a_parameter_refuses(parameter: str, value: str, consequence: str) -> None:
    assert not accepts(parameter, value), f"{parameter} {value!r} would mean {consequence}."


def test_without_parameters_it_launches_every_environment_of_this_account() -> None:
    """The catalog and the commands name the role by its default name."""
    found = {name: body.get("Default") for name, body in template()["Parameters"].items()}
    assert found == DEFAULTS
    assert all(accepts(name, value) for name, value in DEFAULTS.items())


def test_the_stack_names_the_role_and_its_owner() -> None:
    """Launch constraints name the role; the tags show in the account which application it belongs to."""
    given = {"Project": "solar", "LaunchRoleName": "solar-launch"}
    made = resources_of(launch_role_layer(), **given)
    role = made["LaunchRole"]["Properties"]
    assert role.get("RoleName") == "solar-launch"
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", ())}
    assert tags == {"Layer": "launch-role", "Project": "solar"}
    boundary = made.get("EnvironmentBoundary", {}).get("Properties", {})
    assert boundary.get("ManagedPolicyName") == "solar-launch-boundary"


def test_policies_have_the_form_that_iam_reads() -> None:
    assert list(malformed(template())) == []


def test_no_list_has_an_element_twice() -> None:
    """IAM and CloudFormation read it once, and it counts toward the length of a policy."""
    assert list(repeated(template()["Resources"], "")) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (("IdentityPolicy", "Version"), "2008-10-17", "IdentityPolicy has the version 2008-10-17."),
        (("IdentityPolicy", "Statement"), [], "IdentityPolicy has no statement."),
        (("EdgePolicy", "Statement"), [{"Sid": "A"}], "EdgePolicy/A has no Effect."),
    ],
)
def test_a_malformed_policy_is_found(path: tuple[str, str], value: Any, finding: str) -> None:
    changed = json.loads(json.dumps(template()))
    changed["Resources"][path[0]]["Properties"]["PolicyDocument"][path[1]] = value
    assert finding in list(malformed(changed))


def test_a_repeated_element_is_found() -> None:
    assert list(repeated({"Action": ["a", "b", "a"]}, "x")) == ["x/Action names an element twice."]


def malformed(template: Template) -> Iterator[str]:
    """What IAM or CloudFormation refuses, or reads in another way than this project."""
    resources = template["Resources"]
    policies = {name for name, body in resources.items() if body["Type"] == MANAGED_POLICY}
    role = resources.get("LaunchRole", {}).get("Properties", {})
    attached = {arn["Ref"] for arn in role.get("ManagedPolicyArns", ())}
    for name in sorted({*attached} ^ {*policies - {"EnvironmentBoundary"}}):
        yield f"{name} is missing, or not attached to the launch role."
    for name in sorted(policies):
        yield from of_policy(name, resources[name]["Properties"].get("PolicyDocument", {}))
    yield from of_policy("LaunchRole", role.get("AssumeRolePolicyDocument", {}), of_resource=True)
    yield from of_functions(resources, "")


def of_policy(
    name: str, document: Mapping[str, Any], *, of_resource: bool = False
) -> Iterator[str]:
    """What is wrong with a policy document."""
    if document.get("Version") != VERSION:
        yield f"{name} has the version {document.get('Version')}."
    statements = listed(document.get("Statement"))
    if not statements:
        yield f"{name} has no statement."
    sids = [body.get("Sid") for body in statements]
    if len({*sids}) < len(sids):
        yield f"{name} has a Sid twice."
    for body in statements:
        for key in ("Effect", "Action", *(["Principal"] if of_resource else ["Sid", "Resource"])):
            if not body.get(key):
                yield f"{name}/{body.get('Sid')} has no {key}."


def of_functions(value: Any, place: str) -> Iterator[str]:
    """Intrinsic functions without their arguments."""
    if isinstance(value, Mapping):
        if "Fn::Split" in value and len(listed(value["Fn::Split"])) != 2:
            yield f"{place} splits without a separator and a text."
        if "Fn::If" in value and len(listed(value["Fn::If"])) != 3:
            yield f"{place} chooses without a condition and two values."
        for key, part in value.items():
            yield from of_functions(part, f"{place}/{key}")
    elif isinstance(value, list):
        for part in value:
            yield from of_functions(part, place)


def repeated(value: Any, place: str) -> Iterator[str]:
    """Lists that have an element twice."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from repeated(part, f"{place}/{key}")
    elif isinstance(value, list):
        written = [json.dumps(part) for part in value]
        if len({*written}) < len(written):
            yield f"{place} names an element twice."
        for part in value:
            yield from repeated(part, place)
