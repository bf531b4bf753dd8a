"""The AWS CLI commands that remove what an environment leaves in the account, ready to copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from shlex import quote

Commands = tuple[str, ...]

# DeleteObjects takes at most 1,000 versions.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_AT_ONCE = 1000
# Seven days are the shortest waiting period.
# https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
_KEY_DAYS = 7


def aws(region: str, service: str, operation: str, **options: str) -> str:
    """A command; an option without a value is a flag."""
    words = ["aws", service, operation, "--region", region]
    for name, value in options.items():
        words.append(f"--{name.replace('_', '-')}")
        if value:
            words.append(quote(value))
    return " ".join(words)


def empty_bucket(region: str, name: str) -> str:
    """Delete every version and delete marker of a bucket, a thousand at a time. Works in every POSIX shell."""
    bucket = f"--region {region} --bucket {quote(name)}"
    versions = f"aws s3api list-object-versions {bucket} --max-items {_AT_ONCE} --output json"
    chosen = (
        "{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}, Quiet: `true`}"
    )
    some = "case $found in *VersionId*) true ;; *) false ;; esac"
    # A thousand long keys are longer than the limit of an argument.
    delete = f"aws s3api delete-objects {bucket} --delete file:///dev/stdin"
    return (
        f"while found=$({versions} --query '{chosen}') && {some}; "
        f'do printf %s "$found" | {delete} || break; done'
    )


def turn_off_database_protection(region: str, name: str) -> str:
    """Turn deletion protection of a database off."""
    return aws(
        region,
        "rds",
        "modify-db-instance",
        db_instance_identifier=name,
        no_deletion_protection="",
        apply_immediately="",
    )


def turn_off_load_balancer_protection(region: str, arn: str) -> str:
    """Turn deletion protection of a load balancer off."""
    return aws(
        region,
        "elbv2",
        "modify-load-balancer-attributes",
        load_balancer_arn=arn,
        attributes="Key=deletion_protection.enabled,Value=false",
    )


def turn_off_termination_protection(region: str, stack: str) -> str:
    """Turn termination protection of a stack off."""
    return aws(
        region,
        "cloudformation",
        "update-termination-protection",
        stack_name=stack,
        no_enable_termination_protection="",
    )


def delete_stack(region: str, stack: str, retained: tuple[str, ...] = ()) -> str:
    """Delete a stack; ``retained`` are logical IDs that stay, which requires a stack in DELETE_FAILED."""
    command = aws(region, "cloudformation", "delete-stack", stack_name=stack)
    return f"{command} --retain-resources {' '.join(retained)}" if retained else command


def _one(service: str, operation: str, option: str, **more: str) -> Callable[[str, str], Commands]:
    """A resource that one command deletes, whose option takes the physical ID."""
    return lambda region, name: (aws(region, service, operation, **{option: name}, **more),)


def _database(region: str, name: str) -> Commands:
    delete = aws(
        region,
        "rds",
        "delete-db-instance",
        db_instance_identifier=name,
        final_db_snapshot_identifier=f"{name}-final",
    )
    return turn_off_database_protection(region, name), delete


def _load_balancer(region: str, arn: str) -> Commands:
    delete = aws(region, "elbv2", "delete-load-balancer", load_balancer_arn=arn)
    return turn_off_load_balancer_protection(region, arn), delete


def _bucket(region: str, name: str) -> Commands:
    return empty_bucket(region, name), aws(region, "s3api", "delete-bucket", bucket=name)


def _address(region: str, public_ip: str) -> Commands:
    """CloudFormation's physical ID is the address; EC2 releases an allocation."""
    query = {"query": "Addresses[0].AllocationId", "output": "text"}
    allocation = aws(region, "ec2", "describe-addresses", public_ips=public_ip, **query)
    return (f'aws ec2 release-address --region {region} --allocation-id "$({allocation})"',)


def _replication_group(region: str, name: str) -> Commands:
    # The name of a snapshot has at most 255 characters, that of a group 40.
    options = {"replication_group_id": name, "final_snapshot_identifier": f"{name}-final"}
    return (aws(region, "elasticache", "delete-replication-group", **options),)


# By CloudFormation's type, or the type that CloudFormation would have for it.
REMOVE: Mapping[str, Callable[[str, str], Commands]] = {
    "AWS::EC2::EIP": _address,
    "AWS::EC2::NatGateway": _one("ec2", "delete-nat-gateway", "nat_gateway_id"),
    "AWS::EC2::Snapshot": _one("ec2", "delete-snapshot", "snapshot_id"),
    "AWS::EC2::VPC": _one("ec2", "delete-vpc", "vpc_id"),
    "AWS::EC2::Volume": _one("ec2", "delete-volume", "volume_id"),
    "AWS::ECR::Repository": _one("ecr", "delete-repository", "repository_name", force=""),
    "AWS::ElastiCache::ReplicationGroup": _replication_group,
    "AWS::ElastiCache::ServerlessCache": _one(
        "elasticache", "delete-serverless-cache", "serverless_cache_name"
    ),
    "AWS::ElastiCache::Snapshot": _one("elasticache", "delete-snapshot", "snapshot_name"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::IAM::OIDCProvider": _one(
        "iam", "delete-open-id-connect-provider", "open_id_connect_provider_arn"
    ),
    "AWS::KMS::Key": _one(
        "kms", "schedule-key-deletion", "key_id", pending_window_in_days=str(_KEY_DAYS)
    ),
    "AWS::Logs::LogGroup": _one("logs", "delete-log-group", "log_group_name"),
    "AWS::RDS::DBInstance": _database,
    "AWS::RDS::DBSnapshot": _one("rds", "delete-db-snapshot", "db_snapshot_identifier"),
    "AWS::S3::Bucket": _bucket,
}
