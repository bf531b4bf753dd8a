"""The AWS of a command: an account, or an embedded one that runs as long as the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.aws import Aws


@contextmanager
def target(region: str, *, embedded: bool) -> Iterator[Aws]:
    """The AWS for a launch: the account of the credentials, or an embedded one that stops after the command."""
    from pipeline.aws import Aws, require_region
    from pipeline.errors import PipelineError

    require_region(region)
    if not embedded:
        yield Aws(region)
        return
    from embedded_aws.server import EmbeddedAws, EmbeddedAwsError

    try:
        running = EmbeddedAws.start(region=region)
    except EmbeddedAwsError as error:
        raise PipelineError(str(error)) from error
    with running:
        yield Aws(region, running.environment())


def serve_until_interrupted(aws: Aws) -> None:
    """Keep the embedded AWS running until Ctrl-C, and print how to reach it."""
    import signal

    variables = " ".join(f"{name}={value}" for name, value in aws.environment.items())
    try:
        print(
            f"The embedded AWS runs until Ctrl-C. Point any AWS client at it:\nexport {variables}",
            flush=True,
        )
        signal.pause()
    except KeyboardInterrupt:
        print("Stopped.")
