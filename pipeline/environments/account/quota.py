"""A quota compared with the current use and the need of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from pipeline.aws import Aws, partition_of
from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.needs import Need, Needs
from pipeline.environments.account.usage import listing
from pipeline.environments.deletion.account import Account, UnreadableError

# The regions in which AWS keeps the quotas of services without regions, by partition.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html
_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

NeedOf = Callable[[Needs], Need]
UseOf = Callable[[Account], float]


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas, with the need of an environment and the use of the account.

    ``whole_account`` says that the quota counts all regions.
    """

    service: str
    code: str
    name: str
    need: NeedOf
    use: UseOf
    whole_account: bool = False


def home_of(region: str) -> str:
    """The region of the same partition that is always on, and that keeps what belongs to no region."""
    return _HOME[partition_of(region)]


def place_of(quota: Quota, region: str) -> str:
    """The region in which AWS keeps a quota."""
    return home_of(region) if quota.whole_account else region


def limits(aws: Aws, service: str, codes: frozenset[str]) -> Mapping[str, float]:
    """The quotas of a service, by code: those applied to the account, else AWS's defaults.

    Raises UnreadableError without the permission. ListServiceQuotas leaves a quota out whose applied value is not known. Lists are
    read, because AWS answers ten of them in a second and only five calls of GetServiceQuota.
    https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
    """
    account = Account(aws)
    found = _values(account, "ListServiceQuotas", "list_service_quotas", service)
    if codes <= found.keys():
        return found
    defaults = _values(
        account, "ListAWSDefaultServiceQuotas", "list_aws_default_service_quotas", service
    )
    return {**defaults, **found}


def _values(account: Account, action: str, operation: str, service: str) -> dict[str, float]:
    listed = listing(f"servicequotas:{action}", operation, "Quotas", ServiceCode=service)
    return {
        each["QuotaCode"]: float(each["Value"])
        for each in listed.entries(account)
        if "Value" in each
    }


def finding(
    quota: Quota,
    region: str,
    environment: str,
    need: Need,
    read_limits: Callable[[], Mapping[str, float]],
    account: Account,
) -> Finding:
    """Compare a quota with the use and the need of an environment."""
    subject = f"{quota.service} {quota.code}"
    try:
        limit = read_limits().get(quota.code)
        used = quota.use(account)
    except UnreadableError as error:
        return cannot_tell(subject, f"{quota.name}: {error}.")
    if limit is None:
        return cannot_tell(
            subject, f"{quota.name}: Service Quotas has no quota {quota.code} in {region}."
        )
    free = limit - used
    state = f"{quota.name}: {number(used)} of {number(limit)} in use"
    if need.at_largest <= free:
        return yes(subject, f"{state}, {environment} needs {number(need.at_largest)}.")
    stops = need.at_launch > free
    wanted = ceil(used + need.at_largest)
    needs = number(need.at_launch) if stops else f"{number(need.at_largest)} at its largest"
    return no(
        subject,
        f"{state}, and {environment} needs {needs}: request at least {wanted} for quota {quota.code} of"
        f" {quota.service} in {region}, or delete what is not used.",
        stops=stops,
    )


def number(value: float) -> str:
    """A number without needless decimals, and never rounded to zero."""
    if value == int(value):
        return f"{value:,.0f}"
    return f"{max(value, 0.01):,.2f}"
