"""Planted faults in a release, each with the check that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests import planted_faults
from tests.relations.planting import drop_from_template, put_in_template
from tests.updates import compatibility
from tests.updates.compatibility import Change

Templates = dict[str, dict[str, Any]]
Plant = Callable[[Templates], object]
ROOT = "environment"
INTERFACE = "Metadata/AWS::CloudFormation::Interface"
# A log group that a user created.
TAKEN = "taken-already"


Fault = planted_faults.Fault[Templates, Callable[[Change], Iterable[str]]]


def unlaunchable(templates: Templates) -> None:
    """The last layer needs a taken name: all layers before it are updated, and then rolled back."""
    templates["monitoring"]["Resources"]["Taken"] = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": TAKEN},
    }


def rename_resource(layer: str, logical_id: str, name: str) -> Plant:
    """Give a resource another logical ID, also in references."""

    def plant(templates: Templates) -> None:
        templates[layer] = _renamed(templates[layer], logical_id, name)

    return plant


def _renamed(part: Any, old: str, new: str) -> Any:
    if isinstance(part, dict):
        return {new if key == old else key: _renamed(item, old, new) for key, item in part.items()}
    if isinstance(part, list):
        return [_renamed(item, old, new) for item in part]
    if not isinstance(part, str):
        return part
    text = part.replace(f"${{{old}}}", f"${{{new}}}").replace(f"${{{old}.", f"${{{new}.")
    return new if text == old else text


def move_resource(logical_id: str, layer: str, to: str) -> Plant:
    """Move a resource to another layer."""

    def plant(templates: Templates) -> None:
        templates[to]["Resources"][logical_id] = templates[layer]["Resources"].pop(logical_id)

    return plant


def add_parameter(name: str, **body: Any) -> Plant:
    """Add a parameter to the root."""

    def plant(templates: Templates) -> None:
        root = templates[ROOT]
        root["Parameters"][name] = {"Type": "String", "Description": "More.", **body}
        interface = root["Metadata"]["AWS::CloudFormation::Interface"]
        interface["ParameterLabels"][name] = {"default": name}
        interface["ParameterGroups"][0]["Parameters"].append(name)

    return plant


def parameter(path: str, value: Any) -> Plant:
    """Change a key in the declaration of a parameter of the root."""
    return put_in_template(ROOT, f"Parameters/{path}", value)


FAULTS = (
    Fault(
        "a parameter that is gone",
        compatibility.parameters_remain,
        "Parameter WafRateLimit is gone",
        drop_from_template(ROOT, "Parameters/WafRateLimit"),
    ),
    Fault(
        "a new parameter that must be given",
        compatibility.added_parameters_have_defaults,
        "Parameter CostCenter is new and has no default",
        add_parameter("CostCenter"),
    ),
    Fault(
        "a pattern that refuses a profile's value",
        compatibility.former_values_are_accepted,
        "Parameter DatabaseName refuses 'carbon_connect', which dev had",
        parameter("DatabaseName/AllowedPattern", "[a-z]+"),
    ),
    Fault(
        "a choice that is gone",
        compatibility.former_values_are_accepted,
        "Parameter NatGateways refuses 'per-zone', which could be chosen",
        parameter("NatGateways/AllowedValues", ["single"]),
    ),
    Fault(
        "a bound that refuses a default",
        compatibility.former_values_are_accepted,
        "Parameter WafRateLimit refuses '2000', its default",
        parameter("WafRateLimit/MinValue", 3000),
    ),
    Fault(
        "another type",
        compatibility.declarations_are_no_narrower,
        "Parameter ImageTag was of type String and is of Number",
        parameter("ImageTag/Type", "Number"),
    ),
    Fault(
        "a default that is gone",
        compatibility.declarations_are_no_narrower,
        "Parameter ImageTag has no default any more",
        drop_from_template(ROOT, "Parameters/ImageTag/Default"),
    ),
    Fault(
        "choices where there was any value",
        compatibility.declarations_are_no_narrower,
        "Parameter DatabaseInstanceClass took any value and takes only db.t4g.medium",
        parameter("DatabaseInstanceClass/AllowedValues", ["db.t4g.medium"]),
    ),
    Fault(
        "a narrowed pattern that every known value fits",
        compatibility.declarations_are_no_narrower,
        "Parameter DatabaseName has another pattern",
        parameter("DatabaseName/AllowedPattern", "[a-z_]+"),
    ),
    Fault(
        "a greater least value",
        compatibility.declarations_are_no_narrower,
        "Parameter WafRateLimit has the least value 500",
        parameter("WafRateLimit/MinValue", 500),
    ),
    Fault(
        "a greatest length where there was none",
        compatibility.declarations_are_no_narrower,
        "Parameter ApiCommand has the greatest length 100",
        parameter("ApiCommand/MaxLength", 100),
    ),
    Fault(
        "an output that is gone",
        compatibility.outputs_remain,
        "Output DashboardUrl is gone",
        drop_from_template(ROOT, "Outputs/DashboardUrl"),
    ),
    Fault(
        "another logical ID of the database",
        compatibility.what_holds_data_keeps_its_logical_id,
        "Database of data is gone",
        rename_resource("data", "Database", "PostgresDatabase"),
    ),
    Fault(
        "a nested stack under another name",
        compatibility.what_holds_data_keeps_its_logical_id,
        "Data of environment is gone",
        rename_resource(ROOT, "Data", "Storage"),
    ),
    Fault(
        "a secret in another layer",
        compatibility.what_holds_data_keeps_its_logical_id,
        "JwtSecret of security is gone",
        move_resource("JwtSecret", "security", "data"),
    ),
    Fault(
        "a cache of another type",
        compatibility.what_holds_data_keeps_its_logical_id,
        "CacheReplicationGroup of data was AWS::ElastiCache::ReplicationGroup and is",
        put_in_template(
            "data", "Resources/CacheReplicationGroup/Type", "AWS::ElastiCache::Cluster"
        ),
    ),
    Fault(
        "a release bucket under another logical ID",
        compatibility.what_holds_data_keeps_its_logical_id,
        "Bucket of release-bucket is gone",
        rename_resource("release-bucket", "Bucket", "Releases"),
    ),
    Fault(
        "a database that no longer leaves a snapshot",
        compatibility.what_holds_data_keeps_its_policies,
        "Database of data had DeletionPolicy Snapshot and has Delete",
        put_in_template("data", "Resources/Database/DeletionPolicy", "Delete"),
    ),
)
