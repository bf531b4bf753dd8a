"""The bucket of the load balancer's access logs."""

from __future__ import annotations

from dataclasses import dataclass

from awacs import s3 as s3_actions
from awacs.aws import Allow, Principal
from awacs.aws import Statement as PolicyStatement
from troposphere import Ref, Select, Sub
from troposphere.s3 import Bucket, BucketPolicy, LifecycleConfiguration, LifecycleRule

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import boolean
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS
from templates_src.core.private_bucket import ABORT_UPLOADS, private_bucket

ACCESS_LOGS = boolean(
    "AccessLogs",
    group=groups.LOAD_BALANCER,
    label="Access logs",
    description="Write the load balancer's access logs to a separate bucket, which stays when the environment is deleted.",
    default="false",
)


@dataclass(frozen=True)
class AccessLogs:
    """The bucket, and the policy that lets Elastic Load Balancing write to it; both exist only if access logs are on."""

    bucket: Bucket
    policy: BucketPolicy

    def name_once_writable(self) -> Select:
        """The bucket's name, for a property that must wait for the policy.

        DependsOn cannot name a resource that a condition omits.
        """
        return Select(0, [Ref(self.bucket), Ref(self.policy)])


def add_access_logs(layer: Layer) -> AccessLogs:
    """The attributes of the load balancer for access logs."""
    bucket = add_bucket(layer)
    return AccessLogs(bucket, add_policy(layer, bucket))


def add_bucket(layer: Layer) -> Bucket:
    """Bucket of the access logs; retained, because the load balancer writes to it immediately and S3 deletes only empty
    buckets.

    SSE-S3, because Elastic Load Balancing refuses a bucket with a KMS key. Each time logs are turned on, a new bucket
    gets a new name. The name does not contain the environment, so S3 compares tags, and the launch role of another
    environment cannot change the bucket.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
    """
    return layer.add(
        Bucket(
            "AccessLogBucket",
            Condition=layer.use(ACCESS_LOGS),
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
            **private_bucket(),
            AbacStatus="Enabled",
            LifecycleConfiguration=LifecycleConfiguration(
                Rules=[
                    LifecycleRule(
                        Id="expire",
                        Status="Enabled",
                        ExpirationInDays=layer.parameter(LOG_RETENTION_DAYS),
                        AbortIncompleteMultipartUpload=ABORT_UPLOADS,
                    )
                ]
            ),
        )
    )


def add_policy(layer: Layer, bucket: Bucket) -> BucketPolicy:
    """Let load balancers of this account write, over TLS.

    The service principal works in every region; the account IDs of Elastic Load Balancing in older regions are legacy.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    return layer.add(
        BucketPolicy(
            "AccessLogBucketPolicy",
            Condition=layer.use(ACCESS_LOGS),
            Bucket=Ref(bucket),
            PolicyDocument=iam.document(
                PolicyStatement(
                    Sid="LoadBalancersOfThisAccountWrite",
                    Effect=Allow,
                    Principal=Principal(
                        "Service", "logdelivery.elasticloadbalancing.amazonaws.com"
                    ),
                    Action=[s3_actions.PutObject],
                    Resource=[Sub(f"${{{bucket.title}.Arn}}/AWSLogs/${{AWS::AccountId}}/*")],
                ),
                iam.tls_only(bucket),
            ),
            # The policy is retained with the bucket: without it, the bucket would accept plain HTTP.
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
    )
