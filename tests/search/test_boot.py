"""The boot script of the search server: the server, its versions, and the files on the instance."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from templates_src.compute.search.user_data import BOOT_SCRIPT, boot_script
from tests.http_server import serving, url_of
from tests.search.machine import MASTER_KEY, MEMORY_KIB, Machine
from tests.search.outcome import NewMachine, boots, fails, index_of

# The script as a file


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    shipped = tmp_path / "user-data"
    shipped.write_text(boot_script())
    shellcheck = Path(sys.executable).with_name("shellcheck")
    # Without its comments the script lacks the directive for the settings, which it reads (SC1091).
    for script, exclude in ((BOOT_SCRIPT, ""), (shipped, "SC1090,SC1091")):
        done = subprocess.run(
            [shellcheck, *(["--exclude", exclude] if exclude else []), script],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""
        assert done.returncode == 0


def test_leaves_room_for_the_settings_in_user_data() -> None:
    """EC2 takes 16 KB of user data before base64; the settings need less than 1,300 bytes."""
    assert len(boot_script().encode()) <= 16 * 1024 - 1300


def test_user_data_lacks_only_the_comments() -> None:
    written = BOOT_SCRIPT.read_text().splitlines()
    shipped = boot_script().splitlines()
    assert shipped[0] == written[0] == "#!/bin/bash"
    left_out = [line for line in written if line not in shipped]
    assert left_out
    assert all(line.lstrip().startswith("# ") for line in left_out)
    # A heredoc writes no line that could be taken for a comment.
    assert [line for line in shipped if line not in written] == []


# The server


def test_a_failed_health_check(new_machine: NewMachine) -> None:
    machine = new_machine(answers=False)
    fails(machine, "did not answer 200 on /health", "503")
    assert not (machine.data / "current").exists()


def test_signals_after_the_health_check(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    (signal,) = machine.calls_of("aws", "signal-resource")
    asked = [call for call in machine.calls_of("curl") if call[-1].endswith("/health")]
    assert machine.calls.index(asked[0]) < machine.calls.index(signal)
    assert signal[signal.index("--unique-id") + 1] == "i-0new"


def test_key_is_only_in_one_file(new_machine: NewMachine) -> None:
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
def test_invalid_key_is_not_shown(
    new_machine: NewMachine, secret: str, field: str, words: str
) -> None:
    machine = new_machine(secret=secret, settings={"SECRET_FIELD": field})
    fails(machine, words)
    assert secret not in (machine.root / "var/log/search-server-boot.log").read_text()


def test_key_can_be_a_field_of_a_json_secret(new_machine: NewMachine) -> None:
    machine = new_machine(secret=f'{{"key": "{MASTER_KEY}"}}', settings={"SECRET_FIELD": "key"})
    boots(machine)
    environment = (machine.root / "etc/search-server/meilisearch.env").read_text()
    assert f"MEILI_MASTER_KEY={MASTER_KEY}\n" in environment


def test_replacement_by_the_group_boots_without_a_waiting_stack(
    new_machine: NewMachine,
) -> None:
    machine = new_machine()
    machine.change(refused={"cloudformation signal-resource": "ValidationError"})
    boots(machine)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("secretsmanager get-secret-value", "cannot be read"),
        ("ec2 attach-network-interface", "cannot be attached"),
    ],
)
def test_missing_permission_is_reported(
    new_machine: NewMachine, operation: str, words: str
) -> None:
    machine = new_machine()
    machine.change(refused={operation: "AccessDenied"})
    fails(machine, words, "AccessDenied")


@pytest.mark.parametrize(
    "image", ["getmeili/meilisearch:latest", "getmeili/meilisearch", "x:v1.54"]
)
def test_image_without_an_exact_version_is_refused(new_machine: NewMachine, image: str) -> None:
    fails(new_machine(settings={"IMAGE": image}), "exact tag", image)


def test_missing_setting_is_refused(new_machine: NewMachine) -> None:
    fails(new_machine(settings={"INTERFACE_ID": ""}), "INTERFACE_ID", "is missing")


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


def test_upgrade_that_never_answers_keeps_the_former_version(
    new_machine: NewMachine,
) -> None:
    boots(new_machine(settings=with_version("1.53.0")))
    fails(new_machine(settings=with_version("1.54.0"), answers=False), "/health")
    back = new_machine(settings=with_version("1.53.0"))
    boots(back)
    assert index_of(back, "1.53.0").count("\n") == 2
    assert not (back.data / "v1.54.0").exists()


def test_copy_is_kept_until_the_next_boot(new_machine: NewMachine) -> None:
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


# The limits of the server


def server_command(machine: Machine) -> list[str]:
    """The command line with which the unit started the container."""
    (command,) = machine.calls_of("docker", "run")
    return command


def test_indexing_and_the_server_leave_memory_to_the_system(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    limit = (MEMORY_KIB - 512 * 1024) * 1024
    command = server_command(machine)
    assert command[command.index("--memory") + 1] == str(limit)
    # No swap: without this option docker allows as much again.
    assert command[command.index("--memory-swap") + 1] == str(limit)
    environment = (machine.root / "etc/search-server/meilisearch.env").read_text().splitlines()
    assert f"MEILI_MAX_INDEXING_MEMORY={limit // 2}" in environment
    (threads,) = [line for line in environment if line.startswith("MEILI_MAX_INDEXING_THREADS=")]
    assert 1 <= int(threads.partition("=")[2]) <= (os.cpu_count() or 1)


# The watch over Meilisearch


def minutes(machine: Machine, count: int) -> None:
    """The health unit runs, once for each minute."""
    for _ in range(count):
        machine.run_unit("search-health.service", "ExecStart")


def restarts(machine: Machine) -> int:
    """How often the watch restarted Meilisearch and the process that listens for it."""
    return len(machine.calls_of("systemctl", "restart", "--no-block", "meilisearch.service"))


def ends(machine: Machine) -> int:
    """How often the watch ended the instance."""
    return len(machine.calls_of("shutdown", "--poweroff", "now"))


def test_a_short_failure_changes_nothing(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    machine.answers = False
    minutes(machine, 4)
    machine.answers = True
    minutes(machine, 1)
    machine.answers = False
    minutes(machine, 4)
    assert (restarts(machine), ends(machine)) == (0, 0)


def test_a_server_that_hangs_is_restarted_and_then_replaced(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    machine.answers = False
    minutes(machine, 5)
    assert (restarts(machine), ends(machine)) == (1, 0)
    minutes(machine, 9)
    assert (restarts(machine), ends(machine)) == (2, 0)
    minutes(machine, 1)
    assert (restarts(machine), ends(machine)) == (2, 1)
    reports = machine.calls_of("aws", "put-metric-data")
    # The alarm needs ten reports in a row: SearchUnhealthy is on before the instance ends.
    assert sum("Value=0," in " ".join(report) for report in reports) == 15


def test_a_broken_index_ends_one_instance_a_day(new_machine: NewMachine) -> None:
    first = new_machine()
    boots(first)
    first.answers = False
    minutes(first, 15)
    assert ends(first) == 1

    second = new_machine()
    boots(second)
    second.answers = False
    minutes(second, 30)
    assert (restarts(second), ends(second)) == (6, 0)
    ended = second.data / "ended"
    ended.write_text(str(int(ended.read_text()) - 86_401))
    minutes(second, 5)
    assert (restarts(second), ends(second)) == (6, 1)


def test_the_watch_acts_although_metrics_are_refused(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    machine.answers = False
    machine.change(refused={"cloudwatch put-metric-data": "Throttling"})
    minutes(machine, 5)
    assert restarts(machine) == 1


# The AWS CLI


class PipelineError(BaseHTTPRequestHandler):
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
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    machine = new_machine()
    boots(machine)
    commands = machine.calls_of("aws")
    assert len({tuple(call) for call in commands}) == 8
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with serving(PipelineError) as server:
        server.requests = 0  # type: ignore[attr-defined]
        monkeypatch.setenv("AWS_ENDPOINT_URL", url_of(server))
        driver = create_clidriver()
        for count, command in enumerate(commands, start=1):
            driver.main(command[1:])
            assert server.requests == count, command  # type: ignore[attr-defined]
