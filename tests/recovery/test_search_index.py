"""The drill of docs/recovery.md: a search index from a snapshot, with the file system of a volume.

The embedded AWS has no block devices: an image file has the blocks of a volume, and a copy of it those of a snapshot. The
boot script runs on the image of the volume that the user data of the instance names.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.tree import Tree
from tests.recovery.page import Shell, blocks
from tests.search.machine import Machine
from tests.search.volume import Volume

FIND, CLEAR, RESTORE, DELETE = blocks("The search index").values()


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """Without a database host: the index needs none."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, release: Release) -> Environment:
    launched = Environment(running, release, "dev")
    assert launched.launch().succeeded
    return launched


@pytest.fixture(scope="module")
def shell(running: EmbeddedAws, environment: Environment, tree: Tree) -> Shell:
    assert environment
    return Shell(running, tree, NAME="dev")


class Server:
    """The search server of an environment, which boots on the image of its volume."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self.environment, self.folder, self.boots = environment, folder, 0

    def volume_id(self) -> str:
        """The volume in the user data of the newest launch template."""
        (version,) = self.environment.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=self.environment.physical_id("Compute.SearchLaunchTemplate"),
            Versions=["$Latest"],
        )["LaunchTemplateVersions"]
        text = base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
        (found,) = [
            line.partition("=")[2] for line in text.splitlines() if line.startswith("VOLUME_ID=")
        ]
        return found

    def image(self, name: str) -> Path:
        """The blocks of a volume or a snapshot."""
        return self.folder / f"{name}.img"

    def snapshot(self) -> str:
        """A snapshot of the volume in use."""
        volume = self.volume_id()
        taken: str = self.environment.client("ec2").create_snapshot(VolumeId=volume)["SnapshotId"]
        shutil.copyfile(self.image(volume), self.image(taken))
        return taken

    def boot(self, document: str | None = None) -> str:
        """Boot on the volume in use and index a document; return the index."""
        volume = self.volume_id()
        (found,) = self.environment.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"]
        image = self.image(volume)
        if found.get("SnapshotId") and not image.exists():
            shutil.copyfile(self.image(found["SnapshotId"]), image)
        self.boots += 1
        machine = Machine(
            self.folder / f"machine{self.boots}",
            Volume(image, "image"),
            settings={"VOLUME_ID": volume},
        )
        try:
            machine.change_volume(id=volume, serial=volume.replace("-", ""))
            done = machine.boot()
            assert done.returncode == 0, done.stderr
            index = machine.data / "v1.54.0" / "data.ms" / "documents"
            if document:
                with index.open("a") as file:
                    file.write(f"{document}\n")
            return index.read_text() if index.exists() else ""
        finally:
            machine.terminate()


def test_index_comes_back_from_a_snapshot_and_again_from_another(
    environment: Environment, shell: Shell, tmp_path: Path
) -> None:
    server = Server(environment, tmp_path)
    first = server.volume_id()
    assert server.boot("offer 1") == "offer 1\n"
    snapshot = server.snapshot()
    assert server.boot("damage") == "offer 1\ndamage\n"

    listed = shell.run(*FIND)
    assert snapshot in listed
    assert shell.value("SNAPSHOT") == snapshot
    shell.run(*CLEAR)
    assert server.volume_id() == first
    shell.run(*RESTORE)

    second = server.volume_id()
    assert shell.value("NEW") == second != first
    assert server.boot("offer 2") == "offer 1\noffer 2\n"
    shell.run(*DELETE)
    volumes = environment.client("ec2").describe_volumes()["Volumes"]
    assert first not in {volume["VolumeId"] for volume in volumes}

    later = server.snapshot()
    server.boot("damage")
    shell.run(*FIND)
    assert shell.value("SNAPSHOT") == later
    shell.run(*CLEAR)
    assert server.volume_id() not in (first, second)
    shell.run(*RESTORE)
    assert server.boot() == "offer 1\noffer 2\n"
