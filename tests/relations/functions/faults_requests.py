"""Faults in what functions receive, and in when they run."""

from __future__ import annotations

from tests.relations.functions import checks_requests as requests
from tests.relations.functions.checks_code import custom_resources_pass_what_their_code_reads
from tests.relations.functions.checks_functions import (
    callers_wait_for_the_function,
    former_users_stay_until_replaced_tasks_have_ended,
    functions_reach_the_cache_and_the_database,
    measurements_are_not_repeated,
)
from tests.relations.planting import drop, put, remove
from tests.relations.registry import Fault

FAULTS = (
    Fault(
        "a launch check that judges another size than that of the database",
        requests.the_launch_check_judges_the_launch,
        "LaunchCheck judges DatabaseAllocatedStorage 500, and the launch has 50",
        put("LaunchCheck", "DatabaseAllocatedStorage", "500"),
    ),
    Fault(
        "a launch check that does not receive the range of the VPC",
        requests.the_launch_check_judges_the_launch,
        "VpcCidr is missing from LaunchCheck",
        drop("LaunchCheck", "VpcCidr"),
    ),
    Fault(
        "a stack that is not protected although its database is",
        requests.protection_is_that_of_the_parameters,
        "DeletionProtection has ProtectStack false, but the parameters say True",
        put("DeletionProtection", "ProtectStack", "false"),
    ),
    Fault(
        "a release that leaves the protection as a user changed it",
        requests.protection_is_that_of_the_parameters,
        "DeletionProtection does not change with a release",
        drop("DeletionProtection", "Release"),
    ),
    Fault(
        "a function that changes in an update that the check refuses",
        requests.the_function_follows_the_launch_check,
        "DeletionProtectionRole may change before LaunchCheck refuses the update",
        drop("DeletionProtectionLogGroup", "../DependsOn"),
    ),
    Fault(
        "a bucket that its environment leaves behind",
        requests.all_buckets_are_removed_together,
        "BucketCleanup removes ['DocumentsBucket']",
        drop("BucketCleanup", "Buckets/1"),
    ),
    Fault(
        "a migration in the network of another service",
        requests.migration_runs_like_a_worker,
        "The migration has other SecurityGroupIds than the workers",
        put("Migration", "SecurityGroupIds", ["sg-other"]),
    ),
    Fault(
        "an image that is not migrated",
        requests.migration_runs_like_a_worker,
        "0 migrations run alembic upgrade head",
        remove("Migration"),
    ),
    Fault(
        "a certificate for another name",
        requests.the_certificate_is_of_the_load_balancer,
        "does not have the name of the load balancer",
        put("DevelopmentCertificate", "DomainNames", ["example.com"]),
        "dev on what exists",
    ),
    Fault(
        "a property that no code reads",
        custom_resources_pass_what_their_code_reads,
        "ZoneCleanup passes Zone, which the code of ZoneCleanupFunction does not read",
        put("ZoneCleanup", "Zone", "Z1"),
    ),
    Fault(
        "a measurement that Lambda repeats",
        measurements_are_not_repeated,
        "Lambda repeats the runs of QueueDepthFunction",
        remove("QueueDepthInvocations"),
    ),
    Fault(
        "a measurement that is late",
        measurements_are_not_repeated,
        "starts 600 seconds late",
        put("DatabaseStorageInvocations", "MaximumEventAgeInSeconds", 600),
    ),
    Fault(
        "a function that runs longer than the workflow waits",
        callers_wait_for_the_function,
        "ImageUpdateFunction may run for 600 seconds, and its caller waits 60",
        put("ImageUpdateFunction", "Timeout", 600),
    ),
    Fault(
        "a migration that Lambda ends, because its function invokes itself too often",
        callers_wait_for_the_function,
        "RunMigrationFunction waits 3420 seconds in runs of 90: Lambda ends the chain",
        put("RunMigrationFunction", "Timeout", 90),
    ),
    Fault(
        "a function that connects to another port than that of the cache",
        functions_reach_the_cache_and_the_database,
        "QueueDepthFunction connects to port 637 of the cache, which has 6379",
        put("QueueDepthFunction", "Environment/Variables/CACHE_PORT", "637"),
    ),
    Fault(
        "a function outside the VPC of its database",
        functions_reach_the_cache_and_the_database,
        "DatabaseExtensionsFunction does not reach ['Database']",
        drop("DatabaseExtensionsFunction", "VpcConfig"),
    ),
    Fault(
        "a database user that is closed while tasks connect as it",
        former_users_stay_until_replaced_tasks_have_ended,
        "DatabaseExtensionsFunction closes users after 13 seconds",
        put("DatabaseExtensionsFunction", "Environment/Variables/RETIREMENT_SECONDS", "13"),
    ),
)
