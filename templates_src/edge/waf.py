"""The web application firewall in front of the load balancer: rate limit, managed rules and their log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from troposphere import Equals, GetAtt, If, NoValue, Ref, Sub
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

from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import choice, number
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

ATTACKS, ALL, NONE = "attacks", "all", "none"
WAF_BLOCKED_BODIES = choice(
    "WafBlockedBodies",
    group=groups.LOAD_BALANCER,
    label="Blocked request bodies",
    description="Which request bodies the firewall blocks; it counts the other matches. "
    "attacks: attacks on Log4j, Java, React and instance metadata. "
    "all: also text that looks like HTML, SQL, a path or a URL, such as an SVG upload or a prompt. none: no body.",
    allowed=(ATTACKS, ALL, NONE),
    default=ATTACKS,
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
    """A managed rule group of AWS, and those of its rules that may count a request instead of blocking it.

    Every rule that inspects bodies is in one of the three: rules in ``counted`` always count, those in ``content`` match
    text that documents contain, and those in ``attacks`` match attacks only. WAF ignores a name that the group does not have.
    """

    name: str
    group: str
    counted: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()


# In the order of evaluation, after the rate limit. Capacity units: 25 + 200 + 200 + 700, and 2 of the rate limit, of
# the 1,500 that the basic price covers.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
MANAGED_RULES = (
    ManagedRules("IpReputation", "AWSManagedRulesAmazonIpReputationList"),
    ManagedRules(
        "KnownBadInputs",
        "AWSManagedRulesKnownBadInputsRuleSet",
        attacks=("JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"),
    ),
    ManagedRules(
        "SqlInjection",
        "AWSManagedRulesSQLiRuleSet",
        content=("SQLi_BODY", "SQLiExtendedPatterns_BODY"),
    ),
    ManagedRules(
        "Common",
        "AWSManagedRulesCommonRuleSet",
        # Users upload documents, so bodies over 8 KB are normal.
        counted=("SizeRestrictions_BODY",),
        content=("CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY"),
        attacks=("EC2MetaDataSSRF_BODY",),
    ),
)


def add_web_acl(layer: Layer, load_balancer_arn: Ref) -> WebACL:
    """Web ACL of the load balancer: it allows every request that no rule blocks."""
    rules = [rate_limit(layer)]
    rules += [
        managed_rule_group(layer, rules, priority)
        for priority, rules in enumerate(MANAGED_RULES, start=1)
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


def managed_rule_group(layer: Layer, rules: ManagedRules, priority: int) -> WebACLRule:
    """A managed rule group with its default actions, except for the rules that only count."""
    return WebACLRule(
        Name=rules.name,
        Priority=priority,
        OverrideAction=OverrideAction(**{"None": {}}),
        Statement=Statement(
            ManagedRuleGroupStatement=ManagedRuleGroupStatement(
                VendorName="AWS", Name=rules.group, **overrides(layer, rules)
            )
        ),
        VisibilityConfig=visibility(rules.name),
    )


def overrides(layer: Layer, rules: ManagedRules) -> dict[str, Any]:
    """The rules of a group that count. A rule that counts keeps its label, which the log and a metric show.

    The property is absent where no rule counts, because WAF refuses an empty list.
    https://docs.aws.amazon.com/waf/latest/APIReference/API_ManagedRuleGroupStatement.html
    """
    if not rules.content and not rules.attacks:
        return {}
    blocked = layer.parameter(WAF_BLOCKED_BODIES)
    no_body = layer.condition("FirewallBlocksNoBody", Equals(blocked, NONE))
    every_body = layer.condition("FirewallBlocksAllBodies", Equals(blocked, ALL))
    content = rules.counted + rules.content
    otherwise = counting(content)
    if rules.content:
        otherwise = If(every_body, counting(rules.counted), otherwise)
    return {"RuleActionOverrides": If(no_body, counting(content + rules.attacks), otherwise)}


def counting(names: Sequence[str]) -> Any:
    """Rules that count a request instead of blocking it; without rules, no property."""
    count = RuleAction(Count=CountAction())
    return [RuleActionOverride(Name=name, ActionToUse=count) for name in names] or NoValue


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
            **DELETED_WITH_THE_STACK,
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
