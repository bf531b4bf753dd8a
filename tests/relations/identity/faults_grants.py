"""Faults in what roles and the policies of resources allow."""

from __future__ import annotations

from tests.relations.identity import checks_resource_policies as resource_policies
from tests.relations.identity.checks_grants import (
    grants_hold_under_their_conditions_only,
    roles_may_do_nothing_more,
    roles_may_do_their_work,
)
from tests.relations.identity.checks_statements import (
    denials_limit_what_is_allowed,
    statements_have_every_element,
)
from tests.relations.planting import append, drop, put, remove
from tests.relations.registry import Fault

POLICY = "Policies/0/PolicyDocument/Statement"

FAULTS = (
    Fault(
        "a function that may not delete noncurrent versions, where it may empty buckets",
        roles_may_do_their_work,
        "BucketRemovalRole does not allow s3:DeleteObjectVersion on {DocumentsBucket}/report.pdf",
        drop("BucketEmptying", "PolicyDocument/Statement/1/Action/1"),
        "complete dev",
    ),
    Fault(
        "a worker that may not use the media",
        roles_may_do_their_work,
        "WorkerTaskRole does not allow s3:PutObject on {MediaBucket}/report.pdf",
        drop("WorkerBucketAccess", "PolicyDocument/Statement/0/Resource/1"),
    ),
    Fault(
        "a launch check that does not know the buckets of one namespace",
        roles_may_do_their_work,
        "LaunchCheckRole does not allow s3:ListBucket on arn:aws:s3:::carbon-connect-prod-media",
        drop("LaunchCheckRole", f"{POLICY}/2/Resource/2"),
    ),
    Fault(
        "a migration whose function may not tag its task",
        roles_may_do_their_work,
        "RunMigrationRole does not allow ecs:TagResource",
        put("RunMigrationRole", f"{POLICY}/2/Effect", "Deny"),
    ),
    Fault(
        "a workflow that may not push",
        roles_may_do_their_work,
        "DeployRole does not allow ecr:PutImage",
        remove("PushPolicy"),
    ),
    Fault(
        "a server that attaches its volume to an instance of another project",
        grants_hold_under_their_conditions_only,
        "SearchRole allows ec2:AttachVolume",
        drop("SearchRole", f"{POLICY}/1/Condition/StringEquals"),
    ),
    Fault(
        "code of a function that may assign addresses",
        grants_hold_under_their_conditions_only,
        "QueueDepthRole allows ec2:AssignPrivateIpAddresses",
        drop("QueueDepthRole", f"{POLICY}/2/Action/4"),
    ),
    Fault(
        "a certificate of another environment that takes the own tag",
        grants_hold_under_their_conditions_only,
        "DevelopmentCertificateRole allows acm:ImportCertificate",
        drop("DevelopmentCertificateRole", f"{POLICY}/1/Condition/StringEqualsIfExists"),
        "dev on what exists",
    ),
    Fault(
        "a permission that the code of a function does not use",
        roles_may_do_nothing_more,
        "DatabaseStorageRole allows rds:StopDBInstance, which its holder never calls",
        append("DatabaseStorageRole", f"{POLICY}/1/Action", "rds:StopDBInstance"),
    ),
    Fault(
        "tasks that delete noncurrent versions of documents",
        roles_may_do_nothing_more,
        "WorkerTaskRole allows s3:DeleteObjectVersion, which its holder never calls",
        append("WorkerBucketAccess", "PolicyDocument/Statement/0/Action", "s3:DeleteObjectVersion"),
    ),
    Fault(
        "a server that reads a secret of the application",
        roles_may_do_nothing_more,
        "on {JwtSecret}, where its holder never calls it",
        append("SearchRole", f"{POLICY}/7/Resource", {"Ref": "JwtSecret"}),
    ),
    Fault(
        "a worker that writes the environment file of the api",
        grants_hold_under_their_conditions_only,
        "WorkerTaskRole allows s3:PutObject on {MediaBucket}/settings/1.env",
        drop("WorkerBucketAccess", "PolicyDocument/Statement/3"),
    ),
    Fault(
        "a statement without resources",
        statements_have_every_element,
        "Statement ReadTheServices of ImageUpdateRole has no Resource",
        put("ImageUpdateRole", f"{POLICY}/3/Resource", []),
    ),
    Fault(
        "a condition without keys",
        statements_have_every_element,
        "A condition of statement  of ApiTaskRole is empty",
        put("ApiTaskRole", "AssumeRolePolicyDocument/Statement/0/Condition/ArnLike", {}),
    ),
    Fault(
        "a statement that denies what it allowed",
        denials_limit_what_is_allowed,
        "LaunchCheckRole is denied iam:CreateServiceLinkedRole, which nothing allows",
        put("LaunchCheckRole", f"{POLICY}/11/Effect", "Deny"),
    ),
    Fault(
        "a key that no one can administer",
        resource_policies.services_may_use_the_resources,
        "Key does not allow arn:aws:iam::111122223333:root kms:PutKeyPolicy",
        put("Key", "KeyPolicy/Statement/0/Effect", "Deny"),
    ),
    Fault(
        "a bucket that refuses the log of the load balancer",
        resource_policies.services_may_use_the_resources,
        "AccessLogBucketPolicy does not allow logdelivery.elasticloadbalancing.amazonaws.com s3:PutObject",
        drop("AccessLogBucketPolicy", "PolicyDocument/Statement/0"),
    ),
    Fault(
        "a key that encrypts the logs of another account",
        resource_policies.services_use_the_resources_for_this_account_only,
        "Key allows logs.eu-north-1.amazonaws.com kms:Encrypt",
        drop("Key", "KeyPolicy/Statement/1/Condition"),
    ),
    Fault(
        "a key without an alias",
        resource_policies.launch_roles_tell_keys_and_profiles_apart,
        "Key has the alias None",
        remove("KeyAlias"),
    ),
    Fault(
        "an instance profile without the path of its environment",
        resource_policies.launch_roles_tell_keys_and_profiles_apart,
        "SearchInstanceProfile has the path None",
        drop("SearchInstanceProfile", "Path"),
    ),
)
