"""Compare the outputs of a launch with the resources in the region."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from taskcat_plugin_protection import NESTED, resources

# Empty if the profile has none of them.
OPTIONAL = {
    "AccessLogBucketName",
    "DeployRoleArn",
    "DeployRoleName",
    "ImageUpdateFunctionName",
    "ImageUpdateRoleArn",
}


@dataclass(frozen=True)
class Place:
    """A region in which a test launched, with its clients."""

    region: str
    account: str
    client: Callable[[str], Any]


@dataclass(frozen=True)
class Exists:
    """The output names a resource that a service of the region describes: a call with its parameters."""

    service: str
    operation: str
    argument: str
    is_list: bool = False

    def broken(self, place: Place, value: str) -> str:
        """Why the promise is not kept; empty where it is."""
        call = getattr(place.client(self.service), self.operation)
        try:
            call(**{self.argument: value.split(",") if self.is_list else value})
        except ClientError as error:
            return f"which {self.service} does not find in {place.region}: {error}"
        return ""


@dataclass(frozen=True)
class Fits:
    """The output matches a form, in which REGION and ACCOUNT stand for those of the launch."""

    form: str

    def broken(self, place: Place, value: str) -> str:
        """Why the promise is not kept; empty where it is."""
        form = self.form.replace("REGION", re.escape(place.region))
        form = form.replace("ACCOUNT", place.account)
        return "" if re.fullmatch(form, value) else f"which does not fit {form}"


class Bucket:
    """The output names a bucket of the region."""

    def broken(self, place: Place, value: str) -> str:
        """Why the promise is not kept; empty where it is."""
        try:
            found = place.client("s3").get_bucket_location(Bucket=value)["LocationConstraint"]
        except ClientError as error:
            return f"which S3 does not find: {error}"
        # S3 returns no location for its first region.
        region = found or "us-east-1"
        return "" if region == place.region else f"which is in {region}"


Promise = Exists | Fits | Bucket
_SUBNETS = Exists("ec2", "describe_subnets", "SubnetIds", is_list=True)
_GROUPS = Exists("ec2", "describe_security_groups", "GroupIds", is_list=True)
_ROLE_NAME = Exists("iam", "get_role", "RoleName")
_HOST = r"[a-z0-9-]+(\.[a-z0-9-]+)+"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.:/-]*"
# The first entry whose name matches the output applies.
PROMISES: Mapping[str, Promise] = {
    "Url": Fits(rf"https://{_HOST}"),
    "UrlCertificate": Fits(r"(Self-signed:|Issued by ACM|Not valid|CertificateArn must) .+\."),
    ".*SecretArn": Exists("secretsmanager", "describe_secret", "SecretId"),
    ".*BucketName": Bucket(),
    "KeyArn": Exists("kms", "describe_key", "KeyId"),
    "VpcId": Exists("ec2", "describe_vpcs", "VpcIds", is_list=True),
    ".*SubnetIds?": _SUBNETS,
    ".*SecurityGroupId": _GROUPS,
    ".*RoleName": _ROLE_NAME,
    ".*RoleArn": Fits(r"arn:aws:iam::ACCOUNT:role/.+"),
    ".*SubnetZone": Fits("REGION[a-f]"),
    "DatabaseInstanceId": Exists("rds", "describe_db_instances", "DBInstanceIdentifier"),
    "(Database|Cache)Host": Fits(_HOST),
    "(Database|Cache)Port": Fits(r"\d+"),
    "CacheUserName": Fits(r"carbon(-second)?"),
    "CacheCredentialsInUse": Fits(r"(first|second)/\d+"),
    "SearchVolumeId": Exists("ec2", "describe_volumes", "VolumeIds", is_list=True),
    "SearchUrl": Fits(rf"http://{_HOST}:\d+"),
    "LoadBalancerDnsName": Fits(_HOST),
    "LoadBalancerArn": Exists("elbv2", "describe_load_balancers", "LoadBalancerArns", is_list=True),
    "TargetGroupArn": Exists("elbv2", "describe_target_groups", "TargetGroupArns", is_list=True),
    ".*FullName": Fits(r"(app|targetgroup)/.+/[0-9a-z]+"),
    "(QueueDepth|ImageUpdate)FunctionName": Exists("lambda", "get_function", "FunctionName"),
    "RepositoryUri": Fits(r"ACCOUNT\.dkr\.ecr\.REGION\.amazonaws\.com/.+"),
    "AlarmTopicArn": Exists("sns", "get_topic_attributes", "TopicArn"),
    "DashboardUrl": Fits(r"https://REGION\.console\.aws\.amazon\.com/cloudwatch/.+"),
    "ReleaseVersion": Fits(r"\d+\.\d+\.\d+"),
    "ReleaseLocation": Fits(r"s3://tcat-[0-9a-f]+-REGION/.+/"),
    ".*Name": Fits(_NAME),
}


def promise(output: str) -> Promise:
    """The promise of an output by its name; raises KeyError for an unknown output."""
    for form, found in PROMISES.items():
        if re.fullmatch(form, output):
            return found
    raise KeyError(f"Output {output} has no promise in tests/taskcat/contract.py; add one.")


def broken(place: Place, output: str, value: str) -> str:
    """Why a value does not match its output; empty if it does."""
    if not value:
        return "" if output in OPTIONAL else "which is empty"
    return promise(output).broken(place, value)


def family(cloudformation: Any, stack: str) -> Iterator[str]:
    """A stack and all nested stacks, at any depth."""
    yield stack
    for kind, name in resources(cloudformation, stack):
        if kind == NESTED:
            yield name


def promises_broken(place: Place, stack: str) -> Iterator[str]:
    """The problems of the outputs of a stack and of all nested stacks, one sentence each."""
    cloudformation = place.client("cloudformation")
    for each in family(cloudformation, stack):
        (described,) = cloudformation.describe_stacks(StackName=each)["Stacks"]
        declared = cloudformation.get_template(StackName=each)["TemplateBody"].get("Outputs", {})
        outputs = {out["OutputKey"]: out["OutputValue"] for out in described.get("Outputs", [])}
        name = described["StackName"]
        for missing in sorted(declared.keys() - outputs.keys()):
            yield f"{name} in {place.region} has no output {missing}"
        for output, value in outputs.items():
            reason = broken(place, output, value)
            if reason:
                yield f"{name} in {place.region} outputs {output} as {value!r}, {reason}"
