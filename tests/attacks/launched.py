"""A launched environment: its roles with their policies, and the policies of its resources.

The templates are rendered; every reference becomes the ARN or name of the resource in the environment's stacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from pipeline.aws import partition_of
from pipeline.checks.iam.conditions import listed
from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.checks.iam.policies import Policy, policy
from pipeline.checks.render import Rendered, pseudo_parameters, render
from pipeline.template.example_values import ACCOUNT, example
from templates_src.environment import stack_title
from tests.relations.variants import COMPLETE, REGION, built
from tests.rendering import VARIABLE, named, resources, resources_of_type

ROLE, FUNCTION = "AWS::IAM::Role", "AWS::Lambda::Function"
BUCKET = "AWS::S3::Bucket"
# Resource policies: the type of the policy, the property with the resources, and the property with the document.
RESOURCE_POLICIES = (
    ("AWS::S3::BucketPolicy", "Bucket", "PolicyDocument"),
    ("AWS::SNS::TopicPolicy", "Topics", "PolicyDocument"),
)


class Launched:
    """One environment. Logical IDs are unique over its layers."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.name = rendered.environment
        self.project = rendered.parameters["environment"]["Project"]
        self.stack = f"SC-{ACCOUNT}-pp-{self.name}"
        self.kinds = {
            resource.logical_id: (kind, resource) for kind, resource in resources(rendered)
        }
        self.values = {
            found: self.value(origin.logical_id, origin.attribute)
            for found, origin in rendered.origins.items()
            # A port is an example value too, and occurs in other values.
            if not found.isdigit()
        }
        self.examples = re.compile(
            "|".join(re.escape(each) for each in sorted(self.values, key=len, reverse=True))
        )

    def arn(self, logical_id: str, suffix: str = "") -> str:
        """ARN of a resource, with a suffix."""
        return self.value(logical_id, "Arn") + suffix

    def tags(self, **more: str) -> dict[str, str]:
        """The tags of the environment's resources, as condition keys of a request."""
        found = {"Project": self.project, "Environment": self.name, **more}
        return {f"aws:ResourceTag/{key}": value for key, value in found.items()}

    def stack_id(self, layer: str) -> str:
        """The ID of a layer's stack."""
        stack = f"{self.project}-{self.name}-{stack_title(layer)}"
        return pseudo_parameters(self.rendered.region, stack)["AWS::StackId"]

    def root_stack_id(self) -> str:
        """The ID of the root stack."""
        stack = f"{self.project}-{self.name}"
        return pseudo_parameters(self.rendered.region, stack)["AWS::StackId"]

    @cache  # noqa: B019 - environments live as long as the tests
    def value(self, logical_id: str, attribute: str | None = None) -> str:
        """The Ref (``attribute`` None) or an attribute of a resource."""
        kind, resource = self.kinds[logical_id]
        properties = resource.properties
        if kind == BUCKET and "BucketName" in properties:
            name = str(properties["BucketName"])
            return name if attribute is None else f"arn:{self.partition}:s3:::{name}"
        name = f"{self.stack}-{logical_id}-1ABCDEFGH"
        if kind == ROLE and attribute in (None, "Arn"):
            arn = f"arn:{self.partition}:iam::{ACCOUNT}:role{properties['Path']}{name}"
            return arn if attribute else name
        if kind == FUNCTION and attribute in (None, "Arn"):
            region = self.rendered.region
            arn = f"arn:{self.partition}:lambda:{region}:{ACCOUNT}:function:{name}"
            return arn if attribute else name
        return example(
            self.rendered.region,
            self.partition,
            f"{self.name} {resource.layer}",
            logical_id,
            kind,
            attribute,
        )

    @property
    def partition(self) -> str:
        """The partition of the environment's region."""
        return partition_of(self.rendered.region)

    def resolved(self, value: Any) -> Any:
        """A value of a template with the references of the launched environment."""
        match value:
            case {"Ref": str(name)}:
                return self.value(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self.value(name, attribute)
            case {"Fn::Sub": [str(text), {**given}]}:
                whole = str(text)
                for variable, part in given.items():
                    whole = whole.replace(f"${{{variable}}}", str(self.resolved(part)))
                return self.resolved({"Fn::Sub": whole})
            case {"Fn::Sub": str(text)}:
                known = VARIABLE.sub(lambda found: self.value(found.group(1), found.group(2)), text)
                return self.resolved(known)
            case {"Fn::Join": [delimiter, parts]}:
                return str(delimiter).join(str(self.resolved(part)) for part in parts)
            case str():
                return self.examples.sub(lambda found: self.values[found.group()], value)
            case Mapping():
                return {key: self.resolved(part) for key, part in value.items()}
            case list():
                return [self.resolved(part) for part in value]
        return value

    def role(self, logical_id: str) -> Principal:
        """A role of the environment as a caller."""
        properties = named(self.rendered, logical_id).properties
        return Principal(
            arn=self.arn(logical_id), account=ACCOUNT, policies=tuple(self.policies(logical_id)),
            tags={tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", ())},
        )  # fmt: skip

    def policies(self, logical_id: str) -> Iterator[Policy]:
        """The policies of a role: its inline ones, and those that other layers attach."""
        for own in named(self.rendered, logical_id).properties.get("Policies", ()):
            yield policy(own["PolicyName"], self.resolved(own["PolicyDocument"]))
        for attached in resources_of_type(self.rendered, "AWS::IAM::Policy"):
            holders = [self.resolved(each) for each in attached.properties["Roles"]]
            if self.value(logical_id) in holders:
                document = self.resolved(attached.properties["PolicyDocument"])
                yield policy(attached.properties["PolicyName"], document)

    def trust(self, logical_id: str) -> Resource:
        """A role as the resource of ``sts:AssumeRole``."""
        document = named(self.rendered, logical_id).properties["AssumeRolePolicyDocument"]
        return Resource(ACCOUNT, policy("trust", self.resolved(document)))

    def resource(self, logical_id: str) -> Resource:
        """A resource with its policy, if it has one."""
        kind, found = self.kinds[logical_id]
        if kind == "AWS::KMS::Key":
            return Resource(ACCOUNT, policy("key", self.resolved(found.properties["KeyPolicy"])))
        if kind == FUNCTION:
            return Resource(ACCOUNT, Policy("function", tuple(self.permissions(logical_id))))
        reference = self.value(logical_id)
        for holder, target, document in RESOURCE_POLICIES:
            for each in resources_of_type(self.rendered, holder):
                if reference in [self.resolved(one) for one in listed(each.properties[target])]:
                    return Resource(
                        ACCOUNT, policy(each.logical_id, self.resolved(each.properties[document]))
                    )
        return Resource(ACCOUNT)

    def permissions(self, function: str) -> Iterator[dict[str, Any]]:
        """The statements of a function's policy, as Lambda creates them from permissions.

        https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
        """
        for each in resources_of_type(self.rendered, "AWS::Lambda::Permission"):
            found = self.resolved(dict(each.properties))
            if found["FunctionName"] == self.value(function):
                yield {
                    "Sid": each.logical_id,
                    "Effect": "Allow",
                    "Principal": {"Service": found["Principal"]},
                    "Action": found["Action"],
                    "Resource": self.arn(function),
                    "Condition": {"ArnLike": {"AWS:SourceArn": found["SourceArn"]}},
                }

    def bounded(self, logical_id: str, boundary: Policy) -> Principal:
        """A role of the environment within a permissions boundary."""
        return replace(self.role(logical_id), boundary=boundary)


# The environments of the attempts by name; each is launched when the first attempt needs it.
_LAUNCHED: dict[str, Launched] = {}


def launched(environment: str) -> Launched:
    """An environment with every option on; launched once, read only."""
    if environment not in _LAUNCHED:
        given = {key: value for key, value in COMPLETE.items() if key != "PermissionsBoundary"}
        if environment != "prod":
            # A self-signed certificate, with the function that creates it.
            given |= {"DomainName": "", "HostedZoneId": ""}
        _LAUNCHED[environment] = Launched(render(built(), environment, REGION, given))
    return _LAUNCHED[environment]


@contextmanager
def replaced(environment: Launched) -> Iterator[None]:
    """The attempts meet this environment, and not the usual one of its name, in the ``with`` block."""
    usual = launched(environment.name)
    _LAUNCHED[environment.name] = environment
    try:
        yield
    finally:
        _LAUNCHED[environment.name] = usual
