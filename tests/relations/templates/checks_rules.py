"""Rules and outputs of the templates: the root refuses what a layer refuses, and passes on what a layer outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

from pipeline.paths import PROJECT_FOLDER
from templates_src.environment import ROOT, stack_title
from tests.relations.registry import Templates, template_relation
from tests.relations.templates.checks_wiring import connected, nested_stacks
from tests.releases.kept import kept

READ = "Fn::GetAtt"
# A name in code on a page, as text or as the argument of the function `output` of a command.
OUTPUT = re.compile(r"(?:`|\$\(output )([A-Z]\w*[a-z]\w*)\b(?=[`)])")
# Outputs that a page reads from the stack of a layer.
OF_LAYERS = frozenset({"ApplicationSecretArn", "DatabaseSecretArn", "DatabaseUrlSecretArn"})


@template_relation
def rules_are_the_same_in_root_and_layer(templates: Templates) -> Iterator[str]:
    """The root has each rule of its layers: a rule that only a layer has fails a launch halfway. Each rule of the root is in a layer: a team also launches a layer alone."""
    root, held = templates[ROOT].get("Rules", {}), set()
    for layer, template in templates.items():
        if layer != ROOT:
            rules = template.get("Rules", {})
            held |= rules.keys()
            for name, rule in rules.items():
                if root.get(name) != rule:
                    yield f"The rule {name} of layer {layer} is not that of the root."
    for name in sorted(root.keys() - held):
        yield f"No layer has the rule {name} of the root."


def parameters_of(rule: object) -> set[str]:
    """The parameters that a rule reads."""
    text = json.dumps(rule)
    return {part.partition('"')[0] for part in text.split('{"Ref": "')[1:]}


@template_relation
def rules_name_their_parameters(templates: Templates) -> Iterator[str]:
    """Each assertion of a rule has a sentence that names a parameter of the rule, and reads one that its condition does not decide alone."""
    for layer, template in templates.items():
        for name, rule in template.get("Rules", {}).items():
            if not rule["Assertions"]:
                yield f"The rule {name} of layer {layer} asserts nothing."
            for assertion in rule["Assertions"]:
                sentence = assertion.get("AssertDescription", "")
                if not any(each in sentence for each in parameters_of(rule)):
                    yield f"An assertion of the rule {name} of layer {layer} names no parameter."


@template_relation
def root_reads_outputs_that_exist(templates: Templates) -> Iterator[str]:
    """The root reads only outputs that its layers have: a missing one fails the launch after the layer is created."""
    read = {
        each
        for _, _, properties in nested_stacks(templates)
        for each in connected(properties.get("Parameters", {}))
    }
    for output in templates[ROOT].get("Outputs", {}).values():
        value = output["Value"]
        if isinstance(value, dict) and READ in value:
            stack, attribute = value[READ]
            read.add((stack, attribute.partition(".")[2]))
    existing = {
        (stack_title(layer), output)
        for layer, template in templates.items()
        for output in template.get("Outputs", {})
    }
    for stack, output in sorted(read - existing):
        yield f"The root reads the output {output} of {stack}, which does not exist."


@template_relation
def outputs_of_the_former_release_stay(templates: Templates) -> Iterator[str]:
    """Each output of the release before this one still exists: programs and other stacks read outputs by their names."""
    for layer, template in former_templates().items():
        if layer in templates:
            outputs = templates[layer].get("Outputs", {})
            for name in sorted(template.get("Outputs", {}).keys() - outputs.keys()):
                yield f"Layer {layer} has no output {name}, which {kept().release.version} has."


@template_relation
def outputs_that_pages_name_exist(templates: Templates) -> Iterator[str]:
    """Each output that a page names exists, in the root unless the page reads it from a layer: the commands of the page read it."""
    of_layers = {name for template in templates.values() for name in template.get("Outputs", {})}
    root = templates[ROOT]
    of_root = root.get("Outputs", {}).keys() | root["Parameters"].keys()
    of_root |= {name for template in templates.values() for name in template["Resources"]}
    for page, name in sorted(outputs_on_pages()):
        if name not in (of_layers if name in OF_LAYERS else of_root):
            yield f"{page} names the output {name}, which does not exist."


@cache
def outputs_on_pages() -> frozenset[tuple[str, str]]:
    """Page and name of everything in code that a line about outputs, or the first column of a table of outputs, names."""
    found = set()
    for page in sorted((PROJECT_FOLDER / "docs").glob("*.md")):
        in_table = False
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = line.split("|")
            is_row = line.lstrip().startswith("|")
            in_table = is_row and (in_table or "output" in cells[1].lower())
            if in_table or "output" in line.lower():
                text = cells[1] if in_table else line
                found |= {(page.name, name) for name in OUTPUT.findall(text)}
    return frozenset(found)


@cache
def former_templates() -> Templates:
    """The templates of the release before this one; read only."""
    return kept().templates
