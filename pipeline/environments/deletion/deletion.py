"""Delete an environment, and verify in the account what stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.environments.deletion.account import Account
from pipeline.environments.deletion.contents import RETAIN, Contents, read_contents
from pipeline.environments.deletion.ownership import IN_REVIEW, require_environment
from pipeline.environments.deletion.plan import DeletionPlan, plan_deletion
from pipeline.environments.deletion.remaining import Remaining, remaining_lines
from pipeline.environments.deletion.remains import remaining, undeleted
from pipeline.errors import listed
from pipeline.stacks.change_set_creation import Note
from pipeline.stacks.deploy import Launched, Report, delete, delete_stack
from pipeline.stacks.entry_points import EntryPoint


def read_plan(aws: Aws, entry: EntryPoint, stack: Mapping[str, Any], name: str) -> DeletionPlan:
    """What the deletion of a stack does. Raises PipelineError for a stack of another package; ``name`` is the user's."""
    account = Account(aws)
    with aws_errors(f"read what {name} consists of"):
        if stack["StackStatus"] == IN_REVIEW:
            contents = Contents(stack, None, (), is_complete=True)
        else:
            contents = read_contents(account, stack)
        require_environment(contents, entry, name)
        return plan_deletion(account, entry, contents)


def delete_environment(aws: Aws, plan: DeletionPlan, report: Report, note: Note) -> Launched:
    """Delete the stack of a plan and follow it to its end; retains the buckets that the plan keeps."""
    kept: dict[str, list[str]] = {}
    for resource in plan.contents.resources:
        if plan.keeps(resource):
            kept.setdefault(resource.stack, []).append(resource.logical_id)
            note(f"Bucket {resource.physical_id} contains objects; the deletion retains it.")
    for nested, logical_ids in kept.items():
        ended = delete_stack(aws, plan.contents.nested[nested], report, logical_ids)
        if not ended.succeeded:
            return ended
    return delete(aws, plan.contents.name, report, note)


@dataclass(frozen=True)
class Remains:
    """The resources that a deletion left: those that stay by design, and those that should be deleted."""

    region: str
    stays: tuple[Remaining, ...]
    undeleted: tuple[Remaining, ...]
    unread: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What stays, what it costs and the commands that remove it."""
        if self.undeleted:
            yield "Should be deleted, but exists:"
            yield from (f"  {line}" for each in self.undeleted for line in each.lines())
        if self.stays:
            yield "Stays in the account, with the command that removes it:"
            yield from (f"  {line}" for line in remaining_lines(list(self.stays), self.region))
        elif not self.unread:
            yield "Nothing stays in the account."
        yield from self.unread


def read_remains(aws: Aws, plan: DeletionPlan) -> Remains:
    """Look for what the deletion of a plan left in the account."""
    account, gone = Account(aws), Account(aws)
    resources = tuple(
        replace(each, policy=RETAIN) if plan.keeps(each) else each
        for each in plan.contents.resources
    )
    contents = replace(plan.contents, resources=resources)
    with aws_errors(f"read what {contents.name} left"):
        stays, left = tuple(remaining(account, contents)), tuple(undeleted(gone, contents))
    return Remains(aws.region, stays, left, (*account.lines(), *_unverified(gone)))


def _unverified(account: Account) -> Iterator[str]:
    """One line about the resources whose deletion these credentials cannot verify."""
    if account.unread:
        names = listed([subject for subjects in account.unread.values() for subject in subjects])
        yield f"Not known: whether {names} are deleted, as CloudFormation reports (needs {listed(list(account.unread))})."
