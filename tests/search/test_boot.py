"""The boot script of the search server, run for real on a real file system.

Tests of the volume itself run on every kind of volume that there is here (search_machine.KINDS):
a loop device where the tests may be root, and everywhere an image file without root.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from search_machine import BOOT_SCRIPT, KINDS, MASTER_KEY, MEBIBYTE, VOLUME_ID, Machine, Volume, run

NewMachine = Callable[..., Machine]
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def kind() -> str:
    """The closest thing to a volume that there is here; tests of the volume itself name all."""
    return KINDS[0]


@pytest.fixture
def volume(tmp_path: Path, kind: str) -> Volume:
    """An empty volume of 64 MiB."""
    return Volume(tmp_path / "volume.img", kind)


@pytest.fixture
def new_machine(tmp_path: Path, volume: Volume) -> Iterator[NewMachine]:
    """Starts machines on the volume, one after the other: the one before is ended first."""
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


def index_of(machine: Machine, version: str = "1.54.0") -> str:
    """What the stand-in of Meilisearch has written on the volume, a line each time it started."""
    return (machine.data / f"v{version}" / "data.ms" / "index").read_text()


def boots(machine: Machine) -> None:
    """Boots, and shows what the script said if it did not end well."""
    done = machine.boot()
    assert done.returncode == 0, done.stderr
    assert machine.signals() == ["SUCCESS"]


def fails(machine: Machine, *words: str) -> None:
    """Boots in vain: status 1, a message with these words, FAILURE, and an end to the instance."""
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


# The script as a file


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [shellcheck, BOOT_SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_leaves_room_for_the_settings_in_user_data() -> None:
    """EC2 takes 16 KB of user data before base64; the settings need less than 1,300 bytes."""
    assert len(BOOT_SCRIPT.read_bytes()) <= 16 * 1024 - 1300


# The volume


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
def test_the_mount_survives_a_reboot_and_the_server_waits_for_it(new_machine: NewMachine) -> None:
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
def test_never_formats_a_volume_that_holds_anything(
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
def test_a_wrong_device_is_not_touched(new_machine: NewMachine, volume: Volume) -> None:
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


def test_waits_for_the_instance_that_still_holds_the_volume(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(
        state="in-use", holder="i-0old", attachment="detaching", questions_until_free=3
    )
    boots(machine)
    assert len(machine.calls_of("aws", "attach-volume")) == 1
    assert machine.calls_of("aws", "detach-volume") == []


def test_names_the_instance_that_never_lets_go(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(state="in-use", holder="i-0old", attachment="attached")
    fails(machine, "did not come free", "i-0old")


def test_a_lost_race_for_the_volume_is_run_again(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(attach_errors=["VolumeInUse", "IncorrectState"])
    boots(machine)
    assert len(machine.calls_of("aws", "attach-volume")) == 3


def test_an_attachment_that_is_not_allowed(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_volume(attach_errors=["UnauthorizedOperation"] * 9)
    fails(machine, "cannot be attached", "UnauthorizedOperation")
    assert len(machine.calls_of("aws", "attach-volume")) == 5


# The server


def test_a_failed_health_check(new_machine: NewMachine) -> None:
    machine = new_machine(answers=False)
    fails(machine, "did not answer 200 on /health", "503")
    assert machine.calls_of("aws", "change-resource-record-sets") == []
    assert not (machine.data / "current").exists()


def test_registers_the_address_and_reports_after_the_health_check(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    (record,) = machine.calls_of("aws", "change-resource-record-sets")
    batch = record[record.index("--change-batch") + 1]
    for word in ('"UPSERT"', '"search.carbon-connect-dev.internal"', '"10.0.48.17"'):
        assert word in batch
    (signal,) = machine.calls_of("aws", "signal-resource")
    assert machine.calls.index(record) < machine.calls.index(signal)
    assert signal[signal.index("--unique-id") + 1] == "i-0new"


def test_the_key_is_in_one_file_and_nowhere_else(new_machine: NewMachine) -> None:
    machine = new_machine()
    done = machine.boot()
    assert done.returncode == 0
    file = machine.root / "etc/search-server/meilisearch.env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"MEILI_MASTER_KEY={MASTER_KEY}\n" in file.read_text()
    assert MASTER_KEY not in done.stdout + done.stderr
    assert MASTER_KEY not in machine.calls_file.read_text()
    others = [path for path in machine.root.rglob("*") if path.is_file() and path != file]
    assert [path for path in others if MASTER_KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("secret", "field", "words"),
    [
        ("too-short", "", "16 or more characters"),
        ("with a space in between", "", "16 or more characters"),
        ('{"other": "0123456789abcdef"}', "key", "is not JSON with a field key"),
        ("0123456789abcdef", "key", "is not JSON with a field key"),
    ],
)
def test_a_secret_that_cannot_be_a_key_is_not_shown(
    new_machine: NewMachine, secret: str, field: str, words: str
) -> None:
    machine = new_machine(secret=secret, settings={"SECRET_FIELD": field})
    fails(machine, words)
    assert secret not in (machine.root / "var/log/search-server-boot.log").read_text()


def test_the_key_may_be_a_field_of_a_json_secret(new_machine: NewMachine) -> None:
    machine = new_machine(secret=f'{{"key": "{MASTER_KEY}"}}', settings={"SECRET_FIELD": "key"})
    boots(machine)
    environment = (machine.root / "etc/search-server/meilisearch.env").read_text()
    assert f"MEILI_MASTER_KEY={MASTER_KEY}\n" in environment


def test_a_replacement_by_the_group_alone_boots_though_no_stack_waits(
    new_machine: NewMachine,
) -> None:
    machine = new_machine()
    machine.change(refused={"cloudformation signal-resource": "ValidationError"})
    boots(machine)


@pytest.mark.parametrize(
    "operation", ["secretsmanager get-secret-value", "route53 change-resource-record-sets"]
)
def test_a_permission_that_is_missing(new_machine: NewMachine, operation: str) -> None:
    machine = new_machine()
    machine.change(refused={operation: "AccessDenied"})
    fails(machine, "cannot be read" if "secret" in operation else "could not be registered")


@pytest.mark.parametrize(
    "image", ["getmeili/meilisearch:latest", "getmeili/meilisearch", "x:v1.54"]
)
def test_an_image_without_an_exact_version(new_machine: NewMachine, image: str) -> None:
    fails(new_machine(settings={"IMAGE": image}), "exact tag", image)


def test_a_setting_that_is_missing(new_machine: NewMachine) -> None:
    fails(new_machine(settings={"HOSTED_ZONE_ID": ""}), "HOSTED_ZONE_ID", "is missing")


# Versions


def with_version(version: str) -> dict[str, str]:
    """Settings that name an image of this version."""
    return {"IMAGE": f"getmeili/meilisearch:v{version}"}


def test_an_upgrade_works_on_a_copy_and_a_rollback_returns_to_the_original(
    new_machine: NewMachine,
) -> None:
    boots(new_machine(settings=with_version("1.9.0")))
    upgraded = new_machine(settings=with_version("1.10.0"))
    boots(upgraded)
    assert index_of(upgraded, "1.10.0").count("\n") == 2
    assert index_of(upgraded, "1.9.0").count("\n") == 1
    environment = (upgraded.root / "etc/search-server/meilisearch.env").read_text()
    assert "MEILI_UPGRADE_DB=true\n" in environment

    back = new_machine(settings=with_version("1.9.0"))
    boots(back)
    assert index_of(back, "1.9.0").count("\n") == 2

    again = new_machine(settings=with_version("1.10.0"))
    boots(again)
    assert index_of(again, "1.10.0").count("\n") == 3


def test_an_upgrade_that_never_answers_leaves_the_version_before_current(
    new_machine: NewMachine,
) -> None:
    boots(new_machine(settings=with_version("1.53.0")))
    fails(new_machine(settings=with_version("1.54.0"), answers=False), "/health")
    back = new_machine(settings=with_version("1.53.0"))
    boots(back)
    assert index_of(back, "1.53.0").count("\n") == 2
    assert not (back.data / "v1.54.0").exists()


def test_a_copy_is_kept_until_the_next_boot_only(new_machine: NewMachine) -> None:
    boots(new_machine(settings=with_version("1.53.0")))
    boots(new_machine(settings=with_version("1.54.0")))
    last = new_machine(settings=with_version("1.54.0"))
    boots(last)
    assert sorted(path.name for path in last.data.glob("v*")) == ["v1.54.0"]


def test_an_older_version_without_a_copy_is_refused(new_machine: NewMachine) -> None:
    boots(new_machine(settings=with_version("1.54.0")))
    machine = new_machine(settings=with_version("1.53.0"))
    fails(machine, "1.53.0 cannot read it", "Set IMAGE to 1.54.0")
    assert index_of(machine).count("\n") == 1


# What stays on the instance


@pytest.mark.parametrize(
    ("status", "deletes"),
    [
        ("DELETE_IN_PROGRESS", 1),
        ("ROLLBACK_IN_PROGRESS", 1),
        ("UPDATE_IN_PROGRESS", 0),
        ("UPDATE_ROLLBACK_IN_PROGRESS", 0),
        ("UPDATE_COMPLETE", 0),
    ],
)
def test_the_record_goes_only_with_the_stack(
    new_machine: NewMachine, status: str, deletes: int
) -> None:
    machine = new_machine()
    boots(machine)
    machine.change(stack_status=status)
    machine.run_unit("search-address.service", "ExecStop")
    records = machine.calls_of("aws", "change-resource-record-sets")[1:]
    assert len(records) == deletes
    assert all('"DELETE"' in record[-1] and '"10.0.48.17"' in record[-1] for record in records)


@pytest.mark.parametrize(("answers", "value"), [(True, 1), (False, 0)])
def test_reports_health_and_the_use_of_the_volume(
    new_machine: NewMachine, answers: bool, value: int
) -> None:
    machine = new_machine()
    boots(machine)
    machine.answers = answers
    before = len(machine.calls_of("aws", "put-metric-data"))
    machine.run_unit("search-health.service", "ExecStart")
    report = machine.calls_of("aws", "put-metric-data")[before:][0]
    dimensions = "Dimensions=[{Name=Environment,Value=dev}]"
    assert report[report.index("--namespace") + 1] == "carbon-connect/dev"
    assert f"MetricName=SearchHealthy,Value={value},{dimensions}" in report
    assert report[-1].startswith("MetricName=SearchVolumeUsed,Unit=Percent,Value=")
    assert report[-1].endswith(dimensions)


# The AWS CLI


class Refusal(BaseHTTPRequestHandler):
    """An endpoint that refuses every request, and counts them."""

    def do_POST(self) -> None:
        self.server.requests += 1  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the output of the tests clean."""


def test_the_real_cli_understands_every_command(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command gets past the CLI's own parser and the service model, as far as a request."""
    from awscli.clidriver import create_clidriver

    machine = new_machine()
    machine.change(stack_status="DELETE_IN_PROGRESS")
    boots(machine)
    machine.run_unit("search-address.service", "ExecStop")
    commands = machine.calls_of("aws")
    assert len({tuple(call) for call in commands}) == 10
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    server.requests = 0  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    driver = create_clidriver()
    for count, command in enumerate(commands, start=1):
        driver.main(command[1:])
        assert server.requests == count, command  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
