"""Start the embedded AWS as a subprocess on a free loopback port, and stop it.

Only the subprocess imports ministack, so the import of this module is fast.

    with EmbeddedAws.start(region="eu-north-1") as aws:
        session = boto3.Session(aws_access_key_id=aws.access_key, ...)
        subprocess.run([...], env=os.environ | aws.environment())
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from embedded_aws.settings import (
    ACCESS_KEY,
    ACCOUNT_ID,
    ACCOUNT_PATH,
    DEFAULT_REGION,
    RESET_PATH,
    SCRATCH_PREFIX,
    SECRET_KEY,
    SERVICE_OUTCOMES_PATH,
    client_environment,
)

_ENDPOINT = re.compile(r"\bAWS_ENDPOINT_URL=(\S+)")
# Seconds that the process gets to end by itself before it is killed.
_STOP_TIMEOUT = 10.0


class EmbeddedAwsError(RuntimeError):
    """The embedded AWS could not be started or does not answer; the message says why."""


class EmbeddedAws:
    """A running embedded AWS; make one with `start`.

    Attributes: `endpoint_url` (http://127.0.0.1:PORT), `region` (of clients that name none),
    `access_key`, `secret_key` and `account_id`.
    """

    access_key = ACCESS_KEY
    secret_key = SECRET_KEY
    account_id = ACCOUNT_ID

    def __init__(
        self,
        process: subprocess.Popen[str],
        log: IO[str],
        scratch: str,
        endpoint_url: str,
        region: str,
    ) -> None:
        self._process = process
        self._log = log
        self._scratch = scratch
        self.endpoint_url = endpoint_url
        self.region = region

    @classmethod
    def start(
        cls,
        region: str = DEFAULT_REGION,
        *,
        database: str = "",
        database_host: str = "",
        database_ca: Path | None = None,
        cache: str = "",
        timeout: float = 30.0,
    ) -> Self:
        """Start the process and wait until it answers.

        `database` (HOST:PORT) and `database_ca` (PEM file) connect a real PostgreSQL for all database instances;
        `database_host` (a URL) runs one for each instance. Functions inside a VPC run only with one of them.
        `cache` (a URL) connects a real Valkey that has the users of every cache.

        The process ends with `stop`, with the `with` block, or when this process ends in any way: it watches a
        pipe whose other end closes with this process.

        Raises EmbeddedAwsError if the process is not ready after `timeout` seconds or ends before.
        """
        # The process closes its copy; this copy is read after a failure.
        log = tempfile.TemporaryFile(mode="w+", prefix="embedded-aws-log-")  # noqa: SIM115
        # Created here, so that each process can remove it if the other is killed.
        scratch = tempfile.mkdtemp(prefix=SCRATCH_PREFIX)
        options = {
            "--region": region,
            "--scratch": scratch,
            "--database": database,
            "--database-host": database_host,
            "--database-ca": str(database_ca or ""),
            "--cache": cache,
        }
        process = _run(options, log)
        announcement = _first_line(process, timeout)
        endpoint = _ENDPOINT.search(announcement)
        aws = cls(process, log, scratch, endpoint.group(1) if endpoint else "", region)
        if endpoint is None:
            reason = aws._last_words() if _has_ended(process) else "no answer"
            aws.stop()
            raise EmbeddedAwsError(f"The embedded AWS did not start within {timeout:g} s: {reason}")
        return aws

    def environment(self) -> dict[str, str]:
        """Variables that point a child process (AWS CLI, boto3) at this embedded AWS."""
        return {
            **client_environment(self.endpoint_url, self.region),
            # Without it, a client without credentials sends a request to the network.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reset(self) -> None:
        """Delete every resource in every region; takes about ten milliseconds.

        Raises EmbeddedAwsError when the process does not answer.
        """
        self._post(RESET_PATH)

    def fail_service(self, container: str, **outcome: Any) -> None:
        """Let the next deployments of a container's service fail, until a reset.

        ``outcome`` has the fields of `embedded_aws.resources.compute.service_outcomes.ServiceOutcome`, for example
        ``exit_code=1, log=["no database"], image_tag="2.0.0"``. Raises EmbeddedAwsError for an outcome that is not one.
        """
        status, answer = self._post(SERVICE_OUTCOMES_PATH, {"container": container, **outcome})
        if status >= 400:
            raise EmbeddedAwsError(answer)

    def set_quota(self, service: str, code: str, value: float) -> None:
        """Set the applied value of a quota of Service Quotas in every region, until a reset.

        Raises EmbeddedAwsError for a quota that the embedded AWS does not have.
        """
        self._account({"service": service, "code": code, "value": value})

    def turn_region_off(self, region: str) -> None:
        """Let the account have turned a region off, until a reset. Regions that are always on stay on."""
        self._account({"region_off": region})

    def _account(self, setting: Mapping[str, Any]) -> None:
        status, answer = self._post(ACCOUNT_PATH, setting)
        if status >= 400:
            raise EmbeddedAwsError(answer)

    def _post(self, path: str, body: Any = None) -> tuple[int, str]:
        host = self.endpoint_url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=_STOP_TIMEOUT)
        try:
            connection.request("POST", path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            raise EmbeddedAwsError(
                f"The embedded AWS at {self.endpoint_url} does not answer: {problem}"
            ) from problem
        finally:
            connection.close()

    def stop(self) -> None:
        """End the process; a second call does nothing."""
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else f"it ended with status {self._process.returncode}"


def _has_ended(process: subprocess.Popen[str]) -> bool:
    """Whether the process has ended, or is ending because it has closed its output."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        return False
    return True


def _search_path() -> str:
    """PYTHONPATH under which the subprocess finds this package, installed or not."""
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def _run(options: Mapping[str, str], log: IO[str]) -> subprocess.Popen[str]:
    """Start the process with the options that have a value."""
    given = [part for name, value in options.items() if value for part in (name, value)]
    return subprocess.Popen(
        [sys.executable, "-m", "embedded_aws", "--port", "0", "--until-stdin-closes", *given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=os.environ | {"PYTHONPATH": _search_path()},
    )


def _first_line(process: subprocess.Popen[str], timeout: float) -> str:
    """The first line of standard output; empty when it ended or `timeout` passed without one."""
    line: list[str] = []
    stdout = process.stdout
    assert stdout is not None  # noqa: S101 - opened as a pipe by the only caller
    reader = threading.Thread(target=lambda: line.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(timeout)
    return line[0] if line else ""
