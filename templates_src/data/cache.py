"""Valkey 8 on ElastiCache, broker and cache: serverless, or a replication group of nodes, behind the same outputs.

A new cache is empty. A change of the mode creates the other one first and deletes the old one at the end of the update,
with the jobs that still wait in it.
"""

from __future__ import annotations

from troposphere import And, Condition, Equals, GetAtt, If, Not, Ref, Sub
from troposphere.elasticache import (
    AuthenticationMode,
    CacheUsageLimits,
    DataStorage,
    ECPUPerSecond,
    ParameterGroup,
    ReplicationGroup,
    ServerlessCache,
    SubnetGroup,
    User,
    UserGroup,
)
from troposphere.secretsmanager import Secret

from templates_src.core import ports
from templates_src.core.cache_mode import MODE, SERVERLESS, use_serverless
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import CACHE_SECOND_USER, CACHE_USER, named
from templates_src.core.parameters.wiring.network import DATA_SUBNET_IDS
from templates_src.core.parameters.wiring.secrets import CACHE_SECOND_SECRET_ARN, CACHE_SECRET_ARN
from templates_src.core.parameters.wiring.security import CACHE_SECURITY_GROUP_ID, KEY_ARN
from templates_src.core.rotation import CACHE_CREDENTIALS
from templates_src.data.cache_parameters import (
    FAILOVER,
    MAXIMUM_ECPU,
    MAXIMUM_STORAGE,
    NODE_TYPE,
    NODES,
    OFF,
    ONE_NODE,
)
from templates_src.data.connection_urls import add_url_secret, password_of

ENGINE = "valkey"
MAJOR_VERSION = "8"
# The minor version of nodes, which only a release raises. Serverless accepts only the major version and upgrades the minor one.
VERSION = f"{MAJOR_VERSION}.2"
FAMILY = f"{ENGINE}{MAJOR_VERSION}"
# A restore of an older state of a broker would repeat finished jobs.
SNAPSHOT_DAYS = 1
# UTC, at night in Europe, after those of the database.
SNAPSHOT_WINDOW = "02:00-03:00"
SNAPSHOT_TIME = SNAPSHOT_WINDOW.partition("-")[0]
MAINTENANCE_WINDOW = "sun:04:00-sun:05:00"
# Every key and channel, because the cache belongs to one application, and every command except those that stop, empty
# or reveal the server (KEYS, FLUSHALL, FLUSHDB, CONFIG, DEBUG …). Celery, kombu and the cluster clients send none of
# these. INFO is in the category dangerous, but changes nothing, and Flower and troubleshooting need it.
ACCESS = "on ~* &* +@all -@dangerous +info"
NO_ACCESS = "off ~* -@all"


def add_cache(layer: Layer) -> Secret:
    """The cache in its mode and its outputs; returns the secret with its URL."""
    serverless = use_serverless(layer)
    nodes = layer.condition("UseReplicationGroup", Not(Equals(Ref(MODE.name), SERVERLESS)))
    users = add_users(layer)
    one = add_serverless_cache(layer, serverless, users)
    other = add_replication_group(layer, nodes, users)
    host = If(serverless, GetAtt(one, "Endpoint.Address"), GetAtt(other, "PrimaryEndPoint.Address"))
    port = If(serverless, GetAtt(one, "Endpoint.Port"), GetAtt(other, "PrimaryEndPoint.Port"))
    url = add_cache_url(layer, host, port)
    layer.output("CacheHost", host, "Host name of the cache", public=True)
    layer.output("CachePort", port, "Port of the cache")
    layer.output(
        "CacheName",
        If(serverless, Ref(one), Ref(other)),
        "Name of the serverless cache, or ID of the replication group",
    )
    layer.output("CacheUrlSecretArn", Ref(url), "Secret with the cache's URL")
    add_credentials_outputs(layer)
    return url


def add_credentials_outputs(layer: Layer) -> None:
    """The credentials in use, for readers that are in other layers."""
    pair = CACHE_CREDENTIALS
    layer.output(
        "CacheUserName",
        pair.choose(layer, CACHE_USER, CACHE_SECOND_USER),
        "Name of the cache's user in use",
    )
    layer.output(
        "CacheUserSecretArn",
        pair.choose(
            layer, layer.parameter(CACHE_SECRET_ARN), layer.parameter(CACHE_SECOND_SECRET_ARN)
        ),
        "Secret with the password of the cache's user in use",
    )
    layer.output(
        "CacheCredentialsInUse",
        pair.text(layer),
        "Which credentials of the cache are in use in which version",
    )


def add_users(layer: Layer) -> UserGroup:
    """The application's two users and their group, in both modes, because a serverless cache supports only access
    control by users.

    ``CacheCredentials`` selects the user of the application. With the other one, the application can change the user
    without an interruption: tasks that are not replaced yet keep the former user. ElastiCache also accepts two
    passwords for one user, but replaces both at once, and an update does not know the former one.

    CloudFormation's reference requires a user named default in every group. This one cannot sign in and has no
    permissions, so that no client gets access with the default name.
    """
    users = [
        add_user(layer, *user)
        for user in (
            ("CacheDefaultUser", "-default", "default", NO_ACCESS, CACHE_SECRET_ARN),
            ("CacheUser", "", CACHE_USER, ACCESS, CACHE_SECRET_ARN),
            ("CacheSecondUser", "-second", CACHE_SECOND_USER, ACCESS, CACHE_SECOND_SECRET_ARN),
        )
    ]
    return layer.add(
        UserGroup(
            "CacheUserGroup",
            UserGroupId=named(),
            Engine=ENGINE,
            UserIds=[Ref(user) for user in users],
        )
    )


def add_user(
    layer: Layer, title: str, suffix: str, name: str, access: str, secret: Declaration
) -> User:
    """A user with the password of a secret."""
    return layer.add(
        User(
            title,
            UserId=named(suffix),
            UserName=name,
            Engine=ENGINE,
            AccessString=access,
            AuthenticationMode=AuthenticationMode(
                Type="password", Passwords=[Sub(password_of(layer, secret))]
            ),
        )
    )


def add_serverless_cache(layer: Layer, condition: str, users: UserGroup) -> ServerlessCache:
    """A serverless cache, always in cluster mode and with TLS; at its limit it evicts only keys with a time to live.

    It must have a name of at most 40 characters. So an update that would replace it (other subnets, another key) fails
    before data is lost. Its automatic snapshots are deleted with it, and CloudFormation creates no final one: its
    FinalSnapshotName would already exist when an environment with the same name is deleted a second time.
    """
    return layer.add(
        ServerlessCache(
            "ServerlessCache",
            Condition=condition,
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
            ServerlessCacheName=named(),
            Description=named(),
            Engine=ENGINE,
            MajorEngineVersion=MAJOR_VERSION,
            CacheUsageLimits=CacheUsageLimits(
                DataStorage=DataStorage(Maximum=layer.parameter(MAXIMUM_STORAGE), Unit="GB"),
                ECPUPerSecond=ECPUPerSecond(Maximum=layer.parameter(MAXIMUM_ECPU)),
            ),
            SubnetIds=layer.parameter(DATA_SUBNET_IDS),
            SecurityGroupIds=[layer.parameter(CACHE_SECURITY_GROUP_ID)],
            UserGroupId=Ref(users),
            KmsKeyId=layer.parameter(KEY_ARN),
            SnapshotRetentionLimit=SNAPSHOT_DAYS,
            DailySnapshotTime=SNAPSHOT_TIME,
        )
    )


def add_replication_group(layer: Layer, condition: str, users: UserGroup) -> ReplicationGroup:
    """A primary and its replicas, with cluster mode disabled, in different zones.

    Size, number of nodes and engine version change in place. It leaves a final snapshot when it is deleted or replaced.
    It has no explicit identifier, which would block its replacement.
    """
    fails_over = has_failover(layer)
    return layer.add(
        ReplicationGroup(
            "CacheReplicationGroup",
            Condition=condition,
            DeletionPolicy="Snapshot",
            UpdateReplacePolicy="Snapshot",
            ReplicationGroupDescription=named(),
            Engine=ENGINE,
            EngineVersion=VERSION,
            # ElastiCache requires a minor version and refuses a lower one than it runs: after an automatic upgrade, an update of the
            # group would be a downgrade. Patches come as service updates in both cases.
            # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.html
            AutoMinorVersionUpgrade=False,
            CacheNodeType=layer.parameter(NODE_TYPE),
            ClusterMode="disabled",
            NumCacheClusters=layer.parameter(NODES),
            AutomaticFailoverEnabled=If(fails_over, True, False),
            # Refused without automatic failover.
            MultiAZEnabled=If(fails_over, True, False),
            Port=ports.CACHE,
            CacheSubnetGroupName=Ref(add_subnet_group(layer, condition)),
            SecurityGroupIds=[layer.parameter(CACHE_SECURITY_GROUP_ID)],
            UserGroupIds=[Ref(users)],
            TransitEncryptionEnabled=True,
            TransitEncryptionMode="required",
            AtRestEncryptionEnabled=True,
            KmsKeyId=layer.parameter(KEY_ARN),
            CacheParameterGroupName=Ref(add_parameter_group(layer, condition)),
            SnapshotRetentionLimit=SNAPSHOT_DAYS,
            SnapshotWindow=SNAPSHOT_WINDOW,
            PreferredMaintenanceWindow=MAINTENANCE_WINDOW,
        )
    )


def has_failover(layer: Layer) -> str:
    """Condition: a replica takes over from a failed primary. ElastiCache refuses that for a single node.

    It is a parameter because the number of nodes alone cannot decide it: CloudFormation turns failover on before it adds
    the first replica, which ElastiCache refuses, and ElastiCache keeps the last replica while failover is on.
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/383
    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html
    """
    has_replicas = layer.condition(
        "HasCacheReplicas", Not(Equals(layer.parameter(NODES), ONE_NODE))
    )
    return layer.condition(
        "UseCacheFailover",
        And(Condition(has_replicas), Not(Equals(layer.parameter(FAILOVER), OFF))),
    )


def add_subnet_group(layer: Layer, condition: str) -> SubnetGroup:
    """The data subnets, which have no route out."""
    return layer.add(
        SubnetGroup(
            "CacheSubnetGroup",
            Condition=condition,
            Description="Data subnets",
            SubnetIds=layer.parameter(DATA_SUBNET_IDS),
        )
    )


def add_parameter_group(layer: Layer, condition: str) -> ParameterGroup:
    """Settings of the engine: a full broker refuses a job and does not evict one."""
    return layer.add(
        ParameterGroup(
            "CacheParameterGroup",
            Condition=condition,
            Description="Valkey as a broker",
            CacheParameterGroupFamily=FAMILY,
            Properties={"maxmemory-policy": "noeviction"},
        )
    )


def add_cache_url(layer: Layer, host: If, port: If) -> Secret:
    """The URL of the user in use, for Celery. It has database 0, the only one in cluster mode and so in a serverless cache."""
    second, first = (
        f"rediss://{user}:{password_of(layer, secret)}@${{Host}}:${{Port}}/0?ssl_cert_reqs=required"
        for user, secret in (
            (CACHE_SECOND_USER, CACHE_SECOND_SECRET_ARN),
            (CACHE_USER, CACHE_SECRET_ARN),
        )
    )
    return add_url_secret(
        layer,
        "CacheUrl",
        "URL of the cache, with its password",
        url=(CACHE_CREDENTIALS.uses_second(layer), second, first),
        Host=host,
        Port=port,
    )
