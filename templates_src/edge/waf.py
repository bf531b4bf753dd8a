"""The web application firewall in front of the load balancer: rate limit, managed rules and their log."""

from __future__ import annotations

from dataclasses import dataclass

from troposphere import GetAtt, Ref, Sub
from troposphere.logs import LogGroup
from troposphere.wafv2 import (
    AllowAction,
    BlockAction,
    CountAction,
    DataProtect,
    DataProtectionConfig,
    DefaultAction,
    FieldToProtect,
    LoggingConfiguration,
    LoggingConfigurationFieldToMatch,
    ManagedRuleGroupStatement,
    OverrideAction,
    RateBasedStatement,
    RuleAction,
    RuleActionOverride,
    SingleHeader,
    Statement,
    VisibilityConfig,
    WebACL,
    WebACLAssociation,
    WebACLRule,
)

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import number
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS, named
from templates_src.core.parameters.wiring.security import KEY_ARN

WAF_RATE_LIMIT = number(
    "WafRateLimit",
    group=groups.LOAD_BALANCER,
    label="Requests from one address",
    description="Number of requests in five minutes above which the firewall blocks an IP address.",
    default="2000",
    # The bounds of AWS WAF.
    at_least=10,
    at_most=2_000_000_000,
)

WINDOW_SECONDS = 300
# WAF delivers only to log groups with this prefix, so this log group needs an explicit name.
LOG_GROUP_PREFIX = "aws-waf-logs-"
# These headers contain credentials, and so does the query string of a signed URL. WAF can redact only UriPath,
# QueryString, SingleHeader and Method.
# https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingConfiguration.html
REDACTED_HEADERS = ("authorization", "cookie")


@dataclass(frozen=True)
class ManagedRules:
    """A managed rule group of AWS; the rules in ``counted`` count a request instead of blocking it."""

    name: str
    group: str
    counted: tuple[str, ...] = ()


# In the order of evaluation, after the rate limit. Capacity units: 25 + 200 + 200 + 700, and 2 of the rate limit, of
# the 1,500 that the basic price covers.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
MANAGED_RULES = (
    ManagedRules("IpReputation", "AWSManagedRulesAmazonIpReputationList"),
    ManagedRules("KnownBadInputs", "AWSManagedRulesKnownBadInputsRuleSet"),
    ManagedRules("SqlInjection", "AWSManagedRulesSQLiRuleSet"),
    # Users upload documents, so bodies over 8 KB are normal.
    ManagedRules("Common", "AWSManagedRulesCommonRuleSet", counted=("SizeRestrictions_BODY",)),
)


def add_web_acl(layer: Layer, load_balancer_arn: Ref) -> WebACL:
    """Web ACL of the load balancer: it allows every request that no rule blocks."""
    rules = [rate_limit(layer)]
    rules += [
        managed_rule_group(rules, priority) for priority, rules in enumerate(MANAGED_RULES, start=1)
    ]
    acl = layer.add(
        WebACL(
            "WebAcl",
            # The documentation of the dimension WebACL names the metric name, and CloudWatch shows the name of the ACL:
            # here they are equal.
            Name=named(),
            Scope="REGIONAL",
            DefaultAction=DefaultAction(Allow=AllowAction()),
            Rules=rules,
            VisibilityConfig=VisibilityConfig(
                MetricName=named(), CloudWatchMetricsEnabled=True, SampledRequestsEnabled=True
            ),
            DataProtectionConfig=protected_data(),
        )
    )
    layer.add(
        WebACLAssociation(
            "WebAclAssociation", ResourceArn=load_balancer_arn, WebACLArn=GetAtt(acl, "Arn")
        )
    )
    add_web_acl_log(layer, acl)
    return acl


def protected_data() -> DataProtectionConfig:
    """Substitute credentials in samples and in match details, which RedactedFields of the log does not cover.

    https://docs.aws.amazon.com/waf/latest/APIReference/API_DataProtectionConfig.html
    """
    fields = (
        FieldToProtect(FieldType="QUERY_STRING"),
        FieldToProtect(FieldType="SINGLE_HEADER", FieldKeys=list(REDACTED_HEADERS)),
    )
    return DataProtectionConfig(
        DataProtections=[DataProtect(Field=field, Action="SUBSTITUTION") for field in fields]
    )


def rate_limit(layer: Layer) -> WebACLRule:
    """Block an address while it sends more requests than the limit."""
    return WebACLRule(
        Name="RateLimit",
        Priority=0,
        Action=RuleAction(Block=BlockAction()),
        Statement=Statement(
            RateBasedStatement=RateBasedStatement(
                AggregateKeyType="IP",
                Limit=layer.parameter(WAF_RATE_LIMIT),
                EvaluationWindowSec=WINDOW_SECONDS,
            )
        ),
        VisibilityConfig=visibility("RateLimit"),
    )


def managed_rule_group(rules: ManagedRules, priority: int) -> WebACLRule:
    """A managed rule group with its default actions, except for the rules that only count."""
    counted = [
        RuleActionOverride(Name=name, ActionToUse=RuleAction(Count=CountAction()))
        for name in rules.counted
    ]
    return WebACLRule(
        Name=rules.name,
        Priority=priority,
        OverrideAction=OverrideAction(**{"None": {}}),
        Statement=Statement(
            ManagedRuleGroupStatement=ManagedRuleGroupStatement(
                VendorName="AWS",
                Name=rules.group,
                **({"RuleActionOverrides": counted} if counted else {}),
            )
        ),
        VisibilityConfig=visibility(rules.name),
    )


def visibility(metric: str) -> VisibilityConfig:
    """Metrics and samples of a rule, under its name."""
    return VisibilityConfig(
        MetricName=metric, CloudWatchMetricsEnabled=True, SampledRequestsEnabled=True
    )


def add_web_acl_log(layer: Layer, acl: WebACL) -> None:
    """The log of every request that the web ACL inspects, without credentials.

    It needs no resource policy: WAF adds one to the account when logging is turned on.
    """
    group = layer.add(
        LogGroup(
            "WebAclLogGroup",
            LogGroupName=named_log_group(),
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            KmsKeyId=layer.parameter(KEY_ARN),
        )
    )
    layer.add(
        LoggingConfiguration(
            "WebAclLogging",
            ResourceArn=GetAtt(acl, "Arn"),
            # The attribute Arn of the group ends in ":*", which WAF does not accept.
            LogDestinationConfigs=[
                Sub(
                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
                    f":log-group:${{{group.title}}}"
                )
            ],
            RedactedFields=[
                LoggingConfigurationFieldToMatch(QueryString={}),
                *(
                    LoggingConfigurationFieldToMatch(SingleHeader=SingleHeader(Name=header))
                    for header in REDACTED_HEADERS
                ),
            ],
        )
    )


def named_log_group() -> Sub:
    """``aws-waf-logs-{project}-{environment}``."""
    return Sub(LOG_GROUP_PREFIX + named().data["Fn::Sub"])
