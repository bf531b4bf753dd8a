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

from templates_src.core import groups
from templates_src.core.declaration import number
from templates_src.core.layer import Layer
from templates_src.core.shared import LOG_RETENTION_DAYS, named
from templates_src.core.wiring import KEY_ARN

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
# WAF delivers only to log groups whose name begins so: the one log group that cannot go without a name.
LOG_GROUP_PREFIX = "aws-waf-logs-"
# They carry credentials, and so does a query string in a signed link or a token in an address. WAF redacts these four
# kinds of fields only: UriPath, QueryString, SingleHeader and Method.
# https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingConfiguration.html
REDACTED_HEADERS = ("authorization", "cookie")


@dataclass(frozen=True)
class ManagedRules:
    """A rule group that AWS maintains; the rules in ``counted`` are counted where the group would block."""

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
    # Bodies over 8 KB are ordinary: documents are uploaded.
    ManagedRules("Common", "AWSManagedRulesCommonRuleSet", counted=("SizeRestrictions_BODY",)),
)


def add_web_acl(layer: Layer, load_balancer_arn: Ref) -> WebACL:
    """Firewall on the load balancer: it allows every request that no rule blocks."""
    rules = [rate_limit(layer)]
    rules += [
        managed_rule_group(rules, priority) for priority, rules in enumerate(MANAGED_RULES, start=1)
    ]
    acl = layer.add(
        WebACL(
            "WebAcl",
            # CloudWatch's dimension WebACL is documented as the metric's name and seen as the ACL's: they are the same.
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
    """Credentials substituted in samples and in the details of a match, which RedactedFields of the log leaves as they are.

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
    """Block an address for as long as it sends more than the limit."""
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
    """A managed rule group with its own actions, except for rules that only count."""
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
    """Metrics and samples of a rule, under its own name."""
    return VisibilityConfig(
        MetricName=metric, CloudWatchMetricsEnabled=True, SampledRequestsEnabled=True
    )


def add_web_acl_log(layer: Layer, acl: WebACL) -> None:
    """Every request that the firewall looked at, without credentials.

    No resource policy: WAF adds its log delivery to the account's own when logging is turned on.
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
            # The group's own attribute Arn ends in ":*", which is not the address WAF takes.
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
