"""Settings of the emulator's process in its environment.

ministack reads its settings while it is imported, so they must be in place before the first import.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

DEFAULT_REGION = "eu-north-1"
DEFAULT_PORT = 4566
HOST = "127.0.0.1"
# Any key is accepted; a twelve-digit one would select another account.
ACCESS_KEY = "embedded"
SECRET_KEY = "embedded"  # noqa: S105 - not a secret: the emulator accepts every signature
ACCOUNT_ID = "123456789012"
# The prefix of the folder with the files of a run, in the folder for temporary files.
SCRATCH_PREFIX = "embedded-aws-"

# Requests to the process itself: ministack's reset, a service outcome of resources/compute/service_outcomes.py, and a quota or
# region of the account.
RESET_PATH = "/_ministack/reset"
SERVICE_OUTCOMES_PATH = "/_embedded_aws/service-outcomes"
ACCOUNT_PATH = "/_embedded_aws/account"

# Set if a real PostgreSQL is connected for all database instances: its host and port.
DATABASE_VARIABLE = "EMBEDDED_DATABASE"
# Set if a program runs a real PostgreSQL for each database instance: its URL on loopback.
DATABASE_HOST_VARIABLE = "EMBEDDED_DATABASE_HOST"
# The certificate authority of that database; the functions that verify it read the variable.
DATABASE_CA_VARIABLE = "DATABASE_CA_FILE"

# Set if a real Valkey is connected for every cache: its URL, with a user who can change its users.
CACHE_VARIABLE = "EMBEDDED_CACHE"

# The resolver that the functions ask: HOST:PORT.
RESOLVER_VARIABLE = "DNS_RESOLVER"

# Settings of a developer's own ministack or LocalStack that would change what a rehearsal proves.
_FOREIGN_PREFIXES = ("LOCALSTACK_", "MINISTACK_", "LAMBDA_", "S3_")
# PYTHONPATH: a Lambda function would inherit it, and find this project's modules before its own.
_FOREIGN_NAMES = ("EDGE_PORT", "SERVICES", "USE_SSL", "DOCKER_NETWORK", "PYTHONPATH")


# A proxy does not reach the loopback interface. Some programs read the names in lower case.
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})


def without_machine_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables for a program that uses only the emulator.

    The result has none of the machine's AWS and proxy settings, and names no file with a profile.
    """
    left = {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and name.upper() not in _PROXIES
    }
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    # Without the last one, a client without credentials sends a request to the network.
    return {**left, **files, "AWS_EC2_METADATA_DISABLED": "true"}


def client_environment(endpoint_url: str, region: str) -> dict[str, str]:
    """The variables that point the AWS CLI or an SDK at the emulator."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def prepare_environment(
    port: int,
    region: str,
    scratch: Path,
    state: Path | None,
    database: str = "",
    database_ca: Path | None = None,
    cache: str = "",
    database_host: str = "",
) -> None:
    """Set this process's environment for ministack; call it before the first import of ministack.

    `scratch` takes every file that does not outlive the process. With `state`, resources are saved
    there at exit and restored at the next start. `database` is the HOST:PORT of a real PostgreSQL
    that every database instance stands for, `database_host` the URL of a program that runs one for
    each instance, `database_ca` their certificate authority. `cache` is the URL of a real Valkey
    that has the users of every cache.
    """
    ours = without_machine_settings(os.environ)
    os.environ.clear()
    os.environ.update(
        {
            name: value
            for name, value in ours.items()
            if not name.startswith(_FOREIGN_PREFIXES) and name not in _FOREIGN_NAMES
        }
    )
    os.environ[DATABASE_VARIABLE] = database
    os.environ[DATABASE_HOST_VARIABLE] = database_host
    os.environ[CACHE_VARIABLE] = cache
    if database_ca:
        os.environ[DATABASE_CA_VARIABLE] = str(database_ca.resolve())
    os.environ.update(_emulator_settings(port, region, scratch, state))
    tempfile.tempdir = str(scratch)


def _emulator_settings(port: int, region: str, scratch: Path, state: Path | None) -> dict[str, str]:
    """The variables that ministack reads."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        # Every caller's policies are evaluated; these are the keys of the account itself.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "CRITICAL"),
        # Databases, caches and tasks are records: with a Docker daemon at hand ministack would
        # start containers, and a rehearsal would depend on the machine it runs on.
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        "TMPDIR": str(scratch),
        "STATE_DIR": str(state or scratch / "state"),
        "S3_DATA_DIR": str((state or scratch) / "s3"),
        "PERSIST_STATE": "1" if state else "0",
        "S3_PERSIST": "1" if state else "0",
    }
