"""Service Quotas: AWS's default values of the quotas that a launch can exceed, and other values that `EmbeddedAws.set_quota` sets.

The quotas of vCPUs have values as AWS raises them with use: a new account begins with 6 vCPUs of Fargate and 5 of instances.
https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import tables
from embedded_aws.services.records import (
    Operation,
    RecordService,
    Request,
    ServiceError,
    by_target,
    plug_in,
)

_NAME = "servicequotas"
_Quotas = dict[str, tuple[str, float]]

# Name and default value by service and code.
_DEFAULTS: dict[str, _Quotas] = {
    "autoscaling": {"L-CDE20ADC": ("Auto Scaling groups per region", 500)},
    "cloudformation": {"L-0485CB21": ("Stack count", 2000)},
    "ebs": {"L-7A658B76": ("Storage for General Purpose SSD (gp3) volumes, in TiB", 50)},
    "ec2": {
        "L-0263D0A3": ("EC2-VPC Elastic IPs", 5),
        "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 64),
    },
    "elasticache": {
        "L-DFE45DF3": ("Nodes per Region", 300),
        "L-BBCDAECC": ("Serverless Caches per Region", 40),
        "L-AD484FC5": ("User Groups per Region", 200),
        "L-80E085C7": ("Users per Region", 2000),
    },
    "elasticloadbalancing": {
        "L-53DA6B97": ("Application Load Balancers per Region", 50),
        "L-B22855CB": ("Target Groups per Region", 3000),
    },
    "events": {"L-244521F2": ("Number of rules", 300)},
    "fargate": {
        "L-3032A538": ("Fargate On-Demand vCPU resource count", 4000),
        "L-36FBB829": ("Fargate Spot vCPU resource count", 4000),
    },
    "iam": {
        "L-FE177D64": ("Roles per account", 1000),
        "L-6E65F664": ("Instance profiles per account", 1000),
        "L-858F3967": ("OpenId connect providers per account", 100),
    },
    "lambda": {"L-B99A9384": ("Concurrent executions", 1000)},
    "rds": {
        "L-7B6409FD": ("DB instances", 40),
        "L-7ADDB58A": ("Total storage for all DB instances", 100_000),
        "L-48C6BF61": ("DB subnet groups", 50),
        "L-DE55804A": ("Parameter groups", 50),
    },
    "route53": {"L-4EA4796A": ("Hosted zones", 500)},
    "s3": {"L-DC2B2D3D": ("General purpose buckets", 10_000)},
    "servicecatalog": {
        "L-C6458716": ("Portfolios per region", 100),
        "L-764CF6A1": ("Products per region", 350),
    },
    "vpc": {
        "L-F678F1CE": ("VPCs per Region", 5),
        "L-A4707A72": ("Internet gateways per Region", 5),
        "L-FE5A380F": ("NAT gateways per Availability Zone", 5),
        "L-1B52E74A": ("Gateway VPC endpoints per Region", 20),
        "L-E79EC296": ("VPC security groups per Region", 2500),
        "L-0EA8095F": ("Inbound or outbound rules per security group", 60),
    },
    "wafv2": {"L-2EC3DE7B": ("Maximum web ACLs per account in WAF for regional", 100)},
}
# The quotas of a service without regions exist in one region only.
_HOME = {"iam": "us-east-1", "route53": "us-east-1", "s3": "us-east-1"}

# The values that are set, in every region, by service and code.
APPLIED: dict[tuple[str, str], float] = {}


def install() -> None:
    """Add the service to ministack."""
    operations: dict[str, Operation] = {
        "GetAWSDefaultServiceQuota": lambda request: {"Quota": _one(request, applied=False)},
        "GetServiceQuota": lambda request: {"Quota": _one(request, applied=True)},
        "ListAWSDefaultServiceQuotas": lambda request: {"Quotas": _all(request, applied=False)},
        "ListServiceQuotas": lambda request: {"Quotas": _all(request, applied=True)},
    }
    service = RecordService("Service Quotas", by_target(operations), {"applied": APPLIED})
    plug_in(_NAME, service, target="ServiceQuotasV20190624")
    tables.ACTION_PREFIXES[_NAME] = _NAME


def _quotas(request: Request) -> _Quotas:
    service = request["ServiceCode"]
    if service not in _DEFAULTS or _HOME.get(service, get_region()) != get_region():
        raise ServiceError(
            "NoSuchResourceException", f"The service {service} has no quotas in {get_region()}."
        )
    return _DEFAULTS[service]


def _all(request: Request, *, applied: bool) -> list[dict[str, Any]]:
    service = request["ServiceCode"]
    return [_quota(service, code, applied=applied) for code in _quotas(request)]


def _one(request: Request, *, applied: bool) -> dict[str, Any]:
    if request["QuotaCode"] not in _quotas(request):
        raise ServiceError("NoSuchResourceException", f"No quota {request['QuotaCode']}.")
    return _quota(request["ServiceCode"], request["QuotaCode"], applied=applied)


def _quota(service: str, code: str, *, applied: bool) -> dict[str, Any]:
    name, default = _DEFAULTS[service][code]
    value = APPLIED.get((service, code), default) if applied else default
    return {
        "ServiceCode": service,
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": service in _HOME,
    }


def set_quota(service: str, code: str, value: float) -> None:
    """Set the applied value of a quota. Raises ValueError for a quota that does not exist here."""
    if code not in _DEFAULTS.get(service, {}):
        raise ValueError(f"The service {service} has no quota {code} here")
    APPLIED[service, code] = float(value)
