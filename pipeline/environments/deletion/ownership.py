"""Whether a stack is an environment of this package, so that no command deletes the stack of another project."""

from __future__ import annotations

from pipeline.environments.deletion.contents import Contents
from pipeline.environments.preview.deployed import describes_environment
from pipeline.errors import PipelineError
from pipeline.stacks.entry_points import EntryPoint

# Before its first change set is executed, a stack has no template and no resources.
IN_REVIEW = "REVIEW_IN_PROGRESS"


def require_environment(contents: Contents, entry: EntryPoint, name: str) -> None:
    """Raise PipelineError for a stack of another package, or of an environment that the user did not name."""
    tags = {tag["Key"]: tag["Value"] for tag in contents.stack.get("Tags", [])}
    environment = contents.values.get("Environment") or tags.get("Environment")
    if contents.stack["StackStatus"] == IN_REVIEW:
        belongs = not tags or "Project" in tags
    elif contents.description is None:
        belongs = "Project" in tags and "Environment" in tags
    else:
        belongs = describes_environment(contents.description)
    other = "--name NAME" if entry.is_product else "--set Project=NAME"
    if not belongs:
        raise PipelineError(
            f"{name} does not belong to Carbon Connect, because stack {contents.name} is not an environment of this package; nothing was deleted, so name another one with {other}."
        )
    if environment not in {None, entry.environment}:
        raise PipelineError(
            f"{name} is the environment {environment!r}, not {entry.environment!r}; nothing was deleted, so name another one with {other}."
        )
