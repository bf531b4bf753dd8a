"""On-demand prices of AWS in eu-north-1 in US dollars, each with its date and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

REGION = "eu-north-1"
# A month in AWS's billing: 365 days in 12 months.
HOURS_A_MONTH = 730

HOUR = "hour"
MONTH = "month"
GB = "GB"
GB_HOUR = "GB-hour"
GB_MONTH = "GB-month"
MILLION_REQUESTS = "million requests"
MILLION_ECPU = "million ECPU"
THOUSAND_REQUESTS = "thousand requests"
TEN_THOUSAND_CALLS = "ten thousand calls"
GB_SECOND = "GB-second"


@dataclass(frozen=True)
class Source:
    """The source of prices and their date; not ``confirmed`` if written from memory."""

    name: str
    day: date
    confirmed: bool = True

    def __str__(self) -> str:
        return f"{self.name}, {self.day}{'' if self.confirmed else ', not confirmed'}"


AWS_2025 = Source("AWS, on demand, eu-north-1", date(2025, 6, 18))
AWS_2026 = Source("AWS, on demand, eu-north-1", date(2026, 10, 1))
# Compare with https://aws.amazon.com/vpc/pricing/ and https://aws.amazon.com/waf/pricing/.
UNCONFIRMED = Source("AWS, on demand, from memory", date(2025, 6, 18), confirmed=False)


@dataclass(frozen=True)
class Price:
    """US dollars per unit, before taxes, credits and volume discounts."""

    usd: Decimal
    unit: str
    source: Source = AWS_2025


def price(usd: str, unit: str, source: Source = AWS_2025) -> Price:
    """A price from its decimal figures, which a float would not store exactly."""
    return Price(Decimal(usd), unit, source)


def saving_percent(of: Price, against: Price) -> Decimal:
    """How much cheaper one price is than another, in percent to one decimal.

    Raises ValueError for prices of different units.
    """
    if of.unit != against.unit:
        raise ValueError(f"A price per {of.unit} cannot be compared with one per {against.unit}.")
    saved = 100 * (1 - of.usd / against.usd)
    return saved.quantize(Decimal("0.1"), ROUND_HALF_UP)


NAT_GATEWAY_HOUR = price("0.046", HOUR, UNCONFIRMED)
NAT_GATEWAY_GB = price("0.046", GB, UNCONFIRMED)
PUBLIC_IPV4_HOUR = price("0.005", HOUR)
INTERFACE_ENDPOINT_HOUR = price("0.0105", HOUR)

LOAD_BALANCER_HOUR = price("0.02394", HOUR)
LOAD_BALANCER_CAPACITY_UNIT_HOUR = price("0.0076", HOUR)

# By CPU architecture, as a task definition names it.
FARGATE_VCPU_HOUR: Mapping[str, Price] = {
    "X86_64": price("0.0445", HOUR),
    "ARM64": price("0.0356", HOUR),
}
FARGATE_GB_HOUR: Mapping[str, Price] = {
    "X86_64": price("0.0049", GB_HOUR),
    "ARM64": price("0.00392", GB_HOUR),
}
# AWS sets the Spot price by supply and demand and promises no more than "up to 70 %".
# https://aws.amazon.com/fargate/pricing/
FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT = 70

# By instance class and whether there is a standby in another zone.
DATABASE_HOUR: Mapping[tuple[str, bool], Price] = {
    ("db.t4g.medium", False): price("0.065", HOUR),
    ("db.t4g.medium", True): price("0.130", HOUR),
    ("db.t3.medium", False): price("0.074", HOUR),
    ("db.t3.medium", True): price("0.148", HOUR),
}
# gp3, by whether there is a standby in another zone.
DATABASE_STORAGE_GB_MONTH: Mapping[bool, Price] = {
    False: price("0.12", GB_MONTH),
    True: price("0.24", GB_MONTH),
}

# By node type and engine.
CACHE_NODE_HOUR: Mapping[tuple[str, str], Price] = {
    ("cache.t4g.medium", "valkey"): price("0.0624", HOUR),
    ("cache.t4g.medium", "redis"): price("0.078", HOUR),
    ("cache.t3.medium", "valkey"): price("0.0656", HOUR),
}
# Serverless Valkey.
SERVERLESS_CACHE_GB_HOUR = price("0.089", GB_HOUR)
SERVERLESS_CACHE_LEAST_GB = Decimal("0.1")
SERVERLESS_CACHE_MILLION_ECPU = price("0.0024", MILLION_ECPU)

WEB_ACL_MONTH = price("5", MONTH, UNCONFIRMED)
WEB_ACL_RULE_MONTH = price("1", MONTH, UNCONFIRMED)
WEB_ACL_MILLION_REQUESTS = price("0.60", MILLION_REQUESTS, UNCONFIRMED)

SECRET_MONTH = price("0.40", MONTH)
KEY_MONTH = price("1.00", MONTH)

METRIC_MONTH = price("0.30", MONTH)
LOG_GB = price("0.54", GB)
ALARM_MONTH = price("0.10", MONTH)

# By EC2 instance type.
INSTANCE_HOUR: Mapping[str, Price] = {"t4g.small": price("0.0172", HOUR)}
VOLUME_GB_MONTH = price("0.0836", GB_MONTH, AWS_2026)

# Compare with the pricing pages of EC2, Route 53, Lambda, CloudWatch, S3, Secrets Manager and KMS.
INTERNET_OUT_GB = price("0.09", GB, UNCONFIRMED)
CROSS_ZONE_GB = price("0.01", GB, UNCONFIRMED)
HOSTED_ZONE_MONTH = price("0.50", MONTH, UNCONFIRMED)
FUNCTION_MILLION_RUNS = price("0.20", MILLION_REQUESTS, UNCONFIRMED)
FUNCTION_GB_SECOND: Mapping[str, Price] = {
    "X86_64": price("0.0000166667", GB_SECOND, UNCONFIRMED),
    "ARM64": price("0.0000133334", GB_SECOND, UNCONFIRMED),
}
DASHBOARD_MONTH = price("3.00", MONTH, UNCONFIRMED)
BUCKET_WRITES = price("0.005", THOUSAND_REQUESTS, UNCONFIRMED)
BUCKET_READS = price("0.0004", THOUSAND_REQUESTS, UNCONFIRMED)
# S3 Intelligent-Tiering: objects that nobody has read for 30 days.
BUCKET_INFREQUENT_GB_MONTH = price("0.0125", GB_MONTH, UNCONFIRMED)
SECRET_CALLS = price("0.05", TEN_THOUSAND_CALLS, UNCONFIRMED)
KEY_CALLS = price("0.03", TEN_THOUSAND_CALLS, UNCONFIRMED)

# What stays after an environment is deleted. Compare with the pricing pages of RDS, ElastiCache, EBS, S3, ECR and CloudWatch.
DATABASE_SNAPSHOT_GB_MONTH = price("0.095", GB_MONTH, UNCONFIRMED)
CACHE_SNAPSHOT_GB_MONTH = price("0.085", GB_MONTH, UNCONFIRMED)
VOLUME_SNAPSHOT_GB_MONTH = price("0.05", GB_MONTH, UNCONFIRMED)
BUCKET_GB_MONTH = price("0.023", GB_MONTH, UNCONFIRMED)
REPOSITORY_GB_MONTH = price("0.10", GB_MONTH, UNCONFIRMED)
LOG_STORAGE_GB_MONTH = price("0.03", GB_MONTH, UNCONFIRMED)
