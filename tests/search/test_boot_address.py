"""The boot script and the interface of its stack: attached, waited for, and never shared."""

from tests.search.machine import INTERFACE_ID
from tests.search.outcome import NewMachine, boots, fails


def test_attaches_the_interface_and_listens_on_its_address(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    (attach,) = machine.calls_of("aws", "attach-network-interface")
    assert attach[attach.index("--network-interface-id") + 1] == INTERFACE_ID
    assert attach[attach.index("--instance-id") + 1] == "i-0new"
    assert attach[attach.index("--device-index") + 1] == "1"
    units = machine.root / "etc/systemd/system"
    port = machine.loopback.server_address[1]
    socket = (units / "search-address.socket").read_text().splitlines()
    assert {f"ListenStream=127.0.0.1:{port}", "FreeBind=yes"} <= set(socket)
    service = (units / "search-address.service").read_text()
    assert f"systemd-socket-proxyd --connections-max=4096 127.0.0.1:{port}\n" in service
    # Only the host's own process reaches the container: its answers would leave through the first interface.
    (run,) = machine.calls_of("docker", "run")
    assert run[run.index("--publish") + 1] == f"127.0.0.1:{port}:{port}"
    for enabled in ("search-address.socket", "meilisearch.service", "search-health.service"):
        assert machine.calls_of("systemctl", "enable", enabled)


def test_waits_for_the_instance_that_still_holds_the_interface(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_interface(attach_errors=["InvalidNetworkInterface.InUse"] * 2)
    boots(machine)
    assert len(machine.calls_of("aws", "attach-network-interface")) == 3


def test_names_the_interface_that_never_comes_free(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_interface(attach_errors=["InvalidNetworkInterface.InUse"] * 9)
    fails(machine, "Another instance holds", INTERFACE_ID)


def test_an_attachment_that_is_not_allowed(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_interface(attach_errors=["UnauthorizedOperation"] * 9)
    fails(machine, "cannot be attached", "UnauthorizedOperation")
    assert len(machine.calls_of("aws", "attach-network-interface")) == 5


def test_answers_that_would_leave_through_the_first_interface(new_machine: NewMachine) -> None:
    machine = new_machine()
    machine.change_interface(questions_until_routed=99)
    fails(machine, "do not leave through it", INTERFACE_ID)
    assert len(machine.calls_of("aws", "attach-network-interface")) == 1
    assert machine.calls_of("docker", "run") == []


def test_a_second_boot_of_the_same_instance_attaches_nothing(new_machine: NewMachine) -> None:
    machine = new_machine()
    boots(machine)
    assert machine.boot().returncode == 0
    assert len(machine.calls_of("aws", "attach-network-interface")) == 1
