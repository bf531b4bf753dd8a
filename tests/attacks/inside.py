"""Attempts from inside an environment: tasks, functions and the search instance, with the permissions of their roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.template.example_values import ACCOUNT
from tests.attacks.attack import Attack, attack
from tests.attacks.launched import Launched, launched
from tests.relations.variants import REGION

API, WORKER, BEAT, SEARCH = "api task", "worker task", "beat task", "search instance"
FUNCTION = "function or service role"
ROLES = {API: "ApiTaskRole", WORKER: "WorkerTaskRole", BEAT: "BeatTaskRole", SEARCH: "SearchRole"}
PROTECTION_ROLE = "DeletionProtectionRole"
TLS = {"aws:SecureTransport": "true"}
ROUTE53 = "route53:ChangeResourceRecordSets"


def dev() -> Launched:
    """The development environment."""
    return launched("dev")


def prod() -> Launched:
    """The production environment."""
    return launched("prod")


def role_of(environment: Callable[[], Launched], principal: str) -> Callable[[], Principal]:
    """The role of a task, a function or the search instance of an environment."""
    return lambda: environment().role(ROLES.get(principal, principal))


def of_account() -> Resource:
    """A resource of this account without a resource policy."""
    return Resource(ACCOUNT)


def arn(service: str, name: str) -> Callable[[], str]:
    """ARN of a resource in this account and region."""
    return lambda: f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def own_stack() -> str:
    """The ID of production's root stack."""
    return prod().root_stack_id()


def reads(principal: str, name: str, secret: str, guard: str, role: str = "") -> Attack:
    """An attempt to read a secret of production with a role of production."""
    return attack(
        principal,
        name,
        guard,
        by=role_of(prod, role or principal),
        action="secretsmanager:GetSecretValue",
        arn=lambda: prod().arn(secret),
        on=of_account,
    )


def decrypts(
    principal: str,
    name: str,
    *guards: str,
    role: str = "",
    via: str = "",
    action: str = "kms:Decrypt",
) -> Attack:
    """An attempt to use production's key with a role of production, directly or through a service."""
    context = {"kms:ViaService": f"{via}.{REGION}.amazonaws.com"} if via else {}
    return attack(
        principal,
        name,
        *guards,
        by=role_of(prod, role or principal),
        action=action,
        arn=lambda: prod().arn("Key"),
        on=lambda: prod().resource("Key"),
        context=lambda: context,
    )  # fmt: skip


def on_objects(
    principal: str,
    name: str,
    action: str,
    bucket: Callable[[], str],
    *guards: str,
    by: Callable[[], Launched] = dev,
    on: Callable[[], Resource] = of_account,
    context: Mapping[str, Any] = TLS,
) -> Attack:
    """An attempt on the objects of a bucket."""
    return attack(
        principal,
        name,
        *guards,
        by=role_of(by, principal),
        action=action,
        arn=lambda: f"{bucket()}/reports/1.pdf",
        on=on,
        context=lambda: context,
    )


TASKS = (
    reads(API, "reads the master password of the database", "DatabaseSecret", "read-secrets/ReadTheSecretsItUses: Resource"),
    reads(API, "reads the secret that signs tokens", "JwtSecret", "read-secrets/ReadTheSecretsItUses: Resource"),
    reads(WORKER, "reads the password of the cache", "CacheSecret", "read-secrets/ReadTheSecretsItUses: Resource"),
    reads(WORKER, "reads the password of the database user itself, not through ECS", "DatabaseUserSecret", "read-secrets/ReadTheSecretsItUses: Resource"),
    reads(API, "reads the password of the database user apart from its URL, with the role that starts tasks", "DatabaseUserSecret", "read-connection-urls/HandUrlsToContainers: Resource", role="ExecutionRole"),
    reads(BEAT, "reads an API key, which it does not use", "ClaudeApiKeySecret", "no statement"),
    reads(API, "reads the master password with the role that starts tasks", "DatabaseSecret", "read-secrets/ReadTheSecretsItUses: Resource", role="ExecutionRole"),
    attack(
        WORKER,
        "in development, reads an API key of production",
        "read-secrets/ReadTheSecretsItUses: Resource",
        by=role_of(dev, WORKER),
        action="secretsmanager:GetSecretValue",
        arn=lambda: prod().arn("ClaudeApiKeySecret"),
        on=of_account,
    ),
    decrypts(API, "decrypts with the key directly", "read-secrets/DecryptThroughSecretsManagerOnly: Condition kms:ViaService"),
    decrypts(WORKER, "decrypts a volume through EC2", "read-secrets/DecryptThroughSecretsManagerOnly: Condition kms:ViaService", via="ec2"),
    on_objects(API, "in development, reads a document of production", "s3:GetObject", lambda: prod().arn("DocumentsBucket"), "use-buckets/KeepObjects: Resource", on=lambda: prod().resource("DocumentsBucket")),
    on_objects(WORKER, "in development, deletes media of production", "s3:DeleteObject", lambda: prod().arn("MediaBucket"), "use-buckets/KeepObjects: Resource", on=lambda: prod().resource("MediaBucket")),
    on_objects(WORKER, "replaces a template of the release", "s3:PutObject", lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}", "use-buckets/KeepObjects: Resource"),
    on_objects(API, "deletes a noncurrent version of a document, so that it cannot be restored", "s3:DeleteObjectVersion", lambda: dev().arn("DocumentsBucket"), "no statement"),
    on_objects(API, "reads a document without TLS", "s3:GetObject", lambda: dev().arn("DocumentsBucket"), "DocumentsBucketPolicy/RefusePlainHttp: Effect", on=lambda: dev().resource("DocumentsBucket"), context={"aws:SecureTransport": "false"}),
    attack(
        BEAT,
        "in development, publishes a metric that scales production's workers",
        "publish-metrics/PublishMetricsOfThisEnvironment: Condition cloudwatch:namespace",
        by=role_of(dev, BEAT),
        action="cloudwatch:PutMetricData",
        on=of_account,
        context=lambda: {"cloudwatch:namespace": f"{prod().project}/prod"},
    ),
    attack(
        WORKER,
        "writes into the log of the WAF through ECS Exec",
        "execute-command/LogTheSession: Resource",
        by=role_of(dev, WORKER),
        action="logs:PutLogEvents",
        arn=lambda: dev().arn("WebAclLogGroup"),
        on=of_account,
    ),
    attack(
        API,
        "pulls another application's image with the role that starts tasks",
        "pull-image-and-write-logs/PullFromThisRepository: Resource",
        by=role_of(prod, "ExecutionRole"),
        action="ecr:BatchGetImage",
        arn=arn("ecr", "repository/payroll"),
        on=of_account,
    ),
)  # fmt: skip


def volume(principal: str, name: str, guard: str, what: Callable[[], str], **tags: str) -> Attack:
    """An attempt to attach: both the volume and the instance of the call must be allowed."""
    return attack(
        principal,
        name,
        guard,
        by=role_of(dev, principal),
        action="ec2:AttachVolume",
        arn=what,
        on=of_account,
        context=lambda: dev().tags(Layer="compute") | tags,
    )


def connects(name: str, guard: str, what: Callable[[], str], **tags: str) -> Attack:
    """An attempt with AttachNetworkInterface, which differs in the resource from the request of the boot script."""
    return attack(
        SEARCH,
        name,
        guard,
        by=role_of(dev, SEARCH),
        action="ec2:AttachNetworkInterface",
        arn=what,
        on=of_account,
        context=lambda: dev().tags(Layer="compute") | tags,
    )


INSTANCE = (
    volume(SEARCH, "in development, attaches the index of production", "serve-search/AttachTheVolume: Resource", lambda: f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{prod().value('SearchVolume')}"),
    volume(SEARCH, "attaches its volume to an instance of production", "serve-search/AttachToTheSearchServer: Condition aws:ResourceTag/Environment", arn("ec2", "instance/i-1"), **{"aws:ResourceTag/Environment": "prod"}),
    volume(SEARCH, "attaches its volume to an instance of another application", "serve-search/AttachToTheSearchServer: Condition aws:ResourceTag/Project", arn("ec2", "instance/i-1"), **{"aws:ResourceTag/Project": "payroll"}),
    connects("in development, takes over the address of production's search server", "serve-search/AttachTheInterface: Resource", lambda: f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/{prod().value('SearchInterface')}"),
    connects("connects its interface to an instance of production", "serve-search/ConnectTheSearchServer: Condition aws:ResourceTag/Environment", arn("ec2", "instance/i-1"), **{"aws:ResourceTag/Environment": "prod"}),
    connects("connects its interface to an instance of another application", "serve-search/ConnectTheSearchServer: Condition aws:ResourceTag/Project", arn("ec2", "instance/i-1"), **{"aws:ResourceTag/Project": "payroll"}),
    attack(
        SEARCH,
        "in development, signals that production's launch has failed",
        "serve-search/SignalItsStack: Resource",
        by=role_of(dev, SEARCH),
        action="cloudformation:SignalResource",
        arn=lambda: prod().stack_id("compute"),
        on=of_account,
    ),
    reads(SEARCH, "reads the master password of the database", "DatabaseSecret", "serve-search/ReadTheSecretsItUses: Resource"),
    decrypts(SEARCH, "grants the key to a role of its choice", "serve-search/GrantTheKeyToEbsOnly: Condition kms:GrantIsForAWSResource", via="ec2", action="kms:CreateGrant"),
    decrypts(SEARCH, "decrypts the database's storage with the key", "serve-search/UseTheKeyThroughEbsOnly: Condition kms:ViaService", via="rds"),
    attack(
        SEARCH,
        "reads the parameters of the account, as with AWS's policy for Session Manager",
        "no statement",
        by=role_of(prod, SEARCH),
        action="ssm:GetParameter",
        arn=arn("ssm", "parameter/payroll/password"),
        on=of_account,
    ),
)  # fmt: skip


def cleans(
    name: str,
    guard: str,
    action: str,
    zone: Callable[[], str],
    change: str | None = None,
    by: Callable[[], Launched] = prod,
) -> Attack:
    """An attempt of the function that empties the private zone."""
    return attack(
        FUNCTION,
        f"that empties the private zone {name}",
        guard,
        by=role_of(by, "ZoneCleanupRole"),
        action=action,
        arn=zone,
        on=of_account,
        context=lambda: {} if change is None else of_search(change),
    )


def of_search(change: str) -> dict[str, list[str]]:
    """A change of the record of production's search server."""
    name = f"meilisearch.{prod().project}-prod.internal"
    return {f"{ROUTE53}Actions": [change], f"{ROUTE53}NormalizedRecordNames": [name]}


def zone_of(environment: Launched) -> str:
    """ARN of the private zone of an environment."""
    return f"arn:aws:route53:::hostedzone/{environment.value('SearchZone')}"


FUNCTIONS = (
    attack(
        FUNCTION,
        "that turns protection on deletes the stack",
        "no statement",
        by=role_of(prod, PROTECTION_ROLE),
        action="cloudformation:DeleteStack",
        arn=own_stack,
        on=of_account,
    ),
    attack(
        FUNCTION,
        "that turns protection on turns that of another stack off",
        "function/ProtectItsStack: Resource",
        by=role_of(dev, PROTECTION_ROLE),
        action="cloudformation:UpdateTerminationProtection",
        arn=own_stack,
        on=of_account,
    ),
    attack(
        FUNCTION,
        "that turns protection on turns that of another database off",
        "protect/ProtectTheDatabase: Resource",
        by=role_of(dev, PROTECTION_ROLE),
        action="rds:ModifyDBInstance",
        arn=arn("rds", "db:production"),
        on=of_account,
    ),
    attack(
        FUNCTION,
        "that turns protection on deletes the database",
        "no statement",
        by=role_of(prod, PROTECTION_ROLE),
        action="rds:DeleteDBInstance",
        arn=arn("rds", "db:production"),
        on=of_account,
    ),
    attack(
        FUNCTION,
        "that checks launches changes the stack",
        "no statement",
        by=role_of(prod, "LaunchCheckRole"),
        action="cloudformation:UpdateTerminationProtection",
        arn=own_stack,
        on=of_account,
    ),
    *(
        attack(
            principal,
            "invokes the function that turns protection off",
            "no statement",
            by=role_of(prod, principal),
            action="lambda:InvokeFunction",
            arn=lambda: prod().arn("DeletionProtectionFunction"),
            on=lambda: prod().resource("DeletionProtectionFunction"),
        )
        for principal in (API, WORKER, BEAT, SEARCH)
    ),
    reads(FUNCTION, "that measures queues reads the master password", "DatabaseSecret", "function/ReadTheCachePassword: Resource", role="QueueDepthRole"),
    reads(FUNCTION, "that creates extensions reads the password of the cache", "CacheSecret", "function/ReadTheSecretsItUses: Resource", role="DatabaseExtensionsRole"),
    attack(
        FUNCTION,
        "deletes network interfaces of others from its code",
        "function/NotFromTheFunctionsCode: Effect",
        by=role_of(prod, "QueueDepthRole"),
        action="ec2:DeleteNetworkInterface",
        arn=arn("ec2", "network-interface/eni-1"),
        on=of_account,
        context=lambda: {"lambda:SourceFunctionArn": prod().arn("QueueDepthFunction")},
    ),
    attack(
        FUNCTION,
        "that creates the development certificate deletes production's",
        "function/RenewAndDeleteItsOwn: Condition aws:ResourceTag/StackId",
        by=role_of(dev, "DevelopmentCertificateRole"),
        action="acm:DeleteCertificate",
        arn=lambda: prod().value("Certificate"),
        on=of_account,
        context=lambda: prod().tags(),
    ),
    attack(
        FUNCTION,
        "that creates the development certificate imports one without its tag",
        "function/ImportAsItsOwn: Condition aws:RequestTag/StackId",
        by=role_of(dev, "DevelopmentCertificateRole"),
        action="acm:ImportCertificate",
        arn=arn("acm", "certificate/1"),
        on=of_account,
    ),
    attack(
        FUNCTION,
        "that creates the development certificate tags production's as its own",
        "function/ImportAsItsOwn: Condition aws:ResourceTag/Environment",
        by=role_of(dev, "DevelopmentCertificateRole"),
        action="acm:AddTagsToCertificate",
        arn=lambda: prod().value("Certificate"),
        on=of_account,
        context=lambda: {**prod().tags(), "aws:RequestTag/StackId": dev().stack_id("edge")},
    ),
    attack(
        FUNCTION,
        "that deploys images updates an environment that its role does not own",
        "function/UpdateTheProductItOwns: Condition servicecatalog:roleLevel",
        by=role_of(dev, "ImageUpdateRole"),
        action="servicecatalog:UpdateProvisionedProduct",
        on=of_account,
        context=lambda: {"servicecatalog:accountLevel": "self"},
    ),
    cleans("points the name of search to another server", "function/DeleteRecordsOfTheZone: Condition route53:ChangeResourceRecordSetsActions", ROUTE53, lambda: zone_of(prod()), "UPSERT"),
    cleans("deletes a record of production in development", "function/DeleteRecordsOfTheZone: Condition route53:ChangeResourceRecordSetsNormalizedRecordNames", ROUTE53, lambda: zone_of(dev()), "DELETE", by=dev),
    cleans("deletes a record of the domain", "function/DeleteRecordsOfTheZone: Resource", ROUTE53, lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", "DELETE"),
    cleans("reads the records of the domain", "function/ListRecordsOfTheZone: Resource", "route53:ListResourceRecordSets", lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"),
    attack(
        FUNCTION,
        "that creates snapshots deletes a snapshot of production",
        "snapshot-search-volume/ExpireSnapshotsOfThisEnvironment: Condition aws:ResourceTag/Environment",
        by=role_of(dev, "SearchSnapshotRole"),
        action="ec2:DeleteSnapshot",
        arn=lambda: f"arn:aws:ec2:{REGION}::snapshot/snap-1",
        on=of_account,
        context=lambda: prod().tags(),
    ),
)  # fmt: skip
