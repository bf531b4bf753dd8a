"""Launching, updating and terminating an environment by way of Service Catalog; each goes on where one was interrupted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError
from pipeline.provisioning import environments, records
from pipeline.provisioning.environments import UPDATABLE, Environment, Stack
from pipeline.provisioning.offers import (
    Offer,
    Product,
    Version,
    choices_text,
    find_product,
    launch_path,
    offer,
)
from pipeline.provisioning.records import Note, Outcome, Report
from pipeline.stacks.events import Failure
from templates_src.core.shared import RELEASE_BUCKET

# Versions before 1.2.0 have the source of their nested templates as a parameter; each has its own as the default.
OF_THE_VERSION = frozenset({RELEASE_BUCKET.name})


@dataclass(frozen=True)
class DesiredEnvironment:
    """What an environment is to be; ``version`` and ``portfolio`` are empty where there is no choice to make.

    ``settings`` are the parameters that are set, ``tags`` those of a new provisioned product.
    """

    name: str
    product: str
    version: str = ""
    portfolio: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OperationResult:
    """How an operation ended. ``changed`` is False where there was nothing to do; the rest of it tells of a failure."""

    name: str
    version: str
    changed: bool
    succeeded: bool
    errors: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


def launch(aws: Aws, wanted: DesiredEnvironment, report: Report, note: Note) -> OperationResult:
    """Launch an environment from its product and follow the launch to its end.

    One that is launched already, as after an interruption, is left as it is; a launch that failed is removed first, once
    nothing is wrong with this one. Raises PipelineError where it is there from another product, in another version or with
    other values: `update` changes those, and keeps the others.
    """
    product = find_product(aws, wanted.product)
    found = wait_until_idle(aws, wanted.name, report, note)
    if found and (found.was_launched or found.product_id != product.id):
        return already_launched(aws, wanted, found, product)
    version = launchable(product, wanted.version)
    offered = offer(aws, product, version, launch_path(aws, product, named=wanted.portfolio))
    offered.check(wanted.settings, complete=True)
    tags = chosen_tags(wanted, offered)
    if found:
        note(f"{wanted.name} is a launch that failed; removing it.")
        removed = end(aws, found, report, note)
        if not removed.succeeded:
            return operation_result("", removed)
    with aws_errors(f"launch {wanted.name}"):
        record = aws.client("servicecatalog").provision_product(
            ProductId=product.id,
            ProvisioningArtifactId=version.id,
            PathId=offered.path_id,
            ProvisionedProductName=wanted.name,
            ProvisioningParameters=[
                {"Key": key, "Value": value} for key, value in wanted.settings.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags],
            ProvisionToken=str(uuid.uuid4()),
        )["RecordDetail"]
    return operation_result(version.name, records.follow(aws, record, "", report, note))


def launchable(product: Product, named: str) -> Version:
    """The version that a launch takes: the one named, or the newest."""
    version = product.named(named) if named else product.newest()
    if version.deprecated:
        raise PipelineError(
            f"Version {version.name} of {product.name} is deprecated: it updates what is there, but launches nothing new; launch {product.newest().name}."
        )
    return version


def already_launched(
    aws: Aws, wanted: DesiredEnvironment, found: Environment, product: Product
) -> OperationResult:
    """The environment that is there, if it is what is wanted."""
    if found.product_id != product.id:
        other, _ = environments.product_of(aws, found)
        raise PipelineError(
            f"{wanted.name} is there already, of another product ({other}); give another name with --name, or terminate that one first."
        )
    version = product.of_artifact(found.artifact_id)
    name = version.name if version else "a retired version"
    stack = environments.stack_of(aws, found)
    has = stack.parameters if stack else {}
    differ = sorted(key for key, value in wanted.settings.items() if has.get(key) != value)
    if wanted.version not in {"", name}:
        differ.insert(0, "its version")
    if found.status != "AVAILABLE":
        raise PipelineError(
            f"{wanted.name} is there, but {found.status}; `status` says why, `update` tries again, `terminate` takes it away."
        )
    if differ:
        raise PipelineError(
            f"{wanted.name} is launched already, in {name}; what differs ({', '.join(differ)}) is changed with `update`."
        )
    return OperationResult(wanted.name, name, changed=False, succeeded=True)


@dataclass(frozen=True)
class PlannedUpdate:
    """An update before it is made: the stack, the version that it leads to, and every value that it gives.

    Parameters that are not among ``values`` take the version's defaults. ``same_version`` says that the stack has the templates
    of the version already.
    """

    stack: Stack
    version: Version
    values: Mapping[str, str]
    same_version: bool


# Reads an update before it is made; raises an error where it must not be made.
Review = Callable[[PlannedUpdate], None]


def update(
    aws: Aws,
    wanted: DesiredEnvironment,
    report: Report,
    note: Note,
    review: Review | None = None,
) -> OperationResult:
    """Update an environment; what is not set keeps its value, and its version unless one is named.

    ``review`` sees the update before it is made. Raises PipelineError where nothing has been launched, or what is there can
    only be terminated.
    """
    environments.required(aws, wanted.name)
    found = wait_until_idle(aws, wanted.name, report, note)
    if found is None:
        raise PipelineError(f"{wanted.name} has just been terminated; launch it again.")
    if found.status not in UPDATABLE:
        raise PipelineError(
            f"{wanted.name} is {found.status}, which no update mends; `status` says why, `terminate` takes it away."
        )
    product = find_product(aws, wanted.product)
    if product.id != found.product_id:
        raise PipelineError(f"{wanted.name} was launched from another product than {product.name}.")
    version = (
        product.named(wanted.version)
        if wanted.version
        else current_version(product.name, product.of_artifact(found.artifact_id))
    )
    before = environments.last_record(aws, found).get("PathId", "")
    path = launch_path(aws, product, named=wanted.portfolio, before=before)
    offered = offer(aws, product, version, path)
    offered.check(wanted.settings, complete=False)
    stack = environments.stack_of(aws, found)
    if stack is None:
        raise PipelineError(
            f"{wanted.name} has no stack to update; terminate it and launch it again."
        )
    parameters = changes(wanted.settings, offered, stack)
    if is_up_to_date(found, version, wanted, stack):
        return OperationResult(wanted.name, version.name, changed=False, succeeded=True)
    if review:
        review(planned(found, version, parameters, stack))
    with aws_errors(f"update {wanted.name}"):
        record = aws.client("servicecatalog").update_provisioned_product(
            ProvisionedProductId=found.id,
            ProductId=product.id,
            ProvisioningArtifactId=version.id,
            PathId=path,
            ProvisioningParameters=parameters,
            UpdateToken=str(uuid.uuid4()),
        )["RecordDetail"]
    return operation_result(version.name, records.follow(aws, record, stack.id, report, note))


def current_version(product: str, version: Version | None) -> Version:
    """The version that an environment has, to stay in."""
    if version is None:
        raise PipelineError(
            f"The version that is launched is retired, or no more among those of {product}; name another with --product-version."
        )
    return version


def changes(settings: Mapping[str, str], offered: Offer, stack: Stack) -> list[dict[str, Any]]:
    """Every parameter of the version, as an update takes it: its new value, or that it keeps the one it has.

    A parameter that an update does not name goes back to the template's default, as in CloudFormation: so all are
    named but those that the launched version does not have, and those that belong to the version.
    """
    parameters: list[dict[str, Any]] = []
    for name in offered.parameters:
        if name in settings:
            parameters.append({"Key": name, "Value": settings[name]})
        elif name in stack.parameters and name not in OF_THE_VERSION:
            parameters.append({"Key": name, "UsePreviousValue": True})
    return parameters


def planned(
    found: Environment, version: Version, parameters: list[dict[str, Any]], stack: Stack
) -> PlannedUpdate:
    """The update that these parameters make."""
    values = {
        each["Key"]: each.get("Value", stack.parameters.get(each["Key"], "")) for each in parameters
    }
    same = found.status == "AVAILABLE" and found.artifact_id == version.id
    return PlannedUpdate(stack, version, values, same)


def is_up_to_date(
    found: Environment, version: Version, wanted: DesiredEnvironment, stack: Stack
) -> bool:
    """Whether an update would change nothing; one that failed before is worth trying again."""
    same = all(stack.parameters.get(key) == value for key, value in wanted.settings.items())
    return found.status == "AVAILABLE" and found.artifact_id == version.id and same


def terminate(aws: Aws, name: str, report: Report, note: Note) -> OperationResult:
    """Terminate an environment; one that is not there is terminated already."""
    found = wait_until_idle(aws, name, report, note)
    if found is None:
        return OperationResult(name, "", changed=False, succeeded=True)
    return operation_result("", end(aws, found, report, note))


def end(aws: Aws, found: Environment, report: Report, note: Note) -> Outcome:
    """Terminate what nothing is going on in."""
    stack = environments.stack_of(aws, found)
    with aws_errors(f"terminate {found.name}"):
        record = aws.client("servicecatalog").terminate_provisioned_product(
            ProvisionedProductId=found.id, TerminateToken=str(uuid.uuid4())
        )["RecordDetail"]
    return records.follow(aws, record, stack.id if stack else "", report, note)


def wait_until_idle(aws: Aws, name: str, report: Report, note: Note) -> Environment | None:
    """The provisioned product once nothing is going on in it; None where there is none."""
    found = environments.find(aws, name)
    if found is None or not found.is_under_change:
        return found
    record = environments.last_record(aws, found)
    note(f"{name} is in {record['RecordType']}; waiting for it.")
    stack = environments.stack_of(aws, found)
    records.follow(aws, record, stack.id if stack else "", report, note)
    return environments.find(aws, name)


def chosen_tags(wanted: DesiredEnvironment, offered: Offer) -> list[tuple[str, str]]:
    """The tags of a new provisioned product, as far as its tag options let them be chosen.

    Service Catalog adds an option with one value by itself; where there are several, one must be named.
    """
    for key, values in offered.tag_options.items():
        if len(values) == 1 and wanted.tags.get(key, values[0]) not in values:
            raise PipelineError(
                f"--tag: {key} is {wanted.tags[key]!r}. {key} must be {choices_text(values)}, which is added without --tag too."
            )
        if len(values) > 1 and wanted.tags.get(key) not in values:
            raise PipelineError(
                f"Tag {key} must be {choices_text(values)}; say which with --tag {key}=VALUE."
            )
    return [
        (key, value)
        for key, value in wanted.tags.items()
        if key not in offered.tag_options or len(offered.tag_options[key]) > 1
    ]


def operation_result(version: str, outcome: Outcome) -> OperationResult:
    """How an operation ended that was followed."""
    record = outcome.record
    return OperationResult(
        record["ProvisionedProductName"],
        version,
        changed=True,
        succeeded=outcome.succeeded,
        errors=() if outcome.succeeded else records.errors_of(record),
        failures=() if outcome.succeeded else outcome.failures,
    )
