"""Commands that look into a running environment: why, logs, run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from commands.common.options import DEFAULT_REGION, EnvironmentName, InstanceName, Region, console
from commands.launching import default_name

Log = Annotated[str, typer.Argument(help="api, worker, beat, search or migration.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show new lines until Ctrl-C.")]
Since = Annotated[str, typer.Option(help="Duration such as 30m, 2h or 1d, or a time in UTC.")]
Service = Annotated[
    str, typer.Option(help="Service whose variables, roles and network it has: api or worker.")
]
Command = Annotated[list[str], typer.Argument(help="Command and arguments, after --.")]
# The services with every variable of the application.
RUNNABLE = ("api", "worker")


def why(
    environment: EnvironmentName, region: Region = DEFAULT_REGION, name: InstanceName = ""
) -> None:
    """Show why the last launch or update failed, and what is wrong with the services."""
    from pipeline.aws import Aws
    from pipeline.environments.provisioning.stacks import find_stack
    from pipeline.stacks.diagnosis.why import explain

    aws = Aws(region)
    out = console()
    for line in explain(aws, find_stack(aws, name or default_name(environment))):
        out.print(line, soft_wrap=True, markup=False)


def logs(
    environment: EnvironmentName,
    log: Log = "api",
    follow: Follow = False,
    since: Since = "10m",
    region: Region = DEFAULT_REGION,
    name: InstanceName = "",
) -> None:
    """Show the log of a service, the search server or the migration."""
    from datetime import UTC, datetime

    from pipeline.aws import Aws
    from pipeline.environments.provisioning.stacks import find_stack
    from pipeline.stacks.diagnosis.logs import follow_log, log_group, read_log, start_of

    start = start_of(since, datetime.now(UTC))
    aws = Aws(region)
    group = log_group(aws, find_stack(aws, name or default_name(environment)), log)
    lines = follow_log(aws, group, start) if follow else read_log(aws, group, start)
    try:
        for line in lines:
            print(f"{line.time:%Y-%m-%d %H:%M:%S} {line.source[:8]} {line.text}", flush=follow)
    except KeyboardInterrupt:
        # The way in which a log that is followed ends.
        return


def run(
    environment: EnvironmentName,
    command: Command,
    service: Service = "api",
    region: Region = DEFAULT_REGION,
    name: InstanceName = "",
) -> None:
    """Run a command in a new task of the image; exits with its status, or 125."""
    if service not in RUNNABLE:
        raise typer.BadParameter(f"--service is {service!r}; it must be api or worker.")
    from pipeline.aws import Aws
    from pipeline.environments.provisioning.stacks import find_stack
    from pipeline.stacks.diagnosis.one_off_tasks import follow_task, start_task, still_running

    aws, name = Aws(region), name or default_name(environment)
    task = start_task(aws, find_stack(aws, name), service, command)

    def note(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    family = task.task_definition.rpartition("/")[2]
    note(f"Task {task.id} of {family} starts. Ctrl-C stops the output, and not the task.")
    try:
        status = follow_task(aws, task, lambda line: print(line, flush=True), note)
    except KeyboardInterrupt:
        follow = f".venv/bin/python build.py logs {environment} {service} --follow --region {region} --name {name}"
        raise still_running(aws, task, follow) from None
    # Not typer.Exit, whose status 130 build.py takes for Ctrl-C.
    sys.exit(status)
