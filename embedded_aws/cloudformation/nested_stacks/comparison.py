"""What an update of a root changes in its nested stacks: their change sets.

A nested stack of which an output can change gives its readers values that are known only during the update. As on AWS, their
changes are evaluated dynamically, and a replacement that depends on such a value is conditional.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.change_sets import validation

_STACK = "AWS::CloudFormation::Stack"
_UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"

Change = dict[str, Any]
Record = dict[str, Any]
Values = dict[str, dict[str, Any]]


@dataclass
class NestedChangeSets:
    """The nested change sets of a root change set that updates.

    ``changes`` has the changes of each nested stack, ``after`` its template and values after the update.
    """

    root: Record
    changes: dict[str, list[Change]] = field(default_factory=dict)
    after: dict[str, tuple[Mapping[str, Any], Values]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stack: Record = functions.resolve_stack(self.root["StackId"])
        self.template: Mapping[str, Any] = self.root["_template"]
        self.values: Values = self.root["_resolved_params"]
        self.holds = functions.evaluate_conditions(self.template, self.values)

    def add(self) -> bool:
        """Create the change set of every nested stack that changes; return whether all are valid."""
        while self._spread():
            pass
        passes = True
        listed = {
            change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]
            for change in self.root["Changes"]
        }
        for logical_id, changes in self.changes.items():
            if logical_id not in listed:
                listed[logical_id] = self._modification(logical_id)
                self.root["Changes"].append({"ResourceChange": listed[logical_id]})
            record = self._record(logical_id, changes)
            listed[logical_id]["ChangeSetId"] = record["ChangeSetId"]
            passes = validation.validate(record, *self.after[logical_id]) and passes
        if self.changes:
            self.root.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
        return passes

    def _spread(self) -> bool:
        """Compare every nested stack; return whether another one changes, so that stacks that read it can change."""
        before = len(self.changes)
        for logical_id, resource in self.template["Resources"].items():
            if resource["Type"] == _STACK and self.holds.get(resource.get("Condition"), True):
                child = self._child(logical_id)
                if child is not None and (changes := self._compare(logical_id, child)):
                    self.changes[logical_id] = changes
        return len(self.changes) > before

    def _child(self, logical_id: str) -> Record | None:
        known = self.stack["_resources"].get(logical_id, {}).get("PhysicalResourceId")
        return functions.resolve_stack(known) if known else None

    def _compare(self, logical_id: str, child: Record) -> list[Change]:
        """The changes of a nested stack: certain ones, and possible ones that depend on values of the update."""
        properties = self.template["Resources"][logical_id]["Properties"]
        template = _template_at(self._resolved(properties["TemplateURL"]))
        given = properties.get("Parameters", {})
        missing = {name for name, value in given.items() if self._is_missing(value)}
        unknown = {name for name, value in given.items() if self._is_unknown(value)}
        provided = [
            {"Key": name, "Value": _UNKNOWN if name in missing else _text(self._resolved(value))}
            for name, value in given.items()
        ]
        known = functions.resolve_parameters(
            _without_constraints(template, missing), provided, child["_resolved_params"]
        )
        self.after[logical_id] = template, known
        static = _differences(child, template, known)
        if not unknown:
            return static
        values = {
            name: {**value, "Value": _UNKNOWN} if name in unknown else value
            for name, value in known.items()
        }
        return list(_dynamic(_differences(child, template, values), static))

    def _outputs_in(self, expression: Any) -> Iterator[tuple[str, str]]:
        """The nested stack and the attribute of each output that an expression reads."""
        for name, attribute in functions.referred_to(expression):
            if str(attribute).startswith("Outputs."):
                yield name, str(attribute)

    def _is_missing(self, expression: Any) -> bool:
        """Whether a value reads an output that no stack has yet."""
        return any(
            attribute not in self.stack["_resources"].get(name, {}).get("Attributes", {})
            for name, attribute in self._outputs_in(expression)
        )

    def _is_unknown(self, expression: Any) -> bool:
        """Whether a value reads an output of a nested stack that changes, or that no stack has yet."""
        return self._is_missing(expression) or any(
            name in self.changes for name, _ in self._outputs_in(expression)
        )

    def _resolved(self, expression: Any) -> Any:
        return functions.resolve_functions(
            copy.deepcopy(expression),
            self.stack["_resources"],
            self.values,
            self.holds,
            self.template.get("Mappings", {}),
            self.stack["StackName"],
            self.stack["StackId"],
        )

    def _modification(self, logical_id: str) -> Change:
        """The change that the root lists for a nested stack whose own properties do not change."""
        return {
            "Action": "Modify",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": self.stack["_resources"][logical_id]["PhysicalResourceId"],
            "ResourceType": _STACK,
            "Replacement": "False",
            "Scope": ["Properties"],
            "Details": [
                {
                    "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
                    "Evaluation": "Dynamic",
                    "ChangeSource": "Automatic",
                }
            ],
        }

    def _record(self, logical_id: str, changes: list[Change]) -> Record:
        child = self._child(logical_id)
        assert child is not None  # noqa: S101 - only nested stacks that exist have changes
        name = f"{child['StackName']}-{new_uuid()}"
        identity = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:changeSet/{name}/{new_uuid()}"
        record = {
            **self.root,
            "ChangeSetId": identity,
            "ChangeSetName": name,
            "StackId": child["StackId"],
            "StackName": child["StackName"],
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "UNAVAILABLE",
            "StatusReason": "",
            "CreationTime": now_iso(),
            "Changes": changes,
            "Parameters": [],
            "ParentChangeSetId": self.root["ChangeSetId"],
            "RootChangeSetId": self.root["ChangeSetId"],
        }
        tables.CHANGE_SETS[identity] = record
        return record


def _template_at(url: str) -> Mapping[str, Any]:
    body, problem = functions.resolve_document(
        {"TemplateURL": [url]}, "TemplateBody", "TemplateURL", "Template"
    )
    if problem:
        raise ValueError(f"The template at {url} cannot be read")
    template: Mapping[str, Any] = functions.parse_template(body)
    return template


def _without_constraints(template: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    """A template that accepts any value of some parameters: an unknown value fits no constraint."""
    declared = {
        name: {"Type": "CommaDelimitedList" if "List" in parameter["Type"] else "String"}
        if name in names
        else parameter
        for name, parameter in template.get("Parameters", {}).items()
    }
    return {**template, "Parameters": declared}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _differences(child: Record, template: Mapping[str, Any], values: Values) -> list[Change]:
    """The differences that ministack finds between a stack and a template with values."""
    place = child["StackName"], child["StackId"]
    before = functions.resolve_for_difference(child["_template"], child["_resolved_params"], *place)
    after = functions.resolve_for_difference(template, values, *place)
    changed = {
        name
        for name, value in values.items()
        if value["Value"] != _UNKNOWN
        and child["_resolved_params"].get(name, {}).get("Value") != value["Value"]
    }
    found: list[Change] = functions.changes_of_resources(
        before, after, child["_resources"], template, changed
    )
    return found


def _dynamic(possible: list[Change], static: list[Change]) -> Iterator[Change]:
    """Static changes, and possible modifications; conditions are evaluated with the known values."""
    certain = {
        change["ResourceChange"]["LogicalResourceId"]: {
            detail["Target"].get("Name") for detail in change["ResourceChange"].get("Details", [])
        }
        for change in static
    }
    yield from (change for change in static if change["ResourceChange"]["Action"] != "Modify")
    for change in possible:
        resource = copy.deepcopy(change["ResourceChange"])
        if resource["Action"] != "Modify":
            continue
        names = certain.get(resource["LogicalResourceId"], set())
        for detail in resource["Details"]:
            if detail["Target"].get("Name") not in names:
                detail["Evaluation"] = "Dynamic"
        resource["Replacement"] = functions.replacement_of(resource["Details"], False)
        yield {"ResourceChange": resource}
