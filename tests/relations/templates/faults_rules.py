"""Faults in the rules and outputs of the templates."""

from __future__ import annotations

from tests.relations.planting import drop_from_template, put_in_template
from tests.relations.registry import TemplateFault
from tests.relations.templates import checks_conditions as conditions
from tests.relations.templates import checks_rules as rules

TEMPLATE_FAULTS = (
    TemplateFault(
        "a rule that only the root has",
        rules.rules_are_the_same_in_root_and_layer,
        "No layer has the rule ProdDatabaseIsMultiAz of the root",
        drop_from_template("data", "Rules/ProdDatabaseIsMultiAz"),
    ),
    TemplateFault(
        "a rule that only a layer has",
        rules.rules_are_the_same_in_root_and_layer,
        "The rule HttpsHasCertificate of layer edge is not that of the root",
        drop_from_template("environment", "Rules/HttpsHasCertificate"),
    ),
    TemplateFault(
        "a rule that asserts nothing",
        rules.rules_name_their_parameters,
        "The rule ProdHasNatPerZone of layer network asserts nothing",
        put_in_template("network", "Rules/ProdHasNatPerZone/Assertions", []),
    ),
    TemplateFault(
        "a rule whose sentence names nothing",
        rules.rules_name_their_parameters,
        "names no parameter",
        put_in_template(
            "network", "Rules/ProdHasNatPerZone/Assertions/0/AssertDescription", "Wrong."
        ),
    ),
    TemplateFault(
        "an output that does not exist",
        rules.root_reads_outputs_that_exist,
        "reads the output VpcId of Network, which does not exist",
        drop_from_template("network", "Outputs/VpcId"),
    ),
    TemplateFault(
        "an output that the former release has",
        rules.outputs_of_the_former_release_stay,
        "Layer environment has no output Url",
        drop_from_template("environment", "Outputs/Url"),
    ),
    TemplateFault(
        "an output that a page reads",
        rules.outputs_that_pages_name_exist,
        "diagnosis.md names the output ApiServiceName, which does not exist",
        drop_from_template("environment", "Outputs/ApiServiceName"),
    ),
    TemplateFault(
        "a condition that is always true",
        conditions.conditions_follow_their_parameters,
        "The condition CreateBuckets of layer data is true for all values",
        put_in_template("data", "Conditions/CreateBuckets", {"Fn::Equals": ["", ""]}),
    ),
    TemplateFault(
        "a function that exists without its role",
        conditions.resources_exist_with_what_they_name,
        "BucketRemovalFunction of layer data names BucketRemovalRole, which does not always exist",
        drop_from_template("data", "Resources/BucketRemovalFunction/Condition"),
    ),
    TemplateFault(
        "an address without its NAT gateway",
        conditions.resources_exist_with_what_uses_them,
        "NatAddress2 of layer network may exist without anything that uses it",
        drop_from_template("network", "Resources/NatAddress2/Condition"),
    ),
)
