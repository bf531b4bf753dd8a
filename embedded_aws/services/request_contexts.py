"""Resources and condition keys that ministack leaves out, or sets differently, when it evaluates policies.

- The resource of a request and the tags of a resource: without them, a policy that names them allows nothing.
- aws:PrincipalArn of a session: on AWS the ARN of the role with its path, not that of the session.
- The path in the ARN of a role, the stack of a change set, the boundary, the managed policy and the linked service of a request to IAM.
- The names, types and actions of a change of DNS records.
- The log stream of a request to read or write its events.
- aws:SecureTransport is true: the endpoint is on this machine.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from ministack.services import tagging

from embedded_aws.bridge import functions, tables
from embedded_aws.resources.identity.service_linked_roles import role_name
from embedded_aws.services.service_catalog.callers import without_session

UNKNOWN = "*"
_TAG = "aws:resourcetag/"
# The resource of a call that creates it, which has no ID yet.
_NEW = {
    "acm:ImportCertificate": "certificate/*",
    "acm:RequestCertificate": "certificate/*",
}

# The stream in the ARN of FilterLogEvents is empty, so that a policy for log groups needs the asterisk of GetAtt's ARN.
_ON_STREAMS = (
    "logs:DeleteLogStream",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
_STREAM = ":log-stream:"


def install() -> None:
    """Complete the resources, the tags and the condition keys."""
    functions.request_resource.replace(_naming_resource(functions.request_resource.current))
    functions.request_tags.replace(_with_iam_keys(functions.request_tags.current))
    functions.resolve_condition_key.replace(_resolving(functions.resolve_condition_key.current))
    tables.TAGS_OF_RESOURCES.update(
        acm=_certificates,
        ecr=functions.repository_tags.current,
        ecs=functions.cluster_tags.current,
        logs=_log_groups,
        elasticloadbalancing=tables.LOAD_BALANCING_TAGS.items,
        rds=_databases,
    )


def _naming_resource(extract: Callable[..., Any]) -> Callable[..., str]:
    def resource(service: str, *request: Any) -> str:
        found = str(extract(service, *request))
        *sent, region, account = request
        if service == "iam":
            linked = functions.request_field(sent[-1], "AWSServiceName")
            if linked:
                return f"arn:aws:iam::{account}:role/aws-service-role/{linked}/{role_name(linked)}"
            return _with_path(found, sent[-1])
        if service == "logs":
            return _of_stream(found, functions.request_action(service, *sent) or "", sent[-2])
        if found != UNKNOWN:
            return found
        action = functions.request_action(service, *sent) or ""
        if service == "cloudformation":
            return _of_change_set(action, sent[-1])
        if service == "rds" and (
            snapshot := functions.request_field(sent[-1], "DBSnapshotIdentifier")
        ):
            is_arn = snapshot.startswith("arn:")
            return snapshot if is_arn else f"arn:aws:rds:{region}:{account}:snapshot:{snapshot}"
        new = _NEW.get(action)
        return f"arn:aws:{service}:{region}:{account}:{new}" if new else found

    return resource


def _resolving(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return without_session(context.principal_arn)
        if key.lower() == "aws:securetransport":
            return "true"
        found = resolve(key, context)
        if found is None and key.lower().startswith(_TAG):
            return _tag_of(context.resource_arn, key[len(_TAG) :])
        return found

    return condition_key


def _with_iam_keys(tags: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        found = tags(service, action, body, parameters)
        if action == "route53:ChangeResourceRecordSets":
            return {**found, **_of_records(body)}
        return {**found, **_of_iam(parameters)} if service == "iam" else found

    return request_context


def _with_path(arn: str, parameters: Any) -> str:
    """The ARN of a role with its path: of an existing role, or of the role that a request creates."""
    account, _, name = arn.rpartition(":role/")
    if not account:
        return arn
    role = tables.ROLES.get(name)
    path = role["Path"] if role else functions.request_field.current(parameters, "Path") or "/"
    return f"{account}:role{path}{name}"


def _of_stream(arn: str, action: str, body: bytes) -> str:
    """The ARN of the log stream of an action on one; ministack has that of its group."""
    if action not in _ON_STREAMS:
        return arn
    return f"{arn}{_STREAM}{json.loads(body).get('logStreamName', '')}"


def _of_change_set(action: str, parameters: Any) -> str:
    """The ARN of the stack of a change set that a request names by its ARN; for DescribeEvents, that of the change set."""
    name = functions.request_field.current(parameters, "ChangeSetName")
    change_set = tables.CHANGE_SETS.get(name) or {}
    if action == "cloudformation:DescribeEvents" and change_set:
        return str(name)
    return str(change_set.get("StackId", UNKNOWN))


def _of_iam(parameters: Any) -> dict[str, Any]:
    """The boundary that a request sets, or else the boundary of its role, the managed policy, and the service of a service-linked role."""
    field = functions.request_field.current
    role = tables.ROLES.get(field(parameters, "RoleName")) or {}
    boundary = field(parameters, "PermissionsBoundary") or role.get("PermissionsBoundary")
    keys = {
        "iam:permissionsboundary": boundary,
        "iam:policyarn": field(parameters, "PolicyArn"),
        "iam:awsservicename": field(parameters, "AWSServiceName"),
    }
    return {key: value for key, value in keys.items() if value}


def _of_records(body: bytes) -> dict[str, list[str]]:
    """The records that a request changes: names in lower case without the final dot, types and actions."""
    prefix = "route53:changeresourcerecordsets"
    values: dict[str, list[str]] = {}
    for change in ElementTree.fromstring(body).iterfind(".//{*}Change"):  # noqa: S314 - the caller is this machine
        name = change.findtext("{*}ResourceRecordSet/{*}Name", "").lower().rstrip(".")
        values.setdefault(f"{prefix}normalizedrecordnames", []).append(name)
        kind = change.findtext("{*}ResourceRecordSet/{*}Type", "")
        values.setdefault(f"{prefix}recordtypes", []).append(kind)
        values.setdefault(f"{prefix}actions", []).append(change.findtext("{*}Action", ""))
    return values


def _tag_of(arn: str, key: str) -> str | None:
    """The value of a resource's tag; ministack reads it only if a policy of the caller, not a boundary, names one."""
    # A log group has tags, a stream has none.
    for name, value in (tagging.resource_tags(arn.removesuffix(_STREAM)) or {}).items():
        if name.lower() == key.lower():
            return str(value)
    return None


def _certificates() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for arn, certificate in tables.CERTIFICATES.items():
        yield arn, certificate.get("Tags", [])


def _log_groups() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for group in tables.LOG_GROUPS.values():
        tags = [{"Key": key, "Value": value} for key, value in (group.get("tags") or {}).items()]
        yield group["arn"].removesuffix(":*"), tags


def _databases() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for database in tables.DATABASES.values():
        arn = database["DBInstanceArn"]
        yield arn, database.get("TagList") or tables.RDS_TAGS.get(arn) or []
