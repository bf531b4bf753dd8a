"""Upgrades with their expected verdicts: changes of values and templates, and of resources."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.changes.change import Action, Fate
from tests.relations.planting import TemplatePlant, drop_from_template, put_in_template
from tests.updates.faults import ROOT, Plant, rename_resource

Templates = dict[str, dict[str, Any]]
SNAPSHOT_ID = "snap-0123456789abcdef0"
SECRET_ARN = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:elsewhere-AbCdEf"
# The case restores it with its values before the change.
RESTORED = {"DatabaseSnapshotIdentifier": "first"}


@dataclass(frozen=True)
class Case:
    """An upgrade of an environment of release 1.1.0.

    ``given`` are values before and after, ``values`` those of the change, ``plants`` the changes of the templates.
    ``verdict`` names resources with their action and the fate of their data. It must contain every stateful resource
    whose data is affected, and nothing else may fail.
    """

    what: str
    verdict: Mapping[str, tuple[Action, Fate]]
    values: Mapping[str, str] = field(default_factory=dict)
    plants: tuple[Plant, ...] = ()
    environment: str = "prod"
    given: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()


def value(what: str, verdict: Mapping[str, tuple[Action, Fate]], /, **values: str) -> Case:
    """A case of prod with changed values."""
    return Case(what, verdict, values)


def edit(layer: str, change: Callable[[dict[str, Any]], None]) -> TemplatePlant:
    """Change a template's resources."""

    def plant(templates: Templates) -> None:
        change(templates[layer]["Resources"])

    return plant


def remove_resource(layer: str, logical_id: str) -> TemplatePlant:
    """Remove a resource."""
    return drop_from_template(layer, f"Resources/{logical_id}")


def remove_with_references(
    layer: str, logical_id: str, text: str = "removed", to: str = ""
) -> TemplatePlant:
    """Remove a resource and replace each reference to it with a text; or move it to a layer, without its key."""

    def plant(templates: Templates) -> None:
        moved = templates[layer]["Resources"].pop(logical_id)
        templates[layer] = _without(templates[layer], logical_id, text)
        if to:
            moved["Properties"].pop("KmsKeyId")
            templates[to]["Resources"][logical_id] = moved

    return plant


def _without(part: Any, logical_id: str, text: str) -> Any:
    if isinstance(part, list):
        return [_without(item, logical_id, text) for item in part if item != logical_id]
    if isinstance(part, str):
        return re.sub(rf"\$\{{{logical_id}(\.[^}}]*)?\}}", text, part)
    if not isinstance(part, dict):
        return part
    if part.get("Ref") == logical_id or part.get("Fn::GetAtt", [""])[0] == logical_id:
        return text
    kept = {key: value for key, value in part.items() if (key, value) != ("DependsOn", logical_id)}
    return {key: _without(value, logical_id, text) for key, value in kept.items()}


def put_property(layer: str, path: str, new: Any) -> TemplatePlant:
    """Set a property: RESOURCE/PROPERTY…"""
    logical_id, _, rest = path.partition("/")
    return put_in_template(layer, f"Resources/{logical_id}/Properties/{rest}", new)


def duplicate_stack(templates: Templates) -> None:
    """Nest the monitoring layer under another logical ID."""
    resources = templates[ROOT]["Resources"]
    resources["Observation"] = copy.deepcopy(resources.pop("Monitoring"))
    text = {"Fn::GetAtt": ["Observation", "Outputs.DashboardUrl"]}
    for name, output in templates[ROOT]["Outputs"].items():
        if "Monitoring" in str(output["Value"]):
            templates[ROOT]["Outputs"][name]["Value"] = (
                text
                if name == "DashboardUrl"
                else {"Fn::GetAtt": ["Observation", f"Outputs.{name}"]}
            )


A, F = Action, Fate
IN_PLACE = (A.UPDATE, F.NONE)
KEPT = (A.UPDATE, F.SAME)
EMPTY_DATABASE = {"Data.Database": (A.REPLACE, F.RETAINED)}
FAILS = (A.FAIL, F.NONE)
BUCKETS_REPLACED = {
    "Data.DocumentsBucket": (A.REPLACE, F.RETAINED),
    "Data.MediaBucket": (A.REPLACE, F.RETAINED),
}
DATABASE_VALUES = (
    value("database name", EMPTY_DATABASE, DatabaseName="other"),
    value("snapshot named", EMPTY_DATABASE, DatabaseSnapshotIdentifier="first"),
    Case(
        "snapshot changed", EMPTY_DATABASE, {"DatabaseSnapshotIdentifier": "second"}, given=RESTORED
    ),
    Case(
        "snapshot cleared",
        EMPTY_DATABASE,
        {"DatabaseSnapshotIdentifier": ""},
        given=RESTORED,
        says=("The new one is empty.",),
    ),
    Case(
        "database name without deletion protection",
        {"Data.Database": (A.REPLACE, F.SNAPSHOT)},
        {"DatabaseName": "other"},
        environment="dev",
    ),
    value(
        "database class",
        {"Data.Database": (A.INTERRUPT, F.SAME)},
        DatabaseInstanceClass="db.t4g.large",
    ),
    value("more storage", {"Data.Database": KEPT}, DatabaseAllocatedStorage="100"),
    Case(
        "less storage",
        {"Data.Database": (A.FAIL, F.REFUSED)},
        {"DatabaseAllocatedStorage": "50"},
        given={"DatabaseAllocatedStorage": "100"},
        says=("AllocatedStorage cannot shrink from 100 to 50.",),
    ),
    Case(
        "storage that grows too little",
        {"Data.Database": (A.FAIL, F.REFUSED)},
        {"DatabaseAllocatedStorage": "109"},
        given={"DatabaseAllocatedStorage": "100"},
        says=("AllocatedStorage grows by at least 10 %",),
    ),
    value("higher storage ceiling", {"Data.Database": KEPT}, DatabaseMaxAllocatedStorage="400"),
    value("more backups", {"Data.Database": KEPT}, DatabaseBackupRetentionDays="14"),
    value("fewer backups", {"Data.Database": (A.UPDATE, F.LOST)}, DatabaseBackupRetentionDays="3"),
    Case("one zone less", {"Data.Database": KEPT}, {"DatabaseMultiAz": "true"}, environment="dev"),
    Case(
        "deletion protection of 1.1.0",
        {"Data.Database": KEPT},
        {"DatabaseDeletionProtection": "true"},
        environment="dev",
    ),
)
ONE_NODE = {"CacheMode": "replication-group"}
CACHE_VALUES = (
    Case(
        "cache mode to serverless",
        {
            "Data.CacheReplicationGroup": (A.DELETE, F.SNAPSHOT),
            "Data.ServerlessCache": (A.CREATE, F.NONE),
        },
        {"CacheMode": "serverless"},
        environment="dev",
        given={"CacheMode": "replication-group"},
    ),
    Case(
        "cache mode to replication group",
        {
            "Data.ServerlessCache": (A.DELETE, F.LOST),
            "Data.CacheReplicationGroup": (A.CREATE, F.NONE),
        },
        {"CacheMode": "replication-group"},
        environment="dev",
    ),
    value("more cache nodes", {"Data.CacheReplicationGroup": KEPT}, CacheNodes="3"),
    Case(
        "second cache node with failover",
        {"Data.CacheReplicationGroup": (A.FAIL, F.REFUSED)},
        {"CacheNodes": "2"},
        environment="dev",
        given=ONE_NODE,
        says=("add the node with CacheFailover=off",),
    ),
    Case(
        "last cache replica with failover",
        {"Data.CacheReplicationGroup": (A.FAIL, F.REFUSED)},
        {"CacheNodes": "1"},
        environment="dev",
        given={**ONE_NODE, "CacheNodes": "2"},
        says=("set CacheFailover=off",),
    ),
    value(
        "larger cache nodes",
        {"Data.CacheReplicationGroup": (A.INTERRUPT, F.SAME)},
        CacheNodeType="cache.m7g.large",
    ),
)
NETWORK_VALUES = (
    value(
        "VpcCidr",
        {
            "Network.Vpc": (A.REPLACE, F.NONE),
            "Data.DatabaseSubnetGroup": FAILS,
            "Data.CacheSubnetGroup": IN_PLACE,
        },
        VpcCidr="10.9.0.0/16",
    ),
    Case(
        "VpcCidr with a serverless cache",
        {
            "Network.Vpc": (A.REPLACE, F.NONE),
            "Data.DatabaseSubnetGroup": FAILS,
            "Data.ServerlessCache": (A.FAIL, F.REFUSED),
        },
        {"VpcCidr": "10.9.0.0/16"},
        environment="dev",
        says=("which is taken",),
    ),
    Case(
        "zones in another order",
        {
            **{
                f"Network.{tier}Subnet{zone}": FAILS
                for tier in ("Public", "Private", "Data")
                for zone in (1, 2)
            },
            "Data.SearchVolume": (A.FAIL, F.REFUSED),
        },
        {"AvailabilityZones": "eu-north-1b,eu-north-1a,eu-north-1c"},
        given={"AvailabilityZones": "eu-north-1a,eu-north-1b,eu-north-1c"},
    ),
    Case(
        "another third zone",
        {f"Network.{tier}Subnet3": FAILS for tier in ("Public", "Private", "Data")},
        {"AvailabilityZones": "eu-north-1a,eu-north-1b,eu-north-1d"},
        given={"AvailabilityZones": "eu-north-1a,eu-north-1b,eu-north-1c"},
    ),
    Case(
        "NAT per zone",
        {"Network.NatGateway2": (A.CREATE, F.NONE), "Network.PrivateDefaultRoute2": IN_PLACE},
        {"NatGateways": "per-zone"},
        environment="dev",
    ),
)
STORAGE_VALUES = (
    value("bucket namespace", BUCKETS_REPLACED, BucketNamespace="account-regional"),
    value("documents to Glacier later", {"Data.DocumentsBucket": KEPT}, DocumentsGlacierDays="500"),
    value("larger search volume", {"Data.SearchVolume": KEPT}, SearchVolumeGb="80"),
    Case(
        "smaller search volume",
        {"Data.SearchVolume": (A.FAIL, F.REFUSED)},
        {"SearchVolumeGb": "40"},
        given={"SearchVolumeGb": "80"},
    ),
    value(
        "search snapshot named",
        {
            "Data.SearchVolume": (A.RELEASE, F.RETAINED),
            "Data.RestoredSearchVolume": (A.CREATE, F.NONE),
        },
        SearchSnapshotId=SNAPSHOT_ID,
    ),
    Case(
        "search snapshot changed",
        {"Data.RestoredSearchVolume": (A.FAIL, F.REFUSED)},
        {"SearchSnapshotId": "snap-0fedcba9876543210"},
        given={"SearchSnapshotId": SNAPSHOT_ID},
    ),
    value("access logs off", {"Edge.AccessLogBucket": (A.RELEASE, F.RETAINED)}, AccessLogs="false"),
    value(
        "image repository given",
        {"Compute.ImageRepositoryOfEnvironment": (A.RELEASE, F.RETAINED)},
        ImageRepository="111122223333.dkr.ecr.eu-north-1.amazonaws.com/app",
    ),
)
# Cases that must not report data loss.
ROUTINE_VALUES = (
    value(
        "image tag",
        {
            "Compute.ApiTaskDefinition": (A.REPLACE, F.NONE),
            "Compute.ApiService": IN_PLACE,
            "Compute.BeatService": (A.INTERRUPT, F.NONE),
        },
        ImageTag="1.4.3",
    ),
    value("api size", {"Compute.ApiService": IN_PLACE}, ApiCpu="2048", ApiMemory="4096"),
    value("most api tasks", {"Compute.ApiScalableTarget": IN_PLACE}, ApiMaxTasks="20"),
    value("alarm e-mail", {}, AlarmEmail="ops@example.com"),
    value("rate limit", {"Edge.WebAcl": IN_PLACE}, WafRateLimit="5000"),
    value("longer logs", {"Compute.ApiLogGroup": KEPT}, LogRetentionDays="90"),
    value("ingress", {}, IngressCidr="192.0.2.0/24"),
    value("boundary", {}, PermissionsBoundary="arn:aws:iam::111122223333:policy/boundary"),
    value("GitHub repository", {"Security.DeployRole": (A.CREATE, F.NONE)}, GitHubRepository="o/r"),
)
KEY_ARN = "arn:aws:kms:eu-north-1:111122223333:key/11111111-2222-4333-a444-555555555555"
TEMPLATES = (
    Case("nothing", {}),
    Case(
        "logical ID of the database renamed",
        {"Data.Database": (A.DELETE, F.RETAINED), "Data.PostgresDatabase": (A.CREATE, F.NONE)},
        plants=(rename_resource("data", "Database", "PostgresDatabase"),),
        says=("the logical ID changed",),
    ),
    Case(
        "logical ID of a bucket renamed",
        {
            "Data.MediaBucket": (A.DELETE, F.RETAINED),
            "Data.PictureBucket": (A.FAIL, F.REFUSED),
        },
        plants=(rename_resource("data", "MediaBucket", "PictureBucket"),),
        says=("Its name is taken by Data.MediaBucket",),
    ),
    Case(
        "database removed",
        {"Data.Database": (A.DELETE, F.RETAINED)},
        plants=(
            remove_resource("data", "DatabaseSecretAttachment"),
            remove_with_references("data", "Database"),
        ),
    ),
    Case(
        "secret moved to another layer",
        {
            "Security.JwtSecret": (A.DELETE, F.LOST),
            "Network.JwtSecret": (A.CREATE, F.NONE),
        },
        plants=(remove_with_references("security", "JwtSecret", SECRET_ARN, to="network"),),
    ),
    Case(
        "monitoring nested under another name",
        {
            "Monitoring.DatabaseCpuTooHigh": (A.DELETE, F.NONE),
            "Observation.DatabaseCpuTooHigh": (A.CREATE, F.NONE),
        },
        plants=(duplicate_stack,),
    ),
    Case(
        "dropped Retain of the repository, which is removed",
        {"Compute.ImageRepositoryOfEnvironment": (A.RELEASE, F.RETAINED)},
        plants=(remove_with_references("compute", "ImageRepositoryOfEnvironment"),),
        says=("the template differs",),
    ),
    Case(
        "dropped snapshot policy on a replacement",
        {"Data.CacheReplicationGroup": (A.REPLACE, F.LOST)},
        plants=(
            drop_from_template("data", "Resources/CacheReplicationGroup/UpdateReplacePolicy"),
            put_property("data", "CacheReplicationGroup/KmsKeyId", KEY_ARN),
        ),
    ),
    Case(
        "database encrypted with another key",
        EMPTY_DATABASE,
        plants=(put_property("data", "Database/KmsKeyId", KEY_ARN),),
    ),
    Case(
        "database unencrypted",
        EMPTY_DATABASE,
        plants=(put_property("data", "Database/StorageEncrypted", False),),
    ),
    Case(
        "another master user",
        EMPTY_DATABASE,
        plants=(put_property("data", "Database/MasterUsername", "other"),),
    ),
    Case(
        "another database subnet group",
        EMPTY_DATABASE,
        plants=(put_property("data", "Database/DBSubnetGroupName", "other"),),
    ),
    Case(
        "named subnet group, which replaces it and the database",
        {**EMPTY_DATABASE, "Data.DatabaseSubnetGroup": (A.REPLACE, F.NONE)},
        plants=(put_property("data", "DatabaseSubnetGroup/DBSubnetGroupName", "named"),),
        says=("follows Data.DatabaseSubnetGroup",),
    ),
    Case(
        "major version of the database",
        {"Data.Database": (A.INTERRUPT, F.SAME)},
        plants=(put_property("data", "Database/EngineVersion", "17"),),
    ),
    Case(
        "another port of the database",
        {"Data.Database": (A.INTERRUPT, F.SAME), "Data.DatabaseUrl": IN_PLACE},
        plants=(put_property("data", "Database/Port", "5433"),),
    ),
    Case(
        "database parameter group of another family",
        {"Data.Database": KEPT, "Data.DatabaseParameterGroup": (A.REPLACE, F.NONE)},
        plants=(put_property("data", "DatabaseParameterGroup/Family", "postgres17"),),
    ),
    Case(
        "bucket name",
        {"Data.MediaBucket": (A.REPLACE, F.RETAINED)},
        plants=(put_property("data", "MediaBucket/BucketName", "pictures"),),
    ),
    Case(
        "cluster name",
        {"Compute.Cluster": (A.REPLACE, F.NONE), "Compute.ApiService": (A.REPLACE, F.NONE)},
        plants=(put_property("compute", "Cluster/ClusterName", "named"),),
    ),
    Case(
        "service name",
        {"Compute.ApiService": (A.REPLACE, F.NONE)},
        plants=(put_property("compute", "ApiService/ServiceName", "api"),),
    ),
    Case(
        "generated password of another length",
        {"Security.SessionKeySecret": (A.UPDATE, F.LOST)},
        plants=(
            put_in_template(
                "security",
                "Resources/SessionKeySecret/Properties/GenerateSecretString/PasswordLength",
                40,
            ),
        ),
        says=("The secret gets a new value.",),
    ),
    Case(
        "API key overwritten by its placeholder",
        {"Security.ClaudeApiKeySecret": (A.UPDATE, F.LOST)},
        plants=(put_property("security", "ClaudeApiKeySecret/SecretString", '{"value": ""}'),),
    ),
    Case(
        "description of a secret",
        {"Security.JwtSecret": KEPT},
        plants=(put_property("security", "JwtSecret/Description", "Signs tokens"),),
    ),
    Case(
        "name of a secret",
        {
            "Security.JwtSecret": (A.REPLACE, F.LOST),
            "Compute.ApiTaskDefinition": (A.REPLACE, F.NONE),
        },
        plants=(put_property("security", "JwtSecret/Name", "jwt"),),
        given={"ImageTag": "1.4.3"},
        says=("follows Security.JwtSecret",),
    ),
    Case(
        "alias of the key",
        {"Security.KeyAlias": (A.REPLACE, F.NONE)},
        plants=(put_property("security", "KeyAlias/AliasName", "alias/other"),),
    ),
    Case(
        "policy of the key",
        {"Security.Key": KEPT},
        plants=(put_property("security", "Key/Description", "other"),),
    ),
    Case(
        "search volume removed",
        {"Data.SearchVolume": (A.RELEASE, F.RETAINED)},
        plants=(remove_with_references("data", "SearchVolume", "vol-0123456789abcdef0"),),
    ),
    Case(
        "log group named",
        {"Compute.ApiLogGroup": (A.REPLACE, F.LOST)},
        plants=(put_property("compute", "ApiLogGroup/LogGroupName", "api"),),
    ),
    Case(
        "tag of everything",
        {"Data.Database": KEPT},
        plants=(
            edit(
                "data",
                lambda resources: resources["Database"]["Properties"]["Tags"].append(
                    {"Key": "Team", "Value": "platform"}
                ),
            ),
        ),
    ),
    Case(
        "threshold of an alarm",
        {"Monitoring.DatabaseCpuTooHigh": IN_PLACE},
        plants=(put_property("monitoring", "DatabaseCpuTooHigh/Threshold", 70),),
    ),
    Case(
        "condition flipped by a default",
        {"Edge.AccessLogBucket": (A.CREATE, F.NONE)},
        environment="dev",
        plants=(put_in_template(ROOT, "Resources/Edge/Properties/Parameters/AccessLogs", "true"),),
    ),
    Case(
        "type changed under the same logical ID",
        {"Monitoring.DatabaseCpuTooHigh": FAILS},
        plants=(
            put_in_template(
                "monitoring", "Resources/DatabaseCpuTooHigh/Type", "AWS::CloudWatch::CompositeAlarm"
            ),
        ),
    ),
    Case(
        "role named, which replaces it and its task definition",
        {
            "Security.ApiTaskRole": (A.REPLACE, F.NONE),
            "Compute.ApiTaskDefinition": (A.REPLACE, F.NONE),
            "Compute.ApiService": IN_PLACE,
        },
        plants=(put_property("security", "ApiTaskRole/RoleName", "api"),),
    ),
    Case(
        "description of a security group, which replaces it and its rules",
        {
            "Security.CacheSecurityGroup": (A.REPLACE, F.NONE),
            "Security.CacheFromApi": (A.REPLACE, F.NONE),
            "Data.CacheReplicationGroup": KEPT,
        },
        plants=(put_property("security", "CacheSecurityGroup/GroupDescription", "other"),),
    ),
    Case(
        "description of the cache's group under a serverless cache",
        {"Security.CacheSecurityGroup": (A.REPLACE, F.NONE), "Data.ServerlessCache": KEPT},
        environment="dev",
        plants=(put_property("security", "CacheSecurityGroup/GroupDescription", "other"),),
    ),
    Case(
        "load balancer internal",
        {"Edge.LoadBalancer": (A.REPLACE, F.NONE), "Edge.HttpsListener": (A.REPLACE, F.NONE)},
        plants=(put_property("edge", "LoadBalancer/Scheme", "internal"),),
    ),
    Case(
        "port of the target group",
        {"Edge.ApiTargetGroup": (A.REPLACE, F.NONE), "Compute.ApiService": IN_PLACE},
        plants=(put_property("edge", "ApiTargetGroup/Port", 8080),),
    ),
    Case(
        "cache name",
        {"Data.ServerlessCache": (A.REPLACE, F.LOST)},
        environment="dev",
        plants=(put_property("data", "ServerlessCache/ServerlessCacheName", "other"),),
    ),
    Case(
        "key of a serverless cache, whose name is taken",
        {"Data.ServerlessCache": (A.FAIL, F.REFUSED)},
        environment="dev",
        plants=(put_property("data", "ServerlessCache/KmsKeyId", KEY_ARN),),
        says=("which is taken",),
    ),
    Case(
        "port of the replication group",
        {"Data.CacheReplicationGroup": (A.REPLACE, F.SNAPSHOT)},
        plants=(put_property("data", "CacheReplicationGroup/Port", 6380),),
    ),
    Case(
        "version of the replication group",
        {"Data.CacheReplicationGroup": (A.INTERRUPT, F.SAME)},
        plants=(put_property("data", "CacheReplicationGroup/EngineVersion", "9.0"),),
    ),
    Case(
        "encryption of the search volume",
        {"Data.SearchVolume": (A.FAIL, F.REFUSED)},
        plants=(put_property("data", "SearchVolume/Encrypted", False),),
    ),
    Case(
        "number of a network ACL's rule",
        {"Network.DataToPrivate1": (A.REPLACE, F.NONE)},
        plants=(put_property("network", "DataToPrivate1/RuleNumber", 999),),
    ),
)
CASES = (
    *DATABASE_VALUES,
    *CACHE_VALUES,
    *NETWORK_VALUES,
    *STORAGE_VALUES,
    *ROUTINE_VALUES,
    *TEMPLATES,
)
