"""The boot script and its volume: formatted once, never formatted again, never detached from another instance.

Tests of the volume's content run on every available kind (volume.KINDS): a loop device if the tests can be root, and
always an image file without root.
"""

import pytest

from tests.search.machine import VOLUME_ID
from tests.search.outcome import NewMachine, boots, fails, index_of
from tests.search.volume import KINDS, MEBIBYTE, Volume, run

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_second_boot_keeps_the_file_system_and_a_file_of_the_first(
    new_machine: NewMachine, volume: Volume
) -> None:
    first = new_machine()
    boots(first)
    assert index_of(first) == "opened by getmeili/meilisearch:v1.54.0\n"
    assert len(first.calls_of("mkfs.ext4")) == 1

    second = new_machine()
    assert volume.type() == "ext4"
    boots(second)
    assert index_of(second) == "opened by getmeili/meilisearch:v1.54.0\n" * 2
    assert second.calls_of("mkfs.ext4") == []


@every_kind
def test_mount_survives_a_reboot_and_the_server_waits_for_it(new_machine: NewMachine) -> None:
    machine = new_machine()
    (machine.root / "etc").mkdir()
    (machine.root / "etc/fstab").write_text("UUID=1234 / xfs defaults 0 1\n")
    boots(machine)
    root_line, line = (machine.root / "etc/fstab").read_text().splitlines()
    assert root_line == "UUID=1234 / xfs defaults 0 1"
    device, folder, kind, options, *_ = line.split()
    assert device.endswith("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0")
    assert (folder, kind) == (str(machine.data), "ext4")
    assert "nofail" in options.split(",")
    unit = (machine.root / "etc/systemd/system/meilisearch.service").read_text()
    assert f"RequiresMountsFor={machine.data}\n" in unit
    assert "Restart=always\n" in unit


@every_kind
def test_grows_the_file_system_with_the_volume(new_machine: NewMachine, volume: Volume) -> None:
    boots(new_machine())
    small = volume.blocks()
    volume.resize(128)
    machine = new_machine()
    boots(machine)
    assert index_of(machine).count("\n") == 2
    machine.terminate()
    assert (small, volume.blocks()) == (64, 128)


FOREIGN = {
    "unknown bytes at the start": (0, b"\x01"),
    "unknown bytes later": (5 * MEBIBYTE, b"index"),
    "xfs": (0, b"XFSB\x00\x00\x10\x00" + bytes(100)),
    "swap": (4086, b"SWAPSPACE2"),
    "partition table": (446, b"\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0" + bytes(48) + b"\x55\xaa"),
}


@every_kind
@pytest.mark.parametrize("content", FOREIGN)
def test_volume_with_data_is_never_formatted(
    new_machine: NewMachine, volume: Volume, content: str
) -> None:
    offset, data = FOREIGN[content]
    with volume.image.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    before = volume.image.read_bytes()
    machine = new_machine()
    fails(machine, "It was not formatted.")
    assert machine.calls_of("mkfs.ext4") == []
    machine.terminate()
    assert volume.image.read_bytes() == before


@every_kind
def test_a_damaged_file_system_is_neither_formatted_nor_mounted(
    new_machine: NewMachine, volume: Volume
) -> None:
    boots(new_machine())
    new_machine().terminate()
    run("debugfs", "-w", "-R", "clri <2>", str(volume.image))
    machine = new_machine()
    fails(machine, "needs repair by hand")
    assert machine.calls_of("mkfs.ext4") == []
    assert machine.calls_of("mount") == []


@every_kind
def test_wrong_device_is_not_changed(new_machine: NewMachine, volume: Volume) -> None:
    before = volume.image.read_bytes()
    machine = new_machine()
    machine.change_volume(serial="vol0fedcba9876543210")
    fails(machine, "Wrong device", "vol0fedcba9876543210", "vol0123456789abcdef0")
    machine.terminate()
    assert volume.image.read_bytes() == before


def test_a_missing_volume(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(missing=True)
    fails(machine, VOLUME_ID, "cannot be described", "InvalidVolume.NotFound")
    assert machine.calls_of("aws", "attach-volume") == []


def test_a_volume_in_error(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(state="error")
    fails(machine, VOLUME_ID, "Restore it from a snapshot.")


def test_boot_waits_until_the_former_instance_detaches_the_volume(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(
        state="in-use", holder="i-0old", attachment="detaching", questions_until_free=3
    )
    boots(machine)
    assert len(machine.calls_of("aws", "attach-volume")) == 1
    assert machine.calls_of("aws", "detach-volume") == []


def test_instance_that_never_detaches_is_named(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(state="in-use", holder="i-0old", attachment="attached")
    fails(machine, "did not come free", "i-0old")


def test_lost_race_for_the_volume_is_repeated(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(attach_errors=["VolumeInUse", "IncorrectState"])
    boots(machine)
    assert len(machine.calls_of("aws", "attach-volume")) == 3


def test_denied_attachment_is_reported(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(attach_errors=["UnauthorizedOperation"] * 9)
    fails(machine, "cannot be attached", "UnauthorizedOperation")
    assert len(machine.calls_of("aws", "attach-volume")) == 5
