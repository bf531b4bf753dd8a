"""Alarm topic, alarms and dashboard."""

from __future__ import annotations

from awacs import sns as sns_actions
from awacs.aws import Allow, ArnLike, Bool, Condition, Deny, Principal, Statement, StringEquals
from troposphere import AccountId, And, Equals, Not, Or, Ref, Sub
from troposphere import Condition as Named
from troposphere.cloudwatch import Alarm, Dashboard
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from templates_src.core import iam
from templates_src.core.cache_mode import use_serverless
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import named
from templates_src.core.parameters.wiring.edge import (
    LOAD_BALANCER_FULL_NAME,
    TARGET_GROUP_FULL_NAME,
)
from templates_src.core.parameters.wiring.security import KEY_ARN
from templates_src.data import cache_parameters
from templates_src.monitoring.alarm_specs import (
    cache_node_alarm_specs,
    compute_alarm_specs,
    edge_alarm_specs,
    serverless_cache_alarm_specs,
)
from templates_src.monitoring.alarms import add_alarm
from templates_src.monitoring.dashboard import add_dashboard
from templates_src.monitoring.database_alarm_specs import database_alarm_specs
from templates_src.monitoring.database_storage import add_database_storage
from templates_src.monitoring.metrics import (
    API_SERVICE_NAME,
    BEAT_SERVICE_NAME,
    CACHE_NAME,
    CLUSTER_NAME,
    DATABASE_INSTANCE_ID,
    QUEUE_DEPTH_FUNCTION_NAME,
    WEB_ACL_NAME,
    WORKER_SERVICE_NAME,
)
from templates_src.monitoring.queue_alarm_specs import queue_alarm_specs
from templates_src.monitoring.search_alarm_specs import search_alarm_specs

ALARM_EMAIL = Declaration(
    name="AlarmEmail",
    group=groups.ALARMS,
    label="E-mail for alarms",
    description="E-mail address for alarms; empty for none. A change replaces the subscription. SNS sends a confirmation, and alarms only when it is accepted.",
    default="",
    pattern=r"([^\s@,]+@[^\s@,]+\.[^\s@,.]+)?",
    # RFC 5321: a path is at most 256 characters, brackets included.
    max_length=254,
    message="AlarmEmail must be empty or one e-mail address, such as operations@example.com.",
)

# The parameters in the dimensions of metrics. Alarms and dashboard refer to them in text, which declares no parameter.
MEASURED = (
    WEB_ACL_NAME,
    LOAD_BALANCER_FULL_NAME,
    TARGET_GROUP_FULL_NAME,
    CLUSTER_NAME,
    API_SERVICE_NAME,
    WORKER_SERVICE_NAME,
    BEAT_SERVICE_NAME,
    QUEUE_DEPTH_FUNCTION_NAME,
    CACHE_NAME,
    DATABASE_INSTANCE_ID,
    cache_parameters.MAXIMUM_STORAGE,
)


def monitoring() -> Layer:
    """The monitoring layer."""
    layer = Layer("monitoring", "Carbon Connect: alarm topic, alarms and dashboard")
    topic = add_topic(layer)
    for declaration in MEASURED:
        layer.parameter(declaration)
    add_database_storage(layer)
    serverless, nodes = cache_conditions(layer)
    alarms = add_alarms(layer, topic, serverless, nodes)
    dashboard = add_dashboard(layer, alarms, serverless, nodes)
    add_outputs(layer, topic, dashboard)
    return layer


def add_topic(layer: Layer) -> Topic:
    """The topic that every alarm publishes to, and its subscription.

    It uses the environment's key: CloudWatch cannot publish to a topic with the key aws/sns, and reports no error.
    """
    topic = layer.add(
        Topic("AlarmTopic", DisplayName=named(" alarms"), KmsMasterKeyId=layer.parameter(KEY_ARN))
    )
    layer.add(
        TopicPolicy(
            "AlarmTopicPolicy",
            Topics=[Ref(topic)],
            PolicyDocument=iam.document(alarms_publish(topic), deny_plain_http(topic)),
        )
    )
    layer.add(
        SubscriptionResource(
            "AlarmEmailSubscription",
            Condition=layer.has(ALARM_EMAIL),
            TopicArn=Ref(topic),
            Protocol="email",
            Endpoint=layer.parameter(ALARM_EMAIL),
        )
    )
    return topic


def alarms_publish(topic: Topic) -> Statement:
    """Allow only alarms of this account and region; CloudFormation generates their names, hence the wildcard."""
    return Statement(
        Sid="AlarmsOfThisAccountPublish",
        Effect=Allow,
        Principal=Principal("Service", "cloudwatch.amazonaws.com"),
        Action=[sns_actions.Publish],
        Resource=[Ref(topic)],
        Condition=Condition(
            [
                StringEquals({"aws:SourceAccount": AccountId}),
                ArnLike(
                    {
                        "aws:SourceArn": Sub(
                            "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"
                        )
                    }
                ),
            ]
        ),
    )


def deny_plain_http(topic: Topic) -> Statement:
    """Deny publishing without TLS to everyone (``*``), whatever IAM allows; the statement allows nothing."""
    return Statement(
        Sid="TlsOnly",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[sns_actions.Publish],
        Resource=[Ref(topic)],
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )


def cache_conditions(layer: Layer) -> tuple[str, list[str]]:
    """The condition for a serverless cache, and those for each node of the replication group."""
    serverless = use_serverless(layer)
    counts = cache_parameters.NODES.allowed
    nodes = [layer.condition("HasCacheNode1", Not(Named(serverless)))]
    for number in range(2, len(counts) + 1):
        enough = [
            Equals(layer.parameter(cache_parameters.NODES), count) for count in counts[number - 1 :]
        ]
        # Or takes no less than two.
        has_node = enough[0] if len(enough) == 1 else Or(*enough)
        nodes.append(
            layer.condition(f"HasCacheNode{number}", And(Not(Named(serverless)), has_node))
        )
    return serverless, nodes


def add_alarms(layer: Layer, topic: Topic, serverless: str, nodes: list[str]) -> list[Alarm]:
    """Every alarm, from the edge to the data."""
    alarm_specs = [
        *edge_alarm_specs(),
        *compute_alarm_specs(),
        *queue_alarm_specs(),
        *search_alarm_specs(),
        *serverless_cache_alarm_specs(serverless),
        *(
            alarm_spec
            for number, condition in enumerate(nodes, start=1)
            for alarm_spec in cache_node_alarm_specs(number, condition)
        ),
        *database_alarm_specs(),
    ]
    return [add_alarm(layer, Ref(topic), alarm_spec) for alarm_spec in alarm_specs]


def add_outputs(layer: Layer, topic: Topic, dashboard: Dashboard) -> None:
    """The outputs: topic and dashboard."""
    layer.output("AlarmTopicArn", Ref(topic), "Topic that every alarm publishes to", public=True)
    layer.output(
        "DashboardUrl",
        Sub(
            "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home"
            f"?region=${{AWS::Region}}#dashboards/dashboard/${{{dashboard.title}}}"
        ),
        "Dashboard, from the edge to the data, in the console",
        public=True,
    )
