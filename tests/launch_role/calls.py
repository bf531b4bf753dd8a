"""The calls of the handlers of a rendered environment's resources in a stack of Service Catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from pipeline.aws import partition_of
from pipeline.checks.iam.policies import Request
from pipeline.checks.permissions import CUSTOM_RESOURCE, arn_formats, called_actions
from pipeline.checks.permissions import resources_of as kinds_of
from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from templates_src.launch_role.boundary import SUFFIX as BOUNDARY_SUFFIX
from templates_src.launch_role.policies import WIDENED
from templates_src.launch_role.template import ROLE_NAME
from tests.launch_role.touched import Place, touched
from tests.relations.text import listed, text_of
from tests.rendering import Resource, id_of, ids_in, named, resources, resources_of_type

ROLE = "AWS::IAM::Role"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SUFFIX = "1ABCDEFGHIJKL"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html, by the service of a resource type
LINKED = {
    "ApplicationAutoScaling": "ecs.application-autoscaling.amazonaws.com",
    "AutoScaling": "autoscaling.amazonaws.com",
    "EC2": "delivery.logs.amazonaws.com",
    "ECS": "ecs.amazonaws.com",
    "ElastiCache": "elasticache.amazonaws.com",
    "RDS": "rds.amazonaws.com",
    "WAFv2": "wafv2.amazonaws.com",
}
CRYPTOGRAPHIC = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:RetireGrant",
)


class Call(NamedTuple):
    """An action that a handler of a resource declares."""

    action: str
    kind: str
    resource: Resource


class Calls:
    """The calls of one environment."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        given = rendered.parameters[ROOT]
        self.project, self.environment = given["Project"], given["Environment"]
        self.bucket = given["ReleaseBucket"]
        self.prefix = given["ReleasePrefix"]
        self.partition = partition_of(rendered.region)
        self.special: Mapping[str, Callable[[Call], Iterator[Request]]] = {
            "iam": self.of_iam,
            "s3": self.of_s3,
            "lambda": self.of_lambda,
            "cloudformation": self.of_stacks,
            "kms": self.of_keys,
            "wafv2": self.of_web_acls,
            "secretsmanager": self.of_secrets,
            "route53": self.of_zones,
            "ssm": self.of_parameters,
        }

    def of_handlers(self) -> Iterator[tuple[str, Request]]:
        """Each call of each handler of each resource, with the resource's logical ID."""
        for kind, resource in resources(self.rendered):
            if kind.startswith(CUSTOM_RESOURCE):
                arn = self.arn("lambda", f"function:{name_of(self.function(resource))}")
                yield resource.logical_id, Request("lambda:InvokeFunction", arn)
                continue
            for action in sorted(called_actions(kind)):
                service = action.partition(":")[0]
                call = Call(action, kind, resource)
                for request in self.special.get(service, self.of_anything)(call):
                    yield resource.logical_id, request

    def function(self, resource: Resource) -> str:
        return id_of(self.rendered, resource.layer, resource.properties["ServiceToken"])

    def arn(self, service: str, name: str) -> str:
        """ARN of a resource in this account and region."""
        return f"arn:{self.partition}:{service}:{self.rendered.region}:{ACCOUNT}:{name}"

    def iam_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{ACCOUNT}:{name}"

    def of_anything(self, call: Call) -> Iterator[Request]:
        """Each resource type of the action, in its state at the call of the handler.

        A call by a handler of another service is for a resource with the same tags.
        """
        action, kind, resource = call
        if not kinds_of(action) or action in WIDENED:
            yield Request(action)
            return
        tags = self.own_tags(resource) or {"Project": self.project, "Environment": self.environment}
        if kind == SCALABLE_TARGET and action.startswith("cloudwatch:"):
            alarm = f"alarm:TargetTracking-service/{name_of('Cluster')}/{name_of('Service')}-AlarmHigh-1"
            yield Request(action, self.arn("cloudwatch", alarm))
            return
        named = resource.properties.get("LogGroupName")
        name = named if isinstance(named, str) else name_of(resource.logical_id)
        place = Place(self.partition, self.rendered.region, ACCOUNT, name, self.named)
        yield from touched(action, kind, place, tags)

    @property
    def named(self) -> str:
        """The prefix of names in the templates."""
        return f"{self.project}-{self.environment}"

    def filled(self, action: str) -> Iterator[str]:
        """The ARNs for an action, in this account and region."""
        values = {
            "${Partition}": self.partition,
            "${Region}": self.rendered.region,
            "${Account}": ACCOUNT,
            ".*": "x",
        }
        for form in arn_formats(action):
            arn = form
            for name, value in values.items():
                arn = arn.replace(name, value)
            yield arn

    def own_tags(self, resource: Resource) -> dict[str, str]:
        """The tags of a resource by their keys; those of the template itself for a launch template."""
        given = resource.properties.get("Tags", resource.properties.get("HostedZoneTags", ()))
        for each in resource.properties.get("TagSpecifications", ()):
            if each["ResourceType"] == "launch-template":
                given = each["Tags"]
        pairs = (
            given.items()
            if isinstance(given, Mapping)
            else ((tag["Key"], tag["Value"]) for tag in given)
        )
        return {key: text_of(value) for key, value in pairs}

    def tags(self, resource: Resource) -> dict[str, str]:
        """The tags of a resource as condition keys."""
        return {f"aws:ResourceTag/{key}": value for key, value in self.own_tags(resource).items()}

    def of_iam(self, call: Call) -> Iterator[Request]:
        """Roles and other IAM resources under the paths of the template."""
        action, kind, resource = call
        path = resource.properties.get("Path", f"/{self.project}/{self.environment}/")
        if action == "iam:PassRole":
            yield from self.passing(resource)
        elif action == "iam:CreateServiceLinkedRole":
            service = LINKED[kind.split("::")[1]]
            arn = self.iam_arn(f"role/aws-service-role/{service}/AWSServiceRole")
            yield Request(action, arn, {"iam:AWSServiceName": service})
        elif not kinds_of(action):
            yield Request(action)
        elif "OpenIDConnect" in action:
            issuer = resource.properties["Url"].removeprefix("https://")
            new = action.startswith(("iam:Create", "iam:Tag"))
            yield Request(
                action,
                self.iam_arn(f"oidc-provider/{issuer}"),
                {} if new else self.tags(resource),
            )
        elif action.endswith("InstanceProfile"):
            arn = self.iam_arn(f"instance-profile{path}{name_of(resource.logical_id)}")
            yield Request(action, arn)
        else:
            for role in self.roles(resource) if kind != ROLE else [resource]:
                yield self.of_role(action, role)

    def of_role(self, action: str, role: Resource) -> Request:
        """A call for a role, with its boundary and a policy of the project."""
        context = self.tags(role)
        own = self.iam_arn(f"policy/{ROLE_NAME}{BOUNDARY_SUFFIX}")
        context["iam:PermissionsBoundary"] = role.properties.get("PermissionsBoundary", own)
        return Request(action, self.role_arn(role), context)

    def role_arn(self, role: Resource) -> str:
        return self.iam_arn(f"role{role.properties['Path']}{name_of(role.logical_id)}")

    def passing(self, resource: Resource) -> Iterator[Request]:
        """The roles of a resource, each with its trusted services; any role if it names none."""
        for role in self.roles(resource):
            for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
                for service in listed(statement["Principal"].get("Service")):
                    context = {"iam:PassedToService": service, **self.tags(role)}
                    yield Request("iam:PassRole", self.role_arn(role), context)

    def roles(self, resource: Resource) -> list[Resource]:
        """The roles that a resource names, or all."""
        found = list(resources_of_type(self.rendered, ROLE))
        mentioned = ids_in(self.rendered, resource.layer, dict(resource.properties))
        return [role for role in found if role.logical_id in mentioned] or found

    def of_s3(self, call: Call) -> Iterator[Request]:
        """The buckets of the environment; for function code and other reads, the release bucket."""
        action, kind, resource = call
        bucket = f"arn:{self.partition}:s3:::"
        if action in {"s3:GetObject", "s3:GetObjectVersion"}:
            owner = {"s3:ResourceAccount": ACCOUNT}
            yield Request(action, f"{bucket}{self.bucket}/{self.prefix}functions/x.zip", owner)
            return
        for name in self.bucket_names(kind, resource):
            on_objects = "object" in (kinds_of(action) or ())
            yield Request(action, f"{bucket}{name}/x" if on_objects else f"{bucket}{name}")

    def bucket_names(self, kind: str, resource: Resource) -> list[str]:
        """The name of the bucket of a resource; those of all buckets if it names none."""
        mentioned = ids_in(self.rendered, resource.layer, dict(resource.properties))
        found = list(resources_of_type(self.rendered, "AWS::S3::Bucket"))
        if kind == "AWS::S3::Bucket":
            found = [resource]
        chosen = [bucket for bucket in found if bucket.logical_id in mentioned] or found
        return [self.bucket_name(bucket) for bucket in chosen]

    def bucket_name(self, bucket: Resource) -> str:
        if prefix := bucket.properties.get("BucketNamePrefix"):
            return f"{prefix}-{ACCOUNT}-{self.rendered.region}-an"
        name: str = bucket.properties.get("BucketName") or name_of(bucket.logical_id).lower()
        return name

    def of_lambda(self, call: Call) -> Iterator[Request]:
        """Functions with the names of CloudFormation; other Lambda resources from the reference."""
        action, kind, resource = call
        formats = list(arn_formats(action)) if kinds_of(action) else []
        if formats and not any(":function:" in text for text in formats):
            yield from self.of_anything(call)
            return
        mentioned = ids_in(self.rendered, resource.layer, dict(resource.properties))
        functions = list(resources_of_type(self.rendered, "AWS::Lambda::Function"))
        if kind == "AWS::Lambda::Function":
            functions = [resource]
        for function in [one for one in functions if one.logical_id in mentioned] or functions:
            arn = self.arn("lambda", f"function:{name_of(function.logical_id)}")
            yield Request(action, arn, self.tags(function))

    def of_stacks(self, call: Call) -> Iterator[Request]:
        action, _, resource = call
        yield Request(action, self.arn("cloudformation", f"stack/{name_of(resource.logical_id)}/1"))

    def of_keys(self, call: Call) -> Iterator[Request]:
        """Keys by ID; used through a service where a service uses them.

        A new key has neither tags nor alias for IAM: KMS takes up to five minutes to see them.
        """
        action, _, resource = call
        if not kinds_of(action):
            yield Request(action)
            return
        through = {"kms:ViaService": f"rds.{self.rendered.region}.amazonaws.com"}
        seen = {**self.tags(resource), "kms:ResourceAliases": [f"alias/{self.named}"]}
        key = self.arn("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab")
        for context in ({}, seen):
            yield Request(action, key, {**context, **(through if action in CRYPTOGRAPHIC else {})})
        if action.endswith("Alias"):
            yield Request(action, self.arn("kms", resource.properties["AliasName"]))

    def of_web_acls(self, call: Call) -> Iterator[Request]:
        """The web ACL, its load balancer, and the managed rule groups of AWS."""
        action, kind, resource = call
        if not kinds_of(action):
            yield Request(action)
            return
        region = self.rendered.region
        tags = self.tags(resource) if kind == "AWS::WAFv2::WebACL" else {}
        new = action in {"wafv2:CreateWebACL", "wafv2:TagResource"}
        touched = {
            "webacl": self.arn("wafv2", f"regional/webacl/{self.named}/1"),
            "loadbalancer/app/": self.arn("elasticloadbalancing", "loadbalancer/app/x/1"),
            "managedruleset": f"arn:{self.partition}:wafv2:{region}:aws:regional/managedruleset/x/1",
        }
        for kind_of_resource in set(kinds_of(action) or ()) & touched.keys():
            has = tags if kind_of_resource == "webacl" and not new else {}
            yield Request(action, touched[kind_of_resource], has)

    def of_secrets(self, call: Call) -> Iterator[Request]:
        """The secret itself, or the one that is attached, under its tags."""
        action, _, resource = call
        if not kinds_of(action):
            yield Request(action)
            return
        secret = resource
        if "SecretId" in resource.properties:
            secret = named(
                self.rendered, id_of(self.rendered, resource.layer, resource.properties["SecretId"])
            )
        arn = self.arn("secretsmanager", f"secret:{secret.logical_id}-{SUFFIX}-a1B2c3")
        tags = self.tags(secret)
        if action in {"secretsmanager:CreateSecret", "secretsmanager:TagResource"}:
            yield Request(
                action,
                arn,
                {key.replace("Resource", "Request"): value for key, value in tags.items()},
            )
        if action != "secretsmanager:CreateSecret":
            yield Request(action, arn, tags)

    def of_zones(self, call: Call) -> Iterator[Request]:
        """Zones by ID, records by the type that the template has, and the A record that the search server leaves."""
        action, kind, resource = call
        if not kinds_of(action):
            yield Request(action)
            return
        in_zone = kind == "AWS::Route53::HostedZone"
        types = [resource.properties.get("Type", "A" if in_zone else "CNAME")]
        name = f"search.{self.named}.internal" if in_zone else "app.example.com"
        context = {
            "route53:ChangeResourceRecordSetsRecordTypes": types,
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name],
        }
        yield Request(action, min(self.filled(action)), context)

    def of_parameters(self, call: Call) -> Iterator[Request]:
        """The one public parameter: the machine image of the search server."""
        action, _, _ = call
        region = self.rendered.region
        name = "aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
        yield Request(action, f"arn:{self.partition}:ssm:{region}::parameter/{name}")


def name_of(logical_id: str) -> str:
    """CloudFormation's name for a resource in a stack of Service Catalog, for a limit of 64 characters."""
    stack = f"SC-{ACCOUNT}-pp-abcdefghijklm-Layer-{SUFFIX}"
    return f"{stack[:24]}-{logical_id[:24]}-{SUFFIX}"
