"""Two publishers in parallel, in a fixed order: one waits at a call while the other continues."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from botocore.awsrequest import AWSResponse

from pipeline.errors import PipelineError
from tests.publishing.conftest import Publisher
from tests.publishing.faults import SESSION, Calls, Fault

# Seconds after which a waiting publisher counts as lost.
PATIENCE = 60.0
NEVER = 0


class Turn:
    """One of two publishers, in a separate thread; it waits before its call number ``at``, or at its end.

    ``held`` says whether it reached that call, ``refusal`` why it was refused; empty if it was not.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, publisher: Publisher, wanted: dict[str, Any], at: int
    ) -> None:
        self.reached, self.go_on = Event(), Event()
        self.held, self.refusal = False, ""
        calls = Calls(Fault("held", self.hold, None), at=at)
        self.run = pool.submit(self.publish, publisher, wanted, calls)
        self.run.add_done_callback(lambda _run: self.reached.set())
        assert self.reached.wait(PATIENCE)

    def publish(self, publisher: Publisher, wanted: dict[str, Any], calls: Calls) -> None:
        try:
            publisher.publish(calls, **wanted)
        except PipelineError as refusal:
            self.refusal = str(refusal)

    def hold(self, request: Any) -> AWSResponse:
        self.held = True
        self.reached.set()
        assert self.go_on.wait(PATIENCE)
        return SESSION.send(request)

    def end(self) -> None:
        """Let it continue to its end."""
        self.go_on.set()
        self.run.result(PATIENCE)


Pair = tuple[Publisher, Publisher]
Wishes = tuple[dict[str, Any], dict[str, Any]]


def in_turns(pair: Pair, wanted: Wishes, at: int, other_at: int = NEVER) -> tuple[Turn, Turn]:
    """Run the first until its call number ``at``, the second until ``other_at``, the first to its end, then the second.

    A number beyond its last call, or NEVER, lets a publisher run to its end without waiting.
    """
    with ThreadPoolExecutor(2) as pool:
        one = Turn(pool, pair[0], wanted[0], at)
        other = Turn(pool, pair[1], wanted[1], other_at)
        one.end()
        other.end()
    return one, other
