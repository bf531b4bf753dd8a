"""Fixtures: volumes, and machines that are stopped and removed with the test, files of root included."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.search.machine import Machine
from tests.search.outcome import NewMachine
from tests.search.volume import KINDS, PRIVILEGE, Volume, run


@pytest.fixture
def kind() -> str:
    """The kind of volume without sudo; tests of the volume name every kind."""
    return "image" if PRIVILEGE else KINDS[0]


@pytest.fixture
def volume(tmp_path: Path, kind: str) -> Volume:
    """An empty volume of 64 MiB."""
    return Volume(tmp_path / "volume.img", kind)


@pytest.fixture
def new_machine(tmp_path: Path, volume: Volume) -> Iterator[NewMachine]:
    """Starts machines on the volume, one after the other: the former one is stopped first."""
    machines: list[Machine] = []

    def start(**options: Any) -> Machine:
        if machines:
            machines[-1].terminate()
        machines.append(Machine(tmp_path / f"machine{len(machines)}", volume, **options))
        return machines[-1]

    yield start
    if machines:
        machines[-1].terminate()
    for machine in machines:
        run("rm", "-rf", str(machine.root), root=volume.kind == "loop")
