"""Faults in the templates themselves."""

from __future__ import annotations

from tests.relations.data import checks_replacement as replacement
from tests.relations.planting import drop_from_template, put_in_template
from tests.relations.registry import TemplateFault, Templates
from tests.relations.templates import checks_templates as templates

INTERFACE = "Metadata/AWS::CloudFormation::Interface"
DATABASE = "Resources/Database/Properties"


def many_resources(changed: Templates) -> None:
    """A layer with more resources than a template can have."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    changed["monitoring"]["Resources"] |= {f"Topic{number}": topic for number in range(500)}


TEMPLATE_FAULTS = (
    TemplateFault(
        "a parameter without a label",
        templates.parameters_are_explained,
        "VpcCidr of layer network has no label",
        drop_from_template("network", f"{INTERFACE}/ParameterLabels/VpcCidr"),
    ),
    TemplateFault(
        "a text without a pattern",
        templates.texts_have_a_pattern,
        "Project of layer data accepts any text",
        drop_from_template("data", "Parameters/Project/AllowedPattern"),
    ),
    TemplateFault(
        "a switch that cannot be turned on",
        templates.switches_have_both_values,
        "Decommission of layer environment does not accept true",
        put_in_template("environment", "Parameters/Decommission/AllowedValues", ["false"]),
    ),
    TemplateFault(
        "an optional role with a default",
        templates.optional_texts_are_empty_by_default,
        "DeployRoleName of layer compute may be empty, but its default is deploy",
        put_in_template("compute", "Parameters/DeployRoleName/Default", "deploy"),
    ),
    TemplateFault(
        "a description that is too long",
        templates.templates_fit_the_quotas,
        "Layer data has 1025 bytes of description",
        put_in_template("data", "Description", "x" * 1025),
    ),
    TemplateFault(
        "a parameter without a group",
        templates.parameters_are_explained,
        "is in 0 groups",
        drop_from_template("environment", f"{INTERFACE}/ParameterGroups/0/Parameters/0"),
    ),
    TemplateFault(
        "a parameter without a description",
        templates.parameters_are_explained,
        "ImageTag of layer compute has no description",
        drop_from_template("compute", "Parameters/ImageTag/Description"),
    ),
    TemplateFault(
        "a message that does not name its parameter",
        templates.parameters_are_explained,
        "DatabaseName of layer data refuses values",
        put_in_template("data", "Parameters/DatabaseName/ConstraintDescription", "Invalid name."),
    ),
    TemplateFault(
        "a label of a parameter that there is none of",
        templates.parameters_are_explained,
        "explains the parameter Gone",
        put_in_template("edge", f"{INTERFACE}/ParameterLabels/Gone", {"default": "Gone"}),
    ),
    TemplateFault(
        "a default that is a number",
        templates.defaults_are_text,
        "the default 2000",
        put_in_template("environment", "Parameters/WafRateLimit/Default", 2000),
    ),
    TemplateFault(
        "an output without a description",
        templates.outputs_are_explained,
        "Output VpcId",
        drop_from_template("network", "Outputs/VpcId/Description"),
    ),
    TemplateFault(
        "a root that CloudFormation does not read",
        templates.templates_fit_the_quotas,
        "Layer environment has",
        put_in_template("environment", "Metadata/Padding", "x" * 1_000_000),
    ),
    TemplateFault(
        "too many resources",
        templates.templates_fit_the_quotas,
        "resources, of fewer than 500",
        many_resources,
    ),
    TemplateFault(
        "a transform",
        templates.templates_need_no_transform,
        "Layer compute uses a transform",
        put_in_template("compute", "Transform", "AWS::LanguageExtensions"),
    ),
    TemplateFault(
        "a transform within a resource",
        templates.templates_need_no_transform,
        "Layer data uses a transform",
        put_in_template("data", f"{DATABASE}/Tags", {"Fn::Transform": {"Name": "Tagger"}}),
    ),
    TemplateFault(
        "a load balancer before the policy of its log bucket",
        templates.load_balancer_waits_for_its_log_bucket,
        "before AccessLogBucketPolicy allows it",
        put_in_template(
            "edge",
            "Resources/LoadBalancer/Properties/LoadBalancerAttributes",
            [{"Key": "access_logs.s3.bucket", "Value": {"Ref": "AccessLogBucket"}}],
        ),
    ),
    TemplateFault(
        "a database that a larger class replaces",
        replacement.updates_replace_no_resource_with_data,
        "Changing DatabaseInstanceClass replaces Database",
        put_in_template("data", f"{DATABASE}/DBName", {"Ref": "DatabaseInstanceClass"}),
    ),
    TemplateFault(
        "a database that a condition replaces",
        replacement.updates_replace_no_resource_with_data,
        "Changing CacheMode replaces Database",
        put_in_template(
            "data", f"{DATABASE}/DBSubnetGroupName", {"Fn::If": ["UseServerlessCache", "a", "b"]}
        ),
    ),
    TemplateFault(
        "a database whose subnet group is named after what changes",
        replacement.updates_replace_no_resource_with_data,
        "Changing DatabaseMultiAz replaces Database",
        put_in_template(
            "data",
            "Resources/DatabaseSubnetGroup/Properties/DBSubnetGroupName",
            {"Fn::Sub": "subnets-${DatabaseMultiAz}"},
        ),
    ),
    TemplateFault(
        "a cache whose subnets another layer replaces",
        replacement.updates_replace_no_resource_with_data,
        "Changing NatGateways replaces ServerlessCache",
        put_in_template(
            "network",
            "Resources/DataSubnet1/Properties/AvailabilityZone",
            {"Ref": "NatGateways"},
        ),
    ),
    TemplateFault(
        "a bucket that a switch takes away",
        replacement.updates_replace_no_resource_with_data,
        "Changing CacheMode replaces MediaBucket",
        put_in_template("data", "Resources/MediaBucket/Condition", "UseServerlessCache"),
    ),
)
