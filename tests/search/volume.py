"""EBS volumes without AWS: real ext4 file systems on image files, as root and without.

Where the tests may be root, the image is attached as a loop device and mounted by the kernel;
everywhere else the file itself is the device, formatted, checked and grown by the same e2fsprogs,
and only the mount is a stand-in, which copies the files out of the image; ``store`` copies back.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1024 * 1024
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _privilege() -> tuple[str, ...] | None:
    """The prefix of a command that runs as root; None if the tests cannot be root.

    sudo is used only on a CI runner, never on a developer's machine.
    """
    if not Path("/dev/loop-control").exists():
        return None
    if os.geteuid() == 0:
        return ()
    if not os.environ.get("CI") or not shutil.which("sudo"):
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ("sudo", "-n") if asked.returncode == 0 else None


PRIVILEGE = _privilege()
KINDS = ("image",) if PRIVILEGE is None else ("loop", "image")


def find(program: str) -> str:
    """Path of a system program; an error and no skip if it is missing."""
    path = shutil.which(program, path=SYSTEM_PATH + ":" + os.environ["PATH"])
    assert path, f"{program} is needed: install e2fsprogs, util-linux, coreutils and curl"
    return path


def run(*command: str, root: bool = False) -> str:
    """Standard output of a system program that must succeed."""
    prefix = (PRIVILEGE or ()) if root else ()
    done = subprocess.run(
        [*prefix, find(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@dataclass
class Volume:
    """An EBS volume: an image file of zeros, which stays when machines are removed."""

    image: Path
    kind: str
    mebibytes: int = 64
    device: str = ""

    def __post_init__(self) -> None:
        self.resize(self.mebibytes)

    def resize(self, mebibytes: int) -> None:
        """Enlarges the volume, like ModifyVolume."""
        self.mebibytes = mebibytes
        with self.image.open("ab") as file:
            file.truncate(mebibytes * MEBIBYTE)

    def attach(self) -> str:
        """The device of the volume on a machine."""
        self.device = str(self.image)
        if self.kind == "loop":
            self.device = run("losetup", "--find", "--show", str(self.image), root=True).strip()
        return self.device

    def detach(self) -> None:
        """Detaches the device; its data stays in the image."""
        if self.kind == "loop" and self.device:
            run("losetup", "--detach", self.device, root=True)
        self.device = ""

    def type(self) -> str:
        """Type of the file system in the image, empty if there is none."""
        done = subprocess.run(
            [find("blkid"), "-p", "-o", "value", "-s", "TYPE", str(self.image)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def blocks(self) -> int:
        """Size of the file system in mebibytes."""
        lines = run("dumpe2fs", "-h", str(self.image)).splitlines()
        values = {name: value for name, _, value in (line.partition(":") for line in lines)}
        return int(values["Block count"]) * int(values["Block size"]) // MEBIBYTE


def store(folder: Path, image: Path) -> None:
    """Copies the files of the mount point back to the image."""
    before = image.with_suffix(".before")
    shutil.rmtree(before, ignore_errors=True)
    before.mkdir()
    run("debugfs", "-R", f'rdump / "{before}"', str(image))
    commands = []
    for old in sorted(before.rglob("*"), reverse=True):
        path = old.relative_to(before)
        if not (folder / path).exists():
            commands += [_enter(path), f'{"rmdir" if old.is_dir() else "rm"} "{path.name}"']
    for new in sorted(folder.rglob("*")):
        path = new.relative_to(folder)
        commands.append(_enter(path))
        if new.is_dir():
            # debugfs damages an existing folder that it creates again.
            if not (before / path).exists():
                commands.append(f'mkdir "{path.name}"')
        else:
            commands += [f'rm "{path.name}"', f'write "{new}" "{path.name}"']
    script = image.with_suffix(".debugfs")
    script.write_text("\n".join(commands) + "\n")
    run("debugfs", "-w", "-f", str(script), str(image))


def _enter(path: Path) -> str:
    """debugfs reads the folder of "/name" as the current one, so names have no folder."""
    return f'cd "/{path.parent}"'
