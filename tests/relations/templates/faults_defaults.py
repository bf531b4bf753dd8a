"""Faults in the defaults of the templates, and in the connections between the root and its layers."""

from __future__ import annotations

from typing import Any

from tests.relations.planting import TemplatePlant, drop_from_template, put_in_template
from tests.relations.registry import TemplateFault, Templates
from tests.relations.templates import checks_defaults as defaults
from tests.relations.templates import checks_wiring as wiring

DATA = "Resources/Data/Properties"


def put_in_every_template(parameter: str, key: str, value: Any) -> TemplatePlant:
    """Set an attribute of a parameter in every template that has it."""

    def plant(templates: Templates) -> None:
        for template in templates.values():
            if parameter in template["Parameters"]:
                template["Parameters"][parameter][key] = value

    return plant


TEMPLATE_FAULTS = (
    TemplateFault(
        "an optional output that a layer does not receive",
        wiring.layers_receive_values_by_name,
        "Compute does not pass DeployRoleName",
        drop_from_template("environment", "Resources/Compute/Properties/Parameters/DeployRoleName"),
    ),
    TemplateFault(
        "a default that no profile has",
        defaults.defaults_launch_the_environment_that_they_name,
        "ApiMaxTasks has the default '50', but the profile dev has",
        put_in_every_template("ApiMaxTasks", "Default", "50"),
    ),
    TemplateFault(
        "a root that needs the prefix of its release",
        defaults.defaults_launch_the_environment_that_they_name,
        "ReleasePrefix has no default",
        drop_from_template("environment", "Parameters/ReleasePrefix/Default"),
    ),
    TemplateFault(
        "a default of another profile",
        defaults.defaults_launch_the_environment_that_they_name,
        "NatGateways has the default 'per-zone', but the profile dev has 'single'",
        put_in_every_template("NatGateways", "Default", "per-zone"),
    ),
    TemplateFault(
        "the environment of another profile",
        defaults.defaults_launch_the_environment_that_they_name,
        "but the profile prod has",
        put_in_every_template("Environment", "Default", "prod"),
    ),
    TemplateFault(
        "an environment without a profile",
        defaults.defaults_launch_the_environment_that_they_name,
        "is 'test', which has no profile",
        put_in_template("environment", "Parameters/Environment/Default", "test"),
    ),
    TemplateFault(
        "a parameter without a default",
        defaults.defaults_launch_the_environment_that_they_name,
        "WafRateLimit has no default",
        drop_from_template("environment", "Parameters/WafRateLimit/Default"),
    ),
    TemplateFault(
        "a layer whose default differs",
        defaults.templates_agree_on_their_parameters,
        "LogRetentionDays has Default '7' in edge, and '30' in environment",
        put_in_template("edge", "Parameters/LogRetentionDays/Default", "7"),
    ),
    TemplateFault(
        "a layer that refuses what the root accepts",
        defaults.templates_agree_on_their_parameters,
        "DatabaseAllocatedStorage has MaxValue 100 in data",
        put_in_template("data", "Parameters/DatabaseAllocatedStorage/MaxValue", 100),
    ),
    TemplateFault(
        "two layers that take one output in two forms",
        defaults.templates_agree_on_their_parameters,
        "in edge, and 'key/.*' in data",
        put_in_template("data", "Parameters/KeyArn/AllowedPattern", "key/.*"),
    ),
    TemplateFault(
        "a default outside its bounds",
        defaults.defaults_are_accepted,
        "WafRateLimit of layer edge rejects its own default '1'",
        put_in_every_template("WafRateLimit", "Default", "1"),
    ),
    TemplateFault(
        "a default outside its allowed values",
        defaults.defaults_are_accepted,
        "ProtectedBy of layer data rejects its own default 'nobody'",
        put_in_template("data", "Parameters/ProtectedBy/Default", "nobody"),
    ),
    TemplateFault(
        "a default against a rule",
        defaults.rules_accept_the_defaults,
        "The defaults of compute are refused",
        put_in_every_template("EnableExecuteCommand", "Default", "true"),
    ),
    TemplateFault(
        "a rule that asks for prod in every environment",
        defaults.rules_accept_the_defaults,
        "The defaults of network are refused",
        drop_from_template("network", "Rules/ProdHasNatPerZone/RuleCondition"),
    ),
    TemplateFault(
        "two defaults that contradict each other",
        defaults.rules_accept_the_defaults,
        "The defaults of compute contradict each other: ApiMinTasks (20)",
        put_in_every_template("ApiMinTasks", "Default", "20"),
    ),
    TemplateFault(
        "a valid value of another name",
        wiring.layers_receive_values_by_name,
        "DatabaseSecretArn of Data receives KeyArn",
        put_in_template(
            "environment",
            f"{DATA}/Parameters/DatabaseSecretArn",
            {"Fn::GetAtt": ["Security", "Outputs.KeyArn"]},
        ),
    ),
    TemplateFault(
        "a constant in place of a parameter",
        wiring.layers_receive_values_by_name,
        "WorkerQueues of Compute receives celery",
        put_in_template(
            "environment", "Resources/Compute/Properties/Parameters/WorkerQueues", "celery"
        ),
    ),
    TemplateFault(
        "a parameter that no longer reaches its layer",
        wiring.layers_receive_values_by_name,
        "Compute does not pass WorkerQueues",
        drop_from_template("environment", "Resources/Compute/Properties/Parameters/WorkerQueues"),
    ),
    TemplateFault(
        "a parameter that a layer does not have",
        wiring.layers_receive_values_by_name,
        "Data passes Gone",
        put_in_template("environment", f"{DATA}/Parameters/Gone", "1"),
    ),
    TemplateFault(
        "a layer that protects itself within an environment",
        wiring.layers_receive_values_by_name,
        "Data turns its deletion protection on itself",
        put_in_template("environment", f"{DATA}/Parameters/ProtectedBy", "layer"),
    ),
    TemplateFault(
        "an output of the root with another value",
        wiring.outputs_pass_through_the_root_by_name,
        "Output Url of the root is",
        put_in_template(
            "environment", "Outputs/Url/Value", {"Fn::GetAtt": ["Edge", "Outputs.UrlCertificate"]}
        ),
    ),
    TemplateFault(
        "an output of another layer",
        wiring.outputs_pass_through_the_root_by_name,
        "Data reads KeyArn of Network, which Security outputs",
        put_in_template(
            "environment",
            f"{DATA}/Parameters/KeyArn",
            {"Fn::GetAtt": ["Network", "Outputs.KeyArn"]},
        ),
    ),
    TemplateFault(
        "a nested stack of another layer",
        wiring.nested_stacks_have_the_template_of_their_layer,
        "not its layer of the release",
        put_in_template(
            "environment",
            f"{DATA}/TemplateURL",
            {
                "Fn::Sub": "https://${ReleaseBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/${ReleasePrefix}templates/edge.template.json"
            },
        ),
    ),
    TemplateFault(
        "a template in another region",
        wiring.nested_stacks_have_the_template_of_their_layer,
        "outside the release or the region of the launch",
        put_in_template(
            "environment",
            f"{DATA}/TemplateURL",
            {
                "Fn::Sub": "https://${ReleaseBucket}.s3.eu-west-1.amazonaws.com/${ReleasePrefix}templates/data.template.json"
            },
        ),
    ),
    TemplateFault(
        "a nested stack with the tag of another layer",
        wiring.nested_stacks_have_the_template_of_their_layer,
        "Data tags its resources with the layer ['edge']",
        lambda templates: tag_of_layer(templates).update(Value="edge"),
    ),
    TemplateFault(
        "a parameter without an effect",
        wiring.every_parameter_is_used,
        "Layer network does not use Unused",
        put_in_template("network", "Parameters/Unused", {"Type": "String"}),
    ),
)


def tag_of_layer(templates: Templates) -> dict[str, Any]:
    """The tag Layer of the nested stack Data."""
    tags = templates["environment"]["Resources"]["Data"]["Properties"]["Tags"]
    (found,) = (each for each in tags if each["Key"] == "Layer")
    tag: dict[str, Any] = found
    return tag
