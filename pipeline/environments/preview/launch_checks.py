"""The checks of LaunchCheck, run with the user's credentials before anything is uploaded or started.

LaunchCheck runs them again in the stack, with the permissions of its role. A call that the user has no permission for
therefore refuses nothing here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pipeline.aws import Aws
from pipeline.errors import PipelineError
from templates_src.functions.launch_check.checks import CHECKS
from templates_src.functions.launch_check.dns import PUBLIC_RESOLVERS
from templates_src.functions.launch_check.launch import Launch

# The checks log reads that fail, for the log of the function. The command line prints one sentence.
_log = logging.getLogger("templates_src.functions.launch_check")
_log.addHandler(logging.NullHandler())
_log.propagate = False


def refusal(
    aws: Aws, values: Mapping[str, str], in_force: Mapping[str, str], stack_id: str = ""
) -> str | None:
    """The sentence with which LaunchCheck refuses these values, or None.

    ``in_force`` are the values of the environment with the ARN ``stack_id``; without one, the environment is created.
    Raises PipelineError where the credentials cannot be used.
    """
    launch = launch_of(aws, values, in_force, stack_id)
    return next((found for check in CHECKS if (found := check(launch))), None)


def launch_of(
    aws: Aws, values: Mapping[str, str], in_force: Mapping[str, str], stack_id: str = ""
) -> Launch:
    """The launch as the checks of LaunchCheck receive it."""
    place = stack_id or f"arn:aws:cloudformation:{aws.region}:{aws.account()}:stack/new/new"
    # The machine's own resolver can have zones of a private network, and public DNS has no zone of an endpoint on this machine.
    resolvers = () if aws.is_embedded else PUBLIC_RESOLVERS
    return Launch(
        values,
        in_force,
        not stack_id,
        place,
        aws.client,
        resolvers=resolvers,
        must_read=False,
    )


def require_launchable(
    aws: Aws, values: Mapping[str, str], in_force: Mapping[str, str], stack_id: str = ""
) -> None:
    """Raise PipelineError with the sentence of the first check that refuses."""
    if found := refusal(aws, values, in_force, stack_id):
        raise PipelineError(found)
