"""Problems of an account that are planted on the embedded AWS, each with the line that `check` must have for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws

STACK = "carbon-connect-dev"
OTHER_ACCOUNT = "210987654321"
PROVIDER = "token.actions.githubusercontent.com"


@dataclass
class Scene:
    """The embedded AWS to plant in, and the values of ``--set`` that belong to the problem."""

    running: EmbeddedAws
    aws: Aws
    settings: dict[str, str] = field(default_factory=dict)
    bucket: str = ""

    def elsewhere(self, region: str) -> Aws:
        """The same account in another region."""
        return Aws(region, self.aws.environment)

    def other_account(self) -> Aws:
        """The same region of another account."""
        keys = {"AWS_ACCESS_KEY_ID": OTHER_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "other"}
        return Aws(self.aws.region, {**self.aws.environment, **keys})


@dataclass(frozen=True)
class Problem:
    """A planted problem: the subject of its line, and parts of the sentence."""

    plant: Callable[[Scene], object]
    subject: str
    says: tuple[str, ...]
    environment: str = "dev"
    region: str = "eu-north-1"


def _create(
    service: str, operation: str, times: int = 1, **arguments: Any
) -> Callable[[Scene], object]:
    def plant(scene: Scene) -> object:
        call = getattr(scene.aws.client(service), operation)
        return [call(**arguments) for _ in range(times)]

    return plant


def _set(**settings: str) -> Callable[[Scene], object]:
    return lambda scene: scene.settings.update(settings)


def _nat_gateways(scene: Scene) -> None:
    ec2 = scene.aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for _ in range(5):
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    scene.running.set_quota("ec2", "L-0263D0A3", 50)


def _tasks(scene: Scene) -> None:
    """Tasks with 8 vCPUs on Fargate, in an account with 16."""
    ecs = scene.aws.client("ecs")
    ecs.create_cluster(clusterName="other")
    ecs.register_task_definition(
        family="other",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="4096",
        memory="8192",
        containerDefinitions=[{"name": "other", "image": "public.ecr.aws/docker/library/busybox"}],
    )
    subnet = scene.aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_service(
        cluster="other",
        serviceName="other",
        taskDefinition="other",
        launchType="FARGATE",
        desiredCount=2,
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )
    scene.running.set_quota("fargate", "L-3032A538", 16)


def _databases(scene: Scene) -> None:
    scene.aws.client("rds").create_db_instance(
        DBInstanceIdentifier="other",
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        AllocatedStorage=100,
        MasterUsername="carbon",
        MasterUserPassword="not-a-real-password",
    )
    scene.running.set_quota("rds", "L-7B6409FD", 1)


def _alias(scene: Scene) -> None:
    kms = scene.aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{STACK}", TargetKeyId=key)


def _web_acl(scene: Scene) -> None:
    visible = {
        "SampledRequestsEnabled": False,
        "CloudWatchMetricsEnabled": False,
        "MetricName": "other",
    }
    scene.aws.client("wafv2").create_web_acl(
        Name=STACK, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible
    )


def _bucket(scene: Scene, name: str = f"{STACK}-media", region: str = "eu-north-1") -> None:
    scene.elsewhere(region).client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": region}
    )


def _foreign_bucket(name: str) -> Callable[[Scene], object]:
    return lambda scene: (
        scene.other_account()
        .client("s3")
        .create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": scene.aws.region}
        )
    )


def _provider(scene: Scene) -> None:
    scene.aws.client("iam").create_open_id_connect_provider(
        Url=f"https://{PROVIDER}", ClientIDList=["sts.amazonaws.com"]
    )
    scene.settings["GitHubRepository"] = "acme/carbon-connect"


def _unknown_provider(scene: Scene) -> None:
    scene.settings.update(
        GitHubRepository="acme/carbon-connect",
        GitHubOidcProviderArn=f"arn:aws:iam::{scene.aws.account()}:oidc-provider/{PROVIDER}",
    )


def _failed_stack(scene: Scene) -> None:
    """A stack of the environment's name whose creation has failed."""
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Nonsense": 1}}}}'
    cloudformation = scene.aws.client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=body)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        if stack["StackStatus"] == "ROLLBACK_COMPLETE":
            return
        time.sleep(0.05)


def _imported(names: list[str], days: int) -> tuple[bytes, bytes]:
    """A certificate for names that ends in some days, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return built.public_bytes(serialization.Encoding.PEM), private


def certificate(scene: Scene, region: str, *names: str) -> str:
    """Import a certificate, and return its ARN."""
    pem, key = _imported(list(names), 30)
    found: str = (
        scene.elsewhere(region)
        .client("acm")
        .import_certificate(Certificate=pem, PrivateKey=key)["CertificateArn"]
    )
    return found


def _other_name(scene: Scene) -> None:
    arn = certificate(scene, scene.aws.region, "other.example.com", "*.shop.example.com")
    scene.settings.update(CertificateArn=arn, DomainName="app.example.com")


def _unknown_certificate(scene: Scene) -> None:
    scene.settings["CertificateArn"] = (
        f"arn:aws:acm:{scene.aws.region}:{scene.aws.account()}:certificate/12345678-1234-1234-1234-123456789012"
    )


def _certificate_elsewhere(scene: Scene) -> None:
    scene.settings["CertificateArn"] = certificate(scene, "us-east-1", "app.example.com")


def _other_zone(scene: Scene) -> None:
    zone = scene.aws.client("route53").create_hosted_zone(
        Name="other.example.net", CallerReference="other"
    )
    scene.settings.update(
        HostedZoneId=zone["HostedZone"]["Id"].rpartition("/")[2], DomainName="app.example.com"
    )


def _releases_elsewhere(scene: Scene) -> None:
    _bucket(scene, "my-releases", "eu-west-1")
    scene.bucket = "my-releases"


def _missing_releases(scene: Scene) -> None:
    scene.bucket = "absent"


RELEASES = "carbon-connect-releases-123456789012-eu-north-1"
PROBLEMS: Mapping[str, Problem] = {
    "Elastic IP addresses in use": Problem(
        _create("ec2", "allocate_address", 5, Domain="vpc"),
        "ec2 L-0263D0A3",
        ("5 of 5 in use, and dev needs 1", "request at least 6 for quota L-0263D0A3 of ec2"),
    ),
    "VPCs in use": Problem(
        _create("ec2", "create_vpc", 4, CidrBlock="10.9.0.0/16"),
        "vpc L-F678F1CE",
        ("VPCs per Region: 5 of 5 in use", "request at least 6"),
    ),
    "internet gateways in use": Problem(
        _create("ec2", "create_internet_gateway", 4), "vpc L-A4707A72", ("5 of 5 in use",)
    ),
    "NAT gateways in use": Problem(_nat_gateways, "vpc L-FE5A380F", ("5 of 5 in use",)),
    "tasks on Fargate": Problem(
        _tasks,
        "fargate L-3032A538",
        ("8 of 16 in use, and dev needs 20.25 at its largest", "request at least 29"),
    ),
    "a database in use": Problem(_databases, "rds L-7B6409FD", ("1 of 1 in use",)),
    "a taken KMS alias": Problem(
        _alias,
        f"KMS alias alias/{STACK}",
        ("aws kms delete-alias --alias-name alias/carbon-connect-dev", "another Project"),
    ),
    "a taken log group": Problem(
        _create("logs", "create_log_group", logGroupName=f"aws-waf-logs-{STACK}"),
        f"log group aws-waf-logs-{STACK}",
        ("aws logs delete-log-group --log-group-name aws-waf-logs-carbon-connect-dev",),
    ),
    "a taken web ACL": Problem(_web_acl, f"web ACL {STACK}", ("another Project",)),
    "a taken cache user": Problem(
        _create(
            "elasticache",
            "create_user",
            UserId=f"{STACK}-second",
            UserName="someone",
            Engine="valkey",
            AccessString="off ~* -@all",
            NoPasswordRequired=True,
        ),
        f"cache user {STACK}-second",
        ("aws elasticache delete-user --user-id carbon-connect-dev-second",),
    ),
    "a taken bucket of the account": Problem(
        _bucket,
        "buckets",
        (f"{STACK}-media is already a bucket of this account", "ExistingBuckets=true"),
    ),
    "a taken bucket in another region": Problem(
        lambda scene: _bucket(scene, region="eu-west-1"),
        "buckets",
        (f"{STACK}-media is already a bucket", "BucketNamespace=account-regional"),
    ),
    "a bucket of another account": Problem(
        _foreign_bucket(f"{STACK}-documents"),
        "buckets",
        (f"{STACK}-documents is already a bucket of another account", "account-regional"),
    ),
    "a release bucket that does not exist": Problem(
        _missing_releases,
        "release bucket absent",
        ("create it with `aws s3 mb s3://absent --region eu-north-1`",),
    ),
    "buckets that do not exist": Problem(
        _set(ExistingBuckets="true"), "buckets", ("this account has neither bucket",)
    ),
    "GitHub's OIDC provider": Problem(
        _provider,
        "OIDC provider of GitHub",
        (
            "IAM allows one provider of a URL",
            f"set GitHubOidcProviderArn=arn:aws:iam::123456789012:oidc-provider/{PROVIDER}",
        ),
    ),
    "an OIDC provider that does not exist": Problem(
        _unknown_provider, "OIDC provider of GitHub", ("does not exist", "leave it empty")
    ),
    "a failed stack of the same name": Problem(
        _failed_stack, f"environment {STACK}", ("is in ROLLBACK_COMPLETE", "`why`", "`delete`")
    ),
    "a certificate with other names": Problem(
        _other_name,
        "certificate",
        ("is for other.example.com, *.shop.example.com and not for app.example.com",),
    ),
    "a certificate that does not exist": Problem(
        _unknown_certificate, "certificate", ("does not exist",)
    ),
    "a certificate of another region": Problem(
        _certificate_elsewhere,
        "values",
        ("CertificateArn is in us-east-1, but the launch is in eu-north-1",),
    ),
    "a hosted zone that does not exist": Problem(
        _set(HostedZoneId="Z0000000000000", DomainName="app.example.com"),
        "hosted zone",
        ("Z0000000000000, which does not exist",),
    ),
    "a hosted zone of another domain": Problem(
        _other_zone, "hosted zone", ("is not in the hosted zone", "other.example.net")
    ),
    "a snapshot that does not exist": Problem(
        _set(DatabaseSnapshotIdentifier="missing"), "snapshot of the database", ("missing",)
    ),
    "prod without a certificate": Problem(
        lambda _scene: None, "values", ("certificate",), environment="prod"
    ),
    "a zone of another region": Problem(
        _set(AvailabilityZones="eu-west-1a,eu-west-1b,eu-west-1c"),
        "values",
        ("eu-west-1a, which is not a zone of eu-north-1",),
    ),
    "a zone that the account lacks": Problem(
        _set(AvailabilityZones="eu-north-1a,eu-north-1b,eu-north-1f"),
        "zones by name",
        ("eu-north-1f, which this account does not have",),
    ),
    "a region with two zones": Problem(
        lambda _scene: None,
        "zones of us-west-1",
        ("has 2 available zones, and dev needs 3", "another region"),
        region="us-west-1",
    ),
    "a region without root certificates of RDS": Problem(
        lambda _scene: None,
        "region il-central-1",
        ("no root certificates of Amazon RDS", "`build.py regions`"),
        region="il-central-1",
    ),
    "a region that is off": Problem(
        lambda scene: scene.running.turn_region_off("eu-south-1"),
        "region eu-south-1",
        ("aws account enable-region --region-name eu-south-1",),
        region="eu-south-1",
    ),
    "a release bucket of another account": Problem(
        _foreign_bucket(RELEASES),
        f"release bucket {RELEASES}",
        ("belongs to another account", "use a bucket of the account"),
    ),
    "a release bucket of another region": Problem(
        _releases_elsewhere,
        "release bucket my-releases",
        ("It is in eu-west-1, but the launch is in eu-north-1",),
    ),
}
