"""Commands that look into a running environment: why."""

from __future__ import annotations

from commands.launching import default_name
from commands.options import DEFAULT_REGION, EnvironmentName, InstanceName, Region, console


def why(
    environment: EnvironmentName, region: Region = DEFAULT_REGION, name: InstanceName = ""
) -> None:
    """Show why the last launch or update failed, and what is wrong with the services."""
    from pipeline.aws import Aws
    from pipeline.provisioning.stacks import find_stack
    from pipeline.stacks.diagnosis.why import explain

    aws = Aws(region)
    out = console()
    for line in explain(aws, find_stack(aws, name or default_name(environment))):
        out.print(line, soft_wrap=True, markup=False)
