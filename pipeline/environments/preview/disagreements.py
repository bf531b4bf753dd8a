"""The differences between the change set of CloudFormation and the comparison of the templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.changes.change import Action, Change
from pipeline.environments.preview.preview import Preview
from pipeline.stacks.change_sets import (
    ADD,
    MODIFY,
    NOT_REPLACED,
    REMOVE,
    REPLACED,
    Announced,
    AnnouncedChange,
)
from pipeline.template.references import Name

# The actions of AWS that agree with each action of the engine. A conditional replacement agrees with any update.
_REPLACING = {Action.REPLACE, Action.MAY_REPLACE, Action.FAIL}
_UPDATING = {Action.UPDATE, Action.INTERRUPT, Action.MAY_REPLACE, Action.FAIL}
_REMOVING = {Action.DELETE, Action.RELEASE}


def lines(preview: Preview, announced: Announced) -> Iterator[str]:
    """AWS's validation results, and each resource on which AWS and the engine disagree, with both."""
    for result in announced.validation:
        verb = "warns" if result.is_warning else "refuses"
        yield f"AWS {verb}: {result.logical_id}: {result.reason.rstrip('.')}."
    found = list(disagreements(preview.changes, announced))
    modified = sum(change.action == MODIFY for change in announced.changes)
    yield f"AWS's change set: {len(announced.changes)} resources, {modified} of them modified; {_summary(found)}"
    yield from (f"  {line}" for line in found)


def disagreements(changes: Iterable[Change], announced: Announced) -> Iterator[str]:
    """A sentence for each resource with a difference.

    AWS also lists resources as modified whose values do not change, because it knows a value only during the update.
    They are omitted unless AWS announces a replacement.
    """
    by_engine: Mapping[Name, Change] = {change.name: change for change in changes}
    by_aws = {Name(each.stack, each.logical_id): each for each in announced.changes}
    for name in sorted(by_engine.keys() | by_aws.keys()):
        engine, aws = by_engine.get(name), by_aws.get(name)
        if aws is None and engine is not None and name.stack in announced.stacks:
            # A nested stack that is created or removed as a whole.
            aws = AnnouncedChange(
                name.stack, name.logical_id, engine.kind, announced.stacks[name.stack], ""
            )
        if not _agrees(engine, aws):
            kind = engine.kind if engine else aws.kind if aws else ""
            yield f"{name} ({kind}): AWS says {_by_aws(aws)}; the comparison of the templates says {_by_engine(engine)}."


def _agrees(engine: Change | None, aws: AnnouncedChange | None) -> bool:
    if aws is None:
        return engine is None
    if aws.action == ADD:
        return engine is not None and engine.action in {Action.CREATE, Action.FAIL}
    if aws.action == REMOVE:
        return engine is not None and engine.action in _REMOVING
    if engine is None:
        return aws.replacement != REPLACED
    if aws.replacement == REPLACED:
        return engine.action in _REPLACING
    if aws.replacement == NOT_REPLACED:
        return engine.action in _UPDATING
    return engine.action in _REPLACING | _UPDATING


def _by_aws(change: AnnouncedChange | None) -> str:
    if change is None:
        return "nothing"
    words = {ADD: "created", REMOVE: "removed"}
    if change.action in words:
        return words[change.action]
    replacement = {REPLACED: "replaced", NOT_REPLACED: "updated in place"}
    return replacement.get(change.replacement, "perhaps replaced")


def _by_engine(change: Change | None) -> str:
    return "unchanged" if change is None else change.action.value


def _summary(found: list[str]) -> str:
    if not found:
        return "it agrees with the comparison of the templates."
    count = len(found)
    return f"it disagrees on {count} {'resource' if count == 1 else 'resources'}:"
