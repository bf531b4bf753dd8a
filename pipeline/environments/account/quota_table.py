"""The quotas that a launch can exceed: the quota, the need of the environment, and the current use.

The codes are those of Service Quotas, as AWS's pages of endpoints and quotas link them
(https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html). Quotas that an account cannot reach with the resources
of environments, such as 100,000 keys, are left out.
"""

from __future__ import annotations

from pipeline.environments.account import usage
from pipeline.environments.account.needs import flat
from pipeline.environments.account.quota import NeedOf, Quota, UseOf
from pipeline.environments.account.usage import Listing, listing
from pipeline.environments.deletion.account import Account


def _kind(kind: str) -> NeedOf:
    return lambda needs: flat(needs.count(kind))


def _count(found: Listing) -> UseOf:
    return lambda account: len(found.entries(account))


def _nothing(_account: Account) -> float:
    return 0


QUOTAS: tuple[Quota, ...] = (
    Quota(
        "fargate",
        "L-3032A538",
        "Fargate On-Demand vCPUs",
        lambda needs: needs.fargate(spot=False),
        lambda account: usage.fargate_vcpus(account, spot=False),
    ),
    Quota(
        "fargate",
        "L-36FBB829",
        "Fargate Spot vCPUs",
        lambda needs: needs.fargate(spot=True),
        lambda account: usage.fargate_vcpus(account, spot=True),
    ),
    Quota(
        "ec2",
        "L-1216C47A",
        "vCPUs of On-Demand Standard instances",
        lambda needs: flat(needs.instance_vcpus),
        usage.standard_vcpus,
    ),
    Quota(
        "ec2",
        "L-0263D0A3",
        "Elastic IP addresses",
        _kind("AWS::EC2::EIP"),
        _count(listing("ec2:DescribeAddresses", "describe_addresses", "Addresses")),
    ),
    Quota(
        "vpc",
        "L-F678F1CE",
        "VPCs per Region",
        _kind("AWS::EC2::VPC"),
        _count(listing("ec2:DescribeVpcs", "describe_vpcs", "Vpcs")),
    ),
    Quota(
        "vpc",
        "L-A4707A72",
        "internet gateways per Region",
        _kind("AWS::EC2::InternetGateway"),
        _count(
            listing(
                "ec2:DescribeInternetGateways", "describe_internet_gateways", "InternetGateways"
            )
        ),
    ),
    Quota(
        "vpc",
        "L-FE5A380F",
        "NAT gateways per Availability Zone",
        lambda needs: flat(needs.nat_gateways_of_a_zone),
        usage.nat_gateways_of_a_zone,
    ),
    Quota(
        "vpc",
        "L-1B52E74A",
        "gateway VPC endpoints per Region",
        lambda needs: flat(needs.gateway_endpoints),
        _count(
            listing(
                "ec2:DescribeVpcEndpoints",
                "describe_vpc_endpoints",
                "VpcEndpoints",
                Filters=[{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}],
            )
        ),
    ),
    Quota(
        "vpc",
        "L-E79EC296",
        "security groups per Region",
        _kind("AWS::EC2::SecurityGroup"),
        _count(listing("ec2:DescribeSecurityGroups", "describe_security_groups", "SecurityGroups")),
    ),
    Quota(
        "vpc", "L-0EA8095F", "rules per security group", lambda needs: flat(needs.rules), _nothing
    ),
    Quota(
        "ebs",
        "L-7A658B76",
        "TiB of gp3 volumes",
        lambda needs: flat(needs.volume_tib),
        usage.volume_tib,
    ),
    Quota(
        "elasticloadbalancing",
        "L-53DA6B97",
        "Application Load Balancers per Region",
        _kind("AWS::ElasticLoadBalancingV2::LoadBalancer"),
        usage.load_balancers,
    ),
    Quota(
        "elasticloadbalancing",
        "L-B22855CB",
        "target groups per Region",
        _kind("AWS::ElasticLoadBalancingV2::TargetGroup"),
        _count(
            listing(
                "elasticloadbalancing:DescribeTargetGroups",
                "describe_target_groups",
                "TargetGroups",
            )
        ),
    ),
    Quota(
        "wafv2",
        "L-2EC3DE7B",
        "regional web ACLs",
        _kind("AWS::WAFv2::WebACL"),
        _count(listing("wafv2:ListWebACLs", "list_web_acls", "WebACLs", Scope="REGIONAL")),
    ),
    Quota(
        "rds",
        "L-7B6409FD",
        "DB instances",
        _kind("AWS::RDS::DBInstance"),
        _count(usage.DATABASES),
    ),
    Quota(
        "rds",
        "L-7ADDB58A",
        "GB of storage of all DB instances",
        lambda needs: needs.database_gib,
        usage.database_gib,
    ),
    Quota(
        "rds",
        "L-48C6BF61",
        "DB subnet groups",
        _kind("AWS::RDS::DBSubnetGroup"),
        _count(
            listing("rds:DescribeDBSubnetGroups", "describe_db_subnet_groups", "DBSubnetGroups")
        ),
    ),
    Quota(
        "rds",
        "L-DE55804A",
        "DB parameter groups",
        _kind("AWS::RDS::DBParameterGroup"),
        _count(
            listing(
                "rds:DescribeDBParameterGroups",
                "describe_db_parameter_groups",
                "DBParameterGroups",
            )
        ),
    ),
    Quota(
        "elasticache",
        "L-DFE45DF3",
        "cache nodes per Region",
        lambda needs: flat(needs.cache_nodes),
        usage.cache_nodes,
    ),
    Quota(
        "elasticache",
        "L-BBCDAECC",
        "serverless caches per Region",
        _kind("AWS::ElastiCache::ServerlessCache"),
        _count(
            listing(
                "elasticache:DescribeServerlessCaches",
                "describe_serverless_caches",
                "ServerlessCaches",
            )
        ),
    ),
    Quota(
        "elasticache",
        "L-AD484FC5",
        "user groups per Region",
        _kind("AWS::ElastiCache::UserGroup"),
        _count(listing("elasticache:DescribeUserGroups", "describe_user_groups", "UserGroups")),
    ),
    Quota(
        "elasticache",
        "L-80E085C7",
        "cache users per Region",
        _kind("AWS::ElastiCache::User"),
        _count(listing("elasticache:DescribeUsers", "describe_users", "Users")),
    ),
    Quota(
        "lambda",
        "L-B99A9384",
        "concurrent executions of Lambda",
        _kind("AWS::Lambda::Function"),
        usage.reserved_concurrency,
    ),
    Quota(
        "autoscaling",
        "L-CDE20ADC",
        "Auto Scaling groups per Region",
        _kind("AWS::AutoScaling::AutoScalingGroup"),
        _count(
            listing(
                "autoscaling:DescribeAutoScalingGroups",
                "describe_auto_scaling_groups",
                "AutoScalingGroups",
            )
        ),
    ),
    Quota(
        "events",
        "L-244521F2",
        "EventBridge rules",
        _kind("AWS::Events::Rule"),
        _count(listing("events:ListRules", "list_rules", "Rules")),
    ),
    Quota(
        "cloudformation",
        "L-0485CB21",
        "stacks",
        lambda needs: flat(needs.stacks),
        _count(listing("cloudformation:DescribeStacks", "describe_stacks", "Stacks")),
    ),
    Quota(
        "iam",
        "L-FE177D64",
        "IAM roles",
        _kind("AWS::IAM::Role"),
        usage.iam_entities("Roles"),
        whole_account=True,
    ),
    Quota(
        "iam",
        "L-6E65F664",
        "instance profiles",
        _kind("AWS::IAM::InstanceProfile"),
        usage.iam_entities("InstanceProfiles"),
        whole_account=True,
    ),
    Quota(
        "iam",
        "L-858F3967",
        "OpenID Connect providers",
        _kind("AWS::IAM::OIDCProvider"),
        _count(
            listing(
                "iam:ListOpenIDConnectProviders",
                "list_open_id_connect_providers",
                "OpenIDConnectProviderList",
            )
        ),
        whole_account=True,
    ),
    Quota(
        "s3",
        "L-DC2B2D3D",
        "S3 buckets",
        _kind("AWS::S3::Bucket"),
        _count(usage.BUCKETS),
        whole_account=True,
    ),
    Quota(
        "route53",
        "L-4EA4796A",
        "hosted zones",
        _kind("AWS::Route53::HostedZone"),
        _count(listing("route53:ListHostedZones", "list_hosted_zones", "HostedZones")),
        whole_account=True,
    ),
)

# The quotas of a publication.
PRODUCTS = Quota(
    "servicecatalog",
    "L-764CF6A1",
    "Service Catalog products per Region",
    lambda _needs: flat(0),
    _count(
        listing(
            "servicecatalog:SearchProductsAsAdmin",
            "search_products_as_admin",
            "ProductViewDetails",
        )
    ),
)
PORTFOLIOS = Quota(
    "servicecatalog",
    "L-C6458716",
    "Service Catalog portfolios per Region",
    lambda _needs: flat(0),
    _count(listing("servicecatalog:ListPortfolios", "list_portfolios", "PortfolioDetails")),
)
