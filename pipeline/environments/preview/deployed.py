"""Read a deployed environment from CloudFormation: the templates and values of its stack and of every nested stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.changes.state import STACK, State, template_name
from pipeline.errors import PipelineError
from pipeline.stacks.reading import read_stack, resource_summaries, values_of
from templates_src.environment import ROOT

# The Description of the root template of every version; `templates_src.environment` has it.
_OURS = re.compile(r"Carbon Connect \S+: a whole environment as nested stacks")

Template = Mapping[str, Any]


@dataclass(frozen=True)
class Deployed:
    """The stack of an environment and its state; ``notes`` name values that a user changed in a nested stack."""

    stack: str
    state: State
    notes: tuple[str, ...]

    @property
    def defaults(self) -> dict[str, str]:
        """The defaults of the root's parameters."""
        parameters = self.state.templates[ROOT].get("Parameters", {})
        return {
            name: str(parameter["Default"])
            for name, parameter in parameters.items()
            if "Default" in parameter
        }


def read_deployed(aws: Aws, stack: Mapping[str, Any]) -> Deployed:
    """Read the templates and values of a stack and of its nested stacks.

    Raises PipelineError for a stack that does not belong to this package, for a template that another tool wrote, and
    if the credentials cannot read one.
    """
    name = stack["StackName"]
    values = values_of(stack)
    with aws_errors(f"read the templates of stack {name}"):
        root = template_of(aws, stack["StackId"], name)
        require_ours(root, name)
        templates: dict[str, Template] = {ROOT: root}
        nested: dict[str, dict[str, str]] = {}
        for logical_id, stack_id in nested_stacks(aws, stack["StackId"]):
            address = address_of(root, logical_id)
            if not template_name(address):
                raise PipelineError(
                    f"Nested stack {logical_id} of {name} has a template that another tool deployed ({address or 'it is not in the root'}); deploy the templates of a release over it first."
                )
            templates[template_name(address)] = template_of(aws, stack_id, logical_id)
            found = read_stack(aws, stack_id)
            if found is not None and (other := set_elsewhere(root, logical_id, values, found)):
                nested[logical_id] = other
    state = State(templates, values, aws.region, ROOT, nested)
    return Deployed(name, state, tuple(notes(nested)))


def template_of(aws: Aws, stack_id: str, name: str) -> Template:
    """The deployed template of a stack. Raises the errors of botocore, and PipelineError if it is not JSON."""
    answer = aws.client("cloudformation").get_template(StackName=stack_id, TemplateStage="Original")
    body: Any = answer["TemplateBody"]
    if not isinstance(body, Mapping) or not isinstance(body.get("Resources"), Mapping):
        raise PipelineError(
            f"Stack {name} has a template that another tool wrote: it is not JSON with Resources. Deploy a release over it first, or give another Project."
        )
    return body


def require_ours(root: Template, name: str) -> None:
    """Refuse a root template of another project."""
    if not describes_environment(str(root.get("Description", ""))):
        raise PipelineError(
            f"Stack {name} does not belong to Carbon Connect: its template is not an environment of this project. Give another Project with --set Project=NAME, or delete that stack."
        )


def describes_environment(description: str) -> bool:
    """Whether a template's description is that of an environment's root, of any version."""
    return bool(_OURS.fullmatch(description))


def nested_stacks(aws: Aws, stack_id: str) -> Iterator[tuple[str, str]]:
    """Logical ID and ARN of every nested stack. Raises the errors of botocore."""
    for resource in resource_summaries(aws.client("cloudformation"), stack_id):
        exists = resource["ResourceStatus"] != "DELETE_COMPLETE"
        if resource["ResourceType"] == STACK and exists and resource.get("PhysicalResourceId"):
            yield resource["LogicalResourceId"], resource["PhysicalResourceId"]


def address_of(root: Template, logical_id: str) -> str:
    """The TemplateURL of a nested stack, as in the template."""
    url = root["Resources"].get(logical_id, {}).get("Properties", {}).get("TemplateURL", "")
    return str(url.get("Fn::Sub", "")) if isinstance(url, Mapping) else str(url)


def set_elsewhere(
    root: Template, logical_id: str, values: Mapping[str, str], found: Mapping[str, Any]
) -> dict[str, str]:
    """The values of a nested stack that differ from those of the root's parameters behind them."""
    given = root["Resources"][logical_id].get("Properties", {}).get("Parameters", {})
    differing = {}
    for name, value in values_of(found).items():
        match given.get(name):
            case {"Ref": str(parameter)} if values.get(parameter, value) != value:
                differing[name] = value
    return differing


def notes(nested: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The values that an update undoes, because they were changed only in a nested stack."""
    for logical_id, values in nested.items():
        for name, value in values.items():
            yield f"Nested stack {logical_id} has {name} {value!r}, which the root does not give; an update undoes it."
