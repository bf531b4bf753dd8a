"""The database host: a program on loopback that runs a real PostgreSQL for every database instance.

Without one, instances and snapshots are records. Names are ARNs. `tests/engines/database_host.py` is a host.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

from embedded_aws.settings import DATABASE_HOST_VARIABLE

# A restore copies a cluster and replays its log.
_PATIENCE_SECONDS = 120.0


def is_connected() -> bool:
    """Whether a real PostgreSQL runs behind every database instance."""
    return bool(os.environ.get(DATABASE_HOST_VARIABLE))


def ask(operation: str, **arguments: Any) -> dict[str, Any]:
    """Ask the host for an operation; returns its answer, which is empty where no host is connected.

    Raises ValueError with the host's reason.
    """
    if not is_connected():
        return {}
    body = json.dumps({"operation": operation, **arguments}).encode()
    request = urllib.request.Request(os.environ[DATABASE_HOST_VARIABLE], data=body)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            result: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        reason = json.loads(error.read() or b"{}").get("error", error)
        raise ValueError(f"The database host failed at {operation}: {reason}") from error
    except OSError as error:
        raise ValueError(f"The database host does not answer: {error}") from error
    return result
