"""What policies are evaluated against where ministack leaves it out or differs.

A request's resource and a resource's tags: a policy that names them would allow nothing, although AWS would allow the
call. aws:PrincipalArn of a session: AWS gives the ARN of the role with its path, and not that of the session.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

from collections.abc import Iterator
from typing import Any

from ministack.services import tagging

from embedded_aws.bridge import functions, tables
from embedded_aws.services.service_catalog.callers import without_session

UNKNOWN = "*"
_TAG = "aws:resourcetag/"
# What a call that creates a resource is about: the resource has no ID yet.
_NEW = {
    "acm:ImportCertificate": "certificate/*",
    "acm:RequestCertificate": "certificate/*",
}


def install() -> None:
    """Name the resource of requests that create one, find the tags of resources, and name the role of a session."""
    extract = functions.request_resource.current
    resolve = functions.resolve_condition_key.current

    def resource(service: str, *request: Any) -> str:
        found = str(extract(service, *request))
        *sent, region, account = request
        if found != UNKNOWN:
            return found
        new = _NEW.get(functions.request_action(service, *sent) or "")
        return f"arn:aws:{service}:{region}:{account}:{new}" if new else found

    def condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return without_session(context.principal_arn)
        found = resolve(key, context)
        if found is None and key.lower().startswith(_TAG):
            return _tag_of(context.resource_arn, key[len(_TAG) :])
        return found

    functions.request_resource.replace(resource)
    functions.resolve_condition_key.replace(condition_key)
    tables.TAGS_OF_RESOURCES.update(
        acm=_certificates,
        ecr=functions.repository_tags.current,
        ecs=functions.cluster_tags.current,
    )


def _tag_of(arn: str, key: str) -> str | None:
    """The value of a resource's tag; ministack looks for it only where a policy of the caller, not a boundary, names one."""
    for name, value in (tagging.resource_tags(arn) or {}).items():
        if name.lower() == key.lower():
            return str(value)
    return None


def _certificates() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for arn, certificate in tables.CERTIFICATES.items():
        yield arn, certificate.get("Tags", [])
