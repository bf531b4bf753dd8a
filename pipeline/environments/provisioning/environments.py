"""A provisioned product: its state, version, stack and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of, token_pages
from pipeline.environments.provisioning.records import DENIED, errors_of, read_record, stack_name
from pipeline.errors import PipelineError
from pipeline.stacks.entry_points import EntryPoint, way_out
from pipeline.stacks.reading import read_stack, values_of
from templates_src.core.parameters.shared import PROJECT

# https://docs.aws.amazon.com/servicecatalog/latest/dg/API_ProvisionedProductDetail.html
UNDER_CHANGE = frozenset({"UNDER_CHANGE", "PLAN_IN_PROGRESS"})
# The output that Service Catalog adds to those of the template.
STACK_OUTPUT = "CloudformationStackARN"
UPDATABLE = frozenset({"AVAILABLE", "TAINTED"})


@dataclass(frozen=True)
class Environment:
    """A provisioned product; ``outputs_record_id`` is empty until a launch has succeeded."""

    id: str
    name: str
    status: str
    message: str
    product_id: str
    artifact_id: str
    last_record_id: str
    outputs_record_id: str

    @property
    def was_launched(self) -> bool:
        """Whether a launch of it has succeeded."""
        return bool(self.outputs_record_id)

    @property
    def is_under_change(self) -> bool:
        """Whether an operation is in progress."""
        return self.status in UNDER_CHANGE


def find_environment(aws: Aws, name: str) -> Environment | None:
    """The provisioned product of that name, or None."""
    from botocore.exceptions import ClientError

    with aws_errors(f"read provisioned product {name}"):
        try:
            answer = aws.client("servicecatalog").describe_provisioned_product(Name=name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
    detail = answer["ProvisionedProductDetail"]
    return Environment(
        detail["Id"],
        name,
        detail["Status"],
        detail.get("StatusMessage", ""),
        detail["ProductId"],
        detail["ProvisioningArtifactId"],
        detail["LastRecordId"],
        detail.get("LastSuccessfulProvisioningRecordId", ""),
    )


def existing_environment(aws: Aws, name: str) -> Environment:
    """The provisioned product with that name. Raises PipelineError if it does not exist."""
    found = find_environment(aws, name)
    if found is None:
        raise PipelineError(
            f"Provisioned product {name} does not exist in {aws.region}, or these credentials cannot see it; launch it, or give the name of another with --name."
        )
    return found


def outputs(aws: Aws, environment: Environment) -> dict[str, str]:
    """The outputs of its last successful launch or update, by name, without the stack's ARN.

    They are read from the record, which AWS's policy for users of products allows. Raises PipelineError if no launch has succeeded.
    """
    if not environment.outputs_record_id:
        raise PipelineError(
            f"{environment.name} has no outputs, because no launch has succeeded; run `status` for the reason, `launch` to launch it again."
        )
    with aws_errors(f"read the outputs of {environment.name}"):
        found = token_pages(
            aws.client("servicecatalog").describe_record,
            "RecordOutputs",
            Id=environment.outputs_record_id,
        )
        values = {output["OutputKey"]: output["OutputValue"] for output in found}
    return {name: value for name, value in values.items() if name != STACK_OUTPUT}


@dataclass(frozen=True)
class Stack:
    """The stack of a provisioned product, with the values of its parameters."""

    id: str
    status: str
    parameters: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name, which its ARN contains."""
        return self.id.split("/")[1]


def stack_of(aws: Aws, environment: Environment) -> Stack | None:
    """Its stack; None if it has none, for example after a launch that Service Catalog did not start."""
    with aws_errors(f"read the stack of {environment.name}"):
        stack = read_stack(aws, stack_name(aws, environment.id))
    if stack is None:
        return None
    return Stack(stack["StackId"], stack["StackStatus"], values_of(stack))


def readable_stack(aws: Aws, environment: Environment) -> Mapping[str, Any] | None:
    """Its stack as CloudFormation describes it; None if it has none, or these credentials cannot read it."""
    from botocore.exceptions import ClientError

    with aws_errors(f"read the stack of {environment.name}"):
        try:
            return read_stack(aws, stack_name(aws, environment.id))
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            return None


def last_record(aws: Aws, environment: Environment) -> Mapping[str, Any]:
    """The record of its last operation."""
    with aws_errors(f"read the last record of {environment.name}"):
        return read_record(aws, environment.last_record_id)


def summary(aws: Aws, environment: Environment) -> dict[str, str]:
    """A summary for the user: values by their labels."""
    name, versions = product_and_versions(aws, environment)
    record = last_record(aws, environment)
    stack = readable_stack(aws, environment)
    ending = next_step(aws.region, environment, stack)
    return {
        "Status": environment.status,
        "Product": name,
        "Version": versions.get(environment.artifact_id, f"{environment.artifact_id}, not offered"),
        "Versions offered": ", ".join(versions.values()),
        "Last operation": f"{record['RecordType']} {record['Status']}, {record['UpdatedTime']:%Y-%m-%d %H:%M %Z}",
        "Error": " ".join(errors_of(record)) or environment.message,
        "Stack": stack["StackId"] if stack else "",
        "Stack status": stack["StackStatus"] if stack else "",
        **({"Next step": ending} if ending else {}),
    }


def next_step(region: str, environment: Environment, stack: Mapping[str, Any] | None) -> str:
    """The next step for a failed environment; empty for one that did not fail."""
    if environment.status not in {"TAINTED", "ERROR"}:
        return ""
    entry = entry_point(region, values_of(stack or {}), environment.name)
    if stack and entry and (ending := way_out(entry, stack["StackStatus"], stack["StackName"])):
        return f"{ending[0].upper()}{ending[1:]}."
    if not environment.was_launched:
        return "Run `launch` again, which removes it first, or `terminate`."
    return "Run `update` again, or `terminate` to delete it."


def entry_point(region: str, values: Mapping[str, str], name: str) -> EntryPoint | None:
    """The commands for an environment of the product; None where its stack has no values of parameters."""
    if not {"Project", "Environment"} <= values.keys():
        return None
    usual = f"{values['Project']}-{values['Environment']}"
    options = "" if name == usual and values["Project"] == PROJECT.default else f"--name {name}"
    return EntryPoint(values["Environment"], region, is_product=True, options=options)


def product_and_versions(aws: Aws, environment: Environment) -> tuple[str, dict[str, str]]:
    """The product's name and the names of its active versions by ID; its ID and no versions without permission to launch it."""
    from botocore.exceptions import ClientError

    with aws_errors(f"read product {environment.product_id}"):
        try:
            found = aws.client("servicecatalog").describe_product(Id=environment.product_id)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return environment.product_id, {}
            raise
    versions = {each["Id"]: each["Name"] for each in found["ProvisioningArtifacts"]}
    return found["ProductViewSummary"]["Name"], versions
