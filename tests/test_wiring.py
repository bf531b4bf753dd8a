"""Layers are connected by name; an error fails the build with a sentence that names the place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from troposphere import Equals, GetAtt, Ref
from troposphere.sns import Topic, TopicPolicy
from troposphere.sqs import Queue

from pipeline.errors import PipelineError
from pipeline.release import assemble as assembling
from templates_src import environment as root_module
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer, Rule
from templates_src.core.parameters.declaration import Declaration, choice, wired
from templates_src.environment import environment

SIZE = choice(
    "Size", group="Test", label="Size", description="A size.", allowed=("s", "l"), default="s"
)
QUEUE_URL = wired("QueueUrl", group="Test", label="Queue", description="URL of the queue.")
ZONES = Declaration(
    name="Zones",
    group="Test",
    label="Zones",
    description="Zones.",
    type="CommaDelimitedList",
    default="",
)


def layer_with(*declarations: Declaration, name: str = "second") -> Layer:
    layer = Layer(name, "A layer")
    for declaration in declarations:
        layer.parameter(declaration)
    layer.add(Topic("Topic"))
    return layer


def layer_with_a_wrong_property() -> Layer:
    layer = layer_with()
    layer.add(Topic("Other", Colour="red"))
    return layer


def layer_that_lacks_a_property() -> Layer:
    layer = layer_with()
    layer.add(TopicPolicy("Policy"))
    return layer


def layer_that_outputs(output: str, name: str = "first", *, public: bool = False) -> Layer:
    layer = Layer(name, "A layer")
    queue = layer.add(Queue("Queue"))
    layer.output(output, Ref(queue), "URL of the queue", public=public)
    return layer


def built(*layers: Layer) -> Layer:
    return environment(layers, release_prefix="release/", version="1.0.0")


def test_parameter_is_connected_to_the_output_with_its_name() -> None:
    root = built(layer_that_outputs("QueueUrl"), layer_with(QUEUE_URL)).document()

    assert root["Resources"]["Second"]["Properties"]["Parameters"]["QueueUrl"] == {
        "Fn::GetAtt": ["First", "Outputs.QueueUrl"]
    }
    assert "QueueUrl" not in root["Parameters"]


def test_parameter_that_is_not_wired_becomes_one_of_the_root() -> None:
    root = built(layer_with(SIZE, ZONES)).document()

    parameters = root["Resources"]["Second"]["Properties"]["Parameters"]
    assert parameters["Size"] == {"Ref": "Size"}
    assert parameters["Zones"] == {"Fn::Join": [",", {"Ref": "Zones"}]}
    assert root["Parameters"]["Size"]["AllowedValues"] == ["s", "l"]


def test_parameter_that_no_layer_outputs_is_refused() -> None:
    with pytest.raises(TemplateError, match="Layer second takes QueueUrl, which no earlier layer"):
        built(layer_that_outputs("QueueArn"), layer_with(QUEUE_URL))


def test_parameter_that_only_a_later_layer_outputs_is_refused() -> None:
    with pytest.raises(TemplateError, match="Layer second takes QueueUrl, which no earlier layer"):
        built(layer_with(QUEUE_URL), layer_that_outputs("QueueUrl"))


def test_parameter_of_the_root_that_a_layer_outputs_is_refused() -> None:
    with pytest.raises(TemplateError, match="Parameter Size of layer second is also an output"):
        built(layer_that_outputs("Size"), layer_with(SIZE))


def test_two_outputs_with_one_name_are_refused() -> None:
    with pytest.raises(TemplateError, match="first and third both output QueueUrl"):
        built(layer_that_outputs("QueueUrl"), layer_that_outputs("QueueUrl", "third"))


def test_public_output_becomes_one_of_the_root() -> None:
    root = built(layer_that_outputs("QueueUrl", public=True)).document()

    assert root["Outputs"]["QueueUrl"] == {
        "Description": "URL of the queue",
        "Value": {"Fn::GetAtt": ["First", "Outputs.QueueUrl"]},
    }


def test_public_output_with_a_taken_name_is_refused() -> None:
    with pytest.raises(ValueError, match="ReleaseVersion"):
        built(layer_that_outputs("ReleaseVersion", public=True))


def test_rule_is_copied_to_the_root_unless_it_reads_a_wired_value() -> None:
    layer = layer_with()
    layer.rule(Rule("SizeIsSmall", (SIZE,), Equals(Ref("Size"), "s"), "Size must be s."))
    layer.rule(Rule("HasQueue", (QUEUE_URL,), Equals(Ref("QueueUrl"), "q"), "QueueUrl must be q."))

    root = built(layer_that_outputs("QueueUrl"), layer).document()

    assert root["Rules"].keys() == {"SizeIsSmall"}
    assert layer.document()["Rules"].keys() == {"SizeIsSmall", "HasQueue"}


def test_two_declarations_of_one_parameter_are_refused_in_a_layer() -> None:
    with pytest.raises(TemplateError, match="Parameter Size of layer second has two declarations"):
        layer_with(SIZE, replace(SIZE, default="l"))


def test_two_declarations_of_one_parameter_are_refused_across_layers() -> None:
    with pytest.raises(TemplateError, match="Parameter Size of layer environment has two decl"):
        built(layer_with(SIZE), layer_with(replace(SIZE, label="Other"), name="third"))


def test_shared_declaration_is_declared_once() -> None:
    root = built(layer_with(SIZE), layer_with(SIZE, name="third")).document()

    assert list(root["Parameters"]).count("Size") == 1


def test_two_meanings_of_a_condition_are_refused() -> None:
    layer = layer_with(SIZE)
    layer.condition("IsLarge", Equals(Ref("Size"), "l"))

    assert layer.condition("IsLarge", Equals(Ref("Size"), "l")) == "IsLarge"
    with pytest.raises(TemplateError, match="Condition IsLarge of layer second has two meanings"):
        layer.condition("IsLarge", Equals(Ref("Size"), "xl"))


@pytest.mark.parametrize(
    ("declaration", "missing"),
    [
        (replace(SIZE, label=""), "label"),
        (replace(SIZE, group=""), "group"),
        (replace(SIZE, description=""), "description"),
        (replace(SIZE, label="  "), "label"),
    ],
)
def test_declaration_without_texts_is_refused(declaration: Declaration, missing: str) -> None:
    with pytest.raises(TemplateError, match=f"Size of layer second has no {missing}"):
        layer_with(declaration)


def test_output_without_description_is_refused() -> None:
    layer = layer_with()

    with pytest.raises(TemplateError, match="TopicArn of layer second has no description"):
        layer.output("TopicArn", GetAtt("Topic", "TopicArn"), " ")


def test_two_resources_with_one_name_are_refused() -> None:
    layer = layer_with()

    with pytest.raises(ValueError, match="Topic"):
        layer.add(Queue("Topic"))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        pytest.param(
            lambda: [layer_with(QUEUE_URL)], "Layer second takes QueueUrl", id="our own check"
        ),
        pytest.param(
            lambda: [layer_with(), layer_with()], "Second", id="a layer that is there twice"
        ),
        pytest.param(
            lambda: [layer_with_a_wrong_property()], "Colour", id="a property that there is not"
        ),
        pytest.param(
            lambda: [layer_that_lacks_a_property()],
            "PolicyDocument",
            id="a property that is missing",
        ),
    ],
)
def test_build_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, broken: object, sentence: str
) -> None:
    monkeypatch.setattr(root_module, "layers", broken)

    with pytest.raises(PipelineError, match=sentence) as refusal:
        assembling.assemble()

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("quota", "sentence"),
    [
        ("MAX_TEMPLATE_BYTES", "bytes"),
        ("MAX_REQUEST_BYTES", "bytes"),
        ("MAX_RESOURCES", "resources"),
        ("MAX_PARAMETERS", "parameters"),
        ("MAX_OUTPUTS", "outputs"),
    ],
)
def test_template_over_a_quota_is_refused(
    monkeypatch: pytest.MonkeyPatch, quota: str, sentence: str
) -> None:
    monkeypatch.setattr(assembling, quota, 3)

    with pytest.raises(PipelineError, match=rf"(?i)\d.* {sentence}"):
        assembling.assemble()
