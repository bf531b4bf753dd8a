"""Machines that run the real boot of the search server, on a real file system, without an instance.

Every program on a machine's PATH records its command line. Programs that only an instance has (aws, docker, systemctl,
dnf, shutdown) are stand-ins (stand_ins.py); all others are real.
"""

import json
import py_compile
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from templates_src.compute.search.user_data import boot_script
from tests.search.volume import PRIVILEGE, Volume, find, run, store

HERE = Path(__file__).parent
VOLUME_ID = "vol-0123456789abcdef0"
INTERFACE_ID = "eni-0f1e2d3c4b5a69788"
MASTER_KEY = "correct-horse-battery-staple-0123456789"
IMAGE = "getmeili/meilisearch:v1.54.0"
STAND_INS = ("aws", "docker", "dnf", "ip", "shutdown", "systemctl")
# MemTotal of a t4g.small.
MEMORY_KIB = 1_910_000
STAND_INS_WITHOUT_ROOT = (*STAND_INS, "chown", "mount", "mountpoint")
REAL = (
    *("bash", "blkid", "chmod", "chown", "cmp", "cp", "curl", "cut", "debugfs", "df", "du"),
    *("e2fsck", "grep", "head", "install", "mkdir", "mkfs.ext4", "mount", "mountpoint", "mv"),
    *("python3", "readlink", "resize2fs", "rm", "sed", "sleep", "sort", "sync", "tail", "tee"),
    *("nproc", "touch", "tr", "cat"),
)


class _Handler(BaseHTTPRequestHandler):
    """Instance metadata (version 2 only) and the /health of the server behind docker."""

    server: "Loopback"

    def do_PUT(self) -> None:
        wanted = "X-aws-ec2-metadata-token-ttl-seconds" in self.headers
        self._answer(200 if wanted and self.path == "/latest/api/token" else 400, "token-1")

    def do_GET(self) -> None:
        if self.path == "/health":
            state = self.server.machine.state
            healthy = state["serving"] and state["listening"] and self.server.machine.answers
            self._answer(200 if healthy else 503, '{"status":"available"}')
            return
        metadata = {"instance-id": "i-0new"}
        name = self.path.removeprefix("/latest/meta-data/")
        if self.headers.get("X-aws-ec2-metadata-token") != "token-1":
            self._answer(401, "")
        else:
            self._answer(200 if name in metadata else 404, metadata.get(name, ""))

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the output of the tests clean."""


class Loopback(ThreadingHTTPServer):
    """The HTTP side of one machine, on a free port of loopback."""

    def __init__(self, machine: "Machine") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.machine = machine
        # The interval, in seconds, in which it checks whether to stop.
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


@dataclass
class Machine:
    """An instance: a folder in place of /, the programs on its PATH, and the state of AWS."""

    folder: Path
    volume: Volume
    settings: dict[str, str] = field(default_factory=dict)
    secret: str = MASTER_KEY
    answers: bool = True
    ended: bool = False

    def __post_init__(self) -> None:
        self.root = self.folder / "root"
        self.root.mkdir(parents=True)
        self.calls_file = self.folder / "calls"
        self.calls_file.touch()
        self.loopback = Loopback(self)
        self._write_programs()
        self.state = {
            "volume": {
                "id": VOLUME_ID,
                "device": self.volume.attach(),
                "serial": VOLUME_ID.replace("-", ""),
                "state": "available",
                "holder": "None",
                "attachment": "None",
                "missing": False,
                "questions_until_free": None,
                "attach_errors": [],
            },
            "interface": {
                "device": "",
                "attach_errors": [],
                "questions_until_routed": 1,
            },
            "secret": self.secret,
            "refused": {},
            "serving": False,
            "listening": False,
            "mounted": "",
        }

    @property
    def data(self) -> Path:
        """The mount point of the volume."""
        return self.root / "var/lib/meilisearch"

    @property
    def state(self) -> dict[str, Any]:
        """The state of the stand-ins."""
        state: dict[str, Any] = json.loads((self.folder / "cloud.json").read_text())
        return state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        (self.folder / "cloud.json").write_text(json.dumps(state))

    def change(self, **values: Any) -> None:
        """Changes the state of AWS before or between boots."""
        self.state = {**self.state, **values}

    def change_interface(self, **values: Any) -> None:
        """Changes what AWS and the kernel know of the interface."""
        self.change(interface={**self.state["interface"], **values})

    def change_volume(self, **values: Any) -> None:
        """Changes the state of the volume in AWS."""
        self.change(volume={**self.state["volume"], **values})

    def boot(self) -> subprocess.CompletedProcess[str]:
        """Writes the settings like the user data, and runs the boot script."""
        port = str(self.loopback.server_address[1])
        settings = {
            "REGION": "eu-north-1",
            "STACK_NAME": "arn:aws:cloudformation:eu-north-1:111122223333:stack/compute/1",
            "LOGICAL_RESOURCE_ID": "SearchGroup",
            "VOLUME_ID": VOLUME_ID,
            "SECRET_ARN": "arn:aws:secretsmanager:eu-north-1:111122223333:secret:search-Ab12Cd",
            "IMAGE": IMAGE,
            "PORT": port,
            "INTERFACE_ID": INTERFACE_ID,
            "ADDRESS": "127.0.0.1",
            "LOG_GROUP": "/carbon-connect/dev/search",
            "METRIC_NAMESPACE": "carbon-connect/dev",
            "ENVIRONMENT": "dev",
            "RETRY_SECONDS": "0",
            "VOLUME_ATTEMPTS": "5",
            "HEALTH_ATTEMPTS": "2",
            "METADATA_URL": f"http://127.0.0.1:{port}",
            **self.settings,
        }
        configuration = self.root / "etc/search-server"
        configuration.mkdir(parents=True, exist_ok=True)
        (configuration / "settings").write_text(
            "".join(f"{name}={value}\n" for name, value in settings.items() if value)
        )
        (self.root / "proc").mkdir(exist_ok=True)
        (self.root / "proc/meminfo").write_text(
            f"MemTotal:        {MEMORY_KIB} kB\nMemFree:          1000 kB\n"
        )
        script = self.folder / "user-data"
        script.write_text(boot_script())
        return self.execute(str(script))

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a bash program on the machine, with no other programs than the recorded ones."""
        prefix = (PRIVILEGE or ()) if self.volume.kind == "loop" else ()
        environment = {
            "PATH": str(self.folder / "bin"),
            "SYSTEM_ROOT": str(self.root),
            "CLOUD": str(self.folder / "cloud.json"),
        }
        words = (f"{name}={value}" for name, value in environment.items())
        return subprocess.run(
            [*prefix, find("env"), "-i", *words, find("bash"), *command],
            capture_output=True,
            text=True,
            check=False,
        )

    def run_unit(self, unit: str, key: str) -> None:
        """Runs the ExecStart or ExecStop of a unit that the boot script has written."""
        lines = (self.root / "etc/systemd/system" / unit).read_text().splitlines()
        command = next(line.partition("=")[2] for line in lines if line.startswith(f"{key}="))
        settings = self.root / "etc/search-server/settings"
        done = self.execute("-c", f"set -a; . {settings}; {command}")
        assert done.returncode == 0, done.stderr

    @property
    def calls(self) -> list[list[str]]:
        """Every command line on this machine, in order: program and arguments."""
        records = self.calls_file.read_text().split("\x1e")
        return [record.split("\x1f") for record in records if record]

    def calls_of(self, *words: str) -> list[list[str]]:
        """Command lines that contain all of these words."""
        return [call for call in self.calls if all(word in call for word in words)]

    def signals(self) -> list[str]:
        """The signals to CloudFormation, in order."""
        calls = self.calls_of("aws", "signal-resource")
        return [call[call.index("--status") + 1] for call in calls]

    def terminate(self) -> None:
        """Ends the machine, once: unmounts the volume and detaches it."""
        if self.ended:
            return
        self.ended = True
        if self.volume.kind == "loop":
            if (
                subprocess.run([find("mountpoint"), "-q", str(self.data)], check=False).returncode
                == 0
            ):
                run("umount", str(self.data), root=True)
        elif self.state["mounted"]:
            store(self.data, self.volume.image)
        self.volume.detach()
        self.loopback.shutdown()
        self.loopback.server_close()

    def _write_programs(self) -> None:
        """Wrappers that record their command line, in one write, and then run the program."""
        programs = self.folder / "bin"
        programs.mkdir()
        stand_ins = STAND_INS if self.volume.kind == "loop" else STAND_INS_WITHOUT_ROOT
        compiled = py_compile.compile(
            str(HERE / "stand_ins.py"), cfile=str(self.folder / "stand_ins.pyc"), doraise=True
        )
        for name in {*REAL, *stand_ins}:
            command = f"{sys.executable} -IS {compiled} {name}" if name in stand_ins else find(name)
            program = programs / name
            program.write_text(
                f"#!/bin/sh\nIFS='\x1f'\n"
                f"printf '%s\\036' \"{name}$IFS$*\" >>{self.calls_file}\n"
                f'unset IFS\nexec {command} "$@"\n'
            )
            program.chmod(0o755)
