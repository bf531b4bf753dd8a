"""Roles: trusted principals, and wildcards in the policies of roles and resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.registry import relation
from tests.relations.text import listed, text_of
from tests.rendering import id_of, resources, resources_of_type

ROLE = "AWS::IAM::Role"
ISSUER = "token.actions.githubusercontent.com"
SUBJECT = re.compile(
    r"repo:[\w.-]+(?P<ids>@\d+)?/[\w.-]+(?(ids)@\d+):environment:(dev|staging|prod)"
)

VOLUMES, SNAPSHOTS = "arn:aws:ec2:REGION:ACCOUNT:volume/*", "arn:aws:ec2:REGION::snapshot/*"
TASKS = "arn:aws:ecs:REGION:ACCOUNT:task/<Cluster>/*"
CERTIFICATES = "arn:aws:acm:REGION:ACCOUNT:certificate/*"

# Every wildcard in an action or a resource, by the Sid of its statement, with its reason.
WILDCARDS: dict[str, tuple[set[str], str]] = {
    "ProtectTasksOfThisCluster": (
        {"arn:aws:ecs:REGION:ACCOUNT:task/<Cluster>/*"},
        "the ID of a task exists when it starts",
    ),
    "CreateServiceLinkedRoles": (
        {"arn:aws:iam::ACCOUNT:role/aws-service-role/*"},
        "AWS names the roles; the condition names the services",
    ),
    "AccountDecidesInIam": (
        {"kms:*", "*"},
        "a key policy: * is the key; without the account the policy could not be corrected",
    ),
    "LogsOfThisAccount": (
        {"kms:ReEncrypt*", "kms:GenerateDataKey*", "*"},
        "a key policy: * is the key; the actions are families of two, as AWS documents them",
    ),
    "AlarmsOfThisAccount": (
        {"kms:GenerateDataKey*", "*"},
        "a key policy: * is the key; the action is a family of two",
    ),
    "SignInToRegistry": ({"*"}, "GetAuthorizationToken knows no resource"),
    "ReadTheirValues": (
        {
            "arn:aws:cloudformation:REGION:ACCOUNT:stack/STACK-*/*",
            "arn:aws:cloudformation:REGION:ACCOUNT:stack/NETWORK-*/*",
        },
        "CloudFormation ends the name and the ARN of a nested stack with characters of its choice; it reads",
    ),
    "ReadTheStorageOfTheDatabase": (
        {"arn:aws:rds:REGION:ACCOUNT:db:*"},
        "the instance has no identifier before the data layer exists; it reads",
    ),
    "ReadTheSnapshot": (
        {"arn:aws:rds:REGION:ACCOUNT:snapshot:*"},
        "the snapshot is any that a parameter names, by name or ARN; it reads",
    ),
    "ReadTheStateOfItsKey": (
        {"arn:aws:kms:REGION:ACCOUNT:key/*"},
        "a snapshot has any key, and the key policy decides too; it reads",
    ),
    "ReadTheCertificate": (
        {"arn:aws:acm:REGION:ACCOUNT:certificate/*"},
        "the certificate is any that a parameter names, and may have no tags; it reads",
    ),
    "ReadZonesAndSnapshots": ({"*"}, "DescribeAvailabilityZones and DescribeSnapshots list"),
    "PublishMetricsOfThisEnvironment": ({"*"}, "a metric has no ARN; bound to one namespace"),
    "UpdateTheProductItOwns": (
        {"*"},
        "a provisioned product has no ARN in Service Catalog; bound to what the role owns",
    ),
    "ReadTheParametersOfItsProduct": (
        {"arn:aws:catalog:REGION:*:product/*"},
        "a product has no id before it is published, and a shared one is another account's; it reads",
    ),
    "KeepObjects": (
        {"<DocumentsBucket.Arn>/*", "<MediaBucket.Arn>/*"},
        "objects of the two buckets, with any keys",
    ),
    "FetchDocumentsBackFromGlacier": ({"<DocumentsBucket.Arn>/*"}, "objects of one bucket"),
    "OpenSessionChannels": ({"*"}, "channels of ECS Exec have no ARN"),
    "FindTheLogGroup": ({"*"}, "DescribeLogGroups lists"),
    "ReadTheHostedZone": (
        {"arn:aws:route53:::hostedzone/*"},
        "the policy would change with the zone in the update that the check examines; it reads",
    ),
    "OpenSessions": (
        {"*"},
        "channels of Session Manager have no ARN, the instance none in advance",
    ),
    "PublishToThisNamespaceOnly": ({"*"}, "a metric has no ARN; bound to one namespace"),
    "AttachToTheSearchServer": (
        {"arn:aws:ec2:REGION:ACCOUNT:instance/*"},
        "an instance has no id in advance; bound to the environment's tags",
    ),
    "ConnectTheSearchServer": (
        {"arn:aws:ec2:REGION:ACCOUNT:instance/*"},
        "an instance has no ID in advance; bound to the environment's tags",
    ),
    "SeeWhetherTheVolumeIsFree": ({"*"}, "DescribeVolumes lists"),
    "FindVolumesAndSnapshots": ({"*"}, "DescribeVolumes and DescribeSnapshots list"),
    "SnapshotVolumesOfThisEnvironment": ({VOLUMES}, "bound to the environment's tags"),
    "MakeAndTagSnapshots": ({SNAPSHOTS}, "a snapshot has neither id nor tags in advance"),
    "ExpireSnapshotsOfThisEnvironment": ({SNAPSHOTS}, "bound to the environment's tags"),
    "UseTheKeyThroughEbsOnly": ({"kms:ReEncrypt*"}, "a family of two, as AWS documents it"),
    "ConnectToTheVpc": ({"*"}, "describing lists, and an interface has no id in advance"),
    "NotFromTheFunctionsCode": ({"*"}, "it denies"),
    "ImportAsItsOwn": ({CERTIFICATES}, "a certificate has no id in advance; bound to its tag"),
    "RenewAndDeleteItsOwn": ({CERTIFICATES}, "which it is is not known; bound to its tag"),
    "SeeWhetherTheEnvironmentIsDeleted": (
        {"arn:aws:cloudformation:REGION:ACCOUNT:stack/STACK*"},
        "a stack has no id in advance; names that begin with the root's; it reads",
    ),
    "ReadTheDeploymentsAndTasks": (
        {"arn:aws:ecs:REGION:ACCOUNT:service-deployment/<Cluster>/*", TASKS},
        "neither has an ID in advance; it reads",
    ),
    "ListTheTasks": ({"*"}, "ListTasks lists; bound to the cluster"),
    "ReadTheSettings": (
        {"arn:aws:s3:::MEDIA/settings/*"},
        "the environment files of every version, in one folder of one bucket",
    ),
    "ReadEnvironmentFiles": (
        {"<MediaBucket.Arn>/settings/*"},
        "the environment files of every version, in one folder of one bucket",
    ),
    "KeepAwayFromSettings": ({"s3:*", "<MediaBucket.Arn>/settings/*"}, "it denies"),
    "RunTheMigration": (
        {"arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*"},
        "each image is a new revision of the one family",
    ),
    "TagTheTaskThatItStarts": ({TASKS}, "a task has no ID in advance; only while it starts one"),
    "ListTheTasksOfTheCluster": ({"*"}, "ListTasks lists; bound to the cluster"),
    "SeeTheTask": ({TASKS}, "a task has no ID in advance; it reads"),
    "StopTheTaskThatItStarted": ({TASKS}, "a task has no ID in advance; bound to its tag"),
    "SeeWhetherAnUpdateIsRolledBack": (
        {"arn:aws:cloudformation:REGION:ACCOUNT:stack/COMPUTE*"},
        "a stack has no ID in advance; names that begin with the root's; it reads",
    ),
    "DeleteVersionsAndUploads": (
        {"<DocumentsBucket.Arn>/*", "<MediaBucket.Arn>/*"},
        "objects of the two buckets, with any keys, where the environment may empty them",
    ),
    "LoadBalancersOfThisAccountWrite": (
        {"<AccessLogBucket.Arn>/AWSLogs/ACCOUNT/*"},
        "the logs of this account's load balancers",
    ),
    "RefusePlainHttp": (
        {
            "s3:*",
            "<DocumentsBucket.Arn>/*",
            "<MediaBucket.Arn>/*",
            "<AccessLogBucket.Arn>/*",
        },
        "it denies",
    ),
}
# A statement on these resources is limited by its conditions instead.
BOUND = {
    "CreateServiceLinkedRoles": "iam:AWSServiceName",
    "PublishMetricsOfThisEnvironment": "cloudwatch:namespace",
    "UpdateTheProductItOwns": "servicecatalog:roleLevel",
    "LogsOfThisAccount": "kms:EncryptionContext:aws:logs:arn",
    "AlarmsOfThisAccount": "aws:SourceAccount",
    "PublishToThisNamespaceOnly": "cloudwatch:namespace",
    "RunTheMigration": "ecs:cluster",
    "TagTheTaskThatItStarts": "ecs:CreateAction",
    "ListTheTasksOfTheCluster": "ecs:cluster",
    "ListTheTasks": "ecs:cluster",
    "SeeTheTask": "ecs:cluster",
    "StopTheTaskThatItStarted": "aws:ResourceTag/StartedBy",
    "AttachToTheSearchServer": "aws:ResourceTag/Environment",
    "ConnectTheSearchServer": "aws:ResourceTag/Environment",
    "DeleteRecordsOfTheZone": "route53:ChangeResourceRecordSetsActions",
    "SnapshotVolumesOfThisEnvironment": "aws:ResourceTag/Environment",
    "ExpireSnapshotsOfThisEnvironment": "aws:ResourceTag/Environment",
    "ImportAsItsOwn": "aws:RequestTag/StackId",
    "RenewAndDeleteItsOwn": "aws:ResourceTag/StackId",
}
# An output of the data layer, as rendered.
EXAMPLE_OF_MEDIA = re.compile(r"(?<=:::)mediabucket-[0-9a-f]+")
# Part of the allowed actions, never all.
# checks_migration.py says which roles the first statement passes, and to which service; BOUND names the services of the second.
IAM_BY_NAME = frozenset({"PassTheRolesOfTheTask", "CreateServiceLinkedRoles"})
WHOLE_SERVICES = ("*", "iam:", "sts:", "organizations:")


def statements(rendered: Rendered) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every statement of every policy, with type and logical ID of its resource; without trust policies."""
    for kind, resource in resources(rendered):
        documents = [
            resource.properties.get("PolicyDocument"),
            resource.properties.get("KeyPolicy"),
            *(policy["PolicyDocument"] for policy in resource.properties.get("Policies", ())),
        ]
        for document in documents:
            if isinstance(document, Mapping):
                for statement in document["Statement"]:
                    yield kind, resource.logical_id, statement


@relation
def wildcards_have_a_reason(rendered: Rendered) -> Iterator[str]:
    """Every wildcard in an action or resource is in the list with its reason, and has the condition that limits it."""
    # The name of the nested stack, as rendered: without the suffix of a launched one.
    data = f"{rendered.parameters['data']['Project']}-{rendered.parameters['data']['Environment']}-Data"
    for _, holder, statement in statements(rendered):
        sid = statement.get("Sid", "")
        if "NotAction" in statement or "NotResource" in statement:
            yield f"Statement {sid} of {holder} says what it is not about."
        parts = [*listed(statement.get("Action")), *listed(statement.get("Resource"))]
        texts = {
            EXAMPLE_OF_MEDIA.sub("MEDIA", text_of(part))
            .replace(rendered.region, "REGION")
            .replace(ACCOUNT, "ACCOUNT")
            .replace(data, "STACK")
            .replace(data.removesuffix("Data") + "Network", "NETWORK")
            .replace(data.removesuffix("Data") + "Compute", "COMPUTE")
            .replace(data.removesuffix("Data") + "migration", "FAMILY")
            for part in parts
        }
        wild = {text for text in texts if "*" in text or "?" in text}
        allowed, _ = WILDCARDS.get(sid, (set(), ""))
        for text in sorted(wild - allowed):
            yield f"Statement {sid} of {holder} has the wildcard {text}, without a reason in the list."
        conditions = {
            key for operator in statement.get("Condition", {}).values() for key in operator
        }
        if sid in BOUND and BOUND[sid] not in conditions:
            yield f"Statement {sid} of {holder} is not bound by {BOUND[sid]}."


@relation
def no_statement_allows_all_of_iam(rendered: Rendered) -> Iterator[str]:
    """No statement allows all actions or any action of IAM, and none allows every principal."""
    for _, holder, statement in statements(rendered):
        if statement["Effect"] != "Allow":
            continue
        for action in listed(statement.get("Action")):
            if (
                action.lower().startswith(WHOLE_SERVICES)
                and statement.get("Sid") not in IAM_BY_NAME
            ):
                yield f"{holder} allows {action}."
        principal = statement.get("Principal")
        if principal == "*" or (
            isinstance(principal, Mapping) and "*" in listed(principal.get("AWS"))
        ):
            yield f"{holder} allows everybody."


@relation
def policies_are_ours_and_used(rendered: Rendered) -> Iterator[str]:
    """No role has an AWS managed policy; every policy has a role of the environment."""
    roles = {role.logical_id for role in resources_of_type(rendered, ROLE)}
    for role in resources_of_type(rendered, ROLE):
        for arn in role.properties.get("ManagedPolicyArns", ()):
            yield f"{role.logical_id} has the managed policy {text_of(arn)}."
    for policy in resources_of_type(rendered, "AWS::IAM::Policy"):
        holders = {
            id_of(rendered, policy.layer, holder) for holder in policy.properties.get("Roles", ())
        }
        if not holders or holders - roles:
            yield f"{policy.logical_id} is granted to {sorted(holders) or 'no role'}."


@relation
def roles_are_bounded(rendered: Rendered) -> Iterator[str]:
    """Each role has the environment's path and, if one is set, the permissions boundary."""
    given = rendered.parameters[ROOT]
    path = f"/{given['Project']}/{given['Environment']}/"
    for role in resources_of_type(rendered, ROLE):
        if role.properties.get("Path") != path:
            yield f"{role.logical_id} has the path {role.properties.get('Path')}, not {path}."
        if role.properties.get("PermissionsBoundary", "") != given["PermissionsBoundary"]:
            yield f"{role.logical_id} is not bounded by {given['PermissionsBoundary'] or 'nothing'}."


@relation
def only_services_and_workflows_assume_roles(rendered: Rendered) -> Iterator[str]:
    """Roles trust only AWS services, and workflows through GitHub's OIDC provider."""
    for role in resources_of_type(rendered, ROLE):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            principal = statement["Principal"]
            kinds = set(principal) if isinstance(principal, Mapping) else {str(principal)}
            actions = set(listed(statement["Action"]))
            if kinds == {"Service"}:
                services = [text_of(name) for name in listed(principal["Service"])]
                odd = [name for name in services if not name.endswith(".amazonaws.com")]
                if odd or actions != {"sts:AssumeRole"}:
                    yield f"{role.logical_id} is taken on by {odd or services} with {sorted(actions)}."
            elif kinds != {"Federated"} or actions != {"sts:AssumeRoleWithWebIdentity"}:
                yield f"{role.logical_id} is taken on by {sorted(kinds)} with {sorted(actions)}."


@relation
def workflows_are_named_in_full(rendered: Rendered) -> Iterator[str]:
    """Audience and subject are compared completely: a trust without sub is open to all of GitHub."""
    given = rendered.parameters[ROOT]
    trusts = [
        (role.logical_id, statement)
        for role in resources_of_type(rendered, ROLE)
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
        if isinstance(statement["Principal"], Mapping) and "Federated" in statement["Principal"]
    ]
    if bool(trusts) != bool(given["GitHubRepository"]):
        yield f"{len(trusts)} roles trust the repository {given['GitHubRepository'] or '(none)'}."
    for role, statement in trusts:
        condition = statement.get("Condition", {})
        if set(condition) != {"StringEquals"}:
            yield f"{role} compares claims by {sorted(condition)}, not by StringEquals alone."
        claims = condition.get("StringEquals", {})
        if listed(claims.get(f"{ISSUER}:aud")) != ["sts.amazonaws.com"]:
            yield f"{role} does not hold the audience to sts.amazonaws.com."
        subjects = [text_of(subject) for subject in listed(claims.get(f"{ISSUER}:sub"))]
        if not subjects:
            yield f"{role} trusts every repository of GitHub: it has no subject."
        for subject in subjects:
            found = SUBJECT.fullmatch(subject)
            plain = re.sub(r"@\d+", "", subject)
            wanted = f"repo:{given['GitHubRepository']}:environment:{given['Environment']}"
            if not found or plain != wanted:
                yield f"{role} trusts {subject}, which is not {wanted}."
