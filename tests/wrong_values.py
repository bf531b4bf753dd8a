"""Wrong parameter values and combinations: each row is one launch that must be refused.

A row starts from a valid environment and makes one error. ``names`` is what the message must name. The pipeline and
CloudFormation refuse rows of CLOUDFORMATION; only the pipeline refuses rows of PIPELINE, because CloudFormation's rules
cannot express them and the launch would fail halfway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CERTIFICATE = "arn:aws:acm:{region}:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000"
OIDC_PROVIDER = "arn:aws:iam::111122223333:oidc-provider/{host}"

# Values for a launch of every environment, in addition to its profile.
GIVEN: Mapping[str, str] = {
    "ReleaseBucket": "releases",
    "CertificateArn": CERTIFICATE.format(region="eu-north-1"),
}


@dataclass(frozen=True)
class Wrong:
    """A launch that must be refused; a value of None omits the parameter."""

    title: str
    values: Mapping[str, str | None]
    names: tuple[str, ...]
    base: str = field(default="dev", kw_only=True)


def value(name: str, *wrong: str, base: str = "dev") -> list[Wrong]:
    """One row for each wrong value of a parameter, which the message must name."""
    return [Wrong(f"{name}={text[:40]}", {name: text}, (name,), base=base) for text in wrong]


def pair(title: str, *, base: str = "dev", **values: str) -> Wrong:
    """Values that are invalid together; the message must name each of the parameters."""
    return Wrong(title, values, tuple(values), base=base)


ENVIRONMENT = [
    *value("Project", "", "a", "Carbon", "carbon_connect", "1carbon", "carbon--connect", "carbon-"),
    *value("Project", "carbon-connects"),
    *value("LogRetentionDays", "", "31", "0", "forever"),
    *value("PermissionsBoundary", "boundary", "arn:aws:iam::1111:policy/boundary"),
    *value("PermissionsBoundary", "arn:aws:iam::111122223333:role/boundary"),
    Wrong("no release bucket", {"ReleaseBucket": None}, ("ReleaseBucket",)),
    *value("ReleaseBucket", "", "Releases", "s3://releases", "ab"),
    *value("ReleasePrefix", "", "no-slash", "/absolute/", "carbon-connect/1.0.0-83eb5211d51e/"),
]

NETWORK = [
    *value("AvailabilityZones", "eu-north-1,eu-north-1a,eu-north-1b", "a,b,c"),
    *value("VpcCidr", "", "10.0.0.0", "10.0.0.0/8", "10.0.1.0/16", "8.8.0.0/16", "172.32.0.0/16"),
    *value("NatGateways", "", "none", "Single", "3"),
    *value("IngressCidr", "", "everywhere", "10.0.0.0", "300.0.0.0/8", "10.0.0.0/33"),
]

SECURITY = [
    *value("GitHubRepository", "carbon-connect", "https://github.com/acme/app", "acme/app/x"),
    *value("GitHubOrganizationId", "acme", "0", "-1"),
    *value("GitHubRepositoryId", "app", "01"),
    *value("GitHubOidcProviderArn", "token.actions.githubusercontent.com"),
    *value("GitHubOidcProviderArn", OIDC_PROVIDER.format(host="gitlab.com")),
    Wrong(
        "an organization's id without the repository's",
        {"GitHubRepository": "acme/app", "GitHubOrganizationId": "1"},
        ("GitHubOrganizationId", "GitHubRepositoryId"),
    ),
    Wrong(
        "a repository's id without the organization's",
        {"GitHubRepository": "acme/app", "GitHubRepositoryId": "1"},
        ("GitHubOrganizationId", "GitHubRepositoryId"),
    ),
    Wrong(
        "GitHub ids without a repository",
        {"GitHubOrganizationId": "1", "GitHubRepositoryId": "2"},
        ("GitHubRepository",),
    ),
]

DATA = [
    *value("DatabaseInstanceClass", "", "t4g.medium", "db.t4g", "db.T4G.medium"),
    *value("DatabaseAllocatedStorage", "", "19", "65537", "fifty"),
    *value("DatabaseMaxAllocatedStorage", "21", "65537", "200GB"),
    *value("DatabaseMultiAz", "", "True", "yes"),
    *value("DatabaseBackupRetentionDays", "0", "36", "-7"),
    *value("DatabaseDeletionProtection", "on"),
    *value("DatabaseName", "", "postgres", "rdsadmin", "carbon-connect", "1carbon", "d" * 64),
    *value("DatabaseSnapshotIdentifier", "-snapshot", "a--b", "arn:aws:s3:::snapshot"),
    *value("DatabaseCredentialsVersion", "", "0", "01", "-1", "1000", "1.0", "two", "1;2"),
    *value("DatabaseMasterCredentialsVersion", "", "0", "007", "1000", " 1"),
    *value("CacheCredentialsVersion", "", "0", "1000", "two"),
    *value("CacheSecondCredentialsVersion", "", "0", "1000", "two"),
    *value("JwtSecretVersion", "", "0", "1000", "two"),
    *value("JwtSecondSecretVersion", "", "0", "1000", "two"),
    *value("SessionKeyVersion", "", "0", "1000", "two"),
    *value("SessionSecondKeyVersion", "", "0", "1000", "two"),
    *value("SearchKeyVersion", "", "0", "1000", "two"),
    *value("ApiKeysVersion", "", "0", "1000", "two"),
    *value("CacheCredentials", "", "second ", "third"),
    *value("JwtSigningSecret", "", "second ", "third"),
    *value("SessionSigningKey", "", "second ", "third"),
    *value("CacheMode", "", "cluster", "Serverless"),
    *value("CacheNodeType", "", "t4g.medium", "cache.t4g"),
    *value("CacheNodes", "", "0", "7", "two"),
    *value("CacheFailover", "", "on", "true"),
    *value("BucketRemoval", "", "delete", "true"),
    *value("Decommission", "", "yes", "True"),
    pair("to empty existing buckets", ExistingBuckets="true", BucketRemoval="empty"),
    *value("ExistingBuckets", "", "yes", "True"),
    *value("WorkerCapacity", "", "FARGATE", "on_demand"),
    *value("CacheMaximumStorageGb", "0", "5001", "1GB"),
    *value("CacheMaximumEcpuPerSecond", "999", "15000001"),
    *value("BucketNamespace", "", "account", "regional"),
    *value("DocumentsIntelligentTieringDays", "0", "3651"),
    *value("DocumentsGlacierDays", "1", "3651", "never"),
    *value("DocumentsOldVersionDays", "0", "3651"),
    *value("MediaCorsOrigins", "*", "app.example.com", "https://app.example.com/"),
    *value("MediaCorsOrigins", "https://app.example.com,ftp://app.example.com"),
]

EDGE = [
    *value("CertificateArn", "certificate", CERTIFICATE.format(region="eu-north-1") + "/x"),
    *value("CertificateArn", "arn:aws:iam::111122223333:server-certificate/app"),
    *value("DomainName", "localhost", "App.example.com", "https://app.example.com", "-a.example"),
    *value("DomainName", f"{'a' * 60}.example.com"),
    *value("HostedZoneId", "example.com", "/hostedzone/Z0123456789", "z0123"),
    *value("LoadBalancerDeletionProtection", "no"),
    *value("AccessLogs", "enabled"),
    *value("WafRateLimit", "9", "2000000001", "many"),
    *value("LoadBalancerIdleTimeout", "", "0", "4001", "1m"),
    *value("DeregistrationDelay", "-1", "3601", "default"),
    *value("WafBlockedBodies", "", "count", "exploits"),
    Wrong(
        "a hosted zone without a domain",
        {"HostedZoneId": "Z0123456789ABCDEFGHIJ"},
        ("DomainName", "HostedZoneId"),
    ),
]

COMPUTE = [
    *value("ImageRepository", "Team/app", "111122223333.dkr.ecr.eu-north-1.amazonaws.com/app:1"),
    *value("ImageRepository", "a" * 257),
    *value("ImageTag", ":latest", "1.0 beta", "t" * 129),
    *value("ApplicationSettingsVersion", "-1", "latest", "1000001"),
    *value(
        "MigrationCommand", " alembic", "alembic  upgrade", "alembic upgrade head ", "\talembic"
    ),
    *value("CpuArchitecture", "", "arm64", "AMD64"),
    *value("ApiCpu", "", "1", "1000", "1 vCPU"),
    *value("ApiMemory", "", "2", "2000"),
    *value("WorkerCpu", "128"),
    *value("WorkerMemory", "2GB"),
    *value("BeatCpu", "0"),
    *value("BeatMemory", "256"),
    *value("ApiRollbackAlarms", "", "yes", "True"),
    *value("ApiMinTasks", "0", "101", "two"),
    *value("ApiMaxTasks", "0", "101"),
    *value("ApiCpuTarget", "9", "91", "60%"),
    *value("ApiMemoryTarget", "9", "91"),
    *value("WorkerMinTasks", "0", "101"),
    *value("WorkerMaxTasks", "0", "101"),
    *value("WorkerBacklogTarget", "0", "1000001"),
    *value("WorkerQueues", "", "celery,", "celery, reports", "{celery}"),
    *value("ApiCommand", " uvicorn", "uvicorn  app.main:app"),
    *value("WorkerCommand", "celery "),
    *value("BeatCommand", "celery\tbeat "),
    *value("EnableExecuteCommand", "1"),
    *value("ReadonlyRootFilesystem", "TRUE"),
    *value("TemporaryStorageMb", "63", "16385"),
    pair(
        "commands in a container that cannot be written to",
        EnableExecuteCommand="true",
        ReadonlyRootFilesystem="true",
    ),
]

MONITORING = [
    *value("AlarmEmail", "ops", "ops@example", "ops@example.com,dev@example.com"),
    *value("AlarmEmail", f"{'o' * 250}@example.com"),
    *value("WafBlockedThreshold", "0", "1000000001"),
    *value("QueueDepthThreshold", "0", "1000000001"),
    *value("QueueStalledThreshold", "59", "604801"),
    *value("ApiResponseTimeThreshold", "0", "4001", "3s"),
    *value("DatabaseFreeMemoryThreshold", "31", "1000001"),
    *value("DatabaseConnectionsThreshold", "4", "5001"),
]

SEARCH = [
    *value("SearchImage", "", "getmeili/meilisearch", "getmeili/meilisearch:latest"),
    *value("SearchInstanceType", "", "t3.small", "t4g.nano", "m7g.metal"),
    *value("SearchVolumeGb", "3", "16385", "20GB"),
    *value("SearchSnapshotId", "vol-0123456789abcdef0", "snap-0123", "snap-0123456G"),
]

PROD = [
    Wrong("an unknown environment", {"Environment": "test"}, ("Environment",)),
    *value("NatGateways", "single", base="prod"),
    *value("DatabaseMultiAz", "false", base="prod"),
    *value("DatabaseDeletionProtection", "false", base="prod"),
    *value("CacheMode", "serverless", base="prod"),
    *value("CacheNodes", "1", base="prod"),
    *value("CacheFailover", "off", base="prod"),
    *value("BucketRemoval", "empty", base="prod"),
    Wrong(
        "neither a certificate nor a domain",
        {"CertificateArn": ""},
        ("CertificateArn", "DomainName", "HostedZoneId"),
        base="prod",
    ),
    Wrong(
        "a domain without its hosted zone, and no certificate",
        {"CertificateArn": "", "DomainName": "app.example.com"},
        ("CertificateArn", "HostedZoneId"),
        base="prod",
    ),
]

# A memory size of another CPU size, for each service and CPU.
TASK_SIZES = [
    pair(
        f"{service} of {cpu} CPU units with {memory} MiB",
        **{f"{service}Cpu": cpu, f"{service}Memory": memory},
    )
    for service in ("Api", "Worker", "Beat")
    for cpu, memory in (
        ("256", "3072"),
        ("512", "512"),
        ("1024", "1024"),
        ("2048", "20480"),
        ("4096", "4096"),
    )
]

CLOUDFORMATION = [
    *ENVIRONMENT,
    *NETWORK,
    *SECURITY,
    *DATA,
    *EDGE,
    *COMPUTE,
    *MONITORING,
    *SEARCH,
    *PROD,
    *TASK_SIZES,
]

UNKNOWN = [
    Wrong("a parameter in the singular", {"NatGateway": "single"}, ("NatGateway", "NatGateways?")),
    Wrong("a parameter in lower case", {"vpccidr": "10.0.0.0/16"}, ("vpccidr",)),
    Wrong("a misspelt parameter", {"WafRateLimt": "100"}, ("WafRateLimt", "WafRateLimit?")),
    Wrong("a value that layers hand on", {"VpcId": "vpc-1"}, ("VpcId",)),
]

ELSEWHERE = [
    *value("CertificateArn", CERTIFICATE.format(region="eu-west-1")),
    *value(
        "DatabaseSnapshotIdentifier", "arn:aws:rds:us-east-1:111122223333:snapshot:carbon-connect"
    ),
    *value("AvailabilityZones", "eu-west-1a,eu-west-1b,eu-west-1c"),
    *value("AvailabilityZones", "eu-north-1a,eu-north-1b,eu-west-1c"),
    *value("AvailabilityZones", "eu-north-1a", "eu-north-1a,eu-north-1b"),
    *value("AvailabilityZones", "eu-north-1a,eu-north-1b,eu-north-1b"),
    *value("AvailabilityZones", "eu-north-1a,eu-north-1b,eu-north-1c,eu-north-1d"),
    Wrong(
        "another environment than the one that is launched",
        {"Environment": "staging"},
        ("Environment", "staging", "dev"),
    ),
]

RELATIONS = [
    pair("fewer api tasks at most than at least", ApiMinTasks="5", ApiMaxTasks="4"),
    pair("fewer worker tasks at most than at least", WorkerMinTasks="9", WorkerMaxTasks="8"),
    pair(
        "a database over its ceiling",
        DatabaseAllocatedStorage="300",
        DatabaseMaxAllocatedStorage="200",
    ),
    pair(
        "a ceiling that RDS finds too low",
        DatabaseAllocatedStorage="100",
        DatabaseMaxAllocatedStorage="109",
    ),
    pair(
        "Glacier before Intelligent-Tiering",
        DocumentsIntelligentTieringDays="90",
        DocumentsGlacierDays="30",
    ),
    pair(
        "an api that closes connections before the load balancer",
        ApiCommand="uvicorn app.main:app --port 8000 --timeout-keep-alive 300",
        LoadBalancerIdleTimeout="300",
    ),
    pair(
        "two transitions on one day",
        DocumentsIntelligentTieringDays="30",
        DocumentsGlacierDays="30",
    ),
]

DUPLICATES = value("WorkerQueues", "a,a", "celery,reports,celery")

# A fraction is a Number to CloudFormation, and its emulator's patterns know more letters and digits than Java's.
FORM = [
    *value("GitHubRepository", "acme/caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
    *value("ApiMinTasks", "\N{ARABIC-INDIC DIGIT TWO}", "2.5", "2 "),
    *value("WorkerBacklogTarget", "20.5"),
    *value("MediaCorsOrigins", ",".join(["https://app.example.com"] * 200)),
]

PIPELINE = [*UNKNOWN, *ELSEWHERE, *RELATIONS, *DUPLICATES, *FORM]
