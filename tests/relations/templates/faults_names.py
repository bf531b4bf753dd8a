"""Faults in names."""

from __future__ import annotations

from tests.relations.planting import drop, put
from tests.relations.registry import Fault
from tests.relations.templates import checks_names as names

FAULTS = (
    Fault(
        "a record in no zone",
        names.properties_are_not_empty,
        "DomainRecord has an empty HostedZoneId",
        put("DomainRecord", "HostedZoneId", ""),
    ),
    Fault(
        "a cache name that is too long",
        names.cache_names_are_valid,
        "41 characters",
        put("ServerlessCache", "ServerlessCacheName", "c" * 41),
        "dev",
    ),
    Fault(
        "a cache name with an underscore",
        names.cache_names_are_valid,
        "what ElastiCache refuses",
        put("ServerlessCache", "ServerlessCacheName", "carbon_connect-dev"),
        "staging",
    ),
    Fault(
        "a cache name that ends in a hyphen",
        names.cache_names_are_valid,
        "UserGroupId of CacheUserGroup",
        put("CacheUserGroup", "UserGroupId", "carbon-connect-"),
    ),
    Fault(
        "a secret's name that ends like its suffix",
        names.secret_names_do_not_end_like_a_suffix,
        "carbon-connect-prod-claude",
        put("ClaudeApiKeySecret", "Name", "carbon-connect-prod-claude"),
    ),
    Fault(
        "the master user admin",
        names.master_user_is_not_reserved,
        "the master user admin",
        put("Database", "MasterUsername", "admin"),
    ),
    Fault(
        "the master user user",
        names.master_user_is_not_reserved,
        "the master user User",
        put("Database", "MasterUsername", "User"),
    ),
    Fault(
        "a master user of PostgreSQL's own",
        names.master_user_is_not_reserved,
        "the master user pg_owner",
        put("Database", "MasterUsername", "pg_owner"),
    ),
    Fault(
        "no master user",
        names.master_user_is_not_reserved,
        "has no master user",
        drop("Database", "MasterUsername"),
    ),
    Fault(
        "a named database",
        names.explicit_names_have_a_reason,
        "Database is given the DBInstanceIdentifier carbon",
        put("Database", "DBInstanceIdentifier", "carbon"),
    ),
    Fault(
        "a named load balancer",
        names.explicit_names_have_a_reason,
        "LoadBalancer is given the Name carbon",
        put("LoadBalancer", "Name", "carbon"),
    ),
    Fault(
        "a named role",
        names.explicit_names_have_a_reason,
        "ExecutionRole is given the RoleName",
        put("ExecutionRole", "RoleName", {"Fn::Sub": "${AWS::StackName}-execution"}),
    ),
)
