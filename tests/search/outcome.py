"""The two results of a boot, with all their effects."""

from collections.abc import Callable

from tests.search.machine import Machine

NewMachine = Callable[..., Machine]


def index_of(machine: Machine, version: str = "1.54.0") -> str:
    """The lines that the stand-in of Meilisearch wrote to the volume, one for each start."""
    return (machine.data / f"v{version}" / "data.ms" / "index").read_text()


def boots(machine: Machine) -> None:
    """Boots, and shows the output of the script if it failed."""
    done = machine.boot()
    assert done.returncode == 0, done.stderr
    assert machine.signals() == ["SUCCESS"]


def fails(machine: Machine, *words: str) -> None:
    """Boots and fails: status 1, a message with these words, FAILURE, and termination of the instance."""
    done = machine.boot()
    assert done.returncode == 1, done.stderr
    (message,) = [line for line in done.stderr.splitlines() if "FAILED: " in line]
    for word in words:
        assert word in message
    assert machine.signals() == ["FAILURE"]
    assert message in (machine.root / "var/log/search-server-boot.log").read_text()
    (published,) = machine.calls_of("aws", "put-log-events")
    assert words[0] in published[published.index("--log-events") + 1]
    assert machine.calls_of("shutdown", "+15")
