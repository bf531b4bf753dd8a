"""An embedded AWS whose state can be saved, restored and compared, so that each trial is fast."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from embedded_aws.server import EmbeddedAws
from embedded_aws.settings import SCRATCH_PREFIX
from tests.publishing.state_server import PLACE

ROOT = Path(__file__).resolve().parents[2]


class StatefulAws(EmbeddedAws):
    """A running embedded AWS that can save one state."""

    @classmethod
    def begin(cls, region: str) -> Self:
        """Start the process and wait until it answers."""
        log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed by stop
        scratch = tempfile.mkdtemp(prefix=SCRATCH_PREFIX)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.publishing.state_server", region, scratch],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout
        endpoint = process.stdout.readline().strip()
        running = cls(process, log, scratch, endpoint, region)
        if not endpoint:
            said = running._last_words()
            running.stop()
            raise AssertionError(f"The embedded AWS did not start: {said}")
        return running

    def keep(self) -> None:
        """Save the state of all services, in place of the saved one."""
        self._ask("keep", "POST")

    def restore(self) -> None:
        """Restore the saved state."""
        self._ask("restore", "POST")

    def digest(self) -> str:
        """The name of the state of all services, independent of random identifiers and times; empty while a stack changes."""
        return self._ask("digest")

    def _ask(self, what: str, method: str = "GET") -> str:
        connection = HTTPConnection(self.endpoint_url.removeprefix("http://"))
        try:
            connection.request(method, f"{PLACE}{what}")
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == 200, f"{what}: {answer.status}"
        return text
