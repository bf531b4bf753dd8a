"""The calls that `plan` and `publish` make, recorded on the embedded AWS, for the publisher role.

    python -m tools.publisher_calls

writes templates_src/access/publisher_calls.json. Run it when `plan` or `publish` makes a new call, when a bootstrap
stack gets a new resource type or property, or when cfn-lint gets a new version.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions, publish
from pipeline.catalog.spec.model import Catalog
from pipeline.checks.permissions import called_actions
from pipeline.environments.account.requirements import require_publication
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, assemble, serialize, template_path
from templates_src.access.launcher import NAME as LAUNCHER
from templates_src.access.publisher_calls import CALLS, Calls
from templates_src.launch_role.template import NAME as LAUNCH_ROLE
from templates_src.release_bucket.template import NAME as RELEASE_BUCKET
from tools.publisher_scenario import REGION, TAKEN_ID, scenario

WAITS = (0.0, 0.0)
BOOTSTRAP_STACKS = (LAUNCH_ROLE, LAUNCHER, RELEASE_BUCKET)
# Operations whose action has another name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    # Every principal can call it.
    "sts:GetCallerIdentity": (),
    # An account's own quotas leave out those without an applied value, which the defaults of AWS have.
    "servicequotas:ListServiceQuotas": (
        "servicequotas:ListAWSDefaultServiceQuotas",
        "servicequotas:ListServiceQuotas",
    ),
    # Additional actions that an operation needs.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_service-catalog.html
    "servicecatalog:CreateConstraint": ("servicecatalog:CreateConstraint", "iam:PassRole"),
    "servicecatalog:CreatePortfolio": (
        "servicecatalog:CreatePortfolio",
        "servicecatalog:TagResource",
    ),
    # AWSServiceCatalogAdminFullAccess has ValidateTemplate: Service Catalog validates the template of a version.
    "servicecatalog:CreateProduct": (
        "servicecatalog:CreateProduct",
        "servicecatalog:TagResource",
        "cloudformation:ValidateTemplate",
    ),
    "cloudformation:CreateChangeSet": (
        "cloudformation:CreateChangeSet",
        "cloudformation:TagResource",
        "cloudformation:UntagResource",
    ),
}
# The properties that cause calls of the bucket's handlers, besides reading; a bucket whose creation fails is deleted
# again.
OF_BUCKETS: Mapping[str, tuple[str, ...]] = {
    "BucketName": ("s3:CreateBucket", "s3:DeleteBucket"),
    "BucketEncryption": ("s3:PutEncryptionConfiguration",),
    "LifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "OwnershipControls": ("s3:PutBucketOwnershipControls",),
    "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
    "Tags": ("s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource"),
    "VersioningConfiguration": ("s3:PutBucketVersioning",),
}
# The policies of the stacks are attached to roles.
OF_NO_STACK = ("GroupPolicy", "UserPolicy")


class Recording(Aws):
    """Clients that record each call."""

    note: Callable[[str], None] = staticmethod(lambda _name: None)

    def client(self, service: str) -> Any:
        """The client of a service, created once."""
        is_new = service not in self._clients
        client = super().client(service)
        if is_new:
            client.meta.events.register("before-call", self._called)
        return client

    def _called(self, model: Any, **_more: Any) -> None:
        self.note(f"{model.service_model.signing_name}:{model.name}")


class Recorder:
    """Publishes to an embedded AWS and records the actions of planning and of publishing."""

    def __init__(self, running: EmbeddedAws) -> None:
        self.aws = Recording(REGION, running.environment())
        self.aws.note = self._note
        self.admin = Aws(REGION, running.environment())
        self.plans: set[str] = set()
        self.publications: set[str] = set()
        self.phase = self.plans
        self.lock = threading.Lock()

    def publish(self, release: Release, known: Catalog) -> None:
        """Plan and publish. Raises PipelineError for a publication that fails, except by the stack that must fail."""
        self.phase = self.plans
        plans = plan_regions(lambda _region: self.aws, release, known)
        require_publication(plans)
        self.phase = self.publications
        try:
            publish(plans, waits=WAITS)
        except PipelineError as error:
            if f"{TAKEN_ID}: " not in str(error):
                raise

    def _note(self, name: str) -> None:
        with self.lock:
            self.phase.update(ACTIONS.get(name, (name,)))


def record(release: Release | None = None) -> Calls:
    """Publish every case that makes another call, and return the actions with those of the stacks' handlers.

    Raises PipelineError if the use of a handler of a bootstrap stack is unknown.
    """
    release = release or assemble()
    with EmbeddedAws.start(region=REGION) as running:
        recorder = Recorder(running)
        for step in scenario(recorder.admin, release):
            recorder.publish(*step)
    plan = recorder.plans
    publication = recorder.publications - plan
    stacks = {action for action in publication if action.startswith("cloudformation:")}
    stacks -= {"cloudformation:ValidateTemplate"}
    bootstrap = (stacks | handlers(release)) - plan
    return Calls(
        tuple(sorted(plan)),
        tuple(sorted(publication - stacks)),
        tuple(sorted(bootstrap)),
    )


def handlers(release: Release) -> set[str]:
    """The calls of the handlers of the bootstrap stacks' resources."""
    found: set[str] = set()
    for name in BOOTSTRAP_STACKS:
        body = json.loads(release.bootstrap_stacks[template_path(name)])
        for resource in body["Resources"].values():
            actions = set(called_actions(resource["Type"]))
            if resource["Type"] == "AWS::S3::Bucket":
                actions = of_bucket(actions, resource["Properties"])
            found |= actions
    return {action for action in found if not action.endswith(OF_NO_STACK)}


def of_bucket(actions: Iterable[str], properties: Mapping[str, Any]) -> set[str]:
    """The actions that a bucket with these properties needs. Raises PipelineError for an unknown property."""
    if unknown := sorted(properties.keys() - OF_BUCKETS.keys()):
        raise PipelineError(
            f"The release bucket has the property {unknown[0]}, and it is not known which calls it leads to; "
            "add them in tools/publisher_calls.py."
        )
    used = {action for name in properties for action in OF_BUCKETS[name]}
    return used | {each for each in actions if each.startswith(("s3:Get", "s3:List"))}


def text(calls: Calls) -> bytes:
    """The content of the committed file."""
    return serialize(
        {
            "Generated": "by `python -m tools.publisher_calls` from calls on the embedded AWS: do not edit",
            **calls.document(),
        }
    )


def main() -> None:
    """Write the file."""
    body = text(record())
    changed = not CALLS.exists() or CALLS.read_bytes() != body
    CALLS.write_bytes(body)
    print(f"{CALLS.name} {'is written' if changed else 'has not changed'}.")


if __name__ == "__main__":
    main()
