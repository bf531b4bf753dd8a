"""AWS::ElastiCache::ServerlessCache; final snapshots of replication groups; users in DescribeUsers."""

from typing import Any
from xml.sax.saxutils import escape

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.attributes import cache_address

_CREATE = (
    "ServerlessCacheName",
    "Description",
    "Engine",
    "MajorEngineVersion",
    "CacheUsageLimits",
    "KmsKeyId",
    "SecurityGroupIds",
    "SnapshotArnsToRestore",
    "Tags",
    "UserGroupId",
    "SubnetIds",
    "SnapshotRetentionLimit",
    "DailySnapshotTime",
)
_MODIFY = (
    "Description",
    "CacheUsageLimits",
    "UserGroupId",
    "SecurityGroupIds",
    "SnapshotRetentionLimit",
    "DailySnapshotTime",
    "Engine",
    "MajorEngineVersion",
)


def install() -> None:
    """Register the types of this module."""
    register("AWS::ElastiCache::ServerlessCache", create=_create, update=_modify, delete=_delete)
    groups = tables.RESOURCE_HANDLERS["AWS::ElastiCache::ReplicationGroup"]
    groups["snapshot"] = _snapshot_group
    shown = functions.cache_user_xml.current
    # ministack writes the ampersand of an access string ("&*") into the response without escaping it.
    functions.cache_user_xml.replace(
        lambda user: shown({**user, "AccessString": escape(user["AccessString"])})
    )


def _snapshot_group(physical_id: str, _properties: Properties) -> None:
    """The snapshot that the policy Snapshot leaves of a replication group."""
    if physical_id in tables.REPLICATION_GROUPS:
        name = functions.snapshot_id(physical_id)
        call("elasticache", "CreateSnapshot", SnapshotName=name, ReplicationGroupId=physical_id)


def _create(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {name: properties.get(name) for name in _CREATE}
    cache = call("elasticache", "CreateServerlessCache", **settings)["ServerlessCache"]
    name = cache["ServerlessCacheName"]
    # ministack without Docker gives every cache the address "redis"; on AWS the reader has another port.
    address = cache_address(f"{name}-embedded.serverless")
    record = tables.SERVERLESS_CACHES[name]
    record["Endpoint"] = {"Address": address, "Port": 6379}
    record["ReaderEndpoint"] = {"Address": address, "Port": 6380}
    return name, _attributes(name)


def _modify(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Created:
    changed = {name: new.get(name) for name in _MODIFY if new.get(name) != old.get(name)}
    if any(value is not None for value in changed.values()):
        call("elasticache", "ModifyServerlessCache", ServerlessCacheName=physical_id, **changed)
    if new.get("Tags"):
        arn = _attributes(physical_id)["ARN"]
        call("elasticache", "AddTagsToResource", ResourceName=arn, Tags=new["Tags"])
    return physical_id, _attributes(physical_id)


def _delete(physical_id: str, _properties: Properties) -> None:
    with ignoring("ServerlessCacheNotFoundFault"):
        call("elasticache", "DeleteServerlessCache", ServerlessCacheName=physical_id)


def _attributes(name: str) -> dict[str, Any]:
    answer = call("elasticache", "DescribeServerlessCaches", ServerlessCacheName=name)
    cache = answer["ServerlessCaches"][0]
    attributes = {
        "ARN": cache["ARN"],
        "Status": cache["Status"],
        "FullEngineVersion": cache.get("FullEngineVersion", ""),
        "CreateTime": str(cache.get("CreateTime", "")),
    }
    for endpoint in ("Endpoint", "ReaderEndpoint"):
        for part in ("Address", "Port"):
            attributes[f"{endpoint}.{part}"] = str(cache[endpoint][part])
    return attributes
