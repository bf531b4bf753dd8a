"""Faults that open something, or turn something off, with a value that its service accepts."""

from __future__ import annotations

import json

from pipeline.checks.render import Rendered
from tests.relations.data import checks_data as data
from tests.relations.data import checks_storage as storage
from tests.relations.monitoring import checks_schedules as schedules
from tests.relations.network import checks_browsers as browsers
from tests.relations.network import checks_edge as edge
from tests.relations.network import checks_network as network
from tests.relations.planting import Plant, append, body, put
from tests.relations.registry import Fault
from tests.relations.search import checks_server as server
from tests.relations.secrets import checks_keys as keys
from tests.relations.services import checks_compute as compute
from tests.relations.services import checks_promises as promises
from tests.relations.services import checks_tasks as tasks

RULES = "LifecycleConfiguration/Rules"


def set_attribute(key: str, value: str) -> Plant:
    """Add an attribute of the load balancer."""
    return append("LoadBalancer", "LoadBalancerAttributes", {"Key": key, "Value": value})


def repeat_group(rendered: Rendered) -> None:
    """The firewall has a rule group twice, under two names and priorities."""
    rules = body(rendered, "WebAcl")["Properties"]["Rules"]
    rules.append({**rules[1], "Name": "Again", "Priority": 9})


def keep_one_image(rendered: Rendered) -> None:
    """The repository expires each image when the next one is pushed."""
    policy = body(rendered, "ImageRepositoryOfEnvironment")["Properties"]["LifecyclePolicy"]
    document = json.loads(policy["LifecyclePolicyText"])
    for rule in document["rules"]:
        rule["selection"]["countNumber"] = 1
    policy["LifecyclePolicyText"] = json.dumps(document)


def repeat_number(rendered: Rendered) -> None:
    """The network ACL has two entries of one number, of which EC2 refuses the second."""
    first = body(rendered, "DataDatabaseFromPrivate1")["Properties"]["RuleNumber"]
    body(rendered, "DataCacheFromPrivate1")["Properties"]["RuleNumber"] = first


FAULTS = (
    Fault(
        "a rule group that only counts",
        edge.the_firewall_blocks,
        "WebAcl only counts by every rule of AWSManagedRulesCommonRuleSet",
        put("WebAcl", "Rules/4/OverrideAction", {"Count": {}}),
    ),
    Fault(
        "a rate limit that only counts",
        edge.the_firewall_blocks,
        "WebAcl only counts by the rule RateLimit",
        put("WebAcl", "Rules/0/Action", {"Count": {}}),
    ),
    Fault(
        "a rule group of a vendor",
        edge.the_firewall_blocks,
        "of Fortinet, which needs a subscription",
        put("WebAcl", "Rules/1/Statement/ManagedRuleGroupStatement/VendorName", "Fortinet"),
    ),
    Fault(
        "a rule group twice",
        edge.the_firewall_blocks,
        "WebAcl has a rule group twice",
        repeat_group,
    ),
    Fault(
        "a firewall that blocks everyone",
        edge.the_firewall_blocks,
        "WebAcl blocks requests that no rule matches",
        put("WebAcl", "DefaultAction", {"Block": {}}),
    ),
    Fault(
        "an address that the client chooses",
        promises.the_load_balancer_refuses_malformed_requests,
        "LoadBalancer does not add the address of the client",
        set_attribute("routing.http.xff_header_processing.mode", "preserve"),
    ),
    Fault(
        "requests that pass without the firewall",
        promises.the_load_balancer_refuses_malformed_requests,
        "LoadBalancer passes every request on",
        set_attribute("waf.fail_open.enabled", "true"),
    ),
    Fault(
        "an api that is ended in the middle of its requests",
        tasks.containers_run_as_the_contract_says,
        "ApiTaskDefinition has 2 seconds to end",
        put("ApiTaskDefinition", "ContainerDefinitions/0/StopTimeout", 2),
    ),
    Fault(
        "a worker with the image of another account",
        compute.tasks_of_an_image_have_one_platform,
        "Tasks run 2 images",
        put(
            "WorkerTaskDefinition",
            "ContainerDefinitions/0/Image",
            "444455556666.dkr.ecr.eu-north-1.amazonaws.com/carbon:v1",
        ),
    ),
    Fault(
        "a repository that keeps one image",
        promises.images_cannot_change,
        "ImageRepositoryOfEnvironment deletes the image that a rollback needs",
        keep_one_image,
    ),
    Fault(
        "a certificate of an authority that has expired",
        storage.engines_can_be_restored,
        "Database has a certificate of rds-ca-2019",
        put("Database", "CACertificateIdentifier", "rds-ca-2019"),
    ),
    Fault(
        "a key that is off",
        keys.the_account_administers_its_key,
        "Key is off",
        put("Key", "Enabled", False),
    ),
    Fault(
        "a key that is lost after a week",
        keys.the_account_administers_its_key,
        "Key can be recovered for 7 days only",
        put("Key", "PendingWindowInDays", 7),
    ),
    Fault(
        "a server that no update reaches",
        server.the_server_is_complete_when_it_has_booted,
        "SearchGroup starts the version 1 of SearchLaunchTemplate",
        put("SearchGroup", "LaunchTemplate/Version", "1"),
    ),
    Fault(
        "a service that only grows",
        server.scaling_is_faster_out_than_in,
        "ApiCpuScaling never removes a task",
        put("ApiCpuScaling", "TargetTrackingScalingPolicyConfiguration/DisableScaleIn", True),
    ),
    Fault(
        "scaling that is suspended",
        server.scaling_is_faster_out_than_in,
        "ApiScalableTarget does not scale while it is suspended",
        put("ApiScalableTarget", "SuspendedState", {"DynamicScalingInSuspended": True}),
    ),
    Fault(
        "a platform version that AWS retires",
        compute.fargate_targets_are_addresses,
        "ApiService stays on a platform version",
        put("ApiService", "PlatformVersion", "1.3.0"),
    ),
    Fault(
        "old versions of one folder that stay permanently",
        storage.documents_do_not_expire,
        "DocumentsBucket applies a rule to some objects only",
        put("DocumentsBucket", f"{RULES}/1/Prefix", "reports/"),
    ),
    Fault(
        "one old version of each document",
        storage.documents_do_not_expire,
        "DocumentsBucket deletes old versions by their number",
        put(
            "DocumentsBucket",
            f"{RULES}/1/NoncurrentVersionExpiration/NewerNoncurrentVersions",
            1,
        ),
    ),
    Fault(
        "pages that delete objects",
        browsers.browsers_upload_from_named_origins,
        "MediaBucket lets a page DELETE objects",
        append("MediaBucket", "CorsConfiguration/CorsRules/0/AllowedMethods", "DELETE"),
    ),
    Fault(
        "a bucket that is a website",
        data.buckets_are_private,
        "MediaBucket has WebsiteConfiguration",
        put("MediaBucket", "WebsiteConfiguration", {"IndexDocument": "index.html"}),
    ),
    Fault(
        "a user of the cache without a password",
        storage.engines_accept_tls_and_users_only,
        "CacheUser does not sign in with one password",
        put("CacheUser", "NoPasswordRequired", True),
    ),
    Fault(
        "a measurement that is off",
        schedules.schedules_call_their_function,
        "QueueDepthSchedule is off",
        put("QueueDepthSchedule", "State", "DISABLED"),
    ),
    Fault(
        "a schedule that EventBridge refuses",
        schedules.schedules_call_their_function,
        "QueueDepthSchedule has the schedule rate(1 minutes)",
        put("QueueDepthSchedule", "ScheduleExpression", "rate(1 minutes)"),
    ),
    Fault(
        "an entry of a network ACL with a number that EC2 refuses",
        network.data_subnets_have_no_route_out,
        "DataCacheFromPrivate1 has the number 32767",
        put("DataCacheFromPrivate1", "RuleNumber", 32767),
    ),
    Fault(
        "two entries of a network ACL with one number",
        network.data_subnets_have_no_route_out,
        "of DataDatabaseFromPrivate1",
        repeat_number,
    ),
)
