"""The resources of a handler's call: each resource type of the action, with its names and tags at that time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipeline.checks.iam.conditions import like
from pipeline.checks.iam.policies import Request
from pipeline.checks.permissions import resources_of as kinds_of

# Resource types of the templates, with the resource part of their ARNs. NAME is CloudFormation's name, SMALL the same
# in lower case, NAMED the project and the environment.
KINDS: Mapping[str, Mapping[str, str]] = {
    "acm": {"certificate": "certificate/1"},
    "application-autoscaling": {"ScalableTarget": "scalable-target/1"},
    "autoscaling": {"autoScalingGroup": "autoScalingGroup:1:autoScalingGroupName/NAME"},
    "cloudwatch": {"alarm": "alarm:NAME", "dashboard": "dashboard/NAME"},
    "dlm": {"policy": "policy/policy-1"},
    "ec2": {
        kind: f"{kind}/1"
        for kind in (
            "elastic-ip",
            "image",
            "instance",
            "internet-gateway",
            "launch-template",
            "natgateway",
            "network-acl",
            "network-interface",
            "route-table",
            "security-group",
            "security-group-rule",
            "snapshot",
            "subnet",
            "volume",
            "vpc",
            "vpc-endpoint",
            "vpc-flow-log",
        )
    },
    "ecr": {"repository": "repository/SMALL"},
    "ecs": {
        "capacity-provider": "capacity-provider/FARGATE",
        "cluster": "cluster/NAME",
        "service": "service/NAME/NAME",
        "service-deployment": "service-deployment/NAME/NAME/1",
        "task-definition": "task-definition/NAMED-api:1",
    },
    "elasticache": {
        "cluster": "cluster:1",
        "parametergroup": "parametergroup:1",
        "replicationgroup": "replicationgroup:1",
        "serverlesscache": "serverlesscache:NAMED",
        "snapshot": "snapshot:1",
        "subnetgroup": "subnetgroup:1",
        "user": "user:NAMED",
        "usergroup": "usergroup:NAMED",
    },
    "elasticloadbalancing": {
        "listener/app": "listener/app/1/1/1",
        "loadbalancer/app/": "loadbalancer/app/1/1",
        "targetgroup": "targetgroup/1/1",
    },
    "events": {"rule-on-default-event-bus": "rule/NAME"},
    "logs": {"log-group": "log-group:NAME"},
    "rds": {
        "db": "db:SMALL",
        "og": "og:default:postgres-16",
        "pg": "pg:SMALL",
        "snapshot": "snapshot:before-the-move",
        "subgrp": "subgrp:SMALL",
    },
    "sns": {"topic": "NAME"},
}
# The resource that an action creates; its other resources exist already.
CREATES: Mapping[str, tuple[str, ...]] = {
    "ec2:AllocateAddress": ("elastic-ip",),
    "ec2:AuthorizeSecurityGroup*": ("security-group-rule",),
    "ec2:CreateFlowLogs": ("vpc-flow-log",),
    "ec2:CreateInternetGateway": ("internet-gateway",),
    "ec2:CreateLaunchTemplate": ("launch-template",),
    "ec2:CreateNatGateway": ("natgateway",),
    "ec2:CreateNetworkAcl": ("network-acl",),
    "ec2:CreateRouteTable": ("route-table",),
    "ec2:CreateSecurityGroup": ("security-group",),
    "ec2:CreateSubnet": ("subnet",),
    "ec2:CreateVolume": ("volume",),
    "ec2:CreateVpc": ("vpc",),
    "ec2:CreateVpcEndpoint": ("vpc-endpoint",),
    "ec2:RunInstances": ("instance", "network-interface", "volume"),
    "ecs:RegisterTaskDefinition": ("task-definition",),
    "elasticache:CreateSnapshot": ("snapshot",),
    "rds:CreateDBInstance": ("db",),
    "rds:CreateDBParameterGroup": ("pg",),
    "rds:CreateDBSnapshot": ("snapshot",),
    "rds:CreateDBSubnetGroup": ("subgrp",),
    "rds:RestoreDBInstanceFromDBSnapshot": ("db",),
    "*:Create*Cluster": ("cluster",),
    "*:CreateAutoScalingGroup": ("autoScalingGroup",),
    "*:CreateCacheParameterGroup": ("parametergroup",),
    "*:CreateCacheSubnetGroup": ("subnetgroup",),
    "*:CreateLoadBalancer": ("loadbalancer/app/",),
    "*:CreateLogGroup": ("log-group",),
    "*:CreateReplicationGroup": ("cluster", "replicationgroup"),
    "*:CreateRepository": ("repository",),
    "*:CreateServerlessCache": ("serverlesscache", "snapshot"),
    "*:CreateService": ("service",),
    "*:CreateTargetGroup": ("targetgroup",),
    "*:CreateTopic": ("topic",),
    "*:CreateUser": ("user",),
    "*:CreateUserGroup": ("usergroup",),
    "*:PutDashboard": ("dashboard",),
    "*:PutMetricAlarm": ("alarm",),
    "*:PutRule": ("rule-on-default-event-bus",),
    "*:RegisterScalableTarget": ("ScalableTarget",),
}
# Actions that tag: a new resource, and an existing one again.
TAGGING = (
    "*:AddTags*",
    "*:CreateOrUpdateTags",
    "*:CreateTags",
    "*:TagOpenIDConnectProvider",
    "*:TagResource",
)
# Actions that a handler may call before the tags exist. Of these types, public reports (a security group:
# coverage-roadmap #714) or the absence of a public handler leave it open when CloudFormation tags.
BEFORE_TAGS: Mapping[str, tuple[str, ...]] = {
    "AWS::EC2::SecurityGroup": ("ec2:AuthorizeSecurityGroup*", "ec2:RevokeSecurityGroup*"),
    "AWS::EC2::Subnet": ("ec2:ModifySubnetAttribute",),
    "AWS::EC2::VPC": ("ec2:ModifyVpcAttribute",),
    "AWS::ECR::Repository": ("ecr:Put*",),
    "AWS::ElasticLoadBalancingV2::Listener": ("elasticloadbalancing:ModifyListenerAttributes",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elasticloadbalancing:ModifyLoadBalancerAttributes",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elasticloadbalancing:ModifyTargetGroupAttributes",),
    "AWS::Events::Rule": ("events:PutTargets",),
    "AWS::Logs::LogGroup": ("logs:AssociateKmsKey", "logs:PutRetentionPolicy"),
    "AWS::SNS::Topic": ("sns:SetTopicAttributes",),
    "AWS::SNS::TopicPolicy": ("sns:SetTopicAttributes",),
    # The network ACL that a VPC is created with has no tags, and gets the subnet back.
    "AWS::EC2::SubnetNetworkAclAssociation": ("ec2:ReplaceNetworkAclAssociation",),
}  # fmt: skip
# Resources of AWS, or without tags.
UNTAGGED = {("ec2", "image"), ("rds", "og"), ("ecs", "capacity-provider")}
# No handler of the templates' types tags these, or takes tags from them.
NEVER_TAGGED = {*UNTAGGED, ("ec2", "snapshot")}
WITHOUT_ACCOUNT = {("ec2", "image"), ("ec2", "snapshot")}


class Place(NamedTuple):
    """The location and the names of a resource."""

    partition: str
    region: str
    account: str
    name: str
    named: str


def arn_of(service: str, kind: str, place: Place) -> str:
    """The ARN of a resource type."""
    part = KINDS[service][kind].replace("NAMED", place.named)
    part = part.replace("NAME", place.name).replace("SMALL", place.name.lower())
    account = "" if (service, kind) in WITHOUT_ACCOUNT else place.account
    return f"arn:{place.partition}:{service}:{place.region}:{account}:{part}"


def touched(action: str, handler: str, place: Place, tags: Mapping[str, str]) -> Iterator[Request]:
    """A request for each resource type of an action of a handler.

    ``tags`` are those of the handler's resource, by their keys.
    """
    service = action.partition(":")[0]
    known = KINDS[service]
    kinds = [kind for kind in kinds_of(action) or () if kind in known]
    assert kinds, f"{action} names nothing that is known here."
    created = {kind for pattern, new in CREATES.items() if like(action, pattern) for kind in new}
    wanted = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    has = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    for kind in kinds:
        if (service, kind) in NEVER_TAGGED and "tag" in action.lower():
            continue
        arn = arn_of(service, kind, place)
        if (service, kind) in UNTAGGED:
            yield Request(action, arn, wanted if created else {})
        elif any(like(action, pattern) for pattern in TAGGING):
            yield Request(action, arn, wanted)
            yield Request(action, arn, {**wanted, **has})
        elif kind in created:
            yield Request(action, arn, wanted)
        else:
            yield Request(action, arn, {**(wanted if created else {}), **has})
            if any(like(action, pattern) for pattern in BEFORE_TAGS.get(handler, ())):
                yield Request(action, arn)
