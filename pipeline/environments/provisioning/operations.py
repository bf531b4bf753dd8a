"""Launch, update and terminate an environment with Service Catalog; each operation continues an interrupted one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.aws import Aws, aws_errors
from pipeline.environments.provisioning import environments, records
from pipeline.environments.provisioning.environments import UPDATABLE, Environment, Stack
from pipeline.environments.provisioning.offers import (
    Offer,
    OfferedProduct,
    Version,
    choices_text,
    find_product,
    launch_path,
    read_offer,
)
from pipeline.environments.provisioning.planned_updates import (
    Review,
    current_version,
    planned,
    update_parameters,
)
from pipeline.environments.provisioning.records import Note, Outcome, Report
from pipeline.errors import PipelineError
from pipeline.parameters.in_force import require_reachable, require_related, with_defaults
from pipeline.stacks.entry_points import way_out
from pipeline.stacks.events import Failure


@dataclass(frozen=True)
class DesiredEnvironment:
    """The desired environment; ``version`` and ``portfolio`` are empty if the user did not select one.

    ``settings`` are the parameters with a value, ``tags`` those of a new provisioned product.
    """

    name: str
    product: str
    version: str = ""
    portfolio: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OperationResult:
    """The result of an operation. ``changed`` is False if there was nothing to change; the other fields describe a failure."""

    name: str
    version: str
    changed: bool
    succeeded: bool
    errors: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


def launch(aws: Aws, wanted: DesiredEnvironment, report: Report, note: Note) -> OperationResult:
    """Launch an environment from its product and follow the launch to its end.

    An environment that is launched already, for example after an interruption, is not changed. A failed launch is removed
    first, after the checks of this one. Raises PipelineError if the environment exists from another product, in another
    version or with other values: `update` changes those.
    """
    product = find_product(aws, wanted.product)
    found = wait_until_idle(aws, wanted.name, report, note)
    if found and (found.was_launched or found.product_id != product.id):
        return already_launched(aws, wanted, found, product)
    version = version_to_launch(product, wanted.version)
    offered = read_offer(aws, product, version, launch_path(aws, product, named=wanted.portfolio))
    offered.check(wanted.settings, complete=True)
    require_related(with_defaults(offered.parameters, wanted.settings), aws.region)
    tags = chosen_tags(wanted, offered)
    if found:
        note(f"The launch of {wanted.name} failed; removing it.")
        removed = terminate_idle(aws, found, report, note)
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


def version_to_launch(product: OfferedProduct, named: str) -> Version:
    """The version for a launch: the named one, or the newest."""
    version = product.named(named) if named else product.newest()
    if version.deprecated:
        raise PipelineError(
            f"Version {version.name} of {product.name} is deprecated: it can update an environment, but not launch one; launch {product.newest().name}."
        )
    return version


def already_launched(
    aws: Aws, wanted: DesiredEnvironment, found: Environment, product: OfferedProduct
) -> OperationResult:
    """The existing environment, if it matches the desired one."""
    if found.product_id != product.id:
        other, _ = environments.product_and_versions(aws, found)
        raise PipelineError(
            f"{wanted.name} exists already, from another product ({other}); give another name with --name, or terminate it first."
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
            f"{wanted.name} exists, but is {found.status}; run `status` for the reason, `update` to try again, or `terminate` to delete it."
        )
    if differ:
        raise PipelineError(
            f"{wanted.name} is launched already, in {name}; run `update` to change {', '.join(differ)}."
        )
    return OperationResult(wanted.name, name, changed=False, succeeded=True)


def update(
    aws: Aws,
    wanted: DesiredEnvironment,
    report: Report,
    note: Note,
    review: Review | None = None,
) -> OperationResult:
    """Update an environment; parameters without a new value keep theirs, and so does the version.

    ``review`` receives the update before it starts. Raises PipelineError if nothing is launched, or the environment can only be
    terminated.
    """
    found = updatable_environment(aws, wanted.name, report, note)
    product = find_product(aws, wanted.product)
    if product.id != found.product_id:
        raise PipelineError(
            f"{wanted.name} was launched from another product than {product.name}; use that product."
        )
    version = (
        product.named(wanted.version)
        if wanted.version
        else current_version(product.name, product.of_artifact(found.artifact_id))
    )
    before = environments.last_record(aws, found).get("PathId", "")
    path = launch_path(aws, product, named=wanted.portfolio, before=before)
    offered = read_offer(aws, product, version, path)
    offered.check(wanted.settings, complete=False)
    stack = updatable_stack(aws, found)
    in_force = with_defaults(offered.parameters, stack.parameters)
    require_reachable(in_force, wanted.settings, aws.region)
    parameters = update_parameters(wanted.settings, offered, stack)
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


def updatable_environment(aws: Aws, name: str, report: Report, note: Note) -> Environment:
    """The existing environment when no operation is in progress. Raises PipelineError if an update cannot repair it."""
    environments.existing_environment(aws, name)
    found = wait_until_idle(aws, name, report, note)
    if found is None:
        raise PipelineError(f"{name} has just been terminated; launch it again.")
    if found.status not in UPDATABLE:
        raise PipelineError(
            f"{name} is {found.status}, which an update cannot repair; run `status` for the reason, `terminate` to delete it."
        )
    return found


def updatable_stack(aws: Aws, found: Environment) -> Stack:
    """The stack of an environment. Raises PipelineError if it does not exist or is in a state without updates."""
    stack = environments.stack_of(aws, found)
    if stack is None:
        raise PipelineError(
            f"{found.name} has no stack to update; terminate it and launch it again."
        )
    entry = environments.entry_point(aws.region, stack.parameters, found.name)
    ending = way_out(entry, stack.status, stack.name) if entry else ""
    if ending:
        raise PipelineError(f"The stack of {found.name} is in {stack.status}; {ending}.")
    return stack


def is_up_to_date(
    found: Environment, version: Version, wanted: DesiredEnvironment, stack: Stack
) -> bool:
    """Whether an update would change nothing; False after a failed update, so that it is tried again."""
    same = all(stack.parameters.get(key) == value for key, value in wanted.settings.items())
    return found.status == "AVAILABLE" and found.artifact_id == version.id and same


def terminate(aws: Aws, name: str, report: Report, note: Note) -> OperationResult:
    """Terminate an environment; the result is unchanged if it does not exist."""
    found = wait_until_idle(aws, name, report, note)
    if found is None:
        return OperationResult(name, "", changed=False, succeeded=True)
    return operation_result("", terminate_idle(aws, found, report, note))


def terminate_idle(aws: Aws, found: Environment, report: Report, note: Note) -> Outcome:
    """Terminate an environment without an operation in progress."""
    stack = environments.readable_stack(aws, found)
    with aws_errors(f"terminate {found.name}"):
        record = aws.client("servicecatalog").terminate_provisioned_product(
            ProvisionedProductId=found.id, TerminateToken=str(uuid.uuid4())
        )["RecordDetail"]
    return records.follow(aws, record, stack["StackId"] if stack else "", report, note)


def wait_until_idle(aws: Aws, name: str, report: Report, note: Note) -> Environment | None:
    """The provisioned product when no operation is in progress; None if it does not exist."""
    found = environments.find_environment(aws, name)
    if found is None or not found.is_under_change:
        return found
    record = environments.last_record(aws, found)
    note(f"{name} is in {record['RecordType']}; waiting for it.")
    stack = environments.readable_stack(aws, found)
    records.follow(aws, record, stack["StackId"] if stack else "", report, note)
    return environments.find_environment(aws, name)


def chosen_tags(wanted: DesiredEnvironment, offered: Offer) -> list[tuple[str, str]]:
    """The tags of a new provisioned product, chosen from its tag options.

    Service Catalog adds an option with one value itself; for several values, the user must choose one.
    """
    for key, values in offered.tag_options.items():
        if len(values) == 1 and wanted.tags.get(key, values[0]) not in values:
            raise PipelineError(
                f"--tag: {key} is {wanted.tags[key]!r}. {key} must be {choices_text(values)}, which is also added without --tag."
            )
        if len(values) > 1 and wanted.tags.get(key) not in values:
            raise PipelineError(
                f"Tag {key} must be {choices_text(values)}; choose one with --tag {key}=VALUE."
            )
    return [
        (key, value)
        for key, value in wanted.tags.items()
        if key not in offered.tag_options or len(offered.tag_options[key]) > 1
    ]


def operation_result(version: str, outcome: Outcome) -> OperationResult:
    """The result of an operation that was followed."""
    record = outcome.record
    return OperationResult(
        record["ProvisionedProductName"],
        version,
        changed=True,
        succeeded=outcome.succeeded,
        errors=() if outcome.succeeded else records.errors_of(record),
        failures=() if outcome.succeeded else outcome.failures,
    )
