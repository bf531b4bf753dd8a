"""The bucket of the load balancer's access logs."""

from __future__ import annotations

from dataclasses import dataclass

from awacs import s3 as s3_actions
from awacs.aws import Allow, Principal
from awacs.aws import Statement as PolicyStatement
from troposphere import Ref, Select, Sub
from troposphere.s3 import Bucket, BucketPolicy, LifecycleConfiguration, LifecycleRule

from templates_src.core import groups, iam
from templates_src.core.declaration import boolean
from templates_src.core.layer import Layer
from templates_src.core.private_bucket import ABORT_UPLOADS, private_bucket
from templates_src.core.shared import LOG_RETENTION_DAYS

ACCESS_LOGS = boolean(
    "AccessLogs",
    group=groups.LOAD_BALANCER,
    label="Access logs",
    description="Write the load balancer's access logs to a separate bucket, which stays when the environment is deleted.",
    default="false",
)


@dataclass(frozen=True)
class AccessLogs:
    """The bucket and the policy by which load balancing may write to it; both only where access logs are on."""

    bucket: Bucket
    policy: BucketPolicy

    def name_once_writable(self) -> Select:
        """The bucket's name, for a property that must wait for the policy.

        Not DependsOn: that cannot name a resource which a condition leaves out.
        """
        return Select(0, [Ref(self.bucket), Ref(self.policy)])


def add_access_logs(layer: Layer) -> AccessLogs:
    """Where the access logs go."""
    bucket = add_bucket(layer)
    return AccessLogs(bucket, add_policy(layer, bucket))


def add_bucket(layer: Layer) -> Bucket:
    """Bucket of the access logs; retained, because the load balancer writes to it immediately and S3 deletes only empty ones.

    AES-256, because load balancing refuses a bucket under a KMS key. A new name each time logs are turned on again. As
    the name does not contain the environment, S3 compares tags, so that the launch role of another one cannot change it.
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
    """Load balancers of this account may write, over TLS.

    The service principal serves every region; the accounts of load balancing in older ones are its legacy.
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
            # Without its policy a retained bucket would accept plain HTTP.
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
    )
