"""What is used outside of its stack is not deleted, with the words of its service; once it is free, it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


def subnet(number: int) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": f"10.0.{number}.0/24",
            "AvailabilityZone": f"eu-north-1{'abc'[number]}",
        },
    }


GROUP = {
    "Type": "AWS::EC2::SecurityGroup",
    "Properties": {"GroupDescription": "Used", "VpcId": {"Ref": "Vpc"}},
}
GATEWAY: dict[str, Any] = {
    "Vpc": VPC,
    "Subnet": subnet(0),
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

# Uses a resource of a stack; the generator frees it when it goes on.
Use = Callable[[Account, dict[str, str]], Iterator[None]]


def interface(account: Account, ids: dict[str, str]) -> Iterator[None]:
    ec2 = account.client("ec2")
    made = ec2.create_network_interface(SubnetId=ids["Subnet"], Groups=[ids["Group"]])
    yield
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"])


def rule(account: Account, ids: dict[str, str]) -> Iterator[None]:
    ec2 = account.client("ec2")
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=ids["Vpc"])
    pair = {
        "IpProtocol": "tcp",
        "FromPort": 1,
        "ToPort": 1,
        "UserIdGroupPairs": [{"GroupId": ids["Group"]}],
    }
    ec2.authorize_security_group_ingress(GroupId=other["GroupId"], IpPermissions=[pair])
    yield
    ec2.delete_security_group(GroupId=other["GroupId"])


def nat_gateway(account: Account, ids: dict[str, str]) -> Iterator[None]:
    ec2 = account.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=ids["Subnet"], AllocationId=address)["NatGateway"]
    yield
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])


def balancer(account: Account, ids: dict[str, str]) -> Iterator[None]:
    elb = account.client("elbv2")
    made = elb.create_load_balancer(
        Name="outside",
        Subnets=[ids["Subnet"], ids["Other"]],
        SecurityGroups=[ids["Group"]],
        Scheme="internet-facing",
    )["LoadBalancers"][0]["LoadBalancerArn"]
    yield
    elb.delete_load_balancer(LoadBalancerArn=made)


def attached_policy(account: Account, ids: dict[str, str]) -> Iterator[None]:
    iam = account.client("iam")
    iam.attach_role_policy(RoleName=ids["Role"], PolicyArn=ADMINISTRATOR)
    yield
    iam.detach_role_policy(RoleName=ids["Role"], PolicyArn=ADMINISTRATOR)


def inline_policy(account: Account, ids: dict[str, str]) -> Iterator[None]:
    iam = account.client("iam")
    iam.put_role_policy(
        RoleName=ids["Role"], PolicyName="outside", PolicyDocument=json.dumps(DOCUMENT)
    )
    yield
    iam.delete_role_policy(RoleName=ids["Role"], PolicyName="outside")


def instance_profile(account: Account, ids: dict[str, str]) -> Iterator[None]:
    iam = account.client("iam")
    iam.create_instance_profile(InstanceProfileName="outside")
    iam.add_role_to_instance_profile(InstanceProfileName="outside", RoleName=ids["Role"])
    yield
    iam.remove_role_from_instance_profile(InstanceProfileName="outside", RoleName=ids["Role"])


def attachment_of_policy(account: Account, ids: dict[str, str]) -> Iterator[None]:
    iam = account.client("iam")
    iam.create_role(RoleName="outside", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="outside", PolicyArn=ids["Policy"])
    yield
    iam.detach_role_policy(RoleName="outside", PolicyArn=ids["Policy"])


def image(account: Account, ids: dict[str, str]) -> Iterator[None]:
    ecr = account.client("ecr")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    ecr.put_image(
        repositoryName=ids["Repository"], imageManifest=json.dumps(manifest), imageTag="1"
    )
    yield
    ecr.batch_delete_image(repositoryName=ids["Repository"], imageIds=[{"imageTag": "1"}])


def record(account: Account, ids: dict[str, str]) -> Iterator[None]:
    route53 = account.client("route53")
    address = {
        "Name": "host.example.internal",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "10.0.0.4"}],
    }

    def change(action: str) -> None:
        route53.change_resource_record_sets(
            HostedZoneId=ids["Zone"],
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": address}]},
        )

    change("CREATE")
    yield
    change("DELETE")


def database_with(member: str) -> Use:
    def use(account: Account, ids: dict[str, str]) -> Iterator[None]:
        rds = account.client("rds")
        rds.create_db_instance(
            DBInstanceIdentifier="outside",
            Engine="postgres",
            DBInstanceClass="db.t4g.medium",
            AllocatedStorage=20,
            MasterUsername="someone",
            MasterUserPassword="not-a-secret-here",
            **{member: ids["It"]},
        )
        yield
        rds.delete_db_instance(DBInstanceIdentifier="outside", SkipFinalSnapshot=True)

    return use


def listener(account: Account, ids: dict[str, str]) -> Iterator[None]:
    elb = account.client("elbv2")
    made = elb.create_load_balancer(Name="outside", Subnets=[ids["Subnet"], ids["Other"]])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": ids["Targets"]}],
    )
    yield
    elb.delete_load_balancer(LoadBalancerArn=arn)


def certificate_of_listener(account: Account, ids: dict[str, str]) -> Iterator[None]:
    elb, ec2 = account.client("elbv2"), account.client("ec2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
    made = elb.create_load_balancer(Name="outside", Subnets=subnets)
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": ids["Certificate"]}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    yield
    elb.delete_load_balancer(LoadBalancerArn=arn)


def service(account: Account, ids: dict[str, str]) -> Iterator[None]:
    ecs = account.client("ecs")
    ecs.register_task_definition(
        family="outside", containerDefinitions=[{"name": "app", "image": "app", "memory": 128}]
    )
    ecs.create_service(
        cluster=ids["Cluster"], serviceName="outside", taskDefinition="outside", desiredCount=0
    )
    yield
    ecs.delete_service(cluster=ids["Cluster"], service="outside", force=True)


IN_VPC = {"Vpc": VPC, "Subnet": subnet(0), "Group": GROUP}
TWO_SUBNETS = {**IN_VPC, "Other": subnet(1)}
BLOCKED: dict[str, tuple[dict[str, Any], Use, str, str]] = {
    "group of an interface": (IN_VPC, interface, "Group", "has a dependent object"),
    "subnet of an interface": (
        IN_VPC,
        interface,
        "Subnet",
        "has dependencies and cannot be deleted",
    ),
    "group named by a rule": (IN_VPC, rule, "Group", "has a dependent object"),
    "group of a load balancer": (TWO_SUBNETS, balancer, "Group", "has a dependent object"),
    "subnet of a load balancer": (TWO_SUBNETS, balancer, "Other", "has dependencies"),
    "subnet of a NAT gateway": (GATEWAY, nat_gateway, "Subnet", "has dependencies"),
    "attachment with public addresses": (
        GATEWAY,
        nat_gateway,
        "Attachment",
        "has some mapped public address(es)",
    ),
    "role with a policy": (
        {"Role": ROLE},
        attached_policy,
        "Role",
        "must detach all policies first",
    ),
    "role with an inline policy": (
        {"Role": ROLE},
        inline_policy,
        "Role",
        "must delete policies first",
    ),
    "role of an instance profile": (
        {"Role": ROLE},
        instance_profile,
        "Role",
        "must remove roles from instance profile first",
    ),
    "policy of a role": (
        {
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": DOCUMENT},
            }
        },
        attachment_of_policy,
        "Policy",
        "Cannot delete a policy attached to entities",
    ),
    "repository with an image": (
        {"Repository": {"Type": "AWS::ECR::Repository"}},
        image,
        "Repository",
        "cannot be deleted because it still contains images",
    ),
    "zone with a record": (
        {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example.internal"}}},
        record,
        "Zone",
        "contains resource record sets other than the default SOA and NS records",
    ),
    "subnet group of a database": (
        {
            "Vpc": VPC,
            "One": subnet(0),
            "Two": subnet(1),
            "It": {
                "Type": "AWS::RDS::DBSubnetGroup",
                "Properties": {
                    "DBSubnetGroupDescription": "Used",
                    "SubnetIds": [{"Ref": "One"}, {"Ref": "Two"}],
                },
            },
        },
        database_with("DBSubnetGroupName"),
        "It",
        "because at least one database instance: outside is still using it",
    ),
    "parameter group of a database": (
        {
            "It": {
                "Type": "AWS::RDS::DBParameterGroup",
                "Properties": {"Family": "postgres16", "Description": "Used"},
            }
        },
        database_with("DBParameterGroupName"),
        "It",
        "are still members of this parameter group",
    ),
    "target group of a listener": (
        {
            **TWO_SUBNETS,
            "Targets": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "Port": 80,
                    "Protocol": "HTTP",
                    "TargetType": "ip",
                },
            },
        },
        listener,
        "Targets",
        "is currently in use by a listener or a rule",
    ),
    "certificate of a listener": (
        {
            "Certificate": {
                "Type": "AWS::CertificateManager::Certificate",
                "Properties": {"DomainName": "example.com"},
            }
        },
        certificate_of_listener,
        "Certificate",
        "is in use. In use by: arn:aws:elasticloadbalancing",
    ),
    "cluster of a service": (
        {"Cluster": {"Type": "AWS::ECS::Cluster"}},
        service,
        "Cluster",
        "cannot be deleted while Services are active",
    ),
}


@pytest.mark.parametrize(("resources", "use", "name", "says"), BLOCKED.values(), ids=BLOCKED)
def test_used_resource_blocks_the_deletion_until_it_is_free(
    account: Account, resources: dict[str, Any], use: Use, name: str, says: str
) -> None:
    stack = account.launch(template(resources))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    using = use(account, account.resources(stack))
    next(using)

    stack = account.delete(stack)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert says in account.failures(stack)[name]
    assert name in account.resources(stack)

    next(using, None)
    stack = account.delete(stack)
    assert stack["StackStatus"] == "DELETE_COMPLETE", account.failures(stack)


def test_deleted_key_is_pending_and_encrypts_nothing(account: Account) -> None:
    stack = account.launch(
        template({"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": 7}}})
    )
    key, kms = account.resources(stack)["Key"], account.client("kms")

    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"

    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.encrypt(KeyId=key, Plaintext=b"data")


def test_api_does_not_delete_a_protected_load_balancer(account: Account) -> None:
    elb, ec2 = account.client("elbv2"), account.client("ec2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
    made = elb.create_load_balancer(Name="protected", Subnets=subnets)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]

    def protect(value: str) -> None:
        attribute = {"Key": "deletion_protection.enabled", "Value": value}
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])

    protect("true")
    with pytest.raises(elb.exceptions.OperationNotPermittedException):
        elb.delete_load_balancer(LoadBalancerArn=arn)
    protect("false")
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert elb.describe_load_balancers()["LoadBalancers"] == []
