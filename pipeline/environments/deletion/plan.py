"""What a deletion does to an environment, before it starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.changes.updates.facts import BUCKET, STATEFUL
from pipeline.environments.deletion.account import Account
from pipeline.environments.deletion.blockers import LOAD_BALANCER, Blocker, blockers, is_retainable
from pipeline.environments.deletion.bucket_removal import removed_buckets
from pipeline.environments.deletion.contents import Contents, StackResource
from pipeline.environments.deletion.kinds import LOOKS, Look, look
from pipeline.environments.deletion.remaining import Remaining, remaining_lines
from pipeline.environments.deletion.remains import expected_snapshots, remaining
from pipeline.errors import PipelineError
from pipeline.stacks.entry_points import EntryPoint

# These types are listed one by one, because their data cannot be created again. Secrets and logs are counted.
_ONE_BY_ONE = frozenset(STATEFUL) - {"AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"}

# What can block a deletion, or is lost with it.
_READ_FIRST = frozenset(LOOKS) & {*STATEFUL, LOAD_BALANCER}


@dataclass(frozen=True)
class DeletionPlan:
    """What is deleted, what stays, what blocks the deletion, and what the credentials cannot read."""

    entry: EntryPoint
    contents: Contents
    looks: Mapping[str, Look]
    stays: tuple[Remaining, ...]
    blocked: tuple[Blocker, ...]
    unread: tuple[str, ...]

    @property
    def deleted(self) -> list[StackResource]:
        """The resources that the deletion deletes."""
        return [
            each
            for each in self.contents.resources
            if not each.is_retained and not each.is_gone and not self.keeps(each)
        ]

    def keeps(self, resource: StackResource) -> bool:
        """Whether a retry retains a resource that stopped the deletion."""
        seen = self.looks.get(str(resource))
        return bool(seen and seen.exists) and is_retainable(self.entry, resource)

    def lines(self, name: str) -> Iterator[str]:
        """The plan for the user of the environment, which has this name."""
        yield f"What the deletion of {name} does:"
        yield from _indented("Deletes:", self._deletions())
        kept = [each for each in self.contents.resources if self.keeps(each)]
        yield from _indented(
            "Retained with its objects, because it stopped an earlier deletion:",
            (f"bucket {each.physical_id} ({each})" for each in kept),
        )
        snapshots = expected_snapshots(self.contents, self.looks)
        yield from _indented("Takes:", snapshots)
        stays = list(self.stays)
        if stays:
            lines = remaining_lines(stays, self.entry.region)
            yield from _indented(
                "Stays in the account, with the command that removes it later:", lines
            )
        blocked = (line for blocker in self.blocked for line in blocker.lines())
        yield from _indented("Blocks the deletion:", blocked)
        yield from (f"  {line}" for line in self.unread)

    def _deletions(self) -> Iterator[str]:
        deleted = self.deleted
        for resource in deleted:
            if resource.kind in _ONE_BY_ONE:
                seen = self.looks.get(str(resource))
                size = f", {seen.size}" if seen and seen.size else ""
                yield f"{resource} ({resource.physical_id}), {STATEFUL[resource.kind]}{size}"
        for resource, content in removed_buckets(self.contents, self.looks):
            yield f"{resource} ({resource.physical_id}), {content}"
        counts = Counter(resource.stack or "the root" for resource in deleted)
        if counts:
            yield f"{len(deleted)} resources in all: {', '.join(f'{n} in {stack}' for stack, n in counts.items())}"
        if not self.contents.resources and self.contents.is_complete:
            yield "a stack without resources"

    def require_unblocked(self, name: str) -> None:
        """Raise PipelineError if something blocks the deletion."""
        if self.blocked:
            more = len(self.blocked) - 1
            rest = f" (and {more} more, listed above)" if more else ""
            raise PipelineError(
                f"Nothing of {name} was deleted: {self.blocked[0].sentence.rstrip('.')}{rest}."
            )


def _indented(heading: str, lines: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Lines below a heading; nothing if there are no lines."""
    found = list(lines)
    if found:
        yield f"  {heading}"
        yield from (f"    {line}" for line in found)


def plan_deletion(account: Account, entry: EntryPoint, contents: Contents) -> DeletionPlan:
    """Read what the deletion of an environment does."""
    looks = {
        str(each): look(account, each.kind, each.physical_id, f"the state of {each}")
        for each in contents.resources
        if each.kind in _READ_FIRST and not each.is_gone
        if each.kind == BUCKET or not each.is_retained
    }
    # A snapshot that cannot be listed possibly does not exist yet.
    removed = {each.physical_id for each, _ in removed_buckets(contents, looks)}
    stays = tuple(
        each
        for each in remaining(account, contents)
        if not each.is_listing and each.physical_id not in removed
    )
    blocked = tuple(blockers(account, entry, contents, looks))
    return DeletionPlan(entry, contents, looks, stays, blocked, tuple(account.lines()))
