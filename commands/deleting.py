"""Delete an environment, with CloudFormation or from its product: list, ask, delete, and list what stays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from commands.common.options import (
    DEFAULT_REGION,
    EnvironmentName,
    Region,
    Settings,
    Yes,
    console,
    parsed_settings,
)
from commands.launching import Name

if TYPE_CHECKING:
    from pipeline.aws import Aws
    from pipeline.environments.deletion.plan import DeletionPlan
    from pipeline.environments.provisioning.environments import Environment
    from pipeline.stacks.entry_points import EntryPoint


def delete(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    yes: Yes = False,
) -> None:
    """Delete the stack of an environment.

    Lists what is deleted, what stays and what blocks the deletion, and asks. Refuses a protected environment: launch it
    with Decommission=true first. Afterwards lists what stays, its cost, and the command that removes it.
    """
    given = parsed_settings(settings)
    from commands.common import show
    from pipeline.aws import Aws
    from pipeline.environments.deletion.deletion import delete_environment, read_plan
    from pipeline.errors import PipelineError
    from pipeline.stacks.deploy import describe_stack, wait_until_settled

    aws = Aws(region)
    name, entry = stack_and_entry(environment, region, given)
    stack = describe_stack(aws, name)
    if stack is None:
        raise PipelineError(
            f"Stack {name} does not exist in {region}, so nothing was deleted; give another environment, --region, or --set Project=NAME."
        )
    title, done = f"Stack {name}", f"Stack {name} is deleted."
    # What a deletion in progress leaves can be read only while the stack exists.
    plan = read_plan(aws, entry, stack, title) if is_deleting(stack) else None
    with show.Progress(console()) as progress:
        stack = wait_until_settled(aws, name, progress, print_line)
    if stack is None:
        show_remains(aws, plan, done)
        return
    plan = read_plan(aws, entry, stack, title)
    approve(plan, f"stack {name}", f"Delete stack {name} in {region}?", yes=yes)
    with show.Progress(console()) as progress:
        ended = delete_environment(aws, plan, progress, print_line)
    if not ended.succeeded:
        show.failures(console(stderr=True), ended)
        raise_unfinished(entry, title, ended.status)
    show_remains(aws, plan, done)


def terminate(
    environment: EnvironmentName, region: Region = DEFAULT_REGION, name: Name = "", yes: Yes = False
) -> None:
    """Terminate an environment that was launched from its product.

    Lists what is deleted, what stays and what blocks the deletion, and asks. Refuses a protected environment: update it
    with Decommission=true first. Afterwards lists what stays, its cost, and the command that removes it.
    """
    from commands.common import show
    from commands.launching import default_name
    from pipeline.aws import Aws
    from pipeline.environments.provisioning.environments import find_environment, readable_stack
    from pipeline.environments.provisioning.operations import terminate as run
    from pipeline.environments.provisioning.operations import wait_until_idle
    from pipeline.errors import PipelineError
    from pipeline.stacks.entry_points import EntryPoint

    aws, options = Aws(region), f"--name {name}" if name else ""
    name = name or default_name(environment)
    entry = EntryPoint(environment, region, is_product=True, options=options)
    found = find_environment(aws, name)
    if found is None:
        raise PipelineError(
            f"Provisioned product {name} does not exist in {region}, or these credentials cannot see it, so nothing was terminated; give the name of another with --name."
        )
    done, plan = f"{name} is terminated.", None
    if found.is_under_change:
        stack = readable_stack(aws, found)
        # What a termination in progress leaves can be read only while the stack exists.
        plan = plan_of_product(aws, entry, found) if stack and is_deleting(stack) else None
        with show.Progress(console()) as progress:
            found = wait_until_idle(aws, name, progress, print_line)
        if found is None:
            show_remains(aws, plan, done)
            return
    plan = plan_of_product(aws, entry, found)
    if plan:
        approve(plan, name, f"Terminate {name} in {region}?", yes=yes)
    else:
        confirm(f"Terminate {name} in {region}?", yes=yes)
    with show.Progress(console()) as progress:
        ended = run(aws, name, progress, print_line)
    if not ended.succeeded:
        show.operation_failure(console(stderr=True), ended)
        stack = readable_stack(aws, found)
        raise_unfinished(entry, name, stack["StackStatus"] if stack else "")
    show_remains(aws, plan, done)


def stack_and_entry(
    environment: str, region: str, given: Mapping[str, str]
) -> tuple[str, EntryPoint]:
    """The name of an environment's stack, and its entry point. Raises PipelineError for an invalid value."""
    from pipeline.parameters.profiles import load_profile, with_overrides
    from pipeline.release.assemble import assemble
    from pipeline.stacks.deploy import direct_entry, stack_name

    root = assemble().root
    values = with_overrides(root, load_profile(root, environment), given)
    return stack_name(values), direct_entry(region, values)


def is_deleting(stack: Mapping[str, Any]) -> bool:
    """Whether a deletion of the stack is in progress."""
    return bool(stack["StackStatus"] == "DELETE_IN_PROGRESS")


def plan_of_product(aws: Aws, entry: EntryPoint, found: Environment) -> DeletionPlan | None:
    """What the termination does; None, after a message, if these credentials cannot read a stack."""
    from pipeline.environments.deletion.deletion import read_plan
    from pipeline.environments.provisioning.environments import readable_stack

    stack = readable_stack(aws, found)
    if stack is None:
        print_line(
            f"Not known: the resources of {found.name}, what stays and what blocks the termination; it has no stack, or these credentials need cloudformation:DescribeStacks on it."
        )
        return None
    return read_plan(aws, entry, stack, found.name)


def approve(plan: DeletionPlan, name: str, question: str, *, yes: bool) -> None:
    """Print the plan, refuse a deletion that cannot complete, and ask."""
    print_lines(plan.lines(name))
    plan.require_unblocked(name)
    confirm(question, yes=yes)


def confirm(question: str, *, yes: bool) -> None:
    """Ask at a terminal. Raises typer.Abort where the answer is no."""
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True)


def raise_unfinished(entry: EntryPoint, name: str, status: str) -> None:
    """Exit with status 1 after an incomplete deletion, with the next step."""
    state = f" is in {status} and" if status else ""
    print_error(
        f"{name}{state} still has resources: remove the causes above, then run {entry.delete} again."
    )
    raise typer.Exit(1)


def show_remains(aws: Aws, plan: DeletionPlan | None, done: str) -> None:
    """Print what stays in the account, if a plan is known; exit status 1 if a resource exists that should be deleted."""
    from pipeline.environments.deletion.deletion import read_remains

    if plan is None:
        print(done)
        return
    remains = read_remains(aws, plan)
    print_lines(remains.lines())
    if remains.undeleted:
        names = ", ".join(each.physical_id for each in remains.undeleted)
        print_error(
            f"{done.removesuffix('.')}, but resources of it still exist: {names}; remove them with the commands above."
        )
        raise typer.Exit(1)
    print(done)


def print_line(text: str) -> None:
    """Print a line without markup or wrapping."""
    console().print(text, highlight=False, markup=False, soft_wrap=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines without markup or wrapping, so that users can copy a command."""
    out = console()
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def print_error(text: str) -> None:
    """Print a line on standard error."""
    console(stderr=True).print(text, highlight=False, markup=False, soft_wrap=True)
