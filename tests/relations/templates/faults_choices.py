"""Faults in values that users choose, and in settings that services refuse or that break a promise of a page."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.data import checks_data as data
from tests.relations.data import checks_storage as storage
from tests.relations.functions import checks_guards as guards
from tests.relations.network import checks_browsers as browsers
from tests.relations.network import checks_edge as edge
from tests.relations.planting import body, drop, put, remove
from tests.relations.registry import Fault
from tests.relations.search import checks_server as server
from tests.relations.secrets import checks_keys as keys
from tests.relations.services import checks_compute as compute
from tests.relations.services import checks_promises as promises
from tests.relations.services import checks_tasks as tasks
from tests.relations.templates import checks_choices as choices

SERVERLESS = "dev"


def backup_during_maintenance(rendered: Rendered) -> None:
    """A backup window that passes midnight and ends in the maintenance window."""
    properties = body(rendered, "Database")["Properties"]
    properties["PreferredBackupWindow"] = "23:30-00:30"
    properties["PreferredMaintenanceWindow"] = "mon:00:00-mon:01:00"


FAULTS = (
    Fault(
        "ten times the tasks that the user has chosen",
        choices.choices_arrive,
        "WorkerScalableTarget has 100, but WorkerMaxTasks is 10",
        put("WorkerScalableTarget", "MaxCapacity", "100"),
    ),
    Fault(
        "the days of one tier for another",
        choices.choices_arrive,
        "DocumentsBucket has 30, but DocumentsGlacierDays is 365",
        put(
            "DocumentsBucket",
            "LifecycleConfiguration/Rules/0/Transitions/1/TransitionInDays",
            "30",
        ),
    ),
    Fault(
        "a serverless cache without a limit of its price",
        choices.choices_arrive,
        "ServerlessCache has None, but CacheMaximumEcpuPerSecond",
        drop("ServerlessCache", "CacheUsageLimits/ECPUPerSecond"),
        variant=SERVERLESS,
    ),
    Fault(
        "an empty volume in place of the snapshot",
        choices.choices_arrive,
        "RestoredSearchVolume has , but SearchSnapshotId is snap-",
        drop("RestoredSearchVolume", "SnapshotId"),
        variant="dev on what exists",
    ),
    Fault(
        "a threshold in another unit",
        choices.choices_arrive,
        "QueueStalled has 40, but QueueStalledThreshold is 2400",
        put("QueueStalled", "Threshold", 40),
    ),
    Fault(
        "a command without one of its arguments",
        choices.containers_run_the_chosen_command,
        "WorkerTaskDefinition runs celery --app app.worker worker --loglevel, not",
        drop("WorkerTaskDefinition", "ContainerDefinitions/0/Command/5"),
    ),
    Fault(
        "a key that the account cannot administer any more",
        keys.the_account_administers_its_key,
        "The account may not kms:PutKeyPolicy Key",
        drop("Key", "KeyPolicy/Statement/0"),
    ),
    Fault(
        "a key that one role administers",
        keys.the_account_administers_its_key,
        "The account may not kms:ScheduleKeyDeletion Key",
        put(
            "Key",
            "KeyPolicy/Statement/0/Principal",
            {"AWS": "arn:aws:iam::111122223333:role/former"},
        ),
    ),
    Fault(
        "a key without a name",
        keys.keys_are_found_by_their_name,
        "Key has the aliases []",
        remove("KeyAlias"),
    ),
    Fault(
        "a log group that is created before the check",
        guards.nested_stacks_wait_for_the_launch_check,
        "DeletionProtectionLogGroup may be created before LaunchCheck has succeeded",
        drop("DeletionProtectionLogGroup", "../DependsOn"),
    ),
    Fault(
        "an update that deletes the logs of earlier releases",
        data.nothing_writes_to_former_log_groups,
        "An update deletes FlowLogGroup",
        remove("FlowLogGroup"),
    ),
    Fault(
        "a secret without the address of its database",
        data.the_master_secret_has_the_address,
        "Database is the target of [], not of ['DatabaseSecret']",
        remove("DatabaseSecretAttachment"),
    ),
    Fault(
        "a backup window in the maintenance window",
        storage.engines_can_be_restored,
        "Database has the backup 23:30-00:30 during the maintenance mon:00:00-mon:01:00",
        backup_during_maintenance,
    ),
    Fault(
        "unfinished uploads of access logs",
        storage.documents_do_not_expire,
        "AccessLogBucket keeps unfinished uploads for [] days",
        drop("AccessLogBucket", "LifecycleConfiguration/Rules/0/AbortIncompleteMultipartUpload"),
    ),
    Fault(
        "an answer that browsers forget sooner",
        browsers.browsers_upload_from_named_origins,
        "MediaBucket lets browsers ask again after 36000 seconds",
        put("MediaBucket", "CorsConfiguration/CorsRules/0/MaxAge", 36000),
    ),
    Fault(
        "a version of Valkey that does not exist",
        storage.serverless_caches_can_be_restored,
        "ServerlessCache has the version 80",
        put("ServerlessCache", "MajorEngineVersion", "80"),
        variant=SERVERLESS,
    ),
    Fault(
        "a serverless cache in two zones",
        storage.serverless_caches_can_be_restored,
        "ServerlessCache has fewer than three zones",
        drop("ServerlessCache", "SubnetIds/2"),
        variant=SERVERLESS,
    ),
    Fault(
        "a volume that is slow because it is small",
        storage.search_volume_is_copied_daily,
        "SearchVolume is as fast as its size allows",
        drop("SearchVolume", "VolumeType"),
    ),
    Fault(
        "snapshots at a time that does not exist",
        storage.search_volume_is_copied_daily,
        "SearchSnapshots has a schedule that DLM refuses",
        put("SearchSnapshots", "PolicyDetails/Schedules/0/CreateRule/Times/0", "24:30"),
    ),
    Fault(
        "a bucket that another environment may change",
        data.buckets_are_private,
        "AccessLogBucket may be changed by the launch role of another environment",
        drop("AccessLogBucket", "AbacStatus"),
    ),
    Fault(
        "a worker on another platform than its image",
        compute.tasks_of_an_image_have_one_platform,
        "WorkerTaskDefinition runs its image on",
        put("WorkerTaskDefinition", "RuntimePlatform/CpuArchitecture", "X86_64"),
    ),
    Fault(
        "a one-off task without capacity",
        compute.tasks_of_an_image_have_one_platform,
        "CapacityProviders starts no task without a strategy",
        drop("CapacityProviders", "DefaultCapacityProviderStrategy/0/Weight"),
    ),
    Fault(
        "a second server beside the one with the volume",
        server.the_server_is_complete_when_it_has_booted,
        "SearchGroup may replace an instance while its volume is attached",
        drop("SearchGroup", "InstanceMaintenancePolicy"),
    ),
    Fault(
        "images that are kept permanently",
        promises.images_cannot_change,
        "ImageRepositoryOfEnvironment keeps images permanently",
        put("ImageRepositoryOfEnvironment", "LifecyclePolicy", {}),
    ),
    Fault(
        "a deployment that stops nearly all workers",
        promises.deployments_keep_the_api_up,
        "WorkerService has 10 to 200 % of its tasks during a deployment",
        put("WorkerService", "DeploymentConfiguration/MinimumHealthyPercent", 10),
    ),
    Fault(
        "a beat that crashes after each start",
        compute.bad_versions_are_rolled_back,
        "BeatService never gives up a version",
        put(
            "BeatService",
            "DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask",
            True,
        ),
    ),
    Fault(
        "a rollback because Spot has reclaimed tasks",
        compute.bad_versions_are_rolled_back,
        "WorkerService takes the tasks that Spot reclaims for failures",
        put(
            "WorkerService",
            "DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask",
            False,
        ),
    ),
    Fault(
        "an api in the zones that were left",
        compute.rebalancing_stops_no_job,
        "ApiService stays in the zones that were left",
        put("ApiService", "AvailabilityZoneRebalancing", "DISABLED"),
    ),
    Fault(
        "Spot capacity that no task uses",
        compute.spot_follows_the_parameter,
        "WorkerService starts no task on ['FARGATE_SPOT']",
        put("WorkerService", "CapacityProviderStrategy/1/Weight", 0),
    ),
    Fault(
        "more tasks on demand than on Spot",
        compute.spot_follows_the_parameter,
        "WorkerService runs above its base on demand mostly",
        put("WorkerService", "CapacityProviderStrategy/0/Weight", 10),
    ),
    Fault(
        "a health check at another pace than the contract's",
        tasks.targets_are_healthy_in_time,
        "ApiTargetGroup asks Health(path='/api/v1/health', interval=30",
        drop("ApiTargetGroup", "HealthCheckIntervalSeconds"),
    ),
    Fault(
        "a task definition with a random family",
        tasks.containers_get_what_the_contract_says,
        "BeatTaskDefinition has the family None",
        drop("BeatTaskDefinition", "Family"),
    ),
    Fault(
        "a listener whose certificate has no ARN",
        edge.clients_get_https,
        "HttpsListener has no certificate",
        put("HttpsListener", "Certificates", [{}]),
    ),
    Fault(
        "a firewall without a rule group",
        edge.the_firewall_is_in_front,
        "WebAcl lacks AWSManagedRulesSQLiRuleSet",
        drop("WebAcl", "Rules/3"),
    ),
)
