"""Names composed from Project and Environment fit their services, and the build names those that do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from troposphere import AWSObject, If, Join, NoValue, Ref, Sub
from troposphere.logs import LogGroup
from troposphere.s3 import Bucket
from troposphere.wafv2 import LoggingConfiguration

from pipeline.errors import PipelineError
from pipeline.release import assemble as assembling
from pipeline.release import names
from pipeline.release.assemble import Release
from pipeline.release.name_limits import LIMITS, Limit
from pipeline.release.names import check_names_fit, longest_project
from templates_src import environment as root_module
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import PROJECT, named

# Prefixes and suffixes that the patterns of some services require.
AROUND = {
    "AWS::KMS::Alias": ("alias/", ""),
    "Path": ("/", "/"),
    "LogDestinationConfigs": ("arn:aws:logs:eu-north-1:111122223333:log-group:aws-waf-logs-", ""),
}
DNS_NAME = 253
# Properties with names, by the suffixes of AWS's properties.
NAMING = re.compile(r"(Name|Identifier|UserId|GroupId|Family|Prefix|Path|MetricName)$")


def resource(kind: str, path: tuple[str, ...], name: Any) -> AWSObject:
    """A resource of a type with only the named property."""
    value = {path[1]: name} if path[1:] else name

    class Named(AWSObject):  # type: ignore[misc]
        resource_type = kind
        props = {path[0]: (object, False)}

    return Named("Thing", **{path[0]: value})


def layer_with(*resources: AWSObject) -> Layer:
    layer = Layer("test", "A layer")
    for each in resources:
        layer.template.add_resource(each)
    return layer


def filled(limit: Limit, characters: int) -> str:
    """A Sub text with this number of characters for the longest Project in staging."""
    before, after = AROUND.get(limit.kind, AROUND.get(limit.path[-1], ("", "")))
    length = len(before) + len(longest_project()) + len("-staging") + len(after) + len(limit.suffix)
    filler = "x" * (characters - length)
    if limit.longest == DNS_NAME:
        filler = dotted(filler)
    return f"{before}${{Project}}-${{Environment}}{filler}{after}"


def dotted(filler: str) -> str:
    """The filler in DNS labels that are short enough."""
    return "".join("." if position % 40 == 20 else "x" for position in range(len(filler)))


def limit_id(limit: Limit) -> str:
    return f"{limit.kind}.{'.'.join(limit.path)}"


@pytest.mark.parametrize("limit", LIMITS, ids=limit_id)
def test_longest_name_fits(limit: Limit) -> None:
    thing = resource(limit.kind, limit.path, Sub(filled(limit, limit.longest)))

    check_names_fit([layer_with(thing)])


@pytest.mark.parametrize("limit", LIMITS, ids=limit_id)
def test_longer_name_is_refused(limit: Limit) -> None:
    thing = resource(limit.kind, limit.path, Sub(filled(limit, limit.longest + 1)))

    with pytest.raises(PipelineError) as refusal:
        check_names_fit([layer_with(thing)])

    for part in (
        ".".join(limit.path),
        "Thing",
        "layer test",
        f"{limit.longest + 1} characters",
        f"{limit.kind} accepts {limit.longest}",
        limit.source,
    ):
        assert part in str(refusal.value)


@pytest.mark.parametrize("limit", LIMITS, ids=limit_id)
def test_limit_names_its_source(limit: Limit) -> None:
    assert limit.source.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        ("AWS::S3::Bucket", "BucketName", "${Project}-${Environment}-Media"),
        ("AWS::S3::Bucket", "BucketName", "${Project}..${Environment}"),
        ("AWS::S3::Bucket", "BucketName", "${Project}-${Environment}-s3alias"),
        ("AWS::S3::Bucket", "BucketName", "xn--${Project}"),
        ("AWS::ElastiCache::ServerlessCache", "ServerlessCacheName", "${Project}--${Environment}"),
        ("AWS::ElastiCache::ServerlessCache", "ServerlessCacheName", "${Project}-"),
        ("AWS::ElastiCache::ServerlessCache", "ServerlessCacheName", "${Project}_${Environment}"),
        ("AWS::ElastiCache::User", "UserId", "${Project}-Default"),
        ("AWS::ElastiCache::UserGroup", "UserGroupId", "${Project}/${Environment}"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", "internal-${Project}"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name", "${Project}-"),
        ("AWS::SecretsManager::Secret", "Name", "${Project}/jwt-secret"),
        ("AWS::SecretsManager::Secret", "Name", "${Project} secret"),
        ("AWS::ECR::Repository", "RepositoryName", "${Project}/Api"),
        ("AWS::KMS::Alias", "AliasName", "${Project}"),
        ("AWS::KMS::Alias", "AliasName", "alias/aws/${Project}"),
        ("AWS::IAM::Role", "Path", "/${Project}/${Environment}"),
        ("AWS::ECS::Service", "ServiceName", "${Project}.${Environment}"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier", "1${Project}"),
        ("AWS::CloudWatch::Dashboard", "DashboardName", "${Project} ${Environment}"),
        ("AWS::Events::Rule", "Name", "${Project}/${Environment}"),
    ],
)
def test_invalid_name_of_a_service_is_refused(kind: str, path: str, text: str) -> None:
    with pytest.raises(
        PipelineError, match=f"^{path} of Thing in layer test is .* not a valid name"
    ):
        check_names_fit([layer_with(resource(kind, (path,), Sub(text)))])


def test_firewall_log_group_has_the_required_prefix() -> None:
    def logging_to(name: str) -> Layer:
        group = LogGroup("Group", LogGroupName=Sub(name))
        place = Sub("arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Group}")
        log = LoggingConfiguration("Log", ResourceArn="arn", LogDestinationConfigs=[place])
        return layer_with(group, log)

    check_names_fit([logging_to("aws-waf-logs-${Project}")])
    with pytest.raises(PipelineError, match=r"LogDestinationConfigs of Log .*log-group:waf-a-"):
        check_names_fit([logging_to("waf-${Project}")])


@pytest.mark.parametrize(
    "name",
    [
        If("HasLongName", named("-" + "x" * 50), NoValue),
        If("HasLongName", NoValue, If("IsOther", "short", named("-" + "x" * 50))),
        Join("-", [Ref("Project"), Ref("Environment"), "x" * 50]),
        Sub("${AWS::StackName}-${Long}", Long="x" * 40),
        Sub("${AWS::AccountId}-${AWS::Region}-${Project}-${Environment}-documents-2026"),
    ],
    ids=["yes", "no", "joined", "stack", "region"],
)
def test_composed_names_are_found(name: Any) -> None:
    with pytest.raises(PipelineError, match=r"BucketName of Bucket in layer test .* accepts 63"):
        check_names_fit([layer_with(Bucket("Bucket", BucketName=name))])


def test_name_that_is_known_only_at_launch_is_omitted() -> None:
    name = Sub("${Topic}-" + "x" * 60)

    check_names_fit([layer_with(Bucket("Bucket", BucketName=name))])


@pytest.mark.parametrize(
    ("text", "culprit"), [("-xxx${Environment}", "-xxxdev"), ("-xx${Environment}", "-xxprod")]
)
def test_name_is_checked_in_every_environment(text: str, culprit: str) -> None:
    # One of them ends with a hyphen and six characters, which is invalid for the name of a secret.
    secret = resource("AWS::SecretsManager::Secret", ("Name",), Sub("${Project}" + text))

    with pytest.raises(PipelineError, match=f"{culprit}', which"):
        check_names_fit([layer_with(secret)])


def test_longest_project_is_one_that_is_allowed() -> None:
    assert PROJECT.pattern
    assert re.fullmatch(PROJECT.pattern, longest_project())
    assert len(longest_project()) == PROJECT.max_length


def test_longer_project_does_not_fit(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "PROJECT", replace(PROJECT, max_length=15))

    with pytest.raises(PipelineError, match=r"DocumentsBucket in layer data .* 64 characters"):
        check_names_fit(release.layers)


def test_build_refuses_a_name_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_with(Bucket("Bucket", BucketName=named("-" + "x" * 50)))
    monkeypatch.setattr(root_module, "layers", lambda: [layer])

    with pytest.raises(PipelineError, match="BucketName of Bucket in layer test"):
        assembling.assemble()


def composed(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the properties below a node that contain Project."""
    if isinstance(node, dict):
        for key, value in node.items():
            function = key == "Ref" or key.startswith("Fn::")
            if function and ("${Project}" in str(value) or value == "Project"):
                yield path
            else:
                yield from composed(value, path if function else (*path, key))
    elif isinstance(node, list):
        for item in node:
            yield from composed(item, path)


def test_every_name_with_the_project_has_a_limit(release: Release) -> None:
    limited = {(limit.kind, limit.path) for limit in LIMITS}
    found = {
        (body["Type"], path)
        for layer in release.layers
        for body in layer.document()["Resources"].values()
        for path in composed(body.get("Properties", {}))
        if NAMING.search(path[-1]) and "Tags" not in path
    }

    assert len(found) > 5
    assert found - limited == set()


def test_every_limit_is_of_a_type_in_the_release(release: Release) -> None:
    documents = [layer.document() for layer in release.layers]
    documents += [json.loads(body) for body in release.bootstrap_stacks.values()]
    used = {body["Type"] for document in documents for body in document["Resources"].values()}
    assert {limit.kind for limit in LIMITS} - used == set()
