"""Containers, scaling, WAF, identity, alarms, snapshots and custom resources."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}


def get(resource: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, attribute]}


def service(image: str = "app:1", **changes: Any) -> dict[str, Any]:
    """A cluster with Fargate Spot, a task definition and a service on it."""
    return {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Providers": {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [],
            },
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "RuntimePlatform": {"CpuArchitecture": "ARM64"},
                "ContainerDefinitions": [
                    {
                        "Name": "app",
                        "Image": image,
                        "StopTimeout": "120",
                        "HealthCheck": {"Command": ["CMD", "true"]},
                        "Secrets": [{"Name": "S", "ValueFrom": "arn:aws:ssm:::parameter/s"}],
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {"awslogs-group": "g"},
                        },
                    }
                ],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "DependsOn": "Providers",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "EnableExecuteCommand": "true",
                "AvailabilityZoneRebalancing": "DISABLED",
                "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}],
                "DeploymentConfiguration": {"MaximumPercent": 100, "MinimumHealthyPercent": 0},
                **changes,
            },
        },
    }


def test_service_and_task_are_described_as_they_were_declared(account: Account) -> None:
    stack = account.launch(template(service()))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made, ecs = account.resources(stack), account.client("ecs")
    shown = ecs.describe_services(cluster=made["Cluster"], services=[made["Service"]])["services"]
    assert shown[0]["enableExecuteCommand"] is True
    assert shown[0]["availabilityZoneRebalancing"] == "DISABLED"
    assert shown[0]["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    task = ecs.describe_task_definition(taskDefinition=made["Task"])["taskDefinition"]
    assert task["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    container = task["containerDefinitions"][0]
    assert container["stopTimeout"] == 120
    assert container["secrets"][0]["name"] == "S"
    assert container["logConfiguration"]["options"] == {"awslogs-group": "g"}
    cluster = ecs.describe_clusters(clusters=[made["Cluster"]])["clusters"][0]
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE", account.failures(stack)


def test_new_image_is_a_new_revision_of_the_same_service(account: Account) -> None:
    stack = account.launch(template(service()))
    before = account.resources(stack)
    changed = service("app:2")
    del changed["Service"]["Properties"]["EnableExecuteCommand"]
    stack = account.update(stack, template(changed))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    after = account.resources(stack)
    assert after["Service"] == before["Service"]
    assert after["Task"] != before["Task"]
    shown = account.client("ecs").describe_services(
        cluster=after["Cluster"], services=[after["Service"]]
    )
    assert shown["services"][0]["taskDefinition"] == after["Task"]
    assert shown["services"][0]["enableExecuteCommand"] is False


def test_service_before_its_capacity_providers_fails(account: Account) -> None:
    body = service()
    body["Providers"]["DependsOn"] = "Service"
    del body["Service"]["DependsOn"]
    stack = account.launch(template(body))
    assert "FARGATE_SPOT is not attached" in account.failures(stack)["Service"]


def test_capacity_providers_in_use_are_not_detached(account: Account) -> None:
    stack = account.launch(template(service()))
    without = {name: resource for name, resource in service().items() if name != "Providers"}
    del without["Service"]["DependsOn"]
    account.update(stack, template(without))
    assert "ResourceInUseException" in account.failures(stack)["Providers"]


def test_scaling_is_visible_and_ends_with_the_stack(account: Account) -> None:
    body = service()
    body["Target"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": {"Fn::Sub": "service/${Cluster}/${Service.Name}"},
            "MinCapacity": "2",
            "MaxCapacity": "10",
        },
    }
    body["Policy"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": "60",
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
            },
        },
    }
    stack = account.launch(template(body))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    scaling = account.client("application-autoscaling")
    target = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    policy = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    assert policy["PolicyARN"] == account.resources(stack)["Policy"]
    account.delete(stack)
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


def test_policy_needs_a_target_and_a_target_an_order(account: Account) -> None:
    scaling = account.client("application-autoscaling")
    place = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/a/b",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    with pytest.raises(ClientError, match="No scalable target registered"):
        scaling.put_scaling_policy(PolicyName="p", PolicyType="TargetTrackingScaling", **place)
    with pytest.raises(ClientError, match="cannot be less than minimum"):
        scaling.register_scalable_target(MinCapacity=3, MaxCapacity=2, **place)


def web_acl(log_group: str) -> dict[str, Any]:
    """A web ACL that protects a load balancer and writes a log."""
    visibility = {
        "CloudWatchMetricsEnabled": True,
        "MetricName": "m",
        "SampledRequestsEnabled": True,
    }
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        **{
            f"Subnet{zone}": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "CidrBlock": f"10.0.{zone}.0/24",
                    "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                },
            }
            for zone in (0, 1)
        },
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                "LoadBalancerAttributes": [
                    {"Key": "deletion_protection.enabled", "Value": "false"}
                ],
            },
        },
        "Acl": {
            "Type": "AWS::WAFv2::WebACL",
            "Properties": {
                "Scope": "REGIONAL",
                "DefaultAction": {"Allow": {}},
                "VisibilityConfig": visibility,
            },
        },
        "Association": {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Properties": {"ResourceArn": {"Ref": "Balancer"}, "WebACLArn": get("Acl", "Arn")},
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": log_group}},
        "Logging": {
            "Type": "AWS::WAFv2::LoggingConfiguration",
            "Properties": {
                "ResourceArn": get("Acl", "Arn"),
                "LogDestinationConfigs": [get("Group", "Arn")],
                "RedactedFields": [{"SingleHeader": {"Name": "cookie"}}],
            },
        },
    }


def test_web_acl_protects_and_logs(account: Account) -> None:
    stack = account.launch(template(web_acl("aws-waf-logs-app")))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made, waf = account.resources(stack), account.client("wafv2")
    acl = waf.get_web_acl_for_resource(ResourceArn=made["Balancer"])["WebACL"]
    kept = waf.get_logging_configuration(ResourceArn=acl["ARN"])["LoggingConfiguration"]
    assert kept["RedactedFields"] == [{"SingleHeader": {"Name": "cookie"}}]
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert waf.list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"] == []


def test_waf_log_group_needs_its_prefix(account: Account) -> None:
    stack = account.launch(template(web_acl("app")))
    assert "aws-waf-logs-" in account.failures(stack)["Logging"]


def test_protected_load_balancer_is_not_deleted(account: Account) -> None:
    body = web_acl("aws-waf-logs-app")
    body["Balancer"]["Properties"]["LoadBalancerAttributes"][0]["Value"] = "true"
    stack = account.launch(template(body))
    assert account.delete(stack)["StackStatus"] == "DELETE_FAILED"
    assert "deletion protection is enabled" in account.failures(stack)["Balancer"]


def test_identity_provider_and_inline_policy_change_in_place(account: Account) -> None:
    def body(client: str, action: str) -> str:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        provider = {"Url": "https://issuer.example.org", "ClientIdList": [client]}
        policy = {"RoleName": {"Ref": "Role"}, "PolicyName": "p", "PolicyDocument": document}
        return template(
            {
                "Role": ROLE,
                "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": provider},
                "Policy": {"Type": "AWS::IAM::RolePolicy", "Properties": policy},
            }
        )

    stack = account.launch(body("a", "s3:GetObject"))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made, iam = account.resources(stack), account.client("iam")
    account.update(stack, body("b", "s3:PutObject"))
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=made["Provider"])
    assert provider["ClientIDList"] == ["b"]
    policy = iam.get_role_policy(RoleName=made["Role"], PolicyName="p")["PolicyDocument"]
    assert policy["Statement"][0]["Action"] == "s3:PutObject"
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE", account.failures(stack)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_composite_alarm_and_snapshot_policy(account: Account) -> None:
    alarm = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "m",
        "Namespace": "n",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1,
    }
    details = {
        "ResourceTypes": ["VOLUME"],
        "TargetTags": [{"Key": "Snapshot", "Value": "daily"}],
        "Schedules": [
            {
                "Name": "daily",
                "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS"},
                "RetainRule": {"Count": "7"},
            }
        ],
    }
    policy = {
        "Description": "daily",
        "State": "ENABLED",
        "ExecutionRoleArn": get("Role", "Arn"),
        "PolicyDetails": details,
    }
    rule = {"AlarmRule": {"Fn::Sub": 'ALARM("${Alarm}")'}}
    stack = account.launch(
        template(
            {
                "Role": ROLE,
                "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
                "Any": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": rule},
                "Policy": {"Type": "AWS::DLM::LifecyclePolicy", "Properties": policy},
            }
        )
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made, dlm = account.resources(stack), account.client("dlm")
    kept = dlm.get_lifecycle_policy(PolicyId=made["Policy"])["Policy"]
    assert kept["PolicyDetails"]["Schedules"][0]["RetainRule"] == {"Count": 7}
    composite = account.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])
    assert [a["AlarmName"] for a in composite["CompositeAlarms"]] == [made["Any"]]
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE", account.failures(stack)
    assert dlm.get_lifecycle_policies()["Policies"] == []


def test_function_that_dies_fails_its_custom_resource_at_once(account: Account) -> None:
    function = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": get("Role", "Arn"),
        "Code": {"ZipFile": "def handler(event, context):\n    raise ValueError('no disk')\n"},
    }
    stack = account.launch(
        template(
            {
                "Role": ROLE,
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
                "Thing": {
                    "Type": "Custom::Thing",
                    "Properties": {"ServiceToken": get("Function", "Arn")},
                },
            }
        )
    )
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "no disk" in account.failures(stack)["Thing"]
