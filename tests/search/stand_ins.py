"""Stand-ins for programs that only an instance on AWS has: aws, docker, systemctl, mount.

Run as ``stand_ins.py NAME ARGUMENT...`` by the wrappers that machine.py puts on PATH. Their state is one JSON file,
named by the environment variable CLOUD.

A boot runs some twenty of them, and imports take most of their time, so rare imports are in functions.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    State = dict[str, Any]

ROOT = os.environ["SYSTEM_ROOT"]


def read_state() -> State:
    """The current state."""
    with open(os.environ["CLOUD"], encoding="utf-8") as file:  # noqa: PTH123 - pathlib is an import
        state: State = json.load(file)
    return state


def write_state(state: State) -> None:
    """The new state."""
    with open(os.environ["CLOUD"], "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        file.write(json.dumps(state))


def option(arguments: list[str], name: str) -> str:
    """Value that follows an option."""
    return arguments[arguments.index(name) + 1]


def refuse(operation: str, reason: str) -> int:
    """An error in the words and with the exit status of the AWS CLI."""
    print(f"An error occurred ({reason}) when calling the {operation} operation", file=sys.stderr)
    return 254


def describe_volumes(volume: State) -> int:
    """State, instance and state of the attachment; the former instance releases the volume after some calls."""
    if volume["missing"]:
        return refuse("DescribeVolumes", "InvalidVolume.NotFound")
    if volume["holder"] not in ("None", "i-0new") and volume["questions_until_free"] is not None:
        volume["questions_until_free"] -= 1
        if volume["questions_until_free"] <= 0:
            volume.update(state="available", holder="None", attachment="None")
    print(volume["state"], volume["holder"], volume["attachment"], sep="\t")
    return 0


def attach_volume(volume: State, arguments: list[str]) -> int:
    """Attaches, and creates udev's link and the kernel's serial number on the machine."""
    if volume["attach_errors"]:
        return refuse("AttachVolume", volume["attach_errors"].pop(0))
    from pathlib import Path

    instance = option(arguments, "--instance-id")
    volume.update(state="in-use", holder=instance, attachment="attached")
    name = volume["id"].replace("-", "")
    link = Path(f"{ROOT}/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{name}")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(volume["device"])
    serial = Path(f"{ROOT}/sys/class/block/{Path(volume['device']).name}/device/serial")
    serial.parent.mkdir(parents=True, exist_ok=True)
    serial.write_text(volume["serial"] + "\n")
    return 0


def attach_interface(interface: State) -> int:
    """Attaches: the kernel shows the device at once, with its address and routing rule some questions later."""
    if interface["attach_errors"]:
        return refuse("AttachNetworkInterface", interface["attach_errors"].pop(0))
    interface["device"] = "ens6"
    return 0


def ip(state: State, arguments: list[str]) -> int:
    """``ip address show to`` and ``ip route get``: answers leave by ens5 until the routing rule exists."""
    interface = state["interface"]
    if "address" in arguments:
        if interface["device"]:
            interface["questions_until_routed"] -= 1
            print(f"3: ens6    inet {arguments[-1]}/20 metric 522 brd 10.0.63.255 scope global")
        return 0
    routed = interface["device"] and interface["questions_until_routed"] < 0
    device = "ens6 table 10001" if routed else "ens5"
    print(f"{arguments[3]} from {arguments[-1]} via 10.0.48.1 dev {device} uid 0 \n    cache")
    return 0


def aws(state: State, arguments: list[str]) -> int:
    """The AWS CLI: a few operations with a response; the others succeed without output."""
    services = {"ec2", "secretsmanager", "cloudformation", "cloudwatch", "logs"}
    at = next(index for index, word in enumerate(arguments) if word in services)
    operation = " ".join(arguments[at : at + 2])
    if operation in state["refused"]:
        return refuse(operation, state["refused"][operation])
    if operation == "ec2 describe-volumes":
        return describe_volumes(state["volume"])
    if operation == "ec2 attach-volume":
        return attach_volume(state["volume"], arguments)
    if operation == "ec2 attach-network-interface":
        return attach_interface(state["interface"])
    if operation == "secretsmanager get-secret-value":
        print(state["secret"])
    return 0


def docker(state: State, arguments: list[str]) -> int:
    """``docker run`` serves: it reads the environment file and adds a line to the index."""
    from pathlib import Path

    if arguments[0] != "run":
        return 0
    environment = dict(
        line.split("=", 1)
        for line in Path(option(arguments, "--env-file")).read_text().splitlines()
    )
    mount = dict(part.split("=", 1) for part in option(arguments, "--mount").split(","))
    database = environment["MEILI_DB_PATH"].replace(mount["target"], mount["source"], 1)
    Path(database).mkdir(exist_ok=True)
    with Path(database, "index").open("a", encoding="utf-8") as index:
        index.write(f"opened by {arguments[-1]}\n")
    state["serving"] = True
    return 0


def systemctl(state: State, arguments: list[str]) -> int:
    """Starts a service by running its ExecStart under its EnvironmentFile, and listens for a socket.

    A restart without a wait is only recorded.
    """
    unit = f"{ROOT}/etc/systemd/system/{arguments[-1]}"
    starts = arguments[0] == "restart" or "--now" in arguments
    if not starts or "--no-block" in arguments or not os.path.exists(unit):  # noqa: PTH110 - pathlib is an import
        return 0
    if unit.endswith(".socket"):
        with open(unit, encoding="utf-8") as file:  # noqa: PTH123 - as above
            state["listening"] = "\nListenStream=127.0.0.1:" in file.read()
        return 0
    write_state(state)
    status = run_unit(unit, "ExecStart")
    state.update(read_state())
    return status


def run_unit(unit: str, key: str) -> int:
    """Runs one command of a unit file like systemd; returns its exit status."""
    import shlex
    import subprocess
    from pathlib import Path

    lines = [line.split("=", 1) for line in Path(unit).read_text().splitlines() if "=" in line]
    environment = dict(os.environ)
    for name, value in lines:
        if name == "EnvironmentFile":
            pairs = (line.partition("=")[::2] for line in Path(value).read_text().splitlines())
            environment.update(dict(pairs))
    command = shlex.split(next(value for name, value in lines if name == key))
    if command[0] == "/usr/bin/docker":
        command[0] = "docker"
    return subprocess.run(command, env=environment, check=False).returncode


def mount(state: State, arguments: list[str]) -> int:
    """Without root: copies the files of the image's ext4 file system to the mount point."""
    import subprocess
    from pathlib import Path

    fstab, folder = arguments[1], arguments[2]
    device = next(
        line.split()[0] for line in Path(fstab).read_text().splitlines() if f" {folder} " in line
    )
    copied = subprocess.run(
        ["debugfs", "-R", f'rdump / "{folder}"', device],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Bad magic number" in copied.stderr:
        print(f"mount: {device} holds no ext4 file system", file=sys.stderr)
        return 32
    state["mounted"] = folder
    return copied.returncode


def main() -> int:
    """Runs the program named by the first argument."""
    name, arguments = sys.argv[1], sys.argv[2:]
    state = read_state()
    programs = {"aws": aws, "docker": docker, "ip": ip, "systemctl": systemctl, "mount": mount}
    if name == "mountpoint":
        status = 0 if state["mounted"] == arguments[-1] else 32
    elif name in programs:
        status = programs[name](state, arguments)
    else:
        status = 0
    write_state(state)
    return status


if __name__ == "__main__":
    sys.exit(main())
