"""Rules for every workflow; each yields a sentence for each violation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.workflows.reading import Workflow

# A commit and, for a reader and for Dependabot, its version.
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\s*$")
# These events run code or results of a pull request with the permissions of the repository.
PRIVILEGED_TRIGGERS = {"pull_request_target", "workflow_run", "issue_comment"}
READING: tuple[Mapping[str, str], ...] = ({}, {"contents": "read"})
# The permissions that a job can request, each with its use.
WRITING = {"id-token": "write", "pull-requests": "write", "pages": "write"}
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


def broken_rules(workflow: Workflow) -> list[str]:
    """The violations of a workflow, one sentence each."""
    return [
        f"{workflow.name}: {sentence}"
        for rule in (pins, triggers, permissions, scripts, checkouts, credentials, time_limits)
        for sentence in rule(workflow)
    ]


def pins(workflow: Workflow) -> Iterator[str]:
    """Every action is pinned to a commit, with its version in a comment."""
    for line in workflow.text.splitlines():
        if re.match(r"\s*(- )?uses:", line) and not PINNED.search(line):
            yield f"{line.strip()} is not pinned to a commit with its version."


def triggers(workflow: Workflow) -> Iterator[str]:
    """No event runs foreign code with the permissions of the repository."""
    for trigger in sorted(workflow.triggers & PRIVILEGED_TRIGGERS):
        yield f"the event {trigger} runs foreign code with the rights of the repository."


def permissions(workflow: Workflow) -> Iterator[str]:
    """The workflow has at most read permissions, and a job requests the others that it needs."""
    if workflow.document.get("permissions") not in READING:
        yield "the workflow has more permissions than reading, or GitHub's default ones."
    for name, job in workflow.jobs.items():
        asked = job.get("permissions", {})
        for right, level in {"all": asked}.items() if isinstance(asked, str) else asked.items():
            if level != "read" and WRITING.get(right) != level:
                yield f"the job {name} has the permission {right}: {level}."


def scripts(workflow: Workflow) -> Iterator[str]:
    """A script gets its values through variables: an expression in its text would be code."""
    for step in workflow.steps():
        if "${{" in step.get("run", ""):
            yield f"the step {step.get('name', 'without a name')} has an expression in its script."


def checkouts(workflow: Workflow) -> Iterator[str]:
    """A checkout leaves no token that its code could read."""
    for step in workflow.steps():
        persists = step.get("with", {}).get("persist-credentials", True)
        if step.get("uses", "").startswith("actions/checkout@") and persists:
            yield "a checkout keeps the token in the folder."


def credentials(workflow: Workflow) -> Iterator[str]:
    """Only jobs that forks cannot start sign in to AWS, as a role, and none has a long-lived key."""
    for name, job in workflow.jobs.items():
        rights = job.get("permissions", {})
        signs_in = isinstance(rights, Mapping) and rights.get("id-token") == "write"
        of_pull_requests = "pull_request" in workflow.triggers and not _only_pushes(job)
        if signs_in and of_pull_requests and SAME_REPOSITORY not in job.get("if", ""):
            yield f"the job {name} signs in for pull requests from forks."
        if signs_in and rights.get("pull-requests") == "write":
            yield f"the job {name} both signs in and writes to pull requests."
    if "secrets." in workflow.text or "aws-access-key-id" in workflow.text:
        yield "a secret is read: jobs sign in through OIDC."


def _only_pushes(job: Mapping[str, Any]) -> bool:
    return "github.event_name == 'push'" in job.get("if", "")


def time_limits(workflow: Workflow) -> Iterator[str]:
    """A job that hangs ends before GitHub's six hours."""
    for name, job in workflow.jobs.items():
        if "timeout-minutes" not in job:
            yield f"the job {name} has no time limit."
