"""Intrinsic functions are evaluated like in CloudFormation, and stay if their values are unknown before a launch."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.checks.render import check_rules, scope_of
from pipeline.errors import PipelineError
from pipeline.template.intrinsic_functions import NO_VALUE, Scope
from tests.conftest import REGION

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "carbon"},
        "Empty": {"Type": "String", "Default": ""},
        "Count": {"Type": "Number", "Default": "3"},
        "Cidr": {"Type": "String", "Default": "10.0.0.0/16"},
        "List": {"Type": "CommaDelimitedList", "Default": "one, two ,three"},
        "Braces": {"Type": "String", "Default": "${Name}"},
    },
    "Mappings": {"Sizes": {"eu-north-1": {"Memory": "512", "Zones": ["a", "b"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Name"}, "carbon"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": [{"Ref": "Count"}, 3]}]},
        "Either": {"Fn::Or": [{"Condition": "No"}, {"Condition": "Both"}]},
        "Neither": {"Fn::Or": [{"Condition": "No"}, {"Fn::Not": [{"Condition": "Both"}]}]},
        "HasList": {"Fn::Not": [{"Fn::Equals": [{"Fn::Select": ["0", {"Ref": "List"}]}, ""]}]},
        "HasEmpty": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Empty"}, ""]}]},
        "IsHere": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-north-1"]},
    },
}
NOTHING = {"Ref": "AWS::NoValue"}


def joined(value: Any) -> dict[str, Any]:
    return {"Fn::Join": ["|", value]}


def chosen(condition: str, yes: Any = "yes", no: Any = "no") -> dict[str, Any]:
    return {"Fn::If": [condition, yes, no]}


# Expression, and its value in CloudFormation.
TEXTS: dict[str, tuple[Any, str]] = {
    "Ref": ({"Ref": "Name"}, "carbon"),
    "RefNumber": ({"Ref": "Count"}, "3"),
    "RefRegion": ({"Ref": "AWS::Region"}, "eu-north-1"),
    "RefPartition": ({"Ref": "AWS::Partition"}, "aws"),
    "RefSuffix": ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    "RefList": (joined({"Ref": "List"}), "one|two|three"),
    "Sub": ({"Fn::Sub": "${Name}-${Count}.${AWS::Region}"}, "carbon-3.eu-north-1"),
    "SubEmpty": ({"Fn::Sub": "[${Empty}]"}, "[]"),
    "SubLiteral": ({"Fn::Sub": "${!Name} is ${Name}"}, "${Name} is carbon"),
    "SubOnlyLiteral": ({"Fn::Sub": "${!Name}"}, "${Name}"),
    "SubOfBraces": ({"Fn::Sub": "a ${Braces} b"}, "a ${Name} b"),
    "SubDollar": ({"Fn::Sub": "$Name $${Name} {Name}"}, "$Name $carbon {Name}"),
    "SubMapped": ({"Fn::Sub": ["${X}-${Name}", {"X": {"Ref": "Count"}}]}, "3-carbon"),
    "SubShadows": ({"Fn::Sub": ["${Name}", {"Name": "other"}]}, "other"),
    "SubNested": (
        {"Fn::Sub": ["<${X}>", {"X": joined(["a", {"Fn::Sub": "${Name}"}])}]},
        "<a|carbon>",
    ),
    "Join": (joined(["a", {"Ref": "Name"}, "b"]), "a|carbon|b"),
    "JoinOne": (joined(["a"]), "a"),
    "JoinNumber": (joined(["a", {"Ref": "Count"}, 4]), "a|3|4"),
    "JoinEmptyText": (joined(["a", "", "b"]), "a||b"),
    "JoinNothing": (joined(["a", NOTHING, "b"]), "a|b"),
    "JoinChosen": (joined(["a", chosen("No", "x", NOTHING), "b"]), "a|b"),
    "Select": ({"Fn::Select": ["1", {"Ref": "List"}]}, "two"),
    "SelectNumber": ({"Fn::Select": [2, ["a", "b", "c"]]}, "c"),
    "SelectOfSplit": ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
    "Split": (joined({"Fn::Split": ["r", {"Ref": "Name"}]}), "ca|bon"),
    "SplitAbsent": (joined({"Fn::Split": ["/", {"Ref": "Name"}]}), "carbon"),
    "SplitEnds": (joined({"Fn::Split": [",", ",a,"]}), "|a|"),
    "If": (chosen("Yes"), "yes"),
    "IfNot": (chosen("No"), "no"),
    "IfBoth": (chosen("Both"), "yes"),
    "IfEither": (chosen("Either"), "yes"),
    "IfNeither": (chosen("Neither"), "no"),
    "IfHasList": (chosen("HasList"), "yes"),
    "IfHasEmpty": (chosen("HasEmpty"), "no"),
    "IfNested": (chosen("Yes", chosen("No", "x", {"Ref": "Name"})), "carbon"),
    "IfList": (joined(chosen("Yes", {"Ref": "List"}, ["x"])), "one|two|three"),
    "FindInMap": ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Memory"]}, "512"),
    "FindInMapList": (joined({"Fn::FindInMap": ["Sizes", "eu-north-1", "Zones"]}), "a|b"),
    "Base64": ({"Fn::Base64": {"Fn::Sub": "#!/bin/sh ${Name}"}}, "IyEvYmluL3NoIGNhcmJvbg=="),
    "Cidr": (
        joined({"Fn::Cidr": [{"Ref": "Cidr"}, "3", "12"]}),
        "10.0.0.0/20|10.0.16.0/20|10.0.32.0/20",
    ),
    "CidrSelect": ({"Fn::Select": ["2", {"Fn::Cidr": ["10.1.0.0/24", 4, 6]}]}, "10.1.0.128/26"),
}


DEFAULTS = {name: body["Default"] for name, body in TEMPLATE["Parameters"].items()}


def scope(region: str = REGION) -> Scope:
    return scope_of(TEMPLATE, DEFAULTS, region, "stack")


@pytest.fixture(scope="module")
def cloudformation(running_aws: EmbeddedAws) -> Any:
    running_aws.reset()
    return Aws(REGION, running_aws.environment()).client("cloudformation")


@pytest.fixture(scope="module")
def outputs(cloudformation: Any) -> dict[str, str]:
    """The value of each expression in CloudFormation, as an output of a stack."""
    template = {
        **TEMPLATE,
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": expression} for name, (expression, _) in TEXTS.items()},
    }
    cloudformation.create_stack(StackName="functions", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="functions", WaiterConfig={"Delay": 0, "MaxAttempts": 200}
    )
    (stack,) = cloudformation.describe_stacks(StackName="functions")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.mark.parametrize("name", TEXTS)
def test_function_has_its_text(name: str) -> None:
    expression, text = TEXTS[name]

    assert scope().evaluate(expression) == text


@pytest.mark.parametrize("name", TEXTS)
def test_cloudformation_gives_the_same_text(outputs: dict[str, str], name: str) -> None:
    assert outputs[name] == TEXTS[name][1]


@pytest.mark.parametrize(
    "expression",
    [
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Topic", "TopicName"]},
        {"Fn::ImportValue": "other-stack"},
        {"Fn::Base64": {"Ref": "Topic"}},
        {"Fn::Split": [",", {"Ref": "Topic"}]},
        {"Fn::Select": ["0", {"Fn::GetAZs": "eu-north-1"}]},
        {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, "3", "8"]},
        {"Fn::Sub": "${Topic}"},
    ],
    ids=lambda expression: next(iter(expression)),
)
def test_values_of_resources_stay(expression: Any) -> None:
    assert scope().evaluate(expression) == expression


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ({"Fn::GetAtt": "Topic.TopicName"}, {"Fn::GetAtt": ["Topic", "TopicName"]}),
        ({"Fn::GetAtt": ["Vpc", "A.B"]}, {"Fn::GetAtt": ["Vpc", "A.B"]}),
        ({"Fn::GetAZs": ""}, {"Fn::GetAZs": "eu-north-1"}),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, {"Fn::GetAZs": "eu-north-1"}),
        ({"Fn::Sub": "${Name}:${Topic}"}, {"Fn::Sub": "carbon:${Topic}"}),
        ({"Fn::Sub": "${Name}:${Topic.Arn}"}, {"Fn::Sub": "carbon:${Topic.Arn}"}),
        # Literal text must not become a placeholder while another one remains.
        ({"Fn::Sub": "${!Name}:${Topic}"}, {"Fn::Sub": "${!Name}:${Topic}"}),
        ({"Fn::Sub": "${Braces}:${Topic}"}, {"Fn::Sub": "${!Name}:${Topic}"}),
        (
            {"Fn::Sub": ["${X}:${Y}", {"X": {"Ref": "Topic"}, "Y": {"Ref": "Name"}}]},
            {"Fn::Sub": ["${X}:carbon", {"X": {"Ref": "Topic"}}]},
        ),
        (
            joined(["a", {"Ref": "Name"}, {"Ref": "Topic"}, "b", {"Ref": "Count"}]),
            joined(["a|carbon", {"Ref": "Topic"}, "b|3"]),
        ),
        (
            joined(chosen("Yes", {"Fn::GetAZs": ""}, ["x"])),
            joined({"Fn::GetAZs": "eu-north-1"}),
        ),
    ],
)
def test_function_is_evaluated_as_far_as_it_can_be(expression: Any, left: Any) -> None:
    assert scope().evaluate(expression) == left


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"Kept": "a", "Gone": NOTHING}, {"Kept": "a"}),
        ({"Kept": {"Gone": chosen("No", "x", NOTHING)}}, {"Kept": {}}),
        (["a", NOTHING, chosen("Yes", NOTHING, "x"), "b"], ["a", "b"]),
        (
            [chosen("Yes", {"Port": 1}, NOTHING), chosen("No", {"Port": 2}, NOTHING)],
            [{"Port": 1}],
        ),
        ([chosen("Yes", ["a", "b"], NOTHING)], [["a", "b"]]),
        (
            {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": False}}}]},
            {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": False}}}]},
        ),
        ({"Number": 3, "Switch": True, "None": None}, {"Number": 3, "Switch": True, "None": None}),
        ({"Text": "${Name}"}, {"Text": "${Name}"}),
    ],
)
def test_structure_keeps_what_has_a_value(value: Any, left: Any) -> None:
    assert scope().evaluate(value) == left


def test_missing_value_differs_from_an_empty_one() -> None:
    assert scope().evaluate(NOTHING) is NO_VALUE
    assert scope().evaluate({"Ref": "Empty"}) == ""
    assert scope().evaluate({"Fn::Sub": "[${AWS::NoValue}]"}) == "[]"


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (7, "7")])
def test_scalar_becomes_the_text_of_cloudformation(value: Any, text: str) -> None:
    assert scope().evaluate({"Fn::Sub": ["${X}", {"X": value}]}) == text
    assert scope().evaluate(joined([value])) == text
    assert scope().holds({"Fn::Equals": [value, text]})


def test_condition_error_names_its_place() -> None:
    assert scope().condition("IsHere")
    assert not scope("eu-west-1").condition("IsHere")


def test_output_of_a_nested_stack_is_its_value() -> None:
    nested = Scope({}, {}, lambda stack, attribute: f"{stack}/{attribute}")

    assert nested.evaluate({"Fn::GetAtt": ["Network", "Outputs.VpcId"]}) == "Network/Outputs.VpcId"
    assert nested.evaluate({"Fn::Sub": "${Network.Outputs.VpcId}!"}) == "Network/Outputs.VpcId!"


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ({"Fn::Select": ["3", {"Ref": "List"}]}, r"entry 4 of a list of 3"),
        ({"Fn::Select": ["-1", {"Ref": "List"}]}, r"entry 0 of a list of 3"),
        ({"Fn::Select": [0, []]}, r"entry 1 of a list of 0"),
        ({"Fn::Select": [0, [NOTHING]]}, r"entry 1 of a list of 0"),
        (chosen("Unknown"), r"condition Unknown, but does not define it"),
        ({"Fn::FindInMap": ["Sizes", "eu-west-1", "Memory"]}, r"no entry eu-west-1, Memory"),
        ({"Fn::FindInMap": ["Unknown", "a", "b"]}, r"Mapping Unknown"),
        ({"Fn::Cidr": ["10.0.0.0/16", "17", "12"]}, r"17 ranges of 12 host bits from 10.0.0.0/16"),
        ({"Fn::Cidr": ["10.0.0.0/24", "1", "12"]}, r"1 ranges of 12 host bits"),
        ({"Fn::Cidr": ["here", "1", "8"]}, r"from here"),
        ({"Fn::Sub": "${List}"}, r"the list List"),
    ],
)
def test_invalid_expression_is_refused(expression: Any, sentence: str) -> None:
    with pytest.raises(PipelineError, match=sentence):
        scope().evaluate(expression)


def test_default_of_a_map_is_used() -> None:
    default = {"DefaultValue": {"Ref": "Name"}}

    assert scope().evaluate({"Fn::FindInMap": ["Sizes", "x", "y", default]}) == "carbon"


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ({"Fn::Contains": [["one", "two"], "two"]}, True),
        ({"Fn::Contains": [{"Ref": "List"}, "four"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["one", "two", "three", "four"]]}, True),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["one", "two"]]}, False),
        ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, True),
        ({"Fn::EachMemberEquals": [{"Ref": "List"}, "one"]}, False),
        ({"Fn::Not": [{"Fn::Contains": [["a"], "a"]}]}, False),
        ({"Fn::And": [{"Fn::Contains": [["a"], "a"]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Contains": [["a"], "a"]}, {"Fn::Equals": ["a", "b"]}]}, True),
    ],
)
def test_rule_is_checked_here_and_by_cloudformation(
    cloudformation: Any, expression: Any, truth: bool
) -> None:
    assertion = {"Assert": expression, "AssertDescription": "It must hold."}
    rules = {"ItHolds": {"Assertions": [assertion]}}
    # CloudFormation takes no conditions in rules.
    template = {
        "Parameters": TEMPLATE["Parameters"],
        "Rules": rules,
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    request = {"StackName": f"rules-{uuid4().hex}", "TemplateBody": json.dumps(template)}
    here = scope_of(template, DEFAULTS, REGION, "rules")

    if truth:
        check_rules(here)
        cloudformation.create_stack(**request)
    else:
        with pytest.raises(PipelineError, match=r"It must hold\. \(rule ItHolds\)"):
            check_rules(here)
        with pytest.raises(cloudformation.exceptions.ClientError, match="It must hold"):
            cloudformation.create_stack(**request)


def test_rule_is_checked_only_under_its_condition() -> None:
    never = {"Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}, "AssertDescription": "No."}]}

    def rules(left: str) -> Scope:
        condition = {"Fn::Equals": [left, "prod"]}
        return Scope({"Rules": {"InProd": {"RuleCondition": condition, **never}}}, {})

    check_rules(rules("dev"))
    with pytest.raises(PipelineError, match="InProd"):
        check_rules(rules("prod"))


@pytest.mark.parametrize(
    "expression", [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, {"Fn::ValueOf": ["Vpc", "Tags.Name"]}]
)
def test_rule_that_reads_the_account_is_refused(expression: Any) -> None:
    with pytest.raises(PipelineError, match=f"{next(iter(expression))}, which cannot be evaluated"):
        scope().holds(expression)


@pytest.mark.parametrize("function", ["Fn::Base64", "Fn::Split"])
def test_text_of_a_launch_stays(function: str) -> None:
    scope = Scope({}, {"Topic": "<arn>"}, opaque=lambda text: "<" in text)
    argument = {"Ref": "Topic"} if function == "Fn::Base64" else ["/", {"Ref": "Topic"}]

    assert function in scope.evaluate({function: argument})
